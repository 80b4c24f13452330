"""safetensors: whatever bytes come in, exactly valid arrays or a FileError come out."""

import json
import random
import time

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.errors import ArgumentError, DTypeError, FileError
from weft.storage.tensors import LONGEST_HEADER, TYPES, read_tensors, write_tensors

HEADER = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def content(header, data=b"\0" * 8, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def random_array(kind, shape):
    size = int(np.prod(shape)) * kind.itemsize
    raw = np.random.default_rng(0).integers(0, 2 if kind == np.bool_ else 256, size, np.uint8)
    return np.frombuffer(raw.tobytes(), kind).reshape(shape)


@pytest.mark.parametrize("kind", [*TYPES.values(), np.dtype(np.complex128)], ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 0, 3), (2, 3, 4)], ids=str)
def test_every_type_and_shape_comes_back_bit_for_bit(kind, shape):
    array = random_array(kind, shape)
    arrays, metadata = read_tensors(write_tensors({"x": array, "y": np.float32(2)}, {"k": "ü"}), "here")
    assert same(arrays["x"], array)
    assert arrays["y"].shape == ()
    assert metadata == {"k": "ü"}


def test_arrays_come_back_read_only():
    arrays, _ = read_tensors(write_tensors({"x": np.ones(3)}, {}), "here")
    with pytest.raises(ValueError, match="read-only"):
        arrays["x"][0] = 2


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.arange(6.0)[::-2],
        np.arange(6.0).astype(">f8"),
        np.asfortranarray(np.ones((2, 3)) * 1j),
    ],
)
def test_any_memory_layout_is_written(array):
    arrays, _ = read_tensors(write_tensors({"x": array}, {}), "here")
    np.testing.assert_array_equal(arrays["x"], array)


def test_the_library_reads_what_is_written_and_the_other_way_round():
    arrays = {"x": np.arange(6.0).reshape(2, 3), "y": np.array([True, False]), "": np.int8(3)}
    theirs = safetensors.numpy.load(write_tensors(arrays, {}))
    ours, _ = read_tensors(safetensors.numpy.save({k: np.asarray(v) for k, v in arrays.items()}), "here")
    for name, array in arrays.items():
        assert same(theirs[name], np.asarray(array))
        assert same(ours[name], np.asarray(array))


def test_nothing_at_all_can_be_written():
    assert read_tensors(write_tensors({}, {}), "here") == ({}, {})


@pytest.mark.parametrize(
    ("arrays", "metadata", "kind"),
    [
        ({"x": np.array(["text"])}, {}, DTypeError),
        ({"x": np.array([None])}, {}, DTypeError),
        ({"x": np.zeros(2, "datetime64[s]")}, {}, DTypeError),
        ({"x": np.zeros(2, [("a", "f4")])}, {}, DTypeError),
        ({3: np.ones(1)}, {}, ArgumentError),
        ({"__metadata__": np.ones(1)}, {}, ArgumentError),
        ({"\ud800": np.ones(1)}, {}, ArgumentError),
        ({}, {"k": 3}, ArgumentError),
        ({}, {"weft.complex128": "[]"}, ArgumentError),
    ],
)
def test_what_cannot_be_written_is_named(arrays, metadata, kind):
    with pytest.raises(kind, match="write_tensors"):
        write_tensors(arrays, metadata)


def entry(**fields):
    return {"a": HEADER["a"] | fields}


def two(first, second):
    return {
        name: {"dtype": "U8", "shape": [e - b], "data_offsets": [b, e]}
        for name, (b, e) in zip("ab", (first, second), strict=True)
    }


