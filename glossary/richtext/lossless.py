"""Markdown of which rich text surely keeps everything: told without reading it."""

from __future__ import annotations

import re


# A link as the payloads have them: no title, nothing unsafe, nothing nested.
_LINK = re.compile(r"\[([^\[\]<>`\\\n]+)\]\(https?://[^\s()<>\"'\\\[\]]+\)")
_CODE = re.compile(r"(?<!`)`[^`\n]+`(?!`)")
# What begins or is something that could be lost: HTML, images, tables, headings,
# quotes, code, escapes, definitions.
_DOUBTFUL = re.compile(
    r"[<>|!\[\]`\\#~\t\r\f\v]|^ {4}|^ *(?:[=+_*-] *)+$|^ *[+*][ \n]", re.M
)
_ITEM = re.compile(r"^( *)(?:-|(\d+)\.) +\S")


def is_surely_lossless(markdown: str) -> bool:
    """Whether nothing can be lost of it. False says nothing: read it to know.

    True for paragraphs and flat lists with emphasis, code and plain links, which most
    texts are; some twenty times faster than reading them.
    """
    text = markdown
    if "`" in text:
        text = _CODE.sub("", text)
    if "[" in text:
        text = _LINK.sub(r"\1", text)
    return not _DOUBTFUL.search(text) and _has_plain_lists(text)


def _has_plain_lists(text: str) -> bool:
    """Whether its lists are flat, and the numbered ones begin at 1 and go on."""
    number = 0
    for line in text.split("\n"):
        item = _ITEM.match(line)
        if item is None:
            if line[:1] == " " or re.match(r"\d+[.)]", line):
                return False
            number = 0 if line.strip() else number
            continue
        if item[1]:
            return False
        number = number + 1 if item[2] else 0
        if item[2] and int(item[2]) != number:
            return False
    return True
