"""Another site's names for our fields, so that its records import without code.

A map says which of their fields is which of ours, which of their prose is a section,
how the entries of their lists are named, and what of theirs is not wanted. What a map
gives for a record depends on that record alone, and which fields it fills on the map
alone: so an import twice changes nothing.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from .term import ALIASES, FIELDS, MAX_LENGTHS
from .values import PayloadError


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path


ENTRY_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "vsRelatedConcepts": ("term", "comparison", "slug"),
    "relatedTerms": ("slug", "name", "kind"),
    "faq": ("question", "answer"),
    "labels": ("text", "kind", "caseRule"),
    ALIASES: ("text", "kind", "caseRule"),
    "sections": ("kind", "heading", "text"),
}
"""The lists whose entries are objects, and the names in those."""

PROSE_KINDS: Final[Mapping[str, str]] = {
    "explanation": "explanation",
    "how_it_works": "howItWorks",
    "in_chatbots": "inChatbots",
}
"""The kinds of section that have a field of their own, and that field, in order."""

_TARGETS: Final = (*FIELDS.values(), ALIASES)
_PARTS: Final = ("fields", "sections", "entries", "ignore")
_KIND: Final = re.compile("[a-z][a-z0-9_]*")
_MAX_BYTES: Final = 1024 * 1024

_Path: TypeAlias = "tuple[str, ...]"


class FieldMapError(PayloadError):
    """A map that says nothing sound. The message names the map and the key."""


@dataclass(frozen=True)
class SectionRule:
    """Their field `name` is a section of this kind, under this heading."""

    name: str
    kind: str
    heading: str = ""


@dataclass(frozen=True)
class FieldMap:
    """Their names for our fields.

    `fields` maps their name, or a path such as "title.rendered", to ours; of several
    names for one field the first that a record has something in is taken, and our own
    name comes last. `sections` are their prose fields. `entries` maps, for each list
    of ours, their names in its entries to ours. `ignore` are their fields to leave out.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    sections: tuple[SectionRule, ...] = ()
    entries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, data: object, *, source: str = "the field map") -> FieldMap:
        """The map that plain data says: {"fields": …, "sections": …, "entries": …,
        "ignore": […]}, each of them optional.

        Raises FieldMapError, with the key at fault and the nearest name that is known.
        """
        return _Check(source).field_map(data)

    @classmethod
    def load(cls, path: Path) -> FieldMap:
        """The map in a JSON or TOML file, told by its suffix.

        Raises FieldMapError when it cannot be read or says nothing sound.
        """
        shown = str(path).encode(errors="replace").decode()
        try:
            with path.open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
            if len(data) > _MAX_BYTES:
                raise FieldMapError(f"{shown}: larger than {_MAX_BYTES:,} bytes")
            text = data.decode("utf-8-sig")
            is_toml = path.suffix.lower() == ".toml"
            value = tomllib.loads(text) if is_toml else json.loads(text)
        except OSError as error:
            why = error.strerror or str(error)
            raise FieldMapError(f"{shown} cannot be read: {why}") from error
        except UnicodeDecodeError:
            raise FieldMapError(f"{shown}: not UTF-8. Save it as UTF-8") from None
        except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
            form = "TOML" if is_toml else "JSON"
            raise FieldMapError(f"{shown}: not {form}: {error}") from None
        except (RecursionError, ValueError) as error:
            if isinstance(error, FieldMapError):
                raise
            raise FieldMapError(f"{shown}: it says nothing that can be read") from None
        return cls.from_dict(value, source=shown)

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that another map does not have."""
        rules = [(rule.name, rule.kind, rule.heading) for rule in self.sections]
        entries = [(name, list(names.items())) for name, names in self.entries.items()]
        parts = [list(self.fields.items()), rules, sorted(entries), sorted(self.ignore)]
        return sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @cached_property
    def names(self) -> frozenset[str]:
        """Their names, of paths the first step: what a record is known by."""
        theirs = (*self.fields, *(rule.name for rule in self.sections))
        return frozenset(path[0] for name in theirs for path in _paths(name))

    @cached_property
    def columns(self) -> frozenset[str]:
        """Every name of theirs that the map speaks of."""
        rules = (rule.name for rule in self.sections)
        return frozenset((*self.fields, *rules, *self.ignore))

    def paths(self, target: str) -> tuple[_Path, ...]:
        """Where a field of ours may lie in their record, the best place first."""
        theirs = (name for name, ours in self.fields.items() if ours == target)
        return (*(path for name in theirs for path in _paths(name)), (target,))

    def apply(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Their record in our names; what the map does not speak of stays as it is.

        With sections beyond the three prose fields, the result has the complete list
        in "sections" and none of the three. Nothing is checked here: see `parse_term`.
        """
        rest = dict(record)
        for name in self.ignore:
            _take(rest, name)
        mapped = self._mapped(rest)
        if self.sections:
            self._add_sections(mapped, rest)
        result = {**mapped, **rest}
        for name, names in self.entries.items():
            if isinstance(result.get(name), list):
                result[name] = [_renamed(entry, names) for entry in result[name]]
        return result

    def _mapped(self, rest: dict[str, Any]) -> dict[str, Any]:
        """Our fields that the map fills, taken out of `rest`."""
        mapped: dict[str, Any] = {}
        for name, target in self.fields.items():
            found = _look(rest, name)
            if found is not _NOTHING and mapped.get(target) is None:
                mapped[target] = found
                _take(rest, name)
        for target, value in list(mapped.items()):
            own = rest.pop(target, None)
            if value is None and own is not None:
                mapped[target] = own
        return mapped

    @cached_property
    def _fills_fields(self) -> bool:
        """Whether every section has a prose field of its own."""
        kinds = [rule.kind for rule in self.sections if not rule.heading]
        own = len(kinds) == len(self.sections) and set(kinds) <= PROSE_KINDS.keys()
        return own and len(set(kinds)) == len(kinds)

    def _add_sections(self, mapped: dict[str, Any], rest: dict[str, Any]) -> None:
        found = [
            (rule, value)
            for rule in self.sections
            if (value := _take(rest, rule.name)) is not _NOTHING
        ]
        if self._fills_fields:
            for rule, value in found:
                target = PROSE_KINDS[rule.kind]
                own = rest.pop(target, None)
                mapped[target] = own if value is None else value
            return
        prose = {}
        for kind, name in PROSE_KINDS.items():
            values = [part.pop(name) for part in (mapped, rest) if name in part]
            if values:
                prose[kind] = values[0]
        own = mapped.pop("sections", rest.pop("sections", None))
        if own is None and not prose and not found:
            return
        # A list of the record's own is complete without the prose fields.
        sections = list(own) if isinstance(own, list) else []
        if own is not None and not isinstance(own, list):
            mapped["sections"] = own  # at fault, which `parse_term` tells
            return
        if own is None:
            for rule, value in list(found):
                if rule.kind in PROSE_KINDS and not rule.heading:
                    if not _is_blank(prose.get(rule.kind)):
                        continue
                    prose[rule.kind] = value
                    found.remove((rule, value))
            sections += [
                {"kind": kind, "heading": "", "text": prose[kind]}
                for kind in PROSE_KINDS
                if not _is_blank(prose.get(kind))
            ]
        sections += [
            {"kind": rule.kind, "heading": rule.heading, "text": value}
            for rule, value in found
            if not _is_blank(value)
        ]
        mapped["sections"] = sections


