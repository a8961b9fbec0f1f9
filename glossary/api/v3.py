"""Exact types of a term's StreamFields in the OpenAPI document of Wagtail's API v3.

The rest of a term is typed by ``glossary.serializers``. Everything that depends on
the preview API's inner workings stands here.
"""

from __future__ import annotations

from typing import Any, Literal

from ninja import Schema
from pydantic import Field, create_model
from wagtail.api.v3.schemas.generators import (
    create_generator,
    patch_generator,
    read_generator,
)
from wagtail.api.v3.schemas.generators.write import RichTextInputSchema

from ..fields import TermStreamField


class TermReferenceSchema(Schema):
    slug: str
    name: str
    url: str | None = Field(description="Null while no one can read the term's page.")


class SectionSchema(Schema):
    kind: str
    heading: str
    body: str


class ComparisonSchema(Schema):
    related_term: TermReferenceSchema | None
    name: str
    comparison: str


class QuestionSchema(Schema):
    question: str
    answer: str


class FeatureSchema(Schema):
    path: str
    label: str


class SectionInputSchema(Schema):
    kind: str = "explanation"
    heading: str = ""
    body: str | RichTextInputSchema


class ComparisonInputSchema(Schema):
    related_term: int | None = Field(None, description="The id of a related term.")
    name: str = ""
    comparison: str | RichTextInputSchema


class QuestionInputSchema(Schema):
    question: str
    answer: str | RichTextInputSchema


class FeatureInputSchema(Schema):
    path: str
    label: str = ""


def _child_schema(block_type: str, value: type[Schema], *, written: bool) -> Any:
    """The schema of one child of a stream: its type, value and id.

    An id is written only to keep that of a child that is there already.
    """
    return create_model(
        f"{block_type.title()}{'Input' if written else ''}BlockSchema",
        __base__=Schema,
        type=(Literal[block_type], ...),  # type: ignore[valid-type]
        value=(value, ...),
        id=(str | None, None) if written else (str, ...),
    )


# The one block type of each field, and its value as it is read and as it is written.
_BLOCKS: dict[str, tuple[str, type[Schema], type[Schema]]] = {
    "explanation": ("section", SectionSchema, SectionInputSchema),
    "comparisons": ("comparison", ComparisonSchema, ComparisonInputSchema),
    "faq": ("question", QuestionSchema, QuestionInputSchema),
    "related_features": ("feature", FeatureSchema, FeatureInputSchema),
}
_READ = {
    name: _child_schema(block_type, read, written=False)
    for name, (block_type, read, _written) in _BLOCKS.items()
}
_WRITE = {
    name: _child_schema(block_type, write, written=True)
    for name, (block_type, _read, write) in _BLOCKS.items()
}


def _read_schema(generator: Any, field: TermStreamField) -> tuple[Any, Any, Any]:
    name = field.name

    def resolve(obj: Any, context: dict[str, Any]) -> Any:
        value = getattr(obj, name)
        return value.stream_block.get_api_representation(value, context)

    return list[_READ[name]], [], staticmethod(resolve)  # type: ignore[misc]


def _write_schema(generator: Any, field: TermStreamField) -> tuple[Any, Any]:
    return list[_WRITE[field.name]], []  # type: ignore[misc]


def register_field_schemas() -> None:
    """Must run before Wagtail builds its schemas, which ``wagtail.snippets`` sets off
    when it is made ready: check ``glossary.E002``."""
    read_generator.register_field_schema(TermStreamField, _read_schema)
    create_generator.register_field_schema(TermStreamField, _write_schema)
    patch_generator.register_field_schema(TermStreamField, _write_schema)
