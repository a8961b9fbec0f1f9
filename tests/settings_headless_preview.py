"""The test site with wagtail_headless_preview, which keeps what is not saved."""

from __future__ import annotations

from .settings import *  # noqa: F403
from .settings import INSTALLED_APPS


INSTALLED_APPS = [*INSTALLED_APPS, "wagtail_headless_preview"]
WAGTAIL_HEADLESS_PREVIEW = {"CLIENT_URLS": {"default": "https://front.example/"}}
