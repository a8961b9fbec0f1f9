"""The words of the wire: what stands for a value that JSON lacks."""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Final

from .values import UNDEFINED, BigInt


if TYPE_CHECKING:
    from .values import DataView, TypedArray, Value


SENTINELS: Final[dict[int, Value]] = {
    -1: UNDEFINED,
    -3: math.nan,
    -4: math.inf,
    -5: -math.inf,
    -6: -0.0,
}
HOLE_INDEX: Final = -2
SPARSE_MARK: Final = -7
MAX_LENGTH: Final = 2**32 - 1
MAX_EXACT: Final = 2**53

# Each with its item as `struct` spells it; every runtime of note is little-endian.
TYPED_ARRAYS: Final = {
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
ITEM_SIZES: Final = {
    kind: struct.calcsize(item) for kind, item in TYPED_ARRAYS.items()
} | {"DataView": 1}
TEMPORAL_KINDS: Final = (
    *("Duration", "Instant", "ZonedDateTime", "PlainDate", "PlainTime"),
    *("PlainDateTime", "PlainMonthDay", "PlainYearMonth"),
)
DATE: Final = re.compile(
    r"|(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII
)
FLAGS: Final = re.compile(r"d?g?i?m?s?[uv]?y?")
BIGINT: Final = re.compile(r"0|-?[1-9][0-9]*")

# A table, because the words only look like JSON: "_" and "0n" are not.
EMPTY_VALUES: Final[dict[str, Value]] = {
    "_": UNDEFINED,
    "0n": BigInt(0),
    "null": None,
    "0": 0,
    '""': "",
    "false": False,
}


def fits(view: TypedArray | DataView) -> bool:
    """Whether a view is of a known kind and lies within its buffer."""
    size = ITEM_SIZES.get(view.kind)
    return (
        size is not None
        and min(view.offset, view.length) >= 0
        and view.offset % size == 0
        and view.offset + view.length * size <= len(view.buffer.data)
    )


def double(number: float) -> float:
    """The JavaScript number nearest to a Python one, infinite when it is too large."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
