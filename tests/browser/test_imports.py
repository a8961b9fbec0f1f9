"""A glossary moved in by an editor who has the admin, a keyboard and a zip archive."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from glossary.importing.jobs import begin_apply, begin_import
from glossary.importing.options import OnConflict, Options
from glossary.models import GlossaryPage, ImportRecord, ImportRun, TermPage

from ..factories import make_glossary, make_term
from ..test_admin_imports import lines, record


if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

SCREEN = {"width": 1400, "height": 1000}
# Milliseconds in which a request that does the work of a run itself has to end.
WORK = 30_000
FIXTURES = Path(__file__).parents[2] / "fixtures" / "glossary"


@pytest.fixture
def glossary(
    browser: Browser, transactional_db: None, django_db_serialized_rollback: None
) -> GlossaryPage:
    return make_glossary("ai", title="AI glossary")


@pytest.fixture
def editor(admin_page: Page) -> Page:
    admin_page.set_viewport_size(SCREEN)
    # Else the menu's news pulse for half a minute on every page.
    admin_page.emulate_media(reduced_motion="reduce")
    return admin_page


@pytest.fixture
def looked_at(
    axe: Callable[[Page], list[str]], screenshot: Callable[[Page, str], None]
) -> Callable[[Page, str], None]:
    """Return a function that keeps a picture of a screen, which has to be accessible.

    ``but`` are faults that the page has without us.
    """

    def look(page: Page, name: str, but: Collection[str] = ()) -> None:
        page.wait_for_load_state("load")
        expect(page.locator("main")).to_be_visible()
        # Messages and menus come in slowly; half seen they are hard to read.
        page.wait_for_function(
            "() => document.getAnimations().every(each => each.playState !== 'running')"
        )
        screenshot(page, f"import-{name}")
        assert set(axe(page)) <= set(but), name

    return look


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The fixtures' payloads, as one downloads a site's folder."""
    path = tmp_path / "glossary.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for payload in sorted(FIXTURES.rglob("_payload.json")):
            archive.write(payload, payload.relative_to(FIXTURES.parent))
        archive.writestr("glossary/broken/_payload.json", "[")
    return path


def open_import(page: Page) -> None:
    page.goto(reverse("wagtailadmin_home"))
    page.get_by_role("button", name="Glossary").click()
    page.get_by_role("link", name="Import", exact=True).click()
    expect(page.get_by_role("link", name="Import terms")).to_be_visible()


def signed_in(page: Page, client: Client, live_server: LiveServer) -> Page:
    name = settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value}
    page.context.add_cookies([{**cookie, "url": live_server.url}])
    return page


def press_until(page: Page, key: str, name: str, limit: int = 80) -> None:
    """Move the focus by the keyboard to what has this name."""
    for _step in range(limit):
        page.keyboard.press(key)
        focused = page.evaluate(
            "() => document.activeElement.innerText || document.activeElement.value"
        )
        if (focused or "").strip() == name:
            return
    pytest.fail(f"the keyboard does not reach “{name}”")


