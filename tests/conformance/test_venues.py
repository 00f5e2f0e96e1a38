"""What the engine relies on from any venue, said in terms of the seam alone, and true of every one.

A statement that a venue's abilities rule out is skipped there with that reason. A new venue is a
line in `conftest.REAL`, and passes.
"""

from decimal import Decimal

import pytest

from pointsman.domain.commands import Compare, MoveCash
from pointsman.domain.events import (
    CashConfirmed,
    NotSent,
    OrderAbsent,
    OrderReport,
    ReportWord,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.money import BPS
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import Snapshot
from tests.conformance.any_venue import AnyVenue, held, is_flat, side_of
from tests.conformance.bench import LONG, SHORT

E1, S1, X1 = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"
MS_NS = 1_000_000


# -- entries ---------------------------------------------------------------------------------------


def test_an_account_where_nothing_happened_shows_nothing(venue: AnyVenue) -> None:
    snapshot = venue.compare()
    assert is_flat(snapshot)
    assert snapshot.trades == ()


@pytest.mark.parametrize(
    ("side", "limit", "price"), [(LONG, "100.05", "100.02"), (SHORT, "99.95", "100.00")]
)
def test_an_entry_fills_at_the_touch_when_its_limit_allows(
    venue: AnyVenue, side: PositionSide, limit: str, price: str
) -> None:
    assert venue.submit(venue.entry(E1, side, 10, limit), "TRADE 10") == ["ACCEPTED", "TRADE 10"]
    (fill,) = venue.fills(E1)
    assert (fill.price, fill.quantity) == (venue.price(price), venue.quantity(10))
    assert held(venue.compare(), venue) == {side_of(venue, side): 10 * side.sign}


@pytest.mark.parametrize(("side", "limit"), [(LONG, "100.00"), (SHORT, "100.02")])
def test_an_entry_that_its_limit_forbids_ends_at_once_and_trades_nothing(
    venue: AnyVenue, side: PositionSide, limit: str
) -> None:
    venue.send(venue.entry(E1, side, 10, limit))
    venue.until(lambda: has_ended(venue, E1))
    assert venue.fills(E1) == []
    assert venue.reports(E1)[-1].reason is Reason.NOT_FILLED
    assert is_flat(venue.compare())


def test_what_an_entry_cannot_fill_at_once_ends_and_what_it_has_filled_stays(
    venue: AnyVenue,
) -> None:
    venue.quote("100.00", "100.02", ask_size=4)
    venue.send(venue.entry(E1, LONG, 10, "100.02"))
    venue.until(lambda: has_ended(venue, E1) and venue.fills(E1))
    assert venue.reports(E1)[-1].reason is Reason.NOT_FILLED
    order = venue.found(E1).order
    assert order.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
    assert (order.filled, order.end_reason) == (venue.quantity(4), Reason.NOT_FILLED)
    assert held(venue.compare(), venue) == {side_of(venue, LONG): 4}


def test_every_report_names_the_order_its_venue_id_and_a_time_that_has_come(
    venue: AnyVenue,
) -> None:
    began_ns = venue.now_ns()
    venue.submit(venue.entry(E1, LONG, 10, "100.02"), "TRADE 10")
    reports = [reply for reply in venue.replies(OrderReport) if reply.client_order_id == E1]
    (venue_order_id,) = {report.venue_order_id for report in reports}
    assert venue_order_id
    assert all(began_ns - MS_NS <= report.ts_ns <= venue.now_ns() for report in reports)


def has_ended(venue: AnyVenue, order_id: str) -> bool:
    ends = (ReportWord.CANCELED, ReportWord.EXPIRED, ReportWord.REJECTED)
    return any(report.kind in ends for report in venue.reports(order_id))


# -- stops -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "trigger", "short_of_it", "beyond"),
    [
        (LONG, "99.00", ("99.01", "99.05"), ("98.90", "98.95")),
        (SHORT, "101.00", ("100.95", "100.99"), ("101.05", "101.10")),
    ],
)
def test_a_stop_rests_until_the_market_reaches_it_and_then_closes_the_holding(
    venue: AnyVenue,
    side: PositionSide,
    trigger: str,
    short_of_it: tuple[str, str],
    beyond: tuple[str, str],
) -> None:
    venue.hold(side, 10)
    assert venue.submit(venue.stop(S1, side, 10, trigger), "ACCEPTED") == ["ACCEPTED"]
    venue.quote(*short_of_it)
    assert held(venue.compare(), venue) == {side_of(venue, side): 10 * side.sign}
    assert venue.told(S1) == ["ACCEPTED"]
    venue.quote(*beyond)
    venue.wait(S1, "TRADE 10")
    if venue.abilities.tells_triggered:
        venue.wait(S1, "TRIGGERED")
    order = venue.found(S1).order
    assert (order.status, order.filled) == (OrderStatus.FILLED, venue.quantity(10))
    assert is_flat(venue.compare())
    told = {"ACCEPTED", "TRADE 10"} | ({"TRIGGERED"} & set(venue.told(S1)))
    assert set(venue.told(S1)) == told


