from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet
from django.forms import HiddenInput
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic.chooser import CreationFormMixin
from wagtail.snippets.views import chooser
from wagtail.snippets.widgets import AdminSnippetChooser

from ..models import RelatedTerm
from ..panels import GLOSSARY_SELECTOR


class RelatedTermChooserWidget(AdminSnippetChooser):
    """Offers the related terms of the glossary that the form is about."""

    model = RelatedTerm
    icon = "link"
    linked_fields: ClassVar = {"glossary": GLOSSARY_SELECTOR}


class RelatedTermCreationForm(WagtailAdminModelForm):
    class Meta:
        model = RelatedTerm
        fields = ("name", "slug", "glossary")


class GlossaryFromUrlMixin(CreationFormMixin):
    """Narrows the list, and fills in the form, to the glossary named in the URL."""

    @property
    def glossary_id(self) -> int | None:
        value = self.request.GET.get("glossary", "")
        return int(value) if value.isdecimal() else None

    def get_object_list(self) -> QuerySet[RelatedTerm]:
        related_terms = RelatedTerm.objects.select_related("page")
        if self.glossary_id is None:
            return related_terms
        return related_terms.filter(glossary=self.glossary_id)

    def get_creation_form(self) -> RelatedTermCreationForm:
        form = super().get_creation_form()
        if self.glossary_id is not None:
            form.fields["glossary"].initial = self.glossary_id
            form.fields["glossary"].widget = HiddenInput()
        return form

    @property
    def columns(self) -> list[Column]:
        return [
            *super().columns,
            Column("page_state", label=_("Page"), accessor=page_state),
        ]


def page_state(related_term: RelatedTerm) -> str:
    """Whether a related term has a page, in a word or two."""
    if related_term.page is None:
        return _("wanted")
    return _("has a page") if related_term.page.live else _("has a draft")


class ChooseView(GlossaryFromUrlMixin, chooser.ChooseView):
    pass


class ChooseResultsView(GlossaryFromUrlMixin, chooser.ChooseResultsView):
    pass


class CreateView(GlossaryFromUrlMixin, chooser.SnippetCreateView):
    pass


class RelatedTermChooserViewSet(chooser.SnippetChooserViewSet):
    base_widget_class = RelatedTermChooserWidget
    choose_view_class = ChooseView
    choose_results_view_class = ChooseResultsView
    create_view_class = CreateView
    creation_form_class = RelatedTermCreationForm
    creation_tab_label = _("New")
    preserve_url_parameters: ClassVar = ["multiple", "glossary"]
