"""Signals: what two of them ask for."""

from decimal import Decimal

import msgspec

from pointsman.domain.sides import MarketPosition, SignalSide
from pointsman.domain.signals import Remarks, Signal


def test_remarks_are_no_part_of_what_a_signal_asks_for() -> None:
    one = Signal("s", "VA1", "AAPL", SignalSide.BUY, Decimal(1), remarks=Remarks(("comment",)))
    other = msgspec.structs.replace(one, remarks=None)
    assert one.asks_the_same(other)
    assert not one.asks_the_same(msgspec.structs.replace(other, quantity=Decimal(2)))


def test_a_repetition_is_held_against_what_an_earlier_version_recorded_of_it() -> None:
    recorded = Signal("s", "VA1", "AAPL", SignalSide.BUY, Decimal(1))
    again = msgspec.structs.replace(
        recorded, market_position=MarketPosition.LONG, market_position_size=Decimal(1)
    )
    assert again.asks_the_same(recorded)
    assert not recorded.asks_the_same(again), "a record that holds them is compared in full"
    other = msgspec.structs.replace(again, market_position=MarketPosition.SHORT)
    assert not other.asks_the_same(again)
