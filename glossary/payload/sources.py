"""From files and folders to the records of terms, one at a time.

What a file holds is told by its content, not by its name: a Nuxt payload, one record,
an array of records, or JSON lines. One that cannot be read gives an error in its place,
and the rest goes on. No more than one file, or one line, is in memory.
"""

from __future__ import annotations

import json
import os
import stat
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from .devalue import PayloadError, loads, parse_json
from .schema import FoundTerm, find_term


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


MAX_BYTES: Final = 2 * 1024 * 1024
"""Of one file, and of one line in JSON lines. The payload of a term is some 10 kB."""

# A line that is too long is passed over in pieces of so many bytes.
_BLOCK: Final = 64 * 1024
_SUFFIXES: Final = frozenset({".json", ".jsonl"})


class SourceError(PayloadError):
    """A source that cannot be read. It names the source, and the line in it."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """The record of a term, or why there is none: one of `record` and `error` is None.

    `source` is the path to show, `line` counts from 1 in JSON lines. `pointer` and
    `key` are those of `FoundTerm`.
    """

    source: str
    line: int | None = None
    record: dict[str, Any] | None = None
    pointer: str = ""
    key: str | None = None
    error: PayloadError | None = None


def read_sources(
    paths: Iterable[Path],
    *,
    max_file_bytes: int = MAX_BYTES,
    max_line_bytes: int = MAX_BYTES,
) -> Iterator[SourceRecord]:
    """The records of files, and of the .json and .jsonl files below folders.

    Folders are walked in the order of names; hidden entries and links to folders are
    passed over. Of a `_payload.json` the folder's name is the slug to look for.

    Raises SourceError at once, before anything is read, for a path that leads nowhere.
    """
    return _read(_checked(paths), max_file_bytes, max_line_bytes)


def count_sources(paths: Iterable[Path], *, max_line_bytes: int = MAX_BYTES) -> int:
    """How many files, and lines in JSON lines, `read_sources` will go through.

    Nothing is decoded, so an array counts as one. Raises SourceError as it does.
    """
    count = 0
    for path in _files(_checked(paths)):
        count += 1
        if isinstance(path, Path):
            try:
                with _open(path) as file:
                    if _is_lines(file, max_line_bytes):
                        count += sum(1 for _ in _lines(file, max_line_bytes)) - 1
            except (OSError, PayloadError):
                continue  # one error, when it is read
    return count


# Files


def _show(path: Path) -> str:
    # A name may be no UTF-8; what is shown ends in logs and databases.
    return str(path).encode(errors="replace").decode()


def _checked(paths: Iterable[Path]) -> list[Path]:
    known = list(paths)
    for path in known:
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
        if not path.is_dir():
            yield path
            continue
        nothing = True
        for found in _below(path):
            nothing = False
            yield found
        if nothing:
            why = "a folder without .json or .jsonl files. Choose another one"
            yield _failed(path, PayloadError(why))


def _below(folder: Path) -> Iterator[Path | SourceRecord]:
    waiting = [(folder, True)]
    while waiting:
        path, is_folder = waiting.pop()
        if not is_folder:
            yield path
            continue
        try:
            with os.scandir(path) as entries:
                names = sorted(
                    (entry.name, entry.is_dir(follow_symlinks=False))
                    for entry in entries
                    if not entry.name.startswith(".")
                )
        except OSError as error:
            why = f"cannot be listed: {_cause(error)}. Check its permissions"
            yield _failed(path, PayloadError(why))
            continue
        waiting += [
            (path / name, is_dir)
            for name, is_dir in reversed(names)
            if is_dir or Path(name).suffix.lower() in _SUFFIXES
        ]


def _read(
    paths: list[Path], max_file_bytes: int, max_line_bytes: int
) -> Iterator[SourceRecord]:
    for path in _files(paths):
        if isinstance(path, SourceRecord):
            yield path
            continue
        try:
            with _open(path) as file:
                if _is_lines(file, max_line_bytes):
                    for line, data in _lines(file, max_line_bytes):
                        yield from _records(path, line, data, max_line_bytes)
                else:
                    data = file.read(max_file_bytes + 1)
                    yield from _records(path, None, data, max_file_bytes)
        except OSError as error:
            why = f"cannot be read: {_cause(error)}. Check the file"
            yield _failed(path, PayloadError(why))


def _open(path: Path) -> BinaryIO:
    # A pipe or a device might never end, or never begin.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("it is not a regular file")
    return path.open("rb")


def _failed(path: Path, error: PayloadError, line: int | None = None) -> SourceRecord:
    shown = _show(path)
    place = shown if line is None else f"{shown}, line {line}"
    named = SourceError(f"{place}: {error.reason}", index=error.index, path=error.path)
    named.__cause__ = error
    return SourceRecord(shown, line, pointer=error.path, error=named)


# Lines


def _is_lines(file: BinaryIO, limit: int) -> bool:
    """Whether a file holds JSON lines: a second value begins on a line of its own.

    In one JSON text, a line that begins so follows one that is plainly not at its end.
    """
    lines = (line for _, line in _lines(file, limit))
    first, second = next(lines, b""), next(lines, b"")
    file.seek(0)
    return (
        second[:1] in (b"{", b"[")
        and first[:1] != b"<"
        and (len(first) > limit or first[-1:] not in (b"{", b"[", b",", b":"))
    )


def _lines(file: BinaryIO, limit: int) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers.

    Of a line that is longer than `limit`, with its end, there is one byte more.
    """
    number = 0
    while line := file.readline(limit + 1):
        number += 1
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(_BLOCK)
        if len(line) <= limit:
            line = line.strip()
        if line.strip():
            yield number, line


