from __future__ import annotations

from typing import Any

from wagtail.signals import page_slug_changed, post_page_move

from .models import RelatedTerm, TermPage


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


def connect_signal_handlers() -> None:
    post_page_move.connect(settle_moved_term, dispatch_uid="glossary.settle_moved_term")
    page_slug_changed.connect(
        follow_renamed_term, dispatch_uid="glossary.follow_renamed_term"
    )
