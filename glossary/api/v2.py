"""Endpoints for Wagtail's API v2: ``terms`` and ``categories``.

They speak its grammar (``fields``, ``search``, ``order``, ``limit``, ``offset``) and
load a whole list in a fixed number of queries. Register them on the site's router::

    router.register_endpoint("terms", TermsAPIViewSet)
    router.register_endpoint("categories", CategoriesAPIViewSet)

Register ``terms`` before ``pages``, so that the addresses of terms lead here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.fields import Field, IntegerField
from rest_framework.filters import BaseFilterBackend
from wagtail.api import APIField
from wagtail.api.querysets import get_public_pages_queryset
from wagtail.api.rich_text import APIRichText
from wagtail.api.v2 import filters
from wagtail.api.v2.utils import (
    BadRequestError,
    get_object_detail_url,
    page_models_from_string,
)
from wagtail.api.v2.views import BaseAPIViewSet, PagesAPIViewSet

from ..delivery.documents import TermDocument
from ..delivery.loaders import load_terms
from ..delivery.scope import scope_for
from ..delivery.term_streams import PROSE
from ..models import Category, GlossaryPage, PublicTerm, TermPage, TermTag
from ..richtext import FEATURES
from ..visibility import Target, rewrite_links


# What every database can count to.
LARGEST_NUMBER = 2**31 - 1
# Wagtail reads fields(of(fields)), and joins the words of a search, by recursion.
MOST_BRACKETS = 20
MOST_WORDS = 50
# Each is a query within the query.
MOST_TAGS = 10


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
        names = dict.fromkeys(request.GET["tags"].split(","))
        if len(names) > MOST_TAGS:
            raise BadRequestError(f"tags takes at most {MOST_TAGS} tags")
        for name in names:
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


class DocumentField(Field):
    """A field of the term's document, which has been loaded with all others of its
    list."""

    def __init__(self, name: str, *, is_meta: bool = False) -> None:
        super().__init__(source="*", read_only=True)
        self._name, self._is_meta = name, is_meta

    def to_representation(self, value: TermPage) -> Any:
        document = self.context["documents"][value.pk]
        return (document["meta"] if self._is_meta else document)[self._name]


# The fields of a term that are read from its document.
DOCUMENT_FIELDS = frozenset(
    {
        "category",
        "tags",
        "explanation",
        "comparisons",
        "faq",
        "related_features",
        "related_terms",
        "labels",
    }
)
BACKLINKS_COUNT = APIField(
    "backlinks_count", serializer=DocumentField("backlinks_count")
)


class RouterLinks:
    """Addresses of details on a router of the API v2."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def term(self, pk: int) -> str:
        return self._detail(TermPage, pk)

    def glossary(self, pk: int) -> str:
        return self._detail(GlossaryPage, pk)

    def category(self, slug: str) -> str:
        raise NotImplementedError("categories have no documents here")

    def _detail(self, model: type, pk: int) -> str:
        router = self._request.wagtailapi_router
        return get_object_detail_url(router, self._request, model, pk) or ""


class TermsAPIViewSet(StrictParametersMixin, PagesAPIViewSet):
    """The terms that anyone may read on the site of the request."""

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
        *(name for name in PagesAPIViewSet.meta_fields if name != "alias_of"),
        *(
            APIField(name, serializer=DocumentField(name, is_meta=True))
            for name in (
                *("parent", "first_published_at", "last_published_at"),
                *("translation_key", "translations"),
            )
        ),
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
    order_fields = frozenset({"first_published_at", "last_published_at"})

    _documents: Mapping[int, TermDocument] = MappingProxyType({})

    @classmethod
    def get_body_fields(cls, model: type) -> list[APIField]:
        # What the model says of these fields is for the API v3.
        fields = [
            APIField(field.name, serializer=DocumentField(field.name))
            if field.name in DOCUMENT_FIELDS
            else field
            for field in super().get_body_fields(model)
        ]
        return [*fields, BACKLINKS_COUNT]

    def get_base_queryset(self) -> QuerySet[Any]:
        if not hasattr(self, "_base_queryset"):
            self._base_queryset = super().get_base_queryset()
        return self._base_queryset.all()

    def get_queryset(self) -> QuerySet[TermPage]:
        models = self._term_models()
        model = models[0] if len(models) == 1 else TermPage
        public = self.get_base_queryset().filter(pk__in=PublicTerm.objects.values("pk"))
        terms = model.objects.filter(pk__in=public.values("pk"))
        if len(models) > 1:
            terms = terms.type(*models)
        return terms.select_related("locale").defer_streamfields()

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
        self._load_documents(terms)
        # One may have been hidden since it was found.
        return [term for term in terms if term.pk in self._documents]

    def get_object(self) -> TermPage:
        term = super().get_object()
        self._load_documents([term])
        if term.pk not in self._documents:
            raise Http404("not found")
        return term

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {"documents": self._documents}

    def _load_documents(self, terms: list[TermPage]) -> None:
        scope = scope_for(self.request)
        wanted = self.resolve_rich_text_format()
        # Wagtail's Markdown with its own links is made from its HTML with those.
        is_database_markdown = wanted == APIRichText.FORMAT_DB_MARKDOWN
        documents = scope and load_terms(
            [term.pk for term in terms],
            scope,
            RouterLinks(self.request),
            rich_text="db_html" if is_database_markdown else wanted,
        )
        self._documents = {document["id"]: document for document in documents or ()}
        if is_database_markdown:
            for document in self._documents.values():
                for stream, name in PROSE.items():
                    for child in document[stream]:
                        html = rewrite_links(child["value"][name], _own_address)
                        child["value"][name] = APIRichText.serialize(
                            html, format=wanted, features=FEATURES
                        )


def _own_address(tag: str, target: Target) -> str:
    """As Wagtail's Markdown has it; it would look up each link by itself."""
    kind, pk = target
    return f'<a href="wagtail://{kind}?id={pk}">'


class CategoriesAPIViewSet(StrictParametersMixin, BaseAPIViewSet):
    """The categories of the terms that anyone may read on this site, each with
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
        terms = TermPage.objects.filter(
            pk__in=pages.values("pk"), public_term__isnull=False
        )
        return (
            Category.objects.filter(pk__in=terms.values("category"))
            .select_related("locale")
            .with_term_count(terms)
            .order_by("sort_order", "name", "pk")
        )
