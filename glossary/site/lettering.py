"""How much room a text takes in a picture, about: no font is at hand on a server.

Widths are in ems: one is as wide as the type is high.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


ELLIPSIS = "…"
HYPHEN = "-"
WIDE = 1.0
NORMAL = 0.56
CAPITAL = 0.68
OTHERS = {
    **dict.fromkeys(" .,:;'’|!ijlI", 0.3),
    **dict.fromkeys("()[]/-frt", 0.4),
    **dict.fromkeys("mwMW@%&—…", 0.88),
}

# A piece that stays together, with the white space before it.
_PIECE = re.compile(r"\s*(?:[^\s\-–/]+[\-–/]*|[\-–/]+)")


def text_width(text: str) -> float:
    """About how wide a text is, in ems; wide characters of East Asia are one each."""
    return sum(map(_width, text))


@lru_cache(maxsize=4096)
def _width(character: str) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return WIDE
    return OTHERS.get(character, CAPITAL if character.isupper() else NORMAL)


def lines_of(text: str, width: float, most: int) -> tuple[str, ...]:
    """The text in at most so many lines, none wider than ``width`` ems; of a longer
    one the beginning, and an ellipsis. White space counts as one space; a text of
    nothing else has no lines."""
    rest = " ".join(text.split())
    lines: list[str] = []
    while rest:
        if len(lines) == most - 1:
            lines.append(shortened(rest, width))
            break
        line, rest = _first_line(rest, width)
        lines.append(line)
    return tuple(lines)


def shortened(text: str, width: float) -> str:
    """The text if it is not wider than ``width`` ems, else its beginning and an
    ellipsis."""
    if fitting(text, width) == len(text):
        return text
    end = fitting(text, width - _width(ELLIPSIS))
    return text[:end].rstrip() + ELLIPSIS


def fitting(text: str, width: float) -> int:
    """How many characters from the beginning are not wider than ``width`` ems; a mark
    stays with the letter that it stands on."""
    taken = 0.0
    for index, character in enumerate(text):
        taken += _width(character)
        if taken > width:
            return index
    return len(text)


def _first_line(text: str, width: float) -> tuple[str, str]:
    """The first line and what is left; a word that is wider than a line is parted,
    with a hyphen where its script knows capitals, which those with hyphens do."""
    end = 0
    for piece in _PIECE.finditer(text):
        if text_width(text[: piece.end()]) > width:
            break
        end = piece.end()
    if not end:
        end = max(1, fitting(text, width))
        if end < len(text) and _has_case(text[end - 1]) and _has_case(text[end]):
            end = max(1, fitting(text, width - _width(HYPHEN)))
            return text[:end] + HYPHEN, text[end:]
    return text[:end], text[end:].lstrip()


def _has_case(character: str) -> bool:
    return character.lower() != character.upper()
