"""What a run is asked to do, in plain words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ...conf import import_max_upload_size
from ...importing.options import OnConflict, Options, Orphans
from ...models import GlossaryPage, ImportItem, ImportSource
from ...models.imports import DEFAULT_SOURCE
from ...payload.field_map import FieldMap, FieldMapError
from .access import titled


MAP_SIZE = 256 * 1024
"""Of the largest field map, in bytes."""
NAME_SIZE = 200
"""Of the longest name of a file that is kept, in bytes of UTF-8."""

ON_CONFLICT = [
    (
        OnConflict.DRAFT,
        _("Keep the page’s text, and let the source’s wait as a proposal"),
    ),
    (OnConflict.OURS, _("Keep the page’s text, and ask no more")),
    (
        OnConflict.THEIRS,
        _("Take the source’s text; the page’s stays in its history"),
    ),
    (OnConflict.SKIP, _("Leave the whole term as it is, until the next import")),
    (OnConflict.FAIL, _("Write nothing at all if there is any conflict")),
]
# Of one term alone; "" is what the run says.
DECISIONS = [
    ("", _("As chosen for all")),
    (OnConflict.DRAFT, _("Keep ours, propose theirs")),
    (OnConflict.OURS, _("Keep ours")),
    (OnConflict.THEIRS, _("Take theirs")),
    (OnConflict.SKIP, _("Leave the term as it is")),
]


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """One file or several; its value is their list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=ManyFilesInput, allow_empty_file=True, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        # No file is asked about as well: it is what the field refuses.
        files = (data if isinstance(data, list | tuple) else [data]) or [None]
        return [super(ManyFilesField, self).clean(file, initial) for file in files]


