"""Pages of a live site in Chromium.

Every test in this folder is marked ``browser``. It fails, whatever it asserts itself,
when its page logs an error or cannot load something.
"""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import sync_playwright


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.test import Client
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request
    from pytest_django.live_server_helper import LiveServer

HERE = Path(__file__).parent
SCREENSHOTS = HERE.parent.parent / "screenshots"
COMMANDS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",  # a container's root may have no other choice
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    # A page that asks another host for something fails its test.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
AXE_TAGS = [
    *("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"),
    "best-practice",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium: ``CHROMIUM``, the machine's, or the one that Playwright installed.

    Where there is none the test skips, or fails if ``GLOSSARY_REQUIRE_SERVICES`` is 1.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, where Django then refuses
        # synchronous queries that are harmless here.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        on_path = next(filter(None, map(shutil.which, COMMANDS)), None)
        found = os.environ.get("CHROMIUM") or on_path
        path = Path(found or playwright.chromium.executable_path)
        if not path.exists():
            reason = f"no Chromium at {path}: install Debian's package chromium"
            if os.environ.get("GLOSSARY_REQUIRE_SERVICES") == "1":
                pytest.fail(reason)
            pytest.skip(reason)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page_problems() -> Iterator[list[str]]:
    """Return what went wrong in the test's pages so far, a line each.

    A test that means something to go wrong clears the list after looking at it.
    """
    problems: list[str] = []
    yield problems
    assert not problems, "\n".join(problems)


@pytest.fixture
def new_page(
    browser: Browser,
    django_db_serialized_rollback: None,
    live_server: LiveServer,
    page_problems: list[str],
) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a browser context of its own.

    It takes the options of Playwright's ``new_context``: ``java_script_enabled``,
    ``viewport``, ``forced_colors``, ``locale``... Addresses are relative to the site.
    """
    contexts = []

    def new_page(**options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", partial(note_console, page_problems))
        page.on("pageerror", lambda error: page_problems.append(f"exception: {error}"))
        page.on("requestfailed", partial(note_failure, page_problems))
        return page

    yield new_page
    for context in contexts:
        context.close()


def note_console(problems: list[str], message: ConsoleMessage) -> None:
    source = message.location["url"]
    # A browser asks for this file on its own, whatever the page says.
    if message.type == "error" and not source.endswith("/favicon.ico"):
        problems.append(f"console: {message.text} ({source})")


def note_failure(problems: list[str], request: Request) -> None:
    # Leaving a page ends the requests it still had open: that is no failure.
    if request.failure != "net::ERR_ABORTED":
        problems.append(f"request: {request.failure} {request.url}")


@pytest.fixture
def browser_page(new_page: Callable[..., Page]) -> Page:
    """Return a visitor's page on the live site."""
    return new_page()


@pytest.fixture
def admin_page(
    new_page: Callable[..., Page], admin_client: Client, live_server: LiveServer
) -> Page:
    """Return a page on the live site, signed in as a superuser."""
    name = settings.SESSION_COOKIE_NAME
    value = admin_client.cookies[name].value
    page = new_page()
    page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    return page


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """Return a function that names a page's accessibility faults, a line each: WCAG
    2.2 A and AA, and axe's best practice."""

    def violations(page: Page) -> list[str]:
        options = {"runOnly": {"type": "tag", "values": AXE_TAGS}}
        response = Axe().run(page, options=options).response
        return [
            f"{violation['id']}: {violation['help']}: {node['html']}"
            for violation in response["violations"]
            for node in violation["nodes"]
        ]

    return violations


@pytest.fixture(scope="session")
def screenshot() -> Callable[[Page, str], None]:
    """Return a function that keeps a picture of a whole page under a name, in
    ``screenshots/``, when ``GLOSSARY_SCREENSHOTS`` is 1."""

    def take(page: Page, name: str) -> None:
        if os.environ.get("GLOSSARY_SCREENSHOTS") == "1":
            page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return take
