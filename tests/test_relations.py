from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from wagtail.models import Locale

from glossary.models import (
    Category,
    GlossaryPage,
    RelatedTerm,
    TermLabel,
    TermLink,
    TermPage,
)

from .factories import (
    make_category,
    make_glossary,
    make_related_term,
    make_term,
)


pytestmark = pytest.mark.django_db


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


def test_a_related_term_is_wanted_until_its_page_is_live(
    glossary: GlossaryPage,
) -> None:
    token = make_related_term(glossary, "token")
    assert token.page is None
    assert token.is_wanted

    page = make_term(glossary, "token", live=False)
    token.refresh_from_db()
    assert token.page == page
    assert token.is_wanted

    page.save_revision().publish()
    token.refresh_from_db()
    assert not token.is_wanted


def test_a_related_term_made_after_its_page_finds_it(glossary: GlossaryPage) -> None:
    page = make_term(glossary, "token")
    assert make_related_term(glossary, "token").page == page


def test_a_page_of_another_glossary_is_not_its_page(glossary: GlossaryPage) -> None:
    make_term(make_glossary(), "token")
    assert make_related_term(glossary, "token").page is None


def test_it_follows_a_renamed_page(glossary: GlossaryPage) -> None:
    page = make_term(glossary, "token", title="Token")
    token = make_related_term(glossary, "token", name="Token")
    page.slug, page.title = "lexical-token", "Lexical token"
    page.save_revision().publish()
    token.refresh_from_db()
    assert (token.slug, token.name) == ("lexical-token", "Lexical token")
    assert token.page == page


def test_it_keeps_a_name_of_its_own_when_the_page_is_renamed(
    glossary: GlossaryPage,
) -> None:
    page = make_term(
        glossary, "constitutional-ai-research", title="Constitutional AI (research)"
    )
    known = make_related_term(glossary, page.slug, name="Constitutional AI")
    page.title = "Constitutional AI in research"
    page.save()
    known.refresh_from_db()
    assert known.name == "Constitutional AI"


def test_it_follows_a_page_renamed_as_a_plain_page(
    glossary: GlossaryPage, django_capture_on_commit_callbacks: object
) -> None:
    page = make_term(glossary, "token")
    token = make_related_term(glossary, "token")
    plain = page.page_ptr
    with django_capture_on_commit_callbacks(execute=True):
        plain.slug = "lexeme"
        plain.save()
    token.refresh_from_db()
    assert token.slug == "lexeme"


@pytest.mark.slow
def test_links_go_over_to_the_name_that_a_renamed_page_takes(
    glossary: GlossaryPage,
) -> None:
    page = make_term(glossary, "token")
    token = make_related_term(glossary, "token")
    lexeme = make_related_term(glossary, "lexeme")
    to_both = make_term(glossary, related_terms=[token, lexeme])
    to_old = make_term(glossary, related_terms=[token])
    page.slug = "lexeme"
    page.save()
    lexeme.refresh_from_db()
    token.refresh_from_db()
    assert lexeme.page == page
    assert token.page is None
    for term in (to_both, to_old):
        links = TermLink.objects.filter(term=term)
        assert [link.related_term for link in links] == [lexeme]


def test_it_is_wanted_again_after_unpublishing_and_deletion(
    glossary: GlossaryPage,
) -> None:
    page = make_term(glossary, "token")
    token = make_related_term(glossary, "token")
    page.unpublish()
    token.refresh_from_db()
    assert token.is_wanted
    page.get_latest_revision().publish()
    token.refresh_from_db()
    assert not token.is_wanted
    page.delete()
    token.refresh_from_db()
    assert token.page is None
    assert make_term(glossary, "token") == RelatedTerm.objects.get(pk=token.pk).page


def test_a_moved_page_leaves_its_name_behind_and_is_known_where_it_goes(
    glossary: GlossaryPage,
) -> None:
    other = make_glossary("ml")
    here, there = (
        make_related_term(glossary, "token"),
        make_related_term(other, "token"),
    )
    wanted = make_related_term(glossary, "embedding")
    page = make_term(glossary, "token", related_terms=[wanted])
    page.move(other, pos="last-child")
    here.refresh_from_db()
    there.refresh_from_db()
    assert here.page is None
    assert there.page == page
    [link] = TermLink.objects.filter(term=page)
    assert link.related_term.glossary == other
    assert link.related_term.slug == "embedding"


def test_a_copy_points_into_the_glossary_it_is_copied_to(
    glossary: GlossaryPage,
) -> None:
    embedding = make_related_term(glossary, "embedding")
    make_term(glossary, "token", related_terms=[(embedding, "broader")])
    copy = glossary.copy(
        recursive=True, update_attrs={"slug": "copy", "title": "Copy"}, keep_live=True
    )
    term = TermPage.objects.child_of(copy).get()
    [link] = term.related_terms.all()
    assert link.kind == "broader"
    assert link.related_term.glossary_id == copy.pk
    drafted_term = term.get_latest_revision_as_object()
    drafted_term.save_revision().publish()
    [published] = TermLink.objects.filter(term=term)
    assert published.related_term.glossary_id == copy.pk


def test_two_glossaries_and_languages_know_the_same_slug(
    glossary: GlossaryPage,
) -> None:
    french = Locale.objects.create(language_code="fr")
    other = make_glossary("ia", locale=french)
    assert (
        make_related_term(glossary, "token").locale
        != make_related_term(other, "token").locale
    )


