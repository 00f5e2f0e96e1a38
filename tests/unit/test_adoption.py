"""A person gives a holding that is not ours to an account: it is a position with a stop at once."""

from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from pointsman import __version__
from pointsman.cli.journal_check import examine
from pointsman.domain.accounts import ExternalHolding
from pointsman.domain.commands import Step
from pointsman.domain.events import Assigned, HoldingDiffers, Killed
from pointsman.domain.market import Quote
from pointsman.domain.orders import Fill, Role
from pointsman.domain.policy import PositionMode
from pointsman.domain.positions import Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.execution.adoption import foreign_holding, why_not_adopted
from pointsman.execution.desk import Desk
from pointsman.execution.external_holdings import our_holdings
from pointsman.storage.reader import open_reader, positions
from tests.desk_stories import (
    SECOND_NS,
    VA,
    account,
    acknowledge,
    enter,
    incidents,
    of_type,
    policy,
    quote,
    ready_desk,
    signal,
    stop_out,
    submits,
    tell,
)
from tests.story_database import lived_day

OTHER = "VA002"
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
MODES = list(PositionMode)


def holding(desk: Desk, quantity: str, side: PositionSide = LONG, symbol: str = "XXX") -> None:
    """The account at the venue holds this, signed, beside what is ours."""
    key = desk.books.policy.venue_key(symbol, side)
    ours = our_holdings(desk.books).get(key, Decimal(0))
    tell(desk, HoldingDiffers(symbol, key[1], ours + Decimal(quantity)), SECOND_NS)


def assign(desk: Desk, quantity: str, va_id: str = VA, *, mark: Quote | None = None) -> Step:
    mark = quote(desk.now_ns, "99.9", "100.1") if mark is None else mark
    return tell(desk, Assigned(va_id, "XXX", Decimal(quantity), "ann", "mine", mark), SECOND_NS)


def why(desk: Desk, quantity: str, va_id: str = VA, *, has_mark: bool = True) -> str:
    mark = quote(desk.now_ns, "99.9", "100.1") if has_mark else None
    return why_not_adopted(desk.books, va_id, "XXX", Decimal(quantity), mark)


def everything(desk: Desk, side: PositionSide) -> Decimal:
    """VAs and EXTERNAL together, as the venue would count them."""
    key = desk.books.policy.venue_key("XXX", side)
    held = desk.books.externals.get(key)
    return our_holdings(desk.books).get(key, Decimal(0)) + (held.quantity if held else 0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("side", "price", "trigger"), [(LONG, "99.9", "97.91"), (SHORT, "100.1", "102.10")]
)
def test_rule_28_a_part_becomes_a_position_with_its_stop_in_the_same_turn(
    mode: PositionMode, side: PositionSide, price: str, trigger: str
) -> None:
    desk = ready_desk(policy(position_mode=mode))
    holding(desk, str(side.sign * 7), side)
    before = account(desk).balance
    step = assign(desk, "4")
    (position,) = desk.books.positions.values()
    assert (position.va_id, position.side, position.quantity) == (VA, side, 4)
    assert position.lots[0].price == Decimal(price), "what it could be closed at now"
    (stop,) = submits(step)
    assert (stop.role, stop.quantity) == (Role.STOP, 4)
    assert stop.trigger_price == Decimal(trigger)
    assert position.naked_since_ns == desk.now_ns, "until the venue confirms it"
    (fill,) = of_type(step.changes, Fill)
    assert fill.is_external
    assert incidents(step) == [Reason.EXTERNAL_ACTIVITY]
    assert foreign_holding(desk.books, "XXX") == (side, 3)
    assert everything(desk, side) == 7 * side.sign
    assert (account(desk).balance, account(desk).leased_symbol) == (before, "XXX")
    assert account(desk).day_entries == 0, "no entry of a strategy"
    acknowledge(desk, step)
    assert desk.books.positions[position.position_id].naked_since_ns is None


def test_its_result_is_counted_from_when_it_was_adopted() -> None:
    desk = ready_desk()
    holding(desk, "10")
    step = assign(desk, "10")
    acknowledge(desk, step)
    (position,) = desk.books.positions.values()
    closed = stop_out(desk, position, "97.9", SECOND_NS)
    (trade,) = of_type(closed.changes, Trade)
    assert (trade.quantity, trade.pnl) == (10, Decimal("-20.0"))
    assert account(desk).cash == account(desk).balance
    assert not desk.books.positions
    assert foreign_holding(desk.books, "XXX") is None


