"""The command: what it writes, what it refuses, and how it ends."""

from __future__ import annotations

import gc
import io
import itertools
import json
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from glossary.exporting import FORMATS, terms_to_export
from glossary.exporting.destination import write_folder

from .factories import make_glossary, make_term
from .test_export_payload import FIXTURES, PAYLOADS, import_file
from .test_export_visibility import editor_of


if TYPE_CHECKING:
    from pathlib import Path

    from glossary.models import GlossaryPage

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def export(out: Path | str, glossary: GlossaryPage, name: str, **options: Any) -> str:
    said = io.StringIO()
    call_command(
        "export_terms", out, glossary=glossary.slug, format=name, stdout=said, **options
    )
    return said.getvalue()


def refusal(*arguments: Any, **options: Any) -> str:
    with pytest.raises(CommandError) as caught:
        export(*arguments, **options)
    assert caught.value.returncode == 2
    return str(caught.value)


@pytest.fixture
def glossary() -> GlossaryPage:
    glossary = make_glossary("words")
    for slug in ("one", "two"):
        make_term(glossary, slug)
    return glossary


# What it writes


def test_a_folder_of_payloads_goes_in_and_comes_out_the_same(tmp_path):
    glossary = make_glossary()
    call_command("import_terms", FIXTURES, glossary=glossary.slug, stdout=io.StringIO())
    said = export(tmp_path / "out", glossary, "payload")
    assert said == f"Exported {len(PAYLOADS)} of {len(PAYLOADS)} terms.\n"
    written = sorted((tmp_path / "out").rglob("*.*"))
    assert [path.parent.name for path in written] == [
        path.parent.name for path in PAYLOADS
    ]
    for before, after in zip(PAYLOADS, written, strict=True):
        assert after.read_bytes() == before.read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_to_a_file(name, glossary, tmp_path):
    out = tmp_path / f"terms{FORMATS[name].extension}"
    export(out, glossary, name)
    # As streamed, but for the dates inside a workbook.
    streamed = b"".join(FORMATS[name].stream(terms_to_export(glossary)))
    assert out.read_bytes() == streamed or name == "xlsx"
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_markdown_is_a_folder_of_files(glossary, tmp_path):
    export(tmp_path / "out", glossary, "markdown")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("one.md", "two.md"),
    ]


def test_an_archive_holds_the_folder(glossary, tmp_path):
    export(tmp_path / "out.zip", glossary, "payload")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == ["one/_payload.json", "two/_payload.json"]
        assert archive.testzip() is None


def test_standard_output_is_the_export_alone(glossary, capsysbinary):
    call_command("export_terms", "-", glossary="words", format="jsonl")
    out, told = capsysbinary.readouterr()
    assert [json.loads(line)["slug"] for line in out.splitlines()] == ["one", "two"]
    assert told == b"Exported 2 of 2 terms.\n"


def test_a_static_tree_is_a_link(glossary, tmp_path):
    export(tmp_path / "out", glossary, "payload", static=True)
    export(tmp_path / "out", glossary, "payload", static=True)
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "out" / "one" / "_payload.json.gz").is_file()


def test_single_terms_can_be_chosen(glossary, tmp_path):
    export(tmp_path / "out", glossary, "payload", slug=["two"])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["two"]


def test_drafts_are_exported_by_the_rights_of_a_user(glossary, tmp_path):
    make_term(glossary, "draft", live=False)
    editor_of(glossary)
    options = {"drafts": True, "user": "editor"}
    assert "3 of 3" in export(tmp_path / "all.json", glossary, "json", drafts=True)
    assert "3 of 3" in export(tmp_path / "mine.json", glossary, "json", **options)
    get_user_model().objects.get().groups.clear()
    assert "no terms" in refusal(tmp_path / "none", glossary, "json", **options)


# What it refuses


