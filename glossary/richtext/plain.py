"""From blocks to plain text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .blocks import BREAK, NO_BREAK_SPACE, Block


if TYPE_CHECKING:
    from collections.abc import Sequence


def write_plain(blocks: Sequence[Block]) -> str:
    """Write tidy blocks as text: items on lines of their own, with ``- ``."""
    out: list[str] = []
    above = Block("p")
    for block in blocks:
        text = block.text.replace("\n", " ").replace(NO_BREAK_SPACE, " ")
        if block.depth:
            indent = "  " * (block.depth - 1)
            text = re.sub(f"{BREAK}+", f"\n{indent}  ", text)
            text = indent + ("  " if block.goes_on else "- ") + text
        if text:
            tight = above.depth and block.depth
            out.append("" if not out else "\n" if tight else "\n\n")
            out.append(text.replace(BREAK, "\n"))
        above = block
    return "".join(out)
