"""The endpoints ``terms`` and ``categories`` of Wagtail's API v2."""

from __future__ import annotations

import json
from typing import Any

import pytest
import swapper
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.models import Locale

from glossary.models import GlossaryPage, TermPage
from tests.extension.models import CourseTermPage

from .factories import (
    comparison,
    feature,
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)


pytestmark = pytest.mark.django_db

TERMS = "/api/v2/terms/"
CATEGORIES = "/api/v2/categories/"
MAX_QUERIES = 16


@pytest.fixture(autouse=True)
def nothing_left_over() -> None:
    cache.clear()  # the sites of the test before


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", live=True)


def make_complete_term(glossary: GlossaryPage, slug: str = "embedding") -> TermPage:
    """A term with something in every field, all of which may be seen."""
    token = make_related_term(glossary, f"{slug}-token")
    vector = make_term(glossary, f"{slug}-vector")
    known = make_related_term(glossary, vector.slug)
    link = f'<a linktype="page" id="{vector.pk}">vectors</a>'
    return make_term(
        glossary,
        slug,
        heading="What is an embedding?",
        short_definition="A text as a list of numbers.",
        category=make_category(f"{slug}-research"),
        explanation=[
            section(f"<p>Of {link}, <code>x</code>.</p>", heading="Numbers"),
            section("<p>By training.</p>", kind="how_it_works"),
        ],
        comparisons=[
            comparison("Vectors", "<p>Shorter.</p>", known),
            comparison("A hash", f"<p>Not {link}.</p>"),
        ],
        faq=[question("Is it a token?", f"<p>No, it is {link}.</p>")],
        related_features=[feature("features/search", "Search")],
        related_terms=[(known, "broader"), token],
        labels=[("embed", "synonym"), ("emb", "abbreviation")],
        tags=["Data", "Training"],
    )


def slugs(client: Client, query: str) -> list[str]:
    response = client.get(f"{TERMS}?{query}")
    assert response.status_code == 200, response.content
    return [item["meta"]["slug"] for item in response.json()["items"]]


def has_seo_fields() -> bool:
    """A site's own base page may lack them."""
    return hasattr(swapper.load_model("wagtailcore", "Page"), "seo_title")


# What a term looks like


def test_a_term_in_full(client: Client, glossary: GlossaryPage) -> None:
    term = make_complete_term(glossary)
    vector = TermPage.objects.get(slug="embedding-vector")
    answer = client.get(f"{TERMS}{term.pk}/").json()
    meta = answer.pop("meta")
    explanation, how = answer["explanation"]
    vectors, a_hash = answer["comparisons"]
    broader, related = answer["related_terms"]
    assert list(answer) == [
        *("id", "title", "heading", "short_definition", "category", "tags"),
        *("explanation", "comparisons", "faq", "related_features"),
        *("related_terms", "labels", "backlinks_count"),
    ]
    assert answer["backlinks_count"] == 0
    assert meta["translation_key"] == str(term.translation_key)
    assert meta["last_published_at"] >= meta["first_published_at"]
    assert [each["locale"] for each in meta["translations"]] == []
    assert meta["type"] == "glossary.TermPage"
    assert meta["detail_url"] == f"http://localhost{TERMS}{term.pk}/"
    assert meta["html_url"] == "http://localhost/ai/embedding/"
    assert meta["slug"] == "embedding"
    assert meta["locale"] == "en"
    assert meta["parent"]["id"] == glossary.pk
    assert answer["heading"] == "What is an embedding?"
    assert answer["short_definition"] == "A text as a list of numbers."
    assert answer["category"] == {
        "slug": "embedding-research",
        "name": "Embedding research",
    }
    assert answer["tags"] == ["Data", "Training"]
    assert explanation["type"] == "section"
    assert explanation["id"] == term.explanation[0].id
    assert explanation["value"] == {
        "kind": "explanation",
        "heading": "Numbers",
        "body": f'<p>Of <a linktype="page" id="{vector.pk}">vectors</a>, '
        "<code>x</code>.</p>",
    }
    assert how["value"]["kind"] == "how_it_works"
    reference = {
        "id": vector.known_as.get().pk,
        "slug": "embedding-vector",
        "name": "Embedding vector",
        "url": "http://localhost/ai/embedding-vector/",
    }
    assert vectors["value"] == {
        "related_term": reference,
        "name": "Vectors",
        "comparison": "<p>Shorter.</p>",
    }
    assert a_hash["value"]["related_term"] is None
    assert (broader["kind"], broader["related_term"]) == ("broader", reference)
    assert related["kind"] == "related"
    assert related["related_term"]["name"] == "Embedding token"
    assert related["related_term"]["url"] is None
    assert answer["faq"][0]["value"]["question"] == "Is it a token?"
    assert answer["related_features"][0]["value"] == {
        "path": "features/search",
        "label": "Search",
    }
    assert [(label["text"], label["kind"]) for label in answer["labels"]] == [
        ("embed", "synonym"),
        ("emb", "abbreviation"),
    ]
    assert {label["case_rule"] for label in answer["labels"]} == {"ignore"}


