"""A term as a record again."""

from __future__ import annotations

from typing import Any, Final

from .term import (
    FIELDS,
    KNOWN,
    ComparisonPayload,
    LabelPayload,
    Presence,
    QuestionPayload,
    RelatedTermPayload,
    SectionPayload,
    TermPayload,
)
from .text import is_slug, slugify


# Written only where there is something to write: the payloads of old lack them.
_OPTIONAL: Final = frozenset(
    {"labels", "tags", "categoryName", "sections", "featureLabels"}
)


def to_record(term: TermPayload) -> dict[str, Any]:
    """The record of a term: plain JSON, with the names and the order of a payload.

    The fields that payloads of old lack ("labels" and all after it) are in it only when
    the term has them or its record had; unknown fields come last. `parse_term` of it
    gives an equal term.
    """
    record: dict[str, Any] = {}
    for attribute, name in FIELDS.items():
        value = getattr(term, attribute)
        known = term.presence.get(attribute, Presence.ABSENT)
        if name in _OPTIONAL and not value and known is Presence.ABSENT:
            continue
        if name == "categoryName" and known is Presence.ABSENT and _named_so(term):
            record["category"] = value
        elif isinstance(value, tuple):
            record[name] = list(map(_plain, value))
        else:
            record[name] = dict(value) if isinstance(value, dict) else value
    return record | {
        name: value for name, value in term.extra.items() if name not in KNOWN
    }


def _named_so(term: TermPayload) -> bool:
    """Whether the record had the name of its category in the place of the slug."""
    name = term.category_name
    return (
        term.presence.get("category") is Presence.VALUE
        and not is_slug(name)
        and slugify(name) == term.category
    )


def _plain(entry: object) -> str | dict[str, str]:
    match entry:
        case ComparisonPayload(term, comparison, slug):
            record = {"term": term, "comparison": comparison}
            return record | {"slug": slug} if slug else record
        case RelatedTermPayload(slug, name, kind):
            record = {"slug": slug, "name": name}
            return record if kind == "related" else record | {"kind": kind}
        case QuestionPayload(question, answer):
            return {"question": question, "answer": answer}
        case LabelPayload(text, kind, rule):
            return {"text": text, "kind": kind, "caseRule": rule}
        case SectionPayload(kind, heading, text):
            return {"kind": kind, "heading": heading, "text": text}
    return str(entry)
