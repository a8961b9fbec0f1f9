"""Glossary > Export: terms as a file, only what the user may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.admin.widgets.button import Button
from wagtail.permissions import page_permission_policy, policy_registry

from ..exporting import FORMATS, terms_to_export
from ..models import GlossaryPage, TermPage
from .filters import explorable
from .imports.access import titled


class ExportForm(forms.Form):
    glossary = forms.TypedChoiceField(label=gettext_lazy("Glossary"), coerce=int)
    term = forms.IntegerField(required=False, widget=forms.HiddenInput)
    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[(name, format.label) for name, format in FORMATS.items()],
        initial="json",
        widget=forms.RadioSelect,
    )
    drafts = forms.BooleanField(
        label=gettext_lazy("With drafts"),
        required=False,
        help_text=gettext_lazy(
            "Every term that you may edit, as it was saved last. Without it, the terms "
            "that anyone may see, as they are published."
        ),
    )

    def __init__(
        self,
        *args: Any,
        user: Any,
        glossaries: list[GlossaryPage],
        term: TermPage | None,
        may_edit: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.term = term
        self.glossaries = {glossary.pk: glossary for glossary in glossaries}
        self.fields["glossary"].choices = titled(glossaries)
        if term is not None:
            self.fields["term"].initial = term.pk
            self.fields["glossary"].widget = forms.HiddenInput()
        if len(glossaries) == 1:
            self.fields["glossary"].initial = glossaries[0].pk
        if not may_edit:
            del self.fields["drafts"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.errors:
            return cleaned
        self.glossary = self.glossaries[cleaned["glossary"]]
        self.selection = terms_to_export(
            self.glossary,
            user=self.user,
            drafts=cleaned.get("drafts", False),
            slugs=None if self.term is None else [self.term.slug],
        )
        if not self.selection.count():
            raise forms.ValidationError(self._nothing())
        return cleaned

    def _nothing(self) -> str:
        if "drafts" in self.fields and not self.cleaned_data.get("drafts"):
            return _(
                "There is nothing to export that anyone may see. It can be exported "
                "with drafts."
            )
        return _("There is nothing to export.")


class ExportView(WagtailAdminTemplateMixin, FormView):
    """The form; and, once a format is chosen, the file."""

    form_class = ExportForm
    template_name = "glossary/admin/export.html"
    header_icon = "download"
    http_method_names = ["get", "head"]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.term = self._term()
        self.glossaries = self._glossaries()
        if not self.glossaries:
            raise PermissionDenied

    def _term(self) -> TermPage | None:
        wanted = self.request.GET.get("term", "")
        if not wanted:
            return None
        pk = int(wanted) if wanted.isdecimal() and len(wanted) < 19 else 0
        return get_object_or_404(explorable(TermPage, self.request.user), pk=pk)

    def _glossaries(self) -> list[GlossaryPage]:
        if self.term is not None:
            return [self.term.glossary]
        glossaries = explorable(GlossaryPage, self.request.user)
        return list(glossaries.select_related("locale").order_by("title", "pk"))

    @cached_property
    def may_edit(self) -> bool:
        """Whether there is any term here whose draft the user may see."""
        pages = TermPage.objects.all()
        if self.term is not None:
            pages = pages.filter(pk=self.term.pk)
        allowed = page_permission_policy.instances_user_has_permission_for(
            self.request.user, "change"
        )
        return pages.filter(pk__in=allowed.values("pk")).exists()

    def get_page_title(self) -> str:
        if self.term is not None:
            return _("Export “%(term)s”") % {"term": self.term.title}
        return _("Export terms")

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items = list(self.breadcrumbs_items)
        if self.term is not None:
            index = reverse("glossary_exports:index")
            items.append({"url": index, "label": _("Export terms")})
        return [*items, {"url": "", "label": self.get_page_title()}]

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = {
            **super().get_form_kwargs(),
            "user": self.request.user,
            "glossaries": self.glossaries,
            "term": self.term,
            "may_edit": self.may_edit,
        }
        if "format" in self.request.GET:
            kwargs["data"] = self._answers()
        return kwargs

    def _answers(self) -> Any:
        answers = self.request.GET.copy()
        if self.term is not None:
            answers["glossary"] = str(self.glossaries[0].pk)
        return answers

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.get_form()
        if form.is_bound and form.is_valid():
            return self._download(form)
        return self.render_to_response(self.get_context_data(form=form))

    def _download(self, form: ExportForm) -> StreamingHttpResponse:
        format = FORMATS[form.cleaned_data["format"]]
        of_what = self.term or form.glossary
        name = f"{of_what.slug}{format.extension}"
        pieces: Iterator[bytes] = format.stream(form.selection)
        return StreamingHttpResponse(
            pieces,
            content_type=format.content_type,
            headers={
                "Content-Disposition": content_disposition_header(True, name),
                # What is in it depends on who asks.
                "Cache-Control": "private, no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["action_url"] = self.request.path
        context["media"] = context["form"].media
        return context


def term_url(page: TermPage, format: str) -> str:
    """Where a term is to be had in a format: as published, else its draft."""
    answers = {"term": page.pk, "format": format}
    if not page.live:
        answers["drafts"] = "on"
    return f"{reverse('glossary_exports:index')}?{urlencode(answers)}"


def export_button(page: Any, user: Any) -> Iterator[Button]:
    """A button that leads to the export of a term, for a page that is one."""
    if issubclass(page.specific_class or type(page), TermPage):
        yield Button(
            _("Export this term"),
            url=f"{reverse('glossary_exports:index')}?term={page.pk}",
            icon_name="download",
            priority=68,
        )


class ExportMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return policy_registry.get_by_type(GlossaryPage).user_has_any_permission(
            request.user, ["add", "change", "publish", "lock", "unlock"]
        )


class ExportViewSet(ViewSet):
    """Glossary > Export."""

    icon = "download"
    menu_label = gettext_lazy("Export")
    menu_name = "glossary-export"
    menu_order = 500
    menu_item_class = ExportMenuItem
    url_prefix = "glossary/export"
    url_namespace = "glossary_exports"

    def get_urlpatterns(self) -> list[Any]:
        return [path("", ExportView.as_view(), name="index")]
