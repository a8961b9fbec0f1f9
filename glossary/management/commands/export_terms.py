from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from ...exporting import FORMATS, ExportError, Format, Selection, terms_to_export
from ...exporting.destination import write_file, write_folder
from ...exporting.static import publish_static
from ._lookup import find_glossary
from ._progress import Progress


STANDARD_OUTPUT = Path("-")


class Command(BaseCommand):
    help = (
        "Exports the terms of a glossary. Ends with status 0 if all went well, 1 if "
        "some terms had to be left out, 2 if nothing could be exported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "out",
            type=Path,
            metavar="OUT",
            help="The file to write, or - for standard output. For payload and "
            "markdown a folder, or a file that ends in .zip.",
        )
        parser.add_argument(
            "--glossary", required=True, metavar="SLUG", help="Whose terms."
        )
        parser.add_argument(
            "--format", required=True, choices=[*FORMATS], help="How they are written."
        )
        parser.add_argument(
            "--locale",
            metavar="CODE",
            help="The language of the glossary, if several share the slug.",
        )
        parser.add_argument(
            "--slug",
            action="append",
            metavar="SLUG",
            help="Export this term alone. May be given several times.",
        )
        parser.add_argument(
            "--drafts",
            action="store_true",
            help="Export the latest version of every term, published or not.",
        )
        parser.add_argument(
            "--user",
            metavar="NAME",
            help="With --drafts: only terms that this user may edit.",
        )
        parser.add_argument(
            "--static",
            action="store_true",
            help="With payload: make OUT a link to a tree that a web server serves, "
            "with compressed files, and swap it in one step.",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="Replace the export that is in the folder OUT.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._check(options)
        selection = terms_to_export(
            find_glossary(options["glossary"], options["locale"]),
            user=self._find_user(options["user"]),
            drafts=options["drafts"],
            slugs=options["slug"],
        )
        if missing := selection.missing(options["slug"] or ()):
            raise CommandError(
                _("There are no such terms to export: %(slugs)s. Nothing was written.")
                % {"slugs": ", ".join(missing)},
                returncode=2,
            )
        total = selection.count()
        if not total:
            raise CommandError(_("There are no terms to export."), returncode=2)
        out = options["out"]
        # Standard output is the export's alone.
        told = self.stderr if out == STANDARD_OUTPUT else self.stdout
        if told is self.stderr:
            told.style_func = None
        progress = Progress(told, total, _("Exporting"))
        selection.on_term = progress.step
        try:
            self._write(selection, FORMATS[options["format"]], options)
            progress.end()
        except ExportError as error:
            raise CommandError(str(error), returncode=2) from error
        except OSError as error:
            raise CommandError(
                _("%(path)s cannot be written: %(cause)s. What was there is as before.")
                % {"path": out, "cause": error.strerror or error},
                returncode=2,
            ) from error
        for problem in selection.problems:
            self.stderr.write(problem)
        told.write(
            _("Exported %(count)d of %(total)d terms.")
            % {"count": total - len(selection.problems), "total": total}
        )
        if selection.problems:
            sys.exit(1)

    def _check(self, options: dict[str, Any]) -> None:
        out, name = options["out"], options["format"]
        has_files = FORMATS[name].files is not None
        faults = {
            _("--user needs --drafts: what is public is so for everyone."): (
                options["user"] and not options["drafts"]
            ),
            _("--static is for the format payload."): (
                options["static"] and name != "payload"
            ),
            _("--static writes a tree: OUT is the name of its link."): (
                options["static"] and (out == STANDARD_OUTPUT or _is_zip(out))
            ),
            _("The format %(format)s is many files: OUT is a folder or ends in .zip.")
            % {"format": name}: has_files and out == STANDARD_OUTPUT,
            _("%(path)s is a folder. Name a file.") % {"path": out}: (
                (not has_files or _is_zip(out)) and out.is_dir()
            ),
        }
        for message, is_at_fault in faults.items():
            if is_at_fault:
                raise CommandError(message, returncode=2)

    def _find_user(self, name: str | None) -> Any:
        if name is None:
            return None
        User = get_user_model()
        try:
            return User.objects.get_by_natural_key(name)
        except User.DoesNotExist as error:
            raise CommandError(
                _("There is no user “%(name)s”.") % {"name": name}, returncode=2
            ) from error

    def _write(
        self, selection: Selection, format: Format, options: dict[str, Any]
    ) -> None:
        out, force = options["out"], options["force"]
        if out == STANDARD_OUTPUT:
            self._write_out(format.stream(selection))
        elif options["static"]:
            publish_static(out, format.files(selection), force=force)
        elif format.files is None or _is_zip(out):
            write_file(out, format.stream(selection))
        else:
            write_folder(out, format.files(selection), force=force)

    def _write_out(self, pieces: Iterable[bytes]) -> None:
        self.stdout.flush()
        out: BinaryIO = self.stdout.buffer
        for piece in pieces:
            out.write(piece)
        out.flush()


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"
