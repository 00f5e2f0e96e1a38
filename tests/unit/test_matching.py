"""Matching at the hostile venue, without any fault and with single ones."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from pointsman.domain.commands import Submit
from pointsman.domain.events import OrderReport, ReportWord
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order, Role
from pointsman.domain.policy import Abilities, PositionMode, ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.simulator.faults import Fault
from pointsman.simulator.hostile_venue import HostileVenue
from pointsman.simulator.matching import FORBIDDEN_NS_MAX
from tests.simulations import order, policy, struck_by, venue

LATER_NS = 10**9


def quote(bid: str, ask: str, size: int = 100) -> Quote:
    return Quote("AAA", 0, Decimal(bid), Decimal(size), Decimal(ask), Decimal(size))


def sent(at: HostileVenue, wanted: Order, now_ns: int = 0) -> list[OrderReport]:
    at.send(Submit(wanted), now_ns)
    return [r for r in at.receive(now_ns + LATER_NS) if isinstance(r, OrderReport)]


def opened(
    faults: dict[Fault, float] | None = None,
    reduce_only: ReduceOnlyMode = ReduceOnlyMode.CLIP,
    abilities: Abilities = Abilities(),  # noqa: B008 - frozen
) -> HostileVenue:
    """A venue on which five are held long at about 100."""
    rules = policy(PositionMode.HEDGE, reduce_only).at_venue(abilities)
    at = venue(struck_by(faults or {}), rules)
    at.matching.on_quote(quote("100", "100.01"), 0)
    assert sent(at, order(1, price="101"))[-1].kind is ReportWord.TRADE
    return at


def test_rule_8_an_immediate_order_fills_within_its_limit_and_what_is_shown() -> None:
    at = venue(struck_by({}))
    at.matching.on_quote(quote("100", "100.01", size=3), 0)
    reports = sent(at, order(1, quantity="5", price="100.02"))
    filled = [report.fill for report in reports if report.fill is not None]
    assert sum(fill.quantity for fill in filled) == 3
    assert all(fill.price <= Decimal("100.02") for fill in filled)
    assert (reports[0].kind, reports[-1].kind) == (ReportWord.ACCEPTED, ReportWord.CANCELED)
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
    assert [(report.kind, report.reason) for report in reports] == [(ReportWord.REJECTED, reason)]


def test_rule_21_it_clips_reduce_only_or_refuses_it() -> None:
    clips, refuses = opened(), opened(reduce_only=ReduceOnlyMode.REFUSE)
    for at in (clips, refuses):
        assert sent(at, order(1, Role.STOP, trigger="99"))[-1].kind is ReportWord.ACCEPTED
    assert sum(r.fill.quantity for r in sent(clips, order(1, Role.EXIT, "9")) if r.fill) == 5
    assert sent(refuses, order(1, Role.EXIT, "5"))[-1].reason is Reason.REDUCE_ONLY


def test_a_stop_triggers_at_its_price_and_closes() -> None:
    at = opened()
    sent(at, order(1, Role.STOP, trigger="99"))
    at.matching.on_quote(quote("99.01", "99.02"), 10)
    assert at.receive(LATER_NS * 2) == []
    at.matching.on_quote(quote("98.9", "99"), 11)
    words = [r.kind for r in at.receive(LATER_NS * 3) if isinstance(r, OrderReport)]
    assert words[0] is ReportWord.TRIGGERED
    assert words[-1] is ReportWord.TRADE
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


# -- abilities -------------------------------------------------------------------------------------


def told_at_trigger(at: HostileVenue) -> list[OrderReport]:
    """What is said of a stop for five when the price goes through it."""
    sent(at, order(1, Role.STOP, trigger="99"))
    at.matching.on_quote(quote("98.9", "99"), LATER_NS)
    return [r for r in at.receive(LATER_NS * 3) if isinstance(r, OrderReport)]


def test_rule_43_a_venue_that_tells_no_triggers_tells_only_the_fills() -> None:
    at = opened(abilities=Abilities(tells_triggered=False))
    assert {report.kind for report in told_at_trigger(at)} == {ReportWord.TRADE}
    assert not at.ledger.orders[order(1, Role.STOP).client_order_id].told().is_triggered


def test_a_stop_may_trade_under_another_id_and_its_fill_be_told_first() -> None:
    told = told_at_trigger(opened({Fault.STOP_RENAMED: 1.0}))
    assert [report.kind for report in told][-1] is ReportWord.TRIGGERED
    assert told[0].kind is ReportWord.TRADE
    (accepted,) = sent(opened(), order(1, Role.STOP, trigger="99"))
    assert told[0].venue_order_id != accepted.venue_order_id


def test_a_stop_that_rested_may_be_rejected_when_it_triggers() -> None:
    at = opened({Fault.TRIGGER_REJECTED: 1.0})
    last = told_at_trigger(at)[-1]
    assert last.kind in (ReportWord.REJECTED, ReportWord.EXPIRED)
    assert last.reason is Reason.REDUCE_ONLY
    assert at.ledger.shown_holdings() != ()


@pytest.mark.parametrize("beside", [True, False])
def test_rule_43_an_entry_beside_a_stop_is_refused_where_the_venue_forbids_it(beside: bool) -> None:
    at = opened(abilities=Abilities(entry_beside_stop=beside))
    sent(at, order(1, Role.STOP, trigger="99"))
    refused = sent(at, order(2, price="101"))[-1].reason is Reason.VENUE_FORBIDS
    assert refused is not beside


@pytest.mark.parametrize("role", [Role.STOP, Role.EXIT])
@pytest.mark.parametrize("beside", [True, False])
def test_rule_43_what_reduces_is_refused_beside_an_order_that_it_could_trade_with(
    role: Role, beside: bool
) -> None:
    """Until that is taken back, as those of others are where they forbid something."""
    at = opened(abilities=Abilities(stop_beside_entry=beside))
    at.matching.foreign_rest("web-1", "AAA", 0)
    trigger = "99" if role is Role.STOP else None
    assert (
        sent(at, order(1, role, trigger=trigger))[0].reason is Reason.VENUE_FORBIDS
    ) is not beside
    at.receive(2 * FORBIDDEN_NS_MAX)
    assert bool(at.ledger.open_orders("AAA")) is beside
    if not beside:
        again = sent(at, order(2, role, trigger=trigger), 2 * FORBIDDEN_NS_MAX)
        assert again[0].kind is ReportWord.ACCEPTED


@pytest.mark.parametrize(
    ("role", "is_taken"), [(Role.ENTRY, True), (Role.STOP, False), (Role.EXIT, False)]
)
def test_rule_48_what_trades_at_market_may_not_be_too_large(role: Role, is_taken: bool) -> None:
    at = opened()
    at.instruments["AAA"] = replace(at.instruments["AAA"], max_market_quantity=Decimal(4))
    price, trigger = ("101", None) if role is Role.ENTRY else (None, "99")
    reports = sent(at, order(2, role, price=price, trigger=trigger))
    assert (reports[-1].reason is not Reason.BAD_QUANTITY) is is_taken
