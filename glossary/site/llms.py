"""What language models read of a whole glossary: its terms as lists of links, as
https://llmstxt.org proposes it, and all of them in full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..delivery.documents import GlossaryCategory, GlossaryDocument, GlossaryLetter
from ..delivery.links import Links
from ..delivery.loaders import load_terms
from ..delivery.scope import Scope, ScopeGlossary
from . import contents
from .listing import MOST_TERMS, letter_items, markdown_url
from .markdown import items, joined, paragraph, summary, term_markdown, title


def llms_txt(
    document: GlossaryDocument,
    glossary: ScopeGlossary,
    letters: Sequence[GlossaryLetter],
    categories: Sequence[GlossaryCategory],
) -> str:
    """The terms of a glossary by category, each with the address of its Markdown; of a
    large one the letters. ``document`` has its introduction as ``html``."""
    url = glossary.url or ""
    count = sum(letter["terms"] for letter in letters)
    with translation.override(glossary.locale):
        size = ngettext(
            "This glossary explains %(count)d term.",
            "This glossary explains %(count)d terms.",
            count,
        )
        pieces = [title(1, document["title"]), summary(document)]
        pieces.append(paragraph(size % {"count": count}))
        if count > MOST_TERMS:
            pieces += [title(2, _("Terms by letter")), letter_items(url, letters)]
        else:
            pieces += _by_category(glossary, categories)
        # Its name is part of the proposal: what a reader may leave out.
        pieces.append(title(2, "Optional"))
        full = (_("All terms in full"), f"{url.rstrip('/')}/llms-full.txt", "")
        return joined([*pieces, items([full])])


def _by_category(
    glossary: ScopeGlossary, categories: Iterable[GlossaryCategory]
) -> Iterator[str]:
    grouped: dict[str | None, list[contents.Line]] = defaultdict(list)
    for line in contents.lines(glossary):
        grouped[line.category].append(line)
    names = {category["slug"]: category["name"] for category in categories}
    named = [(names[slug], grouped.pop(slug)) for slug in names if slug in grouped]
    rest = [line for group in grouped.values() for line in group]
    for name, group in [*named, (_("Other terms") if named else _("Terms"), rest)]:
        if group:
            yield title(2, name)
            yield items(
                (
                    line.title,
                    markdown_url(glossary.term_url(line.slug)),
                    line.short_definition,
                )
                for line in group
            )


def llms_full_txt(
    document: GlossaryDocument, glossary: ScopeGlossary, scope: Scope, links: Links
) -> Iterator[str]:
    """Every term of a glossary in full, in pieces of a bounded number of terms, each
    made by the same number of queries."""
    yield joined([title(1, document["title"]), summary(document)])
    for pks in contents.term_pks(glossary):
        terms = load_terms(pks, scope, links, rich_text="html")
        yield "".join(f"\n{term_markdown(term, document)}" for term in terms)
