"""Markdown, Wagtail's rich text, and plain text, from each into the others.

Both languages are read into one flat list of blocks, as Draftail keeps a text: a
paragraph, a heading, or a list item with its depth, each of runs of text with a set of
marks. From that list all three are written. So nothing recurses; a text that an editor
saves unchanged reads the same (but for two cases, which the tests name); and no markup
can come in: only the tags of this package are written, around text that is escaped.

Wagtail's own whitelist finds nothing to take from that, which a test holds. It is not
run here, because it would drop code, quotes, strikethrough, superscript and subscript:
Wagtail has rules for these in Draftail only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .blocks import MAX_DEPTH
from .features import FEATURES, fit
from .links import safe_href
from .losses import LOSSES, Loss
from .lossless import is_surely_lossless
from .markdown_reader import MarkdownReader
from .markdown_writer import write_markdown
from .plain import write_plain
from .reader import tidy
from .rich_text_reader import RichTextReader
from .rich_text_writer import write_rich_text


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


__all__ = [
    "FEATURES",
    "LOSSES",
    "MAX_DEPTH",
    "Converted",
    "Loss",
    "is_surely_lossless",
    "markdown_losses",
    "markdown_to_plain",
    "markdown_to_rich_text",
    "normal_markdown",
    "rich_text_to_markdown",
    "rich_text_to_plain",
    "safe_href",
]


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
    reader = MarkdownReader(text, internal_links=internal_links)
    fit(reader, frozenset(features))
    value = write_rich_text(tidy(reader))
    return Converted(value, tuple(reader.losses))


def markdown_losses(text: str) -> tuple[Loss, ...]:
    """What rich text cannot say of a Markdown text."""
    return () if is_surely_lossless(text) else markdown_to_rich_text(text).losses


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
    reader = RichTextReader(html, link_url)
    value = write_markdown(tidy(reader, unwrap=unwrap))
    return Converted(value, tuple(reader.losses))


def normal_markdown(
    text: str, *, internal_links: bool = False, unwrap: bool = False
) -> str:
    """Return the Markdown that comes back after ``text`` was stored as rich text."""
    stored = markdown_to_rich_text(text, internal_links=internal_links)
    return rich_text_to_markdown(stored.value, unwrap=unwrap).value


def rich_text_to_plain(html: str) -> str:
    """Return the text: paragraphs apart by a blank line, items on lines with ``- ``."""
    return write_plain(tidy(RichTextReader(html)))


def markdown_to_plain(text: str) -> str:
    """Return the text of Markdown, in the form of ``rich_text_to_plain``."""
    return write_plain(tidy(MarkdownReader(text)))
