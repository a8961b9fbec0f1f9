"""From blocks to Markdown: blocks and their lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .blocks import BREAK, CODE, HEADINGS, Block, Run, leaves
from .code_spaces import hide_spaces, show_spaces
from .markdown_inline import inline_markdown, longest_row
from .markdown_parser import PARSER


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def write_markdown(blocks: Sequence[Block]) -> str:
    """Write tidy blocks as Markdown, without a final newline."""
    out: list[str] = []
    lists: list[str] = []
    numbers: list[int] = []
    indents = [""]  # where the text of the items of each open list begins
    above = Block("p")
    for block in blocks:
        tight = bool(above.depth and block.depth) and not block.goes_on
        while leaves(lists, block):
            tight = tight and len(lists) > block.depth
            del lists[-1], numbers[-1], indents[-1]
        lines = _lines(block)
        first = rest = indents[-1]
        if block.tag == "blockquote":
            first = rest = "> "
        elif block.depth and not block.goes_on:
            if block.depth > len(lists):
                lists.append(block.tag)
                numbers.append(0)
                indents.append("")
            numbers[-1] += 1
            marker = "- " if block.tag == "ul" else f"{numbers[-1]}. "
            first = indents[-2] + marker
            rest = indents[-1] = " " * len(first)
        quoted = block.tag == above.tag == "blockquote"
        out.append("" if not out else "\n" if tight else "\n>\n" if quoted else "\n\n")
        out.append(first + lines[0])
        out += [f"\n{rest if line else rest.rstrip()}{line}" for line in lines[1:]]
        above = block
    return "".join(out)


def _lines(block: Block) -> list[str]:
    if block.tag == "hr":
        return ["---"]
    if block.tag in HEADINGS:
        text = re.sub(r"(^|[ \t])(#+)$", r"\1\\\2", inline_markdown(block.runs))
        return [f"{'#' * int(block.tag[1])} {text}"]
    lines: list[str] = []
    for runs in _paragraphs(block):
        lines += [""] if lines else []
        lines += _code_lines(runs) or _text_lines(inline_markdown(runs))
    return lines


def _paragraphs(block: Block) -> Iterator[list[Run]]:
    """Part an item where it has two breaks, the form of its further paragraphs."""
    runs: list[Run] = []
    for run in block.runs:
        first, *more = run.text.split(BREAK * 2) if block.depth else [run.text]
        runs += [Run(first, run.marks)] if first else []
        for text in more:
            yield runs
            runs = [Run(text, run.marks)] if text else []
    yield runs


def _code_lines(runs: Sequence[Run]) -> list[str]:
    """Return a fenced block, if each of several lines is code and nothing else."""
    code, breaks = runs[::2], runs[1::2]
    if (
        len(code) == len(breaks) + 1 > 1
        and all(run.marks == {CODE} for run in code)
        and all(run.text == BREAK for run in breaks)
        and all(show_spaces(hide_spaces(run.text)) == run.text for run in code)
    ):
        lines = [hide_spaces(run.text) for run in code]
        fence = "`" * max(3, 1 + longest_row("\n".join(lines)))
        return [fence, *lines, fence]
    return []


#: What begins a block, and what within a paragraph turns the line above into one.
BLOCK = re.compile(
    r"#{1,6}(?!\S)|>|[-+*](?!\S)|-[- \t]*$|([*_])[ \t]*(?:\1[ \t]*){2,}$"
)
NUMBER = re.compile(r"[0-9]{1,9}(?=[.)](?!\S))")
UNDERLINE = re.compile(r"(?:=+|[|:-][|: \t-]*)$")
DEFINITION = re.compile(r"\[(?:\\.|[^\[\]\\])*\]:", re.DOTALL)


def _text_lines(text: str) -> list[str]:
    """Part a paragraph into lines, none of which can be read as another block.

    A link at its start, whose text is code with ``]:`` in it, is given up for that.
    """
    lines = text.split("\n")
    if DEFINITION.match(text) and _defines(text):
        lines[0] = f"\\{lines[0]}"
    for position, line in enumerate(lines):
        number = NUMBER.match(line)
        if number and (position == 0 or int(number[0]) == 1):
            lines[position] = f"{number[0]}\\{line[number.end() :]}"
        elif BLOCK.match(line) or (position and UNDERLINE.match(line)):
            lines[position] = f"\\{line}"
    return lines


def _defines(text: str) -> bool:
    env: dict[str, Any] = {}
    PARSER.parse(text, env)
    return "references" in env
