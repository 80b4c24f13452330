"""Every op keeps the contract: its samples pass, and it has some."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import weft.ops
from weft.graph.op import Op

from .contract import Sample, check_host, check_shapes, check_text, check_values
from .samples import SAMPLES

every = pytest.mark.parametrize("sample", SAMPLES, ids=str)


def test_every_op_has_a_sample() -> None:
    modules = [importlib.import_module(f"weft.ops.{m.name}") for m in pkgutil.iter_modules(weft.ops.__path__)]
    ops = {value for module in modules for value in vars(module).values() if isinstance(value, Op)}
    assert {op.name for op in ops} - {sample.op.name for sample in SAMPLES} == set()


@every
def test_shape_rule_is_that_of_the_lowering(sample: Sample) -> None:
    check_shapes(sample)


@every
def test_value_and_gradients(sample: Sample) -> None:
    check_values(sample)


@every
def test_text_and_checker(sample: Sample) -> None:
    check_text(sample)


@every
def test_exact_ops_are_exact(sample: Sample) -> None:
    check_host(sample)
