from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import swapper
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from wagtail.models import Locale, Site

from ...models import GlossaryPage
from ._lookup import find_locale


class Command(BaseCommand):
    help = "Creates a glossary, published and empty."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="The last part of the glossary's address.")
        parser.add_argument("--title", required=True, help="The name of the glossary.")
        parser.add_argument(
            "--locale",
            metavar="CODE",
            help="The language of its terms, such as en. Default: that of the parent.",
        )
        parser.add_argument(
            "--parent",
            metavar="URL_PATH",
            help="The path of the page to put it under, such as /learn/. Default: the "
            "home page of the default site.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        locale = find_locale(options["locale"]) if options["locale"] else None
        parent = self._find_parent(options["parent"], locale)
        if not GlossaryPage.can_create_at(parent):
            raise CommandError(
                _("There can be no glossary under “%(parent)s”.") % {"parent": parent},
                returncode=2,
            )
        glossary = GlossaryPage(
            title=options["title"],
            slug=options["slug"],
            locale=locale or parent.locale,
        )
        try:
            parent.add_child(instance=glossary)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from error
        glossary.save_revision().publish()
        self.stdout.write(
            _("Created the glossary “%(title)s” at %(url)s")
            % {"title": glossary.title, "url": glossary.full_url}
        )

    def _find_parent(self, path: str | None, locale: Locale | None) -> Any:
        site = Site.objects.filter(is_default_site=True).first()
        if site is None:
            raise CommandError(
                _("There is no default site. Add one under Settings > Sites."),
                returncode=2,
            )
        root = site.root_page.specific
        if path is None:
            translated = root.get_translation_or_none(locale) if locale else None
            return translated.specific if translated else root
        Page = swapper.load_model("wagtailcore", "Page")
        inner = "".join(f"{part}/" for part in path.split("/") if part)
        page = Page.objects.filter(url_path=f"{root.url_path}{inner}").first()
        if page is None:
            raise CommandError(
                _("There is no page at %(path)s on the default site.") % {"path": path},
                returncode=2,
            )
        return page.specific
