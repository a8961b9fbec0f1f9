"""Queries that are put into SQL once.

Django takes several times longer to compile a query than a database to answer it, and
a term takes eight. A prepared query keeps its SQL, and is asked again with other ids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connections, router
from django.db.models import QuerySet


# What stands in a query for a list that is given when it is asked: no row has them.
IDS = [-1_000_000_001]
MORE_IDS = [-1_000_000_002]
OTHER_IDS = [-1_000_000_003]
KEYS = [UUID(int=1)]

Value: TypeAlias = int | UUID


class Prepared:
    """A query for rows, filtered by ``column__in=IDS`` or another of the lists above::

    slugs = Prepared(Page.objects.filter(pk__in=IDS).values_list("pk", "slug"))
    slugs.rows([3, 4])
    """

    def __init__(self, queryset: QuerySet[Any], *lists: Sequence[Value]) -> None:
        self._queryset = queryset
        self._lists = [placeholder for [placeholder] in lists or [IDS]]
        self._compiled: dict[str, _Compiled | None] = {}

    def rows(self, *lists: Collection[Value]) -> list[tuple[Any, ...]]:
        """What is found for these values, given in the order of the lists."""
        alias = router.db_for_read(self._queryset.model)
        if alias not in self._compiled:
            self._compiled[alias] = self._compile(alias)
        compiled = self._compiled[alias]
        if compiled is None:
            return []
        return list(compiled.ask(alias, dict(zip(self._lists, lists, strict=True))))

    def _compile(self, alias: str) -> _Compiled | None:
        """None if the query can find nothing."""
        compiler = self._queryset.query.get_compiler(alias)
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            return None
        stored = {_as_stored(value, alias): value for value in self._lists}
        converters = compiler.get_converters(item[0] for item in compiler.select)
        return _Compiled(
            sql.split("%s"),
            [(stored.get(param), param) for param in params],
            [
                (column, converter, expression)
                for column, (own, expression) in converters.items()
                for converter in own
            ],
        )


class _Compiled(NamedTuple):
    pieces: list[str]
    """The SQL around its parameters."""
    params: list[tuple[Value | None, Any]]
    """Of each parameter the list that it stands for, or None and its value."""
    converters: list[tuple[int, Any, Any]]
    """What makes a Python value of one of a column, with the expression it is of."""

    def ask(
        self, alias: str, lists: dict[Value, Collection[Value]]
    ) -> Iterator[tuple[Any, ...]]:
        connection = connections[alias]
        sql = [self.pieces[0]]
        params: list[Any] = []
        for (placeholder, param), piece in zip(
            self.params, self.pieces[1:], strict=True
        ):
            values = [param]
            if placeholder is not None:  # NULL, which nothing equals, if it is empty
                values = [_as_stored(value, alias) for value in lists[placeholder]]
                values = values or [None]
            sql.append(", ".join(["%s"] * len(values)))
            sql.append(piece)
            params.extend(values)
        with connection.cursor() as cursor:
            cursor.execute("".join(sql), params)
            rows = cursor.fetchall()
        if not self.converters:
            yield from rows
            return
        for row in map(list, rows):
            for column, converter, expression in self.converters:
                row[column] = converter(row[column], expression, connection)
            yield tuple(row)


def _as_stored(value: Value, alias: str) -> Any:
    if isinstance(value, UUID) and not (
        connections[alias].features.has_native_uuid_field
    ):
        return value.hex
    return value
