"""Stories D: ways out, what is too small to trade, and markets without a price. F44 to F50."""

from decimal import Decimal

import pytest

from pointsman.domain.orders import OrderType
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_reports import Snapshot
from tests.stories.scripted_venue import Line
from tests.stories.story import Begin, Story


@pytest.mark.parametrize("by_stop", ["10", "6"])
def test_f44_an_exit_and_a_stop_that_both_trade_never_turn_the_position(
    story: Story, by_stop: str
) -> None:
    """Both are for all of it; the venue clips what comes second, and so do our books."""
    story.enters("10")
    story.closes()
    story.venue.fills(story.stops()[0], by_stop, at="98")
    story.venue.fills(story.exits()[0], at="98")
    assert story.venue.holds() == 0
    assert story.is_gone()
    story.passes(11)
    assert Reason.MISMATCH not in story.incidents()


def test_f45_an_exit_of_what_the_venue_has_closed_already_learns_that_it_is_flat(
    story: Story,
) -> None:
    """Refused, it asks, and does not go on trying."""
    story.enters("10")
    with story.venue.line(Line.ANSWERS_LOST):
        story.venue.fills(story.stops()[0], at="98")
    story.closes()
    story.passes(30)
    assert story.is_gone()
    assert len(story.exits()) == 1
    assert story.trades()[0].exit_reason is Reason.STOP_LOSS


def test_f46_a_rest_too_small_to_trade_is_dust_and_holds_nothing_up(story: Story) -> None:
    """0.02 at 100 is below the venue's minimum of 5: the trade is closed, lock and slot are
    free."""
    story.enters("0.17", symbol="SOL/USDT")
    story.closes("0.15", symbol="SOL/USDT")
    story.venue.fills(story.exits()[0])
    assert str(story.held()) == "0.02"
    assert len(story.trades()) == 1
    assert story.resting() == []
    assert story.is_free()
    story.enters("10", symbol="MSFT")


def test_f47_a_fee_taken_from_the_coin_that_was_bought_is_not_there_to_be_sold(
    story: Story,
) -> None:
    """Stop and exit are for what is held, to the lot; what is left is dust, and the next position
    takes it up. The venue's books and ours never differ."""
    story.venue.fee_coin = "SOL"
    for _ in range(2):
        entry = story.buys("9.999", symbol="SOL/USDT")
        story.venue.fills(entry)
        assert story.resting() == [Decimal("9.989")]
        story.closes(symbol="SOL/USDT")
        story.venue.fills(story.exits()[-1])
        assert story.is_free()
        story.passes(11)
        assert story.held() == story.venue.holds("SOL/USDT")
    assert [position.quantity for position in story.loop.desk.books.positions.values()] == [
        Decimal("0.000002")
    ]
    fees = 2 * Decimal("0.009999") * 100
    assert story.account().fees == fees + 2 * Decimal("9.989") * 100 / 10_000
    assert story.account().cash == 100_000 - 2 * Decimal("0.01") * 100 - story.account().fees + fees
    assert Reason.MISMATCH not in story.incidents()
    assert Reason.OVERFILL not in story.incidents()


def test_f47_a_fee_in_a_third_coin_touches_neither_cash_nor_holding(story: Story) -> None:
    """It stands on the fill, with its currency, and in no result."""
    story.venue.fee_coin = "BNB"
    story.enters("10", symbol="SOL/USDT")
    assert story.held() == story.venue.holds("SOL/USDT") == 10
    assert story.account().cash == 100_000 - 1_000
    assert story.account().fees == 0
    (fill,) = story.fills()
    assert (fill.fee, fill.fee_currency) == (Decimal("0.01"), "BNB")


@pytest.mark.parametrize("price", ["0", "NaN"])
def test_f48_a_halted_symbol_is_neither_exited_at_zero_nor_in_the_way_of_others(
    begin: Begin, price: str
) -> None:
    """Its book is empty. Nothing is sold for nothing, others trade on, and an exit that is asked
    for waits until the venue takes it."""
    story = begin(accounts=("VA001", "VA002"))
    story.enters("10", va="VA001")
    story.is_feed_frozen = True
    story.quote_is(price, price)
    story.passes(10)
    assert story.exits() == []
    assert story.refusal(va="VA001") is Reason.INVALID_QUOTE
    story.is_feed_frozen = False
    story.enters("10", va="VA002", symbol="MSFT")
    story.venue.refuse_next = Reason.VENUE_REJECTED
    story.flattens("VA001")
    story.passes(3)
    assert story.held("VA001") == 10
    assert story.exits("VA001")[-1].order_type is OrderType.MARKET
    story.venue.fills(story.exits("VA001")[-1])
    assert story.is_gone("VA001")


def test_f49_a_flatten_that_filled_nothing_is_not_called_flat(story: Story) -> None:
    """The venue took the order and ended it unfilled: it is tried again, and only the position that
    is gone counts."""
    story.enters("10")
    story.kills(flatten=True)
    story.venue.is_refusing_stops = True
    story.venue.cancels(story.stops()[0])
    story.venue.cancels(story.exits()[0])
    assert story.venue.open_orders() == [], "nothing is open, and a comparison has said so"
    assert story.kill_switch.flat_at_ns is None
    story.passes(3)
    story.venue.loses(Snapshot)
    story.venue.fills(story.exits()[1])
    assert story.is_gone()
    story.passes(11)
    assert story.kill_switch.flat_at_ns is None, "no comparison has confirmed it yet"
    story.venue.loses()
    story.passes(6)
    assert story.kill_switch.flat_at_ns is not None


def test_f50_an_exit_that_is_only_accepted_changes_nothing_yet(story: Story) -> None:
    """Position and stop stay watched until it has traded; no second exit is sent meanwhile."""
    story.enters("10")
    story.closes()
    story.passes(60)
    assert story.held() == 10
    assert story.resting() == [10]
    assert len(story.exits()) == 1
    assert not story.is_free()
    story.venue.fills(story.exits()[0])
    assert story.is_gone()
