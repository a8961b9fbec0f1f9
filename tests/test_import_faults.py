"""Imports beside other imports, editors and faults of the database, with processes and
databases of their own."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import InternalError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from taggit.models import Tag
from wagtail.models import Revision

from benchmarks.corpus import records as invented_records
from glossary.importing.jobs import request_stop
from glossary.importing.options import Atomic, Options
from glossary.importing.run import Import, RunFailed
from glossary.importing.staging import Staging
from glossary.models import (
    GlossaryPage,
    ImportRecord,
    ImportRun,
    ImportSource,
    TermPage,
)
from glossary.payload.sources import read_sources

from .factories import make_category, make_glossary
from .postgres import ServerError, find_binaries, running, unprivileged, usable_binaries
from .test_import_crash import (
    ROOT,
    OwnDatabase,
    dump,
    own_database,
    run_import,
    write,
)


pytestmark = pytest.mark.slow


LOCKED, FAILED = 3, 4

need_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="PostgreSQL alone has these faults"
)


@pytest.fixture
def db(
    django_db_setup: None, django_db_blocker: Any, tmp_path: Path
) -> Iterator[OwnDatabase]:
    """In place of the fixture of this name, which keeps all in one transaction."""
    with own_database(django_db_blocker, tmp_path) as own:
        make_glossary("ai")
        yield own


@pytest.fixture
def terms(tmp_path: Path) -> Callable[[int], Path]:
    """Write so many invented terms; gives their file."""

    def write_terms(count: int) -> Path:
        return write(tmp_path, list(invented_records(count)))

    return write_terms


def start(db: OwnDatabase, file: Path, *options: str) -> subprocess.Popen[str]:
    """A real import in a process of its own."""
    command = [sys.executable, "manage.py", "import_terms", str(file)]
    return subprocess.Popen(
        [*command, "--glossary", "ai", "--chunk-size", "10", *options],
        cwd=ROOT,
        env=db.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    printed, _nothing = process.communicate(timeout=120)
    assert "Traceback" not in printed, printed
    return process.returncode, printed


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)
    return found


def undisturbed(db: OwnDatabase, file: Path, options: Options) -> dict[str, Any]:
    """What the import leaves when nothing happens to it; the database is as before."""
    db.save()
    run_import(file, options)
    expected = dump()
    db.restore()
    return expected


def makes_pages(sql: str) -> bool:
    """Whether this is the statement that comes once with each chunk of new terms."""
    return sql.startswith("UPDATE") and 'SET "numchild" = ' in sql


TENS = Options(chunk_size=10)


# Connections and servers that fail


@need_postgres
def test_the_database_lets_a_plan_write_nothing(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    glossary = GlossaryPage.objects.get(slug="ai")
    with Staging() as staging:
        list(staging.add(read_sources([terms(3)])))
        plan = Import(staging, glossary, on_result=lambda result: make_category("x"))
        with pytest.raises(InternalError, match="read-only transaction"):
            plan.plan()
    make_category("y")  # and lets the next one write again


@need_postgres
def test_a_connection_cut_in_the_middle_ends_the_run_and_the_next_completes_it(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    file = terms(30)
    expected = undisturbed(db, file, TENS)
    process = start(db, file)
    wait_for(lambda: TermPage.objects.count() >= 10)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    status, printed = end(process)
    assert status == FAILED, printed
    assert "The database failed" in printed
    assert "Import again to do the rest." in printed
    cut = ImportRun.objects.get()
    assert cut.status == ImportRun.Status.FAILED
    assert 10 <= sum(cut.counts.values()) < 30
    assert run_import(file, TENS).status == ImportRun.Status.FINISHED
    assert dump() == expected


@need_postgres
def test_a_statement_that_takes_too_long_fails_the_run_and_not_the_terms(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    file = terms(20)
    expected = undisturbed(db, file, TENS)
    chunks = Counter[str]()

    def wait(execute: Any, sql: str, *rest: Any) -> Any:
        if makes_pages(sql):
            chunks["written"] += 1
            if chunks["written"] == 2:
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL statement_timeout = 20")
                    cursor.execute("SELECT pg_sleep(10)")
        return execute(sql, *rest)

    with pytest.raises(RunFailed, match="statement timeout"):
        run_import(file, TENS, meanwhile=wait)
    failed = ImportRun.objects.get()
    assert failed.status == ImportRun.Status.FAILED
    assert failed.counts == {"create": 10}
    assert "statement timeout" in failed.message
    assert run_import(file, TENS).status == ImportRun.Status.FINISHED
    assert dump() == expected


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of its own at the folder; the test skips where none can be mounted."""
    size = f"size={megabytes}m"
    command = ["mount", "-t", "tmpfs", "-o", f"{size},mode=0777", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount(8), so no disk can be full")
    if mounted.returncode:
        # Also where services are required: to mount takes a privilege that a machine
        # for tests rarely gives, and that no package can install.
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@need_postgres
@pytest.mark.slow
def test_a_full_disk_loses_nothing(
    db: OwnDatabase, terms: Callable[[int], Path], tmp_path: Path
) -> None:
    file = terms(100)
    expected = undisturbed(db, file, TENS)
    dumped = tmp_path / "site.sql"
    try:
        binaries = find_binaries()
    except ServerError as error:
        pytest.skip(str(error))
    if not (binaries / "pg_dump").exists():
        pytest.skip("pg_dump is not installed beside the server")
    original = dict(connection.settings_dict)
    connection.close()
    subprocess.run(
        [binaries / "pg_dump", "-f", dumped, "-d", db.environment["DATABASE_URL"]],
        check=True,
    )
    with TemporaryDirectory(prefix="glossary-disk-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        with small_disk(folder, 220):
            identity = unprivileged()
            home = folder / "home"
            home.mkdir()
            if identity:
                os.chown(home, identity["user"], identity["group"])
            usable = usable_binaries(binaries, home, identity)
            with running(usable, home, identity) as url:
                subprocess.run(
                    [binaries / "psql", "-q", "-d", url, "-f", dumped],
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
                connection.settings_dict.update(HOST=str(home), NAME="postgres")
                try:
                    fill_and_import(folder / "ballast", file)
                    assert dump() == expected
                finally:
                    connection.close()
                    connection.settings_dict.update(original)


def fill_and_import(ballast: Path, file: Path) -> None:
    """Import on a full disk until that fails, and again when there is room."""
    filled = False

    def fill() -> None:
        with ballast.open("wb", buffering=0) as all_there_is:
            try:
                while True:
                    all_there_is.write(bytes(65536))
            except OSError:
                pass

    def once_begun(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal filled
        if not filled and makes_pages(sql):
            filled = True
            fill()
        return execute(sql, *rest)

    with pytest.raises(RunFailed):
        run_import(file, TENS, meanwhile=once_begun)
    assert filled
    ballast.unlink()
    connection.close()
    assert run_import(file, TENS).status == ImportRun.Status.FINISHED


# Several at once


@need_postgres
def test_of_three_imports_at_once_one_runs_and_two_say_which(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    file = terms(30)
    expected = undisturbed(db, file, TENS)
    get_user_model().objects.create_superuser("ada", "ada@example.org", "x")
    processes = [start(db, file, "--user", "ada") for _number in range(3)]
    ended = [end(process) for process in processes]
    statuses = sorted(status for status, _printed in ended)
    # On a slow machine one may come when another has finished.
    assert set(statuses) <= {0, LOCKED}
    assert statuses.count(LOCKED) >= 1, ended
    for status, printed in ended:
        if status == LOCKED:
            assert "by ada has been in progress since" in printed
            assert "Run #" in printed
    owned = dump()
    for page in owned["pages"]:
        assert page["revisions"] == 1
        assert page.pop("owner")
    for page in expected["pages"]:
        page.pop("owner")
    assert owned == expected


def test_a_lock_without_a_sign_of_life_is_taken_over(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    file = terms(20)
    process = start(db, file)
    wait_for(lambda: ImportSource.objects.filter(holder__isnull=False).exists())
    process.send_signal(signal.SIGKILL)
    process.communicate()
    killed = ImportRun.objects.get()
    assert killed.status == ImportRun.Status.RUNNING
    if connection.vendor != "postgresql":
        status, printed = end(start(db, file))
        assert status == LOCKED, printed
        assert "by the system has been in progress since" in printed
        long_ago = timezone.now() - timedelta(minutes=2)
        ImportRun.objects.update(heartbeat_at=long_ago)
    assert run_import(file, TENS).status == ImportRun.Status.FINISHED
    killed.refresh_from_db()
    assert killed.status == ImportRun.Status.INTERRUPTED
    assert TermPage.objects.live().count() == 20


@need_postgres
def test_an_editor_at_work_meanwhile_loses_nothing(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    """The editor saves all the time, and what they saved last is there at the end."""
    run_import(terms(30), TENS)
    slugs = list(TermPage.objects.values_list("slug", flat=True))
    typed: dict[str, str] = {}
    everything: list[str] = []
    over = threading.Event()

    def edit() -> None:
        try:
            for number in range(10_000):
                if over.is_set():
                    return
                slug = slugs[number * 7 % len(slugs)]
                word = f"word-{number}."
                with transaction.atomic():
                    page = TermPage.objects.get(slug=slug)
                    page = page.get_latest_revision_as_object()
                    page.heading = f"Typed {word}"
                    page.save_revision().publish()
                typed[slug] = word
                everything.append(word)
        except OperationalError as error:
            if "deadlock" not in str(error):
                raise
        finally:
            connection.close()

    changed = [
        {**each, "shortDefinition": f"Another text for {each['slug']}."}
        for each in invented_records(30)
    ]
    editor = threading.Thread(target=edit)
    editor.start()
    try:
        wait_for(lambda: typed)
        file = write(terms(30).parent, changed)
        for _attempt in range(5):
            try:
                run_import(file, TENS)
            except RunFailed as failed:
                if "deadlock" not in str(failed):
                    raise
            else:
                break
        else:
            pytest.fail("no import comes through beside an editor")
    finally:
        over.set()
        editor.join(60)
    run_import(file, TENS)
    history = json.dumps(list(Revision.objects.values_list("content", flat=True)))
    for word in everything:
        assert word in history
    for slug, word in typed.items():
        page = TermPage.objects.get(slug=slug)
        assert page.heading == f"Typed {word}"
        assert page.get_latest_revision_as_object().heading == f"Typed {word}"


@need_postgres
@pytest.mark.slow
def test_kills_at_any_moment_lead_to_the_same_end(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    file = terms(150)
    expected = undisturbed(db, file, TENS)
    kills = 0
    while True:
        done = TermPage.objects.count()
        process = start(db, file)
        wait_for(
            lambda process=process, done=done: (
                process.poll() is not None or TermPage.objects.count() > done + 40
            )
        )
        time.sleep(kills * 0.13 % 0.5)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        kills += 1
        assert kills < 100
    assert kills
    assert dump() == expected


# Stopping, and all or nothing


def test_a_run_stops_when_asked_and_the_next_does_the_rest(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    file = terms(30)
    expected = undisturbed(db, file, TENS)
    chunks = Counter[str]()

    def ask(execute: Any, sql: str, *rest: Any) -> Any:
        if makes_pages(sql):
            chunks["written"] += 1
            if chunks["written"] == 2:
                request_stop(ImportRun.objects.get())
        return execute(sql, *rest)

    run = run_import(file, TENS, meanwhile=ask)
    assert run.status == ImportRun.Status.STOPPED
    assert run.counts == {"create": 20}
    assert run.message
    assert TermPage.objects.count() == 20
    run = run_import(file, TENS)
    assert run.status == ImportRun.Status.FINISHED
    assert run.counts == {"unchanged": 20, "create": 10}
    assert dump() == expected


ALL = Options(atomic=Atomic.ALL, chunk_size=10)


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"faq": "no list"}, "faq"),
        ({"shortDefinition": ""}, "short_definition"),
        ({"labels": ["Same", "same"]}, "labels"),
    ],
)
def test_all_or_nothing_names_the_term_that_is_at_fault(
    db: OwnDatabase, tmp_path: Path, fault: dict[str, Any], field: str
) -> None:
    records = list(invented_records(25))
    file = write(tmp_path, [*records[:24], {**records[24], **fault}])
    run = run_import(file, ALL)
    if run.status == ImportRun.Status.FINISHED:
        assert field == "labels"  # the schema has mended it, and said so
        return
    assert run.status == ImportRun.Status.STOPPED
    assert f"{file}:25" in run.message
    assert records[24]["slug"] in run.message
    assert field in run.message
    assert not TermPage.objects.exists()
    assert not ImportRecord.objects.exists()
    assert run_import(write(tmp_path, records), ALL).counts == {"create": 25}


def test_all_or_nothing_leaves_nothing_of_a_run_that_fails(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    file = terms(30)
    empty = dump_or_nothing()
    chunks = Counter[str]()

    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if makes_pages(sql):
            chunks["written"] += 1
            if chunks["written"] == 3:
                raise OperationalError("the disk is full")
        return execute(sql, *rest)

    with pytest.raises(RunFailed, match="the disk is full"):
        run_import(file, ALL, meanwhile=fail)
    assert dump_or_nothing() == empty
    assert ImportRun.objects.get().counts == {}
    assert run_import(file, ALL).counts == {"create": 30}


def dump_or_nothing() -> tuple[int, ...]:
    return (
        TermPage.objects.count(),
        Revision.objects.count(),
        ImportRecord.objects.count(),
        GlossaryPage.objects.get().numchild,
    )


# What it costs


def queries(file: Path, options: Options, *, plans: bool = False) -> int:
    glossary = GlossaryPage.objects.get(slug="ai")
    with Staging() as staging, CaptureQueriesContext(connection) as captured:
        list(staging.add(read_sources([file])))
        work = Import(staging, glossary, options)
        if plans:
            work.plan()
        else:
            work.apply()
    return len(captured)


def changed(file: Path) -> Path:
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return write(file.parent, [{**each, "h1": f"{each['h1']}!"} for each in lines])


def make_what_is_made_one_by_one(count: int) -> None:
    """Categories and tags: few, and each new one is looked up by itself."""
    records = list(invented_records(count))
    for slug in {record["category"] for record in records}:
        make_category(slug)
    for name in {tag for record in records for tag in record["tags"]}:
        Tag.objects.create(name=name)


@need_postgres
def test_a_chunk_takes_as_many_queries_however_many_terms_it_has(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    make_what_is_made_one_by_one(100)
    db.save()
    counts: dict[int, list[int]] = {}
    for count in (20, 100):
        db.restore()
        options = Options(chunk_size=100)
        counts[count] = [
            queries(terms(count), options, plans=True),
            queries(terms(count), options),
            queries(terms(count), options),
            queries(changed(terms(count)), options, plans=True),
            queries(changed(terms(count)), options),
        ]
    assert counts[20] == counts[100]


def test_ten_times_the_terms_take_ten_times_the_queries(
    db: OwnDatabase, terms: Callable[[int], Path]
) -> None:
    make_what_is_made_one_by_one(100)
    db.save()
    counts = {}
    for count in (10, 100):
        db.restore()
        counts[count] = queries(terms(count), Options(chunk_size=5))
    assert counts[100] <= 10 * counts[10]


@pytest.mark.once
def test_memory_does_not_grow_with_the_number_of_terms(
    db: OwnDatabase, tmp_path: Path
) -> None:
    options = Options(chunk_size=50)
    peaks = []
    # Fewer than a thousand end before their circular garbage is collected once.
    for first, count in ((0, 50), (1_000, 1_000), (3_000, 2_000)):
        file = write(
            tmp_path,
            [
                {
                    "slug": f"term-{number}",
                    "term": f"Term {number}",
                    "shortDefinition": f"What {number} means.",
                }
                for number in range(first, first + count)
            ],
        )
        tracemalloc.start()
        # As in the command: else what is no longer used waits long to be collected.
        gc.freeze()
        try:
            run_import(file, options)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            gc.unfreeze()
            tracemalloc.stop()
    _warm, few, many = peaks
    assert many < few + 2_000_000
