"""The wire format of payloads, both ways.

`FORMS` and the other tables of wire texts are our own values as devalue 6.0.3 writes
them (Temporal and Float16Array by its source: they need a newer runtime).
"""

from __future__ import annotations

import base64
import json
import math
import pickle
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.payload.devalue import (
    HOLE,
    NUXT_TAGS,
    TRANSPARENT_TAGS,
    UNDEFINED,
    ArrayBuffer,
    BigInt,
    Boxed,
    DataView,
    Date,
    JSMap,
    JSSet,
    LimitError,
    Limits,
    NullProto,
    PayloadError,
    RegExp,
    Sparse,
    Tagged,
    Temporal,
    TypedArray,
    Url,
    UrlSearchParams,
    dumps,
    loads,
    to_plain,
    unwrap,
)


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EIGHT = ArrayBuffer(bytes(range(8)))
BYTES = '["ArrayBuffer","AAECAwQFBgc="]'

EMPTY: list[tuple[str, Any]] = [
    ("_", UNDEFINED),
    ("0n", BigInt(0)),
    ("null", None),
    ("0", 0),
    ('""', ""),
    ("false", False),
]
FORMS: list[tuple[str, Any]] = [
    ("-1", UNDEFINED),
    ("-3", math.nan),
    ("-4", math.inf),
    ("-5", -math.inf),
    ("-6", -0.0),
    ("[null]", None),
    ("[true]", True),
    ("[0]", 0),
    ("[-1]", -1),
    ("[1.5]", 1.5),
    ('[""]', ""),
    ('["a term"]', "a term"),
    ("[{}]", {}),
    ("[[]]", []),
    ('[{"b":1,"a":2,"c":-1},1,"x"]', {"b": 1, "a": "x", "c": UNDEFINED}),
    ('[{"constructor":1,"":1},1]', {"constructor": 1, "": 1}),
    ('[[1,1,2,2,3,3,4,4],"x",1,null,true]', ["x", "x", 1, 1, None, None, True, True]),
    ("[[-1,-3,-4,-5,-6]]", [UNDEFINED, math.nan, math.inf, -math.inf, -0.0]),
    ('[[1,2,3],1,true,["BigInt","1"]]', [1, True, BigInt(1)]),
    ('[[1,1],["BigInt","-12"]]', [BigInt(-12), BigInt(-12)]),
    ('[["Date","2001-09-09T01:46:40.000Z"]]', Date("2001-09-09T01:46:40.000Z")),
    ('[["Date","+275760-09-13T00:00:00.000Z"]]', Date("+275760-09-13T00:00:00.000Z")),
    ('[["Date",""]]', Date("")),
    ('[["RegExp","a\\\\/b"]]', RegExp(r"a\/b")),
    ('[["RegExp","a","gi"]]', RegExp("a", "gi")),
    ('[["Set",1,2],"a",["Set"]]', JSSet(["a", JSSet([])])),
    ('[["Map",1,2,3,-3],{},"a",1]', JSMap([({}, "a"), (1, math.nan)])),
    ('[["Map",1,2],1,"a"]', JSMap([(1, "a")])),
    ('[["null"]]', NullProto({})),
    ('[["null","a",1,"b",-1],"x"]', NullProto({"a": "x", "b": UNDEFINED})),
    ('[["Object",1],42]', Boxed(42)),
    ('[["Object",1],"a"]', Boxed("a")),
    ('[["Object",1],false]', Boxed(False)),
    ('[["Object",-3]]', Boxed(math.nan)),
    ('[["Object",-6]]', Boxed(-0.0)),
    ('[["Object",1],["BigInt","1"]]', Boxed(BigInt(1))),
    (f"[{BYTES}]", EIGHT),
    ('[["ArrayBuffer",""]]', ArrayBuffer(b"")),
    (f'[["Uint8Array",1],{BYTES}]', TypedArray("Uint8Array", EIGHT, 0, 8)),
    (f'[["Int16Array",1],{BYTES}]', TypedArray("Int16Array", EIGHT, 0, 4)),
    (f'[["Uint16Array",1,2,3],{BYTES}]', TypedArray("Uint16Array", EIGHT, 2, 3)),
    (f'[["Float16Array",1,6,1],{BYTES}]', TypedArray("Float16Array", EIGHT, 6, 1)),
    (f'[["BigInt64Array",1],{BYTES}]', TypedArray("BigInt64Array", EIGHT, 0, 1)),
    (f'[["Float64Array",1,8,0],{BYTES}]', TypedArray("Float64Array", EIGHT, 8, 0)),
    (f'[["DataView",1],{BYTES}]', DataView(EIGHT, 0, 8)),
    (f'[["DataView",1,3,2],{BYTES}]', DataView(EIGHT, 3, 2)),
    ('[["URL","https://example.org/?q=%3C"]]', Url("https://example.org/?q=%3C")),
    ('[["URLSearchParams","a=1&b=2"]]', UrlSearchParams("a=1&b=2")),
    *(
        (f'[["Temporal.{kind}","{text}"]]', Temporal(kind, text))
        for kind, text in [
            ("Duration", "P1DT2H"),
            ("Instant", "2024-01-02T03:04:05Z"),
            ("PlainDate", "2024-01-02"),
            ("PlainTime", "03:04:05"),
            ("PlainDateTime", "2024-01-02T03:04:05"),
            ("PlainMonthDay", "01-02"),
            ("PlainYearMonth", "2024-01"),
            ("ZonedDateTime", "2024-01-02T03:04:05+00:00[UTC]"),
        ]
    ),
    ('[[-2,1,-2],"a"]', [HOLE, "a", HOLE]),
    ('[[-7,30,4,1,20,2],"a","b"]', Sparse(30, {4: "a", 20: "b"})),
    ("[[-7,4294967295]]", Sparse(2**32 - 1, {})),
    *((f'[["{tag}",1],{{"a":2}},1]', Tagged(tag, {"a": 1})) for tag in sorted(NUXT_TAGS)
      if not tag.startswith("Empty")),
    ('[["Ref",1],["ShallowRef",2],"x"]', Tagged("Ref", Tagged("ShallowRef", "x"))),
    *(
        (f'[["{tag}",1],{json.dumps(word)}]', Tagged(tag, value))
        for tag in ("EmptyRef", "EmptyShallowRef")
        for word, value in EMPTY
    ),
]  # fmt: skip


