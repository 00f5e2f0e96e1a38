"""What a venue forbids beside what is at work there: refused before it is sent, waited for, or
cleared out of the way (RULES 43)."""

import pytest
from msgspec.structs import replace

from pointsman.domain.commands import Compare
from pointsman.domain.events import Compared, ReportWord
from pointsman.domain.orders import ForeignOrder, Role
from pointsman.domain.policy import Abilities, PositionMode, ReduceOnlyMode, Reversal
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import MarketPosition, Side, SignalSide
from pointsman.execution.pacing import WAIT_NS_MAX
from tests.desk_stories import (
    SECOND_NS,
    account,
    acknowledge,
    cancels,
    check,
    decide,
    enter,
    incidents,
    limits,
    of_type,
    order_sent,
    pass_time,
    policy,
    refusal,
    report,
    send,
    signal,
    submits,
    tell,
    trade,
)
from tests.order_stories import KeptDesk, kept_desk

FORBIDS = policy(
    abilities=Abilities(entry_beside_stop=False, stop_beside_entry=False, tells_triggered=False),
    position_mode=PositionMode.NET,
    reduce_only_mode=ReduceOnlyMode.NONE,
)
"""A venue of shares: one position a symbol, its stop after its entry."""
STOP_WAITS = policy(abilities=Abilities(stop_beside_entry=False))
BOTH = ("VA001", "VA002")
ENTRY, STOP, EXIT = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"


def others_work(desk: KeptDesk, *orders: ForeignOrder) -> None:
    """A comparison shows what others have at work."""
    tell(desk, Compared(True, desk.now_ns, 0, "", foreign_orders=orders))


def forbidden(order_id: str) -> tuple[Reason, str, str]:
    return (Reason.VENUE_FORBIDS, order_id, "nothing")


# -- entries ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("va_id", "side"), [("VA001", "buy"), ("VA002", "buy"), ("VA002", "sell")])
def test_no_entry_beside_a_stop_of_that_symbol_of_whichever_account(va_id: str, side: str) -> None:
    """Also none that adds to the position; the check names the stop."""
    desk = kept_desk(FORBIDS, BOTH)
    enter(desk, signal("a"))
    decision = decide(desk, signal("b", side, va_id=va_id))
    rules = [one.rule for one in decision.checks if not one.passed]
    assert Reason.VENUE_FORBIDS in rules
    assert check(decision, Reason.VENUE_FORBIDS).value == STOP
    assert (rules[0] is Reason.VENUE_FORBIDS) is (side == "buy"), "else it opposes first"
    other = decide(desk, signal("c", symbol="YYY", va_id="VA002"))
    assert other.reason is None, "another symbol is free"


def test_an_entry_that_works_forbids_the_next_one_for_its_stop_will() -> None:
    desk = kept_desk(FORBIDS, BOTH)
    acknowledge(desk, send(desk, signal("a")))
    assert refusal(decide(desk, signal("b", va_id="VA002"))) == forbidden(ENTRY)


def test_a_position_that_has_just_lost_its_stop_forbids_too() -> None:
    """Its stop is on the way back: it is named by the order that opened it."""
    desk = kept_desk(FORBIDS, BOTH)
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, ENTRY, "4")
    report(desk, ENTRY, ReportWord.CANCELED)
    report(desk, STOP, ReportWord.CANCELED)
    desk.books.orders_by_symbol.clear()
    assert refusal(decide(desk, signal("b", va_id="VA002"))) == forbidden(ENTRY)


def test_a_leftover_stop_of_a_flat_position_forbids_until_it_is_gone() -> None:
    desk = kept_desk(FORBIDS, BOTH)
    enter(desk, signal("a"))
    step = send(desk, signal("b", "close", None))
    assert cancels(step) == [STOP]
    leaving = report(desk, STOP, ReportWord.CANCELED)
    acknowledge(desk, leaving)
    assert refusal(decide(desk, signal("c", va_id="VA002"))) == forbidden(EXIT)
    trade(desk, EXIT, "10")
    assert decide(desk, signal("d", va_id="VA002")).reason is None


@pytest.mark.parametrize(
    ("side", "abilities", "is_forbidden"),
    [
        (Side.SELL, Abilities(entry_beside_stop=False), True),
        (Side.BUY, Abilities(entry_beside_stop=False), False),
        (Side.SELL, Abilities(stop_beside_entry=False), False),
        (Side.BUY, Abilities(stop_beside_entry=False), True),
        (Side.BUY, Abilities(), False),
        (Side.SELL, Abilities(), False),
    ],
)
def test_what_others_have_at_work_forbids_the_entry_or_the_stop_that_would_follow(
    side: Side, abilities: Abilities, is_forbidden: bool
) -> None:
    """A purchase: an order to sell is in its own way, one to buy in that of its stop."""
    desk = kept_desk(policy(abilities=abilities))
    others_work(desk, ForeignOrder("web-1", "XXX", side), ForeignOrder("web-2", "YYY", side))
    decision = decide(desk, signal("a"))
    assert refusal(decision) == (forbidden("web-1") if is_forbidden else (None, None, None))


