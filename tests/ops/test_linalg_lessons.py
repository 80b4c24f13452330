"""What linear algebra cannot do it refuses by name, before anything runs."""

from __future__ import annotations

import math
from typing import Any

import pytest

import weft as wf
from weft import linalg
from weft.errors import ArgumentError, DTypeError, ShapeError

m, rows, v, whole, truth = wf.eye(3), wf.ones((2, 3)), wf.ones(3), wf.ones((2, 2), dtype="int32"), wf.eye(2) > 0
SQUARE = ["cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "expm", "inv", "slogdet"]
MATRIX = ["svd", "svdvals", "qr", "pinv", "matrix_norm", "matrix_rank"]
WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "matrix_power square": (lambda: linalg.matrix_power(rows, 2), ShapeError, "matrix_power of matrices of 2 rows"),
    "matrix_power half": (lambda: linalg.matrix_power(m, 0.5), ArgumentError, "matrix_power with n=0.5"),
    "solve square": (lambda: linalg.solve(rows, v), ShapeError, "solve of matrices of 2 rows and 3 columns"),
    "solve sizes": (lambda: linalg.solve(m, wf.ones(4)), ShapeError, r"\(3, 3\) and a right side of shape \(4, 1\)"),
    "solve batch": (lambda: linalg.solve(wf.ones((2, 3, 3)), wf.ones((5, 3, 1))), ShapeError, "do not broadcast"),
    "solve integers": (lambda: linalg.solve(whole, whole), DTypeError, "solve of a int32 tensor"),
    "solve_triangular square": (lambda: linalg.solve_triangular(rows, v), ShapeError, "solve_triangular of matrices"),
    "lstsq sizes": (lambda: linalg.lstsq(rows, v), ShapeError, r"lstsq .* \(2, 3\) .* \(3,\)"),
    "qr mode": (lambda: linalg.qr(m, mode="full"), ArgumentError, "qr with mode='full'"),
    "matrix_norm 3": (lambda: linalg.matrix_norm(m, ord=3), ArgumentError, "matrix_norm with ord=3"),
    "matrix_norm name": (lambda: linalg.matrix_norm(m, ord="f"), ArgumentError, "matrix_norm with ord='f'"),
    "vector_norm name": (lambda: linalg.vector_norm(v, ord="fro"), ArgumentError, "vector_norm with ord='fro'"),
    "vector_norm nan": (lambda: linalg.vector_norm(v, ord=math.nan), ArgumentError, "vector_norm with ord=nan"),
    "vector_norm axis": (lambda: linalg.vector_norm(v, axis=1), ShapeError, "axis 1 of a tensor with 1 axes"),
    "vector_norm twice": (lambda: linalg.vector_norm(m, axis=(0, 0)), ArgumentError, "names an axis twice"),
    "vector_norm integers": (lambda: linalg.vector_norm(whole), DTypeError, "vector_norm of a int32 tensor"),
    "vector_norm -inf of nothing": (lambda: linalg.vector_norm(wf.ones(0), ord=-math.inf), ShapeError, "no elements"),
    "pinv rtol": (lambda: linalg.pinv(m, rtol=wf.ones(2)), ShapeError, r"rtol of shape \(2,\)"),
    "cross size": (lambda: linalg.cross(wf.ones(2), wf.ones(2)), ShapeError, "cross .* the sizes there are 2 and 2"),
    "cross stretch": (lambda: linalg.cross(v, wf.ones(1)), ShapeError, "the sizes there are 3 and 1"),
    "cross axis": (lambda: linalg.cross(m, v, axis=0), ShapeError, "cross along axis 0"),
    "cross truth": (lambda: linalg.cross(v > 0, v), DTypeError, "cross of a bool tensor"),
    "vecdot sizes": (lambda: linalg.vecdot(v, wf.ones(1)), ShapeError, "the sizes there are 3 and 1"),
    "vecdot axis": (lambda: linalg.vecdot(m, v, axis=-2), ShapeError, "vecdot along axis -2"),
    "vecdot numbers": (lambda: linalg.vecdot(v, 2.0), ShapeError, "at least one axis each"),
    "outer": (lambda: linalg.outer(m, v), ShapeError, r"outer of shapes \(3, 3\) and \(3,\)"),
    "matmul number": (lambda: m @ 2.0, ShapeError, r"matmul of shapes \(3, 3\) and \(\)"),
    "matmul sizes": (lambda: m @ rows, ShapeError, "the inner sizes 3 and 2 differ"),
    "matmul vector": (lambda: rows @ wf.ones(2), ShapeError, r"\(2, 3\) and \(2,\): the inner sizes 3 and 2"),
    "matmul truth": (lambda: truth @ truth, DTypeError, "matmul of a bool tensor"),
    "tensordot sizes": (lambda: linalg.tensordot(rows, m, axes=((0,), (0,))), ShapeError, "sizes 2 and 3"),
    "tensordot many": (lambda: linalg.tensordot(v, m), ArgumentError, "tensordot over 2 axes"),
    "tensordot pairs": (lambda: linalg.tensordot(m, m, axes=((0, 1), (0,))), ArgumentError, "2 axes on the left, 1"),
    "trace truth": (lambda: linalg.trace(truth), DTypeError, "trace of a bool tensor"),
    "diagonal vector": (lambda: linalg.diagonal(v), ShapeError, r"diagonal of a tensor of shape \(3,\)"),
    "einsum twice": (lambda: wf.einsum("ij->ii", m), ArgumentError, "names an axis twice"),
    "einsum letters": (lambda: wf.einsum("i1->i", m), ArgumentError, "with '1'"),
    "einsum dots": (lambda: wf.einsum("...ij->ij", wf.ones((2, 2, 2))), ArgumentError, "lacks …"),
    "einsum axes": (lambda: wf.einsum("ij", v), ShapeError, r"names 2 axes, operand 0 of shape \(3,\) has 1"),
    "einsum sizes": (lambda: wf.einsum("ij,ij", m, rows), ShapeError, "'i' is 3 and 2"),
    "einsum count": (lambda: wf.einsum("ij,jk", m), ArgumentError, "names 2 operands, of 1"),
    "einsum first": (lambda: wf.einsum(m, "ij"), ArgumentError, "einsum of a Tensor"),
    "einsum unknown": (lambda: wf.einsum("ij->k", m), ArgumentError, "label 'k' is unknown"),
}
for name in SQUARE + MATRIX:
    f = getattr(linalg, name)
    WRONG[f"{name} vector"] = (lambda f=f: f(v), ShapeError, rf"{name} of a tensor of shape \(3,\)")
    WRONG[f"{name} integers"] = (lambda f=f: f(whole), DTypeError, f"{name} of a int32 tensor")
    WRONG[f"{name} truth"] = (lambda f=f: f(truth), DTypeError, f"{name} of a bool tensor")
for name in SQUARE:
    f = getattr(linalg, name)
    WRONG[f"{name} square"] = (lambda f=f: f(rows), ShapeError, f"{name} of matrices of 2 rows and 3 columns")


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_a_lesson_by_name(name: str) -> None:
    call, kind, words = WRONG[name]
    with pytest.raises(kind, match=words) as caught:
        call()
    assert caught.value.expected  # type: ignore[attr-defined]
    assert "test_linalg_lessons.py" in (caught.value.where or "test_linalg_lessons.py")  # type: ignore[attr-defined]
