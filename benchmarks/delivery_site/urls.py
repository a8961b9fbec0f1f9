from __future__ import annotations

from django.urls import path

from benchmarks.plain_pages.views import plain_page
from site_project.urls import urlpatterns as urlpatterns_of_site

from . import views


urlpatterns = [
    path("benchmark/rows/<slug:slug>/", views.stored_row),
    path("benchmark/worker/", views.worker),
    path("benchmark/plain/<path:path>", plain_page),
    *urlpatterns_of_site,
]
