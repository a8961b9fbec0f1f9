"""What a search finds, in which order, and what it cannot be made to tell."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from wagtail.models import PageViewRestriction, Site
from wagtail.search import index

from glossary.delivery import catalogue
from glossary.delivery.documents import TermHit
from glossary.delivery.listing import TermQuery
from glossary.delivery.scope import ScopeGlossary, make_scope
from glossary.delivery.search import (
    Results,
    engines,
    finding,
    highlight,
    is_transactional,
    load_hits,
    search_terms,
)
from glossary.delivery.search.highlights import Sought, sought
from glossary.delivery.search.words import split
from glossary.models import GlossaryPage, PublicTerm, TermLabel, TermPage

from .extension.models import CourseTermPage
from .factories import (
    comparison,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)


on_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="it is PostgreSQL's"
)
FALLBACK = {"default": {"BACKEND": "modelsearch.backends.database.fallback"}}

# With what a query is put together from, and what no database can hold.
HOSTILE = [
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\ud800",
        "\udfff\ud800 x",
        "'",
        '"',
        '"""',
        "\\",
        "%",
        "%s",
    ),
    *(
        "%(x)s",
        "{",
        "}",
        "{title} : x",
        "title:x",
        "NOT",
        "AND",
        "OR x",
        "NEAR(a b, 2)",
    ),
    *(
        "a AND",
        "(",
        ")))",
        "*",
        "x*",
        "^x",
        "-x",
        "+",
        "x:*",
        "!",
        "& |",
        "<->",
        "a <-> b",
    ),
    *(
        "'x':*",
        "the",
        "the of a",
        "++",
        "C++",
        "C#",
        "a/b/c.d?e=f#g",
        "x@y.z",
        "http://x/",
    ),
    *(
        "\u200f\u202e",
        "\u202eshalom",
        "שלום",
        "🦜",
        "e\u0301",
        "\u0301",
        "\u0627\u0653",
    ),
    *("x" * 5_000, "x " * 5_000, "-" * 500, "'" * 500, "\\" * 500, "('" * 200),
    *("; DROP TABLE x; --", "$1", "?", ":x", "\ufffe", "\U0010ffff", "ﬀ", "İ", "ß"),
]


@pytest.fixture
def glossary(db: None) -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def term(glossary: GlossaryPage) -> TermPage:
    return make_term(
        glossary,
        "large-language-model",
        title="Large language model",
        heading="Whence its eloquence?",
        short_definition="A network that predicts vocabulary.",
        explanation=[section("<p>Trained on prodigious corpora.</p>", heading="Saga")],
        comparisons=[comparison("Parrot", "<p>A parrot converses.</p>")],
        faq=[question("Is it sentient?", "<p>Improbable.</p>")],
        labels=["LLM", ("larje language model", "hidden")],
        category=make_category("models"),
        tags=["text"],
    )


def a_query(*glossaries: GlossaryPage, **fields: Any) -> TermQuery:
    return TermQuery(
        glossaries=tuple(
            ScopeGlossary(
                pk=glossary.pk,
                slug=glossary.slug,
                title=glossary.title,
                locale=glossary.locale.language_code,
                locale_id=glossary.locale_id,
                path=glossary.path,
                url=f"http://testserver/{glossary.slug}/",
            )
            for glossary in glossaries
        ),
        **fields,
    )


def search(text: str, *glossaries: GlossaryPage, **options: Any) -> Results:
    names = ("limit", "offset", "facets")
    found = {name: options.pop(name) for name in names if name in options}
    return search_terms(
        text, a_query(*glossaries, **options), **{"limit": 100, **found}
    )


# What is found


@pytest.mark.parametrize(
    "text",
    [
        *("language", "LANGUAGE", "LLM", "larje", "vocabulary", "prodigious", "saga"),
        *("converses", "parrot", "sentient", "improbable", "eloquence"),
        *("prodigious vocabulary", "improbable model", "llm sentient network"),
    ],
)
def test_a_term_is_found_by_every_part_of_it(
    glossary: GlossaryPage, term: TermPage, text: str
) -> None:
    make_term(glossary, "token")
    assert search(text, glossary) == Results([term.pk], 1, True, {})


def test_every_word_has_to_be_there(glossary: GlossaryPage, term: TermPage) -> None:
    assert search("vocabulary token", glossary).pks == []
    assert search("token language", glossary).pks == []


