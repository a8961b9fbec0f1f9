"""Who a term points at, and which of them may be seen, for many terms at once.

Prefetch ``related_terms`` for more than one page. The pages are for reading
afterwards: no link and no comparison of theirs needs a query of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wagtail.blocks import StreamValue

from ..models import GlossaryPage, RelatedTerm, TermPage
from ..visibility import Visibility
from .scope import Scope


def load_references(pages: Sequence[TermPage], scope: Scope | None) -> Visibility:
    """Load all related terms that the pages point at, for anyone to read on the site of
    ``scope``, or on any: ``RelatedTerm.public_page`` is the page only if anyone may
    see it there, and ``is_secret`` tells that not even its name is to be told. Returns
    what also answers for the links in their rich texts."""
    visibility = Visibility()
    known = _load(pages, visibility)
    # Whoever is shown a page may be told what its own glossary knows.
    places = {page.path[: -page.steplen] for page in pages if page.path}
    own = set(
        GlossaryPage.objects.filter(path__in=places).values_list("pk", flat=True)
        if any(item.page_id is None for item in known)
        else ()
    )

    def shown(pk: int | None) -> Any:
        page = visibility.find("page", pk)
        is_here = scope is None or (page and page.path.startswith(scope.roots))
        return page if is_here else None

    for related_term in known:
        related_term.public_page = shown(related_term.page_id)
        is_wanted = related_term.page_id is None and (
            related_term.glossary_id in own or shown(related_term.glossary_id)
        )
        related_term.is_secret = not (related_term.public_page or is_wanted)
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
