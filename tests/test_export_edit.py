"""Records changed in place: property tests of what is changed and what stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.payload.devalue import (
    JSMap,
    NullProto,
    PayloadError,
    Tagged,
    dumps,
    loads,
    to_plain,
)
from glossary.payload.edit import edit_record, record_at
from glossary.payload.schema import (
    CASE_RULES,
    LABEL_KINDS,
    LINK_KINDS,
    ComparisonPayload,
    LabelPayload,
    QuestionPayload,
    RelatedTermPayload,
    SectionPayload,
    TermPayload,
    find_term,
    parse_term,
    to_record,
)


words = st.text("abAB=", min_size=1, max_size=3)
slugs = st.text("abc", min_size=1, max_size=2)
texts = st.one_of(st.just(""), words)


def lists(entries: st.SearchStrategy[Any], by: Any = None) -> st.SearchStrategy[Any]:
    return st.lists(entries, max_size=4, unique_by=by).map(tuple)


features = st.dictionaries(slugs, texts, max_size=3)
terms = st.builds(
    lambda features, **values: TermPayload(
        **values,
        related_features=tuple(features),
        feature_labels={path: text for path, text in features.items() if text},
    ),
    features=features,
    slug=st.just("own"),
    term=st.just("Own"),
    short_definition=texts,
    seo_title=texts,
    seo_description=texts,
    heading=texts,
    explanation=texts,
    how_it_works=texts,
    in_chatbots=texts,
    comparisons=lists(
        st.builds(ComparisonPayload, words, texts, st.one_of(st.just(""), slugs))
    ),
    related_terms=lists(
        st.builds(RelatedTermPayload, slugs, words, st.sampled_from(LINK_KINDS)),
        lambda item: item.slug,
    ),
    faq=lists(st.builds(QuestionPayload, words, texts)),
    category=slugs,
    category_name=texts,
    labels=lists(
        st.builds(
            LabelPayload,
            words,
            st.sampled_from(LABEL_KINDS),
            st.sampled_from(CASE_RULES),
        ),
        lambda item: item.text.casefold(),
    ),
    tags=lists(words, lambda tag: tag),
    sections=lists(st.builds(SectionPayload, slugs, words, texts)),
    extra=st.dictionaries(
        st.sampled_from(["one", "two"]),
        # JavaScript has no greater whole numbers.
        st.integers(-(2**53), 2**53) | st.lists(texts),
        max_size=2,
    ),
)


def says(record: Any) -> TermPayload:
    return parse_term(to_plain(record)).term


@given(terms, terms)
@pytest.mark.slow
def test_the_record_says_the_target_afterwards(former, target):
    record = to_record(former)
    changed = edit_record(record, says(record), target)
    assert says(record) == target
    assert changed == (former != target)


@given(terms)
@pytest.mark.slow
def test_a_record_that_says_it_already_stays(term):
    record = to_record(term)
    before = dumps(record)
    assert not edit_record(record, says(record), term)
    assert dumps(record) == before


@given(terms, terms)
@pytest.mark.slow
def test_only_fields_that_differ_are_changed(former, target):
    record = to_record(former)
    before = dict(record)
    edit_record(record, says(record), replace(says(record), faq=target.faq))
    differing = {
        name
        for name in before | record
        if before.get(name, "nothing") is not record.get(name, "nothing")
    }
    assert differing <= {"faq"}
    assert list(record) == list(before)


@given(terms, terms)
@pytest.mark.slow
def test_what_the_record_shares_with_others_is_not_changed(former, target):
    record = to_record(former)
    shared = dict(record)
    before = dumps(shared)
    edit_record(record, says(record), target)
    assert dumps(shared) == before


@given(terms, terms)
@pytest.mark.slow
def test_wrapped_values_are_edited_inside_their_wrappers(former, target):
    wrapped: dict[str, Any] = {
        name: Tagged("Ref", value) if value else value
        for name, value in to_record(former).items()
    }
    edit_record(wrapped, says(wrapped), target)
    assert says(wrapped) == target
    again = loads(dumps(wrapped))
    assert says(again) == target


def test_entries_that_stay_are_the_same_objects():
    entries = [
        {"question": "one", "answer": "1", "id": 1},
        None,
        NullProto({"question": "two", "answer": "2", "id": 2}),
        {"question": "one", "answer": "1", "id": 3},
    ]
    record: dict[str, Any] = {"slug": "a", "term": "A", "faq": entries}
    former = says(record)
    one, two, again = former.faq
    target = replace(former, faq=(again, replace(two, answer="II"), one))
    assert edit_record(record, former, target)
    assert record["faq"][0] is entries[0]
    assert record["faq"][1] == NullProto({"question": "two", "answer": "II", "id": 2})
    assert record["faq"][2] is entries[3]
    assert entries[2] == NullProto({"question": "two", "answer": "2", "id": 2})


def test_a_renamed_question_keeps_what_else_its_entry_has():
    entry = {"id": 7, "question": "Old?", "answer": "Yes."}
    record: dict[str, Any] = {"slug": "a", "term": "A", "faq": [entry]}
    former = says(record)
    target = replace(former, faq=(QuestionPayload("New?", "Yes."),))
    edit_record(record, former, target)
    assert record["faq"] == [{"id": 7, "question": "New?", "answer": "Yes."}]


@pytest.mark.parametrize(
    "value",
    [
        {"data": {"a/b~c": {"slug": "s", "term": "T"}}},
        [1, [NullProto({"slug": "s", "term": "T"})]],
        {"map": JSMap([("key", Tagged("Ref", {"slug": "s", "term": "T"}))])},
        Tagged("Site", {"x": Tagged("Other", {"slug": "s", "term": "T"})}),
    ],
)
def test_the_record_is_found_as_the_object_it_is(value):
    record = record_at(value, find_term(value))
    record["term"] = "Changed"
    assert find_term(value).record == {"slug": "s", "term": "Changed"}


def test_a_pointer_that_leads_nowhere_is_an_error():
    found = replace(find_term({"slug": "s", "term": "T"}), pointer="/a/b")
    with pytest.raises(PayloadError, match="no way to the record"):
        record_at({"a": {}}, found)
