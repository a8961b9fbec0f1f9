"""What the tour of screenshots shows beside the demo: a glossary in Urdu, and one that
is large enough for a page for each letter."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import call_command
from wagtail.models import Locale

from benchmarks.corpus import write_corpus
from glossary.models import GlossaryPage

from .factories import (
    comparison,
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)


LARGE_COUNT = 400

CATEGORY = "بنیادی باتیں"
# Slug, name, short definition and explanation.
TERMS = [
    (
        "model",
        "ماڈل",
        "ماڈل وہ پروگرام ہے جو مثالوں سے سیکھ کر نئے متن کا اندازہ لگاتا ہے۔",
        "ماڈل کو قاعدے نہیں سکھائے جاتے۔ وہ بہت سا متن پڑھتا ہے "
        "اور اس میں بار بار آنے والے نمونے یاد رکھتا ہے۔",
    ),
    (
        "token",
        "ٹوکن",
        "ٹوکن متن کا وہ چھوٹا ٹکڑا ہے جسے ماڈل ایک بار میں پڑھتا ہے۔",
        "ماڈل لفظ نہیں پڑھتا بلکہ ٹوکن پڑھتا ہے۔ چھوٹا لفظ اکثر ایک ہی ٹوکن ہوتا ہے، "
        "اور لمبا لفظ کئی ٹوکنوں میں بٹ جاتا ہے۔",
    ),
    (
        "training",
        "تربیت",
        "تربیت وہ عمل ہے جس میں ماڈل بہت سی مثالوں سے سیکھتا ہے۔",
        "ہر مثال کے بعد ماڈل کے اعداد ذرا سے بدلتے ہیں، تاکہ اگلا اندازہ بہتر ہو۔",
    ),
    (
        "context",
        "سیاق",
        "سیاق وہ متن ہے جو جواب دیتے وقت ماڈل کے سامنے ہوتا ہے۔",
        "سیاق کی لمبائی ٹوکنوں میں ناپی جاتی ہے۔ "
        "جو کچھ اس سے باہر ہو، ماڈل اسے نہیں دیکھتا۔",
    ),
    (
        "prompt",
        "ہدایت",
        "ہدایت وہ تحریر ہے جس میں ماڈل کو بتایا جاتا ہے کہ کیا کرنا ہے۔",
        "اچھی ہدایت مختصر اور صاف ہوتی ہے، اور ایک مثال بھی دیتی ہے۔",
    ),
    (
        "hallucination",
        "وہم",
        "وہم وہ جواب ہے جو درست لگتا ہے مگر غلط ہوتا ہے۔",
        "ماڈل سچ اور جھوٹ نہیں جانتا۔ وہ صرف یہ جانتا ہے کہ کون سا متن اکثر آتا ہے۔",
    ),
]


def make_urdu_glossary(slug: str) -> None:
    """Make the site's home page and a small glossary in Urdu."""
    urdu = Locale.objects.create(language_code="ur")
    home = home_page().copy_for_translation(urdu)
    home.title = "نمونے کی سائٹ"
    home.introduction = "<p>ایک چھوٹی سائٹ جس میں ایک لغت ہے۔</p>"
    home.body = []
    home.save_revision().publish()
    glossary = make_glossary(
        slug,
        title="مصنوعی ذہانت کی لغت",
        introduction="<p>مصنوعی ذہانت کے الفاظ، آسان زبان میں۔</p>",
        parent=home,
        locale=urdu,
        show_in_menus=True,
    )
    make_urdu_terms(glossary)


def make_urdu_terms(glossary: GlossaryPage) -> None:
    own = {"locale": glossary.locale}
    category = make_category("basics", name=CATEGORY, **own)
    known = {
        slug: make_related_term(glossary, slug, name=name)
        for slug, name, _definition, _text in TERMS
    }
    for slug, name, definition, text in TERMS:
        others = [known[other] for other in known if other != slug]
        make_term(
            glossary,
            slug,
            title=name,
            short_definition=definition,
            category=category,
            labels=["لفظ کا ٹکڑا"] if slug == "token" else [],
            tags=["متن"],
            explanation=[section(f"<p>{text}</p>")],
            comparisons=[comparison("", "<p>ایک دوسرے سے الگ ہیں۔</p>", others[0])],
            faq=[
                question("کیا ٹوکن ایک لفظ ہوتا ہے؟", "<p>ہمیشہ نہیں۔</p>"),
                question("کیا ماڈل سوچتا ہے؟", "<p>وہ اندازہ لگاتا ہے۔</p>"),
            ],
            related_terms=[others[1], (others[2], "narrower")],
            **own,
        )


def make_large_glossary(slug: str) -> None:
    """Make a glossary of invented terms."""
    call_command("create_glossary", slug, title="Invented words", verbosity=0)
    with TemporaryDirectory() as folder:
        write_corpus(Path(folder), LARGE_COUNT)
        call_command("import_terms", folder, glossary=slug, verbosity=0)
