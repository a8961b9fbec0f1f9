from __future__ import annotations

from urllib.parse import urlsplit

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.conf.urls.static import static
from django.urls import include, path
from django.views.generic import TemplateView
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v2.views import PagesAPIViewSet
from wagtail.api.v3.urls import api as api_v3
from wagtail.contrib.sitemaps.views import index, sitemap
from wagtail.documents import urls as wagtaildocs_urls
from wagtail.utils.urlpatterns import decorate_urlpatterns

from glossary.api.urls import api as glossary_api
from glossary.api.v2 import CategoriesAPIViewSet, TermsAPIViewSet
from glossary.site.sitemaps import GlossarySitemap, WithoutTerms


# Wagtail's admin still writes scripts and styles into its pages, and shows pictures
# and embedded media that come from elsewhere. Only signed-in editors get this policy.
# A front end that shows drafts stands in a frame, too.
front_end = urlsplit(settings.GLOSSARY_PREVIEW_URL or "")
relax_policy = csp_update(
    {
        "script-src": [UNSAFE_INLINE],
        "style-src": [UNSAFE_INLINE],
        "img-src": ["blob:", "https:"],
        "frame-src": [
            "https:",
            *([f"{front_end.scheme}://{front_end.netloc}"] if front_end.netloc else []),
        ],
        "worker-src": [SELF, "blob:"],
    }
)

# "terms" stands before "pages", so that the addresses of terms lead to it.
api_router = WagtailAPIRouter("wagtailapi_v2")
api_router.register_endpoint("terms", TermsAPIViewSet)
api_router.register_endpoint("categories", CategoriesAPIViewSet)
api_router.register_endpoint("pages", PagesAPIViewSet)

sitemaps = {"pages": WithoutTerms, "glossaries": GlossarySitemap}

urlpatterns = [
    path(
        "admin/",
        include(decorate_urlpatterns(wagtailadmin_urls.urlpatterns, relax_policy)),
    ),
    path("documents/", include(wagtaildocs_urls)),
    path("sitemap.xml", index, {"sitemaps": sitemaps, "sitemap_url_name": "sitemap"}),
    path("sitemap-<section>.xml", sitemap, {"sitemaps": sitemaps}, name="sitemap"),
    path(
        "robots.txt",
        TemplateView.as_view(template_name="robots.txt", content_type="text/plain"),
    ),
    path("api/v2/", api_router.urls),
    path("api/v3/", api_v3.urls),
    path("api/glossary/v1/", glossary_api.urls),
    # Nothing outside DEBUG: the web server in front has the editors' files then.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
    # The files of pages, such as index.md, before Wagtail's pages, which have no dot.
    path("", include("glossary.site.urls")),
    # Last: it takes every address that is left.
    path("", include(wagtail_urls)),
]
