"""The pictures that are shown where a term or a glossary is shared."""

from __future__ import annotations

import os
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, features
from PIL.ImageFont import FreeTypeFont, load_default
from wagtail.models import Locale, Site

from glossary.models import GlossaryPage
from glossary.site.cards import (
    HEIGHT,
    WIDTH,
    Card,
    card_digest,
    card_url,
    draw_card,
    keeping,
)
from glossary.site.cards.drawing import BAR, FAR, NEAR, SCALE
from glossary.site.cards.fonts import BUILT_IN, Font, fonts_for, written
from glossary.site.cards.lines import (
    balanced,
    clean,
    clusters,
    first_lines,
    fits,
    pieces,
    wrap,
)

from .factories import home_page, make_glossary, make_term
from .hidden import GLOSSARY, REASONS, SLUG, World


if TYPE_CHECKING:
    from collections.abc import Iterator

# What a picture may weigh, in bytes.
LARGEST = 40_000
LONG = "A network that reads a text as a whole and knows what belongs together. " * 20
CARD = Card(
    title="Embedding",
    text="A position of a text in a space of meaning.",
    glossary="AI glossary",
    site="Example",
    language="en",
)
HOSTILE = [
    "a" * 10_000,
    "word " * 2_000,
    "\x00\x07\x1b[31m\r\n\t\u2028",
    "\ud800\udfff\udc00",
    "\U0001f916\U0001f9d1\u200d\U0001f52c\U0001f1eb\U0001f1f7",
    " " * 10_000,
    "\u202e\u2066\u200f\ufeff",
    "e" + "\u0301" * 10_000,
    "\u200d" * 500,
    "\ufdfd" * 500,
    "\U0010ffff\uffff\ue000",
    "-" * 500,
    "嵌" * 10_000,
]

needs_raqm = pytest.mark.skipif(not features.check("raqm"), reason="Pillow has no Raqm")


def picture(card: Card) -> Image.Image:
    return Image.open(BytesIO(draw_card(card))).convert("RGB")


def ink(card: Card) -> tuple[int, int, int, int]:
    """Where something is written: left, top, right, bottom."""
    image = picture(card)
    bar = BAR // SCALE
    for left in (0, WIDTH - bar):
        image.paste("white", (left, 0, left + bar, HEIGHT))
    box = ImageChops.invert(image).getbbox()
    assert box is not None
    return box


@pytest.fixture
def built_in_file(tmp_path: Path) -> Path:
    """A file with the font that Pillow brings."""
    file = tmp_path / "font.ttf"
    file.write_bytes(cast("FreeTypeFont", load_default(10)).font_bytes)
    return file


# Lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("one", ["one"]),
        ("one two  three", ["one ", "two ", " three"]),
        ("state-of-the-art", ["state-", "of-", "the-", "art"]),
        ("GPT-4 at -5 or and/or", ["GPT-4 ", "at ", "-5 ", "or ", "and/", "or"]),
        ("10\u00a0km far", ["10\u00a0km ", "far"]),
        ("向量嵌入", ["向", "量", "嵌", "入"]),
        ("位置。用（数）表", ["位", "置。", "用", "（数）", "表"]),
        ("用RAG的", ["用", "RAG", "的"]),
        ("キャット", ["キャッ", "ト"]),
        ("인공 지능", ["인공 ", "지능"]),
    ],
)
def test_where_a_line_may_end(text: str, expected: list[str]) -> None:
    if text == "one two  three":  # never two spaces: they are cleaned away
        text, expected = clean(text, 50), ["one ", "two ", "three"]
    assert pieces(text) == expected


def test_words_stay_whole_where_they_fit() -> None:
    assert [*wrap("the quick brown fox", 9, len)] == ["the quick", "brown fox"]
    assert [*wrap("a compound word", 8, len)] == ["a", "compound", "word"]
    assert [*wrap("an overlong word", 5, len)] == ["an", "overl", "ong", "word"]


