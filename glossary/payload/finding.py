"""The record of a term in a payload, found by its shape."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from .plain import to_plain
from .term import KNOWN
from .values import (
    DEFAULT_LIMITS,
    UNDEFINED,
    JSMap,
    JSSet,
    NullProto,
    PayloadError,
    Sparse,
    Tagged,
    unwrap,
)


if TYPE_CHECKING:
    from collections.abc import Iterator

    from .field_map import FieldMap


TERM_LIMITS: Final = replace(
    DEFAULT_LIMITS,
    expanded_nodes=100_000,
    expanded_text=8 * 1024 * 1024,
    depth=100,
)
"""What one record may grow to when shared values are laid out, and how deep."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONTAINERS: Final = frozenset({dict, list, NullProto, Sparse, JSSet, JSMap, Tagged})

# Characters of a record that is copied as it is; far below any limit.
_ROOM: Final = 200_000

_Path: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True, slots=True)
class FoundTerm:
    """A record in a payload.

    `record` is plain JSON; `pointer` leads to it in the plain view of the payload;
    `key` is the name under "data" that it hung under (Nuxt's "$f…"), None elsewhere.
    """

    record: dict[str, Any]
    pointer: str
    key: str | None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes an object a record: where its slug and its term lie, other fields."""

    slug: tuple[tuple[str, ...], ...] = (("slug",),)
    term: tuple[tuple[str, ...], ...] = (("term",),)
    known: frozenset[str] = KNOWN


_USUAL: Final = _Shape()
# A record of the slug looked for, and with so many known fields, is no teaser.
_SURELY: Final = (True, 8)


def find_term(
    value: object, *, slug: str | None = None, field_map: FieldMap | None = None
) -> FoundTerm:
    """The record of a term in a payload, which is known by its shape.

    `value` is what `devalue.loads` gave, or plain JSON. A record is an object with
    "slug" and "term", or what `field_map` has in their place; it is given as it came,
    not mapped. A payload may hold several, in a navigation or a teaser: one with the
    slug `slug` is preferred (the folder or route of the payload), then the one with
    the most known fields, then the one nearest to the root. Takes time linear in the
    values, however often they are shared.

    Raises PayloadError when there is none, or when it is an error page; LimitError
    when the record is too large, laid out.
    """
    shape = _USUAL
    if field_map is not None:
        known = KNOWN | field_map.names
        shape = _Shape(field_map.paths("slug"), field_map.paths("term"), known)
    wanted = None if slug is None else unicodedata.normalize("NFC", slug)
    # Which container each one was found in: the way back, and what has been seen.
    found_in: dict[int, tuple[int, _Path]] = {id(value): (0, ())}
    waiting = deque([value])
    best, best_rank = value, (False, 0)
    failure = value
    while waiting:
        holder = waiting.popleft()
        rank = _rank(holder, wanted, shape)
        if rank > best_rank:
            best, best_rank = holder, rank
            if rank >= _SURELY and _is_under_data(found_in, id(best)):
                break
        if isinstance(holder, Tagged) and holder.tag == "NuxtError":
            failure = holder.value
        for step, member in _members(holder):
            if type(member) in _CONTAINERS and id(member) not in found_in:
                found_in[id(member)] = id(holder), step
                waiting.append(member)
    if best_rank == (False, 0):
        raise PayloadError(f"no term in this payload: {_why_no_term(failure, shape)}")
    path = _path(found_in, id(best))
    under_data = path[:1] == ("data",) and len(path) > 1 and isinstance(path[1], str)
    record = _copied(best) or cast("dict[str, Any]", to_plain(best, limits=TERM_LIMITS))
    return FoundTerm(
        record=record,
        pointer="".join(map(step_of, path)),
        key=printable(str(path[1])) if under_data else None,
    )


def _is_under_data(found_in: dict[int, tuple[int, _Path]], identity: int) -> bool:
    path = _path(found_in, identity)
    return path[:1] == ("data",) and len(path) == 2


def _copied(record: object) -> dict[str, Any] | None:
    """The copy of a record that is plain already and of the usual size: texts, and
    lists of texts and of objects of texts. None for any other."""
    if type(record) is not dict:
        return None
    copy: dict[str, Any] = {}
    room = _ROOM
    for name, value in record.items():
        if type(value) is str:
            room -= len(value)
            copy[name] = value
        elif type(value) is list and len(value) <= 100:
            items: list[Any] = []
            for item in value:
                if type(item) is dict and len(item) <= 10:
                    if any(type(text) is not str for text in item.values()):
                        return None
                    room -= sum(map(len, item.values()))
                    items.append(dict(item))
                elif type(item) is str:
                    room -= len(item)
                    items.append(item)
                else:
                    return None
            copy[name] = items
        else:
            return None
        if room < 0:
            return None
    return copy


def _members(holder: object) -> Iterator[tuple[_Path, object]]:
    """The members of a container, each with its step in the plain view."""
    match holder:
        case dict():
            yield from (((key,), member) for key, member in holder.items())
        case list():
            yield from (((at,), member) for at, member in enumerate(holder))
        case Tagged():
            yield (), holder.value
        case NullProto() | Sparse():
            yield from (((key,), member) for key, member in holder.items.items())
        case JSSet():
            yield from (((at,), member) for at, member in enumerate(holder.items))
        case JSMap():
            for at, pair in enumerate(holder.pairs):
                yield from (((at, side), member) for side, member in enumerate(pair))


def _fields(value: object) -> dict[str, Any]:
    if isinstance(value, NullProto):
        return value.items
    return value if isinstance(value, dict) else {}


def _rank(holder: object, slug: str | None, shape: _Shape) -> tuple[bool, int]:
    """How well an object does for the term looked for; (False, 0) is not at all."""
    fields = _fields(holder)
    if not fields:
        return False, 0
    own = _first(fields, shape.slug)
    if own is UNDEFINED or _first(fields, shape.term) is UNDEFINED:
        return False, 0
    known = sum(
        name in shape.known and member is not UNDEFINED
        for name, member in fields.items()
    )
    fits = isinstance(own, str) and unicodedata.normalize("NFC", own) == slug
    return fits, known


def _first(fields: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> Any:
    """What the first of the paths leads to, UNDEFINED when none leads anywhere."""
    for path in paths:
        value: Any = fields
        for name in path:
            value = unwrap(_fields(value).get(name, UNDEFINED))
        if value is not UNDEFINED:
            return value
    return UNDEFINED


def _why_no_term(value: object, shape: _Shape) -> str:
    while isinstance(value, Tagged):
        value = value.value
    fields = _fields(value)
    status = fields.get("statusCode", fields.get("status"))
    if type(status) is not int:
        both = [".".join(paths[0]) for paths in (shape.slug, shape.term)]
        return f"no object in it has both “{both[0]}” and “{both[1]}”"
    text = fields.get("statusMessage") or fields.get("message")
    shown = f": {printable(text)[:100]}" if isinstance(text, str) and text else ""
    return f"the site answered with an error page, status {status}{shown}"


def _path(found_in: dict[int, tuple[int, _Path]], identity: int) -> _Path:
    steps: list[_Path] = []
    while identity:
        identity, step = found_in[identity]
        steps.append(step)
    return tuple(key for step in reversed(steps) for key in step)


@lru_cache(maxsize=1024)
def step_of(key: str | int) -> str:
    """One step of a JSON pointer, with its slash, fit to be shown."""
    return "/" + printable(str(key)).replace("~", "~0").replace("/", "~1")


def printable(text: str) -> str:
    """The text without what ends badly in logs, terminals and databases."""
    if text.isascii() and "\x00" not in text:
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\x00", "\ufffd"))
