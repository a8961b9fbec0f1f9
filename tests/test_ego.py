"""The picture of a term and its neighbours: where everything stands."""

from __future__ import annotations

from itertools import combinations, cycle, islice
from typing import Any, get_args

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from glossary.site.ego import (
    FONT,
    MOST_NEIGHBOURS,
    WIDTH,
    EgoGraph,
    EgoNode,
    Kind,
    Neighbour,
    ego_graph,
)
from glossary.site.lettering import text_width


KINDS: tuple[Kind, ...] = get_args(Kind)
NAMES = [
    *("AI", "Token", "Machine learning", "Retrieval-augmented generation"),
    *("Reinforcement learning from human feedback", "大規模言語モデルの評価方法"),
    *("Donaudampfschifffahrtsgesellschaft", "مشین لرننگ", "कृत्रिम बुद्धिमत्ता"),
]


def neighbours(*kinds: Kind, **fields: Any) -> list[Neighbour]:
    return [
        Neighbour(f"{name} {number}", f"/ai/{number}/", kind, **fields)
        for number, (kind, name) in enumerate(zip(kinds, cycle(NAMES)))
    ]


def mixed(count: int) -> list[Neighbour]:
    return neighbours(*islice(cycle(KINDS), count))


def boxes(graph: EgoGraph) -> list[tuple[float, float, float, float]]:
    """What text and dots cover: left, top, right, bottom."""
    centre = graph.centre
    found: list[tuple[float, float, float, float]] = [
        (centre.x, centre.y, centre.x + centre.width, centre.y + centre.height)
    ]
    for node in graph.nodes:
        found.append(box_of(node))
        found.append((node.x - 4, node.y - 4, node.x + 4, node.y + 4))
    for heading in graph.headings:
        # Its words are the template's: not wider than this.
        box = span(heading.x, heading.anchor, 100)
        found.append((box[0], heading.y - 12, box[1], heading.y + 4))
    return found


def box_of(node: EgoNode) -> tuple[float, float, float, float]:
    width = max(text_width(line.text) for line in node.lines) * FONT
    left, right = span(node.text_x, node.anchor, width)
    return left, node.lines[0].y - 14, right, node.lines[-1].y + 5


def span(x: float, anchor: str, width: float) -> tuple[float, float]:
    part = {"start": 0, "middle": 0.5, "end": 1}[anchor]
    return x - part * width, x + (1 - part) * width


def meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return (
        one[0] < other[2]
        and other[0] < one[2]
        and one[1] < other[3]
        and other[1] < one[3]
    )


def check(graph: EgoGraph) -> None:
    found = boxes(graph)
    for one, other in combinations(found, 2):
        assert not meet(one, other), (one, other)
    for left, top, right, bottom in found:
        assert left >= 0
        assert right <= graph.width
        assert top >= 0
        assert bottom <= graph.height


@pytest.mark.parametrize("name", ["AI", NAMES[4], "x" * 255])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 24])
def test_nothing_meets_and_all_is_inside(name: str, count: int) -> None:
    check(ego_graph(name, mixed(count)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 7, 24])
def test_nor_where_all_are_of_one_kind(kind: Kind, count: int) -> None:
    graph = ego_graph("Token", neighbours(*[kind] * count))
    assert len(graph.nodes) == count
    check(graph)


@given(
    st.text(max_size=60),
    st.lists(
        st.builds(
            Neighbour,
            st.text(max_size=60),
            st.none() | st.uuids().map(str),
            st.sampled_from(KINDS),
            st.sampled_from(["in", "out"]),
        ),
        max_size=40,
    ),
)
def test_nor_with_any_names(name: str, given_neighbours: list[Neighbour]) -> None:
    check(ego_graph(name, given_neighbours))


def test_each_kind_has_its_place() -> None:
    graph = ego_graph("Token", neighbours(*KINDS))
    at = {node.kind: node for node in graph.nodes}
    top, bottom = graph.centre.y, graph.centre.y + graph.centre.height
    assert at["broader"].y < top
    assert at["narrower"].y > bottom
    for kind in ("contrast", "comparison"):
        assert at[kind].x < graph.centre.x
        assert at[kind].anchor == "end"
    for kind in ("related", "see_also"):
        assert at[kind].x > graph.centre.x + graph.centre.width
        assert at[kind].anchor == "start"
    assert {heading.kind for heading in graph.headings} == set(KINDS)


