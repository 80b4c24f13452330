import gc
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.data import Stream, ahead
from weft.data.stream_steps import on_validation_side
from weft.errors import ArgumentError, DataError, DTypeError


def counting(n=10):
    return ((np.array([i, -i], np.float32), i % 3) for i in range(n))


def batched(n, size):
    x, y = np.arange(n, dtype=np.float32)[:, None] * [1, -1], np.arange(n) % 3
    return [(x[i : i + size], y[i : i + size]) for i in range(0, n, size)]


def whole(stream, rows=4, **how):
    blocks = list(stream.blocks(rows, **{"seed": 0, "epoch": 0} | how))
    assert all(len(block) == rows for block in blocks[:-1])
    x, y, index = (np.concatenate([getattr(block, part) for block in blocks]) for part in ("x", "y", "index"))
    return x, y, index


def assert_equal(first, second):
    for one, other in zip(first, second, strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


def threads_of_ours():
    gc.collect()
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("weft")]


class Sampler(list):
    pass


class SequentialSampler(Sampler):
    pass


class BatchSampler:
    pass


class Loader:
    """What a stream looks at in a DataLoader of PyTorch."""

    def __init__(self, n, size, sampler=SequentialSampler, drop_last=False):
        self.dataset, self.batch_size, self.drop_last = range(n), size, drop_last
        self.sampler, self.batch_sampler = sampler(range(n)), BatchSampler()

    def __iter__(self):
        return (list(pair) for pair in batched(len(self.dataset), self.batch_size))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9))
def test_blocks_do_not_depend_on_the_batches_of_the_source(n, size, rows):
    x, y, index = whole(Stream(batched(n, size), batched=True), rows)
    assert_equal((x, y, index), whole(Stream(lambda: counting(n)), rows))
    assert index.tolist() == list(range(n))
    assert x[:, 0].tolist() == list(range(n))
    assert y.tolist() == [i % 3 for i in range(n)]


@pytest.mark.parametrize("in_batches", [True, False])
def test_a_source_may_use_its_memory_again(in_batches):
    def source():
        x, y = np.zeros((2, 3) if in_batches else 3, np.float32), np.zeros(2 if in_batches else (), np.int64)
        for number in range(6):
            x[...], y[...] = number, number
            yield x, y

    x, y, _ = whole(Stream(source, batched=in_batches), rows=5)
    expected = np.repeat(np.arange(6), 2 if in_batches else 1)
    assert x[:, 0].tolist() == y.tolist() == expected.tolist()


STEPS = {
    "map": lambda stream: stream.map(lambda x, y: (x * 2, y)),
    "threads": lambda stream: stream.map(lambda x, y: (x / 2, y), threads=3),
    "filter": lambda stream: stream.filter(lambda x, y: y != 1),
    "shuffle": lambda stream: stream.shuffle(5),
    "prefetch": lambda stream: stream.prefetch(2),
}


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=5), st.integers(1, 7), st.integers(1, 8), st.integers(0, 3))
def test_steps_in_any_order_keep_what_belongs_together(steps, size, rows, epoch):
    from_batches, from_examples = Stream(batched(20, size), batched=True), Stream(lambda: counting(20))
    factor = 1.0
    for step in steps:
        from_batches, from_examples = STEPS[step](from_batches), STEPS[step](from_examples)
        factor *= {"map": 2.0, "threads": 0.5}.get(step, 1.0)
    x, y, index = whole(from_batches, rows, epoch=epoch)
    assert_equal((x, y, index), whole(from_examples, rows, epoch=epoch))
    assert np.array_equal(x[:, 0], index * factor)
    assert np.array_equal(y, index % 3)
    kept = [i for i in range(20) if "filter" not in steps or i % 3 != 1]
    assert sorted(index.tolist()) == kept
    if "shuffle" not in steps:
        assert index.tolist() == kept
    assert index.tolist() == whole(from_batches, 3, epoch=epoch)[2].tolist()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_change_nothing(threads):
    def slow(x, y):
        time.sleep(0.002 * (int(x[0]) % 3))  # later ones are ready before
        return x + 1, y

    assert_equal(
        whole(Stream(counting_list()).map(slow, threads).shuffle(4)),
        whole(Stream(counting_list()).map(lambda x, y: (x + 1, y)).shuffle(4)),
    )
    assert threads_of_ours() == []


def counting_list():
    return list(counting(12))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**40), st.integers(0, 100))
def test_shuffling_is_a_permutation_and_a_function_of_seed_and_epoch(n, buffer, seed, epoch):
    stream = Stream(lambda: counting(n)).shuffle(buffer)
    index = whole(stream, seed=seed, epoch=epoch)[2]
    assert sorted(index.tolist()) == list(range(n))
    assert np.array_equal(index, whole(stream, 7, seed=seed, epoch=epoch)[2])
    assert whole(stream, shuffle=False)[2].tolist() == list(range(n))


