"""The records that a source gives, and what reading it may cost."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from .devalue import loads, parse_json
from .finding import FoundTerm, find_term
from .html import page_scripts
from .javascript import read_script
from .tables import row_record
from .values import PayloadError, Tagged, Value, short


if TYPE_CHECKING:
    from .field_map import FieldMap


Form: TypeAlias = Literal["", "payload", "json", "html", "script", "row"]

MAX_BYTES: Final = 2 * 1024 * 1024
"""Of one file, line or entry that holds one term. The payload of a term is some 10 kB.
"""


class SourceError(PayloadError):
    """A source that cannot be read. It names the source, and the line in it."""


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What reading may cost. Sizes are in bytes, of what has been unpacked.

    `file` is for what is read as a whole: a payload, a page, a script, a JSON object;
    `entry` for a line of JSON lines, an entry of an array, a row of a table. Files of
    many entries have no bound of their own but on disk; in an archive `member` is
    theirs. `members`, `total` and `ratio` (unpacked to packed) are of one archive,
    `workbook`, `rows`, `columns` and `cell` (characters) of one table. `spooled` is
    what standard input may have.
    """

    file: int = MAX_BYTES
    entry: int = MAX_BYTES
    members: int = 200_000
    member: int = 1024 * 1024 * 1024
    total: int = 4 * 1024 * 1024 * 1024
    ratio: int = 200
    workbook: int = 1024 * 1024 * 1024
    rows: int = 1_048_576
    columns: int = 500
    cell: int = 200_000
    spooled: int = 4 * 1024 * 1024 * 1024


