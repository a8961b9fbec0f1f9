"""The chooser of related terms, and making one there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.admin.panels import get_edit_handler

from glossary.admin.choosers import RelatedTermChooserWidget
from glossary.models import GlossaryPage, RelatedTerm, TermLink, TermPage

from .factories import make_glossary, make_related_term, make_term


pytestmark = pytest.mark.django_db


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


def chooser_url(name: str = "choose", *args: Any) -> str:
    return reverse(f"wagtailsnippetchoosers_glossary_relatedterm:{name}", args=args)


def offered(client: Client, **query: Any) -> list[str]:
    """The slugs that the chooser shows, in order."""
    response = client.get(chooser_url("choose_results"), query)
    return [item.slug for item in response.context["results"].object_list]


def create(client: Client, glossary: GlossaryPage, **fields: Any) -> dict[str, Any]:
    """What the chooser answers to the form under "New"."""
    url = f"{chooser_url('create')}?glossary={glossary.pk}"
    response = client.post(url, {"glossary": glossary.pk, **fields})
    assert response.status_code == 200
    return json.loads(response.content)


def test_it_offers_what_the_glossary_of_the_term_knows(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    make_related_term(glossary, "token")
    make_related_term(make_glossary("grammar"), "comma")
    assert offered(admin_client, glossary=glossary.pk) == ["token"]
    assert offered(admin_client) == ["comma", "token"]


def test_search_stays_within_the_glossary(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    make_related_term(glossary, "token-budget", name="Token budget")
    make_related_term(glossary, "embedding")
    make_related_term(make_glossary("grammar"), "token")
    assert offered(admin_client, glossary=glossary.pk, q="tok") == ["token-budget"]


@pytest.mark.parametrize("value", ["", "abc", "0", "²", "9" * 30, "-1", "1.5"])
def test_an_odd_glossary_is_as_if_none_was_named(
    admin_client: Client, glossary: GlossaryPage, value: str
) -> None:
    make_related_term(glossary, "token")
    assert offered(admin_client, glossary=value) == ["token"]
    for name in ("choose", "create"):
        url = chooser_url(name)
        assert admin_client.get(url, {"glossary": value}).status_code == 200


@pytest.mark.parametrize("page", ["zz", "0", "99", ""])
def test_there_is_no_page_of_that_name(
    admin_client: Client, glossary: GlossaryPage, page: str
) -> None:
    make_related_term(glossary)
    response = admin_client.get(chooser_url("choose_results"), {"p": page})
    assert response.status_code == 404


def test_it_tells_homonyms_apart_and_whether_there_is_a_page(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    for slug in ("alignment", "alignment-of-texts", "drafted"):
        make_related_term(glossary, slug, name="Alignment")
    make_term(glossary, "alignment")
    make_term(glossary, "drafted", live=False)
    response = admin_client.get(chooser_url(), {"glossary": glossary.pk})
    table = response.context["table"]
    columns = [table.columns[name] for name in ("slug", "page_state")]
    assert [
        tuple(str(column.get_value(row)) for column in columns) for row in table.data
    ] == [
        ("alignment", "has a page"),
        ("alignment-of-texts", "wanted"),
        ("drafted", "has a draft"),
    ]


def test_one_is_made_on_the_spot_by_its_name(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    answer = create(admin_client, glossary, name="Beam search", slug="")
    made = RelatedTerm.objects.get()
    assert (made.glossary, made.slug) == (glossary, "beam-search")
    assert answer["step"] == "chosen"
    assert answer["result"]["id"] == str(made.pk)
    assert answer["result"]["string"] == "Beam search"


def test_the_form_for_a_new_one_is_about_the_glossary_of_the_term(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    make_glossary("grammar")
    response = admin_client.get(chooser_url(), {"glossary": glossary.pk})
    field = response.context["creation_form"]["glossary"]
    assert field.is_hidden
    assert field.initial == glossary
    response = admin_client.get(chooser_url())
    field = response.context["creation_form"]["glossary"]
    assert not field.is_hidden
    assert field.initial is None


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"name": "Token", "slug": ""}, "already knows a term with this slug"),
        ({"name": "", "slug": ""}, "This field is required"),
        ({"name": "???", "slug": ""}, "the name gives none"),
        ({"name": "Token", "slug": "no slug"}, "valid"),
    ],
)
def test_a_fault_shows_the_form_again(
    admin_client: Client, glossary: GlossaryPage, fields: dict[str, str], fault: str
) -> None:
    make_related_term(glossary, "token")
    answer = create(admin_client, glossary, **fields)
    assert answer["step"] == "reshow_creation_form"
    assert fault in answer["htmlFragment"]
    assert RelatedTerm.objects.count() == 1


def test_a_homonym_is_made_with_a_slug_of_its_own(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    make_related_term(glossary, "token", name="Token")
    create(admin_client, glossary, name="Token", slug="security-token")
    assert RelatedTerm.objects.filter(name="Token").count() == 2


def test_only_those_who_may_add_one_can_make_one(
    client: Client, glossary: GlossaryPage
) -> None:
    editor = User.objects.create_user("editor")
    group = Group.objects.create(name="Glossary writers")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    editor.groups.add(group)
    client.force_login(editor)
    make_related_term(glossary, "token")
    assert offered(client, glossary=glossary.pk) == ["token"]
    assert not client.get(chooser_url()).context["can_create"]
    data = {"name": "Mine", "glossary": glossary.pk}
    assert client.post(chooser_url("create"), data).status_code != 200
    group.permissions.add(Permission.objects.get(codename="add_relatedterm"))
    client.force_login(User.objects.get(pk=editor.pk))
    assert client.get(chooser_url()).context["can_create"]
    client.post(chooser_url("create"), data)
    assert RelatedTerm.objects.filter(name="Mine").exists()


def test_the_chosen_one_is_told_by_name(
    admin_client: Client, glossary: GlossaryPage
) -> None:
    token = make_related_term(glossary, "token", name="Token")
    answer = json.loads(admin_client.get(chooser_url("chosen", token.pk)).content)
    assert answer["result"]["string"] == "Token"
    assert admin_client.get(chooser_url("chosen", 0)).status_code == 404


def test_both_places_of_a_term_use_the_chooser_of_its_glossary() -> None:
    form = get_edit_handler(TermPage).get_form_class()
    row = form.formsets["related_terms"].form
    block = TermPage.comparisons.field.stream_block.child_blocks["comparison"]
    for widget in (
        row.base_fields["related_term"].widget,
        block.child_blocks["related_term"].widget,
    ):
        assert isinstance(widget, RelatedTermChooserWidget)
        assert list(widget.base_js_init_options["linkedFields"]) == ["glossary"]
    assert TermLink._meta.get_field("related_term").related_model is RelatedTerm


@pytest.mark.parametrize("query", [{}, {"q": "related"}])
@pytest.mark.slow
def test_the_chooser_costs_the_same_for_any_number(
    admin_client: Client, glossary: GlossaryPage, query: dict[str, str]
) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            make_term(glossary, make_related_term(glossary).slug)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            offered(admin_client, glossary=glossary.pk, **query)
        return len(captured)

    add(3)
    queries()
    few = queries()
    add(6)
    assert queries() == few
