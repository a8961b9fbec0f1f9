"""The site that is measured: its databases, its servers, and what there is to ask for.

A database is filled with invented terms; a server is gunicorn with the demo site and a
few views beside it (``delivery_site``).
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql


ROOT = Path(__file__).parent.parent
WORKER = "/benchmark/worker/"
WORKERS = 2
START_SECONDS = 30

# What changes how a database is filled, so that one that was kept is made anew.
FILLED_BY = (
    "glossary/migrations/*.py",
    "benchmarks/corpus.py",
    "benchmarks/delivery_site/*.py",
)


@dataclass(frozen=True)
class Terms:
    """What there is to ask for: the ids and slugs of all terms, in the same order."""

    ids: list[int]
    slugs: list[str]


@dataclass(frozen=True)
class Site:
    """A running server of the site, on the database of this URL."""

    port: int
    pid: int
    url: str

    def processor_seconds(self) -> tuple[dict[int, float], dict[int, float]]:
        """How long the processes of the server have worked so far, and those of the
        database if it runs on this machine, by their ids."""
        workers = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        return (
            processor_seconds(map(int, workers.split())),
            processor_seconds(pid for (pid,) in rows),
        )


def number(name: str, default: int) -> int:
    return int(os.environ.get(f"GLOSSARY_BENCHMARK_{name}", default))


def can_measure() -> bool:
    """Whether there is a server for the databases: if not, it says so."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        print("  skipped: it needs PostgreSQL, which `make benchmark` starts")
        return False
    busy = os.getloadavg()[0]
    if busy > 0.5:
        print(f"  other work goes on (load {busy:.1f}): expect ratios that are off")
    return True


# Databases


@contextmanager
def filled(count: int) -> Iterator[str]:
    """The URL of a database with so many terms, which goes again unless it is kept."""
    server = os.environ["DATABASE_URL"]
    name = f"glossary_delivery_{count}"
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    keep = os.environ.get("GLOSSARY_BENCHMARK_KEEP") == "1"
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    with psycopg.connect(server, autocommit=True) as connection:
        if not (keep and is_filled(connection, name)):
            connection.execute(drop)
            connection.execute(
                sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            )
            print(f"  filling a database with {count} terms", flush=True)
            command = [
                sys.executable,
                "-m",
                "benchmarks.delivery_site.fill",
                str(count),
            ]
            subprocess.run(command, cwd=ROOT, env=environment(url), check=True)
            connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                    sql.Identifier(name), sql.Literal(filling())
                )
            )
        try:
            yield url
        finally:
            if not keep:
                connection.execute(drop)


def is_filled(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = %s",
        [name],
    ).fetchone()
    return found == (filling(),)


def filling() -> str:
    digest = hashlib.sha256()
    for pattern in FILLED_BY:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def terms_of(url: str) -> Terms:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT id, slug FROM wagtailcore_page JOIN glossary_termpage"
            " ON page_ptr_id = id ORDER BY id"
        ).fetchall()
    return Terms([pk for pk, _slug in rows], [slug for _pk, slug in rows])


# Servers


@contextmanager
def serving(
    url: str,
    *,
    warm: bool,
    threads: int,
    workers: int = WORKERS,
    count: bool = False,
) -> Iterator[Site]:
    """A server of the site on this database."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "site_project.wsgi:application"),
        *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
        *("--workers", str(workers), "--threads", str(threads)),
        *("--keep-alive", "300", "--log-level", "warning"),
    ]
    switches = {
        "GLOSSARY_BENCHMARK_WARM": str(int(warm)),
        "GLOSSARY_BENCHMARK_COUNT": str(int(count)),
    }
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment(url) | switches, stderr=log
        )
        try:
            wait_until_ready(port, server)
            yield Site(port, server.pid, url)
        finally:
            server.terminate()
            server.wait()
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-5_000:])


def wait_until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            get(port, WORKER)
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit("the server did not start")
            time.sleep(0.1)
        else:
            return


def environment(url: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.delivery_site.settings",
        "SECRET_KEY": "only for benchmarks",
        "ALLOWED_HOSTS": "localhost",
        "DEBUG": "0",
        "HTTPS": "0",
        # That no static files are collected is no news here.
        "PYTHONWARNINGS": "ignore:No directory at",
    }


def get(
    port: int, target: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(
            "GET", target, headers={"Host": "localhost"} | (headers or {})
        )
        response = connection.getresponse()
        response.read()
        return response.status, {
            name.lower(): value for name, value in response.getheaders()
        }
    finally:
        connection.close()


def processor_seconds(processes: Iterable[int]) -> dict[int, float]:
    tick = 1 / os.sysconf("SC_CLK_TCK")
    found = {}
    for pid in processes:
        with suppress(OSError):
            # The name of the program, in brackets, may hold blanks itself.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[pid] = (int(fields[11]) + int(fields[12])) * tick
    return found
