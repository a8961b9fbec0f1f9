"""Pages with all that Wagtail keeps of them, written for many at once.

What ``add_child()``, ``save_revision()`` and ``publish()`` leave in the database for
one page is left here for many, in a number of statements that does not depend on how
many they are: rows in the tree and in the tables of the type, rows that hang on them,
revisions, log entries, references and entries in the search index.

Not called are ``save()`` of the pages and the signals of Django that it sends;
Wagtail's own signals are sent when the transaction is over, and a receiver that fails
does not stop the others. Every function needs an open transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import swapper
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from wagtail.log_actions import registry as log_registry
from wagtail.models import Revision
from wagtail.signals import page_published, page_unpublished, published, unpublished

from ...models import (
    GlossaryPage,
    RelatedTerm,
    TermLabel,
    TermLink,
    TermPage,
    TermTag,
)
from ...signals import related_terms_written, terms_written
from .references import index_references
from .rows import (
    give_ids,
    insert_rows,
    replace_rows,
    reserve_ids,
    set_primary_key,
    tables,
)
from .search import index_for_search


# Where a page stands in the tree, and who has locked it, is not for a text to change.
_KEPT = (
    *("path", "depth", "numchild", "content_type", "owner", "translation_key"),
    *("locale", "alias_of", "locked", "locked_at", "locked_by"),
)
_RELATIONS = {
    "related_terms": (TermLink, "term_id"),
    "labels": (TermLabel, "term_id"),
    "tagged_items": (TermTag, "content_object_id"),
}


@dataclass(slots=True)
class Writing:
    """One page to write: complete, in memory."""

    page: TermPage
    publishes: bool
    actions: Sequence[tuple[str, dict[str, Any]]] = ()
    """The actions to log beside Wagtail's own, each with its data."""
    former_title: str | None = None
    """What the page is called until now, if it is there already."""
    revision: Revision | None = field(default=None, init=False)


def place_pages(pages: Sequence[TermPage], glossary: GlossaryPage, user: Any) -> None:
    """Give new pages their ids and their places in the tree, as last children."""
    if not pages:
        return
    Page = swapper.load_model("wagtailcore", "Page")
    parent = Page.objects.select_for_update().get(pk=glossary.pk)
    last = None if parent.is_leaf() else parent.get_last_child()
    step = last._get_lastpos_in_path() if last else 0
    depth = parent.depth + 1
    types = ContentType.objects.get_for_models(
        *{type(page) for page in pages}, for_concrete_models=False
    )
    ids = reserve_ids(tables(type(pages[0]))[0], len(pages))
    for number, (page, pk) in enumerate(zip(pages, ids, strict=True), start=1):
        set_primary_key(page, pk)
        page.path = Page._get_path(parent.path, depth, step + number)
        page.depth = depth
        page.numchild = 0
        page.content_type = types[type(page)]
        page.locale_id = glossary.locale_id
        page.owner = user
        page.live = False
        page.has_unpublished_changes = False
        page.draft_title = page.title
        page._cached_parent_obj = glossary
        page.set_url_path(parent)


def add_pages(writings: Sequence[Writing], glossary: GlossaryPage, user: Any) -> None:
    """Store new pages, which ``place_pages`` has placed."""
    if not writings:
        return
    now = timezone.now()
    pages = [writing.page for writing in writings]
    for page in pages:
        page.draft_title = page.title
    _give_ids_to_rows(pages)
    _make_revisions(writings, user, now)
    for writing in writings:
        _set_state(writing, now)
    Page = swapper.load_model("wagtailcore", "Page")
    Page.objects.filter(pk=glossary.pk).update(numchild=F("numchild") + len(pages))
    _insert_by_type(pages)
    for name in _RELATIONS:
        insert_rows([row for page in pages for row in getattr(page, name).all()])
    insert_rows([writing.revision for writing in writings])
    _log(writings, user, now, created=True)
    _index(pages, created=True)
    _tell_of(writings)
    _tell_the_catalogue(writing.page for writing in writings if writing.publishes)
    if drafts := [writing.page for writing in writings if not writing.publishes]:
        # Their names were wanted, perhaps; now they name what is hidden.
        names = RelatedTerm.objects.filter(page__in=[page.pk for page in drafts])
        related_terms_written.send(
            sender=RelatedTerm, pks=list(names.values_list("pk", flat=True))
        )


