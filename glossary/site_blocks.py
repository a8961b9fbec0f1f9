"""StreamField blocks for a site's other pages: a term, the terms of a category, the
search and the letters of a glossary.

They show what anyone may see, and nothing of what is hidden. Include them in templates
with ``{% include_block %}``, which gives them the request.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.snippets.blocks import SnippetChooserBlock

from .blocks import TermStructBlock
from .models import PublicTerm
from .visibility import Visibility


MOST_TERMS = 50


class PublicPageChooserBlock(blocks.PageChooserBlock):
    """Chooses a page; the API tells of it only what anyone may see."""

    def get_api_representation(
        self, value: Any, context: dict[str, Any] | None = None
    ) -> Any:
        if value is None:
            return None
        page = Visibility.for_context(context).find("page", value.pk)
        if page is None:
            return None
        return {"id": page.pk, "title": page.title, "url": page.full_url}


class GlossaryStructBlock(TermStructBlock):
    """One of these blocks: what it shows of itself before it is chosen is the first
    public term or glossary of the site."""

    def get_preview_value(self) -> Any:
        first = PublicTerm.objects.select_related("term", "category").first()
        known = {
            "term": first and first.term,
            "glossary": first and first.term.glossary,
            "category": first and first.category,
        }
        value = self.get_default()
        for name in self.child_blocks:
            if known.get(name):
                value[name] = known[name]
        return value


class TermCardBlock(GlossaryStructBlock):
    """A term with its short definition."""

    term = PublicPageChooserBlock(page_type="glossary.TermPage")

    class Meta:
        icon = "tag"
        label = _("Term")
        description = _("A term of a glossary with its short definition.")
        field_labels = {"term": _("Term")}
        template = "glossary/embedded/term_card.html"


class CategoryTermsBlock(GlossaryStructBlock):
    """The first terms of a category."""

    glossary = PublicPageChooserBlock(page_type="glossary.GlossaryPage")
    category = SnippetChooserBlock("glossary.Category")
    limit = blocks.IntegerBlock(default=10, min_value=1, max_value=MOST_TERMS)

    class Meta:
        icon = "list-ul"
        label = _("Terms of a category")
        description = _("The first terms of a category, and the way to the others.")
        field_labels = {
            "glossary": _("Glossary"),
            "category": _("Category"),
            "limit": _("How many terms"),
        }
        template = "glossary/embedded/category_terms.html"


class GlossarySearchBlock(GlossaryStructBlock):
    """The search field of a glossary."""

    glossary = PublicPageChooserBlock(page_type="glossary.GlossaryPage")

    class Meta:
        icon = "search"
        label = _("Glossary search")
        description = _("A field that searches a glossary and suggests its terms.")
        field_labels = {"glossary": _("Glossary")}
        template = "glossary/embedded/search.html"


class LettersBlock(GlossaryStructBlock):
    """The A to Z of a glossary."""

    glossary = PublicPageChooserBlock(page_type="glossary.GlossaryPage")

    class Meta:
        icon = "order"
        label = _("A to Z")
        description = _("The letters of a glossary, with links to their terms.")
        field_labels = {"glossary": _("Glossary")}
        template = "glossary/embedded/letters.html"
