"""What an import would change. Reading only: nothing is written here.

Each field is merged by three values: what the last import wrote (base), what the page
says now (ours) and what the payload says (theirs). Only theirs changed: it is taken.
Only ours: it is kept. Both, and differently: a conflict, and the page keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from ..models import GlossaryPage, ImportRecord, TermPage
from ..payload.schema import SchemaError, TermPayload, parse_term
from ..payload.sources import SourceRecord
from .content import SEO_FIELDS, Content, Names, losses, page_content, payload_content
from .report import Change, Outcome, Remark, Report, Result


@dataclass(frozen=True, slots=True)
class Work:
    """What applying the result of a usable record needs."""

    term: TermPayload
    page: TermPage | None
    """The page to change; None for a new term."""
    theirs: Content
    base: Content
    """What the next import will compare with."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record of a source: its result and, if it is usable, the work it asks for."""

    result: Result
    work: Work | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    glossary: GlossaryPage
    items: tuple[Item, ...]
    related_names: dict[str, str]
    category_names: dict[str, str]

    @property
    def report(self) -> Report:
        return Report([item.result for item in self.items])


def make_plan(
    records: Iterable[SourceRecord], glossary: GlossaryPage, *, draft: bool = False
) -> Plan:
    """Compare the records of a source with the terms of a glossary.

    Faults of a record become its outcome; they never stop the others. With ``draft``
    nothing is going to be published, and a term may be unfinished.
    """
    read = _read(records)
    terms = [term for _result, term in read if term]
    known = {
        record.key: record
        for record in ImportRecord.objects.filter(glossary=glossary).select_related(
            "page"
        )
    }
    names = _names(terms, known, glossary)
    items = []
    for result, term in read:
        work = None
        if term:
            work = _compare(result, term, glossary, known.get(term.slug), names)
            if not draft:
                _refuse_unfinished(result, work)
        items.append(Item(result, work))
    return Plan(
        glossary=glossary,
        items=tuple(items),
        related_names={
            **{
                names.slug(related.slug): related.name
                for term in terms
                for related in term.related_terms
            },
            **{names.slug(term.slug): term.term for term in terms},
        },
        category_names={
            term.category: term.category_name for term in terms if term.category_name
        },
    )


def merge_field(base: Any, ours: Any, theirs: Any) -> tuple[Any, bool]:
    """The merged value of a field and whether it is in conflict.

    ``base`` is ``None`` where no import has written the field: an empty page field
    then takes theirs, and any other difference is a conflict.
    """
    if ours == theirs or theirs == base:
        return ours, False
    if ours == base or (base is None and not ours):
        return theirs, False
    return ours, True


def _read(
    records: Iterable[SourceRecord],
) -> list[tuple[Result, TermPayload | None]]:
    """Each record's result, still invalid, and its term if it has a usable one."""
    read: list[tuple[Result, TermPayload | None]] = []
    sources: dict[str, str] = {}
    for record in records:
        source = record.source
        if record.line is not None:
            source = f"{source}:{record.line}"
        result = Result(source, key="", outcome=Outcome.INVALID)
        term = _usable_term(record, result)
        if term and term.slug in sources:
            result.remarks.append(
                Remark(
                    "slug",
                    _("“%(slug)s” is already the slug of %(source)s in this run.")
                    % {"slug": term.slug, "source": sources[term.slug]},
                    is_error=True,
                )
            )
            term = None
        elif term:
            sources[term.slug] = source
            result.remarks += [Remark(*loss) for loss in losses(term)]
        read.append((result, term))
    return read


def _usable_term(record: SourceRecord, result: Result) -> TermPayload | None:
    """The record's term, with its name and faults noted on the result."""
    if record.record is None:
        result.remarks.append(Remark("", str(record.error), is_error=True))
        return None
    result.key = _key_of(record.record)
    try:
        parsed = parse_term(record.record, pointer=record.pointer)
    except SchemaError as error:
        result.remarks += [
            Remark(fault.pointer, fault.message, fault.level == "error")
            for fault in error.problems
        ]
        return None
    result.key = parsed.term.slug
    result.remarks += [
        Remark(fault.pointer, fault.message) for fault in parsed.problems
    ]
    return parsed.term


