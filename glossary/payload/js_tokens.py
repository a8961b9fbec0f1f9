"""The words of the JavaScript that payloads are written in."""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple, NoReturn

from .values import BigInt, LimitError, PayloadError, Value, short


_TOKEN: Final = re.compile(
    r"""
    (?:[\s\ufeff]+|//[^\n\r\u2028\u2029]*|/\*.*?\*/)*
    (?:
      (?P<string>"[^"\\\n\r]*(?:\\.[^"\\\n\r]*)*"|'[^'\\\n\r]*(?:\\.[^'\\\n\r]*)*')
    | (?P<number>0[xX][0-9a-fA-F]+n?
        | (?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?n?)
    | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    | (?P<mark>\.\.\.|[{}\[\](),:;.=!+\-])
    )?
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|(.))", re.DOTALL
)
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class Token(NamedTuple):
    """A word: "string", "number", "name", "mark" or "end", as written, and where."""

    kind: str
    text: str
    at: int


class Tokens:
    """A text, read one token at a time: `token` is the one to come."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.token = Token("", "", 0)
        self.next()

    def next(self) -> Token:
        """The token that was to come; the one behind it is read."""
        was = self.token
        match = _TOKEN.match(self.text, self.at)
        kind = match.lastgroup if match else None
        if match is None or kind is None:
            end = match.end() if match else self.at
            if end < len(self.text):
                self.at = end
                self.refuse("a character that no payload has", end)
            self.token = Token("end", "", end)
        else:
            self.token = Token(kind, match.group(kind), match.start(kind))
            self.at = match.end()
        return was

    def refuse(self, reason: str, at: int | None = None) -> NoReturn:
        at = self.token.at if at is None else at
        near = f" near {short(self.text[at : at + 20])}" if at < len(self.text) else ""
        raise PayloadError(
            f"a script with more than the literals of a payload: {reason},"
            f" at character {at}{near}. Nothing in it was run"
        )

    def is_mark(self, text: str) -> bool:
        return self.token.kind == "mark" and self.token.text == text

    def is_name(self, text: str) -> bool:
        return self.token.kind == "name" and self.token.text == text

    def accept(self, text: str) -> bool:
        found = self.token.kind in ("mark", "name") and self.token.text == text
        if found:
            self.next()
        return found

    def expect(self, *texts: str) -> None:
        for text in texts:
            if not self.accept(text):
                self.refuse(f"{text!r} expected")

    def string(self) -> str:
        if self.token.kind != "string":
            self.refuse("a text expected")
        _, text, at = self.next()
        return self.unescape(text[1:-1], at)

    def unescape(self, text: str, at: int) -> str:
        if "\\" not in text:
            return text

        def character(match: re.Match[str]) -> str:
            four, braced, two, other = match.groups()
            if four or braced or two:
                code = int(four or braced or two, 16)
                if code > 0x10FFFF:
                    self.refuse("a character beyond Unicode", at)
                return chr(code)
            following = text[match.end() : match.end() + 1]
            if other == "0" and not following.isdigit():
                return "\0"
            if other.isdigit() or other in "ux\n\r\u2028\u2029":
                self.refuse("an escape that no payload has", at)
            return _ESCAPED.get(other, other)

        plain = _ESCAPE.sub(character, text)
        # The two halves of a character, as \ud83d\ude00 has them, are one in Python.
        return _PAIR.sub(
            lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"),
            plain,
        )

    def number(self, at: int, text: str) -> Value:
        digits = text.removesuffix("n")
        if len(digits) > 4_000:
            raise LimitError(f"a number of more than 4,000 digits, at character {at}")
        is_hex = digits[:2] in ("0x", "0X")
        if text != digits:
            if not is_hex and not digits.isdecimal():
                self.refuse("a BigInt that is not a whole number", at)
            return BigInt(int(digits, 16 if is_hex else 10))
        if is_hex or digits.isdecimal():
            whole = int(digits, 16 if is_hex else 10)
            return whole if whole <= 2**53 else _double(whole)
        value = float(digits)
        return int(value) if value.is_integer() and abs(value) <= 2**53 else value


def _double(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return math.inf
