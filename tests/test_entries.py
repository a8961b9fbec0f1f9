"""The lists of a glossary: what is in each, in which order, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import swapper
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from taggit.models import Tag
from wagtail.models import Locale, PageViewRestriction, Site
from wagtail.search.backends import get_search_backend

from glossary.delivery import catalogue, entries
from glossary.delivery.entries import PART, Entry, Part
from glossary.delivery.scope import Scope, ScopeGlossary, make_scope
from glossary.models import (
    Category,
    GlossaryPage,
    PublicName,
    PublicTerm,
    TermLabel,
    TermPage,
    TermTag,
)

from .factories import make_category, make_glossary, make_term
from .test_listing import plan


pytestmark = pytest.mark.django_db

MANY = 250
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


def shown(glossary: GlossaryPage) -> tuple[Scope, ScopeGlossary]:
    scope = make_scope(Site.objects.get(is_default_site=True))
    found = scope.glossary(glossary.pk)
    assert found is not None
    return scope, found


def names(found: Iterable[Entry]) -> list[str]:
    return [entry.name for entry in found]


def make_many(
    glossary: GlossaryPage,
    titles: Sequence[str],
    *,
    category: Category | None = None,
    tags: Sequence[str] = (),
    labels: Sequence[str] = (),
    searchable: bool = False,
) -> list[TermPage]:
    """Public terms of these titles, in bulk: without a revision, and in no search
    index unless ``searchable``. Each has the category and the tags, the first ones a
    label."""
    Page = swapper.load_model("wagtailcore", "Page")
    names = [field.attname for field in Page._meta.concrete_fields]
    terms = []
    for number, title in enumerate(titles, glossary.numchild + 1):
        slug = f"many-{number}"
        term = TermPage(
            title=title,
            draft_title=title,
            slug=slug,
            short_definition=f"What {title} means.",
            locale=glossary.locale,
            category=category,
            depth=glossary.depth + 1,
            path=TermPage._get_path(glossary.path, glossary.depth + 1, number),
            url_path=f"{glossary.url_path}{slug}/",
            first_published_at=NOON + timedelta(minutes=number),
            last_published_at=NOON + timedelta(days=1, minutes=number),
        )
        terms.append(term)
    pages = Page.objects.bulk_create(
        Page(**{name: getattr(term, name) for name in names}) for term in terms
    )
    for term, page in zip(terms, pages, strict=True):
        term.pk = term.id = term.page_ptr_id = page.pk
        term.save_base(raw=True, force_insert=True)
    glossary.numchild += len(terms)
    Page.objects.filter(pk=glossary.pk).update(numchild=glossary.numchild)
    known = [Tag.objects.get_or_create(name=name, slug=name)[0] for name in tags]
    TermTag.objects.bulk_create(
        TermTag(content_object=term, tag=tag) for term in terms for tag in known
    )
    TermLabel.objects.bulk_create(
        TermLabel(term=term, text=text)
        for term, text in zip(terms, labels, strict=False)
    )
    catalogue.refresh([term.pk for term in terms])
    if searchable:
        get_search_backend().add_bulk(TermPage, terms)
    return terms


def numbered(number: int) -> list[str]:
    return [f"Term {place:03}" for place in range(number)]


# Order


@pytest.mark.parametrize(
    ("language", "in_order"),
    [
        ("en", ["3D", "Écho", "echo 2", "GPT-3", "GPT-10", "Zoo"]),
        ("de", ["apfel", "Äpfel", "Ofen", "Öl", "Strasse", "Straße", "Zahl"]),
        ("sv", ["Apa", "Ofen", "Zahl", "Åska", "Äpfel", "Öl"]),
        ("ur", ["3D", "پرامپٹ", "تربیت", "ٹوکن", "یاد", "RAG"]),
    ],
)
def test_entries_are_in_the_order_of_the_language(
    language: str, in_order: list[str]
) -> None:
    locale = Locale.objects.get_or_create(language_code=language)[0]
    glossary = make_glossary("ai", locale=locale)
    make_many(glossary, in_order[::-1])
    assert names(entries.of_glossary(*shown(glossary), most=100)) == in_order
    # The order of code points is another one: this cannot come from the database.
    assert sorted(in_order) != in_order


def test_the_letter_of_an_entry_is_one_of_the_language() -> None:
    locale = Locale.objects.get_or_create(language_code="sv")[0]
    swedish = make_glossary("ai", locale=locale)
    english = make_glossary("en")
    for glossary, letters in ((swedish, ["A", "Ä"]), (english, ["A", "A"])):
        make_many(glossary, ["Apa", "Äpfel"])
        found = entries.of_glossary(*shown(glossary), most=100)
        assert sorted(entry.letter for entry in found) == letters


# What an entry says


def test_an_entry_says_what_its_term_is(glossary: GlossaryPage) -> None:
    term = make_term(
        glossary,
        "token",
        short_definition="A piece of text.",
        category=make_category("text", name="Text & more"),
    )
    assert entries.of_glossary(*shown(glossary), most=100) == [
        Entry(
            pk=term.pk,
            name="Token",
            letter="T",
            url="/ai/token/",
            definition="A piece of text.",
            category="Text & more",
            category_slug="text",
            see="",
            published=term.first_published_at,
            changed=term.last_published_at,
        )
    ]


def test_a_label_that_readers_see_leads_to_its_term(glossary: GlossaryPage) -> None:
    make_term(
        glossary,
        "llm",
        title="Large language model",
        labels=[
            ("LLM", "abbreviation"),
            ("Big model", "synonym"),
            ("models", "inflection"),
            ("lrage", "hidden"),
        ],
    )
    found = entries.of_glossary(*shown(glossary), most=100)
    assert [(entry.letter, entry.name, entry.see, entry.url) for entry in found] == [
        ("B", "Big model", "Large language model", "/ai/llm/"),
        ("L", "Large language model", "", "/ai/llm/"),
        ("L", "LLM", "Large language model", "/ai/llm/"),
    ]


def test_an_entry_shows_the_page_as_it_is_now(glossary: GlossaryPage) -> None:
    """Also where the catalogue has drifted: it says what comes where, and no more."""
    term = make_term(glossary, "token", labels=["Piece"])
    TermPage.objects.filter(pk=term.pk).update(title="Tokens", slug="tokens")
    found = entries.of_glossary(*shown(glossary), most=100)
    assert [(entry.name, entry.see, entry.url) for entry in found] == [
        ("Piece", "Tokens", "/ai/tokens/"),
        ("Tokens", "", "/ai/tokens/"),
    ]


def test_no_more_entries_are_read_than_are_asked_for(glossary: GlossaryPage) -> None:
    make_many(glossary, numbered(5))
    assert names(entries.of_glossary(*shown(glossary), most=3)) == numbered(3)


# Parts of a list


Listed = Callable[[str], Part]


def lists(glossary: GlossaryPage, category: Category, tag: str) -> dict[str, Listed]:
    found = shown(glossary)
    tagged = Tag.objects.get(name=tag).pk
    return {
        "letter": lambda start: entries.of_letter(*found, "T", start=start),
        "category": lambda start: entries.of_category(
            *found, [category.pk], start=start
        ),
        "tag": lambda start: entries.of_tag(*found, tagged, start=start),
    }


def walk(listed: Listed, *, backwards: bool = False) -> list[list[Entry]]:
    """The parts of a list from one end to the other, by the names that lead on."""
    part, starts = listed(""), [""]
    while backwards and part.next is not None:
        starts.append(part.next)
        part = listed(part.next)
    parts = [part.entries]
    way = "previous" if backwards else "next"
    while (start := getattr(part, way)) is not None:
        part = listed(start)
        assert len(parts) < 20
        parts.insert(0, part.entries) if backwards else parts.append(part.entries)
    return parts


@pytest.mark.parametrize(
    "titles",
    [
        numbered(MANY),
        # Of one name, across the end of the first part.
        [f"Term {98 if 98 <= place < 103 else place:03}" for place in range(MANY)],
        # Only case tells them apart; and each name is there twice.
        [f"{'Tt'[place % 2]}erm {place // 4:03}" for place in range(MANY)],
    ],
    ids=["each its own", "the same", "twice"],
)
def test_each_entry_is_in_one_part_in_its_order(
    glossary: GlossaryPage, titles: list[str]
) -> None:
    category = make_category("text")
    terms = make_many(glossary, titles, category=category, tags=["x"])
    in_order = list(
        PublicTerm.objects.order_by("sort_key", "pk").values_list("pk", flat=True)
    )
    assert len(in_order) == len(terms) == MANY
    for listed in lists(glossary, category, "x").values():
        for backwards in (False, True):
            parts = walk(listed, backwards=backwards)
            assert [entry.pk for part in parts for entry in part] == in_order
            assert max(map(len, parts)) <= PART
            assert len(parts) == 3


def test_labels_are_walked_through_with_the_terms(glossary: GlossaryPage) -> None:
    # 130 terms, and as many labels, of which 30 are called as a term is.
    titles = numbered(130)
    labels = [f"Tiger {place:03}" for place in range(100)] + titles[80:110]
    make_many(glossary, titles, labels=labels)
    make_many(glossary, ["Unit"], labels=["Under"])
    in_order = PublicName.objects.filter(letter="T").order_by("sort_key", "pk")
    wanted = [name.text for name in in_order]
    assert len(wanted) == 260
    found = shown(glossary)
    for backwards in (False, True):
        parts = walk(
            lambda start: entries.of_letter(*found, "T", start=start),
            backwards=backwards,
        )
        assert [name for part in parts for name in names(part)] == wanted


def test_the_ends_of_a_list_lead_nowhere(glossary: GlossaryPage) -> None:
    make_many(glossary, numbered(PART))
    found = shown(glossary)
    part = entries.of_letter(*found, "T")
    assert (len(part.entries), part.previous, part.next) == (PART, None, None)
    make_many(glossary, ["Term 9"])
    part = entries.of_letter(*found, "T")
    assert (part.previous, part.next) == (None, "Term 099")
    last = entries.of_letter(*found, "T", start="Term 099")
    assert (names(last.entries), last.next) == (["Term 099"], None)
    assert last.previous == "Term 000"


def test_more_of_one_name_than_a_part_has_do_not_hold_up_the_walk(
    glossary: GlossaryPage,
) -> None:
    make_many(glossary, ["Tale", *["Term"] * (PART + 20), "Town"])
    found = shown(glossary)
    parts = walk(lambda start: entries.of_letter(*found, "T", start=start))
    assert [len(part) for part in parts] == [1, PART, 1]
    back = walk(
        lambda start: entries.of_letter(*found, "T", start=start), backwards=True
    )
    assert back == parts


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("Bear", "Bear"),
        ("bear", "Bear"),
        ("Bé", "Bear"),
        ("B", "Bat"),
        ("Bf", "Bull"),
        ("A", "Bat"),
        ("  ", "Bat"),
        ("\0", "Bat"),
        ("#", "Bat"),
        ("Bz", None),
        ("ٹ", None),
        ("Z" * 10_000, None),
        ("\ud800", "Bat"),
    ],
)
def test_a_part_begins_at_any_text(
    glossary: GlossaryPage, start: str, first: str | None
) -> None:
    make_many(glossary, ["Bat", "Bear", "Bull", "Cow"])
    found = shown(glossary)
    part = entries.of_letter(*found, "B", start=start)
    assert next(iter(names(part.entries)), None) == first
    assert part.previous == (None if first == "Bat" else "Bat")
    assert part.next is None


@given(st.text(st.characters(), max_size=300))
@trying(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_no_text_breaks_a_list(db: None, start: str) -> None:
    nowhere = ScopeGlossary(1, "", "", "en", 1, "0001", None)
    scope = Scope(1, "", "en", ("0001",), (nowhere,), {1: nowhere})
    assert entries.of_category(scope, nowhere, [1], start=start) == Part([])
    assert entries.of_tag(scope, nowhere, 1, start=start) == Part([])


# Categories and tags


def test_a_category_has_its_terms_alone(glossary: GlossaryPage) -> None:
    text, model = make_category("text"), make_category("model")
    make_many(glossary, ["Zoo", "Ant"], category=text, labels=["Menagerie"])
    make_many(glossary, ["Bee"], category=model)
    make_many(glossary, ["Cow"])
    make_many(make_glossary("law"), ["Dog"], category=text)
    found = shown(glossary)
    # Without labels: what they lead to is in the list.
    assert names(entries.of_category(*found, [text.pk]).entries) == ["Ant", "Zoo"]
    assert names(entries.of_category(*found, [model.pk]).entries) == ["Bee"]
    assert entries.of_category(*found, [999_999]) == Part([])


def test_a_tag_has_its_terms_alone(glossary: GlossaryPage) -> None:
    make_many(glossary, ["Zoo", "Ant"], tags=["x", "y"])
    make_many(glossary, ["Bee"], tags=["y"])
    make_many(make_glossary("law"), ["Dog"], tags=["x"])
    x, y = (Tag.objects.get(name=name).pk for name in "xy")
    found = shown(glossary)
    assert names(entries.of_tag(*found, x).entries) == ["Ant", "Zoo"]
    assert names(entries.of_tag(*found, y).entries) == ["Ant", "Bee", "Zoo"]
    assert entries.of_tag(*found, 999_999) == Part([])


def test_terms_come_in_the_order_that_is_asked_for(glossary: GlossaryPage) -> None:
    ant, bee, cow = make_many(glossary, ["Ant", "Bee", "Cow"], labels=["Emmet"])
    (dog,) = make_many(make_glossary("law"), ["Dog"])
    found = shown(glossary)
    pks = [cow.pk, dog.pk, ant.pk, 999_999, bee.pk]
    assert names(entries.of_terms(*found, pks)) == ["Cow", "Ant", "Bee"]
    assert entries.of_terms(*found, []) == []


# Times


def published(term: TermPage, first: datetime | None, last: datetime | None) -> None:
    TermPage.objects.filter(pk=term.pk).update(
        first_published_at=first, last_published_at=last
    )
    catalogue.refresh([term.pk])


def test_the_newest_are_those_that_were_published_last(glossary: GlossaryPage) -> None:
    ant, bee, cow, dog = make_many(glossary, ["Ant", "Bee", "Cow", "Dog"])
    day = timedelta(days=1)
    published(ant, NOON + 2 * day, NOON + 2 * day)
    # Published anew, but not a new one.
    published(bee, NOON, NOON + 9 * day)
    published(cow, NOON + 3 * day, NOON + 3 * day)
    published(dog, None, None)
    found = shown(glossary)
    assert names(entries.newest(*found, 5)) == ["Cow", "Ant", "Bee"]
    assert names(entries.newest(*found, 2)) == ["Cow", "Ant"]


def test_the_changed_ones_were_published_before(glossary: GlossaryPage) -> None:
    ant, bee, cow, dog = make_many(glossary, ["Ant", "Bee", "Cow", "Dog"])
    day, hour = timedelta(days=1), timedelta(hours=1)
    published(ant, NOON, NOON + 2 * day)
    published(bee, NOON, NOON + 9 * day)
    # Corrected on the day that it came.
    published(cow, NOON + 10 * day, NOON + 10 * day + hour)
    published(dog, None, None)
    found = shown(glossary)
    assert names(entries.changed(*found, 5)) == ["Bee", "Ant"]
    assert names(entries.changed(*found, 1)) == ["Bee"]


def test_of_the_changed_ones_only_the_latest_are_looked_at(
    glossary: GlossaryPage,
) -> None:
    (changed,) = make_many(glossary, ["Changed"])
    others = make_many(glossary, numbered(entries.LATEST))
    published(changed, NOON, NOON + timedelta(days=1))
    new = NOON + timedelta(days=5)
    pks = [term.pk for term in others]
    TermPage.objects.filter(pk__in=pks).update(
        first_published_at=new, last_published_at=new
    )
    catalogue.refresh(pks)
    found = shown(glossary)
    assert entries.changed(*found, 5) == []
    published(changed, NOON, new + timedelta(days=1))
    assert names(entries.changed(*found, 5)) == ["Changed"]


# Neighbours


def test_each_term_stands_between_its_neighbours(glossary: GlossaryPage) -> None:
    titles = ["Cow", "Same", "Écho", "Same", "Ant", "Same", "Zoo"]
    make_many(glossary, titles, labels=["Cattle"])
    make_many(make_glossary("law"), ["Bee"])
    found = shown(glossary)
    terms = PublicTerm.objects.filter(glossary=glossary)
    in_order = [
        None,
        *terms.order_by("sort_key", "pk").values_list("pk", flat=True),
        None,
    ]
    for before, pk, after in zip(in_order, in_order[1:], in_order[2:], strict=False):
        found_pks = [
            entry and entry.pk
            for entry in entries.beside(*found, pk)  # type: ignore[arg-type]
        ]
        assert found_pks == [before, after]
    assert entries.beside(*found, 999_999) == (None, None)


# What is hidden


def restrict(page: Any) -> None:
    PageViewRestriction.objects.create(
        page_id=page.pk, restriction_type=PageViewRestriction.LOGIN
    )


HIDE: dict[str, Callable[[TermPage, GlossaryPage], Any]] = {
    "unpublished": lambda term, law: term.unpublish(),
    "restricted": lambda term, law: restrict(term),
    "deleted": lambda term, law: term.delete(),
    "moved": lambda term, law: term.move(law, pos="last-child"),
    # By what sends no signal: the rows of the catalogue are still there.
    "drifted": lambda term, law: TermPage.objects.filter(pk=term.pk).update(live=False),
    "gone elsewhere": lambda term, law: TermPage.objects.filter(pk=term.pk).update(
        path=TermPage._get_path(law.path, law.depth + 1, 7)
    ),
}


def every_list(glossary: GlossaryPage, category: Category, other: TermPage) -> str:
    found = shown(glossary)
    tag = Tag.objects.get(name="x").pk
    return repr(
        [
            entries.of_glossary(*found, most=100),
            entries.of_letter(*found, "S").entries,
            entries.of_letter(*found, "L").entries,
            entries.of_category(*found, [category.pk]).entries,
            entries.of_tag(*found, tag).entries,
            entries.newest(*found, 5),
            entries.changed(*found, 5),
            entries.beside(*found, other.pk),
            entries.of_terms(
                *found, list(TermPage.objects.values_list("pk", flat=True))
            ),
        ]
    )


@pytest.mark.parametrize("reason", ["draft", *HIDE])
def test_what_is_hidden_is_in_no_list(glossary: GlossaryPage, reason: str) -> None:
    law = make_glossary("law")
    fields = {"category": make_category("text"), "tags": ["x"]}
    other = make_term(glossary, "shown", title="Sesame", **fields)
    secret = make_term(
        glossary,
        "secret",
        title="Secret",
        labels=["Locked"],
        live=reason != "draft",
        **fields,
    )
    TermPage.objects.filter(pk=secret.pk).update(first_published_at=NOON)
    if reason != "draft":
        catalogue.refresh([secret.pk])
        told = every_list(glossary, fields["category"], other)
        assert told.count("name='Secret'") == 8
        HIDE[reason](secret, law)
    told = every_list(glossary, fields["category"], other)
    assert "ecret" not in told
    assert "Locked" not in told
    assert "Sesame" in told


def test_of_a_hidden_glossary_nothing_is_listed(glossary: GlossaryPage) -> None:
    make_term(glossary, "token")
    found = shown(glossary)
    restrict(glossary)
    for listed in (
        entries.of_glossary(*found, most=100),
        entries.of_letter(*found, "T").entries,
        entries.newest(*found, 5),
    ):
        assert listed == []


def test_a_draft_of_a_public_term_is_not_shown(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "token")
    term.title, term.short_definition = "Secret", "Secret."
    term.save_revision()
    found = entries.of_glossary(*shown(glossary), most=100)
    assert names(found) == ["Token"]
    assert "ecret" not in repr(found)


def test_the_terms_of_another_site_are_in_no_list(glossary: GlossaryPage) -> None:
    Page = swapper.load_model("wagtailcore", "Page")
    root = Page.get_first_root_node().add_child(
        instance=Page(title="Elsewhere", slug="elsewhere")
    )
    Site.objects.create(hostname="other.example", root_page=root)
    (term,) = make_many(make_glossary("ai", parent=root), ["Secret"])
    make_many(glossary, ["Token"])
    found = shown(glossary)
    assert names(entries.of_glossary(*found, most=100)) == ["Token"]
    assert entries.of_terms(*found, [term.pk]) == []
    assert entries.beside(*found, term.pk) == (None, None)


# Cost


Read = Callable[[tuple[Scope, ScopeGlossary], Category, int, int], Any]
READ: dict[str, tuple[Read, int]] = {
    "glossary": (lambda at, category, tag, pk: entries.of_glossary(*at, most=450), 2),
    "letter": (lambda at, category, tag, pk: entries.of_letter(*at, "T"), 2),
    "start": (
        lambda at, category, tag, pk: entries.of_letter(*at, "T", start="Term 005"),
        3,
    ),
    "category": (
        lambda at, category, tag, pk: entries.of_category(
            *at, [category.pk], start="Term 005"
        ),
        3,
    ),
    "tag": (
        lambda at, category, tag, pk: entries.of_tag(*at, tag, start="Term 005"),
        3,
    ),
    "newest": (lambda at, category, tag, pk: entries.newest(*at, 5), 2),
    "changed": (lambda at, category, tag, pk: entries.changed(*at, 5), 3),
    "beside": (lambda at, category, tag, pk: entries.beside(*at, pk), 4),
}


@pytest.fixture
def sized() -> Callable[[int], tuple[Any, ...]]:
    """Makes a glossary of so many terms; gives what is asked about it."""

    def make(number: int) -> tuple[Any, ...]:
        glossary = make_glossary(f"of-{number}")
        category = make_category(f"of-{number}")
        titles = numbered(number)
        terms = make_many(
            glossary, titles, category=category, tags=["x"], labels=titles[:50]
        )
        at, tag = shown(glossary), Tag.objects.get(name="x").pk
        return at, category, tag, terms[number // 2].pk

    return make


def test_a_list_costs_the_same_however_large_the_glossary_is(
    sized: Callable[[int], tuple[Any, ...]],
) -> None:
    small, large = sized(10), sized(300)
    for name, (read, queries) in READ.items():
        for asked in (small, large):
            with CaptureQueriesContext(connection) as captured:
                read(*asked)
            assert len(captured) == queries, name


@pytest.mark.parametrize(
    ("name", "index", "number"),
    [
        ("letter", "glossary_publicname_letter", 0),
        ("start", "glossary_publicname_letter", 0),
        ("start", "glossary_publicname_letter", 1),
        ("category", "glossary_publicterm_category", 0),
        ("category", "glossary_publicterm_category", 1),
        ("tag", "glossary_publictag_sorted", 0),
        ("tag", "glossary_publictag_sorted", 1),
        ("newest", "glossary_publicterm_first", 0),
        ("changed", "glossary_publicterm_last", 0),
        ("beside", "glossary_publicterm_sorted", 1),
        ("beside", "glossary_publicterm_sorted", 2),
    ],
)
def test_a_list_is_read_from_an_index(
    sized: Callable[[int], tuple[Any, ...]], name: str, index: str, number: int
) -> None:
    asked = sized(10)
    with CaptureQueriesContext(connection) as captured:
        READ[name][0](*asked)
    if connection.vendor == "postgresql":
        # Of so few rows it would rather sort all than those of one name by their ids.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off")
    told = plan(captured[number]["sql"])
    assert index in told
    assert not re.search(r"(?<!Incremental )Sort  \(", told)
    assert "TEMP B-TREE" not in told