def test_names_come_first_then_titles_then_texts(glossary: GlossaryPage) -> None:
    def named(slug: str, title: str, **fields: Any) -> int:
        return make_term(
            glossary, slug, title=title, short_definition="Short.", **fields
        ).pk

    mention = named("a", "Alpha", explanation=[section("<p>Model, model.</p>")])
    in_title = named("b", "One of many kinds of language model")
    begins = named("c", "Model card for everyone")
    begins_shorter = named("d", "Model card")
    label = named("e", "Epsilon", labels=["modèl"])
    title = named("f", "Model")
    found = search("model", glossary)
    assert found.pks == [title, label, begins_shorter, begins, in_title, mention]
    assert found.total == 6
    assert found.total_is_exact
    assert search("model", glossary, limit=2, offset=1).pks == found.pks[1:3]
    assert search("model", glossary, offset=100_000).pks == []


def test_a_last_word_that_nothing_has_may_be_the_start_of_one(
    glossary: GlossaryPage, term: TermPage
) -> None:
    assert search("prodig", glossary).pks == [term.pk]
    assert search("large vocab", glossary).pks == [term.pk]
    assert search("pr", glossary).pks == []
    make_term(glossary, "prodig", short_definition="Another.")
    assert term.pk not in search("prodig", glossary).pks


@on_postgres
def test_a_start_with_signs_in_it_is_looked_up_part_by_part(
    glossary: GlossaryPage,
) -> None:
    term = make_term(glossary, "a", short_definition="An adapter of gadgets.")
    assert search("adapter+gadg", glossary).pks == [term.pk]


@on_postgres
def test_what_the_index_leaves_out_is_not_required(
    glossary: GlossaryPage, term: TermPage
) -> None:
    assert search("the models of vocabularies", glossary).pks == [term.pk]
    assert search("the of", glossary).pks == []


@on_postgres
def test_words_are_read_by_the_configuration_of_the_backend(
    glossary: GlossaryPage, term: TermPage, settings: Any
) -> None:
    settings.WAGTAILSEARCH_BACKENDS = {
        "default": {
            "BACKEND": "modelsearch.backends.database",
            "SEARCH_CONFIG": "simple",
        }
    }
    index.insert_or_update_object(term)
    assert search("vocabularies", glossary).pks == []
    assert search("vocabulary the", glossary).pks == []
    assert search("that vocabulary", glossary).pks == [term.pk]


def test_terms_of_a_site_s_own_type_are_found(glossary: GlossaryPage) -> None:
    term = make_term(
        glossary, "a", model=CourseTermPage, short_definition="Idiosyncratic."
    )
    assert search("idiosyncratic", glossary).pks == [term.pk]


def test_another_backend_finds_them_too(
    glossary: GlossaryPage, term: TermPage, settings: Any
) -> None:
    settings.WAGTAILSEARCH_BACKENDS = FALLBACK
    make_term(glossary, "hidden", live=False, short_definition="A vocabulary.")
    make_term(make_glossary("other"), "b", short_definition="A vocabulary.")
    assert search("vocabulary", glossary).pks == [term.pk]
    assert search("vocabulary", glossary, letters=("X",)).pks == []
    assert search("large lang", glossary).pks == [term.pk]
    for text in HOSTILE:
        search(text, glossary)


# How much is read


def test_no_more_than_some_matches_are_ranked(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "MOST_RANKED", 2)
    for slug in ("a", "b", "c", "d"):
        make_term(glossary, slug, short_definition="Some ubiquitous word.")
    found = search("ubiquitous", glossary)
    assert found.total == 2
    assert not found.total_is_exact
    in_title = make_term(
        glossary, "z", title="Marsupial ubiquitous", short_definition="-"
    )
    assert search("ubiquitous", glossary).pks[0] == in_title.pk
    assert search("ubiquitous marsupial", glossary).pks == [in_title.pk]


@pytest.mark.parametrize("few_terms", [0, 1_000])
def test_few_terms_are_searched_whole(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch, few_terms: int
) -> None:
    monkeypatch.setattr(engines, "MOST_RANKED", 2)
    monkeypatch.setattr(engines, "FEW_TERMS", few_terms)
    pks = [
        make_term(glossary, slug, short_definition="Some ubiquitous word.").pk
        for slug in ("a", "b", "c", "d")
    ]
    found = search("ubiquitous some", glossary, ids=(pks[3],))
    assert found == Results([pks[3]], 1, True, {})


