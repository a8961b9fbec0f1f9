from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page
from wagtail.search import index

from glossary.models import Category, GlossaryPage


NEWEST = 6


class HomePage(Page):
    """The way into the glossaries of the site."""

    introduction = RichTextField(
        verbose_name=_("introduction"),
        blank=True,
        features=["bold", "italic", "link"],
    )

    content_panels = [*Page.content_panels, FieldPanel("introduction")]

    search_fields = [*Page.search_fields, index.SearchField("introduction")]

    class Meta:
        verbose_name = _("home page")
        verbose_name_plural = _("home pages")

    def get_context(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        context["glossaries"] = [*self._glossaries()] if self.path else []
        return context

    def _glossaries(self) -> Iterator[dict[str, Any]]:
        """Each public glossary with its newest terms and its categories."""
        for glossary in GlossaryPage.objects.descendant_of(self).live().public():
            terms = glossary.terms.visible()
            yield {
                "page": glossary,
                "count": terms.count(),
                "newest": terms.order_by("-first_published_at", "title")[:NEWEST],
                "categories": Category.objects.with_term_count(terms)
                .filter(term_count__gt=0)
                .order_by("sort_order", "name"),
            }
