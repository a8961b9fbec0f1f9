"""Terms by what has been typed of their names, right or with a mistake."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wagtail.models import PageViewRestriction, Site

from glossary.delivery import suggestions
from glossary.delivery.scope import Scope, make_scope
from glossary.delivery.suggestions import autocomplete, did_you_mean
from glossary.models import GlossaryPage, PublicName, PublicTerm, TermPage

from .factories import make_category, make_glossary, make_term
from .test_listing import plan


pytestmark = pytest.mark.django_db


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


def the_scope() -> Scope:
    return make_scope(Site.objects.get(is_default_site=True))


def suggest(text: str, **options: Any) -> list[dict[str, Any]]:
    scope = the_scope()
    return [
        dict(item) for item in autocomplete(text, scope, scope.glossaries, **options)
    ]


def matches(text: str, **options: Any) -> list[str]:
    return [item["match"] for item in suggest(text, **options)]


def meant(text: str) -> str | None:
    return did_you_mean(text, the_scope().glossaries)


def make_terms(glossary: GlossaryPage, *titles: str) -> None:
    for title in titles:
        make_term(glossary, title=title)


# What is found


@pytest.mark.slow
def test_the_exact_name_then_names_that_begin_so_then_words(
    glossary: GlossaryPage,
) -> None:
    make_terms(glossary, "Language model", "Models", "Model card", "Model", "Modem")
    make_term(glossary, title="Net", labels=["Model net"])
    assert matches("  mödel ") == [
        *("Model", "Models", "Model card", "Model net", "Language model")
    ]
    assert matches("model c") == ["Model card"]
    assert matches("mode", limit=2) == ["Model", "Modem"]
    assert not any(item["fuzzy"] for item in suggest("model"))


def test_a_suggestion_is_complete(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token", title="Token", labels=["Piece"])
    assert suggest("pie") == [
        {
            "id": term.pk,
            "slug": "token",
            "title": "Token",
            "match": "Piece",
            "match_kind": "synonym",
            "fuzzy": False,
            "html_url": "http://localhost/ai/token/",
        }
    ]


def test_a_term_comes_once_by_its_best_name(glossary: GlossaryPage) -> None:
    make_term(
        glossary,
        title="Large language model",
        labels=[
            *[("LLM", "abbreviation"), ("LLMs", "inflection"), ("elelem", "hidden")],
            ("Large model", "synonym"),
        ],
    )
    assert matches("llm") == ["LLM"]
    assert matches("large") == ["Large language model"]
    assert matches("large m") == ["Large model"]


def test_labels_that_readers_do_not_see_show_the_title(glossary: GlossaryPage) -> None:
    make_term(
        glossary, title="Token", labels=[("tokn", "hidden"), ("pieces", "inflection")]
    )
    shown = [(item["match"], item["match_kind"]) for item in suggest("pieces")]
    assert shown == [("Token", "inflection")]
    assert suggest("tokn")[0]["match"] == "Token"
    assert suggest("tokn")[0]["match_kind"] == "hidden"


@pytest.mark.parametrize(
    "typed",
    [
        "transfromer",
        "tranformer",
        "trannsformer",
        "trensformer",
        "rtansformer",
        "transformre",
        "tranfo",
        "transformerr",
        "tarnsfromer",  # a long word may have two
        "transfomer m",
    ],
)
def test_a_mistake_is_forgiven(glossary: GlossaryPage, typed: str) -> None:
    make_terms(glossary, "Transformer model", "Transfer", "Token", "Vector")
    best = suggest(typed)[0]
    assert best["match"] == "Transformer model"
    assert best["fuzzy"]


def test_mistakes_in_later_words_and_in_several(glossary: GlossaryPage) -> None:
    make_terms(glossary, "Machine learning", "Machine", "Machine vision", "Deep end")
    assert matches("lerning") == ["Machine learning"]
    assert matches("machine lerning") == ["Machine learning"]
    assert matches("machnie lern") == ["Machine learning"]
    assert matches("mahcine leraning") == ["Machine learning"]


def test_what_is_too_far_or_too_short_is_not_guessed(glossary: GlossaryPage) -> None:
    make_terms(glossary, "Token", "Transformer", "C++", "C#", "AI")
    for typed in ("tkn", "tekan", "xxxxxxxx", "zzz", "ia", "", " ", "%", "\0", "🙂"):
        assert matches(typed) == [], typed
    assert matches("c+") == ["C++"]
    assert matches("c#") == ["C#"]
    assert matches("c") == ["C#", "C++"]


def test_right_names_leave_no_room_for_guesses(glossary: GlossaryPage) -> None:
    make_terms(glossary, "Token", "Taken")
    assert matches("token") == ["Token"]
    assert matches("tokem") == ["Token"]


def test_other_scripts(glossary: GlossaryPage) -> None:
    make_terms(glossary, "ٹوکن", "एम्बेडिंग", "機械学習", "Ελλάδα")
    assert matches("ٹو") == ["ٹوکن"]
    assert matches("एम्ब") == ["एम्बेडिंग"]
    assert matches("機械") == ["機械学習"]
    assert matches("ελλαδα") == ["Ελλάδα"]


def test_more_names_than_are_read(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "BEGINNING", 3)
    make_terms(glossary, *(f"Model {letter}" for letter in "abcdef"), "Modelling")
    assert matches("model", limit=1) == ["Model a"]


def test_only_the_glossaries_and_categories_asked_for(glossary: GlossaryPage) -> None:
    law = make_glossary("law")
    text = make_category("text")
    make_term(glossary, title="Token", category=text)
    make_term(law, title="Token of law")
    scope = the_scope()
    mine = scope.select(glossary="law")
    assert matches("token") == ["Token", "Token of law"]
    assert [item["slug"] for item in autocomplete("tokne", scope, mine)]
    assert [item["match"] for item in autocomplete("token", scope, mine)] == [
        "Token of law"
    ]
    assert matches("token", categories=["text", "none"]) == ["Token"]
    assert matches("token", categories=["none", "\0"]) == []
    assert autocomplete("token", scope, []) == []
    assert did_you_mean("tokne", []) is None
    assert matches("token", limit=0) == []


def hide(term: TermPage, how: str) -> None:
    if how == "draft":
        term.unpublish()
    elif how == "deleted":
        term.delete()
    else:
        PageViewRestriction.objects.create(page=term, restriction_type=how)


@pytest.mark.parametrize("how", ["draft", "deleted", "login", "password", "groups"])
def test_hidden_terms_are_not_suggested(glossary: GlossaryPage, how: str) -> None:
    term = make_term(glossary, title="Secret token", labels=["Hush"])
    assert matches("secret") == matches("secrte") == ["Secret token"]
    hide(term, how)
    for typed in ("secret", "secrte", "token", "tokne", "hush", "huhs"):
        assert matches(typed) == []
        assert meant(typed) is None


def test_a_row_that_has_drifted_gives_nothing_away(glossary: GlossaryPage) -> None:
    term = make_term(glossary, title="Secret token")
    TermPage.objects.filter(pk=term.pk).update(live=False)  # behind all signals
    assert PublicTerm.objects.filter(pk=term.pk).exists()
    assert matches("secret") == matches("secrte") == []
    assert meant("secrte") is None
    TermPage.objects.filter(pk=term.pk).update(live=True, title="Renamed")
    assert matches("secret") == ["Renamed"]


# Did you mean


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tokken", "Token"),
        ("Transformre", "Transformer"),
        ("nueral network", "Neural network"),
        ("neural netwrok", "Neural network"),
        ("netwrok", "Neural network"),
        ("the nueral netwrok of a cat", None),
        ("BPT", None),
        ("peice", "Piece"),
        ("toknization", "Token"),
        ("token", None),
        ("", None),
        ("\0", None),
        ("zzzzzzzz", None),
    ],
)
def test_did_you_mean(glossary: GlossaryPage, text: str, name: str | None) -> None:
    make_terms(glossary, "Transformer", "Neural network")
    make_term(
        glossary,
        title="Token",
        labels=["Piece", ("BPE", "abbreviation"), ("tokenization", "hidden")],
    )
    assert meant(text) == name


# Anything that is typed


@pytest.mark.parametrize("text", ["a" * 100_000, "word " * 20_000, "é\ud800" * 9_000])
def test_endless_text(glossary: GlossaryPage, text: str) -> None:
    make_terms(glossary, "Token")
    assert matches(text) == []
    assert meant(text) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(), max_size=30))
@pytest.mark.slow
def test_anything_can_be_typed(glossary: GlossaryPage, text: str) -> None:
    if not TermPage.objects.exists():
        make_terms(glossary, "Token", "C++", "ٹوکن")
    for item in suggest(text):
        assert item["title"] in {"Token", "C++", "ٹوکن"}
    meant(text)


# Cost


def queries(text: str) -> list[str]:
    scope = the_scope()
    with CaptureQueriesContext(connection) as captured:
        autocomplete(text, scope, scope.glossaries, limit=1)
    return [query["sql"] for query in captured]


@pytest.mark.slow
def test_the_number_of_queries(glossary: GlossaryPage) -> None:
    make_terms(glossary, "Machine learning", "Machine", "Token")
    make_terms(make_glossary("law"), "Machine of law")
    assert len(queries("mach")) == 2  # names, pages
    assert len(queries("lerning")) == 3  # and words that are alike
    assert len(queries("mahcine lerning")) == 3
    assert len(queries("zzzzzzz")) == 2


def test_names_are_read_from_indexes(glossary: GlossaryPage) -> None:
    make_terms(glossary, "Machine learning", "Token")
    beside, alike, *_others = queries("tokne")
    assert plan(beside).count("glossary_publicname_key") == 2
    assert "glossary_namevariant_variant" in plan(alike)
    assert "glossary_publicname_key" not in plan(alike)
    assert "Sort" not in plan(beside)
    assert "TEMP B-TREE" not in plan(beside)


def test_common_words_of_another_glossary_are_not_in_the_way(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "ALIKE", 2)
    law = make_glossary("law")
    for title in ("Law of models", "Rule of models", "Models of old"):
        make_term(law, title=title)
    make_term(glossary, title="Language models")
    scope = the_scope()
    mine = scope.select(glossary="ai")
    found = [item["match"] for item in autocomplete("modles", scope, mine)]
    assert found == ["Language models"]


def test_names_of_a_label_follow_it(glossary: GlossaryPage) -> None:
    term = make_term(glossary, title="Token", labels=["Piece"])
    term.labels = []
    term.save_revision().publish()
    assert matches("piece") == []
    assert set(PublicName.objects.values_list("text", flat=True)) == {"Token"}
