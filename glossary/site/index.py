"""A glossary as its pages show it: what its templates and views ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from django.http import HttpRequest, QueryDict
from django.utils.translation import get_language

from ..addresses import CATEGORY, LETTER, MAP, TAG, WHOLE, address_of, letter_part
from ..alphabet import sort_key
from ..delivery import entries
from ..delivery.entries import Entry, Part
from ..delivery.loaders import load_categories, load_letters
from ..delivery.scope import Scope, ScopeGlossary, appends_slash, scope_for
from ..models import GlossaryPage, PublicTerm, TagCount
from .links import PageLinks


# A glossary of more terms gets a page for each letter; with their labels they may be
# three times as many entries.
MOST_TERMS = 150
MOST_ENTRIES = 450
# Of tags, those of the most terms; of categories too, where they stand at the side.
MOST_TAGS = 30
MOST_CATEGORIES = 50
# What Wagtail's addresses are made of.
SLUG = re.compile(r"[\w-]+")
# Of the terms that were added and changed last.
LATEST = 6


class Letter(NamedTuple):
    """A letter of the A to Z and how many terms, and labels that lead to one, it has.
    ``url`` is where they are, empty if there are none; ``part`` is what the letter is
    called in addresses."""

    name: str
    part: str
    terms: int
    labels: int
    url: str

    @property
    def anchor(self) -> str:
        return f"letter-{self.part}"

    @property
    def entries(self) -> int:
        return self.terms + self.labels


class Group(NamedTuple):
    """A category or a tag, with how many terms it has. A category that has a row in
    several languages has several ids; ``url`` is empty where no address can be made."""

    pks: tuple[int, ...]
    name: str
    slug: str
    terms: int
    url: str
    description: str = ""


class GlossaryIndex:
    """What anyone may see of a glossary at this address. One that is hidden, or not
    yet stored as in a preview, has nothing (``shown`` is None)."""

    def __init__(self, shown: tuple[Scope, ScopeGlossary] | None, url: str) -> None:
        self.shown = shown
        self.url = url

    @property
    def pk(self) -> int | None:
        return self.shown[1].pk if self.shown else None

    @property
    def title(self) -> str:
        return self.shown[1].title if self.shown else ""

    def address(self, kind: str, value: str) -> str:
        """Where a letter, a category, a tag or the map is."""
        end = "/" if appends_slash() else ""
        return f"{self.url.rstrip('/')}/{address_of(kind, value)}{end}"

    @property
    def map_url(self) -> str:
        return self.address(MAP, WHOLE)

    # --- How much there is

    @cached_property
    def letters(self) -> list[Letter]:
        """Those of its language, and ``#`` if anything stands there."""
        if self.shown is None:
            return []
        scope, glossary = self.shown
        found = []
        for row in load_letters(scope, [glossary]):
            part = letter_part(row["letter"])
            letter = Letter(row["letter"], part, row["terms"], row["labels"], "")
            if letter.entries:
                letter = letter._replace(url=self.address(LETTER, part))
            found.append(letter)
        return found

    @cached_property
    def count(self) -> int:
        return sum(letter.terms for letter in self.letters)

    @property
    def is_whole(self) -> bool:
        """Whether all of it is on one page."""
        lines = sum(letter.entries for letter in self.letters)
        return self.count <= MOST_TERMS and lines <= MOST_ENTRIES

    @cached_property
    def categories(self) -> list[Group]:
        if self.shown is None:
            return []
        scope, glossary = self.shown
        found: dict[str, Group] = {}
        rows = load_categories(scope, PageLinks(scope, None), [glossary])
        for row in sorted(rows, key=lambda row: row["locale"] != glossary.locale):
            slug = row["slug"]
            group = found.setdefault(
                slug,
                Group(
                    *((), row["name"], slug, 0),
                    self._address(CATEGORY, slug),
                    row["description"],
                ),
            )
            found[slug] = group._replace(
                pks=(*group.pks, row["id"]), terms=group.terms + row["term_count"]
            )
        # In the order that editors gave them.
        return [found[slug] for slug in dict.fromkeys(row["slug"] for row in rows)]

    @cached_property
    def main_categories(self) -> list[Group]:
        """Those of the most terms, for pages that show other things."""
        most = sorted(self.categories, key=lambda item: -item.terms)[:MOST_CATEGORIES]
        return [item for item in self.categories if item in most]

    @cached_property
    def tags(self) -> list[Group]:
        """Those of the most terms, by name."""
        if self.shown is None:
            return []
        most_used = self._tag_counts().order_by("-terms", "pk")[:MOST_TAGS]
        language = self.shown[1].locale
        return sorted(
            filter(attrgetter("url"), self.groups_of_tags(most_used)),
            key=lambda tag: sort_key(tag.name, language),
        )

    # --- Parts of it

    def letter(self, part: str) -> Letter | None:
        """The letter that is called so in addresses; capitals are no difference."""
        wanted = part.lower()
        named = (letter for letter in self.letters if letter.part.lower() == wanted)
        return next(named, None)

    def category(self, slug: str) -> Group | None:
        return next((item for item in self.categories if item.slug == slug), None)

    def tag(self, slug: str) -> Group | None:
        if self.shown is None:
            return None
        return next(
            iter(self.groups_of_tags(self._tag_counts().filter(tag__slug=slug))), None
        )

    def _tag_counts(self) -> Any:
        return TagCount.objects.filter(glossary=self.pk, terms__gt=0)

    def groups_of_tags(self, counts: Any) -> list[Group]:
        rows = counts.values_list("tag_id", "tag__name", "tag__slug", "terms")
        return [
            Group((pk,), name, slug, terms, self._address(TAG, slug))
            for pk, name, slug, terms in rows
        ]

    def _address(self, kind: str, slug: str) -> str:
        """Empty for a slug that no address can hold: a tag of signs alone has none."""
        return self.address(kind, slug) if SLUG.fullmatch(slug) else ""

    # --- Its entries

    @cached_property
    def entries(self) -> list[Entry]:
        """All of them, if they are on one page."""
        if self.shown is None or not self.is_whole:
            return []
        return entries.of_glossary(*self.shown, most=MOST_ENTRIES)

    @cached_property
    def newest(self) -> list[Entry]:
        return entries.newest(*self.shown, LATEST) if self.shown else []

    @cached_property
    def changed(self) -> list[Entry]:
        return entries.changed(*self.shown, LATEST) if self.shown else []

    def under(self, letter: Letter, start: str = "") -> Part:
        if self.shown is None:
            return Part([])
        return entries.of_letter(*self.shown, letter.name, start=start)

    def in_category(self, category: Group, start: str = "") -> Part:
        if self.shown is None:
            return Part([])
        return entries.of_category(*self.shown, category.pks, start=start)

    def tagged(self, tag: Group, start: str = "") -> Part:
        if self.shown is None:
            return Part([])
        return entries.of_tag(*self.shown, tag.pks[0], start=start)

    def called(self, slug: str) -> list[Entry]:
        """The term of this slug."""
        if self.shown is None:
            return []
        terms = PublicTerm.objects.filter(glossary=self.pk, slug=slug)
        return self.terms(list(terms.values_list("pk", flat=True)[:1]))

    def terms(self, pks: Sequence[int]) -> list[Entry]:
        return entries.of_terms(*self.shown, pks) if self.shown else []


