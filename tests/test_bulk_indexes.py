"""What is indexed in bulk equals what Wagtail indexes one by one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given
from hypothesis import strategies as st
from modelsearch.backends.base import BaseSearchBackend
from modelsearch.backends.database import SearchBackend as DatabaseBackend
from wagtail.documents import get_document_model
from wagtail.models import Comment, CommentReply, ReferenceIndex
from wagtail.rich_text import get_text_for_indexing
from wagtail.search import index
from wagtail.search.backends import get_search_backend

from glossary.importing.bulk.arrays import integer_array, text_array
from glossary.importing.bulk.references import (
    content_path_hash,
    extract_references,
    index_references,
)
from glossary.importing.bulk.search import (
    collect_texts,
    index_for_search,
    rich_text_as_text,
)
from glossary.models import GlossaryPage, RelatedTerm, TermPage

from .extension.models import CourseTermPage
from .factories import (
    comparison,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)


on_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="it is PostgreSQL's"
)


@pytest.fixture
def glossary(db: None) -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def terms(glossary: GlossaryPage) -> list[TermPage]:
    """Terms that differ in what they have, the barest one without most of it."""
    return [bare(glossary), full(glossary, TermPage, "full"), odd(glossary)]


@pytest.fixture
def course_terms(glossary: GlossaryPage) -> list[CourseTermPage]:
    return [
        full(glossary, CourseTermPage, "course", level="beginners"),
        make_term(glossary, "plain-course", model=CourseTermPage),
    ]


def bare(glossary: GlossaryPage) -> TermPage:
    term = make_term(glossary, "bare", title="of the")
    TermPage.objects.filter(pk=term.pk).update(short_definition="")
    return TermPage.objects.get(pk=term.pk)


def full(
    glossary: GlossaryPage, model: type[TermPage], slug: str, **fields: Any
) -> TermPage:
    related_term = make_related_term(glossary, f"{slug}-neighbour")
    document = get_document_model().objects.create(title="Paper")
    return make_term(
        glossary,
        slug,
        model=model,
        title=f"The {slug} model's <name> & more",
        heading="What is it?",
        short_definition="A network that predicts the next word.",
        explanation=[
            section(
                f'<h3>How</h3><p>See <a linktype="page" id="{glossary.pk}">here</a>, '
                f'<a linktype="document" id="{document.pk}">there</a> and '
                '<a href="https://example.com/">out&nbsp;there</a>.</p><ul><li>one'
                '</li><li>two</li></ul><embed embedtype="image" id="7" format="left" '
                'alt="A &quot;graph&quot;"/>',
                kind="how_it_works",
                heading="Inside",
            ),
            section("<p>R&amp;D; a &lt; b; 100 %, {braces}, back\\slash.</p>"),
        ],
        comparisons=[
            comparison("Token", "<p>Smaller.</p>", related_term),
            comparison("Word", "<p>Not a <b>token</b>.</p>"),
        ],
        faq=[question("Is it “big”?", "<p>Yes, <br/>rather.</p>")],
        labels=["LLM", ("model of language", "hidden"), "ELELEM"],
        tags=["nlp", "deep learning"],
        related_terms=[related_term, make_related_term(glossary, f"{slug}-other")],
        category=make_category(),
        **fields,
    )


def odd(glossary: GlossaryPage) -> TermPage:
    """A term with content that no editor writes."""
    gone = make_related_term(glossary, "gone")
    term = make_term(
        glossary,
        "odd",
        labels=['"quoted"', "back\\slash", "{}", "NULL"],
        explanation=[section("<p>one<!-- not two --> &amp three &notin <P>four</P>")],
        comparisons=[comparison("Gone", "<p>No longer.</p>", gone)],
        faq=[question("Why?", "<script>alert('<p>')</script><p>Because</p>")],
    )
    RelatedTerm.objects.filter(pk=gone.pk).delete()
    return TermPage.objects.get(pk=term.pk)


def related_terms(glossary: GlossaryPage) -> list[RelatedTerm]:
    make_term(glossary, "known")
    return [make_related_term(glossary, slug) for slug in ("known", "wanted")]


# The text of what is indexed

pieces = st.one_of(
    st.sampled_from(
        [
            *("<p>", "</p>", '<p class="x">', "</li>", "<br/>", "<br />", "<br>"),
            *("<b>", "</b>", '<a href="/x?a=1&amp;b=2">', "</a>", "<hr/>", "</h2>"),
            *('<embed alt="a > b"/>', "<!--", "-->", "<", ">", "</", "/>", "<P>"),
            *("&amp;", "&amp", "&", "&#65;", "&#x41", "&notin", "&nbsp;", ";", '"'),
            *("<script>", "</script>", "<textarea>", "<p", "</p ", "<h7>", "</h7>"),
        ]
    ),
    st.text(max_size=4),
)
messy_html = st.lists(pieces, max_size=12).map("".join)


@given(messy_html)
@example("<p>one</p><p>two &amp; three</p>")
@example("<<b>p>text")
@example("&notit; &notit")
def test_rich_text_is_indexed_as_wagtail_indexes_it(html: str) -> None:
    assert rich_text_as_text(html) == get_text_for_indexing(html)


def test_usual_rich_text_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(html: str) -> str:
        raise AssertionError(html)

    monkeypatch.setattr("glossary.importing.bulk.search.get_text_for_indexing", refuse)
    html = '<h2>A</h2><p><b>b</b> &amp; <a linktype="page" id="3">c</a></p><hr/>'
    assert rich_text_as_text(html) == "A b & c"


def block_values(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=fields)


def streams(
    block_type: str, /, **fields: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    child = st.fixed_dictionaries(
        {
            "type": st.sampled_from([block_type, block_type, "unknown"]),
            "value": block_values(**fields),
            "id": st.uuids(version=4).map(str),
        }
    )
    return st.lists(child, max_size=3)


links = st.sampled_from(
    [
        '<a linktype="page" id="3">x</a>',
        '<a linktype="document" id="4">x</a>',
        '<a href="https://example.com/" linktype="page" id="a &amp; b">x</a>',
        '<a linktype="unheard" id="5">x</a>',
        '<a href="mailto:a@example.com">x</a>',
        '<embed embedtype="image" id="6" format="left" alt=""/>',
        '<embed embedtype="media" url="https://example.com/"/>',
        "<abbr>x</abbr>",
    ]
)
short = st.one_of(st.none(), st.text(max_size=6))
prose = st.one_of(st.none(), messy_html, st.lists(links, max_size=3).map("".join))
kinds = st.sampled_from(["explanation", "in_chatbots", "dropped", "", None])
content = st.fixed_dictionaries(
    {
        "title": st.text(max_size=6),
        "heading": st.text(max_size=6),
        "short_definition": st.text(max_size=6),
        "explanation": streams("section", kind=kinds, heading=short, body=prose),
        "comparisons": streams(
            "comparison",
            name=short,
            comparison=prose,
            related_term=st.sampled_from([None, "known", 0, 10**6]),
        ),
        "faq": streams("question", question=short, answer=prose),
        "related_features": streams("feature", path=short, label=short),
    }
)


def with_known(fields: dict[str, Any], related_term: RelatedTerm) -> dict[str, Any]:
    """The content with the choice of the related term that there is."""
    for child in fields["comparisons"]:
        if child["value"].get("related_term") == "known":
            child["value"]["related_term"] = related_term.pk
    return fields


def wagtail_texts(instance: Any) -> list[tuple[str, str]]:
    """The texts that the database's own indexer finds, with their columns."""
    backend = DatabaseBackend({})
    module = __import__(type(backend).__module__, fromlist=["ObjectIndexer"])
    indexer = module.ObjectIndexer(instance, backend)
    found = [
        (entry[0], entry[-1].strip())
        for field in indexer.search_fields
        for entry in indexer.prepare_field(instance, field)
    ]
    return [(column(field), text) for field, text in found if text]


