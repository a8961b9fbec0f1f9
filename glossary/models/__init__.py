from .imports import ImportRecord
from .pages import GlossaryPage, TermPage
from .relations import TermLabel, TermLink, TermTag
from .snippets import Category, RelatedTerm


__all__ = [
    "Category",
    "GlossaryPage",
    "ImportRecord",
    "RelatedTerm",
    "TermLabel",
    "TermLink",
    "TermPage",
    "TermTag",
]
