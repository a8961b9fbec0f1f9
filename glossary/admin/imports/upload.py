"""The form that an import begins with."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from ...importing.jobs import begin_import
from .access import import_glossaries
from .forms import ImportForm, kept_name


class UploadView(WagtailAdminTemplateMixin, FormView):
    form_class = ImportForm
    template_name = "glossary/admin/imports/upload.html"
    page_title = gettext_lazy("Import terms")
    header_icon = "upload"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.glossaries = import_glossaries(request.user)
        if not self.glossaries:
            raise PermissionDenied

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("glossary_imports:index"), "label": _("Imports")},
            {"url": "", "label": self.page_title},
        ]

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "glossaries": self.glossaries}

    def form_valid(self, form: ImportForm) -> HttpResponse:
        cleaned = form.cleaned_data
        with transaction.atomic():
            run = begin_import(
                cleaned["glossary"],
                [(kept_name(file.name), file.chunks()) for file in cleaned["files"]],
                source=cleaned["source_key"],
                options=form.options,
                user=self.request.user,
                mapping=cleaned["map"],
            )
        return redirect("glossary_imports:run", run.pk)

    def form_invalid(self, form: ImportForm) -> HttpResponse:
        messages.validation_error(
            self.request, _("The import could not begin, due to errors."), form
        )
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context.update(
            media=context["form"].media,
            action_url=self.request.path,
            submit_button_label=_("Upload and plan"),
            submit_button_active_label=_("Uploading…"),
        )
        return context
