from __future__ import annotations

import pytest

from glossary.models import GlossaryPage, TermLabel, TermPage

from .factories import (
    comparison,
    make_category,
    make_glossary,
    make_term,
    question,
    section,
)


@pytest.fixture
def glossary(db: None) -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def term(glossary: GlossaryPage) -> TermPage:
    term = make_term(
        glossary,
        "large-language-model",
        title="Large language model",
        short_definition="A network that predicts vocabulary.",
        explanation=[section("<p>Trained on prodigious corpora.</p>")],
        comparisons=[comparison("Chatbot", "<p>A chatbot converses.</p>")],
        faq=[question("Is it sentient?", "<p>Improbable.</p>")],
        labels=["LLM", ("larje language model", "hidden")],
        category=make_category("models"),
    )
    make_term(glossary, "token")
    return term


@pytest.mark.parametrize(
    "query",
    [
        "language",
        "LLM",
        "larje",
        "vocabulary",
        "prodigious",
        "converses",
        "sentient",
        "improbable",
    ],
)
def test_a_term_is_found_by_every_part_of_it(term: TermPage, query: str) -> None:
    assert list(TermPage.objects.search(query)) == [term]


@pytest.mark.parametrize("query", ["lar", "LL", "large lan"])
def test_a_term_is_suggested_by_the_start_of_its_names(
    term: TermPage, query: str
) -> None:
    assert list(TermPage.objects.autocomplete(query)) == [term]


def test_the_name_weighs_more_than_a_mention(glossary: GlossaryPage) -> None:
    mention = make_term(
        glossary, "aa", explanation=[section("<p>Long text with one token in it.</p>")]
    )
    named = make_term(glossary, "token", short_definition="Short.")
    assert list(TermPage.objects.search("token")) == [named, mention]


def test_search_is_filtered_by_category(term: TermPage) -> None:
    matching = TermPage.objects.filter(category=term.category)
    assert list(matching.search("language")) == [term]
    assert list(matching.search("token")) == []


def test_a_new_label_is_found_at_once(term: TermPage) -> None:
    term.labels.add(TermLabel(text="Chatterbox"))
    term.save_revision().publish()
    assert list(TermPage.objects.search("chatterbox")) == [term]
