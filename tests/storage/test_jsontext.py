"""Strict JSON, and values that come back equal."""

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.errors import ArgumentError, FileError
from weft.storage.jsontext import DEPTH, dump, load, parse

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["nan", "$float", "NaN"])
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))


def bits(value):
    """The value with its floats as bits (one NaN), and its types, so that 1, 1.0 and True differ."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack("d", value)
    if isinstance(value, list):
        return [bits(item) for item in value]
    if isinstance(value, dict):
        return [(key, bits(item)) for key, item in value.items()]
    return (type(value).__name__, value)


@settings(max_examples=400, deadline=None)
@given(values)
def test_a_value_comes_back_exactly_in_standard_json(value):
    try:
        text = dump(value, "about")
    except ArgumentError as error:
        assert "$float" in str(error)  # noqa: PT017
        return
    assert bits(load(text)) == bits(value)
    json.loads(text, parse_constant=lambda word: pytest.fail(word))


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1, 1.7976931348623157e308, "nan", 2**200]
)
def test_hard_values_come_back(value):
    assert bits(load(dump({"x": [value]}, "about"))) == bits({"x": [value]})


def test_numpy_scalars_that_are_floats_come_back_equal():
    assert load(dump([np.float64(0.1)], "about")) == [0.1]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": (1, 2)}, r"about\['a'\] is of the type tuple"),
        ([np.ones(2)], r"about\[0\] is of the type ndarray"),
        ([np.float32(1)], "float32"),
        ({1: 2}, "the key 1"),
        ({"x": {"$float": 3}}, "only key"),
        ([10**5000], "bits"),
        ([{1, 2}], "set"),
    ],
)
def test_what_would_not_come_back_is_refused(value, said):
    with pytest.raises(ArgumentError, match=said):
        dump(value, "about")


def test_a_value_inside_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(ArgumentError, match="nested"):
        dump(value, "about")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nul",
        "[NaN]",
        "[Infinity]",
        "[1e999]",
        "[-1e999]",
        '{"a": 1, "a": 1}',
        '[{"a": {"b": 1, "b": 2}}]',
        "[1,]",
        "[1] 2",
        "[" * 10**6,
        "]" * 10**6,
        "[" * (DEPTH + 1) + "]" * (DEPTH + 1),
        '{"a":' * 10**5 + "1" + "}" * 10**5,
        '["' + '\\"' * 10**6,
        '"' * (10**6 + 1),
        "[" + "9" * 5000 + "]",
        b"\xff",
        b"\xef\xbb\xbf[]",
        "[1}",
        '["\x01"]',
    ],
    ids=lambda text: repr(text[:12]),
)
def test_anything_but_strict_json_is_refused(text):
    for read in (parse, load):
        with pytest.raises(FileError, match="strict JSON"):
            read(text)


def test_brackets_in_text_are_no_depth():
    text = json.dumps(["[" * 500 + '"{\\'])
    assert parse(text, depth=1) == json.loads(text)


def test_the_depth_that_is_allowed_is_read():
    assert parse("[" * DEPTH + "]" * DEPTH)


def test_words_are_read_on_request():
    assert parse("[NaN, -Infinity]", words=True)[1] == -math.inf


@pytest.mark.parametrize("text", ['{"$float": "x"}', '{"$float": 1.5}', '{"$float": ["nan"]}'])
def test_a_garbled_float_is_refused(text):
    with pytest.raises(FileError, match="float"):
        load(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='[]{}",:\\0nul aé\n') | st.text())
def test_any_text_is_read_as_json_reads_it_or_refused(text):
    try:
        found = parse(text)
    except FileError:
        return
    assert bits(found) == bits(json.loads(text, parse_int=lambda digits: -0.0 if digits == "-0" else int(digits)))


@pytest.mark.parametrize("text", ['[{"a": [1]}]', "[[[]]]", '{"a": {"b": {}}}'])
def test_brackets_of_both_kinds_count(text):
    assert parse(text, depth=3) == json.loads(text)
    with pytest.raises(FileError, match="more than 2"):
        parse(text, depth=2)
