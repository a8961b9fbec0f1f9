"""The map of a glossary, as its page shows it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from wagtail.models import Site

from glossary.delivery import graph as graph_module
from glossary.delivery.scope import make_scope
from glossary.models import GlossaryPage
from glossary.site import map as map_module
from glossary.site.layout import WIDTH
from glossary.site.map import Map, Picture, glossary_map

from .factories import (
    comparison,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
)
from .test_visibility import HIDDEN, MARK, World


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_left_over(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", live=True)


def fill(glossary: GlossaryPage, *slugs: str, **fields: Any) -> None:
    """Terms each of which is related to the next, the last to a wanted one."""
    names = [make_related_term(glossary, slug) for slug in (*slugs[1:], "wanted")]
    for slug, name in zip(slugs, names, strict=True):
        make_term(glossary, slug, related_terms=[name], **fields)


def the_map(glossary: GlossaryPage, query: str = "") -> Map:
    scope = make_scope(Site.objects.get(is_default_site=True))
    shown = scope.glossary(glossary.pk)
    assert shown is not None
    return glossary_map(scope, shown, RequestFactory().get(f"/ai/map/all/{query}"))


def picture_of(found: Map) -> Picture:
    assert found.picture is not None
    return found.picture


def page(client: Client, query: str = "") -> str:
    response = client.get(f"/ai/map/all/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_a_map_in_full(glossary: GlossaryPage) -> None:
    basics = make_category("basics", sort_order=1)
    training = make_category("training", sort_order=2)
    fill(glossary, "alpha", "beta", category=basics)
    known = make_related_term(glossary, "alpha")
    make_term(
        glossary,
        "gamma",
        category=training,
        comparisons=[comparison("", "<p>x</p>", known)],
    )
    found = the_map(glossary)
    assert [(choice.name, choice.terms) for choice in found.choices] == [
        ("Basics", 2),
        ("Training", 1),
    ]
    assert (found.terms, found.shown, found.category) == (3, 3, None)
    assert found.is_by_category is found.is_busy is False
    assert [tuple(entry) for entry in found.entries] == [
        ("Alpha", "/ai/alpha/", ["Beta", "Gamma"]),
        ("Beta", "/ai/beta/", ["Alpha", "Wanted"]),
        ("Gamma", "/ai/gamma/", ["Alpha"]),
    ]
    picture = picture_of(found)
    assert picture.width == WIDTH
    assert [(node.name, node.url, node.mark) for node in picture.nodes] == [
        ("Alpha", "/ai/alpha/", 0),
        ("Beta", "/ai/beta/", 0),
        ("Gamma", "/ai/gamma/", 1),
        ("Wanted", None, None),
    ]
    assert [edges.kind for edges in picture.edges] == ["related", "comparison"]
    assert [caption.text for caption in picture.captions] == ["Basics", "Training"]
    places = {node.name: (node.x, node.y) for node in picture.nodes}
    lines = [
        ((x, y), (x + across, y + down))
        for edges in picture.edges
        for x, y, across, down in (
            map(int, line)
            for line in re.findall(r"M(\d+) (\d+)l(-?\d+) (-?\d+)", edges.path)
        )
    ]
    assert lines == [
        (places["Alpha"], places["Beta"]),
        (places["Beta"], places["Wanted"]),
        (places["Gamma"], places["Alpha"]),
    ]


def test_a_category_has_a_map_of_its_own(glossary: GlossaryPage) -> None:
    fill(glossary, "alpha", "beta", category=make_category("basics"))
    make_term(glossary, "gamma", category=make_category("training"))
    found = the_map(glossary, "?category=basics")
    assert found.category is not None
    assert (found.category.name, found.terms, found.shown) == ("Basics", 2, 2)
    assert [node.name for node in picture_of(found).nodes] == [
        *("Alpha", "Beta", "Wanted")
    ]
    assert len(found.choices) == 2


@pytest.mark.parametrize("query", ["", "?category=", "?category=x", "?category=%00"])
def test_an_unknown_category_is_none(glossary: GlossaryPage, query: str) -> None:
    fill(glossary, "alpha", "beta", category=make_category("basics"))
    found = the_map(glossary, query)
    assert (found.category, found.shown) == (None, 2)


def test_a_glossary_without_terms_has_no_picture(glossary: GlossaryPage) -> None:
    found = the_map(glossary)
    assert (found.terms, found.picture, found.entries) == (0, None, ())
    assert not found.is_busy


@pytest.mark.parametrize("reason", HIDDEN)
def test_nothing_tells_of_what_is_hidden(reason: str) -> None:
    world = World(reason)
    found = the_map(world.glossary)
    assert [node.name for node in picture_of(found).nodes] == [world.term.title]
    assert picture_of(found).edges == []
    assert MARK not in repr(found).lower()


# --- Where everything stands


def count_drawings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    drawn = []
    lay_out = map_module.lay_out

    def counted(groups: Any, edges: Any) -> Any:
        drawn.append(len(groups))
        return lay_out(groups, edges)

    monkeypatch.setattr(map_module, "lay_out", counted)
    return drawn


def test_a_map_is_drawn_once_until_it_is_another(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    basics = make_category("basics")
    fill(glossary, "alpha", "beta", category=basics)
    drawn = count_drawings(monkeypatch)
    first = the_map(glossary)
    assert the_map(glossary) == first
    assert drawn == [3]
    make_term(make_glossary("law"), "token")  # which is in no map of this one
    assert the_map(glossary) == first
    assert drawn == [3]
    make_term(glossary, "gamma")
    the_map(glossary)
    assert drawn == [3, 4]
    basics.name = "What comes first"
    basics.save()
    assert picture_of(the_map(glossary)).captions[0].text == "What comes first"
    assert drawn == [3, 4, 4]


def test_without_a_cache_it_is_drawn_each_time(
    glossary: GlossaryPage, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GLOSSARY_API_CACHE = None
    fill(glossary, "alpha", "beta")
    drawn = count_drawings(monkeypatch)
    assert the_map(glossary) == the_map(glossary)
    assert drawn == [3, 3]


def test_who_asks_for_too_many_gets_the_list(
    glossary: GlossaryPage, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GLOSSARY_API_RATES = {"graph": "1/h"}
    monkeypatch.setattr(map_module, "SMALL", 1)
    fill(glossary, "alpha", "beta", category=make_category("basics"))
    fill(glossary, "gamma", "delta", category=make_category("training"))
    assert the_map(glossary).picture
    # Also of one that is known: to write it is dear.
    assert the_map(glossary).is_busy
    busy = the_map(glossary, "?category=basics")
    assert (busy.picture, busy.is_busy, busy.shown) == (None, True, 2)


def test_maps_are_drawn_ahead_of_visitors(
    glossary: GlossaryPage, settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    settings.GLOSSARY_API_RATES = {"graph": "1/h"}
    monkeypatch.setattr(map_module, "SMALL", 1)
    fill(glossary, "alpha", "beta", category=make_category("basics"))
    drawn = count_drawings(monkeypatch)
    call_command("draw_maps")
    name = glossary.slug
    assert capsys.readouterr().out.splitlines() == [
        f"localhost: {name}: 2 terms",
        f"localhost: {name}, basics: 2 terms",
    ]
    assert len(drawn) == 2
    assert the_map(glossary).picture
    call_command("draw_maps", glossary=name)
    assert len(drawn) == 2
    call_command("draw_maps", glossary="other")
    assert capsys.readouterr().out.count("\n") == 2


def test_maps_are_not_drawn_ahead_where_none_is_kept(
    glossary: GlossaryPage, settings: Any
) -> None:
    settings.GLOSSARY_API_CACHE = None
    with pytest.raises(CommandError, match="GLOSSARY_API_CACHE is None"):
        call_command("draw_maps")


def test_a_small_map_does_not_count(glossary: GlossaryPage, settings: Any) -> None:
    settings.GLOSSARY_API_RATES = {"graph": "1/h"}
    settings.GLOSSARY_API_CACHE = None
    fill(glossary, "alpha", "beta")
    assert all(the_map(glossary).picture for _time in range(3))


def test_a_wanted_term_stands_with_those_that_ask_for_it(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(glossary, "alpha", "beta", category=make_category("basics"))
    groups: dict[str, str | None] = {}
    lay_out = map_module.lay_out

    def seen(nodes: Any, edges: Any) -> Any:
        groups.update(nodes)
        return lay_out(nodes, edges)

    monkeypatch.setattr(map_module, "lay_out", seen)
    the_map(glossary)
    assert groups == dict.fromkeys(["alpha", "beta", "wanted"], "basics")


# --- Too many


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_module, "MOST_NODES", 2)
    monkeypatch.setattr(graph_module, "MOST_NODES", 2)


@pytest.mark.usefixtures("few_are_many")
def test_too_many_terms_are_seen_by_category(glossary: GlossaryPage) -> None:
    fill(glossary, "alpha", "beta", category=make_category("basics", sort_order=1))
    fill(glossary, "gamma", "x", "y", category=make_category("more", sort_order=2))
    found = the_map(glossary)
    assert found.is_by_category
    assert (found.terms, found.picture, found.shown) == (5, None, 0)
    assert [choice.terms for choice in found.choices] == [2, 3]
    assert the_map(glossary, "?category=basics").shown == 2
    more = the_map(glossary, "?category=more")
    assert (more.terms, more.shown, more.is_by_category) == (3, 2, False)


@pytest.mark.usefixtures("few_are_many")
def test_too_many_without_categories_are_cut(glossary: GlossaryPage) -> None:
    fill(glossary, "alpha", "beta", "gamma")
    found = the_map(glossary)
    assert (found.terms, found.shown, found.is_by_category) == (3, 2, False)


def test_a_map_takes_as_many_queries_however_large(glossary: GlossaryPage) -> None:
    counts = []
    for slugs in ("abc", "defghijklmn"):
        fill(glossary, *slugs, category=make_category())
        the_map(glossary)
        with CaptureQueriesContext(connection) as queries:
            the_map(glossary)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- The page


def test_the_page_has_the_picture_and_the_list(
    client: Client, glossary: GlossaryPage
) -> None:
    fill(glossary, "alpha", "beta", category=make_category("basics"))
    make_term(glossary, "long", title="A very long name " * 8)
    html = page(client)
    assert '<div class="glossary-map__region" role="region"' in html
    assert 'tabindex="0"' in html
    assert re.search(r'<a href="/ai/alpha/" class="glossary-map__node', html)
    assert f'aria-label="{("A very long name " * 8).strip()}"' in html.replace(
        ' "', '"'
    )
    assert '<a class="glossary-map__skip" href="#glossary-map-list">' in html
    assert 'id="glossary-map-list"' in html
    assert '<li><a href="/ai/alpha/">Alpha</a> <span>Beta</span></li>' in html
    assert "?category=basics" in html
    assert "glossary/map.js" in html
    assert "style=" not in html


def test_the_page_of_too_many_has_the_categories(
    client: Client, glossary: GlossaryPage, few_are_many: None
) -> None:
    fill(glossary, "alpha", "beta", "gamma", category=make_category("basics"))
    html = page(client)
    assert "Choose a category" in html
    assert "<svg" not in html
    assert "map.js" not in html
    assert "Only the first 2 terms are shown" in " ".join(
        page(client, "?category=basics").split()
    )


def test_the_page_of_a_busy_site_has_the_list(
    client: Client,
    glossary: GlossaryPage,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.GLOSSARY_API_RATES = {"graph": "1/h"}
    settings.GLOSSARY_API_CACHE = None
    settings.GLOSSARY_PAGE_SECONDS = 0
    monkeypatch.setattr(map_module, "SMALL", 1)
    fill(glossary, "alpha", "beta")
    page(client)
    html = page(client)
    assert "Please wait a minute" in html
    assert "<svg" not in html
    assert re.search(r"<details[^>]* open>", html)


def test_the_page_of_an_empty_glossary_says_so(
    client: Client, glossary: GlossaryPage
) -> None:
    assert "No terms have been published here yet." in page(client)


def test_numbers_are_as_svg_has_them_in_every_language(
    client: Client, glossary: GlossaryPage, settings: Any
) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    fill(glossary, "alpha", "beta")
    assert re.search(r'viewBox="0 0 1000 \d+" width="1000"', page(client))


def test_the_script_is_small() -> None:
    path = finders.find("glossary/map.js")
    assert isinstance(path, str)
    assert len(gzip.compress(Path(path).read_bytes())) < 2500
