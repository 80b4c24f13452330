import signal
import threading

import pytest

from weft.runtime.interrupt import held_back


@pytest.fixture(autouse=True)
def usual():
    """Python's own answer to Ctrl-C, whatever runs the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_for_the_end_of_the_block():
    done = []

    @held_back()
    def block():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["the rest of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_ctrl_c_nothing_happens():
    with held_back():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_the_block_comes_through():
    @held_back()
    def block():
        signal.raise_signal(signal.SIGINT)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()


def test_a_handler_of_the_users_own_is_left_alone():
    came = []
    signal.signal(signal.SIGINT, lambda *_: came.append(1))
    with held_back():
        signal.raise_signal(signal.SIGINT)
        assert came == [1]


def test_other_threads_are_left_alone():
    failures = []

    def work():
        try:
            with held_back():
                pass
        except ValueError as error:  # signals belong to the main thread
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failures == []
