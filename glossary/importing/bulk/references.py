"""The reference index of many objects at once, as saving each would leave it.

What refers to what is decided as in ``ReferenceIndex._extract_references_from_object``,
but read from the raw streams, and for all objects together: a fixed number of
statements whatever their number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha1
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRel
from django.contrib.contenttypes.models import ContentType
from django.db import connections, router, transaction
from django.db.models import Field, Model
from django.utils.encoding import force_str
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel, get_all_child_relations
from wagtail import blocks
from wagtail.fields import StreamField
from wagtail.models import ReferenceIndex
from wagtail.rich_text import extract_references_from_rich_text, features

from .arrays import integer_array, text_array


# The namespace of Wagtail's hashes of content paths.
PATHS = UUID("bdc70d8b-e7a2-4c2a-bf43-2a3e3fcbbe86").bytes
# How many objects share their statements: the parameters stay within what SQLite takes.
BATCH_SIZE = 500

# Of the referenced object the content type and the primary key, then the path of the
# field and the path of the content: a row of the index but for its source.
Reference = tuple[int, str, str, str]
# A reference, and the position of the object that it was found in.
Found = tuple[int, Reference]
# What a block's raw value refers to: model, primary key, both paths within the block.
RawReference = tuple[type[Model], Any, str, str]
ReadBlock = Callable[[Any], Iterable[RawReference]]


def index_references(objects: Sequence[Model], *, created: bool = False) -> None:
    """Bring the reference index up to date with saved objects of one class.

    Rows that hang on them are taken from memory where they are there, and else from
    the database, for all objects together. With ``created`` the objects are taken to
    have no references yet, which saves looking for them.
    """
    if not objects or not ReferenceIndex.is_indexed(type(objects[0])):
        return
    using = router.db_for_write(ReferenceIndex)
    remaining = iter(objects)
    with transaction.atomic(using=using, savepoint=False):
        while batch := list(islice(remaining, BATCH_SIZE)):
            references = extract_references(batch)
            stored = {} if created else _stored(batch, using)
            _insert(batch, references, stored, using)
            _delete(batch, references, stored, using)


def extract_references(objects: Sequence[Model]) -> list[set[Reference]]:
    """Return what each of these objects of one class refers to."""
    references: list[set[Reference]] = [set() for _ in objects]
    for position, reference in _found(type(objects[0]), objects):
        references[position].add(reference)
    return references


# Extracting


def _found(model: type[Model], objects: Sequence[Any]) -> Iterator[Found]:
    for field in model._meta.get_fields():
        if isinstance(field, GenericForeignKey):
            if not _is_ignored(field):
                yield from _found_by_wagtail(model, field, objects)
            continue
        if _is_foreign_key(field):
            yield from _found_in_foreign_key(field, objects)
        if hasattr(field, "extract_references"):
            yield from _found_in_field(field, objects)
    for relation in _child_relations(model):
        if _can_refer(relation.related_model):
            yield from _found_in_rows(relation, objects)


def _child_relations(model: type[Model]) -> list[Any]:
    if not issubclass(model, ClusterableModel):
        return []
    relations: list[Any] = get_all_child_relations(model)
    return relations


def _can_refer(model: type[Model]) -> bool:
    """Whether rows of a model can refer to anything, so that they are worth reading."""
    return any(
        (isinstance(field, GenericForeignKey) and not _is_ignored(field))
        or _is_foreign_key(field)
        or hasattr(field, "extract_references")
        for field in model._meta.get_fields()
    ) or any(_can_refer(relation.related_model) for relation in _child_relations(model))


def _is_ignored(field: Any) -> bool:
    name = "wagtail_reference_index_ignore"
    return getattr(field, name, False) or getattr(field.related_model, name, False)


def _is_foreign_key(field: Any) -> bool:
    return (
        field.is_relation
        and field.many_to_one
        and not _is_ignored(field)
        and not isinstance(field, (ParentalKey, GenericRel))
    )


def _base_content_type(model: type[Model]) -> int:
    pk: int = ReferenceIndex._get_base_content_type(model).pk
    return pk


def _found_by_wagtail(
    model: type[Model], field: GenericForeignKey, objects: Sequence[Any]
) -> Iterator[Found]:
    type_field: Any = model._meta.get_field(field.ct_field)
    key_field: Any = model._meta.get_field(field.fk_field)
    for position, instance in enumerate(objects):
        type_pk = type_field.value_from_object(instance)
        key = key_field.value_from_object(instance)
        if type_pk is not None and key is not None:
            target: Any = ContentType.objects.get_for_id(type_pk).model_class()
            content_type = _base_content_type(target)
            yield position, (content_type, str(key), field.name, field.name)


def _found_in_foreign_key(field: Any, objects: Sequence[Any]) -> Iterator[Found]:
    content_type = _base_content_type(field.related_model)
    name = field.name
    for position, instance in enumerate(objects):
        value = field.value_from_object(instance)
        if value is not None:
            yield position, (content_type, str(value), name, name)


def _found_in_field(field: Any, objects: Sequence[Any]) -> Iterator[Found]:
    name = field.name
    content_types: dict[type[Model], int] = {}
    read = _field_reader(field)
    found = []
    for position, instance in enumerate(objects):
        for target, key, model_path, content_path in read(instance):
            found.append((position, target, key, model_path, content_path))
    chosen = _existing(
        (target, key.key) for _, target, key, _, _ in found if type(key) is Chosen
    )
    for position, target, key, model_path, content_path in found:
        if type(key) is Chosen and (key := chosen[target].get(key.key)) is None:
            continue
        if target not in content_types:
            content_types[target] = _base_content_type(target)
        yield (
            position,
            (
                content_types[target],
                key,
                f"{name}.{model_path}",
                f"{name}.{content_path}",
            ),
        )


class Chosen:
    """The primary key that a chooser stored; what it names may be gone."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key


