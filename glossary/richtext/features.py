"""What a field can hold, and how other blocks are made to fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .blocks import HEADINGS, STYLES, Run


if TYPE_CHECKING:
    from .blocks import Mark
    from .reader import Reader


#: What a term's prose may hold. h2 is the heading of the section around it.
FEATURES = [
    *("h3", "h4", "bold", "italic", "ol", "ul", "link", "document-link", "code"),
    *("blockquote", "hr", "strikethrough", "superscript", "subscript"),
]


def fit(reader: Reader, features: frozenset[str]) -> None:
    """Keep to what a field of these features can store."""
    headings = [tag for tag in HEADINGS if tag in features]
    lists = [tag for tag in ("ul", "ol") if tag in features]
    for block in reader.blocks:
        reader.line = block.line
        tag = block.tag
        if tag in HEADINGS and tag not in headings:
            distance = {other: abs(int(other[1]) - int(tag[1])) for other in headings}
            block.tag = min(headings, key=distance.__getitem__, default="p")
            reader.lose("heading-level", block.text)
        elif tag in ("ul", "ol") and tag not in lists:
            block.tag = lists[0] if lists else "p"
            if not lists:
                block.depth, block.goes_on = 0, False
            reader.lose("feature", block.text)
        elif tag in ("blockquote", "hr") and tag not in features:
            block.tag = "p"
            reader.lose("feature", block.text or tag)
        missing = {mark for run in block.runs for mark in run.marks}
        missing = {mark for mark in missing if _feature(mark) not in features}
        if missing:
            reader.lose("feature", block.text)
            block.runs = [Run(text, marks - missing) for text, marks in block.runs]


def _feature(mark: Mark) -> str:
    if isinstance(mark, str):
        return STYLES[mark]
    return "document-link" if ("linktype", "document") in mark else "link"
