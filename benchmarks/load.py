"""Load for a web server: requests over connections that stay open, from one process.

``python -m benchmarks.load`` reads a plan as JSON from standard input and prints what
came of it. As a load generator in C does, each connection sends its next request when
the answer to the last one is there. Unlike those, it gives each worker of the server
the same number of connections, which a server with several processes leaves to chance;
and it ends at the first answer whose status is not the expected one.

``python -m benchmarks.load speed`` measures the generator itself, against a server that
does nothing.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from itertools import repeat
from random import Random
from time import perf_counter
from typing import Any


RECEIVED_AT_ONCE = 1 << 18
CONNECT_ATTEMPTS = 400
PATIENCE = 60
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
WORKER = re.compile(rb"\r\nworker: *([^\r]+)", re.IGNORECASE)
ETAG = re.compile(rb"\r\netag: *([^\r]+)", re.IGNORECASE)
WITHOUT_BODY = (204, 304)


class UnexpectedAnswer(Exception):
    """The server answered otherwise than it should have: the text says how."""


@dataclass
class Plan:
    """What to ask of a server on this machine.

    ``targets`` are paths with queries; ``etags``, where there are any, are sent with
    them in ``If-None-Match``. Each connection asks for random ones until ``seconds``
    are over; without ``seconds``, each worker is asked for each of them once. The
    answer of the path ``worker`` has the name of its process in a header ``Worker``.
    """

    port: int
    targets: list[str]
    worker: str
    workers: int = 2
    connections: int = 8
    seconds: float | None = None
    etags: list[str] = field(default_factory=list)
    status: int = 200
    host: str = "localhost"
    accept: str = "application/json"
    seed: int = 1

    def requests(self) -> list[bytes]:
        conditions = [f"If-None-Match: {etag}\r\n" for etag in self.etags]
        return [
            self.request(target, condition)
            for target, condition in zip(
                self.targets, conditions or repeat(""), strict=False
            )
        ]

    def request(self, target: str, condition: str = "") -> bytes:
        return (
            f"GET {target} HTTP/1.1\r\nHost: {self.host}\r\n"
            f"Accept: {self.accept}\r\n{condition}\r\n"
        ).encode()


@dataclass
class Outcome:
    """What came of a plan. Latencies are in seconds, ``size`` is the mean of the bodies
    in bytes; ``etags`` are those of the targets, in their order, where each of them was
    asked for once."""

    requests: int
    seconds: float
    median: float
    p99: float
    size: float
    etags: list[str] = field(default_factory=list)


class Connection:
    """A connection to a worker, and the requests that are still to be sent over it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending: Iterator[tuple[int, bytes]] = iter(())
        self.number = -1
        self.sent_at = 0.0
        self.head = b""
        self._received = b""
        self._missing: int | None = None

    def send_next(self) -> bool:
        """Send the next request, or say that there is none."""
        following = next(self.pending, None)
        if following is None:
            return False
        self.number, request = following
        self.send(request)
        return True

    def send(self, request: bytes) -> None:
        self._received, self._missing = b"", None
        self.sent_at = perf_counter()
        self.socket.sendall(request)

    def receive(self, room: memoryview) -> bool:
        """Read what has come, and say whether the answer is complete: its head is kept
        then, and its body forgotten."""
        count = self.socket.recv_into(room)
        if not count:
            raise UnexpectedAnswer("the server closed a connection")
        if self._missing is None:
            self._received += room[:count]
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.head = self._received[:end]
            self._missing = length(self.head) - (len(self._received) - end - 4)
        else:
            self._missing -= count
        return self._missing == 0

    def worker(self, plan: Plan) -> str:
        """The name of the process that is at the other end."""
        self.send(plan.request(plan.worker))
        while not self.receive(memoryview(bytearray(RECEIVED_AT_ONCE))):
            pass
        if match := WORKER.search(self.head):
            return match[1].decode("latin-1")
        raise UnexpectedAnswer(f"{plan.worker}: {self.head.decode('latin-1')}")


def length(head: bytes) -> int:
    """The length of a body, told by the head of its answer."""
    if status(head) in WITHOUT_BODY:
        return 0
    if match := LENGTH.search(head):
        return int(match[1])
    raise UnexpectedAnswer(f"an answer without a length: {head!r}")


def status(head: bytes) -> int:
    return int(head[9:12])


