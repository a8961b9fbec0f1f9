"""How answers leave the API: conditions, caches, tokens, rates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.http import http_date
from wagtail.models import APIToken, Site

from glossary.api import delivering
from glossary.api.delivering import Answer, Policy
from glossary.delivery import versions
from glossary.models import TermPage, Version

from .factories import home_page, make_glossary, make_term


pytestmark = pytest.mark.django_db

API = "/api/glossary/v1/"
PUBLIC = "public, max-age=60, s-maxage=3600, stale-while-revalidate=86400"


@pytest.fixture(autouse=True)
def nothing_left_over() -> None:
    cache.clear()


@pytest.fixture
def term() -> TermPage:
    return make_term(make_glossary("ai"), "embedding")


@pytest.fixture
def url(term: TermPage) -> str:
    # What changed in this very second has no time that would tell it apart.
    past = datetime.now(UTC) - timedelta(seconds=10)
    Version.objects.update(modified=past)
    return f"{API}terms/{term.pk}/"


def test_an_answer_says_what_caches_may_do_with_it(
    client: Client, term: TermPage, url: str
) -> None:
    response = client.get(url)
    assert response["Cache-Control"] == PUBLIC
    assert response["ETag"].startswith('"')
    assert response["Last-Modified"] == http_date(
        versions.current().modified.timestamp()
    )
    assert "Authorization" in response["Vary"]
    assert response["Surrogate-Key"].split()[:2] == ["glossary", f"term:{term.pk}"]
    assert response["Cache-Tag"] == response["Surrogate-Key"].replace(" ", ",")
    assert int(response["Content-Length"]) == len(response.content)
    assert b": " not in response.content.split(b'"title"')[0]


def test_ages_are_settings(client: Client, url: str, settings: Any) -> None:
    settings.GLOSSARY_API_MAX_AGE, settings.GLOSSARY_API_S_MAXAGE = 5, 7
    assert client.get(url)["Cache-Control"].startswith(
        "public, max-age=5, s-maxage=7, "
    )


def test_head_has_the_headers_of_get_and_no_body(client: Client, url: str) -> None:
    for address in (url, f"{API}terms/", f"{API}terms/0/", f"{API}terms/?nope=1"):
        get, head = client.get(address), client.head(address)
        assert head.status_code == get.status_code
        assert dict(head.headers) == dict(get.headers)
        assert head.content == b""


# Conditions


@pytest.mark.parametrize("form", ["%s", "W/%s", '"other", %s'])
def test_what_a_client_has_it_is_not_sent_again(
    client: Client, url: str, form: str, django_assert_num_queries: Any
) -> None:
    etag = client.get(url)["ETag"]
    cache.clear()
    with django_assert_num_queries(1):
        response = client.get(url, headers={"If-None-Match": form % etag})
    assert response.status_code == 304
    assert response["ETag"] == etag
    assert response["Cache-Control"] == PUBLIC
    assert response.content == b""
    assert "Content-Type" not in response
    assert client.head(url, headers={"If-None-Match": form % etag}).status_code == 304


def test_a_change_makes_another_answer(
    client: Client, term: TermPage, url: str
) -> None:
    etag = client.get(url)["ETag"]
    term.title = "Vector"
    term.save_revision().publish()
    response = client.get(url, headers={"If-None-Match": etag})
    assert response.status_code == 200
    assert response.json()["title"] == "Vector"
    assert response["ETag"] != etag


def test_answers_of_different_addresses_have_different_tags(
    client: Client, url: str
) -> None:
    tags = [
        client.get(url)["ETag"],
        client.get(f"{url}?rich_text=plain")["ETag"],
        client.get(url, headers={"host": "other.example"})["ETag"],
        client.get(url, secure=True)["ETag"],
        client.get(f"{API}terms/")["ETag"],
    ]
    assert len(set(tags)) == len(tags)


def test_settings_that_an_answer_depends_on_are_in_its_tag(
    client: Client, url: str, settings: Any
) -> None:
    etag = client.get(url)["ETag"]
    settings.WAGTAILAPI_BASE_URL = "https://api.example.com"
    response = client.get(url, headers={"If-None-Match": etag})
    assert response.status_code == 200
    detail_url = response.json()["meta"]["detail_url"]
    assert detail_url == f"https://api.example.com{url}"


def test_a_time_will_do_as_a_condition(client: Client, url: str) -> None:
    modified = client.get(url)["Last-Modified"]
    response = client.get(url, headers={"If-Modified-Since": modified})
    assert response.status_code == 304
    before = http_date(versions.current().modified.timestamp() - 1)
    response = client.get(url, headers={"If-Modified-Since": before})
    assert response.status_code == 200


def test_the_second_of_a_change_is_no_condition(client: Client, term: TermPage) -> None:
    url = f"{API}terms/{term.pk}/"
    Version.objects.update(modified=datetime.now(UTC) + timedelta(seconds=10))
    response = client.get(url)
    assert "Last-Modified" not in response
    later = http_date(datetime.now(UTC).timestamp() + 100)
    response = client.get(url, headers={"If-Modified-Since": later})
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["terms/0/", "terms/?nope=1", "nothing/"])
def test_conditions_are_for_what_is_there(client: Client, url: str, path: str) -> None:
    later = http_date(datetime.now(UTC).timestamp() + 100)
    for headers in ({"If-None-Match": "*"}, {"If-Modified-Since": later}):
        assert client.get(f"{API}{path}", headers=headers).status_code in (404, 422)
    assert client.get(url, headers={"If-None-Match": "*"}).status_code == 304


def test_another_version_than_the_one_asked_for_is_a_problem(
    client: Client, url: str
) -> None:
    etag = client.get(url)["ETag"]
    assert client.get(url, headers={"If-Match": etag}).status_code == 200
    response = client.get(url, headers={"If-Match": '"other"', "If-None-Match": etag})
    assert response.status_code == 412
    assert response["Content-Type"] == "application/problem+json"


# The cache of answers


def test_an_answer_is_rendered_once(
    client: Client, url: str, django_assert_num_queries: Any
) -> None:
    first = client.get(url)
    with django_assert_num_queries(1):
        second = client.get(url)
    assert second.content == first.content
    assert dict(second.headers) == dict(first.headers)
    with django_assert_num_queries(1):
        client.head(url)


def test_what_is_kept_is_never_stale(client: Client, term: TermPage, url: str) -> None:
    client.get(url)
    term.unpublish()
    assert client.get(url).status_code == 404
    term.save_revision().publish()
    assert client.get(url).status_code == 200


def test_the_cache_is_a_setting(client: Client, url: str, settings: Any) -> None:
    in_memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = {
        "default": in_memory,
        "answers": {**in_memory, "LOCATION": "answers"},
    }
    settings.GLOSSARY_API_CACHE = "answers"
    name = client.get(url)["ETag"].strip('"')
    assert caches["answers"].get(f"glossary:{name}")
    assert caches["default"].get(f"glossary:{name}") is None
    settings.GLOSSARY_API_CACHE = None
    caches["answers"].clear()
    assert client.get(url).status_code == 200
    assert caches["answers"].get(f"glossary:{name}") is None


def test_a_broken_off_transaction_leaves_nothing_wrong_behind(
    client: Client, term: TermPage, url: str
) -> None:
    from django.db import transaction

    class Broken(Exception):
        pass

    try:
        with transaction.atomic():
            term.title = "Never"
            term.save_revision().publish()
            inside = versions.current()
            assert client.get(url).json()["title"] == "Never"
            raise Broken
    except Broken:
        pass
    term.refresh_from_db()
    term.title = "Ever"
    term.save_revision().publish()
    while versions.current().number < inside.number:
        versions.touch()
    assert client.get(url).json()["title"] == "Ever"


def test_problems_are_not_kept(client: Client, term: TermPage) -> None:
    for path in ("terms/0/", "terms/?nope=1", "nothing/"):
        response = client.get(f"{API}{path}")
        assert response["Cache-Control"] == "no-store"
        assert "ETag" not in response
        assert response["Content-Type"] == "application/problem+json"


def test_before_anything_has_changed_nothing_is_kept(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    Version.objects.all().delete()
    response = client.get(f"{API}terms/")
    assert response.status_code == 200
    assert "ETag" not in response
    assert response["Cache-Control"] == "public, max-age=60"


def test_an_answer_does_not_depend_on_the_language_of_the_reader(
    client: Client, url: str
) -> None:
    french = client.get(url, headers={"Accept-Language": "fr"})
    cache.clear()
    english = client.get(url, headers={"Accept-Language": "en"})
    assert french.content == english.content
    assert french["ETag"] == english["ETag"]


def test_what_is_not_versioned_has_no_tag() -> None:
    from django.http import HttpRequest, HttpResponse

    def run(request: HttpRequest) -> HttpResponse:
        return Answer({"a": 1})

    request = HttpRequest()
    request.method = "GET"
    request.META["HTTP_HOST"] = "testserver"
    policy = Policy(is_versioned=lambda: False)
    response = delivering.deliver(policy)(run)(request)
    assert response.content == b'{"a":1}'
    assert "ETag" not in response
    assert response["Cache-Control"] == "public, max-age=60"


def test_half_a_character_does_not_break_an_answer() -> None:
    answer = Answer({"a": ["x\ud800y", {"b": "\ude00"}, "\U0001f600"]})
    assert answer.content.decode() == '{"a":["x\ufffdy",{"b":"\ufffd"},"\U0001f600"]}'


# Sessions and tokens


def token_client(name: str = "token") -> tuple[APIToken, Client]:
    user = get_user_model().objects.create_user(name, f"{name}@example.com", "-")
    token, plaintext = APIToken.create_token(user=user, name=name)
    return token, Client(headers={"authorization": f"Bearer {plaintext}"})


def test_a_session_gets_the_same_answer_privately(client: Client, url: str) -> None:
    public = client.get(url)
    client.force_login(get_user_model().objects.create_superuser("root", "r@x.yz", "-"))
    private = client.get(url)
    assert private.content == public.content
    assert private["Cache-Control"] == "private, no-store"
    response = client.get(url, headers={"If-None-Match": public["ETag"]})
    assert (response.status_code, response["Cache-Control"]) == (
        304,
        "private, no-store",
    )


def test_a_token_gets_the_same_answer_privately(client: Client, url: str) -> None:
    _token, holder = token_client()
    response = holder.get(url)
    assert response.content == client.get(url).content
    assert response["Cache-Control"] == "private, no-store"
    assert client.get(url)["Cache-Control"] == PUBLIC


def test_a_token_that_is_not_valid_is_told(url: str, client: Client) -> None:
    token, holder = token_client()
    inactive, sleeper = token_client("inactive")
    client.get(url)
    token.revoke()
    inactive.user.is_active = False
    inactive.user.save()
    made_up = Client(headers={"authorization": "bearer \xff\x00x"})
    for who in (holder, sleeper, made_up, Client(headers={"authorization": "Bearer"})):
        response = who.get(url)
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer")
        assert response["Content-Type"] == "application/problem+json"
        assert response["Cache-Control"] == "no-store"


def test_credentials_for_a_proxy_are_not_ours(client: Client, url: str) -> None:
    response = client.get(url, headers={"authorization": "Basic dXNlcjpwYXNz"})
    assert response.status_code == 200


# Rates


def test_dear_answers_have_a_rate(client: Client, url: str, settings: Any) -> None:
    settings.GLOSSARY_API_RATES = {"search": "2/m", "autocomplete": None}
    addresses = [f"{API}search/?q=word{number}" for number in range(3)]
    assert [client.get(item).status_code for item in addresses] == [200, 200, 429]
    refused = client.get(addresses[2])
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["Content-Type"] == "application/problem+json"
    # What is kept costs nothing, and another client has a rate of its own.
    assert client.get(addresses[0]).status_code == 200
    assert client.get(addresses[2], REMOTE_ADDR="192.0.2.7").status_code == 200
    for number in range(5):
        response = client.get(f"{API}autocomplete/?q=word{number}")
        assert response.status_code == 200
    settings.GLOSSARY_API_RATES = None
    assert client.get(addresses[2]).status_code == 200


def test_strange_names_of_clients_are_counted_as_well(
    client: Client, url: str, settings: Any
) -> None:
    settings.GLOSSARY_API_RATES = {"search": "1/m"}
    headers = {"X-Forwarded-For": "\x7f é" * 100}
    answers = [client.get(f"{API}search/?q=a{n}", headers=headers) for n in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


def test_posting_is_not_kept(client: Client, url: str) -> None:
    body = {"slugs": ["embedding"]}
    response = client.post(f"{API}terms/bulk/", body, content_type="application/json")
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"
    assert "ETag" not in response


def test_queries_of_a_first_answer_are_bounded(client: Client, url: str) -> None:
    client.get(f"{API}letters/")  # the scope is known
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    assert len(queries) <= 13


def test_a_client_cannot_name_itself_anew(client: Client, url: str, settings: Any):
    settings.GLOSSARY_API_RATES = {"search": "1/m"}
    statuses = [
        client.get(
            f"{API}search/?q=word{number}",
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        ).status_code
        for number in range(3)
    ]
    assert statuses == [200, 429, 429]


def test_sites_of_one_name_are_told_apart_by_their_port(client: Client, url: str):
    home = home_page()
    second = type(home)(title="Second", slug="second")
    home.get_parent().add_child(instance=second)
    for port, root in ((8001, home), (8002, second)):
        Site.objects.create(hostname="two.example", port=port, root_page=root)
    found = [
        client.get(
            f"{API}glossaries/", headers={"host": "two.example"}, SERVER_PORT=port
        )
        for port in ("8001", "8002")
    ]
    assert [len(response.json()["items"]) for response in found] == [1, 0]
    assert found[0]["ETag"] != found[1]["ETag"]


def test_a_host_is_not_the_name_of_a_site(client: Client, url: str, settings: Any):
    settings.ALLOWED_HOSTS = ["*"]
    assert client.get(f"{API}terms/", headers={"host": "no.example"}).status_code == 200
    assert client.get(f"{API}terms/?site=no.example").status_code == 422


def test_backlinks_are_purged_with_what_others_are_called(
    client: Client, term: TermPage, url: str
) -> None:
    site = Site.objects.get(is_default_site=True).pk
    assert f"list:{site}" in client.get(f"{url}?include=backlinks")["Surrogate-Key"]
    assert f"list:{site}" not in client.get(url)["Surrogate-Key"]


def test_what_nuxt_adds_makes_no_other_answer(client: Client, term: TermPage) -> None:
    address = f"{API}payload/{term.slug}/_payload.json"
    tags = {client.get(f"{address}?{number}")["ETag"] for number in range(3)}
    assert len(tags) == 1
    named = client.get(f"{address}?glossary={term.get_parent().slug}")
    assert named["ETag"] not in tags


def test_several_glossaries_can_be_asked_for(client: Client, term: TermPage) -> None:
    make_term(make_glossary("law"), "contract")
    make_term(make_glossary("art"), "oil")
    found = client.get(f"{API}terms/?glossary=ai&glossary=law").json()["items"]
    assert [item["title"] for item in found] == ["Contract", "Embedding"]
