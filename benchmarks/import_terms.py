"""Importing terms on PostgreSQL: ours against an importer that goes page by page.

Each measurement is a process of its own, so nothing is warm and its start counts; the
first of each importer finds an empty glossary. ``GLOSSARY_BENCHMARK_TERMS`` says how
many terms there are (10000). The other importer gets ``GLOSSARY_BENCHMARK_SAMPLE`` of
them (300; 0 for all), and its seconds are extrapolated from these.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit


ROOT = Path(__file__).parent.parent
SLUG = "ai"
OURS = ("manage.py", "import_terms")
NAIVE = ("-m", "benchmarks.naive_import")
CHANGED_SHARE = 0.01
CHECKED = 20
# ru_maxrss is in kibibytes, on macOS in bytes.
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024

PLAN = "plan only"
FIRST = "first import"
UNCHANGED = "unchanged re-import"
CHANGED = "re-import, 1 % changed"

# What is to be reached.
RATIO_GOALS = {FIRST: 30, UNCHANGED: 100}
PLAN_GOAL = 0.1
PEAK_GOAL = 300
DOUBLE_GOAL = 2.2


@dataclass(frozen=True)
class Measured:
    """One run of an importer: its seconds, and the peak of its memory in MB."""

    seconds: float
    peak: float


Series = dict[str, Measured]


def run() -> None:
    import django
    from django.test.utils import setup_databases, teardown_databases

    django.setup()
    from django.db import connection

    if connection.vendor != "postgresql":
        print("  skipped: it needs PostgreSQL, which `make benchmark` starts")
        return
    count = int(os.environ.get("GLOSSARY_BENCHMARK_TERMS", "10000"))
    sample = int(os.environ.get("GLOSSARY_BENCHMARK_SAMPLE", "300"))
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"  other work goes on (load {load:.1f}): expect ratios that are off")
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        compare(count, min(sample, count) or count)
    finally:
        teardown_databases(databases, verbosity=0)


def compare(count: int, sample: int) -> None:
    from tests.factories import make_glossary

    make_glossary(SLUG)
    naive, naive_contents = measure_naive(count, sample)
    ours, our_contents = measure_ours(count, sample)
    for our_term, naive_term in zip(our_contents, naive_contents, strict=True):
        for our_part, naive_part in zip(our_term, naive_term, strict=True):
            expect(f"page by page, “{our_term[1]}”", naive_part, our_part)
    print_speed(ours, naive, count, sample)
    doubled, _contents = measure_ours(2 * count, sample)
    print_growth(ours, doubled, count)


# Measuring


def measure_ours(count: int, sample: int) -> tuple[Series, list[Any]]:
    """Import ``count`` terms with ours; also the contents of the first ``sample``."""
    with empty_site("ours") as url, TemporaryDirectory() as folder:
        command = [*OURS, folder, "--glossary", SLUG]
        write(folder, count)
        series = {
            PLAN: measure([*command, "--dry-run"], url)[0],
            FIRST: measure(command, url)[0],
            UNCHANGED: measure(command, url)[0],
        }
        write(folder, count, CHANGED_SHARE)
        series[CHANGED] = measure(command, url)[0]
        changed = round(count * CHANGED_SHARE)
        check_site(count, +Counter({1: count - changed, 2: changed}))
        check_indexes()
        return series, contents(sample)


def measure_naive(count: int, sample: int) -> tuple[Series, list[Any]]:
    """The same with the other importer, and only the first ``sample`` of the terms:
    what a run took for these is multiplied, but not the start of its process."""
    with empty_site("naive") as url, TemporaryDirectory() as folder:
        command = [*NAIVE, folder, "--glossary", SLUG, f"--limit={sample}"]
        series = {}
        for step in (FIRST, UNCHANGED, CHANGED):
            write(folder, count, CHANGED_SHARE if step == CHANGED else 0)
            measured, output = measure(command, url)
            importing = float(output)
            start = measured.seconds - importing
            seconds = start + importing * count / sample
            series[step] = Measured(seconds, measured.peak)
        check_site(sample, Counter({3: sample}))
        return series, contents(sample)


def write(folder: str, count: int, changed_share: float = 0) -> None:
    from .corpus import write_corpus

    write_corpus(Path(folder), count, changed_share=changed_share)


def measure(command: list[str], url: str) -> tuple[Measured, str]:
    """Run Python with these arguments on a database; also what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.import_terms", sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
    )
    output, _newline, last = done.stdout.rstrip("\n").rpartition("\n")
    if done.returncode:
        printed = "\n".join((output or last)[-5_000:].splitlines()[-30:])
        sys.exit(
            f"{' '.join(command)}: status {done.returncode}\n{printed}\n{done.stderr}"
        )
    return Measured(**json.loads(last)), output


def watch(command: list[str]) -> int:
    """Run a command and print, as the last line, what it took. In a process that does
    no more: the peak of a child begins with the memory of its parent."""
    start = perf_counter()
    status = subprocess.run(command).returncode
    seconds = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * PEAK_UNIT / 1e6
    print(json.dumps({"seconds": seconds, "peak": peak}))
    return status


@contextmanager
def empty_site(name: str) -> Iterator[str]:
    """A copy of the test database, which the connection leads to meanwhile; its URL."""
    from django.db import connection

    creation, settings = connection.creation, connection.settings_dict
    creation.clone_test_db(suffix=name, verbosity=0)
    original = settings["NAME"]
    settings["NAME"] = creation.get_test_db_clone_settings(name)["NAME"]
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{settings['NAME']}")
    try:
        yield url.geturl()
    finally:
        connection.close()
        settings["NAME"] = original
        creation.destroy_test_db(suffix=name, verbosity=0)


