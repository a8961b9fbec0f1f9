"""Where the nodes of a large graph stand, so that it can be read as a map. Pure.

Nodes attract those that they are linked with and keep the others at a distance; those
of a group are held together, and groups keep a distance too. First the graph is made
smaller and smaller by merging neighbours, until a few nodes are left that stand for
all; they find their places, and then each is taken apart again, and what it stood for
settles around it. So every part is near its place before the fine work begins, a few
steps of which are enough.

The same graph has the same layout, in whatever order it is given. The work grows as the
number of nodes and edges does. Lengths are in units of the map, which is 1000 of them
wide.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import cos, hypot, pi, sin, sqrt
from typing import NamedTuple


WIDTH = 1000
MARGIN = 40
# No two nodes are nearer to each other, from middle to middle.
APART = 13
# The height of a map of 36 nodes. It grows with their number until a map fits a screen,
# and again where nodes would stand too close.
HEIGHT = 400
HIGHEST = 780
HEIGHT_FOR_EACH = 0.55

# Nodes without an edge stand in rows: with room for names, or close if they are many.
COLUMNS = 4
ROW = 26
MANY = 60
CLOSE_ROW = 18

# Merging ends when so few are left, or when hardly any can be merged.
FEW = 8
HARDLY = 0.9
MOST_LEVELS = 24
MOST_MERGED = 4

# Steps of settling: of the smallest graph, and of each larger one.
FIRST_STEPS = 120
STEPS = 18
# How far nodes feel each other, where the usual distance is 1.
REACH = 2.0
# With twice so many others a node is compared at each step, at most.
CROWD = 16
LINK_PULL = 0.55
# What is left of it between two groups.
ABROAD = 0.25
GROUP_PULL = 0.2
CENTRE_PULL = 0.012
# More groups are not kept apart.
MOST_GROUPS = 64
BETWEEN_GROUPS = 1.6

# How much of a place is that in the order of all: it evens out what is crowded.
EVENING = 0.35
# So many of a thousand, at either end, may stand in the margin and are moved in.
STRAY = 5
ROUNDS_APART = 24
# Names are wider than high, so their nodes need more room at their sides.
STRETCH = 1.7
NAMED = 600

GOLDEN_ANGLE = pi * (3 - sqrt(5))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the middle of each node is, by its name. ``comparisons`` is how many times
    two things were held against each other to find out."""

    width: int
    height: int
    positions: dict[str, tuple[int, int]]
    comparisons: int


def lay_out(
    groups: Mapping[str, str | None], edges: Iterable[tuple[str, str]]
) -> Layout:
    """The layout of the nodes that are the keys of ``groups``, each with the name of
    its group or None. Which way an edge points is no difference; one that comes more
    than once attracts more; one to a node that is not given is passed over."""
    pairs = Counter(
        (min(ends), max(ends))
        for ends in edges
        if ends[0] != ends[1] and groups.keys() >= {*ends}
    )
    linked = sorted({name for pair in pairs for name in pair})
    alone = sorted(
        groups.keys() - {*linked},
        key=lambda name: (groups[name] is None, groups[name] or "", name),
    )
    positions: dict[str, tuple[int, int]] = {}
    height = MARGIN
    comparisons = 0
    if linked:
        settling = _Settling(_graph(linked, groups, pairs))
        settling.settle()
        height, places = _fit(settling)
        positions = dict(zip(linked, places, strict=True))
        comparisons = settling.comparisons
    if alone:
        rows = list(_rows(len(alone), height))
        positions.update(zip(alone, rows, strict=True))
        height = rows[-1][1] + MARGIN
    return Layout(WIDTH, height, positions, comparisons)


class _Link(NamedTuple):
    """Two nodes, the first lower, and how strongly they are linked."""

    one: int
    other: int
    weight: float


@dataclass(slots=True)
class _Graph:
    """Of each node, how many it stands for, its group (-1 is none), which node of the
    next smaller graph stands for it, and where it is."""

    masses: list[int]
    groups: list[int]
    links: list[_Link]
    parents: list[int] = field(default_factory=list)
    xs: list[float] = field(default_factory=list)
    ys: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.masses)


def _graph(
    names: Sequence[str],
    groups: Mapping[str, str | None],
    pairs: Mapping[tuple[str, str], int],
) -> _Graph:
    numbers = {name: number for number, name in enumerate(names)}
    known = sorted({group for name in names if (group := groups[name]) is not None})
    group_numbers: dict[str | None, int] = {
        group: number for number, group in enumerate(known)
    }
    return _Graph(
        masses=[1] * len(names),
        groups=[group_numbers.get(groups[name], -1) for name in names],
        links=sorted(
            _Link(numbers[one], numbers[other], 1 + (times - 1) / 2)
            for (one, other), times in pairs.items()
        ),
    )


