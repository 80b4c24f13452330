"""Data exchanged with PyTorch, JAX and NumPy by DLPack, and through safetensors: types by shapes, both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

import weft as wf

DTYPES = [
    *("bool", "uint8", "int8", "int16", "int32", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
]
every_type = pytest.mark.parametrize("dtype", DTYPES)


def numpy_type(dtype: str) -> Any:
    return np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


def data(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers that every type holds, negative ones and imaginary parts where there are."""
    x = np.arange(int(np.prod(shape))).reshape(shape)
    x = x - 3 if dtype[0] in "ifcb" and dtype != "bool" else x
    x = x * (1 - 2j) if dtype.startswith("complex") else x
    return (x % 2 == 1 if dtype == "bool" else x).astype(numpy_type(dtype))


SHAPES: dict[str, Any] = {
    "scalar": lambda dtype: data(dtype, (1,)).reshape(()),
    "empty": lambda dtype: data(dtype, (0, 3)),
    "matrix": lambda dtype: data(dtype, (3, 4)),
    "strided": lambda dtype: data(dtype, (6, 8))[::2, 1::3],
    "transposed": lambda dtype: data(dtype, (3, 4)).T,
    "reversed": lambda dtype: data(dtype, (3, 4))[::-1],
}
every_shape = pytest.mark.parametrize("shape", SHAPES)


def same(found: wf.Tensor, expected: np.ndarray) -> None:
    assert found.dtype.numpy == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.numpy(), expected)


def to_torch(x: np.ndarray) -> torch.Tensor:
    if x.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(np.ascontiguousarray(x).view(np.int16)).view(torch.bfloat16).reshape(x.shape)
    return torch.from_numpy(x if all(s >= 0 for s in x.strides) else x.copy())


def from_torch(x: torch.Tensor) -> np.ndarray:
    return x.view(torch.int16).numpy().view(ml_dtypes.bfloat16) if x.dtype == torch.bfloat16 else x.numpy()


# ── PyTorch ─────────────────────────────────────────────────────────────────────────────────────────────────


@every_type
@every_shape
def test_from_pytorch(dtype: str, shape: str) -> None:
    x = SHAPES[shape](dtype)
    same(wf.from_dlpack(to_torch(x)), x)


@every_type
@every_shape
def test_to_pytorch(dtype: str, shape: str) -> None:
    x = SHAPES[shape](dtype)
    for tensor in (wf.tensor(x), computed(x)):  # on the host, and on the device
        found = torch.from_dlpack(tensor)
        assert str(found.dtype) == f"torch.{dtype}"
        assert tuple(found.shape) == x.shape
        np.testing.assert_array_equal(from_torch(found), x)


def computed(x: np.ndarray) -> wf.Tensor:
    """The same numbers as the result of a computation."""
    t = wf.tensor(x)
    made: wf.Tensor = wf.where(wf.ones(x.shape, dtype=wf.bool), t, t)
    return made


def test_strides_of_pytorch() -> None:
    x = torch.arange(48.0).reshape(6, 8)
    for view in (x[::2, 1::3], x.T, x[2], x[:, 3], x.expand(2, 6, 8), x[:0], x.unsqueeze(0)):
        same(wf.from_dlpack(view), view.numpy())


def test_what_pytorch_writes_does_not_reach_us() -> None:
    x = torch.zeros(3)
    ours = wf.from_dlpack(x)
    x += 1
    assert ours.tolist() == [0.0, 0.0, 0.0]
    theirs = torch.from_dlpack(ours)
    theirs += 5
    assert ours.tolist() == [0.0, 0.0, 0.0]


# ── JAX ─────────────────────────────────────────────────────────────────────────────────────────────────────


@every_type
@every_shape
def test_with_jax_both_ways(dtype: str, shape: str) -> None:
    x = SHAPES[shape](dtype)
    with jax.enable_x64(True):
        theirs = jax.numpy.asarray(x)
        same(wf.from_dlpack(theirs), x)
        for tensor in (wf.tensor(x), computed(x)):
            back = jax.dlpack.from_dlpack(tensor)
            assert (back.dtype, back.shape) == (x.dtype, x.shape)
            np.testing.assert_array_equal(np.asarray(back), x)


# ── NumPy ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype != "bfloat16"])  # NumPy has no word for it
@every_shape
def test_with_numpy_both_ways(dtype: str, shape: str) -> None:
    x = SHAPES[shape](dtype)
    same(wf.from_dlpack(x), x)
    for tensor in (wf.tensor(x), computed(x)):
        np.testing.assert_array_equal(np.from_dlpack(tensor), x)


@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype != "bfloat16"])
def test_read_only_arrays(dtype: str) -> None:
    x = data(dtype, (3, 4))
    x.flags.writeable = False
    same(wf.from_dlpack(x), x)
    same(wf.from_dlpack(x, copy=False), x)


def test_a_tensor_stays_as_it_is_whoever_reads_it() -> None:
    x = wf.tensor([1.0, 2.0])
    for read in (np.from_dlpack, torch.from_dlpack):
        theirs = read(x)
        theirs[0] = 7.0
        assert x.tolist() == [1.0, 2.0]


def test_gradients_are_not_part_of_the_exchange() -> None:
    x = wf.tensor([1.0, 2.0], requires_grad=True)
    assert not torch.from_dlpack(x * 2).requires_grad
    assert not wf.from_dlpack(torch.ones(2)).requires_grad


# ── safetensors ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype != "complex128"])  # safetensors has no such type
def test_what_pytorch_saves_is_read(dtype: str, tmp_path: Path) -> None:
    arrays = {name: np.ascontiguousarray(make(dtype)).reshape(make(dtype).shape) for name, make in SHAPES.items()}
    safetensors.torch.save_file({k: to_torch(x).clone() for k, x in arrays.items()}, tmp_path / "x.safetensors")
    found = safetensors.numpy.load_file(tmp_path / "x.safetensors")
    for name, x in arrays.items():
        same(wf.tensor(found[name]), x)


def test_models_cross_to_pytorch_and_back(tmp_path: Path) -> None:
    model = wf.nn.Sequential(wf.nn.Linear(3, 4), wf.nn.ReLU(), wf.nn.Linear(4, 2))
    state = {name: np.array(value.numpy()) for name, value in model.named_parameters()}
    safetensors.numpy.save_file(state, tmp_path / "ours.safetensors")
    twin = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    twin.load_state_dict(safetensors.torch.load_file(tmp_path / "ours.safetensors"))
    x = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")
    np.testing.assert_allclose(
        twin(torch.tensor(x)).detach().numpy(), model(wf.tensor(x)).numpy(), rtol=1e-5, atol=1e-6
    )
