"""Search entries of many objects at once, as saving each of them would leave them.

Wagtail's own way compiles an expression for every text of every object. On PostgreSQL
the texts are collected once and written by one statement; any other backend gets the
objects in bulk and does what it does.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import unescape
from itertools import islice
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Manager, Model
from django.db.models.fields.related import RelatedField
from django.utils.encoding import force_str
from wagtail import blocks
from wagtail.fields import StreamField
from wagtail.rich_text import get_text_for_indexing
from wagtail.search import index
from wagtail.search.backends import get_search_backends_with_name

from ...models import TermPage
from .arrays import text_array


logger = logging.getLogger(__name__)

# How many objects one statement writes: what it holds in memory stays below the four
# megabytes that PostgreSQL gives a sort by default.
BATCH_SIZE = 250
# The average length of titles is taken from as many entries at most: from all of them
# it would cost more with each batch.
TITLE_SAMPLE = 10_000

COLUMNS = ("title", "autocomplete", "body")

# What the editor and the import write. Anything else is left to Wagtail.
TAG_NAME = (
    "(?:a|b|blockquote|br|code|del|em|embed|h[1-6]|hr|i|li|ol|p|s|strong|sub|sup|u|ul)"
)
TAG = re.compile(rf'<{TAG_NAME}(?: [a-z-]+="[^"<>]*")* ?/?>|</{TAG_NAME}>')
BREAK = re.compile(r"</(?:p|h[1-6]|li|blockquote)>|<(?:br|hr) ?/>")
ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]*|#[0-9]+|#[xX][0-9a-fA-F]+);")


class Text(NamedTuple):
    """One text of an object: the column of the entry that it belongs to, and how much
    its search field counts for, if it says."""

    column: str
    boost: float | None
    text: str


# Adds the texts of one object to a list.
Collect = Callable[[Any, list[Text]], None]
# Gives the texts of a block's value, as the database holds it.
ReadBlock = Callable[[Any], list[str]]


def index_for_search(objects: Sequence[Model]) -> None:
    """Write the search entries of saved objects in every backend that is kept up to
    date on saving.

    The rows that hang on an object are read through its managers, one query for each
    object where they are not in memory. An object that its model does not want indexed
    (``get_indexed_objects()``) loses the entry that it may have had. A database
    backend's error is raised, as on saving.
    """
    for model, instances in _by_model(objects).items():
        wanted = _indexed_pks(model, instances)
        kept = [instance for instance in instances if instance.pk in wanted]
        dropped = [instance for instance in instances if instance.pk not in wanted]
        for name, backend in get_search_backends_with_name(with_auto_update=True):
            try:
                _add(backend, model, kept)
                for instance in dropped:
                    backend.delete(instance)
            except Exception:
                if not backend.catch_indexing_errors:
                    raise
                logger.exception(
                    "%(count)d objects were not indexed by the search backend %(name)s",
                    {"count": len(instances), "name": name},
                )


def rich_text_as_text(html: str) -> str:
    """Return what Wagtail indexes of a rich text, without parsing the usual ones."""
    text = TAG.sub("", BREAK.sub(" ", html)).strip()
    if "<" in text or ">" in text:
        return get_text_for_indexing(html)
    if "&" not in text:
        return text
    # Wagtail's parser completes an entity that lacks its semicolon.
    if text.count("&") != len(ENTITY.findall(text)):
        return get_text_for_indexing(html)
    return unescape(text)


def collect_texts(model: type[Any], objects: Iterable[Model]) -> Iterator[list[Text]]:
    """Yield the texts of each object of a model, in the order of its search fields."""
    steps = list(_steps(model, model.get_search_fields()))
    for instance in objects:
        texts: list[Text] = []
        for step in steps:
            step(instance, texts)
        yield texts


def _by_model(objects: Sequence[Model]) -> dict[type[Any], list[Any]]:
    """The instances to index, each one once."""
    found: dict[type[Any], dict[Any, Any]] = defaultdict(dict)
    for instance in objects:
        model = type(instance)
        if not index.class_is_indexed(model):
            continue
        is_term = issubclass(model, TermPage)  # whose entries nobody else writes
        if not is_term and not getattr(model, "search_auto_update", True):
            continue
        specific = instance.get_indexed_instance()
        if specific is not None:
            found[type(specific)][specific.pk] = specific
    return {model: list(instances.values()) for model, instances in found.items()}


def _indexed_pks(model: type[Any], instances: Sequence[Model]) -> set[Any]:
    pks = [instance.pk for instance in instances]
    wanted: set[Any] = set()
    for batch in _batches(pks):
        indexed = model.get_indexed_objects().filter(pk__in=batch)
        wanted.update(indexed.order_by().values_list("pk", flat=True))
    return wanted


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH_SIZE)):
        yield batch


def _add(backend: Any, model: type[Any], instances: Sequence[Model]) -> None:
    search_index = backend.get_index_for_model(model)
    for batch in _batches(instances):
        if _is_postgres(search_index):
            _write(search_index, model, batch)
        else:
            backend.add_bulk(model, batch)


def _is_postgres(search_index: Any) -> bool:
    connection = getattr(search_index, "write_connection", None)
    if connection is None or connection.vendor != "postgresql":
        return False
    # It can be imported on PostgreSQL alone.
    from modelsearch.backends.database.postgres.postgres import PostgresIndex

    return type(search_index).add_items is PostgresIndex.add_items


# Collecting


def _steps(model: type, fields: Iterable[Any]) -> Iterator[Collect]:
    for field in fields:
        if isinstance(field, index.SearchField):
            column = "title" if field.field_name == "title" else "body"
            yield _text_step(model, field, column, field.boost)
        elif isinstance(field, index.AutocompleteField):
            yield _text_step(model, field, "autocomplete", None)
        elif isinstance(field, index.RelatedFields) and _has_texts(field):
            yield _rows_step(field)


def _has_texts(related: Any) -> bool:
    return any(
        _has_texts(field)
        if isinstance(field, index.RelatedFields)
        else isinstance(field, (index.SearchField, index.AutocompleteField))
        for field in related.fields
    )


def _text_step(model: type, field: Any, column: str, boost: float | None) -> Collect:
    read = _field_reader(model, field)

    def step(instance: Any, texts: list[Text]) -> None:
        if text := read(instance).strip():
            texts.append(Text(column, boost, text))

    return step


def _rows_step(related: Any) -> Collect:
    steps: dict[type, list[Collect]] = {}

    def step(instance: Any, texts: list[Text]) -> None:
        value = related.get_value(instance)
        if value is None:
            return
        rows: Iterable[Any]
        if isinstance(value, Manager):
            rows = value.all()
        else:
            rows = [value() if callable(value) else value]
        for row in rows:
            kind = type(row)
            if kind not in steps:
                steps[kind] = list(_steps(kind, related.fields))
            for row_step in steps[kind]:
                row_step(row, texts)

    return step


def _field_reader(model: type, search_field: Any) -> Callable[[Any], str]:
    """The text of a search field: read straight from the attribute or the raw stream
    where that is what Wagtail would come to."""

    def as_wagtail(instance: Any) -> str:
        return _as_text(search_field.get_value(instance))

    if type(search_field).get_value is not index.BaseField.get_value:
        return as_wagtail
    try:
        field = search_field.get_field(model)
    except FieldDoesNotExist:
        return as_wagtail
    if getattr(type(field), "value_from_object", None) is not Field.value_from_object:
        return as_wagtail
    name = field.attname
    if isinstance(field, StreamField):
        if type(field).get_searchable_content is not StreamField.get_searchable_content:
            return as_wagtail
        read_stream = _stream_reader(field.stream_block)
        return lambda instance: ", ".join(read_stream(getattr(instance, name)))
    if isinstance(field, RelatedField) or hasattr(field, "get_searchable_content"):
        return as_wagtail
    return lambda instance: _as_text(getattr(instance, name))


def _as_text(value: Any) -> str:
    """What the backends make of a value."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(map(_as_text, value))
    if isinstance(value, dict):
        return ", ".join(map(_as_text, value.values()))
    return force_str(value)


