"""The version of all that is delivered, and the log of what has changed.

Whoever changes something that anyone may read writes it here in the same transaction.
The version row is locked until that ends, so numbers are given in the order of commits:
who has read up to a number has missed nothing before it. A number that is read together
with its token names one state of everything, for ever: what is made from that state can
be kept under it, by any number of processes, and never be stale.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple, TypeVar

from django.db import connections, router, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ..models import Change, Version
from ..signals import changes_recorded
from .rows import insert_rows


Item = TypeVar("Item")

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


def lock() -> Version:
    """The version, which nobody else changes until this transaction ends."""
    rows = Version.objects.select_for_update().filter(pk=ROW)
    if (version := rows.first()) is None:
        Version.objects.get_or_create(
            pk=ROW, defaults={"token": _token(), "modified": timezone.now()}
        )
        version = rows.get()
    return version


@transaction.atomic
def touch() -> None:
    """Begin another version."""
    _advance(lock(), 1)


@transaction.atomic
def record(places: Iterable[Place]) -> list[Recorded]:
    """Write of each object, as it stands last among the places, an entry for every site
    where it is public, and a tombstone for every one where it was; begin another
    version if there are any.

    An object that was never public on a site leaves no tombstone there: nothing tells
    that it exists.
    """
    version = lock()
    latest = {(place.kind, place.object_id): place for place in places}
    known = _known(latest)
    lines = [
        line
        for (kind, pk), place in latest.items()
        for line in _lines(place, known.get((kind, pk), {}))
    ]
    if not lines:
        return []
    numbers, now = _advance(version, len(lines)), timezone.now()
    recorded = [
        Recorded(
            Change(
                site_id=line.site_id,
                kind=line.place.kind,
                object_id=line.place.object_id,
                key=line.key,
                number=number,
                modified=now,
                deleted=line.deleted,
            ),
            is_new=not line.deleted and (line.former is None or line.former.deleted),
            is_gone=line.place.is_gone,
        )
        for number, line in zip(numbers, lines, strict=True)
    ]
    _replace(
        (line.former.pk for line in lines if line.former),
        (item.change for item in recorded),
    )
    changes_recorded.send(sender=Change, recorded=recorded)
    return recorded


def batches(items: Iterable[Item], size: int = BATCH_SIZE) -> Iterator[list[Item]]:
    """The items in lists, which fit one statement if they are ids."""
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


class _Known(NamedTuple):
    """What the log says of an object on a site."""

    pk: int
    key: str
    deleted: bool


def _known(
    objects: Iterable[tuple[Change.Kind, int]],
) -> dict[tuple[str, int], dict[int, _Known]]:
    """What the log says of the objects, by site."""
    found: dict[tuple[str, int], dict[int, _Known]] = {}
    for batch in batches(objects):
        pks: dict[Change.Kind, list[int]] = {}
        for kind, object_id in batch:
            pks.setdefault(kind, []).append(object_id)
        wanted = Q()
        for kind, object_ids in pks.items():
            wanted |= Q(kind=kind, object_id__in=object_ids)
        rows = Change.objects.filter(wanted)
        for site_id, kind, object_id, *known in rows.values_list(
            "site_id", "kind", "object_id", *_Known._fields
        ):
            found.setdefault((kind, object_id), {})[site_id] = _Known(*known)
    return found


class _Line(NamedTuple):
    """What is to be written of an object, and the entry in whose stead it is."""

    place: Place
    site_id: int
    key: str
    deleted: bool
    former: _Known | None


def _lines(place: Place, known: Mapping[int, _Known]) -> Iterator[_Line]:
    for site_id in place.site_ids:
        yield _Line(place, site_id, place.key, False, known.get(site_id))
    for site_id, entry in known.items():
        if not entry.deleted and site_id not in place.site_ids:
            yield _Line(place, site_id, entry.key, True, entry)


def _replace(former: Iterable[int], changes: Iterable[Change]) -> None:
    """Delete the former entries and insert these. Their numbers are in an index, so
    the database has to do that anyway; and this it does at once."""
    for batch in batches(former):
        rows = Change.objects.filter(pk__in=batch)
        rows._raw_delete(rows.db)
    insert_rows(
        Change,
        FIELDS,
        [[getattr(change, name) for name in FIELDS] for change in changes],
    )


def _advance(version: Version, numbers: int) -> range:
    """Begin another version, which takes as many numbers."""
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
