"""What the templates of a glossary and its terms ask for.

All of it also answers for a page that is not stored yet, as in a preview.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from django import template
from django.http import HttpRequest
from django.template import Context
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import get_language
from wagtail.rich_text import RichText, expand_db_html, get_text_for_indexing

from ..conf import section_kind_label
from ..delivery import overview
from ..delivery.references import load_references
from ..models import GlossaryPage, RelatedTerm, TermLabel, TermLink, TermPage
from ..site import structured_data
from ..visibility import CONTEXT_KEY, Visibility, public_rich_text


register = template.Library()

# What search engines show of a description.
DESCRIPTION_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Definition:
    """A short definition around its first mention of the term.

    ``term`` is empty, and all of the text ``before`` it, if there is no such mention.
    """

    before: str
    term: str
    after: str


@dataclass(frozen=True, slots=True)
class RelationGroup:
    """The links of one kind, each with its ``related_term`` and that one's
    ``public_page`` loaded."""

    kind: str
    label: str
    links: list[TermLink]


@register.simple_tag
def page_language(page: Any) -> str:
    """The code of the language that a page is written in."""
    if getattr(page, "locale_id", None):
        return page.locale.language_code
    return get_language()


@register.simple_tag
def page_description(page: GlossaryPage | TermPage) -> str:
    """What a page says about itself to search engines, as plain text."""
    if written := getattr(page, "search_description", ""):
        return written
    if isinstance(page, TermPage):
        return page.short_definition
    text = get_text_for_indexing(page.introduction)
    return Truncator(text).chars(DESCRIPTION_LENGTH)


@register.simple_tag(takes_context=True)
def public_ancestors(context: Context, page: Any) -> list[Any]:
    """The pages above one, from the root of the site, that everyone may see."""
    if not page.path:
        return []
    request = context.get("request")
    ancestors = page.get_ancestors().live().public()
    return [ancestor for ancestor in ancestors if ancestor.get_url(request)]


@register.simple_tag
def public_glossary(page: TermPage, ancestors: list[Any]) -> GlossaryPage | None:
    """The glossary of a term if it is among the term's public ancestors."""
    is_public = bool(ancestors) and ancestors[-1].depth == page.depth - 1
    return page.glossary if is_public else None


@register.simple_tag
def term_definition(page: TermPage) -> Definition:
    """The short definition of a term, parted around the term's name."""
    name = r"(?<!\w)" + re.escape(page.title) + r"(?!\w)"
    text = page.short_definition
    if page.title and (match := re.search(name, text, re.IGNORECASE)):
        return Definition(text[: match.start()], match[0], text[match.end() :])
    return Definition(text, "", "")


@register.simple_tag
def term_labels(page: TermPage) -> list[TermLabel]:
    """The labels of a term that readers see."""
    return [label for label in page.labels.all() if label.kind in overview.SHOWN_LABELS]


@register.simple_tag(takes_context=True)
def term_relations(context: Context, page: TermPage) -> list[RelationGroup]:
    """The related terms of a term, by kind.

    Looks up all that the page refers to, so that neither its comparisons nor its
    rich texts need a query of their own.
    """
    context[CONTEXT_KEY] = load_references([page])
    links = [x for x in page.related_terms.all() if not is_secret(x.related_term)]
    groups = (
        RelationGroup(kind.value, kind.label, [x for x in links if x.kind == kind])
        for kind in TermLink.Kind
    )
    return [group for group in groups if group.links]


@register.simple_tag
def term_comparisons(page: TermPage) -> list[Any]:
    """The comparisons of a term, without those whose only name is a secret one."""
    return [
        child
        for child in page.comparisons
        if child.value["name"] or not is_secret(child.value["related_term"])
    ]


def is_secret(related_term: RelatedTerm | None) -> bool:
    """Whether a related term has a page, but not one that everyone may see: then its
    name is not to be told either."""
    if related_term is None or related_term.page_id is None:
        return False
    return related_term.public_page is None


@register.simple_tag(takes_context=True)
def public_richtext(context: Context, value: RichText | str | None) -> SafeString:
    """Rich text as HTML, its links to what is not public replaced by their text."""
    source = value.source if isinstance(value, RichText) else value or ""
    # For anyone, not for the request: what one visitor may see is not to be cached.
    context.setdefault(CONTEXT_KEY, Visibility())
    # With addresses, as Wagtail would look up each link by itself.
    public = public_rich_text(source, context, lambda kind, target: target.url)
    html = expand_db_html(public)
    return render_to_string("wagtailcore/shared/richtext.html", {"html": html})


@register.filter
def section_heading(section: Any) -> str | Promise:
    """The heading of a section; one without is called by its kind."""
    return section["heading"] or section_kind_label(section["kind"])


@register.simple_tag
def feature_url(page: Any, path: str) -> str:
    """The address of a related feature, empty if it is none that a link can have."""
    try:
        if isinstance(page, TermPage) and page.path:
            url = page.glossary.feature_url(path)
        else:
            url = urljoin("/", path)
        scheme = urlsplit(url).scheme
    except ValueError:
        return ""
    return url if scheme in {"", "http", "https"} else ""


@register.simple_tag(takes_context=True)
def glossary_overview(context: Context, page: GlossaryPage) -> overview.Overview:
    """The letters, categories and terms of a glossary, looked up once a page."""
    memory = context.render_context
    if "glossary_overview" not in memory:
        memory["glossary_overview"] = overview.glossary_overview(
            page, context.get("request") or HttpRequest()
        )
    return memory["glossary_overview"]


@register.simple_tag(takes_context=True)
def glossary_json_ld(
    context: Context, page: GlossaryPage, shown: overview.Overview
) -> SafeString:
    """A glossary as JSON-LD, with the terms that its overview shows."""
    data = structured_data.defined_term_set(page, shown, context.get("request"))
    return structured_data.as_json(data)


@register.simple_tag(takes_context=True)
def term_json_ld(
    context: Context, page: TermPage, glossary: GlossaryPage | None
) -> SafeString:
    """A term as JSON-LD, with its glossary if everyone may see that."""
    data = structured_data.defined_term(page, glossary, context.get("request"))
    return structured_data.as_json(data)
