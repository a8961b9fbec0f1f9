"""What imports remember: sources, runs, and every payload as it came."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


DEFAULT_SOURCE = "default"


class ImportSource(models.Model):
    """Where terms come from. With its key, a source is what a term is known by."""

    glossary = models.ForeignKey(
        "glossary.GlossaryPage",
        verbose_name=_("glossary"),
        on_delete=models.CASCADE,
        related_name="import_sources",
    )
    key = models.CharField(
        verbose_name=_("source"), max_length=100, default=DEFAULT_SOURCE
    )
    holder = models.ForeignKey(
        "glossary.ImportRun",
        verbose_name=_("run in progress"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        verbose_name = _("source of terms")
        verbose_name_plural = _("sources of terms")
        constraints = [
            models.UniqueConstraint(
                fields=["glossary", "key"], name="glossary_importsource_key_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class ImportPayload(models.Model):
    """The text that a record came in, byte for byte. Equal texts are kept once."""

    digest = models.CharField(max_length=64, primary_key=True)
    form = models.CharField(
        verbose_name=_("form"),
        max_length=16,
        help_text=_("What the text is, as in payload.sources.SourceRecord.form."),
    )
    data = models.BinaryField(verbose_name=_("compressed text"))
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("payload as it came")
        verbose_name_plural = _("payloads as they came")

    def __str__(self) -> str:
        return self.digest[:12]

    @classmethod
    def of(cls, raw: bytes, form: str) -> Self:
        """An unsaved one; its primary key is known."""
        # Level 1 takes a third of the time of level 6, and 8 % more room.
        data = zlib.compress(raw, 1)
        return cls(digest=payload_digest(raw, form), form=form, data=data)

    @property
    def raw(self) -> bytes:
        return zlib.decompress(self.data)


def payload_digest(raw: bytes, form: str) -> str:
    """The SHA-256 of a text and its form, in hexadecimal."""
    return hashlib.sha256(form.encode() + b"\0" + raw).hexdigest()


class ImportRun(models.Model):
    """One import, or the undoing of one: who, when, what, and what came of it."""

    class Kind(models.TextChoices):
        IMPORT = "import", _("Import")
        UNDO = "undo", _("Undo")

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        PLANNING = "planning", _("Being planned")
        PLANNED = "planned", _("Planned")
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        STOPPED = "stopped", _("Stopped")
        FAILED = "failed", _("Failed")
        INTERRUPTED = "interrupted", _("Interrupted")

    UNDER_WAY = frozenset({Status.PLANNING, Status.RUNNING})

    source = models.ForeignKey(
        ImportSource,
        verbose_name=_("source"),
        on_delete=models.CASCADE,
        related_name="runs",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Whose rights it has; none is the system itself."),
    )
    kind = models.CharField(
        verbose_name=_("kind"), max_length=16, choices=Kind, default=Kind.IMPORT
    )
    undoes = models.ForeignKey(
        "self",
        verbose_name=_("undoes"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="undone_by",
    )
    status = models.CharField(
        verbose_name=_("status"),
        max_length=16,
        choices=Status,
        default=Status.RUNNING,
    )
    options = models.JSONField(verbose_name=_("options"), default=dict)
    counts = models.JSONField(
        verbose_name=_("counts"),
        default=dict,
        help_text=_("How many terms had each outcome."),
    )
    total = models.PositiveIntegerField(verbose_name=_("terms"), default=0)
    done = models.PositiveIntegerField(verbose_name=_("done"), default=0)
    message = models.TextField(verbose_name=_("message"), blank=True)
    stop_requested = models.BooleanField(verbose_name=_("asked to stop"), default=False)
    # Of all its records: equal for runs of the same input.
    digest = models.CharField(verbose_name=_("digest"), max_length=64, blank=True)
    version = models.CharField(
        verbose_name=_("version of the importer"), max_length=32, blank=True
    )
    created_at = models.DateTimeField(
        verbose_name=_("created at"), default=timezone.now
    )
    heartbeat_at = models.DateTimeField(verbose_name=_("last sign of life"), null=True)
    finished_at = models.DateTimeField(verbose_name=_("finished at"), null=True)

    class Meta:
        verbose_name = _("import run")
        verbose_name_plural = _("import runs")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_under_way(self) -> bool:
        return self.status in self.UNDER_WAY

    @property
    def who(self) -> str:
        """Who runs it, for a person to read."""
        if self.user is None:
            return str(_("the system"))
        return self.user.get_full_name() or self.user.get_username()


class ImportUpload(models.Model):
    """A piece of a file that was uploaded for a run, until the run has read it."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="uploads")
    number = models.PositiveIntegerField(help_text=_("Which of the run's files."))
    name = models.CharField(max_length=255)
    position = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("uploaded piece")
        verbose_name_plural = _("uploaded pieces")
        ordering = ["number", "position"]

    def __str__(self) -> str:
        return f"{self.name}: {self.position}"