def test_one_broader_term_stands_straight_above() -> None:
    [node] = ego_graph("Token", neighbours("broader")).nodes
    assert (node.x, node.anchor) == (WIDTH // 2, "middle")
    assert node.lines[-1].y < node.y  # the dot is below the name


def test_a_term_that_calls_this_one_narrower_is_a_broader_one() -> None:
    graph = ego_graph("Token", neighbours("narrower", "broader", direction="in"))
    assert {node.url: node.kind for node in graph.nodes} == {
        "/ai/0/": "broader",
        "/ai/1/": "narrower",
    }
    assert graph.has_incoming


def test_who_comes_twice_is_shown_by_the_stronger_relation() -> None:
    graph = ego_graph(
        "Token",
        [
            Neighbour("Word", "/ai/word/", "text"),
            Neighbour("Word", "/ai/word/", "comparison", "in"),
            Neighbour("The word", "/ai/word/", "comparison"),
            Neighbour("Wanted", None, "text", "out"),
            Neighbour("Wanted", None, "related", "out"),
        ],
    )
    assert [(node.name, node.kind, node.direction) for node in graph.nodes] == [
        ("The word", "comparison", "out"),
        ("Wanted", "related", "out"),
    ]


def test_mentions_fill_the_shorter_column() -> None:
    graph = ego_graph("Token", neighbours(*["related"] * 4, *["text"] * 4))
    at_start = [node for node in graph.nodes if node.anchor == "end"]
    assert {node.kind for node in at_start} == {"text"}
    assert len(at_start) == 4


def test_columns_are_about_as_long() -> None:
    graph = ego_graph("Token", neighbours(*["related"] * 20, "contrast"))
    anchors = [node.anchor for node in graph.nodes]
    assert abs(anchors.count("start") - anchors.count("end")) <= 3


def test_so_many_are_shown_the_strongest_first() -> None:
    given_ones = neighbours(*["text"] * 20, *["related"] * 20, "broader")
    graph = ego_graph("Token", given_ones)
    kinds = [node.kind for node in graph.nodes]
    assert len(kinds) == MOST_NEIGHBOURS
    assert graph.left_out == 41 - MOST_NEIGHBOURS
    assert (kinds.count("broader"), kinds.count("related")) == (1, 20)


def test_lines_lead_from_the_edge_of_the_box_to_the_dots() -> None:
    graph = ego_graph("Token", mixed(24))
    centre = graph.centre
    across = (centre.x, centre.text_x, centre.x + centre.width)
    assert [(edge.x2, edge.y2) for edge in graph.edges] == [
        (node.x, node.y) for node in graph.nodes
    ]
    for edge in graph.edges:
        assert edge.x1 in across
        assert centre.y <= edge.y1 <= centre.y + centre.height
        if edge.x1 == centre.text_x:
            assert edge.y1 in (centre.y, centre.y + centre.height)


def test_from_the_right_all_is_mirrored() -> None:
    plain, mirrored = (
        ego_graph("Token", mixed(12), mirrored=mirrored) for mirrored in (False, True)
    )
    assert mirrored.height == plain.height
    for node, other in zip(plain.nodes, mirrored.nodes, strict=True):
        assert (other.x, other.text_x) == (WIDTH - node.x, WIDTH - node.text_x)
        assert (other.y, other.anchor, other.lines) == (node.y, node.anchor, node.lines)


def drawn(graph: EgoGraph) -> str:
    return render_to_string("glossary/includes/ego_graph.html", {"ego": graph})


def test_the_picture_is_passed_over_by_keyboard_and_screen_reader() -> None:
    html = drawn(ego_graph("Token", [Neighbour("A < B", "/ai/a/", "related")]))
    assert '<svg class="glossary-ego__picture" viewBox="0 0 480' in html
    assert html.count('aria-hidden="true"') == 1
    assert '<a href="/ai/a/" tabindex="-1">' in html
    assert html.count("<a ") == html.count('tabindex="-1"')
    assert "A &lt; B" in html
    assert "<figcaption" in html
    assert "style=" not in html


def test_a_wanted_term_is_no_link() -> None:
    html = drawn(ego_graph("Token", [Neighbour("Byte", None, "related", "in")]))
    assert "<a " not in html
    assert '<g class="glossary-ego__wanted">' in html
    assert "glossary-ego__dot--in" in html
    assert "A ring" in html


def test_the_caption_says_how_many_are_left_out() -> None:
    html = drawn(ego_graph("Token", neighbours(*["text"] * 25)))
    assert "1 more is not in the picture" in " ".join(html.split())


def test_a_term_without_neighbours_has_no_picture() -> None:
    assert drawn(ego_graph("Token", [])).strip() == ""
