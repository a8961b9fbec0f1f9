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
from rest_framework.fields import IntegerField
from rest_framework.filters import BaseFilterBackend
from wagtail.api import APIField
from wagtail.api.querysets import get_public_pages_queryset
from wagtail.api.v2.filters import (
    FieldsFilter,
    LocaleFilter,
    OrderingFilter,
    SearchFilter,
)
from wagtail.api.v2.utils import BadRequestError
from wagtail.api.v2.views import BaseAPIViewSet, PagesAPIViewSet
from wagtail.models import Site

from ..delivery.references import load_references
from ..models import Category, TermPage
from ..serializers import LocaleField
from ..visibility import CONTEXT_KEY, Visibility


class CategoryFilter(BaseFilterBackend):
    """``?category=research``: the terms of one category, by its slug."""

    def filter_queryset(
        self, request: Any, queryset: QuerySet[TermPage], view: Any
    ) -> QuerySet[TermPage]:
        slug = request.GET.get("category")
        if slug is None:
            return queryset
        if "\x00" in slug:
            raise BadRequestError("null characters are not allowed for category")
        categories = Category.objects.filter(slug=slug)
        # By id, which search can filter by as well.
        return queryset.filter(category__in=list(categories))


class TermsAPIViewSet(PagesAPIViewSet):
    name = "terms"
    model = TermPage
    filter_backends: ClassVar = [
        CategoryFilter,
        *PagesAPIViewSet.filter_backends,
    ]
    known_query_parameters = PagesAPIViewSet.known_query_parameters | {"category"}
    # The original of an alias may be a page that no one may see.
    meta_fields: ClassVar = [
        name for name in PagesAPIViewSet.meta_fields if name != "alias_of"
    ]

    @classmethod
    def get_available_fields(cls, model: type, db_fields_only: bool = False) -> Any:
        fields = super().get_available_fields(model, db_fields_only=db_fields_only)
        if db_fields_only:
            # A category is filtered by its slug; see CategoryFilter.
            return [name for name in fields if name != "category"]
        return fields

    def get_queryset(self) -> QuerySet[TermPage]:
        queryset = super().get_queryset()
        if not issubclass(queryset.model, TermPage):
            raise BadRequestError("type must be a type of term")
        return queryset.select_related("category", "locale").prefetch_related(
            "related_terms", "labels", "tagged_items__tag"
        )

    def paginate_queryset(self, queryset: Any) -> list[TermPage]:
        terms = super().paginate_queryset(queryset)
        load_references(terms)
        self._visibility.load(text for term in terms for text in term.rich_texts())
        return terms

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {CONTEXT_KEY: self._visibility}

    @property
    def _visibility(self) -> Visibility:
        if not hasattr(self, "_cached_visibility"):
            self._cached_visibility = Visibility(Site.find_for_request(self.request))
        return self._cached_visibility


class CategoriesAPIViewSet(BaseAPIViewSet):
    """Categories with ``term_count``: how many terms anyone may see on this site."""

    name = "categories"
    model = Category
    filter_backends: ClassVar = [
        FieldsFilter,
        LocaleFilter,
        OrderingFilter,
        SearchFilter,
    ]
    body_fields: ClassVar = [
        *BaseAPIViewSet.body_fields,
        "slug",
        "name",
        "description",
        APIField("term_count", serializer=IntegerField(read_only=True)),
        APIField("locale", serializer=LocaleField()),
    ]
    listing_default_fields: ClassVar = [
        *BaseAPIViewSet.listing_default_fields,
        "slug",
        "name",
        "description",
        "term_count",
        "locale",
    ]
    known_query_parameters = BaseAPIViewSet.known_query_parameters | {"locale"}

    def get_queryset(self) -> QuerySet[Category]:
        visible = TermPage.objects.filter(
            pk__in=get_public_pages_queryset(self.request).values("pk")
        ).visible()
        return (
            Category.objects.select_related("locale")
            .with_term_count(visible)
            .order_by("sort_order", "name", "pk")
        )
