"""The venue trades in other steps than before (RULES 48): what a desk makes of it."""

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from pointsman.domain.events import ReportWord
from pointsman.domain.market import Instrument
from pointsman.domain.policy import Policy, stricter
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from pointsman.domain.venue_reports import InstrumentsChanged
from pointsman.execution.desk import Desk
from tests import desk_stories as told

D = Decimal
SAID = Instrument(
    symbol="XXX",
    tick=D("0.01"),
    lot=D("0.1"),
    min_qty=D("0.1"),
    min_notional=D(0),
    currency="USD",
)
OTHER = replace(SAID, symbol="YYY")


def desk(**changes: Any) -> Desk:
    instruments = {"XXX": SAID, "YYY": OTHER}
    return told.ready_desk(told.policy(**{"instruments": instruments, **changes}))


def tell(trader: Desk, *said: Instrument) -> list[tuple[str | None, str]]:
    """The incidents that follow, as symbol and detail."""
    step = told.tell(trader, InstrumentsChanged(said))
    found = [each for each in told.incidents_of(step) if each.kind is Reason.INSTRUMENT_CHANGED]
    return [(each.symbol, each.detail) for each in found]


def test_the_next_order_of_a_held_symbol_is_rounded_by_the_newest_and_an_incident_says_so() -> None:
    trader = desk()
    position = told.enter(trader, told.signal("s1", quantity="10.1"))
    changed = replace(SAID, tick=D("0.5"), lot=D(1), min_qty=D(1))
    assert tell(trader, changed) == [
        ("XXX", "tick 0.01 -> 0.5, lot 0.1 -> 1, min_qty 0.1 -> 1"),
    ]
    closing = told.send(trader, told.signal("s2", "close", None))
    (order,) = told.submits(closing)
    assert (order.position_id, order.quantity) == (position.position_id, 10)


def test_a_stop_that_rests_in_steps_of_before_closes_all_that_is_held() -> None:
    trader = desk()
    position = told.enter(trader, told.signal("s1", quantity="10.1"))
    tell(trader, replace(SAID, tick=D("0.5"), lot=D(1), min_qty=D(1)))
    told.stop_out(trader, position, "95")
    assert trader.books.open_positions(told.VA) == []
    assert trader.books.orders == {}


def test_the_next_stop_of_a_held_symbol_is_at_a_price_that_the_venue_takes_now() -> None:
    trader = desk()
    told.enter(trader, told.signal("s1", stop_loss=D("95.37")))
    tell(trader, replace(SAID, tick=D("0.5")))
    (stop,) = told.submits(told.report(trader, "ABCDEF1S1", ReportWord.CANCELED))
    assert stop.trigger_price == D("95.5")
    step = told.report(trader, stop.client_order_id, ReportWord.ACCEPTED)
    assert step.commands == (), "it is where it belongs"


def test_what_nothing_is_held_of_is_one_incident_that_names_the_first() -> None:
    trader = desk()
    finer = [
        replace(SAID, symbol=symbol, tick=D("0.005"))
        for symbol in ("XXX", "YYY", "N1", "N2", "N3", "N4", "N5")
    ]
    ((symbol, detail),) = tell(trader, *finer)
    assert symbol is None
    assert detail == (
        "XXX tick 0.01 -> 0.005; YYY tick 0.01 -> 0.005; N1 is new; N2 is new; N3 is new; "
        "and 2 more"
    )
    assert trader.books.policy.instrument("N5").tick == D("0.005")


def test_what_the_file_makes_stricter_stays_so_and_says_nothing() -> None:
    own = replace(SAID, tick=D("0.05"), lot=D(1), min_qty=D(5))
    trader = desk(
        instruments={"XXX": stricter(SAID, own)},
        file_instruments={"XXX": own},
    )
    assert tell(trader, replace(SAID, tick=D("0.005"))) == []
    assert told.tell(trader, InstrumentsChanged((SAID,))).changes == ()
    assert trader.books.policy.instrument("XXX").tick == D("0.05")
    assert tell(trader, replace(SAID, tick=D("0.02"), min_notional=D(50))) == [
        (None, "XXX tick 0.05 -> 0.02, min_notional 0 -> 50")
    ], "0.05 is no multiple of 0.02"
    assert trader.books.policy.instrument("XXX").min_qty == 5


def test_a_symbol_that_may_no_longer_be_sold_short_is_not() -> None:
    trader = desk()
    tell(trader, replace(SAID, may_short=False))
    decision = told.decide(trader, told.signal("s1", "sell"))
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, Reason.SIDE_NOT_ALLOWED)


def test_the_policy_keeps_what_was_not_spoken_of() -> None:
    policy: Policy = desk().books.policy.with_instruments(replace(SAID, lot=D(2)))
    assert (policy.instrument("XXX").lot, policy.instrument("YYY")) == (2, OTHER)
