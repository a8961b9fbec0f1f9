"""A draft is shown to whoever has a link to it, and to nobody else.

Run with ``--ds tests.settings_headless_preview``, what is not saved is kept, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core import signing
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json
from wagtail.models import (
    GroupPagePermission,
    Locale,
    PageViewRestriction,
    Site,
)
from wagtail.test.utils.form_data import streamfield

from glossary.admin.previews import preview_button
from glossary.delivery.documents import TermDocument
from glossary.delivery.loaders import load_terms
from glossary.delivery.previews import (
    SALT,
    STORE,
    Preview,
    PreviewError,
    load_preview,
    make_token,
    preview_link,
    read_token,
)
from glossary.delivery.scope import make_scope
from glossary.models import GlossaryPage, TermLabel, TermLink, TermPage

from .extension.models import CourseTermPage
from .factories import (
    comparison,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    section,
)
from .test_api_v2 import make_complete_term
from .test_forms import label_row, link_row, prose, term_form
from .test_loaders import LINKS


REPOSITORY = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.django_db

HAS_STORE = apps.is_installed(STORE)
FRONT_END = "https://front.example/%(locale)s/%(glossary)s/%(slug)s?preview=%(token)s"

needs_store = pytest.mark.skipif(not HAS_STORE, reason="nothing keeps what is unsaved")
without_store = pytest.mark.skipif(HAS_STORE, reason="what is unsaved is kept")


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def front_end(settings: Any) -> None:
    settings.GLOSSARY_PREVIEW_URL = FRONT_END


@pytest.fixture
def editor(client: Client) -> Client:
    user = User.objects.create_superuser("editor", "e@example.com", "-")
    client.force_login(user)
    return client


def the_site() -> Site:
    return Site.objects.get(is_default_site=True)


def document_of(token: str, **options: Any) -> Any:
    """The document that the token gives, held against its type."""
    preview = read_token(token)
    document = load_preview(preview, make_scope(the_site()), LINKS, **options)
    text = to_json(document)
    TypeAdapter(TermDocument).validate_json(text, strict=True, extra="forbid")
    return from_json(text)


def draft_of(term: TermPage, **changes: Any) -> str:
    """Keep a draft with these changes, and return a token for it."""
    page = TermPage.objects.get(pk=term.pk).specific
    for name, value in changes.items():
        setattr(page, name, value)
    return make_token(page, page.save_revision())


def token_in(response: Any) -> str:
    assert response.status_code == 302, response.content
    assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex"
    [token] = parse_qs(urlsplit(response["Location"]).query)["preview"]
    return token


# Tokens


def test_a_token_gives_the_draft_it_was_made_for(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token", title="Token")
    first = draft_of(term, title="First draft")
    second = draft_of(term, title="Second draft")
    assert document_of(first)["title"] == "First draft"
    assert document_of(second)["title"] == "Second draft"
    assert read_token(second).term.pk == term.pk
    term.refresh_from_db()
    assert term.title == "Token"


def test_a_term_without_a_draft_is_shown_as_it_is_stored(
    glossary: GlossaryPage,
) -> None:
    term = make_term(glossary, "token", title="Token", live=False)
    assert document_of(make_token(term))["title"] == "Token"


def reason_for(token: str) -> str:
    with pytest.raises(PreviewError) as caught:
        read_token(token)
    assert str(caught.value)
    return caught.value.reason


def test_a_link_expires(glossary: GlossaryPage, settings: Any) -> None:
    token = make_token(make_term(glossary, live=False))
    assert read_token(token)
    settings.GLOSSARY_PREVIEW_MAX_AGE = -1
    assert reason_for(token) == "expired"


def test_what_is_deleted_is_gone(glossary: GlossaryPage) -> None:
    term = make_term(glossary)
    token = draft_of(term, title="Draft")
    other = make_token(make_term(glossary), term.latest_revision)
    assert reason_for(other) == "gone"  # a draft of another page
    page = TermPage.objects.get(pk=term.pk)
    page.latest_revision.delete()
    assert reason_for(token) == "gone"
    stored = make_token(term)
    page.delete()
    assert reason_for(stored) == "gone"


def test_a_page_that_is_no_term_has_no_draft(glossary: GlossaryPage) -> None:
    assert reason_for(make_token(glossary, glossary.save_revision())) == "gone"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a:b:c",
        ":" * 400,
        "\x00",
        "a" * 100_000,
        "é",
        "\ud800",
        signing.dumps({"page": 1, "revision": None}, salt="another.salt"),
        signing.dumps({"page": 1, "revision": None}),
    ],
    ids=count(),  # a token tells the time
)
def test_another_text_is_no_token(token: str) -> None:
    assert reason_for(token) == "invalid"


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading(token: str) -> None:
    assert reason_for(token) == "invalid"


def test_a_token_that_was_tampered_with_is_refused(glossary: GlossaryPage) -> None:
    shown = make_token(make_term(glossary))
    hidden = make_token(make_term(glossary, live=False))
    _payload, time, signature = shown.split(":")
    assert reason_for(f"{hidden.split(':')[0]}:{time}:{signature}") == "invalid"


@without_store
def test_a_token_for_what_was_stored_is_gone_with_its_store(
    glossary: GlossaryPage,
) -> None:
    data = {"page": make_term(glossary).pk, "stored": "x"}
    assert reason_for(signing.dumps(data, salt=SALT)) == "gone"


# The document


@pytest.mark.parametrize("rich_text", ["html", "markdown", "plain", "db_html"])
def test_a_draft_is_the_document_that_publishing_gives(
    glossary: GlossaryPage, rich_text: Any
) -> None:
    term = make_complete_term(glossary)
    token = make_token(term, term.save_revision())
    scope = make_scope(the_site())
    [term] = load_terms([term.pk], scope, LINKS, rich_text=rich_text)
    draft, published = document_of(token, rich_text=rich_text), from_json(to_json(term))
    for name in ("first_published_at", "last_published_at"):
        # A revision keeps thousandths of a second alone.
        assert draft["meta"].pop(name)[:23] == published["meta"].pop(name)[:23]
    assert draft == published


def test_a_draft_has_what_is_not_published_yet(glossary: GlossaryPage) -> None:
    known = make_related_term(glossary, "vector")
    term = make_term(glossary, "token", model=CourseTermPage, level="1")
    page = TermPage.objects.get(pk=term.pk).specific
    page.title, page.slug, page.heading = "Tokens", "tokens", "What is a token?"
    page.category = make_category("basics", name="Basics")
    page.explanation = [("section", {"kind": "explanation", "body": "<p>New.</p>"})]
    page.related_terms = [TermLink(related_term=known, kind="broader")]
    page.labels = [TermLabel(text="tok", kind="abbreviation")]
    page.tags.add("data")
    document = document_of(make_token(page, page.save_revision()))
    assert document["id"] == term.pk
    assert document["meta"]["type"] == "extension.CourseTermPage"
    assert document["meta"]["slug"] == "tokens"
    assert document["meta"]["html_url"].endswith("/ai/tokens/")
    assert document["title"] == "Tokens"
    assert document["heading"] == "What is a token?"
    assert document["category"] == {"slug": "basics", "name": "Basics"}
    assert document["explanation"][0]["value"]["body"] == "<p>New.</p>"
    [link] = document["related_terms"]
    assert (link["kind"], link["related_term"]["slug"]) == ("broader", "vector")
    assert [label["text"] for label in document["labels"]] == ["tok"]
    assert document["tags"] == ["data"]


def test_what_has_gone_since_is_left_out(glossary: GlossaryPage) -> None:
    known = make_related_term(glossary, "vector")
    category = make_category("basics")
    term = make_term(glossary, "token")
    page = TermPage.objects.get(pk=term.pk)
    page.category = category
    page.related_terms = [TermLink(related_term=known)]
    page.comparisons = [comparison("Vector", "<p>It differs.</p>", known)]
    token = make_token(page, page.save_revision())
    known.delete()
    category.delete()
    document = document_of(token)
    assert document["category"] is None
    assert document["related_terms"] == []
    assert document["comparisons"][0]["value"]["related_term"] is None


MARK = "zzyzx"


@pytest.mark.parametrize("reason", ["draft", "login", "other site"])
def test_a_draft_tells_nothing_of_what_else_is_hidden(
    glossary: GlossaryPage, reason: str
) -> None:
    home = glossary
    if reason == "other site":
        root = Site.objects.get().root_page.get_root().specific
        home = make_glossary(f"{MARK}-law", parent=root)
    target = make_term(home, MARK, live=reason != "draft")
    if reason == "login":
        PageViewRestriction.objects.create(
            page=target, restriction_type=PageViewRestriction.LOGIN
        )
    known = make_related_term(home, MARK)
    link = f'<p>See <a linktype="page" id="{target.pk}">this</a>.</p>'
    token = draft_of(
        make_term(glossary, "token"),
        explanation=[section(link)],
        comparisons=[comparison("That", link, known)],
        related_terms=[TermLink(related_term=known)] if home == glossary else [],
    )
    for rich_text in ("html", "markdown", "plain"):
        document = document_of(token, rich_text=rich_text)
        assert document["explanation"][0]["value"]["body"].count("this") == 1
        assert MARK not in to_json(document).decode()


def test_a_hidden_glossary_has_no_address(glossary: GlossaryPage) -> None:
    hidden = make_glossary("board", live=False)
    token = draft_of(make_term(hidden, "plan", live=False), title="Our plan")
    document = document_of(token)
    assert document["title"] == "Our plan"
    assert document["meta"]["parent"] is None
    assert document["meta"]["html_url"] is None


def test_a_draft_of_another_site_is_gone(glossary: GlossaryPage) -> None:
    root = the_site().root_page.get_root().specific
    elsewhere = make_term(make_glossary("law", parent=root), "writ")
    with pytest.raises(PreviewError) as caught:
        document_of(make_token(elsewhere))
    assert caught.value.reason == "gone"


def test_a_term_that_was_never_saved_has_the_id_0(glossary: GlossaryPage) -> None:
    known = make_related_term(glossary, "vector")
    new = TermPage(
        title="New",
        slug="new",
        short_definition="It is new.",
        explanation=[section("<p>Text.</p>")],
        locale=Locale.get_default(),
        path=glossary._get_path(glossary.path, glossary.depth + 1, 99),
        depth=glossary.depth + 1,
        related_terms=[TermLink(related_term=known)],
        labels=[TermLabel(text="fresh")],
    )
    document = from_json(
        to_json(load_preview(Preview(new), make_scope(the_site()), LINKS))
    )
    assert (document["id"], document["title"]) == (0, "New")
    assert document["labels"][0] == {
        "id": 0,
        "meta": {"type": "glossary.TermLabel"},
        "text": "fresh",
        "kind": "synonym",
        "case_rule": "ignore",
    }
    assert document["meta"]["html_url"].endswith("/ai/new/")


@pytest.mark.slow
def test_a_draft_takes_no_more_queries_for_more_of_it(
    glossary: GlossaryPage, django_assert_max_num_queries: Any
) -> None:
    term = make_complete_term(glossary)
    token = make_token(term, term.save_revision())
    scope = make_scope(the_site())
    preview = read_token(token)
    with django_assert_max_num_queries(14):
        load_preview(preview, scope, LINKS)


# The link


def test_the_link_leads_to_the_front_end(
    glossary: GlossaryPage, front_end: None
) -> None:
    term = make_term(glossary, "größe", title="Größe")
    link = preview_link(term, "a:b:c-_")
    assert link == "https://front.example/en/ai/gr%C3%B6%C3%9Fe?preview=a:b:c-_"


def test_there_is_no_link_without_a_front_end(glossary: GlossaryPage) -> None:
    assert preview_link(make_term(glossary), "a:b:c") is None


# In the admin


def edit_form(term: TermPage, **changes: Any) -> dict[str, Any]:
    fields = {
        "title": term.title,
        "slug": term.slug,
        "short_definition": term.short_definition,
        **changes,
    }
    return term_form(**fields)


def preview_on_edit(editor: Client, term: TermPage, **changes: Any) -> Any:
    """What the preview panel of the editor shows."""
    url = reverse("wagtailadmin_pages:preview_on_edit", args=[term.pk])
    answer = editor.post(url, edit_form(term, **changes)).json()
    assert answer["is_valid"], answer
    return editor.get(f"{url}?in_preview_panel=true")


@pytest.mark.slow
def test_the_preview_of_a_saved_draft_is_shown_in_the_front_end(
    glossary: GlossaryPage, editor: Client, front_end: None
) -> None:
    term = make_term(glossary, "token", title="Token")
    token = token_in(preview_on_edit(editor, term))
    assert document_of(token)["title"] == "Token"


@pytest.mark.slow
def test_the_preview_shows_what_is_not_saved(
    glossary: GlossaryPage, editor: Client, front_end: None
) -> None:
    known = make_related_term(glossary, "vector")
    term = make_term(glossary, "token", title="Token")
    text = "What is only in the form."
    response = preview_on_edit(
        editor,
        term,
        short_definition=text,
        explanation=streamfield(
            [
                (
                    "section",
                    {
                        "kind": "explanation",
                        "heading": "",
                        "body": prose("<p>More.</p>"),
                    },
                )
            ]
        ),
        links=[link_row(known)],
        labels=[label_row("tok")],
    )
    if HAS_STORE:
        document = document_of(token_in(response))
        assert document["id"] == term.pk
        assert document["short_definition"] == text
        assert [link["id"] for link in document["related_terms"]] == [0]
        assert [label["text"] for label in document["labels"]] == ["tok"]
        assert "More." in document["explanation"][0]["value"]["body"]
    else:
        assert response.status_code == 200
        assert text in response.content.decode()
    term.refresh_from_db()
    assert term.short_definition != text


@pytest.mark.slow
def test_a_new_term_is_shown_before_it_is_saved(
    glossary: GlossaryPage, editor: Client, front_end: None
) -> None:
    url = reverse(
        "wagtailadmin_pages:preview_on_add", args=["glossary", "termpage", glossary.pk]
    )
    form = term_form(title="Not there yet", slug="not-there-yet")
    assert editor.post(url, form).json()["is_valid"]
    response = editor.get(url)
    if HAS_STORE:
        token = token_in(response)
        assert read_token(token).term.pk is None
        document = document_of(token)
        assert (document["id"], document["title"]) == (0, "Not there yet")
    else:
        assert "Not there yet" in response.content.decode()
    assert not TermPage.objects.exists()


@pytest.mark.slow
def test_an_older_revision_is_not_taken_for_the_latest(
    glossary: GlossaryPage, editor: Client, front_end: None
) -> None:
    term = make_term(glossary, "token", title="Token")
    old = term.latest_revision
    draft_of(term, title="Newer")
    url = reverse("wagtailadmin_pages:revisions_view", args=[term.pk, old.pk])
    response = editor.get(url)
    if HAS_STORE:
        assert document_of(token_in(response))["title"] == "Token"
    else:
        content = response.content.decode()
        assert "Token" in content
        assert "Newer" not in content


@pytest.mark.slow
def test_without_a_front_end_the_preview_is_the_terms_own_page(
    glossary: GlossaryPage, editor: Client
) -> None:
    term = make_term(glossary, "token", title="Token")
    response = editor.get(reverse("wagtailadmin_pages:view_draft", args=[term.pk]))
    assert response.status_code == 200
    assert "Token" in response.content.decode()


def reader_of(*page_permissions: str) -> User:
    """An editor who may do this with every page."""
    user = User.objects.create_user("reader", "r@example.com", "-")
    group = Group.objects.create(name="Readers")
    group.permissions.add(
        Permission.objects.get(
            content_type__app_label="wagtailadmin", codename="access_admin"
        )
    )
    root = the_site().root_page.get_root()
    for name in page_permissions:
        GroupPagePermission.objects.create(group=group, page=root, permission_type=name)
    user.groups.add(group)
    return user


@pytest.mark.slow
def test_an_editor_is_led_to_the_latest_draft(
    glossary: GlossaryPage, client: Client, front_end: None
) -> None:
    term = make_term(glossary, "token", title="Token")
    draft_of(term, title="Draft", slug="draft")
    client.force_login(reader_of("change"))
    response = client.get(reverse("glossary_previews:term", args=[term.pk]))
    assert response["Location"].startswith("https://front.example/en/ai/draft?preview=")
    assert document_of(token_in(response))["title"] == "Draft"


@pytest.mark.slow
def test_others_get_no_link(
    glossary: GlossaryPage, client: Client, front_end: None
) -> None:
    term = make_term(glossary, "token")
    url = reverse("glossary_previews:term", args=[term.pk])
    assert client.get(url)["Location"].startswith(reverse("wagtailadmin_login"))
    client.force_login(reader_of("lock"))
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"] == reverse("wagtailadmin_home")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_the_view_only_reads(
    glossary: GlossaryPage, editor: Client, front_end: None, method: str
) -> None:
    url = reverse("glossary_previews:term", args=[make_term(glossary).pk])
    assert getattr(editor, method)(url).status_code == 405


@pytest.mark.slow
def test_there_is_no_view_without_a_front_end_or_a_term(
    glossary: GlossaryPage, editor: Client, settings: Any
) -> None:
    term = make_term(glossary)
    url = reverse("glossary_previews:term", args=[term.pk])
    assert editor.get(url).status_code == 404
    settings.GLOSSARY_PREVIEW_URL = FRONT_END
    assert editor.get(url).status_code == 302
    other = reverse("glossary_previews:term", args=[glossary.pk])
    assert editor.get(other).status_code == 404


def test_the_button_is_for_those_who_may_see_the_draft(
    glossary: GlossaryPage, settings: Any
) -> None:
    term = make_term(glossary)
    Page = type(term).base_page_model
    plain = Page.objects.get(pk=term.pk)
    boss = User.objects.create_superuser("boss", "b@example.com", "-")
    reader = reader_of("lock")
    assert list(preview_button(plain, boss)) == []
    settings.GLOSSARY_PREVIEW_URL = FRONT_END
    [button] = preview_button(plain, boss)
    assert button.url == reverse("glossary_previews:term", args=[term.pk])
    assert list(preview_button(plain, reader)) == []
    assert list(preview_button(glossary, boss)) == []
    assert list(preview_button(TermPage(), boss)) == []


@pytest.mark.slow
def test_the_button_stands_on_the_edit_page(
    glossary: GlossaryPage, editor: Client, front_end: None
) -> None:
    term = make_term(glossary)
    page = editor.get(reverse("wagtailadmin_pages:edit", args=[term.pk]))
    url = reverse("glossary_previews:term", args=[term.pk])
    assert f'href="{url}"' in page.content.decode()


# wagtail_headless_preview


@needs_store
def test_tokens_of_the_packages_own_mixin_are_read(
    glossary: GlossaryPage, settings: Any
) -> None:
    from wagtail_headless_preview.models import HeadlessPreviewMixin, PagePreview

    term = make_term(glossary, "token", title="Token")
    token = HeadlessPreviewMixin.get_preview_signer().sign(f"id={term.pk}")
    term.title = "Not saved"
    PagePreview.objects.create(
        token=token, content_type=term.content_type, content_json=term.to_json()
    )
    assert document_of(token)["title"] == "Not saved"
    assert reason_for(token[:-1]) == "invalid"
    settings.GLOSSARY_PREVIEW_MAX_AGE = -1
    assert reason_for(token) == "expired"
    settings.GLOSSARY_PREVIEW_MAX_AGE = 60
    PagePreview.objects.all().delete()
    assert reason_for(token) == "gone"


@needs_store
def test_a_stored_page_that_is_no_term_has_no_draft(glossary: GlossaryPage) -> None:
    from wagtail_headless_preview.models import HeadlessPreviewMixin, PagePreview

    token = HeadlessPreviewMixin.get_preview_signer().sign(f"id={glossary.pk}")
    PagePreview.objects.create(
        token=token,
        content_type=glossary.content_type,
        content_json=glossary.to_json(),
    )
    assert reason_for(token) == "invalid"


@pytest.mark.slow
@pytest.mark.once
@without_store
def test_all_of_this_holds_with_wagtail_headless_preview() -> None:
    pytest.importorskip("wagtail_headless_preview")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--ds", "tests.settings_headless_preview", __file__),
        ],
        cwd=REPOSITORY,
        # In memory: the test database of this run may have the same name.
        env={**os.environ, "DATABASE_URL": "sqlite://:memory:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
