"""The marks that stand for terms on a map: one for each category, told apart by their
shape. Pure."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final, TypeAlias


# Where a corner is: the fraction of a turn, clockwise from the right, and how far away.
Corner: TypeAlias = tuple[float, float]

_CROSS: Final[tuple[Corner, ...]] = tuple(
    corner
    for turn in (0, 0.25, 0.5, 0.75)
    for corner in ((turn - 0.05, 1.55), (turn + 0.05, 1.55), (turn + 0.125, 0.7))
)
# All cover about as much as a circle around their middle, which is the first.
MARKS: Final[tuple[tuple[Corner, ...], ...]] = (
    (),
    tuple((0.125 + turn / 4, 1.25) for turn in range(4)),
    tuple((-0.25 + turn / 3, 1.5) for turn in range(3)),
    tuple((turn / 4, 1.35) for turn in range(4)),
    tuple((0.25 + turn / 3, 1.5) for turn in range(3)),
    tuple((-0.25 + turn / 10, 0.75 if turn % 2 else 1.65) for turn in range(10)),
    _CROSS,
    tuple((turn + 0.125, distance) for turn, distance in _CROSS),
)


def mark_path(mark: int, x: float, y: float, radius: float) -> str:
    """The path of an SVG that draws a mark, given by its number in ``MARKS``, around
    this place, about as large as a circle of the radius."""
    corners = [
        (
            x + distance * radius * cos(2 * pi * turn),
            y + distance * radius * sin(2 * pi * turn),
        )
        for turn, distance in MARKS[mark]
    ]
    if corners:
        return "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in corners) + "Z"
    size = _short(radius)
    across = _short(2 * radius)
    return (
        f"M{_short(x - radius)} {_short(y)}"
        f"a{size} {size} 0 1 0 {across} 0a{size} {size} 0 1 0-{across} 0"
    )


def _short(value: float) -> str:
    return f"{round(value, 1):g}"
