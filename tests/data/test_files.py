import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from weft.data import (
    DataWarning,
    Table,
    as_dataset,
    csv_files,
    csv_stream,
    open_table,
    parquet,
    parquet_files,
    read_csv,
)
from weft.errors import ArgumentError, DataError, FileError

RANDOM = np.random.default_rng(0)
N = 500
FRAME = pd.DataFrame(
    {
        "length": RANDOM.normal(size=N) * 1e3,
        "count": RANDOM.integers(-5, 5, N),
        "code": np.where(RANDOM.random(N) < 0.5, "01", np.where(RANDOM.random(N) < 0.5, "x", "7")),
        "new": RANDOM.random(N) < 0.3,
        "city": RANDOM.choice(["Bern", "Basel", "Zürich"], N),
        "kind": RANDOM.choice(["cat", "dog", "emu"], N),
    }
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(csv_files, "_LINES", 64)
    monkeypatch.setattr(parquet_files, "_ROWS", 64)
    monkeypatch.setattr(parquet_files, "_BYTES", 1 << 10)


@pytest.fixture
def folder(tmp_path):
    for part in range(3):
        rows = FRAME.iloc[part * 200 : (part + 1) * 200]
        rows.to_csv(tmp_path / f"part-{part}.csv", index=False)
        pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), tmp_path / f"part-{part}.parquet", 70)
    FRAME.to_csv(tmp_path / "whole.csv", index=False)
    pq.write_table(pa.Table.from_pandas(FRAME, preserve_index=False), tmp_path / "whole.parquet", 128)
    return tmp_path


def gaps(frame, columns=("length", "count", "city", "new")):
    frame = frame.copy().astype({"count": float, "new": object})
    for place, name in enumerate(columns):
        frame.loc[RANDOM.random(len(frame)) < 0.1 * (place + 1), name] = None
    return frame


def assert_same(stream, data):
    loaded = stream.load()
    assert stream.length in (None, len(data))
    assert np.array_equal(loaded.x, data.x)
    assert np.array_equal(loaded.y, data.y)
    assert (loaded.x.dtype, loaded.y.dtype) == (data.x.dtype, data.y.dtype)
    assert (stream.features, stream.classes, stream.task) == (data.features, data.classes, data.task)
    assert stream.table == data.table


@pytest.mark.parametrize("target", ["kind", "length", "count", "new", "code"])
def test_a_stream_holds_what_reading_the_file_gives(folder, target):
    whole = read_csv(folder / "whole.csv", target)
    assert_same(csv_stream(folder / "whole.csv", target), whole)
    assert_same(csv_stream(str(folder / "part-*.csv"), target), whole)
    assert_same(csv_stream([folder / f"part-{part}.csv" for part in range(3)], target), whole)
    table = open_table(folder / "whole.parquet", target).dataset()
    assert_same(parquet(folder / "whole.parquet", target), table)
    assert_same(parquet(str(folder / "part-*.parquet"), target), table)
    assert np.array_equal(table.x, open_table(FRAME, target).dataset().x)


@pytest.mark.parametrize("target", ["kind", "code"])
def test_imputing(tmp_path, target):
    frame = gaps(FRAME)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=90)
    assert_same(
        csv_stream(tmp_path / "a.csv", target, missing="impute"),
        read_csv(tmp_path / "a.csv", target, missing="impute"),
    )
    assert_same(
        parquet(tmp_path / "a.parquet", target, missing="impute"),
        open_table(frame, target, missing="impute").dataset(),
    )


def test_a_column_that_looks_like_numbers_in_one_piece_only_is_read_as_the_texts_that_it_holds(tmp_path):
    codes = ["01"] * 100 + ["A", "B"] * 50
    pd.DataFrame({"code": codes, "n": range(200), "y": [0.5, 1.5] * 100}).to_csv(tmp_path / "a.csv", index=False)
    stream = csv_stream(tmp_path / "a.csv", "y")
    assert stream.features == ("code=01", "code=A", "code=B", "n")
    assert_same(stream, read_csv(tmp_path / "a.csv", "y"))
    assert_same(csv_stream(tmp_path / "a.csv", "code"), read_csv(tmp_path / "a.csv", "code"))


