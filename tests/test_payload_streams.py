"""How much memory sources take, and what is kept of a record to find it again."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from glossary.payload.devalue import Tagged, dumps
from glossary.payload.field_map import FieldMap
from glossary.payload.forms import read_file
from glossary.payload.json_streams import Entries
from glossary.payload.records import Reading
from glossary.payload.schema import parse_term
from glossary.payload.sources import (
    STDIN,
    SourceError,
    SourceLimits,
    SourceRecord,
    count_sources,
    read_sources,
    record_from_raw,
)
from glossary.payload.values import PayloadError


if TYPE_CHECKING:
    from collections.abc import Callable

PAYLOADS = Path(__file__).resolve().parent.parent / "fixtures" / "glossary"


def term(number: int) -> dict[str, Any]:
    return {
        "slug": f"term-{number}",
        "term": f"Term {number}",
        "explanation": f"{number} " * 400,
    }


def payload(number: int) -> bytes:
    data = {"data": {f"$f{number}": Tagged("Ref", term(number))}}
    return dumps(Tagged("ShallowReactive", data)).encode()


def write_folder(path: Path, count: int) -> None:
    for number in range(count):
        folder = path / str(number)
        folder.mkdir(parents=True)
        (folder / "_payload.json").write_bytes(payload(number))


def write_zip(path: Path, count: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            archive.writestr(f"{number}/_payload.json", payload(number))


def write_tar(path: Path, count: int) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for number in range(count):
            entry = tarfile.TarInfo(f"{number}/_payload.json")
            data = payload(number)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def write_lines(path: Path, count: int) -> None:
    with path.open("w") as file:
        for number in range(count):
            file.write(json.dumps(term(number)) + "\n")


def write_array(path: Path, count: int) -> None:
    with path.open("w") as file:
        for number in range(count):
            file.write(("[" if number == 0 else ",\n") + json.dumps(term(number)))
        file.write("]")


def write_csv(path: Path, count: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, term(0))
        writer.writeheader()
        writer.writerows(term(number) for number in range(count))


def write_xlsx(path: Path, count: int) -> None:
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    sheet.append([*term(0)])
    for number in range(count):
        sheet.append([*term(number).values()])
    workbook.save(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "write",
    [
        write_folder,
        write_zip,
        write_tar,
        write_lines,
        write_array,
        write_csv,
        write_xlsx,
    ],
)
def test_ten_times_the_terms_take_the_same_memory(
    tmp_path: Path, write: Callable[[Path, int], None]
) -> None:
    peaks = []
    # Above the size that is read to tell the form of a file.
    small = 150 if write in (write_folder, write_zip, write_tar) else 1_500
    for count in (small, 10 * small):
        path = tmp_path / str(count)
        write(path, count)
        tracemalloc.start()
        found = 0
        for record in read_sources([path]):
            assert record.record is not None, record.error
            found += 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found == count

    assert peaks[1] < peaks[0] * 1.15 + 500_000
    assert peaks[1] < 20_000_000


# Standard input


@pytest.mark.parametrize(
    "write", [write_zip, write_tar, write_lines, write_array, write_csv, write_xlsx]
)
def test_standard_input_may_have_any_form(
    tmp_path: Path, write: Callable[[Path, int], None]
) -> None:
    write(tmp_path / "x", 3)

    with (tmp_path / "x").open("rb") as file:
        found = list(read_sources([STDIN], stdin=file))

    assert [one.record and one.record["slug"] for one in found] == [
        f"term-{number}" for number in range(3)
    ]
    assert found[0].source.startswith("standard input")
    assert count_sources([STDIN]) == 1


class Endless(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b" " * len(buffer)
        return len(buffer)


def test_standard_input_has_a_limit() -> None:
    endless: BinaryIO = io.BufferedReader(Endless())

    limits = SourceLimits(spooled=1_000_000)
    (found,) = read_sources([STDIN], stdin=endless, limits=limits)

    assert "larger than the limit of 1,000,000 bytes" in str(found.error)


# Arrays


class Slow(io.RawIOBase):
    """A file that gives few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self.file = io.BytesIO(data)
        self.step = step

    def read(self, size: int = -1) -> bytes:
        return self.file.read(self.step)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(st.lists(JSON, max_size=5), st.integers(1, 40), st.sampled_from([None, 1]))
