"""The search field, the questions and the copied links of the site, by a visitor with
JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from glossary.models import GlossaryPage

from ..factories import make_glossary, make_term, question


if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(autouse=True)
def glossary(
    browser: Browser, transactional_db: None, django_db_serialized_rollback: None
) -> GlossaryPage:
    glossary = make_glossary("ai", title="AI Glossary")
    make_term(
        glossary,
        "large-language-model",
        title="Large language model",
        labels=[("LLM", "abbreviation")],
        faq=[question("One?", "<p>First.</p>"), question("Two?", "<p>Second.</p>")],
    )
    make_term(glossary, "model-card", title="Model card")
    make_term(glossary, "token", title="Token")
    return glossary


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    page = new_page()
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto("/ai/")
    return page


@pytest.fixture
def tolerant(page_problems: list[str]) -> Any:
    """Chromium logs what a server refuses."""
    yield
    page_problems[:] = [line for line in page_problems if "suggest=" not in line]


def field_of(page: Page) -> Any:
    return page.get_by_role("combobox", name="Search “AI Glossary”")


def suggest(page: Page, text: str) -> list[str]:
    """Type a text and return what is suggested."""
    field_of(page).fill("")
    field_of(page).press_sequentially(text)
    page.get_by_role("option", name=f"“{text}”").wait_for()
    return page.get_by_role("option").all_inner_texts()


def test_suggestions_show_the_label_that_matches_and_the_term(
    page: Page, axe: Callable[[Page], list[str]]
) -> None:
    assert suggest(page, "llm") == [
        "LLM (Large language model)",
        "Search all texts for “llm”",
    ]
    assert field_of(page).get_attribute("aria-expanded") == "true"
    status = page.locator(".glossary-search [role=status]")
    assert status.inner_text() == "Suggestions: 1"
    assert axe(page) == []
    page.get_by_role("option").first.click()
    page.wait_for_url("**/ai/large-language-model/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_open_suggestions_have_no_accessibility_fault(
    new_page: Callable[..., Page],
    axe: Callable[[Page], list[str]],
    scheme: Any,
    width: int,
) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": width, "height": 640})
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto("/ai/")
    suggest(page, "model")
    field_of(page).press("ArrowDown")
    assert axe(page) == []
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")


def test_the_chosen_suggestion_is_seen_in_forced_colours(
    new_page: Callable[..., Page],
) -> None:
    page = new_page(forced_colors="active")
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto("/ai/")
    suggest(page, "model")
    field_of(page).press("ArrowDown")
    outline = "option => getComputedStyle(option).outlineStyle"
    chosen, other = (page.get_by_role("option").nth(at) for at in (0, 1))
    assert chosen.evaluate(outline) == "solid"
    assert other.evaluate(outline) == "none"


def test_the_field_is_readable_on_a_dark_site_without_a_scheme(page: Page) -> None:
    page.add_style_tag(content="body { background: #111; color: #fff }")
    colours = page.evaluate(
        "() => { const s = getComputedStyle(document.querySelector("
        "'.glossary-search input')); return [s.color, s.backgroundColor] }"
    )
    assert colours[0] != colours[1]


def test_arrows_choose_and_enter_goes(page: Page) -> None:
    assert suggest(page, "model")[:2] == ["Model card", "Large language model"]
    field = field_of(page)
    assert field.get_attribute("aria-activedescendant") is None
    field.press("ArrowDown")
    active = field.get_attribute("aria-activedescendant")
    option = page.locator(f"#{active}")
    assert option.inner_text() == "Model card"
    assert option.get_attribute("aria-selected") == "true"
    field.press("ArrowUp")  # the field itself
    assert field.get_attribute("aria-activedescendant") is None
    field.press("ArrowUp")
    active = field.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").inner_text() == "Search all texts for “model”"
    for _ in range(3):
        field.press("ArrowDown")
    field.press("Enter")
    page.wait_for_url("**/ai/large-language-model/")


def test_the_last_suggestion_searches_all_texts(page: Page) -> None:
    suggest(page, "token")
    field_of(page).press("ArrowUp")
    field_of(page).press("Enter")
    page.wait_for_url("**/ai/?q=token&all=1")
    assert page.locator(".glossary-hit").count() == 1


def test_enter_without_a_choice_searches(page: Page) -> None:
    suggest(page, "model")
    field_of(page).press("Enter")
    page.wait_for_url("**/ai/?q=model")
    assert page.locator(".glossary-hit").count() == 2


def test_escape_closes_then_empties(page: Page) -> None:
    suggest(page, "model")
    field = field_of(page)
    field.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"
    assert not page.get_by_role("listbox").is_visible()
    assert field.input_value() == "model"
    field.press("ArrowDown")
    page.get_by_role("option").first.wait_for()
    field.press("Escape")
    field.press("Escape")
    assert field.input_value() == ""


def test_keys_that_choose_a_character_are_left_alone(page: Page) -> None:
    """As they do in Japanese, Chinese and Korean."""
    suggest(page, "model")
    is_left = field_of(page).evaluate(
        "field => field.dispatchEvent(new KeyboardEvent('keydown',"
        " { key: 'ArrowDown', isComposing: true, bubbles: true, cancelable: true }))"
    )
    assert is_left
    assert field_of(page).get_attribute("aria-activedescendant") is None


def test_leaving_the_field_closes_the_list(page: Page) -> None:
    suggest(page, "model")
    field_of(page).press("Tab")
    assert page.locator(":focus").inner_text() == "Search"
    assert not page.get_by_role("listbox").is_visible()


def test_what_is_suggested_is_text_and_no_markup(
    page: Page, glossary: GlossaryPage
) -> None:
    make_term(glossary, "evil", title="Evil <img src=x onerror=alert(1)>")
    assert suggest(page, "evil")[0] == "Evil <img src=x onerror=alert(1)>"
    assert page.locator(".glossary-search img").count() == 0


@pytest.mark.usefixtures("tolerant")
def test_the_search_works_when_suggestions_fail(page: Page) -> None:
    page.route("**/*suggest=*", lambda route: route.fulfill(status=500, body=""))
    field = field_of(page)
    field.press_sequentially("token")
    page.wait_for_timeout(400)
    assert not page.get_by_role("listbox").is_visible()
    field.press("Enter")
    page.wait_for_url("**/ai/token/")


def test_all_answers_open_at_once(page: Page) -> None:
    page.goto("/ai/large-language-model/")
    answers = page.get_by_text("First."), page.get_by_text("Second.")
    assert not any(answer.is_visible() for answer in answers)
    button = page.get_by_role("button", name="Open all answers")
    button.press("Enter")
    assert all(answer.is_visible() for answer in answers)
    page.get_by_role("button", name="Close all answers").press("Enter")
    assert not any(answer.is_visible() for answer in answers)
    page.get_by_text("One?").click()
    page.get_by_text("Two?").click()
    page.get_by_role("button", name="Close all answers").wait_for()


def test_a_copy_that_is_refused_is_not_announced(page: Page) -> None:
    page.add_init_script(
        "navigator.clipboard.writeText = () => Promise.reject(new Error('no'))"
    )
    page.goto("/ai/large-language-model/")
    page.get_by_role("button", name="Copy the definition").click()
    page.wait_for_timeout(200)
    assert page.get_by_text("Definition copied").count() == 0


def test_links_and_the_definition_are_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/ai/large-language-model/")
    page.get_by_role("button", name="Copy the definition").click()
    page.get_by_text("Definition copied").first.wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Large language model")
    assert copied.endswith("/ai/large-language-model/")

    page.get_by_role("link", name="Link to “Questions and answers”").click()
    page.get_by_text("Link copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith("/ai/large-language-model/#questions")
    assert page.url == copied
