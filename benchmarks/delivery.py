"""Terms over HTTP: ours, Wagtail's APIs v2 and v3, and a view that returns one row.

The demo site, on PostgreSQL and under gunicorn, answers random requests for all of its
terms, which a second process sends over 8 connections. Each round measures all cases,
one after the other; the figures are those of the median round. “web” and “db” are the
processor time of one request. “Warm” answers come from the site's cache, which holds
them all; the others are made anew.

============================  ========================================================
GLOSSARY_BENCHMARK_TERMS      how many terms there are (10000)
GLOSSARY_BENCHMARK_LARGE      how many there are in a larger glossary, which is compared
                              with one of 1000 (100000; 0 for no comparison)
GLOSSARY_BENCHMARK_SECONDS    for how long each case is measured in a round (4)
GLOSSARY_BENCHMARK_ROUNDS     how many rounds there are (3)
GLOSSARY_BENCHMARK_THREADS    threads of each of the two workers (2)
GLOSSARY_BENCHMARK_KEEP       1: the filled databases stay, for the next time
GLOSSARY_BENCHMARK_ONLY       measure no cases but those whose name has this in it
============================  ========================================================
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from statistics import median
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from .corpus import ADJECTIVES, NOUNS, SEED
from .load import Outcome, Plan


ROOT = Path(__file__).parent.parent
WORKERS = 2
CONNECTIONS = 8
START_SECONDS = 30
SMALL = 1_000
PAGE = 20
SEARCHES = 300
COUNTED = 15
CONDITIONAL = 500
WORKER = "/benchmark/worker/"
OURS = "/api/glossary/v1"
PAGES = "/api/v2/pages/?type=glossary.TermPage"
GROWTH_GOAL = 1.3

# What changes how a database is filled, so that one that was kept is made anew.
FILLED_BY = ("glossary/migrations/*.py", "benchmarks/corpus.py", "benchmarks/*/*.py")


def number(name: str, default: int) -> int:
    return int(os.environ.get(f"GLOSSARY_BENCHMARK_{name}", default))


def run() -> None:
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        print("  skipped: it needs PostgreSQL, which `make benchmark` starts")
        return
    busy = os.getloadavg()[0]
    if busy > 0.5:
        print(f"  other work goes on (load {busy:.1f}): expect ratios that are off")
    compare(number("TERMS", 10_000))
    if large := number("LARGE", 100_000):
        compare_sizes(large)


# Cases


@dataclass(frozen=True)
class Terms:
    """What there is to ask for: the ids and slugs of all terms, in the same order."""

    ids: list[int]
    slugs: list[str]


Targets = Callable[[Terms], list[str]]


@dataclass(frozen=True)
class Case:
    """Something to ask for. ``conditional`` requests say which answer they have
    already; ``warm`` ones go to the site that keeps its answers."""

    name: str
    targets: Targets = field(repr=False)
    warm: bool = False
    conditional: bool = False


def by_id(path: str) -> Targets:
    return lambda terms: [path.format(pk) for pk in terms.ids]


def by_slug(path: str) -> Targets:
    return lambda terms: [path.format(slug) for slug in terms.slugs]


def lists(path: str) -> Targets:
    """Every part of the whole list, 20 terms each."""
    return lambda terms: [
        f"{path}&limit={PAGE}&offset={offset}"
        for offset in range(0, len(terms.ids), PAGE)
    ]


def searches(path: str) -> Targets:
    """In equal shares: one word that a single term has, two that many have, and one
    that most have."""

    def targets(terms: Terms) -> list[str]:
        random = Random(SEED)
        found = []
        for _number in range(SEARCHES // 3):
            own = random.choice(terms.slugs).partition("-")[2]
            two = f"{random.choice(ADJECTIVES)} {random.choice(NOUNS)}"
            found += [own, two, random.choice(NOUNS)]
        return [path.format(quote(words)) for words in found]

    return targets


def beginnings(path: str) -> Targets:
    """What people type until a term is found: the first letters of its name."""

    def targets(terms: Terms) -> list[str]:
        random = Random(SEED)
        names = [slug.replace("-", " ") for slug in random.choices(terms.slugs, k=100)]
        return [
            path.format(quote(name[:length])) for name in names for length in (2, 8)
        ]

    return targets


def always(path: str) -> Targets:
    return lambda terms: [path]


DETAIL = f"{OURS}/terms/by-slug/{{}}/"
FULL_LIST = f"{OURS}/terms/?fields=*"
LETTER = f"{OURS}/terms/?letter=Z"

CASES = [
    Case("stored row", by_slug("/benchmark/rows/{}/")),
    Case("v2 pages: detail", by_id("/api/v2/pages/{}/")),
    Case("v3 pages: detail", by_id("/api/v3/pages/{}/")),
    Case("v2 terms: detail", by_id("/api/v2/terms/{}/")),
    Case("ours: detail", by_slug(DETAIL)),
    Case("ours: detail, warm", by_slug(DETAIL), warm=True),
    Case("ours: not modified", by_slug(DETAIL), conditional=True),
    Case("v2 pages: full list", lists(f"{PAGES}&fields=*")),
    Case("v2 terms: full list", lists("/api/v2/terms/?fields=*")),
    Case("ours: full list", lists(FULL_LIST)),
    Case("ours: full list, warm", lists(FULL_LIST), warm=True),
    Case("v2 pages: search", searches(f"{PAGES}&search={{}}")),
    Case("v2 terms: search", searches("/api/v2/terms/?search={}")),
    Case("ours: search", searches(f"{OURS}/search/?q={{}}")),
    Case("ours: autocomplete", beginnings(f"{OURS}/autocomplete/?q={{}}")),
    Case("ours: letters", always(f"{OURS}/letters/")),
    Case("ours: one letter", always(LETTER)),
]

# How many times as many requests a second as the other: at least so many.
GOALS = [
    ("ours: detail, warm", "v2 pages: detail", 12.0),
    ("ours: detail, warm", "stored row", 1 / 1.6),
    ("ours: detail", "v2 pages: detail", 3.0),
    ("ours: not modified", "v2 pages: detail", 20.0),
    ("ours: full list, warm", "v2 pages: full list", 60.0),
    ("ours: full list", "v2 pages: full list", 8.0),
    ("ours: search", "v2 pages: search", 35.0),
]
# What must not take longer in a larger glossary.
GROWING = [
    case
    for case in CASES
    if case.name
    in {
        "stored row",
        "ours: detail",
        "ours: detail, warm",
        "ours: letters",
        "ours: one letter",
    }
]


# Measuring


@dataclass
class Measured:
    """What came of a case: requests a second; latencies and the processor time of one
    request, on the web's side and on the database's, in milliseconds; the mean size of
    a body in bytes and the mean number of queries."""

    rate: float
    median: float
    p99: float
    web: float
    database: float
    size: float
    queries: float

    @property
    def work(self) -> float:
        return self.web + self.database


@dataclass(frozen=True)
class Round:
    """What came of a plan, and the processor time it took, in seconds."""

    outcome: Outcome
    web: float
    database: float


@dataclass(frozen=True)
class Site:
    """A running server of the site, on the database of this URL."""

    port: int
    pid: int
    url: str

    def processor_seconds(self) -> tuple[dict[int, float], dict[int, float]]:
        """How long the processes of the server have worked so far, and those of the
        database if it runs on this machine, by their ids."""
        workers = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        return (
            processor_seconds(map(int, workers.split())),
            processor_seconds(pid for (pid,) in rows),
        )


def processor_seconds(processes: Iterable[int]) -> dict[int, float]:
    tick = 1 / os.sysconf("SC_CLK_TCK")
    found = {}
    for pid in processes:
        with suppress(OSError):
            # The name of the program, in brackets, may hold blanks itself.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[pid] = (int(fields[11]) + int(fields[12])) * tick
    return found


def compare(count: int) -> None:
    threads = number("THREADS", 2)
    rounds, seconds = number("ROUNDS", 3), number("SECONDS", 4)
    with filled(count) as url, ExitStack() as servers:
        terms = terms_of(url)
        cases, queries = counted(url, terms)
        sites = {
            warm: servers.enter_context(serving(url, warm=warm, threads=threads))
            for warm in {case.warm for case in cases}
        }
        plans = {case.name: plan_of(case, terms, sites[case.warm]) for case in cases}
        rows: dict[str, list[Round]] = {name: [] for name in plans}
        for _round in range(rounds):
            for case in cases:
                plan = plans[case.name]
                plan.seconds = seconds
                rows[case.name].append(measure(plan, sites[case.warm]))
    measured = {name: middle(rows[name], queries[name]) for name in rows}
    print_table(measured, count, threads)
    print_ratios(measured)


def compare_sizes(large: int) -> None:
    """One request after the other, so that a latency is all the work there is; the two
    glossaries take turns."""
    rounds, seconds = number("ROUNDS", 3), number("SECONDS", 4)
    print(f"  one request alone, {SMALL} and {large} terms")
    with ExitStack() as servers:
        sizes = [
            alone(servers.enter_context(filled(n)), servers) for n in (SMALL, large)
        ]
        for case in GROWING:
            if not all(answers(case, terms, sites[False]) for terms, sites in sizes):
                continue
            taken: list[list[Round]] = [[], []]
            plans = [
                plan_of(case, terms, sites[case.warm], workers=1, connections=1)
                for terms, sites in sizes
            ]
            for _round in range(rounds):
                for rows, plan, (_terms, sites) in zip(
                    taken, plans, sizes, strict=True
                ):
                    plan.seconds = seconds
                    rows.append(measure(plan, sites[case.warm]))
            print_growth(case.name, *(middle(rows, 0) for rows in taken))


def alone(url: str, servers: ExitStack) -> tuple[Terms, dict[bool, Site]]:
    """Some of the terms of a database, and a small server that makes answers anew and
    another that keeps them."""
    terms = terms_of(url)
    sites = {
        warm: servers.enter_context(serving(url, warm=warm, workers=1, threads=1))
        for warm in (False, True)
    }
    return Terms(terms.ids[:SMALL], terms.slugs[:SMALL]), sites


def plan_of(
    case: Case,
    terms: Terms,
    site: Site,
    *,
    workers: int = WORKERS,
    connections: int = CONNECTIONS,
) -> Plan:
    """A plan for a case, of a server that has everything that the case needs."""
    targets = case.targets(terms)
    if case.conditional:  # what they would be answered with does not matter
        targets = Random(SEED).sample(targets, min(CONDITIONAL, len(targets)))
    plan = Plan(site.port, targets, WORKER, workers, connections)
    if case.warm or case.conditional:
        asked_once = load(plan)
        if case.conditional:
            plan.etags, plan.status = asked_once.etags, 304
    return plan


def load(plan: Plan) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        cwd=ROOT,
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{plan.targets[0]}: {done.stderr}")
    return Outcome(**json.loads(done.stdout))


def measure(plan: Plan, site: Site) -> Round:
    before = site.processor_seconds()
    outcome = load(plan)
    web, database = (
        sum(seconds - past.get(pid, 0) for pid, seconds in now.items())
        for past, now in zip(before, site.processor_seconds(), strict=True)
    )
    return Round(outcome, web, database)


def middle(rounds: list[Round], queries: float) -> Measured:
    return Measured(
        rate=median(each.outcome.requests / each.outcome.seconds for each in rounds),
        median=median(each.outcome.median for each in rounds) * 1e3,
        p99=median(each.outcome.p99 for each in rounds) * 1e3,
        web=median(each.web / each.outcome.requests for each in rounds) * 1e3,
        database=median(each.database / each.outcome.requests for each in rounds) * 1e3,
        size=median(each.outcome.size for each in rounds),
        queries=queries,
    )


def counted(url: str, terms: Terms) -> tuple[list[Case], dict[str, float]]:
    """The cases there are, and how many queries one request takes in each of them: of
    a warm or conditional one, when it comes again."""
    only = os.environ.get("GLOSSARY_BENCHMARK_ONLY", "")
    cases, queries = [], {}
    for warm in (False, True):
        with serving(url, warm=warm, workers=1, threads=1, count=True) as site:
            for case in CASES:
                if case.warm == warm and only in case.name:
                    if not answers(case, terms, site):
                        print(f"  {case.name}: there is no such view", flush=True)
                        continue
                    queries[case.name] = count_queries(case, terms, site.port)
    cases = [case for case in CASES if case.name in queries]
    return cases, queries


def answers(case: Case, terms: Terms, site: Site) -> bool:
    return get(site.port, case.targets(terms)[0])[0] != 404


def count_queries(case: Case, terms: Terms, port: int) -> float:
    targets = case.targets(terms)
    sample = Random(SEED).sample(targets, min(COUNTED, len(targets)))
    found = []
    for target in sample:
        status, headers = get(port, target)
        if case.warm or case.conditional:
            condition = {"If-None-Match": headers["etag"]} if case.conditional else {}
            status, headers = get(port, target, condition)
        if status != (304 if case.conditional else 200):
            sys.exit(f"{case.name}: {target} gave {status}")
        found.append(int(headers["queries"]))
    return sum(found) / len(found)


def get(
    port: int, target: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(
            "GET", target, headers={"Host": "localhost"} | (headers or {})
        )
        response = connection.getresponse()
        response.read()
        return response.status, {
            name.lower(): value for name, value in response.getheaders()
        }
    finally:
        connection.close()


# What it runs on


@contextmanager
def filled(count: int) -> Iterator[str]:
    """The URL of a database with so many terms, which goes again unless it is kept."""
    server = os.environ["DATABASE_URL"]
    name = f"glossary_delivery_{count}"
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    keep = os.environ.get("GLOSSARY_BENCHMARK_KEEP") == "1"
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    with psycopg.connect(server, autocommit=True) as connection:
        if not (keep and is_filled(connection, name)):
            connection.execute(drop)
            connection.execute(
                sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            )
            print(f"  filling a database with {count} terms", flush=True)
            command = [
                sys.executable,
                "-m",
                "benchmarks.delivery_site.fill",
                str(count),
            ]
            subprocess.run(command, cwd=ROOT, env=environment(url), check=True)
            connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                    sql.Identifier(name), sql.Literal(filling())
                )
            )
        try:
            yield url
        finally:
            if not keep:
                connection.execute(drop)


def is_filled(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = %s",
        [name],
    ).fetchone()
    return found == (filling(),)


def filling() -> str:
    digest = hashlib.sha256()
    for pattern in FILLED_BY:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def terms_of(url: str) -> Terms:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT id, slug FROM wagtailcore_page JOIN glossary_termpage"
            " ON page_ptr_id = id ORDER BY id"
        ).fetchall()
    return Terms([pk for pk, _slug in rows], [slug for _pk, slug in rows])


@contextmanager
def serving(
    url: str,
    *,
    warm: bool,
    threads: int,
    workers: int = WORKERS,
    count: bool = False,
) -> Iterator[Site]:
    """A server of the site on this database."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "site_project.wsgi:application"),
        *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
        *("--workers", str(workers), "--threads", str(threads)),
        *("--keep-alive", "300", "--log-level", "warning"),
    ]
    switches = {
        "GLOSSARY_BENCHMARK_WARM": str(int(warm)),
        "GLOSSARY_BENCHMARK_COUNT": str(int(count)),
    }
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment(url) | switches, stderr=log
        )
        try:
            wait_until_ready(port, server)
            yield Site(port, server.pid, url)
        finally:
            server.terminate()
            server.wait()
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-5_000:])


