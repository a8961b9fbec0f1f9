from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from glossary.payload.field_map import FieldMap
from glossary.payload.schema import LabelPayload, RelatedTermPayload, parse_term
from glossary.payload.sources import (
    SourceError,
    SourceLimits,
    SourceRecord,
    read_sources,
)


if TYPE_CHECKING:
    from collections.abc import Callable


def csv_file(path: Path, rows: list[list[str]], delimiter: str = ",") -> Path:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    return path


def xlsx_file(path: Path, rows: list[list[Any]], *more: list[list[Any]]) -> Path:
    workbook = Workbook()
    workbook.remove(workbook.active)
    for number, sheet_rows in enumerate((rows, *more)):
        sheet = workbook.create_sheet(f"Sheet {number}")
        for row in sheet_rows:
            sheet.append(row)
    workbook.save(path)
    return path


WRITERS = {"table.csv": csv_file, "table.xlsx": xlsx_file}
both = pytest.mark.parametrize("name", WRITERS)


def read(
    path: Path, field_map: FieldMap | None = None, **limits: int
) -> list[SourceRecord]:
    return list(
        read_sources([path], field_map=field_map, limits=SourceLimits(**limits))
    )


def record(path: Path, field_map: FieldMap | None = None) -> dict[str, Any]:
    (found,) = read(path, field_map)
    assert found.error is None
    assert found.record is not None
    return found.record


def error(path: Path, **limits: int) -> str:
    errors = [str(found.error) for found in read(path, **limits) if found.error]
    (said,) = errors
    return said


# Columns


@both
@pytest.mark.parametrize(
    "header",
    [
        ["slug", "term", "shortDefinition"],
        ["Slug", "TERM", "Short definition"],
        [" slug ", "term", "short_definition"],
        ["slug", "term", "SHORT-DEFINITION"],
    ],
)
def test_a_column_bears_the_name_of_a_field(
    tmp_path: Path, name: str, header: list[str]
) -> None:
    path = WRITERS[name](tmp_path / name, [header, ["a", "A", "An a."]])

    assert record(path) == {"slug": "a", "term": "A", "shortDefinition": "An a."}


@both
def test_attributes_and_fields_of_other_sites_are_columns_as_well(
    tmp_path: Path, name: str
) -> None:
    rows = [
        ["slug", "term", "heading", "how_it_works", "level", "extra"],
        ["a", "A", "What?", "So.", "2", '{"x":[1]}'],
    ]

    assert record(WRITERS[name](tmp_path / name, rows)) == {
        "slug": "a",
        "term": "A",
        "h1": "What?",
        "howItWorks": "So.",
        "level": "2",
        "extra": {"x": [1]},
    }


@both
def test_a_field_map_names_columns(tmp_path: Path, name: str) -> None:
    field_map = FieldMap.from_dict(
        {
            "fields": {"ID": "slug", "Begriff": "term", "Stichwörter": "tags"},
            "sections": {"Geschichte": "history"},
            "ignore": ["Notiz"],
        }
    )
    rows = [
        ["ID", "Begriff", "Stichwörter", "Geschichte", "Notiz", "h1"],
        ["a", "A", "x; y", "Alt.", "geheim", "H"],
    ]
    path = WRITERS[name](tmp_path / name, rows)

    assert record(path, field_map) == {
        "slug": "a",
        "term": "A",
        "tags": ["x", "y"],
        "sections": [{"kind": "history", "heading": "", "text": "Alt."}],
        "h1": "H",
    }
    assert "a table without the columns slug and term" in error(
        path
    ) or "a workbook without a sheet" in error(path)


# Cells


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("tags", "a; b;\nc\n", ["a", "b", "c"]),
        ("tags", '["a;b"]', ["a;b"]),
        ("tags", "", []),
        ("labels", "a; b", ["a", "b"]),
        ("labels", '[{"text":"A"}]', [{"text": "A"}]),
        ("relatedFeatures", "a/b\nc", ["a/b", "c"]),
        (
            "relatedTerms",
            "x: The X\n\nThe Y\n/g/z/: Z\nTCP/IP",
            [
                {"slug": "x", "name": "The X"},
                {"slug": "the-y", "name": "The Y"},
                {"slug": "/g/z/", "name": "Z"},
                {"slug": "tcpip", "name": "TCP/IP"},
            ],
        ),
        ("relatedTerms", '[{"slug":"x","name":"X"}]', [{"slug": "x", "name": "X"}]),
        ("faq", '[{"question":"q","answer":"a"}]', [{"question": "q", "answer": "a"}]),
        ("faq", " ", []),
        ("sections", '[{"kind":"a","text":"b"}]', [{"kind": "a", "text": "b"}]),
        ("featureLabels", '{"a":"A"}', {"a": "A"}),
        ("featureLabels", "", {}),
        ("explanation", "[1]", "[1]"),
        ("explanation", "", ""),
        ("explanation", "a\nb", "a\nb"),
        ("explanation", "'=1+1", "=1+1"),
        ("explanation", "'-x", "-x"),
        ("explanation", "''=1", "'=1"),
        ("explanation", "'tis", "'tis"),
        ("other", "[1", "[1"),
        ("other", "[1]", [1]),
    ],
)
@both
def test_a_cell_says_what_its_field_needs(
    tmp_path: Path, name: str, column: str, cell: str, expected: object
) -> None:
    rows = [["slug", "term", column], ["a", "A", cell]]

    assert record(WRITERS[name](tmp_path / name, rows))[column] == expected


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r"])
def test_the_apostrophe_before_a_formula_comes_off(tmp_path: Path, mark: str) -> None:
    rows = [["slug", "term", "explanation"], ["a", "A", f"'{mark}x"]]

    assert record(csv_file(tmp_path / "x.csv", rows))["explanation"] == f"{mark}x"


