import uuid

import django.db.models.deletion
import django.utils.timezone
import modelcluster.contrib.taggit
import modelcluster.fields
import modelsearch.index
import swapper
import wagtail.fields
from django.conf import settings
from django.db import migrations, models

import glossary.conf
import glossary.models.webhooks


# A site may replace Wagtail's base page; the tables follow it.
swapper.set_app_prefix("wagtailcore", "wagtail")
PAGE_MODEL = swapper.get_model_name("wagtailcore", "Page")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        (
            "taggit",
            "0006_rename_taggeditem_content_type_object_id_taggit_tagg_content_8fc721_idx",
        ),
        ("wagtailcore", "0098_apitoken"),
        swapper.dependency("wagtailcore", "Page"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Category",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "translation_key",
                    models.UUIDField(default=uuid.uuid4, editable=False),
                ),
                ("name", models.CharField(max_length=255, verbose_name="name")),
                (
                    "slug",
                    models.SlugField(
                        allow_unicode=True,
                        blank=True,
                        help_text="The name in addresses; left empty, it is made from the name.",
                        max_length=255,
                        verbose_name="slug",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        help_text="One or two sentences: what the terms have in common.",
                        verbose_name="description",
                    ),
                ),
                (
                    "sort_order",
                    models.IntegerField(
                        blank=True, editable=False, null=True, verbose_name="sort order"
                    ),
                ),
                (
                    "locale",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wagtailcore.locale",
                        verbose_name="locale",
                    ),
                ),
            ],
            options={
                "verbose_name": "category",
                "verbose_name_plural": "categories",
                "ordering": ["sort_order", "name", "pk"],
                "abstract": False,
            },
            bases=(modelsearch.index.Indexed, models.Model),
        ),
        migrations.CreateModel(
            name="GlossaryPage",
            fields=[
                (
                    "page_ptr",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=PAGE_MODEL,
                    ),
                ),
                (
                    "introduction",
                    wagtail.fields.RichTextField(
                        blank=True,
                        help_text="What the glossary covers and for whom, in two or three sentences.",
                        verbose_name="introduction",
                    ),
                ),
                (
                    "feature_base_url",
                    models.URLField(
                        blank=True,
                        help_text="Paths of related features are read from here, for example https://www.example.com/. Left empty, from the root of this site.",
                        verbose_name="address of the features",
                    ),
                ),
                (
                    "licence_url",
                    models.URLField(
                        blank=True,
                        help_text="The licence of the texts, for readers and search engines.",
                        verbose_name="address of the licence",
                    ),
                ),
                (
                    "default_category",
                    models.ForeignKey(
                        blank=True,
                        help_text="A new term starts with this category.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="glossary.category",
                        verbose_name="category of new terms",
                    ),
                ),
            ],
            options={
                "verbose_name": "glossary",
                "verbose_name_plural": "glossaries",
            },
            bases=(PAGE_MODEL.lower(), models.Model),
        ),
        migrations.CreateModel(
            name="RelatedTerm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("name", models.CharField(max_length=255, verbose_name="name")),
                (
                    "slug",
                    models.SlugField(
                        allow_unicode=True,
                        blank=True,
                        help_text="A page with this slug in the glossary becomes the page of this term. Left empty, it is made from the name.",
                        max_length=255,
                        verbose_name="slug",
                    ),
                ),
                (
                    "glossary",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="related_terms",
                        to="glossary.glossarypage",
                        verbose_name="glossary",
                    ),
                ),
                (
                    "locale",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wagtailcore.locale",
                        verbose_name="language",
                    ),
                ),
            ],
            options={
                "verbose_name": "related term",
                "verbose_name_plural": "related terms",
                "ordering": ["name", "pk"],
            },
            bases=(modelsearch.index.Indexed, models.Model),
        ),
        migrations.CreateModel(
            name="TermPage",
            fields=[
                (
                    "page_ptr",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=PAGE_MODEL,
                    ),
                ),
                (
                    "heading",
                    models.CharField(
                        blank=True,
                        help_text="The headline of the page, often a question. Left empty, the term itself.",
                        max_length=255,
                        verbose_name="heading",
                    ),
                ),
                (
                    "short_definition",
                    models.TextField(
                        help_text="One or two sentences that can stand alone: what it is first, then what sets it apart. Shown in lists, previews and search results.",
                        verbose_name="short definition",
                    ),
                ),
                (
                    "explanation",
                    wagtail.fields.StreamField(
                        [("section", 3)],
                        blank=True,
                        block_lookup={
                            0: (
                                "wagtail.blocks.ChoiceBlock",
                                [],
                                {"choices": glossary.conf.section_kinds},
                            ),
                            1: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"max_length": 255, "required": False},
                            ),
                            2: ("glossary.blocks.ProseBlock", (), {}),
                            3: (
                                "wagtail.blocks.StructBlock",
                                [[("kind", 0), ("heading", 1), ("body", 2)]],
                                {},
                            ),
                        },
                        help_text="The text, in sections. Most terms need two or three.",
                        verbose_name="explanation",
                    ),
                ),
                (
                    "comparisons",
                    wagtail.fields.StreamField(
                        [("comparison", 3)],
                        blank=True,
                        block_lookup={
                            0: (
                                "glossary.blocks.RelatedTermChooserBlock",
                                (),
                                {"required": False},
                            ),
                            1: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"max_length": 255, "required": False},
                            ),
                            2: ("glossary.blocks.ProseBlock", (), {}),
                            3: (
                                "wagtail.blocks.StructBlock",
                                [[("related_term", 0), ("name", 1), ("comparison", 2)]],
                                {},
                            ),
                        },
                        help_text="Concepts that readers confuse with this one.",
                        verbose_name="comparisons",
                    ),
                ),
                (
                    "faq",
                    wagtail.fields.StreamField(
                        [("question", 2)],
                        blank=True,
                        block_lookup={
                            0: ("wagtail.blocks.CharBlock", (), {"max_length": 500}),
                            1: ("glossary.blocks.ProseBlock", (), {}),
                            2: (
                                "wagtail.blocks.StructBlock",
                                [[("question", 0), ("answer", 1)]],
                                {},
                            ),
                        },
                        help_text="Questions that the text above leaves open.",
                        verbose_name="questions",
                    ),
                ),
                (
                    "related_features",
                    wagtail.fields.StreamField(
                        [("feature", 2)],
                        blank=True,
                        block_lookup={
                            0: ("wagtail.blocks.CharBlock", (), {"max_length": 2000}),
                            1: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"max_length": 255, "required": False},
                            ),
                            2: (
                                "wagtail.blocks.StructBlock",
                                [[("path", 0), ("label", 1)]],
                                {},
                            ),
                        },
                        help_text="Where the reader can see the term at work.",
                        verbose_name="related features",
                    ),
                ),
                (
                    "payload_extra",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        editable=False,
                        verbose_name="further fields of the payload",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="terms",
                        to="glossary.category",
                        verbose_name="category",
                    ),
                ),
            ],
            options={
                "verbose_name": "term",
                "verbose_name_plural": "terms",
            },
            bases=(PAGE_MODEL.lower(), models.Model),
        ),
        migrations.CreateModel(
            name="TermLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "sort_order",
                    models.IntegerField(blank=True, editable=False, null=True),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("related", "Related"),
                            ("see_also", "See also"),
                            ("contrast", "In contrast to"),
                            ("broader", "Broader"),
                            ("narrower", "Narrower"),
                        ],
                        default="related",
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "related_term",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="glossary.relatedterm",
                        verbose_name="related term",
                    ),
                ),
                (
                    "term",
                    modelcluster.fields.ParentalKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="related_terms",
                        to="glossary.termpage",
                        verbose_name="term",
                    ),
                ),
            ],
            options={
                "verbose_name": "related term",
                "verbose_name_plural": "related terms",
                "ordering": ["sort_order"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="TermLabel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "sort_order",
                    models.IntegerField(blank=True, editable=False, null=True),
                ),
                ("text", models.CharField(max_length=255, verbose_name="label")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("synonym", "Synonym"),
                            ("abbreviation", "Abbreviation"),
                            ("inflection", "Inflection"),
                            ("hidden", "Hidden"),
                        ],
                        default="synonym",
                        help_text="Hidden labels, such as common misspellings, are searched but not shown.",
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "case_rule",
                    models.CharField(
                        choices=[
                            ("ignore", "In any case"),
                            ("first", "Only the first letter may differ"),
                            ("exact", "Exactly as written"),
                        ],
                        default="ignore",
                        help_text="How a text must write the label to mean this term.",
                        max_length=8,
                        verbose_name="upper and lower case",
                    ),
                ),
                (
                    "term",
                    modelcluster.fields.ParentalKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labels",
                        to="glossary.termpage",
                        verbose_name="term",
                    ),
                ),
            ],
            options={
                "verbose_name": "label",
                "verbose_name_plural": "labels",
                "ordering": ["sort_order"],
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="relatedterm",
            name="page",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="known_as",
                to="glossary.termpage",
                verbose_name="page",
            ),
        ),
        migrations.CreateModel(
            name="TermTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "content_object",
                    modelcluster.fields.ParentalKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tagged_items",
                        to="glossary.termpage",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s_items",
                        to="taggit.tag",
                    ),
                ),
            ],
            options={
                "verbose_name": "tag of a term",
                "verbose_name_plural": "tags of terms",
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="termpage",
            name="tags",
            field=modelcluster.contrib.taggit.ClusterTaggableManager(
                blank=True,
                help_text="A comma-separated list of tags.",
                through="glossary.TermTag",
                to="taggit.Tag",
                verbose_name="tags",
            ),
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.UniqueConstraint(
                fields=("slug", "locale"),
                name="glossary_category_slug_unique",
                violation_error_message="There is already a category with this slug in this language.",
            ),
        ),
        migrations.AlterUniqueTogether(
            name="category",
            unique_together={("translation_key", "locale")},
        ),
        migrations.AddConstraint(
            model_name="termlink",
            constraint=models.UniqueConstraint(
                fields=("term", "related_term"),
                name="glossary_termlink_unique",
                violation_error_message="This related term is linked twice.",
            ),
        ),
        migrations.AddConstraint(
            model_name="termlabel",
            constraint=models.UniqueConstraint(
                fields=("term", "text"),
                name="glossary_termlabel_unique",
                violation_error_message="This term already has this label.",
            ),
        ),
        migrations.AddConstraint(
            model_name="relatedterm",
            constraint=models.UniqueConstraint(
                fields=("glossary", "locale", "slug"),
                name="glossary_relatedterm_slug_unique",
                violation_error_message="The glossary already knows a term with this slug: choose it instead, or write another slug.",
            ),
        ),
        migrations.CreateModel(
            name="ImportPayload",
            fields=[
                (
                    "digest",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                (
                    "form",
                    models.CharField(
                        help_text="What the text is, as in payload.sources.SourceRecord.form.",
                        max_length=16,
                        verbose_name="form",
                    ),
                ),
                ("data", models.BinaryField(verbose_name="compressed text")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "payload as it came",
                "verbose_name_plural": "payloads as they came",
            },
        ),
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("import", "Import"), ("undo", "Undo")],
                        default="import",
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("uploaded", "Uploaded"),
                            ("planning", "Being planned"),
                            ("planned", "Planned"),
                            ("running", "Running"),
                            ("finished", "Finished"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                            ("interrupted", "Interrupted"),
                        ],
                        default="running",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                ("options", models.JSONField(default=dict, verbose_name="options")),
                (
                    "counts",
                    models.JSONField(
                        default=dict,
                        help_text="How many terms had each outcome.",
                        verbose_name="counts",
                    ),
                ),
                ("total", models.PositiveIntegerField(default=0, verbose_name="terms")),
                ("done", models.PositiveIntegerField(default=0, verbose_name="done")),
                ("message", models.TextField(blank=True, verbose_name="message")),
                (
                    "stop_requested",
                    models.BooleanField(default=False, verbose_name="asked to stop"),
                ),
                (
                    "digest",
                    models.CharField(blank=True, max_length=64, verbose_name="digest"),
                ),
                (
                    "version",
                    models.CharField(
                        blank=True,
                        max_length=32,
                        verbose_name="version of the importer",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="created at"
                    ),
                ),
                (
                    "heartbeat_at",
                    models.DateTimeField(null=True, verbose_name="last sign of life"),
                ),
                (
                    "finished_at",
                    models.DateTimeField(null=True, verbose_name="finished at"),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="undone_by",
                        to="glossary.importrun",
                        verbose_name="undoes",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        help_text="Whose rights it has; none is the system itself.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "import run",
                "verbose_name_plural": "import runs",
                "ordering": ["-created_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="ImportSource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        default="default", max_length=100, verbose_name="source"
                    ),
                ),
                (
                    "glossary",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="import_sources",
                        to="glossary.glossarypage",
                        verbose_name="glossary",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="glossary.importrun",
                        verbose_name="run in progress",
                    ),
                ),
            ],
            options={
                "verbose_name": "source of terms",
                "verbose_name_plural": "sources of terms",
            },
        ),
        migrations.AddField(
            model_name="importrun",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="runs",
                to="glossary.importsource",
                verbose_name="source",
            ),
        ),
        migrations.CreateModel(
            name="ImportRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="The slug in the payload; it stays when the page gets another.",
                        max_length=255,
                        verbose_name="key",
                    ),
                ),
                (
                    "base",
                    models.JSONField(
                        default=dict,
                        help_text="The value of each field as it was last applied.",
                        verbose_name="base",
                    ),
                ),
                (
                    "proposal",
                    models.JSONField(
                        default=dict,
                        help_text="The values in conflict that wait for an editor's decision.",
                        verbose_name="proposal",
                    ),
                ),
                (
                    "pending",
                    models.JSONField(
                        default=list,
                        help_text="What its comparisons name, and no term was called yet.",
                        verbose_name="pending names",
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        blank=True,
                        help_text="Of the last record from which nothing remains to be done.",
                        max_length=64,
                        verbose_name="digest",
                    ),
                ),
                (
                    "revision",
                    models.PositiveIntegerField(
                        help_text="The page's latest revision when the import had written it.",
                        null=True,
                        verbose_name="revision",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, verbose_name="updated at"),
                ),
                (
                    "page",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="import_records",
                        to="glossary.termpage",
                        verbose_name="page",
                    ),
                ),
                (
                    "payload",
                    models.ForeignKey(
                        help_text="The last payload applied, from which exports are written.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="glossary.importpayload",
                        verbose_name="payload",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        help_text="The last run that applied something.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="glossary.importrun",
                        verbose_name="run",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="records",
                        to="glossary.importsource",
                        verbose_name="source",
                    ),
                ),
            ],
            options={
                "verbose_name": "import record",
                "verbose_name_plural": "import records",
            },
        ),
        migrations.CreateModel(
            name="ImportUpload",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "number",
                    models.PositiveIntegerField(help_text="Which of the run's files."),
                ),
                ("name", models.CharField(max_length=255)),
                ("position", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uploads",
                        to="glossary.importrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "uploaded piece",
                "verbose_name_plural": "uploaded pieces",
                "ordering": ["number", "position"],
            },
        ),
        migrations.CreateModel(
            name="ImportItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="position")),
                (
                    "key",
                    models.CharField(blank=True, max_length=255, verbose_name="key"),
                ),
                (
                    "title",
                    models.CharField(blank=True, max_length=255, verbose_name="term"),
                ),
                (
                    "place",
                    models.TextField(
                        blank=True,
                        help_text="The file, and the line in it.",
                        verbose_name="place",
                    ),
                ),
                ("outcome", models.CharField(max_length=16, verbose_name="outcome")),
                ("applied", models.BooleanField(default=False, verbose_name="written")),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        help_text="What becomes of its conflicts, if not what the run says.",
                        max_length=16,
                        verbose_name="decision",
                    ),
                ),
                ("changes", models.JSONField(default=list, verbose_name="changes")),
                ("remarks", models.JSONField(default=list, verbose_name="remarks")),
                (
                    "before",
                    models.JSONField(
                        default=dict,
                        help_text="The state of page and record that an undo goes back to.",
                    ),
                ),
                (
                    "after",
                    models.JSONField(
                        default=dict,
                        help_text="The state that the run left: an undo needs it unchanged.",
                    ),
                ),
                (
                    "page",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="glossary.termpage",
                    ),
                ),
                (
                    "payload",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="items",
                        to="glossary.importpayload",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="glossary.importrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "term of a run",
                "verbose_name_plural": "terms of a run",
                "ordering": ["position"],
                "indexes": [
                    models.Index(
                        fields=["run", "outcome"], name="glossary_importitem_outcome"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "position"),
                        name="glossary_importitem_position_unique",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="importsource",
            constraint=models.UniqueConstraint(
                fields=("glossary", "key"), name="glossary_importsource_key_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="importrecord",
            constraint=models.UniqueConstraint(
                fields=("source", "key"), name="glossary_importrecord_key_unique"
            ),
        ),
        migrations.CreateModel(
            name="Version",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("number", models.BigIntegerField(default=0, verbose_name="number")),
                (
                    "token",
                    models.CharField(
                        help_text="Random, so that a number that comes again, after a rollback or in a restored database, is another version.",
                        max_length=16,
                        verbose_name="token",
                    ),
                ),
                ("modified", models.DateTimeField(verbose_name="last change")),
            ],
            options={
                "verbose_name": "version",
                "verbose_name_plural": "versions",
            },
        ),
        migrations.CreateModel(
            name="PublicName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("title", "Title"),
                            ("synonym", "Synonym"),
                            ("abbreviation", "Abbreviation"),
                            ("inflection", "Inflection"),
                            ("hidden", "Hidden"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("text", models.CharField(max_length=255, verbose_name="name")),
                (
                    "key",
                    models.BinaryField(
                        help_text="The name as it is compared: without case, accents and signs.",
                        verbose_name="key",
                    ),
                ),
                ("letter", models.CharField(max_length=8, verbose_name="letter")),
                ("sort_key", models.BinaryField(verbose_name="sort key")),
                (
                    "glossary",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="glossary.glossarypage",
                        verbose_name="glossary",
                    ),
                ),
            ],
            options={
                "verbose_name": "public name",
                "verbose_name_plural": "public names",
            },
        ),
        migrations.CreateModel(
            name="NameVariant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "variant",
                    models.BigIntegerField(
                        db_index=True,
                        help_text="A hash of the variant.",
                        verbose_name="variant",
                    ),
                ),
                (
                    "public_name",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="variants",
                        to="glossary.publicname",
                        verbose_name="public name",
                    ),
                ),
            ],
            options={
                "verbose_name": "variant of a name",
                "verbose_name_plural": "variants of names",
            },
        ),
        migrations.CreateModel(
            name="PublicTerm",
            fields=[
                (
                    "term",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="public_term",
                        serialize=False,
                        to="glossary.termpage",
                        verbose_name="term",
                    ),
                ),
                ("title", models.CharField(max_length=255, verbose_name="title")),
                ("slug", models.CharField(max_length=255, verbose_name="slug")),
                (
                    "letter",
                    models.CharField(
                        help_text="The letter of its language that it stands under, or #.",
                        max_length=8,
                        verbose_name="letter",
                    ),
                ),
                (
                    "sort_key",
                    models.BinaryField(
                        help_text="Sorts by the rules of its language, byte by byte.",
                        verbose_name="sort key",
                    ),
                ),
                (
                    "first_published_at",
                    models.DateTimeField(
                        help_text="The beginning of 1970, if nobody knows.",
                        verbose_name="first published at",
                    ),
                ),
                (
                    "last_published_at",
                    models.DateTimeField(
                        help_text="The beginning of 1970, if nobody knows.",
                        verbose_name="last published at",
                    ),
                ),
                (
                    "has_explanation",
                    models.BooleanField(
                        default=False, verbose_name="has an explanation"
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="glossary.category",
                        verbose_name="category",
                    ),
                ),
                (
                    "glossary",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="glossary.glossarypage",
                        verbose_name="glossary",
                    ),
                ),
                (
                    "locale",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="wagtailcore.locale",
                        verbose_name="language",
                    ),
                ),
            ],
            options={
                "verbose_name": "public term",
                "verbose_name_plural": "public terms",
            },
        ),
        migrations.AddField(
            model_name="publicname",
            name="public_term",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="names",
                to="glossary.publicterm",
                verbose_name="public term",
            ),
        ),
        migrations.CreateModel(
            name="Mention",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("related", "Related"),
                            ("see_also", "See also"),
                            ("contrast", "In contrast to"),
                            ("broader", "Broader"),
                            ("narrower", "Narrower"),
                            ("comparison", "Comparison"),
                            ("text", "In its text"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "target_type",
                    models.CharField(
                        choices=[
                            ("related_term", "Related term"),
                            ("page", "Page"),
                            ("document", "Document"),
                        ],
                        max_length=16,
                        verbose_name="type of the target",
                    ),
                ),
                ("target_id", models.BigIntegerField(verbose_name="target")),
                (
                    "public_term",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mentions",
                        to="glossary.publicterm",
                        verbose_name="public term",
                    ),
                ),
            ],
            options={
                "verbose_name": "mention",
                "verbose_name_plural": "mentions",
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        help_text="An https address on a public server.",
                        max_length=2000,
                        verbose_name="address",
                    ),
                ),
                (
                    "description",
                    models.CharField(
                        blank=True, max_length=255, verbose_name="description"
                    ),
                ),
                (
                    "events",
                    models.JSONField(
                        blank=True,
                        default=glossary.models.webhooks.no_events,
                        help_text="Which events are told; none chosen means all.",
                        verbose_name="events",
                    ),
                ),
                (
                    "secret",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=128,
                        verbose_name="secret",
                    ),
                ),
                (
                    "former_secret",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=128,
                        verbose_name="former secret",
                    ),
                ),
                (
                    "former_secret_until",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        null=True,
                        verbose_name="former secret valid until",
                    ),
                ),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=255,
                        verbose_name="reason of its end",
                    ),
                ),
                (
                    "not_before",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        editable=False,
                        help_text="Until then a process is sending to it, or it is left to recover.",
                        verbose_name="nothing is sent before",
                    ),
                ),
                (
                    "last_success",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        null=True,
                        verbose_name="last delivery",
                    ),
                ),
                (
                    "created",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        help_text="The site whose changes are told.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="wagtailcore.site",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "message_id",
                    models.CharField(
                        help_text="The same at each attempt: by it a receiver knows a repetition.",
                        max_length=64,
                        verbose_name="message",
                    ),
                ),
                ("event", models.CharField(max_length=64, verbose_name="event")),
                ("body", models.TextField(verbose_name="body")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting"),
                            ("delivered", "Delivered"),
                            ("failed", "Given up"),
                        ],
                        default="pending",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                (
                    "attempts",
                    models.JSONField(
                        default=list,
                        help_text="When each was made, and what was answered.",
                        verbose_name="attempts",
                    ),
                ),
                (
                    "next_attempt",
                    models.DateTimeField(
                        blank=True,
                        default=django.utils.timezone.now,
                        null=True,
                        verbose_name="next attempt",
                    ),
                ),
                (
                    "created",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="created"
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="glossary.webhookendpoint",
                        verbose_name="webhook",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("term", "Term"),
                            ("glossary", "Glossary"),
                            ("category", "Category"),
                            ("related_term", "Related term"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("object_id", models.BigIntegerField(verbose_name="id of the object")),
                (
                    "key",
                    models.CharField(
                        help_text="The name of the object in the feed; it outlives the object.",
                        max_length=64,
                        verbose_name="key",
                    ),
                ),
                ("number", models.BigIntegerField(unique=True, verbose_name="number")),
                ("modified", models.DateTimeField(verbose_name="last change")),
                ("deleted", models.BooleanField(default=False, verbose_name="deleted")),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="wagtailcore.site",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "change",
                "verbose_name_plural": "changes",
                "indexes": [
                    models.Index(
                        fields=["site", "number"], name="glossary_change_feed"
                    ),
                    models.Index(
                        fields=["kind", "object_id"], name="glossary_change_object"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("site", "kind", "object_id"),
                        name="glossary_change_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LetterCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("letter", models.CharField(max_length=8, verbose_name="letter")),
                ("terms", models.IntegerField(default=0, verbose_name="terms")),
                ("labels", models.IntegerField(default=0, verbose_name="labels")),
                (
                    "glossary",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="glossary.glossarypage",
                        verbose_name="glossary",
                    ),
                ),
            ],
            options={
                "verbose_name": "count of a letter",
                "verbose_name_plural": "counts of letters",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("glossary", "letter"),
                        name="glossary_lettercount_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CategoryCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("letter", models.CharField(max_length=8, verbose_name="letter")),
                ("terms", models.IntegerField(default=0, verbose_name="terms")),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="glossary.category",
                        verbose_name="category",
                    ),
                ),
                (
                    "glossary",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="glossary.glossarypage",
                        verbose_name="glossary",
                    ),
                ),
            ],
            options={
                "verbose_name": "count of a category",
                "verbose_name_plural": "counts of categories",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("glossary", "category", "letter"),
                        name="glossary_categorycount_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PublicTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("sort_key", models.BinaryField(verbose_name="sort key")),
                (
                    "glossary",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="glossary.glossarypage",
                        verbose_name="glossary",
                    ),
                ),
                (
                    "public_term",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tags",
                        to="glossary.publicterm",
                        verbose_name="public term",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="taggit.tag",
                        verbose_name="tag",
                    ),
                ),
            ],
            options={
                "verbose_name": "tag of a public term",
                "verbose_name_plural": "tags of public terms",
                "indexes": [
                    models.Index(
                        fields=["glossary", "tag", "sort_key", "public_term"],
                        name="glossary_publictag_sorted",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TagCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("terms", models.IntegerField(default=0, verbose_name="terms")),
                (
                    "glossary",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="glossary.glossarypage",
                        verbose_name="glossary",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="taggit.tag",
                        verbose_name="tag",
                    ),
                ),
            ],
            options={
                "verbose_name": "count of a tag",
                "verbose_name_plural": "counts of tags",
                "indexes": [
                    models.Index(
                        fields=["glossary", "terms"], name="glossary_tagcount_terms"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("glossary", "tag"), name="glossary_tagcount_unique"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="publicterm",
            index=models.Index(
                fields=["glossary", "sort_key", "term"],
                name="glossary_publicterm_sorted",
            ),
        ),
        migrations.AddIndex(
            model_name="publicterm",
            index=models.Index(
                fields=["glossary", "letter", "sort_key", "term"],
                name="glossary_publicterm_letter",
            ),
        ),
        migrations.AddIndex(
            model_name="publicterm",
            index=models.Index(
                fields=["glossary", "category", "sort_key", "term"],
                name="glossary_publicterm_category",
            ),
        ),
        migrations.AddIndex(
            model_name="publicterm",
            index=models.Index(
                fields=["glossary", "slug"], name="glossary_publicterm_slug"
            ),
        ),
        migrations.AddIndex(
            model_name="publicterm",
            index=models.Index(
                fields=["glossary", "first_published_at", "term"],
                name="glossary_publicterm_first",
            ),
        ),
        migrations.AddIndex(
            model_name="publicterm",
            index=models.Index(
                fields=["glossary", "last_published_at", "term"],
                name="glossary_publicterm_last",
            ),
        ),
        migrations.AddIndex(
            model_name="publicname",
            index=models.Index(
                fields=["glossary", "key"], name="glossary_publicname_key"
            ),
        ),
        migrations.AddIndex(
            model_name="publicname",
            index=models.Index(
                fields=["glossary", "letter", "sort_key"],
                name="glossary_publicname_letter",
            ),
        ),
        migrations.AddIndex(
            model_name="mention",
            index=models.Index(
                fields=["target_type", "target_id", "public_term"],
                name="glossary_mention_target",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                fields=["status", "next_attempt"], name="glossary_webhook_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("endpoint", "message_id"),
                name="glossary_webhookdelivery_unique",
            ),
        ),
    ]
