from __future__ import annotations

from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v2.views import PagesAPIViewSet
from wagtail.api.v3.urls import api as api_v3
from wagtail.contrib.sitemaps.views import sitemap
from wagtail.documents import urls as wagtaildocs_urls

from glossary.api.urls import api as glossary_api
from glossary.api.v2 import CategoriesAPIViewSet, TermsAPIViewSet


# "terms" stands before "pages", so that the addresses of terms lead to it.
api_router = WagtailAPIRouter("wagtailapi_v2")
api_router.register_endpoint("terms", TermsAPIViewSet)
api_router.register_endpoint("categories", CategoriesAPIViewSet)
api_router.register_endpoint("pages", PagesAPIViewSet)

urlpatterns = [
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("sitemap.xml", sitemap),
    path("api/v2/", api_router.urls),
    path("api/v3/", api_v3.urls),
    path("api/glossary/v1/", glossary_api.urls),
    path("", include("glossary.site.urls")),
    path("", include(wagtail_urls)),
]
