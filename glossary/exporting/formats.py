"""The formats that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .csv_table import csv_table
from .files import File, zipped
from .json_array import json_array
from .json_lines import json_lines
from .markdown import markdown_files
from .payload import payload_files
from .selection import Selection
from .xlsx_table import xlsx_table


@dataclass(frozen=True, slots=True)
class Format:
    """How terms are written. One that is many files is streamed as a zip archive."""

    label: Promise
    extension: str
    """Of the streamed file, with its dot."""
    content_type: str
    stream: Callable[[Selection], Iterator[bytes]]
    files: Callable[[Selection], Iterator[File]] | None = None
    is_complete: bool = True
    """Whether an import of it makes equal terms."""


def _archive(
    label: Promise,
    files: Callable[[Selection], Iterator[File]],
    *,
    is_complete: bool = True,
) -> Format:
    def stream(selection: Selection) -> Iterator[bytes]:
        return zipped(files(selection))

    return Format(label, ".zip", "application/zip", stream, files, is_complete)


FORMATS: dict[str, Format] = {
    "payload": _archive(_("Payloads of a Nuxt site"), payload_files),
    "json": Format(_("JSON"), ".json", "application/json", json_array),
    "jsonl": Format(_("JSON lines"), ".jsonl", "application/jsonl", json_lines),
    "csv": Format(_("CSV table"), ".csv", "text/csv; charset=utf-8", csv_table),
    "xlsx": Format(
        _("Excel workbook"),
        ".xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        xlsx_table,
    ),
    "markdown": _archive(_("Markdown"), markdown_files, is_complete=False),
}
