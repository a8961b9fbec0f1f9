"""Who a term points at, and which of them anyone may see, for many terms at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wagtail.blocks import StreamValue

from ..models import RelatedTerm, TermPage


def load_references(pages: Sequence[TermPage]) -> None:
    """Load, in a fixed number of queries, all related terms that the pages point at.

    Afterwards no link and no comparison of theirs needs a query of its own, and
    ``RelatedTerm.public_page`` is the page only if anyone may see it. Prefetch
    ``related_terms`` for more than one page.
    """
    links = {page.pk: list(page.related_terms.all()) for page in pages}
    pks = {link.related_term_id for rows in links.values() for link in rows}
    pks.update(pk for page in pages for pk in _compared(page))
    known = RelatedTerm.objects.in_bulk(pks)
    visible = (
        TermPage.objects.visible()
        .filter(pk__in={related_term.page_id for related_term in known.values()})
        .in_bulk()
    )
    for related_term in known.values():
        related_term.public_page = visible.get(related_term.page_id)
    for page in pages:
        for link in links[page.pk]:
            link.related_term = known[link.related_term_id]
        page.related_terms.set(links[page.pk])
        _fill_comparisons(page, known)


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
