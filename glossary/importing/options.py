"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Self

from ..models.imports import DEFAULT_SOURCE


class OnConflict(StrEnum):
    """What becomes of a field that both sides changed, differently."""

    DRAFT = "draft"
    """The page keeps its own; the payload's waits as a proposal."""
    OURS = "ours"
    """The page keeps its own, and the matter is settled."""
    THEIRS = "theirs"
    """The payload's is taken; the page's stays in its history."""
    SKIP = "skip"
    """Nothing of the term is written."""
    FAIL = "fail"
    """Nothing of the run is written."""


class Orphans(StrEnum):
    """What becomes of terms that are known, but gone from the source."""

    IGNORE = "ignore"
    """For a source that is only a part."""
    REPORT = "report"
    UNPUBLISH = "unpublish"


class Atomic(StrEnum):
    """What is written whole or not at all, beside each term."""

    CHUNK = "chunk"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Options:
    source: str = DEFAULT_SOURCE
    on_conflict: OnConflict = OnConflict.DRAFT
    draft: bool = False
    """Save drafts and publish nothing."""
    adopt: bool = False
    """Take over pages of the same slug that no import has made."""
    orphans: Orphans = Orphans.REPORT
    orphan_limit: float = 0.1
    """The share of the source's terms above which none is unpublished."""
    atomic: Atomic = Atomic.CHUNK
    chunk_size: int = 200
    """Terms in a transaction."""
    max_errors: int | None = None
    """How many terms may fail before the run stops."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        kinds = {"on_conflict": OnConflict, "orphans": Orphans, "atomic": Atomic}
        known = {field.name for field in fields(cls)}
        return cls(
            **{
                name: kinds[name](value) if name in kinds else value
                for name, value in values.items()
                if name in known
            }
        )
