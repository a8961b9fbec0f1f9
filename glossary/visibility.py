"""What a reader may see, decided in one place.

A page is public when it is live and neither it nor a page above it is restricted; a
term, when its glossary is live as well. For an API request Wagtail's API decides: it
also asks for the request's site. Everything that leaves the glossary asks here before
it names a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import swapper
from django.apps import apps
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, TextField
from django.utils.html import escape
from typing_extensions import TypedDict  # pydantic refuses typing's before 3.12
from wagtail.api.rich_text import APIRichText
from wagtail.documents import get_document_model
from wagtail.models import CollectionViewRestriction
from wagtail.query import PageQuerySet
from wagtail.rich_text.rewriters import extract_attrs


if TYPE_CHECKING:
    from .models import RelatedTerm


CONTEXT_KEY = "glossary_visibility"

# "page" or "document", and its id; that of nothing is None.
Target: TypeAlias = tuple[str, int | None]

_TAG = re.compile(r"<a(\b[^>]*)>|</a>")


class TermReference(TypedDict):
    """A term as others refer to it; ``url`` is None while it has no page to read."""

    id: int
    slug: str
    name: str
    url: str | None


def public_pages() -> PageQuerySet:
    """Every page that anyone may see, on any site."""
    Page = swapper.load_model("wagtailcore", "Page")
    return Page.objects.live().public().filter(~below_hidden_glossary())


def below_hidden_glossary() -> Exists:
    """Whether a page stands below a glossary that is not live."""
    path = ExpressionWrapper(OuterRef("path"), output_field=TextField())
    hidden = apps.get_model("glossary", "GlossaryPage").objects.filter(live=False)
    return Exists(hidden.annotate(of_page=path).filter(of_page__startswith=F("path")))


class Visibility:
    """Answers for one reader; remembers, so that many pages cost one query.

    Without a request it answers for anyone, on any site. With ``everything`` it
    answers for an editor, who has to read a text as it is stored to change it.
    ``public_pages`` gives the pages that the reader of the request may see, by default
    those of Wagtail's API.
    """

    def __init__(
        self,
        request: Any = None,
        *,
        everything: bool = False,
        public_pages: Callable[[], PageQuerySet] | None = None,
    ) -> None:
        self.everything = everything
        self._request = request
        self._public_pages = public_pages or self._default_public_pages
        self._public: dict[tuple[str, int], Any] = {}

    @classmethod
    def for_context(cls, context: dict[str, Any] | None) -> Visibility:
        """The one that the context carries, or a new one for its request."""
        if context is None:
            return cls()
        if CONTEXT_KEY not in context:
            context[CONTEXT_KEY] = cls(context.get("request"))
        return context[CONTEXT_KEY]

    def load(self, rich_texts: Iterable[str], pages: Iterable[int] = ()) -> None:
        """Look up at once every page and document that the rich texts link to, and
        further pages by their ids."""
        targets = {("page", pk) for pk in pages}
        for html in rich_texts:
            targets |= linked_targets(html)
        for kind, find in (("page", self._pages), ("document", self._documents)):
            wanted = {
                pk
                for name, pk in targets
                if name == kind and (name, pk) not in self._public
            }
            if wanted:
                found = {thing.pk: thing for thing in find(wanted)}
                self._public.update({(kind, pk): found.get(pk) for pk in wanted})

    def find(self, kind: str, pk: int | None) -> Any:
        """The ``page`` or ``document`` of this id if the reader may see it."""
        if kind == "page" and pk is not None:
            self.load([], pages=[pk])
        return self._public.get((kind, pk))

    def reference(self, related_term: RelatedTerm | None) -> TermReference | None:
        """How to refer to a related term: None if its page, or the glossary that it
        has none in, is hidden, so that neither its name nor its slug tells of it."""
        if related_term is None:
            return None
        page = self.find("page", related_term.page_id)
        if page is None and not self.everything:
            is_wanted = related_term.page_id is None
            if not is_wanted or self.find("page", related_term.glossary_id) is None:
                return None
        return {
            "id": related_term.pk,
            "slug": related_term.slug,
            "name": related_term.name,
            "url": page.full_url if page else None,
        }

    def _default_public_pages(self) -> PageQuerySet:
        if self._request is None or self.everything:
            return public_pages()
        # Imports the page models, which are not there when this module is read.
        from wagtail.api.querysets import get_public_pages_queryset

        pages = get_public_pages_queryset(self._request)
        return pages.filter(~below_hidden_glossary())

    def _pages(self, pks: set[int]) -> Iterable[Any]:
        return self._public_pages().filter(pk__in=pks).specific(defer=True)

    def _documents(self, pks: set[int]) -> Iterable[Any]:
        documents = get_document_model().objects.filter(pk__in=pks)
        for restriction in CollectionViewRestriction.objects.select_related(
            "collection"
        ):
            if self._request is None or not restriction.accept_request(self._request):
                documents = documents.exclude(
                    collection__path__startswith=restriction.collection.path
                )
        return documents


def linked_targets(html: str) -> set[tuple[str, int]]:
    """What a rich text (database HTML) links to: pages and documents, by kind and
    id."""
    attrs = (match[1] for match in _TAG.finditer(html) if match[1] is not None)
    targets = map(target_of, map(extract_attrs, attrs))
    return {(kind, pk) for kind, pk in targets if pk is not None}


def target_of(attrs: Mapping[str, str]) -> Target:
    """What a link leads to, by its attributes."""
    pk = attrs.get("id", "")
    is_id = pk.isascii() and pk.isdecimal() and len(pk) < 19
    return attrs.get("linktype", ""), int(pk) if is_id else None


def public_rich_text(
    html: str,
    context: dict[str, Any] | None = None,
    address: Callable[[str, Any], str | None] | None = None,
) -> str:
    """The rich text (database HTML) with every link to what is not public replaced
    by its own text. All else stays as it is, byte for byte; but ``address``, if given,
    makes the address of each other link from its kind and its page or document."""
    visibility = Visibility.for_context(context)
    if visibility.everything or "linktype" not in html:
        return html
    visibility.load([html])

    def tag_for(tag: str, link: Target) -> str:
        kind, pk = link
        target = visibility.find(kind, pk)
        if target is None:
            return ""
        if address is None:
            return tag
        url = address(kind, target)
        return f'<a href="{escape(url)}">' if url else ""

    return rewrite_links(html, tag_for)


def rewrite_links(html: str, tag_for: Callable[[str, Target], str]) -> str:
    """The rich text with what ``tag_for`` makes of the tag, and the target, of each
    link to a page or document; without an opening tag there is no closing one. A tag
    that is never closed is no way around."""
    open_links: list[bool] = []

    def rewrite(match: re.Match[str]) -> str:
        if match[1] is None:
            is_shown = open_links.pop() if open_links else True
            return match[0] if is_shown else ""
        attrs = extract_attrs(match[1])
        tag = match[0]
        if "linktype" in attrs:
            tag = tag_for(tag, target_of(attrs))
        open_links.append(bool(tag))
        return tag

    return _TAG.sub(rewrite, html)


def serialize_rich_text(
    html: str, context: dict[str, Any] | None, features: list[str]
) -> Any:
    """The rich text in the format that an API request asks for, without a link to
    what its reader may not see. Raises a RichTextFormatError for an unknown format."""
    request = context and context.get("request")
    wanted = APIRichText.resolve_format(
        request.GET.get("rich_text_format") if request else None
    )
    public = public_rich_text(html, context, _ADDRESSES[wanted])
    return APIRichText.serialize(public, format=wanted, features=features)


# Wagtail would look up each link by itself, and give away restricted translations.
_ADDRESSES: dict[str, Callable[[str, Any], str | None] | None] = {
    APIRichText.FORMAT_DB_HTML: None,
    APIRichText.FORMAT_HTML: lambda kind, target: target.url,
    APIRichText.FORMAT_DB_MARKDOWN: lambda kind, target: (
        f"wagtail://{kind}?id={target.pk}"
    ),
    APIRichText.FORMAT_MARKDOWN: lambda kind, target: target.url,
}