@pytest.mark.slow
def test_an_array_is_read_as_json_reads_it(
    values: list[object], step: int, indent: int | None
) -> None:
    text = json.dumps(values, ensure_ascii=False, indent=indent)
    data = text.encode("utf-8", "replace")

    found = list(Entries(Slow(data, step), 10_000))  # type: ignore[arg-type]

    assert found == list(enumerate(json.loads(data)))


def _refuse(name: str) -> None:
    raise ValueError(name)


def is_read(data: bytes) -> bool:
    try:
        found = list(Entries(Slow(data, 7), 10_000))  # type: ignore[arg-type]
    except PayloadError:
        return False
    return not any(isinstance(entry, PayloadError) for _, entry in found)


@given(st.lists(JSON, min_size=1, max_size=4), st.data())
@pytest.mark.slow
def test_a_broken_array_is_an_error_of_ours(
    values: list[object], data: st.DataObject
) -> None:
    text = json.dumps(values)
    at = data.draw(st.integers(0, len(text) - 1))
    broken = text[:at] + data.draw(st.sampled_from(["", '"', "]", "x", "{", ",", "\\"]))
    broken += text[at + 1 :]
    try:
        is_array = isinstance(json.loads(broken, parse_constant=_refuse), list)
    except ValueError:
        is_array = False

    assert is_array is is_read(broken.encode())


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('{"a":"' + 'x\\"}]' * 1_000 + '"}', "larger than the limit of 1,000 bytes"),
        ("[" * 700 + '"]"' + "]" * 700, "larger than"),
        ('{"a":NaN}', "not JSON: NaN"),
        ('{"a":' + "9" * 800 + "}", None),
        ("é" * 0 + '"' + "é" * 600 + '"', "larger than"),
    ],
)
@pytest.mark.parametrize("step", [1, 3, 64, 100_000])
def test_an_entry_that_cannot_be_read_does_not_stop_the_rest(
    entry: str, message: str | None, step: int
) -> None:
    data = f'[{{"b":1}},{entry}, {{"c":2}}]'.encode()

    found = list(Entries(Slow(data, step), 1_000))  # type: ignore[arg-type]

    assert [found[0], found[2]] == [(0, {"b": 1}), (2, {"c": 2})]
    if message:
        assert message in str(found[1][1])


def test_entries_before_a_fault_are_given(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([term(1), term(2)])[:-100])

    found = list(read_sources([path]))

    assert [one.record and one.record["slug"] for one in found] == ["term-1", None]
    assert isinstance(found[1].error, SourceError)


# What is kept of a record


def rebuilt(found: SourceRecord, **more: Any) -> SourceRecord:
    assert found.raw is not None
    assert found.record is not None
    return record_from_raw(
        found.raw,
        found.form,
        source=found.source,
        line=found.line,
        pointer=found.pointer,
        slug=found.record["slug"],
        **more,
    )


TWO = [{"slug": "a", "term": "A", "h1": "x"}, {"slug": "b", "term": "B"}]
SCRIPT = 'window.__NUXT__=(function(a){return {data:[{slug:"a",term:a}]}}("A"))'


