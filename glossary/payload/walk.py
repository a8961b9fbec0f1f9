"""The way into a value, which an error names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from .values import HOLE, PayloadError


if TYPE_CHECKING:
    from collections.abc import Iterable


# A step on the way to a value: a key, a position, (entry, 0 or 1) in a map, or None
# for the inside of a wrapper, which `to_plain` takes away.
Key: TypeAlias = "str | int | tuple[int, int] | None"


def pointer(keys: Iterable[Key]) -> str:
    """The JSON pointer of these steps."""
    steps: list[str] = []
    for key in keys:
        if isinstance(key, str):
            steps.append(key.replace("~", "~0").replace("/", "~1"))
        elif isinstance(key, tuple):
            steps += map(str, key)
        elif key is not None:
            steps.append(str(key))
    return "".join(f"/{step}" for step in steps)


class Walk:
    """A way into a value: the containers begun, each standing at one of its keys."""

    def __init__(self) -> None:
        self.stack: list[Any] = []

    def fail(self, reason: str, error: type[PayloadError] = PayloadError) -> NoReturn:
        raise error(reason, path=pointer(step.key for step in self.stack))


def stranger(value: object) -> str:
    """Why a value cannot be in a payload, for a message."""
    if value is HOLE:
        return "a hole outside an array"
    return f"a Python {type(value).__name__} that no payload can hold"
