"""For programs that keep a copy: what has changed, and the shape of the old site."""

from __future__ import annotations

from typing import Any, Final

from ..delivery import loaders
from ..delivery.feed import GlossaryChanges, changes_after
from ..delivery.tags import tags_for
from ..exporting.delivered import payload_of, record_of
from . import answers, finding
from . import parameters as read
from .delivering import Answer, Policy
from .endpoints import NOT_FOUND, Asked, endpoint
from .problems import not_found


NUXT_TYPE: Final = "application/json;charset=utf-8"
# A follower of the feed asks again and again, through caches that nobody purges.
FEED_SECONDS: Final = 10


@endpoint(
    "changes/",
    GlossaryChanges,
    read.ChangeListParameters,
    "Follow the changes",
    policy=Policy(max_age=FEED_SECONDS),
)
def changes(asked: Asked[read.ChangeListParameters]) -> Answer:
    """All that has changed since a number, in its order; from 0, all there is. Ask for
    `next` until there are no items, and again later."""
    parameters, scope, links = asked.parameters, asked.scope, asked.links
    items = changes_after(
        parameters.after_change_number,
        scope,
        links,
        until=asked.state.number,
        limit=parameters.limit,
        rich_text=parameters.rich_text,
    )
    last = items[-1]["modified"] if items else parameters.after_change_number
    return Answer(
        {
            "items": items,
            "next": links.here(afterChangeNumber=last, limit=parameters.limit),
            "license": _licence(asked),
        },
        tags=asked.list_tags,
    )


def _licence(asked: Asked[Any]) -> str | None:
    """The licence of what the site offers, if it is one."""
    documents = loaders.load_glossaries(asked.scope, asked.links, rich_text="db_html")
    licences = {document["licence_url"] for document in documents}
    return (licences.pop() or None) if len(licences) == 1 else None


@endpoint(
    "payload/{slug}/",
    answers.TermPayloadRecord,
    read.PayloadParameters,
    "Get a term as the record of a Nuxt site",
    statuses=NOT_FOUND,
)
def payload(asked: Asked[read.PayloadParameters], slug: str) -> Answer:
    """The fields of the payload that the term was imported from, in their order."""
    pk = _find(asked, slug)
    record = record_of(pk, asked.scope.pages())
    if record is None:
        raise not_found("term")
    return Answer(record, tags=tags_for("term", [pk]))


@endpoint(
    "payload/{slug}/_payload.json",
    list[Any],
    read.NuxtPayloadParameters,
    "Get a term as the payload of a Nuxt page",
    statuses=NOT_FOUND,
    policy=Policy(parameters=frozenset(read.NuxtPayloadParameters.names())),
)
def nuxt_payload(asked: Asked[read.NuxtPayloadParameters], slug: str) -> Answer:
    """As Nuxt writes it beside a page, in the format of devalue. Parameters that Nuxt
    adds of its own are passed over."""
    pk = _find(asked, slug)
    data = payload_of(pk, asked.scope.pages())
    if data is None:
        raise not_found("term")
    return Answer(data, tags=tags_for("term", [pk]), content_type=NUXT_TYPE)


def _find(asked: Asked[Any], slug: str) -> int:
    chosen = finding.glossaries_for(asked.scope, asked.parameters)
    pk = finding.find_by_slug(slug, chosen)
    if pk is None:
        raise not_found("term")
    return pk
