"""Which terms are in a list, in which order, and what leads to the rest of it."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import Locale, Site

from glossary.delivery import catalogue
from glossary.delivery.listing import (
    ORDERS,
    CursorError,
    Listing,
    TermQuery,
    list_terms,
    public_terms,
)
from glossary.delivery.scope import ScopeGlossary, make_scope
from glossary.models import GlossaryPage, TermPage

from .factories import home_page, make_category, make_glossary, make_term


pytestmark = pytest.mark.django_db

Ask = Callable[..., Listing]
EVERY_ORDER = [f"{sign}{order}" for order in ORDERS for sign in ("", "-")]


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


def glossaries(*pages: GlossaryPage) -> tuple[ScopeGlossary, ...]:
    scope = make_scope(Site.objects.get(is_default_site=True))
    wanted = {page.pk for page in pages}
    return tuple(item for item in scope.glossaries if item.pk in wanted or not wanted)


def titles(listing: Listing) -> list[str]:
    found = TermPage.objects.in_bulk(listing.pks)
    return [found[pk].title for pk in listing.pks]


def ask(*, limit: int = 20, offset: int = 0, cursor: str | None = None, **query: Any):
    if "glossaries" not in query:
        query["glossaries"] = glossaries()
    return list_terms(TermQuery(**query), limit=limit, offset=offset, cursor=cursor)


def shown(**query: Any) -> list[str]:
    found = ask(**query)
    assert found.total == len(found.pks)
    return titles(found)


def make_terms(glossary: GlossaryPage, *names: str) -> list[TermPage]:
    return [
        make_term(glossary, f"t{glossary.pk}-{number}", title=name)
        for number, name in enumerate(names)
    ]


def make_french(glossary: GlossaryPage) -> GlossaryPage:
    locale = Locale.objects.get_or_create(language_code="fr")[0]
    home = home_page()
    if not home.has_translation(locale):
        home.copy_for_translation(locale).save_revision().publish()
    copy = glossary.copy_for_translation(locale)
    copy.save_revision().publish()
    return GlossaryPage.objects.get(pk=copy.pk)


def make_translation(term: TermPage, title: str, *, live: bool = True) -> TermPage:
    copy = term.copy_for_translation(Locale.objects.get(language_code="fr"))
    copy.title = title
    revision = copy.save_revision()
    if live:
        revision.publish()
    return copy


# Filters


@pytest.mark.slow
def test_the_order_of_a_language(glossary: GlossaryPage) -> None:
    make_terms(glossary, "weight", "Écho", "echo 2", "GPT-10", "GPT-3", "3D model")
    in_order = ["3D model", "Écho", "echo 2", "GPT-3", "GPT-10", "weight"]
    assert shown() == in_order
    assert shown(order="-title") == shown()[::-1]
    assert shown(order="nonsense") == shown()


def test_hidden_terms_are_in_no_list(glossary: GlossaryPage) -> None:
    make_terms(glossary, "Shown")
    make_term(glossary, "draft", title="Draft", live=False)
    gone = make_term(glossary, "gone", title="Gone")
    gone.unpublish()
    for query in ({}, {"letters": ("D", "G", "S")}, {"slugs": ("draft", "gone")}):
        assert ask(**query).total == (0 if "slugs" in query else 1)
    assert shown(order="id") == shown(order="last_published_at") == ["Shown"]


@pytest.mark.slow
def test_several_values_mean_any_of_them(glossary: GlossaryPage) -> None:
    text, model = make_category("text"), make_category("model")
    one = make_term(glossary, "one", title="One", category=text, tags=["x"])
    make_term(glossary, "two", title="Two", category=model, tags=["x", "y"])
    make_term(glossary, "six", title="Six", tags=["y"])
    assert shown(categories=("text", "model")) == ["One", "Two"]
    assert shown(categories=("text", "nothing")) == ["One"]
    assert shown(tags=("x", "y")) == ["One", "Six", "Two"]
    assert shown(tags=("x",), categories=("model",)) == ["Two"]
    assert shown(letters=("o", "S")) == ["One", "Six"]
    assert shown(slugs=("two", "six", "none")) == ["Six", "Two"]
    assert shown(ids=(one.pk, 999_999)) == ["One"]
    assert shown(letters=("T",), tags=("x",)) == ["Two"]
    assert shown(categories=("nothing",)) == []


@pytest.mark.parametrize(
    ("letters", "found"),
    [
        (("E",), ["Écho"]),
        (("é",), ["Écho"]),
        (("#",), ["3D"]),
        (("3",), []),
        (("Ech",), []),
        (("",), []),
        (("\0", "\ud800"), []),
        (("#", "w", "W"), ["3D", "Weight"]),
    ],
)
def test_letters(glossary: GlossaryPage, letters: Any, found: list[str]) -> None:
    make_terms(glossary, "Weight", "Écho", "3D")
    assert shown(letters=letters) == found


def test_only_what_was_published_since(glossary: GlossaryPage) -> None:
    old, new = make_terms(glossary, "Old", "New")
    since = TermPage.objects.get(pk=old.pk).last_published_at
    assert since is not None
    assert shown(updated_after=since) == ["New"]
    assert shown(updated_after=since - timedelta(seconds=1)) == ["New", "Old"]
    assert shown(updated_after=new.last_published_at) == []


@pytest.mark.parametrize(
    "time",
    [
        datetime.min,
        datetime.max,
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12))),
        datetime(2020, 1, 1),
    ],
)
def test_any_time_can_be_asked_for(glossary: GlossaryPage, time: datetime) -> None:
    make_terms(glossary, "Term")
    assert shown(updated_after=time) == (["Term"] if time.year < 2026 else [])


@pytest.mark.slow
def test_several_glossaries_make_one_list(glossary: GlossaryPage) -> None:
    other = make_glossary("law")
    make_terms(glossary, "Ant", "Cat", "Cow")
    make_terms(other, "Bee", "Cod", "Dog")
    both = ["Ant", "Bee", "Cat", "Cod", "Cow", "Dog"]
    assert shown() == both
    assert shown(order="-title") == both[::-1]
    assert shown(letters=("C", "A")) == ["Ant", "Cat", "Cod", "Cow"]
    assert titles(ask(limit=2, offset=3)) == ["Cod", "Cow"]
    assert shown(glossaries=glossaries(other)) == ["Bee", "Cod", "Dog"]
    assert shown(glossaries=()) == []
    terms = public_terms(TermQuery(glossaries=glossaries(), letters=("C",)))
    assert {term.title for term in terms} == {"Cat", "Cod", "Cow"}


@pytest.mark.slow
def test_what_is_not_translated_falls_back(glossary: GlossaryPage) -> None:
    both, only_english, hidden = make_terms(glossary, "Both", "Only", "Hidden")
    french = make_french(glossary)
    make_translation(both, "Tous")
    make_translation(hidden, "Caché", live=False)
    make_term(french, "seul", title="Seul", locale=french.locale)
    assert shown(glossaries=glossaries(french)) == ["Seul", "Tous"]
    everywhere = glossaries(french, glossary)
    fallback = {"glossaries": everywhere, "fallback": ("en",)}
    assert shown(**fallback) == ["Hidden", "Only", "Seul", "Tous"]
    assert shown(**fallback, order="-id")[-1] == "Only"
    assert shown(**fallback, letters=("O", "S")) == ["Only", "Seul"]
    assert shown(glossaries=everywhere, fallback=("de", "fr")) == [
        *("Both", "Hidden", "Only", "Seul")
    ]
    assert only_english.pk in ask(**fallback).pks


# Parts of a list


def walk(order: str, *, limit: int, backwards: bool = False, **query: Any) -> list[int]:
    """Follow the cursors from one end of a list to the other."""
    found: list[int] = []
    part = ask(order=order, limit=limit, **query)
    if backwards:
        while part.next_cursor:
            part = ask(order=order, limit=limit, cursor=part.next_cursor, **query)
    while True:
        found = [*part.pks, *found] if backwards else [*found, *part.pks]
        cursor = part.prev_cursor if backwards else part.next_cursor
        if cursor is None:
            return found
        part = ask(order=order, limit=limit, cursor=cursor, **query)


@pytest.mark.slow
def test_cursors_lead_through_the_whole_list(glossary: GlossaryPage) -> None:
    names = ["Same", "same", "Same", "Ant", "Bee", "Écho", "Zoo"]
    first, *terms = make_terms(glossary, *names)
    # Terms of an import may have no times, and those of a batch have the same ones.
    TermPage.objects.filter(pk__in=[term.pk for term in terms[:2]]).update(
        first_published_at=None, last_published_at=None
    )
    TermPage.objects.filter(pk__in=[term.pk for term in terms[2:5]]).update(
        first_published_at=first.first_published_at,
        last_published_at=first.last_published_at,
    )
    catalogue.refresh([term.pk for term in terms])
    make_terms(make_glossary("law"), "Cat", "Same")
    asked = glossaries()
    for order in EVERY_ORDER:
        whole = ask(order=order, glossaries=asked).pks
        assert len(set(whole)) == 9
        for limit in (1, 2, 8, 9):
            assert walk(order, limit=limit, glossaries=asked) == whole
            assert walk(order, limit=limit, backwards=True, glossaries=asked) == whole
        of_letter = {"order": order, "glossaries": asked, "letters": ("S",)}
        assert walk(**of_letter, limit=1) == ask(**of_letter).pks
        if "published" in order:
            unknown = whole[-2:] if order.startswith("-") else whole[:2]
            assert {term.pk for term in terms[:2]} == {*unknown}


@pytest.mark.slow
def test_a_cursor_stays_where_it_is(glossary: GlossaryPage) -> None:
    ant, *_, dog, _eel = make_terms(glossary, "Ant", "Bee", "Cat", "Dog", "Eel")
    part = ask(limit=2)
    ant.unpublish()
    make_term(glossary, "aal", title="Aal")
    second = ask(limit=2, cursor=part.next_cursor)
    assert titles(second) == ["Cat", "Dog"]
    dog.unpublish()  # the cursor's own term
    last = ask(limit=2, cursor=second.next_cursor)
    assert titles(last) == ["Eel"]
    assert last.next_cursor is None
    assert titles(ask(limit=2, cursor=last.prev_cursor)) == ["Bee", "Cat"]


@pytest.mark.parametrize("order", ["title", "-title", "last_published_at", "-id"])
def test_the_end_of_a_list_leads_back(glossary: GlossaryPage, order: str) -> None:
    make_terms(glossary, "Ant", "Bee")
    first, last = ask(order=order).pks
    cursor = ask(order=order, limit=1).next_cursor
    TermPage.objects.get(pk=last).unpublish()
    end = ask(order=order, limit=1, cursor=cursor)
    assert end == Listing([], 1, None, end.prev_cursor)
    assert ask(order=order, limit=1, cursor=end.prev_cursor).pks == [first]


def test_the_ends_have_no_cursor(glossary: GlossaryPage) -> None:
    make_terms(glossary, "Ant", "Bee", "Cat")
    assert ask()[2:] == (None, None)
    assert ask(limit=0) == Listing([], 3, None, None)
    assert ask(limit=3).next_cursor is None
    middle = ask(limit=1, offset=1)
    assert titles(ask(limit=5, cursor=middle.prev_cursor)) == ["Ant"]
    assert titles(ask(limit=5, cursor=middle.next_cursor)) == ["Cat"]
    assert ask(offset=2**80) == Listing([], 3, None, None)
    assert titles(ask(offset=-5, limit=1)) == ["Ant"]


def cursor_of(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "\0", "\ud800", "é", "====", "a" * 5_000, "[]"),
        *("null", base64.b64encode(b"[" * 700).decode()),
        cursor_of("id", False, None, 1),
        cursor_of("title", False, None, 1),
        cursor_of("title", False, "zz", 1),
        cursor_of("title", 0, "00", 1),
        cursor_of("title", False, "00", "1"),
        cursor_of("title", False, "00", 2**70),
        cursor_of("title", False, "00", True),
        cursor_of("title", False, ["00"], 1),
        cursor_of("title", False, "00"),
        cursor_of({}, False, "00", 1),
    ],
)
def test_a_damaged_cursor(glossary: GlossaryPage, cursor: str) -> None:
    with pytest.raises(CursorError):
        ask(cursor=cursor)


@pytest.mark.parametrize(
    "key", ["0001-01-01T00:00:00+14:00", "2020-01-01", "nonsense", 5, {}]
)
def test_a_damaged_cursor_of_times(glossary: GlossaryPage, key: Any) -> None:
    with pytest.raises(CursorError):
        ask(
            order="last_published_at",
            cursor=cursor_of("last_published_at", False, key, 1),
        )


@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()))
def test_no_cursor_breaks_anything(cursor: str) -> None:
    if cursor:
        with pytest.raises(CursorError):
            list_terms(TermQuery(glossaries=()), limit=1, cursor=cursor)


@given(
    st.lists(st.text(st.characters(), max_size=5), max_size=3).map(tuple),
    st.lists(st.integers(), max_size=3).map(tuple),
    st.sampled_from(EVERY_ORDER),
)
@pytest.mark.slow
def test_no_filter_breaks_anything(
    texts: tuple[str, ...], ids: tuple[int, ...], order: str
) -> None:
    nowhere = ScopeGlossary(1, "", "", "en", 1, "0001", None)
    query = dict.fromkeys(("categories", "tags", "letters", "slugs"), texts)
    for name, values in query.items():
        found = list_terms(
            TermQuery((nowhere,), ids=ids, order=order, **{name: values}),
            limit=1,
        )
        assert found.total == 0


# Cost


def test_many_values_of_several_filters(glossary: GlossaryPage) -> None:
    """What is asked of the database does not grow with their product."""
    make_terms(glossary, "Ant", "Bee")
    make_terms(make_french(glossary), "Un")
    categories = [make_category(f"category-{number}") for number in range(40)]
    for number, category in enumerate(categories):  # under no letter that is asked for
        make_term(glossary, f"{number}", category=category)
    slugs = tuple(category.slug for category in categories)
    query = {
        "glossaries": glossaries(),
        "fallback": ("fr",),
        "letters": tuple(string.ascii_uppercase),
        "categories": slugs,
    }
    with CaptureQueriesContext(connection) as captured:
        assert ask(**query).total == 0
    for each in captured:
        assert each["sql"].count("EXISTS") <= 1
        assert len(each["sql"]) < 3_000


def test_a_cursor_of_any_time_zone(glossary: GlossaryPage) -> None:
    ant, _bee = make_terms(glossary, "Ant", "Bee")
    key = "2000-01-01T00:00:00+20:00"
    cursor = cursor_of("last_published_at", False, key, 1)
    assert ask(order="last_published_at", cursor=cursor).pks[0] == ant.pk


@pytest.mark.slow
def test_the_number_of_queries(glossary: GlossaryPage) -> None:
    make_terms(glossary, "Ant", "Bee", "Cat")
    make_terms(make_french(glossary), "Un")
    make_term(glossary, "dog", category=make_category("text"))
    asked = glossaries()
    for query, most in (
        ({}, 2),
        ({"letters": ("A", "B")}, 2),
        ({"order": "-last_published_at"}, 2),
        ({"tags": ("x",), "slugs": ("a",), "letters": ("A",)}, 2),
        ({"categories": ("text",), "letters": ("A",)}, 3),
        ({"categories": ("none",)}, 1),
        ({"fallback": ("fr",)}, 2),
    ):
        for offset in (0, 1):
            with CaptureQueriesContext(connection) as captured:
                ask(glossaries=asked, limit=1, offset=offset, **query)
            assert len(captured) == most


def plan(sql: str) -> str:
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(explain + sql)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "glossary_publicterm_sorted"),
        ({"letters": ("A",)}, "glossary_publicterm_letter"),
        ({"order": "first_published_at"}, "glossary_publicterm_first"),
        ({"order": "-last_published_at"}, "glossary_publicterm_last"),
    ],
    ids=["all", "letter", "first", "last"],
)
def test_a_list_is_read_from_an_index(
    glossary: GlossaryPage, query: dict[str, Any], index: str
) -> None:
    make_terms(glossary, "Ant", "Apple", "Bee")
    query = {"glossaries": glossaries(), "limit": 1, **query}
    cursor = ask(**query).next_cursor
    with CaptureQueriesContext(connection) as captured:
        ask(cursor=cursor, **query)
    statement = captured[-1]["sql"]
    assert index in plan(statement)
    assert "Sort" not in plan(statement)
    assert "TEMP B-TREE" not in plan(statement)