def test_it_says_when_not_all_titles_with_one_of_the_words_were_read(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "MOST_RANKED", 2)
    for slug in ("frequent-a", "frequent-b", "frequent-c"):
        make_term(glossary, slug, short_definition="-")
    both = make_term(glossary, "z", short_definition="A frequent exception.")
    found = search("frequent exception", glossary)
    assert found.pks == [both.pk]
    assert found.total_is_exact == (connection.vendor != "postgresql")


def test_no_more_than_some_names_are_read(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_NAMES", 2)
    for number in range(3):
        make_term(glossary, f"a-{number}", title=f"Token {number}")
    exact = make_term(glossary, "b", title="Token")
    found = search("token", glossary)
    assert found.pks[0] == exact.pk
    assert found.total == 4
    assert not found.total_is_exact


def test_a_search_takes_at_most_five_queries(
    glossary: GlossaryPage, term: TermPage
) -> None:
    facets = ["category", "letter", "tag"]
    for text in ("language model", "prodigious sent", "nowhere"):
        for filters, most in (
            ({"letters": ("L",)}, 5),
            ({"categories": ("models",)}, 6),
        ):
            with CaptureQueriesContext(connection) as captured:
                search(text, glossary, facets=facets, **filters)
            assert len(captured) <= most, [query["sql"] for query in captured]


# Hits


class NoLinks:
    def term(self, pk: int) -> str:
        return f"/{pk}"

    def category(self, slug: str) -> str:
        return f"/{slug}"

    def glossary(self, pk: int) -> str:
        return f"/{pk}"


def test_hits_take_two_queries_and_tell_nothing_of_what_is_hidden(
    glossary: GlossaryPage, term: TermPage, django_assert_num_queries: Any
) -> None:
    hidden = make_term(glossary, "hidden", short_definition="A parrot.")
    others = [make_term(glossary, f"term-{number}") for number in range(5)]
    scope = make_scope(Site.objects.get(is_default_site=True))
    TermPage.objects.filter(pk=hidden.pk).update(live=False)  # and no signal
    for pks in ([term.pk], [other.pk for other in others] + [hidden.pk, term.pk, 0]):
        with django_assert_num_queries(2):
            hits = load_hits(pks, "parrots LLM larje", scope, NoLinks())
        assert [hit["id"] for hit in hits] == [pk for pk in pks if pk != hidden.pk][
            : len(hits)
        ]
        TypeAdapter(list[TermHit]).validate_python(hits, extra="forbid")
        assert hits[-1] == {
            "id": term.pk,
            "slug": "large-language-model",
            "title": "Large language model",
            "short_definition": "A network that predicts vocabulary.",
            "category": {"slug": "models", "name": "Models"},
            "html_url": term.full_url,
            "detail_url": f"/{term.pk}",
            "highlights": [
                {"field": "labels", "text": "LLM", "matches": [{"start": 0, "end": 3}]},
                {
                    "field": "comparisons",
                    "text": "A parrot converses.",
                    "matches": [{"start": 2, "end": 8}],
                },
            ],
        }
    assert len(hits) == 6


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>An <b>emb</b>edding</p>", "An [embedding]"),
        ("<p>One</p><p>embedding</p>", "One [embedding]"),
        ("<h2>One</h2>\n<p>embedding<br/>two</p><hr/>", "One [embedding] two"),
        ("<ul><li>one<ul><li>embedding</li></ul></li></ul>", "one [embedding]"),
        ("<p>a &lt;b&gt; &amp;amp; embedding</p>", "a <b> &amp; [embedding]"),
        ('<p><a linktype="page" id="7">embedding</a></p>', "[embedding]"),
        ('<p><a href="/embedding/">it</a></p>', None),
        ("<p>&amp;embedding; < embedding", "&[embedding]; < [embedding]"),
    ],
)
def test_rich_text_is_shown_on_one_line(html: str, expected: str | None) -> None:
    document = a_document(explanation=[{"value": {"heading": "", "body": html}}])
    found = marked(document, "embedding").get("explanation")
    assert found == expected


MARKUP = [
    *("<p>", "</p>", "<b>", "</b>", '<a linktype="page" id="7">', "</a>", "<br/>"),
    *("need", "le", "needle", "Needles", "x", " ", "&amp;", "&eacute;", "é", "\\", '"'),
]


