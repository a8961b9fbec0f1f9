"""Cards that are kept once they are drawn."""

from __future__ import annotations

from typing import Final

from django.core.cache import caches
from django.http import HttpRequest

from ... import conf
from ...delivery.rates import TooMany, count
from .drawing import Card, card_digest, draw_card


# What is kept is never stale: its name says all that it was drawn from.
KEEP_SECONDS: Final = 30 * 24 * 60 * 60


def card_png(card: Card, request: HttpRequest) -> bytes:
    """The card as a PNG. Raises TooMany if the client has others drawn too often; one
    that is kept does not count."""
    alias = conf.api_cache()
    cache = caches[alias] if alias else None
    key = f"glossary:card:{card_digest(card)}"
    png: bytes | None = cache.get(key) if cache else None
    if png is None:
        if seconds := count("card", request):
            raise TooMany(seconds)
        png = draw_card(card)
        if cache:
            cache.set(key, png, KEEP_SECONDS)
    return png
