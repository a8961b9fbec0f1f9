from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from ...conf import import_max_file_size
from ...importing.apply import apply_plan
from ...importing.plan import make_plan
from ...payload.devalue import PayloadError
from ...payload.sources import count_sources, read_sources
from ._lookup import find_glossary


T = TypeVar("T")


class Command(BaseCommand):
    help = (
        "Imports terms from payload files. Ends with status 0 if all went well, 1 if "
        "some terms failed or are in conflict, 2 if nothing could be imported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths",
            nargs="+",
            type=Path,
            metavar="PATH",
            help="A file, or a folder with _payload.json, *.json and *.jsonl below it.",
        )
        parser.add_argument(
            "--glossary", required=True, metavar="SLUG", help="Where the terms go."
        )
        parser.add_argument(
            "--locale",
            metavar="CODE",
            help="The language of the glossary, if several share the slug.",
        )
        parser.add_argument(
            "--draft", action="store_true", help="Save drafts and publish nothing."
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Show what would change, field by field, and write nothing.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        glossary = find_glossary(options["glossary"], options["locale"])
        dry_run = options["dry_run"]
        try:
            total = count_sources(options["paths"])
            records = read_sources(
                options["paths"], max_file_bytes=import_max_file_size()
            )
            plan = make_plan(
                self._with_progress(records, total, _("Reading")),
                glossary,
                draft=options["draft"],
            )
        except PayloadError as error:
            raise CommandError(str(error), returncode=2) from error
        if not plan.items:
            raise CommandError(_("There is nothing to import here."), returncode=2)

        report = plan.report
        if not dry_run:
            results = apply_plan(plan, draft=options["draft"])
            for _result in self._with_progress(
                results, len(plan.items), _("Importing")
            ):
                pass
        detailed = dry_run or options["verbosity"] > 1
        for line in report.lines(changes=detailed):
            self.stdout.write(line)
        summary = report.summary()
        self.stdout.write(
            _("Nothing was written. %(summary)s") % {"summary": summary}
            if dry_run
            else summary
        )
        if all(item.work is None for item in plan.items):
            raise CommandError(_("No record here is a usable term."), returncode=2)
        if not report.is_clean:
            sys.exit(1)

    def _with_progress(self, steps: Iterable[T], total: int, label: str) -> Iterator[T]:
        """A bar on a terminal; otherwise a line now and then, for logs."""
        is_terminal = self.stdout.isatty()
        for count, step in enumerate(steps, start=1):
            yield step
            if is_terminal:
                self.stdout.write(_bar(label, count, total), ending="")
            elif count % 1000 == 0:
                self.stdout.write(f"{label}: {count}/{total}")
        if is_terminal:
            self.stdout.write("")


def _bar(label: str, count: int, total: int, width: int = 30) -> str:
    share = min(count / total, 1) if total else 1
    done = round(share * width)
    return f"\r{label} [{'#' * done}{' ' * (width - done)}] {count}/{total}"
