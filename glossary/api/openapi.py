"""The OpenAPI document of our own API.

Ninja makes one that leaves out what every answer has in common: what a problem is made
of, the headers, who may ask. It is the same for everyone: each process makes it once.
"""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from .endpoints import TAG
from .problems import KINDS, MEDIA_TYPE, URN


DESCRIPTION: Final = """\
Glossaries and their terms, as anyone may read them.

Every answer has an `ETag`: send it back in `If-None-Match`, and as long as nothing has
changed the answer is 304. Parameters that do not exist and values that are out of
bounds are refused with 422. All problems are told as RFC 9457 has it.
"""

# Each problem of a status, with words for it.
DETAILS: Final = {
    401: "The token is unknown, was revoked, or its user may not sign in.",
    404: "There is no such term.",
    413: "The body may have 2621440 bytes.",
    415: "The body has to be application/json.",
    422: "lmit: there is no such parameter",
    429: "Come back in 7 seconds.",
}

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "ETag": {
        "description": "Changes when the answer may have.",
        "schema": {"type": "string"},
        "example": '"5f2b1d9c0a7e4b638d1f0c2e9a4b7d61"',
    },
    "Last-Modified": {
        "description": "When anything that is delivered changed last.",
        "schema": {"type": "string"},
        "example": "Fri, 20 Nov 2026 10:00:00 GMT",
    },
    "Cache-Control": {
        "description": "`private, no-store` if the request has a session or a token.",
        "schema": {"type": "string"},
        "example": "public, max-age=60, s-maxage=3600, stale-while-revalidate=86400",
    },
    "Location": {
        "description": "Where the term is now.",
        "schema": {"type": "string", "format": "uri"},
    },
    "Retry-After": {
        "description": "After how many seconds to come back.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 7,
    },
    "WWW-Authenticate": {
        "description": "How to sign in.",
        "schema": {"type": "string"},
        "example": 'Bearer error="invalid_token"',
    },
}

# As RFC 9110 calls them, which Python does from 3.13 on.
PHRASES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}
# Which headers the answers of a status have.
HEADERS_OF: Final = {
    "200": ("ETag", "Last-Modified", "Cache-Control"),
    "304": ("ETag", "Last-Modified", "Cache-Control"),
    "301": ("Location", "Cache-Control"),
    "302": ("Location", "Cache-Control"),
    "401": ("WWW-Authenticate",),
    "429": ("Retry-After",),
}


class GlossaryAPI(NinjaAPI):
    """Ninja's, with a document that says all."""

    def get_openapi_schema(
        self,
        *,
        path_prefix: str | None = None,
        path_params: dict[str, Any] | None = None,
    ) -> OpenAPISchema:
        if path_prefix is None:
            path_prefix = self.get_root_path(path_params or {})
        return _document(self, path_prefix)


@lru_cache(maxsize=8)
def _document(api: GlossaryAPI, path_prefix: str) -> OpenAPISchema:
    # Paths begin at the server, so that the document is the same wherever it stands.
    document = OpenAPISchema(api, "/")
    document["servers"] = [{"url": path_prefix.rstrip("/") or "/"}]
    document["tags"] = [{"name": TAG, "description": "Terms and what they stand in."}]
    components = document["components"]
    components["headers"] = HEADERS
    components["securitySchemes"] = {
        "BearerTokenAuth": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of Wagtail's API. It opens nothing more.",
        }
    }
    for operations in document["paths"].values():
        for method, operation in operations.items():
            operation["responses"] = _responses(method, operation["responses"])
    return document


def _responses(method: str, described: dict[Any, Any]) -> dict[str, Any]:
    responses = {str(status): response for status, response in described.items()}
    if method == "get":
        responses["304"] = {"description": "Not modified since."}
    for status, response in responses.items():
        names = HEADERS_OF.get(status, ()) if method == "get" or status != "200" else ()
        if names:
            response["headers"] = {
                name: {"$ref": f"#/components/headers/{name}"} for name in names
            }
        if status >= "400":
            _tell_problem(int(status), response)
    return dict(sorted(responses.items()))


def _tell_problem(status: int, response: dict[str, Any]) -> None:
    [media] = response.pop("content").values()
    kind = next(kind for kind in KINDS if kind.status == status)
    media["example"] = {
        "type": URN + kind.name,
        "title": kind.title,
        "status": status,
        "detail": DETAILS[status],
    }
    response["description"] = PHRASES.get(status) or HTTPStatus(status).phrase
    response["content"] = {MEDIA_TYPE: media}
