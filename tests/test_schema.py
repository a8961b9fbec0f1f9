from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import FrozenInstanceError, fields
from typing import TYPE_CHECKING, Any

import pytest
from django.utils.text import slugify as django_slugify
from hypothesis import given
from hypothesis import strategies as st

from glossary.payload.devalue import (
    UNDEFINED,
    JSMap,
    JSSet,
    LimitError,
    NullProto,
    PayloadError,
    Sparse,
    Tagged,
    dumps,
    loads,
)
from glossary.payload.schema import (
    FIELDS,
    MAX_LENGTHS,
    ComparisonPayload,
    LabelPayload,
    Presence,
    Problem,
    QuestionPayload,
    RelatedTermPayload,
    SchemaError,
    SectionPayload,
    TermPayload,
    find_term,
    parse_term,
    slugify,
    to_record,
)


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def record(**changes: Any) -> dict[str, Any]:
    """A whole record, in the order of a payload."""
    return {
        "slug": "token",
        "term": "Token",
        "shortDefinition": "The smallest piece of text that a model reads.",
        "seoTitle": "Token: a piece of text",
        "seoDescription": "What tokens are and how they are counted.",
        "h1": "What is a token?",
        "explanation": "A model reads *tokens*.\n\nA word has one or more.",
        "howItWorks": "A table maps pieces to numbers.",
        "inChatbots": "Tokens are what a reply costs.",
        "vsRelatedConcepts": [{"term": "Word", "comparison": "Words are longer."}],
        "relatedTerms": [{"slug": "embedding", "name": "Embedding"}],
        "relatedFeatures": ["features/counter"],
        "faq": [{"question": "How long is one?", "answer": "Some four letters."}],
        "category": "models",
        **changes,
    }


def short(**changes: Any) -> dict[str, Any]:
    return {"slug": "token", "term": "Token", **changes}


def parsed(value: object) -> TermPayload:
    return parse_term(value).term


def warnings(value: object) -> set[tuple[str, str]]:
    problems = parse_term(value).problems
    assert {problem.level for problem in problems} <= {"warning"}
    return {(problem.pointer, problem.code) for problem in problems}


def errors(value: object, pointer: str = "") -> set[tuple[str, str]]:
    with pytest.raises(SchemaError) as caught:
        parse_term(value, pointer=pointer)
    return {
        (problem.pointer, problem.code)
        for problem in caught.value.problems
        if problem.level == "error"
    }


# Finding


def test_a_record_is_found_under_its_data_key() -> None:
    found = find_term({"data": {"$fKey/1": short()}, "prerenderedAt": UNDEFINED})

    assert found.record == short()
    assert found.pointer == "/data/$fKey~11"
    assert found.key == "$fKey/1"


@pytest.mark.parametrize(
    ("value", "pointer", "key"),
    [
        pytest.param(short(), "", None, id="bare"),
        pytest.param({"data": short()}, "/data", None, id="data itself"),
        pytest.param({"data": [short()]}, "/data/0", None, id="nuxt 2"),
        pytest.param({"data": {"k": {"page": short()}}}, "/data/k/page", "k", id="in"),
        pytest.param({"a~b": [0, {"x": short()}]}, "/a~0b/1/x", None, id="escaped"),
        pytest.param(Tagged("Ref", short()), "", None, id="wrapped"),
        pytest.param(
            Tagged("Reactive", {"data": Tagged("Site", {"k": Tagged("Ref", short())})}),
            "/data/k",
            "k",
            id="wrapped all over",
        ),
        pytest.param(JSSet([1, short()]), "/1", None, id="set"),
        pytest.param(JSMap([("a", 1), ("b", short())]), "/1/1", None, id="map"),
        pytest.param(Sparse(9, {7: short()}), "/7", None, id="sparse"),
        pytest.param(NullProto({"a": NullProto(short())}), "/a", None, id="null proto"),
        pytest.param({"data": {"\x00\ud800": short()}}, "/data/��", "��", id="hostile"),
    ],
)
def test_a_record_is_found_by_its_shape(
    value: object, pointer: str, key: str | None
) -> None:
    found = find_term(value)

    assert (found.record, found.pointer, found.key) == (short(), pointer, key)


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        pytest.param("b", "B, whole", id="the slug, and of two the fuller"),
        pytest.param("c", "C", id="the slug before the number of fields"),
        pytest.param("none", "B, whole", id="most fields without that slug"),
        pytest.param(None, "B, whole", id="most fields without a slug"),
        pytest.param("cafe\u0301", "Café", id="the slug in another normal form"),
    ],
)
def test_of_several_records_the_best_is_chosen(slug: str | None, expected: str) -> None:
    value = {
        "nav": [{"slug": "b", "term": "B"}, {"slug": "c", "term": "C"}],
        "teasers": [{"slug": "caf\u00e9", "term": "Café"}],
        "data": {"k": {"slug": "b", "term": "B, whole", "h1": "", "faq": []}},
    }

    assert find_term(value, slug=slug).record["term"] == expected


