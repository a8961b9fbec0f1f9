"""The records of a run, on disk while it lasts.

A plan needs to know all of a run at once: which keys there are, which come twice, what
each term is called. A table in a temporary SQLite file knows that for any number of
terms, in the same few megabytes of memory.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import tempfile
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from django.db.models import F

from ..models import GlossaryPage, ImportRecord, ImportSource
from ..models.imports import payload_digest
from ..payload.sources import SourceRecord


_BATCH = 500
_SCHEMA = """
CREATE TABLE records (
    position INTEGER PRIMARY KEY, place TEXT, line INTEGER, key TEXT, title TEXT,
    pointer TEXT, digest TEXT, payload TEXT, form TEXT, raw BLOB, record TEXT,
    error TEXT, twin INTEGER
);
CREATE TABLE keys (key TEXT PRIMARY KEY, position INTEGER, title TEXT) WITHOUT ROWID;
CREATE TABLE planned (
    key TEXT PRIMARY KEY, digest TEXT, revision INTEGER, outcome TEXT
) WITHOUT ROWID;
CREATE TABLE titles (
    title TEXT, slug TEXT, PRIMARY KEY (title, slug)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Staged:
    """One record of a source, as it was read."""

    position: int
    place: str
    """The file, and the line in it."""
    key: str
    """Its slug as it stands there; "" where there is none to be read."""
    title: str
    pointer: str
    digest: str
    """Equal for records that ask for the same, however they are written."""
    payload: str
    """The digest of the text that it came in."""
    form: str
    raw: bytes
    record: str
    """The record as JSON, "" where there is none."""
    error: str
    twin: int | None
    """The position of an earlier record with this key."""

    @property
    def data(self) -> Any:
        return json.loads(self.record)

    @classmethod
    def nowhere(cls, key: str, position: int = 0) -> Self:
        """Of a term that is not in the source."""
        return cls(position, "", key, "", "", "", "", "", b"", "", "", None)


class Staging:
    """A context manager: the file goes when it is left."""

    def __init__(self, fingerprint: str = "") -> None:
        # Another field map can make another term of the same text.
        self._fingerprint = fingerprint
        self._count = 0
        self.has_plan = False
        """Whether a plan was saved for these records."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="glossary-import-")
        self._db = sqlite3.connect(
            Path(self._folder.name) / "records.sqlite3",
            isolation_level=None,
            # A web server may go on in another thread, but never in two at once.
            check_same_thread=False,
        )
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-8000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)
        return self

    def __exit__(self, *exception: object) -> None:
        self._db.close()
        self._folder.cleanup()

    def __len__(self) -> int:
        return self._count

    # Filling

    def add(
        self, records: Iterable[SourceRecord], below: Path | None = None
    ) -> Iterator[int]:
        """Store the records, and yield after each how many there are.

        ``below`` is a folder that no message is to name, with the folder in it.
        """
        rows: list[tuple[Any, ...]] = []
        hidden = f"{below}/" if below else ""
        for record in records:
            rows.append(self._row(record, hidden))
            self._count += 1
            if len(rows) == _BATCH:
                self._store(rows)
            yield self._count
        self._store(rows)

    def _row(self, found: SourceRecord, hidden: str) -> tuple[Any, ...]:
        def show(text: str) -> str:
            return re.sub(rf"{re.escape(hidden)}\d+/", "", text) if hidden else text

        record = found.record
        key, title = _name(record, "slug"), _name(record, "term")
        text = "" if record is None else json.dumps(record, ensure_ascii=True)
        raw = found.raw if found.raw is not None else text.encode()
        payload = payload_digest(raw, found.form)
        digest = payload
        if self._fingerprint:
            mapped = f"{payload}{self._fingerprint}"
            digest = hashlib.sha256(mapped.encode()).hexdigest()
        return (
            self._count + 1,
            _fit(show(found.source)),
            found.line,
            _fit(key),
            _fit(title),
            found.pointer,
            digest,
            payload,
            found.form,
            raw,
            text,
            _fit("" if found.error is None else show(str(found.error))),
        )

    def _store(self, rows: list[tuple[Any, ...]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR IGNORE INTO keys VALUES (?, ?, ?)",
            [(row[3], row[0], row[4]) for row in rows if row[3]],
        )
        self._db.executemany(
            "INSERT INTO records SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
            " (SELECT position FROM keys WHERE key = ?4 AND position < ?1)",
            rows,
        )
        self._db.execute("COMMIT")
        rows.clear()

    def name_terms(self, glossary: GlossaryPage, source: ImportSource | None) -> None:
        """Learn what all terms are called, those of the glossary and of the run: for
        names to be looked up among them."""
        titles = glossary.terms.values_list("title", "slug").order_by()
        records = ImportRecord.objects.filter(source=source, page__isnull=False)
        renamed = dict(
            records.exclude(page__slug=F("key")).values_list("key", "page__slug")
        )
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR IGNORE INTO titles VALUES (?, ?)",
            ((title.casefold(), slug) for title, slug in titles.iterator()),
        )
        named = self._db.execute("SELECT title, key FROM keys WHERE title <> ''")
        self._db.executemany(
            "INSERT OR IGNORE INTO titles VALUES (?, ?)",
            ((title.casefold(), renamed.get(key, key)) for title, key in named),
        )
        self._db.execute("COMMIT")

    def expect(self, plan: Iterable[Mapping[str, Any]]) -> None:
        """Learn what a saved plan says of each term: the results, as data."""
        self.has_plan = True
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR IGNORE INTO planned VALUES (?, ?, ?, ?)",
            (
                (each["key"], each["digest"], each["revision"], each["outcome"])
                for each in plan
            ),
        )
        self._db.execute("COMMIT")

    # Reading

    def planned(self, key: str) -> tuple[str, int | None, str] | None:
        """What the saved plan says of a term: the digest of its record, the latest
        revision of its page, and the outcome."""
        return self._db.execute(
            "SELECT digest, revision, outcome FROM planned WHERE key = ?", (key,)
        ).fetchone()

    def chunks(self, size: int) -> Iterator[list[Staged]]:
        last = 0
        while True:
            rows = self._db.execute(
                "SELECT position, place, line, key, title, pointer, digest, payload,"
                " form, raw, record, error, twin FROM records"
                " WHERE position > ? ORDER BY position LIMIT ?",
                (last, size),
            ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield [
                Staged(position, place if line is None else f"{place}:{line}", *rest)
                for position, place, line, *rest in rows
            ]

    def place(self, position: int) -> str:
        row = self._db.execute(
            "SELECT place, line FROM records WHERE position = ?", (position,)
        ).fetchone()
        return row[0] if row[1] is None else f"{row[0]}:{row[1]}"

    def slugs_called(self, names: Collection[str]) -> dict[str, list[str]]:
        """The slugs of the terms of each name, in lower case."""
        found: dict[str, list[str]] = {}
        for folded in {name.casefold() for name in names}:
            rows = self._db.execute(
                "SELECT slug FROM titles WHERE title = ?", (folded,)
            )
            found[folded] = [slug for (slug,) in rows]
        return found

    def titles_of(self, keys: Collection[str]) -> dict[str, str]:
        """What the run calls the terms of these keys."""
        found = {}
        for key in keys:
            row = self._db.execute(
                "SELECT title FROM keys WHERE key = ?", (key,)
            ).fetchone()
            if row and row[0]:
                found[key] = row[0]
        return found

    def missing(self, keys: Collection[str]) -> list[str]:
        """Those of the keys that the run does not have."""
        return [
            key
            for key in keys
            if not self._db.execute(
                "SELECT 1 FROM keys WHERE key = ?", (key,)
            ).fetchone()
        ]

    @property
    def nameless(self) -> str:
        """The place of the first record that no key can be read of, "" without one."""
        row = self._db.execute(
            "SELECT position FROM records WHERE key = '' ORDER BY position LIMIT 1"
        ).fetchone()
        return self.place(row[0]) if row else ""

    @property
    def digest(self) -> str:
        """Of all the run's records, in their order."""
        whole = hashlib.sha256()
        for (digest,) in self._db.execute(
            "SELECT digest FROM records ORDER BY position"
        ):
            whole.update(digest.encode())
        return whole.hexdigest()


def _name(record: dict[str, Any] | None, field: str) -> str:
    """The slug or term of a record as the schema will read it, if it is any."""
    value = (record or {}).get(field)
    if not isinstance(value, str):
        return ""
    return " ".join(unicodedata.normalize("NFC", value).split())[:255]


def _fit(text: str) -> str:
    return text.encode(errors="replace").decode()
