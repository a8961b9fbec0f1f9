"""Whether terms point at revisions of their own, and agree with the latest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import swapper
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import Revision

from ...models import TermPage
from ..bulk.rows import insert_rows
from .findings import Check, Findings


_POINTERS = (
    *("latest_revision", "latest_revision_created_at", "live_revision"),
    *("draft_title", "has_unpublished_changes"),
)


def check_revisions(terms: Sequence[TermPage], findings: Findings) -> None:
    """Terms have revisions, unless they are aliases, and point at their own."""
    terms = [term for term in terms if term.alias_of_id is None]
    if not terms:
        return
    own = Revision.objects.filter(base_content_type=terms[0].get_base_content_type())
    pointers = {term.latest_revision_id for term in terms}
    pointers |= {term.live_revision_id for term in terms}
    known = {each.pk: each for each in _said_by(own.filter(pk__in=pointers - {None}))}
    lost = [term for term in terms if not _is_own(term, term.latest_revision_id, known)]
    newest = {
        each.object_id: each
        for each in _said_by(own.filter(object_id__in=[str(term.pk) for term in lost]))
    }
    without: list[TermPage] = []
    changed: list[TermPage] = []
    for term in terms:
        count = len(findings.found)
        latest = known.get(term.latest_revision_id)
        if not _is_own(term, term.latest_revision_id, known):
            latest = newest.get(str(term.pk))
            _replace_latest(term, latest, findings)
        if latest is None:
            without.append(term)
            continue
        _compare_with_latest(term, latest, findings)
        if term.live_revision_id and not _is_own(term, term.live_revision_id, known):
            findings.add(
                *(Check.REVISIONS, term.slug),
                _("Its published revision is missing, or another page’s."),
                _("It points at its latest one if that is published, else at none."),
            )
            is_latest = term.live and not term.has_unpublished_changes
            term.live_revision_id = latest.pk if is_latest else None
        if len(findings.found) > count:
            changed.append(term)
    if findings.fix:
        _add_revisions(without)
        Page = swapper.load_model("wagtailcore", "Page")
        Page.objects.bulk_update([*changed, *without], _POINTERS)


def _said_by(revisions: QuerySet[Revision]) -> Any:
    """What is compared of each revision, without its content; the newest last."""
    titled = revisions.annotate(title=F("content__title")).order_by("created_at", "pk")
    return titled.values_list("pk", "object_id", "created_at", "title", named=True)


def _is_own(term: TermPage, pk: int | None, known: Mapping[int, Any]) -> bool:
    return pk in known and known[pk].object_id == str(term.pk)


def _replace_latest(term: TermPage, newest: Any, findings: Findings) -> None:
    if newest is None:
        findings.add(
            *(Check.REVISIONS, term.slug),
            _("It has no revision."),
            _("It gets one of what is stored."),
        )
        return
    findings.add(
        *(Check.REVISIONS, term.slug),
        _("Its latest revision is missing, or another page’s."),
        _("It points at its newest one."),
    )
    term.latest_revision_id = newest.pk
    term.latest_revision_created_at = newest.created_at


def _compare_with_latest(term: TermPage, latest: Any, findings: Findings) -> None:
    for name, label, value in (
        ("latest_revision_created_at", _("date"), latest.created_at),
        ("draft_title", _("draft title"), latest.title),
    ):
        if value and getattr(term, name) != value:
            findings.add(
                *(Check.REVISIONS, term.slug),
                _("Its %(field)s “%(value)s” is not that of its latest revision.")
                % {"field": label, "value": getattr(term, name)},
                _("It becomes “%(value)s”.") % {"value": value},
            )
            setattr(term, name, value)


def _add_revisions(terms: Sequence[TermPage]) -> None:
    """Make a revision of what is stored of each term, as saving it would."""
    now = timezone.now()
    revisions = [
        Revision(
            content_type=term.cached_content_type,
            base_content_type=term.get_base_content_type(),
            object_id=str(term.pk),
            created_at=now,
            object_str=str(term),
            content=term.serializable_data(),
        )
        for term in terms
    ]
    insert_rows(revisions)
    for term, revision in zip(terms, revisions, strict=True):
        term.latest_revision_id = revision.pk
        term.latest_revision_created_at = now
        term.draft_title = term.title
        term.live_revision_id = revision.pk if term.live else None
        if term.live:
            term.has_unpublished_changes = False
