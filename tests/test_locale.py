"""The catalogues of messages: complete, true to the sources, and compiled."""

from __future__ import annotations

import ast
import gettext
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation.template import templatize

import glossary
from glossary.blocks import SectionBlock
from glossary.conf import HOW_IT_WORKS
from glossary.importing.report import Counts, Outcome, Result


APP = Path(glossary.__file__).parent
LOCALE = APP / "locale"
CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))
FRENCH = LOCALE / "fr" / "LC_MESSAGES" / "django.po"

MESSAGE_ARGUMENTS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "ngettext": 2}
STRING = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
IN_TEMPLATE = re.compile(rf"\b(?:_|n?gettext)\({STRING}(?:, {STRING})?")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|</?\w+[^>]*>")


@dataclass
class Entry:
    is_fuzzy: bool = False
    texts: dict[str, str] = field(default_factory=dict)
    """The strings by their keywords: ``msgid``, ``msgid_plural``, ``msgstr[0]``..."""

    @property
    def sources(self) -> list[str]:
        return [text for key, text in self.texts.items() if key.startswith("msgid")]

    @property
    def translations(self) -> list[str]:
        return [text for key, text in self.texts.items() if key.startswith("msgstr")]


def read_catalogue(path: Path) -> list[Entry]:
    """The entries of a .po file, the header first."""
    entries = []
    for block in re.split(r"\n{2,}", path.read_text(encoding="utf-8").strip()):
        entry = Entry()
        keyword = ""
        for line in block.splitlines():
            if line.startswith("#"):
                entry.is_fuzzy |= line.startswith("#,") and "fuzzy" in line
                continue
            if not line.startswith('"'):
                keyword, line = line.split(" ", 1)
                assert re.fullmatch(r"msgid(_plural)?|msgstr(\[\d\])?", keyword), line
                assert keyword not in entry.texts, line
                entry.texts[keyword] = ""
            entry.texts[keyword] += ast.literal_eval(line)
        entries.append(entry)
    return entries


def compiled(entries: list[Entry]) -> dict[str | tuple[str, int], str]:
    """What the .mo file of the entries holds, by message and plural form, the header
    being that of the empty message."""
    catalogue: dict[str | tuple[str, int], str] = {}
    for entry in entries:
        message = entry.texts["msgid"]
        if entry.is_fuzzy or not all(entry.translations):
            continue
        if "msgid_plural" in entry.texts:
            for form, text in enumerate(entry.translations):
                catalogue[message, form] = text
        else:
            catalogue[message] = entry.texts["msgstr"]
    return catalogue


def messages_in_code(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            count = MESSAGE_ARGUMENTS.get(node.func.id, 0)
            for argument in node.args[:count]:
                assert isinstance(argument, ast.Constant), ast.unparse(node)
                yield str(argument.value)


def messages_in_template(path: Path) -> Iterator[str]:
    for strings in IN_TEMPLATE.findall(templatize(path.read_text(encoding="utf-8"))):
        yield from (ast.literal_eval(string) for string in strings if string)


def test_the_catalogues_have_the_messages_of_the_sources() -> None:
    written = {
        *(each for path in APP.rglob("*.py") for each in messages_in_code(path)),
        *(each for path in APP.rglob("*.html") for each in messages_in_template(path)),
    }
    _header, *entries = read_catalogue(FRENCH)
    catalogued = {source for entry in entries for source in entry.sources}
    assert written - catalogued == set(), "run makemessages and translate these"
    assert catalogued - written == set(), "no longer in the sources"


def test_the_catalogues_have_the_same_messages() -> None:
    assert {path.parts[-3] for path in CATALOGUES} == {"en", "fr"}
    messages = [
        [entry.sources for entry in read_catalogue(path)] for path in CATALOGUES
    ]
    assert messages[0] == messages[1]
    assert len(messages[0]) > 100


def test_english_is_the_source_and_has_no_translations() -> None:
    _header, *entries = read_catalogue(LOCALE / "en" / "LC_MESSAGES" / "django.po")
    assert not any(text for entry in entries for text in entry.translations)


def test_french_is_complete() -> None:
    _header, *entries = read_catalogue(FRENCH)
    assert not [
        entry.sources
        for entry in entries
        if entry.is_fuzzy or not all(entry.translations)
    ]


def test_each_plural_has_all_forms() -> None:
    for entry in read_catalogue(FRENCH):
        assert len(entry.translations) == len(entry.sources), entry.sources


def test_translations_keep_the_placeholders_and_elements() -> None:
    for entry in read_catalogue(FRENCH)[1:]:
        wanted = Counter(PLACEHOLDER.findall(entry.texts["msgid"]))
        for text in [*entry.sources, *entry.translations]:
            assert Counter(PLACEHOLDER.findall(text)) == wanted, text


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_the_compiled_catalogue_is_up_to_date(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    expected = compiled(read_catalogue(path))
    for messages in (catalogue, expected):
        # Some versions of msgfmt leave this line out.
        messages[""] = re.sub(r"POT-Creation-Date:.*\n", "", messages[""])
    assert catalogue == expected


def test_a_section_is_called_by_its_kind_in_french() -> None:
    block = SectionBlock()
    value = block.to_python({"kind": HOW_IT_WORKS, "body": "<p>Du texte.</p>"})
    with translation.override("fr"):
        assert "<h2>Fonctionnement</h2>" in block.render(value)


@pytest.mark.parametrize(
    ("count", "summary"),
    [
        (0, "0 terme"),
        (1, "1 terme: 1 bloqué(s)"),
        (2, "2 termes: 2 bloqué(s)"),
    ],
)
def test_french_counts_none_as_one(count: int, summary: str) -> None:
    counts = Counts()
    for _record in range(count):
        counts.add(Result("source", "key", Outcome.BLOCKED))
    with translation.override("fr"):
        assert counts.summary() == summary
