"""What terms refer to: related terms, categories and tags, found or made for many
terms at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taggit.models import Tag

from ..content import Content, spoken
from ..models import Category, GlossaryPage, RelatedTerm, TermPage
from ..signals import related_terms_written
from .bulk.references import index_references
from .bulk.rows import give_ids, insert_rows
from .bulk.search import index_for_search
from .writing import Surroundings


@dataclass(frozen=True, slots=True)
class Home:
    """Where related terms are known: in one glossary, in one language."""

    glossary_id: int
    locale_id: int

    @classmethod
    def of(cls, page: TermPage, glossary: GlossaryPage) -> Home:
        """That of a page, which may have been moved away from the glossary."""
        if page.pk is None or page.path[: -page.steplen] == glossary.path:
            return cls(glossary.pk, glossary.locale_id)
        return cls(page.get_parent().pk, page.locale_id)


def find_related_terms(
    home: Home, names: Mapping[str, str], pages: Mapping[str, TermPage]
) -> dict[str, int]:
    """The ids of the related terms of these slugs; those that are not known yet are
    made, by the names given.

    ``pages`` are pages about to be stored, by their slugs: each becomes the page of
    its related term.
    """
    wanted = {slug: name or spoken(slug) for slug, name in names.items()}
    wanted.update({slug: page.title for slug, page in pages.items()})
    at_home = {"glossary_id": home.glossary_id, "locale_id": home.locale_id}
    known = {
        related_term.slug: related_term
        for related_term in RelatedTerm.objects.filter(slug__in=wanted, **at_home)
    }
    new = [
        RelatedTerm(slug=slug, name=name[:255], **at_home)
        for slug, name in wanted.items()
        if slug not in known
    ]
    give_ids(new)
    gained = [known[slug] for slug in pages if slug in known]
    for related_term in (*new, *gained):
        if page := pages.get(related_term.slug):
            related_term.page_id = page.pk
    insert_rows(new)
    if gained:
        RelatedTerm.objects.bulk_update(gained, ["page"])
    _index(new, created=True)
    _index(gained, created=False)
    return {each.slug: each.pk for each in (*known.values(), *new)}


def bring_links_home(pages: Iterable[TermPage], glossary: GlossaryPage) -> None:
    """Let the links of pages in memory point to where the pages stand now, which need
    not be where their revisions were made."""
    homes: dict[Home, list[TermPage]] = {}
    for page in pages:
        homes.setdefault(Home.of(page, glossary), []).append(page)
    for home, at_home in homes.items():
        linked = {
            page: {link.related_term_id for link in page.related_terms.all()}
            for page in at_home
        }
        strays = RelatedTerm.objects.strays(
            set().union(*linked.values()), home.glossary_id, home.locale_id
        )
        for page, ids in linked.items():
            if ids & strays.keys():
                page.bring_links_home()


def rename_related_terms(
    former_titles: Mapping[int, str], pages: Sequence[Any]
) -> None:
    """Let the related terms of renamed pages follow, if they had the page's name."""
    renamed = {
        page.pk: page.title
        for page in pages
        if former_titles.get(page.pk) not in (None, page.title)
    }
    if not renamed:
        return
    following = [
        related_term
        for related_term in RelatedTerm.objects.filter(page__in=renamed)
        if related_term.name == former_titles[related_term.page_id]
    ]
    for related_term in following:
        related_term.name = renamed[related_term.page_id]
    RelatedTerm.objects.bulk_update(following, ["name"])
    _index(following, created=False)
    related_terms_written.send(
        sender=RelatedTerm, pks=[related_term.pk for related_term in following]
    )


def _index(
    snippets: Sequence[RelatedTerm] | Sequence[Category], *, created: bool
) -> None:
    if snippets:
        index_references(snippets, created=created)
        index_for_search(snippets)


def find_categories(locale_id: int, names: Mapping[str, str]) -> dict[str, Category]:
    """The categories of these slugs; those that are not there yet are made."""
    found = Category.objects.filter(slug__in=names, locale=locale_id)
    categories = {category.slug: category for category in found}
    new = [
        Category(slug=slug, locale_id=locale_id, name=(name or spoken(slug))[:255])
        for slug, name in names.items()
        if slug not in categories
    ]
    if new:
        give_ids(new)
        Category.objects.bulk_create(new)
        _index(new, created=True)
    return {**categories, **{category.slug: category for category in new}}


def find_tags(names: Collection[str]) -> dict[str, Tag]:
    """The tags of these names; those that are not there yet are made."""
    tags = {tag.name: tag for tag in Tag.objects.filter(name__in=names)}
    for name in names:
        if name not in tags:
            # One by one, because a tag finds itself a slug.
            tags[name] = Tag.objects.create(name=name)
    return tags


def slugs_in(content: Content) -> Iterable[str]:
    """The slugs of the related terms that a content refers to."""
    for link in content.get("related_terms") or ():
        yield link["slug"]
    for comparison in content.get("comparisons") or ():
        if comparison["slug"]:
            yield comparison["slug"]


def surroundings(
    home: Home,
    contents: Sequence[Content],
    related_names: Mapping[str, str],
    category_names: Mapping[str, str],
    new_pages: Mapping[str, TermPage],
) -> Surroundings:
    """All that these contents refer to in one home."""
    slugs = {slug for content in contents for slug in slugs_in(content)}
    names = {slug: related_names.get(slug, "") for slug in slugs}
    categories = {content.get("category") for content in contents} - {None, ""}
    tags = {tag for content in contents for tag in content.get("tags") or ()}
    return Surroundings(
        find_related_terms(home, names, new_pages) if names or new_pages else {},
        find_categories(
            home.locale_id, {slug: category_names.get(slug, "") for slug in categories}
        )
        if categories
        else {},
        find_tags(sorted(tags)) if tags else {},
    )
