"""The design's walls: which part of the app may import which."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest


if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parent.parent
APP = REPOSITORY / "glossary"

# From the bottom. A place imports from the floors below its own, never from beside it.
FLOORS = [
    {"payload", "linking", "names", "conf", "signals"},
    {"alphabet", "richtext", "visibility", "managers", "fields", "panels"},
    {"addresses", "blocks", "serializers", "forms"},
    {"models"},
    {"content", "site_blocks"},
    {"importing", "exporting", "delivery"},
    {"admin", "api", "site"},
    {"management"},
    {"wagtail_hooks", "signal_handlers", "checks", "urls", "templatetags"},
    {"apps"},
]
# Imports up the house, inside a function, each with its reason.
STAIRS = {
    ("blocks", "admin"): "a chooser block's widget, which only the admin draws",
}
PLACES = set().union(*FLOORS)
PURE = {
    "payload": {"pydantic", "typing_extensions"},
    "linking": set[str](),
    "alphabet.py": set[str](),
    "names.py": set[str](),
}
TOP_LEVEL = {
    *(".ci", "benchmarks", "docs", "fixtures", "glossary", "requirements"),
    *("site_project", "templates", "tests"),
    *(".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile"),
    *("README.md", "SECURITY.md", "manage.py", "pyproject.toml"),
}


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")]


def imported_names(path: Path) -> Iterator[str]:
    """Yield the full dotted name of every module that ``path`` imports, and of every
    name that it imports from one; those for type checkers alone left out."""
    package = path.relative_to(REPOSITORY).parts[:-1]
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                nodes.extend(node.orelse)
                continue
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=module, level=level):
                start = package[: len(package) - level + 1] if level else ()
                origin = ".".join((*start, *filter(None, [module])))
                yield origin
                yield from (f"{origin}.{alias.name}" for alias in node.names)
        nodes.extend(ast.iter_child_nodes(node))


def place(path: Path) -> str:
    """Return the folder or module of the app that ``path`` belongs to."""
    return path.relative_to(APP).parts[0].removesuffix(".py")


def floor_of(name: str) -> int:
    return next(number for number, places in enumerate(FLOORS) if name in places)


def app_modules() -> list[Path]:
    apart = {"__init__", "migrations"}
    return [path for path in modules("glossary") if place(path) not in apart]


def test_every_place_has_a_floor():
    assert {place(path) for path in app_modules()} <= PLACES


@pytest.mark.parametrize(
    "path", app_modules(), ids=lambda path: str(path.relative_to(APP))
)
def test_imports_go_down(path):
    here = place(path)
    names = [name.split(".") for name in imported_names(path)]
    imported = {name[1] for name in names if name[0] == "glossary" and name[1:]}
    up = {
        there
        for there in imported & PLACES - {here}
        if floor_of(there) >= floor_of(here) and (here, there) not in STAIRS
    }
    assert up == set()


@pytest.mark.parametrize("folder", PURE)
@pytest.mark.slow
def test_pure_places_stand_on_the_standard_library(folder):
    allowed = {"glossary", *sys.stdlib_module_names, *PURE[folder]}
    place = APP / folder
    used = {
        name.partition(".")[0]
        for path in ([place] if place.is_file() else modules(f"glossary/{folder}"))
        for name in imported_names(path)
    }
    assert used <= allowed


def test_package_itself_imports_nothing():
    assert list(imported_names(APP / "__init__.py")) == []


@pytest.mark.slow
def test_nothing_imports_the_demo_site():
    assert [
        path
        for path in modules("glossary", "tests", "benchmarks")
        if any(f"{name}.".startswith("site_project.") for name in imported_names(path))
        and path.parent.name != "delivery_site"  # which measures just that site
    ] == []


def test_every_module_has_a_name():
    vague = {"common", "helper", "helpers", "misc", "util", "utils"}
    assert [
        path
        for path in modules("glossary", "site_project", "tests", "benchmarks")
        if vague & {path.stem, path.parent.name}
    ] == []


def test_top_level_holds_what_the_design_names():
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a clone: git tells which files belong to the repository")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(
        command, cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    found = {line.partition("/")[0] for line in listing.stdout.splitlines()}
    assert found <= TOP_LEVEL
