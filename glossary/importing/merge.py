"""The three-way merge of a term's fields. Pure: it knows no page and no database.

Three values meet: what the last import applied (base), what the page says now (ours)
and what the payload says (theirs). Only theirs changed: it is taken. Only ours: it is
kept. Both, and differently: a conflict, and ours is kept. Lists of items merge item
by item and sub-field by sub-field, so that an editor who adds a question and a source
that corrects another do not meet at all.

Nothing that is given is changed; a result may share parts with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, Final


class Missing(Enum):
    """The type of ``MISSING``."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
"""The base of a field that no import has written."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged field. Without conflicts, ``theirs_taken`` is ``value`` and
    ``next_base`` is theirs."""

    value: Any
    """Merged; ours, where there is a conflict."""
    conflicts: tuple[str, ...]
    """JSON pointers inside the field, "" for all of it. An item's position is that in
    ``value``, or, of an item that ours removed and theirs edited, in theirs."""
    theirs_taken: Any
    """Merged; theirs, where there is a conflict."""
    next_base: Any
    """The base for the next import if ``value`` is applied: theirs, but base where
    there is a conflict, which so stays one. ``MISSING`` if there is nothing to keep.
    """


def _folded(name: str) -> Callable[[Any], Hashable]:
    return lambda item: _fold(item.get(name))


def _fold(text: object) -> str:
    return " ".join(str(text or "").casefold().split())


KEYS: Final[Mapping[str, Callable[[Any], Hashable]]] = {
    "faq": _folded("question"),
    "comparisons": _folded("term"),
    "sections": lambda item: (item.get("kind"), _fold(item.get("heading"))),
    "labels": _folded("text"),
    "related_terms": lambda item: item.get("slug"),
    "related_features": lambda path: path,
}
"""The list fields, and what makes an item the same item on each side. Items of one
key are told apart by their occurrence: the first, the second and so on."""

# Lists whose key is a text that people edit, and the sub-field that then tells that
# the item is still the same. A label, slug or path is its key: another text there is
# another item.
_BODIES: Final = {"faq": "answer", "comparisons": "comparison", "sections": "text"}
# Of these, the lists where an item's place tells it too, when all its text was edited.
# Not comparisons: the link to one term must not end up with the name of another.
_TOLD_BY_PLACE: Final = frozenset({"faq", "sections"})
_SETS: Final = frozenset({"tags"})
_MAPPINGS: Final = frozenset({"extra", "feature_labels"})


def merge_field(name: str, base: Any, ours: Any, theirs: Any) -> Merged:
    """Merge one field of a term's content; values are JSON in their normal form.

    ``base`` is ``MISSING`` where no import has written the field: a list or mapping
    then has an empty base, and of others an empty one of ours takes theirs. A value
    whose shape is not that of its field is merged as a whole.
    """
    if ours == theirs or theirs == base:
        return Merged(ours, (), ours, theirs)
    if ours == base:
        return Merged(theirs, (), theirs, theirs)
    values = [value for value in (base, ours, theirs) if value is not MISSING]
    if name in _MAPPINGS and _are(dict, values):
        return _merge_members({} if base is MISSING else base, ours, theirs)
    if _are(list, values):
        before = [] if base is MISSING else base
        items = [item for value in values for item in value]
        if name in _SETS and _are(str, items):
            return _merge_sets(before, ours, theirs)
        if name in KEYS and _are(str if name == "related_features" else dict, items):
            return _merge_items(name, before, ours, theirs)
    if base is MISSING and _is_empty(ours):
        return Merged(theirs, (), theirs, theirs)
    return Merged(ours, ("",), theirs, base)


def _are(kind: type, values: Iterable[object]) -> bool:
    return all(isinstance(value, kind) for value in values)


