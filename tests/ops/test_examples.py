"""The examples in the docstrings of ops that people call."""

import doctest

import pytest

import weft as wf
from weft.graph.op import Op

CALLED = sorted(name for name in wf.__all__ if isinstance(getattr(wf, name), Op))


@pytest.mark.parametrize("name", CALLED)
def test_the_example_of_an_op_runs(name):
    op = getattr(wf, name)
    (session,) = [d for d in [doctest.DocTestParser().get_doctest(op.__doc__, {}, name, None, 0)] if d.examples]
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session).failed == 0
