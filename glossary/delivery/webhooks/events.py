"""What receivers are told, and the outbox that it is put into.

A message is thin: it says what has changed and where that is read, and nothing that
not anyone may read. It is written in the transaction of the change, so that it goes out
if and only if the change happened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from django.db import models, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site

from ...models import (
    Category,
    Change,
    GlossaryPage,
    RelatedTerm,
    TermPage,
    WebhookDelivery,
    WebhookEndpoint,
)
from ...visibility import Visibility
from ..links import ApiLinks
from ..scope import Scope, in_trees, make_scope
from ..versions import Recorded
from .outbox import begin_sending


class What(StrEnum):
    """What has become of an object, as far as anyone may know."""

    PUBLISHED = "published"
    UPDATED = "updated"
    UNPUBLISHED = "unpublished"
    DELETED = "deleted"


CHANGES = "glossary.changes"
INVALIDATED = "glossary.cache.invalidated"
TEST = "glossary.test"

_LABELS: dict[tuple[str, str], Promise] = {
    (Change.Kind.TERM, What.PUBLISHED): _("A term was published"),
    (Change.Kind.TERM, What.UPDATED): _("A term was updated"),
    (Change.Kind.TERM, What.UNPUBLISHED): _("A term was unpublished"),
    (Change.Kind.TERM, What.DELETED): _("A term was deleted"),
    (Change.Kind.GLOSSARY, What.PUBLISHED): _("A glossary was published"),
    (Change.Kind.GLOSSARY, What.UPDATED): _("A glossary was updated"),
    (Change.Kind.GLOSSARY, What.UNPUBLISHED): _("A glossary was unpublished"),
    (Change.Kind.GLOSSARY, What.DELETED): _("A glossary was deleted"),
    (Change.Kind.CATEGORY, What.PUBLISHED): _("A category got its first term"),
    (Change.Kind.CATEGORY, What.UPDATED): _("A category was updated"),
    (Change.Kind.CATEGORY, What.UNPUBLISHED): _("A category lost its last term"),
    (Change.Kind.CATEGORY, What.DELETED): _("A category was deleted"),
    (Change.Kind.RELATED_TERM, What.PUBLISHED): _("A related term was added"),
    (Change.Kind.RELATED_TERM, What.UPDATED): _("A related term was updated"),
    (Change.Kind.RELATED_TERM, What.UNPUBLISHED): _("A related term was hidden"),
    (Change.Kind.RELATED_TERM, What.DELETED): _("A related term was deleted"),
}
EVENTS: dict[str, Promise] = {
    **{f"glossary.{kind}.{what}": label for (kind, what), label in _LABELS.items()},
    INVALIDATED: _("Something in caches is out of date"),
}
"""What an endpoint can choose. Beside it, ``glossary.changes`` stands for many changes
at once, for those who have chosen any of them."""
EVENT_LABELS: dict[str, Promise] = {
    **EVENTS,
    CHANGES: _("Much has changed"),
    TEST: _("Test"),
}

MOST_CHANGES = 100
"""More changes than this in one batch are told by one message, which says where to read
them."""
LARGEST_BODY = 20_000
"""In bytes."""


LinksFor = Callable[[Scope], ApiLinks]
TagsOf = Callable[[Sequence[Recorded]], list[str]]


def queue(
    recorded: Sequence[Recorded],
    *,
    links_for: LinksFor,
    tags_of: TagsOf,
) -> int:
    """Put what has been recorded into the outbox, for every endpoint that wants it.

    It belongs into the transaction of the changes, behind them: what is deleted has to
    be gone, what is published has to be there. ``tags_of`` gives the cache tags that
    some changes put out of date. Returns how many messages there are; one query if
    nobody wants any.
    """
    by_site: dict[int, list[Recorded]] = {}
    for item in sorted(recorded, key=lambda item: item.change.number):
        by_site.setdefault(item.change.site_id, []).append(item)
    wanted_by: dict[int, list[WebhookEndpoint]] = {}
    for endpoint in WebhookEndpoint.objects.filter(active=True, site__in=by_site):
        wanted_by.setdefault(endpoint.site_id, []).append(endpoint)
    deliveries: list[WebhookDelivery] = []
    for site_id, endpoints in wanted_by.items():
        site = Site.objects.select_related("root_page").get(pk=site_id)
        scope = make_scope(site)
        messages = _Messages(scope, links_for(scope), tags_of)
        for event, body in messages.of(by_site[site_id]):
            deliveries += [
                new_delivery(endpoint, event, body)
                for endpoint in endpoints
                if wants(endpoint, event)
            ]
    if deliveries:
        WebhookDelivery.objects.bulk_create(deliveries, batch_size=500)
        # A queue that is down must not undo what is saved: the outbox keeps it.
        transaction.on_commit(begin_sending, robust=True)
    return len(deliveries)


def wants(endpoint: WebhookEndpoint, event: str) -> bool:
    """Whether an endpoint has chosen an event; none chosen means all."""
    chosen = endpoint.events
    if event == CHANGES and chosen:
        return any(name != INVALIDATED for name in chosen)
    return not chosen or event in chosen


def new_delivery(endpoint: WebhookEndpoint, event: str, body: str) -> WebhookDelivery:
    return WebhookDelivery(
        endpoint=endpoint,
        # Not the number of the change: after a restored backup it would come again.
        message_id=f"msg_{uuid4().hex}",
        event=event,
        body=body,
    )


def make_body(event: str, timestamp: datetime, data: dict[str, Any]) -> str:
    """A message as Standard Webhooks has it, in ASCII."""
    moment = timestamp.astimezone(UTC).isoformat().replace("+00:00", "Z")
    message = {"type": event, "timestamp": moment, "data": data}
    return json.dumps(message, separators=(",", ":"))


def make_test_message(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A message that tells nothing, to try an endpoint with."""
    data = {"webhook": endpoint.pk, "site": endpoint.site.root_url}
    return new_delivery(endpoint, TEST, make_body(TEST, timezone.now(), data))


