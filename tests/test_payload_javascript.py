from __future__ import annotations

import json
import math
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.payload.finding import find_term
from glossary.payload.javascript import read_script
from glossary.payload.values import (
    HOLE,
    UNDEFINED,
    BigInt,
    Boxed,
    Date,
    JSMap,
    JSSet,
    LimitError,
    NullProto,
    PayloadError,
)


def value(expression: str) -> object:
    return read_script(f"export default {expression}").value


# What payloads say


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1", 1),
        ("-1", -1),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1e3", 1000),
        ("1E21", 1e21),
        ("0x1F", 31),
        ("9007199254740993", 9007199254740992.0),
        ("10n", BigInt(10)),
        ("-10n", BigInt(-10)),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("!0", True),
        ("!1", False),
        ("true", True),
        ("null", None),
        ("[void 0]", [UNDEFINED]),
        ("[undefined]", [UNDEFINED]),
        ('""', ""),
        (r'"\u003C\u002F\b\f\n\r\t\v\0\"\\\x41\u{1F600}"', '</\b\f\n\r\t\v\0"\\A😀'),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\ud83d"', "\ud83d"),
        ("'it\\'s \"so\"'", 'it\'s "so"'),
        ('"\u2028"', "\u2028"),
        ("[]", []),
        ("[1,[2,[]],{}]", [1, [2, []], {}]),
        ("[1,]", [1]),
        ("[,1,,2,,]", [HOLE, 1, HOLE, 2, HOLE]),
        ('{a:1,"b-c":2,3:4,if:5,$_:6,}', {"a": 1, "b-c": 2, "3": 4, "if": 5, "$_": 6}),
        ("({a:(1)})", {"a": 1}),
        ("{...{a:1,b:1},b:2}", {"a": 1, "b": 2}),
        ("new Date(1e12)", Date("2001-09-09T01:46:40.000Z")),
        ("new Date(-1)", Date("1969-12-31T23:59:59.999Z")),
        ("new Date(NaN)", Date("")),
        ('new Date("2001-09-09T01:46:40.000Z")', Date("2001-09-09T01:46:40.000Z")),
        ("new Set([1,[2]])", JSSet([1, [2]])),
        ("new Set", JSSet([])),
        ("new Set()", JSSet([])),
        ('new Map([["a",{b:1}]])', JSMap([("a", {"b": 1})])),
        ('Object("x")', Boxed("x")),
        ("Object.create(null)", NullProto({})),
        (
            "Object.create(null,{a:{writable:true,enumerable:true,value:[1]}})",
            NullProto({"a": [1]}),
        ),
        ("Object.assign(Object.create(null),{a:1})", NullProto({"a": 1})),
        ("/* a */ 1 // b", 1),
        ("(function(a,b){return {x:a,y:b,z:a}}(1,[2]))", {"x": 1, "y": [2], "z": 1}),
        ("(function(a){return a})(1)", 1),
        ("function(a){return a}(1)", 1),
        ("(function(a,b){return [a,b]}(1))", [1, UNDEFINED]),
        ("(function(){return 1;}())", 1),
        ('(function(a){a.b=1;a["c-d"]=2;return a}({}))', {"b": 1, "c-d": 2}),
        ("(function(a){a[0]=1;a[2]=2;return a}(Array(3)))", [1, HOLE, 2]),
        ("(function(a){a.add(1).add([2]);return a}(new Set))", JSSet([1, [2]])),
        (
            "(function(a){a.set(1, 2).set(3, 4);return a}(new Map))",
            JSMap([(1, 2), (3, 4)]),
        ),
        ("(function(a){a.x=1;return a}(Object.create(null)))", NullProto({"x": 1})),
    ],
)
def test_what_payloads_say_is_read(expression: str, expected: object) -> None:
    assert value(expression) == expected


def test_not_a_number_is_read() -> None:
    found = value("[NaN,-0]")

    assert isinstance(found, list)
    assert math.isnan(found[0])
    assert math.copysign(1, found[1]) == -1


