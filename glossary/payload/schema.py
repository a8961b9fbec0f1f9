"""The record of one term in a payload: find it, check it, write it again.

A record comes from other people's sites, so nothing about it is sure but its shape.
What is at fault is reported with the place, all of it at once: an error where no term
can be made of the record, a warning where something was left out or changed. What
is merely unknown is kept. Text leaves here fit for a database.

Source: the payloads of glossary sites made with Nuxt.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import deque
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from .devalue import (
    DEFAULT_LIMITS,
    UNDEFINED,
    JSMap,
    JSSet,
    NullProto,
    PayloadError,
    Sparse,
    Tagged,
    to_plain,
    unwrap,
)


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


Level: TypeAlias = Literal["error", "warning"]

MAX_LENGTHS: Final[Mapping[str, int]] = {
    "slug": 255,
    "term": 255,
    "shortDefinition": 5_000,
    "seoTitle": 255,
    "seoDescription": 5_000,
    "h1": 255,
    "explanation": 200_000,
    "howItWorks": 200_000,
    "inChatbots": 200_000,
    "comparison": 200_000,
    "name": 255,
    "feature": 2_000,
    "question": 500,
    "answer": 200_000,
    "category": 255,
    "label": 255,
    "tag": 100,
    "entries": 500,
}
"""How long a text of each kind may be, in characters; "entries" is for every list."""

LABEL_KINDS: Final = ("synonym", "abbreviation", "inflection", "hidden")
CASE_RULES: Final = ("ignore", "first", "exact")
LINK_KINDS: Final = ("related", "see_also", "contrast", "broader", "narrower")

FIELDS: Final[Mapping[str, str]] = {
    "slug": "slug",
    "term": "term",
    "short_definition": "shortDefinition",
    "seo_title": "seoTitle",
    "seo_description": "seoDescription",
    "heading": "h1",
    "explanation": "explanation",
    "how_it_works": "howItWorks",
    "in_chatbots": "inChatbots",
    "comparisons": "vsRelatedConcepts",
    "related_terms": "relatedTerms",
    "related_features": "relatedFeatures",
    "faq": "faq",
    "category": "category",
    "labels": "labels",
    "tags": "tags",
}
"""The attributes of `TermPayload` and their names in a record, in its order."""

_ALIASES: Final = "aliases"
# Written only where there is something to write: the payloads of old lack them.
_OPTIONAL: Final = frozenset({"labels", "tags"})
_KNOWN: Final = frozenset({*FIELDS.values(), _ALIASES})

# What one record may grow to when shared values are laid out, and how deep.
_TERM_LIMITS: Final = replace(
    DEFAULT_LIMITS,
    expanded_nodes=100_000,
    expanded_text=8 * 1024 * 1024,
    depth=100,
)

_SLUG: Final = re.compile(r"[-\w]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f]")
# Not every white space: no-break and ideographic spaces are typography.
_LINE_SPACE: Final = re.compile("[ \\t\\n\\x85\u2028\u2029]+")
_LEADING_SLASHES: Final = re.compile(r"\A[/\s]+")
_PROSE: Final = frozenset(
    {
        "shortDefinition",
        "explanation",
        "howItWorks",
        "inChatbots",
        "comparison",
        "answer",
    }
)


# What comes out


class Presence(Enum):
    """What a record says of a field, which an import reports."""

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a record.

    `pointer` is the JSON pointer (RFC 6901) to the place. `code` is stable:
    of errors "missing", "null", "empty", "wrong-type", "too-long", "not-a-slug",
    "too-deep"; of warnings "null", "empty", "nul-removed", "surrogate-replaced",
    "control-removed", "not-finite", "normalised", "derived", "duplicate",
    "self-link", "unknown-value", "unknown-field".
    """

    level: Level
    pointer: str
    code: str
    message: str

    def __str__(self) -> str:
        place = f" at {self.pointer}" if self.pointer else ""
        return f"{self.level}{place}: {self.message} ({self.code})"


