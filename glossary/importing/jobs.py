"""Imports that the admin begins and a task carries out.

A job is a run in the database: its upload waits there until it is planned and applied,
so that any worker can take it up. Each step says how far it is on the run itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks import task

from ..conf import field_map, import_max_file_size
from ..models import GlossaryPage, ImportItem, ImportRun, ImportSource, ImportUpload
from ..payload.devalue import PayloadError
from ..payload.field_map import FieldMap
from ..payload.records import SourceLimits
from ..payload.sources import read_sources
from .apply import RunStopped, item_row, store_payloads
from .lock import STALE_AFTER, Locked
from .options import OnConflict, Options
from .plan import Item
from .run import Import, RunFailed, keep_counts
from .staging import Staging
from .undo import Undo


PIECE = 1024 * 1024
"""The size of the pieces that an upload is kept in, in bytes."""


class JobError(Exception):
    """A job that cannot go on. The text says why, for the user."""


def begin_import(
    glossary: GlossaryPage,
    files: Iterable[tuple[str, Iterable[bytes]]],
    *,
    source: str,
    options: Options,
    user: Any,
    mapping: dict[str, Any] | None = None,
) -> ImportRun:
    """Keep an upload, and let it be planned; returns the run.

    ``files`` are names with their contents in chunks. ``mapping`` is a field map for
    this run alone, as data.
    """
    with transaction.atomic():
        found, _created = ImportSource.objects.get_or_create(
            glossary=glossary, key=source
        )
        run = ImportRun.objects.create(
            source=found,
            user=user,
            status=ImportRun.Status.UPLOADED,
            options={**options.as_json(), "map": mapping},
        )
        for number, (name, chunks) in enumerate(files, start=1):
            for position, piece in enumerate(_pieces(chunks)):
                ImportUpload.objects.create(
                    run=run,
                    number=number,
                    name=_file_name(name),
                    position=position,
                    data=piece,
                )
    transaction.on_commit(lambda: plan_run.enqueue(run.pk))
    return run


def begin_apply(run: ImportRun, on_conflict: OnConflict, user: Any = None) -> None:
    """Let a planned run be carried out, as the user who says so: else one could publish
    with the rights of another. Raises JobError if it is not planned.

    Without a user, it is the one who planned it.
    """
    options = {**run.options, "on_conflict": str(on_conflict)}
    planned = ImportRun.objects.filter(pk=run.pk, status=ImportRun.Status.PLANNED)
    if not planned.update(
        status=ImportRun.Status.RUNNING,
        options=options,
        user=user or run.user,
        done=0,
        heartbeat_at=timezone.now(),
    ):
        raise JobError(_("This run is not waiting to be applied."))
    transaction.on_commit(lambda: apply_run.enqueue(run.pk))


def has_rest(run: ImportRun) -> bool:
    """Whether the run ended before its time, and its files are still there."""
    ended = run.status in (
        ImportRun.Status.STOPPED,
        ImportRun.Status.FAILED,
        ImportRun.Status.INTERRUPTED,
    )
    return (ended or gives_no_sign_of_life(run)) and run.uploads.exists()


def gives_no_sign_of_life(run: ImportRun) -> bool:
    """Whether a run that should be under way has not been heard of for too long."""
    heard = run.heartbeat_at or run.created_at
    return run.is_under_way and timezone.now() - heard > STALE_AFTER


def begin_again(run: ImportRun, user: Any) -> ImportRun:
    """Plan what a run that ended before its time has left; returns the run that does
    it, as this user."""
    if not has_rest(run):
        raise JobError(_("There is nothing left to do in this run."))
    with transaction.atomic():
        ImportRun.objects.filter(pk=run.pk, status__in=ImportRun.UNDER_WAY).update(
            status=ImportRun.Status.INTERRUPTED, finished_at=timezone.now()
        )
        again = ImportRun.objects.create(
            source=run.source,
            user=user,
            status=ImportRun.Status.UPLOADED,
            options=run.options,
        )
        run.uploads.update(run=again)
    transaction.on_commit(lambda: plan_run.enqueue(again.pk))
    return again


def begin_undo(run: ImportRun, user: Any) -> ImportRun:
    """Let a finished run be undone; returns the run that does it."""
    if run.is_under_way or not run.items.filter(applied=True).exists():
        raise JobError(_("There is nothing to undo in this run."))
    undo = ImportRun.objects.create(
        source=run.source,
        user=user,
        kind=ImportRun.Kind.UNDO,
        undoes=run,
        status=ImportRun.Status.RUNNING,
        heartbeat_at=timezone.now(),
    )
    transaction.on_commit(lambda: undo_run.enqueue(undo.pk))
    return undo


def request_stop(run: ImportRun) -> None:
    """Ask a run to stop at the end of its chunk."""
    ImportRun.objects.filter(pk=run.pk, status__in=ImportRun.UNDER_WAY).update(
        stop_requested=True
    )


def discard(run: ImportRun) -> None:
    """Delete a run that has written nothing, with its upload."""
    if run.is_under_way or run.items.filter(applied=True).exists():
        raise JobError(_("Only a run that has written nothing can be discarded."))
    run.delete()


# Tasks


@task()
def plan_run(pk: int) -> None:
    run = ImportRun.objects.select_related("source__glossary", "user").get(pk=pk)
    if not _begin(run, ImportRun.Status.UPLOADED, ImportRun.Status.PLANNING):
        return
    with _told(run), _staged(run) as staging:
        run.total = len(staging)
        ImportRun.objects.filter(pk=pk).update(total=run.total)
        work = Import(staging, run.source.glossary, _options(run), _user(run))
        _keep_plan(run, work)
        run.counts = work.counts.as_json()
        ImportRun.objects.filter(pk=pk).update(
            status=ImportRun.Status.PLANNED, done=run.total, counts=run.counts
        )


@task()
def apply_run(pk: int) -> None:
    run = ImportRun.objects.select_related("source__glossary", "user").get(pk=pk)
    with _told(run), _staged(run) as staging:
        planned = run.items.order_by("position")
        staging.expect(
            {
                "key": item.key,
                "outcome": item.outcome,
                "digest": item.before.get("digest", ""),
                "revision": item.before.get("revision"),
            }
            for item in planned.iterator()
        )
        decided = planned.exclude(decision="").values_list("key", "decision")
        decisions = {key: OnConflict(value) for key, value in decided}
        run.items.all().delete()
        work = Import(
            staging, run.source.glossary, _options(run), _user(run), decisions
        )
        work.apply(run)
        if run.status == ImportRun.Status.FINISHED:
            run.uploads.all().delete()


@task()
def undo_run(pk: int) -> None:
    run = ImportRun.objects.select_related("undoes", "source", "user").get(pk=pk)
    with _told(run):
        Undo(run.undoes, _user(run)).apply(run)


def _user(run: ImportRun) -> Any:
    """Who it runs for. Without one, it would run with the rights of the system."""
    if run.user is None or not run.user.is_active:
        raise JobError(_("The user who began this run is no longer there."))
    return run.user


def _begin(run: ImportRun, waiting: str, doing: str) -> bool:
    """Whether this worker is the one that takes the run up."""
    taken = ImportRun.objects.filter(pk=run.pk, status=waiting).update(
        status=doing, heartbeat_at=timezone.now()
    )
    run.status = doing
    return bool(taken)


@contextmanager
def _told(run: ImportRun) -> Iterator[None]:
    """What stops a job is said on its run, not in a log that no editor reads."""
    try:
        yield
    except RunStopped as stopped:
        ImportRun.objects.filter(pk=run.pk).update(
            status=ImportRun.Status.STOPPED,
            message=str(stopped),
            finished_at=timezone.now(),
        )
    except (PayloadError, JobError, Locked, RunFailed) as error:
        ImportRun.objects.filter(pk=run.pk).update(
            status=ImportRun.Status.FAILED,
            message=str(error),
            finished_at=timezone.now(),
        )
    except BaseException:
        ImportRun.objects.filter(pk=run.pk).exclude(
            status=ImportRun.Status.FINISHED
        ).update(
            status=ImportRun.Status.FAILED,
            message=_("Something went wrong that the importer did not expect."),
            finished_at=timezone.now(),
        )
        raise


@contextmanager
def _staged(run: ImportRun) -> Iterator[Staging]:
    data = run.options.get("map") or field_map()
    mapping = FieldMap.from_dict(data) if data else None
    size = import_max_file_size()
    limits = SourceLimits(file=size, entry=size)
    with (
        tempfile.TemporaryDirectory(prefix="glossary-upload-") as folder,
        Staging(mapping.fingerprint if mapping else "") as staging,
    ):
        paths = _unpack(run, Path(folder))
        if not paths:
            raise JobError(_("The upload is no longer there. Upload it again."))
        records = read_sources(paths, field_map=mapping, limits=limits)
        for _count in staging.add(records, below=Path(folder)):
            pass
        yield staging


def _unpack(run: ImportRun, folder: Path) -> list[Path]:
    """The uploaded files, each in a folder of its own: two may have one name."""
    paths: dict[int, Path] = {}
    for piece in run.uploads.iterator(chunk_size=4):
        if piece.number not in paths:
            own = folder / str(piece.number)
            own.mkdir()
            paths[piece.number] = own / piece.name
        with paths[piece.number].open("ab") as file:
            file.write(piece.data)
    return list(paths.values())


def _file_name(name: str) -> str:
    """A name that any file system takes, with its ending."""
    name = Path(name.replace("\0", "")).name or "upload"
    ending = Path(name).suffix[:20]
    stem = name.removesuffix(ending).encode(errors="replace")[:150]
    return stem.decode(errors="ignore") + ending


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = b""
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= PIECE:
            yield waiting[:PIECE]
            waiting = waiting[PIECE:]
    yield waiting


def _options(run: ImportRun) -> Options:
    return Options.from_json({**run.options, "source": run.source.key})


def _keep_plan(run: ImportRun, work: Import) -> None:
    """Keep what the plan says, some terms at a time; those without a word left out."""
    waiting: list[tuple[int, Item]] = []
    position = 0

    def store() -> None:
        with transaction.atomic():
            store_payloads(item.staged for _at, item in waiting if item.staged.raw)
            rows = [item_row(run, item, at) for at, item in waiting]
            for row, (_at, item) in zip(rows, waiting, strict=True):
                result = item.result
                row.before = {"digest": result.digest, "revision": result.revision}
            ImportItem.objects.bulk_create(rows)
        run.done = position
        keep_counts(run, work.counts)
        waiting.clear()

    for item in work.items():
        position = item.staged.position or position + 1
        if item.result.is_worth_keeping:
            waiting.append((position, item))
        if len(waiting) >= work.options.chunk_size:
            store()
    store()
