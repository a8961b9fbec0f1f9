"""Terms as Markdown: what a reader of Markdown finds in it is what the term says."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from glossary.site.markdown import absolute, items, term_markdown


URL = "https://example.com/glossary/embedding/"
GLOSSARY: dict[str, Any] = {
    "id": 1,
    "meta": {"html_url": "https://example.com/glossary/", "locale": "en"},
    "title": "Glossary",
    "introduction": "",
    "feature_base_url": "",
    "licence_url": "https://example.com/licence/",
}

# What Markdown, HTML and tables give a meaning to, and what breaks lines.
HOSTILE = st.text(
    st.sampled_from(list("aB1 .#*_[]()<>!|\\`~-+=&:;\"'/{}\n\t\x0b\xa0é字"))
    | st.characters(exclude_categories=["Cs", "Cc"]),
    min_size=1,
    max_size=40,
).filter(lambda text: text.strip("\x00").split())


def document(**fields: Any) -> dict[str, Any]:
    return {
        "id": 4,
        "meta": {
            "html_url": URL,
            "locale": "en",
            "last_published_at": datetime(2026, 11, 28, 9, tzinfo=UTC),
        },
        "title": "Embedding",
        "heading": "",
        "short_definition": "A text as numbers.",
        "category": None,
        "tags": [],
        "explanation": [],
        "comparisons": [],
        "faq": [],
        "related_features": [],
        "related_terms": [],
        "labels": [],
        **fields,
    }


def block(**value: Any) -> dict[str, Any]:
    return {"type": "", "value": value, "id": "x"}


def reference(name: str, url: str | None = None) -> dict[str, Any]:
    return {"id": 1, "slug": "x", "name": name, "url": url}


def link(name: str, url: str | None = None, kind: str = "related") -> dict[str, Any]:
    return {"id": 1, "kind": kind, "related_term": reference(name, url)}


def parsed(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(markdown)


def text_of(token: Token) -> str:
    """The text of an inline token, as it is read."""
    said = "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in token.children or []
    )
    return " ".join(said.split())


def headings(markdown: str) -> list[tuple[str, str]]:
    tokens = parsed(markdown)
    return [
        (token.tag, text_of(after))
        for token, after in pairwise(tokens)
        if token.type == "heading_open"
    ]


def test_a_term_reads_from_its_name_to_its_source():
    markdown = term_markdown(
        document(
            heading="What is an embedding?",
            category={"slug": "data", "name": "Data"},
            tags=["one", "two"],
            labels=[
                {"text": "Vector", "kind": "synonym"},
                {"text": "Secret", "kind": "hidden"},
            ],
            explanation=[
                block(kind="explanation", heading="", body="<p>A <b>list</b>.</p>"),
                block(kind="how_it_works", heading="In depth", body="<p>So.</p>"),
            ],
            comparisons=[
                block(
                    name="",
                    related_term=reference("Token", "https://example.com/token/"),
                    comparison="<p>Smaller.</p>",
                ),
                block(name="", related_term=None, comparison="<p>Of a secret.</p>"),
                block(name="Hash", related_term=None, comparison="<p>One way.</p>"),
            ],
            faq=[block(question="Why?", answer="<ul><li>Because.</li></ul>")],
            related_terms=[
                link("Later", kind="see_also"),
                link("Token", "https://example.com/token/"),
            ],
            related_features=[
                block(path="/search/", label="Search"),
                block(path="javascript:alert(1)", label="Bad"),
            ],
        ),
        GLOSSARY,
    )
    assert markdown == (
        "# Embedding\n\n"
        "**What is an embedding?**\n\n"
        "> A text as numbers.\n\n"
        "Also called: Vector\n\n"
        "## Explanation\n\n"
        "A **list**.\n\n"
        "## In depth\n\n"
        "So.\n\n"
        "## How it compares\n\n"
        "### [Token](https://example.com/token/)\n\n"
        "Smaller.\n\n"
        "### Hash\n\n"
        "One way.\n\n"
        "## Questions and answers\n\n"
        "### Why?\n\n"
        "- Because.\n\n"
        "## Related terms\n\n"
        "- [Token](https://example.com/token/)\n"
        "- See also: Later\n\n"
        "## Related features\n\n"
        "- [Search](https://example.com/search/)\n"
        "- Bad\n\n"
        "---\n\n"
        "- Category: Data\n"
        "- Tags: one, two\n"
        "- Glossary: [Glossary](https://example.com/glossary/)\n"
        "- Source: <https://example.com/glossary/embedding/>\n"
        "- Last updated: 2026-11-28\n"
        "- Licence: <https://example.com/licence/>\n"
    )


def test_a_term_of_a_hidden_glossary_does_not_name_it():
    markdown = term_markdown(document(), None)
    assert "Glossary" not in markdown
    assert "Licence" not in markdown


def test_our_words_are_in_the_language_of_the_term():
    said = document(faq=[block(question="Pourquoi ?", answer="<p>Parce que.</p>")])
    said["meta"] = {**said["meta"], "locale": "fr"}
    assert "## Questions et réponses" in term_markdown(said, None)


@pytest.mark.parametrize(
    ("href", "full"),
    [
        ("/glossary/token/", "https://example.com/glossary/token/"),
        ("#section-1", f"{URL}#section-1"),
        ("?letter=A", f"{URL}?letter=A"),
        ("//other.example/x", "https://other.example/x"),
        ("https://other.example/?a=1&amp;b=2", "https://other.example/?a=1&amp;b=2"),
        ("mailto:a@example.com", "mailto:a@example.com"),
        ("http://[", "http://["),
    ],
)
def test_links_get_full_addresses(href, full):
    html = f'<p>See <a href="{href}">it</a>.</p>'
    assert absolute(html, URL) == f'<p>See <a href="{full}">it</a>.</p>'


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@pytest.mark.slow
def test_no_text_becomes_markup(name, heading, definition, other):
    markdown = term_markdown(
        document(
            title=name,
            heading=heading,
            short_definition=definition,
            labels=[{"text": other, "kind": "synonym"}],
            category={"slug": "x", "name": other},
            tags=[other],
            comparisons=[block(name=other, related_term=None, comparison="<p>C</p>")],
            faq=[block(question=other, answer="<p>A</p>")],
            related_terms=[link(other, URL), link(other)],
            related_features=[block(path="/f/", label=other)],
        ),
        GLOSSARY,
    )
    tokens = parsed(markdown)
    once = " ".join(other.split())
    assert headings(markdown) == [
        ("h1", " ".join(name.split())),
        ("h2", "How it compares"),
        ("h3", once),
        ("h2", "Questions and answers"),
        ("h3", once),
        ("h2", "Related terms"),
        ("h2", "Related features"),
    ]
    inline = [child for token in tokens for child in token.children or []]
    kinds = {token.type for token in [*tokens, *inline]}
    assert not kinds & {"html_block", "html_inline", "code_inline", "fence", "image"}
    assert not kinds & {"code_block", "table_open", "ordered_list_open"}
    assert {token.attrs["href"] for token in inline if token.type == "link_open"} == {
        URL,
        "https://example.com/f/",
        "https://example.com/glossary/",
        "https://example.com/licence/",
    }
    assert " ".join(definition.split()) in map(text_of, tokens)


@given(st.lists(st.tuples(HOSTILE, HOSTILE), min_size=1, max_size=5))
def test_a_list_has_one_item_for_each_entry(entries):
    tokens = parsed(items((name, URL, note) for name, note in entries))
    assert [token.type for token in tokens].count("list_item_open") == len(entries)
    assert [text_of(token) for token in tokens if token.type == "inline"] == [
        f"{' '.join(name.split())}: {' '.join(note.split())}" for name, note in entries
    ]


def test_a_long_definition_is_cut_in_a_list():
    text = items([("A", None, "word " * 1000)])
    assert len(text) < 320
    assert text.endswith("…")
