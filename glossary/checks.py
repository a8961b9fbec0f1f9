"""What a site can get wrong, told before it runs, each with a way out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.functional import Promise

from .conf import SETTINGS
from .payload.field_map import FieldMap, FieldMapError


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
"""The longest time that payloads can be kept for, beside for ever: a century."""


@register()
def check_installed_apps(**kwargs: Any) -> list[CheckMessage]:
    return [*_missing_apps(), *_app_order()]


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    return [
        *_unknown_settings(),
        *_section_kinds(),
        *_sizes(),
        *_field_map(),
        *_retention(),
        *_payload_key(),
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


def _sizes() -> Iterator[CheckMessage]:
    ids = {
        "GLOSSARY_IMPORT_MAX_FILE_SIZE": ("glossary.E004", "2 * 1024 * 1024"),
        "GLOSSARY_IMPORT_MAX_UPLOAD_SIZE": ("glossary.E005", "64 * 1024 * 1024"),
    }
    for name, (check, example) in ids.items():
        if not _is_whole_number(getattr(settings, name, 1)):
            yield Error(
                f"{name} is not a number of bytes.",
                hint=f"Give a whole number above 0, for example {example}.",
                id=check,
            )


def _retention() -> Iterator[CheckMessage]:
    days = getattr(settings, "GLOSSARY_IMPORT_RETENTION_DAYS", None)
    if days is not None and not _is_whole_number(days, MAX_DAYS):
        yield Error(
            "GLOSSARY_IMPORT_RETENTION_DAYS is not a number of days.",
            hint=f"Give a whole number from 1 to {MAX_DAYS}, or None to keep payloads "
            "for ever.",
            id="glossary.E006",
        )


def _is_whole_number(value: Any, highest: float = inf) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and 1 <= value <= highest


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
