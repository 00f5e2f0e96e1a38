"""Reconciliation: only what the venue said, only what is news, and nothing of a quiet venue."""

from decimal import Decimal

import pytest

from pointsman.domain.commands import Query
from pointsman.domain.events import Compared, ReportWord, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import (
    OrderFound,
    Snapshot,
    VenueExecution,
    VenueHolding,
    VenueOrder,
)
from pointsman.execution.desk import Desk
from pointsman.execution.reconcile import (
    Comparison,
    adopted,
    compare,
    differing_holdings,
    foreign_fill,
    reports_from,
)
from tests.desk_stories import (
    VA,
    enter,
    order_sent,
    policy,
    ready_desk,
    report,
    send,
    signal,
    submits,
    tell,
    trade,
)
from tests.order_stories import replace

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def shown(order: Order, filled: str = "0", **fields: object) -> VenueOrder:
    """An order as the venue has it."""
    plain = VenueOrder(
        order.client_order_id, f"V{order.client_order_id}", order.symbol, order.side,
        order.position_side, order.order_type, order.quantity, Decimal(filled),
        OrderStatus.ACCEPTED, order.reduce_only, 5, order.limit_price, order.trigger_price,
    )  # fmt: skip
    return replace(plain, **fields)


def executed(order: Order, trade_id: str, quantity: str) -> VenueExecution:
    fill = VenueFill(trade_id, Decimal(quantity), Decimal(100), Decimal(0), 4)
    return VenueExecution(
        order.client_order_id, "V", order.symbol, order.side, order.position_side, fill
    )


def snapshot(
    desk: Desk,
    open_orders: tuple[VenueOrder, ...] = (),
    trades: tuple[VenueExecution, ...] = (),
    holdings: tuple[VenueHolding, ...] = (),
) -> Snapshot:
    """A complete answer to a question of now."""
    return Snapshot(desk.now_ns, desk.now_ns, open_orders, trades, holdings, "next")


def told(found: Comparison) -> list[tuple[str, ReportWord]]:
    return [(one.client_order_id, one.kind) for one in found.reports]


def sent_entry(desk: Desk) -> Order:
    (entry,) = submits(send(desk, signal("a")))
    order_sent(desk, entry.client_order_id)
    return entry


# -- compare ---------------------------------------------------------------------------------------


def test_a_quiet_venue_gives_nothing_to_report() -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    (stop,) = desk.books.orders_of(1, Role.STOP)
    holdings = (VenueHolding("XXX", LONG, Decimal(10)),)
    seen = snapshot(desk, (shown(stop),), holdings=holdings)
    assert compare(desk.books, seen) == Comparison((), (), (), ())
    assert differing_holdings(desk.books, seen) == []


def test_a_fill_that_was_missed_is_found_and_once_told_it_is_no_news() -> None:
    desk = ready_desk()
    entry = sent_entry(desk)
    seen = snapshot(
        desk, (shown(entry, "7"),), (executed(entry, "T1", "4"), executed(entry, "T2", "3"))
    )
    found = compare(desk.books, seen)
    assert [one.fill and one.fill.trade_id for one in found.reports] == ["T1", "T2", None]
    for one in found.reports:
        tell(desk, one)
    assert desk.books.positions[1].quantity == 7
    assert compare(desk.books, seen).reports == ()


@pytest.mark.parametrize(
    ("is_triggered", "words"),
    [
        (False, [ReportWord.ACCEPTED]),
        (True, [ReportWord.ACCEPTED, ReportWord.TRIGGERED]),
    ],
)
def test_an_order_that_rests_unheard_of_is_news(
    is_triggered: bool, words: list[ReportWord]
) -> None:
    desk = ready_desk()
    entry = sent_entry(desk)
    found = compare(desk.books, snapshot(desk, (shown(entry, is_triggered=is_triggered),)))
    assert told(found) == [(entry.client_order_id, word) for word in words]


