from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from wagtail.admin.forms import WagtailAdminPageForm


class TermPageForm(WagtailAdminPageForm):
    """Shows the faults of links and labels beside the row that has them.

    The form for new terms and changed ones, in the admin and in Wagtail's API v3.
    """

    def _post_clean(self) -> None:
        # The rows of the form are not yet on the page: is_valid() checks them.
        self.instance.rows_are_checked = True
        super()._post_clean()
        self.instance.rows_are_checked = False

    def is_valid(self) -> bool:
        return super().is_valid() and not self._find_faulty_rows()

    def _find_faulty_rows(self) -> bool:
        from .models.relations import check_labels, check_links

        term = self.instance
        faults = [
            *self._mark(
                "related_terms",
                "related_term",
                lambda rows: check_links(rows, term_id=term.pk, slug=term.slug),
            ),
            *self._mark(
                "labels", "text", lambda rows: check_labels(rows, title=term.title)
            ),
        ]
        return bool(faults)

    def _mark(
        self,
        relation: str,
        field: str,
        check: Callable[[list[Any]], Iterator[tuple[int, ValidationError]]],
    ) -> Iterator[ValidationError]:
        formset = self.formsets.get(relation)
        if formset is None:  # a partial update over the API
            rows = list(getattr(self.instance, relation).all())
            for _position, error in check(rows):
                self.add_error(None, error)
                yield error
            return
        forms = [
            form
            for form in formset.forms
            if form not in formset.deleted_forms
            and (form.instance.pk or form.has_changed())
        ]
        for position, error in check([form.instance for form in forms]):
            forms[position].add_error(field, error)
            yield error
