"""The rows of a workbook (XLSX), as text, in a stream.

A workbook is a zip archive of XML. It is read with a parser that builds no tree and
refuses declarations of entities; texts that cells share are kept on the disk. So its
size has no effect on the memory it takes.

Source: ECMA-376, part 1, chapter 18.
"""

from __future__ import annotations

import io
import re
from array import array
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn, TypeAlias
from xml.parsers import expat

from .archive_limits import BLOCK, Meter
from .values import LimitError, PayloadError
from .zips import ZipEntry, open_entry, zip_entries


if TYPE_CHECKING:
    from collections.abc import Iterator

    from .records import SourceLimits


_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_STRINGS: Final = "xl/sharedStrings.xml"
_IN_MEMORY: Final = 256 * 1024
_MAX_PARTS: Final = 10_000
_MAX_DEPTH: Final = 100
_MAX_TOKEN: Final = 1024 * 1024
# How a workbook writes characters that XML lacks, and what would look like that.
_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
_REFERENCE: Final = re.compile("([A-Z]{1,3})[0-9]+")
_TRUTH: Final = {"1": "true", "0": "false"}

Row: TypeAlias = tuple[int, list[str]]


class Workbook:
    """A workbook in a file that can be sought.

    Raises PayloadError when it is none, LimitError when it unpacks to more than
    `limits.workbook` bytes.
    """

    def __init__(self, file: BinaryIO, limits: SourceLimits) -> None:
        self.file = file
        self.limits = replace(limits, members=_MAX_PARTS)
        self.parts: dict[str, ZipEntry] = {}
        packed = file.seek(0, io.SEEK_END)
        self.meter = Meter(self.limits, packed, limits.workbook)
        for entry in zip_entries(file, self.limits):
            if entry.fault is None:
                self.parts.setdefault(entry.name, entry)

    def sheets(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """The sheets in their order: name, and (number, cells) of the rows that exist.

        A cell that does not exist is "". The rows of one are to be read before another.
        """
        outline = _Outline()
        for path in (_WORKBOOK, _RELATIONS):
            for _ in self.parse(path, outline):
                pass
        with SpooledTemporaryFile(_IN_MEMORY) as spool:
            strings = _Strings(spool)
            if _STRINGS in self.parts:
                texts = _Texts("si", self.limits.cell)
                for _ in self.parse(_STRINGS, texts):
                    strings.add(texts.taken())
            for name, relation in outline.sheets:
                path = outline.targets.get(relation, "")
                if path in self.parts:
                    yield name, self.rows(path, strings)

    def rows(self, path: str, strings: _Strings) -> Iterator[Row]:
        sheet = _Sheet(strings, self.limits)
        for _ in self.parse(path, sheet):
            rows, sheet.rows = sheet.rows, []
            yield from rows

    def parse(self, path: str, handler: _Handler) -> Iterator[None]:
        """Parses a part, with a pause after each block."""
        if path not in self.parts:
            raise PayloadError(f"a workbook without {path}")
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > _MAX_DEPTH:
                raise LimitError(f"a workbook nested deeper than {_MAX_DEPTH} levels")
            # The names of elements come without their namespace.
            handler.start(name.rpartition(" ")[2], attributes)

        def end(name: str) -> None:
            nonlocal depth
            depth -= 1
            handler.end(name.rpartition(" ")[2])

        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = handler.text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        fed, block = 0, b" "
        with open_entry(
            self.file, self.parts[path], self.meter, self.limits.workbook
        ) as content:
            while block:
                block = content.read(BLOCK)
                fed += len(block)
                try:
                    parser.Parse(block, not block)
                except expat.ExpatError as error:
                    raise PayloadError(f"a damaged workbook: {path}: {error}") from None
                # What has no end yet is read anew with each block.
                if fed - parser.CurrentByteIndex > _MAX_TOKEN:
                    raise LimitError(
                        f"a damaged workbook: {path}: a tag without an end"
                    )
                yield


def is_workbook(file: BinaryIO, limits: SourceLimits) -> bool:
    """Whether a zip archive is a workbook."""
    entries = zip_entries(file, limits)
    return any(entry.name == _WORKBOOK for _, entry in zip(range(100), entries))  # noqa: B905


def _refuse_doctype(*_: Any) -> NoReturn:
    raise PayloadError("a workbook that declares entities, which none needs")


class _Strings:
    """Texts by number, kept in a file."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.ends = array("Q", [0])

    def add(self, texts: list[str]) -> None:
        for text in texts:
            data = text.encode("utf-8", "surrogatepass")
            self.file.write(data)
            self.ends.append(self.ends[-1] + len(data))

    def get(self, number: str) -> str:
        at = int(number) if number.isdecimal() and len(number) < 10 else -1
        if not 0 <= at < len(self.ends) - 1:
            raise PayloadError("a damaged workbook: a cell refers to no text")
        start, end = self.ends[at], self.ends[at + 1]
        self.file.seek(start)
        data: bytes = self.file.read(end - start)
        return data.decode("utf-8", "surrogatepass")


class _Handler:
    """What is made of a part while it is parsed."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """There is text."""


class _Outline(_Handler):
    """The sheets of a workbook and where they lie."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            relation = [v for k, v in attributes.items() if k.endswith(" id")]
            self.sheets.append((attributes.get("name", ""), "".join(relation[:1])))
        elif name == "Relationship":
            target = attributes.get("Target", "")
            path = target[1:] if target[:1] == "/" else f"xl/{target}"
            self.targets[attributes.get("Id", "")] = path


class _Texts(_Handler):
    """The text in each element of one name, that of its phonetic guides left out."""

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.limit = limit
        self.done: list[str] = []
        self.parts: list[str] = []
        self.size = 0
        self.is_open = self.is_text = self.is_phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self.name:
            self.is_open = True
        elif name == "rPh":
            self.is_phonetic = True
        elif name == "t":
            self.is_text = self.is_open and not self.is_phonetic

    def end(self, name: str) -> None:
        if name == "t":
            self.is_text = False
        elif name == "rPh":
            self.is_phonetic = False
        elif name == self.name:
            self.is_open = False
            self.finish(_plain(self.joined()))

    def finish(self, text: str) -> None:
        self.done.append(text)

    def text(self, text: str) -> None:
        if not self.is_text:
            return
        self.parts.append(text)
        self.size += len(text)
        if self.size > self.limit:
            raise LimitError(f"a cell of more than {self.limit:,} characters")

    def joined(self) -> str:
        text = "".join(self.parts)
        self.parts, self.size = [], 0
        return text

    def taken(self) -> list[str]:
        done, self.done = self.done, []
        return done


class _Sheet(_Texts):
    """The rows of a sheet. A cell has a value, of some kind, or a text of its own."""

    def __init__(self, strings: _Strings, limits: SourceLimits) -> None:
        super().__init__("is", limits.cell)
        self.strings = strings
        self.limits = limits
        self.rows: list[Row] = []
        self.number = self.count = self.column = 0
        self.cells: list[str] = []
        self.kind = self.value = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            number = attributes.get("r", "")
            self.number = int(number) if number.isdecimal() else self.number + 1
            self.cells = []
            self.count += 1
            if self.count > self.limits.rows + 1:
                raise LimitError(f"a table of more than {self.limits.rows:,} rows")
        elif name == "c":
            self.kind, self.value = attributes.get("t", "n"), ""
            self.column = self.column_of(attributes.get("r", ""))
        elif name == "v":
            self.is_text = True
        else:
            super().start(name, attributes)

    def column_of(self, reference: str) -> int:
        match = _REFERENCE.fullmatch(reference)
        column = len(self.cells)
        if match:
            column = -1
            for letter in match[1]:
                column = (column + 1) * 26 + ord(letter) - 65
        if column >= self.limits.columns:
            limit = self.limits.columns
            raise LimitError(f"a table of more than {limit:,} columns")
        return column

    def end(self, name: str) -> None:
        if name == "v":
            self.is_text = False
            self.finish(self.read(self.joined()))
        elif name == "c":
            self.cells += [""] * (self.column + 1 - len(self.cells))
            self.cells[self.column] = self.value
        elif name == "row":
            self.rows.append((self.number, self.cells))
        else:
            super().end(name)

    def finish(self, text: str) -> None:
        self.value = text

    def read(self, text: str) -> str:
        match self.kind:
            case "s":
                return self.strings.get(text)
            case "b":
                return _TRUTH.get(text, text)
            case "str":
                return _plain(text)
            case "e":
                raise PayloadError(
                    f"row {self.number}, column {self.column + 1}: a formula with the"
                    f" fault {text[:20]}"
                )
        return text


def _plain(text: str) -> str:
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