def _existing(
    chosen: Iterable[tuple[type[Model], Any]],
) -> dict[type[Model], dict[Any, str]]:
    """Of the chosen primary keys those that exist, each as the index has it."""
    keys: dict[type[Model], set[Any]] = defaultdict(set)
    for model, key in chosen:
        keys[model].add(key)
    existing: dict[type[Model], dict[Any, str]] = {}
    for model, wanted in keys.items():
        remaining = iter(wanted)
        existing[model] = {}
        while batch := list(islice(remaining, BATCH_SIZE)):
            pks = model.objects.filter(pk__in=batch).values_list("pk", flat=True)
            existing[model].update((pk, str(pk)) for pk in pks)
    return existing


def _found_in_rows(relation: Any, objects: Sequence[Any]) -> Iterator[Found]:
    """References of the rows that hang on the objects by one child relation."""
    model = relation.related_model
    name = relation.get_accessor_name()
    owners: list[int] = []
    rows: list[Any] = []
    absent: dict[Any, int] = {}
    for position, instance in enumerate(objects):
        manager = getattr(instance, name)
        if manager.is_deferring:
            in_memory = manager.all()
            rows += in_memory
            owners += [position] * len(in_memory)
        else:
            absent[instance.pk] = position
    key = relation.field
    remaining = iter(absent)
    while batch := list(islice(remaining, BATCH_SIZE)):
        for row in model._default_manager.filter(**{f"{key.name}__in": batch}):
            rows.append(row)
            owners.append(absent[getattr(row, key.attname)])
    for position, (target, pk, model_path, content_path) in _found(model, rows):
        yield (
            owners[position],
            (
                target,
                pk,
                f"{name}.item.{model_path}",
                f"{name}.{rows[position].pk}.{content_path}",
            ),
        )


# Blocks, without making them


def _field_reader(field: Any) -> Callable[[Any], Iterable[RawReference]]:
    if (
        isinstance(field, StreamField)
        and type(field).extract_references is StreamField.extract_references
        and type(field).value_from_object is Field.value_from_object
        and _behaves_as(field.stream_block, blocks.BaseStreamBlock)
    ):
        return partial(_stream_references, field.attname, _readers(field.stream_block))

    def read(instance: Any) -> Iterable[RawReference]:
        value = field.value_from_object(instance)
        return () if value is None else field.extract_references(value)

    return read


def _stream_references(
    name: str, readers: dict[str, ReadBlock], instance: Any
) -> Iterator[RawReference]:
    if not readers:
        return
    for child in getattr(instance, name).get_prep_value():
        kind = child["type"]
        if kind not in readers:
            continue
        for target, key, model_path, content_path in readers[kind](child["value"]):
            yield (
                target,
                key,
                f"{kind}.{model_path}" if model_path else kind,
                f"{child['id']}.{content_path}" if content_path else child["id"],
            )


def _readers(block: Any) -> dict[str, ReadBlock]:
    """The readers of those of a block's children that can refer to something."""
    readers = {name: _block_reader(child) for name, child in block.child_blocks.items()}
    return {name: read for name, read in readers.items() if read is not None}


def _block_reader(block: Any) -> ReadBlock | None:
    if type(block).extract_references is blocks.Block.extract_references:
        return None
    if _behaves_as(block, blocks.BaseStructBlock):
        return _struct_reader(block)
    if _behaves_as(block, blocks.RichTextBlock):
        return _rich_text_reader()
    if _behaves_as(block, blocks.ChooserBlock):
        if not issubclass(block.model_class, Model):
            return None
        return partial(_chosen_references, block.model_class)
    return lambda raw: block.extract_references(block.to_python(raw))


def _behaves_as(block: Any, base: type) -> bool:
    """Whether a block reads its values and what they refer to as one of Wagtail's."""
    return all(
        getattr(type(block), method) is getattr(base, method)
        for method in ("extract_references", "to_python", "bulk_to_python")
    )