def same(one: object, other: object) -> bool:
    """Equal, and of equal types: 1 is not True, -0 is not 0, but NaN is NaN."""
    return repr(one) == repr(other)


@pytest.mark.parametrize(("wire", "value"), FORMS)
def test_every_form_is_read(wire: str, value: object) -> None:
    assert same(loads(wire), value)


@pytest.mark.parametrize(("wire", "value"), FORMS)
def test_every_form_is_written_as_devalue_does(wire: str, value: object) -> None:
    assert dumps(value, escape_slashes=False) == wire


def test_a_real_payload_survives_reading_and_writing_byte_for_byte(
    shared_data: Callable[[str], Path],
) -> None:
    text = shared_data("seed/_payload.json").read_text(encoding="utf-8")
    envelope: Any = loads(text)
    assert envelope["prerenderedAt"] is UNDEFINED
    data: Any = unwrap(envelope["data"])
    (term,) = data.values()
    assert list(term)[:3] == ["slug", "term", "shortDefinition"]
    assert dumps(envelope) == text


# What one text means


def test_bytes_are_utf8_with_or_without_a_mark() -> None:
    text = '["é—😀"]'
    assert loads(text.encode()) == loads(text.encode("utf-8-sig")) == "é—😀"


def test_one_element_is_one_object_even_within_itself() -> None:
    value: Any = loads('[{"a":1,"b":1,"self":0},["Set",0,1]]')
    assert value["self"] is value
    assert value["a"] is value["b"]
    assert value["a"].items[0] is value
    assert dumps(value) == '[{"a":1,"b":1,"self":0},["Set",0,1]]'


def test_a_cycle_may_pass_through_a_wrapper() -> None:
    wire = '[["Reactive",1],{"self":0}]'
    value = loads(wire)
    inner: Any = unwrap(value)
    assert inner["self"] is value
    assert dumps(value) == wire


def test_typed_arrays_share_one_buffer_and_copy_nothing() -> None:
    wire = f'[[1,3],["Uint8Array",2,1,2],{BYTES},["DataView",2]]'
    views: Any = loads(wire)
    assert views[0].buffer is views[1].buffer
    assert dumps(views) == wire


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("9007199254740992", 2**53),
        ("9007199254740993", 2.0**53),
        ("-9007199254740993", -(2.0**53)),
        ("123456789012345680000", 123456789012345680000.0),
        ("1e400", math.inf),
        ("1" + "0" * 400, math.inf),
    ],
)
def test_numbers_are_those_of_javascript(number: str, value: float) -> None:
    assert same(loads(f"[{number}]"), value)


def test_whole_floats_are_indices() -> None:
    assert loads('[{"a":1.0,"b":2e0,"c":-1.0},"x","y"]') == {
        "a": "x",
        "b": "y",
        "c": UNDEFINED,
    }
    assert loads('[[-7.0,9.0,1.0,1.0],"x"]') == Sparse(9, {1: "x"})
    assert same(loads("-6.0"), -0.0)


def test_elements_out_of_reach_are_not_looked_at() -> None:
    assert loads('[[1],"x",["Date",7],{"__proto__":99},["Nope"],[[[]]]]') == ["x"]


def test_undefined_and_holes_are_false_and_survive_pickling() -> None:
    assert not UNDEFINED
    assert not HOLE
    assert pickle.loads(pickle.dumps([UNDEFINED, HOLE])) == [UNDEFINED, HOLE]  # noqa: S301


def test_a_lone_surrogate_of_devalue_6_is_read_and_written() -> None:
    assert loads(r'["\ud800x"]') == "\ud800x"
    assert dumps({"\udfff": "\ud800"}) == r'[{"\udfff":1},"\ud800"]'


# Tags


def test_an_unknown_tag_is_named_where_it_stands() -> None:
    with pytest.raises(PayloadError, match="unknown tag 'Decimal'") as caught:
        loads('[{"price":1},["Decimal",2],"1.20"]')
    assert (caught.value.index, caught.value.path) == (1, "/price")


def test_unknown_tags_can_be_kept() -> None:
    wire = '[{"price":1},["Decimal",2],"1.20"]'
    value = {"price": Tagged("Decimal", "1.20")}
    assert loads(wire, unknown="tagged") == loads(wire, tags={"Decimal"}) == value
    assert dumps(value) == wire


def test_tags_of_nuxt_are_known_only_when_asked_for() -> None:
    with pytest.raises(PayloadError, match="unknown tag 'Ref'"):
        loads('[["Ref",1],1]', tags=())