def test_an_order_of_others_that_a_later_comparison_does_not_show_is_in_nobodys_way() -> None:
    desk = kept_desk(FORBIDS)
    others_work(desk, ForeignOrder("web-1", "XXX", Side.SELL))
    assert refusal(decide(desk, signal("a"))) == forbidden("web-1")
    others_work(desk)
    assert decide(desk, signal("b")).reason is None


def test_a_symbol_that_has_as_many_stops_as_the_venue_takes_gets_no_further_entry() -> None:
    desk = kept_desk(policy(abilities=Abilities(max_stops_per_symbol=2)))
    enter(desk, signal("a", quantity="1"))
    second = send(desk, signal("b", quantity="1"))
    assert second.decision is not None
    assert second.decision.reason is None
    assert decide(desk, signal("c", quantity="1")).reason is Reason.VENUE_FORBIDS


def test_the_stops_of_others_count_to_what_the_venue_takes_in_a_symbol() -> None:
    desk = kept_desk(policy(abilities=Abilities(max_stops_per_symbol=2)))
    stop = ForeignOrder("web-1", "XXX", Side.SELL, is_stop=True)
    limit = ForeignOrder("web-2", "XXX", Side.SELL)
    others_work(desk, stop, limit, ForeignOrder("web-3", "YYY", Side.SELL, is_stop=True))
    enter(desk, signal("a", quantity="1"))
    others_work(desk, stop, limit)
    decision = decide(desk, signal("b", quantity="1"))
    assert (decision.reason, decision.value) == (Reason.VENUE_FORBIDS, "web-1")


def test_a_venue_that_forbids_nothing_is_not_asked_for_it() -> None:
    decision = decide(kept_desk(), signal("a"))
    assert Reason.VENUE_FORBIDS not in [one.rule for one in decision.checks]


def test_rule_55_the_opening_part_of_a_reversal_waits_until_the_stop_is_gone() -> None:
    both = limits(reversal=Reversal.CLOSE_AND_OPEN)
    rules = replace(policy(both), abilities=FORBIDS.abilities, position_mode=PositionMode.NET)
    desk = kept_desk(replace(rules, reduce_only_mode=ReduceOnlyMode.NONE))
    enter(desk, signal("a", market_position=MarketPosition.LONG))
    turned = signal("b", "sell", "20", market_position=MarketPosition.SHORT)
    assert cancels(send(desk, turned)) == [STOP]
    acknowledge(desk, report(desk, STOP, ReportWord.CANCELED))
    assert desk.due_openings() == []
    trade(desk, EXIT, "10")
    (opening,) = desk.due_openings()
    assert (opening.side, opening.quantity) == (SignalSide.SELL, 10)
    assert decide(desk, opening, is_opening=True).reason is None


# -- stops and exits -------------------------------------------------------------------------------


def test_the_stop_leaves_when_the_entry_has_ended_and_the_clock_runs_from_the_fill() -> None:
    desk = kept_desk(FORBIDS)
    acknowledge(desk, send(desk, signal("a")))
    assert submits(trade(desk, ENTRY, "4")) == []
    assert desk.books.positions[1].naked_since_ns == desk.now_ns
    ended = report(desk, ENTRY, ReportWord.CANCELED, SECOND_NS // 4)
    assert [(order.role, order.quantity) for order in submits(ended)] == [(Role.STOP, 4)]
    acknowledge(desk, ended)
    assert account(desk).naked_max_ns == SECOND_NS // 4


def test_rule_25_an_entry_that_does_not_end_is_cancelled_at_half_the_deadline() -> None:
    """First the entry, then the stop, and an exit only where that comes too late as well."""
    desk = kept_desk(FORBIDS)
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, ENTRY, "4")
    (half,) = [step for step in pass_time(desk, SECOND_NS) if step.commands]
    assert (cancels(half), submits(half)) == ([ENTRY], [])
    (stop,) = submits(report(desk, ENTRY, ReportWord.CANCELED))
    assert stop.role is Role.STOP
    steps = pass_time(desk, SECOND_NS)
    assert account(desk).frozen_for is Reason.NAKED_POSITION
    assert cancels(steps[-1]) == [STOP]
    (exit_,) = submits(report(desk, STOP, ReportWord.CANCELED))
    assert (exit_.role, exit_.quantity) == (Role.EXIT, 4)


def test_an_exit_waits_for_the_entry_too() -> None:
    desk = kept_desk(FORBIDS)
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, ENTRY, "4")
    closing = send(desk, signal("b", "close", None))
    assert (cancels(closing), submits(closing)) == ([ENTRY], [])
    ended = submits(report(desk, ENTRY, ReportWord.CANCELED))
    assert [(order.role, order.quantity) for order in ended] == [(Role.EXIT, 4)]


