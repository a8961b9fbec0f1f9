from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.importing.merge import KEYS, MISSING, Merged, merge_field


def question(text: str, answer: str = "") -> dict[str, str]:
    return {"question": text, "answer": answer}


def section(heading: str, text: str, kind: str = "explanation") -> dict[str, str]:
    return {"kind": kind, "heading": heading, "text": text}


def related(slug: str, kind: str = "related") -> dict[str, str]:
    return {"slug": slug, "kind": kind}


def label(text: str, kind: str = "synonym") -> dict[str, str]:
    return {"text": text, "kind": kind, "case_rule": "any"}


def comparison(term: str, text: str, slug: str | None = None) -> dict[str, str | None]:
    return {"term": term, "slug": slug, "comparison": text}


def value_without_conflict(name: str, base: Any, ours: Any, theirs: Any) -> Any:
    merged = merge_field(name, base, ours, theirs)
    assert merged.conflicts == ()
    assert merged.theirs_taken == merged.value
    assert merged.next_base == theirs
    return merged.value


# A field that is one value


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "value"),
    [
        ("old", "old", "new", "new"),
        ("old", "new", "old", "new"),
        ("old", "new", "new", "new"),
        ("old", "old", "", ""),
        ("old", "", "old", ""),
        (MISSING, "same", "same", "same"),
        (MISSING, "", "new", "new"),
        (MISSING, None, "new", "new"),
    ],
)
def test_one_side_changed_or_both_the_same(
    base: Any, ours: Any, theirs: Any, value: Any
) -> None:
    assert value_without_conflict("heading", base, ours, theirs) == value


@pytest.mark.parametrize("base", ["old", "", MISSING])
def test_both_changed_differently_is_a_conflict_and_ours_stays(base: Any) -> None:
    assert merge_field("heading", base, "ours", "theirs") == Merged(
        value="ours", conflicts=("",), theirs_taken="theirs", next_base=base
    )


def test_a_value_that_an_editor_emptied_and_the_source_changed_is_a_conflict() -> None:
    assert merge_field("heading", "old", "", "new") == Merged("", ("",), "new", "old")


@pytest.mark.parametrize("name", ["faq", "tags", "extra", "related_features"])
def test_a_value_of_another_shape_is_merged_as_a_whole(name: str) -> None:
    assert merge_field(name, "old", ["ours"], {"their": 1}) == Merged(
        ["ours"], ("",), {"their": 1}, "old"
    )
    assert merge_field(name, 1, 1, [["a list"]]).value == [["a list"]]
    assert merge_field(name, [1], [2], [3]).conflicts == ("",)


# Questions, and what holds for every list


def test_an_editors_question_and_a_correction_of_another_do_not_meet() -> None:
    base = [question("What?", "This."), question("Why?", "So.")]
    ours = [*base, question("Who?", "We.")]
    theirs = [question("What?", "This one."), question("Why?", "So.")]
    assert value_without_conflict("faq", base, ours, theirs) == [
        question("What?", "This one."),
        question("Why?", "So."),
        question("Who?", "We."),
    ]


def test_an_edited_question_is_the_same_question() -> None:
    base = [question("Whta?", "This."), question("Why?", "So.")]
    ours = [question("What?", "This."), question("Why?", "So.")]
    theirs = [question("Whta?", "This one."), question("Why?", "So.")]
    assert value_without_conflict("faq", base, ours, theirs) == [
        question("What?", "This one."),
        question("Why?", "So."),
    ]


def test_an_edited_question_that_was_moved_is_told_by_its_answer() -> None:
    base = [question("Whta?", "This."), question("Why?", "So.")]
    ours = [question("Why?", "So."), question("What?", "This.")]
    theirs = [question("Why?", "Oh."), question("Whta?", "This.")]
    assert value_without_conflict("faq", base, ours, theirs) == [
        question("Why?", "Oh."),
        question("What?", "This."),
    ]