def test_what_a_script_shares_is_shared() -> None:
    found = value("(function(a,b){b.id=a;b.self=b;return {data:[b,b]}}(1,{}))")

    assert isinstance(found, dict)
    first, second = found["data"]
    assert first is second is first["self"]
    assert first["id"] == 1


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("window.__NUXT__={data:[1]}", {"data": [1]}),
        ('window["__NUXT__"]={data:[1]};', {"data": [1]}),
        (
            "window.__NUXT__={};window.__NUXT__.config={public:{}}",
            {"config": {"public": {}}},
        ),
        (
            "window.__NUXT__=(function(a){return {layout:a,data:[{}]}}(null));",
            {"layout": None, "data": [{}]},
        ),
        (
            '__NUXT_JSONP__("/token", {data:[{t:1}],fetch:{}});',
            {"data": [{"t": 1}], "fetch": {}},
        ),
        ('__NUXT_JSONP__("/", (function(a){return {x:a}}(1)));', {"x": 1}),
        ("\ufeff export default {a:1};\n", {"a": 1}),
        ("(function(a){return {x:a}}(1))", {"x": 1}),
    ],
)
def test_a_payload_is_found_where_nuxt_puts_it(script: str, expected: object) -> None:
    assert read_script(script).value == expected


def test_what_lies_in_another_file_is_named_and_not_looked_at() -> None:
    script = read_script(
        'import p from "/token/_payload.js";window.__NUXT__={...p,...({state:{a:1}})}'
    )

    assert script.value == {"state": {"a": 1}}
    assert script.imports == ("/token/_payload.js",)


def test_a_term_in_a_script_is_found() -> None:
    script = """window.__NUXT__=(function(a,b){a.slug="token";a.term=b;
        return {data:[{page:a}],fetch:{},error:null}}({}, "Token"));"""

    assert find_term(read_script(script).value).record == {
        "slug": "token",
        "term": "Token",
    }


# What they do not say


@pytest.mark.parametrize(
    "expression",
    [
        "fetch('/x')",
        "alert(1)",
        "a",
        "window.a",
        "process.env",
        "require('fs')",
        "import('fs')",
        "eval('1')",
        "new Function('return 1')",
        "Function('return 1')()",
        "(()=>1)()",
        "(a=>a)(1)",
        "(function(){while(1){}}())",
        "(function(){for(;;);return 1}())",
        "(function(){var a=1;return a}())",
        "(function(a){a.b.c=1;return a}({b:{}}))",
        "(function(a){a=1;return a}({}))",
        "(function(a){a.b();return a}({}))",
        "(function(a){a.add(1,2);return a}(new Set))",
        "(function(a){a.set(1);return a}(new Map))",
        "(function(a){a.delete(1);return a}(new Set))",
        "(function(a){return a.b}({b:1}))",
        "(function(a){return a()}({}))",
        "(function(a){return a[0]}([1]))",
        "(function(a){return (function(){return a}())}(1))",
        "(function(a){return 1}((function(){return 1}())))",
        "(function(a,a){return a}(1,2))",
        "(function(...a){return a}(1))",
        "(function(a){return b}(1))",
        "(function(a){return a}",
        "(function(a){return a}(1)",
        "(function(a){return a})",
        "(function(a){return 1;return 2}(1))",
        "(function(a){return a}(1))()",
        "function a(){}",
        "{__proto__:{}}",
        '{"__proto__":{}}',
        r'{"\u005f_proto__":{}}',
        "(function(a){a.__proto__=1;return a}({}))",
        '(function(a){a["__proto__"]=1;return a}({}))',
        "Object.create({})",
        "Object.create(null,{a:{get:1}})",
        "Object.create(null,{a:1})",
        "Object.defineProperty({},1)",
        "Object.assign({},{})",
        "Object({})",
        "Array(-1)",
        "Array(1,2)",
        "(function(a){a[4294967296]=1;return a}(Array(1)))",
        "(function(a){a[900000000]=1;return a}(Array(900000001)))",
        "new Date",
        "new Date()",
        "new Date(1,2)",
        "new Date('yesterday')",
        "new Date(1e300)",
        "new Date(!0)",
        "new Set(1)",
        "new Map([1])",
        "new Map([[1]])",
        "new RegExp('a')",
        "new XMLHttpRequest",
        "new Uint8Array(1000000000)",
        "/a/g",
        "`a`",
        "`${a}`",
        "1+1",
        "1,2",
        "(1,2)",
        "()",
        "1?2:3",
        "!2",
        "!a",
        "!!1",
        "void 1",
        "void a()",
        "typeof 1",
        "-a",
        "--1",
        "+1n",
        "1.5n",
        "010",
        "1_000",
        r'"\1"',
        r'"\08"',
        r'"\u12"',
        r'"\u{110000}"',
        '"a\nb"',
        '"a\\\nb"',
        '"a',
        "[1",
        "[1 2]",
        "{a}",
        "{a:1",
        "{a(){}}",
        "{get a(){return 1}}",
        "{[a]:1}",
        "{async a:1}",
        "{...a}",
        "{...[1]}",
        "[...[1]]",
        "new.target",
        "this",
        "async function(){}",
        "class{}",
        "1;2",
        "1 2",
        "",
        "@",
        "#a",
        "\x00",
        "a" * 1_000,
    ],
)
def test_everything_else_is_refused(expression: str) -> None:
    with pytest.raises(PayloadError):
        value(expression)