def index_of(page: GlossaryPage, request: HttpRequest | None) -> GlossaryIndex:
    """The index of the glossary of this page."""
    scope = request_scope(request)
    glossary = scope.glossary(page.pk) if scope and page.pk else None
    if request and scope and glossary:
        return _index(request, scope, glossary)
    return GlossaryIndex(None, (page.get_url(request) or "") if page.path else "")


def index_called(slug: str, request: HttpRequest | None) -> GlossaryIndex | None:
    """The index of the glossary of this slug: rather of one in the language of the
    page that is being shown. None if the site has no such glossary."""
    scope = request_scope(request)
    if request is None or scope is None:
        return None
    found = scope.select(locale=get_language(), glossary=slug) or scope.select(
        glossary=slug
    )
    return _index(request, scope, found[0]) if found else None


def _index(
    request: HttpRequest, scope: Scope, glossary: ScopeGlossary
) -> GlossaryIndex:
    """Made once a request."""
    known = request.__dict__.setdefault("_glossary_indexes", {})
    if glossary.pk not in known:
        url = scope.path(glossary.url) or ""
        known[glossary.pk] = GlossaryIndex((scope, glossary), url)
    index: GlossaryIndex = known[glossary.pk]
    return index


def request_scope(request: HttpRequest | None) -> Scope | None:
    """What anyone may see on the site of a request; looked up once a request. Without
    a request, nothing says which site is asked for."""
    if request is None:
        return None
    if "_glossary_scope" not in request.__dict__:
        request.__dict__["_glossary_scope"] = scope_for(plain(request))
    scope: Scope | None = request.__dict__["_glossary_scope"]
    return scope


def plain(request: HttpRequest) -> HttpRequest:
    """The request without its parameters: a page is that of the site whose address it
    is, whatever they say."""
    bare = copy(request)
    bare.GET = QueryDict()
    return bare
