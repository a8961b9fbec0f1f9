"""The files in a tar archive, packed or not, one after the other.

Sources: POSIX.1-2001 (ustar and pax), and the extensions of GNU tar for long names.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from .archive_limits import BLOCK, Meter, unsafe
from .values import LimitError, PayloadError


if TYPE_CHECKING:
    from collections.abc import Iterator


_XZ_MEMORY: Final = 128 * 1024 * 1024
_RECORD: Final = 512
_MAX_META: Final = 1024 * 1024
_FILES: Final = (b"\0", b"0", b"7")
# Links, devices, folders and pipes, whatever size they claim.
_WITHOUT_DATA: Final = (b"1", b"2", b"3", b"4", b"5", b"6")


@dataclass(slots=True)
class TarEntry:
    """A file in a tar: `file` is its content, to be read before the next one is."""

    name: str
    fault: str | None
    is_folder: bool
    file: BinaryIO


def is_packed(head: bytes) -> bool:
    return _unpacker(head) is not None


def tar_entries(file: BinaryIO, meter: Meter) -> Iterator[TarEntry]:
    """What is in a tar.

    Raises PayloadError for a damaged one, LimitError for one that asks for too much.
    """
    stream = _Stream(_unpacked(file), meter)
    described: dict[str, str] = {}
    first = True
    while head := stream.read(_RECORD):
        if not head.strip(b"\0"):
            # To the end of what is packed, where its checksum stands.
            while stream.some(BLOCK):
                pass
            return
        size = _number(head[124:136])
        kind = head[156:157]
        if size is None or not _is_sound(head):
            raise PayloadError(
                "packed, but no tar archive" if first else "a damaged archive"
            )
        first = False
        if kind in (b"x", b"g", b"L", b"K"):
            described |= _described(kind, stream.meta(size))
            continue
        length = 0 if kind in _WITHOUT_DATA else int(described.get("size", size))
        name = described.get("path") or _name(head)
        if kind == b"5":
            fault = None
        elif kind not in _FILES or "sparse" in described:
            fault = "a link or a device, not a file"
        else:
            fault = unsafe(name)
        with stream.part(length) as part:
            yield TarEntry(name, fault, kind == b"5", io.BufferedReader(part, BLOCK))
        described = {}
    if first:
        raise PayloadError("an archive without anything in it")


def _is_sound(head: bytes) -> bool:
    if len(head) < _RECORD:
        return False
    blank = head[:148] + b" " * 8 + head[156:]
    signed = sum(blank) - 256 * sum(byte > 127 for byte in blank)
    return _number(head[148:156]) in (sum(blank), signed)


def _number(field: bytes) -> int | None:
    """Octal digits, or the binary that GNU tar writes where they do not suffice."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        return None


def _name(head: bytes) -> str:
    name = head[:100].partition(b"\0")[0]
    if head[257:263] == b"ustar\0" and (prefix := head[345:500].partition(b"\0")[0]):
        name = prefix + b"/" + name
    return name.decode("utf-8", "replace")


def _described(kind: bytes, data: bytes) -> dict[str, str]:
    """What a record says of the file behind it: its path, its size, being sparse."""
    if kind == b"L":
        return {"path": data.rstrip(b"\0").decode("utf-8", "replace")}
    found: dict[str, str] = {}
    while kind == b"x" and data:
        digits, _, _ = data.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 8 else 0
        name, equals, value = data[len(digits) + 1 : length].partition(b"=")
        if not equals or not value.endswith(b"\n"):
            break
        text = value[:-1].decode("utf-8", "replace")
        if name == b"path" or (name == b"size" and value[:-1].isdigit()):
            found[name.decode()] = text
        elif name.startswith(b"GNU.sparse"):
            found["sparse"] = text
        data = data[length:]
    return found


# Streams


class _Stream:
    """What has been unpacked, in pieces; all of it is counted."""

    def __init__(self, chunks: Iterator[bytes], meter: Meter) -> None:
        self.chunks = chunks
        self.meter = meter
        self.rest = b""

    def some(self, most: int) -> bytes:
        """Some bytes, at most so many; none at the end."""
        if not self.rest:
            self.rest = next(self.chunks, b"")
            self.meter.add(len(self.rest))
        found, self.rest = self.rest[:most], self.rest[most:]
        return found

    def read(self, size: int) -> bytes:
        parts = []
        while size and (part := self.some(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def meta(self, size: int) -> bytes:
        if size > _MAX_META:
            raise LimitError("an archive with a file name that has no end")
        return self.read(size + -size % _RECORD)[:size]

    def part(self, size: int) -> _Part:
        return _Part(self, size)


class _Part(io.RawIOBase):
    """A file within a stream; closing it goes to its end."""

    def __init__(self, stream: _Stream, size: int) -> None:
        self.stream = stream
        self.left = size
        self.padding = -size % _RECORD

    def __enter__(self) -> _Part:
        return self

    def __exit__(self, *_: object) -> None:
        self.left, self.padding = self.left + self.padding, 0
        while self.left:
            self.take(BLOCK)

    def readable(self) -> bool:
        return True

    def take(self, size: int) -> bytes:
        found = self.stream.some(min(size, self.left))
        if not found and self.left:
            raise PayloadError("an archive that is cut off")
        self.left -= len(found)
        return found

    def readinto(self, buffer: Any) -> int:
        found = self.take(len(buffer)) if self.left else b""
        buffer[: len(found)] = found
        return len(found)


def _unpacker(head: bytes) -> Any:
    if head.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(31)
    if head.startswith(b"BZh"):
        return bz2.BZ2Decompressor()
    if head.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)
    return None


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    """What a file holds, in pieces of at most BLOCK bytes, unpacked if it is packed."""
    file.seek(0)
    data = file.read(BLOCK)
    unpacker = _unpacker(data)
    while unpacker is None and data:
        yield data
        data = file.read(BLOCK)
    while unpacker is not None:
        try:
            out = unpacker.decompress(data, BLOCK)
        except (zlib.error, OSError, EOFError, lzma.LZMAError) as error:
            raise PayloadError(f"a damaged archive: {error}") from None
        if out:
            yield out
        if unpacker.eof:
            # Packed in several parts, one behind the other; then there may be zeros.
            data = (unpacker.unused_data + file.read(BLOCK)).lstrip(b"\0")
            unpacker = _unpacker(data)
            continue
        data = getattr(unpacker, "unconsumed_tail", b"")
        if not data and getattr(unpacker, "needs_input", True):
            data = file.read(BLOCK)
            if not data and not out:
                raise PayloadError("an archive that is cut off")
