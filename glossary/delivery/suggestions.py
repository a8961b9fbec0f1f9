"""Terms by what has been typed of their names, right or with a mistake.

Every step reads a bounded number of rows through an index, however many names there
are: those beside the text in the order of keys, and those with a word that would be one
of its words but for one mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from ..models import PublicName, TermPage
from ..names import (
    FEWEST,
    edit_distance,
    name_key,
    prefix_distance,
    probes,
    words,
)
from .documents import LabelKind, TermSuggestion
from .prepared import IDS, Prepared
from .public_pages import visible
from .rows import Part, read_parts
from .scope import Scope, ScopeGlossary


# How many names are looked at, of those that begin as typed; more if a category has to
# be met as well.
BEGINNING = 50
BEGINNING_IN_CATEGORY = 500
# Of those beside it, and of those with a word that is alike.
BESIDE = 10
ALIKE = 60
# Of more words than these, the others are taken as they are.
MOST_WORDS = 4
# From so many letters on, two mistakes are forgiven.
LONG = 8
# What is shown of these is the title of their term.
NOT_SHOWN = ("inflection", "hidden")
# In SQL: Django would take longer to make it than a database to answer it.
NAMES = "SELECT public_term_id, kind, text, key FROM glossary_publicname"
FROM_KEY = f"{NAMES} WHERE glossary_id = %s AND key >= %s ORDER BY key LIMIT %s"
BEFORE_KEY = f"{NAMES} WHERE glossary_id = %s AND key < %s ORDER BY key DESC LIMIT %s"
# In the order of its index, because PostgreSQL would else collect all that it finds
# before it cuts.
OF_VARIANTS = f"""{NAMES} WHERE id IN (SELECT public_name_id FROM glossary_namevariant
    WHERE variant IN ({{hashes}}) ORDER BY variant LIMIT {ALIKE})"""  # noqa: S608
EXACT, BEGINS, HAS_WORD, ALIKE_AT_START, ALIKE_IN_WORD = range(5)


class Name(NamedTuple):
    term_id: int
    kind: Literal["title"] | LabelKind
    text: str
    key: str

    @property
    def starts(self) -> list[str]:
        """What begins at each word behind the first."""
        first, *others = self.key.split(" ")
        at, found = len(first) + 1, []
        for word in others:
            found.append(self.key[at:])
            at += len(word) + 1
        return found


class Match(NamedTuple):
    """A name and how well it matches; the least is the best."""

    how: int
    distance: int
    is_label: bool
    length: int
    name: Name

    @property
    def is_fuzzy(self) -> bool:
        return self.how > HAS_WORD


def autocomplete(
    text: str,
    scope: Scope,
    glossaries: Sequence[ScopeGlossary],
    *,
    limit: int = 10,
    categories: Collection[str] = (),
) -> list[TermSuggestion]:
    """The terms in these glossaries (and categories, by their slugs) that one may be
    about to type the name of, the best first: those with exactly that name, those whose
    name begins so, those with a word that does. Only if there are none, those that a
    mistake or two would explain.

    At most four queries, usually two.
    """
    typed = name_key(text)
    glossaries = [item for item in glossaries if item in scope.glossaries]
    if not typed or not glossaries or limit < 1:
        return []
    most = BEGINNING_IN_CATEGORY if categories else max(BEGINNING, 5 * limit)
    matches = _matches(typed, glossaries, most=most, enough=limit)
    # All are public, unless a row has drifted.
    read = most if categories else limit + BESIDE
    pages = _pages(matches, glossaries, most=read, categories=categories)
    best = [
        _suggestion(match, page)
        for match in matches
        if (page := pages.pop(match.name.term_id, None))
    ]
    return best[:limit]


def did_you_mean(text: str, glossaries: Sequence[ScopeGlossary]) -> str | None:
    """The name of a term that was perhaps meant by a text without hits."""
    typed = name_key(text)
    if not typed or not glossaries:
        return None
    names = {*_beside(typed, glossaries, BESIDE), *_alike(typed, glossaries)}
    if any(name.key == typed for name in names):
        return None
    matches = (
        sorted(filter(None, (_whole(typed, name) for name in names)))
        or _ranked(typed, names, fuzzy=False)
        or _guessed(typed, names, glossaries, BESIDE)
    )
    pages = _pages(matches, glossaries, most=BESIDE)
    for match in matches:
        if page := pages.get(match.name.term_id):
            return _shown(match.name, page)
    return None


# --- Matching


def _matches(
    typed: str, glossaries: Sequence[ScopeGlossary], *, most: int, enough: int
) -> list[Match]:
    beside = _beside(typed, glossaries, most)
    right = _ranked(typed, beside, fuzzy=False)
    if len({match.name.term_id for match in right}) >= enough or len(typed) < FEWEST:
        return right
    names = {*beside, *_alike(typed, glossaries)}
    return _ranked(typed, names, fuzzy=False) or _guessed(
        typed, names, glossaries, most
    )


def _guessed(
    typed: str, names: Collection[Name], glossaries: Sequence[ScopeGlossary], most: int
) -> list[Match]:
    """What may be meant, if nothing is as typed: one of these names, or one that begins
    as their words say that the typed ones should be."""
    if found := _ranked(typed, names, fuzzy=True):
        return found
    corrected = _corrected(typed, names)
    if corrected == typed:
        return []
    return [
        match._replace(how=ALIKE_AT_START)
        for match in _ranked(
            corrected, _beside(corrected, glossaries, most), fuzzy=False
        )
    ]


def _ranked(typed: str, names: Iterable[Name], *, fuzzy: bool) -> list[Match]:
    """The names that match as typed; or with ``fuzzy``, with a mistake or two."""
    match = _fuzzy if fuzzy else _right
    return sorted(found for name in names if (found := match(typed, name)))


def _right(typed: str, name: Name) -> Match | None:
    if name.key == typed:
        return _match(EXACT, 0, name)
    if name.key.startswith(typed):
        return _match(BEGINS, 0, name)
    if f" {typed}" in name.key:
        return _match(HAS_WORD, 0, name)
    return None


def _fuzzy(typed: str, name: Name) -> Match | None:
    limit = _forgiven(typed)
    distance = prefix_distance(typed, name.key, limit)
    if distance <= limit:
        return _match(ALIKE_AT_START, distance, name)
    for start in name.starts:
        distance = prefix_distance(typed, start, limit)
        if distance <= limit:
            return _match(ALIKE_IN_WORD, distance, name)
    return None


def _whole(typed: str, name: Name) -> Match | None:
    """All of a name, with a mistake or two."""
    limit = _forgiven(typed)
    distance = edit_distance(typed, name.key, limit)
    return _match(ALIKE_AT_START, distance, name) if 0 < distance <= limit else None


def _match(how: int, distance: int, name: Name) -> Match:
    is_label = name.kind != "title"
    return Match(how, distance, is_label, len(name.key), name)


def _forgiven(typed: str) -> int:
    if len(typed) < FEWEST:
        return 0
    return 1 if len(typed) < LONG else 2


def _corrected(typed: str, names: Collection[Name]) -> str:
    """What was typed, with each word that is no beginning of a known one replaced by
    the one that is nearest to it."""
    known = {word for name in names for word in words(name.key)}
    asked = {*words(typed)[:MOST_WORDS]}
    return " ".join(
        _correct(word, known) if word in asked else word for word in typed.split(" ")
    )


def _correct(word: str, known: Collection[str]) -> str:
    limit = _forgiven(word)
    if not limit or any(other.startswith(word) for other in known):
        return word
    nearest = min(
        ((prefix_distance(word, other, limit), other) for other in known),
        default=(limit + 1, word),
    )
    return nearest[1] if nearest[0] <= limit else word


# --- Reading


def _beside(typed: str, glossaries: Sequence[ScopeGlossary], most: int) -> list[Name]:
    """Names in the order of their keys: those from this one on, which are those that
    begin so and then others, and a few before it. What is beside it begins in the same
    way, longer than any other."""
    key = typed.encode()
    parts: list[Part] = []
    for glossary in glossaries:
        parts.append(Part(FROM_KEY, [glossary.pk, key, most]))
        parts.append(Part(BEFORE_KEY, [glossary.pk, key, BESIDE]))
    return _names(parts)


def _alike(typed: str, glossaries: Sequence[ScopeGlossary]) -> list[Name]:
    """Names with a word that is one of these, or would be but for one mistake."""
    parts: list[Part] = []
    for word in words(typed)[:MOST_WORDS]:
        hashes = {item for glossary in glossaries for item in probes(word, glossary.pk)}
        parts.append(Part(OF_VARIANTS.format(hashes=", ".join(map(str, hashes)))))
    return _names(parts)


def _names(parts: Sequence[Part]) -> list[Name]:
    rows = read_parts(PublicName, parts)
    names = (Name(pk, kind, text, bytes(key).decode()) for pk, kind, text, key in rows)
    return list(dict.fromkeys(names))


class Page(NamedTuple):
    title: str
    slug: str
    glossary: ScopeGlossary


def _pages(
    matches: Iterable[Match],
    glossaries: Iterable[ScopeGlossary],
    *,
    most: int,
    categories: Collection[str] = (),
) -> dict[int, Page]:
    """The pages of the first matches, as far as anyone may see them."""
    pks = list(dict.fromkeys(match.name.term_id for match in matches))[:most]
    if not pks:
        return {}
    by_path = {glossary.path: glossary for glossary in glossaries}
    found = {}
    for pk, title, slug, path, category in _terms(tuple(by_path)).rows(pks):
        glossary = by_path.get(path[: -TermPage.steplen])
        if glossary and (not categories or category in categories):
            found[pk] = Page(title, slug, glossary)
    return found


@lru_cache
def _terms(paths: tuple[str, ...]) -> Prepared:
    """Those that anyone may see below these paths."""
    found = TermPage.objects.filter(visible(paths), pk__in=IDS).order_by()
    columns = ("pk", "title", "slug", "path", "category__slug")
    return Prepared(found.values_list(*columns))


def _suggestion(match: Match, page: Page) -> TermSuggestion:
    name = match.name
    return {
        "id": name.term_id,
        "slug": page.slug,
        "title": page.title,
        "match": _shown(name, page),
        "match_kind": name.kind,
        "fuzzy": match.is_fuzzy,
        "html_url": page.glossary.term_url(page.slug),
    }


def _shown(name: Name, page: Page) -> str:
    if name.kind in ("title", *NOT_SHOWN):
        return page.title
    return name.text
