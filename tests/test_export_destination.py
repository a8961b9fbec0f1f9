"""An export is there whole, or the one before is: files, folders, static trees."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from glossary.exporting import ExportError
from glossary.exporting.destination import write_file, write_folder
from glossary.exporting.files import zipped
from glossary.exporting.static import publish_static


if TYPE_CHECKING:
    from collections.abc import Iterator

    from glossary.exporting.files import File

SLUGS = [f"term-{number}" for number in range(20)]


def tree(text: str, slugs: list[str] = SLUGS) -> Iterator[File]:
    for slug in slugs:
        yield f"{slug}/_payload.json", f"{slug} {text}".encode()


def breaking(text: str) -> Iterator[File]:
    yield from tree(text, SLUGS[:3])
    raise OSError("the disk is full")


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Files


def test_a_file_that_breaks_off_leaves_the_one_before(tmp_path):
    out = tmp_path / "terms.json"
    write_file(out, [b"old"])

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_file(out, pieces())
    assert out.read_bytes() == b"old"
    assert names(tmp_path) == ["terms.json"]
    write_file(out, [b"new", b"er"])
    assert out.read_bytes() == b"newer"


def test_others_may_read_what_was_written(tmp_path):
    write_file(tmp_path / "file", [b""])
    write_folder(tmp_path / "folder", tree("1"))
    publish_static(tmp_path / "static", tree("1"))
    for path in tmp_path.rglob("*"):
        if not path.name.endswith(".lock"):
            assert path.stat().st_mode & 0o044 == 0o044 & ~_umask(), path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_equal_files_make_an_equal_archive():
    assert b"".join(zipped(tree("1"))) == b"".join(zipped(tree("1")))


# Folders


def test_a_folder_is_made_or_filled(tmp_path):
    write_folder(tmp_path / "new", tree("1"))
    (tmp_path / "empty").mkdir()
    write_folder(tmp_path / "empty", tree("1"))
    assert content(tmp_path / "new") == content(tmp_path / "empty") == dict(tree("1"))
    assert names(tmp_path) == ["empty", "new"]


def test_a_folder_that_is_not_empty_is_replaced_only_when_asked(tmp_path):
    out = tmp_path / "out"
    write_folder(out, tree("old"))
    with pytest.raises(ExportError, match=r"not empty.*--force"):
        write_folder(out, tree("new"))
    assert content(out) == dict(tree("old"))
    write_folder(out, tree("new", SLUGS[:2]), force=True)
    assert content(out) == dict(tree("new", SLUGS[:2]))
    assert names(tmp_path) == ["out"]


def test_force_leaves_alone_what_no_export_wrote(tmp_path):
    out = tmp_path / "out"
    (out / "src").mkdir(parents=True)
    (out / "src" / "main.c").write_text("int main;")
    with pytest.raises(ExportError, match="holds “src”"):
        write_folder(out, tree("new"), force=True)
    assert content(out) == {"src/main.c": b"int main;"}


def test_a_folder_that_breaks_off_leaves_the_one_before(tmp_path):
    out = tmp_path / "out"
    write_folder(out, tree("old"))
    with pytest.raises(OSError, match="full"):
        write_folder(out, breaking("new"), force=True)
    assert content(out) == dict(tree("old"))
    assert names(tmp_path) == ["out"]


# Static trees


def versions(folder: Path) -> list[str]:
    return [name for name in names(folder) if name.startswith("out.")]


def test_a_static_tree_has_each_file_compressed_as_well(tmp_path):
    out = tmp_path / "out"
    publish_static(out, tree("1"))
    assert out.is_symlink()
    assert not out.readlink().is_absolute()
    files = content(out.resolve())
    for path, data in tree("1"):
        assert files[path] == data
        assert gzip.decompress(files[f"{path}.gz"]) == data
        assert files[f"{path}.gz"][4:8] == b"\0\0\0\0"  # no date


def test_the_version_before_stays_and_older_ones_go(tmp_path):
    out = tmp_path / "out"
    (tmp_path / "out.txt").write_text("mine")
    for text in ("1", "2", "3"):
        before = out.readlink().name if out.is_symlink() else None
        publish_static(out, tree(text))
    assert versions(tmp_path) == sorted([before, out.readlink().name, "out.txt"])
    assert (out / SLUGS[0] / "_payload.json").read_text().endswith(" 3")


def test_a_static_tree_that_breaks_off_changes_nothing(tmp_path):
    out = tmp_path / "out"
    publish_static(out, tree("old"))
    before = names(tmp_path)
    with pytest.raises(OSError, match="full"):
        publish_static(out, breaking("new"))
    assert names(tmp_path) == before
    assert (out / SLUGS[0] / "_payload.json").read_text().endswith("old")


@pytest.mark.slow
def test_a_killed_export_leaves_the_tree_and_its_rest_is_cleared_later(tmp_path):
    out = tmp_path / "out"
    publish_static(out, tree("old"))
    script = (
        "import os, sys, pathlib\n"
        "from glossary.exporting.static import publish_static\n"
        "def files():\n"
        "    yield 'a/_payload.json', b'new'\n"
        "    os._exit(9)\n"
        "publish_static(pathlib.Path(sys.argv[1]), files())\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{script}", str(out)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        cwd=Path(__file__).resolve().parent.parent,
        check=False,
    )
    assert killed.returncode == 9
    assert (out / SLUGS[0] / "_payload.json").read_text().endswith("old")
    (part,) = tmp_path.glob(".out.*.part")
    publish_static(out, tree("new"))
    assert part.exists()  # it might be another's, still at work
    os.utime(part, (0, 0))
    publish_static(out, tree("new"))
    assert not part.exists()


def test_a_folder_in_the_place_of_the_link_needs_force(tmp_path):
    out = tmp_path / "out"
    write_folder(out, tree("folder"))
    with pytest.raises(ExportError, match=r"symbolic link.*--force"):
        publish_static(out, tree("static"))
    assert content(out) == dict(tree("folder"))
    publish_static(out, tree("static"), force=True)
    assert (out / SLUGS[0] / "_payload.json").read_text().endswith("static")
    (former,) = {*versions(tmp_path)} - {out.readlink().name}
    assert content(tmp_path / former) == dict(tree("folder"))


def test_force_does_not_convert_a_folder_of_somebody(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "index.html").write_text("mine")
    with pytest.raises(ExportError, match=r"index\.html"):
        publish_static(out, tree("static"), force=True)
    assert names(out) == ["index.html"]


def test_readers_never_miss_a_file_while_trees_are_swapped(tmp_path):
    out = tmp_path / "out"
    publish_static(out, tree("0"))
    faults: list[object] = []
    reads = 0
    is_over = threading.Event()

    def read() -> None:
        nonlocal reads
        while not is_over.is_set():
            for slug in SLUGS:
                try:
                    text = (out / slug / "_payload.json").read_text()
                    if not text.startswith(slug):
                        faults.append(text)
                except OSError as error:
                    faults.append(error)
                reads += 1

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    # Two exporters at once, each several times.
    writers = [
        threading.Thread(target=_publish_often, args=(out, str(number)))
        for number in range(2)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    time.sleep(0.05)
    is_over.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert reads > 100
    assert len(versions(tmp_path)) == 2


def _publish_often(out: Path, text: str) -> None:
    for _ in range(6):
        publish_static(out, tree(text))
