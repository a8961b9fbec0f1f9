from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import resource
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.payload.devalue import dumps
from glossary.payload.sources import (
    SourceError,
    SourceLimits,
    SourceRecord,
    count_sources,
    read_sources,
)


if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).resolve().parent.parent


def payload(slug: str) -> bytes:
    data = {"data": {"$f": {"slug": slug, "term": slug.title()}}, "prerenderedAt": 1}
    return dumps(data).encode()


FILES = {
    "site/token/_payload.json": payload("token"),
    "site/token/index.html": b"<p>what the payload says as well",
    "site/vector/_payload.json": payload("vector"),
    "site/more.jsonl": b'{"slug":"a","term":"A"}\n{"slug":"b","term":"B"}\n',
    "site/style.css": b"a{}",
    "site/.git/x.json": payload("hidden"),
    "__MACOSX/site/x.json": payload("hidden"),
    "200.html": b"<p>",
}
SLUGS = ["token", "vector", "a", "b"]


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(files: dict[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def read(path: Path, data: bytes, **limits: int) -> list[SourceRecord]:
    path.write_bytes(data)
    return list(read_sources([path], limits=SourceLimits(**limits)))


def slugs(found: list[SourceRecord]) -> list[str | None]:
    return [one.record["slug"] if one.record else None for one in found]


def errors(found: list[SourceRecord]) -> list[str]:
    assert all(isinstance(one.error, SourceError | None) for one in found)
    return [str(one.error) for one in found if one.error]


# What archives hold


@pytest.mark.parametrize(
    "pack",
    [
        zipped,
        lambda files: zipped(files, zipfile.ZIP_STORED),
        tarred,
        lambda files: tarred(files, tarfile.GNU_FORMAT),
        lambda files: tarred(files, tarfile.USTAR_FORMAT),
        lambda files: gzip.compress(tarred(files)),
        lambda files: bz2.compress(tarred(files)),
        lambda files: lzma.compress(tarred(files)),
        lambda files: b"".join(
            gzip.compress(tarred(files)[at : at + 1000])
            for at in range(0, len(tarred(files)), 1000)
        ),
    ],
    ids=["zip", "stored", "pax", "gnu", "ustar", "gz", "bz2", "xz", "gz-in-parts"],
)
@pytest.mark.parametrize("name", ["site.zip", "site.tar.gz", "upload"])
def test_an_archive_is_told_by_its_content(
    tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes], name: str
) -> None:
    found = read(tmp_path / name, pack(FILES))

    assert errors(found) == []
    assert slugs(found) == SLUGS
    assert found[0].source == f"{tmp_path / name}/site/token/_payload.json"
    assert found[0].raw == FILES["site/token/_payload.json"]
    assert [one.line for one in found] == [None, None, 1, 2]
    assert count_sources([tmp_path / name]) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_an_archive_in_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/site.tgz").write_bytes(gzip.compress(tarred(FILES)))
    (tmp_path / "b.zip").write_bytes(zipped({"x/_payload.json": payload("x")}))

    assert slugs(list(read_sources([tmp_path]))) == [*SLUGS, "x"]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_long_names_and_other_scripts_are_read(
    tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    name = "/".join(["ä" * 60] * 6) + "/抽象化/_payload.json"

    (found,) = read(tmp_path / "x", pack({name: payload("x")}))

    assert found.source.endswith("/抽象化/_payload.json")
    assert slugs([found]) == ["x"]


def test_the_folder_in_an_archive_names_the_slug(tmp_path: Path) -> None:
    both = dumps([{"slug": "a", "term": "A", "h1": ""}, {"slug": "b", "term": "B"}])
    files = {"b/_payload.json": both.encode(), "c/index.html": both.encode()}

    assert slugs(read(tmp_path / "x.zip", zipped(files))) == ["b", "a"]


def test_a_zip_behind_a_program_is_read(tmp_path: Path) -> None:
    data = zipped({"a/_payload.json": payload("a")})
    # The first bytes tell an archive, so one that begins otherwise is none.
    (found,) = read(tmp_path / "x", b"PK\x03\x04" + b"\0" * 100 + data)

    assert slugs([found]) == ["a"]


def test_a_bad_file_in_an_archive_does_not_stop_the_rest(tmp_path: Path) -> None:
    files = {"a.json": b"{", "b.json": payload("b"), "c.zip": zipped(FILES)}
    for pack in (zipped, tarred):
        found = read(tmp_path / "x", pack(files))

        assert slugs(found) == [None, "b", None]
        assert f"{tmp_path / 'x'}/a.json: not JSON" in errors(found)[0]
        assert "an archive within an archive" in errors(found)[1]


def test_large_files_in_an_archive_are_streamed_or_refused(tmp_path: Path) -> None:
    line = json.dumps({"slug": "a", "term": "A", "explanation": "x" * 5_000}) + "\n"
    files = {"a.jsonl": line.encode() * 10, "b.json": line.encode()}
    for pack in (zipped, tarred):
        found = read(tmp_path / "x", pack(files), file=4_000, entry=6_000)
        assert slugs(found) == ["a"] * 10 + [None]
        assert "limit of 4,000 bytes" in errors(found)[0]
        found = read(tmp_path / "x", pack(files), member=20_000)
        assert slugs(found) == [None, "a"]
        assert "larger than 20,000 bytes unpacked" in errors(found)[0]


# What is refused


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/etc/x.json", "absolute path"),
        ("C:/x.json", "absolute path"),
        ("\\x.json", "absolute path"),
        ("../x.json", "leads out of the archive"),
        ("a/../../x.json", "leads out of the archive"),
        ("a\\..\\..\\x.json", "leads out of the archive"),
        ("a/..", "leads out of the archive"),
    ],
)
def test_a_name_that_leaves_the_archive_is_refused(
    tmp_path: Path, name: str, message: str
) -> None:
    files = {name: payload("evil"), "good.json": payload("good")}
    for pack in (zipped, tarred):
        found = read(tmp_path / "x", pack(files))

        assert slugs(found) == [None, "good"]
        assert message in errors(found)[0]


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
    ],
)
def test_links_and_devices_are_refused_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("passwd.json")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
        good = tarfile.TarInfo("good.json")
        good.size = len(payload("good"))
        archive.addfile(good, io.BytesIO(payload("good")))

    found = read(tmp_path / "x", buffer.getvalue())

    assert slugs(found) == [None, "good"]
    assert "a link or a device, not a file" in errors(found)[0]


