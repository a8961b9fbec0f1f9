"""One record against the page of its term: the outcome, and the work it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from ..content import (
    PROSE,
    SEO_FIELDS,
    Content,
    Names,
    normal_field,
    page_content,
    payload_content,
    text_of_kind,
)
from ..models import ImportRecord, TermPage
from ..payload.schema import TermPayload
from .merge import MISSING, Merged, merge_field
from .options import OnConflict, Options
from .report import Change, Outcome, Remark, Result
from .rights import Rights


@dataclass(slots=True)
class Work:
    """What is to be written of one term."""

    term: TermPayload
    page: TermPage | None
    """The page to change, with its latest content; None for a new term."""
    content: Content
    """What the page gets: only the fields that change."""
    base: Content
    """What the next import will compare with."""
    proposal: Content
    """What waits for an editor's decision."""
    publishes: bool = False
    is_pure: bool = False
    """Whether the page then says what the payload says, and nothing else."""
    is_silent: bool = False
    """Whether it only saves the next run some reading: no undo needs to know."""


@dataclass(slots=True)
class Comparing:
    """Compares one term with its page, and says on ``result`` what it finds."""

    result: Result
    term: TermPayload
    record: ImportRecord | None
    page: TermPage | None
    options: Options
    policy: OnConflict
    rights: Rights

    def run(
        self,
        names: Names,
        slugs: Mapping[int, str],
        obstacle: str | Promise | None = None,
    ) -> Work | None:
        """The work, or None where nothing may or need be written.

        ``slugs`` are those of ``related_slugs`` for the page; ``obstacle`` is why it
        must not be touched now.
        """
        model = type(self.page) if self.page else TermPage
        theirs = storable(payload_content(self.term, names), model)
        if self.page is None:
            return self._compare_without_page(theirs)
        self.result.page = self.page.pk
        if not (self._is_known or self.options.adopt):
            self._conclude(
                Outcome.CONFLICT,
                _("There is a page with this slug that no import has made."),
                "slug",
            )
            return None
        if self._is_withdrawn:
            work = self._bring_back(theirs, slugs)
        else:
            work = self._merge(theirs, slugs)
        if work is None or not (work.content or self.result.outcome in _DECISIONS):
            return work
        if not self.rights.may_edit(self.page):
            obstacle = _("You may not edit this page.")
        elif not work.content:  # the page is not touched
            return work
        if obstacle:
            self._conclude(Outcome.BLOCKED, str(obstacle))
            self.result.settled = False
            return None
        said = work.content.get("short_definition", self.page.short_definition)
        if work.publishes and not said:
            return self._refuse_unfinished()
        return work

    @property
    def _is_known(self) -> bool:
        """Whether an import has written the page before."""
        return bool(self.record and self.page and self.record.page_id == self.page.pk)

    def _conclude(self, outcome: Outcome, message: str, field: str = "") -> None:
        self.result.outcome = outcome
        is_error = outcome is Outcome.INVALID
        self.result.remarks.append(Remark(field, message, is_error))

    def _refuse_unfinished(self) -> None:
        self._conclude(
            Outcome.INVALID,
            _("A term is not published without one; a draft may be."),
            "short_definition",
        )

    # Terms without a page

    def _compare_without_page(self, theirs: Content) -> Work | None:
        if self.record is not None and not self._comes_back(theirs):
            if not self.result.settled:
                return None
            return Work(self.term, None, {}, theirs, {})
        if not self.rights.may_add():
            self._conclude(
                Outcome.BLOCKED, _("You may not add terms to this glossary.")
            )
            return None
        publishes = not self.options.draft and self.rights.may_publish_new()
        if publishes and not theirs.get("short_definition"):
            return self._refuse_unfinished()
        self.result.outcome = Outcome.CREATE
        self.result.changes = tuple(
            Change(name, None, value, taken=True)
            for name, value in theirs.items()
            if value
        )
        return Work(self.term, None, theirs, theirs, {}, publishes, is_pure=True)

    def _comes_back(self, theirs: Content) -> bool:
        """Whether a term whose page was deleted is made again: only when the run says
        so, for to delete it was a person's decision."""
        known = self.record.base
        if all(known.get(name) == value for name, value in theirs.items()):
            self._conclude(Outcome.UNCHANGED, _("Its page was deleted here."))
            return False
        if self.policy is OnConflict.THEIRS:
            return True
        self._conclude(
            Outcome.CONFLICT,
            _("Its page was deleted here, and the payload has changed since."),
        )
        self.result.settled = self.policy is OnConflict.OURS
        return False

    # Terms with a page

    @property
    def _is_withdrawn(self) -> bool:
        """Whether an undo has taken back what the imports did with the page, and
        nobody has been at it since: it counts as not written yet."""
        return (
            self._is_known
            and not self.record.base
            and not self.page.live
            and self._is_untouched()
        )

    def _bring_back(self, theirs: Content, slugs: Mapping[int, str]) -> Work:
        """As for a new term, on the page that is there."""
        ours = page_content(self.page, slugs, theirs)
        content = {name: normal_field(name, value) for name, value in theirs.items()}
        differing = {
            name: value for name, value in content.items() if value != ours[name]
        }
        self.result.changes = tuple(
            _change(name, ours[name], value, value) for name, value in differing.items()
        )
        if self.options.draft:
            content = differing
        self.result.outcome = Outcome.UPDATE if content else Outcome.UNCHANGED
        publishes = not self.options.draft and self.rights.may_publish(self.page)
        work = Work(self.term, self.page, content, theirs, {}, publishes)
        work.is_pure = True
        return work

    def _merge(self, theirs: Content, slugs: Mapping[int, str]) -> Work | None:
        base = self.record.base if self.record and self._is_known else {}
        fields = [
            name for name, value in theirs.items() if base_of(base, name) != value
        ]
        ours = page_content(self.page, slugs, fields)
        merged = {
            name: _merge_field(name, base, ours[name], theirs[name]) for name in fields
        }
        conflicts = [name for name in fields if merged[name].conflicts]
        policy = self._policy() if conflicts else OnConflict.OURS
        if policy is not self.policy and conflicts:
            self.result.remarks.append(
                Remark("", _("There are unpublished changes: they are kept."))
            )
        work = Work(
            self.term,
            self.page,
            content={},
            base={**base, **{name: theirs[name] for name in fields}},
            proposal={},
            publishes=self._publishes(),
        )
        changes = []
        for name in fields:
            value = merged[name].value
            if name in conflicts and policy is OnConflict.THEIRS:
                value = merged[name].theirs_taken
            elif name in conflicts and policy is not OnConflict.OURS:
                work.proposal[name] = merged[name].theirs_taken
                _replace(work.base, name, merged[name].next_base)
            if value != ours[name]:
                work.content[name] = value
            if name in conflicts or value != ours[name]:
                there = normal_field(name, theirs[name])
                changes.append(_change(name, ours[name], there, value))
        self.result.changes = tuple(changes)
        if "sections" in theirs:  # they are all sections
            for name in PROSE:
                work.base.pop(name, None)
        was_pure = self._is_known and self._is_untouched()
        work.is_pure = was_pure and not work.proposal and not conflicts
        self.result.outcome = self._outcome(work, conflicts)
        self._tell(conflicts, policy)
        if conflicts and policy in (OnConflict.SKIP, OnConflict.FAIL):
            return None
        return work

    def _policy(self) -> OnConflict:
        """What becomes of the conflicts. What a person has not published yet is in no
        history to come back from: it is kept in any case."""
        if (
            self.policy is not OnConflict.THEIRS
            or not self.page.has_unpublished_changes
        ):
            return self.policy
        return OnConflict.THEIRS if self._is_untouched() else OnConflict.DRAFT

    def _is_untouched(self) -> bool:
        """Whether nobody has saved the page since an import made it what the payload
        said."""
        revision = self.record.revision if self.record else None
        return revision is not None and revision == self.page.latest_revision_id

    def _publishes(self) -> bool:
        return (
            self.page.live
            and not self.page.has_unpublished_changes
            and not self.options.draft
            and self.rights.may_publish(self.page)
        )

    def _outcome(self, work: Work, conflicts: Sequence[str]) -> Outcome:
        if conflicts:
            return Outcome.CONFLICT
        if not self._is_known:
            return Outcome.ADOPT
        if not work.content:
            return Outcome.UNCHANGED
        return Outcome.UPDATE if self._is_untouched() else Outcome.MERGE

    def _tell(self, conflicts: Sequence[str], policy: OnConflict) -> None:
        settles = policy in (OnConflict.OURS, OnConflict.THEIRS)
        self.result.settled = settles and bool(conflicts)
        for name in conflicts:
            self.result.remarks.append(Remark(name, str(_CONFLICT[policy]())))


