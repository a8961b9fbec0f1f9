"""The example front end, built and served as a site would, beside the demo."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from playwright.sync_api import expect

from tests.node_packages import copy_with_packages, run

from .conftest import note_console, note_failure


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

REPOSITORY = Path(__file__).resolve().parent.parent.parent
EXAMPLE = REPOSITORY / "docs" / "examples" / "nuxt"

HEADING = "How can a list of numbers hold meaning?"

# An editor puts a link into a term, and then goes on writing; this tells of the draft.
EDITS = """
from wagtail.rich_text import RichText
from glossary.delivery.previews import make_token
from glossary.models import TermPage
term, other = (
    TermPage.objects.get(slug=slug, locale__language_code="en")
    for slug in ("embedding", "token")
)
link = f'<p>Of <a linktype="page" id="{other.pk}">pieces of text</a>.</p>'
term.explanation[0].value["body"] = RichText(link)
term.save_revision().publish()
term.short_definition = "Words that nobody has published."
print(make_token(term, term.save_revision()))
"""


@pytest.fixture(scope="module")
def addresses(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, str]]:
    """Where the front end is, and a token for a draft."""
    folder = copy_with_packages(EXAMPLE)
    data = tmp_path_factory.mktemp("demo")
    port, front_port = free_port(), free_port()
    api = f"http://localhost:{port}/api/glossary/v1"
    environment = {
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{data / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "site_project.settings",
        "MEDIA_ROOT": str(data / "media"),
        "WAGTAILADMIN_BASE_URL": f"http://localhost:{port}",
    }
    manage = partial(run, REPOSITORY, sys.executable, "manage.py", **environment)
    manage("migrate", "-v", "0")
    manage("load_demo")
    token = manage("shell", "-v", "0", "-c", EDITS).split()[-1]
    with ExitStack() as stack:
        cms = [sys.executable, "-m", "gunicorn", "site_project.wsgi", "--workers", "2"]
        cms += ["--no-control-socket", "--bind", f"127.0.0.1:{port}"]
        stack.enter_context(serving(cms, REPOSITORY, f"{api}/letters/", environment))
        schema = {"GLOSSARY_SCHEMA": f"{api}/openapi.json"}
        run(folder, "npm", "run", "types", **schema)
        run(folder, "npm", "run", "typecheck")
        run(folder, "npm", "run", "build")
        front = f"http://localhost:{front_port}"
        where = {"PORT": str(front_port), "NUXT_PUBLIC_GLOSSARY_API": api}
        node = ["node", ".output/server/index.mjs"]
        stack.enter_context(serving(node, folder, f"{front}/glossary/", where))
        yield front, token


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    command: list[str], folder: Path, address: str, environment: dict[str, str]
) -> Iterator[None]:
    """A server, once it answers at this address."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until = time.monotonic() + 120
        while not answers(address):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < until, f"nothing answers at {address}"
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)


def answers(address: str) -> bool:
    try:
        return bool(requests.get(address, timeout=10).status_code == 200)
    except requests.RequestException:
        return False


@pytest.fixture
def open_page(
    browser: Browser, addresses: tuple[str, str], page_problems: list[str]
) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_page(path: str, **options: Any) -> Page:
        context = browser.new_context(base_url=addresses[0], **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", partial(note_console, page_problems))
        page.on("pageerror", lambda error: page_problems.append(f"exception: {error}"))
        page.on("requestfailed", partial(note_failure, page_problems))
        page.goto(path, wait_until="networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()


# One test, since each worker of pytest-xdist would build the example anew.
def test_the_example_front_end(
    open_page: Callable[..., Page],
    addresses: tuple[str, str],
    axe: Callable[[Page], list[str]],
    page_problems: list[str],
) -> None:
    page = open_page("/glossary/")
    # The index, rendered by the front end's server and then in the browser
    terms = page.locator("dt a")
    assert terms.count() > 30
    assert axe(page) == []
    page.get_by_role("navigation", name="Letters").get_by_role(
        "link", name="E", exact=True
    ).click()
    expect(terms).to_have_text(["Embedding"])
    expect(page).to_have_title("Terms under E · Glossary")
    expect(page.locator("[aria-current=page]").last).to_have_text("E")

    # A term, from the API that the browser asks itself
    with page.expect_response(lambda response: "/by-slug/embedding/" in response.url):
        terms.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HEADING)
    assert page.locator("article section").count() > 2
    assert axe(page) == []
    # Links: in the text, and to a related term
    page.get_by_role("link", name="pieces of text").click()
    page.wait_for_url("**/glossary/token/")
    expect(page.locator("article .lead")).to_contain_text("token", ignore_case=True)
    page.goto("/glossary/embedding/", wait_until="networkidle")
    related = page.locator("section:has(h2:text-is('Related terms')) a").first
    name = related.inner_text()
    related.click()
    page.wait_for_url(lambda url: not url.endswith("/embedding/"))
    expect(page.locator("article")).to_contain_text(name, ignore_case=True)

    # All of it stands in the page, without a script
    assert page_problems == []
    plain = open_page("/glossary/embedding/", java_script_enabled=False)
    expect(plain.locator("article h1")).to_have_text(HEADING)
    assert "Words that nobody has published." not in plain.content()
    assert plain.locator("meta[name=robots]").count() == 0
    page_problems.clear()  # the browser notes each script that it does not load

    # A draft, for whoever has the link
    path = f"/glossary/embedding/?preview={addresses[1]}"
    draft = open_page(path)
    expect(draft.get_by_text("Words that nobody has published.")).to_be_visible()
    expect(draft.locator(".notice")).to_have_text("This is a draft.")
    assert draft.locator("meta[name=robots]").get_attribute("content") == "noindex"
    assert axe(draft) == []
    headers = draft.request.get(path).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "private, no-store"

    # What is not there
    for missing in ("/glossary/nothing/", f"{path}x"):
        assert draft.request.get(missing).status == 404
    gone = open_page("/glossary/nothing/")
    expect(gone.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    assert axe(gone) == []
    page_problems.clear()  # the browser notes the 404
