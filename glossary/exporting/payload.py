"""The payloads that a Nuxt site reads, one folder a term."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from .. import conf
from ..content import normal_field
from ..models import ImportRecord
from ..payload.devalue import UNDEFINED, Tagged, dumps
from ..payload.field_map import FieldMap
from ..payload.schema import to_record
from .files import File, term_files
from .records import edit, read_original, said
from .selection import PAYLOAD_FORM, LoadedTerm, Selection


def payload_files(selection: Selection) -> Iterator[File]:
    """`<slug>/_payload.json` for each term."""
    return term_files(selection, "%(slug)s/_payload.json", export_payload)


def export_payload(loaded: LoadedTerm) -> bytes:
    """The payload of a term, byte for byte as Nuxt writes it.

    One that says what the page says comes back as it came, whatever wrote it. Else
    only what differs is changed: envelope, key, order and all other data stay. A term
    that never had one gets the envelope that a Nuxt site writes at runtime.
    """
    if loaded.record is None or loaded.record.payload.form != PAYLOAD_FORM:
        return _new_payload(loaded)
    raw = bytes(loaded.record.payload.raw)
    if _is_untouched(loaded, raw):
        return raw
    original = read_original(loaded)
    if original is None:
        return raw if _says_what_was_applied(loaded) else _new_payload(loaded)
    if not edit(original.record, loaded, original.term):
        return raw
    # Nuxt writes no slash; what wrote this one may have.
    return dumps(original.value, escape_slashes=b"/" not in raw).encode()


def payload_record(loaded: LoadedTerm) -> dict[str, Any]:
    """The record of a term that a payload holds, in plain JSON: the fields of a
    payload, in their order, and what else the record came with."""
    original = read_original(loaded)
    if original is None:
        return to_record(said(loaded).written)
    edit(original.plain, loaded, original.term)
    return original.plain


def _new_payload(loaded: LoadedTerm) -> bytes:
    key = conf.payload_key(loaded.page.slug)
    data = Tagged("ShallowReactive", {key: payload_record(loaded)})
    return dumps({"data": data, "prerenderedAt": UNDEFINED}).encode()


def _is_untouched(loaded: LoadedTerm, raw: bytes) -> bool:
    """Whether page and payload are known to say the same, without reading either."""
    record, page = loaded.record, loaded.page
    return (
        record is not None
        and record.revision is not None
        and record.revision == loaded.revision_id
        and _is_of_payload(record)
        and not record.proposal
        and record.key == page.slug
        and not loaded.hides_something
        and all(dumps(name)[1:-1].encode() in raw for name in _names(loaded))
    )


def _names(loaded: LoadedTerm) -> Iterator[str]:
    """What can change without a revision of the page: slugs and tags of others."""
    for link in loaded.page.related_terms.all():
        yield loaded.references[link.related_term_id].slug
    for item in loaded.page.tagged_items.all():
        yield item.tag.name
    if loaded.page.category:
        yield loaded.page.category.slug


def _says_what_was_applied(loaded: LoadedTerm) -> bool:
    """Whether nothing has changed since the import, of a payload whose fields have
    other names, so that it cannot be compared by itself."""
    record, content = loaded.record, loaded.content
    return (
        record is not None
        and _is_of_payload(record)
        and not record.proposal
        and record.key == loaded.page.slug
        and all(
            content.get(name) == normal_field(name, value)
            for name, value in record.base.items()
        )
    )


def _is_of_payload(record: ImportRecord) -> bool:
    """Whether the payload kept is what was imported last, and not a line of JSON."""
    mapped = ""
    if field_map := conf.field_map():
        fingerprint = FieldMap.from_dict(field_map).fingerprint
        mapped = sha256(f"{record.payload_id}{fingerprint}".encode()).hexdigest()
    return record.digest in (record.payload_id, mapped)
