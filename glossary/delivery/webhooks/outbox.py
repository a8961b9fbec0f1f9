"""Empties the outbox: sends what is due, and keeps what came of it.

A process claims an endpoint, not a message, by moving the time before which nothing is
sent to it: so no two ever send to one endpoint at once, and its messages go out in the
order in which they came. A claim that its process did not give back ends by itself;
then the message that was under way is sent again. A receiver knows it by its id.

An endpoint that cannot be reached is left alone for a while, with all that waits for
it. As soon as it takes a message, the others follow.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks import task
from django_tasks.backends.immediate import ImmediateBackend

from ... import __version__
from ...conf import webhook_retention_days
from ...models import WebhookDelivery, WebhookEndpoint
from .schedule import DELAYS, next_attempt, rest_until
from .sending import TIMEOUT, Answer, post
from .signing import signed_headers


BATCH_SIZE = 20
"""How many messages an endpoint gets before the others have their turn."""
CLAIM = timedelta(minutes=5)
"""How long a process may hold an endpoint; a batch takes 200 seconds at most."""
MOST_ATTEMPTS_KEPT = 50

Status = WebhookDelivery.Status
logger = logging.getLogger("glossary.webhooks")


@dataclass(slots=True)
class Tally:
    """What came of the attempts of a run, by the status of their messages; and when
    those that failed are to be tried again."""

    counts: Counter[str] = field(default_factory=Counter)
    again_at: set[datetime] = field(default_factory=set)


def send_due() -> Tally:
    """Send all that is due, to one endpoint after the other, until nothing is left or
    another process is at it."""
    tally = Tally()
    while claimed := _claim():
        endpoint, until = claimed
        _send_some(endpoint, until, tally)
    return tally


def send_at_once(delivery: WebhookDelivery, *, once: bool = False) -> WebhookDelivery:
    """Send one message again or for the first time, whatever waits before it, and
    return it with what came of it. It takes ten seconds at most. ``once`` if it is not
    to be tried again later."""
    now = timezone.now()
    delivery.status = Status.PENDING
    # For as long as this takes, no other process finds it.
    delivery.next_attempt = now + CLAIM
    delivery.save()
    answer = _attempt(delivery, now)
    _keep(delivery, answer, timezone.now(), once=once)
    return delivery


def expire_deliveries() -> int:
    """Delete old messages, with what became of them; returns how many."""
    days = webhook_retention_days()
    if days is None:
        return 0
    before = timezone.now() - timedelta(days=days)
    return WebhookDelivery.objects.filter(created__lt=before).delete()[0]


# Tasks


@task()
def send_due_messages() -> None:
    tally = send_due()
    if send_due_messages.get_backend().supports_defer:
        for moment in tally.again_at:
            send_due_messages.using(run_after=moment).enqueue()


def has_worker() -> bool:
    """Whether tasks are done by a process of their own. If not, whoever changes a term
    would have to wait for its receivers: it is then left to ``deliver_webhooks``."""
    return not isinstance(send_due_messages.get_backend(), ImmediateBackend)


def begin_sending() -> None:
    if has_worker():
        send_due_messages.enqueue()


# One endpoint


def _claim() -> tuple[WebhookEndpoint, datetime] | None:
    """An endpoint that something is due for, and until when it is ours: the one whose
    turn is longest ago."""
    now = timezone.now()
    due = WebhookDelivery.objects.filter(
        endpoint=OuterRef("pk"), status=Status.PENDING, next_attempt__lte=now
    )
    waiting = WebhookEndpoint.objects.filter(
        Exists(due), active=True, not_before__lte=now
    )
    until = now + CLAIM
    for endpoint in waiting.order_by("not_before", "pk"):
        # Of two processes that try this at once, one changes a row.
        mine = WebhookEndpoint.objects.filter(
            pk=endpoint.pk, active=True, not_before=endpoint.not_before
        )
        if mine.update(not_before=until):
            return WebhookEndpoint.objects.get(pk=endpoint.pk), until
    return None


def _send_some(endpoint: WebhookEndpoint, until: datetime, tally: Tally) -> None:
    """Send a batch to an endpoint that is claimed, and give it back."""
    free_at: datetime | None = None
    due = endpoint.deliveries.filter(
        status=Status.PENDING, next_attempt__lte=timezone.now()
    )
    try:
        for delivery in due.order_by("pk")[:BATCH_SIZE]:
            now = timezone.now()
            if until - now < timedelta(seconds=2 * TIMEOUT):
                break  # the machine slept: another process may be at it soon
            # Somebody may have paused it, or sent one by hand, since the last one.
            now_is = WebhookEndpoint.objects.filter(pk=endpoint.pk, active=True).first()
            if now_is is None:
                break
            endpoint = now_is
            if not due.filter(pk=delivery.pk).exists():
                continue
            delivery.endpoint = endpoint
            answer = _attempt(delivery, now)
            now = timezone.now()
            again = _keep(delivery, answer, now)
            tally.counts[delivery.status] += 1
            if again is not None:
                tally.again_at.add(again)
            if answer.is_down:
                free_at = rest_until(again, now, answer.retry_after)
                tally.again_at.add(free_at)
            if answer.is_down or not endpoint.active:
                break
    finally:
        WebhookEndpoint.objects.filter(pk=endpoint.pk, not_before=until).update(
            not_before=free_at or timezone.now()
        )


def _attempt(delivery: WebhookDelivery, now: datetime) -> Answer:
    body = delivery.body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"wagtail-glossary/{__version__}",
        **signed_headers(delivery.endpoint, delivery.message_id, body, now),
    }
    try:
        return post(delivery.endpoint.url, body, headers)
    except Exception as error:
        # No receiver may keep the others from being told.
        logger.exception("Message %s could not be sent", delivery.message_id)
        return Answer(None, error=f"{type(error).__name__}: {error}")


def _keep(
    delivery: WebhookDelivery, answer: Answer, now: datetime, *, once: bool = False
) -> datetime | None:
    """Write down what came of an attempt; returns when to try again, if at all."""
    attempt = {
        "at": now.isoformat(timespec="milliseconds"),
        "status": answer.status,
        "error": answer.error[:300],
        "text": answer.text[:300],
    }
    attempts = [*delivery.attempts, attempt]
    again = None
    if answer.is_taken:
        status = Status.DELIVERED
    else:
        if not answer.is_gone and not once:
            again = next_attempt(len(attempts), now, answer.retry_after)
        status = Status.FAILED if again is None else Status.PENDING
    delivery.attempts = attempts[-MOST_ATTEMPTS_KEPT:]
    delivery.status, delivery.next_attempt = status, again
    _update(delivery, "attempts", "status", "next_attempt")
    endpoint = delivery.endpoint
    if answer.is_taken:
        _welcome(endpoint, now)
    elif answer.is_gone:
        _disable(endpoint, _("Its server says that it is gone (410)."))
    elif again is None and _is_deaf(endpoint, delivery):
        _disable(endpoint, _("For days, no message has got through."))
    return again


def _welcome(endpoint: WebhookEndpoint, now: datetime) -> None:
    """The endpoint is there: what waits only because it was not can go out."""
    endpoint.last_success = now
    _update(endpoint, "last_success")
    waiting = endpoint.deliveries.filter(status=Status.PENDING, next_attempt__gt=now)
    missed = [
        pk
        for pk, attempts in waiting.values_list("pk", "attempts")[:1000]
        if attempts and Answer(attempts[-1]["status"]).is_down
    ]
    if missed:
        waiting.filter(pk__in=missed).update(next_attempt=now)


def _is_deaf(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> bool:
    """Whether nothing has got through since the first of all attempts at a message
    that is given up."""
    if len(delivery.attempts) < len(DELAYS):
        return False
    first = datetime.fromisoformat(delivery.attempts[-len(DELAYS)]["at"])
    return endpoint.last_success is None or endpoint.last_success < first


def _disable(endpoint: WebhookEndpoint, reason: str) -> None:
    """Send nothing more; what waits is given up, and can be sent again by hand."""
    endpoint.active, endpoint.disabled_reason = False, reason
    _update(endpoint, "active", "disabled_reason")
    endpoint.deliveries.filter(status=Status.PENDING).update(
        status=Status.FAILED, next_attempt=None
    )
    logger.warning("Webhook %s is disabled: %s", endpoint.pk, reason)


def _update(row: WebhookDelivery | WebhookEndpoint, *fields: str) -> None:
    """Write some fields of a row, if it is still there: a message can take a while,
    and someone may have deleted its endpoint meanwhile."""
    rows = type(row)._base_manager.filter(pk=row.pk)
    rows.update(**{field: getattr(row, field) for field in fields})