def test_links_are_refused_in_a_zip(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link.json")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")

    found = read(tmp_path / "x", buffer.getvalue())

    assert "a link or a device, not a file" in errors(found)[0]


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.json": payload("a")}))
    directory = data.rindex(b"PK\x01\x02")
    data[6] |= 1
    data[directory + 8] |= 1

    assert (
        "encrypted. Give the archive without a password"
        in errors(read(tmp_path / "x", bytes(data)))[0]
    )


def test_a_method_that_is_not_read_is_named(tmp_path: Path) -> None:
    data = zipped({"a.json": payload("a")}, zipfile.ZIP_LZMA)

    assert (
        "packed by a method (14) that is not read"
        in errors(read(tmp_path / "x", data))[0]
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_second_file_of_a_name_is_refused(tmp_path: Path) -> None:
    first, second = payload("first"), payload("second")
    for name, again in (("a.json", "a.json"), ("a.json", "./a.json")):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, first)
            archive.writestr(again, second)
        tar = tarred({name: first}).rstrip(b"\0")
        tar += b"\0" * (-len(tar) % 512) + tarred({again: second})
        for data in (buffer.getvalue(), tar):
            found = read(tmp_path / "x", data)
            assert slugs(found) == ["first", None]
            assert "a second file of this name" in errors(found)[0]


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.json": payload("a")}, zipfile.ZIP_STORED))
    data[data.index(b"prerenderedAt")] ^= 1

    assert "the checksum does not fit" in errors(read(tmp_path / "x", bytes(data)))[0]


