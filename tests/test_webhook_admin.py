"""The screens of webhooks: who may do what, and what they show and hide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry, Site

from glossary.admin import webhooks
from glossary.delivery.webhooks import outbox
from glossary.delivery.webhooks.events import EVENTS, TEST, make_test_message
from glossary.delivery.webhooks.sending import Answer
from glossary.models import WebhookDelivery, WebhookEndpoint

from .test_webhooks import make_endpoint


pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ANYTHING = {"adder", "changer", "deleter", "viewer", "superuser"}
CHANGERS = {"changer", "superuser"}
ADDERS = {"adder", "superuser"}
DELETERS = {"deleter", "superuser"}
ROLES = sorted(ANYTHING | {"anonymous", "no_access", "editor"})
HOSTILE = "<script>alert(1)</script>"

# Each address: whose id it takes, who may use it, and by which methods.
MATRIX: dict[str, tuple[str, set[str], set[str]]] = {
    "index": ("", ANYTHING, {"get"}),
    "index_results": ("", ANYTHING, {"get"}),
    "add": ("", ADDERS, {"get", "post"}),
    "edit": ("endpoint", CHANGERS, {"get", "post"}),
    "delete": ("endpoint", DELETERS, {"get", "post"}),
    "history": ("endpoint", ANYTHING - {"viewer"}, {"get"}),
    "history_results": ("endpoint", ANYTHING - {"viewer"}, {"get"}),
    "usage": ("endpoint", CHANGERS, {"get"}),
    "inspect": ("endpoint", ANYTHING, {"get"}),
    "secret": ("endpoint", CHANGERS | ADDERS, {"get"}),
    "rotate": ("endpoint", CHANGERS, {"get", "post"}),
    "test": ("endpoint", CHANGERS, {"post"}),
    "deliveries": ("", ANYTHING, {"get"}),
    "deliveries_results": ("", ANYTHING, {"get"}),
    "delivery": ("delivery", ANYTHING, {"get"}),
    "redeliver": ("delivery", CHANGERS, {"post"}),
}


@pytest.fixture(autouse=True)
def posted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have been sent: how it is sent is tested where it is sent."""
    sent: list[Any] = []

    def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
        sent.append((url, body, headers))
        return answers.pop(0) if answers else Answer(200)

    answers: list[Answer] = []
    monkeypatch.setattr(outbox, "post", post)
    monkeypatch.setattr(outbox, "answers", answers, raising=False)
    return sent


@pytest.fixture
def endpoint() -> WebhookEndpoint:
    return make_endpoint(description=f"Front end {HOSTILE}")


@pytest.fixture
def delivery(endpoint: WebhookEndpoint) -> WebhookDelivery:
    delivery = make_test_message(endpoint)
    delivery.attempts = [
        {
            "at": timezone.now().isoformat(),
            "status": 500,
            "error": "",
            "text": HOSTILE,
        }
    ]
    delivery.save()
    return delivery


def sign_in(role: str, client: Client) -> Client:
    if role == "anonymous":
        return client
    if role == "superuser":
        user = User.objects.create_superuser("somebody")
    else:
        user = User.objects.create_user("somebody")
        group = Group.objects.create(name="Some group")
        user.groups.add(group)
        names = {"adder": "add", "changer": "change", "deleter": "delete"}
        names["viewer"] = "view"
        if role != "no_access":
            group.permissions.add(Permission.objects.get(codename="access_admin"))
        if role == "no_access":
            names[role] = "change"
        if role in names:
            codename = f"{names[role]}_webhookendpoint"
            group.permissions.add(Permission.objects.get(codename=codename))
    client.force_login(user)
    return client


@pytest.fixture
def admin(client: Client) -> Client:
    return sign_in("superuser", client)


def url(name: str, *args: Any) -> str:
    return reverse(f"glossary_webhooks:{name}", args=args)


def addresses(resolver: Any = None, namespace: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, pattern.namespace or namespace)
        elif namespace == "glossary_webhooks":
            yield pattern.name


