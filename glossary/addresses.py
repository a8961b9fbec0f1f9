"""The addresses below that of a glossary which are not those of terms.

They have two parts, ``letter/c`` or ``category/doughs``: a term's address has one, so
none of them can hide a term.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import quote

from .alphabet import OTHER


LETTER: Final = "letter"
CATEGORY: Final = "category"
TAG: Final = "tag"
MAP: Final = "map"
# What no page has: a term was looked for that is not there.
MISSING: Final = "missing"

KINDS: Final = {LETTER, CATEGORY, TAG, MAP}
# What stands for all that begins with no letter: a number sign would end the address.
NO_LETTER: Final = "0-9"
WHOLE: Final = "all"


class Address(NamedTuple):
    """One of them. ``value`` is a letter as it stands in the address, the slug of a
    category or a tag, or whatever was looked for in vain."""

    kind: str
    value: str


def read_address(components: Sequence[str]) -> Address | None:
    """The address of which these are the parts, if it is one of ours."""
    if len(components) == 2 and components[0] in KINDS:
        return Address(*components)
    return None


def address_of(kind: str, value: str) -> str:
    """The address, to be put behind that of the glossary, which ends in a slash."""
    return f"{kind}/{quote(value, safe='')}"


def letter_part(letter: str) -> str:
    """A letter as it stands in an address."""
    if letter == OTHER:
        return NO_LETTER
    small = letter.lower()
    # Of a Turkish İ it is a letter and a sign, which Wagtail's addresses do not take.
    return small if small.isalnum() else letter