def test_marks_stay_on_their_letters() -> None:
    assert clusters("e\u0301a क्षि") == ["e\u0301", "a", " ", "क्", "षि"]
    joined = "\U0001f9d1\u200d\U0001f52c"
    assert clusters(f"{joined}!") == [joined, "!"]


@given(st.text(max_size=60), st.integers(1, 30))
def test_lines_have_all_of_a_text_and_no_more_than_their_width(
    text: str, width: int
) -> None:
    text = clean(text, 60)
    lines = [*wrap(text, width, len)]
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert len(line) <= width or len(clusters(line)) == 1


def test_what_has_no_room_has_an_ellipsis() -> None:
    assert first_lines("one two three", 5, len, 3) == ["one", "two", "three"]
    assert first_lines("one, two three", 5, len, 1) == ["one…"]
    assert first_lines("one two three", 4, len, 2, "...") == ["one", "t..."]


def test_a_title_fits_if_no_word_has_to_be_broken() -> None:
    assert fits("one two three", 5, len, 3)
    assert not fits("one two three", 5, len, 2)
    assert not fits("one two three", 4, len, 5)


@given(st.text("ab ", max_size=40), st.integers(3, 20))
def test_balanced_lines_are_no_more_and_no_longer(text: str, width: int) -> None:
    text = clean(text, 40)
    lines, even = [*wrap(text, width, len)], balanced(text, width, len)
    assert len(even) == len(lines)
    assert max(map(len, even), default=0) <= max(map(len, lines), default=0)
    assert "".join(even).replace(" ", "") == text.replace(" ", "")


def test_balanced_lines_are_about_as_long() -> None:
    text = "one two three four five"
    assert [*wrap(text, 18, len)] == ["one two three four", "five"]
    assert balanced(text, 18, len) == ["one two three", "four five"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  of\tmany \r\n lines ", "of many lines"),
        ("bell\x07 and\x00null", "bell and null"),
        ("half \ud83d of one", "half of one"),
        ("turned \u202earound\u202c", "turned around"),
        ("e\u0301t\u00adudes\ufe0f", "études"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("10\u00a0km", "10\u00a0km"),
        (" \u2003\u3000", ""),
        ("x" * 50, "x" * 50),
        ("x" * 51, "x" * 50 + "…"),
        ("word, " * 20, "word, " * 8 + "wo…"),
    ],
)
def test_a_text_is_cleaned(text: str, expected: str) -> None:
    assert clean(text, 50) == expected


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_long_text_is_not_measured_for_long(text: str) -> None:
    measured: list[str] = []

    def measure(part: str) -> int:
        measured.append(part)
        return len(part)

    first_lines(clean(text, 500), 100, measure, 4)
    assert len(measured) < 2_000
    assert all(len(part) <= 501 for part in measured)


# Fonts


def test_what_the_built_in_font_has() -> None:
    assert Font().lacks("The quick brown fox, “jumps” 0-9…") == set()
    assert Font().lacks("Übung 嵌入 ок") == set("Ü嵌入ок")


@needs_raqm
def test_characters_without_a_form_are_in_every_font() -> None:
    assert Font().lacks("a\u200db\u200cc\u200ed ") == set()


def test_a_file_is_the_font_that_it_has(built_in_file: Path) -> None:
    assert Font(str(built_in_file)).lacks("abc é") == {"é"}
    assert Font(str(built_in_file)).at(20).getname() == load_default(20).getname()


def test_a_file_that_is_no_font_is_told(tmp_path: Path, settings: Any) -> None:
    for path in (tmp_path / "nowhere.ttf", Path(__file__)):
        with pytest.raises(OSError):  # noqa: PT011  (FreeType has its own messages)
            Font(str(path)).at(20)
        settings.GLOSSARY_CARD_FONTS = {"": path}
        with pytest.raises(OSError):  # noqa: PT011
            draw_card(CARD)


