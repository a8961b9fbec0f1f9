"""What hangs on a term: links to related terms, labels and tags."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from taggit.models import TaggedItemBase
from wagtail.admin.panels import FieldPanel
from wagtail.api import APIField
from wagtail.models import Orderable


class TermLink(Orderable):
    """A link from a term to a related term."""

    class Kind(models.TextChoices):
        RELATED = "related", _("Related")
        SEE_ALSO = "see_also", _("See also")
        CONTRAST = "contrast", _("In contrast to")
        BROADER = "broader", _("Broader")
        NARROWER = "narrower", _("Narrower")

    term = ParentalKey(
        "glossary.TermPage",
        verbose_name=_("term"),
        on_delete=models.CASCADE,
        related_name="related_terms",
    )
    related_term = models.ForeignKey(
        "glossary.RelatedTerm",
        verbose_name=_("related term"),
        # Revisions that point at a deleted one can only be read with CASCADE. What is
        # in use is protected by signal_handlers.protect_what_terms_use().
        on_delete=models.CASCADE,
        related_name="links",
    )
    kind = models.CharField(
        verbose_name=_("kind"),
        max_length=16,
        choices=Kind,
        default=Kind.RELATED,
    )

    panels = [FieldPanel("related_term"), FieldPanel("kind")]

    # How it is written; LinksField and api.v3 read it.
    api_fields = [
        APIField("related_term", writable=True),
        APIField("kind", writable=True),
    ]

    class Meta(Orderable.Meta):
        verbose_name = _("related term")
        verbose_name_plural = _("related terms")
        constraints = [
            models.UniqueConstraint(
                fields=["term", "related_term"],
                name="glossary_termlink_unique",
                violation_error_message=_("This related term is linked twice."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.related_term}"


class TermLabel(Orderable):
    """Another name of a term, by which readers look for it."""

    class Kind(models.TextChoices):
        SYNONYM = "synonym", _("Synonym")
        ABBREVIATION = "abbreviation", _("Abbreviation")
        INFLECTION = "inflection", _("Inflection")
        HIDDEN = "hidden", _("Hidden")

    class CaseRule(models.TextChoices):
        IGNORE = "ignore", _("In any case")
        FIRST = "first", _("Only the first letter may differ")
        EXACT = "exact", _("Exactly as written")

    term = ParentalKey(
        "glossary.TermPage",
        verbose_name=_("term"),
        on_delete=models.CASCADE,
        related_name="labels",
    )
    text = models.CharField(verbose_name=_("label"), max_length=255)
    kind = models.CharField(
        verbose_name=_("kind"),
        max_length=16,
        choices=Kind,
        default=Kind.SYNONYM,
        help_text=_(
            "Hidden labels, such as common misspellings, are searched but not shown."
        ),
    )
    case_rule = models.CharField(
        verbose_name=_("upper and lower case"),
        max_length=8,
        choices=CaseRule,
        default=CaseRule.IGNORE,
        help_text=_("How a text must write the label to mean this term."),
    )

    panels = [FieldPanel("text"), FieldPanel("kind"), FieldPanel("case_rule")]

    api_fields = [
        APIField("text", writable=True),
        APIField("kind", writable=True),
        APIField("case_rule", writable=True),
    ]

    class Meta(Orderable.Meta):
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        constraints = [
            models.UniqueConstraint(
                fields=["term", "text"],
                name="glossary_termlabel_unique",
                violation_error_message=_("This term already has this label."),
            ),
        ]

    def __str__(self) -> str:
        return self.text


class TermTag(TaggedItemBase):
    content_object = ParentalKey(
        "glossary.TermPage",
        on_delete=models.CASCADE,
        related_name="tagged_items",
    )

    class Meta(TaggedItemBase.Meta):
        verbose_name = _("tag of a term")
        verbose_name_plural = _("tags of terms")
