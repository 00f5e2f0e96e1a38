"""The time by which an engine counts how long it still owns its desk, and how long another has not
renewed: that of its machine since it was switched on, the time in which it was suspended included.
"""

import time


def now_ns() -> int:
    """Rises at the rate of real time; a stepped wall clock does not move it."""
    return time.clock_gettime_ns(_CLOCK)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