def test_of_equal_records_the_nearest_then_the_first_is_chosen() -> None:
    deep = {"a": {"a": {"slug": "x", "term": "deep"}}}
    near = [{"slug": "x", "term": "first"}, {"slug": "x", "term": "second"}]

    assert find_term({"deep": deep, "near": near}).record["term"] == "first"


def test_undefined_members_do_not_make_a_record() -> None:
    value = [{"slug": "a", "term": UNDEFINED, "h1": "", "faq": []}, short()]

    assert find_term(value).pointer == "/1"
    assert "h1" not in find_term(short(h1=UNDEFINED)).record


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "no object in it has both “slug” and “term”"),
        (None, "no object in it has both"),
        ([{"slug": "a"}, {"term": "b"}], "no object in it has both"),
        ({"error": True, "statusCode": 404, "message": "Gone\x00"}, "404: Gone\ufffd"),
        ({"error": True, "status": 500}, "error page, status 500"),
        (
            {"data": {"k": Tagged("NuxtError", {"statusCode": 410})}},
            "error page, status 410",
        ),
    ],
)
def test_a_payload_without_a_term_is_an_error(value: object, message: str) -> None:
    with pytest.raises(PayloadError, match=re.escape(message)) as caught:
        find_term(value)

    assert str(caught.value).startswith("no term in this payload: ")


def test_an_error_beside_a_term_is_passed_over() -> None:
    nuxt_error = Tagged("NuxtError", {"statusCode": 404})

    assert find_term({"_errors": {"k": nuxt_error}, "data": {"k": short()}}).key == "k"


def test_cycles_are_walked_once() -> None:
    value: dict[str, Any] = {"data": {"k": short()}}
    value["self"] = value["data"]["self"] = value

    assert find_term(value).key == "k"


def test_shared_values_are_walked_once_but_not_laid_out_without_limit() -> None:
    laughs: list[Any] = []
    for _ in range(60):
        laughs = [laughs, laughs]

    assert find_term([laughs, short()]).pointer == "/1"
    with pytest.raises(LimitError):
        find_term(short(more=laughs))


def test_deep_payloads_are_walked_without_recursion() -> None:
    value: Any = short()
    for _ in range(50_000):
        value = [Tagged("Ref", value)]

    assert find_term(value).pointer == "/0" * 50_000


def test_a_record_inside_itself_is_an_error() -> None:
    value = short()
    value["self"] = value

    with pytest.raises(PayloadError, match="inside itself"):
        find_term(value)


# Reading


def test_every_field_is_read() -> None:
    term = parsed(
        record(
            labels=["Piece", {"text": "TOK", "kind": "abbreviation"}],
            aliases=["Symbol"],
            tags=["text", "cost"],
            rating={"stars": [4, 5]},
        )
    )

    assert term == TermPayload(
        slug="token",
        term="Token",
        short_definition="The smallest piece of text that a model reads.",
        seo_title="Token: a piece of text",
        seo_description="What tokens are and how they are counted.",
        heading="What is a token?",
        explanation="A model reads *tokens*.\n\nA word has one or more.",
        how_it_works="A table maps pieces to numbers.",
        in_chatbots="Tokens are what a reply costs.",
        comparisons=(ComparisonPayload("Word", "Words are longer."),),
        related_terms=(RelatedTermPayload("embedding", "Embedding", "related"),),
        related_features=("features/counter",),
        faq=(QuestionPayload("How long is one?", "Some four letters."),),
        category="models",
        labels=(
            LabelPayload("Piece", "synonym", "ignore"),
            LabelPayload("TOK", "abbreviation", "exact"),
            LabelPayload("Symbol", "synonym", "ignore"),
        ),
        tags=("text", "cost"),
        extra={"rating": {"stars": [4, 5]}},
    )


def test_a_record_needs_no_more_than_slug_and_term() -> None:
    term = parsed(short())

    assert term == TermPayload("token", "Token")
    present = {name for name, how in term.presence.items() if how is Presence.VALUE}
    assert present == {"slug", "term"}


def test_a_term_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        parsed(short()).slug = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "attribute", "expected"),
    [
        ({}, "heading", Presence.ABSENT),
        ({"h1": UNDEFINED}, "heading", Presence.ABSENT),
        ({"h1": None}, "heading", Presence.NULL),
        ({"h1": ""}, "heading", Presence.EMPTY),
        ({"h1": " \n"}, "heading", Presence.EMPTY),
        ({"h1": "x"}, "heading", Presence.VALUE),
        ({"explanation": " "}, "explanation", Presence.VALUE),
        ({}, "faq", Presence.ABSENT),
        ({"faq": None}, "faq", Presence.NULL),
        ({"faq": []}, "faq", Presence.EMPTY),
        ({"faq": [{"question": "?", "answer": "!"}]}, "faq", Presence.VALUE),
        ({}, "labels", Presence.ABSENT),
        ({"aliases": None}, "labels", Presence.NULL),
        ({"labels": None, "aliases": []}, "labels", Presence.EMPTY),
        ({"aliases": ["x"]}, "labels", Presence.VALUE),
    ],
)
def test_null_empty_and_absent_are_told_apart(
    changes: dict[str, Any], attribute: str, expected: Presence
) -> None:
    result = parse_term(short(**changes))

    assert result.problems == ()
    assert result.term.presence[attribute] is expected
    assert result.term.presence.keys() == FIELDS.keys()


