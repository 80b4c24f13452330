"""Pictures in folders, one folder a class, decoded when they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from weft.data.check import check_whole
from weft.data.foreign import library
from weft.data.lazy import LazyDataset
from weft.data.naming import closest, listing, missing_file, plural
from weft.errors import ArgumentError, DataError

Array = np.ndarray[Any, Any]
Mode = Literal["RGB", "L"]
Kind = Literal["float32", "uint8"]
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
# What file managers leave behind.
_LITTER = frozenset({"thumbs.db", "desktop.ini"})


def images(
    folder: str | Path,
    size: tuple[int, int],
    mode: Mode = "RGB",
    classes: Sequence[str] | None = None,
    *,
    dtype: Kind = "float32",
    check: bool = False,
    threads: int = 4,
) -> LazyDataset:
    """The pictures ``folder/class/picture.png`` as x of shape (n, channels, height, width), ``size`` (height, width).

    Pixels are float32 in [0, 1], or uint8 as they are. A picture of another size is resized, one that its camera
    turned is put upright. Labels are the places of the folders' names in ``classes``: sorted if None. Hidden files
    are passed over. ``check=True`` decodes every picture once and names all that are broken. Raises FileError for a
    missing folder, DataError for pictures without a class, an empty class, a file that is no picture.

    >>> import tempfile
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("cat", "dog"):
    ...     (folder / name).mkdir()
    ...     Image.new("RGB", (8, 6), "white").save(folder / name / "1.png")
    >>> data = images(folder, size=(4, 4))
    >>> data.shape, data.classes, data.read([1]).max().item()
    ((3, 4, 4), ('cat', 'dog'), 1.0)
    """
    _check_arguments(size, mode, dtype, threads)
    library("PIL.Image", "pillow", "a folder of pictures")
    folder = Path(folder).expanduser()
    names = _class_folders(folder) if classes is None else _chosen(folder, tuple(classes))
    files = [_pictures(folder / name, folder) for name in names]
    paths = [path for found in files for path in found]
    labels = np.repeat(np.arange(len(names), dtype=np.int64), [len(found) for found in files])

    def read(rows: Array) -> Array:
        with ThreadPoolExecutor(min(threads, len(rows)) or 1) as pool:
            made = list(pool.map(lambda row: _decoded(paths[row], size, mode), rows.tolist()))
        return _pixels(made, dtype, size, mode)

    if check:
        _check_all(paths, size, mode, threads)
    return LazyDataset(read, len(paths), labels, folder.name, (), names, "classification")


def _pixels(made: list[Array], dtype: Kind, size: tuple[int, int], mode: Mode) -> Array:
    shape = (len(made), 3 if mode == "RGB" else 1, *size)
    x = np.empty(shape, dtype)
    for row, picture in zip(x, made, strict=True):
        row[:] = picture if dtype == "uint8" else picture / np.float32(255)
    return x


def _decoded(path: Path, size: tuple[int, int], mode: Mode) -> Array:
    """A picture as uint8 of shape (channels, height, width). Raises DataError with its path if it is broken."""
    image_of, operations = (library(f"PIL.{name}", "pillow", "a picture") for name in ("Image", "ImageOps"))
    height, width = size
    try:
        with image_of.open(path) as image:
            upright = operations.exif_transpose(_eight_bit(image, image_of, path))
            made = upright.convert("RGBA").convert(mode) if "transparency" in upright.info else upright.convert(mode)
            if made.size != (width, height):
                made = made.resize((width, height), image_of.Resampling.BILINEAR)
            pixels = np.asarray(made)
    except DataError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, image_of.DecompressionBombError) as error:
        raise DataError(
            f"{path.name!r} cannot be decoded: {error}",
            expected="a whole picture",
            where=str(path),
            cure="remove it, or copy it again",
        ) from error
    return pixels[None] if mode == "L" else np.moveaxis(pixels, -1, 0)


def _eight_bit(image: Any, image_of: Any, path: Path) -> Any:
    # Pillow cuts greys of 16 bits off at 255: most of such a picture would be white.
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    pixels = np.asarray(image)
    if pixels.dtype.kind == "f" or pixels.min() < 0 or pixels.max() > 65535:
        raise DataError(
            f"{path.name!r} holds {'floating-point' if pixels.dtype.kind == 'f' else '32-bit'} pixels, "
            f"from {pixels.min():g} to {pixels.max():g}",
            expected="8 or 16 bits",
            where=str(path),
            cure="np.save('x.npy', pixels), on a scale of your own, and weft.data.mapped('x.npy', labels)",
        )
    return image_of.fromarray((pixels >> 8).astype(np.uint8))


def _check_all(paths: list[Path], size: tuple[int, int], mode: Mode, threads: int) -> None:
    def broken(path: Path) -> str | None:
        try:
            _decoded(path, size, mode)
        except DataError as error:
            return error.where
        return None

    with ThreadPoolExecutor(threads) as pool:
        found = [told for told in pool.map(broken, paths) if told]
    if found:
        raise DataError(
            f"{len(found)} of {plural(len(paths), 'picture')} cannot be decoded",
            expected="whole pictures",
            where="\n".join(found[:20]) + (f"\nand {len(found) - 20} more" if len(found) > 20 else ""),
            cure="remove them, or copy them again",
        )


def _check_arguments(size: Any, mode: Any, dtype: Any, threads: int) -> None:
    if not (isinstance(size, tuple) and len(size) == 2 and all(type(n) is int and n > 0 for n in size)):
        raise ArgumentError(f"size={size!r}", expected="(height, width) in pixels", cure="size=(64, 64)")
    for name, value, known in (("mode", mode, get_args(Mode)), ("dtype", dtype, get_args(Kind))):
        if value not in known:
            raise ArgumentError(f"{name}={value!r}", expected=f"one of {listing(known)}")
    check_whole("threads", threads, 1, cure="threads=4")


def _visible(folder: Path) -> list[Path]:
    found = sorted(folder.iterdir(), key=lambda path: path.name)
    return [path for path in found if not path.name.startswith(".") and path.name.lower() not in _LITTER]


def _class_folders(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise missing_file(folder, "a folder with a folder of pictures for each class", "folder")
    loose = [path.name for path in _visible(folder) if path.suffix.lower() in SUFFIXES]
    if loose:
        raise DataError(
            f"{plural(len(loose), 'picture')} without a class in {str(folder)!r}: {listing(loose, 3)}",
            expected="folder/class/picture.png",
            cure=f"images({str(folder.parent)!r}, …), if this is the folder of a class",
        )
    names = tuple(path.name for path in _visible(folder) if path.is_dir())
    if not names:
        raise DataError(f"{str(folder)!r} holds no folders", expected="a folder of pictures for each class")
    return names


def _chosen(folder: Path, classes: tuple[str, ...]) -> tuple[str, ...]:
    there = _class_folders(folder)
    for name in classes:
        if name not in there:
            near = closest(name, there)
            raise ArgumentError(
                f"no folder for class {name!r}",
                expected=f"one of {listing(there)}",
                cure=f"is {near!r} meant?" if near else None,
            )
    if len(set(classes)) < len(classes) or not classes:
        raise ArgumentError(f"classes={classes}", expected="each class once")
    return classes


def _pictures(folder: Path, root: Path) -> list[Path]:
    found = _visible(folder)
    nested = [path.name for path in found if path.is_dir()]
    if nested:
        raise DataError(
            f"the class folder {str(folder)!r} holds folders: {listing(nested, 3)}",
            expected="folder/class/picture.png",
            cure=f"images({str(folder)!r}, …), if {listing(nested, 3)} are the classes",
        )
    if not found:
        raise DataError(
            f"the class folder {str(folder)!r} is empty",
            expected="1 picture or more of each class",
            cure=f"remove it, or images({str(root)!r}, …, classes=[…]) without it",
        )
    for path in found:
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(
                f"{str(path)!r} is no picture",
                expected=f"files that end in {', '.join(sorted(SUFFIXES))}",
                cure="move it out of the class folder",
            )
    return found
