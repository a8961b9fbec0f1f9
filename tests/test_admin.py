"""The Glossary menu, its listings, and what editors do with a term."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from wagtail.admin.menu import admin_menu
from wagtail.log_actions import registry as log_registry
from wagtail.models import (
    Comment,
    GroupPagePermission,
    Locale,
    ReferenceIndex,
    Workflow,
    WorkflowPage,
)
from wagtail.test.utils.form_data import inline_formset, streamfield

from glossary.models import Category, GlossaryPage, RelatedTerm, TermPage

from .extension.models import CoursePage, CourseTermPage
from .factories import (
    comparison,
    feature,
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)
from .test_forms import label_row, link_row, prose, term_form


pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TERMS = "glossary_terms:index"
RELATED_TERMS = "wagtailsnippets_glossary_relatedterm:list"
CATEGORIES = "wagtailsnippets_glossary_category:list"
EXPLORER = "wagtailadmin_explore"


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", title="AI")


@pytest.fixture
def full_term(glossary: GlossaryPage) -> TermPage:
    """A term that has a piece of everything."""
    token = make_related_term(glossary, "token", name="Token")
    return make_term(
        glossary,
        "embedding",
        title="Embedding",
        heading="What is an embedding?",
        category=make_category("foundations"),
        tags=["vectors"],
        explanation=[section("<p>Numbers for a <b>text</b>.</p>", heading="Numbers")],
        comparisons=[comparison("Token", "<p>A token is a piece.</p>", token)],
        faq=[question("How long is one?", "<p>Hundreds of numbers.</p>")],
        related_features=[feature("features/search", "Search")],
        related_terms=[(token, "contrast")],
        labels=["vector", ("EMB", "abbreviation")],
    )


@pytest.fixture
def make_editor(client: Client) -> Callable[..., Client]:
    """Return a function that signs in an editor with permissions of the page tree
    below a page, and of models."""

    def make_editor(page: Any, *codenames: str, models: tuple[str, ...] = ()) -> Client:
        group = Group.objects.create(name="Glossary writers")
        group.permissions.add(Permission.objects.get(codename="access_admin"))
        for model in models:
            group.permissions.add(
                *Permission.objects.filter(
                    content_type__app_label="glossary", content_type__model=model
                )
            )
        for codename in codenames:
            GroupPagePermission.objects.create(
                group=group, page=page, permission=page_permission(codename)
            )
        editor = User.objects.create_user("editor")
        editor.groups.add(group)
        client.force_login(editor)
        return client

    return make_editor


def page_permission(action: str) -> Permission:
    """Wagtail's permission on its base page, whichever that is."""
    base = TermPage.base_page_model
    return Permission.objects.get(
        codename=getattr(base.PERMISSION_CODENAMES, action.upper()),
        content_type__app_label=base._meta.app_label,
    )


def rows(response: HttpResponse) -> list[Any]:
    """What a listing shows."""
    assert response.status_code == 200
    return list(response.context["table"].data)


def titles(client: Client, **query: Any) -> list[str]:
    response = client.get(reverse(f"{TERMS}_results"), query)
    return [term.title for term in rows(response)]


def cells(response: HttpResponse, *names: str) -> list[tuple[str, ...]]:
    table = response.context["table"]
    columns = [table.columns[name] for name in names]
    return [
        tuple(str(column.get_value(row)) for column in columns) for row in table.data
    ]


