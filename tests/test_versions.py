"""Versions come in the order of commits, and whoever follows them misses nothing."""

from __future__ import annotations

import threading
import time

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction

from glossary.delivery import versions
from glossary.delivery.feed import changes_after
from glossary.delivery.links import ApiLinks
from glossary.delivery.scope import scope_for
from glossary.importing import apply
from glossary.importing.bulk import pages as bulk
from glossary.models import Change, TermPage

from . import factories


on_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)


def entry(pk, *, site_id, deleted=False):
    site_ids = [] if deleted else [site_id]
    return versions.Place(Change.Kind.TERM, pk, f"key-{pk}", site_ids)


@pytest.fixture
def site_id(db):
    from wagtail.models import Site

    return Site.objects.get().pk


def test_numbers_have_no_gap(site_id):
    before = versions.current().number
    first = versions.record([entry(1, site_id=site_id), entry(2, site_id=site_id)])
    second = versions.record([entry(1, site_id=site_id)])
    numbers = [item.change.number for item in (*first, *second)]
    assert numbers == [before + 1, before + 2, before + 3]
    assert versions.current().number == before + 3


def test_each_object_stands_in_the_log_once(site_id):
    for _ in range(3):
        versions.record([entry(1, site_id=site_id), entry(1, site_id=site_id)])
    assert Change.objects.filter(object_id=1).count() == 1


def test_what_is_new_is_told_from_what_was_there(site_id):
    [created] = versions.record([entry(1, site_id=site_id)])
    [updated] = versions.record([entry(1, site_id=site_id)])
    [deleted] = versions.record([entry(1, site_id=site_id, deleted=True)])
    [again] = versions.record([entry(1, site_id=site_id)])
    assert [item.is_new for item in (created, updated, deleted, again)] == [
        *(True, False, False, True)
    ]


def test_a_tombstone_is_written_once_and_never_for_nothing(site_id):
    assert versions.record([entry(1, site_id=site_id, deleted=True)]) == []
    versions.record([entry(1, site_id=site_id)])
    assert len(versions.record([entry(1, site_id=site_id, deleted=True)])) == 1
    state = versions.current()
    assert versions.record([entry(1, site_id=site_id, deleted=True)]) == []
    assert versions.current() == state


def test_many_entries_are_written_in_batches(site_id):
    pks = range(1, versions.BATCH_SIZE * 2 + 2)
    assert len(versions.record(entry(pk, site_id=site_id) for pk in pks)) == len(pks)
    assert Change.objects.count() == len(pks)


def test_a_rolled_back_version_comes_again_as_another(site_id):
    with transaction.atomic():
        versions.touch()
        lost = versions.current()
        transaction.set_rollback(True)
    versions.touch()
    kept = versions.current()
    assert kept.number == lost.number
    assert kept.token != lost.token


@on_postgres
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_publishing_at_once_gives_each_number_once_and_a_follower_misses_nothing():
    glossary = factories.make_glossary("words")
    terms = [factories.make_term(glossary, f"term-{n}", live=False) for n in range(12)]
    start = versions.current().number
    done = threading.Event()
    seen: dict[tuple[str, int], int] = {}
    errors = []

    def publish(batch):
        try:
            for term in batch:
                TermPage.objects.get(pk=term.pk).get_latest_revision().publish()
        except Exception as error:  # noqa: BLE001  (told by the test)
            errors.append(error)
        finally:
            connections.close_all()

    def follow():
        last = start
        while True:
            is_last = done.is_set()
            rows = Change.objects.filter(number__gt=last).order_by("number")
            for kind, pk, number in rows.values_list("kind", "object_id", "number"):
                seen[kind, pk] = last = number
            if is_last:
                break
        connections.close_all()

    publishers = [
        threading.Thread(target=publish, args=(terms[at::4],)) for at in range(4)
    ]
    follower = threading.Thread(target=follow)
    follower.start()
    for thread in publishers:
        thread.start()
    for thread in publishers:
        thread.join()
    done.set()
    follower.join()

    assert errors == []
    rows = Change.objects.filter(number__gt=start)
    numbers = list(rows.values_list("number", flat=True))
    assert len(numbers) == len(set(numbers))
    assert max(numbers) == versions.current().number
    assert seen == {(row.kind, row.object_id): row.number for row in rows}
    assert {pk for kind, pk in seen if kind == "term"} == {term.pk for term in terms}


@pytest.mark.django_db
def test_a_follower_does_not_lose_what_comes_while_it_reads(monkeypatch, rf):
    """A glossary that is published between the version and the rows is not in what the
    version is of."""
    factories.make_glossary("first")
    late = factories.make_glossary("late", live=False)
    term = factories.make_term(late, "term")
    before = versions.current()
    scope = scope_for(rf.get("/"), before)
    late.save_revision().publish()
    links = ApiLinks("http://localhost/")
    asked = {"limit": 100, "links": links}
    seen = changes_after(before.number, scope, until=before.number, **asked)
    assert seen == []
    now = versions.current()
    scope = scope_for(rf.get("/"), now)
    seen = changes_after(before.number, scope, until=now.number, **asked)
    assert {(each["kind"], each["state"]) for each in seen} == {
        *(("glossary", "updated"), ("term", "updated"), ("related_term", "updated")),
    }
    assert term.pk in {each["data"]["id"] for each in seen if each["kind"] == "term"}


@on_postgres
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_many_pages_at_once_and_one_do_not_wait_for_each_other():
    """The version is locked before the page, by both."""
    glossary = factories.make_glossary("words")
    first, second = (factories.make_term(glossary) for _ in range(2))
    is_held, errors = threading.Event(), []

    def bulk():
        try:
            with transaction.atomic():
                TermPage.objects.get(pk=first.pk).save_revision().publish()
                is_held.set()
                time.sleep(1)
                TermPage.objects.get(pk=second.pk).save_revision().publish()
        except OperationalError as error:
            errors.append(error)
        finally:
            is_held.set()
            connections.close_all()

    def editor():
        try:
            is_held.wait()
            TermPage.objects.get(pk=second.pk).save_revision().publish()
        except OperationalError as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=each) for each in (bulk, editor)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@on_postgres
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_an_import_and_an_editor_do_not_wait_for_each_other(tmp_path, monkeypatch):
    """An import has its pages before it writes; the version comes before both."""
    glossary = factories.make_glossary("words")
    source = tmp_path / "terms.jsonl"
    line = '{"slug": "token", "term": "Token", "shortDefinition": "Now %s."}\n'
    source.write_text(line % "one")
    call_command("import_terms", source, glossary="words", verbosity=0)
    source.write_text(line % "two")
    [term] = glossary.terms
    is_writing, errors = threading.Event(), []

    def save_pages(*args):
        is_writing.set()
        time.sleep(1)
        bulk.save_pages(*args)

    def editor():
        try:
            is_writing.wait(10)
            TermPage.objects.get(pk=term.pk).save()
        except OperationalError as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=editor)
    thread.start()
    monkeypatch.setattr(apply, "save_pages", save_pages)
    try:
        call_command("import_terms", source, glossary="words", verbosity=0)
    finally:
        was_writing = is_writing.is_set()
        is_writing.set()
        thread.join()
    assert errors == []
    assert was_writing
