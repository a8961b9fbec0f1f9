from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.snippets.models import register_snippet

from .admin.deletion import refuse_if_in_use
from .admin.viewsets import GlossaryGroup, TermPageViewSet, term_page_viewset


if TYPE_CHECKING:
    from wagtail.log_actions import LogActionRegistry


register_snippet(GlossaryGroup)


@hooks.register("register_admin_viewset")
def register_term_page_viewset() -> TermPageViewSet:
    return term_page_viewset


hooks.register("before_delete_snippet", refuse_if_in_use)


@hooks.register("register_log_actions")
def register_log_actions(actions: LogActionRegistry) -> None:
    actions.register_action(
        "glossary.import_create", _("Import a new term"), _("Term imported")
    )
    actions.register_action(
        "glossary.import_update", _("Import changes"), _("Changes imported")
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
