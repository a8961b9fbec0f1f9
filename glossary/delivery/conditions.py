"""What an answer that is the same for anyone says to caches, and to who has it."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b, sha512
from importlib.metadata import version as version_of
from typing import Any, Final

import django
from django.conf import settings
from django.core.signals import setting_changed
from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import parse_etags
from wagtail import __version__ as wagtail_version

from .. import __version__, conf
from .versions import NOTHING_YET, State


PRIVATE: Final = "private, no-store"
STALE_SECONDS: Final = 24 * 60 * 60

# What an answer depends on beside the data. Plain values: they have to read alike in
# each process.
SETTINGS: Final = (
    "GLOSSARY_CARD_COLOURS",
    "GLOSSARY_CARD_FONTS",
    "GLOSSARY_FAQ_STRUCTURED_DATA",
    "GLOSSARY_FIELD_MAP",
    "GLOSSARY_NOINDEX_THIN",
    "GLOSSARY_PAYLOAD_KEY",
    "LANGUAGE_CODE",
    "MEDIA_URL",
    "ROOT_URLCONF",
    "USE_I18N",
    "WAGTAILAPI_BASE_URL",
    "WAGTAIL_APPEND_SLASH",
    "WAGTAIL_I18N_ENABLED",
)


def public() -> str:
    """The Cache-Control of an answer for anyone."""
    return (
        f"public, max-age={conf.api_max_age()}, s-maxage={conf.api_s_maxage()}, "
        f"stale-while-revalidate={STALE_SECONDS}"
    )


def last_modified(state: State) -> int | None:
    """When the state came to be, in seconds since 1970, once that second is over: a
    time tells versions apart only when no other can come in the same second."""
    modified = int(state.modified.timestamp())
    is_over = timezone.now().timestamp() >= modified + 1
    return modified if is_over and state != NOTHING_YET else None


def names(request: HttpRequest, etag: str) -> bool:
    """Whether the client names this very answer, so that it need not be looked for."""
    known = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    # A proxy that compresses makes a weak tag of ours.
    return etag in {tag.removeprefix("W/") for tag in known}


def site_digest() -> Any:
    """A digest to go on with, by ``update()``, for the name of an answer: of what all
    answers of this installation have in common. 16 bytes."""
    return _site_digest().copy()


@lru_cache(maxsize=1)
def _site_digest() -> Any:
    """The beginning of it, which is always the same.

    It has a key, so that nobody can work out from an ETag what it was made from.
    """
    parts = [__version__, django.__version__, wagtail_version, version_of("pydantic")]
    parts += [f"{name}={getattr(settings, name, None)!r}" for name in SETTINGS]
    key = sha512(str(settings.SECRET_KEY).encode()).digest()
    return blake2b("\0".join(parts).encode(), key=key, digest_size=16)


def _forget(**kwargs: Any) -> None:
    _site_digest.cache_clear()


# Tests change settings while the process runs; nothing else does.
setting_changed.connect(_forget)
