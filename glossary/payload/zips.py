"""The files in a zip archive, one after the other.

The directory is read as it is needed, so an archive of any number of files takes no
more memory than one.

Source: PKWARE's APPNOTE.
"""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from .archive_limits import BLOCK, MAX_NAME, Bounded, Meter, Pieces, exactly, unsafe
from .values import LimitError, PayloadError


if TYPE_CHECKING:
    from collections.abc import Iterator

    from .records import SourceLimits


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A line of a zip's directory."""

    name: str
    flags: int
    method: int
    packed: int
    offset: int
    mode: int
    checksum: int

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")

    @property
    def fault(self) -> str | None:
        """Why it is not read, None when it can be."""
        if self.flags & 0x2041:
            return "encrypted. Give the archive without a password"
        if self.method not in (0, 8):
            return f"packed by a method ({self.method}) that is not read. Use deflate"
        if self.mode and self.mode & 0o170000 not in (0, 0o100000):
            return "a link or a device, not a file"
        return unsafe(self.name)


def zip_entries(file: BinaryIO, limits: SourceLimits) -> Iterator[ZipEntry]:
    """The directory of a zip, read as it is needed."""
    end, start, size = _directory(file)
    # What stands before the archive, as in a program that unpacks itself.
    shift = end - size - start
    if shift < 0 or size > limits.members * (46 + MAX_NAME):
        raise PayloadError("a zip archive whose directory lies nowhere")
    at, stop, count = start + shift, end, 0
    while at < stop:
        file.seek(at)
        head = exactly(file, 46)
        if head[:4] != b"PK\x01\x02":
            raise PayloadError("a zip archive with a damaged directory")
        flags, method = struct.unpack_from("<HH", head, 8)
        checksum, packed, unpacked, long_name, long_extra, long_comment = (
            struct.unpack_from("<IIIHHH", head, 16)
        )
        made_by, mode, offset = head[5], *struct.unpack_from("<II", head, 38)
        name = exactly(file, long_name)
        extra = exactly(file, long_extra)
        packed, offset = _zip64(extra, packed, unpacked, offset)
        at += 46 + long_name + long_extra + long_comment
        count += 1
        if count > limits.members:
            raise LimitError(f"an archive of more than {limits.members:,} files")
        text = name.decode("utf-8" if flags & 0x800 else "cp437", "replace")
        unix = mode >> 16 if made_by in (3, 19) else 0
        yield ZipEntry(text, flags, method, packed, offset + shift, unix, checksum)


def _directory(file: BinaryIO) -> tuple[int, int, int]:
    """Where the directory of a zip ends, where it says that it starts, and its size."""
    length = file.seek(0, io.SEEK_END)
    file.seek(max(0, length - 65_557))
    tail = file.read(65_557)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise PayloadError("a zip archive that is cut off: it has no directory")
    size, start = struct.unpack_from("<II", tail, at + 12)
    end = length - len(tail) + at
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
        (record,) = struct.unpack_from("<Q", tail, at - 12)
        # Right before its locator, if something stands before the archive.
        for place in (record, end - 20 - 56):
            if 0 <= place <= length:
                file.seek(place)
                head = file.read(56)
                if len(head) == 56 and head[:4] == b"PK\x06\x06":
                    size, start = struct.unpack_from("<QQ", head, 40)
                    return place, start, size
        raise PayloadError("a zip archive with a damaged directory")
    return end, start, size


def _zip64(extra: bytes, packed: int, unpacked: int, offset: int) -> tuple[int, int]:
    """The sizes that are too large for their fields, from the extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            data = extra[at + 4 : at + 4 + size]
            count = len(data) // 8
            numbers = iter(struct.unpack(f"<{count}Q", data[: count * 8]))
            if unpacked == 0xFFFFFFFF:
                next(numbers, 0)
            packed = next(numbers, 0) if packed == 0xFFFFFFFF else packed
            offset = next(numbers, 0) if offset == 0xFFFFFFFF else offset
        at += 4 + size
    return packed, offset


@contextmanager
def open_entry(
    file: BinaryIO, entry: ZipEntry, meter: Meter, limit: int
) -> Iterator[BinaryIO]:
    """The content of an entry, as a stream of at most `limit` bytes."""
    file.seek(entry.offset)
    head = exactly(file, 30)
    if head[:4] != b"PK\x03\x04":
        raise PayloadError("a zip archive with a damaged directory")
    start = entry.offset + 30 + sum(struct.unpack_from("<HH", head, 26))
    chunks = _chunks(file, start, entry.packed)
    if entry.method:
        chunks = _inflated(chunks)
    chunks = _verified(chunks, entry.checksum)
    content = io.BufferedReader(Pieces(chunks, meter), BLOCK)
    yield io.BufferedReader(Bounded(content, limit), BLOCK)


def _chunks(file: BinaryIO, at: int, left: int) -> Iterator[bytes]:
    while left:
        file.seek(at)
        chunk = exactly(file, min(left, BLOCK))
        at += len(chunk)
        left -= len(chunk)
        yield chunk


def _inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-15)
    try:
        for chunk in chunks:
            while chunk and not unpacker.eof:
                if out := unpacker.decompress(chunk, BLOCK):
                    yield out
                chunk = unpacker.unconsumed_tail
        if not unpacker.eof:
            if out := unpacker.flush():
                yield out
            if not unpacker.eof:
                raise PayloadError("an archive that is cut off")
    except zlib.error as error:
        raise PayloadError(f"a damaged archive: {error}") from None


def _verified(chunks: Iterator[bytes], checksum: int) -> Iterator[bytes]:
    found = 0
    for chunk in chunks:
        found = zlib.crc32(chunk, found)
        yield chunk
    if found != checksum:
        raise PayloadError("a damaged archive: the checksum does not fit")
