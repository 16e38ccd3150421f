import os
import threading

from tasks.http.watchdog import Watchdog
from tests.waiting import LONG


def test_it_calls_what_is_due_in_the_order_of_time() -> None:
    dog, called, done = Watchdog(), [], threading.Event()

    dog.call_in(60, lambda: called.append("never"))
    # Each overtakes the first; of those that are due at once the earlier entry is called first.
    dog.call_in(0.05, lambda: called.append("sooner"))
    dog.call_in(0.1, lambda: 1 / 0)
    dog.call_in(0.2, lambda: (called.append("later"), done.set()))

    assert done.wait(LONG)
    assert called == ["sooner", "later"]


def test_what_is_forgotten_is_not_called() -> None:
    dog, called, done = Watchdog(), [], threading.Event()
    # So late that it is forgotten before, however slowly its thread starts.
    number = dog.call_in(2.0, lambda: called.append("forgotten"))
    dog.call_in(2.2, done.set)

    dog.forget(number)

    assert done.wait(LONG)
    assert called == []


def test_it_works_in_a_child_too() -> None:
    from tasks.http.watchdog import watchdog

    watchdog.call_in(60, lambda: None)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        called = threading.Event()
        watchdog.call_in(0.05, called.set)
        os.write(writing, b"yes" if called.wait(LONG) else b"no")
        os._exit(0)
    os.close(writing)

    assert os.read(reading, 3) == b"yes"
    os.waitpid(pid, 0)
    os.close(reading)
