"""Carry out a plan: chunk by chunk, each term whole or not at all.

Each chunk is planned anew inside the transaction that writes it, with its pages locked,
so that what is written fits what is there, whatever happened since the plan was shown.
A term that cannot be written is found by halving its chunk; it is reported, and the
others go in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _
from modelcluster.models import get_all_child_relations

from ..forms import check_labels
from ..models import ImportItem, ImportPayload, ImportRecord, ImportRun, TermPage
from ..signals import terms_written
from .bulk.pages import Writing, add_pages, place_pages, save_pages
from .bulk.rows import insert_rows, prefer_fast_compression
from .comparing import Work
from .conversions import Conversions
from .lock import check_lock
from .options import OnConflict
from .plan import Item, Planner
from .referring import Home, rename_related_terms, surroundings
from .report import Outcome, Remark
from .staging import Staged
from .state import state
from .writing import write_content


class RunStopped(Exception):
    """The run ends before its time; what its last chunk did is undone. The text says
    why."""


@dataclass(slots=True)
class Applier:
    """Writes the terms of a run."""

    planner: Planner
    run: ImportRun
    user: Any
    conversions: Conversions

    def apply(
        self, staged: Sequence[Staged], following: Sequence[Staged] = ()
    ) -> list[Item]:
        """Write one chunk, in a transaction of its own or inside the one around it.

        ``following`` is the next chunk if it is likely to be new terms.
        """
        self.conversions.turn_to(following)
        with transaction.atomic():
            check_lock(self.planner.source, self.run)
            prefer_fast_compression()
            items = self._write(staged)
            store_items(self.run, items)
        return items

    def _write(self, staged: Sequence[Staged]) -> list[Item]:
        """Plan and write; if that fails, each half by itself, to the single term."""
        try:
            with transaction.atomic():
                items = self.planner.plan(staged, lock=True)
                self._refuse_conflicts(items)
                self._write_items([item for item in items if item.work])
                return items
        except (IntegrityError, DataError, ValidationError) as error:
            if len(staged) == 1:
                return [self._failed(staged[0], error)]
        half = len(staged) // 2
        return [*self._write(staged[:half]), *self._write(staged[half:])]

    def _refuse_conflicts(self, items: Sequence[Item]) -> None:
        if self.planner.options.on_conflict is not OnConflict.FAIL:
            return
        for item in items:
            if item.result.outcome is Outcome.CONFLICT:
                raise RunStopped(
                    _("“%(key)s” (%(source)s) is in conflict, and the run is to fail.")
                    % {"key": item.result.key, "source": item.result.source}
                )

    def _failed(self, staged: Staged, error: Exception) -> Item:
        # Without its work, but with what the plan says of it.
        [item] = self.planner.plan([staged])
        item.work = None
        item.result.outcome = Outcome.INVALID
        item.result.remarks += [
            Remark(field, message, is_error=True) for field, message in reasons(error)
        ]
        return item

    # Writing

    def _write_items(self, items: Sequence[Item]) -> None:
        new = [item for item in items if self._is_new(item)]
        changed = [item for item in items if item.work.page and item.work.content]
        for item in changed:
            self._keep_history(item.work.page)
        for item in items:
            if not item.work.is_silent:
                item.before = state(item.record, item.work.page)
        for item in new:
            self._make_page(item.work)
        for item in items:
            item.page = item.work.page
        place_pages([item.page for item in new], self.planner.glossary, self.user)
        self._write_contents([*new, *changed])
        for item in (*new, *changed):
            self._prepare(item)
        add_pages([item.writing for item in new], self.planner.glossary, self.user)
        save_pages([item.writing for item in changed], self.user)
        rename_related_terms(
            {item.page.pk: item.writing.former_title for item in changed},
            [item.page for item in changed if item.writing.publishes],
        )
        self._remember(items)
        self._submit([*new, *changed])

    @staticmethod
    def _keep_history(page: TermPage) -> None:
        """Let a page that was made without a revision have one to go back to."""
        if page.latest_revision_id is None:
            page.save_revision(changed=False, clean=False)

    def _prepare(self, item: Item) -> None:
        is_new = self._is_new(item)
        action = "glossary.import_create" if is_new else "glossary.import_update"
        item.writing = Writing(
            item.page,
            item.work.publishes,
            [(action, {"run": self.run.pk})],
            former_title=None if is_new else item.before["title"],
        )
        item.result.page = item.page.pk

    @staticmethod
    def _is_new(item: Item) -> bool:
        return item.result.outcome is Outcome.CREATE

    def _make_page(self, work: Work) -> None:
        model = term_model(self.planner.glossary)
        work.page = model(slug=work.term.slug, title=work.term.term)
        for relation in get_all_child_relations(model):
            # Not to be looked for once it has an id.
            getattr(work.page, relation.get_accessor_name()).set([])

    def _write_contents(self, items: Sequence[Item]) -> None:
        homes: dict[Home, list[Item]] = {}
        for item in items:
            home = Home.of(item.work.page, self.planner.glossary)
            homes.setdefault(home, []).append(item)
        for home, at_home in homes.items():
            works = [item.work for item in at_home]
            around = surroundings(
                home,
                [work.content for work in works],
                self._related_names(works),
                {
                    work.term.category: work.term.category_name
                    for work in works
                    if work.term.category_name
                },
                {
                    work.page.slug: work.page
                    for item, work in zip(at_home, works, strict=True)
                    if self._is_new(item)
                },
            )
            around.rich_text = self.conversions
            for work in works:
                write_content(work.page, work.content, around)
                check_page(work.page, publishes=work.publishes)

    def _related_names(self, works: Sequence[Work]) -> dict[str, str]:
        """What the terms that these refer to are called: by the run, else by them."""
        named = {
            self.planner.names.slug(related.slug): related.name
            for work in works
            for related in work.term.related_terms
        }
        keys = {
            self.planner.names.slug(related.slug): related.slug
            for work in works
            for related in work.term.related_terms
        }
        titles = self.planner.staging.titles_of(keys.values())
        return {slug: titles.get(keys[slug]) or name for slug, name in named.items()}

    def _remember(self, items: Sequence[Item]) -> None:
        """Store what the next import will need to know."""
        payloads: dict[str, ImportPayload] = {}
        new, known, reworded = [], [], []
        for item in items:
            work, staged = item.work, item.staged
            record = item.record
            if record is None:
                record = ImportRecord(source=self.planner.source, key=work.term.slug)
            if work.page is not None:
                record.page_id = work.page.pk
            record.base = work.base
            record.proposal = work.proposal
            record.pending = [
                each["term"].casefold()
                for each in work.base.get("comparisons") or ()
                if not each["slug"]
                and each["term"].casefold() != work.term.term.casefold()
            ]
            record.digest = "" if work.proposal else staged.digest
            # An export needs the file of a page; a line of JSON cannot replace it.
            if (
                record.payload_id is None
                or staged.form == "payload"
                or record.payload_form != "payload"
            ):
                payloads[staged.payload] = staged
                is_told = item.writing is not None or record.payload_id is None
                if not is_told and record.payload_id != staged.payload:
                    reworded.append(record.page_id)
                record.payload_id = staged.payload
            if item.writing is not None:
                revision = item.writing.revision.pk
                record.revision = revision if work.is_pure else None
            record.run = self.run
            (known if record.pk else new).append(record)
            item.record = record
        store_payloads(payloads.values())
        insert_rows(new)
        if known:
            ImportRecord.objects.bulk_update(
                known,
                [
                    *("page", "base", "proposal", "pending"),
                    *("payload", "digest", "revision"),
                    *("run",),
                ],
            )
        # What is delivered in the payload's own shape says all else as well.
        pks = list(filter(None, reworded))
        terms_written.send(sender=TermPage, pks=pks, indexed=True)

    def _submit(self, items: Sequence[Item]) -> None:
        """Hand what the user may not publish to the page's workflow."""
        if self.planner.options.draft or self.user is None:
            return
        for item in items:
            page = item.page
            if item.writing.publishes or self.planner.rights.may_publish(page):
                continue
            if not page.workflow_in_progress and (workflow := page.get_workflow()):
                workflow.start(page, self.user)


