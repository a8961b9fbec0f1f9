"""Keeps what anyone may read ready to be listed, counted and found, and says in the
log what has changed.

Everything here runs inside the transaction of the change, with the version locked: two
changes at once wait for each other, and each sees the other's mentions. A term is
public when it is live, so is its glossary, and neither is below a restriction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import wraps
from itertools import chain
from typing import Any, ParamSpec, TypeVar

from django.db import models, transaction
from django.db.models import Q

from ..models import (
    Category,
    Change,
    GlossaryPage,
    Mention,
    NameVariant,
    PublicName,
    PublicTag,
    PublicTerm,
    RelatedTerm,
    TermPage,
)
from ..visibility import linked_targets
from .places import Places
from .standings import (
    COUNTS,
    Standing,
    count,
    delete_rows,
    read,
    stored,
    write,
)
from .versions import Place, batches, lock, record


# Objects whose changes are written at once, and held in memory.
MOST_RECORDED = 5000

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class Touched:
    """What else changes with some terms."""

    faces: set[int] = field(default_factory=set)
    """Terms that appear, vanish or are elsewhere: whoever shows them changes."""
    pages: set[int] = field(default_factory=set)
    related_terms: set[int] = field(default_factory=set)
    """What is pointed at by more or fewer terms than before."""
    glossaries: set[int] = field(default_factory=set)
    categories: set[int] = field(default_factory=set)
    """Those with more or fewer terms than before."""

    def add(self, pk: int, old: Standing | None, new: Standing | None) -> None:
        if old is None or new is None or old.face != new.face:
            self.faces.add(pk)
        for pointer in (old.pointers if old else set()) ^ (
            new.pointers if new else set()
        ):
            if pointer.target_type == Mention.Target.PAGE:
                self.pages.add(pointer.target_id)
            elif pointer.target_type == Mention.Target.RELATED_TERM:
                self.related_terms.add(pointer.target_id)
        places = {
            (standing.glossary_id, standing.category_id) if standing else (None, None)
            for standing in (old, new)
        }
        if len(places) == 2:
            self.glossaries |= {glossary for glossary, _ in places if glossary}
            self.categories |= {category for _, category in places if category}


def locked(function: Callable[P, R]) -> Callable[P, R]:
    """In a transaction, and with the version locked before anything is read."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with transaction.atomic():
            lock()
            return function(*args, **kwargs)

    return run


@locked
def refresh(pks: Iterable[int]) -> None:
    """Bring the catalogue up to date with these terms, and record that they, and
    whatever else shows something of them, have changed."""
    _refresh(pks)


@locked
def forget(pks: Iterable[int]) -> None:
    """Take terms that are about to be deleted out of the catalogue."""
    for batch in batches(pks):
        public = set(_public(Q(pk__in=batch)))
        _refresh(public | _recorded(Change.Kind.TERM, batch), gone=True)


@locked
def rebuild() -> int:
    """Make the whole catalogue anew, and return how many terms are in it.

    Everything counts as changed: who follows the log reads all of it again.
    """
    for model in (NameVariant, PublicName, Mention, PublicTag, *COUNTS, PublicTerm):
        delete_rows(model.objects.all())
    places = Places()
    record(places.of_glossaries(_all(GlossaryPage, Change.Kind.GLOSSARY)))
    refresh(_all(TermPage, Change.Kind.TERM))
    refresh_related_terms(_all(RelatedTerm, Change.Kind.RELATED_TERM))
    record(places.of_categories(_all(Category, Change.Kind.CATEGORY)))
    return PublicTerm.objects.count()


@locked
def refresh_below(path: str) -> None:
    """Bring the catalogue up to date with what is at or below a place in the tree that
    has moved, has another address, or is hidden or shown; of terms that are public as
    before, only the addresses have changed."""
    places = Places()
    before = set(_public(Q(term__path__startswith=path)))
    after = _visible_below(path, places)
    refresh(sorted(before ^ after))
    _record(before & after, _all_touched(path, before & after), places)
    glossaries = _glossaries_at(path)
    # Those that have a page have been recorded with it.
    refresh_related_terms(_known_by(glossaries).filter(page__isnull=True))
    record(places.of_glossaries(glossaries))


