"""The functions that people call, which choose and combine ops, against NumPy's of the same name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.errors import ArgumentError, ShapeError, WeftError
from weft.ops import exponential
from weft.ops.searching import one_hot, take, take_along_axis
from weft.ops.subscript import getitem

from .samples.numbers import normal

TALL, SQUARE, ROW = normal(2, 3, 4), normal(3, 3), normal(4)
t, s, r = wf.tensor(TALL), wf.tensor(SQUARE), wf.tensor(ROW)
I, J = np.array([[1, 0], [2, 2]]), np.array([3, 0])  # noqa: E741
i, j = wf.tensor(I), wf.tensor(J)

CASES: dict[str, tuple[Any, Any]] = {
    "sum": (wf.sum(t), TALL.sum()),
    "sum of integers in 64 bits": (wf.sum(i.astype("int8"), axis=-1), I.sum(-1)),
    "var": (wf.var(t, axis=(0, 2), correction=1), TALL.var((0, 2), ddof=1)),
    "std": (wf.std(t, axis=1, keepdims=True), TALL.std(1, keepdims=True)),
    "argmax of all": (wf.argmax(t), TALL.argmax()),
    "argmin": (wf.argmin(t, axis=-1, keepdims=True), TALL.argmin(-1, keepdims=True)),
    "cumulative_sum": (wf.cumulative_sum(t, axis=-2), TALL.cumsum(-2)),
    "argsort": (wf.argsort(t, descending=True), np.argsort(-TALL, kind="stable")),
    "moveaxis": (wf.moveaxis(t, (0, 1), (-1, 0)), np.moveaxis(TALL, (0, 1), (-1, 0))),
    "matrix_transpose": (wf.matrix_transpose(t), TALL.mT),
    "squeeze": (wf.squeeze(wf.expand_dims(t, axis=1)), TALL),
    "flatten": (wf.flatten(t, 1), TALL.reshape(2, -1)),
    "concat": (wf.concat([t, t], axis=-1), np.concatenate([TALL, TALL], -1)),
    "concat of all": (wf.concat([t, r], axis=None), np.concatenate([TALL, ROW], None)),
    "stack": (wf.stack([r, r + 1], axis=1), np.stack([ROW, ROW + 1], 1)),
    "unstack": (wf.unstack(t, axis=1)[2], TALL[:, 2]),
    "split": (wf.split(t, 2, axis=2)[1], np.split(TALL, 2, 2)[1]),
    "pad": (wf.pad(r, ((2, 1),), 7.0), np.pad(ROW, (2, 1), constant_values=7)),
    "flip": (wf.flip(t), np.flip(TALL)),
    "roll": (wf.roll(t, 5), np.roll(TALL, 5)),
    "repeat": (wf.repeat(t, 2, axis=1), np.repeat(TALL, 2, 1)),
    "repeat of all": (wf.repeat(t, 3), np.repeat(TALL, 3)),
    "tile": (wf.tile(t, (2, 1, 1, 3)), np.tile(TALL, (2, 1, 1, 3))),
    "arange": (wf.arange(1.0, 2.0, 0.25, dtype="float64"), np.arange(1, 2, 0.25)),
    "arange backwards": (wf.arange(5, -3, -2), np.arange(5, -3, -2)),
    "linspace": (wf.linspace(-1.0, 2.0, 7, dtype="float64"), np.linspace(-1, 2, 7)),
    "linspace without end": (
        wf.linspace(0.0, 1.0, 4, dtype="float64", endpoint=False),
        np.linspace(0, 1, 4, endpoint=False),
    ),
    "eye": (wf.eye(3, 4, k=1), np.eye(3, 4, 1)),
    "tril": (wf.tril(t, k=-1), np.tril(TALL, -1)),
    "full": (wf.full((2, 2), 3), np.full((2, 2), 3)),
    "matmul of vectors": (wf.matmul(r, r), ROW @ ROW),
    "matmul of a matrix and a vector": (wf.matmul(t, r), TALL @ ROW),
    "matmul of a vector and matrices": (wf.matmul(s[0], t), SQUARE[0] @ TALL),
    "outer": (wf.outer(r, s[0]), np.outer(ROW, SQUARE[0])),
    "tensordot": (wf.tensordot(t, s, axes=((1,), (0,))), np.tensordot(TALL, SQUARE, ((1,), (0,)))),
    "tensordot of none": (wf.tensordot(r, r, axes=0), np.tensordot(ROW, ROW, 0)),
    "einsum": (wf.einsum("bij,bkj->bik", t, t), np.einsum("bij,bkj->bik", TALL, TALL)),
    "einsum implicit": (wf.einsum("ij,jk", s, s), SQUARE @ SQUARE),
    "einsum trace": (wf.einsum("ii->", s), np.trace(SQUARE)),
    "einsum diagonal": (wf.einsum("ii->i", s), np.diag(SQUARE)),
    "einsum with dots": (wf.einsum("...ij,j->...i", t, r), TALL @ ROW),
    "power square": (exponential.power(t, 2), TALL**2),
    "power of a number": (exponential.power(2.0, t), 2.0**TALL),
    "power inverse": (exponential.power(t, -1), TALL**-1.0),
    "take": (take(t, j, axis=2), TALL.take(J, 2)),
    "take_along_axis": (take_along_axis(s[:2], i), np.take_along_axis(SQUARE[:2], I, -1)),
    "one_hot": (one_hot(i, 4), np.eye(4)[I]),
    "one_hot of what is not known yet": (one_hot(i + 3, 4), np.eye(8)[I + 3][..., :4]),
}

KEYS: list[Any] = [
    0,
    -1,
    (1, 2, 3),
    slice(1, None),
    (slice(None), slice(0, 2)),
    (slice(None, None, -1), 1),
    (Ellipsis, 2),
    (0, Ellipsis, slice(None, None, 2)),
    (None, 1, None),
    (slice(None), slice(5, 1, -2)),
    (slice(2, 2),),
    I % 2,
    (slice(None), I),
    (I % 2, slice(None), I),
    (I % 2, I),
    (1, I),
    (slice(None), 1, J),
    TALL > 0,
    (0, TALL[0, :, 0] > -9, 1),
]


@pytest.mark.parametrize("name", CASES)
def test_function(name: str) -> None:
    found, expected = CASES[name]
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.filterwarnings("ignore::weft.runtime.explanation.RecompileWarning")  # one line, many structures
@pytest.mark.parametrize("key", KEYS, ids=lambda key: str(key).replace("\n", "")[:40])
def test_indexing_is_numpys(key: Any) -> None:
    found, expected = getitem(t, key), TALL[key]
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.numpy(), expected)


def test_an_integer_drops_its_axis_before_index_tensors_choose() -> None:
    assert t[0, :, i].shape == (3, 2, 2)  # as in PyTorch; NumPy moves the chosen axes to the front here


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: wf.reshape(t, (5, 5)),
        lambda: wf.reshape(t, (-1, -1)),
        lambda: wf.concat([t, s]),
        lambda: wf.stack([]),
        lambda: wf.split(t, 5, axis=2),
        lambda: wf.squeeze(t, 0),
        lambda: wf.permute_dims(t, (0, 0, 1)),
        lambda: wf.sum(t, axis=3),
        lambda: wf.sum(t, axis=(0, 0)),
        lambda: wf.max(wf.zeros((0, 2)), axis=0),
        lambda: wf.matmul(t, s),
        lambda: wf.einsum("ij,jk", s),
        lambda: wf.einsum("ij->k", s),
        lambda: t[0, 0, 0, 0],
        lambda: wf.arange(3, 4, 0),
    ],
)
def test_what_cannot_be_is_a_lesson_at_the_users_line(wrong: Any) -> None:
    with pytest.raises(WeftError) as caught:
        wrong()
    assert isinstance(caught.value, ShapeError | ArgumentError)


def test_an_index_out_of_range_is_pythons_error() -> None:
    with pytest.raises(IndexError, match="out of range for axis 1"):
        t[0, 3]