def test_the_font_of_a_language_comes_first(settings: Any) -> None:
    assert fonts_for("en") == [Font(BUILT_IN)]
    settings.GLOSSARY_CARD_FONTS = {"ur": "/u", "zh": ("/z", Path("/zb"))}
    assert [font.path for font in fonts_for("en")] == ["", "/u", "/z"]
    assert [font.path for font in fonts_for("ur")] == ["/u", "", "/z"]
    assert [font.path for font in fonts_for("zh-hans")] == ["/z", "", "/u"]
    titles = [font.path for font in fonts_for("zh-hans", is_bold=True)]
    assert titles == ["/zb", "/z", "", "/u"]
    settings.GLOSSARY_CARD_FONTS = {"pt-br": "/b", "": "/d", "pt": "/p"}
    assert [font.path for font in fonts_for("pt-br")] == ["/b", "/p", "/d", ""]
    assert [font.path for font in fonts_for("fr")] == ["/d", "/b", "/p", ""]


def test_the_first_font_that_has_a_text_writes_it(built_in_file: Path) -> None:
    other = Font(str(built_in_file))
    found = written("Token", [Font(), other], "en")
    assert found is not None
    assert found == (Font(), "Token")
    assert found.ellipsis() == "…"


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Token", "fr", "Token"),
        ("A – b—c\u00a0d", "fr", "A - b - c d"),
        ("Robot \U0001f916 arm", "fr", "Robot arm"),
        ("\U0001f916", "fr", None),
        ("Naïve Bayes", "en", "Naive Bayes"),
        ("Réseau", "fr", None),
        ("Straße", "en", None),
        ("a ≤ b", "en", None),
        ("嵌入", "en", None),
        ("", "en", None),
    ],
)
def test_what_no_font_has_is_written_plainly_or_not_at_all(
    text: str, language: str, expected: str | None
) -> None:
    found = written(text, [Font()], language)
    assert (found and found.text) == expected


def test_without_raqm_nothing_is_written_the_wrong_way(monkeypatch: Any) -> None:
    monkeypatch.setattr(Font, "lacks", lambda font, text: set())
    shaped = ("אבג", "लिपि", "مصنوعی ذہانت")
    monkeypatch.setattr(features, "check", lambda name: name != "raqm")
    assert [written(text, [Font()], "en") for text in shaped] == [None] * 3
    assert written("Token", [Font()], "en") == (Font(), "Token")
    monkeypatch.setattr(features, "check", lambda name: True)
    assert None not in [written(text, [Font()], "en") for text in shaped]


def test_without_raqm_cards_are_drawn(monkeypatch: Any) -> None:
    monkeypatch.setattr(features, "check", lambda name: name != "raqm")
    assert ink(CARD) == ink(replace(CARD, language="fr"))
    assert ink(replace(CARD, language="ur")) != ink(CARD)


# The picture


@pytest.mark.parametrize(
    "card",
    [
        CARD,
        replace(CARD, language="ur"),
        Card(LONG, LONG, LONG, LONG, "en"),
        Card(LONG, "", "", "", "en"),
        Card("", LONG, "", LONG, "ur"),
        Card("", "", "", "", "en"),
    ],
)
def test_a_card_is_a_small_picture_of_one_size(card: Card) -> None:
    png = draw_card(card)
    image = Image.open(BytesIO(png))
    assert (image.format, image.mode, image.size) == ("PNG", "P", (1200, 630))
    assert len(png) < LARGEST


@pytest.mark.parametrize("language", ["en", "ur"])
@pytest.mark.parametrize(
    "card",
    [
        CARD,
        Card(LONG, LONG, LONG, LONG, ""),
        Card("Donaudampfschifffahrtsgesellschaft" * 3, "m" * 900, "a", "b", ""),
        Card("W" * 99, "W" * 999, "W" * 99, "W" * 99, ""),
    ],
)
def test_the_margins_stay_empty(card: Card, language: str) -> None:
    left, top, right, bottom = ink(replace(card, language=language))
    near, far = NEAR // SCALE, FAR // SCALE
    if language == "ur":
        near, far = far, near
    # The curve of a letter may stand out by a pixel or two.
    assert near - 3 <= left
    assert right <= WIDTH - far + 3
    assert top >= 60
    assert bottom <= HEIGHT - 60


