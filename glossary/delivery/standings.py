"""How terms stand in the catalogue: as it has them, as their pages say, and what is
written to bring the one to the other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import models
from django.db.models.functions import Cast

from ..alphabet import letter_of, sort_key
from ..models import (
    CategoryCount,
    LetterCount,
    Mention,
    NameVariant,
    PublicName,
    PublicTag,
    PublicTerm,
    TagCount,
    TermLabel,
    TermLink,
    TermPage,
    TermTag,
)
from ..names import name_key, variants
from ..visibility import linked_targets
from .rows import insert_rows
from .term_streams import PROSE


# The kinds of label that stand in the A to Z, beside titles.
SHOWN_KINDS = {TermLabel.Kind.SYNONYM, TermLabel.Kind.ABBREVIATION}
ROW = (
    *("glossary_id", "locale_id", "category_id", "title", "slug", "letter"),
    *("sort_key", "first_published_at", "last_published_at", "has_explanation"),
)
# How a stream without blocks is stored.
EMPTY = {None, "", "null", "[]", '""', '"[]"'}
# When a term was published, if nobody knows.
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)


class Pointer(NamedTuple):
    """One mention, without the term that makes it."""

    kind: str
    target_type: str
    target_id: int


class Name(NamedTuple):
    kind: str
    text: str
    letter: str


@dataclass(slots=True)
class Standing:
    """How a term stands in the catalogue: what it was, or what it is to be."""

    glossary_id: int
    locale_id: int
    category_id: int | None
    title: str
    slug: str
    letter: str
    sort_key: bytes
    first_published_at: datetime
    last_published_at: datetime
    has_explanation: bool
    language: str = field(default="", compare=False)
    """Known of what it is to be."""
    names: set[Name] = field(default_factory=set)
    tags: set[int] = field(default_factory=set)
    pointers: set[Pointer] = field(default_factory=set)

    @property
    def face(self) -> tuple[Any, ...]:
        """What others show of it."""
        return self.glossary_id, self.slug

    @property
    def naming(self) -> tuple[Any, ...]:
        """What the rows of its names are made from."""
        return self.glossary_id, self.locale_id, self.sort_key, self.names

    @property
    def tagging(self) -> tuple[Any, ...]:
        """What the rows of its tags are made from."""
        return self.glossary_id, self.sort_key, self.tags

    @property
    def row(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in ROW)


Standings = Mapping[int, Standing]
Key = tuple[int | str, ...]
Heap = tuple[type[models.Model], Key, str]
"""What is counted together: a table, the row of it, and the column."""

# What identifies a row of each table of counts, and what it counts.
COUNTS: Mapping[type[models.Model], tuple[tuple[str, ...], tuple[str, ...]]] = {
    LetterCount: (("glossary_id", "letter"), ("terms", "labels")),
    CategoryCount: (("glossary_id", "category_id", "letter"), ("terms",)),
    TagCount: (("glossary_id", "tag_id"), ("terms",)),
}


# --- As the catalogue has them


def stored(pks: Collection[int]) -> dict[int, Standing]:
    rows = PublicTerm.objects.filter(pk__in=pks).values_list("pk", *ROW)
    found = {pk: Standing(*row) for pk, *row in rows}
    for standing in found.values():
        standing.sort_key = bytes(standing.sort_key)
    if found:
        names = PublicName.objects.filter(public_term__in=found)
        for pk, *name in names.values_list("public_term_id", "kind", "text", "letter"):
            found[pk].names.add(Name(*name))
        mentions = Mention.objects.filter(public_term__in=found)
        for pk, *pointer in mentions.values_list(
            "public_term_id", "kind", "target_type", "target_id"
        ):
            found[pk].pointers.add(Pointer(*pointer))
        tags = PublicTag.objects.filter(public_term__in=found)
        for pk, tag in tags.values_list("public_term_id", "tag_id"):
            found[pk].tags.add(tag)
    return found


# --- As their pages say


def read(pks: Collection[int], glossaries: Mapping[str, int]) -> dict[int, Standing]:
    """Those that anyone may see. ``glossaries`` are the public ones by their paths: a
    term of another cannot be found by its glossary, so it is not delivered."""
    streams = {
        f"{name}_text": Cast(name, output_field=models.TextField()) for name in PROSE
    }
    rows = (
        TermPage.objects.visible()
        .filter(pk__in=pks)
        .annotate(**streams)
        .values_list(
            *("pk", "path", "title", "slug", "category_id", "locale_id"),
            *("first_published_at", "last_published_at"),
            *("locale__language_code", *streams),
        )
    )
    found: dict[int, Standing] = {}
    for pk, path, title, slug, category, locale, first, last, language, *texts in rows:
        glossary = glossaries.get(path[: -TermPage.steplen])
        if glossary is None:
            continue
        letter = letter_of(title, language)
        found[pk] = Standing(
            glossary,
            locale,
            category,
            title,
            slug,
            letter,
            sort_key(title, language),
            first or UNKNOWN,
            last or UNKNOWN,
            texts[0] not in EMPTY,
            language,
            names={Name(PublicName.Kind.TITLE, title, letter)},
            pointers=_pointers(texts),
        )
    labels = TermLabel.objects.filter(term__in=found)
    for pk, kind, text in labels.values_list("term_id", "kind", "text"):
        standing = found[pk]
        standing.names.add(Name(kind, text, letter_of(text, standing.language)))
    links = TermLink.objects.filter(term__in=found)
    for pk, kind, target in links.values_list("term_id", "kind", "related_term_id"):
        found[pk].pointers.add(Pointer(kind, Mention.Target.RELATED_TERM, target))
    tags = TermTag.objects.filter(content_object__in=found)
    for pk, tag in tags.values_list("content_object_id", "tag_id"):
        found[pk].tags.add(tag)
    return found


def _pointers(streams: Iterable[str]) -> set[Pointer]:
    """What the streams (as JSON) point at."""
    found = set()
    for text, stream in zip(PROSE.values(), streams, strict=True):
        for child in _children(stream):
            value = child.get("value")
            if not isinstance(value, dict):
                continue
            if isinstance(pk := value.get("related_term"), int):
                found.add(
                    Pointer(Mention.Kind.COMPARISON, Mention.Target.RELATED_TERM, pk)
                )
            if isinstance(html := value.get(text), str) and "linktype" in html:
                found |= {
                    Pointer(Mention.Kind.TEXT, target_type, pk)
                    for target_type, pk in linked_targets(html)
                    if target_type in (Mention.Target.PAGE, Mention.Target.DOCUMENT)
                }
    return found


def _children(stream: str | None) -> Iterable[dict[str, Any]]:
    if not stream or not any(word in stream for word in ("linktype", "related_term")):
        return []
    children = json.loads(stream)
    if isinstance(children, str):  # a column of text holds JSON in JSON
        children = json.loads(children) if children else []
    return [child for child in children if isinstance(child, dict)]


# --- What is written


def write(before: Standings, after: Standings) -> None:
    """Write what differs, and nothing else."""
    gone = before.keys() - after.keys()
    differing = {
        pk for pk, new in after.items() if pk in before and before[pk].row != new.row
    }
    renamed = {
        pk
        for pk, new in after.items()
        if pk not in before or before[pk].naming != new.naming
    }
    pointing = {
        pk
        for pk, new in after.items()
        if pk not in before or before[pk].pointers != new.pointers
    }
    tagged = {
        pk
        for pk, new in after.items()
        if pk not in before or before[pk].tagging != new.tagging
    }
    _delete(
        gone,
        *((changed & before.keys()) | gone for changed in (renamed, pointing, tagged)),
    )
    PublicTerm.objects.bulk_update(
        [
            PublicTerm(pk, **dict(zip(ROW, after[pk].row, strict=True)))
            for pk in differing
        ],
        ROW,
    )
    insert_rows(
        PublicTerm,
        ("term_id", *ROW),
        [(pk, *new.row) for pk, new in after.items() if pk not in before],
    )
    _insert_names({pk: after[pk] for pk in renamed})
    insert_rows(
        Mention,
        ("public_term_id", *Pointer._fields),
        [(pk, *pointer) for pk in pointing for pointer in sorted(after[pk].pointers)],
    )
    insert_rows(
        PublicTag,
        ("public_term_id", "glossary_id", "tag_id", "sort_key"),
        [
            (pk, after[pk].glossary_id, tag, after[pk].sort_key)
            for pk in tagged
            for tag in sorted(after[pk].tags)
        ],
    )


def _delete(
    terms: set[int], naming: set[int], pointing: set[int], tagged: set[int]
) -> None:
    """Delete terms, and the names, the mentions and the tags of terms."""
    for model, condition, pks in (
        (NameVariant, "public_name__public_term__in", naming),
        (PublicName, "public_term__in", naming),
        (Mention, "public_term__in", pointing),
        (PublicTag, "public_term__in", tagged),
        (PublicTerm, "pk__in", terms),
    ):
        if pks:
            delete_rows(model.objects.filter(**{condition: pks}))


def delete_rows(rows: models.QuerySet[Any]) -> None:
    """Delete rows that nothing hangs on any more, without looking for it."""
    rows._raw_delete(rows.db)


def _insert_names(standings: Standings) -> None:
    insert_rows(
        PublicName,
        (
            *("public_term_id", "glossary_id", "kind", "text", "letter"),
            *("key", "sort_key"),
        ),
        [
            (
                *(pk, new.glossary_id, *name),
                name_key(name.text).encode(errors="replace"),
                new.sort_key
                if name.kind == PublicName.Kind.TITLE
                else sort_key(name.text, new.language),
            )
            for pk, new in standings.items()
            for name in sorted(new.names)
        ],
    )
    # They have their ids now.
    names = PublicName.objects.filter(public_term__in=standings)
    insert_rows(
        NameVariant,
        ("public_name_id", "variant"),
        [
            (pk, variant)
            for pk, key, glossary_id in (
                names.values_list("pk", "key", "glossary_id") if standings else ()
            )
            for variant in variants(bytes(key).decode(), glossary_id)
        ],
    )


def tally(standings: Iterable[Standing]) -> Counter[Heap]:
    """How many of them, and of their labels, are under which letter, in which category
    and of which tag."""
    counts: Counter[Heap] = Counter()
    for standing in standings:
        glossary, letter = standing.glossary_id, standing.letter
        counts[LetterCount, (glossary, letter), "terms"] += 1
        for name in standing.names:
            if name.kind in SHOWN_KINDS:
                counts[LetterCount, (glossary, name.letter), "labels"] += 1
        if standing.category_id is not None:
            key = (glossary, standing.category_id, letter)
            counts[CategoryCount, key, "terms"] += 1
        for tag in standing.tags:
            counts[TagCount, (glossary, tag), "terms"] += 1
    return counts


def count(before: Standings, after: Standings) -> None:
    """Add and take away what has come and gone, so that nothing is counted anew."""
    counts = tally(after.values())
    counts.subtract(tally(before.values()))
    for model, (names, columns) in COUNTS.items():
        changed = {key for (table, key, _), n in counts.items() if n and table is model}
        if not changed:
            continue
        wanted = {
            f"{name}__in": {key[at] for key in changed} for at, name in enumerate(names)
        }
        rows = model._default_manager.filter(**wanted).values_list(*names, *columns)
        for row in rows:
            key = row[: len(names)]
            for column, value in zip(columns, row[len(names) :], strict=True):
                counts[model, key, column] += value
        model._default_manager.bulk_create(
            [
                model(
                    **dict(zip(names, key, strict=True)),
                    **{column: counts[model, key, column] for column in columns},
                )
                for key in sorted(changed)
            ],
            update_conflicts=True,
            unique_fields=names,
            update_fields=columns,
        )
