"""How names are compared, and found in spite of a typing mistake.

Pure, and alike on every database: what is stored of a name is its key and some hashes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise


MAX_KEY = 255
# Hangul, ligatures and the like can become several characters; no more than these.
MOST_READ = 4 * MAX_KEY
# Fewer letters are too few to tell a mistake from another word.
FEWEST = 4
# Variants are made of this much of a word: enough to tell words apart, and short enough
# for what is still being typed.
START = 6
MOST_WORDS = 6

# Signs by which names differ: C, C++ and C#.
KEPT = "+#"
# Letters that have an accent in all but Unicode's tables.
_LATIN = ["ae", "d", "o", "th", "d", "h", "i", "k", "l", "n", "oe", "t"]
PLAIN = dict(zip("æðøþđħıĸłŋœŧ", _LATIN, strict=True))
# Arabic letters that its languages and keyboards write differently.
PLAIN |= dict(zip("كيىەۀ", "کییهه", strict=True))
_PLAIN = str.maketrans(PLAIN)
# Classes of marks that are part of a letter, not an accent on it: vowels and viramas of
# Asian scripts (0, 9, 84 to 132), and the voicing of kana (8).
_WRITTEN_OUT = {0, 8, 9, 84, 91, 103, 118, 129, 130, 132}


def is_accent(char: str) -> bool:
    """Whether the mark only modifies the letter before it."""
    return unicodedata.combining(char) not in _WRITTEN_OUT


def name_key(text: str) -> str:
    """The name as it is compared: without case and accents, with a single space for
    whatever is neither a letter, a digit, ``+`` nor ``#``. At most 255 characters;
    empty for a name of other signs."""
    decomposed = unicodedata.normalize("NFKD", text[:MOST_READ])
    folded = unicodedata.normalize("NFKD", decomposed.casefold()).translate(_PLAIN)
    kept = "".join(map(_compared, folded))
    return " ".join(kept.split())[:MAX_KEY].rstrip()


def _compared(char: str) -> str:
    if char in KEPT:
        return char
    category = unicodedata.category(char)
    if category == "Cf" or is_accent(char) or _is_selector(char):
        return ""
    return char if category[0] in "LNM" else " "


def _is_selector(char: str) -> bool:
    """Whether it only selects how the sign before it is drawn."""
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def variants(key: str, glossary_id: int = 0) -> set[int]:
    """What is stored of a key to find it by: signed hashes of 64 bits, of the start of
    each of its words and of that without one of its letters. Those of two glossaries
    have nothing in common, so that no other one is in the way of a search."""
    starts = [word[:START] for word in words(key)]
    return _hashes(
        {text for start in starts for text in _without_one(start)}, glossary_id
    )


def probes(word: str, glossary_id: int = 0) -> set[int]:
    """What to look for among the variants to find the words that this one is, or would
    be but for one mistake in its start; it may be the beginning of a longer word."""
    if len(word) < FEWEST:
        return set()
    found = _without_one(word[:START])
    if len(word) > START:  # there may be a letter too many in its start
        found |= _without_one(word[: START + 1]) - {word[: START + 1]}
    return _hashes(found, glossary_id)


def words(key: str) -> list[str]:
    """The words of a key that are long enough to be found by a variant."""
    long = [word for word in key.split(" ") if len(word) >= FEWEST]
    return list(dict.fromkeys(long))[:MOST_WORDS]


def _without_one(text: str) -> set[str]:
    return {text, *(text[:place] + text[place + 1 :] for place in range(len(text)))}


def _hashes(texts: Iterable[str], glossary_id: int) -> set[int]:
    salt = glossary_id.to_bytes(8, signed=True)
    return {
        int.from_bytes(
            blake2b(text.encode(errors="replace"), digest_size=8, salt=salt).digest(),
            signed=True,
        )
        for text in texts
    }


def edit_distance(a: str, b: str, limit: int) -> int:
    """How many letters have to be put in, left out, replaced or swapped with the next
    to make ``b`` of ``a``; ``limit + 1`` for more than ``limit``."""
    if abs(len(a) - len(b)) > limit or not _may_be_near(a, b, limit):
        return limit + 1
    return min(_last_row(a, b, limit)[limit + len(b) - len(a)], limit + 1)


def prefix_distance(typed: str, name: str, limit: int) -> int:
    """The same, to the beginning of ``name`` that is nearest to what was typed."""
    if len(typed) - len(name) > limit or not _may_be_near(typed, name, limit):
        return limit + 1
    return min(*_last_row(typed, name, limit), limit + 1)


def _may_be_near(a: str, b: str, limit: int) -> bool:
    """Whether a part of ``a`` is somewhere about its place in ``b``. A mistake breaks
    two parts at most, so one more is left whole; and most names are told apart by that,
    a hundred times faster than by their distance."""
    for part, start, end in _parts(a, limit):  # noqa: SIM110 (any() takes twice as long)
        if b.find(part, start, end) >= 0:
            return True
    return False


@lru_cache(maxsize=64)
def _parts(text: str, limit: int) -> list[tuple[str, int, int]]:
    """The parts of a text, and between which places they may be if it is mistaken."""
    count = 2 * limit + 1
    cuts = [len(text) * place // count for place in range(count + 1)]
    return [
        (text[start:end], max(0, start - limit), end + limit)
        for start, end in pairwise(cuts)
    ]


def _last_row(a: str, b: str, limit: int) -> list[int]:
    """The distances of ``a`` to those beginnings of ``b`` that are at most ``limit``
    longer or shorter, by optimal string alignment. No others can be nearer."""
    pairs = enumerate(zip(a, b, strict=False))
    same = next((at for at, (x, y) in pairs if x != y), min(len(a), len(b)))
    a, b = a[same:], b[same:]
    far, width = limit + 1, 2 * limit + 1
    row = [*([far] * limit), *range(width - limit)]
    last = before = [far] * width
    for i, char in enumerate(a):
        row, last, before = [far] * width, row, last
        # In each row the same place is one letter further in both.
        for k in range(max(0, limit - i - 1), min(width, len(b) - i + limit)):
            j = i + k - limit
            if j < 0:
                row[k] = i + 1
                continue
            other = b[j]
            cost = last[k] if char == other else last[k] + 1
            if i and j and char == b[j - 1] and other == a[i - 1]:
                cost = min(cost, before[k] + 1)
            if k and row[k - 1] < cost:
                cost = row[k - 1] + 1
            if k + 1 < width and last[k + 1] < cost:
                cost = last[k + 1] + 1
            row[k] = cost
        if min(row) > limit and min(last) >= limit:
            return [far] * width
    return row
