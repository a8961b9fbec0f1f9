"""Caches that purge by tag. ``GLOSSARY_PURGE`` names those in front of a site::

    GLOSSARY_PURGE = {
        "cdn": {
            "BACKEND": "glossary.delivery.purge_backends.Cloudflare",
            "ZONE": "023e105f4ecef8ad9ca31a8372d0c353",
            "TOKEN": os.environ["CLOUDFLARE_TOKEN"],
        },
    }

A back end of the site's own is a class with ``__init__(self, params)`` and
``purge_tags(self, tags)``, best made from ``Backend``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPException
from typing import Any, ClassVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .. import __version__
from ..conf import purge_settings


TIMEOUT_SECONDS = 5
LONGEST_ANSWER = 64 * 1024
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class PurgeError(Exception):
    """A cache that did not purge. The text says which and why, without secrets."""


class Backend:
    """One cache. ``params`` is its entry in the setting, without ``BACKEND``.

    Raises an ImproperlyConfigured for an entry that lacks something or has too much.
    """

    required: ClassVar[frozenset[str]] = frozenset()
    optional: ClassVar[Mapping[str, Any]] = {}
    most_tags: ClassVar[int]
    """How many tags one request can purge."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        if missing := self.required - params.keys():
            raise ImproperlyConfigured(f"lacks {_listed(missing)}")
        known = {**dict.fromkeys(self.required), **self.optional, "TIMEOUT": 0}
        if unknown := params.keys() - known.keys():
            raise ImproperlyConfigured(f"has an unknown {_listed(unknown)}")
        for name in self.required:
            if not isinstance(params[name], str) or not params[name]:
                raise ImproperlyConfigured(f"has a {name} that is no text")
        self.params = {"TIMEOUT": TIMEOUT_SECONDS, **self.optional, **params}
        timeout = self.params["TIMEOUT"]
        if isinstance(timeout, bool) or not isinstance(timeout, int | float):
            raise ImproperlyConfigured("has a TIMEOUT that is no number of seconds")
        if not 0 < timeout <= 60:
            raise ImproperlyConfigured("has a TIMEOUT that is not from 0 to 60 seconds")
        self.timeout = timeout

    def purge_tags(self, tags: Sequence[str]) -> None:
        """Purge all that has one of the tags. Raises a PurgeError if the cache did
        not take it; it is asked a second time where that can help."""
        for start in range(0, len(tags), self.most_tags):
            self._ask(self.request(tags[start : start + self.most_tags]))

    def request(self, tags: Sequence[str]) -> Request:
        """What asks the cache to purge these, at most ``most_tags``."""
        raise NotImplementedError

    def check(self, body: bytes) -> None:
        """Raise a PurgeError if an answer of success tells of a failure."""

    def _ask(self, request: Request) -> None:
        request.add_header("User-Agent", f"wagtail-glossary/{__version__}")
        try:
            self._ask_once(request)
        except _Passing:
            try:
                self._ask_once(request)
            except _Passing as error:
                raise PurgeError(str(error)) from error

    def _ask_once(self, request: Request) -> None:
        try:
            with _opener.open(request, timeout=self.timeout) as response:
                body = response.read(LONGEST_ANSWER)
        except HTTPError as error:
            error.close()
            kind = _Passing if error.code >= 500 or error.code == 429 else PurgeError
            raise kind(f"answered {error.code}") from None
        except TimeoutError:
            # Not again: a publish may be waiting for it.
            raise PurgeError(f"did not answer within {self.timeout:g} s") from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise PurgeError(f"did not answer within {self.timeout:g} s") from None
            raise _Passing(f"could not be reached: {reason}") from None
        self.check(body)


class Proxy(Backend):
    """Varnish, or another proxy that is told by a request of its own: by default
    ``PURGE`` with the tags in ``xkey``, separated by spaces."""

    required = frozenset({"LOCATION"})
    optional: ClassVar = {"METHOD": "PURGE", "HEADER": "xkey"}
    # Varnish takes 8 KB for a header.
    most_tags = 200

    def __init__(self, params: Mapping[str, Any]) -> None:
        super().__init__(params)
        self.location = _address(self.params["LOCATION"], "LOCATION", secret=False)
        for name in ("METHOD", "HEADER"):
            value = self.params[name]
            if not (isinstance(value, str) and value.replace("-", "").isalnum()):
                raise ImproperlyConfigured(f"has a {name} that HTTP does not have")
        self.method = self.params["METHOD"].upper()

    def request(self, tags: Sequence[str]) -> Request:
        headers = {self.params["HEADER"]: " ".join(tags)}
        return _request(self.method, self.location, headers)


