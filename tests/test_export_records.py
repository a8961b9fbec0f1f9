"""What goes out comes in again: equal terms, field by field."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from django.core.management import call_command
from wagtail.models import Revision

from glossary.content import normal, page_content
from glossary.exporting import FORMATS, terms_to_export
from glossary.exporting.csv_table import FORMULA_SIGNS, harmless
from glossary.exporting.xlsx_table import MAX_CELL
from glossary.models import Category, TermLabel, TermPage
from glossary.payload.sources import read_sources
from glossary.payload.tables import row_record

from .factories import (
    comparison,
    feature,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)
from .test_export_payload import (
    FIXTURES,
    PAYLOADS,
    edit,
    forget_revisions,
    import_file,
    import_term,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from glossary.models import GlossaryPage

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

COMPLETE = [name for name, format in FORMATS.items() if format.is_complete]
TABLES = ["csv", "xlsx"]


def streamed(glossary: GlossaryPage, name: str, **options: Any) -> bytes:
    selection = terms_to_export(glossary, **options)
    data = b"".join(FORMATS[name].stream(selection))
    assert selection.problems == []
    return data


def records_in(name: str, data: bytes) -> list[dict[str, Any]]:
    """The records of an export, read as an import does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"terms{FORMATS[name].extension}"
        path.write_bytes(data)
        found = list(read_sources([path]))
    assert [record.error for record in found if record.error] == []
    return [record.record for record in found]


def rows_of(name: str, data: bytes) -> Iterable[dict[str, str]]:
    if name == "csv":
        text = io.StringIO(data.decode("utf-8-sig"), newline="")
        return list(csv.DictReader(text))
    workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    header, *rows = workbook.active.iter_rows(values_only=True)
    workbook.close()
    return [
        {name: cell or "" for name, cell in zip(header, row, strict=True)}
        for row in rows
    ]


def contents(glossary: GlossaryPage) -> Mapping[str, Any]:
    """What each term says, with what it is said to belong to."""
    return {
        page.slug: normal(page_content(page))
        | {
            "category_name": page.category and page.category.name,
            "names": [link.related_term.name for link in page.related_terms.all()],
        }
        for page in TermPage.objects.in_glossary(glossary)
    }


def imported(name: str, data: bytes) -> GlossaryPage:
    """A new glossary that an export was imported into."""
    glossary = make_glossary()
    import_file(glossary, f"terms{FORMATS[name].extension}", data)
    return glossary


def imported_records(*records: dict[str, Any]) -> GlossaryPage:
    return imported("json", json.dumps(records).encode())


def make_full_term(glossary: GlossaryPage) -> TermPage:
    """A term that has everything, and of everything what is hard to say."""
    wanted = make_related_term(glossary, "wanted-term", name="Wanted, Term")
    other = make_related_term(glossary, "other-one", name="Other one")
    page = make_term(
        glossary,
        "full",
        title="=Full(1)",
        heading="@What is “full”?",
        short_definition="+1, said;\n“twice”",
        seo_title="-1",
        search_description="@Tab",
        category=make_category("kinds-of", name="Kinds & sorts"),
        explanation=[
            section("<p>How <b>first</b></p>", kind="how_it_works"),
            section("<p>What<br/>it is</p>", heading="A *heading*"),
            section("<ul><li>=1+1</li><li>b</li></ul>", kind="explanation"),
        ],
        comparisons=[
            comparison("Another name", "<p>They differ.</p>", other),
            comparison("Nobody's", "<p>@differ.</p>"),
        ],
        faq=[question("=Why?", "<p>Because, <i>so</i>; “quoted”.</p>")],
        related_features=[feature("features/a", "A label"), feature("b")],
        related_terms=[(wanted, "contrast"), (other, "narrower")],
        labels=[("Fullness", "hidden"), "=F"],
        tags=["zeta", "Alpha"],
        payload_extra={"list": [1, {"a": None}], "text": "=x"},
    )
    TermLabel.objects.filter(text="=F").update(case_rule="exact")
    return page


