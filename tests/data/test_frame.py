import numpy as np
import pandas as pd
import pytest

from weft.data.frame import _is_text, read_frame
from weft.errors import DataError, FileError


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_rows_are_indexed_by_their_line(write):
    frame = read_frame(write('a,b\n1,x\n\n2,"over\ntwo lines"\n3,z\n\n'))
    assert frame.index.tolist() == [2, 4, 6]
    assert frame.index.name == "t.csv, line"
    assert frame["a"].tolist() == [1.0, 2.0, 3.0]


def test_spaces_around_names_and_cells_are_dropped(write):
    frame = read_frame(write("a , b\n1, yes \n2,yes\n"))
    assert list(frame.columns) == ["a", "b"]
    assert frame["b"].tolist() == ["yes", "yes"]


def test_bools_stay_bools_beside_empty_lines(write):
    frame = read_frame(write("a,b\n1,True\n\n2,false\n"))
    assert frame["b"].tolist() == [True, False]


def test_columns_can_stay_text_and_other_separators(write):
    frame = read_frame(write("zip;b\n01;2\n02;3\n"), separator=";", text=["zip"])
    assert frame["zip"].tolist() == ["01", "02"]


def test_a_byte_order_mark_is_no_part_of_the_name(write):
    assert list(read_frame(write(b"\xef\xbb\xbfa,b\n1,2\n")).columns) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "error", "told", "cure"),
    [
        ("", FileError, "t.csv is empty", None),
        (" \n\n", FileError, "t.csv is empty", None),
        ("a,b\n", DataError, "a header and no rows", "It reads 'a', 'b'"),
        ("a,b\n\n\n", DataError, "a header and no rows", "It reads 'a', 'b'"),
        ("a,b\n1,2\n3\n", DataError, "line 3 of t.csv has 1 cell, the header has 2", "cut off"),
        ("a,b,c\n1,2,3\n\n1,,\n4,5\n", DataError, "line 5 of t.csv has 2 cells, the header has 3", "cut off"),
        ("a,b\n1,2\n3,4,5\n", DataError, "line 3 of t.csv has 3 cells, the header has 2", "quotation marks"),
        ("a,b\n0,2,9\n1,4,5\n", DataError, "line 2 of t.csv has 3 cells, the header has 2", "quotation marks"),
        ('a,b\n1,2\n3,"x\n5,6\n', DataError, "opened on line 3 is never closed", "cut off"),
        ("a,a\n1,2\n", DataError, "two columns named 'a'", "rename"),
        ("ä\n1\n".encode("latin1"), FileError, "not UTF-8 text", "iconv"),
        (b"\x89PNG\r\n\x00\x01", FileError, "not a text file", "CSV"),
        ("a,b\n1,2\n".encode("utf-16"), FileError, "not a text file", "CSV"),
    ],
)
def test_files_that_are_no_tables(write, content, error, told, cure):
    with pytest.raises(error) as caught:
        read_frame(write(content))
    assert told in caught.value.received
    assert cure is None or cure in caught.value.cure


def test_late_bytes_that_are_no_text(write):
    with pytest.raises(FileError, match="not UTF-8"):
        read_frame(write(b"a,b\n" + b"1,2\n" * 10_000 + b"\xff,1\n"))


def test_a_missing_file_names_its_neighbour(write):
    path = write("a\n1\n")
    with pytest.raises(FileError) as caught:
        read_frame(path.with_name("T2.csv"))
    assert "T2.csv" in caught.value.received
    assert "t.csv" in caught.value.cure
    assert isinstance(caught.value, OSError)


def test_a_missing_folder_and_a_folder(tmp_path):
    with pytest.raises(FileError, match="current folder"):
        read_frame(tmp_path / "none" / "t.csv")
    with pytest.raises(FileError, match="cannot be read: Is a directory"):
        read_frame(tmp_path)


def test_empty_last_cells_are_missing_not_cut_off(write):
    assert read_frame(write("a,b\n1,\n2,3\n"))["b"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    "cells",
    [
        [],
        [None, None],
        ["a", None, ""],
        [True, None],
        [True, False],
        ["a", True],
        ["a", 1],
        ["a"] * 100 + [1.5],
        ["a", b"b"],
        [np.str_("a"), np.nan, pd.NA],
        [[1], [2]],
        [1, None],
    ],
    ids=str,
)
def test_a_column_of_texts_is_one_whose_cells_are_texts(cells):
    series = pd.Series(cells, dtype=object)
    assert _is_text(series) == all(isinstance(cell, str) for cell in series.dropna())


@pytest.mark.parametrize(("start", "cure"), [(b"\x1f\x8b\x08", "gunzip t.csv"), (b"PK\x03\x04", "CSV UTF-8")])
def test_a_compressed_file_is_said_to_be_one(write, start, cure):
    with pytest.raises(FileError, match="compressed by") as caught:
        read_frame(write(start + bytes(40)))
    assert cure in caught.value.cure
