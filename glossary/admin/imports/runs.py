"""The list of past runs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters.filters import DateFromToRangeFilter
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import IndexView

from ...importing.report import OUTCOME_LABELS
from ...models import GlossaryPage, ImportRun
from ..filters import ManyFilter
from .access import import_glossaries, titled, visible_runs


def run_title(run: ImportRun) -> str:
    if run.kind == ImportRun.Kind.UNDO:
        return gettext("Undo #%(number)d") % {"number": run.pk}
    return gettext("Import #%(number)d") % {"number": run.pk}


def counts_in_words(run: ImportRun) -> str:
    """How many terms had each outcome: "34 new, 2 failed"."""
    return ", ".join(
        gettext("%(count)d %(outcome)s") % {"count": count, "outcome": label}
        for outcome, label in OUTCOME_LABELS.items()
        if (count := run.counts.get(outcome))
    )


class RunFilterSet(WagtailFilterSet):
    glossary = ManyFilter(label=_("Glossary"), field_name="source__glossary")
    kind = ManyFilter(label=_("Kind"), choices=ImportRun.Kind.choices)
    status = ManyFilter(label=_("Status"), choices=ImportRun.Status.choices)
    user = ManyFilter(label=_("User"), null_label=_("the system"))
    created_at = DateFromToRangeFilter(label=_("Date"), widget=DateRangePickerWidget)

    class Meta:
        model = ImportRun
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = self.request.user
        self._offer("glossary", titled(import_glossaries(user)))
        users = visible_runs(user).order_by().values("user")
        people = get_user_model().objects.filter(pk__in=users)
        self._offer("user", [(person.pk, name_of(person)) for person in people])

    def _offer(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        self.filters[name].extra["choices"] = choices


def name_of(user: Any) -> str:
    return user.get_full_name() or user.get_username()


class RunIndexView(IndexView):
    model = ImportRun
    page_title = _("Imports")
    add_item_label = _("Import terms")
    results_template_name = "glossary/admin/imports/_results.html"
    filterset_class = RunFilterSet
    permission_policy = None
    any_permission_required = None
    default_ordering = "-created_at"
    verbose_name = _("run")
    verbose_name_plural = _("runs")
    paginate_by = 50
    columns: ClassVar = [
        TitleColumn(
            "run",
            label=_("Run"),
            accessor=run_title,
            url_name="glossary_imports:run",
            width="16%",
        ),
        DateColumn("created_at", label=_("Started"), sort_key="created_at"),
        Column("who", label=_("User")),
        Column("glossary", label=_("Glossary"), accessor="source.glossary"),
        Column("source", label=_("Source"), accessor="source.key"),
        StatusTagColumn(
            "status",
            label=_("Status"),
            accessor="get_status_display",
            primary=lambda run: run.is_under_way,
            sort_key="status",
        ),
        Column("counts", label=_("Terms"), accessor=counts_in_words, width="26%"),
    ]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.glossaries: list[GlossaryPage] = import_glossaries(request.user)
        if not self.glossaries:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_base_queryset(self) -> QuerySet[ImportRun]:
        runs = ImportRun.objects.filter(source__glossary__in=self.glossaries)
        return runs.select_related("source__glossary", "user")

    def order_queryset(self, queryset: QuerySet[ImportRun]) -> QuerySet[ImportRun]:
        # No two of a listing may be equal, or a page of it could show one twice.
        return queryset.order_by(self.ordering, "-pk")
