"""The record of a term: what it came as, changed where the page says something else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..content import PROSE, SEO_FIELDS, Content, spoken, text_of_kind, to_markdown
from ..models import TermPage
from ..payload.devalue import PayloadError, Value, loads, parse_json
from ..payload.edit import edit_record, record_at
from ..payload.schema import (
    ComparisonPayload,
    LabelPayload,
    QuestionPayload,
    RelatedTermPayload,
    SectionPayload,
    TermPayload,
    find_term,
    parse_term,
    to_record,
)
from ..richtext import normal_markdown, rich_text_to_markdown
from .selection import LoadedTerm


# White space that the normal form of Markdown does not keep.
_ODD_SPACE = frozenset("\t\n\r\f\v\x85\xa0\u2028\u2029")


@dataclass(frozen=True, slots=True)
class Original:
    """What a term came as: the whole decoded text, its record in it (no copy), the
    record as plain JSON, and what it says."""

    value: Value
    record: dict[str, Value]
    plain: dict[str, Any]
    term: TermPayload


def export_record(loaded: LoadedTerm) -> dict[str, Any]:
    """The record of a term in plain JSON, complete: an import of it makes an equal
    term, wherever it is.

    A field that says what it said when it was imported is as it was then: its Markdown,
    the order of fields and what else is in the record stay.
    """
    original = read_original(loaded)
    if original is None:
        return to_record(said(loaded, None, complete=True).written)
    edit(original.plain, loaded, original.term, complete=True)
    return original.plain


def edit(
    record: dict[str, Value],
    loaded: LoadedTerm,
    former: TermPayload,
    *,
    complete: bool = False,
) -> bool:
    """Change a record, which says what ``former`` does, to what the page says now."""
    now = said(loaded, former, complete=complete)
    return edit_record(record, former, now.normal, written=now.written, normal=_normal)


def read_original(loaded: LoadedTerm) -> Original | None:
    """What the term came as, if its text is kept and has its fields by their names."""
    if loaded.record is None or loaded.record.payload is None:
        return None
    payload = loaded.record.payload
    try:
        if payload.form in ("payload", "html"):
            value = loads(payload.raw, unknown="tagged")
        elif payload.form == "json":
            value = parse_json(payload.raw.decode("utf-8-sig"))
        else:
            return None
        found = find_term(value, slug=loaded.record.key)
        term = parse_term(found.record).term
        return Original(value, record_at(value, found), found.record, term)
    except (PayloadError, UnicodeDecodeError):
        return None  # it was imported through a field map


@dataclass(frozen=True, slots=True)
class Said:
    """What a page says, with its prose in normal form and as it is to be written."""

    normal: TermPayload
    written: TermPayload


def said(
    loaded: LoadedTerm, former: TermPayload | None = None, *, complete: bool = False
) -> Said:
    """What a page says, in the words of ``former`` where those say the same.

    ``complete`` has it name everything that ``former`` leaves to be worked out from
    the rest of the glossary: the names of related terms and of the category, and which
    terms are compared.
    """
    page, content = loaded.page, loaded.content
    prose, sections = _prose(content, former)
    related_terms = _related_terms(loaded, former, complete)
    category, category_name = _category(page, former, complete)
    seo, extra = _seo_and_extra(page, content)
    term = TermPayload(
        slug=page.slug,
        term=content["title"],
        short_definition=content["short_definition"].replace("\r\n", "\n"),
        heading=content["heading"],
        **seo,
        **prose,
        comparisons=_comparisons(loaded, former, related_terms, complete),
        related_terms=related_terms,
        related_features=tuple(content["related_features"]),
        faq=tuple(QuestionPayload(**entry) for entry in content["faq"]),
        category=category,
        category_name=category_name,
        labels=tuple(LabelPayload(**entry) for entry in content["labels"]),
        tags=_tags(content["tags"], former),
        sections=sections,
        feature_labels=content["feature_labels"],
        extra=extra,
    )
    return Said(term, _spelled(term, page, prose))


def _normal(markdown: str) -> str:
    return normal_markdown(markdown, unwrap=True) if markdown else ""


# The fields


def _prose(
    content: Content, former: TermPayload | None
) -> tuple[dict[str, str], tuple[SectionPayload, ...]]:
    """The three fields, and the sections if those cannot say it."""
    sections = tuple(
        SectionPayload(**entry)
        for entry in content["sections"]
        if entry["heading"] or entry["text"]
    )
    prose = {name: content[name] for name in PROSE}
    if former is None or not former.sections:
        return prose, () if fit_three_fields(sections) else sections
    before = [
        {"kind": item.kind, "heading": item.heading, "text": _normal(item.text)}
        for item in former.sections
    ]
    for name, kind in PROSE.items():
        # With sections, what the field says has no say.
        if text_of_kind(before, kind) == prose[name]:
            prose[name] = _normal(getattr(former, name))
    same = tuple(SectionPayload(**entry) for entry in before) == sections
    return prose, sections if same or not fit_three_fields(sections) else ()


def sections_of(page: TermPage) -> list[SectionPayload]:
    """The sections of a page, their texts as rich text."""
    values = (child["value"] for child in page.explanation.raw_data)
    return [
        SectionPayload(
            value.get("kind") or "", value.get("heading") or "", value.get("body") or ""
        )
        for value in values
    ]


def fit_three_fields(sections: Sequence[SectionPayload]) -> bool:
    """Whether the three prose fields of a record can say all of the sections."""
    kinds = [section.kind for section in sections]
    return kinds == [kind for kind in PROSE.values() if kind in kinds] and all(
        section.text and not section.heading for section in sections
    )


def _related_terms(
    loaded: LoadedTerm, former: TermPayload | None, complete: bool
) -> tuple[RelatedTermPayload, ...]:
    names = {known.slug: known.name for known in loaded.references.values()}
    if former and not complete:
        names |= {item.slug: item.name for item in former.related_terms}
    return tuple(
        RelatedTermPayload(link["slug"], names[link["slug"]], link["kind"])
        for link in loaded.content["related_terms"]
    )


def _comparisons(
    loaded: LoadedTerm,
    former: TermPayload | None,
    related_terms: Sequence[RelatedTermPayload],
    complete: bool,
) -> tuple[ComparisonPayload, ...]:
    """The comparisons, each with its slug unless an import finds that by itself."""
    names = {known.slug: known.name for known in loaded.references.values()}
    explicit = {(item.term, item.slug) for item in former.comparisons} if former else ()
    found: set[tuple[str, str]] = set()
    if former and not complete and loaded.record:
        silent = {item.term for item in former.comparisons if not item.slug}
        found = {
            (entry["term"], entry["slug"])
            for entry in loaded.record.base.get("comparisons") or ()
            if entry["term"] in silent
        }
    related: dict[str, str] = {}
    for item in related_terms:
        related.setdefault(item.name.casefold(), item.slug)
    comparisons = []
    for entry in loaded.content["comparisons"]:
        name, slug = entry["term"], entry["slug"] or ""
        if not name and slug and not complete:
            name = names[slug]  # which a front end needs for a heading
        implied = (name, slug) in found or related.get(name.casefold()) == slug
        if implied and (name, slug) not in explicit:
            slug = ""
        comparisons.append(ComparisonPayload(name, entry["comparison"], slug))
    return tuple(comparisons)


def _category(
    page: TermPage, former: TermPayload | None, complete: bool
) -> tuple[str, str]:
    """Its slug, and its name where the slug does not tell it."""
    if page.category is None:
        return "", ""
    slug, name = page.category.slug, page.category.name
    if (
        former
        and slug == former.category
        and (not complete or name == (former.category_name or spoken(slug)))
    ):
        return slug, former.category_name
    return slug, "" if name == spoken(slug) else name


def _tags(tags: Sequence[str], former: TermPayload | None) -> tuple[str, ...]:
    """In the order of old, new ones last: on a page they have no order."""
    kept = [tag for tag in former.tags if tag in tags] if former else []
    return (*kept, *(tag for tag in tags if tag not in kept))


def _seo_and_extra(
    page: TermPage, content: Content
) -> tuple[dict[str, str], dict[str, Any]]:
    extra = dict(content["extra"])
    seo = {}
    for name, attribute in SEO_FIELDS.items():
        seo[name] = content[name]
        if not hasattr(page, attribute):
            seo[name] = str(extra.pop(name, ""))
    return seo, extra


# Prose as it is to be written


def _spelled(
    term: TermPayload, page: TermPage, prose: Mapping[str, str]
) -> TermPayload:
    """The term with the white space that its rich text has, which the normal form of
    Markdown makes simple."""
    odd = {
        to_markdown(html): rich_text_to_markdown(html).value
        for html in page.rich_texts()
        if "&" in html or not _ODD_SPACE.isdisjoint(html)
    }
    if not odd:
        return term

    def spell(text: str) -> str:
        return odd.get(text, text)

    return replace(
        term,
        **{name: spell(text) for name, text in prose.items()},
        sections=tuple(replace(item, text=spell(item.text)) for item in term.sections),
        comparisons=tuple(
            replace(item, comparison=spell(item.comparison))
            for item in term.comparisons
        ),
        faq=tuple(replace(item, answer=spell(item.answer)) for item in term.faq),
    )


def to_json(value: Any) -> str:
    """A value as compact JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
