"""What is learned of an order, and what follows: its life, any order of messages, silence."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.accounts import Account
from pointsman.domain.commands import Compare, Query, Step
from pointsman.domain.events import (
    OrderReport,
    ReportWord,
    SendRefused,
    VenueFill,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Fill
from pointsman.domain.positions import Position, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from tests.desk_stories import (
    SECOND_NS,
    VA,
    account,
    acknowledge,
    cancels,
    enter,
    incidents,
    of_type,
    order_sent,
    report,
    send,
    signal,
    stop_out,
    submits,
    tell,
    trade,
)
from tests.order_stories import KeptDesk, entered_desk, fill_of, kept_desk

ENTRY, STOP = "ABCDEF1E1", "ABCDEF1S1"


def queries(*steps: Step) -> list[str]:
    return [query.client_order_id for step in steps for query in of_type(step.commands, Query)]


# -- life ------------------------------------------------------------------------------------------


def test_an_entry_that_fills_in_part_is_covered_from_its_first_fill_on() -> None:
    """RULES 22: a stop for the first fill at once, a further one for more, never
    cancel-then-create; and the rest that is cancelled needs none."""
    desk = entered_desk("90")
    first = trade(desk, ENTRY, "40", "100.00")
    (stop,) = submits(first)
    assert (stop.quantity, stop.trigger_price, stop.side) == (
        Decimal(40),
        Decimal("98.00"),
        Side.SELL,
    )
    assert stop.reduce_only
    acknowledge(desk, first)
    second = trade(desk, ENTRY, "35", "100.00")
    assert [order.quantity for order in submits(second)] == [35]
    assert cancels(second) == []
    acknowledge(desk, second)
    rest = report(desk, ENTRY, ReportWord.CANCELED, reason=Reason.NOT_FILLED)
    assert rest.commands == ()
    assert desk.kept.order(ENTRY).status is OrderStatus.CANCELED
    assert desk.books.positions[1].quantity == 75


@pytest.mark.parametrize(
    ("second_price", "stop_price"),
    [("100.00", "98.00"), ("100.02", "98.00"), ("100.05", "98.03"), ("99.00", "97.51")],
)
def test_rule_22_the_stop_moves_to_the_average_only_if_more_than_a_tick_off(
    second_price: str, stop_price: str
) -> None:
    desk = entered_desk("20")
    acknowledge(desk, trade(desk, ENTRY, "10", "100.00"))
    last = trade(desk, ENTRY, "10", second_price)
    assert desk.books.positions[1].stop_price == Decimal(stop_price)
    moved = stop_price != "98.00"
    wanted = [(Decimal(20 if moved else 10), Decimal(stop_price))]
    assert [(order.quantity, order.trigger_price) for order in submits(last)] == wanted
    assert cancels(last) == [], "the old stop rests until the new one does"
    new = submits(last)[0].client_order_id
    order_sent(desk, new)
    confirmed = report(desk, new, ReportWord.ACCEPTED)
    assert cancels(confirmed) == ([STOP] if moved else [])


def test_a_stop_that_fills_makes_a_trade_and_gives_the_symbol_back() -> None:
    """RULES 14, 15: exact to the last digit of the fees; a stop closes its own position."""
    desk = kept_desk()
    position = enter(desk, signal("a"), "100.01", fee="0.100010")
    assert account(desk).leased_symbol == "XXX"
    step = stop_out(desk, position, "97.99", fee="0.097990")
    (closed,) = of_type(step.changes, Trade)
    assert closed.pnl == Decimal("-20.2") - Decimal("0.198")
    assert (closed.exit_reason, closed.fees) == (Reason.STOP_LOSS, Decimal("0.198"))
    after = account(desk)
    assert (after.losses, after.wins, after.leased_symbol) == (1, 0, None)
    assert after.balance == after.cash == Decimal(100_000) + closed.pnl


def test_f43_what_still_rests_when_a_position_is_gone_is_cancelled() -> None:
    desk = entered_desk("20")
    acknowledge(desk, trade(desk, ENTRY, "10"))
    acknowledge(desk, trade(desk, ENTRY, "10"))
    (step,) = [send(desk, signal("b", "close", None))]
    (exit_,) = submits(step)
    acknowledge(desk, step)
    gone = trade(desk, exit_.client_order_id, "20", "101")
    assert cancels(gone) == [STOP, "ABCDEF1S2"]
    assert account(desk).leased_symbol == "XXX", "an order still works"
    report(desk, STOP, ReportWord.CANCELED)
    last = report(desk, "ABCDEF1S2", ReportWord.CANCELED)
    assert last.commands == ()
    assert account(desk).leased_symbol is None


def test_f11_a_fill_that_overtakes_the_acknowledgement_is_covered_all_the_same() -> None:
    desk = kept_desk()
    order_sent(desk, submits(send(desk, signal("a")))[0].client_order_id)
    step = trade(desk, ENTRY, "10")
    assert [order.quantity for order in submits(step)] == [10]
    assert report(desk, ENTRY, ReportWord.ACCEPTED).commands == ()
    assert desk.kept.order(ENTRY).status is OrderStatus.FILLED


def test_f13_the_same_fill_again_changes_nothing_however_late() -> None:
    desk = entered_desk()
    told = fill_of(desk, ENTRY, "t1", "10", fee="0.1")
    acknowledge(desk, tell(desk, told))
    again = tell(desk, told, 40 * 60 * SECOND_NS)
    assert (again.changes, again.commands) == ((), ())


def test_f15_two_fills_with_one_trade_id_on_two_orders_are_two_fills() -> None:
    desk = kept_desk()
    for name in ("a", "b"):
        acknowledge(desk, send(desk, signal(name)))
    for order_id in (ENTRY, "ABCDEF2E1"):
        tell(desk, fill_of(desk, order_id, "t1", "10"))
    assert [held.quantity for held in desk.books.open_positions(VA)] == [10, 10]


def test_f16_fills_without_a_trade_id_are_known_by_what_they_say() -> None:
    desk = entered_desk("20")
    told = fill_of(desk, ENTRY, "", "10")
    for event in (told, told, fill_of(desk, ENTRY, "", "10", "100.01")):
        tell(desk, event)
    assert desk.books.positions[1].quantity == 20


@pytest.mark.parametrize("end", [ReportWord.CANCELED, ReportWord.EXPIRED, ReportWord.REJECTED])
def test_f22_f24_what_filled_before_the_end_was_heard_is_a_position(end: ReportWord) -> None:
    """The end is told first; fills win, and the fill gets its stop."""
    desk = entered_desk()
    report(desk, ENTRY, end)
    assert account(desk).leased_symbol is None
    step = tell(desk, fill_of(desk, ENTRY, "t1", "4"))
    assert [order.quantity for order in submits(step)] == [4]
    assert account(desk).leased_symbol == "XXX"
    assert desk.kept.order(ENTRY).filled == 4
    tell(desk, fill_of(desk, ENTRY, "t2", "6"))
    assert desk.kept.order(ENTRY).status is OrderStatus.FILLED
    assert desk.books.positions[1].quantity == 10


def test_rule_22_a_fill_told_after_the_end_of_its_entry_moves_the_average_and_the_stop() -> None:
    """I4: the stop stands where it would stand had the messages come in order."""
    desk = entered_desk("20")
    acknowledge(desk, tell(desk, fill_of(desk, ENTRY, "t1", "10", "100.00")))
    report(desk, ENTRY, ReportWord.CANCELED)
    tell(desk, fill_of(desk, ENTRY, "t2", "8", "101.00"))
    assert desk.books.positions[1].stop_price == Decimal("98.44")


def test_a_late_fill_of_an_entry_whose_position_is_gone_opens_a_further_part() -> None:
    """Trades and orders of the further part have numbers of their own (I2)."""
    desk = entered_desk()
    acknowledge(desk, tell(desk, fill_of(desk, ENTRY, "t1", "4")))
    report(desk, ENTRY, ReportWord.CANCELED)
    stop_out(desk, desk.books.positions[1], "98")
    step = tell(desk, fill_of(desk, ENTRY, "t2", "6"))
    assert [order.client_order_id for order in submits(step)] == ["ABCDEF1S2"]
    acknowledge(desk, step)
    stop_out(desk, desk.books.positions[1], "98")
    assert [one.trade_id for one in desk.kept.all(Trade)] == ["1.0", "1.1"]


def test_a_position_stopped_out_while_its_entry_still_fills_is_one_position() -> None:
    """RULES 15: its trade is made when the entry has ended, and no number is given twice."""
    desk = entered_desk()
    acknowledge(desk, trade(desk, ENTRY, "4", "100"))
    stopped = stop_out(desk, desk.books.positions[1], "98")
    assert of_type(stopped.changes, Trade) == []
    step = trade(desk, ENTRY, "6", "98.5")
    assert [order.client_order_id for order in submits(step)] == ["ABCDEF1S2"]
    acknowledge(desk, step)
    closing = stop_out(desk, desk.books.positions[1], "97")
    (closed,) = of_type(closing.changes, Trade)
    assert (closed.quantity, closed.pnl) == (Decimal(10), Decimal("-8") + Decimal("-9"))


def test_a_late_fill_beside_another_symbol_is_covered_and_freezes_the_account() -> None:
    """I10 is ours to keep; what the venue does against it is booked, and looked at by a person."""
    desk = entered_desk()
    report(desk, ENTRY, ReportWord.CANCELED)
    enter(desk, signal("b", symbol="YYY"))
    step = tell(desk, fill_of(desk, ENTRY, "t1", "10"))
    assert incidents(step) == [Reason.STRANGE_REPORT]
    assert [(order.symbol, order.quantity) for order in submits(step)] == [("XXX", Decimal(10))]
    assert account(desk).frozen_for is Reason.STRANGE_REPORT
    assert {held.symbol for held in desk.books.open_positions(VA)} == {"XXX", "YYY"}
    acknowledge(desk, step)
    assert [o.symbol for o in submits(send(desk, signal("c", "close", None)))] == ["XXX"]


def test_a_late_fill_against_the_other_direction_freezes_too() -> None:
    desk = entered_desk()
    report(desk, ENTRY, ReportWord.CANCELED)
    enter(desk, signal("b", "sell"))
    step = tell(desk, fill_of(desk, ENTRY, "t1", "10"))
    assert incidents(step) == [Reason.STRANGE_REPORT]
    assert account(desk).frozen_for is Reason.STRANGE_REPORT
    sides = [held.side for held in desk.books.open_positions(VA)]
    assert sides == [PositionSide.SHORT, PositionSide.LONG]


def test_a_report_that_cannot_be_freezes_and_asks() -> None:
    desk = kept_desk()
    send(desk, signal("a"))
    tell(desk, SendRefused(ENTRY, Reason.LATENCY))
    step = report(desk, ENTRY, ReportWord.ACCEPTED)
    assert incidents(step) == [Reason.STRANGE_REPORT]
    assert of_type(step.commands, Compare)
    assert account(desk).frozen_for is Reason.STRANGE_REPORT


def test_a_report_of_an_order_that_nobody_knows_asks_for_a_comparison() -> None:
    step = report(kept_desk(), "ABCDEF9E1", ReportWord.ACCEPTED)
    assert of_type(step.commands, Compare)
    assert step.changes == ()


def test_rule_31_an_order_held_back_at_the_gate_is_denied_and_leaves_nothing() -> None:
    desk = kept_desk()
    send(desk, signal("a"))
    tell(desk, SendRefused(ENTRY, Reason.LATENCY))
    ended = desk.kept.order(ENTRY)
    assert (ended.status, ended.end_reason) == (OrderStatus.DENIED, Reason.LATENCY)
    assert (account(desk).leased_symbol, account(desk).exposure) == (None, Decimal(0))


# -- any order of messages -------------------------------------------------------------------------


def final_state(messages: list[OrderReport], desk: KeptDesk, order_id: str) -> object:
    for message in messages:
        tell(desk, message)
    order, held = desk.kept.order(order_id), desk.books.positions.get(1)
    shown: tuple[object, ...] = ()
    if held is not None:
        shown = (held.quantity, held.cost, held.entry_value, held.exit_value, held.fees)
        shown += (held.realized_to_date, sorted(held.lots, key=lambda lot: lot.price))
    va = account(desk)
    trades = [(one.pnl, one.quantity, one.fees) for one in desk.kept.all(Trade)]
    return (
        (order.status, order.filled, order.filled_value, order.fees, order.is_unknown),
        (shown, trades, va.cash, va.realized, va.exposure, va.frozen_for),
    )


@given(st.data())
def test_i4_i5_entry_messages_in_any_order_and_number_give_one_state(data: st.DataObject) -> None:
    end = data.draw(st.sampled_from([ReportWord.CANCELED, ReportWord.EXPIRED, ReportWord.REJECTED]))
    desk = entered_desk()
    messages = [
        OrderReport(ENTRY, ReportWord.ACCEPTED, desk.now_ns, f"V{ENTRY}"),
        fill_of(desk, ENTRY, "t1", "3", "100.00", fee="0.03"),
        fill_of(desk, ENTRY, "t2", "4", "100.03", fee="0.04"),
        OrderReport(ENTRY, end, desk.now_ns, f"V{ENTRY}"),
    ]
    expected = final_state(messages, desk, ENTRY)
    doubled = messages + data.draw(st.lists(st.sampled_from(messages), max_size=4))
    shuffled = data.draw(st.permutations(doubled))
    assert final_state(list(shuffled), entered_desk(), ENTRY) == expected


@given(st.data())
def test_i4_i5_exit_messages_in_any_order_and_number_give_one_state(data: st.DataObject) -> None:
    order_id = "ABCDEF1X1"

    def closing() -> KeptDesk:
        desk = kept_desk()
        enter(desk, signal("a"))
        send(desk, signal("b", "close", None))
        order_sent(desk, order_id)
        return desk

    desk = closing()
    messages = [
        OrderReport(order_id, ReportWord.ACCEPTED, desk.now_ns, "V9"),
        fill_of(desk, order_id, "t1", "3", "101.00", fee="0.03"),
        fill_of(desk, order_id, "t2", "5", "101.03", fee="0.04"),
        fill_of(desk, order_id, "t3", "2", "99.00", fee="0.02"),
    ]
    expected = final_state(messages, desk, order_id)
    doubled = messages + data.draw(st.lists(st.sampled_from(messages), max_size=4))
    shuffled = data.draw(st.permutations(doubled))
    assert final_state(list(shuffled), closing(), order_id) == expected


def test_an_entry_filled_beyond_its_quantity_is_booked_and_freezes_the_symbol() -> None:
    """RULES 21: it happened; everybody on that symbol stops."""
    desk = kept_desk(accounts=("VA001", "VA002", "VA003"))
    enter(desk, signal("other", va_id="VA002"))
    acknowledge(desk, send(desk, signal("a")))
    step = trade(desk, "ABCDEF2E1", "12")
    assert incidents(step) == [Reason.OVERFILL]
    assert desk.books.positions[2].quantity == 12
    frozen = {va.va_id: va.frozen_for for va in desk.kept.all(Account)}
    assert frozen == {"VA001": Reason.OVERFILL, "VA002": Reason.OVERFILL, "VA003": None}
    assert sum(order.quantity for order in submits(step)) == 12


def test_fills_know_their_owner_and_when_they_were_learned() -> None:
    desk = entered_desk()
    trade(desk, ENTRY, "10", "100.01", SECOND_NS, fee="0.100010")
    (fill,) = desk.kept.all(Fill)
    assert (fill.va_id, fill.position_id, fill.client_order_id) == (VA, 1, ENTRY)
    assert (fill.booked_at_ns, fill.fee) == (desk.now_ns, Decimal("0.100010"))
    (held,) = desk.kept.all(Position)
    assert (held.realized_to_date, held.naked_since_ns) == (Decimal("-0.100010"), desk.now_ns)


# -- a stop that triggers --------------------------------------------------------------------------


def test_rule_43_a_stop_that_trades_has_triggered_whether_or_not_the_venue_says_so() -> None:
    """What it has left is trading: cover for one deadline, as after a trigger that is told."""
    desk = entered_desk()
    acknowledge(desk, trade(desk, ENTRY, "10"))
    trade(desk, STOP, "4", "98")
    stop = desk.kept.order(STOP)
    assert stop.is_triggered
    assert stop.covers_until_ns == desk.now_ns + 2 * SECOND_NS
    assert report(desk, STOP, ReportWord.TRIGGERED).commands == (), "told after its first fill"
    assert desk.kept.order(STOP).covers_until_ns == stop.covers_until_ns


def test_a_stop_is_called_what_it_trades_as_in_whatever_order_that_is_told() -> None:
    """Its trigger gives it another id at the venue, and the fill may be told before it."""
    desk = entered_desk()
    acknowledge(desk, trade(desk, ENTRY, "10"))
    fill = VenueFill("T1", Decimal(4), Decimal(98), Decimal(0), desk.now_ns)
    tell(desk, OrderReport(STOP, ReportWord.TRADE, desk.now_ns, "child", fill))
    for word in (ReportWord.TRIGGERED, ReportWord.ACCEPTED):
        tell(desk, OrderReport(STOP, word, desk.now_ns, "parent"))
    assert desk.kept.order(STOP).venue_order_id == "child"
    assert desk.books.positions[1].quantity == 6
    tell(desk, OrderReport(STOP, ReportWord.TRADE, desk.now_ns, "child", fill))
    assert desk.books.positions[1].quantity == 6, "the same execution, told again"
