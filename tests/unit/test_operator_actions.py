"""Start-up, and what people do to the desk: anyone may stop, money moved is no profit, a freeze is
lifted only after a comparison."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pointsman.domain.accounts import CashMove, DeskRecord, KillState, Mark
from pointsman.domain.commands import Compare, MoveCash, Query
from pointsman.domain.events import (
    AccountOpened,
    CashConfirmed,
    CashMoved,
    Compared,
    FlattenRequested,
    ForeignFill,
    HoldingDiffers,
    Killed,
    Level,
    LevelReached,
    Paused,
    ReportWord,
    Resumed,
    RunEnded,
    Started,
    StorageHealed,
    VenueFill,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Order
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.desk import Desk
from pointsman.execution.loading import DeskRecords
from tests.desk_stories import (
    MIDNIGHT_NS,
    SECOND_NS,
    START_NS,
    VA,
    account,
    cancels,
    decide,
    enter,
    incidents,
    marked,
    of_type,
    order_sent,
    pass_time,
    policy,
    quote,
    ready_desk,
    report,
    round_trip,
    send,
    signal,
    submits,
    tell,
    trade,
)

HUNDRED_THOUSAND = Decimal(100_000)


def started(**changes: Any) -> Started:
    return Started("test", "ABCDEF", policy(**changes), ((VA, HUNDRED_THOUSAND),))


def is_ready(desk: Desk) -> bool:
    return desk.books.is_ready


def restarted(desk: Desk) -> Desk:
    """A desk loaded from the records of another, as after a crash."""
    books = desk.books
    loaded = DeskRecords(
        books.desk,
        books.kill_switch,
        tuple(books.accounts.values()),
        tuple(books.orders.values()),
        tuple(books.positions.values()),
        {order_id: tuple(keys) for order_id, keys in books.fill_keys.items()},
        tuple(books.cash_moves.values()),
    )
    return Desk.load(books.policy, loaded, desk.now_ns)


# -- start -----------------------------------------------------------------------------------------


def test_a_first_start_opens_the_accounts_and_asks_the_venue() -> None:
    desk = Desk(policy(), "ABCDEF")
    step = tell(desk, started(), START_NS)
    opening = MoveCash("ABCDEF-open-VA001", HUNDRED_THOUSAND)
    assert step.commands == (opening, Compare(""))
    opened = account(desk)
    assert opened.cash == opened.equity == opened.peak_equity == opened.balance == 100_000
    assert not is_ready(desk)
    tell(desk, Compared(False, START_NS, 0, ""))
    assert not is_ready(desk), "an answer that failed is none"
    tell(desk, Compared(True, START_NS, 0, "c1"))
    assert is_ready(desk)
    assert desk.books.desk.fills_cursor == "c1"


def test_a_further_start_doubts_every_order_and_opens_nothing_twice() -> None:
    before = ready_desk()
    enter(before, signal("a"))
    send(before, signal("b"))
    desk = restarted(before)
    step = tell(desk, started())
    assert step.commands == (MoveCash("ABCDEF-open-VA001", HUNDRED_THOUSAND), Compare(""))
    assert all(order.is_unknown for order in desk.books.orders.values())
    assert len(desk.books.orders) == 2
    assert not is_ready(desk)
    asked = [query for late in pass_time(desk, 5 * SECOND_NS) for query in late.commands]
    assert asked == [Query(order_id, "XXX") for order_id in sorted(desk.books.orders)]


def test_money_that_the_venue_has_confirmed_is_not_moved_again_at_a_start() -> None:
    before = ready_desk()
    tell(before, CashConfirmed("ABCDEF-open-VA001"))
    tell(before, CashConfirmed("of nobody"))
    desk = restarted(before)
    assert tell(desk, started()).commands == (Compare(""),)


def test_f68_a_cooldown_survives_a_restart_and_ends_in_time() -> None:
    before = ready_desk()
    for number in range(3):
        round_trip(before, f"loss {number}")
    desk = restarted(before)
    tell(desk, started(), 100 * SECOND_NS)
    tell(desk, Compared(True, desk.now_ns, 0, ""))
    assert decide(desk, signal("a")).reason is Reason.COOLDOWN
    pass_time(desk, 200 * SECOND_NS - 1)
    assert decide(desk, signal("b")).reason is Reason.COOLDOWN
    pass_time(desk, 1)
    assert account(desk).cooldown_until_ns is None
    assert decide(desk, signal("c")).reason is None


def test_i16_a_naked_position_waits_for_the_comparison_and_not_longer() -> None:
    before = ready_desk()
    (entry,) = submits(send(before, signal("a")))
    order_sent(before, entry.client_order_id)
    (stop,) = submits(trade(before, entry.client_order_id, "10"))
    order_sent(before, stop.client_order_id)
    desk = restarted(before)
    tell(desk, started())
    assert not any(submits(step) for step in pass_time(desk, 3 * SECOND_NS))
    tell(desk, Compared(True, desk.now_ns, 0, ""))
    leaving = [order for step in pass_time(desk, 2 * SECOND_NS) for order in submits(step)]
    assert [order.exit_reason for order in leaving] == [Reason.UNPROTECTED]


def test_an_exit_to_be_tried_again_and_a_crossed_stop_are_remembered_over_a_restart() -> None:
    before = ready_desk(accounts=(VA, "VA002"))
    position = enter(before, signal("a"))
    low = quote(before.now_ns, bid="97.90", ask="97.92")
    tell(before, LevelReached(position.position_id, Level.STOP, low))
    enter(before, signal("b", va_id="VA002", symbol="YYY"))
    (leaving,) = submits(send(before, signal("out", "close", None, va_id="VA002", symbol="YYY")))
    order_sent(before, leaving.client_order_id)
    report(before, leaving.client_order_id, ReportWord.REJECTED, reason=Reason.VENUE_REJECTED)
    desk = restarted(before)
    tell(desk, started(), SECOND_NS)
    tell(desk, Compared(True, desk.now_ns, 0, ""))
    again = [order for step in pass_time(desk, SECOND_NS) for order in submits(step)]
    assert [(order.va_id, order.exit_reason) for order in again] == [
        (VA, Reason.STOP_CROSSED),
        ("VA002", Reason.SIGNAL_EXIT),
    ]


@pytest.mark.parametrize(
    ("pressed", "enabled", "expected"),
    [
        (None, False, KillState.OFF),
        (None, True, KillState.HALT),
        (Killed(True, "ann", "x"), False, KillState.FLATTEN),
        (Killed(True, "ann", "x"), True, KillState.FLATTEN),
    ],
)
def test_rule_19_the_latch_outlives_a_restart_and_the_setting_only_presses(
    pressed: Killed | None, enabled: bool, expected: KillState
) -> None:
    before = ready_desk()
    if pressed:
        tell(before, pressed)
    desk = restarted(before)
    tell(desk, started(kill_switch_enabled=enabled))
    assert desk.books.kill_switch.state is expected


# -- accounts and money ----------------------------------------------------------------------------


def test_an_account_that_exists_is_not_opened_again() -> None:
    desk = ready_desk()
    step = tell(desk, AccountOpened(VA, Decimal(5)))
    assert (step.changes, step.commands) == ((), ())


def test_an_account_is_opened_and_may_trade_at_once() -> None:
    desk = ready_desk()
    step = tell(desk, AccountOpened("VA009", Decimal(5000)))
    assert step.commands == (MoveCash("ABCDEF-open-VA009", Decimal(5000)),)
    assert decide(desk, signal("a", va_id="VA009")).reason is None


@pytest.mark.parametrize("amount", ["500", "-500"])
def test_rule_14_money_moved_is_cash_and_deposits_and_the_venue_moves_it_too(amount: str) -> None:
    desk, before = ready_desk(), HUNDRED_THOUSAND
    step = tell(desk, CashMoved(VA, Decimal(amount), "ref", MIDNIGHT_NS))
    moved = account(desk)
    assert moved.cash == moved.balance == moved.equity == before + Decimal(amount)
    assert moved.deposits == moved.day_deposits == Decimal(amount)
    assert moved.realized == 0
    assert step.commands == (MoveCash("ref", Decimal(amount)),)
    assert of_type(step.changes, CashMove) == [CashMove("ref", VA, Decimal(amount), desk.now_ns)]


@pytest.mark.parametrize("amount", ["500", "-500"])
def test_rule_17_money_moved_while_equity_is_unknown_moves_the_peak_by_as_much(amount: str) -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    tell(desk, CashMoved(VA, Decimal(amount), "ref", MIDNIGHT_NS))
    assert account(desk).peak_equity == HUNDRED_THOUSAND + Decimal(amount)
    marked(desk, quote(desk.now_ns, bid="100", ask="100.01"))
    assert account(desk).max_drawdown == 0


def test_money_under_way_is_not_moved_twice_nor_for_an_account_that_is_none() -> None:
    desk = ready_desk()
    move = CashMoved(VA, Decimal(500), "ref", MIDNIGHT_NS)
    tell(desk, move)
    for again in (move, msgspec.structs.replace(move, va_id="VA999", ref="other")):
        step = tell(desk, again)
        assert (step.changes, step.commands) == ((), ())
    assert account(desk).deposits == 500


# -- pause, resume, flatten ------------------------------------------------------------------------


@pytest.mark.parametrize("va_id", [VA, None])
def test_rule_19_a_pause_withdraws_entries_and_leaves_stops(va_id: str | None) -> None:
    desk = ready_desk()
    enter(desk, signal("held"))
    (entry,) = submits(send(desk, signal("working")))
    order_sent(desk, entry.client_order_id)
    step = tell(desk, Paused(va_id, "ann", "lunch"))
    assert cancels(step) == [entry.client_order_id]
    assert decide(desk, signal("a")).reason is Reason.PAUSED
    tell(desk, Resumed(va_id, "ann", "back"))
    assert decide(desk, signal("b")).reason is None


@pytest.mark.parametrize("event", [Paused("VA999", "ann", "x"), Resumed("VA999", "ann", "x")])
def test_an_account_that_is_none_is_neither_paused_nor_resumed(event: Any) -> None:
    step = tell(ready_desk(), event)
    assert (step.changes, step.commands) == ((), ())


def test_a_resume_of_all_does_not_resume_one_that_was_paused_by_name() -> None:
    desk = ready_desk()
    tell(desk, Paused(VA, "ann", "lunch"))
    tell(desk, Resumed(None, "bob", "back"))
    assert decide(desk, signal("a")).reason is Reason.PAUSED


@pytest.mark.parametrize(("va_id", "closed"), [(VA, [1]), ("VA002", [2]), (None, [1, 2])])
def test_flatten_closes_what_one_va_or_everybody_holds(
    va_id: str | None, closed: list[int]
) -> None:
    desk = ready_desk(accounts=(VA, "VA002"))
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002", symbol="YYY"))
    exits = submits(tell(desk, FlattenRequested(va_id, "ann", "enough")))
    assert [order.position_id for order in exits] == closed
    assert {order.exit_reason for order in exits} == {Reason.FLATTEN}


# -- freeze (RULES 20) -----------------------------------------------------------------------------


def frozen_desk() -> Desk:
    """Two VAs hold the same, somebody else sold some of it, and both are frozen."""
    desk = ready_desk(accounts=(VA, "VA002"))
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    fill = VenueFill("T1", Decimal(1), Decimal(100), Decimal(0), desk.now_ns)
    tell(desk, ForeignFill("XXX", PositionSide.LONG, Side.SELL, fill, "somebody"), SECOND_NS)
    assert account(desk).frozen_for is Reason.EXTERNAL_ACTIVITY
    return desk


def test_rule_20_resume_lifts_a_freeze_only_after_a_comparison_since() -> None:
    desk = frozen_desk()
    step = tell(desk, Resumed(VA, "ann", "too early"), SECOND_NS)
    assert of_type(step.commands, Compare) == [Compare("")]
    assert decide(desk, signal("early")).reason is Reason.FROZEN
    tell(desk, Compared(True, desk.now_ns, 0, ""), SECOND_NS)
    assert decide(desk, signal("not asked")).reason is Reason.FROZEN, "a person must ask for it"
    step = tell(desk, Resumed(VA, "ann", "looked at it"))
    assert step.commands == ()
    disputed = Reason.HOLDING_DISPUTED
    assert decide(desk, signal("now")).reason is disputed, "until the shortfall is assigned"
    assert decide(desk, signal("other", va_id="VA002")).reason is Reason.FROZEN, "this VA only"


@pytest.mark.parametrize(
    ("is_complete", "age_ns"),
    [
        pytest.param(False, 0, id="that failed"),
        pytest.param(True, SECOND_NS, id="of the moment of the freeze"),
        pytest.param(True, SECOND_NS + 1, id="of a moment before it, that arrives after it"),
    ],
)
def test_rule_20_a_comparison_does_not_count(is_complete: bool, age_ns: int) -> None:
    desk = frozen_desk()
    taken_ns = desk.now_ns + SECOND_NS - age_ns
    tell(desk, Compared(is_complete, taken_ns, 0, ""), SECOND_NS)
    tell(desk, Resumed(VA, "ann", "too early"))
    assert account(desk).frozen_for is Reason.EXTERNAL_ACTIVITY


def test_rule_20_the_comparison_that_found_the_difference_does_not_lift_its_freeze() -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    tell(desk, HoldingDiffers("XXX", PositionSide.LONG, Decimal(3)), SECOND_NS)
    assert account(desk).frozen_for is Reason.MISMATCH
    tell(desk, Compared(True, desk.now_ns, 1, ""))
    tell(desk, Resumed(VA, "ann", "too early"))
    assert account(desk).frozen_for is Reason.MISMATCH


# -- comparisons, storage, the end -----------------------------------------------------------------


def test_i20_a_quiet_comparison_is_not_remembered() -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    step = tell(desk, Compared(True, desk.now_ns, 0, ""), 5 * SECOND_NS)
    assert (step.changes, step.commands) == ((), ())


def test_orders_that_a_comparison_did_not_show_are_asked_about() -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    (stop,) = desk.books.orders
    step = tell(desk, Compared(True, desk.now_ns, 0, "", (stop, "of nobody")))
    assert step.commands == (Query(stop, "XXX"),)


@pytest.mark.parametrize("is_sent", [False, True])
def test_rule_29_when_storage_heals_entries_that_never_left_are_withdrawn(is_sent: bool) -> None:
    desk = ready_desk()
    (entry,) = submits(send(desk, signal("a")))
    if is_sent:
        order_sent(desk, entry.client_order_id)
    step = tell(desk, StorageHealed((entry.client_order_id, "of nobody")))
    assert (entry.client_order_id in desk.books.orders) is is_sent
    ended = [(order.status, order.end_reason) for order in of_type(step.changes, Order)]
    assert ended == ([] if is_sent else [(OrderStatus.DENIED, Reason.STORAGE_FAILED)])
    assert account(desk).leased_symbol == ("XXX" if is_sent else None)


def test_rule_29_stops_and_exits_stand_when_storage_heals() -> None:
    desk = ready_desk()
    (entry,) = submits(send(desk, signal("a")))
    order_sent(desk, entry.client_order_id)
    (stop,) = submits(trade(desk, entry.client_order_id, "10"))
    step = tell(desk, StorageHealed((stop.client_order_id,)))
    assert (step.changes, step.commands) == ((), ())
    report(desk, stop.client_order_id, ReportWord.ACCEPTED)


@pytest.mark.parametrize(("bad", "told"), [(0, []), (3, [Reason.BAD_QUOTES])])
def test_the_end_of_a_recorded_run_is_remembered_with_its_last_marks(
    bad: int, told: list[Reason]
) -> None:
    desk = ready_desk()
    last = Mark("XXX", START_NS, Decimal(99), Decimal(101))
    step = tell(desk, RunEnded(1000, bad, (last,)), SECOND_NS)
    (record,) = of_type(step.changes, DeskRecord)
    assert (record.quotes, record.bad_quotes, record.ended_at_ns) == (1000, bad, desk.now_ns)
    assert of_type(step.changes, Mark) == [last]
    assert incidents(step) == told


def test_rule_17_resume_with_a_holding_restarts_the_peak_at_the_next_sample() -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    marked(desk, quote(desk.now_ns, bid="110", ask="110.01"))
    tell(desk, Resumed(VA, "ann", "x"))
    marked(desk, quote(desk.now_ns, bid="90", ask="90.01"))
    assert account(desk).peak_equity == 99_900
