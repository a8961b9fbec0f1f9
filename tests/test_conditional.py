"""Pages that are answered conditionally and kept, and those that must not be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import swapper
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from wagtail import hooks
from wagtail.models import Locale, PageViewRestriction, Site

from glossary.delivery import versions
from glossary.models import Category, GlossaryPage, TermPage, Version
from glossary.site import index

from .factories import home_page, make_category, make_glossary, make_term
from .test_listing import make_french, make_translation


pytestmark = pytest.mark.django_db

Serve = Callable[..., HttpResponse]

# One of each kind.
ADDRESSES = [
    "/ai/",
    "/ai/token/",
    "/ai/letter/t/",
    "/ai/category/text/",
    "/ai/tag/x/",
    "/ai/map/all/",
]
# The version, and what Wagtail asks to find the page and who may see it.
FEW = 9


class Garbage(LocMemCache):
    """A cache that gives back something else."""

    value: Any = None

    def get(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self.value


class Gone(LocMemCache):
    """A cache that cannot be reached."""

    def get(self, key: str, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError

    def set(self, key: str, *args: Any, **kwargs: Any) -> None:
        raise ConnectionError


class Full(LocMemCache):
    """A cache that takes nothing more."""

    def set(self, key: str, *args: Any, **kwargs: Any) -> None:
        raise OSError("No space left on device")


class Watched(LocMemCache):
    """A cache that tells what it was given to keep."""

    kept: list[str]

    def set(self, key: str, *args: Any, **kwargs: Any) -> None:
        super().set(key, *args, **kwargs)
        type(self).kept.append(key)


def cache(kind: type[LocMemCache]) -> dict[str, Any]:
    name = f"{__name__}.{kind.__name__}"
    return {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "pages": {"BACKEND": name, "LOCATION": kind.__name__},
    }


@pytest.fixture(autouse=True)
def kept(settings: Any) -> list[str]:
    """The keys of what is kept, from now on. No period ends while a test runs."""
    settings.GLOSSARY_PAGE_SECONDS = 10**9
    settings.GLOSSARY_PAGE_CACHE = "pages"
    settings.CACHES = cache(Watched)
    Watched.kept = []
    return Watched.kept


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every glossary be so large that its letters have pages."""
    monkeypatch.setattr(index, "MOST_TERMS", 0)


@pytest.fixture
def glossary() -> GlossaryPage:
    glossary = make_glossary("ai", title="AI Glossary")
    make_term(glossary, "token", category=make_category("text"), tags=["x"])
    return glossary


def get(url: str, etag: str = "", **options: Any) -> Any:
    headers = {**options.pop("headers", {})}
    if etag:
        headers["If-None-Match"] = etag
    return Client().get(url, headers=headers, **options)


def etag_of(url: str, **options: Any) -> str:
    response = get(url, **options)
    assert response.status_code == 200
    return response["ETag"]


def is_plain(response: Any) -> bool:
    """Whether nothing is said about its version."""
    return "ETag" not in response and "public" not in response.get("Cache-Control", "")


def headers_of(response: Any) -> dict[str, Any]:
    """Its headers; that which it varies by in no order."""
    varies = sorted(response["Vary"].split(", "))
    return {**response.headers, "Vary": varies}


