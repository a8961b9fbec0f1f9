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
import math
import re
import struct
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NoReturn, TypeAlias


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator


# Errors and limits


class PayloadError(ValueError):
    """A text that is no payload, or a value that cannot be one.

    `reason` says why; `index` is the element of the payload at fault (None outside
    `loads`); `path` is a JSON pointer to it, as `to_plain` would lay the value out.
    """

    def __init__(
        self, reason: str, *, index: int | None = None, path: str = ""
    ) -> None:
        self.reason = reason
        self.index = index
        self.path = path
        places = [f"element {index}"] if index is not None else []
        places += [f"at {_short(path)}"] if path else []
        super().__init__(f"{reason} ({', '.join(places)})" if places else reason)


class LimitError(PayloadError):
    """A payload that may be well formed, but asks for more than `Limits` gives."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one payload may cost.

    Reading: `bytes` of UTF-8 (characters, of a `str`), `values` in the outer array,
    `references` from containers to members, `bigint_digits` of one BigInt.
    Expanding (`to_plain`): `expanded_nodes` of the tree, `expanded_text` in characters,
    `depth` in levels.
    """

    bytes: int = 32 * 1024 * 1024
    values: int = 2_000_000
    references: int = 8_000_000
    bigint_digits: int = 4_000
    expanded_nodes: int = 2_000_000
    expanded_text: int = 64 * 1024 * 1024
    depth: int = 200


DEFAULT_LIMITS: Final = Limits()

# A step on the way to a value: a key, a position, (entry, 0 or 1) in a map, or None
# for the inside of a wrapper, which `to_plain` takes away.
_Key: TypeAlias = "str | int | tuple[int, int] | None"


def _pointer(keys: Iterable[_Key]) -> str:
    steps: list[str] = []
    for key in keys:
        if isinstance(key, str):
            steps.append(key.replace("~", "~0").replace("/", "~1"))
        elif isinstance(key, tuple):
            steps += map(str, key)
        elif key is not None:
            steps.append(str(key))
    return "".join(f"/{step}" for step in steps)


def _short(text: str) -> str:
    # repr, because keys and tags are hostile: lone surrogates, control characters.
    return repr(text if len(text) <= 120 else f"{text[:80]}…{text[-39:]}")


# The values of JavaScript that Python lacks


class Absent(Enum):
    """The two kinds of nothing beside null. Both are false."""

    UNDEFINED = "undefined"
    HOLE = "hole"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return self.name


UNDEFINED: Final = Absent.UNDEFINED
HOLE: Final = Absent.HOLE


@dataclass(frozen=True, slots=True)
class BigInt:
    """A JavaScript bigint: 1n, which is not 1."""

    value: int


@dataclass(frozen=True, slots=True)
class Date:
    """A moment, as `toISOString` writes it; "" is an invalid date.

    Kept as text: JavaScript's years reach ±275760, Python's do not.
    """

    text: str


@dataclass(frozen=True, slots=True)
class RegExp:
    """A regular expression of JavaScript's grammar; never compiled here."""

    source: str
    flags: str = ""


@dataclass(frozen=True, slots=True)
class Url:
    """A `URL`, as text, not checked."""

    text: str


@dataclass(frozen=True, slots=True)
class UrlSearchParams:
    """A `URLSearchParams`, as text without the question mark."""

    text: str


@dataclass(frozen=True, slots=True)
class Temporal:
    """A Temporal value: `kind` such as "PlainDate", `text` in its ISO form."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ArrayBuffer:
    """Raw bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class TypedArray:
    """A view of a buffer: `kind` such as "Uint16Array", `offset` in bytes."""

    kind: str
    buffer: ArrayBuffer
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class DataView:
    """An untyped view of a buffer: `offset` and `length` in bytes."""

    kind: ClassVar = "DataView"
    buffer: ArrayBuffer
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Boxed:
    """A primitive in an object, as `Object("x")` makes one."""

    value: str | bool | int | float | BigInt


@dataclass(slots=True)
class JSSet:
    """A Set in its order. Members may be unhashable or cyclic, so this is a list."""

    items: list[Value]


@dataclass(slots=True)
class JSMap:
    """A Map in its order, as (key, value) pairs; a key may be any value."""

    pairs: list[tuple[Value, Value]]


