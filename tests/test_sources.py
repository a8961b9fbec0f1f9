from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from glossary.payload.devalue import PayloadError, Tagged, dumps
from glossary.payload.schema import parse_term
from glossary.payload.sources import (
    MAX_BYTES,
    SourceError,
    SourceLimits,
    SourceRecord,
    count_sources,
    read_sources,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def term(slug: str, **more: Any) -> dict[str, Any]:
    return {"slug": slug, "term": slug.title(), **more}


def payload(*terms: dict[str, Any]) -> str:
    data = {f"$f{number}": Tagged("Ref", found) for number, found in enumerate(terms)}
    return dumps({"data": Tagged("ShallowReactive", data), "prerenderedAt": 1})


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def slugs(records: Iterator[SourceRecord]) -> list[str | None]:
    """The slug of each record, None for an error."""
    return [found.record["slug"] if found.record else None for found in records]


def only_error(path: Path, **limits: int) -> str:
    (found,) = read_sources([path], limits=SourceLimits(**limits))
    assert found.record is None
    assert isinstance(found.error, SourceError)
    return str(found.error)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may read everything: be nobody for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may read: pytest's own may not be."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


# Forms

A, B = term("a"), term("b")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            payload(A), [SourceRecord("", None, A, "/data/$f0", "$f0")], id="payload"
        ),
        pytest.param(
            '[{"data":1},\n["Other",2],\n{"k":3},\n{"slug":4,"term":5},\n"a","A"]',
            [SourceRecord("", None, A, "/data/k", "k")],
            id="payload in lines, with a tag of the site's own",
        ),
        pytest.param(json.dumps(A), [SourceRecord("", None, A)], id="record"),
        pytest.param(json.dumps(A, indent=1), [SourceRecord("", None, A)], id="pretty"),
        pytest.param(
            '{"faq":\n[],\n"slug":"a",\n"term":"A", "more":\n{\n"x":[\n{}\n]\n}\n}',
            [SourceRecord("", None, term("a", faq=[], more={"x": [{}]}))],
            id="pretty in another way",
        ),
        pytest.param(
            json.dumps({"page": {"x/y": A}}),
            [SourceRecord("", None, A, "/page/x~1y")],
            id="object that contains a record",
        ),
        pytest.param(
            json.dumps({"data": {"k": A}}),
            [SourceRecord("", None, A, "/data/k", "k")],
            id="payload in plain JSON",
        ),
        pytest.param(
            json.dumps([A, B]),
            [SourceRecord("", None, A, "/0"), SourceRecord("", None, B, "/1")],
            id="array",
        ),
        pytest.param(
            json.dumps([A, {"page": B}], indent=2),
            [SourceRecord("", None, A, "/0"), SourceRecord("", None, B, "/1/page")],
            id="pretty array",
        ),
        pytest.param(
            f"[{json.dumps(A)},\n{json.dumps(B)}]",
            [SourceRecord("", None, A, "/0"), SourceRecord("", None, B, "/1")],
            id="array in lines",
        ),
        pytest.param(
            f"{json.dumps(A)}\n\n  {json.dumps(B)}\r\n",
            [SourceRecord("", 1, A), SourceRecord("", 3, B)],
            id="lines",
        ),
        pytest.param(
            f"\n{payload(A)}\n{payload(B)}",
            [
                SourceRecord("", 2, A, "/data/$f0", "$f0"),
                SourceRecord("", 3, B, "/data/$f0", "$f0"),
            ],
            id="lines of payloads",
        ),
        pytest.param(
            b"\xef\xbb\xbf" + json.dumps(A).encode() + b"\n" + json.dumps(B).encode(),
            [SourceRecord("", 1, A), SourceRecord("", 2, B)],
            id="byte order mark",
        ),
        pytest.param(
            json.dumps({"slug": "a\u2028\u00e9", "term": "\x85"}, ensure_ascii=False),
            [SourceRecord("", None, {"slug": "a\u2028é", "term": "\x85"})],
            id="line ends that are none in JSON",
        ),
    ],
)
@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.txt"])
def test_the_form_is_told_by_the_content(
    tmp_path: Path, content: str | bytes, expected: list[SourceRecord], name: str
) -> None:
    path = write(tmp_path / name, content)

    found = list(read_sources([path]))

    assert {record.source for record in found} == {str(path)}
    assert [
        (record.line, record.record, record.pointer, record.key, record.error)
        for record in found
    ] == [(want.line, want.record, want.pointer, want.key, None) for want in expected]


