"""Who may use which import and export screen, and by which method: every address that
there is, held against every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from glossary.importing.jobs import begin_apply, begin_import
from glossary.importing.options import OnConflict, Options
from glossary.models import GlossaryPage, ImportItem, ImportRecord, ImportRun, TermPage

from .factories import home_page, make_glossary, make_term
from .test_admin_imports import lines, record, rights


pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# Who imports here; and who may do so in another glossary, elsewhere or nowhere.
HERE = {"editor", "moderator", "superuser"}
STRANGERS = {"other_glossary", "other_section"}
OUTSIDERS = {"anonymous", "no_access"}
ROLES = sorted(HERE | STRANGERS | OUTSIDERS)

# Each address: whose id it takes, who may use it, and by which methods.
MATRIX: dict[str, tuple[str, set[str], set[str]]] = {
    "glossary_imports:index": ("", HERE | {"other_glossary"}, {"get"}),
    "glossary_imports:index_results": ("", HERE | {"other_glossary"}, {"get"}),
    "glossary_imports:new": ("", HERE | {"other_glossary"}, {"get", "post"}),
    "glossary_imports:run": ("run", HERE, {"get"}),
    "glossary_imports:run_results": ("run", HERE, {"get"}),
    "glossary_imports:progress": ("run", HERE, {"get"}),
    "glossary_imports:report": ("run", HERE, {"get"}),
    "glossary_imports:stop": ("run", HERE, {"post"}),
    "glossary_imports:decide": ("run", HERE, {"post"}),
    "glossary_imports:apply": ("run", HERE, {"post"}),
    "glossary_imports:go_on": ("run", HERE, {"post"}),
    "glossary_imports:discard": ("run", HERE, {"post"}),
    "glossary_imports:undo": ("done", HERE, {"get", "post"}),
    "glossary_imports:item": ("item", HERE, {"get"}),
    "glossary_imports:proposals": ("record", HERE, {"get"}),
    "glossary_imports:take": ("record", HERE, {"post"}),
    "glossary_imports:keep": ("record", HERE, {"post"}),
    "glossary_imports:provenance": ("page", HERE, {"get"}),
    "glossary_exports:index": ("", HERE | {"other_glossary"}, {"get"}),
}
PREFIXES = ("glossary_imports", "glossary_exports")


def addresses(resolver: Any = None, namespace: str = "") -> Iterator[str]:
    """The names of all addresses of these screens that the site answers to."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, pattern.namespace or namespace)
        elif namespace in PREFIXES:
            yield f"{namespace}:{pattern.name}"


def test_every_address_is_in_the_matrix():
    assert set(addresses()) == set(MATRIX)


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai", title="AI")


