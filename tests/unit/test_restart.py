"""Recovery is start-up: what is loaded equals what was left, a start doubts everything and sends
nothing but questions, and the comparison then restores what must be true.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest

from pointsman.domain.commands import Compare, MoveCash, Query
from pointsman.domain.events import (
    Compared,
    ForeignFill,
    Killed,
    Level,
    LevelReached,
    OrderReport,
    ReportWord,
    VenueFill,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import OrderType, Role
from pointsman.domain.policy import ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import (
    OrderFound,
    Snapshot,
    VenueExecution,
    VenueHolding,
    VenueOrder,
)
from pointsman.execution.reconcile import compare, differing_holdings, reports_from
from tests.desk_stories import (
    SECOND_NS,
    acknowledge,
    cancels,
    enter,
    order_sent,
    pass_time,
    policy,
    quote,
    report,
    send,
    signal,
    stop_out,
    submits,
    tell,
    trade,
)
from tests.order_stories import KeptDesk, dump, fill_of, kept_desk, loaded_again, start

VAS = ("VA001", "VA002")
ENTRY, STOP, EXIT = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"
LONG = PositionSide.LONG


def traded(order_id: str, trade_id: str, quantity: str, side: Side) -> VenueExecution:
    fill = VenueFill(trade_id, Decimal(quantity), Decimal(100), Decimal(0), 1)
    return VenueExecution(order_id, f"V{order_id}", "XXX", side, LONG, fill)


def snapshot(desk: KeptDesk, *trades: VenueExecution, held: str = "0") -> Snapshot:
    """The venue's answer, asked and taken now: no open orders."""
    holdings = (VenueHolding("XXX", LONG, Decimal(held)),)
    return Snapshot(desk.now_ns, desk.now_ns, (), trades, holdings, "7")


# -- what a program may leave behind ---------------------------------------------------------------


def protected(desk: KeptDesk) -> None:
    enter(desk, signal("a"))


def in_flight(desk: KeptDesk) -> None:
    send(desk, signal("a"))


def unknown(desk: KeptDesk) -> None:
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, ENTRY, "4")
    order_sent(desk, STOP)
    pass_time(desk, 6 * SECOND_NS)


