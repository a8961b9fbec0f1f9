"""Records as rows of a table: a column for each field, lists as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..content import PROSE, text_of_kind
from ..models import TermPage
from ..payload import tables
from ..payload.devalue import PayloadError, parse_json
from ..payload.schema import FIELDS
from .records import export_record, fit_three_fields, sections_of, to_json
from .selection import LoadedTerm, Selection


_SECTIONS = FIELDS["sections"]


def columns(selection: Selection) -> list[str]:
    """The fields of a payload, then the further fields of the terms.

    An import takes an empty cell for an empty field. So ``sections`` is a column only
    where a term needs it, and further fields are columns only where all terms have
    them, and as what a cell can say; else a second import would change terms.
    """
    needs_sections = False
    extra: dict[str, None] | None = None
    for page in selection.outlines():
        needs_sections = needs_sections or not fit_three_fields(sections_of(page))
        names = _extra_columns(page)
        if extra is None:
            extra = names
        elif extra and extra.keys() != names.keys():
            extra = {}
    known = [name for name in FIELDS.values() if name != _SECTIONS or needs_sections]
    return [*known, *(extra or ())]


def _extra_columns(page: TermPage) -> dict[str, None]:
    """The names of the page's further fields if cells can say them, else none."""
    extra = page.payload_extra
    if tables.columns(extra) or not all(map(_is_sayable, extra.values())):
        return {}
    return dict.fromkeys(extra)


def _is_sayable(value: Any) -> bool:
    if not isinstance(value, str):
        return isinstance(value, list | dict)
    try:
        return value[:1] not in ("[", "{") or not parse_json(value)
    except PayloadError:
        return True


def cells(loaded: LoadedTerm, names: Sequence[str]) -> Iterator[str]:
    """The text of each cell of a term's row; "" for a field that it has not."""
    record = export_record(loaded)
    if aliases := record.pop("aliases", None):  # which have no column of their own
        record["labels"] = [*(record.get("labels") or ()), *aliases]
    if _SECTIONS in names:
        record[_SECTIONS] = record.get(_SECTIONS) or _as_sections(record)
    elif sections := record.get(_SECTIONS):
        for attribute, kind in PROSE.items():
            record[FIELDS[attribute]] = text_of_kind(sections, kind)
    for name in names:
        yield _text(record.get(name), is_known=name in FIELDS.values())


def _as_sections(record: dict[str, Any]) -> list[dict[str, str]]:
    texts = {kind: record.get(FIELDS[name]) for name, kind in PROSE.items()}
    return [
        {"kind": kind, "heading": "", "text": text}
        for kind, text in texts.items()
        if text
    ]


def _text(value: Any, *, is_known: bool) -> str:
    if value is None or (is_known and value in ([], {})):
        return ""
    return value if isinstance(value, str) else to_json(value)
