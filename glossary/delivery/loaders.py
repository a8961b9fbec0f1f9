"""Loads documents, many at once, as anyone may see them."""

from __future__ import annotations

from .backlinks import load_backlinks
from .glossary_loader import (
    load_categories,
    load_glossaries,
    load_letters,
    load_related_terms,
    load_related_terms_by_id,
)
from .term_loader import load_cards, load_terms


__all__ = [
    "load_backlinks",
    "load_cards",
    "load_categories",
    "load_glossaries",
    "load_letters",
    "load_related_terms",
    "load_related_terms_by_id",
    "load_terms",
]
