from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.payload.devalue import Tagged, dumps
from glossary.payload.html import page_scripts
from glossary.payload.records import Reading


if TYPE_CHECKING:
    from glossary.payload.records import SourceRecord

TERM = {"slug": "token", "term": "Token"}
DATA = dumps(
    Tagged("ShallowReactive", {"data": {"$f1": Tagged("Ref", TERM)}, "state": {}})
)
STATE = dumps({"state": {"nav": [{"slug": "other", "term": "Other"}]}})


def read(page: str, slug: str | None = None) -> SourceRecord:
    return Reading("page.html", slug).page(page.encode())


def said(page: str) -> str:
    found = read(page)
    assert found.record is None
    return str(found.error)


@pytest.mark.parametrize(
    "attributes",
    [
        'type="application/json" id="__NUXT_DATA__" data-ssr="true"',
        "id='__NUXT_DATA__'",
        "data-ssr=true id=__NUXT_DATA__",
        'type="application/json" data-nuxt-data="nuxt-app"',
        "data-nuxt-data",
        'ID = "__NUXT_DATA__" title="a > b"',
        'data-src="/token/_payload.json" id="__NUXT_DATA__"',
    ],
)
def test_the_payload_of_a_page_is_found(attributes: str) -> None:
    page = f"<!DOCTYPE html><body><p>x<script {attributes}>{DATA}</script></body>"

    found = read(page)

    assert found.record == TERM
    assert (found.form, found.raw) == ("html", DATA.encode())
    assert (found.pointer, found.key) == ("/data/$f1", "$f1")


@pytest.mark.parametrize(
    "decoy",
    [
        "<!-- {} -->",
        "<!---->",
        "<!-->",
        "<textarea>{}</textarea>",
        "<title>{}</title>",
        "<style>{}</style>",
        "<xmp>{}</xmp>",
        "<script>/*</script>{}",
        '<p title="{}">',
        "<p title='{}'>",
        "<?php {} ?>",
    ],
)
def test_what_only_looks_like_a_payload_is_passed_over(decoy: str) -> None:
    other = dumps({"data": {"slug": "decoy", "term": "Decoy"}}).replace('"', "&quot;")
    hidden = decoy.replace("{}", f"<script id=__NUXT_DATA__>{other}</script>")
    page = f"{hidden}<script id='__NUXT_DATA__'>{DATA}</script>"
    if decoy.startswith(("<script", "<?php")):
        # These hide nothing: the error is of the first, the payload of the second.
        assert read(page).record == TERM
    else:
        scripts = [script for script in page_scripts(page) if script.is_data]
        assert [script.text for script in scripts] == [DATA]
        assert read(page).record == TERM


def test_of_several_apps_the_one_with_a_term_is_taken() -> None:
    empty = dumps({"data": {}})
    page = "".join(
        f"<script data-nuxt-data={name}>{data}</script>"
        for name, data in (("a", empty), ("b", DATA))
    )

    assert read(page).record == TERM


def test_data_in_another_file_is_named_and_not_fetched() -> None:
    page = (
        '<script id="__NUXT_DATA__" data-src="/a&amp;b/_payload.json?_b=1">'
        f"{STATE}</script>"
    )

    assert (
        "lies in another file, '/a&b/_payload.json?_b=1', which is not fetched"
        in said(page)
    )


@pytest.mark.parametrize(
    "script",
    [
        'window.__NUXT__={data:[{t:{slug:"token",term:"Token"}}]}',
        'window.__NUXT__=(function(a){return {x:{slug:"token",term:a}}}("Token"));',
    ],
)
def test_the_script_of_an_older_page_is_read(script: str) -> None:
    found = read(f"<script src=/x.js></script><script>{script}</script>")

    assert found.record == TERM
    assert (found.form, found.raw) == ("script", script.encode())


def test_a_script_that_takes_its_data_from_a_file_names_that() -> None:
    script = 'import p from "/t/_payload.js";window.__NUXT__={...p,...({state:{}})}'

    assert "lies in another file, '/t/_payload.js'" in said(
        f"<script>{script}</script>"
    )


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<p>", "HTML without a payload in it"),
        ("<script>alert(1)</script>", "HTML without a payload in it"),
        ("<script id=__NUXT_DATA__>", "HTML without a payload in it"),
        ("<script id=__NUXT_DATA__></script>", "not JSON"),
        ("<script id=__NUXT_DATA__>[1</script>", "not JSON"),
        (
            f"<script id=__NUXT_DATA__>{dumps({'data': {}})}</script>",
            "no object in it has both",
        ),
        ("<script>window.__NUXT__={a:fetch('/x')}</script>", "Nothing in it was run"),
    ],
)
def test_a_page_without_a_term_says_why(page: str, message: str) -> None:
    assert message in said(page)


@pytest.mark.parametrize(
    "page",
    [
        "<a " * 500_000,
        '<a "' * 400_000,
        "<a b='" * 300_000,
        "<script>" * 200_000,
        "<script id='" * 200_000,
        "<!--" * 400_000,
        "<a" + " " * 2_000_000,
        "<" * 2_000_000,
        "<a" + " a" * 800_000,
        "<title" * 300_000,
        "</" * 800_000,
        "<!-- -" * 300_000,
        "<a a" + "=" * 1_000_000,
    ],
)
def test_hostile_pages_take_linear_time(page: str) -> None:
    started = time.process_time()
    list(page_scripts(page))
    assert time.process_time() - started < 10


@given(
    st.text(alphabet=st.sampled_from(list("<>!-/\"'= ascript[]{}&;x")), max_size=60),
    st.integers(0, 60),
)
@pytest.mark.slow
def test_noise_around_a_payload_never_ends_in_another_error(
    noise: str, at: int
) -> None:
    page = f"{noise[:at]}<script id=__NUXT_DATA__>{DATA}</script>{noise[at:]}"

    found: Any = read(page)

    assert (found.record == TERM) is (found.error is None)
