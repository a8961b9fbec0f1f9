"""Rich text as a visitor may read it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import swapper
from django.http import HttpRequest
from django.utils.html import format_html
from wagtail.rich_text import expand_db_html
from wagtail.rich_text.rewriters import extract_attrs

from ..visibility import Visibility, public_rich_text


Page = swapper.load_model("wagtailcore", "Page", require_ready=False)

# No database stores it in a text, so many texts can be expanded as one.
SEPARATOR = "\0"
_OPENING_LINK = re.compile(r"<a(\b[^>]*)>")


class Prose:
    """Rich texts as HTML, without a link to what not everyone may see.

    All of them together cost a fixed number of queries, however many and whatever
    they link to.
    """

    def __init__(
        self,
        sources: Iterable[str],
        locale_id: int | None = None,
        request: HttpRequest | None = None,
    ) -> None:
        sources = [*dict.fromkeys(sources)]
        # No request: a link may well lead to another site or language tree.
        context: dict[str, object] = {}
        Visibility.for_context(context).load(sources)
        public = SEPARATOR.join(public_rich_text(text, context) for text in sources)
        html = expand_db_html(_with_page_addresses(public, locale_id, request))
        self._html = dict(zip(sources, html.split(SEPARATOR), strict=False))

    def html(self, source: str) -> str | None:
        """The HTML of one of the texts; None for a text that is not among them."""
        return self._html.get(source)


def _with_page_addresses(
    html: str, locale_id: int | None, request: HttpRequest | None
) -> str:
    """Write out the addresses of pages, preferring a page in the text's language.

    Wagtail would do both, but asks for the language anew for every link.
    """
    addresses = _addresses(_linked_pages(html), locale_id, request)

    def write_out(match: re.Match[str]) -> str:
        attrs = extract_attrs(match[1])
        if not _is_page_link(attrs):
            return match[0]
        url = addresses.get(attrs["id"])
        return format_html('<a href="{}">', url) if url else "<a>"

    return _OPENING_LINK.sub(write_out, html)


def _linked_pages(html: str) -> set[str]:
    links = (extract_attrs(match[1]) for match in _OPENING_LINK.finditer(html))
    return {attrs["id"] for attrs in links if _is_page_link(attrs)}


def _is_page_link(attrs: dict[str, str]) -> bool:
    return attrs.get("linktype") == "page" and attrs.get("id", "").isdecimal()


def _addresses(
    pks: set[str], locale_id: int | None, request: HttpRequest | None
) -> dict[str, str | None]:
    if not pks:
        return {}
    public = Page.objects.live().public().defer_streamfields().specific()
    pages = public.filter(pk__in=pks)
    elsewhere = {page.translation_key for page in pages if page.locale_id != locale_id}
    translations = {}
    if elsewhere and locale_id:
        translated = public.filter(translation_key__in=elsewhere, locale=locale_id)
        translations = {page.translation_key: page for page in translated}
    return {
        str(page.pk): translations.get(page.translation_key, page).get_url(request)
        for page in pages
    }
