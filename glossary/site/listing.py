"""The index of a glossary as Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from urllib.parse import quote

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..delivery.documents import GlossaryDocument, GlossaryLetter
from ..delivery.scope import ScopeGlossary
from . import contents
from .markdown import closing, introduction, items, joined, paragraph, title


# A longer list is parted by letter, each at an address of its own.
MOST_TERMS = 1000


def markdown_url(page_url: str | None) -> str | None:
    """Where a page is as Markdown."""
    return None if page_url is None else f"{page_url.rstrip('/')}/index.md"


def glossary_markdown(
    document: GlossaryDocument,
    glossary: ScopeGlossary,
    letters: Sequence[GlossaryLetter],
    *,
    letter: str = "",
) -> Iterator[str]:
    """A glossary and links to its terms, in pieces; ``document`` has its introduction
    as ``html``.

    A large glossary gets links to its letters; with ``letter``, the terms of that one.
    An unknown letter is as if none was asked for.
    """
    chosen = [
        known["letter"]
        for known in letters
        if known["terms"] and known["letter"].casefold() == letter.casefold()
    ]
    yield introduction(document)
    if chosen:
        yield f"\n{joined([title(2, chosen[0])])}\n"
        yield from _pieces(glossary, chosen[0])
    else:
        with translation.override(glossary.locale):
            yield f"\n{joined(_terms(glossary, letters))}"
    with translation.override(glossary.locale):
        end = closing(document)
    yield f"\n{end}"


def _pieces(glossary: ScopeGlossary, letter: str) -> Iterator[str]:
    lines = contents.lines(glossary, letter=letter)
    while piece := list(islice(lines, contents.LINES_AT_ONCE)):
        yield f"{_items(glossary, piece)}\n"


def _terms(glossary: ScopeGlossary, letters: Sequence[GlossaryLetter]) -> list[str]:
    count = sum(letter["terms"] for letter in letters)
    if count > MOST_TERMS:
        return [
            title(2, _("Terms by letter")),
            letter_items(glossary.url or "", letters),
        ]
    by_letter: dict[str, list[contents.Line]] = defaultdict(list)
    for line in contents.lines(glossary):
        by_letter[line.letter].append(line)
    if not by_letter:
        return [paragraph(_("No terms have been published here yet."))]
    order = [letter["letter"] for letter in letters]
    return [
        piece
        for name in dict.fromkeys([*order, *by_letter])
        if name in by_letter
        for piece in (title(2, name), _items(glossary, by_letter[name]))
    ]


def _items(glossary: ScopeGlossary, lines: Iterable[contents.Line]) -> str:
    return items(
        (line.title, glossary.term_url(line.slug), line.short_definition)
        for line in lines
    )


def letter_items(url: str, letters: Iterable[GlossaryLetter]) -> str:
    """Links from the glossary at ``url`` to the Markdown of each letter with terms."""
    return items(
        (
            letter["letter"],
            f"{markdown_url(url)}?letter={quote(letter['letter'], safe='')}",
            ngettext("%(count)d term", "%(count)d terms", letter["terms"])
            % {"count": letter["terms"]},
        )
        for letter in letters
        if letter["terms"]
    )
