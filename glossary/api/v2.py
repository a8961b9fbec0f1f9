"""Endpoints for Wagtail's API v2: ``terms`` and ``categories``.

They speak its grammar (``fields``, ``search``, ``order``, ``limit``, ``offset``) and
load a whole list in a fixed number of queries. Register them on the site's router::

    router.register_endpoint("terms", TermsAPIViewSet)
    router.register_endpoint("categories", CategoriesAPIViewSet)

Register ``terms`` before ``pages``, so that the addresses of terms lead here.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.fields import IntegerField
from rest_framework.filters import BaseFilterBackend
from wagtail.api import APIField
from wagtail.api.querysets import get_public_pages_queryset
from wagtail.api.v2 import filters
from wagtail.api.v2.utils import BadRequestError, page_models_from_string
from wagtail.api.v2.views import BaseAPIViewSet, PagesAPIViewSet

from ..delivery.references import load_for_reader
from ..models import Category, TermPage, TermTag
from ..visibility import CONTEXT_KEY, Visibility


# What every database can count to.
LARGEST_NUMBER = 2**31 - 1
# Wagtail reads fields(of(fields)), and joins the words of a search, by recursion.
MOST_BRACKETS = 20
MOST_WORDS = 50


class CategoryFilter(BaseFilterBackend):
    """``?category=research``: the terms of one category, by its slug."""

    def filter_queryset(
        self, request: Any, queryset: QuerySet[TermPage], view: Any
    ) -> QuerySet[TermPage]:
        slug = request.GET.get("category")
        if slug is None:
            return queryset
        # By id, which search can filter by as well.
        categories = Category.objects.filter(slug=slug)
        return queryset.filter(category__in=list(categories))


class TagsFilter(BaseFilterBackend):
    """``?tags=data,training``: the terms that have all of these tags."""

    def filter_queryset(
        self, request: Any, queryset: QuerySet[TermPage], view: Any
    ) -> QuerySet[TermPage]:
        if "tags" not in request.GET:
            return queryset
        for name in request.GET["tags"].split(","):
            # By id, which search can filter by as well, and no term comes twice.
            tagged = TermTag.objects.filter(tag__name=name)
            queryset = queryset.filter(pk__in=tagged.values("content_object_id"))
        return queryset


class SearchFilter(filters.SearchFilter):
    """``?search=``, without what a search engine could not read."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        if "search" in request.GET:
            # SQLite ends a word at a quote; nowhere does one mean anything.
            words = request.GET["search"].replace('"', " ").split()
            if len(words) > MOST_WORDS:
                raise BadRequestError(f"search takes at most {MOST_WORDS} words")
            parameters = request.GET.copy()
            parameters["search"] = " ".join(words)
            request._request.GET = parameters
        return super().filter_queryset(request, queryset, view)


class StrictParametersMixin:
    """Refuses, with a 400, parameters that a database or a parser would choke on."""

    # What can be filtered and ordered by: columns of plain text and numbers.
    column_fields: ClassVar[frozenset[str]]
    # What can only be ordered by.
    order_fields: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        for name, values in request.GET.lists():
            if any("\x00" in text for text in (name, *values)):
                raise BadRequestError("null characters are not allowed")
        for name in ("limit", "offset", "id"):
            self._check_number(name, request.GET.get(name, "0"))
        if kwargs.get("pk", 0) > LARGEST_NUMBER:
            raise Http404("not found")
        if request.GET.get("fields", "").count("(") > MOST_BRACKETS:
            raise BadRequestError("fields error: too many nested fields")
        if request.GET.get("search_operator", "and") not in {"and", "or"}:
            raise BadRequestError("search_operator must be 'and' or 'or'")

    @staticmethod
    def _check_number(name: str, text: str) -> None:
        is_number = text.isascii() and text.isdecimal() and len(text) < 20
        if not is_number or int(text) > LARGEST_NUMBER:
            raise BadRequestError(
                f"{name} must be a positive integer, at most {LARGEST_NUMBER}"
            )

    @classmethod
    def get_available_fields(cls, model: type, db_fields_only: bool = False) -> Any:
        fields = super().get_available_fields(model, db_fields_only=db_fields_only)
        if db_fields_only:
            columns = cls.column_fields | cls.order_fields
            return [name for name in fields if name in columns]
        return fields

    def check_query_parameters(self, queryset: Any) -> None:
        super().check_query_parameters(queryset)
        if unfit := self.order_fields & self.request.GET.keys():
            raise BadRequestError(f"cannot filter by {', '.join(sorted(unfit))}")


