from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db.models import F, QuerySet
from django.forms import Select
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.pages import ParentChooserForm
from wagtail.admin.menu import MenuItem
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.ui.tables import Column, LocaleColumn, TitleColumn
from wagtail.admin.ui.tables.pages import ParentPageColumn
from wagtail.admin.views.pages.choose_parent import ChooseParentView
from wagtail.admin.views.pages.create import CreateView
from wagtail.admin.views.pages.listing import ExplorableIndexView, IndexView
from wagtail.admin.viewsets.pages import PageListingViewSet, PageViewSet
from wagtail.admin.widgets.button import (
    BaseButton,
    Button,
    HeaderButton,
    ListingButton,
)
from wagtail.permissions import policy_registry
from wagtail.snippets.views import snippets
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from ..managers import COMPLETE_PARTS
from ..models import Category, GlossaryPage, RelatedTerm, TermPage
from .choosers import RelatedTermChooserViewSet
from .exports import ExportViewSet
from .filters import RelatedTermFilterSet, TermFilterSet, TermsBelowFilterSet
from .forms import RelatedTermForm
from .imports.provenance import TermEditView
from .imports.viewset import ImportViewSet
from .webhooks import WebhookViewSet


# Terms


class TermColumn(Column):
    """A column of what is counted or looked up: the search cannot sort by it."""

    def get_header_context_data(self, parent_context: Any) -> dict[str, Any]:
        context = super().get_header_context_data(parent_context)
        if parent_context.get("is_searching"):
            context["is_orderable"] = False
        return context


def completeness(term: TermPage) -> str:
    return gettext("%(present)d of %(parts)d") % {
        "present": term.completeness,
        "parts": COMPLETE_PARTS,
    }


TERM_COLUMNS = [
    TermColumn("category", label=_("Category"), sort_key="category__name", width="14%"),
    TermColumn(
        "links",
        label=_("Links"),
        accessor="link_count",
        sort_key="link_count",
        width="7%",
    ),
    TermColumn(
        "completeness",
        label=_("Completeness"),
        accessor=completeness,
        sort_key="completeness",
        width="10%",
    ),
]


def with_term_columns(columns: list[Column]) -> list[Column]:
    """The columns of a page listing with those of a term behind the title."""
    names = [column.name for column in columns]
    behind_title = names.index("title") + 1
    return [*columns[:behind_title], *TERM_COLUMNS, *columns[behind_title:]]


def is_of_term_column(ordering: str) -> bool:
    return ordering.lstrip("-") in {column.sort_key for column in TERM_COLUMNS}


class TermListingMixin:
    """What both listings of terms have in common."""

    list_export: ClassVar = [
        "title",
        "slug",
        "heading",
        "short_definition",
        "category",
        "tag_names",
        "label_texts",
        "link_count",
        "completeness",
        "status_string",
        "locale",
        "latest_revision_created_at",
        "full_url",
    ]
    export_headings: ClassVar = {
        "tag_names": _("Tags"),
        "label_texts": _("Labels"),
        "link_count": _("Links"),
        "completeness": _("Completeness"),
        "status_string": _("Status"),
        "latest_revision_created_at": _("Updated"),
        "full_url": _("Address"),
        "_parent_page": _("Glossary"),
    }
    export_filename = "terms"

    def annotate_queryset(self, pages: QuerySet[TermPage]) -> QuerySet[TermPage]:
        pages = super().annotate_queryset(pages).with_link_count().with_completeness()
        # Pages become specific after joins were made, so these are looked up behind.
        pages = pages.prefetch_related("category")
        if self.is_export:
            pages = pages.prefetch_related("tagged_items__tag", "labels")
        return pages

    def to_row_dict(self, item: TermPage) -> dict[str, Any]:
        item.tag_names = ", ".join(link.tag.name for link in item.tagged_items.all())
        item.label_texts = ", ".join(label.text for label in item.labels.all())
        return super().to_row_dict(item)

    def get_valid_orderings(self) -> list[str]:
        orderings = super().get_valid_orderings()
        if self.is_searching:
            return [name for name in orderings if not is_of_term_column(name)]
        return orderings

    def order_queryset(self, queryset: QuerySet[TermPage]) -> QuerySet[TermPage]:
        queryset = super().order_queryset(queryset)
        if is_of_term_column(self.ordering or ""):
            # Pages of a listing need an order in which no two are equal.
            field = F(self.ordering.lstrip("-"))
            is_down = self.ordering.startswith("-")
            first = (field.desc if is_down else field.asc)(nulls_last=True)
            return queryset.order_by(first, "title", "pk")
        return queryset

    def filter_queryset(self, queryset: QuerySet[TermPage]) -> QuerySet[TermPage]:
        filtered = super().filter_queryset(queryset)
        if self.is_searching and self.is_filtering:
            # The search knows few of the fields that the filters use.
            return queryset.filter(pk__in=filtered.order_by().values("pk"))
        return filtered


