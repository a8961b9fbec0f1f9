"""The settings a site can make, read when they are needed.

Each is documented in ``docs/reference/settings.md``; ``checks.py`` refuses what is
unknown or malformed.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

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
    "GLOSSARY_API_CACHE",
    "GLOSSARY_API_MAX_AGE",
    "GLOSSARY_API_RATES",
    "GLOSSARY_API_S_MAXAGE",
    "GLOSSARY_API_V3",
    "GLOSSARY_CARD_COLOURS",
    "GLOSSARY_CARD_FONTS",
    "GLOSSARY_FAQ_STRUCTURED_DATA",
    "GLOSSARY_FIELD_MAP",
    "GLOSSARY_IMPORT_MAX_FILE_SIZE",
    "GLOSSARY_IMPORT_MAX_UPLOAD_SIZE",
    "GLOSSARY_IMPORT_RETENTION_DAYS",
    "GLOSSARY_NOINDEX_THIN",
    "GLOSSARY_PAGE_CACHE",
    "GLOSSARY_PAGE_SECONDS",
    "GLOSSARY_PAYLOAD_KEY",
    "GLOSSARY_PREVIEW_MAX_AGE",
    "GLOSSARY_PREVIEW_URL",
    "GLOSSARY_PURGE",
    "GLOSSARY_SECTION_KINDS",
    "GLOSSARY_WEBHOOK_HOSTS",
    "GLOSSARY_WEBHOOK_RETENTION_DAYS",
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


def preview_url() -> str | None:
    """Where a front end shows drafts: a text with ``%(token)s`` in it; see
    ``delivery.previews``. None if there is no such place."""
    return getattr(settings, "GLOSSARY_PREVIEW_URL", None)


def preview_max_age() -> int:
    """For how many seconds a link to a draft is good."""
    return getattr(settings, "GLOSSARY_PREVIEW_MAX_AGE", 3600)


def purge_settings() -> Mapping[str, Any]:
    """The caches that purge by tag; see ``delivery.purge_backends``."""
    return getattr(settings, "GLOSSARY_PURGE", {})


def api_cache() -> str | None:
    """The cache, by its alias, that keeps answers of the API as they were written;
    None keeps none."""
    return getattr(settings, "GLOSSARY_API_CACHE", "default")


def page_cache() -> str | None:
    """The cache, by its alias, that keeps pages as they were made for anyone; None
    keeps none."""
    return getattr(settings, "GLOSSARY_PAGE_CACHE", "default")


def page_seconds() -> int:
    """For how many seconds a page of the same version is taken for the same, whatever
    stands around it; 0 makes each page anew, without an ETag."""
    return getattr(settings, "GLOSSARY_PAGE_SECONDS", 300)


def api_max_age() -> int:
    """For how many seconds a browser may use an answer without asking again."""
    return getattr(settings, "GLOSSARY_API_MAX_AGE", 60)


def api_s_maxage() -> int:
    """The same for a cache in between, such as a CDN; see ``delivery.purging``."""
    return getattr(settings, "GLOSSARY_API_S_MAXAGE", 3600)


DEFAULT_RATES: Mapping[str, str | None] = {
    "search": "60/m",
    "autocomplete": "300/m",
    "graph": "60/m",
    "bulk": "60/m",
    "card": "300/m",
    "llms-full": "10/m",
}


def api_rates() -> Mapping[str, str | None]:
    """How often one client may ask for what is dear: "60/m" is 60 times a minute."""
    own = getattr(settings, "GLOSSARY_API_RATES", {})
    return {} if own is None else {**DEFAULT_RATES, **own}


def api_v3() -> bool:
    """Whether our endpoints are also part of Wagtail's API v3, where that is used."""
    return getattr(settings, "GLOSSARY_API_V3", True)


def noindex_thin() -> bool:
    """Whether search engines are asked to leave out terms without an explanation."""
    return getattr(settings, "GLOSSARY_NOINDEX_THIN", True)


def faq_structured_data() -> bool:
    """Whether the data in a term's page has its questions as a FAQPage."""
    return getattr(settings, "GLOSSARY_FAQ_STRUCTURED_DATA", False)


# The path of a font, or those of its regular and its bold face.
CardFont: TypeAlias = str | Path | tuple[str | Path, str | Path]


def card_fonts() -> Mapping[str, CardFont]:
    """The fonts of cards by language code; "" is for every other language."""
    return getattr(settings, "GLOSSARY_CARD_FONTS", {})


DEFAULT_CARD_COLOURS: Mapping[str, str] = {
    "background": "#ffffff",
    "text": "#16201f",
    "muted": "#4c5a59",
    "accent": "#0a5c66",
}


def card_colours() -> Mapping[str, str]:
    """The colours of cards, as "#rrggbb"."""
    return {**DEFAULT_CARD_COLOURS, **getattr(settings, "GLOSSARY_CARD_COLOURS", {})}


def webhook_hosts() -> Collection[str]:
    """The hosts, or ``host:port``, that webhooks may be sent to although they are not
    public, by http as well and to any port."""
    return getattr(settings, "GLOSSARY_WEBHOOK_HOSTS", ())


def webhook_retention_days() -> int | None:
    """For how many days deliveries of webhooks are kept; None is for ever."""
    return getattr(settings, "GLOSSARY_WEBHOOK_RETENTION_DAYS", 30)


def index_is_transactional() -> bool:
    """Whether Wagtail's search index is in the database and kept up to date on saving:
    what is found then changes in the transaction that changes a term.

    It does not with a search server, nor where ``manage.py update_index`` alone brings
    the index up to date.
    """
    from modelsearch.backends import import_backend
    from modelsearch.conf import get_app_config

    configured = get_app_config().get_search_backend_config()["default"]
    # Not the backend itself: making it asks the database, which may not be ready yet.
    backend = import_backend(configured["BACKEND"])
    return configured.get("AUTO_UPDATE", True) and any(
        kind.__module__.startswith("modelsearch.backends.database")
        for kind in (inspect.getmro(backend) if inspect.isclass(backend) else [backend])
    )
