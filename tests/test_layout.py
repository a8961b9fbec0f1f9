"""Where the nodes of a graph stand: never too near, always alike, near their own."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations
from math import dist
from statistics import mean

import pytest

from glossary.site.layout import APART, MARGIN, WIDTH, Layout, lay_out


Nodes = dict[str, str | None]
Edges = list[tuple[str, str]]


def communities(
    count: int, groups: int = 8, inside: float = 0.8, alone: float = 0.05
) -> tuple[Nodes, Edges]:
    """A graph like that of a glossary: groups, about four edges for each node, most of
    them inside its group, and hubs."""
    chance = random.Random(count)  # noqa: S311
    nodes: Nodes = {f"n{index}": f"g{index % groups}" for index in range(count)}
    linked = [name for name in nodes if chance.random() > alone]
    by_group: dict[str | None, list[str]] = {}
    for name in linked:
        by_group.setdefault(nodes[name], []).append(name)
    edges = []
    for name in linked:
        for _edge in range(4):
            own = by_group[nodes[name]]
            others = own if chance.random() < inside else linked
            edges.append((name, others[int(len(others) * chance.random() ** 2)]))
    return nodes, edges


def star(count: int) -> tuple[Nodes, Edges]:
    nodes: Nodes = dict.fromkeys(map(str, range(count)))
    return nodes, [("0", name) for name in nodes if name != "0"]


def chain(count: int) -> tuple[Nodes, Edges]:
    nodes: Nodes = dict.fromkeys(map(str, range(count)))
    return nodes, [(f"{index}", f"{index + 1}") for index in range(count - 1)]


def pairs(count: int) -> tuple[Nodes, Edges]:
    nodes: Nodes = {f"{index}": f"{index}" for index in range(count)}
    return nodes, [(f"{index}", f"{index + 1}") for index in range(0, count - 1, 2)]


def crowd(count: int) -> tuple[Nodes, Edges]:
    nodes: Nodes = dict.fromkeys(map(str, range(count)), "one")
    return nodes, list(combinations(nodes, 2))


GRAPHS = {
    "communities": communities(300),
    "no edges": (dict.fromkeys(map(str, range(30))), []),
    "many without edges": (dict.fromkeys(map(str, range(500))), []),
    "one": ({"a": None}, []),
    "two": ({"a": None, "b": "x"}, [("a", "b")]),
    "star": star(300),
    "chain": chain(300),
    "pairs": pairs(200),
    "crowd": crowd(60),
}


def nearest(layout: Layout) -> float:
    places = layout.positions.values()
    return min((dist(*two) for two in combinations(places, 2)), default=APART)


@pytest.mark.parametrize("name", GRAPHS)
def test_every_node_has_a_place_of_its_own_on_the_map(name: str) -> None:
    nodes, edges = GRAPHS[name]
    layout = lay_out(nodes, edges)
    assert layout.positions.keys() == nodes.keys()
    assert layout.width == WIDTH
    for x, y in layout.positions.values():
        assert MARGIN <= x <= WIDTH - MARGIN
        assert MARGIN <= y <= layout.height - MARGIN
    assert nearest(layout) >= APART


def test_no_nodes_have_an_empty_map() -> None:
    assert lay_out({}, []).positions == {}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_order_in_which_it_is_given_makes_no_difference(name: str) -> None:
    nodes, edges = GRAPHS[name]
    shuffled_nodes, shuffled = list(nodes.items()), [edge[::-1] for edge in edges]
    shuffle = random.Random(1).shuffle  # noqa: S311
    shuffle(shuffled_nodes)
    shuffle(shuffled)
    assert lay_out(dict(shuffled_nodes), shuffled) == lay_out(nodes, edges)


def test_edges_to_nowhere_and_to_oneself_are_passed_over() -> None:
    nodes: Nodes = {"a": None, "b": None, "c": None}
    edges = [("a", "b"), ("b", "a"), ("a", "a"), ("a", "nowhere")]
    assert lay_out(nodes, edges) == lay_out(nodes, [("a", "b"), ("a", "b")])


def test_a_group_stays_together() -> None:
    nodes, edges = communities(400)
    layout = lay_out(nodes, edges)
    linked = {name for edge in edges for name in edge}
    within, between = [], []
    for one, other in combinations(sorted(linked), 2):
        length = dist(layout.positions[one], layout.positions[other])
        (within if nodes[one] == nodes[other] else between).append(length)
    assert mean(within) < mean(between) / 2


def test_without_groups_what_is_linked_stands_together() -> None:
    nodes, edges = communities(400, inside=0.95)
    layout = lay_out(dict.fromkeys(nodes), edges)
    lengths = [dist(*(layout.positions[name] for name in edge)) for edge in edges]
    places = list(layout.positions.values())
    assert mean(lengths) < mean(dist(*two) for two in combinations(places, 2)) / 2


def test_the_ends_of_a_chain_are_far_apart() -> None:
    layout = lay_out(*chain(60))
    across = [layout.positions[f"{index}"][0] for index in (5, 30, 55)]
    assert across in (sorted(across), sorted(across, reverse=True))
    assert abs(across[0] - across[-1]) > WIDTH / 2


def test_nodes_without_an_edge_stand_in_rows_below_by_group() -> None:
    nodes, edges = communities(120, alone=0.2)
    layout = lay_out(nodes, edges)
    linked = {name for edge in edges for name in edge}
    alone = sorted(nodes.keys() - linked, key=lambda name: (nodes[name], name))
    assert len(alone) > 10
    lowest = max(layout.positions[name][1] for name in linked)
    places = [layout.positions[name] for name in alone]
    assert places == sorted(places, key=lambda place: (place[1], place[0]))
    assert min(y for _x, y in places) > lowest
    assert len({y for _x, y in places}) == -(-len(alone) // 4)


@pytest.mark.parametrize("make", [communities, star, chain, pairs])
def test_the_work_grows_as_the_graph_does(
    make: Callable[[int], tuple[Nodes, Edges]],
) -> None:
    """Each node is compared with so many at most, however many there are. In a small
    graph most have not that many near them."""
    small, large = (lay_out(*make(count)).comparisons for count in (200, 2000))
    assert large < 2000 * 1500
    assert large < 25 * small


@pytest.mark.slow
def test_a_large_map_has_room() -> None:
    layout = lay_out(*communities(2000, groups=12))
    assert nearest(layout) >= APART
    assert layout.height < 1.5 * WIDTH
