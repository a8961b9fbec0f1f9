from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import swapper
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.forms import Select
from django.http import Http404
from django.utils.functional import cached_property, classproperty
from django.utils.translation import gettext_lazy as _
from modelcluster.contrib.taggit import ClusterTaggableManager
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    MultiFieldPanel,
    ObjectList,
    TabbedInterface,
)
from wagtail.api import APIField
from wagtail.models import COMMENTS_RELATION_NAME, get_page_models
from wagtail.search import index
from wagtail.url_routing import RouteResult

from ..addresses import MISSING, Address, read_address
from ..blocks import (
    ComparisonsBlock,
    ExplanationBlock,
    FeaturesBlock,
    QuestionsBlock,
)
from ..conf import index_is_transactional
from ..fields import ProseField, TermStreamField
from ..forms import (
    GlossaryPageForm,
    LabelFormSet,
    LinkFormSet,
    TermPageForm,
    check_labels,
    check_links,
)
from ..managers import TermPageManager
from ..panels import GlossaryPanel, RowsPanel
from ..serializers import CategoryField, LinksField, PublicRichTextField, TagsField
from ..signals import term_previewed, terms_will_be_written, terms_written
from .relations import TermLink
from .sitemaps import is_indexed
from .snippets import Category, RelatedTerm


if TYPE_CHECKING:
    from django.http import HttpRequest


# A site may replace Wagtail's base page. Its name is known before its class is ready.
swapper.set_app_prefix("wagtailcore", "wagtail")
PAGE_MODEL = swapper.get_model_name("wagtailcore", "Page")
Page = swapper.load_model("wagtailcore", "Page", require_ready=False)


INTRODUCTION_FEATURES = ["bold", "italic", "link", "ol", "ul"]


# What Wagtail writes to a page when it keeps a draft: nothing that readers see.
DRAFT_FIELDS = frozenset(
    {
        COMMENTS_RELATION_NAME,
        "draft_title",
        "expire_at",
        "go_live_at",
        "has_unpublished_changes",
        "latest_revision",
        "latest_revision_created_at",
        "locked",
        "locked_at",
        "locked_by",
        "numchild",
    }
)

_being_saved: ContextVar[tuple[TermPage, ...]] = ContextVar("being_saved", default=())


def is_being_saved(term_id: int) -> bool:
    """Whether a term is being saved with its rows, and will tell so when it is done."""
    # One that is new gets its id on the way.
    return any(term.pk == term_id for term in _being_saved.get())


@contextmanager
def saving(term: TermPage) -> Iterator[None]:
    token = _being_saved.set((*_being_saved.get(), term))
    try:
        yield
    finally:
        _being_saved.reset(token)


def with_fallback(own: str, model: type) -> str | list[str]:
    """A subclass may have a template of its own; without one it takes ours."""
    return own if own == model.template else [own, model.template]


