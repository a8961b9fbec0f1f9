"""Files of an export, one or several for a term."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from django.utils.translation import gettext as _

from .selection import ExportError, LoadedTerm, Selection


File: TypeAlias = tuple[str, bytes]
"""Its path inside the export, with slashes, and what it holds."""

_NAME = re.compile(r"[-\w]+")


def file_name(loaded: LoadedTerm) -> str:
    """The slug of a term, which files are called by."""
    slug = loaded.page.slug
    if not _NAME.fullmatch(slug):
        raise ExportError(
            _(
                "The term “%(term)s” has the slug “%(slug)s”, which no file can be "
                "called by. Give it a slug of letters, digits and hyphens."
            )
            % {"term": loaded.page.title, "slug": slug}
        )
    return slug


def term_files(
    selection: Selection, path: str, make: Callable[[LoadedTerm], bytes]
) -> Iterator[File]:
    """One file a term, its path made of its slug. A term that cannot be written is
    left out, and is one of the selection's problems."""
    seen: set[str] = set()
    for loaded in selection:
        try:
            name = file_name(loaded)
            if name in seen:  # in their latest versions, two can have one slug
                raise ExportError(
                    _("A second term has the slug “%(slug)s”: change one of them.")
                    % {"slug": name}
                )
            data = make(loaded)
        except ExportError as error:
            selection.problems.append(str(error))
            continue
        seen.add(name)
        yield path % {"slug": name}, data


def zipped(files: Iterable[File]) -> Iterator[bytes]:
    """A zip archive of the files, in pieces; equal files give an equal archive."""
    buffer = _Pieces()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files:
            entry = zipfile.ZipInfo(path)  # dated 1980, for want of a date
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
            yield from buffer.taken()
    yield from buffer.taken()


class _Pieces(io.RawIOBase):
    """What is written, until it is taken. It cannot be sought in, like a network."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> Iterator[bytes]:
        pieces, self._pieces = self._pieces, []
        yield from pieces
