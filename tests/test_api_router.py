"""The endpoints of our API, on its own and on Wagtail's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import swapper
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as how_hard
from hypothesis import strategies as st
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Locale, PageViewRestriction, Site

from glossary.api.endpoints import ENDPOINTS, Endpoint
from glossary.delivery.previews import make_token
from glossary.models import GlossaryPage, TermPage

from .factories import (
    comparison,
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)


pytestmark = pytest.mark.django_db

API = "/api/glossary/v1/"
V3 = "/api/v3/glossary/"
CARD = ["id", "meta", "title", "short_definition", "category", "tags"]


@pytest.fixture(autouse=True)
def nothing_left_over() -> None:
    cache.clear()


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def term(glossary: GlossaryPage) -> TermPage:
    """A term with something in each of its fields, and another that points at it."""
    vector = make_related_term(glossary, "vector")
    term = make_term(
        glossary,
        "embedding",
        category=make_category("models"),
        tags=["data"],
        labels=["text vector"],
        related_terms=[vector],
        explanation=[section("<p>A list of <b>numbers</b>.</p>")],
        comparisons=[comparison("Token", "<p>Shorter.</p>")],
        faq=[question("Why?", "<p>Because.</p>")],
    )
    make_term(
        glossary, "token", related_terms=[make_related_term(glossary, "embedding")]
    )
    return term


def get(client: Client, path: str, status: int = 200, **extra: Any) -> Any:
    response = client.get(f"{API}{path}", **extra)
    assert response.status_code == status, response.content
    return response.json()


def slugs(answer: Any) -> list[str]:
    return [item["meta"]["slug"] for item in answer["items"]]


# One term


def test_a_term_is_found_by_id_slug_and_path(client: Client, term: TermPage) -> None:
    by_id = get(client, f"terms/{term.pk}/")
    assert by_id == get(client, "terms/by-slug/embedding/")
    assert by_id == get(client, "terms/by-path/?path=/ai/embedding/")
    assert by_id == get(client, "terms/by-path/?path=ai/embedding")
    assert by_id == get(client, "terms/by-path/?path=http://localhost/ai/embedding/")
    assert by_id["title"] == "Embedding"
    assert by_id["meta"]["detail_url"] == f"http://localhost{API}terms/{term.pk}/"
    assert (
        by_id["explanation"][0]["value"]["body"] == "<p>A list of <b>numbers</b>.</p>"
    )
    assert by_id["backlinks_count"] == 1
    assert "backlinks" not in by_id


def test_a_term_comes_in_other_formats_and_with_more(
    client: Client, term: TermPage
) -> None:
    query = "rich_text=markdown&include=backlinks,structured_data"
    document = get(client, f"terms/{term.pk}/?{query}")
    body = document["explanation"][0]["value"]["body"]
    assert body.strip() == "A list of **numbers**."
    assert [item["slug"] for item in document["backlinks"]] == ["token"]
    assert document["structured_data"]["@type"] == "DefinedTerm"


NOWHERE = [
    *("terms/0/", "terms/99999999999999999999999999/", f"terms/{'9' * 5000}/"),
    *("terms/by-slug/nothing/", "terms/by-slug/%00/", "terms/by-slug/%ff%fe/"),
    *(f"terms/by-slug/{'x' * 5000}/", "terms/by-path/?path=//[", "terms/embedding/x/"),
    *("terms/by-path/?path=/", "terms/by-path/?path=/ai/", "terms/0/backlinks/"),
    *("terms/by-path/?path=/ai/embedding/more/", "glossaries/0/", "nothing/"),
    *("categories/nothing/", "graph/?around=nothing", "payload/nothing/"),
    "payload/nothing/_payload.json",
]


def test_what_is_not_there_is_a_problem(client: Client, term: TermPage) -> None:
    for path in NOWHERE:
        problem = get(client, path, 404)
        assert problem["type"] == "urn:wagtail-glossary:problem:not-found", path
        assert problem["status"] == 404


def test_a_term_that_moved_is_found_by_its_old_names(
    client: Client, term: TermPage, django_capture_on_commit_callbacks: Any
) -> None:
    term.slug = "vector-of-text"
    with django_capture_on_commit_callbacks(execute=True):  # Wagtail's redirects
        term.save_revision().publish()
    new = f"http://localhost{API}terms/{term.pk}/"
    for path in (
        "terms/by-slug/embedding/?",
        "terms/by-slug/embedding/?locale=en&glossary=ai&",
        "terms/by-path/?path=/ai/embedding/&",
    ):
        response = client.get(f"{API}{path}rich_text=plain")
        assert response.status_code == 301, response.content
        assert response["Location"] == f"{new}?rich_text=plain"
        assert response.json() == {"location": f"{new}?rich_text=plain"}
        assert "ETag" not in response
    assert client.get(response["Location"]).status_code == 200
    term.unpublish()
    get(client, "terms/by-slug/embedding/", 404)
    get(client, "terms/by-path/?path=/ai/embedding/", 404)


def test_a_redirect_of_the_site_comes_first(
    client: Client, glossary: GlossaryPage
) -> None:
    here, there = make_term(glossary, "here"), make_term(glossary, "there")
    Page = swapper.load_model("wagtailcore", "Page")
    site = Site.objects.get(is_default_site=True)
    for page, only in ((there, None), (here, site)):
        Redirect.add_redirect("/ai/old", Page.objects.get(pk=page.pk), False, site=only)
    response = client.get(f"{API}terms/by-slug/old/")
    assert response.status_code == 302
    assert response["Location"].endswith(f"/terms/{here.pk}/")


def test_a_draft_is_shown_to_the_holder_of_its_token(
    client: Client, term: TermPage
) -> None:
    term.title = "Draft title"
    token = make_token(term, term.save_revision())
    published = get(client, f"terms/{term.pk}/")
    assert published["title"] == "Embedding"
    for path in (
        f"terms/{term.pk}/?preview={token}",
        f"terms/by-slug/embedding/?preview={token}",
        f"terms/by-path/?path=/ai/embedding/&preview={token}",
        f"terms/{term.pk}/?%70review={token}",
    ):
        response = client.get(f"{API}{path}")
        assert response.json()["title"] == "Draft title"
        assert response["Cache-Control"] == "private, no-store"
        assert response["X-Robots-Tag"] == "noindex"
        assert "ETag" not in response
        assert "Surrogate-Key" not in response
    assert get(client, f"terms/{term.pk}/") == published


def test_a_token_opens_no_other_draft(client: Client, term: TermPage) -> None:
    other = TermPage.objects.get(slug="token")
    token = make_token(term, term.save_revision())
    get(client, f"terms/{other.pk}/?preview={token}", 404)
    get(client, f"terms/by-slug/token/?preview={token}", 404)
    for bad in ("x", f"{token}x", "%00", "x" * 3000):
        problem = get(client, f"terms/{term.pk}/?preview={bad}", 422)
        assert problem["errors"][0]["loc"] == ["query", "preview"]
    get(client, f"terms/?preview={token}", 422)


# Lists


def test_a_list_shows_cards(client: Client, term: TermPage) -> None:
    answer = get(client, "terms/")
    assert slugs(answer) == ["embedding", "token"]
    assert [list(item) for item in answer["items"]] == [CARD, CARD]
    assert answer["meta"] == {"total_count": 2}
    assert answer["links"] == {"next": None, "prev": None}


def test_a_list_with_all_fields_has_what_details_have(
    client: Client, term: TermPage
) -> None:
    first, second = get(client, "terms/?fields=*&rich_text=plain")["items"]
    assert first == get(client, f"terms/{term.pk}/?rich_text=plain")
    assert second["id"] != first["id"]


def test_fields_and_parts_of_them_are_chosen(client: Client, term: TermPage) -> None:
    query = "fields=_,slug,title,faq(value(question))&limit=1"
    [item] = get(client, f"terms/?{query}")["items"]
    assert item == {
        "id": term.pk,
        "meta": {"slug": "embedding"},
        "title": "Embedding",
        "faq": [{"value": {"question": "Why?"}}],
    }
    [item] = get(client, "terms/?include=backlinks&limit=1")["items"]
    assert [*item] == [*CARD, "backlinks"]
    problem = get(client, "terms/?fields=titel", 422)
    assert problem["errors"][0]["suggestion"] == "title"


FILTERS = [
    ("category=models", ["embedding"]),
    ("category=models&category=nothing", ["embedding"]),
    ("category=nothing", []),
    ("tag=data", ["embedding"]),
    ("tag=data&category=nothing", []),
    ("letter=t", ["token"]),
    ("letter=E&letter=T", ["embedding", "token"]),
    ("letter=%23", []),
    ("slugs=token,nothing", ["token"]),
    ("slugs=token&slugs=embedding", ["embedding", "token"]),
    ("updated_after=2999-01-01", []),
    ("updated_after=1999-01-01T00:00:00Z", ["embedding", "token"]),
    ("order=-title", ["token", "embedding"]),
    ("order=-id", ["token", "embedding"]),
    ("glossary=ai", ["embedding", "token"]),
    ("locale=en", ["embedding", "token"]),
    ("locale=fr", []),
    ("site=localhost", ["embedding", "token"]),
    ("site=localhost:80", ["embedding", "token"]),
]


def test_a_list_is_filtered(client: Client, term: TermPage) -> None:
    for query, expected in FILTERS:
        assert slugs(get(client, f"terms/?{query}")) == expected, query
    assert slugs(get(client, f"terms/?ids={term.pk},999999")) == ["embedding"]


REFUSED = [
    ("glossary=aii", "glossary", "ai"),
    ("glossary=999", "glossary", None),
    ("locale=e-", "locale", None),
    ("locale=frr", "locale", "fr"),
    ("fallback=xx", "fallback", None),
    ("site=other.example", "site", None),
    ("cursor=zzzz", "cursor", None),
    ("cursor=zzzz&offset=1", "cursor", None),
]


def test_what_the_site_does_not_have_is_refused(client: Client, term: TermPage) -> None:
    for query, name, suggestion in REFUSED:
        [error] = get(client, f"terms/?{query}", 422)["errors"]
        assert error["loc"] == ["query", name], query
        assert error.get("suggestion") == suggestion, query


@pytest.mark.parametrize("way", ["limit=2", "limit=2&offset=0", "limit=2&offset=2"])
def test_links_lead_through_a_list(
    client: Client, glossary: GlossaryPage, way: str
) -> None:
    names = [f"term-{letter}" for letter in "abcdefg"]
    for name in names:
        make_term(glossary, name)
    seen, url = [], f"http://localhost{API}terms/?{way}&fields=_,slug"
    while url:
        answer = client.get(url).json()
        seen += slugs(answer)
        url, last = answer["links"]["next"], url
    start = 2 if way.endswith("=2&offset=2") else 0
    assert seen == names[start:]
    back: list[str] = []
    while last:
        answer = client.get(last).json()
        back = slugs(answer) + back
        last = answer["links"]["prev"]
    assert back == names


def test_languages_fall_back(client: Client, term: TermPage) -> None:
    french = Locale.objects.create(language_code="fr")
    home = home_page().copy_for_translation(french)
    home.save_revision().publish()
    glossaire = make_glossary("ia", parent=home, locale=french)
    token = TermPage.objects.get(slug="token")
    make_term(glossaire, "jeton", locale=french, translation_key=token.translation_key)
    assert slugs(get(client, "terms/")) == ["embedding", "token"]
    assert slugs(get(client, "terms/?locale=fr")) == ["jeton"]
    assert sorted(slugs(get(client, "terms/?locale=fr,en"))) == [
        "embedding",
        "jeton",
        "token",
    ]
    both = slugs(get(client, "terms/?locale=fr&fallback=en"))
    assert sorted(both) == ["embedding", "jeton"]
    assert slugs(get(client, "terms/?locale=fr&fallback=none")) == ["jeton"]
    get(client, "terms/by-slug/embedding/?locale=fr", 404)
    found = get(client, "terms/by-slug/embedding/?locale=fr&fallback=en")
    assert found["id"] == term.pk
    assert get(client, "terms/by-slug/jeton/")["meta"]["locale"] == "fr"


def test_the_own_language_comes_first_where_a_slug_is_twice(
    client: Client, glossary: GlossaryPage
) -> None:
    first, second = make_glossary("a-first"), make_glossary("b-second")
    here, there = make_term(first, "same"), make_term(second, "same")
    assert get(client, "terms/by-slug/same/")["id"] == here.pk
    assert get(client, "terms/by-slug/same/?glossary=b-second")["id"] == there.pk
    found = get(client, f"terms/by-slug/same/?glossary={second.pk}")
    assert found["id"] == there.pk
    get(client, "terms/by-slug/same/?glossary=ai", 404)


# Many at once


def test_many_terms_come_each_with_a_status(client: Client, term: TermPage) -> None:
    items = get(
        client, f"terms/bulk/?slugs=token,nothing,embedding&ids={term.pk},7777"
    )["items"]
    assert [(item.get("slug"), item.get("id"), item["status"]) for item in items] == [
        ("token", None, 200),
        ("nothing", None, 404),
        ("embedding", None, 200),
        (None, term.pk, 200),
        (None, 7777, 404),
    ]
    assert items[1]["data"] is None
    assert items[2]["data"] == items[3]["data"] == get(client, f"terms/{term.pk}/")


def test_very_many_terms_are_posted(
    client: Client, term: TermPage, django_assert_max_num_queries: Any
) -> None:
    wanted = [*(f"nothing-{number}" for number in range(998)), "token", "embedding"]
    with django_assert_max_num_queries(20):
        response = client.post(
            f"{API}terms/bulk/",
            json.dumps({"slugs": wanted, "ids": [term.pk]}),
            content_type="application/json",
        )
    items = response.json()["items"]
    assert [item["slug"] for item in items[:-1]] == wanted
    assert [item["status"] for item in items[-3:]] == [200, 200, 200]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "name"),
    [
        ("{", "application/json", 422, "invalid-body"),
        ("slugs=a", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        ("{}", "text/plain", 415, "unsupported-media-type"),
        ("", "", 415, "unsupported-media-type"),
        ('{"slugs": ["%s"]}' % ("x" * 300_000), "application/json", 413, "too-large"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(
    client: Client,
    settings: Any,
    body: str,
    content_type: str,
    status: int,
    name: str,
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 200_000
    response = client.post(f"{API}terms/bulk/", body, content_type=content_type)
    assert response.status_code == status
    assert response.json()["type"].endswith(name)


# The other endpoints


def test_backlinks(client: Client, term: TermPage) -> None:
    answer = get(client, f"terms/{term.pk}/backlinks/")
    assert [item["slug"] for item in answer["items"]] == ["token"]
    assert answer["meta"] == {"total_count": 1}
    assert get(client, f"terms/{term.pk}/backlinks/?offset=1")["items"] == []


def test_names_are_completed(client: Client, term: TermPage) -> None:
    def found(query: str) -> list[tuple[str, str]]:
        items = get(client, f"autocomplete/?q={query}")["items"]
        return [(item["slug"], item["match_kind"]) for item in items]

    assert found("embe") == [("embedding", "title")]
    assert found("text+v") == [("embedding", "synonym")]
    assert found("tokne") == [("token", "title")]
    assert found("") == []
    assert get(client, "autocomplete/?q=embe&category=nothing")["items"] == []


def test_terms_are_searched(client: Client, term: TermPage) -> None:
    answer = get(client, "search/?q=embedding&facets=category,letter,tag")
    [hit, *_others] = answer["items"]
    assert (hit["id"], hit["title"]) == (term.pk, "Embedding")
    assert answer["meta"]["total_is_exact"]
    assert {"value": "models", "label": "Models", "count": 1} in answer["facets"][
        "category"
    ]
    assert hit["highlights"]
    for highlight in hit["highlights"]:
        for match in highlight["matches"]:
            assert highlight["text"][match["start"] : match["end"]]
    assert get(client, "search/?q=embedding&category=nothing")["items"] == []
    meant = get(client, "search/?q=tokenn")
    assert (meant["items"], meant["did_you_mean"]) == ([], "Token")


def test_the_glossaries(client: Client, term: TermPage) -> None:
    [item] = get(client, "glossaries/")["items"]
    assert (item["title"], item["term_count"]) == ("Ai", 2)
    assert item == client.get(item["meta"]["detail_url"]).json()


def test_the_categories(client: Client, term: TermPage) -> None:
    make_category("empty")
    [item] = get(client, "categories/")["items"]
    assert (item["slug"], item["term_count"]) == ("models", 1)
    assert item == client.get(item["meta"]["detail_url"]).json()
    get(client, "categories/empty/", 404)


def test_the_related_terms(client: Client, term: TermPage) -> None:
    def found(query: str = "") -> list[str]:
        items = get(client, f"related-terms/{query}")["items"]
        return sorted(item["slug"] for item in items)

    assert found() == ["embedding", "token", "vector"]
    assert found("?wanted=true") == ["vector"]
    assert found("?wanted=false") == ["embedding", "token"]
    assert found("?q=vec") == ["vector"]
    assert get(client, "related-terms/?wanted=maybe", 422)
    assert get(client, "related-terms/?limit=1")["links"]["next"]


def test_the_letters(client: Client, term: TermPage) -> None:
    items = get(client, "letters/")["items"]
    assert [item["letter"] for item in items[:26]] == [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    counts = {item["letter"]: (item["terms"], item["labels"]) for item in items}
    assert (counts["E"], counts["T"], counts["A"]) == ((1, 0), (1, 1), (0, 0))


def test_the_graph(client: Client, term: TermPage) -> None:
    graph = get(client, "graph/")
    assert {node["slug"] for node in graph["nodes"]} == {"embedding", "token", "vector"}
    near = get(client, "graph/?around=vector")
    assert {node["slug"] for node in near["nodes"]} == {"embedding", "vector"}


def test_the_changes_lead_to_all_there_is(client: Client, term: TermPage) -> None:
    seen, url = {}, f"http://localhost{API}changes/?limit=1"
    while True:
        answer = client.get(url).json()
        if not answer["items"]:
            break
        [item] = answer["items"]
        seen[item["kind"], item["id"]] = item
        url = answer["next"]
    assert answer["next"] == url
    titles = [
        item["data"]["title"] for (kind, _id), item in seen.items() if kind == "term"
    ]
    assert sorted(titles) == ["Embedding", "Token"]
    term.unpublish()
    [gone, *_rest] = [
        item
        for item in client.get(url.replace("limit=1", "limit=100")).json()["items"]
        if item["state"] == "deleted"
    ]
    assert "data" not in gone
    assert ("term", gone["id"]) in seen
    assert client.get(url)["Cache-Control"] == "public, max-age=10"


def test_the_shape_of_the_old_site(client: Client, term: TermPage) -> None:
    record = get(client, "payload/embedding/")
    assert list(record)[:3] == ["slug", "term", "shortDefinition"]
    response = client.get(f"{API}payload/embedding/_payload.json?3f2a-build&x=1")
    assert response["Content-Type"] == "application/json;charset=utf-8"
    assert response.json()[0] == {"data": 1, "prerenderedAt": -1}


# Every endpoint


def endpoints(method: str = "GET") -> list[Endpoint]:
    return [item for item in ENDPOINTS if item.method == method]


def address(endpoint: Endpoint, term: TermPage) -> str:
    """An address of the endpoint that is answered with 200."""
    values = {
        "{int:term_id}": str(term.pk),
        "{int:glossary_id}": str(term.get_parent().pk),
        "{slug}": "models" if "categories" in endpoint.path else "embedding",
    }
    path = endpoint.path
    for name, value in values.items():
        path = path.replace(name, value)
    needed = {"q": "embedding", "path": "/ai/embedding/"}
    names = endpoint.parameters.names()
    query = "&".join(
        f"{name}={quote(value)}"
        for name, value in needed.items()
        if name in names and names[name].is_required()
    )
    return f"{path}?{query}"


def test_each_endpoint_is_there_on_both_apis(client: Client, term: TermPage) -> None:
    for endpoint in endpoints():
        path = address(endpoint, term)
        ours, shared = client.get(f"{API}{path}"), client.get(f"{V3}{path}")
        assert (ours.status_code, shared.status_code) == (200, 200), path
        assert ours.content.replace(API.encode(), V3.encode()) == shared.content, path
        assert ours["ETag"] != shared["ETag"]
        for base, response in ((API, ours), (V3, shared)):
            etag = {"If-None-Match": response["ETag"]}
            assert client.get(f"{base}{path}", headers=etag).status_code == 304, path


@pytest.mark.parametrize("base", [API, V3])
def test_each_endpoint_has_its_methods(
    client: Client, term: TermPage, base: str
) -> None:
    for endpoint in endpoints():
        url = f"{base}{address(endpoint, term)}"
        get, head = client.get(url), client.head(url)
        assert (head.status_code, head.content) == (200, b""), url
        assert dict(head.headers) == dict(get.headers), url
        options = client.options(url)
        assert (options.status_code, options.content) == (204, b""), url
        can_post = endpoint.name == "terms_bulk"
        allowed = "GET, HEAD, OPTIONS, POST" if can_post else "GET, HEAD, OPTIONS"
        assert options["Allow"] == allowed, url
        others = {"POST", "PUT", "PATCH", "DELETE", "TRACE"} - set(allowed.split(", "))
        for method in others:
            response = client.generic(method, url)
            assert response.status_code == 405, (method, url)
            assert response["Allow"] == allowed
            assert response["Content-Type"] == "application/problem+json"


def test_each_endpoint_refuses_what_it_does_not_know(
    client: Client, term: TermPage
) -> None:
    for endpoint in endpoints():
        if endpoint.name == "nuxt_payload":  # Nuxt adds what it likes
            continue
        for base in (API, V3):
            response = client.get(f"{base}{address(endpoint, term)}&nope=1")
            assert response.status_code == 422, endpoint.name
            assert response["Content-Type"] == "application/problem+json"
            [error] = response.json()["errors"]
            assert error["loc"] == ["query", "nope"]


def test_a_site_without_a_glossary_gives_nothing(
    client: Client, term: TermPage
) -> None:
    root = home_page().get_parent()
    other = root.add_child(instance=type(home_page())(title="Other", slug="other"))
    Site.objects.create(hostname="other.example", root_page_id=other.pk)
    for endpoint in endpoints():
        response = client.get(
            f"{API}{address(endpoint, term)}", headers={"host": "other.example"}
        )
        assert response.status_code in (200, 404), endpoint.name
        text = response.content.replace(b"=embedding", b"")
        for word in (b"mbedding", b"oken", b"odels", b"umbers"):
            assert word not in text, endpoint.name


@pytest.mark.parametrize("hidden", ["draft", "login", "password", "groups", "glossary"])
@pytest.mark.slow
def test_no_endpoint_tells_of_what_is_hidden(
    client: Client, admin_user: Any, glossary: GlossaryPage, hidden: str
) -> None:
    secret = make_term(
        glossary,
        "canary",
        title="Cinnabar",
        short_definition="Cinnabar.",
        category=make_category("canary-category", name="Cinnabar category"),
        tags=["cinnabar"],
        labels=["cinnabar label"],
        faq=[question("Cinnabar?", "<p>Cinnabar.</p>")],
    )
    known = make_related_term(glossary, "canary")
    link = f'<p>A <a linktype="page" id="{secret.pk}">bird</a>.</p>'
    public = make_term(
        glossary,
        "embedding",
        category=make_category("models"),
        related_terms=[known],
        comparisons=[comparison("", "<p>Other.</p>", known)],
        faq=[question("Why?", link)],
    )
    if hidden == "draft":
        secret.unpublish()
    else:
        page = glossary if hidden == "glossary" else secret
        Page = swapper.load_model("wagtailcore", "Page")
        PageViewRestriction.objects.create(
            page=Page.objects.get(pk=page.pk),
            restriction_type="login" if hidden == "glossary" else hidden,
            password="-",
        )
    editor = Client()
    editor.force_login(admin_user)
    for endpoint in endpoints():
        for url in all_of(endpoint, public):
            for reader in (client, editor):
                text = reader.get(f"{API}{url}").content.lower()
                assert b"canary" not in text, url
                assert b"cinnabar" not in text, url
                assert hidden != "glossary" or b"why?" not in text, url
        for url in all_of(endpoint, secret, category="canary-category"):
            response = client.get(f"{API}{url}")
            assert response.status_code in (200, 404), url
            assert b"cinnabar" not in response.content.lower(), url


def all_of(
    endpoint: Endpoint, term: TermPage, category: str = "models"
) -> Iterator[str]:
    """How to ask an endpoint for all that it could tell of a term."""
    query = {"fields": "*", "include": "backlinks,structured_data"}
    query |= {"facets": "category,letter,tag", "q": "cinnabar"}
    query |= {"path": f"/ai/{term.slug}/", "slugs": term.slug, "around": term.slug}
    names = endpoint.parameters.names()
    path = address(endpoint, term).partition("?")[0]
    path = path.replace("embedding", term.slug).replace("models", category)
    yield f"{path}?" + "&".join(
        f"{name}={quote(value)}" for name, value in query.items() if name in names
    )


# Hostile clients

VALUES = [
    *("%00", "%ff%fe", "%ed%a0%80", "99999999999999999999999", "-1", "1e9", "NaN"),
    *("x" * 100_000, "(" * 5000, "a+" * 5000, "%22%27%60;--", "*", "%F0%9F%98%80"),
    *("%E2%80%AE", "..%2f..%2fetc", "%25%73", "AND+OR+NOT+NEAR(", "%09", ""),
]


@pytest.mark.slow
def test_no_value_breaks_an_endpoint(client: Client, term: TermPage) -> None:
    for endpoint in endpoints():
        path, _, query = address(endpoint, term).partition("?")
        for name in endpoint.parameters.names():
            needed = [
                part for part in query.split("&") if not part.startswith(f"{name}=")
            ]
            for value in VALUES:
                url = "&".join([f"{API}{path}?{name}={value}", *needed])
                status = client.get(url).status_code
                assert status in (200, 404, 422), url[:100]


@given(
    name=st.sampled_from(["q", "fields", "cursor", "letter", "tag", "slugs", "path"]),
    value=st.text(max_size=60),
)
@how_hard(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.slow
def test_no_text_breaks_anything(
    client: Client, term: TermPage, name: str, value: str
) -> None:
    paths = {"q": "search/", "path": "terms/by-path/"}
    for path in {
        paths.get(name, "terms/"),
        "autocomplete/" if name == "q" else "terms/",
    }:
        text = quote(value, errors="replace")
        response = client.get(f"{API}{path}?{name}={text}")
        assert response.status_code in (200, 404, 422), response.content[:200]


def test_two_thousand_parameters_are_a_problem(client: Client, term: TermPage) -> None:
    query = "&".join(["tag=a"] * 2000)
    assert get(client, f"terms/?{query}", 422)["status"] == 422


def test_a_wrong_host_is_refused(client: Client, term: TermPage, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    response = client.get(f"{API}terms/", headers={"host": "evil.example"})
    assert response.status_code == 400
    # One that no site has gets the site by default, as everywhere in Wagtail.
    settings.ALLOWED_HOSTS = ["*"]
    assert client.get(f"{API}terms/", headers={"host": "any.example"}).json()["items"]


def test_without_any_site_nothing_is_there(client: Client, term: TermPage) -> None:
    Site.objects.all().delete()
    assert get(client, "terms/", 404)["status"] == 404


# Names of addresses


def test_addresses_have_names(term: TermPage) -> None:
    assert reverse("glossary_api:term", args=[term.pk]) == f"{API}terms/{term.pk}/"
    assert reverse("glossary_api:category", args=["x"]) == f"{API}categories/x/"
    assert reverse("glossary_api:glossary", args=[1]) == f"{API}glossaries/1/"
    assert reverse("wagtailapi_v3:glossary-term", args=[1]) == f"{V3}terms/1/"
