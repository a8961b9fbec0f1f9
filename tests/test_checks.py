"""What the system checks find, and what they advise."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Any, cast

import pytest
from django.apps import apps
from django.core.checks import ERROR, WARNING, run_checks
from django.test import override_settings
from django.utils import timezone
from django.utils.translation import gettext_lazy
from PIL.ImageFont import FreeTypeFont, load_default

from glossary.checks import (
    MAX_DAYS,
    NUMBERS,
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


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_as_it_should_be(name: str) -> None:
    number = NUMBERS[name]
    values: list[Any] = [number.lowest, 365, *([None] if number.none else [])]
    if number.highest < inf:
        values.append(number.highest)
    for value in values:
        with override_settings(**{name: value}):
            assert check_settings() == []


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [-1, 1.5, "2", None, True, [1]], ids=repr)
def test_a_number_that_is_malformed(name: str, value: Any) -> None:
    number = NUMBERS[name]
    if value is None and number.none:
        value = number.highest + 1
    if value == -1:
        value = number.lowest - 1
    with override_settings(**{name: value}):
        [message] = check_settings()
    assert (message.id, message.level) == (number.check, ERROR)
    assert name in message.msg
    assert number.unit in message.msg
    assert number.example in message.hint
    assert ("None" in message.hint) == bool(number.none)


def test_the_longest_time_has_an_end() -> None:
    now = timezone.now()
    assert now - timedelta(days=MAX_DAYS) < now


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "GLOSSARY_API_CACHE": ["default", None],
        "GLOSSARY_PAGE_CACHE": ["default", None],
        "GLOSSARY_PAGE_SECONDS": [0, 300],
        "GLOSSARY_API_RATES": [None, {}, {"search": "1/s", "graph": None}],
        "GLOSSARY_API_V3": [True, False],
        "GLOSSARY_NOINDEX_THIN": [True, False],
        "GLOSSARY_FAQ_STRUCTURED_DATA": [True, False],
        "GLOSSARY_CARD_COLOURS": [{}, {"accent": "#0A5c66", "text": "#000000"}],
        "GLOSSARY_CARD_FONTS": [{}],
        "GLOSSARY_PURGE": [{}],
        "GLOSSARY_PREVIEW_URL": [None, "https://x.example/%(slug)s?%(token)s"],
        "GLOSSARY_WEBHOOK_HOSTS": [(), ["nuxt", "10.0.0.7:3000", "[::1]:80"]],
    }.items(),
    ids=str,
)
def test_a_setting_of_delivery_as_it_should_be(name: str, values: list[Any]) -> None:
    for value in values:
        with override_settings(**{name: value}):
            assert check_settings() == []


@pytest.mark.parametrize(
    ("check", "name", "values"),
    [
        ("glossary.E009", "GLOSSARY_API_CACHE", ["nope", "", 5]),
        ("glossary.E009", "GLOSSARY_PAGE_CACHE", ["nope"]),
        ("glossary.E022", "GLOSSARY_PAGE_SECONDS", [-1, 1.5, "5", None, True]),
        (
            "glossary.E011",
            "GLOSSARY_API_RATES",
            ["60/m", {"serach": "60/m"}, {"search": "60"}, {"search": "0/m"}],
        ),
        ("glossary.E012", "GLOSSARY_PURGE", [[], {"cdn": {}}, {"cdn": "x"}]),
        (
            "glossary.E013",
            "GLOSSARY_PREVIEW_URL",
            ["", 5, "https://x.example/", "%(token)s", "https://x/%(token)s/%(a)s"],
        ),
        ("glossary.E015", "GLOSSARY_WEBHOOK_HOSTS", ["nuxt", [1], ["NUXT"], ["a/b"]]),
        ("glossary.E017", "GLOSSARY_API_V3", [None, "yes", 1]),
        ("glossary.E018", "USE_TZ", [False]),
        ("glossary.E019", "GLOSSARY_NOINDEX_THIN", [None, "yes", 1]),
        ("glossary.E019", "GLOSSARY_FAQ_STRUCTURED_DATA", [None, "no", 0]),
        (
            "glossary.E020",
            "GLOSSARY_CARD_FONTS",
            [
                *([], None, {"EN": __file__}, {1: __file__}, {"": 1}, {"": ("a",)}),
                *({"": "/nowhere.ttf"}, {"": __file__}, {"ur": Path(__file__).parent}),
            ],
        ),
        (
            "glossary.E021",
            "GLOSSARY_CARD_COLOURS",
            [[], None, {"line": "#ffffff"}, {"text": "#fff"}, {"text": "red"}],
        ),
    ],
)
def test_a_setting_of_delivery_that_is_malformed(
    check: str, name: str, values: list[Any]
) -> None:
    for value in values:
        with override_settings(**{name: value}):
            [message] = check_settings()
        assert (message.id, message.level) == (check, ERROR)
        assert message.hint


def test_fonts_of_cards_as_they_should_be(tmp_path: Path) -> None:
    font = tmp_path / "font.ttf"
    font.write_bytes(cast("FreeTypeFont", load_default(40)).font_bytes)
    for entry in (font, str(font), (font, str(font)), [font, font]):
        with override_settings(GLOSSARY_CARD_FONTS={"": entry, "zh-hans": entry}):
            assert check_settings() == []


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
