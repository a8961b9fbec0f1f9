"""A glossary at a glance: its letters, categories and terms, as anyone may see them."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_uppercase
from typing import NamedTuple

from django.http import HttpRequest

from ..managers import TermPageQuerySet
from ..models import Category, GlossaryPage, TermLabel, TermPage


OTHER = "#"
# Above this a reader gets one letter at a time.
ONE_PAGE = 200
# The kinds of label that readers see; the others only help to find a term.
SHOWN_LABELS = (TermLabel.Kind.SYNONYM, TermLabel.Kind.ABBREVIATION)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the A to Z: a term, or a label that leads to one (``see``)."""

    name: str
    url: str
    definition: str = ""
    category: str = ""
    see: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, how many lines it has (terms, and labels that lead to one), and those
    of them that are to be shown."""

    name: str
    count: int
    entries: tuple[Entry, ...] = ()

    @property
    def anchor(self) -> str:
        return "letter-other" if self.name == OTHER else f"letter-{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class Overview:
    letters: tuple[Letter, ...]
    categories: tuple[Category, ...]
    """Those with terms, each with ``term_count``."""
    category: Category | None
    """The one that the reader asked for."""
    count: int
    """How many terms there are, in that category if one is asked for."""
    selected_letter: str | None
    """The only letter that is shown, in a large glossary or when asked for."""

    @property
    def shown(self) -> tuple[Letter, ...]:
        return tuple(letter for letter in self.letters if letter.entries)

    @property
    def fits_one_page(self) -> bool:
        """Whether all letters are shown when none is asked for."""
        return self.count <= ONE_PAGE


class Line(NamedTuple):
    """What an entry is made from: a name of the term ``pk``."""

    letter: str
    name: str
    pk: int
    is_label: bool


def letter_of(name: str) -> str:
    """The letter that a name stands under: without its accent, ``#`` for the rest."""
    first = unicodedata.normalize("NFKD", name.strip()).upper()[:1]
    return first if first.isalpha() else OTHER


def glossary_overview(glossary: GlossaryPage, request: HttpRequest) -> Overview:
    """What the page of a glossary shows; ``?category=`` and ``?letter=`` narrow it.

    An unknown category or letter is as if none was asked for. A glossary that is not
    yet stored, as in a preview, has no terms.
    """
    terms = TermPage.objects.none()
    if glossary.path:
        terms = TermPage.objects.in_glossary(glossary).visible()
    categories = tuple(
        Category.objects.with_term_count(terms)
        .filter(term_count__gt=0)
        .order_by("sort_order", "name", "pk")
    )
    wanted = request.GET.get("category")
    category = next((item for item in categories if item.slug == wanted), None)
    if category:
        terms = terms.filter(category=category)

    lines = _lines(terms)
    counts = Counter(line.letter for line in lines)
    count = sum(not line.is_label for line in lines)
    letters = _alphabet(counts)
    selected = request.GET.get("letter", "").upper()
    if selected not in counts:
        selected = next(filter(counts.get, letters), "") if count > ONE_PAGE else ""
    if selected:
        lines = [line for line in lines if line.letter == selected]
        terms = terms.filter(pk__in={line.pk for line in lines})
    entries = _entries(lines, terms, request)
    return Overview(
        letters=tuple(
            Letter(name, counts[name], tuple(entries[name])) for name in letters
        ),
        categories=categories,
        category=category,
        count=count,
        selected_letter=selected or None,
    )


def _lines(terms: TermPageQuerySet) -> list[Line]:
    """Every name that leads to one of the terms, in the order of the alphabet."""
    labels = TermLabel.objects.filter(term__in=terms, kind__in=SHOWN_LABELS)
    lines = [
        Line(letter_of(name), name, pk, is_label)
        for is_label, rows in (
            (False, terms.values_list("title", "pk")),
            (True, labels.values_list("text", "term_id")),
        )
        for name, pk in rows
    ]
    return sorted(lines, key=lambda line: (_sort_key(line.name), line.pk))


def _sort_key(name: str) -> str:
    """An accent decides nothing: é stands with e, not behind z."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(filter(lambda char: not unicodedata.combining(char), decomposed))


def _alphabet(counts: Counter[str]) -> list[str]:
    """The letters in order, ``#`` last: all of A to Z where most names use it, of
    other scripts those with names."""
    latin = counts.keys() & {*ascii_uppercase}
    if 2 * sum(counts[letter] for letter in latin) > counts.total():
        latin = {*ascii_uppercase}
    letters = sorted(latin | counts.keys() - {OTHER})
    return [*letters, OTHER] if OTHER in counts else letters


def _entries(
    lines: Iterable[Line], terms: TermPageQuerySet, request: HttpRequest
) -> dict[str, list[Entry]]:
    """What to show of each line, by letter."""
    pages = terms.select_related("category").defer_streamfields().in_bulk()
    entries = defaultdict(list)
    for line in lines:
        # It may have been unpublished since its name was read.
        if page := pages.get(line.pk):
            entries[line.letter].append(_entry(line, page, page.get_url(request)))
    return entries


def _entry(line: Line, page: TermPage, url: str) -> Entry:
    if line.is_label:
        return Entry(name=line.name, url=url, see=page.title)
    return Entry(
        name=line.name,
        url=url,
        definition=page.short_definition,
        category=page.category.name if page.category else "",
    )
