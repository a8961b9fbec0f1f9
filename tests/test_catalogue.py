"""What is public is in the catalogue, and every change of it is in the log."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.deletion import Collector
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from taggit.models import Tag
from wagtail.contrib.redirects.models import Redirect
from wagtail.documents import get_document_model
from wagtail.models import (
    Collection,
    CollectionViewRestriction,
    Locale,
    PageViewRestriction,
    Site,
)

from glossary.delivery import catalogue, versions
from glossary.delivery.auditing import differences as catalogue_differences
from glossary.models import (
    Change,
    LetterCount,
    Mention,
    NameVariant,
    PublicName,
    PublicTerm,
    RelatedTerm,
    TermLabel,
    TermLink,
    TermPage,
)
from glossary.signals import terms_written

from . import factories
from .extension.models import CoursePage, CourseTermPage


pytestmark = pytest.mark.django_db


@pytest.fixture
def glossary():
    return factories.make_glossary("words")


def snapshot():
    """All of the catalogue, without ids that differ from one making to the next."""
    return {
        "terms": set(
            PublicTerm.objects.values_list(
                "pk", "glossary", "category", "title", "slug", "letter"
            )
        ),
        "names": set(
            PublicName.objects.values_list("public_term", "kind", "text", "letter")
        ),
        "variants": NameVariant.objects.count(),
        "letters": set(
            LetterCount.objects.exclude(terms=0, labels=0).values_list(
                "glossary", "letter", "terms", "labels"
            )
        ),
        "mentions": set(
            Mention.objects.values_list(
                "public_term", "kind", "target_type", "target_id"
            )
        ),
    }


def assert_is_as_rebuilt():
    found = snapshot()
    catalogue.rebuild()
    assert found == snapshot()


class Log:
    """What the log gains in a block."""

    def __enter__(self):
        self._before = versions.current().number
        return self

    def __exit__(self, *error):
        rows = Change.objects.filter(number__gt=self._before)
        self.changed = {(row.kind, row.object_id) for row in rows if not row.deleted}
        self.deleted = {(row.kind, row.object_id) for row in rows if row.deleted}
        self.moved = versions.current().number > self._before


def test_a_published_term_is_in_the_catalogue(glossary):
    other = factories.make_term(glossary, "other")
    known = factories.make_related_term(glossary, "other")
    wanted = factories.make_related_term(glossary, "wanted")
    category = factories.make_category("research")
    with Log() as log:
        term = factories.make_term(
            glossary,
            "éclair",
            category=category,
            related_terms=[(known, "contrast")],
            labels=["Puff", ("misspelt", "hidden")],
            explanation=[
                factories.section(f'<a linktype="page" id="{other.pk}">there</a>')
            ],
            comparisons=[factories.comparison("", "<p>x</p>", wanted)],
        )
    public = PublicTerm.objects.get(pk=term.pk)
    assert public.glossary_id == glossary.pk
    assert public.category_id == category.pk
    assert public.letter == "E"
    assert set(public.names.values_list("kind", "text", "letter")) == {
        ("title", "Éclair", "E"),
        ("synonym", "Puff", "P"),
        ("hidden", "misspelt", "M"),
    }
    assert set(public.mentions.values_list("kind", "target_type", "target_id")) == {
        ("contrast", "related_term", known.pk),
        ("comparison", "related_term", wanted.pk),
        ("text", "page", other.pk),
    }
    assert set(LetterCount.objects.values_list("letter", "terms", "labels")) == {
        ("O", 1, 0),
        ("E", 1, 0),
        ("P", 0, 1),
    }
    # What it points at has more who point at it, and its category more terms.
    assert log.changed >= {
        ("term", term.pk),
        ("term", other.pk),
        ("related_term", known.pk),
        ("related_term", wanted.pk),
        ("category", category.pk),
        ("glossary", glossary.pk),
    }
    assert_is_as_rebuilt()


def test_a_draft_is_not(glossary):
    with Log() as log:
        term = factories.make_term(glossary, "draft", live=False)
    assert not PublicTerm.objects.exists()
    assert ("term", term.pk) not in log.changed | log.deleted
    known = RelatedTerm.objects.get(slug="draft")
    assert ("related_term", known.pk) not in log.changed


def test_a_draft_of_a_live_term_changes_nothing(glossary):
    term = factories.make_term(glossary, "term")
    term.title = "Another title"
    with Log() as log:
        term.save_revision()
    assert not log.moved
    assert PublicTerm.objects.get().title == "Term"


def test_unpublishing_leaves_a_tombstone_and_tells_who_shows_it(glossary):
    term = factories.make_term(glossary, "term")
    known = factories.make_related_term(glossary, "term")
    pointing = factories.make_term(glossary, "pointing", related_terms=[known])
    with Log() as log:
        term.unpublish()
    assert log.deleted == {("term", term.pk), ("related_term", known.pk)}
    assert ("term", pointing.pk) in log.changed
    assert_is_as_rebuilt()
    with Log() as log:
        term.get_latest_revision().publish()
    assert {("term", term.pk), ("related_term", known.pk)} <= log.changed


def test_a_plain_page_can_do_all_that(glossary):
    """As a command or another package would, which knows no terms."""
    term = factories.make_term(glossary, "term")
    page = factories.home_page().get_descendants().get(pk=term.pk)
    assert type(page) is not TermPage
    with Log() as log:
        page.unpublish()
    assert ("term", term.pk) in log.deleted
    page.refresh_from_db()
    with Log() as log:
        page.live = True
        page.slug = "renamed"
        page.save()
    assert ("term", term.pk) in log.changed
    assert PublicTerm.objects.get().slug == "renamed"
    assert_is_as_rebuilt()


@pytest.mark.parametrize("name", ["slug", "title"])
def test_a_public_term_is_renamed_as_a_plain_page(glossary, name):
    term = factories.make_term(glossary, "term")
    pointing = factories.make_term(
        glossary, "pointing", related_terms=[RelatedTerm.objects.get(page=term)]
    )
    page = factories.home_page().get_descendants().get(pk=term.pk)
    setattr(page, name, "renamed")
    with Log() as log:
        page.save()
    told = {("term", term.pk)} | ({("term", pointing.pk)} if name == "slug" else set())
    assert told <= log.changed
    assert getattr(PublicTerm.objects.get(pk=term.pk), name) == "renamed"
    assert_is_as_rebuilt()


def test_a_term_is_moved_as_a_plain_page(glossary):
    term = factories.make_term(glossary, "term")
    other = factories.make_glossary("other")
    page = factories.home_page().get_descendants().get(pk=term.pk)
    with Log() as log:
        page.move(other, pos="last-child")
    assert ("term", term.pk) in log.changed
    assert PublicTerm.objects.get(pk=term.pk).glossary_id == other.pk
    assert_is_as_rebuilt()


def test_deleting_a_term_makes_its_name_wanted_again(glossary):
    term = factories.make_term(glossary, "term", labels=["Label"])
    known = factories.make_related_term(glossary, "term")
    pointing = factories.make_term(glossary, "pointing", related_terms=[known])
    with Log() as log:
        term.delete()
    assert ("term", term.pk) in log.deleted
    assert {("term", pointing.pk), ("related_term", known.pk)} <= log.changed
    assert_is_as_rebuilt()


def test_deleting_a_glossary_takes_everything_along(glossary):
    terms = [factories.make_term(glossary) for _ in range(3)]
    related = set(RelatedTerm.objects.values_list("pk", flat=True))
    with Log() as log:
        glossary.delete()
    assert log.deleted == {
        ("glossary", glossary.pk),
        *(("term", term.pk) for term in terms),
        *(("related_term", pk) for pk in related),
    }
    assert_is_as_rebuilt()
    assert not PublicTerm.objects.exists()


def test_a_queryset_can_delete(glossary):
    term = factories.make_term(glossary, "term")
    with Log() as log:
        TermPage.objects.filter(pk=term.pk).delete()
    assert ("term", term.pk) in log.deleted


def test_what_was_never_public_leaves_no_tombstone(glossary):
    term = factories.make_term(glossary, "draft", live=False)
    with Log():
        term.delete()
    assert not Change.objects.filter(kind="term", object_id=term.pk).exists()


@pytest.mark.parametrize("kind", ["login", "password", "groups"])
def test_a_restriction_hides_everything_below(glossary, kind):
    term = factories.make_term(glossary, "term")
    with Log() as log:
        restriction = PageViewRestriction.objects.create(
            page=factories.home_page(), restriction_type=kind, password="x"
        )
        if kind == "groups":
            restriction.groups.add(Group.objects.create(name="readers"))
    assert {("term", term.pk), ("glossary", glossary.pk)} <= log.deleted
    assert not PublicTerm.objects.exists()
    with Log() as log:
        restriction.delete()
    assert {("term", term.pk), ("glossary", glossary.pk)} <= log.changed
    assert_is_as_rebuilt()


def test_a_restriction_on_a_linked_page_changes_who_links(glossary):
    page = factories.make_glossary("elsewhere")
    term = factories.make_term(
        glossary,
        explanation=[factories.section(f'<a linktype="page" id="{page.pk}">x</a>')],
    )
    with Log() as log:
        PageViewRestriction.objects.create(page=page, restriction_type="login")
    assert ("term", term.pk) in log.changed


def test_an_unpublished_glossary_takes_its_terms_along(glossary):
    term = factories.make_term(glossary, "term")
    with Log() as log:
        glossary.unpublish()
    assert {("term", term.pk), ("glossary", glossary.pk)} <= log.deleted
    with Log() as log:
        glossary.get_latest_revision_as_object()
        glossary.live = True
        glossary.save()
    assert {("term", term.pk), ("glossary", glossary.pk)} <= log.changed
    assert_is_as_rebuilt()


def test_a_move_changes_where_a_term_stands(glossary):
    elsewhere = factories.make_glossary("elsewhere")
    term = factories.make_term(glossary, "term")
    known = factories.make_related_term(glossary, "term")
    pointing = factories.make_term(glossary, "pointing", related_terms=[known])
    with Log() as log:
        term.move(elsewhere, pos="last-child")
    assert PublicTerm.objects.get(pk=term.pk).glossary_id == elsewhere.pk
    assert {("term", term.pk), ("term", pointing.pk)} <= log.changed
    assert_is_as_rebuilt()


def test_the_move_of_a_page_above_changes_all_addresses(glossary):
    term = factories.make_term(glossary, "term")
    target = factories.make_glossary("target")
    section = glossary.get_parent()
    assert section.pk == factories.home_page().pk
    with Log() as log:
        page = factories.home_page()
        page.slug = "new-home"
        page.save()
    assert {("term", term.pk), ("glossary", target.pk)} <= log.changed


def test_a_linked_page_that_is_renamed_changes_who_links(glossary):
    page = factories.make_glossary("elsewhere")
    term = factories.make_term(
        glossary,
        explanation=[factories.section(f'<a linktype="page" id="{page.pk}">x</a>')],
    )
    page.slug = "renamed"
    with Log() as log:
        page.save()
    assert ("term", term.pk) in log.changed
    with Log() as log:
        page.delete()
    assert ("term", term.pk) in log.changed


def test_a_category_changes_its_terms(glossary):
    category = factories.make_category("research")
    other = factories.make_category("other")
    term = factories.make_term(glossary, category=category)
    category.name = "Renamed"
    with Log() as log:
        category.save()
    assert log.changed == {("term", term.pk), ("category", category.pk)}
    term.category = other
    with Log() as log:
        term.save()
    assert log.deleted == {("category", category.pk)}
    assert ("category", other.pk) in log.changed


def test_a_related_term_that_is_renamed_changes_who_points_at_it(glossary):
    wanted = factories.make_related_term(glossary, "wanted")
    term = factories.make_term(glossary, related_terms=[wanted])
    wanted.name = "Renamed"
    with Log() as log:
        wanted.save()
    assert log.changed == {("term", term.pk), ("related_term", wanted.pk)}


def test_rows_that_are_written_by_themselves(glossary):
    term = factories.make_term(glossary, labels=["One"])
    wanted = factories.make_related_term(glossary, "wanted")
    with Log() as log:
        TermLabel.objects.create(term=term, text="Two")
    assert ("term", term.pk) in log.changed
    with Log() as log:
        TermLink.objects.create(term=term, related_term=wanted)
    assert ("related_term", wanted.pk) in log.changed
    TermLabel.objects.get(text="One").delete()
    assert set(PublicName.objects.values_list("text", flat=True)) == {
        term.title,
        "Two",
    }
    assert_is_as_rebuilt()


@pytest.mark.slow
def test_a_term_with_many_rows_is_read_once(glossary):
    counts = []
    for size in (1, 20):
        term = factories.make_term(
            glossary, labels=[f"Label {size} {number}" for number in range(size)]
        )
        before = versions.current().number
        term.save()
        counts.append(versions.current().number - before)
    assert counts[0] == counts[1] == 1


def test_tags_are_in_documents(glossary):
    term = factories.make_term(glossary, tags=["data"])
    tag = Tag.objects.get(name="data")
    tag.name = "renamed"
    with Log() as log:
        tag.save()
    assert ("term", term.pk) in log.changed


def test_documents_are_linked(glossary):
    collection = Collection.get_first_root_node().add_child(name="Files")
    document = get_document_model().objects.create(
        title="Paper", file="paper.pdf", collection=collection
    )
    html = f'<a linktype="document" id="{document.pk}">paper</a>'
    term = factories.make_term(glossary, explanation=[factories.section(html)])
    with Log() as log:
        CollectionViewRestriction.objects.create(
            collection=collection, restriction_type="login"
        )
    assert ("term", term.pk) in log.changed
    with Log() as log:
        document.save()
    assert ("term", term.pk) in log.changed


def test_sites_languages_and_redirects_move_the_version(glossary):
    term = factories.make_term(glossary)
    site = Site.objects.get()
    site.hostname = "example.org"
    with Log() as log:
        site.save()
    assert ("term", term.pk) in log.changed
    with Log() as log:
        Locale.objects.create(language_code="fr")
    assert log.moved
    with Log() as log:
        Redirect.objects.create(old_path="/old", redirect_link="/new")
    assert log.moved


def test_a_site_that_loses_a_term_gets_a_tombstone_and_the_other_an_entry(glossary):
    term = factories.make_term(glossary)
    first = Site.objects.get()
    root = first.root_page.get_parent()
    home = type(factories.home_page())(title="Second", slug="second")
    root.add_child(instance=home)
    second = Site.objects.create(hostname="second.example", root_page=home)
    glossary.refresh_from_db()
    with Log() as log:
        glossary.move(home, pos="last-child")
    states = {
        row.site_id: row.deleted
        for row in Change.objects.filter(kind="term", object_id=term.pk)
    }
    assert states == {first.pk: True, second.pk: False}
    assert ("term", term.pk) in log.changed & log.deleted


def test_a_failed_change_leaves_no_trace(glossary):
    before = versions.current()
    with transaction.atomic():
        factories.make_term(glossary)
        transaction.set_rollback(True)
    assert versions.current() == before
    assert not PublicTerm.objects.exists()


def test_the_version_is_one_query(glossary, django_assert_num_queries):
    with django_assert_num_queries(1):
        state = versions.current()
    assert state.number > 0
    assert state.modified.tzinfo is not None


def test_each_state_has_a_token_of_its_own():
    versions.touch()
    first = versions.current()
    versions.touch()
    second = versions.current()
    assert second.number == first.number + 1
    assert second.token != first.token


@pytest.mark.slow
def test_the_work_of_a_refresh_does_not_depend_on_the_number_of_terms(glossary):
    terms = [factories.make_term(glossary, labels=[f"L{n}"]) for n in range(12)]
    counts = []
    for size in (2, 12):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            catalogue.refresh([term.pk for term in terms[:size]])
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.slow
def test_hiding_many_terms_takes_no_more_statements_for_each(glossary):
    """Those of a batch go together, whatever they are called and point at."""
    counts = []
    for size in (3, 12):
        shelf = factories.make_glossary(f"shelf-{size}")
        known = factories.make_related_term(shelf, "wanted")
        for number in range(size):
            factories.make_term(
                shelf, f"{size}-{number}", labels=["L"], related_terms=[known]
            )
        with CaptureQueriesContext(connection) as queries, Log() as log:
            PageViewRestriction.objects.create(page=shelf, restriction_type="login")
        assert ("related_term", known.pk) in log.deleted
        assert len(log.deleted) == 2 * (size + 1)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_title_above_the_glossary_changes_no_address(glossary):
    term = factories.make_term(glossary)
    home = factories.home_page()
    home.title = "Another title"
    with Log() as log:
        home.save()
    assert log.moved
    assert ("term", term.pk) not in log.changed


@pytest.mark.slow
def test_terms_of_another_type_are_terms(glossary):
    with Log() as log:
        course = factories.make_term(
            glossary, "course", model=CourseTermPage, labels=["Class"], level="first"
        )
    known = RelatedTerm.objects.get(slug="course")
    told = {("term", course.pk), ("related_term", known.pk)}
    assert told <= log.changed
    assert PublicTerm.objects.get(pk=course.pk).names.count() == 2

    course.title = "Renamed"
    with Log() as log:
        course.save_revision().publish()
    assert told <= log.changed
    assert PublicTerm.objects.get(pk=course.pk).title == "Renamed"
    course.level = "second"
    with Log() as log:
        course.save()
    assert ("term", course.pk) in log.changed
    with Log() as log:
        course.unpublish()
    assert log.deleted == told
    assert_is_as_rebuilt()

    course.save_revision().publish()
    as_plain_term = TermPage.objects.get(pk=course.pk)
    as_plain_term.slug = "plainly"
    with Log() as log:
        as_plain_term.save()
    assert told <= log.changed
    assert_is_as_rebuilt()
    with Log() as log:
        TermPage.objects.get(pk=course.pk).delete()
    assert ("term", course.pk) in log.deleted
    assert not CourseTermPage.objects.exists()
    assert_is_as_rebuilt()


def test_a_glossary_of_another_type_is_one(glossary):
    course = CoursePage(title="Course", slug="course")
    factories.home_page().add_child(instance=course)
    term = factories.make_term(course, model=CourseTermPage)
    assert PublicTerm.objects.get().glossary_id == course.pk
    course.title = "Renamed"
    with Log() as log:
        course.save()
    assert {("glossary", course.pk), ("term", term.pk)} <= log.changed
    with Log() as log:
        course.unpublish()
    assert {("glossary", course.pk), ("term", term.pk)} <= log.deleted
    with Log() as log:
        course.delete()
    assert not PublicTerm.objects.exists()
    assert_is_as_rebuilt()


def test_the_command_makes_the_catalogue_anew(glossary, capsys):
    factories.make_term(glossary, "term", labels=["Label"])
    expected = snapshot()
    TermPage.objects.update(live=True)
    PublicName.objects.update(text="wrong")
    LetterCount.objects.update(terms=7)
    call_command("rebuild_catalogue")
    assert snapshot() == expected
    assert "1 public terms" in capsys.readouterr().out


# What readers see after Wagtail's own actions


def make_document(**fields):
    file = ContentFile(b"x", "document.txt")
    return get_document_model().objects.create(title="It", file=file, **fields)


@pytest.mark.parametrize("of", ["term", "glossary"])
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_what_is_restricted_can_be_deleted(of):
    """The restriction goes first: for a moment nothing hides what goes next."""
    glossary = factories.make_glossary("words")
    term = factories.make_term(glossary, "term", labels=["Label"])
    page = term if of == "term" else glossary
    PageViewRestriction.objects.create(page_id=page.pk, restriction_type="login")
    page.specific.delete()
    assert list(catalogue_differences()) == []
    assert not PublicTerm.objects.exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_root_of_a_site_can_be_deleted():
    home = factories.home_page()
    second = type(home)(title="Second", slug="second")
    home.get_parent().add_child(instance=second)
    Site.objects.create(hostname="second.example", root_page=second)
    factories.make_term(factories.make_glossary("words", parent=second), "term")
    second.delete()
    assert list(catalogue_differences()) == []


def test_rows_of_other_models_are_deleted_without_being_read(glossary):
    collector = Collector(using="default", origin=NameVariant.objects.all())
    assert collector.can_fast_delete(NameVariant.objects.all())


def test_pages_that_change_places_are_found(glossary, client):
    term = factories.make_term(glossary, "term")
    address = f"/api/glossary/v1/terms/{term.pk}/"
    other = factories.make_glossary("other")
    assert client.get(address).status_code == 200
    other.move(glossary, pos="left")
    assert client.get(address).status_code == 200
    listed = client.get("/api/glossary/v1/glossaries/").json()["items"]
    assert [item["id"] for item in listed] == [other.pk, glossary.pk]


def test_a_link_to_a_page_below_a_renamed_section_is_right(glossary):
    home = factories.home_page()
    section = factories.make_glossary("section", parent=home)
    plain = type(home)(title="Plain", slug="plain")
    section.add_child(instance=plain)
    html = f'<p><a linktype="page" id="{plain.pk}">it</a></p>'
    term = factories.make_term(glossary, explanation=[factories.section(html)])
    with Log() as log:
        section.slug = "renamed"
        section.save_revision().publish()
    assert ("term", term.pk) in log.changed


@pytest.mark.parametrize("change", ["unpublish", "restrict", "rename"])
def test_a_glossary_is_changed_by_what_its_introduction_links_to(glossary, change):
    term = factories.make_term(factories.make_glossary("other"), "term")
    glossary.introduction = f'<p><a linktype="page" id="{term.pk}">it</a></p>'
    glossary.save_revision().publish()
    with Log() as log:
        if change == "unpublish":
            term.unpublish()
        elif change == "restrict":
            PageViewRestriction.objects.create(
                page_id=term.pk, restriction_type="login"
            )
        else:
            term.slug = "renamed"
            term.save_revision().publish()
    assert ("glossary", glossary.pk) in log.changed


def test_a_glossary_that_changes_site_takes_everything_along(glossary):
    home = factories.home_page()
    second = type(home)(title="Second", slug="second")
    home.get_parent().add_child(instance=second)
    site = Site.objects.create(hostname="second.example", root_page=second)
    category = factories.make_category("research")
    other = factories.make_glossary("other")
    target = factories.make_term(other, "target")
    html = f'<p><a linktype="page" id="{target.pk}">it</a></p>'
    factories.make_term(
        glossary, category=category, explanation=[factories.section(html)]
    )
    glossary.move(second, pos="last-child")
    entries = Change.objects.filter(kind="category", object_id=category.pk)
    states = set(entries.values_list("site_id", "deleted"))
    default = Site.objects.get(is_default_site=True)
    assert states == {(site.pk, False), (default.pk, True)}
    assert list(catalogue_differences()) == []


def test_a_glossary_is_renamed_as_a_plain_page(glossary):
    page = factories.home_page().get_descendants().get(pk=glossary.pk)
    page.slug = "renamed"
    with Log() as log:
        page.save()
    assert ("glossary", glossary.pk) in log.changed


def test_documents_that_become_private_are_not_linked_to(glossary, admin_client):
    document = make_document()
    html = f'<p><a linktype="document" id="{document.pk}">it</a></p>'
    term = factories.make_term(glossary, explanation=[factories.section(html)])
    private = Collection.get_first_root_node().add_child(name="Private")
    CollectionViewRestriction.objects.create(
        collection=private, restriction_type="login"
    )
    address = f"/api/glossary/v1/terms/{term.pk}/"
    assert "<a " in admin_client.get(address).content.decode()
    moved = admin_client.post(
        reverse(
            "wagtail_bulk_action",
            args=["wagtaildocs", "document", "add_to_collection"],
        )
        + f"?id={document.pk}",
        {"collection": private.pk},
    )
    assert moved.status_code == 302
    assert "<a " not in admin_client.get(address).content.decode()


def test_collections_that_become_private_hide_their_documents(
    glossary, admin_client, django_capture_on_commit_callbacks
):
    root = Collection.get_first_root_node()
    shown = root.add_child(name="Shown")
    private = Collection.objects.get(pk=root.pk).add_child(name="Private")
    CollectionViewRestriction.objects.create(
        collection=private, restriction_type="login"
    )
    document = make_document(collection=shown)
    html = f'<p><a linktype="document" id="{document.pk}">it</a></p>'
    term = factories.make_term(glossary, explanation=[factories.section(html)])
    address = f"/api/glossary/v1/terms/{term.pk}/"
    assert "<a " in admin_client.get(address).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        moved = admin_client.post(
            reverse("wagtailadmin_collections:edit", args=[shown.pk]),
            {"name": "Shown", "parent": private.pk},
        )
    assert moved.status_code == 302
    assert "<a " not in admin_client.get(address).content.decode()


def test_a_new_term_with_many_rows_is_told_once(glossary):
    sent = []

    def hear(sender, pks, **kwargs):
        sent.append(list(pks))

    terms_written.connect(hear)
    try:
        term = factories.make_term(glossary, labels=["One", "Two", "Three"])
    finally:
        terms_written.disconnect(hear)
    assert sent.count([term.pk]) <= 2  # made, and published


def test_an_import_of_drafts_hides_the_names_that_were_wanted(
    glossary, client, tmp_path
):
    wanted = factories.make_related_term(glossary, "token")
    factories.make_term(glossary, "pointing", related_terms=[wanted])
    address = "/api/glossary/v1/related-terms/"
    listed = client.get(address).json()["items"]
    assert wanted.pk in [item["id"] for item in listed]
    source = tmp_path / "terms.jsonl"
    source.write_text('{"slug": "token", "term": "Token", "shortDefinition": "x"}\n')
    call_command("import_terms", source, glossary="words", draft=True, orphans="ignore")
    assert RelatedTerm.objects.get(pk=wanted.pk).page is not None
    listed = client.get(address).json()["items"]
    assert wanted.pk not in [item["id"] for item in listed]
    assert list(catalogue_differences()) == []