class Cloudflare(Backend):
    """Cloudflare, by the zone's id and a token with the right to purge its cache."""

    required = frozenset({"ZONE", "TOKEN"})
    optional: ClassVar = {"ENDPOINT": "https://api.cloudflare.com/client/v4"}
    most_tags = 100

    def __init__(self, params: Mapping[str, Any]) -> None:
        super().__init__(params)
        endpoint = _address(self.params["ENDPOINT"], "ENDPOINT", secret=True)
        zone = quote(self.params["ZONE"], safe="")
        self.url = f"{endpoint.rstrip('/')}/zones/{zone}/purge_cache"
        self.token = _secret(self.params["TOKEN"])

    def request(self, tags: Sequence[str]) -> Request:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
        }
        return _request("POST", self.url, headers, {"tags": list(tags)})

    def check(self, body: bytes) -> None:
        try:
            answer = json.loads(body)
        except ValueError:
            raise PurgeError("answered something other than JSON") from None
        if not isinstance(answer, dict) or answer.get("success") is not True:
            raise PurgeError(f"refused: {body[:500].decode(errors='replace')}")


class Fastly(Backend):
    """Fastly, by the service's id and a token with the scope ``purge_select``. With
    ``SOFT`` what is purged may still be served while it is fetched anew."""

    required = frozenset({"SERVICE", "TOKEN"})
    optional: ClassVar = {"ENDPOINT": "https://api.fastly.com", "SOFT": False}
    most_tags = 256

    def __init__(self, params: Mapping[str, Any]) -> None:
        super().__init__(params)
        endpoint = _address(self.params["ENDPOINT"], "ENDPOINT", secret=True)
        service = quote(self.params["SERVICE"], safe="")
        self.url = f"{endpoint.rstrip('/')}/service/{service}/purge"
        self.token = _secret(self.params["TOKEN"])

    def request(self, tags: Sequence[str]) -> Request:
        headers = {
            "Accept": "application/json",
            "Fastly-Key": self.token,
            "Surrogate-Key": " ".join(tags),
        }
        if self.params["SOFT"]:
            headers["Fastly-Soft-Purge"] = "1"
        return _request("POST", self.url, headers)


def configured() -> dict[str, Any]:
    """The back ends of ``GLOSSARY_PURGE`` by their names.

    Raises an ImproperlyConfigured, which says what to mend.
    """
    entries = purge_settings()
    if not isinstance(entries, Mapping):
        raise ImproperlyConfigured("GLOSSARY_PURGE is not a dictionary.")
    return {name: _backend(name, entry) for name, entry in entries.items()}


def _backend(name: str, entry: Any) -> Any:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("BACKEND"), str):
        raise ImproperlyConfigured(
            f"GLOSSARY_PURGE: {name!r} does not name a class as its BACKEND."
        )
    params = {key: value for key, value in entry.items() if key != "BACKEND"}
    try:
        return import_string(entry["BACKEND"])(params)
    except ImportError as error:
        raise ImproperlyConfigured(f"GLOSSARY_PURGE: {name!r}: {error}.") from error
    except ImproperlyConfigured as error:
        raise ImproperlyConfigured(f"GLOSSARY_PURGE: {name!r} {error}.") from error


class _Passing(Exception):
    """A failure that may be over by now."""


class _NoRedirects(HTTPRedirectHandler):
    """Whoever answers instead of the cache is not given the token."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = build_opener(_NoRedirects)


def _request(
    method: str, url: str, headers: dict[str, str], data: Any = None
) -> Request:
    body = None if data is None else json.dumps(data).encode()
    # Only http and https get past _address().
    return Request(url, body, headers, method=method)  # noqa: S310


def _address(value: Any, name: str, *, secret: bool) -> str:
    """The address of a cache: with HTTPS if a secret goes there."""
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except (TypeError, ValueError, AttributeError):
        host = None
    if not host or parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        raise ImproperlyConfigured(f"has a {name} that is no http or https address")
    if secret and parts.scheme != "https" and host not in LOOPBACK:
        raise ImproperlyConfigured(f"has a {name} without https, which its TOKEN needs")
    return value


def _secret(value: str) -> str:
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise ImproperlyConfigured("has a TOKEN that no header can hold")
    return value


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(map(str, names)))
