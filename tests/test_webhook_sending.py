"""Messages on their way: to real servers with real certificates, and to nobody else."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from ipaddress import ip_address
from typing import Any

import pytest
import trustme
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from glossary.delivery.webhooks import addresses, outbox, sending
from glossary.delivery.webhooks.addresses import (
    AddressRefused,
    find_server,
    is_public,
    read_address,
)
from glossary.delivery.webhooks.events import make_test_message
from glossary.delivery.webhooks.outbox import send_at_once, send_due
from glossary.delivery.webhooks.schedule import DELAYS, LONGEST_REST
from glossary.delivery.webhooks.sending import ANSWER_SIZE, Answer, post
from glossary.management.commands import deliver_webhooks
from glossary.models import WebhookDelivery, WebhookEndpoint

from .test_webhooks import make_endpoint


HOST = "receiver.example"


# Receivers


@dataclass
class Receiver:
    """A server on this machine; ``answer`` says what to do with each request."""

    server: ThreadingHTTPServer
    scheme: str
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[Any], None] = lambda handler: respond(handler, 200)

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"{self.scheme}://{HOST}:{self.port}/hook?of=ours"


def respond(handler: Any, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def answers(*statuses: int, **headers: str) -> Callable[[Any], None]:
    """Answer with one status after the other, and then with the last one."""
    left = list(statuses)

    def answer(handler: Any) -> None:
        respond(handler, left.pop(0) if len(left) > 1 else left[0], **headers)

    return answer


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        """Clients that hang up are what is tested here."""


def start(context: ssl.SSLContext | None) -> Receiver:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append((self.path, headers, self.rfile.read(size)))
            receiver.answer(self)

        def do_GET(self) -> None:
            receiver.requests.append((self.path, {}, b""))
            respond(self, 200)

        def log_message(self, *args: Any) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server, "https" if context else "http")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return receiver


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the names of hosts stand for: the one place where tests differ."""
    names = {HOST: ["127.0.0.1"]}

    def lookup(host: str, port: int) -> list[str]:
        if host not in names:
            raise socket.gaierror("unknown")
        return names[host]

    monkeypatch.setattr(addresses, "lookup", lookup)
    return names


@pytest.fixture
def trusted(
    authority: trustme.CA,
    resolved: dict[str, list[str]],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> Iterator[None]:
    """Trust our own authority alone, as a system would with SSL_CERT_FILE."""
    settings.GLOSSARY_WEBHOOK_HOSTS = [HOST]
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    sending.tls.cache_clear()
    yield
    sending.tls.cache_clear()


def secure(authority: trustme.CA, name: str = HOST, **options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **options).configure_cert(context)
    return context


def running(context: ssl.SSLContext | None) -> Iterator[Receiver]:
    receiver = start(context)
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def receiver(authority: trustme.CA, trusted: None) -> Iterator[Receiver]:
    yield from running(secure(authority))


@pytest.fixture
def plain_receiver(trusted: None) -> Iterator[Receiver]:
    yield from running(None)


# One request


def test_a_message_arrives_as_it_was_sent(receiver):
    answer = post(receiver.url, b'{"a":1}', {"webhook-id": "msg_1"})
    assert answer == Answer(200)
    [(path, headers, body)] = receiver.requests
    assert (path, body) == ("/hook?of=ours", b'{"a":1}')
    assert headers["webhook-id"] == "msg_1"
    assert headers["host"] == f"{HOST}:{receiver.port}"
    assert headers["connection"] == "close"


def test_a_server_in_the_intranet_may_do_without_encryption(plain_receiver):
    assert post(plain_receiver.url, b"{}", {}).is_taken
    assert len(plain_receiver.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver, status):
    elsewhere = f"https://{HOST}:{receiver.port}/elsewhere"
    receiver.answer = answers(status, Location=elsewhere)
    answer = post(receiver.url, b"{}", {})
    assert (answer.status, answer.is_taken, answer.is_down) == (status, False, False)
    assert [path for path, _headers, _body in receiver.requests] == ["/hook?of=ours"]


@pytest.mark.parametrize(
    ("status", "taken", "down"),
    [
        *((status, True, False) for status in (200, 201, 202, 204, 299)),
        *((status, False, False) for status in (300, 400, 404, 410, 500)),
        *((status, False, True) for status in (429, 502, 503, 504)),
    ],
)
def test_a_status_says_whether_it_was_taken(receiver, status, taken, down):
    receiver.answer = answers(status)
    answer = post(receiver.url, b"{}", {})
    assert (answer.is_taken, answer.is_down) == (taken, down)


def test_only_the_beginning_of_an_answer_is_read(receiver):
    receiver.answer = lambda handler: respond(handler, 500, b"a\0b" * 10**6)
    answer = post(receiver.url, b"{}", {})
    assert answer.status == 500
    assert answer.text.startswith("abab")
    assert len(answer.text) <= ANSWER_SIZE


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("120", 120), (" 7 ", 7), ("9" * 400, None), ("-1", None), ("soon", None)),
        (f"Mon, 01 Jan 2024 00:00:00 +{'9' * 17}", None),
        (f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT", None),
    ],
)
def test_a_receiver_can_ask_for_time(receiver, value, seconds):
    receiver.answer = answers(503, Retry_After=value)
    assert post(receiver.url, b"{}", {}).retry_after == seconds