@dataclass(slots=True)
class Sparse:
    """An array with long runs of holes: its `length`, and the items that exist."""

    length: int
    items: dict[int, Value]


@dataclass(slots=True)
class NullProto:
    """An object without a prototype, `Object.create(null)`."""

    items: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Tagged:
    """What a reducer of Nuxt or of the site wrote: its name, and the value inside.

    Of `EmptyRef` and `EmptyShallowRef` the value is the falsy one they stand for,
    not the word for it on the wire.
    """

    tag: str
    value: Value
    # The end of the chain, once `unwrap` has found it: many long chains that share a
    # tail would else cost their length each time.
    _end: tuple[Value] | None = field(
        default=None, init=False, repr=False, compare=False
    )


Value: TypeAlias = (
    "bool | int | float | str | Absent | BigInt | Date | RegExp | Url | UrlSearchParams"
    " | Temporal | ArrayBuffer | TypedArray | DataView | Boxed | list[Value]"
    " | dict[str, Value] | JSSet | JSMap | Sparse | NullProto | Tagged | None"
)
Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"


# The words of the wire

_SENTINELS: Final[dict[int, Value]] = {
    -1: UNDEFINED,
    -3: math.nan,
    -4: math.inf,
    -5: -math.inf,
    -6: -0.0,
}
_HOLE_INDEX: Final = -2
_SPARSE_MARK: Final = -7
_MAX_LENGTH: Final = 2**32 - 1
_MAX_EXACT: Final = 2**53

# Each with its item as `struct` spells it; every runtime of note is little-endian.
_TYPED_ARRAYS: Final = {
    "Int8Array": "<b",
    "Uint8Array": "<B",
    "Uint8ClampedArray": "<B",
    "Int16Array": "<h",
    "Uint16Array": "<H",
    "Float16Array": "<e",
    "Int32Array": "<i",
    "Uint32Array": "<I",
    "Float32Array": "<f",
    "Float64Array": "<d",
    "BigInt64Array": "<q",
    "BigUint64Array": "<Q",
}
_ITEM_SIZES: Final = {
    kind: struct.calcsize(item) for kind, item in _TYPED_ARRAYS.items()
} | {"DataView": 1}
_TEMPORAL_KINDS: Final = (
    *("Duration", "Instant", "ZonedDateTime", "PlainDate", "PlainTime"),
    *("PlainDateTime", "PlainMonthDay", "PlainYearMonth"),
)
_DATE: Final = re.compile(
    r"|(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII
)
_FLAGS: Final = re.compile(r"d?g?i?m?s?[uv]?y?")
_BIGINT: Final = re.compile(r"0|-?[1-9][0-9]*")

_EMPTY_TAGS: Final = frozenset({"EmptyRef", "EmptyShallowRef"})
# A table, because the words only look like JSON: "_" and "0n" are not.
_EMPTY_VALUES: Final[dict[str, Value]] = {
    "_": UNDEFINED,
    "0n": BigInt(0),
    "null": None,
    "0": 0,
    '""': "",
    "false": False,
}

TRANSPARENT_TAGS: Final = _EMPTY_TAGS | {
    "Ref",
    "ShallowRef",
    "Reactive",
    "ShallowReactive",
}
"""Vue's wrappers: the value inside is what the page sees."""

NUXT_TAGS: Final = TRANSPARENT_TAGS | {"NuxtError", "Island", "skipHydrate"}
"""The tags that Nuxt and Pinia write by themselves."""


def _fits(view: TypedArray | DataView) -> bool:
    size = _ITEM_SIZES.get(view.kind)
    return (
        size is not None
        and min(view.offset, view.length) >= 0
        and view.offset % size == 0
        and view.offset + view.length * size <= len(view.buffer.data)
    )


