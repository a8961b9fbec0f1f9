"""What is stored twice is compared, and repaired where it differs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import swapper
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import Locale, ReferenceIndex, Revision
from wagtail.search.backends.base import BaseIndex, BaseSearchBackend

from glossary.content import page_content
from glossary.importing.consistency.checking import Consistency
from glossary.importing.consistency.findings import Check, Finding
from glossary.importing.lock import _NAMESPACE, STALE_AFTER
from glossary.models import (
    GlossaryPage,
    ImportPayload,
    ImportRecord,
    ImportRun,
    ImportSource,
    RelatedTerm,
    TermLink,
    TermPage,
)

from .extension.models import CourseTermPage
from .factories import (
    comparison,
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    section,
)
from .payloads import outcomes, record, write


pytestmark = [pytest.mark.django_db, pytest.mark.slow]

Page = swapper.load_model("wagtailcore", "Page")


@pytest.fixture
def glossary(tmp_path) -> GlossaryPage:
    """Terms made by hand and by an import, of two types, with drafts."""
    glossary = make_glossary("ai")
    vector = make_related_term(glossary, "vector")
    make_term(
        glossary,
        "token",
        category=make_category("models"),
        related_terms=[vector],
        explanation=[section(f'<p><a linktype="page" id="{glossary.pk}">Ai</a></p>')],
        comparisons=[comparison("Vector", "<p>Longer.</p>", vector)],
        labels=["tokens"],
        tags=["text"],
    )
    make_term(glossary, "vector", related_terms=[make_related_term(glossary, "token")])
    make_term(glossary, "course", model=CourseTermPage, level="first")
    draft = make_term(glossary, "draft", live=False)
    draft.title = "Another title"
    draft.save_revision()
    changed = make_term(glossary, "changed")
    changed.title = "Changed since"
    changed.save_revision()
    outcomes(write(tmp_path, record("embedding"), record("attention")))
    return glossary


def check(status: int = 0, **options: Any) -> tuple[list[dict[str, Any]], str]:
    """Run the command, check its exit status; gives its findings and what it said of
    them in words."""
    out, ended = io.StringIO(), 0
    try:
        call_command("check_terms", json=True, stdout=out, stderr=out, **options)
    except SystemExit as stop:
        ended = stop.code
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert ended == status, out.getvalue()
    return lines[:-1], lines[-1]


def found(status: int = 1, **options: Any) -> list[tuple[str, str]]:
    return [(each["check"], each["slug"]) for each in check(status, **options)[0]]


def texts() -> dict[str, Any]:
    """Everything that people have written, in pages and in revisions."""
    return {
        "pages": {
            page.pk: page_content(page) for page in TermPage.objects.all().specific()
        },
        "names": set(RelatedTerm.objects.values_list("slug", "name")),
    }


def get(slug: str = "token") -> TermPage:
    return TermPage.objects.get(slug=slug).specific


def update(slug: str, **fields: Any) -> None:
    assert Page.objects.filter(slug=slug).update(**fields) == 1


def test_a_sound_glossary_has_no_findings(glossary):
    assert check() == ([], {"glossaries": 1, "found": 0, "left": 0})
    assert check(fix=True)[0] == []


# One thing broken at a time


def lose_all_revisions(glossary: GlossaryPage) -> None:
    Page.objects.filter(slug="token").update(latest_revision=None, live_revision=None)
    Revision.page_revisions.filter(object_id=str(get().pk)).delete()


def lose_revisions_of_draft(glossary: GlossaryPage) -> None:
    update("draft", latest_revision=None, draft_title="Draft")
    Revision.page_revisions.filter(object_id=str(get("draft").pk)).delete()


def forget_latest_revision(glossary: GlossaryPage) -> None:
    update("token", latest_revision=None)


def take_revision_of_another(glossary: GlossaryPage) -> None:
    update("token", latest_revision=get("vector").latest_revision_id)


def publish_revision_of_another(glossary: GlossaryPage) -> None:
    update("token", live_revision=get("vector").latest_revision_id)


def forget_draft_title(glossary: GlossaryPage) -> None:
    update("changed", draft_title="Changed")


def forget_date_of_revision(glossary: GlossaryPage) -> None:
    update("changed", latest_revision_created_at=None)


def count_children_wrong(glossary: GlossaryPage) -> None:
    update("ai", numchild=70)


def have_children_wrong(glossary: GlossaryPage) -> None:
    update("token", numchild=1)


def stand_too_deep(glossary: GlossaryPage) -> None:
    update("token", depth=7)


def have_another_address(glossary: GlossaryPage) -> None:
    update("token", url_path="/home/elsewhere/")


def lose_related_term(glossary: GlossaryPage) -> None:
    RelatedTerm.objects.filter(slug="draft").delete()


def untie_related_term(glossary: GlossaryPage) -> None:
    RelatedTerm.objects.filter(slug="token").update(page=None)
    ReferenceIndex.create_or_update_for_object(RelatedTerm.objects.get(slug="token"))


def tie_another_related_term(glossary: GlossaryPage) -> None:
    make_related_term(glossary, "other")
    RelatedTerm.objects.filter(slug="other").update(page=get())
    ReferenceIndex.create_or_update_for_object(RelatedTerm.objects.get(slug="other"))


def tie_related_term_to_another_term(glossary: GlossaryPage) -> None:
    RelatedTerm.objects.filter(slug="vector").update(page=get())
    ReferenceIndex.create_or_update_for_object(RelatedTerm.objects.get(slug="vector"))


def tie_related_term_elsewhere(glossary: GlossaryPage) -> None:
    stranger = make_term(make_glossary(), "stranger")
    RelatedTerm.objects.filter(page=stranger).delete()
    wanted = make_related_term(glossary, "wanted")
    RelatedTerm.objects.filter(pk=wanted.pk).update(page=stranger)
    ReferenceIndex.create_or_update_for_object(RelatedTerm.objects.get(slug="wanted"))
    RelatedTerm.objects.create(
        glossary=stranger.glossary, slug="stranger", name="Stranger"
    )


def link_into_another_glossary(glossary: GlossaryPage) -> None:
    stray = make_related_term(make_glossary(), "vector")
    TermLink.objects.filter(term=get()).update(related_term=stray)
    ReferenceIndex.create_or_update_for_object(get())


def link_twice_through_another_glossary(glossary: GlossaryPage) -> None:
    stray = make_related_term(make_glossary(), "vector")
    TermLink.objects.create(term=get(), related_term=stray, sort_order=1)
    ReferenceIndex.create_or_update_for_object(get())


def lose_references(glossary: GlossaryPage) -> None:
    ReferenceIndex.get_references_for_object(get()).delete()


def keep_an_old_reference(glossary: GlossaryPage) -> None:
    row = ReferenceIndex.get_references_for_object(get("vector")).first()
    row.pk = None
    row.to_object_id = "987654"
    row.content_path_hash = "0" * 32
    row.save()


def lose_references_of_related_term(glossary: GlossaryPage) -> None:
    related_term = RelatedTerm.objects.get(slug="token")
    ReferenceIndex.get_references_for_object(related_term).delete()


def lose_search_entry(glossary: GlossaryPage) -> None:
    assert get().index_entries.all().delete()[0]


def lose_search_entry_of_course(glossary: GlossaryPage) -> None:
    assert get("course").index_entries.all().delete()[0]


def lose_search_entry_of_related_term(glossary: GlossaryPage) -> None:
    assert RelatedTerm.objects.get(slug="token").index_entries.all().delete()[0]


def search_under_former_title(glossary: GlossaryPage) -> None:
    column = "title_text" if connection.vendor == "postgresql" else "title"
    get().index_entries.update(**{column: "Former"})


def lose_payload(glossary: GlossaryPage) -> None:
    payload = ImportRecord.objects.get(key="embedding").payload
    ImportPayload.objects.filter(pk=payload.pk).update(data=payload.data[:-8])


def change_payload(glossary: GlossaryPage) -> None:
    payload = ImportRecord.objects.get(key="embedding").payload
    other = ImportPayload.of(b"{}", payload.form)
    ImportPayload.objects.filter(pk=payload.pk).update(data=other.data)


def lose_base(glossary: GlossaryPage) -> None:
    ImportRecord.objects.filter(key="embedding").update(base=["title"], pending={})


def tie_two_records(glossary: GlossaryPage) -> None:
    page = ImportRecord.objects.get(key="embedding").page
    ImportRecord.objects.filter(key="attention").update(page=page)


def interrupt_a_run(glossary: GlossaryPage) -> None:
    ImportRun.objects.create(
        source=ImportSource.objects.get(),
        status=ImportRun.Status.RUNNING,
        heartbeat_at=timezone.now() - 2 * STALE_AFTER,
    )


BROKEN: list[tuple[Callable[[GlossaryPage], None], list[tuple[str, str]]]] = [
    (lose_all_revisions, [("revisions", "token")]),
    (lose_revisions_of_draft, [("revisions", "draft")]),
    (forget_latest_revision, [("revisions", "token")]),
    (take_revision_of_another, [("revisions", "token")]),
    (publish_revision_of_another, [("revisions", "token")]),
    (forget_draft_title, [("revisions", "changed")]),
    (forget_date_of_revision, [("revisions", "changed")]),
    (count_children_wrong, [("tree", "ai")]),
    (have_children_wrong, [("tree", "token")]),
    (stand_too_deep, [("tree", "token")]),
    (have_another_address, [("tree", "token")]),
    (lose_related_term, [("related-terms", "draft")]),
    (untie_related_term, [("related-terms", "token")]),
    (tie_another_related_term, [("related-terms", "token")]),
    (tie_related_term_to_another_term, [("related-terms", "vector")]),
    (tie_related_term_elsewhere, [("related-terms", "wanted")]),
    (link_into_another_glossary, [("links", "token")]),
    (link_twice_through_another_glossary, [("links", "token")]),
    (lose_references, [("references", "token")]),
    (keep_an_old_reference, [("references", "vector")]),
    (lose_references_of_related_term, [("references", "token")]),
    (lose_search_entry, [("search", "token")]),
    (lose_search_entry_of_course, [("search", "course")]),
    (lose_search_entry_of_related_term, [("search", "token")]),
    (search_under_former_title, [("search", "token")]),
    (lose_payload, [("records", "embedding")]),
    (change_payload, [("records", "embedding")]),
    (lose_base, [("records", "embedding")] * 2),
    (tie_two_records, [("records", "attention")]),
]


@pytest.mark.parametrize(
    ("break_it", "expected"), BROKEN, ids=[each[0].__name__ for each in BROKEN]
)
def test_what_is_broken_is_found_and_repaired(break_it, expected, glossary):
    break_it(glossary)
    before = texts()
    assert found(glossary="ai") == expected
    assert found(glossary="ai") == expected  # nothing was written
    findings, counts = check(glossary="ai", fix=True)
    assert [(each["check"], each["slug"]) for each in findings] == expected
    assert all(each["repaired"] for each in findings)
    assert counts == {"glossaries": 1, "found": len(expected), "left": 0}
    assert check()[0] == []
    after = texts()
    assert before["names"] <= after["names"]
    if break_it is link_twice_through_another_glossary:
        before["pages"][get().pk]["related_terms"].pop()
    assert before["pages"] == after["pages"]
    assert Page.find_problems() == ([], [], [], [], [])


@pytest.mark.parametrize("chunk_size", [250, 2])
def test_all_that_is_broken_at_once_is_repaired_in_one_run(chunk_size, glossary):
    for break_it, _expected in BROKEN:
        break_it(glossary)
    interrupt_a_run(glossary)
    findings: list[Finding] = []
    seen: list[int] = []
    work = Consistency(
        glossary,
        fix=True,
        on_finding=findings.append,
        on_seen=seen.append,
        chunk_size=chunk_size,
    )
    total = work.total()
    work.run()
    # The tree is repaired before the terms are asked for.
    assert sum(seen) >= total
    assert {each.check for each in findings} == set(Check)
    assert check()[0] == []


def test_without_fix_nothing_is_written(glossary):
    for break_it, _expected in BROKEN:
        break_it(glossary)
    with CaptureQueriesContext(connection) as queries:
        check(1)
    verbs = {query["sql"].split()[0] for query in queries}
    assert verbs <= {"SELECT", "SAVEPOINT", "RELEASE", "PRAGMA", "WITH"}


def test_findings_are_told_in_words_and_what_becomes_of_them(glossary):
    forget_draft_title(glossary)
    problem = "changed: Its draft title “Changed” is not that of its latest revision."
    assert say(1) == (
        f"{problem} To repair: It becomes “Changed since”.\n"
        "1 finding, 0 repaired, 1 left.\n"
    )
    assert say(fix=True) == (
        f"{problem} Repaired: It becomes “Changed since”.\n"
        "1 finding, 1 repaired, 0 left.\n"
    )
    assert say() == "0 findings, 0 repaired, 0 left.\n"


def say(status: int = 0, **options: Any) -> str:
    out, ended = io.StringIO(), 0
    try:
        call_command("check_terms", stdout=out, **options)
    except SystemExit as stop:
        ended = stop.code
    assert ended == status, out.getvalue()
    return out.getvalue()


# What becomes of what was repaired


def test_a_revision_that_was_made_says_what_is_stored(glossary):
    lose_all_revisions(glossary)
    check(fix=True)
    token = get()
    assert page_content(token.get_latest_revision_as_object()) == page_content(token)
    assert token.live_revision_id == token.latest_revision_id
    token.title = "Token of text"
    token.save_revision().publish()
    assert RelatedTerm.objects.get(slug="token").name == "Token of text"
    assert check()[0] == []


def test_an_alias_needs_no_revision(glossary):
    get().create_alias(update_slug="alias", parent=glossary)
    assert get("alias").latest_revision is None
    # Wagtail indexes an alias before its rows are stored.
    assert found() == [("references", "alias")]
    assert found(0, fix=True) == [("references", "alias")]
    assert check()[0] == []


def test_a_payload_that_was_forgotten_comes_back_with_the_next_import(
    glossary, tmp_path
):
    change_payload(glossary)
    check(fix=True)
    outcomes(write(tmp_path, record("embedding"), record("attention")))
    kept = ImportRecord.objects.get(key="embedding")
    assert json.loads(kept.payload.raw)["slug"] == "embedding"
    assert kept.digest
    assert check()[0] == []


def test_of_two_records_the_one_that_wrote_the_page_keeps_it(glossary):
    tie_two_records(glossary)
    check(fix=True)
    pages = dict(ImportRecord.objects.values_list("key", "page__slug"))
    assert pages == {"embedding": "embedding", "attention": None}


def test_a_run_without_a_sign_of_life_is_marked_as_interrupted(glossary):
    interrupt_a_run(glossary)
    run = ImportRun.objects.latest("pk")
    assert found() == [("runs", str(run))]
    assert found(0, fix=True) == [("runs", str(run))]
    run.refresh_from_db()
    assert run.status == ImportRun.Status.INTERRUPTED
    assert run.finished_at is not None


def test_a_run_that_gave_a_sign_of_life_lately_goes_on(glossary):
    ImportRun.objects.create(
        source=ImportSource.objects.get(),
        status=ImportRun.Status.RUNNING,
        heartbeat_at=timezone.now() - STALE_AFTER / 2,
    )
    assert check(fix=True)[0] == []


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only PostgreSQL knows who holds a lock"
)
def test_a_run_that_holds_its_source_is_alive(glossary):
    # Not that of the import, whose lock this test's transaction has still.
    source = ImportSource.objects.create(glossary=glossary, key="another")
    run = ImportRun.objects.create(
        source=source, heartbeat_at=timezone.now() - 2 * STALE_AFTER
    )
    ImportSource.objects.filter(pk=source.pk).update(holder=run)
    another = connection.copy()
    try:
        with another.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_lock(%s, %s)", [_NAMESPACE, source.pk]
            )
            assert cursor.fetchone() == (True,)
        assert check(fix=True)[0] == []
    finally:
        another.close()
    assert found(0, fix=True) == [("runs", str(run))]


# What only a person can repair


def test_a_page_that_has_lost_its_content_is_left_to_a_person(glossary):
    course = make_term(glossary, "lost", live=False)
    RelatedTerm.objects.filter(slug="lost").delete()
    of_type = TermPage.objects.filter(pk=course.pk)
    of_type._raw_delete(of_type.db)
    for _time in range(2):
        findings, counts = check(1, fix=True)
        assert [(each["check"], each["slug"]) for each in findings] == [
            ("tree", "lost")
        ]
        assert findings[0]["by_hand"]
        assert counts["left"] == 1
    assert "lost: The page has lost its content. By hand: Restore it" in say(1)


def test_a_page_without_a_parent_is_left_to_a_person(glossary):
    update("token", path=f"{glossary.path}00ZZ0001")
    findings = check(1, fix=True)[0]
    by_hand = [each["slug"] for each in findings if each["by_hand"]]
    assert by_hand == ["token", "token"] or by_hand == ["token"]
    assert Page.find_problems()[2] == [Page.objects.get(slug="token").pk]


def test_a_record_of_a_page_in_no_glossary_is_left_to_a_person(glossary):
    path = home_page().path
    update("embedding", path=f"{path}00ZZ")
    findings = check(1, fix=True)[0]
    assert [
        (each["check"], each["slug"], each["by_hand"])
        for each in findings
        if each["by_hand"]
    ] == [("records", "embedding", True)]


# Which glossaries


def test_all_glossaries_are_checked_unless_one_is_named(glossary):
    other = make_glossary("other", locale=Locale.objects.create(language_code="fr"))
    make_term(other, "jeton", locale=other.locale)
    update("jeton", draft_title="Former")
    forget_draft_title(glossary)
    assert found(glossary="ai") == [("revisions", "changed")]
    assert found(locale="fr") == [("revisions", "jeton")]
    assert found() == [("revisions", "changed"), ("revisions", "jeton")]
    assert check(1)[1]["glossaries"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"glossary": "none"}, "There is no glossary “none”"),
        ({"locale": "tlh"}, "The language “tlh” is not in use here"),
        ({"locale": "ur"}, "There is no glossary in the language “ur”"),
    ],
)
def test_what_cannot_be_checked_is_said(options, message, glossary):
    Locale.objects.create(language_code="ur")
    with pytest.raises(CommandError, match=message) as caught:
        call_command("check_terms", **options)
    assert caught.value.returncode == 2


# Many terms


def test_queries_do_not_grow_with_the_terms(glossary, tmp_path):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            check()
        return len(queries)

    count()  # what is asked once is known from here on
    before = count()
    outcomes(write(tmp_path, *(record(f"term-{number}") for number in range(30))))
    assert count() == before


def test_repairs_do_not_grow_with_the_terms_either(glossary, tmp_path):
    def count(slugs: str) -> int:
        broken = Page.objects.filter(slug__startswith=slugs)
        broken.update(draft_title="Former", url_path="/", latest_revision=None)
        objects = [str(pk) for pk in broken.values_list("pk", flat=True)]
        ReferenceIndex.objects.filter(object_id__in=objects).delete()
        RelatedTerm.objects.filter(slug__startswith=slugs).update(page=None)
        with CaptureQueriesContext(connection) as queries:
            check(fix=True)
        assert check()[0] == []
        # On SQLite Wagtail updates the entries of its search index one by one.
        return sum("indexentry" not in query["sql"] for query in queries)

    some = [record(f"some-{number}") for number in range(3)]
    many = [record(f"many-{number}") for number in range(30)]
    outcomes(write(tmp_path, *some, *many))
    count("some-")
    assert count("many-") <= count("some-") + 10


# Search backends that are not in the database


class RemoteIndex(BaseIndex):
    """Keeps the ids of what it was given."""

    kept: ClassVar[set[tuple[str, int]]] = set()

    def add_items(self, model: type[Any], items: Any) -> None:
        self.kept |= {(model.__name__, item.pk) for item in items}


class SearchBackend(BaseSearchBackend):
    index_class = RemoteIndex


def test_other_search_backends_are_given_everything(glossary, settings):
    RemoteIndex.kept.clear()
    settings.WAGTAILSEARCH_BACKENDS = {
        "default": {"BACKEND": "wagtail.search.backends.database"},
        "remote": {"BACKEND": __name__},
    }
    check()
    assert RemoteIndex.kept == set()
    check(fix=True)
    terms = {("TermPage", page.pk) for page in TermPage.objects.type(TermPage)}
    assert terms - {("TermPage", get("course").pk)} <= RemoteIndex.kept
    assert ("CourseTermPage", get("course").pk) in RemoteIndex.kept
    known = RelatedTerm.objects.values_list("pk", flat=True)
    assert {("RelatedTerm", pk) for pk in known} <= RemoteIndex.kept