def test_epochs_and_further_shuffles_give_other_orders():
    stream = Stream(lambda: counting(50)).shuffle(20)
    orders = {tuple(whole(stream, epoch=epoch)[2]) for epoch in range(4)}
    orders |= {tuple(whole(stream, seed=1)[2]), tuple(whole(stream.shuffle(20))[2])}
    assert len(orders) == 6
    # Nothing comes earlier than a buffer.
    assert all(place > number - 20 for place, number in enumerate(whole(stream)[2]))


def test_take_and_skip_read_no_more_than_they_need():
    seen = []

    def source():
        for i in range(100):
            seen.append(i)
            yield float(i)

    blocks = list(Stream(source, length=100).skip(3).take(4).blocks(3, seed=0, epoch=0))
    assert [block.index.tolist() for block in blocks] == [[3, 4, 5], [6]]
    assert seen == list(range(7))
    assert Stream(source, length=100).skip(3).take(4).length == 4
    assert Stream(source, length=100).take(10).skip(3).length == 7
    with pytest.raises(ArgumentError, match="after shuffle"):
        Stream(source).shuffle(3).take(2)
    with pytest.raises(ArgumentError, match="n=0"):
        Stream(source).take(0)


def test_take_and_skip_cut_through_batches():
    assert whole(Stream(batched(10, 4), batched=True).skip(3).take(4))[2].tolist() == [3, 4, 5, 6]


def test_a_split_never_moves_an_example():
    stream = Stream(lambda: counting(300), length=300)
    train, validation = stream.split(0.25, seed=1)
    sides = [set(whole(side.shuffle(9), epoch=epoch)[2].tolist()) for epoch in range(2) for side in (train, validation)]
    assert sides[0] == sides[2]
    assert sides[1] == sides[3]
    assert sides[0] | sides[1] == set(range(300))
    assert not sides[0] & sides[1]
    assert (train.length, validation.length) == (len(sides[0]), len(sides[1]))
    assert 55 <= len(sides[1]) <= 95
    assert sides[1] != set(whole(stream.split(0.25, seed=2)[1])[2].tolist())
    assert stream.skip(100).split(0.25, 1)[1].length == len({i for i in sides[1] if i >= 100})
    assert stream.filter(lambda x, y: True).split(0.25)[0].length is None


def test_a_part_can_be_split_again():
    train, held_out = Stream(range(1000)).split(0.5)
    validation, test = held_out.split(0.5)
    sizes = [len(side.load()) for side in (train, validation, test)]
    assert sum(sizes) == 1000
    assert min(sizes) > 200


def test_the_sides_are_the_same_in_another_process_and_version():
    assert np.flatnonzero(on_validation_side(np.arange(24), 0.25, 0)).tolist() == GOLDEN_SIDE


GOLDEN_SIDE = [0, 14, 16]


def test_a_source_that_shuffles_cannot_be_split():
    with pytest.raises(ArgumentError, match="a loader that shuffles"):
        Stream(Loader(8, 2, Sampler)).split(0.5)
    start = iter(range(0, 100, 7))

    def source():
        first = next(start)
        return (float(i + first) for i in range(20))

    train, _ = Stream(source).split(0.2)
    train.load()
    with pytest.raises(DataError, match="begins with another example"):
        train.load()


def test_a_loader_of_pytorch_gives_batches_as_lists():
    stream = Stream(Loader(10, 4))
    assert stream.length == 10
    assert_equal(whole(stream), whole(Stream(lambda: counting(10))))
    assert Stream(Loader(10, 4, drop_last=True)).length == 8


def test_pytorch_itself():
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, IterableDataset, TensorDataset

    x, y = torch.arange(20.0).reshape(10, 2), torch.arange(10)
    stream = Stream(DataLoader(TensorDataset(x, y), batch_size=4))
    assert stream.length == 10
    assert np.array_equal(whole(stream, 3)[0], x.numpy())
    assert whole(stream, 3)[1].tolist() == list(range(10))
    assert Stream(TensorDataset(x, y)).length == 10  # examples by number
    assert np.array_equal(whole(Stream(TensorDataset(x, y)))[0], x.numpy())
    assert np.array_equal(Stream(x.bfloat16()).load().x, x.numpy())
    with pytest.raises(ArgumentError, match="a loader that shuffles"):
        Stream(DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True)).split(0.5)

    class Endless(IterableDataset):
        def __iter__(self):
            return iter(x)

    endless = Stream(DataLoader(Endless(), batch_size=3))
    assert endless.length is None
    assert len(endless.load()) == 10
    assert endless.split(0.5)


