"""The public pages as a visitor meets them, in the demo site's frame."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from wagtail.models import Locale

from glossary.delivery import entries
from glossary.models import GlossaryPage
from glossary.site import index

from ..factories import (
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


if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

REPOSITORY = Path(__file__).resolve().parents[2]
NARROW = {"width": 320, "height": 640}  # 1280 pixels at 400 % zoom
WIDE = {"width": 1280, "height": 800}
LONG = "Rechtsschutzversicherungsgesellschaften"
BODY = """
<p>A model reads <b>tokens</b>, not words. The <a href="https://example.org/bpe">usual
way</a> to make them is to merge what often stands together.</p>
<h3>In short</h3><ol><li>Split the text.</li><li>Look up each piece.</li></ol>
<blockquote>Text goes in, numbers come out.</blockquote>
<p>Try <code>len(text)</code>.</p>
"""


@pytest.fixture
def demo_frame(settings: Any) -> None:
    """The templates and styles of the demo site around the app's own."""
    templates = REPOSITORY / "templates"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [templates]}]
    settings.STATICFILES_DIRS = [REPOSITORY / "site_project" / "static"]


def fill(glossary: GlossaryPage) -> None:
    category = make_category(f"text-{glossary.slug}", locale=glossary.locale)
    make_term(glossary, "word", category=category, locale=glossary.locale)
    # One word that is wider than a phone.
    make_term(
        glossary,
        LONG.lower(),
        title=LONG,
        heading=LONG,
        short_definition=f"{LONG} is a word for a model.",
        category=category,
        labels=[(f"{LONG}en", "synonym")],
        tags=[LONG],
        explanation=[section(f"<p>{LONG}</p>", heading=LONG)],
        faq=[question(LONG, f"<p>{LONG}</p>")],
        locale=glossary.locale,
    )
    word, byte = (make_related_term(glossary, slug) for slug in ("word", "byte"))
    make_term(
        glossary,
        "token",
        locale=glossary.locale,
        heading="What is a token?",
        short_definition="A token is the piece of text that a model reads at a time.",
        category=category,
        labels=[("Subword", "synonym"), ("TOK", "abbreviation")],
        tags=["basics", "text"],
        explanation=[section(BODY), section(BODY, kind="how_it_works")],
        comparisons=[comparison("", "<p>Longer.</p>", word)],
        faq=[question("Is it a word?", '<p>Often <a href="/ai/word/">not</a>.</p>')],
        related_terms=[word, (byte, "narrower")],
        related_features=[feature("docs/tokens", "Count tokens")],
    )


@pytest.fixture
def glossary(
    browser: Browser, transactional_db: None, django_db_serialized_rollback: None
) -> GlossaryPage:
    glossary = make_glossary(
        "ai",
        title="AI Glossary",
        introduction="<p>The words of artificial intelligence.</p>",
        licence_url="https://example.org/licence",
    )
    fill(glossary)
    return glossary


@pytest.fixture
def urdu_glossary(
    browser: Browser, transactional_db: None, django_db_serialized_rollback: None
) -> GlossaryPage:
    urdu = Locale.objects.create(language_code="ur")
    home = home_page().copy_for_translation(urdu)
    home.save_revision().publish()
    glossary = make_glossary("lughat", title="لغت", parent=home, locale=urdu)
    fill(glossary)
    make_term(glossary, "urdu", title="ٹوکن", locale=urdu)
    return glossary


def open_all(page: Page) -> None:
    for summary in page.locator("summary").all():
        summary.click()


def is_wider_than_the_screen(page: Page) -> bool:
    root = "document.documentElement"
    return page.evaluate(f"{root}.scrollWidth > {root}.clientWidth")


ADDRESSES = {
    "term": "token/",
    "term-long": f"{LONG.lower()}/",
    "glossary": "",
    "category": "category/text-{slug}/",
    "tag": "tag/basics/",
    "map": "map/all/",
    "search": "?q=model",
    "search-filtered": "?q=model&letter=t&all=1",
    "search-none": "?q=quantum+fish",
    "search-meant": "?q=tokne",
    "not-found": "tokem/",
}


