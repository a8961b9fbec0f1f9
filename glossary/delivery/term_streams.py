"""The streams of a term, from what the database holds to what is delivered.

They are read as plain JSON: Wagtail's own values cost more than all the rest of a
document. What is damaged, or of a type that only a site's own subclass knows, is left
out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from pydantic_core import from_json

from ..conf import EXPLANATION
from ..visibility import TermReference
from .documents import (
    TermComparisonBlock,
    TermFeatureBlock,
    TermQuestionBlock,
    TermSectionBlock,
)


# What a stream is made of: the value and the id of each child.
Child: TypeAlias = tuple[dict[str, Any], str]
WriteProse: TypeAlias = Callable[[str], str]
Refer: TypeAlias = Callable[[int], TermReference | None]

# The one type of block of each stream.
BLOCKS = {
    "explanation": "section",
    "comparisons": "comparison",
    "faq": "question",
    "related_features": "feature",
}
# Where a stream holds rich text.
PROSE = {"explanation": "body", "comparisons": "comparison", "faq": "answer"}

_LARGEST_ID = 2**63 - 1


class TermStreams:
    """The streams of one term. ``texts`` are the four columns, in the order of
    ``BLOCKS``, as JSON."""

    __slots__ = ("_children",)

    def __init__(self, *texts: str | None) -> None:
        self._children = {
            name: _children(text, block)
            for (name, block), text in zip(BLOCKS.items(), texts, strict=True)
        }

    def rich_texts(self) -> Iterator[str]:
        """Every rich text, as database HTML."""
        for name, field in PROSE.items():
            for value, _id in self._children[name]:
                yield _text(value, field)

    def related_terms(self) -> Iterator[int]:
        """The ids of the related terms that it is compared with."""
        for value, _id in self._children["comparisons"]:
            if pk := _related_term(value):
                yield pk

    def explanation(self, prose: WriteProse) -> list[TermSectionBlock]:
        return [
            {
                "type": "section",
                "value": {
                    "kind": _text(value, "kind") or EXPLANATION,
                    "heading": _text(value, "heading"),
                    "body": prose(_text(value, "body")),
                },
                "id": pk,
            }
            for value, pk in self._children["explanation"]
        ]

    def comparisons(self, prose: WriteProse, refer: Refer) -> list[TermComparisonBlock]:
        """One with a related term that is hidden stays, since a search finds its text:
        with the name that was written for it, if there is one."""
        return [
            {
                "type": "comparison",
                "value": {
                    "related_term": refer(related_term) if related_term else None,
                    "name": _text(value, "name"),
                    "comparison": prose(_text(value, "comparison")),
                },
                "id": pk,
            }
            for value, pk in self._children["comparisons"]
            for related_term in [_related_term(value)]
        ]

    def faq(self, prose: WriteProse) -> list[TermQuestionBlock]:
        return [
            {
                "type": "question",
                "value": {
                    "question": _text(value, "question"),
                    "answer": prose(_text(value, "answer")),
                },
                "id": pk,
            }
            for value, pk in self._children["faq"]
        ]

    def related_features(self) -> list[TermFeatureBlock]:
        return [
            {
                "type": "feature",
                "value": {
                    "path": _text(value, "path"),
                    "label": _text(value, "label"),
                },
                "id": pk,
            }
            for value, pk in self._children["related_features"]
        ]


def _children(text: str | None, block: str) -> list[Child]:
    if not text:
        return []
    raw = _from_json(text)
    if isinstance(raw, str):  # JSON in JSON, as Wagtail also reads it
        raw = _from_json(raw)
    children: list[Child] = []
    for child in raw if isinstance(raw, list) else []:
        if isinstance(child, dict) and child.get("type") == block:
            value = child.get("value")
            if isinstance(value, dict):
                children.append((value, _text(child, "id")))
    return children


def _from_json(text: str) -> Any:
    try:
        return from_json(text, cache_strings="keys")
    except ValueError:
        # Half a pair of surrogates, which SQLite keeps, can be written in no encoding.
        try:
            whole = json.dumps(json.loads(text), ensure_ascii=False)
        except (ValueError, RecursionError):
            return None
        return json.loads(whole.encode("utf-8", "replace"))


def _text(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


def _related_term(value: dict[str, Any]) -> int | None:
    pk = value.get("related_term")
    is_id = isinstance(pk, int) and not isinstance(pk, bool) and 0 < pk <= _LARGEST_ID
    return pk if is_id else None
