"""When a message that was not taken is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import SystemRandom


DELAYS = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""In seconds, before each attempt: those that Standard Webhooks recommends. Together a
little more than three days."""
JITTER = 0.1
"""By how much of itself a delay may grow, so that what failed together does not come
back together."""
LONGEST_REST = timedelta(minutes=15)
"""How long an endpoint that cannot be reached is left alone by all its messages."""
LONGEST_WISH = timedelta(days=1)
"""How far a receiver can put off the next attempt by Retry-After."""

_random = SystemRandom()


def next_attempt(
    attempts: int, now: datetime, retry_after: float | None = None
) -> datetime | None:
    """When to try again after so many attempts; None if it is time to give up.

    ``retry_after`` are seconds that the receiver has asked for.
    """
    if attempts >= len(DELAYS):
        return None
    delay = DELAYS[attempts] * (1 + _random.uniform(0, JITTER))
    if retry_after is not None:
        delay = max(delay, min(retry_after, LONGEST_WISH.total_seconds()))
    return now + timedelta(seconds=delay)


def rest_until(
    attempt: datetime | None, now: datetime, retry_after: float | None = None
) -> datetime:
    """Until when an endpoint that could not take a message is left alone: till that
    message's next ``attempt``, or what it asks for, but never for long: what has been
    waiting goes out soon after it is back."""
    wish = timedelta(seconds=min(retry_after or 0, LONGEST_WISH.total_seconds()))
    if attempt is None:
        return now + max(LONGEST_REST, wish)
    return now + max(min(attempt - now, LONGEST_REST), wish)