def wait_until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            get(port, WORKER)
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit("the server did not start")
            time.sleep(0.1)
        else:
            return


def environment(url: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.delivery_site.settings",
        "SECRET_KEY": "only for benchmarks",
        "ALLOWED_HOSTS": "localhost",
        "DEBUG": "0",
        "HTTPS": "0",
        # That no static files are collected is no news here.
        "PYTHONWARNINGS": "ignore:No directory at",
    }


# Printing


def print_table(measured: dict[str, Measured], count: int, threads: int) -> None:
    print(
        f"  {count} terms; gunicorn, {WORKERS} workers, {threads} threads each; "
        f"{CONNECTIONS} connections"
    )
    print(
        f"  {'':26}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}"
        f"{'web ms':>9}{'db ms':>8}{'KB':>8}{'queries':>9}"
    )
    for name, row in measured.items():
        print(
            f"  {name:26}{row.rate:8.1f}{row.median:9.2f}{row.p99:9.2f}"
            f"{row.web:9.2f}{row.database:8.2f}{row.size / 1e3:8.1f}{row.queries:9.1f}"
        )


def print_ratios(measured: dict[str, Measured]) -> None:
    for ours, other, goal in GOALS:
        if ours in measured and other in measured:
            ratio = measured[ours].rate / measured[other].rate
            work = measured[other].work / measured[ours].work
            print(
                f"  {ours} / {other:20}{ratio:7.2f}, by processor time {work:7.2f}"
                f"  (goal {goal:.3g} or more){'' if ratio >= goal else '  MISSED'}"
            )


def print_growth(name: str, small: Measured, large: Measured) -> None:
    ratio = large.median / small.median
    print(
        f"  {name:26}{small.median:8.2f}{large.median:8.2f} ms   ratio {ratio:5.2f},"
        f" by processor time {large.work / small.work:5.2f}"
        f"  (goal {GROWTH_GOAL} or less){'  MISSED' if ratio > GROWTH_GOAL else ''}",
        flush=True,
    )