@pytest.mark.parametrize(
    ("date", "is_past"),
    [
        ("Wed, 21 Oct 2015 07:28:00 GMT", True),
        ("Wed, 21 Oct 2015 07:28:00", True),
        ("Fri, 31 Dec 9999 23:59:59 GMT", False),
    ],
)
def test_a_receiver_can_name_a_moment(receiver, date, is_past):
    receiver.answer = answers(503, Retry_After=date)
    assert (post(receiver.url, b"{}", {}).retry_after == 0) is is_past


# Certificates


def refused(url: str) -> str:
    answer = post(url, b"{}", {})
    assert answer.status is None
    assert answer.is_down
    assert answer.error
    return answer.error


@pytest.mark.parametrize(
    "context",
    [
        pytest.param(lambda ours: secure(trustme.CA()), id="of a stranger"),
        pytest.param(lambda ours: secure(ours, "other.example"), id="of another name"),
        pytest.param(
            lambda ours: secure(ours, not_after=timezone.now() - timedelta(days=1)),
            id="of the past",
        ),
        pytest.param(lambda ours: secure(ours, "127.0.0.1"), id="of the address"),
    ],
)
def test_a_server_has_to_prove_its_name(authority, trusted, context):
    receivers = running(context(authority))
    receiver = next(receivers)
    assert "CERTIFICATE_VERIFY_FAILED" in refused(receiver.url)
    assert receiver.requests == []
    with suppress(StopIteration):
        next(receivers)


def test_encryption_is_not_given_up(plain_receiver):
    url = plain_receiver.url.replace("http://", "https://")
    refused(url)
    assert plain_receiver.requests == []


# Servers that take their time


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", 0.4)


@pytest.mark.parametrize(
    "piece",
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"X-Header: x\r\n", b""],
)
def test_a_server_that_drips_does_not_hold_us(receiver, hurry, piece):
    """Without a time for all of it, this would never end."""
    over = threading.Event()

    def drip(handler: Any) -> None:
        with suppress(OSError):
            if piece.startswith(b"X"):
                handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.05):
                handler.wfile.write(piece)

    receiver.answer = drip
    assert "within" in refused(receiver.url)
    over.set()


