"""Booking: each execution becomes cash, lots, results and trades, exactly."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.accounts import Incident
from pointsman.domain.events import VenueFill, VenueWord
from pointsman.domain.orders import Fill, Order, Role
from pointsman.domain.positions import Lot, PositionState, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.signals import Signal
from pointsman.execution.booking import fill_key
from pointsman.execution.desk import Desk
from tests.desk_stories import (
    VA,
    XXX,
    account,
    acknowledge,
    cancels,
    enter,
    incidents,
    of_type,
    policy,
    ready_desk,
    report,
    send,
    signal,
    stop_out,
    submits,
    trade,
)
from tests.order_stories import kept_desk, replace

START = Decimal(100_000)
Executions = list[tuple[str, str, str]]


def working_entry(desk: Desk, sent: Signal) -> Order:
    step = send(desk, sent)
    acknowledge(desk, step)
    (entry,) = submits(step)
    return entry


def execute(desk: Desk, order: Order, executions: Executions) -> list[Trade]:
    """Quantity, price, fee; what became a trade by them."""
    trades: list[Trade] = []
    for quantity, price, fee in executions:
        step = trade(desk, order.client_order_id, quantity, price, fee=fee)
        acknowledge(desk, step)
        trades += of_type(step.changes, Trade)
    return trades


def leave(desk: Desk, quantity: str | None = None, side: str = "close") -> Order:
    """The exit order of a signal, working at the venue; the venue clips, so the stop stays."""
    step = send(desk, signal(f"out at {desk.now_ns}", side, quantity))
    acknowledge(desk, step)
    (leaving,) = submits(step)
    return leaving


# -- results ---------------------------------------------------------------------------------------

ENTRIES = [("4", "100", "0.1"), ("6", "101", "0.2")]
EXITS = [("5", "103", "0.05"), ("5", "99", "0.05")]


@pytest.mark.parametrize(
    ("side", "entries", "exits", "pnl"),
    [
        # 4 x 3 + 1 x 2 from the first exit, 5 x -2 from the second, less all fees.
        ("buy", ENTRIES, EXITS, "3.60"),
        ("sell", ENTRIES, EXITS, "-4.40"),
        ("buy", [("10", "100", "0")], [("10", "100", "0")], "0"),
        ("buy", [("10", "100", "0.003")], [("10", "100", "0")], "-0.003"),
        ("buy", [("3", "0.1", "0"), ("7", "0.3", "0")], [("10", "0.2", "0")], "-0.4"),
    ],
)
def test_rule_14_a_result_comes_from_lots_and_fees_never_from_an_average(
    side: str, entries: Executions, exits: Executions, pnl: str
) -> None:
    desk = ready_desk()
    execute(desk, working_entry(desk, signal("a", side)), entries)
    (closed,) = execute(desk, leave(desk), exits)
    assert (closed.pnl, closed.quantity) == (Decimal(pnl), Decimal(10))
    assert closed.fees == sum(Decimal(fee) for _, _, fee in entries + exits) == account(desk).fees
    assert account(desk).cash == account(desk).balance == START + Decimal(pnl)


def test_rules_14_15_a_part_that_leaves_takes_the_oldest_lots_and_is_realized_at_once() -> None:
    desk = ready_desk()
    entry = working_entry(desk, signal("a"))
    execute(desk, entry, ENTRIES)
    assert execute(desk, leave(desk, "5", "sell"), EXITS[:1]) == [], "no trade until it is closed"
    position = desk.books.positions[entry.position_id]
    assert position.lots == (Lot(Decimal(5), Decimal(101)),)
    assert position.realized_to_date == Decimal("13.65"), "14 less fees of 0.35"
    assert account(desk).balance == START + position.realized_to_date
    assert account(desk).cash == account(desk).balance - 505


def test_averages_of_a_trade_are_rounded_to_ten_places_for_showing() -> None:
    desk = ready_desk()
    execute(desk, working_entry(desk, signal("a", quantity="3")), [("1", "100", "0")])
    execute(desk, desk.books.orders["ABCDEF1E1"], [("2", "101", "0")])
    (closed,) = execute(desk, leave(desk), [("3", "100.5", "0")])
    assert (closed.entry_price, closed.exit_price) == (Decimal("100.6666666667"), Decimal("100.5"))
    assert closed.pnl == Decimal("-0.5"), "not 3 x (100.5 - 100.6666666667)"


PARTS = st.lists(st.integers(1, 9), min_size=1, max_size=4)
PRICES = st.decimals("0.01", "900", places=2)
FEES = st.decimals("-0.5", "0.5", places=5)


@given(PARTS, st.sampled_from(["buy", "sell"]), st.data())
def test_rule_14_what_was_paid_and_received_is_all_there_is_to_a_result(
    parts: list[int], side: str, data: st.DataObject
) -> None:
    """However an entry and its exit are cut up, the trade is what came in less what went out."""

    def executions(quantities: list[int]) -> Executions:
        return [(str(n), str(data.draw(PRICES)), str(data.draw(FEES))) for n in quantities]

    desk = ready_desk()
    held = sum(parts)
    entries, exits = executions(parts), executions([1] * (held // 2) + [held - held // 2])
    execute(desk, working_entry(desk, signal("a", side, str(held))), entries)
    (closed,) = execute(desk, leave(desk), exits)
    paid = sum(Decimal(n) * Decimal(price) for n, price, _ in entries)
    received = sum(Decimal(n) * Decimal(price) for n, price, _ in exits)
    fees = sum(Decimal(fee) for _, _, fee in entries + exits)
    assert closed.pnl == (received - paid) * (1 if side == "buy" else -1) - fees
    assert account(desk).cash == account(desk).balance == START + closed.pnl


# -- what becomes a trade --------------------------------------------------------------------------


def test_rule_15_dust_ends_a_position_and_stays_a_holding() -> None:
    """Of 10, 8 leave; the venue trades nothing below 3."""
    coarse = replace(XXX, min_qty=Decimal(3))
    desk = ready_desk(policy(instruments={"XXX": coarse}))
    position = enter(desk, signal("a"))
    step = trade(desk, leave(desk, "8", "sell").client_order_id, "8", "101")
    (closed,) = of_type(step.changes, Trade)
    assert (closed.trade_id, closed.quantity, closed.pnl) == ("1.0", Decimal(8), Decimal(8))
    assert cancels(step) == ["ABCDEF1S1"], "nothing is left to protect"
    dust = desk.books.positions[position.position_id]
    assert (dust.state, dust.quantity) == (PositionState.DUST, Decimal(2))
    assert account(desk).balance - account(desk).cash == 200
    report(desk, "ABCDEF1S1", VenueWord.CANCELED)
    assert account(desk).leased_symbol is None, "dust does not hold the lease"


def test_rule_15_one_entry_is_one_trade_even_if_its_stop_is_faster_than_the_rest_of_it() -> None:
    desk = ready_desk()
    entry = working_entry(desk, signal("a"))
    execute(desk, entry, [("4", "100", "0")])
    position = desk.books.positions[entry.position_id]
    assert of_type(stop_out(desk, position, "98").changes, Trade) == []
    execute(desk, entry, [("3", "100", "0")])
    stop_out(desk, position, "97")
    (closed,) = of_type(report(desk, entry.client_order_id, VenueWord.CANCELED).changes, Trade)
    assert (closed.quantity, closed.pnl, closed.exit_reason) == (7, -17, Reason.STOP_LOSS)
    assert account(desk).trades == account(desk).losses == 1


# -- more than there was ---------------------------------------------------------------------------


def test_rule_21_an_exit_that_races_its_stop_takes_from_the_other_position_of_its_va() -> None:
    """The venue clips at what its account holds: both fill, and between them they sell 20."""
    desk = ready_desk()
    first, second = enter(desk, signal("a")), enter(desk, signal("b"), price="101")
    leaving = leave(desk, "10", "sell")
    stop_out(desk, first, "98", fee="0.1")
    step = trade(desk, leaving.client_order_id, "10", "97", fee="0.2")
    (closed,) = of_type(step.changes, Trade)
    assert (closed.position_id, closed.pnl) == (second.position_id, Decimal("-40.2"))
    assert cancels(step) == ["ABCDEF2S1"]
    assert not desk.books.positions
    assert account(desk).frozen_for is None, "it held all that was sold"
    assert account(desk).balance == account(desk).cash == START - Decimal("60.3")


def test_rule_21_what_fills_beyond_all_holdings_is_booked_and_freezes_the_symbol() -> None:
    desk = ready_desk(accounts=(VA, "VA002", "VA003"))
    position = enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    enter(desk, signal("c", va_id="VA003", symbol="YYY"))
    step = trade(desk, "ABCDEF1S1", "12", "98", fee="0.6")
    (closed,) = of_type(step.changes, Trade)
    assert (closed.position_id, closed.quantity) == (position.position_id, Decimal(10))
    told = [(one.kind, one.value, one.limit) for one in of_type(step.changes, Incident)]
    assert told == [(Reason.OVERFILL, "12", "10")] * 2, "more than was ordered, and than was held"
    (beyond,) = (held for held in desk.books.positions.values() if held.va_id == VA)
    assert (beyond.state, beyond.side) == (PositionState.OVERFILLED, PositionSide.SHORT)
    assert beyond.lots == (Lot(Decimal(2), Decimal(98)),)
    frozen = {one.va_id: one.frozen_for for one in desk.books.accounts.values()}
    assert frozen == {VA: Reason.OVERFILL, "VA002": Reason.OVERFILL, "VA003": None}
    assert account(desk).cash == START - 1000 + 12 * 98 - Decimal("0.6")


def test_rule_21_an_entry_filled_beyond_its_order_is_held_covered_and_frozen() -> None:
    desk = ready_desk()
    entry = working_entry(desk, signal("a"))
    step = trade(desk, entry.client_order_id, "12")
    assert incidents(step) == [Reason.OVERFILL]
    assert [(order.role, order.quantity) for order in submits(step)] == [(Role.STOP, Decimal(12))]
    assert account(desk).frozen_for is Reason.OVERFILL


@pytest.mark.parametrize(("symbol", "side"), [("YYY", "buy"), ("XXX", "sell")])
def test_a_late_fill_beside_something_else_is_booked_covered_and_frozen(
    symbol: str, side: str
) -> None:
    """The entry had ended and the account gone on, to another symbol or the other direction."""
    desk = kept_desk()
    entry = working_entry(desk, signal("a"))
    report(desk, entry.client_order_id, VenueWord.CANCELED)
    enter(desk, signal("b", side, symbol=symbol))
    step = trade(desk, entry.client_order_id, "10")
    assert incidents(step) == [Reason.STRANGE_REPORT]
    assert [(stop.role, stop.symbol) for stop in submits(step)] == [(Role.STOP, "XXX")]
    assert account(desk).frozen_for is Reason.STRANGE_REPORT


# -- the stop's price, and the key -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "executions", "stop_price"),
    [
        ({}, [("4", "100", "0"), ("6", "100.06", "0")], "98.04"),
        ({}, [("5", "100", "0"), ("5", "100.01", "0")], "98.00"),
        ({"stop_loss": Decimal("97.5")}, [("4", "100", "0"), ("6", "100.06", "0")], "97.5"),
        ({"stop_loss_percentage": Decimal(1)}, [("5", "100", "0"), ("5", "101", "0")], "99.50"),
    ],
    ids=["by the average", "one tick is not worth it", "its own level", "its own percentage"],
)
def test_rule_22_the_stop_moves_to_the_average_once_the_entry_is_final(
    fields: dict[str, Decimal], executions: Executions, stop_price: str
) -> None:
    desk = ready_desk()
    entry = working_entry(desk, signal("a", **fields))
    execute(desk, entry, executions[:1])
    first = desk.books.positions[entry.position_id].stop_price
    execute(desk, entry, executions[1:])
    assert desk.books.positions[entry.position_id].stop_price == Decimal(stop_price)
    assert first <= Decimal(stop_price), "set by the first fill's price"


def test_an_execution_without_a_trade_id_is_known_by_its_facts() -> None:
    named = VenueFill("T1", Decimal(1), Decimal(100), Decimal(0), 5)
    plain = replace(named, trade_id="")
    same = replace(plain, fee=Decimal(1))
    further = [replace(plain, ts_ns=6), replace(plain, cumulative=Decimal(2))]
    assert fill_key("A", Side.BUY, named) == "A:T1:buy"
    assert fill_key("A", Side.BUY, plain) == fill_key("A", Side.BUY, same)
    keys = {fill_key("A", Side.BUY, fill) for fill in [named, plain, *further]}
    assert len(keys) == 4
    assert fill_key("A", Side.SELL, plain) not in keys


def test_a_fill_is_stored_with_its_one_owner_and_both_times() -> None:
    desk = ready_desk()
    entry = working_entry(desk, signal("a"))
    (fill,) = of_type(trade(desk, entry.client_order_id, "10", fee="0.5").changes, Fill)
    assert (fill.va_id, fill.position_id, fill.client_order_id) == (VA, 1, "ABCDEF1E1")
    assert (fill.venue_ts_ns, fill.booked_at_ns, fill.is_external) == (desk.now_ns,) * 2 + (False,)
