"""What a site may make of the glossary: its own types of glossary and of term."""

from __future__ import annotations

from django.db import models
from wagtail.admin.panels import FieldPanel
from wagtail.api import APIField
from wagtail.search import index

from glossary.models import GlossaryPage, TermPage


class CourseTermPage(TermPage):
    level = models.CharField(max_length=32, blank=True)

    content_panels = [*TermPage.content_panels, FieldPanel("level")]
    search_fields = [*TermPage.search_fields, index.SearchField("level")]
    api_fields = [*TermPage.api_fields, APIField("level", writable=True)]

    class Meta:
        verbose_name = "course term"


class CoursePage(GlossaryPage):
    """A glossary of course terms alone."""

    subject = models.CharField(max_length=64, blank=True)

    subpage_types = ["extension.CourseTermPage"]

    content_panels = [*GlossaryPage.content_panels, FieldPanel("subject")]
    api_fields = [*GlossaryPage.api_fields, APIField("subject", writable=True)]

    class Meta:
        verbose_name = "course"
