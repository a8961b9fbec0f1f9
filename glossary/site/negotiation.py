"""The page of a term or a glossary in the format that its reader asks for.

HTML is what readers get unless they name another format: browsers accept anything, and
an answer that nobody wants is worse than one in HTML. The other formats are what anyone
may see. A page that is restricted has none of them, whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..models import GlossaryPage, TermPage
from .formats import CONTENT_TYPES, body
from .links import has_files
from .responses import respond, varies


Serve = Callable[[Any, HttpRequest, Any, Any], HttpResponseBase]

HTML = "html"
# As ?format= names them; which is preferred of two that are accepted alike.
NEGOTIATED = {
    "md": "text/markdown",
    "jsonld": "application/ld+json",
    "json": "application/json",
    "atom": "application/atom+xml",
}
# What tells how much HTML is liked: the first of these that a reader names.
HTML_RANGES = ("text/html", "text/*", "*/*")
# No more of an Accept header than this is read.
LONGEST_ACCEPT = 1000


def negotiate(serve: Serve) -> Serve:
    """What Wagtail is to do to serve a page (a hook for ``on_serve_page``)."""

    def negotiated(
        page: Any, request: HttpRequest, args: Any, kwargs: Any
    ) -> HttpResponseBase:
        # A site's own type of page may have addresses of its own below the page's.
        is_other = not isinstance(page, GlossaryPage | TermPage) or args or kwargs
        # A search has no other format than that of its own.
        if is_other or {"q", "suggest"} & request.GET.keys():
            return serve(page, request, args, kwargs)
        response = None
        url = request.build_absolute_uri(request.path)
        name = wanted_format(request)
        if name != HTML and request.method in ("GET", "HEAD"):
            response = respond(
                request,
                CONTENT_TYPES[name],
                lambda: body(page, name, request),
                canonical=url,
            )
        if response is None:
            response = serve(page, request, args, kwargs)
            if response.status_code == 200:
                _announce(response, page, url)
        varies(response)
        return response

    return negotiated


def wanted_format(request: HttpRequest) -> str:
    """The format that a request asks for: the one that ``?format=`` names, or that its
    Accept header names and does not like less than HTML."""
    named = request.GET.get("format")
    if named is not None:
        return named if named in NEGOTIATED else HTML
    if len(request.headers.get("Accept", "")) > LONGEST_ACCEPT:
        return HTML
    html = next(filter(None, map(_liking(request), HTML_RANGES)), [0.0])
    likings = {name: _liking(request)(named) for name, named in NEGOTIATED.items()}
    liked = {name: max(found) for name, found in likings.items() if any(found)}
    best = max(liked, key=liked.__getitem__, default=HTML)
    return best if best != HTML and liked[best] >= max(html) else HTML


def _liking(request: HttpRequest) -> Callable[[str], list[float]]:
    """How much a reader likes a media type, from 0 to 1, each time that the Accept
    header names just that. Parameters of the type make no difference."""

    def liking(media_type: str) -> list[float]:
        return [
            accepted.quality
            for accepted in request.accepted_types
            if f"{accepted.main_type}/{accepted.sub_type}" == media_type
        ]

    return liking


def _announce(
    response: HttpResponseBase, page: GlossaryPage | TermPage, url: str
) -> None:
    """Say where the Markdown of the page is, and what its glossary says of itself."""
    folder = url if url.endswith("/") else f"{url}/"
    above = folder[: folder.rindex("/", 0, -1) + 1]
    glossary = folder if isinstance(page, GlossaryPage) else above
    has_own_addresses = has_files()
    markdown = f"{folder}index.md" if has_own_addresses else f"{url}?format=md"
    links = [f'<{markdown}>; rel="alternate"; type="text/markdown"']
    if has_own_addresses:
        links.append(f'<{glossary}llms.txt>; rel="describedby"; type="text/plain"')
    if existing := response.headers.get("Link"):
        links.insert(0, existing)
    response.headers["Link"] = ", ".join(links)