def test_a_question_edited_with_its_answer_is_told_by_its_place() -> None:
    base = [question("A?", "1"), question("B?", "2"), question("C?", "3")]
    ours = [question("A?", "1"), question("B2?", "2, ours"), question("C?", "3")]
    theirs = [question("A?", "1"), question("B?", "2, theirs"), question("C?", "3")]
    assert merge_field("faq", base, ours, theirs) == Merged(
        value=ours,
        conflicts=("/1/answer",),
        theirs_taken=[
            question("A?", "1"),
            question("B2?", "2, theirs"),
            question("C?", "3"),
        ],
        next_base=base,
    )


def test_a_question_rewritten_on_both_sides_is_a_conflict() -> None:
    ours, theirs = [question("B?", "2")], [question("C?", "3")]
    merged = merge_field("faq", [question("A?", "1")], ours, theirs)
    assert merged.value == ours
    assert merged.conflicts == ("/0/question", "/0/answer")
    assert merged.theirs_taken == theirs


def test_a_question_corrected_alike_on_both_sides_is_one() -> None:
    base = [question("Whta?", "This.")]
    ours = [question("What?", "This.")]
    theirs = [question("What?", "This one.")]
    assert value_without_conflict("faq", base, ours, theirs) == theirs


def test_case_and_white_space_make_no_other_question() -> None:
    base = [question("What is it?", "This.")]
    ours = [question("what  is it?", "This.")]
    theirs = [question("What is it?", "That.")]
    assert value_without_conflict("faq", base, ours, theirs) == [
        question("what  is it?", "That.")
    ]


def test_removed_on_one_side_and_unchanged_on_the_other_is_removed() -> None:
    base = [question("A?", "1"), question("B?", "2"), question("C?", "3")]
    assert value_without_conflict("faq", base, base[1:], base[:2]) == [base[1]]


def test_removed_by_the_source_and_edited_here_stays_as_a_conflict() -> None:
    base = [question("A?", "1"), question("B?", "2")]
    ours = [question("A?", "1"), question("B?", "2, ours")]
    theirs = [question("A?", "1!")]
    assert merge_field("faq", base, ours, theirs) == Merged(
        value=[question("A?", "1!"), question("B?", "2, ours")],
        conflicts=("/1",),
        theirs_taken=theirs,
        next_base=[question("A?", "1!"), question("B?", "2")],
    )


def test_removed_here_and_edited_by_the_source_stays_away_as_a_conflict() -> None:
    base = [question("A?", "1"), question("B?", "2")]
    theirs = [question("A?", "1"), question("B?", "2, theirs")]
    assert merge_field("faq", base, base[:1], theirs) == Merged(
        value=base[:1], conflicts=("/1",), theirs_taken=theirs, next_base=base
    )


def test_the_conflict_of_what_ours_lacks_is_named_by_its_place_in_theirs() -> None:
    base = [question("A?", "1"), question("B?", "2")]
    theirs = [question("A?", "1"), question("New?", "3"), question("B?", "2!")]
    assert merge_field("faq", base, [], theirs[:1] + theirs[2:]).conflicts == ("/1",)
    assert merge_field("faq", base, [question("A?", "1!")], theirs).conflicts == ("/2",)


def test_added_on_both_sides_alike_is_one() -> None:
    ours = [question("A?", "1"), question("Ours?", "Yes.")]
    theirs = [question("A?", "1"), question("Theirs?", "Yes.")]
    assert value_without_conflict("faq", [], ours, theirs) == [
        question("A?", "1"),
        question("Theirs?", "Yes."),
        question("Ours?", "Yes."),
    ]


def test_added_on_both_sides_where_one_has_no_answer_yet() -> None:
    ours = [question("A?", ""), question("B?", "2")]
    theirs = [question("A?", "1"), question("B?", "")]
    assert value_without_conflict("faq", [], ours, theirs) == [
        question("A?", "1"),
        question("B?", "2"),
    ]


