"""What the API answers when it cannot answer: problems, as RFC 9457 has them.

Each type of problem has a name that stays: ``urn:wagtail-glossary:problem:not-found``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from http import HTTPStatus
from typing import (
    Any,
    Final,
    NamedTuple,
    NotRequired,  # pydantic refuses typing's
)

from django.http import HttpResponse
from pydantic_core import to_json
from typing_extensions import TypedDict


MEDIA_TYPE: Final = "application/problem+json"
URN: Final = "urn:wagtail-glossary:problem:"

MOST_FAULTS = 20
"""So many faults are told of one request, and no more."""
LONGEST_ECHO = 60
"""So much of what a client sent comes back to it, in characters."""


class GlossaryFault(TypedDict):
    """What is wrong with a part of the request: ``loc`` is where it stands, such as
    ``["query", "limit"]``, ``suggestion`` what may have been meant."""

    loc: list[str | int]
    msg: str
    suggestion: NotRequired[str]


class GlossaryProblem(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    errors: NotRequired[list[GlossaryFault]]


class Kind(NamedTuple):
    """A type of problem: the end of its name, its status and its title."""

    name: str
    status: HTTPStatus
    title: str


UNKNOWN_PARAMETER = Kind(
    "unknown-parameter", HTTPStatus(422), "There is no such parameter"
)
INVALID_PARAMETER = Kind(
    "invalid-parameter", HTTPStatus(422), "A parameter has no valid value"
)
INVALID_BODY = Kind("invalid-body", HTTPStatus(422), "The body cannot be read")
UNAUTHORIZED = Kind("unauthorized", HTTPStatus(401), "The token is not valid")
NOT_FOUND = Kind("not-found", HTTPStatus(404), "There is nothing here")
METHOD_NOT_ALLOWED = Kind(
    "method-not-allowed", HTTPStatus(405), "The method is not allowed here"
)
PRECONDITION_FAILED = Kind(
    "precondition-failed", HTTPStatus(412), "A condition of the request does not hold"
)
TOO_LARGE = Kind("too-large", HTTPStatus(413), "The request is too large")
UNSUPPORTED_MEDIA_TYPE = Kind(
    "unsupported-media-type", HTTPStatus(415), "The body is not of a type that is read"
)
TOO_MANY_REQUESTS = Kind("too-many-requests", HTTPStatus(429), "Too many requests")

KINDS: Final = (
    UNKNOWN_PARAMETER,
    INVALID_PARAMETER,
    INVALID_BODY,
    UNAUTHORIZED,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    PRECONDITION_FAILED,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    TOO_MANY_REQUESTS,
)


class Problem(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        faults: Iterable[GlossaryFault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.faults = list(faults)[:MOST_FAULTS]
        self.headers = dict(headers or {})

    def response(self) -> HttpResponse:
        # No cache keeps it: what is missing now may be there in a moment.
        headers = {"Cache-Control": "no-store", **self.headers}
        return HttpResponse(
            to_json(self._document()),
            status=self.kind.status,
            content_type=MEDIA_TYPE,
            headers=headers,
        )

    def _document(self) -> GlossaryProblem:
        document: GlossaryProblem = {
            "type": URN + self.kind.name,
            "title": self.kind.title,
            "status": int(self.kind.status),
            "detail": self.detail,
        }
        if self.faults:
            document["errors"] = self.faults
        return document


def not_found(what: str) -> Problem:
    return Problem(NOT_FOUND, f"There is no such {what}.")


def invalid(
    name: str, msg: str, value: Any = None, choices: Iterable[str] = ()
) -> Problem:
    """A parameter with a bad value, and the nearest of the choices there are."""
    found = fault(("query", name), msg, value, choices)
    return Problem(INVALID_PARAMETER, f"{name}: {msg}", faults=[found])


def fault(
    loc: Iterable[str | int], msg: str, value: Any = None, choices: Iterable[str] = ()
) -> GlossaryFault:
    found: GlossaryFault = {
        "loc": [echo(part) if isinstance(part, str) else part for part in loc],
        "msg": msg,
    }
    if suggestion := nearest(value, choices):
        found["suggestion"] = suggestion
    return found


def nearest(value: Any, choices: Iterable[str]) -> str | None:
    """The choice that is written most like the value, if one is at all."""
    if not isinstance(value, str):
        return None
    by_key = {choice.casefold(): choice for choice in choices}
    close = get_close_matches(value[:LONGEST_ECHO].casefold(), by_key, n=1)
    return by_key[close[0]] if close else None


def echo(text: str) -> str:
    """What a client sent, short and printable."""
    short = text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}…"
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in short
    )