# Records


def _records(
    path: Path, line: int | None, data: bytes, limit: int
) -> Iterator[SourceRecord]:
    # The folder of a payload is the route of its page.
    is_payload = line is None and path.name.startswith("_payload.")
    slug = path.absolute().parent.name if is_payload else None
    try:
        for found in _terms(_decode(data, limit), slug):
            if isinstance(found, PayloadError):
                yield _failed(path, found, line)
            else:
                yield SourceRecord(
                    _show(path), line, found.record, found.pointer, found.key
                )
    except PayloadError as error:
        yield _failed(path, error, line)


def _decode(data: bytes, limit: int) -> str:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in data[:4]:
        raise PayloadError("UTF-16 or UTF-32, not UTF-8. Save it as UTF-8")
    if len(data) > limit:
        raise PayloadError(
            f"larger than the limit of {limit:,} bytes. Give one file, or one line of"
            " a .jsonl file, for each term"
        )
    try:
        return data.decode("utf-8-sig").strip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise PayloadError(
            f"not UTF-8, from byte {error.start} on. Save it as UTF-8"
        ) from None


def _terms(text: str, slug: str | None) -> Iterator[FoundTerm | PayloadError]:
    """What a JSON text has of terms; an error for each entry of an array that fails."""
    if not text:
        raise PayloadError("empty. Save the page's _payload.json once more")
    if text.startswith("<"):
        raise PayloadError("HTML, not JSON. Save the page's _payload.json instead")
    if _is_array_of_records(text):
        for position, entry in enumerate(parse_json(text)):
            yield _entry(entry, position)
    elif text.startswith(("[", "-")):
        yield find_term(loads(text, unknown="tagged"), slug=slug)
    else:
        yield find_term(parse_json(text), slug=slug)


def _is_array_of_records(text: str) -> bool:
    """Whether it begins with a record. In a payload, a slug would be a number there."""
    if not text.startswith("["):
        return False
    inside = text[1:].lstrip(" \t\r\n")
    try:
        # Lenient, as no more than a guess: the whole is read strictly.
        first, _ = json.JSONDecoder().raw_decode(inside)
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and isinstance(first.get("slug"), str)


def _entry(entry: object, position: int) -> FoundTerm | PayloadError:
    slug = entry.get("slug") if isinstance(entry, dict) else None
    try:
        found = find_term(entry, slug=slug if isinstance(slug, str) else None)
    except PayloadError as error:
        return PayloadError(error.reason, path=f"/{position}{error.path}")
    return replace(found, pointer=f"/{position}{found.pointer}")
