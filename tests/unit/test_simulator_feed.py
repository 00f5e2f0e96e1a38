"""What the engine is told of the market, on a good day and on bad ones."""

from random import Random

from pointsman.simulator.feed import SimulatedFeed
from pointsman.simulator.market_walk import MarketWalk

SECOND_NS = 10**9
QUOTES = MarketWalk(Random(1)).quotes(SECOND_NS, is_still=False)


def test_a_good_feed_tells_everything_as_it_is() -> None:
    assert SimulatedFeed(Random(1)).told(QUOTES, 0) == QUOTES


def test_a_frozen_symbol_is_silent_until_its_time() -> None:
    feed = SimulatedFeed(Random(1))
    feed.freeze(QUOTES[0].symbol, 10)
    assert feed.told(QUOTES, 9) == QUOTES[1:]
    assert feed.told(QUOTES, 10) == QUOTES


def test_a_spoiled_feed_says_what_cannot_be_until_it_is_mended() -> None:
    feed = SimulatedFeed(Random(1))
    feed.spoil(100)
    told = [quote for _ in range(20) for quote in feed.told(QUOTES, 5)]
    assert 0 < sum(not quote.is_valid for quote in told) < len(told)
    feed.mend(None)
    assert feed.told(QUOTES, 5) == QUOTES


def test_a_symbol_that_is_gone_for_good_is_not_quoted_again() -> None:
    feed = SimulatedFeed(Random(1))
    feed.mend(QUOTES[0].symbol)
    assert feed.told(QUOTES, 10**15) == QUOTES[1:]


def test_f72_a_clock_that_drifts_is_further_off_the_longer_it_does() -> None:
    feed = SimulatedFeed(Random(1))
    feed.drift(5, 0, 300 * SECOND_NS)
    off_ns = [feed.told(QUOTES[:1], at)[0].ts_ns - SECOND_NS for at in (0, 10**9, 10**11)]
    assert off_ns == [0, 5 * 10**6, 5 * 10**8]
    assert feed.told(QUOTES, 300 * SECOND_NS) == QUOTES


def test_a_clock_that_has_stepped_stamps_everything_wrong() -> None:
    feed = SimulatedFeed(Random(1))
    feed.step_clock(-700, 10)
    assert {quote.ts_ns for quote in feed.told(QUOTES, 5)} == {SECOND_NS - 700}
    assert feed.told(QUOTES, 10) == QUOTES