def test_a_resting_stop_is_listed_as_it_was_sent(venue: AnyVenue) -> None:
    venue.hold(LONG, 10)
    venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    (resting,) = venue.compare().open_orders
    assert (resting.client_order_id, resting.symbol) == (S1, venue.market.symbol)
    assert (resting.side, resting.position_side) == (Side.SELL, side_of(venue, LONG))
    assert (resting.status, resting.is_triggered) == (OrderStatus.ACCEPTED, False)
    assert (resting.quantity, resting.filled) == (venue.quantity(10), 0)
    assert resting.trigger_price == venue.price("99.00")
    assert resting.reduce_only is (venue.abilities.reduce_only is not ReduceOnlyMode.NONE)
    assert venue.found(S1).order == resting


def test_a_stop_that_the_market_has_passed_is_rejected(venue: AnyVenue) -> None:
    venue.hold(LONG, 10)
    stop = venue.stop(S1, LONG, 10, "100.50")
    assert venue.submit(stop, "REJECTED WOULD_TRIGGER") == ["REJECTED WOULD_TRIGGER"]
    assert venue.compare().open_orders == ()


def test_two_stops_protect_the_parts_of_a_holding(venue: AnyVenue) -> None:
    venue.hold(LONG, 20)
    venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    venue.submit(venue.stop("ABCDEF2S1", LONG, 10, "98.00"), "ACCEPTED")
    venue.quote("98.50", "98.55")
    venue.wait(S1, "TRADE 10")
    snapshot = venue.compare()
    assert [each.client_order_id for each in snapshot.open_orders] == ["ABCDEF2S1"]
    assert held(snapshot, venue) == {side_of(venue, LONG): 10}


def test_rule_43_an_entry_beside_a_stop_fills_or_is_refused_as_the_abilities_say(
    venue: AnyVenue,
) -> None:
    venue.hold(LONG, 10)
    venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    entry = venue.entry(E1, LONG, 10, "100.50")
    if venue.abilities.entry_beside_stop:
        venue.submit(entry, "TRADE 10")
    else:
        assert venue.submit(entry, "REJECTED VENUE_FORBIDS") == ["REJECTED VENUE_FORBIDS"]
    snapshot = venue.compare()
    assert held(snapshot, venue) == {
        side_of(venue, LONG): 20 if venue.abilities.entry_beside_stop else 10
    }
    assert [each.client_order_id for each in snapshot.open_orders] == [S1]


# -- exits -----------------------------------------------------------------------------------------


def test_an_exit_closes_what_is_held(venue: AnyVenue) -> None:
    venue.hold(LONG, 10)
    exit_ = venue.market_exit(X1, LONG, 10)
    assert venue.submit(exit_, "TRADE 10") == ["ACCEPTED", "TRADE 10"]
    assert is_flat(venue.compare())


def test_an_exit_with_nothing_to_close_is_rejected_and_opens_nothing(venue: AnyVenue) -> None:
    if venue.abilities.reduce_only is ReduceOnlyMode.NONE:
        pytest.skip("the venue knows no reduce-only; the desk sends no more than is held")
    exit_ = venue.market_exit(X1, LONG, 10)
    assert venue.submit(exit_, "REJECTED REDUCE_ONLY") == ["REJECTED REDUCE_ONLY"]
    assert is_flat(venue.compare())


def test_an_exit_that_is_larger_than_the_holding_never_opens_the_other_side(
    venue: AnyVenue,
) -> None:
    if venue.abilities.reduce_only is ReduceOnlyMode.NONE:
        pytest.skip("the venue knows no reduce-only; the desk sends no more than is held")
    venue.hold(LONG, 10)
    venue.send(venue.market_exit(X1, LONG, 50))
    venue.until(lambda: has_ended(venue, X1) or venue.fills(X1))
    assert held(venue.compare(), venue) in ({}, {side_of(venue, LONG): 10})


