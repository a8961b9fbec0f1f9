"""The export screen: what is to be had as a file, and by whom."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from wagtail.models import PageViewRestriction

from glossary.admin.exports import export_button, term_url
from glossary.exporting import FORMATS
from glossary.models import GlossaryPage, TermPage

from .extension.models import CourseTermPage
from .factories import home_page, make_glossary, make_term
from .test_admin_imports import rights


pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", title="AI")


@pytest.fixture
def terms(glossary: GlossaryPage) -> dict[str, TermPage]:
    """One that anyone may see, with a draft above it; a draft; one behind a login."""
    live = make_term(glossary, "live", title="Live")
    live.title = "The canary of a change"
    live.save_revision()
    draft = make_term(glossary, "draft", title="The canary of a draft", live=False)
    private = make_term(glossary, "private", title="The canary of a secret")
    PageViewRestriction.objects.create(
        page=private, restriction_type=PageViewRestriction.LOGIN
    )
    return {"live": live, "draft": draft, "private": private}


@pytest.fixture
def member(glossary: GlossaryPage, client: Client) -> Callable[..., Client]:
    """Return a function that signs in someone with permissions of pages."""

    def member(*pages_and_actions: tuple[Any, str]) -> Client:
        user = User.objects.create_user("member")
        user.groups.add(rights(*pages_and_actions))
        client.force_login(user)
        return client

    return member


def ask(client: Client, **query: Any) -> HttpResponse:
    response = client.get(reverse("glossary_exports:index"), query)
    assert response.status_code == 200
    return response


def exported(response: HttpResponse) -> list[str]:
    """The slugs of the terms in a download of JSON."""
    assert response.streaming, response.context["form"].errors
    return [term["slug"] for term in json.loads(response.getvalue())]


def errors(response: HttpResponse) -> dict[str, list[str]]:
    assert not response.streaming
    return response.context["form"].errors


def test_the_form_offers_every_format(admin_client, terms):
    form = ask(admin_client).context["form"]
    assert [name for name, _label in form.fields["format"].choices] == [*FORMATS]
    assert form["glossary"].value() == terms["live"].glossary.pk


@pytest.mark.parametrize("name", FORMATS)
def test_a_glossary_is_downloaded_in_every_format(admin_client, glossary, terms, name):
    response = ask(admin_client, glossary=glossary.pk, format=name)
    format = FORMATS[name]
    assert response["Content-Type"] == format.content_type
    assert response["Content-Disposition"] == (
        f'attachment; filename="ai{format.extension}"'
    )
    assert "no-store" in response["Cache-Control"]
    data = response.getvalue()
    if format.files is not None:
        assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) == 1
    elif name == "xlsx":
        assert openpyxl.load_workbook(io.BytesIO(data)).active["A2"].value == "live"
    else:
        assert b"Live" in data
    assert b"canary" not in data


def test_without_drafts_the_export_is_what_anyone_may_see(
    admin_client, glossary, terms
):
    found = ask(admin_client, glossary=glossary.pk, format="json")
    assert exported(found) == ["live"]


def test_with_drafts_the_export_is_what_one_may_edit(admin_client, glossary, terms):
    found = ask(admin_client, glossary=glossary.pk, format="json", drafts="on")
    assert exported(found) == ["live", "draft", "private"]


def test_drafts_are_of_pages_that_one_may_edit_alone(member, glossary, terms):
    # A writer has pages of their own; those of others are none of their business.
    client = member((glossary, "add"))
    mine = make_term(glossary, "mine", live=False, owner=User.objects.get())
    assert "drafts" in ask(client).context["form"].fields
    found = ask(client, glossary=glossary.pk, format="json", drafts="on")
    assert exported(found) == [mine.slug]


def test_drafts_are_not_offered_to_those_who_may_edit_nothing(member, glossary, terms):
    client = member((glossary, "lock"))
    assert "drafts" not in ask(client).context["form"].fields
    found = ask(client, glossary=glossary.pk, format="json", drafts="on")
    assert exported(found) == ["live"]


def test_glossaries_that_one_does_not_find_are_not_offered(member, glossary, terms):
    other = make_glossary("other", title="Other")
    make_term(other, "elsewhere")
    client = member((other, "change"))
    form = ask(client).context["form"]
    assert [title for _pk, title in form.fields["glossary"].choices] == ["Other"]
    assert set(errors(ask(client, glossary=glossary.pk, format="json"))) == {"glossary"}


def test_who_finds_no_glossary_exports_nothing(member, glossary, terms):
    section = TermPage.base_page_model(title="Section", slug="section")
    home_page().add_child(instance=section)
    client = member((section, "change"))
    response = client.get(reverse("glossary_exports:index"))
    assert response.url == reverse("wagtailadmin_home")


@pytest.mark.parametrize(
    "query",
    [
        {"format": "nonsense"},
        {"format": ""},
        {"format": "json", "glossary": "x"},
        {"format": "json", "glossary": "99999999999999999999"},
    ],
)
def test_answers_that_make_no_sense_are_refused(admin_client, glossary, terms, query):
    assert errors(ask(admin_client, **{"glossary": glossary.pk, **query}))


def test_an_export_of_nothing_is_refused(admin_client, glossary):
    make_term(glossary, "draft", live=False)
    [error] = errors(ask(admin_client, glossary=glossary.pk, format="json"))["__all__"]
    assert "with drafts" in error
    TermPage.objects.all().delete()
    given = {"glossary": glossary.pk, "format": "json", "drafts": "on"}
    [error] = errors(ask(admin_client, **given))["__all__"]
    assert error == "There is nothing to export."


def test_nothing_can_be_posted(admin_client, glossary, terms):
    assert admin_client.post(reverse("glossary_exports:index")).status_code == 405


# Single terms


def test_a_term_is_exported_alone(admin_client, glossary, terms):
    make_term(glossary, "second")
    page = ask(admin_client, term=terms["live"].pk)
    assert page.context["page_title"] == "Export “Live”"
    response = ask(admin_client, term=terms["live"].pk, format="json")
    assert response["Content-Disposition"] == 'attachment; filename="live.json"'
    assert exported(response) == ["live"]


def test_a_term_is_exported_as_it_is_published_or_as_its_draft(admin_client, terms):
    def texts(page: TermPage) -> bytes:
        return admin_client.get(term_url(page, "json")).getvalue()

    assert b"canary" not in texts(terms["live"])
    assert b"The canary of a draft" in texts(terms["draft"])


def test_a_term_of_another_glossary_is_not_found(member, glossary, terms):
    client = member((make_glossary("other"), "change"))
    for page in terms.values():
        for query in ({}, {"format": "json"}, {"format": "json", "drafts": "on"}):
            url = reverse("glossary_exports:index")
            assert client.get(url, {"term": page.pk, **query}).status_code == 404


@pytest.mark.parametrize("term", ["x", "0", "999999", "9" * 30, "-1", "١"])
def test_terms_that_do_not_exist_are_not_found(admin_client, glossary, term):
    url = reverse("glossary_exports:index")
    assert admin_client.get(url, {"term": term}).status_code == 404


def test_the_glossary_of_a_term_is_not_up_to_the_address(admin_client, glossary, terms):
    other = make_glossary("other")
    make_term(other, "live")
    query = {"term": terms["live"].pk, "glossary": other.pk, "format": "json"}
    response = ask(admin_client, **query)
    assert json.loads(response.getvalue())[0]["term"] == "Live"


def test_terms_have_a_button_and_other_pages_have_none(glossary, terms, admin_user):
    [button] = export_button(terms["live"], admin_user)
    assert button.url.endswith(f"?term={terms['live'].pk}")
    assert list(export_button(glossary, admin_user)) == []
    course = make_term(glossary, "course", model=CourseTermPage)
    assert list(export_button(course, admin_user))


def test_the_editor_of_a_term_leads_to_its_export(admin_client, terms):
    url = reverse("wagtailadmin_pages:edit", args=[terms["live"].pk])
    page = admin_client.get(url).content.decode()
    assert f"{reverse('glossary_exports:index')}?term={terms['live'].pk}" in page