class TermsAPIViewSet(StrictParametersMixin, PagesAPIViewSet):
    name = "terms"
    model = TermPage
    filter_backends: ClassVar = [
        CategoryFilter,
        TagsFilter,
        *PagesAPIViewSet.filter_backends[:-1],
        SearchFilter,  # the last one, as Wagtail's own is
    ]
    known_query_parameters = PagesAPIViewSet.known_query_parameters | {
        "category",
        "tags",
    }
    # The original of an alias may be a page that no one may see.
    meta_fields: ClassVar = [
        name for name in PagesAPIViewSet.meta_fields if name != "alias_of"
    ]
    column_fields = frozenset(
        {
            "id",
            "title",
            "slug",
            "heading",
            "short_definition",
            "seo_title",
            "search_description",
            "show_in_menus",
            "locale",
        }
    )
    order_fields = frozenset({"first_published_at"})

    def get_base_queryset(self) -> QuerySet[Any]:
        if not hasattr(self, "_base_queryset"):
            self._base_queryset = super().get_base_queryset()
        return self._base_queryset.all()

    def get_queryset(self) -> QuerySet[TermPage]:
        models = self._term_models()
        model = models[0] if len(models) == 1 else TermPage
        terms = model.objects.filter(pk__in=self.get_base_queryset().values("pk"))
        if len(models) > 1:
            terms = terms.type(*models)
        return terms.select_related("category", "locale").prefetch_related(
            "related_terms", "labels", "tagged_items__tag"
        )

    def _term_models(self) -> tuple[type[TermPage], ...]:
        wanted = self.request.GET.get("type")
        if not wanted:
            return ()
        try:
            models = page_models_from_string(wanted)
        except (LookupError, ValueError) as error:
            raise BadRequestError("type doesn't exist") from error
        if not all(issubclass(model, TermPage) for model in models):
            raise BadRequestError("type must be a type of term")
        return models

    def paginate_queryset(self, queryset: Any) -> list[TermPage]:
        terms = list(super().paginate_queryset(queryset))
        load_for_reader(terms, self._visibility)
        return terms

    def get_object(self) -> TermPage:
        term = super().get_object()
        load_for_reader([term], self._visibility)
        return term

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {CONTEXT_KEY: self._visibility}

    @property
    def _visibility(self) -> Visibility:
        if not hasattr(self, "_cached_visibility"):
            self._cached_visibility = Visibility(
                self.request, public_pages=self.get_base_queryset
            )
        return self._cached_visibility


class CategoriesAPIViewSet(StrictParametersMixin, BaseAPIViewSet):
    """The categories of the terms that the reader may see on this site, each with
    ``term_count``: how many these are."""

    name = "categories"
    model = Category
    filter_backends: ClassVar = [
        filters.FieldsFilter,
        filters.LocaleFilter,
        filters.OrderingFilter,
        SearchFilter,
    ]
    body_fields: ClassVar = [
        *BaseAPIViewSet.body_fields,
        APIField("term_count", serializer=IntegerField(read_only=True)),
    ]
    listing_default_fields: ClassVar = [
        *BaseAPIViewSet.listing_default_fields,
        "slug",
        "name",
        "description",
        "term_count",
        "locale",
    ]
    known_query_parameters = BaseAPIViewSet.known_query_parameters | {"locale", "site"}
    column_fields = frozenset({"id", "slug", "name", "description", "locale"})

    def get_queryset(self) -> QuerySet[Category]:
        try:
            pages = get_public_pages_queryset(self.request)
        except ValueError as error:
            raise BadRequestError(str(error)) from error
        terms = TermPage.objects.filter(pk__in=pages.values("pk"))
        return (
            Category.objects.filter(pk__in=terms.values("category"))
            .select_related("locale")
            .with_term_count(terms)
            .order_by("sort_order", "name", "pk")
        )
