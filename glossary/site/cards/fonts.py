"""Which font a text on a card is written in.

A font draws a box, or nothing, for a character that it does not have. No card shows
such a thing: another font is tried, and a text that none can write is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias, cast

from PIL import ImageFont, features
from PIL.ImageFont import Layout

from ... import conf
from .lines import ELLIPSIS, INVISIBLE


Drawn: TypeAlias = tuple[tuple[int, int], bytes]

BUILT_IN: Final = ""
# No font has this, and never will: Unicode keeps it free.
NO_CHARACTER: Final = "\U0010ffff"
# Large enough to tell a letter from a box.
PROBE_SIZE: Final = 40
# Signs that can be written more plainly without saying something else.
PLAIN: Final = {
    **dict.fromkeys("‐‑‒–−", "-"),
    **dict.fromkeys("—―", " - "),
    **dict.fromkeys("‘’‚‛", "'"),
    **dict.fromkeys("“”„‟", '"'),
    **dict.fromkeys("\u00a0\u202f", " "),
    "…": "...",
}
# The language that accents are no part of: naive, cafe.
ENGLISH: Final = "en"
# Pictures, and characters without a meaning that is agreed on.
DISPENSABLE: Final = frozenset({"So", "Sk", "Cf", "Co", "Cn"})


class Font(NamedTuple):
    """A font by the path of its file, or the one that Pillow has, which writes little
    more than English."""

    path: str = BUILT_IN

    def at(self, size: float, layout: Layout | None = None) -> ImageFont.FreeTypeFont:
        """The font in a size, in pixels. Raises an OSError if the file has none."""
        if layout is None:
            layout = Layout.RAQM if can_shape() else Layout.BASIC
        if self.path == BUILT_IN:
            font = cast("ImageFont.FreeTypeFont", ImageFont.load_default(size))
            return font.font_variant(layout_engine=layout)
        # Not truetype(): it would take a file of that name from anywhere.
        return ImageFont.FreeTypeFont(self.path, size, layout_engine=layout)

    def lacks(self, text: str) -> set[str]:
        """The characters that the font does not have."""
        # Without shaping, which draws a circle below a mark that stands alone.
        draw = _drawing(self.at(PROBE_SIZE, Layout.BASIC))
        nothing = draw(NO_CHARACTER)
        tested = set(text) - {" "} - (INVISIBLE if can_shape() else set())
        return {char for char in tested if draw(char) == nothing}

    def version(self) -> tuple[str, int, int]:
        """What differs when the file does."""
        if self.path == BUILT_IN:
            return self.path, 0, 0
        found = Path(self.path).stat()
        return self.path, found.st_size, found.st_mtime_ns


def _drawing(font: ImageFont.FreeTypeFont) -> Callable[[str], Drawn]:
    def draw(char: str) -> Drawn:
        mask = font.getmask(char, "L")
        return mask.size, bytes(mask)

    return draw


def fonts_for(language: str, *, is_bold: bool = False) -> list[Font]:
    """The fonts for a text in this language, the one that is meant for it first."""
    entries = {"": BUILT_IN, **conf.card_fonts()}
    wanted = dict.fromkeys([language, language.partition("-")[0], "", *entries])
    paths = [
        path
        for name in wanted
        if name in entries
        for path in _paths(entries[name], is_bold=is_bold)
    ]
    return [Font(path) for path in dict.fromkeys([*paths, BUILT_IN])]


def _paths(entry: conf.CardFont, *, is_bold: bool) -> Iterator[str]:
    regular, bold = (entry, entry) if isinstance(entry, str | Path) else entry
    if is_bold:
        yield str(bold)
    yield str(regular)


class Written(NamedTuple):
    """A text as a font can write it."""

    font: Font
    text: str

    def ellipsis(self) -> str:
        """As the font can write one."""
        return PLAIN[ELLIPSIS] if self.font.lacks(ELLIPSIS) else ELLIPSIS


def written(text: str, fonts: Iterable[Font], language: str) -> Written | None:
    """The text in the first font that has all of it; or else in the first that has it
    with plainer signs, and without pictures. None if no font can write it."""
    if not text or (_needs_shaping(text) and not can_shape()):
        return None
    lacking = []
    for font in fonts:
        missing = font.lacks(text)
        if not missing:
            return Written(font, text)
        lacking.append((font, missing))
    for font, missing in lacking:
        plain = _plain(text, missing, keep_accents=language != ENGLISH)
        if plain and not font.lacks(plain):
            return Written(font, plain)
    return None


def _plain(text: str, missing: set[str], *, keep_accents: bool) -> str:
    plainer = {}
    for char in missing:
        if char in PLAIN:
            plainer[char] = PLAIN[char]
        elif unicodedata.category(char) in DISPENSABLE:
            plainer[char] = ""
        elif not keep_accents:
            plainer[char] = unicodedata.normalize("NFD", char)[0]
    written = "".join(plainer.get(char, char) for char in text)
    return re.sub(" +", " ", written).strip()


def can_shape() -> bool:
    """Whether letters can be joined and run from the right."""
    return features.check("raqm") is True


def _needs_shaping(text: str) -> bool:
    return any(
        unicodedata.bidirectional(char) in {"R", "AL"}
        or unicodedata.category(char).startswith("M")
        for char in text
    )
