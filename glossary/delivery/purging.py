"""Purges what caches in front of the site keep of what has changed.

By tag in the caches of ``GLOSSARY_PURGE``, by address in those of Wagtail's
``wagtail.contrib.frontend_cache``. Both go through the task framework. A cache that
fails is logged and never breaks the change itself: what it keeps expires in time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import copy
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.urls import NoReverseMatch, reverse
from django_tasks import task
from wagtail.contrib.frontend_cache.utils import PurgeBatch
from wagtail.models import Site

from ..conf import purge_settings
from ..models import Category, Change, GlossaryPage, TermPage
from .purge_backends import PurgeError, configured
from .tags import MOST_CHANGES, tags_of_changes


logger = logging.getLogger("glossary.purging")

# The views of our API that show one object, and what of it is in their address.
DETAILS = {
    Change.Kind.TERM: (
        ("glossary_api:term", "pk"),
        ("glossary_api:term-by-slug", "slug"),
        ("glossary_api:payload", "slug"),
        ("glossary_api:nuxt-payload", "slug"),
    ),
    Change.Kind.GLOSSARY: (("glossary_api:glossary", "pk"),),
    Change.Kind.CATEGORY: (("glossary_api:category", "slug"),),
}


def purge(changes: Iterable[Change]) -> None:
    """Purge what depends on these changes, which have been committed."""
    changes = list(changes)
    if not changes:
        return
    if purge_settings():
        purge_tags.enqueue(sorted(tags_of_changes(changes)))
    if _purges_addresses():
        batch = PurgeBatch()
        _add_pages(batch, changes)
        batch.add_urls(_api_addresses(changes))
        batch.purge()


def purge_former_address(
    sender: type, instance: Any, instance_before: Any, **kwargs: Any
) -> None:
    """Purge the address that a term or glossary had: no entry of the log knows it.

    A receiver for Wagtail's ``page_slug_changed``, which is sent after the commit.
    """
    if _purges_addresses() and isinstance(instance_before, TermPage | GlossaryPage):
        _purge_page(instance_before)


def purge_deleted_term(sender: type, instance: TermPage, **kwargs: Any) -> None:
    """Purge the addresses of a term that is about to be deleted, once it is.

    A receiver for Django's ``pre_delete``.
    """
    if _purges_addresses():
        # Django takes its id away.
        transaction.on_commit(partial(_purge_unless_all_are_gone, copy(instance)))


def _purge_unless_all_are_gone(term: TermPage) -> None:
    # With a glossary go too many: what is kept of them expires.
    if GlossaryPage.objects.filter(path=term.path[: -TermPage.steplen]).exists():
        _purge_page(term)


def _purge_page(page: TermPage | GlossaryPage) -> None:
    batch = PurgeBatch()
    batch.add_page(page)
    site = page.get_site()
    if isinstance(page, TermPage) and site:
        batch.add_urls(_details(Change.Kind.TERM, page.pk, page.slug, site))
    batch.purge()


@task()
def purge_tags(tags: list[str]) -> None:
    """Purge all that has one of these tags, in each cache of ``GLOSSARY_PURGE``."""
    try:
        backends = configured()
    except ImproperlyConfigured:
        logger.exception("Nothing was purged by tag")
        return
    for name, backend in backends.items():
        try:
            backend.purge_tags(tags)
        except PurgeError as error:
            logger.error("%s did not purge %d tags: it %s", name, len(tags), error)
        except Exception:
            # A site's own back end; the others are still to be asked.
            logger.exception("%s did not purge %d tags", name, len(tags))


def _purges_addresses() -> bool:
    names = ("WAGTAILFRONTENDCACHE", "WAGTAILFRONTENDCACHE_LOCATION")
    return any(getattr(settings, name, None) for name in names)


def _add_pages(batch: PurgeBatch, changes: list[Change]) -> None:
    """The pages of the terms and of their glossaries, public or no longer. Of too many
    terms only those of the glossaries: each address is a request."""
    terms = TermPage.objects.filter(pk__in=_ids(changes, Change.Kind.TERM))
    glossaries = set(_ids(changes, Change.Kind.GLOSSARY))
    if len(changes) <= MOST_CHANGES:
        batch.add_pages(terms.specific(defer=True))
        paths = terms.values_list("path", flat=True)
        above = {path[: -TermPage.steplen] for path in paths}
        found = GlossaryPage.objects.filter(path__in=above)
    else:
        found = GlossaryPage.objects.all()
    glossaries.update(found.values_list("pk", flat=True))
    pages = GlossaryPage.objects.filter(pk__in=glossaries)
    batch.add_pages(pages.specific(defer=True))


def _api_addresses(changes: list[Change]) -> Iterator[str]:
    """The details of our API, as they are asked for without parameters. Lists have too
    many addresses: they are purged by tag, or expire."""
    if len(changes) > MOST_CHANGES:
        return
    slugs = {
        kind: dict(rows.filter(pk__in=_ids(changes, kind)).values_list("pk", "slug"))
        for kind, rows in (
            (Change.Kind.TERM, TermPage.objects.all()),
            (Change.Kind.CATEGORY, Category.objects.all()),
        )
    }
    sites = Site.objects.in_bulk({change.site_id for change in changes})
    for change in changes:
        slug = slugs.get(change.kind, {}).get(change.object_id)
        yield from _details(change.kind, change.object_id, slug, sites[change.site_id])


def _details(kind: str, pk: int, slug: str | None, site: Site) -> Iterator[str]:
    root = getattr(settings, "WAGTAILAPI_BASE_URL", None) or site.root_url
    for view, part in DETAILS.get(kind, ()):
        argument = slug if part == "slug" else pk
        if argument is None:  # it is deleted
            continue
        with suppress(NoReverseMatch):  # the site does not have our API
            yield root.rstrip("/") + reverse(view, args=[argument])


def _ids(changes: list[Change], kind: str) -> list[int]:
    return [change.object_id for change in changes if change.kind == kind]
