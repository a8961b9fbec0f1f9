"""A payload written, byte for byte as devalue writes it."""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .values import (
    EMPTY_TAGS,
    HOLE,
    Absent,
    ArrayBuffer,
    BigInt,
    Boxed,
    DataView,
    Date,
    JSMap,
    JSSet,
    LimitError,
    NullProto,
    RegExp,
    Sparse,
    Tagged,
    Temporal,
    TypedArray,
    Url,
    UrlSearchParams,
)
from .walk import Key, Walk, stranger
from .wire import (
    DATE,
    EMPTY_VALUES,
    FLAGS,
    HOLE_INDEX,
    ITEM_SIZES,
    MAX_EXACT,
    MAX_LENGTH,
    SENTINELS,
    SPARSE_MARK,
    TEMPORAL_KINDS,
    double,
    fits,
)


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def dumps(value: object, *, escape_slashes: bool = True) -> str:
    """The payload of a value, byte for byte as devalue 6 writes it.

    Numbered in pre-order; equal primitives share an element, other values do when
    they are one Python object, so cycles are fine. `escape_slashes` is the step that
    Nuxt adds. An integer that JavaScript cannot hold exactly is rounded as it would.
    Arrays with holes, `Sparse` or lists, take the shorter of devalue's two forms.

    Raises PayloadError for what devalue refuses and for types this module does not
    know; subclasses of dict, list, str, int and float are taken for their base.
    """
    text = _Encoder().encode(value)
    return text.replace("/", "\\u002F") if escape_slashes else text


# The text before the member's index, the member's key, the member.
_Members: TypeAlias = "Iterator[tuple[str, Key, object]]"


@dataclass(slots=True)
class _Frame:
    """A container being written: the `parts` written, the `members` to come."""

    index: int
    parts: list[str]
    members: _Members
    brackets: tuple[str, str] = ("[", "]")
    holes: bool = False
    key: Key = None


