"""Parts of files that stay in memory after they were read, as long as there is room for them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from pathlib import Path

import numpy as np

from weft.data.block import Chunk
from weft.data.check import check_whole

ROOM = 1 << 28  # bytes, unless somebody wants more or less


class Kept:
    """What was read of files, by part: a file, or a row group of it. What came first stays; ``room`` is in bytes.

    An epoch goes through all parts, so to give up one for another would mean to read each of them again.
    """

    def __init__(self, room: int) -> None:
        check_whole("cache", room, 0, cure="cache=1 << 30, bytes; 0 for none")
        self.room = room
        self._parts: dict[Hashable, list[Chunk]] = {}

    def part(self, path: Path, place: Hashable, read: Callable[[], Iterator[Chunk]]) -> Iterator[Chunk]:
        """The chunks of a part of the file at ``path``: those in memory, or else those that ``read`` gives."""
        found = path.stat()
        key = (path, place, found.st_size, found.st_mtime_ns)  # a file that was written anew is another one
        return iter(self._parts[key]) if key in self._parts else self._read(key, read)

    def _read(self, key: Hashable, read: Callable[[], Iterator[Chunk]]) -> Iterator[Chunk]:
        chunks: list[Chunk] = []
        size = 0
        for chunk in read():
            size += _closed(chunk)
            if size <= self.room:
                chunks.append(chunk)
            else:
                chunks.clear()
            yield chunk
        if size <= self.room and key not in self._parts:
            self.room -= size
            self._parts[key] = chunks


def _closed(chunk: Chunk) -> int:
    """Make a chunk one that nobody can write into, as others will see it again; its bytes."""
    arrays = [part for part in (chunk.x, chunk.y, chunk.index) if isinstance(part, np.ndarray)]
    for array in arrays:
        array.flags.writeable = False
    return sum(array.nbytes for array in arrays)
