"""MNIST and its relatives: from a folder, from the cache, or downloaded and compared with published checksums."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from weft.data.check import check_labels
from weft.data.dataset import Dataset
from weft.data.naming import plural
from weft.errors import ArgumentError, DataError, FileError
from weft.storage.files import write_atomically

Array = np.ndarray[Any, Any]
Part = Literal["train", "test"]
Kind = Literal["float32", "uint8"]
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_DEFLATE = 1032  # no byte of a deflated file stands for more than so many
_IMAGES = {"train": "train-images-idx3-ubyte", "test": "t10k-images-idx3-ubyte"}
_LABELS = {"train": "train-labels-idx1-ubyte", "test": "t10k-labels-idx1-ubyte"}


@dataclass(frozen=True)
class _Known:
    """Where a data set is published; size in bytes and SHA-256 of each file."""

    name: str
    title: str
    addresses: tuple[str, ...]
    files: dict[str, tuple[int, str]]
    classes: tuple[str, ...] = tuple("0123456789")


_MNIST = _Known(
    "mnist",
    "MNIST",
    ("https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"),
    {
        "train-images-idx3-ubyte": (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        "train-labels-idx1-ubyte": (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        "t10k-images-idx3-ubyte": (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        "t10k-labels-idx1-ubyte": (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    },
)
_FASHION = _Known(
    "fashion_mnist",
    "Fashion-MNIST",
    (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    {
        "train-images-idx3-ubyte": (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        "train-labels-idx1-ubyte": (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        "t10k-images-idx3-ubyte": (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        "t10k-labels-idx1-ubyte": (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    },
    ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
_KMNIST = _Known(
    "kmnist",
    "Kuzushiji-MNIST",
    ("https://codh.rois.ac.jp/kmnist/dataset/kmnist/", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
    {
        "train-images-idx3-ubyte": (18165135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
        "train-labels-idx1-ubyte": (29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
        "t10k-images-idx3-ubyte": (3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
        "t10k-labels-idx1-ubyte": (5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
    },
    ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
)


def mnist(path: str | Path | None = None, part: Part = "train", *, dtype: Kind = "float32") -> Dataset:
    """Handwritten digits, 60,000 to train on and 10,000 to test: x of shape (n, 1, 28, 28), in [0, 1] or uint8.

    ``path`` is a folder with the four IDX files, compressed or not, or an ``.npz`` with x_train, y_train, x_test and
    y_test. Without it they are taken from ``$WEFT_DATA/mnist`` (``~/.cache/weft/data/mnist``), or else downloaded to
    there and compared with their checksums. Raises FileError for files that are missing, cut off or not these.

    LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
    """
    return _dataset(_MNIST, path, part, dtype)


def fashion_mnist(path: str | Path | None = None, part: Part = "train", *, dtype: Kind = "float32") -> Dataset:
    """Articles of clothing in ten classes, in the form of ``mnist``.

    Xiao, Rasul, Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms" (2017).
    """
    return _dataset(_FASHION, path, part, dtype)


def kmnist(path: str | Path | None = None, part: Part = "train", *, dtype: Kind = "float32") -> Dataset:
    """Ten characters of cursive Japanese, in the form of ``mnist``.

    Clanuwat et al., "Deep learning for classical Japanese literature" (2018).
    """
    return _dataset(_KMNIST, path, part, dtype)


def read_idx(path: str | Path) -> Array:
    """The array in an IDX file, gzipped or not, in the byte order of this machine.

    Header: two zero bytes, the type, the number of axes, then the length of each as a 32-bit integer, most significant
    byte first. Raises FileError unless the file holds exactly what its header says.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels"
    >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    >>> read_idx(path).tolist()
    [7, 2, 1]
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not packed:
                return _idx(file, path, path.stat().st_size)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _idx(unpacked, path, path.stat().st_size * _DEFLATE)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _not_whole(path, f"is cut off or damaged: {error}") from error
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{str(path)!r} cannot be read: {error.strerror}", expected="an IDX file") from error


