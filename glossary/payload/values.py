"""What a payload can hold, what it may cost, and the errors of one that cannot be.

Beside Python's own types, a payload has values of JavaScript that Python lacks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Final, TypeAlias


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
        places += [f"at {short(path)}"] if path else []
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


def short(text: str) -> str:
    """Untrusted text as a message can show it, in quotes and not too long."""
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


# Wrappers, and what is in them

EMPTY_TAGS: Final = frozenset({"EmptyRef", "EmptyShallowRef"})

TRANSPARENT_TAGS: Final = EMPTY_TAGS | {
    "Ref",
    "ShallowRef",
    "Reactive",
    "ShallowReactive",
}
"""Vue's wrappers: the value inside is what the page sees."""

NUXT_TAGS: Final = TRANSPARENT_TAGS | {"NuxtError", "Island", "skipHydrate"}
"""The tags that Nuxt and Pinia write by themselves."""


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
