"""Tables: a row for each term, a column for each field.

A column bears the name of a field, in any case and spacing ("Short definition",
short_definition, shortDefinition), or the name that a field map has for it. Cells are
text; what a list says, a cell says in JSON, or more simply one entry a line.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any, Final

from .devalue import parse_json
from .field_map import ENTRY_FIELDS
from .term import ALIASES, FIELDS
from .text import slugify
from .values import PayloadError, short


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .field_map import FieldMap


DELIMITERS: Final = (",", ";", "\t")

# What an export puts an apostrophe before, so that no cell runs as a formula.
_FORMULA: Final = re.compile(r"'+[=+\-@\t\r]")
_WORD: Final = re.compile(r"[\W_]+")
_SPLIT_LISTS: Final = frozenset({"tags", "labels", ALIASES, "relatedFeatures"})


def _bare(name: str) -> str:
    return _WORD.sub("", name).casefold()


_COLUMNS: Final[Mapping[str, str]] = {
    **{_bare(name): name for name in (*FIELDS.values(), ALIASES)},
    **{_bare(attribute): name for attribute, name in FIELDS.items()},
}


def columns(header: Iterable[str], field_map: FieldMap | None = None) -> dict[str, str]:
    """The field of each column that is known, by the column's name as written.

    A column that the map speaks of keeps its name, which the map is to translate.
    """
    theirs = field_map.columns if field_map is not None else frozenset()
    found: dict[str, str] = {}
    for name in header:
        if name in theirs:
            found[name] = name
        elif known := _COLUMNS.get(_bare(name)):
            found[name] = known
    return found


def is_header(header: list[str], field_map: FieldMap | None = None) -> bool:
    """Whether a row names the columns of a table of terms: a slug and a term."""
    known = set(columns(header, field_map).values())
    if field_map is None:
        return {"slug", "term"} <= known
    places = (field_map.paths("slug"), field_map.paths("term"))
    return all(any(".".join(p) in known for p in paths) for paths in places)


def delimiter(first: str, field_map: FieldMap | None = None) -> str | None:
    """What separates the columns of a table with this first line, None if it is none.

    That is the delimiter that makes most columns of known names.
    """
    best, most = None, 0
    for candidate in DELIMITERS:
        try:
            header = next(csv.reader([first], delimiter=candidate), [])
        except csv.Error:
            continue
        known = len(columns(header, field_map))
        if known > most and is_header(header, field_map):
            best, most = candidate, known
    return best


def csv_rows(
    lines: Iterator[str], separator: str, *, cell: int, row: int
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV, each with the number of its first line.

    A cell may have `cell` characters, a row `row`. Raises PayloadError, with the line,
    for what is no CSV and for what is longer.
    """
    feed = _Lines(lines, row)
    # The limit of the module is one for the process; ours is checked on its own.
    csv.field_size_limit(max(csv.field_size_limit(), row))
    reader = csv.reader(feed, delimiter=separator, strict=True)
    while True:
        feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise PayloadError(f"line {feed.first}: not CSV: {error}") from None
        for position, text in enumerate(cells):
            if len(text) > cell:
                raise PayloadError(
                    f"line {feed.first}, column {position + 1}: a cell of {len(text):,}"
                    f" characters, limit {cell:,}"
                )
        yield feed.first, cells


class _Lines:
    """Lines for a reader, counted; those of one row together are bounded."""

    def __init__(self, lines: Iterator[str], limit: int) -> None:
        self.lines = lines
        self.limit = limit
        self.number = 0
        self.first = 0
        self.size = 0

    def begin(self) -> None:
        self.first, self.size = self.number + 1, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self.number += 1
        self.size += len(line)
        if self.size > self.limit:
            raise PayloadError(
                f"line {self.first}: a row larger than {self.limit:,} bytes, or a"
                " quotation mark without an end"
            )
        return line


def row_record(
    cells: Mapping[str, str], field_map: FieldMap | None = None
) -> dict[str, Any]:
    """The record that a row says; `cells` by the columns' names as written.

    Raises PayloadError, with the column, for two columns of one field and for a cell
    that looks like JSON and is not.
    """
    record: dict[str, Any] = {}
    known = columns(cells, field_map)
    targets = dict(field_map.fields) if field_map is not None else {}
    for column, written in cells.items():
        name = known.get(column, column)
        place = f"column {short(column)}"
        if name in record:
            raise PayloadError(f"{place}: another column is “{name}” as well")
        text = written[1:] if _FORMULA.match(written) else written
        target = targets.get(name, name)
        record[name] = _cell(text, target, place)
    return record


def _cell(text: str, name: str, place: str) -> Any:
    """What a cell says of a field."""
    if name in ENTRY_FIELDS or name in _SPLIT_LISTS:
        return _list(text.strip(), name, place)
    if name == "featureLabels":
        return _json(text, place) if text.strip() else {}
    if name not in FIELDS.values() and text[:1] in ("{", "["):
        # A field that is not known here: as an export wrote it, else as text.
        try:
            return parse_json(text)
        except PayloadError:
            return text
    return text


def _list(text: str, name: str, place: str) -> Any:
    if not text:
        return []
    if text[0] == "[":
        return _json(text, place)
    if name in ("faq", "vsRelatedConcepts", "sections"):
        raise PayloadError(f"{place}: a JSON list expected, such as [{{…}}]")
    lines = [line.strip() for line in text.splitlines()]
    if name in _SPLIT_LISTS:
        parts = [part.strip() for line in lines for part in line.split(";")]
        return [part for part in parts if part]
    return [_related(line) for line in lines if line]


def _related(line: str) -> dict[str, str]:
    """A related term: "slug: name", or a name alone."""
    slug, colon, name = (part.strip() for part in line.partition(":"))
    if colon and name and re.fullmatch(r"[-\w/#]+", slug):
        return {"slug": slug, "name": name}
    return {"slug": slugify(line) or line, "name": line}


def _json(text: str, place: str) -> Any:
    try:
        return parse_json(text)
    except PayloadError as error:
        raise PayloadError(f"{place}: {error.reason}") from None
