"""Terms that say too little for a search engine to show them."""

from __future__ import annotations

from typing import Any

from ..models import TermPage


def is_thin(page: Any) -> bool:
    """Whether a page is a term with a short definition and no explanation."""
    return isinstance(page, TermPage) and not page.explanation
