"""``python -m tests.screenshots``: a picture of every page that visitors get.

They go to ``screenshots/``, which Git passes over: at three widths, light and dark, in
English and in Urdu. Two of them are also in the documentation and are made anew. The
run fails where a page logs an error, or cannot load something. It needs Chromium.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from .chromium import ABSENT, ARGUMENTS, find_chromium, note_console, note_failure
from .demo import REPOSITORY, Demo, serving_demo


if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = REPOSITORY / "screenshots"
DOCS = REPOSITORY / "docs" / "images"
WIDTHS = (320, 768, 1280)
SCHEMES = ("light", "dark")
HEIGHT = 800
URDU = "lughat"
LARGE = "invented"

DEMO = {
    "home": "/",
    "glossary": "/glossary/",
    "term": "/glossary/embedding/",
    "category": "/glossary/category/training/",
    "tag": "/glossary/tag/basics/",
    "search": "/glossary/?q=model&all=1",
    "search-nothing": "/glossary/?q=embeding+xyzzy",
    "map": "/glossary/map/all/",
    "map-category": "/glossary/map/all/?category=training",
    "missing": "/glossary/embeding/",
    "missing-page": "/nowhere/",
}
LARGE_DEMO = {
    "large-glossary": f"/{LARGE}/",
    "large-letter": f"/{LARGE}/letter/c/",
    "large-map": f"/{LARGE}/map/all/",
}
URDU_DEMO = {
    "home": "/",
    "glossary": f"/{URDU}/",
    "term": f"/{URDU}/token/",
    "category": f"/{URDU}/category/basics/",
    "search": f"/{URDU}/?q=ماڈل&all=1",
    "map": f"/{URDU}/map/all/",
    "missing": f"/{URDU}/nothing/",
}
# Which pages of the demo the documentation shows, as wide as its pages are.
SHOWN = {"glossary-page": "/glossary/", "term-page": "/glossary/embedding/"}
SHOWN_WIDTH = 1200


def take(
    browser: Browser, demo: Demo, pages: Mapping[str, str], language: str
) -> list[str]:
    """Take pictures of these pages in all widths and schemes; what went wrong."""
    problems: list[str] = []
    for width in WIDTHS:
        for scheme in SCHEMES:
            size = {"width": width, "height": HEIGHT}
            page = open_page(
                *(browser, demo, problems),
                viewport=size,
                color_scheme=scheme,
                locale=language,
            )
            for name, path in pages.items():
                page.goto(path, wait_until="load")
                picture = FOLDER / f"{language}-{name}-{width}-{scheme}.png"
                page.screenshot(path=picture, full_page=True)
            page.context.close()
    sys.stdout.write(f"{language}: {', '.join(pages)}\n")
    # Chromium logs that a page was not found.
    missing = {demo.url + path for name, path in pages.items() if "missing" in name}
    return [
        problem
        for problem in problems
        if not any(f"({address})" in problem for address in missing)
    ]


def open_page(
    browser: Browser, demo: Demo, problems: list[str], **options: Any
) -> Page:
    context = browser.new_context(base_url=demo.url, **options)
    page = context.new_page()
    page.on("console", partial(note_console, problems))
    page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
    page.on("requestfailed", partial(note_failure, problems))
    return page


def refresh_documentation(browser: Browser, demo: Demo) -> None:
    size = {"width": SHOWN_WIDTH, "height": HEIGHT}
    page = open_page(browser, demo, [], viewport=size, color_scheme="light")
    for name, path in SHOWN.items():
        page.goto(path, wait_until="load")
        page.screenshot(path=DOCS / f"{name}.png")
    page.context.close()


def tour(browser: Browser, demo: Demo) -> Iterator[str]:
    """Go through all pages; what went wrong."""
    refresh_documentation(browser, demo)
    yield from take(browser, demo, DEMO, "en")
    # What the demo does not have comes after its home page was seen as it is.
    for make in (f"make_urdu_glossary('{URDU}')", f"make_large_glossary('{LARGE}')"):
        code = f"from tests import tour; tour.{make}"
        demo.manage("shell", "-v", "0", "-c", code)
    yield from take(browser, demo, LARGE_DEMO, "en")
    yield from take(browser, demo, URDU_DEMO, "ur")


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        path = find_chromium(playwright.chromium.executable_path)
        if path is None:
            sys.exit(ABSENT)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        with serving_demo() as demo:
            problems = list(tour(browser, demo))
        browser.close()
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    sys.stdout.write(f"The pictures are in {FOLDER.name}/.\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
