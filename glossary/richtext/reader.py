"""From what is read, in either language, to a tidy list of blocks."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from .blocks import (
    BREAK,
    CODE,
    HEADINGS,
    INNERMOST,
    MAX_DEPTH,
    PLAIN,
    SPACES,
    Block,
    Run,
)
from .losses import Loss


if TYPE_CHECKING:
    from collections.abc import Sequence

    from .blocks import Link, Mark, Marks


class Reader:
    """Collects blocks, whichever language they are read from."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.losses: list[Loss] = []
        self.line: int | None = None
        self.marks = PLAIN
        self._times: dict[Mark, int] = {}
        self._links: list[tuple[Link | None, str, int]] = []
        self._lists: list[str] = []
        self._quotes = 0
        self._block: Block | None = None
        self._gap = False  # the next text starts a further paragraph of its item
        self._texts = 0

    def lose(self, code: str, detail: str) -> None:
        words = " ".join(detail[:200].split())
        excerpt = words if len(words) <= 60 else words[:59] + "…"
        self.losses.append(Loss(code, excerpt, self.line))

    def start(self, tag: str) -> None:
        if tag != "p" and (self._lists or self._quotes):
            self.lose("nesting", tag)
        if not self._lists:
            self._put(Block("blockquote" if tag == "p" and self._quotes else tag))
        elif self._block:
            self._gap = True
        else:
            self._put(Block(self._lists[-1], len(self._lists), goes_on=True))

    def end(self) -> None:
        if self._lists:
            self._gap = True
        else:
            self._block = None

    def start_quote(self) -> None:
        if self._lists or self._quotes:
            self.lose("nesting", "blockquote")
        self._quotes += 1

    def end_quote(self) -> None:
        self._quotes = max(0, self._quotes - 1)
        self.end()

    def start_list(self, tag: str) -> None:
        if self._quotes:
            self.lose("nesting", tag)
        self._lists.append(tag)
        self._block = None

    def end_list(self) -> None:
        if self._lists:
            self._lists.pop()
        self._block = None

    def start_item(self) -> None:
        self._put(Block(self._lists[-1] if self._lists else "p", len(self._lists)))

    def end_item(self) -> None:
        self._block = None

    def rule(self) -> None:
        if self._lists or self._quotes:
            self.lose("nesting", "hr")
        if not self._lists:
            self._put(Block("hr"))
            self._block = None

    def mark(self, mark: Mark, change: int) -> None:
        times = self._times.pop(mark, 0) + change
        if times > 0:
            self._times[mark] = times
        self.marks = frozenset(self._times)

    @property
    def in_link(self) -> bool:
        return any(not isinstance(mark, str) for mark in self.marks)

    def start_link(self, link: Link | None, address: str) -> None:
        if link and self.in_link:
            self.lose("nesting", address)
            link = None
        if link:
            self.mark(link, 1)
        self._links.append((link, address, self._texts))

    def end_link(self) -> None:
        link, address, texts = self._links.pop() if self._links else (None, "", -1)
        if texts == self._texts:
            self.lose("empty-link", address)
        if link:
            self.mark(link, -1)

    def add(self, text: str, marks: Marks) -> None:
        empty = not text.strip()
        if CODE in marks:
            text = text.replace("\n", " ").replace("\r", " ")
        elif empty and (self._block is None or self._gap):
            return
        if self._block is None:
            self.start("p")
        if self._block:
            if self._gap:
                self._block.runs.append(Run(BREAK * 2, PLAIN))
            self._block.runs.append(Run(text, marks))
        self._gap = False
        self._texts += not empty

    def _put(self, block: Block) -> None:
        block.line = self.line
        self.blocks.append(block)
        self._block = block
        self._gap = False


def tidy(reader: Reader, *, unwrap: bool = False) -> list[Block]:
    """Return the blocks in the one form that the writers expect: none is empty, no
    item is deeper than its parent allows, and equal marks share one run."""
    blocks: list[Block] = []
    for block in reader.blocks:
        reader.line = block.line
        if not any(t.strip() or (CODE in m and not unwrap) for t, m in block.runs):
            if block.tag == "hr":
                blocks.append(block)
            continue
        above = blocks[-1] if blocks else Block("p")
        if block.depth > MAX_DEPTH:
            reader.lose("nesting", block.text)
        block.depth = min(block.depth, above.depth + 1, MAX_DEPTH)
        if block.goes_on and above.depth == block.depth:
            above.runs += [Run(BREAK * 2, PLAIN), *block.runs]
            continue
        block.goes_on = block.goes_on and above.depth > block.depth
        blocks.append(block)
    for block in blocks:
        block.runs = _join(block.runs, in_item=block.depth > 0, unwrap=unwrap)
        if block.tag in HEADINGS:
            if BREAK in block.text:
                reader.lose("heading-break", block.text)
            block.runs = [Run(re.sub(r"[\n\v]", " ", t), m) for t, m in block.runs]
        if unwrap:
            spaces = re.compile(f"[{SPACES}]+")
            block.runs = [Run(spaces.sub(" ", text), m) for text, m in block.runs]
    return blocks


def _join(runs: Sequence[Run], *, in_item: bool, unwrap: bool) -> list[Run]:
    """Join equal neighbours and settle the white space.

    White space at the ends of a block goes; white space between two texts has the marks
    that both share, so that no emphasis begins or ends with a space.
    """
    joined: list[Run] = []
    space, reach = "", PLAIN
    for text, marks in runs:
        core = text if CODE in marks else text.strip()
        if unwrap and CODE in marks:  # from which Draftail takes its white space too
            core = (text if joined else text.lstrip()).strip(SPACES)
        before, _, after = text.partition(core) if core else (text, "", "")
        if before:
            space += before
            reach &= marks
        if not core:
            continue
        if space and joined:
            breaks = space.count(BREAK)
            if in_item and breaks > 1:
                joined.append(Run(BREAK * 2, PLAIN))
            else:
                shared = (reach & marks) - INNERMOST
                joined.append(Run(BREAK * breaks or _soft(space), shared))
        if "\n" in core or "\r" in core:
            lines = (line.strip() for line in re.split(r"[\r\n]", core))
            core = "\n".join(line for line in lines if line)
        joined.append(Run(core, marks))
        space, reach = after, marks
    return [
        Run("".join(run.text for run in equal), marks)
        for marks, equal in groupby(joined, key=lambda run: run.marks)
    ]


def _soft(space: str) -> str:
    return "\n" if "\n" in space or "\r" in space else space