def _key_of(record: dict[str, Any]) -> str:
    """How to name a record that may have no usable slug."""
    for name in ("slug", "term"):
        value = record.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()[:80]
    return ""


def _names(
    terms: list[TermPayload], known: dict[str, ImportRecord], glossary: GlossaryPage
) -> Names:
    slug_of_key = {
        key: record.page.slug for key, record in known.items() if record.page
    }
    slugs: dict[str, set[str]] = {}
    for title, slug in glossary.terms.values_list("title", "slug"):
        slugs.setdefault(title.casefold(), set()).add(slug)
    for term in terms:
        slug = slug_of_key.get(term.slug, term.slug)
        slugs.setdefault(term.term.casefold(), set()).add(slug)
    return Names(
        slug_of_key=slug_of_key,
        slugs_of_title={title: frozenset(found) for title, found in slugs.items()},
    )


def _compare(
    result: Result,
    term: TermPayload,
    glossary: GlossaryPage,
    record: ImportRecord | None,
    names: Names,
) -> Work:
    """Find the term's page, merge field by field and set the outcome."""
    page = record.page if record else None
    if page is None:
        page = glossary.terms.filter(slug=term.slug).first()
    if page is None:
        theirs = _storable(payload_content(term, names), TermPage)
        result.outcome = Outcome.CREATE
        result.changes = tuple(
            Change(name, None, value, taken=True)
            for name, value in theirs.items()
            if value
        )
        return Work(term, None, theirs, theirs)

    page = page.specific
    theirs = _storable(payload_content(term, names), type(page))
    base = record.base if record and record.page_id else {}
    if reason := _blocked(page):
        result.outcome = Outcome.BLOCKED
        result.remarks.append(Remark("", reason))
        return Work(term, page, theirs, base)
    return Work(term, page, theirs, _merge(result, page, theirs, base))


def _merge(result: Result, page: TermPage, theirs: Content, base: Content) -> Content:
    """Note the changes and the outcome on the result; give the next base."""
    ours = page_content(page.get_latest_revision_as_object())
    changes = []
    next_base = dict(base)
    for name, value in theirs.items():
        merged, conflict = merge_field(base.get(name), ours[name], value)
        if not conflict:
            next_base[name] = value
        if conflict or merged != ours[name]:
            changes.append(Change(name, ours[name], value, taken=not conflict))
    conflicts = [change for change in changes if not change.taken]
    result.changes = tuple(changes)
    result.remarks += [
        Remark(
            change.field,
            _("Changed here and in the payload since the last import; kept as it is."),
        )
        for change in conflicts
    ]
    if conflicts:
        result.outcome = Outcome.CONFLICT
    else:
        result.outcome = Outcome.UPDATE if changes else Outcome.UNCHANGED
    return next_base


def _refuse_unfinished(result: Result, work: Work) -> None:
    """Make a term invalid that would be published without its short definition."""
    page = work.page
    if page is None:
        missing = not work.theirs.get("short_definition")
    else:
        publishes = page.live and not page.has_unpublished_changes
        missing = publishes and any(
            change.field == "short_definition" and change.taken and not change.theirs
            for change in result.changes
        )
    if missing:
        result.outcome = Outcome.INVALID
        result.remarks.append(
            Remark(
                "short_definition",
                _("A term is not published without one; a draft may be."),
                is_error=True,
            )
        )


def _storable(theirs: Content, model: type[TermPage]) -> Content:
    """With what the site's base page has no field for among the further fields."""
    storable = dict(theirs)
    for name, attribute in SEO_FIELDS.items():
        value = None if hasattr(model, attribute) else storable.pop(name, None)
        if value:
            storable["extra"] = {**storable.get("extra", {}), name: value}
    return storable


def _blocked(page: TermPage) -> str | None:
    """Why the page must not be touched now, if so."""
    if page.locked:
        return _("The page is locked.")
    if page.current_workflow_state:
        return _("The page is in a workflow.")
    return None
