"""Who a term points at, and which of them may be seen, for many terms at once.

Prefetch ``related_terms`` for more than one page. The pages are for reading
afterwards: no link and no comparison of theirs needs a query of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wagtail.blocks import StreamValue

from ..models import RelatedTerm, TermPage
from ..visibility import Visibility


def load_references(pages: Sequence[TermPage]) -> Visibility:
    """Load all related terms that the pages point at, for anyone to read:
    ``RelatedTerm.public_page`` is the page only if anyone may see it. Returns what
    also answers for the links in their rich texts."""
    visibility = Visibility()
    for related_term in _load(pages, visibility):
        related_term.public_page = visibility.find("page", related_term.page_id)
    return visibility


def load_for_reader(pages: Sequence[TermPage], visibility: Visibility) -> None:
    """Load all related terms that the pages point at, and let ``visibility`` look up
    what they and the rich texts lead to."""
    _load(pages, visibility)


def _load(pages: Sequence[TermPage], visibility: Visibility) -> Iterable[RelatedTerm]:
    known = _load_related_terms(pages)
    targets = {related_term.page_id for related_term in known}
    targets |= {related_term.glossary_id for related_term in known}
    visibility.load(
        (text for page in pages for text in page.rich_texts()), pages=targets - {None}
    )
    return known


def _load_related_terms(pages: Sequence[TermPage]) -> list[RelatedTerm]:
    links = {page.pk: list(page.related_terms.all()) for page in pages}
    pks = {link.related_term_id for rows in links.values() for link in rows}
    pks.update(pk for page in pages for pk in _compared(page))
    known = RelatedTerm.objects.in_bulk(pks)
    for page in pages:
        for link in links[page.pk]:
            link.related_term = known[link.related_term_id]
        page.related_terms.set(links[page.pk])
        _fill_comparisons(page, known)
    return list(known.values())


def _compared(page: TermPage) -> Iterable[int]:
    for child in page.comparisons.raw_data:
        if pk := child["value"].get("related_term"):
            yield pk


def _fill_comparisons(page: TermPage, known: dict[int, RelatedTerm]) -> None:
    """Convert the comparisons as Wagtail would, but without a query a page."""
    stream_block = page.comparisons.stream_block
    children: list[tuple[str, Any, str | None]] = []
    for raw in page.comparisons.raw_data:
        if block := stream_block.child_blocks.get(raw["type"]):
            value = block.to_python({**raw["value"], "related_term": None})
            value["related_term"] = known.get(raw["value"].get("related_term"))
            children.append((raw["type"], value, raw.get("id")))
    page.comparisons = StreamValue(stream_block, children)
