"""Who may see and do what: every view of imports asks here.

The glossary of a run decides. A difference also shows the text of a page, so that one
needs the right to edit the page.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from wagtail.permissions import page_permission_policy

from ...models import GlossaryPage, ImportItem, ImportRecord, ImportRun, TermPage


def may_import(user: Any, glossary: GlossaryPage) -> bool:
    """Whether the user may add terms to the glossary, or edit them."""
    rights = glossary.permissions_for_user(user)
    return rights.can_add_subpage() or rights.can_edit()


def import_glossaries(user: Any) -> list[GlossaryPage]:
    """The glossaries that the user may import into, by their titles."""
    glossaries = GlossaryPage.objects.select_related("locale").order_by("title", "pk")
    return [glossary for glossary in glossaries if may_import(user, glossary)]


def titled(glossaries: list[GlossaryPage]) -> list[tuple[int, str]]:
    """The glossaries to choose from, told apart by their languages if need be."""
    has_languages = len({glossary.locale_id for glossary in glossaries}) > 1
    return [
        (
            glossary.pk,
            f"{glossary.title} ({glossary.locale})" if has_languages else str(glossary),
        )
        for glossary in glossaries
    ]


def visible_runs(user: Any) -> QuerySet[ImportRun]:
    glossaries = [glossary.pk for glossary in import_glossaries(user)]
    return ImportRun.objects.filter(source__glossary__in=glossaries)


def editable_pages(user: Any, pages: set[int]) -> set[int]:
    """The ids of those of the pages that the user may edit."""
    allowed = page_permission_policy.instances_user_has_permission_for(user, "change")
    return set(allowed.filter(pk__in=pages).values_list("pk", flat=True))


def may_edit(user: Any, page: TermPage) -> bool:
    return page.permissions_for_user(user).can_edit()


def may_see_text(user: Any, item: ImportItem) -> bool:
    """Whether the user may read what the page of an item says, or said."""
    page = item.page or item.run.source.glossary
    return page.permissions_for_user(user).can_edit()


class RunMixin:
    """A view of the run whose id is in its address."""

    run: ImportRun

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.run = self.get_run()
        if not may_import(request.user, self.run.source.glossary):
            raise PermissionDenied

    def get_run(self) -> ImportRun:
        runs = ImportRun.objects.select_related("source__glossary", "user", "undoes")
        return get_object_or_404(runs, pk=self.kwargs["pk"])


class ItemMixin(RunMixin):
    """A view of one term of a run."""

    item: ImportItem

    def get_run(self) -> ImportRun:
        items = ImportItem.objects.select_related("run__source__glossary", "run__user")
        self.item = get_object_or_404(items, pk=self.kwargs["pk"])
        return self.item.run


class RecordMixin:
    """A view of what imports know of a page that the user may edit."""

    record: ImportRecord

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        records = ImportRecord.objects.select_related("source__glossary", "page", "run")
        self.record = get_object_or_404(
            records.filter(page__isnull=False), pk=kwargs["pk"]
        )
        if not may_edit(request.user, self.record.page):
            raise PermissionDenied
