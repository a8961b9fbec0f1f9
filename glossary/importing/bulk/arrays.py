"""Columns of many rows as PostgreSQL's array literals.

psycopg writes an array item by item, which would take longer than all else that the
indexes do in Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def text_array(texts: Sequence[str]) -> str:
    """Return the literal of a ``text[]``, or of what its texts can be cast to."""
    joined = "".join(texts)
    if '"' in joined or "\\" in joined:
        texts = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return '{"' + '","'.join(texts) + '"}' if texts else "{}"


def integer_array(integers: Iterable[int]) -> str:
    """Return the literal of an ``integer[]``."""
    return "{" + ",".join(map(str, integers)) + "}"
