"""Which fields of a document are wanted: ``fields=title,faq(value(question))``.

The grammar is that of Wagtail's API v2. ``a,b`` adds fields to those that a list shows
anyway, ``-a`` takes one away, ``*`` in the first place stands for all and ``_`` for
none. The fields of ``meta`` can be named as if they stood beside the others. In
brackets stand fields of a field: those alone, or ``*,-a`` all but that. ``id`` and
``meta`` always stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    NamedTuple,
    NotRequired,
    TypeAlias,
    Union,
    get_args,
    get_origin,
)

from typing_extensions import TypedDict, get_type_hints, is_typeddict
from wagtail.api.v2.utils import FieldsParameterParseError, parse_fields_parameter

from .problems import Problem, echo, invalid


LONGEST = 2000
"""How long the parameter may be, in characters: it is read by recursion."""
MOST_BRACKETS = 20

Selection: TypeAlias = "Mapping[str, Selection | None]"
"""The fields that stay; None keeps all that a field holds."""
Parsed: TypeAlias = "list[tuple[str, bool, Parsed | None]]"


class Wanted(NamedTuple):
    """What is left of a document."""

    selection: Selection

    def of(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return _cut(document, self.selection)

    def is_within(self, document: type) -> bool:
        """Whether that is all in a document of this smaller TypedDict."""
        return self.selection.keys() <= _structure(document).keys()


def read_fields(text: str, document: type, default: Collection[str]) -> Wanted:
    """What ``fields`` leaves of a document, which is of a TypedDict with a ``meta``.

    Raises a Problem that says what cannot be read, or which field there is not.
    """
    return Wanted(_select_top(_parse(text), document, default))


@cache
def card(document: type, default: tuple[str, ...]) -> Wanted:
    """What a list shows without ``fields``."""
    return Wanted({name: None for name in _structure(document) if name in default})


def _parse(text: str) -> Parsed:
    if len(text) > LONGEST or text.count("(") > MOST_BRACKETS:
        raise invalid(
            "fields", f"at most {LONGEST} characters and {MOST_BRACKETS} brackets"
        )
    try:
        return parse_fields_parameter(text)
    except FieldsParameterParseError as error:
        raise invalid("fields", f"cannot be read: {error}") from None


def _select_top(parsed: Parsed, document: type, default: Collection[str]) -> Selection:
    structure = _structure(document)
    meta_structure = _structure(structure["meta"])
    first = parsed[0][0] if parsed else ""
    wanted: dict[str, Selection | None] = {
        name: None
        for name in structure
        if first == "*" or (first != "_" and name in default)
    }
    in_meta = dict.fromkeys(meta_structure if first != "_" else ())
    for name, is_negated, children in parsed:
        if name in ("*", "_"):
            continue
        if name in meta_structure and name not in structure:
            _mark(in_meta, name, is_negated, children, meta_structure, name)
        else:
            _mark(wanted, name, is_negated, children, structure, name, meta_structure)
    if wanted.get("meta") is None:
        wanted["meta"] = in_meta
    return {"id": None, **wanted}


def _mark(
    wanted: dict[str, Selection | None],
    name: str,
    is_negated: bool,
    children: Parsed | None,
    structure: Mapping[str, type | None],
    place: str,
    more_names: Iterable[str] = (),
) -> None:
    if name not in structure:
        raise _unknown(place, name, [*structure, *more_names])
    if is_negated:
        wanted.pop(name, None)
    elif children is None:
        wanted[name] = None
    else:
        wanted[name] = _select(children, structure[name], place)


def _select(parsed: Parsed, document: type | None, place: str) -> Selection:
    if document is None:
        raise invalid("fields", f"{echo(place)} has no fields of its own")
    structure = _structure(document)
    starts_with_all = bool(parsed) and (parsed[0][0] == "*" or parsed[0][1])
    wanted: dict[str, Selection | None] = dict.fromkeys(
        structure if starts_with_all else ()
    )
    for name, is_negated, children in parsed:
        if name not in ("*", "_"):
            _mark(wanted, name, is_negated, children, structure, f"{place}.{name}")
    return wanted


def _unknown(place: str, name: str, names: Iterable[str]) -> Problem:
    return invalid("fields", f"there is no field {echo(place)}", name, names)


def _cut(document: Mapping[str, Any], selection: Selection) -> dict[str, Any]:
    return {
        name: value if selection[name] is None else _cut_value(value, selection[name])
        for name, value in document.items()
        if name in selection
    }


def _cut_value(value: Any, selection: Any) -> Any:
    if isinstance(value, list):
        return [_cut_value(item, selection) for item in value]
    return _cut(value, selection) if isinstance(value, dict) else value


@cache
def _structure(document: type) -> dict[str, type | None]:
    """The fields of a TypedDict, each with the one that it holds, if it does."""
    hints = get_type_hints(document, include_extras=True)
    return {name: _held(hint) for name, hint in hints.items()}


def _held(hint: Any) -> type | None:
    if is_typeddict(hint):
        return hint
    if get_origin(hint) in (Annotated, NotRequired):
        return _held(get_args(hint)[0])
    if get_origin(hint) in (list, Union, UnionType):
        return next(filter(None, map(_held, get_args(hint))), None)
    return None


@cache
def part_of(
    document: type, name: str = "", required: frozenset[str] = frozenset()
) -> type:
    """The type of what ``fields`` may leave of a document: each field may be missing.

    The type of ``TermMeta`` is called ``TermMetaPart``, unless there is a ``name``.
    """
    hints = get_type_hints(document, include_extras=True)
    parts = {
        field: hint if field in required else NotRequired[hint]
        for field, hint in ((field, _part(hint)) for field, hint in hints.items())
    }
    made: type = TypedDict(name or f"{document.__name__}Part", parts)  # type: ignore[operator]
    return made


def _part(hint: Any) -> Any:
    if is_typeddict(hint):
        return part_of(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return _part(parts[0])
    if origin is Annotated:
        return Annotated[(_part(parts[0]), *parts[1:])]
    if origin is list:
        return list[_part(parts[0])]  # type: ignore[misc]
    if origin in (Union, UnionType):
        return Union[tuple(map(_part, parts))]  # noqa: UP007
    return hint
