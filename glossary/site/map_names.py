"""Which names stand on a map, and at which side of their node. Pure.

Names keep their size while the map becomes larger, so that more of them find room. Of
two that would meet, that of the node with more edges is shown first. Lengths are in
units of the map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import ceil
from statistics import median
from typing import Literal, NamedTuple, TypeAlias

from .lettering import shortened, text_width


Side: TypeAlias = Literal["e", "w", "s", "n"]

# The map is shown so many times as large.
ZOOMS = (1, 2, 4, 8)
# A name for which there is no room even then: it is shown when its node is pointed at.
NEVER = 0
SIDES: tuple[Side, ...] = ("e", "w", "s", "n")
FONT = 14
LINE = 17
# In ems.
LONGEST = 17.0
# From the edge of a node to its name.
GAP = 4
# Bold type is wider, and so are some fonts.
BOLD = 1.12
BROAD = 1.06
# The names of so many nodes may cover others: a map without any says nothing.
ALWAYS = 24

CAPTION_FONT = 19
CAPTION_LINE = 26
# Where a caption may be, from the middle of its group: the nearest first.
CAPTION_SHIFTS = sorted(
    product((0, -40, 40, -80, 80), (0, -26, 26, -52, 52, -78, 78)),
    key=lambda shift: (abs(shift[0]) + abs(shift[1]), shift),
)

CELL_WIDTH = 80
CELL_HEIGHT = 24


class Spot(NamedTuple):
    """The node of a map; ``weight`` is how many edges it has. The name of one that
    ``is_hub`` is bold."""

    x: float
    y: float
    radius: float
    name: str
    weight: int
    is_hub: bool


class Name(NamedTuple):
    """How the name of a node is shown: shortened if it is long, at which side, and from
    which zoom on; from ``NEVER`` if not by itself."""

    text: str
    side: Side
    zoom: int


class Caption(NamedTuple):
    """The name of a group, around its middle."""

    text: str
    x: int
    y: int


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class _Taken:
    """What is on the map, by where it is."""

    def __init__(self, boxes: Iterable[_Box]) -> None:
        self._cells: dict[tuple[int, int], list[_Box]] = {}
        for box in boxes:
            self.add(box)

    def add(self, box: _Box) -> None:
        for cell in _cells(box):
            self._cells.setdefault(cell, []).append(box)

    def leaves_room_for(self, box: _Box) -> bool:
        return not any(
            box.meets(other)
            for cell in _cells(box)
            for other in self._cells.get(cell, ())
        )


def place_captions(
    groups: Mapping[str, Sequence[tuple[int, int]]], width: int
) -> list[Caption]:
    """The names of groups, given with where their nodes are, on a map of this width:
    each near the middle of its nodes, beside them if it can be; without those for which
    others leave no room."""
    taken = _Taken(())
    around = (_square(x, y, LINE / 2) for places in groups.values() for x, y in places)
    nodes = _Taken(around)
    captions = []
    for name in sorted(groups, key=lambda name: (-len(groups[name]), name)):
        possible = [
            (caption, box)
            for caption in _captions(shortened(name, LONGEST), groups[name], width)
            if (box := _caption_box(caption)).top >= 0
            and box.left >= 0
            and box.right <= width
            and taken.leaves_room_for(box)
        ]
        beside = [each for each in possible if nodes.leaves_room_for(each[1])]
        for caption, box in (beside or possible)[:1]:
            taken.add(box)
            captions.append(caption)
    return captions


def _captions(
    text: str, places: Sequence[tuple[int, int]], width: int
) -> Iterator[Caption]:
    if places:
        half = ceil(_caption_length(text) / 2)
        x = round(median(x for x, _y in places))
        y = round(median(y for _x, y in places))
        x = min(max(x, half), width - half)
        for across, down in CAPTION_SHIFTS:
            yield Caption(text, x + across, y + down)


def place_names(
    spots: Sequence[Spot], width: int, captions: Iterable[Caption] = ()
) -> list[Name]:
    """The names of the nodes, in their order, on a map of this width."""
    texts = [shortened(spot.name, LONGEST) for spot in spots]
    shown: dict[int, tuple[Side, int]] = {}
    order = sorted(range(len(spots)), key=lambda index: (-spots[index].weight, index))
    captions = list(captions)
    for zoom in ZOOMS:
        places = _Places(spots, texts, width, zoom)
        places.keep(captions, {index: side for index, (side, _zoom) in shown.items()})
        for index in order:
            if index not in shown:
                may_cover = zoom == ZOOMS[0] and len(shown) < ALWAYS
                if side := places.find(index, may_cover=may_cover):
                    shown[index] = side, zoom
    return [
        Name(text, *shown.get(index, (SIDES[0], NEVER)))
        for index, text in enumerate(texts)
    ]


class _Places:
    """Where names can be while the map is so many times as large."""

    def __init__(
        self, spots: Sequence[Spot], texts: Sequence[str], width: int, zoom: int
    ) -> None:
        self._spots = [
            spot._replace(x=spot.x * zoom, y=spot.y * zoom) for spot in spots
        ]
        self._lengths = [
            text_width(text) * FONT * BROAD * (BOLD if spot.is_hub else 1)
            for spot, text in zip(spots, texts, strict=True)
        ]
        self._width = width * zoom
        self._zoom = zoom
        self._names = _Taken(())
        self._nodes = _Taken(
            _square(spot.x, spot.y, spot.radius) for spot in self._spots
        )

    def keep(self, captions: Iterable[Caption], sides: Mapping[int, Side]) -> None:
        """Leave what is there already where it is."""
        for caption in captions:
            x, y = caption.x * self._zoom, caption.y * self._zoom
            self._names.add(_caption_box(caption._replace(x=x, y=y)))
        for index, side in sides.items():
            self._names.add(self._box(index, side))

    def find(self, index: int, *, may_cover: bool) -> Side | None:
        """A side where the name has room, which it then takes; one that covers nodes
        only if it may."""
        boxes = {side: self._box(index, side) for side in SIDES}
        free = [
            side
            for side, box in boxes.items()
            if box.left >= 0 and box.right <= self._width and box.top >= 0
            if self._names.leaves_room_for(box)
        ]
        clear = [side for side in free if self._nodes.leaves_room_for(boxes[side])]
        for side in clear or (free if may_cover else []):
            self._names.add(boxes[side])
            return side
        return None

    def _box(self, index: int, side: Side) -> _Box:
        spot, length = self._spots[index], self._lengths[index]
        away = spot.radius + GAP
        x, y = spot.x, spot.y
        match side:
            case "e":
                return _Box(x + away, y - LINE / 2, x + away + length, y + LINE / 2)
            case "w":
                return _Box(x - away - length, y - LINE / 2, x - away, y + LINE / 2)
            case "s":
                return _Box(x - length / 2, y + away, x + length / 2, y + away + LINE)
            case "n":
                return _Box(x - length / 2, y - away - LINE, x + length / 2, y - away)


def _cells(box: _Box) -> Iterator[tuple[int, int]]:
    return product(
        range(int(box.left // CELL_WIDTH), int(box.right // CELL_WIDTH) + 1),
        range(int(box.top // CELL_HEIGHT), int(box.bottom // CELL_HEIGHT) + 1),
    )


def _square(x: float, y: float, radius: float) -> _Box:
    return _Box(x - radius, y - radius, x + radius, y + radius)


def _caption_box(caption: Caption) -> _Box:
    half = _caption_length(caption.text) / 2
    top = caption.y - CAPTION_LINE / 2
    return _Box(caption.x - half, top, caption.x + half, top + CAPTION_LINE)


def _caption_length(text: str) -> float:
    return text_width(text) * CAPTION_FONT * BROAD * BOLD
