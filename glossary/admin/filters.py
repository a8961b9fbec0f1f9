from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple, RadioSelect
from django.utils.translation import gettext_lazy as _
from django_filters.filters import (
    ChoiceFilter,
    ModelMultipleChoiceFilter,
    MultipleChoiceFilter,
)
from taggit.models import Tag
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.views.pages.listing import PageFilterSet
from wagtail.models import Locale

from ..delivery.overview import OTHER, letter_of
from ..models import Category, GlossaryPage, RelatedTerm, TermPage


class StatusFilter(MultipleChoiceFilter):
    """Live, draft, or live with changes that wait to be published."""

    CONDITIONS = {
        "live": {"live": True},
        "draft": {"live": False},
        "changed": {"live": True, "has_unpublished_changes": True},
    }

    def get_filter_predicate(self, v: str) -> dict[str, Any]:
        return self.CONDITIONS[v]


class LetterFilter(ChoiceFilter):
    def filter(self, qs: QuerySet[TermPage], value: str) -> QuerySet[TermPage]:
        if not value:
            return qs
        titles = qs.values_list("pk", "title")
        return qs.filter(
            pk__in=[pk for pk, title in titles if letter_of(title) == value]
        )


def letters() -> list[tuple[str, str]]:
    found = {
        letter_of(title) for title in TermPage.objects.values_list("title", flat=True)
    }
    return [
        (name, name) for name in sorted(found, key=lambda name: (name == OTHER, name))
    ]


class TermFilterSet(PageFilterSet):
    category = ModelMultipleChoiceFilter(
        label=_("Category"),
        queryset=Category.objects.select_related("locale"),
        widget=CheckboxSelectMultiple,
    )
    tag = ModelMultipleChoiceFilter(
        label=_("Tag"),
        field_name="tagged_items__tag",
        queryset=lambda request: Tag.objects.filter(
            glossary_termtag_items__isnull=False
        ).distinct(),
        widget=CheckboxSelectMultiple,
    )
    letter = LetterFilter(label=_("Letter"), choices=letters, widget=RadioSelect)
    status = StatusFilter(
        label=_("Status"),
        choices=[
            ("live", _("Live")),
            ("draft", _("Draft")),
            ("changed", _("Live, with unpublished changes")),
        ],
        widget=CheckboxSelectMultiple,
    )
    locale = ModelMultipleChoiceFilter(
        label=_("Language"),
        queryset=Locale.objects.all(),
        widget=CheckboxSelectMultiple,
    )
    glossary = ModelMultipleChoiceFilter(
        label=_("Glossary"),
        queryset=GlossaryPage.objects.all(),
        widget=CheckboxSelectMultiple,
        method="filter_glossary",
    )
    # A term has no pages below it.
    has_child_pages = None

    def filter_glossary(
        self, queryset: QuerySet[TermPage], name: str, value: Any
    ) -> QuerySet[TermPage]:
        glossaries = list(value)
        if not glossaries:
            return queryset
        return queryset.filter(
            pk__in=[
                pk
                for glossary in glossaries
                for pk in glossary.terms.values_list("pk", flat=True)
            ]
        )

    class Meta:
        model = TermPage
        fields: list[str] = []


class HasPageFilter(ChoiceFilter):
    def filter(self, qs: QuerySet[RelatedTerm], value: str) -> QuerySet[RelatedTerm]:
        if value == "wanted":
            return qs.exclude(page__live=True)
        if value == "page":
            return qs.filter(page__live=True)
        return qs


class RelatedTermFilterSet(WagtailFilterSet):
    has_page = HasPageFilter(
        label=_("Page"),
        empty_label=_("All"),
        choices=[("wanted", _("Wanted")), ("page", _("Has a page"))],
        widget=RadioSelect,
    )
    glossary = ModelMultipleChoiceFilter(
        label=_("Glossary"),
        queryset=GlossaryPage.objects.all(),
        widget=CheckboxSelectMultiple,
    )

    class Meta:
        model = RelatedTerm
        fields: list[str] = []
