from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...importing.consistency.checking import Consistency
from ...importing.consistency.findings import Finding
from ...models import GlossaryPage
from ._lookup import find_glossary, find_locale
from ._progress import Progress


class Command(BaseCommand):
    help = (
        "Compares what the glossaries store twice: revisions, the tree, related terms, "
        "indexes and what imports remember. Ends with status 0 if all agrees, 1 if "
        "something is left that differs, 2 if nothing could be checked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--glossary", metavar="SLUG", help="Check this glossary. Default: all."
        )
        parser.add_argument(
            "--locale", metavar="CODE", help="Check the glossaries of this language."
        )
        parser.add_argument(
            "--fix",
            action="store_true",
            help="Repair what differs. Without it nothing is written.",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="Print each finding as a line of JSON, for programs.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = options["json"]
        self.found = self.left = 0
        checks = [
            Consistency(glossary, fix=options["fix"], on_finding=self._tell)
            for glossary in self._glossaries(options["glossary"], options["locale"])
        ]
        # With --json, standard output is for the findings alone.
        told = self.stderr if self.as_json else self.stdout
        if self.as_json:
            told.style_func = None
        total = sum(check.total() for check in checks)
        self.progress = Progress(told, total, _("Checking"))
        for check in checks:
            check.on_seen = self._seen
            check.run()
        self.progress.end()
        self._conclude(len(checks))
        if self.left:
            sys.exit(1)

    def _glossaries(self, slug: str | None, code: str | None) -> list[GlossaryPage]:
        if slug:
            return [find_glossary(slug, code)]
        glossaries = GlossaryPage.objects.order_by("pk")
        if code is None:
            return list(glossaries)
        found = list(glossaries.filter(locale=find_locale(code)))
        if not found:
            raise CommandError(
                _("There is no glossary in the language “%(code)s”.") % {"code": code},
                returncode=2,
            )
        return found

    def _seen(self, count: int) -> None:
        for _row in range(count):
            self.progress.step()

    def _tell(self, finding: Finding) -> None:
        self.found += 1
        self.left += not finding.repaired
        self.progress.clear()
        self.stdout.write(
            json.dumps(finding.as_json(), ensure_ascii=False)
            if self.as_json
            else str(finding)
        )

    def _conclude(self, glossaries: int) -> None:
        if self.as_json:
            counts = {"glossaries": glossaries, "found": self.found, "left": self.left}
            self.stdout.write(json.dumps(counts))
            return
        repaired = self.found - self.left
        found = ngettext("%(count)d finding", "%(count)d findings", self.found) % {
            "count": self.found
        }
        self.stdout.write(
            _("%(found)s, %(repaired)d repaired, %(left)d left.")
            % {"found": found, "repaired": repaired, "left": self.left}
        )
