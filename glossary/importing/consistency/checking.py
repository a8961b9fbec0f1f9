"""Compare what a glossary stores twice, and repair what differs.

Revisions and the pages that point at them, the tree, related terms and their pages,
the reference index, the search index, and what imports remember: each can be made anew
from the other. Texts are never changed. Some terms at a time are looked at, so that
memory does not grow with the glossary; what is repaired of them is repaired together,
with their pages locked, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import swapper
from django.db import connection, transaction
from django.db.models import QuerySet

from ...models import GlossaryPage, ImportRecord, RelatedTerm, TermPage
from ..pages import lock_pages
from ..run import read_only
from .findings import Finding, Findings
from .indexes import check_references, check_search, load_by_type
from .names import check_links, check_names, check_related_terms
from .records import check_records, check_runs, check_ties
from .revisions import check_revisions
from .tree import Tree


@dataclass(slots=True)
class Consistency:
    """Checks one glossary; with ``fix`` it repairs what it finds."""

    glossary: GlossaryPage
    fix: bool = False
    on_finding: Callable[[Finding], None] = lambda finding: None
    """Called with each finding, once what was repaired with it is stored."""
    on_seen: Callable[[int], None] = lambda count: None
    """Called with how many more of ``total()`` have been looked at."""
    chunk_size: int = 250
    findings: Findings = field(init=False)

    def __post_init__(self) -> None:
        self.findings = Findings(self.fix)

    def total(self) -> int:
        """How many rows will be looked at."""
        return (
            self._nodes().count()
            + 2 * self._terms().count()
            + self._related_terms().count()
            + self._records().count()
        )

    def run(self) -> None:
        """Look at everything. Without ``fix`` the database is asked to let nothing be
        written."""
        with nullcontext() if self.fix else read_only():
            tree = Tree(self._nodes(), self.findings)
            for ids in self._node_chunks():
                with self._chunk(ids, lock=True):
                    tree.check(ids)
            self.glossary.refresh_from_db(fields=["path", "depth", "numchild"])
            # First what can change the references of other terms.
            for ids in self._chunks(self._terms()):
                with self._chunk(ids, lock=True):
                    check_names(self.glossary, ids, self.findings)
                    check_links(self.glossary, ids, self.findings)
            for ids in self._chunks(self._terms()):
                with self._chunk(ids, lock=True):
                    _check_terms(ids, self.findings)
            for ids in self._chunks(self._related_terms()):
                with self._chunk(ids):
                    check_related_terms(self.glossary, ids, self.findings)
            for ids in self._chunks(self._records()):
                with self._chunk(ids):
                    check_records(self._records(), ids, self.findings)
            with self._chunk([]):
                check_ties(self._records(), self.findings)
                check_runs(self.glossary, self.findings)

    # What there is, some at a time

    def _nodes(self) -> QuerySet[Any]:
        Page = swapper.load_model("wagtailcore", "Page")
        return Page.objects.filter(path__startswith=self.glossary.path)

    def _terms(self) -> QuerySet[TermPage]:
        return TermPage.objects.in_glossary(self.glossary)

    def _related_terms(self) -> QuerySet[RelatedTerm]:
        return RelatedTerm.objects.filter(glossary=self.glossary)

    def _records(self) -> QuerySet[ImportRecord]:
        return ImportRecord.objects.filter(source__glossary=self.glossary)

    def _node_chunks(self) -> Iterator[list[int]]:
        """The ids of the glossary and of all pages below it, parents first."""
        nodes = self._nodes().order_by("path").values_list("path", "pk")
        last = ""
        while chunk := list(nodes.filter(path__gt=last)[: self.chunk_size]):
            last = chunk[-1][0]
            yield [pk for _path, pk in chunk]

    def _chunks(self, rows: QuerySet[Any]) -> Iterator[list[int]]:
        """The ids of the rows."""
        last = 0
        ids = rows.order_by("pk").values_list("pk", flat=True)
        while chunk := list(ids.filter(pk__gt=last)[: self.chunk_size]):
            last = chunk[-1]
            yield chunk

    @contextmanager
    def _chunk(self, ids: Collection[int], *, lock: bool = False) -> Iterator[None]:
        """Look at some rows, and tell what was found. With ``lock`` they are pages that
        nobody else may save meanwhile."""
        with transaction.atomic() if self.fix else nullcontext():
            if self.fix and not connection.features.has_select_for_update:
                # SQLite keeps others out from the first statement that could write.
                self._nodes().filter(pk=0).update(numchild=0)
            elif self.fix and lock:
                lock_pages(ids)
            yield
        for finding in self.findings.take():
            self.on_finding(finding)
        self.on_seen(len(ids))


def _check_terms(ids: Collection[int], findings: Findings) -> None:
    for terms in load_by_type(ids):
        check_revisions(terms, findings)
        check_references(terms, findings)
        check_search(terms, findings)
