"""The page of a term or a glossary in the format that its reader asks for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import Locale, PageViewRestriction, Site

from glossary.models import RelatedTerm
from glossary.site.negotiation import negotiate, wanted_format

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


if TYPE_CHECKING:
    from collections.abc import Callable

    from glossary.models import GlossaryPage

CANARY = "canary"
FORMATS = ("md", "jsonld", "json")
TYPES = {
    "md": "text/markdown; charset=utf-8",
    "jsonld": "application/ld+json",
    "json": "application/json",
}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.fixture
def glossary(db: None) -> GlossaryPage:
    return make_glossary("ai", title="AI glossary", introduction="<p>Of <b>AI</b>.</p>")


def get(url: str, accept: str | None = None, **options: Any) -> Any:
    headers = {"Accept": accept} if accept is not None else {}
    return Client().get(url, headers=headers, **options)


# Which format


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "html"),
        ("", "html"),
        ("*/*", "html"),
        (BROWSER, "html"),
        ("text/*", "html"),
        ("application/*", "html"),
        ("text/markdown", "md"),
        ("text/markdown, */*", "md"),
        ("text/markdown, text/html", "md"),
        ("text/html, text/markdown;q=0.9", "html"),
        ("text/html;q=0.8, text/markdown;q=0.9", "md"),
        ("text/markdown;variant=GFM", "md"),
        ("text/markdown;q=0", "html"),
        ("text/markdown;q=0, */*;q=0", "html"),
        ("TEXT/MARKDOWN", "md"),
        ("application/ld+json", "jsonld"),
        ("application/json", "json"),
        ("application/json, text/plain, */*", "json"),
        ("application/json;q=0.5, text/markdown;q=0.4", "json"),
        ("application/json, application/ld+json, text/markdown", "md"),
        ("application/json;q=0.1, application/ld+json;q=0.2", "jsonld"),
        ("image/png", "html"),
        ("application/json;q=nan, */*", "html"),
        ("application/json;q=x", "json"),
        ("text/markdown," * 1000, "html"),
    ],
)
def test_a_format_is_named_and_not_less_liked_than_html(accept, expected):
    headers = {"Accept": accept} if accept is not None else {}
    assert wanted_format(RequestFactory().get("/", headers=headers)) == expected


@pytest.mark.parametrize(
    ("named", "expected"),
    [("md", "md"), ("json", "json"), ("html", "html"), ("", "html"), ("pdf", "html")],
)
def test_a_parameter_has_the_last_word(named, expected):
    request = RequestFactory().get(
        "/", {"format": named}, headers={"Accept": "application/ld+json"}
    )
    assert wanted_format(request) == expected


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                "text/markdown",
                "application/json",
                "*/*",
                ";q=",
                ",",
                "0.5",
                "1e999",
                "-1",
                "=",
            ]
        )
    ).map("".join)
)
def test_no_accept_header_breaks_it(accept):
    request = RequestFactory().get("/", headers={"Accept": accept})
    assert wanted_format(request) in {"html", *FORMATS}


# What each says


def test_a_term_in_each_format(glossary):
    category = make_category("data")
    term = make_term(
        glossary, "embedding", title="Embedding", category=category, labels=["Vector"]
    )
    url = "http://localhost/ai/embedding/"
    assert term.full_url == url

    html = get("/ai/embedding/", BROWSER)
    assert html["Content-Type"].startswith("text/html")
    assert BeautifulSoup(html.content, "html.parser").h1.text == "Embedding"

    markdown = get("/ai/embedding/", "text/markdown")
    assert markdown["Content-Type"] == TYPES["md"]
    assert markdown.content.decode().startswith(
        "# Embedding\n\n> What embedding means."
    )
    assert f"- Source: <{url}>\n" in markdown.content.decode()
    assert "nav" not in markdown.content.decode()

    data = get("/ai/embedding/", "application/ld+json")
    assert data["Content-Type"] == TYPES["jsonld"]
    said = json.loads(data.content)
    assert said["@type"] == "DefinedTerm"
    assert said["@id"] == url
    assert said["inDefinedTermSet"]["@id"] == "http://localhost/ai/"

    document = get("/ai/embedding/", "application/json")
    assert document["Content-Type"] == TYPES["json"]
    said = json.loads(document.content)
    assert said["id"] == term.pk
    assert said["meta"]["html_url"] == url
    assert said["category"] == {"slug": "data", "name": "Data"}


def test_a_glossary_in_each_format(glossary):
    make_term(glossary, "token", title="Token")
    make_term(glossary, "2d", title="2D")
    markdown = get("/ai/", "text/markdown").content.decode()
    assert markdown.startswith(
        "# AI glossary\n\nOf **AI**.\n\n"
        "## T\n\n- [Token](http://localhost/ai/token/): What token means.\n\n"
        "## \\#\n\n- [2D](http://localhost/ai/2d/): What 2d means.\n\n---\n"
    )
    said = json.loads(get("/ai/", "application/ld+json").content)
    assert said["@type"] == "DefinedTermSet"
    said = json.loads(get("/ai/", "application/json").content)
    assert said["id"] == glossary.pk
    assert said["term_count"] == 2


def test_an_empty_glossary_says_so(glossary):
    assert "No terms have been published" in get("/ai/?format=md").content.decode()


def test_markdown_has_an_address_of_its_own(glossary):
    make_term(glossary, "token")
    for path in ("/ai/", "/ai/token/"):
        response = get(f"{path}index.md", BROWSER)
        assert response["Content-Type"] == TYPES["md"]
        assert response.content == get(path, "text/markdown").content
        assert response["Link"] == f'<http://testserver{path}>; rel="canonical"'


def test_markdown_links_are_full(glossary):
    other = make_term(glossary, "other")
    link = f'<p>See <a linktype="page" id="{other.pk}">other</a>.</p>'
    make_term(glossary, "token", explanation=[section(link)])
    text = get("/ai/token/index.md").content.decode()
    assert "See [other](http://localhost/ai/other/)." in text


def test_our_words_are_in_the_language_of_the_page(glossary):
    make_term(glossary, "token", faq=[question("Why?", "<p>So.</p>")])
    french = Locale.objects.create(language_code="fr")
    home = home_page().copy_for_translation(french)
    home.save_revision().publish()
    theirs = make_glossary("ia", parent=home, locale=french)
    make_term(theirs, "jeton", locale=french, faq=[question("Qui ?", "<p>Lui.</p>")])
    for language, path, heading in (
        ("en", "/ai/token/", "Questions and answers"),
        ("fr", "/ia/jeton/", "Questions et réponses"),
    ):
        headers = {"Accept": "text/markdown", "Accept-Language": language}
        text = Client().get(path, headers=headers).content.decode()
        assert f"## {heading}" in text


def test_the_language_that_chooses_a_page_is_part_of_its_etag(glossary):
    french = Locale.objects.create(language_code="fr")
    home = home_page().copy_for_translation(french)
    home.save_revision().publish()
    make_glossary("ai", parent=home, locale=french, title="Glossaire")
    english, french = (
        Client().get("/ai/index.md", headers={"Accept-Language": language})
        for language in ("en", "fr")
    )
    assert english.content.startswith(b"# AI glossary")
    assert french.content.startswith(b"# Glossaire")
    assert english["ETag"] != french["ETag"]
    assert "Accept-Language" in english["Vary"]


def test_the_document_of_a_page_is_the_one_of_the_api(glossary):
    term = make_term(
        glossary,
        "token",
        explanation=[section("<p>A <b>text</b>.</p>")],
        labels=["Label"],
    )
    for kind, page in (("terms", term), ("glossaries", glossary)):
        theirs = get(f"/api/glossary/v1/{kind}/{page.pk}/")
        ours = get(f"{page.url}?format=json")
        assert ours.content == theirs.content
        assert ours["Content-Type"] == theirs["Content-Type"]


# Headers


def test_every_answer_tells_that_it_depends_on_the_format(glossary):
    make_term(glossary, "token")
    for accept in (BROWSER, *TYPES.values(), "*/*"):
        for path in ("/ai/", "/ai/token/"):
            response = get(path, accept)
            assert "Accept" in response["Vary"].split(", "), accept


def test_html_tells_where_the_markdown_is(glossary):
    make_term(glossary, "token")
    for path in ("/ai/", "/ai/token/"):
        assert get(path)["Link"] == (
            f'<http://testserver{path}index.md>; rel="alternate"; type="text/markdown"'
            ', <http://testserver/ai/llms.txt>; rel="describedby"; type="text/plain"'
        )


def test_a_site_without_the_files_gets_markdown_by_a_parameter(glossary, settings):
    settings.ROOT_URLCONF = "tests.urls_without_files"
    make_term(glossary, "token")
    link = get("/ai/token/")["Link"]
    address = "http://testserver/ai/token/?format=md"
    assert link == f'<{address}>; rel="alternate"; type="text/markdown"'
    assert get(address)["Content-Type"] == TYPES["md"]
    said = json.loads(get("/ai/token/?format=json").content)
    assert said["meta"]["detail_url"].startswith("http://localhost/")


def test_a_unicode_slug_makes_headers_that_can_be_sent(glossary):
    make_term(glossary, "jetón-字")
    response = get("/ai/jetón-字/")
    assert response.status_code == 200
    assert "/ai/jet%C3%B3n-%E5%AD%97/index.md>" in response["Link"]
    assert get("/ai/jetón-字/index.md").status_code == 200


@pytest.mark.parametrize("path", ["/ai/token/?format=json", "/ai/token/index.md"])
def test_a_reader_who_has_it_is_told_so_until_something_changes(glossary, path):
    term = make_term(glossary, "token")
    first = get(path)
    assert first.status_code == 200
    known = {"If-None-Match": first["ETag"]}
    again = Client().get(path, headers=known)
    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]
    assert again["Cache-Control"] == first["Cache-Control"]
    weak = Client().get(path, headers={"If-None-Match": f"W/{first['ETag']}"})
    assert weak.status_code == 304
    term.short_definition = "Another."
    term.save_revision().publish()
    changed = Client().get(path, headers=known)
    assert changed.status_code == 200
    assert "Another." in changed.content.decode()


def test_a_file_that_is_known_costs_one_query(glossary, django_assert_num_queries):
    make_term(glossary, "token")
    etag = get("/ai/token/index.md")["ETag"]
    with django_assert_num_queries(1):
        Client().get("/ai/token/index.md", headers={"If-None-Match": etag})


def test_formats_have_etags_of_their_own(glossary):
    make_term(glossary, "token")
    etags = {get("/ai/token/", TYPES[name])["ETag"] for name in FORMATS}
    assert len(etags) == 3


def test_what_a_reader_with_a_session_gets_is_not_kept(glossary):
    make_term(glossary, "token")
    anonymous = get("/ai/token/index.md")
    assert anonymous["Cache-Control"].startswith("public, max-age=60")
    user = get_user_model().objects.create_user("reader", password="-")
    client = Client()
    client.force_login(user)
    theirs = client.get("/ai/token/index.md")
    assert theirs["Cache-Control"] == "private, no-store"
    assert theirs.content == anonymous.content
    with_token = Client().get(
        "/ai/token/index.md", headers={"Authorization": "Bearer x"}
    )
    assert with_token["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "path",
    ["/ai/token/index.md", "/ai/token/?format=json", "/ai/token/_payload.json"],
)
def test_head_tells_the_same_without_the_content(glossary, path):
    make_term(glossary, "token")
    got, head = get(path), Client().head(path)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("Content-Type", "ETag", "Cache-Control"):
        assert head[name] == got[name]


def test_files_can_only_be_read(glossary):
    make_term(glossary, "token")
    for name in ("index.md", "_payload.json"):
        options = Client().options(f"/ai/token/{name}")
        assert (options.status_code, options["Allow"]) == (204, "GET, HEAD, OPTIONS")
        for method in ("post", "put", "patch", "delete"):
            response = getattr(Client(), method)(f"/ai/token/{name}")
            assert response.status_code == 405
            assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_options_of_a_page_are_wagtails(glossary):
    assert Client().options("/ai/").status_code == 200


def test_an_address_of_a_site_below_a_page_is_its_own(glossary):
    serve = negotiate(lambda page, request, args, kwargs: HttpResponse("HTML"))
    request = RequestFactory().get("/ai/print/", headers={"Accept": "text/markdown"})
    assert serve(glossary, request, ("print",), {}).content == b"HTML"


def test_a_link_of_the_site_stays(glossary):
    def with_link(*_args: Any) -> HttpResponse:
        return HttpResponse(headers={"Link": "</x>; rel=preload", "Vary": "Cookie"})

    response = negotiate(with_link)(glossary, RequestFactory().get("/ai/"), (), {})
    assert response["Link"].startswith("</x>; rel=preload, <http://testserver/ai/")
    assert response["Vary"] == "Cookie, Accept"


def test_other_pages_have_no_other_formats(glossary):
    serve = negotiate(lambda page, request, args, kwargs: HttpResponse("HTML"))
    request = RequestFactory().get("/", headers={"Accept": "text/markdown"})
    response = serve(home_page(), request, (), {})
    assert response.content == b"HTML"
    assert not {"Vary", "Link"} & response.headers.keys()
    for path in ("/index.md", "/llms.txt", "/none/index.md", "/ai/none/index.md"):
        assert get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/ai/llms.txt/index.md",
        "/ai/token/llms.txt",
        "/ai/token/llms-full.txt",
        "/ai/_payload.json",
        "/ai/token/%00/index.md",
        "/ai/%ff/index.md",
        "/" + "a/" * 500 + "index.md",
    ],
)
def test_what_is_no_file_is_not_found(glossary, path):
    make_term(glossary, "token")
    assert get(path).status_code == 404


@pytest.mark.parametrize("value", ["%00", "%ff", "a" * 5000, "%F0%9F%98%80", "AA"])
def test_an_odd_letter_is_as_if_none_was_asked_for(glossary, value):
    make_term(glossary, "token", title="Token")
    response = get(f"/ai/index.md?letter={value}")
    assert response.status_code == 200
    assert b"[Token]" in b"".join(response)


def test_another_site_named_in_a_parameter_changes_nothing(glossary):
    make_term(glossary, "token")
    for query in ("site=other.example", "site=", "site=%00"):
        response = get(f"/ai/token/?format=json&{query}")
        assert json.loads(response.content)["title"] == "Token"


# What is hidden


def restrict(page: Any, kind: str) -> None:
    restriction = PageViewRestriction.objects.create(
        page=page, restriction_type=kind, password=CANARY
    )
    if kind == PageViewRestriction.GROUPS:
        restriction.groups.add(Group.objects.create(name="Readers"))


def hide_by(kind: str) -> Callable[[Any], None]:
    return lambda page: restrict(page, kind)


def expire(page: Any) -> None:
    page.expired = True
    page.unpublish()


def schedule(page: Any) -> None:
    page.unpublish()
    page.go_live_at = timezone.now() + timedelta(days=1)
    page.save_revision().publish()


HIDINGS: dict[str, Callable[[Any], Any]] = {
    "draft": lambda page: page.unpublish(),
    "expired": expire,
    "scheduled": schedule,
    "deleted": lambda page: page.delete(),
    "login": hide_by(PageViewRestriction.LOGIN),
    "password": hide_by(PageViewRestriction.PASSWORD),
    "groups": hide_by(PageViewRestriction.GROUPS),
}
TERM_FILES = ("index.md", "_payload.json")
GLOSSARY_FILES = ("index.md", "llms.txt", "llms-full.txt")


def all_of(path: str, files: tuple[str, ...]) -> dict[str, Any]:
    addresses = [*(f"{path}{name}" for name in files)]
    addresses += [f"{path}?format={name}" for name in FORMATS]
    return {address: get(address) for address in addresses}


def content(response: Any) -> str:
    return b"".join(response).decode()


@pytest.mark.slow
@pytest.mark.parametrize("hiding", HIDINGS)
@pytest.mark.parametrize("above", [False, True], ids=["term", "glossary"])
def test_what_is_hidden_has_no_format(glossary, hiding, above):
    term = make_term(glossary, "token", short_definition=CANARY)
    assert CANARY in content(get("/ai/token/index.md"))
    HIDINGS[hiding](glossary.specific if above else term)
    for address, response in all_of("/ai/token/", TERM_FILES).items():
        is_html = response["Content-Type"].startswith("text/html")
        assert is_html or response.status_code in (302, 404), address
        if (
            above
            and hiding in ("draft", "expired", "scheduled")
            and response.status_code == 200
        ):
            continue  # Wagtail itself serves a live page below a draft
        assert CANARY not in content(response), address
    for address, response in all_of("/ai/", GLOSSARY_FILES).items():
        assert CANARY not in content(response), address
        if above:
            assert response.status_code != 200 or "html" in response["Content-Type"]


def test_a_reader_who_may_see_a_restricted_page_gets_it_as_html(glossary):
    term = make_term(glossary, "token", short_definition=CANARY)
    restrict(term, PageViewRestriction.LOGIN)
    client = Client()
    client.force_login(get_user_model().objects.create_user("reader"))
    for accept in (BROWSER, *TYPES.values()):
        response = client.get("/ai/token/", headers={"Accept": accept})
        assert response["Content-Type"].startswith("text/html")
        assert CANARY in response.content.decode()
        assert "no-store" in response["Cache-Control"]
    assert client.get("/ai/token/index.md").status_code == 404
    assert client.get("/ai/token/_payload.json").status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize("hiding", HIDINGS)
def test_nothing_tells_of_a_hidden_term_that_others_point_at(glossary, hiding):
    hidden = make_term(glossary, CANARY)
    related = RelatedTerm.objects.get(page=hidden)
    link = f'<a linktype="page" id="{hidden.pk}">a linked text</a>'
    make_term(
        glossary,
        "token",
        explanation=[section(f"<p>Read {link}.</p>")],
        faq=[question("Why?", f"<p>{link}</p>")],
        comparisons=[
            comparison("Another", f"<p>See {link}</p>", related),
            comparison("", "<p>So.</p>", related),
        ],
        related_terms=[related],
    )
    assert CANARY in content(get("/ai/token/index.md"))
    HIDINGS[hiding](hidden)
    if hiding == "deleted":
        # Its name is wanted now, which is no secret.
        related.refresh_from_db()
        assert related.page_id is None
        return
    answers = all_of("/ai/token/", TERM_FILES) | all_of("/ai/", GLOSSARY_FILES)
    for address, response in answers.items():
        assert response.status_code == 200, address
        assert CANARY not in content(response).lower(), address
    assert "Read a linked text." in content(get("/ai/token/index.md"))


def test_a_wanted_term_is_named_without_a_link(glossary):
    wanted = make_related_term(glossary, "wanted", name="Wanted")
    make_term(glossary, "token", related_terms=[wanted])
    assert "\n- Wanted\n" in content(get("/ai/token/index.md"))


def test_another_site_shows_only_its_own(glossary):
    make_term(glossary, "token")
    root = home_page().get_parent()
    other_home = type(home_page())(title="Other", slug="other-home")
    root.add_child(instance=other_home)
    Site.objects.create(hostname="other.example", root_page=other_home)
    other = make_glossary("theirs", parent=other_home)
    theirs = make_term(other, "secret", title=CANARY)
    link = f'<p><a linktype="page" id="{theirs.pk}">a text</a></p>'
    make_term(glossary, "linked", explanation=[section(link)])
    for address, response in all_of("/ai/linked/", TERM_FILES).items():
        assert "other.example" not in content(response), address
    assert get("/theirs/secret/index.md").status_code == 404
    found = Client().get("/theirs/secret/index.md", headers={"Host": "other.example"})
    assert CANARY in found.content.decode()
    for file in TERM_FILES:
        response = Client().get(f"/ai/token/{file}", headers={"Host": "other.example"})
        assert response.status_code == 404


def test_an_unpublished_edit_stays_out(glossary):
    term = make_term(glossary, "token")
    term.short_definition = CANARY
    term.save_revision()
    answers = all_of("/ai/token/", TERM_FILES) | all_of("/ai/", GLOSSARY_FILES)
    for address, response in answers.items():
        assert response.status_code == 200, address
        assert CANARY not in content(response), address


def test_a_preview_is_html(glossary):
    term = make_term(glossary, "token", live=False)
    response = term.make_preview_request(
        extra_request_attrs={}, preview_mode=term.default_preview_mode
    )
    assert response["Content-Type"].startswith("text/html")
    assert "Link" not in response


# Cost


def cost(path: str) -> int:
    get(path)
    with CaptureQueriesContext(connection) as captured:
        content(get(path))
    return len(captured)


@pytest.mark.slow
def test_a_format_costs_the_same_however_much_it_says(glossary):
    targets = [make_term(glossary, f"target-{number}") for number in range(8)]
    for slug, size in (("small", 1), ("large", 8)):
        links = "".join(
            f'<p><a linktype="page" id="{page.pk}">x</a></p>' for page in targets[:size]
        )
        make_term(
            glossary,
            slug,
            explanation=[section(links)],
            labels=[f"{slug} {number}" for number in range(size)],
            related_terms=[
                RelatedTerm.objects.get(page=page) for page in targets[:size]
            ],
        )
    for suffix in (*TERM_FILES, *(f"?format={name}" for name in FORMATS)):
        small, large = cost(f"/ai/small/{suffix}"), cost(f"/ai/large/{suffix}")
        assert small == large, suffix


def test_caches_can_be_told_of_changes(glossary: GlossaryPage, settings: Any) -> None:
    term = make_term(glossary, "token")
    for address in ("/ai/token/index.md", "/ai/token/_payload.json", "/ai/llms.txt"):
        assert "glossary:all" in get(address)["Surrogate-Key"], address
    assert "glossary:all" in get(term.url, "application/json")["Cache-Tag"]
    before = get("/ai/token/_payload.json")
    settings.GLOSSARY_PAYLOAD_KEY = "other-%(slug)s"
    assert get("/ai/token/_payload.json")["ETag"] != before["ETag"]