@pytest.mark.parametrize("rich_text", ["html", "markdown", "db_html"])
def test_a_term_is_the_same_on_our_own_api(
    client: Client, glossary: GlossaryPage, rich_text: str
) -> None:
    term = make_complete_term(glossary)
    v1 = client.get(f"/api/glossary/v1/terms/{term.pk}/?rich_text={rich_text}")
    v2 = client.get(f"{TERMS}{term.pk}/?rich_text_format={rich_text}")
    body = v1.content.decode()
    for ours, wagtails in (("terms", "terms"), ("glossaries", "pages")):
        body = body.replace(f"/api/glossary/v1/{ours}/", f"/api/v2/{wagtails}/")
    expected, found = json.loads(body), v2.json()
    if not has_seo_fields():  # of a base page's fields v2 has those that there are
        for name in ("seo_title", "search_description", "show_in_menus"):
            assert not expected["meta"].pop(name)
    assert expected == found


def test_a_list_can_show_all_of_each_term(
    client: Client, glossary: GlossaryPage
) -> None:
    term = make_complete_term(glossary)
    detail = client.get(f"{TERMS}{term.pk}/").json()
    [item] = client.get(f"{TERMS}?slug=embedding&fields=*").json()["items"]
    del detail["meta"]["parent"]  # Wagtail's lists leave it out
    assert item == detail


def test_a_list_is_short_unless_asked_for_more(
    client: Client, glossary: GlossaryPage
) -> None:
    make_term(glossary)
    [item] = client.get(TERMS).json()["items"]
    assert set(item) == {"id", "meta", "title"}
    [item] = client.get(f"{TERMS}?fields=short_definition,category").json()["items"]
    assert set(item) == {"id", "meta", "title", "short_definition", "category"}
    assert item["category"] is None


def test_seo_fields_are_there_if_the_base_page_has_them(
    client: Client, glossary: GlossaryPage
) -> None:
    if not has_seo_fields():
        term = make_term(glossary)
        meta = client.get(f"{TERMS}{term.pk}/").json()["meta"]
        assert not {"seo_title", "search_description"} & set(meta)
        return
    term = make_term(glossary, seo_title="Embeddings", search_description="Numbers")
    meta = client.get(f"{TERMS}{term.pk}/").json()["meta"]
    assert (meta["seo_title"], meta["search_description"]) == ("Embeddings", "Numbers")
    assert slugs(client, "seo_title=Embeddings") == [term.slug]


@pytest.mark.parametrize(
    ("name", "body", "answer"),
    [
        (
            "db_html",
            '<p>Of <a linktype="page" id="{pk}">vectors</a>, <code>x</code>.</p>',
            '<p>No, it is <a linktype="page" id="{pk}">vectors</a>.</p>',
        ),
        (
            "html",
            '<p>Of <a href="{url}">vectors</a>, <code>x</code>.</p>',
            '<p>No, it is <a href="{url}">vectors</a>.</p>',
        ),
        (
            "db_markdown",
            "Of [vectors](wagtail://page?id={pk}), `x`.\n\n",
            "No, it is [vectors](wagtail://page?id={pk}).\n\n",
        ),
        (
            "markdown",
            "Of [vectors]({url}), `x`.\n\n",
            "No, it is [vectors]({url}).\n\n",
        ),
    ],
)
def test_rich_text_comes_in_the_format_that_is_asked_for(
    client: Client, glossary: GlossaryPage, name: str, body: str, answer: str
) -> None:
    term = make_complete_term(glossary)
    vector = TermPage.objects.get(slug="embedding-vector")
    values = {"pk": vector.pk, "url": "/ai/embedding-vector/"}
    for url in (
        f"{TERMS}{term.pk}/?",
        f"{TERMS}?slug=embedding&fields=*&",
        f"/api/v2/pages/{term.pk}/?",
    ):
        data = client.get(f"{url}rich_text_format={name}").json()
        data = data["items"][0] if "items" in data else data
        # Wagtail's own endpoint ends Markdown with an empty line.
        found = data["explanation"][0]["value"]["body"].strip()
        assert found == body.format(**values).strip()
        found = data["faq"][0]["value"]["answer"].strip()
        assert found == answer.format(**values).strip()
        found = data["comparisons"][1]["value"]["comparison"].strip()
        assert found == answer.format(**values).strip().replace("No, it is", "Not")


