"""The addresses below a glossary's that are not those of terms."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from wagtail.urls import serve_pattern

from glossary.addresses import (
    KINDS,
    NO_LETTER,
    Address,
    address_of,
    letter_part,
    read_address,
)
from glossary.alphabet import ALPHABETS, OTHER, letters


@pytest.mark.parametrize("language", ALPHABETS)
def test_each_letter_of_a_language_has_an_address_of_its_own(language: str) -> None:
    found = {}
    for letter in (*letters(language), OTHER):
        address = address_of("letter", letter_part(letter))
        assert address.isascii()
        path = unquote(address)
        # Wagtail serves no page at any other address.
        assert re.fullmatch(serve_pattern, f"ai/{path}/")
        # Capitals are no difference in an address.
        found[path.lower()] = read_address(path.split("/"))
    assert len(found) == len(letters(language)) + 1
    assert found[f"letter/{NO_LETTER}"] == Address("letter", NO_LETTER)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "letter",
        "letter/a/b",
        "letters/a",
        "Letter/a",
        "missing/a",
        "a/letter",
        "a/b",
    ],
)
def test_what_is_none_of_them(path: str) -> None:
    assert read_address([part for part in path.split("/") if part]) is None


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("value", ["a", "größe-量", "ٹ", "c++", "a/b", "a?b#c%20"])
def test_a_value_comes_back_as_it_was(kind: str, value: str) -> None:
    address = address_of(kind, value)
    assert address.count("/") == 1
    assert read_address([unquote(part) for part in address.split("/")]) == (
        Address(kind, value)
    )
