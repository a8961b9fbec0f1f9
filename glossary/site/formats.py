"""The formats of a glossary's page and of a term's, besides HTML, as anyone may see
them."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from django.http import HttpRequest, QueryDict
from pydantic_core import to_json

from ..delivery.documents import GlossaryDocument
from ..delivery.links import Links
from ..delivery.loaders import (
    load_categories,
    load_glossaries,
    load_letters,
    load_terms,
)
from ..delivery.overview import glossary_overview
from ..delivery.scope import Scope, ScopeGlossary, scope_for
from ..exporting.delivered import payload_of
from ..models import GlossaryPage, TermPage
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
    "payload": "application/json;charset=utf-8",
    "llms": "text/plain; charset=utf-8",
    "llms-full": "text/plain; charset=utf-8",
}
"""The type of each format."""
OF_TERMS = {"md", "jsonld", "json", "payload"}
OF_GLOSSARIES = {"md", "jsonld", "json", "llms", "llms-full"}


def body(page: GlossaryPage | TermPage, name: str, request: HttpRequest) -> Body | None:
    """The page in the format ``name``; None if it has none or not anyone may see it."""
    is_term = isinstance(page, TermPage)
    if name not in (OF_TERMS if is_term else OF_GLOSSARIES):
        return None
    # That of the site whose address it is, whatever the parameters say.
    plain = copy(request)
    plain.GET = QueryDict()
    scope = scope_for(plain)
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
            overview = glossary_overview(page, self.request)
            return to_json(defined_term_set(page, overview, self.request))
        links = page_links(self.scope)
        document = self._document(links)
        if document is None:
            return None
        if name == "json":
            return to_json(document)
        if name == "llms-full":
            return llms_full_txt(document, self.glossary, self.scope, links)
        letters = load_letters(self.scope, [self.glossary])
        if name == "llms":
            categories = load_categories(self.scope, links, [self.glossary])
            return llms_txt(document, self.glossary, letters, categories)
        letter = self.request.GET.get("letter", "")
        pieces = glossary_markdown(document, self.glossary, letters, letter=letter)
        return pieces if letter else "".join(pieces)

    def _document(self, links: Links) -> GlossaryDocument | None:
        found = load_glossaries(
            self.scope, links, rich_text="html", glossaries=[self.glossary]
        )
        return next(iter(found), None)