def _struct_reader(block: Any) -> ReadBlock | None:
    readers = _readers(block)
    if not readers:
        return None

    def read(raw: Any) -> Iterator[RawReference]:
        for name, read_child in readers.items():
            if name in raw:
                references = read_child(raw[name])
            else:
                child = block.child_blocks[name]
                references = child.extract_references(child.get_default())
            for target, key, model_path, content_path in references:
                yield (
                    target,
                    key,
                    f"{name}.{model_path}" if model_path else name,
                    f"{name}.{content_path}" if content_path else name,
                )

    return read


def _rich_text_reader() -> ReadBlock:
    marks = ["linktype=", "embedtype="]
    if {"external", "email", "anchor"} & set(features.get_link_types()):
        # The site has handlers of its own for links that are known by their address.
        marks.append("href=")

    def read(raw: Any) -> Iterable[RawReference]:
        html = force_str(raw or "")
        if not any(mark in html for mark in marks):
            return ()
        references: Iterable[RawReference] = extract_references_from_rich_text(html)
        return references

    return read


def _chosen_references(target: type[Model], raw: Any) -> Iterable[RawReference]:
    return () if raw is None else ((target, Chosen(raw), "", ""),)


# Writing

# Of stored references: the row's id and the content type that it was found under.
Stored = dict[tuple[str, Reference], tuple[int, int]]


def _stored(objects: Sequence[Model], using: str) -> Stored:
    rows = ReferenceIndex.objects.using(using).filter(
        base_content_type=_base_content_type(type(objects[0])),
        object_id__in=[str(instance.pk) for instance in objects],
    )
    return {
        (object_id, reference): (pk, content_type)
        for pk, content_type, object_id, *rest in rows.values_list(
            "pk",
            "content_type_id",
            "object_id",
            "to_content_type_id",
            "to_object_id",
            "model_path",
            "content_path",
        )
        for reference in [tuple(rest)]
    }


def content_path_hash(content_path: str) -> str:
    """Return what ``ReferenceIndex._get_content_path_hash`` does, as hexadecimal
    digits; it makes two UUIDs for each."""
    digest = sha1(PATHS + content_path.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) % 4]
    return f"{digest[:12]}5{digest[13:16]}{variant}{digest[17:32]}"


def _content_types(model: type[Model]) -> list[int]:
    """The content types of a model and of those that it extends, its own first."""
    get = ContentType.objects.get_for_model
    models = [model, *model._meta.get_parent_list()]
    return [get(each, for_concrete_model=False).pk for each in models]


def _insert(
    objects: Sequence[Model],
    references: Sequence[set[Reference]],
    stored: Stored,
    using: str,
) -> None:
    content_types = _content_types(type(objects[0]))
    rows = [
        (str(instance.pk), *reference, content_path_hash(reference[3]))
        for instance, own in zip(objects, references, strict=True)
        for reference in own
        if (str(instance.pk), reference) not in stored
    ]
    if not rows:
        return
    connection = connections[using]
    if connection.vendor == "postgresql":
        table = connection.ops.quote_name(ReferenceIndex._meta.db_table)
        columns = [
            integer_array(column) if isinstance(column[0], int) else text_array(column)
            for column in zip(*rows, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(
                INSERT.format(table=table),
                [content_types[0], content_types[-1], *columns],
            )
        return
    ReferenceIndex.objects.using(using).bulk_create(
        [
            ReferenceIndex(
                content_type_id=content_types[0],
                base_content_type_id=content_types[-1],
                object_id=object_id,
                to_content_type_id=target,
                to_object_id=key,
                model_path=model_path,
                content_path=content_path,
                content_path_hash=path_hash,
            )
            for object_id, target, key, model_path, content_path, path_hash in rows
        ],
        ignore_conflicts=connection.features.supports_ignore_conflicts,
    )


INSERT = """
INSERT INTO {table} (
    content_type_id, base_content_type_id, object_id, to_content_type_id, to_object_id,
    model_path, content_path, content_path_hash
)
SELECT %s, %s, * FROM unnest(
    %s::text[], %s::integer[], %s::text[], %s::text[], %s::text[], %s::uuid[]
)
ON CONFLICT DO NOTHING
"""


def _delete(
    objects: Sequence[Model],
    references: Sequence[set[Reference]],
    stored: Stored,
    using: str,
) -> None:
    if not stored:
        return
    current = {
        (str(instance.pk), reference)
        for instance, own in zip(objects, references, strict=True)
        for reference in own
    }
    # What was found under a more specific class may well be there still.
    known = set(_content_types(type(objects[0])))
    stale = [
        pk
        for reference, (pk, content_type) in stored.items()
        if reference not in current and content_type in known
    ]
    if stale:
        ReferenceIndex.objects.using(using).filter(pk__in=stale).delete()
