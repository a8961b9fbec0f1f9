"""From Markdown to blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from .blocks import BREAK, CODE, OTHER_TAGS, PLAIN
from .code_spaces import hide_spaces, show_spaces
from .links import safe_href
from .markdown_parser import MAX_LEVEL, PARSER
from .reader import Reader


if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it.token import Token

    from .blocks import Link


INTERNAL = re.compile(r"wagtail://(page|document)[?]id=([0-9]{1,19})")


class MarkdownReader(Reader):
    """Reads markdown-it's tokens. They are balanced, whatever the text."""

    SIMPLE: ClassVar[dict[str, Callable[[Reader], None]]] = {
        "paragraph_close": Reader.end,
        "heading_close": Reader.end,
        "table_close": Reader.end,
        "bullet_list_close": Reader.end_list,
        "ordered_list_close": Reader.end_list,
        "list_item_open": Reader.start_item,
        "list_item_close": Reader.end_item,
        "blockquote_open": Reader.start_quote,
        "blockquote_close": Reader.end_quote,
        "hr": Reader.rule,
    }

    def __init__(self, text: str, *, internal_links: bool = False) -> None:
        super().__init__()
        self._internal_links = internal_links
        self._addresses: set[str] = set()
        # Definitions let a short text repeat a long address without end.
        self._budget = 4 * len(text) + 10_000
        env: dict[str, Any] = {}
        before = ""
        for token in PARSER.parse(text.replace(BREAK, " "), env):
            if token.map:
                self.line = token.map[0] + 1
            if token.type.endswith("list_open") and before == token.type[:-4] + "close":
                self.lose("list-join", token.markup)
            before = token.type
            self._read(token)
        definitions = list(env.get("references", {}).values())
        for definition in definitions + env.get("duplicate_refs", []):
            if definition["href"] not in self._addresses:
                self.line = definition["map"][0] + 1
                self.lose("definition", definition["href"])

    def _read(self, token: Token) -> None:
        match token.type:
            case "paragraph_open" | "heading_open":
                if token.level >= MAX_LEVEL:
                    self.lose("nesting", token.tag)
                self.start(token.tag)
            case "bullet_list_open" | "ordered_list_open":
                if start := token.attrs.get("start"):
                    self.lose("list-start", f"{start}{token.markup}")
                self.start_list(token.tag)
            case "fence" | "code_block":
                self._code(token)
            case "table_open":
                self.lose("table", token.content)
                self.start("p")
            case "inline" if token.meta:
                self.add(token.meta["before"], PLAIN)
                self.mark("b", token.meta["header"])
                self._inline(token)
                self.mark("b", -token.meta["header"])
            case "inline":
                self._inline(token)
            case simple:
                self.SIMPLE[simple](self)

    def _code(self, token: Token) -> None:
        source = token.content.removesuffix("\n").split("\n")
        lines = [show_spaces(line) for line in source]
        if token.info or len(lines) < 2 or [*map(hide_spaces, lines)] != source:
            self.lose("code-block", f"{token.info} {token.content}")
        if token.content.strip():
            self.start("p")
            for number, line in enumerate(lines):
                self.add(BREAK if number else "", PLAIN)
                self.add(line, frozenset({CODE}))
            self.end()

    def _inline(self, token: Token) -> None:
        opened: dict[str, list[Token]] = {}
        for child in token.children or []:
            if child.type == "html_inline":
                child.type = "raw_html"
                if "/" not in child.content:
                    opened.setdefault(child.content, []).append(child)
                elif openers := opened.get(child.content.replace("/", "")):
                    openers.pop().type = child.type = "html_inline"
        for child in token.children or []:
            self._read_inline(child)

    def _read_inline(self, token: Token) -> None:
        match token.type:
            case "text":
                self.add(token.content, self.marks)
            case "softbreak":
                self.add("\n", self.marks)
            case "hardbreak":
                self.add(BREAK, self.marks)
            case "code_inline":
                self.add(token.content, self.marks | {CODE})
            case "html_inline":
                self.mark(token.content.strip("</>"), -1 if "/" in token.content else 1)
            case "raw_html":
                self.lose("raw-html", token.content)
                self.add(token.markup, self.marks)
            case "link_open":
                href = str(token.attrs["href"])
                if title := token.attrs.get("title"):
                    self.lose("link-title", str(title))
                self.start_link(self._link(href), href)
            case "link_close":
                self.end_link()
            case "image":
                self._image(token)
            case _:
                self.mark(OTHER_TAGS.get(token.tag, token.tag), token.nesting)

    def _image(self, token: Token) -> None:
        address = str(token.attrs["src"])
        self.lose("image", address)
        link = None if self.in_link else self._link(address)
        self.start_link(link, address)
        self._inline(token)
        if link and not token.content.strip():
            self.add(address, self.marks)
        self.end_link()

    def _link(self, href: str) -> Link | None:
        """Judge an address. Reports one that makes no link."""
        self._addresses.add(href)
        self._budget -= len(href)
        internal = INTERNAL.fullmatch(href)
        if internal and self._internal_links:
            return (("linktype", internal[1]), ("id", internal[2]))
        if internal:
            self.lose("internal-link", href)
        elif not href:
            self.lose("empty-link", href)
        elif self._budget < 0:
            self.lose("many-links", href)
        elif not safe_href(href):
            self.lose("unsafe-link", href)
        else:
            return (("href", href),)
        return None