# --- Smaller graphs


def _merged(graph: _Graph, within_groups: bool) -> _Graph:
    """A smaller graph, each node of which stands for a few of this one, whose
    ``parents`` are filled in."""
    graph.parents = _Merging(graph, within_groups).parents()
    count = max(graph.parents) + 1
    masses, groups, largest = [0] * count, [-1] * count, [0] * count
    for parent, mass, group in zip(
        graph.parents, graph.masses, graph.groups, strict=True
    ):
        masses[parent] += mass
        if group >= 0 and mass > largest[parent]:
            groups[parent], largest[parent] = group, mass
    weights: dict[tuple[int, int], float] = defaultdict(float)
    for one, other, weight in graph.links:
        ends = graph.parents[one], graph.parents[other]
        if ends[0] != ends[1]:
            weights[min(ends), max(ends)] += weight
    links = [_Link(*ends, weight) for ends, weight in sorted(weights.items())]
    return _Graph(masses, groups, links)


class _Merging:
    """Who is merged with whom: those with few neighbours choose first, each the one
    that it is linked with most for its mass."""

    def __init__(self, graph: _Graph, within_groups: bool) -> None:
        self._graph = graph
        self._within_groups = within_groups
        self._neighbours: list[dict[int, float]] = [{} for _node in graph.masses]
        for one, other, weight in graph.links:
            self._neighbours[one][other] = weight
            self._neighbours[other][one] = weight
        self._parents = [-1] * len(graph)
        self._sizes: list[int] = []
        # Those that found nobody, by the hub that they are linked with and their group.
        self._waiting: dict[tuple[int, int], int] = {}

    def parents(self) -> list[int]:
        """Of each node the number of the one that it becomes a part of."""
        nodes = range(len(self._graph))
        for node in sorted(nodes, key=lambda node: (len(self._neighbours[node]), node)):
            if self._parents[node] < 0:
                self._place(node)
        return self._parents

    def _place(self, node: int) -> None:
        liked = [
            (-weight / self._graph.masses[other], other)
            for other, weight in self._neighbours[node].items()
            if self._is_akin(node, other)
        ]
        free = min((each for each in liked if self._has_room(each[1])), default=None)
        if free is not None:
            self._join(node, free[1])
            return
        # Two leaves of a star, or any two of a group that have no links within it.
        hub = min(liked)[1] if liked else -1
        waiting = self._waiting.pop((hub, self._graph.groups[node]), None)
        if waiting is not None:
            self._join(node, waiting)
        else:
            self._begin(node)
            self._waiting[hub, self._graph.groups[node]] = node

    def _is_akin(self, node: int, other: int) -> bool:
        groups = self._graph.groups[node], self._graph.groups[other]
        return not self._within_groups or groups[0] == groups[1] or -1 in groups

    def _has_room(self, node: int) -> bool:
        parent = self._parents[node]
        return parent < 0 or self._sizes[parent] < MOST_MERGED

    def _join(self, node: int, other: int) -> None:
        if self._parents[other] < 0:
            self._begin(other)
        self._parents[node] = self._parents[other]
        self._sizes[self._parents[node]] += 1

    def _begin(self, node: int) -> None:
        self._parents[node] = len(self._sizes)
        self._sizes.append(1)


# --- Settling


