"""The StreamField blocks of a term.

Presentation (labels, icons, templates, previews) stands in each block's ``Meta``,
never in arguments, so that changing it makes no migration.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.rich_text import RichText
from wagtail.snippets.blocks import SnippetChooserBlock

from .conf import EXPLANATION, section_kind_label, section_kinds
from .richtext import FEATURES
from .visibility import Visibility, serialize_rich_text


class ProseBlock(blocks.RichTextBlock):
    """Rich text with the features that survive the way to Markdown and back."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("features", FEATURES)
        super().__init__(**kwargs)

    def get_api_representation(
        self, value: RichText, context: dict[str, Any] | None = None
    ) -> Any:
        # Wagtail resolves links to drafts and restricted pages as well.
        return serialize_rich_text(value.source, context, self.features)

    class Meta:
        icon = "pilcrow"


class RelatedTermChooserBlock(SnippetChooserBlock):
    """Chooses a related term of the glossary that the page stands in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("glossary.RelatedTerm", **kwargs)

    @cached_property
    def widget(self) -> Any:
        from .admin.choosers import RelatedTermChooserWidget

        return RelatedTermChooserWidget()

    def get_api_representation(
        self, value: Any, context: dict[str, Any] | None = None
    ) -> Any:
        return Visibility.for_context(context).reference(value)

    class Meta:
        icon = "link"


class TermStructBlock(blocks.StructBlock):
    """A StructBlock whose fields take their translatable labels from ``Meta``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in self.meta.field_labels.items():
            self.child_blocks[name].label = label

    class Meta:
        field_labels: ClassVar[dict[str, Any]] = {}
        preview_template = "glossary/blocks/preview.html"


class SectionBlock(TermStructBlock):
    """One section of a term: what it is, how it works, and so on."""

    kind = blocks.ChoiceBlock(choices=section_kinds, default=EXPLANATION)
    heading = blocks.CharBlock(required=False, max_length=255)
    body = ProseBlock()

    class Meta:
        icon = "doc-full"
        label = _("Section")
        label_format = "{heading}"
        description = _("A part of the text, with a kind and its own heading.")
        field_labels: ClassVar[dict[str, Any]] = {
            "kind": _("Kind"),
            "heading": _("Heading"),
            "body": _("Text"),
        }
        help_text = _(
            "The kind tells other programs what the section is about. Leave the "
            "heading empty to show the name of the kind."
        )
        template = "glossary/blocks/section.html"
        preview_value = {
            "kind": EXPLANATION,
            "heading": _("What an embedding is"),
            "body": "<p>An <b>embedding</b> turns a text into a list of numbers, so "
            "that texts with a similar meaning lie close together.</p>",
        }

    def get_context(
        self, value: Any, parent_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        context = super().get_context(value, parent_context=parent_context)
        context["heading"] = value.get("heading") or section_kind_label(
            value.get("kind")
        )
        return context


class ComparisonBlock(TermStructBlock):
    """Another concept, and how the term differs from it.

    The name is kept as it was written or imported, also when the related term that
    it was resolved to has another one.
    """

    related_term = RelatedTermChooserBlock(required=False)
    name = blocks.CharBlock(required=False, max_length=255)
    comparison = ProseBlock()

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        named = cleaned.get("name") or cleaned.get("related_term")
        if not named and not self.is_deferred_validation:
            raise blocks.StructBlockValidationError(
                block_errors={
                    "name": ValidationError(
                        _("Choose a related term or write the name of the concept.")
                    )
                }
            )
        return cleaned

    class Meta:
        icon = "resubmit"
        label = _("Comparison")
        label_format = "{name}"
        description = _("A concept that the term is taken for, and the difference.")
        field_labels: ClassVar[dict[str, Any]] = {
            "related_term": _("Related term"),
            "name": _("Name of the concept"),
            "comparison": _("How they differ"),
        }
        help_text = _(
            "Say what the two have in common and how to tell them apart, in one or "
            "two sentences."
        )
        template = "glossary/blocks/comparison.html"
        preview_value = {
            "name": _("Fine-tuning"),
            "comparison": "<p>Fine-tuning changes the model; retrieval changes what "
            "the model is given to read.</p>",
        }


class QuestionBlock(TermStructBlock):
    """A question that readers ask, and its answer."""

    question = blocks.CharBlock(max_length=500)
    answer = ProseBlock()

    class Meta:
        icon = "help"
        label = _("Question")
        label_format = "{question}"
        description = _("A question in the reader's words, with a short answer.")
        field_labels: ClassVar[dict[str, Any]] = {
            "question": _("Question"),
            "answer": _("Answer"),
        }
        help_text = _(
            "Write the question as a reader would ask it. The first sentence of the "
            "answer should answer it."
        )
        template = "glossary/blocks/question.html"
        preview_value = {
            "question": _("Is a token the same as a word?"),
            "answer": "<p>No. A long word is often several tokens, and a space can "
            "be part of one.</p>",
        }


class FeatureBlock(TermStructBlock):
    """A link to a feature of the product, given as a path or a full address."""

    path = blocks.CharBlock(max_length=2000)
    label = blocks.CharBlock(required=False, max_length=255)

    class Meta:
        icon = "cogs"
        label = _("Feature")
        label_format = "{path}"
        description = _("A page of the product that puts the term to use.")
        field_labels: ClassVar[dict[str, Any]] = {
            "path": _("Path or address"),
            "label": _("Text of the link"),
        }
        help_text = _(
            "A path such as features/search, read from the address in the glossary's "
            "settings, or a full https:// address."
        )
        template = "glossary/blocks/feature.html"
        preview_value = {"path": "features/search", "label": _("Search")}


class ExplanationBlock(blocks.StreamBlock):
    section = SectionBlock()


class ComparisonsBlock(blocks.StreamBlock):
    comparison = ComparisonBlock()


class QuestionsBlock(blocks.StreamBlock):
    question = QuestionBlock()


class FeaturesBlock(blocks.StreamBlock):
    feature = FeatureBlock()