@pytest.mark.parametrize(
    ("slug", "problem"),
    [
        ("Plain-slug_9", None),
        ("2024", None),
        ("抽象化", None),
        ("été", None),
        (" token\n", None),
        ("a b", "not-a-slug"),
        ("a/b", "not-a-slug"),
        ("a.b", "not-a-slug"),
        ("a\x0bb", None),
        ("", "empty"),
        (" ", "empty"),
        (None, "null"),
        (UNDEFINED, "missing"),
        (7, "wrong-type"),
        (["a"], "wrong-type"),
    ],
)
def test_a_term_needs_a_slug(slug: object, problem: str | None) -> None:
    if problem:
        assert errors({"slug": slug, "term": "T"}) == {("/slug", problem)}
    else:
        assert re.fullmatch(r"[-\w]+", parsed({"slug": slug, "term": "T"}).slug)


@pytest.mark.parametrize(
    "value", [None, 1, 1.5, True, "text", [], [{"slug": "a", "term": "b"}]]
)
def test_a_record_is_an_object(value: object) -> None:
    assert errors(value, "/0") == {("/0", "wrong-type")}


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("term", 5, "/term"),
        ("term", {}, "/term"),
        ("h1", False, "/h1"),
        ("explanation", ["x"], "/explanation"),
        ("category", {"slug": "x"}, "/category"),
        ("faq", "x", "/faq"),
        ("faq", {"question": "x"}, "/faq"),
        ("faq", ["x"], "/faq/0"),
        ("faq", [{"question": "x", "answer": "y"}, {"question": 1}], "/faq/1/question"),
        ("vsRelatedConcepts", [{"term": "x", "comparison": 2}], "/…/0/comparison"),
        ("relatedTerms", ["x"], "/relatedTerms/0"),
        ("relatedTerms", [{"slug": 3, "name": "x"}], "/relatedTerms/0/slug"),
        ("relatedTerms", [{"slug": "x", "name": []}], "/relatedTerms/0/name"),
        (
            "relatedTerms",
            [{"slug": "x", "name": "x", "kind": 1}],
            "/relatedTerms/0/kind",
        ),
        ("relatedFeatures", [1], "/relatedFeatures/0"),
        ("relatedFeatures", [{"path": "x"}], "/relatedFeatures/0"),
        ("labels", [1], "/labels/0"),
        ("labels", [{"text": 1}], "/labels/0/text"),
        ("labels", [{"text": "x", "caseRule": 1}], "/labels/0/caseRule"),
        ("aliases", [True], "/aliases/0"),
        ("tags", [[]], "/tags/0"),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error(
    field: str, value: object, pointer: str
) -> None:
    pointer = pointer.replace("…", "vsRelatedConcepts")

    assert errors(short(**{field: value}), "/data/k") == {
        (f"/data/k{pointer}", "wrong-type")
    }


def test_errors_are_reported_all_at_once_with_the_warnings() -> None:
    value = {"term": 1, "faq": [{"question": "q", "answer": 2}], "h1": "a\x00"}

    with pytest.raises(SchemaError) as caught:
        parse_term(value, pointer="/0")

    assert set(map(str, caught.value.problems)) == {
        "error at /0/slug: a term needs its slug (missing)",
        "error at /0/term: a text expected, a number found (wrong-type)",
        "error at /0/faq/0/answer: a text expected, a number found (wrong-type)",
        "warning at /0/h1: NUL characters are removed (nul-removed)",
    }
    assert "/0/slug" in str(caught.value)
    assert "warning" not in str(caught.value)


def test_a_long_list_of_errors_is_cut_in_the_message_only() -> None:
    with pytest.raises(SchemaError, match=r"; and 7 more$") as caught:
        parse_term(short(tags=list(range(10))))

    assert len(caught.value.problems) == 10


def test_a_problem_of_the_whole_record_reads_well() -> None:
    assert str(Problem("error", "", "code", "text")) == "error: text (code)"