@locked
def forget_below(path: str) -> None:
    """Take all glossaries and terms at or below a place in the tree, which are about
    to be deleted, out of the catalogue."""
    glossaries = _glossaries_at(path)
    terms = TermPage.objects.filter(path__startswith=path)
    forget(terms.values_list("pk", flat=True))
    _record_gone(Change.Kind.RELATED_TERM, _known_by(glossaries))
    _record_gone(Change.Kind.GLOSSARY, glossaries)


@locked
def refresh_language(locale_id: int) -> None:
    """Bring the catalogue up to date with the terms of a language, which are to be
    sorted in another way."""
    refresh(_public(Q(locale=locale_id)))


@locked
def refresh_glossary(pk: int) -> None:
    """Record that what a glossary says of itself has changed."""
    record(Places().of_glossaries([pk]))


@locked
def refresh_mentioning(target_type: Mention.Target, pks: Collection[int]) -> None:
    """Record that the terms and glossaries that point at these have changed."""
    places = Places()
    for batch in batches(pks):
        sources = _sources(Q(target_type=target_type, target_id__in=batch))
        record(places.of_terms(sources))
    record(places.of_glossaries(_introducing(target_type, set(pks))))


@locked
def refresh_mentioning_all(
    target_type: Mention.Target, targets: models.QuerySet[Any]
) -> None:
    """The same for as many as a query finds."""
    mentions = Mention.objects.filter(
        target_type=target_type, target_id__in=targets.values("pk")
    )
    pointed_at = set(mentions.order_by().values_list("target_id", flat=True).distinct())
    introduced = set().union(*_introduced(target_type).values())
    for batch in batches(introduced):
        pointed_at |= set(targets.filter(pk__in=batch).values_list("pk", flat=True))
    refresh_mentioning(target_type, pointed_at)


@locked
def refresh_category(pk: int) -> None:
    """Record that a category, and so every term in it, has changed."""
    places = Places()
    terms = _public(Q(category=pk))
    record([*places.of_categories([pk]), *places.of_terms(terms)])


@locked
def forget_category(pk: int) -> None:
    """Record that a category, which is about to be deleted, is gone."""
    _record_gone(Change.Kind.CATEGORY, [pk])
    record(Places().of_terms(_public(Q(category=pk))))


@locked
def refresh_related_terms(pks: Iterable[int]) -> None:
    """Record that related terms, and so every term that points at them, have
    changed."""
    places = Places()
    for batch in batches(pks):
        terms = _pointing_at(batch)
        record([*places.of_related_terms(batch), *places.of_terms(terms)])


@locked
def forget_related_terms(pks: Collection[int]) -> None:
    """Record that related terms, which are about to be deleted, are gone."""
    sources = _pointing_at(pks)
    _record_gone(Change.Kind.RELATED_TERM, pks)
    record(Places().of_terms(sources))


# --- What is written


def _refresh(pks: Iterable[int], *, gone: bool = False) -> None:
    terms = set(pks)
    if not terms:
        return
    places, touched = Places(), Touched()
    for batch in batches(sorted(terms)):
        before = stored(batch)
        after = {} if gone else read(batch, places.glossaries_by_path)
        write(before, after)
        count(before, after)
        for pk in before.keys() | after.keys():
            touched.add(pk, before.get(pk), after.get(pk))
    _record(terms, touched, places, gone=gone)


def _record(
    pks: set[int], touched: Touched, places: Places, *, gone: bool = False
) -> None:
    """Record the terms and what is touched with them, now that all of it is written:
    each of it once."""
    terms = pks | touched.pages
    related_terms = set(touched.related_terms)
    for batch in batches(touched.related_terms):
        pages = RelatedTerm.objects.filter(pk__in=batch, page__isnull=False)
        terms.update(pages.values_list("page_id", flat=True))
    for batch in batches(touched.faces):
        known = RelatedTerm.objects.filter(page__in=batch)
        known_as = set(known.values_list("pk", flat=True))
        related_terms |= known_as
        terms.update(
            _sources(
                Q(target_type=Mention.Target.PAGE, target_id__in=batch)
                | Q(target_type=Mention.Target.RELATED_TERM, target_id__in=known_as)
            ),
            _translations(batch),
        )
    glossaries = touched.glossaries | _introducing(Mention.Target.PAGE, touched.faces)
    changed = chain(
        places.of_terms(sorted(terms), gone=pks if gone else ()),
        places.of_related_terms(sorted(related_terms)),
        places.of_glossaries(glossaries),
        places.of_categories(touched.categories),
    )
    for batch in batches(changed, MOST_RECORDED):
        record(batch)


