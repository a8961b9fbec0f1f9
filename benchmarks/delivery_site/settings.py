"""The demo site in production, with views to compare with: what ``delivery`` and
``pages`` measure.

=========================  =========================================================
GLOSSARY_BENCHMARK_WARM    1: answers are kept; otherwise each is made anew
GLOSSARY_BENCHMARK_COUNT   1: a header of each answer says how many queries it took
=========================  =========================================================
"""

from __future__ import annotations

import os

from site_project.settings import *  # noqa: F403
from site_project.settings import INSTALLED_APPS, MIDDLEWARE, STORAGES


ROOT_URLCONF = "benchmarks.delivery_site.urls"
INSTALLED_APPS = [
    "benchmarks.delivery_site",
    "benchmarks.plain_pages",
    *INSTALLED_APPS,
]
if os.environ.get("GLOSSARY_BENCHMARK_COUNT") == "1":
    MIDDLEWARE = ["benchmarks.delivery_site.views.count_queries", *MIDDLEWARE]

# Nobody has collected static files.
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}

# Whatever is asked for has to have its place: some 10,000 details and 500 lists.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
GLOSSARY_API_CACHE = GLOSSARY_PAGE_CACHE = (
    "default" if os.environ.get("GLOSSARY_BENCHMARK_WARM") == "1" else None
)
# No page becomes old while it is measured.
GLOSSARY_PAGE_SECONDS = 10**9
# One client asks for more than any site would let it.
GLOSSARY_API_RATES = None
