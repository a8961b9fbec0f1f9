"""How wide texts are, about, and how they are parted into lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.site.lettering import ELLIPSIS, lines_of, shortened, text_width


def test_widths_are_those_of_the_letters() -> None:
    assert text_width("") == 0
    assert text_width("ill") < text_width("nnn") < text_width("www")
    assert text_width("AAA") > text_width("aaa")


def test_a_wide_character_counts_as_two() -> None:
    assert text_width("評価") == 2
    assert text_width("評価") > 1.5 * text_width("ab")


def test_a_mark_on_a_letter_takes_no_room() -> None:
    assert text_width("e\N{COMBINING ACUTE ACCENT}") == text_width("e")
    assert text_width("cafe\N{ZERO WIDTH SPACE}") == text_width("cafe")


def test_lines_are_parted_between_words() -> None:
    text = "Reinforcement learning from human feedback"
    assert lines_of(text, 9, 4) == ("Reinforcement", "learning from", "human feedback")


def test_lines_are_parted_behind_a_hyphen_and_a_stroke() -> None:
    assert lines_of("Retrieval-augmented", 7, 3) == ("Retrieval-", "augmented")
    assert lines_of("client/server", 4.5, 3) == ("client/", "server")


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    lines = lines_of("one two three four five six seven", 6, 2)
    assert lines == ("one two", "three four…")
    assert shortened("one two three", 5) == "one two…"
    assert shortened("one", 5) == "one"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Donaudampfschifffahrt", "Donaudampf-"),  # with a hyphen, as it is written
        ("機械学習の評価方法", "機械学習の"),
        ("مصنوعیذہانتکاماڈلہے", "مصنوعیذہ"),  # no script without capitals has hyphens
    ],
)
def test_a_long_word_is_parted(text: str, first: str) -> None:
    lines = lines_of(text, 5.8, 4)
    assert lines[0].startswith(first[:4])
    assert lines[0].endswith("-") is first.endswith("-")
    assert "".join(lines).replace("-", "") == text


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_nothing_has_no_lines(text: str) -> None:
    assert lines_of(text, 9, 3) == ()


@given(st.text(max_size=80), st.floats(2, 20), st.integers(1, 5))
def test_lines_are_few_and_narrow(text: str, width: float, most: int) -> None:
    lines = lines_of(text, width, most)
    assert len(lines) <= most
    for line in lines:
        assert text_width(line) <= width + 1e-9
        assert line == line.strip()
    if lines and not lines[-1].endswith(ELLIPSIS):
        assert without_breaks("".join(lines)) == without_breaks(text)


def without_breaks(text: str) -> str:
    return "".join(text.split()).replace("-", "")
