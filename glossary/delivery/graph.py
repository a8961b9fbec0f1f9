"""The terms of glossaries as a graph: who points at whom, and how.

A node is a public term, or a wanted one that a term points at. What is hidden is
neither a node nor the end of an edge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)

from ..models import Mention, PublicTerm, RelatedTerm
from .documents import GlossaryGraph, MentionKind, TermEdge, TermNode
from .public_pages import PublicPages
from .scope import Scope, ScopeGlossary


MOST_NODES = 2000
MOST_STEPS = 3
# So many mentions are read for each node that may be shown, however many there are.
MENTIONS_PER_NODE = 20

# A node: a term by the id of its page, a wanted one by that of its related term.
Kind: TypeAlias = Literal["term", "wanted"]
Key: TypeAlias = tuple[Kind, int]
# Who points at whom, and the kind of it.
Pointer: TypeAlias = tuple[Key, Key, MentionKind]


def graph(
    scope: Scope,
    glossaries: Sequence[ScopeGlossary],
    *,
    around: str | None = None,
    depth: int = 1,
    category: str | None = None,
    limit: int = 500,
) -> GlossaryGraph | None:
    """The graph of these glossaries, or what is at most ``depth`` steps (up to 3) from
    the node ``around``, in either direction; None if there is no such node.

    Of terms only those of the category are shown, and the one in the middle. There are
    at most ``limit`` nodes, up to 2000: the nearest, or the first of the alphabet. The
    id of a node is its slug, in several glossaries after that of its own, ``ai/token``,
    or after the id of that where two have the same slug.
    """
    web = _Web(glossaries, category, min(limit, MOST_NODES))
    if around is None:
        web.add_all()
    elif start := web.find(around):
        web.add_around(start, min(depth, MOST_STEPS))
    else:
        return None
    return web.document(PublicPages(scope))


class _Web:
    """The nodes that are to be shown, nearest first."""

    def __init__(
        self, glossaries: Sequence[ScopeGlossary], category: str | None, limit: int
    ) -> None:
        self._prefix = _prefixes(glossaries)
        self._limit = limit
        self._nodes: dict[Key, None] = {}
        self._truncated = False
        self._terms = PublicTerm.objects.filter(glossary__in=self._prefix)
        self._terms_to_show = self._terms.order_by("sort_key", "pk")
        if category is not None:
            self._terms_to_show = self._terms_to_show.filter(category__slug=category)
        mentions = Mention.objects.filter(
            target_type=Mention.Target.RELATED_TERM,
            target_id=OuterRef("pk"),
            public_term__glossary__in=self._prefix,
        )
        self._wanted = RelatedTerm.objects.filter(
            Exists(mentions), glossary__in=self._prefix, page__isnull=True
        ).order_by("name", "pk")

    def find(self, name: str) -> Key | None:
        """The node of this id or slug: in the first of the glossaries that has it, a
        term rather than a wanted one."""
        if "\0" in name:  # which PostgreSQL refuses to look for
            return None
        glossary, _, slug = name.rpartition("/")
        for pk, known in self._prefix.items():
            if glossary in ("", known):
                here = {"glossary": pk, "slug": slug}
                for key in self._keys(self._terms.filter(**here)[:1]):
                    return key
                for key in self._keys(self._wanted.filter(**here)[:1]):
                    return key
        return None

    def add_all(self) -> None:
        self._add(self._keys(self._terms_to_show[: self._limit + 1]))
        targets = {target for _source, target, _kind in self._pointers(self._nodes)}
        self._add(self._among(targets.difference(self._nodes), wanted_only=True))

    def add_around(self, start: Key, steps: int) -> None:
        """Add what can be reached from the start, ring by ring."""
        ring = self._add([start])
        for _step in range(steps):
            pointers = self._pointers(ring, incoming=True)
            reached = {key for pointer in pointers for key in pointer[:2]}
            ring = self._add(self._among(reached.difference(self._nodes)))

    def _add(self, keys: Iterable[Key]) -> list[Key]:
        """Add nodes as long as there is room, and return those that were added."""
        added = []
        for key in keys:
            if len(self._nodes) == self._limit:
                self._truncated = True
                break
            self._nodes[key] = None
            added.append(key)
        return added

    def _among(
        self, keys: Collection[Key], *, wanted_only: bool = False
    ) -> Iterator[Key]:
        """Those that may be shown, in the order of the alphabet, terms first."""
        if not wanted_only:
            terms = self._terms_to_show.filter(pk__in=_pks("term", keys))
            yield from self._keys(terms)
        yield from self._keys(self._wanted.filter(pk__in=_pks("wanted", keys)))

    def _keys(self, rows: QuerySet[Any]) -> Iterator[Key]:
        kind: Kind = "term" if rows.model is PublicTerm else "wanted"
        return ((kind, pk) for pk in rows.values_list("pk", flat=True))

    def _pointers(self, keys: Iterable[Key], *, incoming: bool = False) -> set[Pointer]:
        """What points away from these nodes, and with ``incoming`` at them."""
        terms, names = _pks("term", keys), _pks("wanted", keys)
        by_name = Q(target_type=Mention.Target.RELATED_TERM)
        by_page = Q(target_type=Mention.Target.PAGE)
        wanted = Q(public_term__in=terms) & (by_name | by_page)
        if incoming:
            known_as = RelatedTerm.objects.filter(page__in=terms)
            names += known_as.values_list("pk", flat=True)
            wanted |= by_page & Q(target_id__in=terms)
            wanted |= by_name & Q(target_id__in=names)
        known = RelatedTerm.objects.filter(pk=OuterRef("target_id")).order_by()
        most = MENTIONS_PER_NODE * self._limit
        rows = (
            Mention.objects.filter(wanted)
            .annotate(
                page=Case(
                    When(by_name, then=Subquery(known.values("page"))),
                    default=F("target_id"),
                    output_field=BigIntegerField(),
                )
            )
            .order_by("pk")
            .values_list("public_term", "page", "target_id", "kind")[: most + 1]
        )
        pointers: list[Pointer] = [
            (
                ("term", source),
                ("wanted", target) if page is None else ("term", page),
                kind,
            )
            for source, page, target, kind in rows
        ]
        self._truncated |= len(pointers) > most
        return set(pointers)

    def document(self, pages: PublicPages) -> GlossaryGraph:
        described = dict(self._describe(pages))
        by_id = {node["id"]: key for key, node in reversed(described.items())}
        nodes = {key: described[key] for key in by_id.values()}
        edges = sorted(
            {
                (nodes[source]["id"], nodes[target]["id"], kind)
                for source, target, kind in self._pointers(nodes)
                if source in nodes and target in nodes and source != target
            }
        )
        documents: list[TermEdge] = [
            {"source": source, "target": target, "type": kind}
            for source, target, kind in edges
        ]
        return {
            "nodes": [nodes[key] for key in self._nodes if key in nodes],
            "edges": documents,
            "truncated": self._truncated,
        }

    def _describe(self, pages: PublicPages) -> Iterator[tuple[Key, TermNode]]:
        """The nodes, without what has been hidden meanwhile."""
        terms = pages.terms().filter(pk__in=_pks("term", self._nodes)).order_by()
        for pk, path, slug, title, category in terms.values_list(
            "pk", "path", "slug", "title", "category__slug"
        ):
            glossary = pages.glossary_of(path)
            if glossary and glossary.pk in self._prefix:
                node = self._node(glossary.pk, slug, title)
                node["url"] = glossary.term_url(slug)
                node["category"] = category
                yield ("term", pk), node
        wanted = self._wanted.filter(pk__in=_pks("wanted", self._nodes))
        for pk, glossary_id, slug, name in wanted.values_list(
            "pk", "glossary", "slug", "name"
        ):
            yield ("wanted", pk), self._node(glossary_id, slug, name)

    def _node(self, glossary_id: int, slug: str, name: str) -> TermNode:
        several = len(self._prefix) > 1
        return {
            "id": f"{self._prefix[glossary_id]}/{slug}" if several else slug,
            "name": name,
            "slug": slug,
            "url": None,
            "category": None,
        }


def _prefixes(glossaries: Sequence[ScopeGlossary]) -> dict[int, str]:
    """What stands before the slugs of their nodes: no two have the same."""
    times = Counter(glossary.slug for glossary in glossaries)
    return {
        glossary.pk: glossary.slug if times[glossary.slug] == 1 else f"{glossary.pk}"
        for glossary in glossaries
    }


def _pks(kind: Kind, keys: Iterable[Key]) -> list[int]:
    return [pk for name, pk in keys if name == kind]