def test_a_site_may_reuse_the_name_of_a_built_in_type() -> None:
    wire = '[[1,3],["Date",2],7,["Date","2001-09-09T01:46:40.000Z"]]'
    value = loads(wire, tags={"Date"})
    assert value == [Tagged("Date", 7), Date("2001-09-09T01:46:40.000Z")]
    assert dumps(value) == wire


@pytest.mark.parametrize(("value", "word"), [(math.nan, "null"), (-0.0, "0")])
def test_falsy_numbers_in_an_empty_ref_are_written_as_json_says(
    value: float, word: str
) -> None:
    assert dumps(Tagged("EmptyRef", value)) == f'[["EmptyRef",1],"{word}"]'


def test_a_full_value_is_no_empty_ref() -> None:
    with pytest.raises(PayloadError, match="not empty"):
        dumps(Tagged("EmptyRef", "x"))


# Older devalue


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ('[["Object","a"]]', Boxed("a")),
        ('[["Object",true]]', Boxed(True)),
        ('[["Object",1.5]]', Boxed(1.5)),
        ('[["BigInt",12]]', Boxed(BigInt(12))),
        ('[["Uint16Array","AAECAw=="]]',
         TypedArray("Uint16Array", ArrayBuffer(bytes(range(4))), 0, 2)),
    ],
)  # fmt: skip
def test_older_forms_are_read_where_they_mean_one_thing(
    wire: str, value: object
) -> None:
    assert same(loads(wire), value)


@pytest.mark.parametrize(
    "wire",
    [
        '[["Object",42]]',
        '[["Object",0]]',
        '[["Object",1],{}]',
        f'[["Uint16Array",1,1,3],{BYTES}]',
        f'[["Uint8Array",1,6,8],{BYTES}]',
    ],
)
def test_older_forms_that_could_mean_two_things_are_refused(wire: str) -> None:
    with pytest.raises(PayloadError, match=r"before 5\.7"):
        loads(wire)


# What stringify never writes

