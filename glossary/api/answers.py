"""What each endpoint answers, as far as it is more than a document."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,  # pydantic refuses typing's
)

from pydantic import Field
from typing_extensions import TypedDict

from ..delivery.documents import (
    GlossaryCategory,
    GlossaryDocument,
    GlossaryFacetValue,
    GlossaryLetter,
    GlossaryListMeta,
    GlossaryPageLinks,
    GlossaryRelatedTerm,
    TermBacklink,
    TermDocument,
    TermHit,
    TermSuggestion,
)
from .fields import part_of


if TYPE_CHECKING:
    TermItem = dict[str, Any]
else:
    TermItem = part_of(TermDocument, "TermItem", frozenset({"id", "meta"}))


class TermList(TypedDict):
    meta: GlossaryListMeta
    items: list[TermItem]
    links: GlossaryPageLinks


class TermBacklinkList(TypedDict):
    meta: GlossaryListMeta
    items: list[TermBacklink]
    links: GlossaryPageLinks


class TermBulkItem(TypedDict):
    """A term that was asked for, by its slug or its id; ``data`` is null, and the
    status 404, if there is none for a reader."""

    slug: NotRequired[str]
    id: NotRequired[int]
    status: Literal[200, 404]
    data: TermDocument | None


class TermBulk(TypedDict):
    """In the order that was asked for: slugs first, then ids."""

    items: list[TermBulkItem]


class TermSuggestions(TypedDict):
    items: list[TermSuggestion]


class TermResultsMeta(TypedDict):
    total_count: int
    total_is_exact: Annotated[
        bool,
        Field(description="False if there may be more."),
    ]


class TermFacets(TypedDict, total=False):
    category: list[GlossaryFacetValue]
    letter: list[GlossaryFacetValue]
    tag: list[GlossaryFacetValue]


class TermResults(TypedDict):
    """What was found, best first. ``did_you_mean`` is a name that is written nearly
    like what was asked for, if nothing was found."""

    meta: TermResultsMeta
    items: list[TermHit]
    facets: TermFacets
    did_you_mean: str | None
    links: GlossaryPageLinks


class GlossaryDocuments(TypedDict):
    items: list[GlossaryDocument]


class GlossaryCategories(TypedDict):
    items: list[GlossaryCategory]


class GlossaryRelatedTerms(TypedDict):
    meta: GlossaryListMeta
    items: list[GlossaryRelatedTerm]
    links: GlossaryPageLinks


class GlossaryLetters(TypedDict):
    items: list[GlossaryLetter]


class TermPayloadRecord(TypedDict):
    """A term in the shape of a Nuxt site's payload; what else its payload came with
    stands in it as well."""

    slug: str
    term: str


class TermMoved(TypedDict):
    """Where the term is now."""

    location: str
