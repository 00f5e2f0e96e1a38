"""The time of a lease rises as real time does."""

import time

from pointsman.cluster import own_time


def test_it_rises_with_the_monotonic_clock() -> None:
    before = own_time.now_ns(), time.monotonic_ns()
    time.sleep(0.01)
    passed, real = own_time.now_ns() - before[0], time.monotonic_ns() - before[1]
    assert passed >= 10_000_000
    assert abs(passed - real) < 1_000_000_000
