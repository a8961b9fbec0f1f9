"""Cache tags: what an answer of the API depends on, for caches that purge by tag.

A tag is a kind and an id, such as ``term:17``: the answer holds the document of that
object. ``list:1`` stands for all that lists, counts or finds things on the site of that
id. The change log has an entry for every object whose document has changed, so the tags
of its entries are all that has to be purged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..models import Change


EVERYTHING = "glossary"
"""On every answer: purge it to purge them all."""

ANY_CHANGE = "glossary:all"
"""On an answer that depends on more than fits a header: every change purges it."""

LIST = "list"
KINDS = frozenset({*Change.Kind.values, LIST})

# Cloudflare and Fastly read 16 KB; common proxies refuse 8 KB of headers in all.
LONGEST_HEADER = 6000
# More changes at once, such as an import's, purge everything.
MOST_CHANGES = 300

_SAFE = re.compile(r"[A-Za-z0-9_:-]+")


def tags_for(kind: str, ids: Iterable[int]) -> list[str]:
    """The tags of objects of a kind (``term``, ``glossary``, ``category``,
    ``related_term``), or of ``list`` with the ids of sites.

    Raises a ValueError for another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"no kind of cache tag: {kind!r}")
    return [f"{kind}:{int(pk)}" for pk in ids]


def tag_headers(tags: Iterable[str]) -> dict[str, str]:
    """The headers that tell the tags: ``Surrogate-Key``, which Fastly and Varnish
    read, and ``Cache-Tag`` for Cloudflare.

    Raises a ValueError for a tag that no header can hold.
    """
    unique = list(dict.fromkeys((EVERYTHING, *tags)))
    if not all(map(_SAFE.fullmatch, unique)):
        raise ValueError("a cache tag is made of letters, digits, underscores, : and -")
    surrogate_key = " ".join(unique)
    if len(surrogate_key) > LONGEST_HEADER:
        surrogate_key = f"{EVERYTHING} {ANY_CHANGE}"
    return {
        "Surrogate-Key": surrogate_key,
        "Cache-Tag": surrogate_key.replace(" ", ","),
    }


def tags_of_changes(changes: Iterable[Change]) -> set[str]:
    """What to purge after these changes; nothing if there are none."""
    changes = list(changes)
    if not changes:
        return set()
    if len(changes) > MOST_CHANGES:
        return {EVERYTHING}
    tags = {ANY_CHANGE}
    for change in changes:
        tags.update(tags_for(change.kind, [change.object_id]))
        tags.update(tags_for(LIST, [change.site_id]))
    return tags
