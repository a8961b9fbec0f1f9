"""Payloads go out as they came in, and an edit changes what was edited."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.blocks import StreamValue

from glossary.exporting import terms_to_export
from glossary.exporting.payload import export_payload, payload_files
from glossary.models import (
    ImportPayload,
    ImportRecord,
    ImportSource,
    TermPage,
)
from glossary.payload.devalue import dumps, loads, to_plain
from glossary.payload.edit import record_at
from glossary.payload.schema import find_term

from .factories import make_glossary, make_related_term, make_term


if TYPE_CHECKING:
    from collections.abc import Callable

    from glossary.models import GlossaryPage

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "glossary"
PAYLOADS = sorted(FIXTURES.glob("*/_payload.json"))


def import_file(glossary: GlossaryPage, name: str, data: bytes, **options: Any) -> str:
    """Import a file by the command, which says what it did."""
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        call_command(
            "import_terms", path, glossary=glossary.slug, stdout=out, **options
        )
    return out.getvalue()


def import_term(glossary: GlossaryPage, raw: bytes, *, key: str = "") -> TermPage:
    """The page that an import makes of a payload."""
    key = key or record_of(raw)["slug"]
    import_file(glossary, f"{key}/_payload.json", raw)
    return TermPage.objects.in_glossary(glossary).get(slug=key)


def exported(page: TermPage, **options: Any) -> bytes:
    selection = terms_to_export(
        page.get_parent().specific, slugs=[page.slug], **options
    )
    (loaded,) = selection
    return export_payload(loaded)


def edit(page: TermPage, **fields: Any) -> None:
    """As an editor does: change it and publish."""
    page = TermPage.objects.get(pk=page.pk)
    for name, value in fields.items():
        setattr(page, name, value)
    page.save_revision().publish()


def forget_revisions() -> None:
    """Let an export compare, instead of trusting that nothing has changed."""
    ImportRecord.objects.update(revision=None)


def record_of(raw: bytes) -> dict[str, Any]:
    return find_term(loads(raw, unknown="tagged")).record


def differences(before: bytes, after: bytes) -> set[str]:
    """The fields of the record that differ, and "" if anything else does."""
    graphs = [loads(raw, unknown="tagged") for raw in (before, after)]
    records = [record_at(graph, find_term(graph)) for graph in graphs]
    plain = [to_plain(record) for record in records]
    fields = {
        name
        for name in {**plain[0], **plain[1]}
        if plain[0].get(name) != plain[1].get(name)
    }
    for record in records:
        record.clear()
    rest = {dumps(graph) for graph in graphs}
    return fields | ({""} if len(rest) > 1 else set())


# What was not touched


def test_untouched_payloads_come_back_byte_for_byte():
    glossary = make_glossary()
    raw = {path.parent.name: path.read_bytes() for path in PAYLOADS}
    for slug, data in raw.items():
        import_term(glossary, data, key=slug)
    names = {f"{slug}/_payload.json": data for slug, data in raw.items()}
    assert dict(payload_files(terms_to_export(glossary))) == names
    forget_revisions()
    assert dict(payload_files(terms_to_export(glossary))) == names


def test_the_payload_of_a_real_site_comes_back_byte_for_byte(
    shared_data: Callable[[str], Path],
):
    raw = shared_data("seed/_payload.json").read_bytes()
    page = import_term(make_glossary(), raw)
    assert exported(page) == raw
    forget_revisions()
    assert exported(page) == raw


def test_what_an_older_devalue_wrote_comes_back_as_it_was():
    raw = (
        b'\xef\xbb\xbf[["Reactive",1],{"data":2,"list":4},{"x":3},{"slug":5,"term":6,'
        b'"h1":-1,"explanation":7,"at":8,"shortDefinition":6},[5,5],"a","A/B",'
        b'"*one*  \\ntwo",["Date","2001-09-09T01:46:40.000Z"]]\n'
    )
    page = import_term(make_glossary(), raw)
    forget_revisions()
    assert exported(page) == raw


def test_an_untouched_term_is_exported_without_reading_it(django_assert_num_queries):
    page = import_term(make_glossary(), PAYLOADS[0].read_bytes())
    (loaded,) = terms_to_export(page.get_parent().specific)
    export_payload(loaded)
    assert loaded._content is None


def test_an_edit_that_was_taken_back_leaves_no_trace():
    raw = PAYLOADS[0].read_bytes()
    page = import_term(make_glossary(), raw)
    before = page.short_definition
    edit(page, short_definition="Something else.")
    assert exported(page) != raw
    edit(page, short_definition=before)
    assert exported(page) == raw


# What was edited


def test_an_edit_changes_its_field_and_nothing_else():
    raw = PAYLOADS[0].read_bytes()
    page = import_term(make_glossary(), raw)
    edit(page, short_definition="Now <different>.")
    after = exported(page)
    assert differences(raw, after) == {"shortDefinition"}
    assert record_of(after)["shortDefinition"] == "Now <different>."
    assert list(record_of(after)) == list(record_of(raw))


def child_of(page: TermPage, stream: str, position: int, **values: Any) -> StreamValue:
    """The stream with some values of one child changed."""
    value = getattr(TermPage.objects.get(pk=page.pk), stream)
    raw = [json.loads(json.dumps(child)) for child in value.raw_data]
    raw[position]["value"].update(values)
    return StreamValue(value.stream_block, raw, is_lazy=True)


def test_an_edited_answer_leaves_the_other_questions_as_they_were():
    raw = PAYLOADS[0].read_bytes()
    page = import_term(make_glossary(), raw)
    edit(page, faq=child_of(page, "faq", 1, answer="<p>A <b>new</b> answer.</p>"))
    after = exported(page)
    assert differences(raw, after) == {"faq"}
    before, now = record_of(raw)["faq"], record_of(after)["faq"]
    assert now[1] == {**before[1], "answer": "A **new** answer."}
    assert now[:1] + now[2:] == before[:1] + before[2:]


def payload_of(**fields: Any) -> bytes:
    record = {"slug": "a", "term": "A", "shortDefinition": "What it is.", **fields}
    return dumps({"data": {"$f": record}, "other": [1, "x/y"]}).encode()


def test_markdown_that_says_the_same_stays_as_it_was_written():
    text = "* one\n* two\n\nA __strong__ word\nin two lines."
    raw = payload_of(explanation=text, faq=[{"question": "Why?", "answer": text}])
    page = import_term(make_glossary(), raw)
    edit(page, heading="A heading")
    after = exported(page)
    assert differences(raw, after) == {"h1"}
    assert record_of(after)["explanation"] == text


def test_a_new_field_goes_where_a_payload_has_it():
    raw = payload_of(faq=[], custom={"k": [1]})
    page = import_term(make_glossary(), raw)
    edit(page, heading="H", seo_title="S")
    assert list(record_of(exported(page))) == [
        *("slug", "term", "shortDefinition", "seoTitle", "h1", "faq", "custom"),
    ]


def test_questions_that_were_moved_removed_and_added_follow_the_page():
    faq = [
        {"question": name, "answer": f"__{name}__", "id": name}
        for name in ("one", "two", "three")
    ]
    raw = payload_of(faq=faq)
    page = import_term(make_glossary(), raw)
    stream = page.faq
    children = list(stream.raw_data)
    new = {
        "type": "question",
        "value": {"question": "new", "answer": "<p>New.</p>"},
        "id": None,
    }
    edit(
        page,
        faq=StreamValue(
            stream.stream_block, [children[2], new, children[0]], is_lazy=True
        ),
    )
    assert record_of(exported(page))["faq"] == [
        faq[2],
        {"question": "new", "answer": "New."},
        faq[0],
    ]


def test_a_slug_that_was_changed_here_is_the_slug_of_the_payload():
    raw = PAYLOADS[0].read_bytes()
    page = import_term(make_glossary(), raw)
    edit(page, slug="another")
    page.refresh_from_db()
    after = exported(page)
    assert differences(raw, after) == {"slug"}
    assert record_of(after)["slug"] == "another"


def test_a_link_follows_a_related_term_that_was_renamed():
    glossary = make_glossary()
    raw = payload_of(relatedTerms=[{"slug": "b", "name": "Bee", "x": 1}])
    page = import_term(glossary, raw)
    other = make_term(glossary, "b", title="B")
    edit(other, slug="bee")
    assert record_of(exported(page))["relatedTerms"] == [
        {"slug": "bee", "name": "Bee"},
    ]


def test_wrappers_stay_around_what_is_edited():
    raw = (
        b'[{"data":1},{"k":2},["Reactive",3],{"slug":4,"term":5,"h1":6,'
        b'"explanation":9,"shortDefinition":5},"a","A",["EmptyRef",7],"\\"\\"",0,["Ref",10],"Text."]'
    )
    page = import_term(make_glossary(), raw)
    edit(page, heading="H", explanation=[])
    fields = record_at(
        value := loads(exported(page), unknown="tagged"), find_term(value)
    )
    assert repr(fields["h1"]) == "Tagged(tag='Ref', value='H')"
    assert repr(fields["explanation"]) == "Tagged(tag='EmptyRef', value='')"


def test_a_section_with_a_heading_is_written_as_a_section():
    raw = payload_of(explanation="Text.", howItWorks="How.")
    page = import_term(make_glossary(), raw)
    edit(page, explanation=child_of(page, "explanation", 0, heading="Heading"))
    after = exported(page)
    assert differences(raw, after) == {"sections"}
    assert record_of(after)["sections"] == [
        {"kind": "explanation", "heading": "Heading", "text": "Text."},
        {"kind": "how_it_works", "heading": "", "text": "How."},
    ]
    edit(page, explanation=child_of(page, "explanation", 0, heading=""))
    assert exported(page) == raw


def test_labels_that_came_as_aliases_stay_there():
    raw = payload_of(labels=["L"], aliases=["one", {"text": "two"}, "three"])
    page = import_term(make_glossary(), raw)
    page = TermPage.objects.get(pk=page.pk)
    page.labels.set([label for label in page.labels.all() if label.text != "two"])
    page.save_revision().publish()
    after = record_of(exported(page))
    assert (after["labels"], after["aliases"]) == (["L"], ["one", "three"])


def test_a_comparison_gets_its_slug_where_an_import_would_not_find_it():
    glossary = make_glossary()
    raw = payload_of(
        vsRelatedConcepts=[
            {"term": "Bee", "comparison": "*Same*."},
            {"term": "Sea", "comparison": "Other."},
        ],
        relatedTerms=[{"slug": "b", "name": "Bee"}],
    )
    page = import_term(glossary, raw)
    assert exported(page) == raw
    sea = make_related_term(glossary, "sea")
    edit(page, comparisons=child_of(page, "comparisons", 1, related_term=sea.pk))
    after = exported(page)
    assert differences(raw, after) == {"vsRelatedConcepts"}
    assert record_of(after)["vsRelatedConcepts"] == [
        {"term": "Bee", "comparison": "*Same*."},
        {"term": "Sea", "comparison": "Other.", "slug": "sea"},
    ]


def test_a_conflict_that_waits_is_not_exported():
    raw = PAYLOADS[0].read_bytes()
    page = import_term(make_glossary(), raw)
    newer = raw.replace(b"An agent is", b"WAITING is")
    payload = ImportPayload.of(newer, "payload")
    payload.save()
    ImportRecord.objects.update(
        payload=payload, digest="", proposal={"short_definition": "WAITING"}
    )
    after = exported(page)
    assert b"WAITING" not in after
    assert record_of(after) == record_of(raw)


# Terms that never had a payload


def test_a_term_made_here_gets_the_envelope_of_a_nuxt_site(settings):
    glossary = make_glossary()
    page = make_term(glossary, "new-term", title="New term")
    assert exported(page).startswith(
        b'[{"data":1,"prerenderedAt":-1},["ShallowReactive",2],'
        b'{"glossary-new-term":3},{"slug":4,"term":5,"shortDefinition":6,'
    )
    settings.GLOSSARY_PAYLOAD_KEY = "term:%(slug)s"
    assert b'{"term:new-term":3}' in exported(page)


def test_a_line_of_json_becomes_a_payload_with_its_own_words():
    record = {"slug": "a", "term": "A", "shortDefinition": "B", "custom": [1]}
    record["explanation"] = "__A__"
    glossary = make_glossary()
    import_file(glossary, "a.json", json.dumps(record).encode())
    page = TermPage.objects.get(slug="a")
    after = record_of(exported(page))
    assert list(after.items()) == list(record.items())


def test_the_payload_is_preferred_to_a_later_line_of_json():
    raw = PAYLOADS[0].read_bytes()
    glossary = make_glossary()
    page = import_term(glossary, raw)
    line = ImportPayload.of(json.dumps(record_of(raw)).encode(), "json")
    line.save()
    ImportRecord.objects.create(
        source=ImportSource.objects.create(glossary=glossary, key="other"),
        key=page.slug,
        page=page,
        payload=line,
        digest=line.pk,
        revision=page.latest_revision_id,
    )
    assert exported(page) == raw


# Chunks


def test_a_chunk_takes_as_many_queries_whatever_its_size():
    glossary = make_glossary()
    counts = []
    for paths in (PAYLOADS[:3], PAYLOADS[3:12]):
        for path in paths:
            import_term(glossary, path.read_bytes(), key=path.parent.name)
        forget_revisions()
        counts.append(queries(glossary))
    assert counts[0] == counts[1]
    assert counts[0] < 15


def queries(glossary: GlossaryPage, **options: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as context:
        for loaded in terms_to_export(glossary, **options):
            export_payload(loaded)
    return len(context)


def test_drafts_take_as_many_queries_whatever_their_number():
    glossary = make_glossary()
    counts = []
    for paths in (PAYLOADS[:3], PAYLOADS[3:12]):
        for path in paths:
            import_term(glossary, path.read_bytes(), key=path.parent.name)
        counts.append(queries(glossary, drafts=True))
    assert counts[0] == counts[1]
