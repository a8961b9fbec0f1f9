"""What anyone may see, decided in one place.

A page is public when it is live and neither it nor a page above it is restricted;
for an API request it must also stand below the root page of that request's site.
Everything that leaves the glossary asks here before it names a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import swapper
from wagtail.documents import get_document_model
from wagtail.models import CollectionViewRestriction, Site
from wagtail.rich_text.rewriters import extract_attrs


CONTEXT_KEY = "glossary_visibility"

_LINK = re.compile(r"<a(\b[^>]*)>(.*?)</a>", re.DOTALL)


class Visibility:
    """Answers for one reader; remembers, so that many pages cost one query."""

    def __init__(self, site: Site | None = None) -> None:
        self._site = site
        self._public: dict[tuple[str, int], bool] = {}

    @classmethod
    def for_context(cls, context: dict[str, Any] | None) -> Visibility:
        """The one that the context carries, or a new one for its request."""
        if context is None:
            return cls()
        if CONTEXT_KEY not in context:
            request = context.get("request")
            context[CONTEXT_KEY] = cls(request and Site.find_for_request(request))
        return context[CONTEXT_KEY]

    def load(self, rich_texts: Iterable[str]) -> None:
        """Look up at once every page and document that the rich texts link to."""
        wanted: dict[str, set[int]] = {"page": set(), "document": set()}
        for html in rich_texts:
            for match in _LINK.finditer(html):
                kind, pk = _target(extract_attrs(match[1]))
                if kind in wanted and pk is not None and (kind, pk) not in self._public:
                    wanted[kind].add(pk)
        for kind, find in (("page", self._pages), ("document", self._documents)):
            if wanted[kind]:
                public = set(find(wanted[kind]))
                self._public.update({(kind, pk): pk in public for pk in wanted[kind]})

    def is_public(self, kind: str, pk: int | None) -> bool:
        return pk is not None and self._public.get((kind, pk), False)

    def _pages(self, pks: set[int]) -> Iterable[int]:
        Page = swapper.load_model("wagtailcore", "Page")
        pages = Page.objects.filter(pk__in=pks).live().public()
        if self._site is not None:
            pages = pages.descendant_of(self._site.root_page, inclusive=True)
        return pages.values_list("pk", flat=True)

    @staticmethod
    def _documents(pks: set[int]) -> Iterable[int]:
        documents = get_document_model().objects.filter(pk__in=pks)
        for restriction in CollectionViewRestriction.objects.select_related(
            "collection"
        ):
            documents = documents.exclude(
                collection__path__startswith=restriction.collection.path
            )
        return documents.values_list("pk", flat=True)


def _target(attrs: Mapping[str, str]) -> tuple[str, int | None]:
    pk = attrs.get("id", "")
    return attrs.get("linktype", ""), int(pk) if pk.isdecimal() else None


def public_rich_text(html: str, context: dict[str, Any] | None = None) -> str:
    """The rich text (database HTML) with every link to what is not public replaced
    by its own text. All else stays as it is, byte for byte."""
    if "linktype" not in html:
        return html
    visibility = Visibility.for_context(context)
    visibility.load([html])

    def keep_or_unlink(match: re.Match[str]) -> str:
        attrs = extract_attrs(match[1])
        if "linktype" not in attrs or visibility.is_public(*_target(attrs)):
            return match[0]
        return match[2]

    return _LINK.sub(keep_or_unlink, html)
