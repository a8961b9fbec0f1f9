"""Pages with what hangs on them, loaded for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

import swapper
from django.db import connection
from taggit.models import Tag
from wagtail.models import COMMENTS_RELATION_NAME, Comment, Revision

from ..models import Category, GlossaryPage, TermLabel, TermLink, TermPage, TermTag
from ..signals import terms_will_be_written


def lock_pages(ids: Collection[int], *, added_to: GlossaryPage | None = None) -> None:
    """Keep others from saving these pages until the transaction ends, and from adding
    any to the glossary that this transaction adds some to."""
    if not connection.features.has_select_for_update:
        return
    Page = swapper.load_model("wagtailcore", "Page")
    rows = Page.objects.select_for_update(of=("self",)).order_by("pk")
    if added_to is not None:  # first, as wherever a page is added
        list(rows.filter(pk=added_to.pk).values_list("pk", flat=True))
    if ids:
        terms_will_be_written.send(sender=TermPage)
        list(rows.filter(pk__in=ids).values_list("pk", flat=True))


def load_latest(pages: Iterable[TermPage]) -> dict[int, TermPage]:
    """Each page as its editor shows it, by its id: with its unpublished changes if it
    has any, and of its own class."""
    found: dict[int, TermPage] = {}
    stored: list[TermPage] = []
    drafts: list[TermPage] = []
    for page in pages:
        has_draft = page.has_unpublished_changes and page.latest_revision_id
        (drafts if has_draft else stored).append(page)
    load_rows(stored)
    found.update({page.pk: page for page in stored})
    revisions = Revision.objects.in_bulk([page.latest_revision_id for page in drafts])
    for page in drafts:
        revision = revisions[page.latest_revision_id]
        found[page.pk] = page.with_content_json(revision.content)
    return found


def load_rows(pages: Collection[TermPage]) -> None:
    """Load the links, labels, tags and categories of stored pages, so that reading them
    asks no more."""
    ids = [page.pk for page in pages]
    links = _by_page(TermLink.objects.filter(term__in=ids), "term_id")
    labels = _by_page(TermLabel.objects.filter(term__in=ids), "term_id")
    tagged = _by_page(
        TermTag.objects.filter(content_object__in=ids).order_by("pk"),
        "content_object_id",
    )
    comments = _by_page(Comment.objects.filter(page__in=ids), "page_id")
    tags = Tag.objects.in_bulk(
        {item.tag_id for rows in tagged.values() for item in rows}
    )
    categories = Category.objects.in_bulk(
        {page.category_id for page in pages if page.category_id}
    )
    for page in pages:
        for item in tagged[page.pk]:
            item.tag = tags[item.tag_id]
        page.related_terms.set(links[page.pk])
        page.labels.set(labels[page.pk])
        page.tagged_items.set(tagged[page.pk])
        getattr(page, COMMENTS_RELATION_NAME).set(comments[page.pk])
        if page.category_id:
            page.category = categories.get(page.category_id)


def _by_page(rows: Iterable[Any], name: str) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found