class _Settling:
    """Gives the nodes of a graph their places; the usual distance of two is 1."""

    def __init__(self, graph: _Graph) -> None:
        self.graph = graph
        self.comparisons = 0

    def settle(self) -> None:
        graphs = [self.graph]
        within_groups = True
        while len(graphs[-1]) > FEW and len(graphs) < MOST_LEVELS:
            smaller = _merged(graphs[-1], within_groups)
            if len(smaller) <= HARDLY * len(graphs[-1]):
                graphs.append(smaller)
            elif within_groups:
                within_groups = False
            else:
                break
        graph = graphs.pop()
        graph.xs, graph.ys = _sunflower(len(graph), sqrt(sum(graph.masses)) / 2)
        self._relax(graph, FIRST_STEPS)
        while graphs:
            smaller, graph = graph, graphs.pop()
            _take_apart(smaller, graph)
            self._relax(graph, STEPS)

    def _relax(self, graph: _Graph, steps: int) -> None:
        """Move the nodes, in steps that become smaller."""
        sizes = [sqrt(mass) for mass in graph.masses]
        usual = sum(sizes) / len(sizes)
        pulls = _pulls(graph, sizes)
        for step in range(steps):
            farthest = usual * (0.9 * (1 - step / steps) + 0.05)
            forces = _Forces([0.0] * len(graph), [0.0] * len(graph))
            self._push(graph, sizes, REACH * usual, forces)
            _pull(graph, pulls, forces)
            self._hold(graph, forces)
            for node, (x, y) in enumerate(zip(*forces, strict=True)):
                length = hypot(x, y)
                scale = farthest / length if length > farthest else 1.0
                graph.xs[node] += x * scale
                graph.ys[node] += y * scale

    def _push(
        self, graph: _Graph, sizes: Sequence[float], reach: float, forces: _Forces
    ) -> None:
        """Nodes that are near each other keep their distance."""
        (xs, ys), (fx, fy), limit = (graph.xs, graph.ys), forces, reach * reach
        for node, others in _meetings(xs, ys, reach):
            self.comparisons += len(others)
            x, y, size = xs[node], ys[node], sizes[node]
            own_x = own_y = 0.0
            for other in others:
                dx, dy = x - xs[other], y - ys[other]
                square = dx * dx + dy * dy
                if square < limit:
                    if square < 1e-6:
                        dx, dy, square = _some_way(node, other)
                    length = (size + sizes[other]) / 2
                    strength = length * length * (1 - square / limit) / square
                    dx *= strength
                    dy *= strength
                    own_x += dx
                    own_y += dy
                    fx[other] -= dx
                    fy[other] -= dy
            fx[node] += own_x
            fy[node] += own_y

    def _hold(self, graph: _Graph, forces: _Forces) -> None:
        """Nodes stay near the middle of their group, which keeps away from others, and
        all of them near the middle of the map."""
        fx, fy = forces
        discs = _discs(graph)
        mass = sum(disc.mass for disc in discs.values())
        middle_x = sum(disc.mass * disc.x for disc in discs.values()) / mass
        middle_y = sum(disc.mass * disc.y for disc in discs.values()) / mass
        discs.pop(-1, None)
        shifts = self._shifts(discs)
        for node, group in enumerate(graph.groups):
            x, y = graph.xs[node], graph.ys[node]
            fx[node] += CENTRE_PULL * (middle_x - x)
            fy[node] += CENTRE_PULL * (middle_y - y)
            if group >= 0:
                disc, (shift_x, shift_y) = discs[group], shifts[group]
                fx[node] += GROUP_PULL * (disc.x - x) + shift_x
                fy[node] += GROUP_PULL * (disc.y - y) + shift_y

    def _shifts(self, discs: Mapping[int, _Disc]) -> dict[int, tuple[float, float]]:
        """How far each group gives way to those that it overlaps."""
        shifts = dict.fromkeys(discs, (0.0, 0.0))
        if len(discs) > MOST_GROUPS:
            return shifts
        for one, other in combinations(sorted(discs), 2):
            self.comparisons += 1
            dx, dy = discs[one].x - discs[other].x, discs[one].y - discs[other].y
            length = hypot(dx, dy) or 1e-3
            missing = discs[one].radius + discs[other].radius + BETWEEN_GROUPS - length
            if missing > 0:
                dx *= 0.5 * missing / length
                dy *= 0.5 * missing / length
                shifts[one] = shifts[one][0] + dx, shifts[one][1] + dy
                shifts[other] = shifts[other][0] - dx, shifts[other][1] - dy
        return shifts


class _Forces(NamedTuple):
    """How far each node is drawn, across and down."""

    x: list[float]
    y: list[float]


class _Disc(NamedTuple):
    """Where a group is, and how many nodes it stands for."""

    x: float
    y: float
    mass: int

    @property
    def radius(self) -> float:
        return 1.05 * sqrt(self.mass / pi)


def _sunflower(count: int, radius: float) -> tuple[list[float], list[float]]:
    """So many points, evenly over a disc."""
    radii = [radius * sqrt((index + 0.5) / count) for index in range(count)]
    turns = [index * GOLDEN_ANGLE for index in range(count)]
    return (
        [length * cos(turn) for length, turn in zip(radii, turns, strict=True)],
        [length * sin(turn) for length, turn in zip(radii, turns, strict=True)],
    )


def _take_apart(smaller: _Graph, graph: _Graph) -> None:
    """Put each node near the one that stood for it."""
    members: list[list[int]] = [[] for _node in smaller.masses]
    for node, parent in enumerate(graph.parents):
        members[parent].append(node)
    graph.xs, graph.ys = [0.0] * len(graph), [0.0] * len(graph)
    for parent, nodes in enumerate(members):
        xs, ys = _sunflower(len(nodes), sqrt(smaller.masses[parent]) / 2.5)
        for node, x, y in zip(nodes, xs, ys, strict=True):
            graph.xs[node] = smaller.xs[parent] + x
            graph.ys[node] = smaller.ys[parent] + y


