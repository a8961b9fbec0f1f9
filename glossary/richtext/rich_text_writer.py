"""From blocks to rich text, as Wagtail stores it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .blocks import BREAK, CODE, Block, leaves, nest


if TYPE_CHECKING:
    from collections.abc import Sequence

    from .blocks import Run


def write_rich_text(blocks: Sequence[Block]) -> str:
    """Write tidy blocks as rich text."""
    out: list[str] = []
    lists: list[str] = []
    for block in [*blocks, Block("p")]:
        while leaves(lists, block):
            out.append(f"</li></{lists.pop()}>")
        text = _inline_html(block.runs)
        if block.goes_on:
            out.append(f"<br/>{text}")
        elif block.depth > len(lists):
            out.append(f"<{block.tag}><li>{text}")
            lists.append(block.tag)
        elif block.depth:
            out.append(f"</li><li>{text}")
        elif block.tag == "hr":
            out.append("<hr/>")
        elif text:
            out.append(f"<{block.tag}>{text}</{block.tag}>")
    return "".join(out)


def _inline_html(runs: Sequence[Run]) -> str:
    out: list[str] = []
    for closed, opened, run in nest(runs):
        for mark in closed:
            out.append(f"</{mark if isinstance(mark, str) else 'a'}>")
        for mark in opened:
            if isinstance(mark, str):
                out.append(f"<{mark}>")
            else:
                values = "".join(f' {name}="{escape(value)}"' for name, value in mark)
                out.append(f"<a{values}>")
        text = escape(run.text, quote=False).replace(BREAK, "<br/>")
        out.append(f"<code>{text}</code>" if CODE in run.marks else text)
    return "".join(out)