def test_lines_begin_at_the_bar() -> None:
    card = replace(CARD, glossary="", site="", text="")
    left, _top, right, _bottom = ink(card)
    assert abs(left - NEAR // SCALE) < 12
    assert right < WIDTH * 0.6
    if features.check("raqm"):
        left, _top, right, _bottom = ink(replace(card, language="ur"))
        assert abs(right - (WIDTH - NEAR // SCALE)) < 12
        assert left > WIDTH * 0.4


def test_the_bar_is_where_lines_begin() -> None:
    for language, x, other in (("en", 5, WIDTH - 5), ("ur", WIDTH - 5, 5)):
        image = picture(replace(CARD, language=language))
        assert image.getpixel((x, 300)) == (0x0A, 0x5C, 0x66)
        assert image.getpixel((other, 300)) == (255, 255, 255)


def test_a_long_title_is_smaller_and_has_an_end() -> None:
    def height(title: str) -> int:
        _left, top, _right, bottom = ink(Card(title, "", "", "", "en"))
        return bottom - top

    one = height("Network")
    assert height("A rather longish name of a network") > one  # two lines
    assert height("Supercalifragilisticexpialidocious") < one  # a line of a small size
    assert height(LONG) < 4 * one
    assert height(LONG) == height(LONG * 2)


def test_a_text_that_cannot_be_written_is_left_out() -> None:
    for name in ("title", "text", "glossary", "site"):
        unwritten = replace(CARD, **{name: "嵌入"})
        assert draw_card(unwritten) == draw_card(replace(CARD, **{name: ""}))


def test_a_card_of_which_nothing_can_be_written_has_the_glossary() -> None:
    card = Card("嵌入", "向量", "AI glossary", "Example", "zh-hans")
    instead = Card("AI glossary", "", "", "Example", "zh-hans")
    assert draw_card(card) == draw_card(instead)


def test_a_glossary_that_is_called_as_its_site_is_named_once() -> None:
    card = replace(CARD, site=CARD.glossary)
    assert draw_card(card) == draw_card(replace(CARD, site=""))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_any_text_can_be_drawn(text: str) -> None:
    for card in (
        Card(text, text, text, text, "en"),
        replace(CARD, title=text, language="ur"),
    ):
        assert len(draw_card(card)) < LARGEST
        assert card_digest(card)


@given(st.text(st.characters(codec=None), max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    assert draw_card(Card(text, text, text, text, "en"))


def test_the_colours_are_the_site_s(settings: Any) -> None:
    settings.GLOSSARY_CARD_COLOURS = {
        "background": "#101a1c",
        "text": "#ff0000",
        "muted": "#00ff00",
        "accent": "#0000ff",
    }
    image = picture(CARD)
    found = {colour for _count, colour in image.getcolors(1000) or []}
    assert {(0x10, 0x1A, 0x1C), (255, 0, 0), (0, 255, 0), (0, 0, 255)} <= found
    assert image.getpixel((WIDTH - 2, 2)) == (0x10, 0x1A, 0x1C)


def test_the_built_in_colours_can_be_read() -> None:
    def light(colour: tuple[int, ...]) -> float:
        parts = [part / 255 for part in colour]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in ((0x16, 0x20, 0x1F), (0x4C, 0x5A, 0x59), (0x0A, 0x5C, 0x66)):
        assert 1.05 / (light(colour) + 0.05) > 7


# What a picture is kept under


def test_the_same_card_has_the_same_name() -> None:
    assert card_digest(CARD) == card_digest(replace(CARD))
    assert draw_card(CARD) == draw_card(replace(CARD))


def test_all_that_a_picture_is_made_of_is_in_its_name(
    built_in_file: Path, settings: Any, monkeypatch: Any
) -> None:
    names = [card_digest(CARD)]
    names += [
        card_digest(replace(CARD, **{field: "fr"}))
        for field in ("title", "text", "glossary", "site", "language")
    ]
    names.append(card_digest(replace(CARD, title="Emb", text="edding")))
    settings.GLOSSARY_CARD_COLOURS = {"accent": "#123456"}
    names.append(card_digest(CARD))
    settings.GLOSSARY_CARD_FONTS = {"": built_in_file}
    names.append(card_digest(CARD))
    os.utime(built_in_file, (1, 1))
    names.append(card_digest(CARD))
    settings.LANGUAGES_BIDI = ["en"]
    names.append(card_digest(CARD))
    monkeypatch.setattr(features, "check", lambda name: False)
    names.append(card_digest(CARD))
    assert len(set(names)) == len(names)


# The address


@pytest.fixture
def glossary(db: None) -> Iterator[GlossaryPage]:
    cache.clear()
    Site.objects.update(site_name="Example")
    yield make_glossary("ai", title="AI glossary", introduction="<p>Of <b>AI</b>.</p>")
    cache.clear()


@pytest.fixture
def drawn(monkeypatch: Any) -> list[str]:
    """The titles of the cards that are drawn."""
    titles: list[str] = []

    def draw(card: Card) -> bytes:
        titles.append(card.title)
        return draw_card(card)

    monkeypatch.setattr(keeping, "draw_card", draw)
    return titles


def test_a_term_has_a_card(glossary: GlossaryPage) -> None:
    make_term(glossary, "embedding", title=CARD.title, short_definition=CARD.text)
    response = Client().get("/ai/embedding/card.png")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response["Cache-Control"].startswith("public, ")
    assert response["ETag"]
    assert "Cache-Tag" in response
    assert response.content == draw_card(CARD)


def test_a_glossary_has_a_card(glossary: GlossaryPage) -> None:
    response = Client().get("/ai/card.png")
    assert response.content == draw_card(
        Card("AI glossary", "Of AI.", "", "Example", "en")
    )


@pytest.mark.skipif(
    not hasattr(GlossaryPage, "search_description"), reason="the base page has none"
)
def test_a_glossary_without_an_introduction_uses_its_description(db: None) -> None:
    make_glossary("plain", title="Plain", search_description="In short.")
    assert Client().get("/plain/card.png").content == draw_card(
        Card("Plain", "In short.", "", Site.objects.get().site_name, "en")
    )


def test_a_card_is_in_the_language_of_its_page(glossary: GlossaryPage) -> None:
    urdu = Locale.objects.create(language_code="ur")
    home = home_page().copy_for_translation(urdu)
    home.get_latest_revision().publish()
    there = make_glossary("lughat", parent=home, locale=urdu, title="Lughat")
    make_term(there, "lafz", title="Lafz", short_definition="Lafz.", locale=urdu)
    response = Client().get("/lughat/lafz/card.png", headers={"Accept-Language": "ur"})
    expected = Card("Lafz", "Lafz.", "Lughat", "Example", "ur")
    assert response.content == draw_card(expected)


def test_a_draft_changes_no_card(glossary: GlossaryPage) -> None:
    term = make_term(glossary, "embedding", title="Embedding", short_definition="Old.")
    before = Client().get("/ai/embedding/card.png").content
    term.title = term.short_definition = "New"
    term.save_revision()
    assert Client().get("/ai/embedding/card.png").content == before
    term.save_revision().publish()
    assert Client().get("/ai/embedding/card.png").content != before


def test_who_has_it_is_told_so(glossary: GlossaryPage, drawn: list[str]) -> None:
    make_term(glossary, "embedding", title="Embedding")
    first = Client().get("/ai/embedding/card.png")
    again = Client().get(
        "/ai/embedding/card.png", headers={"If-None-Match": first["ETag"]}
    )
    assert again.status_code == 304
    head = Client().head("/ai/embedding/card.png")
    assert (head.status_code, head.content) == (200, b"")
    assert drawn == ["Embedding"]


def test_a_card_is_drawn_once_and_anew_when_its_term_has_changed(
    glossary: GlossaryPage, drawn: list[str]
) -> None:
    term = make_term(glossary, "embedding", title="Embedding")
    other = make_term(glossary, "token", title="Token")

    def ask() -> list[bytes]:
        urls = ("/ai/embedding/card.png", "/ai/token/card.png")
        return [Client().get(url).content for url in urls]

    first = ask()
    assert ask() == first
    assert drawn == ["Embedding", "Token"]
    other.short_definition = "Something else."
    other.save_revision().publish()
    second = ask()
    assert drawn == ["Embedding", "Token", "Token"]
    assert (first[0] == second[0], first[1] == second[1]) == (True, False)
    term.heading = "What is an embedding?"  # which no card says
    term.save_revision().publish()
    assert ask() == second
    assert len(drawn) == 3


def test_nothing_is_kept_without_a_cache(
    glossary: GlossaryPage, drawn: list[str], settings: Any
) -> None:
    settings.GLOSSARY_API_CACHE = None
    for _ in range(2):
        assert Client().get("/ai/card.png").status_code == 200
    assert drawn == ["AI glossary"] * 2


def test_other_colours_are_another_answer(
    glossary: GlossaryPage, settings: Any
) -> None:
    first = Client().get("/ai/card.png")
    settings.GLOSSARY_CARD_COLOURS = {"accent": "#123456"}
    again = Client().get("/ai/card.png", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert again.content != first.content


def test_only_what_has_to_be_drawn_counts(
    glossary: GlossaryPage, settings: Any
) -> None:
    make_term(glossary, "embedding")
    settings.GLOSSARY_API_RATES = {"card": "1/m"}
    client = Client()
    assert client.get("/ai/card.png").status_code == 200
    refused = client.get("/ai/embedding/card.png")
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert refused["Cache-Control"] == "no-store"
    assert client.get("/ai/card.png").status_code == 200


def test_a_card_takes_few_queries(
    glossary: GlossaryPage, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        make_term(glossary, f"term-{number}", tags=["shared"])
    client = Client()
    client.get("/ai/card.png")
    with django_assert_max_num_queries(12):
        client.get("/ai/term-1/card.png")


# Who may see it


@pytest.mark.slow
@pytest.mark.parametrize("reason", REASONS)
def test_what_is_hidden_has_no_card(reason: str, settings: Any, db: None) -> None:
    if reason == "language of no site":
        settings.WAGTAIL_I18N_ENABLED = False
    cache.clear()
    World(reason)
    editor = Client()
    editor.force_login(get_user_model().objects.create_superuser("root", "r@x.yz", "-"))
    for client in (Client(), editor):
        assert client.get("/ai/embedding/card.png").status_code == 200
        for folder in ("/ai", f"/{GLOSSARY}", f"/zzqparent/{GLOSSARY}"):
            assert client.get(f"{folder}/{SLUG}/card.png").status_code == 404, folder
        if reason == "newer draft":
            assert client.get("/ai/plain/card.png").status_code == 200
    cache.clear()


def test_what_is_no_term_and_no_glossary_has_no_card(glossary: GlossaryPage) -> None:
    for url in ("/card.png", "/nowhere/card.png", "/ai/nothing/card.png"):
        assert Client().get(url).status_code == 404


def test_a_page_knows_the_address_of_its_card(
    glossary: GlossaryPage, rf: RequestFactory
) -> None:
    term = make_term(glossary, "embedding")
    request = rf.get("/")
    assert card_url(glossary, request) == "http://localhost/ai/card.png"
    assert card_url(term, request) == "http://localhost/ai/embedding/card.png"
    assert card_url(term) == "http://localhost/ai/embedding/card.png"
    assert card_url(GlossaryPage(title="New", slug="new"), request) == ""


def test_a_site_without_the_files_has_no_cards(
    glossary: GlossaryPage, rf: RequestFactory, settings: Any
) -> None:
    settings.ROOT_URLCONF = "tests.urls_without_files"
    assert card_url(glossary, rf.get("/")) == ""


def test_a_card_is_purged_with_its_page(glossary: GlossaryPage) -> None:
    assert "/card.png" in glossary.get_cached_paths()
    assert "/card.png" in make_term(glossary).get_cached_paths()