def test_rule_26_an_order_that_is_not_shown_is_asked_about_not_declared_dead() -> None:
    desk = ready_desk()
    entry = sent_entry(desk)
    found = compare(desk.books, snapshot(desk))
    assert (found.reports, found.unseen) == ((), (entry.client_order_id,))
    ended = Compared(True, desk.now_ns, 0, "next", found.unseen)
    assert tell(desk, ended).commands == (Query(entry.client_order_id, "XXX"),)
    assert desk.books.orders[entry.client_order_id].status is OrderStatus.SUBMITTED


def test_an_order_that_left_after_the_question_is_not_missed() -> None:
    desk = ready_desk()
    entry = sent_entry(desk)
    early = replace(snapshot(desk), asked_at_ns=desk.now_ns - 1)
    assert compare(desk.books, early).unseen == ()
    desk.books.put_order(replace(desk.books.orders[entry.client_order_id], is_unknown=True))
    assert compare(desk.books, early).unseen == (entry.client_order_id,), "but doubt is enough"


def test_a_stop_is_missed_although_a_crash_lost_when_it_was_sent() -> None:
    """It was confirmed after the start; then the venue dropped it, and the report was lost."""
    desk = ready_desk()
    enter(desk, signal("a"))
    (stop,) = desk.books.orders_of(1, Role.STOP)
    desk.books.put_order(replace(stop, sent_at_ns=None))
    assert compare(desk.books, snapshot(desk)).unseen == (stop.client_order_id,)


def test_an_order_that_never_left_is_not_missed() -> None:
    desk = ready_desk()
    send(desk, signal("a"))
    assert compare(desk.books, snapshot(desk)).unseen == ()


def test_what_is_not_working_by_our_record_is_left_to_the_caller() -> None:
    desk = ready_desk()
    entry = sent_entry(desk)
    report(desk, entry.client_order_id, ReportWord.REJECTED)
    foreign = replace(entry, client_order_id="web-1")
    trades = (executed(entry, "T1", "4"), executed(foreign, "T2", "1"))
    found = compare(desk.books, snapshot(desk, (shown(foreign),), trades))
    assert found == Comparison((), (), trades, (shown(foreign),))


def test_a_comparison_changes_nothing_itself() -> None:
    desk = ready_desk()
    entry = sent_entry(desk)
    compare(desk.books, snapshot(desk, (shown(entry),), (executed(entry, "T1", "4"),)))
    assert desk.books.take_changes() == ()
    assert desk.books.orders[entry.client_order_id].filled == 0


# -- one order -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "filled", "parts", "words"),
    [
        (OrderStatus.ACCEPTED, "0", (), ["ACCEPTED"]),
        (OrderStatus.PARTIALLY_FILLED, "4", ("4",), ["TRADE", "ACCEPTED"]),
        (OrderStatus.FILLED, "10", ("4", "6"), ["TRADE", "TRADE"]),
        (OrderStatus.CANCELED, "4", ("4",), ["TRADE", "CANCELED"]),
        (OrderStatus.EXPIRED, "0", (), ["EXPIRED"]),
        (OrderStatus.REJECTED, "0", (), ["REJECTED"]),
        (OrderStatus.CANCELED, "5", ("4",), ["TRADE"]),
    ],
    ids=["rests", "a part", "filled", "cancelled", "expired", "rejected", "a fill is missing"],
)
def test_the_answer_to_a_question_is_its_fills_and_then_how_it_stands(
    status: OrderStatus, filled: str, parts: tuple[str, ...], words: list[str]
) -> None:
    entry = sent_entry(ready_desk())
    fills = tuple(executed(entry, f"T{n}", part).fill for n, part in enumerate(parts))
    answer = OrderFound(shown(entry, filled, status=status, end_reason=Reason.NOT_FILLED), fills, 0)
    assert [one.kind.value for one in reports_from(answer)] == words


def test_a_stop_that_was_found_triggered_says_so() -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    (stop,) = desk.books.orders_of(1, Role.STOP)
    for one in reports_from(OrderFound(shown(stop, is_triggered=True), (), 0)):
        tell(desk, one)
    assert desk.books.orders[stop.client_order_id].is_triggered


