"""What an import would change. Reading only: nothing is written here.

Each field is merged by three values: what the last import wrote (base), what the page
says now (ours) and what the payload says (theirs). ``merge`` has the rules; here is
where the three come from, and what the outcome of a term is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from ..content import Content, prose_of, related_slugs
from ..models import GlossaryPage, ImportRecord, ImportSource, TermPage
from ..payload.schema import SchemaError, TermPayload, parse_term
from ..richtext import LOSSES, markdown_losses
from .bulk.pages import Writing
from .comparing import Comparing, Work
from .obstacles import obstacles
from .options import OnConflict, Options, Orphans
from .pages import load_latest, lock_pages
from .report import Outcome, Remark, Result
from .rights import Rights
from .staging import Staged, Staging


@dataclass(slots=True)
class Item:
    """One record of a source: its result and, if there is something to write, the
    work it asks for."""

    staged: Staged
    result: Result
    record: ImportRecord | None = None
    work: Work | None = None
    before: dict[str, Any] = field(default_factory=dict)
    """What an undo goes back to; empty where nothing was written."""
    page: TermPage | None = None
    """As it was written."""
    writing: Writing | None = None
    """How the page was written, once it was."""


@dataclass(slots=True)
class ChunkNames:
    """What the names and slugs of some payloads mean in a glossary."""

    slug_of_key: Mapping[str, str] = field(default_factory=dict)
    """The slug that a page has now, by the slug that its payload gives it."""
    slugs_of_name: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The slugs of the terms of a name, by the name in lower case."""

    def slug(self, key: str) -> str:
        return self.slug_of_key.get(key, key)

    def compared(self, name: str) -> str | None:
        slugs = self.slugs_of_name.get(name.casefold(), ())
        return slugs[0] if len(slugs) == 1 else None


