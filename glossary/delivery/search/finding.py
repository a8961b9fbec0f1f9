"""Which terms a search finds, in which order, and how they divide into facets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.core.exceptions import EmptyResultSet

from ...models import PublicName, PublicTerm
from ...names import name_key
from ..documents import GlossaryFacetValue
from ..listing import TermQuery, public_terms
from ..rows import read_rows
from .engines import Question, find_matches
from .words import readable, split


# Of the names that begin with the words of the search.
MOST_NAMES = 100
MOST_FACET_VALUES = 50
# Shorter starts of words are in too many terms to mean one.
SHORTEST_START = 3
# What comes before everything of a key that goes on behind a space, and after it.
BEHIND_SPACE = b"!"

# In SQL, as the index is asked: Django would take longer to make it than a database to
# answer it.
NAMES = f"""SELECT name.public_term_id, name.key, name.kind
    FROM glossary_publicname AS name
    WHERE name.glossary_id IN ({{glossaries}}) AND name.key >= %s AND name.key < %s
    {{among}} ORDER BY name.key LIMIT {MOST_NAMES}"""  # noqa: S608
AMONG = """AND EXISTS
    (SELECT 1 FROM ({terms}) AS term WHERE term.term_id = name.public_term_id)"""
# Each value, what it is called, and of how many of the terms it is.
FACETS = {
    "category": """category.slug, category.name, count(*)
        FROM glossary_publicterm AS term
        JOIN glossary_category AS category ON category.id = term.category_id
        WHERE term.term_id IN ({ids}) GROUP BY category.slug, category.name""",
    "letter": """letter, letter, count(*) FROM glossary_publicterm
        WHERE term_id IN ({ids}) GROUP BY letter""",
    "tag": """tag.name, tag.name, count(DISTINCT tagged.content_object_id)
        FROM glossary_termtag AS tagged JOIN taggit_tag AS tag ON tag.id = tagged.tag_id
        WHERE tagged.content_object_id IN ({ids}) GROUP BY tag.name""",
}

Facets = dict[str, list[GlossaryFacetValue]]


class Results(NamedTuple):
    """A part of what a search found, the best first.

    ``total`` counts what was found, names and the few hundred best-placed matches;
    unless ``total_is_exact``, there are more. ``facets`` count the same terms.
    """

    pks: list[int]
    total: int
    total_is_exact: bool
    facets: Facets


class Named(NamedTuple):
    """How near a name comes to what was searched: sorts the nearest first."""

    goes_on: bool
    """It has further words."""
    is_label: bool
    length: int


def search_terms(
    text: str,
    query: TermQuery,
    *,
    limit: int,
    offset: int = 0,
    facets: Collection[str] = (),
) -> Results:
    """The terms of a query that hold all words of a text, in at most five queries (and
    those that find the ids of the categories and tags to filter by).

    Those come first whose name or label is the text, or begins with its words, then
    those with the words in the title. If no term has the words, the last one may be the
    start of a word. ``facets`` are among ``category``, ``letter`` and ``tag``. No text
    is refused; one without a word finds nothing.
    """
    words = split(text)
    question = Question(words, public_terms(query), filtered=_is_filtered(query))
    names = _names(text, query, question)
    matches = find_matches(
        question,
        or_starts=bool(words and not names and len(words[-1]) >= SHORTEST_START),
    )
    found = sorted(names, key=lambda pk: (names[pk], pk))
    ranks = matches.ranks
    by_text = sorted(ranks.keys() - names.keys())
    found += sorted(by_text, key=ranks.__getitem__, reverse=True)
    return Results(
        found[offset : offset + limit],
        len(found),
        matches.complete and len(names) < MOST_NAMES,
        _facets(found, facets),
    )


def _is_filtered(query: TermQuery) -> bool:
    return bool(
        query.categories
        or query.tags
        or query.letters
        or query.slugs
        or query.ids
        or query.updated_after
        or query.fallback
    )


def _names(text: str, query: TermQuery, question: Question) -> dict[int, Named]:
    """The terms with a name that is the text, or begins with its words."""
    key = name_key(readable(text)).encode()
    if not key:
        return {}
    try:
        terms, of_terms = question.terms_sql
    except EmptyResultSet:
        return {}
    glossaries = ", ".join(str(glossary.pk) for glossary in query.glossaries)
    among = AMONG.format(terms=terms) if question.filtered else ""
    names = read_rows(
        PublicName,
        NAMES.format(glossaries=glossaries, among=among),
        [key, key + BEHIND_SPACE, *(of_terms if among else ())],
    )
    nearest: dict[int, Named] = {}
    for pk, own_key, kind in names:
        is_label = kind != PublicName.Kind.TITLE
        named = Named(len(own_key) > len(key), is_label, len(own_key))
        nearest[pk] = min(named, nearest.get(pk, named))
    return nearest


def _facets(pks: list[int], wanted: Collection[str]) -> Facets:
    """How many of the terms have each value, in one query."""
    facets: Facets = {name: [] for name in FACETS if name in wanted}
    if not (facets and pks):
        return facets
    ids = ", ".join(map(str, pks))  # numbers that the database gave
    sql = " UNION ALL ".join(
        f"SELECT '{name}', {FACETS[name].format(ids=ids)}" for name in facets
    )
    rows = read_rows(PublicTerm, sql)
    for name in facets:
        facets[name] = _values(row[1:] for row in rows if row[0] == name)
    return facets


def _values(rows: Iterable[tuple[str, str, int]]) -> list[GlossaryFacetValue]:
    """The values with the most terms. A category that has a row in each language has
    one slug, and is called what it is called most often."""
    counts: Counter[str] = Counter()
    labels: dict[str, str] = {}
    for value, label, count in sorted(rows, key=lambda row: (-row[2], row[1])):
        counts[value] += count
        labels.setdefault(value, label)
    ordered = sorted(counts, key=lambda value: (-counts[value], labels[value]))
    return [
        {"value": value, "label": labels[value], "count": counts[value]}
        for value in ordered[:MOST_FACET_VALUES]
    ]
