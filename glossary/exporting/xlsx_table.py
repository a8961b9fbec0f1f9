"""A table as an Excel workbook, in which every cell is text."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from .csv_table import FORMULA_SIGNS
from .rows import cells, columns
from .selection import ExportError, LoadedTerm, Selection


MAX_CELL: Final = 32_767
"""Excel's limit for the text of a cell, in UTF-16 units."""

_BLOCK: Final = 64 * 1024
# What XML cannot hold, and imports take away as well.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def xlsx_table(selection: Selection) -> Iterator[bytes]:
    """A term whose text Excel cannot hold is left out, and is one of the selection's
    problems."""
    workbook = Workbook(write_only=True)
    # Equal terms give an equal file.
    workbook.properties.created = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    sheet = workbook.create_sheet("terms")
    sheet.freeze_panes = "C2"
    names = columns(selection)
    sheet.append([_cell(sheet, name) for name in names])
    for loaded in selection:
        try:
            row = [
                _cell(sheet, _checked(loaded, name, text))
                for name, text in zip(names, cells(loaded, names), strict=True)
            ]
        except ExportError as error:
            selection.problems.append(str(error))
        else:
            sheet.append(row)
    with tempfile.TemporaryFile() as file:
        workbook.save(file)
        file.seek(0)
        while block := file.read(_BLOCK):
            yield block


def _checked(loaded: LoadedTerm, name: str, text: str) -> str:
    length = len(text.encode("utf-16-le", "surrogatepass")) // 2
    if length > MAX_CELL:
        raise ExportError(
            _(
                "The term “%(term)s” has %(length)d characters in the field "
                "“%(field)s”; a cell of a workbook holds %(limit)d. Export it as CSV "
                "or JSON."
            )
            % {
                "term": loaded.page.title,
                "length": length,
                "field": name,
                "limit": MAX_CELL,
            }
        )
    return _CONTROL.sub("", text)


def _cell(sheet: Any, text: str) -> WriteOnlyCell:
    # The reader of tables takes one apostrophe away from before such a sign.
    is_quoted = text.startswith("'") and text.lstrip("'").startswith(FORMULA_SIGNS)
    cell = WriteOnlyCell(sheet, f"'{text}" if is_quoted else text)
    # openpyxl takes what begins with = for a formula, and #N/A for an error.
    cell.data_type = "s"
    # So that it stays text when somebody edits it.
    cell.quotePrefix = text.startswith(FORMULA_SIGNS)
    return cell