def test_a_generator_is_refused_with_the_cure():
    with pytest.raises(ArgumentError, match="can be gone through once") as caught:
        Stream(counting())
    assert caught.value.cure.startswith("give the function, not its result")
    spent = iter([1.0, 2.0])
    stream = Stream(lambda: spent)
    stream.load()
    with pytest.raises(DataError, match="gave no example in epoch 1") as caught:
        list(stream.blocks(2, seed=0, epoch=1))
    assert "the function that makes the iterator" in caught.value.cure


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("data.csv", "a str as the source"),
        (7, "a int as the source"),
        ({}, "a dict as the source"),
        ((np.ones(3), np.ones(3)), "a pair of arrays"),
    ],
)
def test_things_that_are_no_source(source, match):
    with pytest.raises(ArgumentError, match=match):
        Stream(source)


@pytest.mark.parametrize(
    ("source", "error", "match"),
    [
        ([], DataError, "gave no example in epoch 0"),
        ([(1.0, 2, 3)], DataError, "example 0 is a tuple of 3"),
        ([[1.0, 2.0], [3.0]], DataError, r"x of example 1 has shape \(1,\)"),
        ([(1.0, 0), 2.0], DataError, "example 1 has no target y"),
        ([1.0, 2.0, 3.0, (1.0, 0)], DataError, "example 3 has a target y"),
        ([0.0, 1.0, 2.0, np.inf], DataError, "x of example 3 is not finite"),
        ([(0.0, 1.0), (1.0, np.nan)], DataError, "y of example 1 is not finite"),
        ([1, 2, 3, 4.5], DataError, "x of example 3 is floating point"),
        ([1, 2.5], DataError, "x of example 1 is floating point"),
        ([{"x": 1}], DTypeError, "x of example 0 is object"),
        (["text"], DTypeError, "x of example 0 is <U4, 'text'"),
        ([(1.0, "cat")], DTypeError, "y of example 0 is a text, 'cat'"),
    ],
)
def test_what_is_wrong_is_named_by_its_number(source, error, match):
    with pytest.raises(error, match=match):
        list(Stream(source).blocks(3, seed=0, epoch=0))


def test_batches_that_do_not_fit():
    for source, match in (
        ([(np.ones((3, 2)), np.ones(2))], "the batch at example 0 holds"),
        ([(np.ones((3, 2)), np.zeros(3)), (np.ones((3, 1)), np.zeros(3))], r"x of example 3 has shape \(1,\)"),
        ([np.ones((3, 2)), (np.ones((3, 2)), np.zeros(3))], "example 3 has a target y"),
        ([np.float32(1)], "the batch at example 0 holds"),
    ):
        for rows in (2, 3, 4):
            with pytest.raises(DataError, match=match):
                list(Stream(source, batched=True).blocks(rows, seed=0, epoch=0))


def test_classes_and_labels():
    stream = Stream([(0.0, "dog"), (1.0, "cat")], classes=("cat", "dog"))
    assert whole(stream)[1].tolist() == [1, 0]
    assert stream.task == "classification"
    with pytest.raises(DataError, match="class 'cot' of example 1") as caught:
        Stream([(0.0, "dog"), (1.0, "cot")], classes=("cat", "dog")).load()
    assert caught.value.cure == "is 'cat' meant?"
    with pytest.raises(DataError, match="label 2 of example 1"):
        Stream([(0.0, 1), (1.0, 2)], classes=("cat", "dog")).load()
    assert Stream([(0.0, 1), (1.0, 2)], task="regression").load().y.dtype == np.float32
    assert Stream([(0.0, True)]).load().y.dtype == np.int64


def test_types_are_those_of_the_first_example():
    assert Stream([1.5, 2]).load().x.tolist() == [1.5, 2.0]
    small = [(np.ones((2, 2), np.uint8),), (np.full((2, 2), 300),)]
    with pytest.raises(DataError, match="x of example 2 is int64"):
        list(Stream([part[0] for part in small], batched=True).blocks(2, seed=0, epoch=0))
    assert Stream([np.uint8(3)]).dtype == np.uint8
    assert Stream([[1.0, 2.0]]).shape == (2,)


def test_lengths():
    assert Stream([1.0, 2.0]).length == 2
    assert Stream(lambda: counting()).length is None
    assert "10 examples" in repr(Stream(lambda: counting(), length=10))
    with pytest.raises(DataError, match="gave 10 examples in epoch 0"):
        Stream(lambda: counting(), length=11).load()


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_map_reaches_the_caller_with_its_cause(threads):
    def broken(x):
        if x == 5:
            raise KeyError("five")
        return x

    with pytest.raises(DataError, match="map failed at example 5: KeyError: 'five'") as caught:
        Stream(range(20)).map(broken, threads).prefetch(2).load()
    assert isinstance(caught.value.__cause__, KeyError)
    del caught
    assert threads_of_ours() == []
    with pytest.raises(DataError, match="filter failed at example 0: TypeError") as caught:
        Stream(range(3)).filter(lambda x, y: True).load()
    assert "x alone" in caught.value.where


