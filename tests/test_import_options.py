"""Each option of the import, and each outcome of a term."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone
from wagtail.admin.models import EditingSession
from wagtail.models import PageLogEntry, Revision, Task, Workflow, WorkflowTask

from glossary.importing.options import Options
from glossary.importing.run import Import
from glossary.importing.staging import Staging
from glossary.models import (
    Category,
    GlossaryPage,
    ImportItem,
    ImportPayload,
    ImportRecord,
    ImportRun,
    ImportSource,
    RelatedTerm,
    TermLabel,
    TermLink,
    TermPage,
)
from glossary.payload.sources import read_sources

from .extension.models import CoursePage, CourseTermPage
from .factories import home_page, make_glossary, make_term
from .payloads import outcomes, record, results, run, write


pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


def get(slug: str = "token") -> TermPage:
    return TermPage.objects.get(slug=slug).specific


def latest(slug: str = "token") -> TermPage:
    return get(slug).get_latest_revision_as_object()


def written() -> tuple[Any, ...]:
    """Everything that an import writes but for the runs themselves."""
    records = ImportRecord.objects.order_by("pk").values()
    return (
        *(
            list(model.objects.order_by("pk").values())
            for model in (TermPage, RelatedTerm, Category, TermLink, TermLabel)
        ),
        [{**each, "updated_at": None, "run_id": None} for each in records],
        Revision.objects.count(),
        PageLogEntry.objects.count(),
    )


def last_run() -> ImportRun:
    return ImportRun.objects.order_by("pk").last()


def counts_add_up(expected: int) -> None:
    found = last_run()
    records = sum(n for name, n in found.counts.items() if name != "orphan")
    assert records == found.total == expected


def save(term: TermPage, *, publish: bool = True, **fields: Any) -> TermPage:
    """Save a term as an editor does."""
    for name, value in fields.items():
        setattr(term, name, value)
    revision = term.save_revision()
    if publish:
        revision.publish()
    return get(term.slug)


# Outcomes


def test_every_outcome(glossary: GlossaryPage, tmp_path: Path) -> None:
    first = [record(slug) for slug in ("same", "mine", "theirs", "both", "lock", "off")]
    run(write(tmp_path, *first))
    save(get("mine"), heading="An editor's")
    save(get("both"), heading="An editor's")
    TermPage.objects.filter(slug="lock").update(locked=True)
    make_term(glossary, "hand", short_definition="By hand.")
    make_term(glossary, "refused", short_definition="By hand.")
    path = write(
        tmp_path,
        record("same"),
        record("mine", shortDefinition="New."),
        record("theirs", shortDefinition="New."),
        record("both", h1="New."),
        record("lock", h1="New."),
        record("new"),
        record("hand"),
        record("bad", faq="no list"),
    )
    expected = {
        "same": "unchanged",
        "mine": "merge",
        "theirs": "update",
        "both": "conflict",
        "lock": "blocked",
        "new": "create",
        "hand": "conflict",
        "bad": "invalid",
        "off": "orphan",
    }
    assert outcomes(path, dry_run=True, status=1) == expected
    assert outcomes(path, dry_run=True, status=1, adopt=True)["hand"] == "conflict"
    assert outcomes(path, status=1) == expected
    counts_add_up(8)
    found = last_run()
    assert found.counts["orphan"] == 1
    items = dict(found.items.values_list("key", "outcome"))
    assert items == {key: found for key, found in expected.items() if key != "same"}


def test_a_page_made_by_hand_is_adopted_when_told_so(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    make_term(glossary, "token", title="Token", short_definition="What token means.")
    path = write(tmp_path, record())
    assert outcomes(path, status=1) == {"token": "conflict"}
    assert not ImportRecord.objects.exists()
    assert outcomes(path, adopt=True) == {"token": "adopt"}
    assert get().heading == "What is token?"
    assert outcomes(path) == {"token": "unchanged"}
    assert outcomes(write(tmp_path, record(h1="New"))) == {"token": "merge"}


def test_a_term_that_says_the_same_is_adopted_without_a_word_written(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, record())
    run(path)
    ImportRecord.objects.all().delete()
    before = (TermPage.objects.values().get(), Revision.objects.count())
    assert outcomes(path, adopt=True) == {"token": "adopt"}
    assert before == (TermPage.objects.values().get(), Revision.objects.count())
    assert outcomes(path) == {"token": "unchanged"}


# Conflicts


def conflict(tmp_path: Path) -> Path:
    """Both sides have changed the heading, and the source the questions as well."""
    run(write(tmp_path, record()))
    save(get(), heading="Ours", short_definition="Ours alone.")
    faq = [{"question": "New?", "answer": "Yes."}]
    return write(tmp_path, record(h1="Theirs", faq=faq))


def proposal() -> Any:
    return ImportRecord.objects.get(key="token").proposal


def questions(term: TermPage) -> list[str]:
    return [child.value["question"] for child in term.faq]


def test_by_default_the_page_keeps_its_own_and_theirs_waits(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = conflict(tmp_path)
    assert outcomes(path, status=1) == {"token": "conflict"}
    term = get()
    assert (term.heading, term.short_definition) == ("Ours", "Ours alone.")
    assert questions(term) == ["New?"]
    assert not term.has_unpublished_changes
    assert proposal() == {"heading": "Theirs"}
    before = written()
    assert outcomes(path, status=1) == {"token": "conflict"}
    assert written() == before


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("Ours", "What is token?"), ("Theirs", "Theirs"), ("Third", "Third")],
    ids=["the source takes it back", "the page agrees", "both agree anew"],
)
def test_a_proposal_goes_when_there_is_no_more_conflict(
    glossary: GlossaryPage, tmp_path: Path, ours: str, theirs: str
) -> None:
    run(conflict(tmp_path), status=1)
    if get().heading != ours:
        save(get(), heading=ours)
    path = write(tmp_path, record(h1=theirs))
    outcomes(path)
    assert proposal() == {}
    assert get().heading == ours
    assert outcomes(path) == {"token": "unchanged"}


def test_a_proposal_follows_the_source(glossary: GlossaryPage, tmp_path: Path) -> None:
    run(conflict(tmp_path), status=1)
    run(write(tmp_path, record(h1="Theirs, later")), status=1)
    assert proposal() == {"heading": "Theirs, later"}
    assert get().heading == "Ours"


def test_ours_settles_it(glossary: GlossaryPage, tmp_path: Path) -> None:
    path = conflict(tmp_path)
    assert outcomes(path, on_conflict="ours") == {"token": "conflict"}
    assert (get().heading, questions(get()), proposal()) == ("Ours", ["New?"], {})
    assert outcomes(path) == {"token": "unchanged"}
    path = write(tmp_path, record(h1="Theirs, later"))
    assert outcomes(path, status=1) == {"token": "conflict"}


def test_ours_settles_what_waited_as_a_proposal(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = conflict(tmp_path)
    run(path, status=1)
    run(path, on_conflict="ours")
    assert proposal() == {}
    assert outcomes(path) == {"token": "unchanged"}


def test_theirs_is_taken_and_ours_stays_in_the_history(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = conflict(tmp_path)
    assert outcomes(path, on_conflict="theirs") == {"token": "conflict"}
    term = get()
    assert (term.heading, term.short_definition) == ("Theirs", "Ours alone.")
    assert term.live
    assert not term.has_unpublished_changes
    assert "Ours" in [each.content["heading"] for each in term.revisions.all()]
    assert outcomes(path) == {"token": "unchanged"}


def test_theirs_takes_what_waited_as_a_proposal(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = conflict(tmp_path)
    run(path, status=1)
    run(path, on_conflict="theirs")
    assert (get().heading, proposal()) == ("Theirs", {})


@pytest.mark.parametrize("policy", ["draft", "theirs", "ours"])
def test_a_draft_of_a_person_is_never_overwritten(
    glossary: GlossaryPage, tmp_path: Path, policy: str
) -> None:
    run(write(tmp_path, record()))
    save(get(), publish=False, heading="Half-written")
    path = write(tmp_path, record(h1="Theirs", shortDefinition="Theirs as well."))
    status = 0 if policy == "ours" else 1
    assert outcomes(path, on_conflict=policy, status=status) == {"token": "conflict"}
    term = get()
    assert (term.heading, term.short_definition) == (
        "What is token?",
        "What token means.",
    )
    assert latest().heading == "Half-written"
    assert latest().short_definition == "Theirs as well."
    assert proposal() == ({} if policy == "ours" else {"heading": "Theirs"})


def test_a_draft_of_an_import_is_not_a_persons(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record()))
    run(write(tmp_path, record(h1="First")), draft=True)
    assert outcomes(write(tmp_path, record(h1="Second"))) == {"token": "update"}
    assert (get().heading, latest().heading) == ("What is token?", "Second")


def test_skip_writes_nothing_of_the_term(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    conflict(tmp_path)
    faq = [{"question": "New?", "answer": "Yes."}]
    path = write(tmp_path, record(h1="Theirs", faq=faq), record("other"))
    before = TermPage.objects.filter(slug="token").values().get()
    assert outcomes(path, on_conflict="skip", status=1) == {
        "token": "conflict",
        "other": "create",
    }
    assert TermPage.objects.filter(slug="token").values().get() == before
    assert proposal() == {}
    assert outcomes(path, status=1)["token"] == "conflict"
    assert questions(get()) == ["New?"]


def test_fail_writes_nothing_of_the_run(glossary: GlossaryPage, tmp_path: Path) -> None:
    conflict(tmp_path)
    path = write(tmp_path, record("other"), record(h1="Theirs"))
    before = written()
    printed = run(path, on_conflict="fail", status=2, chunk_size=1)
    assert "“token”" in printed
    assert "is in conflict. Nothing was written." in printed
    assert "usable" not in printed
    assert written() == before
    assert last_run().status == "stopped"


def put_question(term: TermPage, number: int, answer: str) -> None:
    term.faq[number].value["answer"].source = f"<p>{answer}</p>"


def edit_answer(term: TermPage) -> None:
    raw = list(term.faq.raw_data)
    raw[0] = {**raw[0], "value": {**raw[0]["value"], "answer": "<p>Ours.</p>"}}
    term.faq = json.dumps(raw)


def edit_comparison(term: TermPage) -> None:
    raw = list(term.comparisons.raw_data)
    raw[0] = {**raw[0], "value": {**raw[0]["value"], "comparison": "<p>Ours.</p>"}}
    term.comparisons = json.dumps(raw)


def edit_section(term: TermPage) -> None:
    raw = list(term.explanation.raw_data)
    raw[0] = {**raw[0], "value": {**raw[0]["value"], "body": "<p>Ours.</p>"}}
    term.explanation = json.dumps(raw)


def edit_links(term: TermPage) -> None:
    known, _created = RelatedTerm.objects.get_or_create(
        glossary=term.glossary, locale=term.locale, slug="ours", name="Ours"
    )
    term.related_terms.add(TermLink(related_term=known, sort_order=9))


def edit_labels(term: TermPage) -> None:
    term.labels.add(TermLabel(text="ours", sort_order=9))


def edit_tags(term: TermPage) -> None:
    term.tags.add("ours")


def edit_features(term: TermPage) -> None:
    term.related_features.append(("feature", {"path": "ours", "label": "Ours"}))


MEETINGS: dict[str, tuple[Callable[[TermPage], None], dict[str, Any], Any]] = {
    "faq": (
        edit_answer,
        {
            "faq": [
                {"question": "Is it a word?", "answer": "Not always."},
                {"question": "How long is it?", "answer": "Theirs."},
            ]
        },
        ["Ours.", "Theirs."],
    ),
    "comparisons": (
        edit_comparison,
        {
            "vsRelatedConcepts": [
                {"term": "Embedding", "comparison": "A **vector**."},
                {"term": "Other", "comparison": "Theirs."},
            ]
        },
        ["Ours.", "Theirs."],
    ),
    "sections": (edit_section, {"howItWorks": "Theirs."}, ["Ours.", "Theirs."]),
    "links": (
        edit_links,
        {
            "relatedTerms": [
                {"slug": "embedding", "name": "Embedding"},
                {"slug": "theirs", "name": "Theirs"},
            ]
        },
        {"embedding", "ours", "theirs"},
    ),
    "labels": (
        edit_labels,
        {"labels": ["tokens", "theirs"]},
        {"tokens", "ours", "theirs"},
    ),
    "tags": (
        edit_tags,
        {"tags": ["basics", "theirs"]},
        {"basics", "ours", "theirs"},
    ),
    "features": (
        edit_features,
        {"relatedFeatures": ["features/search", "theirs"]},
        {"features/search", "ours", "theirs"},
    ),
}


def read(term: TermPage, name: str) -> Any:
    def texts(stream: str, field: str) -> list[str]:
        rich = [child.value[field].source for child in getattr(term, stream)]
        return [text.removeprefix("<p>").removesuffix("</p>") for text in rich]

    def plain(values: list[str]) -> list[str]:
        return [re_strip(value) for value in values]

    return {
        "faq": lambda: plain(texts("faq", "answer")),
        "comparisons": lambda: plain(texts("comparisons", "comparison")),
        "sections": lambda: plain(texts("explanation", "body")),
        "links": lambda: {link.related_term.slug for link in term.related_terms.all()},
        "labels": lambda: {label.text for label in term.labels.all()},
        "tags": lambda: set(term.tags.names()),
        "features": lambda: {child.value["path"] for child in term.related_features},
    }[name]()


def re_strip(html: str) -> str:
    """Without the keys that blocks of rich text carry."""
    return html.split(">", 1)[1] if html.startswith("<p ") else html


@pytest.mark.parametrize("draft", [False, True], ids=["published", "draft"])
@pytest.mark.parametrize("name", MEETINGS)
def test_lists_are_merged_item_by_item(
    glossary: GlossaryPage, tmp_path: Path, name: str, draft: bool
) -> None:
    edit, theirs, expected = MEETINGS[name]
    run(write(tmp_path, record()))
    term = get()
    edit(term)
    save(term, publish=not draft)
    path = write(tmp_path, record(**theirs))
    assert outcomes(path) == {"token": "merge"}
    assert read(latest(), name) == expected
    if draft:
        assert read(get(), name) != expected
    else:
        assert read(get(), name) == expected
    assert outcomes(path) == {"token": "unchanged"}


@pytest.mark.parametrize("policy", ["draft", "ours", "theirs"])
def test_one_question_in_conflict_does_not_hold_the_others(
    glossary: GlossaryPage, tmp_path: Path, policy: str
) -> None:
    run(write(tmp_path, record()))
    term = get()
    edit_answer(term)
    save(term)
    faq = [
        {"question": "Is it a word?", "answer": "Theirs."},
        {"question": "How long is it?", "answer": "Theirs as well."},
    ]
    path = write(tmp_path, record(faq=faq))
    run(path, on_conflict=policy, status=1 if policy == "draft" else 0)
    first = "Theirs." if policy == "theirs" else "Ours."
    assert read(get(), "faq") == [first, "Theirs as well."]
    assert (proposal() == {}) is (policy != "draft")
    if policy == "draft":
        assert [each["answer"] for each in proposal()["faq"]] == [
            "Theirs.",
            "Theirs as well.",
        ]
    else:
        assert outcomes(path) == {"token": "unchanged"}


# What stands in the way


def lock(term: TermPage) -> None:
    term.locked = True
    term.save()


def unlock(term: TermPage) -> None:
    term.locked = False
    term.save()


def submit(term: TermPage) -> None:
    workflow = Workflow.objects.create(name="Review")
    task = Task.objects.create(name="Read")
    WorkflowTask.objects.create(workflow=workflow, task=task)
    workflow.start(term, None)


def cancel(term: TermPage) -> None:
    term.current_workflow_state.cancel()


def schedule(term: TermPage) -> None:
    term.go_live_at = timezone.now() + timedelta(days=1)
    term.save_revision().publish()


def unschedule(term: TermPage) -> None:
    term.revisions.update(approved_go_live_at=None)


def open_editor(term: TermPage) -> None:
    user = get_user_model().objects.create_user("someone")
    EditingSession.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(TermPage),
        object_id=str(term.pk),
        last_seen_at=timezone.now() - timedelta(seconds=20),
    )


def close_editor(term: TermPage) -> None:
    EditingSession.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))


@pytest.mark.parametrize(
    ("hinder", "free", "reason"),
    [
        (lock, unlock, "The page is locked."),
        (submit, cancel, "The page is in a workflow."),
        (schedule, unschedule, "The page is scheduled to be published."),
        (open_editor, close_editor, "The page is being edited right now."),
    ],
    ids=["locked", "in a workflow", "scheduled", "being edited"],
)
def test_a_blocked_term_is_taken_up_by_the_next_run(
    glossary: GlossaryPage,
    tmp_path: Path,
    hinder: Callable[[TermPage], None],
    free: Callable[[TermPage], None],
    reason: str,
) -> None:
    run(write(tmp_path, record(), record("other")))
    hinder(get())
    path = write(tmp_path, record(h1="New"), record("other", h1="New"))
    before = (TermPage.objects.filter(slug="token").values().get(), proposal())
    revisions = get().revisions.count()
    assert reason in run(path, dry_run=True, status=1)
    assert outcomes(path, status=1) == {"token": "blocked", "other": "update"}
    assert before == (
        TermPage.objects.filter(slug="token").values().get(),
        proposal(),
    )
    assert get().revisions.count() == revisions
    assert reason in str(last_run().items.get(key="token").remarks)
    free(get())
    assert outcomes(path)["token"] in {"update", "merge"}
    assert latest().heading == "New"
    assert outcomes(path)["token"] == "unchanged"


def test_nothing_to_write_is_not_blocked(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record()))
    save(get(), heading="New")
    lock(get())
    assert outcomes(write(tmp_path, record(h1="New"))) == {"token": "unchanged"}


@pytest.mark.parametrize("expired", [False, True])
def test_what_was_taken_off_the_site_stays_off_it(
    glossary: GlossaryPage, tmp_path: Path, expired: bool
) -> None:
    run(write(tmp_path, record()))
    get().unpublish(set_expired=expired)
    path = write(tmp_path, record(h1="New"))
    assert outcomes(path) == {"token": "update"}
    term = get()
    assert (term.live, term.expired) == (False, expired)
    assert latest().heading == "New"
    assert outcomes(path) == {"token": "unchanged"}


# Drafts, sources, renaming


def test_drafts(glossary: GlossaryPage, tmp_path: Path) -> None:
    run(write(tmp_path, record()))
    path = write(tmp_path, record(h1="New"), record("other"))
    run(path, draft=True)
    assert not TermPage.objects.get(slug="other").live
    assert (get().heading, latest().heading) == ("What is token?", "New")
    assert get().live
    assert outcomes(path) == {"token": "unchanged", "other": "unchanged"}


def test_two_sources_do_not_touch_each_other(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record()), source="one")
    other = write(tmp_path, record("other"), name="other.jsonl")
    # Neither orphans those of the other.
    assert outcomes(other, source="two") == {"other": "create"}
    run(other, source="two", orphans="unpublish", yes=True)
    assert get().live
    both = write(tmp_path, record(h1="New"), name="both.jsonl")
    found = outcomes(both, source="two", status=1)
    assert found == {"token": "conflict", "other": "orphan"}
    assert get().heading == "What is token?"
    assert set(ImportSource.objects.values_list("key", flat=True)) == {"one", "two"}


def test_two_glossaries_do_not_touch_each_other(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    make_glossary("other")
    path = write(tmp_path, record())
    assert outcomes(path) == outcomes(path, glossary="other") == {"token": "create"}
    assert outcomes(write(tmp_path, record(h1="New"))) == {"token": "update"}
    headings = TermPage.objects.order_by("pk").values_list("heading", flat=True)
    assert list(headings) == ["New", "What is token?"]


def test_a_renamed_page_is_written_under_its_new_slug(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record(), record("other")))
    save(get(), slug="lexical-token")
    related = [{"slug": "token", "name": "Token"}]
    path = write(
        tmp_path,
        record(h1="New"),
        record("other", relatedTerms=related),
        record("third", relatedTerms=related),
    )
    assert outcomes(path) == {
        "token": "merge",
        "other": "update",
        "third": "create",
    }
    assert get("lexical-token").heading == "New"
    for slug in ("other", "third"):
        [link] = get(slug).related_terms.all()
        assert link.related_term.page_id == get("lexical-token").pk
    assert not RelatedTerm.objects.filter(slug="token").exists()


def test_a_term_never_gets_linked_to_itself_or_twice_by_a_renaming(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record(), record("other")))
    save(get(), slug="lexical-token")
    both = [
        {"slug": "token", "name": "Token"},
        {"slug": "lexical-token", "name": "Lexical token"},
    ]
    path = write(
        tmp_path,
        record(relatedTerms=both[1:]),
        record("other", relatedTerms=both),
    )
    found = outcomes(path)
    assert found == {"token": "merge", "other": "update"}
    assert [link.related_term.slug for link in get("other").related_terms.all()] == [
        "lexical-token"
    ]
    assert not get("lexical-token").related_terms.exists()
    assert outcomes(path) == {"token": "unchanged", "other": "unchanged"}


def test_comparisons_are_resolved_by_name(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    def compared(slug: str) -> list[str | None]:
        return [
            child.value["related_term"] and child.value["related_term"].slug
            for child in get(slug).comparisons
        ]

    path = write(
        tmp_path,
        record(
            "first",
            relatedTerms=[{"slug": "its-own", "name": "Later"}],
            vsRelatedConcepts=[
                {"term": "LATER", "comparison": "Its own related term."},
                {"term": "The last", "comparison": "Comes later in the run."},
                {"term": "First", "comparison": "Is itself."},
            ],
        ),
        record("later"),
        record("last", term="The last"),
    )
    for size in (1, 100):
        run(path, chunk_size=size)
        assert compared("first") == ["its-own", "last", None]
        assert RelatedTerm.objects.get(slug="last").page_id == get("last").pk
        ImportRun.objects.all().delete()
        ImportRecord.objects.all().delete()
        TermPage.objects.all().delete()
        glossary.refresh_from_db()


# Orphans


def test_orphans_are_reported_and_left_alone(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record(), record("gone")))
    before = written()
    printed = run(write(tmp_path, record()), json=True)
    assert results(printed)["gone"]["outcome"] == "orphan"
    assert "1 term: 1 unchanged; 1 gone from the source" in run(
        write(tmp_path, record())
    )
    assert written() == before
    counts_add_up(1)


def test_orphans_are_unpublished_when_told_so(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    slugs = [f"term-{number}" for number in range(10)]
    run(write(tmp_path, *map(record, slugs)))
    path = write(tmp_path, *map(record, slugs[1:]))
    run(path, orphans="unpublish", yes=True)
    assert not get("term-0").live
    assert TermPage.objects.live().count() == 9
    assert last_run().counts == {"unchanged": 9, "orphan": 1}
    # It is no orphan any more.
    assert "gone" not in run(path, orphans="unpublish", yes=True)


def test_too_many_orphans_are_refused(glossary: GlossaryPage, tmp_path: Path) -> None:
    slugs = [f"term-{number}" for number in range(10)]
    run(write(tmp_path, *map(record, slugs)))
    path = write(tmp_path, record("new"), *map(record, slugs[2:]))
    before = written()
    printed = run(path, orphans="unpublish", yes=True, status=2)
    assert "2 of 10 terms are gone from the source." in printed
    assert "more than the limit of 10 %" in printed
    assert "usable" not in printed
    assert written() == before
    run(path, orphans="unpublish", yes=True, orphan_limit=20)
    assert not get("term-1").live


def test_an_orphan_that_is_locked_or_being_edited_is_left_alone(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record(), record("one"), record("two"), record("three")))
    lock(get("one"))
    open_editor(get("two"))
    path = write(tmp_path, record())
    printed = run(path, orphans="unpublish", yes=True, orphan_limit=100)
    assert "The page is locked." in printed
    assert "The page is being edited right now." in printed
    assert [get(slug).live for slug in ("one", "two", "three")] == [True, True, False]


def test_nothing_is_unpublished_where_a_record_could_not_be_read(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    folder = tmp_path / "terms"
    folder.mkdir()
    for slug in ("token", "other"):
        (folder / f"{slug}.json").write_text(json.dumps(record(slug)))
    run(folder)
    (folder / "token.json").write_text('{"slug": "tok')
    before = written()
    printed = run(folder, orphans="unpublish", yes=True, orphan_limit=100, status=2)
    assert "token.json" in printed
    assert "Nothing was written." in printed
    assert written() == before


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "status", "live"), [("y\n", 0, False), ("\n", 2, True), (None, 2, True)]
)
def test_unpublishing_asks_first(
    glossary: GlossaryPage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str | None,
    status: int,
    live: bool,
) -> None:
    run(write(tmp_path, record(), record("gone")))
    given = io.StringIO("y\n") if answer is None else Terminal(answer)
    monkeypatch.setattr(sys, "stdin", given)
    path = write(tmp_path, record())
    printed = run(path, orphans="unpublish", orphan_limit=50, status=status)
    assert get("gone").live is live
    if answer is None:
        assert "--yes" in printed


# Errors


# A table with checks that wait for the end of the transaction cannot be altered.
NOTHING_PENDING = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


@contextmanager
def refusing(heading: str) -> Iterator[None]:
    """Let the database refuse terms of this heading, as a site's constraint would."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for event in ("INSERT", "UPDATE"):
                cursor.execute(
                    f"CREATE TRIGGER refuse_{event} BEFORE {event} ON glossary_termpage"
                    f" WHEN NEW.heading = '{heading}' BEGIN"
                    " SELECT RAISE(ABORT, 'no such heading here'); END"
                )
        else:
            cursor.execute(NOTHING_PENDING)
            cursor.execute(
                "ALTER TABLE glossary_termpage ADD CONSTRAINT refuse"
                f" CHECK (heading <> '{heading}') NOT VALID"
            )
        yield
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER refuse_INSERT")
            cursor.execute("DROP TRIGGER refuse_UPDATE")
        else:
            cursor.execute(NOTHING_PENDING)
            cursor.execute("ALTER TABLE glossary_termpage DROP CONSTRAINT refuse")


