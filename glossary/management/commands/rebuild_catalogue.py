from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ...delivery.catalogue import rebuild


class Command(BaseCommand):
    help = (
        "Make anew what lists, counts, suggestions and the change log are made from. "
        "Needed after pages were written past Wagtail: by loaddata, in SQL, or by "
        "QuerySet.update()."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = rebuild()
        self.stdout.write(f"{count} public terms are in the catalogue.")
