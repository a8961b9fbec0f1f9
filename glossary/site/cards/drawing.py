"""A card, drawn: the title, what it means, and where it is from."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from hashlib import blake2b
from io import BytesIO
from itertools import chain
from typing import Any, Final

import PIL
from django.conf import settings
from PIL import Image, ImageColor, ImageDraw, ImageFont

from ... import conf
from .fonts import Written, can_shape, fonts_for, written
from .lines import Measure, balanced, clean, first_lines, fits


VERSION: Final = 1
"""To be raised with every change of how a card looks."""

# In pixels, as sites that show cards ask for it.
WIDTH: Final = 1200
HEIGHT: Final = 630

# It is drawn larger, so that letters stand where they should and not on whole pixels.
SCALE: Final = 2
# From here on a pixel is one of the larger picture.
RIGHT: Final = SCALE * WIDTH
LOWER: Final = SCALE * HEIGHT
BAR: Final = 40
# From the edge with the bar to the text, from the text to the other, above and below.
NEAR: Final = 208
FAR: Final = 192
TOP: Final = 144
BOTTOM: Final = 128
INNER: Final = RIGHT - NEAR - FAR

TITLE_SIZES: Final = range(200, 87, -16)
TITLE_LINES: Final = 3
TITLE_HEIGHT: Final = 472
TEXT_SIZE: Final = 70
TEXT_LINES: Final = 4
NAME_SIZE: Final = 58
NAMES_HEIGHT: Final = 168
# What the names leave to the title and the text.
ROOM: Final = LOWER - TOP - BOTTOM - NAMES_HEIGHT
GAP: Final = 52
NAMES_GAP: Final = 96
RULE: Final = 4
# The least from line to line, in sizes of the font.
TITLE_LEADING: Final = 1.1
TEXT_LEADING: Final = 1.4
# What the glossary may take of a line that it shares with the site.
GLOSSARY_PART: Final = 0.6

# More characters than these are not looked at.
MOST_TITLE: Final = 200
MOST_TEXT: Final = 500
MOST_NAME: Final = 100

# From the background to a colour: what smooth edges are made of.
SHADES: Final = 16
RULE_SHADE: Final = 3


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says. ``text`` is the short definition; ``language`` a language code,
    which also tells from which side lines begin. What is empty is left out."""

    title: str
    text: str
    glossary: str
    site: str
    language: str


def draw_card(card: Card) -> bytes:
    """The card as a PNG of 1200 by 630 pixels. A text that no font can write is left
    out. Raises an OSError if a file of ``GLOSSARY_CARD_FONTS`` is no font."""
    canvas = _Canvas(card.language)
    title, glossary = canvas.title(card.title), card.glossary
    text = canvas.text(card.text, ROOM - (title.height + GAP if title else 0))
    if title is None and text is None:  # better than an empty card
        title, glossary = canvas.title(glossary), ""
    names = canvas.names(glossary, card.site)

    canvas.bar()
    blocks = [*filter(None, [title, text])]
    room = ROOM if names else LOWER - TOP - BOTTOM
    height = sum(block.height for block in blocks) + GAP * (len(blocks) - 1)
    top = TOP + max(0, room - height) / 2
    for block in blocks:
        canvas.write(block, top)
        top += block.height + GAP
    if names:
        canvas.rule(TOP + ROOM + (NAMES_HEIGHT - GAP) / 2)
    for block in names:
        canvas.write(block, LOWER - BOTTOM - block.height)
    return canvas.png()


