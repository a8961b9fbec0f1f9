"""Which terms are in a list, and in which order.

Lists are made from the catalogue alone, by at most three queries, and from an index as
long as nothing but the glossary and the letter decides. What the terms say is loaded
afterwards, from their pages.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice, product
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from taggit.models import Tag

from ..alphabet import OTHER, letter_of
from ..models import Category, CategoryCount, LetterCount, PublicTerm, TermTag
from .rows import MAX_PARTS, Part, read_parts
from .scope import ScopeGlossary


# What each order sorts by. With "-" before it, it is the other way round.
ORDERS: Mapping[str, str] = {
    "title": "sort_key",
    "first_published_at": "first_published_at",
    "last_published_at": "last_published_at",
    "id": "term_id",
}
MAX_CURSOR = 1_000
LARGEST_ID = 2**62
# Every database and time zone can tell the times of these years.
YEARS = range(1900, 9000)


class CursorError(ValueError):
    """The cursor is damaged, or was given out for another order."""


@dataclass(frozen=True, slots=True)
class TermQuery:
    """Which terms are asked for. Several values of one field mean any of them; what is
    empty asks for nothing.

    ``glossaries`` are those of the wanted language and of the languages in
    ``fallback``: a term in one of these counts only if neither the wanted language nor
    one earlier in ``fallback`` has its translation.
    """

    glossaries: tuple[ScopeGlossary, ...]
    categories: tuple[str, ...] = ()
    """Slugs."""
    tags: tuple[str, ...] = ()
    """Names."""
    letters: tuple[str, ...] = ()
    slugs: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    updated_after: datetime | None = None
    order: str = "title"
    """One of ``ORDERS``, with "-" before it or not."""
    fallback: tuple[str, ...] = ()
    """Language codes, the best first."""


class Listing(NamedTuple):
    """A part of a list; the cursors lead to the parts beside it."""

    pks: list[int]
    total: int
    """How many terms the whole list has."""
    next_cursor: str | None
    prev_cursor: str | None


class Ground(NamedTuple):
    """Where in a glossary the terms stand that are asked for."""

    glossary_id: int
    letters: tuple[str, ...] | None
    """Any of these; None if it does not matter, as with the categories."""
    category_ids: tuple[int, ...] | None
    better: tuple[int, ...]
    """Glossaries in languages that come before this one's."""

    def places(self) -> Iterator[Ground]:
        """Its parts that stand together in an index."""
        letters = [None] if self.letters is None else self.letters
        categories = [None] if self.category_ids is None else self.category_ids
        for letter, category in product(letters, categories):
            yield self._replace(
                letters=None if letter is None else (letter,),
                category_ids=None if category is None else (category,),
            )


class Position(NamedTuple):
    """Where a part of a list begins: behind a term, or before it (``backwards``)."""

    order: str
    backwards: bool
    key: bytes | datetime | None
    pk: int

    def beside(self) -> Position:
        """What lies the other way, with the term at this position."""
        descending = self.order.startswith("-") != self.backwards
        pk = self.pk - 1 if descending else self.pk + 1
        return self._replace(backwards=not self.backwards, pk=pk)


def list_terms(
    query: TermQuery, *, limit: int, offset: int = 0, cursor: str | None = None
) -> Listing:
    """A part of the list of all terms that are asked for: ``limit`` of them, behind the
    first ``offset`` or from ``cursor`` on. Raises a CursorError.

    What a cursor leads to stays the same while terms before it come and go.
    """
    order = query.order if query.order.removeprefix("-") in ORDERS else "title"
    position = _read_cursor(cursor, order) if cursor else None
    grounds = _grounds(query)
    total = _total(query, grounds)
    if limit <= 0:
        return Listing([], total, None, None)
    offset = 0 if position else min(max(offset, 0), LARGEST_ID)
    backwards = position is not None and position.backwards
    rows = _rows(query, grounds, order, position, limit=limit + 1, offset=offset)
    more = len(rows) > limit
    rows = rows[:limit][:: -1 if backwards else 1]

    before = after = None
    if rows:
        before = _write_cursor(Position(order, True, *_ends(order, rows[0])))
        after = _write_cursor(Position(order, False, *_ends(order, rows[-1])))
    elif position:
        beside = _write_cursor(position.beside())
        before, after = (None, beside) if backwards else (beside, None)
    has_before = more if backwards else bool(position or offset)
    has_after = bool(position) if backwards else more
    return Listing(
        [pk for pk, _key in rows],
        total,
        after if has_after else None,
        before if has_before else None,
    )


