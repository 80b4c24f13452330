import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.data import LazyDataset, as_dataset, lazy, mapped, permutation
from weft.errors import ArgumentError, DataError, DTypeError, FileError

X = np.arange(40, dtype=np.float64).reshape(20, 2)
Y = ["cat", "dog"] * 10


@pytest.fixture
def data(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return mapped(tmp_path / "x.npy", Y)


def test_a_mapped_file_is_the_data_set_of_the_array(data):
    whole = as_dataset((X, Y))
    assert (data.shape, data.dtype, data.classes, data.task) == ((2,), np.float32, whole.classes, whole.task)
    assert data.name == "x"
    assert np.array_equal(data.load().x, whole.x)
    assert np.array_equal(data.load().y, whole.y)


def test_only_rows_that_are_asked_for_are_read():
    seen = []

    def read(rows):
        seen.append(rows.tolist())
        return X[rows]

    data = lazy(read, 20)
    view = data.take([5, 3, 1]).take([2, 0])
    assert seen == []
    assert view.read([1, 0]).tolist() == X[[5, 1]].tolist()
    assert seen == [[5, 1], [1]]  # the rows, and once the first for its shape


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 2**32), st.integers(0, 5), st.booleans())
def test_blocks_are_the_permutation_cut_into_pieces(n, rows, seed, epoch, shuffle):
    data = LazyDataset(lambda numbers: numbers[:, None] * 10, n, np.arange(n))
    blocks = list(data.blocks(rows, seed=seed, epoch=epoch, shuffle=shuffle))
    assert [len(block) for block in blocks] == [rows] * (n // rows) + [n % rows] * (n % rows > 0)
    index = np.concatenate([block.index for block in blocks])
    assert index.dtype == np.int64
    assert np.array_equal(index, permutation(n, seed, epoch) if shuffle else np.arange(n))
    for x, y, numbers in blocks:
        assert np.array_equal(x[:, 0], 10 * numbers)
        assert np.array_equal(y, numbers)


def test_a_view_is_numbered_from_nought_as_a_data_set_in_memory():
    data = mapped(X, Y).take([7, 9])
    (block,) = data.blocks(8, seed=0, epoch=0, shuffle=False)
    assert block.index.tolist() == [0, 1]
    assert block.x.tolist() == X[[7, 9]].tolist()
    assert block.y.tolist() == [1, 1]


def test_map_and_masks(data):
    doubled = data.map(lambda x: x * 2).take(np.arange(20) % 2 == 0)
    assert np.array_equal(doubled.load().x, 2 * X[::2])
    assert data.map(lambda x: x[:, :1].astype(np.uint8)).dtype == np.uint8


def test_split_chooses_as_for_data_in_memory(data):
    from weft.data import split

    train, validation = data.split(0.2, seed=3)
    chosen = split(as_dataset((X, Y)), 0.2, seed=3)
    assert np.array_equal(train.load().x, X[chosen.train])
    assert np.array_equal(validation.load().x, X[chosen.validation])
    assert np.bincount(validation.y).tolist() == [2, 2]


def test_what_is_not_finite_is_named_by_its_number():
    x = X.copy()
    x[13, 1] = np.nan
    with pytest.raises(DataError, match="x of example 13 is not finite") as caught:
        mapped(x).load()
    assert caught.value.where == "nan in example 13, position 1"
    large = np.full((4, 2), 3e38, np.float32)  # whose sum is not finite
    assert np.array_equal(mapped(large).load().x, large)


def test_readers_that_give_something_else():
    with pytest.raises(DataError, match="reading 1 row of data gave an array of shape"):
        lazy(lambda rows: X[:5], 20).read([1])
    with pytest.raises(DataError, match=r"rows 3, 4 have shape \(1,\)"):
        lazy(lambda rows: X[rows] if 0 in rows else X[rows, :1], 20).read([3, 4])
    with pytest.raises(DTypeError, match="x has type"):
        lazy(lambda rows: np.array(["a"] * len(rows)), 20).read([1])


def test_lengths_and_arguments():
    with pytest.raises(DataError, match="20 rows of x, targets y of shape"):
        mapped(X, Y[:3])
    with pytest.raises(DataError, match="20 rows of x, 3 targets y"):
        LazyDataset(lambda rows: X[rows], 20, np.zeros(3))
    with pytest.raises(DataError, match="0 rows"):
        lazy(lambda rows: rows, 0)
    with pytest.raises(DataError, match="no row of data taken"):
        mapped(X).take([])
    with pytest.raises(ArgumentError, match="row 20 of 20 rows"):
        mapped(X).read([20])
    for rows in (0, -1, 2.0, True):
        with pytest.raises(ArgumentError, match="rows="):
            mapped(X).blocks(rows, seed=0, epoch=0)
    with pytest.raises(ArgumentError, match="epoch=-1"):
        mapped(X).blocks(4, seed=0, epoch=-1)


def test_files_that_cannot_be_mapped(tmp_path):
    np.save(tmp_path / "train_x.npy", X)
    np.savez(tmp_path / "several.npz", x=X)
    np.save(tmp_path / "objects.npy", np.array([{}, None], dtype=object), allow_pickle=True)
    whole = (tmp_path / "train_x.npy").read_bytes()
    (tmp_path / "short.npy").write_bytes(whole[:-8])
    (tmp_path / "empty.npy").write_bytes(b"")
    with pytest.raises(FileError, match="no file") as caught:
        mapped(tmp_path / "trainx.npy")
    assert "train_x.npy" in caught.value.cure
    for name in ("short.npy", "objects.npy", "empty.npy"):
        with pytest.raises(FileError, match=f"{name} cannot be mapped"):
            mapped(tmp_path / name)
    with pytest.raises(FileError, match="several arrays"):
        mapped(tmp_path / "several.npz")


def test_targets_from_a_file_and_regression(tmp_path):
    np.save(tmp_path / "y.npy", np.arange(20))
    assert mapped(X, tmp_path / "y.npy", task="regression").y.dtype == np.float32
    assert mapped(X, tmp_path / "y.npy").y.dtype == np.int64


@pytest.mark.parametrize("dtype", [">f4", ">i2", ">f8", "?", "u1"])
def test_rows_are_in_the_order_of_bytes_of_the_machine(dtype):
    data = mapped(np.arange(6).reshape(3, 2).astype(dtype))
    assert data.load().x.dtype in (np.float32, np.int16, np.uint8)
    assert data.dtype.isnative
    assert np.array_equal(data.load().x, np.arange(6).reshape(3, 2).astype(dtype))


def test_rows_that_the_type_of_the_first_cannot_hold_are_refused():
    rows = [[1, 2], [0.5, 1.5]]
    with pytest.raises(DataError, match="rows 0, 1 are float32"):
        lazy(lambda k: [rows[i] for i in k], 2).read([0, 1])
    with pytest.raises(DataError, match="rows 1 are int64"):
        lazy(lambda k: np.array([0, 300])[k].astype(np.uint8 if k[0] == 0 else np.int64), 2).read([1])
    with pytest.raises(ArgumentError, match=r"n=10\.0"):
        lazy(lambda k: k, 10.0)


def test_a_file_of_texts_is_refused_when_it_is_opened(tmp_path):
    np.save(tmp_path / "x.npy", np.array(["a", "b"]))
    with pytest.raises(FileError, match="holds <U1"):
        mapped(tmp_path / "x.npy")