@pytest.mark.parametrize(
    ("kind", "make", "pointer"),
    [
        ("slug", lambda text: {"slug": text}, "/slug"),
        ("term", lambda text: {"term": text}, "/term"),
        ("shortDefinition", None, ""),
        ("seoTitle", None, ""),
        ("seoDescription", None, ""),
        ("h1", None, ""),
        ("explanation", None, ""),
        ("howItWorks", None, ""),
        ("inChatbots", None, ""),
        ("category", None, ""),
        (
            "comparison",
            lambda text: {"vsRelatedConcepts": [{"term": "a", "comparison": text}]},
            "/vsRelatedConcepts/0/comparison",
        ),
        (
            "term",
            lambda text: {"vsRelatedConcepts": [{"term": text, "comparison": "a"}]},
            "/vsRelatedConcepts/0/term",
        ),
        (
            "name",
            lambda text: {"relatedTerms": [{"slug": "a", "name": text}]},
            "/relatedTerms/0/name",
        ),
        (
            "slug",
            lambda text: {"relatedTerms": [{"slug": text, "name": "a"}]},
            "/relatedTerms/0/slug",
        ),
        ("feature", lambda text: {"relatedFeatures": [text]}, "/relatedFeatures/0"),
        (
            "question",
            lambda text: {"faq": [{"question": text, "answer": "a"}]},
            "/faq/0/question",
        ),
        (
            "answer",
            lambda text: {"faq": [{"question": "a", "answer": text}]},
            "/faq/0/answer",
        ),
        ("label", lambda text: {"labels": [text]}, "/labels/0"),
        ("label", lambda text: {"labels": [{"text": text}]}, "/labels/0/text"),
        ("label", lambda text: {"aliases": [text]}, "/aliases/0"),
        ("tag", lambda text: {"tags": [text]}, "/tags/0"),
    ],
)
def test_a_text_has_a_greatest_length(
    kind: str, make: Callable[[str], dict[str, Any]] | None, pointer: str
) -> None:
    make = make or (lambda text: {kind: text})
    limit = MAX_LENGTHS[kind]

    assert parse_term(short(**make("x" * limit))).problems == ()
    with pytest.raises(SchemaError) as caught:
        parse_term(short(**make("x" * (limit + 1))), pointer="/data/k")

    (problem,) = caught.value.problems
    pointer = pointer or f"/{kind}"
    assert (problem.code, problem.pointer) == ("too-long", f"/data/k{pointer}")
    assert problem.message == (
        f"{pointer[1:]} has {limit + 1} characters, limit {limit}"
    )


@pytest.mark.parametrize(
    ("field", "entry"),
    [
        ("vsRelatedConcepts", lambda n: {"term": "t", "comparison": "c"}),
        ("relatedTerms", lambda n: {"slug": f"s{n}", "name": "n"}),
        ("relatedFeatures", lambda n: f"path/{n}"),
        ("faq", lambda n: {"question": "q", "answer": "a"}),
        ("labels", lambda n: f"label {n}"),
        ("aliases", lambda n: f"alias {n}"),
        ("tags", lambda n: f"tag {n}"),
    ],
)
def test_a_list_has_a_greatest_length(field: str, entry: Callable[[int], Any]) -> None:
    limit = MAX_LENGTHS["entries"]
    entries = [entry(n) for n in range(limit + 1)]

    assert parse_term(short(**{field: entries[:limit]})).problems == ()
    assert errors(short(**{field: entries})) == {(f"/{field}", "too-long")}


def test_labels_and_aliases_together_have_a_greatest_length() -> None:
    limit = MAX_LENGTHS["entries"]
    labels = [f"label {n}" for n in range(limit)]

    assert errors(short(labels=labels, aliases=["one more"])) == {
        ("/labels", "too-long")
    }


@pytest.mark.parametrize(
    ("text", "line", "prose", "code"),
    [
        ("plain", "plain", "plain", None),
        ("  two\t words \n", "two words", "  two\t words \n", None),
        ("a\r\nb\rc", "a b c", "a\nb\nc", None),
        ("a\u2028b\u0085c", "a b c", "a\u2028b\u0085c", None),
        ("a\u00a0b\u3000c", "a\u00a0b\u3000c", "a\u00a0b\u3000c", None),
        ("e\u0301t\u00e9", "été", "été", "normalised"),
        ("\u212b", "\u00c5", "\u00c5", "normalised"),
        ("a\x00b", "ab", "ab", "nul-removed"),
        ("a\x01\x0c\x1fb", "ab", "ab", "control-removed"),
        ("a\x7fb", "a\x7fb", "a\x7fb", None),
        ("a\ud800b\udc00", "a\ufffdb\ufffd", "a\ufffdb\ufffd", "surrogate-replaced"),
        ("\U0001f600", "\U0001f600", "\U0001f600", None),
    ],
)
def test_text_is_made_fit_for_a_database(
    text: str, line: str, prose: str, code: str | None
) -> None:
    value = short(
        seoTitle=text,
        explanation=text,
        vsRelatedConcepts=[{"term": text, "comparison": text}],
        relatedTerms=[{"slug": "x", "name": text}],
        faq=[{"question": text, "answer": text}],
        labels=[text],
        tags=[text],
    )

    term = parsed(value)

    assert term.seo_title == line
    assert term.explanation == prose
    assert term.comparisons == (ComparisonPayload(line, prose),)
    assert term.related_terms[0].name == line
    assert term.faq == (QuestionPayload(line, prose),)
    assert term.labels == (LabelPayload(line),)
    assert term.tags == (line,)
    pointers = {
        "/seoTitle",
        "/explanation",
        "/vsRelatedConcepts/0/term",
        "/vsRelatedConcepts/0/comparison",
        "/relatedTerms/0/name",
        "/faq/0/question",
        "/faq/0/answer",
        "/labels/0",
        "/tags/0",
    }
    assert warnings(value) == ({(at, code) for at in pointers} if code else set())