def test_the_introduction_of_a_glossary(client: Client) -> None:
    home = home_page()
    glossary = make_glossary(
        introduction=f'<p>See <a linktype="page" id="{home.pk}">home</a>.</p>'
    )
    for name, text in {
        "db_html": glossary.introduction,
        "html": '<p>See <a href="/">home</a>.</p>',
        "markdown": "See [home](/).\n\n",
    }.items():
        url = f"/api/v2/pages/{glossary.pk}/?rich_text_format={name}"
        assert client.get(url).json()["introduction"] == text


# How much it costs


@pytest.mark.slow
def test_a_list_takes_the_same_queries_however_long(
    client: Client, glossary: GlossaryPage
) -> None:
    for number in range(6):
        make_complete_term(glossary, f"term-{number}")
    client.get(TERMS)  # what is remembered of the site
    for name in ("db_html", "html", "db_markdown", "markdown"):
        counts = []
        for limit in (2, 12):
            cache.clear()
            with CaptureQueriesContext(connection) as queries:
                url = f"{TERMS}?fields=*&limit={limit}&rich_text_format={name}"
                response = client.get(f"{url}&order=-title")
            assert len(response.json()["items"]) == limit
            counts.append(len(queries))
        assert counts[0] == counts[1] <= MAX_QUERIES, name


def test_a_hundred_terms_can_be_asked_for(client: Client) -> None:
    assert client.get(f"{TERMS}?limit=100").status_code == 200
    assert client.get(f"{TERMS}?limit=101").status_code == 400


@pytest.mark.slow
def test_categories_take_the_same_queries_however_many(
    client: Client, glossary: GlossaryPage
) -> None:
    counts = []
    for _time in range(2):
        for _number in range(3):
            make_term(glossary, category=make_category())
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{CATEGORIES}?fields=*")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= MAX_QUERIES


# What can be asked for


@pytest.fixture
def collection(glossary: GlossaryPage) -> dict[str, Any]:
    """Four terms in two categories and two languages, each with some tags."""
    french = Locale.objects.create(language_code="fr")
    basics, research = make_category("basics"), make_category("research")
    recherche = make_category("research", locale=french)
    make_term(glossary, "token", category=basics, tags=["Text"], heading="Parts")
    make_term(glossary, "vector", category=research, tags=["Data", "Text"])
    make_term(glossary, "matrix", category=research, tags=["Data"], labels=["grid"])
    home = home_page().copy_for_translation(french, alias=True)
    glossaire = make_glossary("ia", parent=home, locale=french)
    make_term(glossaire, "vecteur", category=recherche, locale=french)
    return {"glossary": glossary.pk, "glossaire": glossaire.pk, "home": home.pk}


FILTERS: list[tuple[str, Any]] = [
    ("category=research", {"vector", "matrix", "vecteur"}),
    ("category=research&locale=en", {"vector", "matrix"}),
    ("category=none", set()),
    ("tags=Data", {"vector", "matrix"}),
    ("tags=Data,Text", {"vector"}),
    ("tags=", set()),
    ("tags=Data&category=basics", set()),
    ("locale=fr", {"vecteur"}),
    ("search=vector", {"vector"}),
    ("search=grid", {"matrix"}),
    ("search=means&category=research&locale=en", {"vector", "matrix"}),
    ("search=means&tags=Data", {"vector", "matrix"}),
    ("search=vector means&search_operator=and", {"vector"}),
    ("search=means&locale=fr", {"vecteur"}),
    ("search=", set()),
    ("slug=token", {"token"}),
    ("title=Token", {"token"}),
    ("heading=Parts", {"token"}),
    ("child_of={glossary}", {"token", "vector", "matrix"}),
    ("child_of={glossaire}", {"vecteur"}),
    ("descendant_of=root&locale=en", {"token", "vector", "matrix"}),
    ("type=glossary.TermPage&slug=token", {"token"}),
    ("type=extension.CourseTermPage", set()),
    ("type=glossary.TermPage,extension.CourseTermPage&slug=token", {"token"}),
    ("_=1&slug=token", {"token"}),
]


def test_terms_can_be_filtered(client: Client, collection: dict[str, Any]) -> None:
    for query, found in FILTERS:
        got = slugs(client, query.format(**collection))
        assert len(got) == len(set(got)), query
        assert set(got) == found, query