def test_the_order_is_that_of_row_groups_then_within_a_buffer(folder):
    stream = parquet(str(folder / "part-*.parquet"), "kind", shuffle=20)
    whole = read_csv(folder / "whole.csv", "kind")
    orders = []
    for epoch in (0, 1, 0):
        blocks = list(stream.blocks(37, seed=5, epoch=epoch))
        index = np.concatenate([block.index for block in blocks])
        assert np.array_equal(np.concatenate([block.y for block in blocks]), whole.y[index])
        assert sorted(index.tolist()) == list(range(N))
        orders.append(index.tolist())
    assert orders[0] == orders[2] != orders[1]
    assert max(orders[0][:20]) - min(orders[0][:20]) < 140  # from one or two groups of 70
    assert min(orders[0][:20]) > 70 or min(orders[1][:20]) > 70
    plain = parquet(folder / "whole.parquet", "kind", shuffle=None)
    index = np.concatenate([block.index for block in plain.blocks(37, seed=5, epoch=0)])
    assert index.tolist() == list(range(N))
    assert plain.take(100).skip(40).shuffle(8).load().x.shape == (60, len(plain.features))


def test_several_text_files_come_in_the_order_of_the_epoch(folder):
    stream = csv_stream(str(folder / "part-*.csv"), "kind", shuffle=4)
    begins = {int(next(stream.blocks(1, seed=0, epoch=epoch)).index[0]) // 200 for epoch in range(20)}
    assert begins == {0, 1, 2}
    index = np.concatenate([block.index for block in stream.blocks(37, seed=0, epoch=1)])
    assert sorted(index.tolist()) == list(range(N))


def reading(monkeypatch):
    """A list that grows with every table file that is opened from now on."""
    opened = []
    for module, name in ((parquet_files, "parquet_file"), (csv_files, "_csv_frames")):
        read = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, read=read: (opened.append(given[0]), read(*given))[1])
    return opened


STREAMS = {
    "parquet": lambda folder, **how: parquet(str(folder / "part-*.parquet"), "kind", **how),
    "csv": lambda folder, **how: csv_stream(str(folder / "part-*.csv"), "kind", **how),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_what_was_read_stays_in_memory_as_long_as_there_is_room(kind, folder, monkeypatch):
    kept, again = STREAMS[kind](folder), STREAMS[kind](folder, cache=0)
    part = sum(array.nbytes for array in next(again.blocks(200, seed=0, epoch=0, shuffle=False)))
    some = STREAMS[kind](folder, cache=part + part // 8)
    opened, counts = reading(monkeypatch), []
    for epoch in range(3):
        whole = [list(stream.blocks(37, seed=3, epoch=epoch)) for stream in (kept, again, some)]
        for blocks in zip(*whole, strict=True):
            for arrays in zip(*blocks, strict=True):
                assert all(np.array_equal(arrays[0], array) for array in arrays)
        for stream in (kept, again, some):
            before = len(opened)
            list(stream.blocks(37, seed=3, epoch=epoch, shuffle=False))
            counts.append(len(opened) - before)
    assert counts == [0, 3, 2] * 3


@pytest.mark.parametrize("kind", STREAMS)
def test_a_file_that_was_written_anew_is_read_anew(kind, folder):
    stream = STREAMS[kind](folder, shuffle=None)
    before = stream.load().x
    path = folder / f"part-1.{kind}"
    frame = FRAME.iloc[200:400].assign(length=7.0)
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path, index=False, row_group_size=70)
    after = stream.load().x
    assert (after[200:400, 0] == 7).all()
    assert np.array_equal(np.delete(after, np.s_[200:400], 0), np.delete(before, np.s_[200:400], 0))


def test_what_is_kept_cannot_be_written_into(folder):
    block = next(STREAMS["parquet"](folder, shuffle=None).blocks(50, seed=0, epoch=0))
    with pytest.raises(ValueError, match="read-only"):
        block.x[0] = 0


@pytest.mark.parametrize("cache", [-1, 1.5, True, "1 GB"])
def test_room_that_cannot_be_is_refused(cache, folder):
    with pytest.raises(ArgumentError, match="cache"):
        parquet(folder / "whole.parquet", "kind", cache=cache)


def test_the_files_to_test_on_are_read_as_those_to_train_on(folder):
    for read, end in ((csv_stream, "csv"), (parquet, "parquet")):
        train = read(folder / f"part-0.{end}", "kind")
        for like in (train, Table.from_json(train.table.to_json())):
            test = read(folder / f"part-1.{end}", "kind", like=like)
            assert (test.features, test.classes, test.table) == (train.features, train.classes, train.table)
            assert np.array_equal(test.load().x, train.table.encode(FRAME.iloc[200:400]))
        with pytest.raises(ArgumentError, match="target 'city'"):
            read(folder / f"part-1.{end}", "city", like=train)


def test_a_category_that_training_did_not_have_is_named_with_its_line(tmp_path):
    pd.DataFrame({"c": ["u", "v"] * 2, "y": [1.5, 2, 3, 4]}).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "b.csv").write_text("c,y\nu,1\nw,2\n")
    train = csv_stream(tmp_path / "a.csv", "y")
    with pytest.raises(DataError, match="column 'c' holds 'w'") as caught:
        csv_stream(tmp_path / "b.csv", "y", like=train).load()
    assert caught.value.where == "b.csv, line 3, column 'c'"
    (tmp_path / "b.csv").write_text("d,y\nu,1\n")
    with pytest.raises(DataError, match="1 column not there: 'c'"):
        csv_stream(tmp_path / "b.csv", "y", like=train).load()
    (tmp_path / "b.csv").write_text("c\nu\nv\n")
    assert csv_stream(tmp_path / "b.csv", "y", like=train).load().y is None


