"""A small site with a term that is hidden for some reason, and what points at it.

Every word that only the hidden term says begins with ``zzq``, and no other word does;
so do the slugs and names of what only it uses. Its numbers are found nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import swapper
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import Max
from django.utils import timezone
from wagtail.contrib.redirects.models import Redirect
from wagtail.documents import get_document_model
from wagtail.models import (
    Collection,
    CollectionViewRestriction,
    Locale,
    PageViewRestriction,
    Site,
)

from glossary.delivery.previews import make_token
from glossary.delivery.webhooks.signing import new_secret
from glossary.models import (
    GlossaryPage,
    RelatedTerm,
    TermPage,
    WebhookDelivery,
    WebhookEndpoint,
)

from .factories import (
    comparison,
    feature,
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)
from .test_export_payload import import_term, payload_of


MARK = "zzq"
TITLE, SLUG, OLD_SLUG = "Zzqtitle", "zzqslug", "zzqformer"
CATEGORY, TAG, GLOSSARY = "zzqcategory", "zzqtag", "zzqglossary"
WANTED = "zzqwanted"
OTHER_HOST = "other.example"

# From where on the pages, related terms and documents of the hidden term are numbered.
FIRST_PAGE, FIRST_NAME, FIRST_DOCUMENT = 987_654_001, 876_543_001, 765_432_001

RESTRICTIONS = {
    "login": PageViewRestriction.LOGIN,
    "password": PageViewRestriction.PASSWORD,
    "group": PageViewRestriction.GROUPS,
}


def content(glossary_known: RelatedTerm | None, page: TermPage) -> dict[str, Any]:
    """All that a term can say, in words of its own; it points at a page, and at what
    the page is known as if that is given."""
    names = {field.name for field in TermPage._meta.get_fields()}
    seo = {"seo_title": "Zzqseo", "search_description": "Zzqdescription"}
    link = f'<p>Zzqbody of <a linktype="page" id="{page.pk}">that</a>.</p>'
    return {
        "title": TITLE,
        "heading": "Zzqheading",
        "short_definition": "Zzqshort, a common thing.",
        # A site's own base page may lack these.
        **{name: value for name, value in seo.items() if name in names},
        "explanation": [section(link, heading="Zzqsection")],
        "comparisons": [comparison("Zzqother", link, glossary_known)],
        "faq": [question("Zzqquestion?", "<p>Zzqanswer.</p>")],
        "related_features": [feature("zzqpath", "Zzqfeature")],
    }


LABELS = [
    ("Zzqsynonym", "synonym"),
    ("ZZQA", "abbreviation"),
    ("Zzqinflections", "inflection"),
    ("Zzqhiddenlabel", "hidden"),
]


class World:
    """A site that shows ``term`` and ``imported``, which point at ``target`` in every
    way they can; it, and ``sibling``, are hidden for the reason, or public for none.

    What is hidden was public before, unless the reason is that it never was.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.is_public = reason == "public"
        self.site = Site.objects.get(is_default_site=True)
        self.webhook = WebhookEndpoint.objects.create(
            site=self.site, url="https://example.com/hook", secret=new_secret()
        )
        self.glossary = make_glossary("ai", title="AI")
        self.basics = make_category("basics")
        self.shared = {"category": self.basics, "tags": ["shared"]}
        self.term = make_term(
            self.glossary,
            "embedding",
            short_definition="What a common embedding is.",
            **self.shared,
        )
        self.home = self._home_of_target()
        self.at_home = self.home == self.glossary
        Page = swapper.load_model("wagtailcore", "Page")
        with numbered(Page, FIRST_PAGE), numbered(RelatedTerm, FIRST_NAME):
            self.target, self.sibling = self._make_targets()
        assert self.target.pk == FIRST_PAGE
        self.known = RelatedTerm.objects.get(page=self.target)
        self._point_at_target()
        self.term.refresh_from_db()
        if reason not in NEVER_PUBLIC:
            WebhookDelivery.objects.all().delete()
        if reason in HIDE:
            HIDE[reason](self)
        # Another round of messages about what points at it.
        self.edit(self.term, heading="Embedding")

    def _home_of_target(self) -> GlossaryPage:
        if self.reason == "other site":
            return make_glossary(GLOSSARY, parent=other_site().root_page)
        if self.reason in ("other language", "language of no site"):
            french = Locale.objects.create(language_code="fr")
            home = home_page().copy_for_translation(french)
            home.get_latest_revision().publish()
            return make_glossary(GLOSSARY, parent=home, locale=french)
        if self.reason in ("hidden glossary", "restricted section"):
            parent = home_page()
            if self.reason == "restricted section":
                parent = parent.add_child(
                    instance=type(parent)(title="Zzqparent", slug="zzqparent")
                )
            return make_glossary(GLOSSARY, parent=parent, introduction="<p>Zzqintro.")
        return self.glossary

    def _make_targets(self) -> tuple[TermPage, TermPage]:
        locale = self.home.locale
        live = self.reason != "draft"
        known = RelatedTerm.objects.get(page=self.term) if self.at_home else None
        own = content(known, self.term)
        # A name that nothing else uses.
        wanted = make_related_term(self.home, WANTED)
        if self.reason == "newer draft":
            target = make_term(self.home, "plain", locale=locale)
            sibling = make_term(self.home, "plain-too", locale=locale)
            for page in (target, sibling):
                self._draft(page, own)
            return target, sibling
        target = make_term(
            self.home,
            SLUG,
            live=live,
            locale=locale,
            category=make_category(
                CATEGORY,
                name="Zzqcategoryname",
                description="Zzqcategorytext",
                locale=locale,
            ),
            tags=[TAG],
            labels=LABELS,
            related_terms=[wanted, *([known] if known else [])],
            **own,
        )
        sibling = make_term(
            self.home,
            "zzqsibling",
            live=live,
            locale=locale,
            short_definition="Zzqsibling, a common thing.",
            **(self.shared if self.at_home else {}),
        )
        return target, sibling

    def _draft(self, page: TermPage, own: dict[str, Any]) -> None:
        draft = TermPage.objects.get(pk=page.pk)
        for name, value in own.items():
            setattr(draft, name, value)
        draft.slug, draft.category = SLUG, make_category(f"{CATEGORY}-{page.pk}")
        draft.tags.set([TAG])
        draft.related_terms.create(
            related_term=RelatedTerm.objects.get(slug=WANTED), kind="related"
        )
        draft.save_revision()

    def _point_at_target(self) -> None:
        with numbered(get_document_model(), FIRST_DOCUMENT):
            self.document = make_document(private=not self.is_public)
        links = (
            f'<p>See <a linktype="page" id="{self.target.pk}">this</a> and '
            f'<a linktype="document" id="{self.document.pk}">that</a>.</p>'
        )
        fields: dict[str, Any] = {
            "explanation": [section(links)],
            "comparisons": [
                comparison("That one", links, self.known),
                comparison("", "<p>It differs.</p>", self.known),
            ],
            "faq": [question("Is it?", links)],
        }
        if self.at_home:  # a link into another glossary is brought home
            fields["related_terms"] = [self.known]
        self.edit(self.term, **fields)
        self.edit(self.glossary, introduction=links)
        has_slug = self.at_home and self.target.slug == SLUG
        self.imported = import_term(
            self.glossary,
            payload_of(
                slug="imported",
                term="Imported",
                relatedTerms=[{"slug": SLUG, "name": TITLE}] if has_slug else [],
                vsRelatedConcepts=[],
                faq=[],
            ),
        )
        for path, page in ((OLD_SLUG, self.target), ("formerly", self.term)):
            Redirect.objects.create(
                old_path=f"/ai/{path}", redirect_page_id=page.pk, site=self.site
            )

    def edit(self, page: Any, **fields: Any) -> None:
        """As an editor does: change it and publish."""
        page = type(page).objects.get(pk=page.pk)
        for link in fields.pop("related_terms", []):
            page.related_terms.create(related_term=link, kind="see_also")
        for name, value in fields.items():
            setattr(page, name, value)
        page.save_revision().publish()

    def preview_token(self) -> str:
        """Of a draft that points at the target as the term does."""
        return make_token(self.term, self.term.get_latest_revision())


