"""The states of a term before and after a run, by which the run can be undone."""

from __future__ import annotations

from typing import Any

from ..models import ImportRecord, TermPage


_REMEMBERED = (
    *("page_id", "base", "proposal", "pending", "payload_id", "digest", "revision"),
)


def page_state(page: TermPage | None) -> dict[str, Any]:
    """What is to be known of a page to come back to how it is now."""
    if page is None or page.pk is None:
        return {"page": None, "revision": None, "live": False, "draft": False}
    return {
        "page": page.pk,
        "title": page.title,
        "revision": page.latest_revision_id,
        "live": page.live,
        "draft": page.live and page.has_unpublished_changes,
    }


def record_state(record: ImportRecord | None) -> dict[str, Any] | None:
    """What a record remembers, None where there is none."""
    if record is None or record.pk is None:
        return None
    return {name: getattr(record, name) for name in _REMEMBERED}


def state(record: ImportRecord | None, page: TermPage | None) -> dict[str, Any]:
    return {**page_state(page), "record": record_state(record)}


def restore_record(record: ImportRecord, remembered: dict[str, Any] | None) -> None:
    """Let a record remember what it did; of one that was not there yet, that it has
    applied nothing."""
    if remembered is None:
        record.base, record.proposal, record.digest = {}, {}, ""
        record.pending = []
        return
    for name in _REMEMBERED:
        setattr(record, name, remembered[name])