HERE = "a whole number belongs"
NOWHERE = "no element of the payload"
REFUSED: list[tuple[str, str, int | None, str]] = [
    # No payload at all
    ("", "not JSON", None, ""),
    (" <!doctype html>", "HTML", None, ""),
    ('{"error":true,"statusCode":404}', "error page of Nuxt, status 404", None, ""),
    ("{}", "no payload", None, ""),
    ("[]", "no payload", None, ""),
    ('"x"', "no payload", None, ""),
    ("null", "no payload", None, ""),
    ("true", "no payload", None, ""),
    ("1.5", "no payload", None, ""),
    ("0", "only a number", None, ""),
    ("-2", "only a number", None, ""),
    ("-7", "only a number", None, ""),
    ('["\x01"]', "not JSON", None, ""),
    ("[1] 2", "not JSON", None, ""),
    # Constants that are not JSON
    ("NaN", "not JSON: NaN", None, ""),
    ("[NaN]", "not JSON: NaN", None, ""),
    ("[-Infinity]", "not JSON: -Infinity", None, ""),
    ('[["Object",NaN]]', "not JSON: NaN", None, ""),
    # References
    ('[{"a":1}]', NOWHERE, 0, "/a"),
    ("[[0,1]]", NOWHERE, 0, "/1"),
    ("[[1e300]]", NOWHERE, 0, "/0"),
    ('[{"a":-2}]', NOWHERE, 0, "/a"),
    ('[{"a":-7}]', NOWHERE, 0, "/a"),
    ('[{"a":-8}]', NOWHERE, 0, "/a"),
    ("[[0,-7]]", NOWHERE, 0, "/1"),
    ('[["Set",-2]]', NOWHERE, 0, "/0"),
    ('[["Map",-1,-2]]', NOWHERE, 0, "/0/1"),
    ('[["Ref",-2]]', NOWHERE, 0, ""),
    ('[{"a":1.5},1]', HERE, 0, "/a"),
    ('[{"a":true},1]', HERE, 0, "/a"),
    ('[{"a":null},1]', HERE, 0, "/a"),
    ('[{"a":"1"},1]', HERE, 0, "/a"),
    ('[{"a/b":1},{"~":2},[{}],1]', HERE, 2, "/a~1b/~0/0"),
    ("[[1e400]]", HERE, 0, "/0"),
    # Prototypes
    ('[{"__proto__":1},{}]', "key __proto__", 0, ""),
    ('[{"a":1},{"__proto__":2},[]]', "key __proto__", 1, "/a"),
    ('[["null","__proto__",1],{}]', "key __proto__", 0, ""),
    ('[["Object","__proto__",1],{}]', "needs one value", 0, ""),
    ('[["Object",1],{"__proto__":0}]', "not a primitive", 0, ""),
    ('[[-7,9,"__proto__",1],{}]', HERE, 0, ""),
    ('[["push",1],1]', "unknown tag 'push'", 0, ""),
    ('[{"a":["push"]}]', HERE, 0, "/a"),
    ('[["null",1,1],1]', "key that is not text", 0, ""),
    ('[["null","a"],1]', "without its value", 0, ""),
    # Typed arrays
    ('[["Uint8Array",1],1000000000]', "not an ArrayBuffer", 0, ""),
    ('[["Uint8Array",0]]', "not an ArrayBuffer", 0, ""),
    ('[["Uint8Array",1],["Uint8Array",0]]', "not an ArrayBuffer", 0, ""),
    ('[["Uint8Array",1],{"length":2},1e9]', "not an ArrayBuffer", 0, ""),
    ('[["Uint8Array",-1]]', NOWHERE, 0, ""),
    ('[["DataView","AAAA"]]', HERE, 0, ""),
    (f'[["Uint8Array",1,0],{BYTES}]', "offset with length", 0, ""),
    (f'[["Uint8Array",1,0,9],{BYTES}]', "within its buffer", 0, ""),
    (f'[["Uint8Array",1,-1,2],{BYTES}]', "within its buffer", 0, ""),
    (f'[["Uint8Array",1,2,-1],{BYTES}]', "within its buffer", 0, ""),
    (f'[["Uint8Array",1,true,1],{BYTES}]', HERE, 0, ""),
    ('[["Uint16Array",1],["ArrayBuffer","AAEC"]]', "within its buffer", 0, ""),
    ('[["ArrayBuffer",1],2]', "needs one text", 0, ""),
    ('[["ArrayBuffer","A"]]', "not base64", 0, ""),
    ('[["ArrayBuffer","AAE"]]', "not base64", 0, ""),
    ('[["ArrayBuffer","AA E="]]', "not base64", 0, ""),
    ('[["ArrayBuffer","AAE_"]]', "not base64", 0, ""),
    ('[["ArrayBuffer","é==="]]', "not base64", 0, ""),
    ('[["ArrayBuffer","AAF="]]', "stray bits", 0, ""),
    # Leaves
    ('[["Date",1],2]', "needs one text", 0, ""),
    ('[["Date"]]', "needs one text", 0, ""),
    ('[["Date","yesterday"]]', "toISOString", 0, ""),
    ('[["Date","2001-09-09T01:46:40.000Z",1]]', "needs one text", 0, ""),
    ('[["URL",1],"https://example.org"]', "needs one text", 0, ""),
    ('[["Temporal.Instant",1],"x"]', "needs one text", 0, ""),
    ('[["Temporal.Now","x"]]', "unknown tag", 0, ""),
    ('[["RegExp"]]', "needs its source", 0, ""),
    ('[["RegExp","a",1]]', "needs its source", 0, ""),
    ('[["RegExp","a","gg"]]', "impossible flags", 0, ""),
    ('[["BigInt",""]]', "plain decimal", 0, ""),
    ('[["BigInt","0x10"]]', "plain decimal", 0, ""),
    ('[["BigInt","-0"]]', "plain decimal", 0, ""),
    ('[["BigInt"," 1"]]', "plain decimal", 0, ""),
    ('[["BigInt","1_0"]]', "plain decimal", 0, ""),
    ('[["BigInt","١"]]', "plain decimal", 0, ""),
    ('[["BigInt",true]]', "needs one text", 0, ""),
    ('[["BigInt",1.0]]', "needs one text", 0, ""),
    # Containers and wrappers
    ('[["Map",1],1]', "without its value", 0, ""),
    ("[[-7]]", "possible length", 0, ""),
    ("[[-7,-1]]", "possible length", 0, ""),
    ("[[-7,4294967296]]", "possible length", 0, ""),
    ("[[-7,true]]", HERE, 0, ""),
    ("[[-7,2,0]]", "without its value", 0, ""),
    ("[[-7,2,2,0]]", "outside its length", 0, ""),
    ("[[-7,2,-1,0]]", "outside its length", 0, ""),
    ("[[-7,9,0,-2]]", NOWHERE, 0, "/0"),
    ('[["Object",-1]]', "not a primitive", 0, ""),
    ('[["Object",-2]]', "not a primitive", 0, ""),
    ('[["Object",null]]', HERE, 0, ""),
    ('[["Object",1],null]', "not a primitive", 0, ""),
    ('[["Object",1],["Object",0]]', "not a primitive", 0, ""),
    ('[["Ref"]]', "without the index", 0, ""),
    ('[["Ref","x"]]', "without the index", 0, ""),
    ('[["Ref",1,1],1]', "without the index", 0, ""),
    ('[{"a":1},["Ref",true]]', "without the index", 1, "/a"),
    ('[["EmptyRef",-1]]', "no word for an empty value", 0, ""),
    ('[["EmptyRef",1],"1"]', "no word for an empty value", 0, ""),
    ('[["EmptyRef",1],[]]', "no word for an empty value", 0, ""),
    # Wrappers around nothing but wrappers
    ('[["Ref",0]]', "hold only one another", 0, ""),
    ('[["Ref",1],["Ref",0]]', "hold only one another", 0, ""),
    ('[{"a":1},["Ref",2],["NuxtError",1]]', "hold only one another", 1, "/a"),
    ('[[1,2],["Ref",2],["Reactive",3],["Ref",2]]', "hold only one another", 2, "/1"),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "reason", "index", "path"), REFUSED)
def test_what_devalue_never_writes_is_refused_with_its_place(
    wire: str, reason: str, index: int | None, path: str
) -> None:
    with pytest.raises(PayloadError, match=re.escape(reason)) as caught:
        loads(wire)
    assert (caught.value.index, caught.value.path) == (index, path)
    assert reason in caught.value.reason


