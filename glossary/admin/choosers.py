from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.forms import HiddenInput
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic.chooser import CreationFormMixin
from wagtail.snippets.views import chooser
from wagtail.snippets.widgets import AdminSnippetChooser

from ..models import GlossaryPage, RelatedTerm
from ..panels import GLOSSARY_SELECTOR
from .forms import RelatedTermForm


class RelatedTermChooserWidget(AdminSnippetChooser):
    """Offers the related terms of the glossary that the form is about."""

    model = RelatedTerm
    icon = "link"
    linked_fields: ClassVar = {"glossary": GLOSSARY_SELECTOR}


class GlossaryFromUrlMixin(CreationFormMixin):
    """Narrows the list, and fills in the form, to the glossary named in the URL."""

    @cached_property
    def glossary(self) -> GlossaryPage | None:
        wanted = self.request.GET.get("glossary")
        glossaries = GlossaryPage.objects.all()
        return next((page for page in glossaries if str(page.pk) == wanted), None)

    def get_object_list(self) -> QuerySet[RelatedTerm]:
        related_terms = RelatedTerm.objects.select_related("page")
        if self.glossary is None:
            return related_terms
        return related_terms.filter(glossary=self.glossary)

    def get_creation_form(self) -> RelatedTermForm:
        form = super().get_creation_form()
        if self.glossary is not None:
            form.fields["glossary"].initial = self.glossary
            form.fields["glossary"].widget = HiddenInput()
        return form

    @property
    def columns(self) -> list[Column]:
        columns = [
            *super().columns,
            Column("slug", label=_("Slug")),
            Column("page_state", label=_("Page"), accessor=page_state),
        ]
        if self.glossary is None:
            columns.append(Column("glossary", label=_("Glossary")))
        return columns


def page_state(related_term: RelatedTerm) -> Any:
    """Whether a related term has a page, in a word or two."""
    if related_term.page is None:
        return _("wanted")
    return _("has a page") if related_term.page.live else _("has a draft")


class ChooseView(GlossaryFromUrlMixin, chooser.ChooseView):
    results_template_name = "glossary/admin/related_term_results.html"


class ChooseResultsView(GlossaryFromUrlMixin, chooser.ChooseResultsView):
    results_template_name = "glossary/admin/related_term_results.html"


class CreateView(GlossaryFromUrlMixin, chooser.SnippetCreateView):
    pass


class RelatedTermChooserViewSet(chooser.SnippetChooserViewSet):
    base_widget_class = RelatedTermChooserWidget
    choose_view_class = ChooseView
    choose_results_view_class = ChooseResultsView
    create_view_class = CreateView
    creation_form_class = RelatedTermForm
    creation_tab_label = _("New")
    preserve_url_parameters: ClassVar = ["multiple", "glossary"]
