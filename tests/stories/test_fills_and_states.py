"""Stories B: executions and ends of orders, as venues really tell them. F11 to F26."""

from decimal import Decimal

import msgspec
import pytest

from pointsman.domain.events import OrderReport, ReportWord
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.domain.venue_reports import OrderFound, Snapshot
from pointsman.execution.ports import VenueReply
from pointsman.simulator.crashes import Boundary
from tests.stories.scripted_venue import Line
from tests.stories.story import Begin, Story

replace = msgspec.structs.replace
TWO = ("VA001", "VA002")


def with_all_trades(story: Story, said: VenueReply) -> tuple[VenueReply]:
    """A comparison that shows all executions once more, whatever was asked for."""
    if isinstance(said, Snapshot):
        said = replace(said, trades=tuple(story.venue.trades))
    return (said,)


def test_f11_a_fill_that_comes_before_the_acceptance_is_covered_at_once(story: Story) -> None:
    """And the acceptance that comes after it changes nothing."""
    with story.venue.line(Line.HELD):
        entry = story.buys("10")
        story.venue.fills(entry)
        acceptance, fill = story.venue.take_held()
    story.venue.says(fill)
    assert story.is_covered()
    story.venue.says(acceptance)
    assert story.held() == 10
    assert story.status(entry) == "FILLED"
    assert len(story.stops()) == 1


def test_f12_a_quantity_that_stands_only_in_the_order_is_not_lost(story: Story) -> None:
    """It ended with 10 filled, says the venue, and lists 6: for us it is not over before all 10 are
    known."""
    with story.venue.line(Line.ANSWERS_LOST):
        entry = story.buys("20")
        story.venue.fills(entry, "4")
        story.venue.fills(entry, "6")
        story.venue.cancels(entry)

    def lists_six(said: VenueReply) -> tuple[VenueReply, ...]:
        if isinstance(said, OrderFound):
            return (replace(said, fills=said.fills[1:]),)
        return () if isinstance(said, Snapshot) else (said,)

    story.venue.distort = lists_six
    story.passes(6)
    assert story.held() == 6
    assert story.status(entry) == "PARTIALLY_FILLED"
    story.venue.loses()
    story.passes(6)
    assert story.held() == 10
    assert story.status(entry) == "CANCELED"
    assert story.is_covered()


def test_f13_the_same_fill_again_is_one_fill_however_late(story: Story) -> None:
    """At once, forty minutes later, and in what a comparison shows."""
    with story.venue.line(Line.HELD):
        entry = story.buys("10")
        story.venue.fills(entry)
        acceptance, fill = story.venue.take_held()
    story.venue.says(acceptance, fill, fill)
    story.passes(40 * 60)
    story.venue.says(fill)
    story.venue.distort = lambda said: with_all_trades(story, said)
    story.passes(11)
    assert story.held() == 10
    assert len(story.stops()) == 1
    assert Reason.OVERFILL not in story.incidents()


def test_f14_fills_that_are_told_again_after_a_restart_are_booked_once(story: Story) -> None:
    """By the stream and by the comparison, of orders that are long over and of one that rests."""
    said_before: list[VenueReply] = []

    def remembered(said: VenueReply) -> tuple[VenueReply]:
        said_before.append(said)
        return (said,)

    story.venue.distort = remembered
    story.enters("10")
    (stop,) = story.stops()
    story.venue.fills(stop, "4", at="98")
    story.venue.distort = lambda said: with_all_trades(story, said)
    story.restarts()
    cash = story.account().cash
    story.venue.says(*(said for said in said_before if isinstance(said, OrderReport)))
    story.passes(6)
    assert story.held() == 6
    assert story.account().cash == cash
    # What is left of the stop trades on: it has triggered.
    assert (len(story.stops()), story.exits()) == (1, [])


