"""Clients that are generated from the OpenAPI document read a glossary, typed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from glossary.models import TermPage

from .factories import make_glossary
from .node_packages import copy_with_packages, run
from .test_api_v2 import make_complete_term


if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.once]

REPOSITORY = Path(__file__).resolve().parent.parent
PROGRAMS = Path(__file__).parent / "clients"
DOCUMENT = Path(__file__).parent / "openapi.json"
GENERATORS = REPOSITORY / ".venv-clients" / "bin"


@pytest.fixture
def term(django_db_serialized_rollback: None, transactional_db: None) -> TermPage:
    cache.clear()
    return make_complete_term(make_glossary("ai"))


@pytest.fixture
def address(live_server: LiveServer) -> str:
    return f"{live_server.url}/api/glossary/v1"


def test_a_client_in_strict_typescript(term: TermPage, address: str) -> None:
    """It compiles without a cast, nothing in the types is left open, and it reads."""
    folder = copy_with_packages(PROGRAMS / "typescript")
    run(folder, "npx", "openapi-typescript", str(DOCUMENT), "-o", "glossary.d.ts")
    run(folder, "npx", "tsc", "--project", ".")
    program = (
        'import("./client.js")'
        f'.then(({{ read }}) => read("{address}", "{term.slug}"))'
        ".then((read) => console.log(JSON.stringify(read)))"
    )
    read = json.loads(run(folder, "node", "--eval", program))
    assert read["term"] == [
        "Embedding",
        "Embedding research",
        "Numbers: Of vectors, x.",
        ": By training.",
        "embedding-vector",
        "A hash",
        "Is it a token? No, it is vectors.",
        "Search",
        "broader Embedding vector",
        "related Embedding token",
        "synonym embed",
        "abbreviation emb",
    ]
    assert read["list"] == [f"{term.pk} embedding Embedding"]
    assert read["found"] == ["Embedding: 2", "E 1"]
    assert "term Embedding" in read["changed"]
    assert read["problem"] == "404 urn:wagtail-glossary:problem:not-found"


def test_a_client_in_python(term: TermPage, address: str, tmp_path: Path) -> None:
    """It is made without a warning, and it reads."""
    generator = GENERATORS / "openapi-python-client"
    if not generator.exists():
        reason = f"{generator} is absent: make clients installs it"
        if os.environ.get("GLOSSARY_REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    path = os.pathsep.join([str(GENERATORS), os.environ["PATH"]])  # it calls ruff
    printed = run(
        tmp_path,
        *(str(generator), "generate", "--path", str(DOCUMENT), "--fail-on-warning"),
        *("--output-path", "client"),
        PATH=path,
    )
    assert "arning" not in printed
    read: dict[str, Any] = json.loads(
        run(
            tmp_path,
            *(str(GENERATORS / "python"), str(PROGRAMS / "python" / "read.py")),
            *(address, term.slug),
            PYTHONPATH=str(tmp_path / "client"),
        )
    )
    assert read["term"] == ["Embedding", "Numbers"]
    assert read["list"] == ["Embedding"]
    assert read["found"] == ["Embedding"]
    assert "Embedding" in read["changed"]
    assert read["problem"] == "urn:wagtail-glossary:problem:not-found"