def _idx(file: IO[bytes] | gzip.GzipFile, path: Path, most: int) -> Array:
    """``most``: how many bytes there can be at the very most; nothing larger is asked for."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or start[3] == 0:
        raise _not_whole(path, f"begins with {start.hex(' ') or 'nothing'}")
    axes = file.read(4 * start[3])
    if len(axes) < 4 * start[3]:
        raise _not_whole(path, "ends within its header")
    shape, dtype = struct.unpack(f">{start[3]}I", axes), np.dtype(_TYPES[start[2]])
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > most:
        raise _not_whole(
            path, f"says that it holds {shape}, which is {plural(wanted, 'byte')}, and is too small for it"
        )
    data = file.read(wanted)
    if len(data) < wanted or file.read(1):
        held = f"{len(data)} bytes of {wanted}" if len(data) < wanted else f"more than the {wanted} bytes"
        raise _not_whole(path, f"holds {held} that its header {shape} says")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _not_whole(path: Path, what: str) -> FileError:
    return FileError(f"{path.name} {what}", expected="a whole IDX file", cure="remove it and get it again")


def _dataset(known: _Known, path: str | Path | None, part: Part, dtype: Kind) -> Dataset:
    for name, value, valid in (("part", part, ("train", "test")), ("dtype", dtype, ("float32", "uint8"))):
        if value not in valid:
            raise ArgumentError(f"{name}={value!r}", expected=" or ".join(map(repr, valid)))
    if path is not None and Path(path).suffix == ".npz":
        x, y = (_npz(Path(path), f"{name}_{part}") for name in "xy")
    else:
        x, y = (read_idx(_file(known, path, names[part])) for names in (_IMAGES, _LABELS))
    if x.ndim != 3 or x.dtype != np.uint8 or y.shape != x.shape[:1] or not len(x):
        raise DataError(
            f"images {x.shape} of {x.dtype}, labels {y.shape} of {y.dtype}",
            expected="images (n, height, width) of uint8, one label each",
        )
    check_labels(y, len(known.classes), known.title)
    pixels = x[:, None] if dtype == "uint8" else x[:, None] / np.float32(255)
    return Dataset(pixels, y.astype(np.int64), known.name, (), None, known.classes, "classification")


def _npz(path: Path, name: str) -> Array:
    """One array of an .npz, after its header has been compared with its size."""
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo(f"{name}.npy")
            with archive.open(entry) as file:
                read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
                shape, _, dtype = read[np.lib.format.read_magic(file)](file)
                size = math.prod(shape) * dtype.itemsize
                most = entry.compress_size * (_DEFLATE if entry.compress_type else 1)
            if dtype.kind not in "iu" or not size <= entry.file_size <= most:
                raise FileError(f"{name} in {path.name} is {shape} of {dtype}", expected="integers, whole")
        with np.load(path, allow_pickle=False) as arrays:
            return arrays[name]
    except FileNotFoundError as error:
        raise FileError(f"no file {str(path)!r}", expected="an .npz file") from error
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise FileError(
            f"{path.name} cannot be read: {error}", expected="an .npz file with x_train, y_train, x_test, y_test"
        ) from error


def _file(known: _Known, path: str | Path | None, name: str) -> Path:
    folder = _cache() / known.name if path is None else Path(path)
    # Some copies have a dot before "idx".
    names = (name, f"{name}.gz", name.replace("-idx", ".idx"), f"{name.replace('-idx', '.idx')}.gz")
    for place in (folder / one for one in names):
        if place.is_file():
            return place
    if path is None:
        return _downloaded(known, folder / f"{name}.gz")
    raise FileError(f"no {name} in {str(folder)!r}", expected=f"{name}.gz or {name}", cure=_where_to_put(known, folder))


def _cache() -> Path:
    given = os.environ.get("WEFT_DATA")
    return Path(given) if given else Path.home() / ".cache" / "weft" / "data"


def _downloaded(known: _Known, place: Path) -> Path:
    from http.client import HTTPException  # slow to import, and hardly ever needed

    size, checksum = known.files[place.stem]
    tried = []
    for address in known.addresses:
        try:
            data = _fetched(address + place.name, size)
        except (OSError, ValueError, HTTPException) as error:
            tried.append(f"{address}{place.name}: {getattr(error, 'reason', None) or error}")
            continue
        if hashlib.sha256(data).hexdigest() == checksum:
            return write_atomically(place, data)
        tried.append(f"{address}{place.name}: {plural(len(data), 'byte')} with another checksum than the published one")
    raise FileError(
        f"{known.title} is not in {str(place.parent)!r}, and could not be downloaded",
        expected="a network, or the files in place",
        where="\n".join(tried),
        cure=_where_to_put(known, place.parent),
    )


def _where_to_put(known: _Known, folder: Path) -> str:
    return f"put {', '.join(f'{name}.gz' for name in known.files)} into {str(folder)!r}"


def _fetched(address: str, size: int) -> bytes:
    from urllib.request import urlopen  # slow to import too

    with urlopen(address, timeout=30) as answer:  # noqa: S310 - one of the addresses above
        # A byte more than there should be shows another file; one less is an error of its own.
        data = bytes(answer.read(size + 1))
    if len(data) != size:
        raise ValueError(f"{plural(len(data), 'byte')} or more, {size} expected")
    return data
