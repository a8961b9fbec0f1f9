"""All endpoints, on any API of Django Ninja."""

from __future__ import annotations

from typing import Final

from django.apps import apps
from ninja import Router

from .. import conf


# Each adds its endpoints as it is read, in this order.
from . import terms, discovery, parts, copies  # noqa: F401  isort: skip
from .endpoints import ENDPOINTS, build_router


V3_PREFIX: Final = "glossary/"


def glossary_router() -> Router:
    """A router for an API of our own."""
    return build_router(ENDPOINTS)


def register_on_v3() -> None:
    """Put the endpoints on the API v3 of Wagtail that all apps share, if it is used."""
    if not (conf.api_v3() and apps.is_installed("wagtail.api.v3")):
        return
    from wagtail.api.v3.api import api

    router = build_router(ENDPOINTS, prefix=V3_PREFIX, name_prefix="glossary-")
    api.add_router(f"/{V3_PREFIX}", router)
