"""The requests in the docs can be pasted: each is made, by curl, to the demo site."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest


REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs"
PAGES = [
    "reference/delivery-api.md",
    "reference/formats.md",
    "reference/caching.md",
    "how-to/apis.md",
]
HOST = "http://localhost:8000"
# The tutorial's glossary, which the demo does not have, and what needs a token.
ELSEWHERE = re.compile(r"TOKEN|/api/v2/terms/\?child_of|starter")

pytestmark = [pytest.mark.slow, pytest.mark.once]


def requests(page: str) -> list[str]:
    """The commands of a page that begin with curl, each with all of its lines."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("curl")]


def all_requests() -> list[str]:
    return [line for page in PAGES for line in requests(page)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo site on a port of its own, as ``make demo`` runs it."""
    folder = tmp_path_factory.mktemp("demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "MEDIA_ROOT": str(folder / "media"),
        "DJANGO_SETTINGS_MODULE": "site_project.settings",
    }

    def manage(*words: str) -> list[str]:
        return [sys.executable, "manage.py", *words]

    for words in (("migrate", "-v", "0"), ("load_demo",)):
        subprocess.run(
            manage(*words),
            cwd=REPOSITORY,
            env=environment,
            check=True,
            capture_output=True,
        )
    address = f"127.0.0.1:{port}"
    server = subprocess.Popen(
        manage("runserver", "--noreload", address),
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                urlopen(f"http://{address}/api/glossary/v1/letters/").close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def test_there_are_requests_in_each_page():
    assert all(requests(page) for page in PAGES)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(
    "command", [line for line in all_requests() if not ELSEWHERE.search(line)]
)
def test_a_request_gets_what_it_asks_for(demo, command):
    address = command.replace(HOST, demo)
    assert address != command
    # What follows a pipe is for people's eyes.
    _curl, *words = shlex.split(address.partition(" | ")[0])
    answer = subprocess.run(
        ["curl", "--fail", "-sS", "-g", *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip()
