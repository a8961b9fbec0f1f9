"""Addresses of details, as the documents at the addresses of pages give them; whether
the files of pages have any."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from ..delivery.links import Links, api_links
from ..delivery.scope import Scope


@dataclass(frozen=True, slots=True)
class PageLinks:
    """The pages themselves, as JSON. A document is about one term, or its links are
    not read."""

    scope: Scope
    term_url: str | None

    def term(self, pk: int) -> str:
        return _as_json(self.term_url)

    def category(self, slug: str) -> str:
        return ""

    def glossary(self, pk: int) -> str:
        glossary = self.scope.glossary(pk)
        return _as_json(glossary.url if glossary else None)


def _as_json(url: str | None) -> str:
    return f"{url}?format=json" if url else ""


def page_links(scope: Scope, term_url: str | None = None) -> Links:
    """Those of the API, so that a document equals the API's; of the pages, where the
    site has no API of ours."""
    return api_links(scope) or PageLinks(scope, term_url)


def has_files() -> bool:
    """Whether the site has the addresses of ``glossary.site.urls``."""
    try:
        reverse("glossary_page_file", args=["", "index.md"])
    except NoReverseMatch:
        return False
    return True
