"""The demo site as its visitors and operators meet it, in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


pytestmark = pytest.mark.slow


REPOSITORY = Path(__file__).resolve().parent.parent

VISIT = """
import django; django.setup()
from django.test import Client
from glossary.models import TermPage
client = Client(headers={"host": "127.0.0.1"})
for path in ["/", "/glossary/", "/glossary/token/", "/sitemap.xml",
             "/sitemap-pages.xml", "/sitemap-glossaries.xml", "/robots.txt",
             "/api/v2/terms/",
             "/api/v3/docs/", "/api/v3/openapi.json", "/admin/login/"]:
    response = client.get(path)
    print(path, response.status_code, response.headers["Content-Security-Policy"])
print(client.get("/robots.txt").content.decode().split()[-1])
print("terms", TermPage.objects.live().count())
"""


def run(
    *arguments: str, status: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in the repository with only this environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={**kept, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_it_does_not_start_without_a_secret_key() -> None:
    done = run("manage.py", "check", status=1)
    assert "Set SECRET_KEY in the environment" in done.stderr


def test_a_production_site_passes_djangos_deployment_check() -> None:
    run(
        "manage.py",
        "check",
        "--deploy",
        "--fail-level=WARNING",
        SECRET_KEY="k" * 30 + "0123456789abcdefghijklmnopqrst",
        ALLOWED_HOSTS="glossary.example",
    )


def test_the_demo_account_is_not_made_in_production(tmp_path: Path) -> None:
    environment = {
        "SECRET_KEY": "secret",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
    }
    done = run("manage.py", "load_demo", status=1, **environment)
    assert "only made while DEBUG is on" in done.stderr


@pytest.mark.slow
def test_the_demo_is_made_once_and_is_whole(tmp_path: Path) -> None:
    environment = {
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "WAGTAILADMIN_BASE_URL": "http://127.0.0.1:8000",
    }
    run("manage.py", "migrate", "-v0", **environment)
    first = run("manage.py", "load_demo", **environment).stdout
    assert "36 terms: 36 new" in first
    assert "failed" not in first
    assert "conflict" not in first
    second = run("manage.py", "load_demo", **environment).stdout
    assert second.splitlines() == [first.splitlines()[-1]]
    assert "as “editor” with the password “glossary”" in second

    environment["DJANGO_SETTINGS_MODULE"] = "site_project.settings"
    visited = run("-c", VISIT, **environment).stdout.splitlines()
    *pages, sitemap, terms = visited
    assert terms == "terms 36"
    assert sitemap == "http://127.0.0.1/sitemap.xml"
    for line in pages:
        path, status, policy = line.split(" ", 2)
        assert status == "200", line
        if not path.startswith(("/admin/", "/api/v3/docs/")):
            assert "unsafe" not in policy, line
            assert "script-src 'self'" in policy, line


ASK_FROM_ELSEWHERE = """
import django; django.setup()
from django.test import Client
client = Client(headers={"host": "127.0.0.1", "origin": "https://front.example"})
wanted = {"access-control-request-method": "GET",
          "access-control-request-headers": "if-none-match"}
for response in [client.options("/api/v2/terms/", headers=wanted),
                 client.get("/api/v3/openapi.json"),
                 client.options("/admin/", headers=wanted)]:
    for name in ["Origin", "Methods", "Headers", "Credentials"]:
        print(response.headers.get(f"Access-Control-Allow-{name}"), end=" | ")
    print(response.headers.get("Access-Control-Expose-Headers"))
"""


def test_front_ends_elsewhere_may_read_the_apis_and_nothing_else() -> None:
    environment = {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "site_project.settings"}
    asked = run("-c", ASK_FROM_ELSEWHERE, **environment).stdout.splitlines()
    preflight, answer, admin = [line.split(" | ") for line in asked]
    assert preflight[:2] == ["*", "GET, HEAD, OPTIONS"]
    assert "if-none-match" in preflight[2]
    assert answer[0] == "*"
    assert {"ETag", "Link", "Retry-After"} <= set(answer[4].split(", "))
    assert {preflight[3], answer[3]} == {"None"}  # no cookies
    assert set(admin) == {"None"}