def carry_out(plan: Plan) -> Outcome:
    requests = [*enumerate(plan.requests())]
    with ExitStack() as sockets:
        connections = connect(plan, sockets)
        for worker in connections.values():
            once = iter(requests)
            for place, connection in enumerate(worker):
                random = Random(f"{plan.seed} {place}")
                connection.pending = (
                    once if plan.seconds is None else shuffled(requests, random)
                )
        return drive(plan, [each for worker in connections.values() for each in worker])


def shuffled(
    requests: list[tuple[int, bytes]], random: Random
) -> Iterator[tuple[int, bytes]]:
    """Random requests without end, none twice before all have had their turn."""
    while True:
        yield from random.sample(requests, len(requests))


def connect(plan: Plan, sockets: ExitStack) -> dict[str, list[Connection]]:
    """Open connections, the same number to each worker, by the worker's name."""
    share = plan.connections // plan.workers
    found: dict[str, list[Connection]] = {}
    for _attempt in range(CONNECT_ATTEMPTS):
        connection = Connection(plan.port)
        sockets.callback(connection.socket.close)
        worker = found.setdefault(connection.worker(plan), [])
        if len(worker) < share:
            worker.append(connection)
        else:
            connection.socket.close()
        if len(found) == plan.workers and all(
            len(worker) == share for worker in found.values()
        ):
            return found
    numbers = [len(worker) for worker in found.values()]
    raise UnexpectedAnswer(f"connections by worker: {numbers}, {share} each wanted")


def drive(plan: Plan, connections: list[Connection]) -> Outcome:
    latencies: list[float] = []
    etags = [""] * (len(plan.targets) if plan.seconds is None else 0)
    size = 0
    # One for all: to make room for each answer would cost more than to read it.
    room = memoryview(bytearray(RECEIVED_AT_ONCE))
    with select.epoll() as poll:
        start = perf_counter()
        deadline = start + (plan.seconds or float("inf"))
        busy = {each.socket.fileno(): each for each in connections if each.send_next()}
        for number in busy:
            poll.register(number, select.EPOLLIN)
        while busy:
            for number, _event in poll.poll(PATIENCE) or timed_out():
                connection = busy[number]
                if not connection.receive(room):
                    continue
                now = perf_counter()
                latencies.append(now - connection.sent_at)
                head = connection.head
                if status(head) != plan.status:
                    target = plan.targets[connection.number]
                    raise UnexpectedAnswer(f"{target}: {head.decode('latin-1')}")
                size += length(head)
                if etags and (match := ETAG.search(head)):
                    etags[connection.number] = match[1].decode("latin-1")
                if now >= deadline or not connection.send_next():
                    poll.unregister(number)
                    del busy[number]
    return summed_up(latencies, perf_counter() - start, size, etags)


def timed_out() -> Any:
    raise UnexpectedAnswer(f"no answer within {PATIENCE} seconds")


def summed_up(
    latencies: list[float], seconds: float, size: int, etags: list[str]
) -> Outcome:
    latencies.sort()
    count = len(latencies)
    return Outcome(
        requests=count,
        seconds=seconds,
        median=latencies[count // 2],
        p99=latencies[count * 99 // 100],
        size=size / count,
        etags=etags if any(etags) else [],
    )


# The generator's own speed


def answer_always(server: socket.socket) -> None:
    """Answer whatever comes with the same few bytes, as fast as Python can."""
    answer = b"HTTP/1.1 200 OK\r\nWorker: 1\r\nContent-Length: 2\r\n\r\nok"
    poll = select.epoll()
    poll.register(server, select.EPOLLIN)
    clients = {}
    while True:
        for number, _event in poll.poll():
            if number == server.fileno():
                client, _address = server.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[client.fileno()] = client
                poll.register(client, select.EPOLLIN)
            elif clients[number].recv(65536):
                clients[number].send(answer)
            else:
                poll.unregister(number)
                clients.pop(number).close()


def measure_speed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        context = multiprocessing.get_context("fork")
        process = context.Process(target=answer_always, args=[server], daemon=True)
        process.start()
        port = server.getsockname()[1]
        plan = Plan(port, [f"/{number}" for number in range(10_000)], "/", 1, seconds=3)
        outcome = carry_out(plan)
        process.kill()
        process.join()
    print(f"{outcome.requests / outcome.seconds:.0f} requests a second")


def main(arguments: list[str]) -> int:
    if arguments == ["speed"]:
        measure_speed()
        return 0
    try:
        outcome = carry_out(Plan(**json.load(sys.stdin)))
    except (UnexpectedAnswer, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    json.dump(asdict(outcome), sys.stdout)
    return 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
