"""Where what anyone may see is public: on which sites, and under which name in the
feed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q
from wagtail.models import Site

from ..models import (
    Category,
    Change,
    GlossaryPage,
    Mention,
    PublicTerm,
    RelatedTerm,
)
from .scope import site_roots
from .versions import Place, batches


class PublicGlossary(NamedTuple):
    path: str
    key: str


class Places:
    """Finds the places of objects; what all of them are told by is read once, so it is
    for one change alone."""

    @cached_property
    def _sites(self) -> list[tuple[int, tuple[str, ...]]]:
        sites = Site.objects.select_related("root_page")
        return [(site.pk, site_roots(site)) for site in sites]

    def sites(self, path: str) -> set[int]:
        """Which sites a page belongs to."""
        return {pk for pk, roots in self._sites if path.startswith(roots)}

    @cached_property
    def glossaries(self) -> dict[int, PublicGlossary]:
        """All that anyone may see."""
        rows = GlossaryPage.objects.live().public()
        return {
            pk: PublicGlossary(path, f"{key}:{language}")
            for pk, path, key, language in rows.values_list(
                "pk", "path", "translation_key", "locale__language_code"
            )
        }

    @cached_property
    def glossaries_by_path(self) -> dict[str, int]:
        return {glossary.path: pk for pk, glossary in self.glossaries.items()}

    def of_terms(
        self, pks: Iterable[int], *, gone: Collection[int] = ()
    ) -> Iterator[Place]:
        for batch in batches(pks):
            rows = PublicTerm.objects.filter(pk__in=batch).values_list(
                "pk", "term__path", "term__translation_key", "locale__language_code"
            )
            found = {pk: (path, f"{key}:{code}") for pk, path, key, code in rows}
            for pk in batch:
                path, key = found.get(pk, ("", ""))
                yield Place(Change.Kind.TERM, pk, key, self.sites(path), pk in gone)

    def of_glossaries(self, pks: Iterable[int]) -> Iterator[Place]:
        for pk in pks:
            path, key = self.glossaries.get(pk, ("", ""))
            yield Place(Change.Kind.GLOSSARY, pk, key, self.sites(path))

    def of_categories(self, pks: Collection[int]) -> Iterator[Place]:
        """A category is public on the sites that have a term in it."""
        if not pks:
            return
        used = defaultdict(set)
        rows = PublicTerm.objects.filter(category__in=pks).order_by()
        for pk, path in rows.values_list("category", "glossary__path").distinct():
            used[pk] |= self.sites(path)
        keys = {
            pk: f"{key}:{language}"
            for pk, key, language in Category.objects.filter(pk__in=used).values_list(
                "pk", "translation_key", "locale__language_code"
            )
        }
        for pk in pks:
            yield Place(Change.Kind.CATEGORY, pk, keys.get(pk, ""), used.get(pk, ()))

    def of_related_terms(self, pks: Iterable[int]) -> Iterator[Place]:
        """A related term is public as far as its glossary is, if its page is in the
        catalogue, or if it has none and a public term points at it."""
        mentions = Mention.objects.filter(
            target_type=Mention.Target.RELATED_TERM, target_id=OuterRef("pk")
        )
        for batch in batches(pks):
            public = RelatedTerm.objects.filter(
                Q(page__public_term__isnull=False)
                | Q(Exists(mentions), page__isnull=True),
                pk__in=batch,
            )
            glossaries = dict(public.values_list("pk", "glossary_id"))
            for pk in batch:
                path, _key = self.glossaries.get(glossaries.get(pk, 0), ("", ""))
                yield Place(Change.Kind.RELATED_TERM, pk, f"{pk}", self.sites(path))
