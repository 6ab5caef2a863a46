"""Who has the state of a Core can let others go ahead, and has it again afterwards."""

import threading

from homeops.lab.core.state_lock import StateLock


def taken_by_another(lock: StateLock) -> bool:
    """Whether another thread gets it within a moment."""
    got = threading.Event()

    def take() -> None:
        with lock:
            got.set()

    threading.Thread(target=take, daemon=True).start()
    return got.wait(0.2)


def test_others_have_it_while_it_is_released_however_often_it_was_taken() -> None:
    lock = StateLock()
    with lock, lock:
        with lock.released():
            assert taken_by_another(lock)
        assert not taken_by_another(lock)
    assert taken_by_another(lock)


def test_who_does_not_have_it_releases_nobody_elses() -> None:
    lock = StateLock()
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            begun.set()
            over.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait(5)
    with lock.released():
        assert not taken_by_another(lock)
    over.set()
    holder.join()
    assert taken_by_another(lock)
