"""One run: how far it is, what came of it, and each of its terms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.forms import RadioSelect
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from django_filters.filters import ChoiceFilter
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import IndexView

from ...importing.jobs import gives_no_sign_of_life, has_rest
from ...importing.options import Options, Orphans
from ...importing.report import (
    OUTCOME_LABELS,
    TROUBLE,
    Change,
    Outcome,
    Remark,
    Result,
    ResultFile,
)
from ...models import ImportItem, ImportRun
from ..filters import ManyFilter
from .access import RunMixin, editable_pages
from .differences import FIELD_LABELS, field_label
from .forms import ApplyForm, decision_field
from .runs import run_title


CHUNK = 200


def outcome_label(item: ImportItem) -> Any:
    return OUTCOME_LABELS.get(item.outcome, item.outcome)


def remarks_of(item: ImportItem) -> list[str]:
    return [_remark_text(Remark(**remark)) for remark in item.remarks]


def _remark_text(remark: Remark) -> str:
    """With the field as it is called in the form; places in a record stay as they
    are."""
    if remark.field not in FIELD_LABELS:
        return str(remark)
    return f"{field_label(remark.field)}: {remark.message}"


def remark_text(item: ImportItem) -> str:
    return "\n".join(remarks_of(item))


def may_decide(item: ImportItem) -> bool:
    """Whether its conflict can be decided. It cannot where a page that no import has
    made is in the way."""
    return item.outcome == Outcome.CONFLICT and bool(item.changes or not item.page_id)


class RemarksFilter(ChoiceFilter):
    def filter(self, qs: QuerySet[ImportItem], value: str) -> QuerySet[ImportItem]:
        if not value:
            return qs
        return qs.exclude(remarks=[]) if value == "yes" else qs.filter(remarks=[])


class ItemFilterSet(WagtailFilterSet):
    outcome = ManyFilter(label=_("Outcome"))
    remarks = RemarksFilter(
        label=_("Remarks"),
        empty_label=_("All"),
        choices=[("yes", _("With remarks")), ("no", _("Without remarks"))],
        widget=RadioSelect,
    )

    class Meta:
        model = ImportItem
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        run = kwargs.pop("run")
        super().__init__(*args, **kwargs)
        used = set(run.items.order_by().values_list("outcome", flat=True).distinct())
        self.filters["outcome"].extra["choices"] = [
            (str(outcome), label)
            for outcome, label in OUTCOME_LABELS.items()
            if outcome in used
        ]


class RemarksColumn(Column):
    cell_template_name = "glossary/admin/imports/remarks_cell.html"

    def get_value(self, instance: ImportItem) -> list[str]:
        return remarks_of(instance)


class DecisionColumn(Column):
    """What is to become of a conflict, to be chosen while the run is planned."""

    cell_template_name = "glossary/admin/imports/decision_cell.html"

    def get_value(self, instance: ImportItem) -> Any:
        return decision_field(instance) if may_decide(instance) else ""


def item_url(item: ImportItem) -> str:
    return reverse("glossary_imports:item", args=[item.pk])


def item_title(item: ImportItem) -> str:
    return item.title or item.key or item.place


class RunView(RunMixin, IndexView):
    model = ImportItem
    template_name = "glossary/admin/imports/run.html"
    results_template_name = "glossary/admin/imports/run_results.html"
    filterset_class = ItemFilterSet
    permission_policy = None
    any_permission_required = None
    default_ordering = "position"
    verbose_name = _("term")
    verbose_name_plural = _("terms")
    search_fields: ClassVar = ["key", "title", "place"]
    search_backend_name = None
    paginate_by = 50
    header_icon = "upload"
    list_export: ClassVar = [
        "position",
        "key",
        "title",
        "outcome",
        "applied",
        "place",
        "remark_text",
    ]
    export_headings: ClassVar = {"remark_text": _("Remarks")}

    @cached_property
    def columns(self) -> list[Column]:
        columns = [
            TitleColumn(
                "title",
                label=_("Term"),
                accessor=item_title,
                get_url=item_url,
                sort_key="title",
                width="22%",
            ),
            Column("key", label=_("Key"), sort_key="key", width="16%"),
            StatusTagColumn(
                "outcome",
                label=_("Outcome"),
                accessor=outcome_label,
                primary=lambda item: item.outcome in TROUBLE,
                sort_key="outcome",
                width="12%",
            ),
            RemarksColumn("remarks", label=_("Remarks")),
        ]
        if self.run.status == ImportRun.Status.PLANNED:
            columns.append(DecisionColumn("decision", label=_("Conflict")))
        else:
            columns.append(Column("place", label=_("File"), width="16%"))
        return columns

    def get_page_title(self) -> str:
        return run_title(self.run)

    def get_filename(self) -> str:
        return f"import-{self.run.pk}"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("glossary_imports:index"), "label": _("Imports")},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_index_url(self) -> str:
        return reverse("glossary_imports:run", args=[self.run.pk])

    def get_index_results_url(self) -> str:
        return reverse("glossary_imports:run_results", args=[self.run.pk])

    def get_filterset_kwargs(self) -> dict[str, Any]:
        return {**super().get_filterset_kwargs(), "run": self.run}

    def get_base_queryset(self) -> QuerySet[ImportItem]:
        # What an undo needs is large, and shown nowhere.
        return self.run.items.defer("before", "after")

    def order_queryset(self, queryset: QuerySet[ImportItem]) -> QuerySet[ImportItem]:
        return queryset.order_by(self.ordering, "position")

    def to_row_dict(self, item: ImportItem) -> dict[str, Any]:
        item.remark_text = remark_text(item)
        row = super().to_row_dict(item)
        row["outcome"] = str(outcome_label(item))
        # No cell of a text from outside may run as a formula.
        return {name: _harmless(value) for name, value in row.items()}

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(*args, **kwargs)
        run = self.run
        is_planned = run.status == ImportRun.Status.PLANNED
        context.update(
            run=run,
            counts=counts(run),
            progress=progress(run),
            options=options_in_words(run),
            is_waiting=run.status == ImportRun.Status.UPLOADED,
            is_planned=is_planned,
            is_silent=gives_no_sign_of_life(run),
            may_go_on=has_rest(run),
            may_undo=may_undo(run),
            undone_by=[
                {"title": run_title(undo), "pk": undo.pk, "status": undo}
                for undo in run.undone_by.all()
            ],
            undoes_title=run.undoes and run_title(run.undoes),
        )
        if is_planned:
            context["apply_form"] = ApplyForm(initial=run.options)
            conflicts = run.items.filter(outcome=Outcome.CONFLICT)
            namesakes = conflicts.filter(page__isnull=False, changes=[]).count()
            context["namesakes"] = namesakes
            context["open_conflicts"] = conflicts.count() - namesakes
            context["leaving"] = (
                run.counts.get(Outcome.ORPHAN, 0)
                if run.options.get("orphans") == Orphans.UNPUBLISH
                else 0
            )
        return context


def _harmless(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def counts(run: ImportRun) -> list[dict[str, Any]]:
    """How many terms had each outcome, those with none left out."""
    return [
        {
            "outcome": str(outcome),
            "label": label,
            "count": count,
            "is_trouble": outcome in TROUBLE,
            # A run keeps no word of a term that it left as it is.
            "is_listed": outcome is not Outcome.UNCHANGED,
        }
        for outcome, label in OUTCOME_LABELS.items()
        if (count := run.counts.get(outcome))
    ]


def progress(run: ImportRun) -> dict[str, Any]:
    """How far a run is: for the page, and for the script that asks again."""
    text = gettext("%(done)d terms so far") % {"done": run.done}
    if run.total:
        text = ngettext(
            "%(done)d of %(total)d term", "%(done)d of %(total)d terms", run.total
        ) % {"done": run.done, "total": run.total}
    return {
        "done": run.done,
        "total": run.total,
        "status": run.get_status_display(),
        "text": text,
        "goes_on": run.is_under_way or run.status == ImportRun.Status.UPLOADED,
    }


def may_undo(run: ImportRun) -> bool:
    if run.is_under_way:
        return False
    undone = ImportRun.Status.FINISHED
    if run.undone_by.filter(status=undone).exists():
        return False
    return run.items.filter(applied=True).exists()


def options_in_words(run: ImportRun) -> list[str]:
    if run.kind == ImportRun.Kind.UNDO:
        return []
    options = Options.from_json(run.options)
    told = [
        (options.draft, gettext("Terms are saved as drafts; nothing is published.")),
        (options.adopt, gettext("Pages that no import has made are adopted.")),
        (
            options.orphans is Orphans.UNPUBLISH,
            gettext(
                "Terms that are gone from the source are unpublished, up to "
                "%(limit)d %% of them."
            )
            % {"limit": round(options.orphan_limit * 100)},
        ),
        (bool(run.options.get("map")), gettext("It has a field map of its own.")),
    ]
    return [text for applies, text in told if applies]


class ProgressView(RunMixin, View):
    """How far the run is, as JSON."""

    def get(self, request: HttpRequest, **kwargs: Any) -> JsonResponse:
        return JsonResponse(progress(self.run))


# The report


class Echo:
    """A file whose content is taken piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def write(self, text: str) -> None:
        self._pieces.append(text)

    def taken(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        return text


class ReportView(RunMixin, View):
    """The report of the run as JSON, like that of the command."""

    def get(self, request: HttpRequest, **kwargs: Any) -> StreamingHttpResponse:
        name = f"import-{self.run.pk}.json"
        return StreamingHttpResponse(
            self._lines(),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _lines(self) -> Iterator[str]:
        echo = Echo()
        file = ResultFile(echo)
        for items in self._chunks():
            pages = {item.page_id for item in items if item.page_id}
            editable = editable_pages(self.request.user, pages)
            for item in items:
                result = result_of(item)
                if item.page_id not in editable:
                    result.changes = ()
                file.add(result)
            yield echo.taken()
        file.counts = self.run.counts
        file.message = self.run.message
        file.end()
        yield echo.taken()

    def _chunks(self) -> Iterator[list[ImportItem]]:
        last = -1
        items = self.run.items.order_by("position").defer("after")
        while chunk := list(items.filter(position__gt=last)[:CHUNK]):
            last = chunk[-1].position
            yield chunk


def result_of(item: ImportItem) -> Result:
    """What a run said of a term."""
    return Result(
        item.place,
        item.key,
        Outcome(item.outcome),
        title=item.title,
        changes=tuple(Change(**change) for change in item.changes),
        remarks=[Remark(**remark) for remark in item.remarks],
        page=item.page_id,
        digest=item.before.get("digest", ""),
        revision=item.before.get("revision"),
    )
