"""Put content on a page, in memory.

What stays the same keeps its block ids, its rows and its very rich text, so that
anchors, comments and links to pages stay with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taggit.models import Tag
from wagtail.blocks import StreamValue

from .. import conf
from ..content import PROSE, SEO_FIELDS, Content, text_of_kind, to_markdown
from ..models import Category, TermLabel, TermLink, TermPage, TermTag
from ..richtext import markdown_to_rich_text


Raw = dict[str, Any]


@dataclass(slots=True)
class Surroundings:
    """What terms of one glossary and language refer to, all of it there already."""

    related_terms: dict[str, int] = field(default_factory=dict)
    """The ids of related terms, by their slugs."""
    categories: dict[str, Category] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    rich_text: Callable[[str], str] = lambda text: markdown_to_rich_text(text).value
    """Makes rich text of Markdown."""


def write_content(page: TermPage, content: Content, around: Surroundings) -> None:
    """Put the content's fields on the page; further fields of the page stay."""
    for name in _ORDER:
        if name in content:
            _WRITERS[name](page, name, content[name], around)


def _write_attribute(
    page: TermPage, name: str, value: str, around: Surroundings
) -> None:
    setattr(page, name, value)


def _write_seo(page: TermPage, name: str, value: str, around: Surroundings) -> None:
    if hasattr(page, SEO_FIELDS[name]):
        setattr(page, SEO_FIELDS[name], value)
    elif value:
        page.payload_extra = {**page.payload_extra, name: value}


# Streams, written as the raw data that is stored


def _set_stream(page: TermPage, name: str, children: Sequence[Raw]) -> None:
    block = page._meta.get_field(name).stream_block
    setattr(page, name, StreamValue(block, children, is_lazy=True))


def _raw(page: TermPage, name: str) -> list[Raw]:
    return list(getattr(page, name).raw_data)


def _rich_text(around: Surroundings, markdown: str, present: str = "") -> str:
    """The rich text of a Markdown text: the present one where it says the same."""
    if present and to_markdown(present) == markdown:
        return present
    return around.rich_text(markdown)


def _write_prose(page: TermPage, name: str, value: str, around: Surroundings) -> None:
    """Put the text into the first section of its kind; the kinds keep their order."""
    kind = PROSE[name]
    present = _raw(page, "explanation")
    of_kind = [child for child in present if child["value"].get("kind") == kind]
    said = text_of_kind(
        [
            {"kind": kind, "text": to_markdown(child["value"].get("body"))}
            for child in of_kind
        ],
        kind,
    )
    if said == value and (value or not of_kind):
        return
    kept: list[Raw] = []
    written = False
    for child in present:
        if child["value"].get("kind") != kind:
            kept.append(child)
        elif value and not written:
            body = _rich_text(around, value)
            kept.append({**child, "value": {**child["value"], "body": body}})
            written = True
    if value and not written:
        section = {"kind": kind, "heading": "", "body": _rich_text(around, value)}
        kept.insert(_place_of(kind, kept), _child("section", section))
    _set_stream(page, "explanation", kept)


def _place_of(kind: str, children: Sequence[Raw]) -> int:
    """Where a new section goes: behind those whose kinds come before its own."""
    order = [value for value, _label in conf.section_kinds()]
    before = order[: order.index(kind)]
    places = [
        place
        for place, child in enumerate(children, start=1)
        if child["value"].get("kind") in before
    ]
    return max(places, default=0)


def _child(block_type: str, value: Raw, present: Raw | None = None) -> Raw:
    block_id = (present or {}).get("id") or str(uuid.uuid4())
    return {"type": block_type, "value": value, "id": block_id}


def _matching(
    items: Sequence[Any],
    children: Sequence[Raw],
    key_of_item: Callable[[Any], Any],
    key_of_child: Callable[[Raw], Any],
) -> Iterable[Raw | None]:
    """For each item the child that it goes on from: one of the same key, else the
    next of those that no item has taken."""
    by_key: dict[Any, list[int]] = {}
    for position, child in enumerate(children):
        by_key.setdefault(key_of_child(child), []).append(position)
    found: list[int | None] = []
    for item in items:
        positions = by_key.get(key_of_item(item))
        found.append(positions.pop(0) if positions else None)
    free = sorted(position for positions in by_key.values() for position in positions)
    left = len(items) == len(children)
    for position in found:
        if position is None and left and free:
            yield children[free.pop(0)]
        else:
            yield None if position is None else children[position]