class SchemaError(PayloadError):
    """A record that makes no term; `problems` has its errors and its warnings."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        errors = [str(problem) for problem in problems if problem.level == "error"]
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        super().__init__("; ".join(errors[:3]) + more)


@dataclass(frozen=True, slots=True)
class FoundTerm:
    """A record in a payload.

    `record` is plain JSON; `pointer` leads to it in the plain view of the payload;
    `key` is the name under "data" that it hung under (Nuxt's "$f…"), None elsewhere.
    """

    record: dict[str, Any]
    pointer: str
    key: str | None


@dataclass(frozen=True, slots=True)
class ComparisonPayload:
    term: str
    comparison: str


@dataclass(frozen=True, slots=True)
class RelatedTermPayload:
    slug: str
    name: str
    kind: str = "related"


@dataclass(frozen=True, slots=True)
class QuestionPayload:
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class LabelPayload:
    text: str
    kind: str = "synonym"
    case_rule: str = "ignore"


@dataclass(frozen=True, slots=True)
class TermPayload:
    """A term as a payload has it: texts in Markdown, "" and () for what is not there.

    `category` is a slug. Where the record has a name instead, `category_name` is that
    name, else "". `related_features` are paths without a leading slash. `extra` are
    the fields that are not known here, as plain JSON. `presence` tells, by attribute,
    what the record said; it takes no part in equality.
    """

    slug: str
    term: str
    short_definition: str = ""
    seo_title: str = ""
    seo_description: str = ""
    heading: str = ""
    explanation: str = ""
    how_it_works: str = ""
    in_chatbots: str = ""
    comparisons: tuple[ComparisonPayload, ...] = ()
    related_terms: tuple[RelatedTermPayload, ...] = ()
    related_features: tuple[str, ...] = ()
    faq: tuple[QuestionPayload, ...] = ()
    category: str = ""
    category_name: str = ""
    labels: tuple[LabelPayload, ...] = ()
    tags: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    presence: Mapping[str, Presence] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class ParsedTerm:
    """A term and the warnings about its record."""

    term: TermPayload
    problems: tuple[Problem, ...]


# Finding


_Path: TypeAlias = "tuple[str | int, ...]"


def find_term(value: object, *, slug: str | None = None) -> FoundTerm:
    """The record of a term in a payload, which is known by its shape.

    `value` is what `devalue.loads` gave, or plain JSON. A record is an object with
    "slug" and "term". A payload may hold several, in a navigation or a teaser: one
    with the slug `slug` is preferred (the folder or route of the payload), then the
    one with the most known fields, then the one nearest to the root. Takes time
    linear in the values, however often they are shared.

    Raises PayloadError when there is none, or when it is an error page; LimitError
    when the record is too large, laid out.
    """
    wanted = None if slug is None else unicodedata.normalize("NFC", slug)
    # Which container each one was found in: the way back, and what has been seen.
    found_in: dict[int, tuple[int, _Path]] = {id(value): (0, ())}
    waiting = deque([value])
    best, best_rank = value, (False, 0)
    failure = value
    while waiting:
        holder = waiting.popleft()
        rank = _rank(holder, wanted)
        if rank > best_rank:
            best, best_rank = holder, rank
        if isinstance(holder, Tagged) and holder.tag == "NuxtError":
            failure = holder.value
        for step, member in _members(holder):
            if isinstance(member, _CONTAINERS) and id(member) not in found_in:
                found_in[id(member)] = id(holder), step
                waiting.append(member)
    if best_rank == (False, 0):
        raise PayloadError(f"no term in this payload: {_why_no_term(failure)}")
    path = _path(found_in, id(best))
    under_data = path[:1] == ("data",) and len(path) > 1 and isinstance(path[1], str)
    return FoundTerm(
        record=cast("dict[str, Any]", to_plain(best, limits=_TERM_LIMITS)),
        pointer="".join(map(_step, path)),
        key=_printable(str(path[1])) if under_data else None,
    )


_CONTAINERS: Final = (dict, list, NullProto, Sparse, JSSet, JSMap, Tagged)


def _members(holder: object) -> Iterator[tuple[_Path, object]]:
    """The members of a container, each with its step in the plain view."""
    match holder:
        case Tagged():
            yield (), holder.value
        case dict():
            yield from (((key,), member) for key, member in holder.items())
        case NullProto() | Sparse():
            yield from (((key,), member) for key, member in holder.items.items())
        case list():
            yield from (((at,), member) for at, member in enumerate(holder))
        case JSSet():
            yield from (((at,), member) for at, member in enumerate(holder.items))
        case JSMap():
            for at, pair in enumerate(holder.pairs):
                yield from (((at, side), member) for side, member in enumerate(pair))


def _fields(value: object) -> dict[str, Any]:
    if isinstance(value, NullProto):
        return value.items
    return value if isinstance(value, dict) else {}


def _rank(holder: object, slug: str | None) -> tuple[bool, int]:
    """How well an object does for the term looked for; (False, 0) is not at all."""
    fields = _fields(holder)
    if "slug" not in fields or "term" not in fields:
        return False, 0
    known = {name for name in _KNOWN if fields.get(name, UNDEFINED) is not UNDEFINED}
    if not {"slug", "term"} <= known:
        return False, 0
    own = unwrap(fields["slug"])
    fits = isinstance(own, str) and unicodedata.normalize("NFC", own) == slug
    return fits, len(known)


def _why_no_term(value: object) -> str:
    while isinstance(value, Tagged):
        value = value.value
    fields = _fields(value)
    status = fields.get("statusCode", fields.get("status"))
    if type(status) is not int:
        return "no object in it has both “slug” and “term”"
    text = fields.get("statusMessage") or fields.get("message")
    shown = f": {_printable(text)[:100]}" if isinstance(text, str) and text else ""
    return f"the site answered with an error page, status {status}{shown}"


def _path(found_in: dict[int, tuple[int, _Path]], identity: int) -> _Path:
    steps: list[_Path] = []
    while identity:
        identity, step = found_in[identity]
        steps.append(step)
    return tuple(key for step in reversed(steps) for key in step)


def _step(key: str | int) -> str:
    return "/" + _printable(str(key)).replace("~", "~0").replace("/", "~1")


def _printable(text: str) -> str:
    # Keys and messages end in logs, terminals and databases.
    return _SURROGATE.sub("\ufffd", text.replace("\x00", "\ufffd"))


# Checking


def parse_term(record: object, *, pointer: str = "") -> ParsedTerm:
    """The term of a record in plain JSON, which lies at `pointer` of its file.

    Text becomes NFC with newlines alone, without NUL, lone surrogates and other
    control characters; fields of one line have their white space collapsed. Null and
    undefined do for a text or a list; entries that say nothing, double entries and
    links of the term to itself are left out, with a warning.

    Raises SchemaError, with every problem, when the record makes no term.
    """
    if not isinstance(record, dict):
        fault = f"an object expected, {_type(record)} found"
        raise SchemaError((Problem("error", pointer, "wrong-type", fault),))
    reading = _Reading(record, pointer)
    term = reading.term()
    problems = tuple(reading.problems)
    if any(problem.level == "error" for problem in problems):
        raise SchemaError(problems)
    return ParsedTerm(term, problems)


def slugify(text: str) -> str:
    """A slug made of a name, "" when it has no letter or digit; as Django makes them.

    Letters of all scripts stay.
    """
    lower = unicodedata.normalize("NFKC", text).lower()
    words = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", lower))
    whole = unicodedata.normalize("NFC", words.strip("-_"))
    return whole[: MAX_LENGTHS["slug"]].rstrip("-_")


def _is_slug(text: str) -> bool:
    return _SLUG.fullmatch(text) is not None


def _type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"
    return f"a Python {type(value).__name__}"


class _Reading:
    """One record being read, and what is found wrong with it."""

    def __init__(self, record: dict[str, Any], pointer: str) -> None:
        self.pointer = pointer
        # A dict for its order: what is wrong is told once.
        self.problems: dict[Problem, None] = {}
        self.record = {
            name: value for name, value in record.items() if value is not UNDEFINED
        }

    def error(self, pointer: str, code: str, message: str) -> None:
        self.problems[Problem("error", pointer, code, message)] = None

    def warn(self, pointer: str, code: str, message: str) -> None:
        self.problems[Problem("warning", pointer, code, message)] = None

    def wrong_type(self, pointer: str, expected: str, found: object) -> None:
        self.error(pointer, "wrong-type", f"{expected} expected, {_type(found)} found")

    def too_long(self, pointer: str, name: str, length: int, unit: str) -> bool:
        limit = MAX_LENGTHS[name]
        if length > limit:
            field_name = pointer.removeprefix(self.pointer).strip("/")
            self.error(
                pointer, "too-long", f"{field_name} has {length} {unit}, limit {limit}"
            )
        return length > limit

    # The record

    def term(self) -> TermPayload:
        slug = self.slug()
        term = self.required("term")
        category, category_name = self.category()
        values: dict[str, Any] = {
            "slug": slug,
            "term": term,
            **{
                name: self.field(FIELDS[name])
                for name in (
                    "short_definition",
                    "seo_title",
                    "seo_description",
                    "heading",
                    "explanation",
                    "how_it_works",
                    "in_chatbots",
                )
            },
            "comparisons": tuple(
                ComparisonPayload(*pair)
                for pair in self.pairs("vsRelatedConcepts", "term", "comparison")
            ),
            "related_terms": tuple(self.related_terms(slug)),
            "related_features": tuple(self.texts("relatedFeatures", "feature")),
            "faq": tuple(
                QuestionPayload(*pair)
                for pair in self.pairs("faq", "question", "answer")
            ),
            "category": category,
            "labels": self.labels(term),
            "tags": tuple(self.texts("tags", "tag")),
        }
        presence = {name: self.presence(name, values[name]) for name in FIELDS}
        return TermPayload(
            **values,
            category_name=category_name,
            extra=self.extra(),
            presence=presence,
        )

    def presence(self, name: str, result: object) -> Presence:
        keys = [FIELDS[name], *([_ALIASES] if name == "labels" else [])]
        found = [self.record[key] for key in keys if key in self.record]
        if not found:
            return Presence.ABSENT
        if all(value is None for value in found):
            return Presence.NULL
        return Presence.VALUE if result else Presence.EMPTY

    def slug(self) -> str:
        slug = self.required("slug")
        if slug and not _is_slug(slug):
            self.error(
                self.at("slug"),
                "not-a-slug",
                "the slug may have letters, digits, hyphens and underscores only",
            )
        return slug

    def category(self) -> tuple[str, str]:
        """Its slug, and its name where the record has that instead."""
        name = self.field("category")
        if not name or _is_slug(name):
            return name, ""
        slug = slugify(name)
        if not slug:
            self.warn(
                self.at("category"),
                "empty",
                "a category without a letter or digit, left out",
            )
            return "", ""
        return slug, name

    def related_terms(self, own_slug: str) -> Iterator[RelatedTermPayload]:
        seen: set[str] = set()
        for at, entry in self.objects("relatedTerms", {"slug", "name", "kind"}):
            written = self.text(entry.get("slug"), f"{at}/slug", "slug")
            name = self.text(entry.get("name"), f"{at}/name", "name")
            kind = self.choice(entry.get("kind"), f"{at}/kind", LINK_KINDS, "related")
            if written is None or name is None:
                continue
            slug = self.related_slug(at, written, name)
            if slug and slug == own_slug:
                self.warn(at, "self-link", "a link of the term to itself, left out")
            elif slug and self.is_new(slug, seen, at):
                if not name:
                    self.warn(
                        f"{at}/name", "empty", f"no name: “{slug}” stands in for it"
                    )
                yield RelatedTermPayload(slug, name or slug, kind)

    def related_slug(self, at: str, written: str, name: str) -> str:
        # Sites write paths here, such as "/glossary/term/#history".
        last = re.split("[?#]", written)[0].strip("/").rpartition("/")[2]
        slug = last if _is_slug(last) else slugify(last) or slugify(name)
        if not slug:
            self.error(at, "missing", "neither a slug nor a name that gives one")
        elif slug != written:
            self.warn(f"{at}/slug", "derived", f"not a slug: “{slug}” is used")
        return slug

    def labels(self, term: str) -> tuple[LabelPayload, ...]:
        labels: list[LabelPayload] = []
        seen = {_folded(term)}
        for at, entry in (*self.entries("labels"), *self.entries(_ALIASES)):
            label = self.label(at, entry)
            if label and self.is_new(_folded(label.text), seen, at):
                labels.append(label)
        self.too_long(self.at("labels"), "entries", len(labels), "entries")
        return tuple(labels)

    def label(self, at: str, entry: object) -> LabelPayload | None:
        if not isinstance(entry, dict):
            text = self.entry_text(entry, at, "label")
            return None if text is None else LabelPayload(text)
        self.only(at, entry, {"text", "kind", "caseRule"})
        text = self.entry_text(entry.get("text"), f"{at}/text", "label")
        kind = self.choice(entry.get("kind"), f"{at}/kind", LABEL_KINDS, "synonym")
        usual = "exact" if kind == "abbreviation" else "ignore"
        rule = self.choice(entry.get("caseRule"), f"{at}/caseRule", CASE_RULES, usual)
        return None if text is None else LabelPayload(text, kind, rule)

    def extra(self) -> dict[str, Any]:
        extra: dict[str, Any] = {}
        for name, value in self.record.items():
            if name not in _KNOWN:
                extra[_printable(name)] = self.plain(value, self.at(name), 0)
        return extra

    def plain(self, value: Any, at: str, depth: int) -> Any:
        """An unknown value as it came, but for what no database stores."""
        if depth > _TERM_LIMITS.depth:
            self.error(
                at, "too-deep", f"nested deeper than {_TERM_LIMITS.depth} levels"
            )
            return None
        match value:
            case str():
                return self.storable(value, at)
            case list():
                return [self.plain(member, at, depth + 1) for member in value]
            case dict():
                return {
                    _printable(key): self.plain(member, at, depth + 1)
                    for key, member in value.items()
                }
            case float() if not math.isfinite(value):
                self.warn(at, "not-finite", "a number that JSON lacks, made null")
                return None
        return value

    # Texts

    def at(self, name: str) -> str:
        return self.pointer + _step(name)

    def required(self, name: str) -> str:
        text = self.text(self.record.get(name), self.at(name), name)
        if text == "":
            found = self.presence(name, text)
            code = "missing" if found is Presence.ABSENT else found.value
            self.error(self.at(name), code, f"a term needs its {name}")
        return text or ""

    def field(self, name: str) -> str:
        return self.text(self.record.get(name), self.at(name), name) or ""

    def text(self, value: object, at: str, kind: str) -> str | None:
        """The text made fit, "" for null, None (with an error) for anything else."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.wrong_type(at, "a text", value)
            return None
        text = self.storable(value.replace("\r\n", "\n").replace("\r", "\n"), at)
        if _CONTROL.search(text):
            text = _CONTROL.sub("", text)
            self.warn(at, "control-removed", "control characters are removed")
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
            self.warn(at, "normalised", "letters are composed as in Unicode's NFC")
        if kind not in _PROSE:
            text = _LINE_SPACE.sub(" ", text).strip()
        self.too_long(at, kind, len(text), "characters")
        return text

    def storable(self, text: str, at: str) -> str:
        if "\x00" in text:
            text = text.replace("\x00", "")
            self.warn(at, "nul-removed", "NUL characters are removed")
        if _SURROGATE.search(text):
            text = _SURROGATE.sub("\ufffd", text)
            self.warn(
                at, "surrogate-replaced", "halves of characters are replaced by U+FFFD"
            )
        return text

    # Lists

    def entries(self, name: str) -> Iterator[tuple[str, Any]]:
        """The entries of a list that are not null, each with its pointer."""
        value = self.record.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            self.wrong_type(self.at(name), "a list", value)
            return
        if self.too_long(self.at(name), "entries", len(value), "entries"):
            return
        for position, entry in enumerate(value):
            at = f"{self.at(name)}/{position}"
            if entry is None:
                self.warn(at, "null", "an entry that is null, left out")
            else:
                yield at, entry

    def objects(
        self, name: str, known: Collection[str]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for at, entry in self.entries(name):
            if isinstance(entry, dict):
                self.only(at, entry, known)
                yield at, entry
            else:
                self.wrong_type(at, "an object", entry)

    def only(self, at: str, entry: dict[str, Any], known: Collection[str]) -> None:
        unknown = sorted(_printable(key)[:40] for key in entry if key not in known)
        if unknown:
            more = ", …" if len(unknown) > 5 else ""
            self.warn(at, "unknown-field", f"not kept: {', '.join(unknown[:5])}{more}")

    def pairs(self, name: str, first: str, second: str) -> Iterator[tuple[str, str]]:
        for at, entry in self.objects(name, {first, second}):
            texts = {
                key: self.text(entry.get(key), f"{at}/{key}", key)
                for key in (first, second)
            }
            if texts[first] or texts[second]:
                for key, text in texts.items():
                    if text == "":
                        self.warn(f"{at}/{key}", "empty", f"no {key}")
                yield texts[first] or "", texts[second] or ""
            elif None not in texts.values():
                self.warn(at, "empty", "an entry that says nothing, left out")

    def texts(self, name: str, kind: str) -> Iterator[str]:
        seen: set[str] = set()
        for at, entry in self.entries(name):
            text = self.entry_text(entry, at, kind)
            if text is not None and self.is_new(text, seen, at):
                yield text

    def entry_text(self, value: object, at: str, kind: str) -> str | None:
        text = self.text(value, at, kind)
        if text and kind == "feature":
            text = _LEADING_SLASHES.sub("", text)
        if text == "":
            self.warn(at, "empty", "an entry that says nothing, left out")
        return text or None

    def is_new(self, mark: str, seen: set[str], at: str) -> bool:
        if mark in seen:
            self.warn(at, "duplicate", "there already, left out")
            return False
        seen.add(mark)
        return True

    def choice(
        self, value: object, at: str, allowed: tuple[str, ...], usual: str
    ) -> str:
        if value is None:
            return usual
        if not isinstance(value, str):
            self.wrong_type(at, "a text", value)
        elif value in allowed:
            return value
        else:
            self.warn(
                at,
                "unknown-value",
                f"“{usual}” is used: this is none of {', '.join(allowed)}",
            )
        return usual


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())


# Writing


def to_record(term: TermPayload) -> dict[str, Any]:
    """The record of a term: plain JSON, with the names and the order of a payload.

    "labels" and "tags" are in it only when the term has them or its record had;
    unknown fields come last. `parse_term` of it gives an equal term.
    """
    record: dict[str, Any] = {}
    for attribute, name in FIELDS.items():
        value = getattr(term, attribute)
        known = term.presence.get(attribute, Presence.ABSENT)
        if name in _OPTIONAL and not value and known is Presence.ABSENT:
            continue
        record[name] = list(map(_plain, value)) if isinstance(value, tuple) else value
    if term.category_name:
        record["category"] = term.category_name
    return record | {
        name: value for name, value in term.extra.items() if name not in _KNOWN
    }


def _plain(entry: object) -> str | dict[str, str]:
    match entry:
        case ComparisonPayload(term, comparison):
            return {"term": term, "comparison": comparison}
        case RelatedTermPayload(slug, name, kind):
            record = {"slug": slug, "name": name}
            return record if kind == "related" else record | {"kind": kind}
        case QuestionPayload(question, answer):
            return {"question": question, "answer": answer}
        case LabelPayload(text, kind, rule):
            return {"text": text, "kind": kind, "caseRule": rule}
    return str(entry)
