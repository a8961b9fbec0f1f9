"""Whether the reference index and the search index say what is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils.translation import gettext as _
from wagtail.models import ReferenceIndex
from wagtail.search import index
from wagtail.search.backends import get_search_backends_with_name
from wagtail.search.backends.base import BaseIndex

from ...models import TermPage
from ..bulk.references import extract_references, index_references
from ..bulk.search import index_for_search
from ..pages import load_rows
from .findings import Check, Findings


def load_by_type(ids: Collection[int]) -> list[list[TermPage]]:
    """The terms with their rows, those of one class together."""
    terms = list(TermPage.objects.filter(pk__in=ids).specific().order_by("pk"))
    load_rows(terms)
    by_type: dict[type, list[TermPage]] = defaultdict(list)
    for term in terms:
        by_type[type(term)].append(term)
    return list(by_type.values())


def check_references(objects: Sequence[Model], findings: Findings) -> None:
    """The reference index says what saved objects of one class refer to."""
    if not objects or not ReferenceIndex.is_indexed(type(objects[0])):
        return
    model = type(objects[0])
    get_type = ContentType.objects.get_for_model
    # What was found under a more specific class is not ours to judge.
    models = [model, *model._meta.get_parent_list()]
    types = [get_type(each, for_concrete_model=False).pk for each in models]
    rows = ReferenceIndex.objects.filter(
        base_content_type=types[-1],
        content_type__in=types,
        object_id__in=[str(each.pk) for each in objects],
    )
    stored: dict[str, set[Any]] = defaultdict(set)
    for object_id, *reference in rows.values_list(
        *("object_id", "to_content_type_id", "to_object_id"),
        *("model_path", "content_path"),
    ):
        stored[object_id].add(tuple(reference))
    found = zip(objects, extract_references(objects), strict=True)
    wrong: list[Any] = [
        each for each, references in found if references != stored[str(each.pk)]
    ]
    for each in wrong:
        findings.add(
            *(Check.REFERENCES, each.slug),
            _("The reference index does not say what it refers to."),
            _("Its references are indexed anew."),
        )
    if findings.fix:
        index_references(wrong)


def check_search(objects: Sequence[Any], findings: Findings) -> None:
    """Search finds saved objects of one class. Backends that are not in the database
    cannot be compared; with ``fix`` they are given every object."""
    if not objects or not index.class_is_indexed(type(objects[0])):
        return
    model = type(objects[0])
    ids = [each.pk for each in objects]
    indexed = model.get_indexed_objects().filter(pk__in=ids).order_by()
    wanted = set(indexed.values_list("pk", flat=True))
    wrong: dict[int, Any] = {}
    for _name, backend in get_search_backends_with_name(with_auto_update=True):
        search_index = backend.get_index_for_model(model)
        entries = getattr(search_index, "entries", None)
        if entries is None:
            if findings.fix and type(search_index) is not BaseIndex:
                backend.add_bulk(model, [each for each in objects if each.pk in wanted])
            continue
        titles = _indexed_titles(entries, model, ids)
        for each in objects:
            if each.pk not in wrong and (
                problem := _search_problem(each, titles, is_wanted=each.pk in wanted)
            ):
                wrong[each.pk] = each
                remedy = _("It is indexed anew.")
                findings.add(Check.SEARCH, each.slug, problem, remedy)
    if findings.fix:
        index_for_search(list(wrong.values()))


def _indexed_titles(entries: Any, model: type, ids: Sequence[int]) -> dict[str, str]:
    """The titles of the entries of these objects, by their ids."""
    # PostgreSQL has words in the column "title".
    names = {each.name for each in entries.model._meta.get_fields()}
    title = "title_text" if "title_text" in names else "title"
    content_type = ContentType.objects.get_for_model(model)
    found = entries.filter(content_type=content_type, object_id__in=map(str, ids))
    return dict(found.values_list("object_id", title))


def _search_problem(
    instance: Any, titles: Mapping[str, str], *, is_wanted: bool
) -> str | None:
    pk = str(instance.pk)
    if is_wanted and pk not in titles:
        return _("The search index does not have it.")
    if not is_wanted and pk in titles:
        return _("The search index has it, and should not.")
    # A related term has its name in the body of its entry.
    if is_wanted and getattr(instance, "title", "").strip() not in titles[pk]:
        return _("The search index has it under another title.")
    return None
