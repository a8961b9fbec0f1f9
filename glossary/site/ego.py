"""A term and its neighbours as a picture: where everything stands. Pure.

The term stands in the middle, broader terms above it and narrower ones below; what it
is told apart from at its start, what it is related to at its end, and mentions where
there is room. Names stand in columns, one below the other, so that no name meets
another; lines bend from the term to a dot beside each.

Lengths are in units of the picture, which is 480 of them wide: at that width, in
pixels, its type is 16 pixels high. In a language that is written from the right all is
mirrored, and ``start`` and ``end`` are what they are in that language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple, TypeAlias

from .lettering import lines_of, text_width


Kind: TypeAlias = Literal[
    "broader", "narrower", "contrast", "comparison", "related", "see_also", "text"
]
Direction: TypeAlias = Literal["out", "in"]
Anchor: TypeAlias = Literal["start", "middle", "end"]

# What says most of a neighbour that has several relations to the term, first.
KINDS: tuple[Kind, ...] = (
    *("broader", "narrower", "contrast", "comparison"),
    *("related", "see_also", "text"),
)
OPPOSITE: dict[Kind, Kind] = {"broader": "narrower", "narrower": "broader"}
AT_START: tuple[Kind, ...] = ("contrast", "comparison")
AT_END: tuple[Kind, ...] = ("related", "see_also")

MOST_NEIGHBOURS = 24
# By how many names a column may be longer than the other.
UNEVEN = 3

WIDTH = 480
MARGIN = 10
FONT = 16
LEADING = 20
COLUMN = 136
# From a name to its dot.
DOT = 12
MOST_LINES = 3
BETWEEN_NAMES = 13
HEADING = 21
BETWEEN_GROUPS = 12
BETWEEN_BANDS = 26
SINGLE_WIDTH = 260

CENTRE_FONT = 16
CENTRE_LEADING = 20
CENTRE_WIDTH = 150
CENTRE_PADDING = 11
CENTRE_LINES = 4
# Bold type is wider.
BOLD = 1.12
# So near above or below the middle a line leaves at its side.
BESIDE = 8


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A term next to the one in the middle, which points at it (``out``) or that it
    points at (``in``). ``url`` is None for a wanted term."""

    name: str
    url: str | None
    kind: Kind
    direction: Direction = "out"


class Line(NamedTuple):
    """A line of text and its baseline."""

    text: str
    y: int


@dataclass(frozen=True, slots=True)
class EgoCentre:
    """The term itself: a box, given by its corner, and its name from ``text_x`` to
    both sides."""

    x: int
    y: int
    width: int
    height: int
    text_x: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class EgoNode:
    """A neighbour: a dot at ``x`` and ``y``, its name in lines from ``text_x``."""

    x: int
    y: int
    text_x: int
    anchor: Anchor
    lines: tuple[Line, ...]
    name: str
    url: str | None
    kind: Kind
    direction: Direction


@dataclass(frozen=True, slots=True)
class EgoEdge:
    """A line from the term to a neighbour's dot, bent at ``x1`` and ``y2``."""

    x1: int
    y1: int
    x2: int
    y2: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class EgoHeading:
    """Where it is said of what kind the neighbours below it are."""

    kind: Kind
    x: int
    y: int
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class EgoGraph:
    """What is to be drawn. ``left_out`` is how many neighbours there are besides."""

    width: int
    height: int
    centre: EgoCentre
    nodes: tuple[EgoNode, ...]
    edges: tuple[EgoEdge, ...]
    headings: tuple[EgoHeading, ...]
    left_out: int

    @property
    def has_incoming(self) -> bool:
        return any(node.direction == "in" for node in self.nodes)


def ego_graph(
    name: str, neighbours: Iterable[Neighbour], *, mirrored: bool = False
) -> EgoGraph:
    """The picture of the term ``name`` and at most 24 of its neighbours, those with
    the strongest relation. Who comes twice is shown once, by the stronger one.

    A neighbour that says the term is narrower than itself is a broader one: it stands
    above, and so the other way round.
    """
    all_of_them = _distinct(neighbours)
    shown = _Columns(all_of_them[:MOST_NEIGHBOURS])
    lines = lines_of(name, _ems(CENTRE_WIDTH - 2 * CENTRE_PADDING), CENTRE_LINES)
    drawing = _Drawing(lines, mirrored)
    drawing.band(shown.above, is_above=True)
    drawing.middle(shown.start, shown.end)
    drawing.band(shown.below, is_above=False)
    return drawing.graph(left_out=len(all_of_them) - len(shown))


