"""The loaders of documents: shapes, rules, and how many queries they take."""

from __future__ import annotations

import json
from typing import Any

import pytest
import swapper
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json
from wagtail.models import Locale, PageViewRestriction, Site

from glossary.delivery.documents import (
    GlossaryCategory,
    GlossaryDocument,
    GlossaryLetter,
    GlossaryRelatedTerm,
    TermBacklink,
    TermCard,
    TermDocument,
)
from glossary.delivery.loaders import (
    load_backlinks,
    load_cards,
    load_categories,
    load_glossaries,
    load_letters,
    load_related_terms,
    load_related_terms_by_id,
    load_terms,
)
from glossary.delivery.public_pages import visible
from glossary.delivery.scope import Scope, make_scope
from glossary.delivery.search import load_hits
from glossary.delivery.term_streams import TermStreams
from glossary.models import (
    GlossaryPage,
    LetterCount,
    PublicTerm,
    RelatedTerm,
    TermPage,
)
from tests.extension.models import CoursePage, CourseTermPage

from .factories import (
    comparison,
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    section,
)
from .test_api_v2 import has_seo_fields, make_complete_term
from .test_visibility import HIDDEN, MARK, World, make_document, make_site


pytestmark = pytest.mark.django_db

FORMATS = ("html", "markdown", "plain", "db_html")
MAX_QUERIES = 10


class Addresses:
    """Addresses of details, as a transport has them."""

    def term(self, pk: int) -> str:
        return f"https://api/terms/{pk}/"

    def category(self, slug: str) -> str:
        return f"https://api/categories/{slug}/"

    def glossary(self, pk: int) -> str:
        return f"https://api/glossaries/{pk}/"


LINKS = Addresses()


