"""Carry out a plan: each term whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from wagtail.log_actions import log

from ..models import GlossaryPage, ImportRecord, TermPage
from .content import Surroundings, write_content
from .plan import Item, Plan, Work
from .report import Change, Outcome, Remark, Result


def apply_plan(
    plan: Plan, *, draft: bool = False, user: Any = None
) -> Iterator[Result]:
    """Write the plan's terms one by one and give the result of each.

    With ``draft`` nothing is published. A term that cannot be written is reported as
    invalid, leaves nothing behind and stops no other.
    """
    around = Surroundings(plan.glossary, plan.related_names, plan.category_names)
    for item in plan.items:
        try:
            with transaction.atomic():
                _apply(item, around, draft=draft, user=user)
        except ValidationError as error:
            _fail(item.result, error)
        except DatabaseError as error:
            item.result.outcome = Outcome.INVALID
            item.result.remarks.append(Remark("", str(error), is_error=True))
        yield item.result


def _apply(item: Item, around: Surroundings, *, draft: bool, user: Any) -> None:
    work, result = item.work, item.result
    if work is None or result.outcome in (Outcome.BLOCKED, Outcome.INVALID):
        return
    if work.page is None:
        page = _create(work, around, draft=draft, user=user)
    else:
        page = work.page
        _update(page, result.changes, around, draft=draft, user=user)
    _remember(work, around.glossary, page)


def term_model(glossary: GlossaryPage) -> type[TermPage]:
    """The type of a new term: TermPage, or the site's own where that alone can be
    created in the glossary."""
    models = glossary.specific_class.creatable_subpage_models()
    return TermPage if TermPage in models or not models else models[0]


def _create(work: Work, around: Surroundings, *, draft: bool, user: Any) -> TermPage:
    page = term_model(around.glossary)(
        slug=work.term.slug,
        locale=around.glossary.locale,
        live=False,
        owner=user,
    )
    write_content(page, work.theirs, around)
    if not draft:
        _check(page, around.glossary)
    around.glossary.add_child(instance=page)
    revision = page.save_revision(user=user, log_action=False, clean=not draft)
    log(instance=page, action="glossary.import_create", user=user, revision=revision)
    if not draft:
        revision.publish(user=user)
    return page


def _update(
    live_page: TermPage,
    changes: Iterable[Change],
    around: Surroundings,
    *,
    draft: bool,
    user: Any,
) -> None:
    """Write the changes that the plan takes, above the page's latest revision.

    What a person has left unpublished stays unpublished.
    """
    taken = {change.field: change.theirs for change in changes if change.taken}
    if not taken:
        return
    publish = live_page.live and not live_page.has_unpublished_changes and not draft
    page = live_page.get_latest_revision_as_object()
    write_content(page, taken, around)
    if publish:
        _check(page, around.glossary)
    revision = page.save_revision(user=user, log_action=False, clean=publish)
    log(instance=page, action="glossary.import_update", user=user, revision=revision)
    if publish:
        revision.publish(user=user)


def _check(page: TermPage, glossary: GlossaryPage) -> None:
    """Refuse what an editor could not publish either."""
    if page._state.adding:
        page._cached_parent_obj = glossary
        page.full_clean(exclude=["path", "depth", "numchild", "url_path"])
    else:
        page.full_clean()
    page.clean_blocks()


def _remember(work: Work, glossary: GlossaryPage, page: TermPage) -> None:
    record, created = ImportRecord.objects.get_or_create(
        glossary=glossary,
        key=work.term.slug,
        defaults={"page": page, "base": work.base},
    )
    if not created and (record.page_id, record.base) != (page.pk, work.base):
        record.page = page
        record.base = work.base
        record.save()


def _fail(result: Result, error: ValidationError) -> None:
    result.outcome = Outcome.INVALID
    if hasattr(error, "error_dict"):
        result.remarks += [
            Remark("" if name == "__all__" else name, message, is_error=True)
            for name, messages in error.message_dict.items()
            for message in messages
        ]
    else:
        result.remarks += [Remark("", text, is_error=True) for text in error.messages]
