"""Intake: late, doubled, strange and foreign messages of a venue, each taken in once or not at
all."""

from decimal import Decimal

import msgspec
import pytest

from pointsman.domain.accounts import EXTERNAL, Account, Incident
from pointsman.domain.commands import Cancel, Compare, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    ChargePaid,
    Compared,
    ForeignFill,
    FundingPaid,
    HoldingDiffers,
    LinkChanged,
    NotSent,
    OrderAdopted,
    OrderReport,
    UnlistedCode,
    VenueLink,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Fill, Order, Role
from pointsman.domain.policy import Abilities
from pointsman.domain.positions import Funding
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import OrderFound
from pointsman.execution import external_holdings, reconcile
from pointsman.execution.venue_intake import StrangeOrders
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS, SECOND_NS
from tests.engine_stories import (
    CODE,
    Story,
    accepted,
    begin,
    canceled,
    changed,
    filled,
    foreign_trade,
    fresh_copy,
    snapshot,
    traded,
    venue_order,
    venue_trade,
)

replace = msgspec.structs.replace
LONG_XXX = ("XXX", PositionSide.LONG)


def partly_filled(story: Story) -> tuple[Order, Order]:
    """An entry of 10 that filled 4 and was cancelled, and the stop that rests for it."""
    story.ask(told.signal("in"))
    (entry,) = story.venue.take(Submit)
    story.say(accepted(entry.order), traded(entry.order, "4"))
    (stop,) = story.venue.take(Submit)
    story.say(accepted(stop.order), canceled(entry.order))
    return story.order(entry.order.client_order_id), story.order(stop.order.client_order_id)


def compared(story: Story) -> int:
    """How many comparisons counted."""
    return len([event for event in story.events if isinstance(event, Compared)])


# -- late and doubled ------------------------------------------------------------------------------


def test_rule_32_a_late_fill_of_a_final_order_is_looked_up_booked_once_and_covered() -> None:
    story = begin()
    entry, _ = partly_filled(story)
    late = traded(entry, "6", trade_id="2")
    story.say(late, late)
    story.say(late)
    assert story.order(entry.client_order_id).status is OrderStatus.FILLED
    assert [fill.quantity for fill in changed(story, Fill)] == [Decimal(4), Decimal(6)]
    assert story.loop.desk.books.positions[1].quantity == Decimal(10)
    (more,) = story.venue.take(Submit)
    assert (more.order.role, more.order.quantity) == (Role.STOP, Decimal(6))
    known = [event.known for event in story.events if isinstance(event, OrderReport)]
    assert known[-1] is not None
    assert known[-1].fill_keys == (f"{CODE}1E1:1:buy",)


def test_rule_32_a_late_fill_waits_while_storage_cannot_be_asked() -> None:
    """Neither the report nor a comparison that shows it is taken in; one after healing is."""
    story = begin()
    entry, stop = partly_filled(story)
    missed = venue_trade(entry, filled("6", trade_id="2"))
    shown = snapshot((venue_order(stop),), (missed,), held="10", cursor="2")
    story.memory.is_slow = True
    story.memory.fail()
    before = compared(story)
    story.say(traded(entry, "6", trade_id="2"), shown)
    assert story.loop.desk.books.positions[1].quantity == Decimal(4)
    assert story.loop.desk.books.desk.fills_cursor == ""
    assert compared(story) == before

    story.memory.heal()
    story.say(shown)
    assert story.loop.desk.books.positions[1].quantity == Decimal(10)
    assert story.loop.desk.books.desk.fills_cursor == "2"


def test_what_was_booked_a_short_while_ago_need_not_be_looked_up() -> None:
    """So a comparison counts also while storage fails."""
    story = begin()
    entry, stop = partly_filled(story)
    story.memory.fail()
    booked = venue_trade(entry, filled("4"))
    story.say(snapshot((venue_order(stop),), (booked,), held="4", cursor="1"))
    assert story.loop.desk.books.desk.fills_cursor == "1"


def test_a_fill_that_stands_twice_in_a_snapshot_is_booked_once() -> None:
    """Of an order that works, and of one that has ended."""
    story = begin()
    story.ask(told.signal("in"))
    (entry,) = story.venue.take(Submit)
    first = venue_trade(entry.order, filled("4"))
    last = venue_trade(entry.order, filled("6", trade_id="2"))
    story.say(snapshot(trades=(first, first, last, last, first), held="10", cursor="2"))
    assert [fill.quantity for fill in changed(story, Fill)] == [Decimal(4), Decimal(6)]
    assert story.loop.desk.books.desk.mismatch_cycles == 1