@pytest.mark.parametrize(
    ("name", "content", "forms"),
    [
        (
            "b/_payload.json",
            b"\xef\xbb\xbf" + dumps({"data": TWO}).encode(),
            ["payload"],
        ),
        ("x.json", json.dumps(TWO[0], indent=2).encode(), ["json"]),
        ("x.json", json.dumps({"page": TWO[1]}).encode(), ["json"]),
        ("x.json", json.dumps(TWO, indent=1).encode(), ["json", "json"]),
        ("x.json", b'[{"slug":"a","term":"\\ud83d"}]', ["json"]),
        ("x.jsonl", b'{"slug":"a","term":"A"} \n\n["x"]\n' + dumps(TWO).encode(), None),
        (
            "b/index.html",
            f"<script id=__NUXT_DATA__>{dumps({'data': TWO})}</script>".encode(),
            ["html"],
        ),
        ("x.html", f"<script>{SCRIPT}</script>".encode(), ["script"]),
        ("a/_payload.js", f"export default {SCRIPT[16:]}".encode(), ["script"]),
        ("x.csv", b'Slug;Term;TAGS;other\na;A;"x;y";\'=1\n', ["row"]),
    ],
)
@pytest.mark.parametrize("is_mapped", [False, True])
def test_a_record_is_found_again_in_what_was_kept(
    tmp_path: Path,
    name: str,
    content: bytes,
    forms: list[str] | None,
    is_mapped: bool,
) -> None:
    more: dict[str, Any] = {}
    if is_mapped:
        field_map = {"fields": {"h1": "term"}, "sections": {"other": "history"}}
        more["field_map"] = FieldMap.from_dict(field_map)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)

    found = [one for one in read_sources([path], **more) if one.record]

    assert found
    assert [one.form for one in found] == (forms or ["json", "payload"])
    assert [rebuilt(one, **more) for one in found] == found


def test_what_is_kept_of_a_payload_is_its_bytes(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + dumps({"data": TWO}).encode() + b"\r\n"
    (tmp_path / "_payload.json").write_bytes(content)

    (found,) = read_sources([tmp_path])

    assert (found.raw, found.form) == (content, "payload")


def test_what_is_kept_of_an_entry_and_a_row_is_compact(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"slug": "é", "term": "É"}], indent=4))
    (tmp_path / "b.csv").write_text("Slug,Term\né,'=É\n")

    entry, row = read_sources([tmp_path])

    assert entry.raw == '{"slug":"é","term":"É"}'.encode()
    assert row.raw == '{"Slug":"é","Term":"\'=É"}'.encode()


def test_what_was_kept_and_cannot_be_read_is_an_error() -> None:
    for form in ("payload", "json", "html", "script", "row"):
        for raw in (b"", b"[]", b"{}", b"\xff", b"1", b'{"a":1}'):
            found = record_from_raw(raw, form, source="run 1", line=2)  # type: ignore[arg-type]
            assert (found.record is None) is (found.error is not None)
    with pytest.raises(ValueError, match="no form of a record"):
        record_from_raw(b"{}", "yaml", source="run 1")  # type: ignore[arg-type]


# Cut off anywhere


def cut_forms() -> dict[str, bytes]:
    whole = min(PAYLOADS.glob("*/_payload.json"), key=lambda path: path.stat().st_size)
    (found,) = read_sources([whole])
    payload = whole.read_bytes()
    record = json.dumps(found.record, ensure_ascii=False).encode()
    return {
        "_payload.json": payload,
        "record.json": record,
        "array.json": b"[" + record + b"]",
        "index.html": b"<script id=__NUXT_DATA__>" + payload + b"</script>",
        "_payload.js": b"export default " + record,
    }


@pytest.mark.parametrize("name", cut_forms())
def test_a_payload_cut_anywhere_is_an_error_or_the_same_term(name: str) -> None:
    content = cut_forms()[name]
    (whole,) = read_file(io.BytesIO(content), Reading("x"), name)
    assert whole.record is not None
    term = parse_term(whole.record).term

    for size in range(len(content)):
        for found in read_file(io.BytesIO(content[:size]), Reading("x"), name):
            if found.record is None:
                assert isinstance(found.error, SourceError)
            else:
                assert parse_term(found.record).term == term


def test_a_packed_file_that_is_no_tar_says_so(tmp_path: Path) -> None:
    for pack in (gzip.compress, bz2.compress):
        path = tmp_path / "x.json.gz"
        path.write_bytes(pack(payload(1)))

        (found,) = read_sources([path])

        assert "packed, but no tar archive" in str(found.error)
