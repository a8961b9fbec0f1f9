"""How answers leave: conditions first, then the cache, then the work itself.

An answer is kept under the version of all that is delivered, so what is kept is never
stale, whatever cache keeps it and however many processes do. The version is read before
the content: what is read later can only be newer than the name that it is kept under,
and nobody asks for that name again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date, urlencode
from pydantic_core import PydanticSerializationError, to_json

from .. import conf
from ..delivery.conditions import PRIVATE, last_modified, names, public, site_digest
from ..delivery.rates import count
from ..delivery.tags import tag_headers
from ..delivery.versions import NOTHING_YET, State, current
from .authentication import token_of
from .problems import PRECONDITION_FAILED, TOO_MANY_REQUESTS, Problem


View = Callable[..., HttpResponse]

JSON: Final = "application/json"
KEEP_SECONDS: Final = 24 * 60 * 60
# What memcached takes, and more than a hundred long terms need.
LARGEST_KEPT: Final = 1_000_000


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Policy:
    """How an endpoint's answers are kept.

    ``is_versioned`` tells whether the version says all of what they depend on; else
    they have no ETag and are not kept. ``rate`` names a rate of
    ``GLOSSARY_API_RATES``. ``max_age`` is for how many seconds any cache may keep an
    answer, if not as long as all others. ``parameters`` are those that an answer
    depends on, where others are passed over.
    """

    is_versioned: Callable[[], bool] = _always
    rate: str | None = None
    max_age: int | None = None
    parameters: frozenset[str] | None = None


class Answer(HttpResponse):
    """A document, and what caches may do with it.

    ``tags`` are those of ``delivery.tags``. One that ``lasts`` is the same for anyone
    who asks, until the version changes. ``document`` is all that JSON can hold, or
    bytes that go out as they are.
    """

    def __init__(
        self,
        document: Any,
        *,
        tags: Iterable[str] = (),
        lasts: bool = True,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        body = document if isinstance(document, bytes) else _json(document)
        super().__init__(body, content_type=content_type, headers=headers)
        self.tags = tuple(tags)
        self.lasts = lasts


class Rendered(NamedTuple):
    """An answer as it is kept."""

    body: bytes
    content_type: str
    tag_headers: dict[str, str]

    def response(self) -> HttpResponse:
        return HttpResponse(
            self.body, content_type=self.content_type, headers=self.tag_headers
        )


def deliver(policy: Policy) -> Callable[[View], View]:
    """A decorator for what runs an operation of Django Ninja (``decorate_view``)."""

    def decorate(run: View) -> View:
        @wraps(run)
        def answer(request: HttpRequest, **path: Any) -> HttpResponse:
            try:
                response = _answer(policy, run, request, path)
            except Problem as problem:
                response = problem.response()
            # A token that is not valid makes another answer of it.
            patch_vary_headers(response, ["Authorization"])
            response["Content-Length"] = str(len(response.content))
            if request.method == "HEAD":
                response.content = b""
            return response

        return answer

    return decorate


def _answer(
    policy: Policy, run: View, request: HttpRequest, path: Mapping[str, Any]
) -> HttpResponse:
    token = token_of(request)
    is_read = request.method in ("GET", "HEAD")
    if is_read and policy.is_versioned() and (state := current()) != NOTHING_YET:
        response = _versioned(policy, run, request, path, state)
    else:
        response = _run(policy, run, request, path)
        age = f"public, max-age={conf.api_max_age()}" if is_read else PRIVATE
        response.headers.setdefault("Cache-Control", age)
    if token is not None or settings.SESSION_COOKIE_NAME in request.COOKIES:
        response["Cache-Control"] = PRIVATE
    return response


def _versioned(
    policy: Policy,
    run: View,
    request: HttpRequest,
    path: Mapping[str, Any],
    state: State,
) -> HttpResponse:
    request.glossary_state = state  # type: ignore[attr-defined]
    name = _name(policy, request, state)
    etag = f'"{name}"'
    if _has_it(request, etag):
        response = HttpResponse(status=304)
        del response["Content-Type"]
        return _with_headers(response, policy, state, etag)

    alias = conf.api_cache()
    cache = caches[alias] if alias else None
    key = f"glossary:{name}"
    rendered: Rendered | None = cache.get(key) if cache else None
    if rendered is None:
        response = _run(policy, run, request, path)
        if not isinstance(response, Answer) or not response.lasts:
            return response
        rendered = Rendered(
            response.content, response["Content-Type"], tag_headers(response.tags)
        )
        if cache and len(rendered.body) <= LARGEST_KEPT:
            cache.set(key, rendered, KEEP_SECONDS)
    response = _with_headers(rendered.response(), policy, state, etag)
    return _conditional(request, response, state, etag)


def _run(
    policy: Policy, run: View, request: HttpRequest, path: Mapping[str, Any]
) -> HttpResponse:
    if policy.rate and (seconds := count(policy.rate, request)):
        raise Problem(
            TOO_MANY_REQUESTS,
            f"Come back in {seconds} seconds.",
            headers={"Retry-After": str(seconds)},
        )
    # What is kept for all must not depend on the language of the one who asks first.
    with translation.override(settings.LANGUAGE_CODE):
        return run(request, **path)


def _with_headers(
    response: HttpResponse, policy: Policy, state: State, etag: str
) -> HttpResponse:
    response["ETag"] = etag
    modified = last_modified(state)
    if modified is not None:
        response["Last-Modified"] = http_date(modified)
    if policy.max_age is not None:
        response["Cache-Control"] = f"public, max-age={policy.max_age}"
    else:
        response["Cache-Control"] = public()
    return response


def _has_it(request: HttpRequest, etag: str) -> bool:
    """Whether the client names this very answer, so that it need not be looked for.

    The other conditions ask first whether there is an answer: see `_conditional`.
    """
    others = ("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE")
    return names(request, etag) and not any(name in request.META for name in others)


def _conditional(
    request: HttpRequest, response: HttpResponse, state: State, etag: str
) -> HttpResponse:
    decided = get_conditional_response(request, etag, last_modified(state), response)
    if decided.status_code == 412:
        raise Problem(PRECONDITION_FAILED, "The answer has another version.")
    return decided


def _name(policy: Policy, request: HttpRequest, state: State) -> str:
    """The name of an answer: as long as it is the same, so is the answer."""
    query = request.META.get("QUERY_STRING", "")
    if policy.parameters is not None:
        asked = request.GET.lists()
        query = urlencode(
            [(name, each) for name, each in asked if name in policy.parameters], True
        )
    digest = site_digest()
    digest.update(
        "\0".join(
            (
                str(state.number),
                state.token,
                request.scheme or "",
                request.get_host(),
                request.get_port(),
                request.path,
                query,
            )
        ).encode("utf-8", "backslashreplace")
    )
    return digest.hexdigest()


def _json(document: Any) -> bytes:
    try:
        return to_json(document)
    except PydanticSerializationError:
        return to_json(_without_surrogates(document))


def _without_surrogates(value: Any) -> Any:
    """The same with halves of characters replaced, which SQLite can hold in a stream
    and UTF-8 cannot."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {name: _without_surrogates(item) for name, item in value.items()}
        case list() | tuple():
            return list(map(_without_surrogates, value))
    return value
