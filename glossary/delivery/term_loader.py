"""Terms in full: a hundred of them take no more queries than one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from ..models import RelatedTerm, TermLabel, TermLink, TermPage, TermTag
from ..visibility import TermReference, linked_targets
from .backlinks import Pointing, count_pointing, list_pointing
from .documents import (
    GlossaryReference,
    RichTextFormat,
    TermCard,
    TermCategory,
    TermDocument,
    TermMeta,
    TermTranslation,
)
from .links import Links
from .prepared import IDS, MORE_IDS, Prepared
from .prose import write_prose
from .public_pages import PublicPages, in_utc, own_columns, page_type, visible
from .scope import Scope, ScopeGlossary
from .structured_data import defined_term
from .term_streams import BLOCKS, TermStreams


Row: TypeAlias = dict[str, Any]
# Of each term, the rows of one kind that hang on it.
Rows: TypeAlias = dict[int, list[Any]]

# With include=backlinks, a term tells of so many; the rest is at an address of its own.
MOST_BACKLINKS = 100

_COLUMNS = (
    *("pk", "path", "content_type", "slug", "title", "translation_key"),
    *("first_published_at", "last_published_at", "locale__language_code"),
    *("heading", "short_definition", "category__slug", "category__name"),
)
_OPTIONAL_COLUMNS = ("show_in_menus", "seo_title", "search_description")


def load_terms(
    pks: Sequence[int],
    scope: Scope,
    links: Links,
    *,
    rich_text: RichTextFormat = "html",
    include: Collection[str] = frozenset(),
) -> list[TermDocument]:
    """The terms of these ids in this order, without those that are not public on the
    site. ``include`` adds ``backlinks``, at most 100 a term, and ``structured_data``.
    """
    pages = PublicPages(scope)
    rows = load_rows(pks, pages)
    if not rows:
        return []
    belongings = _load_belongings(rows)
    terms = Terms(rows, belongings, pages, with_backlinks="backlinks" in include)
    documents = []
    for pk in pks:
        if row := rows.get(pk):
            document = terms.document(row, links, rich_text)
            if "backlinks" in include:
                document["backlinks"] = terms.pointing[pk].backlinks(pages)
            if "structured_data" in include:
                document["structured_data"] = defined_term(document)
            documents.append(document)
    return documents


def load_cards(pks: Sequence[int], scope: Scope, links: Links) -> list[TermCard]:
    """The same of what a list shows of a term, which takes a fraction of the time: no
    stream is read, and nothing looked up that a text leads to."""
    pages = PublicPages(scope)
    rows = load_rows(pks, pages, with_streams=False)
    if not rows:
        return []
    cards = Cards(rows, _by_term(_tags(), rows), pages)
    return [cards.card(row, links) for pk in pks if (row := rows.get(pk))]


class Belongings(NamedTuple):
    """What hangs on each term, by the terms' ids and in its order."""

    links: Rows
    labels: Rows
    tags: Rows


