"""The document of a term that is not read from the database: a draft of it."""

from __future__ import annotations

import json
from typing import Any

from ..models import TermPage
from .documents import RichTextFormat, TermDocument
from .links import Links
from .public_pages import PublicPages
from .scope import Scope, ScopeGlossary
from .term_loader import Belongings, Row, Terms
from .term_streams import BLOCKS


_COLUMNS = (
    *("slug", "title", "heading", "short_definition", "translation_key"),
    *("first_published_at", "last_published_at"),
)
# A site's own base page may lack these.
_OPTIONAL_COLUMNS = ("show_in_menus", "seo_title", "search_description")


def load_draft(
    term: TermPage,
    scope: Scope,
    links: Links,
    *,
    rich_text: RichTextFormat = "html",
) -> TermDocument:
    """A term as it is in memory, published or not. What it refers to is shown as to
    anyone. The ids of what was never saved are 0."""
    pages = PublicPages(scope)
    row = _row(term, pages)
    terms = Terms({row["pk"]: row}, _belongings(term), pages, with_backlinks=False)
    return terms.document(row, links, rich_text)


def _row(term: TermPage, pages: PublicPages) -> Row:
    names = (*_COLUMNS, *(name for name in _OPTIONAL_COLUMNS if hasattr(term, name)))
    category = term.category
    return {
        **{name: getattr(term, name) for name in names},
        "pk": term.pk or 0,
        "path": term.path,
        "content_type": term.content_type_id,
        "locale__language_code": term.locale.language_code,
        "category__slug": category.slug if category else None,
        "category__name": category.name if category else None,
        "glossary": pages.glossary_of(term.path) or _hidden_glossary(term),
        **{
            name: json.dumps(list(getattr(term, name).get_prep_value()))
            for name in BLOCKS
        },
    }


def _hidden_glossary(term: TermPage) -> ScopeGlossary:
    """One that is not public: the draft does not tell where it stands."""
    page = term.glossary
    return ScopeGlossary(
        pk=page.pk,
        slug=page.slug,
        title=page.title,
        locale=page.locale.language_code,
        locale_id=page.locale_id,
        path=page.path,
        url=None,
    )


def _belongings(term: TermPage) -> Belongings:
    pk = term.pk or 0
    links = [
        [link.pk or 0, link.kind, link.related_term_id]
        for link in _in_order(term.related_terms)
    ]
    labels = [
        [label.pk or 0, label.text, label.kind, label.case_rule]
        for label in _in_order(term.labels)
    ]
    tags = [[item.tag.name] for item in term.tagged_items.all()]
    return Belongings({pk: links}, {pk: labels}, {pk: tags})


def _in_order(rows: Any) -> list[Any]:
    return sorted(rows.all(), key=lambda row: row.sort_order or 0)