def card_digest(card: Card) -> str:
    """A name for what would be drawn: as long as it is the same, so is the picture."""
    parts = (
        *(VERSION, PIL.__version__, can_shape(), _is_rtl(card.language)),
        astuple(card),
        sorted(conf.card_colours().items()),
        [
            [font.version() for font in fonts_for(card.language, is_bold=is_bold)]
            for is_bold in (False, True)
        ],
    )
    digest = blake2b(repr(parts).encode("utf-8", "backslashreplace"), digest_size=16)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines in one font; ``leading`` is from one to the next, ``colour`` the name of a
    setting. ``is_far`` if they stand at the side where lines end."""

    font: ImageFont.FreeTypeFont
    lines: list[str]
    leading: float
    colour: str
    is_far: bool = False

    @property
    def height(self) -> float:
        return len(self.lines) * self.leading


class _Canvas:
    """A card in one language, to draw on."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._is_rtl = _is_rtl(language)
        self._colours = conf.card_colours()
        self._image = Image.new("RGB", (RIGHT, LOWER), self._colours["background"])
        self._draw = ImageDraw.Draw(self._image)
        # Without Raqm, Pillow refuses to be told a direction.
        self._shaping: dict[str, Any] = {}
        if can_shape():
            direction = "rtl" if self._is_rtl else "ltr"
            self._shaping = {"direction": direction, "language": language}

    # What is to be written

    def title(self, text: str) -> _Block | None:
        """As large as it fits, in lines of about one length."""
        found = self._written(text, MOST_TITLE, is_bold=True)
        if found is None:
            return None
        for size in TITLE_SIZES:
            font = found.font.at(size)
            measure = self._measure(font)
            leading = _leading(font, TITLE_LEADING)
            most = min(TITLE_LINES, int(TITLE_HEIGHT / leading))
            if most and fits(found.text, INNER, measure, most):
                lines = balanced(found.text, INNER, measure)
                break
        else:
            most, ellipsis = max(1, most), found.ellipsis()
            lines = first_lines(found.text, INNER, measure, most, ellipsis)
        return _Block(font, lines, leading, "text")

    def text(self, text: str, height: float) -> _Block | None:
        """As much of it as this height has room for."""
        found = self._written(text, MOST_TEXT)
        if found is None:
            return None
        font = found.font.at(TEXT_SIZE)
        leading = _leading(font, TEXT_LEADING)
        most = max(1, min(TEXT_LINES, int(height / leading)))
        measure = self._measure(font)
        lines = first_lines(found.text, INNER, measure, most, found.ellipsis())
        return _Block(font, lines, leading, "muted")

    def names(self, glossary: str, site: str) -> list[_Block]:
        """The glossary on one side and the site on the other."""
        first = self._written(glossary, MOST_NAME, is_bold=True)
        second = self._written(site, MOST_NAME) if site != glossary else None
        if first is None:
            return [self._name(second, INNER, "muted")] if second else []
        width = GLOSSARY_PART * INNER if second else INNER
        names = [self._name(first, width, "accent")]
        if second:
            [taken] = map(self._measure(names[0].font), names[0].lines)
            rest = INNER - NAMES_GAP - taken
            names.append(self._name(second, rest, "muted", is_far=True))
        return names

    def _name(
        self, found: Written, width: float, colour: str, *, is_far: bool = False
    ) -> _Block:
        font = found.font.at(NAME_SIZE)
        measure = self._measure(font)
        lines = first_lines(found.text, width, measure, 1, found.ellipsis())
        return _Block(font, lines, _leading(font, TEXT_LEADING), colour, is_far)

    def _written(
        self, text: str, most: int, *, is_bold: bool = False
    ) -> Written | None:
        fonts = fonts_for(self._language, is_bold=is_bold)
        return written(clean(text, most), fonts, self._language)

    def _measure(self, font: ImageFont.FreeTypeFont) -> Measure:
        return lambda text: font.getlength(text, **self._shaping)

    # Drawing

    def bar(self) -> None:
        left = RIGHT - BAR if self._is_rtl else 0
        self._image.paste(self._colours["accent"], (left, 0, left + BAR, LOWER))

    def rule(self, top: float) -> None:
        left, right = sorted(self._side(is_far=is_far) for is_far in (False, True))
        shade = self._shades("text")[RULE_SHADE]
        self._image.paste(shade, (left, round(top), right, round(top) + RULE))

    def write(self, block: _Block, top: float) -> None:
        """The block, below this height."""
        side = self._side(is_far=block.is_far)
        is_from_right = block.is_far != self._is_rtl
        ascent, descent = block.font.getmetrics()
        baseline = top + (block.leading - ascent - descent) / 2 + ascent
        for number, line in enumerate(block.lines):
            self._draw.text(
                (side, round(baseline + number * block.leading)),
                line,
                fill=self._colours[block.colour],
                font=block.font,
                anchor="rs" if is_from_right else "ls",
                **self._shaping,
            )

    def _side(self, *, is_far: bool) -> int:
        from_edge = FAR if is_far else NEAR
        return RIGHT - from_edge if is_far != self._is_rtl else from_edge

    def png(self) -> bytes:
        """The picture in no more colours than it was drawn with and their shades."""
        palette = Image.new("P", (1, 1))
        shades = chain(*map(self._shades, ("text", "muted", "accent")))
        palette.putpalette([*chain(*shades)])
        picture = self._image.reduce(SCALE).quantize(
            palette=palette, dither=Image.Dither.NONE
        )
        file = BytesIO()
        picture.save(file, "PNG", optimize=True)
        return file.getvalue()

    def _shades(self, colour: str) -> list[tuple[int, ...]]:
        start = ImageColor.getrgb(self._colours["background"])
        end = ImageColor.getrgb(self._colours[colour])
        return [
            tuple(
                round(low + (high - low) * step / (SHADES - 1))
                for low, high in zip(start, end, strict=True)
            )
            for step in range(SHADES)
        ]


def _leading(font: ImageFont.FreeTypeFont, least: float) -> float:
    """From line to line: some scripts need more than others."""
    return max(least * font.size, sum(font.getmetrics()))


def _is_rtl(language: str) -> bool:
    return language.partition("-")[0] in settings.LANGUAGES_BIDI
