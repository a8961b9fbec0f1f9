"""A record changed where a term differs from it, and nowhere else.

The record is the very object in a decoded payload, so that what stays keeps its bytes:
the order of fields, wrappers, unknown fields, the Markdown of a text that says the
same, and each entry of a list that was not touched.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final, cast

from .devalue import (
    TRANSPARENT_TAGS,
    JSMap,
    NullProto,
    PayloadError,
    Tagged,
    to_plain,
    unwrap,
)
from .schema import FIELDS, TermPayload, parse_term, to_record


if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from .devalue import Value
    from .schema import FoundTerm


_ALIASES: Final = "aliases"
# The members of an entry where they are called differently from the attributes.
_MEMBERS: Final[Mapping[str, str]] = {"case_rule": "caseRule"}
_PROSE: Final = frozenset({"explanation", "how_it_works", "in_chatbots"})
# The attribute of an entry that is prose, and the one that tells entries apart.
_TEXT_OF: Final = {"comparisons": "comparison", "faq": "answer", "sections": "text"}
_MARK_OF: Final = {
    "comparisons": "term",
    "related_terms": "slug",
    "faq": "question",
    "labels": "text",
    "sections": "heading",
}
_EMPTY_TAG: Final = {"Ref": "EmptyRef", "ShallowRef": "EmptyShallowRef"}
_FULL_TAG: Final = {empty: full for full, empty in _EMPTY_TAG.items()}


def record_at(value: Value, found: FoundTerm) -> dict[str, Value]:
    """The record that `find_term` found in `value`: no copy, but the object itself.

    Raises PayloadError when there is no way to it: a key on it has no plain form.
    """
    for step in found.pointer.split("/")[1:]:
        value = _member(_inside(value), step.replace("~1", "/").replace("~0", "~"))
    inner = _inside(value)
    record = inner.items if isinstance(inner, NullProto) else inner
    if not isinstance(record, dict):
        raise PayloadError("no record here", path=found.pointer)
    return record


def _inside(value: Value) -> Any:
    """What is in the wrappers, also in those of the site's own."""
    while isinstance(value, Tagged):
        inner = unwrap(value)
        value = inner.value if isinstance(inner, Tagged) else inner
    return value


def _member(holder: Any, key: str) -> Value:
    try:
        if isinstance(holder, dict):
            return cast("Value", holder[key])
        if isinstance(holder, list | tuple):  # a tuple is an entry of a map
            return cast("Value", holder[int(key)])
        if isinstance(holder, JSMap):
            return cast("Value", holder.pairs[int(key)])
        items = holder.items  # NullProto, Sparse, JSSet
        return cast("Value", items[key if isinstance(holder, NullProto) else int(key)])
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise PayloadError(f"no way to the record past {key!r}") from error


def edit_record(
    record: dict[str, Value],
    former: TermPayload,
    target: TermPayload,
    *,
    written: TermPayload | None = None,
    normal: Callable[[str], str] = str,
) -> bool:
    """Change a record in place until it says what `target` says; tell whether it had
    to change.

    `former` is what `parse_term` gives for the record. Prose of it is compared in the
    form that `normal` gives it, which the prose of `target` is in already. `written`
    is `target` with its prose as it is to be written, by default the same.

    Nothing below the record is changed in place: other parts of a payload may share
    it. A field that is new goes where `to_record` would put it.
    """
    edit = _Edit(record, former, target, written or target, normal)
    edit.run()
    return edit.changed


