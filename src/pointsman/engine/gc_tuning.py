"""Pauses: keep those short in which the process does nothing for us.

A collection of cyclic garbage looks at all that lives, and stops every thread meanwhile. What a
start has made lives as long as the process, and records and events hold no cycles: so the first is
taken out of the collector's sight, and the second is looked at seldom. The writer thread gives way
to the loop that watches the stops after a tenth of a millisecond instead of five; at each look-up
and each wait the loop has to ask for its turn again.
"""

import gc
import sys

YOUNG_LEN_MAX = 10_000
"""How many new containers are made before the collector runs."""

SWITCH_SECONDS = 0.0001  # not money: seconds


def keep_short() -> None:
    """To be called once, when everything is loaded and before anything is decided."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_LEN_MAX, 20, 50)
    sys.setswitchinterval(SWITCH_SECONDS)