class GlossaryPage(Page):
    """A glossary: the index of its terms."""

    page_ptr = models.OneToOneField(
        PAGE_MODEL,
        parent_link=True,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    introduction = ProseField(
        verbose_name=_("introduction"),
        blank=True,
        features=INTRODUCTION_FEATURES,
        help_text=_(
            "What the glossary covers and for whom, in two or three sentences."
        ),
    )
    default_category = models.ForeignKey(
        Category,
        verbose_name=_("category of new terms"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("A new term starts with this category."),
    )
    feature_base_url = models.URLField(
        verbose_name=_("address of the features"),
        blank=True,
        help_text=_(
            "Paths of related features are read from here, for example "
            "https://www.example.com/. Left empty, from the root of this site."
        ),
    )
    licence_url = models.URLField(
        verbose_name=_("address of the licence"),
        blank=True,
        help_text=_("The licence of the texts, for readers and search engines."),
    )

    base_form_class = GlossaryPageForm
    template = "glossary/glossary_page.html"
    subpage_types = ["glossary.TermPage"]

    content_panels = [*Page.content_panels, FieldPanel("introduction")]
    defaults_panels = [
        FieldPanel("default_category", widget=Select),
        FieldPanel("feature_base_url"),
        FieldPanel("licence_url"),
    ]

    search_fields = [*Page.search_fields, index.SearchField("introduction")]

    api_fields = [
        APIField(
            "introduction",
            serializer=PublicRichTextField(features=INTRODUCTION_FEATURES),
        ),
        APIField("introduction", writable=True),
        APIField("feature_base_url", writable=True),
        APIField("licence_url", writable=True),
    ]

    class Meta:
        verbose_name = _("glossary")
        verbose_name_plural = _("glossaries")

    @classproperty
    def edit_handler(cls) -> TabbedInterface:
        return TabbedInterface(
            [
                ObjectList(cls.content_panels, heading=_("Content")),
                ObjectList(cls.defaults_panels, heading=_("Defaults")),
                ObjectList(cls.promote_panels, heading=_("Promote")),
                ObjectList(cls.settings_panels, heading=_("Settings")),
            ]
        )

    @classmethod
    def clean_subpage_models(cls) -> list[type]:
        # A type that is listed stands for a site's own subclasses of it as well.
        listed = tuple(super().clean_subpage_models())
        return [model for model in get_page_models() if issubclass(model, listed)]

    def get_template(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> str | list[str]:
        return with_fallback(
            super().get_template(request, *args, **kwargs), GlossaryPage
        )

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """The page itself, a term below it, or an ``address`` of its own that
        ``site.views`` serves: also one for a term that is not there."""
        if self.live and (address := read_address(path_components)):
            return RouteResult(self, kwargs={"address": address})
        try:
            return self._route_to_term(request, path_components)
        except Http404:
            # An API that asks where a path leads is to hear that it leads nowhere.
            resolved = getattr(request, "resolver_match", None)
            is_visit = resolved is not None and resolved.url_name == "wagtail_serve"
            if not (self.live and path_components and is_visit):
                raise
            address = Address(MISSING, path_components[-1])
            return RouteResult(self, kwargs={"address": address})

    def _route_to_term(
        self, request: HttpRequest, path_components: list[str]
    ) -> RouteResult:
        """As Wagtail does it, but by one query for what is a term and nothing more."""
        if len(path_components) == 1:
            terms = TermPage.objects.child_of(self).filter(slug=path_components[0])
            term = terms.first()
            if term is not None and term.specific_class is TermPage:
                term._cached_parent_obj = self
                return term.route(request, [])
        return super().route(request, path_components)

    def get_cached_paths(self) -> list[str]:
        paths = ("/index.md", "/card.png", "/feed.atom", "/llms.txt", "/llms-full.txt")
        return [*super().get_cached_paths(), *paths]

    def get_sitemap_urls(
        self, request: HttpRequest | None = None
    ) -> list[dict[str, Any]]:
        urls = super().get_sitemap_urls(request)
        return [{**url, "lastmod": self.last_published_at} for url in urls]

    @property
    def terms(self) -> models.QuerySet[TermPage]:
        """All of its terms, published or not."""
        return TermPage.objects.in_glossary(self)

    def feature_url(self, path: str) -> str:
        """The address of a related feature; a full address stays as it is."""
        return urljoin(self.feature_base_url or "/", path)


class TermPage(Page):
    """A term of a glossary."""

    page_ptr = models.OneToOneField(
        PAGE_MODEL,
        parent_link=True,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    heading = models.CharField(
        verbose_name=_("heading"),
        max_length=255,
        blank=True,
        help_text=_(
            "The headline of the page, often a question. Left empty, the term itself."
        ),
    )
    short_definition = models.TextField(
        verbose_name=_("short definition"),
        help_text=_(
            "One or two sentences that can stand alone: what it is first, then what "
            "sets it apart. Shown in lists, previews and search results."
        ),
    )
    explanation = TermStreamField(
        ExplanationBlock(),
        verbose_name=_("explanation"),
        blank=True,
        help_text=_("The text, in sections. Most terms need two or three."),
    )
    comparisons = TermStreamField(
        ComparisonsBlock(),
        verbose_name=_("comparisons"),
        blank=True,
        help_text=_("Concepts that readers confuse with this one."),
    )
    faq = TermStreamField(
        QuestionsBlock(),
        verbose_name=_("questions"),
        blank=True,
        help_text=_("Questions that the text above leaves open."),
    )
    related_features = TermStreamField(
        FeaturesBlock(),
        verbose_name=_("related features"),
        blank=True,
        help_text=_("Where the reader can see the term at work."),
    )
    payload_extra = models.JSONField(
        verbose_name=_("further fields of the payload"),
        default=dict,
        blank=True,
        editable=False,
    )

    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        # As for TermLink.related_term.
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="terms",
    )
    tags = ClusterTaggableManager(
        through="glossary.TermTag", verbose_name=_("tags"), blank=True
    )

    objects = TermPageManager()

    # Set by a form that checks its own rows of links and labels.
    rows_are_checked = False

    base_form_class = TermPageForm
    template = "glossary/term_page.html"
    parent_page_types = ["glossary.GlossaryPage"]
    subpage_types: list[str] = []

    content_panels = [
        *Page.content_panels,
        GlossaryPanel(),
        FieldPanel("heading"),
        FieldPanel("short_definition"),
        FieldPanel("explanation"),
        FieldPanel("comparisons"),
        FieldPanel("faq"),
        FieldPanel("related_features"),
    ]
    relations_panels = [
        MultiFieldPanel(
            [
                FieldPanel(
                    "category",
                    widget=Select,
                    help_text=_(
                        "Readers browse the glossary by category. Each term has one."
                    ),
                ),
                FieldPanel(
                    "tags",
                    help_text=_(
                        "Topics that it shares with terms of other categories."
                    ),
                ),
            ],
            heading=_("Where it belongs"),
            icon="folder-open-inverse",
        ),
        RowsPanel(
            "related_terms",
            [FieldRowPanel([FieldPanel("related_term"), FieldPanel("kind")])],
            formset=LinkFormSet,
            heading=_("Related terms"),
            label=_("related term"),
            icon="link",
            help_text=_(
                "Three to six terms that a reader would want next. One that has no "
                "page yet can be created here by its name."
            ),
        ),
        RowsPanel(
            "labels",
            [
                FieldRowPanel(
                    [
                        FieldPanel("text", required_on_save=True),
                        FieldPanel("kind"),
                        FieldPanel("case_rule"),
                    ]
                )
            ],
            formset=LabelFormSet,
            heading=_("Labels"),
            label=_("label"),
            icon="tag",
            help_text=_(
                "Other names that readers look for: synonyms, abbreviations, plurals. "
                "The term’s own name is not one of them."
            ),
        ),
    ]

    search_fields = [
        *Page.search_fields,
        index.RelatedFields(
            "labels",
            [index.SearchField("text", boost=2), index.AutocompleteField("text")],
        ),
        index.SearchField("heading"),
        index.SearchField("short_definition", boost=1.5),
        index.AutocompleteField("short_definition"),
        index.SearchField("explanation"),
        index.SearchField("comparisons", boost=0.5),
        index.SearchField("faq", boost=0.5),
        index.FilterField("category"),
        index.RelatedFields("tagged_items", [index.FilterField("tag_id")]),
    ]

    # Where a field has two entries, the one with a serializer says how the API v2
    # reads it. The last one is what v3 reads, the other what it writes.
    api_fields = [
        APIField("heading", writable=True),
        APIField("short_definition", writable=True),
        APIField("category", writable=True),
        APIField("category", serializer=CategoryField()),
        APIField("tags", serializer=TagsField()),
        APIField("tags", writable=True),
        APIField("explanation", writable=True),
        APIField("comparisons", writable=True),
        APIField("faq", writable=True),
        APIField("related_features", writable=True),
        APIField("related_terms", serializer=LinksField()),
        APIField("related_terms", writable=True),
        APIField("labels", writable=True),
    ]

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")

    @classproperty
    def search_auto_update(cls) -> bool:
        """Whether Wagtail's task indexes terms. It may run late, before the rows are
        stored or beside another change; ``signal_handlers.index_terms`` does not."""
        return not index_is_transactional()

    @classproperty
    def edit_handler(cls) -> TabbedInterface:
        # Made anew for each class: a site's subclass adds to the lists of panels.
        return TabbedInterface(
            [
                ObjectList(cls.content_panels, heading=_("Content")),
                ObjectList(cls.relations_panels, heading=_("Relations and labels")),
                ObjectList(cls.promote_panels, heading=_("Promote")),
                ObjectList(cls.settings_panels, heading=_("Settings")),
            ]
        )

    @classmethod
    def clean_parent_page_models(cls) -> list[type]:
        listed = tuple(super().clean_parent_page_models())
        return [model for model in get_page_models() if issubclass(model, listed)]

    @cached_property
    def glossary(self) -> GlossaryPage:
        """The glossary that the term stands in."""
        return self.get_parent().specific

    @property
    def display_heading(self) -> str:
        return self.heading or self.title

    def get_template(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> str | list[str]:
        own = super().get_template(request, *args, **kwargs)
        return with_fallback(own, TermPage)

    def serve_preview(self, request: HttpRequest, mode_name: str) -> Any:
        told = term_previewed.send(type(self), page=self, request=request)
        answers = [answer for _receiver, answer in told if answer is not None]
        return answers[0] if answers else super().serve_preview(request, mode_name)

    def get_cached_paths(self) -> list[str]:
        paths = ("/index.md", "/card.png", "/_payload.json")
        return [*super().get_cached_paths(), *paths]

    def get_sitemap_urls(
        self, request: HttpRequest | None = None
    ) -> list[dict[str, Any]]:
        """None of a term whose glossary is hidden, nor of one that search engines are
        to leave out."""
        if not is_indexed(self.pk, request):
            return []
        # Not when its draft was saved, which Wagtail takes where nothing else is known.
        urls = super().get_sitemap_urls(request)
        return [{**url, "lastmod": self.last_published_at} for url in urls]

    def rich_texts(self) -> Iterator[str]:
        """Every rich text of the term, as database HTML."""
        for stream in (self.explanation, self.comparisons, self.faq):
            for child in stream.raw_data:
                for name in ("body", "comparison", "answer"):
                    if text := child["value"].get(name):
                        yield text

    def clean(self) -> None:
        super().clean()
        # The order of the faults is the order of the form.
        if self.rows_are_checked:
            return
        faults = [error for _position, error in self._check_relations()]
        if faults:
            raise ValidationError({NON_FIELD_ERRORS: faults})

    def _check_relations(self) -> Iterator[tuple[int, ValidationError]]:
        yield from check_links(
            self.related_terms.all(), term_id=self.pk, slug=self.slug
        )
        yield from check_labels(self.labels.all(), title=self.title)

    def clean_blocks(self) -> None:
        """Validate the StreamFields, which ``full_clean()`` leaves alone.

        Raises a ValidationError by field, as for a term that is to be published.
        """
        faults: dict[str, ValidationError] = {}
        for field in self._meta.get_fields():
            if isinstance(field, TermStreamField):
                try:
                    field.stream_block.clean(getattr(self, field.name))
                except ValidationError as error:
                    faults[field.name] = error
        if faults:
            raise ValidationError(faults)

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        is_told = fields is None or not set(fields) <= DRAFT_FIELDS
        if is_told:
            terms_will_be_written.send(sender=TermPage)
        with saving(self):
            self._save(*args, **kwargs)
        if is_told:
            terms_written.send(sender=TermPage, pks=[self.pk])

    def _save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        if fields is not None and not {"title", "slug"} & set(fields):
            # As when a draft is kept: what it changes is neither stored nor public.
            super().save(*args, **kwargs)
            return
        self.bring_links_home()
        former_title = None
        if self.pk:
            former_title = (
                TermPage.objects.filter(pk=self.pk)
                .values_list("title", flat=True)
                .first()
            )
            self._make_way_for_changed_rows()
        staged = {"labels", "tagged_items"} & set(
            getattr(self, "_cluster_related_objects", {})
        )
        super().save(*args, **kwargs)
        if staged and self.search_auto_update:
            # Wagtail indexes the page before its rows are stored.
            index.insert_or_update_object(self)
        RelatedTerm.objects.follow(self, former_title=former_title)

    def _make_way_for_changed_rows(self) -> None:
        """Take links and labels that have changed out of the database; they are stored
        anew under their ids. Two that exchange their values would collide."""
        for relation, field in (
            ("related_terms", "related_term_id"),
            ("labels", "text"),
        ):
            if relation not in getattr(self, "_cluster_related_objects", {}):
                continue
            manager = getattr(self, relation)
            stored = manager.get_live_queryset()
            former = dict(stored.values_list("pk", field))
            changed = [
                row.pk
                for row in manager.all()
                if row.pk in former and former[row.pk] != getattr(row, field)
            ]
            stored.filter(pk__in=changed).delete()

    def bring_links_home(self) -> None:
        """Let each link point into the glossary that the term stands in, also after
        the term was copied, moved or translated from another one."""
        if not self.path:
            return
        if self.locale_id is None:  # Wagtail sets it when it cleans, which is later
            self.locale = self.get_default_locale()
        glossary_id = self.get_parent().pk
        links = list(self.related_terms.all())
        strays = RelatedTerm.objects.strays(
            {link.related_term_id for link in links}, glossary_id, self.locale_id
        )
        if not strays:
            return
        kept: dict[int, TermLink] = {}
        for link in links:
            if stray := strays.get(link.related_term_id):
                link.related_term = RelatedTerm.objects.at_home(
                    stray, glossary_id, self.locale_id
                )
            kept.setdefault(link.related_term_id, link)
        self.related_terms.set(kept.values())
