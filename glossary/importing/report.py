"""What a run did, or would do, in words and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext


class Outcome(StrEnum):
    """What becomes of a term. Each record of a source has exactly one outcome."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    INVALID = "invalid"


OUTCOME_LABELS: dict[Outcome, str | Promise] = {
    Outcome.CREATE: _("new"),
    Outcome.UPDATE: _("changed"),
    Outcome.UNCHANGED: _("unchanged"),
    Outcome.CONFLICT: _("in conflict"),
    Outcome.BLOCKED: _("blocked"),
    Outcome.INVALID: _("failed"),
}

# Outcomes that someone has to look at: the run ends with exit status 1.
TROUBLE = frozenset({Outcome.CONFLICT, Outcome.BLOCKED, Outcome.INVALID})


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know about one field of a term; an error stops the whole term."""

    field: str
    message: str
    is_error: bool = False

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs: its value on the page and its value in the payload."""

    field: str
    ours: Any
    theirs: Any
    taken: bool
    """False in a conflict: the page keeps its own."""


@dataclass(slots=True)
class Result:
    """The outcome of one record: what a plan holds and a run reports."""

    source: str
    key: str
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    remarks: list[Remark] = field(default_factory=list)

    @property
    def is_trouble(self) -> bool:
        return self.outcome in TROUBLE


@dataclass(slots=True)
class Report:
    """The results of a run, in the order of its sources."""

    results: list[Result] = field(default_factory=list)

    @property
    def counts(self) -> Counter[Outcome]:
        return Counter(result.outcome for result in self.results)

    @property
    def is_clean(self) -> bool:
        return not any(result.is_trouble for result in self.results)

    def summary(self) -> str:
        """One line, for example "36 terms: 34 new, 2 failed"."""
        counts = self.counts
        parts = [
            f"{counts[outcome]} {label}"
            for outcome, label in OUTCOME_LABELS.items()
            if counts[outcome]
        ]
        count = len(self.results)
        total = ngettext("%(count)d term", "%(count)d terms", count) % {"count": count}
        return f"{total}: {', '.join(parts)}" if parts else total

    def lines(self, *, changes: bool) -> Iterator[str]:
        """The results that say something: trouble and remarks, and with ``changes``
        everything that is new or differs, field by field."""
        for result in self.results:
            told = result.is_trouble or result.remarks
            differs = result.outcome in (Outcome.CREATE, Outcome.UPDATE)
            if not (told or (changes and differs)):
                continue
            label = OUTCOME_LABELS[result.outcome]
            yield f"{result.source}: {result.key or '?'}: {label}"
            for remark in result.remarks:
                yield f"    {remark}"
            for change in result.changes if changes else ():
                difference = f"{_short(change.ours)} → {_short(change.theirs)}"
                yield f"    {change.field}: {difference}"


def _short(value: Any, length: int = 60) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= length else f"{text[: length - 1]}…"
