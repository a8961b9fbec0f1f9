"""Which names stand on a map: none on another, more the larger the map is."""

from __future__ import annotations

import random
import re
from itertools import combinations

import pytest

from glossary.site.lettering import text_width
from glossary.site.map_marks import MARKS, mark_path
from glossary.site.map_names import (
    ALWAYS,
    FONT,
    GAP,
    LINE,
    NEVER,
    ZOOMS,
    Name,
    Spot,
    place_captions,
    place_names,
)


def spots(count: int, width: int = 1000) -> list[Spot]:
    chance = random.Random(count)  # noqa: S311
    return [
        Spot(
            x=40 + chance.random() * (width - 80),
            y=40 + chance.random() * 700,
            radius=4,
            name=f"Term of number {number}",
            weight=chance.randrange(30),
            is_hub=False,
        )
        for number in range(count)
    ]


def box(spot: Spot, name: Name, zoom: int) -> tuple[float, float, float, float]:
    """Where a name is while the map is so many times as large."""
    width, away = text_width(name.text) * FONT, spot.radius + GAP
    across = {"e": away + width / 2, "w": -away - width / 2}.get(name.side, 0)
    down = {"s": away + LINE / 2, "n": -away - LINE / 2}.get(name.side, 0)
    x, y = spot.x * zoom + across, spot.y * zoom + down
    return x - width / 2, y - LINE / 2, x + width / 2, y + LINE / 2


def meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return (
        one[0] < other[2]
        and other[0] < one[2]
        and one[1] < other[3]
        and other[1] < one[3]
    )


@pytest.mark.parametrize("zoom", ZOOMS)
def test_no_two_names_meet(zoom: int) -> None:
    nodes = spots(300)
    names = place_names(nodes, 1000)
    shown = [
        box(spot, name, zoom)
        for spot, name in zip(nodes, names, strict=True)
        if name.zoom != NEVER and name.zoom <= zoom
    ]
    assert len(shown) > ALWAYS
    assert not any(meet(*two) for two in combinations(shown, 2))
    for left, top, right, _bottom in shown:
        assert left >= 0
        assert right <= 1000 * zoom
        assert top >= 0


def test_more_are_shown_as_the_map_grows() -> None:
    names = place_names(spots(400), 1000)
    counts = [sum(name.zoom == zoom for name in names) for zoom in ZOOMS]
    assert all(counts)
    assert [name.zoom for name in names].count(NEVER) < 8


def test_all_are_shown_where_there_is_room() -> None:
    nodes = [Spot(100, 100 + 40 * row, 4, f"Term {row}", 1, False) for row in range(9)]
    assert place_names(nodes, 1000) == [
        Name(f"Term {row}", "e", 1) for row in range(len(nodes))
    ]


def test_near_the_end_of_the_map_a_name_stands_before_its_node() -> None:
    [name] = place_names([Spot(960, 50, 4, "A term with a name", 1, False)], 1000)
    assert (name.side, name.zoom) == ("w", 1)


def test_of_two_that_would_meet_the_one_with_more_edges_is_shown_first() -> None:
    many = [
        Spot(500 + 3 * index, 300, 4, f"Term of number {index}", index, False)
        for index in range(9)
    ]
    names = place_names(many, 1000)
    assert names[-1].zoom == 1
    assert names[0].zoom != 1


def test_a_long_name_is_shortened() -> None:
    [name] = place_names([Spot(500, 300, 4, "long " * 50, 1, False)], 1000)
    assert name.text.endswith("…")
    assert len(name.text) < 50


def test_captions_stand_beside_the_nodes_of_their_group_and_apart() -> None:
    one = [(x, 200) for x in range(100, 400, 40)]
    other = [(x, 260) for x in range(140, 440, 40)]
    captions = place_captions({"Foundations": one, "Training": other, "": []}, 1000)
    assert [caption.text for caption in captions] == ["Foundations", "Training"]
    for caption in captions:
        assert all(abs(caption.y - y) > 12 for _x, y in (*one, *other))
        assert abs(caption.x - 260) < 120


def test_a_caption_without_room_is_left_out() -> None:
    groups = {f"A category of number {number}": [(500, 300)] for number in range(60)}
    assert 0 < len(place_captions(groups, 1000)) < 40


def test_each_mark_has_a_shape_of_its_own_around_its_place() -> None:
    paths = [mark_path(mark, 100, 50, 4) for mark in range(len(MARKS))]
    assert len({*paths}) == len(MARKS) == 8
    for path in paths[1:]:
        points = re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)
        for x, y in points:
            assert abs(float(x) - 100) <= 4 * 1.7
            assert abs(float(y) - 50) <= 4 * 1.7
    assert paths[0] == "M96 50a4 4 0 1 0 8 0a4 4 0 1 0-8 0"


def test_a_mark_has_plain_numbers_in_any_place() -> None:
    assert re.fullmatch(r"[MLZa\d. -]+", mark_path(5, 123456.789, 1e-9, 3.1415))