def test_a_body_that_drips_does_not_hold_us(receiver, hurry):
    over = threading.Event()

    def drip(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(OSError):
            while not over.wait(0.05):
                handler.wfile.write(b"x")

    receiver.answer = drip
    assert post(receiver.url, b"{}", {}).is_taken
    over.set()


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_server_that_says_nothing_does_not_hold_us(trusted, hurry, scheme):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        error = refused(f"{scheme}://{HOST}:{silent.getsockname()[1]}/")
    assert error


def test_a_resolver_that_says_nothing_does_not_hold_us(trusted, hurry, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(addresses, "lookup", lambda *args: [str(over.wait())])
    assert "within" in refused(f"https://{HOST}/")
    over.set()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\0\0\0",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A" * 100_000,
        b"HTTP/1.1 99999999999999999999 OK\r\n\r\n",
    ],
)
def test_nonsense_is_a_failure(trusted, raw):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            connection, _peer = server.accept()
            with closing(connection), suppress(OSError):
                connection.recv(65536)
                connection.sendall(raw)

        thread = threading.Thread(target=serve)
        thread.start()
        refused(f"http://{HOST}:{server.getsockname()[1]}/")
        thread.join()


def test_the_body_of_a_taken_message_may_be_nonsense(receiver):
    def answer(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"no number\r\n\xff\xfe")

    receiver.answer = answer
    assert post(receiver.url, b"{}", {}).is_taken


def test_nobody_there(trusted):
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    assert refused(f"https://{HOST}:{port}/")
    assert "There is no server" in refused("https://unknown.example/")


def test_another_server_of_the_same_name_is_tried(receiver, resolved):
    resolved[HOST] = ["::1", "127.0.0.1"]
    assert post(receiver.url, b"{}", {}).is_taken


# Where nothing is sent to


HOSTILE_ADDRESSES = [
    "0.0.0.0",  # noqa: S104
    *("0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1"),
    *("100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1"),
    *("192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    "168.63.129.16",
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"),
    *("::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"),
    *("100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1"),
    *("2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1"),
    *("5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1"),
    *("ff02::1", "ff0e::1", "4000::1"),
]
PUBLIC_ADDRESSES = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255"),
    *("100.128.0.0", "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.0"),
    *("192.0.1.1", "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.1"),
    *("2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "2003::1"),
]
HOSTILE_URLS = [
    *("", "/", "//example.com/", "example.com", "javascript:alert(1)"),
    *("http://example.com/", "ftp://example.com/", "file:///etc/passwd"),
    *("gopher://example.com/", "https:///path", "https://", "https://:443/"),
    *("https://user@example.com/", "https://user:password@example.com/"),
    *("https://@example.com/", "https://example.com:22/", "https://example.com:80/"),
    *("https://example.com:0/", "https://example.com:65536/", "https://e.com:x/"),
    *(
        "https://localhost/",
        "https://LOCALHOST./",
        "https://redis/",
        "https://db:8443/",
    ),
    *("https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0/"),
    *("https://0x7f.0x0.0x0.0x1/", "https://0x7f000001/", "https://0177.0.0.1/"),
    *(
        "https://0x/",
        "https://1.2.3.4.5/",
        "https://①②⑦.⓪.⓪.①/",
        "https://127。0。0。1/",
    ),
    *("https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25eth0]/"),
    *("https://[::]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/"),
    *(
        "https://example.com\\@127.0.0.1/",
        "https://exa\tmple.com/",
        "https://exa mple.com",
    ),
    *("https://example.com/\r\nHost: x", "https://example.com/\0", "https://a..b/"),
    *("https://[::1", "https://example.com／.evil/", f"https://{'a' * 64}.com/"),
    *(f"https://{'a.' * 200}com/", f"https://example.com/{'a' * 2000}"),
    "https://xn--a.com\ud800/",
]


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_private_addresses_are_told_from_public_ones(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_public_addresses_are_public(address):
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_private(address):
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_hostile_urls_are_refused(url):
    with pytest.raises(AddressRefused):
        read_address(url)


@given(st.text())
def test_any_text_is_an_address_or_refused(text):
    for url in (text, f"https://{text}", f"https://example.com/{text}"):
        try:
            target = read_address(url).target
        except AddressRefused:
            continue
        assert target.isascii()
        assert not any(sign in target for sign in "\r\n\0 ")


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("https://EXAMPLE.com.:8443/a?b=c#d", "example.com", 8443, "/a?b=c"),
        ("https://bücher.example/ü?ü", "xn--bcher-kva.example", 443, "/%C3%BC?%C3%BC"),
        ("https://example.com//a", "example.com", 443, "//a"),
        ("https://1.1.1.1/", "1.1.1.1", 443, "/"),
        ("https://[2606:4700::1111]/", "2606:4700::1111", 443, "/"),
    ],
)
def test_addresses_are_taken_apart(url, host, port, target):
    address = read_address(url)
    assert (address.host, address.port, address.target) == (host, port, target)


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["93.184.216.34", "10.0.0.1"],
        ["2606:4700::1111", "64:ff9b::a00:1"],
    ],
)
def test_a_name_that_leads_inside_is_refused(resolved, found):
    resolved["innocent.example"] = found
    with pytest.raises(AddressRefused):
        find_server(read_address("https://innocent.example/"), 1)
    assert "public server" in refused("https://innocent.example/")


