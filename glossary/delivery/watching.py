"""What moves the version: every change to something that is delivered.

Each function here is a receiver of a signal; ``signal_handlers`` connects them. They
run in the transaction of the change wherever the sender has one: terms, glossaries,
categories and related terms always do, pages in Wagtail's own actions as well. Rows
that a fixture loads, and what is written by ``QuerySet.update()``, send no signal that
could be heard: ``manage.py rebuild_catalogue`` makes good for both.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

import swapper
from django.db import connections, router, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model
from taggit.models import Tag
from wagtail.documents import get_document_model
from wagtail.models import Collection as DocumentCollection
from wagtail.models import (
    CollectionViewRestriction,
    Locale,
    PageViewRestriction,
    Site,
)

from ..models import (
    Category,
    GlossaryPage,
    Mention,
    PublicTerm,
    RelatedTerm,
    TermLabel,
    TermLink,
    TermPage,
    TermTag,
)
from ..models.pages import DRAFT_FIELDS, is_being_saved
from ..signals import terms_written
from . import catalogue, versions
from .public_pages import own_columns


logger = logging.getLogger("glossary.catalogue")

# What others show of a page that is not a term: its title, and where it is, which is
# in the addresses of all below it.
FACE = ("title", "slug", "url_path", "live", "path")


def terms_will_be_written(sender: type, **kwargs: Any) -> None:
    versions.lock()


def terms_were_written(sender: type, pks: Collection[int], **kwargs: Any) -> None:
    catalogue.refresh(pks)


def related_terms_were_written(
    sender: type, pks: Collection[int], **kwargs: Any
) -> None:
    catalogue.refresh_related_terms(pks)


def term_will_be_deleted(sender: type, instance: TermPage, **kwargs: Any) -> None:
    catalogue.forget([instance.pk])
    known = RelatedTerm.objects.filter(page=instance.pk)
    instance._known_as = list(known.values_list("pk", flat=True))


def term_was_deleted(sender: type, instance: TermPage, **kwargs: Any) -> None:
    # What it was known as is wanted again.
    catalogue.refresh_related_terms(getattr(instance, "_known_as", []))


def row_has_changed(
    sender: type, instance: TermLabel | TermLink | TermTag, **kwargs: Any
) -> None:
    """A label, link or tag that was written or deleted by itself."""
    if _goes_with_another(sender, instance, **kwargs):
        return
    pk = getattr(instance, TERM_OF[sender])
    if not kwargs.get("raw") and pk is not None and not is_being_saved(pk):
        terms_written.send(sender=TermPage, pks=[pk])


TERM_OF = {TermLabel: "term_id", TermLink: "term_id", TermTag: "content_object_id"}


def page_will_be_saved(
    sender: type[Model], instance: Any, raw: bool = False, **kwargs: Any
) -> None:
    if _is_other_page(sender) and instance.pk and not raw:
        Page = swapper.load_model("wagtailcore", "Page")
        rows = Page.objects.filter(pk=instance.pk)
        columns = (*FACE, *own_columns("show_in_menus"))
        former = rows.values_list(*columns).first() or ()
        instance._former_face = former[: len(FACE)] or None
        instance._was_in_menus = any(former[len(FACE) :])


def _shows_a_change(instance: Any) -> bool:
    return tuple(getattr(instance, name) for name in FACE) != getattr(
        instance, "_former_face", None
    )


def page_was_saved(
    sender: type[Model],
    instance: Any,
    raw: bool = False,
    update_fields: Collection[str] | None = None,
    **kwargs: Any,
) -> None:
    """Any page but a term that was saved as a term."""
    if not _is_other_page(sender) or raw:
        return
    if update_fields is not None and set(update_fields) <= DRAFT_FIELDS:
        return
    # The paths of the pages below are written after this, in the same transaction; what
    # is made from them is read later.
    _title, *place = (getattr(instance, name) for name in FACE)
    _former_title, *former_place = getattr(instance, "_former_face", None) or (None,)
    is_changed = _shows_a_change(instance)
    is_plain = not isinstance(instance, GlossaryPage)
    is_glossary = not is_plain or (
        is_changed and GlossaryPage.objects.filter(pk=instance.pk).exists()
    )
    if is_glossary:
        catalogue.refresh_glossary(instance.pk)
    if sender is swapper.load_model("wagtailcore", "Page") and update_fields is None:
        # As in a move: then the paths of other pages may have changed before, in SQL.
        versions.touch()
    if _is_in_menus(instance) or (is_changed and _stands_above(instance)):
        # Pages show it: in the frame of each, or on the way back.
        versions.touch()
    if not is_changed:
        return
    if TermPage.objects.filter(pk=instance.pk).exists():
        # As a move does it, or a package that knows no terms.
        terms_written.send(sender=TermPage, pks=[instance.pk])
        return
    catalogue.refresh_mentioning(Mention.Target.PAGE, [instance.pk])
    if place != former_place:
        _refresh_mentioning_below(instance.path)
    if is_glossary or place != former_place:
        catalogue.refresh_below(instance.path)
    if instance.is_site_root():
        versions.touch()


def _stands_above(instance: Any) -> bool:
    """Whether a glossary stands below it."""
    return GlossaryPage.objects.filter(path__startswith=instance.path).exists()


def _is_in_menus(instance: Any) -> bool:
    """Whether it stands in menus, or did before it was saved."""
    is_shown = getattr(instance, "show_in_menus", False)
    return is_shown or getattr(instance, "_was_in_menus", False)


def page_will_be_deleted(sender: type[Model], instance: Any, **kwargs: Any) -> None:
    if not _is_other_page(sender):
        return
    if _is_in_menus(instance):
        versions.touch()
    catalogue.refresh_mentioning(Mention.Target.PAGE, [instance.pk])
    if issubclass(sender, GlossaryPage):
        catalogue.forget_below(instance.path)


def _is_other_page(sender: type[Model]) -> bool:
    Page = swapper.load_model("wagtailcore", "Page")
    return issubclass(sender, Page) and not issubclass(sender, TermPage)


def category_was_saved(
    sender: type, instance: Category, raw: bool = False, **kwargs: Any
) -> None:
    if not raw:
        catalogue.refresh_category(instance.pk)


def category_will_be_deleted(sender: type, instance: Category, **kwargs: Any) -> None:
    catalogue.forget_category(instance.pk)


def related_term_was_saved(
    sender: type, instance: RelatedTerm, raw: bool = False, **kwargs: Any
) -> None:
    if not raw:
        catalogue.refresh_related_terms([instance.pk])


def related_term_will_be_deleted(
    sender: type, instance: RelatedTerm, **kwargs: Any
) -> None:
    catalogue.forget_related_terms([instance.pk])


def restriction_has_changed(
    sender: type, instance: PageViewRestriction, raw: bool = False, **kwargs: Any
) -> None:
    if raw:
        return
    # It may hide a page that stands in menus, or above a glossary.
    versions.touch()
    if _goes_with_another(sender, instance, **kwargs):
        return
    catalogue.refresh_below(instance.page.path)
    # It may hide what glossaries elsewhere link to.
    _refresh_mentioning_below(instance.page.path)


def _goes_with_another(sender: type, instance: Any, **kwargs: Any) -> bool:
    """Whether it is deleted because something else is, which tells by itself."""
    origin = kwargs.get("origin", instance)
    return getattr(origin, "model", type(origin)) is not sender


def _refresh_mentioning_below(path: str) -> None:
    """Record that what points at pages there has changed."""
    Page = swapper.load_model("wagtailcore", "Page")
    below = Page.objects.filter(path__startswith=path)
    catalogue.refresh_mentioning_all(Mention.Target.PAGE, below)


def site_has_changed(
    sender: type, instance: Site | Locale, raw: bool = False, **kwargs: Any
) -> None:
    """A site or a language: it can be in every address."""
    if raw:
        return
    versions.touch()
    if _goes_with_another(sender, instance, **kwargs):
        return
    if isinstance(instance, Locale):
        catalogue.refresh_language(instance.pk)
    catalogue.refresh_below("")


def tag_was_saved(
    sender: type, instance: Tag, created: bool = False, raw: bool = False, **kwargs: Any
) -> None:
    if not raw and not created:
        _refresh_tagged(instance)


def tag_will_be_deleted(sender: type, instance: Tag, **kwargs: Any) -> None:
    _refresh_tagged(instance)


def _refresh_tagged(tag: Tag) -> None:
    tagged = TermTag.objects.filter(tag=tag)
    catalogue.refresh(tagged.values_list("content_object_id", flat=True))


def documents_have_changed(
    sender: type, raw: bool = False, created: bool = False, **kwargs: Any
) -> None:
    """A document, or who may see a collection of them."""
    if raw or (created and sender is not CollectionViewRestriction):
        return  # nothing points at a new document, or stands in a new collection
    if issubclass(sender, get_document_model()):
        catalogue.refresh_mentioning(Mention.Target.DOCUMENT, [kwargs["instance"].pk])
        return
    _refresh_mentioning_documents()
    if issubclass(sender, DocumentCollection):
        # It is moved after it is saved, in SQL.
        transaction.on_commit(_refresh_mentioning_documents)


def _refresh_mentioning_documents() -> None:
    catalogue.refresh_mentioning_all(
        Mention.Target.DOCUMENT, get_document_model().objects.all()
    )


def documents_were_moved(
    request: Any, action_type: str, objects: Sequence[Any], action: Any
) -> None:
    """What has been done with many documents at once in the admin, as Wagtail's hook
    ``after_bulk_action`` tells; it is done in SQL."""
    if objects and isinstance(objects[0], get_document_model()):
        catalogue.refresh_mentioning(
            Mention.Target.DOCUMENT, [document.pk for document in objects]
        )


def redirects_have_changed(sender: type, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        versions.touch()


def tables_were_migrated(sender: Any, using: str, **kwargs: Any) -> None:
    """Make the catalogue of a site that had terms before there was one.

    Only once every migration is applied: until then a table that this reads may lack a
    column. Each ``migrate`` asks again.
    """
    connection = connections[using]
    if using != router.db_for_write(PublicTerm):
        return
    if PublicTerm._meta.db_table not in connection.introspection.table_names():
        return
    if PublicTerm.objects.exists() or not TermPage.objects.filter(live=True).exists():
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return
    logger.info("%d public terms are in the new catalogue", catalogue.rebuild())
