"""Whether related terms, their pages and the links to them belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from ...models import GlossaryPage, RelatedTerm, TermLink, TermPage
from ..bulk.references import index_references
from ..referring import Home, find_related_terms
from .findings import Check, Findings
from .indexes import check_references, check_search, load_by_type


def check_names(
    glossary: GlossaryPage, ids: Collection[int], findings: Findings
) -> None:
    """Each term has its related term, at home, and no other is tied to its page."""
    terms = list(_standing(ids))
    known = {
        (each.locale_id, each.slug): each
        for each in RelatedTerm.objects.filter(
            glossary=glossary, slug__in=[term.slug for term in terms]
        )
    }
    astray = _tied_by_mistake(glossary, terms)
    incomplete: dict[Home, dict[str, TermPage]] = defaultdict(dict)
    for term in terms:
        own = known.get((term.locale_id, term.slug))
        for other in astray[term.pk]:
            findings.add(
                *(Check.RELATED_TERMS, term.slug),
                _("The related term “%(name)s” (%(slug)s) is tied to it by mistake.")
                % {"name": other.name, "slug": other.slug},
                _("It follows the page, or is untied."),
            )
        if own is None:
            findings.add(
                *(Check.RELATED_TERMS, term.slug),
                _("It has no related term."),
                _("It gets one."),
            )
        elif own.page_id != term.pk:
            findings.add(
                *(Check.RELATED_TERMS, term.slug),
                _("Its related term is not tied to it."),
                _("It is tied."),
            )
        if not astray[term.pk] and (own is None or own.page_id != term.pk):
            incomplete[Home(glossary.pk, term.locale_id)][term.slug] = term
    if not findings.fix:
        return
    for term in terms:
        if others := astray[term.pk]:
            RelatedTerm.objects.follow(term)
            # Untied by an update, which leaves the index as it was.
            index_references(list(RelatedTerm.objects.filter(pk__in=_ids(others))))
    for home, pages in incomplete.items():
        find_related_terms(home, {}, pages)


def _tied_by_mistake(
    glossary: GlossaryPage, terms: Collection[TermPage]
) -> dict[int, list[RelatedTerm]]:
    """By each term's id the related terms that are not its own and yet tied to it."""
    by_id = {term.pk: term for term in terms}
    tied = list(RelatedTerm.objects.filter(page__in=by_id).order_by("pk"))
    namesakes = TermPage.objects.in_glossary(glossary).filter(
        slug__in=[each.slug for each in tied]
    )
    # Those that have a page of their own here are found and tied with that.
    homes = {
        (glossary.pk, locale_id, slug)
        for locale_id, slug in namesakes.values_list("locale", "slug")
    }
    found: dict[int, list[RelatedTerm]] = defaultdict(list)
    for each in tied:
        if (each.glossary_id, each.locale_id, each.slug) not in homes:
            found[each.page_id].append(each)
    return found


def _standing(ids: Collection[int]) -> QuerySet[TermPage]:
    """The terms with what says where they stand, without their texts."""
    needed = ("path", "depth", "numchild", "slug", "title", "locale")
    return TermPage.objects.filter(pk__in=ids).only(*needed).order_by("pk")


def _ids(objects: Collection[Any]) -> list[int]:
    return [each.pk for each in objects]


def check_links(
    glossary: GlossaryPage, ids: Collection[int], findings: Findings
) -> None:
    """The links of terms point at what their own glossary and language know."""
    links = TermLink.objects.filter(term__in=ids)
    locale = F("term__locale_id")
    strays: list[Any] = list(
        links.filter(
            ~Q(related_term__glossary=glossary) | ~Q(related_term__locale_id=locale)
        )
        .annotate(term_slug=F("term__slug"), term_locale=locale)
        .select_related("related_term")
        .order_by("term", "sort_order")
    )
    homes: dict[int, dict[str, str]] = defaultdict(dict)
    for link in strays:
        related_term = link.related_term
        findings.add(
            *(Check.LINKS, link.term_slug),
            _("Its link to “%(name)s” leads into another glossary or language.")
            % {"name": related_term.name},
            _("It leads to “%(slug)s” in its own glossary and language.")
            % {"slug": related_term.slug},
        )
        homes[link.term_locale][related_term.slug] = related_term.name
    if not (findings.fix and strays):
        return
    at_home = {
        locale_id: find_related_terms(Home(glossary.pk, locale_id), names, {})
        for locale_id, names in homes.items()
    }
    linked = set(links.values_list("term", "related_term"))
    doubled: list[TermLink] = []
    for link in strays:
        related = at_home[link.term_locale][link.related_term.slug]
        if (link.term_id, related) in linked:
            doubled.append(link)
        linked.add((link.term_id, related))
        link.related_term_id = related
    TermLink.objects.filter(pk__in=_ids(doubled)).delete()
    moved = [link for link in strays if link not in doubled]
    TermLink.objects.bulk_update(moved, ["related_term"])
    for of_type in load_by_type({link.term_id for link in strays}):
        index_references(of_type)


def check_related_terms(
    glossary: GlossaryPage, ids: Collection[int], findings: Findings
) -> None:
    """No related term is tied to a page that stands elsewhere; their indexes."""
    chunk: list[Any] = list(
        RelatedTerm.objects.filter(pk__in=ids)
        .annotate(page_path=F("page__path"))
        .order_by("pk")
    )
    names = TermPage.objects.in_glossary(glossary).filter(
        slug__in=[each.slug for each in chunk]
    )
    # Those of a term that is there were looked at with it.
    terms = set(names.values_list("locale", "slug"))
    astray = [
        each
        for each in chunk
        if each.page_id is not None
        and (each.page_path or "")[: -TermPage.steplen] != glossary.path
        and (each.locale_id, each.slug) not in terms
    ]
    for each in astray:
        findings.add(
            *(Check.RELATED_TERMS, each.slug),
            _("It is tied to a page that stands elsewhere."),
            _("It is untied: a wanted term again."),
        )
    if findings.fix and astray:
        for each in astray:
            each.page_id = None
        RelatedTerm.objects.bulk_update(astray, ["page"])
        index_references(astray)
    check_references(chunk, findings)
    check_search(chunk, findings)
