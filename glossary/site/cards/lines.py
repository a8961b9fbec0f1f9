"""A text in lines of a given width, by the rules of its script; pure.

Widths are in pixels, as ``measure`` tells them of a piece of text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from typing import Final


Measure = Callable[[str], float]

ELLIPSIS: Final = "…"
JOINERS: Final = "\u200c\u200d"
# What has no form of its own, but a part in how its neighbours are written.
INVISIBLE: Final = frozenset(f"{JOINERS}\u200e\u200f")

# A space that keeps its neighbours together stays.
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
_HYPHENS: Final = frozenset("-‐‒–—/")
_WIDE: Final = frozenset("WF")
# Small kana and marks that belong to what stands before them.
_NEVER_FIRST: Final = frozenset(
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮー々〻゛゜…‥・"
)
# How often a paragraph is made narrower, to half of the last step each time.
_STEPS: Final = 7


def clean(text: str, most: int) -> str:
    """The text on one line, without what cannot be seen; of more than ``most``
    characters the first, with an ellipsis."""
    line = _SPACES.sub(" ", text).strip()
    seen = _SELECTORS.sub("", "".join(map(_seen, line[:most])))
    seen = _SPACES.sub(" ", unicodedata.normalize("NFC", seen)).strip()
    return _ended(seen, ELLIPSIS) if seen and len(line) > most else seen


def _seen(char: str) -> str:
    match unicodedata.category(char):
        case "Cc" | "Cs":
            return " "
        case "Cf":
            return char if char in INVISIBLE else ""
    return char


def wrap(text: str, width: float, measure: Measure) -> Iterator[str]:
    """The lines, one after the other. A word that is wider than a line is broken
    anywhere."""
    line = ""
    for piece in pieces(text):
        if line and measure(f"{line}{piece}".rstrip()) <= width:
            line += piece
            continue
        if line:
            yield line.rstrip()
        *full, line = _broken(piece, width, measure)
        yield from full
    if line:
        yield line.rstrip()


def first_lines(
    text: str, width: float, measure: Measure, most: int, ellipsis: str = ELLIPSIS
) -> list[str]:
    """At most so many lines; what is left out has an ellipsis in its place."""
    lines = list(islice(wrap(text, width, measure), most + 1))
    if len(lines) <= most:
        return lines
    last = clusters(lines[most - 1])
    while last and measure(_ended("".join(last), ellipsis)) > width:
        last.pop()
    return [*lines[: most - 1], _ended("".join(last), ellipsis)]


def fits(text: str, width: float, measure: Measure, most: int) -> bool:
    """Whether the text has no more lines, and no word that has to be broken."""
    if any(measure(piece.rstrip()) > width for piece in pieces(text)):
        return False
    return len(list(islice(wrap(text, width, measure), most + 1))) <= most


def balanced(text: str, width: float, measure: Measure) -> list[str]:
    """No more lines than it takes, and those as equally long as they can be."""
    lines = list(wrap(text, width, measure))
    if len(lines) < 2:
        return lines
    narrow = max(measure(piece.rstrip()) for piece in pieces(text))
    if narrow > width:
        return lines
    wide = width
    for _step in range(_STEPS):
        middle = (narrow + wide) / 2
        tried = list(wrap(text, middle, measure))
        if len(tried) > len(lines):
            narrow = middle
        else:
            wide, lines = middle, tried
    return lines


def pieces(text: str) -> list[str]:
    """What a line may end between: words, each with the space behind it, and single
    characters of scripts without spaces."""
    found = [""]
    for cluster, following in pairwise([*clusters(text), ""]):
        found[-1] += cluster
        if following and _may_part(found[-1], cluster, following):
            found.append("")
    return [piece for piece in found if piece]


def _may_part(piece: str, before: str, after: str) -> bool:
    if after == " ":
        return False
    if before == " ":
        return True
    if before in _HYPHENS:
        # No "-5", and no "GPT-" above "4".
        return len(piece) > 1 and after.isalpha()
    if not (_is_wide(before) or _is_wide(after)):
        return False
    return not (_closes(after) or _opens(before))


def _is_wide(cluster: str) -> bool:
    """Whether it is of a script that has no spaces between words."""
    char = cluster[0]
    is_wide = unicodedata.east_asian_width(char) in _WIDE
    return is_wide and not _HANGUL.match(char)


def _closes(cluster: str) -> bool:
    char = cluster[0]
    # Po has the full stop and its like, at the end of what they belong to.
    return char in _NEVER_FIRST or unicodedata.category(char) in {"Pe", "Pf", "Po"}


def _opens(cluster: str) -> bool:
    return unicodedata.category(cluster[0]) in {"Ps", "Pi"}


def clusters(text: str) -> list[str]:
    """Characters, each with the marks that stand on it and what is joined to it."""
    found: list[str] = []
    for char in text:
        is_joined = unicodedata.category(char).startswith("M") or char in JOINERS
        if found and (is_joined or found[-1][-1] == "\u200d"):
            found[-1] += char
        else:
            found.append(char)
    return found


def _broken(piece: str, width: float, measure: Measure) -> Iterator[str]:
    """A piece, in parts if it is wider than a line; a character is never parted."""
    if measure(piece.rstrip()) <= width:
        yield piece
        return
    part = ""
    for cluster in clusters(piece):
        if part and measure(f"{part}{cluster}".rstrip()) > width:
            yield part
            part = ""
        part += cluster
    yield part


def _ended(text: str, ellipsis: str) -> str:
    return f"{text.rstrip(' ,;:.!?،؛۔、。–—-…')}{ellipsis}"
