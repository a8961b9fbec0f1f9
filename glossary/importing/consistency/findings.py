"""What a check of a glossary finds: something stored twice that differs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _


class Check(StrEnum):
    """What was compared; the values are for programs."""

    TREE = "tree"
    REVISIONS = "revisions"
    RELATED_TERMS = "related-terms"
    LINKS = "links"
    REFERENCES = "references"
    SEARCH = "search"
    RECORDS = "records"
    RUNS = "runs"


@dataclass(frozen=True, slots=True)
class Finding:
    check: Check
    slug: str
    """The slug of the term or related term, the key of a record, the name of a run."""
    problem: str
    remedy: str
    """What repairs it. Both are sentences."""
    repaired: bool = False
    by_hand: bool = False
    """Whether a person has to repair it."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        if self.by_hand:
            line = _("%(slug)s: %(problem)s By hand: %(remedy)s")
        elif self.repaired:
            line = _("%(slug)s: %(problem)s Repaired: %(remedy)s")
        else:
            line = _("%(slug)s: %(problem)s To repair: %(remedy)s")
        return line % {
            "slug": self.slug,
            "problem": self.problem,
            "remedy": self.remedy,
        }


@dataclass(slots=True)
class Findings:
    """Collects findings; ``fix`` says that whoever adds one also repairs it."""

    fix: bool = False
    found: list[Finding] = field(default_factory=list)

    def add(self, check: Check, slug: str, problem: str, remedy: str) -> None:
        self.found.append(Finding(check, slug, problem, remedy, repaired=self.fix))

    def add_by_hand(self, check: Check, slug: str, problem: str, remedy: str) -> None:
        """Add one that only a person can repair."""
        self.found.append(Finding(check, slug, problem, remedy, by_hand=True))

    def take(self) -> list[Finding]:
        """Those since the last time."""
        found, self.found = self.found, []
        return found