def test_an_entry_without_an_answer_is_not_waited_for() -> None:
    """It may never have arrived: what the venue refuses for it would be tried again."""
    desk = kept_desk(FORBIDS)
    order_sent(desk, submits(send(desk, signal("a")))[0].client_order_id)
    trade(desk, ENTRY, "4")
    cancel = next(step for step in pass_time(desk, SECOND_NS) if cancels(step))
    assert cancels(cancel) == [ENTRY]
    pass_time(desk, 4 * SECOND_NS)
    sent = [order for step in pass_time(desk, SECOND_NS) for order in submits(step)]
    assert [order.role for order in sent] == [Role.EXIT], "the deadline has passed meanwhile"


def test_the_entry_of_another_account_is_waited_for_and_cancelled_as_well() -> None:
    desk = kept_desk(STOP_WAITS, BOTH)
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", va_id="VA002")))
    assert submits(report(desk, STOP, ReportWord.CANCELED)) == []
    steps = pass_time(desk, SECOND_NS)
    assert [order_id for step in steps for order_id in cancels(step)] == ["ABCDEF2E1"]
    ended = report(desk, "ABCDEF2E1", ReportWord.CANCELED)
    assert [order.client_order_id for order in submits(ended)] == ["ABCDEF1S2"]


# -- refused all the same --------------------------------------------------------------------------


def test_a_stop_that_the_venue_forbids_is_tried_again_paced_and_what_is_in_its_way_named() -> None:
    desk = kept_desk(FORBIDS)
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, ENTRY, "10")
    others_work(desk, ForeignOrder("web-1", "XXX", Side.BUY))
    waiting, told, sent = [STOP], [], 0
    for _ in range(16):
        while waiting:
            order_sent(desk, waiting[0])
            step = report(desk, waiting.pop(), ReportWord.REJECTED, reason=Reason.VENUE_FORBIDS)
            told += incidents(step)
            assert of_type(step.commands, Compare)
            waiting += [order.client_order_id for order in submits(step)]
        steps = pass_time(desk, SECOND_NS // 10)
        waiting += [order.client_order_id for step in steps for order in submits(step)]
        sent += len(waiting)
    assert told == [Reason.VENUE_FORBIDS], "named once a minute"
    assert 2 <= sent <= 5, "1.6 s"
    assert desk.books.orders_of(1, Role.EXIT) == []
    assert account(desk).frozen_for is None


def test_the_pace_of_a_forbidden_stop_ends_when_one_rests() -> None:
    desk = kept_desk(FORBIDS)
    acknowledge(desk, send(desk, signal("a")))
    stops = submits(trade(desk, ENTRY, "10"))
    for _ in range(3):
        order_sent(desk, stops[0].client_order_id)
        refused = report(
            desk, stops.pop().client_order_id, ReportWord.REJECTED, reason=Reason.VENUE_FORBIDS
        )
        stops = submits(refused)
        while not stops:
            stops = [o for step in pass_time(desk, WAIT_NS_MAX // 8) for o in submits(step)]
    order_sent(desk, stops[0].client_order_id)
    report(desk, stops[0].client_order_id, ReportWord.ACCEPTED)
    gone = report(desk, stops[0].client_order_id, ReportWord.CANCELED)
    assert [order.role for order in submits(gone)] == [Role.STOP]
    order_sent(desk, submits(gone)[0].client_order_id)
    refused = report(
        desk, submits(gone)[0].client_order_id, ReportWord.REJECTED, reason=Reason.VENUE_FORBIDS
    )
    assert submits(refused), "at once, the first time in a row"


def test_a_stop_that_is_forbidden_for_an_entry_of_ours_has_that_cancelled() -> None:
    """The venue forbids more than it has stated."""
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    (stop,) = submits(trade(desk, ENTRY, "4"))
    order_sent(desk, stop.client_order_id)
    step = report(desk, STOP, ReportWord.REJECTED, reason=Reason.VENUE_FORBIDS)
    assert cancels(step) == [ENTRY]
    assert incidents(step) == [Reason.VENUE_FORBIDS]


def test_an_exit_that_is_forbidden_has_the_way_cleared_and_is_tried_again_after_its_pause() -> None:
    desk = kept_desk(STOP_WAITS, BOTH)
    enter(desk, signal("a"))
    send(desk, signal("b", "close", None))
    order_sent(desk, EXIT)
    acknowledge(desk, send(desk, signal("c", va_id="VA002")))
    step = report(desk, EXIT, ReportWord.REJECTED, reason=Reason.VENUE_FORBIDS)
    assert cancels(step) == ["ABCDEF2E1"]
    assert incidents(step) == [Reason.EXIT_REJECTED]
    report(desk, "ABCDEF2E1", ReportWord.CANCELED)
    again = [order for step in pass_time(desk, 2 * SECOND_NS) for order in submits(step)]
    assert [order.client_order_id for order in again] == ["ABCDEF1X2"]


def test_a_resting_stop_that_is_forbidden_only_at_its_trigger_means_exit() -> None:
    desk = kept_desk(FORBIDS)
    enter(desk, signal("a"))
    step = report(desk, STOP, ReportWord.REJECTED, reason=Reason.VENUE_FORBIDS)
    assert [order.exit_reason for order in submits(step)] == [Reason.STOP_REJECTED]