def everything() -> list[Any]:
    models = (WebhookEndpoint, WebhookDelivery)
    return [list(model.objects.order_by("pk").values()) for model in models]


def outcome(response: Any) -> str:
    if response.status_code == 302:
        if response.url.startswith(reverse("wagtailadmin_login")):
            return "login"
        return "refused" if response.url == reverse("wagtailadmin_home") else "answered"
    return "answered" if response.status_code == 200 else str(response.status_code)


# Who may do what


def test_every_address_is_in_the_matrix():
    assert set(addresses()) == set(MATRIX)


@pytest.mark.parametrize("role", ROLES)
def test_addresses_answer_to_those_who_may(role, delivery, client, posted):
    objects = {"endpoint": delivery.endpoint, "delivery": delivery}
    client = sign_in(role, client)
    for name, (needs, allowed, methods) in MATRIX.items():
        address = url(name, *([objects[needs].pk] if needs else []))
        for method in ("get", "post"):
            if role in ("anonymous", "no_access"):
                wanted = "login"
            elif role not in allowed:
                wanted = "refused"
            else:
                wanted = "answered" if method in methods else "405"
            if (method, wanted) == ("post", "answered"):
                continue  # changes something: each has a test of its own
            before = everything()
            response = getattr(client, method)(address)
            assert outcome(response) == wanted, (name, method)
            assert everything() == before, (name, method)
    assert posted == []


@pytest.mark.parametrize("name", [name for name in MATRIX if "post" in MATRIX[name][2]])
def test_nothing_changes_without_a_token(name, delivery, posted):
    objects = {"endpoint": delivery.endpoint, "delivery": delivery}
    client = sign_in("superuser", Client(enforce_csrf_checks=True))
    needs = MATRIX[name][0]
    before = everything()
    address = url(name, *([objects[needs].pk] if needs else []))
    assert client.post(address).status_code == 403
    assert everything() == before
    assert posted == []


@pytest.mark.parametrize("name", [name for name in MATRIX if MATRIX[name][0]])
def test_ids_that_do_not_exist_are_not_found(name, admin):
    for pk in (0, 999_999):
        for method in MATRIX[name][2]:
            assert getattr(admin, method)(url(name, pk)).status_code == 404


def test_no_screen_tells_a_secret_or_runs_what_a_receiver_says(delivery, admin):
    endpoint = delivery.endpoint
    endpoint.former_secret = "whsec_former"
    endpoint.former_secret_until = timezone.now() + timedelta(hours=1)
    endpoint.save()
    objects = {"endpoint": endpoint, "delivery": delivery}
    for name, (needs, _allowed, methods) in MATRIX.items():
        if "get" not in methods:
            continue
        address = url(name, *([objects[needs].pk] if needs else []))
        text = admin.get(address, follow=True).content.decode()
        assert HOSTILE not in text, name
        assert "whsec_" not in text, name


# Webhooks


def answers_of_form(**fields: Any) -> dict[str, Any]:
    site = Site.objects.get(is_default_site=True)
    return {
        "site": site.pk,
        "url": "https://example.com/hook",
        "description": "Front end",
        "active": "on",
        **fields,
    }


def test_a_new_webhook_shows_its_secret_once(admin):
    response = admin.post(url("add"), answers_of_form(events=["glossary.term.updated"]))
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.events == ["glossary.term.updated"]
    assert response.url == url("secret", endpoint.pk)
    shown = admin.get(response.url)
    assert endpoint.secret in shown.content.decode()
    assert {"private", "no-store"} <= set(shown["Cache-Control"].split(", "))
    again = admin.get(response.url)
    assert again.url == url("inspect", endpoint.pk)
    assert "whsec_" not in admin.get(again.url).content.decode()