def column(field: Any) -> str:
    if isinstance(field, index.AutocompleteField):
        return "autocomplete"
    return "title" if field.field_name == "title" else "body"


def our_texts(instance: Any) -> list[tuple[str, str]]:
    [texts] = collect_texts(type(instance), [instance])
    return [(text.column, text.text) for text in texts]


@given(fields=content)
@pytest.mark.parametrize("model", [TermPage, CourseTermPage])
@pytest.mark.slow
def test_texts_of_any_content_are_those_that_wagtail_finds(
    model: type[TermPage], related_term: RelatedTerm, fields: dict[str, Any]
) -> None:
    term = model(**with_known(fields, related_term))
    assert our_texts(term) == wagtail_texts(term)


@pytest.fixture(scope="module")
def related_term(django_db_setup: None, django_db_blocker: Any) -> Any:
    """One for all examples; what is made here is taken back."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield make_related_term(make_glossary("for-all"))
        transaction.set_rollback(True)


def test_texts_of_a_stream_that_was_changed_in_memory(terms: list[TermPage]) -> None:
    term = terms[1]
    term.explanation[0].value["heading"] = "Anew"
    term.faq.append(question("Added?", "<p>Just now.</p>"))
    assert ("body", "Is it “big”?, Yes,  rather., Added?, Just now.") in our_texts(term)
    assert our_texts(term) == wagtail_texts(term)


def test_labels_of_section_kinds_are_in_the_active_language(
    terms: list[TermPage], settings: Any
) -> None:
    settings.GLOSSARY_SECTION_KINDS = [("how_it_works", "Mechanism")]
    assert any("Mechanism, Inside" in text for _column, text in our_texts(terms[1]))
    assert our_texts(terms[1]) == wagtail_texts(terms[1])


# Search entries


def entries() -> Any:
    backend = get_search_backend()
    return backend.get_index_for_model(TermPage).entries.model.objects


def stored_entries(objects: Sequence[Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The entries of these objects, but for their ids and norms."""
    rows = entries().filter(object_id__in=[str(instance.pk) for instance in objects])
    return {
        (row.pop("content_type_id"), row.pop("object_id")): row
        for row in rows.values()
        if row.pop("id") and row.pop("title_norm")
    }