def test_nothing_connects_to_a_refused_address(receiver, settings, monkeypatch):
    settings.GLOSSARY_WEBHOOK_HOSTS = []
    monkeypatch.setattr(addresses, "PORTS", (receiver.port,))
    monkeypatch.setattr(socket, "create_connection", pytest.fail)
    assert "not the address of a public server" in refused(receiver.url)
    assert receiver.requests == []


def test_the_address_that_was_checked_is_the_one_that_is_used(
    receiver, resolved, settings, monkeypatch
):
    """A name that leads elsewhere the second time, by DNS rebinding, is asked once."""
    asked = []

    def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    connected = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError("here it ends")

    settings.GLOSSARY_WEBHOOK_HOSTS = []
    monkeypatch.setattr(addresses, "PORTS", (receiver.port,))
    monkeypatch.setattr(addresses, "lookup", lookup)
    monkeypatch.setattr(socket, "create_connection", connect)
    refused(receiver.url)
    assert connected == [("93.184.216.34", receiver.port)]
    assert asked == [HOST]


@pytest.mark.parametrize("named", [["nuxt"], ["nuxt:3000"]])
def test_a_site_can_name_hosts_of_its_own(settings, named):
    settings.GLOSSARY_WEBHOOK_HOSTS = named
    assert read_address("http://NUXT:3000/hook").is_named
    with pytest.raises(AddressRefused):
        read_address("http://other:3000/hook")
    if named == ["nuxt:3000"]:
        with pytest.raises(AddressRefused):
            read_address("http://nuxt:3001/hook")


# The outbox


@pytest.fixture
def endpoint(db: None, receiver: Receiver) -> WebhookEndpoint:
    return make_endpoint(url=receiver.url)


def add(endpoint: WebhookEndpoint, count: int = 1, **fields: Any) -> list[Any]:
    deliveries = []
    for _number in range(count):
        delivery = make_test_message(endpoint)
        for name, value in fields.items():
            setattr(delivery, name, value)
        delivery.save()
        deliveries.append(delivery)
    return deliveries


def reload(*things: Any) -> None:
    for thing in things:
        thing.refresh_from_db()


def come_due(endpoint: WebhookEndpoint) -> None:
    """Let the time pass that all is waiting for."""
    past = timezone.now() - timedelta(seconds=1)
    endpoint.deliveries.filter(status="pending").update(next_attempt=past)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(not_before=past)


def fail_since(hours: float, times: int, status: int | None = 500) -> list[Any]:
    first = timezone.now() - timedelta(hours=hours)
    return [
        {"at": first.isoformat(), "status": status, "error": "", "text": ""}
        for _number in range(times)
    ]


