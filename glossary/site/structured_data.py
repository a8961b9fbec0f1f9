"""What search engines and other programs read in a page: schema.org as JSON-LD."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from wagtail.rich_text import get_text_for_indexing

from ..delivery.overview import SHOWN_LABELS, Overview
from ..models import GlossaryPage, TermPage


# As in Django's json_script: nothing in the data can end the script element.
ESCAPES = {ord(char): f"\\u{ord(char):04X}" for char in "<>&\u2028\u2029"}


def defined_term(
    page: TermPage, glossary: GlossaryPage | None, request: HttpRequest | None
) -> dict[str, Any]:
    """A term as a schema.org DefinedTerm, in its glossary unless that is None."""
    url = page.get_full_url(request)
    data = {
        "@context": "https://schema.org",
        "@type": "DefinedTerm",
        "@id": url,
        "name": page.title,
        "alternateName": [
            label.text for label in page.labels.all() if label.kind in SHOWN_LABELS
        ],
        "description": page.short_definition,
        "url": url,
    }
    if glossary is not None:
        set_url = glossary.get_full_url(request)
        data["inDefinedTermSet"] = {
            "@type": "DefinedTermSet",
            "@id": set_url,
            "name": glossary.title,
            "url": set_url,
        }
    return _without_gaps(data)


def defined_term_set(
    glossary: GlossaryPage, overview: Overview, request: HttpRequest | None
) -> dict[str, Any]:
    """A glossary as a schema.org DefinedTermSet, with the addresses of the terms that
    the overview shows; each term's own page describes the term."""
    url = glossary.get_full_url(request)
    return _without_gaps(
        {
            "@context": "https://schema.org",
            "@type": "DefinedTermSet",
            "@id": url,
            "name": glossary.title,
            "description": get_text_for_indexing(glossary.introduction),
            "url": url,
            "inLanguage": glossary.locale.language_code if glossary.locale_id else None,
            "license": glossary.licence_url,
            "hasDefinedTerm": [
                {"@id": urljoin(url, entry.url)}
                for letter in overview.shown
                for entry in letter.entries
                if not entry.see and url
            ],
        }
    )


def _without_gaps(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value}


def as_json(data: dict[str, Any]) -> SafeString:
    """The data as JSON that can stand inside a script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return mark_safe(text.translate(ESCAPES))  # noqa: S308  (escaped for its place)
