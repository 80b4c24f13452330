import gzip
import hashlib
import itertools
import struct
import urllib.request
from http.client import IncompleteRead
from io import BytesIO
from urllib.error import URLError

import numpy as np
import pytest

from weft.data import fashion_mnist, kmnist, mnist, read_idx
from weft.data.mnist import _FASHION, _KMNIST, _MNIST
from weft.errors import ArgumentError, DataError, FileError

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 4, 5)).astype(np.uint8)
LABELS = np.array([3, 0, 9, 1, 1, 4, 2], np.uint8)
CODES = {"u1": 8, "i1": 9, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array, shape=None):
    shape = array.shape if shape is None else shape
    code = CODES[array.dtype.str[1:]]
    return (
        struct.pack(f">4B{len(shape)}I", 0, 0, code, len(shape), *shape)
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


FILES = {
    f"{part}-{kind}": idx(array)
    for part in ("train", "t10k")
    for kind, array in (("images-idx3-ubyte", IMAGES), ("labels-idx1-ubyte", LABELS))
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    def refused(address, timeout):
        raise URLError("no network in tests")

    monkeypatch.setattr(urllib.request, "urlopen", refused)
    monkeypatch.setenv("WEFT_DATA", str(tmp_path / "cache"))


def write(folder, packed=False, dotted=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in FILES.items():
        name = name.replace("-idx", ".idx") if dotted else name
        (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("dtype", list(CODES))
@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_of_every_type(tmp_path, dtype, packed):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    read = read_idx(path)
    assert read.dtype == np.dtype(dtype)
    assert np.array_equal(read, array)


HUGE = struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1)
PACKED = gzip.compress(idx(IMAGES))


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "begins with nothing"),
        (b"\0\0\x08", "begins with 00 00 08"),
        (b"\1\0\x08\1" + bytes(8), "begins with 01 00 08 01"),
        (b"\0\0\x07\1" + bytes(8), "begins with 00 00 07 01"),
        (b"\0\0\x08\0", "begins with 00 00 08 00"),
        (b"\0\0\x08\3\0\0\0\1", "ends within its header"),
        (HUGE, "is too small for it"),
        (HUGE + bytes(100), "is too small for it"),
        (gzip.compress(HUGE), "is too small for it"),
        (idx(IMAGES)[:-1], "is too small for it|holds 139 bytes of 140"),
        (idx(IMAGES) + b"\0", "holds more than the 140 bytes"),
        (gzip.compress(idx(IMAGES)[:-1]), "holds 139 bytes of 140"),
        (gzip.compress(idx(IMAGES) + b"\0"), "holds more than the 140 bytes"),
        (PACKED[:-4], "is cut off or damaged"),
        (PACKED[:30], "is cut off or damaged"),
        (PACKED[:40] + b"\xff" + PACKED[41:], "is cut off or damaged"),
    ],
    ids=itertools.count(),  # the bytes of a zipped file hold the time
)
def test_idx_files_that_are_not_whole(tmp_path, data, match):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(FileError, match=match):
        read_idx(tmp_path / "a")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match="cannot be read: No such file"):
        read_idx(tmp_path / "a")


@pytest.mark.parametrize("how", [{}, {"packed": True}, {"dotted": True}, {"packed": True, "dotted": True}])
@pytest.mark.parametrize("load", [mnist, fashion_mnist, kmnist])
def test_from_a_folder(tmp_path, how, load):
    write(tmp_path / "files", **how)
    data = load(tmp_path / "files", part="test")
    assert (data.x.shape, data.x.dtype, data.y.dtype, len(data.classes)) == ((7, 1, 4, 5), np.float32, np.int64, 10)
    assert np.array_equal(data.x[:, 0], IMAGES / np.float32(255))
    assert data.y.tolist() == LABELS.tolist()
    assert np.array_equal(load(tmp_path / "files", dtype="uint8").x[:, 0], IMAGES)
    assert (data.name, data.task) == (load.__name__, "classification")


def test_from_the_cache(tmp_path, monkeypatch):
    write(tmp_path / "cache" / "mnist", packed=True)
    assert len(mnist()) == 7
    monkeypatch.delenv("WEFT_DATA")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write(tmp_path / "home" / ".cache" / "weft" / "data" / "kmnist")
    assert len(kmnist()) == 7


def test_from_an_npz(tmp_path):
    path = tmp_path / "mnist.npz"
    np.savez_compressed(path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:2], y_test=LABELS[:2].astype(np.int64))
    assert np.array_equal(mnist(path, dtype="uint8").x[:, 0], IMAGES)
    assert mnist(path, "test").y.tolist() == [3, 0]