def public_terms(query: TermQuery) -> QuerySet[PublicTerm]:
    """All that are asked for, in no order; by one more query if categories are."""
    return _filtered(query).filter(_anywhere(_grounds(query)))


# --- Grounds


def _grounds(query: TermQuery) -> list[Ground]:
    categories = _categories(query)
    by_language: dict[str, list[ScopeGlossary]] = defaultdict(list)
    for glossary in query.glossaries:
        is_fallback = glossary.locale in query.fallback
        by_language[glossary.locale if is_fallback else ""].append(glossary)
    found: list[Ground] = []
    better: tuple[int, ...] = ()
    for language in ("", *dict.fromkeys(query.fallback)):
        glossaries = by_language.get(language, [])
        found += [
            Ground(
                glossary.pk,
                _letters(query.letters, glossary.locale),
                categories,
                better,
            )
            for glossary in glossaries
        ]
        better = (*better, *(glossary.pk for glossary in glossaries))
    return [ground for ground in found if () not in ground[1:3]]


def _categories(query: TermQuery) -> tuple[int, ...] | None:
    """The ids of the categories; None if none was asked for."""
    if not query.categories:
        return None
    # Of whatever language: a glossary may be translated before its categories are.
    used = CategoryCount.objects.filter(
        glossary__in=[glossary.pk for glossary in query.glossaries], terms__gt=0
    )
    slugs = storable(query.categories)
    known = Category.objects.filter(slug__in=slugs, pk__in=used.values("category"))
    return tuple(known.order_by("pk").values_list("pk", flat=True))


def _letters(wanted: Iterable[str], language: str) -> tuple[str, ...] | None:
    """Those letters of the language that are meant; None if none was asked for."""
    texts = list(dict.fromkeys(wanted))
    if not texts:
        return None
    found: dict[str, None] = {}
    for text in texts:
        letter = letter_of(text, language)
        is_meant = letter.casefold() == text.casefold() or len(text) == 1
        if text == OTHER or (is_meant and letter != OTHER):
            found[letter] = None
    return tuple(found)


def _anywhere(grounds: Iterable[Ground]) -> Q:
    # No more conditions than languages, whatever was asked for.
    grouped: dict[Ground, list[int]] = defaultdict(list)
    for ground in grounds:
        grouped[ground._replace(glossary_id=0)].append(ground.glossary_id)
    anywhere = Q(pk__in=[])
    for ground, glossaries in grouped.items():
        anywhere |= Q(glossary__in=glossaries) & _at(ground)
    return anywhere


def _at(ground: Ground) -> Q:
    """What holds of the terms there, besides their glossary."""
    at = Q()
    if ground.letters is not None:
        at &= Q(letter__in=ground.letters)
    if ground.category_ids is not None:
        at &= Q(category__in=ground.category_ids)
    if ground.better:
        translations = PublicTerm.objects.filter(
            glossary__in=ground.better,
            term__translation_key=OuterRef("term__translation_key"),
        )
        at &= ~Q(Exists(translations))
    return at


# --- Filters


def _filtered(query: TermQuery) -> QuerySet[PublicTerm]:
    terms = PublicTerm.objects.all()
    if query.tags:
        tags = Tag.objects.filter(name__in=storable(query.tags))
        tagged = TermTag.objects.filter(tag__in=tags)
        terms = terms.filter(pk__in=tagged.values("content_object_id"))
    if query.slugs:
        terms = terms.filter(slug__in=storable(query.slugs))
    if query.ids:
        terms = terms.filter(pk__in={pk for pk in query.ids if 0 < pk < LARGEST_ID})
    if query.updated_after:
        since = _storable_time(query.updated_after)
        terms = terms.filter(last_published_at__gt=since)
    return terms


def storable(texts: Iterable[str]) -> set[str]:
    """Those that a database can hold: it knows no NUL and no half of a surrogate
    pair."""
    return {
        text
        for text in texts
        if "\0" not in text and text == text.encode(errors="ignore").decode()
    }


