"""Where the card of a page is."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest

from ...models import GlossaryPage, TermPage
from ..links import has_files


CARD_FILE: Final = "card.png"


def card_url(page: GlossaryPage | TermPage, request: HttpRequest | None = None) -> str:
    """The full address of the card of a page; empty if it has none, because the site
    does without ``glossary.site.urls`` or the page belongs to no site."""
    url = page.get_full_url(request) if has_files() else None
    return f"{url.rstrip('/')}/{CARD_FILE}" if url else ""
