"""The filters of the listings.

What there is to choose from is looked up for each request, so that nobody is offered a
glossary, letter or tag of terms that they may not see.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.forms import CheckboxSelectMultiple, RadioSelect
from django.utils.translation import gettext_lazy as _
from django_filters.filters import ChoiceFilter, MultipleChoiceFilter
from taggit.models import Tag
from wagtail.admin.filters import LocaleFilter, WagtailFilterSet
from wagtail.admin.views.pages.listing import PageFilterSet
from wagtail.models import Locale
from wagtail.permissions import policy_registry

from ..alphabet import OTHER, letter_of
from ..models import Category, GlossaryPage, RelatedTerm, TermPage, TermTag


Choices = list[tuple[Any, Any]]


class ManyFilter(MultipleChoiceFilter):
    """Those that have any of the chosen values."""

    def __init__(self, **kwargs: Any) -> None:
        # Each filter is a lookup of its own: no row can come twice.
        kwargs.setdefault("widget", CheckboxSelectMultiple)
        super().__init__(distinct=False, **kwargs)


class TagFilter(ManyFilter):
    def get_filter_predicate(self, v: str) -> dict[str, Any]:
        tagged = TermTag.objects.filter(tag=v)
        return {"pk__in": tagged.values("content_object")}


class StatusFilter(ManyFilter):
    """Live, draft, or live with changes that wait to be published."""

    CONDITIONS = {
        "live": {"live": True},
        "draft": {"live": False},
        "changed": {"live": True, "has_unpublished_changes": True},
    }

    def get_filter_predicate(self, v: str) -> dict[str, Any]:
        return self.CONDITIONS[v]


class GlossaryFilter(ManyFilter):
    """The terms below any of the glossaries."""

    def get_filter_predicate(self, v: str) -> dict[str, Any]:
        glossary = GlossaryPage.objects.get(pk=v)
        return {"path__startswith": glossary.path}


class LetterFilter(ChoiceFilter):
    def filter(self, qs: QuerySet[TermPage], value: str) -> QuerySet[TermPage]:
        if not value:
            return qs
        titles = qs.values_list("pk", "title", "locale__language_code")
        return qs.filter(
            pk__in=[pk for pk, *title in titles if letter_of(*title) == value]
        )


class TermFilterSet(PageFilterSet):
    category = ManyFilter(label=_("Category"), null_label=_("No category"))
    tag = TagFilter(label=_("Tag"))
    letter = LetterFilter(label=_("Letter"), empty_label=_("All"), widget=RadioSelect)
    status = StatusFilter(
        label=_("Status"),
        choices=[
            ("live", _("Live")),
            ("draft", _("Draft")),
            ("changed", _("Live, with unpublished changes")),
        ],
    )
    glossary = GlossaryFilter(label=_("Glossary"))
    # A term has no pages below it.
    has_child_pages = None

    class Meta:
        model = TermPage
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        terms = explorable(TermPage, self.request.user)
        self._offer("category", list(Category.objects.values_list("pk", "name")))
        self._offer("tag", _tags_of(terms))
        self._offer("letter", _letters_of(terms))
        self._offer("glossary", glossaries(self.request.user))
        # Those of a term stand before those of every page.
        own = ["category", "tag", "letter", "status", "locale", "glossary"]
        self.filters = {
            name: self.filters[name]
            for name in dict.fromkeys([*own, *self.filters])
            if name in self.filters
        }

    def _offer(self, name: str, choices: Choices) -> None:
        if name in self.filters:
            self.filters[name].extra["choices"] = choices


class TermsBelowFilterSet(TermFilterSet):
    """For a listing of one glossary's terms."""

    glossary = None
    site = None


def explorable(model: type[Any], user: Any) -> QuerySet[Any]:
    """The pages of a type that the user finds in the page explorer."""
    pages = policy_registry.get_by_type(model).explorable_instances(user)
    return model.objects.filter(pk__in=pages.values("pk"))


def glossaries(user: Any) -> Choices:
    return list(
        explorable(GlossaryPage, user).order_by("title").values_list("pk", "title")
    )


def _tags_of(terms: QuerySet[TermPage]) -> Choices:
    tagged = TermTag.objects.filter(content_object__in=terms)
    used = Tag.objects.filter(pk__in=tagged.values("tag")).order_by("name")
    return list(used.values_list("pk", "name"))


def _letters_of(terms: QuerySet[TermPage]) -> Choices:
    titles = terms.values_list("title", "locale__language_code")
    found = {letter_of(*title) for title in titles}
    return [
        (name, name) for name in sorted(found, key=lambda name: (name == OTHER, name))
    ]


class HasPageFilter(ChoiceFilter):
    CONDITIONS = {
        "wanted": Q(page=None),
        "draft": Q(page__live=False),
        "page": Q(page__live=True),
    }

    def filter(self, qs: QuerySet[RelatedTerm], value: str) -> QuerySet[RelatedTerm]:
        return qs.filter(self.CONDITIONS[value]) if value else qs


class RelatedTermFilterSet(WagtailFilterSet):
    has_page = HasPageFilter(
        label=_("Page"),
        empty_label=_("All"),
        choices=[
            ("wanted", _("None yet")),
            ("draft", _("A draft")),
            ("page", _("A live page")),
        ],
        widget=RadioSelect,
    )
    glossary = ManyFilter(label=_("Glossary"))
    locale = LocaleFilter(label=_("Locale"), empty_label=_("All"), widget=RadioSelect)

    class Meta:
        model = RelatedTerm
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = GlossaryPage.objects.order_by("title").values_list("pk", "title")
        self.filters["glossary"].extra["choices"] = list(titles)
        locales = [
            (locale.language_code, str(locale)) for locale in Locale.objects.all()
        ]
        if len(locales) > 1:
            self.filters["locale"].extra["choices"] = locales
        else:
            del self.filters["locale"]
