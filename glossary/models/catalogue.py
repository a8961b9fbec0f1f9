"""What of the glossaries anyone may read, kept ready to be listed, counted and found.

These rows say nothing that the pages do not: ``delivery.catalogue`` writes them in the
transaction of each change, and ``manage.py rebuild_catalogue`` makes them anew. A term
that is hidden has none. They tell which terms come where; what a term says is always
read from its page, which has to be public there and then.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.models import Locale


class PublicTerm(models.Model):
    """A term that anyone may read, and where it stands in lists."""

    term = models.OneToOneField(
        "glossary.TermPage",
        verbose_name=_("term"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="public_term",
    )
    glossary = models.ForeignKey(
        "glossary.GlossaryPage",
        verbose_name=_("glossary"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    locale = models.ForeignKey(
        Locale, verbose_name=_("language"), on_delete=models.CASCADE, related_name="+"
    )
    category = models.ForeignKey(
        "glossary.Category",
        verbose_name=_("category"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    title = models.CharField(verbose_name=_("title"), max_length=255)
    slug = models.CharField(verbose_name=_("slug"), max_length=255)
    letter = models.CharField(
        verbose_name=_("letter"),
        max_length=8,
        help_text=_("The letter of its language that it stands under, or #."),
    )
    # Bytes, because every database sorts them alike, whatever its collation.
    sort_key = models.BinaryField(
        verbose_name=_("sort key"),
        help_text=_("Sorts by the rules of its language, byte by byte."),
    )
    # Without NULL, which each database sorts at another end.
    first_published_at = models.DateTimeField(
        verbose_name=_("first published at"),
        help_text=_("The beginning of 1970, if nobody knows."),
    )
    last_published_at = models.DateTimeField(
        verbose_name=_("last published at"),
        help_text=_("The beginning of 1970, if nobody knows."),
    )
    has_explanation = models.BooleanField(
        verbose_name=_("has an explanation"), default=False
    )

    class Meta:
        verbose_name = _("public term")
        verbose_name_plural = _("public terms")
        indexes = [
            models.Index(
                fields=["glossary", "sort_key", "term"],
                name="glossary_publicterm_sorted",
            ),
            models.Index(
                fields=["glossary", "letter", "sort_key", "term"],
                name="glossary_publicterm_letter",
            ),
            models.Index(
                fields=["glossary", "category", "sort_key", "term"],
                name="glossary_publicterm_category",
            ),
            models.Index(fields=["glossary", "slug"], name="glossary_publicterm_slug"),
            models.Index(
                fields=["glossary", "first_published_at", "term"],
                name="glossary_publicterm_first",
            ),
            models.Index(
                fields=["glossary", "last_published_at", "term"],
                name="glossary_publicterm_last",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PublicName(models.Model):
    """A name by which readers find a public term: its title or one of its labels."""

    class Kind(models.TextChoices):
        TITLE = "title", _("Title")
        SYNONYM = "synonym", _("Synonym")
        ABBREVIATION = "abbreviation", _("Abbreviation")
        INFLECTION = "inflection", _("Inflection")
        HIDDEN = "hidden", _("Hidden")

    public_term = models.ForeignKey(
        PublicTerm,
        verbose_name=_("public term"),
        on_delete=models.CASCADE,
        related_name="names",
    )
    glossary = models.ForeignKey(
        "glossary.GlossaryPage",
        verbose_name=_("glossary"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(verbose_name=_("kind"), max_length=16, choices=Kind)
    text = models.CharField(verbose_name=_("name"), max_length=255)
    key = models.BinaryField(
        verbose_name=_("key"),
        help_text=_("The name as it is compared: without case, accents and signs."),
    )
    letter = models.CharField(verbose_name=_("letter"), max_length=8)
    sort_key = models.BinaryField(verbose_name=_("sort key"))

    class Meta:
        verbose_name = _("public name")
        verbose_name_plural = _("public names")
        indexes = [
            models.Index(fields=["glossary", "key"], name="glossary_publicname_key"),
            models.Index(
                fields=["glossary", "letter", "sort_key"],
                name="glossary_publicname_letter",
            ),
        ]

    def __str__(self) -> str:
        return self.text


class PublicTag(models.Model):
    """A tag of a public term, in the order of the alphabet."""

    public_term = models.ForeignKey(
        PublicTerm,
        verbose_name=_("public term"),
        on_delete=models.CASCADE,
        related_name="tags",
    )
    glossary = models.ForeignKey(
        "glossary.GlossaryPage",
        verbose_name=_("glossary"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    tag = models.ForeignKey(
        "taggit.Tag",
        verbose_name=_("tag"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    sort_key = models.BinaryField(verbose_name=_("sort key"))

    class Meta:
        verbose_name = _("tag of a public term")
        verbose_name_plural = _("tags of public terms")
        indexes = [
            models.Index(
                fields=["glossary", "tag", "sort_key", "public_term"],
                name="glossary_publictag_sorted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_term_id}: {self.tag_id}"


class NameVariant(models.Model):
    """A public name with a letter left out: two names that differ by one typing
    mistake have a variant in common."""

    public_name = models.ForeignKey(
        PublicName,
        verbose_name=_("public name"),
        on_delete=models.CASCADE,
        related_name="variants",
    )
    variant = models.BigIntegerField(
        verbose_name=_("variant"),
        db_index=True,
        help_text=_("A hash of the variant."),
    )

    class Meta:
        verbose_name = _("variant of a name")
        verbose_name_plural = _("variants of names")

    def __str__(self) -> str:
        return f"{self.variant}"


class LetterCount(models.Model):
    """How many public terms, and labels that lead to one, stand under a letter."""

    glossary = models.ForeignKey(
        "glossary.GlossaryPage",
        verbose_name=_("glossary"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    letter = models.CharField(verbose_name=_("letter"), max_length=8)
    terms = models.IntegerField(verbose_name=_("terms"), default=0)
    labels = models.IntegerField(verbose_name=_("labels"), default=0)

    class Meta:
        verbose_name = _("count of a letter")
        verbose_name_plural = _("counts of letters")
        constraints = [
            models.UniqueConstraint(
                fields=["glossary", "letter"], name="glossary_lettercount_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.letter}: {self.terms}"


class CategoryCount(models.Model):
    """How many public terms of a category stand under a letter."""

    glossary = models.ForeignKey(
        "glossary.GlossaryPage",
        verbose_name=_("glossary"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    category = models.ForeignKey(
        "glossary.Category",
        verbose_name=_("category"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    letter = models.CharField(verbose_name=_("letter"), max_length=8)
    terms = models.IntegerField(verbose_name=_("terms"), default=0)

    class Meta:
        verbose_name = _("count of a category")
        verbose_name_plural = _("counts of categories")
        constraints = [
            models.UniqueConstraint(
                fields=["glossary", "category", "letter"],
                name="glossary_categorycount_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category_id}, {self.letter}: {self.terms}"


class TagCount(models.Model):
    """How many public terms have a tag."""

    glossary = models.ForeignKey(
        "glossary.GlossaryPage",
        verbose_name=_("glossary"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    tag = models.ForeignKey(
        "taggit.Tag",
        verbose_name=_("tag"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    terms = models.IntegerField(verbose_name=_("terms"), default=0)

    class Meta:
        verbose_name = _("count of a tag")
        verbose_name_plural = _("counts of tags")
        constraints = [
            models.UniqueConstraint(
                fields=["glossary", "tag"], name="glossary_tagcount_unique"
            ),
        ]
        indexes = [
            models.Index(fields=["glossary", "terms"], name="glossary_tagcount_terms"),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id}: {self.terms}"


class Mention(models.Model):
    """What a public term points at: a related term, a page or a document."""

    class Target(models.TextChoices):
        RELATED_TERM = "related_term", _("Related term")
        PAGE = "page", _("Page")
        DOCUMENT = "document", _("Document")

    class Kind(models.TextChoices):
        RELATED = "related", _("Related")
        SEE_ALSO = "see_also", _("See also")
        CONTRAST = "contrast", _("In contrast to")
        BROADER = "broader", _("Broader")
        NARROWER = "narrower", _("Narrower")
        COMPARISON = "comparison", _("Comparison")
        TEXT = "text", _("In its text")

    public_term = models.ForeignKey(
        PublicTerm,
        verbose_name=_("public term"),
        on_delete=models.CASCADE,
        related_name="mentions",
    )
    kind = models.CharField(verbose_name=_("kind"), max_length=16, choices=Kind)
    target_type = models.CharField(
        verbose_name=_("type of the target"), max_length=16, choices=Target
    )
    target_id = models.BigIntegerField(verbose_name=_("target"))

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        indexes = [
            models.Index(
                fields=["target_type", "target_id", "public_term"],
                name="glossary_mention_target",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.target_type} {self.target_id}"