def test_a_secret_shows_in_the_session_that_made_it_alone(admin, endpoint):
    admin.post(url("add"), answers_of_form())
    own = WebhookEndpoint.objects.latest("pk")
    assert admin.get(url("secret", endpoint.pk)).status_code == 302
    admin.post(url("rotate", own.pk))
    other = Client()
    other.force_login(User.objects.get())
    assert other.get(url("secret", own.pk)).status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://user@example.com/",
        "https://example.com\0/",
        "https://" + "a" * 3000,
    ],
)
def test_an_address_that_nothing_is_sent_to_is_refused(admin, address):
    response = admin.post(url("add"), answers_of_form(url=address))
    assert response.status_code == 200
    assert set(response.context["form"].errors) == {"url"}
    assert not WebhookEndpoint.objects.exists()


def test_a_host_of_the_site_is_taken(admin, settings):
    settings.GLOSSARY_WEBHOOK_HOSTS = ["nuxt:3000"]
    admin.post(url("add"), answers_of_form(url="http://nuxt:3000/hook"))
    assert WebhookEndpoint.objects.get().url == "http://nuxt:3000/hook"


def test_events_are_chosen_from_those_there_are(admin):
    page = admin.get(url("add"))
    assert page.context["form"].initial.get("active", True)
    shown = page.content.decode()
    assert all(f'value="{event}"' in shown for event in EVENTS)
    response = admin.post(url("add"), answers_of_form(events=["glossary.term.read"]))
    assert set(response.context["form"].errors) == {"events"}
    admin.post(url("add"), answers_of_form())
    assert WebhookEndpoint.objects.get().events == []


def test_editing_keeps_the_secret_and_ends_a_disabling(admin, endpoint):
    secret = endpoint.secret
    WebhookEndpoint.objects.update(active=False, disabled_reason="Gone.")
    assert "Gone." in admin.get(url("inspect", endpoint.pk)).content.decode()
    admin.post(url("edit", endpoint.pk), answers_of_form(description="Renamed"))
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.secret) == ("Renamed", secret)
    assert (endpoint.active, endpoint.disabled_reason) == (True, "")


def test_a_secret_is_changed_and_logged(admin, endpoint):
    former = endpoint.secret
    asked = admin.get(url("rotate", endpoint.pk)).content.decode()
    assert "another secret" in asked
    response = admin.post(url("rotate", endpoint.pk))
    endpoint.refresh_from_db()
    assert endpoint.secret != former
    assert endpoint.former_secret == former
    text = admin.get(response.url).content.decode()
    assert endpoint.secret in text
    assert former not in text
    entry = ModelLogEntry.objects.get(action="glossary.change_secret")
    assert "whsec_" not in json.dumps(entry.data)
    assert "also signs" in admin.get(url("inspect", endpoint.pk)).content.decode()
    assert "Secret changed" in admin.get(url("history", endpoint.pk)).content.decode()


def test_deleting_a_webhook_takes_its_deliveries_along(admin, delivery):
    admin.post(url("delete", delivery.endpoint.pk))
    assert everything() == [[], []]


def test_the_list_says_how_each_fares(admin, endpoint, delivery):
    make_endpoint(active=False, url="https://example.com/paused")
    make_endpoint(active=False, disabled_reason="Gone.", events=list(EVENTS)[:2])
    page = admin.get(url("index"))
    text = page.content.decode()
    for words in ("active", "paused", "disabled", "2 events", "all"):
        assert re.search(rf">\s*{words}\s*<", text), words
    waiting = {row.pk: row.waiting for row in page.context["object_list"]}
    assert waiting[endpoint.pk] == 1
    found = admin.get(url("index_results"), {"q": "paused"})
    assert len(found.context["object_list"]) == 1


@pytest.mark.parametrize(
    ("late", "changes", "warned"),
    [
        (timedelta(hours=1), {}, True),
        (timedelta(minutes=1), {}, False),
        (timedelta(hours=1), {"active": False}, False),
        (timedelta(hours=1), {"not_before": timezone.now() + timedelta(1)}, False),
    ],
)
def test_nobody_sending_is_told(admin, delivery, late, changes, warned):
    past = timezone.now() - late
    WebhookEndpoint.objects.update(**{"not_before": past, **changes})
    WebhookDelivery.objects.update(next_attempt=past)
    text = admin.get(url("index")).content.decode()
    assert ("deliver_webhooks" in text) is warned


