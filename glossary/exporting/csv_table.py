"""A table as CSV, for spreadsheets: no cell of it runs as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from .rows import cells, columns
from .selection import Selection


FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these would be calculated."""


def csv_table(selection: Selection) -> Iterator[bytes]:
    names = columns(selection)
    # Without the mark, Excel takes the letters for those of another alphabet.
    yield b"\xef\xbb\xbf" + _line(names)
    for loaded in selection:
        yield _line(cells(loaded, names))


def _line(texts: Iterable[str]) -> bytes:
    line = io.StringIO()
    # All quoted: a program that splits at another sign finds no formula either.
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(map(harmless, texts))
    return line.getvalue().encode()


def harmless(text: str) -> str:
    """The text of a cell that is not calculated; imports take the apostrophe away."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_SIGNS) else text
