"""The letters and the order of languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.alphabet import ALPHABETS, MAX_KEY, letter_of, letters, sort_key


LANGUAGES = [*ALPHABETS, "pt-br", "zh-hant", "xx", ""]
# In Welsh NG stands before N, in Thai a vowel may come before its consonant.
NOT_BY_PREFIX = {"cy", "th"}

languages = st.sampled_from(LANGUAGES)
any_text = st.text(st.characters(), max_size=40)  # with lone surrogates and NUL


def is_sorted(names: Iterable[str], language: str) -> bool:
    """Whether each name stands behind the one before it, not beside it."""
    keys = [sort_key(name, language) for name in names]
    return all(a < b for a, b in pairwise(keys))


@pytest.mark.parametrize(
    ("language", "name", "letter"),
    [
        ("en", "Écho", "E"),
        ("en", "3D model", "#"),
        ("en", "“Quoted”", "Q"),
        ("en", ".NET", "N"),
        ("en", "#tag", "#"),
        ("en", "🙂 smile", "#"),
        ("en", "²", "#"),
        ("en", "", "#"),
        ("en", " - \0\ud800", "#"),
        ("en", "İstanbul", "I"),
        ("en", "機器", "#"),
        ("en", "ტოკენი", "ტ"),
        ("de", "Überwachung", "U"),
        ("de", "ßcharf", "S"),
        ("fr", "Œuvre", "O"),
        ("fr-CA", "Écho", "E"),
        ("sv", "Ärlig", "Ä"),
        ("sv", "A\u030angstrom", "Å"),
        ("da", "Ærø", "Æ"),
        ("da", "Ärlig", "Æ"),
        ("es", "ñandú", "Ñ"),
        ("es", "Ángel", "A"),
        ("cs", "chyba", "CH"),
        ("cs", "Číslo", "Č"),
        ("cs", "Ústav", "U"),
        ("hr", "džem", "DŽ"),
        ("hr", "ǆem", "DŽ"),
        ("hr", "Njuška", "NJ"),
        ("hu", "dzsungel", "DZS"),
        ("hu", "Ősz", "Ö"),
        ("pl", "łódź", "Ł"),
        ("pl", "query", "Q"),
        ("tr", "Istanbul", "I"),
        ("tr", "istanbul", "İ"),
        ("tr", "I\u0307stanbul", "İ"),
        ("ro", "ştiinţă", "Ș"),
        ("vi", "ậm", "Â"),
        ("el", "Άνθρωπος", "Α"),
        ("ru", "ёлка", "Е"),
        ("ru", "йод", "Й"),
        ("ru", "API", "A"),
        ("uk", "ґрунт", "Ґ"),
        ("he", "םוף", "מ"),
        ("ar", "أداة", "ا"),
        ("fa", "كار", "ک"),
        ("ur", "ٹوکن", "ٹ"),
        ("hi", "क़लम", "क"),
        ("th", "ไทย", "ท"),
        ("ko", "한국어", "ㅎ"),
        ("ko", "까치", "ㄱ"),
        ("ko", "ㄱ", "ㄱ"),
        ("ja", "アルゴリズム", "あ"),
        ("ja", "ガイド", "か"),
        ("ja", "学習", "#"),
        ("zh", "机器学习", "J"),
        ("zh-hans-cn", "算法", "S"),
        ("zh-hant", "機器", "#"),
        ("xx", "Écho", "E"),
    ],
)
def test_a_name_stands_under_a_letter_of_its_language(
    language: str, name: str, letter: str
) -> None:
    assert letter_of(name, language) == letter


@pytest.mark.parametrize("language", ALPHABETS)
def test_the_letters_of_an_alphabet_stand_under_themselves_in_order(
    language: str,
) -> None:
    alphabet = letters(language)
    assert alphabet
    assert [letter_of(letter, language) for letter in alphabet] == [*alphabet]
    small = [letter.lower() for letter in alphabet if language not in ("tr", "az")]
    assert [letter_of(letter, language) for letter in small] == [*alphabet][
        : len(small)
    ]
    assert is_sorted(alphabet, language)


def test_alphabets_by_tag() -> None:
    assert letters("pt-BR") == letters("pt") == letters("en")
    assert letters("sr") != letters("sr-latn") == letters("hr")
    assert letters("xx") == letters("") == letters("zh-hant") == ()
    assert "Q" not in letters("pl")


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", ["", "$x", "2", "10", "A", "a b", "Ab", "able", "Écho", "echo 2"]),
        ("en", ["C", "C card", "C#", "C++", "C2", "Car", "Ωmega", "Ж", "漢"]),
        ("en", ["e-mail", "eager", "email"]),
        ("en", ["cote", "coté", "côte", "côté"]),
        ("en", ["polish", "Polish", "polished"]),
        ("en", ["GPT-3", "GPT-4", "GPT-10", "GPT-10 mini"]),
        ("en", ["node", "node list", "Node.js"]),
        ("sv", ["Apa", "Zebra", "Å", "Ärlig", "Öl"]),
        ("da", ["Zebra", "Æble", "Øl", "Å"]),
        ("et", ["sild", "šokk", "zen", "žest", "tere", "vana", "õlu", "äri", "xyz"]),
        ("cs", ["cesta", "číslo", "dům", "hrad", "chyba", "ikona"]),
        ("hu", ["cukor", "csak", "dal", "dzéta", "dzsem", "ezer"]),
        ("es", ["nube", "nzo", "ñu", "oso"]),
        ("tr", ["hız", "ışık", "iş", "jet"]),
        ("ru", ["еда", "ёж", "ель", "жук", "API"]),
        ("lt", ["ir", "yra", "ja"]),
        ("zh", ["API", "阿", "八", "机器", "Z"]),
        ("ja", ["アイ", "ガス", "かん", "キー", "さ", "API"]),
        ("ko", ["가", "각", "까", "나", "API"]),
    ],
)
def test_order(language: str, names: list[str]) -> None:
    assert is_sorted(names, language)


@given(any_text, languages)
@pytest.mark.slow
def test_any_text_has_a_letter_and_a_key(name: str, language: str) -> None:
    letter = letter_of(name, language)
    assert 1 <= len(letter) <= 8
    assert letter_of(letter, language) == letter
    assert len(sort_key(name, language)) <= MAX_KEY
    assert sort_key(name, language) == sort_key(
        unicodedata.normalize("NFC", name), language
    )


@given(any_text, any_text, languages)
def test_only_equal_names_have_equal_keys(a: str, b: str, language: str) -> None:
    equal = sort_key(a, language) == sort_key(b, language)
    assert equal == (unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b))


@given(st.data(), languages.filter(lambda language: language not in NOT_BY_PREFIX))
def test_a_beginning_comes_first(data: st.DataObject, language: str) -> None:
    alphabet = "".join(letters(language)) or "ABC"
    names = st.text(st.sampled_from(f"{alphabet}{alphabet.lower()}-09 .cdz"))
    name, more = data.draw(names), data.draw(names)
    assert sort_key(name, language) <= sort_key(name + more, language)


@given(st.data(), st.sampled_from([*ALPHABETS]))
def test_letters_are_together_in_the_order_of_names(
    data: st.DataObject, language: str
) -> None:
    alphabet = letters(language)
    characters = st.sampled_from([*alphabet, *"aczéÅß日本ガ算ŋ"])
    names = data.draw(st.lists(st.lists(characters, min_size=1).map("".join)))
    names.sort(key=lambda name: sort_key(name, language))
    found = [letter_of(name, language) for name in names]
    own = [letter for letter in found if letter in alphabet]
    assert own == sorted(own, key=alphabet.index)


@given(st.integers(70, 260), st.text(max_size=9), st.text(max_size=9), languages)
def test_a_key_that_is_cut_still_sorts(
    length: int, a: str, b: str, language: str
) -> None:
    # Marks and cases of long names are cut off: then those without decide.
    first, second = sorted([a, b], key=lambda name: sort_key(name, language))
    cut = [sort_key("x" * length + name, language) for name in (first, second)]
    whole = [sort_key("x" + name, language) for name in (first, second)]
    assert (cut[0] <= cut[1]) or not (whole[0] <= whole[1])
    assert max(map(len, cut)) <= MAX_KEY
