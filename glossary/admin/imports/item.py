"""One term of a run: what differs, side by side, or what a new term will say."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import HeaderButton

from ...conf import field_map
from ...content import Content, payload_content
from ...importing.report import OUTCOME_LABELS, TROUBLE, Outcome
from ...models import ImportItem
from ...payload.field_map import FieldMap
from ...payload.schema import SchemaError, parse_term
from ...payload.sources import record_from_raw
from ...payload.values import PayloadError
from .access import ItemMixin, may_edit, may_see_text
from .differences import content_rows, differences
from .run import item_title, remarks_of
from .runs import run_title


class ItemView(ItemMixin, WagtailAdminTemplateMixin, TemplateView):
    template_name = "glossary/admin/imports/item.html"
    header_icon = "openquote"

    def get_page_title(self) -> str:
        return item_title(self.item)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        run_url = reverse("glossary_imports:run", args=[self.run.pk])
        return [
            *self.breadcrumbs_items,
            {"url": reverse("glossary_imports:index"), "label": _("Imports")},
            {"url": run_url, "label": run_title(self.run)},
            {"url": "", "label": self.get_page_title()},
        ]

    @property
    def header_buttons(self) -> list[HeaderButton]:
        page = self.item.page
        if page is None or not may_edit(self.request.user, page):
            return []
        url = reverse("wagtailadmin_pages:edit", args=[page.pk])
        return [HeaderButton(_("Edit the page"), url=url, icon_name="edit")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        item = self.item
        is_shown = may_see_text(self.request.user, item)
        is_new = item.outcome == Outcome.CREATE
        content = content_of(item) if is_new else None
        context.update(
            item=item,
            run=self.run,
            run_title=run_title(self.run),
            outcome=OUTCOME_LABELS.get(item.outcome, item.outcome),
            is_trouble=item.outcome in TROUBLE,
            remarks=remarks_of(item),
            is_shown=is_shown,
            is_new=is_new,
            is_expired=is_new and content is None,
            content=content_rows(content) if content else [],
            differences=differences(item.changes) if is_shown else [],
            # A term may be one of many: the way to the next spares the list.
            before=self._beside("-position", position__lt=item.position),
            after=self._beside("position", position__gt=item.position),
        )
        return context

    def _beside(self, order: str, **where: Any) -> dict[str, str] | None:
        items = self.run.items.filter(outcome=self.item.outcome, **where)
        item = items.only("pk", "title", "key", "place").order_by(order).first()
        if item is None:
            return None
        url = reverse("glossary_imports:item", args=[item.pk])
        return {"url": url, "title": item_title(item)}


def content_of(item: ImportItem) -> Content | None:
    """What the payload of an item says; None where it is no longer kept."""
    payload = item.payload
    if payload is None:
        return None
    data = item.run.options.get("map") or field_map()
    try:
        found = record_from_raw(
            payload.raw,
            payload.form,
            source=item.place,
            slug=item.key or None,
            field_map=FieldMap.from_dict(data) if data else None,
        )
        if found.record is None:
            return None
        return payload_content(parse_term(found.record).term)
    except (PayloadError, SchemaError, ValueError):
        # It was read once; a field map may have changed since.
        return None
