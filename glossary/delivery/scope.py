"""What a request asks about: a site, and the glossaries on it that anyone may read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.utils import translation
from wagtail.api.validators import SiteFilterValidator
from wagtail.models import Site
from wagtail.query import PageQuerySet

from ..models import GlossaryPage
from ..visibility import public_pages
from .versions import State, current


def appends_slash() -> bool:
    """Whether the addresses of pages end in a slash."""
    return bool(getattr(settings, "WAGTAIL_APPEND_SLASH", True))


@dataclass(frozen=True, slots=True)
class ScopeGlossary:
    """A glossary that anyone may read. ``locale`` is a language code, ``url`` the full
    address of its page, ``path`` where it stands in the tree."""

    pk: int
    slug: str
    title: str
    locale: str
    locale_id: int
    path: str
    url: str | None

    def term_url(self, slug: str) -> str | None:
        """The full address of one of its terms."""
        if self.url is None:
            return None
        return f"{self.url.rstrip('/')}/{slug}{'/' if appends_slash() else ''}"


@dataclass(frozen=True, slots=True)
class Scope:
    """A site as anyone may see it. ``root_url`` is like ``https://example.com``;
    ``locale`` is the language of its root page."""

    site_id: int
    root_url: str
    locale: str
    roots: tuple[str, ...]
    """The paths of the trees that belong to it: its own, and their translations."""
    glossaries: tuple[ScopeGlossary, ...]
    """In the order of the tree."""
    _by_pk: dict[int, ScopeGlossary] = field(repr=False, compare=False)

    def glossary(self, pk: int) -> ScopeGlossary | None:
        return self._by_pk.get(pk)

    def path(self, url: str | None) -> str | None:
        """A full address as the site's own pages write it: without the domain, if that
        is the site's."""
        root = self.root_url
        return url[len(root) :] if url and url.startswith(f"{root}/") else url

    def select(
        self, *, locale: str | None = None, glossary: int | str | None = None
    ) -> list[ScopeGlossary]:
        """Its glossaries in this language, and with this id or slug."""
        return [
            item
            for item in self.glossaries
            if (locale is None or item.locale == locale)
            and (glossary is None or glossary in (item.pk, item.slug))
        ]

    def pages(self) -> PageQuerySet:
        """Every page of the site that anyone may see."""
        return public_pages().filter(in_trees(self.roots))


# What each process remembers of the version that it saw last.
_remembered: dict[tuple[Any, ...], Scope] = {}
MOST_REMEMBERED = 500


def scope_for(request: HttpRequest, state: State | None = None) -> Scope | None:
    """The scope of the site that a request asks about, by ``?site=`` or its host, as
    Wagtail's API does; None if there is no such site. A ValueError tells that the name
    of the site is not clear.

    It is remembered under its version, which is asked for if ``state`` does not say it:
    usually no other query is needed.
    """
    if state is None:
        state = current()
    named = request.GET.get("site")
    # Wagtail tells sites of one name apart by the port, which need not be in the host.
    asked = named or (request.get_host(), request.get_port())
    key = (state.number, state.token, asked)
    if scope := _remembered.get(key):
        return scope
    try:
        site = SiteFilterValidator(site=named, request=request).site_obj
    except Http404:
        site = None
    if site is None:
        return None
    scope = make_scope(site)
    if len(_remembered) >= MOST_REMEMBERED or any(
        known[:2] != key[:2] for known in list(_remembered)
    ):
        _remembered.clear()
    _remembered[key] = scope
    return scope


def make_scope(site: Site) -> Scope:
    """The scope of a site, by three queries."""
    # Wagtail's cache may be local to another process, which did not hear of a change.
    Site.clear_site_root_paths_cache()
    roots = site_roots(site)
    trees = in_trees(roots)
    # Asked for by itself: page.get_url_parts() prefers the site of its request.
    request = HttpRequest()
    request._wagtail_site = site  # type: ignore[attr-defined]
    glossaries = tuple(
        _scope_glossary(page, request)
        for page in GlossaryPage.objects.live()
        .public()
        .filter(trees)
        .select_related("locale")
        .order_by("path")
    )
    return Scope(
        site_id=site.pk,
        root_url=site.root_url,
        locale=site.root_page.locale.language_code,
        roots=roots,
        glossaries=glossaries,
        _by_pk={glossary.pk: glossary for glossary in glossaries},
    )


def site_roots(site: Site) -> tuple[str, ...]:
    """The paths of the trees that belong to a site: its root page, and where the site
    has several languages the translations of that."""
    root = site.root_page
    if not getattr(settings, "WAGTAIL_I18N_ENABLED", False):
        return (root.path,)
    translations = root.get_translations(inclusive=True)
    return tuple(translations.order_by("path").values_list("path", flat=True))


def in_trees(roots: Iterable[str]) -> Q:
    """What filters pages to those of the trees."""
    trees = Q(pk__in=[])
    for root in roots:
        trees |= Q(path__startswith=root)
    return trees


def _scope_glossary(page: GlossaryPage, request: HttpRequest) -> ScopeGlossary:
    locale = page.locale.language_code
    with translation.override(locale):  # else the reader's language gets into it
        url = page.get_full_url(request)
    return ScopeGlossary(
        pk=page.pk,
        slug=page.slug,
        title=page.title,
        locale=locale,
        locale_id=page.locale_id,
        path=page.path,
        url=url,
    )
