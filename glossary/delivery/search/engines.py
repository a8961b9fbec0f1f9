"""The terms that hold all words of a search, from the index of the site's backend.

On PostgreSQL and SQLite the question is ours. Wagtail's own matches a title and a text
put together, for which PostgreSQL has no index, and ranks every match before it takes
a page of them. Here each word is looked up in the indexes that are there, and only so
many matches are read and ranked: those by title first.
"""

# The names in these statements are the models' own; what a reader sent is a parameter.
# ruff: noqa: S608

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
from modelsearch.backends import get_search_backend
from modelsearch.conf import get_app_config
from modelsearch.utils import get_descendants_content_types_pks

from ...models import PublicTerm, TermPage
from ..rows import Part, read_parts, read_rows


# How many matches are ranked, of those by title and of the others. Reading a text out
# of the index costs some ten microseconds.
MOST_RANKED = 200
# Filters that leave no more terms than these: PostgreSQL looks at each of them, rather
# than at each match of a word that may be in most terms.
FEW_TERMS = 1_000
# Of another backend, which cannot tell what anyone may see, as many as these are asked
# for: more than are ranked elsewhere, since some may be hidden or filtered out.
MOST_ASKED = 1_000


class Rank(NamedTuple):
    """How well a term matches; more is better."""

    in_title: bool
    """It has all words in its title."""
    score: float


class Matches(NamedTuple):
    """How well terms match, by their ids, and whether these are all that do."""

    ranks: dict[int, Rank]
    complete: bool


NONE = Matches({}, complete=True)


@dataclass(frozen=True)
class Question:
    """What an engine is asked: the words, all of which a term has to hold, and the
    public terms that may be found. ``filtered`` tells that these are not all terms of
    their glossaries."""

    words: Sequence[str]
    terms: QuerySet[PublicTerm]
    filtered: bool = False

    @cached_property
    def terms_sql(self) -> tuple[str, tuple[Any, ...]]:
        """A SELECT of the ids of the terms, as ``term_id``. Raises an EmptyResultSet
        if there cannot be any."""
        ids = self.terms.order_by().values("term_id")
        sql, params = ids.query.get_compiler(ids.db).as_sql()
        return sql, params


def find_matches(question: Question, *, or_starts: bool = False) -> Matches:
    """The terms that hold the words, in at most three queries. With ``or_starts``,
    where none does, the last word may be the start of one."""
    matches = NONE
    try:
        for matches in _attempts(question):
            if matches.ranks or not or_starts:
                break
    except EmptyResultSet:
        return NONE
    return matches


def _attempts(question: Question) -> Iterator[Matches]:
    """What holds the words; then, what holds the last one as the start of a word."""
    if not question.words:
        return iter(())
    backend = get_search_backend()
    if _is(backend, "postgres.postgres.PostgresSearchBackend"):
        return _from_postgres(question, backend.config)
    if _is(backend, "sqlite.sqlite.SQLiteSearchBackend"):
        return _from_sqlite(question)
    return _from_backend(question, backend)


def _is(backend: Any, name: str) -> bool:
    """Whether a backend is that one of Wagtail's for databases, or based on it. They
    can be imported on their own databases alone."""
    return any(
        f"{kind.__module__}.{kind.__qualname__}"
        == f"modelsearch.backends.database.{name}"
        for kind in type(backend).__mro__
    )


def _entries() -> str:
    """The table of the index, as SQL's FROM names it."""
    return f"{get_app_config().get_model('IndexEntry')._meta.db_table} AS entry"


def _is_term() -> str:
    types = ", ".join(map(str, sorted(get_descendants_content_types_pks(TermPage))))
    return f"entry.content_type_id IN ({types})"


# PostgreSQL


class Lexemes(NamedTuple):
    """What PostgreSQL looks up for the words that it indexes, and for the last one as
    the start of a word; whether there are few terms to find them in."""

    words: list[str]
    starts: list[str]
    few_terms: bool


def _from_postgres(question: Question, config: str | None) -> Iterator[Matches]:
    lexemes = _lexemes(question, config)
    for words in (lexemes.words, lexemes.starts):
        if not words:
            yield NONE
        elif lexemes.few_terms:
            yield _read([_few_terms(question, words)])
        else:
            parts = [_by_column(column, question, words) for column in COLUMNS]
            if len(words) > 1:
                parts.append(_by_both_columns(question, words))
            yield _read(parts)


COLUMNS = ("title", "body")
HOLDS_ONE = "(entry.title @@ %s::tsquery OR entry.body @@ %s::tsquery)"
SCORE = (
    "ts_rank(%s::float4[], entry.title, %s::tsquery) * entry.title_norm"
    " + ts_rank(%s::float4[], entry.body, %s::tsquery)"
)


def _few_terms(question: Question, words: list[str]) -> Part:
    """Those of few terms. OFFSET 0, here and below, makes the planner look up what
    belongs to each row in turn until there are enough, rather than all of it first."""
    terms, of_terms = question.terms_sql
    return Part(
        f"SELECT term.term_id, entry.title @@ %s::tsquery, {SCORE}"
        f" FROM ({terms}) AS term CROSS JOIN LATERAL (SELECT entry.* FROM {_entries()}"
        f" WHERE {_is_term()} AND entry.object_id = term.term_id::varchar OFFSET 0"
        f") AS entry WHERE {_holds_each(words)} LIMIT {MOST_RANKED}",
        [" & ".join(words), *_scored(words), *of_terms, *_each(words)],
    )


