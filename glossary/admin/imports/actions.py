"""What can be done with a run. Each of these changes something, so each is a POST."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from ...importing.jobs import (
    JobError,
    begin_again,
    begin_apply,
    begin_undo,
    discard,
    request_stop,
)
from ...importing.options import OnConflict
from ...importing.report import Outcome
from ...models import ImportItem, ImportRun
from .access import RunMixin
from .forms import DECISIONS, ApplyForm, decision_name, saved_message
from .run import may_decide, may_undo
from .runs import counts_in_words, run_title


class ActionView(RunMixin, View):
    """Does something with a run, and leads back to it."""

    http_method_names: ClassVar = ["post"]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                self.act()
        except JobError as error:
            messages.error(request, str(error))
        return redirect(self.get_success_url())

    def act(self) -> None:
        """Do it. Raises JobError, with the reason, if it cannot be done."""
        raise NotImplementedError

    def get_success_url(self) -> str:
        return reverse("glossary_imports:run", args=[self.run.pk])


class StopView(ActionView):
    def act(self) -> None:
        if not self.run.is_under_way:
            raise JobError(_("This run is no longer under way."))
        request_stop(self.run)
        messages.success(
            self.request, _("The run stops once it has written the terms at hand.")
        )


class DiscardView(ActionView):
    def act(self) -> None:
        title = run_title(self.run)
        discard(self.run)
        messages.success(
            self.request, _("%(run)s is discarded, with its files.") % {"run": title}
        )

    def get_success_url(self) -> str:
        return reverse("glossary_imports:index")


class GoOnView(ActionView):
    """Plans what a run that ended before its time has left."""

    def act(self) -> None:
        self.again = begin_again(self.run, self.request.user)

    def get_success_url(self) -> str:
        again = getattr(self, "again", self.run)
        return reverse("glossary_imports:run", args=[again.pk])


class DecideView(ActionView):
    """Keeps what is chosen for the conflicts of single terms."""

    def act(self) -> None:
        count = save_decisions(self.run, self.request.POST)
        messages.success(self.request, saved_message(count))

    def get_success_url(self) -> str:
        # Back to the same part of the table.
        return f"{super().get_success_url()}?{self.request.GET.urlencode()}"


class ApplyView(ActionView):
    def act(self) -> None:
        form = ApplyForm(self.request.POST)
        if not form.is_valid():
            raise JobError(_("Choose what is to become of conflicts."))
        save_decisions(self.run, self.request.POST)
        policy = OnConflict(form.cleaned_data["on_conflict"])
        begin_apply(self.run, policy, self.request.user)


def save_decisions(run: ImportRun, posted: Any) -> int:
    """Keep what is chosen for single terms; returns for how many. Raises JobError for
    a run that is not waiting to be applied."""
    if run.status != ImportRun.Status.PLANNED:
        raise JobError(_("This run is not waiting to be applied."))
    allowed = {str(value) for value, _label in DECISIONS}
    chosen = [
        int(name.removeprefix("decision-"))
        for name in posted
        if name.startswith("decision-") and name[9:].isdecimal() and len(name) < 28
    ][:1000]
    items: list[ImportItem] = []
    conflicts = run.items.filter(pk__in=chosen, outcome=Outcome.CONFLICT)
    for item in conflicts.defer("before", "after"):
        decision = posted.get(decision_name(item), "")
        if decision in allowed and decision != item.decision and may_decide(item):
            item.decision = decision
            items.append(item)
    ImportItem.objects.bulk_update(items, ["decision"])
    return len(items)


class UndoView(RunMixin, WagtailAdminTemplateMixin, TemplateView):
    """Asks before a run is undone, and then undoes it."""

    template_name = "glossary/admin/imports/confirm_undo.html"
    header_icon = "rotate"

    def get_page_title(self) -> str:
        return _("Undo %(run)s") % {"run": run_title(self.run)}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        run_url = reverse("glossary_imports:run", args=[self.run.pk])
        return [
            *self.breadcrumbs_items,
            {"url": reverse("glossary_imports:index"), "label": _("Imports")},
            {"url": run_url, "label": run_title(self.run)},
            {"url": "", "label": _("Undo")},
        ]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_undo(self.run):
            return self._refuse(_("There is nothing to undo in this run."))
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                undo = begin_undo(self.run, request.user)
        except JobError as error:
            return self._refuse(str(error))
        return redirect("glossary_imports:run", undo.pk)

    def _refuse(self, reason: str) -> HttpResponse:
        messages.error(self.request, reason)
        return redirect("glossary_imports:run", self.run.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        written = self.run.items.filter(applied=True).count()
        return {
            **context,
            "run": self.run,
            "run_title": run_title(self.run),
            "counts": counts_in_words(self.run),
            "written": written,
        }
