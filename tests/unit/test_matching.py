"""Matching at the hostile venue, without any fault and with single ones."""

from decimal import Decimal

import pytest

from pointsman.domain.commands import Submit
from pointsman.domain.events import OrderReport, VenueWord
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order, Role
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.simulator.faults import Fault
from pointsman.simulator.hostile_venue import HostileVenue
from tests.simulations import order, policy, struck_by, venue

LATER_NS = 10**9


def quote(bid: str, ask: str, size: int = 100) -> Quote:
    return Quote("AAA", 0, Decimal(bid), Decimal(size), Decimal(ask), Decimal(size))


def sent(at: HostileVenue, wanted: Order, now_ns: int = 0) -> list[OrderReport]:
    at.send(Submit(wanted), now_ns)
    return [r for r in at.receive(now_ns + LATER_NS) if isinstance(r, OrderReport)]


def opened(
    faults: dict[Fault, float] | None = None, reduce_only: ReduceOnlyMode = ReduceOnlyMode.CLIP
) -> HostileVenue:
    """A venue on which five are held long at about 100."""
    at = venue(struck_by(faults or {}), policy(PositionMode.HEDGE, reduce_only))
    at.matching.on_quote(quote("100", "100.01"), 0)
    assert sent(at, order(1, price="101"))[-1].kind is VenueWord.TRADE
    return at


def test_rule_8_an_immediate_order_fills_within_its_limit_and_what_is_shown() -> None:
    at = venue(struck_by({}))
    at.matching.on_quote(quote("100", "100.01", size=3), 0)
    reports = sent(at, order(1, quantity="5", price="100.02"))
    filled = [report.fill for report in reports if report.fill is not None]
    assert sum(fill.quantity for fill in filled) == 3
    assert all(fill.price <= Decimal("100.02") for fill in filled)
    assert (reports[0].kind, reports[-1].kind) == (VenueWord.ACCEPTED, VenueWord.CANCELED)
    assert sent(at, order(2, price="99"))[-1].reason is Reason.NOT_FILLED


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (order(9, quantity="0.5", price="101"), Reason.BAD_QUANTITY),
        (order(9, price="100.005"), Reason.BAD_PRICE),
        (order(9, Role.STOP, trigger="100"), Reason.WOULD_TRIGGER),
    ],
)
def test_it_refuses_what_does_not_fit(wanted: Order, reason: Reason) -> None:
    reports = sent(opened(), wanted)
    assert [(report.kind, report.reason) for report in reports] == [(VenueWord.REJECTED, reason)]


def test_rule_21_it_clips_reduce_only_or_refuses_it() -> None:
    clips, refuses = opened(), opened(reduce_only=ReduceOnlyMode.REFUSE)
    for at in (clips, refuses):
        assert sent(at, order(1, Role.STOP, trigger="99"))[-1].kind is VenueWord.ACCEPTED
    assert sum(r.fill.quantity for r in sent(clips, order(1, Role.EXIT, "9")) if r.fill) == 5
    assert sent(refuses, order(1, Role.EXIT, "5"))[-1].reason is Reason.REDUCE_ONLY


def test_a_stop_triggers_at_its_price_and_closes() -> None:
    at = opened()
    sent(at, order(1, Role.STOP, trigger="99"))
    at.matching.on_quote(quote("99.01", "99.02"), 10)
    assert at.receive(LATER_NS * 2) == []
    at.matching.on_quote(quote("98.9", "99"), 11)
    words = [r.kind for r in at.receive(LATER_NS * 3) if isinstance(r, OrderReport)]
    assert words[0] is VenueWord.TRIGGERED
    assert words[-1] is VenueWord.TRADE
    assert at.ledger.shown_holdings() == ()


def test_f36_a_triggered_stop_may_rest_unfilled_for_a_while() -> None:
    at = opened({Fault.STOP_RESTS: 1.0})
    sent(at, order(1, Role.STOP, trigger="99"))
    at.matching.on_quote(quote("98.9", "99"), 11)
    assert at.ledger.shown_holdings() != ()
    at.matching.on_quote(quote("98.9", "99"), 9 * 10**9)
    assert at.ledger.shown_holdings() == ()


def test_f57_a_child_of_a_stop_trades_under_an_id_that_is_not_ours() -> None:
    at = opened({Fault.CHILD_ORDER: 1.0})
    stop = order(1, Role.STOP, trigger="99")
    sent(at, stop)
    at.matching.on_quote(quote("98.9", "99"), 11)
    assert at.ledger.orders[stop.client_order_id].status is OrderStatus.EXPIRED
    assert at.ledger.orders[stop.client_order_id].filled == 0
    assert at.ledger.trades[-1].client_order_id != stop.client_order_id
    assert at.ledger.shown_holdings() == ()


def test_a_halted_symbol_takes_and_triggers_nothing() -> None:
    at = opened()
    sent(at, order(1, Role.STOP, trigger="99"))
    at.matching.halted_until_ns["AAA"] = 10 * LATER_NS
    at.matching.on_quote(quote("98", "98.1"), LATER_NS)
    assert at.ledger.shown_holdings() != ()
    assert sent(at, order(1, Role.EXIT), LATER_NS)[-1].reason is Reason.VENUE_REJECTED
