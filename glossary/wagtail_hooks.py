from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.snippets.models import register_snippet

from .admin.deletion import refuse_if_in_use
from .admin.exports import export_button
from .admin.previews import PreviewViewSet, preview_button, preview_viewset
from .admin.viewsets import GlossaryGroup, TermPageViewSet, term_page_viewset
from .delivery.watching import documents_were_moved
from .site.conditional import conditional, note_shown
from .site.negotiation import negotiate
from .site.views import add_views


if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from wagtail.admin.widgets.button import Button
    from wagtail.log_actions import LogActionRegistry


register_snippet(GlossaryGroup)


@hooks.register("register_admin_viewset")
def register_term_page_viewset() -> TermPageViewSet:
    return term_page_viewset


@hooks.register("register_admin_viewset")
def register_preview_viewset() -> PreviewViewSet:
    return preview_viewset


hooks.register("before_delete_snippet", refuse_if_in_use)


hooks.register("after_bulk_action", documents_were_moved)


# Wagtail's check of view restrictions has the order 0.
hooks.register("on_serve_page", conditional, order=-10)
hooks.register("on_serve_page", negotiate, order=10)
hooks.register("on_serve_page", note_shown, order=15)
hooks.register("on_serve_page", add_views, order=20)


@hooks.register("register_page_header_buttons")
def register_page_header_buttons(
    page: Any, user: Any, view_name: str, next_url: str | None = None
) -> Iterator[Button]:
    yield from preview_button(page, user)
    yield from export_button(page, user)


@hooks.register("register_log_actions")
def register_log_actions(actions: LogActionRegistry) -> None:
    actions.register_action(
        "glossary.import_create", _("Import a new term"), _("Term imported")
    )
    actions.register_action(
        "glossary.import_update", _("Import changes"), _("Changes imported")
    )
    actions.register_action(
        "glossary.import_unpublish",
        _("Unpublish a term that is gone from its source"),
        _("Unpublished by an import: gone from the source"),
    )
    actions.register_action(
        "glossary.import_undo", _("Undo an import"), _("Import undone")
    )
    actions.register_action(
        "glossary.take_proposal",
        _("Take a proposal of an import"),
        _("Proposal of an import taken"),
    )
    actions.register_action(
        "glossary.keep_proposal",
        _("Turn down a proposal of an import"),
        _("Proposal of an import turned down"),
    )
    actions.register_action(
        "glossary.change_secret",
        _("Change the secret of a webhook"),
        _("Secret changed"),
    )
    actions.register_action(
        "glossary.follow_page",
        _("Follow a renamed page"),
        _("Renamed with its page"),
    )
    actions.register_action(
        "glossary.hand_over",
        _("Hand links over"),
        _("Links handed over to the new name of its page"),
    )