def test_added_on_both_sides_with_other_answers_is_a_conflict_of_the_answer() -> None:
    merged = merge_field("faq", [], [question("A?", "1")], [question("A?", "2")])
    assert merged.value == [question("A?", "1")]
    assert merged.conflicts == ("/0/answer",)
    assert merged.theirs_taken == [question("A?", "2")]


def test_a_list_that_no_import_has_written_has_an_empty_base() -> None:
    ours = [question("A?", "1"), question("Mine?", "Yes.")]
    theirs = [question("A?", "1"), question("B?", "2")]
    assert value_without_conflict("faq", MISSING, ours, theirs) == [
        question("A?", "1"),
        question("B?", "2"),
        question("Mine?", "Yes."),
    ]


def test_questions_of_one_text_are_told_apart_by_their_occurrence() -> None:
    base = [question("A?", "1"), question("A?", "2")]
    ours = [question("A?", "1"), question("A?", "2, ours")]
    theirs = [question("A?", "1, theirs"), question("A?", "2")]
    assert value_without_conflict("faq", base, ours, theirs) == [
        question("A?", "1, theirs"),
        question("A?", "2, ours"),
    ]


def test_a_new_question_of_theirs_is_not_taken_for_the_edited_one_of_ours() -> None:
    base = [question("A?", "1")]
    ours = [question("B?", "1")]
    theirs = [question("A?", "1"), question("B?", "")]
    assert value_without_conflict("faq", base, ours, theirs) == [question("B?", "1")]


# Order


def test_our_order_wins_where_the_source_kept_its_own() -> None:
    assert value_without_conflict(
        "related_features",
        ["a", "b", "c"],
        ["c", "b", "a"],
        ["a", "after-a", "b", "c"],
    ) == ["c", "b", "a", "after-a"]


def test_their_order_wins_where_we_kept_ours() -> None:
    assert value_without_conflict(
        "related_features",
        ["a", "b", "c"],
        ["first", "a", "after-a", "b", "c"],
        ["c", "b", "a"],
    ) == ["first", "c", "b", "a", "after-a"]


def test_our_order_wins_where_both_moved_items() -> None:
    merged = value_without_conflict(
        "related_features", ["a", "b", "c"], ["c", "a", "b"], ["b", "a", "c", "d"]
    )
    assert merged == ["c", "d", "a", "b"]


def test_the_place_of_an_addition_survives_the_removal_of_its_neighbour() -> None:
    assert value_without_conflict(
        "related_features", ["a", "b", "c"], ["a", "c"], ["a", "b", "new", "c"]
    ) == ["a", "new", "c"]


# The other lists and mappings


def test_another_slug_in_the_same_place_is_another_related_term() -> None:
    base = [related("token")]
    ours = [related("vector")]
    theirs = [related("tensor")]
    assert value_without_conflict("related_terms", base, ours, theirs) == [
        related("tensor"),
        related("vector"),
    ]


def test_the_kind_of_a_related_term_merges_by_itself() -> None:
    base = [related("token"), related("vector")]
    ours = [related("token", "contrast"), related("vector")]
    theirs = [related("token"), related("vector", "broader")]
    assert value_without_conflict("related_terms", base, ours, theirs) == [
        related("token", "contrast"),
        related("vector", "broader"),
    ]
    theirs = [related("token", "narrower"), related("vector")]
    assert merge_field("related_terms", base, ours, theirs).conflicts == ("/0/kind",)


def test_a_label_in_the_place_of_another_does_not_inherit_from_it() -> None:
    merged = merge_field(
        "labels", [label("LLM")], [label("GPT")], [label("LLM", "abbreviation")]
    )
    assert merged.value == [label("GPT")]
    assert merged.conflicts == ("/0",)


def test_a_comparison_in_the_place_of_another_does_not_inherit_its_link() -> None:
    base = [comparison("Vector", "A list of numbers.")]
    ours = [comparison("Tensor", "A table of numbers.")]
    theirs = [comparison("Vector", "A list of numbers.", "vector")]
    assert merge_field("comparisons", base, ours, theirs).value == ours


