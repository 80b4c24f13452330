"""einops' own test-suite, run from its wheel on Weft's tensors and layers."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import einops
import einops.tests
import numpy as np
import pytest

import weft as wf
import weft.interop
from weft.interop.einops import WeftBackend

pytestmark = pytest.mark.filterwarnings("ignore")  # their tests warn, on purpose and otherwise

os.environ[einops.tests.ENVVAR_NAME] = "weft"
einops.tests.parse_backends_to_test.cache_clear()
einops.tests.collect_test_backends = lambda symbolic=False, layers=False: [] if symbolic else [WeftBackend()]
MODULES = ("einsum", "examples", "layers", "ops", "other", "packing", "parsing")


def theirs() -> Iterator[Any]:
    """Every test function of einops, with the arguments of each of its parametrisations."""
    for name in MODULES:
        module = importlib.import_module(f"einops.tests.test_{name}")
        for key, function in vars(module).items():
            if key.startswith("test_") and callable(function):
                marks = [m for m in getattr(function, "pytestmark", []) if m.name == "parametrize"]
                rows = marks[0].args[1] if marks else [()]
                for k, row in enumerate(rows):
                    row = row if isinstance(row, tuple) else (row,)
                    yield pytest.param(function, row, id=f"{name}-{key}" + (f"-{k}" if marks else ""))


# What these look at is another framework, or a compiler of one.
OTHERS = {
    "test_einops_threading",
    "test_pytorch_yolo_fragment",
    "test_torch_compile_for_functions",
    "test_torch_compile_for_layers",
    "test_torch_compile_with_dynamic_shape",
    "test_torch_layer",
    "test_torch_layers_scripting",
    "test_keras_layer",
    "test_flax_layers",
}


@pytest.mark.parametrize(("function", "arguments"), list(theirs()))
def test_of_einops(function: Any, arguments: tuple[Any, ...]) -> None:
    try:
        function(*arguments)
    except pytest.skip.Exception:
        assert function.__name__ in OTHERS
        raise


@pytest.mark.parametrize(
    "first",
    ["import weft.interop; assert 'einops' not in sys.modules; import einops", "import einops; import weft.interop"],
)
def test_it_registers_itself_in_either_order(first: str) -> None:
    program = f"""
import sys
{first}
import weft as wf
x = wf.tensor([[1.0, 2.0]])
assert einops.rearrange(x, "a b -> b a").tolist() == [[1.0], [2.0]]
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_gradients_go_through() -> None:
    x = wf.tensor(np.arange(24, dtype="float32").reshape(2, 3, 4), requires_grad=True)
    y = einops.reduce(einops.rearrange(x, "a b c -> (a c) b"), "(d e) b -> e b", "max", d=2)
    g = wf.gradients((y * y).sum(), x)
    expected = np.zeros((2, 3, 4), "float32")
    expected[1] = 2 * np.arange(12, 24).reshape(3, 4)
    np.testing.assert_array_equal(g.numpy(), expected)


def test_layers_are_modules_that_learn() -> None:
    torch = pytest.importorskip("torch")
    from einops.layers.torch import EinMix as Theirs

    from weft.interop.einops_layers import EinMix, Rearrange

    model = wf.nn.Sequential(Rearrange("b h w -> b (h w)"), EinMix("b i -> b (o p)", "i o p", "p", i=12, o=2, p=3))
    twin = Theirs("b i -> b (o p)", "i o p", "p", i=12, o=2, p=3)
    with torch.no_grad():
        twin.weight.copy_(torch.tensor(np.array(model[1].weight.numpy())))
        twin.bias.copy_(torch.tensor(np.array(model[1].bias.numpy())))
    x = np.random.default_rng(0).standard_normal((5, 3, 4)).astype("float32")
    expected = twin(torch.tensor(x).reshape(5, 12))
    np.testing.assert_allclose(model(wf.tensor(x)).numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)
    optimizer, target = wf.optim.SGD(0.1), wf.tensor(np.ones((5, 6), "float32"))
    losses = []
    for _ in range(3):
        loss = wf.nn.functional.mse_loss(model(wf.tensor(x)), target)
        loss.backward()
        optimizer.step(model)
        model.zero_grad()
        losses.append(loss.item())
    assert losses[0] > losses[1] > losses[2]
