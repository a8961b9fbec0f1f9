"""Many records in one file of JSON: on lines of their own, or in an array.

Either is read from a stream, so that a file of any size takes the memory of one entry.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn

from .values import LimitError, PayloadError


if TYPE_CHECKING:
    from collections.abc import Iterator


_BLOCK: Final = 64 * 1024
_SPACE: Final = " \t\r\n"
_STRUCTURE: Final = re.compile(r'[{}\[\]",]')
_STRING_END: Final = re.compile(r'["\\]')


# Lines


def lines(file: BinaryIO, limit: int) -> Iterator[tuple[int, bytes]]:
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


def begins_lines(head: bytes, limit: int) -> bool:
    """Whether a file that begins so holds JSON lines: a second value begins on a line
    of its own.

    In one JSON text, a line that begins so follows one that is plainly not at its end.
    """
    first, _, rest = head.lstrip().partition(b"\n")
    first, second = first.rstrip(), rest.lstrip()
    return (
        second[:1] in (b"{", b"[")
        and first[:1] != b"<"
        and (len(first) > limit or first[-1:] not in (b"{", b"[", b",", b":"))
    )


# Arrays


def _refuse_constant(name: str) -> NoReturn:
    raise PayloadError(f"not JSON: {name}")


_JSON: Final = json.JSONDecoder(parse_constant=_refuse_constant)
_LENIENT: Final = json.JSONDecoder()


def first_entry(text: str) -> Any:
    """The first entry of an array whose text begins so, None where there is none yet.

    A guess: the array is read strictly, later.
    """
    inside = text.lstrip(_SPACE)[1:].lstrip(_SPACE)
    try:
        return _LENIENT.raw_decode(inside)[0]
    except (ValueError, RecursionError):
        return None


class _IncompleteError(Exception):
    """The text read so far ends within an entry."""


class _EntryError(Exception):
    """An entry that is well formed and yet cannot be read; those behind it can."""


class Entries:
    """The entries of an array, one at a time, of at most `limit` bytes each."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.file = file
        self.limit = limit
        self.text = ""
        self.at = 0
        self.is_ended = False
        self.pending = b""
        self.read_before = 0

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """(position, entry), or (position, PayloadError) for one that cannot be read.

        Raises PayloadError where the array itself is at fault: what follows is lost.
        """
        if self.peek() == "\ufeff":
            self.at += 1
        if self.peek() != "[":
            self.fail("an array expected")
        self.at += 1
        position = 0
        if self.peek() == "]":
            self.at += 1
        else:
            while True:
                yield position, self.entry()
                position += 1
                mark = self.peek()
                if mark not in (",", "]"):
                    self.fail("',' or ']' expected")
                self.at += 1
                if mark == "]":
                    break
        if self.peek():
            self.fail("something after the array")

    def fail(self, reason: str) -> NoReturn:
        place = self.read_before + self.at
        if self.is_ended and self.at >= len(self.text):
            raise PayloadError(f"not JSON: the array is cut off, at character {place}")
        raise PayloadError(f"not JSON: {reason} at character {place}")

    def more(self) -> bool:
        """Reads on; False at the end of the file."""
        if self.is_ended:
            return False
        # More at a time, the longer an entry is: it is read anew each time.
        data = self.file.read(max(_BLOCK, len(self.text) - self.at))
        self.is_ended = not data
        data = self.pending + data
        try:
            new, self.pending = data.decode(), b""
        except UnicodeDecodeError as error:
            if self.is_ended or error.start < len(data) - 3:
                raise PayloadError("not UTF-8. Save it as UTF-8") from None
            new, self.pending = data[: error.start].decode(), data[error.start :]
        self.read_before += self.at
        self.text = self.text[self.at :] + new
        self.at = 0
        return True

    def peek(self) -> str:
        """The next character that is no space, "" at the end."""
        while True:
            while self.at < len(self.text):
                if (found := self.text[self.at]) not in _SPACE:
                    return found
                self.at += 1
            if not self.more():
                return ""

    @property
    def too_large(self) -> str:
        return f"larger than the limit of {self.limit:,} bytes"

    def entry(self) -> Any:
        self.peek()
        while True:
            try:
                value, end = self.decode()
            except _IncompleteError:
                if len(self.text) - self.at > self.limit:
                    return self.skip(self.too_large)
                if not self.more():
                    self.at = len(self.text)
                    self.fail("a value expected")
                continue
            except _EntryError as error:
                return self.skip(str(error))
            text = self.text[self.at : end]
            self.at = end
            # A character has up to 4 bytes: most need not be counted.
            if len(text) * 4 > self.limit and len(text.encode()) > self.limit:
                return LimitError(self.too_large)
            return value

    def decode(self) -> tuple[Any, int]:
        try:
            value, end = _JSON.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            # Only at the end may a fault be no more than a lack of text.
            at_end = error.pos >= len(self.text) - 16
            if not self.is_ended and (at_end or "Unterminated" in error.msg):
                raise _IncompleteError from None
            self.at = error.pos
            self.fail(error.msg)
        except RecursionError:
            raise _EntryError("JSON nested too deep to be read") from None
        except PayloadError as error:
            raise _EntryError(error.reason) from None
        except ValueError:
            raise _EntryError("a number of more digits than Python converts") from None
        if end >= len(self.text) - 3 and not self.is_ended:
            raise _IncompleteError  # a number may go on, as 1 does in 1e+16
        return value, end

    def skip(self, reason: str) -> PayloadError:
        """Passes over an entry by its brackets alone."""
        depth, in_string = 0, False
        while True:
            pattern = _STRING_END if in_string else _STRUCTURE
            match = pattern.search(self.text, self.at)
            is_cut = match and match[0] == "\\" and match.end() == len(self.text)
            if match is None or is_cut:
                self.at = match.start() if match else len(self.text)
                if not self.more():
                    self.at = len(self.text)
                    self.fail("an entry without an end")
                continue
            mark, self.at = match[0], match.end()
            if mark == "\\":
                self.at += 1
            elif mark == '"':
                in_string = not in_string
            elif mark in "{[":
                depth += 1
            elif depth == 0:  # the comma or the bracket behind it
                self.at = match.start()
                return LimitError(reason)
            elif mark != ",":
                depth -= 1