def test_a_text_that_several_items_share_tells_of_none() -> None:
    text = "To be written."
    base = [comparison("A", text), comparison("B", text)]
    ours = [comparison("C", text), comparison("D", text)]
    theirs = [comparison("A", text, "a"), comparison("B", text, "b")]
    merged = merge_field("comparisons", base, ours, theirs)
    assert merged.value == ours
    assert merged.conflicts == ("/0", "/1")


def test_items_without_a_text_are_told_by_their_keys_alone() -> None:
    merged = merge_field(
        "comparisons",
        [comparison("A", "")],
        [comparison("C", "")],
        [comparison("A", "", "a")],
    )
    assert merged.value == [comparison("C", "")]


def test_a_comparison_renamed_here_takes_the_link_of_theirs() -> None:
    base = [comparison("Vectro", "A list of numbers.")]
    ours = [comparison("Vector", "A list of numbers.")]
    theirs = [comparison("Vectro", "A list of numbers.", "vector")]
    assert value_without_conflict("comparisons", base, ours, theirs) == [
        comparison("Vector", "A list of numbers.", "vector")
    ]


def test_sections_of_one_kind_without_headings_are_told_by_their_occurrence() -> None:
    base = [section("", "One."), section("", "Two."), section("", "Three.", "how")]
    ours = [section("", "One."), section("", "Two, ours."), base[2]]
    theirs = [section("", "One, theirs."), section("", "Two."), base[2]]
    assert value_without_conflict("sections", base, ours, theirs) == [
        section("", "One, theirs."),
        section("", "Two, ours."),
        base[2],
    ]


def test_a_section_that_got_a_heading_is_the_same_section() -> None:
    base = [section("", "One."), section("", "Two.", "how")]
    ours = [section("First", "One."), base[1]]
    theirs = [section("", "One and a half."), base[1]]
    assert value_without_conflict("sections", base, ours, theirs) == [
        section("First", "One and a half."),
        base[1],
    ]


def test_a_section_of_another_kind_in_the_same_place_is_another_section() -> None:
    base = [section("A", "One.")]
    ours = [section("B", "Two.", "how")]
    theirs = [section("A", "One, theirs.")]
    merged = merge_field("sections", base, ours, theirs)
    assert merged.value == ours
    assert merged.conflicts == ("/0",)


def test_tags_are_a_set() -> None:
    assert value_without_conflict(
        "tags", ["ai", "old", "text"], ["ai", "mine", "old"], ["ai", "new", "text"]
    ) == ["ai", "mine", "new"]


def test_further_fields_merge_key_by_key() -> None:
    base = {"level": 1, "~a/b": "x", "gone": True}
    ours = {"level": 2, "~a/b": "ours", "gone": True}
    theirs = {"level": 1, "~a/b": "theirs", "new": [1]}
    assert merge_field("extra", base, ours, theirs) == Merged(
        value={"level": 2, "~a/b": "ours", "new": [1]},
        conflicts=("/~0a~1b",),
        theirs_taken={"level": 2, "~a/b": "theirs", "new": [1]},
        next_base={"level": 1, "~a/b": "x", "new": [1]},
    )


def test_false_and_zero_are_no_empty_values() -> None:
    merged = merge_field("extra", {}, {"n": 0, "is": False}, {"n": 1, "is": True})
    assert merged.conflicts == ("/n", "/is")


def test_the_labels_of_features_merge_path_by_path() -> None:
    assert value_without_conflict(
        "feature_labels", {"a": "A"}, {"a": "Mine"}, {"a": "A", "b": "B"}
    ) == {"a": "Mine", "b": "B"}


# Laws, over values of every field. Texts are few, so that sides meet.