def test_f15_two_fills_with_one_trade_id_are_two(begin: Begin) -> None:
    """One trade of the venue filled the orders of two accounts, and the exit of one bears the same
    number again."""
    story = begin(accounts=TWO)
    for va in TWO:
        story.venue.fills(story.buys("10", va=va), trade_id="7")
    assert [story.held(va) for va in TWO] == [10, 10]
    story.closes(va="VA001")
    (exit_,) = story.exits()
    story.venue.fills(exit_, trade_id="7")
    assert [story.held(va) for va in TWO] == [0, 10]
    assert [fill.quantity for fill in story.fills()] == [10, 10, 10]
    story.passes(11)
    assert Reason.MISMATCH not in story.incidents()


def test_f16_fills_without_a_trade_id_are_told_apart_and_recognised(story: Story) -> None:
    """Two that look alike but for their time are two; told again after a restart they are none."""
    entry = story.buys("10")
    for _ in range(2):
        story.passes(1)
        story.venue.fills(entry, "4", trade_id="")
    assert story.held() == 8
    story.venue.distort = lambda said: with_all_trades(story, said)
    story.restarts()
    story.passes(11)
    assert story.held() == 8
    assert sum(story.resting()) == 8


def test_f17_a_holding_seen_before_its_fill_is_not_counted_twice(story: Story) -> None:
    """The positions already show 10, the executions do not yet: that is set aside, not booked to
    the account; when the fill comes it takes its place."""
    with story.venue.line(Line.ANSWERS_LOST):
        entry = story.buys("10")
        story.venue.fills(entry)

    def without_history(said: VenueReply) -> tuple[VenueReply, ...]:
        if isinstance(said, Snapshot):
            return (replace(said, trades=(), fills_cursor=""),)
        return () if isinstance(said, OrderFound) else (said,)

    story.venue.distort = without_history
    story.passes(6)
    assert Reason.MISMATCH in story.incidents()
    assert story.held() == 0
    story.venue.loses()
    story.passes(11)
    assert story.held() == 10
    assert story.is_covered()
    assert story.loop.desk.books.external("AAPL", PositionSide.LONG) == 0
    assert Reason.OVERFILL not in story.incidents()


def test_f18_two_restarts_of_a_partial_fill_change_nothing(story: Story) -> None:
    """0.36 of 0.40: the books are the same after each start, and nothing is sent."""
    entry = story.buys("0.40", symbol="SOL/USDT")
    story.venue.fills(entry, "0.36")
    story.passes(2)
    before, sent = story.standing(), len(story.orders_sent())
    for _ in range(2):
        story.restarts()
        assert story.standing() == before
    assert len(story.orders_sent()) == sent
    assert story.is_covered()


def test_f19_a_funding_payment_is_money_and_no_fill(begin: Begin) -> None:
    """Whoever holds bears it, by quantity; no position, stop or order changes."""
    story = begin(accounts=TWO)
    story.enters("10", va="VA001")
    story.enters("20", va="VA002")
    cash = [story.account(va).cash for va in TWO]
    sent = len(story.orders_sent())
    story.venue.settles_funding("-0.3")
    paid = [before - story.account(va).cash for va, before in zip(TWO, cash, strict=True)]
    assert paid == [Decimal("0.1"), Decimal("0.2")]
    story.passes(11)
    assert [story.held(va) for va in TWO] == [10, 20]
    assert len(story.orders_sent()) == sent
    story.venue.fills(story.stops("VA001")[0], at="100")
    assert story.trades()[0].pnl == -Decimal("0.1") - 2 * 10 * 100 / Decimal(10_000)
    assert story.account("VA001").losses == 1


@pytest.mark.parametrize("heard", ["by the stream", "by a comparison", "after a crash"])
def test_f19_a_funding_payment_is_booked_once_however_it_is_told(story: Story, heard: str) -> None:
    """Again and again, by the stream and by every comparison, also in another life."""
    story.enters("10")
    cash = story.account().cash
    if heard == "by the stream":
        story.venue.settles_funding("0.25")
    else:
        with story.venue.line(Line.ANSWERS_LOST):
            story.venue.settles_funding("0.25")
    if heard == "after a crash":
        story.dies_at(Boundary.BEFORE_COMMIT)
    story.passes(6)
    story.restarts()
    story.venue.says(*story.venue.fundings)
    story.passes(11)
    assert story.account().cash == cash + Decimal("0.25")
    assert [share.amount for share in story.fundings()] == [Decimal("0.25")]


