"""What a site can get wrong, told before it runs, each with a way out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise

from .conf import DEFAULT_CARD_COLOURS, DEFAULT_RATES, SETTINGS
from .delivery.purge_backends import configured
from .payload.field_map import FieldMap, FieldMapError
from .site.cards.fonts import PROBE_SIZE, Font


REQUIRED_APPS = (
    "modelcluster",
    "taggit",
    "wagtail",
    "wagtail.admin",
    "wagtail.documents",
    "wagtail.search",
    "wagtail.snippets",
)
MAX_DAYS = 36500
"""The longest time that something can be kept for, beside for ever: a century."""
MAX_SECONDS = 365 * 24 * 60 * 60
"""The longest time that anyone may go without asking again: a year."""


@register()
def check_installed_apps(**kwargs: Any) -> list[CheckMessage]:
    return [*_missing_apps(), *_app_order()]


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    return [
        *_unknown_settings(),
        *_section_kinds(),
        *_numbers(),
        *_field_map(),
        *_payload_key(),
        *_api(),
        *_purge(),
        *_preview_url(),
        *_webhook_hosts(),
        *_search_engines(),
        *_card_fonts(),
        *_card_colours(),
        *_time_zones(),
    ]


def _missing_apps() -> Iterator[CheckMessage]:
    for name in REQUIRED_APPS:
        if not apps.is_installed(name):
            yield Error(
                f"The glossary needs the app '{name}'.",
                hint=f"Add '{name}' to INSTALLED_APPS.",
                id="glossary.E001",
            )


def _app_order() -> Iterator[CheckMessage]:
    order = [config.name for config in apps.get_app_configs()]
    if "wagtail.snippets" in order and order.index("glossary") > order.index(
        "wagtail.snippets"
    ):
        yield Error(
            "'glossary' stands behind 'wagtail.snippets' in INSTALLED_APPS, so "
            "Wagtail's API does not know the types of a term.",
            hint="Move 'glossary' before 'wagtail.snippets' in INSTALLED_APPS.",
            id="glossary.E002",
        )


def _unknown_settings() -> Iterator[CheckMessage]:
    for name in dir(settings):
        if name.startswith("GLOSSARY_") and name not in SETTINGS:
            yield Warning(
                f"There is no setting {name}.",
                hint=f"The glossary's settings are {', '.join(SETTINGS)}.",
                id="glossary.W001",
            )


def _section_kinds() -> Iterator[CheckMessage]:
    kinds = getattr(settings, "GLOSSARY_SECTION_KINDS", ())
    hint = (
        "GLOSSARY_SECTION_KINDS is a list of (value, label), for example "
        '[("history", "History")]. A value is a word of lower-case letters, digits '
        "and underscores."
    )
    if not isinstance(kinds, list | tuple):
        yield Error(
            "GLOSSARY_SECTION_KINDS is not a list.", hint=hint, id="glossary.E003"
        )
        return
    values = [kind[0] for kind in kinds if _is_section_kind(kind)]
    for kind in kinds:
        if not _is_section_kind(kind):
            fault = f"an entry {kind!r} that is no kind of section"
        elif values.count(kind[0]) > 1:
            fault = f"the kind {kind[0]!r} more than once"
        else:
            continue
        yield Error(
            f"GLOSSARY_SECTION_KINDS has {fault}.", hint=hint, id="glossary.E003"
        )


def _is_section_kind(kind: Any) -> bool:
    if not (isinstance(kind, list | tuple) and len(kind) == 2):
        return False
    value, label = kind
    is_value = isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]*", value)
    return bool(is_value) and isinstance(label, str | Promise) and label != ""


class Number(NamedTuple):
    """A setting that is a whole number, or None where that has a meaning."""

    check: str
    unit: str
    example: str
    highest: float = inf
    none: str = ""
    lowest: int = 1


NUMBERS = {
    "GLOSSARY_IMPORT_MAX_FILE_SIZE": Number(
        "glossary.E004", "bytes", "2 * 1024 * 1024"
    ),
    "GLOSSARY_IMPORT_MAX_UPLOAD_SIZE": Number(
        "glossary.E005", "bytes", "64 * 1024 * 1024"
    ),
    "GLOSSARY_IMPORT_RETENTION_DAYS": Number(
        "glossary.E006", "days", "90", MAX_DAYS, none="to keep payloads for ever"
    ),
    "GLOSSARY_API_MAX_AGE": Number(
        "glossary.E010", "seconds", "60", MAX_SECONDS, lowest=0
    ),
    "GLOSSARY_API_S_MAXAGE": Number(
        "glossary.E010", "seconds", "3600", MAX_SECONDS, lowest=0
    ),
    "GLOSSARY_PAGE_SECONDS": Number(
        "glossary.E022", "seconds", "300", MAX_SECONDS, lowest=0
    ),
    "GLOSSARY_PREVIEW_MAX_AGE": Number("glossary.E014", "seconds", "3600", MAX_SECONDS),
    "GLOSSARY_WEBHOOK_RETENTION_DAYS": Number(
        "glossary.E016", "days", "30", MAX_DAYS, none="to keep deliveries for ever"
    ),
}


def _numbers() -> Iterator[CheckMessage]:
    for name, number in NUMBERS.items():
        value = getattr(settings, name, 1)
        if (value is None and number.none) or _is_whole_number(value, number):
            continue
        most = " on" if number.highest == inf else f" to {number.highest}"
        none = f", or None {number.none}" if number.none else ""
        yield Error(
            f"{name} is not a number of {number.unit}.",
            hint=f"Give a whole number from {number.lowest}{most}, for example "
            f"{number.example}{none}.",
            id=number.check,
        )


def _is_whole_number(value: Any, number: Number) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and number.lowest <= value <= number.highest


def _field_map() -> Iterator[CheckMessage]:
    data = getattr(settings, "GLOSSARY_FIELD_MAP", {})
    if not isinstance(data, Mapping):
        fault = "GLOSSARY_FIELD_MAP is not a dictionary."
    else:
        try:
            FieldMap.from_dict(data, source="GLOSSARY_FIELD_MAP")
        except FieldMapError as error:
            fault = str(error)
        else:
            return
    yield Error(
        fault,
        hint="A field map is, for example, "
        '{"fields": {"summary": "shortDefinition"}}. docs/reference/payload.md has '
        "all that it can say.",
        id="glossary.E007",
    )


def _payload_key() -> Iterator[CheckMessage]:
    template = getattr(settings, "GLOSSARY_PAYLOAD_KEY", "%(slug)s")
    try:
        keys = {template % {"slug": slug} for slug in ("one", "two")}
    except (TypeError, ValueError, KeyError):
        keys = set()
    is_template = isinstance(template, str) and "%(slug)s" in template
    if not is_template or len(keys) < 2:
        yield Error(
            "GLOSSARY_PAYLOAD_KEY makes no key of a slug.",
            hint='Give a text with %(slug)s in it, for example "glossary-%(slug)s"; a '
            "percent sign of its own is written %%.",
            id="glossary.E008",
        )


def _api() -> Iterator[CheckMessage]:
    for name in ("GLOSSARY_API_CACHE", "GLOSSARY_PAGE_CACHE"):
        alias = getattr(settings, name, "default")
        if alias is not None and alias not in settings.CACHES:
            caches = ", ".join(settings.CACHES)
            yield Error(
                f"{name} names the cache {alias!r}, which there is not.",
                hint=f"Give one of {caches}, or None to keep nothing.",
                id="glossary.E009",
            )
    for name in _wrong_rates(getattr(settings, "GLOSSARY_API_RATES", {})):
        yield Error(
            f"GLOSSARY_API_RATES has {name} that cannot be read.",
            hint='It is, for example, {"search": "60/m", "graph": None}: a number of '
            "requests in a second, minute, hour or day (s, m, h, d), or None for no "
            f"limit. There are rates for {', '.join(DEFAULT_RATES)}.",
            id="glossary.E011",
        )
    if not isinstance(getattr(settings, "GLOSSARY_API_V3", True), bool):
        yield Error(
            "GLOSSARY_API_V3 is neither True nor False.",
            hint="True puts the endpoints on Wagtail's API v3, where that is used.",
            id="glossary.E017",
        )


def _wrong_rates(rates: Any) -> Iterator[str]:
    if rates is None:
        return
    if not isinstance(rates, Mapping):
        yield f"a value {rates!r}"
        return
    for name, rate in rates.items():
        is_rate = isinstance(rate, str) and re.fullmatch(r"[1-9][0-9]*/[smhd]", rate)
        if name not in DEFAULT_RATES or not (rate is None or is_rate):
            yield f"an entry {name!r}: {rate!r}"


def _purge() -> Iterator[CheckMessage]:
    try:
        configured()
    except ImproperlyConfigured as error:
        yield Error(
            str(error),
            hint="docs/reference/settings.md has what each back end needs.",
            id="glossary.E012",
        )


def _preview_url() -> Iterator[CheckMessage]:
    template = getattr(settings, "GLOSSARY_PREVIEW_URL", None)
    if template is not None and not _is_preview_url(template):
        yield Error(
            "GLOSSARY_PREVIEW_URL makes no address.",
            hint="Give an address with %(token)s in it, for example "
            '"https://www.example.com/glossary/%(slug)s?preview=%(token)s"; a percent '
            "sign of its own is written %%.",
            id="glossary.E013",
        )


def _is_preview_url(template: Any) -> bool:
    if not isinstance(template, str) or "%(token)s" not in template:
        return False
    names = ("token", "id", "slug", "glossary", "locale")
    try:
        url = template % dict.fromkeys(names, "x")
    except (TypeError, ValueError, KeyError):
        return False
    return url.startswith(("https://", "http://", "/"))


def _webhook_hosts() -> Iterator[CheckMessage]:
    hosts = getattr(settings, "GLOSSARY_WEBHOOK_HOSTS", ())
    is_list = isinstance(hosts, list | tuple | set | frozenset)
    if not is_list or not all(map(_is_host, hosts)):
        yield Error(
            "GLOSSARY_WEBHOOK_HOSTS is not a list of hosts.",
            hint='Give names in lower case, for example ["nuxt", "10.0.0.7:3000"].',
            id="glossary.E015",
        )


def _is_host(host: Any) -> bool:
    return isinstance(host, str) and bool(re.fullmatch(r"[^\sA-Z/@]+", host))


def _search_engines() -> Iterator[CheckMessage]:
    for name, effect in (
        ("GLOSSARY_NOINDEX_THIN", "asks search engines to leave out thin terms"),
        ("GLOSSARY_FAQ_STRUCTURED_DATA", "marks the questions of a term as a FAQPage"),
    ):
        if not isinstance(getattr(settings, name, True), bool):
            yield Error(
                f"{name} is neither True nor False.",
                hint=f"True {effect}.",
                id="glossary.E019",
            )


def _card_fonts() -> Iterator[CheckMessage]:
    for fault in _wrong_fonts(getattr(settings, "GLOSSARY_CARD_FONTS", {})):
        yield Error(
            f"GLOSSARY_CARD_FONTS has {fault}.",
            hint='It is a dictionary from codes of languages, in lower case, or "" '
            "for all others, to paths of TrueType or OpenType files, or to pairs of a "
            "regular and a bold one.",
            id="glossary.E020",
        )


def _wrong_fonts(fonts: Any) -> Iterator[str]:
    if not isinstance(fonts, Mapping):
        yield f"a value {fonts!r}"
        return
    for language, entry in fonts.items():
        is_pair = isinstance(entry, list | tuple) and len(entry) == 2
        paths = entry if is_pair else [entry]
        is_code = isinstance(language, str) and re.fullmatch(r"[a-z0-9-]*", language)
        if not is_code or not all(isinstance(path, str | Path) for path in paths):
            yield f"an entry {language!r}: {entry!r}"
            continue
        for path in paths:
            if not _is_font(path):
                yield f"for {language!r} a file that is no font: {str(path)!r}"


def _is_font(path: str | Path) -> bool:
    if not Path(path).is_file():
        return False
    try:
        Font(str(path)).at(PROBE_SIZE)
    except OSError:
        return False
    return True


def _card_colours() -> Iterator[CheckMessage]:
    for fault in _wrong_colours(getattr(settings, "GLOSSARY_CARD_COLOURS", {})):
        yield Error(
            f"GLOSSARY_CARD_COLOURS has {fault}.",
            hint='It is, for example, {"accent": "#0a5c66"}. There are colours for '
            f"{', '.join(DEFAULT_CARD_COLOURS)}.",
            id="glossary.E021",
        )


def _wrong_colours(colours: Any) -> Iterator[str]:
    if not isinstance(colours, Mapping):
        yield f"a value {colours!r}"
        return
    for name, colour in colours.items():
        is_colour = isinstance(colour, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", colour)
        if name not in DEFAULT_CARD_COLOURS or not is_colour:
            yield f"an entry {name!r}: {colour!r}"


def _time_zones() -> Iterator[CheckMessage]:
    if not settings.USE_TZ:
        yield Error(
            "The glossary needs USE_TZ.",
            hint="Turn it on: a time without its zone cannot be delivered.",
            id="glossary.E018",
        )
