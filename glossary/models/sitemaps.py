"""Which terms search engines are to know."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from django.db.models import Q

from ..conf import noindex_thin
from .catalogue import PublicTerm


if TYPE_CHECKING:
    from django.http import HttpRequest

REMEMBERED = "_glossary_indexed_terms"


def indexed(public_term: str = "") -> Q:
    """What filters public terms to those that GLOSSARY_NOINDEX_THIN does not leave out;
    ``public_term`` is the way to them, such as ``public_term__``."""
    return Q(**{f"{public_term}has_explanation": True}) if noindex_thin() else Q()


def is_indexed(term_id: int, request: HttpRequest | None) -> bool:
    """Whether a term is public and one of them, by one query for all that a request
    asks about."""
    terms = PublicTerm.objects.filter(indexed())
    if request is None:
        return terms.filter(pk=term_id).exists()
    known: Container[int] | None = getattr(request, REMEMBERED, None)
    if known is None:
        known = frozenset(terms.values_list("pk", flat=True))
        setattr(request, REMEMBERED, known)
    return term_id in known
