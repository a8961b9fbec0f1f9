"""Records of terms as files, and the command that imports them."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command


def record(slug: str = "token", **fields: Any) -> dict[str, Any]:
    """A record with one or more of everything; ``fields`` replace, and None leaves
    out."""
    found = {
        "slug": slug,
        "term": slug.replace("-", " ").capitalize(),
        "shortDefinition": f"What {slug} means.",
        "seoTitle": f"{slug} in short",
        "seoDescription": "A description.",
        "h1": f"What is {slug}?",
        "explanation": f"Text about {slug} with **bold**.\n\n- One\n- Two",
        "howItWorks": "It works.",
        "vsRelatedConcepts": [{"term": "Embedding", "comparison": "A **vector**."}],
        "relatedTerms": [{"slug": "embedding", "name": "Embedding"}],
        "relatedFeatures": ["features/search"],
        "faq": [
            {"question": "Is it a word?", "answer": "Not always."},
            {"question": "How long is it?", "answer": "Short."},
        ],
        "category": "language-models",
        "labels": [f"{slug}s"],
        "tags": ["basics", "text"],
        **fields,
    }
    return {name: value for name, value in found.items() if value is not None}


def write(folder: Path, *records: dict[str, Any], name: str = "terms.jsonl") -> Path:
    """One record a line; gives the file."""
    path = folder / name
    path.write_text("\n".join(json.dumps(each) for each in records), encoding="utf-8")
    return path


def run(*paths: Path | str, status: int = 0, **options: Any) -> str:
    """Run the command, check its exit status and give what it printed."""
    out = StringIO()
    printed, ended = "", 0
    try:
        call_command(
            "import_terms",
            *map(str, paths),
            **{"glossary": "ai", "stdout": out, "stderr": out, **options},
        )
    except CommandError as error:
        printed, ended = str(error), error.returncode
    except SystemExit as stop:
        ended = stop.code
    printed = out.getvalue() + printed
    assert ended == status, printed
    return printed


def undo(number: int, status: int = 0, **options: Any) -> str:
    """Undo a run with the command, as ``run`` does."""
    return run(undo=number, status=status, **options)


def results(printed: str) -> dict[str, dict[str, Any]]:
    """What ``--json`` printed of each term, by its key."""
    lines = [json.loads(line) for line in printed.splitlines() if line[:1] == "{"]
    return {line["key"]: line for line in lines if "key" in line}


def outcomes(*paths: Path | str, **options: Any) -> dict[str, str]:
    """Import, and give the outcome of each key."""
    printed = run(*paths, json=True, **options)
    return {key: line["outcome"] for key, line in results(printed).items()}
