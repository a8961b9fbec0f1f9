"""One term in the shape of the old site's payloads, for its front end to fetch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wagtail.query import PageQuerySet

from ..models import TermPage
from .payload import export_payload, payload_record
from .selection import LoadedTerm, Selection


Made = TypeVar("Made")


def payload_of(pk: int, pages: PageQuerySet) -> bytes | None:
    """The payload of a term, as an export of its glossary writes it.

    ``pages`` are those that whoever asks may see: None if the term or its glossary is
    not among them, and nothing in it tells of any other.
    """
    return _made(pk, pages, export_payload)


def record_of(pk: int, pages: PageQuerySet) -> dict[str, Any] | None:
    """The record in that payload, in plain JSON: its fields, in its order."""
    return _made(pk, pages, payload_record)


def _made(
    pk: int, pages: PageQuerySet, make: Callable[[LoadedTerm], Made]
) -> Made | None:
    terms = TermPage.objects.visible().filter(pk__in=pages.filter(pk=pk).values("pk"))
    page = terms.first()
    glossary = pages.parent_of(page).first() if page else None
    if glossary is None:
        return None
    selection = Selection(glossary, terms, public_pages=pages.all)
    return next((make(loaded) for loaded in selection), None)