@pytest.mark.parametrize(
    ("category", "slug", "name"),
    [
        ("models", "models", ""),
        ("Models", "Models", ""),
        ("プロパティ", "プロパティ", ""),
        ("Proprietà grafica", "proprietà-grafica", "Proprietà grafica"),
        ("R & D", "r-d", "R & D"),
        ("", "", ""),
        (None, "", ""),
    ],
)
def test_a_category_is_a_slug_or_a_name(
    category: str | None, slug: str, name: str
) -> None:
    value = short(category=category)
    term = parsed(value)

    assert warnings(value) == set()
    assert (term.category, term.category_name) == (slug, name)
    assert to_record(term)["category"] == (category or "")


def test_a_category_that_gives_no_slug_is_left_out() -> None:
    assert warnings(short(category="?!")) == {("/category", "empty")}
    assert parsed(short(category="?!")).category == ""


@pytest.mark.parametrize(
    ("entry", "expected", "codes"),
    [
        ({"slug": "a", "name": "A"}, ("a", "A", "related"), {}),
        ({"slug": "a", "name": "A", "kind": None}, ("a", "A", "related"), {}),
        ({"slug": "a", "name": "A", "kind": "broader"}, ("a", "A", "broader"), {}),
        (
            {"slug": "a", "name": "A", "kind": "rival"},
            ("a", "A", "related"),
            {"/kind": "unknown-value"},
        ),
        ({"slug": "/a/", "name": "A"}, ("a", "A", "related"), {"/slug": "derived"}),
        (
            {"slug": "/fr/a/?x=1#part", "name": "A"},
            ("a", "A", "related"),
            {"/slug": "derived"},
        ),
        ({"slug": "a#part", "name": "A"}, ("a", "A", "related"), {"/slug": "derived"}),
        ({"slug": "A b", "name": "C"}, ("a-b", "C", "related"), {"/slug": "derived"}),
        (
            {"slug": "#part", "name": "Big Ö"},
            ("big-ö", "Big Ö", "related"),
            {"/slug": "derived"},
        ),
        ({"name": "Big Ö"}, ("big-ö", "Big Ö", "related"), {"/slug": "derived"}),
        ({"slug": "a"}, ("a", "a", "related"), {"/name": "empty"}),
        (
            {"slug": "a", "name": "A", "since": 1, "x\x00": 2},
            ("a", "A", "related"),
            {"": "unknown-field"},
        ),
        (None, None, {"": "null"}),
        ({"slug": "token", "name": "T"}, None, {"": "self-link"}),
        ({"slug": "/token/"}, None, {"": "self-link", "/slug": "derived"}),
        ({"slug": "first", "name": "Again"}, None, {"": "duplicate"}),
    ],
)
def test_related_terms_are_made_sound(
    entry: object, expected: tuple[str, str, str] | None, codes: dict[str, str]
) -> None:
    value = short(relatedTerms=[{"slug": "first", "name": "First"}, entry])

    first, *rest = parsed(value).related_terms

    assert first == RelatedTermPayload("first", "First")
    assert rest == ([RelatedTermPayload(*expected)] if expected else [])
    assert warnings(value) == {
        (f"/relatedTerms/1{at}", code) for at, code in codes.items()
    }


@pytest.mark.parametrize(
    "entry", [{}, {"slug": "", "name": None}, {"name": "?"}, {"slug": "/", "name": ""}]
)
def test_a_related_term_without_slug_and_name_is_an_error(
    entry: dict[str, Any],
) -> None:
    assert errors(short(relatedTerms=[entry])) == {("/relatedTerms/0", "missing")}


@pytest.mark.parametrize(
    ("entry", "expected", "codes"),
    [
        ({"question": "Q", "answer": ""}, ("Q", ""), {"/answer": "empty"}),
        ({"answer": "A"}, ("", "A"), {"/question": "empty"}),
        ({"question": " ", "answer": None}, None, {"": "empty"}),
        ({}, None, {"": "empty"}),
        (None, None, {"": "null"}),
        (
            {"question": "Q", "answer": "A", "id": 1},
            ("Q", "A"),
            {"": "unknown-field"},
        ),
    ],
)
def test_questions_that_say_something_are_kept(
    entry: object, expected: tuple[str, str] | None, codes: dict[str, str]
) -> None:
    value = short(faq=[entry])

    assert parsed(value).faq == ((QuestionPayload(*expected),) if expected else ())
    assert warnings(value) == {(f"/faq/0{at}", code) for at, code in codes.items()}