def _is_empty(value: object) -> bool:
    """Whether a value says nothing. False and 0 do say something."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def _merge_piece(base: Any, ours: Any, theirs: Any) -> Merged:
    """Merge a piece that is not divided; each side may be ``MISSING``: not there.

    A piece that is new on both sides and empty on one is what the other says.
    """
    if ours == theirs or theirs == base:
        return Merged(ours, (), ours, theirs)
    if ours == base or (base is MISSING and _is_empty(ours)):
        return Merged(theirs, (), theirs, theirs)
    if base is MISSING and _is_empty(theirs):
        return Merged(ours, (), ours, theirs)
    return Merged(ours, ("",), theirs, base)


def _merge_sets(base: list[str], ours: list[str], theirs: list[str]) -> Merged:
    """Nothing can be in conflict: a member is added, removed or neither."""
    removed = set(base) - set(theirs)
    added = set(theirs) - set(base)
    value = sorted((set(ours) - removed) | added)
    return Merged(value, (), value, theirs)


def _merge_members(
    base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> Merged:
    """Merge key by key, in the order of ours; what only theirs has comes last."""
    merged = {}
    for name in {**ours, **theirs}:
        pieces = (side.get(name, MISSING) for side in (base, ours, theirs))
        merged[name] = _merge_piece(*pieces)
    return Merged(
        {name: piece.value for name, piece in merged.items() if _is_there(piece.value)},
        tuple(_pointer(name) for name, piece in merged.items() if piece.conflicts),
        {
            name: piece.theirs_taken
            for name, piece in merged.items()
            if _is_there(piece.theirs_taken)
        },
        {
            name: piece.next_base
            for name, piece in merged.items()
            if _is_there(piece.next_base)
        },
    )


def _is_there(value: object) -> bool:
    return value is not MISSING


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


# Lists


@dataclass(slots=True, eq=False)
class Aligned:
    """One item: its positions in base, ours and theirs, None where it is not."""

    base: int | None = None
    ours: int | None = None
    theirs: int | None = None


def align(
    name: str, base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any]
) -> list[Aligned]:
    """Which items of a list field's three values are the same, in no certain order.

    Those of one key are. If the field's key is a text that people edit, an item of
    base that one side lacks and an item that only this side has are the same item,
    edited, if they have the same body or, of a question or a section, the same place
    between the same neighbours; unless the other side knows both.
    """
    found: dict[Hashable, Aligned] = {}
    for side, items in (("base", base), ("ours", ours), ("theirs", theirs)):
        for position, key in enumerate(_occurrences(KEYS[name], items)):
            setattr(found.setdefault(key, Aligned()), side, position)
    aligned = list(found.values())
    if name not in _BODIES:
        return aligned

    of_base = {item.base: item for item in aligned if item.base is not None}
    of_ours = {item.ours: item for item in aligned if item.ours is not None}
    of_theirs = {item.theirs: item for item in aligned if item.theirs is not None}
    in_ours = _edited(
        name,
        base,
        ours,
        {at: x.ours for at, x in of_base.items() if x.ours is not None},
    )
    in_theirs = _edited(
        name,
        base,
        theirs,
        {at: x.theirs for at, x in of_base.items() if x.theirs is not None},
    )
    absorbed = set()
    for position, item in of_base.items():
        our = of_ours[in_ours[position]] if position in in_ours else None
        their = of_theirs[in_theirs[position]] if position in in_theirs else None
        if our is not their and (
            (our and our.theirs is not None) or (their and their.ours is not None)
        ):
            # The other side knows it as a new item beside this one.
            continue
        if our:
            item.ours = our.ours
        if their:
            item.theirs = their.theirs
        absorbed |= {our, their}
    return [item for item in aligned if item not in absorbed]


def _occurrences(
    key: Callable[[Any], Hashable], items: Iterable[Any]
) -> Iterable[Hashable]:
    seen: Counter[Hashable] = Counter()
    for item in items:
        value = key(item)
        yield value, seen[value]
        seen[value] += 1


def _edited(
    name: str, base: Sequence[Any], side: Sequence[Any], matches: dict[int, int]
) -> dict[int, int]:
    """The items of a side that are items of base under another key.

    Positions in base to positions in the side, as ``matches`` are: those of one key.
    """
    left = _by_body(name, base, set(matches))
    also_left = _by_body(name, side, set(matches.values()))
    edited = {left[text]: also_left[text] for text in left.keys() & also_left.keys()}
    if name not in _TOLD_BY_PLACE:
        return edited
    matches = matches | edited
    runs = _runs(len(base), {position: position for position in matches})
    side_runs = _runs(len(side), {there: here for here, there in matches.items()})
    for neighbours, run in runs.items():
        for here, there in zip(run, side_runs.get(neighbours, ()), strict=False):
            if base[here].get("kind") == side[there].get("kind"):
                edited[here] = there
    return edited


def _by_body(name: str, items: Sequence[Any], matched: set[int]) -> dict[str, int]:
    """The positions of the other items, by their bodies where those are unique."""
    body = _BODIES[name]
    texts = {
        position: _fold(item.get(body))
        for position, item in enumerate(items)
        if position not in matched
    }
    counts = Counter(texts.values())
    return {text: at for at, text in texts.items() if text and counts[text] == 1}


def _runs(
    length: int, matches: Mapping[int, int]
) -> dict[tuple[int | None, int | None], list[int]]:
    """The positions without a match, by the matches of their two neighbours."""
    runs: dict[tuple[int | None, int | None], list[int]] = {}
    edges = [None, *sorted(matches), None]
    for before, after in pairwise(edges):
        run = list(
            range(
                0 if before is None else before + 1, length if after is None else after
            )
        )
        neighbours = (
            None if before is None else matches[before],
            None if after is None else matches[after],
        )
        if run:
            runs[neighbours] = run
    return runs


def _merge_items(
    name: str, base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any]
) -> Merged:
    aligned = align(name, base, ours, theirs)
    merged = {
        item: _merge_item(
            MISSING if item.base is None else base[item.base],
            MISSING if item.ours is None else ours[item.ours],
            MISSING if item.theirs is None else theirs[item.theirs],
        )
        for item in aligned
    }
    of_base, of_ours, of_theirs = (
        _sorted(aligned, side) for side in ("base", "ours", "theirs")
    )
    if _keeps_order(of_ours) and not _keeps_order(of_theirs):
        order = _woven(of_theirs, of_ours)
    else:
        order = _woven(of_ours, of_theirs)
    value: list[Any] = []
    conflicts: list[str] = []
    for item in order:
        position = item.theirs if item.ours is None else len(value)
        conflicts += [f"/{position}{inside}" for inside in merged[item].conflicts]
        if _is_there(merged[item].value):
            value.append(merged[item].value)
    taken = [merged[item].theirs_taken for item in order]
    next_base = [merged[item].next_base for item in _woven(of_theirs, of_base)]
    return Merged(
        value,
        tuple(conflicts),
        list(filter(_is_there, taken)),
        list(filter(_is_there, next_base)),
    )


def _merge_item(base: Any, ours: Any, theirs: Any) -> Merged:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return _merge_members({} if base is MISSING else base, ours, theirs)
    return _merge_piece(base, ours, theirs)


def _woven(leading: list[Aligned], following: list[Aligned]) -> list[Aligned]:
    """The items of both in the order of the leading ones; what those lack comes
    behind the item that it follows among the others."""
    led = set(leading)
    behind: dict[Aligned | None, list[Aligned]] = {}
    before = None
    for item in following:
        if item in led:
            before = item
        else:
            behind.setdefault(before, []).append(item)
    woven = [*behind.get(None, ())]
    for item in leading:
        woven += [item, *behind.get(item, ())]
    return woven


def _sorted(items: Iterable[Aligned], side: str) -> list[Aligned]:
    placed = [item for item in items if getattr(item, side) is not None]
    return sorted(placed, key=lambda item: int(getattr(item, side)))


def _keeps_order(items: Iterable[Aligned]) -> bool:
    positions = [item.base for item in items if item.base is not None]
    return positions == sorted(positions)
