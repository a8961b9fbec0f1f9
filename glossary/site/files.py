"""The files of a page: addresses below its own that end in a name."""

from __future__ import annotations

from typing import Final

import swapper
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from ..delivery.rates import TooMany, count
from ..models import GlossaryPage, TermPage
from .cards import CARD_FILE
from .formats import CONTENT_TYPES, body
from .responses import Body, respond


FILES: Final = {
    "index.md": "md",
    "_payload.json": "payload",
    "feed.atom": "atom",
    "llms.txt": "llms",
    "llms-full.txt": "llms-full",
    CARD_FILE: "card",
}
METHODS = ["GET", "HEAD", "OPTIONS"]


def page_file(request: HttpRequest, path: str, name: str) -> HttpResponseBase:
    """The file ``name`` of the page at ``path``: its Markdown, a term's payload, a
    glossary's feed or llms.txt, its card. It tells what anyone may see, or that there
    is nothing."""
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": ", ".join(METHODS)})
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    folder = request.path.removesuffix(name)
    try:
        response = respond(
            request,
            CONTENT_TYPES[FILES[name]],
            lambda: _body(request, path, FILES[name]),
            canonical=request.build_absolute_uri(folder) if name == "index.md" else "",
        )
    except TooMany as too_many:
        return HttpResponse(
            f"Come back in {too_many.seconds} seconds.\n",
            status=429,
            content_type=CONTENT_TYPES["llms"],
            headers={"Retry-After": str(too_many.seconds), "Cache-Control": "no-store"},
        )
    if response is None:
        raise Http404
    return response


def _body(request: HttpRequest, path: str, name: str) -> Body | None:
    # Found as Wagtail finds the page itself; then it has to be public as well.
    Page = swapper.load_model("wagtailcore", "Page")
    page, _args, kwargs = Page.route_for_request(request, path) or (None, (), {})
    # An address that a glossary has for something else is of no page.
    if not isinstance(page, GlossaryPage | TermPage) or "address" in kwargs:
        return None
    # Who has it already, and was told so, does not count.
    if name == "llms-full" and (seconds := count(name, request)):
        raise TooMany(seconds)
    return body(page, name, request)