def test_an_npz_that_will_not_do(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x_train=IMAGES)
    with pytest.raises(FileError, match="y_train"):
        mnist(path)
    np.savez(path, x_train=np.array([{}], dtype=object), y_train=LABELS)
    with pytest.raises(FileError, match="x_train"):
        mnist(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(FileError, match="cannot be read"):
        mnist(path)
    with pytest.raises(FileError, match="no file"):
        mnist(tmp_path / "b.npz")
    np.savez(path, x_train=IMAGES, y_train=LABELS)
    # A header that promises more than there is.
    path.write_bytes(path.read_bytes().replace(b"(7, 4, 5), }", b"(7, 4,99), }"))
    with pytest.raises(FileError, match=r"x_train in a\.npz is \(7, 4, 99\)|cannot be read"):
        mnist(path)


def test_contents_that_do_not_fit(tmp_path):
    write(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[:3]))
    with pytest.raises(DataError, match=r"images \(7, 4, 5\) of uint8, labels \(3,\)"):
        mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS + 5))
    with pytest.raises(DataError, match="label 14 at index 2"):
        mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").unlink()
    with pytest.raises(FileError, match="no train-images-idx3-ubyte in") as caught:
        mnist(tmp_path)
    assert "t10k-labels-idx1-ubyte.gz" in caught.value.cure
    with pytest.raises(ArgumentError, match="part='val'"):
        mnist(tmp_path, "val")


def test_without_a_network_it_is_said_what_was_tried_and_where_files_go(tmp_path):
    with pytest.raises(FileError, match=r"MNIST is not in .* and could not be downloaded") as caught:
        mnist()
    tried = caught.value.where.splitlines()
    assert len(tried) == 2
    assert all("train-images-idx3-ubyte.gz: no network in tests" in one for one in tried)
    assert str(tmp_path / "cache" / "mnist") in caught.value.cure
    assert not (tmp_path / "cache" / "mnist").exists() or not list((tmp_path / "cache" / "mnist").iterdir())


def serve(monkeypatch, known, files, first_fails=False):
    """Files as the addresses of ``known`` would give them, their checksums as if they had been published."""
    for name, data in files.items():
        monkeypatch.setitem(known.files, name, (len(data), hashlib.sha256(data).hexdigest()))
    asked = []

    def opened(address, timeout):
        asked.append(address)
        if first_fails and address.startswith(known.addresses[0]):
            raise URLError("down")
        return BytesIO(files[address.rpartition("/")[2].removesuffix(".gz")])

    monkeypatch.setattr(urllib.request, "urlopen", opened)
    return asked


@pytest.mark.parametrize("first_fails", [False, True])
def test_a_download_is_checked_and_kept(tmp_path, monkeypatch, first_fails):
    packed = {name: gzip.compress(data) for name, data in FILES.items()}
    asked = serve(monkeypatch, _MNIST, packed, first_fails)
    assert np.array_equal(mnist(dtype="uint8").x[:, 0], IMAGES)
    assert len(asked) == 4 if first_fails else 2
    assert mnist().y.tolist() == LABELS.tolist()
    assert len(asked) == 4 if first_fails else 2
    there = sorted(path.name for path in (tmp_path / "cache" / "mnist").iterdir())
    assert there == ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x", lambda data: data[:-1] + b"x"])
def test_a_download_that_is_not_the_file_is_refused_and_not_kept(tmp_path, monkeypatch, change):
    packed = {name: gzip.compress(data) for name, data in FILES.items()}
    serve(monkeypatch, _FASHION, packed)
    published = dict(_FASHION.files)
    serve(monkeypatch, _FASHION, {name: change(data) for name, data in packed.items()})
    for name, value in published.items():
        monkeypatch.setitem(_FASHION.files, name, value)
    with pytest.raises(FileError, match="could not be downloaded"):
        fashion_mnist()
    assert not (tmp_path / "cache").exists()


def test_a_download_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    serve(monkeypatch, _KMNIST, {name: gzip.compress(data) for name, data in FILES.items()})
    monkeypatch.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        kmnist()
    assert list((tmp_path / "cache" / "kmnist").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_a_lesson(tmp_path, monkeypatch):
    serve(monkeypatch, _KMNIST, {name: gzip.compress(data) for name, data in FILES.items()})
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(FileError, match="cannot be written"):
        kmnist()


def test_an_answer_cut_off_sends_it_to_the_second_address(monkeypatch):
    packed = {name: gzip.compress(data) for name, data in FILES.items()}
    asked, answer = serve(monkeypatch, _MNIST, packed), urllib.request.urlopen

    def opened(address, timeout):
        if address.startswith(_MNIST.addresses[0]):
            raise IncompleteRead(b"")
        return answer(address, timeout)

    monkeypatch.setattr(urllib.request, "urlopen", opened)
    assert np.array_equal(mnist(dtype="uint8").x[:, 0], IMAGES)
    assert len(asked) == 2