class TermIndexView(TermListingMixin, IndexView):
    page_title = _("Terms")
    default_ordering = "title"
    base_columns: ClassVar = [
        ParentPageColumn("parent", label=_("Glossary"), width="14%")
        if column.name == "parent"
        else column
        for column in with_term_columns(IndexView.base_columns)
    ]
    list_export: ClassVar = [*TermListingMixin.list_export, "_parent_page"]


class TermExplorerView(TermListingMixin, ExplorableIndexView):
    default_ordering = "title"
    base_columns: ClassVar = with_term_columns(
        [column for column in ExplorableIndexView.base_columns if column.name != "type"]
    )


class ChooseGlossaryView(ChooseParentView):
    """Where to add a term. A site's own types of term are offered next, if any."""

    page_title = _("Choose a glossary")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        parents = self.get_valid_parent_pages(request.user)[:2]
        if len(parents) == 1:
            return redirect("wagtailadmin_pages:add_subpage", parents[0].pk)
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: ParentChooserForm) -> HttpResponse:
        glossary = form.cleaned_data["parent_page"]
        return redirect("wagtailadmin_pages:add_subpage", glossary.pk)


class TermsMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return policy_registry.get_by_type(TermPage).user_has_any_permission(
            request.user, TermIndexView.any_permission_required
        )


class TermListingViewSet(PageListingViewSet):
    """All terms of all glossaries that the user may see, in one listing."""

    model = TermPage
    index_view_class = TermIndexView
    choose_parent_view_class = ChooseGlossaryView
    menu_item_class = TermsMenuItem
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
    filterset_class = TermsBelowFilterSet
    add_view_class = TermCreateView
    edit_view_class = TermEditView
    icon = "openquote"


term_page_viewset = TermPageViewSet("glossary_term_page")


# Categories


def terms_url(category: Category) -> str | None:
    if not category.term_count:
        return None
    return f"{reverse('glossary_terms:index')}?{urlencode({'category': category.pk})}"


class CategoryIndexView(snippets.IndexView):
    def get_base_queryset(self) -> QuerySet[Category]:
        return super().get_base_queryset().with_term_count().select_related("locale")

    @cached_property
    def columns(self) -> list[Column]:
        columns = super().columns
        return [*columns, LocaleColumn()] if self.i18n_enabled else columns


class CategoryViewSet(SnippetViewSet):
    model = Category
    index_view_class = CategoryIndexView
    icon = "folder-open-inverse"
    menu_label = _("Categories")
    menu_order = 200
    list_display: ClassVar = [
        "name",
        "slug",
        TitleColumn(
            "term_count",
            label=_("Terms"),
            get_url=terms_url,
            sort_key="term_count",
            width="10%",
        ),
    ]
    list_export: ClassVar = ["name", "slug", "description", "locale", "term_count"]
    export_headings: ClassVar = {"term_count": _("Terms")}
    export_filename = "categories"
    search_fields: ClassVar = ["name", "slug", "description"]
    # The few there are need no search index, and can so be sorted by their terms.
    search_backend_name = None
    sort_order_field = "sort_order"
    ordering = "sort_order"
    copy_view_enabled = False


# Related terms


def page_column(related_term: RelatedTerm) -> str:
    """Whether a related term has a page; if not, how many terms wait for it."""
    if not related_term.is_wanted:
        return gettext("has a page")
    has_draft = related_term.page_id is not None
    count = related_term.wanted_by
    if not count:
        return gettext("has a draft") if has_draft else gettext("no page")
    wanted = ngettext("wanted by %(count)d term", "wanted by %(count)d terms", count)
    wanted %= {"count": count}
    if has_draft:
        return gettext("has a draft, %(wanted)s") % {"wanted": wanted}
    return wanted


