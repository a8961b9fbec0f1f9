"""What a site can get wrong, told before it runs, each with a way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.functional import Promise

from .conf import SETTINGS


REQUIRED_APPS = (
    "modelcluster",
    "taggit",
    "wagtail",
    "wagtail.admin",
    "wagtail.documents",
    "wagtail.search",
    "wagtail.snippets",
)


@register()
def check_installed_apps(**kwargs: Any) -> list[CheckMessage]:
    return [*_missing_apps(), *_app_order()]


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    return [*_unknown_settings(), *_section_kinds(), *_file_size()]


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


def _file_size() -> Iterator[CheckMessage]:
    size = getattr(settings, "GLOSSARY_IMPORT_MAX_FILE_SIZE", 1)
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        yield Error(
            "GLOSSARY_IMPORT_MAX_FILE_SIZE is not a number of bytes.",
            hint="Give a whole number above 0, for example 2 * 1024 * 1024.",
            id="glossary.E004",
        )
