"""From the runs of a block to Markdown: marks, links and what is escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace

from .blocks import AUTOLINK, BREAK, CODE, INNERMOST, Run, nest


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .blocks import Link, Mark, Step


DELIMITERS = {"b": "**", "i": "*", "s": "~~"}
ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{1,31}:[^\s<>]*")
EMAIL = re.compile(r"[a-zA-Z0-9.+_-]+@(?:[a-zA-Z0-9]{1,63}\.)+[a-zA-Z0-9]{1,63}")


def inline_markdown(runs: Sequence[Run]) -> str:
    """Write marks such that CommonMark reads them back, wherever they begin and end.

    Whether a row of ``*`` opens or closes depends on its neighbours. Where these are
    wrong (a letter before, a full stop after), the letter outside is written as an
    entity, which is punctuation to a parser.
    """
    steps = list(nest(list(_autolinks(runs))))
    rows = [*_rows(steps), ("", "")]
    edges = [_edges(step.run) for step in steps]
    heads, tails = [False] * len(steps), [False] * len(steps)
    for now, step in enumerate(steps[1:], 1):
        closers, openers = rows[now]
        if closers and not openers and step.closed[-1] in DELIMITERS:
            heads[now] = _blocked(edges[now][0], closers[::-1], edges[now - 1][1])
            if heads[now] and len(step.run.text) == 1:
                edges[now] = ("&", ";")
    for before, step in reversed([*enumerate(steps[1:])]):
        closers, openers = rows[before + 1]
        if openers and not closers and step.opened[0] in DELIMITERS:
            tails[before] = _blocked(edges[before][1], openers, edges[before + 1][0])
            if tails[before] and len(steps[before].run.text) == 1:
                edges[before] = ("&", ";")
    special = SPECIAL + ("| ~" if any("s" in run.marks for run in runs) else "")
    return "".join(
        "".join(rows[now])
        + _escape(step.run, heads[now], tails[now], "".join(rows[now + 1]), special)
        for now, step in enumerate(steps)
    )


def _rows(steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """Yield what closes and what opens before each run.

    Where two rows of ``*`` could be taken for one another, the second is of ``_``.
    """
    closing: dict[Mark, str] = {}
    before = " "
    for closed, opened, run in steps:
        closers = "".join(closing.pop(mark) for mark in closed)
        near = {closing[mark][0] for mark in ("b", "i") if mark in closing}
        if closed and closed[-1] in ("b", "i"):
            near.add(closers[-1])
        emphasis = "_" if "*" in near and (closed or not before.isspace()) else "*"
        openers = ""
        for mark in opened:
            opener, closing[mark] = _delimiters(mark, emphasis)
            openers += opener
        yield closers, openers
        before = _edges(run)[1]


def _autolinks(runs: Sequence[Run]) -> Iterator[Run]:
    """Mark a text that is its own address."""
    for before, run, after in zip([None, *runs], runs, [*runs[1:], None], strict=False):
        for mark in run.marks:
            shared = any(other and mark in other.marks for other in (before, after))
            if isinstance(mark, tuple) and not shared and CODE not in run.marks:
                href = dict(mark).get("href", "")
                if (run.text == href and ADDRESS.fullmatch(href)) or (
                    f"mailto:{run.text}" == href and EMAIL.fullmatch(run.text)
                ):
                    run = Run(run.text, (run.marks - {mark}) | {AUTOLINK})
        yield run


def _edges(run: Run) -> tuple[str, str]:
    """Return the first and the last character of a run, as a parser classes them."""
    if run.marks & INNERMOST:
        return "`", "`"
    return run.text[:1] or " ", run.text[-1:] or " "


def _delimiters(mark: Mark, emphasis: str) -> tuple[str, str]:
    if not isinstance(mark, str):
        return "[", f"]({_destination(mark)})"
    if mark in DELIMITERS:
        delimiter = DELIMITERS[mark].replace("*", emphasis)
        return delimiter, delimiter
    return f"<{mark}>", f"</{mark}>"


def _destination(link: Link) -> str:
    values = dict(link)
    if kind := values.pop("linktype", ""):
        return f"wagtail://{quote(kind)}?{urlencode(values, quote_via=quote)}"
    url = re.sub(r"&(?=#?\w+;)", r"\\&", values["href"])
    paired = re.sub(r"\([^()]*\)", "", url)
    return re.sub(r"[()]", r"\\\g<0>", url) if re.search(r"[()]", paired) else url


def _blocked(outside: str, row: str, inside: str) -> bool:
    """Tell whether a delimiter does not open between these; or close, all reversed."""
    inside = (row + inside).lstrip(row[0])[:1] or inside
    return _is_word(outside) and (row[0] == "_" or not _is_word(inside))


def _is_word(char: str) -> bool:
    code = ord(char)
    return not (isWhiteSpace(code) or isMdAsciiPunct(code) or isPunctChar(char))


#: What could be read as Markdown within a line.
SPECIAL = r"""
    ` | \*(?: (?<!\s\*) | (?![^\S\v]) ) | _(?: (?<![^\W_]_) | (?![^\W_]) )
    | ~(?: (?<=~~) | (?=~) ) | \](?=\() | <(?=[a-zA-Z/!?]) | &(?=\#?\w+;)
    | \\(?=[!-/:-@\[-`{-~\s]|\Z)
"""


def _escape(run: Run, head: bool, tail: bool, following: str, special: str) -> str:
    """Return the text of a run, its first or last character as an entity if asked."""
    text = run.text
    if AUTOLINK in run.marks:
        return f"<{text}>"
    if CODE in run.marks:
        return _code_span(text)
    start = f"&#{ord(text[0])};" if head else ""
    end = f"&#{ord(text[-1])};" if tail and len(text) > head else ""
    text = text[bool(start) : len(text) - bool(end)]
    if any(isinstance(mark, tuple) for mark in run.marks):
        special += r"| [\[\]]"
    text = re.sub(special, r"\\\g<0>", text, flags=re.VERBOSE)
    if following[:1] == "[" and text.endswith("!"):
        text = f"{text[:-1]}\\!"
    return f"{start}{text}{end}".replace(BREAK, "\\\n")


def _code_span(text: str) -> str:
    fence = "`" * (1 + longest_row(text))
    spaced = text[0] == text[-1] == " " and text.strip(" ")
    space = " " if spaced or "`" in (text[0], text[-1]) else ""
    return f"{fence}{space}{text}{space}{fence}"


def longest_row(text: str) -> int:
    """Return the length of the longest row of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)
