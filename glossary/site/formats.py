"""The formats of a glossary's page and of a term's, besides HTML, as anyone may see
them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

from django.http import HttpRequest
from pydantic_core import to_json
from wagtail.models import Site

from ..delivery.documents import GlossaryDocument
from ..delivery.links import Links
from ..delivery.loaders import (
    load_cards,
    load_categories,
    load_glossaries,
    load_letters,
    load_terms,
)
from ..delivery.scope import Scope, ScopeGlossary
from ..exporting.delivered import payload_of
from ..models import GlossaryPage, TermPage
from ..richtext import rich_text_to_plain
from .cards import Card, card_png
from .feeds import atom_feed
from .index import GlossaryIndex, request_scope
from .links import page_links
from .listing import glossary_markdown
from .llms import llms_full_txt, llms_txt
from .markdown import term_markdown
from .responses import Body
from .structured_data import defined_term_set


CONTENT_TYPES = {
    "md": "text/markdown; charset=utf-8",
    "jsonld": "application/ld+json",
    "json": "application/json",
    "atom": "application/atom+xml; charset=utf-8",
    "payload": "application/json;charset=utf-8",
    "llms": "text/plain; charset=utf-8",
    "llms-full": "text/plain; charset=utf-8",
    "card": "image/png",
}
"""The type of each format."""
OF_TERMS = {"md", "jsonld", "json", "payload", "card"}
OF_GLOSSARIES = {"md", "jsonld", "json", "atom", "llms", "llms-full", "card"}


def body(page: GlossaryPage | TermPage, name: str, request: HttpRequest) -> Body | None:
    """The page in the format ``name``; None if it has none or not anyone may see it."""
    is_term = isinstance(page, TermPage)
    if name not in (OF_TERMS if is_term else OF_GLOSSARIES):
        return None
    scope = request_scope(request)
    if scope is None:
        return None
    place = page.path[: -page.steplen] if is_term else page.path
    glossary = next((item for item in scope.glossaries if item.path == place), None)
    if glossary is None:
        return None
    shown = _Shown(request, scope, glossary)
    return shown.term(page, name) if is_term else shown.index(page, name)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A public glossary, for the answer to one request."""

    request: HttpRequest
    scope: Scope
    glossary: ScopeGlossary

    def term(self, page: TermPage, name: str) -> Body | None:
        if name == "payload":
            return payload_of(page.pk, self.scope.pages())
        links = page_links(self.scope, self.glossary.term_url(page.slug))
        if name == "card":
            return self._card_of_term(page, links)
        include = {"structured_data"} if name == "jsonld" else set()
        found = load_terms(
            [page.pk], self.scope, links, rich_text="html", include=include
        )
        if not found:
            return None
        [term] = found
        if name == "md":
            return term_markdown(term, self._document(links))
        return to_json(term["structured_data"] if name == "jsonld" else term)

    def index(self, page: GlossaryPage, name: str) -> Body | None:
        if name == "jsonld":
            shown = GlossaryIndex((self.scope, self.glossary), self.glossary.url or "")
            urls = [self._full(item.url) for item in shown.entries if not item.see]
            return to_json(defined_term_set(page, urls, self.request))
        links = page_links(self.scope)
        document = self._document(links)
        if document is None:
            return None
        if name == "json":
            return to_json(document)
        if name == "card":
            return self._card_of_glossary(document)
        if name == "atom":
            return atom_feed(document, self.glossary, self.scope, links, self.request)
        if name == "llms-full":
            return llms_full_txt(document, self.glossary, self.scope, links)
        letters = load_letters(self.scope, [self.glossary])
        if name == "llms":
            categories = load_categories(self.scope, links, [self.glossary])
            return llms_txt(document, self.glossary, letters, categories)
        letter = self.request.GET.get("letter", "")
        pieces = glossary_markdown(document, self.glossary, letters, letter=letter)
        return pieces if letter else "".join(pieces)

    def _full(self, path: str) -> str:
        return urljoin(self.glossary.url or self.scope.root_url, path)

    def _card_of_term(self, page: TermPage, links: Links) -> bytes | None:
        for term in load_cards([page.pk], self.scope, links):
            text, glossary = term["short_definition"], self.glossary.title
            return self._card(term["title"], text, glossary)
        return None

    def _card_of_glossary(self, document: GlossaryDocument) -> bytes:
        text = rich_text_to_plain(document["introduction"])
        text = text or document["meta"]["search_description"]
        return self._card(document["title"], text)

    def _card(self, title: str, text: str, glossary: str = "") -> bytes:
        site = Site.find_for_request(self.request)
        name = site.site_name if site else ""
        card = Card(title, text, glossary, name, self.glossary.locale)
        return card_png(card, self.request)

    def _document(self, links: Links) -> GlossaryDocument | None:
        found = load_glossaries(
            self.scope, links, rich_text="html", glossaries=[self.glossary]
        )
        return next(iter(found), None)