def check(
    page: Page,
    glossary: GlossaryPage,
    axe: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], None],
    name: str,
) -> None:
    for part, address in ADDRESSES.items():
        page.goto(f"/{glossary.slug}/{address.format(slug=glossary.slug)}")
        open_all(page)
        width = page.viewport_size["width"] if page.viewport_size else 0
        screenshot(page, f"{part}-{name}-{width}")
        assert axe(page) == [], part
        assert not is_wider_than_the_screen(page), part
        assert page.locator("h1").count() == 1


def allow_not_found(problems: list[str]) -> None:
    """Chromium logs that a page was not found."""
    problems[:] = [line for line in problems if "/tokem/" not in line]


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_accessibility_fault(
    demo_frame: None,
    glossary: GlossaryPage,
    new_page: Callable[..., Page],
    page_problems: list[str],
    axe: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], None],
    scheme: str,
    viewport: dict[str, int],
) -> None:
    page = new_page(viewport=viewport, color_scheme=scheme)
    check(page, glossary, axe, screenshot, scheme)
    allow_not_found(page_problems)


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_read_from_right_to_left(
    demo_frame: None,
    urdu_glossary: GlossaryPage,
    new_page: Callable[..., Page],
    page_problems: list[str],
    axe: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], None],
    scheme: str,
    viewport: dict[str, int],
) -> None:
    page = new_page(viewport=viewport, locale="ur", color_scheme=scheme)
    check(page, urdu_glossary, axe, screenshot, f"rtl-{scheme}")
    allow_not_found(page_problems)
    page.goto("/lughat/token/")
    heading = page.locator("h1").bounding_box()
    assert heading is not None
    assert heading["x"] + heading["width"] > viewport["width"] / 2


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
def test_the_pages_of_a_large_glossary_have_no_accessibility_fault(
    demo_frame: None,
    glossary: GlossaryPage,
    new_page: Callable[..., Page],
    axe: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], None],
    monkeypatch: pytest.MonkeyPatch,
    viewport: dict[str, int],
) -> None:
    monkeypatch.setattr(index, "MOST_TERMS", 1)
    monkeypatch.setattr(entries, "PART", 1)
    page = new_page(viewport=viewport)
    for name, address in {
        "glossary-large": "/ai/",
        "letter": "/ai/letter/t/",
        "letter-further": "/ai/letter/t/?from=Token",
        "letter-empty": "/ai/letter/q/",
    }.items():
        page.goto(address)
        screenshot(page, f"{name}-{viewport['width']}")
        assert axe(page) == [], name
        assert not is_wider_than_the_screen(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_whole_at_text_spacing_of_ones_own(
    demo_frame: None,
    glossary: GlossaryPage,
    new_page: Callable[..., Page],
    scheme: str,
) -> None:
    """WCAG 1.4.12: nothing is cut off and nothing is wider than the screen."""
    page = new_page(viewport=NARROW, color_scheme=scheme)
    for address in ("/ai/", "/ai/token/", "/ai/?q=model"):
        page.goto(address)
        page.add_style_tag(
            content="* { line-height: 1.5 !important; letter-spacing: .12em !important;"
            " word-spacing: .16em !important } p { margin-bottom: 2em !important }"
        )
        assert not is_wider_than_the_screen(page)


def test_a_site_without_a_dark_scheme_stays_readable(
    glossary: GlossaryPage,
    new_page: Callable[..., Page],
    axe: Callable[[Page], list[str]],
) -> None:
    page = new_page(color_scheme="dark")
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    for url in ("/ai/", "/ai/token/"):
        page.goto(url)
        assert axe(page) == []


def test_everything_works_by_keyboard_and_without_scripts(
    demo_frame: None, glossary: GlossaryPage, new_page: Callable[..., Page]
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/ai/")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the main content"
    page.keyboard.press("Enter")
    page.locator('a[href="#letter-t"]').press("Enter")
    assert page.url.endswith("#letter-t")
    page.locator("#letter-t").get_by_role("link", name="Token").first.press("Enter")
    assert page.locator("h1").inner_text() == "What is a token?"

    answer = page.get_by_text("Often not.")
    assert not answer.is_visible()
    summary = page.get_by_text("Is it a word?")
    summary.focus()
    page.keyboard.press("Enter")
    assert answer.is_visible()
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "not"
    summary.press("Space")
    assert not answer.is_visible()

    page.goto("/ai/")
    field = page.get_by_label("Search “AI Glossary”")
    field.fill("model")
    field.press("Enter")
    assert page.locator(".glossary-hit").count() == 2
    assert page.get_by_role("status").inner_text() == "2 terms for “model”"
    page.get_by_label("Letter").select_option("t")
    page.get_by_role("button", name="Filter").press("Enter")
    assert "letter=t" in page.url
    assert page.locator(".glossary-hit").count() == 1


def test_a_link_to_a_question_opens_it_without_scripts(
    demo_frame: None, glossary: GlossaryPage, new_page: Callable[..., Page]
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/ai/token/")
    anchor = page.locator("details").get_attribute("id")
    page.goto(f"/ai/token/#{anchor}")
    assert page.get_by_text("Often not.").is_visible()


def test_a_printed_term_is_open_and_spells_out_its_links(
    demo_frame: None, glossary: GlossaryPage, browser_page: Page
) -> None:
    browser_page.goto("/ai/token/")
    browser_page.emulate_media(media="print")
    assert browser_page.get_by_text("Often not.").bounding_box() is not None
    assert browser_page.get_by_text("Often not.").is_visible()
    assert not browser_page.get_by_role("navigation").first.is_visible()
    content = browser_page.get_by_role("link", name="usual way").first.evaluate(
        "link => getComputedStyle(link, '::after').content"
    )
    assert "https://example.org/bpe" in content


def test_forced_colours_keep_the_current_choice_visible(
    demo_frame: None,
    glossary: GlossaryPage,
    new_page: Callable[..., Page],
    screenshot: Callable[[Page, str], None],
) -> None:
    page = new_page(forced_colors="active")
    page.goto("/ai/category/text-ai/")
    colour = "link => getComputedStyle(link).borderInlineStartColor"
    links = page.locator(".glossary-categories a")
    current = links.first.evaluate(colour)
    page.goto("/ai/")
    assert links.first.evaluate(colour) != current
    screenshot(page, "category-forced-colours")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_who_asks_for_more_contrast_gets_it(
    demo_frame: None, glossary: GlossaryPage, new_page: Callable[..., Page], scheme: Any
) -> None:
    found = []
    for contrast in ("no-preference", "more"):
        page = new_page(contrast=contrast, color_scheme=scheme)
        page.goto("/ai/token/")
        colour = "item => getComputedStyle(item).color"
        muted = page.locator(".glossary-footer").evaluate(colour)
        text = page.locator(".glossary-term__body").evaluate(colour)
        found.append((muted == text, page.locator("a.glossary-anchor").count() > 0))
    assert found == [(False, True), (True, True)]


# The demo site itself, with its own settings


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the demo site, made and served as ``make demo`` does."""
    folder = tmp_path_factory.mktemp("demo")
    environment = os.environ | {
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}?transaction_mode=IMMEDIATE",
        "DJANGO_SETTINGS_MODULE": "site_project.settings",
        "MEDIA_ROOT": str(folder / "media"),
    }
    command = [sys.executable, "manage.py"]
    for name in ("migrate", "load_demo"):
        subprocess.run(
            [*command, name, "-v", "0"], cwd=REPOSITORY, env=environment, check=True
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = subprocess.Popen(
        [*command, "runserver", "--noreload", address],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(address, server)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    host, port = address.split(":")
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the demo site did not start")


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
def test_the_demo_leads_into_its_glossary(
    demo_site: str,
    new_page: Callable[..., Page],
    axe: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], None],
    viewport: dict[str, int],
) -> None:
    page = new_page(viewport=viewport)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(demo_site)
        screenshot(page, f"home-{scheme}-{viewport['width']}")
        assert axe(page) == []
        assert not is_wider_than_the_screen(page)
    assert page.locator(".home-newest .glossary-card").count() == 6
    page.locator(".home-categories a").first.click()
    assert page.locator(".glossary-categories [aria-current]").count() == 1
    page.locator(".glossary-entry dt a").first.click()
    assert page.locator("dfn").count() == 1
    assert axe(page) == []
