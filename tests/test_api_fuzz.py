"""Schemathesis asks the API for all that its OpenAPI document allows, and for much that
it does not: what comes back has to be as the document says.

``GLOSSARY_FUZZ_EXAMPLES`` is how many examples each operation gets (``make fuzz``).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from hypothesis import assume, given
from hypothesis import strategies as st

from glossary.api.parameters import (
    MOST_WORDS,
    TermAutocompleteParameters,
    TermBulkBody,
    TermSearchParameters,
)
from glossary.api.problems import Problem
from glossary.delivery.previews import make_token
from glossary.models import TermPage

from .factories import make_glossary
from .test_api_v2 import make_complete_term


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django.live_server_helper import LiveServer

API = "/api/glossary/v1/"
# A run with a number of its own finds what it found before.
EXAMPLES = os.environ.get("GLOSSARY_FUZZ_EXAMPLES")
FEW_EXAMPLES = "15"

FIELDS = ["", "*", "*,-explanation", "_,title", "_,slug,faq(value(question))", "-tags"]


# It takes what is posted for a thing that was made, to ask for it by GET, a thousand
# ids at once.
NOTHING_IS_POSTED = """
[[operations]]
include-name = "POST /terms/bulk/"
phases.stateful.enabled = false
"""


@pytest.fixture
def term(django_db_serialized_rollback: None, transactional_db: None) -> TermPage:
    cache.clear()
    return make_complete_term(make_glossary("ai"))


def of_this_site(document: dict[str, Any], term: TermPage) -> dict[str, Any]:
    """The document as if it were of this site alone. What has to be there, or is
    refused with 422, can only be what is there; the examples are there as well."""
    glossary = term.get_parent()
    only: dict[str, list[str]] = {
        "site": ["localhost"],
        "glossary": [glossary.slug, str(glossary.pk)],
        "locale": ["en", "fr"],
        "fallback": ["fr", "ur"],
        "fields": FIELDS,
        "preview": [make_token(term)],
    }
    examples = {
        "term_id": term.pk,
        "glossary_id": glossary.pk,
        "slug": term.slug,
        "path": f"/{glossary.slug}/{term.slug}/",
        "ids": [term.pk],
        "slugs": [term.slug],
        "category": [term.category.slug],
        "tag": ["Data"],
        "letter": ["E"],
        "around": term.slug,
        "q": "embed",
    }
    for path, operation in operations(document):
        # One that is made up is refused, and only an answer has real ones.
        operation["parameters"] = [
            parameter
            for parameter in operation["parameters"]
            if parameter["name"] != "cursor"
        ]
        for parameter in operation["parameters"]:
            name, schema = parameter["name"], parameter["schema"]
            parameter.pop("example", None)
            if name in only:
                part = schema.get("items", schema)
                part.clear()
                part.update({"type": "string", "enum": only[name]})
            elif name in examples:
                example = examples[name]
                if path.startswith("/categories/") and name == "slug":
                    example = term.category.slug
                elif isinstance(example, list) and schema["type"] != "array":
                    [example] = example
                parameter["example"] = example
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def configuration(term: TermPage) -> str:
    """Half of what is asked for by name is there."""
    known = {
        "path.term_id": [term.pk],
        "path.glossary_id": [term.get_parent().pk],
        "path.slug": [term.slug, term.category.slug],
        "query.q": ["embed", "number"],
    }
    values, uses = [], []
    for name, there in known.items():
        key = name.replace(".", "-")
        values.append(f"[dictionaries.{key}]\nvalues = {json.dumps(there)}\n")
        uses.append(f'"{name}" = {{ dictionary = "{key}", probability = 0.5 }}\n')
    return f"{''.join(values)}[parameters]\n{''.join(uses)}{NOTHING_IS_POSTED}"


def accepts(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Problem:
        return False
    return True


SPACES = st.sampled_from(["", " ", "\t \n", "\x1d", "\x85", "\xa0", "\ufeff", "\x00"])


@given(q=st.lists(SPACES | st.text(max_size=3), max_size=30).map("".join))
@pytest.mark.slow
def test_what_may_be_searched_for_is_what_the_document_says(q: str) -> None:
    assume(len(q) <= 200 and len(q.split()) <= MOST_WORDS)
    request = RequestFactory().get("/", {"q": q})
    assume(request.GET["q"] == q)  # not so with half of a surrogate pair
    for parameters in (TermSearchParameters, TermAutocompleteParameters):
        described = parameters.model_json_schema()["properties"]["q"]["pattern"]
        expected = re.search(described.replace("$", r"\Z"), q) is not None
        assert accepts(partial(parameters.read, request)) == expected


@pytest.mark.parametrize(
    ("number", "is_one"),
    [
        *(("7", True), ("7.0", True), ("7e0", True), ("7.5", False), ("0", False)),
        *(("true", False), ('"7"', False), ("1e15", False), ("1e400", False)),
    ],
)
def test_a_whole_number_may_be_posted_as_json_may_write_it(
    number: str, is_one: bool
) -> None:
    body = f'{{"ids": [{number}]}}'.encode()
    assert accepts(partial(TermBulkBody.read, body)) == is_one


@pytest.mark.slow
def test_answers_are_as_described_whatever_is_asked(
    live_server: LiveServer, term: TermPage, tmp_path: Path
) -> None:
    described = Client().get(f"{API}openapi.json").json()
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(of_this_site(described, term)), encoding="utf-8")
    config = tmp_path / "schemathesis.toml"
    config.write_text(configuration(term), encoding="utf-8")
    command = [
        Path(sys.executable).parent / "schemathesis",
        *("--config-file", config, "run", file),
        *("--url", f"{live_server.url}{API.rstrip('/')}"),
        *("--checks", "all", "--max-examples", EXAMPLES or FEW_EXAMPLES),
        *("--generation-database", "none", "--no-color", "--warnings", "off"),
        *(() if EXAMPLES else ("--seed", "1")),
        *("--continue-on-failure",),
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
