from __future__ import annotations

import signal
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils.translation import gettext as _

from ...delivery.webhooks.outbox import expire_deliveries, send_due
from ...models import WebhookDelivery


HOUR = 3600
Status = WebhookDelivery.Status


class Command(BaseCommand):
    help = (
        "Sends the webhooks that are due, and deletes old deliveries. Needed where "
        "TASKS names no worker, and for repeated attempts where its worker cannot put "
        "a task off. It may run several times at once. Ends with status 0 whatever "
        "the receivers answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--forever",
            action="store_true",
            help="Go on until stopped, instead of ending when nothing is due.",
        )
        parser.add_argument(
            "--interval",
            type=float,
            default=5,
            metavar="SECONDS",
            help="With --forever, how often to look for what is due. Default: 5.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["interval"] <= HOUR:
            raise CommandError(
                _("--interval is a number of seconds, from more than 0 to %(most)d.")
                % {"most": HOUR},
                returncode=2,
            )
        if not options["forever"]:
            self._send(is_told=True)
            self._expire()
            return
        # Whatever stops a service lets it give back what it holds.
        signal.signal(signal.SIGTERM, lambda *_args: sys.exit(0))
        try:
            self._go_on(options["interval"])
        except KeyboardInterrupt:
            self.stdout.write(_("Stopped."))

    def _go_on(self, interval: float) -> None:
        expire_at = 0.0
        while True:
            close_old_connections()
            self._send()
            if time.monotonic() >= expire_at:
                self._expire()
                expire_at = time.monotonic() + HOUR
            time.sleep(interval)

    def _send(self, *, is_told: bool = False) -> None:
        counts = send_due().counts
        if counts or is_told:
            self.stdout.write(
                _(
                    "%(delivered)d delivered, %(again)d to be tried again, %(failed)d "
                    "given up."
                )
                % {
                    "delivered": counts[Status.DELIVERED],
                    "again": counts[Status.PENDING],
                    "failed": counts[Status.FAILED],
                }
            )

    def _expire(self) -> None:
        if count := expire_deliveries():
            self.stdout.write(_("%(count)d old deliveries deleted.") % {"count": count})
