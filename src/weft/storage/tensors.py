"""Strict safetensors: a file is arrays and text exactly as its header says, or it is refused.

The header is checked here, before anything looks at the numbers: whatever bytes come in, a valid set of arrays or
a FileError comes out. safetensors has no complex128; such an array is written as pairs of float64, and the
metadata names it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import ml_dtypes
import numpy as np

from weft.errors import ArgumentError, DTypeError, FileError
from weft.storage import jsontext

Array = np.ndarray[Any, Any]
TYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(kind)
    for name, kind in {
        "BOOL": np.bool_,
        "U8": np.uint8,
        "I8": np.int8,
        "U16": np.uint16,
        "I16": np.int16,
        "U32": np.uint32,
        "I32": np.int32,
        "U64": np.uint64,
        "I64": np.int64,
        "F16": np.float16,
        "F32": np.float32,
        "F64": np.float64,
        "C64": np.complex64,
        "BF16": ml_dtypes.bfloat16,
        "F8_E4M3": ml_dtypes.float8_e4m3fn,
        "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
        "F8_E5M2": ml_dtypes.float8_e5m2,
        "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
        "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    }.items()
}
LONGEST_HEADER = 100_000_000  # bytes, as in the format's own library
MOST_AXES = 64  # NumPy's
PAIRS = "weft.complex128"
_KEYS = {"dtype", "shape", "data_offsets"}
_NATURAL = f"a whole number from 0 to {2**63 - 1}"


@dataclass(frozen=True)
class _Entry:
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int

    def __str__(self) -> str:
        return f"the tensor {_short(self.name)} ({self.dtype.name}, shape {_short(list(self.shape))})"


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def read_tensors(content: bytes, what: str) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the metadata of a safetensors file, given as bytes; FileError for any other bytes.

    The arrays are read-only views of ``content``: nothing is copied, and nothing can be overwritten by accident.
    ``what`` names the file in errors.

    >>> arrays, metadata = read_tensors(write_tensors({"w": np.ones((2, 3))}, {"made": "here"}), "example")
    >>> arrays["w"].shape, metadata
    ((2, 3), {'made': 'here'})
    """
    content = bytes(content)  # as it is, if it is that already
    try:
        fields, start = _header(content)
        metadata = _metadata(fields.pop("__metadata__", {}))
        entries = [_entry(name, field) for name, field in fields.items()]
        _check_layout(entries, len(content) - start)
        entries = _paired(entries, metadata)
        return {entry.name: _array(content, start, entry) for entry in entries}, metadata
    except FileError as error:
        raise FileError(f"{what}: {error.received}", expected=error.expected, cure=error.cure) from None


def _header(content: bytes) -> tuple[dict[str, Any], int]:
    if len(content) < 8:
        raise FileError(f"it has {len(content)} bytes", expected="8 bytes that say how long the header is, and more")
    length = int.from_bytes(content[:8], "little")
    if length > min(LONGEST_HEADER, len(content) - 8):
        raise FileError(
            f"its header claims {length} bytes, in a file of {len(content)} bytes",
            expected=f"a header inside of the file, of at most {LONGEST_HEADER} bytes",
            cure="copy the file again if it was cut short",
        )
    text = content[8 : 8 + length]
    if not text.startswith(b"{"):
        raise FileError(f"its header begins with {text[:1]!r}", expected="'{'")
    fields = jsontext.parse(text, depth=3)
    if not isinstance(fields, dict):
        raise FileError(f"its header is a {type(fields).__name__}", expected="a JSON object")
    return fields, 8 + length


def _metadata(found: Any) -> dict[str, str]:
    if not isinstance(found, dict):
        raise FileError(f"__metadata__ is {_short(found)}", expected="an object of text by text")
    for key, value in found.items():
        if not isinstance(value, str):
            raise FileError(f"__metadata__ has {_short(value)} under {_short(key)}", expected="text")
        _check_text(key, "a key of __metadata__")
        _check_text(value, f"the metadata {_short(key)}")
    return found


def _check_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise FileError(f"{what} is no Unicode text: {_short(text)}", expected="no half of a surrogate pair") from None


def _entry(name: str, field: Any) -> _Entry:
    _check_text(name, "the name of a tensor")
    tensor = f"the tensor {_short(name)}"
    if not isinstance(field, dict) or set(field) != _KEYS:
        keys = sorted(field) if isinstance(field, dict) else field
        raise FileError(f"{tensor} has {_short(keys)}", expected=f"the fields {', '.join(sorted(_KEYS))}")
    dtype = TYPES.get(field["dtype"]) if isinstance(field["dtype"], str) else None
    if dtype is None:
        raise FileError(f"{tensor} has the dtype {_short(field['dtype'])}", expected="one of " + ", ".join(TYPES))
    shape = _naturals(field["shape"], f"{tensor} has the shape")
    offsets = _naturals(field["data_offsets"], f"{tensor} has the data_offsets")
    if len(offsets) != 2:
        raise FileError(f"{tensor} has {len(offsets)} data_offsets", expected="two: begin and end")
    entry = _Entry(name, dtype, shape, *offsets)
    _check_size(entry)
    return entry


