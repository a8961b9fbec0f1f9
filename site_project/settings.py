"""Settings of the demo site, from the environment.

Without any they are a production site's, which needs a ``SECRET_KEY``; ``DEBUG=1``
makes them a developer's.

=====================  =============================================================
DEBUG                  show errors to visitors, need no secrets: never in production
SECRET_KEY             needed unless DEBUG is on
ALLOWED_HOSTS          names of the site's hosts, separated by commas
CSRF_TRUSTED_ORIGINS   other origins that may post, separated by commas
DATABASE_URL           ``postgresql://...``; by default SQLite in ``db.sqlite3``
CACHE_URL              ``redis://...`` (needs the package redis), ``db://table``,
                       ``file:///folder``; by default ``locmem://``, which each process
                       has to itself
MEDIA_ROOT             folder of the files that editors upload; by default ``media``
WAGTAILADMIN_BASE_URL  where editors find the site, for links in mails
HTTPS                  0 where no visitor comes over HTTPS, such as on one's own machine
HSTS_SECONDS           how long browsers insist on HTTPS; by default a year
TRUST_PROXY            1 behind a proxy that sets ``X-Forwarded-Proto`` and
                       ``X-Forwarded-For`` itself
PREVIEW_URL            where a front end shows drafts, with ``%(token)s`` in it
=====================  =============================================================
"""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url
import django_cache_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _


def flag(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").lower()
    return value in {"1", "true", "yes", "on"} if value else default


def words(name: str, default: str = "") -> list[str]:
    return [*filter(None, map(str.strip, os.environ.get(name, default).split(",")))]


BASE_DIR = Path(__file__).resolve().parent.parent
YEAR_SECONDS = 365 * 24 * 60 * 60

DEBUG = flag("DEBUG", default=False)
HTTPS = flag("HTTPS", default=not DEBUG)

SECRET_KEY = os.environ.get("SECRET_KEY", "only for development" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "Set SECRET_KEY in the environment to a long random text that stays the same, "
        "or DEBUG=1 on your own machine."
    )

ALLOWED_HOSTS = words("ALLOWED_HOSTS", "127.0.0.1,localhost" if DEBUG else "")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")

ROOT_URLCONF = "site_project.urls"
WSGI_APPLICATION = "site_project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The glossary stands before the Wagtail apps that describe models to the APIs in
# ready(): they have to find what it registers.
INSTALLED_APPS = [
    "site_project",
    "glossary",
    "wagtail.contrib.redirects",
    "wagtail.contrib.settings",
    "wagtail.contrib.simple_translation",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.locales",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.api.v2",
    "wagtail.api.v3",
    "wagtail",
    "modelcluster",
    "taggit",
    "ninja",
    "rest_framework",
    "django_filters",
    "csp",
    "corsheaders",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    # whitenoise stands before staticfiles so that runserver serves as production does.
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    # Wagtail's search needs it to index on PostgreSQL; elsewhere it does nothing.
    "django.contrib.postgres",
]

MIDDLEWARE = [
    # First: what answers by itself, such as a redirect to HTTPS, has its headers, too.
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Data

DATABASES = {
    "default": dj_database_url.config(
        # A writer waits for its turn from the start: begun as a reader, it would fail
        # with "database is locked" when another one had written meanwhile.
        default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}?transaction_mode=IMMEDIATE",
        conn_max_age=60,
        conn_health_checks=True,
    )
}
# Answers of the API are kept here: local memory has room for 300 by default.
CACHES = {"default": django_cache_url.config(default="locmem://?max_entries=5000")}

# Languages

LANGUAGE_CODE = "en"
LANGUAGES = WAGTAIL_CONTENT_LANGUAGES = [
    ("en", _("English")),
    ("fr", _("French")),
    ("ur", _("Urdu")),
]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
WAGTAIL_I18N_ENABLED = True

# Files

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
MEDIA_URL = "/media/"
MEDIA_ROOT = os.environ.get("MEDIA_ROOT", BASE_DIR / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Security

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = int(os.environ.get("HSTS_SECONDS", YEAR_SECONDS)) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
if flag("TRUST_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    NINJA_NUM_PROXIES = 1  # else all visitors share the rates of our API

# Editors preview pages in a frame of the admin, on the same origin.
X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = ["security.W019"]

# The public pages' policy: nothing inline, nothing from elsewhere. urls.py adds to it
# for the admin.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "base-uri": [NONE],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
        "frame-src": [SELF],
        "img-src": [SELF, "data:"],
        "manifest-src": [SELF],
        "media-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
    }
}

# Front ends on any other site may read the APIs in their visitors' browsers, as anyone
# may, without cookies. None may write there.
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_ALL_ORIGINS = True
CORS_ALLOW_METHODS = ["GET", "HEAD", "OPTIONS"]
CORS_ALLOW_HEADERS = ["accept", "authorization", "if-none-match", "if-modified-since"]
CORS_EXPOSE_HEADERS = ["ETag", "Last-Modified", "Link", "Retry-After"]

# The glossary

GLOSSARY_PREVIEW_URL = os.environ.get("PREVIEW_URL")

# Wagtail

WAGTAIL_SITE_NAME = "wagtail-glossary demo"
WAGTAILADMIN_BASE_URL = os.environ.get(
    "WAGTAILADMIN_BASE_URL",
    f"{'https' if HTTPS else 'http'}://{next(iter(ALLOWED_HOSTS), 'localhost')}",
)
# A client that reads the whole glossary needs few requests.
WAGTAILAPI_LIMIT_MAX = 100
# Neither editors' addresses nor the site's go to other people's servers.
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False

# Errors go to the standard error stream: Django's own default mails them.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