@both
def test_lists_in_cells_make_a_term(tmp_path: Path, name: str) -> None:
    rows = [
        ["slug", "term", "related terms", "labels"],
        ["a", "A", "x: X\nThe Y", "b; c"],
    ]

    parsed = parse_term(record(WRITERS[name](tmp_path / name, rows)))

    assert parsed.problems == ()
    assert parsed.term.related_terms == (
        RelatedTermPayload("x", "X"),
        RelatedTermPayload("the-y", "The Y"),
    )
    assert parsed.term.labels == (LabelPayload("b"), LabelPayload("c"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "upload"])
def test_delimiters_and_ends_of_lines_are_told(
    tmp_path: Path, delimiter: str, encoding: str, end: str, name: str
) -> None:
    text = f'slug,"term",tags{end}é,"A, {end}x;y",b{end}'.replace(",", delimiter)
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))

    (found,) = read(path)

    assert found.record == {
        "slug": "é",
        "term": f"A, {end}x;y".replace(",", delimiter),
        "tags": ["b"],
    }
    assert found.line == 2


@both
def test_rows_without_content_and_short_rows_are_fine(
    tmp_path: Path, name: str
) -> None:
    rows = [["slug", "term", "h1"], [], ["", ""], ["a", "A"], ["b", "B", "H"]]

    found = read(WRITERS[name](tmp_path / name, rows))

    assert [one.record and one.record["h1"] for one in found] == ["", "H"]
    assert [one.line for one in found] == [4, 5]


def test_numbers_and_truth_in_a_workbook_are_text(tmp_path: Path) -> None:
    rows = [["slug", "term", "x", "y", "z"], [2024, 1.5, True, None, 10**15]]

    assert record(xlsx_file(tmp_path / "x.xlsx", rows)) == {
        "slug": "2024",
        "term": "1.5",
        "x": "true",
        "y": "",
        "z": "1000000000000000",
    }


def test_odd_characters_of_a_workbook_are_read(tmp_path: Path) -> None:
    text = "a_x000D_\nb <&> _x005F_x000D_ 😀 \u2028  c "
    rows = [["slug", "term", "explanation"], ["a", "A", text]]

    assert record(xlsx_file(tmp_path / "x.xlsx", rows))["explanation"] == (
        "a\r\nb <&> _x000D_ 😀 \u2028  c "
    )


def test_every_sheet_with_terms_is_read(tmp_path: Path) -> None:
    header = ["slug", "term"]
    path = xlsx_file(
        tmp_path / "x.xlsx",
        [[], header, ["a", "A"]],
        [["notes"], ["x"]],
        [header, ["b", "B"], ["", ""]],
    )

    found = read(path)

    assert [one.record and one.record["slug"] for one in found] == ["a", "b"]
    assert found[1].source == f"{path}, sheet Sheet 2"


# Faults


@both
def test_a_bad_cell_is_named_and_does_not_stop_the_rest(
    tmp_path: Path, name: str
) -> None:
    rows = [
        ["slug", "term", "faq"],
        ["a", "A", "[1"],
        ["b", "B", "not a list"],
        ["c", "C", ""],
        ["d", "D", "", "beyond"],
    ]
    path = WRITERS[name](tmp_path / name, rows)
    place = f"{path}, sheet Sheet 0" if name.endswith("xlsx") else str(path)

    found = read(path)

    assert [one.record and one.record["slug"] for one in found] == [
        None,
        None,
        "c",
        None,
    ]
    assert all(isinstance(one.error, SourceError | None) for one in found)
    assert str(found[0].error).startswith(f"{place}, line 2: column 'faq': not JSON")
    assert "line 3: column 'faq': a JSON list expected" in str(found[1].error)
    assert "line 5: a cell in a column without a name" in str(found[3].error)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"name,text\na,b\n",
            "without the columns slug and term. Its columns are name",
        ),
        (b"slug,term,Slug\n", "a table with two columns “slug”"),
        (b"slug,term,x,x\n", "a table with two columns “x”"),
        (b'slug,term\na,"b"c\n', "line 2: not CSV"),
        (b'slug,term\na,"b\n', "line 2: not CSV: unexpected end of data"),
        (b"slug,term\na,\xe9\n", "line 2: not UTF-8. Save the table as CSV in UTF-8"),
        (b"\xff\xfes\0l\0", "UTF-16 or UTF-32, not UTF-8"),
        (b"", "empty"),
        (b"slug,term\na,b\0\n", "line 2"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)

    if b"\0" in content[8:]:  # which Python 3.11 reads, and the schema removes
        (found,) = read(path)
        assert found.error or found.record == {"slug": "a", "term": "b\0"}
    else:
        assert message in error(path)


