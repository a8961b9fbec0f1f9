"""What visitors get at the addresses of a glossary that are not those of terms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPMethod
from typing import Any
from urllib.parse import quote

import pytest
import swapper
from bs4 import BeautifulSoup, Tag
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from wagtail.models import Locale, PageViewRestriction, Site

from glossary.delivery import backlinks
from glossary.delivery.entries import PART
from glossary.models import Category, GlossaryPage, TermPage
from glossary.site import index, searching

from .factories import (
    comparison,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    section,
)
from .test_entries import make_many, numbered
from .test_listing import make_french, make_translation


pytestmark = pytest.mark.django_db

Page = swapper.load_model("wagtailcore", "Page")
ATTACK = "%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E"

# One address of each kind, of a glossary with the terms that ``terms`` makes.
ADDRESSES = [
    "/ai/",
    "/ai/letter/t/",
    "/ai/category/text/",
    "/ai/tag/basics/",
    "/ai/map/all/",
    "/ai/?q=text",
    "/ai/?suggest=t",
    "/ai/none/",
]


@pytest.fixture(autouse=True)
def made_anew(settings: Any) -> None:
    """Let no page be kept: each is made from what there is now."""
    settings.GLOSSARY_PAGE_SECONDS = 0


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", title="AI Glossary")


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every glossary be so large that its letters have pages."""
    monkeypatch.setattr(index, "MOST_TERMS", 0)


@pytest.fixture
def terms(glossary: GlossaryPage) -> GlossaryPage:
    text = make_category("text", name="Text & more", description="About texts.")
    make_term(
        glossary,
        "token",
        short_definition="A piece of text.",
        category=text,
        tags=["basics"],
        labels=[
            ("BPE", "abbreviation"),
            ("Piece", "synonym"),
            ("tokens", "inflection"),
            ("tokne", "hidden"),
        ],
        explanation=[section("<p>Long ago, a bead.</p>")],
    )
    make_term(glossary, "tensor", category=make_category("model"), labels=["Piece"])
    make_term(glossary, "3d", title="3D model", category=text)
    make_term(
        glossary,
        "echo",
        title="Écho",
        related_terms=[make_related_term(glossary, "token")],
    )
    return glossary


def get(url: str, **options: Any) -> Any:
    return Client().get(url, **options)


def soup_of(response: Any, status: int = 200) -> BeautifulSoup:
    assert response.status_code == status
    return BeautifulSoup(response.content.decode(), "html.parser")


def visit(url: str, status: int = 200, **options: Any) -> BeautifulSoup:
    return soup_of(get(url, **options), status)


def words(tag: Tag | BeautifulSoup | None) -> str:
    assert tag is not None
    return " ".join(tag.get_text(" ").split())


def entries(soup: BeautifulSoup) -> list[str]:
    return [words(entry) for entry in soup.select(".glossary-entries dt")]


def href(soup: BeautifulSoup, selector: str) -> str | None:
    found = soup.select_one(selector)
    return None if found is None else str(found["href"])


def redirected(url: str, status: int = 302, **options: Any) -> str:
    response = get(url, **options)
    assert response.status_code == status
    return response["Location"]


def restrict(page: Any, kind: str = PageViewRestriction.PASSWORD) -> None:
    PageViewRestriction.objects.create(
        page_id=page.pk, restriction_type=kind, password="sesame"
    )


# Letters


def test_the_page_of_a_letter(terms: GlossaryPage, large: None) -> None:
    make_many(make_glossary("law"), ["Tort"])
    soup = visit("/ai/letter/t/")
    assert words(soup.h1) == "Terms that begin with T"
    assert words(soup.title).startswith("Terms that begin with T – AI Glossary")
    assert entries(soup) == ["Tensor", "Token"]
    assert words(soup.select_one(".glossary-summary")) == "2 entries"
    assert href(soup, '.glossary-entries a[href="/ai/token/"]')
    crumbs = soup.select(".glossary-breadcrumbs li")
    assert [crumb.a and crumb.a["href"] for crumb in crumbs] == ["/", "/ai/", None]
    assert words(crumbs[-1]) == "Terms that begin with T"
    assert words(soup.select_one(".glossary-letters [aria-current]")) == "T 2 entries"
    assert href(soup, 'link[rel="canonical"]') == "http://localhost/ai/letter/t/"
    assert soup.select(".glossary-parts") == []


def test_a_label_stands_under_its_own_letter(terms: GlossaryPage, large: None) -> None:
    soup = visit("/ai/letter/p/")
    found = [words(entry) for entry in soup.select(".glossary-entry")]
    assert sorted(found) == ["Piece see Tensor", "Piece see Token"]
    assert entries(visit("/ai/letter/b/")) == ["BPE"]


def test_digits_and_signs_have_a_page_of_their_own(
    terms: GlossaryPage, large: None
) -> None:
    links = visit("/ai/").select(".glossary-letters a")
    assert links[-1]["href"] == "/ai/letter/0-9/"
    soup = visit("/ai/letter/0-9/")
    assert words(soup.h1) == "Terms that begin with a digit or a sign"
    assert entries(soup) == ["3D model"]


def test_a_letter_of_a_small_glossary_is_a_place_on_its_page(
    terms: GlossaryPage,
) -> None:
    for part in ("t", "T", "0-9"):
        anchor = f"letter-{part.lower()}"
        assert redirected(f"/ai/letter/{part}/") == f"/ai/#{anchor}"
        assert visit("/ai/").find(id=anchor) is not None


def test_a_letter_has_one_address(terms: GlossaryPage, large: None) -> None:
    assert redirected("/ai/letter/T/") == "/ai/letter/t/"
    make_term(terms, "uber", title="Über")
    # In English it stands under U: there is no such letter.
    assert get("/ai/letter/ü/").status_code == 404


def test_a_letter_without_terms_says_so(terms: GlossaryPage, large: None) -> None:
    soup = visit("/ai/letter/q/")
    assert "There are no terms under this letter." in words(soup)
    assert entries(soup) == []
    assert "/letter/q/" not in str(soup.select(".glossary-letters"))