def leaving(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    send(desk, signal("c", "close", "4"))
    send(desk, signal("d", "close", None, va_id="VA002"))


def waiting_to_retry(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", "close", None)))
    report(desk, EXIT, ReportWord.REJECTED, reason=Reason.REDUCE_ONLY)


def crossed(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    tell(desk, LevelReached(1, Level.STOP, quote(desk.now_ns, "97", "97.01")))


def overfilled(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    for trade_id, quantity in (("t1", "10"), ("t2", "3")):
        tell(desk, fill_of(desk, STOP, trade_id, quantity, "98"))


def with_foreign_trades(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    fill = VenueFill("f1", Decimal(4), Decimal(99), Decimal(0), desk.now_ns)
    tell(desk, ForeignFill("XXX", LONG, Side.SELL, fill, "somebody"))


def flattened(desk: KeptDesk) -> None:
    enter(desk, signal("a"))
    tell(desk, Killed(True, "person", "test"))


def after_losses(desk: KeptDesk) -> None:
    for number in range(3):
        stop_out(desk, enter(desk, signal(f"s{number}")), "98")


STORIES = [
    protected,
    in_flight,
    unknown,
    leaving,
    waiting_to_retry,
    crossed,
    overfilled,
    with_foreign_trades,
    flattened,
    after_losses,
]
Story = Callable[[KeptDesk], None]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_i18_the_books_that_are_loaded_equal_those_that_were_left(story: Story) -> None:
    desk = kept_desk(accounts=VAS)
    story(desk)
    assert dump(loaded_again(desk).books) == dump(desk.books)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_i19_two_starts_are_one_and_send_nothing_to_the_venue_but_questions(story: Story) -> None:
    desk = kept_desk(accounts=VAS)
    story(desk)
    once = loaded_again(desk)
    step = start(once, VAS, after_ns=SECOND_NS)
    assert {type(command) for command in step.commands} <= {Compare, MoveCash}
    twice = loaded_again(once)
    again = start(twice, VAS)
    assert again.commands == step.commands
    assert dump(twice.books) == dump(once.books)


# -- what a start finds ----------------------------------------------------------------------------


def test_i17_an_incomplete_answer_changes_nothing() -> None:
    desk = kept_desk()
    protected(desk)
    start(desk)
    step = tell(desk, Compared(False, desk.now_ns, 9, "9", (STOP,)))
    assert (step.changes, step.commands) == ((), ())
    assert not desk.books.is_ready


def test_f18_f60_a_start_doubts_asks_and_then_finds_everything_as_it_was() -> None:
    desk = kept_desk()
    protected(desk)
    desk = loaded_again(desk)
    start(desk, after_ns=SECOND_NS)
    assert desk.kept.order(STOP).is_unknown
    assert report(desk, STOP, ReportWord.ACCEPTED).commands == ()
    ready = tell(desk, Compared(True, desk.now_ns, 0, ""))
    assert ready.commands == (), "nothing changed, so nothing is sent"
    assert desk.books.positions[1].naked_since_ns is None


def test_f59_a_stop_that_filled_while_we_were_down_closes_its_position() -> None:
    desk = kept_desk()
    protected(desk)
    desk = loaded_again(desk)
    start(desk, after_ns=SECOND_NS)
    found = compare(desk.books, snapshot(desk, traded(STOP, "t8", "10", Side.SELL)))
    steps = [tell(desk, one) for one in found.reports]
    ready = tell(desk, Compared(True, desk.now_ns, 1, "8", found.unseen))
    assert not any(submits(step) for step in [*steps, ready])
    assert desk.books.positions == {}


def test_an_entry_that_filled_while_we_were_down_is_covered_once_we_know_all() -> None:
    desk = kept_desk()
    order_sent(desk, submits(send(desk, signal("a")))[0].client_order_id)
    desk = loaded_again(desk)
    start(desk, after_ns=SECOND_NS)
    assert submits(trade(desk, ENTRY, "10")) == [], "not before the comparison is complete"
    (stop,) = submits(tell(desk, Compared(True, desk.now_ns, 1, "8")))
    assert (stop.role, stop.quantity) == (Role.STOP, Decimal(10))


def test_f01_an_order_that_arrived_unheard_is_resolved_by_the_answer_alone() -> None:
    desk = kept_desk()
    order_sent(desk, submits(send(desk, signal("a")))[0].client_order_id)
    order = VenueOrder(
        ENTRY, "V1", "XXX", Side.BUY, LONG, OrderType.LIMIT_IOC, Decimal(10), Decimal(8),
        OrderStatus.CANCELED, False, 1,
    )  # fmt: skip
    fills = tuple(traded(ENTRY, f"t{number}", "4", Side.BUY).fill for number in range(2))
    for one in reports_from(OrderFound(order, fills, desk.now_ns)):
        tell(desk, one)
    assert desk.books.positions[1].quantity == 8
    assert desk.kept.order(ENTRY).status is OrderStatus.CANCELED
    assert [stop.quantity for stop in desk.books.orders_of(1, Role.STOP)] == [4, 4]


def test_an_answer_from_before_a_fill_that_we_know_says_nothing_of_that_symbol() -> None:
    """I17: stale is not empty, also when the order that filled is final and forgotten."""
    desk = kept_desk()
    protected(desk)
    stale = snapshot(desk, held="10")
    fill = VenueFill("t5", Decimal(10), Decimal(98), Decimal(0), desk.now_ns + SECOND_NS)
    tell(desk, OrderReport(STOP, ReportWord.TRADE, fill.ts_ns, "V", fill), SECOND_NS)
    assert desk.books.positions == {}
    assert differing_holdings(desk.books, stale) == []
    assert differing_holdings(desk.books, snapshot(desk, held="0")) == []
    assert len(differing_holdings(desk.books, snapshot(desk, held="10"))) == 1


# -- what goes on ----------------------------------------------------------------------------------


def test_what_was_on_its_way_out_goes_on_after_a_start() -> None:
    desk = kept_desk(policy(reduce_only_mode=ReduceOnlyMode.REFUSE))
    enter(desk, signal("a"))
    send(desk, signal("b", "close", None))
    desk = loaded_again(desk)
    start(desk, after_ns=SECOND_NS)
    assert report(desk, STOP, ReportWord.ACCEPTED).commands == ()
    ready = tell(desk, Compared(True, desk.now_ns, 0, ""))
    assert cancels(ready) == [STOP], "the cancel that was lost is asked for again"
    assert [order.role for order in submits(report(desk, STOP, ReportWord.CANCELED))] == [Role.EXIT]


def test_an_exit_with_an_unknown_outcome_is_not_sent_twice() -> None:
    """Closing all, the stop in doubt, the program died: what may be out there counts as out."""
    desk = kept_desk()
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", "close", None)))
    desk = loaded_again(desk)
    start(desk, after_ns=SECOND_NS)
    ready = tell(desk, Compared(True, desk.now_ns, 0, "", (STOP, EXIT)))
    assert submits(ready) == []
    asked = [command.client_order_id for command in ready.commands if isinstance(command, Query)]
    assert asked == [STOP, EXIT]


def test_timers_that_follow_from_the_records_are_set_again() -> None:
    desk = kept_desk()
    waiting_to_retry(desk)
    desk = loaded_again(desk)
    start(desk, after_ns=SECOND_NS)
    report(desk, STOP, ReportWord.ACCEPTED)
    tell(desk, Compared(True, desk.now_ns, 0, ""))
    again = [order for step in pass_time(desk, 2 * SECOND_NS) for order in submits(step)]
    assert [order.client_order_id for order in again] == ["ABCDEF1X2"]


def test_i3_ids_go_on_after_a_start_where_they_were() -> None:
    desk = kept_desk()
    protected(desk)
    desk = loaded_again(desk)
    start(desk, after_ns=SECOND_NS)
    report(desk, STOP, ReportWord.CANCELED)
    ready = tell(desk, Compared(True, desk.now_ns, 0, ""))
    assert [order.client_order_id for order in submits(ready)] == ["ABCDEF1S2"]
    entry = send(desk, signal("b"))
    assert [order.client_order_id for order in submits(entry)] == ["ABCDEF2E1"]
