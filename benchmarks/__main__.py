"""Run every benchmark: ``python -m benchmarks``; or some, by their names.

Each compares ours with an alternative in the same run and prints a ratio.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    own = Path(__file__).parent
    names = sys.argv[1:] or sorted(
        path.stem for path in own.glob("*.py") if not path.stem.startswith("_")
    )
    for name in names:
        module = import_module(f"benchmarks.{name}")
        if run := getattr(module, "run", None):
            print(f"\n{module.__doc__.strip()}")
            run()


main()
