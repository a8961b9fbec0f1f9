"""What is in an archive, zip or tar: read in a stream, never laid out on a disk.

Only plain files are read, each under a name that stays within the archive, and once.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from .archive_limits import Bounded, Meter
from .folders import is_payload, is_searched
from .tars import is_packed, tar_entries
from .values import PayloadError
from .zips import open_entry, zip_entries


if TYPE_CHECKING:
    from collections.abc import Iterator

    from .records import SourceLimits


_ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its content, to be read at once, or what is wrong."""

    name: str
    file: BinaryIO | None = None
    error: PayloadError | None = None


def is_zip(head: bytes) -> bool:
    return head.startswith(_ZIP_MAGIC)


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so is an archive, or packed as tar archives are."""
    return is_zip(head) or is_packed(head) or head[257:262] == b"ustar"


def members(file: BinaryIO, limits: SourceLimits) -> Iterator[Member]:
    """The files of an archive that may hold terms, as `folders.is_searched` has it.

    The archive is gone through once before, for its names and, of a tar, for what it
    unpacks to. Raises PayloadError where it is damaged, LimitError where it asks for
    more than the limits give.
    """
    file.seek(0)
    head = file.read(4)
    packed = file.seek(0, io.SEEK_END)
    if is_zip(head):
        yield from _zip_members(file, limits, packed)
    else:
        yield from _tar_members(file, limits, packed)


def _zip_members(file: BinaryIO, limits: SourceLimits, packed: int) -> Iterator[Member]:
    meter = Meter(limits, packed, limits.total)
    survey = _Survey()
    for entry in zip_entries(file, limits):
        survey.see(entry.name)
    for entry in zip_entries(file, limits):
        if entry.is_folder:
            continue
        if fault := survey.fault(entry.name, entry.fault):
            yield Member(entry.name, error=PayloadError(fault))
        elif survey.wants(entry.name):
            try:
                with open_entry(file, entry, meter, limits.member) as content:
                    yield Member(entry.name, content)
            except PayloadError as error:
                yield Member(entry.name, error=error)
            if meter.is_spent:  # which has been told of the last file
                return


def _tar_members(file: BinaryIO, limits: SourceLimits, packed: int) -> Iterator[Member]:
    survey = _Survey()
    meter = Meter(limits, packed, limits.total)
    for found in tar_entries(file, meter):
        meter.file()
        survey.see(found.name)
    for found in tar_entries(file, Meter(limits, packed, limits.total)):
        if found.is_folder:
            continue
        if fault := survey.fault(found.name, found.fault):
            yield Member(found.name, error=PayloadError(fault))
        elif survey.wants(found.name):
            content = io.BufferedReader(Bounded(found.file, limits.member))
            yield Member(found.name, content)


class _Survey:
    """The names in an archive: which are met twice, which are not to be read.

    Hashes stand for names, of which there may be very many.
    """

    def __init__(self) -> None:
        self.with_payload: set[int] = set()
        self.met: set[int] = set()

    def see(self, name: str) -> None:
        folder, _, last = name.rpartition("/")
        if is_payload(last):
            self.with_payload.add(hash(folder))

    def fault(self, name: str, fault: str | None) -> str | None:
        plain = hash(name.removeprefix("./"))
        if fault is None and plain in self.met:
            return "a second file of this name, which is not read"
        self.met.add(plain)
        return fault

    def wants(self, name: str) -> bool:
        folder, _, last = name.rpartition("/")
        parts = folder.removeprefix("./").split("/") if folder != "." else []
        if any(part[:1] == "." or part == "__MACOSX" for part in parts):
            return False
        return is_searched(last, beside_payload=hash(folder) in self.with_payload)