class ImportRecord(models.Model):
    """What the imports from a source know of one term: what they last applied, and
    where it went. By it an importer's words are told from an editor's."""

    source = models.ForeignKey(
        ImportSource,
        verbose_name=_("source"),
        on_delete=models.CASCADE,
        related_name="records",
    )
    key = models.CharField(
        verbose_name=_("key"),
        max_length=255,
        help_text=_("The slug in the payload; it stays when the page gets another."),
    )
    page = models.ForeignKey(
        "glossary.TermPage",
        verbose_name=_("page"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="import_records",
    )
    base = models.JSONField(
        verbose_name=_("base"),
        default=dict,
        help_text=_("The value of each field as it was last applied."),
    )
    proposal = models.JSONField(
        verbose_name=_("proposal"),
        default=dict,
        help_text=_("The values in conflict that wait for an editor's decision."),
    )
    pending = models.JSONField(
        verbose_name=_("pending names"),
        default=list,
        help_text=_("What its comparisons name, and no term was called yet."),
    )
    payload = models.ForeignKey(
        ImportPayload,
        verbose_name=_("payload"),
        on_delete=models.PROTECT,
        null=True,
        related_name="records",
        help_text=_("The last payload applied, from which exports are written."),
    )
    digest = models.CharField(
        verbose_name=_("digest"),
        max_length=64,
        blank=True,
        help_text=_("Of the last record from which nothing remains to be done."),
    )
    revision = models.PositiveIntegerField(
        verbose_name=_("revision"),
        null=True,
        help_text=_("The page's latest revision when the import had written it."),
    )
    run = models.ForeignKey(
        ImportRun,
        verbose_name=_("run"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text=_("The last run that applied something."),
    )
    updated_at = models.DateTimeField(verbose_name=_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("import record")
        verbose_name_plural = _("import records")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "key"], name="glossary_importrecord_key_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class ImportItem(models.Model):
    """One record in a run: its outcome and why, what changed, and how to undo it.

    A run keeps none for a term that was unchanged and has nothing to say.
    """

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField(verbose_name=_("position"))
    key = models.CharField(verbose_name=_("key"), max_length=255, blank=True)
    title = models.CharField(verbose_name=_("term"), max_length=255, blank=True)
    place = models.TextField(
        verbose_name=_("place"),
        blank=True,
        help_text=_("The file, and the line in it."),
    )
    payload = models.ForeignKey(
        ImportPayload,
        on_delete=models.SET_NULL,
        null=True,
        related_name="items",
    )
    page = models.ForeignKey(
        "glossary.TermPage", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    outcome = models.CharField(verbose_name=_("outcome"), max_length=16)
    applied = models.BooleanField(verbose_name=_("written"), default=False)
    decision = models.CharField(
        verbose_name=_("decision"),
        max_length=16,
        blank=True,
        help_text=_("What becomes of its conflicts, if not what the run says."),
    )
    changes: Any = models.JSONField(verbose_name=_("changes"), default=list)
    remarks: Any = models.JSONField(verbose_name=_("remarks"), default=list)
    before = models.JSONField(
        default=dict,
        help_text=_("The state of page and record that an undo goes back to."),
    )
    after = models.JSONField(
        default=dict,
        help_text=_("The state that the run left: an undo needs it unchanged."),
    )

    class Meta:
        verbose_name = _("term of a run")
        verbose_name_plural = _("terms of a run")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "position"], name="glossary_importitem_position_unique"
            ),
        ]
        indexes = [
            models.Index(fields=["run", "outcome"], name="glossary_importitem_outcome"),
        ]

    def __str__(self) -> str:
        return self.key or self.place