class ImportForm(forms.Form):
    glossary = forms.TypedChoiceField(
        label=_("Glossary"), help_text=_("Where the terms go."), coerce=int
    )
    source = forms.ChoiceField(
        label=_("Source"),
        required=False,
        help_text=_(
            "Where the terms come from. An import from the same source as before "
            "changes what has changed there, and keeps what was edited here."
        ),
    )
    new_source = forms.CharField(
        label=_("Name of the new source"),
        required=False,
        max_length=100,
        help_text=_("Only for a new source: a short name, such as “old site”."),
    )
    files = ManyFilesField(label=_("Files"))
    draft = forms.BooleanField(
        label=_("Save drafts only"),
        required=False,
        help_text=_("Nothing is published, whatever your permissions."),
    )
    adopt = forms.BooleanField(
        label=_("Adopt pages that no import has made"),
        required=False,
        help_text=_(
            "A page with the slug of a term from the source is taken for that term, "
            "and is filled in where it is empty. Else such a term is left out, as a "
            "conflict."
        ),
    )
    on_conflict = forms.ChoiceField(
        label=_("What was edited here and there, differently"),
        choices=ON_CONFLICT,
        initial=OnConflict.DRAFT,
        widget=forms.RadioSelect,
        help_text=_("You see the conflicts in the plan, and can still choose there."),
    )
    orphans = forms.ChoiceField(
        label=_("Terms that are gone from the source"),
        choices=[
            (Orphans.REPORT, _("List them, and leave them as they are")),
            (Orphans.UNPUBLISH, _("Unpublish them")),
        ],
        initial=Orphans.REPORT,
        widget=forms.RadioSelect,
    )
    orphan_limit = forms.IntegerField(
        label=_("Unpublish at most, in percent"),
        min_value=0,
        max_value=100,
        initial=10,
        help_text=_(
            "If a larger share of the source’s terms is gone, nothing is written: the "
            "files may be incomplete."
        ),
    )
    map = forms.FileField(
        label=_("Field map"),
        required=False,
        help_text=_(
            "A JSON file that says what the fields of your source are called here. "
            "Without one, the site’s own is used."
        ),
    )

    PANELS: ClassVar = [
        ("what", _("What to import"), ("glossary", "source", "new_source", "files")),
        ("how", _("How to write it"), ("draft", "adopt", "on_conflict")),
        ("gone", _("What is gone"), ("orphans", "orphan_limit")),
        ("more", _("Names of fields"), ("map",)),
    ]

    def __init__(
        self, *args: Any, glossaries: Sequence[GlossaryPage], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.glossaries = {glossary.pk: glossary for glossary in glossaries}
        choices = titled(list(glossaries))
        self.fields["glossary"].choices = choices
        if len(choices) == 1:
            self.fields["glossary"].initial = choices[0][0]
        sources = ImportSource.objects.filter(glossary__in=self.glossaries)
        keys = sorted(set(sources.values_list("key", flat=True)))
        self.fields["source"].choices = [
            *((key, key) for key in keys),
            ("", _("A new source")),
        ]
        if not keys:
            self.fields["new_source"].initial = DEFAULT_SOURCE
        self.fields["files"].help_text = gettext(
            "Payloads and JSON files, JSON lines, pages of HTML, CSV and Excel tables, "
            "or zip and tar archives of them. What a file is, is told by its content. "
            "Each may have at most %(size)s."
        ) % {"size": filesizeformat(import_max_upload_size())}

    @property
    def panels(self) -> list[dict[str, Any]]:
        return [
            {"id": name, "heading": heading, "fields": [self[each] for each in fields]}
            for name, heading, fields in self.PANELS
        ]

    def clean_glossary(self) -> GlossaryPage:
        return self.glossaries[self.cleaned_data["glossary"]]

    def clean_new_source(self) -> str:
        return " ".join(self.cleaned_data["new_source"].split())

    def clean_files(self) -> list[UploadedFile]:
        files: list[UploadedFile] = self.cleaned_data["files"]
        limit = import_max_upload_size()
        names: set[str] = set()
        for file in files:
            if file.size > limit:
                raise ValidationError(
                    _(
                        "“%(name)s” has %(size)s, which is more than the limit of "
                        "%(limit)s. Put it into a zip archive, or into several files."
                    ),
                    params={
                        "name": file.name,
                        "size": filesizeformat(file.size),
                        "limit": filesizeformat(limit),
                    },
                )
            if file.name in names:
                raise ValidationError(
                    _(
                        "There are two files named “%(name)s”. Put them into one zip "
                        "archive, in folders of their own."
                    ),
                    params={"name": file.name},
                )
            names.add(file.name)
        return files

    def clean_map(self) -> dict[str, Any] | None:
        file = self.cleaned_data["map"]
        if not file:
            return None
        if file.size > MAP_SIZE:
            raise ValidationError(
                _("A field map has at most %(limit)s."),
                params={"limit": filesizeformat(MAP_SIZE)},
            )
        try:
            data = json.loads(file.read().decode("utf-8-sig"))
            FieldMap.from_dict(data, source=file.name)
        except (FieldMapError, RecursionError, ValueError) as error:
            raise ValidationError(
                _("“%(name)s” is no field map: %(why)s"),
                params={"name": file.name, "why": error},
            ) from error
        return data

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        glossary = cleaned.get("glossary")
        chosen, named = cleaned.get("source", ""), cleaned.get("new_source", "")
        if not chosen and not named and "new_source" not in self.errors:
            self.add_error("new_source", _("Give the new source a name."))
        if chosen and glossary:
            sources = ImportSource.objects.filter(glossary=glossary, key=chosen)
            if not sources.exists():
                self.add_error(
                    "source",
                    ValidationError(
                        _(
                            "Nothing was imported from “%(source)s” into "
                            "“%(glossary)s” yet. If that is meant, name it as a new "
                            "source."
                        ),
                        params={"source": chosen, "glossary": glossary},
                    ),
                )
        cleaned["source_key"] = chosen or named
        return cleaned

    @property
    def options(self) -> Options:
        cleaned = self.cleaned_data
        return Options(
            source=cleaned["source_key"],
            on_conflict=OnConflict(cleaned["on_conflict"]),
            draft=cleaned["draft"],
            adopt=cleaned["adopt"],
            orphans=Orphans(cleaned["orphans"]),
            orphan_limit=cleaned["orphan_limit"] / 100,
        )


def kept_name(name: str) -> str:
    """The name of an upload, short enough for any file system; its ending stays."""
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        stem, ending = name, ""
    room = NAME_SIZE - len((dot + ending).encode()) if ending else NAME_SIZE
    stem = stem.encode(errors="replace")[:room].decode(errors="ignore")
    return f"{stem}.{ending}" if ending else stem


class ApplyForm(forms.Form):
    """What to do with the conflicts of a plan."""

    on_conflict = forms.ChoiceField(
        label=_("What was edited here and there, differently"),
        choices=ON_CONFLICT,
        initial=OnConflict.DRAFT,
        widget=forms.RadioSelect,
    )


FORM_ID = "glossary-plan"
"""The form that the choices in the table belong to, wherever they stand."""


def decision_name(item: ImportItem) -> str:
    return f"decision-{item.pk}"


def decision_field(item: ImportItem) -> forms.BoundField:
    """What to do with the conflict of one term."""
    label = gettext("Conflict in “%(term)s”") % {"term": item.title or item.key}
    name = decision_name(item)
    field = forms.ChoiceField(
        label=label,
        choices=DECISIONS,
        required=False,
        initial=item.decision,
        widget=forms.Select(attrs={"form": FORM_ID, "aria-label": label}),
    )
    form = forms.Form()
    form.fields[name] = field
    return form[name]


def saved_message(count: int) -> str:
    return ngettext(
        "The choice for %(count)d term is saved.",
        "The choices for %(count)d terms are saved.",
        count,
    ) % {"count": count}