def test_the_folder_of_a_payload_names_the_slug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = payload(term("a", h1="fuller"), B)
    write(tmp_path / "b/_payload.json", both)
    write(tmp_path / "b/_payload.1f3.json", both)
    write(tmp_path / "b/other.json", both)

    assert slugs(read_sources([tmp_path])) == ["b", "b", "a"]
    monkeypatch.chdir(tmp_path / "b")
    assert slugs(read_sources([Path("_payload.json")])) == ["b"]


def test_an_entry_of_an_array_is_itself_before_what_it_contains(tmp_path: Path) -> None:
    parent = term("a", parent=term("b", h1="", faq=[], tags=[]))
    path = write(tmp_path / "x.json", json.dumps([parent]))

    assert slugs(read_sources([path])) == ["a"]


# What cannot be read


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty. Save the page's _payload.json once more"),
        (" \n\t\n", "empty. Save"),
        (b"\xef\xbb\xbf", "empty. Save"),
        ("<!DOCTYPE html>\n{", "HTML without a payload in it. Save the page's"),
        ("\n <html>", "HTML without a payload in it"),
        (json.dumps(A).encode("utf-16"), "UTF-16 or UTF-32, not UTF-8. Save it as"),
        (json.dumps(A).encode("utf-16-be"), "UTF-16 or UTF-32"),
        (json.dumps(A).encode("utf-32-le"), "UTF-16 or UTF-32"),
        ("\n".join(["{}", "{}"]).encode("utf-16"), "UTF-16 or UTF-32"),
        ('{"slug":"é"}'.encode("latin-1"), "not UTF-8, from byte 9 on. Save it as"),
        (b"\x80\x8b\x08", "not UTF-8, from byte 0 on"),
        (
            '{"error":true,"statusCode":404,"statusMessage":"Page not found"}',
            "the site answered with an error page, status 404: Page not found",
        ),
        (
            '[{"data":1},{"k":2},["NuxtError",3],{"statusCode":4},410]',
            "the site answered with an error page, status 410",
        ),
        ('{"slug": "a"}', "no object in it has both “slug” and “term”"),
        (payload(), "no object in it has both"),
        ("-1", "no object in it has both"),
        ("1", "no object in it has both"),
        ('"slug"', "no object in it has both"),
        ("[]", "no payload"),
        ("[1", "not JSON: "),
        ('[{"slug":7,"term":1},"x"]', "no element of the payload"),
        ('[{"slug":"a"', "not JSON: "),
        ('[{"slug":7},]', "not JSON: "),
        ('{"slug":', "not JSON: Expecting value at character 8"),
        ('{"slug":NaN}', "not JSON: NaN"),
        ('{"slug":' + "9" * 5000 + "}", "a number of more digits than Python converts"),
        ('{"a":' * 200_000, "nested too deep"),
        ("[" * 200_000, "nested too deep"),
        ("hello", "not JSON: "),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    path = write(tmp_path / "x.json", content)

    said = only_error(path)

    assert said.startswith(f"{path}: ")
    assert message in said