def test_messages_go_out_in_order_and_are_signed(endpoint, receiver):
    deliveries = add(endpoint, outbox.BATCH_SIZE + 5)
    tally = send_due()
    assert tally.counts == {"delivered": len(deliveries)}
    reload(endpoint, *deliveries)
    assert [headers["webhook-id"] for _path, headers, _body in receiver.requests] == [
        delivery.message_id for delivery in deliveries
    ]
    for _path, headers, body in receiver.requests:
        assert Webhook(endpoint.secret).verify(body, headers) == json.loads(body)
        assert headers["content-type"] == "application/json"
    assert {delivery.status for delivery in deliveries} == {"delivered"}
    assert all(delivery.next_attempt is None for delivery in deliveries)
    assert endpoint.last_success is not None
    assert endpoint.not_before <= timezone.now()
    assert send_due().counts == {}


def test_each_attempt_is_written_down(endpoint, receiver):
    [delivery] = add(endpoint)
    receiver.answer = lambda handler: respond(handler, 500, b"no\0 good \xff")
    send_due()
    come_due(endpoint)
    receiver.answer = lambda handler: respond(handler, 204)
    send_due()
    reload(delivery)
    first, second = delivery.attempts
    assert (first["status"], first["text"]) == (500, "no good \ufffd")
    assert second["status"] == 204
    assert delivery.status == "delivered"
    ids = {headers["webhook-id"] for _path, headers, _body in receiver.requests}
    assert ids == {delivery.message_id}


def test_one_that_is_refused_does_not_hold_the_others(endpoint, receiver):
    first, second = add(endpoint, 2)
    receiver.answer = answers(500, 200)
    tally = send_due()
    assert tally.counts == {"pending": 1, "delivered": 1}
    reload(first, second)
    assert (first.status, second.status) == ("pending", "delivered")
    assert tally.again_at == {first.next_attempt}
    assert first.next_attempt > timezone.now()


@pytest.mark.parametrize("status", [429, 503])
def test_an_endpoint_that_is_down_is_left_alone(endpoint, receiver, status):
    first, second = add(endpoint, 2)
    receiver.answer = answers(status, 200)
    send_due()
    reload(first, second, endpoint)
    assert len(receiver.requests) == 1
    assert len(first.attempts) == 1
    assert second.attempts == []
    assert endpoint.not_before > timezone.now()
    add(endpoint)
    assert send_due().counts == {}
    come_due(endpoint)
    send_due()
    assert not endpoint.deliveries.exclude(status="delivered").exists()


def test_a_receiver_is_left_alone_for_as_long_as_it_asks(endpoint, receiver):
    [delivery] = add(endpoint)
    receiver.answer = answers(503, Retry_After="7200")
    now = timezone.now()
    send_due()
    reload(delivery, endpoint)
    for moment in (delivery.next_attempt, endpoint.not_before):
        assert moment >= now + timedelta(seconds=7200)


def test_what_waits_goes_out_as_soon_as_the_endpoint_is_back(endpoint, receiver):
    """Not when each message's own delay ends, which may be a day."""
    later = timezone.now() + timedelta(hours=20)
    [missed] = add(
        endpoint, attempts=fail_since(60, 8, status=None), next_attempt=later
    )
    [refused] = add(endpoint, attempts=fail_since(60, 8), next_attempt=later)
    [new] = add(endpoint)
    send_due()
    reload(missed, refused, new)
    assert (missed.status, new.status) == ("delivered", "delivered")
    assert refused.status == "pending"
    assert refused.next_attempt == later


def test_a_message_is_given_up_in_the_end(endpoint, receiver):
    receiver.answer = answers(500)
    [delivery] = add(endpoint)
    for number in range(len(DELAYS)):
        reload(delivery)
        assert (delivery.status, len(delivery.attempts)) == ("pending", number)
        come_due(endpoint)
        send_due()
    reload(delivery)
    assert (delivery.status, delivery.next_attempt) == ("failed", None)
    assert len(receiver.requests) == len(DELAYS)


def test_an_endpoint_that_takes_nothing_for_days_is_disabled(
    endpoint, receiver, caplog
):
    receiver.answer = answers(500)
    attempts = fail_since(76, len(DELAYS) - 1)
    [delivery] = add(endpoint, attempts=attempts)
    [waiting] = add(endpoint)
    send_due()
    reload(delivery, waiting, endpoint)
    assert not endpoint.active
    assert endpoint.disabled_reason
    assert (delivery.status, waiting.status) == ("failed", "failed")
    assert "is disabled" in caplog.text
    assert len(receiver.requests) == 1


