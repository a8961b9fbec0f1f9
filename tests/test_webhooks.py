"""What is told of changes, how it is signed, and when it is tried again."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks import default_task_backend
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError
from wagtail.models import Locale, PageViewRestriction, Site

from glossary.delivery.links import ApiLinks
from glossary.delivery.scope import Scope
from glossary.delivery.telling import changes_were_recorded
from glossary.delivery.versions import Recorded
from glossary.delivery.webhooks import outbox
from glossary.delivery.webhooks.events import (
    CHANGES,
    EVENTS,
    INVALIDATED,
    LARGEST_BODY,
    MOST_CHANGES,
    queue,
    wants,
)
from glossary.delivery.webhooks.schedule import (
    DELAYS,
    LONGEST_REST,
    LONGEST_WISH,
    next_attempt,
    rest_until,
)
from glossary.delivery.webhooks.signing import (
    FORMER_SECRET_LASTS,
    change_secret,
    new_secret,
    signature,
    signed_headers,
)
from glossary.models import Change, GlossaryPage, WebhookDelivery, WebhookEndpoint
from glossary.signals import changes_recorded

from .factories import (
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
)


pytestmark = pytest.mark.django_db

CANARY = "zebrafinch"


@pytest.fixture(autouse=True)
def changes_are_not_heard(request):
    """Only what a test queues itself is told, unless it asks for all of it."""
    if "publishing_is_heard" in request.fixturenames:
        yield
        return
    dispatch_uid = "glossary.changes_were_recorded"
    changes_recorded.disconnect(dispatch_uid=dispatch_uid)
    yield
    changes_recorded.connect(changes_were_recorded, dispatch_uid=dispatch_uid)


@pytest.fixture
def publishing_is_heard():
    """A test with this hears of every change, as a site does."""


def tags_of(recorded: Sequence[Recorded]) -> list[str]:
    return [f"{item.change.kind}-{item.change.object_id}" for item in recorded]


def put(*recorded: Recorded) -> int:
    return queue(
        recorded, links_for=lambda scope: ApiLinks("https://api/"), tags_of=tags_of
    )


def told() -> list[dict[str, Any]]:
    rows = WebhookDelivery.objects.order_by("pk")
    return [json.loads(body) for body in rows.values_list("body", flat=True)]


def told_of_objects() -> list[tuple[str, dict[str, Any]]]:
    return [
        (message["type"], message["data"])
        for message in told()
        if message["type"] != INVALIDATED
    ]


_number = iter(range(1, 10**6))


def changed(
    thing: Any,
    kind: str = "term",
    *,
    deleted: bool = False,
    is_new: bool = False,
    site: Site | None = None,
) -> Recorded:
    """An entry of the log for an object, or for the id of one."""
    pk = thing if isinstance(thing, int) else thing.pk
    change = Change(
        site=site or Site.objects.get(is_default_site=True),
        kind=Change.Kind(kind),
        object_id=pk,
        key=f"key-{pk}",
        number=next(_number),
        modified=timezone.now(),
        deleted=deleted,
    )
    return Recorded(change, is_new=is_new)


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", title="AI")


@pytest.fixture
def endpoint() -> WebhookEndpoint:
    return make_endpoint()


def make_endpoint(**fields: Any) -> WebhookEndpoint:
    fields.setdefault("site", Site.objects.get(is_default_site=True))
    fields.setdefault("url", "https://example.com/hook")
    fields.setdefault("secret", new_secret())
    return WebhookEndpoint.objects.create(**fields)


# What is told


def test_a_published_term_is_told_with_where_to_read_it(glossary, endpoint):
    term = make_term(glossary, "token")
    item = changed(term, is_new=True)
    put(item)
    message = told()[0]
    assert set(message) == {"type", "timestamp", "data"}
    assert message["type"] == "glossary.term.published"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", message["timestamp"])
    assert message["data"] == {
        "kind": "term",
        "key": f"key-{term.pk}",
        "version": item.change.number,
        "id": term.pk,
        "slug": "token",
        "locale": "en",
        "html_url": term.full_url,
        "api_url": f"https://api/terms/{term.pk}/",
        "tags": [f"term-{term.pk}"],
    }


def test_each_kind_is_told(glossary, endpoint):
    category = make_category("basics")
    term = make_term(glossary, "token", category=category)
    wanted = make_related_term(glossary, "wanted-one")
    put(
        changed(term),
        changed(glossary, "glossary"),
        changed(category, "category"),
        changed(wanted, "related_term", is_new=True),
    )
    messages = told_of_objects()
    assert [event for event, _data in messages] == [
        "glossary.term.updated",
        "glossary.glossary.updated",
        "glossary.category.updated",
        "glossary.related_term.published",
    ]
    slugs = [data["slug"] for _event, data in messages]
    assert slugs == ["token", "ai", "basics", "wanted-one"]
    urls = [data["html_url"] for _event, data in messages]
    assert urls == [term.full_url, glossary.full_url, None, None]
    assert {data["locale"] for _event, data in messages} == {"en"}


def test_what_is_unpublished_or_deleted_leaves_a_name_alone(glossary, endpoint):
    hidden = make_term(glossary, CANARY, live=False)
    gone = make_term(glossary, f"{CANARY}-2")
    pk = gone.pk
    gone.delete()
    put(changed(hidden, deleted=True), changed(pk, deleted=True))
    first, second = told_of_objects()
    assert first[0] == "glossary.term.unpublished"
    assert second[0] == "glossary.term.deleted"
    for _event, data in (first, second):
        assert set(data) == {"kind", "key", "version"}
    assert CANARY not in json.dumps(told())


def restrict(page: Any) -> None:
    PageViewRestriction.objects.create(
        page=page, restriction_type=PageViewRestriction.LOGIN
    )


@pytest.mark.slow
def test_nothing_is_told_of_what_is_hidden_whatever_the_log_says(endpoint):
    """A log that has drifted gives nothing away: not a slug, not an address."""
    secret_home = make_glossary(CANARY)
    restrict(secret_home)
    glossary = make_glossary("ai")
    restricted = make_term(glossary, f"{CANARY}-restricted")
    restrict(restricted)
    elsewhere = make_glossary(f"{CANARY}-elsewhere", parent=_other_site_root())
    category = make_category(f"{CANARY}-empty")
    used_by_draft = make_category(f"{CANARY}-drafts")
    used_elsewhere = make_category(f"{CANARY}-elsewhere-only")
    drafts = make_term(glossary, f"{CANARY}-draft", live=False, category=used_by_draft)
    put(
        changed(drafts),
        changed(restricted),
        changed(make_term(secret_home, f"{CANARY}-below")),
        changed(make_term(elsewhere, f"{CANARY}-there", category=used_elsewhere)),
        changed(secret_home, "glossary"),
        changed(elsewhere, "glossary"),
        changed(category, "category"),
        changed(used_by_draft, "category"),
        changed(used_elsewhere, "category"),
        changed(make_related_term(glossary, f"{CANARY}-draft"), "related_term"),
        changed(make_related_term(secret_home, f"{CANARY}-wanted"), "related_term"),
        changed(make_related_term(elsewhere, f"{CANARY}-wanted"), "related_term"),
        changed(10**9, "related_term"),
    )
    messages = told_of_objects()
    assert len(messages) == 13
    for _event, data in messages:
        assert set(data) == {"kind", "key", "version"}
    assert CANARY not in json.dumps(told())


def _other_site_root() -> Any:
    root = make_glossary("other-root", parent=home_page().get_parent())
    Site.objects.create(hostname="other.example", root_page=root, port=80)
    return root


def test_each_site_is_told_of_its_own(glossary):
    root = _other_site_root()
    other_site = Site.objects.get(hostname="other.example")
    here, there = make_endpoint(), make_endpoint(site=other_site)
    elsewhere = make_glossary("there", parent=root)
    put(
        changed(make_term(glossary, "token")),
        changed(make_term(elsewhere, "jeton"), site=other_site),
    )
    for endpoint, slug, host in (
        (here, "token", "localhost"),
        (there, "jeton", "other.example"),
    ):
        first = json.loads(endpoint.deliveries.order_by("pk")[0].body)
        assert first["data"]["slug"] == slug
        assert host in first["data"]["html_url"]
        assert endpoint.deliveries.count() == 2


def test_terms_of_a_translated_glossary_are_told_in_their_language(glossary, endpoint):
    french = Locale.objects.create(language_code="fr")
    home = home_page().copy_for_translation(french)
    home.save_revision().publish()
    theirs = make_glossary("ia", parent=home, locale=french)
    put(changed(make_term(theirs, "jeton", locale=french)))
    assert told()[0]["data"]["locale"] == "fr"


def test_only_what_was_chosen_is_told(glossary):
    everything = make_endpoint()
    some = make_endpoint(events=["glossary.term.published"])
    paused = make_endpoint(active=False)
    put(
        changed(make_term(glossary, "token"), is_new=True),
        changed(make_term(glossary, "model")),
    )
    assert everything.deliveries.count() == 3
    assert [row.event for row in some.deliveries.all()] == ["glossary.term.published"]
    assert not paused.deliveries.exists()


def test_much_at_once_is_one_message_with_where_to_read_it(
    glossary, django_assert_max_num_queries
):
    everything = make_endpoint()
    caches = make_endpoint(events=[INVALIDATED])
    terms = make_endpoint(events=["glossary.term.deleted"])
    many = [changed(pk) for pk in range(1, MOST_CHANGES + 2)]
    with django_assert_max_num_queries(12):
        put(*reversed(many))
    assert [row.event for row in everything.deliveries.order_by("pk")] == [
        CHANGES,
        INVALIDATED,
    ]
    assert [row.event for row in caches.deliveries.all()] == [INVALIDATED]
    assert [row.event for row in terms.deliveries.all()] == [CHANGES]
    data = told()[0]["data"]
    first, last = many[0].change.number, many[-1].change.number
    assert data == {
        "count": len(many),
        "first_version": first,
        "version": last,
        "changes_url": f"https://api/changes/?afterChangeNumber={first - 1}",
    }


@pytest.mark.slow
def test_messages_stay_small(glossary, endpoint):
    put(*(changed(pk) for pk in range(10**15, 10**15 + 1500)))
    last = told()[-1]
    assert last["type"] == INVALIDATED
    assert last["data"]["all"] is True
    assert last["data"]["tags"] == []
    make_term(glossary, "x" * 255)
    put(changed(make_term(glossary, "ü" * 255)))
    for body in WebhookDelivery.objects.values_list("body", flat=True):
        assert len(body.encode()) < LARGEST_BODY


@pytest.mark.slow
def test_cost_does_not_grow_with_the_number_of_changes(glossary, endpoint):
    category = make_category()
    terms = [make_term(glossary, category=category) for _number in range(12)]
    counts = []
    for number in (1, 2, 12):  # the first of them fills the caches of Wagtail
        recorded = [changed(term) for term in terms[:number]]
        recorded += [changed(category, "category"), changed(glossary, "glossary")]
        with CaptureQueriesContext(connection) as queries:
            put(*recorded)
        counts.append(len(queries))
    assert counts[1] == counts[2] <= 14


def test_without_anybody_to_tell_it_is_one_query(glossary, django_assert_num_queries):
    item = changed(make_term(glossary))
    with django_assert_num_queries(1):
        assert put(item) == 0


def test_messages_go_the_way_of_the_change(glossary, endpoint):
    term = make_term(glossary)
    with transaction.atomic():
        assert put(changed(term)) == 2
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()


def test_ids_hold_no_dot_and_never_come_twice(glossary):
    make_endpoint(), make_endpoint()
    put(*(changed(make_term(glossary)) for _number in range(3)))
    ids = set(WebhookDelivery.objects.values_list("message_id", flat=True))
    assert len(ids) == WebhookDelivery.objects.count() == 8
    assert all(re.fullmatch(r"msg_[0-9a-f]{32}", each) for each in ids)


def test_every_event_has_a_name_of_the_standard():
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", event) for event in EVENTS)
    assert len(EVENTS) == 17


def test_an_event_that_is_no_longer_there_hurts_nobody():
    assert not wants(WebhookEndpoint(events=["gone"]), "glossary.term.updated")


# Who sends


TASKS = "django_tasks.backends.{}"


@pytest.fixture
def worker(settings):
    """A task queue whose worker we are."""
    settings.TASKS = {
        "default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}
    }
    default_task_backend.clear()
    return default_task_backend


def test_a_worker_is_told_when_the_change_is_committed(
    glossary, endpoint, worker, django_capture_on_commit_callbacks
):
    term = make_term(glossary)
    with django_capture_on_commit_callbacks(execute=True):
        put(changed(term))
        worker.clear()
    assert [result.task.name for result in worker.results] == ["send_due_messages"]


def test_without_a_worker_a_change_waits_for_nobody(
    glossary, endpoint, django_capture_on_commit_callbacks, monkeypatch
):
    monkeypatch.setattr(outbox, "post", pytest.fail)
    term = make_term(glossary)
    with django_capture_on_commit_callbacks(execute=True):
        put(changed(term))
    assert {row.status for row in endpoint.deliveries.all()} == {"pending"}


def test_a_queue_that_is_down_does_not_undo_a_change(
    glossary, endpoint, worker, django_capture_on_commit_callbacks, monkeypatch, caplog
):
    def refuse(*args: Any) -> None:
        raise ConnectionError("the queue is down")

    monkeypatch.setattr(type(worker), "enqueue", refuse, raising=False)
    monkeypatch.setattr(outbox, "has_worker", refuse)
    term = make_term(glossary)
    with django_capture_on_commit_callbacks(execute=True):
        put(changed(term))
    assert endpoint.deliveries.count() == 2
    assert "the queue is down" in caplog.text


# Signatures


def verify(secret: str, headers: dict[str, str], body: str) -> Any:
    return Webhook(secret).verify(body, headers)


@given(
    body=st.dictionaries(st.text(), st.text()).map(json.dumps),
    message_id=st.from_regex(r"\Amsg_[0-9a-f]{32}\Z"),
)
@pytest.mark.slow
def test_the_library_of_the_standard_takes_our_signatures(body, message_id):
    endpoint = WebhookEndpoint(secret=new_secret())
    headers = signed_headers(endpoint, message_id, body.encode(), timezone.now())
    assert verify(endpoint.secret, headers, body) == json.loads(body)
    for tampered in (
        (headers, body + " "),
        ({**headers, "webhook-id": "msg_other"}, body),
        ({**headers, "webhook-timestamp": "1"}, body),
    ):
        with pytest.raises(WebhookVerificationError):
            verify(endpoint.secret, *tampered)


def test_a_signature_is_that_of_the_standard():
    # The example of the standard's own libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = signature(
        secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_are_as_long_as_the_standard_asks():
    secrets = {new_secret() for _number in range(20)}
    assert len(secrets) == 20
    for secret in secrets:
        assert 24 <= len(b64decode(secret.removeprefix("whsec_"))) <= 64


def test_both_secrets_sign_until_the_former_one_ends(endpoint):
    former, now = endpoint.secret, timezone.now()
    change_secret(endpoint, now)
    endpoint.refresh_from_db()
    assert endpoint.secret != former
    headers = signed_headers(endpoint, "msg_1", b"{}", now)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (former, endpoint.secret):
        assert verify(secret, headers, "{}") == {}
    later = now + FORMER_SECRET_LASTS
    assert (
        " " not in signed_headers(endpoint, "msg_1", b"{}", later)["webhook-signature"]
    )


# When it is tried again


@given(attempts=st.integers(1, 30), wish=st.none() | st.floats(0, 1e12))
@pytest.mark.slow
def test_delays_are_those_of_the_standard(attempts, wish):
    now = timezone.now()
    again = next_attempt(attempts, now, wish)
    if attempts >= len(DELAYS):
        assert again is None
        return
    delay = (again - now).total_seconds()
    longest = LONGEST_WISH.total_seconds()
    if not wish:
        assert DELAYS[attempts] <= delay <= DELAYS[attempts] * 1.1 + 1
    else:
        assert delay >= min(wish, longest) - 1
        assert delay <= max(DELAYS[attempts] * 1.1, min(wish, longest)) + 1
    assert now < rest_until(again, now, wish) <= now + LONGEST_WISH


def test_an_endpoint_is_not_left_alone_for_long():
    now = timezone.now()
    assert rest_until(now + timedelta(days=1), now) == now + LONGEST_REST
    assert rest_until(None, now) == now + LONGEST_REST
    assert rest_until(now + timedelta(seconds=5), now) == now + timedelta(seconds=5)


# How long it is kept


@pytest.mark.parametrize(("days", "left"), [(30, 1), (None, 2), (50, 2)])
def test_old_deliveries_are_deleted(endpoint, days, left):
    for age in (1, 40):
        WebhookDelivery.objects.create(
            endpoint=endpoint,
            message_id=f"msg_{age}",
            event="glossary.test",
            body="{}",
            created=timezone.now() - timedelta(days=age),
        )
    with override_settings(GLOSSARY_WEBHOOK_RETENTION_DAYS=days):
        assert outbox.expire_deliveries() == 2 - left
    assert WebhookDelivery.objects.count() == left


def test_a_scope_is_made_anew_for_each_batch(glossary, endpoint):
    """What is not committed yet must not be remembered for requests."""
    seen: list[Scope] = []

    def links_for(scope: Scope) -> ApiLinks:
        seen.append(scope)
        return ApiLinks("https://api/")

    term = make_term(glossary)
    queue([changed(term)], links_for=links_for, tags_of=tags_of)
    queue([changed(term)], links_for=links_for, tags_of=tags_of)
    assert seen[0] is not seen[1]


# From an editor's click to the outbox


def test_what_editors_do_is_told(
    publishing_is_heard: None, django_capture_on_commit_callbacks: Any
) -> None:
    glossary = make_glossary("words")
    endpoint = WebhookEndpoint.objects.create(
        site=Site.objects.get(), url="https://example.com/hook", secret=new_secret()
    )
    with django_capture_on_commit_callbacks(execute=True):
        term = make_term(glossary, "term")
        term.unpublish()
        term.get_latest_revision().publish()
        term.delete()
    events = endpoint.deliveries.order_by("pk").values_list("event", flat=True)
    assert [event for event in events if event.startswith("glossary.term.")] == [
        "glossary.term.published",
        "glossary.term.updated",  # it is published once more by the test's factory
        "glossary.term.unpublished",
        "glossary.term.published",
        "glossary.term.deleted",
    ]
