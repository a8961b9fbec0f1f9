"""Proposals of imports, taken and turned down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from wagtail.admin.models import EditingSession
from wagtail.models import PageLogEntry, Workflow, WorkflowPage

from glossary.content import page_content
from glossary.importing.obstacles import BEING_EDITED, pages_type
from glossary.importing.options import OnConflict, Options
from glossary.importing.proposals import ProposalError, keep, latest_page, take
from glossary.importing.run import Import
from glossary.importing.staging import Staging
from glossary.importing.undo import Undo
from glossary.importing.writing import Surroundings, write_content
from glossary.models import GlossaryPage, ImportRecord, TermPage
from glossary.payload.sources import SourceRecord

from .factories import make_glossary
from .test_admin_imports import record, rights


pytestmark = [pytest.mark.django_db, pytest.mark.slow]

FAQ = [
    {"question": "One?", "answer": "First."},
    {"question": "Two?", "answer": "Second."},
]
OURS = [{"question": "One?", "answer": "Ours."}, FAQ[1]]
THEIRS = [{"question": "One?", "answer": "Theirs."}, FAQ[1]]
NEW = {"question": "New?", "answer": "From there."}


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def user() -> User:
    return User.objects.create_superuser("chief", first_name="Chief")


@pytest.fixture
def run(glossary: GlossaryPage) -> Callable[..., dict[str, int]]:
    """Return a function that imports records; it returns the counts."""

    def run(*records: dict[str, Any]) -> dict[str, int]:
        with Staging() as staging:
            found = (SourceRecord("terms.json", None, each) for each in records)
            for _count in staging.add(found):
                pass
            work = Import(staging, glossary, Options(on_conflict=OnConflict.DRAFT))
            work.apply()
        return work.counts.as_json()

    return run


def edit(page: TermPage, *, publish: bool = True, **content: Any) -> None:
    page = latest_page(ImportRecord.objects.get(page=page.pk))
    write_content(page, content, Surroundings())
    revision = page.save_revision()
    if publish:
        revision.publish()


@pytest.fixture
def proposal(run: Callable[..., Any]) -> ImportRecord:
    """A proposal for a text, and one for a question among others."""
    run(record("token", faq=FAQ))
    edit(TermPage.objects.get(), short_definition="Ours.", faq=OURS)
    run(record("token", shortDefinition="Theirs.", faq=[*THEIRS, NEW]))
    known = ImportRecord.objects.get()
    assert set(known.proposal) == {"short_definition", "faq"}
    return known


def content(name: str) -> Any:
    return page_content(TermPage.objects.get(), fields=[name])[name]


def entries() -> list[str]:
    return list(PageLogEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_text_is_taken_and_published(proposal, user):
    take(proposal, "short_definition", user)
    page = TermPage.objects.get()
    assert page.short_definition == "Theirs."
    assert not page.has_unpublished_changes
    assert page.latest_revision.user == user
    assert set(proposal.proposal) == {"faq"}
    assert "glossary.take_proposal" in entries()
    assert entries()[-1] == "wagtail.publish"


def test_what_was_taken_is_what_the_next_import_finds(proposal, user, run):
    take(proposal, "short_definition", user)
    take(proposal, "faq", user)
    assert content("faq") == [*THEIRS, NEW]
    again = record("token", shortDefinition="Theirs.", faq=[*THEIRS, NEW])
    assert run(again) == {"unchanged": 1}
    assert ImportRecord.objects.get().proposal == {}
    changed = record("token", shortDefinition="Theirs later.", faq=[*THEIRS, NEW])
    run(changed)
    assert content("short_definition") == "Theirs later."


def test_what_was_kept_is_not_proposed_again(proposal, user, run):
    before = TermPage.objects.get().latest_revision_id
    keep(proposal, "short_definition", user)
    keep(proposal, "faq", user)
    page = TermPage.objects.get()
    assert page.latest_revision_id == before
    assert entries()[-2:] == ["glossary.keep_proposal"] * 2
    again = record("token", shortDefinition="Theirs.", faq=[*THEIRS, NEW])
    assert run(again) == {"unchanged": 1}
    assert content("short_definition") == "Ours."
    assert content("faq")[0] == OURS[0]


def test_what_was_kept_is_proposed_anew_when_the_source_changes(proposal, user, run):
    keep(proposal, "short_definition", user)
    run(record("token", shortDefinition="Theirs later.", faq=[*THEIRS, NEW]))
    known = ImportRecord.objects.get()
    assert known.proposal["short_definition"] == "Theirs later."


@pytest.mark.parametrize("decide", [take, keep])
def test_questions_of_ours_are_never_lost(proposal, user, run, decide):
    mine = {"question": "Mine?", "answer": "Added since."}
    edit(TermPage.objects.get(), faq=[*content("faq"), mine])
    decide(proposal, "faq", user)
    assert mine in content("faq")
    run(record("token", shortDefinition="Theirs.", faq=[*THEIRS, NEW]))
    assert mine in content("faq")


def test_an_undone_import_is_not_what_a_proposal_is_held_against(proposal, user, run):
    known = proposal.run
    later = [*THEIRS, NEW, {"question": "Later?", "answer": "Then."}]
    run(record("token", shortDefinition="Theirs.", faq=later))
    proposal.refresh_from_db()
    Undo(proposal.run, user).apply()
    proposal.refresh_from_db()
    assert known != proposal.run
    assert set(proposal.proposal) == {"short_definition", "faq"}
    keep(proposal, "faq", user)
    run(record("token", shortDefinition="Theirs.", faq=[*THEIRS, NEW]))
    assert "faq" not in ImportRecord.objects.get().proposal


# Drafts and rights


def test_a_draft_is_gone_on_from_and_not_published(proposal, user):
    edit(TermPage.objects.get(), publish=False, heading="A heading in a draft")
    take(proposal, "short_definition", user)
    page = TermPage.objects.get()
    assert page.short_definition == "Ours."
    latest = page.get_latest_revision_as_object()
    assert latest.short_definition == "Theirs."
    assert latest.heading == "A heading in a draft"


def test_who_may_not_publish_saves_a_draft(proposal, glossary):
    editor = User.objects.create_user("editor")
    editor.groups.add(rights((glossary, "change")))
    take(proposal, "short_definition", editor)
    page = TermPage.objects.get()
    assert page.short_definition == "Ours."
    assert page.get_latest_revision_as_object().short_definition == "Theirs."


def test_a_term_that_is_no_longer_live_stays_so(proposal, user):
    TermPage.objects.get().unpublish()
    take(proposal, "short_definition", user)
    assert not TermPage.objects.get().live


@pytest.mark.parametrize("decide", [take, keep])
def test_who_may_not_edit_decides_nothing(proposal, decide):
    nobody = User.objects.create_user("nobody")
    assert "You may not edit" in refused(proposal, decide, nobody)


# What stands in the way


def refused(proposal: ImportRecord, decide: Any, user: User) -> str:
    """Why a decision is refused; and that it changes nothing."""
    before = ImportRecord.objects.values().get()
    page = TermPage.objects.values("latest_revision", "short_definition").get()
    with pytest.raises(ProposalError) as error:
        decide(proposal, "short_definition", user)
    assert ImportRecord.objects.values().get() == before
    assert TermPage.objects.values("latest_revision", "short_definition").get() == page
    return str(error.value)


@pytest.mark.parametrize("decide", [take, keep])
def test_a_locked_page_is_left_alone(proposal, user, decide):
    TermPage.objects.update(locked=True, locked_at=timezone.now())
    assert "locked" in refused(proposal, decide, user)


def test_a_page_in_a_workflow_is_left_alone(proposal, user):
    page = TermPage.objects.get()
    workflow = Workflow.objects.first() or Workflow.objects.create(name="Review")
    WorkflowPage.objects.update_or_create(page=page, defaults={"workflow": workflow})
    page.save_revision()
    workflow.start(page, user)
    assert "workflow" in refused(proposal, take, user)


def open_editor(page: TermPage, user: User) -> None:
    EditingSession.objects.create(
        user=user,
        content_type=pages_type([page]),
        object_id=page.pk,
        last_seen_at=timezone.now(),
    )


def test_a_page_that_someone_else_edits_is_left_alone(proposal, user):
    other = User.objects.create_user("other")
    open_editor(TermPage.objects.get(), other)
    open_editor(TermPage.objects.get(), user)
    assert refused(proposal, take, user) == str(BEING_EDITED)


def test_the_editor_that_one_comes_from_is_in_nobodys_way(proposal, user):
    open_editor(TermPage.objects.get(), user)
    take(proposal, "short_definition", user)
    assert TermPage.objects.get().short_definition == "Theirs."


@pytest.mark.parametrize("decide", [take, keep])
def test_what_is_decided_is_decided_once(proposal, user, decide):
    stale = ImportRecord.objects.get()
    keep(proposal, "short_definition", user)
    assert "no longer proposed" in refused(stale, decide, user)


def test_a_live_term_does_not_lose_its_definition(proposal, user):
    proposal.proposal = {"short_definition": ""}
    proposal.save()
    assert "short definition" in refused(proposal, take, user)


def test_labels_that_no_editor_could_save_are_refused(run, user, glossary):
    label = {"text": "T", "kind": "synonym", "case_rule": "any"}
    run(record("token"))
    known = ImportRecord.objects.get()
    known.proposal = {
        "short_definition": "Theirs.",
        "labels": [label | {"text": "Token"}],
    }
    known.save()
    before = TermPage.objects.get().latest_revision_id
    with pytest.raises(ProposalError):
        take(known, "labels", user)
    assert TermPage.objects.get().latest_revision_id == before
