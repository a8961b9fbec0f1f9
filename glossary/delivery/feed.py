"""The change feed: what has changed since a number, after OpenActive's Realtime Paged
Data Exchange 1.0, in its form with change numbers.

A follower asks for what comes after the number that it had last, and keeps asking with
the number of the last item that it got. Each object stands in the feed once, where it
changed last, so the whole feed from 0 is the whole glossary. An answer without items
means that the follower has everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

from typing_extensions import TypedDict

from ..models import Change
from .documents import (
    GlossaryCategory,
    GlossaryDocument,
    GlossaryRelatedTerm,
    RichTextFormat,
    TermDocument,
)
from .links import Links
from .loaders import (
    load_categories,
    load_glossaries,
    load_related_terms_by_id,
    load_terms,
)
from .scope import Scope


class GlossaryDeletion(TypedDict):
    """Of an object that is no more, or no longer for anyone."""

    state: Literal["deleted"]
    kind: Literal["term", "glossary", "category", "related_term"]
    id: str
    modified: int


class TermChange(TypedDict):
    state: Literal["updated"]
    kind: Literal["term"]
    id: str
    modified: int
    data: TermDocument


class GlossaryPageChange(TypedDict):
    state: Literal["updated"]
    kind: Literal["glossary"]
    id: str
    modified: int
    data: GlossaryDocument


class GlossaryCategoryChange(TypedDict):
    state: Literal["updated"]
    kind: Literal["category"]
    id: str
    modified: int
    data: GlossaryCategory


class GlossaryRelatedTermChange(TypedDict):
    state: Literal["updated"]
    kind: Literal["related_term"]
    id: str
    modified: int
    data: GlossaryRelatedTerm


# ``state`` and ``kind`` tell which it is. ``id`` is the name of the object in the feed,
# which outlives it; ``modified`` is the number of the change.
GlossaryChange: TypeAlias = (
    TermChange
    | GlossaryPageChange
    | GlossaryCategoryChange
    | GlossaryRelatedTermChange
    | GlossaryDeletion
)


class GlossaryChanges(TypedDict):
    """A part of the feed; ``next`` is where it goes on, also when it has no more. Of a
    change, ``id`` is the name of the object in the feed, which outlives it, and
    ``modified`` the number of the change."""

    items: list[GlossaryChange]
    next: str
    license: str | None


Load = Callable[[list[int]], dict[int, Any]]


def changes_after(
    number: int,
    scope: Scope,
    links: Links,
    *,
    until: int,
    limit: int,
    rich_text: RichTextFormat = "html",
) -> list[GlossaryChange]:
    """The changes of the site after this number, oldest first, each with the object as
    it is now. ``until`` is the version that the scope is of: what has changed since may
    be in a glossary that the scope does not know."""
    changes = Change.objects.filter(
        site=scope.site_id, number__gt=number, number__lte=until
    )
    rows = list(changes.order_by("number")[:limit])
    return _with_data(rows, _loaders(scope, links, rich_text))


def _loaders(scope: Scope, links: Links, rich_text: RichTextFormat) -> dict[str, Load]:
    glossaries = scope.glossaries

    def by_id(documents: Sequence[Any]) -> dict[int, Any]:
        return {document["id"]: document for document in documents}

    return {
        Change.Kind.TERM: lambda pks: by_id(
            load_terms(pks, scope, links, rich_text=rich_text)
        ),
        Change.Kind.GLOSSARY: lambda pks: by_id(
            load_glossaries(scope, links, rich_text=rich_text)
        ),
        Change.Kind.CATEGORY: lambda pks: by_id(
            load_categories(scope, links, glossaries)
        ),
        Change.Kind.RELATED_TERM: lambda pks: by_id(
            load_related_terms_by_id(pks, scope)
        ),
    }


def _with_data(
    rows: Sequence[Change], loaders: dict[str, Load]
) -> list[GlossaryChange]:
    wanted: dict[str, list[int]] = {}
    for row in rows:
        if not row.deleted:
            wanted.setdefault(row.kind, []).append(row.object_id)
    found = {kind: loaders[kind](pks) for kind, pks in wanted.items()}
    items: list[Any] = []
    for row in rows:
        # It may have been hidden since its row was read: its tombstone comes later.
        data = None if row.deleted else found[row.kind].get(row.object_id)
        item = {
            "state": "deleted" if data is None else "updated",
            "kind": row.kind,
            "id": row.key,
            "modified": row.number,
        }
        if data is not None:
            item["data"] = data
        items.append(item)
    return items
