"""A site's own types of glossary and of term work wherever the app's own do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from wagtail.models import APIToken, ReferenceIndex
from wagtail.test.utils.form_data import (
    inline_formset,
    nested_form_data,
    rich_text,
    streamfield,
)

from glossary.models import GlossaryPage, RelatedTerm, TermLink, TermPage
from tests.extension.models import CoursePage, CourseTermPage

from .factories import (
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
)


pytestmark = pytest.mark.django_db


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def course() -> CoursePage:
    return home_page().add_child(
        instance=CoursePage(title="Course", slug="course", subject="Models")
    )


@pytest.fixture
def editor(client: Client) -> Client:
    user = get_user_model().objects.create_superuser("editor", "e@example.com", "-")
    client.force_login(user)
    return client


def term_form(title: str, **fields: Any) -> dict[str, Any]:
    return nested_form_data(
        {
            "title": title,
            "slug": title.lower(),
            "heading": "",
            "short_definition": "A definition.",
            "category": "",
            "tags": "",
            "comments": inline_formset([]),
            **{
                name: streamfield([])
                for name in ("explanation", "comparisons", "faq", "related_features")
            },
            **{name: inline_formset([]) for name in ("related_terms", "labels")},
            "action-publish": "publish",
            **fields,
        }
    )


def test_types_are_offered_where_they_belong() -> None:
    both = {TermPage, CourseTermPage}
    assert set(GlossaryPage.creatable_subpage_models()) == both
    assert CoursePage.creatable_subpage_models() == [CourseTermPage]
    parents = set(TermPage.allowed_parent_page_models())
    assert parents == {GlossaryPage}
    parents = set(CourseTermPage.allowed_parent_page_models())
    assert parents == {GlossaryPage, CoursePage}
    for model in both:
        assert model.allowed_subpage_models() == []


@pytest.mark.slow
def test_a_term_is_created_and_edited_in_the_admin(
    editor: Client, course: CoursePage
) -> None:
    add = reverse(
        "wagtailadmin_pages:add", args=("extension", "coursetermpage", course.pk)
    )
    assert 'name="level"' in editor.get(add).content.decode()
    response = editor.post(add, term_form("Token", level="first"))
    assert response.status_code == 302, response.context["form"].errors
    term = CourseTermPage.objects.get()
    assert (term.level, term.live, term.get_parent().pk) == ("first", True, course.pk)

    edit = reverse("wagtailadmin_pages:edit", args=(term.pk,))
    assert editor.get(edit).status_code == 200
    assert editor.post(edit, term_form("Token", level="next")).status_code == 302
    term.refresh_from_db()
    assert term.level == "next"


def test_a_glossary_is_created_and_edited_in_the_admin(
    editor: Client, glossary: GlossaryPage
) -> None:
    home = home_page()
    form = nested_form_data(
        {
            "title": "Course",
            "slug": "course",
            "introduction": rich_text("<p>All of it.</p>"),
            "subject": "Models",
            "default_category": "",
            "comments": inline_formset([]),
            "action-publish": "publish",
        }
    )
    add = reverse("wagtailadmin_pages:add", args=("extension", "coursepage", home.pk))
    assert 'name="subject"' in editor.get(add).content.decode()
    response = editor.post(add, form)
    assert response.status_code == 302, response.context["form"].errors
    course = CoursePage.objects.get()
    assert course.subject == "Models"
    edit = reverse("wagtailadmin_pages:edit", args=(course.pk,))
    assert editor.post(edit, {**form, "subject": "Texts"}).status_code == 302
    course.refresh_from_db()
    assert course.subject == "Texts"


@pytest.mark.slow
def test_terms_of_both_types_are_listed(
    editor: Client, glossary: GlossaryPage, course: CoursePage
) -> None:
    make_term(glossary, "vector")
    make_term(glossary, "token", model=CourseTermPage)
    make_term(course, "matrix", model=CourseTermPage)
    page = editor.get(reverse("glossary_terms:index")).content.decode()
    assert all(title in page for title in ("Vector", "Token", "Matrix"))
    explorer = reverse("wagtailadmin_explore", args=(glossary.pk,))
    page = editor.get(explorer).content.decode()
    assert all(title in page for title in ("Vector", "Token"))
    assert "Matrix" not in page
    explorer = reverse("wagtailadmin_explore", args=(course.pk,))
    assert "Matrix" in editor.get(explorer).content.decode()
    assert {term.slug for term in glossary.terms} == {"vector", "token"}


def test_visitors_read_them_in_the_templates_of_the_app(
    client: Client, course: CoursePage
) -> None:
    term = make_term(course, "token", model=CourseTermPage, heading="What is a token?")
    page = client.get(course.get_url())
    assert "Token" in page.content.decode()
    page = client.get(term.get_url())
    assert "What is a token?" in page.content.decode()


@pytest.mark.slow
def test_a_related_term_finds_its_page_whatever_its_type(
    client: Client, glossary: GlossaryPage
) -> None:
    token = make_related_term(glossary, "token")
    vector = make_related_term(glossary, "vector")
    term = make_term(
        glossary,
        "token",
        model=CourseTermPage,
        related_terms=[vector],
        labels=["tok"],
        tags=["Text"],
        category=make_category(),
    )
    other = make_term(glossary, "vector", related_terms=[token])
    for known, page in ((token, term), (vector, other)):
        known.refresh_from_db()
        assert known.page.pk == page.pk
        assert not known.is_wanted
    for page, url in ((term, other.full_url), (other, term.full_url)):
        for api in ("v2/terms", "v2/pages", "v3/pages"):
            answer = client.get(f"/api/{api}/{page.pk}/").json()
            [link] = answer["related_terms"]
            assert link["related_term"]["url"] == url

    term.slug = "tokens"
    term.save_revision().publish()
    token.refresh_from_db()
    assert (token.slug, token.page.pk) == ("tokens", term.pk)
    term.delete()
    token.refresh_from_db()
    assert token.is_wanted


def test_a_term_keeps_its_type_and_field_where_it_goes(
    glossary: GlossaryPage, course: CoursePage
) -> None:
    vector = make_related_term(course, "vector")
    term = make_term(
        course,
        "token",
        model=CourseTermPage,
        level="first",
        related_terms=[vector],
        labels=["tok"],
    )
    term.copy(to=glossary)
    copied = glossary.terms.get().specific
    assert (type(copied), copied.level) == (CourseTermPage, "first")
    assert copied.related_terms.get().related_term.glossary == glossary
    assert copied.labels.get().text == "tok"

    copied.delete()
    glossary.refresh_from_db()
    term.move(glossary, pos="last-child")
    moved = glossary.terms.get().specific
    assert (type(moved), moved.pk, moved.level) == (CourseTermPage, term.pk, "first")
    assert TermLink.objects.get().related_term.glossary == glossary
    assert not course.terms.exists()


def test_a_term_is_found_by_what_it_inherits_and_by_its_own_field(
    glossary: GlossaryPage,
) -> None:
    term = make_term(
        glossary, "token", model=CourseTermPage, level="novice", labels=["wordpiece"]
    )
    for query in ("token", "wordpiece"):
        assert [page.pk for page in TermPage.objects.search(query)] == [term.pk]
    assert list(CourseTermPage.objects.search("novice")) == [term]


def test_the_reference_index_knows_it(glossary: GlossaryPage) -> None:
    token = make_related_term(glossary, "token")
    term = make_term(glossary, model=CourseTermPage, related_terms=[token])
    call_command("rebuild_references_index", verbosity=0)
    [reference] = ReferenceIndex.get_references_to(token)
    assert reference.object_id == str(term.pk)


def test_it_is_written_and_read_over_the_api(
    client: Client, course: CoursePage, glossary: GlossaryPage
) -> None:
    user = get_user_model().objects.create_superuser("editor", "e@example.com", "-")
    _token, plaintext = APIToken.create_token(user=user, name="test")
    token = {"authorization": f"Bearer {plaintext}"}
    vector = make_related_term(course, "vector")

    def create(model: str, parent: Any, **fields: Any) -> Any:
        meta = {"type": model, "parent_id": parent.pk, "action": "publish"}
        data = {"meta": meta, "title": "Token", **fields}
        return client.post(
            "/api/v3/pages/", data, content_type="application/json", headers=token
        )

    fields = {
        "short_definition": "A part of a text.",
        "level": "first",
        "related_terms": [{"related_term_id": vector.pk}],
        "faq": [
            {"type": "question", "value": {"question": "Why?", "answer": "<p>So</p>"}}
        ],
    }
    response = create("extension.CourseTermPage", course, **fields)
    assert response.status_code == 201, response.content
    url = f"/api/v3/pages/{response.json()['id']}/"
    answer = client.get(url).json()
    assert answer["meta"]["type"] == "extension.CourseTermPage"
    assert answer["level"] == "first"
    assert answer["faq"][0]["value"]["question"] == "Why?"
    assert answer["related_terms"][0]["related_term"]["slug"] == "vector"

    response = create("glossary.TermPage", course, short_definition="No.")
    assert response.status_code in {403, 422}
    response = create("extension.CoursePage", home_page(), subject="Texts")
    assert response.status_code == 201, response.content
    answer = client.get(f"/api/v3/pages/{response.json()['id']}/").json()
    assert answer["subject"] == "Texts"
    answer = client.get(f"/api/v2/pages/{course.pk}/").json()
    assert answer["subject"] == "Models"


def test_an_import_makes_terms_of_the_type_that_belongs_there(
    glossary: GlossaryPage, course: CoursePage, tmp_path: Path
) -> None:
    record = {
        "slug": "token",
        "term": "Token",
        "shortDefinition": "A part of a text.",
        "relatedTerms": [{"slug": "vector", "name": "Vector"}],
    }
    path = tmp_path / "terms.jsonl"
    path.write_text(json.dumps(record), encoding="utf-8")
    for parent, model in ((course, CourseTermPage), (glossary, TermPage)):
        call_command("import_terms", path, glossary=parent.slug, verbosity=0)
        term = parent.terms.get().specific
        assert type(term) is model
        assert RelatedTerm.objects.get(glossary=parent, slug="vector").is_wanted

    term = course.terms.get().specific
    term.level = "first"
    term.save_revision().publish()
    path.write_text(json.dumps({**record, "term": "Tokens"}), encoding="utf-8")
    call_command("import_terms", path, glossary="course", verbosity=0)
    term = course.terms.get().specific
    assert (term.title, term.level) == ("Tokens", "first")
