"""The importer to compare ours with: page by page, through Wagtail's documented API.

It is what one writes first, and with care: nothing is saved twice without need, each
term is written in a transaction, and a term that is there already gets the fields of
its payload and a new revision. It compares nothing and remembers nothing.

``python -m benchmarks.naive_import FOLDER --glossary SLUG [--limit COUNT]``; the last
line that it prints is the seconds that it took, without the start of the process.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import django
from django.db import transaction

from glossary.payload import devalue
from glossary.payload.schema import find_term
from glossary.richtext import markdown_to_rich_text


if TYPE_CHECKING:
    from glossary.models import Category, GlossaryPage, RelatedTerm, TermPage

SECTIONS = {
    "explanation": "explanation",
    "howItWorks": "how_it_works",
    "inChatbots": "in_chatbots",
}


def import_folder(folder: Path, glossary: GlossaryPage, limit: int | None) -> None:
    """Import the payloads below a folder, or the first ``limit`` of them."""
    for path in islice(sorted(folder.glob("*/_payload.json")), limit):
        import_term(find_term(devalue.loads(path.read_bytes())).record, glossary)


@transaction.atomic
def import_term(record: dict[str, Any], glossary: GlossaryPage) -> None:
    from glossary.models import TermPage

    terms = TermPage.objects.child_of(glossary)
    page = terms.filter(slug=record["slug"]).first()
    if page is None:
        page = TermPage(slug=record["slug"], locale=glossary.locale)
        write_fields(page, record, glossary)
        glossary.add_child(instance=page)
    else:
        write_fields(page, record, glossary)
    page.save_revision().publish()


def write_fields(
    page: TermPage, record: dict[str, Any], glossary: GlossaryPage
) -> None:
    from glossary.models import TermLabel, TermLink

    related_terms = {
        item["name"]: related_term(item, glossary) for item in record["relatedTerms"]
    }
    page.title = record["term"]
    page.heading = record["h1"]
    page.short_definition = record["shortDefinition"]
    page.seo_title = record["seoTitle"]
    page.search_description = record["seoDescription"]
    page.explanation = [
        ("section", {"kind": kind, "heading": "", "body": rich_text(record[field])})
        for field, kind in SECTIONS.items()
    ]
    page.comparisons = [
        (
            "comparison",
            {
                "related_term": related_terms.get(item["term"]),
                "name": item["term"],
                "comparison": rich_text(item["comparison"]),
            },
        )
        for item in record["vsRelatedConcepts"]
    ]
    page.faq = [
        (
            "question",
            {"question": item["question"], "answer": rich_text(item["answer"])},
        )
        for item in record["faq"]
    ]
    page.related_features = [
        ("feature", {"path": path, "label": ""}) for path in record["relatedFeatures"]
    ]
    page.category = category(record["category"], glossary)
    page.tags.set(record["tags"])
    page.related_terms = [
        TermLink(related_term=related, sort_order=position)
        for position, related in enumerate(related_terms.values())
    ]
    page.labels = [
        TermLabel(
            text=item["text"],
            kind=item["kind"],
            case_rule=item["caseRule"],
            sort_order=position,
        )
        for position, item in enumerate(record["labels"])
    ]


def rich_text(markdown: str) -> str:
    return markdown_to_rich_text(markdown).value


def category(slug: str, glossary: GlossaryPage) -> Category:
    from glossary.models import Category

    name = slug.replace("-", " ").capitalize()
    found, _created = Category.objects.get_or_create(
        locale=glossary.locale, slug=slug, defaults={"name": name}
    )
    return found


def related_term(item: dict[str, Any], glossary: GlossaryPage) -> RelatedTerm:
    from glossary.models import RelatedTerm

    found, _created = RelatedTerm.objects.get_or_create(
        glossary=glossary,
        locale=glossary.locale,
        slug=item["slug"],
        defaults={"name": item["name"]},
    )
    return found


def main() -> None:
    from glossary.models import GlossaryPage

    parser = ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--glossary", required=True)
    parser.add_argument("--limit", type=int, help="Import only the first so many.")
    options = parser.parse_args()
    glossary = GlossaryPage.objects.get(slug=options.glossary)
    start = perf_counter()
    import_folder(options.folder, glossary, options.limit)
    print(perf_counter() - start)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main()
