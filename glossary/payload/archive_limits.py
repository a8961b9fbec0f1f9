"""What an archive may do: how much may come out of it, and under which names.

Nothing that an archive says of itself is believed: what comes out is counted while it
comes, against the limits.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from .values import LimitError, PayloadError


if TYPE_CHECKING:
    from collections.abc import Iterator

    from .records import SourceLimits


BLOCK: Final = 64 * 1024
MAX_NAME: Final = 4096
# A ratio says nothing of what is small.
_SMALL: Final = 16 * 1024 * 1024


class Meter:
    """Counts what comes out of an archive of `packed` bytes."""

    def __init__(self, limits: SourceLimits, packed: int, total: int) -> None:
        self.limits = limits
        self.most = min(total, max(packed * limits.ratio, _SMALL))
        self.total = total
        self.out = 0
        self.count = 0
        self.is_spent = False

    def file(self) -> None:
        self.count += 1
        if self.count > self.limits.members:
            raise LimitError(f"an archive of more than {self.limits.members:,} files")

    def add(self, size: int) -> None:
        self.out += size
        if self.out <= self.most:
            return
        self.is_spent = True
        if self.most == self.total:
            raise LimitError(f"an archive of more than {self.total:,} bytes unpacked")
        raise LimitError(
            f"an archive that unpacks to more than {self.limits.ratio} times its size"
        )


def unsafe(name: str) -> str | None:
    """Why a name leads out of its archive, None for one that does not."""
    parts = name.replace("\\", "/").split("/")
    if name[:1] in ("/", "\\") or name[1:2] == ":":
        return "a file with an absolute path"
    if ".." in parts:
        return "a file whose path leads out of the archive"
    if "\0" in name or len(name) > MAX_NAME:
        return "a file with an impossible name"
    return None


class Bounded(io.RawIOBase):
    """A file in an archive, of at most `limit` bytes."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.file = file
        self.limit = self.left = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self.file.read(min(len(buffer), self.left + 1))
        self.left -= len(found)
        if self.left < 0:
            raise LimitError(f"larger than {self.limit:,} bytes unpacked")
        buffer[: len(found)] = found
        return len(found)


class Pieces(io.RawIOBase):
    """A file of these pieces, each of them counted."""

    def __init__(self, pieces: Iterator[bytes], meter: Meter) -> None:
        self.pieces = pieces
        self.meter = meter
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.rest:
            self.rest = next(self.pieces, b"")
            self.meter.add(len(self.rest))
        found, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(found)] = found
        return len(found)


def exactly(file: BinaryIO, size: int) -> bytes:
    """So many bytes of a file. Raises PayloadError when it ends before."""
    data = file.read(size)
    if len(data) < size:
        raise PayloadError("an archive that is cut off")
    return data
