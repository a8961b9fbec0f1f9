"""The version of all that is delivered, and the log of what has changed.

Whoever changes something that anyone may read writes it here in the same transaction.
The version row is locked until that ends, so numbers are given in the order of commits:
who has read up to a number has missed nothing before it. A number that is read together
with its token names one state of everything, for ever: what is made from that state can
be kept under it, by any number of processes, and never be stale.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from django.db import connections, router, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ..models import Change, Version
from ..signals import changes_recorded
from .rows import insert_rows


ROW = 1
# SQLite takes no more values than this in one statement, on old systems.
BATCH_SIZE = 500
FIELDS = ("site_id", "kind", "object_id", "key", "number", "modified", "deleted")


class State(NamedTuple):
    """A version: its number, its token, and when it came to be."""

    number: int
    token: str
    modified: datetime


NOTHING_YET = State(0, "", datetime(1970, 1, 1, tzinfo=UTC))


class Place(NamedTuple):
    """On which sites an object is public now. ``key`` is its name in the feed;
    ``is_gone`` if it is not only hidden, but about to be deleted."""

    kind: Change.Kind
    object_id: int
    key: str
    site_ids: Collection[int]
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry of the log as it was written; ``is_new`` if the object was not public
    there before, ``is_gone`` if it is about to be deleted."""

    change: Change
    is_new: bool
    is_gone: bool = False


def current() -> State:
    """The version now, by one query that is as cheap as one can be."""
    connection = connections[router.db_for_read(Version)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, token, modified FROM glossary_version WHERE id = %s", [ROW]
        )
        row = cursor.fetchone()
    if row is None:
        return NOTHING_YET
    number, token, modified = row
    if isinstance(modified, str):  # SQLite has no type of its own for it
        modified = parse_datetime(modified)
    if modified.tzinfo is None:
        modified = modified.replace(tzinfo=UTC)
    return State(number, token, modified)


def lock() -> None:
    """Let nobody else change anything until this transaction ends."""
    if not Version.objects.select_for_update().filter(pk=ROW).exists():
        Version.objects.get_or_create(
            pk=ROW, defaults={"token": _token(), "modified": timezone.now()}
        )
        list(Version.objects.select_for_update().filter(pk=ROW))


@transaction.atomic
def touch() -> None:
    """Begin another version."""
    lock()
    _advance(1)


@transaction.atomic
def record(places: Iterable[Place]) -> list[Recorded]:
    """Write of each object, as it stands last among the places, an entry for every site
    where it is public, and a tombstone for every one where it was; begin another
    version if there are any.

    An object that was never public on a site leaves no tombstone there: nothing tells
    that it exists.
    """
    lock()
    latest = {(place.kind, place.object_id): place for place in places}
    known = _known(latest)
    worth = [
        line
        for (kind, pk), place in latest.items()
        for line in _lines(place, known.get((kind, pk), {}))
    ]
    if not worth:
        return []
    numbers, now = _advance(len(worth)), timezone.now()
    recorded = [
        Recorded(
            Change(
                site_id=site_id,
                kind=place.kind,
                object_id=place.object_id,
                key=key,
                number=number,
                modified=now,
                deleted=deleted,
            ),
            is_new=not deleted and not was_public,
            is_gone=place.is_gone,
        )
        for number, (place, site_id, key, deleted, was_public) in zip(
            numbers, worth, strict=True
        )
    ]
    _store([item.change for item in recorded], known)
    changes_recorded.send(sender=Change, recorded=recorded)
    return recorded


def batches(items: Iterable[int]) -> Iterator[list[int]]:
    """The items in lists that fit one statement."""
    items = iter(items)
    while batch := list(islice(items, BATCH_SIZE)):
        yield batch


class _Known(NamedTuple):
    """What the log says of an object on a site."""

    key: str
    deleted: bool


def _known(
    objects: Iterable[tuple[Change.Kind, int]],
) -> dict[tuple[str, int], dict[int, _Known]]:
    """What the log says of the objects, by site."""
    pks: dict[Change.Kind, list[int]] = {}
    for kind, pk in objects:
        pks.setdefault(kind, []).append(pk)
    found: dict[tuple[str, int], dict[int, _Known]] = {}
    for kind, wanted in pks.items():
        for batch in batches(wanted):
            rows = Change.objects.filter(kind=kind, object_id__in=batch)
            for site_id, pk, key, deleted in rows.values_list(
                "site_id", "object_id", "key", "deleted"
            ):
                found.setdefault((kind, pk), {})[site_id] = _Known(key, deleted)
    return found


def _lines(
    place: Place, known: Mapping[int, _Known]
) -> Iterator[tuple[Place, int, str, bool, bool]]:
    """What is to be written of an object: the site, the key, whether it is deleted
    there, and whether it was public there before."""
    for site_id in place.site_ids:
        was_public = site_id in known and not known[site_id].deleted
        yield place, site_id, place.key, False, was_public
    for site_id, (key, deleted) in known.items():
        if not deleted and site_id not in place.site_ids:
            yield place, site_id, key, True, True


def _store(
    changes: Sequence[Change], known: Mapping[tuple[str, int], Mapping[int, _Known]]
) -> None:
    there, new = [], []
    for change in changes:
        is_there = change.site_id in known.get((change.kind, change.object_id), {})
        (there if is_there else new).append(change)
    insert_rows(
        Change, FIELDS, [[getattr(change, name) for name in FIELDS] for change in new]
    )
    Change.objects.bulk_create(
        there,
        batch_size=BATCH_SIZE,
        update_conflicts=True,
        unique_fields=["site", "kind", "object_id"],
        update_fields=["key", "number", "modified", "deleted"],
    )


def _advance(numbers: int) -> range:
    """The next version, which has been locked, by these numbers."""
    version = Version.objects.get(pk=ROW)
    version.number += numbers
    version.token = _token()
    # Of two versions the later one has the later second, so that Last-Modified tells
    # them apart, also after a clock was set back.
    second = version.modified.replace(microsecond=0)
    version.modified = max(timezone.now(), second + timedelta(seconds=1))
    version.save()
    return range(version.number - numbers + 1, version.number + 1)


def _token() -> str:
    return secrets.token_hex(8)