def _distinct(neighbours: Iterable[Neighbour]) -> list[Neighbour]:
    """Each neighbour once, by its strongest relation, strongest first."""
    outwards = (
        Neighbour(each.name, each.url, OPPOSITE[each.kind], each.direction)
        if each.direction == "in" and each.kind in OPPOSITE
        else each
        for each in neighbours
    )
    ranked = sorted(
        outwards, key=lambda each: (KINDS.index(each.kind), each.direction == "in")
    )
    distinct: dict[tuple[str | None, str], Neighbour] = {}
    for each in ranked:
        distinct.setdefault((each.url, "" if each.url else each.name), each)
    return list(distinct.values())


class _Columns:
    """Which neighbours stand in which column, from the top."""

    def __init__(self, neighbours: Sequence[Neighbour]) -> None:
        self._order = {neighbour: index for index, neighbour in enumerate(neighbours)}
        self.above = [each for each in neighbours if each.kind == "broader"]
        self.below = [each for each in neighbours if each.kind == "narrower"]
        self.start = [each for each in neighbours if each.kind in AT_START]
        self.end = [each for each in neighbours if each.kind in AT_END]
        for each in neighbours:
            if each.kind == "text":
                min(self.end, self.start, key=len).append(each)
        self._even_out()

    def __len__(self) -> int:
        return len(self._order)

    def _even_out(self) -> None:
        short, long = sorted((self.start, self.end), key=len)
        while len(long) - len(short) > UNEVEN:
            short.append(long.pop())
        short.sort(key=self._order.__getitem__)


class _Box(NamedTuple):
    """A name in lines, from ``y`` on; the dot is beside its middle."""

    neighbour: Neighbour
    lines: tuple[str, ...]
    y: int

    @property
    def height(self) -> int:
        return len(self.lines) * LEADING

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


class _Stack(NamedTuple):
    """A column: names below each other, under headings that are ``(kind, y)``."""

    boxes: list[_Box]
    headings: list[tuple[Kind, int]]
    height: int


def _stack(neighbours: Sequence[Neighbour], width: float) -> _Stack:
    boxes: list[_Box] = []
    headings: list[tuple[Kind, int]] = []
    y = 0
    for kind, group in groupby(neighbours, key=lambda neighbour: neighbour.kind):
        if headings:
            y += BETWEEN_GROUPS
        headings.append((kind, y))
        y += HEADING
        for neighbour in group:
            lines = lines_of(neighbour.name, width / FONT, MOST_LINES)
            box = _Box(neighbour, lines or ("?",), y)
            boxes.append(box)
            y += box.height + BETWEEN_NAMES
    return _Stack(boxes, headings, max(0, y - BETWEEN_NAMES))


def _ems(width: float) -> float:
    return width / CENTRE_FONT / BOLD


