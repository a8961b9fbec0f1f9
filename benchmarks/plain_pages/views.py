"""The pages of a glossary as a developer would write them in a day, with what Wagtail's
documentation shows: the same models, routing and frame, and templates that ask pages
for what they need.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from wagtail import hooks
from wagtail.models import Page

from glossary.models import Category, GlossaryPage, TermPage


def plain_page(request: HttpRequest, path: str) -> HttpResponse:
    """What Wagtail does to serve a page, with another template."""
    page, args, kwargs = Page.route_for_request(request, path)
    for check in hooks.get_hooks("before_serve_page"):
        answer = check(page, request, args, kwargs)
        if isinstance(answer, HttpResponse):
            return answer
    request.is_preview = False  # type: ignore[attr-defined]
    if isinstance(page, GlossaryPage):
        name, own = "glossary", glossary_context(page)
    else:
        name, own = "term", term_context(page)
    context = page.get_context(request) | own
    return TemplateResponse(request, f"plain_pages/{name}.html", context)


def glossary_context(page: GlossaryPage) -> dict[str, Any]:
    terms = page.get_children().live().public().order_by("title").specific()
    letters = [
        (letter, list(group))
        for letter, group in groupby(terms, lambda term: term.title[:1].upper())
    ]
    categories = Category.objects.filter(locale=page.locale)
    return {"letters": letters, "categories": categories}


def term_context(page: TermPage) -> dict[str, Any]:
    siblings = page.get_siblings(inclusive=False).live().public()
    mentions = TermPage.objects.filter(related_terms__related_term__page=page)
    return {
        "previous": siblings.filter(title__lt=page.title).order_by("title").last(),
        "next": siblings.filter(title__gt=page.title).order_by("title").first(),
        "mentions": mentions.live().public().order_by("title").distinct()[:20],
    }
