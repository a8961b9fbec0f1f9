"""An import that breaks off at any of its statements, in any way, is completed by the
next one: what is there then is what an undisturbed import leaves."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import swapper
from django.conf import settings as django_settings
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection
from django.utils import timezone
from wagtail.models import PageLogEntry, ReferenceIndex, Revision
from wagtail.search.models import IndexEntry

from glossary.content import page_content
from glossary.importing.options import Options
from glossary.importing.run import Import, RunFailed
from glossary.importing.staging import Staging
from glossary.models import (
    Category,
    GlossaryPage,
    ImportItem,
    ImportPayload,
    ImportRecord,
    ImportRun,
    RelatedTerm,
    TermPage,
)
from glossary.payload.sources import read_sources

from .factories import make_glossary, make_term


pytestmark = pytest.mark.slow


KILLED = 137
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ROW = re.compile(r"\.\d+\.")
ROOT = Path(__file__).parent.parent


# A database that a test has to itself, and that other processes can reach


class OwnDatabase:
    """A copy of the test database, to which the connection leads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_postgres = connection.vendor == "postgresql"
        self._original = connection.settings_dict["NAME"]
        self._name = (
            f"{self._original}_own"
            if self._is_postgres
            else str(folder / "own.sqlite3")
        )
        self._saved = f"{self._name}_saved"

    def open(self) -> None:
        if self._is_postgres:
            connection.close()
            self._copy(self._original, self._name)
        else:
            connection.ensure_connection()
            self._memory = connection.connection
            with sqlite3.connect(self._name) as file:
                self._memory.backup(file)
            file.close()
            connection.connection = None
        connection.settings_dict["NAME"] = self._name

    def close(self) -> None:
        connection.close()
        connection.settings_dict["NAME"] = self._original
        if self._is_postgres:
            self._drop(self._name, self._saved)
        else:
            connection.connection = self._memory

    def save(self) -> None:
        """Remember all that is there now, for ``restore``."""
        self._copy(self._name, self._saved)

    def restore(self) -> None:
        self._copy(self._saved, self._name)

    def _copy(self, source: str, target: str) -> None:
        connection.close()
        if not self._is_postgres:
            shutil.copyfile(source, target)
            return
        self._drop(target)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')

    def _drop(self, *names: str) -> None:
        with connection._nodb_cursor() as cursor:
            for name in names:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @property
    def environment(self) -> dict[str, str]:
        """For processes that are to use it with the settings of this one."""
        url = f"sqlite:///{self._name}"
        if self._is_postgres:
            url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{self._name}")
            url = url.geturl()
        module = os.environ.get("DJANGO_SETTINGS_MODULE", "tests.settings")
        return {
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": django_settings.SETTINGS_MODULE or module,
        }


@contextmanager
def own_database(blocker: Any, folder: Path) -> Iterator[OwnDatabase]:
    with blocker.unblock():
        database = OwnDatabase(folder)
        database.open()
        try:
            yield database
        finally:
            database.close()


@pytest.fixture
def db(
    django_db_setup: None, django_db_blocker: Any, tmp_path: Path
) -> Iterator[OwnDatabase]:
    """In place of the fixture of this name, which keeps all in one transaction."""
    with own_database(django_db_blocker, tmp_path) as own:
        yield own


# What is there, without ids and times


def dump() -> dict[str, Any]:
    """All that an import leaves, but for which run did it and when."""
    pages = list(TermPage.objects.order_by("path"))
    names = {("term", str(page.pk)): page.slug for page in pages}
    names |= {
        ("related", str(each.pk)): each.slug for each in RelatedTerm.objects.all()
    }
    Page = swapper.load_model("wagtailcore", "Page")
    return {
        "pages": [dump_page(page) for page in pages],
        "tree": [list(found) for found in Page.find_problems()],
        "children": list(
            GlossaryPage.objects.order_by("path").values_list("slug", "numchild")
        ),
        "related terms": sorted(
            (each.slug, each.name, each.page.slug if each.page else None)
            for each in RelatedTerm.objects.select_related("page")
        ),
        "categories": list(
            Category.objects.order_by("slug").values_list("slug", "name")
        ),
        "payloads": sorted(ImportPayload.objects.values_list("digest", flat=True)),
        "records": [
            (
                *(each.key, each.page and each.page.slug, each.base, each.proposal),
                *(each.payload_id, each.digest, each.revision is not None),
                each.page and each.revision in (None, each.page.latest_revision_id),
            )
            for each in ImportRecord.objects.order_by("key").select_related("page")
        ],
        "items": sorted(
            ImportItem.objects.filter(applied=True)
            .exclude(outcome__in=["conflict", "unchanged"])
            .values_list("key", "outcome")
        ),
        "references": dump_references(names),
        "search": sorted(dump_entry(each) for each in IndexEntry.objects.all()),
    }


