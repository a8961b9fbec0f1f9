"""How the other formats of a page are answered: conditionally, and for caches.

What they say is what anyone may see, so its version alone tells whether it is still the
same. A reader who has it is answered by one query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date
from django.utils.translation import get_language

from .. import conf
from ..delivery.conditions import PRIVATE, last_modified, names, public, site_digest
from ..delivery.tags import ANY_CHANGE, tag_headers
from ..delivery.versions import State, current


Body = bytes | str | Iterator[str]


def respond(
    request: HttpRequest,
    content_type: str,
    make: Callable[[], Body | None],
    *,
    canonical: str = "",
) -> HttpResponseBase | None:
    """The answer to a GET or HEAD request, or None if ``make`` says that there is none.

    A body that comes in pieces is streamed. ``canonical`` is the address of the page
    that has the same content.
    """
    # Read first: what is made next is at least as new.
    state = current()
    etag = _etag(state, request, content_type)
    modified = last_modified(state)
    headers = {
        "ETag": etag,
        "Cache-Control": _cache_control(request),
        "Content-Type": content_type,
        # They are made from many things: every change purges them.
        **tag_headers([ANY_CHANGE]),
    }
    if modified is not None:
        headers["Last-Modified"] = http_date(modified)
    if canonical:
        headers["Link"] = f'<{canonical}>; rel="canonical"'
    if names(request, etag):
        # Whoever knows it was given the content of this address in this version.
        headers.pop("Content-Type")
        return HttpResponseNotModified(headers=headers)
    body = make()
    if body is None:
        return None
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(headers=headers)
    elif isinstance(body, bytes | str):
        response = HttpResponse(body, headers=headers)
        response["Content-Length"] = str(len(response.content))
    else:
        response = StreamingHttpResponse(body, headers=headers)
    return get_conditional_response(request, etag, modified, response)


def _cache_control(request: HttpRequest) -> str:
    """Nothing that a reader with a session or a token gets is kept for others."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES or "Authorization" in (
        request.headers
    ):
        return PRIVATE
    return public()


def varies(response: HttpResponseBase) -> None:
    """Say that the answer depends on the formats that a reader accepts."""
    patch_vary_headers(response, ["Accept"])


def _etag(state: State, request: HttpRequest, content_type: str) -> str:
    # The token is secret: nobody else can make the ETag of an address.
    digest = site_digest()
    parts = (
        str(state.number),
        state.token,
        request.build_absolute_uri(),
        request.get_port(),
        content_type,
        # Without the language in its address, it can choose the page.
        get_language() or "",
        # Headings that are not written in the content.
        *(str(kind) for kind in conf.section_kinds()),
    )
    digest.update("\0".join(parts).encode("utf-8", "backslashreplace"))
    return f'"{digest.hexdigest()}"'
