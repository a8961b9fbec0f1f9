"""What search engines and other programs read in a page: schema.org as JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from wagtail.rich_text import get_text_for_indexing

from ..conf import faq_structured_data
from ..delivery.structured_data import SHOWN_LABELS
from ..models import GlossaryPage, TermPage
from ..richtext import rich_text_to_plain


CONTEXT = "https://schema.org"
# As in Django's json_script: nothing in the data can end the script element.
ESCAPES = {ord(char): f"\\u{ord(char):04X}" for char in "<>&\u2028\u2029"}


# All that a page says


def term_graph(
    page: TermPage,
    glossary: GlossaryPage | None,
    ancestors: Iterable[Any],
    request: HttpRequest | None,
) -> dict[str, Any]:
    """What the page of a term has: the term, in its glossary unless that is None, and
    the way to it from the root of the site by ``ancestors``, pages that everyone may
    see; with GLOSSARY_FAQ_STRUCTURED_DATA also its questions."""
    return graph(
        defined_term(page, glossary, request),
        breadcrumb_list(ancestors, page, request),
        faq_page(page, request) if faq_structured_data() else None,
    )


def glossary_graph(
    page: GlossaryPage,
    term_urls: Iterable[str],
    ancestors: Iterable[Any],
    request: HttpRequest | None,
) -> dict[str, Any]:
    """The same of the page of a glossary: the set with the terms at these full
    addresses, and the way to it."""
    return graph(
        defined_term_set(page, term_urls, request),
        breadcrumb_list(ancestors, page, request),
    )


def graph(*objects: dict[str, Any] | None) -> dict[str, Any]:
    """Several objects as one, without those that are None."""
    return {
        "@context": CONTEXT,
        "@graph": [
            {name: value for name, value in data.items() if name != "@context"}
            for data in objects
            if data is not None
        ],
    }


# Each of it


def defined_term(
    page: TermPage, glossary: GlossaryPage | None, request: HttpRequest | None
) -> dict[str, Any]:
    """A term as a schema.org DefinedTerm, in its glossary unless that is None."""
    url = page.get_full_url(request)
    data = {
        "@context": CONTEXT,
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
        data["inDefinedTermSet"] = _without_gaps(
            {
                "@type": "DefinedTermSet",
                "@id": set_url,
                "name": glossary.title,
                "url": set_url,
                "inLanguage": _language(page),
            }
        )
    return _without_gaps(data)


def defined_term_set(
    glossary: GlossaryPage,
    term_urls: Iterable[str],
    request: HttpRequest | None,
) -> dict[str, Any]:
    """A glossary as a schema.org DefinedTermSet, with the full addresses of the terms
    that its page shows; each term's own page describes the term."""
    url = glossary.get_full_url(request)
    return _without_gaps(
        {
            "@context": CONTEXT,
            "@type": "DefinedTermSet",
            "@id": url,
            "name": glossary.title,
            "description": get_text_for_indexing(glossary.introduction),
            "url": url,
            "inLanguage": _language(glossary),
            "license": glossary.licence_url,
            "hasDefinedTerm": [{"@id": term_url} for term_url in term_urls],
        }
    )


def breadcrumb_list(
    ancestors: Iterable[Any], page: GlossaryPage | TermPage, request: HttpRequest | None
) -> dict[str, Any] | None:
    """The way from the root of the site to a page as a schema.org BreadcrumbList; None
    if there is nothing above it."""
    trail = [
        (step.title, url)
        for step in (*ancestors, page)
        if (url := step.get_full_url(request))
    ]
    if len(trail) < 2:
        return None
    return {
        "@context": CONTEXT,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": url}
            for position, (name, url) in enumerate(trail, start=1)
        ],
    }


def faq_page(page: TermPage, request: HttpRequest | None) -> dict[str, Any] | None:
    """The questions of a term as a schema.org FAQPage, their answers as plain text;
    None if it has none."""
    questions = [
        (child.value["question"], rich_text_to_plain(child.value["answer"].source))
        for child in page.faq
    ]
    url = page.get_full_url(request)
    data = {
        "@context": CONTEXT,
        "@type": "FAQPage",
        "@id": f"{url}#questions" if url else None,
        "mainEntity": [
            {
                "@type": "Question",
                "name": question,
                "acceptedAnswer": {"@type": "Answer", "text": answer},
            }
            for question, answer in questions
            if question and answer
        ],
    }
    return _without_gaps(data) if data["mainEntity"] else None


def _language(page: GlossaryPage | TermPage) -> str | None:
    return page.locale.language_code if page.locale_id else None


def _without_gaps(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value}


def as_json(data: dict[str, Any]) -> SafeString:
    """The data as JSON that can stand inside a script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return mark_safe(text.translate(ESCAPES))  # noqa: S308  (escaped for its place)
