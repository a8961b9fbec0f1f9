"""Nothing that is hidden from a reader shows, in any answer of either API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import swapper
from django.contrib.auth.models import AnonymousUser, Group
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.test import Client, RequestFactory
from wagtail.documents import get_document_model
from wagtail.models import (
    Collection,
    CollectionViewRestriction,
    PageViewRestriction,
    Site,
)

from glossary.models import GlossaryPage, RelatedTerm, TermLabel, TermPage
from glossary.visibility import Visibility, public_rich_text

from .factories import (
    comparison,
    home_page,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)


pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# In everything that tells of the hidden page, and nowhere else.
MARK = "zzyzx"
FORMATS = ("db_html", "html", "db_markdown", "markdown")
RESTRICTIONS = {
    "login": PageViewRestriction.LOGIN,
    "password": PageViewRestriction.PASSWORD,
    "group": PageViewRestriction.GROUPS,
}
HIDDEN = ("draft", "unpublished", *RESTRICTIONS, "other site")


@pytest.fixture(autouse=True)
def nothing_left_over(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()  # the sites of the test before


def make_site(hostname: str) -> Site:
    Page = swapper.load_model("wagtailcore", "Page")
    root = Page.get_first_root_node().add_child(
        instance=Page(title=hostname, slug=hostname.replace(".", "-"))
    )
    return Site.objects.create(hostname=hostname, root_page=root)


def restrict(page: Any, kind: str) -> PageViewRestriction:
    restriction = PageViewRestriction.objects.create(
        page=page, restriction_type=RESTRICTIONS[kind], password="open sesame"
    )
    if kind == "group":
        restriction.groups.add(Group.objects.create(name="Insiders"))
    return restriction


def make_document(*, private: bool) -> Any:
    collection = Collection.get_first_root_node()
    if private:
        collection = collection.add_child(name="Board")
        CollectionViewRestriction.objects.create(
            collection=collection, restriction_type=CollectionViewRestriction.LOGIN
        )
    return get_document_model().objects.create(
        title=f"{MARK} report",
        file=ContentFile(b"figures", name=f"{MARK}.txt"),
        collection=collection,
    )


def make_target(glossary: GlossaryPage, reason: str) -> TermPage:
    """A term that is hidden for a reason, or public for none."""
    if reason == "other site":
        glossary = make_glossary(parent=make_site("other.example").root_page)
    term = make_term(
        glossary,
        MARK,
        live=reason != "draft",
        short_definition=f"What {MARK} means.",
        category=make_category(f"{MARK}-category"),
        labels=[f"{MARK} label"],
        tags=[f"{MARK} tag"],
    )
    if reason == "unpublished":
        term.unpublish()
    if reason in RESTRICTIONS:
        restrict(term, reason)
    return term


class World:
    """A public term that points at a target in every way it can."""

    def __init__(self, reason: str) -> None:
        self.glossary = make_glossary("ai")
        self.target = make_target(self.glossary, reason)
        document = make_document(private=reason != "public")
        self.known = make_related_term(self.target.glossary, MARK)
        links = (
            f'<p>See <a linktype="page" id="{self.target.pk}">this</a> and '
            f'<a linktype="document" id="{document.pk}">that</a>.</p>'
        )
        at_home = self.target.glossary == self.glossary
        self.term = make_term(
            self.glossary,
            "embedding",
            category=make_category("basics"),
            explanation=[section(links)],
            comparisons=[
                comparison("That one", links, self.known),
                comparison("", "<p>It differs.</p>", self.known),
            ],
            faq=[question("Is it?", links)],
            # A link into another glossary is brought home when the term is saved.
            related_terms=[self.known] if at_home else [],
        )
        self.glossary.introduction = links
        self.glossary.save()

    def urls(self) -> Iterator[str]:
        term, glossary = self.term.pk, self.glossary.pk
        for name in FORMATS:
            form = f"rich_text_format={name}"
            yield f"/api/v2/terms/{term}/?{form}"
            yield f"/api/v2/pages/{glossary}/?{form}"
            yield f"/api/v3/pages/{term}/?{form}"
            yield f"/api/v3/pages/{glossary}/?{form}"
        form = "rich_text_format=html"
        yield f"/api/v2/terms/?fields=*&{form}"
        yield f"/api/v2/pages/?type=glossary.TermPage&fields=*&{form}"
        yield f"/api/v2/pages/?type=glossary.GlossaryPage&fields=*&{form}"
        yield f"/api/v2/pages/{term}/?{form}"
        yield f"/api/v3/pages/{term}/?version=draft&{form}"

    def lists(self) -> Iterator[str]:
        """Those that would show the target itself."""
        yield "/api/v2/categories/"
        yield "/api/v2/categories/?fields=*&order=slug"
        yield "/api/v2/terms/"
        yield "/api/v2/pages/"
        yield "/api/v2/pages/?fields=*"
        yield f"/api/v2/terms/?descendant_of={self.glossary.pk}&order=-title"
        yield "/api/v3/pages/"
        yield "/api/v3/pages/?type=glossary.TermPage&order=title"
        yield f"/api/v3/pages/?descendant_of={self.glossary.pk}"

    def searches(self) -> Iterator[str]:
        """Those that find the target alone."""
        yield f"/api/v2/terms/?search={MARK}"
        yield f"/api/v2/terms/?slug={MARK}"
        yield f"/api/v2/terms/?title={MARK.title()}"
        yield f"/api/v2/terms/?category={MARK}-category"
        yield f"/api/v2/terms/?tags={MARK} tag"
        yield f"/api/v2/pages/?search={MARK}"
        yield f"/api/v2/pages/?slug={MARK}"
        yield f"/api/v2/categories/?slug={MARK}-category"
        yield f"/api/v2/categories/?search={MARK}"
        yield f"/api/v3/pages/?search={MARK}"
        yield f"/api/v3/pages/?slug={MARK}"
        yield f"/api/v3/pages/?type=glossary.TermPage&tags={MARK} tag"

    def details(self) -> Iterator[str]:
        target = self.target
        # Without the root page of its site.
        path = target.url_path.split("/", 2)[2]
        for endpoint in ("v2/terms", "v2/pages", "v3/pages"):
            yield f"/api/{endpoint}/{target.pk}/"
            yield f"/api/{endpoint}/find/?id={target.pk}"
            yield f"/api/{endpoint}/find/?html_path={path}"


def links_to(page: Any, text: str) -> bool:
    """Whether rich text in a response has a link to the page by its id."""
    return f'id=\\"{page.pk}\\"' in text or f"page?id={page.pk})" in text


def body(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode().lower()


def count(client: Client, url: str) -> int:
    answer = client.get(url).json()
    return answer["count"] if "count" in answer else answer["meta"]["total_count"]


@pytest.mark.parametrize("reason", HIDDEN)
def test_nothing_tells_of_what_is_hidden(client: Client, reason: str) -> None:
    world = World(reason)
    for url in (*world.urls(), *world.lists()):
        text = body(client, url)
        assert MARK not in text, url
        assert not links_to(world.target, text), url
    for url in world.searches():
        assert count(client, url) == 0, url
    for url in world.details():
        assert client.get(url).status_code == 404, url


def test_the_same_shows_what_is_public(client: Client) -> None:
    world = World("public")
    for url in world.urls():
        text = body(client, url)
        assert MARK in text or links_to(world.target, text), url
    for url in world.lists():
        assert MARK in body(client, url), url
    for url in world.searches():
        assert count(client, url) == 1, url
    for url in world.details():
        assert client.get(url).status_code in {200, 302}, url


@pytest.mark.parametrize("kind", RESTRICTIONS)
def test_all_below_a_restricted_page_is_hidden(client: Client, kind: str) -> None:
    world = World("public")
    restrict(world.glossary, kind)
    assert count(client, "/api/v2/terms/") == 0
    assert count(client, "/api/v2/categories/") == 0
    assert count(client, "/api/v3/pages/?type=glossary.TermPage") == 0
    for url in (*world.urls(), *world.details()):
        answer = client.get(url)
        assert answer.status_code == 404 or MARK not in answer.content.decode(), url


def test_a_password_opens_nothing_in_our_endpoints(client: Client) -> None:
    world = World("password")
    session = client.session
    session[PageViewRestriction.passed_view_restrictions_session_key] = [
        PageViewRestriction.objects.get().pk
    ]
    session.save()
    # Wagtail's own endpoints show it; ours answer as to anyone.
    url = f"/api/v3/pages/{world.term.pk}/?rich_text_format=markdown"
    assert MARK in body(client, url)
    for url in (
        f"/api/v2/terms/{world.term.pk}/?rich_text_format=html",
        f"/api/glossary/v1/terms/{world.term.pk}/",
    ):
        assert MARK not in body(client, url), url


def test_what_an_editor_has_not_published_does_not_show(client: Client) -> None:
    world = World("public")
    draft = world.term.get_latest_revision_as_object()
    draft.title = draft.heading = draft.short_definition = "Unpublished text"
    draft.explanation = [section("<p>Unpublished text</p>")]
    draft.category = make_category("unpublished-text")
    draft.tags.set(["Unpublished text"])
    draft.related_terms.clear()
    draft.save_revision()
    for url in (*world.urls(), *world.lists()):
        assert "unpublished" not in body(client, url), url
    for url in ("/api/v2/terms/?search=", "/api/v3/pages/?search="):
        assert count(client, f"{url}Unpublished") == 0


def test_a_draft_of_a_live_term_does_not_rename_what_points_at_it(
    client: Client,
) -> None:
    world = World("public")
    draft = world.target.get_latest_revision_as_object()
    draft.title, draft.slug = "Unpublished text", "unpublished-text"
    draft.labels.add(TermLabel(text="Unpublished label"))
    draft.save_revision()
    for url in (*world.urls(), *world.lists()):
        text = body(client, url)
        assert "unpublished" not in text, url
    [link] = client.get(f"/api/v2/terms/{world.term.pk}/").json()["related_terms"]
    assert link["related_term"]["url"] == world.target.full_url
    assert count(client, "/api/v2/terms/?search=Unpublished") == 0


@pytest.mark.parametrize("reason", ["draft", "login"])
def test_a_comparison_loses_its_link_but_not_its_own_words(
    client: Client, reason: str
) -> None:
    world = World(reason)
    for url in (
        f"/api/v2/terms/{world.term.pk}/",
        f"/api/v3/pages/{world.term.pk}/",
    ):
        comparisons = client.get(url).json()["comparisons"]
        assert [child["value"] for child in comparisons] == [
            {
                "related_term": None,
                "name": "That one",
                "comparison": "<p>See this and that.</p>",
            },
            # Without a name of its own it stays, since a search finds its text.
            {"related_term": None, "name": "", "comparison": "<p>It differs.</p>"},
        ]


def test_a_wanted_term_shows_its_name(client: Client) -> None:
    glossary = make_glossary("ai")
    token = make_related_term(glossary, "token")
    term = make_term(
        glossary,
        related_terms=[(token, "contrast")],
        comparisons=[comparison("", "<p>It differs.</p>", token)],
    )
    reference = {"id": token.pk, "slug": "token", "name": "Token", "url": None}
    for url in (f"/api/v2/terms/{term.pk}/", f"/api/v3/pages/{term.pk}/"):
        answer = client.get(url).json()
        [link] = answer["related_terms"]
        assert (link["kind"], link["related_term"]) == ("contrast", reference)
        [child] = answer["comparisons"]
        assert child["value"]["related_term"] == reference


def test_terms_do_not_name_a_parent_or_an_original_that_is_hidden(
    client: Client,
) -> None:
    # The API v3 and the endpoint "pages" of v2 are Wagtail's, and name an original
    # without asking; v3 also names a parent.
    private = make_glossary("private")
    original = make_term(private, MARK)
    public = make_glossary("public")
    alias = original.create_alias(parent=public, update_slug="alias")
    restrict(private, "login")
    answer = client.get(f"/api/v2/terms/{alias.pk}/?fields=*").json()
    assert "alias_of" not in answer["meta"]
    assert client.get("/api/v2/terms/?fields=alias_of").status_code == 400
    assert client.get(f"/api/v2/terms/?alias_of={original.pk}").status_code == 400

    public.unpublish()
    assert client.get(f"/api/v2/terms/{alias.pk}/").status_code == 404


def test_only_categories_of_visible_terms_are_listed(client: Client) -> None:
    glossary = make_glossary()
    category = make_category("research")
    make_category("empty")
    make_term(glossary, category=category)
    make_term(glossary, category=category, live=False)
    restrict(make_term(glossary, category=category), "login")
    make_target(glossary, "other site")
    items = client.get("/api/v2/categories/").json()["items"]
    assert [(item["slug"], item["term_count"]) for item in items] == [("research", 1)]
    answer = client.get("/api/v2/categories/?site=other.example").json()
    assert [item["slug"] for item in answer["items"]] == [f"{MARK}-category"]


# What both APIs and the templates ask


def test_links_to_what_is_public_stay_as_they_are_stored() -> None:
    page, document = home_page(), make_document(private=False)
    html = (
        f'<p>&amp; <a id="{page.pk}" linktype="page">a <b>b</b></a>&nbsp;<br/>'
        f'<a linktype="document" id="{document.pk}">c</a>'
        '<a href="https://example.com/?a=1&amp;b=2">d</a><a name="e">e</a></p>'
    )
    assert public_rich_text(html) == html


@pytest.mark.parametrize(
    "attributes",
    [
        'linktype="page" id="{draft}"',
        'id="{draft}" linktype="page" class="x"',
        'linktype="page" id="0"',
        'linktype="page" id="-1"',
        'linktype="page" id="²"',
        f'linktype="page" id="{"9" * 40}"',
        'linktype="page" id=""',
        'linktype="page"',
        'linktype="document" id="{page}000"',
        'linktype="user" id="{page}"',
        'linktype="" id="{page}"',
    ],
)
def test_any_other_link_is_replaced_by_its_text(attributes: str) -> None:
    draft = make_term(make_glossary(), live=False)
    attributes = attributes.format(draft=draft.pk, page=home_page().pk)
    html = f"<p>An <a {attributes}>odd <b>link</b></a>.</p>"
    assert public_rich_text(html) == "<p>An odd <b>link</b>.</p>"


def test_all_that_is_linked_is_looked_up_at_once(
    django_assert_num_queries: Any,
) -> None:
    glossary = make_glossary()
    terms = [make_term(glossary) for _number in range(3)]
    texts = [f'<a linktype="page" id="{term.pk}">x</a>' for term in terms]
    context: dict[str, Any] = {}
    visibility = Visibility.for_context(context)
    with django_assert_num_queries(2):  # restrictions, pages
        visibility.load(texts, pages=[glossary.pk])
        assert [public_rich_text(text, context) for text in texts] == texts
        assert visibility.find("page", glossary.pk)


def test_an_editor_reads_what_is_stored() -> None:
    world = World("draft")
    html = f'<a linktype="page" id="{world.target.pk}">x</a>'
    visibility = Visibility(everything=True)
    assert public_rich_text(html, {"glossary_visibility": visibility}) == html
    assert visibility.reference(world.known) == {
        "id": world.known.pk,
        "slug": MARK,
        "name": "Zzyzx",
        "url": None,
    }
    assert Visibility().reference(world.known) is None


def test_a_request_sees_the_pages_of_its_site_in_every_language() -> None:
    from wagtail.models import Locale

    elsewhere = make_site("other.example").root_page
    french = home_page().copy_for_translation(
        Locale.objects.create(language_code="fr"), alias=True
    )
    request = RequestFactory().get("/")
    request.user, request.session = AnonymousUser(), {}
    for visibility, sees in ((Visibility(request), False), (Visibility(), True)):
        assert visibility.find("page", home_page().pk)
        assert visibility.find("page", french.pk)
        assert bool(visibility.find("page", elsewhere.pk)) is sees


def test_a_wanted_term_of_a_glossary_that_is_hidden_is_hidden() -> None:
    glossary = make_glossary(live=False)
    wanted = RelatedTerm.objects.create(glossary=glossary, name="Secret")
    assert Visibility().reference(wanted) is None