def _by_column(column: str, question: Question, words: list[str]) -> Part:
    """Those that have all words in one column, for which it has an index."""
    public, of_terms = _public_entries(question)
    in_title = "true" if column == "title" else "false"
    return Part(
        f"SELECT entry.object_id::bigint, {in_title}, {SCORE}"
        f" FROM {public} WHERE {_is_term()}"
        f" AND entry.{column} @@ %s::tsquery LIMIT {MOST_RANKED}",
        [*_scored(words), *of_terms, " & ".join(words)],
    )


def _by_both_columns(question: Question, words: list[str]) -> Part:
    """Those that have a word in the title: they may have another one in the text."""
    public, of_terms = _public_entries(question)
    return Part(
        "SELECT entry.object_id::bigint, false,"
        f" CASE WHEN {_holds_each(words)} THEN {SCORE} END"
        f" FROM (SELECT entry.* FROM {public} WHERE {_is_term()}"
        f" AND entry.title @@ %s::tsquery LIMIT {MOST_RANKED}) AS entry",
        [*_each(words), *_scored(words), *of_terms, " | ".join(words)],
    )


def _public_entries(question: Question) -> tuple[str, Sequence[Any]]:
    """The entries of the terms."""
    terms, of_terms = question.terms_sql
    return (
        f"{_entries()} CROSS JOIN LATERAL (SELECT FROM ({terms}) AS term"
        " WHERE term.term_id = entry.object_id::bigint OFFSET 0) AS term"
    ), of_terms


def _holds_each(words: list[str]) -> str:
    return " AND ".join([HOLDS_ONE] * len(words))


def _each(words: list[str]) -> list[str]:
    return [word for word in words for _column in COLUMNS]


def _scored(words: list[str]) -> list[str]:
    # It can be imported on PostgreSQL alone.
    from modelsearch.backends.database.postgres.weights import get_sql_weights

    return [get_sql_weights(), " & ".join(words)] * len(COLUMNS)


def _lexemes(question: Question, config: str | None) -> Lexemes:
    configured = [] if config is None else [config]
    regconfig = "%s::regconfig, " if configured else ""
    columns: list[str] = []
    params: list[Any] = []
    for word in question.words:
        columns.append(f"plainto_tsquery({regconfig}%s)::text")
        params += [*configured, word]
    # The parts of the last one may stand anywhere, as those of any other word.
    start = f"to_tsquery({regconfig}%s)::text"
    columns.append(rf"regexp_replace({start}, '<(-|\d+)>', '&', 'g')")
    escaped = question.words[-1].replace("\\", "\\\\").replace("'", "''")
    params += [*configured, f"'{escaped}':*"]
    if question.filtered:
        terms, of_terms = question.terms_sql
        columns.append(
            f"(SELECT count(*) FROM ({terms} LIMIT {FEW_TERMS + 1}) AS term)"
        )
        params += of_terms
    [row] = read_rows(PublicTerm, f"SELECT {', '.join(columns)}", params)
    few_terms = question.filtered and row[-1] <= FEW_TERMS
    *words, last, start = row[: len(question.words) + 1]
    return Lexemes(
        [f"({word})" for word in (*words, last) if word],
        [f"({word})" for word in (*words, start) if word],
        few_terms,
    )


# SQLite


def _from_sqlite(question: Question) -> Iterator[Matches]:
    quoted = [f'"{word}"' for word in question.words]  # no word has a quote
    for ending in ("", " *"):
        words = " AND ".join(quoted) + ending
        yield _read(
            [
                _by_columns("title", question, words),
                _by_columns("title body", question, words),
            ]
        )


def _by_columns(columns: str, question: Question, words: str) -> Part:
    """Those that have all words in these columns. A word in the title counts for four
    in the text, one in what is there for suggestions for none."""
    terms, of_terms = question.terms_sql
    table = get_app_config().get_model("SQLiteFTSIndexEntry")._meta.db_table
    in_title = "true" if columns == "title" else "false"
    # CROSS JOIN keeps the order, so that no more is read than is needed. What bm25()
    # gives is the less the better.
    return Part(
        f"SELECT term.term_id, {in_title}, -bm25({table}, 0, 1, 4) FROM {table}"
        f" CROSS JOIN {_entries()} ON entry.id = {table}.rowid"
        f" CROSS JOIN ({terms}) AS term"
        " ON term.term_id = CAST(entry.object_id AS INTEGER)"
        f" WHERE {table} MATCH %s AND {_is_term()} LIMIT {MOST_RANKED}",
        [*of_terms, f"{{{columns}}} : ({words})"],
    )


# Reading


def _read(parts: Sequence[Part]) -> Matches:
    """From SELECTs of at most ``MOST_RANKED`` ids with their ranks. One without a score
    has been read and does not match."""
    rows = read_parts(
        PublicTerm,
        [
            Part(f"SELECT {number}, part.* FROM ({sql}) AS part", params)
            for number, (sql, params) in enumerate(parts)
        ],
    )
    ranks: dict[int, Rank] = {}
    for _number, pk, in_title, score in rows:
        if score is not None:
            rank = Rank(bool(in_title), score)
            ranks[pk] = max(rank, ranks.get(pk, rank))
    read = Counter(row[0] for row in rows)
    return Matches(ranks, all(count < MOST_RANKED for count in read.values()))


# Any other backend


def _from_backend(question: Question, backend: Any) -> Iterator[Matches]:
    """Ask it for live terms, and keep those that anyone may see."""
    text = " ".join(question.words)
    pages = TermPage.objects.live().only("pk")
    for results in (
        backend.search(text, pages, operator="and"),
        backend.autocomplete(text, pages),
    ):
        found = [page.pk for page in results[:MOST_ASKED]]
        kept = question.terms.filter(pk__in=found).values_list("pk", flat=True)
        public = set(kept)
        yield Matches(
            {pk: Rank(False, -place) for place, pk in enumerate(found) if pk in public},
            complete=len(found) < MOST_ASKED,
        )