def test_terms_that_are_not_there_are_named(glossary, tmp_path):
    make_term(glossary, "draft", live=False)
    out = tmp_path / "out.json"
    message = refusal(out, glossary, "json", slug=["one", "none", "draft"])
    assert "draft, none" in message
    assert not out.exists()


def test_a_folder_that_is_not_empty_is_refused_with_advice(glossary, tmp_path):
    export(tmp_path / "out", glossary, "payload")
    assert "--force" in refusal(tmp_path / "out", glossary, "payload")
    export(tmp_path / "out", glossary, "payload", slug=["one"], force=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["one"]


def test_what_does_not_go_together_is_refused(glossary, tmp_path):
    assert "--drafts" in refusal(tmp_path / "a", glossary, "json", user="x")
    assert "payload" in refusal(tmp_path / "a", glossary, "json", static=True)
    assert "link" in refusal(tmp_path / "a.zip", glossary, "payload", static=True)
    assert "ends in .zip" in refusal("-", glossary, "markdown")
    assert "Name a file" in refusal(tmp_path, glossary, "json")
    assert "no user" in refusal(
        tmp_path / "a", glossary, "json", drafts=True, user="nobody"
    )


def test_a_place_that_cannot_be_written_to_is_named(glossary, tmp_path):
    out = tmp_path / "none" / "out.json"
    assert f"{out} cannot be written: No such file" in refusal(out, glossary, "json")


def test_a_crash_in_the_middle_leaves_the_old_export(glossary, tmp_path):
    out = tmp_path / "out"
    export(out, glossary, "payload")
    before = {path: path.read_bytes() for path in out.rglob("*.json")}
    make_term(glossary, "three")

    def crash() -> None:
        raise KeyboardInterrupt

    selection = terms_to_export(glossary)
    selection.on_term = crash
    with pytest.raises(KeyboardInterrupt):
        write_folder(out, FORMATS["payload"].files(selection), force=True)
    assert {path: path.read_bytes() for path in out.rglob("*.json")} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_term_that_no_file_can_be_called_by_is_left_out(glossary, tmp_path, capsys):
    term = make_term(glossary, "three", title="Three")
    type(term).objects.filter(pk=term.pk).update(slug="../three")
    with pytest.raises(SystemExit) as caught:
        export(tmp_path / "out", glossary, "payload")
    assert caught.value.code == 1
    assert "“Three” has the slug “../three”" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one", "two"]


def test_two_drafts_of_one_slug_do_not_overwrite_each_other(glossary, tmp_path):
    term = glossary.terms.get(slug="two")
    term.slug = "one"
    type(term).objects.filter(pk=term.pk).update(slug="one")
    selection = terms_to_export(glossary)
    assert len(list(FORMATS["payload"].files(selection))) == 1
    assert "“one”" in selection.problems[0]


# What it costs


def peak(glossary: GlossaryPage, name: str) -> int:
    """How much memory an export takes at most, in bytes."""
    selection = terms_to_export(glossary)
    selection.chunk_size = 10
    passed = itertools.count(1)
    # Cycles wait for the collector longer than a small test lasts.
    selection.on_term = lambda: next(passed) % 10 or gc.collect()
    tracemalloc.start()
    for _piece in FORMATS[name].stream(selection):
        pass
    _size, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return highest


@pytest.mark.once
def test_memory_does_not_grow_with_the_number_of_terms():
    few, many = make_glossary(), make_glossary()
    import_file(few, "terms.jsonl", lines(20))
    import_file(many, "terms.jsonl", lines(80))
    for name in ("payload", "jsonl", "xlsx"):
        peak(few, name)  # what is loaded once
        # All sixty terms more are two megabytes.
        assert peak(many, name) < peak(few, name) + 500_000, name


def lines(count: int) -> bytes:
    records = (
        {
            "slug": f"term-{number}",
            "term": f"Term {number}",
            "shortDefinition": "What it is.",
            "explanation": f"Text {number}. " * 3_000,
        }
        for number in range(count)
    )
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)