def test_what_is_no_letter_is_not_there(terms: GlossaryPage, large: None) -> None:
    for part in ("zz", "é", "1", "-", "_", "other", "ٹ", "tt", "٣"):
        assert get(f"/ai/letter/{quote(part)}/").status_code == 404, part


@pytest.mark.parametrize(
    ("language", "titles"),
    [
        ("tr", ["Istanbul", "İzmir", "Çay", "4K"]),
        ("ur", ["ٹوکن", "تربیت", "RAG", "3D"]),
        ("hr", ["Džem", "Dan", "Ljeto", "Đak"]),
        ("el", ["Σίγμα", "Άλφα"]),
        ("ko", ["가방", "하늘"]),
        ("ja", ["かな", "トークン", "漢字"]),
    ],
)
def test_each_letter_leads_to_its_terms(
    large: None, language: str, titles: list[str]
) -> None:
    locale = Locale.objects.get_or_create(language_code=language)[0]
    make_many(make_glossary("ai", locale=locale), titles)
    found = []
    for link in visit("/ai/").select(".glossary-letters a"):
        letter = words(link).split()[0]
        soup = visit(str(link["href"]))
        current = soup.select(".glossary-letters [aria-current]")
        assert [words(item).split()[0] for item in current] == [letter]
        found += entries(soup)
    assert sorted(found) == sorted(titles)


def test_from_when_on_letters_have_pages(glossary: GlossaryPage) -> None:
    make_many(glossary, numbered(150))
    soup = visit("/ai/")
    assert len(entries(soup)) == 150
    assert href(soup, ".glossary-letters a") == "#letter-t"
    make_many(glossary, ["Unit"])
    soup = visit("/ai/")
    assert entries(soup) == []
    assert href(soup, ".glossary-letters a") == "/ai/letter/t/"
    assert words(soup.select_one(".glossary-summary")) == "151 terms"


# Parts of a list


@pytest.mark.parametrize("place", ["letter/t", "category/text", "tag/x"])
def test_links_lead_through_a_long_list(glossary: GlossaryPage, place: str) -> None:
    # Names that an address and a page have to write in another way.
    titles = [f"Té & <{number:03}> #?" for number in range(PART * 2 + 50)]
    make_many(glossary, titles, category=make_category("text"), tags=["x"])
    url: str | None = f"/ai/{place}/"
    canonical, parts = [], []
    while url:
        soup = visit(url)
        parts.append(entries(soup))
        canonical.append(href(soup, 'link[rel="canonical"]'))
        last, url = url, href(soup, '.glossary-parts a[rel="next"]')
    assert [len(part) for part in parts] == [PART, PART, 50]
    assert [title for part in parts for title in part] == titles
    assert canonical[-1] == f"http://localhost{last}"
    assert len(set(canonical)) == 3
    back = visit(last)
    for part in parts[-2::-1]:
        before = href(back, '.glossary-parts a[rel="prev"]')
        assert before is not None
        back = visit(before)
        assert entries(back) == part
    assert href(back, '.glossary-parts a[rel="prev"]') is None


def test_a_list_can_begin_anywhere(terms: GlossaryPage, large: None) -> None:
    long = "z" * 10_000
    for place in ("letter/t", "category/text", "tag/basics", "map/all"):
        for start in ("", "%00", "%ED%A0%80", "%FF", long, "%23", "%D9%B9", ATTACK):
            response = get(f"/ai/{place}/?from={start}")
            if response.status_code == 302:  # nothing comes after it
                assert response["Location"] == f"/ai/{place}/"
                continue
            soup = soup_of(response)
            assert words(soup.h1), (place, start)
            assert "alert" not in str(soup("script")), (place, start)


def test_a_part_of_a_list_says_where_it_begins(terms: GlossaryPage) -> None:
    for asked, canonical in {
        "": "",
        # It begins with the first of all.
        "3": "",
        # It begins with a term of another name.
        "4": "?from=Token",
        "Token": "?from=Token",
    }.items():
        soup = visit(f"/ai/category/text/?from={asked}")
        assert href(soup, 'link[rel="canonical"]') == (
            f"http://localhost/ai/category/text/{canonical}"
        )
    assert redirected("/ai/category/text/?from=Zoo") == "/ai/category/text/"


# Categories and tags


def test_the_page_of_a_category(terms: GlossaryPage) -> None:
    soup = visit("/ai/category/text/")
    assert words(soup.h1) == "Text & more"
    assert words(soup.select_one(".glossary-lead")) == "About texts."
    assert words(soup.select_one(".glossary-summary")) == "2 terms in this category"
    assert entries(soup) == ["3D model", "Token"]
    assert words(soup.select_one(".glossary-categories [aria-current]")) == (
        "Text & more 2 terms"
    )
    assert href(soup, 'link[rel="canonical"]') == "http://localhost/ai/category/text/"


def test_the_page_of_a_tag(terms: GlossaryPage) -> None:
    soup = visit("/ai/tag/basics/")
    assert words(soup.h1) == "Terms with the tag “basics”"
    assert words(soup.select_one(".glossary-summary")) == "1 term with this tag"
    assert entries(soup) == ["Token"]
    assert href(soup, 'link[rel="canonical"]') == "http://localhost/ai/tag/basics/"


@pytest.mark.parametrize("name", ["ٹوکن", "C++", "Größe", "日本"])
def test_a_tag_of_any_script_leads_to_its_terms(
    glossary: GlossaryPage, name: str
) -> None:
    make_term(glossary, "token", tags=[name])
    url = href(visit("/ai/token/"), '.glossary-facts a[href*="/tag/"]')
    assert url is not None
    assert entries(visit(url)) == ["Token"]
    assert href(visit("/ai/"), ".glossary-tags a") == url


def test_a_category_of_any_script_leads_to_its_terms(glossary: GlossaryPage) -> None:
    make_term(glossary, "token", category=make_category("größe-量"))
    url = href(visit("/ai/"), ".glossary-categories a")
    assert url is not None
    assert url.isascii()
    assert entries(visit(url)) == ["Token"]


