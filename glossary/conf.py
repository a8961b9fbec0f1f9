"""The settings a site can make, read when they are needed.

Each is documented in ``docs/reference/settings.md``; ``checks.py`` refuses what is
unknown or malformed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


EXPLANATION = "explanation"
HOW_IT_WORKS = "how_it_works"
IN_CHATBOTS = "in_chatbots"

BUILT_IN_SECTION_KINDS: tuple[tuple[str, Promise], ...] = (
    (EXPLANATION, _("Explanation")),
    (HOW_IT_WORKS, _("How it works")),
    (IN_CHATBOTS, _("In chatbots")),
)

SETTINGS = (
    "GLOSSARY_FIELD_MAP",
    "GLOSSARY_IMPORT_MAX_FILE_SIZE",
    "GLOSSARY_IMPORT_MAX_UPLOAD_SIZE",
    "GLOSSARY_IMPORT_RETENTION_DAYS",
    "GLOSSARY_PAYLOAD_KEY",
    "GLOSSARY_SECTION_KINDS",
)


def section_kinds() -> list[tuple[str, str | Promise]]:
    """The kinds of section as (value, label): the built-in ones, then the site's.

    A site may also give a built-in kind another label. The function itself, not its
    result, is what migrations refer to, so a new kind never needs one.
    """
    own: Iterable[tuple[str, str]] = getattr(settings, "GLOSSARY_SECTION_KINDS", ())
    return list({**dict(BUILT_IN_SECTION_KINDS), **dict(own)}.items())


def section_kind_label(kind: str) -> str | Promise:
    """The label of a kind; of one that the site has since dropped, its value."""
    return dict(section_kinds()).get(kind, kind)


def import_max_file_size() -> int:
    """The largest payload file, in bytes, that an import reads."""
    return getattr(settings, "GLOSSARY_IMPORT_MAX_FILE_SIZE", 2 * 1024 * 1024)


def import_max_upload_size() -> int:
    """The largest file, in bytes, that may be uploaded for an import."""
    return getattr(settings, "GLOSSARY_IMPORT_MAX_UPLOAD_SIZE", 64 * 1024 * 1024)


def import_retention_days() -> int | None:
    """For how many days the payloads of runs are kept; None is for ever."""
    return getattr(settings, "GLOSSARY_IMPORT_RETENTION_DAYS", 90)


def field_map() -> Mapping[str, Any]:
    """How the fields of another site's records are called here; see
    ``payload.field_map``."""
    return getattr(settings, "GLOSSARY_FIELD_MAP", {})


def payload_key(slug: str) -> str:
    """The key of a term's record in its payload, where no import has brought one."""
    template = getattr(settings, "GLOSSARY_PAYLOAD_KEY", "glossary-%(slug)s")
    return template % {"slug": slug}
