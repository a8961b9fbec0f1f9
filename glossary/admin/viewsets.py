from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, LocaleColumn
from wagtail.admin.views.pages.create import CreateView
from wagtail.admin.views.pages.listing import ExplorableIndexView, IndexView
from wagtail.admin.viewsets.pages import PageListingViewSet, PageViewSet
from wagtail.admin.widgets.button import ListingButton
from wagtail.snippets.views import snippets
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from ..managers import COMPLETE_PARTS
from ..models import Category, RelatedTerm, TermPage
from .choosers import RelatedTermChooserViewSet, page_state
from .filters import RelatedTermFilterSet, TermFilterSet


def completeness(term: TermPage) -> str:
    return gettext("%(present)d of %(parts)d") % {
        "present": term.completeness,
        "parts": COMPLETE_PARTS,
    }


TERM_COLUMNS = [
    Column(
        "category", label=_("Category"), accessor="category", sort_key="category__name"
    ),
    Column("links", label=_("Links"), accessor="link_count", sort_key="link_count"),
    Column(
        "completeness",
        label=_("Completeness"),
        accessor=completeness,
        sort_key="completeness",
    ),
]


def with_term_columns(columns: list[Column]) -> list[Column]:
    """The columns of a page listing with those of a term behind the title."""
    names = [column.name for column in columns]
    behind_title = names.index("title") + 1
    return [*columns[:behind_title], *TERM_COLUMNS, *columns[behind_title:]]


class TermListingMixin:
    model = TermPage
    list_export: ClassVar = [
        "title",
        "slug",
        "category",
        "short_definition",
        "live",
        "locale",
        "link_count",
        "completeness",
        "latest_revision_created_at",
        "full_url",
    ]
    export_filename = "terms"

    def annotate_queryset(self, pages: QuerySet[TermPage]) -> QuerySet[TermPage]:
        pages = super().annotate_queryset(pages)
        return (
            pages.select_related("category", "locale")
            .with_link_count()
            .with_completeness()
        )


class TermIndexView(TermListingMixin, IndexView):
    page_title = _("Terms")
    default_ordering = "title"
    base_columns: ClassVar = with_term_columns(IndexView.base_columns)


class TermExplorerView(TermListingMixin, ExplorableIndexView):
    base_columns: ClassVar = with_term_columns(
        [column for column in ExplorableIndexView.base_columns if column.name != "type"]
    )


class TermListingViewSet(PageListingViewSet):
    """All terms of all glossaries that the user may see, in one listing."""

    model = TermPage
    index_view_class = TermIndexView
    filterset_class = TermFilterSet
    icon = "openquote"
    menu_label = _("Terms")
    menu_order = 100
    url_prefix = "glossary/terms"
    url_namespace = "glossary_terms"
    add_to_admin_menu = False


class TermCreateView(CreateView):
    """A new term starts with the category of its glossary, and with the name and slug
    of the wanted term that it is written for."""

    def get(self, request: HttpRequest) -> HttpResponse:
        self.page.title = request.GET.get("title", "")[:255]
        self.page.slug = request.GET.get("slug", "")[:255]
        self.page.category = self.parent_page.default_category
        return super().get(request)


class TermPageViewSet(PageViewSet):
    """Terms below their glossary in the page explorer."""

    model = TermPage
    index_view_class = TermExplorerView
    filterset_class = TermFilterSet
    add_view_class = TermCreateView
    icon = "openquote"


class CategoryIndexView(snippets.IndexView):
    def get_base_queryset(self) -> QuerySet[Category]:
        return super().get_base_queryset().with_term_count()


class CategoryViewSet(SnippetViewSet):
    model = Category
    index_view_class = CategoryIndexView
    icon = "folder-open-inverse"
    menu_label = _("Categories")
    menu_order = 200
    list_display: ClassVar = [
        "name",
        "slug",
        Column("term_count", label=_("Terms"), accessor="term_count"),
    ]
    list_export: ClassVar = ["name", "slug", "description", "locale", "term_count"]
    sort_order_field = "sort_order"
    ordering = "sort_order"
    copy_view_enabled = False


def wanted_by(related_term: RelatedTerm) -> str:
    """Whether a related term has a page; if not, how many terms wait for it."""
    if not related_term.is_wanted:
        return page_state(related_term)
    count = related_term.wanted_by
    return ngettext("wanted by %(count)d term", "wanted by %(count)d terms", count) % {
        "count": count
    }


class RelatedTermIndexView(snippets.IndexView):
    def get_base_queryset(self) -> QuerySet[RelatedTerm]:
        return (
            super()
            .get_base_queryset()
            .select_related("page", "glossary", "locale")
            .most_wanted()
        )

    def get_list_more_buttons(self, instance: RelatedTerm) -> list[Any]:
        buttons = super().get_list_more_buttons(instance)
        if add_url := add_page_url(instance, self.request.user):
            buttons.insert(
                0,
                ListingButton(
                    _("Write this term"), url=add_url, icon_name="plus", priority=5
                ),
            )
        return buttons


def add_page_url(related_term: RelatedTerm, user: Any) -> str | None:
    """Where to write the page of a wanted term, its name and slug filled in; None if
    it has one, or the user may not add one."""
    glossary = related_term.glossary
    if (
        related_term.page_id
        or not glossary.permissions_for_user(user).can_add_subpage()
    ):
        return None
    url = reverse(
        "wagtailadmin_pages:add",
        args=(TermPage._meta.app_label, TermPage._meta.model_name, glossary.pk),
    )
    return f"{url}?{urlencode({'title': related_term.name, 'slug': related_term.slug})}"


class RelatedTermViewSet(SnippetViewSet):
    model = RelatedTerm
    index_view_class = RelatedTermIndexView
    chooser_viewset_class = RelatedTermChooserViewSet
    filterset_class = RelatedTermFilterSet
    icon = "link"
    menu_label = _("Related terms")
    menu_order = 300
    list_display: ClassVar = [
        "name",
        "slug",
        Column("wanted_by", label=_("Page"), accessor=wanted_by, sort_key="wanted_by"),
        Column("glossary", label=_("Glossary"), accessor="glossary"),
        LocaleColumn(),
    ]
    list_export: ClassVar = ["name", "slug", "glossary", "locale", "wanted_by"]
    copy_view_enabled = False


class GlossaryGroup(SnippetViewSetGroup):
    menu_label = _("Glossary")
    menu_name = "glossary"
    menu_icon = "openquote"
    menu_order = 250
    items = (TermListingViewSet, CategoryViewSet, RelatedTermViewSet)


term_page_viewset = TermPageViewSet("glossary_term_page")