@pytest.mark.parametrize(
    ("order_id", "symbol", "is_ours"),
    [
        ("ABCDEF1S2", "XXX", True),
        ("ABCDEF1X1", "XXX", True),
        ("ABCDEF1E2", "XXX", False),
        ("ABCDEF2S1", "XXX", False),
        ("ABCDEF1S2", "YYY", False),
        ("GHIJKL1S2", "XXX", False),
        ("web-1", "XXX", False),
    ],
)
def test_rule_26_only_a_stop_or_exit_that_fits_its_position_is_adopted(
    order_id: str, symbol: str, is_ours: bool
) -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    (stop,) = desk.books.orders_of(1, Role.STOP)
    unknown = shown(replace(stop, client_order_id=order_id, symbol=symbol))
    order = adopted(desk.books, replace(unknown, venue_order_id="V7"), ())
    assert (order is not None) is is_ours
    if order is not None:
        assert (order.va_id, order.position_id, order.is_unknown) == (VA, 1, True)
        assert (order.side, order.venue_order_id) == (Side.SELL, "V7")
        assert order.quantity == 10
        assert order.order_type is (OrderType.STOP if "S" in order_id else OrderType.MARKET)


# -- holdings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "differing"),
    [
        ([(LONG, 10), (SHORT, -4)], []),
        ([(LONG, 9), (SHORT, -4)], [(LONG, 9)]),
        ([(LONG, 10)], [(SHORT, 0)]),
        ([(LONG, 6)], [(LONG, 6), (SHORT, 0)]),
    ],
)
def test_rule_28_each_symbol_and_side_must_be_explained(
    held: list[tuple[PositionSide, int]],
    differing: list[tuple[PositionSide, int]],
) -> None:
    desk = ready_desk(accounts=(VA, "VA002"))
    enter(desk, signal("a"))
    enter(desk, signal("b", "sell", "4", va_id="VA002"))
    holdings = tuple(VenueHolding("XXX", side, Decimal(n)) for side, n in held)
    found = differing_holdings(desk.books, snapshot(desk, holdings=holdings))
    assert [(one.position_side, int(one.venue_quantity)) for one in found] == differing


def test_rule_28_a_netting_account_has_one_holding_and_external_explains_its_part() -> None:
    desk = ready_desk(policy(position_mode=PositionMode.NET))
    enter(desk, signal("a", "sell"))
    seen = snapshot(desk, holdings=(VenueHolding("XXX", None, Decimal(-7)),))
    (differs,) = differing_holdings(desk.books, seen)
    assert (differs.position_side, differs.venue_quantity) == (LONG, Decimal(-7))
    tell(desk, differs)
    assert desk.books.external("XXX", SHORT) == 3
    later = replace(seen, asked_at_ns=desk.now_ns + 1, taken_at_ns=desk.now_ns + 1)
    assert differing_holdings(desk.books, later) == []


def test_a_symbol_in_motion_is_left_for_the_next_comparison() -> None:
    """An order is unknown, or changed since the question, or traded since the answer was taken."""
    desk = ready_desk()
    enter(desk, signal("a"))
    (stop,) = desk.books.orders_of(1, Role.STOP)
    seen = snapshot(desk)
    assert len(differing_holdings(desk.books, seen)) == 1
    assert differing_holdings(desk.books, replace(seen, asked_at_ns=desk.now_ns - 1)) == []
    assert differing_holdings(desk.books, replace(seen, taken_at_ns=desk.now_ns - 1)) == []
    desk.books.put_order(replace(stop, is_unknown=True))
    assert differing_holdings(desk.books, seen) == []


def test_a_foreign_execution_keeps_its_facts_and_a_netting_account_has_one_side() -> None:
    entry = replace(sent_entry(ready_desk()), client_order_id="")
    event = foreign_fill(replace(executed(entry, "T1", "4"), position_side=None), None)
    assert (event.position_side, event.order_id, event.fill.trade_id) == (LONG, "V", "T1")


def test_a_second_report_of_a_known_execution_is_not_made() -> None:
    desk = ready_desk()
    entry = sent_entry(desk)
    trade(desk, entry.client_order_id, "4")
    known = executed(entry, f"T{entry.client_order_id}-0", "4")
    assert told(compare(desk.books, snapshot(desk, (shown(entry),), (known,)))) == []
