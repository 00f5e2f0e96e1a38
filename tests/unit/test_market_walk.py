"""The market of a simulated run."""

from random import Random

from pointsman.domain.money import is_multiple
from pointsman.simulator.market_walk import LISTINGS, MarketWalk, spoiled


def test_every_quote_is_valid_on_the_tick_and_follows_from_the_seed() -> None:
    walks = [MarketWalk(Random(3)), MarketWalk(Random(3))]
    for second in range(500):
        first, second_walk = (walk.quotes(second, is_still=False) for walk in walks)
        assert first == second_walk
        for quote, listed in zip(first, LISTINGS, strict=True):
            assert quote.is_valid
            assert is_multiple(quote.bid, listed.instrument.tick)
            assert is_multiple(quote.ask, listed.instrument.tick)


def test_it_moves_and_stands_still_when_told() -> None:
    walk = MarketWalk(Random(3))
    moving = {walk.quotes(second, is_still=False)[0].bid for second in range(50)}
    still = {walk.quotes(second, is_still=True)[0].bid for second in range(50)}
    assert len(moving) > 10
    assert len(still) == 1


def test_a_spoiled_quote_is_never_valid() -> None:
    quote = MarketWalk(Random(3)).quotes(1, is_still=False)[0]
    assert not any(spoiled(Random(seed), quote).is_valid for seed in range(50))
