"""Markdown, Wagtail's rich text, and plain text, from each into the others.

Both languages are read into one flat list of blocks, as Draftail keeps a text: a
paragraph, a heading, or a list item with its depth, each of runs of text with a set of
marks. From that list all three are written. So nothing recurses; a text that an editor
saves unchanged reads the same (but for two cases, which the tests name); and no markup
can come in: only the tags of this module are written, around text that is escaped.

Wagtail's own whitelist finds nothing to take from that, which a test holds. It is not
run here, because it would drop code, quotes, strikethrough, superscript and subscript:
Wagtail has rules for these in Draftail only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from urllib.parse import quote, urlencode

from django.utils.translation import gettext_lazy as _
from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_block import ParserBlock
from markdown_it.rules_block import paragraph, reference, table
from wagtail.whitelist import check_url


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token


#: What a term's prose may hold. h2 is the heading of the section around it.
FEATURES = [
    *("h3", "h4", "bold", "italic", "ol", "ul", "link", "document-link", "code"),
    *("blockquote", "hr", "strikethrough", "superscript", "subscript"),
]

#: What can be lost on the way, by the code of the loss.
LOSSES = {
    "code-block": _("A block of code became lines of code."),
    "definition": _("A link definition that no link uses was left out."),
    "embed": _("An embedded image or media item became text."),
    "empty-link": _("A link without an address or without a text was left out."),
    "feature": _("A style that the field does not offer was left out."),
    "heading-break": _("A line break in a heading became a space."),
    "heading-level": _("A heading changed its level."),
    "image": _("An image became a link with its description."),
    "internal-link": _("A link to a page or document of the site became text."),
    "link-title": _("The title of a link was left out."),
    "list-join": _("Two lists that follow each other became one."),
    "list-start": _("A numbered list starts at 1 again."),
    "many-links": _("A link became text, because the links repeat too long addresses."),
    "nesting": _("Something stood where only text can stand, or too deep."),
    "raw-html": _("HTML is shown as text."),
    "table": _("A table became lines of text."),
    "unsafe-link": _("A link with an unsafe address became text."),
}


class Loss(NamedTuple):
    """One thing that the other language cannot say.

    ``code`` is a key of ``LOSSES``, ``detail`` a short excerpt of the source (untrusted
    text), ``line`` its line in the Markdown, from 1, or None.
    """

    code: str
    detail: str
    line: int | None


class Converted(NamedTuple):
    """A text in the other language, and what it could not say."""

    value: str
    losses: tuple[Loss, ...]


def markdown_to_rich_text(
    text: str, *, features: Sequence[str] = FEATURES, internal_links: bool = False
) -> Converted:
    """Turn Markdown into rich text as Wagtail stores it.

    CommonMark with strikethrough and tables; of HTML only ``<sup>`` and ``<sub>``.
    Links to pages and documents (``wagtail://page?id=3``, as in Wagtail's API) become
    text unless ``internal_links``: a payload from outside must not forge them.
    """
    reader = _MarkdownReader(text, internal_links=internal_links)
    _fit(reader, frozenset(features))
    value = _write_rich_text(_tidy(reader))
    return Converted(value, tuple(reader.losses))


def rich_text_to_markdown(
    html: str,
    *,
    link_url: Callable[[Mapping[str, str]], str | None] | None = None,
    unwrap: bool = False,
) -> Converted:
    """Turn rich text as Wagtail stores it into Markdown, without a final newline.

    ``link_url`` gives the URL of an internal link from its attributes, such as
    ``{"linktype": "page", "id": "3"}``, or None to leave its text. ``unwrap`` writes
    each white space as one space, as Draftail does whenever an editor saves: compare
    texts in that form.
    """
    reader = _RichTextReader(html, link_url)
    value = _write_markdown(_tidy(reader, unwrap=unwrap))
    return Converted(value, tuple(reader.losses))


def normal_markdown(
    text: str, *, internal_links: bool = False, unwrap: bool = False
) -> str:
    """Return the Markdown that comes back after ``text`` was stored as rich text."""
    stored = markdown_to_rich_text(text, internal_links=internal_links)
    return rich_text_to_markdown(stored.value, unwrap=unwrap).value


def rich_text_to_plain(html: str) -> str:
    """Return the text: paragraphs apart by a blank line, items on lines with ``- ``."""
    return _write_plain(_tidy(_RichTextReader(html)))


def markdown_to_plain(text: str) -> str:
    """Return the text of Markdown, in the form of ``rich_text_to_plain``."""
    return _write_plain(_tidy(_MarkdownReader(text)))


def safe_href(url: str) -> bool:
    """Tell whether ``url`` is relative, or of a scheme that Wagtail allows."""
    return check_url(url) is not None


# The blocks -------------------------------------------------------------------------

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


class _Reader:
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


def _tidy(reader: _Reader, *, unwrap: bool = False) -> list[Block]:
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


class Step(NamedTuple):
    """A run, and the marks to close and then to open before it."""

    closed: list[Mark]
    opened: list[Mark]
    run: Run


def _nest(runs: Sequence[Run]) -> Iterator[Step]:
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


# Reading Markdown ---------------------------------------------------------------------

#: In markdown-it's levels, of which a list takes two: the list and its item.
MAX_LEVEL = 2 * MAX_DEPTH
INLINE_TAGS = ("<sub>", "</sub>", "<sup>", "</sup>")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--|<[?]|<![a-zA-Z\[]")
ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{1,31}:[^\s<>]*")
EMAIL = re.compile(r"[a-zA-Z0-9.+_-]+@(?:[a-zA-Z0-9]{1,63}\.)+[a-zA-Z0-9]{1,63}")
INTERNAL = re.compile(r"wagtail://(page|document)[?]id=([0-9]{1,19})")


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
    ``_MarkdownReader`` judges it, and reports what it drops."""

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
        return _encode(url)

    def normalizeLinkText(self, link: str) -> str:
        return link


def _encode(url: str) -> str:
    """Percent-encode what can stand in no URL, and drop what browsers drop of one: so
    a scheme that is judged is the scheme that is used. All else stays as written."""
    url = re.sub(r"[\x00-\x1f\x7f]", "", url).strip()
    return re.sub(r'[ "<>\\^`{|}]', lambda match: quote(match[0]), url)


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


_PARSER = _Parser()


class _MarkdownReader(_Reader):
    """Reads markdown-it's tokens. They are balanced, whatever the text."""

    SIMPLE: ClassVar[dict[str, Callable[[_Reader], None]]] = {
        "paragraph_close": _Reader.end,
        "heading_close": _Reader.end,
        "table_close": _Reader.end,
        "bullet_list_close": _Reader.end_list,
        "ordered_list_close": _Reader.end_list,
        "list_item_open": _Reader.start_item,
        "list_item_close": _Reader.end_item,
        "blockquote_open": _Reader.start_quote,
        "blockquote_close": _Reader.end_quote,
        "hr": _Reader.rule,
    }

    def __init__(self, text: str, *, internal_links: bool = False) -> None:
        super().__init__()
        self._internal_links = internal_links
        self._addresses: set[str] = set()
        # Definitions let a short text repeat a long address without end.
        self._budget = 4 * len(text) + 10_000
        env: dict[str, Any] = {}
        before = ""
        for token in _PARSER.parse(text.replace(BREAK, " "), env):
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
        lines = [_show_spaces(line) for line in source]
        if token.info or len(lines) < 2 or [*map(_hide_spaces, lines)] != source:
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


def _show_spaces(line: str) -> str:
    """Make the spaces of a line of code such that HTML and Draftail keep them."""
    plain = line.expandtabs(4).replace(NO_BREAK_SPACE, " ")
    shown = re.sub("^ +| {2,}", lambda match: NO_BREAK_SPACE * len(match[0]), plain)
    return shown or NO_BREAK_SPACE


def _hide_spaces(line: str) -> str:
    return "" if line == NO_BREAK_SPACE else line.replace(NO_BREAK_SPACE, " ")


def _fit(reader: _Reader, features: frozenset[str]) -> None:
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


# Reading rich text --------------------------------------------------------------------


class _RichTextReader(_Reader, HTMLParser):
    """Reads what Wagtail stores. Of other tags it reads the text."""

    STARTS: ClassVar[dict[str, Callable[[_Reader], None]]] = {
        "li": _Reader.start_item,
        "blockquote": _Reader.start_quote,
        "hr": _Reader.rule,
    }
    ENDS: ClassVar[dict[str, Callable[[_Reader], None]]] = {
        **dict.fromkeys(("p", "div", *HEADINGS), _Reader.end),
        "ul": _Reader.end_list,
        "ol": _Reader.end_list,
        "li": _Reader.end_item,
        "blockquote": _Reader.end_quote,
        "a": _Reader.end_link,
    }

    def __init__(
        self,
        html: str,
        link_url: Callable[[Mapping[str, str]], str | None] | None = None,
    ) -> None:
        _Reader.__init__(self)
        HTMLParser.__init__(self)
        self._link_url = link_url
        # Comments and unfinished tags, which Wagtail never stores, would make the
        # parser search to the end of the text again and again.
        tags, last, tail = html.replace(BREAK, " ").rpartition(">")
        tags = tags.replace("<!", "&lt;!").replace("<?", "&lt;?")
        self.feed(tags + last + tail.replace("<", "&lt;"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        tag = OTHER_TAGS.get(tag, tag)
        if tag in STYLES:
            self.mark(tag, 1)
        elif tag in self.STARTS:
            self.STARTS[tag](self)
        elif tag in ("ul", "ol"):
            self.start_list(tag)
        elif tag == "a":
            if self._links:
                self.end_link()
            self.start_link(self._link(values), values.get("href", ""))
        elif tag == "br":
            self.add(BREAK, self.marks - {CODE})
        elif tag == "embed":
            self._embed(values)
        elif tag in self.ENDS:
            self.start("p" if tag == "div" else tag)

    def handle_endtag(self, tag: str) -> None:
        tag = OTHER_TAGS.get(tag, tag)
        if tag in STYLES:
            self.mark(tag, -1)
        elif tag in self.ENDS:
            self.ENDS[tag](self)

    def handle_data(self, data: str) -> None:
        self.add(data, self.marks)

    def _link(self, values: dict[str, str]) -> Link | None:
        kept = {k: v for k, v in values.items() if k != "href" and k[:5] != "data-"}
        href = values.get("href", "")
        if "linktype" in kept:
            if self._link_url is None:
                return tuple(kept.items())
            href = self._link_url(kept) or ""
            if not href:
                self.lose("internal-link", str(kept))
                return None
        href = _encode(href)
        if href and safe_href(href):
            return (("href", href),)
        if href:
            self.lose("unsafe-link", href)
        return None

    def _embed(self, values: dict[str, str]) -> None:
        url = _encode(values.get("url", ""))
        self.lose("embed", url or values.get("alt", ""))
        self.start("p")
        self.start_link(self._link({"href": url}), url)
        self.add(url or values.get("alt", ""), self.marks)
        self.end_link()
        self.end()


# Writing rich text --------------------------------------------------------------------


def _write_rich_text(blocks: Sequence[Block]) -> str:
    out: list[str] = []
    lists: list[str] = []
    for block in [*blocks, Block("p")]:
        while _leaves(lists, block):
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


def _leaves(lists: Sequence[str], block: Block) -> bool:
    """Tell whether the innermost of the open lists ends before ``block``."""
    if len(lists) == block.depth and not block.goes_on:
        return bool(lists) and lists[-1] != block.tag
    return len(lists) > block.depth


def _inline_html(runs: Sequence[Run]) -> str:
    out: list[str] = []
    for closed, opened, run in _nest(runs):
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


# Writing Markdown ---------------------------------------------------------------------


def _write_markdown(blocks: Sequence[Block]) -> str:
    out: list[str] = []
    lists: list[str] = []
    numbers: list[int] = []
    indents = [""]  # where the text of the items of each open list begins
    above = Block("p")
    for block in blocks:
        tight = bool(above.depth and block.depth) and not block.goes_on
        while _leaves(lists, block):
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
        text = re.sub(r"(^|[ \t])(#+)$", r"\1\\\2", _inline_markdown(block.runs))
        return [f"{'#' * int(block.tag[1])} {text}"]
    lines: list[str] = []
    for runs in _paragraphs(block):
        lines += [""] if lines else []
        lines += _code_lines(runs) or _text_lines(_inline_markdown(runs))
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
        and all(_show_spaces(_hide_spaces(run.text)) == run.text for run in code)
    ):
        lines = [_hide_spaces(run.text) for run in code]
        fence = "`" * max(3, 1 + _longest("\n".join(lines)))
        return [fence, *lines, fence]
    return []


def _longest(text: str) -> int:
    """Return the length of the longest row of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


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
    _PARSER.parse(text, env)
    return "references" in env


DELIMITERS = {"b": "**", "i": "*", "s": "~~"}


def _inline_markdown(runs: Sequence[Run]) -> str:
    """Write marks such that CommonMark reads them back, wherever they begin and end.

    Whether a row of ``*`` opens or closes depends on its neighbours. Where these are
    wrong (a letter before, a full stop after), the letter outside is written as an
    entity, which is punctuation to a parser.
    """
    steps = list(_nest(list(_autolinks(runs))))
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
    fence = "`" * (1 + _longest(text))
    spaced = text[0] == text[-1] == " " and text.strip(" ")
    space = " " if spaced or "`" in (text[0], text[-1]) else ""
    return f"{fence}{space}{text}{space}{fence}"


# Writing plain text -------------------------------------------------------------------


def _write_plain(blocks: Sequence[Block]) -> str:
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