@pytest.fixture
def objects(
    glossary: GlossaryPage,
    django_user_model: Any,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> dict[str, Any]:
    """A run that waits to be applied, one that is done, and what they left."""
    owner = User.objects.create_superuser("owner")

    def plan(*records: Any) -> ImportRun:
        file = lines(*records)
        with django_capture_on_commit_callbacks(execute=True):
            run = begin_import(
                glossary,
                [(file.name, [file.read()])],
                source="old site",
                options=Options(source="old site"),
                user=owner,
            )
        run.refresh_from_db()
        return run

    def apply(run: ImportRun) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            begin_apply(run, OnConflict.DRAFT)
        run.refresh_from_db()
        assert run.status == ImportRun.Status.FINISHED, run.message

    done = plan(record("token"))
    apply(done)
    page = TermPage.objects.get()
    page.short_definition = "The canary of a draft."
    page.save_revision()
    apply(plan(record("token", shortDefinition="Theirs.")))
    known = ImportRecord.objects.get()
    assert known.proposal
    run = plan(record("token", shortDefinition="Theirs again."))
    assert run.status == ImportRun.Status.PLANNED
    return {
        "run": run,
        "done": done,
        "item": run.items.get(),
        "record": known,
        "page": page,
    }


@pytest.fixture
def client_of(glossary: GlossaryPage, client: Client) -> Callable[..., Client]:
    """Return a function that signs in someone with a role."""

    def sign_in(role: str, client: Client = client) -> Client:
        if role == "anonymous":
            return client
        if role == "superuser":
            user = User.objects.create_superuser("somebody")
        else:
            user = User.objects.create_user("somebody")
        groups: dict[str, Callable[[], Group]] = {
            "no_access": lambda: rights((glossary, "change"), admin=False),
            "other_section": lambda: rights((make_section(), "change")),
            "other_glossary": lambda: rights((make_glossary("other"), "change")),
            "editor": lambda: rights((glossary, "add"), (glossary, "change")),
            "moderator": lambda: rights(
                (glossary, "add"), (glossary, "change"), (glossary, "publish")
            ),
        }
        if role in groups:
            user.groups.add(groups[role]())
        client.force_login(user)
        return client

    return sign_in


def make_section() -> Any:
    """A page that is no glossary, and below which there is none."""
    Page = TermPage.base_page_model
    section = Page(title="Section", slug="section")
    home_page().add_child(instance=section)
    return section


def url(name: str, objects: dict[str, Any]) -> str:
    needs = MATRIX[name][0]
    return reverse(name, args=[objects[needs].pk] if needs else [])


def everything() -> list[Any]:
    """What no refused request may have changed."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (ImportRun, ImportItem, ImportRecord)
    ] + [
        list(TermPage.objects.values_list("pk", "live", "latest_revision")),
        TermPage.objects.get().revisions.count(),
    ]


def expected(name: str, role: str, method: str) -> str:
    _needs, allowed, methods = MATRIX[name]
    if role in OUTSIDERS:
        return "login"
    if role not in allowed:
        return "refused"
    return "answered" if method in methods else "405"


def outcome(response: Any) -> str:
    if response.status_code == 302:
        if response.url.startswith(reverse("wagtailadmin_login")):
            return "login"
        return "refused" if response.url == reverse("wagtailadmin_home") else "answered"
    return "answered" if response.status_code == 200 else str(response.status_code)


@pytest.mark.parametrize("role", ROLES)
def test_addresses_answer_to_those_who_may(
    role, objects, client_of, django_capture_on_commit_callbacks
):
    client = client_of(role)
    for name in MATRIX:
        for method in ("get", "post"):
            wanted = expected(name, role, method)
            if (method, wanted) == ("post", "answered"):
                continue  # changes something: each has a test of its own
            before = everything()
            response = getattr(client, method)(url(name, objects))
            assert outcome(response) == wanted, (name, method)
            assert everything() == before, (name, method)


@pytest.mark.parametrize("name", [name for name in MATRIX if "post" in MATRIX[name][2]])
@pytest.mark.parametrize("role", ["editor", "moderator", "superuser"])
def test_posts_of_those_who_may_are_answered(role, name, objects, client_of):
    response = client_of(role).post(url(name, objects), {"on_conflict": "draft"})
    assert outcome(response) == "answered"


@pytest.mark.parametrize("name", [name for name in MATRIX if "post" in MATRIX[name][2]])
def test_nothing_changes_without_a_token(name, objects, client_of):
    client = client_of("superuser", Client(enforce_csrf_checks=True))
    before = everything()
    assert client.post(url(name, objects)).status_code == 403
    assert everything() == before


@pytest.mark.parametrize("name", [name for name in MATRIX if MATRIX[name][0]])
def test_ids_that_do_not_exist_are_not_found(name, client_of):
    client = client_of("superuser")
    for pk in (0, 999_999):
        for method in MATRIX[name][2]:
            address = reverse(name, args=[pk])
            assert getattr(client, method)(address).status_code == 404


# What is seen of others


def test_runs_of_other_glossaries_are_not_listed(objects, client_of):
    client = client_of("other_glossary")
    for name in ("glossary_imports:index", "glossary_imports:index_results"):
        response = client.get(reverse(name))
        assert list(response.context["table"].data) == []
    form = client.get(reverse("glossary_imports:new")).context["form"]
    assert [title for _pk, title in form.fields["glossary"].choices] == ["Other"]
    assert [key for key, _label in form.fields["source"].choices] == [""]
    text = client.get(reverse("glossary_imports:index")).content.decode()
    assert "owner" not in text


def test_nothing_is_imported_into_another_glossary(objects, glossary, client_of):
    data = {
        "glossary": glossary.pk,
        "new_source": "mine",
        "files": lines(record("token")),
        "on_conflict": "theirs",
        "orphans": "report",
        "orphan_limit": 10,
    }
    before = everything()
    response = client_of("other_glossary").post(reverse("glossary_imports:new"), data)
    assert set(response.context["form"].errors) == {"glossary"}
    assert everything() == before


def test_text_of_a_page_is_seen_by_those_who_may_edit_it(objects, glossary, client):
    # Who may add terms sees the run, but not what others have written.
    user = User.objects.create_user("writer")
    user.groups.add(rights((glossary, "add")))
    client.force_login(user)
    run, item = objects["run"], objects["item"]
    for name, pk in (
        ("item", item.pk),
        ("run", run.pk),
        ("report", run.pk),
    ):
        response = client.get(reverse(f"glossary_imports:{name}", args=[pk]))
        assert response.status_code == 200
        content = response.getvalue().decode()
        assert "canary" not in content, name
    shown = client.get(reverse("glossary_imports:item", args=[item.pk]))
    assert not shown.context["is_shown"]
    for name in ("proposals", "take", "keep"):
        address = reverse(f"glossary_imports:{name}", args=[objects["record"].pk])
        assert client.post(address).url == reverse("wagtailadmin_home")


def test_who_may_edit_a_page_sees_its_text(objects, client_of):
    client = client_of("editor")
    for name, pk in (("item", objects["item"].pk), ("report", objects["run"].pk)):
        response = client.get(reverse(f"glossary_imports:{name}", args=[pk]))
        assert "canary" in response.getvalue().decode()


def test_a_page_that_was_moved_is_decided_where_it_stands(objects, client_of):
    other = make_glossary("elsewhere")
    objects["page"].move(other, "last-child")
    client = client_of("editor")
    address = reverse("glossary_imports:proposals", args=[objects["record"].pk])
    assert client.get(address).url == reverse("wagtailadmin_home")
    item = reverse("glossary_imports:item", args=[objects["item"].pk])
    assert "canary" not in client.get(item).content.decode()


def test_a_run_is_no_link_for_those_who_may_not_see_it(objects, glossary, client):
    other = make_glossary("elsewhere")
    objects["page"].move(other, "last-child")
    user = User.objects.create_user("their editor")
    user.groups.add(rights((other, "change")))
    client.force_login(user)
    address = reverse("glossary_imports:provenance", args=[objects["page"].pk])
    page = client.get(address).content.decode()
    assert f"Import #{objects['record'].run_id}" in page
    assert reverse("glossary_imports:run", args=[objects["record"].run_id]) not in page


def test_the_menu_offers_what_one_may_use(glossary, client_of):
    for role, offered in (
        ("editor", True),
        ("other_section", False),
    ):
        client = client_of(role, Client())
        home = client.get(reverse("wagtailadmin_home")).content.decode()
        assert (reverse("glossary_imports:index") in home) is offered
        User.objects.filter(username="somebody").delete()
        Group.objects.filter(name="Some group").delete()


def test_nothing_of_an_upload_lies_in_the_media_folder(objects):
    assert default_storage.listdir("") == ([], [])


def test_the_file_of_an_upload_is_called_by_its_name_alone(
    glossary, client_of, django_capture_on_commit_callbacks
):
    client = client_of("superuser")
    for number, name in enumerate(("../../x.jsonl", "C:\\x.jsonl", "/etc/x.jsonl")):
        data = {
            "glossary": glossary.pk,
            "new_source": f"source {number}",
            "files": lines(record("token"), name=name),
            "on_conflict": "draft",
            "orphans": "report",
            "orphan_limit": 10,
        }
        with django_capture_on_commit_callbacks(execute=True):
            client.post(reverse("glossary_imports:new"), data)
        run = ImportRun.objects.latest("pk")
        assert run.items.get().place == "x.jsonl"


def test_an_unpublished_term_belongs_to_its_glossary(glossary):
    # So that the rights of the glossary decide for it as well.
    assert make_term(glossary, "draft", live=False).glossary == glossary
