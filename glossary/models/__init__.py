from .imports import (
    ImportItem,
    ImportPayload,
    ImportRecord,
    ImportRun,
    ImportSource,
    ImportUpload,
)
from .pages import GlossaryPage, TermPage
from .relations import TermLabel, TermLink, TermTag
from .snippets import Category, RelatedTerm


__all__ = [
    "Category",
    "GlossaryPage",
    "ImportItem",
    "ImportPayload",
    "ImportRecord",
    "ImportRun",
    "ImportSource",
    "ImportUpload",
    "RelatedTerm",
    "TermLabel",
    "TermLink",
    "TermPage",
    "TermTag",
]