class Cards:
    """Some terms with what a list shows of them, loaded in bulk."""

    def __init__(self, rows: Mapping[int, Row], tags: Rows, pages: PublicPages) -> None:
        self._tags = tags
        self._pages = pages
        self._load_pages(rows)

    def _load_pages(self, rows: Mapping[int, Row], others: Iterable[int] = ()) -> None:
        """Find the glossaries and the translations of the terms, and other pages."""
        self._pages.load(
            {*others, *(row["glossary"].pk for row in rows.values())},
            {row["translation_key"] for row in rows.values()},
        )
        self._translations: dict[UUID, list[TermTranslation]] = defaultdict(list)
        for page in sorted(self._pages.found.values(), key=attrgetter("locale", "pk")):
            if page.is_term:
                self._translations[page.translation_key].append(
                    {
                        "locale": page.locale,
                        "id": page.pk,
                        "slug": page.slug,
                        "html_url": page.url,
                    }
                )

    def card(self, row: Row, links: Links) -> TermCard:
        return {
            "id": row["pk"],
            "meta": self._meta(row, links),
            "title": row["title"],
            "heading": row["heading"],
            "short_definition": row["short_definition"],
            "category": category_of(row),
            "tags": sorted(name for [name] in self._tags[row["pk"]]),
        }

    def _meta(self, row: Row, links: Links) -> TermMeta:
        pk, slug, glossary = row["pk"], row["slug"], row["glossary"]
        key = row["translation_key"]
        return {
            "type": page_type(row["content_type"])[0],
            "detail_url": links.term(pk),
            "html_url": glossary.term_url(slug),
            "slug": slug,
            "show_in_menus": row.get("show_in_menus", False),
            "seo_title": row.get("seo_title", ""),
            "search_description": row.get("search_description", ""),
            "first_published_at": in_utc(row["first_published_at"]),
            "last_published_at": in_utc(row["last_published_at"]),
            "parent": self._parent(glossary, links),
            "locale": row["locale__language_code"],
            "translation_key": key,
            "translations": [
                other for other in self._translations[key] if other["id"] != pk
            ],
        }

    def _parent(
        self, glossary: ScopeGlossary, links: Links
    ) -> GlossaryReference | None:
        page = self._pages.found.get(glossary.pk)
        if page is None:  # hidden since the scope was made
            return None
        return {
            "id": page.pk,
            "meta": {
                "type": page.model,
                "detail_url": links.glossary(page.pk),
                "html_url": page.url,
            },
            "title": page.title,
        }


class Terms(Cards):
    """Some terms with all that belongs to them, loaded in bulk."""

    def __init__(
        self,
        rows: Mapping[int, Row],
        belongings: Belongings,
        pages: PublicPages,
        *,
        with_backlinks: bool,
    ) -> None:
        self._streams = {
            pk: TermStreams(*(row[name] for name in BLOCKS)) for pk, row in rows.items()
        }
        self._links, self._labels, tags = belongings
        self._related_terms = self._load_related_terms(rows)
        known_as = [
            related.pk
            for related in self._related_terms.values()
            if related.page_id in rows
        ]
        if with_backlinks:
            self.pointing = list_pointing(
                rows, known_as, pages.scope, limit=MOST_BACKLINKS
            )
        else:
            counts = count_pointing(rows, known_as, pages.scope)
            self.pointing = {pk: Pointing(counts.get(pk, 0)) for pk in rows}
        super().__init__(rows, tags, pages)

    def _load_related_terms(self, rows: Mapping[int, Row]) -> dict[int, _RelatedTerm]:
        """Those that the terms point at, and those that others point at them by."""
        pointed_at = {link[-1] for links in self._links.values() for link in links}
        for streams in self._streams.values():
            pointed_at.update(streams.related_terms())
        found = _related_terms().rows(pointed_at, rows)
        return {values[0]: _RelatedTerm(*values) for values in found}

    def _load_pages(self, rows: Mapping[int, Row], others: Iterable[int] = ()) -> None:
        """Find what all of it leads to, too, and where that is."""
        targets = {
            target
            for streams in self._streams.values()
            for text in streams.rich_texts()
            for target in linked_targets(text)
        }
        related_terms = self._related_terms.values()
        super()._load_pages(
            rows,
            [
                *others,
                *(pk for kind, pk in targets if kind == "page"),
                *(related.page_id for related in related_terms if related.page_id),
                *(pk for found in self.pointing.values() for pk in found.kinds),
            ],
        )
        self._addresses = self._pages.addresses(targets)

    def document(
        self, row: Row, links: Links, rich_text: RichTextFormat
    ) -> TermDocument:
        pk = row["pk"]
        streams = self._streams[pk]
        prose = partial(write_prose, rich_text=rich_text, addresses=self._addresses)
        return {
            **self.card(row, links),
            "explanation": streams.explanation(prose),
            "comparisons": streams.comparisons(prose, self._refer),
            "faq": streams.faq(prose),
            "related_features": streams.related_features(),
            "related_terms": [
                {"id": link, "kind": kind, "related_term": reference}
                for link, kind, related_term in self._links[pk]
                if (reference := self._refer(related_term))
            ],
            "labels": [
                {
                    "id": label,
                    "meta": {"type": "glossary.TermLabel"},
                    "text": text,
                    "kind": kind,
                    "case_rule": case_rule,
                }
                for label, text, kind, case_rule in self._labels[pk]
            ],
            "backlinks_count": self.pointing[pk].count,
        }

    def _refer(self, pk: int) -> TermReference | None:
        related = self._related_terms.get(pk)
        return self._pages.reference(*related) if related else None


