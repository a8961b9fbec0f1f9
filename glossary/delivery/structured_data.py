"""What search engines and other programs read in a term: schema.org as JSON-LD."""

from __future__ import annotations

from typing import Any

from .documents import TermDocument


# The kinds of label that readers see; the others only help to find a term.
SHOWN_LABELS = ("synonym", "abbreviation")


def defined_term(document: TermDocument) -> dict[str, Any]:
    """A term as a schema.org DefinedTerm, in its glossary; what is empty left out."""
    meta = document["meta"]
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "DefinedTerm",
        "@id": meta["html_url"],
        "name": document["title"],
        "alternateName": [
            label["text"]
            for label in document["labels"]
            if label["kind"] in SHOWN_LABELS
        ],
        "description": document["short_definition"],
        "url": meta["html_url"],
    }
    if glossary := meta["parent"]:
        url = glossary["meta"]["html_url"]
        data["inDefinedTermSet"] = _without_gaps(
            {
                "@type": "DefinedTermSet",
                "@id": url,
                "name": glossary["title"],
                "url": url,
                # Of a work: what schema.org calls a term has no language.
                "inLanguage": meta["locale"],
            }
        )
    return _without_gaps(data)


def _without_gaps(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value}
