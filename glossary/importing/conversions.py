"""Markdown made rich text ahead of its time.

While the database stores one chunk, the process would wait; a second thread uses the
time for the texts of the next chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

from ..richtext import markdown_to_rich_text
from .staging import Staged


# The fields of a record that are Markdown, and of its lists the fields of an entry.
_PROSE = ("explanation", "howItWorks", "inChatbots")
_PROSE_IN_LISTS = {
    "vsRelatedConcepts": "comparison",
    "faq": "answer",
    "sections": "text",
}


class Conversions:
    """A context manager, and a function from Markdown to rich text."""

    def __enter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="glossary-markdown")
        self._coming: Future[dict[str, str]] | None = None
        self._ready: dict[str, str] = {}
        return self

    def __exit__(self, *exception: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def turn_to(self, following: Sequence[Staged]) -> None:
        """Take what has been prepared, and begin with the chunk after that."""
        self._ready = self._coming.result() if self._coming else {}
        self._coming = self._thread.submit(_convert, following) if following else None

    def __call__(self, markdown: str) -> str:
        known = self._ready.get(markdown)
        return markdown_to_rich_text(markdown).value if known is None else known


def _convert(rows: Sequence[Staged]) -> dict[str, str]:
    return {
        text: markdown_to_rich_text(text).value
        for row in rows
        if row.record
        for text in _texts(row.data)
    }


def _texts(record: dict[str, Any]) -> Iterator[str]:
    """The texts of a record as they stand there, unchecked: what the schema would
    change of one is converted when it is needed."""
    for name in _PROSE:
        if isinstance(text := record.get(name), str):
            yield text
    for name, inner in _PROSE_IN_LISTS.items():
        entries = record.get(name)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(text := entry.get(inner), str):
                yield text