def test_tags_are_in_the_order_of_the_language() -> None:
    swedish = Locale.objects.create(language_code="sv")
    glossary = make_glossary("ai", locale=swedish)
    make_many(glossary, ["Term"], tags=["ä", "Zebra", "apa", "å"])
    tags = visit("/ai/").select(".glossary-tags a")
    assert [words(tag).split()[0] for tag in tags] == ["apa", "Zebra", "å", "ä"]


def test_no_more_tags_are_shown_than_can_be_looked_through(
    glossary: GlossaryPage,
) -> None:
    make_many(glossary, ["One", "Two"], tags=["common"])
    make_many(glossary, ["Three"], tags=[f"a{number:02}" for number in range(40)])
    tags = visit("/ai/").select(".glossary-tags a")
    assert len(tags) == index.MOST_TAGS
    assert words(tags[-1]) == "common 2 terms"


def test_an_unknown_part_is_not_there(terms: GlossaryPage) -> None:
    for place in ("category/none", "category/TEXT", "tag/none", "tag/BASICS", "map/x"):
        assert words(visit(f"/ai/{place}/", 404).h1) == "There is no such term", place


def test_what_has_no_public_term_is_not_there(terms: GlossaryPage) -> None:
    make_category("empty")
    make_term(terms, "draft", live=False, category=make_category("drafts"), tags=["d"])
    make_term(make_glossary("law"), "tort", category=make_category("law"), tags=["l"])
    for place in (
        "category/empty",
        "category/drafts",
        "category/law",
        "tag/d",
        "tag/l",
    ):
        assert get(f"/ai/{place}/").status_code == 404
    gone = terms.terms.get(slug="token")
    gone.unpublish()
    assert get("/ai/tag/basics/").status_code == 404
    assert entries(visit("/ai/category/text/")) == ["3D model"]


# The map


def test_the_map_has_every_term_as_a_link(terms: GlossaryPage) -> None:
    soup = visit("/ai/map/all/")
    assert words(soup.h1) == "Map of the terms"
    links = {link["href"] for link in soup.select(".glossary-map__list a")}
    assert links == {"/ai/3d/", "/ai/echo/", "/ai/tensor/", "/ai/token/"}
    assert href(soup, 'link[rel="canonical"]') == "http://localhost/ai/map/all/"
    assert href(visit("/ai/"), ".glossary-ways a") == "/ai/map/all/"


def test_the_map_of_a_category(terms: GlossaryPage) -> None:
    soup = visit("/ai/map/all/?category=text")
    links = {link["href"] for link in soup.select(".glossary-map__list a")}
    assert links == {"/ai/3d/", "/ai/token/"}
    # Each map has one address.
    for query in ("category=none", "category=text&x=1", "x=1"):
        assert redirected(f"/ai/map/all/?{query}") == "/ai/map/all/"


# Search


def test_the_name_of_a_term_leads_to_it(terms: GlossaryPage) -> None:
    for text in ("Token", "tOKEN", "  token ", "BPE", "tokens", "tokne", "Tóken!"):
        url = f"/ai/?q={quote(text)}"
        assert redirected(url) == "/ai/token/", text
        assert words(visit(f"{url}&all=1").h1) == "Search"
    # The beginning of a name is none.
    assert words(visit("/ai/?q=toke").h1) == "Search"


def test_a_name_of_several_terms_lists_them(terms: GlossaryPage) -> None:
    soup = visit("/ai/?q=piece")
    hits = [words(hit.h2) for hit in soup.select(".glossary-hit")]
    # The label that has the word is shown beside the title that has it not.
    assert sorted(hits) == ["Tensor Piece", "Token Piece"]
    assert [words(mark) for mark in soup.select(".glossary-hit__label mark")] == [
        *("Piece", "Piece")
    ]


def test_hits_show_where_the_words_are(terms: GlossaryPage) -> None:
    soup = visit("/ai/?q=bead")
    (hit,) = soup.select(".glossary-hit")
    assert words(hit.h2) == "Token"
    assert href(soup, ".glossary-hit a") == "/ai/token/"
    assert words(hit.select_one(".glossary-hit__snippet mark")) == "bead"
    assert words(hit.select_one(".glossary-hit__category")) == "Text & more"
    assert words(soup.select_one(".glossary-summary")) == "1 term for “bead”"
    box = soup.select_one('.glossary-search input[name="q"]')
    assert box is not None
    assert box["value"] == "bead"
    (robots,) = soup.select('meta[name="robots"]')
    assert robots["content"] == "noindex"


def test_a_search_is_a_form_that_needs_no_script(terms: GlossaryPage) -> None:
    form = visit("/ai/").select_one(".glossary-search form")
    assert form is not None
    assert (form["action"], form["method"]) == ("/ai/", "get")
    assert [field["name"] for field in form.select("input[name]")] == ["q"]
    filters = visit("/ai/?q=model&all=1").select_one(".glossary-filters")
    assert filters is not None
    assert (filters["action"], filters["method"]) == ("/ai/", "get")
    fields = [field["name"] for field in filters.select("[name]")]
    assert fields == ["q", "all", "category", "letter"]


def found(url: str) -> list[str]:
    soup = visit(url)
    return [words(hit.a) for hit in soup.select(".glossary-hit h2")]


def chosen(soup: BeautifulSoup) -> list[str]:
    return [words(option) for option in soup.select("option[selected]")]


