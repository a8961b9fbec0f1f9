"""A term's content field by field, in the form that imports compare.

``Content`` maps field names to JSON values: text as text, prose as Markdown in its
normal form, lists in their order. A payload and a page that say the same have equal
contents. A field that a payload does not have is absent, and is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from taggit.models import Tag
from wagtail.blocks import StreamValue

from .. import conf
from ..models import Category, GlossaryPage, RelatedTerm, TermLabel, TermLink, TermPage
from ..payload.schema import Presence, TermPayload
from ..richtext import (
    LOSSES,
    markdown_to_rich_text,
    normal_markdown,
    rich_text_to_markdown,
)


Content = dict[str, Any]

# The fields of a payload that are prose, and the kind of section that holds each.
PROSE = {
    "explanation": conf.EXPLANATION,
    "how_it_works": conf.HOW_IT_WORKS,
    "in_chatbots": conf.IN_CHATBOTS,
}
# Fields that a site's own base page may lack.
SEO_FIELDS = {"seo_title": "seo_title", "seo_description": "search_description"}


@dataclass(frozen=True, slots=True)
class Names:
    """What the names and slugs of a payload mean in a glossary."""

    slug_of_key: Mapping[str, str] = field(default_factory=dict)
    """The slug that a page has now, by the slug that its payload gives it."""
    slugs_of_title: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The slugs of the terms, by their names in lower case."""

    def slug(self, key: str) -> str:
        return self.slug_of_key.get(key, key)

    def compared(self, name: str, term: TermPayload) -> str | None:
        """The slug of the term that a comparison names: one of the term's own related
        terms, else the only term of that name."""
        folded = name.casefold()
        for related in term.related_terms:
            if related.name.casefold() == folded:
                return self.slug(related.slug)
        slugs = self.slugs_of_title.get(folded, frozenset()) - {self.slug(term.slug)}
        return next(iter(slugs)) if len(slugs) == 1 else None


def payload_content(term: TermPayload, names: Names) -> Content:
    """The content of a payload: only the fields that it has."""
    content: Content = {
        "title": term.term,
        "heading": term.heading,
        "short_definition": term.short_definition,
        "seo_title": term.seo_title,
        "seo_description": term.seo_description,
        **{name: _normal(getattr(term, name)) for name in PROSE},
        "comparisons": [
            {
                "term": item.term,
                "slug": names.compared(item.term, term),
                "comparison": _normal(item.comparison),
            }
            for item in term.comparisons
        ],
        "related_terms": [
            {"slug": names.slug(item.slug), "kind": item.kind}
            for item in term.related_terms
        ],
        "related_features": list(term.related_features),
        "faq": [
            {"question": item.question, "answer": _normal(item.answer)}
            for item in term.faq
        ],
        "category": term.category,
        "labels": [
            {"text": item.text, "kind": item.kind, "case_rule": item.case_rule}
            for item in term.labels
        ],
        "tags": sorted(set(term.tags)),
    }
    content = {
        name: value
        for name, value in content.items()
        if name == "title" or term.presence[name] is not Presence.ABSENT
    }
    if term.extra:
        content["extra"] = dict(term.extra)
    return content