class _Edit:
    def __init__(
        self,
        record: dict[str, Value],
        former: TermPayload,
        target: TermPayload,
        written: TermPayload,
        normal: Callable[[str], str],
    ) -> None:
        self.record = record
        self.former = former
        self.target = target
        self.plain = to_record(replace(written, presence={}))
        self.written = written
        self.normal = normal
        self.changed = False

    def run(self) -> None:
        for attribute, name in FIELDS.items():
            match getattr(self.target, attribute):
                case _ if attribute in ("category", "category_name"):
                    continue
                case tuple():
                    self.entries(attribute, name)
                case dict() as value:
                    if value != getattr(self.former, attribute):
                        self.put(name, value)
                case text:
                    self.text(attribute, name, text)
        self.category()
        self.extra()

    # Fields

    def text(self, attribute: str, name: str, text: str) -> None:
        before = getattr(self.former, attribute)
        if attribute in _PROSE:
            before = self.normal(before)
        if text != before:
            self.put(name, getattr(self.written, attribute))

    def category(self) -> None:
        before = self.former.category, self.former.category_name
        now = self.target.category, self.target.category_name
        if now == before:
            return
        self.put("category", now[0])
        if now[1]:
            self.put("categoryName", now[1])
        else:
            self.remove("categoryName")

    def extra(self) -> None:
        for name in self.former.extra.keys() - self.target.extra.keys():
            self.remove(name)
        for name, value in self.target.extra.items():
            if name not in self.former.extra or self.former.extra[name] != value:
                self.put(name, value)

    def put(self, name: str, value: Any) -> None:
        self.changed = True
        if name in self.record:
            self.record[name] = _rewrapped(self.record[name], value)
            return
        items = list(self.record.items())
        items.insert(self.place_of(name), (name, value))
        self.record.clear()
        self.record.update(items)

    def place_of(self, name: str) -> int:
        """Behind the fields that `to_record` writes before this one."""
        order = list(FIELDS.values())
        if name not in order:
            return len(self.record)
        before = set(order[: order.index(name)])
        places = [at for at, key in enumerate(self.record, 1) if key in before]
        return max(places, default=0)

    def remove(self, name: str) -> None:
        if name in self.record:
            self.changed = True
            del self.record[name]

    # Lists

    def entries(self, attribute: str, name: str) -> None:
        before = [
            self.in_normal(attribute, it) for it in getattr(self.former, attribute)
        ]
        target = list(getattr(self.target, attribute))
        if before == target:
            return
        if attribute == "sections" and not target:
            self.remove(name)
            return
        plain = self.plain.get(name, [])
        if attribute == "labels":
            target, plain = self.keep_aliases(target, plain)
            if not plain and name not in self.record:
                return
        self.put(name, self.listed(attribute, name, target, plain))

    def in_normal(self, attribute: str, entry: Any) -> Any:
        if text := _TEXT_OF.get(attribute):
            return replace(entry, **{text: self.normal(getattr(entry, text))})
        return entry

    def keep_aliases(
        self, target: list[Any], plain: list[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Leave the last labels among the aliases if they are there; give the rest."""
        known = {
            parsed: raw
            for raw, parsed in self.parsed("labels", _ALIASES)
            if parsed is not None
        }
        if not known:
            return target, plain
        start = len(target)
        while start and target[start - 1] in known:
            start -= 1
        kept = [known[entry] for entry in target[start:]]
        if kept != unwrap(self.record[_ALIASES]):
            self.put(_ALIASES, kept)
        return target[:start], plain[:start]

    def listed(
        self, attribute: str, name: str, target: list[Any], plain: list[Any]
    ) -> list[Any]:
        """The target's entries: the record's own where there is one."""
        own = [
            (raw, self.in_normal(attribute, parsed))
            for raw, parsed in self.parsed(attribute, name)
            if parsed is not None
        ]
        former = [parsed for _raw, parsed in own]
        matches = _matched(former, target, _marks(attribute))
        return [
            new if at is None else _edited(own[at][0], former[at], entry, new)
            for at, entry, new in zip(matches, target, plain, strict=True)
        ]

    def parsed(self, attribute: str, name: str) -> list[tuple[Value, Any]]:
        """The entries of a list, each with what it is as an entry of a term; None for
        one that is left out of it."""
        value = unwrap(self.record.get(name))
        raw = value if isinstance(value, list) else []
        frame = {"slug": self.former.slug, "term": self.former.term}
        result = []
        for entry in raw:
            term = parse_term({**frame, name: [to_plain(entry)]}).term
            found = getattr(term, attribute)
            result.append((entry, found[0] if found else None))
        return result


def _marks(attribute: str) -> list[Callable[[Any], Hashable]]:
    """By what an entry is known again: all it says; its name; its text."""
    names = (_MARK_OF.get(attribute), _TEXT_OF.get(attribute))
    return [_whole, *(_by(name) for name in names if name is not None)]


def _whole(entry: Any) -> Hashable:
    return cast("Hashable", entry)


def _by(name: str) -> Callable[[Any], Hashable]:
    return lambda entry: getattr(entry, name) or None


def _matched(
    former: Sequence[Any],
    target: Sequence[Any],
    marks: Sequence[Callable[[Any], Hashable]],
) -> list[int | None]:
    """For each entry of the target, the position of the former one that it was."""
    result: list[int | None] = [None] * len(target)
    taken: set[int] = set()
    for mark in marks:
        free: dict[Hashable, deque[int]] = defaultdict(deque)
        for position, entry in enumerate(former):
            if position not in taken:
                free[mark(entry)].append(position)
        free.pop(None, None)
        for at, entry in enumerate(target):
            if result[at] is None and (same := free.get(mark(entry))):
                result[at] = same.popleft()
                taken.add(cast("int", result[at]))
    return result


def _edited(raw: Value, before: Any, now: Any, plain: Any) -> Any:
    """The entry with the members that differ changed, in a copy if there are any."""
    if before == now:
        return raw
    inner = unwrap(raw)
    own = inner.items if isinstance(inner, NullProto) else inner
    if not isinstance(own, dict) or not isinstance(plain, dict):
        return plain
    entry = dict(own)
    for member in fields(now):
        if getattr(before, member.name) == getattr(now, member.name):
            continue
        name = _MEMBERS.get(member.name, member.name)
        if name in plain:
            entry[name] = _rewrapped(entry.get(name), plain[name])
        else:
            entry.pop(name, None)
    return _rewrapped(raw, NullProto(entry) if isinstance(inner, NullProto) else entry)


def _rewrapped(before: Any, value: Any) -> Any:
    """The value in the wrappers of the one it replaces."""
    tags = []
    while isinstance(before, Tagged) and before.tag in TRANSPARENT_TAGS:
        tags.append(_FULL_TAG.get(before.tag, before.tag))
        before = before.value
    for tag in reversed(tags):
        value = Tagged(_EMPTY_TAG.get(tag, tag) if value == "" else tag, value)
    return value
