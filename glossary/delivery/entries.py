"""The entries of a glossary's lists: terms, and labels that lead to one.

A list is read from an index of the catalogue, a bounded number of entries at a time,
however many there are. What an entry says of its term is read from the term's page,
which has to be public there and then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import QuerySet

from ..alphabet import sort_key
from ..models import PublicName, PublicTag, PublicTerm, TermPage
from .prepared import IDS, Prepared
from .public_pages import visible
from .scope import Scope, ScopeGlossary
from .standings import SHOWN_KINDS, UNKNOWN


# How many entries a part of a list has.
PART = 100
# No longer name than this is looked for.
LONGEST_NAME = 255
# So many of the terms that were changed last are looked at for those that were not
# only published then.
LATEST = 40

TITLE = PublicName.Kind.TITLE


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list: a term, or a label that leads to one (``see`` is its title)."""

    pk: int
    """That of the term."""
    name: str
    letter: str
    url: str
    """The address of the term; a path on the site itself."""
    definition: str
    category: str
    """The name of its category, and the slug; empty without one."""
    category_slug: str
    see: str
    published: datetime | None
    """When the term was first published, and when it was last."""
    changed: datetime | None


class Part(NamedTuple):
    """A part of a list, in the order of the alphabet. ``previous`` and ``next`` are the
    names that the parts beside it begin with; None at the ends of the list."""

    entries: list[Entry]
    previous: str | None = None
    next: str | None = None


class Line(NamedTuple):
    """What an entry is made from: a name of the term ``pk``."""

    pk: int
    name: str
    is_label: bool
    letter: str
    sort_key: bytes


def of_glossary(scope: Scope, glossary: ScopeGlossary, *, most: int) -> list[Entry]:
    """All entries of a glossary that has no more than this many."""
    names = _names(glossary).order_by("sort_key", "pk")
    return _entries(scope, glossary, [*_read(names[:most])])


def of_letter(
    scope: Scope, glossary: ScopeGlossary, letter: str, *, start: str = ""
) -> Part:
    """The entries under a letter, from the name ``start`` on."""
    names = _names(glossary).filter(letter=letter)
    return _part(scope, glossary, names, start)


def of_category(
    scope: Scope,
    glossary: ScopeGlossary,
    categories: Collection[int],
    *,
    start: str = "",
) -> Part:
    """The terms of a category, by its ids, from the name ``start`` on."""
    terms = PublicTerm.objects.filter(glossary=glossary.pk, category__in=categories)
    return _part(scope, glossary, terms, start)


def of_tag(scope: Scope, glossary: ScopeGlossary, tag: int, *, start: str = "") -> Part:
    """The terms with a tag, by its id, from the name ``start`` on."""
    tagged = PublicTag.objects.filter(glossary=glossary.pk, tag=tag)
    return _part(scope, glossary, tagged, start)


def of_terms(scope: Scope, glossary: ScopeGlossary, pks: Sequence[int]) -> list[Entry]:
    """The terms of these ids, in this order."""
    lines = {line.pk: line for line in _read(_terms(glossary).filter(pk__in=pks))}
    return _entries(scope, glossary, [lines[pk] for pk in pks if pk in lines])


def newest(scope: Scope, glossary: ScopeGlossary, most: int) -> list[Entry]:
    """The terms that were published last."""
    terms = _terms(glossary).filter(first_published_at__gt=UNKNOWN)
    latest = terms.order_by("-first_published_at", "-pk")[:most]
    return _entries(scope, glossary, [*_read(latest)])


def changed(scope: Scope, glossary: ScopeGlossary, most: int) -> list[Entry]:
    """The terms that were changed last since they were published: of the latest 40."""
    latest = _terms(glossary).order_by("-last_published_at", "-pk")[:LATEST]
    rows = latest.values_list("pk", "first_published_at", "last_published_at")
    pks = [pk for pk, first, last in rows if last.date() > first.date()][:most]
    return of_terms(scope, glossary, pks) if pks else []