# Deliveries


def test_a_test_message_is_sent_at_once_and_once(admin, endpoint, posted):
    response = admin.post(url("test", endpoint.pk), follow=True)
    [(address, body, headers)] = posted
    assert address == endpoint.url
    assert json.loads(body)["type"] == TEST
    assert headers["webhook-signature"].startswith("v1,")
    assert "was delivered" in response.content.decode()
    outbox.answers.append(Answer(None, "no route to host"))
    failed = admin.post(url("test", endpoint.pk), follow=True)
    assert "no route to host" in failed.content.decode()
    last = WebhookDelivery.objects.latest("pk")
    assert (last.status, last.next_attempt) == ("failed", None)


def test_a_delivery_shows_what_was_sent_and_answered(admin, delivery):
    text = admin.get(url("delivery", delivery.pk)).content.decode()
    assert delivery.message_id in text
    assert "&lt;script&gt;" in text
    assert "&quot;type&quot;: &quot;glossary.test&quot;" in text


def test_a_delivery_is_sent_again(admin, delivery, posted):
    WebhookDelivery.objects.update(status="failed", event="glossary.term.updated")
    response = admin.post(url("redeliver", delivery.pk), follow=True)
    assert "was delivered" in response.content.decode()
    delivery.refresh_from_db()
    assert delivery.status == "delivered"
    assert len(delivery.attempts) == 2
    [(_address, _body, headers)] = posted
    assert headers["webhook-id"] == delivery.message_id


def test_nothing_is_sent_to_a_webhook_that_is_not_active(admin, delivery, posted):
    WebhookEndpoint.objects.update(active=False)
    page = admin.get(url("delivery", delivery.pk)).content.decode()
    assert url("redeliver", delivery.pk) not in page
    response = admin.post(url("redeliver", delivery.pk), follow=True)
    assert "not active" in response.content.decode()
    assert posted == []


def test_deliveries_are_found(admin, delivery):
    other = make_endpoint(description="Another")
    for event, status in (
        ("glossary.term.updated", "delivered"),
        ("glossary.term.updated", "failed"),
        ("gone.event", "failed"),
    ):
        row = make_test_message(other)
        row.event, row.status = event, status
        row.save()

    def found(**filters: Any) -> int:
        page = admin.get(url("deliveries_results"), filters)
        return len(page.context["object_list"])

    assert found() == 4
    assert found(endpoint=other.pk) == 3
    assert found(status=["delivered", "failed"]) == 3
    assert found(event="glossary.term.updated", status="failed") == 1
    assert found(created_from="2000-01-01", created_to="2000-01-02") == 0
    for hostile in ("\0", "9" * 50, "x"):
        admin.get(url("deliveries_results"), {"endpoint": hostile, "status": hostile})


def test_the_log_is_read_by_a_fixed_number_of_queries(
    admin, endpoint, django_assert_max_num_queries
):
    for _number in range(30):
        make_test_message(endpoint).save()
    admin.get(url("deliveries"))
    with django_assert_max_num_queries(25):
        admin.get(url("deliveries"))


def test_the_menu_offers_what_one_may_use(endpoint):
    for role, offered in (("viewer", True), ("editor", False)):
        home = sign_in(role, Client()).get(reverse("wagtailadmin_home"))
        assert (url("index") in home.content.decode()) is offered
        User.objects.all().delete()
        Group.objects.filter(name="Some group").delete()


def test_the_permissions_are_offered_in_groups(admin):
    page = admin.get(reverse("wagtailusers_groups:add"))
    offered = page.content.decode()
    for action in ("add", "change", "delete", "view"):
        permission = Permission.objects.get(codename=f"{action}_webhookendpoint")
        assert f'value="{permission.pk}"' in offered


def test_the_state_is_told_in_words():
    assert webhooks.events_in_words(WebhookEndpoint(events=["a"])) == "1 event"
