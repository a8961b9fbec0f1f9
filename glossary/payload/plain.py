"""A value laid out as JSON could say it, without its wrappers."""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .values import (
    DEFAULT_LIMITS,
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
    Plain,
    RegExp,
    Sparse,
    Tagged,
    Temporal,
    TypedArray,
    Url,
    UrlSearchParams,
    unwrap,
)
from .walk import Key, Walk, stranger
from .wire import ITEM_SIZES, TYPED_ARRAYS, fits


if TYPE_CHECKING:
    from collections.abc import Iterator


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
    members: Iterator[tuple[Key, object]]
    key: Key = None


_LEAVES: Final = frozenset({str, int, bool, type(None)})


class _Expander(Walk):
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
                if type(member) in _LEAVES:  # most are: past all the rest
                    self.add_leaf(top.target, key, member)
                    continue
                self.add(top.target, key, self.under(member))
                if len(self.stack) > depth:
                    break
            else:
                self.stack.pop()
                self.open.discard(id(top.source))
        return root[0]

    def add_leaf(self, target: Any, key: object, value: Any) -> None:
        self.nodes += 1
        text = len(value) if type(value) is str else 0
        if type(target) is dict and type(key) is str:
            text += len(key)
            target[key] = value
        elif type(target) is list:
            target.append(value)
        else:
            self.fail("a key that is not text")
        self.text += text
        if self.nodes > self.limits.expanded_nodes:
            self.check("values", self.nodes, self.limits.expanded_nodes)
        if self.text > self.limits.expanded_text:
            self.charge(0)

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
        members: Iterator[tuple[Key, object]]
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
            case TypedArray() if fits(value):
                members = enumerate(_numbers(value))
            case _:
                self.fail(stranger(value))
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
        case DataView() if fits(value):
            end = value.offset + value.length
            return b64encode(value.buffer.data[value.offset : end]).decode()
    return None


def _numbers(view: TypedArray) -> Iterator[int | float]:
    end = view.offset + view.length * ITEM_SIZES[view.kind]
    shown = memoryview(view.buffer.data)[view.offset : end]
    items = struct.iter_unpack(TYPED_ARRAYS[view.kind], shown)
    return (number for (number,) in items)
