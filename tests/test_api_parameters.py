"""What can be asked of the API, and how a bad question is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from django.http import HttpRequest, QueryDict
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from typing_extensions import get_type_hints

from glossary.api.answers import TermItem
from glossary.api.fields import card, read_fields
from glossary.api.parameters import (
    Order,
    Parameters,
    TermBulkBody,
    TermListParameters,
    TermSearchParameters,
)
from glossary.api.problems import Problem
from glossary.delivery.documents import TermDocument, TermMeta
from glossary.delivery.listing import ORDERS


def read(query: str, parameters: type[Parameters] = TermListParameters) -> Any:
    return parameters.read(RequestFactory().get(f"/?{query}"))


def refused(query: str, parameters: type[Parameters] = TermListParameters) -> Any:
    with pytest.raises(Problem) as caught:
        read(query, parameters)
    assert caught.value.kind.status == 422
    return caught.value


# Values


def test_what_is_not_given_has_a_default() -> None:
    parameters = read("")
    assert (parameters.limit, parameters.offset, parameters.order) == (20, 0, "title")
    assert parameters.rich_text == "html"
    assert parameters.ids == parameters.tag == parameters.locale == ()


def test_several_values_are_repeated_or_stand_with_commas() -> None:
    parameters = read(
        "ids=1,2&ids=3&slugs=a,b&tag=a,b&tag=c&locale=en,fr&include=backlinks"
    )
    assert parameters.ids == (1, 2, 3)
    assert parameters.slugs == ("a", "b")
    assert parameters.tag == ("a,b", "c")  # a tag may have a comma in it
    assert parameters.locale == ("en", "fr")
    assert parameters.include == ("backlinks",)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T10:00:00Z",
        "2026-11-20T11:00:00%2B01:00",
        "2026-11-20T11:00:00+01:00",  # a plus sign that became a space
        "2026-11-20T10:00:00",
    ],
)
def test_a_time_is_read_in_utc(text: str) -> None:
    expected = datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert read(f"updated_after={text}").updated_after == expected


def test_a_date_stands_for_its_beginning() -> None:
    expected = datetime(2026, 11, 20, tzinfo=UTC)
    assert read("updated_after=2026-11-20").updated_after == expected


def test_white_space_between_words_says_nothing() -> None:
    assert read("q=%0a+vector%09 space+", TermSearchParameters).q == "vector space"


def test_orders_are_those_of_the_listing() -> None:
    both = {*ORDERS, *(f"-{name}" for name in ORDERS)}
    assert set(get_args(Order)) == both


# Refusals


@pytest.mark.parametrize(
    ("query", "name", "suggestion"),
    [
        ("lmit=3", "lmit", "limit"),
        ("Category=x", "Category", "category"),
        ("rich_text=mardown", "rich_text", "markdown"),
        ("order=titel", "order", "title"),
        ("include=backlink", "include", "backlinks"),
        ("zzzzz=1", "zzzzz", None),
        ("limit=0", "limit", None),
        ("limit=101", "limit", None),
        ("limit=x", "limit", None),
        ("limit=1_0", "limit", None),
        ("limit=%EF%BC%91", "limit", None),  # a digit, but not of ours
        ("limit=" + "9" * 5000, "limit", None),
        ("limit=", "limit", None),
        ("limit=3&limit=4", "limit", None),
        ("offset=-1", "offset", None),
        ("offset=100001", "offset", None),
        ("offset=99999999999999999999", "offset", None),
        ("ids=1,,2", "ids", None),
        ("ids=0", "ids", None),
        ("ids=2147483648", "ids", None),
        ("ids=" + ",".join(["1"] * 101), "ids", None),
        ("slugs=" + "x" * 256, "slugs", None),
        ("tag=%00", "tag", None),
        ("tag=", "tag", None),
        ("letter=123456789", "letter", None),
        ("&".join(["category=x"] * 21), "category", None),
        ("locale=e%0an", "locale", None),
        ("site=example.com%0a", "site", None),
        ("site=example.com:999999", "site", None),
        ("cursor=%22", "cursor", None),
        ("updated_after=yesterday", "updated_after", None),
        ("updated_after=0001-01-01T00:00:00%2B14:00", "updated_after", None),
        ("updated_after=0", "updated_after", None),
        ("updated_after=2026-13-01", "updated_after", None),
        ("%ff%fe=1", "��", None),
        ("a%00b=1", "a�b", None),
    ],
)
def test_what_is_wrong_is_named(query: str, name: str, suggestion: str | None) -> None:
    problem = refused(query)
    [found] = problem.faults
    assert found["loc"] == ["query", name]
    assert found["msg"]
    assert found.get("suggestion") == suggestion


def test_all_that_is_wrong_is_told_at_once() -> None:
    problem = refused("lmit=1&offset=x&order=y")
    assert {item["loc"][1] for item in problem.faults} == {"lmit", "offset", "order"}
    assert problem.kind.name == "unknown-parameter"
    assert refused("offset=x").kind.name == "invalid-parameter"


def test_a_client_gets_little_of_what_it_sent_back() -> None:
    problem = refused("&".join(f"{'x' * 5000}{n}=1" for n in range(100)))
    assert len(problem.response().content) < 6000


def test_too_many_parameters_are_refused(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
    refused("&".join(["tag=a"] * 2000))


@pytest.mark.parametrize(
    "query",
    ["", "q=", "q=" + "x" * 201, "q=" + "a+" * 21, "q=%00", "q=a%1bb", "q=a&q=b"],
)
def test_a_search_has_a_few_words(query: str) -> None:
    [found] = refused(query, TermSearchParameters).faults
    assert found["loc"] == ["query", "q"]


@given(st.lists(st.tuples(st.text(max_size=8), st.text()), max_size=5))
def test_any_query_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    query = QueryDict(mutable=True)
    for name, value in pairs:
        query.appendlist(name, value)
    request = HttpRequest()
    request.GET = query
    check(request)


@given(st.sampled_from(sorted(TermListParameters.names())), st.text())
def test_any_value_is_read_or_refused(name: str, value: str) -> None:
    request = HttpRequest()
    request.GET = QueryDict(mutable=True)
    request.GET[name] = value
    check(request)


def check(request: HttpRequest) -> None:
    try:
        TermListParameters.read(request)
    except Problem as problem:
        status = problem.response().status_code
    else:
        status = 200
    assert status in (200, 422)


# The body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"slug": ["a"]}',
        b'{"slugs": "a"}',
        b'{"slugs": [1]}',
        b'{"slugs": [""]}',
        b'{"slugs": ["\\u0000"]}',
        b'{"slugs": ["\\ud800"]}',
        b'{"ids": ["1"]}',
        b'{"ids": [true]}',
        b'{"ids": [1e400]}',
        b'{"ids": [99999999999999999999]}',
        b'{"ids": [%s1]}' % (b"1," * 1000),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_bad_body_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        TermBulkBody.read(body)
    assert caught.value.kind.name == "invalid-body"
    assert len(caught.value.response().content) < 5000


def test_a_body_is_read() -> None:
    body = TermBulkBody.read(b'{"slugs": ["a", "a"], "ids": [2]}')
    assert (body.slugs, body.ids) == (("a", "a"), (2,))


# Fields


DOCUMENT: dict[str, Any] = {
    "id": 1,
    "meta": {"type": "glossary.TermPage", "slug": "a", "locale": "en"},
    "title": "A",
    "short_definition": "An a.",
    "category": {"slug": "x", "name": "X"},
    "tags": ["t"],
    "faq": [{"type": "question", "value": {"question": "q", "answer": "a"}, "id": "1"}],
    "labels": [],
}
META = DOCUMENT["meta"]
CARD = ("id", "meta", "title", "short_definition")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("", ["id", "meta", "title", "short_definition"]),
        ("faq", ["id", "meta", "title", "short_definition", "faq"]),
        ("-title", ["id", "meta", "short_definition"]),
        ("*", [*DOCUMENT]),
        (
            "*,-faq,-labels",
            ["id", "meta", "title", "short_definition", "category", "tags"],
        ),
        ("_", ["id", "meta"]),
        ("_,tags", ["id", "meta", "tags"]),
        ("_,-id", None),
        ("-id,-meta", ["id", "meta", "title", "short_definition"]),
        ("_,id", ["id", "meta"]),
    ],
)
def test_fields_are_chosen(fields: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(Problem):
            read_fields(fields, TermDocument, CARD)
    else:
        found = read_fields(fields, TermDocument, CARD).of(DOCUMENT)
        assert list(found) == expected
        assert all(found[name] == DOCUMENT[name] for name in found if name != "meta")


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ("category(name)", "category", {"name": "X"}),
        ("category(-name)", "category", {"slug": "x"}),
        ("category(*,-slug)", "category", {"name": "X"}),
        ("faq(value(question))", "faq", [{"value": {"question": "q"}}]),
        ("faq(id,value(-answer))", "faq", [{"value": {"question": "q"}, "id": "1"}]),
        ("labels(text)", "labels", []),
        ("meta(slug)", "meta", {"slug": "a"}),
        ("_", "meta", {}),
        ("_,slug,locale", "meta", {"slug": "a", "locale": "en"}),
        ("-slug", "meta", {"type": "glossary.TermPage", "locale": "en"}),
        ("title", "meta", META),
    ],
)
def test_parts_of_fields_are_chosen(fields: str, name: str, expected: Any) -> None:
    found = read_fields(fields, TermDocument, CARD).of(DOCUMENT)
    assert found[name] == expected


def test_nothing_stays_nothing() -> None:
    document = {**DOCUMENT, "category": None}
    wanted = read_fields("category(name)", TermDocument, CARD)
    assert wanted.of(document)["category"] is None


@pytest.mark.parametrize(
    ("fields", "suggestion"),
    [
        ("titel", "title"),
        ("lables(text)", "labels"),
        ("faq(vlaue)", "value"),
        ("sulg", "slug"),
        ("provenance", None),
        ("title(x)", None),
        ("tags(x)", None),
        ("title,", None),
        ("title,,faq", None),
        ("title, faq", None),
        ("(", None),
        ("a" * 2001, None),
        ("(" * 30, None),
        ("faq(" * 21, None),
        ("*,title", None),
        ("\x00", None),
    ],
)
def test_fields_that_are_not_there_are_refused(
    fields: str, suggestion: str | None
) -> None:
    with pytest.raises(Problem) as caught:
        read_fields(fields, TermDocument, CARD)
    [found] = caught.value.faults
    assert found["loc"] == ["query", "fields"]
    assert found.get("suggestion") == suggestion


@given(st.text(alphabet="a*_-(),. \x00faqtielmvu", max_size=40))
def test_any_fields_are_read_or_refused(fields: str) -> None:
    try:
        wanted = read_fields(fields, TermDocument, CARD)
    except Problem:
        return
    found = wanted.of(DOCUMENT)
    assert found["id"] == 1
    TypeAdapter(TermItem).validate_python(found)


def test_a_card_is_a_part_of_a_document() -> None:
    assert list(card(TermDocument, CARD).of(DOCUMENT)) == list(CARD)


def test_the_type_of_an_item_follows_that_of_a_term() -> None:
    assert set(get_type_hints(TermItem)) == set(get_type_hints(TermDocument))
    schema = TypeAdapter(TermItem).json_schema()
    assert schema["required"] == ["id", "meta"]
    parts = schema["$defs"]
    assert set(parts["TermMetaPart"]["properties"]) == set(get_type_hints(TermMeta))
    assert all("required" not in part for part in parts.values())