def reasons(error: Exception) -> list[tuple[str, str]]:
    """The fields at fault, and why, of an error that stopped a term."""
    if isinstance(error, ValidationError):
        if hasattr(error, "error_dict"):
            return [
                ("" if name == "__all__" else name, message)
                for name, messages in error.message_dict.items()
                for message in messages
            ]
        return [("", message) for message in error.messages]
    cause = error.__cause__ or error
    return [("", " ".join(str(cause).split()))]


def term_model(glossary: Any) -> type[TermPage]:
    """The type of a new term: TermPage, or the site's own where that alone can be
    created in the glossary."""
    models = [
        model
        for model in glossary.specific_class.creatable_subpage_models()
        if issubclass(model, TermPage)
    ]
    return TermPage if TermPage in models or not models else models[0]


def check_page(page: TermPage, *, publishes: bool) -> None:
    """Refuse what an editor could not save either.

    The schema has bounded a payload's texts. What a site has added to its own type of
    term is checked as in its form.
    """
    if type(page) is not TermPage and publishes:
        page.rows_are_checked = False
        page.full_clean(exclude=["path", "depth", "numchild", "url_path"])
        page.clean_blocks()
        return
    faults = [error for _at, error in check_labels(page.labels.all(), title=page.title)]
    if faults:
        raise ValidationError({"labels": faults})


def store_payloads(staged: Any) -> None:
    """Keep texts as they came, each once."""
    wanted = {each.payload: each for each in staged}
    there = ImportPayload.objects.filter(pk__in=wanted)
    for digest in there.values_list("pk", flat=True):
        del wanted[digest]
    ImportPayload.objects.bulk_create(
        [ImportPayload.of(each.raw, each.form) for each in wanted.values()],
        ignore_conflicts=True,
    )


def store_items(run: ImportRun, items: Sequence[Item], first: int = 1) -> None:
    """Keep what a run says of its terms, but for those with nothing to say.

    ``first`` is the position of the first one that has none of its own: an orphan.
    """
    told = [item for item in items if item.result.is_worth_keeping or item.before]
    store_payloads(item.staged for item in told if item.staged.raw)
    insert_rows(
        [
            item_row(run, item, item.staged.position or position)
            for position, item in enumerate(told, start=first)
        ]
    )


def item_row(run: ImportRun, item: Item, position: int) -> ImportItem:
    result, staged = item.result, item.staged
    is_new = result.outcome is Outcome.CREATE
    return ImportItem(
        run=run,
        position=position,
        key=result.key[:255],
        title=result.title[:255],
        place=result.source,
        payload_id=staged.payload if staged.raw else None,
        page_id=result.page,
        outcome=str(result.outcome),
        applied=bool(item.before),
        # A new term's are those of its payload.
        changes=[] if is_new else [change.as_json() for change in result.changes],
        remarks=[remark.as_json() for remark in result.remarks],
        before=item.before,
        after=state(item.record, item.page) if item.before else {},
    )
