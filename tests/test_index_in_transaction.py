"""A term's search entry changes with the term, whenever Wagtail's tasks run."""

from __future__ import annotations

from typing import Any

import pytest
from modelsearch.conf import get_app_config

from glossary.models import GlossaryPage, TermLabel, TermPage

from .extension.models import CourseTermPage
from .factories import make_glossary, make_term


@pytest.fixture
def glossary(db: None) -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture(autouse=True)
def no_task_runs(settings: Any) -> None:
    settings.TASKS = {
        "default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}
    }


@pytest.fixture(params=[TermPage, CourseTermPage])
def term(request: Any, glossary: GlossaryPage) -> TermPage:
    return make_term(
        glossary, "a", model=request.param, labels=["Zed"], tags=["x"], live=True
    )


def found(text: str) -> list[int]:
    return [page.pk for page in TermPage.objects.search(text)]


def entries_of(term: TermPage) -> int:
    entries = get_app_config().get_model("IndexEntry").objects
    return entries.filter(object_id=str(term.pk)).count()


def test_what_is_published_is_found_and_no_draft(term: TermPage) -> None:
    assert found("zed") == [term.pk]
    term.short_definition = "Canary."
    revision = term.save_revision()
    assert found("canary") == []
    revision.publish()
    assert found("canary") == [term.pk]
    assert entries_of(term) == 1


def test_a_row_that_is_written_by_itself_is_found(term: TermPage) -> None:
    label = TermLabel.objects.create(term_id=term.pk, text="Oriole")
    assert found("oriole") == [term.pk]
    label.delete()
    assert found("oriole") == []


def test_saving_one_field_indexes_what_is_stored(term: TermPage) -> None:
    term.title, term.heading = "Wren", "Canary"
    term.save(update_fields=["title"])
    assert found("wren") == [term.pk]
    assert found("canary") == []


def test_nothing_is_left_of_a_deleted_term(
    glossary: GlossaryPage, term: TermPage
) -> None:
    other = make_term(glossary, "b")
    term.delete()
    assert entries_of(term) == 0
    GlossaryPage.objects.get(pk=glossary.pk).delete()
    assert entries_of(other) == 0
