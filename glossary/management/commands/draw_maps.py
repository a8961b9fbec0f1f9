from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from wagtail.models import Site

from ... import conf
from ...delivery.scope import make_scope
from ...site.map import draw_maps


class Command(BaseCommand):
    help = (
        "Find out where the terms stand on the maps of all glossaries, so that no "
        "visitor has to wait for it. What is known already is not found out again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--glossary", metavar="SLUG", help="Only of the glossaries of this slug."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if conf.api_cache() is None:
            raise CommandError(
                "GLOSSARY_API_CACHE is None, so there is no place to keep maps in.",
                returncode=1,
            )
        for site in Site.objects.select_related("root_page__locale"):
            scope = make_scope(site)
            glossaries = scope.select(glossary=options["glossary"])
            for glossary, category, terms in draw_maps(scope, glossaries):
                name = f"{glossary.slug}, {category}" if category else glossary.slug
                self.stdout.write(f"{site.hostname}: {name}: {terms} terms")
