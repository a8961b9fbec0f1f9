from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from wagtail.models import GroupPagePermission, Page, Site

from glossary.models import Category, GlossaryPage, TermPage
from site_project.models import HomePage


FIXTURES = Path(settings.BASE_DIR) / "fixtures"
USERNAME = "editor"
PASSWORD = "glossary"  # noqa: S105  (for everyone who runs the demo to know)

INTRODUCTION = (
    "<p>The words of artificial intelligence, explained for people who build with it "
    "or write about it: what a term means, how the thing works, and what it is often "
    "taken for.</p>"
)

CATEGORIES = {
    "foundations": "What everything else is built on.",
    "language-models": "How models read and write text.",
    "training": "How models learn, and how they are fitted to a task.",
    "prompting-and-agents": "How models are told what to do, and how they act.",
    "retrieval": "How models are given something to read.",
    "safety": "How models are kept useful and harmless.",
    "evaluation": "How to tell whether any of it works.",
}


class Command(BaseCommand):
    help = (
        "Makes the demo site: a home page, a glossary of artificial intelligence and "
        "an editor's account. Run again, it keeps what is there."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "The demo has an account with a known password: it is only made while "
                "DEBUG is on."
            )
        with transaction.atomic():
            home = self._home_page()
            self._name_site()
        if not GlossaryPage.objects.exists():
            self._load_glossary(home)
        self._print_account()

    def _home_page(self) -> HomePage:
        if home := HomePage.objects.first():
            return home
        # Wagtail's first migration makes a welcome page; the demo's takes its place.
        site = Site.objects.get(is_default_site=True)
        welcome = site.root_page
        home = HomePage(
            title="The Demo Site",
            slug="demo",
            introduction="<p>A small site with a glossary in it.</p>",
            search_description="A small site that shows a Wagtail glossary at work.",
        )
        Page.get_first_root_node().add_child(instance=home)
        home.save_revision().publish()
        site.root_page = home
        site.site_name = "Wagtail Glossary"
        site.save()
        welcome.delete()
        return home

    def _name_site(self) -> None:
        """Let the addresses that pages and APIs give lead to where the demo runs."""
        address = urlsplit(settings.WAGTAILADMIN_BASE_URL)
        site = Site.objects.get(is_default_site=True)
        site.hostname = address.hostname or "localhost"
        site.port = address.port or (443 if address.scheme == "https" else 80)
        site.save()

    def _load_glossary(self, home: HomePage) -> None:
        call_command("create_glossary", "glossary", title="AI Glossary")
        glossary = GlossaryPage.objects.get(slug="glossary")
        glossary.introduction = INTRODUCTION
        glossary.feature_base_url = "https://www.example.com/"
        glossary.show_in_menus = True
        glossary.save_revision().publish()
        for slug, description in CATEGORIES.items():
            Category.objects.create(
                name=slug.replace("-", " ").capitalize(),
                slug=slug,
                description=description,
                locale=glossary.locale,
            )
        # The payload's shape has no labels and tags: they stand in a file beside it.
        for source in (FIXTURES / "glossary", FIXTURES / "labels.jsonl"):
            call_command("import_terms", source, glossary="glossary", orphans="ignore")
        # What an editor can put on any page of the site.
        home.refresh_from_db()  # it has a child now
        home.body = [
            ("search", {"glossary": glossary}),
            ("term", {"term": TermPage.objects.get(slug="token")}),
        ]
        home.save_revision().publish()

    def _print_account(self) -> None:
        User = get_user_model()
        user = User.objects.filter(username=USERNAME).first()
        if user is None:
            user = User.objects.create_user(USERNAME, "editor@example.com", PASSWORD)
            user.groups.add(self._editors())
        if user.check_password(PASSWORD):
            self.stdout.write(
                f"Sign in at /admin/ as “{USERNAME}” with the password “{PASSWORD}”."
            )

    def _editors(self) -> Group:
        """May write and publish everything of the glossary and set up its webhooks, and
        nothing else."""
        group, created = Group.objects.get_or_create(name="Glossary editors")
        if created:
            root = Page.get_first_root_node()
            for codename in ("add_page", "change_page", "publish_page", "lock_page"):
                permission = Permission.objects.get(
                    content_type__app_label="wagtailcore", codename=codename
                )
                GroupPagePermission.objects.create(
                    group=group, page=root, permission=permission
                )
            group.permissions.add(
                Permission.objects.get(codename="access_admin"),
                *Permission.objects.filter(
                    content_type__app_label="glossary",
                    content_type__model__in=[
                        "category",
                        "relatedterm",
                        "webhookendpoint",
                    ],
                ),
            )
        return group
