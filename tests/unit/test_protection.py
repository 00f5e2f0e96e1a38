"""What must be true of a position: covered by resting stops, or on its way out (RULES 22-25)."""

from decimal import Decimal

import msgspec
import pytest

from pointsman.domain.commands import Query, Step
from pointsman.domain.events import (
    CancelRefused,
    HoldingDiffers,
    Killed,
    Level,
    LevelReached,
    OrderAbsent,
    ReportWord,
    TimerFired,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Instrument
from pointsman.domain.orders import Role
from pointsman.domain.policy import ReduceOnlyMode
from pointsman.domain.positions import Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.timers import Timer, TimerKind
from tests.desk_stories import (
    MILLISECOND_NS,
    SECOND_NS,
    VA,
    XXX,
    account,
    acknowledge,
    cancels,
    enter,
    incidents,
    limits,
    of_type,
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
from tests.order_stories import KeptDesk, fill_of, held, kept_desk, quantities

replace = msgspec.structs.replace
REFUSES = policy(reduce_only_mode=ReduceOnlyMode.REFUSE)
ENTRY, STOP, EXIT = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"


def test_rule_22_at_half_the_deadline_the_stop_is_asked_about_and_at_the_whole_it_ends() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    step = trade(desk, ENTRY, "10")
    order_sent(desk, STOP)
    (half,) = pass_time(desk, SECOND_NS)
    assert [query.client_order_id for query in of_type(half.commands, Query)] == [STOP]
    (whole,) = pass_time(desk, SECOND_NS)
    assert incidents(whole) == [Reason.NAKED_POSITION]
    assert account(desk).frozen_for is Reason.NAKED_POSITION
    (leaving,) = submits(whole)
    assert (leaving.quantity, leaving.exit_reason) == (Decimal(10), Reason.UNPROTECTED)
    assert submits(step)[0].client_order_id == STOP


def test_rule_22_a_truthful_it_rests_confirms_it() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, ENTRY, "10")
    order_sent(desk, STOP)
    report(desk, STOP, ReportWord.ACCEPTED, 1900 * MILLISECOND_NS)
    assert held(desk).naked_since_ns is None
    steps = pass_time(desk, 10 * SECOND_NS)
    assert not any(submits(step) or cancels(step) for step in steps)
    assert account(desk).naked_max_ns == 1900 * MILLISECOND_NS


def test_rule_25_naked_time_is_kept_by_our_clock_and_by_the_venues() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a", quantity="20")))
    told = fill_of(desk, ENTRY, "t1", "10")
    acknowledge(desk, tell(desk, told, 300 * MILLISECOND_NS))
    desk.handle(TimerFired(next_cover_timer(desk)), desk.now_ns)
    second = tell(desk, fill_of(desk, ENTRY, "t2", "10"), 100 * MILLISECOND_NS)
    order_sent(desk, submits(second)[0].client_order_id)
    report(desk, submits(second)[0].client_order_id, ReportWord.ACCEPTED, 50 * MILLISECOND_NS)
    va = account(desk)
    assert (va.naked_total_ns, va.naked_max_ns) == (50 * MILLISECOND_NS, 50 * MILLISECOND_NS)
    assert va.venue_naked_total_ns == (300 + 100 + 50) * MILLISECOND_NS
    assert va.venue_naked_max_ns == 300 * MILLISECOND_NS


def next_cover_timer(desk: KeptDesk) -> Timer:
    while (timer := desk.books.this_run.pop_timer()).kind is not TimerKind.COVER_QUERY:
        pass
    return timer


def test_f42_a_stop_that_the_venue_cancels_is_replaced_at_once() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    step = report(desk, STOP, ReportWord.CANCELED)
    assert [(o.client_order_id, o.quantity) for o in submits(step)] == [("ABCDEF1S2", Decimal(10))]


@pytest.mark.parametrize(
    ("side", "bid", "ask", "is_crossed"),
    [
        ("buy", "97.99", "98.01", True),
        ("buy", "98.00", "98.02", True),
        ("buy", "98.01", "98.03", False),
        ("sell", "101.98", "102.00", True),
        ("sell", "101.97", "101.99", False),
    ],
)
def test_rule_23_a_stop_on_the_wrong_side_is_never_sent(
    side: str, bid: str, ask: str, is_crossed: bool
) -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a", side)))
    step = trade(desk, ENTRY, "10", "100", mark=quote(desk.now_ns, bid, ask))
    expected = (Role.EXIT, Reason.STOP_CROSSED) if is_crossed else (Role.STOP, Reason.STOP_LOSS)
    assert [(order.role, order.exit_reason) for order in submits(step)] == [expected]


def test_rule_23_a_stop_that_moves_through_the_market_is_not_sent_though_others_rest() -> None:
    """20 rest under stops at 98; the average of the entry, 102, puts the stop at 99.96."""
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a", quantity="30")))
    acknowledge(desk, trade(desk, ENTRY, "10", "100"))
    acknowledge(desk, trade(desk, ENTRY, "10", "104"))
    step = report(desk, ENTRY, ReportWord.CANCELED, mark=quote(desk.now_ns, "99.50", "99.52"))
    assert [(o.role, o.exit_reason) for o in submits(step)] == [(Role.EXIT, Reason.STOP_CROSSED)]


def test_what_an_unknown_stop_does_not_keep_back_is_exited_at_the_deadline() -> None:
    """10 rest under a stop, 10 under one that may never have arrived: half can be exited now."""
    desk = kept_desk(REFUSES)
    acknowledge(desk, send(desk, signal("a", quantity="20")))
    acknowledge(desk, trade(desk, ENTRY, "10"))
    trade(desk, ENTRY, "10")
    order_sent(desk, "ABCDEF1S2")
    given_up = [one for step in pass_time(desk, 2 * SECOND_NS) for one in cancels(step)]
    assert given_up == [STOP, "ABCDEF1S2"]
    tell(desk, CancelRefused("ABCDEF1S2", Reason.NOT_FOUND, desk.now_ns))
    step = report(desk, STOP, ReportWord.CANCELED)
    assert quantities(submits(step)) == [10]
    acknowledge(desk, step)
    settled = tell(desk, OrderAbsent("ABCDEF1S2", desk.now_ns + 10 * SECOND_NS))
    assert quantities(submits(settled)) == [10]


def test_rule_23_a_mark_of_another_symbol_says_nothing() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    step = trade(desk, ENTRY, "10", mark=quote(desk.now_ns, "1", "2", "YYY"))
    assert [order.role for order in submits(step)] == [Role.STOP]


def test_f37_a_short_is_covered_by_a_buy_stop_above() -> None:
    desk = kept_desk()
    enter(desk, signal("a", "sell"))
    (stop,) = desk.books.orders_of(1, Role.STOP)
    assert (stop.side, stop.trigger_price, stop.position_side) == (
        Side.BUY,
        Decimal("102.00"),
        PositionSide.SHORT,
    )


def test_rule_24_a_target_exits_at_market() -> None:
    desk = kept_desk()
    enter(desk, signal("a", take_profit=Decimal(103)))
    step = tell(desk, LevelReached(1, Level.TAKE_PROFIT, quote(desk.now_ns, "103", "103.01")))
    assert [(o.role, o.exit_reason) for o in submits(step)] == [(Role.EXIT, Reason.TAKE_PROFIT)]
    acknowledge(desk, step)
    done = trade(desk, EXIT, "10", "103")
    assert [one.exit_reason for one in of_type(done.changes, Trade)] == [Reason.TAKE_PROFIT]


def test_a_crossed_stop_is_the_venues_to_act_on_until_the_deadline() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    crossed = tell(desk, LevelReached(1, Level.STOP, quote(desk.now_ns, "97", "97.01")))
    assert crossed.commands == ()
    (late,) = [step for step in pass_time(desk, 2 * SECOND_NS) if step.commands]
    assert [(o.role, o.exit_reason) for o in submits(late)] == [(Role.EXIT, Reason.STOP_CROSSED)]


def test_a_crossed_stop_that_has_triggered_is_left_to_trade() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    tell(desk, LevelReached(1, Level.STOP, quote(desk.now_ns, "97", "97.01")))
    report(desk, STOP, ReportWord.TRIGGERED)
    steps = pass_time(desk, 10 * SECOND_NS)
    assert not any(submits(step) or cancels(step) for step in steps)


def test_rule_19_flatten_closes_what_an_entry_still_fills() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    assert cancels(tell(desk, Killed(True, "person", "test"))) == [ENTRY]
    step = trade(desk, ENTRY, "10")
    assert [(o.role, o.quantity) for o in submits(step)] == [(Role.EXIT, Decimal(10))]


# -- the worked example of the module --------------------------------------------------------------

HUNDRED = limits(max_position_size=Decimal(20_000))


def orders_of(step: Step) -> str:
    """What a step sends: stops and exits with their quantities, and cancels."""
    sent = [f"{order.client_order_id[-2:]} {order.quantity}" for order in submits(step)]
    return ", ".join(sent + [f"cancel {order_id[-2:]}" for order_id in cancels(step)])


def at_work(desk: KeptDesk) -> str:
    found = sorted(desk.books.orders.values(), key=lambda order: order.client_order_id)
    return ", ".join(f"{order.client_order_id[-2:]} {order.leaves}" for order in found)


def hundred_under_two_stops(mode: ReduceOnlyMode) -> KeptDesk:
    desk = kept_desk(policy(HUNDRED, reduce_only_mode=mode))
    acknowledge(desk, send(desk, signal("a", quantity="100")))
    for filled, expected in (("40", "S1 40"), ("60", "S2 60")):
        step = trade(desk, ENTRY, filled)
        assert orders_of(step) == expected
        acknowledge(desk, step)
    assert at_work(desk) == "S1 40, S2 60"
    return desk


def test_rule_21_where_they_may_overlap_the_exit_goes_first_and_the_stops_follow() -> None:
    desk = hundred_under_two_stops(ReduceOnlyMode.CLIP)
    leaving = send(desk, signal("b", "close", "30"))
    assert orders_of(leaving) == "X1 30"
    acknowledge(desk, leaving)
    assert at_work(desk) == "S1 40, S2 60, X1 30"
    left = trade(desk, EXIT, "30")
    assert orders_of(left) == "S3 10"
    order_sent(desk, "ABCDEF1S3")
    assert orders_of(report(desk, "ABCDEF1S3", ReportWord.ACCEPTED)) == "cancel S1"
    report(desk, STOP, ReportWord.CANCELED)
    assert (at_work(desk), held(desk).quantity) == ("S2 60, S3 10", 70)


def test_rule_21_where_they_may_not_overlap_a_stop_makes_room_for_the_exit() -> None:
    desk = hundred_under_two_stops(ReduceOnlyMode.REFUSE)
    assert orders_of(send(desk, signal("b", "close", "30"))) == "cancel S1"
    assert at_work(desk) == "S1 40, S2 60"
    leaving = report(desk, STOP, ReportWord.CANCELED)
    assert orders_of(leaving) == "X1 30, S3 10"
    acknowledge(desk, leaving)
    assert orders_of(trade(desk, EXIT, "30")) == ""
    assert (at_work(desk), held(desk).quantity) == ("S2 60, S3 10", 70)


# -- large quantities ------------------------------------------------------------------------------

PARTS = {"XXX": replace(XXX, max_market_quantity=Decimal(40))}


@pytest.mark.parametrize("mode", list(ReduceOnlyMode))
def test_rule_48_a_stop_and_an_exit_too_large_for_a_market_order_go_in_parts(
    mode: ReduceOnlyMode,
) -> None:
    """100 where no more than 40 may trade at market: never more in all than is held."""
    desk = kept_desk(policy(HUNDRED, instruments=PARTS, reduce_only_mode=mode))
    acknowledge(desk, send(desk, signal("a", quantity="100")))
    stops = trade(desk, ENTRY, "100")
    assert orders_of(stops) == "S1 33, S2 33, S3 34"
    acknowledge(desk, stops)
    step = send(desk, signal("b", "close", None))
    for stop_id in cancels(step):
        acknowledge(desk, step)
        step = report(desk, stop_id, ReportWord.CANCELED)
    assert orders_of(step) == "X1 33, X2 33, X3 34"
    acknowledge(desk, step)
    for exit_, quantity in (("ABCDEF1X1", "33"), ("ABCDEF1X2", "33"), ("ABCDEF1X3", "34")):
        trade(desk, exit_, quantity, "101")
    assert desk.kept.order("ABCDEF1X3").status is OrderStatus.FILLED
    assert 1 not in desk.books.positions


# -- small quantities ------------------------------------------------------------------------------

COARSE = Instrument("XXX", XXX.tick, Decimal(1), Decimal(5), Decimal(0), "USD")


def coarse_desk() -> KeptDesk:
    """The venue trades nothing below 5."""
    return kept_desk(policy(instruments={"XXX": COARSE}))


def test_an_addition_too_small_for_a_stop_of_its_own_gets_one_with_the_rest_once() -> None:
    desk = coarse_desk()
    acknowledge(desk, send(desk, signal("a", quantity="12")))
    acknowledge(desk, trade(desk, ENTRY, "10"))
    step = trade(desk, ENTRY, "2")
    assert (quantities(submits(step)), cancels(step)) == ([Decimal(12)], [])
    assert order_sent(desk, "ABCDEF1S2").commands == ()
    assert cancels(report(desk, "ABCDEF1S2", ReportWord.ACCEPTED)) == [STOP]


TENTHS = replace(XXX, lot=Decimal("0.1"), min_notional=Decimal(500))
LEAST_500 = policy(instruments={"XXX": TENTHS})


@pytest.mark.parametrize(
    ("filled", "sent"),
    [
        pytest.param("5.1", (Role.EXIT, Decimal("5.1"), Reason.UNPROTECTED), id="no stop could"),
        pytest.param("5.2", (Role.STOP, Decimal("5.2"), Reason.STOP_LOSS), id="a stop can"),
    ],
)
def test_what_the_venue_trades_but_no_stop_could_cover_is_exited_when_no_more_comes(
    filled: str, sent: tuple[Role, Decimal, Reason]
) -> None:
    """At 98 a stop for 5.1 is worth less than the 500 that the venue asks for."""
    desk = kept_desk(LEAST_500)
    acknowledge(desk, send(desk, signal("a", quantity="20")))
    trading = trade(desk, ENTRY, filled)
    ended = report(desk, ENTRY, ReportWord.CANCELED)
    orders = [*submits(trading), *submits(ended)]
    assert [(order.role, order.quantity, order.exit_reason) for order in orders] == [sent]


def test_what_no_stop_could_cover_is_naked_until_its_exit_is_acknowledged() -> None:
    desk = kept_desk(LEAST_500)
    acknowledge(desk, send(desk, signal("a", quantity="20")))
    trade(desk, ENTRY, "5.1")
    assert held(desk).naked_since_ns is not None
    acknowledge(desk, report(desk, ENTRY, ReportWord.CANCELED))
    assert held(desk).naked_since_ns is None


def test_f46_a_residue_below_the_minimum_is_dust_and_lets_everything_go() -> None:
    desk = coarse_desk()
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", "close", "6")))
    trade(desk, EXIT, "6", "101")
    closed = desk.kept.all(Trade)
    assert [(one.quantity, one.pnl) for one in closed] == [(Decimal(6), Decimal(6))]
    report(desk, STOP, ReportWord.CANCELED)
    assert (account(desk).leased_symbol, desk.books.slots_used(VA)) == (None, 0)
    assert (held(desk).quantity, held(desk).state.value) == (Decimal(4), "dust")


@pytest.mark.parametrize(("holds", "exits"), [("4", []), ("6", [Decimal(6)])])
def test_rule_15_what_the_venue_still_holds_is_exited_only_where_it_can_be_traded(
    holds: str, exits: list[Decimal]
) -> None:
    """Six or four of ten are gone there and nobody knows whose they are; below five the venue
    would reject an exit, over and over (I21)."""
    desk = coarse_desk()
    enter(desk, signal("a"))
    steps = [tell(desk, HoldingDiffers("XXX", PositionSide.LONG, Decimal(holds)))]
    acknowledge(desk, report(desk, STOP, ReportWord.CANCELED))
    steps.append(send(desk, signal("b", "close", None)))
    for stop in desk.books.orders_of(1, Role.STOP):
        steps.append(report(desk, stop.client_order_id, ReportWord.CANCELED))
    sent = [order for step in steps for order in submits(step) if order.role is Role.EXIT]
    assert quantities(sent) == exits


def test_f46_dust_that_is_closed_after_all_is_a_trade_of_its_own() -> None:
    desk = coarse_desk()
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", "close", "6")))
    trade(desk, EXIT, "6", "101")
    trade(desk, STOP, "4", "98")
    assert [(one.trade_id, one.quantity, one.pnl) for one in desk.kept.all(Trade)] == [
        ("1.0", Decimal(6), Decimal(6)),
        ("1.1", Decimal(4), Decimal(-8)),
    ]
    assert desk.books.positions == {}
    assert account(desk).balance == account(desk).cash == Decimal(99_998)


def test_dust_that_an_entry_adds_to_late_is_a_position_again() -> None:
    """The dust is part of it: nothing of the holding is lost."""
    desk = coarse_desk()
    acknowledge(desk, send(desk, signal("a", quantity="20")))
    tell(desk, fill_of(desk, ENTRY, "t1", "4"))
    report(desk, ENTRY, ReportWord.CANCELED)
    assert held(desk).state.value == "dust"
    step = tell(desk, fill_of(desk, ENTRY, "t2", "6"))
    assert quantities(submits(step)) == [10]
    acknowledge(desk, step)
    stop_out(desk, held(desk), "99")
    assert account(desk).balance == account(desk).cash == Decimal(99_990)