def test_a_comparison_supplies_what_was_missed_and_the_next_one_is_quiet() -> None:
    story = begin()
    entry, stop = partly_filled(story)
    trades = (
        venue_trade(entry, filled("4")),
        venue_trade(stop, filled("4", "98", trade_id="2")),
    )
    story.say(snapshot(trades=trades, cursor="2"))
    assert story.loop.desk.books.positions == {}
    assert changed(story, Account)[-1].losses == 1
    turns = len(story.events)
    story.say(snapshot(cursor="2"))
    assert story.loop.desk.books.desk.mismatch_cycles == 0
    story.say(snapshot(cursor="2"))
    assert len(story.events) == turns + 1  # that the cycles are over, and then nothing


def test_an_answer_to_a_query_tells_all_that_happened() -> None:
    story = begin()
    story.ask(told.signal("in"))
    (entry,) = story.venue.take(Submit)
    ended = fresh_copy(entry.order, filled=Decimal(4))
    found = OrderFound(venue_order(ended, OrderStatus.CANCELED), (filled("4"),), told.START_NS)
    story.say(found, found)
    assert story.order(entry.order.client_order_id).status is OrderStatus.CANCELED
    assert [fill.quantity for fill in changed(story, Fill)] == [Decimal(4)]


def test_what_is_said_of_an_order_that_is_not_ours_to_know_changes_nothing() -> None:
    story = begin()
    turns = len(story.events)
    story.say(CancelRefused(f"{CODE}9S9", Reason.NOT_FOUND, told.START_NS))
    assert len(story.events) == turns


@pytest.mark.parametrize("how", ["incomplete", "overtaken"])
def test_an_answer_that_is_incomplete_or_was_overtaken_concludes_nothing(how: str) -> None:
    story = begin()
    story.pass_time(SECOND_NS)
    story.say(snapshot(cursor="5", at_ns=story.loop.now_ns))
    turns, now_ns = len(story.events), story.loop.now_ns
    older_ns = now_ns - MILLISECOND_NS if how == "overtaken" else now_ns
    trade = foreign_trade(Side.BUY, "7")
    missing = "GET /fills" if how == "incomplete" else ""
    told_late = snapshot(trades=(trade,), held="7", cursor="1", at_ns=older_ns, missing=missing)
    story.say(told_late)
    assert len(story.events) == turns
    assert story.loop.desk.books.desk.fills_cursor == "5"


# -- funding ---------------------------------------------------------------------------------------


def paid(funding_id: str, amount: str, ts_ns: int = told.START_NS) -> FundingPaid:
    """Funding on what is long of XXX."""
    return FundingPaid(funding_id, "XXX", PositionSide.LONG, Decimal(amount), ts_ns)


def test_rule_32_a_funding_payment_is_taken_in_once_however_often_it_is_told() -> None:
    """By the stream and by comparisons, whether it is on disk yet or not."""
    story = begin()
    _, stop = partly_filled(story)
    shown = snapshot((venue_order(stop),), held="4", cursor="2")
    shown = replace(shown, fundings=(paid("f1", "-0.5"), paid("f2", "0.1")))
    story.memory.is_slow = True
    story.say(paid("f1", "-0.5"), paid("f1", "-0.5"), shown)
    story.memory.heal()
    story.say(paid("f2", "0.1"), shown)
    assert [share.amount for share in changed(story, Funding)] == [Decimal("-0.5"), Decimal("0.1")]
    assert story.loop.desk.books.desk.mismatch_cycles == 0, "what is told late is no mismatch"


def test_i6_a_comparison_tells_funding_before_what_traded_after_it() -> None:
    """So whoever held when it was settled bears it, and whoever came later does not."""
    story = begin()
    _, stop = partly_filled(story)
    later_ns = told.START_NS + MILLISECOND_NS
    sold = replace(filled("4", "98", trade_id="2"), ts_ns=later_ns)
    shown = snapshot(trades=(venue_trade(stop, sold),), cursor="2")
    fundings = (paid("f1", "-0.5"), paid("f2", "-0.25", later_ns + 1))
    story.say(replace(shown, fundings=fundings))
    whose = {share.funding_id: share.va_id for share in changed(story, Funding)}
    assert whose == {"f1": told.VA, "f2": EXTERNAL}


def charge(charge_id: str, amount: str, ts_ns: int = told.START_NS) -> ChargePaid:
    """A regulatory fee for XXX."""
    return ChargePaid(charge_id, Decimal(amount), ts_ns, "XXX")


