"""Who is told of changes, and what has been told to whom."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site


def no_events() -> list[str]:
    return []


class WebhookEndpoint(models.Model):
    """An address that is told of changes, after Standard Webhooks 1.0."""

    site = models.ForeignKey(
        Site,
        verbose_name=_("site"),
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("The site whose changes are told."),
    )
    # No URLField: that takes no host without a dot, as there are in private networks.
    url = models.CharField(
        verbose_name=_("address"),
        max_length=2000,
        help_text=_("An https address on a public server."),
    )
    description = models.CharField(
        verbose_name=_("description"), max_length=255, blank=True
    )
    events = models.JSONField(
        verbose_name=_("events"),
        default=no_events,
        blank=True,
        help_text=_("Which events are told; none chosen means all."),
    )
    secret = models.CharField(
        verbose_name=_("secret"), max_length=128, editable=False, blank=True
    )
    former_secret = models.CharField(
        verbose_name=_("former secret"), max_length=128, editable=False, blank=True
    )
    former_secret_until = models.DateTimeField(
        verbose_name=_("former secret valid until"),
        null=True,
        blank=True,
        editable=False,
    )
    active = models.BooleanField(verbose_name=_("active"), default=True)
    disabled_reason = models.CharField(
        verbose_name=_("reason of its end"), max_length=255, blank=True, editable=False
    )
    not_before = models.DateTimeField(
        verbose_name=_("nothing is sent before"),
        default=timezone.now,
        editable=False,
        help_text=_("Until then a process is sending to it, or it is left to recover."),
    )
    last_success = models.DateTimeField(
        verbose_name=_("last delivery"), null=True, blank=True, editable=False
    )
    created = models.DateTimeField(
        verbose_name=_("created"), default=timezone.now, editable=False
    )

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.description or self.url


class WebhookDelivery(models.Model):
    """A message for one endpoint, with what became of it. It stands in the outbox
    from the transaction of the change on, until it has been taken or given up."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Given up")

    endpoint = models.ForeignKey(
        WebhookEndpoint,
        verbose_name=_("webhook"),
        on_delete=models.CASCADE,
        related_name="deliveries",
    )
    message_id = models.CharField(
        verbose_name=_("message"),
        max_length=64,
        help_text=_("The same at each attempt: by it a receiver knows a repetition."),
    )
    event = models.CharField(verbose_name=_("event"), max_length=64)
    body = models.TextField(verbose_name=_("body"))
    status = models.CharField(
        verbose_name=_("status"),
        max_length=16,
        choices=Status,
        default=Status.PENDING,
    )
    attempts = models.JSONField(
        verbose_name=_("attempts"),
        default=list,
        help_text=_("When each was made, and what was answered."),
    )
    next_attempt = models.DateTimeField(
        verbose_name=_("next attempt"), default=timezone.now, null=True, blank=True
    )
    created = models.DateTimeField(verbose_name=_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "message_id"],
                name="glossary_webhookdelivery_unique",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "next_attempt"], name="glossary_webhook_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.message_id}"
