"""The files below a folder that may hold terms, told by their names.

A folder may hold a whole site, so what is searched for is narrow: what each file holds
is then told by its content.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .values import PayloadError


if TYPE_CHECKING:
    from collections.abc import Iterator


SEARCHED: Final = (
    *(".json", ".jsonl", ".ndjson", ".html", ".htm", ".csv", ".tsv", ".xlsx"),
    *(".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz"),
)
"""How the names of files end that a folder is searched for, payloads in .js apart."""

_PAYLOAD: Final = re.compile(r"_payload\.(?:[\w-]+\.)?(?:json|js)")
_SCRIPT: Final = re.compile(r"_?payload\.(?:[\w-]+\.)?js")
# Pages of every site that Nuxt generates, without a term of their own.
_NO_TERMS: Final = frozenset({"200.html", "404.html"})


class UnreadableFolderError(PayloadError):
    """A folder that cannot be listed: `path` of the disk, and the reason."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder = folder
        super().__init__(reason)


def is_payload(name: str) -> bool:
    """Whether a file is, by its name, the payload of the page that its folder is."""
    return _PAYLOAD.fullmatch(name) is not None


def is_searched(name: str, *, beside_payload: bool = False) -> bool:
    """Whether a file may hold terms. A page beside its payload says nothing more."""
    lower = name.lower()
    if name.startswith(".") or lower in _NO_TERMS:
        return False
    if beside_payload and lower in ("index.html", "index.htm"):
        return False
    return lower.endswith(SEARCHED) or _SCRIPT.fullmatch(lower) is not None


def page_slug(name: str, folder: str) -> str | None:
    """The slug that a file's place gives its term, None where it gives none.

    Of a payload and of an index that is the folder's name, of another page its own.
    """
    stem, _, suffix = name.lower().rpartition(".")
    if is_payload(name) or name == "payload.js" or stem == "index":
        return folder or None
    return name[: len(stem)] if suffix in ("html", "htm") else None


def files_below(folder: Path) -> Iterator[Path | UnreadableFolderError]:
    """The files that are searched for, in the order of names.

    Hidden entries and links to folders are passed over. A folder that cannot be listed
    gives an error in its place.
    """
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
            why = error.strerror or str(error)
            yield UnreadableFolderError(
                path, f"cannot be listed: {why}. Check its permissions"
            )
            continue
        beside = any(is_payload(name) for name, is_dir in names if not is_dir)
        waiting += [
            (path / name, is_dir)
            for name, is_dir in reversed(names)
            if is_dir or is_searched(name, beside_payload=beside)
        ]
