"""A glossary at a glance: its letters, categories and terms, as anyone may see them."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_uppercase

from django.http import HttpRequest

from ..managers import TermPageQuerySet
from ..models import Category, GlossaryPage, TermLabel, TermPage


OTHER = "#"
# Above this a reader gets one letter at a time.
ONE_PAGE = 200


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
    """A letter, how many terms start with it, and the entries to show under it."""

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


def letter_of(name: str) -> str:
    """The letter that a name stands under: without its accent, ``#`` for the rest."""
    first = unicodedata.normalize("NFKD", name.strip())[:1].upper()
    return first if first.isalpha() else OTHER


def glossary_overview(glossary: GlossaryPage, request: HttpRequest) -> Overview:
    """What the page of a glossary shows; ``?category=`` and ``?letter=`` narrow it.

    An unknown category or letter is as if none was asked for.
    """
    visible = TermPage.objects.in_glossary(glossary).visible()
    categories = tuple(
        Category.objects.with_term_count(visible)
        .filter(term_count__gt=0)
        .order_by("sort_order", "name", "pk")
    )
    wanted = request.GET.get("category")
    category = next((item for item in categories if item.slug == wanted), None)
    terms = visible.filter(category=category) if category else visible

    titles = dict(terms.values_list("pk", "title"))
    counts = Counter(map(letter_of, titles.values()))
    letters = [*ascii_uppercase, *sorted(set(counts) - {*ascii_uppercase, OTHER})]
    if OTHER in counts:
        letters.append(OTHER)

    selected = request.GET.get("letter", "").upper()
    if selected not in counts:
        selected = min(counts, default="") if len(titles) > ONE_PAGE else ""
    if selected:
        terms = terms.filter(
            pk__in=[pk for pk, title in titles.items() if letter_of(title) == selected]
        )
    entries = _entries(terms, request)
    return Overview(
        letters=tuple(
            Letter(name, counts[name], tuple(entries.get(name, ()))) for name in letters
        ),
        categories=categories,
        category=category,
        count=len(titles),
        selected_letter=selected or None,
    )


def _entries(terms: TermPageQuerySet, request: HttpRequest) -> dict[str, list[Entry]]:
    """The lines of the terms and of the labels that lead to them, by letter."""
    pages = terms.select_related("category").order_by("title", "pk").in_bulk()
    entries = defaultdict(list)
    for entry in (
        *_term_entries(pages.values(), request),
        *_label_entries(pages, request),
    ):
        entries[letter_of(entry.name)].append(entry)
    for rows in entries.values():
        rows.sort(key=lambda entry: (entry.name.casefold(), entry.see))
    return entries


def _term_entries(pages: Iterable[TermPage], request: HttpRequest) -> Iterable[Entry]:
    for page in pages:
        yield Entry(
            name=page.title,
            url=page.get_url(request),
            definition=page.short_definition,
            category=page.category.name if page.category else "",
        )


def _label_entries(pages: dict[int, TermPage], request: HttpRequest) -> Iterable[Entry]:
    labels = TermLabel.objects.filter(
        term__in=pages,
        kind__in=[TermLabel.Kind.SYNONYM, TermLabel.Kind.ABBREVIATION],
    )
    for label in labels:
        page = pages[label.term_id]
        yield Entry(name=label.text, url=page.get_url(request), see=page.title)