def test_f19_funding_that_was_due_before_the_way_out_is_borne_by_who_held_it(story: Story) -> None:
    """Both happened while nothing was heard."""
    story.enters("10")
    with story.venue.line(Line.ANSWERS_LOST):
        story.venue.settles_funding("-0.25")
        story.passes(1)
        story.venue.fills(story.stops()[0], at="98")
    story.passes(6)
    assert story.is_gone()
    assert story.trades()[0].pnl == -20 - Decimal("0.25") - story.trades()[0].fees


def test_f20_what_filled_while_disconnected_is_asked_for_afterwards(story: Story) -> None:
    """The stop trades in two parts while nothing can be heard; none of it is lost."""
    story.enters("10")
    (stop,) = story.stops()
    with story.venue.line(Line.DOWN):
        story.venue.fills(stop, "4", at="98")
        story.venue.fills(stop, at="97.9")
        story.passes(20)
    story.passes(6)
    assert story.is_gone()
    (trade,) = story.trades()
    assert (trade.quantity, trade.exit_reason) == (10, Reason.STOP_LOSS)


def test_f21_one_fill_that_never_comes_is_found_within_a_cycle(story: Story) -> None:
    """The stream is well but for that message; no second exit is sent meanwhile."""
    story.enters("10")
    story.closes()
    (exit_,) = story.exits()
    with story.venue.line(Line.ANSWERS_LOST):
        story.venue.fills(exit_)
    story.passes(5)
    assert story.is_gone()
    assert len(story.exits()) == 1


def test_f22_cancelled_says_the_status_filled_say_the_fills(story: Story) -> None:
    """The fills win; that they name no order of the venue does not matter."""
    with story.venue.line(Line.HELD):
        entry = story.buys("10")
        story.venue.fills(entry)
        acceptance, fill = story.venue.take_held()
    assert isinstance(fill, OrderReport)
    ended = OrderReport(entry.client_order_id, ReportWord.CANCELED, story.now_ns)
    story.venue.says(acceptance, ended, replace(fill, venue_order_id=""))
    assert story.status(entry) == "FILLED"
    assert story.held() == 10
    assert story.is_covered()


def test_f23_cancelled_after_a_part_is_a_position_of_that_part(story: Story) -> None:
    """And the stop is for that part."""
    entry = story.buys("10")
    story.venue.fills(entry, "4")
    story.venue.cancels(entry)
    assert story.status(entry) == "CANCELED"
    assert story.held() == 4
    assert story.resting() == [4]


def test_f24_rejected_with_a_part_filled_is_a_position_of_that_part(story: Story) -> None:
    """The word says that there is nothing, the numbers say that there is."""
    entry = story.buys("0.5", symbol="SOL/USDT")
    story.venue.fills(entry, "0.06")
    story.venue.ends(entry, ReportWord.REJECTED, Reason.VENUE_REJECTED)
    assert story.status(entry) == "REJECTED"
    assert [str(quantity) for quantity in story.resting()] == ["0.06"]
    assert story.is_covered()


def test_f25_a_cancel_and_a_fill_that_race_end_in_one_state(story: Story) -> None:
    """The order had filled when it was to be cancelled, and the refusal is heard first."""
    with story.venue.line(Line.HELD):
        entry = story.buys("10")
        story.venue.fills(entry)
        story.quote_is("99", "101")
        acceptance, fill, refused = story.venue.take_held()
    story.venue.says(acceptance, refused, fill)
    assert story.status(entry) == "FILLED"
    assert story.is_covered()
    (stop,) = story.stops()
    story.venue.fills(stop, at="98")
    assert story.is_gone()
    story.enters("10", symbol="MSFT")


def test_f26_expired_without_a_fill_is_no_position(story: Story) -> None:
    """And the account is free for another symbol."""
    entry = story.buys("10")
    story.venue.ends(entry, ReportWord.EXPIRED, Reason.NOT_FILLED)
    assert story.status(entry) == "EXPIRED"
    assert story.is_gone()
    story.enters("10", symbol="MSFT")
