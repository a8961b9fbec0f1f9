from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Locale, ModelLogEntry, PageLogEntry, Revision

from glossary.content import page_content
from glossary.models import (
    Category,
    GlossaryPage,
    ImportRecord,
    ImportRun,
    RelatedTerm,
    TermLink,
    TermPage,
)
from glossary.payload import devalue
from glossary.payload.schema import find_term

from . import payloads
from .factories import home_page, make_glossary, make_term, question
from .payloads import run


pytestmark = pytest.mark.django_db

Write = Callable[..., Path]

PROSE = """\
Text with **bold**, *italic* and `code`.

1. First
2. Second
   - Inner
   - Last"""


def record(slug: str = "token", **fields: Any) -> dict[str, Any]:
    """A term record with every field of the payload's shape, and no other."""
    shape = {"explanation": PROSE, "inChatbots": "- One\n- Two"}
    return payloads.record(slug, **{**shape, "labels": None, "tags": None, **fields})


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write records as payload files, one folder a term; gives the folder."""

    def write_records(*records: dict[str, Any]) -> Path:
        for entry in records:
            data = {"$f1": entry}
            envelope = {
                "data": devalue.Tagged("ShallowReactive", data),
                "prerenderedAt": devalue.UNDEFINED,
            }
            folder = tmp_path / "payloads" / entry["slug"]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "_payload.json").write_text(devalue.dumps(envelope))
        return tmp_path / "payloads"

    return write_records


def state() -> tuple[Any, ...]:
    """Everything that an import could write, to see that it wrote nothing."""
    return (
        *(
            list(model.objects.order_by("pk").values())
            for model in (TermPage, RelatedTerm, Category, TermLink, ImportRecord)
        ),
        Revision.objects.count(),
        PageLogEntry.objects.count(),
        ModelLogEntry.objects.count(),
    )


def test_every_field_arrives(glossary: GlossaryPage, write: Write) -> None:
    assert "1 new" in run(write(record()))
    term = TermPage.objects.get()
    assert term.live
    assert term.get_latest_revision() == term.live_revision
    assert page_content(term) == {
        "title": "Token",
        "heading": "What is token?",
        "short_definition": "What token means.",
        "seo_title": getattr(term, "seo_title", ""),
        "seo_description": getattr(term, "search_description", ""),
        "explanation": PROSE,
        "how_it_works": "It works.",
        "in_chatbots": "- One\n- Two",
        "sections": [
            {"kind": "explanation", "heading": "", "text": PROSE},
            {"kind": "how_it_works", "heading": "", "text": "It works."},
            {"kind": "in_chatbots", "heading": "", "text": "- One\n- Two"},
        ],
        "feature_labels": {},
        "comparisons": [
            {"term": "Embedding", "slug": "embedding", "comparison": "A **vector**."}
        ],
        "related_terms": [{"slug": "embedding", "kind": "related"}],
        "related_features": ["features/search"],
        "faq": [
            {"question": "Is it a word?", "answer": "Not always."},
            {"question": "How long is it?", "answer": "Short."},
        ],
        "category": "language-models",
        "labels": [],
        "tags": [],
        "extra": term.payload_extra,
    }
    if hasattr(term, "seo_title"):
        assert (term.seo_title, term.search_description) == (
            "token in short",
            "A description.",
        )
    else:
        assert term.payload_extra["seo_title"] == "token in short"
    assert Category.objects.get().name == "Language models"
    assert [child.block_type for child in term.explanation] == ["section"] * 3
    actions = PageLogEntry.objects.filter(page_id=term.pk).values_list(
        "action", flat=True
    )
    assert {"glossary.import_create", "wagtail.publish"} <= set(actions)


def test_a_second_run_writes_nothing(glossary: GlossaryPage, write: Write) -> None:
    folder = write(record(), record("embedding"), record("vector", labels=["v"]))
    run(folder)
    before = state()
    assert "3 unchanged" in run(folder)
    assert state() == before


def test_a_dry_run_writes_nothing_and_shows_each_field(
    glossary: GlossaryPage, write: Write
) -> None:
    folder = write(record())
    before = state()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        printed = run(folder, dry_run=True)
    assert state() == before
    assert not [
        query["sql"]
        for query in queries
        if query["sql"].split()[0] in {"INSERT", "UPDATE", "DELETE"}
    ]
    assert "Nothing was written" in printed
    assert "short_definition: None → What token means." in printed


@pytest.mark.parametrize("order", [("token", "embedding"), ("embedding", "token")])
def test_links_resolve_whatever_the_order(
    glossary: GlossaryPage, tmp_path: Path, order: tuple[str, str]
) -> None:
    lines = tmp_path / "terms.jsonl"
    lines.write_text("\n".join(json.dumps(record(slug)) for slug in order))
    run(lines)
    token, embedding = (
        TermPage.objects.get(slug=slug) for slug in ("token", "embedding")
    )
    [link] = token.related_terms.all()
    assert link.related_term.page == embedding
    assert token.comparisons[0].value["related_term"].page == embedding


def test_a_comparison_means_the_terms_own_related_term_first(
    glossary: GlossaryPage, write: Write
) -> None:
    run(
        write(
            record("alignment", term="Alignment"),
            record("alignment-translation", term="Alignment"),
            record(
                "tax",
                relatedTerms=[{"slug": "alignment-translation", "name": "Alignment"}],
                vsRelatedConcepts=[
                    {"term": "Alignment", "comparison": "By its own links."},
                    {"term": "token", "comparison": "By title."},
                    {"term": "Unheard of", "comparison": "By nothing."},
                ],
            ),
            record("token"),
            record(
                "other",
                relatedTerms=[],
                vsRelatedConcepts=[{"term": "Alignment", "comparison": "Ambiguous."}],
            ),
        )
    )
    tax, other = (TermPage.objects.get(slug=slug) for slug in ("tax", "other"))
    found = [
        (
            child.value["name"],
            child.value["related_term"] and child.value["related_term"].slug,
        )
        for child in tax.comparisons
    ]
    assert found == [
        ("Alignment", "alignment-translation"),
        ("token", "token"),
        ("Unheard of", None),
    ]
    assert other.comparisons[0].value["related_term"] is None


def test_absent_fields_are_left_alone_and_empty_ones_are_emptied(
    glossary: GlossaryPage, tmp_path: Path, write: Write
) -> None:
    run(write(record(labels=["tok"], tags=["basics"])))
    partial = tmp_path / "partial.json"
    partial.write_text(
        json.dumps({"slug": "token", "term": "Token", "h1": None, "faq": []})
    )
    assert "1 changed" in run(partial)
    term = TermPage.objects.get()
    assert (term.heading, len(term.faq)) == ("", 0)
    assert term.short_definition == "What token means."
    assert len(term.explanation) == 3
    assert [label.text for label in term.labels.all()] == ["tok"]


def test_unknown_fields_are_kept(glossary: GlossaryPage, write: Write) -> None:
    run(write(record(reviewedBy={"name": "Ada"}, level=3)))
    extra = TermPage.objects.get().payload_extra
    assert extra["reviewedBy"] == {"name": "Ada"}
    assert extra["level"] == 3


def test_what_stays_keeps_its_block_ids(glossary: GlossaryPage, write: Write) -> None:
    run(write(record()))
    before = {child.value["question"]: child.id for child in TermPage.objects.get().faq}
    changed = record()
    changed["faq"].reverse()
    changed["faq"].insert(0, {"question": "New?", "answer": "Yes."})
    run(write(changed))
    after = {child.value["question"]: child.id for child in TermPage.objects.get().faq}
    assert before.items() <= after.items()


def test_an_editors_change_is_kept_and_the_payloads_is_taken(
    glossary: GlossaryPage, write: Write
) -> None:
    run(write(record()))
    term = TermPage.objects.get()
    term.short_definition = "An editor's better definition."
    term.save_revision().publish()
    assert "1 merged" in run(write(record(h1="A new heading")))
    term.refresh_from_db()
    assert term.short_definition == "An editor's better definition."
    assert term.heading == "A new heading"


def test_changed_on_both_sides_is_a_conflict_and_the_page_keeps_its_own(
    glossary: GlossaryPage, write: Write
) -> None:
    run(write(record()))
    term = TermPage.objects.get()
    term.short_definition = "An editor's."
    term.save_revision().publish()
    folder = write(record(shortDefinition="The payload's.", h1="New"))
    for _run in range(2):  # it stays in conflict until someone decides
        printed = run(folder, status=1)
        assert "in conflict" in printed
        assert "short_definition: Changed here and in the payload" in printed
    term.refresh_from_db()
    assert (term.short_definition, term.heading) == ("An editor's.", "New")


def test_a_draft_of_a_person_stays_a_draft(
    glossary: GlossaryPage, write: Write
) -> None:
    run(write(record()))
    term = TermPage.objects.get()
    term.short_definition = "Half-written."
    term.save_revision()
    run(write(record(h1="New")))
    term.refresh_from_db()
    assert (term.short_definition, term.heading) == (
        "What token means.",
        "What is token?",
    )
    draft = term.get_latest_revision_as_object()
    assert (draft.short_definition, draft.heading) == ("Half-written.", "New")


def test_a_page_written_by_hand_is_filled_in_and_never_overwritten(
    glossary: GlossaryPage, write: Write
) -> None:
    term = make_term(
        glossary,
        "token",
        short_definition="By hand.",
        faq=[question("Mine?", "<p>Yes.</p>")],
    )
    before = state()
    printed = run(write(record()), status=1)
    assert "There is a page with this slug that no import has made." in printed
    assert state() == before

    printed = run(write(record()), status=1, adopt=True)
    assert "short_definition: Changed here" in printed
    term.refresh_from_db()
    assert term.short_definition == "By hand."
    questions = [child.value["question"] for child in term.faq]
    assert "Mine?" in questions
    assert len(questions) > 1
    assert term.heading == "What is token?"


def test_a_renamed_page_stays_tied_to_its_payload(
    glossary: GlossaryPage, write: Write
) -> None:
    folder = write(
        record(), record("other", relatedTerms=[{"slug": "token", "name": "Token"}])
    )
    run(folder)
    term = TermPage.objects.get(slug="token")
    term.slug = "lexical-token"
    term.save_revision().publish()
    assert "2 unchanged" in run(folder)
    assert not TermPage.objects.filter(slug="token").exists()
    assert not RelatedTerm.objects.filter(slug="token").exists()


def test_a_term_emptied_by_the_payload_is_not_published(
    glossary: GlossaryPage, write: Write
) -> None:
    run(write(record()))
    assert "1 failed" in run(write(record(shortDefinition="")), status=1)
    assert TermPage.objects.get().short_definition == "What token means."


def test_a_deleted_page_comes_back_only_when_told_so(
    glossary: GlossaryPage, write: Write
) -> None:
    run(write(record()))
    TermPage.objects.get().delete()
    assert "Its page was deleted here." in run(write(record()))
    changed = write(record(h1="New"))
    assert "1 in conflict" in run(changed, status=1)
    assert not TermPage.objects.exists()
    assert "1 new" in run(changed, on_conflict="theirs")
    assert TermPage.objects.get().heading == "New"
    assert "1 unchanged" in run(changed)


def test_locked_pages_and_pages_in_a_workflow_are_left_alone(
    glossary: GlossaryPage, write: Write
) -> None:
    run(write(record()))
    TermPage.objects.update(locked=True)
    printed = run(write(record(h1="New")), status=1)
    assert "blocked" in printed
    assert "The page is locked." in printed
    assert TermPage.objects.get().heading == "What is token?"


def test_drafts_may_be_unfinished_and_publishing_may_not(
    glossary: GlossaryPage, write: Write
) -> None:
    folder = write(record(shortDefinition=""))
    before = state()
    printed = run(folder, status=1)
    assert "token: failed" in printed
    assert "short_definition: A term is not published without one" in printed
    assert state() == before
    assert "1 failed" in run(folder, status=1, dry_run=True)
    run(folder, draft=True)
    term = TermPage.objects.get()
    assert not term.live
    assert RelatedTerm.objects.filter(slug="embedding").exists()


def test_one_bad_file_does_not_stop_the_rest(
    glossary: GlossaryPage, write: Write
) -> None:
    folder = write(record(), record("embedding", faq="not a list"))
    (folder / "broken.json").write_text('[{"data":1')
    printed = run(folder, status=1)
    assert "1 new, 2 failed" in printed
    assert "broken.json" in printed
    assert "faq" in printed
    assert TermPage.objects.get().slug == "token"


def test_a_slug_counts_once_in_a_run(glossary: GlossaryPage, tmp_path: Path) -> None:
    lines = tmp_path / "twice.jsonl"
    lines.write_text("\n".join(json.dumps(record(h1=h1)) for h1 in ("First", "Second")))
    printed = run(lines, status=1)
    assert f"“token” is already the slug of {lines}:1 in this run." in printed
    assert TermPage.objects.get().heading == "First"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("<!doctype html><title>Not found</title>", "HTML"),
        ('{"error":true,"statusCode":404,"message":"Page not found"}', "404"),
        ("[" * 100_000, ""),
        ('[{"data":1},{"a":2},{"slug":3},"x"]', "no term"),
        ('[{"__proto__":1},{}]', "__proto__"),
        ('{"slug": "", "term": "Token"}', "slug"),
        ('{"slug": "token", "term": 7}', "term"),
        (
            '{"slug": "token", "term": "Token", "explanation": "'
            + "x" * 1_000_000
            + '"}',
            "explanation",
        ),
        ('{"slug": "token", "term": "Token", "h1": "' + "x" * 10_000_000 + '"}', ""),
    ],
    ids=[
        "empty",
        "html",
        "error page",
        "deep",
        "no term",
        "proto",
        "no slug",
        "wrong type",
        "long field",
        "10 MB",
    ],
)
def test_bad_input_gets_a_message_and_changes_nothing(
    glossary: GlossaryPage, tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "bad.json"
    file.write_text(content)
    before = state()
    printed = run(file, status=2)
    assert str(file) in printed
    assert message in printed
    assert "Traceback" not in printed
    assert len(printed) < 2000
    assert state() == before


def test_hostile_characters_reach_no_database(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    file = tmp_path / "hostile.json"
    file.write_text(
        json.dumps(
            record(
                shortDefinition="Zero \u0000 and \ud800 half",
                explanation="<script>alert(1)</script> [x](javascript:alert(1))",
            )
        )
    )
    printed = run(file)
    term = TermPage.objects.get()
    assert "\x00" not in term.short_definition
    assert "<script" not in term.explanation[0].value["body"].source
    assert "javascript:" not in term.explanation[0].value["body"].source.replace(
        "[x](javascript:", ""
    )
    assert "shortDefinition" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"glossary": "nothing"}, "There is no glossary “nothing”. There are: ai (en)"),
        ({"locale": "tlh"}, "The language “tlh” is not in use here"),
        ({"locale": "fr"}, "The language “fr” is not in use here"),
    ],
)
def test_what_does_not_exist_is_named(
    glossary: GlossaryPage, write: Write, options: dict[str, str], message: str
) -> None:
    assert message in run(write(record()), status=2, **options)
    assert not TermPage.objects.exists()


def test_a_path_that_does_not_exist_is_unusable(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    assert "nowhere" in run(tmp_path / "nowhere", status=2)


def test_the_language_tells_glossaries_of_one_slug_apart(
    glossary: GlossaryPage, write: Write
) -> None:
    french = Locale.objects.create(language_code="fr")
    other_home = home_page().copy_for_translation(french)
    french_glossary = make_glossary("ai", parent=other_home, locale=french)
    assert "Add --locale: en, fr" in run(write(record()), status=2)
    run(write(record()), locale="fr")
    assert TermPage.objects.get().get_parent() == french_glossary.page_ptr
    assert {known.locale for known in RelatedTerm.objects.all()} == {french}
    assert Category.objects.get().locale == french


def test_create_glossary_publishes_an_empty_glossary() -> None:
    out = StringIO()
    call_command("create_glossary", "words", title="Words", stdout=out)
    glossary = GlossaryPage.objects.get()
    assert glossary.live
    assert glossary.live_revision
    assert glossary.full_url in out.getvalue()
    with pytest.raises(CommandError, match="already in use"):
        call_command("create_glossary", "words", title="Again")
    with pytest.raises(CommandError, match="There can be no glossary under “Words”"):
        call_command("create_glossary", "inner", title="Inner", parent="/words/")
    with pytest.raises(CommandError, match="There is no page at /nowhere/"):
        call_command("create_glossary", "more", title="More", parent="/nowhere/")


def test_the_sample_survives_the_way_to_the_database_and_back(
    glossary: GlossaryPage, shared_data: Callable[[str], Path]
) -> None:
    path = shared_data("seed/_payload.json")
    run(path.parent)
    found = find_term(devalue.loads(path.read_bytes())).record
    content = page_content(TermPage.objects.get())
    assert content["title"] == found["term"]
    assert content["explanation"] == found["explanation"]
    assert content["how_it_works"] == found["howItWorks"]
    assert content["in_chatbots"] == found["inChatbots"]
    assert [item["answer"] for item in content["faq"]] == [
        item["answer"] for item in found["faq"]
    ]
    assert [item["comparison"] for item in content["comparisons"]] == [
        item["comparison"] for item in found["vsRelatedConcepts"]
    ]
    assert content["comparisons"][0]["slug"] == found["relatedTerms"][1]["slug"]
    before = state()
    assert "1 unchanged" in run(path.parent)
    assert state() == before


@pytest.mark.slow
@pytest.mark.parametrize("code", ["de", "ja", "ur"])
def test_a_real_glossary_imports_in_every_language(
    shared_data: Callable[[str], Path], code: str, settings: Any
) -> None:
    settings.WAGTAIL_CONTENT_LANGUAGES = settings.LANGUAGES = [
        (name, name) for name in ("en", "de", "fr", "ja", "ur")
    ]
    locale, _created = Locale.objects.get_or_create(language_code=code)
    glossary = make_glossary("ai", locale=locale)
    path = shared_data(f"cncf/terms.{code}.jsonl")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    # A term without a short definition cannot be published.
    complete = sum(bool(entry["shortDefinition"]) for entry in records)
    status = 0 if complete == len(records) else 1
    run(path, status=status)
    assert glossary.terms.live().count() == complete
    before = state()
    assert f"{complete} unchanged" in run(path, status=status)
    assert state() == before
    run(path, draft=True)
    assert glossary.terms.count() == len(records)


def test_what_a_page_cannot_hold_is_told(glossary: GlossaryPage, write: Write) -> None:
    folder = write(record(explanation="| a | b |\n| - | - |\n| 1 | 2 |"))
    told = "/explanation: A table became lines of text."
    assert told in run(folder, dry_run=True)
    assert told in run(folder)


def test_runs_of_the_same_input_have_the_same_digest(
    glossary: GlossaryPage, write: Write
) -> None:
    run(write(record()))
    run(write(record()))
    run(write(record(h1="Another")))
    first, second, third = ImportRun.objects.order_by("pk")
    assert first.digest == second.digest != third.digest
