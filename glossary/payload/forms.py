"""What one file holds, told by its content, and the records in it.

A Nuxt payload, one record, an array of records, JSON lines, a page of HTML, a script, a
table, a workbook, or an archive of these.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import chain
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from .archives import is_archive, is_zip, members
from .folders import page_slug
from .json_streams import Entries, begins_lines, first_entry, lines
from .tables import columns, csv_rows, delimiter, is_header
from .values import LimitError, PayloadError
from .workbook import Workbook, is_workbook


if TYPE_CHECKING:
    from collections.abc import Iterator

    from .records import Reading, SourceLimits, SourceRecord


_BLOCK: Final = 64 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r\n"
_SCRIPT: Final = re.compile(
    rb"export\s+default\b|import\b|window\s*[.\[]|__NUXT_JSONP__\b|\(\s*function\b|/[/*]"
)
_TABLES: Final = frozenset({".csv", ".tsv"})


def read_file(
    file: BinaryIO, reading: Reading, name: str, *, in_archive: bool = False
) -> Iterator[SourceRecord]:
    """The records of one file, whatever it holds.

    It can be sought unless it is `in_archive`, where archives are refused. `name` helps
    where the content tells nothing. Raises PayloadError and OSError where the file ends
    all reading.
    """
    limits = reading.limits
    head = _head(file, limits)
    is_whole = len(head) < _head_size(limits)
    if is_archive(head):
        yield from _archive(file, head if is_whole else None, reading, in_archive)
        return
    rest = io.BytesIO(head) if is_whole else io.BufferedReader(_Joined(head, file))
    match _form(head, name, reading, is_whole):
        case "lines":
            yield from _lines(rest, reading)
        case "array":
            yield from _array(rest, reading)
        case "table":
            yield from _csv(rest, reading)
        case _ if len(head) > limits.file:
            yield reading.failed(_too_large(limits.file))
        case "page":
            yield reading.page(head)
        case "script":
            yield reading.script(head)
        case _:
            yield reading.json(head)


def count_records(file: BinaryIO, limits: SourceLimits) -> int:
    """How many lines a file of JSON lines has, how many files an archive; else one."""
    head = _head(file, limits)
    if is_archive(head):
        if is_zip(head) and is_workbook(file, limits):
            return 1
        return sum(1 for _ in members(file, limits))
    if not begins_lines(head, limits.entry) and not _is_cut_line(head, limits):
        return 1
    file.seek(0)
    return sum(1 for _ in lines(file, limits.entry))


def _head_size(limits: SourceLimits) -> int:
    """How much of a file is read to tell its form; less, and that is all of it."""
    return max(limits.file, limits.entry) + 1


def _head(file: BinaryIO, limits: SourceLimits) -> bytes:
    size = _head_size(limits)
    head = file.read(min(size, _BLOCK))
    # Most files are small: no room is made for more than there is. Of an archive that
    # can be sought, nothing more is needed.
    if len(head) < _BLOCK or (file.seekable() and is_archive(head)):
        return head
    return head + file.read(size - len(head))


def _form(head: bytes, name: str, reading: Reading, is_whole: bool) -> str:
    """What a file that begins so holds."""
    limits = reading.limits
    text = head.removeprefix(_BOM).lstrip(_SPACE)
    if not text or b"\0" in head[:4] or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "json"  # which says what is wrong
    if begins_lines(head, limits.entry):
        return "lines"
    if text[:1] == b"<":
        return "page"
    if text[:1] == b"[" and _is_array_of_records(text, is_whole):
        return "array"
    if text[:1] in (b"{", b"["):
        return "lines" if not is_whole and _is_cut_line(head, limits) else "json"
    if _SCRIPT.match(text):
        return "script"
    first = text[: limits.entry].partition(b"\n")[0].decode("utf-8", "replace")
    is_table = delimiter(first.rstrip("\r"), reading.field_map) is not None
    return "table" if is_table or PurePath(name).suffix.lower() in _TABLES else "json"


def _is_cut_line(head: bytes, limits: SourceLimits) -> bool:
    """Whether a file begins with a line that is too long: more may come behind it."""
    text = head.lstrip(_SPACE)
    is_cut = len(head) >= _head_size(limits)
    return is_cut and text[:1] in (b"{", b"[") and b"\n" not in text


def _is_array_of_records(text: bytes, is_whole: bool) -> bool:
    """Whether an array is one of records: in a payload, members are but numbers."""
    first = first_entry(text.decode("utf-8", "replace"))
    if first is None:
        return not is_whole
    return isinstance(first, dict) and any(
        isinstance(member, bool) or not isinstance(member, int | float)
        for member in first.values()
    )


def _too_large(limit: int) -> PayloadError:
    return PayloadError(
        f"larger than the limit of {limit:,} bytes. Give one file, or one line of"
        " a .jsonl file, for each term"
    )


class _Joined(io.RawIOBase):
    """What has been read of a file, and then its rest."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self.head = io.BytesIO(head)
        self.file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self.head.read(len(buffer)) or self.file.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


# JSON


