"""What is there at the start is out of the collector's sight; what comes later is still freed."""

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from pointsman.engine import gc_tuning


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


class Node:
    """Something that can be part of a cycle."""

    def __init__(self) -> None:
        self.itself = self


def test_what_is_there_is_not_looked_at_again_and_later_cycles_are_freed() -> None:
    there = Node()
    gc_tuning.keep_short()
    assert gc.get_freeze_count() > 0
    assert not any(each is there for each in gc.get_objects())
    gone = weakref.ref(Node())
    for _ in range(2 * gc_tuning.YOUNG_LEN_MAX):
        Node()
    assert gone() is None
