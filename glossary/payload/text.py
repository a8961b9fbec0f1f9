"""Text of other people made fit for a database, for one line, for a slug."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from .term import MAX_LENGTHS


CHANGES: Final = {
    "nul-removed": "NUL characters are removed",
    "surrogate-replaced": "halves of characters are replaced by U+FFFD",
    "control-removed": "control characters are removed",
    "normalised": "letters are composed as in Unicode's NFC",
}
"""What `fit` may do to a text, by the code of the warning."""

_SLUG: Final = re.compile(r"[-\w]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f]")
# Every byte that `fit` has something to do about; in UTF-8 each is a character.
_ODD: Final = bytes({*range(0x20)} - set(b"\t\n"))
# Not every white space: no-break and ideographic spaces are typography.
_LINE_SPACE: Final = re.compile("[ \\t\\n\\x85\u2028\u2029]+")


def fit(text: str) -> tuple[str, tuple[str, ...]]:
    """The text in NFC with newlines alone, fit for a database; and what was done.

    That is codes of `CHANGES`. Ends of lines are made one kind without a word.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return _mend(text)
    # Most texts need nothing: that is to be told quickly.
    if len(data.translate(None, _ODD)) == len(data) and (
        len(data) == len(text) or unicodedata.is_normalized("NFC", text)
    ):
        return text, ()
    return _mend(text)


def _mend(text: str) -> tuple[str, tuple[str, ...]]:
    text, done = storable(text.replace("\r\n", "\n").replace("\r", "\n"))
    if _CONTROL.search(text):
        text = _CONTROL.sub("", text)
        done += ("control-removed",)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
        done += ("normalised",)
    return text, done


def storable(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without what no database stores, and what was done, as in `fit`."""
    done: tuple[str, ...] = ()
    if "\x00" in text:
        text = text.replace("\x00", "")
        done += ("nul-removed",)
    if not text.isascii() and _SURROGATE.search(text):
        text = _SURROGATE.sub("\ufffd", text)
        done += ("surrogate-replaced",)
    return text, done


def one_line(text: str) -> str:
    """The text with its white space collapsed, of what is not typography."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return _LINE_SPACE.sub(" ", text).strip()


def is_slug(text: str) -> bool:
    """Whether it has only letters, digits, hyphens and underscores, and some."""
    return _SLUG.fullmatch(text) is not None


def slugify(text: str) -> str:
    """A slug made of a name, "" when it has no letter or digit; as Django makes them.

    Letters of all scripts stay.
    """
    lower = unicodedata.normalize("NFKC", text).lower()
    words = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", lower))
    whole = unicodedata.normalize("NFC", words.strip("-_"))
    return whole[: MAX_LENGTHS["slug"]].rstrip("-_")
