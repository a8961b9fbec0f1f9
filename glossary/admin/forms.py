from __future__ import annotations

from typing import Any

from django.forms import Select
from wagtail.admin.forms.models import WagtailAdminModelForm

from ..models import GlossaryPage, RelatedTerm


class RelatedTermForm(WagtailAdminModelForm):
    """A related term stays in the glossary that it was made in: to go into another one
    would leave the links to it behind."""

    class Meta(WagtailAdminModelForm.Meta):
        model = RelatedTerm
        fields = ("name", "slug", "glossary")
        widgets = {"glossary": Select}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        glossary = self.fields.get("glossary")
        if glossary is None:  # a partial update over the API
            return
        if self.instance.pk:
            glossary.disabled = True
        elif len(only := GlossaryPage.objects.all()[:2]) == 1:
            glossary.initial = only[0]
