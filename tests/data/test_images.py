import numpy as np
import pytest
from PIL import Image

from weft.data import images
from weft.errors import ArgumentError, DataError, FileError

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 5, 7, 3)).astype(np.uint8)  # 6 pictures, 5 high, 7 wide


@pytest.fixture
def folder(tmp_path):
    for place, pixels in enumerate(PIXELS):
        path = tmp_path / ("dog", "cat")[place % 2]
        path.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path / f"{place}.png")
    (tmp_path / "dog" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "dog" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.txt").write_text("not a class")
    return tmp_path


def test_pictures_by_folder(folder):
    data = images(folder, (5, 7), check=True)
    assert (data.shape, data.dtype, data.classes) == ((3, 5, 7), np.float32, ("cat", "dog"))
    assert data.y.tolist() == [0, 0, 0, 1, 1, 1]
    expected = PIXELS[[1, 3, 5, 0, 2, 4]].transpose(0, 3, 1, 2)
    assert np.array_equal(data.load().x, expected / np.float32(255))
    kept = images(folder, (5, 7), dtype="uint8", threads=1)
    assert kept.dtype == np.uint8
    assert np.array_equal(kept.load().x, expected)


def test_the_order_does_not_depend_on_threads(folder):
    blocks = [
        [block.x for block in images(folder, (4, 4), threads=threads).blocks(4, seed=1, epoch=2)]
        for threads in (1, 2, 4)
    ]
    for other in blocks[1:]:
        assert all(np.array_equal(one, two) for one, two in zip(blocks[0], other, strict=True))


def test_sizes_and_greys(folder):
    data = images(folder, size=(10, 3), mode="L")
    assert data.shape == (1, 10, 3)
    expected = Image.fromarray(PIXELS[1]).convert("L").resize((3, 10), Image.Resampling.BILINEAR)
    assert np.array_equal(data.read([0])[0, 0], np.asarray(expected) / np.float32(255))


def test_chosen_classes_keep_their_order(folder):
    data = images(folder, (2, 2), classes=["dog", "cat"])
    assert data.classes == ("dog", "cat")
    assert len(images(folder, (2, 2), classes=["dog"])) == 3
    with pytest.raises(ArgumentError, match="no folder for class 'dogs'") as caught:
        images(folder, (2, 2), classes=["dogs"])
    assert caught.value.cure == "is 'dog' meant?"
    with pytest.raises(ArgumentError, match="classes="):
        images(folder, (2, 2), classes=["dog", "dog"])


def test_sixteen_bits_transparency_and_turned_cameras(tmp_path):
    (tmp_path / "a").mkdir()
    grey = np.array([[0, 256 * 100], [256 * 200, 65535]], np.uint16)
    Image.fromarray(grey).save(tmp_path / "a" / "1.png")
    palette = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8)).convert("P")
    palette.save(tmp_path / "a" / "2.png", transparency=0)
    turned = Image.fromarray(PIXELS[0])
    exif = turned.getexif()
    exif[0x0112] = 6  # turn it by 90 degrees to show it
    turned.save(tmp_path / "a" / "3.png", exif=exif)
    data = images(tmp_path, (2, 2), "L", dtype="uint8")
    assert data.read([0])[0, 0].tolist() == [[0, 100], [200, 255]]
    assert data.read([1]).shape == (1, 1, 2, 2)
    upright = images(tmp_path, (7, 5), dtype="uint8").read([2])[0]
    assert np.array_equal(upright, np.rot90(PIXELS[0], -1).transpose(2, 0, 1))


def test_broken_pictures_are_named(folder):
    whole = (folder / "cat" / "1.png").read_bytes()
    (folder / "cat" / "3.png").write_bytes(whole[: len(whole) // 2])
    (folder / "dog" / "4.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="2 of 6 pictures cannot be decoded") as caught:
        images(folder, (4, 4), check=True)
    assert "3.png" in caught.value.where
    assert "4.png" in caught.value.where
    data = images(folder, (4, 4))
    with pytest.raises(DataError, match=r"'4\.png' cannot be decoded") as caught:
        data.read([5])
    assert caught.value.where == str(folder / "dog" / "4.png")


def test_folders_that_are_laid_out_otherwise(folder, tmp_path_factory):
    with pytest.raises(FileError, match="no folder"):
        images(folder / "nothing", (4, 4))
    with pytest.raises(DataError, match="3 pictures without a class") as caught:
        images(folder / "dog", (4, 4))
    assert str(folder) in caught.value.cure
    with pytest.raises(DataError, match="holds folders: 'cat', 'dog'") as caught:
        images(folder.parent, (4, 4), classes=[folder.name])
    assert str(folder) in caught.value.cure
    with pytest.raises(DataError, match="holds no folders"):
        images(tmp_path_factory.mktemp("empty"), (4, 4))
    (folder / "emu").mkdir()
    with pytest.raises(DataError, match="emu' is empty"):
        images(folder, (4, 4))
    (folder / "emu" / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"notes\.txt' is no picture"):
        images(folder, (4, 4))


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"size": 4}, "size=4"),
        ({"size": (0, 4)}, "size="),
        ({"size": (4, 4), "mode": "CMYK"}, "mode='CMYK'"),
        ({"size": (4, 4), "dtype": "float64"}, "dtype='float64'"),
        ({"size": (4, 4), "threads": 0}, "threads=0"),
    ],
)
def test_arguments(folder, how, match):
    with pytest.raises(ArgumentError, match=match):
        images(folder, **how)


@pytest.mark.parametrize("pixels", [np.full((4, 4), 0.5, np.float32), np.full((4, 4), 70_000, np.int32)])
def test_pixels_of_more_than_16_bits_are_refused(tmp_path, pixels):
    (tmp_path / "a").mkdir()
    Image.fromarray(pixels).save(tmp_path / "a" / "1.tiff")
    with pytest.raises(DataError, match=r"'1\.tiff' holds .* pixels"):
        images(tmp_path, size=(4, 4), mode="L").read([0])
    with pytest.raises(ArgumentError, match="size="):
        images(tmp_path, size=(True, True))
