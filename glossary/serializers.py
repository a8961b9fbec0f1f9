"""How Wagtail's API v2 reads what its own serializers would read too slowly, or
without asking who may see it.

Version 3 takes a serializer's type from the annotation of ``to_representation``, but
gives it neither a parent nor a request: only ``CategoryField`` serves both.
"""

from __future__ import annotations

from typing import Any

from rest_framework.fields import Field
from typing_extensions import TypedDict  # pydantic refuses typing's before 3.12

from .visibility import TermReference, Visibility, serialize_rich_text


class CategoryReference(TypedDict):
    slug: str
    name: str


class TermLinkData(TypedDict):
    """A link to a related term; ``kind`` is a value of ``TermLink.Kind``, and ``id``
    is None for one that only a draft has."""

    id: int | None
    kind: str
    related_term: TermReference


class CategoryField(Field):
    def to_representation(self, value: Any) -> CategoryReference:
        return {"slug": value.slug, "name": value.name}


class LocaleField(Field):
    def to_representation(self, value: Any) -> str:
        return value.language_code


class TagsField(Field):
    """The names of the tags, from rows that may have been prefetched."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="tagged_items", **kwargs)

    def to_representation(self, value: Any) -> list[str]:
        return sorted(item.tag.name for item in value.all())


class LinksField(Field):
    """The links of a term, without those to a term that is hidden from the reader."""

    def to_representation(self, value: Any) -> list[TermLinkData]:
        return public_links(value.all(), Visibility.for_context(self.context))


class PublicRichTextField(Field):
    """Rich text without links to what is hidden from the reader."""

    def __init__(self, *, features: list[str], **kwargs: Any) -> None:
        self.features = features
        super().__init__(**kwargs)

    def to_representation(self, value: str) -> str:
        return serialize_rich_text(value, self.context, self.features)


def public_links(links: Any, visibility: Visibility) -> list[TermLinkData]:
    """The links as data, for one who may not see all of them."""
    links = list(links)
    visibility.load(
        [], pages=[pk for link in links if (pk := link.related_term.page_id)]
    )
    shown = []
    for link in links:
        if reference := visibility.reference(link.related_term):
            shown.append({"id": link.pk, "kind": link.kind, "related_term": reference})
    return shown
