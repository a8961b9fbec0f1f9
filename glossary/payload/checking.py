"""The record of one term, checked: what it says, and every fault it has.

A record comes from other people's sites, so nothing about it is sure but its shape.
What is at fault is reported with the place, all of it at once: an error where no term
can be made of the record, a warning where something was left out or changed. What
is merely unknown is kept. Text leaves here fit for a database.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from .finding import TERM_LIMITS, printable, step_of
from .term import (
    ALIASES,
    CASE_RULES,
    FIELDS,
    KNOWN,
    LABEL_KINDS,
    LINK_KINDS,
    MAX_LENGTHS,
    ComparisonPayload,
    LabelPayload,
    ParsedTerm,
    Presence,
    Problem,
    QuestionPayload,
    RelatedTermPayload,
    SchemaError,
    SectionPayload,
    TermPayload,
)
from .text import CHANGES, fit, is_slug, one_line, slugify, storable
from .values import UNDEFINED


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


_LEADING_SLASHES: Final = re.compile(r"\A[/\s]+")
_KIND: Final = re.compile("[a-z][a-z0-9_]*")
_PROSE: Final = frozenset(
    {
        "shortDefinition",
        "explanation",
        "howItWorks",
        "inChatbots",
        "comparison",
        "answer",
        "text",
    }
)
_ONE_TEXT: Final = (
    "short_definition",
    "seo_title",
    "seo_description",
    "heading",
    "explanation",
    "how_it_works",
    "in_chatbots",
)
# Fields that speak of an attribute as well.
_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "labels": (ALIASES,),
    "category": ("categoryName",),
}


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
        features = tuple(self.texts("relatedFeatures", "feature"))
        values: dict[str, Any] = {
            "slug": slug,
            "term": term,
            **{name: self.field(FIELDS[name]) for name in _ONE_TEXT},
            "comparisons": tuple(self.comparisons()),
            "related_terms": tuple(self.related_terms(slug)),
            "related_features": features,
            "faq": tuple(
                QuestionPayload(*pair)
                for _, _, *pair in self.pairs("faq", "question", "answer")
            ),
            "category": category,
            "labels": self.labels(term),
            "tags": tuple(self.texts("tags", "tag")),
            "category_name": category_name,
            "sections": tuple(self.sections()),
            "feature_labels": self.feature_labels(features),
        }
        presence = {name: self.presence(name, values[name]) for name in FIELDS}
        return TermPayload(**values, extra=self.extra(), presence=presence)

    def presence(self, name: str, result: object) -> Presence:
        keys = (FIELDS[name], *_ALSO.get(name, ()))
        found = [self.record[key] for key in keys if key in self.record]
        if not found:
            return Presence.ABSENT
        if not result and all(value is None for value in found):
            return Presence.NULL
        return Presence.VALUE if result else Presence.EMPTY

    def slug(self) -> str:
        slug = self.required("slug")
        if slug and not is_slug(slug):
            self.error(
                self.at("slug"),
                "not-a-slug",
                "the slug may have letters, digits, hyphens and underscores only",
            )
        return slug

    def category(self) -> tuple[str, str]:
        """Its slug, and its name where the record has that as well or instead."""
        written, name = self.field("category"), self.field("categoryName")
        if is_slug(written):
            return written, name
        at = self.at("category" if written else "categoryName")
        name = name or written
        slug = slugify(written or name)
        if name and not slug:
            self.warn(at, "empty", "a category without a letter or digit, left out")
            return "", ""
        return slug, name

    def comparisons(self) -> Iterator[ComparisonPayload]:
        pairs = self.pairs("vsRelatedConcepts", "term", "comparison", "slug")
        for at, entry, term, comparison in pairs:
            written = self.text(entry.get("slug"), f"{at}/slug", "slug")
            slug = self.related_slug(at, written, term) if written else ""
            yield ComparisonPayload(term, comparison, slug)

    def sections(self) -> Iterator[SectionPayload]:
        for at, entry in self.objects("sections", {"kind", "heading", "text"}):
            kind = self.text(entry.get("kind"), f"{at}/kind", "kind")
            heading = self.text(entry.get("heading"), f"{at}/heading", "heading")
            text = self.text(entry.get("text"), f"{at}/text", "text")
            if kind == "":
                self.error(f"{at}/kind", "missing", "a section needs its kind")
            elif kind and not _KIND.fullmatch(kind):
                self.error(
                    f"{at}/kind",
                    "not-a-kind",
                    "the kind of a section is a word of the letters a to z, digits,"
                    " hyphens and underscores",
                )
            elif heading or text:
                yield SectionPayload(kind or "", heading or "", text or "")
            elif heading == text == "":
                self.warn(at, "empty", "an entry that says nothing, left out")

    def feature_labels(self, features: tuple[str, ...]) -> dict[str, str]:
        value = self.record.get("featureLabels")
        if value is None:
            return {}
        where = self.at("featureLabels")
        if not isinstance(value, dict):
            self.wrong_type(where, "an object", value)
            return {}
        if self.too_long(where, "entries", len(value), "entries"):
            return {}
        labels: dict[str, str] = {}
        for key, member in value.items():
            at = where + step_of(key)
            path = _LEADING_SLASHES.sub("", self.text(key, at, "feature") or "")
            label = self.text(member, at, "featureLabel")
            if path not in features:
                self.warn(at, "unknown-feature", "no path of relatedFeatures, left out")
            elif label:
                labels[path] = label
        # In the order of the paths, which is what a second reading gives.
        return {path: labels[path] for path in features if path in labels}

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
        slug = last if is_slug(last) else slugify(last) or slugify(name)
        if not slug:
            self.error(at, "missing", "neither a slug nor a name that gives one")
        elif slug != written:
            self.warn(f"{at}/slug", "derived", f"not a slug: “{slug}” is used")
        return slug

    def labels(self, term: str) -> tuple[LabelPayload, ...]:
        labels: list[LabelPayload] = []
        seen = {_folded(term)}
        for at, entry in (*self.entries("labels"), *self.entries(ALIASES)):
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
            if name not in KNOWN:
                extra[printable(name)] = self.plain(value, self.at(name), 0)
        return extra

    def plain(self, value: Any, at: str, depth: int) -> Any:
        """An unknown value as it came, but for what no database stores."""
        if depth > TERM_LIMITS.depth:
            self.error(at, "too-deep", f"nested deeper than {TERM_LIMITS.depth} levels")
            return None
        match value:
            case str():
                text, done = storable(value)
                self.changed(at, done)
                return text
            case list():
                return [self.plain(member, at, depth + 1) for member in value]
            case dict():
                return {
                    printable(key): self.plain(member, at, depth + 1)
                    for key, member in value.items()
                }
            case float() if not math.isfinite(value):
                self.warn(at, "not-finite", "a number that JSON lacks, made null")
                return None
        return value

    # Texts

    def at(self, name: str) -> str:
        return self.pointer + step_of(name)

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
        text, done = fit(value)
        if done:
            self.changed(at, done)
        if kind not in _PROSE:
            text = one_line(text)
        if len(text) > MAX_LENGTHS[kind]:
            self.too_long(at, kind, len(text), "characters")
        return text

    def changed(self, at: str, done: tuple[str, ...]) -> None:
        for code in done:
            self.warn(at, code, CHANGES[code])

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
        if entry.keys() - known:
            unknown = sorted(printable(key)[:40] for key in entry if key not in known)
            more = ", …" if len(unknown) > 5 else ""
            self.warn(at, "unknown-field", f"not kept: {', '.join(unknown[:5])}{more}")

    def pairs(
        self, name: str, first: str, second: str, *others: str
    ) -> Iterator[tuple[str, dict[str, Any], str, str]]:
        """The entries that say something: pointer, entry, and its two texts."""
        for at, entry in self.objects(name, {first, second, *others}):
            texts = {
                key: self.text(entry.get(key), f"{at}/{key}", key)
                for key in (first, second)
            }
            if texts[first] or texts[second]:
                for key, text in texts.items():
                    if text == "":
                        self.warn(f"{at}/{key}", "empty", f"no {key}")
                yield at, entry, texts[first] or "", texts[second] or ""
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
