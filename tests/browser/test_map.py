"""The map of a glossary as a visitor uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from glossary.models import GlossaryPage

from ..factories import make_category, make_glossary, make_related_term, make_term


if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

NARROW = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 800}
SLUGS = ["agent", "model", "prompt", "retrieval", "token", "vector"]


@pytest.fixture(autouse=True)
def glossary(
    browser: Browser, transactional_db: None, django_db_serialized_rollback: None
) -> GlossaryPage:
    """Each term is related to the next but one; the last two to wanted terms."""
    glossary = make_glossary("ai", title="AI Glossary")
    categories = [make_category("basics"), make_category("practice")]
    for index, slug in enumerate(SLUGS):
        [name] = SLUGS[index + 2 : index + 3] or [f"wanted-{slug}"]
        make_term(
            glossary,
            slug,
            category=categories[index % 2],
            related_terms=[make_related_term(glossary, name)],
        )
    return glossary


def open_map(page: Page, query: str = "") -> None:
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto(f"/ai/map/all/{query}")


def width_of(page: Page) -> float:
    box = page.locator(".glossary-map__picture").bounding_box()
    assert box is not None
    return box["width"]


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("query", ["", "?category=basics"])
def test_the_map_has_no_accessibility_fault(
    new_page: Callable[..., Page],
    axe: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], None],
    viewport: dict[str, int],
    query: str,
) -> None:
    page = new_page(viewport=viewport)
    open_map(page, query)
    page.locator("summary").click()
    screenshot(page, f"map-{viewport['width']}{query[:4]}")
    assert axe(page) == []
    root = "document.documentElement"
    assert not page.evaluate(f"{root}.scrollWidth > {root}.clientWidth")


def test_it_grows_and_shrinks_by_buttons_and_keys(
    new_page: Callable[..., Page],
) -> None:
    page = new_page(viewport=WIDE)
    open_map(page)
    whole = width_of(page)
    page.get_by_role("button", name="Larger").click()
    assert width_of(page) == pytest.approx(2 * whole, abs=2)
    region = page.get_by_role("region", name="Map of the terms")
    region.focus()
    page.keyboard.press("+")
    assert width_of(page) == pytest.approx(4 * whole, abs=2)
    left = region.evaluate("region => region.scrollLeft")
    assert left > 0
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        f"document.querySelector('.glossary-map__region').scrollLeft > {left}"
    )
    page.keyboard.press("-")
    assert width_of(page) == pytest.approx(2 * whole, abs=2)
    page.keyboard.press("0")
    assert width_of(page) == pytest.approx(whole, abs=2)
    larger = page.get_by_role("button", name="Smaller")
    assert larger.get_attribute("aria-disabled") == "true"


def test_a_dragged_map_moves_and_follows_no_link(
    new_page: Callable[..., Page],
) -> None:
    page = new_page(viewport=WIDE)
    open_map(page)
    page.get_by_role("button", name="Larger").click()
    region = page.get_by_role("region", name="Map of the terms")
    region.scroll_into_view_if_needed()
    mark = page.locator('a[href="/ai/token/"] .glossary-map__mark')
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = region.evaluate("region => region.scrollLeft")
    by = 120 if before < 200 else -120
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - by, y, steps=4)
    page.mouse.up()
    assert region.evaluate("region => region.scrollLeft") == pytest.approx(before + by)
    assert page.url.endswith("/ai/map/all/")
    page.locator('a[href="/ai/token/"] text').click()
    page.wait_for_url("**/ai/token/")


def test_a_term_that_has_the_focus_shows_its_neighbours(
    new_page: Callable[..., Page],
) -> None:
    page = new_page(viewport=WIDE)
    open_map(page)
    page.get_by_role("link", name="Prompt", exact=True).first.focus()
    near = page.locator(".glossary-map__node--near text")
    assert sorted(near.all_text_contents()) == ["Agent", "Prompt", "Token"]
    assert page.locator(".glossary-map__lit").get_attribute("d")
    page.get_by_role("region", name="Map of the terms").focus()
    assert near.count() == 0


def test_the_keyboard_can_skip_the_map(new_page: Callable[..., Page]) -> None:
    page = new_page(viewport=WIDE)
    open_map(page)
    page.get_by_role("link", name="Skip the map").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "The same as a list"


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
def test_it_is_all_there_without_scripts(
    new_page: Callable[..., Page], viewport: dict[str, int]
) -> None:
    page = new_page(viewport=viewport, java_script_enabled=False)
    open_map(page)
    assert not page.get_by_role("button", name="Larger").is_visible()
    region = page.get_by_role("region", name="Map of the terms")
    region.focus()
    page.locator('a[href="/ai/token/"].glossary-map__node').press("Enter")
    page.wait_for_url("**/ai/token/")
