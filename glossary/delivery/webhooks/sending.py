"""One request to a receiver: to a checked address, within a time, and never further."""

from __future__ import annotations

import io
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from .addresses import Address, AddressRefused, find_server, read_address


TIMEOUT = 10.0
"""In seconds, for all of it: finding the server, connecting, sending and the answer."""
ANSWER_SIZE = 1024
"""How much is read of what a receiver says, in bytes."""
LARGEST_RESPONSE = 64 * 1024
"""How much is read at all, headers included, in bytes."""
OVERLOADED = {429, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt. ``status`` is that of the response, None if there was
    none, for which ``error`` gives the reason; ``text`` is the beginning of its body,
    ``retry_after`` in how many seconds it wants to be asked again."""

    status: int | None
    error: str = ""
    text: str = ""
    retry_after: float | None = None

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == 410

    @property
    def is_down(self) -> bool:
        """Whether no other message would have been taken either."""
        return self.status is None or self.status in OVERLOADED


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send a message. A redirect is not followed; whatever fails is in the answer."""
    until = time.monotonic() + TIMEOUT
    connection: socket.socket | None = None
    try:
        address = read_address(url)
        servers = find_server(address, seconds=TIMEOUT)
        connection = _connect(address, servers, until)
        return _ask(address, _Timed(connection, until), body, headers)
    except AddressRefused as refused:
        return Answer(None, str(refused))
    except TimeoutError:
        return Answer(
            None, _("No answer within %(count)d seconds.") % {"count": TIMEOUT}
        )
    except (OSError, HTTPException, ValueError) as error:
        return Answer(None, f"{error}" or type(error).__name__)
    finally:
        if connection is not None:
            connection.close()


def _connect(address: Address, servers: list[str], until: float) -> socket.socket:
    """Connect to the first server that answers, and to none but these."""
    for tried, server in enumerate(servers):
        share = _left(until) / (len(servers) - tried)
        try:
            plain = socket.create_connection((server, address.port), timeout=share)
        except OSError:
            if tried + 1 == len(servers):
                raise
            continue
        if address.scheme == "http":
            return plain
        try:
            plain.settimeout(_left(until))
            return tls().wrap_socket(plain, server_hostname=address.host)
        except BaseException:
            plain.close()
            raise
    raise OSError  # there is at least one


@cache
def tls() -> ssl.SSLContext:
    """How servers have to prove who they are: to the authorities of the system, or
    those that SSL_CERT_FILE names. To load these takes longer than a request."""
    return ssl.create_default_context()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _ask(
    address: Address, timed: _Timed, body: bytes, headers: dict[str, str]
) -> Answer:
    connection = HTTPConnection(address.host, address.port)
    # Else the port would stand in the header Host of every address.
    connection.default_port = 443 if address.scheme == "https" else 80
    connection.sock = timed
    connection.request("POST", address.target, body, {**headers, "Connection": "close"})
    response = connection.getresponse()
    return Answer(
        status=response.status,
        text=_text(response),
        retry_after=_retry_after(response.headers.get("Retry-After", "")),
    )


def _text(response: HTTPResponse) -> str:
    """What the receiver says; it has decided with its status."""
    data = b""
    with suppress(OSError, HTTPException, ValueError):
        data = response.read(ANSWER_SIZE)
    return data.decode(errors="replace").replace("\0", "").strip()


def _retry_after(value: str) -> float | None:
    """The seconds of a number or a date; None if it is neither."""
    value = value.strip()
    if value.isascii() and value.isdecimal() and len(value) < 10:
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max((date - timezone.now()).total_seconds(), 0)


class _Timed:
    """What ``http.client`` needs of a socket, within a time. A socket's own timeout
    begins anew with each byte, so one that drips would hold us for ever."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until

    def sendall(self, data: Any) -> None:
        rest = memoryview(data)
        while rest:
            self._connection.settimeout(_left(self._until))
            rest = rest[self._connection.send(rest) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._connection, self._until))

    def close(self) -> None:
        """The response may be read after the request is over; whoever connected
        closes."""


class _TimedReader(io.RawIOBase):
    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until
        self._budget = LARGEST_RESPONSE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self._budget)
        if size == 0:
            raise OSError(_("The answer is too long."))
        self._connection.settimeout(_left(self._until))
        count = self._connection.recv_into(buffer, size)
        self._budget -= count
        return count
