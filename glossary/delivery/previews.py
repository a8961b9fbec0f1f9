"""Links to drafts, for a front end that is not ours.

A link holds a token that is signed and expires: whoever has it may read one draft of
one term, and nothing else. What the draft refers to is shown as to anyone.

The draft is a revision. Where ``wagtail_headless_preview`` is installed, what an editor
has not saved yet is kept in its table, and tokens of its own mixin are read as well.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from wagtail.models import Revision

from ..conf import preview_max_age, preview_url
from ..fields import TermStreamField
from ..models import TermPage
from ..models.pages import DRAFT_FIELDS
from .documents import RichTextFormat, TermDocument
from .drafts import load_draft
from .links import Links
from .scope import Scope


SALT = "glossary.preview"
LONGEST_TOKEN = 500
STORE = "wagtail_headless_preview"

# What Wagtail writes to a page beside its content.
_BOOKKEEPING = DRAFT_FIELDS | {"live", "live_revision", "last_published_at"}


class PreviewError(Exception):
    """A link that shows no draft. ``reason`` is ``invalid``, ``expired`` or ``gone``;
    the text says the same to a developer."""

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Preview:
    """A draft that a token may show. ``term.pk`` is None if it was never saved."""

    term: TermPage


# Tokens


def make_token(page: TermPage, revision: Revision | None = None) -> str:
    """A token for a revision of a term, or without one for the term as it is stored.

    It asks for no permission: whoever calls this has to.
    """
    data = {"page": page.pk, "revision": revision.pk if revision else None}
    return signing.dumps(data, salt=SALT)


def read_token(token: str) -> Preview:
    """The draft that the token is for. Raises a PreviewError."""
    if not token.isascii() or "\x00" in token or len(token) > LONGEST_TOKEN:
        raise _invalid()
    try:
        data = signing.loads(token, salt=SALT, max_age=preview_max_age())
    except signing.SignatureExpired:
        raise _expired() from None
    except signing.BadSignature:
        return Preview(_read_token_of_mixin(token))
    if "stored" in data:
        return Preview(_stored(token))
    page = TermPage.objects.filter(pk=data["page"]).first()
    if page is None:
        raise _gone()
    if data["revision"] is None:
        return Preview(page.specific)
    revision = page.revisions.filter(pk=data["revision"]).first()
    if revision is None:
        raise _gone()
    return Preview(revision.as_object())


def load_preview(
    preview: Preview,
    scope: Scope,
    links: Links,
    rich_text: RichTextFormat = "html",
) -> TermDocument:
    """The document of the draft, as it would be if it were published now; its id is 0
    if it was never saved. Raises a PreviewError if it belongs to another site."""
    if not preview.term.path.startswith(scope.roots):
        raise _gone()
    return load_draft(preview.term, scope, links, rich_text=rich_text)


# What an editor sees


def preview_link(page: TermPage, token: str) -> str | None:
    """The address where the front end shows the draft, if ``GLOSSARY_PREVIEW_URL`` says
    where that is."""
    template = preview_url()
    if template is None:
        return None
    return template % {
        "token": quote(token, safe=":"),
        "id": page.pk or 0,
        "slug": quote(page.slug, safe=""),
        "glossary": quote(page.glossary.slug, safe=""),
        "locale": page.locale.language_code,
    }


def show_in_front_end(
    sender: type, page: TermPage, request: HttpRequest, **kwargs: Any
) -> HttpResponse | None:
    """Lead from the admin's preview to the front end; None leaves it to the term's own
    page, which also shows what is not saved where nothing can keep that for the front
    end. A receiver for ``term_previewed``."""
    if preview_url() is None:
        return None
    if apps.is_installed(STORE):
        token = _store(page)
    elif (revision := page.latest_revision) and _says_the_same(page, revision):
        token = make_token(page, revision)
    else:
        return None
    return lead_to(page, token)


def lead_to(page: TermPage, token: str) -> HttpResponse:
    """A redirect to the draft in the front end, which leaves no trace on its way."""
    return HttpResponseRedirect(
        preview_link(page, token) or "",
        headers={
            "Cache-Control": "private, no-store",
            "Referrer-Policy": "no-referrer",
            "X-Robots-Tag": "noindex",
        },
    )


def _says_the_same(page: TermPage, revision: Revision) -> bool:
    return _content(page) == _content(revision.as_object())


def _content(page: TermPage) -> dict[str, Any]:
    content = page.serializable_data()
    for field in page._meta.get_fields():
        if isinstance(field, TermStreamField):  # JSON, whose spaces say nothing
            content[field.name] = json.loads(content[field.name] or "[]")
    return {name: content[name] for name in content.keys() - _BOOKKEEPING}


# Drafts that are not saved


def _store(page: TermPage) -> str:
    """Keep a term as it is in memory, and return a token for it."""
    store = apps.get_model(STORE, "PagePreview")
    store.garbage_collect()
    data = {"page": page.pk, "stored": secrets.token_urlsafe(8)}
    token = signing.dumps(data, salt=SALT)
    store.objects.create(
        token=token, content_type=page.content_type, content_json=page.to_json()
    )
    return token


def _stored(token: str) -> TermPage:
    if not apps.is_installed(STORE):
        raise _gone()
    found = apps.get_model(STORE, "PagePreview").objects.filter(token=token).first()
    if found is None:
        raise _gone()
    page = found.as_page()
    if not isinstance(page, TermPage):
        raise _invalid()
    if page.pk and not TermPage.objects.filter(pk=page.pk).exists():
        raise _gone()
    return page


def _read_token_of_mixin(token: str) -> TermPage:
    if not apps.is_installed(STORE):
        raise _invalid()
    from wagtail_headless_preview.models import HeadlessPreviewMixin

    try:
        signer = HeadlessPreviewMixin.get_preview_signer()
        signer.unsign(token, max_age=preview_max_age())
    except signing.SignatureExpired:
        raise _expired() from None
    except signing.BadSignature:
        raise _invalid() from None
    return _stored(token)


def _invalid() -> PreviewError:
    return PreviewError("invalid", "This is no link to a draft.")


def _expired() -> PreviewError:
    return PreviewError("expired", "The link to the draft has expired.")


def _gone() -> PreviewError:
    return PreviewError("gone", "The draft is not there any more.")
