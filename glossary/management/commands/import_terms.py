from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from ...conf import field_map, import_max_file_size
from ...importing.lock import Locked
from ...importing.options import Atomic, OnConflict, Options, Orphans
from ...importing.report import Counts, Result, ResultFile
from ...importing.run import Import, RunFailed
from ...importing.staging import Staging
from ...importing.undo import Undo
from ...models import ImportRun
from ...models.imports import DEFAULT_SOURCE
from ...payload.devalue import PayloadError
from ...payload.field_map import FieldMap
from ...payload.records import SourceLimits
from ...payload.sources import count_sources, read_sources
from ._lookup import find_glossary
from ._progress import Progress


TROUBLE, NOTHING, LOCKED, FAILED = 1, 2, 3, 4


class Command(BaseCommand):
    help = (
        "Imports terms from payload files. Ends with status 0 if all went well, 1 if "
        "some terms failed, are blocked or are in conflict, 2 if nothing could be "
        "imported, 3 if another import is in progress, 4 if the database failed."
    )

    def run_from_argv(self, argv: list[str]) -> None:
        # What a site has loaded is here to stay: not to be searched for garbage again
        # and again while thousands of terms are made.
        gc.freeze()
        super().run_from_argv(argv)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths",
            nargs="*",
            type=Path,
            metavar="SOURCE",
            help="A file, a folder, a zip or tar archive, or - for standard input.",
        )
        parser.add_argument("--glossary", metavar="SLUG", help="Where the terms go.")
        parser.add_argument(
            "--locale",
            metavar="CODE",
            help="The language of the glossary, if several share the slug.",
        )
        parser.add_argument(
            "--source",
            default=DEFAULT_SOURCE,
            metavar="NAME",
            help="What the source is called, if the glossary has several.",
        )
        parser.add_argument(
            "--map",
            type=Path,
            metavar="FILE",
            help="How the source's fields are called here, as JSON or TOML.",
        )
        parser.add_argument(
            "--user",
            metavar="NAME",
            help="Import with the rights of this user. Default: the system, with all.",
        )
        parser.add_argument(
            "--draft", action="store_true", help="Save drafts and publish nothing."
        )
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="Take over pages of the same slug that no import has made.",
        )
        parser.add_argument(
            "--on-conflict",
            choices=list(OnConflict),
            default=OnConflict.DRAFT,
            type=OnConflict,
            help="What becomes of a field that changed both here and in the source: "
            "the source's waits as a proposal (draft), the page keeps its own for good "
            "(ours), the source's is taken (theirs), the term is left alone (skip), "
            "nothing is imported at all (fail).",
        )
        parser.add_argument(
            "--orphans",
            choices=list(Orphans),
            default=Orphans.REPORT,
            type=Orphans,
            help="What becomes of terms that are gone from the source.",
        )
        parser.add_argument(
            "--orphan-limit",
            type=int,
            default=10,
            metavar="PERCENT",
            help="Unpublish nothing if more of the source's terms are gone.",
        )
        parser.add_argument(
            "--atomic",
            choices=list(Atomic),
            default=Atomic.CHUNK,
            type=Atomic,
            help="Write chunk by chunk, or all terms or none.",
        )
        parser.add_argument(
            "--chunk-size",
            type=int,
            default=Options().chunk_size,
            metavar="N",
            help="How many terms go into one transaction.",
        )
        parser.add_argument(
            "--max-errors",
            type=int,
            metavar="N",
            help="Stop when more terms than this have failed.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Show what would change, field by field, and write nothing.",
        )
        parser.add_argument(
            "--report",
            type=Path,
            metavar="FILE",
            help="Write all outcomes as JSON. With --dry-run, a plan to apply later.",
        )
        parser.add_argument(
            "--plan",
            type=Path,
            metavar="FILE",
            help="Apply a plan that --dry-run --report has written; what has changed "
            "since is planned anew, and said.",
        )
        parser.add_argument(
            "--undo",
            type=int,
            metavar="RUN",
            help="Undo this run, where nobody has changed its terms since.",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="Print each outcome as a line of JSON, for programs.",
        )
        parser.add_argument(
            "--yes",
            action="store_true",
            help="Do not ask before terms are unpublished.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.options = options
        self.detailed = options["dry_run"] or options["verbosity"] > 1
        with ExitStack() as stack:
            self.keep = stack.enter_context(self._report_file())
            undoes = options["undo"] is not None
            status = self._undo() if undoes else self._import(stack)
        if status:
            sys.exit(status)

    # Imports

    def _import(self, stack: ExitStack) -> int:
        options = self.options
        if not options["paths"] or not options["glossary"]:
            raise CommandError(
                _("Say what to import, and where to: SOURCE --glossary SLUG."),
                returncode=NOTHING,
            )
        glossary = find_glossary(options["glossary"], options["locale"])
        mapping = self._field_map()
        staging = stack.enter_context(Staging(mapping.fingerprint if mapping else ""))
        self._read(staging, mapping)
        if options["plan"]:
            self._load_plan(staging)
        work = Import(
            staging, glossary, self._options(), self._user(), on_result=self._tell
        )
        self.progress = Progress(self.stdout, len(staging), _("Planning"))
        if options["dry_run"]:
            work.plan()
        else:
            if work.options.orphans is Orphans.UNPUBLISH:
                self._confirm()
            self.progress.label = _("Importing")
            with self._failures():
                work.apply()
        self.progress.end()
        summary = work.counts.summary()
        if options["dry_run"]:
            summary = _("Nothing was written. %(summary)s") % {"summary": summary}
        self._conclude(work.run, work.counts, summary)
        return self._status(work.run, work.counts)

    def _field_map(self) -> FieldMap | None:
        try:
            if self.options["map"]:
                return FieldMap.load(self.options["map"])
            return FieldMap.from_dict(field_map()) if field_map() else None
        except (PayloadError, OSError) as error:
            raise CommandError(str(error), returncode=NOTHING) from error

    def _read(self, staging: Staging, mapping: FieldMap | None) -> None:
        paths = self.options["paths"]
        limits = SourceLimits(file=import_max_file_size(), entry=import_max_file_size())
        try:
            # A log needs no total, and to count means to look into each file.
            is_watched = self.stdout.isatty()
            total = count_sources(paths, limits=limits) if is_watched else 0
            progress = Progress(self.stdout, total, _("Reading"))
            records = read_sources(paths, field_map=mapping, limits=limits)
            for count in staging.add(records):
                progress.show(count)
            progress.end()
        except PayloadError as error:
            raise CommandError(str(error), returncode=NOTHING) from error
        if not len(staging):
            raise CommandError(
                _("There is nothing to import here."), returncode=NOTHING
            )

    def _options(self) -> Options:
        options = self.options
        if options["chunk_size"] < 1 or not 0 <= options["orphan_limit"] <= 100:
            raise CommandError(
                _("--chunk-size is at least 1, --orphan-limit is a percentage."),
                returncode=NOTHING,
            )
        return Options(
            source=options["source"],
            on_conflict=OnConflict(options["on_conflict"]),
            draft=options["draft"],
            adopt=options["adopt"],
            orphans=Orphans(options["orphans"]),
            orphan_limit=options["orphan_limit"] / 100,
            atomic=Atomic(options["atomic"]),
            chunk_size=options["chunk_size"],
            max_errors=options["max_errors"],
        )

    def _user(self) -> Any:
        name = self.options["user"]
        if name is None:
            return None
        User = get_user_model()
        user = User.objects.filter(**{User.USERNAME_FIELD: name}).first()
        if user is None or not user.is_active:
            raise CommandError(
                _("There is no active user “%(name)s”.") % {"name": name},
                returncode=NOTHING,
            )
        return user

    def _load_plan(self, staging: Staging) -> None:
        path = self.options["plan"]
        try:
            with path.open(encoding="utf-8") as file:
                staging.expect(ResultFile.read(file))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(
                _("%(path)s is no plan: %(why)s. Write one with --dry-run --report.")
                % {"path": path, "why": error},
                returncode=NOTHING,
            ) from error

    def _confirm(self) -> None:
        if self.options["yes"]:
            return
        question = _(
            "Terms that are gone from the source will be unpublished. Go on? [y/N] "
        )
        if not sys.stdin.isatty():
            raise CommandError(
                _("Unpublishing needs --yes where nobody can be asked."),
                returncode=NOTHING,
            )
        if input(question).strip().lower() not in ("y", "yes"):
            raise CommandError(_("Nothing was imported."), returncode=NOTHING)

    # Undoing

    def _undo(self) -> int:
        if self.options["paths"] or self.options["dry_run"]:
            raise CommandError(
                _("--undo takes no source, and no --dry-run."), returncode=NOTHING
            )
        run = ImportRun.objects.filter(pk=self.options["undo"]).first()
        if run is None:
            raise CommandError(
                _("There is no run %(run)d.") % {"run": self.options["undo"]},
                returncode=NOTHING,
            )
        undo = Undo(run, self._user(), on_result=self._tell)
        self.progress = Progress(self.stdout, undo.total, _("Undoing"))
        with self._failures():
            undo.apply()
        self.progress.end()
        self._conclude(undo.run, undo.counts, undo.counts.summary())
        return 0 if undo.counts.is_clean and not is_stopped(undo.run) else TROUBLE

    # What is said

    def _status(self, run: ImportRun | None, counts: Counts) -> int:
        """The exit status of an import that came to its end, or was stopped."""
        if is_stopped(run):
            return TROUBLE if counts.by_outcome else NOTHING
        if not counts.terms:
            self.stderr.write(_("No record here is a usable term."))
            return NOTHING
        return 0 if counts.is_clean else TROUBLE

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except Locked as error:
            raise CommandError(str(error), returncode=LOCKED) from error
        except RunFailed as error:
            raise CommandError(str(error), returncode=FAILED) from error

    @contextmanager
    def _report_file(self) -> Iterator[ResultFile | None]:
        """A report is there whole or not at all: without one if this raises."""
        path = self.options["report"]
        if path is None:
            yield None
            return
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        except OSError as error:
            raise CommandError(
                _("The report cannot be written: %(why)s.") % {"why": error},
                returncode=NOTHING,
            ) from error
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                report = ResultFile(file)
                yield report
                report.end()
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _tell(self, result: Result) -> None:
        if self.keep:
            self.keep.add(result)
        lines = (
            [json.dumps(result.as_json(), ensure_ascii=False, default=str)]
            if self.options["json"]
            else result.lines(changes=self.detailed)
        )
        if text := "\n".join(lines):
            self.progress.clear()
            self.stdout.write(text)
        self.progress.step()

    def _conclude(self, run: ImportRun | None, counts: Counts, summary: str) -> None:
        message = run.message if run is not None else ""
        if self.keep:
            self.keep.counts = counts.as_json()
            self.keep.message = message
        if self.options["json"]:
            said: dict[str, Any] = {"run": run and run.pk, "counts": counts.as_json()}
            if message:
                said["message"] = message
            self.stdout.write(json.dumps(said, ensure_ascii=False))
            return
        if run is not None:
            summary = _("Run %(run)s: %(summary)s") % {"run": run, "summary": summary}
            if message:
                summary = f"{message}\n{summary}"
        self.stdout.write(summary)


def is_stopped(run: ImportRun | None) -> bool:
    """Whether a run ended before its time."""
    return run is not None and run.status == ImportRun.Status.STOPPED