class _RelatedTerm(NamedTuple):
    pk: int
    slug: str
    name: str
    page_id: int | None
    glossary_id: int


def load_rows(
    pks: Sequence[int], pages: PublicPages, *, with_streams: bool = True
) -> dict[int, Row]:
    """The terms' own columns, their streams as JSON, and the ``glossary`` of each."""
    rows: dict[int, Row] = {}
    names = _columns(with_streams)
    for values in _terms(pages.scope.roots, with_streams).rows(pks):
        row = dict(zip(names, values, strict=True))
        if glossary := pages.glossary_of(row["path"]):
            rows[row["pk"]] = {**row, "glossary": glossary}
    return rows


def load_labels(rows: Mapping[int, Row]) -> Rows:
    """The id, text, kind and case rule of each label."""
    return _by_term(_labels(), rows)


def category_of(row: Row) -> TermCategory | None:
    if row["category__slug"] is None:
        return None
    return {"slug": row["category__slug"], "name": row["category__name"]}


def _load_belongings(rows: Mapping[int, Row]) -> Belongings:
    return Belongings(
        _by_term(_links(), rows),
        load_labels(rows),
        _by_term(_tags(), rows),
    )


@lru_cache
def _columns(with_streams: bool) -> tuple[str, ...]:
    streams = BLOCKS if with_streams else ()
    return (*_COLUMNS, *own_columns(*_OPTIONAL_COLUMNS), *streams)


@lru_cache
def _terms(roots: tuple[str, ...], with_streams: bool) -> Prepared:
    # As text: Wagtail would make blocks of them.
    streams = {f"{name}_json": Cast(name, TextField()) for name in BLOCKS}
    columns = [
        f"{name}_json" if name in BLOCKS else name for name in _columns(with_streams)
    ]
    found = TermPage.objects.filter(visible(roots), pk__in=IDS).order_by()
    if with_streams:
        found = found.annotate(**streams)
    return Prepared(found.values_list(*columns))


@lru_cache
def _related_terms() -> Prepared:
    found = RelatedTerm.objects.filter(Q(pk__in=IDS) | Q(page__in=MORE_IDS))
    columns = ("pk", "slug", "name", "page", "glossary")
    return Prepared(found.order_by().values_list(*columns), IDS, MORE_IDS)


@lru_cache
def _links() -> Prepared:
    found = TermLink.objects.filter(term__in=IDS).order_by("sort_order", "pk")
    return Prepared(found.values_list("term", "pk", "kind", "related_term"))


@lru_cache
def _labels() -> Prepared:
    found = TermLabel.objects.filter(term__in=IDS).order_by("sort_order", "pk")
    return Prepared(found.values_list("term", "pk", "text", "kind", "case_rule"))


@lru_cache
def _tags() -> Prepared:
    found = TermTag.objects.filter(content_object__in=IDS)
    return Prepared(found.values_list("content_object", "tag__name"))


def _by_term(query: Prepared, terms: Collection[int]) -> Rows:
    """What hangs on each of the terms, in its order."""
    rows: Rows = defaultdict(list)
    for term, *values in query.rows(terms):
        rows[term].append(values)
    return rows
