"""The demo site, made on a database of its own and served as in production.

What it needs stands in a temporary folder, but for the static files: those go to
``staticfiles/``, as with ``make serve``.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 60


@dataclass(frozen=True)
class Demo:
    """Where the demo is, and what its commands find in their environment."""

    url: str
    environment: Mapping[str, str]

    def manage(self, *arguments: str, **more: str) -> None:
        """Run ``manage.py``; what it says is told only if it fails, which ends all."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, **self.environment, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            sys.exit(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}")


@contextmanager
def serving_demo() -> Iterator[Demo]:
    """The demo under gunicorn, once it answers, until it is no longer needed; it also
    ends when this process is asked to."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="glossary-demo-") as name:
        folder = Path(name)
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        database = f"sqlite:///{folder / 'db.sqlite3'}?transaction_mode=IMMEDIATE"
        demo = Demo(
            f"http://{address}",
            {
                "ALLOWED_HOSTS": "127.0.0.1",
                "DATABASE_URL": database,
                "DEBUG": "0",
                "DJANGO_SETTINGS_MODULE": "site_project.settings",
                "HTTPS": "0",
                "MEDIA_ROOT": str(folder / "media"),
                "SECRET_KEY": secrets.token_urlsafe(64),
                "WAGTAILADMIN_BASE_URL": f"http://{address}",
            },
        )
        demo.manage("migrate", "-v", "0")
        # It makes an account that everyone knows: not in production.
        demo.manage("load_demo", "-v", "0", DEBUG="1")
        demo.manage("collectstatic", "--no-input", "-v", "0")
        with running(demo, address, folder / "log"):
            yield demo


@contextmanager
def running(demo: Demo, address: str, log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "gunicorn", "site_project.wsgi", "--workers", "2"]
    command += ["--no-control-socket", "--log-level", "warning", "--bind", address]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, **demo.environment},
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(demo.url):
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the demo did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.2)
        yield
    finally:
        server.terminate()
        server.wait()


def answers(url: str) -> bool:
    try:
        return bool(requests.get(url, timeout=30).status_code == 200)
    except requests.RequestException:
        return False
