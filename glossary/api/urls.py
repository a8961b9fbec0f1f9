"""Our API on its own. The address is the site's to choose::

from glossary.api.urls import api

path("api/glossary/v1/", api.urls)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from hashlib import blake2b
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.cache import get_conditional_response
from pydantic_core import to_json

from .. import conf
from .delivering import JSON
from .docs_page import context_of
from .openapi import DESCRIPTION, GlossaryAPI
from .problems import Problem, not_found
from .router import glossary_router


View = Callable[[HttpRequest], HttpResponse]

VERSION: Final = "1.0.0"
"""Of the contract: see the policy on versions in ``docs/reference/api.md``."""

api = GlossaryAPI(
    title="Glossary",
    version=VERSION,
    description=DESCRIPTION,
    urls_namespace="glossary_api",
    # Ours are below: with an ETag, and a page that needs no script from elsewhere.
    openapi_url=None,
    docs_url=None,
)


@api.exception_handler(Problem)
def answer_problem(request: HttpRequest, problem: Any) -> HttpResponse:
    return problem.response()


READ: Final = ["GET", "HEAD", "OPTIONS"]


def readable(view: View) -> View:
    """Answers OPTIONS, as all endpoints do."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": ", ".join(READ)})
        return view(request)

    return answer


@api.api_operation(READ, "/", include_in_schema=False)
@readable
def root(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("docs/")


@api.api_operation(
    READ, "/openapi.json", include_in_schema=False, url_name="openapi-json"
)
@readable
def openapi_json(request: HttpRequest) -> HttpResponse:
    _check_shown()
    body, etag = _written(api.get_root_path({}))
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={conf.api_max_age()}"}
    response = HttpResponse(body, content_type=JSON, headers=headers)
    return get_conditional_response(request, etag, None, response)


@lru_cache(maxsize=8)
def _written(path_prefix: str) -> tuple[bytes, str]:
    body = to_json(api.get_openapi_schema(path_prefix=path_prefix))
    return body, f'"{blake2b(body, digest_size=16).hexdigest()}"'


@api.api_operation(READ, "/docs/", include_in_schema=False, url_name="docs")
@readable
def docs(request: HttpRequest) -> HttpResponse:
    """The same to read, without a script."""
    _check_shown()
    context = context_of(api.get_openapi_schema())
    return TemplateResponse(request, "glossary/api/docs.html", context).render()


def _check_shown() -> None:
    """The setting that hides the description of Wagtail's API v3 hides this one too."""
    if not getattr(settings, "WAGTAILAPI_DOCS_ENABLED", True):
        raise not_found("page")


api.add_router("/", glossary_router())
