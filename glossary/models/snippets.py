from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.api import APIField
from wagtail.models import Locale, TranslatableMixin
from wagtail.search import index

from ..managers import CategoryManager, RelatedTermManager
from ..serializers import LocaleField
from ..signals import terms_written


if TYPE_CHECKING:
    from .pages import TermPage


class Category(TranslatableMixin, index.Indexed, models.Model):
    name = models.CharField(verbose_name=_("name"), max_length=255)
    slug = models.SlugField(
        verbose_name=_("slug"),
        max_length=255,
        allow_unicode=True,
        blank=True,
        help_text=_("The name in addresses; left empty, it is made from the name."),
    )
    description = models.TextField(
        verbose_name=_("description"),
        blank=True,
        help_text=_("One or two sentences: what the terms have in common."),
    )
    sort_order = models.IntegerField(
        verbose_name=_("sort order"), null=True, blank=True, editable=False
    )

    objects = CategoryManager()

    panels = [FieldPanel("name"), FieldPanel("slug"), FieldPanel("description")]

    search_fields = [
        index.SearchField("name", boost=2),
        index.AutocompleteField("name"),
        index.SearchField("description"),
        index.FilterField("id"),
        index.FilterField("slug"),
        index.FilterField("locale"),
    ]

    api_fields = [
        APIField("name", writable=True),
        APIField("slug", writable=True),
        APIField("description", writable=True),
        APIField("locale", serializer=LocaleField()),
    ]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["sort_order", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["slug", "locale"],
                name="glossary_category_slug_unique",
                violation_error_message=_(
                    "There is already a category with this slug in this language."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.locale_id is None:  # Wagtail sets it when it saves, which is later
            self.locale = self.get_default_locale()
        if not self.slug:
            self.slug = slugify(self.name, allow_unicode=True)
        if not self.slug:
            raise ValidationError({"slug": _("Write a slug: the name gives none.")})

    def validate_constraints(self, exclude: set[str] | None = None) -> None:
        # A form has no language and may leave the slug empty; either would leave the
        # constraint unchecked.
        filled_in = {"locale", "slug"}
        super().validate_constraints(exclude=(exclude or set()) - filled_in)

    @transaction.atomic  # with what its signals write
    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.slug:
            self.slug = slugify(self.name, allow_unicode=True)
        if self.sort_order is None:
            # Dragging in the listing swaps neighbours: no two may be equal.
            last = Category.objects.aggregate(last=models.Max("sort_order"))["last"]
            self.sort_order = 0 if last is None else last + 1
        super().save(*args, **kwargs)


class RelatedTerm(index.Indexed, models.Model):
    """One name that a glossary knows, whether or not it has a page yet.

    Terms point at related terms, never at each other's pages: so a link can be made
    before the page is written, and outlives its renaming and deletion.
    """

    glossary = models.ForeignKey(
        "glossary.GlossaryPage",
        verbose_name=_("glossary"),
        on_delete=models.CASCADE,
        related_name="related_terms",
    )
    locale = models.ForeignKey(
        Locale,
        verbose_name=_("language"),
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    name = models.CharField(verbose_name=_("name"), max_length=255)
    slug = models.SlugField(
        verbose_name=_("slug"),
        max_length=255,
        allow_unicode=True,
        blank=True,
        help_text=_(
            "A page with this slug in the glossary becomes the page of this term. "
            "Left empty, it is made from the name."
        ),
    )
    page = models.ForeignKey(
        "glossary.TermPage",
        verbose_name=_("page"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="known_as",
    )

    objects = RelatedTermManager()

    panels = [FieldPanel("glossary"), FieldPanel("name"), FieldPanel("slug")]

    search_fields = [
        index.SearchField("name", boost=2),
        index.AutocompleteField("name"),
        index.SearchField("slug"),
        index.FilterField("slug"),
        index.FilterField("glossary"),
        index.FilterField("locale"),
    ]

    api_fields = [
        APIField("glossary", writable=True),
        APIField("name", writable=True),
        APIField("slug", writable=True),
        APIField("locale", serializer=LocaleField()),
    ]

    class Meta:
        verbose_name = _("related term")
        verbose_name_plural = _("related terms")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["glossary", "locale", "slug"],
                name="glossary_relatedterm_slug_unique",
                violation_error_message=_(
                    "The glossary already knows a term with this slug: choose it "
                    "instead, or write another slug."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_wanted(self) -> bool:
        """Whether its page is still to be written or published."""
        return self.page is None or not self.page.live

    @cached_property
    def public_page(self) -> TermPage | None:
        """Its page if anyone may see it. ``delivery.references`` sets this for many
        at once."""
        if self.page_id is None:
            return None
        return type(self.page).objects.visible().filter(pk=self.page_id).first()

    def clean(self) -> None:
        super().clean()
        self._fill_in()
        if not self.slug:
            raise ValidationError({"slug": _("Write a slug: the name gives none.")})

    def validate_constraints(self, exclude: set[str] | None = None) -> None:
        # A form has no language and may leave the slug empty; either would leave the
        # constraint unchecked.
        filled_in = {"locale", "slug"}
        super().validate_constraints(exclude=(exclude or set()) - filled_in)

    @transaction.atomic  # with what its signals write
    def save(self, *args: Any, **kwargs: Any) -> None:
        self._fill_in()
        self.page = self._page_of_slug()
        super().save(*args, **kwargs)

    @transaction.atomic
    def hand_over_to(self, namesake: RelatedTerm) -> None:
        """Let every link that points here point at the namesake, and no term twice."""
        from .pages import TermPage

        linking = list(self.links.values_list("term_id", flat=True))
        doubled = namesake.links.values("term_id")
        self.links.filter(term_id__in=doubled).delete()
        self.links.update(related_term=namesake)
        self.page = None
        super().save(update_fields=["page"])
        terms_written.send(sender=TermPage, pks=linking)

    def _fill_in(self) -> None:
        if not self.slug:
            self.slug = slugify(self.name, allow_unicode=True)
        if self.locale_id is None and self.glossary_id is not None:
            self.locale = self.glossary.locale

    def _page_of_slug(self) -> TermPage | None:
        from .pages import TermPage

        return (
            TermPage.objects.in_glossary(self.glossary)
            .filter(slug=self.slug, locale=self.locale_id)
            .first()
        )
