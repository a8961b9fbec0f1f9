"""The spaces of code, which HTML and Draftail would join."""

from __future__ import annotations

import re

from .blocks import NO_BREAK_SPACE


def show_spaces(line: str) -> str:
    """Make the spaces of a line of code such that HTML and Draftail keep them."""
    plain = line.expandtabs(4).replace(NO_BREAK_SPACE, " ")
    shown = re.sub("^ +| {2,}", lambda match: NO_BREAK_SPACE * len(match[0]), plain)
    return shown or NO_BREAK_SPACE


def hide_spaces(line: str) -> str:
    """Return the line of code that ``show_spaces`` made ``line`` of."""
    return "" if line == NO_BREAK_SPACE else line.replace(NO_BREAK_SPACE, " ")