def norms(objects: Sequence[Any]) -> list[float]:
    rows = entries().filter(object_id__in=[str(instance.pk) for instance in objects])
    ordered = rows.order_by("content_type_id", "object_id")
    return list(ordered.values_list("title_norm", flat=True))


def check_entries(objects: Sequence[Any]) -> None:
    """Compare with each one saved by itself; the norms with all of them in one go,
    since those depend on what was there before."""
    entries().all().delete()
    for instance in objects:
        index.insert_or_update_object(instance)
    one_by_one = stored_entries(objects)
    assert len(one_by_one) == len(objects)

    def in_one_go() -> None:
        get_search_backend().add_bulk(type(objects[0]), objects)

    def outdate() -> None:
        entries().filter(object_id=str(objects[0].pk)).delete()
        entries().update(title_norm=7.0, **dict.fromkeys(["title", "body"], "stale"))

    for prepare in (outdate, entries().all().delete):
        prepare()
        in_one_go()
        expected = norms(objects)
        prepare()
        index_for_search(objects)
        assert stored_entries(objects) == one_by_one
        assert norms(objects) == pytest.approx(expected, rel=1e-12)


def test_entries_of_terms(terms: list[TermPage]) -> None:
    check_entries(terms)


def test_entries_of_a_sites_own_terms(course_terms: list[CourseTermPage]) -> None:
    check_entries(course_terms)
    assert list(CourseTermPage.objects.search("beginners")) == course_terms[:1]


def test_entries_of_related_terms(glossary: GlossaryPage) -> None:
    check_entries(related_terms(glossary))


def test_entries_of_terms_whose_rows_are_in_memory(terms: list[TermPage]) -> None:
    for term in terms:
        term.labels.set(list(term.labels.all()))
    check_entries(terms)


def test_norms_count_the_entries_of_others(terms: list[TermPage]) -> None:
    others = terms[1:]
    entries().exclude(object_id__in=[str(term.pk) for term in others]).delete()
    get_search_backend().add_bulk(TermPage, terms[:1])
    entries().filter(object_id__in=[str(term.pk) for term in others]).delete()
    before = entries().count()
    assert before
    index_for_search(others)
    ours = norms(others)
    entries().filter(object_id__in=[str(term.pk) for term in others]).delete()
    get_search_backend().add_bulk(TermPage, others)
    assert ours == pytest.approx(norms(others), rel=1e-12)


def test_a_term_that_was_indexed_is_found(terms: list[TermPage]) -> None:
    entries().all().delete()
    assert list(TermPage.objects.search("network")) == []
    index_for_search(terms)
    assert list(TermPage.objects.search("network")) == [terms[1]]
    assert list(TermPage.objects.autocomplete("elel")) == [terms[1]]


def test_a_term_given_twice_is_stored_once(terms: list[TermPage]) -> None:
    entries().all().delete()
    index_for_search([terms[1], terms[1]])
    assert entries().count() == 1