class Planner:
    """Compares records with the terms of a glossary, some at a time."""

    def __init__(
        self,
        source: ImportSource | None,
        glossary: GlossaryPage,
        staging: Staging,
        options: Options,
        rights: Rights,
        decisions: Mapping[str, OnConflict] | None = None,
    ) -> None:
        self.source = source
        self.glossary = glossary
        self.staging = staging
        self.options = options
        self.rights = rights
        self.decisions = decisions or {}
        self.names = ChunkNames()
        """Those of the records planned last."""

    def results(self, size: int) -> Iterator[Item]:
        """The items of all records, and of the orphans, in their order."""
        for staged in self.staging.chunks(size):
            yield from self.plan(staged)
        yield from self.orphans(size)

    def plan(self, staged: Sequence[Staged], *, lock: bool = False) -> list[Item]:
        """Compare some records, in a number of queries that does not depend on how
        many they are. Faults of a record become its outcome; they never stop others.

        With ``lock`` nobody else may save their pages until the transaction ends.
        """
        items = self._compare(staged, lock=lock)
        if self.staging.has_plan:
            for item in items:
                if item.staged.key and item.staged.twin is None:
                    self._hold_against_plan(item.result)
        return items

    def _hold_against_plan(self, result: Result) -> None:
        # A plan need not name what is unchanged.
        planned = self.staging.planned(result.key) or Outcome.UNCHANGED
        found = (result.digest, result.revision, str(result.outcome))
        if planned not in (found, result.outcome):
            result.remarks.append(
                Remark("", _("Planned anew: it has changed since the plan was made."))
            )

    def _compare(self, staged: Sequence[Staged], *, lock: bool) -> list[Item]:
        records = self._records([row.key for row in staged if row.key])
        items = [self._item(row, records) for row in staged]
        open_items = [
            item for item in items if item.result.outcome is not Outcome.UNCHANGED
        ]
        terms = self._read(open_items)
        if not terms:
            return items
        self._load_bases(open_items)
        names = self.names = self._names([term for _item, term in terms])
        pages = self._pages(terms, lock=lock)
        latest = load_latest(pages.values())
        slugs = related_slugs(latest.values())
        hindered = obstacles(latest.values())
        tied = self._tied(
            [
                pages[term.slug]
                for item, term in terms
                if term.slug in pages and not (item.record and item.record.page_id)
            ]
        )
        for item, term in terms:
            page = pages.get(term.slug)
            item.result.revision = page and page.latest_revision_id
            if page and tied.get(page.pk, term.slug) != term.slug:
                self._refuse_tied(item.result, page, tied[page.pk])
                continue
            item.work = Comparing(
                item.result,
                term,
                item.record,
                latest[page.pk] if page else None,
                self.options,
                self.decisions.get(term.slug, self.options.on_conflict),
                self.rights,
            ).run(names, slugs, hindered.get(page.pk) if page else None)
            if item.work and _says_nothing_new(item.work, item.record):
                self._pass_over(item)
            if item.work:
                item.result.remarks += _losses(item.work.content)
        return items

    @staticmethod
    def _pass_over(item: Item) -> None:
        """Write nothing, or only that this text of the record is known as well: the
        next run need not read it."""
        digest = "" if item.work.proposal else item.staged.digest
        if item.record.digest == digest:
            item.work = None
        else:
            item.work.is_silent = True

    def orphans(self, size: int) -> Iterator[Item]:
        """The live terms that the source once had and has no more."""
        if self.source is None or self.options.orphans is Orphans.IGNORE:
            return
        live = self.source.records.filter(page__live=True).order_by("pk")
        last = 0
        while keys := dict(live.filter(pk__gt=last).values_list("pk", "key")[:size]):
            last = max(keys)
            missing = set(self.staging.missing(keys.values()))
            gone = [pk for pk, key in keys.items() if key in missing]
            records = list(live.filter(pk__in=gone).select_related("page"))
            hindered = obstacles([record.page for record in records])
            for record in records:
                yield self._orphan(record, hindered.get(record.page_id))

    def _orphan(self, record: ImportRecord, obstacle: str | Promise | None) -> Item:
        result = Result(
            *("", record.key, Outcome.ORPHAN),
            title=record.page.title,
            page=record.page_id,
            revision=record.page.latest_revision_id,
        )
        unpublishes = self.options.orphans is Orphans.UNPUBLISH
        if unpublishes and not self.rights.may_publish(record.page):
            obstacle = _("You may not unpublish it.")
        if unpublishes and obstacle:
            result.remarks.append(Remark("", str(obstacle)))
        return Item(Staged.nowhere(record.key), result, record)

    @staticmethod
    def _refuse_tied(result: Result, page: TermPage, key: str) -> None:
        result.outcome = Outcome.CONFLICT
        result.page = page.pk
        result.remarks.append(
            Remark("slug", _("The page of “%(key)s” has this slug.") % {"key": key})
        )

    # Reading the records

    def _records(self, keys: Sequence[str]) -> dict[str, ImportRecord]:
        if self.source is None:
            return {}
        known = self.source.records.filter(key__in=keys).defer("base", "proposal")
        known = known.annotate(
            payload_form=F("payload__form"), latest_revision=F("page__latest_revision")
        )
        return {record.key: record for record in known}

    def _is_settled(self, record: ImportRecord, row: Staged) -> bool:
        """Whether nothing has to be looked at: the record is that of the last time,
        and no name in it has come to mean a term since."""
        if not record.page_id or record.digest != row.digest:
            return False
        if not record.pending:
            return True
        found = self.staging.slugs_called(record.pending)
        return all(len(slugs) != 1 for slugs in found.values())

    @staticmethod
    def _load_bases(items: Iterable[Item]) -> None:
        """Load what only a record that has changed needs."""
        records = [item.record for item in items if item.record]
        loaded = ImportRecord.objects.filter(pk__in=[record.pk for record in records])
        found = {pk: rest for pk, *rest in loaded.values_list("pk", "base", "proposal")}
        for record in records:
            record.base, record.proposal = found[record.pk]

    def _item(self, row: Staged, records: Mapping[str, ImportRecord]) -> Item:
        result = Result(
            *(row.place, row.key, Outcome.INVALID), title=row.title, digest=row.digest
        )
        item = Item(row, result, records.get(row.key))
        record = item.record
        if row.error:
            result.remarks.append(Remark("", row.error, is_error=True))
        elif row.twin is not None:
            result.remarks.append(
                Remark(
                    "slug",
                    _("“%(slug)s” is already the slug of %(source)s in this run.")
                    % {"slug": row.key, "source": self.staging.place(row.twin)},
                    is_error=True,
                )
            )
        elif record and self._is_settled(record, row):
            result.outcome = Outcome.UNCHANGED
            result.is_term = True
            result.page = record.page_id
            result.revision = record.latest_revision
        return item

    def _read(self, items: Iterable[Item]) -> list[tuple[Item, TermPayload]]:
        """The terms of the records that make one."""
        found = []
        for item in items:
            if item.result.remarks:
                continue
            try:
                parsed = parse_term(item.staged.data, pointer=item.staged.pointer)
            except SchemaError as error:
                item.result.remarks += [
                    Remark(fault.pointer, fault.message, fault.level == "error")
                    for fault in error.problems
                ]
                item.result.key = item.result.key or item.result.title
                continue
            item.result.is_term = True
            item.result.key = parsed.term.slug
            item.result.title = parsed.term.term
            item.result.remarks += [
                Remark(fault.pointer, fault.message) for fault in parsed.problems
            ]
            found.append((item, parsed.term))
        return found

    def _names(self, terms: Iterable[TermPayload]) -> ChunkNames:
        terms = list(terms)
        keys = {term.slug for term in terms}
        keys.update(related.slug for term in terms for related in term.related_terms)
        keys.update(item.slug for term in terms for item in term.comparisons)
        renamed: dict[str, str] = {}
        if self.source is not None:
            records = self.source.records.filter(key__in=keys, page__isnull=False)
            renamed = dict(records.values_list("key", "page__slug"))
        names = {item.term for term in terms for item in term.comparisons}
        return ChunkNames(renamed, self.staging.slugs_called(names))

    def _pages(
        self, terms: Sequence[tuple[Item, TermPayload]], *, lock: bool
    ) -> dict[str, TermPage]:
        """The pages of the terms, by their keys: those that an import has written,
        else those of the same slug."""
        known = {
            term.slug: item.record.page_id
            for item, term in terms
            if item.record and item.record.page_id
        }
        new = [term.slug for _item, term in terms if term.slug not in known]
        if new:
            namesakes = self.glossary.terms.filter(slug__in=new)
            known.update(namesakes.values_list("slug", "pk"))
        if lock:
            is_adding = len(known) < len(terms)
            lock_pages(known.values(), added_to=self.glossary if is_adding else None)
        # A term that was moved to another glossary is written there.
        pages = TermPage.objects.filter(pk__in=known.values()).specific()
        found = {page.pk: page for page in pages}
        return {key: found[pk] for key, pk in known.items() if pk in found}

    def _tied(self, pages: Collection[TermPage]) -> dict[int, str]:
        """The keys by which the source knows these pages."""
        if self.source is None or not pages:
            return {}
        records = self.source.records.filter(page__in=[page.pk for page in pages])
        return dict(records.values_list("page", "key"))


def _says_nothing_new(work: Work, record: ImportRecord | None) -> bool:
    """Whether the page would stay as it is, and what is known of it as well."""
    return (
        record is not None
        and work.page is not None
        and record.page_id == work.page.pk
        and not work.content
        and record.base == work.base
        and record.proposal == work.proposal
    )


def _losses(content: Content) -> Iterator[Remark]:
    """What of the Markdown in a content a page cannot hold."""
    for pointer, text in prose_of(content):
        for loss in markdown_losses(text):
            told = str(LOSSES[loss.code])
            yield Remark(pointer, f"{told} “{loss.detail}”" if loss.detail else told)