def test_a_slug_is_known_once_in_a_glossary(glossary: GlossaryPage) -> None:
    make_related_term(glossary, "token")
    twin = RelatedTerm(glossary=glossary, name="Token")
    with pytest.raises(ValidationError, match="already knows a term with this slug"):
        twin.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        RelatedTerm.objects.create(glossary=glossary, slug="token", name="Again")


def test_a_related_term_in_use_cannot_be_deleted_alone(glossary: GlossaryPage) -> None:
    token = make_related_term(glossary, "token")
    make_term(glossary, related_terms=[token])
    with pytest.raises(ProtectedError, match="1 term uses it"), transaction.atomic():
        token.delete()
    with pytest.raises(ProtectedError), transaction.atomic():
        RelatedTerm.objects.all().delete()


def test_a_category_in_use_cannot_be_deleted(glossary: GlossaryPage) -> None:
    category = make_category("safety")
    make_term(glossary, category=category)
    with pytest.raises(ProtectedError), transaction.atomic():
        category.delete()
    TermPage.objects.get().delete()
    category.delete()


def test_a_draft_survives_the_deletion_of_what_it_alone_points_at(
    glossary: GlossaryPage,
) -> None:
    term = make_term(glossary)
    token, category = make_related_term(glossary), make_category()
    term.category = category
    term.related_terms.add(TermLink(related_term=token))
    term.save_revision()
    token.delete()
    category.delete()
    draft = TermPage.objects.get().get_latest_revision_as_object()
    assert draft.category is None
    assert not draft.related_terms.all()


def test_a_glossary_goes_with_everything_it_knows(glossary: GlossaryPage) -> None:
    token = make_related_term(glossary, "token")
    make_term(glossary, "token", related_terms=[make_related_term(glossary, "wanted")])
    make_term(glossary, related_terms=[token], labels=["label"], tags=["tag"])
    glossary.delete()
    assert not RelatedTerm.objects.exists()
    assert not TermPage.objects.exists()


def test_slugs_are_made_from_names_in_every_script(glossary: GlossaryPage) -> None:
    assert RelatedTerm.objects.create(glossary=glossary, name="抽象化").slug == "抽象化"
    with pytest.raises(ValidationError, match="the name gives none"):
        RelatedTerm(glossary=glossary, name="???").full_clean()


def test_categories_are_unique_in_their_language_and_keep_their_order() -> None:
    first, second = make_category("safety"), make_category("training")
    assert first.sort_order < second.sort_order
    twin = Category(name="Safety", locale=first.locale)
    with pytest.raises(ValidationError, match="already a category with this slug"):
        twin.full_clean()
    french = Locale.objects.create(language_code="fr")
    assert make_category("safety", locale=french).slug == "safety"


@pytest.mark.parametrize(
    ("make_faulty", "message"),
    [
        (lambda term, own, other: [TermLink(related_term=own)], "related to itself"),
        (
            lambda term, own, other: [
                TermLink(related_term=other),
                TermLink(related_term=other),
            ],
            "linked twice",
        ),
    ],
)
def test_faulty_links_cannot_be_published(
    glossary: GlossaryPage, make_faulty: object, message: str
) -> None:
    term = make_term(glossary, "token")
    own, other = make_related_term(glossary, "token"), make_related_term(glossary)
    term.related_terms.set(make_faulty(term, own, other))
    with pytest.raises(ValidationError, match=message):
        term.save()


@pytest.mark.parametrize(
    ("labels", "message"),
    [(["LLM", "llm"], "is there twice"), (["  token "], "name of the term itself")],
)
def test_faulty_labels_cannot_be_published(
    glossary: GlossaryPage, labels: list[str], message: str
) -> None:
    term = make_term(glossary, "token", title="Token")
    term.labels.set([TermLabel(text=text) for text in labels])
    with pytest.raises(ValidationError, match=message):
        term.save()


def test_two_links_can_exchange_their_targets(glossary: GlossaryPage) -> None:
    first, second = make_related_term(glossary), make_related_term(glossary)
    term = make_term(glossary, related_terms=[first, second])
    links = list(term.related_terms.all())
    links[0].related_term, links[1].related_term = second, first
    term.related_terms.set(links)
    term.save()
    stored = TermLink.objects.filter(term=term).order_by("sort_order")
    assert [link.related_term for link in stored] == [second, first]


def test_two_labels_can_exchange_their_texts(glossary: GlossaryPage) -> None:
    term = make_term(glossary, labels=["a", "b"])
    labels = list(term.labels.all())
    labels[0].text, labels[1].text = "b", "a"
    term.labels.set(labels)
    term.save()
    stored = TermLabel.objects.filter(term=term).order_by("sort_order")
    assert [label.text for label in stored] == ["b", "a"]


@pytest.mark.slow
def test_most_wanted_stand_first(glossary: GlossaryPage) -> None:
    rare = make_related_term(glossary, "rare")
    common = make_related_term(glossary, "common")
    written = make_related_term(glossary, "written")
    make_term(glossary, "written", related_terms=[rare, common])
    make_term(glossary, "first", related_terms=[common, written])
    make_term(glossary, "second", related_terms=[written])
    ranked = RelatedTerm.objects.most_wanted()
    assert [(item.slug, item.wanted_by) for item in ranked] == [
        ("common", 2),
        ("rare", 1),
        ("written", 2),
        ("first", 0),
        ("second", 0),
    ]


def test_every_page_is_known_so_that_others_can_be_related_to_it(
    glossary: GlossaryPage,
) -> None:
    page = make_term(glossary, "token", title="Token", live=False)
    known = RelatedTerm.objects.get()
    assert (known.slug, known.name, known.page) == ("token", "Token", page)
