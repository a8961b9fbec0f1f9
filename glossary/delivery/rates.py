"""How often one client may ask for what is dear to answer."""

from __future__ import annotations

from hashlib import blake2b
from math import ceil

from django.core.cache import caches
from django.http import HttpRequest
from ninja.conf import settings as ninja_settings
from ninja.throttling import SimpleRateThrottle

from .. import conf


class _Throttle(SimpleRateThrottle):
    """Counts the requests of one client for one kind of answer.

    It keeps what it counts on itself, so each request has to make its own.
    """

    def __init__(self, name: str, rate: str) -> None:
        super().__init__(rate)
        self.name = name
        self.cache = caches[conf.api_cache() or "default"]

    def get_ident(self, request: HttpRequest) -> str | None:
        # Without a number of proxies Ninja believes whatever X-Forwarded-For says, and
        # each request could be another client's.
        if ninja_settings.NUM_PROXIES is None:
            return request.META.get("REMOTE_ADDR")
        ident: str | None = super().get_ident(request)
        return ident

    def get_cache_key(self, request: HttpRequest) -> str:
        client = blake2b((self.get_ident(request) or "").encode(), digest_size=12)
        return f"glossary:rate:{self.name}:{client.hexdigest()}"


class TooMany(Exception):
    """A client has asked too often, and may come back after so many seconds."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds


def count(name: str, request: HttpRequest) -> int | None:
    """Count a request against the rate of this name in ``GLOSSARY_API_RATES``. Beyond
    it, returns after how many seconds to come back."""
    rate = conf.api_rates().get(name)
    if rate is None:
        return None
    throttle = _Throttle(name, rate)
    if throttle.allow_request(request):
        return None
    return max(1, ceil(throttle.wait() or throttle.duration or 0))
