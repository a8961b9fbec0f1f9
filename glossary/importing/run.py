"""Runs: imports and dry runs, from staged records to their report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from .. import __version__
from ..models import GlossaryPage, ImportRecord, ImportRun, ImportSource
from ..signals import terms_imported
from .apply import Applier, RunStopped, store_items
from .bulk.pages import unpublish_pages
from .conversions import Conversions
from .lock import LostLock, check_lock, holding
from .options import Atomic, OnConflict, Options, Orphans
from .plan import Item, Planner
from .report import Counts, Outcome, Remark, Result
from .retention import expire_payloads
from .rights import Rights
from .staging import Staged, Staging
from .state import state


class RunFailed(Exception):
    """The database or the lock was lost; the run can be taken up again. The text says
    what happened."""


OnResult = Callable[[Result], None]


@dataclass(slots=True)
class Import:
    """One import of staged records into a glossary."""

    staging: Staging
    glossary: GlossaryPage
    options: Options = field(default_factory=Options)
    user: Any = None
    """Whose rights it has; None is the system."""
    decisions: Mapping[str, OnConflict] = field(default_factory=dict)
    """What becomes of the conflicts of single terms, by their keys."""
    on_result: OnResult = lambda result: None
    """Called with each result, in the order of the records."""
    counts: Counts = field(default_factory=Counts)
    run: ImportRun | None = None

    # Plans

    def plan(self) -> Counts:
        """Say what would change. The database is asked to let nothing be written."""
        with read_only():
            for _item in self.items():
                pass
        return self.counts

    def items(self) -> Iterator[Item]:
        """The plan, term by term."""
        source = ImportSource.objects.filter(
            glossary=self.glossary, key=self.options.source
        ).first()
        for item in self._planner(source).results(self.options.chunk_size):
            self._tell(item)
            yield item

    def _planner(self, source: ImportSource | None) -> Planner:
        self.staging.name_terms(self.glossary, source)
        rights = Rights(self.user, self.glossary)
        return Planner(
            *(source, self.glossary, self.staging, self.options, rights),
            self.decisions,
        )

    def _tell(self, item: Item) -> None:
        self.counts.add(item.result)
        self.on_result(item.result)

    # Runs

    def apply(self, run: ImportRun | None = None) -> ImportRun:
        """Write the terms; returns the run, finished or stopped.

        ``run`` goes on with one that was planned before. Raises Locked if another run
        holds the source, RunFailed if the database failed meanwhile.
        """
        run = self.run = run or ImportRun(user=self.user)
        with guarding(run, self):
            source, _created = ImportSource.objects.get_or_create(
                glossary=self.glossary, key=self.options.source
            )
            run.source = source
            run.status = ImportRun.Status.RUNNING
            run.options = {**run.options, **self.options.as_json()}
            run.total = len(self.staging)
            run.digest = self.staging.digest
            run.version = __version__
            run.heartbeat_at = timezone.now()
            run.save()
            with holding(source, run):
                self._run(source, run)
            tell_of(run)
        return run

    def _run(self, source: ImportSource, run: ImportRun) -> None:
        try:
            planner = self._planner(source)
            self._refuse(planner)
            whole = self.options.atomic is Atomic.ALL
            around: AbstractContextManager[Any] = (
                transaction.atomic() if whole else nullcontext()
            )
            with around:
                self._write(planner, run)
        except BaseException as error:
            if self.options.atomic is Atomic.ALL:
                self.counts = Counts()
            if not isinstance(error, RunStopped):
                raise
            run.message = str(error)
            end(run, ImportRun.Status.STOPPED, self.counts)
        else:
            end(run, ImportRun.Status.FINISHED, self.counts)
            expire_payloads()

    def _refuse(self, planner: Planner) -> None:
        """Raise RunStopped before anything is written, if nothing may be."""
        if self.options.on_conflict is OnConflict.FAIL:
            for item in planner.results(self.options.chunk_size):
                if item.result.outcome is Outcome.CONFLICT:
                    raise RunStopped(
                        _("“%(key)s” (%(source)s) is in conflict. Nothing was written.")
                        % {"key": item.result.key, "source": item.result.source}
                    )
        if self.options.orphans is Orphans.UNPUBLISH:
            if place := self.staging.nameless:
                raise RunStopped(
                    _(
                        "What “%(source)s” holds could not be read, so it is not known "
                        "which terms are gone from the source. Nothing was written."
                    )
                    % {"source": place}
                )
            orphans = sum(1 for _item in planner.orphans(self.options.chunk_size))
            known = planner.source.records.filter(page__live=True).count()
            # Rounded, because 29 % of 100 is a little less than 29 to a computer.
            if orphans > round(known * self.options.orphan_limit, 6):
                raise RunStopped(
                    _(
                        "%(orphans)d of %(known)d terms are gone from the source. That "
                        "is more than the limit of %(limit)d %%: nothing was written. "
                        "Is the source complete?"
                    )
                    % {
                        "orphans": orphans,
                        "known": known,
                        "limit": round(self.options.orphan_limit * 100),
                    }
                )

    def _write(self, planner: Planner, run: ImportRun) -> None:
        with Conversions() as conversions:
            applier = Applier(planner, run, self.user, conversions)
            news = 0
            for staged, following in self._chunks():
                before = self.counts.by_outcome[Outcome.CREATE]
                items = applier.apply(staged, following if news else ())
                for item in items:
                    self._tell(item)
                news = self.counts.by_outcome[Outcome.CREATE] - before
                run.done = staged[-1].position
                keep_counts(run, self.counts)
                for item in items:
                    self._stop_if_failed(item)
        orphans: list[Item] = []
        position = len(self.staging)
        for item in planner.orphans(self.options.chunk_size):
            position += 1
            orphans.append(item)
            if len(orphans) == self.options.chunk_size:
                self._settle_orphans(planner, run, orphans, position)
        self._settle_orphans(planner, run, orphans, position)

    def _chunks(self) -> Iterator[tuple[list[Staged], list[Staged]]]:
        """Each chunk, with the one that comes after it."""
        chunks = self.staging.chunks(self.options.chunk_size)
        staged = next(chunks, [])
        while staged:
            following = next(chunks, [])
            yield staged, following
            staged = following

    def _stop_if_failed(self, item: Item) -> None:
        if item.result.outcome is not Outcome.INVALID:
            return
        if self.options.atomic is Atomic.ALL:
            raise RunStopped(
                _("%(failed)s. Nothing was written.") % {"failed": _failure(item)}
            )
        limit = self.options.max_errors
        if limit is not None and self.counts.by_outcome[Outcome.INVALID] > limit:
            raise RunStopped(_("More than %(limit)d terms failed.") % {"limit": limit})

    def _settle_orphans(
        self, planner: Planner, run: ImportRun, orphans: list[Item], last: int
    ) -> None:
        if not orphans:
            return
        with transaction.atomic():
            check_lock(planner.source, run)
            if self.options.orphans is Orphans.UNPUBLISH:
                leaving = [item for item in orphans if not item.result.remarks]
                for item in leaving:
                    item.page = item.record.page.specific
                    item.before = state(item.record, item.page)
                unpublish_pages(
                    [item.page for item in leaving],
                    self.user,
                    [("glossary.import_unpublish", {"run": run.pk})],
                )
                self._let_come_back(leaving, run)
                for item in leaving:
                    item.result.settled = True
                    item.result.remarks.append(Remark("", _("Unpublished.")))
            store_items(run, orphans, first=last - len(orphans) + 1)
        for item in orphans:
            self._tell(item)
        keep_counts(run, self.counts)
        orphans.clear()

    @staticmethod
    def _let_come_back(items: Sequence[Item], run: ImportRun) -> None:
        """Let a term that nobody has touched be published again when the source has it
        again: until then it counts as not written."""
        records = []
        for item in items:
            record, page = item.record, item.page
            if (
                record.revision is not None
                and record.revision == page.latest_revision_id
            ):
                record.base, record.digest, record.run = {}, "", run
                records.append(record)
        ImportRecord.objects.bulk_update(records, ["base", "digest", "run"])


def _failure(item: Item) -> str:
    """File, term and field, and what is wrong with them."""
    result = item.result
    why = "; ".join(str(each) for each in result.remarks if each.is_error)
    if item.staged.error:  # which names the file
        return why.rstrip(".")
    return f"{result.source}: {result.key or '?'}: {why}".rstrip(".")


def keep_counts(run: ImportRun, counts: Counts) -> None:
    """Let others see how far the run is. Raises RunStopped if one wants it to stop."""
    run.counts = counts.as_json()
    ImportRun.objects.filter(pk=run.pk).update(
        done=run.done, counts=run.counts, heartbeat_at=timezone.now()
    )
    if ImportRun.objects.filter(pk=run.pk, stop_requested=True).exists():
        raise RunStopped(_("Stopped. What is written stays; a new run does the rest."))


def tell_of(run: ImportRun) -> None:
    """Let others know of a run that is over, if it has written something."""
    if run.items.filter(applied=True).exists():
        terms_imported.send(sender=ImportRun, run=run)


def end(run: ImportRun, status: ImportRun.Status, counts: Counts) -> None:
    run.status = status
    run.counts = counts.as_json()
    run.finished_at = timezone.now()
    ImportRun.objects.filter(pk=run.pk).update(
        status=status,
        counts=run.counts,
        message=run.message,
        finished_at=run.finished_at,
    )


@contextmanager
def guarding(run: ImportRun, work: Any) -> Iterator[None]:
    """Note on the run what ends it before its time, with the counts of its ``work``.
    Raises RunFailed if the database or the lock was lost."""
    try:
        yield
    except LostLock as error:
        raise RunFailed(str(error)) from error
    except DatabaseError as error:
        raise RunFailed(end_badly(run, error, work.counts)) from error
    except BaseException:
        # Not only what can be expected: a run that is over must not seem to go on.
        with suppress(DatabaseError):
            end(run, ImportRun.Status.FAILED, work.counts)
        raise


def end_badly(run: ImportRun, error: DatabaseError, counts: Counts) -> str:
    """Note that the database failed, if it lets us, and say why in a line."""
    cause = error.__cause__ or error
    run.message = _("The database failed: %(why)s. Import again to do the rest.") % {
        "why": " ".join(str(cause).split()).rstrip(".")
    }
    try:
        if not connection.is_usable():
            connection.close()
        end(run, ImportRun.Status.FAILED, counts)
    except DatabaseError:
        pass  # the next run finds it, and marks it as interrupted
    return run.message


@contextmanager
def read_only() -> Iterator[None]:
    """A transaction in which the database refuses to write."""
    nested = connection.in_atomic_block
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                if connection.vendor == "postgresql" and not nested:
                    cursor.execute("SET TRANSACTION READ ONLY")
                elif connection.vendor == "sqlite":
                    cursor.execute("PRAGMA query_only = ON")
            yield
    finally:
        # Not inside: a transaction that has failed runs nothing any more, and the
        # connection would stay as it is.
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA query_only = OFF")