@pytest.mark.parametrize("name", COMPLETE)
def test_a_term_that_has_everything_survives_the_way_out_and_in(name):
    glossary = make_glossary()
    make_full_term(glossary)
    before = contents(glossary)
    data = streamed(glossary, name)
    TermPage.objects.update(category=None)
    Category.objects.all().delete()
    assert contents(imported(name, data)) == before


@pytest.mark.parametrize("name", COMPLETE)
def test_imported_terms_survive_the_way_out_and_in(name):
    glossary = make_glossary()
    call_command("import_terms", FIXTURES, glossary=glossary.slug, stdout=io.StringIO())
    before = contents(glossary)
    data = streamed(glossary, name)
    assert contents(imported(name, data)) == before
    assert_changes_nothing(glossary, name, data)
    assert contents(glossary) == before


def assert_changes_nothing(glossary: GlossaryPage, name: str, data: bytes) -> None:
    revisions = Revision.objects.count()
    import_file(glossary, f"terms{FORMATS[name].extension}", data)
    assert Revision.objects.count() == revisions


@pytest.mark.parametrize("name", COMPLETE)
def test_an_export_of_an_export_is_the_same(name):
    glossary = make_glossary()
    make_full_term(glossary)
    import_term(glossary, PAYLOADS[0].read_bytes())
    data = streamed(glossary, name)
    again = streamed(imported(name, data), name)
    assert records_in(name, again) == records_in(name, data)


@pytest.mark.parametrize(
    "locale",
    [
        *("de", "ur"),
        *(pytest.param(large, marks=pytest.mark.once) for large in ("en", "fr", "ja")),
    ],
)
def test_a_real_glossary_comes_back_line_by_line(
    locale: str, shared_data: Callable[[str], Path]
):
    text = shared_data(f"cncf/terms.{locale}.jsonl").read_bytes()
    lines = [line for line in text.splitlines() if json.loads(line)["shortDefinition"]]
    glossary = imported("jsonl", b"\n".join(lines))
    forget_revisions()
    records = records_in("jsonl", streamed(glossary, "jsonl"))
    came = [json.loads(line) for line in lines]
    assert [without_names(record) for record in records] == [
        without_names(record) for record in came
    ]
    for name in COMPLETE:
        data = streamed(glossary, name)
        assert contents(imported(name, data)) == contents(glossary)
        assert_changes_nothing(glossary, name, data)


