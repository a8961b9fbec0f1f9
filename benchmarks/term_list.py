"""A list of 20 terms with all fields: our v2 endpoint against Wagtail's own."""

from __future__ import annotations

import django
from django.db import connection
from django.test import Client
from django.test.utils import (
    CaptureQueriesContext,
    setup_databases,
    setup_test_environment,
    teardown_databases,
)

from .decode import best


TERMS = 100
URLS = {
    "ours": "/api/v2/terms/?fields=*&limit=20",
    "Wagtail's": "/api/v2/pages/?type=glossary.TermPage&fields=*&limit=20",
}


def run() -> None:
    django.setup()
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        build()
        compare()
    finally:
        teardown_databases(databases, verbosity=0)


def build() -> None:
    from tests.factories import (
        comparison,
        make_category,
        make_glossary,
        make_related_term,
        make_term,
        question,
        section,
    )

    glossary = make_glossary("ai")
    category = make_category("models")
    known = [make_related_term(glossary, f"term-{number}") for number in range(TERMS)]
    for number in range(TERMS):
        others = [known[(number + step) % TERMS] for step in (1, 2, 3)]
        link = f'<a linktype="page" id="{glossary.pk}">here</a>'
        make_term(
            glossary,
            f"term-{number}",
            category=category,
            related_terms=others,
            labels=[f"T{number}"],
            tags=["one", "two"],
            explanation=[section(f"<p>Text with a link {link}.</p>")],
            comparisons=[comparison("Other", "<p>It differs.</p>", others[0])],
            faq=[question("Why?", f"<p>Because of {link}.</p>")],
        )


def compare() -> None:
    client = Client()
    seconds = {}
    for name, url in URLS.items():
        response = client.get(url)
        assert response.status_code == 200, response.content
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        queries = len(captured)  # the next request empties what was captured
        seconds[name] = best(lambda url=url: client.get(url), number=3)
        print(f"  {name:10} {queries:4} queries {seconds[name] * 1e3:8.1f} ms")
    wagtails, ours = seconds["Wagtail's"], seconds["ours"]
    print(f"  ratio      {wagtails / ours:.1f}")
