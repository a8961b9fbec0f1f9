"""The list of blocks between the languages: what it is of, and how it is nested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


#: A hard line break within the text of a run. A vertical tab is white space to Python
#: and stands in no text, so that breaks are trimmed and moved as other white space is.
BREAK = "\v"
NO_BREAK_SPACE = "\xa0"
SPACES = " \t\n\r\f"

CODE = "code"
AUTOLINK = "autolink"
#: Marks that hold text as it stands, and so no other mark.
INNERMOST = frozenset({CODE, AUTOLINK})
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
#: The tags that Draftail stores for styles, and their features.
STYLES = {
    "b": "bold",
    "i": "italic",
    "s": "strikethrough",
    "sup": "superscript",
    "sub": "subscript",
    "code": "code",
}
OTHER_TAGS = {"strong": "b", "em": "i", "del": "s"}

#: Lists deeper than this are flattened. Draftail itself goes no deeper than 5.
MAX_DEPTH = 10

Link = tuple[tuple[str, str], ...]
Mark = str | Link
Marks = frozenset[Mark]
PLAIN: Marks = frozenset()


class Run(NamedTuple):
    """Text under the same marks: names of tags, and at most one link's attributes."""

    text: str
    marks: Marks


@dataclass(slots=True)
class Block:
    """``tag`` is p, h1 to h6, blockquote or hr, or of an item ul or ol.

    ``depth`` is 1 for the items of an outer list and 0 for all but items. A block that
    ``goes_on`` is more text of an item above it, after a list within that item.
    """

    tag: str
    depth: int = 0
    goes_on: bool = False
    line: int | None = None
    runs: list[Run] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


class Step(NamedTuple):
    """A run, and the marks to close and then to open before it."""

    closed: list[Mark]
    opened: list[Mark]
    run: Run


def nest(runs: Sequence[Run]) -> Iterator[Step]:
    """Yield steps that are properly nested; at last an empty run, to close the marks.

    Of marks that open together the one that lasts longest is outside.
    """
    ends: list[dict[Mark, int]] = [{}]
    for number, run in zip(range(len(runs), 0, -1), reversed(runs), strict=True):
        ends.append({mark: ends[-1].get(mark, number) for mark in run.marks})
    stack: list[Mark] = []
    for run in (*runs, Run("", PLAIN)):
        end = ends.pop()
        wanted = run.marks - INNERMOST
        kept = 0
        while kept < len(stack) and stack[kept] in wanted:
            kept += 1
        closed = stack[kept:][::-1]
        del stack[kept:]
        text = run.text.lstrip() if wanted.difference(stack) else run.text
        if text != run.text and CODE not in run.marks:
            # What is cut here goes on behind the space.
            space = run.text[: len(run.text) - len(text)]
            yield Step(closed, [], Run(space, PLAIN))
            closed, run = [], Run(text, run.marks)
            if not text:
                continue
        last = min((end[mark] for mark in stack), default=len(runs))
        opened = sorted(
            wanted.difference(stack),
            key=lambda mark: (-min(end[mark], last), isinstance(mark, str), mark),
        )
        stack += opened
        yield Step(closed, opened, run)


def leaves(lists: Sequence[str], block: Block) -> bool:
    """Tell whether the innermost of the open lists ends before ``block``."""
    if len(lists) == block.depth and not block.goes_on:
        return bool(lists) and lists[-1] != block.tag
    return len(lists) > block.depth
