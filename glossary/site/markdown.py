"""Terms and glossaries as Markdown: what they say, and nothing of the page around it.

Each piece is written as rich text, with all that comes from outside escaped, and goes
through the one writer of Markdown. So nothing that a text contains can end its heading,
make a list of it or be a link that it is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from urllib.parse import urljoin, urlsplit

from django.utils import translation
from django.utils.html import escape
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from ..conf import section_kind_label
from ..delivery.documents import GlossaryDocument, TermDocument, TermLink
from ..delivery.structured_data import SHOWN_LABELS
from ..models import TermLink as TermLinkModel
from ..richtext import rich_text_to_markdown, rich_text_to_plain


# What a list says of a term: more would make it hard to read.
NOTE_LENGTH = 300

_HREF = re.compile(r'(<a\b[^>]*?\shref=")([^"]*)(?=")')


def term_markdown(term: TermDocument, glossary: GlossaryDocument | None) -> str:
    """A term, loaded with its rich text as ``html``, with a newline at the end.

    ``glossary`` is the one that it stands in, or None if that is hidden. The words
    that are ours are in the language of the term.
    """
    with translation.override(term["meta"]["locale"]):
        return joined(_term(term, glossary))


def introduction(glossary: GlossaryDocument) -> str:
    """The title of a glossary and its introduction, loaded as ``html``."""
    text = _prose(glossary["introduction"], glossary["meta"]["html_url"] or "")
    return joined([title(1, glossary["title"]), text])


def closing(glossary: GlossaryDocument) -> str:
    """What stands below the terms of a glossary."""
    meta = glossary["meta"]
    return joined(
        _facts(
            [
                _source(meta["html_url"]),
                _updated(meta["last_published_at"]),
                _licence(glossary["licence_url"]),
            ]
        )
    )


def summary(glossary: GlossaryDocument) -> str:
    """What a glossary is about, as a quote on one line; empty if it does not say."""
    text = rich_text_to_plain(glossary["introduction"])
    return quote(text or glossary["meta"]["search_description"])


# Pieces, which llms.txt is made of as well


def title(level: int, text: str, url: str | None = None) -> str:
    return _markdown(f"<h{level}>{link(text, url)}</h{level}>")


def paragraph(text: str) -> str:
    return _markdown(f"<p>{_line(text)}</p>")


def quote(text: str) -> str:
    return _markdown(f"<blockquote>{_line(text)}</blockquote>") if text else ""


def items(entries: Iterable[tuple[str, str | None, str]]) -> str:
    """A list of links with a note each, as (name, address, note)."""
    return _list(
        link(name, url) + (f": {_note(note)}" if note else "")
        for name, url, note in entries
    )


def joined(pieces: Iterable[str]) -> str:
    """The pieces that say something, a blank line apart, with a newline at the end."""
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def link(text: str, url: str | None) -> str:
    """A link as rich text, or its text alone where no address leads to it."""
    return f'<a href="{escape(url)}">{_line(text)}</a>' if url else _line(text)


def absolute(html: str, url: str) -> str:
    """The rich text of the page at this address, with full addresses."""

    def join(match: re.Match[str]) -> str:
        try:
            return match[1] + escape(urljoin(url, unescape(match[2])))
        except ValueError:  # it is no address
            return match[0]

    return _HREF.sub(join, html)


# A term


def _term(term: TermDocument, glossary: GlossaryDocument | None) -> Iterator[str]:
    url = term["meta"]["html_url"] or ""
    yield title(1, term["title"])
    if term["heading"] not in ("", term["title"]):
        yield _markdown(f"<p><b>{_line(term['heading'])}</b></p>")
    yield quote(term["short_definition"])
    if names := [x["text"] for x in term["labels"] if x["kind"] in SHOWN_LABELS]:
        yield paragraph(_("Also called: %(names)s") % {"names": ", ".join(names)})

    for section in term["explanation"]:
        value = section["value"]
        yield title(2, value["heading"] or str(section_kind_label(value["kind"])))
        yield _prose(value["body"], url)

    comparisons = [
        (name, related["url"] if related else None, child["value"]["comparison"])
        for child in term["comparisons"]
        for related in [child["value"]["related_term"]]
        # One with a hidden term has no name but its own.
        if (name := child["value"]["name"] or (related["name"] if related else ""))
    ]
    if comparisons:
        yield title(2, _("How it compares"))
    for name, address, text in comparisons:
        yield title(3, name, address)
        yield _prose(text, url)

    if term["faq"]:
        yield title(2, _("Questions and answers"))
    for child in term["faq"]:
        yield title(3, child["value"]["question"])
        yield _prose(child["value"]["answer"], url)

    if term["related_terms"]:
        yield title(2, _("Related terms"))
        yield _related_terms(term["related_terms"])

    if features := list(_features(term, glossary)):
        yield title(2, _("Related features"))
        yield items(features)

    yield from _facts(_term_facts(term, glossary))


def _related_terms(links: Iterable[TermLink]) -> str:
    """By kind, as on the page; the most common kind needs no name."""
    groups: Mapping[str, list[TermLink]] = {kind: [] for kind in TermLinkModel.Kind}
    for entry in links:
        groups[entry["kind"]].append(entry)
    return _list(
        _kind(kind) + link(known["name"], known["url"])
        for kind, entries in groups.items()
        for known in (entry["related_term"] for entry in entries)
    )


def _kind(kind: str) -> str:
    if kind == TermLinkModel.Kind.RELATED:
        return ""
    return escape(f"{TermLinkModel.Kind(kind).label}: ")


def _features(
    term: TermDocument, glossary: GlossaryDocument | None
) -> Iterator[tuple[str, str | None, str]]:
    base = (glossary["feature_base_url"] if glossary else "") or "/"
    for child in term["related_features"]:
        path, label = child["value"]["path"], child["value"]["label"]
        try:
            url = urljoin(term["meta"]["html_url"] or "", urljoin(base, path))
            is_link = urlsplit(url).scheme in ("http", "https")
        except ValueError:
            is_link = False
        yield label or path, url if is_link else None, ""


def _term_facts(term: TermDocument, glossary: GlossaryDocument | None) -> Iterator[str]:
    if category := term["category"]:
        yield escape(_("Category: %(name)s") % {"name": category["name"]})
    if tags := term["tags"]:
        yield escape(_("Tags: %(names)s") % {"names": ", ".join(tags)})
    if glossary:
        name = link(glossary["title"], glossary["meta"]["html_url"])
        yield _("Glossary: %(glossary)s") % {"glossary": name}
    yield _source(term["meta"]["html_url"])
    yield _updated(term["meta"]["last_published_at"])
    yield _licence(glossary["licence_url"] if glossary else "")


def _source(url: str | None) -> str:
    return _("Source: %(url)s") % {"url": link(url, url)} if url else ""


def _updated(moment: object) -> str:
    return (
        _("Last updated: %(date)s") % {"date": f"{moment:%Y-%m-%d}"} if moment else ""
    )


def _licence(url: str) -> str:
    return _("Licence: %(url)s") % {"url": link(url, url)} if url else ""


# Markdown


def _markdown(html: str) -> str:
    return rich_text_to_markdown(html).value


def _prose(html: str, url: str) -> str:
    return _markdown(absolute(html, url))


def _facts(entries: Iterable[str]) -> list[str]:
    """A list below a line, which keeps it apart from a list that ends the text."""
    facts = _list(entry for entry in entries if entry)
    return ["---", facts] if facts else []


def _list(entries: Iterable[str]) -> str:
    """Of entries that are rich text."""
    return _markdown(f"<ul>{''.join(f'<li>{entry}</li>' for entry in entries)}</ul>")


def _line(text: str) -> str:
    return escape(" ".join(text.split()))


def _note(text: str) -> str:
    return escape(Truncator(" ".join(text.split())).chars(NOTE_LENGTH))
