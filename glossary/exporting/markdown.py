"""Terms as Markdown files with YAML front matter, to read and to build sites from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django.utils.html import escape
from django.utils.translation import gettext as _

from ..conf import section_kind_label
from ..richtext import rich_text_to_markdown
from .files import File, term_files
from .records import said
from .selection import LoadedTerm, Selection


# What ends a line in YAML, or is not allowed there, but stands as it is in JSON.
_YAML_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


def markdown_files(selection: Selection) -> Iterator[File]:
    """`<slug>.md` for each term."""
    return term_files(selection, "%(slug)s.md", export_markdown)


def export_markdown(loaded: LoadedTerm) -> bytes:
    parts = [_front_matter(loaded), *_body(loaded)]
    return ("\n\n".join(part for part in parts if part) + "\n").encode()


def _front_matter(loaded: LoadedTerm) -> str:
    term = said(loaded, complete=True).written
    fields: dict[str, Any] = {
        "title": term.term,
        "slug": term.slug,
        "locale": loaded.locale,
        "short_definition": term.short_definition,
        "seo_title": term.seo_title,
        "seo_description": term.seo_description,
        "category": term.category,
        "tags": list(term.tags),
        "labels": [label.text for label in term.labels if label.kind != "hidden"],
        "related_terms": [related.slug for related in term.related_terms],
        "related_features": list(term.related_features),
    }
    lines = [f"{name}: {_yaml(value)}" for name, value in fields.items() if value]
    return "\n".join(["---", *lines, "---"])


def _yaml(value: Any) -> str:
    # JSON is YAML, quoted for any text.
    text = json.dumps(value, ensure_ascii=False)
    return _YAML_BREAKS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _body(loaded: LoadedTerm) -> Iterator[str]:
    term = said(loaded, complete=True).written
    page = loaded.page
    yield _heading(1, page.heading or page.title)
    yield _line(term.short_definition)
    for entry in loaded.content["sections"]:
        yield _heading(2, entry["heading"] or str(section_kind_label(entry["kind"])))
        yield entry["text"]
    if term.comparisons:
        yield _heading(2, _("Comparisons"))
    for comparison in term.comparisons:
        yield _heading(3, comparison.term)
        yield comparison.comparison
    if term.faq:
        yield _heading(2, _("Questions"))
    for question in term.faq:
        yield _heading(3, question.question)
        yield question.answer
    if term.related_terms:
        yield _heading(2, _("Related terms"))
        yield "\n".join(f"- {_line(related.name)}" for related in term.related_terms)


def _heading(level: int, text: str) -> str:
    return f"{'#' * level} {_line(text)}" if text else ""


def _line(text: str) -> str:
    """A text that is no Markdown, as Markdown on one line."""
    html = f"<p>{escape(' '.join(text.split()))}</p>"
    return rich_text_to_markdown(html).value
