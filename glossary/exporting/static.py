"""A tree of payloads that a web server or a CDN serves as it is.

The tree's name is a symbolic link to a folder beside it. A new export is another
folder, and the link is swapped for one to it in one step: a request finds the old tree
or the new one, and never a file missing. The folder before stays, to go back to.
"""

from __future__ import annotations

import gzip
import importlib
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from .destination import beside, check_is_export, new_folder
from .files import File
from .selection import ExportError


# What a killed export has left behind is taken away after a day.
_STALE_SECONDS = 24 * 60 * 60


def publish_static(path: Path, files: Iterable[File], *, force: bool = False) -> None:
    """Write the files, compressed as well, and let the link ``path`` lead to them.

    A folder in the place of the link is an error; with ``force``, an earlier export
    there becomes the version before. Raises ExportError, and OSError.
    """
    _check(path, force=force)
    with new_folder(path, with_compressed(files)) as part, _alone(path):
        _check(path, force=force)
        version = _new_version(path)
        former = path.readlink().name if path.is_symlink() else None
        part.rename(version)
        if path.is_dir() and not path.is_symlink():
            converted = _new_version(path)
            path.rename(converted)
            former = converted.name
        link = beside(path, "link")
        link.symlink_to(version.name, target_is_directory=True)
        link.replace(path)
        _clean_up(path, keep={version.name, former})


def with_compressed(files: Iterable[File]) -> Iterator[File]:
    """The files, each followed by its compressed forms. Gzip is always among them,
    Brotli and Zstandard where Python has them."""
    compressors = _compressors()
    for path, data in files:
        yield path, data
        for suffix, compress in compressors.items():
            yield f"{path}.{suffix}", compress(data)


def _compressors() -> dict[str, Callable[[bytes], bytes]]:
    compressors: dict[str, Callable[[bytes], bytes]] = {
        "gz": lambda data: gzip.compress(data, 9, mtime=0)
    }
    if brotli := _module("brotli"):
        compressors["br"] = lambda data: brotli.compress(data, quality=11)
    if zstd := _module("compression.zstd"):
        compressors["zst"] = lambda data: zstd.compress(data, 19)
    elif zstandard := _module("zstandard"):
        compressors["zst"] = zstandard.ZstdCompressor(level=19).compress
    return compressors


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _check(path: Path, *, force: bool) -> None:
    if path.is_symlink() or not path.exists():
        return
    if not path.is_dir():
        raise ExportError(_("%(path)s is a file. Name a folder.") % {"path": path})
    if not force:
        raise ExportError(
            _(
                "%(path)s is a folder, where a symbolic link is needed. Name another "
                "path, or turn the export in it into the version before with --force."
            )
            % {"path": path}
        )
    check_is_export(path)


def _new_version(path: Path) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return path.with_name(f"{path.name}.{moment}-{secrets.token_hex(4)}")


def _clean_up(path: Path, keep: set[str | None]) -> None:
    """Remove older versions, and what killed exports have left."""
    name = re.escape(path.name)
    version = re.compile(rf"{name}\.\d{{8}}T\d{{6}}Z-[0-9a-f]{{8}}")
    left = re.compile(rf"\.{name}\.[0-9a-f]{{8}}\.(part|link)")
    stale = time.time() - _STALE_SECONDS
    for entry in path.parent.iterdir():
        is_old = version.fullmatch(entry.name) and entry.name not in keep
        if is_old or (left.fullmatch(entry.name) and entry.lstat().st_mtime < stale):
            if entry.is_symlink():
                entry.unlink(missing_ok=True)
            else:
                shutil.rmtree(entry, ignore_errors=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let only one export at a time swap the link and clean up."""
    import fcntl  # there is none on Windows, where the rest of the app runs

    with path.with_name(f".{path.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