@given(
    st.lists(st.sampled_from(MARKUP), max_size=12).map("".join),
    st.sampled_from(["needle", "le", "ned", "éx"]),
    st.booleans(),
)
@example("<p>nee<b>d</b>le</p>", "needle", True)
@example("<p>need</p><p>le</p>", "needle", True)
@example("need\nle", "le", True)
def test_what_is_not_read_holds_nothing(html: str, text: str, escaped: bool) -> None:
    words = sought(text)
    assert words
    document = a_document(explanation=[{"value": {"heading": "", "body": html}}])
    with patch.object(Sought, "may_be_in", return_value=True):
        pieces = highlight(document, text)
    assert highlight(document, text) == pieces
    if pieces:
        assert words.may_be_in(json.dumps([{"body": html}], ensure_ascii=escaped))


def test_damaged_rich_text_is_read_in_one_go() -> None:
    body = "<" * 100_000 + "<p" * 50_000 + "needle"
    [piece] = highlight(
        a_document(explanation=[{"value": {"heading": "", "body": body}}]), "<p needle"
    )
    assert piece["field"] == "explanation"


# Filters and facets


@pytest.mark.parametrize("few_terms", [0, 1_000])
@pytest.mark.parametrize(
    "matching",
    [
        {"categories": ("models", "none")},
        {"tags": ("text",)},
        {"letters": ("L",)},
        {"slugs": ("large-language-model",)},
        {"updated_after": timezone.now() - timedelta(days=1)},
        {"categories": ("models",), "tags": ("text",), "letters": ("L",)},
    ],
)
def test_filters_hold_for_every_way_of_being_found(
    glossary: GlossaryPage,
    term: TermPage,
    monkeypatch: pytest.MonkeyPatch,
    matching: dict[str, Any],
    few_terms: int,
) -> None:
    monkeypatch.setattr(engines, "FEW_TERMS", few_terms)
    other = make_term(
        glossary, "other", short_definition="A vocabulary. Prodigious?", labels=["LLM"]
    )
    long_ago = timezone.now() - timedelta(days=9)
    TermPage.objects.filter(pk=other.pk).update(last_published_at=long_ago)
    catalogue.refresh([other.pk])
    for text in ("vocabulary", "prodig", "llm"):
        assert search(text, glossary, **matching).pks == [term.pk], text
        assert set(search(text, glossary).pks) == {term.pk, other.pk}, text
    for unmet in ({"categories": ("none",)}, {"letters": ("X",)}, {"ids": (0, 2**70)}):
        assert search("vocabulary", glossary, **unmet).pks == []


def test_only_the_glossaries_that_are_asked_for_are_searched(
    glossary: GlossaryPage, term: TermPage
) -> None:
    other = make_glossary("other")
    elsewhere = make_term(other, "a", title="LLM", short_definition="A vocabulary.")
    for text in ("vocabulary", "LLM"):
        assert search(text, glossary).pks == [term.pk]
        assert search(text, other).pks == [elsewhere.pk]
        assert set(search(text, glossary, other).pks) == {term.pk, elsewhere.pk}
        assert search(text).pks == []


def test_facets_count_what_was_found(glossary: GlossaryPage) -> None:
    models, data = make_category("models"), make_category("data", name="All data")
    for slug, category, tags in (
        ("apple", models, ["one", "two"]),
        ("avocado", models, ["two"]),
        ("banana", data, []),
        ("cherry", None, ["three"]),
    ):
        make_term(
            glossary, slug, short_definition="A fruit.", category=category, tags=tags
        )
    make_term(glossary, "leek", category=models, tags=["one"])
    make_term(glossary, "lime", live=False, short_definition="A fruit.", tags=["one"])
    found = search(
        "fruit", glossary, facets=["category", "letter", "tag", "other"], limit=1
    )
    assert found.total == 4
    counted = {
        name: [tuple(value.values()) for value in values]
        for name, values in found.facets.items()
    }
    assert counted == {
        "category": [("models", "Models", 2), ("data", "All data", 1)],
        "letter": [("A", "A", 2), ("B", "B", 1), ("C", "C", 1)],
        "tag": [("two", "two", 2), ("one", "one", 1), ("three", "three", 1)],
    }
    assert search("fruit", glossary, facets=["tag"]).facets.keys() == {"tag"}
    assert search("nowhere", glossary, facets=["tag"]).facets == {"tag": []}


