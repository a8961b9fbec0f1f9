"""Fill an empty database: ``python -m benchmarks.delivery_site.fill COUNT``.

Besides ``COUNT`` terms there are a few under a letter that no other term has, and each
term once more as a row of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django
from django.core.management import call_command
from django.db import connection


SLUG = "ai"
RARE_LETTER = "Z"
RARE_COUNT = 30
ROWS_AT_ONCE = 1_000


def fill(count: int) -> None:
    from .models import StoredRow

    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("create_glossary", SLUG, title="AI", stdout=StringIO())
    with TemporaryDirectory() as folder:
        write(Path(folder), count)
        call_command("import_terms", folder, glossary=SLUG, stdout=StringIO())
    StoredRow.objects.bulk_create(
        (
            StoredRow(slug=record["slug"], body=json.dumps(record))
            for record in all_records(count)
        ),
        batch_size=ROWS_AT_ONCE,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def all_records(count: int) -> Iterator[dict[str, Any]]:
    from benchmarks.corpus import records

    yield from records(count)
    for record in records(RARE_COUNT, seed=RARE_COUNT):
        name = f"{RARE_LETTER}esty {record['term'].partition(' ')[2]}"
        yield record | {"term": name, "slug": name.lower().replace(" ", "-")}


def write(folder: Path, count: int) -> None:
    from benchmarks.corpus import payload

    for record in all_records(count):
        place = folder / record["slug"]
        place.mkdir()
        (place / "_payload.json").write_text(payload(record), encoding="utf-8")


if __name__ == "__main__":
    django.setup()
    fill(int(sys.argv[1]))
