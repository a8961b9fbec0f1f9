"""Rich text as it is delivered, in each format."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st
from wagtail.rich_text import LinkHandler, features, get_rewriter

from glossary.delivery.prose import Target, write_prose
from glossary.richtext import FEATURES, markdown_to_rich_text
from glossary.visibility import CONTEXT_KEY, Visibility, serialize_rich_text


PUBLIC = {
    ("page", 1): "/ai/token/",
    ("page", 2): "/a/?b=1&c=2",
    ("page", 3): None,
    ("document", 1): "/documents/1/a.pdf",
}


def link(kind: str, pk: object, text: str = "text") -> str:
    return f'<a linktype="{kind}" id="{pk}">{text}</a>'


def html(text: str) -> str:
    return write_prose(text, "html", PUBLIC)


# Links


def test_a_link_to_what_is_public_gets_its_address() -> None:
    assert html(link("page", 1)) == '<a href="/ai/token/">text</a>'
    assert html(link("document", 1)) == '<a href="/documents/1/a.pdf">text</a>'
    assert html(link("page", 2)) == '<a href="/a/?b=1&amp;c=2">text</a>'


@pytest.mark.parametrize(
    "hidden",
    [
        link("page", 9),
        link("document", 2),
        link("page", "9" * 30),
        link("page", ""),
        link("page", "1 or 1=1"),
        link("page", "²"),
        link("anything", 1),
        '<a id="1" linktype="page" data-x="&lt;">text</a>'.replace('"1"', '"4"'),
    ],
)
@pytest.mark.parametrize("rich_text", ["html", "db_html", "markdown", "plain"])
def test_a_link_to_what_is_hidden_is_its_text(hidden: str, rich_text: str) -> None:
    written = write_prose(f"<p>A <b>{hidden}</b>.</p>", rich_text, PUBLIC)
    shown = write_prose("<p>A <b>text</b>.</p>", rich_text, PUBLIC)
    assert written == shown


def test_a_page_without_an_address_is_linked_in_the_database_form_alone() -> None:
    stored = link("page", 3)
    assert html(stored) == "text"
    assert write_prose(stored, "markdown", PUBLIC) == "text"
    assert write_prose(stored, "db_html", PUBLIC) == stored


@pytest.mark.parametrize(
    "kept",
    [
        '<a href="#anchor">text</a>',
        '<a href="mailto:a@example.com">text</a>',
        '<a href="https://example.com/?a=1&amp;b=2">text</a>',
        '<a href="/path/">text</a>',
        '<a id="1">text</a>',
        "<abbr>text</abbr>",
    ],
)
def test_all_else_stays_as_it_is(kept: str) -> None:
    text = f"<p>{kept}</p>"
    assert html(text) == text
    assert html(text + link("page", 9)) == f"{text}text"
    assert write_prose(text, "db_html", PUBLIC) == text


@pytest.mark.parametrize(
    "text",
    [
        '<p><a linktype="page" id="9">text</p>',
        '<p><a linktype="page" id="9">a <a linktype="page" id="1">b</a></a></p>',
        '<p></a><a linktype="page" id="9">text</a></a></p>',
    ],
)
@pytest.mark.parametrize("rich_text", ["html", "db_html"])
def test_a_tag_out_of_place_is_no_way_around(text: str, rich_text: str) -> None:
    written = write_prose(text, rich_text, PUBLIC)
    assert 'id="9"' not in written
    assert "linktype" not in written.replace('linktype="page" id="1"', "")


def test_an_embed_is_left_out_of_html() -> None:
    embed = '<embed embedtype="image" id="1" alt="x" format="left"/>'
    assert html(f"<p>a{embed}</p>") == "<p>a</p>"


class NoFollow(LinkHandler):
    identifier = "external"

    @classmethod
    def expand_db_attributes(cls, attrs: dict[str, str]) -> str:
        return f'<a href="{escape(attrs["href"])}" rel="nofollow">'


def test_a_site_can_have_its_own_way_with_links_that_lead_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(features.get_link_types(), "external", NoFollow)
    get_rewriter.cache_clear()
    try:
        away = '<a href="https://example.com/">a</a>'
        assert html(away + link("page", 1)) == (
            '<a href="https://example.com/" rel="nofollow">a</a>'
            '<a href="/ai/token/">text</a>'
        )
    finally:
        get_rewriter.cache_clear()


# Formats


def test_the_formats() -> None:
    stored = f"<p>A <b>{link('page', 1, 'token')}</b> &amp; <code>x</code>.</p>"
    assert {
        name: write_prose(stored, name, PUBLIC)
        for name in ("html", "db_html", "markdown", "plain")
    } == {
        "html": '<p>A <b><a href="/ai/token/">token</a></b> &amp; <code>x</code>.</p>',
        "db_html": stored,
        "markdown": "A [**token**](/ai/token/) & `x`.",
        "plain": "A token & x.",
    }


@pytest.mark.parametrize("rich_text", ["html", "db_html", "markdown", "plain"])
@pytest.mark.parametrize("text", ["", "\0", "<", "<a", "<p>\ud800</p>", "</a>" * 2000])
def test_hostile_texts(text: str, rich_text: str) -> None:
    assert isinstance(write_prose(text, rich_text, PUBLIC), str)


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=8)
targets = st.sampled_from(
    [
        *("wagtail://page?id=1", "wagtail://page?id=4", "wagtail://document?id=1"),
        *("wagtail://document?id=2", "https://example.com/a", "#a", "mailto:a@b.com"),
    ]
)
pieces = st.one_of(
    words,
    st.tuples(words, targets).map(lambda pair: f"[{pair[0]}]({pair[1]})"),
    st.sampled_from(["**a** ", "\n\n", "\n- ", "\n1. ", "`x`", "> ", "### "]),
)


class Thing:
    """A page or a document that may be seen."""

    def __init__(self, target: Target) -> None:
        self.pk = target[1]
        self.url = PUBLIC[target]


@given(st.lists(pieces, max_size=12).map("".join))
def test_html_is_what_wagtail_would_write(markdown: str) -> None:
    stored = markdown_to_rich_text(markdown, internal_links=True).value
    for wanted in ("html", "db_html"):
        request = RequestFactory().get("/", {"rich_text_format": wanted})
        visibility = Visibility(request)
        visibility._public = {
            (kind, pk): Thing((kind, pk)) if (kind, pk) in PUBLIC else None
            for kind in ("page", "document")
            for pk in range(10)
        }
        context = {"request": request, CONTEXT_KEY: visibility}
        expected = serialize_rich_text(stored, context, FEATURES)
        assert write_prose(stored, wanted, PUBLIC) == expected
