"""From files, folders, archives and streams to the records of terms, one at a time.

What a file holds is told by its content, not by its name. One that cannot be read
gives an error in its place, and the rest goes on. No more than one file, line, entry
or row is in memory.
"""

from __future__ import annotations

import stat
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final

from .devalue import parse_json
from .folders import UnreadableFolderError, files_below, page_slug
from .forms import count_records, read_file
from .records import (
    DEFAULT_SOURCE_LIMITS,
    MAX_BYTES,
    Form,
    Reading,
    SourceError,
    SourceLimits,
    SourceRecord,
)
from .values import LimitError, PayloadError


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .field_map import FieldMap


__all__ = [
    "DEFAULT_SOURCE_LIMITS",
    "MAX_BYTES",
    "STDIN",
    "Form",
    "SourceError",
    "SourceLimits",
    "SourceRecord",
    "count_sources",
    "read_sources",
    "record_from_raw",
]

STDIN: Final = Path("-")
"""The path that stands for standard input."""

_BLOCK: Final = 64 * 1024


def read_sources(
    paths: Iterable[Path],
    *,
    field_map: FieldMap | None = None,
    limits: SourceLimits = DEFAULT_SOURCE_LIMITS,
    stdin: BinaryIO | None = None,
) -> Iterator[SourceRecord]:
    """The records of files, of those below folders, and of standard input (`STDIN`).

    `folders.is_searched` says which files a folder and an archive are searched for.
    Folders are walked in the order of names; hidden entries and links to folders are
    passed over. Of a payload or an index page the folder's name is the slug to look
    for. Records are in our names where there is a `field_map`. `stdin` is what standard
    input is read from.

    Raises SourceError at once, before anything is read, for a path that leads nowhere.
    """
    return _read(_checked(paths), Reading("", None, field_map, limits), stdin)


def count_sources(
    paths: Iterable[Path], *, limits: SourceLimits = DEFAULT_SOURCE_LIMITS
) -> int:
    """How many files, lines in JSON lines, and files in archives `read_sources` will
    go through.

    Nothing is decoded, so an array and a table count as one, and so does standard
    input. Raises SourceError as it does.
    """
    count = 0
    for path in _files(_checked(paths)):
        count += 1
        if isinstance(path, Path) and path != STDIN:
            try:
                with _open(path) as file:
                    count += max(count_records(file, limits), 1) - 1
            except (OSError, PayloadError):
                continue  # one error, when it is read
    return count


def record_from_raw(
    raw: bytes,
    form: Form,
    *,
    source: str,
    line: int | None = None,
    pointer: str | None = None,
    slug: str | None = None,
    field_map: FieldMap | None = None,
) -> SourceRecord:
    """The record that an earlier reading found in `raw`; see `SourceRecord`.

    `source`, `line` and `pointer` are those of then, for messages; `slug` is that of
    the record, which tells it from others in the same payload. Raises ValueError for a
    `form` that does not exist.
    """
    reading = Reading(source, slug, field_map)
    match form:
        case "payload" | "json":
            found = reading.json(raw, line)
        case "html":
            found = reading.page_data(raw)
        case "script":
            found = reading.script(raw, line)
        case "row":
            found = _stored_row(reading, raw, line)
        case _:
            raise ValueError(f"no form of a record: {form!r}")
    if pointer is not None and found.error is None:
        found = replace(found, pointer=pointer)
    return replace(found, raw=raw, form=form)


def _stored_row(reading: Reading, raw: bytes, line: int | None) -> SourceRecord:
    try:
        cells = parse_json(reading.text(raw))
    except PayloadError as error:
        return reading.failed(error, line)
    if not isinstance(cells, dict) or not all(
        isinstance(text, str) for text in cells.values()
    ):
        return reading.failed(PayloadError("no row of a table"), line)
    return reading.row(cells, line)


def _show(path: Path) -> str:
    # A name may be no UTF-8; what is shown ends in logs and databases.
    return str(path).encode(errors="replace").decode()


def _checked(paths: Iterable[Path]) -> list[Path]:
    known = list(paths)
    for path in known:
        if path == STDIN:
            continue
        try:
            path.stat()
        except (OSError, ValueError) as error:
            raise SourceError(
                f"{_show(path)} cannot be read: {_cause(error)}. Check the path"
            ) from error
    return known


def _cause(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _files(paths: Iterable[Path]) -> Iterator[Path | SourceRecord]:
    """The files below the paths, and errors where there are none to be had."""
    for path in paths:
        if path == STDIN or not path.is_dir():
            yield path
            continue
        nothing = True
        for found in files_below(path):
            nothing = False
            if isinstance(found, UnreadableFolderError):
                yield Reading(_show(found.folder)).failed(found)
            else:
                yield found
        if nothing:
            why = "a folder without files that may hold terms. Choose another one"
            yield Reading(_show(path)).failed(PayloadError(why))


def _open(path: Path) -> BinaryIO:
    # A pipe or a device might never end, or never begin.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("it is not a regular file")
    return path.open("rb")


@contextmanager
def _spooled(stdin: BinaryIO | None, limit: int) -> Iterator[BinaryIO]:
    """What standard input has, in a file that can be sought."""
    source = sys.stdin.buffer if stdin is None else stdin
    with TemporaryFile() as file:
        size = 0
        while block := source.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise LimitError(f"larger than the limit of {limit:,} bytes")
            file.write(block)
        file.seek(0)
        yield file


def _read(
    paths: list[Path], usual: Reading, stdin: BinaryIO | None
) -> Iterator[SourceRecord]:
    for path in _files(paths):
        if isinstance(path, SourceRecord):
            yield path
            continue
        is_stdin = path == STDIN
        shown = "standard input" if is_stdin else _show(path)
        slug = None if is_stdin else page_slug(path.name, path.absolute().parent.name)
        reading = replace(usual, source=shown, slug=slug)
        try:
            with (
                _spooled(stdin, usual.limits.spooled)
                if is_stdin
                else _open(path) as file
            ):
                yield from read_file(file, reading, path.name)
        except OSError as error:
            why = f"cannot be read: {_cause(error)}. Check the file"
            yield reading.failed(PayloadError(why))
        except PayloadError as error:
            yield reading.failed(error)
