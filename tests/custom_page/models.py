"""A site's own base page: no SEO fields, no place in menus, a field of its own."""

from __future__ import annotations

from django.db import models
from wagtail.models import AbstractPage


class BasePage(AbstractPage):
    audience = models.CharField(max_length=64, blank=True)

    promote_panels = [*AbstractPage.promote_panels, "audience"]
