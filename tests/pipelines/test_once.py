"""A value that threads share is made once, by the first of them that asks."""

import threading
from concurrent.futures import ThreadPoolExecutor

from pipelines.once import once


def test_threads_wait_for_the_one_that_makes_the_value() -> None:
    made: list[int] = []
    is_making, may_end = threading.Event(), threading.Event()

    @once
    def value(number: int) -> list[int]:
        is_making.set()
        may_end.wait(10)
        made.append(number)
        return [number]

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(value, 7)
        assert is_making.wait(10)
        others = [threads.submit(value, 7) for _ in range(3)]
        may_end.set()
        assert all(other.result() is first.result() for other in others)
    assert made == [7]