def test_rule_51_a_charge_is_taken_in_once_however_often_it_is_told() -> None:
    story = begin()
    _, stop = partly_filled(story)
    shown = snapshot((venue_order(stop),), held="4", cursor="2")
    shown = replace(shown, charges=(charge("c1", "-0.5"), charge("c2", "0.1")))
    story.memory.is_slow = True
    story.say(charge("c1", "-0.5"), charge("c1", "-0.5"), shown)
    story.memory.heal()
    story.say(charge("c2", "0.1"), shown)
    assert [share.amount for share in changed(story, Funding)] == [Decimal("-0.5"), Decimal("0.1")]


def test_rule_51_funding_and_charges_are_booked_in_the_order_in_which_they_happened() -> None:
    story = begin()
    _, stop = partly_filled(story)
    at = told.START_NS
    shown = snapshot((venue_order(stop),), held="4", cursor="2")
    fundings = (paid("f1", "-1", at), paid("f2", "-1", at + 2))
    shown = replace(shown, fundings=fundings, charges=(charge("c1", "-1", at + 1),))
    story.say(shown)
    assert [share.funding_id for share in changed(story, Funding)] == ["f1", "c1", "f2"]


# -- the connection --------------------------------------------------------------------------------


def test_rule_46_what_is_told_of_the_connection_reaches_the_desk() -> None:
    story = begin()
    partly_filled(story)
    story.say(LinkChanged(VenueLink.ORDERS, False, told.START_NS, "reset"))
    assert VenueLink.ORDERS in story.loop.desk.books.this_run.links_down
    story.say(UnlistedCode("502", "Bad Gateway", told.START_NS))
    kinds = [incident.kind for incident in changed(story, Incident)]
    assert kinds[-2:] == [Reason.LINK_DOWN, Reason.UNLISTED_CODE]
    turns = len(story.events)
    story.say(NotSent("of nobody", False, Reason.VENUE_DOWN, told.START_NS))
    assert len(story.events) == turns


# -- orders that one of us does not know -----------------------------------------------------------


def test_rule_30_a_stop_that_only_the_venue_remembers_is_adopted_and_asked_about() -> None:
    """It left while storage failed, and the program ended before its record was kept."""
    story = begin()
    _, stop = partly_filled(story)
    story.venue.sent.clear()
    unknown = fresh_copy(stop, client_order_id=f"{CODE}1S2")
    shown = (venue_order(stop), venue_order(unknown))
    story.say(snapshot(shown, held="4"))
    adopted = [event for event in story.events if isinstance(event, OrderAdopted)]
    assert [event.order.client_order_id for event in adopted] == [f"{CODE}1S2"]
    assert f"{CODE}1S2" in [query.client_order_id for query in story.venue.take(Query)]
    assert story.loop.desk.books.positions[1].stops_made == 2


def test_rule_30_an_adopted_stop_that_has_filled_already_is_booked() -> None:
    story = begin()
    _, stop = partly_filled(story)
    unknown = fresh_copy(stop, client_order_id=f"{CODE}1S2")
    trade = venue_trade(unknown, filled("4", "98", trade_id="9"))
    story.say(snapshot((venue_order(stop),), (trade,), cursor="9"))
    assert story.loop.desk.books.positions == {}
    assert changed(story, Account)[-1].losses == 1


def test_rule_30_an_adopted_stop_that_filled_in_parts_was_for_all_of_them() -> None:
    story = begin()
    _, stop = partly_filled(story)
    unknown = fresh_copy(stop, client_order_id=f"{CODE}1S2")
    parts = [filled("3", "98", trade_id="8"), filled("1", "97", trade_id="9")]
    trades = tuple(venue_trade(unknown, part) for part in parts)
    story.say(snapshot((venue_order(stop),), trades, cursor="9"))
    assert story.order(f"{CODE}1S2").quantity == 4
    assert story.loop.desk.books.positions == {}
    assert story.loop.desk.books.accounts[told.VA].frozen_for is None


@pytest.mark.parametrize("order_id", [f"{CODE}7E1", f"{CODE}7S1", f"{CODE}1E2"])
def test_rule_26_orders_with_our_code_that_nobody_can_explain_stop_the_start(order_id: str) -> None:
    story = begin()
    _, stop = partly_filled(story)
    with pytest.raises(StrangeOrders, match=order_id):
        story.say(snapshot((venue_order(fresh_copy(stop, client_order_id=order_id)),)))