def dump_page(page: TermPage) -> dict[str, Any]:
    latest = page.get_latest_revision_as_object()
    revisions = list(
        Revision.objects.filter(
            base_content_type=page.get_base_content_type(), object_id=str(page.pk)
        )
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    logged = PageLogEntry.objects.filter(page=page.pk).values_list("action", flat=True)
    return {
        **{name: getattr(page, name) for name in ("slug", "url_path", "path", "depth")},
        **{name: getattr(page, name) for name in ("numchild", "live", "draft_title")},
        "draft": page.has_unpublished_changes,
        "owner": page.owner_id,
        "content": page_content(page),
        "latest content": page_content(latest),
        "streams": [
            UUID.sub("", json.dumps(list(stream.raw_data)))
            for stream in (page.explanation, page.faq, page.related_features)
        ],
        "revisions": len(revisions),
        "latest": revisions.index(page.latest_revision_id),
        "published": page.live_revision_id and revisions.index(page.live_revision_id),
        "first published": page.first_published_at is not None,
        "log": sorted(Counter(logged).items()),
        "rows": [
            list(rows.values_list("sort_order", flat=True))
            for rows in (page.related_terms.all(), page.labels.all())
        ],
    }


def dump_references(names: dict[tuple[str, str], str]) -> list[tuple[str, ...]]:
    models = {
        ContentType.objects.get_for_model(RelatedTerm).pk: "related",
        TermPage.objects.first().get_base_content_type().pk: "term",
    }

    def name(content_type: int, pk: str) -> str:
        kind = models.get(content_type, str(content_type))
        return f"{kind} {names.get((kind, pk), '')}"

    return sorted(
        (
            name(each.base_content_type_id, each.object_id),
            name(each.to_content_type_id, each.to_object_id),
            ROW.sub(".", UUID.sub("", each.content_path)),
            each.model_path,
        )
        for each in ReferenceIndex.objects.all()
        if each.base_content_type_id in models
    )


def dump_entry(entry: Any) -> tuple[str, ...]:
    model = entry.content_type.model_class()
    values = (entry.title, entry.body, entry.autocomplete)
    return (model.__name__, *(str(value) for value in values))


# A small import with something of everything


def record(slug: str, **fields: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "term": slug.capitalize(),
        "shortDefinition": f"What {slug} means.",
        "h1": f"About {slug}",
        "explanation": f"It is **{slug}**.",
        "faq": [{"question": f"Why {slug}?", "answer": "Because."}],
        "relatedTerms": [{"slug": "new", "name": "New"}],
        "relatedFeatures": ["features/search"],
        "category": "parts",
        "labels": [f"{slug}s"],
        "tags": ["basic"],
        **fields,
    }


FIRST = [record("updated"), record("merged"), record("contested")]
SECOND = [
    record("updated", h1="Another heading", term="Updated too"),
    record("merged", h1="Another heading", tags=["basic", "other"]),
    record("contested", shortDefinition="The payload's.", h1="Another heading"),
    record("adopted", category="other-parts"),
    record(
        "new",
        relatedTerms=[
            {"slug": "last", "name": "Last"},
            {"slug": "never", "name": "No"},
        ],
        vsRelatedConcepts=[{"term": "Last", "comparison": "It comes later."}],
    ),
    record("last"),
]
OPTIONS = Options(adopt=True, chunk_size=2)


def make_scene(folder: Path) -> None:
    """A glossary that was imported once, and edited since."""
    glossary = make_glossary("ai")
    run_import(write(folder, FIRST))
    for slug in ("merged", "contested"):
        term = TermPage.objects.get(slug=slug)
        term.short_definition = "An editor's."
        term.save_revision().publish()
    make_term(glossary, "adopted", short_definition="By hand.")


def write(folder: Path, records: list[dict[str, Any]]) -> Path:
    file = folder / "terms.jsonl"
    file.write_text("\n".join(map(json.dumps, records)))
    return file


def run_import(
    file: Path, options: Options = OPTIONS, meanwhile: Any = None
) -> ImportRun:
    """Import; ``meanwhile`` wraps each statement of it."""
    glossary = GlossaryPage.objects.get(slug="ai")
    with Staging() as staging:
        list(staging.add(read_sources([file])))
        work = Import(staging, glossary, options)
        if meanwhile is None:
            return work.apply()
        with connection.execute_wrapper(meanwhile):
            return work.apply()


def let_an_hour_pass() -> None:
    """Where the database holds no lock, a run that was killed keeps it for a while."""
    long_ago = timezone.now() - timedelta(hours=1)
    ImportRun.objects.update(heartbeat_at=long_ago)


# Ways to break off


class Breaking:
    """Counts statements, and breaks off at one of them."""

    def __init__(self, at: int | None, how: Callable[[], None]) -> None:
        self.at = at
        self.how = how
        self.count = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any):
        self.count += 1
        if self.at is not None and self.is_reached():
            self.how()
        return execute(sql, params, many, context)

    def is_reached(self) -> bool:
        return self.count == self.at


