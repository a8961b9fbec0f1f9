from __future__ import annotations

from typing import Any

from django.db.models import ProtectedError
from django.db.models.signals import pre_delete
from django.utils.translation import ngettext
from wagtail.signals import page_slug_changed, post_page_move

from .models import Category, RelatedTerm, TermPage


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