def add_label(slug: str, text: str) -> None:
    term = get(slug)
    term.labels.add(TermLabel(text=text, sort_order=9))
    save(term)


@pytest.mark.parametrize("size", [1, 3, 200])
def test_a_bad_term_is_isolated_and_the_rest_goes_in(
    glossary: GlossaryPage, tmp_path: Path, size: int
) -> None:
    run(write(tmp_path, record("two"), record("three")))
    add_label("three", "Third")
    path = write(
        tmp_path,
        record("one", relatedTerms=[{"slug": "refused", "name": "Refused"}]),
        record("two", h1="Refused"),
        record("three", term="Third"),
        record("four", h1="Refused"),
        record("five"),
    )
    with refusing("Refused"):
        found = results(run(path, json=True, status=1, chunk_size=size))
        assert {key: each["outcome"] for key, each in found.items()} == {
            "one": "create",
            "two": "invalid",
            "three": "invalid",
            "four": "invalid",
            "five": "create",
        }
        counts_add_up(5)
        [remark] = found["three"]["remarks"]
        assert remark == {
            "field": "labels",
            "message": "“Third” is the name of the term itself.",
            "is_error": True,
        }
        for key in ("two", "four"):
            assert all(each["is_error"] for each in found[key]["remarks"])
            assert "\n" not in found[key]["remarks"][0]["message"]
        assert set(TermPage.objects.values_list("slug", flat=True)) == {
            *("one", "two", "three", "five")
        }
        assert get("two").heading == "What is two?"
    # They are tried again, each time.
    path = write(
        tmp_path,
        record("one", relatedTerms=[{"slug": "refused", "name": "Refused"}]),
        record("two", h1="Refused"),
        record("three", term="A third"),
        record("four", h1="Refused"),
        record("five"),
    )
    assert outcomes(path) == {
        "one": "unchanged",
        "two": "update",
        "three": "merge",
        "four": "create",
        "five": "unchanged",
    }