def test_a_message_says_why_and_where_and_can_always_be_printed() -> None:
    key = "k" * 500 + "\ud800"
    with pytest.raises(PayloadError) as caught:
        loads(json.dumps([{key: 5}]))
    message = str(caught.value)
    assert message.startswith("a reference to no element of the payload (element 0, at")
    assert message.encode("utf-8")
    assert len(message) < 250
    assert caught.value.path == f"/{key}"


def test_errors_travel_between_processes() -> None:
    error = LimitError("too much", index=3, path="/a")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert isinstance(copy, LimitError)
    assert str(copy) == "too much (element 3, at '/a')"
    assert (copy.reason, copy.index, copy.path) == ("too much", 3, "/a")


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(PayloadError, match="not UTF-8, from byte 2 on"):
        loads(b'["\xff"]')


# Limits


@pytest.mark.parametrize(
    ("wire", "limits", "reason"),
    [
        ('["12345"]', Limits(bytes=8), "larger than 8 bytes"),
        (b'["12345"]', Limits(bytes=8), "larger than 8 bytes"),
        ("[1,2,3]", Limits(values=2), "more than 2 values"),
        ('[[1,1],{"a":2,"b":2},0]', Limits(references=2), "more than 2 references"),
        ('[[1,1],{"a":2,"b":2},0]', Limits(references=3), "more than 3 references"),
        ('[["BigInt","-1234"]]', Limits(bigint_digits=3), "more than 3 digits"),
        ('[["BigInt","%s"]]' % ("9" * 5000), Limits(), "more than 4000 digits"),
        ('[["BigInt","%s"]]' % ("9" * 5000), Limits(bigint_digits=9000), "digits"),
        ("[%s]" % ("9" * 5000), Limits(), "more digits than Python converts"),
        ("9" * 5000, Limits(), "more digits than Python converts"),
        ("[" * 100_000, Limits(), "nested too deep"),
        ('[{"a":' * 100_000, Limits(), "nested too deep"),
    ],
)
def test_reading_stops_at_its_limits(
    wire: str | bytes, limits: Limits, reason: str
) -> None:
    with pytest.raises(LimitError, match=reason):
        loads(wire, limits=limits)


def test_what_is_just_within_the_limits_is_read() -> None:
    wire = '[[1,1],{"a":2,"b":2},["BigInt","-12"]]'
    limits = Limits(bytes=len(wire), values=3, references=4, bigint_digits=2)
    twelve = BigInt(-12)
    assert loads(wire, limits=limits) == [{"a": twelve, "b": twelve}] * 2


def test_the_length_of_a_sparse_array_costs_nothing() -> None:
    references = ",".join(str(1 + at) for at in range(20))
    wire = f"[[{references}]{',[-7,30000000]' * 20}]"
    value = loads(wire)
    assert value == [Sparse(30_000_000, {})] * 20
    assert dumps(value) == wire
    with pytest.raises(LimitError, match="more than 1000 values"):
        to_plain(value, limits=Limits(expanded_nodes=1000))


LEVELS = 200_000
LINKS = [
    "[{}]",
    '{{"a":{}}}',
    '["Set",{}]',
    '["Map",{},-1]',
    '["null","a",{}]',
    "[-7,99,5,{}]",
    '["Ref",{}]',
    '["NuxtError",{}]',
]


def chain(links: list[str], levels: int) -> str:
    parts = (links[i % len(links)].format(i + 1) for i in range(levels))
    return f'[{",".join(parts)},"end"]'


@pytest.mark.slow
def test_two_hundred_thousand_levels_are_read_and_written() -> None:
    wire = chain(LINKS, LEVELS)
    assert dumps(loads(wire)) == wire


def test_deep_values_are_laid_out_when_allowed() -> None:
    value = loads(chain(["[{}]", '{{"a":{}}}', '["Ref",{}]'], 30_000))
    with pytest.raises(LimitError, match="more than 200 levels"):
        to_plain(value)
    plain: Any = to_plain(value, limits=Limits(depth=20_000))
    levels = 0
    while plain != "end":
        plain = plain[0] if isinstance(plain, list) else plain["a"]
        levels += 1
    assert levels == 20_000


@pytest.mark.parametrize("link", ['["Object",{}]', '["Uint8Array",{}]'])
def test_chains_of_what_holds_only_leaves_are_refused_not_followed(link: str) -> None:
    with pytest.raises(PayloadError, match="something that is not"):
        loads(chain([link], LEVELS))


@pytest.mark.slow
def test_an_error_far_down_is_told_as_any_other() -> None:
    with pytest.raises(PayloadError, match="no element") as caught:
        loads(chain(["[{}]"], 50_000).replace('"end"', "[7000000]"))
    assert caught.value.path == "/0" * 50_001
    assert len(str(caught.value)) < 250


@pytest.mark.slow
def test_many_wrappers_that_share_a_tail_are_followed_once() -> None:
    # Element 0 refers to every link of one chain: to follow each to its end would
    # take 1.25 thousand million steps.
    count = 50_000
    links = ",".join(f'["Ref",{i + 2}]' for i in range(count))
    every = ",".join(str(i + 1) for i in range(count))
    value = loads(f'[[{every}],{links},"end"]')
    assert isinstance(value, list)
    assert {unwrap(member) for member in value} == {"end"}
    assert to_plain(value) == ["end"] * count
    with pytest.raises(PayloadError, match="hold only one another"):
        loads(f'[[{every}],{links},["Ref",1]]')


# Under the wrappers


