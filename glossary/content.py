"""A term's content field by field, in the form that imports compare and exports write.

``Content`` maps field names to JSON values: text as text, prose as Markdown, lists in
their order. A field that a payload does not have is absent, and is left alone. Two
contents that say the same are equal once ``normal`` has been over both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from .conf import EXPLANATION, HOW_IT_WORKS, IN_CHATBOTS
from .models import RelatedTerm, TermPage
from .payload.schema import Presence, TermPayload
from .richtext import normal_markdown, rich_text_to_markdown


Content = dict[str, Any]

# The fields of a payload that are prose, and the kind of section that holds each.
PROSE = {
    "explanation": EXPLANATION,
    "how_it_works": HOW_IT_WORKS,
    "in_chatbots": IN_CHATBOTS,
}
# Fields that a site's own base page may lack.
SEO_FIELDS = {"seo_title": "seo_title", "seo_description": "search_description"}
# Where prose stands inside the entries of a list.
PROSE_IN_LISTS = {"sections": "text", "comparisons": "comparison", "faq": "answer"}


class Names(Protocol):
    """What the slugs and names of a payload mean in a glossary."""

    def slug(self, key: str) -> str:
        """The slug that the page of a payload has now."""

    def compared(self, name: str) -> str | None:
        """The slug of the only term of that name."""


class PlainNames:
    """Slugs that mean themselves, and names that mean nothing."""

    def slug(self, key: str) -> str:
        return key

    def compared(self, name: str) -> str | None:
        return None


# Of a payload


def payload_content(term: TermPayload, names: Names | None = None) -> Content:
    """The content of a payload: only the fields that it has, prose as it came."""
    names = names or PlainNames()
    content: Content = {
        "title": term.term,
        "heading": term.heading,
        "short_definition": term.short_definition,
        "seo_title": term.seo_title,
        "seo_description": term.seo_description,
        **{name: getattr(term, name) for name in PROSE},
        "sections": [
            {"kind": item.kind, "heading": item.heading, "text": item.text}
            for item in term.sections
        ],
        "comparisons": [
            {
                "term": item.term,
                "slug": _compared(item.term, item.slug, term, names),
                "comparison": item.comparison,
            }
            for item in term.comparisons
        ],
        "related_terms": _related(term, names),
        "related_features": list(term.related_features),
        "feature_labels": dict(term.feature_labels),
        "faq": [
            {"question": item.question, "answer": item.answer} for item in term.faq
        ],
        "category": term.category,
        "labels": [
            {"text": item.text, "kind": item.kind, "case_rule": item.case_rule}
            for item in term.labels
        ],
        "tags": sorted(set(term.tags)),
    }
    presence = term.presence
    content = {
        name: value
        for name, value in content.items()
        if name == "title" or presence.get(name) not in (None, Presence.ABSENT)
    }
    if not content.get("sections"):  # as in a table, of which not each row has them
        content.pop("sections", None)
    else:  # which are all of them
        for name in PROSE:
            content.pop(name, None)
    if term.extra:
        content["extra"] = dict(term.extra)
    return content


def _related(term: TermPayload, names: Names) -> list[dict[str, str]]:
    """The links, each once: two slugs may have become one, or the term's own."""
    kinds: dict[str, str] = {}
    for item in term.related_terms:
        kinds.setdefault(names.slug(item.slug), item.kind)
    kinds.pop(names.slug(term.slug), None)
    return [{"slug": slug, "kind": kind} for slug, kind in kinds.items()]


def _compared(name: str, slug: str, term: TermPayload, names: Names) -> str | None:
    """The slug of the term that a comparison names: as it says, else one of the term's
    own related terms, else the only term of that name."""
    if slug:
        return names.slug(slug)
    folded = name.casefold()
    for related in term.related_terms:
        if related.name.casefold() == folded:
            return names.slug(related.slug)
    found = names.compared(name)
    return None if found == names.slug(term.slug) else found


# Of a page


def related_slugs(pages: Iterable[TermPage]) -> dict[int, str]:
    """The slugs of all related terms that the pages point at, by their ids."""
    pks = {link.related_term_id for page in pages for link in page.related_terms.all()}
    pks.update(pk for page in pages for pk in compared_ids(page))
    found = RelatedTerm.objects.filter(pk__in=pks)
    return dict(found.values_list("pk", "slug"))


def compared_ids(page: TermPage) -> Iterable[int]:
    """The ids of the related terms that the page's comparisons name."""
    for child in page.comparisons.raw_data:
        if pk := child["value"].get("related_term"):
            yield int(pk)


