"""Undo a run: what nobody has touched since goes back to what it was before.

An undo is a run itself. It goes back by new revisions, so that nothing is lost from
the history, and it can be undone as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import Revision

from .. import __version__
from ..models import ImportItem, ImportRecord, ImportRun, TermPage
from .apply import RunStopped, store_items
from .bulk.pages import Writing, save_pages, unpublish_pages
from .lock import check_lock, holding
from .obstacles import obstacles
from .options import Options
from .pages import load_rows, lock_pages
from .plan import Item
from .referring import bring_links_home, rename_related_terms
from .report import Counts, Outcome, Remark, Result
from .rights import Rights
from .run import end, guarding, keep_counts, tell_of
from .staging import Staged
from .state import page_state, restore_record, state


@dataclass(slots=True)
class Step:
    """One term of the run that is undone."""

    done: ImportItem
    item: Item
    page: TermPage | None
    writing: Writing | None = None
    live_writing: Writing | None = None
    """What is published before that, where a draft waits above a published text."""
    unpublishes: bool = False

    @property
    def before(self) -> dict[str, Any]:
        return self.done.before


@dataclass
class Undo:
    undone: ImportRun
    user: Any = None
    on_result: Callable[[Result], None] = lambda result: None
    counts: Counts = field(default_factory=Counts)
    run: ImportRun | None = None

    @cached_property
    def total(self) -> int:
        return self._applied().count()

    def _applied(self) -> Any:
        return self.undone.items.filter(applied=True).order_by("position")

    def apply(self, run: ImportRun | None = None) -> ImportRun:
        """Go back, term by term; returns the run. Raises Locked and RunFailed as an
        import does."""
        source = self.undone.source
        run = self.run = run or ImportRun(source=source, user=self.user)
        with guarding(run, self):
            run.kind = ImportRun.Kind.UNDO
            run.undoes = self.undone
            run.status = ImportRun.Status.RUNNING
            run.total = self.total
            run.version = __version__
            run.heartbeat_at = timezone.now()
            run.save()
            with holding(source, run):
                self._run(run)
            tell_of(run)
        return run

    def _run(self, run: ImportRun) -> None:
        last = 0
        size = Options().chunk_size
        try:
            while rows := list(self._applied().filter(position__gt=last)[:size]):
                last = rows[-1].position
                with transaction.atomic():
                    check_lock(run.source, run)
                    steps = self._chunk(rows, run)
                    store_items(run, [step.item for step in steps])
                for step in steps:
                    self.counts.add(step.item.result)
                    self.on_result(step.item.result)
                run.done += len(rows)
                keep_counts(run, self.counts)
        except RunStopped as stopped:
            run.message = str(stopped)
            end(run, ImportRun.Status.STOPPED, self.counts)
        else:
            end(run, ImportRun.Status.FINISHED, self.counts)

    def _chunk(self, rows: Sequence[ImportItem], run: ImportRun) -> list[Step]:
        ids = [row.after["page"] for row in rows if row.after["page"]]
        lock_pages(ids)
        pages = {
            page.pk: page for page in TermPage.objects.filter(pk__in=ids).specific()
        }
        records = {
            record.key: record
            for record in ImportRecord.objects.filter(
                source=run.source, key__in=[row.key for row in rows]
            )
        }
        hindered = obstacles(list(pages.values()))
        self._revisions = Revision.objects.in_bulk(
            {row.before["revision"] for row in rows} - {None}
        )
        steps = [self._step(row, pages, records, hindered) for row in rows]
        going = [step for step in steps if step.item.result.outcome is Outcome.UPDATE]
        self._prepare(going, run)
        self._write(going, run)
        for step in going:
            step.item.result.page = step.page and step.page.pk
        return steps

    def _step(self, row: ImportItem, pages: Any, records: Any, hindered: Any) -> Step:
        result = Result(row.place, row.key, Outcome.UPDATE, title=row.title)
        page = pages.get(row.after["page"])
        record = records.get(row.key)
        staged = Staged.nowhere(row.key, row.position)
        item = Item(staged, result, record, page=page)
        step = Step(row, item, page)
        reason = self._changed_since(step, record) or hindered.get(page and page.pk)
        reason = reason or self._may_not(step) or self._has_no_former(step)
        if reason:
            result.outcome = Outcome.CONFLICT
            result.page = page and page.pk
            result.remarks.append(Remark("", str(reason)))
        return step

    def _may_not(self, step: Step) -> str | None:
        """What the user has no right to, if that is needed."""
        page, before = step.page, step.before
        if page is None:
            return None
        rights = Rights(self.user, page.glossary)
        if not rights.may_edit(page):
            return _("You may not edit this page.")
        shows = before["live"] != page.live or (before["live"] and not before["draft"])
        if shows and not _is_as_before(page, before) and not rights.may_publish(page):
            return _("You may not publish this page.")
        return None

    def _has_no_former(self, step: Step) -> str | None:
        """Why there is nothing to go back to, if so."""
        page, before = step.page, step.before
        if page is None or _is_as_before(page, before) or not before["page"]:
            return None
        unpublishes = page.live and not before["live"]
        if unpublishes or before["revision"] in self._revisions:
            return None
        return _("The version to go back to is no longer in the page’s history.")

    def _changed_since(self, step: Step, record: ImportRecord | None) -> str | None:
        """Why the term is not as the run left it, if so."""
        after = step.done.after
        if after["page"] and step.page is None:
            return _("Its page has been deleted since.")
        now = page_state(step.page)
        if any(now[name] != after[name] for name in ("revision", "live", "draft")):
            return _("It has been changed since.")
        remembered = after["record"]
        if remembered and (
            record is None
            or (record.digest, record.base)
            != (remembered["digest"], remembered["base"])
        ):
            return _("A later run has written it since.")
        return None

    # Going back

    def _prepare(self, steps: Sequence[Step], run: ImportRun) -> None:
        actions = [("glossary.import_undo", {"run": run.pk, "undoes": self.undone.pk})]
        for step in steps:
            before, page = step.before, step.page
            step.item.before = state(step.item.record, page)
            if page is None or _is_as_before(page, before):
                continue
            if not before["live"] and page.live:
                step.unpublishes = True
            elif revision := self._revisions.get(before["revision"]):
                publishes = before["live"] and not before["draft"]
                step.page = page.with_content_json(revision.content)
                former = page.title
                step.writing = Writing(step.page, publishes, actions, former)
                if before["draft"] and not page.live:
                    # Its tables still say what was published.
                    load_rows([page])
                    step.live_writing = Writing(page, True, (), former)
                    step.page.live = True
            step.item.page = step.page

    def _write(self, steps: Sequence[Step], run: ImportRun) -> None:
        actions = [("glossary.import_undo", {"run": run.pk, "undoes": self.undone.pk})]
        unpublished = [step.page for step in steps if step.unpublishes]
        unpublish_pages(unpublished, self.user, actions)
        writings = [step.writing for step in steps if step.writing]
        bring_links_home([each.page for each in writings], run.source.glossary)
        save_pages(
            [step.live_writing for step in steps if step.live_writing], self.user
        )
        save_pages(writings, self.user)
        rename_related_terms(
            {each.page.pk: each.former_title for each in writings},
            [each.page for each in writings if each.publishes],
        )
        records = []
        for step in steps:
            if step.item.record is not None:
                self._restore(step)
                records.append(step.item.record)
        if records:
            ImportRecord.objects.bulk_update(
                records,
                [
                    *("page", "base", "proposal", "pending"),
                    *("payload", "digest", "revision"),
                    "run",
                ],
            )

    def _restore(self, step: Step) -> None:
        record, page, before = step.item.record, step.page, step.before
        remembered = before["record"] or {}
        restore_record(record, before["record"])
        record.run = self.run
        if page is not None:
            # They go on belonging together, but for a page that was a person's before
            # it was adopted.
            is_adopted = before["page"] and not remembered.get("page_id")
            record.page_id = None if is_adopted else page.pk
            revision = remembered.get("revision")
            if revision is not None and revision == before["revision"]:
                # As nobody had been at it then, nobody has now.
                record.revision = page.latest_revision_id


def _is_as_before(page: TermPage, before: dict[str, Any]) -> bool:
    """Whether the run has left the page alone, and only learned something of it."""
    return all(before[name] == value for name, value in page_state(page).items())