def test_a_site_is_imported_looked_at_applied_and_undone(
    editor: Page,
    glossary: GlossaryPage,
    archive: Path,
    looked_at: Callable[[Page, str], None],
) -> None:
    page = editor
    # A page that is in the way: the plan has a conflict.
    make_term(glossary, "token", title="Token", short_definition="Ours.")
    open_import(page)
    looked_at(page, "list-empty")
    page.get_by_role("link", name="Import terms").click()
    page.get_by_label("Files").set_input_files(archive)
    page.get_by_label("Name of the new source").fill("old site")
    looked_at(page, "upload")
    page.get_by_role("button", name="Upload and plan").click()

    # The plan
    expect(page.get_by_role("heading", name="Apply the plan")).to_be_visible(
        timeout=WORK
    )
    run = ImportRun.objects.get()
    assert run.status == ImportRun.Status.PLANNED
    new = len(list(FIXTURES.iterdir())) - 1
    assert run.counts == {"create": new, "conflict": 1, "invalid": 1}
    looked_at(page, "plan")
    page.get_by_role("link", name="1 in conflict").click()
    expect(page.get_by_role("row")).to_have_count(2)
    why = "There is a page with this slug that no import has made."
    expect(page.get_by_role("cell", name=why)).to_be_visible()
    page.get_by_role("link", name="1 failed").click()
    expect(page.get_by_role("cell", name="not JSON")).to_be_visible()
    looked_at(page, "plan-failed")
    page.get_by_role("link", name=f"{new} new").click()
    expect(page.get_by_text(f"There are {new} matches.")).to_be_visible()
    looked_at(page, "plan-filtered")

    # A term, by the keyboard
    press_until(page, "Tab", "Agent")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What the new term says")).to_be_visible()
    looked_at(page, "new-term")
    press_until(page, "Tab", f"Import #{run.pk}")
    page.keyboard.press("Enter")

    # Applied, by the keyboard
    expect(page.get_by_role("heading", name="Apply the plan")).to_be_visible()
    press_until(page, "Tab", "Apply")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Download the report")).to_be_visible(
        timeout=WORK
    )
    looked_at(page, "finished")
    assert TermPage.objects.live().count() == new + 1
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report").click()
    report = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert report["counts"] == run.counts
    assert len(report["terms"]) == new + 2

    # Undone
    page.get_by_role("link", name="Undo…").click()
    looked_at(page, "undo")
    press_until(page, "Tab", "Yes, undo it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=f"Import #{run.pk}")).to_be_visible(
        timeout=WORK
    )
    looked_at(page, "undone")
    assert TermPage.objects.live().count() == 1
    open_import(page)
    looked_at(page, "list")
    page.get_by_role("button", name="Show filters").click()
    page.get_by_role("button", name="Kind").click()
    page.get_by_role("checkbox", name="Undo").check()
    expect(page.get_by_role("row")).to_have_count(2)
    looked_at(page, "list-filters")


FAQ = [
    {"question": "How long is one?", "answer": "Some *four* letters."},
    {"question": "Is it a word?", "answer": "Not always."},
]


def finished(glossary: GlossaryPage, *records: dict[str, Any]) -> ImportRun:
    """A run of these records, planned and applied."""
    run = planned(glossary, *records)
    begin_apply(run, OnConflict.DRAFT)
    run.refresh_from_db()
    assert run.status == ImportRun.Status.FINISHED, run.message
    return run


def planned(glossary: GlossaryPage, *records: dict[str, Any]) -> ImportRun:
    file = lines(*records)
    options = Options(source="old site")
    run = begin_import(
        glossary,
        [(file.name, [file.read()])],
        source="old site",
        options=options,
        user=User.objects.get(),
    )
    run.refresh_from_db()
    assert run.status == ImportRun.Status.PLANNED, run.message
    return run


