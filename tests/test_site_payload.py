"""A term's payload at the address of its page, as its old front end reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from wagtail.models import PageViewRestriction, Site

from glossary.delivery.scope import make_scope
from glossary.exporting import terms_to_export
from glossary.exporting.delivered import payload_of, record_of
from glossary.exporting.payload import payload_files
from glossary.models import RelatedTerm, TermPage

from .factories import (
    comparison,
    home_page,
    make_category,
    make_glossary,
    make_term,
    question,
    section,
)
from .test_export_payload import PAYLOADS, edit, import_file, import_term
from .test_export_payload import payload_of as made_payload
from .test_export_payload import record_of as read_record


pytestmark = pytest.mark.django_db

CANARY = "canary"


def public_pages():
    return make_scope(Site.objects.get(is_default_site=True)).pages()


def exported(glossary) -> dict[str, bytes]:
    return dict(payload_files(terms_to_export(glossary)))


@pytest.mark.slow
def test_a_payload_is_what_an_export_writes():
    glossary = make_glossary("words")
    for path in PAYLOADS[:6]:
        import_file(glossary, f"{path.parent.name}/_payload.json", path.read_bytes())
    make_term(
        glossary,
        "made-here",
        category=make_category("research"),
        labels=["Label"],
        tags=["tag"],
        explanation=[section("<p>A <b>text</b>.</p>")],
        faq=[question("Why?", "<p>So.</p>")],
        comparisons=[comparison("Another", "<p>Other.</p>")],
    )
    edit(TermPage.objects.get(slug=PAYLOADS[0].parent.name), short_definition="New.")
    files = exported(glossary)
    assert len(files) == 7
    for path, data in files.items():
        response = Client().get(f"/words/{path}?_b=f00d-cafe")
        assert response["Content-Type"] == "application/json;charset=utf-8"
        assert response.content == data, path
        assert int(response["Content-Length"]) == len(data)


def test_a_record_is_the_one_in_the_payload():
    glossary = make_glossary("words")
    imported = import_term(glossary, made_payload(explanation="A *text*.", extra=[1]))
    edit(imported, short_definition="New.")
    made = make_term(glossary, "made", comparisons=[comparison("X", "<p>x</p>")])
    for page in (imported, made):
        record = record_of(page.pk, public_pages())
        assert record == read_record(payload_of(page.pk, public_pages()))
        assert [*record][:2] == ["slug", "term"]


def test_a_payload_of_another_kind_of_page_is_none():
    glossary = make_glossary()
    assert payload_of(glossary.pk, public_pages()) is None
    assert payload_of(0, public_pages()) is None
    assert record_of(home_page().pk, public_pages()) is None


@pytest.mark.parametrize("where", ["term", "glossary", "site"])
def test_what_is_hidden_has_no_payload(where):
    glossary = make_glossary()
    term = make_term(glossary, "token")
    assert payload_of(term.pk, public_pages()) is not None
    if where == "site":
        other_home = type(home_page())(title="Other", slug="other-home")
        home_page().get_parent().add_child(instance=other_home)
        Site.objects.filter(is_default_site=True).update(root_page=other_home)
    else:
        PageViewRestriction.objects.create(
            page=term if where == "term" else glossary,
            restriction_type=PageViewRestriction.LOGIN,
        )
    assert payload_of(term.pk, public_pages()) is None
    assert record_of(term.pk, public_pages()) is None


def test_a_term_of_an_unpublished_glossary_has_no_payload():
    glossary = make_glossary("words")
    term = make_term(glossary, "token")
    glossary.unpublish()
    assert payload_of(term.pk, public_pages()) is None
    assert Client().get("/words/token/_payload.json").status_code == 404


def test_a_payload_tells_of_no_other_site():
    root = home_page().get_parent()
    other_home = type(home_page())(title="Other", slug="other-home")
    root.add_child(instance=other_home)
    Site.objects.create(hostname=f"{CANARY}.example", root_page=other_home)
    theirs = make_term(make_glossary("theirs", parent=other_home), CANARY)
    glossary = make_glossary("words")
    link = f'<p>See <a linktype="page" id="{theirs.pk}">a text</a>.</p>'
    term = make_term(glossary, "token", explanation=[section(link)])
    payload = payload_of(term.pk, public_pages())
    assert CANARY not in payload.decode()
    assert "See a text." in read_record(payload)["explanation"]
    assert CANARY in exported(glossary)["token/_payload.json"].decode()


def test_a_payload_loses_what_has_been_hidden_since():
    glossary = make_glossary("words")
    hidden = make_term(glossary, CANARY)
    related = RelatedTerm.objects.get(page=hidden)
    term = make_term(
        glossary,
        "token",
        related_terms=[related],
        comparisons=[comparison("Other", "<p>x</p>", related)],
    )
    assert CANARY in payload_of(term.pk, public_pages()).decode()
    hidden.unpublish()
    assert CANARY not in payload_of(term.pk, public_pages()).decode()
    assert CANARY not in str(record_of(term.pk, public_pages()))


@pytest.mark.slow
def test_one_term_takes_a_fixed_number_of_queries(django_assert_max_num_queries):
    glossary = make_glossary("words")
    targets = [make_term(glossary, f"target-{number}") for number in range(6)]
    links = "".join(
        f'<p><a linktype="page" id="{page.pk}">x</a></p>' for page in targets
    )
    term = make_term(
        glossary,
        "token",
        explanation=[section(links)],
        related_terms=[RelatedTerm.objects.get(page=page) for page in targets],
        labels=["a", "b"],
        tags=["c"],
    )
    pages = public_pages()
    payload_of(term.pk, pages)
    with django_assert_max_num_queries(20):
        payload_of(term.pk, pages)


def test_the_demo_glossary_is_there():
    assert len(PAYLOADS) >= 6
    assert Path(PAYLOADS[0]).name == "_payload.json"


def test_a_payload_that_is_written_anew_is_delivered_anew(tmp_path):
    """It says the same, so that no page changes."""
    glossary = make_glossary("words")
    folder = tmp_path / "agent"
    folder.mkdir()
    [path] = [path for path in PAYLOADS if path.parent.name == "agent"]
    text = path.read_text(encoding="utf-8")
    client, address = Client(), "/api/glossary/v1/payload/agent/_payload.json"
    answers = []
    for name in ("$f1PC8", "$another"):
        written = text.replace("$f1PC8", name)
        (folder / "_payload.json").write_text(written, encoding="utf-8")
        call_command("import_terms", tmp_path, glossary=glossary.slug, verbosity=0)
        answers.append(client.get(address))
    first, second = answers
    assert b"$f1PC8" in first.content
    assert b"$another" in second.content
    assert first["ETag"] != second["ETag"]
