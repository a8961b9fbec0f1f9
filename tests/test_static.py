"""What visitors' pages load, and what templates may hold beside it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest


APP = Path(__file__).resolve().parent.parent / "glossary"
STATIC = APP / "static" / "glossary"
TEMPLATES = APP / "templates" / "glossary"

# Those of visitors' pages; the admin and the page of the API have their own.
STYLES = sorted(path for path in STATIC.glob("*.css") if path.name != "api.css")
SCRIPTS = sorted(STATIC.glob("*.js"))
MOST_STYLES = 20_000
MOST_SCRIPTS = 8_000

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DECLARATION = re.compile(r"(?:^|[{;])\s*([\w-]+)\s*:\s*([^;{}]+)(?=[;}])")
SIDE = re.compile(
    r"(?:(?:scroll-)?(?:margin|padding)-|border-|inset-|^)(?:left|right|top|bottom)\b"
    r"|^border-(?:top|bottom)-(?:left|right)-radius$"
    r"|^(?:min-|max-)?(?:width|height)$"
)
SIDED = re.compile(r"^(?:scroll-)?(?:margin|padding)$|^inset$|^border-(?:width|color)$")
DANGEROUS = re.compile(
    r"\beval\(|\bFunction\(|\bimport\(|innerHTML|outerHTML|insertAdjacentHTML"
    r"|createContextualFragment|parseFromString|setHTMLUnsafe|document\.write|\.cssText"
    r"|setAttribute\(\s*[\"'](?:style|on\w+)[\"']|set(?:Timeout|Interval)\(\s*[\"'`]"
)
ALIGNED = {"float", "clear", "text-align", "caption-side"}


def compressed(paths: list[Path]) -> int:
    """How many bytes files take on their way to a visitor."""
    return sum(len(gzip.compress(path.read_bytes())) for path in paths)


def without_comments(path: Path) -> str:
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def declarations(path: Path) -> Iterator[tuple[str, str]]:
    for name, value in DECLARATION.findall(without_comments(path)):
        yield name, value.strip()


def test_styles_and_scripts_are_small():
    assert STYLES
    assert compressed(STYLES) <= MOST_STYLES
    assert SCRIPTS
    assert compressed(SCRIPTS) <= MOST_SCRIPTS


# Styles


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_all_styles_stand_in_the_layer(path: Path):
    """So that whatever a site says in no layer wins over them."""
    text = without_comments(path)
    depth, outside = 0, ""
    for character in text:
        depth -= character == "}"
        if depth == 0:
            outside += character
        depth += character == "{"
    assert depth == 0
    # Each block leaves its end.
    assert set(re.split(r"[};]\s*", outside.strip())) <= {"@layer glossary {", ""}


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_nothing_in_styles_is_important(path: Path):
    assert "!important" not in without_comments(path).replace(" ", "")


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_know_no_left_and_right(path: Path):
    """Only where text begins and ends, so that they suit every script."""
    assert dict(declarations(path))
    physical = [
        f"{name}: {value}"
        for name, value in declarations(path)
        if SIDE.search(name)
        or (name in ALIGNED and {"left", "right"} & set(value.split()))
        or (SIDED.search(name) and has_two_sides(value))
    ]
    assert physical == []


def has_two_sides(value: str) -> bool:
    """Whether the second and the fourth of four lengths differ."""
    lengths = re.findall(r"[\w.%-]+(?:\((?:[^()]|\([^()]*\))*\))?", value)
    return len(lengths) == 4 and lengths[1] != lengths[3]


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_load_nothing(path: Path):
    assert not re.search(r"@import|url\(|image-set\(", without_comments(path))


# Scripts


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_make_no_code_and_no_html_of_texts(path: Path):
    text = path.read_text(encoding="utf-8")
    assert DANGEROUS.findall(text) == []


# Templates


class Inline(HTMLParser):
    """Notes what a strict policy would refuse: styles and scripts in the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        names = values.keys()
        if tag == "style":
            self.found.append("<style>")
        # A script of another type is data.
        if (
            tag == "script"
            and "src" not in names
            and "json" not in (values.get("type") or "")
        ):
            self.found.append("<script>")
        self.found += [
            name for name in names if name == "style" or re.match(r"on[a-z]+$", name)
        ]
        self.found += [
            str(value)
            for value in values.values()
            if (value or "").strip().lower().startswith("javascript:")
        ]


@pytest.mark.parametrize(
    "path",
    sorted(TEMPLATES.rglob("*.html")),
    ids=lambda path: str(path.relative_to(TEMPLATES)),
)
def test_templates_have_no_inline_styles_and_scripts(path: Path):
    # Tags of templates would end attributes in the middle.
    tags = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
    parser = Inline()
    parser.feed(tags.sub("", path.read_text(encoding="utf-8")))
    assert parser.found == []
