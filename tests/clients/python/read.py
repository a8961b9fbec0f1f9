"""Reads a glossary with the client that openapi-python-client has made."""

import json
import sys

from glossary_client import Client
from glossary_client.api.glossary import (
    glossary_changes,
    glossary_search_terms,
    glossary_term_by_slug,
    glossary_terms,
)
from glossary_client.models import (
    GlossaryProblem,
    GlossaryTermBySlugRichText,
    TermChange,
    TermDocument,
)


address, slug = sys.argv[1:]
with Client(base_url=address) as client:
    plain = GlossaryTermBySlugRichText.PLAIN
    term = glossary_term_by_slug.sync(slug, client=client, rich_text=plain)
    assert isinstance(term, TermDocument)
    refused = glossary_term_by_slug.sync("nothing", client=client)
    assert isinstance(refused, GlossaryProblem)
    listed = glossary_terms.sync(client=client, tag=["Data"])
    found = glossary_search_terms.sync(client=client, q="numbers")
    changes = glossary_changes.sync(client=client)
    json.dump(
        {
            "term": [term.title, term.explanation[0].value.heading],
            "list": [item.title for item in listed.items],
            "found": [hit.title for hit in found.items],
            "changed": [
                change.data.title
                for change in changes.items
                if isinstance(change, TermChange)
            ],
            "problem": refused.type_,
        },
        sys.stdout,
    )
