"""Whether pages stand in the tree where they say."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import swapper
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, QuerySet
from django.db.models.functions import Length, Substr
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...models import TermPage
from .findings import Check, Findings


_LABELS = {
    "depth": gettext_lazy("depth in the tree"),
    "numchild": gettext_lazy("number of children"),
    "url_path": gettext_lazy("path in addresses"),
}


@dataclass(slots=True)
class Tree:
    """Checks depths, numbers of children and paths in addresses, some pages at a time.

    What only a person should decide is left to Wagtail's ``fixtree``.
    """

    nodes: QuerySet[Any]
    """A page with all pages below it."""
    findings: Findings
    _children: dict[str, int] = field(init=False)
    _url_paths: dict[str, str] = field(default_factory=dict)
    """As they should be, of pages that have children."""

    def __post_init__(self) -> None:
        self._children = _numbers_of_children(self.nodes)

    def check(self, ids: Collection[int]) -> None:
        """Check some pages; those above them have been checked before."""
        Page = swapper.load_model("wagtailcore", "Page")
        steplen = Page.steplen
        nodes = list(Page.objects.filter(pk__in=ids).order_by("path"))
        unknown = {node.path[:-steplen] for node in nodes} - self._url_paths.keys()
        parents = Page.objects.filter(path__in=unknown).values_list("path", "url_path")
        known = {**dict(parents), **self._url_paths}
        changed = []
        for node in nodes:
            above = known.get(node.path[:-steplen])
            if above is None or len(node.path) % steplen:
                self.findings.add_by_hand(
                    *(Check.TREE, node.slug),
                    _("The page stands under none in the tree."),
                    _("Run fixtree."),
                )
                continue
            if self._set(node, f"{above}{node.slug}/"):
                changed.append(node)
            if node.path in self._children:
                self._url_paths[node.path] = known[node.path] = node.url_path
        if self.findings.fix and changed:
            Page.objects.bulk_update(changed, ["depth", "numchild", "url_path"])
        _check_rows_of_type(nodes, self.findings)

    def _set(self, node: Any, url_path: str) -> bool:
        """Let a page in memory say where it stands; whether it did not."""
        due = {
            "depth": len(node.path) // node.steplen,
            "numchild": self._children.get(node.path, 0),
            "url_path": url_path,
        }
        if due["numchild"] != node.numchild and self.findings.fix:
            # Its row is locked by now, so that nobody can add another.
            below = _numbers_of_children(self.nodes.filter(path__gt=node.path))
            due["numchild"] = below.get(node.path, 0)
        differing = [name for name in due if getattr(node, name) != due[name]]
        for name in differing:
            self.findings.add(
                *(Check.TREE, node.slug),
                _("Its %(field)s is %(value)s.")
                % {"field": _LABELS[name], "value": getattr(node, name)},
                _("It becomes %(value)s.") % {"value": due[name]},
            )
            setattr(node, name, due[name])
        return bool(differing)


def _numbers_of_children(nodes: QuerySet[Any]) -> dict[str, int]:
    """By the path of each page that has any."""
    parent_path = Substr("path", 1, Length("path") - TermPage.steplen)
    counted = nodes.annotate(parent_path=parent_path).values_list("parent_path")
    return dict(counted.annotate(count=Count("pk")).order_by())


def _check_rows_of_type(nodes: Sequence[Any], findings: Findings) -> None:
    """Each page that is said to be a term is one."""
    get_type = ContentType.objects.get_for_id
    said = {
        node.pk: node
        for node in nodes
        if issubclass(get_type(node.content_type_id).model_class() or object, TermPage)
    }
    there = TermPage.objects.filter(pk__in=said).values_list("pk", flat=True)
    for pk in said.keys() - set(there):
        findings.add_by_hand(
            *(Check.TREE, said[pk].slug),
            _("The page has lost its content."),
            _("Restore it from a backup, or let fixtree delete it."),
        )
