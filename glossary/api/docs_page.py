"""The OpenAPI document as a page to read, without a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


Document = Mapping[str, Any]


def context_of(document: Document) -> dict[str, Any]:
    """What the template shows of it."""
    return {
        "document": document,
        "description": _with_code(document["info"]),
        "operations": [
            {
                **operation,
                "method": method.upper(),
                "path": path,
                "description": _with_code(operation),
                "parameters": [
                    {
                        "name": parameter["name"],
                        "values": ", ".join(_values(parameter)),
                        "description": _with_code(parameter),
                    }
                    for parameter in operation.get("parameters", [])
                ],
            }
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ],
    }


def _with_code(described: Document) -> SafeString:
    """A description, in which code is the only Markdown."""
    parts = (
        format_html("<code>{}</code>", part) if number % 2 else part
        for number, part in enumerate(described.get("description", "").split("`"))
    )
    return format_html_join("", "{}", ((part,) for part in parts))


def _values(parameter: Document) -> Iterator[str]:
    """What a parameter can be."""
    schema = parameter["schema"]
    single = schema.get("items", schema)
    kind = single.get("type", "string")
    yield kind if single is schema else f"array of {kind}"
    if parameter.get("required"):
        yield "required"
    if "enum" in single:
        yield f"one of {' '.join(map(str, single['enum']))}"
    if "minimum" in single:
        yield f"from {single['minimum']}"
    if "maximum" in single:
        yield f"up to {single['maximum']}"
    if schema.get("default") not in (None, []):
        yield f"by default {schema['default']}"
