"""Signals: what two of them ask for."""

from decimal import Decimal

import msgspec

from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Remarks, Signal


def test_remarks_are_no_part_of_what_a_signal_asks_for() -> None:
    one = Signal("s", "VA1", "AAPL", SignalSide.BUY, Decimal(1), remarks=Remarks(("comment",)))
    other = msgspec.structs.replace(one, remarks=None)
    assert one.asks_the_same(other)
    assert not one.asks_the_same(msgspec.structs.replace(other, quantity=Decimal(2)))
