"""Addresses on the transport that a request came by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from ..delivery.documents import GlossaryPageLinks
from ..delivery.links import ApiLinks, api_address
from ..delivery.scope import Scope
from .parameters import MOST_OFFSET


@dataclass(frozen=True, slots=True)
class Addresses(ApiLinks):
    """The addresses of details and of parts of lists."""

    request: HttpRequest
    scope: Scope

    @classmethod
    def of(cls, request: HttpRequest, scope: Scope, prefix: str) -> Addresses:
        """Those of our router, which stands at ``prefix`` on its API, such as
        ``glossary/``."""
        match = request.resolver_match
        root = reverse(f"{match.namespace}:api-root" if match else "api-root")
        return cls(api_address(scope, root + prefix), request, scope)

    def here(self, **changes: Any) -> str:
        """The address of the request with other parameters; those that are None are
        left out."""
        query = self.request.GET.copy()
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query[name] = str(value)
        path = api_address(self.scope, self.request.path)
        return f"{path}?{query.urlencode()}" if query else path

    def parts(self, *, limit: int, offset: int, total: int) -> GlossaryPageLinks:
        """Of the list that is asked for: the parts after and before this one."""
        after, before = offset + limit, max(offset - limit, 0)
        has_next = after < total and after <= MOST_OFFSET
        return {
            "next": self.here(offset=after) if has_next else None,
            "prev": self.here(offset=before or None) if offset else None,
        }
