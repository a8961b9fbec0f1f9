"""The pages themselves, answered conditionally and kept.

What a page of a glossary says is what anyone may see, so its version tells whether it
is still the same. The frame around it is the site's: it may show what no version knows,
so a page is taken for the same for a few minutes only (``GLOSSARY_PAGE_SECONDS``).
Visitors who have a session get each page made for them.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import BaseCache, caches
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

from .. import conf
from ..addresses import MAP, MISSING, Address
from ..delivery.conditions import names, site_digest
from ..delivery.versions import NOTHING_YET, State, current
from ..models import GlossaryPage, TermPage
from .negotiation import HTML, wanted_format


logger = logging.getLogger("glossary.pages")

Serve: TypeAlias = Callable[[Any, HttpRequest, Any, Any], HttpResponseBase]

# Kept by whoever asked for it, and asked for again each time.
CACHE_CONTROL = "public, max-age=0, must-revalidate"
# On a request, once a page is about to be shown.
SHOWN = "_glossary_page_is_shown"
# Fast, and a page is a quarter as large.
COMPRESSION = 1


def conditional(serve: Serve) -> Serve:
    """What Wagtail is to do to serve a page (a hook for ``on_serve_page``), before it
    asks who may see the page: what is kept was shown to someone of whom nothing is
    known, in the same version, and so is for anyone."""

    def served(
        page: Any, request: HttpRequest, args: Any, kwargs: Mapping[str, Any]
    ) -> HttpResponseBase:
        if not _is_for_anyone(page, request, args, kwargs):
            return serve(page, request, args, kwargs)
        # Read first: what is made next is at least as new.
        state = current()
        if state == NOTHING_YET:
            return serve(page, request, args, kwargs)
        # A page itself has other formats, too.
        varying = ["Cookie"] if kwargs else ["Accept", "Cookie"]
        name = _name(state, request)
        etag = f'"{name}"'
        if names(request, etag):
            return _with_headers(HttpResponseNotModified(), etag, varying)
        # Endless addresses would fill a cache; those of maps are all known ones.
        address = kwargs.get("address")
        is_map = isinstance(address, Address) and address.kind == MAP
        is_known = request.GET.keys() <= ({"category"} if is_map else set())
        store = _store() if is_known else None
        key = f"glossary:page:{name}"
        if store and (kept := _read(store, key)):
            return _with_headers(kept, etag, varying)
        response = serve(page, request, args, kwargs)

        def finish(response: HttpResponse) -> None:
            if not _may_be_kept(request, response):
                return
            if store:
                _write(store, key, dict(response.headers), response.content)
            _with_headers(response, etag, varying)

        if isinstance(response, TemplateResponse) and SHOWN in request.__dict__:
            response.add_post_render_callback(finish)
        return response

    return served


def note_shown(serve: Serve) -> Serve:
    """Another such hook, behind Wagtail's question who may see the page: notes that
    this visitor may."""

    def served(
        page: Any, request: HttpRequest, args: Any, kwargs: Mapping[str, Any]
    ) -> HttpResponseBase:
        request.__dict__[SHOWN] = True
        return serve(page, request, args, kwargs)

    return served


def _is_for_anyone(
    page: Any, request: HttpRequest, args: Any, kwargs: Mapping[str, Any]
) -> bool:
    """Whether this is a page of ours, and asked for by nobody in particular."""
    address = kwargs.get("address")
    is_ours = isinstance(page, GlossaryPage | TermPage) and (
        isinstance(address, Address) or not (args or kwargs)
    )
    return (
        is_ours
        and request.method in ("GET", "HEAD")
        and conf.page_seconds() > 0
        # While templates are written, each visit shows them as they are.
        and not settings.DEBUG
        and "suggest" not in request.GET
        and wanted_format(request) == HTML
        and not (address and address.kind == MISSING)
        and settings.SESSION_COOKIE_NAME not in request.COOKIES
        # What it says is shown once, to one visitor.
        and CookieStorage.cookie_name not in request.COOKIES
        and "Authorization" not in request.headers
        and not getattr(getattr(request, "user", None), "is_authenticated", False)
    )


def _may_be_kept(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether what was made is the same for everyone: it sets no cookie, asks for none
    against forgery, and has no number that is good for one answer."""
    return (
        response.status_code == 200
        and not response.cookies
        and not getattr(getattr(request, "session", None), "modified", False)
        and not request.META.get("CSRF_COOKIE_NEEDS_UPDATE")
        and not getattr(request, "_csp_nonce", None)
        and not response.has_header("Cache-Control")
        and not response.has_header("ETag")
        # What else it depends on, nobody knows here.
        and {*map(str.lower, _varying(response))} <= {"accept"}
        # What decorators leave for middleware is no part of what is kept.
        and not any(name.endswith("_exempt") for name in vars(response))
        and not any(name.startswith("_csp") for name in vars(response))
    )


def _varying(response: HttpResponse) -> list[str]:
    return [*filter(None, map(str.strip, response.get("Vary", "").split(",")))]


def _store() -> BaseCache | None:
    alias = conf.page_cache()
    return None if alias is None else caches[alias]


def _read(store: BaseCache, key: str) -> HttpResponse | None:
    """A page as it was kept. One that is damaged, or that the cache does not give, is
    made anew."""
    try:
        if kept := store.get(key):
            headers, body = kept
            return HttpResponse(zlib.decompress(body), headers=headers)
    except Exception:
        logger.exception("A page that was kept could not be read")
    return None


def _write(store: BaseCache, key: str, headers: dict[str, str], body: bytes) -> None:
    """Keep a page, if the cache takes it: what is shown does not depend on that."""
    try:
        kept = headers, zlib.compress(body, COMPRESSION)
        store.set(key, kept, conf.page_seconds())
    except Exception:
        logger.exception("A page could not be kept")


def _with_headers(
    response: HttpResponse, etag: str, varying: list[str]
) -> HttpResponse:
    response["ETag"] = etag
    response["Cache-Control"] = CACHE_CONTROL
    patch_vary_headers(response, varying)
    return response


def _name(state: State, request: HttpRequest) -> str:
    """The name of a page: as long as it is the same, so is the page."""
    # The token is secret: nobody else can make that of an address.
    digest = site_digest()
    parts = (
        *("page", str(state.number), state.token),
        *(request.build_absolute_uri(), request.get_port()),
        # It is in the frame, and without it in the address it can choose the page.
        get_language() or "",
        *(str(kind) for kind in conf.section_kinds()),
        # What the page loads has its own names, which are new after each deployment.
        getattr(staticfiles_storage, "manifest_hash", "") or "",
        str(int(time.time() // conf.page_seconds())),
    )
    digest.update("\0".join(parts).encode("utf-8", "backslashreplace"))
    return str(digest.hexdigest())
