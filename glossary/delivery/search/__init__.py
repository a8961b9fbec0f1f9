"""Full-text search that costs the same however many terms a word is in.

Wagtail's index holds the texts and is kept by Wagtail; only the question put to it is
ours (``engines``). Names come first, then at most a few hundred texts by how well they
match: an answer says when there were more than that.
"""

from ...conf import index_is_transactional as is_transactional
from .finding import Results, search_terms
from .highlights import highlight
from .hits import load_hits


__all__ = ["Results", "highlight", "is_transactional", "load_hits", "search_terms"]
