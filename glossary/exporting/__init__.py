"""Terms written for others to read: the payloads of their old site, JSON, tables and
Markdown.

``terms_to_export`` says which terms, ``FORMATS`` how they are written.
"""

from __future__ import annotations

from .formats import FORMATS, Format
from .selection import ExportError, Selection, terms_to_export


__all__ = ["FORMATS", "ExportError", "Format", "Selection", "terms_to_export"]