def test_a_conflict_is_seen_and_decided(
    editor: Page,
    glossary: GlossaryPage,
    looked_at: Callable[..., None],
    axe: Callable[[Page], list[str]],
) -> None:
    page = editor
    finished(glossary, record("token", faq=FAQ), record("embedding"))
    token = TermPage.objects.get(slug="token")
    token.short_definition = "A piece of a text, as we say."
    token.save_revision().publish()
    theirs = [
        {**FAQ[0], "answer": "Some *three* letters."},
        {"question": "Who makes them?", "answer": "A tokenizer."},
    ]
    changed = record("token", shortDefinition="A part of a text.", faq=theirs)
    run = planned(glossary, changed, record("embedding", term="Embeddings"))

    page.goto(reverse("glossary_imports:run", args=[run.pk]))
    choice = page.get_by_role("combobox", name="Conflict in “Token”")
    choice.select_option("Keep ours, propose theirs")
    page.get_by_role("button", name="Save the choices in the table").click()
    expect(page.get_by_text("The choice for 1 term is saved.")).to_be_visible()
    assert run.items.get(key="token").decision == OnConflict.DRAFT
    looked_at(page, "conflict")
    page.get_by_role("link", name="Token", exact=True).click()
    expect(page.get_by_role("heading", name="Differences")).to_be_visible()
    looked_at(page, "differences")
    page.go_back()
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.get_by_role("link", name="Download the report")).to_be_visible(
        timeout=WORK
    )

    # The editor of the term
    page.goto(reverse("wagtailadmin_pages:edit", args=[token.pk]))
    expect(page.get_by_role("button", name="Toggle import")).to_be_visible()
    faults = axe(page)
    page.get_by_role("button", name="Toggle import").click()
    panel = page.locator("[data-side-panel=glossary-import]")
    expect(panel.get_by_text("Edited since")).to_be_visible()
    expect(panel.get_by_role("link", name=f"Import #{run.pk}")).to_be_visible()
    looked_at(page, "side-panel", faults)
    panel.get_by_role("link", name="Compare and decide").click()
    looked_at(page, "proposals")
    page.get_by_role("button", name="Take the source’s: Short definition").focus()
    page.keyboard.press("Enter")
    said = page.get_by_text("“Short definition” is what the source says now")
    expect(said).to_be_visible()
    token.refresh_from_db()
    assert token.short_definition == "A part of a text."
    assert ImportRecord.objects.get(key="token").proposal == {}


def test_progress_is_told_until_the_run_has_ended(
    editor: Page,
    glossary: GlossaryPage,
    looked_at: Callable[[Page, str], None],
) -> None:
    page = editor
    run = planned(glossary, record("token"))
    ImportRun.objects.filter(pk=run.pk).update(status="running", done=0, total=40)
    page.goto(reverse("glossary_imports:run", args=[run.pk]))
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("value", "0")
    ImportRun.objects.filter(pk=run.pk).update(done=30)
    expect(page.get_by_text("30 of 40 terms")).to_be_visible(timeout=WORK)
    expect(bar).to_have_js_property("value", 30)
    looked_at(page, "progress")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("It stops once the terms")).to_be_visible()
    ImportRun.objects.filter(pk=run.pk).update(status="stopped", message="Stopped.")
    expect(page.get_by_role("link", name="Download the report")).to_be_visible(
        timeout=WORK
    )
    expect(bar).to_have_count(0)


def test_progress_is_to_be_had_without_scripts(
    new_page: Callable[..., Page],
    admin_client: Client,
    live_server: LiveServer,
    glossary: GlossaryPage,
) -> None:
    page = signed_in(new_page(java_script_enabled=False), admin_client, live_server)
    run = planned(glossary, record("token"))
    page.goto(reverse("glossary_imports:run", args=[run.pk]))
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.get_by_role("link", name="Download the report")).to_be_visible(
        timeout=WORK
    )
    assert TermPage.objects.get().slug == "token"
    ImportRun.objects.filter(pk=run.pk).update(status="running", total=40)
    page.goto(reverse("glossary_imports:run", args=[run.pk]))
    ImportRun.objects.filter(pk=run.pk).update(done=30)
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("30 of 40 terms")).to_be_visible()


def test_terms_are_exported(
    editor: Page,
    glossary: GlossaryPage,
    looked_at: Callable[[Page, str], None],
) -> None:
    page = editor
    token = make_term(glossary, "token", title="Token")
    page.goto(reverse("wagtailadmin_home"))
    page.get_by_role("button", name="Glossary").click()
    page.get_by_role("link", name="Export", exact=True).click()
    looked_at(page, "export")
    page.get_by_role("radio", name="JSON lines").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "ai.jsonl"
    page.goto(reverse("wagtailadmin_pages:edit", args=[token.pk]))
    page.get_by_role("button", name="Actions", exact=True).first.click()
    page.get_by_role("link", name="Export this term").click()
    title = page.get_by_role("heading", name="Export “Token”", level=2)
    expect(title).to_be_visible()
    looked_at(page, "export-term")