@pytest.mark.parametrize(
    "script",
    [
        "",
        "// nothing",
        "window.location='/x'",
        "document.cookie='x'",
        "window.__NUXT__.config={}",
        "window.__NUXT__=window.__NUXT__||{}",
        "window.__NUXT__={};alert(1)",
        "window.__NUXT__={}}",
        "export const a=1",
        "export default {};import p from 'x';p",
        "import {a} from 'x'",
        "import 'x'",
        "var a=1",
        "__NUXT_JSONP__({})",
        "__NUXT_JSONP__('/',{},1)",
        "window.__proto__={}",
        "window.__NUXT__.__proto__={}",
        "if(1){}",
    ],
)
def test_a_script_that_does_more_is_refused(script: str) -> None:
    with pytest.raises(PayloadError):
        read_script(script)


def test_what_is_refused_is_named_with_its_place() -> None:
    with pytest.raises(PayloadError) as caught:
        value("{a:[1,fetch('/secret')]}")

    assert "at character 21 near \"fetch('/secret')]}\"" in str(caught.value)
    assert "Nothing in it was run" in str(caught.value)


# Limits


@pytest.mark.parametrize(
    "expression",
    [
        "[" * 500_000,
        "{a:" * 300_000,
        "(" * 500_000,
        "new Set([" * 200_000,
        "Object(" * 200_000,
    ],
)
def test_deep_nesting_is_a_limit(expression: str) -> None:
    with pytest.raises(LimitError, match="nested deeper than 200 levels"):
        value(expression)


def test_many_values_are_a_limit() -> None:
    for script in ("[" + "1," * 10_000 + "]", "[" + "," * 10_000 + "]"):
        with pytest.raises(LimitError, match="more than 9,000 values"):
            read_script(script, nodes=9_000)


def test_many_digits_are_a_limit() -> None:
    with pytest.raises(LimitError, match="digits"):
        value("9" * 100_000 + "n")


@pytest.mark.parametrize(
    "script",
    [
        '"' + "\\" * 1_000_000,
        "'" + "a" * 1_000_000,
        "/*" * 500_000,
        " " * 1_000_000,
        "//" + "/" * 1_000_000,
        "(function(" + "a," * 300_000,
        "(function(){" + "{" * 1_000_000,
        "." * 1_000_000,
    ],
)
def test_hostile_scripts_take_linear_time(script: str) -> None:
    started = time.process_time()
    with pytest.raises(PayloadError):
        value(script)
    assert time.process_time() - started < 10


@given(
    st.text(
        alphabet=st.sampled_from(list("{}[]():;,.=!-+\"'\\/*0123abn \n")), max_size=40
    )
)
def test_noise_gives_a_value_or_an_error_of_ours(text: str) -> None:
    with suppress(PayloadError):
        read_script(text)


WORDS = """
    function( a b ) { } [ ] return window . __NUXT__ = export default new Date Set Map
    Object create assign null , : ; 1 0 ! void -1 'x' "y" ... import from Array
"""


@given(st.lists(st.sampled_from(WORDS.split()), max_size=30))
def test_words_in_any_order_give_a_value_or_an_error_of_ours(words: list[str]) -> None:
    with suppress(PayloadError):
        read_script(" ".join(words))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
@pytest.mark.slow
def test_json_is_read_as_json(expected: object) -> None:
    text = json.dumps(expected)
    if '"__proto__"' not in text:
        assert value(text) == expected
