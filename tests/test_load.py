"""The load generator of the benchmarks, against real servers."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import Plan, UnexpectedAnswer, carry_out


pytestmark = pytest.mark.once

BIG = 3_000_000  # more than comes at once


class Site(ThreadingHTTPServer):
    """A server that seems to have two workers, which take turns with connections."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[tuple[str, str]] = Counter()
        self.connections = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        # The first worker is the quicker one: it gets two of three.
        self.worker = "first" if self.server.connections % 3 else "second"

    def do_GET(self) -> None:
        known = self.headers.get("If-None-Match")
        etag = f'"{self.path}"'
        if self.path != "/worker":
            self.server.asked[self.worker, self.path] += 1
        if self.path == "/missing":
            return self.answer(404, b"not here")
        if known == etag:
            return self.answer(304, b"", etag)
        body = b"x" * BIG if self.path == "/big" else self.path.encode()
        return self.answer(200, body, etag)

    def answer(self, status: int, body: bytes, etag: str = "") -> None:
        self.send_response(status)
        self.send_header("worker", self.worker)
        if etag:
            self.send_header("ETag", etag)
        if status != 304:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def running() -> Iterator[Site]:
    with Site() as site:
        thread = threading.Thread(
            target=site.serve_forever, kwargs={"poll_interval": 0.01}
        )
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()


def plan(site: Site, *targets: str, **changes: object) -> Plan:
    return Plan(site.server_address[1], list(targets), "/worker", **changes)


def test_each_worker_is_asked_for_everything_once():
    targets = [f"/{number}" for number in range(50)]
    with running() as site:
        outcome = carry_out(plan(site, *targets))
    assert site.asked == {
        (worker, target): 1 for worker in ("first", "second") for target in targets
    }
    assert outcome.requests == 100
    assert outcome.etags == [f'"{target}"' for target in targets]
    assert 0 < outcome.median <= outcome.p99 <= outcome.seconds


def test_for_some_time_all_targets_have_their_turns_evenly():
    targets = [f"/{number}" for number in range(5)]
    with running() as site:
        outcome = carry_out(plan(site, *targets, seconds=0.3))
    by_target = Counter(target for _worker, target in site.asked.elements())
    assert set(by_target) == set(targets)
    # Eight connections, of which each is at most one round ahead of another target.
    assert max(by_target.values()) - min(by_target.values()) <= 8
    # The answers that had been asked for at the end were waited for.
    assert outcome.requests == by_target.total()
    assert outcome.seconds >= 0.3


def test_an_answer_may_come_in_many_parts():
    with running() as site:
        outcome = carry_out(plan(site, "/big", "/1", connections=2))
    assert outcome.size == (BIG + len("/1")) / 2


def test_what_is_known_is_told():
    with running() as site:
        known = carry_out(plan(site, "/1", "/2")).etags
        outcome = carry_out(plan(site, "/1", "/2", etags=known, status=304))
    assert outcome.requests == 4
    assert outcome.size == 0


def test_another_status_ends_it():
    with running() as site, pytest.raises(UnexpectedAnswer, match=r"/missing: .*404"):
        carry_out(plan(site, "/missing"))


def test_a_server_that_hangs_up_is_no_result():
    def hang_up(server: socket.socket) -> None:
        client, _address = server.accept()
        client.recv(1_000)
        client.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=hang_up, args=[server])
        thread.start()
        with pytest.raises(UnexpectedAnswer, match="closed"):
            carry_out(Plan(server.getsockname()[1], ["/"], "/worker", workers=1))
        thread.join()


def test_workers_that_do_not_show_are_no_result():
    with running() as site, pytest.raises(UnexpectedAnswer, match="4 each wanted"):
        carry_out(plan(site, "/1", workers=3, connections=12))