def test_unwrap_takes_off_what_vue_puts_on_and_nothing_else() -> None:
    term: Any = {"slug": "a"}
    value = Tagged("Ref", Tagged("ShallowReactive", Tagged("Reactive", term)))
    assert unwrap(value) is term
    assert unwrap(value) is term
    assert unwrap(Tagged("EmptyRef", UNDEFINED)) is UNDEFINED
    others: list[Any] = [7, term, Tagged("NuxtError", term), Tagged("Decimal", "1")]
    for other in others:
        assert unwrap(other) is other
    assert TRANSPARENT_TAGS < NUXT_TAGS


def ring() -> Tagged:
    """Two wrappers in each other, as `loads` would refuse to make them."""
    outer = Tagged("Ref", None)
    object.__setattr__(outer, "value", Tagged("Ref", outer))
    return outer


@pytest.mark.parametrize("call", [unwrap, to_plain])
def test_wrappers_in_a_ring_are_refused(call: Callable[[Any], object]) -> None:
    with pytest.raises(PayloadError, match="hold only one another"):
        call(ring())


# Laid out


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (UNDEFINED, None),
        (HOLE, None),
        (math.nan, None),
        (-math.inf, None),
        (True, True),
        (1.5, 1.5),
        ("x", "x"),
        ("", ""),
        (BigInt(2**70), 2**70),
        (Boxed("x"), "x"),
        (Boxed(BigInt(1)), 1),
        (Date("2001-09-09T01:46:40.000Z"), "2001-09-09T01:46:40.000Z"),
        (Date(""), None),
        (RegExp("a", "gi"), "/a/gi"),
        (Url("https://example.org/"), "https://example.org/"),
        (UrlSearchParams("a=1"), "a=1"),
        (Temporal("PlainDate", "2024-01-02"), "2024-01-02"),
        (EIGHT, "AAECAwQFBgc="),
        (DataView(EIGHT, 1, 2), "AQI="),
        (TypedArray("Uint16Array", EIGHT, 2, 2), [0x0302, 0x0504]),
        (TypedArray("Float32Array", ArrayBuffer(b"\0\0\xc0\x7f"), 0, 1), [None]),
        ({"a": UNDEFINED, "b": None, "c": [UNDEFINED]}, {"b": None, "c": [None]}),
        ([HOLE, 1], [None, 1]),
        (Sparse(3, {1: "x"}), [None, "x", None]),
        (NullProto({"a": JSSet([1, 2])}), {"a": [1, 2]}),
        (JSMap([("a", 1), ({}, [2])]), [["a", 1], [{}, [2]]]),
        (Tagged("Ref", {"a": Tagged("EmptyRef", UNDEFINED)}), {}),
        (Tagged("Decimal", Tagged("Ref", "1.20")), "1.20"),
        ({"a": Tagged("skipHydrate", 1)}, {}),
        (Tagged("NuxtError", {"statusCode": 404}), {"statusCode": 404}),
    ],
)
def test_every_value_has_a_plain_form(value: object, plain: object) -> None:
    assert same(to_plain(value), plain)


def test_what_is_shared_is_laid_out_for_each_place() -> None:
    shared: list[Any] = ["x"]
    plain: Any = to_plain([shared, shared])
    assert plain == [["x"], ["x"]]
    assert plain[0] is not plain[1]


def test_a_value_inside_itself_cannot_be_laid_out() -> None:
    with pytest.raises(PayloadError, match="inside itself") as caught:
        to_plain(loads('[{"a":1},["Map",2,3],"k",["Ref",4],{"b":5},["Set",0]]'))
    assert caught.value.path == "/a/0/1/b/0"


def laughs(levels: int) -> str:
    return "[" + ",".join(f"[{i + 1},{i + 1}]" for i in range(levels)) + ',"ha"]'


@pytest.mark.parametrize(
    ("value", "limits", "reason"),
    [
        (loads(laughs(64)), Limits(expanded_nodes=10_000), "10000 values"),
        (["x" * 100_000] * 10_000, Limits(), "67108864 characters"),
        ([{"k" * 100_000: 1}] * 10_000, Limits(), "67108864 characters"),
        ([BigInt(10**3999)] * 100, Limits(expanded_text=100_000), "characters"),
        ([TypedArray("Int8Array", ArrayBuffer(bytes(750_000)), 0, 750_000)] * 20_000,
         Limits(expanded_nodes=10_000), "10000 values"),
        ([DataView(ArrayBuffer(bytes(750_000)), 0, 750_000)] * 20_000,
         Limits(expanded_text=9_000_000), "9000000 characters"),
        ([[["x"]]], Limits(depth=2), "2 levels"),
        (Tagged("A", Tagged("B", Tagged("C", 1))), Limits(depth=2), "2 levels"),
    ],
)  # fmt: skip
def test_laying_out_stops_at_its_limits(
    value: object, limits: Limits, reason: str
) -> None:
    with pytest.raises(LimitError, match=reason):
        to_plain(value, limits=limits)


def test_a_bomb_is_read_and_written_in_its_own_size() -> None:
    assert dumps(loads(laughs(64))) == laughs(64)


# Writing


def test_elements_are_numbered_in_pre_order_and_primitives_shared() -> None:
    value = {"a": ["x", 1, 1.0, True, "x"], "b": {"c": [], "d": "x"}, "e": []}
    assert dumps(value) == (
        '[{"a":1,"b":5,"e":7},[2,3,3,4,2],"x",1,true,{"c":6,"d":2},[],[]]'
    )


