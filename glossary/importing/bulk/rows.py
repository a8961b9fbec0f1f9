"""Rows of any model, also of one that spans several tables, in few statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery


try:
    from django.db.backends.postgresql.psycopg_any import is_psycopg3
except ImportError:  # without psycopg there is no PostgreSQL
    is_psycopg3 = False


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """Primary keys that nobody else gets, for rows that refer to each other before
    they are stored.

    Where the database has no sequences, these are the next ones; the caller's
    transaction has to have begun to write.
    """
    table, column = model._meta.db_table, model._meta.pk.column
    if not count:
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s))"
                " FROM generate_series(1, %s)",
                [connection.ops.quote_name(table), column, count],
            )
            return [pk for (pk,) in cursor.fetchall()]
        last = model._base_manager.aggregate(last=models.Max("pk"))["last"] or 0
        if connection.vendor == "sqlite":
            # The ids of deleted rows are never given again.
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            row = cursor.fetchone()
            last = max(last, row[0] if row else 0)
    return list(range(last + 1, last + 1 + count))


def give_ids(objects: Iterable[models.Model]) -> None:
    """Reserve a primary key for each object of one model that has none."""
    new = [instance for instance in objects if instance.pk is None]
    if new:
        ids = reserve_ids(type(new[0]), len(new))
        for instance, pk in zip(new, ids, strict=True):
            instance.pk = pk


def tables(model: type[models.Model]) -> list[type[models.Model]]:
    """The models whose tables a row of the model is spread over, the root first."""
    return [*reversed(model._meta.get_parent_list()), model]


def set_primary_key(instance: models.Model, pk: int) -> None:
    """Set the primary key, under all the names that it has in the parents' tables."""
    for model in tables(type(instance)):
        setattr(instance, model._meta.pk.attname, pk)


def insert_rows(objects: Sequence[models.Model]) -> None:
    """Insert objects of one model into all its tables; those without a primary key get
    one."""
    if not objects:
        return
    give_ids(objects)
    for model in tables(type(objects[0])):
        if connection.vendor == "postgresql" and is_psycopg3:
            _copy(model, objects)
        else:
            _insert(model, objects)
    for instance in objects:
        instance._state.adding = False
        instance._state.db = connection.alias


def replace_rows(objects: Sequence[models.Model], *, keep: Iterable[str] = ()) -> None:
    """Store all fields of objects that are there already, but those to ``keep``."""
    if not objects:
        return
    kept = set(keep)
    for model in tables(type(objects[0])):
        fields = [
            field
            for field in model._meta.local_concrete_fields
            if not field.primary_key and field.name not in kept
        ]
        if fields:
            _insert(model, objects, replacing=fields)


def prefer_fast_compression() -> None:
    """Let PostgreSQL compress long values by LZ4, where it can, until the transaction
    ends: half of what it takes to store a page goes into compressing."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config(name, 'lz4', true) FROM pg_settings"
                " WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)"
            )


def _copy(model: type[models.Model], objects: Sequence[models.Model]) -> None:
    """Insert by PostgreSQL's COPY. Django's bulk insert sends arrays, and psycopg
    takes longer to write a page of JSON into one than PostgreSQL to store it."""
    fields = model._meta.local_concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    sql = f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN"
    rows = (
        [
            field.get_db_prep_save(field.pre_save(instance, True), connection)
            for field in fields
        ]
        for instance in objects
    )
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(sql) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _insert(
    model: type[models.Model],
    objects: Sequence[models.Model],
    replacing: Sequence[Any] | None = None,
) -> None:
    fields = model._meta.local_concrete_fields
    options: dict[str, Any] = {}
    if replacing is not None:
        options = {
            "on_conflict": OnConflict.UPDATE,
            "update_fields": replacing,
            "unique_fields": [model._meta.pk],
        }
    size = max(connection.ops.bulk_batch_size(fields, objects), 1)
    for start in range(0, len(objects), size):
        query = InsertQuery(model, **options)
        query.insert_values(fields, objects[start : start + size])
        query.get_compiler(using=connection.alias).execute_sql(None)