def test_an_endpoint_that_takes_others_stays(endpoint, receiver):
    receiver.answer = answers(500)
    endpoint.last_success = timezone.now() - timedelta(hours=1)
    endpoint.save()
    [delivery] = add(endpoint, attempts=fail_since(76, len(DELAYS) - 1))
    send_due()
    reload(delivery, endpoint)
    assert endpoint.active
    assert delivery.status == "failed"


def test_gone_is_gone(endpoint, receiver, caplog):
    first, second = add(endpoint, 2)
    receiver.answer = answers(410)
    assert send_due().counts == {"failed": 1}
    reload(first, second, endpoint)
    assert not endpoint.active
    assert "410" in endpoint.disabled_reason
    assert {first.status, second.status} == {"failed"}
    assert len(receiver.requests) == 1
    add(endpoint)
    send_due()
    assert len(receiver.requests) == 1
    assert "is disabled" in caplog.text


def test_a_paused_endpoint_waits(endpoint, receiver):
    add(endpoint)
    WebhookEndpoint.objects.update(active=False)
    assert send_due().counts == {}
    WebhookEndpoint.objects.update(active=True)
    assert send_due().counts == {"delivered": 1}


def test_what_an_editor_does_meanwhile_counts(endpoint, receiver, monkeypatch):
    """A batch is not what it was when it began."""
    first, second, third = add(endpoint, 3)
    moved = receiver.url.replace("/hook", "/moved")

    sent = []

    def send(url: str, body: bytes, headers: Any) -> Answer:
        sent.append(url)
        WebhookDelivery.objects.filter(pk=second.pk).update(status="delivered")
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url=moved)
        return Answer(200)

    monkeypatch.setattr(outbox, "post", send)
    send_due()
    assert sent == [receiver.url, moved]
    reload(first, third)
    assert first.status == third.status == "delivered"


def test_a_message_that_cannot_be_sent_holds_no_other(endpoint, monkeypatch, caplog):
    [broken] = add(endpoint)
    other = make_endpoint(url=endpoint.url.replace("/hook", "/other"))
    [sound] = add(other)

    def send(url: str, body: bytes, headers: Any) -> Answer:
        if url == other.url:
            return Answer(200)
        raise ArithmeticError("what nobody thought of")

    monkeypatch.setattr(outbox, "post", send)
    send_due()
    reload(broken, sound)
    assert (broken.status, sound.status) == ("pending", "delivered")
    assert broken.attempts[0]["error"] == "ArithmeticError: what nobody thought of"


def test_every_endpoint_has_its_turn(endpoint, receiver):
    """A long queue of one does not keep the others waiting."""
    other = make_endpoint(url=receiver.url.replace("/hook", "/other"))
    add(endpoint, outbox.BATCH_SIZE + 1)
    add(other)
    send_due()
    paths = [path.partition("?")[0] for path, _headers, _body in receiver.requests]
    assert paths[outbox.BATCH_SIZE] == "/other"


def test_an_endpoint_that_is_deleted_meanwhile_hurts_nobody(endpoint, receiver):
    add(endpoint, 2)

    def answer(handler: Any) -> None:
        respond(handler, 200)

    receiver.answer = answer
    real = outbox.post

    def delete_and_post(*args: Any) -> Answer:
        WebhookEndpoint.objects.all().delete()
        return real(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "post", delete_and_post)
        send_due()
    assert not WebhookDelivery.objects.exists()


def test_a_claim_keeps_others_away_and_ends_by_itself(endpoint, receiver):
    add(endpoint)
    claimed = outbox._claim()
    assert claimed is not None
    assert send_due().counts == {}
    # The process that held it died. Its claim is over after a while.
    WebhookEndpoint.objects.update(not_before=timezone.now())
    assert send_due().counts == {"delivered": 1}


