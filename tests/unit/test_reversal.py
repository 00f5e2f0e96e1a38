"""Reversals (RULES 55): how much closes, how much opens, when, and what becomes of what waits."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pointsman.domain.accounts import Opening
from pointsman.domain.commands import Step
from pointsman.domain.events import (
    FlattenRequested,
    Killed,
    Paused,
    ReportWord,
    SignalReceived,
    Started,
)
from pointsman.domain.orders import Role
from pointsman.domain.policy import Reversal
from pointsman.domain.positions import PositionState
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import EntrySides, MarketPosition
from pointsman.domain.signals import Action, Decision, FirstDecision, Outcome, Signal, SignalRecord
from pointsman.execution.desk import Desk
from pointsman.execution.loading import DeskRecords
from tests.desk_stories import (
    MIDNIGHT_NS,
    SECOND_NS,
    VA,
    WINDOW,
    account,
    acknowledge,
    decide,
    enter,
    incidents,
    limits,
    of_type,
    pass_time,
    policy,
    quote,
    ready_desk,
    refusal,
    report,
    send,
    signal,
    stop_out,
    submits,
    tell,
    trade,
)

LONG, SHORT, FLAT = MarketPosition.LONG, MarketPosition.SHORT, MarketPosition.FLAT


def desk_with(reversal: Reversal = Reversal.CLOSE, **changes: Any) -> Desk:
    return ready_desk(policy(limits(reversal=reversal, **changes)))


def order(
    signal_id: str, side: str, quantity: str | None, position: MarketPosition | None, **more: Any
) -> Signal:
    """An alert of a strategy, with what it holds afterwards."""
    return signal(signal_id, side, quantity, market_position=position, **more)


def finish_exit(desk: Desk, price: str = "100") -> Step:
    """The venue fills the exits of the VA, and cancels what protected it."""
    steps = []
    for position in list(desk.books.open_positions(VA)):
        (leaving,) = desk.books.orders_of(position.position_id, Role.EXIT)
        steps.append(trade(desk, leaving.client_order_id, str(leaving.leaves), price))
    for order_id in list(desk.books.index[VA].orders):
        report(desk, order_id, ReportWord.CANCELED)
    return steps[-1]


def open_what_waits(desk: Desk) -> Decision:
    """What the shell does once the VA is flat: the opening part is judged."""
    (opening,) = desk.due_openings()
    fresh = quote(desk.now_ns)
    event = SignalReceived(opening, fresh, fresh, WINDOW, MIDNIGHT_NS, is_opening=True)
    step = desk.handle(event, desk.now_ns)
    acknowledge(desk, step)
    assert step.decision is not None
    return step.decision


# -- how much --------------------------------------------------------------------------------------


def test_rule_55_close_closes_only_and_says_what_it_left_unopened() -> None:
    desk = desk_with()
    enter(desk, order("in", "buy", "10", LONG))
    step = send(desk, order("turn", "sell", "20", SHORT))
    decision = step.decision
    assert decision is not None
    assert (decision.outcome, decision.action) == (Outcome.ACCEPTED, Action.EXIT)
    assert (decision.quantity, decision.clipped_quantity) == (Decimal(10), Decimal(10))
    assert (decision.opening_id, decision.opening_quantity) == (None, Decimal(10))
    assert Reason.CLIPPED in incidents(step)
    assert account(desk).opening is None


def test_rule_55_three_reversals_of_a_ten_lot_strategy_never_hold_more_than_ten() -> None:
    desk = desk_with()
    enter(desk, order("1", "buy", "10", LONG))
    acknowledge(desk, send(desk, order("2", "sell", "20", SHORT)))
    finish_exit(desk)
    third = enter(desk, order("3", "buy", "20", LONG))
    assert third.quantity == Decimal(10)
    acknowledge(desk, send(desk, order("4", "sell", "20", SHORT)))
    finish_exit(desk)
    fifth = enter(desk, order("5", "buy", "15", LONG))
    assert fifth.quantity == Decimal(5), "the strategy was short of ten"


@pytest.mark.parametrize(
    ("said", "opens"),
    [
        ({"quantity": "20"}, "10"),
        ({"quantity": "25"}, "15"),
        ({"quantity": "20", "market_position_size": Decimal(7)}, "7"),
        ({"quantity": "20", "market_position_size": Decimal(100)}, "20"),
        ({"quantity": "10"}, None),
        ({"quantity": "4"}, None),
    ],
)
def test_rule_55_the_opening_part_is_what_is_left_or_the_size_that_the_alert_gives(
    said: dict[str, Any], opens: str | None
) -> None:
    desk = desk_with(Reversal.CLOSE_AND_OPEN)
    enter(desk, order("in", "buy", "10", LONG))
    decision = decide(desk, order("turn", "sell", said.pop("quantity"), SHORT, **said))
    assert decision.quantity == Decimal(10), "all is closed: the strategy holds the other side"
    assert decision.clipped_quantity is None
    assert decision.opening_quantity == (None if opens is None else Decimal(opens))
    assert decision.opening_id == (None if opens is None else "turn/open")


@pytest.mark.parametrize("strategy_size", [None, Decimal(700)])
def test_rule_55_a_size_in_money_is_that_of_the_opening_part(strategy_size: Decimal | None) -> None:
    """Also where the alert says how much its strategy holds, in units of its own."""
    desk = desk_with(Reversal.CLOSE_AND_OPEN)
    enter(desk, order("in", "buy", "10", LONG))
    turn = order("turn", "sell", None, SHORT, notional=Decimal(500))
    decide(desk, msgspec.structs.replace(turn, market_position_size=strategy_size))
    opening = account(desk).opening
    assert opening is not None
    assert (opening.signal.quantity, opening.signal.notional) == (None, Decimal(500))
    left = desk_with()
    enter(left, order("in", "buy", "10", LONG))
    told = decide(left, order("turn", "sell", None, SHORT, notional=Decimal(500)))
    assert told.opening_quantity == Decimal(5)


@pytest.mark.parametrize(("size", "opens"), [("10", "10"), ("30", "20"), (None, "20")])
def test_rule_55_from_flat_no_more_is_opened_than_the_strategy_then_holds(
    size: str | None, opens: str
) -> None:
    desk = desk_with()
    held = None if size is None else Decimal(size)
    decision = decide(desk, order("in", "buy", "20", LONG, market_position_size=held))
    assert decision.quantity == Decimal(opens)
    assert decision.clipped_quantity == (None if opens == "20" else Decimal(opens))


def test_rule_55_a_strategy_whose_stop_was_hit_turns_round_with_its_own_size() -> None:
    desk = desk_with()
    stop_out(desk, enter(desk, order("1", "buy", "10", LONG)), "98")
    assert account(desk).strategy_quantity == Decimal(10)
    assert enter(desk, order("2", "sell", "20", SHORT)).quantity == Decimal(10)


@pytest.mark.parametrize(("side", "position"), [("sell", LONG), ("buy", SHORT), ("sell", FLAT)])
def test_rule_55_an_order_against_what_the_strategy_still_holds_never_opens(
    side: str, position: MarketPosition
) -> None:
    decision = decide(desk_with(), order("x", side, "4", position, reduce_only=True))
    assert decision.reason is Reason.NOTHING_TO_CLOSE


def test_without_a_market_position_an_opposite_signal_is_an_exit_as_ever() -> None:
    desk = desk_with(Reversal.CLOSE_AND_OPEN)
    enter(desk, signal("in", "buy", "10"))
    decision = decide(desk, signal("out", "sell", "20"))
    assert (decision.quantity, decision.clipped_quantity) == (Decimal(10), Decimal(10))
    assert decision.opening_quantity is None
    assert decide(desk, signal("again", "sell", "5")).reason is Reason.NOTHING_TO_CLOSE


# -- what waits ------------------------------------------------------------------------------------


def turned(reversal: Reversal = Reversal.CLOSE_AND_OPEN, **changes: Any) -> Desk:
    """A desk whose exit is on its way, and whose opening part waits."""
    desk = desk_with(reversal, **changes)
    enter(desk, order("in", "buy", "10", LONG))
    acknowledge(desk, send(desk, order("turn", "sell", "20", SHORT)))
    return desk


def test_rule_55_the_opening_part_is_judged_once_the_account_is_flat() -> None:
    desk = turned()
    assert desk.due_openings() == []
    finish_exit(desk)
    decision = open_what_waits(desk)
    assert (decision.signal_id, decision.outcome) == ("turn/open", Outcome.ACCEPTED)
    assert (decision.action, decision.quantity) == (Action.ENTRY, Decimal(10))
    assert (desk.due_openings(), account(desk).opening) == ([], None)
    assert decision.client_order_id is not None
    trade(desk, decision.client_order_id, "10")
    (held,) = desk.books.open_positions(VA)
    assert (held.side, held.quantity) == ("short", Decimal(10))


@pytest.mark.parametrize(
    ("meanwhile", "changes", "reason"),
    [
        (Killed(False, "me", "x"), {}, Reason.KILLED),
        (Paused(VA, "me", "x"), {}, Reason.PAUSED),
        (None, {"entry_sides": EntrySides.LONG}, Reason.SIDE_NOT_ALLOWED),
        (None, {"max_trades_per_day": 1}, Reason.MAX_TRADES_PER_DAY),
    ],
)
def test_rule_55_it_is_judged_by_all_rules(
    meanwhile: Any, changes: dict[str, Any], reason: Reason
) -> None:
    desk = turned(**changes)
    if meanwhile is not None:
        tell(desk, meanwhile)
    finish_exit(desk)
    decision = open_what_waits(desk)
    assert decision.reason is reason
    assert account(desk).opening is None


def decided(steps: list[Step]) -> list[Decision]:
    return [each for step in steps for each in of_type(step.changes, Decision)]


def test_rule_55_turned_round_twice_at_once_it_opens_what_the_strategy_then_holds() -> None:
    """The first reversal is still on its way out when the second takes it back."""
    desk = turned()
    step = send(desk, order("back", "buy", "20", LONG))
    assert step.decision is not None
    assert (step.decision.quantity, step.decision.clipped_quantity) == (Decimal(10), Decimal(10))
    acknowledge(desk, step)
    (entry,) = desk.books.index[VA].entries
    trade(desk, entry, "10")
    leaving = [o for o in desk.books.orders.values() if o.role is Role.EXIT]
    trade(desk, leaving[0].client_order_id, "10")
    (held,) = desk.books.open_positions(VA)
    assert (held.side, held.quantity) == ("long", Decimal(10))
    assert desk.due_openings() == []


def test_rule_55_an_entry_beside_what_is_held_is_not_cut() -> None:
    desk = desk_with(Reversal.CLOSE_AND_OPEN)
    enter(desk, order("in", "buy", "10", LONG))
    more = decide(desk, order("more", "buy", "5", LONG))
    assert (more.quantity, more.clipped_quantity) == (Decimal(5), None)


def test_rule_55_too_late_it_is_refused() -> None:
    desk = turned()
    assert decided(pass_time(desk, 10 * SECOND_NS - 1)) == []
    (refused,) = decided(pass_time(desk, 1))
    assert refusal(refused) == (Reason.OPPOSING_EXPOSURE, "short", "hedge")
    assert (refused.signal_id, refused.action) == ("turn/open", Action.ENTRY)
    assert account(desk).opening is None
    assert desk.due_openings() == []


@pytest.mark.parametrize(
    "otherwise",
    [
        order("x", "buy", "20", LONG),
        order("x", "close", None, FLAT),
        signal("x", "close", None),
        order("x", "buy", "10", FLAT, reduce_only=True),
        FlattenRequested(VA, "me", "x"),
        FlattenRequested(None, "me", "x"),
        Killed(True, "me", "x"),
    ],
    ids=str,
)
def test_a_strategy_or_a_person_that_asks_otherwise_withdraws_it(otherwise: Any) -> None:
    desk = turned()
    step = send(desk, otherwise) if isinstance(otherwise, Signal) else tell(desk, otherwise)
    (refused,) = [each for each in decided([step]) if each.signal_id == "turn/open"]
    assert refused.reason is Reason.OPPOSING_EXPOSURE
    assert [each.signal.signal_id for each in of_type(step.changes, SignalRecord)].count(
        "turn/open"
    ) == 1
    assert account(desk).opening is None


@pytest.mark.parametrize("reversal", list(Reversal))
def test_rule_55_an_opposite_entry_waits_for_an_exit_that_is_on_its_way(
    reversal: Reversal,
) -> None:
    desk = desk_with(reversal)
    enter(desk, order("in", "buy", "10", LONG))
    acknowledge(desk, send(desk, order("out", "sell", "10", FLAT, reduce_only=True)))
    waits = decide(desk, order("turn", "sell", "4", SHORT))
    assert (waits.outcome, waits.action, waits.opening_id) == ("accepted", "wait", "turn/open")
    assert waits.opening_quantity == Decimal(4)
    second = decide(desk, order("more", "sell", "1", SHORT))
    assert second.reason is Reason.OPPOSING_EXPOSURE, "one waits at a time"
    finish_exit(desk)
    assert open_what_waits(desk).quantity == Decimal(4)


def test_a_second_reversal_that_finds_more_to_close_takes_the_place_of_what_waits() -> None:
    """An entry that still worked has brought more meanwhile. Each opening part is decided once."""
    desk = desk_with(Reversal.CLOSE_AND_OPEN)
    acknowledge(desk, send(desk, order("in", "buy", "10", LONG)))
    (entry,) = desk.books.index[VA].entries
    trade(desk, entry, "6")
    acknowledge(desk, send(desk, order("out", "sell", "6", FLAT, reduce_only=True)))
    assert decide(desk, order("turn", "sell", "16", SHORT)).opening_id == "turn/open"
    trade(desk, entry, "4")
    step = send(desk, order("again", "sell", "16", SHORT, market_position_size=Decimal(3)))
    (refused,) = [each for each in decided([step]) if each.signal_id == "turn/open"]
    assert refused.reason is Reason.OPPOSING_EXPOSURE
    opening = account(desk).opening
    assert opening is not None
    assert (opening.signal.signal_id, opening.signal.quantity) == ("again/open", Decimal(3))


def test_a_restart_finds_what_waits_and_its_deadline() -> None:
    desk = turned()
    books = desk.books
    loaded = DeskRecords(
        desk=books.desk,
        kill_switch=books.kill_switch,
        accounts=tuple(books.accounts.values()),
        orders=tuple(books.orders.values()),
        positions=tuple(books.positions.values()),
    )
    again = Desk.load(books.policy, loaded, desk.now_ns)
    opening = account(again).opening
    assert isinstance(opening, Opening)
    assert opening == account(desk).opening
    assert again.books.openings == books.openings
    tell(again, Started("test", books.desk.code, books.policy, ()))
    (refused,) = decided(pass_time(again, 11 * SECOND_NS))[:1]
    assert refused.signal_id == "turn/open"


def test_a_duplicate_of_the_reversal_opens_nothing_twice() -> None:
    desk = desk_with(Reversal.CLOSE_AND_OPEN)
    enter(desk, order("in", "buy", "10", LONG))
    turn = order("turn", "sell", "20", SHORT)
    step = send(desk, turn)
    acknowledge(desk, step)
    (record,) = of_type(step.changes, SignalRecord)
    assert step.decision is not None
    first = FirstDecision(record, step.decision)
    again = msgspec.structs.replace(turn, remarks=None)
    told = send(desk, again, first=first)
    assert (told.is_repeat, told.decision) == (True, step.decision)
    finish_exit(desk)
    open_what_waits(desk)
    assert send(desk, again, first=first).is_repeat
    assert desk.due_openings() == []
    assert [p.state for p in desk.books.positions.values()].count(PositionState.CLOSED) == 0
    assert submits(step)