@pytest.mark.parametrize(
    ("text", "match", "where"),
    [
        (
            "a,y\n1,0.5\n2,1.5\n\noops,2.5\n4,3.5\n",
            "'a' is numeric but for 1 cell: 'oops'",
            "t.csv, line 5, column 'a'",
        ),
        ("a,y\n1,0.5\n,1.5\n", "1 cell missing in 1 column", "column 'a': 1 missing, first in t.csv, line 3"),
        ("a,y\n1,0.5\n1,\n", "1 cell missing in 1 column", "column 'y': 1 missing, first in t.csv, line 3"),
        ("a,y\n1,0.5\n2\n", "line 3 of t.csv has 1 cell, the header has 2", "t.csv, line 3"),
        ("a,y\n1,0.5\n1,2,3\n", "line 3 of t.csv has 3 cells, the header has 2", "t.csv, line 3"),
        ("a,y\n1,0.5,9\n1,2\n", "line 2 of t.csv has 3 cells, the header has 2", "t.csv, line 2"),
        ('a,c,y\n1,"u\nv",2\n1,"u\nv"\n', "line 4 of t.csv has 2 cells, the header has 3", "t.csv, line 4"),
        ("a,y\n", "a table without rows", None),
        ("a,a,y\n1,2,3\n", "two columns named 'a'", None),
        ("y\n1\n2\n", "no column but the target", None),
        ("a,y\n1,5\n2,5\n", "target 'y' has the same value in every row", None),
        ('a,y\n1,"5\n2,5\n', "quotation mark", None),
    ],
)
def test_what_is_wrong_with_a_text_file_is_said_before_training(tmp_path, text, match, where):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=match) as caught:
        csv_stream(tmp_path / "t.csv", "y")
    if where:
        assert caught.value.where == where


def test_lines_are_counted_across_pieces_and_cells_of_several_lines(tmp_path):
    lines = ["a,c,y"] + [f'{i},"u\nv",{i / 2}' for i in range(150)] + ["oops,w,1"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match="numeric but for 1 cell") as caught:
        csv_stream(tmp_path / "t.csv", "y")
    assert caught.value.where == "t.csv, line 302, column 'a'"