# Blocks, without making them


def _stream_reader(block: Any) -> Callable[[Any], list[str]]:
    if not _behaves_as(block, blocks.BaseStreamBlock):
        return block.get_searchable_content
    if not block.search_index:
        return lambda stream: []
    readers = {name: _block_reader(child) for name, child in block.child_blocks.items()}

    def read(stream: Any) -> list[str]:
        return [
            text
            for child in stream.get_prep_value()
            for text in readers[child["type"]](child["value"])
        ]

    return read


def _block_reader(block: Any) -> ReadBlock:
    if type(block).get_searchable_content is blocks.Block.get_searchable_content:
        return lambda raw: []
    if _behaves_as(block, blocks.BaseStructBlock):
        return _struct_reader(block)
    if _behaves_as(block, blocks.RichTextBlock):
        if block.search_index:
            return lambda raw: [rich_text_as_text(force_str(raw or ""))]
        return lambda raw: []
    if _behaves_as(block, blocks.CharBlock) or _behaves_as(block, blocks.TextBlock):
        return block.get_searchable_content
    if _behaves_as(block, blocks.ChoiceBlock):
        return _choice_reader(block)
    return lambda raw: block.get_searchable_content(block.to_python(raw))


def _behaves_as(block: Any, base: type) -> bool:
    """Whether a block reads and indexes its values as one of Wagtail's does."""
    return all(
        getattr(type(block), method) is getattr(base, method)
        for method in ("get_searchable_content", "to_python", "bulk_to_python")
    )