def save_pages(writings: Sequence[Writing], user: Any) -> None:
    """Store pages that are there: all of them as a new revision; those to be published
    as what visitors see as well."""
    if not writings:
        return
    now = timezone.now()
    live = [writing.page for writing in writings if writing.publishes]
    _give_ids_to_rows(live)
    _make_revisions(writings, user, now)
    for writing in writings:
        _set_state(writing, now)
    insert_rows([writing.revision for writing in writings])
    _store_drafts([writing.page for writing in writings if not writing.publishes])
    for pages in _by_type(live):
        replace_rows(pages, keep=_KEPT)
    _replace_rows_of(live)
    _log(writings, user, now, created=False)
    _index(live, created=False)
    _follow_aliases([writing for writing in writings if writing.publishes])
    _tell_of(writings)
    _tell_the_catalogue(live)


def unpublish_pages(
    pages: Sequence[TermPage], user: Any, actions: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    """Take live pages off the site, as ``unpublish()`` does."""
    if not pages:
        return
    Page = swapper.load_model("wagtailcore", "Page")
    now = timezone.now()
    ids = [page.pk for page in pages]
    Page.objects.filter(pk__in=ids).update(
        live=False, has_unpublished_changes=True, live_revision=None
    )
    Revision.objects.filter(
        base_content_type=pages[0].get_base_content_type(),
        object_id__in=[str(pk) for pk in ids],
    ).update(approved_go_live_at=None)
    entries = []
    for page in pages:
        page.live, page.has_unpublished_changes = False, True
        page.live_revision = None
        for action, data in (("wagtail.unpublish", {}), *actions):
            entries.append(_entry(page, action, data, None, user, now))
    _store_entries(entries)
    index_each(pages)
    for alias in Page.objects.filter(alias_of__in=ids, live=True):
        alias.unpublish(log_action=False)
    _tell_the_catalogue(pages)

    def tell() -> None:
        for page in pages:
            page_unpublished.send_robust(sender=type(page), instance=page)
            unpublished.send_robust(sender=type(page), instance=page)

    transaction.on_commit(tell)


def _tell_the_catalogue(pages: Iterable[TermPage]) -> None:
    """Inside the transaction, and once for all of them."""
    pks = [page.pk for page in pages]
    terms_written.send(sender=TermPage, pks=pks, indexed=True)


# Rows that hang on a page


def _give_ids_to_rows(pages: Sequence[TermPage]) -> None:
    for name, (_model, attname) in _RELATIONS.items():
        rows = []
        for page in pages:
            for row in getattr(page, name).all():
                setattr(row, attname, page.pk)
                rows.append(row)
        give_ids(rows)


def _replace_rows_of(pages: Sequence[TermPage]) -> None:
    """Store the rows anew where they differ. Two that exchange their values would
    collide if each were updated."""
    ids = [page.pk for page in pages]
    for name, (model, attname) in _RELATIONS.items():
        names = [each.attname for each in model._meta.local_concrete_fields]
        stored: dict[int, dict[int, Any]] = {pk: {} for pk in ids}
        for row in model._base_manager.filter(**{f"{attname}__in": ids}):
            stored[getattr(row, attname)][row.pk] = [getattr(row, n) for n in names]
        differing = [
            page
            for page in pages
            if stored[page.pk]
            != {
                row.pk: [getattr(row, n) for n in names]
                for row in getattr(page, name).all()
            }
        ]
        model._base_manager.filter(
            **{f"{attname}__in": [page.pk for page in differing]}
        ).delete()
        insert_rows([row for page in differing for row in getattr(page, name).all()])


# Revisions and states


def _make_revisions(writings: Sequence[Writing], user: Any, now: datetime) -> None:
    """Make the revisions, with the pages as they were before they become live."""
    types = ContentType.objects.get_for_models(
        *{type(writing.page) for writing in writings}, for_concrete_models=False
    )
    for writing, pk in zip(writings, reserve_ids(Revision, len(writings)), strict=True):
        page = writing.page
        writing.revision = Revision(
            pk=pk,
            content_type=types[type(page)],
            base_content_type=page.get_base_content_type(),
            object_id=str(page.pk),
            created_at=now,
            user=user,
            object_str=str(page),
            content=page.serializable_data(),
        )


def _set_state(writing: Writing, now: datetime) -> None:
    page = writing.page
    page.latest_revision = writing.revision
    page.latest_revision_created_at = now
    page.draft_title = page.title
    page.has_unpublished_changes = not writing.publishes
    if writing.publishes:
        page.live = True
        page.expired = False
        page.live_revision = writing.revision
        page.last_published_at = now
        page.first_published_at = page.first_published_at or now


def _store_drafts(pages: Sequence[TermPage]) -> None:
    if pages:
        Page = swapper.load_model("wagtailcore", "Page")
        Page.objects.bulk_update(
            [
                Page(
                    pk=page.pk,
                    latest_revision_id=page.latest_revision_id,
                    latest_revision_created_at=page.latest_revision_created_at,
                    draft_title=page.draft_title,
                    has_unpublished_changes=True,
                )
                for page in pages
            ],
            [
                *("latest_revision", "latest_revision_created_at"),
                *("draft_title", "has_unpublished_changes"),
            ],
        )


# The log


def _entry(
    page: TermPage,
    action: str,
    data: dict[str, Any],
    revision: Revision | None,
    user: Any,
    now: datetime,
    *,
    content_changed: bool = False,
) -> Any:
    model = log_registry.get_log_model_for_instance(page)
    return model and model(
        page=page,
        # Not the type itself, which a page would have to look for.
        content_type_id=page.content_type_id,
        label=page.get_admin_display_title(),
        action=action,
        timestamp=now,
        data=data,
        user=user,
        revision=revision,
        content_changed=content_changed,
    )


def _log(
    writings: Sequence[Writing], user: Any, now: datetime, *, created: bool
) -> None:
    entries = []
    for writing in writings:
        page, revision, title = writing.page, writing.revision, writing.page.title
        if created:
            entries.append(
                _entry(
                    page, "wagtail.create", {}, None, user, now, content_changed=True
                )
            )
        for action, data in writing.actions:
            entries.append(
                _entry(page, action, data, revision, user, now, content_changed=True)
            )
        if not writing.publishes:
            continue
        data = {}
        if writing.former_title not in (None, title):
            data = {"title": {"old": writing.former_title, "new": title}}
            entries.append(_entry(page, "wagtail.rename", data, revision, user, now))
        entries.append(
            _entry(
                page,
                *("wagtail.publish", data, revision, user, now),
                content_changed=True,
            )
        )
    _store_entries(entries)


def _store_entries(entries: Sequence[Any]) -> None:
    insert_rows([entry for entry in entries if entry is not None])


# Indexes, aliases and signals


def _by_type(pages: Sequence[TermPage]) -> list[list[TermPage]]:
    found: dict[type, list[TermPage]] = {}
    for page in pages:
        found.setdefault(type(page), []).append(page)
    return list(found.values())


def _insert_by_type(pages: Sequence[TermPage]) -> None:
    for of_type in _by_type(pages):
        insert_rows(of_type)


def _index(pages: Sequence[TermPage], *, created: bool) -> None:
    for of_type in _by_type(pages):
        index_references(of_type, created=created)
        index_for_search(of_type)


def index_each(pages: Sequence[TermPage]) -> None:
    """Bring the search index up to date with pages whose texts are as they were."""
    for of_type in _by_type(pages):
        index_for_search(of_type)


def _follow_aliases(writings: Sequence[Writing]) -> None:
    Page = swapper.load_model("wagtailcore", "Page")
    ids = {writing.page.pk: writing for writing in writings}
    for pk in set(
        Page.objects.filter(alias_of__in=ids).values_list("alias_of", flat=True)
    ):
        writing = ids[pk]
        writing.page.update_aliases(
            revision=writing.revision, _content=writing.revision.content
        )


def _tell_of(writings: Sequence[Writing]) -> None:
    def tell() -> None:
        for writing in writings:
            if writing.publishes:
                sent = {"instance": writing.page, "revision": writing.revision}
                page_published.send_robust(sender=type(writing.page), **sent)
                published.send_robust(sender=type(writing.page), **sent)

    transaction.on_commit(tell)