def test_a_process_that_breaks_off_gives_back_what_it_holds(
    endpoint, receiver, monkeypatch
):
    def stop(*args: Any) -> None:
        raise SystemExit

    add(endpoint)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "post", stop)
        with pytest.raises(SystemExit):
            send_due()
    assert send_due().counts == {"delivered": 1}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_processes_send_nothing_twice(receiver):
    if connections["default"].vendor == "sqlite":
        pytest.skip("threads share no SQLite database in memory")
    endpoints = [make_endpoint(url=receiver.url) for _number in range(3)]
    for endpoint in endpoints:
        add(endpoint, 25)
    begin = threading.Barrier(4)
    errors: list[Exception] = []

    def work() -> None:
        try:
            begin.wait()
            send_due()
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    sent = [headers["webhook-id"] for _path, headers, _body in receiver.requests]
    assert len(sent) == len(set(sent)) == 75
    for endpoint in endpoints:
        ids = list(
            endpoint.deliveries.order_by("pk").values_list("message_id", flat=True)
        )
        assert [each for each in sent if each in set(ids)] == ids


def test_at_once_sends_before_what_waits(endpoint, receiver):
    add(endpoint)
    [delivery] = add(endpoint)
    WebhookEndpoint.objects.update(not_before=timezone.now() + LONGEST_REST)
    assert send_at_once(delivery).status == "delivered"
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(("once", "status"), [(True, "failed"), (False, "pending")])
def test_at_once_may_be_the_only_attempt(endpoint, receiver, once, status):
    receiver.answer = answers(500)
    delivery = make_test_message(endpoint)
    send_at_once(delivery, once=once)
    reload(delivery)
    assert delivery.status == status
    assert (delivery.next_attempt is None) is once


def test_a_delivered_message_can_be_sent_again(endpoint, receiver):
    [delivery] = add(endpoint)
    send_due()
    reload(delivery)
    send_at_once(delivery)
    ids = [headers["webhook-id"] for _path, headers, _body in receiver.requests]
    assert ids == [delivery.message_id] * 2


# The task


def test_a_worker_that_can_wait_tries_again(endpoint, receiver, settings):
    [delivery] = add(endpoint)
    receiver.answer = answers(500)
    settings.TASKS = {
        "default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}
    }
    backend = outbox.send_due_messages.get_backend()
    backend.clear()
    outbox.send_due_messages.call()
    reload(delivery)
    [result] = backend.results
    assert result.task.run_after == delivery.next_attempt


# The command


def run(*args: str) -> str:
    out = StringIO()
    call_command("deliver_webhooks", *args, stdout=out)
    return out.getvalue()


def test_the_command_sends_what_is_due_and_deletes_what_is_old(endpoint, receiver):
    add(endpoint, 2)
    add(endpoint, status="delivered", created=timezone.now() - timedelta(days=31))
    said = run()
    assert "2 delivered, 0 to be tried again, 0 given up." in said
    assert "1 old" in said
    assert WebhookDelivery.objects.count() == 2
    assert "0 delivered" in run()


def test_the_command_goes_on_until_it_is_stopped(endpoint, receiver, monkeypatch):
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt
        add(endpoint)

    monkeypatch.setattr(deliver_webhooks.time, "sleep", sleep)
    monkeypatch.setattr(deliver_webhooks, "close_old_connections", lambda: None)
    monkeypatch.setattr(deliver_webhooks.signal, "signal", lambda *args: None)
    said = run("--forever", "--interval", "0.5")
    assert said.count("1 delivered") == 2
    assert slept == [0.5] * 3
    assert "Stopped." in said


@pytest.mark.parametrize("interval", ["0", "-1", "nan", "inf", "3601"])
def test_the_command_wants_a_sensible_interval(db, interval):
    with pytest.raises(CommandError) as caught:
        run("--forever", f"--interval={interval}")
    assert caught.value.returncode == 2