def _double(number: float) -> float:
    """The JavaScript number nearest to a Python one, infinite when it is too large."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


class _Walk:
    """A way into a value: the containers begun, each standing at one of its keys."""

    def __init__(self) -> None:
        self.stack: list[Any] = []

    def fail(self, reason: str, error: type[PayloadError] = PayloadError) -> NoReturn:
        raise error(reason, path=_pointer(step.key for step in self.stack))


# Reading


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
    parsed = _parse(_text(data, limits))
    if type(parsed) is int or (type(parsed) is float and parsed.is_integer()):
        if parsed in _SENTINELS:
            return _SENTINELS[int(parsed)]
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


def _parse(text: str) -> Any:
    try:
        return _JSON.decode(text)
    except PayloadError:
        raise
    except json.JSONDecodeError as error:
        found = "HTML" if text.lstrip()[:1] == "<" else "not JSON"
        raise PayloadError(f"{found}: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise LimitError("JSON nested too deep: a payload nests two levels") from None
    except ValueError:
        raise LimitError("a number of more digits than Python converts") from None


class _Decoder:
    """One reading: `raw` elements of JSON, `out` the values known, `todo` the empty."""

    def __init__(
        self, raw: list[Any], limits: Limits, unknown: str, tags: Collection[str]
    ) -> None:
        self.raw = raw
        self.limits = limits
        self.unknown = unknown
        self.tags = tags
        self.out = dict(_SENTINELS)
        self.todo: list[int] = []
        self.references = 0
        self.inside: dict[int, int] = {}  # from each wrapper to the wrapper in it
        # For messages: the element being read, and how each container was come by.
        self.holder = -1
        self.found_in: dict[int, tuple[int, _Key]] = {}

    def decode(self) -> Value:
        root = self.get(0)
        while self.todo:
            self.holder = self.todo.pop()
            self.fill(self.raw[self.holder], self.out[self.holder])
        self.refuse_endless_wrappers()
        return root

    def fail(
        self, reason: str, key: _Key = None, error: type[PayloadError] = PayloadError
    ) -> NoReturn:
        keys, index = [key], self.holder
        while index >= 0:
            index, key = self.found_in[index]
            keys.append(key)
        raise error(reason, index=self.holder, path=_pointer(reversed(keys)))

    def whole(self, number: object, key: _Key = None) -> int:
        if type(number) is int:
            return number
        if type(number) is float and number.is_integer():
            return int(number)
        return self.fail("something else where a whole number belongs", key)

    def index(self, reference: object, key: _Key = None) -> int:
        index = self.whole(reference, key)
        if not 0 <= index < len(self.raw):
            self.fail("a reference to no element of the payload", key)
        return index

    def get(self, reference: object, key: _Key = None) -> Value:
        """What a reference stands for; a container may be empty as yet."""
        index = reference if type(reference) is int else self.whole(reference, key)
        if index not in self.out:
            self.out[index] = self.read(self.index(index, key), key)
        return self.out[index]

    def read(self, index: int, key: _Key) -> Value:
        raw = self.raw[index]
        if not isinstance(raw, dict | list):
            beyond = type(raw) is int and abs(raw) > _MAX_EXACT
            return _double(raw) if beyond else raw
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
        if head != _SPARSE_MARK:
            return []
        length = self.whole(raw[1]) if len(raw) > 1 else -1
        if not 0 <= length <= _MAX_LENGTH:
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
            self.fail(f"an unknown tag {_short(tag)}")
        if not wraps:
            self.fail(f"a tag {_short(tag)} without the index of its value")
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
        if not _DATE.fullmatch(text):
            self.fail("a Date that is not as toISOString writes it")
        return Date(text)

    def read_regexp(self, raw: list[Any]) -> RegExp:
        if len(raw) not in (2, 3) or not all(isinstance(part, str) for part in raw):
            self.fail("RegExp needs its source, and flags or nothing")
        if not _FLAGS.fullmatch("".join(raw[2:])):
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
        if not _BIGINT.fullmatch(digits):
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
        offset, (length, rest) = 0, divmod(len(buffer.data), _ITEM_SIZES[tag])
        if len(raw) == 4:
            offset, length, rest = self.whole(raw[2]), self.whole(raw[3]), 0
        whole = (buffer, offset, length)
        view = DataView(*whole) if tag == "DataView" else TypedArray(tag, *whole)
        if rest or not _fits(view):
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
        return self.get(index) if raw is not None or index in _SENTINELS else None

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
                    HOLE if reference == _HOLE_INDEX else self.get(reference, at)
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
        if target.tag in _EMPTY_TAGS:
            if not isinstance(value, str) or value not in _EMPTY_VALUES:
                self.fail(
                    f"{target.tag} of something that is no word for an empty value"
                )
            value = _EMPTY_VALUES[value]
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
    **dict.fromkeys(_ITEM_SIZES, _Decoder.read_view),
    **dict.fromkeys((f"Temporal.{k}" for k in _TEMPORAL_KINDS), _Decoder.read_temporal),
}


# Laying out


def unwrap(value: Value) -> Value:
    """The value under any `Ref`, `Reactive` and the like (`TRANSPARENT_TAGS`).

    Raises PayloadError for wrappers, made by hand, that hold only one another.
    """
    chain: dict[int, Tagged] = {}
    while isinstance(value, Tagged) and value.tag in TRANSPARENT_TAGS:
        if value._end:
            value = value._end[0]
            break
        if id(value) in chain:
            raise PayloadError("wrappers that hold only one another")
        chain[id(value)] = value
        value = value.value
    end = (value,)
    for wrapper in chain.values():
        object.__setattr__(wrapper, "_end", end)
    return value


def to_plain(value: object, *, limits: Limits = DEFAULT_LIMITS) -> Plain:
    """The value as JSON could say it: a tree of dicts, lists and primitives.

    Wrappers come off, whatever their tag. Sets become lists, maps lists of pairs,
    dates and URLs text, a RegExp ``/source/flags``, bytes base64, typed arrays lists
    of numbers, a BigInt an int. An undefined member of an object is left out;
    elsewhere undefined is None, and so are holes, NaN, the infinities and invalid
    dates. What Pinia marks as not to be hydrated is undefined.

    What is shared is laid out once for each place, so the result may be far larger
    than the payload: LimitError when it outgrows `limits`. PayloadError for cycles
    and for types this module does not know.
    """
    return _Expander(limits).expand(value)


@dataclass(slots=True)
class _Expansion:
    source: object
    target: list[Plain] | dict[str, Plain]
    members: Iterator[tuple[_Key, object]]
    key: _Key = None


class _Expander(_Walk):
    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self.nodes = 0
        self.text = 0
        self.open: set[int] = set()

    def expand(self, value: object) -> Plain:
        root: list[Plain] = []
        self.stack.append(_Expansion(root, root, iter([(None, value)])))
        while self.stack:
            top, depth = self.stack[-1], len(self.stack)
            for key, member in top.members:
                top.key = key
                self.add(top.target, key, self.under(member))
                if len(self.stack) > depth:
                    break
            else:
                self.stack.pop()
                self.open.discard(id(top.source))
        return root[0]

    def add(self, target: Any, key: object, value: Any) -> None:
        self.nodes += 1
        self.check("values", self.nodes, self.limits.expanded_nodes)
        if isinstance(target, list):
            target.append(self.plain(value))
        elif not isinstance(key, str):
            self.fail("a key that is not text")
        elif value is not UNDEFINED:
            self.charge(len(key))
            target[key] = self.plain(value)

    def check(self, what: str, count: int, limit: int) -> None:
        if count > limit:
            self.fail(f"more than {limit} {what} when laid out", LimitError)

    def charge(self, characters: int) -> None:
        self.text += characters
        self.check("characters", self.text, self.limits.expanded_text)

    def under(self, value: Any) -> Any:
        level = len(self.stack)
        value = unwrap(value)
        while isinstance(value, Tagged | Boxed):
            level += 1
            self.check("levels", level, self.limits.depth)
            skipped = isinstance(value, Tagged) and value.tag == "skipHydrate"
            value = UNDEFINED if skipped else unwrap(value.value)
        return value

    def plain(self, value: Any) -> Plain:
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if math.isfinite(value) else None
            case Absent() | Date(text=""):
                return None
            case BigInt():
                self.charge(value.value.bit_length() // 3)
                return value.value
        text = _as_text(value)
        if text is None:
            return self.container(value)
        self.charge(len(text))
        return text

    def container(self, value: Any) -> Plain:
        target: list[Plain] | dict[str, Plain] = []
        members: Iterator[tuple[_Key, object]]
        match value:
            case dict():
                target, members = {}, iter(value.items())
            case NullProto():
                target, members = {}, iter(value.items.items())
            case list() | tuple():  # a tuple is an entry of a map
                members = enumerate(value)
            case JSSet():
                members = enumerate(value.items)
            case JSMap():
                members = enumerate(value.pairs)
            case Sparse():
                members = ((at, value.items.get(at)) for at in range(value.length))
            case TypedArray() if _fits(value):
                members = enumerate(_numbers(value))
            case _:
                self.fail(_stranger(value))
        if id(value) in self.open:
            self.fail("a value inside itself")
        self.check("levels", len(self.stack), self.limits.depth)
        self.open.add(id(value))
        self.stack.append(_Expansion(value, target, members))
        return target


def _as_text(value: object) -> str | None:
    match value:
        case str():
            return value
        case Date() | Url() | UrlSearchParams() | Temporal():
            return value.text
        case RegExp():
            return f"/{value.source}/{value.flags}"
        case ArrayBuffer():
            return b64encode(value.data).decode()
        case DataView() if _fits(value):
            end = value.offset + value.length
            return b64encode(value.buffer.data[value.offset : end]).decode()
    return None


def _numbers(view: TypedArray) -> Iterator[int | float]:
    end = view.offset + view.length * _ITEM_SIZES[view.kind]
    shown = memoryview(view.buffer.data)[view.offset : end]
    items = struct.iter_unpack(_TYPED_ARRAYS[view.kind], shown)
    return (number for (number,) in items)


def _stranger(value: object) -> str:
    if value is HOLE:
        return "a hole outside an array"
    return f"a Python {type(value).__name__} that no payload can hold"


# Writing


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
_Members: TypeAlias = "Iterator[tuple[str, _Key, object]]"


@dataclass(slots=True)
class _Frame:
    """A container being written: the `parts` written, the `members` to come."""

    index: int
    parts: list[str]
    members: _Members
    brackets: tuple[str, str] = ("[", "]")
    holes: bool = False
    key: _Key = None


class _Encoder(_Walk):
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
                reference = _HOLE_INDEX if is_hole else self.reference(member)
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
                identity = value = _double(value)
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
            case Date() if _DATE.fullmatch(value.text):
                return ["Date", value.text]
            case RegExp() if _FLAGS.fullmatch(value.flags):
                return ["RegExp", value.source, *filter(None, [value.flags])]
            case Url():
                return ["URL", value.text]
            case UrlSearchParams():
                return ["URLSearchParams", value.text]
            case Temporal() if value.kind in _TEMPORAL_KINDS:
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
            case TypedArray() | DataView() if _fits(value):
                return _view(index, value)
        tag, inner = self.tag_and_inner(value)
        return _Frame(index, [_quote(tag)], iter([("", None, inner)]))

    def tag_and_inner(self, value: Any) -> tuple[str, object]:
        match value:
            case Tagged() if value.tag in _EMPTY_TAGS:
                return value.tag, self.empty(value)
            case Tagged():
                return value.tag, value.value
            case Boxed(inner) if isinstance(inner, str | int | float | BigInt):
                return "Object", inner
        return self.fail(_stranger(value))

    def empty(self, wrapper: Tagged) -> str:
        """The word for what an empty ref holds: JSON.stringify's, where it has one."""
        value = wrapper.value
        if isinstance(value, float):
            value = None if math.isnan(value) else value or 0
        for word, empty in _EMPTY_VALUES.items():
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
        if not 0 <= length <= _MAX_LENGTH or not all(0 <= at < length for at in items):
            self.fail("a sparse array of impossible length, or with items outside it")
        # devalue's reckoning: three characters a hole, against the length and one
        # position for each item.
        digits = len(str(length))
        listed = 4 + digits + len(items) * (digits + 1)
        if 3 * (length - len(items)) > listed:
            some = ((f"{at},", at, items[at]) for at in sorted(items))
            return _Frame(index, [str(_SPARSE_MARK), str(length)], some)
        every = (items.get(at, HOLE) for at in range(length))
        return _Frame(index, [], _in_order(every), holes=True)


def _in_order(members: Iterable[object]) -> _Members:
    return (("", at, member) for at, member in enumerate(members))


def _entries(mapping: JSMap) -> _Members:
    for at, pair in enumerate(mapping.pairs):
        for side, member in enumerate(pair):
            yield "", (at, side), member


def _view(index: int, view: TypedArray | DataView) -> _Frame:
    is_part = view.length * _ITEM_SIZES[view.kind] != len(view.buffer.data)
    end = f",{view.offset},{view.length}]" if is_part else "]"
    member = ("", None, view.buffer)
    return _Frame(index, [f'"{view.kind}"'], iter([member]), ("[", end))


_SPECIAL_NUMBERS: Final = {
    repr(value): sentinel
    for sentinel, value in _SENTINELS.items()
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
    if number.is_integer() and abs(number) <= _MAX_EXACT:
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
