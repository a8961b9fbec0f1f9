"""Caches in front of a site lose what has changed, and nothing else breaks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import Site

from glossary.delivery.purge_backends import (
    Backend,
    Cloudflare,
    Fastly,
    Proxy,
    PurgeError,
    configured,
)
from glossary.delivery.purging import purge, purge_former_address, purge_tags
from glossary.delivery.tags import (
    ANY_CHANGE,
    EVERYTHING,
    LONGEST_HEADER,
    MOST_CHANGES,
    tag_headers,
    tags_for,
    tags_of_changes,
)
from glossary.models import Change

from .factories import make_category, make_glossary, make_term


class Asked(NamedTuple):
    """A request that a cache was sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def host(self) -> str:
        return self.headers["host"]


class Cache:
    """A server that stands for a cache: it answers as told, and remembers."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[tuple[int, bytes]] = []
        self.location = ""
        self.delay = threading.Event()
        self.is_slow = False
        cache = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(length)
                cache.asked.append(Asked(self.command, self.path, headers, body))
                if cache.is_slow:
                    cache.delay.wait(10)
                    return
                answers = cache.answers
                status, text = answers.pop(0) if answers else (200, b'{"success":true}')
                self.send_response(status)
                if cache.location:
                    self.send_header("Location", cache.location)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_PURGE = do_BAN = do_GET = answer

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[0.01], daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self.delay.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def make_cache() -> Iterator[Callable[[], Cache]]:
    caches: list[Cache] = []

    def make() -> Cache:
        caches.append(Cache())
        return caches[-1]

    yield make
    for cache in caches:
        cache.stop()


@pytest.fixture
def cache(make_cache: Callable[[], Cache]) -> Cache:
    return make_cache()


def change(kind: str, pk: int, *, site: int = 1, deleted: bool = False) -> Change:
    return Change(site_id=site, kind=kind, object_id=pk, number=1, deleted=deleted)


# Tags


def test_tags_are_told_to_every_kind_of_cache() -> None:
    headers = tag_headers([*tags_for("term", [3, 5]), *tags_for("list", [1]), "term:3"])
    assert headers == {
        "Surrogate-Key": "glossary term:3 term:5 list:1",
        "Cache-Tag": "glossary,term:3,term:5,list:1",
    }


def test_too_many_tags_become_one_that_every_change_purges() -> None:
    headers = tag_headers(tags_for("term", range(10**9, 10**9 + 1000)))
    assert headers["Surrogate-Key"] == f"{EVERYTHING} {ANY_CHANGE}"
    assert headers["Cache-Tag"] == f"{EVERYTHING},{ANY_CHANGE}"
    assert ANY_CHANGE in tags_of_changes([change("term", 1)])


@pytest.mark.parametrize("tag", ["", "a b", "a,b", "a\r\nX-Evil: 1", "é", "a\x00"])
def test_a_tag_that_no_header_can_hold_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="cache tag"):
        tag_headers([tag])


def test_there_are_no_other_kinds_of_tag() -> None:
    with pytest.raises(ValueError, match="'page'"):
        tags_for("page", [1])


def test_a_change_purges_its_object_and_the_lists_of_its_site() -> None:
    changes = [change("term", 3), change("related_term", 8, site=2, deleted=True)]
    assert tags_of_changes(changes) == {
        ANY_CHANGE,
        *("term:3", "list:1"),
        *("related_term:8", "list:2"),
    }
    assert tags_of_changes([]) == set()


def test_an_import_purges_everything_at_once() -> None:
    many = [change("term", pk) for pk in range(MOST_CHANGES + 1)]
    assert tags_of_changes(many) == {EVERYTHING}
    assert len(tags_of_changes(many[:-1])) == MOST_CHANGES + 2


@given(
    st.dictionaries(
        st.sampled_from(["term", "glossary", "category", "related_term", "list"]),
        st.sets(st.integers(1, 2**63 - 1), max_size=150),
    ),
    st.sampled_from(["term", "glossary", "category", "related_term"]),
    st.data(),
)
def test_whatever_an_answer_holds_is_purged_by_its_change(
    held: dict[str, set[int]], kind: str, data: st.DataObject
) -> None:
    tags = [tag for kind, ids in held.items() for tag in tags_for(kind, ids)]
    headers = tag_headers(tags)
    told = set(headers["Surrogate-Key"].split(" "))
    assert told == set(headers["Cache-Tag"].split(","))
    assert all(len(value) <= LONGEST_HEADER for value in headers.values())
    if held.get(kind):
        pk = data.draw(st.sampled_from(sorted(held[kind])))
        assert told & tags_of_changes([change(kind, pk)])


# Back ends


def test_a_proxy_is_told_by_a_request_of_its_own(cache: Cache) -> None:
    Proxy({"LOCATION": cache.url}).purge_tags(["term:3", "list:1"])
    banned = {"LOCATION": f"{cache.url}/at", "METHOD": "ban", "HEADER": "xkey-purge"}
    Proxy(banned).purge_tags(["term:3"])
    first, second = cache.asked
    assert (first.method, first.path, first.headers["xkey"]) == (
        "PURGE",
        "/",
        "term:3 list:1",
    )
    assert (second.method, second.path, second.headers["xkey-purge"]) == (
        "BAN",
        "/at",
        "term:3",
    )


def test_cloudflare_gets_at_most_a_hundred_tags_a_call(cache: Cache) -> None:
    backend = Cloudflare({"ZONE": "z/1", "TOKEN": "secret", "ENDPOINT": cache.url})
    tags = tags_for("term", range(250))
    backend.purge_tags(tags)
    assert {(item.method, item.path) for item in cache.asked} == {
        ("POST", "/zones/z%2F1/purge_cache")
    }
    assert cache.asked[0].headers["authorization"] == "Bearer secret"
    assert cache.asked[0].headers["content-type"] == "application/json"
    sent = [json.loads(item.body)["tags"] for item in cache.asked]
    assert [len(part) for part in sent] == [100, 100, 50]
    assert [tag for part in sent for tag in part] == tags


@pytest.mark.parametrize(
    "body",
    [
        b'{"success": false, "errors": [{"code": 10000}]}',
        b"<html>",
        b"[]",
        b"\xff",
        b"",
    ],
)
def test_cloudflare_can_refuse_with_a_success(cache: Cache, body: bytes) -> None:
    cache.answers = [(200, body)]
    backend = Cloudflare({"ZONE": "z", "TOKEN": "secret", "ENDPOINT": cache.url})
    with pytest.raises(PurgeError) as caught:
        backend.purge_tags(["term:3"])
    assert "secret" not in str(caught.value)
    assert len(cache.asked) == 1


def test_fastly_gets_at_most_256_keys_a_call(cache: Cache) -> None:
    params = {"SERVICE": "s1", "TOKEN": "secret", "ENDPOINT": cache.url}
    tags = tags_for("term", range(300))
    Fastly(params).purge_tags(tags)
    Fastly({**params, "SOFT": True}).purge_tags(["term:3"])
    *hard, soft = cache.asked
    assert {(item.method, item.path) for item in hard} == {
        ("POST", "/service/s1/purge")
    }
    assert hard[0].headers["fastly-key"] == "secret"
    assert "fastly-soft-purge" not in hard[0].headers
    assert soft.headers["fastly-soft-purge"] == "1"
    sent = [item.headers["surrogate-key"].split(" ") for item in hard]
    assert [len(part) for part in sent] == [256, 44]
    assert [tag for part in sent for tag in part] == tags


@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_may_be_over_is_tried_again_once(cache: Cache, status: int) -> None:
    cache.answers = [(status, b""), (200, b"")]
    Proxy({"LOCATION": cache.url}).purge_tags(["term:3"])
    assert len(cache.asked) == 2
    cache.answers = [(status, b"")] * 3
    with pytest.raises(PurgeError, match=f"answered {status}"):
        Proxy({"LOCATION": cache.url}).purge_tags(["term:3"])
    assert len(cache.asked) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_what_stays_wrong_is_not_tried_again(cache: Cache, status: int) -> None:
    cache.answers = [(status, b"")]
    with pytest.raises(PurgeError, match=f"answered {status}"):
        Proxy({"LOCATION": cache.url}).purge_tags(["term:3"])
    assert len(cache.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_token_elsewhere(
    make_cache: Callable[[], Cache], status: int
) -> None:
    cache, elsewhere = make_cache(), make_cache()
    cache.answers = [(status, b"")]
    cache.location = elsewhere.url
    backend = Fastly({"SERVICE": "s1", "TOKEN": "secret", "ENDPOINT": cache.url})
    with pytest.raises(PurgeError, match=f"answered {status}"):
        backend.purge_tags(["term:3"])
    assert elsewhere.asked == []


def test_a_cache_that_does_not_answer_is_left_after_its_time(cache: Cache) -> None:
    cache.is_slow = True
    with pytest.raises(PurgeError, match=r"did not answer within 0\.1 s"):
        Proxy({"LOCATION": cache.url, "TIMEOUT": 0.1}).purge_tags(["term:3"])
    assert len(cache.asked) == 1


def test_a_cache_that_is_down_is_told_as_such(cache: Cache) -> None:
    cache.stop()
    with pytest.raises(PurgeError, match="could not be reached"):
        Proxy({"LOCATION": cache.url}).purge_tags(["term:3"])


# The setting

BACKENDS = "glossary.delivery.purge_backends"


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ([], "does not name a class"),
        ({}, "does not name a class"),
        ({"BACKEND": 5}, "does not name a class"),
        ({"BACKEND": f"{BACKENDS}.Nginx"}, "Nginx"),
        ({"BACKEND": "nowhere.Cloudflare"}, "nowhere"),
        ({"BACKEND": f"{BACKENDS}.Cloudflare"}, "lacks TOKEN, ZONE"),
        ({"BACKEND": f"{BACKENDS}.Cloudflare", "ZONE": "z", "TOKEN": ""}, "TOKEN"),
        ({"BACKEND": f"{BACKENDS}.Cloudflare", "ZONE": 5, "TOKEN": "t"}, "ZONE"),
        ({"BACKEND": f"{BACKENDS}.Fastly", "SERVICE": "s", "TOKEN": "t\n"}, "TOKEN"),
        ({"BACKEND": f"{BACKENDS}.Proxy"}, "lacks LOCATION"),
        ({"BACKEND": f"{BACKENDS}.Proxy", "LOCATION": "varnish:6081"}, "LOCATION"),
        ({"BACKEND": f"{BACKENDS}.Proxy", "LOCATION": "file:///etc"}, "LOCATION"),
        ({"BACKEND": f"{BACKENDS}.Proxy", "LOCATION": "http://a:b/"}, "LOCATION"),
        (
            {"BACKEND": f"{BACKENDS}.Proxy", "LOCATION": "http://a/", "METHOD": "A B"},
            "METHOD",
        ),
        (
            {
                "BACKEND": f"{BACKENDS}.Proxy",
                "LOCATION": "http://a/",
                "HEADER": "a\r\nb",
            },
            "HEADER",
        ),
        (
            {"BACKEND": f"{BACKENDS}.Proxy", "LOCATION": "http://a/", "TIMEOUT": True},
            "TIMEOUT",
        ),
        (
            {"BACKEND": f"{BACKENDS}.Proxy", "LOCATION": "http://a/", "TIMEOUT": 0},
            "TIMEOUT",
        ),
        (
            {"BACKEND": f"{BACKENDS}.Proxy", "LOCATION": "http://a/", "TOKEN": "t"},
            "unknown TOKEN",
        ),
        (
            {
                "BACKEND": f"{BACKENDS}.Cloudflare",
                "ZONE": "z",
                "TOKEN": "t",
                "ENDPOINT": "http://cdn.example",
            },
            "without https",
        ),
    ],
)
def test_a_malformed_entry_is_refused(settings: Any, entry: Any, fault: str) -> None:
    settings.GLOSSARY_PURGE = {"cdn": entry}
    with pytest.raises(ImproperlyConfigured, match=fault) as caught:
        configured()
    assert str(caught.value).startswith("GLOSSARY_PURGE: 'cdn'")


def test_the_setting_is_a_dictionary(settings: Any) -> None:
    settings.GLOSSARY_PURGE = ["cdn"]
    with pytest.raises(ImproperlyConfigured, match="not a dictionary"):
        configured()


def test_the_usual_entries_are_taken(settings: Any) -> None:
    settings.GLOSSARY_PURGE = {
        "cloudflare": {"BACKEND": f"{BACKENDS}.Cloudflare", "ZONE": "z", "TOKEN": "t"},
        "fastly": {"BACKEND": f"{BACKENDS}.Fastly", "SERVICE": "s", "TOKEN": "t"},
        "varnish": {"BACKEND": f"{BACKENDS}.Proxy", "LOCATION": "http://10.0.0.2:6081"},
    }
    backends = configured()
    assert [type(backend) for backend in backends.values()] == [
        Cloudflare,
        Fastly,
        Proxy,
    ]
    assert backends["cloudflare"].url.startswith(
        "https://api.cloudflare.com/client/v4/"
    )
    assert backends["fastly"].url == "https://api.fastly.com/service/s/purge"


# What a change purges


class Broken(Backend):
    """A back end of a site's own, with a fault."""

    def purge_tags(self, tags: Any) -> None:
        raise RuntimeError("broken")