def _struct_reader(block: Any) -> ReadBlock:
    if not block.search_index:
        return lambda raw: []
    readers = [
        (name, child, _block_reader(child))
        for name, child in block.child_blocks.items()
        if type(child).get_searchable_content is not blocks.Block.get_searchable_content
    ]

    def read(raw: Any) -> list[str]:
        texts: list[str] = []
        for name, child, read_child in readers:
            if name in raw:
                texts += read_child(raw[name])
            else:
                texts += child.get_searchable_content(child.get_default())
        return texts

    return read


def _choice_reader(block: Any) -> ReadBlock:
    # Labels are translated, so they are kept for one batch and no longer.
    labels: dict[str, list[str]] = {}

    def read(raw: Any) -> list[str]:
        if not isinstance(raw, str):
            texts: list[str] = block.get_searchable_content(raw)
            return texts
        if raw not in labels:
            labels[raw] = block.get_searchable_content(raw)
        return labels[raw]

    return read


# Writing


# How many texts there are for each column, and their weights: "A", "DDD", "BBDCDD".
Shape = tuple[str, ...]


def _write(search_index: Any, model: type[Any], instances: Sequence[Model]) -> None:
    """Write the entries of one batch by one statement.

    Objects that have equally many texts of equal weights share a SELECT. So their
    texts are put together in the order that Wagtail puts them, which shows where a
    word occurs so often that PostgreSQL keeps only some of its positions.
    """
    rows = _rows_by_shape(model, instances)
    backend = search_index.backend
    selects: list[str] = []
    params: list[Any] = []
    for shape, columns in rows.items():
        select, configs = _select(shape, backend.config, backend.autocomplete_config)
        selects.append(select)
        params += [*configs, *map(text_array, columns)]
    table = search_index.write_connection.ops.quote_name(
        search_index.entries.model._meta.db_table
    )
    content_type = ContentType.objects.get_for_model(model).pk
    sql = STATEMENT.format(table=table, entries=" UNION ALL ".join(selects))
    with search_index.write_connection.cursor() as cursor:
        cursor.execute(sql, [*params, content_type, TITLE_SAMPLE, content_type])


