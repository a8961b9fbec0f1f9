"""Nothing that is hidden goes out, in any format."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.utils import timezone
from wagtail.models import GroupPagePermission, Locale, PageViewRestriction

from glossary.exporting import FORMATS, terms_to_export
from glossary.exporting.payload import payload_files
from glossary.models import RelatedTerm, TermPage

from .factories import (
    comparison,
    home_page,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)
from .test_export_payload import edit, import_file, import_term, payload_of, record_of


if TYPE_CHECKING:
    from collections.abc import Iterator

    from glossary.models import GlossaryPage

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

CANARY = "canary"


def said_in(glossary: GlossaryPage, **options: Any) -> dict[str, str]:
    """All that each format says, archives unpacked."""
    return {
        name: "\n".join(
            _texts(b"".join(format.stream(terms_to_export(glossary, **options))))
        )
        for name, format in FORMATS.items()
    }


def _texts(data: bytes) -> Iterator[str]:
    if not data.startswith(b"PK"):
        yield data.decode()
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            yield name
            yield archive.read(name).decode()


def hide_draft(glossary: GlossaryPage) -> TermPage:
    return make_term(glossary, f"{CANARY}-draft", live=False)


def hide_private(glossary: GlossaryPage) -> TermPage:
    page = make_term(glossary, f"{CANARY}-private")
    PageViewRestriction.objects.create(
        page=page, restriction_type=PageViewRestriction.LOGIN
    )
    return page


def hide_scheduled(glossary: GlossaryPage) -> TermPage:
    page = make_term(glossary, f"{CANARY}-scheduled", live=False)
    page.go_live_at = timezone.now() + timedelta(days=1)
    page.save_revision().publish()
    page.refresh_from_db()
    assert not page.live
    return page


def hide_expired(glossary: GlossaryPage) -> TermPage:
    page = make_term(glossary, f"{CANARY}-expired")
    page.expired = True
    page.unpublish()
    return page


HIDINGS = [hide_draft, hide_private, hide_scheduled, hide_expired]


@pytest.mark.parametrize("hide", HIDINGS, ids=lambda hide: hide.__name__)
def test_no_format_tells_of_a_hidden_term(hide):
    glossary = make_glossary("words")
    hidden = hide(glossary)
    related = RelatedTerm.objects.get(page=hidden)
    link = f'<a linktype="page" id="{hidden.pk}">a linked text</a>'
    make_term(
        glossary,
        "visible",
        explanation=[section(f"<p>Read {link}.</p>")],
        faq=[question("Why?", f"<p>{link}</p>")],
        comparisons=[
            comparison("Another", f"<p>See {link}</p>", related),
            comparison("", "", related),
        ],
        related_terms=[related],
    )
    for name, text in said_in(glossary).items():
        assert CANARY not in text.lower(), name
    for name in ("json", "payload", "csv", "markdown"):
        text = said_in(glossary)[name]
        assert "a linked text" in text
        assert "Another" in text


@pytest.mark.parametrize("hide", HIDINGS, ids=lambda hide: hide.__name__)
def test_a_payload_loses_what_has_been_hidden_since(hide):
    glossary = make_glossary()
    raw = payload_of(
        relatedTerms=[
            {"slug": f"{CANARY}-{hide.__name__[5:]}", "name": "Canary"},
            {"slug": "b", "name": "B"},
        ],
        vsRelatedConcepts=[
            {"term": "X", "comparison": "x", "slug": f"{CANARY}-{hide.__name__[5:]}"}
        ],
    )
    page = import_term(glossary, raw)
    assert CANARY in said_in(glossary)["payload"]
    hide(glossary)
    for name, text in said_in(glossary).items():
        assert CANARY not in text.lower(), name
    (_path, data), *_ = payload_files(terms_to_export(glossary, slugs=[page.slug]))
    assert record_of(data)["relatedTerms"] == [{"slug": "b", "name": "B"}]
    assert record_of(data)["vsRelatedConcepts"] == [{"term": "X", "comparison": "x"}]


def test_a_private_glossary_exports_nothing_to_the_public():
    glossary = make_glossary()
    make_term(glossary, CANARY)
    PageViewRestriction.objects.create(
        page=glossary, restriction_type=PageViewRestriction.LOGIN
    )
    for name, text in said_in(glossary).items():
        assert CANARY not in text.lower(), name


def test_other_glossaries_and_languages_stay_out():
    glossary = make_glossary()
    make_term(glossary, "visible")
    make_term(make_glossary(), f"{CANARY}-other")
    german = Locale.objects.create(language_code="de")
    other = make_glossary(
        parent=home_page().copy_for_translation(german), locale=german
    )
    make_term(other, f"{CANARY}-german", locale=german)
    for name, text in said_in(glossary).items():
        assert CANARY not in text.lower(), name


def test_an_unpublished_edit_stays_out():
    glossary = make_glossary()
    page = make_term(glossary, "visible")
    page.short_definition = CANARY
    page.save_revision()
    for name, text in said_in(glossary).items():
        assert CANARY not in text.lower(), name


def test_a_payload_that_was_imported_as_a_draft_stays_out():
    glossary = make_glossary()
    import_term(glossary, payload_of(explanation="Old *text*."))
    newer = payload_of(explanation=f"New {CANARY}.", shortDefinition=CANARY)
    import_file(glossary, "a/_payload.json", newer, draft=True)
    for name, text in said_in(glossary).items():
        assert CANARY not in text.lower(), name
    assert CANARY in said_in(glossary, drafts=True)["payload"]


def test_links_to_visible_pages_become_addresses():
    glossary = make_glossary("words")
    other = make_term(glossary, "other")
    link = f'<a linktype="page" id="{other.pk}">other</a>'
    make_term(glossary, "visible", explanation=[section(f"<p>See {link}.</p>")])
    text = said_in(glossary)["jsonl"]
    assert f"See [other]({other.full_url})." in text


def test_a_link_that_an_editor_adds_is_a_change():
    glossary = make_glossary("words")
    other = make_term(glossary, "other")
    page = import_term(glossary, payload_of(explanation="See other."))
    link = f'<p>See <a linktype="page" id="{other.pk}">other</a>.</p>'
    edit(page, explanation=[section(link)])
    (_path, data), *_ = payload_files(terms_to_export(glossary, slugs=["a"]))
    assert record_of(data)["explanation"] == f"See [other]({other.full_url})."


def test_a_wanted_term_is_named():
    glossary = make_glossary()
    wanted = make_related_term(glossary, "wanted")
    make_term(glossary, "visible", related_terms=[wanted])
    assert "wanted" in said_in(glossary)["payload"]


# Drafts


def test_drafts_are_the_latest_version_of_every_term():
    glossary = make_glossary()
    make_term(glossary, "never-published", live=False)
    page = make_term(glossary, "published", tags=["one"], labels=["label"])
    page.title = "A later title"
    page.tags.set(["two"])
    page.save_revision()
    text = said_in(glossary, drafts=True)["jsonl"]
    assert "never-published" in text
    assert "A later title" in text
    assert '"two"' in text
    assert '"one"' not in text
    assert '"label"' in text


def editor_of(glossary: GlossaryPage) -> Any:
    group = Group.objects.create(name="Editors of one glossary")
    GroupPagePermission.objects.create(
        group=group,
        page=glossary,
        permission=Permission.objects.get(codename="change_page"),
    )
    user = get_user_model().objects.create_user("editor", password="-")
    user.groups.add(group)
    return user


def test_a_user_gets_drafts_of_what_he_may_edit_alone():
    mine, other = make_glossary(), make_glossary()
    make_term(mine, "mine", live=False)
    make_term(other, CANARY, live=False)
    user = editor_of(mine)
    assert "mine" in said_in(mine, user=user, drafts=True)["jsonl"]
    for name, text in said_in(other, user=user, drafts=True).items():
        assert CANARY not in text.lower(), name


def test_a_draft_does_not_tell_its_editor_of_what_he_may_not_see():
    glossary = make_glossary()
    user = editor_of(glossary)
    hidden = make_term(make_glossary(), CANARY, live=False)
    own = make_term(glossary, "own", live=False)
    links = "".join(
        f'<p><a linktype="page" id="{page.pk}">text</a></p>' for page in (hidden, own)
    )
    make_term(glossary, "draft", live=False, explanation=[section(links)])
    text = said_in(glossary, user=user, drafts=True)["jsonl"]
    assert CANARY not in text
    assert f"[text]({own.full_url})" in text
