"""Payloads that are JavaScript, read without running any of it.

Nuxt before 3.5, and Nuxt 2, write a payload as an expression: literals, inside a
function whose parameters stand for what occurs twice. Only that grammar is known here.
Whatever else a script may say is refused, with the place, so nothing in it can have
an effect. Nothing recurses: what has been begun waits on a stack.

Sources: @nuxt/devalue 2.0.2 and the renderers of Nuxt 2 and 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .js_expressions import UNSAFE_KEY, Expressions, Imported
from .js_tokens import Token
from .js_values import set_member
from .values import UNDEFINED, JSMap, JSSet, PayloadError, Value


MAX_DEPTH: Final = 200
MAX_NODES: Final = 500_000


@dataclass(frozen=True, slots=True)
class Script:
    """What a script says: the payload, and the files that it takes the rest from."""

    value: Value
    imports: tuple[str, ...] = ()


def read_script(text: str, *, depth: int = MAX_DEPTH, nodes: int = MAX_NODES) -> Script:
    """The payload in a script.

    That is what it exports (``export default``), gives to ``__NUXT_JSONP__``, or puts
    into ``window.__NUXT__``. Values are those of `devalue.loads`. Containers that the
    script shares are one Python object, and may be cyclic.

    Raises PayloadError, with the position, for everything else a script could say;
    LimitError for one that nests deeper than `depth` or has more than `nodes` values.
    """
    return _Reader(text, depth, nodes).script()


class _Reader(Expressions):
    def __init__(self, text: str, depth: int, nodes: int) -> None:
        super().__init__(text, depth, nodes)
        self.in_function = False
        self.imports: list[str] = []

    # Statements of the script

    def script(self) -> Script:
        value: Value = UNDEFINED
        while self.token.kind != "end":
            if self.accept(";"):
                continue
            if self.is_name("import"):
                self.read_import()
                continue
            at = self.token.at
            found = self.statement(value)
            if found is not None and value is not UNDEFINED:
                self.refuse("a second payload", at)
            value = value if found is None else found[0]
            if self.token.kind != "end" and not self.is_mark(";"):
                self.refuse("something after the payload")
        if value is UNDEFINED:
            raise PayloadError("a script without a payload in it")
        return Script(value, tuple(self.imports))

    def read_import(self) -> None:
        self.expect("import")
        name = self.name()
        self.expect("from")
        path = self.string()
        self.imports.append(path)
        self.names[name] = Imported(path)
        if self.token.kind != "end" and not self.accept(";"):
            self.refuse("something after an import")

    def statement(self, before: Value) -> tuple[Value] | None:
        """The payload that a statement gives; None when it only adds to it."""
        if self.is_name("export"):
            self.expect("export", "default")
            return (self.expression(),)
        if self.is_name("__NUXT_JSONP__"):
            self.expect("__NUXT_JSONP__", "(")
            self.string()
            self.expect(",")
            value = self.expression()
            self.expect(")")
            return (value,)
        if not self.is_name("window"):
            return (self.expression(),)
        self.expect("window")
        steps = self.steps()
        if steps[:1] != ["__NUXT__"]:
            self.refuse("something that is set, but not window.__NUXT__")
        self.expect("=")
        value = self.expression()
        if len(steps) == 1:
            return (value,)
        # window.__NUXT__.config = {…} stands beside the payload.
        if isinstance(before, dict) and len(steps) == 2:
            before[steps[1]] = value
        return None

    def steps(self) -> list[str]:
        """The members that a chain of .name and ["name"] leads through."""
        steps = []
        while self.is_mark(".") or self.is_mark("["):
            if self.accept("."):
                if self.token.kind != "name":
                    self.refuse("a name expected")
                steps.append(self.next().text)
            else:
                self.expect("[")
                steps.append(self.member_name())
                self.expect("]")
            if steps[-1] == UNSAFE_KEY:
                self.refuse("a key __proto__")
        if not steps:
            self.refuse("a member expected")
        return steps

    def member_name(self) -> str:
        if self.token.kind == "number":
            _, text, at = self.next()
            if not text.isdecimal():
                self.refuse("a position that is no whole number", at)
            return text
        return self.string()

    # The function around a payload

    def function(self) -> Value:
        """(function(a,b){…; return …}(1,2)), from its keyword to its arguments."""
        start = self.token.at
        if self.in_function:
            self.refuse("a function in a function")
        self.expect("function")
        if self.token.kind == "name":
            self.name()
        self.expect("(")
        parameters: list[str] = []
        while not self.accept(")"):
            parameters.append(self.name())
            if not self.is_mark(")"):
                self.expect(",")
        body = self.token
        self.skip_braces(start)
        wrapped = self.accept(")")
        self.in_function = True
        arguments = self.arguments()
        after, after_at = self.token, self.at
        if len(set(parameters)) != len(parameters):
            self.refuse("two parameters of one name", start)
        outer = self.names
        padded = arguments + [UNDEFINED] * (len(parameters) - len(arguments))
        self.names = dict(zip(parameters, padded, strict=False))
        self.token, self.at = body, body.at + 1
        value = self.body()
        self.names, self.in_function = outer, False
        self.token, self.at = after, after_at
        # (function(){…})() has closed the parenthesis that the caller waits for.
        if wrapped:
            self.token, self.at = Token("mark", ")", after.at), after.at
        return value

    def skip_braces(self, start: int) -> None:
        depth = 0
        while True:
            kind, text, _ = self.token
            if kind == "end":
                self.refuse("a function without an end", start)
            depth += (text == "{") - (text == "}") if kind == "mark" else 0
            if depth <= 0 and kind == "mark" and text != "}":
                self.refuse("'{' expected")
            self.next()
            if depth == 0:
                return

    def arguments(self) -> list[Value]:
        self.expect("(")
        values: list[Value] = []
        while not self.accept(")"):
            values.append(self.expression())
            if not self.is_mark(")"):
                self.expect(",")
        return values

    def body(self) -> Value:
        self.expect("{")
        while not self.is_name("return"):
            if not self.accept(";"):
                self.change()
                if not self.is_name("return"):
                    self.expect(";")
        self.expect("return")
        value = self.expression()
        self.accept(";")
        if not self.is_mark("}"):
            self.refuse("something after the return")
        return value

    def change(self) -> None:
        """How shared values are filled: a.b=…, a[0]=…, a.add(…).add(…), a.set(…,…)."""
        target = self.known(self.token.at)
        if isinstance(target, JSSet | JSMap):
            self.fill_collection(target)
            return
        at = self.token.at
        steps = self.steps()
        self.expect("=")
        value = self.expression()
        if len(steps) != 1:
            self.refuse("a change within a member", at)
        try:
            self.spend(set_member(target, steps[0], value, self.nodes_left))
        except ValueError as error:
            self.refuse(str(error), at)

    def fill_collection(self, target: JSSet | JSMap) -> None:
        method = "add" if isinstance(target, JSSet) else "set"
        while self.accept("."):
            self.expect(method)
            at = self.token.at
            values = self.arguments()
            if isinstance(target, JSSet) and len(values) == 1:
                target.items.append(values[0])
            elif isinstance(target, JSMap) and len(values) == 2:
                target.pairs.append((values[0], values[1]))
            else:
                self.refuse(f"{method} with other arguments", at)
