"""Glossary > Webhooks: who is told of changes, and what became of each message.

The permissions on webhooks decide for all of it: who has any of them may look, who may
change one may also give it another secret, try it, and send a message again.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import View
from django.views.generic import TemplateView
from django_filters.filters import DateFromToRangeFilter
from wagtail.admin import messages
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.ui.tables import (
    Column,
    DateColumn,
    StatusTagColumn,
    TitleColumn,
)
from wagtail.admin.views import generic
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import BaseButton, HeaderButton
from wagtail.log_actions import log
from wagtail.models import Site
from wagtail.permissions import policy_registry

from ..delivery.webhooks.addresses import AddressRefused, read_address
from ..delivery.webhooks.events import (
    EVENT_LABELS,
    EVENTS,
    TEST,
    make_test_message,
)
from ..delivery.webhooks.outbox import has_worker, send_at_once
from ..delivery.webhooks.signing import change_secret, new_secret
from ..models import WebhookDelivery, WebhookEndpoint
from .filters import ManyFilter


LOOKING = ["add", "change", "delete", "view"]
SHOWN_ONCE = "glossary_webhook_shown_once"
"""The key in a session of the webhook whose secret its owner may see."""
LATE = timedelta(minutes=15)
"""After this time, a message that is due still waits because nobody sends."""

Status = WebhookDelivery.Status


class WebhookForm(WagtailAdminModelForm):
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=lambda: list(EVENTS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Which events are told; none chosen means all."),
    )

    class Meta:
        model = WebhookEndpoint
        fields: ClassVar = ["site", "url", "description", "events", "active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = list(Site.objects.all()[:2])
        if len(sites) == 1:
            self.fields["site"].initial = sites[0]

    def clean_url(self) -> str:
        url = self.cleaned_data["url"]
        try:
            read_address(url)
        except AddressRefused as refused:
            raise forms.ValidationError(str(refused)) from refused
        return url

    def save(self, commit: bool = True) -> WebhookEndpoint:
        if not self.instance.secret:
            self.instance.secret = new_secret()
        if self.instance.active:
            self.instance.disabled_reason = ""
        return super().save(commit)


# Webhooks


def state(endpoint: WebhookEndpoint) -> str:
    if endpoint.active:
        return _("active")
    return _("disabled") if endpoint.disabled_reason else _("paused")


def events_in_words(endpoint: WebhookEndpoint) -> str:
    if not endpoint.events:
        return _("all")
    count = len(endpoint.events)
    return ngettext("%(count)d event", "%(count)d events", count) % {"count": count}


def deliveries_url(**filters: Any) -> str:
    url = reverse("glossary_webhooks:deliveries")
    return f"{url}?{urlencode(filters)}" if filters else url


def late_since() -> Any:
    """Since when a message has been waiting that should have gone out; None if all
    goes well."""
    now = timezone.now()
    late = WebhookDelivery.objects.filter(
        status=Status.PENDING,
        next_attempt__lt=now - LATE,
        endpoint__active=True,
        endpoint__not_before__lt=now - LATE,
    )
    return late.aggregate(first=Min("next_attempt"))["first"]


class WebhookIndexView(generic.IndexView):
    def get_base_queryset(self) -> QuerySet[WebhookEndpoint]:
        waiting = Count("deliveries", filter=Q(deliveries__status=Status.PENDING))
        endpoints = super().get_base_queryset().select_related("site")
        return endpoints.annotate(waiting=waiting)

    @cached_property
    def header_buttons(self) -> list[BaseButton]:
        deliveries = HeaderButton(
            _("Deliveries"), url=deliveries_url(), icon_name="list-ul"
        )
        return [*super().header_buttons, deliveries]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, "late_since": late_since(), "has_worker": has_worker()}


class WebhookCreateView(generic.CreateView):
    def save_instance(self) -> WebhookEndpoint:
        endpoint = super().save_instance()
        self.request.session[SHOWN_ONCE] = endpoint.pk
        return endpoint

    def get_success_url(self) -> str:
        return reverse("glossary_webhooks:secret", args=[self.object.pk])


class WebhookView(generic.InspectView):
    """One webhook: how it is set up, how it fares, and what can be done with it."""

    def get_page_title(self) -> str:
        return _("Webhook")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        endpoint = self.object
        counts = dict(
            endpoint.deliveries.order_by()
            .values_list("status")
            .annotate(count=Count("pk"))
        )
        now = timezone.now()
        until = endpoint.former_secret_until
        return {
            **super().get_context_data(**kwargs),
            "endpoint": endpoint,
            "state": state(endpoint),
            "events": [EVENT_LABELS.get(name, name) for name in endpoint.events],
            "former_secret_until": until if until and until > now else None,
            "counts": [
                {
                    "label": label,
                    "count": counts.get(status, 0),
                    "url": deliveries_url(endpoint=endpoint.pk, status=status),
                }
                for status, label in Status.choices
            ],
            "may_change": self.user_has_permission("change"),
        }


class OneWebhookMixin(PermissionCheckedMixin):
    """A view of the webhook whose id is in its address, for those who may change it."""

    model = WebhookEndpoint
    permission_required = "change"

    @cached_property
    def endpoint(self) -> WebhookEndpoint:
        endpoints = WebhookEndpoint.objects.select_related("site")
        return get_object_or_404(endpoints, pk=self.kwargs["pk"])

    @property
    def endpoint_url(self) -> str:
        return reverse("glossary_webhooks:inspect", args=[self.endpoint.pk])

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("glossary_webhooks:index"), "label": _("Webhooks")},
            {"url": self.endpoint_url, "label": str(self.endpoint)},
            {"url": "", "label": self.get_page_title()},
        ]


class SecretView(OneWebhookMixin, WagtailAdminTemplateMixin, TemplateView):
    """Shows the secret to whoever has just made it, and once."""

    template_name = "glossary/admin/webhooks/secret.html"
    page_title = gettext_lazy("Secret")
    header_icon = "key"
    # Who may add a webhook has made its secret, even if nothing else is allowed.
    permission_required = None
    any_permission_required = ("add", "change")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.session.pop(SHOWN_ONCE, None) != self.endpoint.pk:
            messages.warning(
                request,
                _("A secret is shown once, when it is made. If lost, change it."),
            )
            return redirect(self.endpoint_url)
        response = super().get(request, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "endpoint": self.endpoint,
            "endpoint_url": self.endpoint_url,
        }


class RotateView(OneWebhookMixin, WagtailAdminTemplateMixin, TemplateView):
    """Asks before the secret is changed, and then changes it."""

    template_name = "glossary/admin/webhooks/confirm_rotate.html"
    page_title = gettext_lazy("Change the secret")
    header_icon = "key"

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        change_secret(self.endpoint, timezone.now())
        log(instance=self.endpoint, action="glossary.change_secret", user=request.user)
        request.session[SHOWN_ONCE] = self.endpoint.pk
        return redirect("glossary_webhooks:secret", self.endpoint.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "endpoint": self.endpoint,
            "endpoint_url": self.endpoint_url,
        }


class TestView(OneWebhookMixin, View):
    """Sends a message that tells nothing, and says what came of it."""

    http_method_names: ClassVar = ["post"]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        delivery = make_test_message(self.endpoint)
        send_at_once(delivery, once=True)
        tell(request, delivery)
        return redirect("glossary_webhooks:delivery", delivery.pk)


# Deliveries


def event_label(delivery: WebhookDelivery) -> str:
    return str(EVENT_LABELS.get(delivery.event, delivery.event))


def outcome(attempt: dict[str, Any]) -> str:
    """What was answered: a status, or why there was none."""
    return str(attempt["status"] or attempt["error"])


def last_outcome(delivery: WebhookDelivery) -> str:
    return outcome(delivery.attempts[-1]) if delivery.attempts else ""


def delivery_url(delivery: WebhookDelivery) -> str:
    return reverse("glossary_webhooks:delivery", args=[delivery.pk])


def tell(request: HttpRequest, delivery: WebhookDelivery) -> None:
    if delivery.status == Status.DELIVERED:
        messages.success(request, _("The message was delivered."))
    else:
        messages.error(
            request,
            _("The message was not delivered: %(reason)s")
            % {"reason": last_outcome(delivery)},
        )


class DeliveryFilterSet(WagtailFilterSet):
    endpoint = ManyFilter(label=gettext_lazy("Webhook"))
    status = ManyFilter(label=gettext_lazy("Status"), choices=Status.choices)
    event = ManyFilter(
        label=gettext_lazy("Event"), choices=lambda: list(EVENT_LABELS.items())
    )
    created = DateFromToRangeFilter(
        label=gettext_lazy("Date"), widget=DateRangePickerWidget
    )

    class Meta:
        model = WebhookDelivery
        fields: ClassVar[list[str]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["endpoint"].extra["choices"] = [
            (endpoint.pk, str(endpoint)) for endpoint in WebhookEndpoint.objects.all()
        ]


class DeliveriesMixin:
    """What shows deliveries to those who may look at webhooks."""

    any_permission_required: ClassVar = LOOKING

    @cached_property
    def permission_policy(self) -> Any:
        return policy_registry.get_by_type(WebhookEndpoint)


class DeliveryIndexView(DeliveriesMixin, generic.IndexView):
    model = WebhookDelivery
    page_title = gettext_lazy("Deliveries")
    header_icon = "list-ul"
    index_url_name = "glossary_webhooks:deliveries"
    index_results_url_name = "glossary_webhooks:deliveries_results"
    filterset_class = DeliveryFilterSet
    default_ordering = "-created"
    paginate_by = 50
    columns: ClassVar = [
        TitleColumn(
            "event",
            label=gettext_lazy("Event"),
            accessor=event_label,
            get_url=delivery_url,
            sort_key="event",
            width="26%",
        ),
        Column("endpoint", label=gettext_lazy("Webhook"), width="22%"),
        StatusTagColumn(
            "status",
            label=gettext_lazy("Status"),
            accessor="get_status_display",
            primary=lambda delivery: delivery.status == Status.DELIVERED,
            sort_key="status",
        ),
        Column("outcome", label=gettext_lazy("Last answer"), accessor=last_outcome),
        DateColumn("created", label=gettext_lazy("Made"), sort_key="created"),
        DateColumn("next_attempt", label=gettext_lazy("Next attempt")),
    ]

    def get_base_queryset(self) -> QuerySet[WebhookDelivery]:
        return WebhookDelivery.objects.select_related("endpoint").defer("body")

    def order_queryset(
        self, queryset: QuerySet[WebhookDelivery]
    ) -> QuerySet[WebhookDelivery]:
        return queryset.order_by(self.ordering, "-pk")

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("glossary_webhooks:index"), "label": _("Webhooks")},
            {"url": "", "label": self.page_title},
        ]


class DeliveryView(DeliveriesMixin, generic.InspectView):
    """One message: what it says, and each attempt to deliver it."""

    model = WebhookDelivery
    template_name = "glossary/admin/webhooks/delivery.html"
    page_title = gettext_lazy("Delivery")
    header_icon = "list-ul"

    def get_object(self) -> WebhookDelivery:
        deliveries = WebhookDelivery.objects.select_related("endpoint")
        return get_object_or_404(deliveries, pk=self.pk)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("glossary_webhooks:index"), "label": _("Webhooks")},
            {"url": deliveries_url(), "label": _("Deliveries")},
            {"url": "", "label": event_label(self.object)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        delivery = self.object
        return {
            **super().get_context_data(**kwargs),
            "delivery": delivery,
            "event": event_label(delivery),
            "body": json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False),
            "attempts": [
                {
                    "at": parse_datetime(attempt["at"]),
                    "outcome": outcome(attempt),
                    "text": attempt["text"],
                }
                for attempt in reversed(delivery.attempts)
            ],
            "may_redeliver": self.user_has_permission("change")
            and delivery.endpoint.active,
        }


class RedeliverView(PermissionCheckedMixin, View):
    """Sends a message once more, and says what came of it."""

    model = WebhookEndpoint
    permission_required = "change"
    http_method_names: ClassVar = ["post"]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        deliveries = WebhookDelivery.objects.select_related("endpoint")
        delivery = get_object_or_404(deliveries, pk=self.kwargs["pk"])
        if delivery.endpoint.active:
            send_at_once(delivery, once=delivery.event == TEST)
            tell(request, delivery)
        else:
            messages.error(request, _("This webhook is not active."))
        return redirect("glossary_webhooks:delivery", delivery.pk)


class WebhookViewSet(ModelViewSet):
    """Glossary > Webhooks."""

    model = WebhookEndpoint
    index_view_class = WebhookIndexView
    add_view_class = WebhookCreateView
    inspect_view_class = WebhookView
    index_template_name = "glossary/admin/webhooks/index.html"
    inspect_template_name = "glossary/admin/webhooks/endpoint.html"
    icon = "globe"
    menu_label = gettext_lazy("Webhooks")
    menu_name = "glossary-webhooks"
    menu_order = 600
    url_prefix = "glossary/webhooks"
    url_namespace = "glossary_webhooks"
    # Nothing of the site hangs on a webhook.
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = True
    search_fields: ClassVar = ["description", "url"]
    search_backend_name = None
    list_display: ClassVar = [
        "__str__",
        Column("url", label=gettext_lazy("Address"), width="30%"),
        Column("site", label=gettext_lazy("Site")),
        Column("events", label=gettext_lazy("Events"), accessor=events_in_words),
        StatusTagColumn(
            "state",
            label=gettext_lazy("Status"),
            accessor=state,
            primary=lambda endpoint: endpoint.active,
            sort_key="active",
        ),
        DateColumn("last_success", label=gettext_lazy("Last delivery")),
        Column("waiting", label=gettext_lazy("Waiting"), sort_key="waiting"),
    ]

    def get_form_class(self, for_update: bool = False) -> type[WebhookForm]:
        return WebhookForm

    def get_urlpatterns(self) -> list[Any]:
        deliveries = self.construct_view(DeliveryIndexView)
        results = self.construct_view(DeliveryIndexView, results_only=True)
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/secret/", SecretView.as_view(), name="secret"),
            path("<int:pk>/change-secret/", RotateView.as_view(), name="rotate"),
            path("<int:pk>/test/", TestView.as_view(), name="test"),
            path("deliveries/", deliveries, name="deliveries"),
            path("deliveries/results/", results, name="deliveries_results"),
            path("deliveries/<int:pk>/", DeliveryView.as_view(), name="delivery"),
            path(
                "deliveries/<int:pk>/redeliver/",
                RedeliverView.as_view(),
                name="redeliver",
            ),
        ]
