from __future__ import annotations

from typing import Any

from wagtail.admin.panels import InlinePanel, Panel
from wagtail.admin.telepath import register as register_telepath_adapter


# What a chooser reads the glossary from. On other forms there is none, and a chooser
# offers the related terms of all glossaries.
GLOSSARY_SELECTOR = "#glossary-of-term, html:not(:has(#glossary-of-term))"


class GlossaryPanel(Panel):
    """Tells the choosers on the form, invisibly, which glossary the term stands in."""

    @register_telepath_adapter
    class BoundPanel(Panel.BoundPanel):
        template_name = "glossary/admin/glossary_panel.html"

        def get_context_data(
            self, parent_context: dict[str, Any] | None = None
        ) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            context["glossary"] = self.form.parent_page
            return context


class RowsPanel(InlinePanel):
    """An inline panel whose rows are checked by a formset of one's own."""

    def __init__(self, *args: Any, formset: type[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.formset = formset

    def clone_kwargs(self) -> dict[str, Any]:
        return {**super().clone_kwargs(), "formset": self.formset}

    def get_form_options(self) -> dict[str, Any]:
        options = super().get_form_options()
        options["formsets"][self.relation_name]["formset"] = self.formset
        return options
