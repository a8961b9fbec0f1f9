"""The typed shapes of all that is delivered.

They are what a JSON document holds, key by key, and what the OpenAPI document says. The
loaders build them as plain dictionaries; a test holds each against its type here.
Times are in UTC. Every name begins with ``Term`` or ``Glossary``: in a shared OpenAPI
document, schemas of the same name would silently replace each other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, NotRequired, TypeVar
from uuid import UUID

from pydantic import Field

# pydantic refuses typing's before Python 3.12, and generic ones before 3.11.
from typing_extensions import TypedDict

from ..visibility import TermReference


LinkKind = Literal["related", "see_also", "contrast", "broader", "narrower"]
LabelKind = Literal["synonym", "abbreviation", "inflection", "hidden"]
CaseRule = Literal["ignore", "first", "exact"]
MentionKind = Literal[
    "related", "see_also", "contrast", "broader", "narrower", "comparison", "text"
]
RichTextFormat = Literal["html", "markdown", "plain", "db_html"]


class TermCategory(TypedDict):
    slug: str
    name: str


class TermSection(TypedDict):
    """A section of the explanation. ``kind`` is ``explanation``, ``how_it_works``,
    ``in_chatbots`` or one of the site's own."""

    kind: str
    heading: str
    body: Annotated[str, Field(description="In the format asked for by rich_text.")]


class TermSectionBlock(TypedDict):
    type: Literal["section"]
    value: TermSection
    id: str


class TermComparison(TypedDict):
    """How the term differs from another one: a related term, or one of that name."""

    related_term: Annotated[
        TermReference | None,
        Field(description="Null if none was chosen or it is hidden."),
    ]
    name: str
    comparison: Annotated[
        str, Field(description="In the format asked for by rich_text.")
    ]


class TermComparisonBlock(TypedDict):
    type: Literal["comparison"]
    value: TermComparison
    id: str


class TermQuestion(TypedDict):
    question: str
    answer: Annotated[str, Field(description="In the format asked for by rich_text.")]


class TermQuestionBlock(TypedDict):
    type: Literal["question"]
    value: TermQuestion
    id: str


class TermFeature(TypedDict):
    path: str
    label: str


class TermFeatureBlock(TypedDict):
    type: Literal["feature"]
    value: TermFeature
    id: str


class TermLink(TypedDict):
    id: int
    kind: LinkKind
    related_term: TermReference


class TermLabelMeta(TypedDict):
    type: Literal["glossary.TermLabel"]


class TermLabel(TypedDict):
    """Another name of the term, and how a text must write it to mean the term."""

    id: int
    meta: TermLabelMeta
    text: str
    kind: LabelKind
    case_rule: CaseRule


class GlossaryReferenceMeta(TypedDict):
    type: str
    detail_url: str
    html_url: str | None


class GlossaryReference(TypedDict):
    """The glossary that a term stands in."""

    id: int
    meta: GlossaryReferenceMeta
    title: str


class TermTranslation(TypedDict):
    """The same term in another language."""

    locale: str
    id: int
    slug: str
    html_url: str | None


class TermMeta(TypedDict):
    type: Annotated[str, Field(examples=["glossary.TermPage"])]
    detail_url: str
    html_url: str | None
    slug: str
    show_in_menus: bool
    seo_title: str
    search_description: str
    first_published_at: datetime | None
    last_published_at: datetime | None
    parent: GlossaryReference | None
    locale: str
    translation_key: UUID
    translations: list[TermTranslation]


TermDefinedTermSet = TypedDict(
    "TermDefinedTermSet",
    {
        "@type": Literal["DefinedTermSet"],
        "@id": NotRequired[str],
        "name": str,
        "url": NotRequired[str],
        "inLanguage": str,
    },
)
TermStructuredData = TypedDict(
    "TermStructuredData",
    {
        "@context": Literal["https://schema.org"],
        "@type": Literal["DefinedTerm"],
        "@id": NotRequired[str],
        "name": str,
        "alternateName": NotRequired[list[str]],
        "description": NotRequired[str],
        "url": NotRequired[str],
        "inDefinedTermSet": NotRequired[TermDefinedTermSet],
    },
)


