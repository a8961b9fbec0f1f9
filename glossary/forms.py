from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.formsets import DELETION_FIELD_NAME
from django.utils.translation import gettext_lazy as _
from modelcluster.forms import BaseChildFormSet
from wagtail.admin.forms import WagtailAdminPageForm


class GlossaryPageForm(WagtailAdminPageForm):
    """Offers the categories of the page's own language."""

    category_field = "default_category"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get(self.category_field)
        if field is None or self.instance.locale_id is None:
            return
        # A copy into another language keeps its category until it is given another.
        present = getattr(self.instance, f"{self.category_field}_id")
        field.queryset = field.queryset.filter(
            Q(locale=self.instance.locale_id) | Q(pk=present)
        )
        field.empty_label = _("No category")


class RowFormSet(BaseChildFormSet):
    """The rows of a term. A fault is shown beside the row that has it."""

    field: ClassVar[str]

    @staticmethod
    def faults(term: Any, rows: Iterable[Any]) -> Iterator[tuple[int, ValidationError]]:
        raise NotImplementedError

    def validate_unique(self) -> None:
        # In place of a general remark that some data is there twice.
        forms = [
            form
            for form in self.forms
            if form.cleaned_data.get(self.field)
            and not form.cleaned_data.get(DELETION_FIELD_NAME)
        ]
        rows = [form.instance for form in forms]
        for position, error in self.faults(self.instance, rows):
            forms[position].add_error(self.field, error)


class LinkFormSet(RowFormSet):
    field = "related_term"

    @staticmethod
    def faults(term: Any, rows: Iterable[Any]) -> Iterator[tuple[int, ValidationError]]:
        from .models.relations import check_links

        return check_links(rows, term_id=term.pk, slug=term.slug)


class LabelFormSet(RowFormSet):
    field = "text"

    @staticmethod
    def faults(term: Any, rows: Iterable[Any]) -> Iterator[tuple[int, ValidationError]]:
        from .models.relations import check_labels

        return check_labels(rows, title=term.title)


class TermPageForm(GlossaryPageForm):
    """The form for new terms and changed ones, in the admin and in Wagtail's API v3."""

    category_field = "category"

    def _post_clean(self) -> None:
        # The rows of the form are not on the page before it is valid as a whole.
        self.instance.rows_are_checked = True
        super()._post_clean()
        self.instance.rows_are_checked = False
        for relation, formset in (
            ("related_terms", LinkFormSet),
            ("labels", LabelFormSet),
        ):
            if relation not in self.formsets:  # a partial update over the API
                rows = getattr(self.instance, relation).all()
                for _position, error in formset.faults(self.instance, rows):
                    self.add_error(None, error)
