"""Querysets of the glossary's models."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast
from wagtail.log_actions import log
from wagtail.models import PageManager
from wagtail.query import PageQuerySet


if TYPE_CHECKING:
    from .models import GlossaryPage, RelatedTerm, TermPage


# The parts that a good term has; see with_completeness().
COMPLETE_PARTS = 6


class TermPageQuerySet(PageQuerySet):
    def in_glossary(self, glossary: GlossaryPage) -> Self:
        """The terms of one glossary."""
        return self.child_of(glossary)

    def visible(self) -> Self:
        """The terms that anyone may see: live, and neither they nor a page above
        them are restricted. The one place where visibility is decided."""
        return self.live().public()

    def with_link_count(self) -> Self:
        """Adds ``link_count``: how many related terms each one links to."""
        return self.annotate(link_count=Count("related_terms", distinct=True))

    def with_completeness(self) -> Self:
        """Adds ``completeness``: how many of the parts that a good term has are there:
        short definition, category, explanation, comparisons, questions and related
        terms."""
        parts: list[Any] = [
            Q(category__isnull=False),
            ~Q(short_definition=""),
            Exists(
                self.model.related_terms.rel.related_model.objects.filter(
                    term=OuterRef("pk")
                )
            ),
        ]
        streams = ("explanation", "comparisons", "faq")
        texts = {
            f"{name}_text": Cast(name, output_field=models.TextField())
            for name in streams
        }
        parts += [~Q(**{f"{name}_text__in": ["", "[]"]}) for name in streams]
        total = sum(
            (Case(When(part, then=1), default=0) for part in parts), start=Value(0)
        )
        return self.alias(**texts).annotate(completeness=total)


TermPageManager = PageManager.from_queryset(TermPageQuerySet)


class CategoryQuerySet(QuerySet):
    def with_term_count(self, terms: QuerySet[TermPage] | None = None) -> Self:
        """Adds ``term_count``: how many of these terms, or of all, are in each."""
        counted = Q() if terms is None else Q(terms__in=terms)
        return self.annotate(term_count=Count("terms", filter=counted, distinct=True))


CategoryManager = models.Manager.from_queryset(CategoryQuerySet)


class RelatedTermQuerySet(QuerySet):
    def with_page(self) -> Self:
        """Those whose term can be read: it has a page, and that page is live."""
        return self.filter(page__live=True)

    def wanted(self) -> Self:
        """Those still without a live page, like a wiki's red links."""
        return self.exclude(page__live=True)

    def with_wanted_by(self) -> Self:
        """Adds ``wanted_by``: how many terms link to each one."""
        return self.annotate(wanted_by=Count("links", distinct=True))

    def most_wanted(self) -> Self:
        """Those without a live page first, most linked to first."""
        live = Case(When(page__live=True, then=True), default=False)
        return (
            self.with_wanted_by()
            .annotate(has_live_page=live)
            .order_by("has_live_page", "-wanted_by", "name", "pk")
        )

    def strays(
        self, pks: Collection[int], glossary_id: int, locale_id: int
    ) -> dict[int, RelatedTerm]:
        """Those that another glossary or language knows, by their ids."""
        if not pks:
            return {}
        home = Q(glossary_id=glossary_id, locale_id=locale_id)
        return self.filter(pk__in=pks).exclude(home).in_bulk()

    def at_home(
        self, stray: RelatedTerm, glossary_id: int, locale_id: int
    ) -> RelatedTerm:
        """The one that this glossary and language know by the stray's slug."""
        found, _created = self.get_or_create(
            glossary_id=glossary_id,
            locale_id=locale_id,
            slug=stray.slug,
            defaults={"name": stray.name},
        )
        return found

    def follow(self, page: TermPage, *, former_title: str | None = None) -> None:
        """Make the related terms agree with where a page stands and what it is called.

        Every page has one, so that others can be related to it. A page that was renamed
        keeps everything that points at it. One that has moved away leaves its name
        behind, wanted again.
        """
        home = {"glossary_id": page.get_parent().pk, "locale_id": page.locale_id}
        for left_behind in self.filter(page=page).exclude(**home):
            left_behind.save()  # which finds that it has no page any more
        namesake = self.filter(**home, slug=page.slug).first()
        for known in self.filter(page=page).exclude(slug=page.slug):
            if namesake is None:
                known.slug = page.slug
                known.save()
                namesake = known
                log(instance=known, action="glossary.follow_page")
            else:
                known.hand_over_to(namesake)
                log(instance=known, action="glossary.hand_over")
        if namesake is None:
            namesake = self.create(**home, slug=page.slug, name=page.title)
        if former_title not in (None, page.title) and namesake.name == former_title:
            namesake.name = page.title
            namesake.save()
        elif namesake.page_id != page.pk:
            namesake.save()


RelatedTermManager = models.Manager.from_queryset(RelatedTermQuerySet)
