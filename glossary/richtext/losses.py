"""What one language cannot say that the other can."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _


#: What can be lost on the way, by the code of the loss.
LOSSES = {
    "code-block": _("A block of code became lines of code."),
    "definition": _("A link definition that no link uses was left out."),
    "embed": _("An embedded image or media item became text."),
    "empty-link": _("A link without an address or without a text was left out."),
    "feature": _("A style that the field does not offer was left out."),
    "heading-break": _("A line break in a heading became a space."),
    "heading-level": _("A heading changed its level."),
    "image": _("An image became a link with its description."),
    "internal-link": _("A link to a page or document of the site became text."),
    "link-title": _("The title of a link was left out."),
    "list-join": _("Two lists that follow each other became one."),
    "list-start": _("A numbered list starts at 1 again."),
    "many-links": _("A link became text, because the links repeat too long addresses."),
    "nesting": _("Something stood where only text can stand, or too deep."),
    "raw-html": _("HTML is shown as text."),
    "table": _("A table became lines of text."),
    "unsafe-link": _("A link with an unsafe address became text."),
}


class Loss(NamedTuple):
    """One thing that the other language cannot say.

    ``code`` is a key of ``LOSSES``, ``detail`` a short excerpt of the source (untrusted
    text), ``line`` its line in the Markdown, from 1, or None.
    """

    code: str
    detail: str
    line: int | None
