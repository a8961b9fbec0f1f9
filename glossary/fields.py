from __future__ import annotations

from typing import Any

from wagtail.fields import RichTextField, StreamField


class ProseField(RichTextField):
    """A RichTextField that the API v3 reads without links to what is not public.

    To migrations it is a plain RichTextField.
    """

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, _path, args, kwargs = super().deconstruct()
        return name, "wagtail.fields.RichTextField", args, kwargs


class TermStreamField(StreamField):
    """A StreamField whose blocks ``api.v3`` describes exactly.

    To migrations it is a plain StreamField.
    """

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, _path, args, kwargs = super().deconstruct()
        return name, "wagtail.fields.StreamField", args, kwargs
