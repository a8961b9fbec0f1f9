from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ...delivery.auditing import differences
from ...delivery.catalogue import rebuild


class Command(BaseCommand):
    help = (
        "Make anew what lists, counts, suggestions and the change log are made from. "
        "Needed after pages were written past Wagtail: by loaddata, in SQL, or by "
        "QuerySet.update()."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Only tell what differs from the pages, and end with status 1 if "
            "anything does. Nothing is written.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
        else:
            count = rebuild()
            self.stdout.write(f"{count} public terms are in the catalogue.")

    def _check(self) -> None:
        count = 0
        for difference in differences():
            self.stdout.write(difference)
            count += 1
        if count:
            self.stderr.write(
                f"Differences: {count}. manage.py rebuild_catalogue puts them right."
            )
            sys.exit(1)
        self.stdout.write("The catalogue agrees with the pages.")