def test_a_bad_line_does_not_stop_the_rest(tmp_path: Path) -> None:
    lines = [
        '{"slug": "a", "te',
        json.dumps(A),
        '{"slug": "b"}',
        b"\xff".decode("latin-1"),
        "<p>",
        json.dumps(B),
    ]
    path = write(tmp_path / "x.jsonl", "\n".join(lines).encode("latin-1"))

    found = list(read_sources([path]))

    assert slugs(iter(found)) == [None, "a", None, None, None, "b"]
    assert [record.line for record in found] == [1, 2, 3, 4, 5, 6]
    assert str(found[2].error).startswith(f"{path}, line 3: no term in this payload")
    assert "not UTF-8" in str(found[3].error)
    assert "HTML" in str(found[4].error)


def test_a_bad_entry_of_an_array_does_not_stop_the_rest(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", json.dumps([A, {"slug": "x"}, 7, B]))

    found = list(read_sources([path]))

    assert slugs(iter(found)) == ["a", None, None, "b"]
    assert [record.pointer for record in found] == ["/0", "/1", "/2", "/3"]
    assert isinstance(found[1].error, SourceError)
    assert found[1].error.path == "/1"
    assert "at '/1'" in str(found[1].error)


def test_an_error_keeps_its_cause(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", '[{"slug":7,"term":1},"x"]')

    (found,) = read_sources([path])

    assert isinstance(found.error, SourceError)
    assert isinstance(found.error.__cause__, PayloadError)
    assert (found.error.index, found.error.path, found.pointer) == (0, "/slug", "/slug")


def test_a_record_that_makes_no_term_is_not_this_modules_concern(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "x.json", '{"slug": 5, "term": null}')

    (found,) = read_sources([path])

    assert found.record == {"slug": 5, "term": None}


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    big = json.dumps(term("a", explanation="x" * 5_000_000))
    path = write(tmp_path / "x.json", big)

    said = only_error(path)

    assert f"larger than the limit of {MAX_BYTES:,} bytes. Give one file" in said
    assert slugs(read_sources([path], limits=SourceLimits(file=len(big)))) == ["a"]
    assert "limit" in only_error(path, file=len(big) - 1)


@pytest.mark.parametrize("end", ["}", ",", " "])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_line_over_the_limit_does_not_stop_the_rest(
    tmp_path: Path, end: str, place: int
) -> None:
    lines = [json.dumps(A), json.dumps(B)]
    lines.insert(place, "{" + "x" * 998 + end * 200_000)
    path = write(tmp_path / "x.jsonl", "\n".join(lines))

    limits = SourceLimits(entry=1000)

    found = list(read_sources([path], limits=limits))

    expected: list[str | None] = ["a", "b"]
    expected.insert(place, None)
    assert slugs(iter(found)) == expected
    assert "limit of 1,000 bytes" in str(found[place].error)
    assert count_sources([path], limits=limits) == 3


def test_a_line_within_the_limit_is_read_to_its_end(tmp_path: Path) -> None:
    line = json.dumps(A)
    path = write(tmp_path / "x.jsonl", f"{line}\n{line}\n")

    for spare, expected in ((1, ["a", "a"]), (-1, [None, None])):
        limits = SourceLimits(entry=len(line) + spare, file=len(line) + spare)
        assert slugs(read_sources([path], limits=limits)) == expected


def test_a_line_that_is_all_of_a_file_is_too_large_in_few_words(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "x.jsonl", '{"slug": "' + "x" * 5_000)

    assert "limit of 1,000 bytes" in only_error(path, entry=1000, file=1000)


# Folders


def test_a_folder_is_walked_in_the_order_of_names(tmp_path: Path) -> None:
    for name in [
        "z.json",
        "b/_payload.json",
        "a/c/_payload.json",
        "a/b.jsonl",
        "a/B.JSON",
        "notes.txt",
        "a/index.md",
        ".hidden.json",
        ".git/x.json",
    ]:
        write(tmp_path / name, json.dumps(term("x")))

    found = [Path(record.source) for record in read_sources([tmp_path])]

    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "a/B.JSON",
        "a/b.jsonl",
        "a/c/_payload.json",
        "b/_payload.json",
        "z.json",
    ]
    assert count_sources([tmp_path]) == 5


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    write(outside / "a.json", json.dumps(A))
    write(inside / "b.json", json.dumps(B))
    (inside / "out").symlink_to(outside)
    (inside / "up").symlink_to(inside)
    (inside / "loop").symlink_to("loop")
    (inside / "a.json").symlink_to(outside / "a.json")

    assert slugs(read_sources([inside])) == ["a", "b"]
    assert slugs(read_sources([inside / "out"])) == ["a"]


def test_a_link_that_leads_nowhere_is_an_error_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "b.json", json.dumps(B))
    (tmp_path / "a.json").symlink_to("a.json")
    (tmp_path / "c.json").symlink_to("gone.json")

    assert slugs(read_sources([tmp_path])) == [None, "b", None]
    assert count_sources([tmp_path]) == 3


