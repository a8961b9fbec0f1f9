"""Terms: lists of them, one, and many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, QueryDict

from ..delivery import listing, loaders
from ..delivery.conditions import PRIVATE
from ..delivery.documents import GlossaryPageLinks, TermCard, TermDocument
from ..delivery.previews import PreviewError, load_preview, read_token
from ..delivery.scope import ScopeGlossary
from ..delivery.tags import tags_for
from . import answers, finding
from . import parameters as read
from .delivering import Answer, Policy
from .endpoints import NOT_FOUND, THROTTLED, Asked, endpoint
from .fields import Wanted, card, read_fields
from .problems import (
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    GlossaryProblem,
    Problem,
    invalid,
    not_found,
)


CARD: Final = ("id", "meta", "title", "short_definition", "category", "tags")
MOVED: Final[Mapping[int, Any]] = {
    **NOT_FOUND,
    301: answers.TermMoved,
    302: answers.TermMoved,
}


# Lists


@endpoint("terms/", answers.TermList, read.TermListParameters, "List terms")
def terms(asked: Asked[read.TermListParameters]) -> Answer:
    """Each with what a card shows, unless `fields` asks for more or less."""
    parameters = asked.parameters
    wanted = _wanted(parameters)
    glossaries = finding.glossaries_for_list(asked.scope, parameters)
    query = list_query(
        parameters,
        *finding.with_fallback(asked.scope, glossaries, parameters),
        order=parameters.order,
    )
    if parameters.cursor is not None and parameters.offset:
        raise invalid("cursor", "cannot be given together with offset")
    try:
        found = listing.list_terms(
            query,
            limit=parameters.limit,
            offset=parameters.offset,
            cursor=parameters.cursor,
        )
    except listing.CursorError:
        raise invalid("cursor", "is not one that this list has given") from None
    documents: Sequence[TermCard]
    if wanted.is_within(TermCard):
        documents = loaders.load_cards(found.pks, asked.scope, asked.links)
    else:
        documents = _load(asked, found.pks)
    return Answer(
        {
            "meta": {"total_count": found.total},
            "items": list(map(wanted.of, documents)),
            "links": _list_links(asked, found),
        },
        tags=[*asked.list_tags, *term_tags(documents)],
    )


def _wanted(parameters: read.TermListParameters) -> Wanted:
    default = (*CARD, *parameters.include)
    if parameters.fields is None:
        return card(TermDocument, default)
    return read_fields(parameters.fields, TermDocument, default)


def list_query(
    parameters: read.FilterParameters,
    glossaries: Sequence[ScopeGlossary],
    fallback: tuple[str, ...] = (),
    order: str = "title",
) -> listing.TermQuery:
    return listing.TermQuery(
        glossaries=tuple(glossaries),
        categories=parameters.category,
        tags=parameters.tag,
        letters=parameters.letter,
        slugs=parameters.slugs,
        ids=parameters.ids,
        updated_after=parameters.updated_after,
        order=order,
        fallback=fallback,
    )


def _list_links(
    asked: Asked[read.TermListParameters], found: listing.Listing
) -> GlossaryPageLinks:
    """By cursor, which stays right while terms come and go; where an offset was asked
    for, by offset."""
    parameters, links = asked.parameters, asked.links
    if parameters.offset:
        return links.parts(
            limit=parameters.limit, offset=parameters.offset, total=found.total
        )
    return {
        "next": found.next_cursor and links.here(cursor=found.next_cursor),
        "prev": found.prev_cursor and links.here(cursor=found.prev_cursor),
    }


def _load(asked: Asked[Any], pks: Sequence[int]) -> list[TermDocument]:
    return loaders.load_terms(
        pks,
        asked.scope,
        asked.links,
        rich_text=asked.parameters.rich_text,
        include=frozenset(asked.parameters.include),
    )


def term_tags(documents: Iterable[Mapping[str, Any]]) -> list[str]:
    """The cache tags of an answer that holds these terms."""
    return tags_for("term", [document["id"] for document in documents])


# One


@endpoint(
    "terms/{int:term_id}/",
    TermDocument,
    read.TermParameters,
    "Get a term by its id",
    statuses=NOT_FOUND,
)
def term(asked: Asked[read.TermParameters], term_id: int) -> Answer:
    """Complete."""
    if asked.parameters.preview is not None:
        return _preview(asked, lambda document: document["id"] == term_id)
    return _term(asked, term_id)


@endpoint(
    "terms/by-slug/{slug}/",
    TermDocument,
    read.TermByNameParameters,
    "Get a term by its slug",
    statuses=MOVED,
)
def term_by_slug(asked: Asked[read.TermByNameParameters], slug: str) -> HttpResponse:
    """Complete. A slug that the term once had leads to it by a redirect, as far as
    Wagtail's redirects know of it. Where several glossaries have the slug, one in the
    site's own language comes first, unless `locale` or `glossary` says which."""
    if asked.parameters.preview is not None:
        return _preview(asked, lambda document: document["meta"]["slug"] == slug)
    glossaries = _searched(asked)
    pk = finding.find_by_slug(slug, glossaries)
    if pk is None:
        return _moved(asked, finding.old_paths(slug, glossaries))
    return _term(asked, pk)