def _lines(file: BinaryIO, reading: Reading) -> Iterator[SourceRecord]:
    limit = reading.limits.entry
    # A line has no folder that would name its slug.
    reading = replace(reading, slug=None)
    for number, data in lines(file, limit):
        if len(data) > limit:
            yield reading.failed(_too_large(limit), number)
        elif data[:1] == b"[" and _is_array_of_records(data, is_whole=True):
            for found in _array(io.BytesIO(data), reading):
                yield replace(found, line=number)
        else:
            yield reading.json(data, number)


def _array(file: BinaryIO, reading: Reading) -> Iterator[SourceRecord]:
    try:
        for position, entry in Entries(file, reading.limits.entry):
            if isinstance(entry, PayloadError):
                yield reading.failed(PayloadError(entry.reason, path=f"/{position}"))
            else:
                yield reading.entry(entry, position)
    except PayloadError as error:
        yield reading.failed(error)


# Archives


def _archive(
    file: BinaryIO, content: bytes | None, reading: Reading, in_archive: bool
) -> Iterator[SourceRecord]:
    """What an archive holds; within another, of which there is all the `content`, it
    may only be a workbook."""
    seekable = None if in_archive else file
    if in_archive and content is not None:
        seekable = io.BytesIO(content)
    if seekable and is_zip(_magic(seekable)) and is_workbook(seekable, reading.limits):
        yield from _workbook(Workbook(seekable, reading.limits), reading)
        return
    if in_archive:
        why = "an archive within an archive, which is not read. Unpack it first"
        yield reading.failed(PayloadError(why))
        return
    nothing = True
    for member in members(file, reading.limits):
        nothing = False
        folder, _, name = member.name.rpartition("/")
        shown = member.name if len(member.name) < 500 else f"…{member.name[-400:]}"
        shown = f"{reading.source}/{shown}".replace("\0", "\ufffd")
        slug = page_slug(name, folder.rpartition("/")[2])
        one = replace(reading, source=shown, slug=slug)
        if member.file is None:
            yield one.failed(member.error or PayloadError("not read"))
            continue
        try:
            yield from read_file(member.file, one, name, in_archive=True)
        except PayloadError as error:
            yield one.failed(error)
    if nothing:
        why = "an archive without files that may hold terms. Choose another one"
        yield reading.failed(PayloadError(why))


def _magic(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(4)


# Tables


def _csv(file: BinaryIO, reading: Reading) -> Iterator[SourceRecord]:
    limits = reading.limits
    try:
        decoded = _decoded(file, limits.entry)
        first = next(decoded)
        separator = delimiter(first.rstrip("\r\n"), reading.field_map) or ","
        whole = chain([first], decoded)
        rows = csv_rows(whole, separator, cell=limits.cell, row=limits.entry)
        _, header = next(rows, (1, []))
        yield from _rows(header, rows, reading)
    except PayloadError as error:
        yield reading.failed(error)


def _decoded(file: BinaryIO, limit: int) -> Iterator[str]:
    """The lines of a table as text, their ends included."""
    number = 0
    while line := file.readline(limit + 1):
        number += 1
        if len(line) > limit:
            raise PayloadError(f"line {number}: larger than {limit:,} bytes")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise PayloadError(
                f"line {number}: not UTF-8. Save the table as CSV in UTF-8"
            ) from None


def _workbook(workbook: Workbook, reading: Reading) -> Iterator[SourceRecord]:
    nothing = True
    for name, rows in workbook.sheets():
        header = next((cells for _, cells in rows if any(cells)), [])
        if is_header(header, reading.field_map):
            nothing = False
            shown = f"{reading.source}, sheet {name[:40]}".replace("\0", "\ufffd")
            one = replace(reading, source=shown)
            try:
                yield from _rows(header, rows, one)
            except PayloadError as error:
                yield one.failed(error)
    if nothing:
        why = "a workbook without a sheet whose first row has the columns slug and term"
        yield reading.failed(PayloadError(why))


def _rows(
    header: list[str], rows: Iterator[tuple[int, list[str]]], reading: Reading
) -> Iterator[SourceRecord]:
    _check_header(header, reading)
    for count, (line, cells) in enumerate(rows, start=1):
        if count > reading.limits.rows:
            raise LimitError(f"a table of more than {reading.limits.rows:,} rows")
        if not any(cells):
            continue
        padded = cells + [""] * (len(header) - len(cells))
        named = {name: cell for name, cell in zip(header, padded, strict=False) if name}
        if sum(map(bool, padded)) > sum(map(bool, named.values())):
            why = "a cell in a column without a name"
            yield reading.failed(PayloadError(why), line)
        else:
            yield reading.row(named, line)


def _check_header(header: list[str], reading: Reading) -> None:
    if len(header) > reading.limits.columns:
        limit = reading.limits.columns
        raise LimitError(f"a table of more than {limit:,} columns")
    if not is_header(header, reading.field_map):
        shown = ", ".join(name[:40] for name in header[:10]) or "none"
        raise PayloadError(
            f"a table without the columns slug and term. Its columns are {shown}"
        )
    named = [name for name in header if name]
    known = list(columns(named, reading.field_map).values())
    twice = {name for name in named if named.count(name) > 1}
    twice |= {name for name in known if known.count(name) > 1}
    if twice:
        raise PayloadError(f"a table with two columns “{min(twice)[:40]}”")