def test_a_folder_without_payloads_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "sub/notes.txt", "x")

    assert only_error(tmp_path) == (
        f"{tmp_path}: a folder without files that may hold terms. Choose another one"
    )
    assert count_sources([tmp_path]) == 1


def test_a_folder_without_permission_does_not_stop_the_rest(open_folder: Path) -> None:
    write(open_folder / "a.json", json.dumps(A))
    locked = open_folder / "b"
    locked.mkdir()
    locked.chmod(0)
    write(open_folder / "c.json", json.dumps(B)).chmod(0)

    with unprivileged():
        found = list(read_sources([open_folder]))

    locked.chmod(0o700)
    assert slugs(iter(found)) == ["a", None, None]
    assert str(found[1].error) == (
        f"{locked}: cannot be listed: Permission denied. Check its permissions"
    )
    assert "cannot be read: Permission denied. Check the file" in str(found[2].error)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")

    assert "not a regular file" in only_error(tmp_path)
    assert count_sources([tmp_path]) == 1


def test_a_name_that_is_no_utf_8_can_be_shown(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.json")
    write(path, json.dumps(A))

    (found,) = read_sources([path])

    assert found.source.endswith("caf?.json")
    assert found.record == A


# Paths


@pytest.mark.parametrize(
    "name", ["gone.json", "a.json/gone.json", "x" * 300, "\x00", "\ud800"]
)
@pytest.mark.parametrize("function", [read_sources, count_sources])
def test_a_path_that_leads_nowhere_stops_all(
    tmp_path: Path, name: str, function: Callable[[list[Path]], object]
) -> None:
    good = write(tmp_path / "a.json", json.dumps(A))

    with pytest.raises(SourceError, match=r"cannot be read: .*\. Check the path"):
        function([good, tmp_path / name])


def test_files_are_read_when_their_turn_comes(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{n}.json", json.dumps(A)) for n in range(2)]

    records = read_sources(iter(paths))
    next(records)
    paths[1].unlink()

    (last,) = records
    assert "No such file" in str(last.error)


def test_no_paths_give_no_records() -> None:
    assert list(read_sources([])) == []
    assert count_sources([]) == 0


def test_files_and_lines_are_counted(tmp_path: Path) -> None:
    write(tmp_path / "a/_payload.json", payload(A))
    write(tmp_path / "b.jsonl", f"{json.dumps(A)}\n\n{json.dumps(B)}\n{{broken\n")
    write(tmp_path / "c.json", json.dumps([A, B]))
    write(tmp_path / "d.json", "")

    assert count_sources([tmp_path, tmp_path / "b.jsonl"]) == 6 + 3


# Real inputs


def test_the_real_inputs_are_read(shared_data: Callable[[str], Path]) -> None:
    seed = shared_data("seed/_payload.json")
    found = list(read_sources([seed, shared_data("cncf")]))

    assert [record for record in found if record.error] == []
    assert len(found) == count_sources([seed, shared_data("cncf")])
    assert found[0].key is not None
    for record in found:
        assert parse_term(record.record, pointer=record.pointer).problems == ()
