"""A value in JavaScript: literals, what holds them, and names that stand for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from .js_tokens import Tokens
from .js_values import construct
from .values import HOLE, UNDEFINED, BigInt, JSMap, JSSet, LimitError, Value


_CONSTANTS: Final[dict[str, Value]] = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": UNDEFINED,
    "NaN": math.nan,
    "Infinity": math.inf,
}
# No name of a parameter; most of them begin something that is not known here.
_WORDS: Final = """
    arguments async await break case catch class const continue debugger default delete
    do else enum eval export extends finally for function if import in instanceof let
    new of return static super switch this throw try typeof var void while with yield
    Array Date Map Object Set window
"""
_RESERVED: Final = frozenset({*_WORDS.split(), *_CONSTANTS})
UNSAFE_KEY: Final = "__proto__"


@dataclass(slots=True)
class _Open:
    """Something begun, to be closed by `end`; `value` is what it has so far."""

    kind: str
    end: str
    value: Any
    at: int
    key: str | None = None
    spread: bool = False
    after_comma: bool = True


@dataclass(slots=True)
class Imported:
    """What stands in another file."""

    path: str


class Expressions(Tokens):
    """Reads values, whatever they have in them; nothing is evaluated.

    At most `nodes` values, `depth` within each other.
    """

    def __init__(self, text: str, depth: int, nodes: int) -> None:
        super().__init__(text)
        self.depth = depth
        self.nodes = self.nodes_left = nodes
        self.names: dict[str, Any] = {}

    def function(self) -> Value:
        """What a function that is called at once returns."""
        return self.refuse("a function")

    def name(self) -> str:
        if self.token.kind != "name" or self.token.text in _RESERVED:
            self.refuse("a name expected")
        return self.next().text

    def spend(self, nodes: int = 1) -> None:
        self.nodes_left -= nodes
        if self.nodes_left < 0:
            raise LimitError(f"a script with more than {self.nodes:,} values")

    def known(self, at: int) -> Any:
        name = self.name()
        if name not in self.names:
            self.refuse("a name that stands for nothing", at)
        return self.names[name]

    def expression(self) -> Value:
        """One value, whatever it has in it."""
        stack: list[_Open] = []
        while True:
            opened, value = self.begin(stack)
            if opened is not None:
                if len(stack) >= self.depth:
                    raise LimitError(f"a script nested deeper than {self.depth} levels")
                stack.append(opened)
            elif not stack:
                return value
            else:
                self.deliver(stack[-1], value)
            # Whatever ends here may end what it stands in, too.
            while stack and self.closes(stack[-1]):
                done = stack.pop()
                value = self.finish(done)
                if not stack:
                    return value
                self.deliver(stack[-1], value)

    def begin(self, stack: list[_Open]) -> tuple[_Open | None, Value]:
        """What begins here: something to be filled, or a value that is complete."""
        self.spend()
        kind, text, at = self.token
        if kind == "string":
            return None, self.string()
        if kind == "number":
            self.next()
            return None, self.number(at, text)
        if kind == "name":
            return self.begin_name(text, at, stack)
        if kind != "mark" or text not in "{[(!-+":
            self.refuse("a value expected")
        self.next()
        if text == "{":
            return _Open("object", "}", {}, at), None
        if text == "[":
            return _Open("array", "]", [], at), None
        if text == "(":
            if self.is_name("function"):
                value = self.function()
                self.expect(")")
                return None, value
            return _Open("group", ")", [], at), None
        return None, self.signed(text, at)

    def signed(self, sign: str, at: int) -> Value:
        """!0, !1, -1, -Infinity."""
        kind, text, number_at = self.token
        if sign == "!":
            if kind == "number" and text in ("0", "1"):
                self.next()
                return text == "0"
            self.refuse("'!' of something else than 0 and 1", at)
        if kind == "name" and text == "Infinity":
            self.next()
            return -math.inf if sign == "-" else math.inf
        if kind != "number":
            self.refuse("a sign without a number", at)
        self.next()
        value = self.number(number_at, text)
        if isinstance(value, BigInt):
            if sign == "+":
                self.refuse("a sign before a BigInt", at)
            return BigInt(-value.value)
        assert isinstance(value, int | float)  # noqa: S101
        if sign == "+":
            return value
        return -value if value else -0.0

    def begin_name(
        self, text: str, at: int, stack: list[_Open]
    ) -> tuple[_Open | None, Value]:
        if text in _CONSTANTS and text not in self.names:
            self.next()
            return None, _CONSTANTS[text]
        if text == "void":
            self.next()
            if self.token[:2] != ("number", "0"):
                self.refuse("void of something else than 0", at)
            self.next()
            return None, UNDEFINED
        if text == "function":
            return None, self.function()
        if text == "new":
            return self.begin_new(at)
        if text in ("Object", "Array"):
            return self.begin_call(text, at)
        value = self.known(at)
        spread = stack and stack[-1].kind == "object" and stack[-1].spread
        if isinstance(value, Imported) and not spread:
            self.refuse("what another file has, but not spread", at)
        if self.is_mark("(") or self.is_mark(".") or self.is_mark("["):
            self.refuse("something done with a value", at)
        return None, value

    def begin_new(self, at: int) -> tuple[_Open | None, Value]:
        self.expect("new")
        name = self.token.text
        if name not in ("Date", "Set", "Map"):
            self.refuse("an object of a kind that no payload has", at)
        self.next()
        if self.accept("("):
            return _Open(f"new {name}", ")", [], at), None
        if name == "Date":
            self.refuse("a Date without its time", at)
        return None, JSSet([]) if name == "Set" else JSMap([])

    def begin_call(self, name: str, at: int) -> tuple[_Open | None, Value]:
        self.next()
        if name == "Object" and self.accept("."):
            method = self.token.text
            if method not in ("create", "assign"):
                self.refuse("a function that no payload calls", at)
            self.next()
            name = f"Object.{method}"
        self.expect("(")
        return _Open(name, ")", [], at), None

    def closes(self, top: _Open) -> bool:
        """Whether what stands open ends here; else what comes is a member of it."""
        if self.is_mark(top.end):
            if top.kind == "group" and top.after_comma:
                self.refuse("an empty parenthesis")
            self.next()
            return True
        if not top.after_comma:
            self.expect(",")
            top.after_comma = True
            return self.closes(top)
        if top.kind == "array":
            while self.accept(","):
                self.spend()
                top.value.append(HOLE)
            if self.accept("]"):
                return True
        elif top.kind == "group" and top.value:
            self.refuse("two values in one parenthesis")
        elif top.kind == "object":
            self.begin_member(top)
        return False

    def begin_member(self, top: _Open) -> None:
        top.spread = self.accept("...")
        if top.spread:
            return
        kind, text, at = self.token
        if kind == "name":
            self.next()
            key = text
        elif kind == "string":
            key = self.string()
        elif kind == "number" and text.isdecimal():
            self.next()
            key = text
        else:
            self.refuse("a key expected")
        if key == UNSAFE_KEY:
            self.refuse("a key __proto__", at)
        top.key = key
        if not self.accept(":"):
            self.refuse("':' after a key expected")

    def deliver(self, top: _Open, value: Value) -> None:
        top.after_comma = False
        if top.kind != "object":
            top.value.append(value)
        elif top.spread:
            self.spread(top, value)
        else:
            top.value[top.key] = value

    def spread(self, top: _Open, value: object) -> None:
        if isinstance(value, Imported):
            return  # in another file, which is not looked at
        if not isinstance(value, dict):
            self.refuse("'...' of something that is no object", top.at)
        self.spend(len(value))
        top.value.update(value)

    def finish(self, done: _Open) -> Value:
        if done.kind in ("object", "array"):
            value: Value = done.value
            return value
        if done.kind == "group":
            (value,) = done.value
            return value
        try:
            return construct(done.kind, done.value)
        except ValueError as error:
            return self.refuse(str(error), done.at)
