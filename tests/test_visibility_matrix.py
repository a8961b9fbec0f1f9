"""Nothing tells of what is hidden: every address, format and field against every reason
why a term can be hidden and every way to point at it.

`Matrix` has the addresses; a test fails when the app has one that is not there.
``tests/hidden.py`` makes the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any, NamedTuple
from urllib.parse import quote, unquote
from zipfile import ZipFile

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.core.management import call_command
from django.db.models import Q
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, resolve, reverse
from wagtail.models import (
    APIToken,
    Comment,
    GroupPagePermission,
    PageViewRestriction,
)

from glossary.api import router
from glossary.delivery.documents import RichTextFormat
from glossary.exporting import FORMATS
from glossary.models import (
    Change,
    ImportRecord,
    RelatedTerm,
    TermPage,
    WebhookDelivery,
)

from . import hidden, test_admin_import_permissions, test_webhook_admin
from .factories import home_page, make_glossary, section
from .hidden import (
    CATEGORY,
    GLOSSARY,
    HIDE,
    MARK,
    NEVER_PUBLIC,
    OLD_SLUG,
    OTHER_HOST,
    REASONS,
    SLUG,
    TAG,
    TITLE,
    WANTED,
    World,
    restrict_collection,
)
from .test_export_payload import import_term, payload_of


pytestmark = [pytest.mark.django_db, pytest.mark.slow]

API, V3 = "/api/glossary/v1/", "/api/v3/glossary/"
RICH_TEXT: tuple[str, ...] = RichTextFormat.__args__
WAGTAIL_RICH_TEXT = ("db_html", "html", "db_markdown", "markdown")
PAGE_FORMATS = ("md", "jsonld", "json")
# What is written like MARK, and nothing begins with it.
NOBODY = "qqz"
NO_PAGE = 987_655_999


@pytest.fixture(autouse=True)
def nothing_left_over(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.GLOSSARY_API_RATES = None
    settings.GLOSSARY_API_CACHE = None
    cache.clear()  # the sites of the test before


# The addresses


class Asked(NamedTuple):
    """A request: what it is for, and where. ``body`` is posted."""

    kind: str
    url: str
    body: str = ""

    def send(self, client: Client, method: str = "", **extra: Any) -> Any:
        if self.body and method != "options":
            return client.post(self.url, self.body, "application/json", **extra)
        return getattr(client, method or "get")(self.url, **extra)

    def renamed(self, pk: int) -> Asked:
        """The same of something that never was."""

        def rename(text: str) -> str:
            text = text.replace(MARK, NOBODY).replace(MARK.title(), NOBODY.title())
            return text.replace(str(pk), str(NO_PAGE))

        return Asked(self.kind, rename(self.url), rename(self.body))


class Matrix:
    """All that a reader can ask about a term, ``slug`` and ``pk``, that points at the
    hidden one, and about the hidden one itself."""

    def __init__(
        self, *, pk: int, glossary: int, target: int, category: int, token: str = ""
    ) -> None:
        self.pk, self.glossary, self.target = pk, glossary, target
        self.category, self.token = category, token

    # Of our own API

    def api(self, base: str = API) -> Iterator[Asked]:
        """About what is public, and points at the target in all ways."""
        return (Asked("api", base + path) for path in self._api())

    def _api(self) -> Iterator[str]:
        pk = self.pk
        everything = "include=backlinks,structured_data"
        for name in RICH_TEXT:
            form = f"rich_text={name}"
            yield f"terms/?fields=*&{everything}&{form}"
            yield f"terms/{pk}/?{everything}&{form}"
            yield f"glossaries/?{form}"
            yield f"changes/?limit=500&{form}"
            yield f"terms/{pk}/?preview={quote(self.token)}&{form}"
        yield f"terms/by-slug/embedding/?{everything}&fallback=fr"
        yield f"terms/by-slug/formerly/?{everything}"
        yield f"terms/by-path/?path=/ai/embedding/&{everything}"
        yield f"terms/{pk}/backlinks/"
        yield f"terms/bulk/?slugs=embedding,imported&ids={pk}&{everything}"
        yield f"glossaries/{self.glossary}/"
        for order in ("-title", "id", "first_published_at", "-last_published_at"):
            yield f"terms/?order={order}"
        yield "terms/?limit=1&fields=*"
        yield "terms/?fields=_,related_terms,comparisons&category=basics&tag=shared"
        yield "search/?q=common&facets=category,letter,tag"
        yield "autocomplete/?q=zz"
        yield "categories/"
        yield "categories/basics/"
        yield "related-terms/?limit=100"
        for wanted in ("true", "false"):
            yield f"related-terms/?wanted={wanted}&limit=100"
        yield "letters/"
        yield "graph/?limit=2000"
        yield "graph/?around=embedding&depth=3"
        yield "graph/?category=basics"
        yield "changes/?limit=1"
        for slug in ("embedding", "imported"):
            yield f"payload/{slug}/"
            yield f"payload/{slug}/_payload.json"

    def asking(self, base: str = API) -> Iterator[Asked]:
        """About the target itself: by all that names it."""
        ids = f'{{"slugs": ["{SLUG}"], "ids": [{self.target}]}}'
        yield Asked("api", f"{base}terms/bulk/", ids)
        for path in self._asking():
            yield Asked("api", base + path)

    def _asking(self) -> Iterator[str]:
        yield f"terms/{self.target}/?include=backlinks"
        yield f"terms/{self.target}/backlinks/"
        yield f"terms/bulk/?ids={self.target}"
        yield f"terms/?ids={self.target}"
        for slug in (SLUG, OLD_SLUG):
            yield f"terms/by-slug/{slug}/?fallback=fr"
            for folder in ("ai", GLOSSARY, f"fr/{GLOSSARY}"):
                yield f"terms/by-path/?path=/{folder}/{slug}/"
        yield f"terms/bulk/?slugs={SLUG},zzqsibling"
        yield f"terms/?slugs={SLUG}"
        yield f"terms/?category={CATEGORY}"
        yield f"terms/?tag={TAG}"
        yield "terms/?letter=Z&fields=*"
        yield f"terms/?glossary={GLOSSARY}"
        yield "terms/?glossary=zzqglossari"
        yield f"glossaries/?glossary={GLOSSARY}"
        yield f"categories/{CATEGORY}/"
        yield f"related-terms/?q={TITLE}"
        yield f"related-terms/?q={WANTED.title()}"
        for slug in (SLUG, WANTED):
            yield f"graph/?around={slug}"
        yield f"graph/?category={CATEGORY}"
        yield f"payload/{SLUG}/"
        yield f"payload/{SLUG}/_payload.json"
        for word in ("title", "heading", "short", "body", "answer", "synonym", "tag"):
            yield f"search/?q={MARK}{word}&facets=category,letter,tag"
        for word in ("title", "synonym", "hiddenlabel", "inflections", "wanted"):
            yield f"autocomplete/?q={MARK}{word}"
        yield "autocomplete/?q=zzqti"
        yield "autocomplete/?q=zzqtitel"
        yield "search/?q=zzqtitel"
        yield f"search/?q=common&category={CATEGORY}"
        yield f"autocomplete/?q=zzq&category={CATEGORY}"

    def described(self) -> Iterator[Asked]:
        """What is the same on every site."""
        for path in ("?docs/", "openapi.json", "docs/", "no-such-endpoint/"):
            yield Asked("described", API + path)
        yield Asked("described", f"{V3}no-such-endpoint/")

    # On the site

    def site(self) -> Iterator[Asked]:
        for folder, names in (
            ("/ai/", ("index.md", "feed.atom", "llms.txt", "llms-full.txt")),
            ("/ai/embedding/", ("index.md", "_payload.json")),
            ("/ai/imported/", ("index.md", "_payload.json")),
        ):
            for name in names:
                yield Asked("site", folder + name)
            for name in PAGE_FORMATS:
                yield Asked("site", f"{folder}?format={name}")
        yield Asked("site", "/ai/?format=atom")
        yield Asked("site", "/ai/index.md?letter=Z")
        yield Asked("site", "/llms.txt")  # of a home page that is a glossary

    def site_asking(self) -> Iterator[Asked]:
        for folder in ("/ai", f"/{GLOSSARY}", f"/zzqparent/{GLOSSARY}"):
            for name in ("index.md", "_payload.json"):
                yield Asked("site", f"{folder}/{SLUG}/{name}")
            for name in ("index.md", "feed.atom", "llms.txt", "llms-full.txt"):
                yield Asked("site", f"{folder.replace('/ai', '/zzq')}/{name}")

    # Wagtail's

    def html(self) -> Iterator[Asked]:
        for url in ("/ai/", "/ai/embedding/", "/ai/imported/"):
            yield Asked("html", url)

    def v2(self) -> Iterator[Asked]:
        return (Asked("v2", f"/api/v2/{path}") for path in self._v2())

    def _v2(self) -> Iterator[str]:
        for name in WAGTAIL_RICH_TEXT:
            yield f"terms/{self.pk}/?rich_text_format={name}"
        yield "terms/?fields=*"
        yield "terms/?order=-title"
        yield "terms/?search=common"
        yield "terms/find/?html_path=ai/embedding"
        yield "categories/?fields=*"
        yield f"categories/{self.category}/"
        yield f"categories/find/?id={self.category}"

    def v2_asking(self) -> Iterator[Asked]:
        return (Asked("v2", f"/api/v2/{path}") for path in self._v2_asking())

    def _v2_asking(self) -> Iterator[str]:
        yield f"terms/{self.target}/"
        yield f"terms/find/?id={self.target}"
        yield f"terms/find/?html_path=ai/{SLUG}"
        yield f"terms/?slug={SLUG}"
        yield f"terms/?title={TITLE}"
        yield f"terms/?category={CATEGORY}"
        yield f"terms/?tags={TAG}"
        yield "terms/?search=zzqbody"
        yield f"categories/?slug={CATEGORY}"
        yield f"categories/?search={MARK}"

    def wagtail(self) -> Iterator[Asked]:
        """What Wagtail itself answers with pages of ours."""
        for path in (
            f"/api/v2/pages/{self.pk}/?rich_text_format=html",
            f"/api/v3/pages/{self.pk}/?rich_text_format=markdown",
            "/api/v2/pages/?type=glossary.TermPage&fields=*",
            "/api/v2/pages/?type=glossary.GlossaryPage&fields=*",
            "/api/v3/pages/?type=glossary.TermPage",
            "/api/v3/pages/?search=zzqbody",
            "/api/v3/snippets/glossary.RelatedTerm/",
            "/api/v3/snippets/glossary.Category/",
            f"/api/v3/pages/{self.pk}/revisions/",
            "/sitemap.xml",
        ):
            yield Asked("wagtail", path)

    @classmethod
    def of(cls, world: World) -> Matrix:
        return cls(
            pk=world.term.pk,
            glossary=world.glossary.pk,
            target=world.target.pk,
            category=world.basics.pk,
            token=world.preview_token(),
        )

    def public(self) -> Iterator[Asked]:
        """All that anyone may ask of what is ours, and points at the target."""
        yield from self.api()
        yield from self.api(V3)
        yield from self.described()
        yield from self.site()
        yield from self.html()
        yield from self.v2()


# What an answer tells


def said(response: Any) -> str:
    """All that a response says, in its body or a header."""
    body = b"".join(response) if response.streaming else response.content
    headers = "".join(f"{name}: {value}\n" for name, value in response.items())
    return f"{response.status_code}\n{headers}\n{body.decode()}"


def marks(text: str) -> set[str]:
    return set(re.findall(rf"{MARK}\w*", text.lower()))


def told(asked: Asked, text: str) -> set[str]:
    """The words of the hidden term that a text has, but for those of the question."""
    return marks(text) - marks(unquote(asked.url) + asked.body)


def numbers(asked: Asked, text: str) -> set[str]:
    """The ids of what is hidden."""
    found = set(re.findall(r"\b(?:987654|876543|765432)00[12]\b", text))
    return {number for number in found if number not in asked.url + asked.body}


# Who asks


def readers(world: World) -> dict[str, Client]:
    """Those who may see more than anyone."""
    superuser = get_user_model().objects.create_superuser("root", "r@x.yz", "-")
    editor = Client()
    editor.force_login(superuser)
    guest = Client()
    session = guest.session
    session[PageViewRestriction.passed_view_restrictions_session_key] = list(
        PageViewRestriction.objects.values_list("pk", flat=True)
    )
    session.save()
    _token, plaintext = APIToken.create_token(user=superuser, name="token")
    program = Client(headers={"authorization": f"Bearer {plaintext}"})
    return {"editor": editor, "guest with the password": guest, "program": program}


def make_world(reason: str, settings: Any) -> World:
    if reason == "language of no site":
        settings.WAGTAIL_I18N_ENABLED = False
    return World(reason)


# Live, and under no restriction: an editor's link to another site is shown on pages and
# in exports, but by no API.
ELSEWHERE = {"other site", "language of no site"}
# The name of a page that is gone is wanted by what points at it.
NO_SECRETS = {"deleted": {"zzqtitle", "zzqslug", "zzqsibling"}}


def secrets(reason: str, asked: Asked, text: str) -> set[str]:
    """What a text tells of what is hidden."""
    found = numbers(asked, text)
    if reason == "newer draft":  # the page itself is no secret
        found = set()
    if reason == "deleted" or "/changes/" in asked.url:  # a tombstone has a name
        found = {number for number in found if number.startswith("987654")}
    return found | told(asked, text) - NO_SECRETS.get(reason, set())


# The matrix


@pytest.mark.parametrize("reason", REASONS)
def test_nothing_tells_of_what_is_hidden(
    client: Client, reason: str, settings: Any, tmp_path: Any
) -> None:
    world = make_world(reason, settings)
    check_answers(client, world)
    check_what_never_was(client, world)
    check_numbers(client, world)
    check_exports(world, tmp_path)
    check_messages(world)


def check_answers(client: Client, world: World) -> None:
    """Answers about what points at it say nothing of it."""
    matrix = Matrix.of(world)
    asked_of = [*matrix.public()]
    if world.reason != "hidden glossary":  # whose terms Wagtail itself shows
        asked_of += matrix.wagtail()
    if world.reason in ELSEWHERE:
        asked_of = [asked for asked in asked_of if asked.kind != "html"]
    telling = {}
    for asked in asked_of:
        response = asked.send(client)
        assert response.status_code in (200, 301, 302, 401, 404), asked
        if found := secrets(world.reason, asked, said(response)):
            telling[asked.url] = found
    assert telling == {}


def check_what_never_was(client: Client, world: World) -> None:
    """Who asks for it by its names hears what one hears of names that nothing has."""
    reason, matrix = world.reason, Matrix.of(world)
    questions = [*matrix.asking(), *matrix.site_asking(), *matrix.v2_asking()]
    # The same code answers these, whatever the reason.
    is_example = reason in ("draft", "login")
    if is_example:
        questions += matrix.asking(V3)
    for asked in questions:
        is_there = str(matrix.target) in asked.url + asked.body or OLD_SLUG in asked.url
        if reason == "newer draft" and is_there:
            continue
        if reason == "deleted" and re.search(r"(graph|related-terms)/", asked.url):
            continue  # its name is wanted now
        never = asked.renamed(matrix.target)
        for method in ("", "head", "options") if is_example else ("",):
            text = said(asked.send(client, method))
            assert secrets(reason, asked, text) == set(), asked
            expected = said(never.send(client, method))
            for new, old in ((NOBODY, MARK), (NOBODY.title(), MARK.title())):
                expected = expected.replace(new, old)
            expected = expected.replace(str(NO_PAGE), str(matrix.target))
            assert unconditional(text) == unconditional(expected), asked


def unconditional(text: str) -> str:
    """What a response says, without what only names its version."""
    return re.sub(r"(?m)^(ETag|Last-Modified): .*\n", "", text)


def check_numbers(client: Client, world: World) -> None:
    own = 2 + (2 if world.reason == "newer draft" else 0)
    wanted = 1 if world.reason == "deleted" else 0
    assert counts(client, world) == {
        "terms": own,
        "terms of the glossary": own,
        "in the category": 1,
        "in the category, v2": 1,
        "under Z": (0, 0),
        "tagged": 1,
        "found": 1,
        "by category": [("basics", 1)],
        "by tag": [("shared", 1)],
        "by letter": [("E", 1)],
        "backlinks": 0,
        "backlinks, counted": 0,
        "linked by": 0,
        "nodes of the graph": own + wanted,
        "terms, v2": own,
    }


def counts(client: Client, world: World) -> dict[str, Any]:
    def get(path: str) -> Any:
        response = client.get(path if path.startswith("/") else f"{API}{path}")
        assert response.status_code == 200, path
        return response.json()

    def total(path: str) -> int:
        return get(path)["meta"]["total_count"]

    pk = world.term.pk
    found = get("search/?q=common&facets=category,letter,tag")
    facets = {
        name: sorted((item["value"], item["count"]) for item in values)
        for name, values in found["facets"].items()
    }
    letters = {item["letter"]: item for item in get("letters/")["items"]}
    names = get("related-terms/?limit=100")["items"]
    linked = {item["slug"]: item["wanted_by"] for item in names}
    v2 = get("/api/v2/categories/?slug=basics")["items"]
    return {
        "terms": total("terms/"),
        "terms of the glossary": get(f"glossaries/{world.glossary.pk}/")["term_count"],
        "in the category": get("categories/basics/")["term_count"],
        "in the category, v2": v2[0]["term_count"],
        "under Z": (letters["Z"]["terms"], letters["Z"]["labels"]),
        "tagged": total("terms/?tag=shared"),
        "found": found["meta"]["total_count"],
        "by category": facets["category"],
        "by tag": facets["tag"],
        "by letter": facets["letter"],
        "backlinks": total(f"terms/{pk}/backlinks/"),
        "backlinks, counted": get(f"terms/{pk}/")["backlinks_count"],
        "linked by": linked["embedding"],
        "nodes of the graph": len(get("graph/?limit=2000")["nodes"]),
        "terms, v2": total("/api/v2/terms/?locale=en"),
    }


def check_exports(world: World, folder: Any) -> None:
    for name in () if world.reason in ELSEWHERE else FORMATS:
        out = folder / (f"{name}.zip" if name in ("payload", "markdown") else name)
        call_command("export_terms", out, format=name, glossary="ai", stdout=StringIO())
        text = unpacked(out.read_bytes())
        assert secrets(world.reason, Asked("export", name), text) == set(), name


def unpacked(data: bytes) -> str:
    if not data.startswith(b"PK"):
        return data.decode()
    with ZipFile(BytesIO(data)) as archive:
        return "\n".join(
            f"{name}\n{archive.read(name).decode()}" for name in archive.namelist()
        )


def check_messages(world: World) -> None:
    """Webhooks tell nothing of it, and the feed nothing of what never was public."""
    was_hidden = world.reason in NEVER_PUBLIC - {"newer draft"}
    hidden_pages = [world.target.pk, world.sibling.pk]
    messages = list(WebhookDelivery.objects.values_list("event", "body"))
    assert messages
    for event, text in messages:
        asked = Asked("webhook", event)
        assert told(asked, text) <= NO_SECRETS.get(world.reason, set()), text
        assert not (was_hidden and numbers(asked, text)), text
    names = RelatedTerm.objects.filter(Q(page__in=hidden_pages) | Q(slug=WANTED))
    changes = Change.objects.filter(
        Q(kind="term", object_id__in=hidden_pages)
        | Q(kind="related_term", object_id__in=names.values("pk")),
        site=world.site,
    )
    assert not (was_hidden and changes.exists())


# Only for who may see more, it could make a difference.
@pytest.mark.parametrize("reason", ["login", "password", "newer draft"])
def test_whoever_asks_gets_the_same(client: Client, reason: str, settings: Any) -> None:
    world = make_world(reason, settings)
    matrix = Matrix.of(world)
    clients = readers(world)
    for asked in (*matrix.api(), *matrix.asking(), *matrix.site()):
        if "preview=" in asked.url:  # no cache may keep it, whoever asks
            continue
        response = asked.send(client)
        anyone = (response.status_code, body(response))
        for name, reader in clients.items():
            response = asked.send(reader)
            if "text/html" in response.get("Content-Type", ""):
                continue  # a page without that format
            assert (response.status_code, body(response)) == anyone, (name, asked)
            assert "no-store" in response["Cache-Control"], (name, asked)


def body(response: Any) -> bytes:
    return b"".join(response) if response.streaming else response.content


# At other sites


def test_another_site_tells_no_more(client: Client, settings: Any) -> None:
    """Neither asked by its own name nor by ``site``: what is hidden is hidden there."""
    world = make_world("draft", settings)
    hidden.other_site()
    matrix = Matrix.of(world)
    for asked in (*matrix.api(), *matrix.asking()):
        if asked.body or "preview=" in asked.url:
            continue
        mark = "&" if "?" in asked.url else "?"
        for url, host in (
            (asked.url, OTHER_HOST),
            (f"{asked.url}{mark}site=localhost", OTHER_HOST),
            (f"{asked.url}{mark}site={OTHER_HOST}", "localhost"),
        ):
            response = client.get(url, headers={"host": host})
            assert secrets("draft", asked._replace(url=url), said(response)) == set()
            if "localhost" not in (host, url.partition("site=")[2]):
                assert b"Embedding" not in response.content, url


def test_a_site_shows_its_own(client: Client, settings: Any) -> None:
    world = make_world("other site", settings)
    by_host = client.get(f"{API}terms/{world.target.pk}/", headers={"host": OTHER_HOST})
    assert by_host.json()["title"] == TITLE
    by_name = client.get(f"{API}terms/{world.target.pk}/?site={OTHER_HOST}")
    assert by_name.json()["title"] == TITLE
    assert client.get(f"{API}terms/{world.target.pk}/").status_code == 404


def test_another_language_is_public_but_in_no_list_of_this_one(
    client: Client, settings: Any
) -> None:
    world = make_world("other language", settings)
    for path in (
        *("terms/", "letters/", "categories/", "graph/", "related-terms/?limit=100"),
        *("search/?q=common&facets=category,letter,tag", "search/?q=zzqbody"),
        *("autocomplete/?q=zz", "autocomplete/?q=zzqtitel", f"terms/?slugs={SLUG}"),
        *(f"terms/?category={CATEGORY}", f"terms/?tag={TAG}", "terms/?letter=Z"),
    ):
        asked = Asked("api", API + path)
        assert secrets("", asked, said(asked.send(client))) == set(), path
    asked = Asked("site", "/ai/llms.txt")
    assert told(asked, said(asked.send(client))) == set()
    assert counts(client, world)["under Z"] == (0, 0)
    assert client.get(f"{API}terms/{world.target.pk}/").json()["title"] == TITLE
    found = client.get(f"{API}terms/?locale=fr").json()
    assert found["meta"]["total_count"] == 2


# What was cached


@pytest.mark.parametrize("reason", ["unpublished", "login", "deleted"])
def test_what_is_hidden_is_out_of_the_cache_at_once(
    client: Client, reason: str, settings: Any
) -> None:
    settings.GLOSSARY_API_CACHE = "default"
    world = make_world("public", settings)
    matrix = Matrix.of(world)
    everything = [
        asked
        for asked in (*matrix.api(), *matrix.asking(), *matrix.site())
        if not asked.body and "preview=" not in asked.url
    ]
    known: dict[str, str] = {}
    telling = set()
    for asked in everything:
        response = asked.send(client)
        if "ETag" in response and response.status_code == 200:
            known[asked.url] = response["ETag"]
            again = asked.send(client, headers={"If-None-Match": response["ETag"]})
            assert again.status_code == 304, asked
            if told(asked, said(response)):
                telling.add(asked.url)
    assert len(telling) > 60
    restrict_collection(world.document.collection)
    HIDE[reason](world)
    world.reason = reason
    for asked in everything:
        headers = {"If-None-Match": known.get(asked.url, '"-"')}
        for response in (asked.send(client, headers=headers), asked.send(client)):
            assert response.status_code in (200, 301, 404, 422), asked
            assert secrets(reason, asked, said(response)) == set(), asked


# What cannot be asked


@pytest.fixture
def secretive(client: Client) -> TermPage:
    """A public term with secrets in everything that no field of an API tells."""
    owner = get_user_model().objects.create_user("zzqowner", "zzq@zzq.example", "-")
    glossary = make_glossary("ai")
    data = payload_of(
        slug="token", term="Token", zzqfield="Zzqextra", relatedTerms=[], faq=[]
    )
    term = import_term(glossary, data)
    assert term.payload_extra
    ImportRecord.objects.update(proposal={"title": "Zzqproposal"}, pending=["Zzqname"])
    term.owner = owner
    term.save()
    draft = TermPage.objects.get(pk=term.pk)
    draft.title = draft.short_definition = "Zzqdraft"
    draft.explanation = [section("<p>Zzqdraftbody.</p>")]
    Comment.objects.create(
        page_id=term.pk, text="Zzqcomment", contentpath="title", user=owner
    )
    draft.save_revision(user=owner)
    return TermPage.objects.get(pk=term.pk)


ORACLES = (
    *("Zzqextra", "zzqfield", "zzqowner", "Zzqproposal", "Zzqname", "Zzqdraft"),
    *("Zzqdraftbody", "Zzqcomment", "zzq"),
)


def test_no_search_finds_what_is_in_no_field(
    client: Client, secretive: TermPage
) -> None:
    assert client.get(f"{API}search/?q=token").json()["items"]
    for path in (path for word in ORACLES for path in searches(word)):
        answer = client.get(path).json()
        assert answer["items"] == [], path
        assert not answer.get("did_you_mean"), path


def searches(word: str) -> Iterator[str]:
    for path in (
        *("search/?q=", "autocomplete/?q=", "related-terms/?q=", "terms/?tag="),
        *("terms/?category=", "terms/?slugs="),
    ):
        yield f"{API}{path}{word}"
    for path in ("search=", "title=", "short_definition=", "slug=", "tags="):
        yield f"/api/v2/terms/?{path}{word}"
    yield f"/api/v2/categories/?search={word}"


SECRET_COLUMNS = (
    *("payload_extra", "owner", "owner_id", "owner__username", "draft_title", "live"),
    *("latest_revision", "latest_revision__content", "import_records", "live_revision"),
    *("import_records__source", "url_path", "content_type", "has_unpublished_changes"),
    *("view_restrictions__password", "public_term__sort_key", "locked_by", "expire_at"),
    *("title__startswith", "short_definition__contains", "explanation", "alias_of"),
)


def test_nothing_is_sorted_or_chosen_by_what_is_in_no_field(
    client: Client, secretive: TermPage
) -> None:
    for name in SECRET_COLUMNS:
        check_column(client, secretive, name)


def check_column(client: Client, term: TermPage, name: str) -> None:
    for endpoint in router.ENDPOINTS:
        if endpoint.name == "nuxt_payload":  # passes over what it does not know
            continue
        path = (
            endpoint.path.replace("{int:term_id}", str(term.pk))
            .replace("{int:glossary_id}", str(term.get_parent().pk))
            .replace("{slug}", "token")
        )
        for base in (API, V3):
            status = client.get(f"{base}{path}?{name}=zzq").status_code
            assert status == 422, (path, status)
    for query in (f"order={name}", f"order=-{name}", f"fields=_,{name}"):
        is_field = name in ("explanation",) and query.startswith("fields")
        for base in (API, V3):
            status = client.get(f"{base}terms/?{query}").status_code
            assert status == (200 if is_field else 422), (query, status)
    for query in (f"order={name}", f"{name}=zzq"):
        assert client.get(f"/api/v2/terms/?{query}").status_code == 400, query


# That the matrix would notice

# What says nothing of the term, public or not: numbers alone, for which there is a
# check, an address, what needs a token, or what nothing is at.
SILENT = (
    *("categories/basics/", "letters/", "find/?", "formerly", "changes/?limit=1"),
    *("glossaries/?rich_text=plain", "?format=jsonld", "/llms.txt"),
    *("/snippets/", "/revisions/", "openapi.json", "docs/", "no-such-endpoint"),
)


def test_the_same_shows_what_is_public(client: Client, settings: Any) -> None:
    world = make_world("public", settings)
    matrix = Matrix.of(world)
    words: set[str] = set()
    silent: list[Asked] = []
    for asked in (*matrix.public(), *matrix.wagtail()):
        text = said(asked.send(client))
        words |= told(asked, text)
        if not (told(asked, text) or numbers(asked, text)):
            silent.append(asked)
    may_be = (*SILENT, f"v2/categories/{world.basics.pk}/")
    assert [a for a in silent if not any(part in a.url for part in may_be)] == []
    assert words >= {
        *("zzqtitle", "zzqslug", "zzqheading", "zzqshort", "zzqsection", "zzqbody"),
        *("zzqother", "zzqquestion", "zzqanswer", "zzqpath", "zzqfeature"),
        *("zzqwanted", "zzqsynonym", "zzqa", "zzqinflections", "zzqhiddenlabel"),
        *("zzqtag", "zzqcategory", "zzqcategoryname", "zzqcategorytext", "zzqsibling"),
        *(("zzqseo", "zzqdescription") if hasattr(world.target, "seo_title") else ()),
    }
    assert any(word.startswith("zzqfile") for word in words)
    different = [
        asked
        for asked in (*matrix.asking(), *matrix.site_asking(), *matrix.v2_asking())
        if said(asked.send(client)).replace(MARK, NOBODY)
        != said(asked.renamed(matrix.target).send(client))
    ]
    assert len(different) > 30
    counted = counts(client, world)
    assert counted["terms"] == counted["nodes of the graph"] - 1 == 4
    assert counted["in the category"] == counted["tagged"] == 2
    assert counted["found"] == 3
    assert counted["under Z"] == (2, 2)
    assert counted["backlinks"] == counted["linked by"] == 1


# That nothing is missing from it


def patterns(resolver: Any = None, route: str = "", name: str = "") -> Iterator[Any]:
    """The route, the namespace and the view of each address of the test site."""
    for pattern in (resolver or get_resolver()).url_patterns:
        here = route + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            inner = ":".join(filter(None, (name, pattern.namespace)))
            yield from patterns(pattern, here, inner)
        else:
            yield here, name, pattern


def is_ours(route: str, namespace: str, pattern: Any) -> bool:
    if route.startswith("admin/"):
        return False
    return (
        namespace == "glossary_api"
        or route.startswith("api/v3/glossary/")
        or pattern.callback.__module__.startswith("glossary.")
    )


def test_every_address_is_in_the_matrix() -> None:
    """Admin screens are in the matrices of permissions: see below."""
    ours = {route for route, name, found in patterns() if is_ours(route, name, found)}
    matrix = Matrix(pk=1, glossary=1, target=1, category=1)
    asked = {
        resolve(asked.url.partition("?")[0]).route.replace("^", "")
        for asked in (
            *matrix.public(),
            *matrix.asking(),
            *matrix.site_asking(),
            *matrix.v2_asking(),
        )
    }
    assert ours - asked == set()
    assert len(ours) > 40


def test_every_endpoint_and_parameter_is_in_the_matrix() -> None:
    """Those that choose what is told; the others are tried with bad values where
    parameters are tested."""
    matrix = Matrix(pk=1, glossary=1, target=1, category=1)
    asked: dict[str, set[str]] = {}
    for item in (*matrix.api(), *matrix.asking()):
        path, _, query = item.url.partition("?")
        name = resolve(path).url_name
        asked.setdefault(name, set()).update(
            part.partition("=")[0] for part in query.split("&")
        )
    chosen = {"rich_text", "include", "fields", "facets", "order", "preview", "q"}
    chosen |= {"path", "around", "wanted", "slugs", "ids", "category", "tag", "letter"}
    elsewhere = {  # where the same filters are read by the same code
        "search-terms": {"rich_text", "slugs", "ids", "tag", "letter"},
        "term-by-slug": {"rich_text", "preview"},
        "term-by-path": {"rich_text", "preview"},
        "terms-bulk": {"rich_text"},
        "terms-bulk-post": {"rich_text", "include"},
        "glossary": {"rich_text"},
    }
    for endpoint in router.ENDPOINTS:
        name = endpoint.name.replace("_", "-")
        wanted = endpoint.parameters.names().keys() & chosen
        key = "terms-bulk" if name == "terms-bulk-post" else name
        missing = wanted - asked[key] - elsewhere.get(name, set())
        assert not missing, (name, missing)


SNIPPETS = [
    f"glossary_{model}:{name}"
    for model in ("category", "relatedterm")
    for name in (
        *("list", "list_results", "add"),
        *("edit", "delete", "usage", "history", "history_results"),
    )
]
# Screens of the admin that no other matrix of permissions has, and those of them that
# Wagtail opens to whoever may come into the admin.
CHOOSERS = {
    f"wagtailsnippetchoosers_glossary_{model}:{name}"
    for model in ("category", "relatedterm")
    for name in ("choose", "choose_results", "chosen", "chosen_multiple")
}
SCREENS = {
    *("glossary_terms:index", "glossary_terms:index_results"),
    *("glossary_terms:choose_parent", "glossary_previews:term"),
    *(f"wagtailsnippets_{name}" for name in SNIPPETS),
    "wagtailsnippets_glossary_category:reorder",
    "wagtailsnippetchoosers_glossary_category:create",
    "wagtailsnippetchoosers_glossary_relatedterm:create",
    *CHOOSERS,
}


def screens() -> set[str]:
    return {
        f"{name}:{pattern.name}"
        for route, name, pattern in patterns()
        if route.startswith("admin/") and "glossary" in name
    }


def test_every_screen_is_in_a_matrix_of_permissions() -> None:
    webhooks = {f"glossary_webhooks:{name}" for name in test_webhook_admin.MATRIX}
    imports = {*test_admin_import_permissions.MATRIX}
    assert screens() == webhooks | imports | SCREENS


@pytest.mark.parametrize("role", ["anonymous", "reader", "someone with other pages"])
def test_screens_tell_nothing_to_those_without_rights(
    client: Client, role: str, settings: Any
) -> None:
    world = make_world("draft", settings)
    if role != "anonymous":
        user = get_user_model().objects.create_user("somebody")
        if role != "reader":
            group = Group.objects.create(name="Admins")
            group.permissions.add(Permission.objects.get(codename="access_admin"))
            other = home_page().add_child(
                instance=type(home_page())(title="Other", slug="other")
            )
            for codename in ("add_page", "change_page", "publish_page"):
                GroupPagePermission.objects.create(
                    group=group,
                    page_id=other.pk,
                    permission=Permission.objects.get(
                        codename=codename, content_type__app_label="wagtailcore"
                    ),
                )
            user.groups.add(group)
        client.force_login(user)
    # Names that the choosers of Wagtail show whoever may come into the admin.
    names = {"zzqcategoryname", "zzqtitle", "zzqslug", "zzqsibling", "zzqwanted"}
    for name in SCREENS:
        for method in ("get", "post"):
            response = getattr(client, method)(screen(name, world))
            allowed: set[str] = set()
            if response.status_code == 200:
                assert role == "someone with other pages", name
                assert name in CHOOSERS or name.startswith("glossary_terms:"), name
                allowed = names if name in CHOOSERS else {"zzqcategoryname"}
            else:
                assert response.status_code in (302, 404, 405), (name, method)
            assert marks(said(response)) <= allowed, (name, method)


def screen(name: str, world: World) -> str:
    """The address of a screen, about what is hidden."""
    target = world.target.category_id if "category" in name else world.known.pk
    if name == "glossary_previews:term":
        target = world.target.pk
    try:
        return reverse(name)
    except NoReverseMatch:
        return reverse(name, args=[target])