def test_what_no_execution_explains_has_no_value_and_leaves_none() -> None:
    desk = ready_desk()
    holding(desk, "10")
    held = desk.books.externals["XXX", LONG]
    assert held.value is None, "no execution explains it"
    assign(desk, "10")
    assert desk.books.externals["XXX", LONG] == ExternalHolding("XXX", LONG, Decimal(0), Decimal(0))


def test_an_account_that_holds_the_symbol_gets_a_further_position() -> None:
    desk = ready_desk()
    first = enter(desk, signal("a", quantity="5"))
    holding(desk, "3")
    assign(desk, "3")
    assert [p.quantity for p in desk.books.positions.values()] == [5, 3]
    assert {first.position_id} < set(desk.books.positions)


def test_after_a_flatten_it_is_closed_like_all_else() -> None:
    desk = ready_desk()
    holding(desk, "3")
    tell(desk, Killed(flatten=True, by="ann", note="out"))
    (order,) = submits(assign(desk, "3"))
    assert (order.role, order.exit_reason) == (Role.EXIT, Reason.FLATTEN)


def test_two_accounts_take_a_part_each() -> None:
    desk = ready_desk(accounts=(VA, OTHER))
    holding(desk, "10")
    assign(desk, "4")
    assign(desk, "6", OTHER)
    assert [(p.va_id, p.quantity) for p in desk.books.positions.values()] == [(VA, 4), (OTHER, 6)]
    assert foreign_holding(desk.books, "XXX") is None
    assert everything(desk, LONG) == 10


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [("11", "the venue holds 10 XXX that is not ours"), ("0", "holds 10 XXX"), ("-1", "holds 10")],
)
def test_more_than_there_is_is_refused_and_changes_nothing(quantity: str, reason: str) -> None:
    desk = ready_desk()
    holding(desk, "10")
    assert reason in why(desk, quantity)
    step = assign(desk, quantity)
    assert (step.changes, step.commands) == ((), ())


def test_without_a_price_nothing_is_made_up() -> None:
    desk = ready_desk()
    holding(desk, "10")
    assert why(desk, "10", has_mark=False) == "no price is known for XXX; wait for a quote of it"
    step = tell(desk, Assigned(VA, "XXX", Decimal(10), "ann", "mine"), SECOND_NS)
    assert (step.changes, step.commands) == ((), ())


def test_an_account_trades_one_symbol_at_a_time() -> None:
    desk = ready_desk(accounts=(VA, OTHER))
    enter(desk, signal("a", quantity="5", symbol="YYY"))
    holding(desk, "3")
    assert why(desk, "3").startswith("VA001 trades YYY; choose an account that is flat")
    assert not why(desk, "3", OTHER)
    assert assign(desk, "3").changes == ()


@pytest.mark.parametrize("mode", MODES)
def test_no_account_holds_both_sides_and_where_the_venue_nets_no_two_do(mode: PositionMode) -> None:
    desk = ready_desk(policy(position_mode=mode), accounts=(VA, OTHER))
    enter(desk, signal("a", side="sell", quantity="5"))
    desk.books.externals["XXX", LONG] = ExternalHolding("XXX", LONG, Decimal(3))
    assert "XXX is held short" in why(desk, "3")
    assert bool(why(desk, "3", OTHER)) is (mode is PositionMode.NET)


def test_what_is_too_small_for_a_stop_is_not_taken_in() -> None:
    desk = ready_desk()
    made = desk.books.policy
    xxx = msgspec.structs.replace(made.instrument("XXX"), min_notional=Decimal(300))
    desk.books.put_policy(msgspec.structs.replace(made, instruments={"XXX": xxx}))
    holding(desk, "10")
    assert "3 XXX is too little for a stop; assign more of it" in why(desk, "3"), "293.73 at 97.91"
    assert not why(desk, "4")


def test_rule_33_the_journal_of_an_adoption_is_decided_again_alike(tmp_path: Path) -> None:
    day = lived_day()
    day.tell(90_000, HoldingDiffers("XXX", LONG, Decimal(1_000)))
    mark = day.quote(90_100)
    day.tell(90_200, Assigned("VA002", "XXX", Decimal(7), "ann", "mine", mark))
    with closing(open_reader(day.store(tmp_path / "t.db"))) as connection:
        verdict = examine(connection, __version__)
        held = {position.va_id: position.quantity for position in positions(connection)}
    assert verdict.fault is None
    assert verdict.not_re_decided == 0
    assert held["VA002"] == 7
