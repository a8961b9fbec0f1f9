"""The search of a glossary as a visitor meets it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import ceil
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ..addresses import letter_part
from ..delivery.documents import TermHighlight, TermHit, TermSpan
from ..delivery.listing import TermQuery
from ..delivery.search import Results, load_hits, search_terms
from ..delivery.search.words import readable
from ..delivery.suggestions import autocomplete, did_you_mean
from ..models import PublicName
from ..names import name_key
from .index import GlossaryIndex
from .links import PageLinks


HITS = 20
MOST_PAGES = 50
SUGGESTIONS = 8
# What is offered where nothing was found.
NEAR = 5


NOTHING = Results([], 0, True, {})


class Hit(NamedTuple):
    """A term that was found, with the words that were looked for marked."""

    title: SafeString
    url: str
    definition: SafeString
    label: SafeString | None
    """The label that has the words, if the title has not."""
    snippet: SafeString | None
    """Where they are in the text, if they are in nothing of the above."""
    category: str


class Choice(NamedTuple):
    """A category or a letter that the hits can be narrowed to."""

    value: str
    label: str
    count: int | None
    """How many of the hits it has; None where that is not known."""
    is_chosen: bool


class Near(NamedTuple):
    """A term whose name is like what was looked for."""

    name: str
    title: str
    """Empty if it is the name."""
    url: str


class Search(NamedTuple):
    text: str
    hits: list[Hit]
    total: int
    total_is_exact: bool
    categories: list[Choice]
    letters: list[Choice]
    did_you_mean: str | None
    did_you_mean_url: str
    near: list[Near]
    previous_url: str
    next_url: str
    is_filtered: bool
    unfiltered_url: str


def asked_text(values: Mapping[str, str], name: str = "q") -> str:
    """What a visitor typed, as far as it is read."""
    return " ".join(readable(values.get(name, "")).split())


def only_term(index: GlossaryIndex, text: str) -> str | None:
    """The address of the term of exactly this name or label, if there is just one."""
    key = name_key(text).encode(errors="replace")
    if index.shown is None or not key:
        return None
    names = PublicName.objects.filter(glossary=index.pk, key=key).order_by()
    terms = names.values_list("public_term", flat=True).distinct()[:2]
    found = index.terms(list(terms))
    return found[0].url if len(found) == 1 else None


def search(index: GlossaryIndex, request: HttpRequest) -> Search:
    """What ``?q=`` finds, narrowed by ``?category=`` and ``?letter=``; ``?page=`` is
    the part of it. What is unknown or malformed narrows nothing."""
    text = asked_text(request.GET)
    category = index.category(request.GET.get("category", ""))
    letter = index.letter(request.GET.get("letter", ""))
    page = _page(request.GET.get("page", ""))
    filters = {
        **({"category": category.slug} if category else {}),
        **({"letter": letter.part} if letter else {}),
    }

    def url(**parameters: str) -> str:
        return f"{index.url}?{urlencode({**filters, 'q': text, **parameters})}"

    results, found, meant = NOTHING, [], None
    if index.shown:
        scope, glossary = index.shown
        query = TermQuery(
            glossaries=(glossary,),
            categories=(category.slug,) if category else (),
            letters=(letter.name,) if letter else (),
        )
        ask = partial(
            *(search_terms, text, query),
            limit=HITS,
            facets=() if filters else ("category", "letter"),
        )
        results = ask(offset=(page - 1) * HITS)
        if results.total and not results.pks:  # behind the last hit
            page = ceil(results.total / HITS)
            results = ask(offset=(page - 1) * HITS)
        found = [
            _hit(hit, scope.path(hit["html_url"]) or "")
            for hit in load_hits(results.pks, text, scope, PageLinks(scope, None))
        ]
        meant = None if results.total else did_you_mean(text, [glossary])
    is_last = results.total <= page * HITS or page == MOST_PAGES
    return Search(
        text=text,
        hits=found,
        total=results.total,
        total_is_exact=results.total_is_exact,
        categories=_choices(
            ((item.slug, item.name) for item in index.categories),
            filters.get("category"),
            results.facets.get("category"),
        ),
        letters=_choices(
            ((item.part, item.name) for item in index.letters if item.entries),
            filters.get("letter"),
            [
                {**value, "value": letter_part(value["value"])}
                for value in results.facets.get("letter", ())
            ],
        ),
        did_you_mean=meant,
        did_you_mean_url=url(q=meant) if meant else "",
        near=[] if results.total else near(index, text),
        previous_url=url(page=f"{page - 1}") if page > 1 else "",
        next_url="" if is_last else url(page=f"{page + 1}"),
        is_filtered=bool(filters),
        unfiltered_url=f"{index.url}?{urlencode({'q': text, 'all': '1'})}",
    )


def suggestions(index: GlossaryIndex, text: str) -> list[Near]:
    """The terms that one may be about to type the name of."""
    return _near(index, text, SUGGESTIONS)


def near(index: GlossaryIndex, text: str) -> list[Near]:
    """The terms whose names come nearest to a text, or to words of it."""
    for part in (text, *sorted(text.split(), key=len, reverse=True)[:3]):
        if found := _near(index, part, NEAR):
            return found
    return []


def _near(index: GlossaryIndex, text: str, most: int) -> list[Near]:
    if index.shown is None:
        return []
    scope, glossary = index.shown
    return [
        Near(
            item["match"],
            "" if item["match"] == item["title"] else item["title"],
            scope.path(item["html_url"]) or "",
        )
        for item in autocomplete(text, scope, [glossary], limit=most)
    ]


def _page(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) < 5
    return min(max(int(text), 1), MOST_PAGES) if is_number else 1


def _choices(
    known: Iterable[tuple[str, str]],
    chosen: str | None,
    values: Iterable[Mapping[str, Any]] | None,
) -> list[Choice]:
    """What the hits can be narrowed to: what they have, if that has been counted."""
    counts = {value["value"]: value["count"] for value in values or ()}
    return [
        Choice(value, label, counts.get(value), value == chosen)
        for value, label in known
        if not counts or value in counts
    ]


# --- Marks


def _hit(hit: TermHit, url: str) -> Hit:
    found = {item["field"]: item for item in hit["highlights"]}
    title, definition = found.pop("title", None), found.pop("short_definition", None)
    label = found.pop("labels", None)
    text = next(iter(found.values()), None)
    is_named = bool(title or label)
    return Hit(
        title=marked(hit["title"], title),
        url=url,
        definition=marked(hit["short_definition"], definition),
        label=marked("", label) if label and not title else None,
        snippet=marked("", text) if text and not definition and not is_named else None,
        category=hit["category"]["name"] if hit["category"] else "",
    )


def marked(text: str, highlight: TermHighlight | None) -> SafeString:
    """The text of a highlight, its matches in ``mark``; without one, the text."""
    if highlight is None:
        return format_html("{}", text)
    return format_html_join(
        "",
        "{}",
        ((piece,) for piece in _pieces(highlight["text"], highlight["matches"])),
    )


def _pieces(text: str, spans: Sequence[TermSpan]) -> Iterable[str]:
    at = 0
    for span in spans:
        yield text[at : span["start"]]
        yield format_html("<mark>{}</mark>", text[span["start"] : span["end"]])
        at = span["end"]
    yield text[at:]
