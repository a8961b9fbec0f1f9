"""The addresses of the import screens, and their place in the menu."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import path
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.base import ViewSet

from .access import import_glossaries
from .actions import (
    ApplyView,
    DecideView,
    DiscardView,
    GoOnView,
    StopView,
    UndoView,
)
from .item import ItemView
from .proposals import KeepView, ProposalsView, TakeView
from .provenance import ProvenanceView
from .run import ProgressView, ReportView, RunView
from .runs import RunIndexView
from .upload import UploadView


class ImportMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(import_glossaries(request.user))


class ImportViewSet(ViewSet):
    """Glossary > Import."""

    icon = "upload"
    menu_label = _("Import")
    menu_name = "glossary-import"
    menu_order = 400
    menu_item_class = ImportMenuItem
    url_prefix = "glossary/imports"
    url_namespace = "glossary_imports"

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_common_view_kwargs(
            **{
                "index_url_name": self.get_url_name("index"),
                "index_results_url_name": self.get_url_name("index_results"),
                "add_url_name": self.get_url_name("new"),
                "header_icon": self.icon,
                **kwargs,
            }
        )

    def get_urlpatterns(self) -> list[Any]:
        index = self.construct_view(RunIndexView)
        index_results = self.construct_view(RunIndexView, results_only=True)
        return [
            path("", index, name="index"),
            path("results/", index_results, name="index_results"),
            path("new/", UploadView.as_view(), name="new"),
            path("<int:pk>/", RunView.as_view(), name="run"),
            path(
                "<int:pk>/results/",
                RunView.as_view(results_only=True),
                name="run_results",
            ),
            path("<int:pk>/progress/", ProgressView.as_view(), name="progress"),
            path("<int:pk>/report/", ReportView.as_view(), name="report"),
            path("<int:pk>/stop/", StopView.as_view(), name="stop"),
            path("<int:pk>/decide/", DecideView.as_view(), name="decide"),
            path("<int:pk>/apply/", ApplyView.as_view(), name="apply"),
            path("<int:pk>/go-on/", GoOnView.as_view(), name="go_on"),
            path("<int:pk>/discard/", DiscardView.as_view(), name="discard"),
            path("<int:pk>/undo/", UndoView.as_view(), name="undo"),
            path("terms/<int:pk>/", ItemView.as_view(), name="item"),
            path("records/<int:pk>/", ProposalsView.as_view(), name="proposals"),
            path("records/<int:pk>/take/", TakeView.as_view(), name="take"),
            path("records/<int:pk>/keep/", KeepView.as_view(), name="keep"),
            path("pages/<int:pk>/", ProvenanceView.as_view(), name="provenance"),
        ]
