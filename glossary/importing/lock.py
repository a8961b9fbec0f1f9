"""One run at a time for each source.

On PostgreSQL the database holds the lock for as long as the connection lives, however
the process ends. Elsewhere the source's row names the run that holds it; a run that
gives no sign of life any more has lost it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ..models import ImportRun, ImportSource


# Of a run between two signs of life: a chunk takes a second or two.
STALE_AFTER = timedelta(minutes=1)
# The first half of PostgreSQL's lock key, to tell our locks from others'.
_NAMESPACE = 0x676C6F73


class Locked(Exception):
    """Another run holds the source. The text says whose it is, and since when."""


class LostLock(Exception):
    """The run no longer holds the source: its connection was cut, or another run took
    it for dead."""


@contextmanager
def holding(source: ImportSource, run: ImportRun) -> Iterator[None]:
    """Hold the source for a run. Raises Locked if another one does."""
    is_postgres = connection.vendor == "postgresql"
    if is_postgres and not _ask("pg_try_advisory_lock", source):
        raise Locked(_told(source))
    try:
        _take(source, run)
        yield
    finally:
        _release(source, run)


def check_lock(source: ImportSource, run: ImportRun) -> None:
    """Give a sign of life, inside a transaction. Raises LostLock if it is too late.

    As the first statement of its transaction it also makes SQLite keep other writers
    out from here on.
    """
    now = timezone.now()
    held = ImportRun.objects.filter(pk=run.pk, status=ImportRun.Status.RUNNING)
    lost = not held.update(heartbeat_at=now)
    # One's own lock is granted once more at once.
    lost = lost or is_held(source)
    lost = lost or not ImportSource.objects.filter(pk=source.pk, holder=run).exists()
    if lost:
        raise LostLock(_("The run no longer holds its source, and stops."))
    run.heartbeat_at = now


def is_held(source: ImportSource) -> bool:
    """Whether another living process holds the source, as far as the database knows:
    only PostgreSQL does. Inside a transaction."""
    return connection.vendor == "postgresql" and not _ask(
        "pg_try_advisory_xact_lock", source
    )


def _ask(function: str, source: ImportSource) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [_NAMESPACE, source.pk])
        return bool(cursor.fetchone()[0])


def _take(source: ImportSource, run: ImportRun) -> None:
    mine = ImportSource.objects.filter(pk=source.pk)
    free = Q(holder=None) | ~Q(holder__status__in=ImportRun.UNDER_WAY)
    if connection.vendor == "postgresql":
        free = Q()  # the database has said so
    else:
        dead = timezone.now() - STALE_AFTER
        free |= Q(holder__heartbeat_at=None) | Q(holder__heartbeat_at__lt=dead)
    former = mine.values_list("holder", flat=True).first()
    ids = ImportSource.objects.filter(free, pk=source.pk).values("pk")
    if not mine.filter(pk__in=ids).update(holder=run):
        raise Locked(_told(source))
    # Also those that ended between their first sign of life and the lock.
    ended = Q(pk=former) | Q(heartbeat_at__lt=timezone.now() - STALE_AFTER)
    ImportRun.objects.filter(
        ended, source=source, status=ImportRun.Status.RUNNING
    ).exclude(pk=run.pk).update(
        status=ImportRun.Status.INTERRUPTED, finished_at=timezone.now()
    )


def _release(source: ImportSource, run: ImportRun) -> None:
    if not connection.is_usable():
        return  # the lock went with the connection
    try:
        ImportSource.objects.filter(pk=source.pk, holder=run).update(holder=None)
    finally:
        if connection.vendor == "postgresql":
            _ask("pg_advisory_unlock", source)


def _told(source: ImportSource) -> str:
    source.refresh_from_db()
    run = source.holder
    if run is None:
        return _("Another import from “%(source)s” is in progress.") % {
            "source": source.key
        }
    since = date_format(timezone.localtime(run.created_at), "DATETIME_FORMAT")
    return _(
        "Run %(run)s by %(who)s has been in progress since %(since)s. Wait for it to "
        "finish, or stop it."
    ) % {"run": run, "who": run.who, "since": since}