def _translations(pks: Collection[int]) -> list[int]:
    """The same terms in other languages: each names the others."""
    keys = TermPage.objects.filter(pk__in=pks).values("translation_key")
    found = PublicTerm.objects.filter(term__translation_key__in=keys)
    return list(found.values_list("pk", flat=True))


def _record_gone(kind: Change.Kind, pks: Iterable[int]) -> None:
    for batch in batches(pks):
        record(Place(kind, pk, "", (), is_gone=True) for pk in batch)


# --- Which objects


def _introduced(target_type: Mention.Target) -> dict[int, set[int]]:
    """What the introductions of glossaries point at. There are few of them."""
    rows = GlossaryPage.objects.filter(introduction__contains="linktype")
    return {
        pk: {target for kind, target in linked_targets(html) if kind == target_type}
        for pk, html in rows.values_list("pk", "introduction")
    }


def _introducing(target_type: Mention.Target, pks: set[int]) -> set[int]:
    """The glossaries whose introduction points at any of these."""
    if not pks:
        return set()
    return {
        glossary
        for glossary, targets in _introduced(target_type).items()
        if targets & pks
    }


def _sources(mentions: Q) -> list[int]:
    rows = Mention.objects.filter(mentions).order_by()
    return list(rows.values_list("public_term_id", flat=True).distinct())


def _pointing_at(related_terms: Collection[int]) -> list[int]:
    target_type = Mention.Target.RELATED_TERM
    return _sources(Q(target_type=target_type, target_id__in=related_terms))


def _public(condition: Q) -> list[int]:
    """Terms that are in the catalogue."""
    return list(PublicTerm.objects.filter(condition).values_list("pk", flat=True))


def _all_touched(path: str, public: set[int]) -> Touched:
    """All that changes with public terms below a path that may be on other sites."""
    terms = PublicTerm.objects.filter(term__path__startswith=path)
    mentions = Mention.objects.filter(public_term__in=terms.values("pk")).order_by()
    targets: dict[str, set[int]] = {kind: set() for kind in Mention.Target.values}
    for kind, pk in mentions.values_list("target_type", "target_id").distinct():
        targets[kind].add(pk)
    categories = terms.filter(category__isnull=False).order_by()
    return Touched(
        faces=public,
        pages=targets[Mention.Target.PAGE],
        related_terms=targets[Mention.Target.RELATED_TERM],
        categories=set(categories.values_list("category_id", flat=True).distinct()),
    )


def _visible_below(path: str, places: Places) -> set[int]:
    """Terms that are to be in the catalogue."""
    rows = TermPage.objects.visible().filter(path__startswith=path)
    return {
        pk
        for pk, path in rows.values_list("pk", "path").iterator()
        if path[: -TermPage.steplen] in places.glossaries_by_path
    }


def _glossaries_at(path: str) -> list[int]:
    glossaries = GlossaryPage.objects.filter(path__startswith=path)
    return list(glossaries.values_list("pk", flat=True))


def _known_by(glossaries: Collection[int]) -> models.QuerySet[RelatedTerm, int]:
    """Their related terms."""
    known = RelatedTerm.objects.filter(glossary__in=glossaries)
    return known.values_list("pk", flat=True)


def _recorded(kind: Change.Kind, pks: Collection[int] | None = None) -> set[int]:
    """Objects that are public, as far as the log knows."""
    rows = Change.objects.filter(kind=kind, deleted=False)
    if pks is not None:
        rows = rows.filter(object_id__in=pks)
    return set(rows.values_list("object_id", flat=True))


def _all(model: type[models.Model], kind: Change.Kind) -> list[int]:
    """Those that are there, and those that the log believes to be."""
    there = set(model._base_manager.values_list("pk", flat=True))
    return sorted(there | _recorded(kind))
