"""Rows as plain values, without a model's objects or Django's queries: these would take
longer to make than the rows to store or to find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connections, models, router


try:
    from django.db.backends.postgresql.psycopg_any import is_psycopg3
except ImportError:  # without psycopg there is no PostgreSQL
    is_psycopg3 = False


# SQLite joins at most 500 statements.
MAX_PARTS = 100


class Part(NamedTuple):
    """A SELECT in SQL. What a client sent is in its parameters, never in its text."""

    sql: str
    params: Sequence[Any] = ()


def read_rows(
    model: type[models.Model], sql: str, params: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """What a statement finds, in the database that the model is read from."""
    with connections[router.db_for_read(model)].cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def read_parts(
    model: type[models.Model], parts: Sequence[Part], end: str = ""
) -> list[tuple[Any, ...]]:
    """The rows of statements, each of which keeps its own order and limit, and so its
    own index; by one statement for up to ``MAX_PARTS`` of them, which ``end``, in SQL,
    may sort and cut. Values are as the database's driver gives them.

    Django's ``union()`` cannot do that on SQLite.
    """
    rows: list[tuple[Any, ...]] = []
    for start in range(0, len(parts), MAX_PARTS):
        batch = parts[start : start + MAX_PARTS]
        union = " UNION ALL ".join(
            f"SELECT * FROM ({part.sql}) part{number}"  # noqa: S608
            for number, part in enumerate(batch)
        )
        params = [param for part in batch for param in part.params]
        rows += read_rows(model, f"SELECT * FROM ({union}) parts {end}", params)  # noqa: S608
    return rows


def insert_rows(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows of values, in the order of the named fields."""
    rows = list(rows)
    if not rows:
        return
    connection = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    fields = [model._meta.get_field(name) for name in names]
    table = quote(model._meta.db_table)
    columns = ", ".join(quote(field.column) for field in fields)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and is_psycopg3:
            sql = f"COPY {table} ({columns}) FROM STDIN"
            with connection.wrap_database_errors, cursor.copy(sql) as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            values = ", ".join(["%s"] * len(fields))
            sql = f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608
            cursor.executemany(
                sql,
                [
                    [
                        field.get_db_prep_save(value, connection)
                        for field, value in zip(fields, row, strict=True)
                    ]
                    for row in rows
                ],
            )
