from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.payload.field_map import FieldMap, FieldMapError
from glossary.payload.finding import find_term
from glossary.payload.schema import SectionPayload, parse_term
from glossary.payload.values import PayloadError


if TYPE_CHECKING:
    from pathlib import Path

MAP: dict[str, Any] = {
    "fields": {
        "id": "slug",
        "title.rendered": "term",
        "name": "term",
        "summary": "shortDefinition",
        "questions": "faq",
    },
    "sections": {
        "body": "explanation",
        "acf.history": {"kind": "history", "heading": "Where it comes from"},
        "limits": "limits",
    },
    "entries": {"faq": {"q": "question", "a.text": "answer"}},
    "ignore": ["_links", "acf.internal"],
}


def mapped(record: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return FieldMap.from_dict({**MAP, **changes}).apply(record)


def test_a_record_is_put_into_our_names() -> None:
    record = {
        "id": "token",
        "title": {"rendered": "Token", "raw": "token"},
        "summary": "A piece.",
        "questions": [{"q": "How long?", "a": {"text": "Short."}}, "?"],
        "body": "It *is*.",
        "acf": {"history": "Old.", "internal": "x", "level": 2},
        "_links": {"self": []},
        "more": 1,
    }
    before = copy.deepcopy(record)

    found = mapped(record)

    assert found == {
        "slug": "token",
        "term": "Token",
        "shortDefinition": "A piece.",
        "faq": [{"question": "How long?", "answer": "Short."}, "?"],
        "sections": [
            {"kind": "explanation", "heading": "", "text": "It *is*."},
            {"kind": "history", "heading": "Where it comes from", "text": "Old."},
        ],
        "title": {"raw": "token"},
        "acf": {"level": 2},
        "more": 1,
    }
    assert record == before


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"name": "N", "term": "T"}, {"term": "N"}),
        ({"name": None, "term": "T"}, {"term": "T"}),
        ({"name": None}, {"term": None}),
        (
            {"title": {"rendered": "R"}, "name": "N"},
            {"term": "R", "name": "N"},
        ),
        ({"title": {"rendered": None}, "name": "N"}, {"term": "N"}),
        ({"title.rendered": "dotted"}, {"term": "dotted"}),
        ({"title": "text"}, {"title": "text"}),
        ({"summary": ""}, {"shortDefinition": ""}),
        ({}, {}),
    ],
)
def test_the_first_name_with_something_in_it_is_taken(
    record: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert mapped(record) == expected


# Sections


BUILT_IN = {"intro": "explanation", "mechanics": "how_it_works"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"intro": "I"}, {"explanation": "I"}),
        ({"intro": "I", "inChatbots": "C"}, {"explanation": "I", "inChatbots": "C"}),
        ({"intro": "", "howItWorks": "H"}, {"explanation": "", "howItWorks": "H"}),
        ({"intro": None, "explanation": "E"}, {"explanation": "E"}),
        ({}, {}),
    ],
)
def test_a_section_of_a_built_in_kind_is_a_field(
    record: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert FieldMap.from_dict({"sections": BUILT_IN}).apply(record) == expected


def kinds(record: dict[str, Any], sections: dict[str, Any]) -> list[tuple[str, str]]:
    found = FieldMap.from_dict({"sections": sections}).apply(record)
    assert not {"explanation", "howItWorks", "inChatbots"} & found.keys()
    return [(entry["kind"], entry["text"]) for entry in found["sections"]]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(
            {"past": "P", "inChatbots": "C", "explanation": "E", "howItWorks": ""},
            [("explanation", "E"), ("in_chatbots", "C"), ("history", "P")],
            id="the built-in ones come first, in their order",
        ),
        pytest.param(
            {"explanation": "E"},
            [("explanation", "E")],
            id="even if there are no others",
        ),
        pytest.param({"explanation": "", "past": None}, [], id="none"),
        pytest.param(
            {"past": "P", "intro": "I"},
            [("explanation", "I"), ("history", "P")],
            id="a mapped one in the place of its field",
        ),
        pytest.param(
            {"past": "P", "intro": "I", "explanation": "E"},
            [("explanation", "E"), ("history", "P"), ("explanation", "I")],
            id="a mapped one beside its field",
        ),
        pytest.param(
            {"past": "P", "sections": [{"kind": "k", "heading": "", "text": "S"}]},
            [("k", "S"), ("history", "P")],
            id="a list of its own",
        ),
    ],
)
def test_with_other_sections_the_list_is_complete(
    record: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    sections = {"past": "history", "intro": "explanation"}

    assert kinds(record, sections) == expected


def test_a_record_without_any_section_has_no_list() -> None:
    assert mapped({"id": "a"}) == {"slug": "a"}


def test_mapped_sections_make_a_term() -> None:
    record = {"id": "a", "name": "A", "acf": {"history": "Old."}, "howItWorks": "H"}

    term = parse_term(mapped(record)).term

    assert term.sections == (
        SectionPayload("how_it_works", "", "H"),
        SectionPayload("history", "Where it comes from", "Old."),
    )
    assert term.how_it_works == ""


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "body",
                "limits",
                "explanation",
                "howItWorks",
                "sections",
                "acf",
                "title",
                "id",
            ]
        ),
        st.none()
        | st.text(max_size=3)
        | st.integers()
        | st.lists(st.none() | st.text(max_size=2), max_size=2)
        | st.dictionaries(
            st.sampled_from(["history", "rendered"]), st.text(max_size=2)
        ),
    )
)
def test_what_a_map_gives_depends_on_the_record_alone(record: dict[str, Any]) -> None:
    field_map = FieldMap.from_dict(MAP)
    before = copy.deepcopy(record)

    first = field_map.apply(record)

    assert first == field_map.apply(json.loads(json.dumps(record)))
    assert list(first) == list(field_map.apply(record))
    assert record == before


