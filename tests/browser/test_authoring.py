"""A term written by hand, as an editor who has only the admin writes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from glossary.models import GlossaryPage, RelatedTerm, TermPage

from ..factories import make_category, make_glossary, make_related_term, make_term


if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

SCREEN = {"width": 1400, "height": 1000}


@pytest.fixture
def glossary(
    browser: Browser, transactional_db: None, django_db_serialized_rollback: None
) -> GlossaryPage:
    glossary = make_glossary("kitchen", title="Kitchen glossary")
    glossary.default_category = make_category("techniques", name="Techniques")
    glossary.save()
    make_category("doughs", name="Doughs")
    return glossary


@pytest.fixture
def editor(admin_page: Page) -> Page:
    admin_page.set_viewport_size(SCREEN)
    return admin_page


def new_term(page: Page, glossary: GlossaryPage) -> None:
    """From the menu to an empty form. The test site has two types of term."""
    page.goto(reverse("wagtailadmin_home"))
    page.get_by_role("button", name="Glossary").click()
    page.get_by_role("link", name="Terms", exact=True).click()
    page.get_by_role("link", name="Add term").click()
    page.get_by_role("link", name="Term", exact=True).click()
    expect(page.locator("#id_title")).to_be_visible()


def add_block(page: Page, field: str) -> Locator:
    """Add a block at the end of a StreamField."""
    stream = page.locator(f"[data-contentpath={field}]")
    stream.get_by_role("button", name="Insert a block").last.click()
    block = stream.locator("[data-streamfield-child]").last
    expect(block).to_be_visible()
    return block


def write(block: Locator, *parts: str) -> None:
    """Write paragraphs of rich text: bold between asterisks, a list item behind a
    dash, as the keyboard of the editor takes them."""
    area = block.get_by_role("textbox").last
    area.click()
    for number, part in enumerate(parts):
        if number:
            area.press("Enter")
        for piece, text in enumerate(part.split("*")):
            if piece:
                area.press("Control+b")
            area.press_sequentially(text)


def choose_new(page: Page, place: Locator, name: str) -> None:
    """Make a related term in the chooser, and choose it."""
    place.get_by_role("button", name="Choose related term", exact=True).click()
    modal = page.get_by_role("dialog")
    modal.get_by_role("tab", name="New").click()
    modal.get_by_role("textbox", name="Name").fill(name)
    modal.get_by_role("button", name="Create").click()
    expect(place.get_by_text(name)).to_be_visible()


def choose(page: Page, place: Locator, name: str) -> None:
    place.get_by_role("button", name="Choose related term", exact=True).click()
    modal = page.get_by_role("dialog")
    modal.get_by_role("textbox", name="Search term").fill(name[:5])
    modal.get_by_role("link", name=name).click()
    expect(place.get_by_text(name)).to_be_visible()


def add_row(page: Page, relation: str, label: str) -> Locator:
    page.get_by_role("button", name=f"Add {label}").click()
    rows = page.locator(f"#id_{relation}-FORMS [data-inline-panel-child]")
    return rows.last


def publish(page: Page) -> None:
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish").click()


def test_a_term_is_written_published_and_read(
    editor: Page,
    glossary: GlossaryPage,
    screenshot: Callable[[Page, str], None],
) -> None:
    page = editor
    make_term(glossary, "gluten", title="Gluten")
    make_related_term(glossary, "gluten", name="Gluten")
    new_term(page, glossary)
    page.locator("#id_title").fill("Lamination")
    page.locator("#id_heading").fill("What is lamination?")
    page.locator("#id_short_definition").fill(
        "Lamination folds butter into a dough until hundreds of thin layers lie on "
        "top of each other."
    )
    for kind, heading, text in (
        ("Explanation", "", ["Butter keeps the layers *apart* while they bake."]),
        ("How it works", "Fold by fold", ["In short:", "- roll", "fold", "", "Rest."]),
        ("In chatbots", "", ["Ask for the number of *folds*, not of layers."]),
    ):
        block = add_block(page, "explanation")
        block.get_by_role("combobox", name="Kind").select_option(kind)
        block.get_by_role("textbox", name="Heading").fill(heading)
        write(block, *text)
    block = add_block(page, "comparisons")
    choose_new(page, block, "Shortcrust")
    write(block, "Shortcrust has its butter *in crumbs*, not in sheets.")
    for question, answer in (
        ("How many folds does a croissant need?", "Three."),
        ("Does margarine do as well?", "Yes, with *less* taste."),
    ):
        block = add_block(page, "faq")
        block.get_by_role("textbox", name="Question").fill(question)
        write(block, answer)
    block = add_block(page, "related_features")
    block.get_by_role("textbox", name="Path or address").fill("/tools/layer-counter")
    block.get_by_role("textbox", name="Text of the link").fill("Count the layers")
    screenshot(page, "authoring-content")

    page.get_by_role("tab", name="Relations and labels").click()
    category = page.locator("#id_category")
    expect(category.locator("option:checked")).to_have_text("Techniques")
    category.select_option("Doughs")
    page.locator("[data-contentpath=tags]").get_by_role("textbox").fill("butter,")
    row = add_row(page, "related_terms", "related term")
    choose(page, row, "Gluten")
    row.get_by_role("combobox", name="Kind").select_option("Broader")
    row = add_row(page, "related_terms", "related term")
    choose_new(page, row, "Book fold")
    row.get_by_role("combobox", name="Kind").select_option("See also")
    for text, kind in (("Laminated dough", "Synonym"), ("laminatoin", "Hidden")):
        row = add_row(page, "labels", "label")
        row.get_by_role("textbox", name="Label").fill(text)
        row.get_by_role("combobox", name="Kind").select_option(kind)
    screenshot(page, "authoring-relations")
    publish(page)
    expect(page.get_by_text("Page 'Lamination' created and published.")).to_be_visible()

    term = TermPage.objects.get(slug="lamination")
    page.goto(term.url)
    main = page.get_by_role("main")
    for text in (
        "What is lamination?",
        "Lamination folds butter into a dough",
        "Explanation",
        "Fold by fold",
        "In chatbots",
        "Shortcrust",
        "How many folds does a croissant need?",
        "Does margarine do as well?",
        "Count the layers",
        "Doughs",
        "butter",
        "Gluten",
        "Book fold",
        "Laminated dough",
    ):
        expect(main.get_by_text(text).first).to_be_attached()
    bold = main.locator("b, strong").all_text_contents()
    assert bold == ["apart", "folds", "in crumbs", "less"]
    assert main.locator("li", has_text=re.compile("^(roll|fold)$")).count() == 2
    expect(main.get_by_text("laminatoin")).to_have_count(0)
    assert set(RelatedTerm.objects.filter(glossary=glossary, page=None)) == set(
        RelatedTerm.objects.filter(slug__in=["shortcrust", "book-fold"])
    )


def test_choosers_offer_what_the_glossary_knows(
    editor: Page, glossary: GlossaryPage
) -> None:
    page = editor
    make_related_term(make_glossary("garden"), "mulch", name="Mulch")
    make_related_term(glossary, "gluten", name="Gluten")
    term = make_term(glossary, "crumb")
    page.goto(reverse("wagtailadmin_pages:edit", args=[term.pk]))
    in_block = add_block(page, "comparisons")
    page.get_by_role("tab", name="Relations and labels").click()
    in_row = add_row(page, "related_terms", "related term")
    for tab, place in (("Content", in_block), ("Relations and labels", in_row)):
        page.get_by_role("tab", name=tab).click()
        place.get_by_role("button", name="Choose related term", exact=True).click()
        modal = page.get_by_role("dialog")
        expect(modal.get_by_role("link", name="Gluten")).to_be_visible()
        expect(modal.get_by_role("link", name="Mulch")).to_have_count(0)
        modal.get_by_role("textbox", name="Search term").fill("mul")
        expect(modal.get_by_text("No related term matches “mul”.")).to_be_visible()
        modal.get_by_role("button", name="Close").click()
        expect(modal).to_be_hidden()


def test_a_wanted_term_is_written_by_one_click(
    editor: Page, glossary: GlossaryPage, screenshot: Callable[[Page, str], None]
) -> None:
    page = editor
    wanted = make_related_term(glossary, "book-fold-dough", name="Book fold")
    make_term(glossary, related_terms=[wanted])
    page.goto(reverse("wagtailsnippets_glossary_relatedterm:list"))
    expect(page.get_by_text("wanted by 1 term")).to_be_visible()
    screenshot(page, "authoring-wanted")
    page.get_by_role("link", name="Write this term").click()
    expect(page.locator("#id_title")).to_have_value("Book fold")
    page.locator("#id_short_definition").fill("A fold in four layers, like a book.")
    # Going on to another field is when Wagtail makes a slug from a title.
    page.locator("#id_title").focus()
    page.locator("#id_heading").fill("What is a book fold?")
    publish(page)
    expect(page.get_by_text("created and published")).to_be_visible()
    wanted.refresh_from_db()
    assert wanted.slug == "book-fold-dough"
    assert not wanted.is_wanted
    assert wanted.page.slug == "book-fold-dough"


def test_the_preview_shows_what_is_being_written(
    editor: Page, glossary: GlossaryPage
) -> None:
    page = editor
    term = make_term(glossary, "crumb", title="Crumb")
    page.goto(reverse("wagtailadmin_pages:edit", args=[term.pk]))
    page.get_by_role("button", name="Toggle preview").click()
    preview = page.frame_locator("iframe#w-preview-iframe")
    expect(preview.get_by_role("heading", level=1)).to_have_text("Crumb")
    # A change is what differs from the form as it was after two seconds.
    page.wait_for_timeout(2500)
    page.locator("#id_heading").fill("What makes a good crumb?")
    block = add_block(page, "explanation")
    write(block, "Large and *uneven* holes.")
    expect(preview.get_by_role("heading", level=1)).to_have_text(
        "What makes a good crumb?"
    )
    expect(preview.get_by_text("Large and uneven holes.")).to_be_visible()
    term.refresh_from_db()
    assert term.heading == ""


def test_screens_are_as_accessible_as_those_of_wagtail(
    editor: Page,
    glossary: GlossaryPage,
    axe: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], None],
) -> None:
    page = editor
    related = make_related_term(glossary, "gluten", name="Gluten")
    term = make_term(
        glossary, "crumb", related_terms=[related], labels=["crumbs"], tags=["bread"]
    )
    category = glossary.default_category_id

    def rules() -> set[str]:
        """The rules of axe that what is on the screen breaks."""
        return {fault.partition(":")[0] for fault in axe(page)}

    def faults(name: str, *args: int) -> set[str]:
        page.goto(reverse(name, args=args))
        page.wait_for_load_state("networkidle")
        screenshot(page, "-".join(["admin", *re.findall(r"\w+", name)]))
        return rules()

    listing = faults("wagtailadmin_explore", glossary.get_parent().pk)
    assert faults("glossary_terms:index") <= listing
    assert faults("wagtailadmin_explore", glossary.pk) <= listing
    listing = faults("wagtaillocales:index")
    assert faults("wagtailsnippets_glossary_relatedterm:list") <= listing
    assert faults("wagtailsnippets_glossary_category:list") <= listing
    # The form of a category is Wagtail's own view.
    form = faults("wagtailsnippets_glossary_category:edit", category)
    assert faults("wagtailsnippets_glossary_relatedterm:edit", related.pk) <= form
    form = faults("wagtailadmin_pages:edit", glossary.get_parent().pk)
    assert faults("wagtailadmin_pages:edit", term.pk) <= form
    page.get_by_role("tab", name="Relations and labels").click()
    row = add_row(page, "related_terms", "related term")
    row.get_by_role("button", name="Choose related term", exact=True).click()
    expect(
        page.get_by_role("dialog").get_by_role("link", name="Gluten")
    ).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_css("opacity", "1")
    # Wagtail's own dialog has no name, and its field for tags no label.
    assert rules() <= {"aria-dialog-name", "label"}