def page_content(page: TermPage) -> Content:
    """The content of a page, every field of it."""
    return {
        "title": page.title,
        "heading": page.heading,
        "short_definition": page.short_definition,
        **{
            name: getattr(page, attribute, "") for name, attribute in SEO_FIELDS.items()
        },
        **{name: _sections_markdown(page, kind) for name, kind in PROSE.items()},
        "comparisons": [
            {
                "term": child.value["name"],
                "slug": child.value["related_term"]
                and child.value["related_term"].slug,
                "comparison": _markdown(child.value["comparison"].source),
            }
            for child in page.comparisons
        ],
        "related_terms": [
            {"slug": link.related_term.slug, "kind": link.kind}
            for link in page.related_terms.all()
        ],
        "related_features": [child.value["path"] for child in page.related_features],
        "faq": [
            {
                "question": child.value["question"],
                "answer": _markdown(child.value["answer"].source),
            }
            for child in page.faq
        ],
        "category": page.category.slug if page.category else "",
        "labels": [
            {"text": label.text, "kind": label.kind, "case_rule": label.case_rule}
            for label in page.labels.all()
        ],
        "tags": sorted(tag.name for tag in page.tags.all()),
        "extra": page.payload_extra,
    }


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a term is written to: creates what it refers to and does not yet exist."""

    glossary: GlossaryPage
    related_names: Mapping[str, str]
    """The names of related terms, by their slugs."""
    category_names: Mapping[str, str]
    """The names of categories, by their slugs, where the payload gives one."""

    def related_term(self, slug: str) -> RelatedTerm:
        found, _created = RelatedTerm.objects.get_or_create(
            glossary=self.glossary,
            locale=self.glossary.locale,
            slug=slug,
            defaults={"name": self.related_names.get(slug) or _spoken(slug)},
        )
        return found

    def category(self, slug: str) -> Category | None:
        if not slug:
            return None
        found, _created = Category.objects.get_or_create(
            locale=self.glossary.locale,
            slug=slug,
            defaults={"name": self.category_names.get(slug) or _spoken(slug)},
        )
        return found


def write_content(page: TermPage, content: Content, around: Surroundings) -> None:
    """Put the content's fields on the page, in memory. What stays the same keeps its
    block ids and rows, so that anchors and comments stay with it."""
    for name, value in content.items():
        _WRITERS[name](page, name, value, around)


def losses(term: TermPayload) -> list[tuple[str, str]]:
    """What of a payload's Markdown a page cannot hold: (field, what) pairs."""
    texts = [
        *((name, getattr(term, name)) for name in PROSE),
        *(
            (f"comparisons/{position}", item.comparison)
            for position, item in enumerate(term.comparisons)
        ),
        *((f"faq/{position}", item.answer) for position, item in enumerate(term.faq)),
    ]
    return [
        (
            name,
            f"{LOSSES[loss.code]} “{loss.detail}”"
            if loss.detail
            else LOSSES[loss.code],
        )
        for name, text in texts
        for loss in markdown_to_rich_text(text).losses
    ]


def _normal(markdown: str) -> str:
    # Draftail writes every white space as one space when an editor saves.
    return normal_markdown(markdown, unwrap=True)


def _markdown(html: str) -> str:
    return rich_text_to_markdown(html, unwrap=True).value


def _sections_markdown(page: TermPage, kind: str) -> str:
    bodies = (
        _markdown(child.value["body"].source)
        for child in page.explanation
        if child.value["kind"] == kind
    )
    return "\n\n".join(body for body in bodies if body)


def _spoken(slug: str) -> str:
    """A name made from a slug: "language-models" gives "Language models"."""
    words = slug.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


# Writers: (page, field, value, surroundings)


def _write_attribute(
    page: TermPage, name: str, value: str, around: Surroundings
) -> None:
    setattr(page, SEO_FIELDS.get(name, name), value)


def _write_seo(page: TermPage, name: str, value: str, around: Surroundings) -> None:
    if hasattr(page, SEO_FIELDS[name]):
        setattr(page, SEO_FIELDS[name], value)
    elif value:
        page.payload_extra = {**page.payload_extra, name: value}


def _write_prose(page: TermPage, name: str, value: str, around: Surroundings) -> None:
    """Put the text into the first section of its kind; the kinds keep their order."""
    kind = PROSE[name]
    kept: list[Any] = []
    written = False
    for child in page.explanation:
        if child.value["kind"] != kind:
            kept.append(child)
        elif value and not written:
            child.value["body"] = child.block.child_blocks["body"].to_python(
                markdown_to_rich_text(value).value
            )
            kept.append(child)
            written = True
    if value and not written:
        section = {"kind": kind, "heading": "", "body": _prose(value)}
        kept.insert(_place_of(kind, kept), ("section", section))
    page.explanation = StreamValue(page.explanation.stream_block, kept)