class Gone(Breaking):
    """From one statement on, the database does not answer any more."""

    def is_reached(self) -> bool:
        return self.count >= self.at


def fail() -> None:
    raise OperationalError("server closed the connection unexpectedly")


def interrupt() -> None:
    raise KeyboardInterrupt


def break_off(file: Path, breaking: Breaking) -> None:
    expected = RunFailed if breaking.how is fail else KeyboardInterrupt
    if isinstance(breaking, Gone):
        with pytest.raises(expected):
            run_import(file, meanwhile=breaking)
    else:
        # What comes after the last term may fail without a word.
        with suppress(expected):
            run_import(file, meanwhile=breaking)


def kill(file: Path, at: int) -> None:
    """Import in a process that ends at a statement as if it were killed."""
    connection.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        _pid, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == KILLED
        return
    try:
        run_import(file, meanwhile=Breaking(at, lambda: os._exit(KILLED)))
    finally:
        os._exit(1)


WAYS: dict[str, Callable[[Path, int], None]] = {
    "fails": lambda file, at: break_off(file, Breaking(at, fail)),
    "is gone": lambda file, at: break_off(file, Gone(at, fail)),
    "is interrupted": lambda file, at: break_off(file, Breaking(at, interrupt)),
    "is killed": kill,
}


def check_crashes(database: OwnDatabase, folder: Path, way: str, share: float) -> None:
    make_scene(folder)
    file = write(folder, SECOND)
    database.save()
    counting = Breaking(None, fail)
    run_import(file, meanwhile=counting)
    undisturbed = dump()
    places = range(1, counting.count + 1)
    if share < 1:
        step = round(1 / share)
        chosen = places[len(way) % step :: step]
        places = sorted({1, counting.count, *chosen})
    for at in places:
        database.restore()
        WAYS[way](file, at)
        let_an_hour_pass()
        assert run_import(file).status == ImportRun.Status.FINISHED, at
        assert dump() == undisturbed, at
        under_way = ImportRun.objects.filter(status__in=ImportRun.UNDER_WAY)
        assert not under_way.exists(), at


@pytest.mark.parametrize("way", WAYS)
def test_what_broke_off_is_completed(db: OwnDatabase, tmp_path: Path, way: str) -> None:
    check_crashes(db, tmp_path, way, share=0.04)


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS)
def test_what_broke_off_at_any_statement_is_completed(
    db: OwnDatabase, tmp_path: Path, way: str
) -> None:
    check_crashes(db, tmp_path, way, share=1)