def other_site() -> Site:
    Page = swapper.load_model("wagtailcore", "Page")
    root = Page.get_first_root_node().add_child(
        instance=Page(title="Elsewhere", slug="elsewhere")
    )
    return Site.objects.create(hostname=OTHER_HOST, root_page=root)


def make_document(*, private: bool) -> Any:
    collection = Collection.get_first_root_node()
    if private:
        collection = collection.add_child(name="Zzqcollection")
        restrict_collection(collection)
    return get_document_model().objects.create(
        title="Zzqdocument",
        file=ContentFile(b"figures", name="zzqfile.txt"),
        collection=collection,
    )


def restrict_collection(collection: Collection) -> None:
    CollectionViewRestriction.objects.create(
        collection=collection, restriction_type=CollectionViewRestriction.LOGIN
    )


@contextmanager
def numbered(model: Any, number: int) -> Iterator[None]:
    """Let the database number new rows from here on; SQLite goes on so."""
    last = model.objects.aggregate(Max("pk"))["pk__max"] or 0
    next_id(model, number)
    yield
    next_id(model, last + 1)


def next_id(model: Any, number: int) -> None:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)"
            cursor.execute(sequence, [table, number])
            return
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
        cursor.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)",
            [table, number - 1],
        )


# Why something is hidden


def unpublish(world: World) -> None:
    world.target.unpublish()
    world.sibling.unpublish()


def expire(world: World) -> None:
    for page in (world.target, world.sibling):
        page.expired = True
        page.unpublish()


def schedule(world: World) -> None:
    for page in (world.target, world.sibling):
        page.unpublish()
        page.go_live_at = timezone.now() + timedelta(days=1)
        page.save_revision().publish()


def delete(world: World) -> None:
    Page = swapper.load_model("wagtailcore", "Page")
    for page in (world.target, world.sibling):
        Page.objects.get(pk=page.pk).delete()


def restrict(page: Any, kind: str) -> None:
    restriction = PageViewRestriction.objects.create(
        page_id=page.pk, restriction_type=RESTRICTIONS[kind], password="zzqpassword"
    )
    if kind == "group":
        restriction.groups.add(Group.objects.get_or_create(name="Insiders")[0])


def restrict_both(kind: str) -> Callable[[World], None]:
    def hide(world: World) -> None:
        restrict(world.target, kind)
        restrict(world.sibling, kind)

    return hide


HIDE: dict[str, Callable[[World], None]] = {
    "unpublished": unpublish,
    "expired": expire,
    "scheduled": schedule,
    "deleted": delete,
    **{kind: restrict_both(kind) for kind in RESTRICTIONS},
    "hidden glossary": lambda world: world.home.unpublish(),
    "restricted section": lambda world: restrict(world.home.get_parent(), "login"),
}
NEVER_PUBLIC = {"draft", "newer draft", "other site", "language of no site"}
REASONS = [*HIDE, *sorted(NEVER_PUBLIC)]
