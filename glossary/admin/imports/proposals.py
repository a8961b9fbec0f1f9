"""What the imports propose for a page, to be taken or not, field by field."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import HeaderButton

from ...content import page_content
from ...importing.proposals import (
    ProposalError,
    keep,
    latest_page,
    obstacle,
    proposed,
    take,
)
from .access import RecordMixin
from .differences import compare, field_label, in_order


class ProposalsView(RecordMixin, WagtailAdminTemplateMixin, TemplateView):
    template_name = "glossary/admin/imports/proposals.html"
    header_icon = "openquote"

    def get_page_title(self) -> str:
        return _("Proposals for “%(term)s”") % {"term": self.record.page.title}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        page = self.record.page
        edit_url = reverse("wagtailadmin_pages:edit", args=[page.pk])
        return [
            *self.breadcrumbs_items,
            {"url": edit_url, "label": page.get_admin_display_title()},
            {"url": "", "label": _("Proposals")},
        ]

    @property
    def header_buttons(self) -> list[HeaderButton]:
        url = reverse("wagtailadmin_pages:edit", args=[self.record.page_id])
        return [HeaderButton(_("Edit the page"), url=url, icon_name="edit")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        page = latest_page(self.record)
        fields = in_order(self.record.proposal)
        ours = page_content(page, fields=fields)
        context.update(
            record=self.record,
            page=page,
            obstacle=obstacle(page, self.request.user),
            differences=[
                compare(name, ours[name], proposed(self.record, name, ours[name]))
                for name in fields
            ],
        )
        return context


class DecideFieldView(RecordMixin, View):
    """Decides the proposal for one field."""

    http_method_names: ClassVar = ["post"]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        field = request.POST.get("field", "")
        try:
            self.decide(field)
        except ProposalError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, self.message % {"field": field_label(field)})
        if self.record.proposal:
            return redirect("glossary_imports:proposals", self.record.pk)
        return redirect("wagtailadmin_pages:edit", self.record.page_id)

    def decide(self, field: str) -> None:
        raise NotImplementedError

    @property
    def message(self) -> str:
        raise NotImplementedError


class TakeView(DecideFieldView):
    def decide(self, field: str) -> None:
        take(self.record, field, self.request.user)

    @property
    def message(self) -> str:
        return _("“%(field)s” is what the source says now.")


class KeepView(DecideFieldView):
    def decide(self, field: str) -> None:
        keep(self.record, field, self.request.user)

    @property
    def message(self) -> str:
        return _("“%(field)s” is kept as it is on the page.")
