"""Two or three versions of a term side by side, field by field and item by item.

Everything that is shown comes from outside or from editors: it is escaped here, and
nothing but the marks of what differs is added.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf import section_kind_label
from ...content import PROSE
from ...importing.merge import KEYS, align


# In the order of the form.
FIELD_LABELS: dict[str, str | Promise] = {
    "title": gettext_lazy("Term"),
    "heading": gettext_lazy("Heading"),
    "short_definition": gettext_lazy("Short definition"),
    # Called by their kinds of section, which a site can name.
    **dict.fromkeys(PROSE, ""),
    "sections": gettext_lazy("Sections"),
    "comparisons": gettext_lazy("Comparisons"),
    "faq": gettext_lazy("Questions"),
    "related_features": gettext_lazy("Related features"),
    "feature_labels": gettext_lazy("Names of related features"),
    "category": gettext_lazy("Category"),
    "tags": gettext_lazy("Tags"),
    "related_terms": gettext_lazy("Related terms"),
    "labels": gettext_lazy("Labels"),
    "seo_title": gettext_lazy("Title for search engines"),
    "seo_description": gettext_lazy("Description for search engines"),
    "extra": gettext_lazy("Further fields"),
}
# In the order in which they are read, which a database does not keep.
PART_LABELS: dict[str, str | Promise] = {
    "question": gettext_lazy("Question"),
    "answer": gettext_lazy("Answer"),
    "term": gettext_lazy("Term"),
    "slug": gettext_lazy("Slug"),
    "comparison": gettext_lazy("Comparison"),
    "heading": gettext_lazy("Heading"),
    "kind": gettext_lazy("Kind"),
    "text": gettext_lazy("Text"),
    "case_rule": gettext_lazy("Upper and lower case"),
}
# Comparing takes the square of the number of pieces, where little is the same.
MOST_PIECES = 2000
# White space goes with what follows: as a piece of its own it would be in both texts
# everywhere, and two that have no word in common would take minutes.
_WORD = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")


def field_label(name: str) -> str:
    """What a field of a term is called. Prose of one kind is called by its kind."""
    if name in PROSE:
        return str(section_kind_label(PROSE[name]))
    return str(FIELD_LABELS.get(name, name))


def in_order(names: Iterable[str]) -> list[str]:
    """The fields as they stand in the form; unknown ones come last."""
    places = {name: place for place, name in enumerate(FIELD_LABELS)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a cell, with its name if there are several."""

    label: str
    html: SafeString


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a field, or a field that has no items, in each version. A version
    that has no such item has no parts."""

    ours: list[Part] = field(default_factory=list)
    theirs: list[Part] = field(default_factory=list)
    result: list[Part] = field(default_factory=list)
    state: str = ""
    """"addition" or "deletion" where one side alone has it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field with its rows; there is one at least."""

    name: str
    label: str
    rows: list[Row]
    told: str = ""
    """What becomes of it, in words."""

    @property
    def first(self) -> Row:
        return self.rows[0]

    @property
    def rest(self) -> list[Row]:
        return self.rows[1:]


def differences(changes: Iterable[Mapping[str, Any]]) -> list[Difference]:
    """The changes of an item of a run, as ``Change.as_json`` has them."""
    by_name = {change["field"]: change for change in changes}
    return [
        compare(
            name,
            change["ours"],
            change["theirs"],
            change.get("result", change["theirs" if change["taken"] else "ours"]),
            _told(change),
        )
        for name in in_order(by_name)
        if (change := by_name[name])
    ]


def _told(change: Mapping[str, Any]) -> str:
    if "result" in change:
        return _("Both are merged")
    return _("Theirs is taken") if change["taken"] else _("Ours is kept")


def compare(
    name: str, ours: Any, theirs: Any, result: Any = None, told: str = ""
) -> Difference:
    """One field in two versions, what differs marked, and in what becomes of it."""
    rows = [_row(*versions) for versions in _items(name, ours, theirs, result)]
    return Difference(name, field_label(name), rows or [Row()], told)


def content_rows(content: Mapping[str, Any]) -> list[Difference]:
    """The fields of one version alone that say something."""
    return [
        Difference(
            name,
            field_label(name),
            [
                Row(theirs=[Part(label, _plain(text)) for label, text in parts.items()])
                for parts, *_rest in _items(name, value, None, None)
            ],
        )
        for name in in_order(content)
        if (value := content[name])
    ]


# Items


Parts = dict[str, str]
Versions = tuple[Parts | None, Parts | None, Parts | None]


def _items(name: str, ours: Any, theirs: Any, result: Any) -> Iterator[Versions]:
    """The parts of each item in the three versions, in the order of the result."""
    values = (ours, theirs, result)
    if name in KEYS and all(_is_list(name, value) for value in values):
        yield from _aligned(name, *(value or [] for value in values))
    elif all(isinstance(value, dict | None) for value in values):
        mappings = [value or {} for value in values]
        for key in dict.fromkeys(key for each in mappings for key in each):
            yield tuple(  # type: ignore[misc]
                {key: _text(each[key])} if key in each else None for each in mappings
            )
    else:
        yield tuple(  # type: ignore[misc]
            {"": text} if (text := _text(value)) else None for value in values
        )


def _is_list(name: str, value: Any) -> bool:
    kind = str if name == "related_features" else dict
    return value is None or (
        isinstance(value, list) and all(isinstance(item, kind) for item in value)
    )


def _aligned(
    name: str, ours: list[Any], theirs: list[Any], result: list[Any]
) -> Iterator[Versions]:
    def place(aligned: Any) -> tuple[float, int]:
        if aligned.base is not None:
            return aligned.base, 0
        # What the result lacks stands beside what stood before it.
        own = aligned.theirs if aligned.ours is None else aligned.ours
        return own - 0.5, 1

    for aligned in sorted(align(name, result, ours, theirs), key=place):
        yield (
            None if aligned.ours is None else _parts(ours[aligned.ours]),
            None if aligned.theirs is None else _parts(theirs[aligned.theirs]),
            None if aligned.base is None else _parts(result[aligned.base]),
        )


def _parts(item: Any) -> Parts:
    if not isinstance(item, dict):
        return {"": _text(item)}
    return {
        str(PART_LABELS.get(name, name)): (
            str(section_kind_label(value))
            if name == "kind" and isinstance(value, str)
            else _text(value)
        )
        for name, value in sorted(item.items(), key=_place)
        if value not in (None, "")
    }


def _place(member: tuple[str, Any]) -> int:
    names = list(PART_LABELS)
    return names.index(member[0]) if member[0] in names else len(names)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, indent=2)


def _row(ours: Parts | None, theirs: Parts | None, result: Parts | None) -> Row:
    state = ""
    if ours is None or theirs is None:
        state = "deletion" if ours is not None else "addition"
    names = dict.fromkeys([*(ours or ()), *(theirs or ())])
    our_parts, their_parts = [], []
    for name in names:
        before, after = (ours or {}).get(name, ""), (theirs or {}).get(name, "")
        marked = (_plain(before), _plain(after)) if state else mark_words(before, after)
        if ours is not None and before:
            our_parts.append(Part(name, marked[0]))
        if theirs is not None and after:
            their_parts.append(Part(name, marked[1]))
    kept = [Part(name, _plain(text)) for name, text in (result or {}).items()]
    return Row(our_parts, their_parts, kept, state)


# Marks


def _plain(text: str) -> SafeString:
    return format_html_join("", "{}", ((text,),))


def mark_words(ours: str, theirs: str) -> tuple[SafeString, SafeString]:
    """Both texts as HTML: what only ours has as deleted, what only theirs has as
    inserted. Of long texts whole lines are marked, of very long ones all."""
    if ours == theirs:
        return _plain(ours), _plain(theirs)
    before, after = _pieces(ours, theirs)
    our_runs: list[tuple[bool, str]] = []
    their_runs: list[tuple[bool, str]] = []
    matcher = SequenceMatcher(None, before, after)
    for operation, i, j, k, m in matcher.get_opcodes():
        differs = operation != "equal"
        our_runs.append((differs, "".join(before[i:j])))
        their_runs.append((differs, "".join(after[k:m])))
    return _marked(our_runs, "del", "deletion"), _marked(their_runs, "ins", "addition")


def _pieces(ours: str, theirs: str) -> tuple[list[str], list[str]]:
    words = _WORD.findall(ours), _WORD.findall(theirs)
    lines = ours.splitlines(keepends=True), theirs.splitlines(keepends=True)
    for pieces in (words, lines):
        if max(map(len, pieces)) <= MOST_PIECES:
            return pieces
    return [ours], [theirs]


def _marked(runs: Iterable[tuple[bool, str]], tag: str, name: str) -> SafeString:
    mark = f'{{}}<{tag}><span class="{name}">{{}}</span></{tag}>'
    pieces: list[tuple[str]] = []
    for differs, text in runs:
        # The space before a word is no part of what is marked.
        start = len(text) - len(text.lstrip()) if text.strip() else 0
        if differs and text:
            pieces.append((format_html(mark, text[:start], text[start:]),))
        else:
            pieces.append((text,))
    return format_html_join("", "{}", pieces)
