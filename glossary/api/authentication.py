"""Who asks: the tokens of Wagtail's API, if one comes with the request.

A token opens nothing here: every answer is what anyone may see. It is checked all the
same, because a client that sends one has to learn that it no longer works.
"""

from __future__ import annotations

from django.http import HttpRequest
from wagtail.api.v3.auth import BearerTokenAuth
from wagtail.models import APIToken

from .problems import UNAUTHORIZED, Problem


def token_of(request: HttpRequest) -> APIToken | None:
    """The token that a request carries, None if it carries none.

    Raises a Problem (401) if it is not valid. Credentials of other kinds, such as
    those that a proxy in front asks for, are not ours to judge.
    """
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.casefold() != "bearer":
        return None
    found = BearerTokenAuth().authenticate(request, token.strip())
    if found is None:
        raise Problem(
            UNAUTHORIZED,
            "The token is unknown, was revoked, or its user may not sign in.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return found
