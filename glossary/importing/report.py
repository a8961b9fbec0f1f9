"""What a run did, or would do, in words and as data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext


class Outcome(StrEnum):
    """What becomes of a term. Each record of a source has exactly one outcome; orphans
    are what the source no longer has."""

    CREATE = "create"
    UPDATE = "update"
    MERGE = "merge"
    ADOPT = "adopt"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    ORPHAN = "orphan"
    INVALID = "invalid"


OUTCOME_LABELS: dict[Outcome, str | Promise] = {
    Outcome.CREATE: _("new"),
    Outcome.UPDATE: _("changed"),
    Outcome.MERGE: _("merged"),
    Outcome.ADOPT: _("adopted"),
    Outcome.UNCHANGED: _("unchanged"),
    Outcome.CONFLICT: _("in conflict"),
    Outcome.BLOCKED: _("blocked"),
    Outcome.ORPHAN: _("gone from the source"),
    Outcome.INVALID: _("failed"),
}

# Outcomes that someone has to look at: the run ends with exit status 1.
TROUBLE = frozenset({Outcome.CONFLICT, Outcome.BLOCKED, Outcome.INVALID})


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know about one field of a term; an error stops the whole term.

    ``field`` is a JSON pointer into the record, or the name of a field, or "".
    """

    field: str
    message: str
    is_error: bool = False

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message

    def as_json(self) -> dict[str, Any]:
        return {
            "field": self.field,
            "message": self.message,
            "is_error": self.is_error,
        }


@dataclass(slots=True)
class Change:
    """A field that differs: its value on the page and its value in the payload."""

    field: str
    ours: Any
    theirs: Any
    taken: bool
    """False in a conflict that the page keeps its own in."""
    result: Any = None
    """What the page has afterwards, where that is neither of the two."""

    def as_json(self) -> dict[str, Any]:
        shown = {
            "field": self.field,
            "ours": self.ours,
            "theirs": self.theirs,
            "taken": self.taken,
        }
        return shown if self.result is None else {**shown, "result": self.result}


@dataclass(slots=True)
class Result:
    """The outcome of one record: what a plan holds and a run reports."""

    source: str
    """The file, and the line in it."""
    key: str
    outcome: Outcome
    title: str = ""
    changes: tuple[Change, ...] = ()
    remarks: list[Remark] = field(default_factory=list)
    page: int | None = None
    """The id of the term's page, once there is one."""
    settled: bool = False
    """Whether a conflict was decided by what the run was told."""
    is_term: bool = False
    """Whether the record makes a term at all."""
    digest: str = ""
    """Of the record."""
    revision: int | None = None
    """The page's latest one, as the plan found it."""

    @property
    def is_trouble(self) -> bool:
        return self.outcome in TROUBLE and not self.settled

    @property
    def is_worth_keeping(self) -> bool:
        """Whether it says more than that nothing changed."""
        return self.outcome is not Outcome.UNCHANGED or bool(self.remarks)

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "key": self.key,
            "term": self.title,
            "outcome": str(self.outcome),
            "settled": self.settled,
            "page": self.page,
            "digest": self.digest,
            "revision": self.revision,
            "changes": [change.as_json() for change in self.changes],
            "remarks": [remark.as_json() for remark in self.remarks],
        }

    def lines(self, *, changes: bool) -> Iterator[str]:
        """What there is to say, in lines: its outcome and remarks if there is trouble
        or a remark, and with ``changes`` everything that is new or differs."""
        told = self.is_trouble or self.remarks
        if not (told or (changes and self.changes)):
            return
        label = OUTCOME_LABELS[self.outcome]
        yield ": ".join(filter(None, [self.source, self.key or "?", str(label)]))
        for remark in self.remarks:
            yield f"    {remark}"
        for change in self.changes if changes else ():
            difference = f"{_short(change.ours)} → {_short(change.theirs)}"
            yield f"    {change.field}: {difference}"


@dataclass(slots=True)
class Counts:
    """How many terms had each outcome. Those of the records add up to their number."""

    by_outcome: Counter[Outcome] = field(default_factory=Counter)
    trouble: int = 0
    terms: int = 0
    """Records that make a term."""

    def add(self, result: Result) -> None:
        self.by_outcome[result.outcome] += 1
        self.trouble += result.is_trouble
        self.terms += result.is_term

    @property
    def records(self) -> int:
        """Of the source: orphans are none of them."""
        return self.by_outcome.total() - self.by_outcome[Outcome.ORPHAN]

    def as_json(self) -> dict[str, int]:
        return {str(name): count for name, count in self.by_outcome.items() if count}

    @property
    def is_clean(self) -> bool:
        return not self.trouble

    def summary(self) -> str:
        """One line, for example "36 terms: 34 new, 2 failed"."""
        parts = [
            f"{self.by_outcome[outcome]} {label}"
            for outcome, label in OUTCOME_LABELS.items()
            if self.by_outcome[outcome] and outcome is not Outcome.ORPHAN
        ]
        count = self.records
        total = ngettext("%(count)d term", "%(count)d terms", count) % {"count": count}
        line = f"{total}: {', '.join(parts)}" if parts else total
        if orphans := self.by_outcome[Outcome.ORPHAN]:
            line += f"; {orphans} {OUTCOME_LABELS[Outcome.ORPHAN]}"
        return line


class ResultFile:
    """Results as one JSON object, a term a line: written, and read, one by one."""

    def __init__(self, file: Any) -> None:
        self.counts: dict[str, int] = {}
        self.message = ""
        """Why the run ended before its time, if it did."""
        self._file = file
        self._started = False
        file.write('{"terms": [')

    def add(self, result: Result) -> None:
        self._file.write(",\n" if self._started else "\n")
        self._started = True
        json.dump(result.as_json(), self._file, ensure_ascii=False, default=str)

    def end(self) -> None:
        self._file.write('\n], "counts": ')
        json.dump(self.counts, self._file)
        if self.message:
            self._file.write(', "message": ')
            json.dump(self.message, self._file, ensure_ascii=False)
        self._file.write("}\n")

    @staticmethod
    def read(file: Iterable[str]) -> Iterator[dict[str, Any]]:
        """The results of a file, as data. Raises ValueError if it is no such file."""
        lines = iter(file)
        if next(lines, "").strip() != '{"terms": [':
            raise ValueError("it does not begin as one")
        for line in lines:
            if line.startswith("]"):
                return
            yield json.loads(line.rstrip().rstrip(","))
        raise ValueError("it breaks off")


def _short(value: Any, length: int = 60) -> str:
    # Of a long text only the beginning is looked at.
    text = " ".join(str(value)[: 8 * length].split())
    return text if len(text) <= length else f"{text[: length - 1]}…"
