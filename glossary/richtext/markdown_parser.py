"""Markdown as it is read here: where markdown-it is told otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock
from markdown_it.rules_block import paragraph, reference, table

from .blocks import BREAK, MAX_DEPTH
from .links import encode_href


if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline


#: In markdown-it's levels, of which a list takes two: the list and its item.
MAX_LEVEL = 2 * MAX_DEPTH
INLINE_TAGS = ("<sub>", "</sub>", "<sup>", "</sup>")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--|<[?]|<![a-zA-Z\[]")


class _BlockParser(ParserBlock):
    """Keeps as paragraphs what is nested too deep, where markdown-it drops it."""

    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:
        if state.level < MAX_LEVEL:
            super().tokenize(state, startLine, endLine)
            return
        state.line = state.skipEmptyLines(startLine)
        while state.line < endLine and state.sCount[state.line] >= state.blkIndent:
            paragraph(state, state.line, endLine, False)
            state.line = state.skipEmptyLines(state.line)


class _Parser(MarkdownIt):
    """CommonMark with tables and strikethrough, where every link is read as a link:
    ``MarkdownReader`` judges it, and reports what it drops."""

    def __init__(self) -> None:
        super().__init__("commonmark")
        self.block = _BlockParser()
        self.configure("commonmark", {"html": False, "maxNesting": MAX_LEVEL})
        self.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
        self.block.ruler.at("reference", _reference)
        self.inline.ruler.at("html_inline", _html_inline)
        self.enable(["table", "strikethrough"])

    def validateLink(self, url: str) -> bool:
        return True

    def normalizeLink(self, url: str) -> str:
        return encode_href(url)

    def normalizeLinkText(self, link: str) -> str:
        return link


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table as the cells that are there.

    markdown-it drops cells beyond the header's, and fills up short rows: a few
    kilobytes become millions of cells.
    """
    found = table(state, start, end, True)
    if silent or not found:
        return found
    token = state.push("table_open", "table", 1)
    token.map = [start, start + 2]
    token.content = state.getLines(start, start + 1, state.blkIndent, False)
    ends = state.md.block.ruler.getRules("blockquote")
    line = start
    while line < end and not state.isEmpty(line):
        if line > start + 1 and (
            state.sCount[line] < state.blkIndent
            or any(rule(state, line, end, True) for rule in ends)
        ):
            break
        if line != start + 1:
            source = state.getLines(line, line + 1, state.blkIndent, False).strip()
            cells = re.split(r"(?<!\\)\|", source.removeprefix("|"))
            for number, cell in enumerate(cells if cells[-1] else cells[:-1]):
                token = state.push("inline", "", 0)
                token.content = cell.replace("\\|", "|").strip()
                token.map, token.children = [line, line + 1], []
                between = " | " if number else BREAK
                token.meta = {"before": between, "header": line == start}
        line += 1
    state.push("table_close", "table", -1)
    state.line = line
    return True


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Leave a footnote as GitHub writes it, ``[^1]: …``, to be text and no address."""
    begin = state.bMarks[start] + state.tShift[start]
    return not state.src.startswith("[^", begin) and reference(
        state, start, end, silent
    )


def _html_inline(state: StateInline, silent: bool) -> bool:
    """Read ``<sub>`` and ``<sup>``, which Markdown cannot say; see all other HTML."""
    match = TAG.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    known = match[0] in INLINE_TAGS
    if not silent:
        token = state.push("html_inline" if known else "raw_html", "", 0)
        token.content = match[0]
        token.markup = match[0] if known else "<"
    state.pos += len(match[0]) if known else 1
    return True


PARSER = _Parser()
