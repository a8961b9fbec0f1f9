"""Cases of requests, measured in the same run and compared.

Each round measures all cases, one after the other; the figures are those of the median
round.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from random import Random
from statistics import median

from .corpus import SEED
from .load import Outcome, Plan
from .serving import (
    ROOT,
    WORKER,
    WORKERS,
    Site,
    Terms,
    get,
    number,
    serving,
    terms_of,
)


CONNECTIONS = 8
COUNTED = 15
CONDITIONAL = 500
# Of a glossary of any size, so many terms are asked for where sizes are compared.
SMALL = 1_000
GROWTH_GOAL = 1.3


# Cases


Targets = Callable[[Terms], list[str]]


@dataclass(frozen=True)
class Case:
    """Something to ask for. ``conditional`` requests say which answer they have
    already; ``warm`` ones go to the site that keeps its answers."""

    name: str
    targets: Targets = field(repr=False)
    warm: bool = False
    conditional: bool = False
    accept: str = "application/json"


@dataclass(frozen=True)
class Goal:
    """``ours`` is to answer at least so many times as many requests a second as
    ``other``; without ``times``, their ratio is only told."""

    ours: str
    other: str
    times: float | None = None


def by_id(path: str) -> Targets:
    return lambda terms: [path.format(pk) for pk in terms.ids]


def by_slug(path: str) -> Targets:
    return lambda terms: [path.format(slug) for slug in terms.slugs]


def always(path: str) -> Targets:
    return lambda terms: [path]


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


def compare(
    url: str,
    cases: Sequence[Case],
    goals: Sequence[Goal],
    *,
    connections: int = CONNECTIONS,
) -> None:
    """Measure cases on the database of this URL, and print them and their ratios."""
    threads = number("THREADS", 2)
    rounds, seconds = number("ROUNDS", 3), number("SECONDS", 4)
    with ExitStack() as servers:
        terms = terms_of(url)
        cases, queries = counted(url, terms, cases)
        sites = {
            warm: servers.enter_context(serving(url, warm=warm, threads=threads))
            for warm in {case.warm for case in cases}
        }
        plans = {
            case.name: plan_of(case, terms, sites[case.warm], connections=connections)
            for case in cases
        }
        rows: dict[str, list[Round]] = {name: [] for name in plans}
        for _round in range(rounds):
            for case in cases:
                plan = plans[case.name]
                plan.seconds = seconds
                rows[case.name].append(measure(plan, sites[case.warm]))
    measured = {name: middle(rows[name], queries[name]) for name in rows}
    print(
        f"  {len(terms.ids)} terms; gunicorn, {WORKERS} workers, {threads} threads "
        f"each; {connections} connections"
    )
    print_table(measured)
    print_ratios(measured, goals)


def compare_sizes(urls: Mapping[int, str], cases: Sequence[Case]) -> None:
    """One request after the other, so that a latency is all the work there is;
    glossaries of these sizes, each in its database, take turns."""
    rounds, seconds = number("ROUNDS", 3), number("SECONDS", 4)
    print(f"  one request alone, {', '.join(map(str, urls))} terms")
    with ExitStack() as servers:
        sizes = [alone(url, servers) for url in urls.values()]
        for case in cases:
            if not all(answers(case, terms, sites[False]) for terms, sites in sizes):
                continue
            taken: list[list[Round]] = [[] for _size in sizes]
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
            print_growth(case.name, [middle(rows, 0) for rows in taken])


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
    plan = Plan(site.port, targets, WORKER, workers, connections, accept=case.accept)
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


def counted(
    url: str, terms: Terms, cases: Sequence[Case]
) -> tuple[list[Case], dict[str, float]]:
    """The cases there are, and how many queries one request takes in each of them: of
    a warm or conditional one, when it comes again."""
    only = os.environ.get("GLOSSARY_BENCHMARK_ONLY", "")
    queries = {}
    for warm in (False, True):
        with serving(url, warm=warm, workers=1, threads=1, count=True) as site:
            for case in cases:
                if case.warm == warm and only in case.name:
                    if not answers(case, terms, site):
                        print(f"  {case.name}: there is no such view", flush=True)
                        continue
                    queries[case.name] = count_queries(case, terms, site.port)
    return [case for case in cases if case.name in queries], queries


def answers(case: Case, terms: Terms, site: Site) -> bool:
    headers = {"Accept": case.accept}
    return get(site.port, case.targets(terms)[0], headers)[0] != 404


def count_queries(case: Case, terms: Terms, port: int) -> float:
    targets = case.targets(terms)
    sample = Random(SEED).sample(targets, min(COUNTED, len(targets)))
    accept = {"Accept": case.accept}
    found = []
    for target in sample:
        status, headers = get(port, target, accept)
        if case.warm or case.conditional:
            condition = {"If-None-Match": headers["etag"]} if case.conditional else {}
            status, headers = get(port, target, accept | condition)
        if status != (304 if case.conditional else 200):
            sys.exit(f"{case.name}: {target} gave {status}")
        found.append(int(headers["queries"]))
    return sum(found) / len(found)


# Printing


def print_table(measured: Mapping[str, Measured]) -> None:
    print(
        f"  {'':26}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}"
        f"{'web ms':>9}{'db ms':>8}{'KB':>8}{'queries':>9}"
    )
    for name, row in measured.items():
        print(
            f"  {name:26}{row.rate:8.1f}{row.median:9.2f}{row.p99:9.2f}"
            f"{row.web:9.2f}{row.database:8.2f}{row.size / 1e3:8.1f}{row.queries:9.1f}"
        )


def print_ratios(measured: Mapping[str, Measured], goals: Sequence[Goal]) -> None:
    for goal in goals:
        if goal.ours in measured and goal.other in measured:
            ours, other = measured[goal.ours], measured[goal.other]
            ratio = ours.rate / other.rate
            wanted = ""
            if goal.times is not None:
                missed = "" if ratio >= goal.times else "  MISSED"
                wanted = f"  (goal {goal.times:.3g} or more){missed}"
            names = f"{goal.ours} / {goal.other}"
            print(
                f"  {names:44}{ratio:8.2f}, by processor time "
                f"{other.work / ours.work:8.2f}{wanted}"
            )


def print_growth(name: str, sizes: Sequence[Measured]) -> None:
    """The largest compared with the smallest."""
    small, large = sizes[0], sizes[-1]
    ratio = large.median / small.median
    medians = "".join(f"{size.median:8.2f}" for size in sizes)
    print(
        f"  {name:26}{medians} ms   ratio {ratio:5.2f},"
        f" by processor time {large.work / small.work:5.2f}"
        f"  (goal {GROWTH_GOAL} or less){'  MISSED' if ratio > GROWTH_GOAL else ''}",
        flush=True,
    )