# Outcomes that decide something, though the page may stay as it is.
_DECISIONS = frozenset({Outcome.ADOPT, Outcome.CONFLICT})

_CONFLICT = {
    OnConflict.DRAFT: lambda: _(
        "Changed here and in the payload since the last import. The page keeps its own;"
        " the payload’s waits as a proposal."
    ),
    OnConflict.OURS: lambda: _(
        "Changed here and in the payload since the last import. The page keeps its own."
    ),
    OnConflict.THEIRS: lambda: _(
        "Changed here and in the payload since the last import. The payload’s is taken;"
        " the page’s stays in its history."
    ),
    OnConflict.SKIP: lambda: _(
        "Changed here and in the payload since the last import. The term is skipped."
    ),
    OnConflict.FAIL: lambda: _(
        "Changed here and in the payload since the last import."
    ),
}


def _merge_field(name: str, base: Content, ours: Any, theirs: Any) -> Merged:
    before = base_of(base, name)
    if before is not MISSING:
        before = normal_field(name, before)
    return merge_field(name, before, ours, normal_field(name, theirs))


def base_of(base: Content, name: str) -> Any:
    """What the last import wrote to a field. Prose may have come by kind, and all
    sections may come now, or the other way round."""
    if name in base:
        return base[name]
    if name == "sections" and any(field in base for field in PROSE):
        return [
            {"kind": kind, "heading": "", "text": base[field]}
            for field, kind in PROSE.items()
            if base.get(field)
        ]
    if name in PROSE and "sections" in base:
        return text_of_kind(base["sections"], PROSE[name])
    return MISSING


def _replace(base: Content, name: str, value: Any) -> None:
    if value is MISSING:
        base.pop(name, None)
    else:
        base[name] = value


def _change(name: str, ours: Any, theirs: Any, value: Any) -> Change:
    result = value if value not in (ours, theirs) else None
    return Change(name, ours, theirs, taken=value != ours, result=result)


def storable(theirs: Content, model: type[TermPage]) -> Content:
    """With what the site's base page has no field for among the further fields."""
    stored = dict(theirs)
    for name, attribute in SEO_FIELDS.items():
        value = None if hasattr(model, attribute) else stored.pop(name, None)
        if value:
            stored["extra"] = {**stored.get("extra", {}), name: value}
    return stored