_NOTHING: Final = object()


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _paths(name: str) -> tuple[_Path, ...]:
    """What a name may mean: itself, then the path that its dots make."""
    return ((name,), tuple(name.split("."))) if "." in name else ((name,),)


def _look(record: dict[str, Any], name: str) -> Any:
    for path in _paths(name):
        value: Any = record
        for step in path:
            value = value.get(step, _NOTHING) if isinstance(value, dict) else _NOTHING
        if value is not _NOTHING:
            return value
    return _NOTHING


def _take(record: dict[str, Any], name: str) -> Any:
    """What lies there, taken out; objects that are empty then go as well.

    The record itself is changed, objects within it are not.
    """
    for path in _paths(name):
        holders = [record]
        for step in path[:-1]:
            inner = holders[-1].get(step)
            if not isinstance(inner, dict):
                break
            holders.append(dict(inner))
        if len(holders) < len(path) or path[-1] not in holders[-1]:
            continue
        value = holders[-1].pop(path[-1])
        for at in range(len(holders) - 1, 0, -1):
            if holders[at]:
                holders[at - 1][path[at - 1]] = holders[at]
            else:
                del holders[at - 1][path[at - 1]]
        return value
    return _NOTHING


def _renamed(entry: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(entry, dict):
        return entry
    rest = dict(entry)
    result: dict[str, Any] = {}
    for name, target in names.items():
        found = _look(rest, name)
        if found is not _NOTHING and result.get(target) is None:
            result[target] = found
            _take(rest, name)
    for target in [name for name in result if result[name] is None and name in rest]:
        del result[target]
    return {**rest, **result}


class _Check:
    """One map being checked; `source` is what messages call it."""

    def __init__(self, source: str) -> None:
        self.source = source

    def fail(self, place: str, why: str) -> NoReturn:
        at = f" {place!r}:" if place else ""
        raise FieldMapError(f"{self.source}:{at} {why}")

    def field_map(self, data: object) -> FieldMap:
        parts = self.names(data, "")
        for name in parts:
            if name not in _PARTS:
                self.fail(name, f"no part of a field map{_near(name, _PARTS)}")
        fields = {
            name: self.target(f"fields.{name}", target, _TARGETS)
            for name, target in self.names(parts.get("fields", {}), "fields").items()
        }
        sections = tuple(
            self.section(name, rule)
            for name, rule in self.names(parts.get("sections", {}), "sections").items()
        )
        entries = {
            self.target(f"entries.{name}", name, ENTRY_FIELDS): {
                theirs: self.target(
                    f"entries.{name}.{theirs}", ours, ENTRY_FIELDS.get(name, ())
                )
                for theirs, ours in self.names(names, f"entries.{name}").items()
            }
            for name, names in self.names(parts.get("entries", {}), "entries").items()
        }
        ignore = parts.get("ignore", [])
        if not isinstance(ignore, list | tuple):
            self.fail("ignore", "a list of names expected")
        for name in ignore:
            if not isinstance(name, str):
                self.fail("ignore", f"a name expected, {name!r} found")
            self.path(f"ignore.{name}", name)
        self.apart([*fields, *(rule.name for rule in sections), *ignore])
        return FieldMap(fields, sections, entries, tuple(ignore))

    def names(self, data: object, place: str) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail(place, "an object of names expected")
        for name in data:
            if not isinstance(name, str):
                self.fail(place, f"a name expected, {name!r} found")
            self.path(f"{place}.{name}" if place else name, name)
        return data

    def path(self, place: str, name: str) -> None:
        if not all(name.split(".")):
            self.fail(place, "a name, or names with a dot between them, expected")

    def target(self, place: str, target: object, known: Collection[str]) -> str:
        if not isinstance(target, str):
            self.fail(place, f"the name of a field expected, {target!r} found")
        if target not in known:
            self.fail(place, f"there is no field {target!r}{_near(target, known)}")
        return target

    def section(self, name: str, rule: object) -> SectionRule:
        place = f"sections.{name}"
        parts = {"kind": rule} if isinstance(rule, str) else rule
        if not isinstance(parts, dict) or "kind" not in parts:
            self.fail(place, "a kind of section expected, or an object with its kind")
        for part in parts:
            if part not in ("kind", "heading"):
                near = _near(str(part), ("kind", "heading"))
                self.fail(place, f"a section has no {part!r}{near}")
        kind, heading = parts["kind"], parts.get("heading", "")
        if not isinstance(kind, str) or not _KIND.fullmatch(kind):
            self.fail(
                place,
                f"{kind!r} is no kind of section: that is a word of lower-case letters,"
                " digits and underscores",
            )
        if not isinstance(heading, str) or len(heading) > MAX_LENGTHS["heading"]:
            limit = MAX_LENGTHS["heading"]
            self.fail(place, f"a heading is a text of up to {limit} characters")
        return SectionRule(name, kind, heading)

    def apart(self, names: Iterable[str]) -> None:
        """No field may be spoken of twice, nor together with a part of itself."""
        seen: dict[_Path, str] = {}
        for name in names:
            path = _paths(name)[-1]
            if path in seen:
                self.fail(name, "spoken of twice")
            seen[path] = name
        for path, name in seen.items():
            for end in range(1, len(path)):
                if path[:end] in seen:
                    self.fail(name, f"spoken of as a part of {seen[path[:end]]!r}, too")


def _near(name: str, known: Collection[str]) -> str:
    """The nearest name that is known, as the end of a message."""

    def plain(text: str) -> str:
        return re.sub(r"[\W_]+", "", text).lower()

    by_plain = {plain(text): text for text in known}
    # An attribute of a term is as good a guess as the name in the record.
    by_plain |= {plain(k): v for k, v in FIELDS.items() if v in known}
    found = get_close_matches(plain(name), by_plain, n=1)
    if found:
        return f". Did you mean {by_plain[found[0]]!r}?"
    return f". There are {', '.join(known)}"
