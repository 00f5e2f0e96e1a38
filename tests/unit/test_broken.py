"""How a check says that an invariant does not hold."""

import pytest

from pointsman.simulator.broken import Broken, expect


def test_what_does_not_hold_is_told_with_whom_it_concerns() -> None:
    expect(True, "I1", "stored")
    with pytest.raises(Broken, match="I1: not stored") as broken:
        expect(False, "I1", "not stored", "VA001")
    assert (broken.value.invariant, broken.value.va_id) == ("I1", "VA001")