# title_norm is what Wagtail would set by a second write of every row: the average
# length of titles, these included, divided by the title's own.
STATEMENT = """
WITH entry (object_id, title, title_text, autocomplete, body, body_text) AS (
    {entries}
), average AS (
    SELECT avg(lexemes)::double precision AS length FROM (
        SELECT length(title) AS lexemes FROM entry
        UNION ALL (
            SELECT length(title) FROM {table}
            WHERE NOT (
                content_type_id = %s AND object_id IN (SELECT object_id FROM entry)
            )
            LIMIT %s
        )
    ) AS titles WHERE lexemes > 0
)
INSERT INTO {table} (
    content_type_id, object_id, title, title_norm, title_text, autocomplete, body,
    body_text
)
SELECT
    %s, object_id, title,
    coalesce(average.length / nullif(length(title), 0), 1), title_text, autocomplete,
    body, body_text
FROM entry, average
ON CONFLICT (content_type_id, object_id) DO UPDATE SET
    title = EXCLUDED.title,
    title_norm = EXCLUDED.title_norm,
    title_text = EXCLUDED.title_text,
    autocomplete = EXCLUDED.autocomplete,
    body = EXCLUDED.body,
    body_text = EXCLUDED.body_text
"""


def _rows_by_shape(
    model: type[Any], instances: Sequence[Model]
) -> dict[Shape, list[list[str]]]:
    """The ids and texts of the objects, as columns."""
    from modelsearch.backends.database.postgres.weights import get_weight

    rows: dict[Shape, list[list[str]]] = defaultdict(list)
    texts_of_all = collect_texts(model, instances)
    for instance, texts in zip(instances, texts_of_all, strict=True):
        row = [force_str(instance.pk)]
        shape: list[str] = []
        for column in COLUMNS:
            own = [text for text in texts if text.column == column]
            row += [text.text for text in own]
            shape.append("".join(get_weight(text.boost) for text in own))
        rows[tuple(shape)].append(row)
    return {
        shape: [list(column) for column in zip(*same, strict=True)]
        for shape, same in rows.items()
    }


def _select(
    shape: Shape, config: str | None, autocomplete_config: str
) -> tuple[str, list[str]]:
    """The SELECT of the objects of one shape, and the configurations that it names."""
    title, autocomplete, body = shape
    names = [f"t{number}" for number in range(sum(map(len, shape)))]
    remaining = iter(names)
    title_names = list(islice(remaining, len(title)))
    autocomplete_names = list(islice(remaining, len(autocomplete)))
    body_names = list(remaining)
    configs = [
        *[config] * len(title),
        *[autocomplete_config] * len(autocomplete),
        *[config] * len(body),
    ]
    expressions = [
        "object_id",
        _vector(title_names, title, config),
        _joined(title_names),
        _vector(autocomplete_names, autocomplete, autocomplete_config),
        _vector(body_names, body, config),
        _joined(body_names),
    ]
    arrays = ", ".join(["%s::text[]"] * (len(names) + 1))
    columns = ", ".join(["object_id", *names])
    select = (
        f"SELECT {', '.join(expressions)} "  # noqa: S608 - names made here
        f"FROM unnest({arrays}) AS object ({columns})"
    )
    return select, [name for name in configs if name is not None]


def _vector(names: Sequence[str], weights: str, config: str | None) -> str:
    """The search vector of some texts, put together as a balanced tree."""
    if not names:
        return "''::tsvector"
    if len(names) == 1:
        regconfig = "" if config is None else "%s::regconfig, "
        return f"setweight(to_tsvector({regconfig}{names[0]}), '{weights}')"
    middle = len(names) // 2
    first = _vector(names[:middle], weights[:middle], config)
    second = _vector(names[middle:], weights[middle:], config)
    return f"({first} || {second})"


def _joined(names: Sequence[str]) -> str:
    return " || ' ' || ".join(names) or "''"
