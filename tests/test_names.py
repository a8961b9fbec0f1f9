"""How names are compared, and found in spite of a typing mistake."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from glossary.names import (
    MAX_KEY,
    START,
    edit_distance,
    name_key,
    prefix_distance,
    probes,
    variants,
    words,
)


any_text = st.text(st.characters(), max_size=60)  # with lone surrogates and NUL
word = st.text("abcde", min_size=5, max_size=12)
few = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Écho  d'Été", "echo d ete"),
        ("C++", "c++"),
        ("C#", "c#"),
        ("C", "c"),
        ("  Node.js ", "node js"),
        ("A/B testing", "a b testing"),
        ("İstanbul", "istanbul"),
        ("Straße", "strasse"),
        ("Łódź, Ærø", "lodz aero"),
        ("ΟΔΌΣ", "οδοσ"),
        ("ﬁne²", "fine2"),
        ("क़लम", "कलम"),
        ("バス", "バス"),
        ("كتاب", "کتاب"),
        ("soft\u00adware", "software"),
        ("❤️", ""),
        ("%", ""),
        ("a\0b\ud800", "a b"),
    ],
)
def test_key(name: str, key: str) -> None:
    expected = unicodedata.normalize("NFKD", key)
    assert name_key(name) == name_key(name.upper()) == expected


def test_kana_that_differ_by_their_voice_are_not_the_same() -> None:
    assert name_key("ハス") != name_key("バス") != name_key("パス")


@given(any_text)
def test_a_key_is_a_key_of_itself_that_every_database_takes(name: str) -> None:
    key = name_key(name)
    assert name_key(key) == key
    assert len(key) <= MAX_KEY
    assert key == " ".join(key.split())
    assert "\0" not in key
    assert key.encode().decode() == key


def test_the_key_of_an_endless_name() -> None:
    assert name_key("é" * 100_000) == "e" * MAX_KEY
    assert len(variants(name_key("abcdefgh " * 100_000))) == START + 1


def test_variants_are_the_same_in_every_process() -> None:
    code = "from glossary.names import variants; print(sorted(variants('token')))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert found == {f"{sorted(variants('token'))}\n".encode()}
    assert all(-(2**63) <= variant < 2**63 for variant in variants("token"))


def test_variants_of_two_glossaries_have_nothing_in_common() -> None:
    assert not variants("token", 1) & variants("token", 2)
    assert probes("tokne", 1) & variants("token", 1)
    assert not probes("tokne", 1) & variants("token", 2)


def test_words() -> None:
    assert words("deep learning with the deep end of learning") == [
        *("deep", "learning", "with")
    ]
    assert variants("c++ and go") == set()


def mistakes(name: str) -> set[str]:
    """What one mistake makes of a name."""
    cuts = [(name[:place], name[place:]) for place in range(len(name) + 1)]
    return {
        *(before + after[1:] for before, after in cuts),
        *(before + char + after for before, after in cuts for char in "az"),
        *(
            before + char + after[1:]
            for before, after in cuts
            if after
            for char in "az"
        ),
        *(
            before + after[1] + after[0] + after[2:]
            for before, after in cuts
            if len(after) > 1
        ),
    }


@given(word, st.lists(word, max_size=2))
def test_a_mistake_still_finds_a_word(name: str, others: list[str]) -> None:
    stored = variants(name_key(" ".join([*others, name])))
    for typed in mistakes(name):
        if len(typed) >= 5:
            assert probes(typed) & stored, typed


@given(word, st.data())
def test_the_beginning_of_a_word_finds_it(name: str, data: st.DataObject) -> None:
    length = data.draw(st.integers(START - 1, len(name)))
    assert probes(name[:length]) & variants(name)


def test_short_words_are_not_guessed() -> None:
    assert probes("abc") == probes("") == set()


@given(word)
def test_one_mistake_is_a_distance_of_one(name: str) -> None:
    for typed in mistakes(name) - {name}:
        assert edit_distance(typed, name, 3) == 1
        assert prefix_distance(typed, name + " and more", 3) <= 1


@given(few, few)
@pytest.mark.slow
def test_distance(a: str, b: str) -> None:
    distance = edit_distance(a, b, 9)
    assert (distance == 0) == (a == b)
    assert distance == edit_distance(b, a, 9) == plain_distance(a, b)
    for limit in range(4):
        assert edit_distance(a, b, limit) == min(distance, limit + 1)
    starts = [plain_distance(a, b[:length]) for length in range(len(b) + 1)]
    assert prefix_distance(a, b, 9) == min(starts)
    assert prefix_distance(a, b, 1) == min(*starts, 2)


def plain_distance(a: str, b: str) -> int:
    """The definition, word for word."""
    if not a or not b:
        return len(a) + len(b)
    found = [
        plain_distance(a[:-1], b) + 1,
        plain_distance(a, b[:-1]) + 1,
        plain_distance(a[:-1], b[:-1]) + (a[-1] != b[-1]),
    ]
    if a[-2:] == b[-2:][::-1] and len(a) > 1 and len(b) > 1:
        found.append(plain_distance(a[:-2], b[:-2]) + 1)
    return min(found)


@given(any_text, any_text, st.integers(0, 2))
def test_distances_of_anything(a: str, b: str, limit: int) -> None:
    assume(a != b)
    assert 1 <= edit_distance(a, b, limit) <= limit + 1
