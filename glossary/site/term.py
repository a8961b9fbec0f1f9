"""What the page of a term shows besides the term: who mentions it, what stands beside
it in the alphabet, and its translations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils.translation import get_language_bidi, get_language_info
from wagtail.coreutils import get_content_languages

from ..delivery import entries
from ..delivery.backlinks import some_backlinks
from ..delivery.entries import Entry
from ..delivery.public_pages import PublicPages
from ..delivery.scope import Scope
from ..models import Mention, RelatedTerm, TagCount, TermPage
from .ego import EgoGraph, Kind, Neighbour, ego_graph
from .index import GlossaryIndex, Group, request_scope


MOST_MENTIONS = 20


class MentionedIn(NamedTuple):
    """A term that points at this one, and how it does."""

    title: str
    url: str
    kinds: list[str]
    """As ``Mention.Kind`` has them."""
    labels: list[str]


class Mentions(NamedTuple):
    """Some of the terms that point at one, and how many more there are."""

    terms: list[MentionedIn]
    more: int
    is_all: bool
    """Whether there are no more than that."""


class Beside(NamedTuple):
    previous: Entry | None
    next: Entry | None


class Translation(NamedTuple):
    """A page in a language: its code, its own name for itself and its direction."""

    code: str
    name: str
    direction: str
    url: str
    full_url: str
    is_current: bool


def mentions_of(page: TermPage, request: HttpRequest | None) -> Mentions:
    scope = request_scope(request)
    if scope is None or not page.pk:
        return Mentions([], 0, True)
    found, count, is_all = some_backlinks(page.pk, scope, MOST_MENTIONS)
    terms = [
        MentionedIn(
            item["title"],
            scope.path(item["html_url"]) or "",
            list(item["kinds"]),
            [f"{Mention.Kind(kind).label}" for kind in item["kinds"]],
        )
        for item in found
    ]
    return Mentions(terms, count - len(terms), is_all)


def beside(page: TermPage, index: GlossaryIndex | None) -> Beside:
    if index is None or index.shown is None or not page.pk:
        return Beside(None, None)
    return Beside(*entries.beside(*index.shown, page.pk))


def tags_of(page: TermPage, index: GlossaryIndex | None) -> list[Group]:
    """Its tags, each with the address of the terms that share it; without one, those
    of a term that is not public."""
    tags = list(page.tags.all())
    if index is None or index.shown is None:
        return [Group((tag.pk,), tag.name, tag.slug, 0, "") for tag in tags]
    counts = TagCount.objects.filter(
        glossary=index.pk, tag__in=[tag.pk for tag in tags], terms__gt=0
    )
    known = {group.pks: group for group in index.groups_of_tags(counts)}
    return [
        known.get((tag.pk,), Group((tag.pk,), tag.name, tag.slug, 0, ""))
        for tag in tags
    ]


def translations_of(page: Any, request: HttpRequest | None) -> list[Translation]:
    """The page in each language in which anyone may see it, in the order of the site's
    languages; nothing if it is in one alone."""
    scope = request_scope(request)
    languages = get_content_languages()
    if scope is None or request is None or not page.pk or len(languages) < 2:
        return []
    known = request.__dict__.setdefault("_glossary_translations", {})
    if page.pk not in known:
        known[page.pk] = _translations(page, scope, languages)
    translations: list[Translation] = known[page.pk]
    return translations


def _translations(
    page: Any, scope: Scope, languages: dict[str, str]
) -> list[Translation]:
    pages = PublicPages(scope)
    pages.load([page.pk], [page.translation_key])
    found = {
        item.locale: item
        for item in pages.found.values()
        if item.translation_key == page.translation_key and item.url
    }
    if len(found) < 2 or page.pk not in pages.found:
        return []
    return [
        Translation(
            code,
            *_named(code, languages),
            scope.path(item.url) or "",
            item.url or "",
            item.pk == page.pk,
        )
        for code in [*languages, *found.keys() - languages.keys()]
        if (item := found.get(code))
    ]


def _named(code: str, languages: dict[str, str]) -> tuple[str, str]:
    try:
        info = get_language_info(code)
    except KeyError:
        return f"{languages.get(code, code)}", "ltr"
    return info["name_local"].capitalize(), "rtl" if info["bidi"] else "ltr"


def graph_of(
    page: TermPage,
    links: Iterable[tuple[RelatedTerm, str, Kind]],
    mentions: Mentions,
    address: Callable[[RelatedTerm], str | None],
) -> EgoGraph | None:
    """The term, what it links to (each by a name and as a kind) and what mentions it,
    as a picture in the language that is in use; None if that is nothing."""
    neighbours = [
        Neighbour(name, address(related_term), kind)
        for related_term, name, kind in links
    ]
    neighbours += [
        Neighbour(term.title, term.url, kind, "in")
        for term in mentions.terms
        for kind in term.kinds[:1]
    ]
    found = ego_graph(page.title, neighbours, mirrored=get_language_bidi())
    return found if found.nodes else None
