"""The HTML of visitors' pages, in the demo site's frame, as html-validate reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from wagtail.blocks import StreamBlock
from wagtail.models import Locale

from glossary.models import GlossaryPage
from glossary.site import index
from glossary.site_blocks import (
    CategoryTermsBlock,
    GlossarySearchBlock,
    LettersBlock,
    TermCardBlock,
)

from .factories import (
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
from .node_packages import copy_with_packages, run


pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.once]

REPOSITORY = Path(__file__).resolve().parent.parent
VALIDATOR = Path(__file__).parent / "node" / "html-validate"

BODY = """
<p>A model reads <b>tokens</b>, <i>not</i> words: <a href="https://example.org/bpe">the
usual way</a> is to merge what often stands together &amp; count it.</p>
<h3>In short</h3><ol><li>Split the text.</li><li>Look up each piece.</li></ol>
<ul><li>One</li></ul><blockquote>Text goes in.</blockquote><hr/>
<p>Try <code>len(text) &lt; 3</code>.</p>
"""


@pytest.fixture(autouse=True)
def demo_frame(settings: Any) -> None:
    """The templates and styles of the demo site around the app's own."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [REPOSITORY / "templates"]}]
    settings.STATICFILES_DIRS = [REPOSITORY / "site_project" / "static"]


def fill(glossary: GlossaryPage) -> None:
    """Give a glossary terms of three letters, one of them with everything."""
    category = make_category(
        f"text-{glossary.slug}", locale=glossary.locale, description="Texts & signs."
    )
    own = {"category": category, "locale": glossary.locale}
    word, byte = (make_related_term(glossary, slug) for slug in ("word", "byte"))
    make_term(
        glossary,
        "token",
        heading='What is a "token" & what is it <not>?',
        short_definition='A token is the piece of text that a "model" reads at <once>.',
        labels=[("Subword", "synonym"), ("TOK", "abbreviation")],
        tags=["basics", "text & more"],
        explanation=[section(BODY), section(BODY, kind="how_it_works")],
        comparisons=[comparison("", "<p>Longer.</p>", word), comparison("Sign", "-")],
        faq=[
            question("Is it a word?", "<p>Not always.</p>"),
            question("Is 1 < 2?", "<p>Yes.</p>"),
        ],
        related_terms=[word, (byte, "narrower")],
        related_features=[feature("docs/tokens", "Count tokens")],
        **own,
    )
    token = make_related_term(glossary, "token")
    make_term(glossary, "word", related_terms=[token], tags=["basics"], **own)
    own["explanation"] = [section("<p>Of tokens.</p>")]
    make_term(glossary, "model", labels=["LM"], **own)


@pytest.fixture
def glossary() -> GlossaryPage:
    glossary = make_glossary(
        "ai",
        title="AI & Glossary",
        introduction="<p>The words of artificial intelligence.</p>",
        licence_url="https://example.org/licence?a=1&b=2",
    )
    fill(glossary)
    return glossary


@pytest.fixture
def urdu_glossary() -> GlossaryPage:
    urdu = Locale.objects.create(language_code="ur")
    home = home_page().copy_for_translation(urdu)
    home.save_revision().publish()
    glossary = make_glossary("lughat", title="لغت", parent=home, locale=urdu)
    fill(glossary)
    return glossary


def visit(*paths: str, status: int = 200, language: str = "en") -> dict[str, str]:
    """The HTML of each path."""
    found = {}
    for path in paths:
        response = Client().get(path, headers={"accept-language": language})
        assert response.status_code == status, path
        found[path] = response.content.decode()
    return found


def problems(pages: dict[str, str], folder: Path) -> str:
    """What html-validate says about these pages; it fails if that is anything."""
    for number, (path, html) in enumerate(pages.items()):
        assert html.startswith("<!doctype html>"), path
        name = f"{number}-{path.strip('/').translate(str.maketrans('/?&=', '----'))}"
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    packages = copy_with_packages(VALIDATOR) / "node_modules"
    # Not of the copy, which another process may be making anew.
    config = str(VALIDATOR / ".htmlvalidate.mjs")
    command = (str(packages / ".bin" / "html-validate"), "--max-warnings", "0")
    files = map(str, sorted(folder.glob("*.html")))
    return run(folder, *command, "--config", config, *files)


def home(glossary: GlossaryPage) -> str:
    """The demo's home page, with each block that any page may have; these show another
    glossary than the page itself."""
    other = make_glossary("signs")
    fill(other)
    term = other.get_children()[0].specific
    of_other = {"glossary": other}
    body = StreamBlock(
        [
            ("term", TermCardBlock()),
            ("category", CategoryTermsBlock()),
            ("search", GlossarySearchBlock()),
            ("letters", LettersBlock()),
        ]
    )
    page = home_page()
    page.introduction = "<p>A small site.</p>"
    page.search_description = "What is here."
    page.body = body.normalize(
        [
            ("term", {"term": term}),
            ("category", of_other | {"category": term.category, "limit": 2}),
            ("search", of_other),
            ("letters", of_other),
        ]
    )
    request = RequestFactory().get("/")
    context = {"page": page, "glossaries": [glossary]}
    return render_to_string("site_project/home_page.html", context, request)


def test_every_page_is_valid(
    glossary: GlossaryPage, urdu_glossary: GlossaryPage, tmp_path: Path
) -> None:
    pages = {"home": home(glossary)}
    pages |= visit(
        *("/ai/", "/ai/token/", "/ai/word/", "/ai/model/", "/ai/category/text-ai/"),
        *("/ai/tag/basics/", "/ai/map/all/", "/ai/map/all/?category=text-ai"),
        *("/ai/?q=token&all=1", "/ai/?q=tokne", "/ai/?q=qqq%22%3E&category=text-ai"),
    )
    pages |= visit("/ai/tokne/", "/ai/%3Cqqq%3E/", status=404)
    pages |= visit(
        *("/lughat/", "/lughat/token/", "/lughat/map/all/", "/lughat/?q=token&all=1"),
        language="ur",
    )
    assert problems(pages, tmp_path) == ""


def test_every_page_of_a_large_glossary_is_valid(
    glossary: GlossaryPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MOST_TERMS", 1)
    pages = {"home": home(glossary)}
    pages |= visit("/ai/", "/ai/letter/t/", "/ai/letter/s/", "/ai/letter/q/")
    assert problems(pages, tmp_path) == ""
