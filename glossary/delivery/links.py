"""Addresses of the details that a document refers to, on the transport in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from .scope import Scope


class Links(Protocol):
    """Absolute addresses; each transport has its own."""

    def term(self, pk: int) -> str: ...

    def category(self, slug: str) -> str: ...

    def glossary(self, pk: int) -> str: ...


@dataclass(frozen=True, slots=True)
class ApiLinks:
    """Where the details are below ``base``, the full address of our API."""

    base: str

    def term(self, pk: int) -> str:
        return f"{self.base}terms/{pk}/"

    def category(self, slug: str) -> str:
        return f"{self.base}categories/{quote(slug)}/"

    def glossary(self, pk: int) -> str:
        return f"{self.base}glossaries/{pk}/"

    def changes(self, after: int) -> str:
        """Where the change feed begins behind a number."""
        return f"{self.base}changes/?afterChangeNumber={after}"


def api_links(scope: Scope) -> ApiLinks | None:
    """Those of our API on a site, if the site has it."""
    try:
        root = reverse("glossary_api:api-root")
    except NoReverseMatch:
        return None
    return ApiLinks(api_address(scope, root))


def api_address(scope: Scope, path: str) -> str:
    """The full address of something on an API of the site."""
    # As Wagtail's get_full_url(), which asks the database for the site.
    base = getattr(settings, "WAGTAILAPI_BASE_URL", None) or scope.root_url
    return base.rstrip("/") + path
