"""The map of a glossary: its terms and their relations as a picture, and as a list.

What is drawn is what ``delivery.graph`` says anyone may see. Where everything stands is
kept in a cache under all that it is made from, so it is never stale, and only a change
to those terms has it made anew.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import sqrt
from typing import Final, NamedTuple

from django.core.cache import caches
from django.http import HttpRequest

from .. import __version__, conf
from ..delivery.documents import GlossaryGraph, TermNode
from ..delivery.graph import MOST_NODES, graph
from ..delivery.rates import count
from ..delivery.scope import Scope, ScopeGlossary
from ..models import Mention
from .index import GlossaryIndex
from .layout import WIDTH, lay_out
from .map_marks import MARKS, mark_path
from .map_names import Caption, Name, Side, Spot, place_captions, place_names


# To be raised with every change to how a map is drawn that is in no release yet.
DRAWING: Final = 1
KEEP_SECONDS: Final = 30 * 24 * 60 * 60
# Smaller maps take a moment, and are made for anyone however often.
SMALL: Final = 150

LEAST_RADIUS: Final = 2.6
MOST_RADIUS: Final = 6.2
# Where so many terms stand, marks are smaller.
DENSE: Final = 600
DENSE_SIZE: Final = 0.85
# With so many edges a term has a bold name.
HUB: Final = 16


class Choice(NamedTuple):
    """A category that a map can be of. ``mark`` is the number of its mark, and ``path``
    draws that in a square of 16 units."""

    slug: str
    name: str
    terms: int
    mark: int
    path: str


class MapNode(NamedTuple):
    """A term, or a wanted one, which has no address. ``path`` draws its mark around
    ``x`` and ``y``; ``mark`` is the number of that, None without a category. ``text``
    is its name as it is shown, from ``zoom`` on."""

    name: str
    text: str
    url: str | None
    x: int
    y: int
    path: str
    mark: int | None
    side: Side
    zoom: int
    is_hub: bool


class MapEdges(NamedTuple):
    """All edges of a kind as one path."""

    kind: str
    path: str


class MapEntry(NamedTuple):
    """A term in the list, and the names of those that it has an edge with."""

    name: str
    url: str
    related: list[str]


class Picture(NamedTuple):
    width: int
    height: int
    nodes: list[MapNode]
    edges: list[MapEdges]
    captions: list[Caption]


@dataclass(frozen=True, slots=True)
class Map:
    """What the page shows. A glossary of more terms than a map can have has to be seen
    by category: then there is no picture and no list, but choices. ``is_busy`` tells
    that there is no picture because a visitor has asked for too many."""

    choices: tuple[Choice, ...]
    category: Choice | None
    terms: int
    """How many there are, in that category if one is asked for."""
    entries: tuple[MapEntry, ...] = ()
    picture: Picture | None = None
    is_busy: bool = False

    @property
    def is_by_category(self) -> bool:
        return not self.entries and self.terms > MOST_NODES

    @property
    def shown(self) -> int:
        return len(self.entries)


def glossary_map(scope: Scope, glossary: ScopeGlossary, request: HttpRequest) -> Map:
    """The map of a glossary, or of the category that ``?category=`` names; an unknown
    one is as if none was asked for. Who asks for too many that have to be made gets the
    list alone, which is not to be kept for others."""
    asked = request.GET.get("category")
    return _map(scope, glossary, asked, lambda: not count("graph", request))


def draw_maps(
    scope: Scope, glossaries: Iterable[ScopeGlossary]
) -> Iterator[tuple[ScopeGlossary, str, int]]:
    """Find out, ahead of all visitors, where everything stands on the maps of these
    glossaries of a site and of their categories. Yields the glossary, the slug of the
    category or nothing, and how many terms the map shows."""
    for glossary in glossaries:
        choices = _choices(GlossaryIndex((scope, glossary), ""))
        for slug in ("", *(choice.slug for choice in choices)):
            found = _map(scope, glossary, slug, lambda: True)
            if found.picture:
                yield glossary, slug, found.shown


def _map(
    scope: Scope,
    glossary: ScopeGlossary,
    asked: str | None,
    may_draw: Callable[[], bool],
) -> Map:
    index = GlossaryIndex((scope, glossary), "")
    choices = _choices(index)
    category = next((choice for choice in choices if choice.slug == asked), None)
    terms = category.terms if category else index.count
    if terms > MOST_NODES and choices and not category:
        return Map(choices, None, terms)
    found = graph(
        scope,
        [glossary],
        category=category.slug if category else None,
        limit=MOST_NODES,
    )
    if found is None or not found["nodes"]:
        return Map(choices, category, terms)
    web = _Web(scope, found, () if category else choices)
    # A large one is dear to write, also when it is known where everything stands.
    drawing = _drawing(web) if len(web.nodes) <= SMALL or may_draw() else None
    return Map(
        choices,
        category,
        terms,
        entries=tuple(web.entries()),
        picture=web.picture(drawing) if drawing else None,
        is_busy=drawing is None,
    )


def _choices(index: GlossaryIndex) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            item.slug,
            item.name,
            item.terms,
            number % len(MARKS),
            mark_path(number % len(MARKS), *(8, 8), 5),
        )
        for number, item in enumerate(index.categories)
    )


class _Drawing(NamedTuple):
    """Where everything stands, in the order of the nodes."""

    height: int
    places: list[tuple[int, int]]
    names: list[Name]
    captions: list[Caption]


class _Web:
    """A graph that is to be drawn."""

    def __init__(
        self, scope: Scope, document: GlossaryGraph, choices: Sequence[Choice]
    ) -> None:
        self._scope = scope
        self.nodes = document["nodes"]
        self.edges = document["edges"]
        self._choices = {choice.slug: choice for choice in choices}
        self._by_id = {node["id"]: node for node in self.nodes}
        self._neighbours: dict[str, dict[str, None]] = {
            node["id"]: {} for node in self.nodes
        }
        for edge in self.edges:
            self._neighbours[edge["source"]][edge["target"]] = None
            self._neighbours[edge["target"]][edge["source"]] = None

    def digest(self) -> str:
        """Of all that decides where everything stands."""
        parts = (
            __version__,
            DRAWING,
            [
                (node["id"], node["name"], self._group(node), node["url"] is None)
                for node in self.nodes
            ],
            self.edges,
            [(choice.slug, choice.name) for choice in self._choices.values()],
        )
        return blake2b(json.dumps(parts).encode(), digest_size=20).hexdigest()

    def draw(self) -> _Drawing:
        layout = lay_out(
            {node["id"]: self._group(node) for node in self.nodes},
            [(edge["source"], edge["target"]) for edge in self.edges],
        )
        places = [layout.positions[node["id"]] for node in self.nodes]
        grouped: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for node, place in zip(self.nodes, places, strict=True):
            choice = self._choices.get(node["category"] or "")
            # Those without an edge stand apart from the others of their category.
            if choice and self._neighbours[node["id"]]:
                grouped[choice.name].append(place)
        captions = place_captions(grouped, WIDTH)
        spots = [
            Spot(
                *place,
                radius=self._radius(node),
                name=node["name"],
                weight=self._weight(node),
                is_hub=self._is_hub(node),
            )
            for node, place in zip(self.nodes, places, strict=True)
        ]
        names = place_names(spots, WIDTH, captions)
        return _Drawing(layout.height, places, names, captions)

    def picture(self, drawing: _Drawing) -> Picture:
        nodes = [
            self._node(node, place, name)
            for node, place, name in zip(
                self.nodes, drawing.places, drawing.names, strict=True
            )
        ]
        places = dict(zip(self._by_id, drawing.places, strict=True))
        paths: dict[str, list[str]] = defaultdict(list)
        for edge in self.edges:
            (x, y), (to_x, to_y) = places[edge["source"]], places[edge["target"]]
            paths[edge["type"]].append(f"M{x} {y}l{to_x - x} {to_y - y}")
        edges = [
            MapEdges(kind, "".join(paths[kind]))
            for kind in Mention.Kind.values
            if kind in paths
        ]
        return Picture(WIDTH, drawing.height, nodes, edges, drawing.captions)

    def entries(self) -> Iterable[MapEntry]:
        order = {name: index for index, name in enumerate(self._by_id)}
        for node in self.nodes:
            if url := self._scope.path(node["url"]):
                ids = sorted(self._neighbours[node["id"]], key=order.__getitem__)
                related = [self._by_id[name]["name"] for name in ids]
                yield MapEntry(node["name"], url, related)

    def _node(self, node: TermNode, place: tuple[int, int], name: Name) -> MapNode:
        choice = self._choices.get(node["category"] or "")
        mark = choice.mark if choice else None
        return MapNode(
            name=node["name"],
            text=name.text,
            url=self._scope.path(node["url"]),
            x=place[0],
            y=place[1],
            path=mark_path(mark or 0, *place, self._radius(node)),
            mark=mark,
            side=name.side,
            zoom=name.zoom,
            is_hub=self._is_hub(node),
        )

    def _group(self, node: TermNode) -> str | None:
        """The category that a node stands with: a wanted term, with most of those that
        ask for it."""
        if node["url"] is not None or not self._choices:
            return node["category"] if self._choices else None
        near = Counter(
            category
            for name in self._neighbours[node["id"]]
            if (category := self._by_id[name]["category"]) is not None
        )
        return min(near, key=lambda slug: (-near[slug], slug), default=None)

    def _weight(self, node: TermNode) -> int:
        return len(self._neighbours[node["id"]])

    def _is_hub(self, node: TermNode) -> bool:
        return node["url"] is not None and self._weight(node) >= HUB

    def _radius(self, node: TermNode) -> float:
        if node["url"] is None:
            return LEAST_RADIUS
        radius = min(MOST_RADIUS, LEAST_RADIUS + 0.55 * sqrt(self._weight(node)))
        return round(radius * (DENSE_SIZE if len(self.nodes) > DENSE else 1), 1)


def _drawing(web: _Web) -> _Drawing:
    """Where everything stands."""
    alias = conf.api_cache()
    cache = caches[alias] if alias else None
    key = f"glossary:map:{web.digest()}"
    drawing: _Drawing | None = cache.get(key) if cache else None
    if drawing is None:
        drawing = web.draw()
        if cache:
            cache.set(key, drawing, KEEP_SECONDS)
    return drawing
