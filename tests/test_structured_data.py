from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from glossary.models import GlossaryPage, TermPage
from glossary.site.structured_data import (
    as_json,
    breadcrumb_list,
    defined_term,
    defined_term_set,
    faq_page,
    glossary_graph,
    term_graph,
)

from .factories import home_page, make_glossary, make_term, question


HOST = "http://localhost"


@pytest.fixture
def glossary(db: None) -> GlossaryPage:
    return make_glossary(
        "ai", title="AI", introduction="<p>Words of <b>AI</b>.</p><p>For all.</p>"
    )


# The vocabulary


# Of schema.org, what is used here: the properties of each type, and what they hold.
THING = {"name": "text", "alternateName": "text", "description": "text", "url": "url"}
WORK = {**THING, "inLanguage": "text", "license": "url", "mainEntity": "Question"}
VOCABULARY = {
    "DefinedTerm": {**THING, "inDefinedTermSet": "DefinedTermSet"},
    "DefinedTermSet": {**WORK, "hasDefinedTerm": "DefinedTerm"},
    "BreadcrumbList": {**THING, "itemListElement": "ListItem"},
    "ListItem": {**THING, "position": "number", "item": "url"},
    "FAQPage": WORK,
    "Question": {**WORK, "acceptedAnswer": "Answer"},
    "Answer": {**WORK, "text": "text"},
}
NEEDED = {
    "DefinedTerm": {"@id", "name", "description", "url"},
    "DefinedTermSet": {"@id", "name", "url"},
    "BreadcrumbList": {"itemListElement"},
    "ListItem": {"position", "name", "item"},
    "FAQPage": {"mainEntity"},
    "Question": {"name", "acceptedAnswer"},
    "Answer": {"text"},
}


def faults(data: dict[str, Any]) -> list[str]:
    """What is wrong with a document of JSON-LD."""
    objects = data.get("@graph", [data])
    found = [] if data.get("@context") == "https://schema.org" else ["@context"]
    if "@graph" in data and data.keys() != {"@context", "@graph"}:
        found.append("beside @graph")
    for item in objects:
        own = {name: value for name, value in item.items() if name != "@context"}
        if "@graph" in data and own.keys() != item.keys():
            found.append("@context in @graph")
        found += faults_of(own)
    return found


def faults_of(item: dict[str, Any]) -> Iterator[str]:
    kind = item.get("@type")
    if kind not in VOCABULARY:
        yield f"type {kind}"
        return
    for name in NEEDED[kind] - item.keys():
        yield f"{kind} without {name}"
    if "@id" in item and not is_address(item["@id"]):
        yield f"{kind} @id {item['@id']}"
    for name, value in item.items():
        if name in ("@type", "@id"):
            continue
        if name not in VOCABULARY[kind]:
            yield f"{kind} with {name}"
            continue
        if value in ("", None, []):
            yield f"{kind} with nothing as {name}"
        for each in value if isinstance(value, list) else [value]:
            yield from faults_of_value(f"{kind}.{name}", VOCABULARY[kind][name], each)
    positions = [each["position"] for each in item.get("itemListElement", [])]
    if positions != [*range(1, len(positions) + 1)]:
        yield f"positions {positions}"


def faults_of_value(place: str, expected: str, value: Any) -> Iterator[str]:
    is_right = {
        "text": isinstance(value, str),
        "url": isinstance(value, str) and is_address(value),
        "number": type(value) is int,
    }
    if expected in is_right:
        if not is_right[expected]:
            yield f"{place} is {value!r}"
    elif value.keys() == {"@id"}:  # which refers to one that is described elsewhere
        if not is_address(value["@id"]):
            yield f"{place} is {value!r}"
    elif value.get("@type") != expected:
        yield f"{place} is a {value.get('@type')}"
    else:
        yield from faults_of(value)