def _pulls(graph: _Graph, sizes: Sequence[float]) -> list[tuple[int, int, float]]:
    """How strongly each two that are linked attract each other: those with many links
    by each of them less, else they would draw all into one heap."""
    degrees = [0.0] * len(graph)
    for one, other, weight in graph.links:
        degrees[one] += weight
        degrees[other] += weight
    return [
        (
            one,
            other,
            LINK_PULL
            * (weight if graph.groups[one] == graph.groups[other] else weight * ABROAD)
            / sqrt(min(degrees[one], degrees[other]))
            / ((sizes[one] + sizes[other]) / 2),
        )
        for one, other, weight in graph.links
    ]


def _pull(
    graph: _Graph, pulls: Iterable[tuple[int, int, float]], forces: _Forces
) -> None:
    """Nodes that are linked attract each other, more from farther away."""
    (xs, ys), (fx, fy) = (graph.xs, graph.ys), forces
    for one, other, pull in pulls:
        dx, dy = xs[other] - xs[one], ys[other] - ys[one]
        strength = pull * sqrt(dx * dx + dy * dy)
        dx *= strength
        dy *= strength
        fx[one] += dx
        fy[one] += dy
        fx[other] -= dx
        fy[other] -= dy


def _discs(graph: _Graph) -> dict[int, _Disc]:
    """The groups, and under -1 those nodes that have none."""
    sums: dict[int, list[float]] = {}
    masses: Counter[int] = Counter()
    for node, (group, mass) in enumerate(zip(graph.groups, graph.masses, strict=True)):
        total = sums.setdefault(group, [0.0, 0.0])
        total[0] += mass * graph.xs[node]
        total[1] += mass * graph.ys[node]
        masses[group] += mass
    return {
        group: _Disc(x / masses[group], y / masses[group], masses[group])
        for group, (x, y) in sums.items()
    }


