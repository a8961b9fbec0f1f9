"""What a site puts on its other pages: tags and blocks."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.template import Context, Template
from django.test import RequestFactory
from wagtail.models import PageViewRestriction, Site

from glossary.models import Category, GlossaryPage, TermPage
from glossary.site_blocks import (
    CategoryTermsBlock,
    GlossarySearchBlock,
    LettersBlock,
    TermCardBlock,
)

from .factories import make_category, make_glossary, make_term


pytestmark = pytest.mark.django_db


@pytest.fixture
def category() -> Category:
    return make_category("text")


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", title="AI")


@pytest.fixture
def term(glossary: GlossaryPage, category: Category) -> TermPage:
    make_term(glossary, "word", category=category)
    return make_term(
        glossary, "token", short_definition="A piece of text.", category=category
    )


def a_request() -> Any:
    request = RequestFactory().get("/")
    Site.find_for_request(request)
    return request


def render(source: str, **context: Any) -> BeautifulSoup:
    template = Template("{% load glossary_tags wagtailcore_tags %}" + source)
    context = {"request": a_request(), **context}
    return BeautifulSoup(template.render(Context(context)), "html.parser")


def text(soup: Any) -> str:
    return " ".join(soup.get_text(" ").split())


@pytest.mark.parametrize(
    "source",
    [
        "{% term_card term %}",
        '{% term_card "token" "ai" %}',
        '{% term_card "token" glossary %}',
        "{% include_block block %}",
    ],
)
def test_a_term_is_shown_as_a_card(
    term: TermPage, glossary: GlossaryPage, source: str
) -> None:
    block = TermCardBlock()
    value = block.to_python({"term": term.pk})
    soup = render(source, term=term, glossary=glossary, block=block.bind(value))
    card = soup.select_one(".glossary-card")
    assert text(card) == "Token A piece of text. Text"
    assert card is not None
    assert card.a is not None
    assert card.a["href"] == "/ai/token/"


@pytest.mark.parametrize("hidden", ["draft", "restricted", "glossary"])
def test_a_hidden_term_has_no_card(
    term: TermPage, glossary: GlossaryPage, hidden: str
) -> None:
    if hidden == "restricted":
        PageViewRestriction.objects.create(
            page=term, restriction_type=PageViewRestriction.LOGIN
        )
    else:
        (term if hidden == "draft" else glossary).unpublish()
    block = TermCardBlock()
    value = block.to_python({"term": term.pk})
    for source in (
        "{% term_card term %}",
        '{% term_card "token" "ai" %}',
        "{% include_block block %}",
    ):
        soup = render(source, term=term, block=block.bind(value))
        assert text(soup) == ""


@pytest.mark.parametrize(
    "source",
    [
        "{% category_terms glossary category 1 %}",
        '{% category_terms "ai" "text" 1 %}',
        "{% include_block block %}",
    ],
)
def test_the_first_terms_of_a_category_are_listed(
    term: TermPage, glossary: GlossaryPage, category: Category, source: str
) -> None:
    block = CategoryTermsBlock()
    value = block.to_python(
        {"glossary": glossary.pk, "category": category.pk, "limit": 1}
    )
    soup = render(source, glossary=glossary, category=category, block=block.bind(value))
    assert [text(dt) for dt in soup.select("dt")] == ["Token"]
    more = soup.select_one(".glossary-list__all a")
    assert text(more) == "All 2 terms in Text"
    assert more is not None
    assert more["href"] == "/ai/category/text/"


@pytest.mark.parametrize(
    "source", ["{% glossary_search glossary %}", '{% glossary_search "ai" %}', "block"]
)
def test_the_search_field_leads_to_the_glossary(
    term: TermPage, glossary: GlossaryPage, source: str
) -> None:
    block = GlossarySearchBlock()
    value = block.to_python({"glossary": glossary.pk})
    source = "{% include_block block %}" if source == "block" else source
    soup = render(source, glossary=glossary, block=block.bind(value))
    assert soup.form is not None
    assert soup.form["action"] == "/ai/"
    assert soup.input is not None
    assert text(soup.label) == "Search “AI”"
    assert soup.label is not None
    assert soup.label["for"] == soup.input["id"]


def test_two_search_fields_on_a_page_have_ids_of_their_own(
    term: TermPage, glossary: GlossaryPage
) -> None:
    twice = "{% glossary_search glossary %}{% glossary_search glossary %}"
    soup = render(twice, glossary=glossary)
    ids = [field["id"] for field in soup.select("input")]
    assert len(set(ids)) == 2
    assert [label["for"] for label in soup.select("label")] == ids


@pytest.mark.parametrize("source", ["{% glossary_a_to_z glossary %}", "block"])
def test_the_letters_lead_to_the_glossary(
    term: TermPage, glossary: GlossaryPage, source: str
) -> None:
    block = LettersBlock()
    value = block.to_python({"glossary": glossary.pk})
    source = "{% include_block block %}" if source == "block" else source
    soup = render(source, glossary=glossary, block=block.bind(value))
    links = {link.contents[0].strip(): link["href"] for link in soup.select("a")}
    assert links == {"T": "/ai/#letter-t", "W": "/ai/#letter-w"}
    assert len(soup.select("li")) == 26


@pytest.mark.parametrize(
    "source",
    [
        '{% glossary_search "nope" %}',
        '{% glossary_a_to_z "nope" %}',
        '{% term_card "token" "nope" %}',
        '{% category_terms "nope" "text" %}',
        '{% category_terms "ai" "nope" %}',
        "{% category_terms glossary None %}",
        "{% term_card None %}",
    ],
)
def test_what_is_not_there_shows_nothing(
    term: TermPage, glossary: GlossaryPage, source: str
) -> None:
    assert text(render(source, glossary=glossary)) == ""


def test_without_a_request_nothing_is_shown(
    term: TermPage, glossary: GlossaryPage
) -> None:
    source = "{% glossary_a_to_z glossary %}{% term_card term %}"
    assert text(render(source, request=None, glossary=glossary, term=term)) == ""


def test_the_stylesheet_and_the_script_come_once(
    term: TermPage, glossary: GlossaryPage
) -> None:
    blocks = [
        GlossarySearchBlock().bind({"glossary": glossary}),
        TermCardBlock().bind({"term": term}),
    ]
    soup = render(
        "{% for block in blocks %}{% include_block block %}{% endfor %}", blocks=blocks
    )
    assert len(soup.select("link[rel=stylesheet]")) == len(soup.select("script")) == 1
    soup = render(
        "{% glossary_head %}{% for block in blocks %}{% include_block block %}"
        "{% endfor %}",
        blocks=blocks,
    )
    assert len(soup.select("link[rel=stylesheet]")) == len(soup.select("script")) == 1


def test_the_pages_of_a_glossary_have_them_once(
    client: Any, term: TermPage, glossary: GlossaryPage
) -> None:
    soup = BeautifulSoup(client.get("/ai/").content, "html.parser")
    sheets = [link["href"] for link in soup.select("link[rel=stylesheet]")]
    assert [name for name in sheets if "glossary/glossary" in name] == [
        "/static/glossary/glossary.css"
    ]


def test_the_api_tells_of_a_chosen_page_only_what_anyone_may_see(
    term: TermPage,
) -> None:
    block = TermCardBlock()
    value = block.to_python({"term": term.pk})
    assert block.get_api_representation(value)["term"] == {
        "id": term.pk,
        "title": "Token",
        "url": "http://localhost/ai/token/",
    }
    term.unpublish()
    value = block.to_python({"term": term.pk})
    assert block.get_api_representation(value)["term"] is None
    assert block.get_api_representation(block.to_python({}))["term"] is None


@pytest.mark.parametrize(
    "block",
    [TermCardBlock(), CategoryTermsBlock(), GlossarySearchBlock(), LettersBlock()],
    ids=lambda block: type(block).__name__,
)
def test_a_block_is_previewed_with_what_the_site_has(
    block: Any, term: TermPage
) -> None:
    value = block.get_preview_value()
    assert all(value[name] for name in block.child_blocks)


def test_a_block_can_be_previewed_on_a_site_without_terms() -> None:
    assert TermCardBlock().get_preview_value()["term"] is None
