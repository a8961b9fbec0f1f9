"""The objects that a payload in JavaScript makes: dates, sets, maps and the like."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .values import HOLE, BigInt, Boxed, Date, JSMap, JSSet, NullProto, Value
from .wire import DATE


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DESCRIPTION: Final = frozenset({"value", "writable", "enumerable", "configurable"})


def construct(call: str, values: list[Value]) -> Value:
    """What a call such as "new Date" or "Object.create" gives for these arguments.

    Raises ValueError, with the reason, for one that no payload has.
    """
    found: Value
    match call, values:
        case "new Date", [value]:
            return _date(value)
        case (("new Set" | "new Map"), []):
            return JSSet([]) if call == "new Set" else JSMap([])
        case "new Set", [list(items)]:
            return JSSet(list(items))
        case "new Map", [list(items)] if all(map(_is_pair, items)):
            pairs: list[Any] = items
            return JSMap([(key, value) for key, value in pairs])
        case "Array", [int(length)] if 0 <= length < 2**32:
            return []  # filled by position: a length is only a claim
        case "Object", [(str() | bool() | int() | float() | BigInt()) as found]:
            return Boxed(found)
        case "Object.create", [None, *described] if len(described) < 2:
            return NullProto(_described(*described))
        case "Object.assign", [NullProto() as target, dict(members)]:
            target.items.update(members)
            return target
    raise ValueError(f"{call} of something that no payload has there")


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2


def _described(members: object = None) -> dict[str, Value]:
    """The members that property descriptors describe, {"a": {"value": 1}} for one."""
    plain: dict[str, Value] = {}
    for key, member in members.items() if isinstance(members, dict) else ():
        if not isinstance(member, dict) or "value" not in member:
            raise ValueError("a member that is not described by its value")
        if not member.keys() <= _DESCRIPTION:
            raise ValueError("a member that is not described by its value alone")
        plain[key] = member["value"]
    return plain


def _date(value: Value) -> Date:
    if isinstance(value, str) and DATE.fullmatch(value):
        return Date(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a Date that is neither milliseconds nor as in JSON")
    if math.isnan(value):
        return Date("")
    try:
        moment = _EPOCH + timedelta(milliseconds=math.trunc(value))
    except (OverflowError, ValueError):
        raise ValueError("a Date beyond the years 1 to 9999") from None
    text = moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return Date(f"{text}Z")


def set_member(target: Value, key: str, value: Value, room: int) -> int:
    """Does target[key] = value; gives how many holes that made.

    Raises ValueError for what has no such member, or if more than `room` holes.
    """
    match target:
        case dict():
            target[key] = value
        case NullProto():
            target.items[key] = value
        case list() if key.isdecimal() and len(key) < 10:
            position = int(key)
            holes = max(0, position - len(target))
            if holes > room:
                raise ValueError("an array with more holes than a payload has")
            if position >= len(target):
                target += [HOLE] * (holes + 1)
            target[position] = value
            return holes
        case _:
            raise ValueError("a member of something that has none")
    return 0