def test_a_field_that_a_site_requires_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_page().add_child(instance=CoursePage(title="Course", slug="ai"))
    monkeypatch.setattr(CourseTermPage._meta.get_field("level"), "blank", False)
    path = write(tmp_path, record("one"), record("two"))
    found = results(run(path, json=True, status=1))
    for key in ("one", "two"):
        assert found[key]["outcome"] == "invalid"
        assert {each["field"] for each in found[key]["remarks"]} == {"level"}
    assert not TermPage.objects.exists()
    # A draft may be unfinished, and is finished by an editor.
    run(path, draft=True)
    assert CourseTermPage.objects.count() == 2


def bad(slug: str) -> dict[str, Any]:
    return record(slug, faq="no list")


@pytest.mark.parametrize("size", [1, 100])
def test_too_many_errors_stop_the_run_and_the_counts_say_what_was_written(
    glossary: GlossaryPage, tmp_path: Path, size: int
) -> None:
    path = write(tmp_path, record("a"), bad("b"), record("c"), bad("d"), record("e"))
    printed = run(path, max_errors=1, chunk_size=size, status=1)
    assert "More than 1 terms failed." in printed
    found = last_run()
    assert found.status == "stopped"
    created = TermPage.objects.count()
    assert found.counts == {"create": created, "invalid": 2}
    assert created == {1: 2, 100: 3}[size]
    assert found.items.count() == sum(found.counts.values()) == found.done


