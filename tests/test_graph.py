"""The graph of a glossary: its nodes, its edges, and its limits."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pydantic import TypeAdapter
from pydantic_core import to_json
from wagtail.models import Locale, Site

from glossary.delivery import graph as graph_module
from glossary.delivery.documents import GlossaryGraph
from glossary.delivery.graph import graph
from glossary.delivery.scope import make_scope
from glossary.models import GlossaryPage, TermPage

from .factories import (
    comparison,
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    section,
)
from .test_visibility import HIDDEN, MARK, World


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_left_over(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()  # the sites of the test before


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", live=True)


def the_graph(*glossaries: GlossaryPage, **options: Any) -> Any:
    """The graph of these glossaries, or of all, held against its type."""
    scope = make_scope(Site.objects.get(is_default_site=True))
    asked = [scope.glossary(item.pk) for item in glossaries] or scope.glossaries
    found = graph(scope, asked, **options)
    if found is not None:
        adapter = TypeAdapter(GlossaryGraph)
        adapter.validate_json(to_json(found), strict=True, extra="forbid")
        ids = [node["id"] for node in found["nodes"]]
        assert len(ids) == len(set(ids))
        ends = {edge[end] for edge in found["edges"] for end in ("source", "target")}
        assert ends <= set(ids)
    return found


def ids(found: Any) -> list[str]:
    return [node["id"] for node in found["nodes"]]


def edges(found: Any) -> list[tuple[str, str, str]]:
    return [(edge["source"], edge["target"], edge["type"]) for edge in found["edges"]]


def make_chain(glossary: GlossaryPage, *slugs: str, **fields: Any) -> list[TermPage]:
    """Terms each of which is related to the next; the last to a wanted one."""
    names = [make_related_term(glossary, slug) for slug in (*slugs[1:], "wanted")]
    return [
        make_term(glossary, slug, related_terms=[name], **fields)
        for slug, name in zip(slugs, names, strict=True)
    ]


def test_a_graph_in_full(glossary: GlossaryPage) -> None:
    target = make_term(glossary, "token", category=make_category("basics"))
    known = make_related_term(glossary, "token")
    wanted = make_related_term(glossary, "wanted")
    make_related_term(glossary, "unasked")
    make_term(
        glossary,
        "alpha",
        related_terms=[(known, "broader"), wanted],
        comparisons=[comparison("It", "<p>x</p>", known)],
        explanation=[
            section(f'<a linktype="page" id="{target.pk}">it</a>') for _time in range(2)
        ],
    )
    found = the_graph()
    assert found["nodes"][1] == {
        "id": "token",
        "name": "Token",
        "slug": "token",
        "url": "http://localhost/ai/token/",
        "category": "basics",
    }
    assert found["nodes"][2] == {
        "id": "wanted",
        "name": "Wanted",
        "slug": "wanted",
        "url": None,
        "category": None,
    }
    assert ids(found) == ["alpha", "token", "wanted"]
    assert edges(found) == [
        ("alpha", "token", "broader"),
        ("alpha", "token", "comparison"),
        ("alpha", "token", "text"),
        ("alpha", "wanted", "related"),
    ]
    assert found["truncated"] is False


def test_a_term_does_not_point_at_itself(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token")
    term.explanation = [section(f'<a linktype="page" id="{term.pk}">it</a>')]
    term.save_revision().publish()
    assert the_graph()["edges"] == []


@pytest.mark.slow
def test_around_a_term_in_both_directions(glossary: GlossaryPage) -> None:
    make_chain(glossary, *"abcdef")
    assert ids(the_graph(around="c")) == ["c", "b", "d"]
    assert ids(the_graph(around="c", depth=2)) == ["c", "b", "d", "a", "e"]
    far = the_graph(around="c", depth=3)
    assert ids(far) == ["c", "b", "d", "a", "e", "f"]
    assert len(far["edges"]) == 5
    assert ids(the_graph(around="c", depth=9)) == ids(far)
    assert ids(the_graph(around="wanted", depth=2)) == ["wanted", "f", "e"]


def test_edges_among_the_outermost_are_shown(glossary: GlossaryPage) -> None:
    make_chain(glossary, *"abc")
    make_term(
        glossary,
        "hub",
        related_terms=[make_related_term(glossary, slug) for slug in "ab"],
    )
    assert ("a", "b", "related") in edges(the_graph(around="hub"))


@pytest.mark.parametrize("name", ["", "nothing", "other/a", "a\0b", "x" * 3000, "a/"])
def test_around_what_is_not_there(glossary: GlossaryPage, name: str) -> None:
    make_chain(glossary, "a")
    assert the_graph(around=name) is None


def test_of_a_category_the_one_in_the_middle_apart(glossary: GlossaryPage) -> None:
    basics = make_category("basics")
    make_chain(glossary, "a", "b", category=basics)
    make_term(glossary, "middle", related_terms=[make_related_term(glossary, "a")])
    make_term(glossary, "side", related_terms=[make_related_term(glossary, "middle")])
    assert ids(the_graph(category="basics")) == ["a", "b", "wanted"]
    assert ids(the_graph(category="nothing")) == []
    assert ids(the_graph(around="middle", category="basics", depth=3)) == [
        *("middle", "a", "b", "wanted")
    ]


def test_a_limit_shows_the_nearest(glossary: GlossaryPage) -> None:
    make_chain(glossary, *"abcd")
    whole = the_graph(limit=3)
    assert (ids(whole), whole["truncated"]) == ([*"abc"], True)
    near = the_graph(around="b", depth=3, limit=3)
    assert (ids(near), near["truncated"]) == (["b", "a", "c"], True)
    exact = the_graph(limit=5)
    assert (ids(exact), exact["truncated"]) == ([*"abcd", "wanted"], False)


@pytest.mark.slow
def test_a_term_with_very_many_mentions_is_cut(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_module, "MENTIONS_PER_NODE", 1)
    hub = make_related_term(glossary, "hub")
    make_term(glossary, "hub")
    for number in range(5):
        make_term(glossary, f"term-{number}", related_terms=[hub])
    found = the_graph(around="hub", limit=3)
    assert (len(found["nodes"]), found["truncated"]) == (3, True)


def test_several_glossaries_have_longer_ids(glossary: GlossaryPage) -> None:
    other = make_glossary("law")
    make_chain(glossary, "token")
    make_chain(other, "token")
    assert sorted(ids(the_graph())) == [
        *("ai/token", "ai/wanted", "law/token", "law/wanted")
    ]
    assert ids(the_graph(other)) == ["token", "wanted"]
    assert ids(the_graph(around="law/token")) == ["law/token", "law/wanted"]
    assert ids(the_graph(around="token")) == ["ai/token", "ai/wanted"]


def test_glossaries_of_the_same_slug_are_told_apart(glossary: GlossaryPage) -> None:
    french = Locale.objects.create(language_code="fr")
    home = home_page().copy_for_translation(french, alias=True)
    glossaire = make_glossary("ai", parent=home, locale=french)
    make_term(glossary, "token")
    make_term(glossaire, "token", locale=french)
    cache.clear()
    assert sorted(ids(the_graph())) == sorted(
        [f"{glossary.pk}/token", f"{glossaire.pk}/token"]
    )


@pytest.mark.parametrize("reason", HIDDEN)
def test_nothing_tells_of_what_is_hidden(reason: str) -> None:
    world = World(reason)
    for options in ({}, {"around": world.term.slug, "depth": 3}):
        found = the_graph(**options)
        assert ids(found) == [world.term.slug]
        assert found["edges"] == []
    assert the_graph(around=MARK) is None


def test_a_row_that_is_left_behind_gives_nothing_away(glossary: GlossaryPage) -> None:
    make_chain(glossary, "a", "b")
    TermPage.objects.filter(slug="b").update(live=False)  # and no signal
    assert "b" not in ids(the_graph())
    assert "b" not in ids(the_graph(around="a"))


@pytest.mark.slow
def test_a_graph_takes_as_many_queries_however_large(glossary: GlossaryPage) -> None:
    counts = []
    for slugs in ("abcde", "fghijklmnopq"):
        make_chain(glossary, *slugs)
        for options in ({}, {"around": slugs[2], "depth": 2}):
            the_graph(**options)
            with CaptureQueriesContext(connection) as queries:
                the_graph(**options)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


def test_no_glossary_has_no_graph() -> None:
    assert the_graph() == {"nodes": [], "edges": [], "truncated": False}
    assert the_graph(around="token") is None
