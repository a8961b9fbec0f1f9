from __future__ import annotations

from typing import Any

from wagtail.fields import StreamField


class TermStreamField(StreamField):
    """A StreamField whose blocks ``api.v3`` describes exactly.

    To migrations it is a plain StreamField.
    """

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, _path, args, kwargs = super().deconstruct()
        return name, "wagtail.fields.StreamField", args, kwargs