def _write_children(
    page: TermPage,
    stream: str,
    block_type: str,
    items: Sequence[Raw],
    around: Surroundings,
    *,
    names: Mapping[str, str],
    prose: tuple[str, str],
    more: Callable[[Raw], Raw] = lambda item: {},
) -> None:
    """Write items as blocks. ``names`` are the fields that tell which item is which,
    by what they are called in a block; ``prose`` is the Markdown of an item, and what
    it is called in a block; ``more`` gives further fields of the block."""
    said, text = prose
    children = []
    present = _matching(
        items,
        _raw(page, stream),
        lambda item: tuple(item[name] for name in names),
        lambda child: tuple(child["value"].get(name) or "" for name in names.values()),
    )
    for item, child in zip(items, present, strict=True):
        former = (child or {}).get("value", {}).get(text) or ""
        value = {
            **more(item),
            **{inner: item[name] for name, inner in names.items()},
            text: _rich_text(around, item[said], former),
        }
        children.append(_child(block_type, value, child))
    _set_stream(page, stream, children)


def _write_sections(
    page: TermPage, name: str, items: list[Raw], around: Surroundings
) -> None:
    _write_children(
        *(page, "explanation", "section", items, around),
        names={"kind": "kind", "heading": "heading"},
        prose=("text", "body"),
    )


def _write_comparisons(
    page: TermPage, name: str, items: list[Raw], around: Surroundings
) -> None:
    _write_children(
        *(page, "comparisons", "comparison", items, around),
        names={"term": "name"},
        prose=("comparison", "comparison"),
        more=lambda item: {
            "related_term": around.related_terms.get(item["slug"] or "")
        },
    )


def _write_faq(
    page: TermPage, name: str, items: list[Raw], around: Surroundings
) -> None:
    _write_children(
        *(page, "faq", "question", items, around),
        names={"question": "question"},
        prose=("answer", "answer"),
    )


def _write_features(
    page: TermPage, name: str, paths: list[str], around: Surroundings
) -> None:
    present = {
        child["value"].get("path"): child for child in _raw(page, "related_features")
    }
    children = [
        present.get(path) or _child("feature", {"path": path, "label": ""})
        for path in paths
    ]
    _set_stream(page, "related_features", children)


def _write_feature_labels(
    page: TermPage, name: str, labels: Mapping[str, str], around: Surroundings
) -> None:
    children = [
        {
            **child,
            "value": {
                **child["value"],
                "label": labels.get(child["value"].get("path"), ""),
            },
        }
        for child in _raw(page, "related_features")
    ]
    _set_stream(page, "related_features", children)


# Rows


def _write_related_terms(
    page: TermPage, name: str, items: list[Raw], around: Surroundings
) -> None:
    former = {link.related_term_id: link for link in page.related_terms.all()}
    links = []
    for position, item in enumerate(items):
        pk = around.related_terms[item["slug"]]
        link = former.get(pk) or TermLink(related_term_id=pk)
        link.kind = item["kind"]
        link.sort_order = position
        links.append(link)
    page.related_terms.set(links)


def _write_labels(
    page: TermPage, name: str, items: list[Raw], around: Surroundings
) -> None:
    former = {label.text: label for label in page.labels.all()}
    labels = []
    for position, item in enumerate(items):
        label = former.get(item["text"]) or TermLabel(text=item["text"])
        label.kind = item["kind"]
        label.case_rule = item["case_rule"]
        label.sort_order = position
        labels.append(label)
    page.labels.set(labels)


def _write_category(
    page: TermPage, name: str, value: str, around: Surroundings
) -> None:
    page.category = around.categories[value] if value else None


def _write_tags(
    page: TermPage, name: str, value: list[str], around: Surroundings
) -> None:
    former = {item.tag.name: item for item in page.tagged_items.all()}
    page.tagged_items.set(
        [former.get(tag) or TermTag(tag=around.tags[tag]) for tag in value]
    )


def _write_extra(
    page: TermPage, name: str, value: dict[str, Any], around: Surroundings
) -> None:
    page.payload_extra = value


_WRITERS: dict[str, Callable[[TermPage, str, Any, Surroundings], None]] = {
    "title": _write_attribute,
    "heading": _write_attribute,
    "short_definition": _write_attribute,
    "extra": _write_extra,
    "seo_title": _write_seo,
    "seo_description": _write_seo,
    **dict.fromkeys(PROSE, _write_prose),
    "sections": _write_sections,
    "comparisons": _write_comparisons,
    "related_terms": _write_related_terms,
    "related_features": _write_features,
    "feature_labels": _write_feature_labels,
    "faq": _write_faq,
    "category": _write_category,
    "labels": _write_labels,
    "tags": _write_tags,
}
# Labels of features are for features that are there.
_ORDER = tuple(_WRITERS)