def without_names(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what an export adds: the names that are not to be guessed."""
    record = {name: value for name, value in record.items() if name != "categoryName"}
    return record | {
        "relatedTerms": [
            {**link, "name": ""} for link in record.get("relatedTerms") or ()
        ],
        "vsRelatedConcepts": [
            {**entry, "slug": ""} for entry in record.get("vsRelatedConcepts") or ()
        ],
    }


def test_records_keep_the_words_that_they_came_in():
    record = {
        "term": "A",
        "slug": "a",
        "unknown": {"k": 1},
        "shortDefinition": "What it is.",
        "explanation": "* one\n* two",
        "category": "Kinds of things",
    }
    glossary = imported_records(record)
    edit(TermPage.objects.get(), heading="H")
    (after,) = records_in("jsonl", streamed(glossary, "jsonl"))
    assert list(after.items()) == [
        *list(record.items())[:4],
        ("h1", "H"),
        *list(record.items())[4:],
    ]


def test_sections_are_written_only_where_three_fields_cannot_say_it():
    glossary = make_glossary()
    make_term(
        glossary,
        "a",
        explanation=[
            section("<p>What.</p>"),
            section("<p>How.</p>", kind="how_it_works"),
        ],
    )
    (record,) = records_in("json", streamed(glossary, "json"))
    assert "sections" not in record
    assert (record["explanation"], record["howItWorks"]) == ("What.", "How.")


def test_no_terms_are_an_empty_array():
    assert json.loads(streamed(make_glossary(), "json")) == []


# Tables


def test_no_cell_of_a_csv_begins_like_a_formula():
    glossary = make_glossary()
    make_full_term(glossary)
    data = streamed(glossary, "csv").decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(data)) for cell in row]
    assert "'=Full(1)" in cells
    assert [cell for cell in cells if cell.startswith(FORMULA_SIGNS)] == []
    # Nor where a program splits at another sign: every cell is quoted.
    lines = data.split("\r\n")[:-1]
    assert all(line.startswith('"') and line.endswith('"') for line in lines)


@pytest.mark.parametrize("sign", FORMULA_SIGNS)
def test_an_import_takes_away_what_the_export_put_before_a_cell(sign):
    text = f"{sign}1+1"
    assert harmless(text) == f"'{text}"
    record = row_record({"slug": "a", "term": "A", "explanation": harmless(text)})
    assert record["explanation"] == text


def test_every_cell_of_a_workbook_is_text():
    glossary = make_glossary()
    make_full_term(glossary)
    data = streamed(glossary, "xlsx")
    workbook = openpyxl.load_workbook(io.BytesIO(data))
    cells = [cell for row in workbook.active.iter_rows() for cell in row]
    assert "=Full(1)" in [cell.value for cell in cells]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}


def test_an_equal_glossary_gives_an_equal_workbook():
    glossary = make_glossary()
    make_full_term(glossary)
    assert rows_of("xlsx", streamed(glossary, "xlsx")) == rows_of(
        "xlsx", streamed(glossary, "xlsx")
    )


def test_a_text_that_a_workbook_would_cut_short_is_reported():
    glossary = make_glossary()
    make_term(glossary, "short")
    make_term(
        glossary,
        "long",
        title="Long",
        explanation=[section(f"<p>{'x' * (MAX_CELL + 1)}</p>")],
    )
    selection = terms_to_export(glossary)
    data = b"".join(FORMATS["xlsx"].stream(selection))
    assert [row["slug"] for row in rows_of("xlsx", data)] == ["short"]
    (problem,) = selection.problems
    assert "“Long”" in problem
    assert "“explanation”" in problem


def test_further_fields_that_only_some_terms_have_are_left_out_of_tables():
    terms = {"a": {"x": "1"}, "b": {}}
    glossary = imported_records(
        *(
            {"slug": slug, "term": slug, "shortDefinition": "What.", **extra}
            for slug, extra in terms.items()
        )
    )
    (first, _second) = rows_of("csv", streamed(glossary, "csv"))
    assert "x" not in first


# Markdown


def test_a_markdown_file_can_be_read_by_people_and_programs():
    glossary = make_glossary()
    page = make_full_term(glossary)
    with zipfile.ZipFile(io.BytesIO(streamed(glossary, "markdown"))) as archive:
        assert archive.namelist() == ["full.md"]
        text = archive.read("full.md").decode()
    _, front, body = text.split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in front.splitlines())
    assert json.loads(fields["title"]) == page.title
    assert json.loads(fields["short_definition"]) == page.short_definition
    assert json.loads(fields["tags"]) == ["Alpha", "zeta"]
    assert "Fullness" not in text  # a hidden label
    assert "# @What is “full”?" in body
    assert "## A \\*heading\\*" in body
    assert "### =Why?\n\nBecause, *so*; “quoted”." in body


def test_yaml_holds_any_text():
    glossary = make_glossary()
    make_term(glossary, "a", title='"\u2028 # - \x85 é: 日')
    text = streamed(glossary, "markdown")
    with zipfile.ZipFile(io.BytesIO(text)) as archive:
        line = archive.read("a.md").decode().split("\n")[1]
    assert line == r'title: "\"\u2028 # - \u0085 é: 日"'