class _Encoder(Walk):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.indexes: dict[object, int] = {}

    def encode(self, value: object) -> str:
        root = self.reference(value)
        if root < 0:
            return str(root)
        while self.stack:
            frame, depth = self.stack[-1], len(self.stack)
            for before, key, member in frame.members:
                frame.key = key
                is_hole = frame.holes and member is HOLE
                reference = HOLE_INDEX if is_hole else self.reference(member)
                frame.parts.append(f"{before}{reference}")
                if len(self.stack) > depth:
                    break
            else:
                start, end = frame.brackets
                self.elements[frame.index] = start + ",".join(frame.parts) + end
                self.stack.pop()
        return f"[{','.join(self.elements)}]"

    def reference(self, value: Any) -> int:
        """The index of a value: one met for the first time gets the next."""
        identity: object
        match value:
            case Absent.UNDEFINED:
                return -1
            case None | bool():
                identity = (type(value), value)
            case int() | float():
                identity = value = double(value)
                if repr(value) in _SPECIAL_NUMBERS:
                    return _SPECIAL_NUMBERS[repr(value)]
            case str():
                identity = value
            case BigInt():
                # As text: to make numbers of one hash is easy, texts it is not.
                identity = (BigInt, self.digits(value))
            case _:
                identity = (object, id(value))
        index = self.indexes.get(identity)
        if index is None:
            index = self.indexes[identity] = len(self.elements)
            element = self.leaf(value)
            self.elements.append(element or "")
            if element is None:
                self.stack.append(self.frame(index, value))
        return index

    def leaf(self, value: Any) -> str | None:
        """The element of a value that refers to no other, else None."""
        match value:
            case None:
                return "null"
            case bool():
                return "true" if value else "false"
            case float():
                return _number(value)
            case str():
                return _quote(value)
        texts = self.tag_and_texts(value)
        return f"[{','.join(map(_quote, texts))}]" if texts else None

    def tag_and_texts(self, value: object) -> list[str]:
        match value:
            case BigInt():
                return ["BigInt", self.digits(value)]
            case Date() if DATE.fullmatch(value.text):
                return ["Date", value.text]
            case RegExp() if FLAGS.fullmatch(value.flags):
                return ["RegExp", value.source, *filter(None, [value.flags])]
            case Url():
                return ["URL", value.text]
            case UrlSearchParams():
                return ["URLSearchParams", value.text]
            case Temporal() if value.kind in TEMPORAL_KINDS:
                return [f"Temporal.{value.kind}", value.text]
            case ArrayBuffer():
                return ["ArrayBuffer", b64encode(value.data).decode()]
        return []

    def digits(self, bigint: BigInt) -> str:
        try:
            return str(bigint.value)
        except ValueError:
            return self.fail("a BigInt of more digits than Python converts", LimitError)

    def frame(self, index: int, value: Any) -> _Frame:
        match value:
            case dict():
                return _Frame(index, [], self.members(value, ":"), ("{", "}"))
            case NullProto():
                return _Frame(index, ['"null"'], self.members(value.items, ","))
            case list() if any(member is HOLE for member in value):
                return self.array(index, len(value), dict(enumerate(value)))
            case list():
                return _Frame(index, [], _in_order(value))
            case Sparse():
                return self.array(index, value.length, value.items)
            case JSSet():
                return _Frame(index, ['"Set"'], _in_order(value.items))
            case JSMap():
                return _Frame(index, ['"Map"'], _entries(value))
            case TypedArray() | DataView() if fits(value):
                return _view(index, value)
        tag, inner = self.tag_and_inner(value)
        return _Frame(index, [_quote(tag)], iter([("", None, inner)]))

    def tag_and_inner(self, value: Any) -> tuple[str, object]:
        match value:
            case Tagged() if value.tag in EMPTY_TAGS:
                return value.tag, self.empty(value)
            case Tagged():
                return value.tag, value.value
            case Boxed(inner) if isinstance(inner, str | int | float | BigInt):
                return "Object", inner
        return self.fail(stranger(value))

    def empty(self, wrapper: Tagged) -> str:
        """The word for what an empty ref holds: JSON.stringify's, where it has one."""
        value = wrapper.value
        if isinstance(value, float):
            value = None if math.isnan(value) else value or 0
        for word, empty in EMPTY_VALUES.items():
            if type(value) is type(empty) and value == empty:
                return word
        return self.fail(f"{wrapper.tag} of a value that is not empty")

    def members(self, items: dict[str, Any], sign: str) -> _Members:
        for key in items:
            if not isinstance(key, str):
                self.fail("a key that is not text")
            if key == "__proto__":
                self.fail("an object with a key __proto__, which devalue refuses")
        return ((_quote(key) + sign, key, member) for key, member in items.items())

    def array(self, index: int, length: int, items: dict[int, Any]) -> _Frame:
        items = {at: member for at, member in items.items() if member is not HOLE}
        if not 0 <= length <= MAX_LENGTH or not all(0 <= at < length for at in items):
            self.fail("a sparse array of impossible length, or with items outside it")
        # devalue's reckoning: three characters a hole, against the length and one
        # position for each item.
        digits = len(str(length))
        listed = 4 + digits + len(items) * (digits + 1)
        if 3 * (length - len(items)) > listed:
            some = ((f"{at},", at, items[at]) for at in sorted(items))
            return _Frame(index, [str(SPARSE_MARK), str(length)], some)
        every = (items.get(at, HOLE) for at in range(length))
        return _Frame(index, [], _in_order(every), holes=True)


def _in_order(members: Iterable[object]) -> _Members:
    return (("", at, member) for at, member in enumerate(members))


def _entries(mapping: JSMap) -> _Members:
    for at, pair in enumerate(mapping.pairs):
        for side, member in enumerate(pair):
            yield "", (at, side), member


def _view(index: int, view: TypedArray | DataView) -> _Frame:
    is_part = view.length * ITEM_SIZES[view.kind] != len(view.buffer.data)
    end = f",{view.offset},{view.length}]" if is_part else "]"
    member = ("", None, view.buffer)
    return _Frame(index, [f'"{view.kind}"'], iter([member]), ("[", end))


_SPECIAL_NUMBERS: Final = {
    repr(value): sentinel
    for sentinel, value in SENTINELS.items()
    if isinstance(value, float)
}
_JSON_TEXT: Final = json.JSONEncoder(ensure_ascii=False)
_LEFT_RAW: Final = re.compile("[<\u2028\u2029\ud800-\udfff]")


def _quote(text: str) -> str:
    quoted = _JSON_TEXT.encode(text)
    if quoted.isascii() and "<" not in quoted:
        return quoted
    return _LEFT_RAW.sub(_escape, quoted)


def _escape(match: re.Match[str]) -> str:
    return "\\u003C" if match[0] == "<" else f"\\u{ord(match[0]):04x}"


def _number(number: float) -> str:
    """A finite number as JavaScript's `String` spells it.

    The digits are Python's, which are the shortest too; where the point goes, and
    from where on an exponent is used, differs.
    """
    if number.is_integer() and abs(number) <= MAX_EXACT:
        return str(int(number))
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + int(exponent or 0)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"
