"""Batches for a loop by hand."""

import numpy as np
import pytest

import weft as wf
from weft.errors import ArgumentError

X = np.arange(10, dtype=np.float32)[:, None]
Y = np.arange(10) % 2

SOURCES = {
    "pair": (X, Y),
    "lazy": wf.data.lazy(lambda rows: X[rows], 10, Y),
    "stream": wf.data.Stream(lambda: zip(X, Y, strict=True)),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_of_data_gives_each_example_once(source):
    found = list(wf.data.batches(SOURCES[source], 4, shuffle=False))
    assert [len(x) for x, _ in found] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in found]), X)
    np.testing.assert_array_equal(np.concatenate([y for _, y in found]), Y)


def test_the_order_is_that_of_a_fit_and_another_in_each_epoch():
    first, second = ([x[:, 0].tolist() for x, _ in wf.data.batches((X, Y), 4, seed=3, epoch=e)] for e in (0, 1))
    assert first != second
    assert [value for batch in first for value in batch] == wf.data.permutation(10, 3, 0).tolist()
    np.testing.assert_array_equal(first[0], next(wf.data.batches(SOURCES["lazy"], 4, seed=3))[0][:, 0])


def test_without_targets_there_are_inputs_alone():
    assert [x.shape for x in wf.data.batches(X, 6)] == [(6, 1), (4, 1)]


def test_a_size_below_one_is_refused_at_once():
    with pytest.raises(ArgumentError, match="size=0"):
        wf.data.batches((X, Y), 0)
