"""A button that shows the draft of a term in the front end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views import View
from wagtail.admin.viewsets.base import ViewSet
from wagtail.admin.widgets.button import Button

from ..conf import preview_url
from ..delivery.previews import lead_to, make_token
from ..models import TermPage


class PreviewView(View):
    """Leads to the draft of a term in the front end, by a link that expires: one who
    gets it from there can read the draft without an account."""

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, page_id: int) -> HttpResponse:
        if preview_url() is None:
            raise Http404
        page = get_object_or_404(TermPage, pk=page_id)
        if not _may_preview(page, request.user):
            raise PermissionDenied
        revision = page.latest_revision
        draft = revision.as_object() if revision else page.specific
        return lead_to(draft, make_token(page, revision))


def preview_button(page: Any, user: Any) -> Iterator[Button]:
    """The button, for a term whose draft the user may see."""
    if (
        preview_url() is not None
        and page.pk
        and issubclass(page.specific_class or type(page), TermPage)
        and _may_preview(page, user)
    ):
        yield Button(
            _("Preview in the front end"),
            url=reverse("glossary_previews:term", args=[page.pk]),
            icon_name="view",
            attrs={"target": "_blank", "rel": "noreferrer"},
            priority=66,
        )


def _may_preview(page: Any, user: Any) -> bool:
    # As for Wagtail's own view of a draft.
    permissions = page.permissions_for_user(user)
    return permissions.can_publish() or permissions.can_edit()


class PreviewViewSet(ViewSet):
    url_prefix = "glossary/preview"
    url_namespace = "glossary_previews"

    def get_urlpatterns(self) -> list[Any]:
        return [path("<int:page_id>/", PreviewView.as_view(), name="term")]


preview_viewset = PreviewViewSet()