def test_a_facet_has_at_most_some_values(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_FACET_VALUES", 2)
    make_term(glossary, "a", short_definition="A fruit.", tags=["x", "y", "z"])
    make_term(glossary, "b", short_definition="A fruit.", tags=["z"])
    tags = search("fruit", glossary, facets=["tag"]).facets["tag"]
    assert [value["value"] for value in tags] == ["z", "x"]


# What cannot be found out


def test_nothing_that_is_hidden_is_found(glossary: GlossaryPage) -> None:
    draft = make_term(glossary, "draft", live=False, short_definition="Canary.")
    restricted = make_term(glossary, "secret", short_definition="Canary.")
    PageViewRestriction.objects.create(page=restricted, restriction_type="login")
    unpublished = make_term(glossary, "gone", short_definition="Canary.")
    unpublished.unpublish()
    for text in ("canary", "cana", draft.title, restricted.title, unpublished.title):
        assert search(text, glossary, facets=["letter"]).pks == [], text


def test_a_draft_of_a_public_term_is_not_searched(
    glossary: GlossaryPage, term: TermPage
) -> None:
    term.short_definition = "Canary."
    term.labels.add(TermLabel(text="Oriole"))
    term.save_revision()
    assert search("canary", glossary).pks == []
    assert search("oriole", glossary).pks == []
    term.save_revision().publish()
    assert search("canary", glossary).pks == [term.pk]
    assert search("oriole", glossary).pks == [term.pk]


def test_a_row_that_is_left_over_leads_nowhere(
    glossary: GlossaryPage, term: TermPage
) -> None:
    PublicTerm.objects.filter(pk=term.pk).delete()
    assert search("vocabulary", glossary).pks == []


def test_the_name_of_a_hidden_related_term_cannot_be_probed(
    glossary: GlossaryPage,
) -> None:
    hidden = make_term(glossary, "canary", live=False)
    related = make_related_term(glossary, "canary")
    assert related.page_id == hidden.pk
    make_term(
        glossary,
        "public",
        related_terms=[related],
        comparisons=[comparison("", "<p>It differs.</p>", related)],
        explanation=[
            section(f'<p>See <a linktype="page" id="{hidden.pk}">that</a>.</p>')
        ],
    )
    assert search("canary", glossary).pks == []
    assert search("differs", glossary).total == 1


def test_what_the_api_does_not_show_is_not_searched(glossary: GlossaryPage) -> None:
    make_term(glossary, "a", payload_extra={"note": "canary"})
    assert search("canary", glossary).pks == []


# Hostile texts


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_no_text_is_refused(glossary: GlossaryPage, term: TermPage, text: str) -> None:
    search(text, glossary, facets=["tag"])
    search(f"{text} vocab", glossary)
    search(f"vocabulary {text}", glossary, letters=("L",))
    highlight(a_document(short_definition=text), text)


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(HOSTILE),
            st.text(st.characters(exclude_categories=()), max_size=20),
            st.text("\"'\\*:&|!()<->{}^%+-~@ ab\0\ud800"),
        )
    ).map(" ".join)
)
def test_any_text_can_be_searched(text: str) -> None:
    query = TermQuery(glossaries=(ScopeGlossary(1, "a", "A", "en", 1, "0001", None),))
    assert search_terms(text, query, limit=10).pks == []


@given(st.text(st.characters(exclude_categories=())))
def test_words_can_be_stored_and_are_few(text: str) -> None:
    words = split(text)
    assert len(words) <= 20
    for word in words:
        assert word.encode().decode() == word
        assert not set(word) & set('"\0 -')
    assert sum(map(len, words)) <= 600  # composition can lengthen a text


# When it changes


def test_a_database_s_index_changes_with_the_term(settings: Any) -> None:
    assert is_transactional()
    settings.WAGTAILSEARCH_BACKENDS = FALLBACK
    assert is_transactional()
    settings.WAGTAILSEARCH_BACKENDS = {
        "default": {"BACKEND": "modelsearch.backends.database", "AUTO_UPDATE": False}
    }
    assert not is_transactional()
    settings.WAGTAILSEARCH_BACKENDS = {
        "default": {"BACKEND": "tests.test_delivery_search.ServerBackend"}
    }
    assert not is_transactional()