WORDS = st.sampled_from(["", "one", "two", "Two", "three", "four"])
NAMES = st.sampled_from(["a", "b", "B", "c", "d", "e"])
KINDS = st.sampled_from(["x", "y"])
ITEMS: dict[str, st.SearchStrategy[Any]] = {
    "faq": st.builds(question, NAMES, WORDS),
    "comparisons": st.builds(comparison, NAMES, WORDS, st.none() | NAMES),
    "sections": st.builds(section, NAMES, WORDS, KINDS),
    "labels": st.builds(label, NAMES, KINDS),
    "related_terms": st.builds(related, NAMES, KINDS),
    "related_features": NAMES,
}
TEXTS = {
    "faq": ("question", "answer"),
    "comparisons": ("term", "comparison"),
    "sections": ("heading", "text"),
    "labels": ("text", "kind"),
    "related_terms": ("kind",),
}
# Lists whose items are told by more than their keys, which may then change.
EDITED_KEYS = ("faq", "comparisons", "sections")
MAPPINGS = ("extra", "feature_labels")
ALL_FIELDS = [*ITEMS, *MAPPINGS, "tags", "heading"]
PIECEWISE = [name for name in ALL_FIELDS if name != "heading"]


@st.composite
def edited_list(draw: st.DrawFn, name: str, base: list[Any]) -> list[Any]:
    """What an editor or a source may make of a list."""
    items = []
    for item in base:
        action = draw(st.sampled_from(["keep", "keep", "keep", "edit", "remove"]))
        if action == "edit" and isinstance(item, dict):
            other = draw(ITEMS[name])
            text = draw(st.sampled_from(sorted(item)))
            items.append({**item, text: other[text]})
        elif action != "remove":
            items.append(item)
    for new in draw(st.lists(ITEMS[name], max_size=2)):
        items.insert(draw(st.integers(0, len(items))), new)
    return draw(st.permutations(items)) if draw(st.integers(0, 3)) == 0 else items


@st.composite
def edited_mapping(draw: st.DrawFn, base: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in base.items() if draw(st.integers(0, 3))}
    return {**kept, **draw(st.dictionaries(NAMES, WORDS, max_size=2))}


def values_of(name: str, former: Any = None) -> st.SearchStrategy[Any]:
    """Values of a field; with a former one, what may have become of it."""
    if name in MAPPINGS:
        return edited_mapping(former or {})
    if name == "tags":
        return st.sets(NAMES).map(sorted)
    if name == "heading":
        return WORDS
    return edited_list(name, former or [])


@st.composite
def triples(
    draw: st.DrawFn, name: str, *, unique: bool = False
) -> tuple[Any, Any, Any]:
    """A base, ours and theirs; ``unique`` ones have no key twice."""
    if name in ITEMS:
        base = draw(st.lists(ITEMS[name], max_size=5))
    else:
        base = draw(values_of(name))
    if draw(st.integers(0, 9)) == 0:
        base = MISSING
    former = None if base is MISSING else base
    sides = [base, draw(values_of(name, former)), draw(values_of(name, former))]
    if unique and name in ITEMS:
        sides = [
            side if side is MISSING else list({KEYS[name](i): i for i in side}.values())
            for side in sides
        ]
    return sides[0], sides[1], sides[2]


def law(*names: str, **options: bool) -> Callable[[Callable[..., None]], Any]:
    """Run a test for each field, with a base, ours and theirs."""

    def decorate(test: Callable[..., None]) -> Any:
        @pytest.mark.parametrize("name", names)
        @given(data=st.data())
        def run(name: str, data: st.DataObject) -> None:
            test(name, *data.draw(triples(name, **options)))

        run.__name__ = test.__name__
        return run

    return decorate


def pieces(name: str, value: Any) -> Counter[str]:
    """What a value says, without order."""
    if isinstance(value, dict):
        return Counter(repr(item) for item in value.items())
    if isinstance(value, list):
        return Counter(
            repr(sorted(item.items())) if isinstance(item, dict) else repr(item)
            for item in value
        )
    return Counter([repr(value)])


def texts(name: str, value: Any) -> set[str]:
    """The words of a value that somebody wrote."""
    if value is MISSING or value is None:
        return set()
    if isinstance(value, str):
        return {value} - {""}
    if isinstance(value, dict):
        return {f"{key}: {text}" for key, text in value.items() if text}
    if name in TEXTS:
        return {f"{key}: {i[key]}" for i in value for key in TEXTS[name] if i[key]}
    return set(value)