def test_equal_objects_are_written_twice_and_one_object_once() -> None:
    date = Date("")
    assert dumps([date, date, Date("")]) == '[[1,1,2],["Date",""],["Date",""]]'


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (0.1, "0.1"),
        (-1.5, "-1.5"),
        (100, "100"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (123456789012345680000, "123456789012345680000"),
        (2**53 + 1, "9007199254740992"),
        (1.5e300, "1.5e+300"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-1.25e-7, "-1.25e-7"),
        (0.00123, "0.00123"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_numbers_are_spelled_as_javascript_does(number: float, text: str) -> None:
    assert dumps(number) == f"[{text}]"


def test_strings_are_safe_in_a_script_element() -> None:
    text = '</script>\u2028\u2029é😀"\\\n\x01\x7f'
    wire = dumps({text: text})
    quoted = r'"\u003C\u002Fscript>\u2028\u2029é😀\"\\\n\u0001' + '\x7f"'
    assert wire == f"[{{{quoted}:1}},{quoted}]"
    assert loads(wire) == {text: text}


def test_slashes_may_stay_and_are_escaped_everywhere_else() -> None:
    value = [Url("a/b"), ArrayBuffer(b"\xff\xff\xff"), Tagged("x/y", 1)]
    assert dumps(value, escape_slashes=False) == (
        '[[1,2,3],["URL","a/b"],["ArrayBuffer","////"],["x/y",4],1]'
    )
    assert "/" not in dumps(value)
    assert loads(dumps(value), unknown="tagged") == value


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ([HOLE, HOLE, 1], '[[-2,-2,1],1]'),
        ([HOLE, HOLE, HOLE, 1], '[[-7,4,3,1],1]'),
        ([1, HOLE], "[[1,-2],1]"),
        ([HOLE], "[[-2]]"),
        ([HOLE, HOLE], "[[-7,2]]"),
        (Sparse(0, {}), "[[]]"),
        (Sparse(2, {1: "b", 0: "a"}), '[[1,2],"a","b"]'),
        (Sparse(3, {1: "a"}), '[[-2,1,-2],"a"]'),
        (Sparse(30, {20: "b", 4: "a"}), '[[-7,30,4,1,20,2],"a","b"]'),
        (["x", *[HOLE] * 9, ["x"]], '[[-7,11,0,1,10,2],"x",[1]]'),
    ],
)  # fmt: skip
def test_arrays_with_holes_take_the_shorter_form(value: object, wire: str) -> None:
    assert dumps(value) == wire


class Stranger:
    pass


STRANGER: Any = Stranger()
UNBOXABLE: Any = []


@pytest.mark.parametrize(
    ("value", "reason", "path"),
    [
        (STRANGER, "a Python Stranger", ""),
        ({"a/b": [1, STRANGER]}, "a Python Stranger", "/a~1b/1"),
        ({"a": (1, 2)}, "a Python tuple", "/a"),
        ([b"x"], "a Python bytes", "/0"),
        ([{"x"}], "a Python set", "/0"),
        (Tagged("Ref", JSSet([STRANGER])), "a Python Stranger", "/0"),
        (JSMap([(1, 2), (STRANGER, 3)]), "a Python Stranger", "/1/0"),
        (Sparse(9, {5: STRANGER}), "a Python Stranger", "/5"),
        (NullProto({"k": STRANGER}), "a Python Stranger", "/k"),
        ({"a": {"__proto__": 1}}, "__proto__", "/a"),
        (NullProto({"__proto__": 1}), "__proto__", ""),
        ([{1: 2}], "key that is not text", "/0"),
        ({"a": HOLE}, "a hole outside an array", "/a"),
        (JSSet([HOLE]), "a hole outside an array", "/0"),
        (Boxed(UNBOXABLE), "a Python Boxed", ""),
        (Date("yesterday"), "a Python Date", ""),
        (RegExp("a", "x"), "a Python RegExp", ""),
        (Temporal("Now", ""), "a Python Temporal", ""),
        (BigInt(10**5000), "digits", ""),
        (TypedArray("Uint16Array", EIGHT, 1, 2), "a Python TypedArray", ""),
        (TypedArray("Complex", EIGHT, 0, 8), "a Python TypedArray", ""),
        (DataView(EIGHT, 4, 5), "a Python DataView", ""),
        (Sparse(2**32, {}), "impossible length", ""),
        (Sparse(3, {3: 1}), "outside", ""),
    ],
)
def test_what_no_payload_can_hold_is_refused_with_its_path(
    value: object, reason: str, path: str
) -> None:
    with pytest.raises(PayloadError, match=reason) as caught:
        dumps(value)
    assert (caught.value.index, caught.value.path) == (None, path)


@pytest.mark.parametrize(
    ("value", "reason", "path"),
    [
        ({"a": [STRANGER]}, "a Python Stranger", "/a/0"),
        ([{1: 2}], "key that is not text", "/0/1"),
        (TypedArray("Complex", EIGHT, 0, 8), "a Python TypedArray", ""),
        (DataView(EIGHT, 4, 5), "a Python DataView", ""),
    ],
)
def test_what_has_no_plain_form_is_refused_with_its_path(
    value: object, reason: str, path: str
) -> None:
    with pytest.raises(PayloadError, match=reason) as caught:
        to_plain(value)
    assert caught.value.path == path


# Any value, any text