def _place_of(kind: str, children: list[Any]) -> int:
    """Where a new section goes: behind those whose kinds come before its own."""
    order = [value for value, _label in conf.section_kinds()]
    before = order[: order.index(kind)]
    places = [
        place
        for place, child in enumerate(children, start=1)
        if child.value["kind"] in before
    ]
    return max(places, default=0)


def _prose(markdown: str) -> str:
    return markdown_to_rich_text(markdown).value


def _write_stream(
    make: Callable[[dict[str, Any], Surroundings], dict[str, Any]],
    block_type: str,
    attribute: str,
    key: str,
) -> Callable[[TermPage, str, list[Any], Surroundings], None]:
    """A writer that keeps the id of a child whose ``key`` says the same as before."""

    def write(
        page: TermPage, name: str, items: list[Any], around: Surroundings
    ) -> None:
        stream = getattr(page, attribute)
        ids: dict[str, list[str | None]] = {}
        for child in stream:
            ids.setdefault(child.value[key], []).append(child.id)
        children = []
        for item in items:
            value = make(item, around)
            former = ids.get(value[key])
            children.append((block_type, value, former.pop(0) if former else None))
        setattr(page, attribute, StreamValue(stream.stream_block, children))

    return write


def _comparison(item: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    return {
        "related_term": around.related_term(item["slug"]) if item["slug"] else None,
        "name": item["term"],
        "comparison": _prose(item["comparison"]),
    }


def _question(item: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    return {"question": item["question"], "answer": _prose(item["answer"])}


def _feature(path: str, around: Surroundings) -> dict[str, Any]:
    return {"path": path, "label": ""}


def _write_related_terms(
    page: TermPage, name: str, items: list[Any], around: Surroundings
) -> None:
    former = {link.related_term.slug: link for link in page.related_terms.all()}
    links = []
    for position, item in enumerate(items):
        link = former.get(item["slug"]) or TermLink(
            related_term=around.related_term(item["slug"])
        )
        link.kind = item["kind"]
        link.sort_order = position
        links.append(link)
    page.related_terms.set(links)


def _write_labels(
    page: TermPage, name: str, items: list[Any], around: Surroundings
) -> None:
    former = {label.text: label for label in page.labels.all()}
    labels = []
    for position, item in enumerate(items):
        label = former.get(item["text"]) or TermLabel(text=item["text"])
        label.kind = item["kind"]
        label.case_rule = item["case_rule"]
        label.sort_order = position
        labels.append(label)
    page.labels.set(labels)


def _write_category(
    page: TermPage, name: str, value: str, around: Surroundings
) -> None:
    page.category = around.category(value)


def _write_tags(
    page: TermPage, name: str, value: list[str], around: Surroundings
) -> None:
    page.tags.set([Tag.objects.get_or_create(name=tag)[0] for tag in value])


def _write_extra(
    page: TermPage, name: str, value: dict[str, Any], around: Surroundings
) -> None:
    page.payload_extra = value


_WRITERS: dict[str, Callable[[TermPage, str, Any, Surroundings], None]] = {
    "title": _write_attribute,
    "heading": _write_attribute,
    "short_definition": _write_attribute,
    "seo_title": _write_seo,
    "seo_description": _write_seo,
    **dict.fromkeys(PROSE, _write_prose),
    "comparisons": _write_stream(_comparison, "comparison", "comparisons", "name"),
    "related_terms": _write_related_terms,
    "related_features": _write_stream(_feature, "feature", "related_features", "path"),
    "faq": _write_stream(_question, "question", "faq", "question"),
    "category": _write_category,
    "labels": _write_labels,
    "tags": _write_tags,
    "extra": _write_extra,
}