@pytest.mark.parametrize(
    ("entry", "expected", "code"),
    [
        ("Piece", LabelPayload("Piece"), None),
        ({"text": "Piece"}, LabelPayload("Piece"), None),
        (
            {"text": "TOK", "kind": "abbreviation"},
            LabelPayload("TOK", "abbreviation", "exact"),
            None,
        ),
        (
            {"text": "TOK", "kind": "abbreviation", "caseRule": "ignore"},
            LabelPayload("TOK", "abbreviation", "ignore"),
            None,
        ),
        (
            {"text": "x", "kind": "hidden", "caseRule": "first"},
            LabelPayload("x", "hidden", "first"),
            None,
        ),
        ({"text": "x", "kind": "plural"}, LabelPayload("x"), "/kind unknown-value"),
        (
            {"text": "x", "caseRule": "any"},
            LabelPayload("x"),
            "/caseRule unknown-value",
        ),
        ({"text": "x", "lang": "en"}, LabelPayload("x"), " unknown-field"),
        ("", None, " empty"),
        ({"kind": "hidden"}, None, "/text empty"),
        ("TOKEN", None, " duplicate"),
        ("straße", None, " duplicate"),
    ],
)
def test_labels_are_texts_or_objects(
    entry: object, expected: LabelPayload | None, code: str | None
) -> None:
    value = short(labels=["STRASSE", entry])

    assert parsed(value).labels[1:] == ((expected,) if expected else ())
    expected_warnings = set()
    if code:
        at, code = code.split(" ")
        expected_warnings = {(f"/labels/1{at}", code)}
    assert warnings(value) == expected_warnings


@pytest.mark.parametrize(
    ("path", "expected", "code"),
    [
        ("features/x", "features/x", None),
        ("/features/x/", "features/x/", None),
        ("// /x", "x", None),
        ("https://example.com/x", "https://example.com/x", None),
        ("/", None, "empty"),
        (None, None, "null"),
        ("/first", None, "duplicate"),
    ],
)
def test_features_are_paths_without_a_leading_slash(
    path: str | None, expected: str | None, code: str | None
) -> None:
    value = short(relatedFeatures=["first", path])

    assert parsed(value).related_features[1:] == ((expected,) if expected else ())
    assert warnings(value) == ({("/relatedFeatures/1", code)} if code else set())


def test_double_tags_are_left_out() -> None:
    value = short(tags=["a", "b", " a "])

    assert parsed(value).tags == ("a", "b")
    assert warnings(value) == {("/tags/2", "duplicate")}


def test_unknown_fields_are_kept_as_they_came() -> None:
    extra = {
        "locale": "fr",
        "when": None,
        "deep": {"list": [1, 2.5, True, "a\r\ne\u0301\x01 "]},
    }

    result = parse_term({**extra, **short()})

    assert result.term.extra == extra
    assert result.problems == ()


def test_unknown_fields_hold_nothing_that_a_database_refuses() -> None:
    value = short(
        **{"x\x00": {"\ud800": ["a\x00", "\udfff", float("nan"), float("-inf")]}}
    )

    assert parsed(value).extra == {"x�": {"�": ["a", "�", None, None]}}
    assert warnings(value) == {
        ("/x�", "nul-removed"),
        ("/x�", "surrogate-replaced"),
        ("/x�", "not-finite"),
    }


def test_unknown_fields_may_not_nest_without_end() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]

    assert errors(short(deep=deep)) == {("/deep", "too-deep")}


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Alignment Tax", "alignment-tax"),
        ("  C++ / C#  ", "c-c"),
        ("Ünïcode Ⅸ", "ünïcode-ix"),
        ("語彙 集", "語彙-集"),
        ("-_a_-", "a"),
        ("?!", ""),
        ("", ""),
    ],
)
def test_a_slug_is_made_as_django_makes_it(name: str, slug: str) -> None:
    assert slugify(name) == slug == django_slugify(name, allow_unicode=True)


def test_a_slug_made_of_a_long_name_fits() -> None:
    assert len(slugify("\ufdfa" * 255)) <= MAX_LENGTHS["slug"]


# Writing


def test_a_record_comes_back_as_it_was() -> None:
    value = record(labels=[], tags=["a"], more={"x": 1})

    assert json.dumps(to_record(parsed(value))) == json.dumps(value)


def test_what_a_record_lacks_is_written_empty_but_labels_and_tags() -> None:
    written = to_record(parsed(short()))

    assert list(written) == list(record())
    assert written["faq"] == []
    assert written["h1"] == ""
    assert "labels" not in to_record(TermPayload("token", "Token"))


def test_labels_tags_and_kinds_are_written_when_there_are_any() -> None:
    term = TermPayload(
        "token",
        "Token",
        related_terms=(RelatedTermPayload("x", "X", "contrast"),),
        labels=(LabelPayload("TOK", "abbreviation", "exact"),),
        tags=("a",),
    )

    written = to_record(term)

    assert written["relatedTerms"] == [{"slug": "x", "name": "X", "kind": "contrast"}]
    assert written["labels"] == [
        {"text": "TOK", "kind": "abbreviation", "caseRule": "exact"}
    ]
    assert written["tags"] == ["a"]
    assert parsed(written) == term


def test_unknown_fields_cannot_stand_in_for_known_ones() -> None:
    term = TermPayload("token", "Token", extra={"slug": "x", "aliases": ["y"], "z": 1})

    written = to_record(term)

    assert (written["slug"], written["z"], "aliases" in written) == ("token", 1, False)


def test_every_attribute_of_a_term_has_a_name_in_the_record() -> None:
    attributes = {field.name for field in fields(TermPayload)}

    assert attributes - FIELDS.keys() == {"extra", "presence"}


