from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportRecord(models.Model):
    """What an import last wrote to a term, so that the next one can tell the
    importer's words from an editor's."""

    glossary = models.ForeignKey(
        "glossary.GlossaryPage", on_delete=models.CASCADE, related_name="import_records"
    )
    key = models.CharField(
        verbose_name=_("key"),
        max_length=255,
        help_text=_("The slug in the payload; it stays when the page gets another."),
    )
    page = models.ForeignKey(
        "glossary.TermPage",
        on_delete=models.SET_NULL,
        null=True,
        related_name="import_records",
    )
    base = models.JSONField(
        verbose_name=_("base"),
        default=dict,
        help_text=_("The value of each field as it was last applied."),
    )
    updated_at = models.DateTimeField(verbose_name=_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("import record")
        verbose_name_plural = _("import records")
        constraints = [
            models.UniqueConstraint(
                fields=["glossary", "key"], name="glossary_importrecord_key_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.key
