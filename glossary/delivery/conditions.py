"""What an answer that is the same for anyone says to caches, and to who has it."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import parse_etags

from .. import conf
from .versions import NOTHING_YET, State


PRIVATE: Final = "private, no-store"
STALE_SECONDS: Final = 24 * 60 * 60


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
