"""Exact types of a term in the OpenAPI document of Wagtail's API v3.

What an anonymous client reads leaves out whatever is hidden from it. The holder of a
token reads a term as it is stored, so that what was read can be written back.
Everything that depends on the preview API's inner workings stands here.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from django.db.models import ManyToOneRel
from ninja import Schema
from pydantic import Field, create_model
from wagtail import hooks
from wagtail.admin.rich_text.converters.editor_html import WhitelistRule
from wagtail.api.v3.schemas.generators import read, write
from wagtail.blocks import StreamBlock
from wagtail.whitelist import allow_without_attributes

from ..blocks import (
    ComparisonsBlock,
    ExplanationBlock,
    FeaturesBlock,
    QuestionsBlock,
)
from ..conf import EXPLANATION
from ..delivery.references import load_for_reader
from ..fields import ProseField, TermStreamField
from ..models import TermLink, TermPage
from ..serializers import public_links
from ..visibility import (
    CONTEXT_KEY,
    TermReference,
    Visibility,
    serialize_rich_text,
)


Context: TypeAlias = dict[str, Any]
RichTextInput: TypeAlias = str | write.RichTextInputSchema

# All names of schemas begin with Term: those of other apps would silently replace
# schemas of the same name in the document.


class TermSectionSchema(Schema):
    kind: str
    heading: str
    body: str


class TermComparisonSchema(Schema):
    related_term: TermReference | None = Field(
        description="Null if none was chosen or it is hidden."
    )
    name: str
    comparison: str


class TermQuestionSchema(Schema):
    question: str
    answer: str


class TermFeatureSchema(Schema):
    path: str
    label: str


class TermLinkSchema(Schema):
    id: int | None = Field(description="Null for a link that only a draft has.")
    kind: Literal[tuple(TermLink.Kind.values)]  # type: ignore[valid-type]
    related_term: TermReference


class TermSectionInputSchema(Schema):
    kind: str = EXPLANATION
    heading: str = ""
    body: RichTextInput


class TermComparisonInputSchema(Schema):
    related_term: int | None = Field(None, description="The id of a related term.")
    name: str = ""
    comparison: RichTextInput


class TermQuestionInputSchema(Schema):
    question: str
    answer: RichTextInput


class TermFeatureInputSchema(Schema):
    path: str
    label: str = ""


def _child_schema(block_type: str, value: type[Schema], *, written: bool) -> Any:
    """The schema of one child of a stream: its type, value and id.

    An id is written only to keep that of a child that is there already.
    """
    return create_model(
        f"Term{block_type.title()}Block{'Input' if written else ''}Schema",
        __base__=Schema,
        type=(Literal[block_type], ...),  # type: ignore[valid-type]
        value=(value, ...),
        id=(str | None, None) if written else (str, ...),
    )


# The one block type of each stream, and its value as it is read and as it is written.
_STREAMS: dict[type[StreamBlock], tuple[str, type[Schema], type[Schema]]] = {
    ExplanationBlock: ("section", TermSectionSchema, TermSectionInputSchema),
    ComparisonsBlock: ("comparison", TermComparisonSchema, TermComparisonInputSchema),
    QuestionsBlock: ("question", TermQuestionSchema, TermQuestionInputSchema),
    FeaturesBlock: ("feature", TermFeatureSchema, TermFeatureInputSchema),
}
_READ = {
    block: _child_schema(block_type, value, written=False)
    for block, (block_type, value, _input) in _STREAMS.items()
}
_WRITE = {
    block: _child_schema(block_type, value, written=True)
    for block, (block_type, _output, value) in _STREAMS.items()
}


def _visibility(context: Context) -> Visibility:
    if CONTEXT_KEY not in context:
        request = context["request"]
        # The API v3 knows no users but the holders of tokens.
        has_token = request.user.is_authenticated
        context[CONTEXT_KEY] = Visibility(request, everything=has_token)
    return context[CONTEXT_KEY]


def _load(term: TermPage, context: Context) -> Visibility:
    visibility = _visibility(context)
    if context.get("glossary_term") is not term:
        load_for_reader([term], visibility)
        context["glossary_term"] = term
    return visibility


def _read_stream(generator: Any, field: TermStreamField) -> tuple[Any, Any, Any]:
    child = _READ.get(type(field.stream_block))
    if child is None:  # a site's own
        return read.streamfield_schema(generator, field)

    def resolve(obj: TermPage, context: Context) -> Any:
        _load(obj, context)
        value = getattr(obj, field.name)
        return value.stream_block.get_api_representation(value, context)

    return list[child], [], staticmethod(resolve)  # type: ignore[valid-type]


def _read_relation(generator: Any, relation: ManyToOneRel) -> tuple[Any, Any, Any]:
    if relation.related_model is not TermLink:  # another model's, of any app
        return read.reverse_related_schema(generator, relation)

    def resolve(obj: TermPage, context: Context) -> Any:
        return public_links(obj.related_terms.all(), _load(obj, context))

    return list[TermLinkSchema], [], staticmethod(resolve)


def _read_prose(generator: Any, field: ProseField) -> tuple[Any, Any, Any]:
    annotation, default, _resolver = read.rich_text_schema(generator, field)

    def resolve(obj: Any, context: Context) -> Any:
        _visibility(context)
        value = getattr(obj, field.name)
        return serialize_rich_text(value, context, field.features)

    return annotation, default, staticmethod(resolve)


def _write_stream(generator: Any, field: TermStreamField) -> tuple[Any, Any]:
    child = _WRITE.get(type(field.stream_block))
    if child is None:  # a site's own
        return write.streamfield_schema(generator, field)
    return list[child], []  # type: ignore[valid-type]


def _keep_features(features: Any) -> None:
    """Wagtail's own rules for what a client writes lack these, and would strip them."""
    for name, element in {
        "blockquote": "blockquote",
        "code": "code",
        "strikethrough": "s",
        "subscript": "sub",
        "superscript": "sup",
    }.items():
        rule = WhitelistRule(element, allow_without_attributes)
        features.register_converter_rule("editorhtml", name, [rule])


def register_field_schemas() -> None:
    """Must run before Wagtail builds its schemas, which ``wagtail.snippets`` sets off
    when it is made ready: check ``glossary.E002``."""
    # First, so that any other rule for the same features replaces these.
    hooks.register("register_rich_text_features", _keep_features, order=-1)
    read.read_generator.register_field_schema(TermStreamField, _read_stream)
    read.read_generator.register_field_schema(ManyToOneRel, _read_relation)
    read.read_generator.register_field_schema(ProseField, _read_prose)
    for generator in (write.create_generator, write.patch_generator):
        generator.register_field_schema(TermStreamField, _write_stream)