def test_an_exit_beside_the_stop_closes_or_is_refused_as_the_abilities_say(
    venue: AnyVenue,
) -> None:
    venue.hold(LONG, 10)
    venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    venue.send(venue.market_exit(X1, LONG, 10))
    venue.until(lambda: has_ended(venue, X1) or venue.fills(X1))
    if venue.abilities.reduce_only in (None, ReduceOnlyMode.CLIP) or venue.fills(X1):
        assert venue.told(X1) == ["ACCEPTED", "TRADE 10"]
        assert held(venue.compare(), venue) == {}
    else:
        assert venue.told(X1) == ["REJECTED REDUCE_ONLY"]
        assert held(venue.compare(), venue) == {side_of(venue, LONG): 10}


def test_in_hedge_mode_long_and_short_are_kept_apart(venue: AnyVenue) -> None:
    if venue.position_mode is not PositionMode.HEDGE:
        pytest.skip("the account nets long and short")
    venue.hold(LONG, 10)
    venue.hold(SHORT, 20, "ABCDEF2E1")
    venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    venue.submit(venue.stop("ABCDEF2S1", SHORT, 20, "101.00"), "ACCEPTED")
    snapshot = venue.compare()
    assert held(snapshot, venue) == {LONG: 10, SHORT: -20}
    listed = {each.client_order_id: each.position_side for each in snapshot.open_orders}
    assert listed == {S1: LONG, "ABCDEF2S1": SHORT}
    venue.quote("101.05", "101.10")
    venue.wait("ABCDEF2S1", "TRADE 20")
    assert held(venue.compare(), venue) == {LONG: 10}
    venue.submit(venue.market_exit(X1, LONG, 10), "TRADE 10")
    assert held(venue.compare(), venue) == {}


def test_in_net_mode_a_sale_reduces_what_was_bought(venue: AnyVenue) -> None:
    if venue.position_mode is not PositionMode.NET:
        pytest.skip("the account keeps long and short apart")
    venue.hold(LONG, 10)
    venue.submit(venue.entry(E1, SHORT, 4, "99.50"), "TRADE 4")
    assert held(venue.compare(), venue) == {None: 6}


# -- cancels ---------------------------------------------------------------------------------------


def test_a_stop_is_cancelled_once_and_never_fills_after(venue: AnyVenue) -> None:
    venue.hold(LONG, 10)
    venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    venue.cancel(S1)
    assert venue.wait(S1, "CANCELED") == ["ACCEPTED", "CANCELED"]
    assert venue.reports(S1)[-1].reason is None
    assert venue.refused_cancel(S1).reason is Reason.NOT_FOUND
    venue.quote("98.00", "98.05")
    assert held(venue.compare(), venue) == {side_of(venue, LONG): 10}
    assert venue.found(S1).order.status is OrderStatus.CANCELED


def test_what_has_filled_cannot_be_cancelled(venue: AnyVenue) -> None:
    venue.hold(LONG, 10)
    venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    venue.quote("98.90", "98.95")
    venue.wait(S1, "TRADE 10")
    assert venue.refused_cancel(S1).reason is Reason.NOT_FOUND
    assert "CANCELED" not in venue.told(S1)
    assert venue.found(S1).order.status is OrderStatus.FILLED


def test_what_the_venue_does_not_know_cannot_be_cancelled(venue: AnyVenue) -> None:
    refused = venue.refused_cancel("ABCDEF7S1")
    assert refused.reason is Reason.NOT_FOUND
    assert not isinstance(refused, NotSent) or refused.is_cancel
    assert venue.told("ABCDEF7S1") == []


# -- ids -------------------------------------------------------------------------------------------


def test_a_client_id_is_never_two_orders(venue: AnyVenue) -> None:
    venue.hold(LONG, 10)
    stop = venue.stop(S1, LONG, 10, "99.00")
    venue.submit(stop, "ACCEPTED")
    venue.send(stop)
    assert venue.found(S1).order.status is OrderStatus.ACCEPTED
    assert venue.told(S1) == ["ACCEPTED"]
    assert [each.client_order_id for each in venue.compare().open_orders] == [S1]


# -- questions -------------------------------------------------------------------------------------


