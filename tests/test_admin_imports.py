"""The import screens: from the upload to the undo."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import GroupPagePermission

from glossary.admin.imports.differences import (
    MOST_PIECES,
    compare,
    content_rows,
    mark_words,
)
from glossary.admin.imports.forms import (
    DECISIONS,
    NAME_SIZE,
    ON_CONFLICT,
    kept_name,
)
from glossary.importing.options import OnConflict
from glossary.importing.report import OUTCOME_LABELS, ResultFile
from glossary.models import GlossaryPage, ImportItem, ImportRecord, ImportRun, TermPage

from .extension.models import CourseTermPage
from .factories import make_glossary, make_term


pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HOSTILE = "<script>alert(1)</script>"


def record(slug: str, **fields: Any) -> dict[str, Any]:
    """The record of a term as a source has it."""
    return {
        "slug": slug,
        "term": slug.capitalize(),
        "shortDefinition": f"What {slug} means.",
        **fields,
    }


def lines(*records: Any, name: str = "terms.jsonl") -> SimpleUploadedFile:
    text = "\n".join(json.dumps(each) for each in records)
    return SimpleUploadedFile(name, text.encode())


def rights(*pages_and_actions: tuple[Any, str], admin: bool = True) -> Group:
    group = Group.objects.create(name="Some group")
    if admin:
        group.permissions.add(Permission.objects.get(codename="access_admin"))
    base = TermPage.base_page_model
    for page, action in pages_and_actions:
        permission = Permission.objects.get(
            codename=getattr(base.PERMISSION_CODENAMES, action.upper()),
            content_type__app_label=base._meta.app_label,
        )
        GroupPagePermission.objects.create(
            group=group, page=page, permission=permission
        )
    return group


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", title="AI")


@pytest.fixture
def post(
    admin_client: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> Callable[..., HttpResponse]:
    """Return a function that posts to a view, and lets the tasks of it be done."""

    def post(name: str, *args: Any, client: Client = admin_client, **data: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(reverse(f"glossary_imports:{name}", args=args), data)

    return post


@pytest.fixture
def get(admin_client: Client) -> Callable[..., HttpResponse]:
    def get(name: str, *args: Any, **query: Any) -> HttpResponse:
        response = admin_client.get(
            reverse(f"glossary_imports:{name}", args=args), query
        )
        assert response.status_code == 200
        return response

    return get


def answers(glossary: GlossaryPage, *files: Any, **further: Any) -> dict[str, Any]:
    """The upload form, filled in."""
    return {
        "glossary": glossary.pk,
        "source": "",
        "new_source": "old site",
        "files": list(files),
        "on_conflict": "draft",
        "orphans": "report",
        "orphan_limit": 10,
        **further,
    }


@pytest.fixture
def plan(
    post: Callable[..., HttpResponse], glossary: GlossaryPage
) -> Callable[..., ImportRun]:
    """Return a function that uploads records, or files, and returns the planned run."""

    def plan(*given: Any, **further: Any) -> ImportRun:
        files = [each for each in given if isinstance(each, SimpleUploadedFile)]
        files = files or [lines(*given)]
        known = glossary.import_sources.filter(key="old site").exists()
        if known and "source" not in further:
            further |= {"source": "old site", "new_source": ""}
        response = post("new", **answers(glossary, *files, **further))
        assert response.status_code == 302, response.context["form"].errors
        return ImportRun.objects.latest("pk")

    return plan


@pytest.fixture
def finish(
    plan: Callable[..., ImportRun], post: Callable[..., HttpResponse]
) -> Callable[..., ImportRun]:
    """Return a function that uploads records and applies their plan."""

    def finish(*given: Any, policy: str = "draft", **further: Any) -> ImportRun:
        run = plan(*given, **further)
        post("apply", run.pk, on_conflict=policy)
        run.refresh_from_db()
        assert run.status == ImportRun.Status.FINISHED, run.message
        return run

    return finish


@pytest.fixture
def conflict(finish: Callable[..., ImportRun]) -> TermPage:
    """A term of the source whose short definition an editor has changed since."""
    finish(record("token"), record("embedding"))
    token = TermPage.objects.get(slug="token")
    token.short_definition = "Ours."
    token.save_revision().publish()
    return token


def rows(response: HttpResponse) -> list[Any]:
    return list(response.context["table"].data)


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def told(response: HttpResponse) -> list[str]:
    """The messages that the user is shown next."""
    messages = response.wsgi_request._messages
    return [re.sub(r"\s+", " ", str(message)).strip() for message in messages]


# From the upload to the undo


def test_an_upload_is_planned_and_nothing_is_written(plan, get, glossary):
    run = plan(record("token"), record("embedding"), {"slug": "bad"})
    assert run.status == ImportRun.Status.PLANNED
    assert run.counts == {"create": 2, "invalid": 1}
    assert not TermPage.objects.exists()
    page = get("run", run.pk)
    assert [item.key for item in rows(page)] == ["token", "embedding", ""]
    assert "2 new" in text_of(page)


def test_a_plan_is_applied(plan, post):
    run = plan(record("token"), record("embedding"))
    response = post("apply", run.pk, on_conflict="draft")
    assert response.url == reverse("glossary_imports:run", args=[run.pk])
    run.refresh_from_db()
    assert (run.status, run.counts) == (ImportRun.Status.FINISHED, {"create": 2})
    assert set(TermPage.objects.live().values_list("slug", flat=True)) == {
        "token",
        "embedding",
    }


def test_a_plan_is_applied_once(plan, post):
    run = plan(record("token"))
    post("apply", run.pk, on_conflict="draft")
    revisions = TermPage.objects.get().revisions.count()
    response = post("apply", run.pk, on_conflict="draft")
    assert "not waiting to be applied" in told(response)[0]
    assert TermPage.objects.get().revisions.count() == revisions


def test_a_run_is_applied_by_the_rights_of_who_applies_it(plan, post, glossary, client):
    run = plan(record("token"))
    assert run.user.is_superuser
    editor = User.objects.create_user("editor")
    editor.groups.add(rights((glossary, "add"), (glossary, "change")))
    client.force_login(editor)
    post("apply", run.pk, client=client, on_conflict="draft")
    run.refresh_from_db()
    assert (run.user, run.status) == (editor, ImportRun.Status.FINISHED)
    assert not TermPage.objects.get().live


def test_a_plan_is_discarded_with_its_files(plan, post):
    run = plan(record("token"))
    assert run.uploads.exists()
    response = post("discard", run.pk)
    assert response.url == reverse("glossary_imports:index")
    assert not ImportRun.objects.exists()


def test_what_was_applied_is_not_discarded(finish, post):
    run = finish(record("token"))
    assert "can be discarded" in told(post("discard", run.pk))[0]
    assert ImportRun.objects.filter(pk=run.pk).exists()


@pytest.mark.parametrize("status", ["stopped", "failed", "interrupted"])
def test_what_a_run_has_left_is_planned_anew(plan, post, get, status):
    run = plan(record("token"))
    assert "Plan the rest" not in text_of(get("run", run.pk))
    assert "nothing left to do" in told(post("go_on", run.pk))[0]
    ImportRun.objects.update(status=status)
    assert "Plan the rest" in text_of(get("run", run.pk))
    response = post("go_on", run.pk)
    again = ImportRun.objects.latest("pk")
    assert response.url == reverse("glossary_imports:run", args=[again.pk])
    assert (again.status, again.total) == (ImportRun.Status.PLANNED, 1)
    assert not run.uploads.exists()


def test_a_run_that_has_died_is_planned_anew(plan, post):
    run = plan(record("token"))
    ImportRun.objects.update(
        status="running", heartbeat_at=timezone.now() - timedelta(minutes=5)
    )
    post("go_on", run.pk)
    run.refresh_from_db()
    assert run.status == ImportRun.Status.INTERRUPTED
    assert ImportRun.objects.latest("pk").status == ImportRun.Status.PLANNED


def test_a_run_is_undone_after_a_question(finish, post, get):
    run = finish(record("token"))
    asked = get("undo", run.pk)
    assert TermPage.objects.get().live
    assert asked.context["written"] == 1
    response = post("undo", run.pk)
    undo = ImportRun.objects.latest("pk")
    assert response.url == reverse("glossary_imports:run", args=[undo.pk])
    assert (undo.kind, undo.undoes, undo.status) == (
        ImportRun.Kind.UNDO,
        run,
        ImportRun.Status.FINISHED,
    )
    assert not TermPage.objects.get().live
    assert f"Import #{run.pk}" in text_of(get("run", undo.pk))
    there = get("run", run.pk)
    assert f"Undo #{undo.pk}" in text_of(there)
    assert not there.context["may_undo"]


def test_an_undo_can_be_undone(finish, post, get):
    run = finish(record("token"))
    post("undo", run.pk)
    undo = ImportRun.objects.latest("pk")
    assert get("run", undo.pk).context["may_undo"]
    post("undo", undo.pk)
    assert TermPage.objects.get().live


def test_a_run_that_wrote_nothing_cannot_be_undone(plan, admin_client, post):
    run = plan(record("token"))
    url = reverse("glossary_imports:undo", args=[run.pk])
    assert admin_client.get(url).status_code == 302
    assert "nothing to undo" in told(post("undo", run.pk))[-1]
    assert ImportRun.objects.count() == 1


# The form


def test_the_form_tells_what_may_be_uploaded(get, settings):
    make_glossary("here")
    settings.GLOSSARY_IMPORT_MAX_UPLOAD_SIZE = 3 * 1024 * 1024
    assert "3.0\xa0MB" in get("new").context["form"]["files"].help_text


def refused(response: HttpResponse) -> dict[str, list[str]]:
    assert response.status_code == 200
    assert not ImportRun.objects.exists()
    return response.context["form"].errors


def test_a_file_that_is_too_large_is_refused(post, glossary, settings):
    settings.GLOSSARY_IMPORT_MAX_UPLOAD_SIZE = 10
    errors = refused(post("new", **answers(glossary, lines(record("token")))))
    assert "more than the limit" in errors["files"][0]


def test_two_files_of_one_name_are_refused(post, glossary):
    files = [lines(record("token")), lines(record("embedding"))]
    errors = refused(post("new", **answers(glossary, *files)))
    assert "two files" in errors["files"][0]


def test_no_file_is_refused(post, glossary):
    assert set(refused(post("new", **answers(glossary)))) == {"files"}


def test_a_new_source_needs_a_name(post, glossary):
    file = lines(record("token"))
    errors = refused(post("new", **answers(glossary, file, new_source=" ")))
    assert set(errors) == {"new_source"}


def test_a_source_of_another_glossary_is_no_source_here(post, glossary):
    make_glossary("other").import_sources.create(key="theirs")
    file = lines(record("token"))
    given = answers(glossary, file, source="theirs", new_source="")
    errors = refused(post("new", **given))
    assert "Nothing was imported from “theirs” into “AI”" in errors["source"][0]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("broken", b"{", "no field map"),
        ("wrong", b'{"fields": {"name": "no such field"}}', "no field map"),
        ("other", b"\xff\xfe", "no field map"),
        ("deep", b"[" * 100_000, "no field map"),
    ],
)
def test_a_field_map_that_makes_no_sense_is_refused(post, glossary, name, content, why):
    given = answers(
        glossary, lines(record("token")), map=SimpleUploadedFile(name, content)
    )
    assert why in refused(post("new", **given))["map"][0]


def test_a_field_map_is_for_one_run(plan, post, get):
    mapping = {"fields": {"name": "term", "meaning": "shortDefinition"}}
    file = SimpleUploadedFile("map.json", json.dumps(mapping).encode())
    run = plan({"slug": "token", "name": "Token", "meaning": "A piece."}, map=file)
    assert run.counts == {"create": 1}
    item = run.items.get()
    assert "A piece." in text_of(get("item", item.pk))
    assert "a field map of its own" in text_of(get("run", run.pk))


def test_options_are_kept_and_told(plan, get):
    run = plan(
        record("token"),
        draft="on",
        adopt="on",
        on_conflict="ours",
        orphans="unpublish",
        orphan_limit=25,
    )
    options = run.options
    assert (options["draft"], options["adopt"]) == (True, True)
    assert (options["orphans"], options["orphan_limit"]) == ("unpublish", 0.25)
    page = get("run", run.pk)
    assert len(page.context["options"]) == 3
    assert "25 %" in text_of(page)
    assert page.context["apply_form"]["on_conflict"].value() == "ours"


def test_drafts_are_asked_for(finish):
    finish(record("token"), draft="on")
    assert not TermPage.objects.get().live


def test_several_files_are_one_run(plan):
    run = plan(
        lines(record("token"), name="one.jsonl"),
        lines(record("embedding"), name="two.jsonl"),
    )
    assert run.counts == {"create": 2}


def test_a_file_without_terms_says_so(plan, get):
    run = plan(SimpleUploadedFile("empty.json", b""))
    assert run.counts == {"invalid": 1}
    assert "empty" in text_of(get("run", run.pk))


@given(st.text(min_size=1, max_size=300).filter(str.isprintable))
def test_names_of_files_are_kept_short(name):
    kept = kept_name(name)
    assert len(kept.encode()) <= NAME_SIZE + 1
    assert len(name.encode()) > NAME_SIZE or kept == name


def test_a_long_name_keeps_its_ending(plan):
    name = "é" * 200 + ".jsonl"
    assert kept_name(name).endswith("é.jsonl")
    assert plan(lines(record("token"), name=name)).counts == {"create": 1}


# Lists


def test_runs_are_listed_newest_first(finish, get):
    first = finish(record("token"))
    second = finish(record("token", term="Tokens"))
    page = get("index")
    assert rows(page) == [second, first]
    assert "1 changed" in text_of(page)


def test_runs_are_filtered(finish, post, get, glossary):
    run = finish(record("token"))
    post("undo", run.pk)
    undo = ImportRun.objects.latest("pk")
    ImportRun.objects.filter(pk=undo.pk).update(
        user=None, created_at=timezone.now() - timedelta(days=9)
    )
    today = timezone.localdate()
    other = make_glossary("other", title="Other")
    for query, found in (
        ({"kind": "undo"}, [undo]),
        ({"kind": "import"}, [run]),
        ({"status": "failed"}, []),
        ({"status": ["failed", "finished"]}, [run, undo]),
        ({"user": run.user.pk}, [run]),
        ({"user": "null"}, [undo]),
        ({"glossary": glossary.pk}, [run, undo]),
        ({"glossary": other.pk}, []),
        ({"created_at_from": today - timedelta(days=1)}, [run]),
        ({"created_at_to": today - timedelta(days=1)}, [undo]),
    ):
        assert rows(get("index_results", **query)) == found, query


def test_terms_of_a_run_are_filtered_and_searched(plan, get):
    run = plan(
        record("token", faq=[{"question": "", "answer": ""}]),
        record("embedding"),
        record("token", term="Twin"),
        {"slug": "bad"},
    )
    everything = [item.title for item in run.items.all()]
    assert everything == ["Token", "Embedding", "Twin", ""]
    for query, found in (
        ({"outcome": "create"}, ["Token", "Embedding"]),
        ({"outcome": ["create", "invalid"]}, everything),
        ({"remarks": "no"}, ["Embedding"]),
        ({"remarks": "yes"}, ["Token", "Twin", ""]),
        ({"q": "embed"}, ["Embedding"]),
        ({"q": "TWIN"}, ["Twin"]),
        ({"q": "nothing"}, []),
    ):
        shown = rows(get("run_results", run.pk, **query))
        assert [item.title for item in shown] == found, query


def test_warnings_stand_in_the_table(plan, get):
    run = plan(record("token"), record("token"), {"term": "No slug"})
    text = text_of(get("run", run.pk))
    assert "“token” is already the slug of terms.jsonl:1 in this run." in text
    assert "slug" in [item.remarks for item in run.items.all()][2][0]["message"]


def test_terms_are_listed_by_pages(plan, get, django_assert_max_num_queries):
    run = plan(*(record(f"term-{number}") for number in range(60)))
    with django_assert_max_num_queries(40):
        page = get("run", run.pk)
    assert len(rows(page)) == 50
    assert len(rows(get("run_results", run.pk, p=2))) == 10


def test_the_list_of_terms_is_a_spreadsheet(plan, admin_client):
    run = plan(record("token", term="=1+1"), {"slug": "bad"})
    url = reverse("glossary_imports:run", args=[run.pk])
    response = admin_client.get(url, {"export": "csv"})
    text = b"".join(response.streaming_content).decode()
    first, second = csv.DictReader(io.StringIO(text))
    assert first["Term"] == "'=1+1"
    assert (first["Outcome"], second["Outcome"]) == ("new", "failed")
    assert "no term in this payload" in second["Remarks"]
    assert admin_client.get(url, {"export": "xlsx"}).status_code == 200


def test_the_report_is_what_the_run_said(conflict, plan, get):
    run = plan(record("token", shortDefinition="Theirs."), record("embedding"))
    response = get("report", run.pk)
    assert response["Content-Disposition"].endswith(f'"import-{run.pk}.json"')
    text = b"".join(response.streaming_content).decode()
    assert json.loads(text)["counts"] == run.counts
    [told] = ResultFile.read(io.StringIO(text))
    assert (told["key"], told["outcome"]) == ("token", "conflict")
    assert told["changes"][0]["theirs"] == "Theirs."
    # It can be applied by the command, like a plan that the command has saved.
    assert told["digest"]
    assert told["revision"] == conflict.latest_revision_id


# Progress


def test_progress_is_told(plan, get):
    run = plan(record("token"))
    ImportRun.objects.filter(pk=run.pk).update(status="running", done=3, total=10)
    assert get("progress", run.pk).json() == {
        "done": 3,
        "total": 10,
        "status": "Running",
        "text": "3 of 10 terms",
        "goes_on": True,
    }
    page = text_of(get("run", run.pk))
    assert re.search(r'<progress[^>]* max="10" value="3"', page)
    assert 'role="status"' in page


def test_progress_ends_with_the_run(finish, get):
    run = finish(record("token"))
    assert not get("progress", run.pk).json()["goes_on"]
    assert "<progress" not in text_of(get("run", run.pk))


def test_a_run_is_asked_to_stop(plan, post):
    run = plan(record("token"))
    assert "no longer under way" in told(post("stop", run.pk))[0]
    ImportRun.objects.filter(pk=run.pk).update(status="running")
    post("stop", run.pk)
    run.refresh_from_db()
    assert run.stop_requested


def test_a_run_that_has_gone_silent_says_so(plan, get):
    run = plan(record("token"))
    for minutes, is_silent in ((0, False), (60, True)):
        heard = timezone.now() - timedelta(minutes=minutes)
        ImportRun.objects.filter(pk=run.pk).update(status="running", heartbeat_at=heard)
        assert get("run", run.pk).context["is_silent"] is is_silent


@pytest.mark.parametrize("status", [value for value, _ in ImportRun.Status.choices])
def test_every_status_has_a_page(plan, get, status):
    run = plan(record("token"))
    ImportRun.objects.filter(pk=run.pk).update(status=status, message="Why.")
    assert "Why." in text_of(get("run", run.pk))


# Conflicts


def test_conflicts_are_decided_for_all(conflict, finish):
    finish(record("token", shortDefinition="Theirs."), policy="theirs")
    conflict.refresh_from_db()
    assert conflict.short_definition == "Theirs."


def test_conflicts_are_decided_one_by_one(conflict, plan, post, get):
    other = TermPage.objects.get(slug="embedding")
    other.short_definition = "Also ours."
    other.save_revision().publish()
    run = plan(
        record("token", shortDefinition="Theirs."),
        record("embedding", shortDefinition="Also theirs."),
    )
    token = run.items.get(key="token")
    response = post("decide", run.pk, **{f"decision-{token.pk}": "theirs"})
    assert told(response) == ["The choice for 1 term is saved."]
    assert re.search(
        rf'name="decision-{token.pk}".*?value="theirs" selected',
        text_of(get("run", run.pk)),
        re.DOTALL,
    )
    # What is chosen in the table counts as well when it was not saved before.
    item = run.items.get(key="embedding")
    chosen = {f"decision-{item.pk}": "ours", f"decision-{token.pk}": "theirs"}
    post("apply", run.pk, on_conflict="draft", **chosen)
    texts = dict(TermPage.objects.values_list("slug", "short_definition"))
    assert texts == {"token": "Theirs.", "embedding": "Also ours."}
    assert not any(ImportRecord.objects.values_list("proposal", flat=True))


def test_only_conflicts_of_the_run_are_decided(conflict, plan, post):
    first = plan(record("token", shortDefinition="Theirs."))
    run = plan(record("token", shortDefinition="Theirs."), record("new"))
    foreign = first.items.get(key="token")
    new = run.items.get(key="new")
    mine = run.items.get(key="token")
    post(
        "decide",
        run.pk,
        **{
            f"decision-{foreign.pk}": "theirs",
            f"decision-{new.pk}": "theirs",
            f"decision-{mine.pk}": HOSTILE,
            "decision-x": "theirs",
            "decision-99999999999999999999": "theirs",
        },
    )
    assert set(ImportItem.objects.values_list("decision", flat=True)) == {""}


def test_a_page_in_the_way_is_no_choice(plan, get, glossary):
    make_term(glossary, "token")
    run = plan(record("token"))
    page = get("run", run.pk)
    assert (page.context["namesakes"], page.context["open_conflicts"]) == (1, 0)
    assert "decision-" not in text_of(page)


def test_what_is_to_become_of_conflicts_has_to_be_sound(plan, post):
    run = plan(record("token"))
    assert "Choose what" in told(post("apply", run.pk, on_conflict="nonsense"))[0]
    run.refresh_from_db()
    assert run.status == ImportRun.Status.PLANNED


def test_terms_that_would_leave_are_told_before(finish, plan, get, post):
    finish(record("token"), record("embedding"))
    run = plan(record("token"), orphans="unpublish", orphan_limit=50)
    assert get("run", run.pk).context["leaving"] == 1
    post("apply", run.pk, on_conflict="draft")
    assert not TermPage.objects.get(slug="embedding").live


# Differences


def test_a_difference_is_shown_side_by_side(conflict, plan, get):
    run = plan(record("token", shortDefinition="Theirs."))
    page = get("item", run.items.get(key="token").pk)
    [field] = page.context["differences"]
    assert (field.label, field.told) == ("Short definition", "Ours is kept")
    assert field.first.ours[0].html == (
        '<del><span class="deletion">Ours</span></del>.'
    )
    assert field.first.theirs[0].html == (
        '<ins><span class="addition">Theirs</span></ins>.'
    )
    assert field.first.result[0].html == "Ours."
    assert reverse("wagtailadmin_pages:edit", args=[conflict.pk]) in text_of(page)


def test_a_new_term_is_shown_with_its_content(plan, get):
    faq = [{"question": "How long?", "answer": "Four *letters*."}]
    run = plan(record("token", faq=faq, howItWorks="By **merging**."))
    content = get("item", run.items.get().pk).context["content"]
    assert [field.label for field in content] == [
        "Term",
        "Short definition",
        "How it works",
        "Questions",
    ]
    parts = content[-1].rows[0].theirs
    assert [(part.label, part.html) for part in parts] == [
        ("Question", "How long?"),
        ("Answer", "Four *letters*."),
    ]


def test_a_payload_that_is_gone_is_missed(plan, get):
    item = plan(record("token")).items.get()
    item.payload.delete()
    assert get("item", item.pk).context["is_expired"]


def test_a_term_leads_to_the_next_of_its_outcome(plan, get):
    run = plan(record("a"), {"slug": "bad"}, record("b"), record("c"))
    first, second, third = run.items.filter(outcome="create")
    context = get("item", second.pk).context
    assert context["before"]["url"].endswith(f"/{first.pk}/")
    assert context["after"]["url"].endswith(f"/{third.pk}/")
    assert get("item", first.pk).context["before"] is None


def test_items_stand_beside_each_other():
    ours = [
        {"question": "One?", "answer": "Old."},
        {"question": "Two?", "answer": "Same."},
        {"question": "Ours?", "answer": "Only here."},
    ]
    theirs = [
        {"question": "One?", "answer": "New."},
        {"question": "Two?", "answer": "Same."},
        {"question": "Theirs?", "answer": "Only there."},
    ]
    result = [*ours, theirs[2]]
    rows = compare("faq", ours, theirs, result).rows
    shown = [
        tuple("|".join(part.html for part in side) for side in (row.ours, row.theirs))
        for row in rows
    ]
    assert shown == [
        (
            'One?|<del><span class="deletion">Old</span></del>.',
            'One?|<ins><span class="addition">New</span></ins>.',
        ),
        ("Two?|Same.", "Two?|Same."),
        ("Ours?|Only here.", ""),
        ("", "Theirs?|Only there."),
    ]
    assert [row.state for row in rows] == ["", "", "deletion", "addition"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("faq", "no list"),
        ("faq", ["no item"]),
        ("labels", None),
        ("tags", ["a", "b"]),
        ("extra", {"a": {"b": [1, None]}}),
        ("feature_labels", {"/search": "Search"}),
        ("related_features", ["/search"]),
        ("related_terms", [{"slug": "a", "kind": "related"}]),
        ("unknown", 3),
    ],
)
def test_any_value_can_be_compared(name, value):
    for other in (None, [], {}, "", value, [value], {"x": value}):
        assert compare(name, value, other).rows
        assert compare(name, other, value, other).rows
    content_rows({name: value})


def without_marks(html: str) -> str:
    return re.sub(r"</?(?:ins|del|span)[^>]*>", "", html)


@given(st.text(alphabet="ab <>&\"'\n", max_size=40), st.text(alphabet="ab <>&\"'\n"))
def test_marks_add_nothing_but_marks(ours, theirs):
    marked = mark_words(ours, theirs)
    assert without_marks(marked[0]) == escape(ours)
    assert without_marks(marked[1]) == escape(theirs)


@pytest.mark.parametrize("separator", [" ", ", ", "\n", "."])
def test_texts_without_a_common_word_are_compared_in_no_time(separator):
    ours = separator.join(f"ours{number}" for number in range(MOST_PIECES // 2))
    theirs = separator.join(f"theirs{number}" for number in range(MOST_PIECES // 2))
    start = time.process_time()
    mark_words(ours, theirs)
    assert time.process_time() - start < 2


def test_long_texts_are_compared_by_lines_and_very_long_ones_as_wholes():
    lines = [f"Line {number} of a text." for number in range(MOST_PIECES - 1)]
    changed = [*lines[:-1], "Another line."]
    ours, theirs = mark_words("\n".join(lines), "\n".join(changed))
    assert ours.count("<del>") == theirs.count("<ins>") == 1
    assert '<ins><span class="addition">Another line.</span></ins>' in theirs
    long = "a\n" * MOST_PIECES * 2
    ours, theirs = mark_words(long, "b" + long)
    assert ours.startswith("<del>")
    assert theirs.startswith("<ins>")


# The editor of a term


def test_a_term_that_was_imported_has_a_panel(conflict, admin_client, glossary):
    def editor(page: TermPage) -> str:
        url = reverse("wagtailadmin_pages:edit", args=[page.pk])
        return text_of(admin_client.get(url))

    assert 'data-side-panel="glossary-import"' in editor(conflict)
    by_hand = make_term(glossary, "by-hand")
    assert 'data-side-panel="glossary-import"' not in editor(by_hand)


def test_terms_of_a_type_of_the_site_have_a_panel(finish, admin_client, glossary):
    finish(record("token"))
    course = make_term(glossary, "course", model=CourseTermPage)
    ImportRecord.objects.update(page=course)
    url = reverse("wagtailadmin_pages:edit", args=[course.pk])
    assert 'data-side-panel="glossary-import"' in text_of(admin_client.get(url))


def test_the_panel_tells_what_was_edited(conflict, finish, get):
    run = ImportRun.objects.get()
    [known] = get("provenance", conflict.pk).context["records"]
    assert known["edited"] == ["Short definition"]
    assert known["as_imported"] == ["Term"]
    assert known["waiting"] == []
    finish(record("token", shortDefinition="Theirs."))
    page = get("provenance", conflict.pk)
    assert page.context["records"][0]["waiting"] == ["Short definition"]
    assert reverse("glossary_imports:run", args=[run.pk + 1]) in text_of(page)


def test_the_panel_is_a_part_of_a_page_for_the_script_alone(conflict, admin_client):
    url = reverse("glossary_imports:provenance", args=[conflict.pk])
    whole = admin_client.get(url)
    part = admin_client.get(url, headers={"X-Requested-With": "XMLHttpRequest"})
    assert "<html" in text_of(whole)
    assert "<html" not in text_of(part)


def test_prose_that_says_the_same_is_as_imported(finish, get):
    finish(record("token", explanation="Some *text*,\non two lines."))
    page = TermPage.objects.get()
    page.save_revision().publish()
    [known] = get("provenance", page.pk).context["records"]
    assert known["edited"] == []


def test_proposals_are_compared_and_taken(conflict, finish, get, post):
    finish(record("token", shortDefinition="Theirs."))
    known = ImportRecord.objects.get(key="token")
    page = get("proposals", known.pk)
    assert [field.name for field in page.context["differences"]] == ["short_definition"]
    response = post("take", known.pk, field="short_definition")
    assert response.url == reverse("wagtailadmin_pages:edit", args=[conflict.pk])
    conflict.refresh_from_db()
    assert conflict.short_definition == "Theirs."
    assert get("proposals", known.pk).context["differences"] == []


def test_a_proposal_is_turned_down(conflict, finish, post):
    finish(record("token", shortDefinition="Theirs."))
    known = ImportRecord.objects.get(key="token")
    post("keep", known.pk, field="short_definition")
    conflict.refresh_from_db()
    assert conflict.short_definition == "Ours."
    again = finish(record("token", shortDefinition="Theirs."), record("embedding"))
    assert again.counts == {"unchanged": 2}


def test_a_page_that_is_locked_is_compared_and_not_decided(conflict, finish, get):
    finish(record("token", shortDefinition="Theirs."))
    TermPage.objects.filter(pk=conflict.pk).update(locked=True)
    page = get("proposals", ImportRecord.objects.get(key="token").pk)
    assert "The page is locked." in text_of(page)
    assert page.context["differences"]
    assert "/take/" not in text_of(page)


def test_what_is_not_proposed_cannot_be_taken(conflict, finish, post):
    finish(record("token", shortDefinition="Theirs."))
    known = ImportRecord.objects.get(key="token")
    for field in ("", "title", HOSTILE):
        assert "no longer proposed" in told(post("take", known.pk, field=field))[-1]


# Nothing from outside is code


def test_texts_from_outside_are_shown_as_they_are(
    finish, plan, post, get, admin_client, glossary
):
    glossary.title = f"AI {HOSTILE}"
    glossary.save()
    hostile = record(
        "token",
        term=f"Token {HOSTILE}",
        shortDefinition=HOSTILE,
        faq=[{"question": HOSTILE, "answer": HOSTILE}],
        labels=[HOSTILE],
        **{HOSTILE: {HOSTILE: HOSTILE}},
    )
    source = f"old {HOSTILE}"
    name = f"{HOSTILE.replace('/', '')}.jsonl"
    first = finish(lines(hostile, name=name), new_source=source)
    page = TermPage.objects.get()
    page.short_definition = f"Ours {HOSTILE}"
    page.save_revision().publish()
    changed = {**hostile, "shortDefinition": f"Theirs {HOSTILE}"}
    bad = {"slug": HOSTILE, "term": HOSTILE}
    given = {"source": source, "new_source": ""}
    run = plan(lines(changed, bad, name=name), **given)
    seen = [get("index"), get("new"), get("run", run.pk), get("run", first.pk)]
    seen += [get("item", item.pk) for item in ImportItem.objects.all()]
    post("apply", run.pk, on_conflict="draft")
    known = ImportRecord.objects.get()
    seen += [get("run", run.pk), get("undo", run.pk), get("proposals", known.pk)]
    seen += [get("provenance", page.pk)]
    ImportRun.objects.filter(pk=run.pk).update(status="failed", message=HOSTILE)
    seen += [get("run", run.pk), get("index", q=HOSTILE, user=HOSTILE)]
    seen += [get("run_results", run.pk, q=HOSTILE, outcome=HOSTILE)]
    map_file = SimpleUploadedFile(f"{name}", b"{")
    seen += [post("new", **answers(glossary, lines(bad), map=map_file, source=HOSTILE))]
    seen += [admin_client.get(reverse("wagtailadmin_pages:edit", args=[page.pk]))]
    post("keep", known.pk, field="short_definition")
    seen += [admin_client.get(reverse("wagtailadmin_home"))]
    for response in seen:
        assert "<script>alert" not in text_of(response), response.request["PATH_INFO"]
    assert any("&lt;script&gt;alert" in text_of(response) for response in seen)


def test_every_outcome_is_a_filter_of_the_form(plan, get):
    run = plan(record("token"))
    for outcome in OUTCOME_LABELS:
        run.items.update(outcome=outcome)
        assert len(rows(get("run", run.pk, outcome=str(outcome)))) == 1
        item = run.items.get()
        assert get("item", item.pk).context["outcome"] == OUTCOME_LABELS[outcome]


def test_every_way_out_of_a_conflict_is_offered():
    assert [value for value, _label in ON_CONFLICT] == list(OnConflict)
    assert {value for value, _ in DECISIONS} == {*OnConflict, ""} - {OnConflict.FAIL}
