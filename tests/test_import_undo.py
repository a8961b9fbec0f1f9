"""An undo goes back to what was before a run, where nobody has been since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from wagtail.models import GroupPagePermission, PageLogEntry, Revision

from glossary.content import page_content
from glossary.models import (
    GlossaryPage,
    ImportRecord,
    ImportRun,
    RelatedTerm,
    TermPage,
)

from .factories import make_glossary, make_term
from .payloads import outcomes, record, results, run, undo, write


pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


def get(slug: str = "token") -> TermPage:
    return TermPage.objects.get(slug=slug).specific


def last() -> int:
    return ImportRun.objects.latest("pk").pk


def said() -> dict[str, Any]:
    """What the pages say and what is remembered of them, but for numbers of
    revisions."""
    found = {}
    for term in TermPage.objects.order_by("pk"):
        term = term.specific
        latest = term.get_latest_revision_as_object()
        found[term.slug] = {
            "live": term.live,
            "draft": term.live and term.has_unpublished_changes,
            "stored": page_content(term) if term.live else None,
            "latest": page_content(latest),
            "title": term.draft_title,
            "blocks": [child["id"] for child in latest.faq.raw_data],
        }
    records = {
        record.key: {
            name: getattr(record, name)
            for name in ("page_id", "base", "proposal", "payload_id", "digest")
        }
        | {
            "untouched": record.page is not None
            and record.revision == record.page.latest_revision_id
        }
        for record in ImportRecord.objects.select_related("page")
    }
    return {
        "pages": found,
        "records": records,
        "related": {
            known.slug: (known.name, known.page_id)
            for known in RelatedTerm.objects.all()
        },
    }


def edit(slug: str, *, publish: bool = True, **fields: Any) -> None:
    term = get(slug)
    for name, value in fields.items():
        setattr(term, name, value)
    revision = term.save_revision()
    if publish:
        revision.publish()


CHANGED = record(
    term="A token",
    h1="Changed",
    relatedTerms=[{"slug": "vector", "name": "Vector"}],
    faq=[{"question": "New?", "answer": "Yes."}],
    labels=["tok"],
    tags=["other"],
    category="maths",
)


def test_new_terms_are_unpublished(glossary: GlossaryPage, tmp_path: Path) -> None:
    run(write(tmp_path, record(), record("other")))
    number = last()
    undo(number)
    assert TermPage.objects.count() == 2
    assert not TermPage.objects.live().exists()
    found = ImportRun.objects.get(pk=last())
    assert (found.kind, found.undoes_id, found.status) == ("undo", number, "finished")
    assert found.total == found.done == sum(found.counts.values()) == 2
    actions = PageLogEntry.objects.filter(page=get().pk).order_by("pk")
    assert [entry.action for entry in actions][-2:] == [
        "wagtail.unpublish",
        "glossary.import_undo",
    ]


def test_changes_are_reverted_as_new_revisions(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record(), record("other")))
    before = said()
    run(write(tmp_path, CHANGED, record("other")))
    assert said() != before
    revisions = get().revisions.count()
    undo(last())
    after = said()
    # What was made for it stays: a name is wanted, or unused.
    del after["related"]["vector"]
    assert after == before
    assert get().revisions.count() == revisions + 1
    assert get().live_revision_id == get().latest_revision_id


def test_the_next_import_does_the_same_again(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record()))
    path = write(tmp_path, CHANGED)
    assert outcomes(path) == {"token": "update"}
    after = said()
    undo(last())
    assert outcomes(path) == {"token": "update"}
    again = said()
    for state in (after, again):  # new blocks have new ids
        state["pages"]["token"].pop("blocks")
    assert again == after


def test_drafts_are_reverted_as_drafts(glossary: GlossaryPage, tmp_path: Path) -> None:
    run(write(tmp_path, record()))
    edit("token", publish=False, short_definition="Half-written")
    before = said()
    run(write(tmp_path, record(h1="New")))
    undo(last())
    assert said() == before
    term = get()
    assert (term.live, term.has_unpublished_changes) == (True, True)
    assert term.short_definition == "What token means."


def test_a_draft_that_was_made_of_a_published_term_is_taken_back(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record()))
    before = said()
    run(write(tmp_path, record(h1="New")), draft=True)
    undo(last())
    assert said() == before
    assert not get().has_unpublished_changes


def test_what_was_touched_since_is_listed_and_left(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    slugs = ("edited", "drafted", "off", "deleted", "again", "locked", "free")
    run(write(tmp_path, *map(record, slugs)))
    run(write(tmp_path, *(record(slug, h1="New") for slug in slugs)))
    number = last()
    edit("edited", heading="An editor's")
    edit("drafted", publish=False, heading="An editor's")
    get("off").unpublish()
    get("deleted").delete()
    run(
        write(
            tmp_path,
            *(record(slug, h1="New") for slug in slugs if slug != "again"),
            record("again", h1="Newer"),
        )
    )
    TermPage.objects.filter(slug="locked").update(locked=True)
    before = said()
    found = results(undo(number, status=1, json=True))
    assert {key: each["outcome"] for key, each in found.items()} == {
        **dict.fromkeys(slugs, "conflict"),
        "free": "update",
    }
    messages = {key: str(each["remarks"]) for key, each in found.items()}
    assert "deleted since" in messages["deleted"]
    assert "locked" in messages["locked"]
    for slug in ("edited", "drafted", "off", "again"):
        assert "since" in messages[slug]
    assert get("free").heading == "What is free?"
    after = said()
    for state in (before, after):
        del state["pages"]["free"], state["records"]["free"]
    assert after == before


def test_an_undo_can_be_undone(glossary: GlossaryPage, tmp_path: Path) -> None:
    make_term(glossary, "hand", title="Hand", short_definition="What hand means.")
    run(write(tmp_path, record(), record("mine"), record("gone"), record("draft")))
    edit("mine", heading="Ours", short_definition="Ours")
    edit("draft", publish=False, short_definition="Half-written")
    before = said()
    path = write(
        tmp_path,
        CHANGED,
        record("mine", h1="Theirs", faq=[]),
        record("new"),
        record("hand"),
        record("draft", h1="New"),
    )
    run(
        path,
        status=1,
        adopt=True,
        orphans="unpublish",
        orphan_limit=50,
        yes=True,
    )
    after = said()
    assert after["records"]["mine"]["proposal"] == {"heading": "Theirs"}
    first = last()
    undo(first)
    undone = said()
    for slug in ("token", "mine", "gone", "hand", "draft"):
        assert undone["pages"][slug] == before["pages"][slug], slug
    for key in ("token", "mine", "gone", "draft"):
        assert undone["records"][key] == before["records"][key], key
    second = last()
    undo(second)
    assert said() == after
    # And so on.
    undo(last())
    assert said() == undone


def test_a_run_that_has_been_undone_is_not_undone_twice(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record()))
    run(write(tmp_path, CHANGED))
    number = last()
    undo(number)
    before = said()
    undo(number, status=1)
    assert said() == before


def test_a_term_that_an_undo_withdrew_comes_back_live(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, record(), record("other"))
    run(path)
    after = said()
    undo(last())
    changed = write(
        tmp_path, record(h1="Changed"), record("other"), name="changed.jsonl"
    )
    assert set(outcomes(changed, dry_run=True).values()) == {"update"}
    assert set(outcomes(path).values()) == {"update"}
    assert said() == after
    number = last()
    assert set(outcomes(path).values()) == {"unchanged"}
    undo(number)
    assert not TermPage.objects.live().exists()
    assert set(outcomes(changed).values()) == {"update"}
    assert get().heading == "Changed"
    assert TermPage.objects.live().count() == 2


def test_a_withdrawn_term_comes_back_as_a_draft_where_drafts_are_asked_for(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, record())
    run(path)
    undo(last())
    run(path, draft=True)
    assert not get().live


def test_a_withdrawn_term_that_a_person_has_taken_up_stays_theirs(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, record())
    run(path)
    undo(last())
    edit("token", publish=False, heading="An editor's")
    assert outcomes(path, status=1) == {"token": "conflict"}
    term = get()
    assert not term.live
    assert term.get_latest_revision_as_object().heading == "An editor's"


def test_an_adopted_page_is_the_persons_again(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    make_term(glossary, "token", title="Token", short_definition="What token means.")
    before = said()["pages"]
    path = write(tmp_path, record())
    run(path, adopt=True)
    after = said()
    undo(last())
    assert said()["pages"] == before
    assert outcomes(path, status=1) == {"token": "conflict"}
    assert outcomes(path, adopt=True) == {"token": "adopt"}
    again = said()
    for state in (after, again):
        state["pages"]["token"].pop("blocks")
    assert again == after


def test_a_stopped_run_is_undone_as_far_as_it_came(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    slugs = ("a", "b", "c", "d")
    run(write(tmp_path, *map(record, slugs)))
    before = said()
    wrong = record("b", h1="New", faq="no list")
    run(
        write(tmp_path, record("a", h1="New"), wrong, record("c", h1="New")),
        chunk_size=1,
        max_errors=0,
        status=1,
    )
    assert ImportRun.objects.get(pk=last()).status == "stopped"
    assert (get("a").heading, get("c").heading) == ("New", "What is c?")
    found = results(undo(last(), json=True))
    assert {key: each["outcome"] for key, each in found.items()} == {"a": "update"}
    assert said() == before


def test_orphans_are_published_again(glossary: GlossaryPage, tmp_path: Path) -> None:
    run(write(tmp_path, record(), record("gone"), record("drafted")))
    edit("drafted", publish=False, heading="Half-written")
    before = said()
    run(
        write(tmp_path, record()),
        orphans="unpublish",
        orphan_limit=100,
        yes=True,
    )
    assert not get("gone").live
    undo(last())
    assert get("gone").live
    assert said() == before


def test_a_conflict_that_was_settled_is_open_again(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record()))
    edit("token", heading="Ours")
    before = said()
    path = write(tmp_path, record(h1="Theirs"))
    for policy, status in (("theirs", 0), ("ours", 0), ("draft", 1)):
        revisions = get().revisions.count()
        run(path, on_conflict=policy, status=status)
        undo(last())
        assert said() == before, policy
        # Where the page was left alone, there is nothing to revert.
        added = get().revisions.count() - revisions
        assert added == (2 if policy == "theirs" else 0)
        assert outcomes(path, dry_run=True, status=1) == {"token": "conflict"}


def test_a_renamed_term_gets_its_name_back(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    other = record("other", relatedTerms=[{"slug": "token", "name": "Token"}])
    run(write(tmp_path, record(), other))
    run(write(tmp_path, record(term="Lexical token"), other))
    assert RelatedTerm.objects.get(slug="token").name == "Lexical token"
    undo(last())
    assert RelatedTerm.objects.get(slug="token").name == "Token"
    assert get().title == get().draft_title == "Token"


def test_it_needs_the_right_to_publish(glossary: GlossaryPage, tmp_path: Path) -> None:
    group = Group.objects.create(name="Editors here")
    for permission in ("add", "change"):
        GroupPagePermission.objects.create(
            group=group, page_id=glossary.pk, permission_type=permission
        )
    get_user_model().objects.create_user("editor").groups.add(group)
    run(write(tmp_path, record(), record("other")))
    number = last()
    before = said()
    found = results(undo(number, status=1, user="editor", json=True))
    assert {each["outcome"] for each in found.values()} == {"conflict"}
    for each in found.values():
        assert each["remarks"][0]["message"] == "You may not publish this page."
    assert said() == before
    group.page_permissions.create(
        page_id=glossary.pk,
        permission=GroupPagePermission.objects.create(
            group=Group.objects.create(name="other"),
            page_id=glossary.pk,
            permission_type="publish",
        ).permission,
    )
    undo(number, user="editor")
    assert not TermPage.objects.live().exists()
    user = get_user_model().objects.get()
    assert {term.latest_revision.user for term in TermPage.objects.all()} == {None}
    entries = PageLogEntry.objects.filter(action="glossary.import_undo")
    assert {entry.user for entry in entries} == {user}


def test_many_terms_are_undone_in_chunks(
    glossary: GlossaryPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slugs = [f"term-{number}" for number in range(7)]
    run(write(tmp_path, *map(record, slugs)))
    before = said()
    run(write(tmp_path, *(record(slug, h1="New") for slug in slugs)))
    undo(last(), chunk_size=3)
    assert said() == before
    assert ImportRun.objects.get(pk=last()).counts == {"update": 7}


def test_there_is_no_such_run(glossary: GlossaryPage) -> None:
    assert "There is no run 99." in undo(99, status=2)


def test_a_run_that_wrote_nothing_is_undone_without_a_word(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    path = write(tmp_path, record())
    run(path)
    run(path)
    before = said()
    undo(last())
    assert said() == before


def test_a_version_that_was_purged_is_not_gone_back_to(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, record()))
    run(write(tmp_path, CHANGED))
    latest = get().latest_revision_id
    Revision.objects.for_instance(get()).exclude(pk=latest).delete()
    before = said()
    printed = undo(last(), status=1)
    assert "The version to go back to is no longer in the page’s history." in printed
    assert said() == before
