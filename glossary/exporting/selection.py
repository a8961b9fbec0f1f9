"""Which terms are exported, and what of them whoever asks may see.

Terms are loaded in chunks, each in a fixed number of queries, and none is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import swapper
from django.db.models import Q, prefetch_related_objects
from taggit.models import Tag
from wagtail.blocks import StreamValue
from wagtail.models import Revision
from wagtail.permissions import page_permission_policy

from ..content import Content, compared_ids, page_content
from ..managers import TermPageQuerySet
from ..models import Category, GlossaryPage, ImportRecord, RelatedTerm, TermPage
from ..visibility import CONTEXT_KEY, Visibility, public_rich_text


if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from wagtail.query import PageQuerySet


CHUNK_SIZE = 200

PAYLOAD_FORM = "payload"
"""The form of a stored text that is a payload as Nuxt wrote it."""

# The rich text in the blocks of each stream.
_RICH_TEXTS = {"explanation": "body", "comparisons": "comparison", "faq": "answer"}


class ExportError(Exception):
    """A term, or a place to write to, that cannot be exported; the text says why."""


class Reference(NamedTuple):
    """A related term that may be named."""

    slug: str
    name: str


@dataclass(slots=True)
class Chunk:
    """What the terms of one chunk share."""

    drafts: bool
    visibility: Visibility
    references: Mapping[int, Reference]
    """Of all related terms that they point at, by id: those that may be named."""
    records: Mapping[int, ImportRecord]
    """What imports know of the terms, by the id of the page."""
    site_url: str
    locale: str


class LoadedTerm:
    """A term to export. What it may not say has been taken out of its content."""

    def __init__(self, page: TermPage, chunk: Chunk) -> None:
        self.page = page
        self.references = chunk.references
        self.record = chunk.records.get(page.pk)
        self.locale = chunk.locale
        self.revision_id = (
            page.latest_revision_id if chunk.drafts else page.live_revision_id
        )
        self._chunk = chunk
        self._content: Content | None = None

    @property
    def hides_something(self) -> bool:
        """Whether it points at a related term that may not be named."""
        pks = {link.related_term_id for link in self.page.related_terms.all()}
        return not self.references.keys() >= pks | {*compared_ids(self.page)}

    @property
    def content(self) -> Content:
        """Its content in the normal form. Links in its text are addresses."""
        if self._content is None:
            self._resolve_links()
            slugs = {pk: known.slug for pk, known in self.references.items()}
            content = page_content(self.page, slugs)
            content["related_terms"] = [
                link for link in content["related_terms"] if link["slug"]
            ]
            # One with a hidden term has no name but the term's.
            content["comparisons"] = [
                entry
                for entry in content["comparisons"]
                if entry["term"] or entry["slug"] or entry["comparison"]
            ]
            self._content = content
        return self._content

    def _resolve_links(self) -> None:
        context = {CONTEXT_KEY: self._chunk.visibility}
        address = partial(_address, self._chunk.site_url)
        for name, text in _RICH_TEXTS.items():
            stream = getattr(self.page, name)
            raw = list(stream.raw_data)
            if not any("linktype" in (child["value"].get(text) or "") for child in raw):
                continue
            for position, child in enumerate(raw):
                html = public_rich_text(
                    child["value"].get(text) or "", context, address
                )
                raw[position] = {**child, "value": {**child["value"], text: html}}
            value = StreamValue(stream.stream_block, raw, is_lazy=True)
            setattr(self.page, name, value)


def _address(site_url: str, kind: str, target: Any) -> str | None:
    if kind == "page":
        return target.full_url
    url = target.url
    return site_url + url if url.startswith("/") else url


@dataclass(slots=True)
class Selection:
    """The terms of a glossary to export; iterating over it loads them, chunk by chunk,
    in the order in which they were made."""

    glossary: GlossaryPage
    pages: TermPageQuerySet
    drafts: bool = False
    user: AbstractBaseUser | None = None
    chunk_size: int = CHUNK_SIZE
    public_pages: Callable[[], PageQuerySet] | None = None
    """Gives the pages that a term may tell of; without it, all that anyone may see, on
    any site. With drafts, what the user may see."""
    on_term: Callable[[], None] | None = None
    """Called when a term has been written."""
    problems: list[str] = field(default_factory=list)
    """Why terms were left out, once it has been iterated over."""

    def __iter__(self) -> Iterator[LoadedTerm]:
        for loaded in self._loaded():
            yield loaded
            if self.on_term:
                self.on_term()

    def _loaded(self) -> Iterator[LoadedTerm]:
        last = 0
        while pages := self._after(last):
            last = pages[-1].pk
            yield from self._load(pages)

    def count(self) -> int:
        return self.pages.count()

    def missing(self, slugs: Iterable[str]) -> list[str]:
        """Those of the slugs that no term here has."""
        wanted = set(slugs)
        found = self.pages.filter(slug__in=wanted).values_list("slug", flat=True)
        return sorted(wanted - set(found))

    def outlines(self) -> Iterator[TermPage]:
        """The pages again, with their own fields alone: what is related to them would
        cost queries."""
        if self.drafts:
            yield from (loaded.page for loaded in self._loaded())
        else:
            yield from self.pages.order_by("pk").iterator(chunk_size=self.chunk_size)

    def _after(self, pk: int) -> list[TermPage]:
        pages = self.pages.filter(pk__gt=pk).order_by("pk")
        if not self.drafts:
            pages = pages.select_related("category").prefetch_related(
                "related_terms", "labels", "tagged_items__tag"
            )
        return list(pages[: self.chunk_size])

    def _load(self, pages: list[TermPage]) -> Iterator[LoadedTerm]:
        if self.drafts:
            pages = _latest(pages)
        visibility = Visibility(public_pages=self._public_pages())
        site = self.glossary.get_site()
        chunk = Chunk(
            drafts=self.drafts,
            visibility=visibility,
            references=_references(pages, visibility),
            records=_records(pages),
            site_url=site.root_url if site else "",
            locale=self.glossary.locale.language_code,
        )
        return (LoadedTerm(page, chunk) for page in pages)

    def _public_pages(self) -> Any:
        if not self.drafts:
            return self.public_pages
        Page = swapper.load_model("wagtailcore", "Page")
        if self.user is None:
            return Page.objects.all
        public = Page.objects.live().public().values("pk")
        own = _editable(self.user).values("pk")
        return lambda: Page.objects.filter(Q(pk__in=public) | Q(pk__in=own))


def terms_to_export(
    glossary: GlossaryPage,
    *,
    user: AbstractBaseUser | None = None,
    drafts: bool = False,
    slugs: Collection[str] | None = None,
) -> Selection:
    """The terms of a glossary that anyone may see, or of ``slugs`` alone.

    With ``drafts``, every term that ``user`` may edit, as its latest revision has it;
    without a user it is the system that asks, which may edit all.
    """
    pages = TermPage.objects.in_glossary(glossary)
    if not drafts:
        pages = pages.visible()
    elif user is not None:
        pages = pages.filter(pk__in=_editable(user).values("pk"))
    if slugs is not None:
        pages = pages.filter(slug__in=slugs)
    return Selection(glossary, pages, drafts, user)


def _editable(user: AbstractBaseUser) -> Any:
    return page_permission_policy.instances_user_has_permission_for(user, "change")


def _latest(pages: Sequence[TermPage]) -> list[TermPage]:
    """The pages as their latest revisions have them; Wagtail's own way takes several
    queries for each."""
    revisions = Revision.objects.in_bulk(
        {page.latest_revision_id for page in pages} - {None}
    )
    unrevised = [page for page in pages if page.latest_revision_id not in revisions]
    prefetch_related_objects(unrevised, "related_terms", "labels", "tagged_items__tag")
    latest = []
    for page in pages:
        if revision := revisions.get(page.latest_revision_id):
            revised = type(page).from_serializable_data(
                revision.content, check_fks=False
            )
            revised.latest_revision_id = page.latest_revision_id
            latest.append(revised)
        else:
            latest.append(page)
    _fill_in(latest)
    return latest


def _fill_in(pages: Sequence[TermPage]) -> None:
    """Give the pages their categories and tags; those since deleted are left out."""
    categories = Category.objects.in_bulk({page.category_id for page in pages} - {None})
    tags = Tag.objects.in_bulk(
        {item.tag_id for page in pages for item in page.tagged_items.all()}
    )
    for page in pages:
        page.category = categories.get(page.category_id)
        items = [item for item in page.tagged_items.all() if item.tag_id in tags]
        for item in items:
            item.tag = tags[item.tag_id]
        page.tagged_items = items


def _references(
    pages: Sequence[TermPage], visibility: Visibility
) -> dict[int, Reference]:
    pks = {link.related_term_id for page in pages for link in page.related_terms.all()}
    pks.update(pk for page in pages for pk in compared_ids(page))
    known = RelatedTerm.objects.in_bulk(pks).values()
    targets = {related_term.page_id for related_term in known} - {None}
    targets |= {related_term.glossary_id for related_term in known}
    visibility.load(
        (text for page in pages for text in page.rich_texts()), pages=targets
    )
    return {
        related_term.pk: Reference(related_term.slug, related_term.name)
        for related_term in known
        # A wanted term tells no more than the glossary that it is wanted in.
        if visibility.find("page", related_term.page_id or related_term.glossary_id)
    }


def _records(pages: Sequence[TermPage]) -> dict[int, ImportRecord]:
    """The record of an import for each page, if it has one: one with a payload as Nuxt
    wrote it, else any; the latest of these."""
    found: dict[int, ImportRecord] = {}
    records = ImportRecord.objects.filter(
        page__in=[page.pk for page in pages], payload__isnull=False
    ).select_related("payload")
    for record in sorted(records, key=_worth):
        found[record.page_id] = record
    return found


def _worth(record: ImportRecord) -> tuple[bool, Any, int]:
    return record.payload.form == PAYLOAD_FORM, record.updated_at, record.pk