def term_model(glossary: GlossaryPage) -> type[TermPage] | None:
    """The type of term to add to a glossary."""
    models = [
        model
        for model in glossary.specific_class.creatable_subpage_models()
        if issubclass(model, TermPage)
    ]
    return TermPage if TermPage in models else next(iter(models), None)


def page_button(
    related_term: RelatedTerm,
    user: Any,
    *,
    write: type[BaseButton],
    edit: type[BaseButton],
) -> BaseButton | None:
    """Leads to where the page of a related term is written, its name and slug filled
    in, or changed; None if the user may not."""
    page, glossary = related_term.page, related_term.glossary
    if page is not None:
        if not page.permissions_for_user(user).can_edit():
            return None
        url = reverse("wagtailadmin_pages:edit", args=[page.pk])
        return edit(_("Edit the page"), url=url, icon_name="doc-empty", priority=5)
    model = term_model(glossary)
    if model is None or not glossary.permissions_for_user(user).can_add_subpage():
        return None
    url = reverse(
        "wagtailadmin_pages:add",
        args=[model._meta.app_label, model._meta.model_name, glossary.pk],
    )
    filled_in = urlencode({"title": related_term.name, "slug": related_term.slug})
    return write(
        _("Write this term"), url=f"{url}?{filled_in}", icon_name="plus", priority=5
    )


class RelatedTermIndexView(snippets.IndexView):
    def get_base_queryset(self) -> QuerySet[RelatedTerm]:
        related_terms = super().get_base_queryset().most_wanted()
        return related_terms.select_related("page", "glossary", "locale")

    def order_queryset(self, queryset: QuerySet[RelatedTerm]) -> QuerySet[RelatedTerm]:
        if self.ordering:
            return queryset.order_by(self.ordering, "name", "pk")
        return super().order_queryset(queryset)

    @cached_property
    def columns(self) -> list[Column]:
        columns = super().columns
        if getattr(settings, "WAGTAIL_I18N_ENABLED", False):
            return [*columns, LocaleColumn()]
        return columns

    def get_list_more_buttons(self, instance: RelatedTerm) -> list[Any]:
        buttons = super().get_list_more_buttons(instance)
        user = self.request.user
        if button := page_button(instance, user, write=ListingButton, edit=Button):
            buttons.insert(0, button)
        return buttons


class RelatedTermEditView(snippets.EditView):
    @cached_property
    def header_buttons(self) -> list[BaseButton]:
        user = self.request.user
        button = page_button(self.object, user, write=HeaderButton, edit=HeaderButton)
        return [button] if button else []


class RelatedTermViewSet(SnippetViewSet):
    model = RelatedTerm
    index_view_class = RelatedTermIndexView
    edit_view_class = RelatedTermEditView
    chooser_viewset_class = RelatedTermChooserViewSet
    filterset_class = RelatedTermFilterSet
    edit_handler = ObjectList(
        [
            FieldPanel("name"),
            FieldPanel("slug"),
            FieldPanel("glossary", widget=Select),
        ],
        base_form_class=RelatedTermForm,
    )
    icon = "link"
    menu_label = _("Related terms")
    menu_order = 300
    list_display: ClassVar = [
        "name",
        "slug",
        Column("page", label=_("Page"), accessor=page_column),
        Column("wanted_by", label=_("Linked from"), sort_key="wanted_by", width="10%"),
        Column("glossary", label=_("Glossary"), sort_key="glossary__title"),
    ]
    list_export: ClassVar = [
        "name",
        "slug",
        "glossary",
        "locale",
        "is_wanted",
        "wanted_by",
    ]
    export_headings: ClassVar = {
        "is_wanted": _("Wanted"),
        "wanted_by": _("Linked from"),
    }
    export_filename = "related-terms"
    search_fields: ClassVar = ["name", "slug"]
    # The database can also sort what it finds by how much it is wanted.
    search_backend_name = None
    copy_view_enabled = False


class GlossaryGroup(SnippetViewSetGroup):
    menu_label = _("Glossary")
    menu_name = "glossary"
    menu_icon = "openquote"
    menu_order = 250
    items = (
        TermListingViewSet,
        CategoryViewSet,
        RelatedTermViewSet,
        ImportViewSet,
        ExportViewSet,
        WebhookViewSet,
    )
