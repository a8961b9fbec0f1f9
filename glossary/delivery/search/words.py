"""The words of a search, from whatever was typed."""

from __future__ import annotations

import re
import unicodedata


MOST_CHARACTERS = 200
MOST_WORDS = 20

# As Wagtail divides a search. Quotes mean nothing, here as in its API.
_BETWEEN = re.compile(r'[\s"\-]+')
# What no database can hold or nobody can see: controls and lone surrogates.
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def readable(text: str) -> str:
    """The text as any database takes it, at most 200 characters of it."""
    start = _UNREADABLE.sub(" ", text[:MOST_CHARACTERS])
    return unicodedata.normalize("NFC", start).strip()


def split(text: str) -> list[str]:
    """Its words, each once: at most 20, without those that are nothing but signs."""
    words = dict.fromkeys(_BETWEEN.split(readable(text)))
    return [word for word in words if any(map(is_letter, word))][:MOST_WORDS]


def is_letter(char: str) -> bool:
    """Whether the character can be part of a word in an index: a letter or digit."""
    category = unicodedata.category(char)
    return category[0] in "LN" or category == "Co"
