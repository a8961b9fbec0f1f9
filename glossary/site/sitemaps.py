"""Sitemaps of glossaries of any size: no term is loaded as a page.

They go with Wagtail's views, which give them the request::

    sitemaps = {"pages": WithoutTerms, "glossaries": GlossarySitemap}
    path("sitemap.xml", index, {"sitemaps": sitemaps, "sitemap_url_name": "sitemap"}),
    path("sitemap-<section>.xml", sitemap, {"sitemaps": sitemaps}, name="sitemap"),
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from copy import copy
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Max
from django.http import QueryDict
from wagtail.contrib.sitemaps import Sitemap
from wagtail.query import PageQuerySet

from ..delivery.public_pages import visible
from ..delivery.scope import Scope, make_scope, scope_for
from ..delivery.standings import UNKNOWN
from ..models import GlossaryPage, PublicTerm, TermPage
from ..models.sitemaps import indexed


class WithoutTerms(Sitemap):
    """Wagtail's sitemap, without glossaries and terms."""

    def items(self) -> PageQuerySet:
        return super().items().not_type(GlossaryPage, TermPage)


class GlossarySitemap(Sitemap):
    """The glossaries of a site, in all its languages, and their terms; without thin
    ones if GLOSSARY_NOINDEX_THIN leaves them out. Each part of it takes the same
    number of queries."""

    limit = 5000

    def items(self) -> Listed:
        return Listed(self._scope())

    def get_latest_lastmod(self) -> datetime | None:
        return self.items().latest()

    def _urls(self, page: int, protocol: str, domain: str) -> list[dict[str, Any]]:
        urls = [entry._asdict() for entry in self.paginator.page(page).object_list]
        times = [url["lastmod"] for url in urls]
        if times and None not in times:
            self.latest_lastmod = max(times)
        return urls

    def _scope(self) -> Scope | None:
        if self.request is None:
            return make_scope(self.get_wagtail_site())
        # That of the site whose address it is, whatever the parameters say.
        plain = copy(self.request)
        plain.GET = QueryDict()
        return scope_for(plain)


class Alternate(NamedTuple):
    """The same page in a language; also in its own."""

    location: str
    lang_code: str


class Entry(NamedTuple):
    """A page in a sitemap. ``alternates`` is empty if there is no other language."""

    location: str
    lastmod: datetime | None
    alternates: list[Alternate]


class Row(NamedTuple):
    """What an entry is made from."""

    path: str
    slug: str
    last_published_at: datetime | None
    translation_key: UUID
    locale: str


class Listed:
    """What a sitemap lists, read part by part: the glossaries of a scope, then the
    terms. In the order of their ids, a new term moves no other to another part."""

    def __init__(self, scope: Scope | None) -> None:
        glossaries = scope.glossaries if scope else ()
        roots = scope.roots if scope else ()
        self._by_path = {glossary.path: glossary for glossary in glossaries}
        self._has_languages = len({glossary.locale for glossary in glossaries}) > 1
        pks = [glossary.pk for glossary in glossaries]
        self._known = PublicTerm.objects.filter(indexed(), glossary__in=pks)
        self._glossaries = GlossaryPage.objects.filter(visible(roots), pk__in=pks)
        # Public there and then, whatever the catalogue knew when it was asked.
        self._terms = TermPage.objects.filter(
            visible(roots), indexed("public_term__"), public_term__glossary__in=pks
        )

    def __len__(self) -> int:
        return len(self._by_path) + self._known.count()

    def __getitem__(self, part: slice) -> list[Entry]:
        start, stop = part.start or 0, part.stop
        ahead = len(self._by_path)
        entries: list[Entry] = []
        if start < ahead:
            entries += self._entries(self._glossaries, self._glossaries)
            entries = entries[start:stop]
        known = self._known.order_by("pk")[max(0, start - ahead) : max(0, stop - ahead)]
        if pks := list(known.values_list("pk", flat=True)):
            here = self._terms.filter(pk__gte=pks[0], pk__lte=pks[-1])
            entries += self._entries(here, self._terms)
        return entries

    def latest(self) -> datetime | None:
        """When any of it was last published; None if nobody knows."""
        times = [
            pages.aggregate(latest=Max("last_published_at"))["latest"]
            for pages in (self._glossaries, self._known)
        ]
        latest = max(filter(None, times), default=UNKNOWN)
        return None if latest == UNKNOWN else latest

    def _entries(self, pages: PageQuerySet, listed: PageQuerySet) -> Iterator[Entry]:
        """Those of some pages, with those of the listed ones that translate them."""
        rows = _read(pages.order_by("pk"))
        alternates: dict[UUID, list[Alternate]] = defaultdict(list)
        if self._has_languages:
            keys = pages.order_by().values("translation_key")
            for row in _read(listed.filter(translation_key__in=keys).order_by("pk")):
                if url := self._url(row):
                    alternates[row.translation_key].append(Alternate(url, row.locale))
        for row in rows:
            if url := self._url(row):
                own = alternates[row.translation_key]
                others = own if len(own) > 1 else []
                yield Entry(url, row.last_published_at, others)

    def _url(self, row: Row) -> str | None:
        if glossary := self._by_path.get(row.path):
            return glossary.url
        glossary = self._by_path.get(row.path[: -TermPage.steplen])
        return glossary.term_url(row.slug) if glossary else None


def _read(pages: PageQuerySet) -> list[Row]:
    columns = ("path", "slug", "last_published_at", "translation_key")
    found = pages.values_list(*columns, "locale__language_code")
    return [Row(*columns) for columns in found]