def test_as_many_errors_as_are_allowed_do_not_stop_it(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, record("a"), bad("b"), record("c"), bad("d"), record("e"))
    assert "More than" not in run(path, max_errors=2, chunk_size=1, status=1)
    assert TermPage.objects.count() == 3
    assert last_run().status == "finished"


@pytest.mark.parametrize("fault", ["refused", "label", "schema"])
def test_all_or_nothing(glossary: GlossaryPage, tmp_path: Path, fault: str) -> None:
    wrong = {
        "refused": record("wrong", h1="Refused"),
        "label": record("wrong", term="Not right"),
        "schema": bad("wrong"),
    }[fault]
    run(write(tmp_path, record("wrong")))
    add_label("wrong", "Not right")
    runs = ImportItem.objects.count()
    path = write(tmp_path, record("one"), record("two"), wrong, record("four"))
    before = written()
    with refusing("Refused"):
        printed = run(path, atomic="all", chunk_size=2, status=2)
    assert ": wrong: " in printed
    assert "Nothing was written." in printed
    assert "Traceback" not in printed
    assert "usable" not in printed
    assert written() == before
    assert ImportItem.objects.count() == runs
    assert last_run().status == "stopped"
    good = write(tmp_path, record("one"), record("two"), record("wrong"))
    assert outcomes(good, atomic="all", chunk_size=1) == {
        "one": "create",
        "two": "create",
        "wrong": "unchanged",
    }


