"""``python -m tests.lighthouse``: the demo's pages as Lighthouse sees them on a phone.

Each page has to reach the scores of ``LEAST``; what keeps one from it is printed, and
the run fails. Names of pages may be given, to measure these alone. It needs Node and
Chromium.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import chromium, node_packages
from .demo import REPOSITORY, serving_demo


LEAST = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
# Other work on the machine makes a page slower and none faster: the best run counts.
RUNS = 3


@dataclass(frozen=True)
class Page:
    """A page of the demo, and audits that are not for it."""

    path: str
    skipped: tuple[str, ...] = ()


PAGES = {
    "home": Page("/"),
    "glossary": Page("/glossary/"),
    "term": Page("/glossary/embedding/"),
    # Search engines are asked to leave out what others found.
    "search": Page("/glossary/?q=model&all=1", ("is-crawlable",)),
    "category": Page("/glossary/category/training/"),
    "map": Page("/glossary/map/all/"),
}

Report = dict[str, Any]


def scores(report: Report) -> dict[str, int]:
    """The score of each category, of 100; one that could not be measured has 0."""
    categories = report["categories"]
    return {name: round(100 * (categories[name]["score"] or 0)) for name in LEAST}


def shortfalls(report: Report) -> Iterator[str]:
    """What keeps a page from the scores that it has to reach, a line each."""
    for name, score in scores(report).items():
        if score >= LEAST[name]:
            continue
        yield f"{name}: {score} of {LEAST[name]}"
        for reference in report["categories"][name]["auditRefs"]:
            audit = report["audits"][reference["id"]]
            if reference["weight"] and (audit["score"] or 0) < 1 and counts(audit):
                yield f"  {audit['id']}: {audit['title']} {value(audit)}".rstrip()
                yield from (f"    {item}" for item in items(audit))


def counts(audit: Mapping[str, Any]) -> bool:
    return audit["scoreDisplayMode"] not in {"notApplicable", "manual", "informative"}


def value(audit: Mapping[str, Any]) -> str:
    return str(audit.get("displayValue") or audit.get("errorMessage") or "")


def items(audit: Mapping[str, Any]) -> Iterator[str]:
    """What an audit found, a line each: the elements, or whatever it tells of them."""
    for item in (audit.get("details") or {}).get("items", [])[:5]:
        if node := item.get("node"):
            explanation = " ".join((node.get("explanation") or "").split())
            yield f"{node['snippet']} {explanation}".rstrip()
        elif text := item.get("description") or item.get("url"):
            yield str(text)


def measure(folder: Path, browser: Path, url: str, page: Page) -> Report:
    """One run of Lighthouse, which ends everything if it does not come to a report."""
    with tempfile.NamedTemporaryFile(suffix=".json") as output:
        command = ["npx", "lighthouse", f"{url}{page.path}", "--quiet"]
        command += ["--output", "json", "--output-path", output.name]
        command += [f"--only-categories={','.join(LEAST)}"]
        command += ["--chrome-flags=--headless=new --no-sandbox"]
        command += ["--no-enable-error-reporting"]
        if page.skipped:
            command += [f"--skip-audits={','.join(page.skipped)}"]
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "CHROME_PATH": str(browser)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        written = Path(output.name).read_text(encoding="utf-8")
    if done.returncode or not written:
        sys.exit(f"Lighthouse failed at {page.path}:\n{done.stdout}")
    report: Report = json.loads(written)
    if error := report.get("runtimeError"):
        sys.exit(f"Lighthouse failed at {page.path}: {error['message']}")
    return report


def best(folder: Path, browser: Path, url: str, page: Page) -> Report:
    """The report of the first run that is fast enough, or of the fastest."""
    reports = []
    for _run in range(RUNS):
        reports.append(measure(folder, browser, url, page))
        if scores(reports[-1])["performance"] >= LEAST["performance"]:
            break
    return max(reports, key=lambda report: scores(report)["performance"])


def main(names: list[str]) -> int:
    if unknown := {*names} - PAGES.keys():
        sys.exit(f"no such page: {', '.join(unknown)}; there are {', '.join(PAGES)}")
    if not node_packages.has_node():
        sys.exit(node_packages.ABSENT)
    browser = chromium.find_chromium()
    if browser is None:
        sys.exit(chromium.ABSENT)
    folder = node_packages.copy_with_packages(
        REPOSITORY / "tests" / "node" / "lighthouse"
    )
    failed = False
    sys.stdout.write(f"{'':10}" + "".join(f"{name:>16}" for name in LEAST) + "\n")
    with serving_demo() as demo:
        for name in names or PAGES:
            report = best(folder, browser, demo.url, PAGES[name])
            row = "".join(f"{score:16}" for score in scores(report).values())
            sys.stdout.write(f"{name:10}{row}\n")
            for line in shortfalls(report):
                failed = True
                sys.stdout.write(f"    {line}\n")
            sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