ORDERS: list[tuple[str, Any]] = [
    ("order=title", ["matrix", "token", "vector"]),
    ("order=-title", ["vector", "token", "matrix"]),
    ("order=-first_published_at", ["matrix", "vector", "token"]),
    ("order=id&limit=1&offset=1", ["vector"]),
    ("order=title&search=means", ["matrix", "token", "vector"]),
    ("order=title&category=research", ["matrix", "vector"]),
]


def test_terms_can_be_ordered(client: Client, collection: dict[str, Any]) -> None:
    for query, found in ORDERS:
        assert slugs(client, f"{query}&locale=en") == found, query
    assert len(slugs(client, "order=random")) == 4


@pytest.mark.parametrize(
    ("endpoint", "query", "status"),
    [
        (TERMS, "nope=x", 400),
        (TERMS, "fields=nope", 400),
        (TERMS, "fields=alias_of", 400),
        (TERMS, "fields=(", 400),
        (TERMS, "fields=" + "title(" * 2000, 400),
        (TERMS, "fields=*,title(x)", 400),
        (TERMS, "limit=x", 400),
        (TERMS, "limit=-1", 400),
        (TERMS, "limit=101", 400),
        (TERMS, "limit=" + "9" * 5000, 400),
        (TERMS, "offset=x", 400),
        (TERMS, "offset=-1", 400),
        (TERMS, "offset=99999999999999999999", 400),
        (TERMS, "offset=9223372036854775808", 400),
        (TERMS, "offset=2147483647", 200),
        (TERMS, "offset=٣", 400),
        (TERMS, "id=x", 400),
        (TERMS, "id=99999999999999999999", 400),
        (TERMS, "order=nope", 400),
        (TERMS, "order=explanation", 400),
        (TERMS, "order=related_terms", 400),
        (TERMS, "order=labels", 400),
        (TERMS, "order=tags", 400),
        (TERMS, "order=category", 400),
        (TERMS, "order=payload_extra", 400),
        (TERMS, "order=owner", 400),
        (TERMS, "order=--title", 400),
        (TERMS, "order=random&offset=1", 400),
        (TERMS, "order=%00", 400),
        (TERMS, "explanation=x", 400),
        (TERMS, "related_terms=x", 400),
        (TERMS, "labels=x", 400),
        (TERMS, "payload_extra=x", 400),
        (TERMS, "live=true", 400),
        (TERMS, "latest_revision=1", 400),
        (TERMS, "first_published_at=yesterday", 400),
        (TERMS, "title=%00", 400),
        (TERMS, "category=%00", 400),
        (TERMS, "tags=%00", 400),
        (TERMS, "search=%00", 400),
        (TERMS, "locale=%00", 400),
        (TERMS, "site=%00", 400),
        (TERMS, "type=%00", 400),
        (TERMS, "%00=1", 400),
        (TERMS, "search=x&search_operator=not", 400),
        (TERMS, "search=x&order=heading", 400),
        (TERMS, "search=" + "%27%22(*:-%26|!%25s%5C " * 20, 200),
        (TERMS, "search=" + "word " * 51, 400),
        (TERMS, "locale=xx", 404),
        (TERMS, "site=nowhere.example", 404),
        (TERMS, "site=localhost:x", 400),
        (TERMS, "child_of=x", 400),
        (TERMS, "child_of=-1", 400),
        (TERMS, "child_of=0", 400),
        (TERMS, "child_of=" + "9" * 30, 400),
        (TERMS, "ancestor_of=" + "9" * 30, 400),
        (TERMS, "translation_of=" + "9" * 30, 400),
        (TERMS, "descendant_of=root&child_of=root", 400),
        (TERMS, "type=nope", 400),
        (TERMS, "type=nope.Nope", 400),
        (TERMS, "type=glossary.Category", 400),
        (TERMS, "type=glossary.GlossaryPage", 400),
        (TERMS, "type=glossary.TermPage,glossary.GlossaryPage", 400),
        (TERMS, "rich_text_format=pdf", 400),
        (TERMS, "format=xml", 404),
        (f"{TERMS}0/", "", 404),
        (f"{TERMS}{'9' * 30}/", "", 404),
        (f"{TERMS}x/", "", 404),
        (f"{TERMS}find/", "", 404),
        (f"{TERMS}find/", "id=x", 400),
        (f"{TERMS}find/", "id=" + "9" * 30, 400),
        (f"{TERMS}find/", "html_path=%00", 400),
        (f"{TERMS}find/", "html_path=/nowhere/", 404),
        (CATEGORIES, "nope=x", 400),
        (CATEGORIES, "order=term_count", 400),
        (CATEGORIES, "order=terms", 400),
        (CATEGORIES, "terms=1", 400),
        (CATEGORIES, "sort_order=1", 400),
        (CATEGORIES, "offset=99999999999999999999", 400),
        (CATEGORIES, "slug=%00", 400),
        (CATEGORIES, "locale=xx", 404),
        (CATEGORIES, "site=nowhere.example", 404),
        (CATEGORIES, "fields=" + "name(" * 2000, 400),
        (f"{CATEGORIES}0/", "", 404),
        (f"{CATEGORIES}find/", "id=x", 400),
    ],
)
def test_odd_questions_get_an_answer(
    client: Client, endpoint: str, query: str, status: int
) -> None:
    assert client.get(f"{endpoint}?{query}").status_code == status


