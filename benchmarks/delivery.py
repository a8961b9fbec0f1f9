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

from contextlib import ExitStack
from random import Random
from urllib.parse import quote

from .comparing import (
    SMALL,
    Case,
    Goal,
    Targets,
    always,
    by_id,
    by_slug,
    compare,
    compare_sizes,
)
from .corpus import ADJECTIVES, NOUNS, SEED
from .serving import Terms, can_measure, filled, number


PAGE = 20
SEARCHES = 300
OURS = "/api/glossary/v1"
PAGES = "/api/v2/pages/?type=glossary.TermPage"


def run() -> None:
    if not can_measure():
        return
    with filled(number("TERMS", 10_000)) as url:
        compare(url, CASES, GOALS)
    if large := number("LARGE", 100_000):
        with ExitStack() as databases:
            urls = {
                size: databases.enter_context(filled(size)) for size in (SMALL, large)
            }
            compare_sizes(urls, GROWING)


# Cases


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
    Goal("ours: detail, warm", "v2 pages: detail", 12.0),
    Goal("ours: detail, warm", "stored row", 1 / 1.6),
    Goal("ours: detail", "v2 pages: detail", 3.0),
    Goal("ours: not modified", "v2 pages: detail", 20.0),
    Goal("ours: full list, warm", "v2 pages: full list", 60.0),
    Goal("ours: full list", "v2 pages: full list", 8.0),
    Goal("ours: search", "v2 pages: search", 35.0),
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
