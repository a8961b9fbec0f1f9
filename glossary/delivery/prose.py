"""Rich text as it is delivered: in the format asked for, without a trace of what is
hidden.

A link to a page or document of the site stays if that is public, and is its own text
if not. Which are, and where they stand, is looked up for many texts at once: see
``public_pages``.

Markdown comes from the glossary's own writer, not from Wagtail's: what it writes reads
back as the same rich text, and it takes a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from django.utils.html import escape
from wagtail.rich_text import expand_db_html, features
from wagtail.rich_text.rewriters import FIND_EMBED_TAG

from ..richtext import rich_text_to_markdown, rich_text_to_plain
from ..visibility import Target, rewrite_links, target_of
from .documents import RichTextFormat


def write_prose(
    html: str, rich_text: RichTextFormat, addresses: Mapping[Target, str | None]
) -> str:
    """The rich text in this format. ``addresses`` holds every target that is public,
    with its address, or None if no address leads there."""
    if rich_text == "plain":
        return rich_text_to_plain(html)
    if rich_text == "markdown":
        find = partial(_address, addresses)
        return rich_text_to_markdown(html, link_url=find).value
    if "linktype" in html:
        is_kept = rich_text == "db_html"
        tag_for = partial(_tag_for, addresses=addresses, is_kept=is_kept)
        html = rewrite_links(html, tag_for)
    if rich_text == "html":
        if "<embed" in html:  # no field offers one, and Wagtail would ask the network
            html = FIND_EMBED_TAG.sub("", html)
        if _site_rewrites_links():
            html = expand_db_html(html)
    return html


def _tag_for(
    tag: str,
    target: Target,
    *,
    addresses: Mapping[Target, str | None],
    is_kept: bool,
) -> str:
    if is_kept:
        return tag if target in addresses else ""
    address = addresses.get(target)
    return f'<a href="{escape(address)}">' if address else ""


def _address(
    addresses: Mapping[Target, str | None], attrs: Mapping[str, str]
) -> str | None:
    return addresses.get(target_of(attrs))


def _site_rewrites_links() -> bool:
    """Whether a site has its own way with links that lead out of it."""
    return not {"external", "email", "anchor"}.isdisjoint(features.get_link_types())