def _meetings(
    xs: Sequence[float], ys: Sequence[float], reach: float
) -> Iterator[tuple[int, list[int]]]:
    """Each node with those that may be within reach, each two once. There are no more
    than two crowds of them, so that a heap of nodes does not take for ever."""
    cells: dict[tuple[int, int], list[int]] = {}
    for node, (x, y) in enumerate(zip(xs, ys, strict=True)):
        cells.setdefault((int(x // reach), int(y // reach)), []).append(node)
    for (column, row), nodes in cells.items():
        near: list[int] = []
        for beside in (
            *((column + 1, row), (column - 1, row + 1)),
            *((column, row + 1), (column + 1, row + 1)),
        ):
            near += cells.get(beside, ())
        del near[CROWD:]
        for index, node in enumerate(nodes, 1):
            yield node, nodes[index : index + CROWD] + near


def _some_way(node: int, other: int) -> tuple[float, float, float]:
    """A way from one of two that are at the same place, and its length, squared."""
    turn = (node * 7 + other) * GOLDEN_ANGLE
    return 0.1 * cos(turn), 0.1 * sin(turn), 0.01


# --- On the map


def _fit(settling: _Settling) -> tuple[int, list[tuple[int, int]]]:
    """The height of the map and the places on it, no two of them too near."""
    graph = settling.graph
    count = len(graph)
    _lay_down(graph)
    grown = min(HIGHEST, max(HEIGHT, HEIGHT * sqrt(count / 36)))
    height = round(max(grown, HEIGHT_FOR_EACH * count))
    stretch = STRETCH if count <= NAMED else 1.0
    graph.xs = _over(graph.xs, MARGIN / stretch, (WIDTH - MARGIN) / stretch)
    graph.ys = _over(graph.ys, MARGIN, height - MARGIN)
    distance = max(APART + 2, 0.72 * sqrt(WIDTH / stretch * height / count))
    for _round in range(ROUNDS_APART):
        if not _push_apart(settling, distance):
            break
        graph.xs = _within(graph.xs, MARGIN / stretch, (WIDTH - MARGIN) / stretch)
        graph.ys = _within(graph.ys, MARGIN, height - MARGIN)
    graph.xs = [x * stretch for x in graph.xs]
    places = _distinct(settling)
    return max(height, max(y for _x, y in places) + MARGIN), places


def _lay_down(graph: _Graph) -> None:
    """Turn the graph so that its longest axis lies across."""
    x, y = sum(graph.xs) / len(graph), sum(graph.ys) / len(graph)
    xs, ys = [value - x for value in graph.xs], [value - y for value in graph.ys]
    xx = sum(value * value for value in xs)
    yy = sum(value * value for value in ys)
    xy = sum(one * other for one, other in zip(xs, ys, strict=True))
    # The axis is an eigenvector of [[xx, xy], [xy, yy]].
    across, down = xy, (xx + yy) / 2 + hypot((xx - yy) / 2, xy) - xx
    if hypot(across, down) < 1e-9:
        across, down = 1.0, 0.0
    length = hypot(across, down)
    across, down = across / length, down / length
    graph.xs = [across * x + down * y for x, y in zip(xs, ys, strict=True)]
    graph.ys = [across * y - down * x for x, y in zip(xs, ys, strict=True)]


def _over(values: Sequence[float], start: float, end: float) -> list[float]:
    """The values spread from start to end, crowded parts a little wider."""
    count = len(values)
    order = sorted(range(count), key=lambda node: (values[node], node))
    stray = count * STRAY // 1000
    low, high = values[order[stray]], values[order[-1 - stray]]
    places = [0.0] * count
    for rank, node in enumerate(order):
        place = (values[node] - low) / ((high - low) or 1)
        even = (rank + 0.5) / count
        place = EVENING * even + (1 - EVENING) * min(max(place, 0), 1)
        places[node] = start + (end - start) * place
    return places


def _within(values: Iterable[float], start: float, end: float) -> list[float]:
    return [min(max(value, start), end) for value in values]


def _push_apart(settling: _Settling, distance: float) -> bool:
    """Move nodes that are nearer than this away from each other, some of the way;
    whether there were any."""
    graph, is_any = settling.graph, False
    xs, ys = graph.xs, graph.ys
    fx, fy = [0.0] * len(graph), [0.0] * len(graph)
    for node, others in _meetings(xs, ys, distance):
        settling.comparisons += len(others)
        for other in others:
            dx, dy = xs[node] - xs[other], ys[node] - ys[other]
            square = dx * dx + dy * dy
            if square < distance * distance:
                if square < 1e-6:
                    dx, dy, square = _some_way(node, other)
                length = sqrt(square)
                part = 0.42 * (distance - length) / length
                fx[node] += part * dx
                fy[node] += part * dy
                fx[other] -= part * dx
                fy[other] -= part * dy
                is_any = True
    graph.xs = [x + by for x, by in zip(xs, fx, strict=True)]
    graph.ys = [y + by for y, by in zip(ys, fy, strict=True)]
    return is_any


def _distinct(settling: _Settling) -> list[tuple[int, int]]:
    """Of each node, in turn, the nearest place that is far enough from those taken."""
    taken: dict[tuple[int, int], list[tuple[int, int]]] = {}
    places = []
    for x, y in zip(settling.graph.xs, settling.graph.ys, strict=True):
        for place in _around(x, y):
            settling.comparisons += 1
            if _is_free(place, taken):
                break
        places.append(place)
        taken.setdefault(_cell(place), []).append(place)
    return places


def _around(x: float, y: float) -> Iterator[tuple[int, int]]:
    """A place, and those around it on the map, farther and farther."""
    index = 0
    while True:
        radius, turn = 0.6 * APART * sqrt(index), index * GOLDEN_ANGLE
        place = round(x + radius * cos(turn)), round(y + radius * sin(turn))
        if MARGIN <= place[0] <= WIDTH - MARGIN and place[1] >= MARGIN:
            yield place
        index += 1


def _is_free(
    place: tuple[int, int], taken: Mapping[tuple[int, int], Iterable[tuple[int, int]]]
) -> bool:
    x, y = place
    column, row = _cell(place)
    return not any(
        hypot(x - other_x, y - other_y) < APART
        for beside in (column - 1, column, column + 1)
        for below in (row - 1, row, row + 1)
        for other_x, other_y in taken.get((beside, below), ())
    )


def _cell(place: tuple[int, int]) -> tuple[int, int]:
    return place[0] // APART, place[1] // APART


def _rows(count: int, top: int) -> Iterator[tuple[int, int]]:
    """Places in rows, each filled from the side where reading begins in English."""
    across = WIDTH - 2 * MARGIN
    step, row, columns = across // COLUMNS, ROW, COLUMNS
    if count > MANY:
        step, row, columns = CLOSE_ROW, CLOSE_ROW, across // CLOSE_ROW
    for index in range(count):
        yield MARGIN + index % columns * step, top + index // columns * row