class _Messages:
    """The messages of one site, each with its event."""

    def __init__(self, scope: Scope, links: ApiLinks, tags_of: TagsOf) -> None:
        self.scope = scope
        self.links = links
        self.tags_of = tags_of

    def of(self, recorded: list[Recorded]) -> Iterator[tuple[str, str]]:
        if len(recorded) > MOST_CHANGES:
            yield CHANGES, self._summary(recorded)
        else:
            yield from self._one_by_one(recorded)
        yield INVALIDATED, self._invalidated(recorded)

    def _one_by_one(self, recorded: list[Recorded]) -> Iterator[tuple[str, str]]:
        there = _still_there(recorded)
        shown = self._shown(recorded)
        for item in recorded:
            change = item.change
            known = (change.kind, change.object_id)
            data: dict[str, Any] = {
                "kind": str(change.kind),
                "key": change.key,
                "version": change.number,
            }
            if change.deleted:
                is_there = known in there and not item.is_gone
                what = What.UNPUBLISHED if is_there else What.DELETED
            else:
                what = What.PUBLISHED if item.is_new else What.UPDATED
                if known in shown:
                    data |= {"id": change.object_id, **shown[known]}
                    data["tags"] = self.tags_of([item])
            event = f"glossary.{change.kind}.{what}"
            yield event, make_body(event, change.modified, data)

    def _summary(self, recorded: list[Recorded]) -> str:
        first, last = recorded[0].change, recorded[-1].change
        data = {
            "count": len(recorded),
            "first_version": first.number,
            "version": last.number,
            "changes_url": self.links.changes(first.number - 1),
        }
        return make_body(CHANGES, last.modified, data)

    def _invalidated(self, recorded: list[Recorded]) -> str:
        last = recorded[-1].change
        data: dict[str, Any] = {"version": last.number, "all": False}
        data["tags"] = sorted(set(self.tags_of(recorded)))
        body = make_body(INVALIDATED, last.modified, data)
        if len(body) > LARGEST_BODY:
            data |= {"all": True, "tags": []}
            body = make_body(INVALIDATED, last.modified, data)
        return body

    # What of the objects anyone may see

    def _shown(self, recorded: list[Recorded]) -> dict[tuple[str, int], dict[str, Any]]:
        """What is told of each object beyond its key: of those alone that anyone can
        see on the site, whatever the log says."""
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for kind, find in (
            (Change.Kind.TERM, self._terms),
            (Change.Kind.GLOSSARY, self._glossaries),
            (Change.Kind.CATEGORY, self._categories),
            (Change.Kind.RELATED_TERM, self._related_terms),
        ):
            pks = [
                item.change.object_id
                for item in recorded
                if item.change.kind == kind and not item.change.deleted
            ]
            if pks:
                found |= {(kind, pk): told for pk, told in find(pks)}
        return found

    def _terms(self, pks: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        by_path = {glossary.path: glossary for glossary in self.scope.glossaries}
        terms = TermPage.objects.visible().filter(pk__in=pks)
        for pk, path, slug in terms.values_list("pk", "path", "slug"):
            if glossary := by_path.get(path[: -TermPage.steplen]):
                yield (
                    pk,
                    _told(
                        slug,
                        glossary.locale,
                        glossary.term_url(slug),
                        self.links.term(pk),
                    ),
                )

    def _glossaries(self, pks: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        for pk in pks:
            if glossary := self.scope.glossary(pk):
                api_url = self.links.glossary(pk)
                yield pk, _told(glossary.slug, glossary.locale, glossary.url, api_url)

    def _categories(self, pks: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        trees = in_trees(glossary.path for glossary in self.scope.glossaries)
        public = TermPage.objects.visible().filter(trees, category__in=pks)
        used = set(public.order_by().values_list("category", flat=True).distinct())
        for category in Category.objects.filter(pk__in=used).select_related("locale"):
            api_url = self.links.category(category.slug)
            language = category.locale.language_code
            yield category.pk, _told(category.slug, language, None, api_url)

    def _related_terms(self, pks: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        visibility = Visibility(public_pages=self.scope.pages)
        related_terms = list(
            RelatedTerm.objects.filter(pk__in=pks).select_related("locale")
        )
        pages = {related_term.page_id for related_term in related_terms}
        pages |= {related_term.glossary_id for related_term in related_terms}
        visibility.load([], pages - {None})
        for related_term in related_terms:
            reference = visibility.reference(related_term)
            if reference is not None:
                language = related_term.locale.language_code
                yield (
                    related_term.pk,
                    _told(reference["slug"], language, reference["url"], None),
                )


def _told(
    slug: str, locale: str, html_url: str | None, api_url: str | None
) -> dict[str, Any]:
    return {"slug": slug, "locale": locale, "html_url": html_url, "api_url": api_url}


_MODELS: dict[str, type[models.Model]] = {
    Change.Kind.TERM: TermPage,
    Change.Kind.GLOSSARY: GlossaryPage,
    Change.Kind.CATEGORY: Category,
    Change.Kind.RELATED_TERM: RelatedTerm,
}


def _still_there(recorded: list[Recorded]) -> set[tuple[str, int]]:
    """Those of the hidden objects that still exist."""
    found: set[tuple[str, int]] = set()
    for kind, model in _MODELS.items():
        pks = [
            item.change.object_id
            for item in recorded
            if item.change.kind == kind and item.change.deleted
        ]
        if pks:
            there = model._base_manager.filter(pk__in=pks).values_list("pk", flat=True)
            found |= {(kind, pk) for pk in there}
    return found
