"""Which public terms point at a term, and how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
    Window,
)
from django.db.models.functions import DenseRank

from ..models import Mention, PublicTerm, RelatedTerm
from .documents import MentionKind, TermBacklink
from .prepared import IDS, MORE_IDS, OTHER_IDS, Prepared
from .public_pages import PublicPages
from .scope import Scope


# How many mentions are looked at where their number has to have a bound.
MOST_READ = 500


@dataclass(slots=True)
class Pointing:
    """The terms that point at one term: how many there are, and of some of them, in
    the order of the alphabet, how they do it."""

    count: int = 0
    kinds: dict[int, list[MentionKind]] = field(default_factory=dict)

    def backlinks(self, pages: PublicPages) -> list[TermBacklink]:
        """Those among the pages, which are to be loaded."""
        return [
            {
                "id": pk,
                "slug": page.slug,
                "title": page.title,
                "html_url": page.url,
                "kinds": kinds,
            }
            for pk, kinds in self.kinds.items()
            if (page := pages.found.get(pk))
        ]


def load_backlinks(
    pk: int, scope: Scope, limit: int, offset: int = 0
) -> tuple[list[TermBacklink], int]:
    """The other public terms of the site that point at a term, in the order of the
    alphabet, and how many there are. At a term that is hidden, none does."""
    known_as = list(RelatedTerm.objects.filter(page=pk).values_list("pk", flat=True))
    pointing = list_pointing([pk], known_as, scope, limit=limit, offset=offset)[pk]
    pages = PublicPages(scope)
    pages.load({pk, *pointing.kinds})
    if pk not in pages.found:
        return [], 0
    # Beyond the end there is no row to tell how many there are.
    if not pointing.kinds and offset:
        return [], count_pointing([pk], known_as, scope).get(pk, 0)
    return pointing.backlinks(pages), pointing.count


def some_backlinks(
    pk: int, scope: Scope, most: int
) -> tuple[list[TermBacklink], int, bool]:
    """As ``load_backlinks``, at a cost that has a bound: of the terms that point at
    this one the first in the alphabet, how many there are, and whether that is all. Of
    a term that very many point at, only so many are looked at."""
    known_as = RelatedTerm.objects.filter(page=pk).values_list("pk", flat=True)
    targets = Q(target_type=Mention.Target.PAGE, target_id=pk)
    for name in known_as:
        targets |= Q(target_type=Mention.Target.RELATED_TERM, target_id=name)
    rows = (
        Mention.objects.filter(targets)
        .exclude(public_term=pk)
        .order_by("public_term", "kind")
        .values_list("public_term", "kind")[: MOST_READ + 1]
    )
    kinds: dict[int, list[MentionKind]] = {}
    is_all = len(rows) <= MOST_READ
    for source, kind in rows[:MOST_READ]:
        how = kinds.setdefault(source, [])
        if kind not in how:  # by several names of the term
            how.append(kind)
    glossaries = [glossary.pk for glossary in scope.glossaries]
    here = PublicTerm.objects.filter(pk__in=kinds, glossary__in=glossaries)
    pks = list(here.order_by("sort_key", "pk").values_list("pk", flat=True))
    pages = PublicPages(scope)
    pages.load({pk, *pks[:most]})
    if pk not in pages.found:
        return [], 0, True
    pointing = Pointing(len(pks), {source: kinds[source] for source in pks[:most]})
    return pointing.backlinks(pages), pointing.count, is_all


def count_pointing(
    pks: Collection[int], known_as: Collection[int], scope: Scope
) -> Mapping[int, int]:
    """How many other public terms of the site point at each of the terms; ``known_as``
    are the ids of the related terms whose pages they are."""
    glossaries = [glossary.pk for glossary in scope.glossaries]
    return dict(_counts().rows(pks, known_as, glossaries))


@lru_cache
def _counts() -> Prepared:
    counted = (
        _mentions(IDS, MORE_IDS, OTHER_IDS)
        .values("page")
        .annotate(count=Count("public_term", distinct=True))
        .values_list("page", "count")
        .order_by()
    )
    return Prepared(counted, IDS, MORE_IDS, OTHER_IDS)


def list_pointing(
    pks: Collection[int],
    known_as: Collection[int],
    scope: Scope,
    *,
    limit: int,
    offset: int = 0,
) -> Mapping[int, Pointing]:
    """As ``count_pointing``, and for each term the kinds of so many that point at it,
    from the one at this offset on."""
    order = ("public_term__sort_key", "public_term")
    reverse = [F(name).desc() for name in order]
    glossaries = [glossary.pk for glossary in scope.glossaries]
    rows = (
        _mentions(pks, known_as, glossaries)
        .annotate(
            position=Window(DenseRank(), partition_by="page", order_by=order),
            from_the_end=Window(DenseRank(), partition_by="page", order_by=reverse),
        )
        .filter(position__gt=offset, position__lte=offset + limit)
        .order_by("position", "kind")
        .values_list("page", "public_term", "kind", "position", "from_the_end")
    )
    found: dict[int, Pointing] = defaultdict(Pointing)
    for page, source, kind, position, from_the_end in rows:
        found[page].count = position + from_the_end - 1
        kinds = found[page].kinds.setdefault(source, [])
        if kind not in kinds:  # by several names of the term
            kinds.append(kind)
    return found


def _mentions(
    pks: Collection[int], known_as: Collection[int], glossaries: Collection[int]
) -> QuerySet[Mention]:
    """The mentions of these terms by others of these glossaries, each with the
    ``page`` of the term that it means."""
    by_name = Q(target_type=Mention.Target.RELATED_TERM)
    known = RelatedTerm.objects.filter(pk=OuterRef("target_id")).order_by()
    return (
        Mention.objects.filter(
            Q(target_type=Mention.Target.PAGE, target_id__in=pks)
            | (by_name & Q(target_id__in=known_as)),
            public_term__glossary__in=glossaries,
        )
        .annotate(
            page=Case(
                When(by_name, then=Subquery(known.values("page"))),
                default=F("target_id"),
                output_field=BigIntegerField(),
            )
        )
        .exclude(page=F("public_term"))
    )
