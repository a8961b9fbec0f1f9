"""Where the words of a search stand in the texts of a term."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import unescape
from typing import Any, NamedTuple

from ..documents import TermHighlight, TermSpan
from .words import split


LONGEST_SNIPPET = 200
# How much of a snippet stands before its first match, at least.
LEAD = 60
CUT = "…"
MOST_SPANS = 20
# How many characters are remembered with what they fold to.
MOST_KEPT = 5_000
# A shorter word has to be met in whole. Of a longer one the last two letters may
# differ: an index knows words by their stems.
WHOLE_BELOW = 4
ENDING = 2

# Tags that words stand apart at, and all of them. A < in a text is written &lt;.
_BETWEEN = r"/?(?:p|h\d|li|ul|ol|blockquote|br|hr)\b"
_BETWEEN_WORDS = re.compile(rf"(?:<{_BETWEEN}[^<>]*>\s*)+")
_TAG = re.compile(r"<[^<>]*>")
# Other tags with a letter right before and behind them. The < comes first because a
# search for it is quick.
_WITHIN_WORD = re.compile(
    rf"<(?<=\w<)(?!{_BETWEEN})[^<>]*>(?:<(?!{_BETWEEN})[^<>]*>)*\w"
)

Field = tuple[str, Iterable[str]]


class Sought(NamedTuple):
    """The words of a search as they are looked for in a text: by how they start,
    without case and accents."""

    pattern: re.Pattern[str]
    starts: tuple[str, ...]

    def start_in(self, folded: str) -> bool:
        """Whether any of them may begin in a text, given without case and accents."""
        for start in self.starts:  # noqa: SIM110 (any() takes twice as long)
            if start in folded:
                return True
        return False

    def may_be_in(self, source: str) -> bool:
        """Whether they may stand in a text, given as the HTML or JSON that it is stored
        as. False is certain, and known without reading what holds it."""
        if not source.isascii():
            return True
        return (
            self.start_in(source.lower())
            # An escape may stand for a part of a word, or for what parts two.
            or "&" in source
            or source.count("\\") != source.count('\\"')
            or _WITHIN_WORD.search(source) is not None
        )


def highlight(document: Mapping[str, Any], text: str) -> list[TermHighlight]:
    """Where a term that was found has the words: at most one piece of each field, which
    is as ``TermDocument`` names it.

    ``document`` has those fields, with rich texts as they are stored: only those that
    are looked at are made plain. A piece has at most 200 characters, with … where it
    was cut. Case and accents do not matter, nor do endings.
    """
    words = sought(text)
    if words is None:
        return []
    return [
        piece
        for field, texts in _fields(document, words)
        if (piece := _first_piece(field, texts, words))
    ]


def _fields(document: Mapping[str, Any], words: Sought) -> Iterator[Field]:
    def plain(html: str) -> str:
        return _plain(html) if words.may_be_in(html) else ""

    yield "title", [document["title"]]
    yield "heading", [document["heading"]]
    # A hidden one is there for misspellings, and not for readers.
    shown = (label for label in document["labels"] if label["kind"] != "hidden")
    yield "labels", (label["text"] for label in shown)
    yield "short_definition", [document["short_definition"]]
    sections = (block["value"] for block in document["explanation"])
    yield (
        "explanation",
        (
            text
            for section in sections
            for text in (plain(section["body"]), section["heading"])
        ),
    )
    comparisons = (block["value"] for block in document["comparisons"])
    yield (
        "comparisons",
        (
            text
            for value in comparisons
            for text in (plain(value["comparison"]), value["name"])
        ),
    )
    questions = (block["value"] for block in document["faq"])
    yield (
        "faq",
        (
            text
            for value in questions
            for text in (value["question"], plain(value["answer"]))
        ),
    )


def _plain(html: str) -> str:
    """The rich text on one line. It is shown, not kept: a parser would take longer
    than all else that a search does."""
    return unescape(_TAG.sub("", _BETWEEN_WORDS.sub(" ", html))).strip()


def _first_piece(
    field: str, texts: Iterable[str], words: Sought
) -> TermHighlight | None:
    for text in texts:
        folded = _folded(text)
        # A pattern takes ten times longer to tell that there is nothing.
        if words.start_in(folded) and (first := words.pattern.search(folded)):
            return _piece(field, text, folded, first, words.pattern)
    return None


def _piece(
    field: str, text: str, folded: str, first: re.Match[str], pattern: re.Pattern[str]
) -> TermHighlight:
    start, end = _bounds(text, first.start())
    before = CUT if start else ""
    after = CUT if end < len(text) else ""
    spans: list[TermSpan] = [
        {
            "start": match.start() - start + len(before),
            "end": match.end() - start + len(before),
        }
        for match, _number in zip(
            pattern.finditer(folded, first.start(), end),
            range(MOST_SPANS),
            strict=False,
        )
    ]
    return {
        "field": field,
        "text": f"{before}{text[start:end]}{after}",
        "matches": spans,
    }


def _bounds(text: str, place: int) -> tuple[int, int]:
    """Where the piece around a place begins and ends: between words, if there are
    some."""
    if len(text) <= LONGEST_SNIPPET:
        return 0, len(text)
    longest = LONGEST_SNIPPET - 2 * len(CUT)
    start = max(0, min(place - LEAD, len(text) - longest))
    if start:
        space = text.find(" ", start, place)
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + longest)
    if end < len(text):
        space = text.rfind(" ", place, end)
        end = space if space > place + LEAD else end
    return start, end


@lru_cache(maxsize=100)
def sought(text: str) -> Sought | None:
    """What is looked for, for a text that was searched; nothing without a word."""
    parts = {part for word in split(text) for part in _parts(word)}
    if not parts:
        return None
    patterns = sorted(map(_pattern, parts), key=len, reverse=True)
    starts = {part[: _kept(part)] for part in parts}
    return Sought(re.compile("|".join(dict.fromkeys(patterns))), tuple(sorted(starts)))


def _parts(word: str) -> list[str]:
    """The words, folded, that an index makes of one with signs in it."""
    return [part for part in re.split(r"\W+", _folded(word)) if part]


def _pattern(word: str) -> str:
    start = re.escape(word[: _kept(word)])
    if _has_no_spaces(word):
        return start
    return rf"\b{start}\b" if len(word) < WHOLE_BELOW else rf"\b{start}\w*"


def _kept(word: str) -> int:
    """How many of its letters a word has to begin with to be met."""
    if len(word) < WHOLE_BELOW or _has_no_spaces(word):
        return len(word)
    return min(max(WHOLE_BELOW, len(word) - ENDING), LEAD)


def _has_no_spaces(word: str) -> bool:
    """Whether it is of a script that writes words without spaces between them."""
    return any(
        "\u0e00" <= char <= "\u0eff"  # Thai, Lao
        or "\u1000" <= char <= "\u109f"  # Burmese
        or "\u1780" <= char <= "\u17ff"  # Khmer
        or "\u3040" <= char <= "\u30ff"  # Kana
        or "\u3400" <= char <= "\u9fff"  # Han
        or "\U00020000" <= char <= "\U0003ffff"
        for char in word
    )


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_FOLDED)


class _Folded(dict[int, str]):
    """One character for each, so that places stay what they are: without case and
    accent, ``_`` for a mark that belongs to the character before it."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = unicodedata.normalize("NFKD", char).casefold()[:1] or char
        if unicodedata.category(folded).startswith("M"):
            folded = "_"
        if len(self) < MOST_KEPT:
            self[code] = folded
        return folded


_FOLDED = _Folded()