DEFAULT_SOURCE_LIMITS: Final = SourceLimits()


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """The record of a term, or why there is none: one of `record` and `error` is None.

    `source` is the path to show, `line` counts from 1 in JSON lines and in tables.
    `pointer` and `key` are those of `FoundTerm`. `raw` is what the record came in, and
    `form` what that is: "payload", the bytes of a `_payload.json` as they came; "json",
    of a line or a file, or compact JSON of the entry of an array; "html" and "script",
    the text of the script in UTF-8; "row", compact JSON of column to cell. With these
    two, `record_from_raw` gives the record again.
    """

    source: str
    line: int | None = None
    record: dict[str, Any] | None = None
    pointer: str = ""
    key: str | None = None
    error: PayloadError | None = None
    raw: bytes | None = None
    form: Form = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one file is read: `source` to show, the slug to prefer, names and limits."""

    source: str
    slug: str | None = None
    field_map: FieldMap | None = None
    limits: SourceLimits = DEFAULT_SOURCE_LIMITS

    def failed(self, error: PayloadError, line: int | None = None) -> SourceRecord:
        """The error in the place of a record, with the place in its message."""
        place = self.source if line is None else f"{self.source}, line {line}"
        named = SourceError(
            f"{place}: {error.reason}", index=error.index, path=error.path
        )
        named.__cause__ = error
        return SourceRecord(self.source, line, pointer=error.path, error=named)

    def json(self, data: bytes, line: int | None = None) -> SourceRecord:
        """What a JSON text holds: a payload, a record, or something around one."""
        try:
            text = self.text(data)
            if not text:
                raise PayloadError("empty. Save the page's _payload.json once more")
            if text[0] == "<":
                why = "HTML, not JSON. Save the page's _payload.json instead"
                raise PayloadError(why)
            if text[0] in "[-":
                value, form = loads(text, unknown="tagged"), "payload"
            else:
                value, form = parse_json(text), "json"
            return self.found(value, data, form, line)
        except PayloadError as error:
            return self.failed(error, line)

    def entry(self, value: object, position: int) -> SourceRecord:
        """What an entry of an array holds; itself before what is within it."""
        path = f"/{position}"
        try:
            own = value.get("slug") if isinstance(value, dict) else None
            named = replace(self, slug=own if isinstance(own, str) else None)
            found = named.found(value, compact(value), "json")
        except PayloadError as error:
            return self.failed(PayloadError(error.reason, path=path + error.path))
        return replace(found, pointer=path + found.pointer)

    def script(self, data: bytes, line: int | None = None) -> SourceRecord:
        """What a script of JavaScript holds."""
        try:
            return self.found_in_script(self.text(data))
        except PayloadError as error:
            return self.failed(error, line)

    def page(self, data: bytes) -> SourceRecord:
        """What a page of HTML holds: the JSON of Nuxt 3, else its JavaScript."""
        try:
            return self.found_in_page(self.text(data))
        except PayloadError as error:
            return self.failed(error)

    def page_data(self, data: bytes) -> SourceRecord:
        """What the JSON script of a page holds."""
        try:
            return self.found(loads(self.text(data), unknown="tagged"), data, "html")
        except PayloadError as error:
            return self.failed(error)

    def row(self, cells: dict[str, str], line: int | None) -> SourceRecord:
        """What a row of a table says; `cells` are those of its columns, as read."""
        raw = compact(cells)
        try:
            record = row_record(cells, self.field_map)
        except PayloadError as error:
            return self.failed(error, line)
        if self.field_map is not None:
            record = self.field_map.apply(record)
        return SourceRecord(self.source, line, record, raw=raw, form="row")

    def text(self, data: bytes) -> str:
        """The text of one file, line or entry; PayloadError where it is none."""
        if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
            raise PayloadError("UTF-16 or UTF-32, not UTF-8. Save it as UTF-8")
        try:
            return data.decode("utf-8-sig").strip(" \t\r\n")
        except UnicodeDecodeError as error:
            raise PayloadError(
                f"not UTF-8, from byte {error.start} on. Save it as UTF-8"
            ) from None

    def found(
        self, value: object, raw: bytes, form: str, line: int | None = None
    ) -> SourceRecord:
        """The record in a value. Raises PayloadError when there is none."""
        found: FoundTerm = find_term(value, slug=self.slug, field_map=self.field_map)
        record = found.record
        if self.field_map is not None:
            record = self.field_map.apply(record)
        return SourceRecord(
            self.source,
            line,
            record,
            found.pointer,
            found.key,
            raw=raw,
            form=form,  # type: ignore[arg-type]
        )

    def found_in_script(self, text: str) -> SourceRecord:
        script = read_script(text)
        try:
            return self.found(script.value, text.encode("utf-8", "replace"), "script")
        except PayloadError as error:
            if not script.imports:
                raise
            raise _elsewhere(script.imports[0], error) from None

    def found_in_page(self, page: str) -> SourceRecord:
        scripts = list(page_scripts(page))
        data = [script for script in scripts if script.is_data]
        failure: PayloadError | None = None
        for script in data:
            try:
                value = loads(script.text, unknown="tagged")
                source = script.attributes.get("data-src")
                if source and not _has_data(value):
                    raise _elsewhere(source)
                raw = script.text.encode("utf-8", "replace")
                return self.found(value, raw, "html")
            except PayloadError as error:
                failure = failure or error
        for script in scripts if not data else ():
            if script.is_code:
                try:
                    return self.found_in_script(script.text)
                except PayloadError as error:
                    failure = failure or error
        raise failure or PayloadError(
            "HTML without a payload in it. Save the page's _payload.json instead"
        )


def compact(value: object) -> bytes:
    """The JSON of a value, as short as it can be."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except UnicodeEncodeError:  # half of a character
        return json.dumps(value, separators=(",", ":")).encode()


def _has_data(value: Value) -> bool:
    while isinstance(value, Tagged):
        value = value.value
    return isinstance(value, dict) and "data" in value


def _elsewhere(path: str, error: PayloadError | None = None) -> PayloadError:
    return PayloadError(
        f"the data of this page lies in another file, {short(path)}, which is not"
        " fetched. Give that file instead",
        path=error.path if error else "",
    )