def test_nothing_is_indexed_of_nothing(db: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        index_for_search([])
        index_references([])
    assert len(queries) == 0


def test_a_word_that_occurs_everywhere(glossary: GlossaryPage) -> None:
    """PostgreSQL keeps 255 positions of a word, so it matters in which order the
    texts of an object are put together."""
    term = make_term(
        glossary,
        "often",
        labels=["word " * 40 + "last", "word x"],
        explanation=[section(f"<p>{'word ' * 300}</p>")],
        comparisons=[comparison("x", f"<p>x {'word ' * 120}</p>")],
        faq=[question("word y?", f"<p>{'z ' * 260}word</p>")],
    )
    check_entries([term])


@on_postgres
@pytest.mark.parametrize("config", ["simple", "german", "pg_catalog.english"])
def test_entries_in_a_configuration_of_the_site(
    terms: list[TermPage], settings: Any, config: str
) -> None:
    settings.WAGTAILSEARCH_BACKENDS = {
        "default": {
            "BACKEND": "modelsearch.backends.database",
            "SEARCH_CONFIG": config,
        }
    }
    check_entries(terms)


def count_queries(write: Callable[[], None]) -> int:
    with CaptureQueriesContext(connection) as queries:
        write()
    return len(queries)


def forget_all() -> None:
    entries().all().delete()
    ReferenceIndex.objects.all().delete()


@pytest.mark.slow
def test_statements_do_not_grow_with_the_objects(glossary: GlossaryPage) -> None:
    many = [full(glossary, TermPage, f"term-{letter}") for letter in "abcdefgh"]
    for term in many:
        term.related_terms.set(list(term.related_terms.all()))
        term.labels.set(list(term.labels.all()))
        term.tagged_items.set(list(term.tagged_items.all()))
        if connection.vendor != "postgresql":
            list(term.comparisons)  # Wagtail reads them one by one
    for write in (index_for_search, index_references):
        write(many)  # from here on the content types are known
        forget_all()
        few = count_queries(lambda write=write: write(many[:2]))
        assert few
        forget_all()
        assert count_queries(lambda write=write: write(many)) == few


@on_postgres
def test_entries_are_written_by_one_statement(terms: list[TermPage]) -> None:
    for term in terms:
        term.labels.set(list(term.labels.all()))
    assert count_queries(lambda: index_for_search(terms)) == 2


def test_an_object_is_indexed_as_what_it_is(
    course_terms: list[CourseTermPage],
) -> None:
    entries().all().delete()
    index_for_search(list(TermPage.objects.filter(pk=course_terms[0].pk)))
    assert list(CourseTermPage.objects.search("beginners")) == course_terms[:1]


def test_what_its_model_wants_no_longer_indexed_loses_its_entry(
    terms: list[TermPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = TermPage.objects.exclude(pk=terms[1].pk)
    monkeypatch.setattr(TermPage, "get_indexed_objects", lambda: wanted)
    index_for_search(terms)
    assert list(stored_entries(terms)) == list(stored_entries([terms[0], terms[2]]))


def test_a_model_that_is_not_indexed_on_saving_is_left_alone(
    glossary: GlossaryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries().all().delete()
    monkeypatch.setattr(GlossaryPage, "search_auto_update", False, raising=False)
    index_for_search([glossary])
    assert entries().count() == 0


def test_a_backend_that_is_not_updated_on_saving_is_left_alone(
    terms: list[TermPage], settings: Any
) -> None:
    entries().all().delete()
    settings.WAGTAILSEARCH_BACKENDS = {
        "default": {"BACKEND": "modelsearch.backends.database", "AUTO_UPDATE": False}
    }
    index_for_search(terms)
    assert entries().count() == 0


class Unreachable(Exception):
    """What a server that is away answers."""


class RemoteIndex:
    def add_items(self, model: type, items: Sequence[Any]) -> None:
        raise Unreachable


class RemoteBackend(BaseSearchBackend):
    """A server elsewhere, which is away."""

    catch_indexing_errors = True

    def get_index_for_model(self, model: type) -> Any:
        return RemoteIndex()


class StrictBackend(RemoteBackend):
    catch_indexing_errors = False


@pytest.mark.parametrize("name", ["RemoteBackend", "StrictBackend"])
def test_a_server_that_is_away_stops_nothing_unless_it_may(
    terms: list[TermPage], settings: Any, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    entries().all().delete()
    settings.WAGTAILSEARCH_BACKENDS = {
        "away": {"BACKEND": f"{__name__}.{name}"},
        "default": {"BACKEND": "modelsearch.backends.database"},
    }
    if name == "StrictBackend":
        with pytest.raises(Unreachable):
            index_for_search(terms)
        return
    index_for_search(terms)
    assert "3 objects were not indexed by the search backend away" in caplog.text
    assert entries().count() == len(terms)


# References

REFERENCE_FIELDS = (
    "content_type_id",
    "base_content_type_id",
    "object_id",
    "to_content_type_id",
    "to_object_id",
    "model_path",
    "content_path",
    "content_path_hash",
)


def stored_references() -> set[tuple[Any, ...]]:
    return set(ReferenceIndex.objects.values_list(*REFERENCE_FIELDS))


def check_references(objects: Sequence[Any]) -> None:
    ReferenceIndex.objects.all().delete()
    for instance in objects:
        ReferenceIndex.create_or_update_for_object(instance)
    one_by_one = stored_references()
    assert one_by_one
    index_references(objects)
    assert stored_references() == one_by_one
    # Some are missing, and some are no longer true.
    first, second = ReferenceIndex.objects.all()[:2]
    first.delete()
    ReferenceIndex.objects.filter(pk=second.pk).update(
        content_path="faq.gone", content_path_hash=uuid.uuid4()
    )
    index_references(objects)
    assert stored_references() == one_by_one
    ReferenceIndex.objects.all().delete()
    index_references(objects, created=True)
    assert stored_references() == one_by_one


def test_references_of_terms(terms: list[TermPage]) -> None:
    check_references(terms)
    paths = set(ReferenceIndex.objects.values_list("model_path", flat=True))
    assert paths == {
        "category",
        "comparisons.comparison.related_term",
        "explanation.section.body",
        "related_terms.item.related_term",
        "tagged_items.item.tag",
    }


def test_references_of_a_sites_own_terms(course_terms: list[CourseTermPage]) -> None:
    check_references(course_terms)


def test_references_of_related_terms(glossary: GlossaryPage) -> None:
    check_references(related_terms(glossary))


def test_references_of_terms_whose_rows_are_in_memory(terms: list[TermPage]) -> None:
    for term in terms[:2]:
        term.related_terms.set(list(term.related_terms.all())[:1])
        term.tagged_items.set([])
    check_references(terms)


def test_references_of_comments_and_of_replies(terms: list[TermPage]) -> None:
    user = get_user_model().objects.create_user("commenter", password="x")
    for term in terms[:2]:
        comment = Comment.objects.create(
            page=term, user=user, text="?", contentpath="title"
        )
        CommentReply.objects.create(comment=comment, user=user, text="!")
    check_references(terms)
    assert ReferenceIndex.get_references_to(user).count() == 4


def test_references_of_what_a_model_does_not_know_are_kept(
    course_terms: list[CourseTermPage],
) -> None:
    ReferenceIndex.objects.all().delete()
    index_references(course_terms)
    before = stored_references()
    pages = list(TermPage.objects.filter(pk__in=[page.pk for page in course_terms]))
    for page in pages:
        page.category = None
        page.related_terms.set([])
    index_references(pages)
    # All of them stand under the class that may know more.
    assert stored_references() >= before


def test_references_of_a_category_are_not_kept(glossary: GlossaryPage) -> None:
    category = make_category()
    ReferenceIndex.objects.all().delete()
    index_references([category])
    assert stored_references() == set()


@given(fields=content)
@pytest.mark.parametrize("model", [TermPage, CourseTermPage])
@pytest.mark.slow
def test_references_of_any_content_are_those_that_wagtail_finds(
    model: type[TermPage], related_term: RelatedTerm, fields: dict[str, Any]
) -> None:
    fields = with_known(fields, related_term)
    term = model(**fields, category_id=9)
    expected = set(ReferenceIndex._extract_references_from_object(term))
    assert extract_references([model(**fields, category_id=9)]) == [expected]


@given(st.text())
def test_paths_are_hashed_as_wagtail_hashes_them(path: str) -> None:
    assert content_path_hash(path) == ReferenceIndex._get_content_path_hash(path).hex


# Arrays


@on_postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["NULL", "a,b", "{c}", " d ", "\t\n", "é\u2028"],
        ['"', "\\", '\\"', "\\\\", "'", "%s"],
    ],
)
def test_text_arrays_are_read_back_as_they_were(texts: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text[]", [text_array(texts)])
        assert cursor.fetchone() == (texts,)


@on_postgres
@pytest.mark.django_db
def test_integer_arrays_are_read_back_as_they_were() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::integer[]", [integer_array([3, 0, -1])])
        assert cursor.fetchone() == ([3, 0, -1],)
