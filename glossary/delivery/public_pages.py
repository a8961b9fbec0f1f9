"""The pages of a scope that anyone may see, and what refers to them.

One object serves one answer, and finds the pages for all of it at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import swapper
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, TextField
from django.utils import timezone
from wagtail.documents import get_document_model
from wagtail.models import CollectionViewRestriction, PageViewRestriction
from wagtail.query import PageQuerySet

from ..managers import TermPageQuerySet
from ..models import TermPage
from ..visibility import TermReference
from .prepared import IDS, KEYS, Prepared
from .prose import Target
from .scope import Scope, ScopeGlossary, in_trees


class PublicPage(NamedTuple):
    """A page that anyone may see. ``url`` is its full address, None if it has none."""

    pk: int
    slug: str
    title: str
    model: str
    """As ``glossary.TermPage``."""
    translation_key: UUID
    locale: str
    is_term: bool
    url: str | None


class PublicPages:
    """Answers about the pages of a scope; ``load`` first what is to be found. A term
    is public if its glossary is, too."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.found: dict[int, PublicPage] = {}
        self._glossaries = {item.path: item for item in scope.glossaries}

    def terms(self) -> TermPageQuerySet:
        return TermPage.objects.filter(visible(self.scope.roots))

    def glossary_of(self, term_path: str) -> ScopeGlossary | None:
        """The glossary of the term at this path, unless it is hidden."""
        return self._glossaries.get(term_path[: -TermPage.steplen])

    def load(
        self, pks: Collection[int], translation_keys: Collection[UUID] = ()
    ) -> None:
        """Find the pages of these ids, and all translations of these keys."""
        others: dict[int, PublicPage] = {}
        for pk, slug, title, path, type_id, key, locale in _pages(
            self.scope.roots
        ).rows(pks, translation_keys):
            model, is_term = page_type(type_id)
            page = PublicPage(pk, slug, title, model, key, locale, is_term, None)
            if is_term:
                if glossary := self.glossary_of(path):
                    self.found[pk] = page._replace(url=glossary.term_url(slug))
            elif glossary := self._glossaries.get(path):
                self.found[pk] = page._replace(url=glossary.url)
            else:
                others[pk] = page
        if others:  # which may have their own way to make an address
            pages = base_pages().filter(pk__in=others).specific(defer=True)
            for specific in pages:
                url = specific.full_url
                self.found[specific.pk] = others[specific.pk]._replace(url=url)

    def reference(
        self, pk: int, slug: str, name: str, page_id: int | None, glossary_id: int
    ) -> TermReference | None:
        """How to refer to a related term: None if its page, or the glossary that it
        has none in, is hidden, so that neither its name nor its slug tells of it."""
        page = self.found.get(page_id) if page_id is not None else None
        if page is None:
            is_wanted = page_id is None
            if not is_wanted or self.scope.glossary(glossary_id) is None:
                return None
        return {"id": pk, "slug": slug, "name": name, "url": page.url if page else None}

    def addresses(self, targets: Iterable[Target]) -> dict[Target, str | None]:
        """Where the targets stand, of those that are public; the pages among them are
        loaded. A page of the site has its path, without the domain."""
        addresses: dict[Target, str | None] = {}
        documents: set[int] = set()
        for target in targets:
            kind, pk = target
            if kind == "page" and (page := self.found.get(pk)):
                addresses[target] = self.scope.path(page.url)
            elif kind == "document":
                documents.add(pk)
        if documents:
            for document in public_documents(documents):
                addresses["document", document.pk] = document.url
        return addresses


def visible(roots: Collection[str]) -> Q:
    """What ``live().public()`` asks of a page, in one query instead of two, and that
    it stands in one of these trees."""
    path = ExpressionWrapper(OuterRef("path"), output_field=TextField())
    restricted = PageViewRestriction.objects.annotate(path=path).filter(
        path__startswith=F("page__path")
    )
    return Q(live=True) & ~Exists(restricted) & in_trees(roots)


def base_pages() -> PageQuerySet:
    return swapper.load_model("wagtailcore", "Page").objects.all()


@lru_cache
def _pages(roots: tuple[str, ...]) -> Prepared:
    wanted = Q(pk__in=IDS) | Q(translation_key__in=KEYS)
    found = base_pages().filter(visible(roots), wanted).order_by()
    columns = found.values_list(
        *("pk", "slug", "title", "path", "content_type"),
        *("translation_key", "locale__language_code"),
    )
    return Prepared(columns, IDS, KEYS)


def public_documents(pks: Collection[int]) -> Iterable[Any]:
    """Those of the documents whose collection anyone may see."""
    path = ExpressionWrapper(OuterRef("collection__path"), output_field=TextField())
    restricted = CollectionViewRestriction.objects.annotate(path=path).filter(
        path__startswith=F("collection__path")
    )
    return get_document_model().objects.filter(~Exists(restricted), pk__in=pks)


def page_type(content_type_id: int) -> tuple[str, bool]:
    """The name of a type of page, as ``glossary.TermPage``, and whether it is a type
    of term."""
    content_type = ContentType.objects.get_for_id(content_type_id)
    model = content_type.model_class()
    if model is None:  # its app is gone, its pages are still there
        return f"{content_type.app_label}.{content_type.model}", False
    return model._meta.label, issubclass(model, TermPage)


def own_columns(*names: str) -> list[str]:
    """Those of the columns that the pages of this site have: its own base page may
    lack some of Wagtail's."""
    own = {field.name for field in TermPage._meta.get_fields()}
    return [name for name in names if name in own]


def in_utc(time: datetime | None) -> datetime | None:
    """The time as it is delivered, also where the site's database knows no zones."""
    if time is None:
        return None
    return (timezone.make_aware(time) if timezone.is_naive(time) else time).astimezone(
        UTC
    )
