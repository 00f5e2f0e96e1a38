"""What the engine is told of the market, on a good day and on bad ones."""

from random import Random

from pointsman.simulator.feed import Feed
from pointsman.simulator.market_walk import MarketWalk

SECOND_NS = 10**9
QUOTES = MarketWalk(Random(1)).quotes(SECOND_NS, is_still=False)


def test_a_good_feed_tells_everything_as_it_is() -> None:
    assert Feed(Random(1)).told(QUOTES, 0) == QUOTES


def test_a_frozen_symbol_is_silent_until_its_time() -> None:
    feed = Feed(Random(1))
    feed.freeze(QUOTES[0].symbol, 10)
    assert feed.told(QUOTES, 9) == QUOTES[1:]
    assert feed.told(QUOTES, 10) == QUOTES


def test_a_spoiled_feed_says_what_cannot_be_until_it_is_mended() -> None:
    feed = Feed(Random(1))
    feed.spoil(100)
    told = [quote for _ in range(20) for quote in feed.told(QUOTES, 5)]
    assert 0 < sum(not quote.is_valid for quote in told) < len(told)
    feed.mend()
    assert feed.told(QUOTES, 5) == QUOTES


def test_a_clock_that_has_stepped_stamps_everything_wrong() -> None:
    feed = Feed(Random(1))
    feed.step_clock(-700, 10)
    assert {quote.ts_ns for quote in feed.told(QUOTES, 5)} == {SECOND_NS - 700}
    assert feed.told(QUOTES, 10) == QUOTES
