"""Where an export is written to: whole, or not at all.

Everything is written beside its place and then renamed, so that whoever reads there
finds the old export or the new one, and after a crash the old one.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.utils.translation import gettext as _

from .files import File
from .selection import ExportError


def write_file(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file, in the place of one that is there. Raises OSError."""
    part = beside(path, "part")
    try:
        with part.open("xb") as file:
            for piece in pieces:
                file.write(piece)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_folder(path: Path, files: Iterable[File], *, force: bool = False) -> None:
    """Write a folder that is not there yet or is empty; with ``force``, in the place
    of an earlier export. Raises ExportError for another folder, and OSError."""
    check_folder(path, force=force)
    with new_folder(path, files) as part:
        check_folder(path, force=force)
        if path.is_dir() and any(path.iterdir()):
            former = beside(path, "old")
            path.rename(former)
            try:
                part.rename(path)
            except OSError:
                former.rename(path)
                raise
            shutil.rmtree(former)
        else:
            part.rename(path)  # also onto an empty folder


def check_folder(path: Path, *, force: bool = False) -> None:
    """Raises ExportError unless a folder can be written there."""
    if path.is_symlink():
        raise ExportError(
            _("%(path)s is a symbolic link. Name the folder itself, or use --static.")
            % {"path": path}
        )
    if not path.exists():
        return
    if not path.is_dir():
        raise ExportError(_("%(path)s is a file. Name a folder.") % {"path": path})
    if not force and any(path.iterdir()):
        raise ExportError(
            _(
                "%(path)s is not empty. Name another folder, or replace the export in "
                "it with --force."
            )
            % {"path": path}
        )
    check_is_export(path)


def check_is_export(folder: Path) -> None:
    """Raises ExportError when a folder holds what no export has written."""
    for entry in folder.iterdir():
        inside = entry.iterdir() if entry.is_dir() and not entry.is_symlink() else ()
        if not (entry.suffix == ".md" and entry.is_file()) and not (
            entry.is_dir()
            and all(file.name.startswith("_payload.json") for file in inside)
        ):
            raise ExportError(
                _(
                    "%(path)s holds “%(name)s”, which is no part of an export, and is "
                    "left alone. Name another folder."
                )
                % {"path": folder, "name": entry.name}
            )


@contextmanager
def new_folder(path: Path, files: Iterable[File]) -> Iterator[Path]:
    """A folder beside ``path`` with the files; it is gone afterwards, if it was not
    renamed."""
    part = beside(path, "part")
    part.mkdir()
    try:
        for name, data in files:
            target = part / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(data)
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def beside(path: Path, purpose: str) -> Path:
    """A path of its own for a part of what is written, on the same disk."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.{purpose}")
