"""The change log: what has changed of all that anyone may read, and in which order."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site


class Version(models.Model):
    """The version of all that is delivered: one row, locked by whoever changes it, so
    that numbers are given in the order of commits, without a gap."""

    number = models.BigIntegerField(verbose_name=_("number"), default=0)
    token = models.CharField(
        verbose_name=_("token"),
        max_length=16,
        help_text=_(
            "Random, so that a number that comes again, after a rollback or in a "
            "restored database, is another version."
        ),
    )
    modified = models.DateTimeField(verbose_name=_("last change"))

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")

    def __str__(self) -> str:
        return f"{self.number}"


class Change(models.Model):
    """The last change of one object on one site.

    A row exists for what has been public there at some time; ``deleted`` is a
    tombstone for what is no longer, which tells no more than that.
    """

    class Kind(models.TextChoices):
        TERM = "term", _("Term")
        GLOSSARY = "glossary", _("Glossary")
        CATEGORY = "category", _("Category")
        RELATED_TERM = "related_term", _("Related term")

    site = models.ForeignKey(
        Site, verbose_name=_("site"), on_delete=models.CASCADE, related_name="+"
    )
    kind = models.CharField(verbose_name=_("kind"), max_length=16, choices=Kind)
    object_id = models.BigIntegerField(verbose_name=_("id of the object"))
    key = models.CharField(
        verbose_name=_("key"),
        max_length=64,
        help_text=_("The name of the object in the feed; it outlives the object."),
    )
    number = models.BigIntegerField(verbose_name=_("number"), unique=True)
    modified = models.DateTimeField(verbose_name=_("last change"))
    deleted = models.BooleanField(verbose_name=_("deleted"), default=False)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        constraints = [
            models.UniqueConstraint(
                fields=["site", "kind", "object_id"], name="glossary_change_unique"
            ),
        ]
        indexes = [
            models.Index(fields=["site", "number"], name="glossary_change_feed"),
            models.Index(fields=["kind", "object_id"], name="glossary_change_object"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.kind} {self.key}"