# Finding


def test_a_term_is_found_by_the_mapped_names() -> None:
    field_map = FieldMap.from_dict(MAP)
    record = {"id": "b", "title": {"rendered": "B"}, "summary": "x"}
    value = {"menu": [{"id": "a", "name": "A"}], "data": {"k": {"page": record}}}

    found = find_term(value, field_map=field_map)

    assert (found.record, found.pointer, found.key) == (record, "/data/k/page", "k")
    assert find_term(value, slug="a", field_map=field_map).pointer == "/menu/0"
    with pytest.raises(PayloadError, match=r"has both “id” and “title\.rendered”"):
        find_term({"x": 1}, field_map=field_map)
    with pytest.raises(PayloadError, match="has both “slug” and “term”"):
        find_term(value)


# What a map must be


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "an object of names expected"),
        ({"field": {}}, "'field': no part of a field map. Did you mean 'fields'?"),
        ({"fields": []}, "'fields': an object of names expected"),
        (
            {"fields": {"x": "short_definition"}},
            "'fields.x': there is no field 'short_definition'. Did you mean"
            " 'shortDefinition'?",
        ),
        ({"fields": {"x": "Faqs"}}, "Did you mean 'faq'?"),
        ({"fields": {"x": "heading"}}, "Did you mean 'h1'?"),
        ({"fields": {"x": "zzzzzz"}}, "There are slug, term, "),
        ({"fields": {"x": 1}}, "'fields.x': the name of a field expected, 1 found"),
        ({"fields": {"a..b": "term"}}, "'fields.a..b': a name, or names with a dot"),
        ({"fields": {"": "term"}}, "a name, or names with a dot"),
        (
            {"sections": {"x": "How it works"}},
            "'sections.x': 'How it works' is no kind",
        ),
        ({"sections": {"x": 1}}, "'sections.x': a kind of section expected"),
        ({"sections": {"x": {"heading": "X"}}}, "a kind of section expected"),
        ({"sections": {"x": {"kind": "a", "titel": ""}}}, "a section has no 'titel'"),
        ({"sections": {"x": {"kind": "a", "heading": 1}}}, "a heading is a text"),
        (
            {"sections": {"x": {"kind": "a", "heading": "x" * 256}}},
            "a heading is a text",
        ),
        ({"entries": {"tags": {}}}, "'entries.tags': there is no field 'tags'"),
        (
            {"entries": {"faq": {"q": "qestion"}}},
            "'entries.faq.q': there is no field 'qestion'. Did you mean 'question'?",
        ),
        ({"entries": {"faq": []}}, "'entries.faq': an object of names expected"),
        ({"ignore": "x"}, "'ignore': a list of names expected"),
        ({"ignore": [1]}, "'ignore': a name expected, 1 found"),
        ({"fields": {"x": "term"}, "ignore": ["x"]}, "'x': spoken of twice"),
        ({"fields": {"x": "term"}, "sections": {"x": "a"}}, "'x': spoken of twice"),
        ({"fields": {"x": "term", "x.y": "h1"}}, "'x.y': spoken of as a part of 'x'"),
    ],
)
def test_an_unsound_map_says_what_is_wrong(data: object, message: str) -> None:
    with pytest.raises(FieldMapError) as caught:
        FieldMap.from_dict(data, source="map.json")

    assert str(caught.value).startswith("map.json:")
    assert message in str(caught.value)


def test_a_map_is_read_from_json_and_toml(tmp_path: Path) -> None:
    as_json, as_toml = tmp_path / "map.json", tmp_path / "map.toml"
    as_json.write_text("\ufeff" + json.dumps(MAP), encoding="utf-8")
    as_toml.write_text(
        """
        ignore = ["_links", "acf.internal"]
        [fields]
        id = "slug"
        "title.rendered" = "term"
        name = "term"
        summary = "shortDefinition"
        questions = "faq"
        [sections]
        body = "explanation"
        "acf.history" = { kind = "history", heading = "Where it comes from" }
        limits = "limits"
        [entries.faq]
        q = "question"
        "a.text" = "answer"
        """
    )

    assert FieldMap.load(as_json) == FieldMap.load(as_toml) == FieldMap.from_dict(MAP)
    assert FieldMap.load(as_json).fingerprint == FieldMap.from_dict(MAP).fingerprint


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("map.json", b"{", "map.json: not JSON: "),
        ("map.toml", b"fields = ", "map.toml: not TOML: "),
        ("map.json", b"\xff", "map.json: not UTF-8"),
        ("map.json", b"[" * 100_000, "it says nothing that can be read"),
        ("map.json", b'{"a":' + b"9" * 5_000 + b"}", "it says nothing that can be"),
        ("map.json", b" " * 2_000_000, "larger than 1,048,576 bytes"),
        ("map.json", b'{"field": {}}', "Did you mean 'fields'?"),
        ("map.json", None, "cannot be read: No such file"),
    ],
)
def test_a_map_that_cannot_be_read_names_its_file(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(FieldMapError) as caught:
        FieldMap.load(path)

    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"fields": {"id": "slug"}},
        {"sections": {"limits": "limits"}},
        {"sections": {**MAP["sections"], "limits": {"kind": "limits", "heading": "L"}}},
        {"entries": {}},
        {"ignore": []},
        {"fields": dict(reversed(MAP["fields"].items()))},
    ],
)
def test_another_map_has_another_fingerprint(change: dict[str, Any]) -> None:
    first = FieldMap.from_dict(MAP).fingerprint

    assert first != FieldMap.from_dict({**MAP, **change}).fingerprint
    assert len(first) == 16
