"""The app follows the site's base page, whichever it is.

Run with ``--ds tests.settings_custom_page`` that is one without SEO fields.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import swapper
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from wagtail.models import ReferenceIndex
from wagtail.test.utils.form_data import (
    inline_formset,
    nested_form_data,
    streamfield,
)

from glossary.models import GlossaryPage, TermPage

from .factories import make_glossary, make_related_term, make_term


REPOSITORY = Path(__file__).resolve().parent.parent
pytestmark = [pytest.mark.django_db, pytest.mark.slow]

SEO_FIELDS = {"seo_title", "search_description", "show_in_menus"}
HAS_SEO_FIELDS = getattr(settings, "WAGTAIL_PAGE_MODEL", "") != "custom_page.BasePage"


def base_page() -> Any:
    return swapper.load_model("wagtailcore", "Page")


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def editor(client: Client) -> Client:
    user = get_user_model().objects.create_superuser("editor", "e@example.com", "-")
    client.force_login(user)
    return client


def test_no_module_of_the_app_imports_wagtails_own_page() -> None:
    for path in (REPOSITORY / "glossary").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "wagtail.models":
                assert "Page" not in {alias.name for alias in node.names}, path


def test_the_models_stand_on_the_base_page() -> None:
    for model in (GlossaryPage, TermPage):
        assert model.base_page_model is base_page()
        assert model._meta.pk.remote_field.model is base_page()
        names = {field.name for field in model._meta.fields}
        assert names.issuperset(SEO_FIELDS) is HAS_SEO_FIELDS


def test_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


@pytest.mark.slow
def test_a_site_with_a_base_page_of_its_own_can_be_set_up(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings_custom_page",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
    }
    for command in ("check", "makemigrations --check --dry-run", "migrate -v 0"):
        subprocess.run(
            [sys.executable, "-m", "django", *command.split()],
            cwd=REPOSITORY,
            env=environment,
            check=True,
        )


def test_a_term_goes_through_its_life_in_the_admin(
    editor: Client, glossary: GlossaryPage
) -> None:
    token = make_related_term(glossary, "token")
    own_field = "seo_title" if HAS_SEO_FIELDS else "audience"
    form = nested_form_data(
        {
            "title": "Token",
            "slug": "token",
            "heading": "",
            "short_definition": "A part of a text.",
            "category": "",
            "tags": "Text",
            "comments": inline_formset([]),
            **{
                name: streamfield([])
                for name in ("explanation", "comparisons", "faq", "related_features")
            },
            "related_terms": inline_formset([]),
            "labels": inline_formset(
                [{"text": "tok", "kind": "abbreviation", "case_rule": "exact"}]
            ),
            own_field: "Written",
        }
    )

    def post(name: str, *args: Any, **data: Any) -> None:
        response = editor.post(reverse(f"wagtailadmin_pages:{name}", args=args), data)
        context = response.context
        assert response.status_code == 302, context and context["form"].errors

    url = ("glossary", "termpage", glossary.pk)
    post("add", *url, **form)
    term = TermPage.objects.get()
    assert not term.live
    stored = {"labels-INITIAL_FORMS": "1", "labels-0-id": str(term.labels.get().pk)}
    post("edit", term.pk, **{**form, **stored, "action-publish": "publish"})
    term.refresh_from_db()
    assert term.live
    assert term.labels.get().text == "tok"
    assert getattr(term, own_field) == "Written"
    token.refresh_from_db()
    assert token.page == term

    for name in ("edit", "history", "usage", "copy", "move", "unpublish", "delete"):
        page = editor.get(reverse(f"wagtailadmin_pages:{name}", args=(term.pk,)))
        assert page.status_code == 200, name
    copy = {"new_title": "Copy", "new_slug": "copy"}
    post("copy", term.pk, **copy, new_parent_page=glossary.pk)
    other = make_glossary()
    post("move_confirm", TermPage.objects.get(slug="copy").pk, other.pk)
    assert other.terms.get().title == "Copy"
    post("unpublish", term.pk)
    term.refresh_from_db()
    assert not term.live
    post("delete", term.pk)
    token.refresh_from_db()
    assert token.is_wanted


def test_terms_are_found_after_indexing_anew(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token", labels=["wordpiece"])
    call_command("update_index", verbosity=0, stdout=StringIO())
    assert list(TermPage.objects.search("wordpiece")) == [term]
    [found] = base_page().objects.search("token")
    assert found.pk == term.pk


def test_references_are_found_after_indexing_anew(glossary: GlossaryPage) -> None:
    token = make_related_term(glossary, "token")
    term = make_term(glossary, related_terms=[token])
    call_command("rebuild_references_index", verbosity=0)
    [reference] = ReferenceIndex.get_references_to(token)
    assert reference.object_id == str(term.pk)
    assert reference.base_content_type.model_class() is base_page()


def test_visitors_and_programs_read_terms(
    client: Client, glossary: GlossaryPage
) -> None:
    term = make_term(glossary, "token", heading="What is a token?")
    assert "What is a token?" in client.get("/ai/token/").content.decode()
    assert "Token" in client.get("/ai/").content.decode()
    for url in (f"/api/v2/terms/{term.pk}/", f"/api/v3/pages/{term.pk}/"):
        answer = client.get(url).json()
        assert answer["heading"] == "What is a token?"
        assert set(answer["meta"]).issuperset(SEO_FIELDS) is HAS_SEO_FIELDS


def test_an_import_keeps_what_the_base_page_has_no_field_for(
    glossary: GlossaryPage, tmp_path: Path
) -> None:
    record = {
        "slug": "token",
        "term": "Token",
        "shortDefinition": "A part of a text.",
        "seoTitle": "Tokens in short",
        "seoDescription": "What a token is.",
    }
    path = tmp_path / "terms.jsonl"
    path.write_text(json.dumps(record), encoding="utf-8")
    written = []
    for _time in range(2):
        call_command("import_terms", path, glossary="ai", verbosity=0)
        term = glossary.terms.get()
        written.append(term.latest_revision_id)
    assert written[0] == written[1]
    if HAS_SEO_FIELDS:
        assert term.seo_title == "Tokens in short"
    else:
        assert "Tokens in short" in term.payload_extra.values()
