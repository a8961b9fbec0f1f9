from __future__ import annotations

from collections.abc import Collection
from typing import Any

import swapper
from django.apps import apps
from django.db.models import ProtectedError
from django.db.models.signals import (
    post_delete,
    post_migrate,
    post_save,
    pre_delete,
    pre_save,
)
from django.dispatch import Signal
from django.utils.translation import ngettext
from taggit.models import Tag
from wagtail.documents import get_document_model
from wagtail.models import Collection as DocumentCollection
from wagtail.models import (
    CollectionViewRestriction,
    Locale,
    PageViewRestriction,
    Site,
)
from wagtail.signals import page_slug_changed, post_page_move

from .conf import index_is_transactional
from .delivery import telling, watching
from .delivery.previews import show_in_front_end
from .delivery.purging import purge_deleted_term, purge_former_address
from .importing.bulk.search import index_for_search
from .models import Category, RelatedTerm, TermLabel, TermLink, TermPage, TermTag
from .signals import (
    changes_recorded,
    related_terms_written,
    term_previewed,
    terms_will_be_written,
    terms_written,
)


def index_terms(
    sender: type, pks: Collection[int], indexed: bool = False, **kwargs: Any
) -> None:
    """Write the search entries of terms in the transaction that writes the terms, from
    what is stored. (Wagtail's own code would lock entries of other pages as well.)"""
    if not indexed and index_is_transactional():
        index_for_search(list(TermPage.objects.filter(pk__in=pks).specific()))


def settle_moved_term(sender: type, instance: Any, **kwargs: Any) -> None:
    term = instance.specific
    if isinstance(term, TermPage):
        # Saving brings its links into the new glossary and its name along.
        term.save(clean=False)


def follow_renamed_term(sender: type, instance: Any, **kwargs: Any) -> None:
    # A term saved as itself has done this already; one saved as a plain page has not.
    term = instance.specific
    if isinstance(term, TermPage):
        RelatedTerm.objects.follow(term)


def protect_what_terms_use(
    sender: type, instance: Category | RelatedTerm, origin: Any, **kwargs: Any
) -> None:
    """Refuse to delete a category or related term that terms use; what goes with a
    whole glossary may go."""
    if getattr(origin, "model", type(origin)) is not sender:
        return
    users = instance.terms if sender is Category else instance.links
    if users.exists():
        count = users.count()
        message = ngettext(
            "“%(name)s” cannot be deleted: %(count)d term uses it.",
            "“%(name)s” cannot be deleted: %(count)d terms use it.",
            count,
        )
        raise ProtectedError(
            message % {"name": instance, "count": count}, set(users.all())
        )


def connect_signal_handlers() -> None:
    term_previewed.connect(show_in_front_end, dispatch_uid="glossary.show_in_front_end")
    post_page_move.connect(settle_moved_term, dispatch_uid="glossary.settle_moved_term")
    page_slug_changed.connect(
        follow_renamed_term, dispatch_uid="glossary.follow_renamed_term"
    )
    for model in (Category, RelatedTerm):
        pre_delete.connect(
            protect_what_terms_use,
            sender=model,
            dispatch_uid="glossary.protect_what_terms_use",
        )
    connect_the_catalogue()


def connect_the_catalogue() -> None:
    """Let every change of what is delivered move the version."""
    terms_written.connect(index_terms, dispatch_uid="glossary.index_terms")
    terms_will_be_written.connect(
        watching.terms_will_be_written, dispatch_uid="glossary.terms_will_be_written"
    )
    terms_written.connect(
        watching.terms_were_written, dispatch_uid="glossary.terms_were_written"
    )
    related_terms_written.connect(
        watching.related_terms_were_written,
        dispatch_uid="glossary.related_terms_were_written",
    )
    changes_recorded.connect(
        telling.changes_were_recorded, dispatch_uid="glossary.changes_were_recorded"
    )
    page_slug_changed.connect(
        purge_former_address, dispatch_uid="glossary.purge_former_address"
    )
    post_migrate.connect(
        watching.tables_were_migrated,
        sender=apps.get_app_config("glossary"),
        dispatch_uid="glossary.tables_were_migrated",
    )
    Page = swapper.load_model("wagtailcore", "Page")
    # One by one: a receiver for every model would make Django load each row of all the
    # others before it deletes it.
    senders: dict[Any, list[tuple[Signal, Any]]] = {
        model: [
            (pre_save, watching.page_will_be_saved),
            (post_save, watching.page_was_saved),
            (pre_delete, watching.page_will_be_deleted),
        ]
        for model in apps.get_models()
        if issubclass(model, Page) and not issubclass(model, TermPage)
    }
    senders |= {
        # Terms tell by themselves when they are saved.
        TermPage: [
            (pre_delete, watching.term_will_be_deleted),
            (pre_delete, purge_deleted_term),
            (post_delete, watching.term_was_deleted),
        ],
        Category: [
            (post_save, watching.category_was_saved),
            (pre_delete, watching.category_will_be_deleted),
        ],
        RelatedTerm: [
            (post_save, watching.related_term_was_saved),
            (pre_delete, watching.related_term_will_be_deleted),
        ],
        Tag: [
            (post_save, watching.tag_was_saved),
            (pre_delete, watching.tag_will_be_deleted),
        ],
    }
    for models, receiver in (
        ((TermLabel, TermLink, TermTag), watching.row_has_changed),
        ((PageViewRestriction,), watching.restriction_has_changed),
        ((Site, Locale), watching.site_has_changed),
        (
            (get_document_model(), DocumentCollection, CollectionViewRestriction),
            watching.documents_have_changed,
        ),
        (_redirects(), watching.redirects_have_changed),
    ):
        for model in models:
            senders[model] = [(post_save, receiver), (post_delete, receiver)]
    for sender, receivers in senders.items():
        for signal, receiver in receivers:
            signal.connect(
                receiver,
                sender=sender,
                dispatch_uid=f"glossary.{receiver.__name__}.{sender.__name__}",
            )


def _redirects() -> tuple[type, ...]:
    if not apps.is_installed("wagtail.contrib.redirects"):
        return ()
    from wagtail.contrib.redirects.models import Redirect

    return (Redirect,)