# Anything at all

_texts = st.one_of(
    st.text(st.characters(codec=None), max_size=8),
    st.sampled_from(["token", "/a/", "a#b", "A b", "e\u0301", "\x00", "\ud800", " "]),
)
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)
    ),
    max_leaves=6,
)


def _objects(*names: str) -> st.SearchStrategy[Any]:
    text = st.one_of(_texts, _texts, _texts, st.none())
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, text))


def _lists(entries: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.lists(entries, max_size=4))


_likely = st.fixed_dictionaries(
    {"slug": st.sampled_from(["token", "e\u0301te", "a\x00"]), "term": _texts},
    optional={
        "h1": _texts,
        "explanation": st.one_of(st.none(), _texts),
        "vsRelatedConcepts": _lists(_objects("term", "comparison", "slug")),
        "relatedTerms": _lists(_objects("slug", "name", "kind")),
        "relatedFeatures": _lists(_texts),
        "faq": _lists(_objects("question", "answer")),
        "category": _texts,
        "labels": _lists(st.one_of(_texts, _objects("text", "kind", "caseRule"))),
        "aliases": _lists(_texts),
        "tags": _lists(_texts),
        "categoryName": _texts,
        "sections": _lists(
            st.fixed_dictionaries(
                {"kind": st.sampled_from(["history", "explanation"])},
                optional={"heading": _texts, "text": _texts},
            )
        ),
        "featureLabels": st.dictionaries(_texts, _texts, max_size=3),
        "extra": _json,
        "slug\x00": _json,
    },
)
_anything = st.one_of(
    _json,
    st.dictionaries(st.sampled_from([*FIELDS.values(), "aliases", "x"]), _json),
    _likely,
    _likely,
)


@given(_anything)
@pytest.mark.slow
def test_anything_gives_a_storable_term_or_every_error(value: object) -> None:
    try:
        term = parse_term(value).term
    except SchemaError as error:
        written = " ".join(map(str, error.problems))
        if "error" not in {problem.level for problem in error.problems}:
            pytest.fail("refused without an error")
    else:
        assert parse_term(to_record(term)).term == term
        assert unicodedata.is_normalized("NFC", f"{term.slug} {term.term}")
        written = json.dumps(to_record(term), ensure_ascii=False, allow_nan=False)
    written.encode()
    assert "\x00" not in written
    assert "\\u0000" not in written


@given(_likely)
def test_parsing_what_was_parsed_finds_nothing_new(value: object) -> None:
    try:
        term = parse_term(value).term
    except SchemaError:
        return
    again = parse_term(to_record(term)).problems
    # What is half there stays half there; all else was put right the first time.
    assert {problem.code for problem in again} <= {"empty"}


@given(_json, _likely)
@pytest.mark.slow
def test_a_record_is_found_in_anything(value: object, term: dict[str, Any]) -> None:
    found = find_term([value, {"data": {"key": term}}], slug=term["slug"])

    assert found.pointer == "/1/data/key"


# Real inputs


def test_the_real_payload_comes_back_as_it_was(
    shared_data: Callable[[str], Path],
) -> None:
    text = shared_data("seed/_payload.json").read_text(encoding="utf-8")
    value = loads(text)

    found = find_term(value)
    result = parse_term(found.record, pointer=found.pointer)

    assert result.problems == ()
    assert found.pointer == f"/data/{found.key}"
    assert json.dumps(to_record(result.term)) == json.dumps(found.record)
    assert isinstance(value, dict)
    value["data"] = Tagged("ShallowReactive", {found.key or "": to_record(result.term)})
    assert dumps(value) == text


@pytest.mark.parametrize("locale", ["de", "en", "fr", "ja", "ur"])
def test_real_records_lose_nothing(
    locale: str, shared_data: Callable[[str], Path]
) -> None:
    path = shared_data(f"cncf/terms.{locale}.jsonl")
    for line in path.read_text(encoding="utf-8").splitlines():
        value = json.loads(line)
        result = parse_term(find_term(value).record)
        written = to_record(result.term)
        labels = written.pop("labels")

        assert result.problems == ()
        assert written == {k: v for k, v in value.items() if k != "aliases"}
        assert [label["text"] for label in labels] == value["aliases"]


# What exports add


