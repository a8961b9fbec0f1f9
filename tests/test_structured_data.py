from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from glossary.delivery.overview import glossary_overview
from glossary.models import GlossaryPage, TermPage
from glossary.site.structured_data import as_json, defined_term, defined_term_set

from .factories import make_glossary, make_term


@pytest.fixture
def glossary(db: None) -> GlossaryPage:
    return make_glossary(
        "ai", title="AI", introduction="<p>Words of <b>AI</b>.</p><p>For all.</p>"
    )


def set_data(glossary: GlossaryPage, **query: str) -> dict[str, Any]:
    request = RequestFactory().get("/", query)
    return defined_term_set(glossary, glossary_overview(glossary, request), request)


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
    assert defined_term(term, glossary, None) == {
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
        },
    }


def test_what_a_term_does_not_have_is_left_out(db: None) -> None:
    term = TermPage(title="Token", short_definition="A piece of text.")
    assert defined_term(term, None, None) == {
        "@context": "https://schema.org",
        "@type": "DefinedTerm",
        "name": "Token",
        "description": "A piece of text.",
    }


def test_a_glossary_is_a_set_that_refers_to_its_public_terms(
    glossary: GlossaryPage,
) -> None:
    glossary.licence_url = "https://example.org/licence"
    make_term(glossary, "token", labels=["Subword"])
    make_term(glossary, "secret", live=False)
    assert set_data(glossary) == {
        "@context": "https://schema.org",
        "@type": "DefinedTermSet",
        "@id": "http://localhost/ai/",
        "name": "AI",
        "description": "Words of AI. For all.",
        "url": "http://localhost/ai/",
        "inLanguage": "en",
        "license": "https://example.org/licence",
        "hasDefinedTerm": [{"@id": "http://localhost/ai/token/"}],
    }


def test_a_set_refers_to_the_terms_that_are_shown(glossary: GlossaryPage) -> None:
    make_term(glossary, "token")
    make_term(glossary, "weight")
    shown = set_data(glossary, letter="W")["hasDefinedTerm"]
    assert shown == [{"@id": "http://localhost/ai/weight/"}]


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