# Checking what the importers left behind


def check_site(count: int, revisions: Counter[int]) -> None:
    """End the benchmark unless all terms are published, in a tree without problems.

    ``revisions`` says how many of them there are by how many revisions they have.
    """
    from django.core.management import call_command
    from wagtail.models import Revision

    from glossary.models import TermPage

    expect("published terms", TermPage.objects.live().count(), count)
    owned = Revision.objects.filter(
        object_id__in=[str(pk) for pk in TermPage.objects.values_list("pk", flat=True)]
    )
    of_terms = Counter(owned.values_list("object_id", flat=True))
    expect("terms by their revisions", Counter(of_terms.values()), revisions)
    messages = StringIO()
    call_command("fixtree", interactive=False, stdout=messages)
    sound = "No problems found."
    problems = [
        line
        for line in messages.getvalue().splitlines()
        if line and line != sound and not line.startswith("Checking ")
    ]
    expect("problems of the trees", problems, [])


def check_indexes() -> None:
    """End the benchmark unless some terms, changed ones among them, are found, and have
    index entries and references as if these were made anew.

    Of the other importer that would be too much: where a page gets its tags again,
    Wagtail keeps references that name the rows from before.
    """
    from wagtail.models import ReferenceIndex
    from wagtail.search import index

    from glossary.models import TermPage

    by_age = TermPage.objects.order_by("latest_revision_id")
    pages = [*by_age[:CHECKED], *by_age.reverse()[:CHECKED]]
    for page in pages:
        found = TermPage.objects.search(page.title, operator="and")
        expect(f"found “{page.title}”", page.pk in {hit.pk for hit in found}, True)
        before = references(page), entries(page)
        ReferenceIndex.create_or_update_for_object(page)
        index.insert_or_update_object(page)
        expect(f"references of “{page.title}”", before[0], references(page))
        expect(f"index entries of “{page.title}”", before[1], entries(page))
        expect(f"references and entries of “{page.title}”", all(before), True)


def references(page: Any) -> set[tuple[Any, ...]]:
    from wagtail.models import ReferenceIndex

    rows = ReferenceIndex.get_references_for_object(page)
    names = [field.attname for field in ReferenceIndex._meta.fields]
    names.remove("id")
    return set(rows.values_list(*names))


def entries(page: Any) -> set[tuple[Any, ...]]:
    rows = page.index_entries.values_list(
        "content_type", "title", "body", "autocomplete"
    )
    return set(rows)


def contents(sample: int) -> list[Any]:
    """What the first terms say, without ids."""
    from glossary.models import TermPage

    pages = sorted(TermPage.objects.all(), key=lambda page: page.slug)[:sample]
    return [
        (
            *(page.slug, page.title, page.heading, page.short_definition),
            *(page.seo_title, page.search_description, page.category.slug),
            sorted(page.tags.names()),
            [(link.related_term.slug, link.kind) for link in page.related_terms.all()],
            [(label.text, label.kind, label.case_rule) for label in page.labels.all()],
            [
                {name: said(value) for name, value in child.value.items()}
                for stream in (page.explanation, page.comparisons, page.faq)
                for child in stream
            ],
            [child.value["path"] for child in page.related_features],
        )
        for page in pages
    ]


def said(value: Any) -> str:
    """The source of a rich text, the name of a related term, or a text as it is."""
    return str(getattr(value, "source", value))


def expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        sys.exit(f"{what}: {str(found)[:2_000]}\ninstead of: {str(wanted)[:2_000]}")


# Printing


def print_speed(ours: Series, naive: Series, count: int, sample: int) -> None:
    print(f"  {f'{count} terms':24}{'ours':>23}{'page by page':>23}")
    for step, measured in ours.items():
        line = f"  {step:24}{speed(measured, count)}"
        if step in naive:
            ratio = naive[step].seconds / measured.seconds
            line += f"{speed(naive[step], count)}   ratio {ratio:6.1f}"
            line += f"  (goal {RATIO_GOALS[step]})" if step in RATIO_GOALS else ""
        print(line)
    share = ours[PLAN].seconds / ours[FIRST].seconds
    print(f"  plan only / first import  {share:.2f}  (goal {PLAN_GOAL} or less)")
    print(
        f"  page by page: measured with {sample} of the terms"
        f"{' and extrapolated linearly' * (sample < count)}; "
        f"peak memory {naive[FIRST].peak:.0f} MB"
    )


def speed(measured: Measured, count: int) -> str:
    return f"{measured.seconds:9.1f} s {count / measured.seconds:8.0f} /s"


def print_growth(ours: Series, doubled: Series, count: int) -> None:
    print(f"  ours, {count} and {2 * count} terms")
    for step, measured in ours.items():
        times = doubled[step].seconds / measured.seconds
        print(
            f"  {step:24}{measured.seconds:7.1f} and {doubled[step].seconds:7.1f} s, "
            f"{times:4.2f} times{f' (goal {DOUBLE_GOAL} or less)' * (step == FIRST)}; "
            f"peak {measured.peak:4.0f} and {doubled[step].peak:4.0f} MB"
        )
    peak = max(measured.peak for measured in (*ours.values(), *doubled.values()))
    print(f"  highest peak {peak:.0f} MB  (goal {PEAK_GOAL} MB or less, and no growth)")


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1:]))
