"""The form of a term, as the admin posts it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from django.forms import BaseForm
from django.test import Client
from django.urls import reverse
from wagtail.models import Locale
from wagtail.test.utils.form_data import (
    inline_formset,
    nested_form_data,
    rich_text,
    streamfield,
)

from glossary.models import GlossaryPage, RelatedTerm, TermLabel, TermLink, TermPage
from glossary.richtext import FEATURES

from .factories import make_category, make_glossary, make_related_term, make_term


pytestmark = pytest.mark.django_db

Row = dict[str, Any]

# What the rich text editor posts when nothing was written.
EMPTY = "null"


def prose(html: str) -> str:
    return rich_text(html, features=FEATURES)


def link_row(related_term: RelatedTerm, kind: str = "related", **extra: Any) -> Row:
    return {"related_term": related_term.pk, "kind": kind, **extra}


def label_row(text: str, kind: str = "synonym", **extra: Any) -> Row:
    return {"text": text, "kind": kind, "case_rule": "ignore", **extra}


def term_form(
    *,
    links: Iterable[Row] = (),
    labels: Iterable[Row] = (),
    action: str = "publish",
    **fields: Any,
) -> dict[str, Any]:
    """What the edit form of a term posts. A row with an ``id`` is a stored one."""
    links, labels = list(links), list(labels)
    data = {
        "title": "Embedding",
        "slug": "embedding",
        "heading": "",
        "short_definition": "A list of numbers that stands for a text.",
        "explanation": streamfield([]),
        "comparisons": streamfield([]),
        "faq": streamfield([]),
        "related_features": streamfield([]),
        "tags": "",
        "category": "",
        "related_terms": inline_formset(links, initial=stored(links)),
        "labels": inline_formset(labels, initial=stored(labels)),
        "comments": inline_formset([]),
        **fields,
    }
    data[f"action-{action}"] = action
    return nested_form_data(data)


def stored(rows: list[Row]) -> int:
    return sum("id" in row for row in rows)


def rows_of(term: TermPage, relation: str) -> list[Row]:
    """The stored rows of a term as its form shows them."""
    links = getattr(term, relation).all()
    names = {
        "related_terms": ("related_term_id", "kind"),
        "labels": ("text", "kind", "case_rule"),
    }[relation]
    return [
        {
            "id": link.pk,
            **{name.removesuffix("_id"): getattr(link, name) for name in names},
        }
        for link in links
    ]


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def term(glossary: GlossaryPage) -> TermPage:
    return make_term(glossary, "embedding", title="Embedding")


def post(client: Client, term: TermPage, **fields: Any) -> BaseForm | None:
    """Post the edit form; None if it was taken, else the form with its faults."""
    url = reverse("wagtailadmin_pages:edit", args=[term.pk])
    response = client.post(url, term_form(**fields))
    return response.context["form"] if response.status_code == 200 else None


def row_errors(form: BaseForm | None, relation: str) -> list[dict[str, Any]]:
    assert form is not None
    return [row.errors for row in form.formsets[relation].forms]


def test_a_link_to_the_term_itself_is_told_beside_its_row(
    admin_client: Client, glossary: GlossaryPage, term: TermPage
) -> None:
    rows = [
        link_row(make_related_term(glossary, "token")),
        link_row(make_related_term(glossary, "embedding")),
    ]
    form = post(admin_client, term, links=rows)
    assert row_errors(form, "related_terms") == [
        {},
        {"related_term": ["A term cannot be related to itself."]},
    ]


@pytest.mark.parametrize("action", ["publish", "save"])
def test_a_link_made_twice_is_told_beside_the_second(
    admin_client: Client, glossary: GlossaryPage, term: TermPage, action: str
) -> None:
    token = make_related_term(glossary, "token", name="Token")
    rows = [link_row(token), link_row(token, "see_also")]
    form = post(admin_client, term, links=rows, action=action)
    assert row_errors(form, "related_terms") == [
        {},
        {"related_term": ["“Token” is linked twice."]},
    ]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["vector", "Vector"], "The label “Vector” is there twice."),
        (["vector", "EMBEDDING"], "“EMBEDDING” is the name of the term itself."),
    ],
)
@pytest.mark.parametrize("action", ["publish", "save"])
def test_faulty_labels_are_told_beside_their_rows(
    admin_client: Client, term: TermPage, texts: list[str], message: str, action: str
) -> None:
    form = post(admin_client, term, labels=map(label_row, texts), action=action)
    assert row_errors(form, "labels") == [{}, {"text": [message]}]


def test_all_faults_are_told_at_once(
    admin_client: Client, glossary: GlossaryPage, term: TermPage
) -> None:
    token = make_related_term(glossary, "token", name="Token")
    form = post(
        admin_client,
        term,
        short_definition="",
        links=[link_row(token), link_row(token), {"related_term": "", "kind": "x"}],
        labels=[label_row("embedding")],
    )
    assert form is not None
    assert set(form.errors) == {"short_definition"}
    assert [set(errors) for errors in row_errors(form, "related_terms")] == [
        set(),
        {"related_term"},
        {"related_term", "kind"},
    ]
    assert [set(errors) for errors in row_errors(form, "labels")] == [{"text"}]


def test_a_row_that_is_deleted_is_no_fault(
    admin_client: Client, glossary: GlossaryPage, term: TermPage
) -> None:
    token = make_related_term(glossary, "token")
    rows = [link_row(token), link_row(token, DELETE="1")]
    labels = [label_row("Embedding", DELETE="1"), label_row("vector")]
    assert post(admin_client, term, links=rows, labels=labels) is None
    assert [link.related_term for link in term.related_terms.all()] == [token]
    assert [label.text for label in term.labels.all()] == ["vector"]


def test_a_deleted_row_is_no_fault_while_another_row_is_at_fault(
    admin_client: Client, glossary: GlossaryPage, term: TermPage
) -> None:
    token = make_related_term(glossary, "token")
    rows = [
        link_row(token, DELETE="1"),
        link_row(token),
        {"related_term": "", "kind": "related"},
    ]
    form = post(admin_client, term, links=rows)
    assert [set(errors) for errors in row_errors(form, "related_terms")] == [
        set(),
        set(),
        {"related_term"},
    ]


def test_two_links_exchange_their_related_terms_in_place(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    first, second = make_related_term(glossary), make_related_term(glossary)
    term = make_term(glossary, "embedding", related_terms=[first, second])
    rows = rows_of(term, "related_terms")
    rows[0]["related_term"], rows[1]["related_term"] = second.pk, first.pk
    for action in ("save", "publish"):
        assert post(admin_client, term, links=rows, action=action) is None
    stored_links = TermLink.objects.filter(term=term).order_by("sort_order")
    assert [link.related_term for link in stored_links] == [second, first]


def test_two_labels_exchange_their_texts_in_place(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    term = make_term(glossary, "embedding", labels=["vector", "representation"])
    rows = rows_of(term, "labels")
    rows[0]["text"], rows[1]["text"] = rows[1]["text"], rows[0]["text"]
    assert post(admin_client, term, labels=rows) is None
    stored_labels = TermLabel.objects.filter(term=term).order_by("sort_order")
    assert [label.text for label in stored_labels] == ["representation", "vector"]


def test_rows_keep_the_order_that_the_editor_gave_them(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    first, second = make_related_term(glossary), make_related_term(glossary)
    term = make_term(glossary, "embedding", related_terms=[first, second])
    rows = rows_of(term, "related_terms")
    rows[0]["ORDER"], rows[1]["ORDER"] = "2", "1"
    assert post(admin_client, term, links=rows) is None
    stored_links = TermLink.objects.filter(term=term).order_by("sort_order")
    assert [link.related_term for link in stored_links] == [second, first]


UNFINISHED: dict[str, dict[str, Any]] = {
    "short_definition": {"short_definition": ""},
    "explanation": {
        "explanation": streamfield(
            [("section", {"kind": "explanation", "heading": "", "body": EMPTY})]
        )
    },
    "comparisons": {
        "comparisons": streamfield(
            [("comparison", {"related_term": "", "name": "", "comparison": EMPTY})]
        )
    },
    "faq": {
        "faq": streamfield([("question", {"question": "", "answer": EMPTY})]),
    },
    "related_features": {
        "related_features": streamfield([("feature", {"path": "", "label": ""})])
    },
}


@pytest.mark.parametrize("field", UNFINISHED)
def test_a_draft_may_be_unfinished_what_is_published_may_not(
    admin_client: Client, term: TermPage, field: str
) -> None:
    assert post(admin_client, term, action="save", **UNFINISHED[field]) is None
    form = post(admin_client, term, action="publish", **UNFINISHED[field])
    assert form is not None
    assert list(form.errors) == [field]


@pytest.mark.parametrize("action", ["publish", "save"])
def test_an_empty_row_is_told_even_in_a_draft(
    admin_client: Client, term: TermPage, action: str
) -> None:
    form = post(
        admin_client,
        term,
        links=[{"related_term": "", "kind": "see_also"}],
        labels=[label_row("", "abbreviation")],
        action=action,
    )
    assert row_errors(form, "related_terms") == [
        {"related_term": ["This field is required."]}
    ]
    assert row_errors(form, "labels") == [{"text": ["This field is required."]}]


def test_a_form_without_its_rows_is_refused_without_an_error_page(
    admin_client: Client, term: TermPage
) -> None:
    data = term_form()
    for relation in ("related_terms", "labels"):
        del data[f"{relation}-TOTAL_FORMS"]
    url = reverse("wagtailadmin_pages:edit", args=[term.pk])
    assert admin_client.post(url, data).status_code == 200


@pytest.mark.parametrize(
    ("make", "field"), [(make_term, "category"), (None, "default_category")]
)
def test_categories_are_offered_in_the_language_of_the_page(
    admin_client: Client, glossary: GlossaryPage, make: Any, field: str
) -> None:
    english = make_category("safety")
    french = make_category("securite", locale=Locale.objects.create(language_code="fr"))
    make_category("prudence", locale=french.locale)
    page = make(glossary) if make else glossary
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])

    def offered() -> set[Any]:
        return set(admin_client.get(url).context["form"].fields[field].queryset)

    assert offered() == {english}
    # One that came along with a copy of another language stays until it is replaced.
    setattr(page, field, french)
    page.save_revision()
    assert offered() == {english, french}


def test_a_row_that_is_posted_twice_is_stored_once(
    admin_client: Client, glossary: GlossaryPage, term: TermPage
) -> None:
    token = make_related_term(glossary, "token")
    for kind in ("synonym", "abbreviation"):
        rows = {"labels": [label_row("vector", kind)], "links": [link_row(token)]}
        assert post(admin_client, term, **rows) is None
    assert TermLink.objects.get().related_term == token
    assert TermLabel.objects.get().kind == "abbreviation"


def test_a_label_that_was_added_meanwhile_is_told(
    admin_client: Client, term: TermPage
) -> None:
    assert post(admin_client, term, labels=[label_row("vector")]) is None
    form = post(admin_client, term, labels=[label_row("Vector")])
    assert row_errors(form, "labels") == [
        {"text": ["The label “Vector” is there twice."]}
    ]
