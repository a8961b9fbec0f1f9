"""A search: a page of 20 hits with their total, ours and Wagtail's own.

``GLOSSARY_BENCHMARK_TERMS`` says in how many terms (10000).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django
from django.core.management import call_command
from django.db import connection
from django.test import RequestFactory
from django.test.utils import (
    CaptureQueriesContext,
    setup_databases,
    setup_test_environment,
    teardown_databases,
)

from .corpus import records, write_corpus
from .decode import best


PAGE = 20
FACETS = ("category", "letter", "tag")
GOAL = 35


def run() -> None:
    django.setup()
    setup_test_environment()
    count = int(os.environ.get("GLOSSARY_BENCHMARK_TERMS", "10000"))
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        build(count)
        compare(count)
    finally:
        teardown_databases(databases, verbosity=0)


def build(count: int) -> None:
    from tests.factories import make_glossary

    make_glossary("ai")
    with TemporaryDirectory() as folder:
        write_corpus(Path(folder), count)
        call_command(
            *("import_terms", folder, "--glossary", "ai"),
            stdout=StringIO(),
            stderr=StringIO(),
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def compare(count: int) -> None:
    from glossary.delivery.listing import TermQuery
    from glossary.delivery.scope import scope_for
    from glossary.delivery.search import Results, load_hits, search_terms
    from glossary.models import TermPage

    request = RequestFactory().get("/")
    request.META["SERVER_NAME"] = "localhost"
    scope = scope_for(request)
    query = TermQuery(glossaries=scope.glossaries)
    category = f"{next(records(1))['category']}"

    def find(text: str, **filters: Any) -> Results:
        asked = TermQuery(glossaries=scope.glossaries, **filters)
        return search_terms(text, asked, limit=PAGE, facets=FACETS)

    def whole(text: str) -> object:
        found = search_terms(text, query, limit=PAGE)
        return load_hits(found.pks, text, scope, NoLinks())

    def wagtails(text: str) -> object:
        results = TermPage.objects.live().public().search(text)
        return results.count(), list(results[:PAGE])

    print(f"  {count} terms on {connection.vendor}; milliseconds")
    heads = ("hits", "found", "facets", "shown", "Wagtail", "ratio")
    print(f"  {'':24}" + "".join(f"{head:>9}" for head in heads))
    for name, text in texts(count).items():
        found = search_terms(text, query, limit=PAGE)
        hits = f"{found.total}{'' if found.total_is_exact else '+'}"
        ours, facets, shown, theirs = (
            best(action, number=1) * 1e3
            for action in (
                lambda text=text: search_terms(text, query, limit=PAGE),
                lambda text=text: find(text),
                lambda text=text: whole(text),
                lambda text=text: wagtails(text),
            )
        )
        print(
            f"  {name:24}{hits:>9}{ours:9.1f}{facets:9.1f}{shown:9.1f}{theirs:9.1f}"
            f"{theirs / shown:9.1f}"
        )
    print(f"  ratio: Wagtail's against ours, loaded and highlighted (goal {GOAL})")
    for name, action in {
        "in a category": lambda: find("reader", categories=(category,)),
        "under a letter": lambda: find("reader", letters=("V",)),
        "among a hundred": lambda: find("reader", ids=tuple(query_ids())),
    }.items():
        print(
            f"  a frequent word, {name:16} {best(action, number=1) * 1e3:7.1f} ms,"
            f" {queries(action)} queries"
        )


def texts(count: int) -> dict[str, str]:
    names = [record["term"] for record in records(min(count, 50))]
    return {
        "a name": names[7],
        "the word of one name": names[-1].split()[1],
        "two words": "vivid lantern",
        "a word in half the terms": "kettle",
        "a word in most": "reader",
        "five words": "patient reader of hidden tables",
        "the start of a word": "lanter",
        "no hit": "zzzz qqqq",
    }


def query_ids() -> list[int]:
    from glossary.models import PublicTerm

    return list(PublicTerm.objects.values_list("pk", flat=True)[:100])


def queries(action: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        action()
    return len(captured)


class NoLinks:
    """Addresses that cost nothing to make."""

    def term(self, pk: int) -> str:
        return f"/{pk}"

    def category(self, slug: str) -> str:
        return f"/{slug}"

    def glossary(self, pk: int) -> str:
        return f"/{pk}"