@both
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"columns": 2}, "a table of more than 2 columns"),
        ({"rows": 1}, "a table of more than 1 rows"),
        ({"cell": 50}, "50"),
    ],
)
def test_a_table_has_limits(
    tmp_path: Path, name: str, limits: dict[str, int], message: str
) -> None:
    rows = [["slug", "term", "h1"], ["a", "A", ""], ["b", "B", "x" * 60]]

    assert message in error(WRITERS[name](tmp_path / name, rows), **limits)


SHEET = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>
<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="str"><f>1</f><v>A</v></c></row>
</sheetData></worksheet>"""
STRINGS = """<x:sst xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<x:si><x:t>slug</x:t></x:si>
<x:si><x:r><x:t>te</x:t></x:r><x:r><x:t>rm</x:t></x:r>
<x:rPh sb="0" eb="1"><x:t>no</x:t></x:rPh></x:si><x:si><x:t>a</x:t></x:si></x:sst>"""


def shared_strings_file(path: Path) -> Path:
    """A workbook as Excel writes it: texts stand apart, and cells refer to them."""
    plain = xlsx_file(path, [["x"]])
    changed = {"xl/worksheets/sheet1.xml": SHEET, "xl/sharedStrings.xml": STRINGS}
    return damaged(plain, lambda name, data: changed.get(name, data), changed)


def test_texts_that_cells_share_are_read(tmp_path: Path) -> None:
    path = shared_strings_file(tmp_path / "x.xlsx")

    assert record(path) == {"slug": "a", "term": "A"}


def damaged(
    path: Path,
    change: Callable[[str, bytes], bytes | str | None],
    more: dict[str, str] | None = None,
) -> Path:
    """The workbook with some of its parts changed, left out, or added."""
    result = path.with_suffix(".changed.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(result, "w") as new:
        for name in old.namelist():
            if (data := change(name, old.read(name))) is not None:
                new.writestr(name, data)
        for name in (more or {}).keys() - set(old.namelist()):
            new.writestr(name, (more or {})[name])
    return result


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        (
            "xl/_rels/workbook.xml.rels",
            lambda data: None,
            "a workbook without xl/_rels",
        ),
        ("xl/workbook.xml", lambda data: data[:-20], "a damaged workbook"),
        ("xl/worksheets/sheet1.xml", lambda data: data[:-20], "a damaged workbook"),
        ("xl/worksheets/sheet1.xml", lambda data: b"", "a damaged workbook"),
        ("xl/sharedStrings.xml", lambda data: None, "a cell refers to no text"),
        (
            "xl/worksheets/sheet1.xml",
            lambda data: data.replace(b"<v>0</v>", b"<v>99</v>"),
            "a cell refers to no text",
        ),
        (
            "xl/worksheets/sheet1.xml",
            lambda data: b'<!DOCTYPE x [<!ENTITY a "b">]>' + data,
            "declares entities",
        ),
        (
            "xl/worksheets/sheet1.xml",
            lambda data: data.replace(b't="s"', b't="e"'),
            "a formula with the fault",
        ),
        (
            "xl/worksheets/sheet1.xml",
            lambda data: data.replace(b'r="A1"', b'r="ZZZ1"'),
            "more than 500 columns",
        ),
    ],
)
def test_a_damaged_workbook_says_why(
    tmp_path: Path,
    part: str,
    change: Callable[[bytes], bytes | None],
    message: str,
) -> None:
    whole = shared_strings_file(tmp_path / "x.xlsx")
    path = damaged(whole, lambda name, data: change(data) if name == part else data)

    assert message in error(path)


def test_a_workbook_in_an_archive_is_read(tmp_path: Path) -> None:
    whole = xlsx_file(tmp_path / "x.xlsx", [["slug", "term"], ["a", "A"]])
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(whole, "terms.xlsx")

    assert record(tmp_path / "x.zip") == {"slug": "a", "term": "A"}


# Anything at all


@given(st.text(alphabet=st.sampled_from(list("ab,;\t\"\n\r'=[]{}: é")), max_size=60))
def test_noise_in_a_table_gives_records_or_errors_of_ours(
    tmp_path_factory: pytest.TempPathFactory, noise: str
) -> None:
    path = tmp_path_factory.mktemp("noise") / "x.csv"
    path.write_bytes(b"slug,term,faq,relatedTerms\n" + noise.encode())

    for found in read(path):
        assert (found.record is None) is isinstance(found.error, SourceError)


@given(
    st.lists(
        st.text(
            alphabet=st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"),
            max_size=20,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_table_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    names = [f"x{number}" for number in range(len(texts))]
    path = tmp_path_factory.mktemp("table") / "x.csv"
    written = [json.dumps({"text": text}) for text in texts]
    csv_file(path, [["slug", "term", *names], ["a", "A", *written]])

    found = record(path)

    assert [found[name]["text"] for name in names] == texts
