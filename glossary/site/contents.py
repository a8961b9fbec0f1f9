"""The terms of a glossary in order, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import Q, QuerySet

from ..delivery.scope import ScopeGlossary
from ..models import PublicTerm, TermPage


# How many are read by one query.
LINES_AT_ONCE = 500
TERMS_AT_ONCE = 100


class Line(NamedTuple):
    """What a list says of a term. ``letter`` is the one that it stands under,
    ``category`` the slug of its category."""

    title: str
    slug: str
    short_definition: str
    letter: str
    category: str | None


def lines(glossary: ScopeGlossary, *, letter: str | None = None) -> Iterator[Line]:
    """All terms of a glossary, or those of a letter, that anyone may see."""
    listed = PublicTerm.objects.filter(glossary=glossary.pk)
    if letter is not None:
        listed = listed.filter(letter=letter)
    for pks in _in_order(listed, LINES_AT_ONCE):
        # What a list says is read from the pages, which are public there and then.
        found = {
            pk: line
            for pk, *line in TermPage.objects.visible()
            .filter(pk__in=pks)
            .values_list(
                *("pk", "title", "slug", "short_definition"),
                *("public_term__letter", "category__slug"),
            )
        }
        yield from (Line(*found[pk]) for pk in pks if pk in found)


def term_pks(glossary: ScopeGlossary) -> Iterator[list[int]]:
    """The ids of the terms of a glossary, in pieces."""
    return _in_order(PublicTerm.objects.filter(glossary=glossary.pk), TERMS_AT_ONCE)


def _in_order(listed: QuerySet[PublicTerm], size: int) -> Iterator[list[int]]:
    listed = listed.order_by("sort_key", "term")
    rest = listed
    while rows := list(rest.values_list("term_id", "sort_key")[:size]):
        yield [pk for pk, _sort_key in rows]
        last, sort_key = rows[-1][0], bytes(rows[-1][1])
        # The first condition repeats what the others say, for the index to begin there.
        rest = listed.filter(
            Q(sort_key__gt=sort_key) | Q(term__gt=last), sort_key__gte=sort_key
        )
