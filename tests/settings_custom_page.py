"""The test site with a base page of its own, which has neither SEO fields nor a place
in menus."""

from __future__ import annotations

from .settings import *  # noqa: F403
from .settings import INSTALLED_APPS


INSTALLED_APPS = [*INSTALLED_APPS, "tests.custom_page"]
WAGTAIL_PAGE_MODEL = "custom_page.BasePage"
