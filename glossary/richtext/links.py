"""The addresses of links: which are safe, and how they are stored."""

from __future__ import annotations

import re
from urllib.parse import quote

from wagtail.whitelist import check_url


def safe_href(url: str) -> bool:
    """Tell whether ``url`` is relative, or of a scheme that Wagtail allows."""
    return check_url(url) is not None


def encode_href(url: str) -> str:
    """Percent-encode what can stand in no URL, and drop what browsers drop of one: so
    a scheme that is judged is the scheme that is used. All else stays as written."""
    url = re.sub(r"[\x00-\x1f\x7f]", "", url).strip()
    return re.sub(r'[ "<>\\^`{|}]', lambda match: quote(match[0]), url)
