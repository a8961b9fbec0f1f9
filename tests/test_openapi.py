"""The OpenAPI document of our API: right, complete, and the same as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from wagtail.api.v3.urls import api as shared

from glossary.api.urls import api
from glossary.models import GlossaryPage, TermPage

from .factories import (
    comparison,
    feature,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)


API = "/api/glossary/v1/"
SNAPSHOT = Path(__file__).parent / "openapi.json"
BASE = "https://schemas.example/openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(json.dumps(api.get_openapi_schema(path_prefix=API)))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolve(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    for part in value["$ref"].removeprefix("#/").split("/"):
        document = document[part]
    return document


def check(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    """Fails unless the value is valid by the schema, which may refer to others."""
    whole = Resource.from_contents(document, default_specification=DRAFT202012)
    registry = Registry().with_resource(BASE, whole)
    pointed = json.loads(json.dumps(schema).replace('"#/', f'"{BASE}#/'))
    validator = Draft202012Validator(
        pointed,
        registry=registry,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    validator.validate(value)


def test_it_is_the_one_that_was_agreed(document: dict[str, Any]) -> None:
    """``UPDATE_OPENAPI=1`` writes it anew: a change of it is a change of the contract,
    for the changelog."""
    written = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_OPENAPI") == "1":
        SNAPSHOT.write_text(written, encoding="utf-8")
    assert written == SNAPSHOT.read_text(encoding="utf-8")


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_each_operation_says_what_there_is_to_say(document: dict[str, Any]) -> None:
    ids = []
    for _path, method, operation in operations(document):
        ids.append(operation["operationId"])
        assert operation["operationId"].startswith("glossary_")
        assert operation["summary"]
        assert operation["description"]
        assert operation["tags"] == ["Glossary"]
        assert operation["security"] == [{}, {"BearerTokenAuth": []}]
        assert {"200", "401", "422"} <= set(operation["responses"])
        assert ("304" in operation["responses"]) == (method == "get")
    assert len(set(ids)) == len(ids)


def test_every_number_and_text_that_is_asked_for_is_bounded(
    document: dict[str, Any],
) -> None:
    for _path, _method, operation in operations(document):
        for parameter in operation["parameters"]:
            assert_bounded(parameter["schema"])


def assert_bounded(schema: dict[str, Any]) -> None:
    kind = schema["type"]
    if kind == "integer":
        assert {"minimum", "maximum"} <= set(schema)
    elif kind == "string":
        assert {"maxLength", "enum", "pattern", "format"} & set(schema)
    elif kind == "array":
        assert "maxItems" in schema
        assert_bounded(schema["items"])


def test_problems_have_their_type(document: dict[str, Any]) -> None:
    for _path, _method, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"]
                media = response["content"]["application/problem+json"]
                assert media["schema"] == {
                    "$ref": "#/components/schemas/GlossaryProblem"
                }
                assert media["example"]["status"] == int(status)


def test_headers_are_described(document: dict[str, Any]) -> None:
    detail = document["paths"]["/terms/by-slug/{slug}/"]["get"]["responses"]
    assert set(detail["200"]["headers"]) == {"ETag", "Last-Modified", "Cache-Control"}
    assert "Location" in detail["301"]["headers"]
    assert "WWW-Authenticate" in detail["401"]["headers"]
    search = document["paths"]["/search/"]["get"]["responses"]
    assert "Retry-After" in search["429"]["headers"]


def test_examples_are_valid(document: dict[str, Any]) -> None:
    count = 0
    for _path, _method, operation in operations(document):
        for parameter in operation["parameters"]:
            if "example" in parameter:
                check(document, parameter["schema"], parameter["example"])
                count += 1
        for response in operation["responses"].values():
            for media in response.get("content", {}).values():
                if "example" in media:
                    check(document, media["schema"], media["example"])
                    count += 1
    for header in document["components"]["headers"].values():
        if "example" in header:
            check(document, header["schema"], header["example"])
    assert count > 50


def test_streams_are_typed_block_by_block(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    term = schemas["TermDocument"]
    for name, block in (
        ("explanation", "TermSectionBlock"),
        ("comparisons", "TermComparisonBlock"),
        ("faq", "TermQuestionBlock"),
        ("related_features", "TermFeatureBlock"),
    ):
        items = term["properties"][name]["items"]
        assert items == {"$ref": f"#/components/schemas/{block}"}
        assert schemas[block]["properties"]["type"]["const"]
        assert set(schemas[block]["required"]) == {"type", "value", "id"}
    optional = {"backlinks", "structured_data"}
    assert set(term["properties"]) - set(term["required"]) == optional


def test_names_of_schemas_are_ours(document: dict[str, Any]) -> None:
    names = list(document["components"]["schemas"])
    assert all(name.startswith(("Term", "Glossary")) for name in names)


@pytest.mark.django_db
def test_it_is_served_once_made(client: Client) -> None:
    url = f"{API}openapi.json"
    response = client.get(url)
    assert response["Content-Type"] == "application/json"
    served = response.json()
    assert served["servers"] == [{"url": API.rstrip("/")}]
    assert served == json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    etag = {"If-None-Match": response["ETag"]}
    assert client.get(url, headers=etag).status_code == 304
    assert client.head(url)["Content-Length"] == response["Content-Length"]


@pytest.mark.django_db
def test_there_is_a_page_to_read(client: Client, settings: Any) -> None:
    response = client.get(f"{API}", follow=True)
    assert response.redirect_chain == [("docs/", 302)]
    text = response.content.decode()
    assert "List terms" in text
    assert "<script" not in text
    assert "style=" not in text
    assert "unless <code>fields</code> asks" in text
    assert "`" not in text
    values = "integer, from 1, up to 100, by default 20"
    assert f"<code>limit</code> <small>{values}</small>" in text
    assert "<code>ids</code> <small>array of integer, from 1" in text
    for path in ("", "docs/", "openapi.json"):
        options = client.options(f"{API}{path}")
        assert (options.status_code, options["Allow"]) == (204, "GET, HEAD, OPTIONS")
    settings.WAGTAILAPI_DOCS_ENABLED = False
    for path in ("docs/", "openapi.json"):
        hidden = client.get(f"{API}{path}")
        assert hidden.status_code == 404
        assert hidden["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_wagtails_document_has_our_endpoints_too(document: dict[str, Any]) -> None:
    theirs = json.loads(
        json.dumps(shared.get_openapi_schema(path_prefix=""), default=str)
    )
    ours = {
        operation["operationId"]: path for path, _m, operation in operations(document)
    }
    found = {
        operation["operationId"]: path
        for path, _method, operation in operations(theirs)
        if operation["operationId"].startswith("glossary_")
    }
    assert found == {name: f"/glossary{path}" for name, path in ours.items()}
    for name, schema in document["components"]["schemas"].items():
        assert theirs["components"]["schemas"][name] == schema
    assert "BearerTokenAuth" in theirs["components"]["securitySchemes"]


# What is answered is what is described


@pytest.fixture
def term() -> TermPage:
    cache.clear()
    glossary: GlossaryPage = make_glossary("ai")
    known = make_related_term(glossary, "vector")
    term = make_term(
        glossary,
        "embedding",
        category=make_category("models"),
        tags=["data"],
        labels=["text vector", ("hidden one", "hidden")],
        related_terms=[known],
        explanation=[section("<p>A list of numbers.</p>", heading="More")],
        comparisons=[comparison("Token", "<p>Shorter.</p>", known)],
        faq=[question("Why?", "<p>Because.</p>")],
        related_features=[feature("/search", "Search")],
    )
    make_term(
        glossary, "token", related_terms=[make_related_term(glossary, "embedding")]
    )
    return term


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "terms/",
        "terms/?fields=*&include=backlinks,structured_data",
        "terms/?fields=_,slug,faq(value(question)),category(name),labels(text)",
        "terms/{term_id}/",
        "terms/{term_id}/?include=backlinks,structured_data&rich_text=db_html",
        "terms/by-slug/{slug}/",
        "terms/by-path/?path=/ai/embedding/",
        "terms/by-path/?path=/nothing/",
        "terms/{term_id}/backlinks/",
        "terms/bulk/?slugs=embedding,nothing",
        "autocomplete/?q=emb",
        "search/?q=numbers&facets=category,letter,tag",
        "search/?q=nothing",
        "search/?q=a&nope=1",
        "glossaries/",
        "glossaries/{glossary_id}/",
        "categories/",
        "related-terms/",
        "letters/",
        "graph/",
        "changes/",
        "payload/{slug}/",
        "payload/{slug}/_payload.json",
    ],
)
def test_answers_are_as_described(
    client: Client, document: dict[str, Any], term: TermPage, path: str
) -> None:
    values = {
        "term_id": term.pk,
        "slug": "embedding",
        "glossary_id": term.get_parent().pk,
    }
    response = client.get(f"{API}{path.format(**values)}")
    operation = document["paths"][f"/{path.partition('?')[0]}"]["get"]
    described = operation["responses"][str(response.status_code)]
    media_type = response["Content-Type"].partition(";")[0]
    check(document, described["content"][media_type]["schema"], response.json())
    for name in described.get("headers", {}):
        header = resolve(document, described["headers"][name])
        value: Any = response.get(name)
        if name == "Last-Modified" and value is None:
            continue  # something has changed in this very second
        check(document, header["schema"], value)
