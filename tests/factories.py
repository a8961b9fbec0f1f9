"""Builders of what tests need, each with sensible content and nothing hidden."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from wagtail.models import Locale, Site

from glossary.models import (
    Category,
    GlossaryPage,
    RelatedTerm,
    TermLabel,
    TermLink,
    TermPage,
)


_numbers = count(1)


def home_page() -> Any:
    """The root page of the default site."""
    return Site.objects.get(is_default_site=True).root_page.specific


def make_glossary(slug: str = "", *, parent: Any = None, **fields: Any) -> GlossaryPage:
    slug = slug or f"glossary-{next(_numbers)}"
    fields.setdefault("title", slug.replace("-", " ").capitalize())
    parent = parent or home_page()
    glossary = GlossaryPage(slug=slug, **fields)
    parent.add_child(instance=glossary)
    return glossary


def make_category(slug: str = "", **fields: Any) -> Category:
    slug = slug or f"category-{next(_numbers)}"
    fields.setdefault("name", slug.replace("-", " ").capitalize())
    fields.setdefault("locale", Locale.get_default())
    return Category.objects.create(slug=slug, **fields)


def make_term(
    glossary: GlossaryPage,
    slug: str = "",
    *,
    live: bool = True,
    related_terms: Iterable[RelatedTerm | tuple[RelatedTerm, str]] = (),
    labels: Iterable[str | tuple[str, str]] = (),
    tags: Iterable[str] = (),
    model: type[TermPage] = TermPage,
    **fields: Any,
) -> TermPage:
    """A term with a revision; published unless ``live`` is false."""
    slug = slug or f"term-{next(_numbers)}"
    fields.setdefault("title", slug.replace("-", " ").capitalize())
    fields.setdefault("short_definition", f"What {slug} means.")
    term = model(slug=slug, live=live, **fields)
    for position, related in enumerate(related_terms):
        related_term, kind = (
            related if isinstance(related, tuple) else (related, "related")
        )
        term.related_terms.add(
            TermLink(related_term=related_term, kind=kind, sort_order=position)
        )
    for position, label in enumerate(labels):
        text, kind = label if isinstance(label, tuple) else (label, "synonym")
        term.labels.add(TermLabel(text=text, kind=kind, sort_order=position))
    glossary.add_child(instance=term)
    if tags:
        term.tags.set(tags)
        term.save()
    revision = term.save_revision()
    if live:
        revision.publish()
        term.refresh_from_db()
    return term


def make_related_term(
    glossary: GlossaryPage, slug: str = "", **fields: Any
) -> RelatedTerm:
    """The related term of this slug: a page has had one since it was saved."""
    slug = slug or f"related-{next(_numbers)}"
    known = RelatedTerm.objects.filter(glossary=glossary, slug=slug).first()
    related_term = known or RelatedTerm(
        glossary=glossary, slug=slug, name=slug.replace("-", " ").capitalize()
    )
    for name, value in fields.items():
        setattr(related_term, name, value)
    related_term.save()
    return related_term


def section(
    body: str, *, kind: str = "explanation", heading: str = ""
) -> tuple[Any, ...]:
    return ("section", {"kind": kind, "heading": heading, "body": body})


def question(text: str, answer: str) -> tuple[Any, ...]:
    return ("question", {"question": text, "answer": answer})


def comparison(
    name: str, text: str, related_term: RelatedTerm | None = None
) -> tuple[Any, ...]:
    return (
        "comparison",
        {"name": name, "comparison": text, "related_term": related_term},
    )


def feature(path: str, label: str = "") -> tuple[Any, ...]:
    return ("feature", {"path": path, "label": label})