def test_hits_are_narrowed_by_category_and_letter(glossary: GlossaryPage) -> None:
    text, model = make_category("text"), make_category("model")
    make_term(glossary, "a", title="Word net", category=text)
    make_term(glossary, "b", title="Net of words", category=text)
    make_term(glossary, "c", title="Wide net", category=model)
    assert sorted(found("/ai/?q=net")) == ["Net of words", "Wide net", "Word net"]
    soup = visit("/ai/?q=net")
    options = [words(option) for option in soup.select("option")]
    assert options == [
        *("All categories", "Text (2)", "Model (1)"),
        *("All letters", "N (1)", "W (2)"),
    ]
    assert chosen(soup) == []
    assert found("/ai/?q=net&category=model") == ["Wide net"]
    assert found("/ai/?q=net&letter=n") == ["Net of words"]
    assert found("/ai/?q=net&category=text&letter=w") == ["Word net"]
    assert chosen(visit("/ai/?q=net&category=text&letter=w")) == ["Text", "W"]
    # A filter asks for hits, not for the term of that name.
    assert found("/ai/?q=wide+net&letter=w") == ["Wide net"]

    soup = visit("/ai/?q=net&category=model&letter=n")
    assert words(soup.select_one(".glossary-summary")) == "0 terms for “net”"
    assert href(soup, ".glossary-help a") == "/ai/?q=net&all=1"
    assert len(found("/ai/?q=net&all=1")) == 3


def test_what_is_unknown_narrows_nothing(terms: GlossaryPage) -> None:
    for parameters in (
        *("category=none", "letter=none", "letter=ww", "letter=é", "page=x"),
        *("category=%00&letter=%00", "letter=&category=", f"category={'x' * 10_000}"),
    ):
        assert found(f"/ai/?q=model&{parameters}") == ["3D model"], parameters
    # A letter of the language is known, although nothing stands there.
    assert found("/ai/?q=model&letter=x") == []


@pytest.fixture
def many_hits(glossary: GlossaryPage) -> list[str]:
    titles = [f"Net {number:02}" for number in range(45)]
    make_many(glossary, titles, searchable=True)
    return titles


def test_hits_come_in_parts(many_hits: list[str]) -> None:
    url: str | None = "/ai/?q=net"
    parts = []
    while url:
        soup = visit(url)
        parts.append([words(hit.a) for hit in soup.select(".glossary-hit h2")])
        assert words(soup.select_one(".glossary-summary")) == "45 terms for “net”"
        last, url = url, href(soup, '.glossary-parts a[rel="next"]')
    assert [len(part) for part in parts] == [20, 20, 5]
    assert sorted(hit for part in parts for hit in part) == many_hits
    before = href(visit(last), '.glossary-parts a[rel="prev"]')
    assert before is not None
    assert found(before) == parts[1]


def test_any_part_can_be_asked_for(many_hits: list[str]) -> None:
    parts = [found(f"/ai/?q=net&page={number}") for number in (1, 2, 3)]
    for page, number in (
        *((page, 1) for page in ("0", "-1", "abc", "", "1.5", "٣", "%00", "1", "+")),
        ("2", 2),
        # Behind the last one, that is shown.
        *((page, 3) for page in ("3", "4", "50", "9999")),
    ):
        soup = visit(f"/ai/?q=net&page={page}")
        hits = [words(hit.a) for hit in soup.select(".glossary-hit h2")]
        assert hits == parts[number - 1], page
        links = [link["rel"][0] for link in soup.select(".glossary-parts a")]
        assert links == [["next"], ["prev", "next"], ["prev"]][number - 1], page
    for page in ("999999", "9" * 5_000):
        assert found(f"/ai/?q=net&page={page}") in parts


def test_links_to_other_parts_keep_the_filters(many_hits: list[str]) -> None:
    url = href(visit("/ai/?q=net&letter=n"), '.glossary-parts a[rel="next"]')
    assert url == "/ai/?letter=n&q=net&page=2"
    assert chosen(visit(url)) == ["N"]


def test_a_misspelled_search_asks_what_was_meant(terms: GlossaryPage) -> None:
    soup = visit("/ai/?q=tensro")
    assert words(soup.select_one(".glossary-lead")) == "Did you mean Tensor ?"
    link = href(soup, ".glossary-lead a")
    assert link is not None
    assert redirected(link) == "/ai/tensor/"


def test_a_search_without_hits_offers_help(terms: GlossaryPage) -> None:
    soup = visit("/ai/?q=xyzzy")
    assert words(soup.select_one(".glossary-summary")) == "0 terms for “xyzzy”"
    assert soup.select(".glossary-hit") == []
    assert words(soup.select_one(".glossary-help h2")) == "What you can try"
    assert href(soup, ".glossary-letters a") == "/ai/#letter-b"
    assert href(soup, ".glossary-categories a") == "/ai/category/text/"
    assert soup.select(".glossary-filters") == []


def test_a_search_of_several_words_offers_what_is_near(terms: GlossaryPage) -> None:
    soup = visit("/ai/?q=the+tensor+of+xyzzy")
    links = [link["href"] for link in soup.select(".glossary-near a")]
    assert links == ["/ai/tensor/"]


def test_no_text_breaks_a_search(terms: GlossaryPage) -> None:
    for text in (
        *("%00token%00", "%ED%A0%80", "%FF%FE", "x" * 10_000, "x%20" * 5_000, "-"),
        *("%22a%20OR%20%22", "*)%20AND%20(", "%D9%B9%D9%88", "'%3B--", "NEAR(a,b)"),
        *("{{7*7}}", "%25s", ATTACK),
    ):
        for rest in ("", "&all=1", "&letter=t&category=text&page=2"):
            response = get(f"/ai/?q={text}{rest}")
            assert response.status_code in (200, 302), (text, rest)
            assert len(response.content) < 50_000, (text, rest)
            assert b"<script>" not in response.content, (text, rest)


def test_a_text_of_nothing_is_no_search(terms: GlossaryPage) -> None:
    for text in ("", "%00", "+", "%0A"):
        assert words(visit(f"/ai/?q={text}").h1) == "AI Glossary"


