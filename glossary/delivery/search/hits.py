"""What a search shows of the terms that it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..documents import TermHit
from ..links import Links
from ..public_pages import PublicPages
from ..scope import Scope
from ..term_loader import Row, category_of, load_labels, load_rows
from ..term_streams import BLOCKS, PROSE, TermStreams
from .highlights import Sought, highlight, sought


def load_hits(
    pks: Sequence[int], text: str, scope: Scope, links: Links
) -> list[TermHit]:
    """The terms of these ids in this order, without those that are not public on the
    site, each with the places where it has the words of the text. By two queries: what
    the terms refer to is not looked up.
    """
    rows = load_rows(pks, PublicPages(scope))
    labels = load_labels(rows) if rows else {}
    words = sought(text)
    return [
        {
            "id": pk,
            "slug": row["slug"],
            "title": row["title"],
            "short_definition": row["short_definition"],
            "category": category_of(row),
            "html_url": row["glossary"].term_url(row["slug"]),
            "detail_url": links.term(pk),
            "highlights": highlight(_texts(row, labels.get(pk, []), words), text),
        }
        for pk in pks
        if (row := rows.get(pk))
    ]


def _texts(row: Row, labels: Sequence[Any], words: Sought | None) -> Mapping[str, Any]:
    """The part of its document that a reader searches, with its rich texts as they
    are stored. A stream without any of the words is left empty."""
    texts = (row[name] if name in PROSE else None for name in BLOCKS)
    streams = TermStreams(
        *(text if text and words and words.may_be_in(text) else None for text in texts)
    )
    return {
        "title": row["title"],
        "heading": row["heading"],
        "labels": [{"text": text, "kind": kind} for _pk, text, kind, _rule in labels],
        "short_definition": row["short_definition"],
        "explanation": streams.explanation(str),
        "comparisons": streams.comparisons(str, lambda pk: None),
        "faq": streams.faq(str),
    }