def as_javascript(number: float) -> float:
    """The number as `loads` gives it: whole ones are int as far as they are exact."""
    exact = math.isfinite(number) and number.is_integer() and abs(number) <= 2**53
    return int(number) if exact and repr(number) != "-0.0" else number


# Not a high surrogate before a low one: that is one character, in JavaScript.
TEXTS = st.text(st.characters(exclude_categories=())).filter(
    lambda text: not re.search("[\ud800-\udbff][\udc00-\udfff]", text)
)
KEYS = TEXTS.filter(lambda key: key != "__proto__")
PRIMITIVES = st.one_of(
    st.none(),
    st.booleans(),
    st.just(UNDEFINED),
    st.integers(-(2**53), 2**53),
    st.floats().map(as_javascript),
    TEXTS,
    st.integers().map(BigInt),
)
LEAVES = st.one_of(
    PRIMITIVES,
    st.binary().map(ArrayBuffer),
    st.datetimes().map(lambda at: Date(f"{at:%Y-%m-%dT%H:%M:%S}.000Z".zfill(24))),
    st.builds(RegExp, TEXTS, st.sampled_from(["", "g", "dgimsuy"])),
    st.builds(Url, TEXTS),
    st.sampled_from([TypedArray("Uint16Array", EIGHT, 2, 2), DataView(EIGHT, 0, 8)]),
    st.sampled_from([Boxed("_"), Boxed(0.5), Boxed(False), Boxed(BigInt(0))]),
)
VALUES = st.recursive(
    LEAVES,
    lambda members: st.one_of(
        st.lists(members),
        st.lists(members, min_size=1).map(lambda items: [*items, HOLE]),
        st.dictionaries(KEYS, members),
        st.dictionaries(KEYS, members).map(NullProto),
        st.lists(members).map(JSSet),
        st.lists(st.tuples(members, members)).map(JSMap),
        st.dictionaries(st.integers(0, 999), members, max_size=4).map(
            lambda items: Sparse(1000, dict(sorted(items.items())))
        ),
        st.builds(Tagged, st.sampled_from(["Ref", "NuxtError"]), members),
        members.map(lambda member: [member, member]),
    ),
)


@given(VALUES, st.booleans())
@pytest.mark.slow
def test_any_value_comes_back_from_its_payload(value: Any, slashes: bool) -> None:
    wire = dumps(value, escape_slashes=slashes)
    read = loads(wire.encode())
    assert same(read, value)
    assert dumps(read, escape_slashes=slashes) == wire


@given(VALUES)
@pytest.mark.slow
def test_any_value_is_laid_out_as_json_or_refused(value: Any) -> None:
    json.dumps(to_plain(value), allow_nan=False)


def check_reading(data: str | bytes) -> None:
    """A value, which can be written and read for good, or PayloadError."""
    try:
        value = loads(data, unknown="tagged")
    except PayloadError:
        return
    wire = dumps(value)
    assert dumps(loads(wire, unknown="tagged")) == wire
    with suppress(PayloadError):
        to_plain(value, limits=Limits(expanded_nodes=1000))


SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text()
TAGS = st.sampled_from([*(json.loads(w)[0][0] for w, v in FORMS if w[:3] == '[["')])
REFERENCES = st.integers(-8, 9) | SCALARS
ELEMENTS = st.one_of(
    SCALARS,
    st.lists(st.integers(0, 7), max_size=4),
    st.lists(REFERENCES, max_size=4),
    st.dictionaries(st.text(max_size=2), st.integers(-1, 7), max_size=4),
    st.builds(lambda tag, rest: [tag, *rest], TAGS, st.lists(REFERENCES, max_size=4)),
)


JSON = st.recursive(
    SCALARS, lambda m: st.lists(m) | st.dictionaries(st.text(), m), max_leaves=8
)


@given(JSON)
@pytest.mark.slow
def test_any_json_is_a_value_or_an_error(parsed: object) -> None:
    check_reading(json.dumps(parsed))


@given(st.lists(ELEMENTS, min_size=1, max_size=8))
def test_anything_like_a_payload_is_a_value_or_an_error(parsed: object) -> None:
    check_reading(json.dumps(parsed))


@given(st.binary() | st.text())
def test_any_text_is_a_value_or_an_error(data: str | bytes) -> None:
    check_reading(data)


SMALL = dumps(
    {
        "data": Tagged("ShallowReactive", {"$fk": {"slug": "é—😀", "faq": ["b"]}}),
        "when": Date(""),
        "set": JSSet([BigInt(1), math.nan]),
        "bytes": TypedArray("Int8Array", EIGHT, 1, 2),
        "sparse": Sparse(40, {3: Boxed("x")}),
    }
).encode()  # fmt: skip


def test_every_truncation_of_a_payload_is_a_value_or_an_error() -> None:
    for length in range(len(SMALL)):
        check_reading(SMALL[:length])


@given(st.integers(0, len(SMALL) - 1), st.integers(0, 255))
def test_a_payload_with_one_byte_changed_is_a_value_or_an_error(
    at: int, byte: int
) -> None:
    check_reading(SMALL[:at] + bytes([byte]) + SMALL[at + 1 :])


def test_base64_is_as_long_as_it_needs_to_be() -> None:
    for size in range(20):
        buffer = ArrayBuffer(bytes(range(size)))
        encoded = base64.b64encode(buffer.data).decode()
        assert loads(f'[["ArrayBuffer","{encoded}"]]') == buffer
