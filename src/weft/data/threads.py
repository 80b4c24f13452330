"""Work done by threads beside the one that reads: items made ready ahead, and a map that keeps their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Any, TypeVar

from weft.data.check import check_whole

T = TypeVar("T")
U = TypeVar("U")


def ahead(items: Iterable[T], n: int = 2) -> Iterator[T]:
    """The same items, up to ``n`` of them made ready by a thread; an error in it is raised where its item would come.

    The thread ends with the iterator: when it is used up, closed or forgotten. Raises ArgumentError unless n is a
    whole number, 1 or more.

    >>> list(ahead(range(4)))
    [0, 1, 2, 3]
    """
    check_whole("n", n, 1, cure="ahead(blocks, 2)")
    return _ahead(items, n)


def _ahead(items: Iterable[T], n: int) -> Iterator[T]:
    made: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
    room, stopped = Semaphore(n), Event()
    thread = Thread(target=_work_ahead, args=(iter(items), made, room, stopped), name="weft-ahead", daemon=True)
    thread.start()
    try:
        while True:
            is_item, item = made.get()
            if not is_item:
                if item is not None:
                    raise item
                return
            room.release()
            yield item
    finally:
        stopped.set()
        room.release()
        thread.join()


def _work_ahead(items: Iterator[Any], made: SimpleQueue[tuple[bool, Any]], room: Semaphore, stopped: Event) -> None:
    error: BaseException | None = None
    try:
        while not stopped.is_set():
            room.acquire()
            if stopped.is_set():
                break
            try:
                item = next(items)
            except StopIteration:
                break
            made.put((True, item))
    except BaseException as raised:  # it is raised again by the thread that reads
        error = raised
    finally:
        if hasattr(items, "close"):
            items.close()  # here, not in the thread that abandons: what it holds ends with it
        made.put((False, error))


def in_order(function: Callable[[T], U], items: Iterable[T], threads: int) -> Iterator[U]:
    """``map(function, items)`` by several threads, in the same order; they end with the iterator.

    An error of the items is raised where its item would come, behind the results before it.
    """
    pending: deque[Any] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="weft-map")
    try:
        source, error, more = iter(items), None, True
        while more or pending:
            try:
                while more and len(pending) <= 2 * threads:
                    pending.append(pool.submit(function, next(source)))
            except StopIteration:
                more = False
            except Exception as raised:
                error, more = raised, False
            if pending:
                yield pending.popleft().result()
        if error is not None:
            raise error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
