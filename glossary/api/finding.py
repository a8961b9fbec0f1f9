"""Finds what a request names: glossaries, and terms by slug or path, old ones too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from urllib.parse import unquote, urlsplit

from django.apps import apps
from wagtail.coreutils import get_content_languages
from wagtail.models import Site

from ..delivery.scope import Scope, ScopeGlossary
from ..models import PublicTerm
from .parameters import FallbackParameters, GlossaryParameters
from .problems import invalid


def glossaries_for_list(
    scope: Scope, parameters: GlossaryParameters
) -> list[ScopeGlossary]:
    """The glossaries that a list is of: without a language or a glossary those in the
    site's own language, or all where none is."""
    if parameters.locale or parameters.glossary:
        return glossaries_for(scope, parameters)
    return scope.select(locale=scope.locale) or list(scope.glossaries)


def glossaries_for(scope: Scope, parameters: GlossaryParameters) -> list[ScopeGlossary]:
    """The glossaries in which a name is looked for, in this order: those in the
    languages asked for, else all, those in the site's own language first.

    Raises a Problem for a glossary or a language that there is not.
    """
    chosen = _chosen(scope, parameters.glossary)
    if parameters.locale:
        _check_languages("locale", parameters.locale, scope)
        return [item for item in chosen if item.locale in parameters.locale]
    return sorted(chosen, key=lambda item: item.locale != scope.locale)


def with_fallback(
    scope: Scope, glossaries: Sequence[ScopeGlossary], parameters: FallbackParameters
) -> tuple[list[ScopeGlossary], tuple[str, ...]]:
    """The glossaries and after them those in the languages of ``fallback``, and which
    languages these are: those that come as first choice anyway are left out."""
    languages = () if parameters.fallback == ("none",) else parameters.fallback
    _check_languages("fallback", languages, scope)
    known = {item.locale for item in glossaries}
    languages = tuple(name for name in languages if name not in known)
    chosen = _chosen(scope, parameters.glossary)
    more = [item for name in languages for item in chosen if item.locale == name]
    return [*glossaries, *more], languages


def _chosen(scope: Scope, wanted: Collection[str]) -> list[ScopeGlossary]:
    chosen = {item.pk for name in wanted for item in _called(scope, name)}
    return [item for item in scope.glossaries if item.pk in chosen or not wanted]


def _called(scope: Scope, name: str) -> list[ScopeGlossary]:
    is_id = name.isascii() and name.isdecimal() and len(name) < 19
    # A slug may be made of digits as well.
    chosen = scope.select(glossary=name) or (
        scope.select(glossary=int(name)) if is_id else []
    )
    if not chosen:
        slugs = [item.slug for item in scope.glossaries]
        raise invalid("glossary", "there is no such glossary", name, slugs)
    return chosen


def _check_languages(name: str, languages: Iterable[str], scope: Scope) -> None:
    known = {*get_content_languages(), *(item.locale for item in scope.glossaries)}
    for language in languages:
        if language not in known:
            raise invalid(name, "there is no such language", language, sorted(known))


# Terms


def find_by_slug(slug: str, glossaries: Sequence[ScopeGlossary]) -> int | None:
    """The id of the term of this slug in the first glossary that has one."""
    rows = PublicTerm.objects.filter(
        slug=slug, glossary__in=[item.pk for item in glossaries]
    ).values_list("glossary_id", "pk")
    found = dict(rows)
    return next((found[item.pk] for item in glossaries if item.pk in found), None)


def find_by_slugs(
    slugs: Iterable[str], glossaries: Sequence[ScopeGlossary]
) -> dict[str, int]:
    """The same for many slugs."""
    wanted = sorted(set(slugs))
    order = {item.pk: number for number, item in enumerate(glossaries)}
    found: dict[str, tuple[int, int]] = {}
    for start in range(0, len(wanted), 500):  # what SQLite takes in one statement
        rows = PublicTerm.objects.filter(
            slug__in=wanted[start : start + 500], glossary__in=list(order)
        ).values_list("slug", "glossary_id", "pk")
        for slug, glossary, pk in rows:
            best = found.get(slug)
            if best is None or order[glossary] < best[0]:
                found[slug] = (order[glossary], pk)
    return {slug: pk for slug, (_number, pk) in found.items()}


def find_by_ids(ids: Iterable[int], glossaries: Sequence[ScopeGlossary]) -> set[int]:
    """Those of the ids that are public terms of these glossaries."""
    rows = PublicTerm.objects.filter(
        pk__in=list(ids), glossary__in=[item.pk for item in glossaries]
    )
    return set(rows.values_list("pk", flat=True))


def find_by_path(path: str, scope: Scope) -> int | None:
    """The id of the term whose page has this path, as it stands in an address."""
    start, slash, slug = path_of(path).rstrip("/").rpartition("/")
    holding = [item for item in scope.glossaries if path_of(item.url) == start + slash]
    return find_by_slug(slug, holding) if holding else None


def path_of(address: str | None) -> str:
    """The path in an address, with a slash at both ends; empty if there is none."""
    try:
        path = unquote(urlsplit(address or "").path)
    except ValueError:
        return ""
    return f"/{path.strip('/')}/" if path.strip("/") else path


# Old addresses


def old_paths(slug: str, glossaries: Iterable[ScopeGlossary]) -> list[str]:
    """Where a term of this slug may once have been."""
    urls = [item.term_url(slug) for item in glossaries]
    return [path for url in urls if (path := path_of(url))]


def find_moved(paths: Iterable[str], scope: Scope) -> tuple[int, bool] | None:
    """The id of the public term that the first of these paths leads to since it moved,
    and whether that is for good: as Wagtail's redirects have it."""
    if not apps.is_installed("wagtail.contrib.redirects"):
        return None
    from wagtail.contrib.redirects.models import Redirect

    order = list(map(Redirect.normalise_path, paths))
    redirects = list(
        Redirect.get_for_site(Site(pk=scope.site_id))
        .filter(old_path__in=order, redirect_page__isnull=False)
        .values_list("old_path", "site_id", "redirect_page_id", "is_permanent")
    )
    # As Wagtail does, a redirect of the site before one of all sites.
    redirects.sort(key=lambda row: (order.index(row[0]), row[1] is None))
    public = set(
        PublicTerm.objects.filter(
            pk__in=[row[2] for row in redirects],
            glossary__in=[item.pk for item in scope.glossaries],
        ).values_list("pk", flat=True)
    )
    return next((row[2:] for row in redirects if row[2] in public), None)
