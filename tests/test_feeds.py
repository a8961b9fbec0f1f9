"""The feed of a glossary: valid by RFC 4287, and only of what anyone may see."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.models import Locale, PageViewRestriction, Site

from glossary.models import GlossaryPage, PublicTerm, TermPage
from glossary.site import feeds

from .factories import home_page, make_category, make_glossary, make_term


pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
URL = "http://localhost/ai/feed.atom"
WHEN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
# RFC 3339, with a capital T and Z.
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
TYPE = "application/atom+xml; charset=utf-8"


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", title="AI", introduction="<p>Of <b>AI</b> &amp; us.</p>")


def get(address: str = "/ai/feed.atom", **headers: str) -> Any:
    return Client().get(address, headers=headers)


def read(address: str = "/ai/feed.atom", **headers: str) -> ElementTree.Element:
    response = get(address, **headers)
    assert response.status_code == 200
    assert response["Content-Type"] == TYPE
    feed = ElementTree.fromstring(response.content)  # noqa: S314  (our own)
    check(feed)
    return feed


def entries(feed: ElementTree.Element) -> list[ElementTree.Element]:
    return feed.findall(f"{ATOM}entry")


def said(element: ElementTree.Element, name: str) -> list[str]:
    return [found.text or "" for found in element.findall(f"{ATOM}{name}")]


def links(element: ElementTree.Element) -> dict[str, str]:
    return {
        link.get("rel", "alternate"): link.attrib["href"]
        for link in element.findall(f"{ATOM}link")
    }


def titles(feed: ElementTree.Element) -> list[str]:
    return [title for entry in entries(feed) for title in said(entry, "title")]


def change(page: Any, time: datetime | None, first: datetime | None = None) -> None:
    """When a term was published, on its page and in the catalogue."""
    TermPage.objects.filter(pk=page.pk).update(
        last_published_at=time, first_published_at=first
    )
    PublicTerm.objects.filter(pk=page.pk).update(
        last_published_at=time or datetime(1970, 1, 1, tzinfo=UTC)
    )


# What RFC 4287 demands


# How often each child of an element may occur (section 4.1).
ONE, MAY, ANY = (1, 1), (0, 1), (0, 10**6)
FEED = {
    **dict.fromkeys(("id", "title", "updated"), ONE),
    **dict.fromkeys(("subtitle", "rights", "generator", "icon", "logo"), MAY),
    **dict.fromkeys(("author", "category", "contributor", "link", "entry"), ANY),
}
ENTRY = {
    **dict.fromkeys(("id", "title", "updated"), ONE),
    **dict.fromkeys(("published", "rights", "source", "summary", "content"), MAY),
    **dict.fromkeys(("author", "category", "contributor", "link"), ANY),
}


def check(feed: ElementTree.Element) -> None:
    assert feed.tag == f"{ATOM}feed"
    check_children(feed, FEED)
    assert feed.find(f"{ATOM}author") is not None  # else each entry needs one
    assert links(feed)["self"]
    for author in feed.findall(f"{ATOM}author"):
        assert said(author, "name")[0].strip()
        assert [*map(is_address, said(author, "uri"))] == [True]
    for entry in entries(feed):
        check_children(entry, ENTRY)
        assert entry.find(f"{ATOM}content") is not None or "alternate" in links(entry)
    ids = [found.text for found in feed.iter(f"{ATOM}id")]
    assert len(ids) == len({*ids})


def check_children(
    element: ElementTree.Element, allowed: dict[str, tuple[int, int]]
) -> None:
    counts = dict.fromkeys(allowed, 0)
    for child in element:
        counts[child.tag.removeprefix(ATOM)] += 1
    for name, (least, most) in allowed.items():
        assert least <= counts[name] <= most, name
    for name in ("updated", "published"):
        assert all(DATE.fullmatch(date) for date in said(element, name))
    for name in ("title", "summary", "subtitle", "rights"):
        for text in element.findall(f"{ATOM}{name}"):
            assert text.get("type", "text") == "text"
            assert len(text) == 0
    assert [*map(is_address, said(element, "id"))] == [True]
    pairs = []
    for link in element.findall(f"{ATOM}link"):
        assert is_address(link.attrib["href"])
        pairs.append((link.get("rel"), link.get("type"), link.get("hreflang")))
    assert len(pairs) == len({*pairs})  # no two alternates of one kind
    for category in element.findall(f"{ATOM}category"):
        assert category.attrib["term"]


def is_address(text: str) -> bool:
    """An absolute IRI."""
    return bool(urlsplit(text).scheme) and not re.search(r"[\s<>\"{}|\\^`]", text)


# What it says


def test_a_feed_says_what_the_glossary_says_of_itself(glossary: GlossaryPage) -> None:
    Site.objects.update(site_name="The site")
    glossary.licence_url = "https://example.org/licence"
    glossary.save_revision().publish()
    feed = read()
    assert said(feed, "title") == ["AI"]
    assert said(feed, "subtitle") == ["Of AI & us."]
    assert said(feed, "rights") == ["Licence: https://example.org/licence"]
    assert feed.get(LANGUAGE) == "en"
    assert links(feed) == {
        "alternate": "http://localhost/ai/",
        "self": URL,
        "license": "https://example.org/licence",
    }
    [author] = feed.findall(f"{ATOM}author")
    assert said(author, "name") == ["The site"]
    assert said(author, "uri") == ["http://localhost"]


def test_what_a_glossary_does_not_say_is_left_out() -> None:
    make_glossary("ai", title="AI")
    feed = read()
    assert said(feed, "subtitle") == said(feed, "rights") == []
    assert "license" not in links(feed)
    [author] = feed.findall(f"{ATOM}author")
    assert said(author, "name") == ["AI"]


def test_an_entry_is_a_term(glossary: GlossaryPage) -> None:
    category = make_category("data", name="Data & more")
    term = make_term(
        glossary,
        "token",
        title="Token <b>",
        short_definition="A piece of text, like <i> & “so”.",
        category=category,
    )
    change(term, WHEN, WHEN.replace(year=2023))
    [entry] = entries(read())
    assert said(entry, "title") == ["Token <b>"]
    assert said(entry, "summary") == ["A piece of text, like <i> & “so”."]
    assert said(entry, "updated") == ["2024-05-06T07:08:09+00:00"]
    assert said(entry, "published") == ["2023-05-06T07:08:09+00:00"]
    assert links(entry) == {"alternate": "http://localhost/ai/token/"}
    [found] = entry.findall(f"{ATOM}category")
    assert found.attrib == {"term": "data", "label": "Data & more"}


def test_the_newest_change_comes_first(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MOST_TERMS", 3)
    for day, slug in ((2, "b"), (4, "d"), (1, "a"), (3, "c")):
        change(make_term(glossary, slug), WHEN.replace(day=day))
    assert titles(read()) == ["D", "C", "B"]


def test_there_are_fifty_at_most() -> None:
    assert feeds.MOST_TERMS == 50


def test_the_feed_is_as_new_as_what_is_in_it(glossary: GlossaryPage) -> None:
    GlossaryPage.objects.update(last_published_at=WHEN)
    assert said(read(), "updated") == ["2024-05-06T07:08:09+00:00"]
    change(make_term(glossary, "token"), WHEN.replace(year=2030))
    assert said(read(), "updated") == ["2030-05-06T07:08:09+00:00"]


def test_what_was_never_dated_has_a_date_all_the_same(glossary: GlossaryPage) -> None:
    GlossaryPage.objects.update(last_published_at=None, first_published_at=None)
    assert said(read(), "updated") == ["1970-01-01T00:00:00+00:00"]
    change(make_term(glossary, "token"), None)
    [entry] = entries(read())
    assert said(entry, "updated") == ["1970-01-01T00:00:00+00:00"]
    assert said(entry, "published") == []


def test_our_words_are_in_the_language_of_the_glossary() -> None:
    french = Locale.objects.create(language_code="fr")
    home = home_page().copy_for_translation(french)
    home.save_revision().publish()
    make_glossary(
        "ia", parent=home, locale=french, licence_url="https://example.org/licence"
    )
    feed = read("/ia/feed.atom", **{"Accept-Language": "fr"})
    assert feed.get(LANGUAGE) == "fr"
    [rights] = said(feed, "rights")
    assert rights.startswith("Licence")
    assert rights.endswith("https://example.org/licence")


# What names it


def names(feed: ElementTree.Element) -> list[str]:
    return said(feed, "id") + [said(entry, "id")[0] for entry in entries(feed)]


def test_names_stay_whatever_becomes_of_the_address(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token")
    before = names(read())
    assert all(UUID(name.removeprefix("urn:uuid:")) for name in before)
    term.slug, term.title = "piece", "Piece"
    term.save_revision().publish()
    glossary.refresh_from_db()
    glossary.slug = "words"
    glossary.save_revision().publish()
    Site.objects.update(hostname="other.example")
    after = read("/words/feed.atom")
    [entry] = entries(after)
    assert links(entry) == {"alternate": "http://other.example/words/piece/"}
    assert names(after) == before


def test_translations_have_names_of_their_own(glossary: GlossaryPage) -> None:
    french = Locale.objects.create(language_code="fr")
    home = home_page().copy_for_translation(french)
    home.save_revision().publish()
    theirs = glossary.copy_for_translation(french)
    theirs.slug = "ia"
    theirs.save_revision().publish()
    term = make_term(glossary, "token")
    term.copy_for_translation(french).save_revision().publish()
    both = names(read()) + names(read("/ia/feed.atom", **{"Accept-Language": "fr"}))
    assert len({*both}) == 4


# What XML cannot hold


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x01c\x0bd\x1f", "abcd"),
        ("a\ufffeb\uffff", "ab"),
        ("a\tb\nc", "a\tb\nc"),
        ("]]> <![CDATA[ <!-- &amp;", "]]> <![CDATA[ <!-- &amp;"),
        ("\U0001f600 é 字", "\U0001f600 é 字"),
        ("\ud800x", "x"),
    ],
)
def test_characters_that_xml_cannot_hold_are_dropped(text: str, shown: str) -> None:
    feed = feeds._Feed(
        feeds._legal(text),
        "http://localhost/",
        None,
        author_name=feeds._legal(text),
        feed_guid="urn:x",
        updated=WHEN,
        licence="",
    )
    feed.add_item(
        title=feeds._legal(text),
        link="http://localhost/a/",
        description=None,
        updateddate=WHEN,
        unique_id="urn:y",
        summary=feeds._legal(text),
        category={"slug": feeds._legal(text), "name": feeds._legal(text)},
    )
    found = ElementTree.fromstring(feed.writeString("utf-8").encode())  # noqa: S314  (our own)
    assert said(found, "title") == titles(found) == [shown]


def test_a_term_may_be_called_anything(glossary: GlossaryPage) -> None:
    odd = "a\x01b\x0c\x1b[0m\ufffe"
    category = make_category("odd", name=odd)
    make_term(glossary, "token", category=category, short_definition=odd, title=odd)
    GlossaryPage.objects.update(title=odd, licence_url="https://x.example/\x02é ")
    [entry] = entries(read())
    assert said(entry, "title") == said(entry, "summary") == ["ab[0m"]
    [found] = entry.findall(f"{ATOM}category")
    assert found.attrib["label"] == "ab[0m"


# Where it is


def test_a_feed_is_also_a_format_of_the_page(glossary: GlossaryPage) -> None:
    make_term(glossary, "token")
    accept = {"Accept": "application/atom+xml, application/xml;q=0.9, */*;q=0.8"}
    for address, headers in (("/ai/?format=atom", {}), ("/ai/", accept)):
        feed = read(address, **headers)
        assert titles(feed) == ["Token"]
        assert links(feed)["self"] == "http://localhost/ai/?format=atom"
        assert names(feed) == names(read())


def test_a_term_has_no_feed(glossary: GlossaryPage) -> None:
    make_term(glossary, "token")
    assert get("/ai/token/feed.atom").status_code == 404
    for address in ("/ai/token/", "/ai/token/?format=atom"):
        response = get(address, Accept="application/atom+xml, */*;q=0.1")
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/html")


def test_the_address_of_a_feed() -> None:
    assert feeds.feed_url("https://x.example/ai/") == "https://x.example/ai/feed.atom"
    assert feeds.feed_url("https://x.example/ai") == "https://x.example/ai/feed.atom"
    assert feeds.feed_url(None) is None


def test_a_reader_who_has_it_is_told_so_by_one_query(
    glossary: GlossaryPage, django_assert_num_queries: Any
) -> None:
    term = make_term(glossary, "token")
    first = get()
    known = {"If-None-Match": first["ETag"]}
    with django_assert_num_queries(1):
        assert get(**known).status_code == 304
    term.short_definition = "Another."
    term.save_revision().publish()
    assert get(**known).status_code == 200
    assert said(entries(read())[0], "summary") == ["Another."]


def test_a_feed_is_purged_with_its_glossary(glossary: GlossaryPage) -> None:
    assert "/feed.atom" in glossary.get_cached_paths()


def test_more_terms_take_no_more_queries(glossary: GlossaryPage) -> None:
    def cost() -> int:
        get()  # what each process remembers
        with CaptureQueriesContext(connection) as captured:
            get()
        return len(captured)

    category = make_category("data")
    make_term(glossary, "first", category=category, tags=["a"])
    one = cost()
    for number in range(5):
        make_term(glossary, f"term-{number}", category=category, tags=["a", "b"])
    assert cost() == one
    assert len(entries(read())) == 6


# What is hidden


@pytest.mark.parametrize("hiding", ["draft", "login"])
@pytest.mark.parametrize("above", [False, True], ids=["term", "glossary"])
def test_nothing_hidden_is_in_it(
    glossary: GlossaryPage, hiding: str, above: bool
) -> None:
    term = make_term(glossary, "secret")
    assert titles(read()) == ["Secret"]
    page = glossary if above else term
    if hiding == "draft":
        page.unpublish()
    else:
        PageViewRestriction.objects.create(
            page=page, restriction_type=PageViewRestriction.LOGIN
        )
    if above:
        assert get().status_code == 404
    else:
        assert titles(read()) == []


def test_a_draft_is_not_in_it(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token", short_definition="Published.")
    term.short_definition = "Draft."
    term.save_revision()
    [entry] = entries(read())
    assert said(entry, "summary") == ["Published."]


def test_what_it_says_is_what_the_pages_say(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token")
    TermPage.objects.filter(pk=term.pk).update(live=False)  # behind the catalogue
    assert titles(read()) == []


def test_another_glossary_is_not_in_it(glossary: GlossaryPage) -> None:
    make_term(make_glossary("other"), "theirs")
    make_term(glossary, "ours")
    assert titles(read()) == ["Ours"]
