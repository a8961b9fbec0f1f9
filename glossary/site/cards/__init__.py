"""The picture of a term or a glossary that is shown where its page is shared.

``fonts`` finds the font that can write a text, ``lines`` breaks it, ``drawing`` puts it
on the card, ``keeping`` draws no card twice, ``addresses`` says where it is.
"""

from __future__ import annotations

from .addresses import CARD_FILE, card_url
from .drawing import HEIGHT, WIDTH, Card, card_digest, draw_card
from .keeping import card_png


__all__ = [
    "CARD_FILE",
    "HEIGHT",
    "WIDTH",
    "Card",
    "card_digest",
    "card_png",
    "card_url",
    "draw_card",
]
