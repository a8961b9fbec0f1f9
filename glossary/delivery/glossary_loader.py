"""Glossaries, and what they are sorted by: categories, related terms and letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from ..alphabet import letters, sort_key
from ..models import (
    Category,
    CategoryCount,
    GlossaryPage,
    LetterCount,
    Mention,
    RelatedTerm,
    TermLink,
)
from ..visibility import linked_targets
from .documents import (
    GlossaryCategory,
    GlossaryDocument,
    GlossaryLetter,
    GlossaryRelatedTerm,
    RichTextFormat,
)
from .links import Links
from .prose import write_prose
from .public_pages import PublicPages, in_utc, own_columns, page_type, visible
from .scope import Scope, ScopeGlossary


OTHER = "#"

_COLUMNS = (
    *("pk", "content_type", "slug", "title", "translation_key"),
    *("first_published_at", "last_published_at", "locale__language_code"),
    *("introduction", "feature_base_url", "licence_url"),
)


def load_glossaries(
    scope: Scope,
    links: Links,
    *,
    rich_text: RichTextFormat = "html",
    glossaries: Sequence[ScopeGlossary] | None = None,
) -> list[GlossaryDocument]:
    """These glossaries of the scope, or all of them, in their order."""
    wanted = scope.glossaries if glossaries is None else glossaries
    pages = PublicPages(scope)
    columns = (*_COLUMNS, *own_columns("seo_title", "search_description"))
    found = GlossaryPage.objects.filter(visible(scope.roots), pk__in=_pks(wanted))
    rows = {row["pk"]: row for row in found.order_by().values(*columns)}
    targets = {
        target
        for row in rows.values()
        for target in linked_targets(row["introduction"])
    }
    pages.load({pk for kind, pk in targets if kind == "page"})
    addresses = pages.addresses(targets)
    counts = _count_terms(rows)
    return [
        {
            "id": row["pk"],
            "meta": {
                "type": page_type(row["content_type"])[0],
                "detail_url": links.glossary(row["pk"]),
                "html_url": glossary.url,
                "slug": row["slug"],
                "seo_title": row.get("seo_title", ""),
                "search_description": row.get("search_description", ""),
                "first_published_at": in_utc(row["first_published_at"]),
                "last_published_at": in_utc(row["last_published_at"]),
                "locale": row["locale__language_code"],
                "translation_key": row["translation_key"],
            },
            "title": row["title"],
            "introduction": write_prose(row["introduction"], rich_text, addresses),
            "feature_base_url": row["feature_base_url"],
            "licence_url": row["licence_url"],
            "term_count": counts[row["pk"]],
        }
        for glossary in wanted
        if (row := rows.get(glossary.pk))
    ]


def load_categories(
    scope: Scope,
    links: Links,
    glossaries: Sequence[ScopeGlossary] | None = None,
    slugs: Collection[str] | None = None,
) -> list[GlossaryCategory]:
    """The categories with public terms in these glossaries (by default all of the
    scope), or those of these slugs, in the order that editors gave them."""
    wanted = scope.glossaries if glossaries is None else glossaries
    counted = CategoryCount.objects.filter(glossary__in=_pks(wanted), terms__gt=0)
    if slugs is not None:
        counted = counted.filter(category__slug__in=slugs)
    counts = dict(
        counted.values_list("category").annotate(count=Sum("terms")).order_by()
    )
    rows = (
        Category.objects.filter(pk__in=counts)
        .order_by("sort_order", "name", "pk")
        .values_list("pk", "name", "slug", "description", "locale__language_code")
    )
    return [
        {
            "id": pk,
            "meta": {"type": "glossary.Category", "detail_url": links.category(slug)},
            "name": name,
            "slug": slug,
            "description": description,
            "locale": locale,
            "term_count": counts[pk],
        }
        for pk, name, slug, description, locale in rows
    ]


def load_related_terms(
    scope: Scope,
    glossaries: Sequence[ScopeGlossary],
    *,
    wanted: bool | None = None,
    q: str = "",
    limit: int,
    offset: int = 0,
) -> tuple[list[GlossaryRelatedTerm], int]:
    """The names that these glossaries know, most linked to first, and how many there
    are: only those whose page is ``wanted`` or only those with one, and that begin
    with ``q``. A name whose page is hidden is not among them, nor one without a page
    that no public term points at."""
    known = _known(scope, _pks(glossaries), wanted)
    if q:
        known = known.filter(name__istartswith=q)
    ordered = known.order_by("-wanted_by", "name", "pk")[offset : offset + limit]
    return _related_terms(ordered, scope), known.count()


def load_related_terms_by_id(
    pks: Collection[int], scope: Scope
) -> list[GlossaryRelatedTerm]:
    """The names of these ids that the glossaries of the scope know, in no order."""
    known = _known(scope, _pks(scope.glossaries))
    return _related_terms(known.filter(pk__in=pks).order_by(), scope)


def _known(
    scope: Scope, glossaries: Collection[int], wanted: bool | None = None
) -> QuerySet[RelatedTerm]:
    """The names that these glossaries know, without those whose page is hidden and
    those that only hidden terms point at; each with ``wanted_by``: how many public
    terms of the site link to it."""
    site = _pks(scope.glossaries)
    mentions = Mention.objects.filter(
        target_type=Mention.Target.RELATED_TERM,
        target_id=OuterRef("pk"),
        public_term__glossary__in=site,
    ).order_by()
    is_wanted = Q(page__isnull=True) & Exists(mentions)
    has_public_page = Q(page__public_term__glossary__in=site)
    choice = {
        None: is_wanted | has_public_page,
        True: is_wanted,
        False: has_public_page,
    }[wanted]
    linking = (
        mentions.filter(kind__in=TermLink.Kind.values)
        .values("target_id")
        .annotate(count=Count("public_term"))
        .values("count")
    )
    return RelatedTerm.objects.filter(choice, glossary__in=glossaries).annotate(
        wanted_by=Coalesce(Subquery(linking), 0)
    )


def _related_terms(
    known: QuerySet[RelatedTerm], scope: Scope
) -> list[GlossaryRelatedTerm]:
    rows = known.values_list(
        *("pk", "slug", "name", "page", "glossary"),
        *("locale__language_code", "wanted_by"),
    )
    pages = PublicPages(scope)
    pages.load({page for _pk, _slug, _name, page, *_rest in rows if page})
    return [
        {
            "id": pk,
            "meta": {
                "type": "glossary.RelatedTerm",
                "locale": locale,
                "glossary": glossary,
            },
            "slug": slug,
            "name": name,
            "url": reference["url"],
            "wanted_by": wanted_by,
        }
        for pk, slug, name, page, glossary, locale, wanted_by in rows
        if (reference := pages.reference(pk, slug, name, page, glossary))
    ]


def load_letters(
    scope: Scope, glossaries: Sequence[ScopeGlossary] | None = None
) -> list[GlossaryLetter]:
    """The alphabets of these glossaries (by default all of the scope), with the
    letters that occur besides, and ``#`` last if anything stands there."""
    wanted = scope.glossaries if glossaries is None else glossaries
    terms: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    rows = LetterCount.objects.filter(glossary__in=_pks(wanted))
    for letter, with_terms, with_labels in rows.values_list(
        "letter", "terms", "labels"
    ):
        terms[letter] += with_terms
        labels[letter] += with_labels
    languages = list(dict.fromkeys(glossary.locale for glossary in wanted))
    own = [letter for language in languages for letter in letters(language)]
    others = {letter for letter in terms if terms[letter] or labels[letter]}
    others -= {*own}
    ordered = sorted(
        others, key=lambda letter: (letter == OTHER, sort_key(letter, languages[0]))
    )
    return [
        {"letter": letter, "terms": terms[letter], "labels": labels[letter]}
        for letter in dict.fromkeys((*own, *ordered))
    ]


def _count_terms(glossaries: Collection[int]) -> Counter[int]:
    """How many public terms each of the glossaries has."""
    rows = LetterCount.objects.filter(glossary__in=glossaries).order_by()
    return Counter(dict(rows.values_list("glossary").annotate(count=Sum("terms"))))


def _pks(glossaries: Sequence[ScopeGlossary]) -> list[int]:
    return [glossary.pk for glossary in glossaries]
