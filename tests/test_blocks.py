from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import override_settings

from glossary import blocks, conf
from glossary.models import GlossaryPage, TermPage

from .factories import (
    comparison,
    feature,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)


@pytest.fixture
def glossary(db: None) -> GlossaryPage:
    return make_glossary("ai")


def test_section_kinds_are_extended_by_a_setting_without_a_migration(db: None) -> None:
    kinds = [("history", "History"), ("explanation", "What it is")]
    with override_settings(GLOSSARY_SECTION_KINDS=kinds):
        assert [kind for kind, _label in conf.section_kinds()] == [
            "explanation",
            "how_it_works",
            "in_chatbots",
            "history",
        ]
        assert conf.section_kind_label("explanation") == "What it is"
        kind = blocks.SectionBlock().child_blocks["kind"]
        assert kind.clean("history") == "history"
        call_command("makemigrations", "glossary", check=True, stdout=StringIO())
    with pytest.raises(ValidationError):
        blocks.SectionBlock().child_blocks["kind"].clean("history")


def test_a_kind_that_the_site_dropped_keeps_its_text() -> None:
    assert conf.section_kind_label("gone") == "gone"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("explanation", [section("")]),
        ("comparisons", [comparison("Token", "")]),
        ("comparisons", [comparison("", "<p>Differs.</p>")]),
        ("faq", [question("", "<p>Answer.</p>")]),
        ("faq", [question("Question?", "")]),
        ("related_features", [feature("")]),
    ],
)
def test_required_parts_are_required_to_publish(
    glossary: GlossaryPage, field: str, value: list[Any]
) -> None:
    term = make_term(glossary, live=False, **{field: value})
    with pytest.raises(ValidationError) as caught:
        term.clean_blocks()
    assert list(caught.value.error_dict) == [field]


def test_a_complete_term_is_fit_to_publish(glossary: GlossaryPage) -> None:
    token = make_related_term(glossary, "token")
    term = make_term(
        glossary,
        explanation=[section("<p>Text.</p>")],
        comparisons=[
            comparison("Token", "<p>Differs.</p>"),
            comparison("", "<p>Differs.</p>", token),
        ],
        faq=[question("Question?", "<p>Answer.</p>")],
        related_features=[feature("features/search")],
    )
    term.clean_blocks()


def test_block_ids_stay_over_revisions(glossary: GlossaryPage) -> None:
    term = make_term(glossary, faq=[question("Question?", "<p>Answer.</p>")])
    before = term.faq[0].id
    assert before
    term.title = "Another title"
    term.save_revision().publish()
    assert TermPage.objects.get().faq[0].id == before


@pytest.mark.parametrize(
    "block",
    [
        blocks.SectionBlock(),
        blocks.ComparisonBlock(),
        blocks.QuestionBlock(),
        blocks.FeatureBlock(),
    ],
    ids=lambda block: type(block).__name__,
)
def test_every_block_shows_itself_to_editors(block: Any) -> None:
    assert block.is_previewable
    assert str(block.label)
    assert str(block.get_description())
    assert block.meta.icon != "placeholder"
    assert set(block.meta.field_labels) == set(block.child_blocks)
    block.clean(block.get_preview_value())


def test_a_reference_in_a_comparison_is_in_the_reference_index(
    glossary: GlossaryPage,
) -> None:
    from wagtail.models import ReferenceIndex

    token = make_related_term(glossary, "token")
    term = make_term(glossary, comparisons=[comparison("T", "<p>D.</p>", token)])
    references = ReferenceIndex.get_references_to(token)
    assert {int(reference.object_id) for reference in references} == {term.pk}