def test_a_query_finds_an_order_that_rests_or_has_ended_with_all_of_its_fills(
    venue: AnyVenue,
) -> None:
    venue.hold(LONG, 10)
    venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    resting = venue.found(S1)
    assert (resting.order.status, resting.fills) == (OrderStatus.ACCEPTED, ())
    entry = venue.found("ABCDEF9E1")
    assert (entry.order.status, entry.order.filled) == (OrderStatus.FILLED, venue.quantity(10))
    assert sum(fill.quantity for fill in entry.fills) == venue.quantity(10)
    assert resting.order.venue_order_id != entry.order.venue_order_id


def test_rule_26_absent_is_said_as_of_the_moment_the_venue_was_asked(venue: AnyVenue) -> None:
    asked_ns = venue.now_ns()
    absent = venue.query("ABCDEF7S1")
    assert isinstance(absent, OrderAbsent)
    assert absent.client_order_id == "ABCDEF7S1"
    assert asked_ns <= absent.asked_at_ns <= venue.now_ns()


def test_an_execution_is_the_same_in_a_report_an_answer_and_a_comparison(
    venue: AnyVenue,
) -> None:
    """The same key above all, so that it is booked once."""
    venue.hold(LONG, 10)
    (told,) = venue.fills("ABCDEF9E1")
    (found,) = venue.found("ABCDEF9E1").fills
    (trade,) = venue.compare().trades
    assert (trade.client_order_id, trade.symbol) == ("ABCDEF9E1", venue.market.symbol)
    assert (trade.side, trade.position_side) == (Side.BUY, side_of(venue, LONG))
    for said in (found, trade.fill):
        assert (said.trade_id, said.quantity, said.price) == (
            told.trade_id,
            told.quantity,
            told.price,
        )
        assert (said.fee, said.fee_currency) == (told.fee, told.fee_currency)
        assert said.ts_ns // MS_NS == told.ts_ns // MS_NS


def test_a_fill_tells_the_fee_that_was_taken(venue: AnyVenue) -> None:
    venue.hold(LONG, 10)
    (fill,) = venue.fills("ABCDEF9E1")
    assert fill.fee == fill.quantity * fill.price * venue.market.fee_bps / BPS


def test_executions_are_told_once_by_cursor_and_add_up_to_what_is_held(
    venue: AnyVenue,
) -> None:
    venue.hold(LONG, 10)
    first = venue.compare()
    venue.submit(venue.market_exit(X1, LONG, 4), "TRADE 4")
    second = venue.compare(first.fills_cursor)
    assert [trade.client_order_id for trade in second.trades] == [X1]
    assert venue.compare(second.fills_cursor).trades == ()
    everything = venue.compare().trades
    assert everything == first.trades + second.trades
    assert len({trade.fill.trade_id for trade in everything}) == 2
    total = sum(trade.side.sign * trade.fill.quantity for trade in everything)
    assert held(second, venue) == {side_of(venue, LONG): total / venue.market.lot}


def test_a_comparison_says_when_it_was_asked_for_and_of_which_moment_it_is(
    venue: AnyVenue,
) -> None:
    venue.hold(LONG, 10)
    venue.compare()
    asked_ns = venue.now_ns()
    snapshot = venue.ask(Compare(venue.cursor), Snapshot)
    assert snapshot.is_complete
    assert asked_ns <= snapshot.asked_at_ns <= snapshot.taken_at_ns <= venue.now_ns()


def test_rule_14_money_moves_once_for_each_reference(venue: AnyVenue) -> None:
    move = MoveCash("deposit-1", Decimal("1000.50"))
    venue.send(move, move)
    venue.until(lambda: len(list(venue.replies(CashConfirmed))) == 2)
    assert set(venue.replies(CashConfirmed)) == {CashConfirmed("deposit-1")}


# -- the next engine -------------------------------------------------------------------------------


def test_the_same_account_is_found_again_after_it_was_closed(venue: AnyVenue) -> None:
    venue.hold(LONG, 10)
    venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    before = venue.compare()
    venue.reopen()
    after = venue.compare()
    assert (after.open_orders, after.trades, after.holdings) == (
        before.open_orders,
        before.trades,
        before.holdings,
    )
    assert venue.found(S1).order == before.open_orders[0]
    venue.quote("98.90", "98.95")
    venue.wait(S1, "TRADE 10")
    assert is_flat(venue.compare())


def test_a_stop_of_an_earlier_engine_can_be_cancelled(venue: AnyVenue) -> None:
    venue.hold(LONG, 10)
    venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    venue.reopen()
    venue.cancel(S1)
    venue.wait(S1, "CANCELED")
    assert venue.compare().open_orders == ()