BAD = {
    "empty": (b"", "0 bytes"),
    "short": (b"\x01\0\0", "3 bytes"),
    "header beyond the file": (content(HEADER, length=10**6), "1000000 bytes"),
    "header of 2**64 - 1 bytes": (b"\xff" * 8 + b"{}", "18446744073709551615"),
    "header length 0": (b"\0" * 16, "begins with"),
    "header above the limit": (content(b"{" + b" " * LONGEST_HEADER + b"}"), str(LONGEST_HEADER)),
    "not utf-8": (content(b'{"\xff": 1}'), "utf-8"),
    "utf-16": (content(json.dumps(HEADER).encode("utf-16")), "begins with"),
    "no object": (content([1]), "begins with"),
    "space first": (content(b" " + json.dumps(HEADER).encode()), "begins with"),
    "zeros after": (content(json.dumps(HEADER).encode() + b"\0"), "Extra data"),
    "no json": (content(b'{"a": '), "strict JSON|brackets"),
    "name twice": (content(b'{"a": 1, "a": 2}'), "'a'.*twice"),
    "field twice": (content(b'{"a": {"dtype": "F32", "dtype": "F32"}}'), "'dtype'.*twice"),
    "metadata twice": (content(b'{"__metadata__": {"k": "", "k": ""}}'), "'k'.*twice"),
    "metadata no text": (content({"__metadata__": {"k": 3}}, b""), "3 under 'k'"),
    "metadata no object": (content({"__metadata__": "x"}, b""), "__metadata__ is 'x'"),
    "metadata null": (content({"__metadata__": None}, b""), "__metadata__ is None"),
    "half a surrogate": (content(b'{"\\ud800": 1}'), "no Unicode"),
    "half a surrogate in metadata": (content(b'{"__metadata__": {"k": "\\udfff"}}', b""), "no Unicode"),
    "deep lists": (content(b"[" * 10**6), "begins with"),
    "deep objects": (content(b'{"a":' * 10**5 + b"1" + b"}" * 10**5), "more than 3"),
    "deep shape": (content(b'{"a":{"shape":' + b"[" * 10**6 + b"]" * 10**6 + b"}}"), "more than 3"),
    "many quotes": (content(b'{"' + b'\\"' * 10**6), "brackets"),
    "entry no object": (content({"a": 3}), "'a' has 3"),
    "field missing": (content({"a": {"dtype": "F32", "shape": [2]}}), r"\['dtype', 'shape'\]"),
    "field too many": (content(entry(more=1)), "more"),
    "unknown dtype": (content(entry(dtype="F3")), "'F3'"),
    "dtype no text": (content(entry(dtype=["F32"])), "F32"),
    "dtype null": (content(entry(dtype=None)), "None"),
    "negative shape": (content(entry(shape=[-2])), "-2"),
    "negative shapes": (content(entry(shape=[-2, -1])), "-2"),
    "float shape": (content(entry(shape=[2.0])), "2.0"),
    "bool shape": (content(entry(shape=[True, 2])), "True"),
    "text shape": (content(entry(shape="2")), "'2'"),
    "null shape": (content(entry(shape=None)), "None"),
    "huge shape": (content(entry(shape=[10**30])), "0000"),
    "overflowing shape": (content(entry(shape=[2**32, 2**32])), "larger than memory"),
    "overflowing to the right size": (content(entry(shape=[2**62, 4, 2])), "larger than memory"),
    "overflowing and empty": (content(entry(shape=[0, 2**62, 2**62], data_offsets=[0, 0]), b""), "larger than memory"),
    "too many digits": (content(b'{"a":{"dtype":"F32","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,8]}}'), "JSON"),
    "NaN": (content(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}'), "NaN"),
    "too many axes": (content(entry(shape=[1] * 65, data_offsets=[0, 4]), b"1234"), "65 axes"),
    "one offset": (content(entry(data_offsets=[0])), "1 data_offsets"),
    "three offsets": (content(entry(data_offsets=[0, 8, 8])), "3 data_offsets"),
    "negative offset": (content(entry(data_offsets=[-8, 0])), "-8"),
    "offsets the wrong way": (content(entry(data_offsets=[8, 0])), "-8 bytes"),
    "offsets of another size": (content(entry(data_offsets=[0, 7]), b"1234567"), "7 bytes"),
    "offsets beyond the file": (content(HEADER, b"1234"), "8 bytes, and 4 bytes follow"),
    "trailing bytes": (content(HEADER, b"\0" * 9), "8 bytes, and 9 bytes follow"),
    "bytes and no tensor": (content({}, b"1"), "0 bytes, and 1 bytes"),
    "hole at the start": (content(two((1, 4), (4, 8))), "hole"),
    "hole in the middle": (content(two((0, 3), (4, 8))), "hole"),
    "overlap": (content(two((0, 5), (4, 8))), "overlaps"),
    "the same place": (content(two((0, 8), (0, 8))), "overlaps"),
    "bool of 2": (content({"a": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}, b"\1\2"), "byte 2"),
    "pairs of nothing": (content(HEADER | {"__metadata__": {"weft.complex128": '["b"]'}}), "'b'"),
    "pairs of float32": (content(HEADER | {"__metadata__": {"weft.complex128": '["a"]'}}), "'a'"),
    "pairs no list": (content(HEADER | {"__metadata__": {"weft.complex128": "3"}}), "3"),
    "pairs no json": (content(HEADER | {"__metadata__": {"weft.complex128": "]"}}), "JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_what_is_wrong(name):
    raw, said = BAD[name]
    start = time.perf_counter()
    with pytest.raises(FileError, match=f"(?s)^here: .*(?:{said})"):
        read_tensors(raw, "here")
    assert time.perf_counter() - start < 5


def test_tensors_may_lie_in_any_order_of_names():
    arrays, _ = read_tensors(content(two((4, 8), (0, 4)), b"12345678"), "here")
    assert (arrays["a"].tobytes(), arrays["b"].tobytes()) == (b"5678", b"1234")


def test_an_empty_tensor_may_lie_between_others():
    header = two((0, 4), (4, 8)) | {"e": {"dtype": "F32", "shape": [0, 3], "data_offsets": [4, 4]}}
    assert read_tensors(content(header), "here")[0]["e"].shape == (0, 3)


def test_unaligned_numbers_are_read():
    header = two((0, 3), (3, 4)) | {"f": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}
    raw = b"1234" + np.float32(1.5).tobytes()
    for pad in range(4):
        text = json.dumps(header).encode() + b" " * pad
        assert read_tensors(content(text, raw), "here")[0]["f"].tolist() == [1.5]


# ── fuzz ────────────────────────────────────────────────────────────────────────────────────────────────────


def check(raw):
    """Refused, or exactly what the library of the format reads too."""
    try:
        arrays, metadata = read_tensors(raw, "here")
    except FileError:
        return False
    theirs = dict(safetensors.deserialize(raw))
    assert theirs.keys() == arrays.keys()
    for name, array in arrays.items():
        assert array.tobytes() == bytes(theirs[name]["data"])
        if array.dtype != np.complex128:
            assert list(array.shape) == theirs[name]["shape"]
            assert array.dtype == TYPES[theirs[name]["dtype"]]
    again, notes = read_tensors(write_tensors(arrays, metadata), "again")
    assert notes == metadata
    assert all(same(again[name], array) for name, array in arrays.items())
    return True


def seeds():
    made = {name: random_array(kind, (2, 2)) for name, kind in list(TYPES.items())[:15]}
    return [
        write_tensors(made, {"format": "x", "more": '{"a": [1, 2]}'}),
        write_tensors({"a": np.ones((2, 3), np.float32), "b": np.array([True, False])}, {}),
        write_tensors({"z": np.ones(2) * 1j, "e": np.ones((0, 3))}, {}),
        content(HEADER),
        content(two((0, 4), (4, 8))),
    ]


SEEDS = seeds()
SPLICES = [
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b",",
    b":",
    b"-",
    b"0",
    b"9" * 20,
    b"NaN",
    b"1e999",
    b"null",
    b"\\",
    b"\xff",
    b" ",
]


def mutated(raw, rng):
    raw = bytearray(raw)
    end = 8 + int.from_bytes(raw[:8], "little")
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        where = rng.randrange(min(end, len(raw)) if rng.random() < 0.8 else len(raw))
        kind = rng.randrange(6)
        if kind == 0:
            raw[where] ^= 1 << rng.randrange(8)
        elif kind == 1:
            raw[where] = rng.choice(b'0123456789[]{}",:')
        elif kind == 2:
            del raw[where : where + rng.choice((1, 2, 8, 40))]
        elif kind == 3:
            raw[where:where] = rng.choice(SPLICES)
        elif kind == 4:
            raw[where:where] = raw[where : where + rng.randrange(60)]
        else:
            del raw[where:]
        if len(raw) < 9:
            break
    return bytes(raw)


def relength(raw, rng, size):
    """The length of the header moved with what was spliced into it, most of the time: so the damage is looked at."""
    if len(raw) > 8 and rng.random() < 0.7:
        claimed = int.from_bytes(raw[:8], "little") + len(raw) - size
        if 0 <= claimed < 2**63:
            return claimed.to_bytes(8, "little") + raw[8:]
    return raw


def test_thousands_of_mutations_are_exact_or_refused():
    rng, valid, start = random.Random(0), 0, time.perf_counter()
    for case in range(8000):
        raw = SEEDS[case % len(SEEDS)]
        valid += check(relength(mutated(raw, rng), rng, len(raw)))
    assert valid > 100
    assert time.perf_counter() - start < 20


def test_the_SEEDSare_valid():
    assert all(check(raw) for raw in SEEDS)


def test_every_flipped_bit_and_every_cut_is_exact_or_refused():
    for raw in SEEDS[1:4]:
        for bit in range(len(raw) * 8):
            damaged = bytearray(raw)
            damaged[bit // 8] ^= 1 << bit % 8
            check(bytes(damaged))
        assert not any(check(raw[:end]) for end in range(len(raw)))


numbers = st.one_of(
    st.integers(-2, 9), st.integers(), st.just(2**63), st.floats(), st.booleans(), st.none(), st.text(max_size=2)
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "dtype": st.one_of(st.sampled_from([*TYPES, "F4", "f32"]), numbers),
        "shape": st.one_of(st.lists(st.integers(0, 3), max_size=3), st.lists(numbers, max_size=3), numbers),
        "data_offsets": st.one_of(st.lists(st.integers(0, 16), max_size=3), st.lists(numbers, max_size=3)),
        "other": numbers,
    },
)
headers = st.dictionaries(st.text(max_size=3) | st.just("__metadata__"), st.one_of(fields, numbers), max_size=3)


@settings(max_examples=400, deadline=None)
@given(headers, st.binary(max_size=24))
def test_any_header_is_exact_or_refused(header, data):
    check(content(json.dumps(header).encode(), data))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64), st.booleans())
def test_any_bytes_are_exact_or_refused(raw, framed):
    check(content(raw, b"") if framed else raw)