class ServerBackend:
    """A backend outside the database."""

    def __init__(self, params: dict[str, Any]) -> None: ...


# Highlights


def a_document(**fields: Any) -> Any:
    texts = ("title", "heading", "short_definition")
    streams = ("labels", "explanation", "comparisons", "faq")
    return {**dict.fromkeys(texts, ""), **{name: [] for name in streams}, **fields}


def marked(document: Any, text: str) -> dict[str, str]:
    """The pieces by their fields, with brackets around what was found."""
    pieces = {}
    for piece in highlight(document, text):
        marks = piece["text"]
        for span in reversed(piece["matches"]):
            start, end = span["start"], span["end"]
            marks = f"{marks[:start]}[{marks[start:end]}]{marks[end:]}"
        pieces[piece["field"]] = marks
    return pieces


def test_every_field_shows_where_it_has_the_words() -> None:
    document = a_document(
        title="Language model",
        heading="What are models?",
        short_definition="No such word.",
        labels=[
            {"text": "Modul", "kind": "hidden"},
            {"text": "LM", "kind": "abbreviation"},
            {"text": "Modelled thing", "kind": "synonym"},
        ],
        explanation=[
            {"value": {"heading": "First", "body": "Nothing."}},
            {"value": {"heading": "A model", "body": "The model."}},
        ],
        comparisons=[{"value": {"name": "Remodel", "comparison": "A model is."}}],
        faq=[{"value": {"question": "Why?", "answer": "Because of MODELS."}}],
    )
    assert marked(document, "model") == {
        "title": "Language [model]",
        "heading": "What are [models]?",
        "labels": "[Modelled] thing",
        "explanation": "The [model].",
        "comparisons": "A [model] is.",
        "faq": "Because of [MODELS].",
    }


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("A café, a CAFÉ", "cafe", "A [café], a [CAFÉ]"),
        ("A cafe\u0301 there", "café", "A [cafe\u0301] there"),
        ("Embeddings embed", "embedding", "[Embeddings] embed"),
        ("said an AI aid", "ai", "said an [AI] aid"),
        ("C++ or C", "c++", "[C]++ or [C]"),
        ("node.js and more", "node.js", "[node].[js] and more"),
        ("state of the art", "state-of-the-art", "[state] [of] [the] [art]"),
        ("大语言模型", "模型", "大语言[模型]"),
        ("בינה מלאכותית", "מלאכותית", "בינה [מלאכותית]"),
        ("मशीन की भाषा", "भाषा", "मशीन की [भाषा]"),
        ("Straße", "strasse", "[Straße]"),
        ("a b", "+ ?", None),
        ("", "x", None),
    ],
)
def test_case_accents_and_endings_do_not_matter(
    text: str, words: str, expected: str | None
) -> None:
    found = marked(a_document(title=text), words)
    assert found.get("title") == expected


def test_a_long_text_is_cut_between_words_around_the_first_match() -> None:
    text = f"{'before ' * 40}the needle and {'after ' * 60}"
    [piece] = highlight(a_document(short_definition=text), "needle")
    assert len(piece["text"]) <= 200
    assert piece["text"].startswith("…before ")
    assert piece["text"].endswith(" after…")
    [span] = piece["matches"]
    assert piece["text"][span["start"] : span["end"]] == "needle"
    [piece] = highlight(a_document(title="needle " + "x" * 500), "needle")
    assert piece["text"] == f"needle {'x' * 191}…"
    assert piece["matches"] == [{"start": 0, "end": 6}]


texts = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.lists(
        st.sampled_from(["café", "Model", "ſ", "x" * 70, "e\u0301"]), max_size=60
    ).map(" ".join),
    st.text("aé\u0301 ßı", max_size=500),
)


@given(texts, texts)
@example("model " * 200, "model")
@example("x" * 300 + " " + "y" * 300, "y" * 200)
def test_spans_lie_in_their_piece(text: str, words: str) -> None:
    for piece in highlight(a_document(title=text), words):
        assert len(piece["text"]) <= 200
        assert piece["text"].strip("…") in text
        assert piece["matches"]
        end = 0
        for span in piece["matches"]:
            assert end <= span["start"] < span["end"] <= len(piece["text"])
            end = span["end"]
    json.dumps(highlight(a_document(title=text), words))