def test_only_reading_is_possible(client: Client) -> None:
    for method in (client.post, client.put, client.patch, client.delete):
        assert method(TERMS).status_code == 405
    assert client.head(TERMS).status_code == 200


# Where it is found


def test_the_addresses_of_terms_lead_to_this_endpoint(
    client: Client, glossary: GlossaryPage
) -> None:
    term = make_term(glossary, "token")
    address = f"http://localhost{TERMS}{term.pk}/"
    answer = client.get("/api/v2/pages/?type=glossary.TermPage").json()
    assert [item["meta"]["detail_url"] for item in answer["items"]] == [address]
    for query in (f"id={term.pk}", "html_path=/ai/token/"):
        found = client.get(f"{TERMS}find/?{query}&fields=title")
        assert found.status_code == 302
        assert found.url == f"{address}?fields=title"
    # A page that is no term
    assert client.get(f"{TERMS}find/?html_path=/ai/").status_code == 404
    assert client.get(f"{TERMS}{glossary.pk}/").status_code == 404


def test_the_endpoints_can_be_browsed(client: Client, glossary: GlossaryPage) -> None:
    term = make_complete_term(glossary)
    for url in (TERMS, f"{TERMS}{term.pk}/", CATEGORIES):
        response = client.get(url, headers={"accept": "text/html"})
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/html")


def test_a_sites_own_type_of_term_is_a_term(
    client: Client, glossary: GlossaryPage
) -> None:
    make_term(glossary, "token")
    course_term = make_term(glossary, "vector", model=CourseTermPage, level="first")
    items = client.get(f"{TERMS}?fields=*").json()["items"]
    assert [item["meta"]["type"] for item in items] == [
        "glossary.TermPage",
        "extension.CourseTermPage",
    ]
    answer = client.get(f"{TERMS}{course_term.pk}/").json()
    assert answer["level"] == "first"
    url = f"{TERMS}?type=extension.CourseTermPage&fields=*"
    assert [item["level"] for item in client.get(url).json()["items"]] == ["first"]


# Categories


def test_a_category(client: Client, glossary: GlossaryPage) -> None:
    category = make_category("research", description="How models are studied.")
    make_term(glossary, category=category)
    make_term(glossary, category=category)
    expected = {
        "id": category.pk,
        "meta": {
            "type": "glossary.Category",
            "detail_url": f"http://localhost{CATEGORIES}{category.pk}/",
        },
        "term_count": 2,
        "name": "Research",
        "slug": "research",
        "description": "How models are studied.",
        "locale": "en",
    }
    assert client.get(CATEGORIES).json()["items"] == [expected]
    assert client.get(f"{CATEGORIES}{category.pk}/").json() == expected


CATEGORY_QUERIES: list[tuple[str, Any]] = [
    ("", ["basics", "research", "research"]),
    ("order=-slug&locale=en", ["research", "basics"]),
    ("slug=basics", ["basics"]),
    ("locale=fr", ["research"]),
    ("search=basics", ["basics"]),
    ("limit=1&offset=1", ["research"]),
]


def test_categories_can_be_filtered_and_ordered(
    client: Client, collection: dict[str, Any]
) -> None:
    for query, found in CATEGORY_QUERIES:
        items = client.get(f"{CATEGORIES}?{query}").json()["items"]
        assert [item["slug"] for item in items] == found, query


def test_tags_are_few(client: Client, glossary: GlossaryPage) -> None:
    make_complete_term(glossary)
    assert slugs(client, f"tags={','.join(['Data'] * 200)}") == ["embedding"]
    many = ",".join(f"tag{number}" for number in range(20))
    response = client.get(f"{TERMS}?tags={many}")
    assert response.status_code == 400
    assert "tags" in response.json()["message"]
