"""Node's programs for the tests, with the packages that they ask for.

Packages go to ``.node/``, which Git passes over, and stay there: npm is asked again
only when a ``package.json`` changes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fasteners import InterProcessLock


REPOSITORY = Path(__file__).resolve().parent.parent
STORE = REPOSITORY / ".node"
# A registry's address in a lock file would be that of whoever ran this.
INSTALL = ("npm", "install", "--no-package-lock", "--no-audit", "--no-fund")
ABSENT = "no Node: install Debian's packages nodejs and npm"
ENVIRONMENT = {**os.environ, "CI": "1", "NUXT_TELEMETRY_DISABLED": "1"}


def has_node() -> bool:
    return bool(shutil.which("node") and shutil.which("npm"))


def copy_with_packages(folder: Path) -> Path:
    """Copy a folder into the store, without what it does not need there, install its
    packages beside it and return the copy.

    Where there is no Node or no npm the test skips, or fails if
    ``GLOSSARY_REQUIRE_SERVICES`` is 1.
    """
    if not has_node():
        if os.environ.get("GLOSSARY_REQUIRE_SERVICES") == "1":
            pytest.fail(ABSENT)
        pytest.skip(ABSENT)
    copy = STORE / folder.name
    copy.mkdir(parents=True, exist_ok=True)
    (STORE / ".gitignore").write_text("*\n", encoding="utf-8")
    with InterProcessLock(STORE / f"{folder.name}.lock"):
        wanted = (folder / "package.json").read_text(encoding="utf-8")
        stamp = copy / "node_modules" / "installed.json"
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            (copy / "package.json").write_text(wanted, encoding="utf-8")
            run(copy, *INSTALL)
            stamp.write_text(wanted, encoding="utf-8")
        for old in copy.iterdir():
            if old.name != "node_modules":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(
            folder,
            copy,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("node_modules", ".nuxt", ".output"),
        )
    return copy


def run(folder: Path, *command: str, **more: str) -> str:
    """Run a command in a folder and return what it printed; fail with that if it
    fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**ENVIRONMENT, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
