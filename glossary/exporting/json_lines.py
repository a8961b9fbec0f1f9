"""JSON lines: the record of one term on each."""

from __future__ import annotations

from collections.abc import Iterator

from .records import export_record, to_json
from .selection import Selection


def json_lines(selection: Selection) -> Iterator[bytes]:
    for loaded in selection:
        yield f"{to_json(export_record(loaded))}\n".encode()
