"""Whatever editors do through Wagtail: no answer is stale, none tells of what is
hidden, and whoever follows the changes has everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client, TestCase, override_settings
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Locale, Page, PageViewRestriction, Site

from glossary.models import (
    Category,
    GlossaryPage,
    RelatedTerm,
    TermLabel,
    TermLink,
    TermPage,
)

from . import factories


API = "/api/glossary/v1"
SITE = "site:"
SLUGS = [f"term-{number}" for number in range(5)]
HOSTS = ["localhost", "second.example"]
ADDRESSES = [
    "/terms/?fields=*&limit=100",
    "/terms/?order=-last_published_at",
    "/terms/?letter=T&fields=title",
    "/terms/?category=one&category=two",
    "/terms/?locale=fr&fallback=en",
    *(f"/terms/by-slug/{slug}/?include=backlinks" for slug in SLUGS),
    f"/terms/bulk/?slugs={','.join(SLUGS)}",
    "/autocomplete/?q=te",
    "/search/?q=words&facets=category,letter,tag",
    "/glossaries/",
    "/categories/",
    "/related-terms/",
    "/letters/",
    "/graph/",
    *(f"/payload/{slug}/" for slug in SLUGS[:2]),
    *(f"/categories/{slug}/" for slug in ("one", "two")),
]
# What stands for the page at an address of the site itself.
FILES = ["index.md", "_payload.json", "feed.atom", "llms.txt", "llms-full.txt"]

slugs = st.sampled_from(SLUGS)
which = st.integers(0, 7)


def acting(function):
    """A step as a request makes it: what waits for the commit comes after it."""

    def step(self, **arguments: Any) -> None:
        with TestCase.captureOnCommitCallbacks(execute=True):
            function(self, **arguments)

    step.__name__ = function.__name__
    return step


class EditorsAndReaders(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        cache.clear()
        self.client = Client()
        self.mirrors: dict[str, dict[tuple[str, str], Any]] = {h: {} for h in HOSTS}
        self.seen: dict[tuple[str, str, str], bytes] = {}
        self.followed = dict.fromkeys(HOSTS, 0)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)
        cache.clear()
        Site.clear_site_root_paths_cache()

    @initialize()
    def two_sites(self) -> None:
        home = factories.home_page()
        Locale.objects.get_or_create(language_code="fr")
        second = type(home)(title="Second", slug="second")
        home.get_parent().add_child(instance=second)
        Site.objects.create(hostname=HOSTS[1], root_page=second)
        section = factories.make_glossary("section", parent=home)
        self.glossaries = [
            factories.make_glossary("ai", parent=home),
            section,
            factories.make_glossary("other", parent=second),
        ]
        self.homes = [home, second]
        self.categories = [factories.make_category(slug) for slug in ("one", "two")]

    # Terms

    def term(self, at: int) -> TermPage | None:
        terms = list(TermPage.objects.order_by("pk"))
        return terms[at % len(terms)] if terms else None

    @rule(slug=slugs, at=which, live=st.booleans())
    @acting
    def add(self, slug: str, at: int, live: bool) -> None:
        glossary = self.glossaries[at % len(self.glossaries)]
        glossary.refresh_from_db()
        if not TermPage.objects.in_glossary(glossary).filter(slug=slug).exists():
            factories.make_term(glossary, slug, live=live)

    @precondition(lambda self: TermPage.objects.exists())
    @rule(
        at=which,
        to=which,
        category=st.integers(0, 2),
        label=st.sampled_from(["", "Label", "Te"]),
        kind=st.sampled_from(TermLink.Kind.values),
        linked=st.booleans(),
        tagged=st.booleans(),
        publish=st.booleans(),
    )
    @acting
    def edit(
        self,
        at: int,
        to: int,
        category: int,
        label: str,
        kind: str,
        linked: bool,
        tagged: bool,
        publish: bool,
    ) -> None:
        term = self.term(at)
        target = self.term(to)
        known = RelatedTerm.objects.filter(glossary=term.get_parent().pk)
        related = list(known.exclude(slug=term.slug).order_by("pk"))
        term.related_terms.set(
            [TermLink(related_term=each, kind=kind) for each in related[: to % 3]]
        )
        term.labels.set([TermLabel(text=label)] if label else [])
        term.category = [None, *self.categories][category]
        term.short_definition = f"Words {at} {to}"
        html = f'<p>words <a linktype="page" id="{target.pk}">there</a></p>'
        term.explanation = [factories.section(html if linked else "<p>words</p>")]
        term.comparisons = [
            factories.comparison("", "<p>not that</p>", each) for each in related[:1]
        ]
        if tagged:
            term.tags.add("data")
        revision = term.save_revision()
        if publish:
            revision.publish()

    @precondition(lambda self: TermPage.objects.exists())
    @rule(at=which, slug=slugs)
    @acting
    def rename(self, at: int, slug: str) -> None:
        term = self.term(at)
        siblings = term.get_siblings(inclusive=False)
        if term.live and not siblings.filter(slug=slug).exists():
            old = f"/{term.get_parent().slug}/{term.slug}"
            term.slug = slug
            term.title = slug.replace("-", " ").capitalize()
            term.save_revision().publish()
            Redirect.objects.get_or_create(
                old_path=old, site=None, defaults={"redirect_page": term}
            )

    @precondition(lambda self: TermPage.objects.exists())
    @rule(at=which)
    @acting
    def unpublish(self, at: int) -> None:
        self.term(at).unpublish()

    @precondition(lambda self: TermPage.objects.exists())
    @rule(at=which)
    @acting
    def publish(self, at: int) -> None:
        self.term(at).get_latest_revision().publish()

    @precondition(lambda self: TermPage.objects.exists())
    @rule(at=which)
    @acting
    def delete(self, at: int) -> None:
        self.term(at).delete()

    @precondition(lambda self: TermPage.objects.exists())
    @rule(at=which, to=which)
    @acting
    def move(self, at: int, to: int) -> None:
        term = self.term(at)
        glossary = self.glossaries[to % len(self.glossaries)]
        glossary.refresh_from_db()
        if not glossary.get_children().filter(slug=term.slug).exists():
            term.move(glossary, pos="last-child")

    # What terms stand in and point at

    @rule(at=which, name=st.sampled_from(["Named", "Called"]))
    @acting
    def rename_glossary(self, at: int, name: str) -> None:
        glossary = self.glossaries[at % len(self.glossaries)]
        glossary.refresh_from_db()
        glossary.title = name
        glossary.slug = f"{name.lower()}-{glossary.pk}"
        glossary.save_revision().publish()

    @rule(at=which, to=which)
    @acting
    def move_glossary(self, at: int, to: int) -> None:
        glossary = self.glossaries[at % len(self.glossaries)]
        glossary.refresh_from_db()
        home = self.homes[to % len(self.homes)]
        home.refresh_from_db()
        if not home.get_children().filter(slug=glossary.slug).exists():
            glossary.move(home, pos="last-child")

    @rule(at=which, live=st.booleans())
    @acting
    def publish_glossary(self, at: int, live: bool) -> None:
        glossary = self.glossaries[at % len(self.glossaries)]
        glossary.refresh_from_db()
        if live:
            glossary.save_revision().publish()
        else:
            glossary.unpublish()

    @rule(at=which, kind=st.sampled_from(["login", "password"]))
    @acting
    def restrict(self, at: int, kind: str) -> None:
        pages = [*self.glossaries, *TermPage.objects.order_by("pk")]
        page = pages[at % len(pages)]
        PageViewRestriction.objects.create(
            page_id=page.pk, restriction_type=kind, password="x"
        )

    @precondition(lambda self: PageViewRestriction.objects.exists())
    @rule()
    @acting
    def open(self) -> None:
        PageViewRestriction.objects.order_by("pk").first().delete()

    @rule(at=which, name=st.sampled_from(["First", "Another"]))
    @acting
    def rename_category(self, at: int, name: str) -> None:
        category = Category.objects.get(
            pk=self.categories[at % len(self.categories)].pk
        )
        category.name = name
        category.save()

    @rule(slug=st.sampled_from(["wanted", "missing"]), at=which)
    @acting
    def want(self, slug: str, at: int) -> None:
        factories.make_related_term(self.glossaries[at % len(self.glossaries)], slug)

    @precondition(lambda self: RelatedTerm.objects.exists())
    @rule(at=which)
    @acting
    def rename_related_term(self, at: int) -> None:
        known = list(RelatedTerm.objects.order_by("pk"))
        related_term = known[at % len(known)]
        related_term.name += "!"
        related_term.save()

    # What has to hold

    @invariant()
    def nothing_is_stale(self) -> None:
        for host in HOSTS:
            for address in (*ADDRESSES, *self.details(), *self.files()):
                kept = self.get(host, address)
                with override_settings(GLOSSARY_API_CACHE=None):
                    fresh = self.get(host, address)
                assert kept.status_code == fresh.status_code < 500, address
                body = b"".join(kept)
                assert body == b"".join(fresh), address
                if etag := kept.headers.get("ETag"):
                    # Whoever has it is told that nothing has changed.
                    key = host, address, etag
                    assert self.seen.setdefault(key, body) == body, key

    def details(self) -> Iterator[str]:
        """Addresses with the ids and paths that this example has."""
        for glossary in GlossaryPage.objects.order_by("pk"):
            yield f"/glossaries/{glossary.pk}/"
            yield f"/graph/?glossary={glossary.pk}"
        for term in TermPage.objects.order_by("pk"):
            yield f"/terms/{term.pk}/?rich_text=markdown"
            yield f"/terms/{term.pk}/backlinks/"
            yield f"/terms/by-path/?path={self.path(term)}"

    def files(self) -> Iterator[str]:
        first = TermPage.objects.order_by("pk")[:2]
        for page in (*GlossaryPage.objects.order_by("pk"), *first):
            yield from (SITE + self.path(page) + name for name in FILES)

    @staticmethod
    def path(page: Page) -> str:
        """Where a page is on its site, whichever this is."""
        return f"/{page.url_path.lstrip('/').partition('/')[2]}"

    @invariant()
    def followers_have_everything(self) -> None:
        for host in HOSTS:
            mirror = self.mirrors[host]
            while True:
                answer = self.get(
                    host,
                    f"/changes/?afterChangeNumber={self.followed[host]}&limit=100",
                ).json()
                for item in answer["items"]:
                    key = item["kind"], item["id"]
                    self.followed[host] = item["modified"]
                    if item["state"] == "deleted":
                        mirror.pop(key, None)
                    else:
                        mirror[key] = item["data"]
                if not answer["items"]:
                    break
            for kind, address in (
                ("term", "/terms/?fields=*&limit=100"),
                ("glossary", "/glossaries/"),
                ("category", "/categories/"),
                ("related_term", "/related-terms/?limit=100"),
            ):
                there = {
                    item["id"]: item for item in self.get(host, address).json()["items"]
                }
                mirrored = {
                    data["id"]: data
                    for (of, _key), data in mirror.items()
                    if of == kind
                }
                assert mirrored == there, (host, kind)

    @invariant()
    def nothing_hidden_is_told(self) -> None:
        public = set(TermPage.objects.visible().values_list("pk", flat=True))
        for host in HOSTS:
            told = {
                item["id"]
                for item in self.get(host, "/terms/?limit=100").json()["items"]
            }
            assert told <= public

    def get(self, host: str, address: str) -> Any:
        url = address.removeprefix(SITE) if address.startswith(SITE) else API + address
        return self.client.get(url, headers={"host": host})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("examples", "steps"),
    [
        pytest.param(4, 6, marks=pytest.mark.slow),
        pytest.param(40, 20, marks=pytest.mark.exhaustive),
    ],
)
def test_editors_and_readers(settings, examples: int, steps: int) -> None:
    settings.WAGTAIL_I18N_ENABLED = True
    run_state_machine_as_test(
        EditorsAndReaders,
        settings=hypothesis_settings(max_examples=examples, stateful_step_count=steps),
    )
