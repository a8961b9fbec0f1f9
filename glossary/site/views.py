"""What visitors get at the addresses of a glossary that are not those of terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.translation import gettext as _
from pydantic_core import to_json

from ..addresses import CATEGORY, LETTER, MAP, MISSING, TAG, WHOLE, Address
from ..alphabet import OTHER
from ..delivery.entries import Part
from ..delivery.rates import count
from ..models import GlossaryPage
from .index import index_of
from .map import glossary_map
from .responses import respond
from .searching import asked_text, near, only_term, search, suggestions


Serve: TypeAlias = Callable[[Any, HttpRequest, Any, Any], HttpResponseBase]


def add_views(serve: Serve) -> Serve:
    """What Wagtail is to do to serve a page (a hook for ``on_serve_page``)."""

    def served(
        page: Any, request: HttpRequest, args: Any, kwargs: Mapping[str, Any]
    ) -> HttpResponseBase:
        if isinstance(page, GlossaryPage):
            address = kwargs.get("address")
            if isinstance(address, Address):
                return VIEWS[address.kind](page, request, address.value)
            if not (args or kwargs):
                if "suggest" in request.GET:
                    return suggest(page, request)
                if asked_text(request.GET):
                    return search_page(page, request)
        return serve(page, request, args, kwargs)

    return served


def letter_page(page: GlossaryPage, request: HttpRequest, value: str) -> HttpResponse:
    index = index_of(page, request)
    letter = index.letter(value)
    if letter is None:
        return missing_page(page, request, value)
    if index.is_whole:
        return HttpResponseRedirect(f"{index.url}#{letter.anchor}")
    if value != letter.part and letter.url:
        return HttpResponseRedirect(letter.url)
    part = index.under(letter, request.GET.get("from", ""))
    with in_language_of(page):
        headline = (
            _("Terms that begin with a digit or a sign")
            if letter.name == OTHER
            else _("Terms that begin with %(letter)s") % {"letter": letter.name}
        )
    return _list(page, request, "letter", headline, part, letter.url, letter=letter)


def category_page(page: GlossaryPage, request: HttpRequest, value: str) -> HttpResponse:
    index = index_of(page, request)
    category = index.category(value)
    if category is None:
        return missing_page(page, request, value)
    part = index.in_category(category, request.GET.get("from", ""))
    return _list(
        *(page, request, "category", category.name, part, category.url),
        category=category,
    )


def tag_page(page: GlossaryPage, request: HttpRequest, value: str) -> HttpResponse:
    index = index_of(page, request)
    tag = index.tag(value)
    if tag is None:
        return missing_page(page, request, value)
    part = index.tagged(tag, request.GET.get("from", ""))
    with in_language_of(page):
        headline = _("Terms with the tag “%(tag)s”") % {"tag": tag.name}
    return _list(page, request, "tag", headline, part, tag.url, tag=tag)


def map_page(page: GlossaryPage, request: HttpRequest, value: str) -> HttpResponse:
    index = index_of(page, request)
    if value != WHOLE or index.shown is None:
        return missing_page(page, request, value)
    asked = request.GET.get("category")
    if request.GET.keys() - {"category"} or (asked and not index.category(asked)):
        # One address for each map: each is dear to make.
        return HttpResponseRedirect(index.map_url)
    scope, glossary = index.shown
    found = glossary_map(scope, glossary, request)
    with in_language_of(page):
        headline = _("Map of the terms")
    response = _page(
        *(page, request, "map", headline),
        map=found,
        here=index.map_url,
        query=urlencode({"category": found.category.slug}) if found.category else "",
    )
    if found.is_busy:  # too many were drawn just now: the next visitor may have luck
        response["Cache-Control"] = "no-store"
    return response


def search_page(page: GlossaryPage, request: HttpRequest) -> HttpResponse:
    """What ``?q=`` finds. The name of a term leads to it at once, unless filters or
    ``?all=`` say that all hits are wanted."""
    index = index_of(page, request)
    with in_language_of(page):
        headline = _("Search")
    if seconds := count("search", request):
        response = _page(page, request, "search", headline, search=None, status=429)
        response["Retry-After"] = str(seconds)
        return response
    wants_all = {"all", "category", "letter", "page"} & request.GET.keys()
    if not wants_all and (url := only_term(index, asked_text(request.GET))):
        return HttpResponseRedirect(url)
    return _page(page, request, "search", headline, search=search(index, request))


def suggest(page: GlossaryPage, request: HttpRequest) -> HttpResponseBase:
    """The terms that one may be about to type the name of, for the script of the search
    field: ``{"suggestions": [{"name": …, "title": …, "url": …}]}``."""
    if seconds := count("autocomplete", request):
        headers = {"Retry-After": str(seconds), "Cache-Control": "no-store"}
        return HttpResponse(status=429, headers=headers)
    text = asked_text(request.GET, "suggest")

    def body() -> bytes:
        found = suggestions(index_of(page, request), text)
        return to_json({"suggestions": [item._asdict() for item in found]})

    response = respond(request, "application/json", body)
    return response or HttpResponse(status=404)


def missing_page(page: GlossaryPage, request: HttpRequest, value: str) -> HttpResponse:
    """Nothing is there; terms that may have been meant. Where a term has moved, Wagtail
    redirects instead of this."""
    text = asked_text({"q": value.replace("-", " ").replace("_", " ")})
    may_look = text and not count("autocomplete", request)
    found = near(index_of(page, request), text) if may_look else []
    with in_language_of(page):
        headline = _("There is no such term")
    return _page(
        page, request, "not_found", headline, near=found, text=text, status=404
    )


VIEWS: Final[Mapping[str, Callable[..., HttpResponse]]] = {
    LETTER: letter_page,
    CATEGORY: category_page,
    TAG: tag_page,
    MAP: map_page,
    MISSING: missing_page,
}


def _list(
    page: GlossaryPage,
    request: HttpRequest,
    name: str,
    headline: str,
    part: Part,
    here: str,
    **context: Any,
) -> HttpResponse:
    """A part of a list: it begins with its first entry, whatever was asked for."""
    if not part.entries and request.GET.get("from"):
        return HttpResponseRedirect(here)
    first = part.entries[0].name if part.entries and part.previous else ""
    query = urlencode({"from": first}, quote_via=quote) if first else ""
    return _page(
        *(page, request, name, headline), here=here, query=query, part=part, **context
    )


def in_language_of(page: GlossaryPage) -> Any:
    return translation.override(page.locale.language_code)


def _page(
    page: GlossaryPage,
    request: HttpRequest,
    name: str,
    headline: str,
    *,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """A part of a glossary, called ``headline``; ``here`` and ``query`` are where it
    is, if it has an address that lasts."""
    request.is_preview = False  # type: ignore[attr-defined]
    return TemplateResponse(
        request,
        f"glossary/{name}_page.html",
        {
            **page.get_context(request),
            "index": index_of(page, request),
            "is_part": True,
            "headline": headline,
            **context,
        },
        status=status,
    )