def test_an_archive_without_terms_is_an_error(tmp_path: Path) -> None:
    for pack in (zipped, tarred):
        (said,) = errors(read(tmp_path / "x", pack({"a.css": b""})))
        assert "an archive without files that may hold terms" in said
    for data in (zipped({}), gzip.compress(b""), gzip.compress(b"not a tar" * 99)):
        assert len(errors(read(tmp_path / "x", data))) == 1


PACKED = {
    "zip": zipped(FILES),
    "tar": tarred(FILES),
    "gz": gzip.compress(tarred(FILES)),
    "bz2": bz2.compress(tarred(FILES)),
    "xz": lzma.compress(tarred(FILES)),
}


@pytest.mark.parametrize("kind", PACKED)
def test_a_cut_archive_gives_no_wrong_terms(tmp_path: Path, kind: str) -> None:
    data = PACKED[kind]
    for size in range(1, len(data), max(1, len(data) // 150)):
        found = read(tmp_path / "x", data[:size])
        assert found
        assert {slug for slug in slugs(found) if slug} <= set(SLUGS)
        if kind != "tar":
            assert errors(found)


@given(st.sampled_from(sorted(PACKED)), st.data())
def test_a_damaged_archive_ends_in_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    damaged = bytearray(PACKED[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "x"

    found = read(path, bytes(damaged))

    assert found
    errors(found)


# Bombs


def limited(script: str, path: Path) -> str:
    """What a script prints that may use 1 GB and 20 s."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1024**3, 1024**3))
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))

    result = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=REPOSITORY,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


READ = """
import sys
from pathlib import Path
from glossary.payload.sources import count_sources, read_sources
print(count_sources([Path(sys.argv[1])]))
for at, found in enumerate(read_sources([Path(sys.argv[1])])):
    if at < 5 or found.record:
        print(str(found.error)[:400] if found.error else found.record["slug"])
"""

GIGABYTE = 1024**3


def zip_of_zeros(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            with archive.open(f"{number}.jsonl", "w") as file:
                file.write(b"{}\n{}\n")
                for _ in range(100):
                    file.write(b" " * 1024 * 1024)


def zip_that_lies(path: Path) -> None:
    """A file that says it is small, and is not."""
    zip_of_zeros(path)
    data = path.read_bytes()
    size = struct.pack("<I", 100 * 1024 * 1024 + 6)
    assert size in data
    path.write_bytes(data.replace(size, struct.pack("<I", 10)))


def zip_of_many(path: Path) -> None:
    """A directory of many entries, all of one file."""
    name = b"0.json"
    local = struct.pack(
        "<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0
    )
    line = (
        struct.pack(
            "<IHHHHHHIIIHHHHHII",
            *(0x02014B50, 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0),
        )
        + name
    )
    count = 2_000_000
    start = len(local) + len(name)
    with path.open("wb") as file:
        file.write(local + name)
        for _ in range(count // 1000):
            file.write(line * 1000)
        end = start + len(line) * count
        file.write(
            struct.pack(
                "<IQHHIIQQQQ",
                0x06064B50,
                44,
                45,
                45,
                0,
                0,
                count,
                count,
                end - start,
                start,
            )
        )
        file.write(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
        file.write(
            struct.pack(
                "<IHHHHIIH", 0x06054B50, 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0
            )
        )


def tar_header(name: bytes, size: int, kind: bytes = b"0") -> bytes:
    head = bytearray(512)
    head[: len(name)] = name
    head[100:108] = b"0000644\0"
    head[124:136] = b"\x80" + size.to_bytes(11, "big")
    head[148:156] = b" " * 8
    head[156:157] = kind
    head[257:265] = b"ustar\x0000"
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def tar_with_a_huge_size(path: Path) -> None:
    path.write_bytes(tar_header(b"a.json", 2**80) + b"x" * 512)


def tar_with_a_huge_name(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        file.write(tar_header(b"x", 900 * 1024 * 1024, b"x"))
        for _ in range(900):
            file.write(b"x" * 1024 * 1024)


def tar_of_zeros(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        file.write(tar_header(b"a.jsonl", 800 * 1024 * 1024))
        for _ in range(800):
            file.write(b" " * 1024 * 1024)


def xz_with_a_huge_dictionary(path: Path) -> None:
    filters: list[dict[str, Any]] = [
        {"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1024**3 - 1}
    ]
    try:
        data = lzma.compress(tarred(FILES), filters=filters)
    except MemoryError:
        pytest.skip("too little memory to make one")
    path.write_bytes(data)


def gzip_of_gzip(path: Path) -> None:
    data = tarred({"a.json": b" " * 50 * 1024 * 1024})
    for _ in range(3):
        data = gzip.compress(data)
    path.write_bytes(data)


def workbook(path: Path, block: bytes, count: int) -> None:
    """A workbook whose sheet is made of so many blocks."""
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/workbook.xml": f'<workbook xmlns:r="{relation}"><sheets>'
        '<sheet name="A" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<R><Relationship Id="a" Target="a.xml"/></R>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        with archive.open("xl/a.xml", "w") as file:
            file.write(b"<worksheet><sheetData>")
            for _ in range(count):
                file.write(block)


def workbook_of_spaces(path: Path) -> None:
    workbook(path, b" " * 1024 * 1024, 400)


def workbook_of_depth(path: Path) -> None:
    workbook(path, b"<a>" * 100_000, 100)


def workbook_of_one_tag(path: Path) -> None:
    workbook(path, b'<a a="' + b"x" * 100 * 1024 * 1024, 1)


def workbook_of_one_comment(path: Path) -> None:
    workbook(path, b"<!--" + b"x" * 100 * 1024 * 1024, 1)


def workbook_of_one_cell(path: Path) -> None:
    workbook(path, b"<row><c><v>" + b"x" * 1024 * 1024, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (workbook_of_spaces, "unpacks to more than 200 times its size"),
        (workbook_of_depth, "nested deeper than 100 levels"),
        (workbook_of_one_tag, "a tag without an end"),
        (workbook_of_one_comment, "a tag without an end"),
        (workbook_of_one_cell, "a cell of more than 200,000 characters"),
        (zip_of_zeros, "unpacks to more than 200 times its size"),
        (zip_that_lies, "unpacks to more than 200 times its size"),
        (zip_of_many, "an archive of more than 200,000 files"),
        (tar_with_a_huge_size, "an archive that is cut off"),
        (tar_with_a_huge_name, "a file name that has no end"),
        (tar_of_zeros, "unpacks to more than 200 times its size"),
        (xz_with_a_huge_dictionary, "a damaged archive: Memory usage limit"),
        (gzip_of_gzip, "packed, but no tar archive"),
    ],
)
def test_a_bomb_is_refused_within_memory_and_time(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "bomb"
    make(path)

    assert message in limited(READ, path)


@pytest.mark.slow
def test_bombs_in_other_forms_are_refused_within_memory_and_time(
    tmp_path: Path,
) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.write(b'[{"slug":"a","term":"A"},{"slug":"b","term":"B","x":"')
        for _ in range(600):
            file.write(b"x" * 1024 * 1024)
        file.write(b'"},{"slug":"c","term":"C"}]')
    assert limited(READ, huge).split("\n")[1:-1] == [
        "a",
        f"{huge}: larger than the limit of 2,097,152 bytes (at '/1')",
        "c",
    ]
    quote = tmp_path / "quote.csv"
    with quote.open("wb") as file:
        file.write(b'slug,term\na,"')
        for _ in range(600):
            file.write(b"x" * 1023 * 1024 + b"\n")
    assert "a quotation mark without an end" in limited(READ, quote)
    script = tmp_path / "payload.js"
    script.write_text("export default " + "[" * 2_000_000)
    assert "nested deeper than 200 levels" in limited(READ, script)