def test_a_report_of_all_or_nothing_does_not_say_that_terms_were_made(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    path = write(tmp_path, record("one"), bad("wrong"))
    run(path, atomic="all", report=report, chunk_size=1, status=2)
    data = json.loads(report.read_text(encoding="utf-8"))
    assert data["counts"] == {}
    assert "Nothing was written." in data["message"]


# Plans and reports


def test_a_plan_writes_nothing_and_the_database_would_refuse_it(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, record())
    before = written()
    refused = []

    def try_to_write(result: Any) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            Category.objects.create(name="Written", locale=glossary.locale)
        refused.append(result.key)

    if connection.vendor == "sqlite":
        with Staging() as staging:
            list(staging.add(read_sources([path])))
            Import(staging, glossary, Options(), on_result=try_to_write).plan()
        assert refused == ["token"]
    assert "1 new" in run(path, dry_run=True)
    assert written() == before
    assert not ImportRun.objects.exists()
    assert not ImportSource.objects.exists()
    assert not ImportPayload.objects.exists()
    Category.objects.create(name="Written", locale=glossary.locale)  # it may again


def test_a_plan_that_fails_leaves_a_connection_that_can_write(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    def fail(result: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")

    with Staging() as staging:
        list(staging.add(read_sources([write(tmp_path, record())])))
        with pytest.raises(DatabaseError):
            Import(staging, glossary, Options(), on_result=fail).plan()
    Category.objects.create(name="Written", locale=glossary.locale)


def plan(path: Path, report: Path, **options: Any) -> dict[str, Any]:
    run(path, dry_run=True, report=report, **options)
    return json.loads(report.read_text(encoding="utf-8"))


def test_a_report_is_complete_and_its_counts_add_up(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record(), record("gone")))
    save(get(), heading="Ours")
    path = write(tmp_path, record(h1="Theirs"), record("new"), record("bad", faq=3))
    report = tmp_path / "report.json"
    report.write_text("what was there before")
    for options in ({"dry_run": True}, {}):
        run(path, report=report, status=1, **options)
        data = json.loads(report.read_text(encoding="utf-8"))
        terms = {each["key"]: each for each in data["terms"]}
        assert {key: each["outcome"] for key, each in terms.items()} == {
            "token": "conflict",
            "new": "create",
            "bad": "invalid",
            "gone": "orphan",
        }
        assert data["counts"] == {
            "conflict": 1,
            "create": 1,
            "invalid": 1,
            "orphan": 1,
        }
        assert terms["token"]["changes"] == [
            {"field": "heading", "ours": "Ours", "theirs": "Theirs", "taken": False}
        ]
        assert terms["bad"]["remarks"][0]["is_error"]
        assert str(path) in terms["new"]["source"]
    assert {each.name for each in tmp_path.iterdir()} == {"terms.jsonl", "report.json"}


def test_a_report_of_a_run_that_could_not_be_is_not_there(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    report.write_text("what was there before")
    run(tmp_path / "nowhere", report=report, status=2)
    assert report.read_text() == "what was there before"
    assert {each.name for each in tmp_path.iterdir()} == {"report.json"}
    path = write(tmp_path, record())
    printed = run(path, report=tmp_path / "no" / "folder.json", status=2)
    assert "The report cannot be written" in printed
    assert not TermPage.objects.exists()


def test_a_saved_plan_is_applied(glossary: GlossaryPage, tmp_path: Path) -> None:
    run(write(tmp_path, record(), record("same")))
    path = write(tmp_path, record(h1="New"), record("same"), record("new"))
    report = tmp_path / "plan.json"
    plan(path, report)
    printed = run(path, plan=report, verbosity=2)
    assert "Planned anew" not in printed
    assert get().heading == "New"
    assert get("new").live


def test_what_has_changed_since_the_plan_is_planned_anew_and_said(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record(), record("b"), record("c"), record("d")))
    path = write(
        tmp_path,
        record(h1="New"),
        record("b", h1="New"),
        record("c", h1="New"),
        record("d"),
    )
    report = tmp_path / "plan.json"
    plan(path, report)
    save(get("b"), heading="Ours")  # now a conflict
    save(get("c"), short_definition="Ours")  # now a merge
    path = write(
        tmp_path,
        record(h1="New"),
        record("b", h1="New"),
        record("c", h1="New"),
        record("d", h1="Changed since"),
        record("e"),
    )
    found = results(run(path, plan=report, json=True, status=1))
    anew = {
        key
        for key, each in found.items()
        if any("Planned anew" in remark["message"] for remark in each["remarks"])
    }
    assert {key: each["outcome"] for key, each in found.items()} == {
        "token": "update",
        "b": "conflict",
        "c": "merge",
        "d": "update",
        "e": "create",
    }
    assert anew == {"b", "c", "d", "e"}
    assert get("b").heading == "Ours"
    assert get("d").heading == "Changed since"


def test_what_no_plan_can_name_is_not_said_to_have_changed(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, record(), record(h1="Twice"), record("bad", faq=3))
    with path.open("a") as file:
        file.write("\nno JSON\n")
    report = tmp_path / "plan.json"
    plan(path, report, status=1)
    assert "Planned anew" not in run(path, plan=report, status=1)


@pytest.mark.parametrize(
    "text", ["", "no plan", '{"terms": [\n{"key": "token"', '{"terms": [\n{}\n]}']
)
def test_what_is_no_plan_is_refused(
    glossary: GlossaryPage, tmp_path: Path, text: str
) -> None:
    report = tmp_path / "plan.json"
    report.write_text(text)
    printed = run(write(tmp_path, record()), plan=report, status=2)
    assert "plan.json is no plan" in printed
    assert not TermPage.objects.exists()


# What is read and said


def test_standard_input(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps([record(), record("other")]).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert outcomes("-") == {"token": "create", "other": "create"}


FIELD_MAP = {
    "fields": {"id": "slug", "name": "term", "summary": "shortDefinition"},
    "sections": {"body": "explanation"},
}
FOREIGN = {"id": "token", "name": "Token", "summary": "A piece.", "body": "It is."}


def test_a_field_map_in_a_file_or_in_the_settings(
    glossary: GlossaryPage, tmp_path: Path, settings: Any
) -> None:
    path = write(tmp_path, FOREIGN)
    assert "No record here is a usable term." in run(path, status=2)
    mapping = tmp_path / "map.json"
    mapping.write_text(json.dumps(FIELD_MAP))
    assert outcomes(path, map=mapping) == {"token": "create"}
    assert (get().short_definition, len(get().explanation)) == ("A piece.", 1)
    settings.GLOSSARY_FIELD_MAP = FIELD_MAP
    assert outcomes(path) == {"token": "unchanged"}
    # Another map makes another term of the same text.
    fields = {**FIELD_MAP["fields"], "body": "h1"}
    mapping.write_text(json.dumps({"fields": fields}))
    assert outcomes(path, map=mapping) == {"token": "update"}
    assert get().heading == "It is."


@pytest.mark.parametrize("text", ["no JSON", '{"fields": {"id": "no field"}}', None])
def test_a_field_map_that_is_none_is_refused(
    glossary: GlossaryPage, tmp_path: Path, text: str | None
) -> None:
    mapping = tmp_path / "map.json"
    if text is not None:
        mapping.write_text(text)
    assert "map.json" in run(write(tmp_path, FOREIGN), map=mapping, status=2)


def test_lines_of_json(glossary: GlossaryPage, tmp_path: Path) -> None:
    path = write(tmp_path, record(), bad("other"))
    lines = [json.loads(line) for line in run(path, json=True, status=1).splitlines()]
    assert [line.get("key") for line in lines] == ["token", "other", None]
    assert set(lines[0]) == {
        *("source", "key", "term", "outcome", "settled", "page", "digest"),
        *("revision", "changes", "remarks"),
    }
    assert lines[0]["source"] == f"{path}:1"
    assert lines[0]["page"] == get().pk
    assert lines[2] == {
        "run": last_run().pk,
        "counts": {"create": 1, "invalid": 1},
    }


def test_a_slug_that_comes_twice(glossary: GlossaryPage, tmp_path: Path) -> None:
    path = write(tmp_path, record(h1="First"), record(h1="Second"), record("other"))
    for size in (1, 2, 100):
        printed = run(path, status=1, chunk_size=size)
        assert f"“token” is already the slug of {path}:1 in this run." in printed
        assert get().heading == "First"
        counts_add_up(3)
        assert last_run().counts["invalid"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"glossary": None}, "SOURCE --glossary SLUG"),
        ({"chunk_size": 0}, "--chunk-size"),
        ({"orphan_limit": 101}, "--orphan-limit"),
        ({"user": "nobody"}, "There is no active user “nobody”."),
        ({"undo": 1}, "--undo takes no source"),
    ],
)
def test_wrong_usage_is_told(
    glossary: GlossaryPage, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    assert message in run(write(tmp_path, record()), status=2, **options)
    assert not TermPage.objects.exists()
    assert not ImportRun.objects.exists()


def test_a_second_run_at_the_same_time_is_told_who_is_first(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, record())
    source = ImportSource.objects.create(glossary=glossary)
    user = get_user_model().objects.create_user("ada", first_name="Ada")
    other = ImportRun.objects.create(
        source=source, user=user, heartbeat_at=timezone.now()
    )
    ImportSource.objects.update(holder=other)
    before = written()
    with holding_elsewhere(source):
        printed = run(path, status=3)
    assert f"Run #{other.pk} by Ada has been in progress since" in printed
    assert written() == before
    assert last_run().status == "failed"
    assert ImportSource.objects.get().holder == other
    assert not TermPage.objects.exists()
    # Another source is free.
    run(write(tmp_path, record("other"), name="other.jsonl"), source="another")
    # One that gives no sign of life has lost it.
    ImportRun.objects.filter(pk=other.pk).update(
        heartbeat_at=timezone.now() - timedelta(minutes=2)
    )
    assert outcomes(path) == {"token": "create"}
    other.refresh_from_db()
    assert other.status == "interrupted"


@contextmanager
def holding_elsewhere(source: ImportSource) -> Iterator[None]:
    """Hold the lock that PostgreSQL has for a source, from another connection."""
    if connection.vendor != "postgresql":
        yield
        return
    elsewhere = connection.copy()
    with elsewhere.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [0x676C6F73, source.pk])
        yield
    elsewhere.close()