def proxy(cache: Cache, **params: Any) -> dict[str, Any]:
    return {"BACKEND": f"{BACKENDS}.Proxy", "LOCATION": cache.url, **params}


def test_a_change_reaches_every_cache(
    settings: Any, make_cache: Callable[[], Cache]
) -> None:
    first, second = make_cache(), make_cache()
    settings.GLOSSARY_PURGE = {"first": proxy(first), "second": proxy(second)}
    purge([change("term", 3)])
    purge([])
    for cache in (first, second):
        (asked,) = cache.asked
        assert asked.headers["xkey"] == "glossary:all list:1 term:3"


def test_a_cache_that_fails_is_logged_and_the_others_are_asked(
    settings: Any, make_cache: Callable[[], Cache], caplog: pytest.LogCaptureFixture
) -> None:
    refusing, well = make_cache(), make_cache()
    refusing.answers = [(403, b"")]
    settings.GLOSSARY_PURGE = {
        "own": {"BACKEND": f"{__name__}.Broken"},
        "cdn": proxy(refusing),
        "edge": proxy(well),
    }
    purge([change("term", 3)])
    assert len(well.asked) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "own did not purge 3 tags",
        "cdn did not purge 3 tags: it answered 403",
    ]


def test_a_malformed_setting_breaks_no_publish(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.GLOSSARY_PURGE = {"cdn": {"BACKEND": f"{BACKENDS}.Proxy"}}
    purge_tags.call(["term:3"])
    (record,) = caplog.records
    assert "Nothing was purged by tag" in record.getMessage()


@pytest.fixture
def by_address(settings: Any, cache: Cache) -> Cache:
    """A cache that Wagtail's frontend_cache is told of."""
    settings.WAGTAILFRONTENDCACHE = {
        "proxy": {
            "BACKEND": "wagtail.contrib.frontend_cache.backends.HTTPBackend",
            "LOCATION": cache.url,
        }
    }
    settings.WAGTAILFRONTENDCACHE_LANGUAGES = []
    return cache


def cached_paths(page: Any) -> set[str]:
    path = page.get_url_parts()[2]
    return {path + extra.lstrip("/") for extra in page.get_cached_paths()}


@pytest.mark.django_db
def test_the_addresses_of_a_change_are_purged(by_address: Cache) -> None:
    glossary = make_glossary("ai")
    term, draft = make_term(glossary, "token"), make_term(glossary, "idea", live=False)
    other, untouched = make_glossary("law"), make_glossary("art")
    category = make_category("basics")
    by_address.asked.clear()
    purge(
        [
            change("term", term.pk),
            change("term", draft.pk, deleted=True),
            change("category", category.pk),
            change("glossary", other.pk),
        ]
    )
    assert {item.method for item in by_address.asked} == {"PURGE"}
    paths = [item.path for item in by_address.asked]
    assert len(paths) == len(set(paths))
    pages = cached_paths(term) | cached_paths(draft) | cached_paths(glossary)
    details = {
        reverse("glossary_api:term", args=[term.pk]),
        reverse("glossary_api:term-by-slug", args=["token"]),
        reverse("glossary_api:payload", args=["idea"]),
        reverse("glossary_api:nuxt-payload", args=["token"]),
        reverse("glossary_api:category", args=["basics"]),
        reverse("glossary_api:glossary", args=[other.pk]),
    }
    assert pages | details | cached_paths(other) <= set(paths)
    assert not cached_paths(untouched) & set(paths)


@pytest.mark.django_db
def test_what_is_deleted_has_no_address_left(by_address: Cache) -> None:
    purge([change("term", 10**9, deleted=True), change("category", 10**9)])
    paths = {item.path for item in by_address.asked}
    assert paths == {reverse("glossary_api:term", args=[10**9])}


@pytest.mark.django_db
def test_an_import_purges_the_addresses_of_glossaries_alone(by_address: Cache) -> None:
    glossary = make_glossary("ai")
    term = make_term(glossary, "token")
    by_address.asked.clear()
    purge([change("term", term.pk + number) for number in range(MOST_CHANGES + 1)])
    assert {item.path for item in by_address.asked} == cached_paths(glossary)


@pytest.mark.django_db
@pytest.mark.slow
def test_many_changes_take_no_more_queries_than_few(
    by_address: Cache, django_assert_max_num_queries: Any
) -> None:
    glossary = make_glossary("ai")
    category = make_category("basics")
    changes = [change("glossary", glossary.pk), change("category", category.pk)]
    changes += [change("term", make_term(glossary).pk) for _ in range(20)]
    with django_assert_max_num_queries(12):
        purge(changes)


def details_of(term: Any) -> set[str]:
    return {
        reverse("glossary_api:term", args=[term.pk]),
        *(
            reverse(f"glossary_api:{view}", args=[term.slug])
            for view in ("term-by-slug", "payload", "nuxt-payload")
        ),
    }


@pytest.mark.django_db
def test_the_addresses_of_a_deleted_term_are_purged(
    by_address: Cache, django_capture_on_commit_callbacks: Any
) -> None:
    term = make_term(make_glossary("ai"), "token")
    addresses = cached_paths(term) | details_of(term)
    by_address.asked.clear()
    with django_capture_on_commit_callbacks(execute=True):
        term.delete()
    assert addresses <= {item.path for item in by_address.asked}


@pytest.mark.django_db
def test_an_address_that_a_page_had_is_purged(by_address: Cache) -> None:
    term = make_term(make_glossary("ai"), "token")
    former = cached_paths(term) | details_of(term)
    before = type(term).objects.get(pk=term.pk)
    term.slug = "tokens"
    term.save()
    by_address.asked.clear()
    purge_former_address(type(term), instance=term, instance_before=before)
    assert {item.path for item in by_address.asked} == former
    home = Site.objects.get(is_default_site=True).root_page
    purge_former_address(type(home), instance=home, instance_before=home)
    assert {item.path for item in by_address.asked} == former


@pytest.mark.django_db
def test_no_address_is_purged_where_no_cache_is_set_up(
    settings: Any, cache: Cache, django_assert_num_queries: Any
) -> None:
    settings.WAGTAILFRONTENDCACHE = None
    with django_assert_num_queries(0):
        purge([change("term", 1)])
        purge_former_address(Site, instance=None, instance_before=None)
    assert cache.asked == []
