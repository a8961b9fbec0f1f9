"""A glossary for language models: llms.txt and llms-full.txt, and its Markdown where
it is large."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, URLResolver
from django.urls.resolvers import RegexPattern
from markdown_it import MarkdownIt

from glossary.models import GlossaryPage
from glossary.site import contents, listing, llms, urls

from .factories import home_page, make_category, make_glossary, make_term


if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db

HOST = "http://localhost"


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary(
        "ai", title="AI *glossary*", introduction="<p>Of <b>AI</b>,</p><p>for all.</p>"
    )


def read(path: str) -> str:
    response = Client().get(path)
    assert response.status_code == 200
    return b"".join(response).decode()


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    """The links of each section, as (text, address); what ends with a line is none."""
    found: dict[str, list[tuple[str, str]]] = {}
    here = ""
    for token, after in pairwise(MarkdownIt("commonmark").parse(text)):
        if token.type == "heading_open" and token.tag == "h2":
            here = _text(after)
            found[here] = []
        elif token.type == "hr":
            here = ""
        elif here and token.type == "paragraph_open":
            found[here] += _links(after)
    return found


def _text(token: Any) -> str:
    return "".join(child.content for child in token.children)


def _links(token: Any) -> Iterator[tuple[str, str]]:
    for child, after in pairwise(token.children):
        if child.type == "link_open":
            yield after.content, child.attrs["href"]


def test_llms_txt_lists_the_terms_by_category(glossary):
    data = make_category("data", name="Data", sort_order=2)
    research = make_category("research", name="Research", sort_order=1)
    for title, category in (
        ("Token", data),
        ("Alignment", research),
        ("Embedding", data),
        ("Other", None),
    ):
        make_term(glossary, title.lower(), title=title, category=category)
    make_term(glossary, "draft", live=False)
    response = Client().get("/ai/llms.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    text = response.content.decode()
    assert text.startswith(
        "# AI \\*glossary\\*\n\n> Of AI, for all.\n\nThis glossary explains 4 terms.\n"
    )
    found = sections(text)
    assert [*found] == ["Research", "Data", "Other terms", "Optional"]
    assert found["Data"] == [
        ("Embedding", f"{HOST}/ai/embedding/index.md"),
        ("Token", f"{HOST}/ai/token/index.md"),
    ]
    assert found["Other terms"] == [("Other", f"{HOST}/ai/other/index.md")]
    assert found["Optional"] == [("All terms in full", f"{HOST}/ai/llms-full.txt")]
    assert "\n- [Token](http://localhost/ai/token/index.md): What token means." in text


def test_every_link_of_llms_txt_can_be_read(glossary):
    make_term(glossary, "token")
    for links in sections(read("/ai/llms.txt")).values():
        for _name, url in links:
            assert read(url.removeprefix(HOST))


def test_without_categories_there_are_only_terms(glossary):
    make_term(glossary, "token", title="Token")
    assert [*sections(read("/ai/llms.txt"))] == ["Terms", "Optional"]


def test_an_empty_glossary_has_an_llms_txt(glossary):
    assert [*sections(read("/ai/llms.txt"))] == ["Optional"]


@pytest.mark.skipif(
    not hasattr(GlossaryPage, "search_description"), reason="the base page has none"
)
def test_a_glossary_without_an_introduction_uses_its_description():
    make_glossary("plain", search_description="In short.")
    assert "\n> In short.\n" in read("/plain/llms.txt")


def test_a_large_glossary_is_parted_by_letter(glossary, monkeypatch):
    for module in (listing, llms):
        monkeypatch.setattr(module, "MOST_TERMS", 2)
    monkeypatch.setattr(contents, "LINES_AT_ONCE", 1)
    for title in ("Alpha", "Arrow", "2D", "Beta"):
        make_term(glossary, title.lower(), title=title)
    text = read("/ai/index.md")
    expected = [
        ("A", f"{HOST}/ai/index.md?letter=A"),
        ("B", f"{HOST}/ai/index.md?letter=B"),
        ("#", f"{HOST}/ai/index.md?letter=%23"),
    ]
    assert sections(text)["Terms by letter"] == expected
    assert "- [A](http://localhost/ai/index.md?letter=A): 2 terms\n" in text
    assert sections(read("/ai/llms.txt"))["Terms by letter"] == expected
    for address, terms in (
        ("?letter=A", [("Alpha", f"{HOST}/ai/alpha/"), ("Arrow", f"{HOST}/ai/arrow/")]),
        ("?letter=b", [("Beta", f"{HOST}/ai/beta/")]),
        ("?letter=%23", [("2D", f"{HOST}/ai/2d/")]),
    ):
        found = sections(read(f"/ai/index.md{address}"))
        assert [*found.values()] == [terms]
    assert "Terms by letter" in read("/ai/index.md?letter=Z")


def test_what_llms_txt_lists_is_what_the_pages_say(glossary):
    term = make_term(glossary, "token", title="Token")
    type(term).objects.filter(pk=term.pk).update(live=False)  # behind the catalogue
    assert "Token" not in read("/ai/llms.txt")
    assert "Token" not in read("/ai/llms-full.txt")
    assert "Token" not in read("/ai/index.md")


# In full


def test_llms_full_txt_is_every_term_in_full(glossary):
    for title in ("Token", "Alpha", "Embedding"):
        make_term(glossary, title.lower(), title=title)
    text = read("/ai/llms-full.txt")
    assert text.startswith("# AI \\*glossary\\*\n\n> Of AI, for all.\n\n# Alpha\n")
    assert re.findall("^# (.*)$", text, re.MULTILINE)[1:] == [
        "Alpha",
        "Embedding",
        "Token",
    ]
    for slug in ("token", "alpha", "embedding"):
        assert read(f"/ai/{slug}/index.md") in text


@pytest.mark.slow
def test_llms_full_txt_comes_in_pieces_of_the_same_cost(glossary, monkeypatch):
    monkeypatch.setattr(contents, "TERMS_AT_ONCE", 2)
    for number in range(6):
        make_term(glossary, f"term-{number}")
    response = Client().get("/ai/llms-full.txt")
    assert response.streaming
    pieces = iter(response)
    assert next(pieces).startswith(b"# AI")
    costs, said = [], []
    while True:
        with CaptureQueriesContext(connection) as captured:
            said.append(next(pieces, b""))
        if not said[-1]:
            break
        costs.append(len(captured))
    assert len(costs) == 3
    assert costs[0] == costs[1] == costs[2] <= 11
    assert all(piece.count(b"\n# ") == 2 for piece in said[:-1])


def test_terms_that_sort_alike_come_once_each(glossary, monkeypatch):
    monkeypatch.setattr(contents, "TERMS_AT_ONCE", 2)
    for number in range(5):
        make_term(glossary, f"term-{number}", title="Same")
    text = read("/ai/llms-full.txt")
    assert len(re.findall("^# Same$", text, re.MULTILINE)) == 5


def test_head_of_llms_full_txt_makes_nothing(glossary):
    make_term(glossary, "token")
    head = Client().head("/ai/llms-full.txt")
    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"] == Client().get("/ai/llms-full.txt")["ETag"]


# Whose llms.txt it is


@pytest.mark.parametrize("with_site_wide", [True, False])
def test_the_file_of_the_whole_site_can_be_left_to_another_app(with_site_wide):
    patterns = urls.patterns(with_site_wide=with_site_wide)
    resolver = URLResolver(RegexPattern(""), patterns)
    for name in ("llms.txt", "llms-full.txt"):
        assert resolver.resolve(f"ai/{name}").kwargs == {"path": "ai/", "name": name}
        if with_site_wide:
            assert resolver.resolve(name).kwargs == {"path": "", "name": name}
        else:
            with pytest.raises(Resolver404):
                resolver.resolve(name)
    assert resolver.resolve("index.md").kwargs["name"] == "index.md"


def test_a_glossary_as_home_page_has_its_files(glossary):
    make_term(glossary, "token", title="Token")
    site = glossary.get_site()
    site.root_page = glossary
    site.save()
    assert "](http://localhost/token/index.md)" in read("/llms.txt")
    assert "# Token" in read("/llms-full.txt")
    assert read("/token/index.md").startswith("# Token")
    link = Client().get("/token/")["Link"]
    assert '<http://testserver/llms.txt>; rel="describedby"' in link
    assert home_page().pk == glossary.pk


def test_llms_full_txt_is_not_made_again_and_again(settings: Any) -> None:
    make_glossary("ai")
    settings.GLOSSARY_API_RATES = {"llms-full": "2/m"}
    client = Client()
    first = client.get("/ai/llms-full.txt")
    statuses = [client.get("/ai/llms-full.txt").status_code for _ in range(2)]
    assert [first.status_code, *statuses] == [200, 200, 429]
    known = {"If-None-Match": first["ETag"]}
    assert client.get("/ai/llms-full.txt", headers=known).status_code == 304
    refused = client.get("/ai/llms-full.txt")
    assert 0 < int(refused["Retry-After"]) <= 60
    assert client.get("/ai/llms.txt").status_code == 200