@law(*ALL_FIELDS)
def test_what_only_one_side_changed_is_taken(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    assert value_without_conflict(name, base, ours, ours) == ours
    if base is not MISSING:
        assert value_without_conflict(name, base, base, theirs) == theirs
        assert value_without_conflict(name, base, ours, base) == ours


def fresh(name: str, text: str) -> Any:
    """An item that no strategy makes."""
    made = {
        "faq": question(text, text),
        "comparisons": comparison(text, text, text),
        "sections": section(text, text, text),
        "labels": label(text),
        "related_terms": related(text),
        "related_features": text,
    }
    return made[name]


@law(*ITEMS)
def test_what_only_one_side_changed_is_taken_beside_a_change_of_the_other(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    if base is MISSING:
        base = []
    mine, new = fresh(name, "mine"), fresh(name, "new")

    def apart(value: list[Any], added: Any) -> list[Any]:
        assert value.count(added) == 1
        return [item for item in value if item != added]

    assert (
        apart(value_without_conflict(name, base, [*base, mine], theirs), mine) == theirs
    )
    assert apart(value_without_conflict(name, base, ours, [*base, new]), new) == ours
    if name not in ("faq", "sections"):  # There, both may stand for one of base.
        value = value_without_conflict(name, base, [*ours, mine], [*ours, new])
        assert apart(apart(value, mine), new) == ours


@law(*ALL_FIELDS)
def test_without_a_conflict_theirs_is_the_next_base(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    merged = merge_field(name, base, ours, theirs)
    if not merged.conflicts:
        assert merged.next_base == theirs
        assert merged.theirs_taken == merged.value


@law(*(name for name in ALL_FIELDS if name not in EDITED_KEYS), unique=True)
def test_a_second_import_of_the_same_changes_nothing(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    merged = merge_field(name, base, ours, theirs)
    again = merge_field(name, merged.next_base, merged.value, theirs)
    assert again.value == merged.value
    assert len(again.conflicts) == len(merged.conflicts)
    assert again.next_base == merged.next_base


@law(*ALL_FIELDS)
def test_theirs_taken_leaves_nothing_to_import(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    taken = merge_field(name, base, ours, theirs).theirs_taken
    assert value_without_conflict(name, theirs, taken, theirs) == taken


@law(*PIECEWISE)
def test_the_sides_are_treated_alike_but_for_conflicts_and_order(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    merged = merge_field(name, base, ours, theirs)
    mirrored = merge_field(name, base, theirs, ours)
    assert pieces(name, merged.value) == pieces(name, mirrored.theirs_taken)
    assert pieces(name, merged.theirs_taken) == pieces(name, mirrored.value)
    assert len(merged.conflicts) == len(mirrored.conflicts)


@law(*ALL_FIELDS)
def test_no_word_of_a_person_is_lost(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    merged = merge_field(name, base, ours, theirs)
    assert texts(name, ours) - texts(name, base) <= texts(name, merged.value)
    assert texts(name, theirs) - texts(name, base) <= texts(name, merged.theirs_taken)


@law(*ALL_FIELDS)
def test_nothing_is_made_up_and_nothing_comes_back(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    merged = merge_field(name, base, ours, theirs)
    said = texts(name, ours) | texts(name, theirs)
    assert texts(name, merged.value) <= said
    assert texts(name, merged.theirs_taken) <= said


@law(*(name for name in ITEMS if name != "sections"), unique=True)
def test_a_merge_makes_no_duplicate_keys(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    merged = merge_field(name, base, ours, theirs)
    for value in (merged.value, merged.theirs_taken):
        assert max(Counter(map(KEYS[name], value)).values(), default=1) == 1


@law(*ALL_FIELDS)
def test_a_merge_leaves_what_it_is_given_alone(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    before = deepcopy((base, ours, theirs))
    merge_field(name, base, ours, theirs)
    assert (base, ours, theirs) == before


@law("related_features", unique=True)
def test_the_order_is_that_of_the_side_that_moved_items(
    name: str, base: Any, ours: Any, theirs: Any
) -> None:
    def has_moved(side: list[str]) -> bool:
        common = [item for item in side if base is not MISSING and item in base]
        return common != sorted(common, key=base.index if common else None)

    value = merge_field(name, base, ours, theirs).value
    leading = theirs if has_moved(theirs) and not has_moved(ours) else ours
    assert [item for item in value if item in leading] == [
        item for item in leading if item in value
    ]


# Conflicts, against what each side is known to have done to each item


class Edit:
    """What one side did to one item: nothing, an edit of one text, or a removal."""

    def __init__(self, name: str, action: str, text: str, word: str) -> None:
        self.is_removal = action == "remove"
        self.changes: dict[str, Any] = {text: word} if action == "edit" else {}

    def clashes(self, other: Edit) -> bool:
        if self.is_removal or other.is_removal:
            return bool(self.changes or other.changes)
        return any(
            text in other.changes and other.changes[text] != word
            for text, word in self.changes.items()
        )


EDITABLE = {
    "faq": ("question", "answer"),
    "comparisons": ("term", "slug", "comparison"),
    "sections": ("heading", "text"),
    "labels": ("kind", "case_rule"),
    "related_terms": ("kind",),
}


@st.composite
def edits(draw: st.DrawFn, name: str, words: Iterator[int]) -> tuple[Edit, Edit]:
    sides = []
    text = draw(st.sampled_from(EDITABLE[name]))
    word = f"word {next(words)}"
    for _side in range(2):
        action = draw(st.sampled_from(["keep", "edit", "remove"]))
        if draw(st.booleans()):
            text = draw(st.sampled_from(EDITABLE[name]))
            word = f"word {next(words)}"
        sides.append(Edit(name, action, text, word))
    return sides[0], sides[1]


@pytest.mark.parametrize("name", EDITABLE)
@given(data=st.data())
def test_a_conflict_is_where_both_changed_the_same_differently(
    name: str, data: st.DataObject
) -> None:
    words = count()
    base, ours, theirs, value, taken = [], [], [], [], []
    clashes = 0
    for position in range(data.draw(st.integers(0, 6))):
        item = {key: f"{key} {position}" for key in fresh(name, "")}
        our, their = data.draw(edits(name, words))
        base.append(item)
        for side, edit in ((ours, our), (theirs, their)):
            if not edit.is_removal:
                side.append({**item, **edit.changes})
        clash = our.clashes(their)
        clashes += clash
        for side, first, second in ((value, our, their), (taken, their, our)):
            gone = first.is_removal or (second.is_removal and not clash)
            if not gone:
                side.append({**item, **second.changes, **first.changes})
    merged = merge_field(name, base, ours, theirs)
    assert merged.value == value
    assert merged.theirs_taken == taken
    assert len(merged.conflicts) == clashes
    again = merge_field(name, merged.next_base, merged.value, theirs)
    assert again.value == value
    assert len(again.conflicts) == clashes


# Size


def counted_calls(function: Callable[[], object]) -> int:
    """How many functions are called, those written in C too."""
    calls = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


class Compared(str):
    """A text whose comparisons count as calls."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other)


@pytest.mark.parametrize("name", ITEMS)
def test_ten_times_the_items_are_ten_times_the_work(name: str) -> None:
    def work(size: int) -> int:
        def item(text: str) -> Any:
            made = fresh(name, Compared(text))
            return made if isinstance(made, dict) else Compared(text)

        base = [item(f"base {n}") for n in range(size)]
        ours = [item(f"ours {n}") if n % 3 == 0 else base[n] for n in range(size)]
        theirs = [item(f"theirs {n}") if n % 5 == 0 else base[n] for n in range(size)]
        theirs.reverse()
        return counted_calls(lambda: merge_field(name, base, ours, theirs))

    assert work(1000) < 11 * work(100)
