"""Typed values for ``api_fields``, the same in both of Wagtail's APIs.

Version 3 reads the annotation of ``to_representation`` for its OpenAPI document, and
gives a serializer neither a parent nor a request.
"""

from __future__ import annotations

from typing import Any

from rest_framework.fields import Field
from typing_extensions import TypedDict  # pydantic refuses typing's before 3.12

from .visibility import public_rich_text


class CategoryData(TypedDict):
    slug: str
    name: str


class RelatedTermData(TypedDict):
    id: int
    slug: str
    name: str
    url: str | None


class CategoryField(Field):
    def to_representation(self, value: Any) -> CategoryData:
        return {"slug": value.slug, "name": value.name}


class RelatedTermField(Field):
    """``url`` is None for as long as no one can read the term's page."""

    def to_representation(self, value: Any) -> RelatedTermData:
        return {"id": value.pk, **value.as_reference()}


class TagsField(Field):
    """The names of the tags, from rows that may have been prefetched."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="tagged_items", read_only=True, **kwargs)

    def to_representation(self, value: Any) -> list[str]:
        return sorted(item.tag.name for item in value.all())


class LocaleField(Field):
    def to_representation(self, value: Any) -> str:
        return value.language_code


class PublicRichTextField(Field):
    """Rich text without links to what is not public."""

    def to_representation(self, value: str) -> str:
        from wagtail.api.rich_text import APIRichText

        request = self.context.get("request") if self.parent else None
        wanted = request.GET.get("rich_text_format") if request else None
        return APIRichText.serialize(
            public_rich_text(value, self.context if self.parent else None),
            format=APIRichText.resolve_format(wanted),
        )
