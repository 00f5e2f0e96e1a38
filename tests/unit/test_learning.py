"""Learning: steps that quotes have shown, and what is decided under them."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pointsman.domain.events import InstrumentLearned, Started
from pointsman.domain.market import Instrument, InstrumentSteps
from pointsman.domain.policy import default_instrument
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check, Decision, Outcome
from pointsman.execution.desk import Desk
from pointsman.execution.loading import DeskRecords
from tests import desk_stories as told

FINE = InstrumentLearned("EURUSD", Decimal("0.00001"), Decimal("0.1"))


def desk(**instruments: Instrument) -> Desk:
    return told.ready_desk(
        told.policy(told.limits(max_position_size=Decimal(200_000)), instruments=instruments)
    )


def decided(of: Desk, bid: str, ask: str, **fields: Any) -> Decision:
    """The decision on a signal on a quote of EURUSD."""
    quote = told.quote(of.now_ns, bid, ask, "EURUSD", "1000000000")
    return told.decide(of, told.signal("s1", symbol="EURUSD", **fields), quote=quote)


def failed(decision: Decision) -> Check:
    return next(check for check in decision.checks if not check.passed)


def test_rule_59_learned_steps_are_stored_and_hold_from_the_next_decision_on() -> None:
    trader = desk()
    assert trader.books.policy.instrument("EURUSD") == default_instrument("EURUSD")
    step = trader.handle(FINE, trader.now_ns)
    assert step.changes == (InstrumentSteps("EURUSD", Decimal("0.00001"), Decimal("0.1")),)
    decision = decided(trader, "1.08441", "1.08451", quantity="1000.1")
    assert decision.outcome is Outcome.ACCEPTED
    assert (decision.quantity, decision.limit_price) == (Decimal("1000.1"), Decimal("1.08505"))


def test_rule_59_a_start_keeps_what_was_learned() -> None:
    trader = desk()
    trader.handle(FINE, trader.now_ns)
    again = Desk.load(
        told.policy(),
        DeskRecords(
            desk=trader.books.desk, steps=(InstrumentSteps("EURUSD", FINE.tick, FINE.lot),)
        ),
        trader.now_ns,
    )
    for each in (trader, again):
        each.handle(Started("", "ABCDEF", told.policy(), ()), trader.now_ns)
        assert each.books.policy.instrument("EURUSD").tick == FINE.tick


def test_rule_59_a_tick_that_keeps_the_limit_from_the_quote_is_refused_by_name() -> None:
    coarse = msgspec.structs.replace(told.XXX, symbol="EURUSD")
    decision = decided(desk(EURUSD=coarse), "1.08441", "1.08451", quantity="1000")
    check = failed(decision)
    assert decision.reason is Reason.TICK_TOO_COARSE
    assert (check.value, check.limit) == ("1.08", "1.08451")
    assert "0.01" in check.note
    assert "INSTRUMENTS_FILE sets the tick of EURUSD" in check.note


@pytest.mark.parametrize(
    ("instruments", "says"),
    [
        ({}, "0.5 was rounded down to lots of 1, as the sizes of its quotes show; INSTRUMENTS_FILE"
             " sets the lot of EURUSD"),
        ({"EUR/USD": told.XXX}, "INSTRUMENTS_FILE names EUR/USD: write EURUSD there"),
        ({"EURUSD": told.XXX}, "0.5 was rounded down to lots of 1; INSTRUMENTS_FILE sets"),
    ],
)  # fmt: skip
def test_rule_59_a_size_below_one_lot_is_refused_with_the_lot_and_what_sets_it(
    instruments: dict[str, Instrument], says: str
) -> None:
    given = {
        symbol: msgspec.structs.replace(each, symbol=symbol) for symbol, each in instruments.items()
    }
    decision = decided(desk(**given), "1.08", "1.08", quantity="0.5")
    assert decision.reason is Reason.BELOW_MINIMUM
    assert says in failed(decision).note
