"""How what is asked for reads in an OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from .parameters import COMMAS, Parameters


def describe_parameters(parameters: type[Parameters]) -> list[dict[str, Any]]:
    """The parameters of the query, as OpenAPI 3.1 describes them."""
    schema = parameters.model_json_schema()
    required = set(schema.get("required", ()))
    fields = parameters.names()
    described = []
    for name, details in schema["properties"].items():
        details = _without_null(details)
        parameter = {"name": name, "in": "query", "required": name in required}
        if description := details.pop("description", None):
            parameter["description"] = description
        if examples := details.pop("examples", None):
            parameter["example"] = examples[0]
        if details.get("type") == "array":
            # Both ways are read; one is told: client code can only write one.
            has_commas = COMMAS in fields[name].metadata
            parameter["style"] = "form"
            parameter["explode"] = not has_commas
            if has_commas:
                # Between no commas stands one empty text, which is no value.
                details["minItems"] = 1
        parameter["schema"] = details
        described.append(parameter)
    return described


def describe_body(body: type[BaseModel]) -> dict[str, Any]:
    """A body of JSON, with its schema in its place."""
    schema = body.model_json_schema()
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _without_null(details: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is not given has no value: none can be null."""
    details = {name: value for name, value in details.items() if name != "title"}
    choices = [item for item in details.pop("anyOf", ()) if item != {"type": "null"}]
    if details.get("default", ...) is None or details.get("default") == []:
        del details["default"]
    for choice in choices:
        details.update(choice)
    return details