def test_text_that_never_repeats_and_columns_that_count(tmp_path):
    frame = pd.DataFrame({"a": range(60), "name": [f"n{i}" for i in range(60)], "y": np.arange(60) / 7})
    frame.to_csv(tmp_path / "t.csv")
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    with pytest.warns(DataWarning, match="only counts the rows"), pytest.raises(DataError, match="60 different texts"):
        csv_stream(tmp_path / "t.csv", "y")
    with pytest.raises(DataError, match="60 different texts"):
        parquet(tmp_path / "t.parquet", "y")
    with pytest.warns(DataWarning, match="only counts the rows"):
        assert csv_stream(tmp_path / "t.csv", "y", ignore=["name"]).features == ("a",)


def test_names_paths_and_options(folder):
    for read, end in ((csv_stream, "csv"), (parquet, "parquet")):
        path = folder / f"whole.{end}"
        with pytest.raises(ArgumentError, match="no target 'knd'") as caught:
            read(path, "knd")
        assert caught.value.cure == "'kind'"
        with pytest.raises(ArgumentError, match="no column to ignore 'town'"):
            read(path, "kind", ignore=["town"])
        with pytest.raises(ArgumentError, match="missing='drop'"):
            read(path, "kind", missing="drop")
        with pytest.raises(ArgumentError, match="holds texts"):
            read(path, "kind", task="regression")
        with pytest.raises(FileError, match="no file") as caught:
            read(folder / f"hole.{end}", "kind")
        assert f"whole.{end}" in caught.value.cure
        with pytest.raises(FileError, match="no file"):
            read(str(folder / f"none-*.{end}"), "kind")
        with pytest.raises(ArgumentError, match="twice"):
            read([path, path], "kind")
        assert read(path, "count", task="regression").task == "regression"
        with pytest.raises(ArgumentError, match="no paths"):
            read([], "kind")
    assert parquet(folder / "whole.parquet", "kind", columns=["count", "length"]).features == ("count", "length")


