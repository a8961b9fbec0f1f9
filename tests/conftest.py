"""What every test may use: real inputs from outside the repository, and how hard
Hypothesis tries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings


if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).resolve().parent.parent

settings.register_profile("quick", derandomize=True, max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly",
    max_examples=5000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--one-case",
        action="store_true",
        help="of each parametrized test, run the first case alone",
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if not config.getoption("--one-case"):
        return
    first: dict[str, pytest.Item] = {}
    for item in items:
        first.setdefault(item.nodeid.partition("[")[0], item)
    kept = set(first.values())
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return the path of a real input, such as ``"seed/_payload.json"``.

    The inputs lie outside the repository, in ``data/`` of the folder that
    ``GLOSSARY_SHARED`` names (``../shared`` by default). Where one is absent the
    test skips, or fails if ``GLOSSARY_REQUIRE_SHARED`` is 1.
    """
    folder = os.environ.get("GLOSSARY_SHARED") or REPOSITORY.parent / "shared"
    data = Path(folder) / "data"

    def find(name: str) -> Path:
        path = data / name
        if not path.exists():
            reason = f"{path} is absent: GLOSSARY_SHARED can say where it is"
            if os.environ.get("GLOSSARY_REQUIRE_SHARED") == "1":
                pytest.fail(reason)
            pytest.skip(reason)
        return path

    return find
