"""Addresses of the files of glossaries and terms: include them before Wagtail's.

path("", include("glossary.site.urls")),
path("", include(wagtail_urls)),
"""

from __future__ import annotations

import re
from collections.abc import Collection

from django.apps import apps
from django.urls import URLPattern, re_path

from .files import FILES, page_file


def patterns(*, with_site_wide: bool) -> list[URLPattern]:
    """The addresses; without those of llms.txt at the root, they are left to another
    app also where a glossary is the home page."""
    at_root = FILES if with_site_wide else FILES.keys() - {"llms.txt", "llms-full.txt"}
    return [_pattern(r"(?:[\w\-]+/)+", FILES), _pattern("", at_root)]


def _pattern(folder: str, names: Collection[str]) -> URLPattern:
    either = "|".join(map(re.escape, names))
    return re_path(
        rf"^(?P<path>{folder})(?P<name>{either})$", page_file, name="glossary_page_file"
    )


urlpatterns = patterns(with_site_wide=not apps.is_installed("wagtail_machine_readable"))