def _naturals(found: Any, what: str) -> tuple[int, ...]:
    if not isinstance(found, list):
        raise FileError(f"{what} {_short(found)}", expected=f"a list, of {_NATURAL} each")
    if any(type(n) is not int or not 0 <= n < 2**63 for n in found):
        wrong = next(n for n in found if type(n) is not int or not 0 <= n < 2**63)
        raise FileError(f"{what} {_short(found)}, with {_short(wrong)} in it", expected=_NATURAL)
    return tuple(found)


def _check_size(entry: _Entry) -> None:
    if len(entry.shape) > MOST_AXES:
        raise FileError(f"{entry} has {len(entry.shape)} axes", expected=f"at most {MOST_AXES}")
    if math.prod(n for n in entry.shape if n) * entry.dtype.itemsize >= 2**63:  # NumPy counts so, even if it is empty
        raise FileError(f"{entry} is larger than memory can be", expected="less than 2**63 bytes")
    needed = math.prod(entry.shape) * entry.dtype.itemsize
    if entry.end - entry.begin != needed:
        raise FileError(
            f"{entry} has the data_offsets [{entry.begin}, {entry.end}], that is {entry.end - entry.begin} bytes",
            expected=f"{needed} bytes",
        )


def _check_layout(entries: list[_Entry], room: int) -> None:
    """The tensors fill the rest of the file: no hole, no overlap, nothing before, between or after them."""
    filled = 0
    for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != filled:
            trouble = "overlaps the one before it" if entry.begin < filled else "leaves a hole before it"
            raise FileError(f"{entry} begins at byte {entry.begin} and {trouble}", expected=f"byte {filled}")
        filled = entry.end
    if filled != room:
        raise FileError(
            f"the tensors take {filled} bytes, and {room} bytes follow the header",
            expected="as many",
            cure="copy the file again if it was cut short" if room < filled else None,
        )


def _paired(entries: list[_Entry], metadata: dict[str, str]) -> list[_Entry]:
    """The entries, with those that the metadata names as pairs of float64 become complex128."""
    if PAIRS not in metadata:
        return entries
    names = jsontext.parse(metadata.pop(PAIRS), depth=1)
    by_name = {entry.name: entry for entry in entries}
    for name in names if isinstance(names, list) else [names]:
        entry = by_name.get(name) if isinstance(name, str) else None
        if entry is None or entry.dtype != np.float64 or entry.shape[-1:] != (2,):
            raise FileError(
                f"the metadata {PAIRS} names {_short(name)}",
                expected="a tensor of float64 whose last axis has length 2",
            )
        by_name[entry.name] = replace(entry, dtype=np.dtype(np.complex128), shape=entry.shape[:-1])
    return list(by_name.values())


def _array(content: bytes, start: int, entry: _Entry) -> Array:
    array: Array = np.ndarray(entry.shape, entry.dtype, buffer=content, offset=start + entry.begin)
    if entry.dtype == np.bool_ and array.size:
        largest = int(array.view(np.uint8).max())
        if largest > 1:
            raise FileError(f"{entry} holds the byte {largest}", expected="0 or 1 for each bool")
    return array


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


def write_tensors(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """The content of a safetensors file with these arrays and this metadata; `read_tensors` gives back both.

    >>> read_tensors(write_tensors({"z": np.array([1j])}, {}), "example")[0]["z"]
    array([0.+1.j])
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save

    plain = {_checked(name, "a tensor"): _plain(name, np.asarray(array)) for name, array in arrays.items()}
    notes = {
        _checked(key, "metadata"): _checked(value, f"the metadata {_short(key)}") for key, value in metadata.items()
    }
    if pairs := [name for name, array in plain.items() if array.dtype == np.complex128]:
        notes[PAIRS] = json.dumps(pairs)
        plain.update((name, plain[name][..., None].view(np.float64)) for name in pairs)
    try:
        return save(plain, notes or None)
    except SafetensorError as error:
        raise DTypeError(f"write_tensors: {error}", expected="arrays of a type that safetensors knows") from error


def _checked(text: Any, what: str) -> str:
    """Text that a header can hold and that does not mean something else there."""
    if not isinstance(text, str) or text in ("__metadata__", PAIRS):
        raise ArgumentError(
            f"write_tensors: {_short(text)} for {what}", expected=f"text, and not __metadata__ or {PAIRS}"
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"write_tensors: {_short(text)} for {what}", expected="Unicode text") from None
    return text


def _plain(name: str, array: Array) -> Array:
    """The array in little-endian bytes, row by row."""
    if array.dtype.newbyteorder("=") not in (*TYPES.values(), np.dtype(np.complex128)):
        raise DTypeError(
            f"write_tensors: {_short(name)} has the dtype {array.dtype}",
            expected="one of " + ", ".join(sorted({kind.name for kind in TYPES.values()} | {"complex128"})),
        )
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
