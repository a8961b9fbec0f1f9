"""Pages of visitors: ours, and those that a developer would write without the app.

The plain pages (``plain_pages``) stand in the same frame, over the same models. The
plain glossary lists all of its terms, from ``get_children()``; ours has its letters and
categories, since the terms of 10,000 fit no page. A plain term has the same parts as
ours, but for the data for search engines and the picture.

Measured as ``delivery`` measures, with its variables; of these one has another default:

============================  ========================================================
GLOSSARY_BENCHMARK_LARGE      how many terms there are in one more glossary, beside
                              those whose sizes are compared, such as 100000 (none)
============================  ========================================================
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from random import Random

from .comparing import SMALL, Case, Goal, Targets, always, compare, compare_sizes
from .corpus import SEED
from .serving import Terms, can_measure, filled, number


# A plain glossary takes seconds: more would only wait for each other.
CONNECTIONS = 4
GLOSSARY = "/ai/"
TERM = f"{GLOSSARY}{{}}/"
# Of these all are made before the warm ones are measured.
SAMPLE = 300
PLAIN = "/benchmark/plain"


def run() -> None:
    if not can_measure():
        return
    count, large = number("TERMS", 10_000), number("LARGE", 0)
    with ExitStack() as databases:
        urls = {
            size: databases.enter_context(filled(size))
            for size in sorted({SMALL, count, large} - {0})
        }
        compare(urls[count], CASES, GOALS, connections=CONNECTIONS)
        compare_sizes(urls, GROWING)


# Cases


def some_terms(path: str) -> Targets:
    def targets(terms: Terms) -> list[str]:
        slugs = Random(SEED).sample(terms.slugs, min(SAMPLE, len(terms.slugs)))
        return [path.format(slug) for slug in slugs]

    return targets


Page = partial(Case, accept="text/html")

CASES = [
    Page("plain: glossary", always(f"{PLAIN}{GLOSSARY}")),
    Page("ours: glossary", always(GLOSSARY)),
    Page("ours: glossary, warm", always(GLOSSARY), warm=True),
    Page("ours: glossary, 304", always(GLOSSARY), conditional=True),
    Page("plain: term", some_terms(f"{PLAIN}{TERM}")),
    Page("ours: term", some_terms(TERM)),
    Page("ours: term, warm", some_terms(TERM), warm=True),
    Page("ours: term, 304", some_terms(TERM), conditional=True),
]

GOALS = [
    Goal("ours: glossary", "plain: glossary", 40.0),
    Goal("ours: glossary, warm", "plain: glossary", 40.0),
    Goal("ours: glossary, 304", "plain: glossary"),
    Goal("ours: term", "plain: term"),
    Goal("ours: term, warm", "plain: term", 5.0),
    Goal("ours: term, 304", "plain: term"),
]

GROWING = [case for case in CASES if case.name.startswith("ours: ")]
