"""Compares the catalogue and the log with the pages, and writes nothing.

What was written past Wagtail is missing in both: ``catalogue.rebuild`` puts it right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from operator import attrgetter

from django.db import models

from ..models import (
    Category,
    Change,
    GlossaryPage,
    NameVariant,
    PublicName,
    PublicTerm,
    RelatedTerm,
    TermPage,
)
from ..names import variants
from .places import Places
from .standings import COUNTS, Heap, Standing, read, stored, tally
from .versions import batches


# What of a term can differ, and how that is called.
PARTS = {
    "glossary": attrgetter("glossary_id"),
    "language": attrgetter("locale_id"),
    "category": attrgetter("category_id"),
    "title": attrgetter("title"),
    "slug": attrgetter("slug"),
    "place in the alphabet": attrgetter("letter", "sort_key"),
    "times": attrgetter("first_published_at", "last_published_at"),
    "explanation": attrgetter("has_explanation"),
    "tags": attrgetter("tags"),
    "names": attrgetter("names"),
    "mentions": attrgetter("pointers"),
}


def differences() -> Iterator[str]:
    """Each difference in a line such as ``term 17: its names differ``."""
    places = Places()
    counts: Counter[Heap] = Counter()
    for batch in batches(sorted({*_pks(TermPage), *_pks(PublicTerm)})):
        wanted = read(batch, places.glossaries_by_path)
        counts += tally(wanted.values())
        yield from _terms(batch, stored(batch), wanted)
        yield from _variants(batch)
    yield from _counts(counts)
    yield from _log(places)


def _terms(
    pks: Iterable[int], found: dict[int, Standing], wanted: dict[int, Standing]
) -> Iterator[str]:
    for pk in pks:
        if pk not in wanted:
            if pk in found:
                yield f"term {pk}: is in the catalogue, but not public"
        elif pk not in found:
            yield f"term {pk}: is public, but not in the catalogue"
        else:
            for name, part in PARTS.items():
                if part(found[pk]) != part(wanted[pk]):
                    verb = "differ" if name.endswith("s") else "differs"
                    yield f"term {pk}: its {name} {verb}"


def _variants(terms: list[int]) -> Iterator[str]:
    found: dict[int, list[int]] = {}
    rows = NameVariant.objects.filter(public_name__public_term__in=terms)
    for name, variant in rows.values_list("public_name", "variant"):
        found.setdefault(name, []).append(variant)
    differing = {
        term
        for pk, term, key, glossary in PublicName.objects.filter(
            public_term__in=terms
        ).values_list("pk", "public_term", "key", "glossary")
        if sorted(found.get(pk, ())) != sorted(variants(bytes(key).decode(), glossary))
    }
    for pk in sorted(differing):
        yield f"term {pk}: the variants of its names differ"


def _counts(wanted: Counter[Heap]) -> Iterator[str]:
    found: Counter[Heap] = Counter()
    for model, (names, columns) in COUNTS.items():
        for row in model._default_manager.values_list(*names, *columns):
            for column, value in zip(columns, row[len(names) :], strict=True):
                found[model, row[: len(names)], column] = value
    for heap in sorted({*found, *wanted}, key=repr):
        if found[heap] != wanted[heap]:
            model, (glossary, *key), what = heap
            under = " ".join(
                f"{name.removesuffix('_id')} {value}"
                for name, value in zip(COUNTS[model][0][1:], key, strict=True)
            )
            yield (
                f"glossary {glossary}: {found[heap]} {what} under {under} "
                f"instead of {wanted[heap]}"
            )


def _log(places: Places) -> Iterator[str]:
    """What the log says of what is public where."""
    for kind, model, find in (
        (Change.Kind.TERM, PublicTerm, places.of_terms),
        (Change.Kind.GLOSSARY, GlossaryPage, places.of_glossaries),
        (Change.Kind.CATEGORY, Category, places.of_categories),
        (Change.Kind.RELATED_TERM, RelatedTerm, places.of_related_terms),
    ):
        public = Change.objects.filter(kind=kind, deleted=False)
        recorded = public.values_list("object_id", flat=True)
        for batch in batches(sorted({*_pks(model), *recorded})):
            wanted = {
                (place.object_id, site): place.key
                for place in find(batch)
                for site in place.site_ids
            }
            rows = public.filter(object_id__in=batch)
            found = {
                (pk, site): key
                for pk, site, key in rows.values_list("object_id", "site_id", "key")
            }
            for pk, site in sorted({*wanted, *found}):
                if wanted.get((pk, site)) != found.get((pk, site)):
                    name = kind.replace("_", " ")
                    yield f"{name} {pk}: the log is wrong about it on site {site}"


def _pks(model: type[models.Model]) -> Iterable[int]:
    return model._base_manager.values_list("pk", flat=True)