class _Drawing:
    """The picture from the top down. The lines are drawn last: only then it is known
    where the middle is."""

    def __init__(self, name: tuple[str, ...], mirrored: bool) -> None:
        self._mirrored = mirrored
        self._name = name or ("?",)
        self._nodes: list[EgoNode] = []
        self._headings: list[EgoHeading] = []
        self._y = MARGIN
        widest = max(map(text_width, self._name)) * CENTRE_FONT * BOLD
        self._centre_width = round(widest) + 2 * CENTRE_PADDING
        self._centre_height = len(self._name) * CENTRE_LEADING + 2 * CENTRE_PADDING
        self._centre_y = 0

    def band(self, neighbours: Sequence[Neighbour], *, is_above: bool) -> None:
        """Names in two columns, one alone in the middle."""
        if not neighbours:
            return
        if len(neighbours) == 1:
            self._single(neighbours[0], is_above)
        else:
            half = (len(neighbours) + 1) // 2
            self._columns(neighbours[:half], neighbours[half:], 0)
        self._y += BETWEEN_BANDS

    def middle(self, start: Sequence[Neighbour], end: Sequence[Neighbour]) -> None:
        """The term, with a column at either side."""
        top = self._y
        height = self._columns(start, end, self._centre_height)
        self._centre_y = top + (height - self._centre_height) // 2
        self._y += BETWEEN_BANDS

    def graph(self, left_out: int) -> EgoGraph:
        x = (WIDTH - self._centre_width) // 2
        centre = EgoCentre(
            x=x,
            y=self._centre_y,
            width=self._centre_width,
            height=self._centre_height,
            text_x=WIDTH // 2,
            lines=_lines(self._name, self._centre_y + CENTRE_PADDING, CENTRE_LEADING),
        )
        return EgoGraph(
            width=WIDTH,
            height=self._y - BETWEEN_BANDS + MARGIN,
            centre=centre,
            nodes=tuple(self._nodes),
            edges=tuple(_edge(centre, node) for node in self._nodes),
            headings=tuple(self._headings),
            left_out=left_out,
        )

    def _columns(
        self, start: Sequence[Neighbour], end: Sequence[Neighbour], least: int
    ) -> int:
        """Draw two columns, in the middle of the height that they take, which is
        returned: at least this one."""
        stacks = _stack(start, COLUMN), _stack(end, COLUMN)
        height = max(least, *(stack.height for stack in stacks))
        anchors: tuple[Anchor, Anchor] = ("end", "start")
        for stack, anchor in zip(stacks, anchors, strict=True):
            y = self._y + (height - stack.height) // 2
            text_x = COLUMN + MARGIN if anchor == "end" else WIDTH - COLUMN - MARGIN
            dot_x = text_x + (DOT if anchor == "end" else -DOT)
            for kind, heading_y in stack.headings:
                self._heading(kind, text_x, y + heading_y, anchor)
            for box in stack.boxes:
                self._node(box, dot_x, y + box.middle, text_x, y + box.y, anchor)
        self._y += height
        return height

    def _single(self, neighbour: Neighbour, is_above: bool) -> None:
        """Draw a name in the middle, its dot towards the term."""
        [box] = _stack([neighbour], SINGLE_WIDTH).boxes
        x, y = WIDTH // 2, self._y
        text_y = y if is_above else y + DOT
        self._heading(neighbour.kind, x, text_y, "middle")
        text_y += HEADING
        dot_y = text_y + box.height + DOT - 4 if is_above else y
        self._node(box, x, dot_y, x, text_y, "middle")
        self._y = dot_y if is_above else text_y + box.height

    def _heading(self, kind: Kind, x: int, y: int, anchor: Anchor) -> None:
        self._headings.append(EgoHeading(kind, self._at(x), y + 13, anchor))

    def _node(
        self, box: _Box, x: int, y: int, text_x: int, text_y: int, anchor: Anchor
    ) -> None:
        neighbour = box.neighbour
        self._nodes.append(
            EgoNode(
                x=self._at(x),
                y=y,
                text_x=self._at(text_x),
                anchor=anchor,
                lines=_lines(box.lines, text_y, LEADING),
                name=neighbour.name,
                url=neighbour.url,
                kind=neighbour.kind,
                direction=neighbour.direction,
            )
        )

    def _at(self, x: int) -> int:
        return WIDTH - x if self._mirrored else x


def _lines(texts: Iterable[str], y: int, leading: int) -> tuple[Line, ...]:
    """Lines from the height ``y`` on, each with its baseline."""
    return tuple(
        Line(text, y + index * leading + round(0.75 * leading))
        for index, text in enumerate(texts)
    )


def _edge(centre: EgoCentre, node: EgoNode) -> EgoEdge:
    top, bottom = centre.y, centre.y + centre.height
    is_beside = top - BESIDE <= node.y <= bottom + BESIDE
    if is_beside and node.x != centre.text_x:
        x = centre.x + centre.width if node.x > centre.text_x else centre.x
        y = min(max(node.y, top + BESIDE), bottom - BESIDE)
    else:
        x, y = centre.text_x, top if node.y < top else bottom
    return EgoEdge(x, y, node.x, node.y, node.kind)