@endpoint(
    "terms/by-path/",
    TermDocument,
    read.TermByPathParameters,
    "Get a term by the path of its page",
    statuses=MOVED,
)
def term_by_path(asked: Asked[read.TermByPathParameters]) -> HttpResponse:
    """Complete. A path that the page once had leads to it by a redirect."""
    path = asked.parameters.path
    if asked.parameters.preview is not None:
        slug = finding.path_of(path).rstrip("/").rpartition("/")[2]
        return _preview(asked, lambda document: document["meta"]["slug"] == slug)
    pk = finding.find_by_path(path, asked.scope)
    if pk is None:
        return _moved(asked, [finding.path_of(path)])
    return _term(asked, pk)


def _searched(asked: Asked[Any]) -> list[ScopeGlossary]:
    """The glossaries in which a name is looked for, the best first."""
    scope, parameters = asked.scope, asked.parameters
    first = finding.glossaries_for(scope, parameters)
    return finding.with_fallback(scope, first, parameters)[0]


def _term(asked: Asked[Any], pk: int) -> Answer:
    documents = _load(asked, [pk])
    if not documents:
        raise not_found("term")
    tags = term_tags(documents)
    if "backlinks" in asked.parameters.include:  # with what others are called
        tags += asked.list_tags
    return Answer(documents[0], tags=tags)


def _moved(asked: Asked[Any], paths: Iterable[str]) -> HttpResponse:
    moved = finding.find_moved(paths, asked.scope)
    if moved is None:
        raise not_found("term")
    pk, is_permanent = moved
    query = QueryDict(mutable=True)
    for name in read.TermParameters.names():
        if name in asked.request.GET:
            query.setlist(name, asked.request.GET.getlist(name))
    location = asked.links.term(pk)
    if query:
        location = f"{location}?{query.urlencode()}"
    response = Answer({"location": location}, lasts=False)
    response.status_code = 301 if is_permanent else 302
    response["Location"] = location
    # Short, because it has no ETag by which a cache could ask again.
    response["Cache-Control"] = "public, max-age=60"
    return response


def _preview(asked: Asked[Any], is_asked_for: Callable[[TermDocument], bool]) -> Answer:
    """The draft that the token is for, which no cache may keep."""
    try:
        document = load_preview(
            read_token(asked.parameters.preview),
            asked.scope,
            asked.links,
            asked.parameters.rich_text,
        )
    except PreviewError as error:
        raise invalid("preview", str(error)) from None
    if not is_asked_for(document):
        raise not_found("draft")
    headers = {"Cache-Control": PRIVATE, "X-Robots-Tag": "noindex"}
    return Answer(document, lasts=False, headers=headers)


@endpoint(
    "terms/{int:term_id}/backlinks/",
    answers.TermBacklinkList,
    read.TermBacklinksParameters,
    "List the terms that point at a term",
    statuses=NOT_FOUND,
)
def term_backlinks(asked: Asked[read.TermBacklinksParameters], term_id: int) -> Answer:
    """By a link, in a comparison or in their text."""
    parameters = asked.parameters
    if finding.find_by_ids([term_id], asked.scope.glossaries) == set():
        raise not_found("term")
    items, total = loaders.load_backlinks(
        term_id, asked.scope, limit=parameters.limit, offset=parameters.offset
    )
    tags = [*tags_for("term", [term_id]), *asked.list_tags, *term_tags(items)]
    return Answer(asked.listed(items, total), tags=tags)


# Many


@endpoint(
    "terms/bulk/",
    answers.TermBulk,
    read.TermBulkParameters,
    "Get many terms",
)
def terms_bulk(asked: Asked[read.TermBulkParameters]) -> Answer:
    """Complete, up to 100 by their slugs and 100 by their ids. Each has a status of
    its own."""
    return _bulk(asked, asked.parameters.slugs, asked.parameters.ids)


@endpoint(
    "terms/bulk/",
    answers.TermBulk,
    read.TermBulkPostParameters,
    "Get very many terms",
    statuses={**THROTTLED, **dict.fromkeys((413, 415), GlossaryProblem)},
    policy=Policy(rate="bulk"),
    body=read.TermBulkBody,
)
def terms_bulk_post(asked: Asked[read.TermBulkPostParameters]) -> Answer:
    """Complete, up to 1000 by their slugs and 1000 by their ids. Nothing is changed
    by it: what is asked for stands in the body because it is long."""
    body = _body(asked.request)
    return _bulk(asked, body.slugs, body.ids)


def _body(request: HttpRequest) -> read.TermBulkBody:
    if request.content_type != "application/json":
        raise Problem(UNSUPPORTED_MEDIA_TYPE, "The body has to be application/json.")
    try:
        return read.TermBulkBody.read(request.body)
    except RequestDataTooBig:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise Problem(TOO_LARGE, f"The body may have {most} bytes.") from None


def _bulk(asked: Asked[Any], slugs: Sequence[str], ids: Sequence[int]) -> Answer:
    glossaries = _searched(asked)
    by_slug = finding.find_by_slugs(slugs, glossaries)
    wanted = list(dict.fromkeys([*by_slug.values(), *ids]))
    documents = {
        document["id"]: document
        for start in range(0, len(wanted), read.MOST_LISTED)
        for document in _load(asked, wanted[start : start + read.MOST_LISTED])
    }
    items = [
        *(
            {"slug": slug, **_status(documents.get(by_slug.get(slug, 0)))}
            for slug in slugs
        ),
        *({"id": pk, **_status(documents.get(pk))} for pk in ids),
    ]
    tags = [*asked.list_tags, *term_tags(documents.values())]
    return Answer({"items": items}, tags=tags)


def _status(document: TermDocument | None) -> dict[str, Any]:
    return {"status": 404 if document is None else 200, "data": document}
