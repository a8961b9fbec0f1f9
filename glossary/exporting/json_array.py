"""One JSON array of the records of all terms."""

from __future__ import annotations

from collections.abc import Iterator

from .records import export_record, to_json
from .selection import Selection


def json_array(selection: Selection) -> Iterator[bytes]:
    before = "[\n"
    for loaded in selection:
        yield f"{before}{to_json(export_record(loaded))}".encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"
