"""Finding terms by what someone types."""

from __future__ import annotations

from ..delivery import search, suggestions
from . import answers, finding
from . import parameters as read
from .delivering import Answer, Policy
from .endpoints import THROTTLED, Asked, endpoint
from .terms import list_query, term_tags


@endpoint(
    "autocomplete/",
    answers.TermSuggestions,
    read.TermAutocompleteParameters,
    "Complete a name",
    statuses=THROTTLED,
    policy=Policy(rate="autocomplete"),
)
def autocomplete(asked: Asked[read.TermAutocompleteParameters]) -> Answer:
    """Terms whose title or label begins so, or nearly so."""
    parameters = asked.parameters
    items = suggestions.autocomplete(
        parameters.q,
        asked.scope,
        finding.glossaries_for_list(asked.scope, parameters),
        limit=parameters.limit,
        categories=parameters.category,
    )
    return Answer({"items": items}, tags=asked.list_tags)


@endpoint(
    "search/",
    answers.TermResults,
    read.TermSearchParameters,
    "Search terms",
    statuses=THROTTLED,
    policy=Policy(rate="search", is_versioned=search.is_transactional),
)
def search_terms(asked: Asked[read.TermSearchParameters]) -> Answer:
    """Best first, each with the places where the words stand."""
    parameters, scope = asked.parameters, asked.scope
    glossaries = finding.glossaries_for_list(scope, parameters)
    found = search.search_terms(
        parameters.q,
        list_query(parameters, glossaries),
        limit=parameters.limit,
        offset=parameters.offset,
        facets=parameters.facets,
    )
    hits = search.load_hits(found.pks, parameters.q, scope, asked.links)
    meant = None
    if not found.total:
        meant = suggestions.did_you_mean(parameters.q, glossaries)
    return Answer(
        {
            "meta": {
                "total_count": found.total,
                "total_is_exact": found.total_is_exact,
            },
            "items": hits,
            "facets": found.facets,
            "did_you_mean": meant,
            "links": asked.links.parts(
                limit=parameters.limit, offset=parameters.offset, total=found.total
            ),
        },
        tags=[*asked.list_tags, *term_tags(hits)],
    )