def exported(response: HttpResponse) -> list[dict[str, Any]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


# The menu


def menu_labels(user: User) -> list[str]:
    request = RequestFactory().get("/")
    request.user = user
    for item in admin_menu.menu_items_for_request(request):
        if item.name == "glossary":
            return [
                str(child.label) for child in item.menu.menu_items_for_request(request)
            ]
    return []


def test_the_menu_shows_what_the_user_may_use(
    admin_user: User, glossary: GlossaryPage, make_editor: Callable[..., Client]
) -> None:
    assert menu_labels(admin_user) == [
        "Terms",
        "Categories",
        "Related terms",
        "Import",
        "Export",
        "Webhooks",
    ]
    make_editor(glossary, "add", models=("relatedterm",))
    assert menu_labels(User.objects.get(username="editor")) == [
        "Terms",
        "Related terms",
        "Import",
        "Export",
    ]
    assert menu_labels(User.objects.create_user("reader")) == []


# Terms


def test_terms_of_all_glossaries_are_listed_by_name(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    make_term(glossary, "token")
    make_term(make_glossary("grammar"), "comma")
    make_term(glossary, "agent", live=False)
    assert titles(admin_client) == ["Agent", "Comma", "Token"]


def test_a_term_is_listed_with_what_it_has(
    admin_client: Client, glossary: GlossaryPage, full_term: TermPage
) -> None:
    make_term(glossary, "stub", title="Stub")
    response = admin_client.get(reverse(TERMS))
    columns = ["category", "links", "completeness", "parent"]
    assert {*columns, "title", "status"} <= set(response.context["table"].columns)
    assert cells(response, *columns) == [
        ("Foundations", "1", "6 of 6", "AI"),
        ("None", "0", "1 of 6", "AI"),
    ]


@pytest.fixture
def three_terms(glossary: GlossaryPage) -> dict[str, Any]:
    """Three terms to tell apart; the values of filters that a test needs by name."""
    safety, training = make_category("safety"), make_category("training")
    make_term(
        glossary,
        "agent",
        category=safety,
        tags=["basics"],
        short_definition="A model that acts in a loop.",
        faq=[question("Does it stop?", "<p>It does.</p>")],
        related_terms=[make_related_term(glossary), make_related_term(glossary)],
    )
    make_term(
        glossary,
        "eval",
        title="Évaluation",
        live=False,
        category=training,
        tags=["basics", "measures"],
        related_terms=[make_related_term(glossary)],
    )
    grammar = make_glossary("grammar")
    comma = make_term(grammar, "comma", title="007 comma", labels=["small stroke"])
    comma.short_definition = "Not yet published."
    comma.save_revision()
    tag = {tag.slug: tag.pk for tag in TermPage.tags.through.tag_model().objects.all()}
    return {
        "safety": safety.pk,
        "training": training.pk,
        "basics": tag["basics"],
        "measures": tag["measures"],
        "ai": glossary.pk,
        "grammar": grammar.pk,
    }


FOUND: list[tuple[dict[str, Any], list[str]]] = [
    ({"category": ["safety"]}, ["Agent"]),
    ({"category": ["safety", "training"]}, ["Agent", "Évaluation"]),
    ({"category": ["null"]}, ["007 comma"]),
    ({"tag": ["measures"]}, ["Évaluation"]),
    ({"tag": ["basics", "measures"]}, ["Agent", "Évaluation"]),
    ({"letter": "E"}, ["Évaluation"]),
    ({"letter": "#"}, ["007 comma"]),
    ({"status": ["live"]}, ["007 comma", "Agent"]),
    ({"status": ["draft"]}, ["Évaluation"]),
    ({"status": ["changed"]}, ["007 comma"]),
    ({"status": ["draft", "changed"]}, ["007 comma", "Évaluation"]),
    ({"glossary": ["grammar"]}, ["007 comma"]),
    ({"glossary": ["grammar", "ai"]}, ["007 comma", "Agent", "Évaluation"]),
    ({"tag": ["basics"], "status": ["live"]}, ["Agent"]),
    ({"q": "loop"}, ["Agent"]),
    ({"q": "small stro"}, ["007 comma"]),
    ({"q": "agen"}, ["Agent"]),
    ({"q": "comma", "status": ["changed"]}, ["007 comma"]),
    ({"q": "comma", "status": ["draft"]}, []),
    ({"q": "agent", "category": ["safety"], "tag": ["basics"]}, ["Agent"]),
    ({"q": "agent", "glossary": ["ai"], "letter": "A"}, ["Agent"]),
]


def test_terms_are_found(admin_client: Client, three_terms: dict[str, Any]) -> None:
    for query, found in FOUND:
        for name in ("category", "tag", "glossary"):
            if name in query:
                query[name] = [three_terms.get(value, value) for value in query[name]]
        assert titles(admin_client, **query) == found, query


def test_terms_are_filtered_by_language(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    french = Locale.objects.create(language_code="fr")
    make_term(glossary, "token")
    lexique = make_glossary("lexique", locale=french)
    make_term(lexique, "jeton", locale=french)
    assert titles(admin_client) == ["Jeton", "Token"]
    assert titles(admin_client, locale="fr") == ["Jeton"]
    assert titles(admin_client, locale="fr", q="jet") == ["Jeton"]


def test_terms_are_sorted(admin_client: Client, three_terms: dict[str, Any]) -> None:
    names = {"C": "007 comma", "A": "Agent", "E": "Évaluation"}
    for ordering, expected in {
        "title": "CAE",
        "-title": "EAC",
        "link_count": "CEA",
        "-link_count": "AEC",
        "completeness": "CEA",
        "category__name": "AEC",
        "-category__name": "EAC",
        "unknown": "CAE",
    }.items():
        found = titles(admin_client, ordering=ordering)
        assert found == [names[letter] for letter in expected], ordering
        # The search knows few orders; it falls back on its own.
        assert titles(admin_client, ordering=ordering, q="agen") == ["Agent"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_terms_are_exported_with_what_editors_need(
    admin_client: Client, full_term: TermPage, kind: str
) -> None:
    response = admin_client.get(reverse(TERMS), {"export": kind})
    if kind == "csv":
        [row] = exported(response)
    else:
        book = openpyxl.load_workbook(
            io.BytesIO(b"".join(response.streaming_content)), read_only=True
        )
        head, values = book.active.iter_rows(values_only=True)
        row = dict(zip(head, map(str, values), strict=True))
    row.pop("Updated")
    assert row == {
        "Title": "Embedding",
        "Slug": "embedding",
        "Heading": "What is an embedding?",
        "Short definition": "What embedding means.",
        "Category": "Foundations",
        "Tags": "vectors",
        "Labels": "vector, EMB",
        "Links": "1",
        "Completeness": "6",
        "Status": "live",
        "Locale": "English",
        "Address": full_term.full_url,
        "Glossary": "AI",
    }


def test_an_export_holds_what_was_searched_and_filtered(
    admin_client: Client, three_terms: dict[str, Any]
) -> None:
    def exported_titles(**query: Any) -> list[str]:
        response = admin_client.get(reverse(TERMS), {"export": "csv", **query})
        return [row["Title"] for row in exported(response)]

    assert exported_titles() == ["007 comma", "Agent", "Évaluation"]
    assert exported_titles(letter="A") == ["Agent"]
    assert exported_titles(q="comma") == ["007 comma"]
    assert exported_titles(q="comma", letter="A") == []


def test_only_the_part_of_the_tree_that_the_editor_works_in_is_listed(
    glossary: GlossaryPage,
    three_terms: dict[str, Any],
    make_editor: Callable[..., Client],
) -> None:
    editor = make_editor(GlossaryPage.objects.get(slug="grammar"), "change")
    assert titles(editor) == ["007 comma"]
    assert titles(editor, q="comma") == ["007 comma"]
    assert titles(editor, q="agent") == []
    filters = editor.get(reverse(TERMS)).context["filters"].filters
    assert [label for _value, label in filters["glossary"].field.choices] == ["Grammar"]
    assert [value for value, _label in filters["letter"].field.choices] == ["", "#"]
    assert list(filters["tag"].field.choices) == []


@pytest.mark.parametrize("name", [TERMS, RELATED_TERMS, CATEGORIES])
def test_listings_need_a_permission(
    client: Client, make_editor: Callable[..., Client], name: str
) -> None:
    editor = make_editor(home_page())
    response = editor.get(reverse(name))
    assert (response.status_code, response.url) == (302, reverse("wagtailadmin_home"))


def test_adding_a_term_asks_for_the_glossary_if_there_are_several(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    url = reverse("glossary_terms:choose_parent")
    add = reverse("wagtailadmin_pages:add_subpage", args=[glossary.pk])
    response = admin_client.get(url)
    assert (response.status_code, response.url) == (302, add)
    make_glossary("grammar")
    assert admin_client.get(url).status_code == 200
    response = admin_client.post(url, {"parent_page": glossary.pk})
    assert (response.status_code, response.url) == (302, add)


# Terms in the page explorer


def explorer(page: Any) -> str:
    return reverse(EXPLORER, args=[page.pk])


@pytest.mark.parametrize(
    ("make", "model"),
    [
        (make_glossary, TermPage),
        (make_glossary, CourseTermPage),
        (
            lambda: home_page().add_child(
                instance=CoursePage(title="Course", slug="course")
            ),
            CourseTermPage,
        ),
    ],
    ids=["a term", "a site's own term", "a site's own term and glossary"],
)
def test_the_explorer_shows_the_columns_of_terms(
    admin_client: Client, make: Callable[[], Any], model: type[TermPage]
) -> None:
    parent = make()
    make_term(parent, "token", model=model, category=make_category("safety"))
    make_term(parent, "agent", model=model, labels=["assistant"])
    response = admin_client.get(explorer(parent))
    assert [(type(row), row.title) for row in rows(response)] == [
        (model, "Agent"),
        (model, "Token"),
    ]
    assert cells(response, "category", "links", "completeness") == [
        ("None", "0", "1 of 6"),
        ("Safety", "0", "2 of 6"),
    ]
    response = admin_client.get(explorer(parent), {"letter": "T"})
    assert [row.title for row in rows(response)] == ["Token"]
    assert "glossary" not in response.context["filters"].filters
    response = admin_client.get(explorer(parent), {"q": "assis"})
    assert [row.title for row in rows(response)] == ["Agent"]
    [agent, _token] = exported(admin_client.get(explorer(parent), {"export": "csv"}))
    assert agent["Labels"] == "assistant"


def test_terms_below_a_glossary_keep_the_order_of_the_tree_on_request(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    for slug in ("token", "agent"):
        make_term(glossary, slug)
    response = admin_client.get(explorer(glossary), {"ordering": "ord"})
    assert [row.title for row in rows(response)] == ["Token", "Agent"]


def test_other_pages_are_listed_as_ever(admin_client: Client) -> None:
    response = admin_client.get(explorer(home_page()))
    assert "completeness" not in response.context["table"].columns


# A new term


def add_url(glossary: GlossaryPage, model: str = "glossary.termpage") -> str:
    return reverse("wagtailadmin_pages:add", args=[*model.split("."), glossary.pk])


@pytest.mark.parametrize("model", ["glossary.termpage", "extension.coursetermpage"])
def test_a_new_term_starts_with_the_category_of_its_glossary(
    admin_client: Client, glossary: GlossaryPage, model: str
) -> None:
    response = admin_client.get(add_url(glossary, model))
    assert response.context["form"]["category"].value() is None
    glossary.default_category = make_category("safety")
    glossary.save()
    response = admin_client.get(add_url(glossary, model))
    assert response.context["form"]["category"].value() == glossary.default_category_id


def test_a_term_is_written_with_every_part(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    token = make_related_term(glossary, "token")
    category = make_category("foundations")
    bold = "<p>Numbers for a <b>text</b>.</p><ul><li>many</li></ul>"
    data = term_form(
        heading="What is it?",
        explanation=streamfield(
            [
                (
                    "section",
                    {"kind": "how_it_works", "heading": "H", "body": prose(bold)},
                )
            ]
        ),
        comparisons=streamfield(
            [
                (
                    "comparison",
                    {
                        "related_term": token.pk,
                        "name": "",
                        "comparison": prose("<p>A piece.</p>"),
                    },
                )
            ]
        ),
        faq=streamfield(
            [("question", {"question": "Q?", "answer": prose("<p>A</p>")})]
        ),
        related_features=streamfield([("feature", {"path": "search", "label": ""})]),
        category=category.pk,
        tags="vectors, basics",
        links=[link_row(token, "contrast")],
        labels=[label_row("EMB", "abbreviation")],
    )
    response = admin_client.post(add_url(glossary), data)
    assert response.status_code == 302
    term = TermPage.objects.get()
    assert term.live
    assert (term.heading, term.category) == ("What is it?", category)
    [part] = term.explanation
    assert (part.value["kind"], part.value["heading"]) == ("how_it_works", "H")
    assert "<b>text</b>" in part.value["body"].source
    assert "<li" in part.value["body"].source
    assert term.comparisons[0].value["related_term"] == token
    assert term.faq[0].value["question"] == "Q?"
    assert term.related_features[0].value["path"] == "search"
    assert sorted(term.tags.names()) == ["basics", "vectors"]
    assert [(link.related_term, link.kind) for link in term.related_terms.all()] == [
        (token, "contrast")
    ]
    assert [(label.text, label.kind) for label in term.labels.all()] == [
        ("EMB", "abbreviation")
    ]


# Related terms


def test_the_most_wanted_stand_first(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    rare, common, written, drafted = (
        make_related_term(glossary, slug)
        for slug in ("rare", "common", "written", "drafted")
    )
    make_related_term(glossary, "unlinked")
    make_term(glossary, "written", related_terms=[rare, common])
    make_term(glossary, "zoom", live=False, related_terms=[common, written, drafted])
    make_term(glossary, "drafted", live=False)
    response = admin_client.get(reverse(RELATED_TERMS))
    assert cells(response, "slug", "page", "wanted_by") == [
        ("common", "wanted by 2 terms", "2"),
        ("drafted", "has a draft, wanted by 1 term", "1"),
        ("rare", "wanted by 1 term", "1"),
        ("unlinked", "no page", "0"),
        ("zoom", "has a draft", "0"),
        ("written", "has a page", "1"),
    ]


def test_related_terms_are_found_and_sorted(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    french = Locale.objects.create(language_code="fr")
    grammar = make_glossary("grammar", locale=french)
    comma = make_related_term(grammar, "comma", name="A comma")
    token = make_related_term(glossary, "token", name="B token")
    make_related_term(glossary, "draft", name="C draft")
    make_term(glossary, "token")
    make_term(glossary, "draft", live=False)
    make_term(glossary, "other", title="D other", related_terms=[token])
    make_term(glossary, "more", title="E more", related_terms=[token])
    make_term(grammar, "dot", title="F dot", locale=french, related_terms=[comma])
    queries: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["comma", "draft", "token", "other", "more", "dot"]),
        ({"ordering": "-name"}, ["dot", "more", "other", "draft", "token", "comma"]),
        ({"ordering": "slug"}, ["comma", "dot", "draft", "more", "other", "token"]),
        (
            {"ordering": "wanted_by"},
            ["draft", "other", "more", "dot", "comma", "token"],
        ),
        (
            {"ordering": "-wanted_by"},
            ["token", "comma", "draft", "other", "more", "dot"],
        ),
        ({"has_page": "wanted"}, ["comma"]),
        ({"has_page": "draft"}, ["draft"]),
        ({"has_page": "page"}, ["token", "other", "more", "dot"]),
        ({"glossary": grammar.pk}, ["comma", "dot"]),
        ({"locale": "fr"}, ["comma", "dot"]),
        ({"q": "tok"}, ["token"]),
        ({"q": "o", "has_page": "wanted"}, ["comma"]),
        ({"q": "om", "ordering": "-slug"}, ["comma"]),
        (
            {"q": "o", "ordering": "-wanted_by"},
            ["token", "comma", "other", "more", "dot"],
        ),
    ]
    for query, found in queries:
        response = admin_client.get(reverse(f"{RELATED_TERMS}_results"), query)
        assert [row.slug for row in rows(response)] == found, query


def buttons_of(response: HttpResponse, name: str) -> dict[str, str]:
    """The buttons of a row of the listing, with where they lead."""
    table = response.context["table"]
    [row] = [row for row in table.data if str(row) == name]
    column = table.columns["name"]
    found = {}
    for button in column.get_buttons(row, {}):
        for each in getattr(button, "dropdown_buttons", [button]):
            found[str(each.label)] = each.url
    return found


def test_a_wanted_term_is_written_by_one_click(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    make_related_term(glossary, "constitutional-ai-research", name="Constitutional AI")
    response = admin_client.get(reverse(RELATED_TERMS))
    url = buttons_of(response, "Constitutional AI")["Write this term"]
    form = admin_client.get(url).context["form"]
    assert form["title"].value() == "Constitutional AI"
    assert form["slug"].value() == "constitutional-ai-research"


def test_the_page_of_a_related_term_is_one_click_away(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    make_related_term(glossary, "token", name="Token")
    page = make_term(glossary, "token", live=False)
    buttons = buttons_of(admin_client.get(reverse(RELATED_TERMS)), "Token")
    assert buttons["Edit the page"] == reverse(
        "wagtailadmin_pages:edit", args=[page.pk]
    )
    assert "Write this term" not in buttons


def test_the_form_of_a_related_term_leads_to_its_page(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    token = make_related_term(glossary, "token", name="Token")
    url = reverse("wagtailsnippets_glossary_relatedterm:edit", args=[token.pk])

    def button() -> tuple[str, str]:
        [button] = admin_client.get(url).context["view"].header_buttons
        return str(button.label), button.url.partition("?")[0]

    assert button() == ("Write this term", add_url(glossary))
    page = make_term(glossary, "token")
    edit = reverse("wagtailadmin_pages:edit", args=[page.pk])
    assert button() == ("Edit the page", edit)


def test_a_wanted_term_of_a_site_that_has_its_own_type_is_written_as_that_type(
    admin_client: Client,
) -> None:
    course = CoursePage(title="Course", slug="course")
    home_page().add_child(instance=course)
    make_related_term(course, "token", name="Token")
    url = buttons_of(admin_client.get(reverse(RELATED_TERMS)), "Token")[
        "Write this term"
    ]
    assert url.startswith(add_url(course, "extension.coursetermpage"))
    assert admin_client.get(url).status_code == 200


def test_only_who_may_add_a_page_is_led_there(
    glossary: GlossaryPage, make_editor: Callable[..., Client]
) -> None:
    grammar = make_glossary("grammar")
    make_related_term(glossary, "token", name="Token")
    make_related_term(grammar, "comma", name="Comma")
    make_term(glossary, "bold")
    make_related_term(glossary, "bold", name="Bold")
    editor = make_editor(grammar, "add", models=("relatedterm",))
    response = editor.get(reverse(RELATED_TERMS))
    assert "Write this term" in buttons_of(response, "Comma")
    assert "Write this term" not in buttons_of(response, "Token")
    assert "Edit the page" not in buttons_of(response, "Bold")


def test_a_related_term_is_added_to_a_glossary_and_stays_there(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    add = reverse("wagtailsnippets_glossary_relatedterm:add")
    assert admin_client.get(add).context["form"]["glossary"].value() == glossary.pk
    grammar = make_glossary("grammar")
    assert admin_client.get(add).context["form"]["glossary"].value() is None
    data = {"name": "Token", "slug": "", "glossary": glossary.pk}
    assert admin_client.post(add, data).status_code == 302
    token = RelatedTerm.objects.get()
    assert (token.slug, token.glossary) == ("token", glossary)
    edit = reverse("wagtailsnippets_glossary_relatedterm:edit", args=[token.pk])
    data = {"name": "Lexical token", "slug": "token", "glossary": grammar.pk}
    assert admin_client.post(edit, data).status_code == 302
    token.refresh_from_db()
    assert (token.name, token.glossary) == ("Lexical token", glossary)
    form = admin_client.post(add, data | {"glossary": glossary.pk}).context["form"]
    assert "already knows" in str(form.errors)


# What is in use stays


@pytest.mark.parametrize("use", ["link", "comparison", "category"])
def test_what_a_term_uses_is_not_deleted(
    admin_client: Client, full_term: TermPage, use: str
) -> None:
    token = RelatedTerm.objects.get(slug="token")
    if use == "comparison":
        full_term.related_terms.set([])
        full_term.save()
    elif use == "link":
        ReferenceIndex.objects.all().delete()
    instance = full_term.category if use == "category" else token
    assert delete(admin_client, instance).status_code == 302
    assert bulk_delete(admin_client, instance).status_code == 302
    assert type(instance).objects.filter(pk=instance.pk).exists()


def test_what_no_term_uses_is_deleted(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    for instance in (make_related_term(glossary), make_category()):
        assert delete(admin_client, instance).status_code == 302
        assert not type(instance).objects.exists()
    related_term = make_related_term(glossary)
    assert bulk_delete(admin_client, related_term).status_code == 302
    assert not RelatedTerm.objects.exists()


def delete(client: Client, instance: Any) -> HttpResponse:
    name = instance.snippet_viewset.get_url_name("delete")
    return client.post(reverse(name, args=[instance.pk]))


def bulk_delete(client: Client, instance: Any) -> HttpResponse:
    url = reverse(
        "wagtail_bulk_action", args=["glossary", instance._meta.model_name, "delete"]
    )
    return client.post(f"{url}?id={instance.pk}")


# Categories


def test_categories_are_listed_in_their_order_with_their_terms(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    training, safety = make_category("training"), make_category("safety")
    make_term(glossary)
    make_term(glossary, category=safety)
    make_term(glossary, category=safety, live=False)
    response = admin_client.get(reverse(CATEGORIES))
    assert cells(response, "slug", "term_count") == [("training", "0"), ("safety", "2")]
    links = {
        row.slug: response.context["table"].columns["term_count"].get_link_url(row, {})
        for row in rows(response)
    }
    assert links["training"] is None
    assert len(rows(admin_client.get(links["safety"]))) == 2
    response = admin_client.get(reverse(CATEGORIES), {"ordering": "-term_count"})
    assert [row.slug for row in rows(response)] == ["safety", "training"]
    response = admin_client.get(reverse(CATEGORIES), {"q": "train"})
    assert [row.slug for row in rows(response)] == ["training"]
    assert training in rows(admin_client.get(reverse(CATEGORIES)))


def test_categories_are_dragged_into_another_order(admin_client: Client) -> None:
    for slug in ("safety", "training", "retrieval"):
        make_category(slug)
    last = Category.objects.last()
    reorder = reverse("wagtailsnippets_glossary_category:reorder", args=[last.pk])
    response = admin_client.post(f"{reorder}?position=0")
    assert response.json() == {"success": True}
    found = list(Category.objects.values_list("slug", flat=True))
    assert found == ["retrieval", "safety", "training"]


def test_a_category_is_made_from_its_name(admin_client: Client) -> None:
    url = reverse("wagtailsnippets_glossary_category:add")
    data = {"name": "Language models", "slug": "", "description": ""}
    assert admin_client.post(url, data).status_code == 302
    assert Category.objects.get().slug == "language-models"
    assert "already a category" in str(
        admin_client.post(url, data).context["form"].errors
    )


# Odd requests


ODD = {
    "p": ["zz", "-1", "999"],
    "q": ["\x00", "'; --", "ü" * 300],
    "glossary": ["abc", "0", "9" * 30],
    "category": ["abc", "9" * 30],
    "tag": ["9" * 30],
    "letter": ["ZZ"],
    "status": ["unknown"],
    "has_page": ["unknown"],
    "ordering": ["unknown", "-", "ord", "sort_order", "category__name", "wanted_by"],
    "export": ["pdf"],
    "latest_revision_created_at_from": ["yesterday"],
}


@pytest.mark.parametrize("listing", [TERMS, RELATED_TERMS, CATEGORIES, EXPLORER])
def test_odd_parameters_are_no_error(
    admin_client: Client, full_term: TermPage, listing: str
) -> None:
    args = [full_term.get_parent().pk] if listing == EXPLORER else []
    url = reverse(f"{listing}_results", args=args)
    for name, values in ODD.items():
        for value in values:
            query = {"q": "embedding", name: value}
            assert admin_client.get(url, query).status_code == 200, query


# The price of a listing


PRICED: list[tuple[str, dict[str, str]]] = [
    (TERMS, {}),
    (TERMS, {"letter": "T", "q": "term"}),
    (TERMS, {"export": "csv"}),
    (EXPLORER, {}),
    (EXPLORER, {"export": "csv"}),
    (RELATED_TERMS, {}),
    (RELATED_TERMS, {"q": "related"}),
    (RELATED_TERMS, {"export": "csv"}),
    (CATEGORIES, {}),
    (CATEGORIES, {"export": "csv"}),
]


def test_a_listing_costs_the_same_for_any_number(
    glossary: GlossaryPage, make_editor: Callable[..., Client]
) -> None:
    # An editor who may not translate: for others, Wagtail asks row by row whether a
    # category is there in all languages.
    models = ("relatedterm", "category")
    editor = make_editor(glossary, "add", "change", "publish", models=models)

    def add(count: int) -> None:
        for _ in range(count):
            related = make_related_term(glossary)
            make_term(
                glossary,
                category=make_category(),
                tags=[related.slug],
                labels=["label"],
                related_terms=[related],
            )
            make_term(glossary, related.slug)
            make_related_term(glossary)

    def queries(listing: str, query: dict[str, str]) -> int:
        args = [glossary.pk] if listing == EXPLORER else []
        with CaptureQueriesContext(connection) as captured:
            response = editor.get(reverse(listing, args=args), query)
            if response.streaming:
                list(response.streaming_content)
        assert response.status_code == 200
        return len(captured)

    def prices() -> list[int]:
        return [queries(*priced) for priced in PRICED]

    add(2)
    prices()
    few = prices()
    add(6)
    assert prices() == few


# What Wagtail does with every page


def edit_url(term: TermPage) -> str:
    return reverse("wagtailadmin_pages:edit", args=[term.pk])


@pytest.mark.parametrize(
    "name",
    [
        "edit",
        "view_draft",
        "history",
        "copy",
        "move",
        "delete",
        "unpublish",
        "usage",
        "workflow_history",
    ],
)
def test_every_view_of_a_term_opens(
    admin_client: Client, full_term: TermPage, name: str
) -> None:
    url = reverse(f"wagtailadmin_pages:{name}", args=[full_term.pk])
    assert admin_client.get(url).status_code == 200


def test_a_term_is_copied_with_all_it_has(
    admin_client: Client, full_term: TermPage
) -> None:
    other = make_glossary("grammar")
    data = {
        "new_title": "Copy",
        "new_slug": "copy",
        "new_parent_page": other.pk,
        "publish_copies": "on",
    }
    url = reverse("wagtailadmin_pages:copy", args=[full_term.pk])
    assert admin_client.post(url, data).status_code == 302
    copy = TermPage.objects.get(slug="copy")
    [link] = copy.related_terms.all()
    assert (link.related_term.glossary, link.kind) == (other, "contrast")
    assert [label.text for label in copy.labels.all()] == ["vector", "EMB"]
    assert copy.tags.names()[0] == "vectors"
    assert copy.faq[0].value["question"] == "How long is one?"


def test_a_term_is_moved(admin_client: Client, full_term: TermPage) -> None:
    other = make_glossary("grammar")
    url = reverse("wagtailadmin_pages:move_confirm", args=[full_term.pk, other.pk])
    assert admin_client.post(url).status_code == 302
    assert TermPage.objects.get().get_parent().pk == other.pk


def test_a_term_is_locked_and_unlocked(
    admin_client: Client, full_term: TermPage, make_editor: Callable[..., Client]
) -> None:
    for name, locked in (("lock", True), ("unlock", False)):
        url = reverse(f"wagtailadmin_pages:{name}", args=[full_term.pk])
        assert admin_client.post(url).status_code == 302
        full_term.refresh_from_db()
        assert full_term.locked is locked
    editor = make_editor(full_term.get_parent(), "change", "publish")
    full_term.locked = True
    full_term.locked_by = User.objects.get(username="admin")
    full_term.save()
    editor.post(edit_url(full_term), term_form(heading="Changed"))
    full_term.refresh_from_db()
    assert full_term.heading == "What is an embedding?"


def test_a_term_is_unpublished_and_published(
    admin_client: Client, full_term: TermPage
) -> None:
    url = reverse("wagtailadmin_pages:unpublish", args=[full_term.pk])
    assert admin_client.post(url).status_code == 302
    full_term.refresh_from_db()
    assert not full_term.live
    data = term_form(slug=full_term.slug, title=full_term.title)
    assert admin_client.post(edit_url(full_term), data).status_code == 302
    full_term.refresh_from_db()
    assert full_term.live


def test_a_change_waits_as_a_draft_and_is_compared_with_what_is_live(
    admin_client: Client, full_term: TermPage
) -> None:
    draft = full_term.get_latest_revision_as_object()
    draft.heading = "Embeddings"
    draft.explanation = [section("<p>Other numbers.</p>"), section("<p>More.</p>")]
    draft.comparisons = [comparison("Fine-tuning", "<p>Other.</p>")]
    draft.faq = []
    draft.related_features = [feature("features/ask")]
    draft.labels.set([])
    draft.related_terms.set([])
    draft.tags.set("numbers")
    draft.category = None
    draft.save_revision()
    url = reverse(
        "wagtailadmin_pages:revisions_compare", args=[full_term.pk, "live", "latest"]
    )
    response = admin_client.get(url)
    changed = {
        str(compared.field_label()) for compared in response.context["comparison"]
    }
    assert changed >= {
        "Heading",
        "Explanation",
        "Comparisons",
        "Questions",
        "Related features",
        "Related terms",
        "Labels",
        "Category",
        "Tags",
    }
    full_term.refresh_from_db()
    assert full_term.heading == "What is an embedding?"


def test_an_earlier_revision_is_restored(
    admin_client: Client, full_term: TermPage
) -> None:
    first = full_term.get_latest_revision()
    full_term.heading = "Second"
    full_term.labels.set([])
    full_term.save_revision().publish()
    url = reverse("wagtailadmin_pages:revisions_revert", args=[full_term.pk, first.pk])
    form = admin_client.get(url).context["form"]
    assert form["heading"].value() == "What is an embedding?"
    assert [row["text"].value() for row in form.formsets["labels"].forms] == [
        "vector",
        "EMB",
    ]


def test_a_term_goes_through_a_workflow(
    admin_client: Client, full_term: TermPage, make_editor: Callable[..., Client]
) -> None:
    WorkflowPage.objects.get_or_create(
        page=home_page().get_root(),
        defaults={"workflow": Workflow.objects.first()},
    )
    editor = make_editor(full_term.get_parent(), "add", "change")
    data = term_form(heading="Submitted", action="submit")
    assert editor.post(edit_url(full_term), data).status_code == 302
    full_term.refresh_from_db()
    state = full_term.current_workflow_state
    assert state is not None
    assert full_term.heading == "What is an embedding?"
    url = reverse(
        "wagtailadmin_pages:workflow_action",
        args=[full_term.pk, "approve", state.current_task_state.pk],
    )
    assert admin_client.post(url, {"comment": "Fine."}).status_code == 302
    full_term.refresh_from_db()
    assert full_term.heading == "Submitted"


def test_only_who_may_publish_publishes(
    full_term: TermPage, make_editor: Callable[..., Client]
) -> None:
    editor = make_editor(full_term.get_parent(), "add", "change")
    editor.post(edit_url(full_term), term_form(heading="Changed", action="publish"))
    full_term.refresh_from_db()
    assert full_term.heading == "What is an embedding?"
    assert full_term.get_latest_revision_as_object().heading == "Changed"


def test_a_term_is_published_on_its_date(
    admin_client: Client, full_term: TermPage
) -> None:
    soon = timezone.localtime() + timedelta(hours=1)
    data = term_form(heading="Later", go_live_at=soon.strftime("%Y-%m-%d %H:%M"))
    assert admin_client.post(edit_url(full_term), data).status_code == 302
    full_term.refresh_from_db()
    assert full_term.heading == "What is an embedding?"
    revision = full_term.scheduled_revision
    passed = timezone.now() - timedelta(minutes=1)
    revision.approved_go_live_at = passed
    revision.content["go_live_at"] = passed.isoformat()
    revision.save()
    call_command("publish_scheduled")
    full_term.refresh_from_db()
    assert full_term.heading == "Later"


def test_what_the_admin_saves_by_itself_can_be_saved_again_and_published(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    first, second = make_related_term(glossary), make_related_term(glossary)
    data = term_form(links=[link_row(first), link_row(second)], action="save")
    answer = admin_client.post(
        add_url(glossary), data, headers={"accept": "application/json"}
    ).json()
    assert answer["success"]
    term = TermPage.objects.get()
    for related_terms in ((second, first), (first, second)):
        ids = [answer["field_updates"][f"related_terms-{n}-id"] for n in range(2)]
        rows = [
            link_row(related_term, id=pk)
            for pk, related_term in zip(ids, related_terms, strict=True)
        ]
        for action in ("save", "publish"):
            data = term_form(links=rows, action=action)
            as_json = {"accept": "application/json"} if action == "save" else {}
            response = admin_client.post(edit_url(term), data, headers=as_json)
            assert response.status_code == (200 if as_json else 302)
        stored = TermPage.objects.get().related_terms.all()
        assert [link.related_term for link in stored] == list(related_terms)


@pytest.mark.parametrize(
    "path", ["heading", "short_definition", "explanation", "category"]
)
def test_editors_comment_on_its_fields(
    admin_client: Client, full_term: TermPage, path: str
) -> None:
    comment = {"text": "Why?", "contentpath": path, "position": "", "deleted": ""}
    data = term_form(
        comments=inline_formset([comment | {"replies": inline_formset([])}]),
        action="save",
    )
    assert admin_client.post(edit_url(full_term), data).status_code == 302
    [stored] = Comment.objects.filter(page=full_term.pk)
    assert (stored.text, stored.contentpath) == ("Why?", path)


def test_the_preview_shows_what_is_in_the_form(
    admin_client: Client, full_term: TermPage
) -> None:
    url = reverse("wagtailadmin_pages:preview_on_edit", args=[full_term.pk])
    data = term_form(
        short_definition="Only in the form.",
        links=[link_row(RelatedTerm.objects.get(slug="token"))],
        labels=[label_row("fresh label")],
    )
    assert admin_client.post(url, data).json()["is_valid"]
    assert "Only in the form." in admin_client.get(url).content.decode()
    full_term.refresh_from_db()
    assert full_term.short_definition == "What embedding means."


def test_a_new_term_is_previewed_before_it_is_stored(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    url = reverse(
        "wagtailadmin_pages:preview_on_add",
        args=["glossary", "termpage", glossary.pk],
    )
    data = term_form(
        short_definition="Only in the form.",
        links=[link_row(make_related_term(glossary))],
    )
    assert admin_client.post(url, data).json()["is_valid"]
    assert "Only in the form." in admin_client.get(url).content.decode()
    assert not TermPage.objects.exists()


@pytest.mark.parametrize("gone", ["related_term", "category"])
def test_a_draft_opens_after_what_it_alone_points_at_is_deleted(
    admin_client: Client, glossary: GlossaryPage, gone: str
) -> None:
    term = make_term(glossary, "embedding")
    kept, lost = make_related_term(glossary), make_related_term(glossary)
    category = make_category()
    data = term_form(
        links=[link_row(kept), link_row(lost)], category=category.pk, action="save"
    )
    assert admin_client.post(edit_url(term), data).status_code == 302
    (lost if gone == "related_term" else category).delete()
    assert admin_client.get(edit_url(term)).status_code == 200


def test_what_the_app_does_by_itself_has_a_name_in_the_log() -> None:
    for action in (
        "glossary.import_create",
        "glossary.import_update",
        "glossary.import_unpublish",
        "glossary.import_undo",
        "glossary.take_proposal",
        "glossary.keep_proposal",
    ):
        assert log_registry.action_exists(action)
