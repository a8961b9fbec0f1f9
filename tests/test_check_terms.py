"""What is stored twice is compared, and repaired where it differs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import swapper
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import Locale, ReferenceIndex, Revision

from glossary.content import page_content
from glossary.importing.consistency import checking
from glossary.importing.consistency.checking import Consistency
from glossary.importing.lock import STALE_AFTER
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


pytestmark = pytest.mark.django_db

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


def tie_related_term_elsewhere(glossary: GlossaryPage) -> None:
    stranger = make_term(make_glossary("elsewhere"), "stranger")
    RelatedTerm.objects.filter(page=stranger).delete()
    wanted = make_related_term(glossary, "wanted")
    RelatedTerm.objects.filter(pk=wanted.pk).update(page=stranger)
    ReferenceIndex.create_or_update_for_object(RelatedTerm.objects.get(slug="wanted"))
    RelatedTerm.objects.create(
        glossary=stranger.glossary, slug="stranger", name="Stranger"
    )


def link_into_another_glossary(glossary: GlossaryPage) -> None:
    stray = make_related_term(make_glossary("elsewhere"), "vector")
    TermLink.objects.filter(term=get()).update(related_term=stray)
    ReferenceIndex.create_or_update_for_object(get())


def link_twice_through_another_glossary(glossary: GlossaryPage) -> None:
    stray = make_related_term(make_glossary("elsewhere"), "vector")
    TermLink.objects.create(term=get(), related_term=stray, sort_order=1)
    ReferenceIndex.create_or_update_for_object(get())


def lose_references(glossary: GlossaryPage) -> None:
    ReferenceIndex.get_references_for_object(get()).delete()


def keep_an_old_reference(glossary: GlossaryPage) -> None:
    row = ReferenceIndex.get_references_for_object(get()).first()
    row.pk = None
    row.to_object_id = str(home_page().pk)
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
    (have_another_address, [("tree", "token")]),
    (lose_related_term, [("related-terms", "draft")]),
    (untie_related_term, [("related-terms", "token")]),
    (tie_another_related_term, [("related-terms", "token")]),
    (tie_related_term_elsewhere, [("related-terms", "wanted")]),
    (link_into_another_glossary, [("links", "token")]),
    (link_twice_through_another_glossary, [("links", "token")]),
    (lose_references, [("references", "token")]),
    (keep_an_old_reference, [("references", "token")]),
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
    assert check() == check(fix=True)
    assert check()[0] == []
    after = texts()
    assert before["names"] <= after["names"] | {("other", "Other")}
    assert Page.find_problems() == ([], [], [], [], [])
    if break_it is not link_into_another_glossary:
        assert {pk: text["title"] for pk, text in after["pages"].items()} == {
            pk: text["title"] for pk, text in before["pages"].items()
        }
