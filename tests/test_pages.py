"""The public pages of a glossary and of its terms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from string import ascii_uppercase
from typing import Any
from urllib.parse import quote

import pytest
import wagtail
from bs4 import BeautifulSoup, Tag
from django.db import connection
from django.template import Context, Engine
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from taggit.models import Tag as TermTag
from wagtail.models import Locale, PageViewRestriction

from glossary import blocks
from glossary.models import GlossaryPage, RelatedTerm, TermPage
from glossary.site import index

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


ATTACK = "<script>alert('1')</script>"


@pytest.fixture
def glossary(db: None) -> GlossaryPage:
    return make_glossary("ai", title="AI Glossary")


def soup_of(response: Any) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.content.decode(), "html.parser")


def visit(url: str, **headers: str) -> BeautifulSoup:
    return soup_of(Client(headers=headers).get(url))


def preview(page: Any) -> BeautifulSoup:
    return soup_of(page.make_preview_request())


def words(tag: Tag | BeautifulSoup | None) -> str:
    assert tag is not None
    return " ".join(tag.get_text(" ").split())


def restrict(page: Any) -> None:
    PageViewRestriction.objects.create(
        page=page, restriction_type=PageViewRestriction.PASSWORD, password="sesame"
    )


@pytest.fixture
def made_anew(settings: Any) -> None:
    """Let no page be kept: what is counted is what making it costs."""
    settings.GLOSSARY_PAGE_SECONDS = 0


def link_to(page: Any) -> str:
    return f'<p>See <a linktype="page" id="{page.pk}">a page</a>.</p>'


def json_ld(soup: BeautifulSoup) -> dict[str, Any]:
    """What the page tells search engines about its subject."""
    (script,) = soup.select('script[type="application/ld+json"]')
    subject, *_others = json.loads(script.get_text())["@graph"]
    return subject


# A term


def test_a_term_opens_with_its_name_heading_and_definition(
    glossary: GlossaryPage,
) -> None:
    make_term(
        glossary,
        "token",
        heading="What is a token?",
        short_definition="A token is a piece of text. Tokens vary.",
    )
    soup = visit("/ai/token/")
    assert words(soup.h1) == "What is a token?"
    assert words(soup.select_one(".glossary-term__name")) == "Token"
    assert words(soup.select_one("#definition")) == (
        "A token is a piece of text. Tokens vary."
    )
    assert [words(dfn) for dfn in soup.select("dfn")] == ["token"]


def test_a_heading_that_is_the_term_is_not_said_twice(glossary: GlossaryPage) -> None:
    make_term(glossary, "token")
    soup = visit("/ai/token/")
    assert words(soup.h1) == "Token"
    assert soup.select_one(".glossary-term__name") is None


@pytest.mark.parametrize(
    ("title", "definition", "before"),
    [
        ("C++", "Older than Rust, C++ is a language.", "Older than Rust, "),
        ("Token", "Tokenization makes a token of a text.", "Tokenization makes a "),
        ("Token", "A piece of text.", ""),
    ],
)
def test_the_first_whole_mention_of_the_term_is_marked(
    glossary: GlossaryPage, title: str, definition: str, before: str
) -> None:
    make_term(glossary, "term", title=title, short_definition=definition)
    paragraph = visit("/ai/term/").select_one("#definition")
    assert paragraph is not None
    assert paragraph.dfn is not None
    assert paragraph.dfn.get_text().casefold() == title.casefold()
    previous = paragraph.dfn.previous_sibling
    assert str(previous or "").lstrip("\n ") == before
    assert definition.endswith(str(paragraph.dfn.next_sibling).rstrip().lstrip(": "))


def test_a_section_is_headed_and_can_be_linked_to(glossary: GlossaryPage) -> None:
    term = make_term(
        glossary,
        "token",
        explanation=[
            section("<p>First.</p>", heading="What it is"),
            section("<p>Second.</p>", kind="how_it_works"),
            section("<p>Third.</p>", heading="Why"),
        ],
    )
    soup = visit("/ai/token/")
    for block, heading, text in zip(
        term.explanation,
        ["What it is", "How it works", "Why"],
        ["First.", "Second.", "Third."],
        strict=True,
    ):
        part = soup.select_one(f"section#section-{block.id}")
        assert part is not None
        assert words(part.h2) == heading
        assert words(part.select_one(".glossary-prose")) == text
        anchor = part.select_one("a.glossary-anchor")
        assert anchor is not None
        assert anchor["href"] == f"#section-{block.id}"
        link = soup.select_one(f'.glossary-contents a[href="#section-{block.id}"]')
        assert words(link) == heading


def test_a_comparison_leads_to_the_term_that_it_is_with(glossary: GlossaryPage) -> None:
    make_term(glossary, "word")
    term = make_term(
        glossary,
        "token",
        comparisons=[
            comparison("A word", "<p>Longer.</p>", make_related_term(glossary, "word")),
            comparison("", "<p>Shorter.</p>", make_related_term(glossary, "byte")),
            comparison("Letter", "<p>Other.</p>"),
        ],
    )
    soup = visit("/ai/token/")
    names = soup.select(".glossary-comparisons dt")
    assert [words(name) for name in names] == ["A word", "Byte", "Letter"]
    assert [name.a and name.a["href"] for name in names] == ["/ai/word/", None, None]
    assert soup.select_one(f"#comparison-{term.comparisons[0].id}") is not None
    assert words(soup.select_one(".glossary-comparisons dd")) == "Longer."


def test_a_question_opens_and_can_be_linked_to(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token", faq=[question("Why?", "<p>Because.</p>")])
    details = visit("/ai/token/").select_one(f"details#question-{term.faq[0].id}")
    assert details is not None
    assert words(details.summary) == "Why?"
    assert words(details) == "Why? Because."


@pytest.mark.slow
def test_related_terms_stand_under_their_kinds(glossary: GlossaryPage) -> None:
    kinds = ["narrower", "related", "see_also", "contrast", "broader", "related"]
    for number, _kind in enumerate(kinds):
        make_term(glossary, f"t{number}")
    make_term(
        glossary,
        "token",
        related_terms=[
            (make_related_term(glossary, f"t{number}"), kind)
            for number, kind in enumerate(kinds)
        ],
    )
    groups = visit("/ai/token/").select(".glossary-relations__group")
    assert [(words(group.h3), [a["href"] for a in group("a")]) for group in groups] == [
        ("Related", ["/ai/t1/", "/ai/t5/"]),
        ("See also", ["/ai/t2/"]),
        ("In contrast to", ["/ai/t3/"]),
        ("Broader", ["/ai/t4/"]),
        ("Narrower", ["/ai/t0/"]),
    ]


def test_a_wanted_term_is_plain_text_that_says_so(glossary: GlossaryPage) -> None:
    wanted = make_related_term(glossary, "wanted")
    make_term(glossary, "token", related_terms=[wanted])
    group = visit("/ai/token/").select_one(".glossary-relations__group")
    assert words(group) == "Related Wanted (no page yet)"
    assert group is not None
    assert group.a is None


def test_a_term_tells_where_it_belongs(glossary: GlossaryPage) -> None:
    make_term(
        glossary,
        "token",
        category=make_category("text", name="Text & more"),
        tags=["basics"],
        labels=[
            ("Subword", "synonym"),
            ("TOK", "abbreviation"),
            ("tokens", "inflection"),
            ("tokken", "hidden"),
        ],
    )
    soup = visit("/ai/token/")
    facts = [words(fact) for fact in soup.select(".glossary-facts > div")]
    assert facts == [
        "Also called Subword TOK",
        "Category Text & more",
        "Tags basics",
    ]
    links = [link["href"] for link in soup.select(".glossary-facts a")]
    assert links == ["/ai/category/text/", "/ai/tag/basics/"]
    assert "tokken" not in str(soup)
    assert soup.select_one(".glossary-footer time") is not None


@pytest.mark.parametrize(
    ("path", "href"),
    [
        ("docs/search", "https://www.example.com/docs/search"),
        ("https://other.example/x", "https://other.example/x"),
        ("javascript:alert(1)", None),
        ("java\tscript:alert(1)", None),
        (" data:text/html,x", None),
        ("http://[", None),
    ],
)
def test_a_feature_links_only_to_the_web(
    glossary: GlossaryPage, path: str, href: str | None
) -> None:
    glossary.feature_base_url = "https://www.example.com/"
    glossary.save()
    make_term(glossary, "token", related_features=[feature(path, "Search")])
    item = visit("/ai/token/").select_one(".glossary-features li")
    assert words(item) == "Search"
    assert item is not None
    assert (item.a and item.a["href"]) == href


def test_a_feature_without_a_label_shows_its_path(glossary: GlossaryPage) -> None:
    make_term(glossary, "token", related_features=[feature("docs/search")])
    link = visit("/ai/token/").select_one('.glossary-features a[href="/docs/search"]')
    assert words(link) == "docs/search"


def test_breadcrumbs_lead_from_the_home_page(glossary: GlossaryPage) -> None:
    make_term(glossary, "token")
    crumbs = visit("/ai/token/").select(".glossary-breadcrumbs li")
    assert [crumb.a and crumb.a["href"] for crumb in crumbs] == ["/", "/ai/", None]
    assert words(crumbs[-1]) == "Token"


def test_a_bare_term_shows_no_empty_part(glossary: GlossaryPage) -> None:
    make_term(glossary, "token")
    soup = visit("/ai/token/")
    assert soup.select("h2, section, details, dl, .glossary-contents") == []


# What machines read


def test_a_term_describes_itself(glossary: GlossaryPage) -> None:
    make_term(
        glossary,
        "token",
        short_definition='A "piece" of text.',
        explanation=[section("<p>Text.</p>")],
    )
    soup = visit("/ai/token/")
    assert words(soup.title).startswith("Token")
    content = {
        tag.get("name") or tag["property"]: tag["content"]
        for tag in soup.select("meta[content]")
    }
    content.pop("viewport")
    assert content == {
        "description": 'A "piece" of text.',
        "og:title": "Token",
        "og:description": 'A "piece" of text.',
        "og:type": "article",
        "og:url": "http://localhost/ai/token/",
        "og:image": "http://localhost/ai/token/card.png",
        "og:image:type": "image/png",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "The title “Token” and what it means",
        "twitter:card": "summary_large_image",
    }
    canonical = soup.select_one('link[rel="canonical"]')
    assert canonical is not None
    assert canonical["href"] == "http://localhost/ai/token/"
    assert json_ld(soup)["@type"] == "DefinedTerm"
    assert json_ld(soup)["inDefinedTermSet"]["name"] == "AI Glossary"


def test_a_page_says_what_it_was_given_to_say(glossary: GlossaryPage) -> None:
    if not hasattr(TermPage, "seo_title"):
        pytest.skip("this site's base page has no SEO fields")
    make_term(
        glossary, "token", seo_title="Tokens, briefly", search_description="In short."
    )
    soup = visit("/ai/token/")
    assert words(soup.title).startswith("Tokens, briefly")
    descriptions = soup.select('meta[name="description"]')
    assert [tag["content"] for tag in descriptions] == ["In short."]


def test_a_glossary_describes_itself(glossary: GlossaryPage) -> None:
    glossary.introduction = f"<p>{'Words. ' * 50}</p>"
    glossary.save()
    soup = visit("/ai/")
    (description,) = soup.select('meta[name="description"]')
    assert len(description["content"]) == 160
    assert json_ld(soup)["@type"] == "DefinedTermSet"


def test_every_text_is_escaped(glossary: GlossaryPage) -> None:
    category = make_category("category", name=ATTACK, description=ATTACK)
    make_term(
        glossary,
        "token",
        title=ATTACK,
        heading=f"{ATTACK}?",
        short_definition=f"{ATTACK} means harm.",
        category=category,
        labels=[ATTACK + "!"],
        tags=[ATTACK],
        related_terms=[make_related_term(glossary, "wanted", name=ATTACK)],
        explanation=[section("<p>Text.</p>", heading=ATTACK, kind=ATTACK)],
        comparisons=[comparison(ATTACK, "<p>Text.</p>")],
        faq=[question(ATTACK, "<p>Text.</p>")],
        related_features=[feature(f'/"{ATTACK}', ATTACK)],
    )
    for url in (
        *("/ai/token/", "/ai/", "/ai/category/category/", "/ai/map/all/"),
        *("/ai/?q=harm", f"/ai/?q={quote(ATTACK)}&all=1", f"/ai/?q={quote(ATTACK)}x"),
        f"/ai/tag/{TermTag.objects.get().slug}/",
    ):
        soup = visit(url)
        scripts = {script.get("src") or script.get("type") for script in soup("script")}
        ours = {f"/static/glossary/{name}.js" for name in ("glossary", "map")}
        assert scripts <= {"application/ld+json", *ours}
        assert not [tag for tag in soup(True) if "style" in tag.attrs]
        assert ATTACK in words(soup.find(lang="en", class_="glossary"))


# What is not public


@pytest.fixture(params=["draft", "restricted"])
def secret(request: pytest.FixtureRequest, glossary: GlossaryPage) -> TermPage:
    """A term that not everyone may see."""
    page = make_term(
        glossary, "secret", title="Classified", live=request.param == "restricted"
    )
    if request.param == "restricted":
        restrict(page)
    return page


def test_a_secret_term_is_named_nowhere(
    glossary: GlossaryPage, secret: TermPage
) -> None:
    known = RelatedTerm.objects.filter(slug="secret").first() or make_related_term(
        glossary, "secret", name="Classified"
    )
    assert known.page_id == secret.pk
    make_term(
        glossary,
        "token",
        related_terms=[known],
        explanation=[section(link_to(secret))],
        comparisons=[
            comparison("", f"<p>Gone.</p>{link_to(secret)}", known),
            comparison("A thing", link_to(secret), known),
        ],
        faq=[question("Why?", link_to(secret))],
    )
    glossary.introduction = link_to(secret)
    glossary.save()
    for url in ("/ai/token/", "/ai/"):
        soup = visit(url)
        assert "lassified" not in str(soup)
        assert "secret" not in str(soup)
        assert "See a page." in words(soup)
    assert "A thing" in words(visit("/ai/token/"))


def test_links_to_public_pages_stay(glossary: GlossaryPage) -> None:
    other = make_term(glossary, "word")
    make_term(glossary, "token", explanation=[section(link_to(other))])
    assert visit("/ai/token/").select('.glossary-prose a[href="/ai/word/"]')


def test_a_term_does_not_betray_an_unpublished_glossary(glossary: GlossaryPage) -> None:
    make_term(glossary, "token", category=make_category("text"))
    glossary.unpublish()
    soup = visit("/ai/token/")
    assert "AI Glossary" not in str(soup)
    assert '"/ai/' not in str(soup).replace("/ai/token/", "")
    assert "inDefinedTermSet" not in json_ld(soup)
    assert "Text" in words(soup.select_one(".glossary-facts"))


@pytest.mark.parametrize("url", ["/ai/", "/ai/token/"])
def test_a_restricted_glossary_asks_for_its_password(
    glossary: GlossaryPage, url: str
) -> None:
    make_term(glossary, "token", short_definition="A piece of text.")
    restrict(glossary)
    soup = visit(url)
    assert soup.select_one('input[type="password"]') is not None
    assert "piece of text" not in str(soup)


# A glossary


@pytest.fixture
def terms(glossary: GlossaryPage) -> GlossaryPage:
    """A glossary of four terms in two categories."""
    text, model = make_category("text"), make_category("model")
    make_term(glossary, "token", category=text, labels=[("BPE", "abbreviation")])
    make_term(glossary, "echo", title="Écho", category=text)
    make_term(glossary, "weight", category=model, labels=[("wait", "hidden")])
    make_term(glossary, "3d", title="3D model", labels=[("models", "inflection")])
    return glossary


def shown(soup: BeautifulSoup) -> dict[str, list[str]]:
    return {
        words(part.h2): [words(name) for name in part("dt")]
        for part in soup.select(".glossary-letter")
    }


def test_a_glossary_lists_its_terms_by_letter(terms: GlossaryPage) -> None:
    soup = visit("/ai/")
    assert shown(soup) == {
        "B": ["BPE"],
        "E": ["Écho"],
        "T": ["Token"],
        "W": ["Weight"],
        "#": ["3D model"],
    }
    assert words(soup.select_one("#letter-t")) == (
        "T Token What token means. Text"  # name, definition, category
    )
    assert soup.select_one('#letter-t a[href="/ai/token/"]') is not None
    assert words(soup.select_one(".glossary-summary")) == "4 terms"


def test_a_label_leads_to_its_term(terms: GlossaryPage) -> None:
    entry = visit("/ai/").select_one("#letter-b")
    assert words(entry) == "B BPE see Token"
    assert entry is not None
    assert entry.a is not None
    assert entry.a["href"] == "/ai/token/"


def test_letters_without_terms_are_kept_but_are_no_links(terms: GlossaryPage) -> None:
    letters = visit("/ai/").select(".glossary-letters li")
    links = {words(item): item.a["href"] for item in letters if item.a}
    assert links == {
        "B 1 entry": "#letter-b",
        "E 1 entry": "#letter-e",
        "T 1 entry": "#letter-t",
        "W 1 entry": "#letter-w",
        "# 1 entry": "#letter-0-9",
    }
    assert "".join(words(item) for item in letters if not item.a) == (
        "ACDFGHIJKLMNOPQRSUVXYZ"
    )


def test_categories_lead_to_their_pages(terms: GlossaryPage) -> None:
    links = visit("/ai/").select(".glossary-categories a")
    assert {words(link): link["href"] for link in links} == {
        "Text 2 terms": "/ai/category/text/",
        "Model 1 term": "/ai/category/model/",
    }
    soup = visit("/ai/category/text/")
    # Without labels: what they lead to is in the list.
    assert shown(soup) == {"E": ["Écho"], "T": ["Token"]}
    assert words(soup.select_one(".glossary-summary")) == "2 terms in this category"
    assert words(soup.select_one(".glossary-categories [aria-current]")) == (
        "Text 2 terms"
    )
    assert words(soup.title).startswith("Text – AI Glossary")


@pytest.mark.parametrize(
    "query", ["?letter=W", "?letter=%00", "?category=text", "?from=Z", "?q=", "?q=%00"]
)
def test_a_parameter_narrows_no_glossary(terms: GlossaryPage, query: str) -> None:
    assert len(shown(visit(f"/ai/{query}"))) == 5


def test_a_large_glossary_has_a_page_for_each_letter(
    terms: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MOST_TERMS", 3)
    soup = visit("/ai/")
    assert shown(soup) == {}
    hrefs = [link["href"] for link in soup.select(".glossary-letters a")]
    parts = ["b", "e", "t", "w", "0-9"]
    assert hrefs == [f"/ai/letter/{part}/" for part in parts]
    assert words(soup.select_one(".glossary-summary")) == "4 terms"

    soup = visit("/ai/letter/w/")
    assert [words(name) for name in soup.select(".glossary-entries dt")] == ["Weight"]
    assert words(soup.select_one(".glossary-letters [aria-current]")) == "W 1 entry"
    canonical = soup.select_one('link[rel="canonical"]')
    assert canonical is not None
    assert canonical["href"] == "http://localhost/ai/letter/w/"


@pytest.mark.usefixtures("made_anew")
def test_labels_can_make_a_glossary_large(
    terms: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MOST_ENTRIES", 5)
    assert len(shown(visit("/ai/"))) == 5
    monkeypatch.setattr(index, "MOST_ENTRIES", 4)
    assert shown(visit("/ai/")) == {}


def test_an_alphabet_is_that_of_the_language(glossary: GlossaryPage) -> None:
    for slug, title in [("a", "ٹوکن"), ("b", "تربیت"), ("c", "RAG")]:
        make_term(glossary, slug, title=title)
    soup = visit("/ai/")
    letters = soup.select(".glossary-letters li")
    # Letters from elsewhere come behind those of the language.
    assert [words(letter)[0] for letter in letters] == [*ascii_uppercase, "ت", "ٹ"]
    assert list(shown(soup)) == ["R", "ت", "ٹ"]

    urdu = Locale.objects.create(language_code="ur")
    lughat = make_glossary("lughat", locale=urdu)
    for slug, title in [("a", "RAG"), ("b", "ٹوکن"), ("c", "تربیت"), ("d", "3D")]:
        make_term(lughat, slug, title=title, locale=urdu)
    soup = visit("/lughat/")
    letters = [words(letter)[0] for letter in soup.select(".glossary-letters li")]
    assert letters[:6] == ["ا", "ب", "پ", "ت", "ٹ", "ث"]
    assert letters[-3:] == ["ے", "R", "#"]
    assert list(shown(soup)) == ["ت", "ٹ", "R", "#"]


def test_a_glossary_without_terms_says_so(glossary: GlossaryPage) -> None:
    make_term(glossary, "secret", live=False)
    soup = visit("/ai/")
    assert "No terms have been published here yet." in words(soup)
    assert soup.select(".glossary-letters, .glossary-categories") == []


# The site around it


def test_a_page_is_in_its_own_language(db: None) -> None:
    urdu = Locale.objects.create(language_code="ur")
    home = home_page().copy_for_translation(urdu)
    home.save_revision().publish()
    glossary = make_glossary("lughat", parent=home, locale=urdu)
    make_term(glossary, "token", locale=urdu)
    for url in ("/lughat/", "/lughat/token/"):
        soup = visit(url, accept_language="ur")
        assert soup.select_one('.glossary[lang="ur"][dir="rtl"]') is not None


def test_text_of_the_page_is_in_its_language_whatever_the_visitor_asks_for(
    glossary: GlossaryPage,
) -> None:
    make_term(glossary, "token")
    soup = visit("/ai/token/", accept_language="ur")
    assert soup.select_one('.glossary[lang="en"][dir="ltr"]') is not None


def test_a_new_wagtail_site_needs_no_change(
    glossary: GlossaryPage, tmp_path: Path, settings: Any
) -> None:
    template = "project_template/project_name/templates/base.html"
    source = Path(wagtail.__file__).parent / template
    base = Engine().from_string(source.read_text(encoding="utf-8"))
    (tmp_path / "base.html").write_text(
        base.render(Context({"project_name": "mysite"})), encoding="utf-8"
    )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    make_term(glossary, "token", short_definition="A piece of text.")
    for url in ("/ai/", "/ai/token/"):
        soup = visit(url)
        assert len(soup("title")) == len(soup("h1")) == 1
        sheets = [link["href"] for link in soup.select('head link[rel="stylesheet"]')]
        assert sheets == ["/static/css/mysite.css", "/static/glossary/glossary.css"]
    assert [
        tag["content"] for tag in visit("/ai/token/").select('[name="description"]')
    ] == ["A piece of text."]


# Previews


def test_a_draft_is_previewed_with_its_changes(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token", live=False)
    term.heading = "A new heading"
    term.explanation = [section("<p>New text.</p>")]
    soup = preview(term)
    assert words(soup.h1) == "A new heading"
    assert "New text." in words(soup)


def new_term(**fields: Any) -> TermPage:
    return TermPage(
        title="Token",
        short_definition="A token is new.",
        explanation=[section("<p>New text.</p>")],
        comparisons=[comparison("Word", "<p>Longer.</p>")],
        faq=[question("Why?", "<p>Because.</p>")],
        related_features=[feature("docs")],
        **fields,
    )


def test_a_new_term_is_previewed_where_it_will_stand(glossary: GlossaryPage) -> None:
    term = new_term(category=make_category("text"), locale=glossary.locale)
    term.labels.create(text="Subword")
    term.tags.add("basics")
    term.related_terms.create(related_term=make_related_term(glossary, "wanted"))
    # As Wagtail prepares a page that is being created.
    term.depth = glossary.depth + 1
    term.path = term._get_path(glossary.path, term.depth, 1)
    text = words(preview(term))
    for part in ("AI Glossary", "New text.", "Subword", "Text", "basics", "Wanted"):
        assert part in text


@pytest.mark.parametrize(
    "make", [new_term, lambda: GlossaryPage(title="Words", introduction="<p>Hi.</p>")]
)
def test_a_page_without_a_place_is_previewed(
    db: None, make: Callable[[], TermPage | GlossaryPage]
) -> None:
    page = make()
    soup = preview(page)
    assert words(soup.h1) == page.title
    assert soup.select('link[rel="canonical"]') == []


def test_a_new_glossary_is_previewed_where_it_will_stand(db: None) -> None:
    home = home_page()
    glossary = GlossaryPage(title="Words", slug="words", locale=home.locale)
    glossary.depth = home.depth + 1
    glossary.path = glossary._get_path(home.path, glossary.depth, 1)
    soup = preview(glossary)
    assert words(soup.h1) == "Words"
    assert "a glossary that is not public" in words(soup.select_one(".glossary-empty"))


@pytest.mark.parametrize(
    "block",
    [
        child
        for stream in (
            blocks.ExplanationBlock,
            blocks.ComparisonsBlock,
            blocks.QuestionsBlock,
            blocks.FeaturesBlock,
        )
        for child in stream().child_blocks.values()
    ],
    ids=lambda block: block.name,
)
def test_a_block_is_previewed_in_our_style(block: Any, admin_client: Client) -> None:
    url = reverse("wagtailadmin_block_preview")
    soup = soup_of(admin_client.get(url, {"id": block.definition_prefix}))
    assert soup.select('link[href="/static/glossary/glossary.css"]')
    text = block.get_preview_value()
    name = text.get("heading") or text.get("name") or text.get("question")
    assert str(name or text["label"]) in words(soup.find(class_="glossary"))


# Cost


def queries(url: str) -> int:
    visit(url)  # Wagtail remembers the paths of the sites' roots from then on
    with CaptureQueriesContext(connection) as captured:
        visit(url)
    return len(captured)


@pytest.mark.slow
@pytest.mark.usefixtures("made_anew")
def test_a_term_costs_the_same_however_much_it_links_to(glossary: GlossaryPage) -> None:
    targets = [make_term(glossary, f"target-{number}") for number in range(30)]
    known = [make_related_term(glossary, target.slug) for target in targets]
    for slug, size in (("small", 1), ("large", 30)):
        make_term(
            glossary,
            slug,
            category=make_category(slug),
            tags=[f"tag-{number}" for number in range(size)],
            labels=[f"{slug} {number}" for number in range(size)],
            related_terms=known[:size],
            explanation=[section(link_to(target)) for target in targets[:size]],
            comparisons=[
                comparison("", link_to(target), related_term)
                for target, related_term in zip(
                    targets[:size], known[:size], strict=True
                )
            ],
            faq=[question("Why?", link_to(target)) for target in targets[:size]],
            related_features=[feature(f"docs/{number}") for number in range(size)],
        )
    small, large = queries("/ai/small/"), queries("/ai/large/")
    assert small == large
    assert large <= 29


@pytest.mark.slow
@pytest.mark.usefixtures("made_anew")
def test_a_glossary_costs_the_same_however_large_it_is(db: None) -> None:
    costs = []
    for slug, size in (("small", 2), ("large", 12)):
        glossary = make_glossary(slug)
        for number in range(size):
            make_term(
                glossary,
                f"{slug}-{number}",
                category=make_category(f"{slug}-{number}"),
                labels=[f"{number} {slug}"],
            )
        costs.append(queries(f"/{slug}/"))
    assert costs[0] == costs[1]
    assert costs[1] <= 20