def test_an_error_of_the_source_passes_through_prefetching():
    def source():
        yield 1.0
        raise OSError("disk")

    blocks = Stream(source).prefetch(1).blocks(1, seed=0, epoch=0)
    assert next(blocks).x.tolist() == [1.0]
    with pytest.raises(OSError, match="disk"):
        next(blocks)
    del blocks
    assert threads_of_ours() == []


def test_an_abandoned_iterator_leaves_no_thread():
    closed = []

    def source():
        try:
            while True:
                yield 1.0
        finally:
            closed.append(threading.current_thread().name)

    for leave in ("close", "forget"):
        blocks = Stream(source).map(lambda x: x, threads=3).shuffle(4).prefetch(2).blocks(2, seed=0, epoch=0)
        next(blocks)
        assert "weft-ahead" in threads_of_ours()
        if leave == "close":
            blocks.close()
        del blocks
        assert threads_of_ours() == []
    assert closed == ["weft-ahead"] * 2
    blocks = Stream(source).map(lambda x: x, threads=3).blocks(2, seed=0, epoch=0)
    next(blocks)
    del blocks
    assert threads_of_ours() == []
    Stream(source).prefetch(2).blocks(2, seed=0, epoch=0)  # never begun
    assert threads_of_ours() == []


def test_prefetching_stays_within_its_bound():
    made = []
    items = ahead((made.append(i) or i for i in range(100)), 3)
    assert next(items) == 0
    time.sleep(0.05)
    assert len(made) <= 5
    items.close()
    assert list(ahead(iter([]))) == []


def test_arguments():
    stream = Stream([1.0])
    for call, match in (
        (lambda: stream.shuffle(0), "buffer=0"),
        (lambda: stream.prefetch(0), r"prefetch\(0\)"),
        (lambda: stream.map(abs, threads=0), "threads=0"),
        (lambda: stream.split(1.0), "fraction=1.0"),
        (lambda: stream.split(True), "fraction=True"),
        (lambda: stream.blocks(0, seed=0, epoch=0), "rows=0"),
        (lambda: stream.blocks(1, seed=-1, epoch=0), "seed=-1"),
        (lambda: Stream(lambda: 3).load(), "gave a int"),
    ):
        with pytest.raises(ArgumentError, match=match):
            call()


@pytest.mark.parametrize("seed", [None, -1, 1.5, True])
def test_what_is_no_seed_cannot_split(seed):
    with pytest.raises(ArgumentError, match=f"seed={seed}"):
        Stream(counting).split(0.2, seed=seed)


@pytest.mark.parametrize(
    "wrong", [{"task": "regresion"}, {"length": 2.0}, {"length": -1}], ids=lambda wrong: str(*wrong.values())
)
def test_arguments_that_are_none(wrong):
    with pytest.raises(ArgumentError, match=f"{next(iter(wrong))}="):
        Stream(counting, **wrong)
    with pytest.raises(ArgumentError, match="n=0"):
        ahead([1, 2], 0)


def test_lists_of_arrays_are_the_parts_of_a_batch_as_torch_makes_them():
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, TensorDataset

    x, y = torch.arange(20.0).reshape(10, 2), torch.arange(10) % 2
    alone = Stream(DataLoader(TensorDataset(x), batch_size=4))
    assert np.array_equal(alone.load().x, x.numpy())
    assert Stream(TensorDataset(x)).load().y is None
    with pytest.raises(DataError, match="a tuple of 3"):
        Stream(DataLoader(TensorDataset(x, x, x), batch_size=4)).load()
    assert Stream(DataLoader(TensorDataset(x, y), batch_size=4)).load().y.tolist() == y.tolist()
    rows = Stream(lambda: iter([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]]), batched=True)
    assert rows.load().x.tolist() == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_whether_types_agree_does_not_depend_on_blocks(rows):
    stream = Stream([np.array([1, 2]), np.array([0.5, 1.5])], batched=True)
    with pytest.raises(DataError, match="x of example 2 is floating point"):
        whole(stream, rows)


def test_targets_beyond_float32_are_refused():
    with pytest.raises(DataError, match="y holds numbers beyond float32"):
        Stream([(1.0, 1e39)]).load()


def test_an_error_of_the_source_comes_behind_the_results_before_it():
    def source():
        yield from range(7)
        raise OSError("broken")

    blocks = Stream(source).map(lambda x: x, threads=4).blocks(1, seed=0, epoch=0)
    assert [next(blocks).x.item() for _ in range(7)] == list(range(7))
    with pytest.raises(OSError, match="broken"):
        next(blocks)
