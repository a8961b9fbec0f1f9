from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import ngettext
from wagtail.admin import messages
from wagtail.models import ReferenceIndex, get_page_models

from ..models import Category, RelatedTerm, TermPage


def refuse_if_in_use(
    request: HttpRequest, instances: Sequence[Any]
) -> HttpResponse | None:
    """Back to the list, with a reason, if a term needs one of the instances.

    The database would refuse most of them as well, but with an error page. It would
    not refuse one that only comparisons name.
    """
    used = {instance: count for instance in instances if (count := _uses(instance))}
    if not used:
        return None
    for instance, count in used.items():
        message = ngettext(
            "“%(name)s” cannot be deleted: %(count)d term uses it.",
            "“%(name)s” cannot be deleted: %(count)d terms use it.",
            count,
        )
        messages.error(request, message % {"name": instance, "count": count})
    return redirect(type(instances[0]).snippet_viewset.get_url_name("list"))


def _uses(instance: Any) -> int:
    """How many terms need it."""
    if isinstance(instance, Category):
        return instance.terms.count()
    if isinstance(instance, RelatedTerm):
        linking = set(instance.links.values_list("term_id", flat=True))
        models = [model for model in get_page_models() if issubclass(model, TermPage)]
        naming = ReferenceIndex.get_references_to(instance).filter(
            content_type__in=ContentType.objects.get_for_models(*models).values()
        )
        return len(linking.union(int(reference.object_id) for reference in naming))
    return 0
