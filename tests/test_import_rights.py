"""An import does what the user may do for whom it runs, and says who it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from wagtail.models import (
    GroupApprovalTask,
    GroupPagePermission,
    PageLogEntry,
    Revision,
    Workflow,
    WorkflowPage,
    WorkflowState,
    WorkflowTask,
)

from glossary.models import GlossaryPage, ImportRun, TermPage

from .factories import make_glossary, make_term
from .payloads import outcomes, record, results, run, write


pytestmark = [pytest.mark.django_db, pytest.mark.slow]

EDITOR = ("add", "change")
MODERATOR = ("add", "change", "publish")


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


def make_user(name: str, page: GlossaryPage, *permissions: str) -> Any:
    """A user who may do this in one part of the tree."""
    group = Group.objects.create(name=name)
    for permission in permissions:
        GroupPagePermission.objects.create(
            group=group, page_id=page.pk, permission_type=permission
        )
    user = get_user_model().objects.create_user(name, password="-")
    user.groups.add(group)
    return user


@pytest.fixture
def editor(glossary: GlossaryPage) -> Any:
    return make_user("editor", glossary, *EDITOR)


@pytest.fixture
def moderator(glossary: GlossaryPage) -> Any:
    return make_user("moderator", glossary, *MODERATOR)


@pytest.fixture
def workflow(glossary: GlossaryPage, moderator: Any) -> Workflow:
    workflow = Workflow.objects.create(name="Review")
    task = GroupApprovalTask.objects.create(name="Read")
    task.groups.add(*moderator.groups.all())
    WorkflowTask.objects.create(workflow=workflow, task=task)
    WorkflowPage.objects.create(workflow=workflow, page_id=glossary.pk)
    return workflow


@pytest.fixture
def no_workflow() -> None:
    WorkflowPage.objects.all().delete()


def get(slug: str = "token") -> TermPage:
    return TermPage.objects.get(slug=slug).specific


def test_who_may_not_publish_imports_drafts_that_enter_the_workflow(
    glossary: GlossaryPage,
    editor: Any,
    moderator: Any,
    workflow: Workflow,
    tmp_path: Path,
) -> None:
    path = write(tmp_path, record(), record("other"))
    assert set(outcomes(path, user="editor").values()) == {"create"}
    assert not TermPage.objects.live().exists()
    for term in TermPage.objects.all():
        state = term.current_workflow_state
        assert state.status == WorkflowState.STATUS_IN_PROGRESS
        assert (state.workflow, state.requested_by) == (workflow, editor)
        assert state.current_task_state.revision == term.latest_revision
        task = state.current_task_state.task.specific
        assert "approve" in {name for name, *_ in task.get_actions(term, moderator)}
        assert not task.get_actions(term, editor)

    # It is blocked until someone has decided, and then goes on.
    changed = write(tmp_path, record(h1="New"), record("other"))
    assert outcomes(changed, user="editor", status=1)["token"] == "blocked"
    term = get()
    state = term.current_workflow_state
    state.current_task_state.approve(user=moderator)
    term = get()
    assert term.live
    assert term.heading == "What is token?"
    assert outcomes(changed, user="editor")["token"] == "update"
    term = get()
    assert (term.live, term.heading) == (True, "What is token?")
    assert term.get_latest_revision_as_object().heading == "New"
    assert term.workflow_in_progress


def test_drafts_of_a_draft_import_enter_no_workflow(
    glossary: GlossaryPage, editor: Any, workflow: Workflow, tmp_path: Path
) -> None:
    run(write(tmp_path, record()), user="editor", draft=True)
    assert not get().live
    assert not WorkflowState.objects.exists()


@pytest.mark.usefixtures("no_workflow")
def test_without_a_workflow_they_are_drafts(
    glossary: GlossaryPage, editor: Any, tmp_path: Path
) -> None:
    path = write(tmp_path, record())
    assert outcomes(path, user="editor") == {"token": "create"}
    assert not get().live
    assert outcomes(path, user="editor") == {"token": "unchanged"}


def test_what_a_moderator_has_published_is_changed_by_an_editor_as_a_draft(
    glossary: GlossaryPage,
    editor: Any,
    moderator: Any,
    workflow: Workflow,
    tmp_path: Path,
) -> None:
    assert outcomes(write(tmp_path, record()), user="moderator") == {"token": "create"}
    assert get().live
    assert not WorkflowState.objects.exists()
    path = write(tmp_path, record(h1="New"))
    assert outcomes(path, user="editor") == {"token": "update"}
    term = get()
    assert (term.live, term.heading) == (True, "What is token?")
    assert term.workflow_in_progress


def test_who_may_publish_publishes(
    glossary: GlossaryPage, moderator: Any, tmp_path: Path
) -> None:
    run(write(tmp_path, record()), user="moderator")
    run(write(tmp_path, record(h1="New")), user="moderator")
    term = get()
    assert (term.live, term.heading) == (True, "New")
    assert not term.has_unpublished_changes


def test_an_unfinished_term_may_be_a_draft_of_an_editor(
    glossary: GlossaryPage, editor: Any, moderator: Any, tmp_path: Path
) -> None:
    path = write(tmp_path, record(shortDefinition=""))
    assert outcomes(path, user="moderator", status=1) == {"token": "invalid"}
    assert outcomes(path, user="editor") == {"token": "create"}
    assert not get().live


@pytest.mark.parametrize("permissions", [(), ("change",), ("publish",), ("lock",)])
def test_who_may_not_add_makes_nothing(
    glossary: GlossaryPage, permissions: tuple[str, ...], tmp_path: Path
) -> None:
    make_user("someone", glossary, *permissions)
    path = write(tmp_path, record())
    for options in ({"dry_run": True}, {}, {"draft": True}):
        found = results(run(path, user="someone", json=True, status=1, **options))
        assert found["token"]["outcome"] == "blocked"
        [remark] = found["token"]["remarks"]
        assert remark["message"] == "You may not add terms to this glossary."
    assert not TermPage.objects.exists()


def test_who_may_not_edit_changes_nothing(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record()))
    make_user("someone", glossary)
    path = write(tmp_path, record(h1="New"))
    before = get().latest_revision_id
    found = results(run(path, user="someone", json=True, status=1))
    assert found["token"]["outcome"] == "blocked"
    assert found["token"]["remarks"][0]["message"] == "You may not edit this page."
    assert get().latest_revision_id == before
    assert outcomes(path) == {"token": "update"}  # the next run takes it up


def test_who_may_not_edit_settles_no_conflict(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record()))
    term = get()
    term.heading = "Ours"
    term.save_revision().publish()
    make_user("someone", glossary)
    path = write(tmp_path, record(h1="Theirs"))
    for policy in ("ours", "draft", "theirs"):
        run(path, user="someone", on_conflict=policy, status=1)
        assert get().import_records.get().proposal == {}
        assert get().heading == "Ours"
    # The conflict is still there.
    assert outcomes(path, status=1) == {"token": "conflict"}


def test_who_adds_but_edits_only_own_pages_leaves_those_of_others(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    make_user("author", glossary, "add")
    run(write(tmp_path, record()))
    path = write(tmp_path, record(h1="New"), record("mine"))
    assert outcomes(path, user="author", status=1) == {
        "token": "blocked",
        "mine": "create",
    }
    path = write(tmp_path, record(h1="New"), record("mine", h1="New"))
    WorkflowState.objects.all().delete()
    assert outcomes(path, user="author", status=1) == {
        "token": "blocked",
        "mine": "update",
    }


def test_rights_in_another_section_are_none_here(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    other = make_glossary("other")
    make_user("neighbour", other, *MODERATOR)
    path = write(tmp_path, record())
    assert outcomes(path, user="neighbour", status=1) == {"token": "blocked"}
    assert outcomes(path, user="neighbour", glossary="other") == {"token": "create"}


def test_a_term_that_was_moved_is_written_with_the_rights_there(
    glossary: GlossaryPage, moderator: Any, tmp_path: Path
) -> None:
    other = make_glossary("other")
    run(write(tmp_path, record()))
    get().move(other, pos="last-child")
    path = write(tmp_path, record(h1="New"))
    assert outcomes(path, user="moderator", status=1) == {"token": "blocked"}
    assert get().heading == "What is token?"


def test_adopting_needs_the_right_to_edit(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    make_term(glossary, "token", title="Token", short_definition="What token means.")
    make_user("author", glossary, "add")
    path = write(tmp_path, record())
    assert outcomes(path, user="author", adopt=True, status=1) == {"token": "blocked"}
    assert get().heading == ""


def test_who_may_not_publish_unpublishes_no_orphan(
    glossary: GlossaryPage, editor: Any, moderator: Any, tmp_path: Path
) -> None:
    run(write(tmp_path, record(), record("gone")))
    path = write(tmp_path, record())
    options = {"orphans": "unpublish", "yes": True, "orphan_limit": 50}
    printed = run(path, user="editor", **options)
    assert "You may not unpublish it." in printed
    assert get("gone").live
    run(path, user="moderator", **options)
    assert not get("gone").live


@pytest.mark.parametrize("name", ["nobody", "retired"])
def test_there_is_no_such_user(
    glossary: GlossaryPage, tmp_path: Path, name: str
) -> None:
    get_user_model().objects.create_user("retired", is_active=False, is_superuser=True)
    printed = run(write(tmp_path, record()), user=name, status=2)
    assert f"There is no active user “{name}”." in printed
    assert not TermPage.objects.exists()
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("name", ["moderator", None])
def test_log_and_revisions_name_who_it_was(
    glossary: GlossaryPage, moderator: Any, tmp_path: Path, name: str | None
) -> None:
    user = moderator if name else None
    run(write(tmp_path, record(), record("gone")), user=name)
    run(write(tmp_path, record(term="Renamed"), record("gone")), user=name)
    run(
        write(tmp_path, record(term="Renamed")),
        user=name,
        orphans="unpublish",
        orphan_limit=50,
        yes=True,
    )
    run(undo=ImportRun.objects.latest("pk").pk, user=name)
    assert {found.user for found in ImportRun.objects.all()} == {user}
    terms = TermPage.objects.all()
    assert {term.owner for term in terms} == {user}
    assert {revision.user for revision in Revision.objects.for_instance(get())} == {
        user
    }
    entries = PageLogEntry.objects.filter(page__in=terms.values("pk"))
    assert {entry.user for entry in entries} == {user}
    assert {entry.action for entry in entries} >= {
        *("wagtail.create", "wagtail.publish", "wagtail.rename", "wagtail.unpublish"),
        *("glossary.import_create", "glossary.import_update"),
        *("glossary.import_unpublish", "glossary.import_undo"),
    }
    who = "moderator" if name else "the system"
    assert ImportRun.objects.latest("pk").who == who
