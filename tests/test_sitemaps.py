"""What search engines are told that there is: by Wagtail's sitemap, and by our own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import path
from wagtail.contrib.sitemaps import Sitemap
from wagtail.contrib.sitemaps.views import index, sitemap
from wagtail.models import Locale, PageViewRestriction, Site

from glossary.models import GlossaryPage, PublicTerm, TermPage
from glossary.site.sitemaps import GlossarySitemap, WithoutTerms
from glossary.site.thin import is_thin

from .factories import home_page, make_glossary, make_term, section
from .urls import urlpatterns as site_patterns


pytestmark = pytest.mark.django_db

HOST = "http://localhost"
NAMES = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
TEXT = [section("<p>A text.</p>")]
WHEN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)

# This module is the URL configuration of its own tests.
sitemaps = {"pages": WithoutTerms, "glossaries": GlossarySitemap}
urlpatterns = [
    path("index.xml", index, {"sitemaps": sitemaps, "sitemap_url_name": "sitemap"}),
    path("sitemap-<section>.xml", sitemap, {"sitemaps": sitemaps}, name="sitemap"),
    *site_patterns,
]


@pytest.fixture(autouse=True)
def with_sitemaps(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", title="AI")


def publish_at(page: Any, time: datetime | None) -> None:
    type(page).objects.filter(pk=page.pk).update(last_published_at=time)


def read(address: str, **options: Any) -> ElementTree.Element:
    response = Client().get(address, **options)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/xml"
    return ElementTree.fromstring(response.content)  # noqa: S314  (our own)


def locations(address: str, **options: Any) -> list[str]:
    found = read(address, **options).findall("*/s:loc", NAMES)
    return [(entry.text or "").removeprefix(HOST) for entry in found]


def dates(address: str) -> dict[str, str | None]:
    return {
        url.findtext("s:loc", "", NAMES).removeprefix(HOST): url.findtext(
            "s:lastmod", None, NAMES
        )
        for url in read(address).findall("s:url", NAMES)
    }


def alternates(address: str) -> dict[str, dict[str, str]]:
    return {
        url.findtext("s:loc", "", NAMES).removeprefix(HOST): {
            link.attrib["hreflang"]: link.attrib["href"].removeprefix(HOST)
            for link in url.findall("xhtml:link", NAMES)
        }
        for url in read(address).findall("s:url", NAMES)
    }


BOTH = pytest.mark.parametrize("address", ["/sitemap.xml", "/sitemap-glossaries.xml"])


# Both


@BOTH
def test_terms_and_glossaries_are_listed_with_their_date(
    glossary: GlossaryPage, address: str
) -> None:
    term = make_term(glossary, "token", explanation=TEXT)
    publish_at(glossary, WHEN)
    publish_at(term, WHEN.replace(year=2025))
    found = dates(address)
    assert found["/ai/"] == "2024-05-06"
    assert found["/ai/token/"] == "2025-05-06"


@BOTH
def test_a_page_without_a_date_is_listed_without_one(
    glossary: GlossaryPage, address: str
) -> None:
    term = make_term(glossary, "token", explanation=TEXT)
    term.save_revision()
    publish_at(glossary, None)
    publish_at(term, None)
    found = dates(address)
    assert found["/ai/"] is None
    assert found["/ai/token/"] is None


@BOTH
def test_thin_terms_are_left_out_unless_a_setting_takes_them(
    glossary: GlossaryPage, address: str, settings: Any
) -> None:
    make_term(glossary, "full", explanation=TEXT)
    make_term(glossary, "thin")
    assert {"/ai/", "/ai/full/"} <= {*locations(address)}
    assert "/ai/thin/" not in locations(address)
    settings.GLOSSARY_NOINDEX_THIN = False
    assert {"/ai/full/", "/ai/thin/"} <= {*locations(address)}


@BOTH
def test_a_term_is_listed_once_it_has_an_explanation(
    glossary: GlossaryPage, address: str
) -> None:
    term = make_term(glossary, "token")
    term.explanation = TEXT
    term.save_revision()
    assert "/ai/token/" not in locations(address)
    term.get_latest_revision().publish()
    assert "/ai/token/" in locations(address)


@BOTH
@pytest.mark.parametrize("hiding", ["draft", "login"])
@pytest.mark.parametrize("above", [False, True], ids=["term", "glossary"])
def test_what_is_hidden_is_not_listed(
    glossary: GlossaryPage, address: str, hiding: str, above: bool
) -> None:
    term = make_term(glossary, "token", explanation=TEXT)
    assert "/ai/token/" in locations(address)
    page = glossary if above else term
    if hiding == "draft":
        page.unpublish()
    else:
        PageViewRestriction.objects.create(
            page=page, restriction_type=PageViewRestriction.LOGIN
        )
    assert "/ai/token/" not in locations(address)
    assert ("/ai/" in locations(address)) is not above


@BOTH
def test_another_site_has_its_own(glossary: GlossaryPage, address: str) -> None:
    make_term(glossary, "token", explanation=TEXT)
    other = type(home_page())(title="Other", slug="other-home")
    home_page().get_parent().add_child(instance=other)
    Site.objects.create(hostname="other.example", root_page=other)
    theirs = make_glossary("theirs", parent=other)
    make_term(theirs, "word", explanation=TEXT)
    assert "/theirs/" not in "".join(locations(address))
    found = locations(f"{address}?site=localhost", headers={"Host": "other.example"})
    assert {*found} - {"http://other.example/"} == {
        "http://other.example/theirs/",
        "http://other.example/theirs/word/",
    }


# Wagtail's


def test_wagtails_asks_once_about_all_terms(glossary: GlossaryPage) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            locations("/sitemap.xml")
        return len(captured)

    make_term(glossary, "first", explanation=TEXT)
    locations("/sitemap.xml")
    one = cost()
    for number in range(5):
        make_term(glossary, f"term-{number}", explanation=TEXT)
    assert cost() == one


def test_a_term_tells_its_addresses_without_a_request(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token", explanation=TEXT)
    [entry] = term.get_sitemap_urls()
    assert entry == {
        "location": "http://localhost/ai/token/",
        "lastmod": term.last_published_at,
    }
    glossary.unpublish()
    assert term.get_sitemap_urls() == []


# Without terms, and ours


def test_the_two_together_list_each_page_once(glossary: GlossaryPage) -> None:
    make_term(glossary, "token", explanation=TEXT)
    other = type(home_page())(title="About", slug="about")
    home_page().add_child(instance=other)
    assert locations("/sitemap-pages.xml") == ["/", "/about/"]
    assert locations("/sitemap-glossaries.xml") == ["/ai/", "/ai/token/"]
    assert locations("/index.xml") == [
        "http://testserver/sitemap-pages.xml",
        "http://testserver/sitemap-glossaries.xml",
    ]


def test_parts_have_all_of_it_once(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GlossarySitemap, "limit", 3)
    make_glossary("second")
    slugs = [f"term-{number}" for number in range(6)]
    for slug in reversed(slugs):
        make_term(glossary, slug, explanation=TEXT)
    parts = [locations(f"/sitemap-glossaries.xml?p={number}") for number in (1, 2, 3)]
    assert [len(part) for part in parts] == [3, 3, 2]
    assert parts[0][:2] == ["/ai/", "/second/"]
    assert [entry for part in parts for entry in part][2:] == [
        f"/ai/{slug}/" for slug in reversed(slugs)
    ]
    assert Client().get("/sitemap-glossaries.xml?p=4").status_code == 404
    listed = locations("/index.xml")
    assert listed[1:] == [
        "http://testserver/sitemap-glossaries.xml",
        "http://testserver/sitemap-glossaries.xml?p=2",
        "http://testserver/sitemap-glossaries.xml?p=3",
    ]


def test_more_glossaries_than_a_part_holds(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GlossarySitemap, "limit", 2)
    for slug in ("second", "third"):
        make_glossary(slug)
    make_term(glossary, "token", explanation=TEXT)
    parts = [locations(f"/sitemap-glossaries.xml?p={number}") for number in (1, 2)]
    assert parts == [["/ai/", "/second/"], ["/third/", "/ai/token/"]]


def test_a_part_costs_the_same_whatever_is_in_it(
    glossary: GlossaryPage,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    monkeypatch.setattr(GlossarySitemap, "limit", 4)
    for number in range(7):
        make_term(glossary, f"term-{number}", explanation=TEXT)
    request = RequestFactory().get("/", headers={"Host": "localhost"})
    GlossarySitemap(request).get_latest_lastmod()  # what each process remembers
    with django_assert_num_queries(5):  # version, count, glossaries, ids, terms
        assert len(GlossarySitemap(request).get_urls(1, site=SITE)) == 4
    with django_assert_num_queries(4):
        assert len(GlossarySitemap(request).get_urls(2, site=SITE)) == 4
    with django_assert_num_queries(3):  # and no term is read
        assert GlossarySitemap(request).get_latest_lastmod() is not None


class SITE:
    domain = "localhost"


def test_no_term_is_more_than_its_row(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_term(glossary, "token", explanation=TEXT)

    def fail(self: Any, *args: Any) -> None:
        raise AssertionError("a page was loaded")

    monkeypatch.setattr(TermPage, "__init__", fail)
    assert "/ai/token/" in locations("/sitemap-glossaries.xml")


def test_the_index_tells_when_anything_was_published_last(
    glossary: GlossaryPage,
) -> None:
    term = make_term(glossary, "token", explanation=TEXT)
    publish_at(glossary, WHEN)
    PublicTerm.objects.filter(pk=term.pk).update(last_published_at=WHEN)
    found = read("/index.xml").findall("s:sitemap", NAMES)
    latest = found[1].findtext("s:lastmod", "", NAMES)
    assert datetime.fromisoformat(latest) == WHEN


def test_a_glossary_with_nothing_dated_says_so(glossary: GlossaryPage) -> None:
    publish_at(glossary, None)
    assert GlossarySitemap().get_latest_lastmod() is None


def test_a_site_without_glossaries_has_an_empty_one() -> None:
    assert locations("/sitemap-glossaries.xml") == []


def test_without_a_request_it_is_about_the_default_site(glossary: GlossaryPage) -> None:
    make_term(glossary, "token", explanation=TEXT)
    urls = GlossarySitemap().get_urls(site=SITE)
    assert [url["location"] for url in urls] == [f"{HOST}/ai/", f"{HOST}/ai/token/"]


def test_what_is_listed_is_what_the_pages_say(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token", explanation=TEXT)
    TermPage.objects.filter(pk=term.pk).update(live=False)  # behind the catalogue
    assert locations("/sitemap-glossaries.xml") == ["/ai/"]


def test_pages_tell_of_their_translations(glossary: GlossaryPage) -> None:
    french = Locale.objects.create(language_code="fr")
    home = home_page().copy_for_translation(french)
    home.save_revision().publish()
    theirs = glossary.copy_for_translation(french)
    theirs.slug = "ia"
    theirs.save_revision().publish()
    term = make_term(glossary, "token", explanation=TEXT)
    make_term(glossary, "alone", explanation=TEXT)
    thin = make_term(glossary, "thin", explanation=TEXT)
    for page, slug in ((term, "jeton"), (thin, "mince")):
        translated = page.copy_for_translation(french)
        translated.slug = slug
        if page is thin:
            translated.explanation = []
        translated.save_revision().publish()
    draft = make_term(glossary, "draft", explanation=TEXT)
    draft.copy_for_translation(french)
    found = alternates("/sitemap-glossaries.xml")
    assert found == {
        "/ai/": {"en": "/ai/", "fr": "/ia/"},
        "/ia/": {"en": "/ai/", "fr": "/ia/"},
        "/ai/token/": {"en": "/ai/token/", "fr": "/ia/jeton/"},
        "/ia/jeton/": {"en": "/ai/token/", "fr": "/ia/jeton/"},
        "/ai/alone/": {},
        "/ai/thin/": {},
        "/ai/draft/": {},
    }


def test_translations_cost_one_query_more_for_each_kind(
    glossary: GlossaryPage, django_assert_num_queries: Any
) -> None:
    french = Locale.objects.create(language_code="fr")
    home = home_page().copy_for_translation(french)
    home.save_revision().publish()
    glossary.copy_for_translation(french).save_revision().publish()
    for number in range(3):
        term = make_term(glossary, f"term-{number}", explanation=TEXT)
        term.copy_for_translation(french).save_revision().publish()
    request = RequestFactory().get("/", headers={"Host": "localhost"})
    GlossarySitemap(request).get_latest_lastmod()
    with django_assert_num_queries(7):
        assert len(GlossarySitemap(request).get_urls(1, site=SITE)) == 8


def test_both_are_wagtails_kind_of_sitemap() -> None:
    """Wagtail's views give these the request, which tells the site."""
    assert issubclass(WithoutTerms, Sitemap)
    assert issubclass(GlossarySitemap, Sitemap)


# Thin terms


def test_a_thin_term_has_no_explanation(glossary: GlossaryPage) -> None:
    full = make_term(glossary, "full", explanation=TEXT)
    thin = make_term(glossary, "thin")
    assert [is_thin(page) for page in (full, thin, glossary)] == [False, True, False]


def test_the_catalogue_and_the_page_agree_on_what_is_thin(
    glossary: GlossaryPage,
) -> None:
    make_term(glossary, "full", explanation=TEXT)
    make_term(glossary, "thin")
    for row in PublicTerm.objects.select_related("term"):
        assert is_thin(row.term) is not row.has_explanation