def test_files_that_are_no_parquet_and_columns_that_differ(folder, tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        parquet(folder / "whole.csv", "kind")
    whole = (folder / "whole.parquet").read_bytes()
    (tmp_path / "short.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match="cannot be read"):
        parquet(tmp_path / "short.parquet", "kind")
    pq.write_table(pa.table({"length": ["a"], "kind": ["cat"]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match=r"other\.parquet has string in column 'length'"):
        parquet([folder / "part-0.parquet", tmp_path / "other.parquet"], "kind", columns=["length"])
    with pytest.raises(DataError, match=r"other\.parquet has no column 'count'"):
        parquet([folder / "part-0.parquet", tmp_path / "other.parquet"], "kind", columns=["count"])
    times = pa.table({"t": pd.to_datetime(["2020-01-01"] * 4), "a": [1, 2, 3, 4], "y": [1.5, 2, 3, 4]})
    pq.write_table(times, tmp_path / "times.parquet")
    with pytest.raises(DataError, match="column 't' holds timestamp"):
        parquet(tmp_path / "times.parquet", "y")
    assert parquet(tmp_path / "times.parquet", "y", ignore=["t"]).load().x.shape == (4, 1)


def test_missing_cells_of_parquet_are_named(tmp_path):
    pq.write_table(pa.table({"a": [1, None, 3, 4], "y": [1.5, 2, 3, 4]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="1 cell missing in 1 column") as caught:
        parquet(tmp_path / "a.parquet", "y").load()
    assert caught.value.where == "column 'a': 1 missing, in example 1"
    pq.write_table(pa.table({"a": [1.0, 1e39, 3, 4], "y": [1.5, 2, 3, 4]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"numeric but for 1 cell: 1e\+39"):
        parquet(tmp_path / "a.parquet", "y").load()


@pytest.mark.parametrize("kind", ["fixed", "variable", "tensor"])
def test_one_column_of_lists(tmp_path, kind):
    x, y = RANDOM.integers(0, 256, (30, 6)).astype(np.uint8), np.arange(30) % 3
    flat = pa.array(x.reshape(-1))
    column = {
        "fixed": lambda: pa.FixedSizeListArray.from_arrays(flat, 6),
        "variable": lambda: pa.array(x.tolist(), pa.list_(pa.float32())),
        "tensor": lambda: pa.FixedShapeTensorArray.from_numpy_ndarray(x.reshape(30, 2, 3)),
    }[kind]()
    pq.write_table(pa.table({"pixels": column, "y": y}), tmp_path / "a.parquet", 7)
    stream = parquet(tmp_path / "a.parquet", "y")
    data = stream.load()
    assert np.array_equal(data.x.reshape(30, 6), x)
    assert data.x.shape == ((30, 2, 3) if kind == "tensor" else (30, 6))
    assert data.x.dtype == (np.float32 if kind == "variable" else np.uint8)
    assert np.array_equal(data.y, y)
    assert (stream.classes, stream.table, stream.features) == (("0", "1", "2"), None, ())
    pq.write_table(pa.table({"pixels": column[1:3], "y": y[1:3]}), tmp_path / "b.parquet")
    assert parquet(tmp_path / "b.parquet", "y", like=stream).load().y.tolist() == [1, 2]


def test_lists_that_will_not_do(tmp_path):
    for lists, match in (([[1, 2], [1], [3, 4]], "another length in example 1"), ([[1, 2], None, [3]], "example 1")):
        pq.write_table(pa.table({"x": lists, "y": [1.5, 2, 3]}), tmp_path / "a.parquet")
        with pytest.raises(DataError, match=match):
            parquet(tmp_path / "a.parquet", "y").load()
    pq.write_table(pa.table({"x": [[1], [2]], "a": [1, 2], "y": [1.5, 2]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="beside other columns"):
        parquet(tmp_path / "a.parquet", "y")


def test_wide_tables_are_turned_right(tmp_path):
    x = RANDOM.normal(size=(50, 70)).astype(np.float32)
    table = pa.table({f"c{i}": x[:, i] for i in range(70)} | {"y": np.arange(50) % 2})
    pq.write_table(table, tmp_path / "a.parquet", 20)
    assert np.array_equal(parquet(tmp_path / "a.parquet", "y").load().x, x)


TABLES = {
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "dictionary": lambda cells: pa.table(cells).set_column(1, "city", pa.array(cells["city"]).dictionary_encode()),
    "categorical": lambda cells: pl.DataFrame(cells).with_columns(pl.col("city").cast(pl.Categorical)),
}


@pytest.mark.parametrize("made", TABLES)
def test_tables_of_other_libraries_are_those_of_pandas(made):
    cells = {
        "n": [1, 2, None, 4] * 3,
        "city": ["u", "v", None, "u"] * 3,
        "b": [True, False, True, None] * 3,
        "y": [1.5, 2.5, 3.5, 4.5] * 3,
    }
    expected = open_table(pd.DataFrame(cells), "y", missing="impute").dataset()
    table = open_table(TABLES[made](cells), "y", missing="impute").dataset()
    assert table.features == expected.features
    assert np.array_equal(table.x, expected.x)
    assert np.array_equal(table.y, expected.y)


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table, pa.RecordBatch.from_pydict])
def test_data_sets_in_memory_from_other_libraries(make):
    x = make({"a": [1.0, 2.0, 3.0], "b": [4, 5, 6]})
    for y in (pl.Series("kind", ["u", "v", "u"]), pa.chunked_array([["u", "v"], ["u"]]), np.array(["u", "v", "u"])):
        data = as_dataset((x, y))
        assert (data.features, data.classes) == (("a", "b"), ("u", "v"))
        assert data.x.tolist() == [[1, 4], [2, 5], [3, 6]]
        assert data.y.tolist() == [0, 1, 0]


def test_columns_that_no_table_of_numbers_can_hold():
    cells = {"l": [[1], [2]], "a": [1, 2], "y": [1.5, 2.5]}
    for table in (pl.DataFrame(cells), pa.table(cells)):
        with pytest.raises(DataError, match="column 'l' holds"):
            open_table(table, "y")
        assert open_table(table, "y", ignore=["l"]).dataset().x.tolist() == [[1], [2]]
    with pytest.raises(ArgumentError, match="a LazyFrame as a table") as caught:
        open_table(pl.DataFrame(cells).lazy(), "y")
    assert caught.value.cure == "frame.collect()"
    with pytest.raises(DataError, match="two columns of one name"):
        open_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), "a")


def test_an_abandoned_file_is_closed(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        blocks = csv_stream(folder / "whole.csv", "kind").prefetch(1).blocks(3, seed=0, epoch=0)
        next(blocks)
        blocks.close()


def test_the_first_gap_and_the_first_odd_cell_are_named_by_their_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('"a,b",y\n1,1\n,2\n3,1\n4,2\n')
    with pytest.raises(DataError, match="1 cell missing") as caught:
        csv_stream(path, "y")
    assert caught.value.where == "column 'a,b': 1 missing, first in a.csv, line 3"
    path.write_text('"a\nb",y\n1,1\n?,2\n3,1\n4,2\n')
    with pytest.raises(DataError, match=r"numeric but for 1 cell: '\?'") as caught:
        csv_stream(path, "y")
    assert caught.value.where.endswith("column 'a\\nb'")


def homes(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_a_text_among_numbers_is_no_gap(tmp_path):
    table = csv_stream(homes(tmp_path, "a.csv", "rooms,price\n1,1.5\n,2.5\n3,3.5\n"), "price", missing="impute").table
    second = homes(tmp_path, "b.csv", "rooms,price\n,1.5\nthree,2.5\n")
    for read in (table.dataset, lambda path: csv_stream(path, "price", like=table).load()):
        with pytest.raises(DataError, match="numeric but for 1 cell: 'three'"):
            read(second)


@pytest.mark.parametrize(
    "rows",
    ["1,a\n2,b\nNA,None\nNA,None\n3,a\n4,b\n", "1,None\n2,None\n3,a\n4,a\n5,b\n6,b\n", "NA,a\nx,b\nx,a\nNA,b\n"],
)
def test_words_for_no_value_mean_the_same_in_pieces(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(csv_files, "_LINES", 2)
    path = homes(tmp_path, "a.csv", "h,t\n" + rows)
    whole, read = read_csv(path, "t", missing="impute"), csv_stream(path, "t", missing="impute").load()
    assert np.array_equal(whole.x, read.x)
    assert np.array_equal(whole.y, read.y)
    assert (whole.classes, whole.features) == (read.classes, read.features)


def test_a_last_piece_of_empty_lines_holds_no_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_files, "_LINES", 2)
    stream = csv_stream(homes(tmp_path, "a.csv", "a,y\n1,0.5\n2,1.5\n3,2.5\n4,1\n\n"), "y", shuffle=None)
    assert len(stream.load()) == 4
    assert sum(len(side.load()) for side in stream.split(0.5)) == 4


def test_a_stream_that_was_mapped_has_no_recipe(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0], "y": [0.5, 1.5]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for read, path in ((csv_stream, tmp_path / "a.csv"), (parquet, tmp_path / "a.parquet")):
        with pytest.raises(ArgumentError, match="without a recipe"):
            read(path, "y", like=read(path, "y").map(lambda x, y: (x, y)))


def test_a_folder_stands_for_its_files(tmp_path):
    for part in range(2):
        pd.DataFrame({"a": [1.0, 2.0], "y": [0.5, part]}).to_parquet(tmp_path / f"{part}.parquet")
    (tmp_path / "_SUCCESS").touch()
    assert parquet(tmp_path, "y").length == 4
    with pytest.raises(FileError, match=r"no \*\.csv in the folder"):
        csv_stream(tmp_path, "y")


@pytest.mark.parametrize(
    ("columns", "told"), [(["aa"], "no column 'aa'"), (["a", "y"], "also in columns"), (["a", "a"], "'a' twice")]
)
def test_columns_that_do_not_fit(tmp_path, columns, told):
    pd.DataFrame({"a": [1.0, 2.0], "y": [0.5, 1.5]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ArgumentError, match=told):
        parquet(tmp_path / "a.parquet", "y", columns=columns)
