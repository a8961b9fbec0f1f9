"""The scripts of a page of HTML that may hold its payload.

A page is read in one pass, without a tree; nothing in it is run or fetched.

Sources: the HTML standard's tokenizer, of which this is as much as scripts need, and
the renderers of Nuxt 2 and 3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Final


if TYPE_CHECKING:
    from collections.abc import Iterator


_START: Final = re.compile(r"<(?:(!--)|([A-Za-z][^\s/>]*)|[!?/])")
_ATTRIBUTE: Final = re.compile(
    r"""[\s/]*+(?:(>)|([^\s/>=][^\s/>=]*+)"""
    r"""(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+)))?)"""
)
_COMMENT_END: Final = re.compile(r"--!?>")
# Their content is text, in which nothing begins.
_TEXT: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in "script style textarea title iframe noembed noframes xmp".split()  # noqa: SIM905
}


@dataclass(frozen=True, slots=True)
class PageScript:
    """A script of a page: `attributes` in lower case, "" for one without a value."""

    attributes: dict[str, str]
    text: str

    @property
    def is_data(self) -> bool:
        """Whether it is the JSON of Nuxt 3, which several apps of a page may have."""
        attributes = self.attributes
        return attributes.get("id") == "__NUXT_DATA__" or "data-nuxt-data" in attributes

    @property
    def is_code(self) -> bool:
        """Whether it is the JavaScript of Nuxt 2, or of Nuxt 3 without JSON."""
        return "src" not in self.attributes and (
            "__NUXT__" in self.text or "__NUXT_JSONP__" in self.text
        )


def page_scripts(page: str) -> Iterator[PageScript]:
    """The scripts of a page in their order; not those in comments and text areas."""
    at = 0
    while start := _START.search(page, at):
        if start[1]:
            # <!--> and <!---> are comments as well.
            end = _COMMENT_END.search(page, start.end() - 2)
            at = end.end() if end else len(page)
            continue
        attributes, at = _attributes(page, start.end())
        name = (start[2] or "").lower()
        if name in _TEXT:
            close = _TEXT[name].search(page, at)
            end_of_text = close.start() if close else len(page)
            if name == "script" and close:
                yield PageScript(attributes, page[at:end_of_text])
            at = end_of_text


def _attributes(page: str, at: int) -> tuple[dict[str, str], int]:
    """The attributes that begin there, and where the tag ends."""
    found: dict[str, str] = {}
    while match := _ATTRIBUTE.match(page, at):
        at = match.end()
        if match[1]:
            return found, at
        value = match[3] or match[4] or match[5] or ""
        found.setdefault(match[2].lower(), unescape(value))
    # Something odd, such as a quotation mark without an end: to the end of the tag.
    end = page.find(">", at)
    return found, end + 1 if end >= 0 else len(page)
