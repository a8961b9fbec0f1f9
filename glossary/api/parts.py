"""Glossaries, and what they are made of beside terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..delivery import loaders
from ..delivery.documents import GlossaryCategory, GlossaryDocument, GlossaryGraph
from ..delivery.graph import graph as load_graph
from ..delivery.scope import ScopeGlossary
from ..delivery.tags import tags_for
from . import answers, finding
from . import parameters as read
from .delivering import Answer, Policy
from .endpoints import NOT_FOUND, THROTTLED, Asked, endpoint
from .problems import not_found


@endpoint(
    "glossaries/",
    answers.GlossaryDocuments,
    read.GlossaryListParameters,
    "List glossaries",
)
def glossaries(asked: Asked[read.GlossaryListParameters]) -> Answer:
    """All of the site, in the order of its tree."""
    chosen = finding.glossaries_for(asked.scope, asked.parameters)
    in_order = [item for item in asked.scope.glossaries if item in chosen]
    return _glossaries(asked, in_order, lambda items: {"items": items})


@endpoint(
    "glossaries/{int:glossary_id}/",
    GlossaryDocument,
    read.FormatParameters,
    "Get a glossary by its id",
    statuses=NOT_FOUND,
)
def glossary(asked: Asked[read.FormatParameters], glossary_id: int) -> Answer:
    """Its introduction and its licence."""
    found = asked.scope.glossary(glossary_id)
    if found is None:
        raise not_found("glossary")
    return _glossaries(asked, [found], lambda items: items[0])


def _glossaries(
    asked: Asked[Any],
    chosen: Sequence[ScopeGlossary],
    document: Callable[[list[GlossaryDocument]], Any],
) -> Answer:
    items = loaders.load_glossaries(
        asked.scope,
        asked.links,
        rich_text=asked.parameters.rich_text,
        glossaries=chosen,
    )
    if len(items) < len(chosen):
        raise not_found("glossary")
    tags = tags_for("glossary", [item["id"] for item in items])
    return Answer(document(items), tags=[*asked.list_tags, *tags])


@endpoint(
    "categories/",
    answers.GlossaryCategories,
    read.CategoryListParameters,
    "List categories",
)
def categories(asked: Asked[read.CategoryListParameters]) -> Answer:
    """Those that have terms, in the order that editors gave them."""
    chosen = finding.glossaries_for_list(asked.scope, asked.parameters)
    items = loaders.load_categories(asked.scope, asked.links, chosen)
    return Answer({"items": items}, tags=[*asked.list_tags, *_category_tags(items)])


@endpoint(
    "categories/{slug}/",
    GlossaryCategory,
    read.CategoryListParameters,
    "Get a category by its slug",
    statuses=NOT_FOUND,
)
def category(asked: Asked[read.CategoryListParameters], slug: str) -> Answer:
    """With how many terms it has."""
    chosen = finding.glossaries_for(asked.scope, asked.parameters)
    items = loaders.load_categories(asked.scope, asked.links, chosen, slugs=[slug])
    if not items:
        raise not_found("category")
    # One of the site's own language first, as everywhere.
    items.sort(key=lambda item: item["locale"] != asked.scope.locale)
    return Answer(items[0], tags=[*asked.list_tags, *_category_tags(items[:1])])


def _category_tags(items: Iterable[GlossaryCategory]) -> list[str]:
    return tags_for("category", [item["id"] for item in items])


@endpoint(
    "related-terms/",
    answers.GlossaryRelatedTerms,
    read.RelatedTermListParameters,
    "List related terms",
)
def related_terms(asked: Asked[read.RelatedTermListParameters]) -> Answer:
    """The names that the glossaries know, most linked to first. The wanted ones have
    no page yet."""
    parameters = asked.parameters
    items, total = loaders.load_related_terms(
        asked.scope,
        finding.glossaries_for_list(asked.scope, parameters),
        wanted=parameters.wanted,
        q=parameters.q,
        limit=parameters.limit,
        offset=parameters.offset,
    )
    return Answer(asked.listed(items, total), tags=asked.list_tags)


@endpoint(
    "letters/", answers.GlossaryLetters, read.LetterListParameters, "List letters"
)
def letters(asked: Asked[read.LetterListParameters]) -> Answer:
    """The letters of the language in its order, with how many terms and labels stand
    under each; under # those that begin with none of them."""
    chosen = finding.glossaries_for_list(asked.scope, asked.parameters)
    return Answer(
        {"items": loaders.load_letters(asked.scope, chosen)}, tags=asked.list_tags
    )


@endpoint(
    "graph/",
    GlossaryGraph,
    read.GraphParameters,
    "Get the graph of terms",
    statuses={**THROTTLED, **NOT_FOUND},
    policy=Policy(rate="graph"),
)
def graph(asked: Asked[read.GraphParameters]) -> Answer:
    """Terms and wanted terms, and how they point at each other."""
    parameters = asked.parameters
    data = load_graph(
        asked.scope,
        finding.glossaries_for_list(asked.scope, parameters),
        around=parameters.around,
        depth=parameters.depth,
        category=parameters.category,
        limit=parameters.limit,
    )
    if data is None:
        raise not_found("term")
    return Answer(data, tags=asked.list_tags)
