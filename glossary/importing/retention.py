"""How long payloads are kept as they came."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from ..conf import import_retention_days
from ..models import ImportItem, ImportPayload, ImportUpload


UPLOADS_WAIT = timedelta(days=30)
"""For how long an upload waits to be applied."""


def expire_payloads() -> int:
    """Delete the payloads of old runs; returns how many. What was last applied to a
    term is kept for as long as the term is known."""
    abandoned = timezone.now() - UPLOADS_WAIT
    ImportUpload.objects.filter(run__created_at__lt=abandoned).delete()
    days = import_retention_days()
    if days is None:
        return 0
    before = timezone.now() - timedelta(days=days)
    old = ImportPayload.objects.filter(created_at__lt=before, records=None).exclude(
        items__in=ImportItem.objects.filter(run__created_at__gte=before)
    )
    deleted, _by_model = ImportPayload.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:10_000])
    ).delete()
    return deleted
