"""Where a term came from: the side panel of its editor."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.ui.side_panels import BaseSidePanel
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.pages.edit import EditView

from ...content import normal_field, page_content
from ...exporting import FORMATS
from ...importing.proposals import latest_page
from ...models import ImportRecord, TermPage
from ..exports import term_url
from .access import may_edit, may_import
from .differences import field_label, in_order
from .runs import run_title


class ProvenanceSidePanel(BaseSidePanel):
    """Says that the term was imported. The rest is loaded when the panel is opened."""

    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = gettext_lazy("Toggle import")
        icon_name = "download"
        counter_classname = "w-bg-critical-200"

        def get_context_data(self, parent_context: Any) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            context["count"] = self.panel.waiting
            return context

    name = "glossary-import"
    title = gettext_lazy("Import")
    template_name = "glossary/admin/imports/side_panel.html"
    order = 350

    def __init__(self, page: TermPage, request: HttpRequest, waiting: int) -> None:
        super().__init__(page, request)
        self.waiting = waiting
        """How many fields have a proposal."""

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        context = super().get_context_data(parent_context)
        context["url"] = reverse("glossary_imports:provenance", args=[self.object.pk])
        return context

    class Media:
        js = ("glossary/admin/side-panel.js",)


class TermEditView(EditView):
    """The editor of a term, with the panel for one that was imported."""

    def get_side_panels(self) -> MediaContainer:
        panels = super().get_side_panels()
        if self.expects_json_response or self.hydrate_create_view:
            return panels
        records = ImportRecord.objects.filter(page=self.page.pk)
        proposals = list(records.values_list("proposal", flat=True))
        if not proposals:
            return panels
        waiting = sum(map(len, proposals))
        panel = ProvenanceSidePanel(self.page, self.request, waiting)
        return MediaContainer([*panels, panel])


class ProvenanceView(WagtailAdminTemplateMixin, TemplateView):
    """What imports know of a page: for its side panel, or as a page of its own."""

    header_icon = "openquote"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.page = get_object_or_404(TermPage, pk=kwargs["pk"])
        if not may_edit(request.user, self.page):
            raise PermissionDenied

    def get_template_names(self) -> list[str]:
        asks_for_panel = (
            self.request.headers.get("X-Requested-With") == "XMLHttpRequest"
        )
        name = "_provenance.html" if asks_for_panel else "provenance.html"
        return [f"glossary/admin/imports/{name}"]

    def get_page_title(self) -> str:
        return _("Import of “%(term)s”") % {"term": self.page.title}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        edit_url = reverse("wagtailadmin_pages:edit", args=[self.page.pk])
        return [
            *self.breadcrumbs_items,
            {"url": edit_url, "label": self.page.get_admin_display_title()},
            {"url": "", "label": _("Import")},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        records = ImportRecord.objects.filter(page=self.page.pk)
        records = records.select_related("source__glossary", "run").order_by("pk")
        context["records"] = [self._told(record) for record in records]
        context["exports"] = [
            {"url": term_url(self.page, name), "label": format.label}
            for name, format in FORMATS.items()
        ]
        return context

    def _told(self, record: ImportRecord) -> dict[str, Any]:
        page = latest_page(record)
        base = record.base
        ours = page_content(page, fields=in_order(base))
        states = {
            name: normal_field(name, base[name]) == value
            for name, value in ours.items()
        }
        glossary = record.source.glossary
        return {
            "record": record,
            "run": record.run,
            "run_title": record.run and run_title(record.run),
            "may_see_run": may_import(self.request.user, glossary),
            "as_imported": [field_label(name) for name, same in states.items() if same],
            "edited": [field_label(name) for name, same in states.items() if not same],
            "waiting": [field_label(name) for name in in_order(record.proposal)],
        }