def page_content(
    page: TermPage,
    slugs: Mapping[int, str] | None = None,
    fields: Collection[str] | None = None,
) -> Content:
    """The content of a page in its normal form: every field of it, or some.

    ``slugs`` are those of ``related_slugs``, for many pages at once.
    """
    known = related_slugs([page]) if slugs is None else slugs
    wanted = _READERS if fields is None else fields
    return {name: _READERS[name](page, known) for name in wanted}


def _values(page: TermPage, stream: str) -> Iterable[dict[str, Any]]:
    return (child["value"] for child in getattr(page, stream).raw_data)


def _sections(page: TermPage, kind: str | None = None) -> list[dict[str, str]]:
    return [
        {
            "kind": value.get("kind") or EXPLANATION,
            "heading": value.get("heading") or "",
            "text": to_markdown(value.get("body")),
        }
        for value in _values(page, "explanation")
        if kind in (None, value.get("kind") or EXPLANATION)
    ]


def _comparisons(page: TermPage, slugs: Mapping[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "term": value.get("name") or "",
            "slug": slugs.get(int(value.get("related_term") or 0)),
            "comparison": to_markdown(value.get("comparison")),
        }
        for value in _values(page, "comparisons")
    ]


def _questions(page: TermPage) -> list[dict[str, str]]:
    return [
        {
            "question": value.get("question") or "",
            "answer": to_markdown(value.get("answer")),
        }
        for value in _values(page, "faq")
    ]


def _attribute(name: str) -> Callable[[TermPage, Mapping[int, str]], Any]:
    return lambda page, slugs: getattr(page, name, "")


def _prose(kind: str) -> Callable[[TermPage, Mapping[int, str]], str]:
    return lambda page, slugs: text_of_kind(_sections(page, kind), kind)


_READERS: dict[str, Callable[[TermPage, Mapping[int, str]], Any]] = {
    "title": _attribute("title"),
    "heading": _attribute("heading"),
    "short_definition": _attribute("short_definition"),
    **{name: _attribute(attribute) for name, attribute in SEO_FIELDS.items()},
    **{name: _prose(kind) for name, kind in PROSE.items()},
    "sections": lambda page, slugs: _sections(page),
    "comparisons": _comparisons,
    "related_terms": lambda page, slugs: [
        {"slug": slugs.get(link.related_term_id, ""), "kind": link.kind}
        for link in page.related_terms.all()
    ],
    "related_features": lambda page, slugs: [
        value.get("path") or "" for value in _values(page, "related_features")
    ],
    "feature_labels": lambda page, slugs: {
        value.get("path") or "": value["label"]
        for value in _values(page, "related_features")
        if value.get("label")
    },
    "faq": lambda page, slugs: _questions(page),
    "category": lambda page, slugs: page.category.slug if page.category else "",
    "labels": lambda page, slugs: [
        {"text": label.text, "kind": label.kind, "case_rule": label.case_rule}
        for label in page.labels.all()
    ],
    "tags": lambda page, slugs: sorted(
        item.tag.name for item in page.tagged_items.all()
    ),
    "extra": _attribute("payload_extra"),
}


def text_of_kind(sections: Iterable[Mapping[str, str]], kind: str) -> str:
    """The texts of all sections of a kind as one."""
    texts = (section["text"] for section in sections if section["kind"] == kind)
    return "\n\n".join(text for text in texts if text)


# The normal form


def to_markdown(html: str | None) -> str:
    """Rich text in the Markdown that contents are compared in."""
    return rich_text_to_markdown(html, unwrap=True).value if html else ""


def normal(content: Content) -> Content:
    """The content with its prose in the one form that equal texts share: that of
    ``page_content``."""
    return {name: normal_field(name, value) for name, value in content.items()}


def normal_field(name: str, value: Any) -> Any:
    if value and name in PROSE:
        return _normal(value)
    if prose := PROSE_IN_LISTS.get(name):
        return [{**entry, prose: _normal(entry[prose])} for entry in value or ()]
    return value


def _normal(markdown: str) -> str:
    # Draftail writes every white space as one space when an editor saves.
    return normal_markdown(markdown, unwrap=True) if markdown else ""


def spoken(slug: str) -> str:
    """A name made from a slug: "language-models" gives "Language models"."""
    words = slug.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def prose_of(content: Content) -> Sequence[tuple[str, str]]:
    """Every Markdown text of a content, with the JSON pointer to it."""
    texts = [(f"/{name}", content[name]) for name in PROSE if content.get(name)]
    for name, prose in PROSE_IN_LISTS.items():
        texts += [
            (f"/{name}/{position}/{prose}", entry[prose])
            for position, entry in enumerate(content.get(name) or ())
            if entry[prose]
        ]
    return texts