def beside(
    scope: Scope, glossary: ScopeGlossary, pk: int
) -> tuple[Entry | None, Entry | None]:
    """The terms before and after one in the alphabet."""
    own = PublicTerm.objects.filter(pk=pk, glossary=glossary.pk)
    key = next(iter(own.values_list("sort_key", flat=True)), None)
    if key is None:
        return None, None
    key = bytes(key)
    terms = _terms(glossary)
    earlier = terms.filter(sort_key__lte=key).exclude(sort_key=key, pk__gte=pk)
    later = terms.filter(sort_key__gte=key).exclude(sort_key=key, pk__lte=pk)
    before = [*_read(earlier.order_by("-sort_key", "-pk")[:1])]
    after = [*_read(later.order_by("sort_key", "pk")[:1])]
    found = {entry.pk: entry for entry in _entries(scope, glossary, before + after)}
    previous, following = (
        next((found.get(line.pk) for line in lines), None) for lines in (before, after)
    )
    return previous, following


# --- Lines


def _names(glossary: ScopeGlossary) -> QuerySet[PublicName]:
    """What stands in the A to Z."""
    return PublicName.objects.filter(
        glossary=glossary.pk, kind__in=[TITLE, *sorted(SHOWN_KINDS)]
    )


def _terms(glossary: ScopeGlossary) -> QuerySet[PublicTerm]:
    return PublicTerm.objects.filter(glossary=glossary.pk)


def _read(rows: QuerySet[Any]) -> Iterable[Line]:
    if rows.model is PublicName:
        for pk, name, kind, letter, key in rows.values_list(
            "public_term_id", "text", "kind", "letter", "sort_key"
        ):
            yield Line(pk, name, kind != TITLE, letter, bytes(key))
        return
    own = "" if rows.model is PublicTerm else "public_term__"
    columns = (f"{own}pk", f"{own}title", f"{own}letter", "sort_key")
    for pk, name, letter, key in rows.values_list(*columns):
        yield Line(pk, name, False, letter, bytes(key))


def _part(
    scope: Scope, glossary: ScopeGlossary, rows: QuerySet[Any], start: str
) -> Part:
    """As many entries as fit, from the name ``start`` on. Names that are the same stand
    in one part, so that a name is enough to tell where a part begins."""
    key = sort_key(start[:LONGEST_NAME], glossary.locale) if start else b""
    own = "public_term_id" if rows.model is PublicTag else "pk"
    onwards = rows.filter(sort_key__gte=key) if key else rows
    lines, rest = _cut([*_read(onwards.order_by("sort_key", own)[: PART + 1])])
    following = rest[0].name if rest else None
    if rest and rest[0].sort_key == lines[0].sort_key:
        # As many of one name as never are: the others are left to the search.
        further = rows.filter(sort_key__gt=rest[0].sort_key)
        after = [*_read(further.order_by("sort_key", own)[:1])]
        following = after[0].name if after else None
    previous = None
    if key:
        earlier = rows.filter(sort_key__lt=key)
        before, _ = _cut([*_read(earlier.order_by("-sort_key", f"-{own}")[: PART + 1])])
        previous = before[-1].name if before else None
    return Part(_entries(scope, glossary, lines), previous, following)


def _cut(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """The first lines of a part and the others, none of which has the last name of the
    first ones, unless all have it."""
    first, rest = lines[:PART], lines[PART:]
    if rest:
        fitting = [line for line in first if line.sort_key != rest[0].sort_key]
        first = fitting or first
    return first, lines[len(first) :]


# --- Entries


def _entries(
    scope: Scope, glossary: ScopeGlossary, lines: Sequence[Line]
) -> list[Entry]:
    if not lines:
        return []
    pks = list(dict.fromkeys(line.pk for line in lines))
    found = {}
    for pk, title, slug, path, *rest in _pages(scope.roots).rows(pks):
        # It may have been moved since its line was read.
        if path[: -TermPage.steplen] == glossary.path:
            found[pk] = title, slug, *rest
    entries = []
    for line in lines:
        if line.pk not in found:
            continue
        title, slug, definition, first, last, category, category_slug = found[line.pk]
        entries.append(
            Entry(
                line.pk,
                line.name if line.is_label else title,
                line.letter,
                scope.path(glossary.term_url(slug)) or "",
                definition,
                category or "",
                category_slug or "",
                title if line.is_label else "",
                first,
                last,
            )
        )
    return entries


@lru_cache
def _pages(roots: tuple[str, ...]) -> Prepared:
    found = TermPage.objects.filter(visible(roots), pk__in=IDS).order_by()
    columns = found.values_list(
        *("pk", "title", "slug", "path", "short_definition"),
        *("first_published_at", "last_published_at"),
        *("category__name", "category__slug"),
    )
    return Prepared(columns, IDS)