BEGINNING_OF_A_CHUNK = 'UPDATE "glossary_importrun" SET "heartbeat_at"'


def test_a_database_that_fails_is_told_and_the_next_run_does_the_rest(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, *(record(f"term-{number}") for number in range(4)))

    def full(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(BEGINNING_OF_A_CHUNK):
            if begun:
                raise OperationalError("database or disk is full")
            begun.append(sql)
        return execute(sql, params, many, context)

    begun: list[str] = []
    with connection.execute_wrapper(full):
        printed = run(path, chunk_size=2, status=4)
    assert "The database failed: database or disk is full" in printed
    assert TermPage.objects.count() == 2
    found = last_run()
    assert found.status == "failed"
    assert "disk is full" in found.message
    assert found.counts == {"create": 2}
    assert sorted(outcomes(path).values()) == ["create"] * 2 + ["unchanged"] * 2


def test_a_run_that_is_asked_to_stop_ends_after_its_chunk(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, *(record(f"term-{number}") for number in range(4)))

    def ask(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith(BEGINNING_OF_A_CHUNK):
            ImportRun.objects.update(stop_requested=True)
        return result

    with connection.execute_wrapper(ask):
        printed = run(path, chunk_size=2, status=1)
    assert "Stopped. What is written stays" in printed
    found = last_run()
    assert (found.status, found.done, found.counts) == ("stopped", 2, {"create": 2})
    assert TermPage.objects.count() == 2
    assert sorted(outcomes(path).values()) == ["create"] * 2 + ["unchanged"] * 2


# What is kept


def test_a_run_keeps_what_it_was_asked_and_what_came_of_it(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    user = get_user_model().objects.create_superuser("editor", "e@example.com", "-")
    path = write(tmp_path, record(), record("other"))
    run(path, user="editor", chunk_size=7, on_conflict="skip")
    found = last_run()
    assert found.user == user
    assert (found.options["chunk_size"], found.options["on_conflict"]) == (7, "skip")
    assert Options.from_json(found.options).chunk_size == 7
    assert (found.total, found.done, found.counts) == (2, 2, {"create": 2})
    assert found.finished_at
    assert found.version
    item = found.items.get(key="token")
    assert item.payload.raw == json.dumps(record()).encode()
    assert item.place.endswith("terms.jsonl:1")


def test_equal_payloads_are_kept_once(glossary: GlossaryPage, tmp_path: Path) -> None:
    make_glossary("other")
    path = write(tmp_path, record(), record("two"))
    run(path)
    run(path, glossary="other")
    run(write(tmp_path, record(), record("two"), record()), status=1)
    assert ImportPayload.objects.count() == 2


def test_payloads_expire_but_for_those_last_applied(
    glossary: GlossaryPage, tmp_path: Path, settings: Any
) -> None:
    run(write(tmp_path, record(h1="First")))
    run(write(tmp_path, record(h1="Second")))
    assert ImportPayload.objects.count() == 2
    long_ago = timezone.now() - timedelta(days=100)
    ImportPayload.objects.update(created_at=long_ago)
    path = write(tmp_path, record(h1="Third"))
    run(path)
    assert ImportPayload.objects.count() == 3  # the runs are not old
    ImportRun.objects.exclude(pk=last_run().pk).update(created_at=long_ago)
    settings.GLOSSARY_IMPORT_RETENTION_DAYS = None
    run(path)
    assert ImportPayload.objects.count() == 3
    settings.GLOSSARY_IMPORT_RETENTION_DAYS = 90
    run(path)
    kept = ImportPayload.objects.get()
    assert b"Third" in kept.raw
    assert ImportRecord.objects.get().payload == kept
    assert ImportItem.objects.filter(payload=None).count() == 2


def test_the_help_of_the_command_names_every_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        call_command("import_terms", "--help")
    told = capsys.readouterr().out
    for option in ("on-conflict", "adopt", "draft", "orphans", "plan", "undo", "map"):
        assert f"--{option}" in told
