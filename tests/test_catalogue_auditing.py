"""What was written past Wagtail is told, and put right."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from taggit.models import Tag
from wagtail.models import Site

from glossary.delivery import versions, watching
from glossary.delivery.auditing import differences
from glossary.delivery.standings import COUNTS
from glossary.models import (
    Category,
    CategoryCount,
    Change,
    GlossaryPage,
    LetterCount,
    Mention,
    NameVariant,
    PublicName,
    PublicTag,
    PublicTerm,
    RelatedTerm,
    TagCount,
    TermLabel,
    TermPage,
)

from . import factories


pytestmark = pytest.mark.django_db


@pytest.fixture
def term():
    glossary = factories.make_glossary("words")
    wanted = factories.make_related_term(glossary, "wanted")
    category = factories.make_category("research")
    factories.make_term(glossary, "hidden", live=False)
    return factories.make_term(
        glossary,
        "term",
        category=category,
        labels=["Label"],
        related_terms=[wanted],
        tags=["basics"],
    )


# What goes wrong past Wagtail, and all that is told of it.
FAULTS = {
    "nothing": (lambda term: None, []),
    "unpublished": (
        lambda term: TermPage.objects.filter(pk=term.pk).update(live=False),
        [
            "term {pk}: is in the catalogue, but not public",
            "glossary {glossary}: 1 terms under category {category} letter T "
            "instead of 0",
            "glossary {glossary}: 1 labels under letter L instead of 0",
            "glossary {glossary}: 1 terms under letter T instead of 0",
            "glossary {glossary}: 1 terms under tag {tag} instead of 0",
        ],
    ),
    "published": (
        lambda term: TermPage.objects.exclude(pk=term.pk).update(live=True),
        [
            "term {other}: is public, but not in the catalogue",
            "glossary {glossary}: 0 terms under letter H instead of 1",
        ],
    ),
    "renamed": (
        lambda term: TermPage.objects.filter(pk=term.pk).update(title="Team"),
        [
            "term {pk}: its title differs",
            "term {pk}: its place in the alphabet differs",
            "term {pk}: its names differ",
        ],
    ),
    "labelled": (
        lambda term: TermLabel.objects.update(text="Lapel"),
        ["term {pk}: its names differ"],
    ),
    "sorted": (
        lambda term: PublicTerm.objects.update(sort_key=b"x"),
        ["term {pk}: its place in the alphabet differs"],
    ),
    "mention lost": (
        lambda term: Mention.objects.all().delete(),
        [
            "term {pk}: its mentions differ",
            "related term {wanted}: the log is wrong about it on site {site}",
        ],
    ),
    "variant lost": (
        lambda term: NameVariant.objects.first().delete(),
        ["term {pk}: the variants of its names differ"],
    ),
    "count off": (
        lambda term: LetterCount.objects.filter(letter="T").update(terms=7),
        ["glossary {glossary}: 7 terms under letter T instead of 1"],
    ),
    "explained": (
        lambda term: PublicTerm.objects.update(has_explanation=True),
        ["term {pk}: its explanation differs"],
    ),
    "tag lost": (
        lambda term: PublicTag.objects.all().delete(),
        ["term {pk}: its tags differ"],
    ),
    "count of the category off": (
        lambda term: CategoryCount.objects.update(terms=7),
        [
            "glossary {glossary}: 7 terms under category {category} letter T "
            "instead of 1"
        ],
    ),
    "count of the tag off": (
        lambda term: TagCount.objects.all().delete(),
        ["glossary {glossary}: 0 terms under tag {tag} instead of 1"],
    ),
    "log lost": (
        lambda term: Change.objects.filter(kind="term").delete(),
        ["term {pk}: the log is wrong about it on site {site}"],
    ),
    "log too much": (
        lambda term: Change.objects.filter(kind="category").update(object_id=10**12),
        [
            "category {category}: the log is wrong about it on site {site}",
            "category 1000000000000: the log is wrong about it on site {site}",
        ],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_difference_is_told_and_put_right(term, fault, capsys):
    spoil, expected = FAULTS[fault]
    spoil(term)
    before = versions.current()
    names = {
        "pk": term.pk,
        "other": TermPage.objects.exclude(pk=term.pk).get().pk,
        "glossary": GlossaryPage.objects.get().pk,
        "category": Category.objects.get().pk,
        "tag": Tag.objects.get().pk,
        "wanted": RelatedTerm.objects.get(slug="wanted").pk,
        "site": Site.objects.get().pk,
    }
    assert list(differences()) == [line.format(**names) for line in expected]
    if expected:
        with pytest.raises(SystemExit) as ended:
            call_command("rebuild_catalogue", check=True)
        assert ended.value.code == 1
        assert "manage.py rebuild_catalogue" in capsys.readouterr().err
    else:
        call_command("rebuild_catalogue", check=True)
        assert "agrees" in capsys.readouterr().out
    assert versions.current() == before

    call_command("rebuild_catalogue")
    assert list(differences()) == []


@pytest.mark.slow
def test_an_audit_writes_nothing_and_reads_by_the_batch(term):
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert list(differences()) == []
        assert not [
            query["sql"]
            for query in queries.captured_queries
            if not query["sql"].startswith("SELECT")
        ]
        counts.append(len(queries))
        for _ in range(5):
            factories.make_term(term.get_parent().specific, labels=["L"])
    assert counts[0] == counts[1]


def test_a_hidden_glossary_hides_its_terms(term):
    GlossaryPage.objects.update(live=False)
    assert f"term {term.pk}: is in the catalogue, but not public" in differences()
    call_command("rebuild_catalogue")
    assert not PublicTerm.objects.exists()
    assert list(differences()) == []


def test_migrating_fills_the_catalogue_of_a_site_that_has_terms(term):
    for model in (
        NameVariant,
        PublicName,
        PublicTag,
        Mention,
        *COUNTS,
        PublicTerm,
        Change,
    ):
        model.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert PublicTerm.objects.get().pk == term.pk
    assert list(differences()) == []


def test_migrating_leaves_a_catalogue_alone(term):
    before = versions.current()
    call_command("migrate", verbosity=0)
    assert versions.current() == before


def test_nothing_is_filled_before_the_last_migration(term):
    PublicTerm.objects.all().delete()
    MigrationRecorder(connection).record_unapplied("wagtailcore", _last("wagtailcore"))
    watching.tables_were_migrated(None, using=DEFAULT_DB_ALIAS)
    assert not PublicTerm.objects.exists()


def _last(app):
    applied = MigrationRecorder(connection).applied_migrations()
    return max(name for label, name in applied if label == app)
