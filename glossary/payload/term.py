"""What a payload says of one term: its fields, their limits, and what may be wrong.

Source: the payloads of glossary sites made with Nuxt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from .values import PayloadError


if TYPE_CHECKING:
    from collections.abc import Mapping


Level: TypeAlias = Literal["error", "warning"]

MAX_LENGTHS: Final[Mapping[str, int]] = {
    "slug": 255,
    "term": 255,
    "shortDefinition": 5_000,
    "seoTitle": 255,
    "seoDescription": 5_000,
    "h1": 255,
    "explanation": 200_000,
    "howItWorks": 200_000,
    "inChatbots": 200_000,
    "comparison": 200_000,
    "name": 255,
    "feature": 2_000,
    "question": 500,
    "answer": 200_000,
    "category": 255,
    "categoryName": 255,
    "label": 255,
    "tag": 100,
    "kind": 50,
    "heading": 255,
    "text": 200_000,
    "featureLabel": 255,
    "entries": 500,
}
"""How long a text of each kind may be, in characters; "entries" is for every list."""

LABEL_KINDS: Final = ("synonym", "abbreviation", "inflection", "hidden")
CASE_RULES: Final = ("ignore", "first", "exact")
LINK_KINDS: Final = ("related", "see_also", "contrast", "broader", "narrower")

FIELDS: Final[Mapping[str, str]] = {
    "slug": "slug",
    "term": "term",
    "short_definition": "shortDefinition",
    "seo_title": "seoTitle",
    "seo_description": "seoDescription",
    "heading": "h1",
    "explanation": "explanation",
    "how_it_works": "howItWorks",
    "in_chatbots": "inChatbots",
    "comparisons": "vsRelatedConcepts",
    "related_terms": "relatedTerms",
    "related_features": "relatedFeatures",
    "faq": "faq",
    "category": "category",
    "labels": "labels",
    "tags": "tags",
    "category_name": "categoryName",
    "sections": "sections",
    "feature_labels": "featureLabels",
}
"""The attributes of `TermPayload` and their names in a record, in its order."""

ALIASES: Final = "aliases"
"""A field that is read as more of the labels."""

KNOWN: Final = frozenset({*FIELDS.values(), ALIASES})
"""The names in a record that mean something here."""


class Presence(Enum):
    """What a record says of a field, which an import reports."""

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a record.

    `pointer` is the JSON pointer (RFC 6901) to the place. `code` is stable:
    of errors "missing", "null", "empty", "wrong-type", "too-long", "not-a-slug",
    "not-a-kind", "too-deep"; of warnings "null", "empty", "nul-removed",
    "surrogate-replaced", "control-removed", "not-finite", "normalised", "derived",
    "duplicate", "self-link", "unknown-value", "unknown-field", "unknown-feature".
    """

    level: Level
    pointer: str
    code: str
    message: str

    def __str__(self) -> str:
        place = f" at {self.pointer}" if self.pointer else ""
        return f"{self.level}{place}: {self.message} ({self.code})"


class SchemaError(PayloadError):
    """A record that makes no term; `problems` has its errors and its warnings."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        errors = [str(problem) for problem in problems if problem.level == "error"]
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        super().__init__("; ".join(errors[:3]) + more)


@dataclass(frozen=True, slots=True)
class ComparisonPayload:
    """A concept, its text in Markdown; `slug` is "" where the record names no term."""

    term: str
    comparison: str
    slug: str = ""


@dataclass(frozen=True, slots=True)
class RelatedTermPayload:
    slug: str
    name: str
    kind: str = "related"


@dataclass(frozen=True, slots=True)
class QuestionPayload:
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class LabelPayload:
    text: str
    kind: str = "synonym"
    case_rule: str = "ignore"


@dataclass(frozen=True, slots=True)
class SectionPayload:
    """A section: its kind, such as "how_it_works", and `text` in Markdown."""

    kind: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class TermPayload:
    """A term as a payload has it: texts in Markdown, "" and () for what is not there.

    `category` is a slug. Where the record has a name as well or instead,
    `category_name` is that name, else "". `related_features` are paths without a
    leading slash, and `feature_labels` the texts of their links, by path. `sections`,
    where the record has them, are all the sections of the term in their order, and
    the three prose fields have no say. `extra` are the fields that are not known here,
    as plain JSON. `presence` tells, by attribute, what the record said; it takes no
    part in equality.
    """

    slug: str
    term: str
    short_definition: str = ""
    seo_title: str = ""
    seo_description: str = ""
    heading: str = ""
    explanation: str = ""
    how_it_works: str = ""
    in_chatbots: str = ""
    comparisons: tuple[ComparisonPayload, ...] = ()
    related_terms: tuple[RelatedTermPayload, ...] = ()
    related_features: tuple[str, ...] = ()
    faq: tuple[QuestionPayload, ...] = ()
    category: str = ""
    category_name: str = ""
    labels: tuple[LabelPayload, ...] = ()
    tags: tuple[str, ...] = ()
    sections: tuple[SectionPayload, ...] = ()
    feature_labels: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    presence: Mapping[str, Presence] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class ParsedTerm:
    """A term and the warnings about its record."""

    term: TermPayload
    problems: tuple[Problem, ...]