def is_address(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and " " not in text


@pytest.mark.parametrize(
    "data",
    [
        {"@type": "DefinedTerm"},
        {"@context": "https://schema.org", "@type": "Term"},
        {
            "@context": "https://schema.org",
            "@type": "DefinedTerm",
            "@id": "https://x.example",
            "name": "x",
            "description": "x",
            "url": "/x/",
        },
        {
            "@context": "https://schema.org",
            "@type": "BreadcrumbList",
            "itemListElement": [
                {"@type": "ListItem", "position": 2, "name": "x", "item": "http://x/"}
            ],
        },
        {
            "@context": "https://schema.org",
            "@graph": [{"@type": "FAQPage", "mainEntity": [{"@type": "Answer"}]}],
        },
        {
            "@context": "https://schema.org",
            "@type": "DefinedTerm",
            "@id": "http://x/",
            "name": "x",
            "description": "x",
            "url": "http://x/",
            "inLanguage": "en",  # which schema.org knows of works and events alone
        },
    ],
)
def test_the_validator_finds_faults(data: dict[str, Any]) -> None:
    assert faults(data)


# A term


def test_a_term_is_a_defined_term_of_its_glossary(glossary: GlossaryPage) -> None:
    term = make_term(
        glossary,
        "token",
        heading="What is a token?",
        short_definition="A token is a piece of text.",
        labels=[
            ("Subword", "synonym"),
            ("Tok", "abbreviation"),
            ("tokens", "inflection"),
            ("tokken", "hidden"),
        ],
    )
    data = defined_term(term, glossary, None)
    assert data == {
        "@context": "https://schema.org",
        "@type": "DefinedTerm",
        "@id": "http://localhost/ai/token/",
        "name": "Token",
        "alternateName": ["Subword", "Tok"],
        "description": "A token is a piece of text.",
        "url": "http://localhost/ai/token/",
        "inDefinedTermSet": {
            "@type": "DefinedTermSet",
            "@id": "http://localhost/ai/",
            "name": "AI",
            "url": "http://localhost/ai/",
            "inLanguage": "en",
        },
    }
    assert faults(data) == []


def test_the_page_of_a_term_and_the_api_say_the_same(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token", labels=["Subword", ("tokken", "hidden")])
    answer = Client().get("/ai/token/?format=jsonld")
    assert answer.json() == defined_term(term, glossary, None)


def test_what_a_term_does_not_have_is_left_out(db: None) -> None:
    term = TermPage(title="Token", short_definition="A piece of text.")
    assert defined_term(term, None, None) == {
        "@context": "https://schema.org",
        "@type": "DefinedTerm",
        "name": "Token",
        "description": "A piece of text.",
    }


# A glossary


def test_a_glossary_is_a_set_that_refers_to_terms(glossary: GlossaryPage) -> None:
    glossary.licence_url = "https://example.org/licence"
    urls = (f"{HOST}/ai/{slug}/" for slug in ("token", "weight"))
    data = defined_term_set(glossary, urls, None)
    assert data == {
        "@context": "https://schema.org",
        "@type": "DefinedTermSet",
        "@id": "http://localhost/ai/",
        "name": "AI",
        "description": "Words of AI. For all.",
        "url": "http://localhost/ai/",
        "inLanguage": "en",
        "license": "https://example.org/licence",
        "hasDefinedTerm": [
            {"@id": "http://localhost/ai/token/"},
            {"@id": "http://localhost/ai/weight/"},
        ],
    }
    assert faults(data) == []


def test_a_glossary_without_terms_refers_to_none(glossary: GlossaryPage) -> None:
    data = defined_term_set(glossary, [], None)
    assert "hasDefinedTerm" not in data
    assert faults(data) == []


# The way to a page


def test_the_way_to_a_page_ends_with_the_page(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token")
    home = home_page()
    data = breadcrumb_list([home, glossary], term, RequestFactory().get("/"))
    assert data is not None
    assert data["@type"] == "BreadcrumbList"
    assert data["itemListElement"] == [
        {"@type": "ListItem", "position": 1, "name": home.title, "item": f"{HOST}/"},
        {"@type": "ListItem", "position": 2, "name": "AI", "item": f"{HOST}/ai/"},
        {
            "@type": "ListItem",
            "position": 3,
            "name": "Token",
            "item": f"{HOST}/ai/token/",
        },
    ]
    assert faults(data) == []


def test_nothing_above_is_no_way(glossary: GlossaryPage) -> None:
    assert breadcrumb_list([], glossary, None) is None
    assert breadcrumb_list([], TermPage(title="Token"), None) is None


# Its questions


def test_questions_have_answers_as_text(glossary: GlossaryPage) -> None:
    hidden = make_term(glossary, "hidden", live=False)
    link = f'<a linktype="page" id="{hidden.pk}">that</a>'
    term = make_term(
        glossary,
        "token",
        faq=[
            question("Is it <b> a word?", f"<p>No, <b>not</b> &amp; {link}.</p>"),
            question("How many?", "<ul><li>One</li><li>Two</li></ul>"),
        ],
    )
    data = faq_page(term, None)
    assert data == {
        "@context": "https://schema.org",
        "@type": "FAQPage",
        "@id": "http://localhost/ai/token/#questions",
        "mainEntity": [
            {
                "@type": "Question",
                "name": "Is it <b> a word?",
                "acceptedAnswer": {"@type": "Answer", "text": "No, not & that."},
            },
            {
                "@type": "Question",
                "name": "How many?",
                "acceptedAnswer": {"@type": "Answer", "text": "- One\n- Two"},
            },
        ],
    }
    assert faults(data) == []


def test_a_question_without_an_answer_is_none(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token", faq=[question("Why?", "<p> </p>")])
    assert faq_page(term, None) is None
    assert faq_page(TermPage(title="Token"), None) is None


# All that a page says


def kinds(data: dict[str, Any]) -> list[str]:
    return [item["@type"] for item in data["@graph"]]


def test_a_term_says_all_of_it_in_one_graph(
    glossary: GlossaryPage, settings: Any
) -> None:
    term = make_term(glossary, "token", faq=[question("Why?", "<p>So.</p>")])
    above = [home_page(), glossary]
    data = term_graph(term, glossary, above, None)
    assert kinds(data) == ["DefinedTerm", "BreadcrumbList"]
    assert faults(data) == []
    settings.GLOSSARY_FAQ_STRUCTURED_DATA = True
    data = term_graph(term, glossary, above, None)
    assert kinds(data) == ["DefinedTerm", "BreadcrumbList", "FAQPage"]
    assert faults(data) == []


def test_a_glossary_says_all_of_it_in_one_graph(glossary: GlossaryPage) -> None:
    urls = [f"{HOST}/ai/token/"]
    data = glossary_graph(glossary, urls, [home_page()], None)
    assert kinds(data) == ["DefinedTermSet", "BreadcrumbList"]
    assert faults(data) == []


def test_a_page_that_is_not_stored_says_what_it_can(db: None, settings: Any) -> None:
    settings.GLOSSARY_FAQ_STRUCTURED_DATA = True
    term = TermPage(title="Token", faq=[question("Why?", "<p>So.</p>")])
    assert kinds(term_graph(term, None, [], None)) == ["DefinedTerm", "FAQPage"]
    assert kinds(glossary_graph(GlossaryPage(title="AI"), [], [], None)) == [
        "DefinedTermSet"
    ]


# As JSON


@pytest.mark.parametrize(
    "text",
    ["</script><script>alert(1)</script>", "<!--", "a & b", "\u2028\u2029", 'say "so"'],
)
def test_no_text_ends_the_script_element(text: str) -> None:
    written = as_json({"name": text})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"name": text}


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_the_json_means_what_was_given(data: dict[str, Any]) -> None:
    written = as_json(data)
    assert "<" not in written
    assert json.loads(written) == data
