import uuid

import django.db.models.deletion
from django.db import migrations, models
from wagtail.models import (
    BootstrapLocaleField,
    BootstrapTranslatableModel,
    BootstrapTranslationKeyField,
)


def revision(verbose_name: str) -> models.ForeignKey:
    return models.ForeignKey(
        "wagtailcore.revision",
        verbose_name=verbose_name,
        on_delete=django.db.models.deletion.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("custom_page", "0001_initial"),
        ("wagtailcore", "0098_apitoken"),
    ]

    operations = [
        BootstrapLocaleField("custom_page.BasePage"),
        BootstrapTranslationKeyField("custom_page.BasePage"),
        BootstrapTranslatableModel("custom_page.BasePage"),
        migrations.AlterField(
            "basepage",
            "locale",
            models.ForeignKey(
                "wagtailcore.locale",
                verbose_name="locale",
                on_delete=django.db.models.deletion.PROTECT,
                editable=False,
                related_name="+",
            ),
        ),
        migrations.AlterField(
            "basepage",
            "translation_key",
            models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AlterUniqueTogether("basepage", {("translation_key", "locale")}),
        migrations.AddField("basepage", "latest_revision", revision("latest revision")),
        migrations.AddField("basepage", "live_revision", revision("live revision")),
    ]
