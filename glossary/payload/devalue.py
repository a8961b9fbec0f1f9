"""The wire format of Nuxt payloads, devalue, read and written.

A payload is a JSON array of flat values. Element 0 is the root; objects and arrays
hold the *index* of each member instead of the member; an array whose first element
is text is tagged (``["Date", "…"]``); a few negative numbers stand for what has no
JSON (undefined, NaN, …). So values may be shared and cyclic, and nesting has no bound.

Hence three rules here. Nothing recurses: containers exist before their members, and
work waits on a stack. Nothing is allocated by a size the text merely claims. And
whatever devalue's ``stringify`` never writes is refused, with the place named.

Sources: devalue 6.0.3 (``stringify``, ``parse``) and Nuxt's payload plugins.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from .encoding import dumps
from .plain import to_plain
from .values import (
    DEFAULT_LIMITS,
    EMPTY_TAGS,
    HOLE,
    NUXT_TAGS,
    TRANSPARENT_TAGS,
    UNDEFINED,
    Absent,
    ArrayBuffer,
    BigInt,
    Boxed,
    DataView,
    Date,
    JSMap,
    JSSet,
    LimitError,
    Limits,
    NullProto,
    PayloadError,
    Plain,
    RegExp,
    Sparse,
    Tagged,
    Temporal,
    TypedArray,
    Url,
    UrlSearchParams,
    Value,
    short,
    unwrap,
)
from .walk import Key, pointer
from .wire import (
    BIGINT,
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
    from collections.abc import Callable, Collection, Iterable, Iterator


__all__ = [
    "DEFAULT_LIMITS",
    "HOLE",
    "NUXT_TAGS",
    "TRANSPARENT_TAGS",
    "UNDEFINED",
    "Absent",
    "ArrayBuffer",
    "BigInt",
    "Boxed",
    "DataView",
    "Date",
    "JSMap",
    "JSSet",
    "LimitError",
    "Limits",
    "NullProto",
    "PayloadError",
    "Plain",
    "RegExp",
    "Sparse",
    "Tagged",
    "Temporal",
    "TypedArray",
    "Url",
    "UrlSearchParams",
    "Value",
    "dumps",
    "loads",
    "parse_json",
    "to_plain",
    "unwrap",
]


def loads(
    data: str | bytes,
    *,
    limits: Limits = DEFAULT_LIMITS,
    unknown: Literal["error", "tagged"] = "error",
    tags: Collection[str] = NUXT_TAGS,
) -> Value:
    """The value of a payload.

    `data` is text, or UTF-8 with or without a byte order mark. Objects become dicts
    in the order of the source, arrays lists, numbers int or float (float from 2**53
    on, as in JavaScript). One element is one Python object, however often it is
    referred to. Elements that the root does not reach are not looked at.

    A tagged element is read as `Tagged` when its tag is among `tags`; other tags that
    devalue does not know are an error, or `Tagged` as well with ``unknown="tagged"``.
    What devalue wrote before 5.7 is read where it cannot mean anything else now.
    Raises PayloadError, or LimitError, and nothing else.
    """
    parsed = parse_json(_text(data, limits))
    if type(parsed) is int or (type(parsed) is float and parsed.is_integer()):
        if parsed in SENTINELS:
            return SENTINELS[int(parsed)]
        raise PayloadError("a payload that is only a number, and not -1, -3, … -6")
    if type(parsed) is dict and type(parsed.get("statusCode")) is int:
        raise PayloadError(f"an error page of Nuxt, status {parsed['statusCode']}")
    if type(parsed) is not list or not parsed:
        raise PayloadError("JSON, but no payload: that is an array of values")
    if len(parsed) > limits.values:
        raise LimitError(f"more than {limits.values} values")
    return _Decoder(parsed, limits, unknown, tags).decode()


def _text(data: str | bytes, limits: Limits) -> str:
    if len(data) > limits.bytes:
        raise LimitError(f"larger than {limits.bytes} bytes")
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PayloadError(f"not UTF-8, from byte {error.start} on") from None


def _refuse_constant(name: str) -> NoReturn:
    raise PayloadError(f"not JSON: {name}")


_JSON: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def parse_json(text: str) -> Any:
    """What a JSON text says, by the letter of JSON: NaN and Infinity are refused.

    Raises PayloadError for what is not JSON, LimitError for what nests too deep or has
    a number of more digits than Python converts.
    """
    try:
        return _JSON.decode(text)
    except PayloadError:
        raise
    except json.JSONDecodeError as error:
        found = "HTML" if text.lstrip()[:1] == "<" else "not JSON"
        raise PayloadError(f"{found}: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise LimitError("JSON nested too deep to be read") from None
    except ValueError:
        raise LimitError("a number of more digits than Python converts") from None


class _Decoder:
    """One reading: `raw` elements of JSON, `out` the values known, `todo` the empty."""

    def __init__(
        self, raw: list[Any], limits: Limits, unknown: str, tags: Collection[str]
    ) -> None:
        self.raw = raw
        self.size = len(raw)
        self.limits = limits
        self.unknown = unknown
        self.tags = tags
        self.out = dict(SENTINELS)
        self.todo: list[int] = []
        self.references = 0
        self.inside: dict[int, int] = {}  # from each wrapper to the wrapper in it
        # For messages: the element being read, and how each container was come by.
        self.holder = -1
        self.found_in: dict[int, tuple[int, Key]] = {}

    def decode(self) -> Value:
        root = self.get(0)
        while self.todo:
            self.holder = self.todo.pop()
            self.fill(self.raw[self.holder], self.out[self.holder])
        self.refuse_endless_wrappers()
        return root

    def fail(
        self, reason: str, key: Key = None, error: type[PayloadError] = PayloadError
    ) -> NoReturn:
        keys, index = [key], self.holder
        while index >= 0:
            index, key = self.found_in[index]
            keys.append(key)
        raise error(reason, index=self.holder, path=pointer(reversed(keys)))

    def whole(self, number: object, key: Key = None) -> int:
        if type(number) is int:
            return number
        if type(number) is float and number.is_integer():
            return int(number)
        return self.fail("something else where a whole number belongs", key)

    def index(self, reference: object, key: Key = None) -> int:
        index = self.whole(reference, key)
        if not 0 <= index < len(self.raw):
            self.fail("a reference to no element of the payload", key)
        return index

    def get(self, reference: object, key: Key = None) -> Value:
        """What a reference stands for; a container may be empty as yet."""
        # Most are texts, which stand for themselves.
        if type(reference) is int and 0 <= reference < self.size:
            text = self.raw[reference]
            if type(text) is str:
                return text
        index = reference if type(reference) is int else self.whole(reference, key)
        if index not in self.out:
            self.out[index] = self.read(self.index(index, key), key)
        return self.out[index]

    def read(self, index: int, key: Key) -> Value:
        raw = self.raw[index]
        if not isinstance(raw, dict | list):
            beyond = type(raw) is int and abs(raw) > MAX_EXACT
            return double(raw) if beyond else raw
        self.found_in[index] = self.holder, key
        outer, self.holder = self.holder, index
        value: Value = {} if isinstance(raw, dict) else self.read_array(raw)
        self.holder = outer
        if isinstance(value, _CONTAINERS):
            self.todo.append(index)
        return value

    def read_array(self, raw: list[Any]) -> Value:
        head = raw[0] if raw else None
        if isinstance(head, str):
            return self.read_tagged(head, raw)
        if head != SPARSE_MARK:
            return []
        length = self.whole(raw[1]) if len(raw) > 1 else -1
        if not 0 <= length <= MAX_LENGTH:
            self.fail("a sparse array without a possible length")
        return Sparse(length, {})

    def read_tagged(self, tag: str, raw: list[Any]) -> Value:
        # A site's reducer may bear the name of a built-in type: what it writes has an
        # index where the built-in has text.
        wraps = len(raw) == 2 and type(raw[1]) in (int, float)
        known = tag in self.tags
        if tag in _READERS and not (known and wraps):
            return _READERS[tag](self, raw)
        if not known and self.unknown == "error":
            self.fail(f"an unknown tag {short(tag)}")
        if not wraps:
            self.fail(f"a tag {short(tag)} without the index of its value")
        return Tagged(tag, UNDEFINED)

    # Leaves: complete as soon as they are met

    def read_text(self, raw: list[Any]) -> str:
        if len(raw) != 2 or not isinstance(raw[1], str):
            self.fail(f"{raw[0]} needs one text")
        return raw[1]

    def read_temporal(self, raw: list[Any]) -> Temporal:
        return Temporal(raw[0].removeprefix("Temporal."), self.read_text(raw))

    def read_date(self, raw: list[Any]) -> Date:
        text = self.read_text(raw)
        if not DATE.fullmatch(text):
            self.fail("a Date that is not as toISOString writes it")
        return Date(text)

    def read_regexp(self, raw: list[Any]) -> RegExp:
        if len(raw) not in (2, 3) or not all(isinstance(part, str) for part in raw):
            self.fail("RegExp needs its source, and flags or nothing")
        if not FLAGS.fullmatch("".join(raw[2:])):
            self.fail("RegExp with impossible flags")
        return RegExp(*raw[1:])

    def read_bigint(self, raw: list[Any]) -> BigInt | Boxed:
        # Before 5.7, Object(1n) was written as ["BigInt",1].
        boxed = len(raw) == 2 and type(raw[1]) is int
        digits = str(raw[1]) if boxed else self.read_text(raw)
        if len(digits.lstrip("-")) > self.limits.bigint_digits:
            self.fail(
                f"a BigInt of more than {self.limits.bigint_digits} digits",
                error=LimitError,
            )
        if not BIGINT.fullmatch(digits):
            self.fail("a BigInt that is not a plain decimal number")
        try:
            value = BigInt(int(digits))
        except ValueError:
            self.fail("a BigInt of more digits than Python converts", error=LimitError)
        return Boxed(value) if boxed else value

    def read_buffer(self, raw: list[Any]) -> ArrayBuffer:
        text = self.read_text(raw)
        try:
            data = b64decode(text, validate=True)
        except ValueError:
            self.fail("bytes that are not base64")
        if b64encode(data).decode() != text:
            self.fail("base64 with stray bits at its end")
        return ArrayBuffer(data)

    def read_view(self, raw: list[Any]) -> TypedArray | DataView:
        tag: str = raw[0]
        if len(raw) not in (2, 4):
            self.fail(f"{tag} needs a buffer, and offset with length or nothing")
        if len(raw) == 2 and isinstance(raw[1], str) and tag != "DataView":
            # devalue 5.1 and 5.2: the bytes themselves, in place of their index.
            buffer: Value = self.read_buffer(raw)
        else:
            buffer = self.get_leaf(self.index(raw[1]), "ArrayBuffer")
        if not isinstance(buffer, ArrayBuffer):
            self.fail(f"{tag} of something that is not an ArrayBuffer")
        offset, (length, rest) = 0, divmod(len(buffer.data), ITEM_SIZES[tag])
        if len(raw) == 4:
            offset, length, rest = self.whole(raw[2]), self.whole(raw[3]), 0
        whole = (buffer, offset, length)
        view = DataView(*whole) if tag == "DataView" else TypedArray(tag, *whole)
        if rest or not fits(view):
            self.fail(
                f"{tag} that does not lie within its buffer (devalue before 5.7 wrote"
                " begin and end: not to be told from offset and length)"
            )
        return view

    def read_boxed(self, raw: list[Any]) -> Boxed:
        if len(raw) != 2:
            self.fail("Object needs one value")
        # Before 5.7 the primitive itself stood here. Text, booleans and fractions
        # cannot be an index, so they are that; whole numbers are read as an index.
        old = isinstance(raw[1], float) and not raw[1].is_integer()
        if old or isinstance(raw[1], str | bool):
            return Boxed(raw[1])
        value = self.get_leaf(self.whole(raw[1]), "BigInt")
        if not isinstance(value, str | int | float | BigInt):
            self.fail(
                "Object of something that is not a primitive (devalue before 5.7 wrote"
                " the number itself: not to be told from an index)"
            )
        return Boxed(value)

    def get_leaf(self, index: int, tag: str) -> Value:
        """A primitive, or an element with this tag; else None.

        Never anything that leads on to other elements: reading those would recurse.
        """
        raw = self.raw[index] if 0 <= index < len(self.raw) else None
        if isinstance(raw, dict) or (isinstance(raw, list) and raw[:1] != [tag]):
            return None
        return self.get(index) if raw is not None or index in SENTINELS else None

    # Containers: filled when their turn comes

    def fill(self, raw: Any, target: Value) -> None:
        self.references += len(raw)
        if self.references > self.limits.references:
            limit = self.limits.references
            self.fail(f"more than {limit} references", error=LimitError)
        match target:
            case dict():
                self.fill_members(target, raw.items())
            case NullProto():
                self.fill_members(target.items, self.pairs(raw, 1))
            case list():
                target += [
                    HOLE if reference == HOLE_INDEX else self.get(reference, at)
                    for at, reference in enumerate(raw)
                ]
            case Sparse():
                self.fill_sparse(target, self.pairs(raw, 2))
            case JSSet():
                target.items += [self.get(ref, at) for at, ref in enumerate(raw[1:])]
            case JSMap():
                target.pairs += [
                    (self.get(key, (at, 0)), self.get(value, (at, 1)))
                    for at, (key, value) in enumerate(self.pairs(raw, 1))
                ]
            case Tagged():
                self.fill_wrapper(target, raw[1])

    def pairs(self, raw: list[Any], start: int) -> Iterator[tuple[Any, Any]]:
        if (len(raw) - start) % 2:
            self.fail("a key or position without its value")
        return zip(raw[start::2], raw[start + 1 :: 2], strict=True)

    def fill_members(
        self, target: dict[str, Value], members: Iterable[tuple[Any, Any]]
    ) -> None:
        for key, reference in members:
            if not isinstance(key, str):
                self.fail("a key that is not text")
            if key == "__proto__":
                self.fail("an object with a key __proto__")
            target[key] = self.get(reference, key)

    def fill_sparse(self, target: Sparse, pairs: Iterable[tuple[Any, Any]]) -> None:
        for position, reference in pairs:
            at = self.whole(position)
            if not 0 <= at < target.length:
                self.fail("a sparse array with an item outside its length")
            target.items[at] = self.get(reference, at)

    def fill_wrapper(self, target: Tagged, reference: object) -> None:
        value = self.get(reference)
        if target.tag in EMPTY_TAGS:
            if not isinstance(value, str) or value not in EMPTY_VALUES:
                self.fail(
                    f"{target.tag} of something that is no word for an empty value"
                )
            value = EMPTY_VALUES[value]
        elif isinstance(value, Tagged):
            self.inside[self.holder] = self.index(reference)
        # Frozen for everyone else: `unwrap` remembers where a chain ends.
        object.__setattr__(target, "value", value)

    def refuse_endless_wrappers(self) -> None:
        """Wrappers that hold only one another have no value. Each is followed once."""
        followed_from: dict[int, int] = {}
        for start in self.inside:
            index = start
            while index in self.inside and index not in followed_from:
                followed_from[index] = start
                index = self.inside[index]
            if followed_from.get(index) == start:
                self.holder = index
                self.fail("wrappers that hold only one another")


_CONTAINERS: Final = (dict, list, JSSet, JSMap, Sparse, NullProto, Tagged)
_READERS: Final[dict[str, Callable[[_Decoder, list[Any]], Value]]] = {
    "Set": lambda decoder, raw: JSSet([]),
    "Map": lambda decoder, raw: JSMap([]),
    "null": lambda decoder, raw: NullProto({}),
    "Object": _Decoder.read_boxed,
    "BigInt": _Decoder.read_bigint,
    "Date": _Decoder.read_date,
    "RegExp": _Decoder.read_regexp,
    "URL": lambda decoder, raw: Url(decoder.read_text(raw)),
    "URLSearchParams": lambda decoder, raw: UrlSearchParams(decoder.read_text(raw)),
    "ArrayBuffer": _Decoder.read_buffer,
    **dict.fromkeys(ITEM_SIZES, _Decoder.read_view),
    **dict.fromkeys((f"Temporal.{k}" for k in TEMPORAL_KINDS), _Decoder.read_temporal),
}
