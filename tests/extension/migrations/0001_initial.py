import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("glossary", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CoursePage",
            fields=[
                (
                    "glossarypage_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="glossary.glossarypage",
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "verbose_name": "course",
            },
            bases=("glossary.glossarypage",),
        ),
        migrations.CreateModel(
            name="CourseTermPage",
            fields=[
                (
                    "termpage_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="glossary.termpage",
                    ),
                ),
                ("level", models.CharField(blank=True, max_length=32)),
            ],
            options={
                "verbose_name": "course term",
            },
            bases=("glossary.termpage",),
        ),
    ]