@pytest.fixture(autouse=True)
def nothing_left_over(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()  # the sites of the test before


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", live=True)


def the_scope() -> Scope:
    return make_scope(Site.objects.get(is_default_site=True))


def checked(shape: Any, documents: Any) -> Any:
    """The documents as JSON has them, after they were held against their type."""
    text = to_json(documents)
    TypeAdapter(list[shape]).validate_json(text, strict=True, extra="forbid")
    return from_json(text)


def load(*terms: TermPage, **options: Any) -> Any:
    found = load_terms([term.pk for term in terms], the_scope(), LINKS, **options)
    return checked(TermDocument, found)


def backlinks(term: TermPage, **options: Any) -> tuple[list[Any], int]:
    found, count = load_backlinks(term.pk, the_scope(), **{"limit": 20, **options})
    return checked(TermBacklink, found), count


def related_terms(**options: Any) -> tuple[list[Any], int]:
    scope = the_scope()
    found, count = load_related_terms(
        scope, scope.glossaries, **{"limit": 20, **options}
    )
    return checked(GlossaryRelatedTerm, found), count


def slugs(documents: Any) -> list[str]:
    return [document["slug"] for document in documents]


def set_stream(term: TermPage, **streams: str) -> None:
    """Write JSON as it is, past the blocks."""
    with connection.cursor() as cursor:
        for name, text in streams.items():
            cursor.execute(
                f"UPDATE glossary_termpage SET {name} = %s"  # noqa: S608
                " WHERE page_ptr_id = %s",
                [text, term.pk],
            )


# A term


@pytest.mark.slow
def test_a_term_in_full_is_as_wagtail_shows_it(
    client: Client, glossary: GlossaryPage
) -> None:
    term = make_complete_term(glossary)
    for rich_text in ("html", "db_html"):
        url = f"/api/v2/pages/{term.pk}/?rich_text_format={rich_text}"
        wagtails = client.get(url).json()
        [document] = load(term, rich_text=rich_text)
        assert document.pop("backlinks_count") == 0
        meta = document.pop("meta")
        assert document == {name: wagtails[name] for name in document}
        for name in ("type", "html_url", "slug", "locale"):
            assert meta[name] == wagtails["meta"][name]


def test_the_meta_of_a_term(glossary: GlossaryPage) -> None:
    seo = {"seo_title": "Tokens", "search_description": "All of them"}
    term = make_term(glossary, "token", **(seo if has_seo_fields() else {}))
    [document] = load(term)
    meta = document["meta"]
    assert meta.pop("first_published_at").endswith("Z")
    assert meta.pop("last_published_at").endswith("Z")
    assert meta == {
        "type": "glossary.TermPage",
        "detail_url": f"https://api/terms/{term.pk}/",
        "html_url": "http://localhost/ai/token/",
        "slug": "token",
        "show_in_menus": False,
        "seo_title": "Tokens" if has_seo_fields() else "",
        "search_description": "All of them" if has_seo_fields() else "",
        "parent": {
            "id": glossary.pk,
            "meta": {
                "type": "glossary.GlossaryPage",
                "detail_url": f"https://api/glossaries/{glossary.pk}/",
                "html_url": "http://localhost/ai/",
            },
            "title": "Ai",
        },
        "locale": "en",
        "translation_key": str(term.translation_key),
        "translations": [],
    }


def test_a_sites_own_types_are_terms_and_glossaries() -> None:
    course = CoursePage(title="Course", slug="course")
    home_page().add_child(instance=course)
    term = make_term(course, "lesson", model=CourseTermPage)
    [document] = load(term)
    assert document["meta"]["type"] == "extension.CourseTermPage"
    assert document["meta"]["parent"]["meta"]["type"] == "extension.CoursePage"
    [found] = load_glossaries(the_scope(), LINKS)
    assert found["meta"]["type"] == "extension.CoursePage"


def test_terms_come_in_the_order_that_is_asked_for(glossary: GlossaryPage) -> None:
    one, two, three = (make_term(glossary) for _number in range(3))
    assert [item["id"] for item in load(three, one, two)] == [
        *(three.pk, one.pk, two.pk)
    ]
    assert load_terms([], the_scope(), LINKS) == []
    assert load_terms([2**62, 0, -1], the_scope(), LINKS) == []


@pytest.mark.parametrize("rich_text", FORMATS)
def test_every_format_fits_its_type(glossary: GlossaryPage, rich_text: str) -> None:
    term = make_complete_term(glossary)
    [document] = load(
        term, rich_text=rich_text, include={"backlinks", "structured_data"}
    )
    body = document["explanation"][0]["value"]["body"]
    assert "vectors" in body
    assert ("/ai/embedding-vector/" in body) == (rich_text in {"html", "markdown"})


def test_related_terms_and_labels_come_in_their_order(glossary: GlossaryPage) -> None:
    related = [make_related_term(glossary, slug) for slug in ("zebra", "ant", "moth")]
    term = make_term(
        glossary,
        related_terms=[
            (item, kind)
            for item, kind in zip(
                related, ("contrast", "broader", "see_also"), strict=True
            )
        ],
        labels=[("z", "synonym"), ("a", "hidden")],
    )
    [document] = load(term)
    assert [
        (link["related_term"]["slug"], link["kind"])
        for link in document["related_terms"]
    ] == [("zebra", "contrast"), ("ant", "broader"), ("moth", "see_also")]
    assert [label["text"] for label in document["labels"]] == ["z", "a"]


def test_translations_are_named(glossary: GlossaryPage) -> None:
    french = Locale.objects.create(language_code="fr")
    term = make_term(glossary, "token")
    home_page().copy_for_translation(french, alias=True)
    glossaire = glossary.copy_for_translation(french)
    glossaire.save_revision().publish()
    jeton = term.copy_for_translation(french)
    [document] = load(term)
    assert document["meta"]["translations"] == []  # it is a draft
    jeton.slug = "jeton"
    jeton.save_revision().publish()
    cache.clear()
    [english, translated] = load(term, jeton)
    [translation] = english["meta"]["translations"]
    assert translation["id"] == jeton.pk
    assert (translation["locale"], translation["slug"]) == ("fr", "jeton")
    assert translation["html_url"] == translated["meta"]["html_url"]
    assert [item["id"] for item in translated["meta"]["translations"]] == [term.pk]


def test_structured_data(glossary: GlossaryPage) -> None:
    term = make_term(
        glossary,
        "token",
        labels=[("piece", "synonym"), ("tok", "abbreviation"), ("tokn", "hidden")],
    )
    [document] = load(term, include={"structured_data"})
    assert document["structured_data"] == {
        "@context": "https://schema.org",
        "@type": "DefinedTerm",
        "@id": "http://localhost/ai/token/",
        "name": "Token",
        "alternateName": ["piece", "tok"],
        "description": "What token means.",
        "url": "http://localhost/ai/token/",
        "inDefinedTermSet": {
            "@type": "DefinedTermSet",
            "@id": "http://localhost/ai/",
            "name": "Ai",
            "url": "http://localhost/ai/",
            "inLanguage": "en",
        },
    }


# How much it costs


@pytest.mark.parametrize("rich_text", FORMATS)
@pytest.mark.slow
def test_thirty_terms_take_as_many_queries_as_one(
    glossary: GlossaryPage, rich_text: str
) -> None:
    document = make_document(private=False)
    links = (
        f'<p><a linktype="document" id="{document.pk}">a</a> '
        f'<a linktype="page" id="{home_page().pk}">b</a></p>'
    )
    terms = [make_complete_term(glossary, f"full-{number}") for number in range(3)]
    terms += [
        make_term(glossary, explanation=[section(links)]) for _number in range(27)
    ]
    scope = the_scope()
    everything = {"backlinks", "structured_data"}
    for include in (frozenset[str](), everything):
        counts = []
        for pks in ([terms[-1].pk], [term.pk for term in terms]):
            load_terms(pks, scope, LINKS)  # what each process remembers
            with CaptureQueriesContext(connection) as queries:
                found = load_terms(
                    pks, scope, LINKS, rich_text=rich_text, include=include
                )
            assert len(found) == len(pks)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= MAX_QUERIES


@pytest.mark.slow
def test_a_card_is_a_part_of_the_whole(
    glossary: GlossaryPage, django_assert_num_queries: Any
) -> None:
    terms = [make_complete_term(glossary, f"full-{number}") for number in range(3)]
    terms.append(make_term(glossary))
    pks = [*(term.pk for term in terms), 0]
    scope = the_scope()
    for asked in (pks[:1], pks[::-1]):
        with django_assert_num_queries(3):  # terms, tags, glossaries and translations
            cards = load_cards(asked, scope, LINKS)
        assert checked(TermCard, cards) == [
            {name: document[name] for name in TermCard.__annotations__}
            for document in from_json(to_json(load_terms(asked, scope, LINKS)))
        ]
    assert load_cards([], scope, LINKS) == load_cards([2**62, -1], scope, LINKS) == []


# What is hidden


def everything_in(world: World) -> dict[str, Any]:
    """All that the loaders tell of the world."""
    scope = the_scope()
    pks = [world.term.pk, world.target.pk]
    found: dict[str, Any] = {
        rich_text: load_terms(
            pks,
            scope,
            LINKS,
            rich_text=rich_text,
            include={"backlinks", "structured_data"},
        )
        for rich_text in FORMATS
    }
    for rich_text in FORMATS:
        found[f"glossary {rich_text}"] = load_glossaries(
            scope, LINKS, rich_text=rich_text
        )
    found["cards"] = load_cards([world.target.pk], scope, LINKS)
    for words in ("differs see this", MARK):
        found[f"hits {words}"] = load_hits(pks, words, scope, LINKS)
    found["categories"] = load_categories(scope, LINKS)
    found["related terms"] = load_related_terms(scope, scope.glossaries, limit=100)[0]
    found["by id"] = load_related_terms_by_id([world.known.pk], scope)
    return found


@pytest.mark.parametrize("reason", HIDDEN)
def test_nothing_tells_of_what_is_hidden(reason: str) -> None:
    world = World(reason)
    for name, found in everything_in(world).items():
        text = to_json(found).decode().lower()
        assert MARK not in text, name
        assert f'id=\\"{world.target.pk}\\"' not in text, name
    [document] = load(world.term)
    assert [item["value"] for item in document["comparisons"]] == [
        {
            "related_term": None,
            "name": "That one",
            "comparison": "<p>See this and that.</p>",
        },
        # It has no name of its own, and stays, since a search finds its text.
        {"related_term": None, "name": "", "comparison": "<p>It differs.</p>"},
    ]
    assert document["related_terms"] == []
    assert backlinks(world.target) == ([], 0)
    [letter] = [item for item in load_letters(the_scope()) if item["terms"]]
    assert letter == {"letter": "E", "terms": 1, "labels": 0}
    [found] = load_glossaries(the_scope(), LINKS)
    assert found["term_count"] == 1


def test_the_same_tells_of_what_is_public() -> None:
    world = World("public")
    for name, found in everything_in(world).items():
        text = to_json(found).decode().lower()
        # Plain text has no addresses.
        assert name == "glossary plain" or MARK in text or 'id=\\"' in text, name
    [document, target] = load(world.term, world.target)
    assert len(document["comparisons"]) == 2
    assert target["backlinks_count"] == 1


@pytest.mark.parametrize("reason", ["draft", "login"])
@pytest.mark.slow
def test_terms_of_a_hidden_glossary_are_hidden(reason: str) -> None:
    world = World("public")
    glossary = make_glossary("secret")
    hidden = make_term(glossary, f"{MARK}-2", category=make_category())
    wanted = make_related_term(glossary, f"{MARK}-wanted")
    link = f'<a linktype="page" id="{hidden.pk}">it</a>'
    term = make_term(world.glossary, explanation=[section(f"<p>{link}</p>")])
    set_stream(
        term,
        comparisons=json.dumps(
            [
                {
                    "type": "comparison",
                    "id": "1",
                    "value": {"related_term": known.pk, "name": "n", "comparison": ""},
                }
                for known in (wanted, make_related_term(glossary, hidden.slug))
            ]
        ),
    )
    if reason == "draft":
        glossary.unpublish()
    else:
        PageViewRestriction.objects.create(
            page=glossary, restriction_type=PageViewRestriction.LOGIN
        )
    assert load(hidden) == []
    [document] = load(term)
    assert document["explanation"][0]["value"]["body"] == "<p>it</p>"
    assert [item["value"]["related_term"] for item in document["comparisons"]] == [
        *(None, None)
    ]
    assert "secret" not in {
        item["meta"]["slug"] for item in load_glossaries(the_scope(), LINKS)
    }
    assert f"{MARK}-2" not in slugs(related_terms(limit=100)[0])
    assert f"{MARK}-wanted" not in slugs(related_terms(limit=100)[0])


def test_a_row_that_is_left_behind_gives_nothing_away(glossary: GlossaryPage) -> None:
    target = make_term(glossary, "target")
    source = make_term(
        glossary, MARK, related_terms=[make_related_term(glossary, "target")]
    )
    TermPage.objects.filter(pk=source.pk).update(live=False)  # and no signal
    assert PublicTerm.objects.filter(pk=source.pk).exists()
    [document] = load(target, include={"backlinks"})
    assert document["backlinks"] == []
    assert backlinks(target)[0] == []
    assert MARK not in slugs(related_terms()[0])
    assert load(source) == []


def test_a_deleted_target_leaves_its_text(glossary: GlossaryPage) -> None:
    target = make_term(glossary, "target")
    known = make_related_term(glossary, "target")
    term = make_term(
        glossary,
        explanation=[section(f'<a linktype="page" id="{target.pk}">it</a>')],
        comparisons=[comparison("Name", "<p>x</p>", known)],
    )
    RelatedTerm.objects.filter(pk=known.pk).delete()
    target.delete()
    [document] = load(term)
    assert document["explanation"][0]["value"]["body"] == "it"
    assert document["comparisons"][0]["value"]["related_term"] is None


@pytest.mark.slow
def test_visible_is_what_wagtail_calls_public() -> None:
    world = World("public")
    Page = swapper.load_model("wagtailcore", "Page")
    make_site("other.example")
    for page in (None, world.target, world.glossary, home_page()):
        if page:
            PageViewRestriction.objects.create(
                page=page, restriction_type=PageViewRestriction.LOGIN
            )
        scope = the_scope()
        ours = Page.objects.filter(visible(scope.roots))
        assert set(ours.values_list("pk")) == set(scope.pages().values_list("pk"))


# Pages and documents that texts link to


def test_links_of_a_text(glossary: GlossaryPage) -> None:
    document = make_document(private=False)
    Page = swapper.load_model("wagtailcore", "Page")
    plain = home_page().add_child(instance=Page(title="Plain", slug="plain"))
    course = CoursePage(title="Course", slug="course")
    home_page().add_child(instance=course)
    lesson = make_term(course, "lesson", model=CourseTermPage)
    targets = {
        ("page", plain.pk): "/plain/",
        ("page", home_page().pk): "/",
        ("page", glossary.pk): "/ai/",
        ("page", lesson.pk): "/course/lesson/",
        ("document", document.pk): document.url,
    }
    term = make_term(
        glossary,
        explanation=[
            section(f'<a linktype="{kind}" id="{pk}">x</a>') for kind, pk in targets
        ],
    )
    [found] = load(term)
    assert [item["value"]["body"] for item in found["explanation"]] == [
        f'<a href="{url}">x</a>' for url in targets.values()
    ]


# What is damaged


DAMAGED = [
    "null",
    "{}",
    '"text"',
    '[null, 1, "x", [], {}]',
    '[{"type": "section"}, {"type": "section", "value": null}]',
    '[{"type": "own", "value": {"body": "x"}, "id": "1"}]',
    '[{"type": "comparison", "value": {"related_term": 1e300, "name": "n"}}]',
    '[{"type": "comparison", "value": {"related_term": true, "name": "n"}}]',
    '[{"type": "comparison", "value": {"related_term": "1", "name": "n"}}]',
    '[{"type": "comparison", "value": {"related_term": -1, "name": "n"}}]',
    '[{"type": "comparison", "value": {"related_term": 99999999999999999999999}}]',
    '[{"type": ["section"], "value": {"body": 5}, "id": 7}]',
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_stream_leaves_the_rest(glossary: GlossaryPage, text: str) -> None:
    term = make_term(glossary)
    set_stream(term, explanation=text, comparisons=text, faq=text)
    for rich_text in FORMATS:
        [document] = load(term, rich_text=rich_text)
        assert document["explanation"] == document["faq"] == []
        assert [item["value"]["name"] for item in document["comparisons"]] in (
            [],
            ["n"],
            [""],
        )


def test_what_is_missing_in_a_block_is_empty(glossary: GlossaryPage) -> None:
    term = make_term(glossary)
    set_stream(
        term,
        explanation='[{"type": "section", "value": {"body": null}, "id": null}]',
        faq='[{"type": "question", "value": {}}]',
        related_features='[{"type": "feature", "value": {"path": "x"}, "id": "1"}]',
    )
    [document] = load(term)
    assert document["explanation"] == [
        {
            "type": "section",
            "value": {"kind": "explanation", "heading": "", "body": ""},
            "id": "",
        }
    ]
    assert document["faq"][0]["value"] == {"question": "", "answer": ""}
    assert document["related_features"][0]["value"] == {"path": "x", "label": ""}


@pytest.mark.parametrize("rich_text", FORMATS)
def test_half_a_character_can_be_delivered(
    glossary: GlossaryPage, rich_text: str
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite stores it")
    term = make_term(glossary, labels=["a\0b"], heading="a\0b")
    set_stream(
        term,
        faq='[{"type": "question", "id": "1", "value":'
        ' {"question": "a\\ud800b\\u0000", "answer": "<p>\\udc00\\u00e9</p>"}}]',
    )
    [document] = load(term, rich_text=rich_text)
    assert document["faq"][0]["value"]["question"] == "a?b\0"
    assert "?é" in document["faq"][0]["value"]["answer"]
    assert document["heading"] == "a\0b"


@pytest.mark.parametrize("text", [None, "", "x", "[" * 100_000, "[{}", "NaN", "1e999"])
def test_what_is_no_json_is_empty(text: str | None) -> None:
    streams = TermStreams(text, text, text, text)
    assert list(streams.rich_texts()) == list(streams.related_terms()) == []


def test_json_in_json_is_read() -> None:
    stream = [{"type": "section", "value": {"body": "x"}, "id": "1"}]
    assert list(TermStreams(json.dumps(json.dumps(stream)), *"___").rich_texts()) == [
        "x"
    ]


# Backlinks


@pytest.mark.slow
def test_backlinks(glossary: GlossaryPage) -> None:
    target = make_term(glossary, "target")
    known = make_related_term(glossary, "target")
    link = f'<p><a linktype="page" id="{target.pk}">it</a></p>'
    make_term(glossary, "beta", related_terms=[(known, "broader")])
    make_term(
        glossary,
        "alpha",
        related_terms=[known],
        explanation=[section(link), section(link)],
        comparisons=[comparison("It", "<p>x</p>", known)],
    )
    make_term(glossary, "draft", live=False, related_terms=[known])
    other = make_glossary(parent=make_site("other.example").root_page)
    make_term(other, "elsewhere", explanation=[section(link)])
    set_stream(
        target,
        explanation=json.dumps(  # itself does not count
            [{"type": "section", "id": "1", "value": {"body": link}}]
        ),
    )
    target.refresh_from_db()
    target.save()
    found, count = backlinks(target)
    assert count == 2
    assert [(item["slug"], item["kinds"]) for item in found] == [
        ("alpha", ["comparison", "related", "text"]),
        ("beta", ["broader"]),
    ]
    assert found[0]["html_url"] == "http://localhost/ai/alpha/"
    [document] = load(target, include={"backlinks"})
    assert document["backlinks"] == found
    assert document["backlinks_count"] == 2
    [document] = load(target)
    assert document["backlinks_count"] == 2
    assert "backlinks" not in document


@pytest.mark.slow
def test_backlinks_come_in_parts(glossary: GlossaryPage) -> None:
    target = make_term(glossary, "target")
    known = make_related_term(glossary, "target")
    names = [f"source-{number}" for number in range(5)]
    for name in names:
        make_term(glossary, name, related_terms=[known])
    found = [backlinks(target, limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert {count for _items, count in found} == {5}
    assert [slugs(items) for items, _count in found] == [
        *(names[:2], names[2:4], names[4:], [])
    ]


# Glossaries, categories, related terms, letters


def test_a_glossary(glossary: GlossaryPage) -> None:
    make_term(glossary)
    glossary.introduction = f'<p><a linktype="page" id="{home_page().pk}">x</a></p>'
    glossary.licence_url = "https://example.com/licence"
    glossary.save_revision().publish()
    [document] = checked(GlossaryDocument, load_glossaries(the_scope(), LINKS))
    assert document["id"] == glossary.pk
    assert document["introduction"] == '<p><a href="/">x</a></p>'
    assert document["licence_url"] == "https://example.com/licence"
    assert document["term_count"] == 1
    assert document["meta"]["html_url"] == "http://localhost/ai/"
    assert document["meta"]["detail_url"] == f"https://api/glossaries/{glossary.pk}/"


def test_glossaries_come_as_asked_for(glossary: GlossaryPage) -> None:
    other = make_glossary("other")
    scope = the_scope()
    found = load_glossaries(scope, LINKS, glossaries=[scope.glossary(other.pk)])
    assert [item["id"] for item in found] == [other.pk]
    assert [item["id"] for item in load_glossaries(scope, LINKS)] == [
        *(glossary.pk, other.pk)
    ]


@pytest.mark.slow
def test_categories(glossary: GlossaryPage) -> None:
    basics, research, _empty = (
        make_category(name) for name in ("basics", "research", "empty")
    )
    make_term(glossary, category=research)
    make_term(glossary, category=research)
    make_term(glossary, category=basics)
    make_term(glossary)
    make_term(make_glossary("other"), category=basics)
    scope = the_scope()
    here = [scope.glossary(glossary.pk)]

    def counts(*arguments: Any, **options: Any) -> list[tuple[str, int]]:
        found = load_categories(scope, LINKS, *arguments, **options)
        return [
            (item["slug"], item["term_count"])
            for item in checked(GlossaryCategory, found)
        ]

    assert counts() == [("basics", 2), ("research", 2)]
    assert counts(here) == [("basics", 1), ("research", 2)]
    assert counts(here, slugs=["basics", "empty", "nothing"]) == [("basics", 1)]


@pytest.mark.slow
def test_related_terms(glossary: GlossaryPage) -> None:
    make_term(glossary, "token")
    token, vector, matrix, tensor = (
        make_related_term(glossary, slug)
        for slug in ("token", "vector", "matrix", "tensor")
    )
    make_term(glossary, "draft", live=False, related_terms=[matrix])
    make_term(
        glossary,
        "alpha",
        related_terms=[token, vector],
        comparisons=[
            comparison("It", "<p>x</p>", vector),
            comparison("Another", "<p>y</p>", tensor),
        ],
    )
    make_term(glossary, "beta", related_terms=[vector])
    found, count = related_terms()
    assert count == 5  # without the draft's own, and what it alone points at
    assert [(item["slug"], item["wanted_by"]) for item in found] == [
        *(("vector", 2), ("token", 1), ("alpha", 0), ("beta", 0), ("tensor", 0))
    ]
    assert {item["slug"] for item in found if item["url"] is None} == {
        *("vector", "tensor")
    }
    assert slugs(related_terms(wanted=True)[0]) == ["vector", "tensor"]
    assert slugs(related_terms(wanted=False)[0]) == ["token", "alpha", "beta"]
    assert slugs(related_terms(q="ten")[0]) == ["tensor"]
    assert slugs(related_terms(q="mat")[0]) == []
    assert slugs(related_terms(q="%")[0]) == []
    assert [
        (slugs(items), count)
        for items, count in (related_terms(limit=2, offset=n) for n in (0, 4, 9))
    ] == [(["vector", "token"], 5), (["tensor"], 5), ([], 5)]
    by_id = load_related_terms_by_id([vector.pk, 2**40], the_scope())
    assert by_id == [found[0]]


def test_letters_are_those_of_the_language_and_those_that_occur(
    glossary: GlossaryPage,
) -> None:
    LetterCount.objects.bulk_create(
        LetterCount(glossary=glossary, letter=letter, terms=terms, labels=labels)
        for letter, terms, labels in (
            *(("#", 1, 0), ("A", 2, 1), ("Ж", 0, 1), ("Б", 3, 0), ("Ю", 0, 0)),
        )
    )
    found = checked(GlossaryLetter, load_letters(the_scope()))
    names = [item["letter"] for item in found]
    assert names == [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "Б", "Ж", "#"]
    assert found[0] == {"letter": "A", "terms": 2, "labels": 1}
    assert found[1] == {"letter": "B", "terms": 0, "labels": 0}


def test_a_site_without_a_glossary() -> None:
    scope = the_scope()
    assert load_glossaries(scope, LINKS) == []
    assert load_categories(scope, LINKS) == []
    assert load_letters(scope) == []
    assert load_related_terms(scope, [], limit=5) == ([], 0)
    assert load_backlinks(home_page().pk, scope, 5, 0) == ([], 0)
    assert load_terms([home_page().pk], scope, LINKS) == []


def test_pages_whose_app_is_gone_are_still_pages(glossary: GlossaryPage) -> None:
    Page = swapper.load_model("wagtailcore", "Page")
    left = home_page().add_child(instance=Page(title="Left", slug="left"))
    gone = ContentType.objects.create(app_label="gone", model="leftpage")
    Page.objects.filter(pk=left.pk).update(content_type=gone)
    link = f'<a linktype="page" id="{left.pk}">x</a>'
    term = make_term(glossary, explanation=[section(link)])
    with pytest.warns(RuntimeWarning, match="not present on the active branch"):
        [document] = load(term)
    assert document["explanation"][0]["value"]["body"] == '<a href="/left/">x</a>'
