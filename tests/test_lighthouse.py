"""What keeps a page from the scores that it has to reach, as a report tells."""

from __future__ import annotations

from typing import Any

import pytest

from .lighthouse import LEAST, scores, shortfalls


pytestmark = pytest.mark.once


def make_report(*audits: dict[str, Any], **scored: float | None) -> dict[str, Any]:
    """A report in which all is well, but for these audits of accessibility."""
    own = [{"title": "", "scoreDisplayMode": "binary", **audit} for audit in audits]
    names = [{"id": audit["id"], "weight": audit.pop("weight", 1)} for audit in own]
    categories = {name: {"score": 1.0, "auditRefs": []} for name in LEAST}
    categories["accessibility"]["auditRefs"] = names
    for name, score in scored.items():
        categories[name]["score"] = score
    return {"categories": categories, "audits": {each["id"]: each for each in own}}


def test_a_page_that_reaches_its_scores_lacks_nothing() -> None:
    report = make_report(performance=0.98)
    assert scores(report)["performance"] == 98
    assert [*shortfalls(report)] == []


def test_what_a_page_lacks_is_named_with_its_elements() -> None:
    node = {"snippet": "<p>", "explanation": "Too\n  pale."}
    report = make_report(
        {
            "id": "contrast",
            "title": "Pale.",
            "score": 0,
            "details": {"items": [{"node": node}]},
        },
        {"id": "heading", "title": "Well.", "score": 1},
        {"id": "hint", "title": "Of no weight.", "score": 0, "weight": 0},
        {"id": "none", "score": None, "scoreDisplayMode": "notApplicable"},
        accessibility=0.96,
    )
    assert [*shortfalls(report)] == [
        "accessibility: 96 of 100",
        "  contrast: Pale.",
        "    <p> Too pale.",
    ]


def test_what_could_not_be_measured_falls_short() -> None:
    report = make_report(
        {
            "id": "broken",
            "title": "Odd.",
            "score": None,
            "scoreDisplayMode": "error",
            "errorMessage": "No frame.",
        },
        accessibility=None,
    )
    assert [*shortfalls(report)] == [
        "accessibility: 0 of 100",
        "  broken: Odd. No frame.",
    ]