def test_an_order_that_has_ended_for_us_is_not_left_resting_at_the_venue() -> None:
    """The venue said it had never arrived, and yet it rests there."""
    story = begin()
    _, stop = partly_filled(story)
    story.say(canceled(stop))
    story.venue.sent.clear()
    story.say(snapshot((venue_order(stop),), held="4"))
    sent = [one for _, one in story.venue.sent]
    assert Cancel(stop.client_order_id, "XXX") in sent
    story.say(canceled(stop))
    assert story.order(stop.client_order_id).status is OrderStatus.CANCELED


@pytest.mark.parametrize("order_id", ["somebody-else-1", "ZZZZZZ1S1", ""])
def test_a_foreign_order_is_left_alone(order_id: str) -> None:
    story = begin()
    _, stop = partly_filled(story)
    story.venue.sent.clear()
    foreign = fresh_copy(stop, client_order_id=order_id)
    story.say(snapshot((venue_order(stop), venue_order(foreign)), held="4"))
    assert [one for _, one in story.venue.sent if not isinstance(one, Compare)] == []


# -- what is not ours ------------------------------------------------------------------------------


def test_rule_28_a_foreign_fill_is_counted_once_however_often_it_is_shown() -> None:
    story = begin()
    bought = foreign_trade(Side.BUY, "7")
    story.say(snapshot(trades=(bought, bought), held="7", cursor="1"))
    assert story.loop.desk.books.desk.mismatch_cycles == 1
    story.say(snapshot(trades=(bought,), held="7", cursor="1"))
    assert story.loop.desk.books.desk.mismatch_cycles == 0
    assert len([event for event in story.events if isinstance(event, ForeignFill)]) == 1
    assert story.loop.desk.books.externals[LONG_XXX].quantity == Decimal(7)
    assert not [event for event in story.events if isinstance(event, HoldingDiffers)]


def test_rule_28_what_was_charged_before_a_crash_cut_a_comparison_off_is_not_charged_again() -> (
    None
):
    """The first of two foreign executions became durable, the end of the comparison did not."""
    story = begin()
    bought, again = foreign_trade(Side.BUY, "7"), foreign_trade(Side.BUY, "2", trade_id="f2")
    story.loop.turn(reconcile.foreign_fill(bought, None))
    story.say(snapshot(held="0"))
    assert story.loop.desk.books.externals[LONG_XXX].quantity == 7, "an older answer tells nothing"
    story.say(snapshot(trades=(bought, again), held="9", cursor="2"))
    assert story.loop.desk.books.externals[LONG_XXX].quantity == 9
    charged = [event.fill.quantity for event in story.events if isinstance(event, ForeignFill)]
    assert charged == [7, 2]
    assert external_holdings.taken_in(story.loop.desk.books) == 0


def test_rule_28_a_foreign_sale_is_charged_to_the_only_holder() -> None:
    story = begin()
    entry, stop = partly_filled(story)
    trades = (venue_trade(entry, filled("4")), foreign_trade(Side.SELL, "4"))
    story.say(snapshot((venue_order(stop),), trades, cursor="2"))
    (fill,) = [fill for fill in changed(story, Fill) if fill.is_external]
    assert (fill.va_id, fill.quantity) == (told.VA, Decimal(4))
    assert story.loop.desk.books.positions == {}
    assert Cancel(stop.client_order_id, "XXX") in [one for _, one in story.venue.sent]


def test_rule_28_a_holding_that_no_fill_explains_goes_to_external() -> None:
    story = begin()
    story.say(snapshot(held="3"))
    story.say(snapshot(held="3"))
    assert len([event for event in story.events if isinstance(event, HoldingDiffers)]) == 1
    assert story.loop.desk.books.externals[LONG_XXX].quantity == Decimal(3)


@pytest.mark.parametrize(("forbids", "shown"), [(True, ("web-1", "web-2")), (False, ())])
def test_rule_43_what_others_have_at_work_is_noted_where_it_may_forbid_an_order(
    forbids: bool, shown: tuple[str, ...]
) -> None:
    """Ours is not among it, and to be shown the same again changes nothing."""
    story = begin(told.policy(abilities=Abilities(entry_beside_stop=not forbids)))
    _, stop = partly_filled(story)
    foreign = [
        replace(venue_order(stop), client_order_id=order_id, venue_order_id=order_id)
        for order_id in ("web-2", "web-1")
    ]
    turns = []
    for _ in range(3):
        story.say(snapshot((venue_order(stop), *foreign), held="4", cursor="2"))
        turns.append(len(story.memory.entries))
    orders = story.loop.desk.books.this_run.foreign_orders
    assert tuple(order.order_id for order in orders) == shown
    assert turns[1] == turns[2], "what changes nothing is not stored"