@given(st.dictionaries(st.sampled_from(["q", "all", "letter", "page"]), st.text()))
@trying(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_no_parameters_break_a_page(
    terms: GlossaryPage, parameters: dict[str, str]
) -> None:
    values = {
        name: value.encode(errors="replace") for name, value in parameters.items()
    }
    assert get("/ai/", data=values).status_code in (200, 302)


def rated(settings: Any, **rates: str) -> Iterator[None]:
    settings.GLOSSARY_API_RATES = rates
    caches["default"].clear()
    yield
    caches["default"].clear()


@pytest.fixture
def one_a_minute(settings: Any) -> Iterator[None]:
    yield from rated(settings, search="1/m", autocomplete="1/m")


def test_who_searches_too_often_has_to_wait(
    terms: GlossaryPage, one_a_minute: None
) -> None:
    assert get("/ai/?q=model").status_code == 200
    response = get("/ai/?q=model")
    soup = soup_of(response, 429)
    assert 1 <= int(response["Retry-After"]) <= 60
    assert "Please wait a minute" in words(soup)
    assert soup.select(".glossary-hit") == []
    # The pages themselves can be read.
    assert get("/ai/").status_code == 200
    assert get("/ai/?suggest=t").status_code == 200
    response = get("/ai/?suggest=to")
    assert response.status_code == 429
    assert response["Cache-Control"] == "no-store"
    assert 1 <= int(response["Retry-After"]) <= 60


# Suggestions


def suggested(text: str) -> list[dict[str, str]]:
    response = get(f"/ai/?suggest={text}")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    data = response.json()
    assert list(data) == ["suggestions"]
    return data["suggestions"]


def test_terms_are_suggested_with_the_name_that_matches(terms: GlossaryPage) -> None:
    assert suggested("te") == [{"name": "Tensor", "title": "", "url": "/ai/tensor/"}]
    assert suggested("BP") == [{"name": "BPE", "title": "Token", "url": "/ai/token/"}]
    # One that is not to be shown leads to its term without being named.
    assert suggested("tokn") == [{"name": "Token", "title": "", "url": "/ai/token/"}]
    assert suggested("xyzzy") == suggested("") == suggested("%00") == []
    assert len(suggested("x" * 10_000)) == 0


def test_no_more_terms_are_suggested_than_fit(many_hits: list[str]) -> None:
    assert len(suggested("net")) == searching.SUGGESTIONS


def test_suggestions_are_answered_conditionally(terms: GlossaryPage) -> None:
    response = get("/ai/?suggest=te")
    assert "public" in response["Cache-Control"]
    etag = response["ETag"]
    again = get("/ai/?suggest=te", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert get("/ai/?suggest=to", headers={"If-None-Match": etag}).status_code == 200
    head = Client().head("/ai/?suggest=te")
    assert (head.status_code, head.content) == (200, b"")
    make_term(terms, "tea")
    changed = get("/ai/?suggest=te", headers={"If-None-Match": etag})
    assert len(changed.json()["suggestions"]) == 2


def test_suggestions_are_of_this_glossary(terms: GlossaryPage) -> None:
    make_term(make_glossary("law"), "tenure")
    assert [item["name"] for item in suggested("ten")] == ["Tensor"]


# What is not there


def test_a_term_that_is_not_there_suggests_what_is_near(terms: GlossaryPage) -> None:
    soup = visit("/ai/tokenn/", 404)
    assert words(soup.h1) == "There is no such term"
    assert [link["href"] for link in soup.select(".glossary-near a")] == ["/ai/token/"]
    assert soup.select('.glossary-search input[name="q"]')
    assert soup.select(".glossary-letters a")
    (robots,) = soup.select('meta[name="robots"]')
    assert robots["content"] == "noindex"
    assert soup.select('link[rel="canonical"]') == []


def test_a_label_in_the_address_suggests_its_term(terms: GlossaryPage) -> None:
    soup = visit("/ai/bpe/", 404)
    assert [words(item) for item in soup.select(".glossary-near li")] == ["BPE Token"]


def test_no_address_breaks_it(terms: GlossaryPage) -> None:
    for path in (
        *("none", "token/none", "token/feed", "none/none/none", "letter", "map"),
        *("letter/t/t", "map/all/all", "a" * 5_000, "-", "---", "%D9%B9", "3-d-model"),
    ):
        assert words(visit(f"/ai/{path}/", 404).h1) == "There is no such term", path


def test_outside_a_glossary_the_site_answers(terms: GlossaryPage) -> None:
    for path in ("/none/", "/letter/t/", "/map/all/"):
        response = get(path)
        assert response.status_code == 404
        assert b"glossary" not in response.content


def test_a_draft_is_as_if_it_was_not_there(terms: GlossaryPage) -> None:
    draft = make_term(
        terms, "tokio", title="Tokio", live=False, labels=["Tokyo"], tags=["basics"]
    )
    there = get("/ai/tokio/")
    draft.delete()
    gone = get("/ai/tokio/")
    assert (there.status_code, there.content) == (gone.status_code, gone.content)
    assert there.status_code == 404
    assert there.headers == gone.headers


def test_a_restricted_term_asks_and_tells_nothing(terms: GlossaryPage) -> None:
    secret = make_term(terms, "tokio", title="Tokio", labels=["Tokyo"])
    restrict(secret)
    soup = visit("/ai/tokio/")
    assert soup.select_one('input[type="password"]') is not None
    assert "Tokio" not in str(soup)
    assert "okyo" not in str(soup)


@pytest.mark.parametrize("how", ["draft", "restricted", "unpublished"])
def test_what_is_hidden_is_on_no_page(
    terms: GlossaryPage, large: None, how: str
) -> None:
    secret = make_term(
        terms,
        "tokio",
        title="Tokio",
        short_definition="A town of text.",
        live=how != "draft",
        labels=["Tokyo"],
        category=make_category("towns"),
        tags=["town", "basics"],
        related_terms=[make_related_term(terms, "token")],
    )
    if how == "restricted":
        restrict(secret)
    if how == "unpublished":
        secret.unpublish()
    for url in (
        *ADDRESSES,
        *("/ai/token/", "/ai/tokyo/", "/ai/tokioo/", "/ai/category/towns/"),
        *("/ai/tag/town/", "/ai/?q=town", "/ai/?q=tokyo&all=1", "/ai/?q=tokioo"),
        *("/ai/?suggest=tok", "/ai/?suggest=town", "/ai/map/all/?category=towns"),
    ):
        body = get(url).content.decode()
        # The visitor's own words.
        for text in ("tokioo", "tokyo", "towns", "town"):
            body = body.replace(f'value="{text}"', "").replace(f"“{text}”", "")
        assert not re.search("tokio|tokyo|town", body, re.IGNORECASE), url


def test_a_former_slug_leads_to_the_term(
    terms: GlossaryPage, django_capture_on_commit_callbacks: Any
) -> None:
    term = TermPage.objects.get(slug="token")
    term.slug = "text-token"
    with django_capture_on_commit_callbacks(execute=True):
        term.save_revision().publish()
    assert redirected("/ai/token/", 301) == "/ai/text-token/"
    # A parameter does not keep it from being found.
    assert redirected("/ai/token/?utm=x", 301) == "/ai/text-token/"
    assert get("/ai/text-token/").status_code == 200


def test_no_address_hides_a_term(terms: GlossaryPage, large: None) -> None:
    slugs = ["letter", "category", "tag", "map", "missing", "all"]
    for slug in slugs:
        make_term(terms, slug, title=f"The term {slug}")
    for slug in slugs:
        assert words(visit(f"/ai/{slug}/").h1) == f"The term {slug}"
        assert get(f"/ai/{slug}/index.md").status_code == 200
    assert entries(visit("/ai/letter/t/"))[0] == "Tensor"


def test_parts_of_a_glossary_have_no_files(terms: GlossaryPage, large: None) -> None:
    files = ("index.md", "card.png", "feed.atom", "llms.txt", "_payload.json")
    places = ("letter/t", "category/text", "tag/basics", "map/all", "none", "token/x")
    for place in places:
        for name in files:
            assert get(f"/ai/{place}/{name}").status_code == 404, (place, name)
    assert get("/ai/index.md").status_code == 200


def test_parts_of_a_glossary_are_pages_alone(terms: GlossaryPage, large: None) -> None:
    for place in ("letter/t", "category/text", "tag/basics", "map/all"):
        for accept in ("text/markdown", "application/json"):
            response = get(f"/ai/{place}/", headers={"Accept": accept})
            assert response["Content-Type"] == "text/html; charset=utf-8"
            soup = soup_of(response)
            assert soup.select('link[rel="alternate"][type="text/markdown"]') == []


# Who may not see it


@pytest.mark.parametrize(
    "kind", [PageViewRestriction.PASSWORD, PageViewRestriction.LOGIN]
)
def test_a_restricted_glossary_asks_at_each_address(
    terms: GlossaryPage, large: None, settings: Any, kind: str
) -> None:
    settings.GLOSSARY_PAGE_SECONDS = 300
    for url in ADDRESSES:  # what was kept while it was public stays unseen
        get(url)
    restrict(terms, kind)
    for url in ADDRESSES:
        response = get(url)
        if kind == PageViewRestriction.LOGIN:
            assert response.status_code == 302
            assert "login" in response["Location"]
        else:
            soup = soup_of(response)
            assert soup.select_one('input[type="password"]') is not None
            for name in ("Token", "AI Glossary", "Text"):
                assert name not in words(soup), url
        assert "no-store" in response["Cache-Control"], url
        assert "ETag" not in response, url


def test_who_has_the_password_gets_the_page(terms: GlossaryPage) -> None:
    restrict(terms)
    client = Client()
    form = soup_of(client.get("/ai/map/all/")).form
    assert form is not None
    fields = form.select("input[name]")
    data = {str(field["name"]): field.get("value", "") for field in fields}
    response = client.post(str(form["action"]), {**data, "password": "sesame"})
    assert response["Location"] == "/ai/map/all/"
    response = client.get("/ai/")
    assert words(soup_of(response).h1) == "AI Glossary"
    assert "no-store" in response["Cache-Control"]
    # What is listed is what anyone may see.
    for url in ADDRESSES:
        assert b"Tensor" not in client.get(url).content
    assert words(soup_of(client.get("/ai/token/")).h1) == "Token"


def test_of_an_unpublished_glossary_nothing_is_there(terms: GlossaryPage) -> None:
    terms.unpublish()
    for url in ADDRESSES:
        response = get(url)
        assert response.status_code == 404
        assert b"AI Glossary" not in response.content


# Methods


@pytest.fixture
def only_read(monkeypatch: pytest.MonkeyPatch) -> None:
    methods = [HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS]
    monkeypatch.setattr(GlossaryPage, "allowed_http_methods", methods)


def test_methods_are_those_that_the_page_allows(
    terms: GlossaryPage, large: None, only_read: None
) -> None:
    client = Client()
    for url in ADDRESSES:
        for method in ("post", "put", "patch", "delete"):
            response = getattr(client, method)(url)
            assert response.status_code == 405, (url, method)
            assert response["Allow"] == "GET, HEAD, OPTIONS"
        assert client.options(url)["Allow"] == "GET, HEAD, OPTIONS"
        head, whole = client.head(url), client.get(url)
        assert head.content == b""
        assert head.status_code == whole.status_code


# Several sites, glossaries and languages


@pytest.fixture
def two_sites(terms: GlossaryPage) -> GlossaryPage:
    """Another site, whose glossary has the same slug."""
    root = Page.get_first_root_node().add_child(
        instance=Page(title="Elsewhere", slug="elsewhere")
    )
    Site.objects.create(hostname="other.example", root_page=root)
    other = make_glossary("ai", parent=root, title="Another glossary")
    make_term(
        other,
        "tundra",
        short_definition="A plain of text.",
        category=make_category("plains"),
        tags=["basics", "cold"],
    )
    return other


def test_two_sites_do_not_mix(two_sites: GlossaryPage, large: None) -> None:
    other = {"headers": {"host": "other.example"}}
    assert entries(visit("/ai/letter/t/")) == ["Tensor", "Token"]
    assert entries(visit("/ai/letter/t/", **other)) == ["Tundra"]
    assert entries(visit("/ai/tag/basics/")) == ["Token"]
    assert entries(visit("/ai/tag/basics/", **other)) == ["Tundra"]
    for place in ("category/plains", "tag/cold", "tundra"):
        assert get(f"/ai/{place}/").status_code == 404
        assert get(f"/ai/{place}/", **other).status_code == 200
    for place in ("category/text", "token"):
        assert get(f"/ai/{place}/", **other).status_code == 404
    for url in ADDRESSES:
        assert b"undra" not in get(url).content
        assert b"ensor" not in get(url, **other).content
    # Whatever a parameter of the APIs says.
    assert entries(visit("/ai/letter/t/?site=other.example")) == ["Tensor", "Token"]


@pytest.fixture
def at_home() -> Iterator[GlossaryPage]:
    """A glossary that is the home page."""
    glossary = make_glossary("words", parent=Page.get_first_root_node(), title="Words")
    site = Site.objects.get(is_default_site=True)
    site.root_page = Page.objects.get(pk=glossary.pk)
    site.save()
    yield glossary
    Site.clear_site_root_paths_cache()  # which outlives the test


def test_a_glossary_can_be_the_home_page(at_home: GlossaryPage, large: None) -> None:
    make_term(at_home, "token", category=make_category("text"), tags=["x"])
    assert href(visit("/"), ".glossary-letters a") == "/letter/t/"
    for url in ("/letter/t/", "/category/text/", "/tag/x/"):
        assert entries(visit(url)) == ["Token"]
    assert redirected("/?q=token") == "/token/"
    assert words(visit("/none/", 404).h1) == "There is no such term"


@pytest.mark.parametrize(
    ("url", "appends", "address"),
    [
        ("/ai/", True, "/ai/letter/%D9%B9/"),
        ("/ai", False, "/ai/letter/%D9%B9"),
        ("/", True, "/letter/%D9%B9/"),
        ("/", False, "/letter/%D9%B9"),
        ("https://words.example/ai", False, "https://words.example/ai/letter/%D9%B9"),
    ],
)
def test_an_address_ends_as_those_of_the_site_do(
    settings: Any, url: str, appends: bool, address: str
) -> None:
    settings.WAGTAIL_APPEND_SLASH = appends
    assert index.GlossaryIndex(None, url).address("letter", "ٹ") == address


def test_a_category_with_a_row_in_each_language_is_one(
    terms: GlossaryPage, french: GlossaryPage
) -> None:
    """As after a translation of a glossary before that of its categories."""
    text = Category.objects.get(slug="text")
    other = make_category("text", name="Texte", locale=french.locale)
    make_term(terms, "mot", title="Mot", category=other)
    soup = visit("/ai/")
    links = soup.select('.glossary-categories a[href="/ai/category/text/"]')
    assert [words(link) for link in links] == ["Text & more 3 terms"]
    assert entries(visit(text_url := "/ai/category/text/")) == [
        *("3D model", "Mot", "Token")
    ]
    assert words(visit(text_url).h1) == text.name
    hits = visit("/ai/?q=means&category=text&all=1").select(".glossary-hit h2")
    assert "Mot" in {words(hit) for hit in hits}


def test_a_tag_without_a_slug_is_no_link(terms: GlossaryPage) -> None:
    make_term(terms, "plus", title="Plus", tags=["++", "basics"])
    tags = visit("/ai/plus/").select(".glossary-facts dd")
    assert [words(tag) for tag in tags if tag.a is None] == ["++"]
    assert "++" not in visit("/ai/").select_one(".glossary-tags").get_text()


def test_only_the_main_categories_stand_beside_other_things(
    terms: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MOST_CATEGORIES", 1)
    beside = visit("/ai/tag/basics/").select(".glossary-categories a")
    assert [words(link) for link in beside] == ["Text & more 2 terms", "All categories"]
    assert beside[1]["href"] == "/ai/#glossary-categories"
    assert len(visit("/ai/").select(".glossary-categories a")) == 2


def test_a_page_says_how_it_is_to_be_shared(terms: GlossaryPage) -> None:
    soup = visit("/ai/token/")

    def meta(name: str) -> str | None:
        tag = soup.select_one(f'meta[property="{name}"], meta[name="{name}"]')
        return tag and str(tag["content"])

    assert meta("og:type") == "article"
    assert meta("og:title") == "Token"
    assert meta("og:url") == "http://localhost/ai/token/"
    assert meta("og:description") == "A piece of text."
    assert meta("og:image") == "http://localhost/ai/token/card.png"
    assert (meta("og:image:width"), meta("og:image:height")) == ("1200", "630")
    assert meta("og:image:alt") == "The title “Token” and what it means"
    assert meta("twitter:card") == "summary_large_image"
    assert get("/ai/token/card.png")["Content-Type"] == "image/png"
    soup = visit("/ai/")
    assert meta("og:type") == "website"


def test_a_term_without_an_explanation_is_not_to_be_indexed(
    terms: GlossaryPage, settings: Any
) -> None:
    robots = 'meta[name="robots"]'
    assert visit("/ai/token/").select_one(robots) is None
    assert visit("/ai/tensor/").select_one(robots)["content"] == "noindex"
    settings.GLOSSARY_NOINDEX_THIN = False
    assert visit("/ai/tensor/").select_one(robots) is None


def test_breadcrumbs_stay_on_the_site(terms: GlossaryPage) -> None:
    """Also where its root stands below that of another one."""
    root = Site.objects.get().root_page
    inner = make_glossary("inner", parent=root)
    Site.objects.create(hostname="inner.example", root_page=inner)
    make_term(inner, "word")
    soup = visit("/word/", headers={"host": "inner.example"})
    crumbs = soup.select(".glossary-breadcrumbs li")
    assert [words(crumb) for crumb in crumbs] == ["Inner", "Word"]


def test_a_page_names_no_term_of_another_site(terms: GlossaryPage) -> None:
    root = Site.objects.get().root_page.get_parent()
    elsewhere = make_glossary("elsewhere", parent=root)
    Site.objects.create(hostname="other.example", root_page=elsewhere)
    make_term(elsewhere, "foreign", title="Foreign term")
    make_term(
        terms,
        "here",
        title="Here",
        comparisons=[
            comparison("", "<p>Far.</p>", make_related_term(elsewhere, "foreign")),
            comparison("", "<p>Farther.</p>", make_related_term(elsewhere, "absent")),
            comparison("", "<p>Near.</p>", make_related_term(terms, "wanted")),
        ],
    )
    text = visit("/ai/here/").get_text()
    assert "Foreign" not in text
    assert "Absent" not in text
    assert "Wanted" in text


def test_a_term_that_very_many_point_at_costs_no_more(
    terms: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = make_related_term(terms, "token")
    for name in ("a", "b", "c"):
        make_term(terms, name, related_terms=[token])
    mentions = visit("/ai/token/").select_one("#mentions")
    assert len(mentions.select("li")) == 4
    monkeypatch.setattr(backlinks, "MOST_READ", 2)
    mentions = visit("/ai/token/").select_one("#mentions")
    assert len(mentions.select("li")) == 2
    assert words(mentions.select_one(".glossary-summary")) == "and many more terms"


@pytest.fixture
def french(terms: GlossaryPage) -> GlossaryPage:
    """The glossary in French, with one of its terms, and a draft of another."""
    french = make_french(terms)
    make_translation(terms.terms.get(slug="token"), "Jeton")
    make_translation(terms.terms.get(slug="tensor"), "Tenseur", live=False)
    return french


FRENCH = {"headers": {"accept-language": "fr"}}


def test_a_page_leads_to_its_translations_alone(french: GlossaryPage) -> None:
    for url, name in (("/ai/", "AI Glossary"), ("/ai/token/", "Token")):
        soup = visit(url)
        assert words(soup.h1) == name
        languages = soup.select(".glossary-languages a")
        assert [(link["hreflang"], words(link)) for link in languages] == [
            ("fr", "Français")
        ]
        alternates = soup.select('link[rel="alternate"][hreflang]')
        assert [link["hreflang"] for link in alternates] == ["en", "fr"]
        assert soup.select_one(".glossary-languages [aria-current]") is not None
    for url in ("/ai/tensor/", "/ai/echo/"):
        assert visit(url).select(".glossary-languages, [hreflang]") == []


def test_each_language_lists_its_own_terms(french: GlossaryPage, large: None) -> None:
    assert entries(visit("/ai/letter/t/")) == ["Tensor", "Token"]
    soup = visit("/ai/letter/j/", **FRENCH)
    assert entries(soup) == ["Jeton"]
    assert soup.select_one('.glossary[lang="fr"][dir="ltr"]') is not None
    # The letters of another language are others: its glossary is what leads there.
    links = [link["hreflang"] for link in soup.select(".glossary-languages a")]
    assert links == ["en", "fr"]
    assert soup.select("link[hreflang]") == []
    assert entries(visit("/ai/tag/basics/", **FRENCH)) == ["Jeton"]
    assert get("/ai/letter/t/", **FRENCH).content.count(b"glossary-entry") == 0


def test_every_page_runs_as_its_language_does(large: None) -> None:
    urdu = Locale.objects.create(language_code="ur")
    glossary = make_glossary("lughat", locale=urdu)
    category = make_category("text", locale=urdu)
    make_term(
        glossary, "token", title="ٹوکن", locale=urdu, category=category, tags=["x"]
    )
    for place in (
        *("", "letter/ٹ/", "category/text/", "tag/x/", "map/all/"),
        *("token/", "none/", "?q=text", "?q=xyzzy"),
    ):
        soup = visit(f"/lughat/{place}", 404 if place == "none/" else 200)
        assert soup.select_one('.glossary[lang="ur"][dir="rtl"]') is not None, place


def test_a_french_glossary_dates_in_french(french: GlossaryPage) -> None:
    TermPage.objects.update(last_published_at="2024-02-01T12:00:00Z")
    assert words(visit("/ai/token/").select_one("footer time")) == "Feb. 1, 2024"
    soup = visit("/ai/token/", **FRENCH)
    assert words(soup.select_one("footer time")) == "1 février 2024"


# Cost


# How many queries each page may make. PostgreSQL is asked once more what the words of
# a search are.
PAGES = {
    "/ai/": 20,
    "/ai/letter/t/": 16,
    "/ai/letter/t/?from=Term+005": 17,
    "/ai/category/text/": 15,
    "/ai/tag/x/": 16,
    "/ai/map/all/": 18,
    "/ai/?q=means": 21,
    "/ai/?q=means&letter=t&category=text": 20,
    "/ai/?q=xyzzy": 26,
    "/ai/?suggest=te": 10,
    "/ai/many-1x/": 20,
    "/ai/many-5/": 26,
}


def costs() -> dict[str, int]:
    found = {}
    for url in PAGES:
        get(url)  # Wagtail remembers the paths of the sites' roots from then on
        with CaptureQueriesContext(connection) as captured:
            assert get(url).status_code in (200, 404)
        found[url] = len(captured)
    return found


@pytest.mark.slow
def test_a_page_costs_the_same_however_large_the_glossary_is(large: None) -> None:
    glossary, category = make_glossary("ai"), make_category("text")

    def grow(to: int) -> None:
        titles = numbered(to)[glossary.numchild :]
        make_many(glossary, titles, category=category, tags=["x"], searchable=True)

    grow(10)
    small = costs()
    grow(300)
    assert costs() == small
    assert not {url for url, most in PAGES.items() if small[url] > most}


@pytest.mark.slow
def test_a_page_is_of_a_bounded_size() -> None:
    glossary, category = make_glossary("ai"), make_category("text")
    titles = numbered(1_000)
    make_many(glossary, titles, category=category, tags=["x"], searchable=True)
    for url in PAGES:
        if url != "/ai/map/all/":  # which draws them all
            assert len(get(url).content) < 60_000, url
    # Not because there was nothing.
    assert len(entries(visit("/ai/letter/t/"))) == PART
    assert len(visit("/ai/?q=means").select(".glossary-hit")) == searching.HITS
