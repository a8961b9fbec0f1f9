"""What is suggested while a name is typed: ours at 100,000 names, and Wagtail's own
autocomplete, which finds no mistakes, at 2,000 of the same terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from typing import Any

import django
from django.db import connection
from django.test.utils import (
    CaptureQueriesContext,
    setup_databases,
    setup_test_environment,
    teardown_databases,
)

from .corpus import ADJECTIVES, NOUNS, SEED, SYLLABLES
from .decode import best


TERMS = 50_000
NAMES_OF_A_TERM = 2
WAGTAILS_TERMS = 2_000
SAMPLE = 20
TARGET = 5e-3
SLUG = "made-"

# What is typed of a name such as "Calm budget wanimutan".
TYPED: dict[str, Callable[[str], str]] = {
    "a letter": lambda name: name[:1],
    "begun": lambda name: name[:8],
    "whole": lambda name: name,
    "its last word": lambda name: name.rpartition(" ")[2],
    "mistaken at the end": lambda name: f"{name[:-3]}{name[-2]}{name[-3]}n",
    "mistaken at the start": lambda name: f"{name[1]}{name[0]}{name[2:]}",
    "a common word mistaken": lambda name: swapped(name.split(" ")[1]),
    "three words mistaken": lambda name: " ".join(map(swapped, name.split(" "))),
    "nonsense": lambda _name: "zzzxxzzx qqwqqw",
    "as much as is read": lambda name: f"x{name} " * 10,
}


def run() -> None:
    django.setup()
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        compare(build())
    finally:
        teardown_databases(databases, verbosity=0)


def swapped(word: str) -> str:
    """The word with its third and fourth letters in the wrong order."""
    return f"{word[:2]}{word[3:4]}{word[2:3]}{word[4:]}"


def made_up(random: Random) -> Iterator[str]:
    """Names of which the first words come often and the last one hardly twice."""
    while True:
        last = "".join(random.choices(SYLLABLES, k=4))
        yield f"{random.choice(ADJECTIVES)} {random.choice(NOUNS)} {last}n"


def build() -> list[str]:
    """A glossary of terms with two names each, written straight into the tables."""
    from glossary.models import PublicTerm
    from tests.factories import make_glossary, make_term

    glossary = make_glossary("ai")
    pattern = make_term(glossary, title="Pattern")
    names = list(islice(made_up(Random(SEED)), TERMS * NAMES_OF_A_TERM))
    titles = [name.capitalize() for name in names[:TERMS]]
    pks = make_pages(glossary, pattern, titles)
    PublicTerm.objects.bulk_create(
        PublicTerm(
            term_id=pk,
            glossary=glossary,
            locale=glossary.locale,
            title=title,
            slug=f"{SLUG}{pk}",
            letter=title[0],
            sort_key=title.encode(),
            first_published_at=pattern.first_published_at,
            last_published_at=pattern.last_published_at,
        )
        for pk, title in zip(pks, titles, strict=True)
    )
    make_names(glossary, pks, titles, "title")
    make_names(glossary, pks, names[TERMS:], "synonym")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "postgresql" else "SELECT 1")
    return titles


def make_pages(glossary: Any, pattern: Any, titles: list[str]) -> list[int]:
    """Pages like the pattern, with these titles; without revisions or entries."""
    import swapper

    from glossary.models import TermPage

    Page = swapper.load_model("wagtailcore", "Page")
    base = Page.objects.get(pk=pattern.pk)
    fields = {
        field.attname: getattr(base, field.attname)
        for field in Page._meta.concrete_fields
        if field.attname not in ("id", "path", "title", "slug", "translation_key")
    }
    step = Page.steplen
    Page.objects.bulk_create(
        (
            Page(
                path=glossary.path + Page._int2str(number).rjust(step, "0"),
                title=title,
                slug=f"{SLUG}{number}",
                **fields,
            )
            for number, title in enumerate(titles, 2)
        ),
        batch_size=500,
    )
    own = [field.column for field in TermPage._meta.local_concrete_fields]
    key = TermPage._meta.pk.column
    columns = ", ".join(column for column in own if column != key)
    page, term = Page._meta.db_table, TermPage._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {term} ({key}, {columns}) SELECT {page}.id, {columns}"
            f" FROM {page}, {term} WHERE {page}.slug LIKE %s AND {term}.{key} = %s",
            [f"{SLUG}%", pattern.pk],
        )
    made = Page.objects.filter(slug__startswith=SLUG).order_by("path")
    return list(made.values_list("pk", flat=True))


def make_names(glossary: Any, pks: list[int], names: list[str], kind: str) -> None:
    from glossary.models import NameVariant, PublicName
    from glossary.names import name_key, variants

    rows = PublicName.objects.bulk_create(
        (
            PublicName(
                public_term_id=pk,
                glossary=glossary,
                kind=kind,
                text=name,
                key=name_key(name).encode(),
                letter="",
                sort_key=b"",
            )
            for pk, name in zip(pks, names, strict=True)
        ),
        batch_size=500,
    )
    NameVariant.objects.bulk_create(
        (
            NameVariant(public_name=row, variant=variant)
            for row in rows
            for variant in variants(row.key.decode(), glossary.pk)
        ),
        batch_size=5_000,
    )


def compare(titles: list[str]) -> None:
    from wagtail.models import Site

    from glossary.delivery.scope import make_scope
    from glossary.delivery.suggestions import autocomplete, did_you_mean

    scope = make_scope(Site.objects.get(is_default_site=True))
    sample = Random(SEED).sample(titles[:WAGTAILS_TERMS], SAMPLE)
    print(f"  {connection.vendor}, {TERMS * NAMES_OF_A_TERM:,} names, median of a call")

    def ours(text: str) -> list[str]:
        return [item["title"] for item in autocomplete(text, scope, scope.glossaries)]

    def meant(text: str) -> str | None:
        return did_you_mean(text, scope.glossaries)

    for name, typed in TYPED.items():
        texts = [typed(title.lower()) for title in sample]
        found = sum(
            title in ours(text) for title, text in zip(sample, texts, strict=True)
        )
        seconds, queries = timed(ours, texts)
        verdict = "" if seconds < TARGET else f"  over {TARGET * 1e3:.0f} ms"
        meaning, _queries = timed(meant, texts)
        print(
            f"  {name:24} {seconds * 1e3:6.2f} ms {queries} queries,"
            f" found {found:2} of {SAMPLE};"
            f" did you mean {meaning * 1e3:6.2f} ms{verdict}"
        )
    begun = [TYPED["begun"](title.lower()) for title in sample]
    index_for_wagtail(titles)
    wagtails, queries = timed(wagtails_own, begun)
    seconds, _queries = timed(ours, begun)
    print(
        f"  Wagtail's, begun         {wagtails * 1e3:6.2f} ms {queries} queries,"
        f" at {WAGTAILS_TERMS:,} terms: {wagtails / seconds:.1f} times ours"
    )


def timed(suggest: Callable[[str], Any], texts: list[str]) -> tuple[float, int]:
    """The median of the seconds of a call, and the most queries of one."""
    most = 0
    for text in texts:
        with CaptureQueriesContext(connection) as captured:
            suggest(text)
        most = max(most, len(captured))
    each = sorted(best(lambda text=text: suggest(text), number=3) for text in texts)
    return each[len(each) // 2], most


def index_for_wagtail(titles: list[str]) -> None:
    from wagtail.search.backends import get_search_backend

    from glossary.models import TermPage

    terms = TermPage.objects.filter(title__in=titles[:WAGTAILS_TERMS])
    get_search_backend().add_bulk(TermPage, list(terms))


def wagtails_own(text: str) -> list[str]:
    from glossary.models import TermPage

    terms = TermPage.objects.live().public()
    return [term.title for term in terms.autocomplete(text)[:10]]