class TermCard(TypedDict):
    """What a list shows of a term, and its heading."""

    id: int
    meta: TermMeta
    title: str
    heading: Annotated[
        str, Field(description="The headline of its page; empty if it is the title.")
    ]
    short_definition: str
    category: TermCategory | None
    tags: list[str]


class TermDocument(TermCard):
    """A term, complete."""

    explanation: list[TermSectionBlock]
    comparisons: list[TermComparisonBlock]
    faq: list[TermQuestionBlock]
    related_features: list[TermFeatureBlock]
    related_terms: list[TermLink]
    labels: list[TermLabel]
    backlinks_count: Annotated[
        int, Field(description="How many public terms of the site point at it.")
    ]
    backlinks: NotRequired[
        Annotated[list[TermBacklink], Field(description="With include=backlinks.")]
    ]
    structured_data: NotRequired[
        Annotated[
            TermStructuredData,
            Field(description="JSON-LD, with include=structured_data."),
        ]
    ]


class TermBacklink(TypedDict):
    """A term that points at this one. ``kinds`` tells how: by a link of that kind, in
    a comparison or in its text."""

    id: int
    slug: str
    title: str
    html_url: str | None
    kinds: list[MentionKind]


class GlossaryMeta(TypedDict):
    type: str
    detail_url: str
    html_url: str | None
    slug: str
    seo_title: str
    search_description: str
    first_published_at: datetime | None
    last_published_at: datetime | None
    locale: str
    translation_key: UUID


class GlossaryDocument(TypedDict):
    id: int
    meta: GlossaryMeta
    title: str
    introduction: Annotated[
        str, Field(description="In the format asked for by rich_text.")
    ]
    feature_base_url: str
    licence_url: str
    term_count: int


class GlossaryCategoryMeta(TypedDict):
    type: Literal["glossary.Category"]
    detail_url: str


class GlossaryCategory(TypedDict):
    """A category with public terms; ``term_count`` is how many."""

    id: int
    meta: GlossaryCategoryMeta
    name: str
    slug: str
    description: str
    locale: str
    term_count: int


class GlossaryRelatedTermMeta(TypedDict):
    type: Literal["glossary.RelatedTerm"]
    locale: str
    glossary: int


class GlossaryRelatedTerm(TypedDict):
    """A name that a glossary knows; ``url`` is null while its page is wanted.
    ``wanted_by`` is how many public terms link to it."""

    id: int
    meta: GlossaryRelatedTermMeta
    slug: str
    name: str
    url: str | None
    wanted_by: int


class GlossaryLetter(TypedDict):
    """A letter of the glossary's language, or ``#`` for all else, with how many terms
    stand under it, and how many labels that lead to a term."""

    letter: str
    terms: int
    labels: int


class TermSuggestion(TypedDict):
    """A term and the name of it that matches what was typed."""

    id: int
    slug: str
    title: str
    match: str
    match_kind: Literal["title", "synonym", "abbreviation", "inflection", "hidden"]
    fuzzy: bool
    html_url: str | None


class TermHighlight(TypedDict):
    """A piece of plain text; ``start`` and ``end`` of each match count characters."""

    field: str
    text: str
    matches: list[TermSpan]


class TermSpan(TypedDict):
    start: int
    end: int


class TermHit(TypedDict):
    id: int
    slug: str
    title: str
    short_definition: str
    category: TermCategory | None
    html_url: str | None
    detail_url: str
    highlights: list[TermHighlight]


class GlossaryFacetValue(TypedDict):
    value: str
    label: str
    count: int


class TermNode(TypedDict):
    """A point of the graph. ``url`` is null for a wanted term."""

    id: str
    name: str
    slug: str
    url: str | None
    category: str | None


class TermEdge(TypedDict):
    source: str
    target: str
    type: MentionKind


class GlossaryGraph(TypedDict):
    """``truncated`` tells that there is more than the limit lets be shown."""

    nodes: list[TermNode]
    edges: list[TermEdge]
    truncated: bool


Item = TypeVar("Item")


class GlossaryPageLinks(TypedDict):
    """Addresses of the next and the previous part of a list; null at its ends."""

    next: str | None
    prev: str | None


class GlossaryListMeta(TypedDict):
    total_count: int


class GlossaryList(TypedDict, Generic[Item]):
    meta: GlossaryListMeta
    items: list[Item]
    links: GlossaryPageLinks
