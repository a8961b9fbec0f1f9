"""The record of one term in a payload: find it, check it, write it again."""

from __future__ import annotations

from .checking import parse_term
from .finding import FoundTerm, find_term
from .term import (
    CASE_RULES,
    FIELDS,
    LABEL_KINDS,
    LINK_KINDS,
    MAX_LENGTHS,
    ComparisonPayload,
    LabelPayload,
    Level,
    ParsedTerm,
    Presence,
    Problem,
    QuestionPayload,
    RelatedTermPayload,
    SchemaError,
    SectionPayload,
    TermPayload,
)
from .text import slugify
from .writing import to_record


__all__ = [
    "CASE_RULES",
    "FIELDS",
    "LABEL_KINDS",
    "LINK_KINDS",
    "MAX_LENGTHS",
    "ComparisonPayload",
    "FoundTerm",
    "LabelPayload",
    "Level",
    "ParsedTerm",
    "Presence",
    "Problem",
    "QuestionPayload",
    "RelatedTermPayload",
    "SchemaError",
    "SectionPayload",
    "TermPayload",
    "find_term",
    "parse_term",
    "slugify",
    "to_record",
]
