"""What the templates of a glossary and its terms ask for.

All of it also answers for a page that is not stored yet, as in a preview.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import (
    get_language,
    get_language_info,
)
from django.utils.translation import gettext as _
from wagtail.rich_text import RichText, expand_db_html, get_text_for_indexing
from wagtail.templatetags.wagtailcore_tags import pageurl

from .. import conf
from ..addresses import letter_part
from ..delivery.entries import Entry
from ..delivery.references import load_references
from ..delivery.standings import SHOWN_KINDS
from ..models import (
    Category,
    GlossaryPage,
    RelatedTerm,
    TermLabel,
    TermLink,
    TermPage,
)
from ..site import structured_data
from ..site import term as term_view
from ..site.cards import card_url
from ..site.ego import EgoGraph
from ..site.index import GlossaryIndex, Letter, index_called, index_of, request_scope
from ..site.negotiation import has_files
from ..site.thin import is_thin
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
    scope = request_scope(request)
    ancestors = page.get_ancestors().live().public()
    return [
        ancestor
        for ancestor in ancestors
        if ancestor.get_url(request)
        and (scope is None or ancestor.path.startswith(scope.roots))
    ]


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
    return [label for label in page.labels.all() if label.kind in SHOWN_KINDS]


@register.simple_tag(takes_context=True)
def term_relations(context: Context, page: TermPage) -> list[RelationGroup]:
    """The related terms of a term, by kind.

    Looks up all that the page refers to, so that neither its comparisons nor its
    rich texts need a query of their own.
    """
    scope = request_scope(context.get("request"))
    context[CONTEXT_KEY] = load_references([page], scope)
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
    return related_term is not None and related_term.is_secret


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
    return section["heading"] or conf.section_kind_label(section["kind"])


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


# --- The glossary


@register.simple_tag(takes_context=True)
def glossary_index(
    context: Context, page: GlossaryPage | str | None
) -> GlossaryIndex | None:
    """What anyone may see of a glossary: its letters, categories, tags and terms. A
    glossary is given by its page or by its slug; None if the site has none of it."""
    request = context.get("request")
    if isinstance(page, str):
        return index_called(page, request)
    return index_of(page, request) if page else None


@register.simple_tag
def glossary_address(index: GlossaryIndex | None, kind: str, value: str) -> str:
    """Where a glossary lists a ``letter``, a ``category`` or a ``tag``; empty for a
    glossary that is hidden."""
    return index.address(kind, value) if index and index.shown else ""


@register.filter
def by_letter(entries: Iterable[Entry]) -> list[tuple[str, str, list[Entry]]]:
    """Entries in the order of the alphabet by their letters: each letter, what it is
    called in addresses, and its entries."""
    grouped: dict[str, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.letter, []).append(entry)
    return [(letter, letter_part(letter), group) for letter, group in grouped.items()]


@register.filter
def in_order_of(
    entries: Iterable[Entry], letters: Iterable[Letter]
) -> list[tuple[str, str, list[Entry]]]:
    """The same in the order of these letters."""
    order = {letter.name: number for number, letter in enumerate(letters)}
    return sorted(by_letter(entries), key=lambda group: order.get(group[0], -1))


@register.simple_tag(takes_context=True)
def canonical_url(context: Context, page: Any) -> str:
    """The full address of what is shown, empty if it has none."""
    request = context.get("request")
    if context.get("is_part"):
        here, scope = context.get("here"), request_scope(request)
        if not here or scope is None:
            return ""
        query = f"?{context['query']}" if context.get("query") else ""
        return f"{'' if '://' in here else scope.root_url}{here}{query}"
    return page.get_full_url(request) or "" if page.path else ""


@register.simple_tag(takes_context=True)
def page_file(context: Context, page: Any, name: str) -> str:
    """The full address of a file of a page, such as ``index.md``; empty if the site
    has not included ``glossary.site.urls``."""
    url = page.get_full_url(context.get("request")) if page.path else None
    return f"{url.rstrip('/')}/{name}" if url and has_files() else ""


@register.simple_tag(takes_context=True)
def page_card(context: Context, page: Any) -> str:
    """The full address of the picture of a page, for those who share it."""
    request = context.get("request")
    return card_url(page, request) if request and page.path else ""


@register.simple_tag(takes_context=True)
def glossary_feed(context: Context, page: Any) -> dict[str, str]:
    """The ``url`` and the ``title`` of the feed of a glossary, or of that of a term."""
    scope = request_scope(context.get("request"))
    place = page.path[: -page.steplen] if isinstance(page, TermPage) else page.path
    glossary = next(
        (item for item in scope.glossaries if item.path == place) if scope else (),
        None,
    )
    if glossary is None or not glossary.url:
        return {"url": "", "title": ""}
    end = "feed.atom" if has_files() else "?format=atom"
    return {"url": f"{glossary.url.rstrip('/')}/{end}", "title": glossary.title}


@register.simple_tag(takes_context=True)
def page_translations(context: Context, page: Any) -> list[term_view.Translation]:
    """The page in each language in which anyone may see it; nothing if there is only
    one."""
    return term_view.translations_of(page, context.get("request"))


@register.simple_tag
def is_noindex(page: Any) -> bool:
    """Whether search engines are asked to leave a page out: a term that says no more
    than its short definition, unless ``GLOSSARY_NOINDEX_THIN`` is off."""
    return conf.noindex_thin() and is_thin(page)


# --- A term


@register.simple_tag
def term_contents(
    page: TermPage,
    comparisons: Iterable[Any],
    relations: Iterable[RelationGroup],
    mentions: term_view.Mentions,
) -> list[tuple[str, str | Promise]]:
    """What is on the page of a term: the anchor and the heading of each part."""
    sections = [
        (f"section-{section.id}", section_heading(section.value))
        for section in page.explanation
        if section.id
    ]
    parts = [
        (comparisons, "comparisons", _("How it compares")),
        (page.faq, "questions", _("Questions and answers")),
        (relations, "relations", _("Related terms")),
        (mentions.terms, "mentions", _("Mentioned by")),
        (page.related_features, "features", _("Related features")),
    ]
    return sections + [(anchor, heading) for has, anchor, heading in parts if has]


@register.simple_tag(takes_context=True)
def term_mentions(context: Context, page: TermPage) -> term_view.Mentions:
    """The other terms that point at a term: the first 20, and how many more."""
    return term_view.mentions_of(page, context.get("request"))


@register.simple_tag
def term_neighbours(page: TermPage, index: GlossaryIndex | None) -> term_view.Beside:
    """The terms before and after one in the alphabet."""
    return term_view.beside(page, index)


@register.simple_tag
def term_tags(page: TermPage, index: GlossaryIndex | None) -> list[Any]:
    """The tags of a term, each with the address of the terms that share it."""
    return term_view.tags_of(page, index)


@register.simple_tag(takes_context=True)
def term_graph(
    context: Context,
    page: TermPage,
    relations: Iterable[RelationGroup],
    comparisons: Iterable[Any],
    mentions: term_view.Mentions,
) -> EgoGraph | None:
    """A term and what it is related to, as a picture; None if that is nothing."""

    def address(related_term: RelatedTerm) -> str | None:
        public = related_term.public_page
        return pageurl(context, public) if public else None

    links = [
        (link.related_term, link.related_term.name, group.kind)
        for group in relations
        for link in group.links
    ]
    links += [
        (related_term, child.value["name"] or related_term.name, "comparison")
        for child in comparisons
        if (related_term := child.value["related_term"]) and not is_secret(related_term)
    ]
    return term_view.graph_of(page, links, mentions, address)


# --- Data for search engines


@register.simple_tag(takes_context=True)
def glossary_json_ld(
    context: Context, page: GlossaryPage, ancestors: list[Any], entries: Iterable[Entry]
) -> SafeString:
    """A glossary as JSON-LD, with these of its terms."""
    request = context.get("request")
    url = page.get_full_url(request) or ""
    urls = [urljoin(url, entry.url) for entry in entries if url and not entry.see]
    return structured_data.as_json(
        structured_data.glossary_graph(page, urls, ancestors, request)
    )


@register.simple_tag(takes_context=True)
def term_json_ld(
    context: Context,
    page: TermPage,
    glossary: GlossaryPage | None,
    ancestors: list[Any],
) -> SafeString:
    """A term as JSON-LD, with its glossary if everyone may see that."""
    request = context.get("request")
    return structured_data.as_json(
        structured_data.term_graph(page, glossary, ancestors, request)
    )


# --- For any page of a site


@register.simple_tag
def embedded_language(value: Any) -> SafeString:
    """The attributes ``lang`` and ``dir`` of what stands on a page that may be in
    another language."""
    page = value.get("glossary") or value.get("term")
    if page is None:
        return mark_safe("")
    code = page_language(page)
    direction = "rtl" if get_language_info(code)["bidi"] else "ltr"
    return format_html(' lang="{}" dir="{}"', code, direction)


@register.simple_tag(takes_context=True)
def unique_id(context: Context, name: str) -> str:
    """An id that no other element of the page has from here: the name, with a number
    from the second time on."""
    request = context.get("request")
    known = {} if request is None else request.__dict__
    times = known.setdefault("_glossary_ids", Counter())
    times[name] += 1
    return name if times[name] == 1 else f"{name}-{times[name]}"


@register.simple_tag(takes_context=True)
def glossary_head(context: Context) -> SafeString:
    """The stylesheet and the script, once a page. Both may stand in the head or in the
    body."""
    return glossary_stylesheet(context) + glossary_script(context)


@register.simple_tag(takes_context=True)
def glossary_stylesheet(context: Context) -> SafeString:
    """The stylesheet, once a page."""
    name = "glossary/glossary.css"
    if not _is_first(context, name):
        return mark_safe("")
    return format_html('<link rel="stylesheet" href="{}">', static(name))


@register.simple_tag(takes_context=True)
def glossary_script(context: Context) -> SafeString:
    """The script, once a page."""
    name = "glossary/glossary.js"
    if not _is_first(context, name):
        return mark_safe("")
    return format_html('<script src="{}" defer></script>', static(name))


def _is_first(context: Context, name: str) -> bool:
    """Whether something is on the page for the first time."""
    return unique_id(context, name) == name


@register.inclusion_tag("glossary/includes/search_box.html", takes_context=True)
def glossary_search(context: Context, glossary: GlossaryPage | str) -> dict[str, Any]:
    """The search field of a glossary, given by its page or its slug."""
    index = glossary_index(context, glossary)
    return {"index": index, "text": "", "request": context.get("request")}


@register.inclusion_tag("glossary/includes/letters.html", takes_context=True)
def glossary_a_to_z(context: Context, glossary: GlossaryPage | str) -> dict[str, Any]:
    """The letters of a glossary, with links to their terms."""
    index = glossary_index(context, glossary)
    return {"index": index, "here": index.url if index else ""}


@register.inclusion_tag("glossary/includes/term_card.html", takes_context=True)
def term_card(
    context: Context, term: TermPage | str, glossary: GlossaryPage | str | None = None
) -> dict[str, Any]:
    """A term with its short definition, given by its page, or by its slug and its
    glossary. Nothing for one that not everyone may see."""
    request = context.get("request")
    if isinstance(term, TermPage):
        index = index_of(term.glossary, request) if term.path else None
        found = index.terms([term.pk]) if index and term.pk else []
    else:
        index = glossary_index(context, glossary) if glossary else None
        found = index.called(term) if index else []
    return {"entry": found[0] if found else None}


@register.inclusion_tag("glossary/includes/category_terms.html", takes_context=True)
def category_terms(
    context: Context,
    glossary: GlossaryPage | str | None,
    category: Category | str | None,
    limit: int = 10,
) -> dict[str, Any]:
    """The first terms of a category of a glossary, and the way to the others."""
    index = glossary_index(context, glossary)
    slug = getattr(category, "slug", category)
    group = index.category(slug) if index and slug else None
    entries = index.in_category(group).entries[:limit] if index and group else []
    return {"category": group, "entries": entries}
