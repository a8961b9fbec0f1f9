"""From rich text, as Wagtail stores it, to blocks."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, ClassVar

from .blocks import BREAK, CODE, HEADINGS, OTHER_TAGS, STYLES
from .links import encode_href, safe_href
from .reader import Reader


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .blocks import Link


class RichTextReader(Reader, HTMLParser):
    """Reads what Wagtail stores. Of other tags it reads the text."""

    STARTS: ClassVar[dict[str, Callable[[Reader], None]]] = {
        "li": Reader.start_item,
        "blockquote": Reader.start_quote,
        "hr": Reader.rule,
    }
    ENDS: ClassVar[dict[str, Callable[[Reader], None]]] = {
        **dict.fromkeys(("p", "div", *HEADINGS), Reader.end),
        "ul": Reader.end_list,
        "ol": Reader.end_list,
        "li": Reader.end_item,
        "blockquote": Reader.end_quote,
        "a": Reader.end_link,
    }

    def __init__(
        self,
        html: str,
        link_url: Callable[[Mapping[str, str]], str | None] | None = None,
    ) -> None:
        Reader.__init__(self)
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
        href = encode_href(href)
        if href and safe_href(href):
            return (("href", href),)
        if href:
            self.lose("unsafe-link", href)
        return None

    def _embed(self, values: dict[str, str]) -> None:
        url = encode_href(values.get("url", ""))
        self.lose("embed", url or values.get("alt", ""))
        self.start("p")
        self.start_link(self._link({"href": url}), url)
        self.add(url or values.get("alt", ""), self.marks)
        self.end_link()
        self.end()
