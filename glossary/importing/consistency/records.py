"""Whether what imports remember fits together: records, payloads and runs."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import Any

from django.db.models import Count, F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from ...models import GlossaryPage, ImportPayload, ImportRecord, ImportRun, TermPage
from ...models.imports import payload_digest
from ..lock import STALE_AFTER, is_held
from .findings import Check, Findings


_KINDS = {"base": dict, "proposal": dict, "pending": list}


def check_records(
    records: QuerySet[ImportRecord], ids: Collection[int], findings: Findings
) -> None:
    """Look at some records: their pages, their payloads, what they remember."""
    chunk = list(
        records.filter(pk__in=ids)
        .select_related("payload")
        .annotate(page_path=F("page__path"))
        .order_by("pk")
    )
    changed = [
        *_check_pages(chunk, findings),
        *_check_bases(chunk, findings),
    ]
    if findings.fix and changed:
        ImportRecord.objects.bulk_update(changed, ["page", *_KINDS, "digest"])
    _check_payloads(chunk, findings)


def _check_pages(chunk: list[Any], findings: Findings) -> list[ImportRecord]:
    steplen = TermPage.steplen
    parents = {record.page_path[:-steplen] for record in chunk if record.page_path}
    found = GlossaryPage.objects.filter(path__in=parents)
    glossaries = set(found.values_list("path", flat=True))
    changed = []
    for record in chunk:
        if record.page_id is None:
            continue
        if record.page_path is None:
            findings.add(
                *(Check.RECORDS, record.key),
                _("Its record names a page that is not there."),
                _("The record names none."),
            )
            record.page_id = None
            changed.append(record)
        elif record.page_path[:-steplen] not in glossaries:
            findings.add_by_hand(
                *(Check.RECORDS, record.key),
                _("The page of its record stands in no glossary."),
                _("Move the page into a glossary."),
            )
    return changed


def _check_bases(chunk: list[Any], findings: Findings) -> list[ImportRecord]:
    changed = []
    for record in chunk:
        for name, kind in _KINDS.items():
            if isinstance(getattr(record, name), kind):
                continue
            findings.add(
                *(Check.RECORDS, record.key),
                _("Its record holds no usable %(field)s.")
                % {"field": ImportRecord._meta.get_field(name).verbose_name},
                _("It is emptied; the next import compares the term anew."),
            )
            setattr(record, name, kind())
            record.digest = ""
            changed.append(record)
    return changed


def _check_payloads(chunk: list[Any], findings: Findings) -> None:
    broken = set()
    for record in chunk:
        if record.payload_id is None or _is_whole(record.payload):
            continue
        findings.add(
            *(Check.RECORDS, record.key),
            _("Its payload is not the text that was kept."),
            _("It is forgotten; the next import keeps the text anew."),
        )
        broken.add(record.payload_id)
    if findings.fix and broken:
        tied = ImportRecord.objects.filter(payload__in=broken)
        tied.update(payload=None, digest="")
        ImportPayload.objects.filter(pk__in=broken).delete()


def _is_whole(payload: ImportPayload) -> bool:
    try:
        return payload_digest(payload.raw, payload.form) == payload.pk
    except zlib.error:
        return False


def check_ties(records: QuerySet[ImportRecord], findings: Findings) -> None:
    """No two records of a source are tied to one page."""
    doubled = (
        records.filter(page__isnull=False)
        .order_by()
        .values("source", "page")
        .annotate(count=Count("pk"))
        .filter(count__gt=1)
        .values_list("source", "page")
    )
    for source, page in list(doubled):
        tied: list[Any] = list(
            records.filter(source=source, page=page).annotate(
                page_slug=F("page__slug"), latest_revision=F("page__latest_revision")
            )
        )
        kept = max(tied, key=_is_nearest)
        loose = sorted(record.key for record in tied if record.pk != kept.pk)
        for key in loose:
            findings.add(
                *(Check.RECORDS, key),
                _("Its record names the page of “%(key)s”.") % {"key": kept.key},
                _("The record names none."),
            )
        if findings.fix:
            others = records.filter(source=source, page=page).exclude(pk=kept.pk)
            others.update(page=None, digest="")


def _is_nearest(record: Any) -> tuple[Any, ...]:
    wrote_it = record.revision is not None and (
        record.revision == record.latest_revision
    )
    return wrote_it, record.key == record.page_slug, record.updated_at, record.pk


def check_runs(glossary: GlossaryPage, findings: Findings) -> None:
    """No run seems to be under way that gives no sign of life any more."""
    runs = (
        ImportRun.objects.filter(
            source__glossary=glossary, status__in=ImportRun.UNDER_WAY
        )
        .alias(sign=Coalesce("heartbeat_at", "created_at"))
        .filter(sign__lt=timezone.now() - STALE_AFTER)
        .select_related("source")
    )
    dead = [run for run in runs if not _is_alive(run)]
    for run in dead:
        findings.add(
            *(Check.RUNS, str(run)),
            _("The run is said to be under way and gives no sign of life."),
            _("It is marked as interrupted."),
        )
    if findings.fix and dead:
        ImportRun.objects.filter(
            pk__in=[run.pk for run in dead], status__in=ImportRun.UNDER_WAY
        ).update(status=ImportRun.Status.INTERRUPTED, finished_at=timezone.now())


def _is_alive(run: ImportRun) -> bool:
    """Whether it holds its source all the same: PostgreSQL knows, however long a chunk
    takes."""
    return run.source.holder_id == run.pk and is_held(run.source)
