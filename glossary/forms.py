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


def check_links(
    links: Iterable[Any], *, term_id: int | None, slug: str
) -> Iterator[tuple[int, ValidationError]]:
    """The faults of a term's links, each with the position of its link."""
    seen: set[int] = set()
    for position, link in enumerate(links):
        related_term = link.related_term
        is_itself = term_id is not None and related_term.page_id == term_id
        if is_itself or (slug and related_term.slug == slug):
            yield (
                position,
                ValidationError(
                    _("A term cannot be related to itself."), code="self_link"
                ),
            )
        elif related_term.pk in seen:
            yield (
                position,
                ValidationError(
                    _("“%(name)s” is linked twice."),
                    code="duplicate_link",
                    params={"name": related_term.name},
                ),
            )
        seen.add(related_term.pk)


def check_labels(
    labels: Iterable[Any], *, title: str
) -> Iterator[tuple[int, ValidationError]]:
    """The faults of a term's labels, each with the position of its label."""
    seen: set[str] = set()
    for position, label in enumerate(labels):
        folded = " ".join(label.text.casefold().split())
        if folded and folded == " ".join(title.casefold().split()):
            yield (
                position,
                ValidationError(
                    _("“%(text)s” is the name of the term itself."),
                    code="label_is_title",
                    params={"text": label.text},
                ),
            )
        elif folded in seen:
            yield (
                position,
                ValidationError(
                    _("The label “%(text)s” is there twice."),
                    code="duplicate_label",
                    params={"text": label.text},
                ),
            )
        seen.add(folded)


class RowFormSet(BaseChildFormSet):
    """The rows of a term. A fault is shown beside the row that has it."""

    field: ClassVar[str]
    attribute: ClassVar[str]
    """What no two rows of a term have in common."""

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
        unseen = self._adopt_unseen(forms)
        rows = [*unseen, *(form.instance for form in forms)]
        for position, error in self.faults(self.instance, rows):
            if position >= len(unseen):
                forms[position - len(unseen)].add_error(self.field, error)

    def _adopt_unseen(self, forms: Iterable[Any]) -> list[Any]:
        """Let a new row take the place of an equal one that is stored, but that the
        form does not know of, as when it is posted twice. Gives the other unknown
        ones."""
        shown = {form.instance.pk for form in self.forms}
        unseen = {
            getattr(row, self.attribute): row
            for row in self.queryset
            if row.pk not in shown
        }
        for form in forms:
            if form.instance.pk is None:
                stored = unseen.pop(getattr(form.instance, self.attribute), None)
                form.instance.pk = stored and stored.pk
        return list(unseen.values())


class LinkFormSet(RowFormSet):
    field = "related_term"
    attribute = "related_term_id"

    @staticmethod
    def faults(term: Any, rows: Iterable[Any]) -> Iterator[tuple[int, ValidationError]]:
        return check_links(rows, term_id=term.pk, slug=term.slug)


class LabelFormSet(RowFormSet):
    field = attribute = "text"

    @staticmethod
    def faults(term: Any, rows: Iterable[Any]) -> Iterator[tuple[int, ValidationError]]:
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
