from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page
from wagtail.search import index

from glossary.models import GlossaryPage
from glossary.site_blocks import (
    CategoryTermsBlock,
    GlossarySearchBlock,
    LettersBlock,
    TermCardBlock,
)


class HomePage(Page):
    """The way into the glossaries of the site."""

    introduction = RichTextField(
        verbose_name=_("introduction"),
        blank=True,
        features=["bold", "italic", "link"],
    )

    body = StreamField(
        [
            ("paragraph", blocks.RichTextBlock(features=["bold", "italic", "link"])),
            ("term", TermCardBlock()),
            ("category", CategoryTermsBlock()),
            ("search", GlossarySearchBlock()),
            ("letters", LettersBlock()),
        ],
        verbose_name=_("body"),
        blank=True,
    )

    content_panels = [
        *Page.content_panels,
        FieldPanel("introduction"),
        FieldPanel("body"),
    ]

    search_fields = [*Page.search_fields, index.SearchField("introduction")]

    class Meta:
        verbose_name = _("home page")
        verbose_name_plural = _("home pages")

    def get_context(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        context["glossaries"] = (
            GlossaryPage.objects.descendant_of(self).live().public()
            if self.path
            else []
        )
        return context
