"""The wheel holds the app and nothing else, and a site stands on it alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest


pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "glossary")

SETTINGS = """
SECRET_KEY = "only for this test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site_urls"
STATIC_URL = "/static/"
WAGTAIL_SITE_NAME = "A site"
WAGTAILADMIN_BASE_URL = "https://example.com"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = [
    "glossary", "wagtail.users", "wagtail.sites", "wagtail.snippets",
    "wagtail.documents", "wagtail.images", "wagtail.search", "wagtail.admin", "wagtail",
    "modelcluster", "taggit", "django.contrib.auth", "django.contrib.contenttypes",
]
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates",
     "DIRS": ["templates"], "APP_DIRS": True},
]
"""
BASE = """
<!doctype html>
<title>{% block title %}{% endblock %}</title>
{% block extra_css %}{% endblock %}
{% block content %}{% endblock %}
"""
URLS = """
from django.urls import include, path

urlpatterns = [path("", include("wagtail.urls"))]
"""
VISIT = """
import django

django.setup()

from django.core.management import call_command
from django.test import Client
from wagtail.models import Site

import glossary
from glossary.models import GlossaryPage, TermPage

call_command("migrate", verbosity=0)
home = Site.objects.get().root_page
index = home.add_child(instance=GlossaryPage(title="Glossary", slug="glossary"))
term = TermPage(title="Term", slug="term", short_definition="A word of a trade.")
index.add_child(instance=term)
response = Client().get("/glossary/term/")
print(glossary.__file__, response.status_code, response.content.decode())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, made from a copy of what it needs: building litters its folder."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (REPOSITORY / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / name, source / name, ignore=ignored)
        else:
            shutil.copy(REPOSITORY / name, source / name)
    target = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    run([*build, "--outdir", target, source], cwd=source)
    [wheel] = target.iterdir()
    return wheel


def run(command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_holds_the_app_and_nothing_else(wheel):
    package = REPOSITORY / "glossary"
    expected = {
        path.relative_to(REPOSITORY).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name for name in names if ".dist-info/" not in name} == expected


def test_site_serves_a_term_from_the_wheel(wheel, tmp_path):
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "-q", "install"]
    run([*pip, "--no-index", "--no-deps", "--disable-pip-version-check", wheel])
    # What the app stands on comes from here, so that nothing is fetched.
    installed = sysconfig.get_path("purelib", vars={"base": environment})
    Path(installed, "dependencies.pth").write_text(sysconfig.get_path("purelib"))

    site = tmp_path / "site"
    (site / "templates").mkdir(parents=True)
    (site / "templates" / "base.html").write_text(BASE)
    (site / "site_settings.py").write_text(SETTINGS)
    (site / "site_urls.py").write_text(URLS)
    (site / "visit.py").write_text(VISIT)
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    output = run(
        [python, "visit.py"],
        cwd=site,
        env={**variables, "DJANGO_SETTINGS_MODULE": "site_settings"},
    )
    origin, status, body = output.split(maxsplit=2)
    assert Path(origin).is_relative_to(environment)
    assert status == "200"
    assert "A word of a trade." in body