def queries(ask: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        ask()
    return len(captured)


# What is answered


@pytest.mark.parametrize("url", ADDRESSES)
def test_who_has_a_page_is_told_so_by_few_queries(
    glossary: GlossaryPage, url: str
) -> None:
    first = get(url)
    assert first["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert "Cookie" in first["Vary"]
    with CaptureQueriesContext(connection) as captured:
        again = get(url, first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary"):
        assert headers_of(again)[name] == headers_of(first)[name]
    assert len(captured) <= FEW


@pytest.mark.parametrize("url", ADDRESSES)
def test_a_page_is_kept_as_it_was_made(
    glossary: GlossaryPage, settings: Any, kept: list[str], url: str
) -> None:
    first = get(url)
    assert len(kept) == 1
    with CaptureQueriesContext(connection) as captured:
        again = get(url)
    assert len(captured) <= FEW
    assert again.content == first.content
    assert headers_of(again) == headers_of(first)
    assert len(kept) == 1
    settings.GLOSSARY_PAGE_SECONDS = 0
    assert get(url).content == again.content


def test_a_page_that_is_kept_is_found_by_its_readers(glossary: GlossaryPage) -> None:
    for _time in range(2):
        response = get("/ai/token/")
        assert response["Content-Type"] == "text/html; charset=utf-8"
        assert response["Link"].count("index.md") == 1
        assert {"Accept", "Cookie"} <= set(response["Vary"].split(", "))


def test_etags_are_compared_as_http_says(glossary: GlossaryPage) -> None:
    etag = etag_of("/ai/")
    # A proxy that compresses makes a weak one of it.
    for known in (etag, f"W/{etag}", f'"x", W/{etag}'):
        assert get("/ai/", known).status_code == 304
    for other in ("*", etag.strip('"'), '"x"', etag.upper(), "\x7f"):
        assert get("/ai/", other).status_code == 200


def test_a_head_request_is_answered_alike(
    glossary: GlossaryPage, kept: list[str]
) -> None:
    head = Client().head("/ai/")
    assert (head.status_code, head.content) == (200, b"")
    whole = get("/ai/")
    assert b"AI Glossary" in whole.content
    assert head["ETag"] == whole["ETag"]
    known = Client().head("/ai/", headers={"If-None-Match": head["ETag"]})
    assert known.status_code == 304
    assert len(kept) == 1


def test_with_parameters_a_page_has_an_etag_and_is_not_kept(
    glossary: GlossaryPage, kept: list[str]
) -> None:
    for url in ("/ai/?x=1", "/ai/?q=means", "/ai/letter/t/?from=a"):
        assert get(url, etag_of(url)).status_code == 304
        assert etag_of(url) != etag_of(url.partition("?")[0])
    assert len(kept) == 2


def test_other_formats_are_what_is_asked_for(glossary: GlossaryPage) -> None:
    etag = etag_of("/ai/token/")
    for _time in range(2):
        response = get("/ai/token/", etag, headers={"Accept": "text/markdown"})
        assert response.status_code == 200
        assert response["Content-Type"] == "text/markdown; charset=utf-8"
        assert response.content.startswith(b"# Token")
        assert b"<html" in get("/ai/token/").content
    markdown = get("/ai/token/", headers={"Accept": "text/markdown"})["ETag"]
    assert markdown != etag
    assert get("/ai/token/", markdown).status_code == 200


# Another version, another ETag


def change_term(glossary: GlossaryPage) -> None:
    term = TermPage.objects.get(slug="token")
    term.short_definition = "Something new."
    term.save_revision().publish()


def change_category(glossary: GlossaryPage) -> None:
    category = Category.objects.get(slug="text")
    category.description = "Something new."
    category.save()


def restrict_elsewhere(glossary: GlossaryPage) -> None:
    PageViewRestriction.objects.create(
        page=make_term(glossary, "secret"), restriction_type="login"
    )


def rename_site(glossary: GlossaryPage) -> None:
    site = Site.objects.get(is_default_site=True)
    site.site_name = "Another name"
    site.save()


CHANGES: dict[str, Callable[[GlossaryPage], Any]] = {
    "term": change_term,
    "new term": lambda glossary: make_term(glossary, "word"),
    "category": change_category,
    "restriction": restrict_elsewhere,
    "site": rename_site,
    "language": lambda glossary: Locale.objects.create(language_code="ur"),
    "glossary": lambda glossary: glossary.save_revision().publish(),
    "page above": lambda glossary: home_page().save(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_makes_another_version(glossary: GlossaryPage, name: str) -> None:
    before = {url: etag_of(url) for url in ADDRESSES}
    assert before == {url: etag_of(url) for url in ADDRESSES}
    CHANGES[name](glossary)
    for url in ADDRESSES:
        response = get(url, before[url])
        assert response.status_code == 200
        assert response["ETag"] != before[url]


def test_what_is_shown_of_other_pages_makes_another_version(
    glossary: GlossaryPage,
) -> None:
    Page = swapper.load_model("wagtailcore", "Page")
    above, beside = (
        home_page().add_child(instance=Page(title=name, slug=name))
        for name in ("above", "beside")
    )
    make_glossary("words", parent=above)
    for page, is_shown in ((above, True), (beside, False)):
        page.refresh_from_db()
        page.title = "Renamed"
        before = versions.current()
        page.save(update_fields=["title"])
        assert (versions.current() != before) is is_shown
    before = versions.current()
    # It may have stood in menus.
    PageViewRestriction.objects.create(page=beside, restriction_type="login")
    assert versions.current() != before


def test_a_change_shows_at_once(glossary: GlossaryPage) -> None:
    term = TermPage.objects.get(slug="token")
    assert b"Token" in get("/ai/letter/t/").content
    term.title, term.short_definition = "Tokens", "Something new."
    term.save_revision().publish()
    for url in ADDRESSES:
        assert b"Tokens" in get(url).content
    assert b"Something new." in get("/ai/token/").content
    category = term.category
    category.name = "Words"
    category.save()
    assert b"Words" in get("/ai/category/text/").content
    make_term(glossary, "word")
    assert b"/ai/word/" in get("/ai/map/all/").content
    term.unpublish()
    assert get("/ai/token/").status_code == 404
    assert b"Token" not in get("/ai/").content


def test_a_draft_changes_nothing(glossary: GlossaryPage) -> None:
    etag = etag_of("/ai/token/")
    term = TermPage.objects.get(slug="token")
    term.title = "Secret"
    term.save_revision()
    assert get("/ai/token/", etag).status_code == 304


@pytest.mark.skipif(
    not hasattr(TermPage, "show_in_menus"), reason="this site's pages are in no menus"
)
def test_a_change_of_the_menus_makes_another_version(glossary: GlossaryPage) -> None:
    Page = swapper.load_model("wagtailcore", "Page")
    other = home_page().add_child(instance=Page(title="About", slug="about"))
    # Not of the base class, which a move saves.
    law = make_glossary("law", title="Law")
    for page in (other, law):
        etags = [etag_of("/ai/")]
        page.show_in_menus = True
        page.save()
        etags.append(etag_of("/ai/"))
        page.title = "Renamed"
        page.save()
        etags.append(etag_of("/ai/"))
        page.show_in_menus = False
        page.save()
        etags.append(etag_of("/ai/"))
        assert len(set(etags)) == 4


def test_each_address_has_its_own_etag(glossary: GlossaryPage) -> None:
    asked = [
        *({"url": url} for url in ADDRESSES),
        {"url": "/ai/?x=1"},
        {"url": "/ai/?x=2"},
        {"url": "/ai/", "headers": {"host": "other.example"}},
        {"url": "/ai/", "headers": {"host": "other.example:8000"}},
        {"url": "/ai/", "SERVER_PORT": "8000"},
        {"url": "/ai/", "secure": True},
        {"url": "/ai/", "headers": {"accept-language": "ur"}},
    ]
    assert len({etag_of(**each) for each in asked}) == len(asked)


def test_a_port_that_the_host_does_not_name_counts(glossary: GlossaryPage) -> None:
    """Wagtail tells sites of one name apart by it."""
    first = etag_of("/ai/", headers={"host": "other.example"}, SERVER_PORT="80")
    second = etag_of("/ai/", headers={"host": "other.example"}, SERVER_PORT="8000")
    assert first != second


def test_what_is_made_with_other_settings_is_another_page(
    glossary: GlossaryPage, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    etags = [etag_of("/ai/token/")]
    settings.GLOSSARY_NOINDEX_THIN = False
    etags.append(etag_of("/ai/token/"))
    settings.GLOSSARY_SECTION_KINDS = [("history", "History")]
    etags.append(etag_of("/ai/token/"))
    settings.SECRET_KEY = "another one"
    etags.append(etag_of("/ai/token/"))
    monkeypatch.setattr(staticfiles_storage, "manifest_hash", "x", raising=False)
    etags.append(etag_of("/ai/token/"))
    settings.GLOSSARY_PAGE_SECONDS = 10**8
    etags.append(etag_of("/ai/token/"))
    assert len(set(etags)) == len(etags)


# Sites and languages


def test_what_is_kept_for_a_site_is_not_shown_on_another(
    glossary: GlossaryPage,
) -> None:
    Page = swapper.load_model("wagtailcore", "Page")
    root = Page.get_first_root_node().add_child(
        instance=Page(title="Elsewhere", slug="elsewhere")
    )
    Site.objects.create(hostname="other.example", port=80, root_page=root)
    make_term(make_glossary("ai", parent=root, title="Others"), "tort")
    other = {"headers": {"host": "other.example"}}
    for _time in range(2):
        assert b"Others" not in get("/ai/").content
        assert b"Others" in get("/ai/", **other).content
        assert get("/ai/token/", **other).status_code == 404
    etag = etag_of("/ai/")
    assert get("/ai/", etag, **other).status_code == 200


def test_what_is_kept_in_a_language_is_not_shown_in_another(
    glossary: GlossaryPage,
) -> None:
    make_french(glossary)
    make_translation(TermPage.objects.get(slug="token"), "Jeton")
    french = {"headers": {"accept-language": "fr"}}
    for _time in range(2):
        assert b"Jeton" not in get("/ai/token/").content
        assert b"Jeton" in get("/ai/token/", **french).content


# For whom no page is kept


def only_once(request_for: Callable[[], Any], kept: list[str]) -> None:
    """It has no ETag, is not kept, and is not what was kept for others."""
    etag = etag_of("/ai/")
    kept.clear()
    response = request_for()
    assert response.status_code == 200
    assert is_plain(response)
    assert kept == []
    # Also for the one who had the page before.
    assert etag_of("/ai/") == etag


def test_a_visitor_with_a_session_gets_a_page_of_their_own(
    glossary: GlossaryPage, settings: Any, kept: list[str]
) -> None:
    for name in ("sessionid", "other"):
        settings.SESSION_COOKIE_NAME = name
        client = Client()
        client.cookies[name] = "x"
        only_once(lambda client=client: client.get("/ai/"), kept)
        etag = etag_of("/ai/")
        known = client.get("/ai/", headers={"If-None-Match": etag})
        assert known.status_code == 200
    # A cookie that says nothing about who it is.
    client = Client()
    client.cookies["analytics"] = "x"
    assert "ETag" in client.get("/ai/")


def test_a_visitor_who_is_signed_in_gets_a_page_of_their_own(
    glossary: GlossaryPage, kept: list[str]
) -> None:
    client = Client()
    client.force_login(get_user_model().objects.create_user("reader"))
    only_once(lambda: client.get("/ai/"), kept)


def signed_in(get_response: Serve) -> Serve:
    """A middleware that knows its visitors without a session."""

    def answer(request: HttpRequest) -> HttpResponse:
        if "X-User" in request.headers:
            name = request.headers["X-User"]
            request.user = get_user_model().objects.get(username=name)
        return get_response(request)

    return answer


def test_however_a_visitor_is_signed_in(
    glossary: GlossaryPage, settings: Any, kept: list[str]
) -> None:
    get_user_model().objects.create_user("reader")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.signed_in"]
    only_once(lambda: get("/ai/", headers={"X-User": "reader"}), kept)


def test_credentials_get_a_page_of_their_own(
    glossary: GlossaryPage, kept: list[str]
) -> None:
    only_once(lambda: get("/ai/", headers={"Authorization": "Basic eDp5"}), kept)


def test_other_methods_keep_nothing(glossary: GlossaryPage, kept: list[str]) -> None:
    only_once(lambda: Client().post("/ai/"), kept)


def test_while_templates_are_written_each_page_is_made(
    glossary: GlossaryPage, settings: Any, kept: list[str]
) -> None:
    settings.DEBUG = True
    response = get("/ai/")
    assert is_plain(response)
    assert kept == []


def test_previews_and_drafts_keep_nothing(
    glossary: GlossaryPage, admin_client: Client, kept: list[str]
) -> None:
    term = TermPage.objects.get(slug="token")
    term.title = "Secret"
    term.save_revision()
    preview = term.make_preview_request()
    draft = admin_client.get(f"/admin/pages/{term.pk}/view_draft/")
    for response in (preview, draft):
        assert response.status_code == 200
        assert b"Secret" in response.content
        assert is_plain(response)
    assert kept == []
    assert b"Secret" not in get("/ai/token/").content


def test_a_restricted_page_keeps_nothing(
    glossary: GlossaryPage, kept: list[str]
) -> None:
    etags = {url: etag_of(url) for url in ADDRESSES}
    kept.clear()
    PageViewRestriction.objects.create(
        page_id=glossary.pk, restriction_type="password", password="sesame"
    )
    for url in ADDRESSES:
        for etag in ("", etags[url]):
            response = get(url, etag)
            assert response.status_code == 200
            assert b'type="password"' in response.content
            assert is_plain(response)
    assert kept == []


def test_what_is_no_page_keeps_nothing(glossary: GlossaryPage, kept: list[str]) -> None:
    for url, status in (
        ("/ai/none/", 404),
        ("/ai/letter/zz/", 404),
        ("/ai/letter/T/", 302),
        ("/ai/?q=token", 302),
    ):
        response = get(url)
        assert response.status_code == status
        assert is_plain(response)
    assert kept == []


def test_before_there_is_a_version_nothing_is_kept(
    glossary: GlossaryPage, kept: list[str]
) -> None:
    Version.objects.all().delete()
    assert is_plain(get("/ai/"))
    assert kept == []


# What a site's own frame may do


@pytest.fixture
def frame(settings: Any, tmp_path: Path) -> Callable[[str], None]:
    """Puts something into the site's own template."""

    def write(content: str) -> None:
        (tmp_path / "base.html").write_text(
            f"<!doctype html>{content}{{% block content %}}{{% endblock %}}"
        )
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]

    return write


def process_contexts(settings: Any, processor: str) -> None:
    """Add a context processor to the site's own."""
    engine = settings.TEMPLATES[0]
    options = engine["OPTIONS"]
    processors = [*options["context_processors"], processor]
    options = {**options, "context_processors": processors}
    settings.TEMPLATES = [{**engine, "OPTIONS": options}]


def never_kept(kept: list[str], url: str = "/ai/", **options: Any) -> list[Any]:
    answers = [get(url, **options) for _time in range(2)]
    assert all(is_plain(response) for response in answers)
    assert kept == []
    return answers


def test_a_token_against_forged_forms_is_not_kept(
    glossary: GlossaryPage, kept: list[str], frame: Callable[[str], None]
) -> None:
    frame("<form>{% csrf_token %}</form>")
    first, second = never_kept(kept)
    assert first.content != second.content
    assert "csrftoken" in first.cookies
    # Nor for one who has the cookie.
    client = Client()
    client.get("/ai/")
    assert "csrftoken" in client.cookies
    assert is_plain(client.get("/ai/"))
    assert kept == []


def test_a_nonce_is_not_kept(
    glossary: GlossaryPage,
    kept: list[str],
    frame: Callable[[str], None],
    settings: Any,
) -> None:
    pytest.importorskip("csp")
    settings.MIDDLEWARE = ["csp.middleware.CSPMiddleware", *settings.MIDDLEWARE]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {"script-src": ["'self'"]}}
    frame('<script nonce="{{ request.csp_nonce }}" src="x.js"></script>')
    first, second = never_kept(kept)
    assert first.content != second.content
    # A policy without one is the same for all.
    frame('<script src="x.js"></script>')
    assert "ETag" in get("/ai/")
    assert "Content-Security-Policy" in get("/ai/")


def test_djangos_own_nonce_is_not_kept(
    glossary: GlossaryPage,
    kept: list[str],
    frame: Callable[[str], None],
    settings: Any,
) -> None:
    csp = pytest.importorskip("django.utils.csp").CSP
    middleware = "django.middleware.csp.ContentSecurityPolicyMiddleware"
    settings.MIDDLEWARE = [middleware, *settings.MIDDLEWARE]
    settings.SECURE_CSP = {"script-src": [csp.SELF, csp.NONCE]}
    process_contexts(settings, "django.template.context_processors.csp")
    frame('<script nonce="{{ csp_nonce }}" src="x.js"></script>')
    first, second = never_kept(kept)
    assert first.content != second.content
    frame('<script src="x.js"></script>')
    assert "ETag" in get("/ai/")


def counting(request: HttpRequest) -> dict[str, Any]:
    """A context processor that begins a session."""
    if "x" not in request.GET:
        request.session["visits"] = request.session.get("visits", 0) + 1
    return {}


def test_a_page_that_begins_a_session_is_not_kept(
    glossary: GlossaryPage, kept: list[str], settings: Any
) -> None:
    process_contexts(settings, f"{__name__}.counting")
    first, second = never_kept(kept)
    assert "sessionid" in first.cookies
    assert "sessionid" in second.cookies
    assert "ETag" in get("/ai/?x=1")


def with_message() -> Client:
    """A visitor who is to be told something, once, and has no session."""
    request = RequestFactory().get("/")
    storage = CookieStorage(request)
    storage.add(messages.INFO, "For your eyes only")
    response = HttpResponse()
    storage.update(response)
    client = Client()
    client.cookies.update(response.cookies)
    return client


def test_a_message_is_for_one_visitor(
    glossary: GlossaryPage, kept: list[str], frame: Callable[[str], None]
) -> None:
    frame("{% for message in messages %}{{ message }}{% endfor %}")
    # It is shown whether or not the page was kept before.
    for _time in range(2):
        response = with_message().get("/ai/")
        assert b"For your eyes only" in response.content
        assert is_plain(response)
        assert b"For your eyes only" not in get("/ai/").content
    assert len(kept) == 1


@pytest.fixture
def adding() -> Iterator[Callable[[Callable[[HttpResponse], Any]], None]]:
    """Lets the site do something to each of its pages before they are kept."""
    registered = []

    def register(change: Callable[[HttpResponse], Any]) -> None:
        def hook(serve: Serve) -> Serve:
            def served(*args: Any) -> HttpResponse:
                response = serve(*args)
                return change(response) or response

            return served

        context = hooks.register_temporarily("on_serve_page", hook, order=30)
        context.__enter__()
        registered.append(context)

    yield register
    for context in registered:
        context.__exit__(None, None, None)


Adding = Callable[[Callable[[HttpResponse], Any]], None]


def patch(name: str, value: str) -> Callable[[HttpResponse], None]:
    def change(response: HttpResponse) -> None:
        response[name] = value

    return change


NOT_KEPT: dict[str, Callable[[HttpResponse], Any]] = {
    "cookie": lambda response: response.set_cookie("seen", "1"),
    "status": lambda response: setattr(response, "status_code", 203),
    # The page is another one for something that no ETag knows.
    "vary": patch("Vary", "User-Agent"),
}


@pytest.mark.parametrize("name", NOT_KEPT)
def test_a_page_that_is_not_for_all_is_not_kept(
    glossary: GlossaryPage, kept: list[str], adding: Adding, name: str
) -> None:
    adding(NOT_KEPT[name])
    never_kept(kept)


def test_what_a_site_says_of_caching_holds(
    glossary: GlossaryPage, kept: list[str], adding: Adding
) -> None:
    adding(patch("Cache-Control", "private"))
    assert get("/ai/")["Cache-Control"] == "private"
    assert "ETag" not in get("/ai/")
    assert kept == []


def test_an_etag_of_the_site_holds(
    glossary: GlossaryPage, kept: list[str], adding: Adding
) -> None:
    adding(patch("ETag", '"own"'))
    assert get("/ai/")["ETag"] == '"own"'
    assert kept == []


def test_what_is_no_template_is_answered_as_it_is(
    glossary: GlossaryPage, kept: list[str], adding: Adding
) -> None:
    adding(lambda response: JsonResponse({"a": 1}))
    for response in never_kept(kept):
        assert response.json() == {"a": 1}


def test_headers_are_kept_with_the_page(
    glossary: GlossaryPage, kept: list[str], adding: Adding
) -> None:
    adding(patch("X-Robots-Tag", "noindex"))
    adding(patch("Content-Type", "application/xhtml+xml"))
    adding(patch("Link", "</style.css>; rel=preload"))
    first, second = get("/ai/"), get("/ai/")
    assert len(kept) == 1
    assert second["X-Robots-Tag"] == "noindex"
    assert second["Content-Type"] == "application/xhtml+xml"
    assert second["Link"].startswith("</style.css>; rel=preload, <http://")
    assert headers_of(second) == headers_of(first)
    assert second.content == first.content


# Settings, and caches that fail


def test_pages_need_not_be_conditional(
    glossary: GlossaryPage, settings: Any, kept: list[str]
) -> None:
    settings.GLOSSARY_PAGE_SECONDS = 0
    for url in ADDRESSES:
        assert is_plain(get(url))
    assert kept == []


def test_pages_need_not_be_kept(
    glossary: GlossaryPage, settings: Any, kept: list[str]
) -> None:
    settings.GLOSSARY_PAGE_CACHE = None
    etag = etag_of("/ai/")
    assert get("/ai/", etag).status_code == 304
    assert queries(lambda: get("/ai/")) > FEW
    assert kept == []


def test_what_is_kept_is_kept_in_the_cache_that_is_named(
    glossary: GlossaryPage, settings: Any, kept: list[str]
) -> None:
    settings.GLOSSARY_PAGE_CACHE = "default"
    get("/ai/")
    assert kept == []
    assert queries(lambda: get("/ai/")) <= FEW


@pytest.mark.parametrize("kind", [Gone, Full])
def test_a_cache_that_fails_breaks_no_page(
    glossary: GlossaryPage,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    kind: type[LocMemCache],
) -> None:
    first = get("/ai/")
    settings.CACHES = cache(kind)
    for _time in range(2):
        response = get("/ai/")
        assert response.status_code == 200
        assert response.content == first.content
        assert response["ETag"] == first["ETag"]
    assert get("/ai/", first["ETag"]).status_code == 304
    assert {record.name for record in caplog.records} == {"glossary.pages"}


@pytest.mark.parametrize(
    "value", [b"x", "x", 1, [], ({}, b"x"), ({}, "x"), (None, None), ("a", b"", 1)]
)
def test_a_page_that_is_damaged_is_made_anew(
    glossary: GlossaryPage,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    value: Any,
) -> None:
    first = get("/ai/")
    monkeypatch.setattr(Garbage, "value", value)
    settings.CACHES = cache(Garbage)
    response = get("/ai/")
    assert response.status_code == 200
    assert response.content == first.content
    assert headers_of(response) == headers_of(first)
