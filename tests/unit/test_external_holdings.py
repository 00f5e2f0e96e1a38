"""What happens at the venue without us: VAs + EXTERNAL = venue (RULES 28)."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.accounts import ExternalHolding
from pointsman.domain.commands import Step
from pointsman.domain.events import Assigned, ForeignFill, HoldingDiffers, ReportWord, VenueFill
from pointsman.domain.money import exact
from pointsman.domain.orders import Fill, Order, Role
from pointsman.domain.policy import PositionMode
from pointsman.domain.positions import PositionState, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.external_holdings import our_holdings
from tests.desk_stories import (
    SECOND_NS,
    VA,
    XXX,
    account,
    acknowledge,
    cancels,
    decide,
    enter,
    incidents,
    limits,
    pass_time,
    policy,
    report,
    send,
    signal,
    submits,
    tell,
    trade,
)
from tests.order_stories import KeptDesk, fill_of, kept_desk

replace = msgspec.structs.replace
VAS = ("VA001", "VA002")
LONG, SHORT, BUY, SELL = PositionSide.LONG, PositionSide.SHORT, Side.BUY, Side.SELL
NET = policy(position_mode=PositionMode.NET)


def foreign(
    desk: KeptDesk,
    quantity: str,
    side: Side = SELL,
    position_side: PositionSide = LONG,
    *,
    price: str = "99",
    fee: str = "0",
    trade_id: str = "f1",
) -> Step:
    """Somebody else trades on the account."""
    fill = VenueFill(trade_id, Decimal(quantity), Decimal(price), Decimal(fee), desk.now_ns)
    return tell(desk, ForeignFill("XXX", position_side, side, fill, "somebody"))


def differs(desk: KeptDesk, quantity: str, side: PositionSide = LONG) -> Step:
    return tell(desk, HoldingDiffers("XXX", side, Decimal(quantity)))


def external(desk: KeptDesk, side: PositionSide = LONG) -> Decimal:
    return desk.books.external("XXX", side)


def test_f51_a_person_closes_the_position_of_the_one_account_that_holds() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    step = foreign(desk, "10", fee="0.099")
    assert cancels(step) == ["ABCDEF1S1"]
    (closed,) = desk.kept.all(Trade)
    assert (closed.exit_reason, closed.pnl) == (Reason.EXTERNAL_CLOSE, Decimal("-10.099"))
    report(desk, "ABCDEF1S1", ReportWord.CANCELED)
    assert (account(desk).leased_symbol, account(desk).losses) == (None, 1)
    assert [fill.is_external for fill in desk.kept.all(Fill)] == [False, True]
    assert external(desk) == 0


def test_f57_a_part_that_is_liquidated_leaves_a_stop_for_the_rest() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    step = foreign(desk, "4")
    assert [(order.role, order.quantity) for order in submits(step)] == [(Role.STOP, Decimal(6))]
    acknowledge(desk, step)
    assert [order.leaves for order in desk.books.orders_of(1, Role.STOP)][-1] == 6
    assert desk.kept.incidents() == [Reason.EXTERNAL_ACTIVITY]


def test_rule_28_a_foreign_fill_that_reduces_is_charged_to_external_first() -> None:
    desk = kept_desk()
    foreign(desk, "6", BUY)
    enter(desk, signal("a"))
    assert external(desk) == 6
    foreign(desk, "9", trade_id="f2")
    assert (external(desk), desk.books.positions[1].quantity) == (Decimal(0), Decimal(7))


def test_what_is_left_beyond_the_account_goes_to_external() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    foreign(desk, "12")
    assert desk.books.open_positions(VA) == []
    assert external(desk) == -2


def test_rule_28_several_holders_are_not_changed_but_freeze_and_their_stops_shrink() -> None:
    desk = kept_desk(accounts=VAS)
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    step = foreign(desk, "4")
    assert external(desk) == -4
    assert [account(desk, va).frozen_for for va in VAS] == [Reason.EXTERNAL_ACTIVITY] * 2
    assert [held.quantity for held in desk.books.positions.values()] == [10, 10]
    assert cancels(step) == ["ABCDEF2S1"], "the newest gives way: cancelled, confirmed, smaller"
    smaller = report(desk, "ABCDEF2S1", ReportWord.CANCELED)
    assert [order.quantity for order in submits(smaller)] == [6]
    acknowledge(desk, smaller)
    assert all(not step.commands for step in pass_time(desk, 10 * SECOND_NS)), "no alarm, no exit"


def test_rule_28_the_share_of_what_is_lacking_moves_on_when_a_position_goes() -> None:
    desk = kept_desk(accounts=VAS)
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    foreign(desk, "4")
    acknowledge(desk, report(desk, "ABCDEF2S1", ReportWord.CANCELED))
    step = trade(desk, "ABCDEF2S2", "6", "98")
    assert cancels(step) == []
    assert desk.books.positions[2].quantity == 4, "it is still in our books, not at the venue"
    assert sum(order.leaves for order in desk.books.orders_of(1, Role.STOP)) == 10


def test_i7_what_the_venue_still_holds_but_would_not_trade_is_no_reason_for_an_alarm() -> None:
    share = replace(XXX, min_notional=Decimal(500))
    desk = kept_desk(policy(instruments={"XXX": share}), accounts=VAS)
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    foreign(desk, "19")
    for stop in ("ABCDEF1S1", "ABCDEF2S1"):
        report(desk, stop, ReportWord.CANCELED)
    assert desk.books.naked == {}
    assert all(not step.commands for step in pass_time(desk, 10 * SECOND_NS))


def test_rule_28_dust_is_lacking_before_what_can_be_covered() -> None:
    """3 of dust and 20 are held, 16 of both are gone: the 7 that are left have a stop, not 4."""
    share = replace(XXX, min_notional=Decimal(500))
    desk = kept_desk(policy(instruments={"XXX": share}), accounts=VAS)
    enter(desk, signal("a", va_id="VA002"))
    acknowledge(desk, send(desk, signal("b", "close", "7", va_id="VA002")))
    trade(desk, "ABCDEF1X1", "7")
    report(desk, "ABCDEF1S1", ReportWord.CANCELED)
    enter(desk, signal("c", quantity="20"))
    differs(desk, "7")
    step = report(desk, "ABCDEF2S1", ReportWord.CANCELED)
    assert [order.quantity for order in submits(step)] == [7]


def test_rule_28_assigning_what_is_lacking_settles_it() -> None:
    desk = kept_desk(accounts=VAS)
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    foreign(desk, "4")
    acknowledge(desk, report(desk, "ABCDEF2S1", ReportWord.CANCELED))
    step = tell(desk, Assigned("VA001", "XXX", Decimal(4), "person", "mine"))
    assert external(desk) == 0
    assert [held.quantity for held in desk.books.positions.values()] == [6, 10]
    wanted = {(order.position_id, order.quantity) for order in submits(step)}
    assert (2, Decimal(4)) in wanted, "the other is covered in full again"
    assert our_holdings(desk.books) == {("XXX", LONG): 16}


def test_an_account_that_only_works_an_entry_does_not_hold() -> None:
    desk = kept_desk(accounts=VAS)
    enter(desk, signal("a"))
    send(desk, signal("b", va_id="VA002"))
    foreign(desk, "10")
    assert desk.books.open_positions("VA001") == []
    assert account(desk).frozen_for is None


def test_in_hedge_mode_a_foreign_fill_of_the_other_side_touches_nobody() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    foreign(desk, "3", SELL, SHORT)
    assert (external(desk, SHORT), external(desk, LONG)) == (Decimal(-3), Decimal(0))
    assert desk.books.positions[1].quantity == 10


def test_in_net_mode_the_same_trade_reduces_the_long() -> None:
    desk = kept_desk(NET)
    enter(desk, signal("a"))
    foreign(desk, "3")
    assert desk.books.positions[1].quantity == 7
    assert external(desk) == 0


def test_in_net_mode_a_foreign_buy_closes_a_short() -> None:
    desk = kept_desk(NET)
    enter(desk, signal("a", "sell"))
    foreign(desk, "12", BUY)
    assert (desk.books.open_positions(VA), external(desk)) == ([], Decimal(2))


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    borne=st.integers(0, 3),
    fee=st.decimals("0.000001", "99", places=6),
)
def test_a_foreign_fee_is_split_to_the_last_digit(
    sizes: list[int], borne: int, fee: Decimal
) -> None:
    """I6: what the VA pays of it, all of it where EXTERNAL bears no part."""
    desk = kept_desk(policy(limits(max_position_size=Decimal(10**6))))
    if borne:
        foreign(desk, str(borne), BUY)
    for number, size in enumerate(sizes):
        enter(desk, signal(f"s{number}", quantity=str(size)))
    total = sum(sizes) + borne
    foreign(desk, str(total), fee=str(fee), trade_id="f2")
    parts = [fill.fee for fill in desk.kept.all(Fill) if fill.is_external]
    with exact():
        fair = fee * sum(sizes) / total
        assert abs(sum(parts) - fair) <= Decimal("1e-11")
        assert borne or sum(parts) == fee
    owners = [o.fees for o in desk.kept.all(Order) if o.exit_reason is Reason.EXTERNAL_CLOSE]
    assert owners == parts
    assert account(desk).cash == account(desk).balance


def test_two_fills_of_one_foreign_order_are_two_orders_of_ours() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    foreign(desk, "3")
    foreign(desk, "4", trade_id="f2")
    stand_ins = [o for o in desk.kept.all(Order) if o.client_order_id.startswith("EXTERNAL")]
    assert [order.filled for order in stand_ins] == [3, 4]


def test_in_net_mode_what_the_venue_has_netted_away_is_not_covered_twice() -> None:
    """A long and a short at once can only come of a late fill: each is covered as far as it is
    there."""
    desk = kept_desk(NET)
    acknowledge(desk, send(desk, signal("a")))
    report(desk, "ABCDEF1E1", ReportWord.CANCELED)
    enter(desk, signal("b", "sell", quantity="4"))
    step = tell(desk, fill_of(desk, "ABCDEF1E1", "t1", "10"))
    assert account(desk).frozen_for is Reason.STRANGE_REPORT
    assert [(order.side, order.leaves) for order in submits(step)] == [(SELL, Decimal(6))]
    assert cancels(step) == ["ABCDEF2S1"]


def test_in_net_mode_dust_on_the_other_side_is_not_to_be_exited_again() -> None:
    """The venue nets VA002's 3 of dust against VA001's 20: 17 can be closed, and are asked for."""
    coin = replace(XXX, min_notional=Decimal(500))
    desk = kept_desk(replace(NET, instruments={"XXX": coin}), accounts=VAS)
    enter(desk, signal("a", "sell", va_id="VA002"))
    acknowledge(desk, send(desk, signal("b", "close", "7", va_id="VA002")))
    trade(desk, "ABCDEF1X1", "7")
    report(desk, "ABCDEF1S1", ReportWord.CANCELED)
    assert [held.state for held in desk.books.positions.values()] == [PositionState.DUST]
    enter(desk, signal("c", quantity="20"))
    assert [order.leaves for order in desk.books.orders_of(2, Role.STOP)] == [17]
    (leaving,) = submits(send(desk, signal("d", "close", None)))
    assert leaving.quantity == 17


# -- holdings that no fill explains ----------------------------------------------------------------


def test_f45_a_holding_that_is_gone_freezes_and_nothing_more_is_tried() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", "close", None)))
    report(desk, "ABCDEF1X1", ReportWord.REJECTED, reason=Reason.REDUCE_ONLY)
    step = differs(desk, "0")
    assert incidents(step) == [Reason.MISMATCH]
    assert (external(desk), account(desk).frozen_for) == (Decimal(-10), Reason.MISMATCH)
    assert cancels(step) == ["ABCDEF1S1"]
    report(desk, "ABCDEF1S1", ReportWord.CANCELED)
    assert all(not one.commands for one in pass_time(desk, 60 * SECOND_NS))


def test_a_holding_that_comes_back_is_covered_again() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    differs(desk, "0")
    report(desk, "ABCDEF1S1", ReportWord.CANCELED)
    step = differs(desk, "10")
    assert external(desk) == 0
    assert [(order.role, order.quantity) for order in submits(step)] == [(Role.STOP, Decimal(10))]


def test_what_the_venue_holds_beyond_us_is_external_and_freezes_nobody() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    step = differs(desk, "13")
    assert (external(desk), account(desk).frozen_for) == (Decimal(3), None)
    assert incidents(step) == [Reason.MISMATCH]
    assert differs(desk, "13").changes == (), "explained now"


def test_rule_21_beside_a_foreign_holding_nothing_overlaps() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b", "close", None)))
    assert cancels(differs(desk, "13")) == ["ABCDEF1S1"]


def test_in_net_mode_a_foreign_holding_opposes_entries() -> None:
    desk = kept_desk(NET)
    differs(desk, "-3")
    assert desk.kept.all(ExternalHolding)[0].quantity == -3
    assert decide(desk, signal("a")).reason is Reason.OPPOSING_EXPOSURE
    assert decide(desk, signal("b", "sell")).reason is None


@pytest.mark.parametrize(("mode", "key"), [(PositionMode.HEDGE, LONG), (PositionMode.NET, LONG)])
def test_an_overfill_is_a_lack_on_the_side_that_it_came_from(
    mode: PositionMode, key: PositionSide
) -> None:
    """Sold beyond what was held: the venue has less of the longs of others, not a short."""
    desk = kept_desk(policy(position_mode=mode), accounts=VAS)
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    tell(desk, fill_of(desk, "ABCDEF1S1", "t1", "10", "98"))
    tell(desk, fill_of(desk, "ABCDEF1S1", "t2", "3", "98"))
    assert our_holdings(desk.books) == {("XXX", key): 7}
