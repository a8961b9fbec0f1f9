"""The terms of a glossary that are new or have changed, as an Atom feed (RFC 4287)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.http import HttpRequest
from django.utils import translation
from django.utils.encoding import iri_to_uri
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.utils.xmlutils import SimplerXMLGenerator
from wagtail.models import Site

from ..delivery.documents import GlossaryDocument, TermCard
from ..delivery.links import Links
from ..delivery.loaders import load_cards
from ..delivery.scope import Scope, ScopeGlossary
from ..delivery.standings import UNKNOWN
from ..models import PublicTerm
from ..richtext import rich_text_to_plain


NAME = "feed.atom"
# How many terms are in it.
MOST_TERMS = 50

# What XML 1.0 cannot say, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def feed_url(page_url: str | None) -> str | None:
    """Where the feed of the glossary with its page at this address is."""
    return None if page_url is None else f"{page_url.rstrip('/')}/{NAME}"


def atom_feed(
    document: GlossaryDocument,
    glossary: ScopeGlossary,
    scope: Scope,
    links: Links,
    request: HttpRequest,
) -> str:
    """The feed of a glossary, newest change first, for a request to its own address or
    to that of the page. ``document`` has its introduction as ``html``."""
    terms = _terms_that_changed_last(glossary, scope, links)
    times = [_updated(item) for item in (document, *terms)]
    page_url = glossary.url or ""
    is_file = request.path.endswith(f"/{NAME}")
    about = rich_text_to_plain(document["introduction"])
    feed = _Feed(
        title=_legal(document["title"]),
        subtitle=_legal(about or document["meta"]["search_description"]) or None,
        link=page_url,
        feed_url=feed_url(page_url) if is_file else f"{page_url}?format=atom",
        feed_guid=_name(document),
        updated=max(times),
        language=glossary.locale,
        description=None,
        author_name=_legal(_site_name(scope)) or _legal(document["title"]),
        author_link=scope.root_url,
        feed_copyright=_rights(document, glossary.locale),
        licence=document["licence_url"],
    )
    for term in terms:
        feed.add_item(
            title=_legal(term["title"]),
            link=term["meta"]["html_url"] or "",
            unique_id=_name(term),
            pubdate=term["meta"]["first_published_at"],
            updateddate=_updated(term),
            description=None,
            summary=_legal(term["short_definition"]),
            category=term["category"],
        )
    return feed.writeString("utf-8")


def _terms_that_changed_last(
    glossary: ScopeGlossary, scope: Scope, links: Links
) -> list[TermCard]:
    newest = PublicTerm.objects.filter(glossary=glossary.pk).order_by(
        "-last_published_at", "-term"
    )
    # What they say is read from the pages, which are public there and then.
    pks = list(newest.values_list("term_id", flat=True)[:MOST_TERMS])
    return load_cards(pks, scope, links)


def _updated(item: GlossaryDocument | TermCard) -> datetime:
    meta = item["meta"]
    return meta["last_published_at"] or meta["first_published_at"] or UNKNOWN


def _name(item: GlossaryDocument | TermCard) -> str:
    """What names it for ever, whatever becomes of its title, slug, place and site. Its
    translations have the same key, so the language is part of it."""
    key: UUID = item["meta"]["translation_key"]
    return uuid5(key, item["meta"]["locale"]).urn


def _site_name(scope: Scope) -> str:
    names = Site.objects.filter(pk=scope.site_id).values_list("site_name", flat=True)
    return next(iter(names), "")


def _rights(document: GlossaryDocument, language: str) -> str | None:
    if not (url := document["licence_url"]):
        return None
    with translation.override(language):
        return _legal(_("Licence: %(url)s") % {"url": url})


def _legal(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return _ILLEGAL.sub("", text)


class _Feed(Atom1Feed):
    """With what Django leaves out: summaries that are text, categories with a name, a
    link to the licence (RFC 4946), and a date of its own."""

    def latest_post_date(self) -> datetime:
        return self.feed["updated"]

    def add_root_elements(self, handler: SimplerXMLGenerator) -> None:
        super().add_root_elements(handler)
        if licence := self.feed["licence"]:
            handler.addQuickElement(
                "link", "", {"rel": "license", "href": iri_to_uri(licence)}
            )

    def add_item_elements(
        self, handler: SimplerXMLGenerator, item: dict[str, Any]
    ) -> None:
        super().add_item_elements(handler, item)
        handler.addQuickElement("summary", item["summary"])
        if category := item["category"]:
            handler.addQuickElement(
                "category",
                "",
                {"term": _legal(category["slug"]), "label": _legal(category["name"])},
            )