def test_fields_of_complete_exports_are_read() -> None:
    term = parsed(
        short(
            category="models",
            categoryName="Language models",
            sections=[
                {"kind": "explanation", "heading": "", "text": "E\r\n"},
                {"kind": "history", "heading": " Its  past ", "text": ""},
                {"kind": "history", "text": "H"},
            ],
            relatedFeatures=["a/b", "/c"],
            featureLabels={"/c": "See C", "a/b": "A  B"},
            vsRelatedConcepts=[
                {"term": "Word", "comparison": "Longer.", "slug": "word"},
                {"term": "Byte", "comparison": "Shorter."},
            ],
        )
    )

    assert (term.category, term.category_name) == ("models", "Language models")
    assert term.sections == (
        SectionPayload("explanation", "", "E\n"),
        SectionPayload("history", "Its past", ""),
        SectionPayload("history", "", "H"),
    )
    assert term.feature_labels == {"a/b": "A B", "c": "See C"}
    assert term.comparisons == (
        ComparisonPayload("Word", "Longer.", "word"),
        ComparisonPayload("Byte", "Shorter.", ""),
    )
    assert parsed(to_record(term)) == term


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sections": {}}, {("/sections", "wrong-type")}),
        ({"sections": ["x"]}, {("/sections/0", "wrong-type")}),
        ({"sections": [{"text": "x"}]}, {("/sections/0/kind", "missing")}),
        ({"sections": [{"kind": 1, "text": ""}]}, {("/sections/0/kind", "wrong-type")}),
        (
            {"sections": [{"kind": "In depth", "text": "x"}]},
            {("/sections/0/kind", "not-a-kind")},
        ),
        (
            {"sections": [{"kind": "k", "heading": "x" * 256, "text": "x"}]},
            {("/sections/0/heading", "too-long")},
        ),
        (
            {"sections": [{"kind": "k", "text": []}]},
            {("/sections/0/text", "wrong-type")},
        ),
        ({"featureLabels": []}, {("/featureLabels", "wrong-type")}),
        (
            {"relatedFeatures": ["a"], "featureLabels": {"a": 1}},
            {("/featureLabels/a", "wrong-type")},
        ),
        (
            {"featureLabels": {str(n): "x" for n in range(501)}},
            {("/featureLabels", "too-long")},
        ),
        ({"categoryName": []}, {("/categoryName", "wrong-type")}),
        (
            {"vsRelatedConcepts": [{"term": "x", "comparison": "y", "slug": 1}]},
            {("/vsRelatedConcepts/0/slug", "wrong-type")},
        ),
    ],
)
def test_faults_of_what_exports_add_are_errors(
    changes: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    assert errors(short(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sections": [{"kind": "k"}]}, {("/sections/0", "empty")}),
        ({"sections": [None]}, {("/sections/0", "null")}),
        (
            {"sections": [{"kind": "k", "text": "x", "id": 1}]},
            {("/sections/0", "unknown-field")},
        ),
        (
            {"relatedFeatures": ["a"], "featureLabels": {"b/c": "x", "a": "A"}},
            {("/featureLabels/b~1c", "unknown-feature")},
        ),
        (
            {"vsRelatedConcepts": [{"term": "x", "comparison": "y", "slug": "/a/b/"}]},
            {("/vsRelatedConcepts/0/slug", "derived")},
        ),
        ({"categoryName": "?"}, {("/categoryName", "empty")}),
    ],
)
def test_oddities_of_what_exports_add_are_warnings(
    changes: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    assert warnings(short(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "category", "name", "written"),
    [
        ({"category": "models"}, "models", "", {"category": "models"}),
        (
            {"category": "Big models"},
            "big-models",
            "Big models",
            {"category": "Big models"},
        ),
        (
            {"category": "models", "categoryName": "Big models"},
            "models",
            "Big models",
            {"category": "models", "categoryName": "Big models"},
        ),
        (
            {"categoryName": "Big models"},
            "big-models",
            "Big models",
            {"category": "big-models", "categoryName": "Big models"},
        ),
        (
            {"category": "models", "categoryName": None},
            "models",
            "",
            {"category": "models", "categoryName": ""},
        ),
    ],
)
def test_a_category_has_a_slug_and_a_name(
    changes: dict[str, Any], category: str, name: str, written: dict[str, str]
) -> None:
    term = parsed(short(**changes))
    record = to_record(term)

    assert (term.category, term.category_name) == (category, name)
    assert term.presence["category"] is Presence.VALUE
    assert {key: record[key] for key in record if key.startswith("cat")} == written
    assert parsed(record) == term


def test_a_term_that_was_made_here_is_written_with_slug_and_name() -> None:
    term = TermPayload("a", "A", category="big-models", category_name="Big models")

    record = to_record(term)

    assert (record["category"], record["categoryName"]) == ("big-models", "Big models")
    assert parsed(record) == term


@pytest.mark.parametrize(
    ("changes", "attribute", "expected"),
    [
        ({}, "sections", Presence.ABSENT),
        ({"sections": None}, "sections", Presence.NULL),
        ({"sections": []}, "sections", Presence.EMPTY),
        ({"sections": [{"kind": "k", "text": "x"}]}, "sections", Presence.VALUE),
        ({"featureLabels": {}}, "feature_labels", Presence.EMPTY),
        ({}, "category_name", Presence.ABSENT),
        ({"categoryName": "X"}, "category", Presence.VALUE),
    ],
)
def test_the_presence_of_what_exports_add_is_told(
    changes: dict[str, Any], attribute: str, expected: Presence
) -> None:
    assert parsed(short(**changes)).presence[attribute] is expected


def test_what_exports_add_is_written_only_when_there_is_any() -> None:
    added = {"sections", "featureLabels", "categoryName", "labels", "tags"}

    assert not added & to_record(TermPayload("a", "A")).keys()
    assert to_record(parsed(short(sections=[])))["sections"] == []
