import sys

import pyarrow as pa
import pytest

from weft.data import images, open_table
from weft.data.foreign import as_frame
from weft.errors import FileError


@pytest.mark.parametrize(
    ("module", "package", "use"),
    [
        ("pyarrow.parquet", "pyarrow", lambda folder: open_table(folder / "a.parquet", "y")),
        ("PIL.Image", "pillow", lambda folder: images(folder, (4, 4))),
    ],
    ids=["pyarrow", "pillow"],
)
def test_a_missing_library_says_how_the_extra_is_installed(module, package, use, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(FileError, match=f"needs {package}") as caught:
        use(tmp_path)
    assert caught.value.cure == 'pip install "weft[data]"'


def test_cells_that_are_not_asked_for_are_not_converted():
    table = pa.table({"a": [1, 2], "lists": [[1], [2]], "pairs": [{"k": 1}, {"k": 2}]})
    for frame in (as_frame(table, ignore=["lists", "pairs"]), as_frame(table, only={"a"})):
        assert list(frame.columns) == ["a", "lists", "pairs"]
        assert frame["a"].tolist() == [1, 2]
        assert frame[["lists", "pairs"]].isna().to_numpy().all()
