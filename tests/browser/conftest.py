"""Pages of a live site in Chromium.

Every test in this folder is marked ``browser``. It fails, whatever it asserts itself,
when its page logs an error or cannot load something.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import sync_playwright

from tests.chromium import (
    ABSENT,
    ARGUMENTS,
    find_chromium,
    note_console,
    note_failure,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.test import Client
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

HERE = Path(__file__).parent
SCREENSHOTS = HERE.parent.parent / "screenshots"
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
        path = find_chromium(playwright.chromium.executable_path)
        if path is None:
            if os.environ.get("GLOSSARY_REQUIRE_SERVICES") == "1":
                pytest.fail(ABSENT)
            pytest.skip(ABSENT)
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
