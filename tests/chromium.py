"""Chromium: where it is, how it is started, and what went wrong in a page of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Request

COMMANDS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",  # a container's root may have no other choice
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    # A page that asks another host for something fails its test.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
ABSENT = "no Chromium: install Debian's package chromium, or say where in CHROMIUM"


def find_chromium(otherwise: str = "") -> Path | None:
    """The one that ``CHROMIUM`` names, or the machine's, or ``otherwise``; None if
    there is none."""
    on_path = next(filter(None, map(shutil.which, COMMANDS)), None)
    found = os.environ.get("CHROMIUM") or on_path or otherwise
    return Path(found) if found and Path(found).exists() else None


def note_console(problems: list[str], message: ConsoleMessage) -> None:
    source = message.location["url"]
    # A browser asks for this file on its own, whatever the page says.
    if message.type == "error" and not source.endswith("/favicon.ico"):
        problems.append(f"console: {message.text} ({source})")


def note_failure(problems: list[str], request: Request) -> None:
    # Leaving a page ends the requests it still had open: that is no failure.
    if request.failure != "net::ERR_ABORTED":
        problems.append(f"request: {request.failure} {request.url}")
