"""What the imports propose for a page, taken or turned down by an editor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.admin.models import EditingSession
from wagtail.log_actions import log

from ..content import normal_field, page_content
from ..models import ImportItem, ImportRecord, ImportRun, TermPage
from .apply import check_page, reasons
from .comparing import base_of
from .merge import MISSING, merge_field
from .obstacles import BEING_EDITED, EDITED_WITHIN, obstacles, pages_type
from .pages import load_latest, lock_pages
from .referring import Home, surroundings
from .rights import Rights
from .writing import write_content


class ProposalError(Exception):
    """A proposal that cannot be decided now; nothing is changed. The text says why."""


def latest_page(record: ImportRecord) -> TermPage:
    """The page of a record as its editor shows it, with its unpublished changes."""
    page = TermPage.objects.filter(pk=record.page_id).specific().get()
    return load_latest([page])[page.pk]


def proposed(record: ImportRecord, field: str, ours: Any) -> Any:
    """What a field of the page would say if its proposal were taken.

    ``ours`` is what it says now. What was edited beside the conflict since the import
    is kept.
    """
    theirs = normal_field(field, record.proposal[field])
    base = base_of(record.base, field)
    if base is not MISSING:
        base = normal_field(field, base)
    return merge_field(field, base, ours, theirs).theirs_taken


def take(record: ImportRecord, field: str, user: Any) -> None:
    """Put the proposal for a field on the page, as a new revision of it.

    It is published if the user may publish and nothing else waits to be published.
    Raises ProposalError.
    """
    with _deciding(record, field, user) as page:
        rights = Rights(user, record.source.glossary)
        publishes = (
            page.live and not page.has_unpublished_changes and rights.may_publish(page)
        )
        ours = page_content(page, fields=[field])[field]
        value = proposed(record, field, ours)
        if publishes and field == "short_definition" and not value:
            raise ProposalError(
                _("A term is not published without a short definition.")
            )
        home = Home.of(page, record.source.glossary)
        content = {field: value}
        write_content(page, content, surroundings(home, [content], {}, {}, {}))
        try:
            check_page(page, publishes=publishes)
            revision = page.save_revision(
                user=user, log_action="glossary.take_proposal"
            )
        except ValidationError as error:
            told = "; ".join(message for _field, message in reasons(error))
            raise ProposalError(told) from error
        if publishes:
            revision.publish(user=user)
        _settle(record, field)


def keep(record: ImportRecord, field: str, user: Any) -> None:
    """Keep what the page says: the same proposal does not come again.

    Raises ProposalError.
    """
    with _deciding(record, field, user) as page:
        log(
            instance=page,
            action="glossary.keep_proposal",
            user=user,
            data={"field": field},
        )
        _settle(record, field)


@contextmanager
def _deciding(record: ImportRecord, field: str, user: Any) -> Iterator[TermPage]:
    """The page, with nobody else at it; the record is read anew."""
    with transaction.atomic():
        locked = ImportRecord.objects.select_for_update().get(pk=record.pk)
        for name in ("page_id", "base", "proposal", "run_id"):
            setattr(record, name, getattr(locked, name))
        if field not in record.proposal or record.page_id is None:
            raise ProposalError(
                _("This is no longer proposed: someone has decided it already.")
            )
        lock_pages([record.page_id])
        page = latest_page(record)
        if not Rights(user, record.source.glossary).may_edit(page):
            raise ProposalError(_("You may not edit this page."))
        if reason := obstacle(page, user):
            raise ProposalError(reason)
        yield page


def obstacle(page: TermPage, user: Any) -> str:
    """Why the page must not be touched now, "" if it may. The editor that one has come
    from is open for a moment still, and hinders nobody."""
    reason = obstacles([page]).get(page.pk)
    if reason is BEING_EDITED:
        others = EditingSession.objects.filter(
            content_type__in=[pages_type([page]).pk, page.content_type_id],
            object_id=str(page.pk),
            last_seen_at__gte=timezone.now() - EDITED_WITHIN,
        ).exclude(user=user)
        if not others.exists():
            return ""
    return str(reason or "")


def _settle(record: ImportRecord, field: str) -> None:
    theirs = _theirs(record, field)
    if theirs is not MISSING:
        record.base = {**record.base, field: theirs}
    record.proposal = {
        name: value for name, value in record.proposal.items() if name != field
    }
    record.save(update_fields=["base", "proposal", "updated_at"])


def _theirs(record: ImportRecord, field: str) -> Any:
    """What the source said of the field, which is what the next import compares with.

    A proposal for a list is more than that: what was added here is in it as well, and
    would seem to be gone from the source. The run that made it has the other. Where no
    run has, the base stays as it is, and what was kept is proposed again.
    """
    if isinstance(record.proposal[field], str):
        return record.proposal[field]
    items = ImportItem.objects.filter(
        run__source=record.source_id,
        run__kind=ImportRun.Kind.IMPORT,
        key=record.key,
        applied=True,
    )
    run = record.run
    if run is not None and run.kind == ImportRun.Kind.UNDO:
        items = items.filter(run__lt=run.undoes_id or 0)
    for item in items.order_by("-run_id")[:1]:
        for change in item.changes:
            if change["field"] == field:
                return change["theirs"]
    return MISSING