def _storable_time(time: datetime) -> datetime:
    if time.year < YEARS[0]:
        return datetime(YEARS[0], 1, 1, tzinfo=UTC)
    if time.year > YEARS[-1]:
        return datetime(YEARS[-1], 12, 31, tzinfo=UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _total(query: TermQuery, grounds: list[Ground]) -> int:
    filters = (query.categories, query.tags, query.slugs, query.ids)
    has_better = any(ground.better for ground in grounds)
    if any(filters) or query.updated_after or has_better:
        return _filtered(query).filter(_anywhere(grounds)).count()
    # Those of each letter are counted already.
    counts = LetterCount.objects.filter(_anywhere(grounds))
    return counts.aggregate(total=Sum("terms"))["total"] or 0


# --- Rows


def _rows(
    query: TermQuery,
    grounds: list[Ground],
    order: str,
    position: Position | None,
    *,
    limit: int,
    offset: int,
) -> list[tuple[int, Any]]:
    """The id of each term, and what it is sorted by."""
    backwards = position is not None and position.backwards
    descending = order.startswith("-") != backwards
    field = ORDERS[order.removeprefix("-")]
    terms: QuerySet[Any, Any] = _filtered(query)
    if position:
        terms = terms.filter(_beyond(position, field, descending))
    sign = "-" if descending else ""
    terms = terms.values_list("pk", field).order_by(f"{sign}{field}", f"{sign}pk")
    end = offset + limit
    every = chain.from_iterable(ground.places() for ground in grounds)
    places = list(islice(every, MAX_PARTS + 1))
    # Too many parts are sorted together, not merged from the index. Merged, times come
    # as each database has them.
    if len(places) > MAX_PARTS or (len(places) > 1 and field != "sort_key"):
        return list(terms.filter(_anywhere(grounds))[offset:end])
    parts = [terms.filter(_at(place), glossary=place.glossary_id) for place in places]
    if len(parts) == 1:
        return list(parts[0][offset:end])
    direction = "DESC" if descending else "ASC"
    return read_parts(
        PublicTerm,
        list(_in_sql(part[:end] for part in parts)),
        f"ORDER BY 2 {direction}, 1 {direction} LIMIT {limit} OFFSET {offset}",
    )


def _in_sql(parts: Iterable[QuerySet[Any, Any]]) -> Iterator[Part]:
    for part in parts:
        with suppress(EmptyResultSet):
            yield Part(*part.query.get_compiler(part.db).as_sql())


def _beyond(position: Position, field: str, descending: bool) -> Q:
    beyond = "lt" if descending else "gt"
    behind_it = Q(**{f"pk__{beyond}": position.pk})
    if field == "term_id":
        return behind_it
    further = Q(**{f"{field}__{beyond}": position.key})
    # The first condition says nothing new, but lets an index begin there.
    return Q(**{f"{field}__{beyond}e": position.key}) & (further | behind_it)


# --- Cursors


def _ends(order: str, row: tuple[int, Any]) -> tuple[bytes | datetime | None, int]:
    pk, key = row
    if order.removeprefix("-") == "id":
        return None, pk
    return (key if isinstance(key, datetime) else bytes(key)), pk


def _write_cursor(position: Position) -> str:
    order, backwards, key, pk = position
    text = key.hex() if isinstance(key, bytes) else key and key.isoformat()
    data = json.dumps([order, backwards, text, pk], separators=(",", ":"))
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, order: str) -> Position:
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError("too long")
        data = base64.b64decode(f"{cursor}==", altchars=b"-_", validate=False)
        found, backwards, text, pk = json.loads(data)
        if found != order or type(backwards) is not bool or type(pk) is not int:
            raise ValueError("not for this order")
        if abs(pk) > LARGEST_ID:
            raise ValueError("no id")
        return Position(order, backwards, _read_key(text, order), pk)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CursorError(
            "The cursor is damaged or belongs to another list."
        ) from error


def _read_key(text: Any, order: str) -> bytes | datetime | None:
    match order.removeprefix("-"):
        case "title":
            return bytes.fromhex(text)
        case "id":
            if text is not None:
                raise ValueError("an id has no key")
            return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None or time.year not in YEARS:
        raise ValueError("no such time")
    return time.astimezone(UTC)  # PostgreSQL knows fewer offsets
