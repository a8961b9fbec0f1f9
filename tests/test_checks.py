"""What the system checks find, and what they advise."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import ERROR, WARNING, run_checks
from django.test import override_settings
from django.utils import timezone
from django.utils.translation import gettext_lazy

from glossary.checks import (
    MAX_DAYS,
    REQUIRED_APPS,
    check_installed_apps,
    check_settings,
)
from glossary.conf import SETTINGS, payload_key


REPOSITORY = Path(__file__).resolve().parent.parent


def test_a_site_that_is_set_up_well_has_nothing_to_mend() -> None:
    assert check_installed_apps() == []
    assert check_settings() == []


def test_the_checks_run_with_django_s_own() -> None:
    with override_settings(GLOSSARY_NOPE=1):
        assert "glossary.W001" in {message.id for message in run_checks()}


@pytest.mark.parametrize("missing", REQUIRED_APPS)
def test_an_app_that_is_missing(monkeypatch: Any, missing: str) -> None:
    monkeypatch.setattr(apps, "is_installed", lambda name: name != missing)
    [message] = check_installed_apps()
    assert (message.id, message.level) == ("glossary.E001", ERROR)
    assert f"'{missing}'" in message.msg
    assert f"'{missing}'" in message.hint
    assert "INSTALLED_APPS" in message.hint


def test_the_wrong_order_of_apps(monkeypatch: Any) -> None:
    configs = list(apps.get_app_configs())
    [own] = [config for config in configs if config.name == "glossary"]
    configs.remove(own)
    monkeypatch.setattr(apps, "get_app_configs", lambda: [*configs, own])
    [message] = check_installed_apps()
    assert (message.id, message.level) == ("glossary.E002", ERROR)
    assert "before 'wagtail.snippets'" in message.hint


@pytest.mark.slow
def test_a_site_in_the_wrong_order_is_told_so_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "backward.py").write_text(
        "from tests.settings import *\nINSTALLED_APPS = INSTALLED_APPS[::-1]\n",
        encoding="utf-8",
    )
    result = subprocess.run(
        [sys.executable, "-m", "django", "check"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{tmp_path}",
            "DJANGO_SETTINGS_MODULE": "backward",
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "glossary.E002" in result.stderr
    assert "System check identified 1 issue" in result.stderr


@pytest.mark.parametrize(
    "kinds",
    [
        [],
        (),
        [("history", "History")],
        (["further_reading", "Further reading"],),
        [("explanation", "What it is")],
        [("part_2", gettext_lazy("Part two"))],
    ],
)
def test_kinds_of_section_as_they_should_be(kinds: Any) -> None:
    with override_settings(GLOSSARY_SECTION_KINDS=kinds):
        assert check_settings() == []


@pytest.mark.parametrize(
    "kinds",
    [
        "history",
        None,
        {"history": "History"},
        {("history", "History")},
        iter([("history", "History")]),
        ["history"],
        ["ab"],
        ["it"],
        [("history",)],
        [("history", "History", "more")],
        [("History", "History")],
        [("his tory", "History")],
        [("2nd", "Second")],
        [("é", "E")],
        [("", "Nothing")],
        [(1, "One")],
        [("history", None)],
        [("history", 5)],
        [("history", "")],
        [("history", "History"), ("history", "Past")],
        [None],
    ],
)
def test_kinds_of_section_that_are_malformed(kinds: Any) -> None:
    with override_settings(GLOSSARY_SECTION_KINDS=kinds):
        messages = check_settings()
    assert messages
    for message in messages:
        assert (message.id, message.level) == ("glossary.E003", ERROR)
        assert "GLOSSARY_SECTION_KINDS" in message.msg
        assert '[("history", "History")]' in message.hint


SIZES = {
    "GLOSSARY_IMPORT_MAX_FILE_SIZE": "glossary.E004",
    "GLOSSARY_IMPORT_MAX_UPLOAD_SIZE": "glossary.E005",
}


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("size", [1, 2 * 1024 * 1024])
def test_a_size_of_files_as_it_should_be(name: str, size: int) -> None:
    with override_settings(**{name: size}):
        assert check_settings() == []


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("size", [0, -1, 1.5, "2 MB", None, True, [1]], ids=repr)
def test_a_size_of_files_that_is_malformed(name: str, size: Any) -> None:
    with override_settings(**{name: size}):
        [message] = check_settings()
    assert (message.id, message.level) == (SIZES[name], ERROR)
    assert name in message.msg
    assert message.hint


@pytest.mark.parametrize("days", [1, 90, MAX_DAYS, None], ids=repr)
def test_a_time_to_keep_payloads_as_it_should_be(days: int | None) -> None:
    with override_settings(GLOSSARY_IMPORT_RETENTION_DAYS=days):
        assert check_settings() == []
        now = timezone.now()
        assert days is None or now - timedelta(days=days) < now


@pytest.mark.parametrize("days", [0, -1, 1.5, "90", True, MAX_DAYS + 1], ids=repr)
def test_a_time_to_keep_payloads_that_is_malformed(days: Any) -> None:
    with override_settings(GLOSSARY_IMPORT_RETENTION_DAYS=days):
        [message] = check_settings()
    assert (message.id, message.level) == ("glossary.E006", ERROR)
    assert "GLOSSARY_IMPORT_RETENTION_DAYS" in message.msg
    assert "None" in message.hint


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"fields": {"id": "slug", "title.rendered": "term"}},
        {"sections": {"acf.history": {"kind": "history", "heading": "History"}}},
        {"entries": {"faq": {"q": "question"}}, "ignore": ["_links"]},
    ],
    ids=repr,
)
def test_a_field_map_as_it_should_be(data: Any) -> None:
    with override_settings(GLOSSARY_FIELD_MAP=data):
        assert check_settings() == []


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (None, "dictionary"),
        ([("fields", {})], "dictionary"),
        ("fields.json", "dictionary"),
        ({"field": {}}, "fields"),
        ({"fields": {"summary": "shortDefinitoin"}}, "shortDefinition"),
        ({"fields": ["summary"]}, "fields"),
        ({"sections": {"body": 1}}, "body"),
        ({"entries": {"faq": {"q": "qestion"}}}, "question"),
        ({"ignore": "_links"}, "ignore"),
    ],
    ids=repr,
)
def test_a_field_map_that_is_malformed(data: Any, named: str) -> None:
    with override_settings(GLOSSARY_FIELD_MAP=data):
        [message] = check_settings()
    assert (message.id, message.level) == ("glossary.E007", ERROR)
    assert "GLOSSARY_FIELD_MAP" in message.msg
    assert named in message.msg
    assert message.hint


@pytest.mark.parametrize("key", ["%(slug)s", "$f%(slug)s", "100%%-%(slug)s"])
def test_a_key_of_payloads_as_it_should_be(key: str) -> None:
    with override_settings(GLOSSARY_PAYLOAD_KEY=key):
        assert check_settings() == []
        assert payload_key("agent") != payload_key("token")


@pytest.mark.parametrize(
    "key",
    [
        *("", "glossary", "%s-key", "%(slg)s", "%(slug)d", "%(slug"),
        *("100%-%(slug)s", "100%%(slug)s", 5, None, b"%(slug)s", {"%(slug)s": 1}),
    ],
    ids=repr,
)
def test_a_key_of_payloads_that_is_malformed(key: Any) -> None:
    with override_settings(GLOSSARY_PAYLOAD_KEY=key):
        [message] = check_settings()
    assert (message.id, message.level) == ("glossary.E008", ERROR)
    assert "GLOSSARY_PAYLOAD_KEY" in message.msg
    assert "%(slug)s" in message.hint


def test_a_setting_that_there_is_not() -> None:
    with override_settings(GLOSSARY_SECTION_KIND=[]):
        [message] = check_settings()
    assert (message.id, message.level) == ("glossary.W001", WARNING)
    assert "GLOSSARY_SECTION_KIND." in message.msg
    for name in SETTINGS:
        assert name in message.hint


def test_every_setting_is_checked() -> None:
    for name in SETTINGS:
        with override_settings(**{name: object()}):
            assert [name in message.msg for message in check_settings()] == [True]
