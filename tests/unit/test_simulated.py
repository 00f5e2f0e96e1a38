"""The simulated market: a function of (seed, time), and a market that one could believe."""

import hashlib
from decimal import Decimal
from itertools import islice, pairwise, takewhile
from statistics import median
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO, is_multiple
from pointsman.domain.policy import default_instrument
from pointsman.domain.signals import Window
from pointsman.market.base import Market
from pointsman.market.simulated import LISTINGS, SYMBOLS, SimulatedMarket

SECOND = 10**9
MINUTE = 60 * SECOND
DAY = 1_440 * MINUTE
OPEN_NS = 20_458 * DAY + 870 * MINUTE
"""2026-01-05T14:30:00Z, half past nine in New York."""

DAY_MINUTES = 390
PINNED = "5bda710a9873814a6d3d72dbeb3239c118786a714d7038450a7e5e502005590f"
"""SHA-256 of the first hour of seed 7."""


def market_of(seed: int = 1, minutes: int = DAY_MINUTES) -> SimulatedMarket:
    """A market that is open for so many minutes a day."""

    def window_at(now_ns: int) -> Window:
        opens_ns = now_ns - (now_ns - OPEN_NS) % DAY
        if now_ns >= opens_ns + minutes * MINUTE:
            opens_ns += DAY
        return Window(opens_ns, opens_ns + minutes * MINUTE)

    return SimulatedMarket(seed, OPEN_NS, window_at)


class Day(NamedTuple):
    """One symbol from the opening to the close."""

    symbol: str
    quotes: list[Quote]


@pytest.fixture(scope="module", params=SYMBOLS)
def day(request: pytest.FixtureRequest) -> Day:
    """One symbol after the other, so that one day at a time is in memory."""
    until_ns = OPEN_NS + DAY_MINUTES * MINUTE
    return Day(request.param, market_of().quotes_of(request.param, OPEN_NS, until_ns))


# --- a function of (seed, time) -------------------------------------------------------------------


@given(seed=st.integers(), from_ms=st.integers(-1_000, 2 * 86_400_000))
def test_rule_6_a_stream_entered_later_goes_on_with_the_same_quotes(
    seed: int, from_ms: int
) -> None:
    """Wherever it is entered: in a session, at its very end, in the night, on a later day."""
    from_ns = OPEN_NS + from_ms * 10**6
    rest = (quote for quote in market_of(seed, minutes=3).quotes() if quote.ts_ns >= from_ns)
    assert list(islice(market_of(seed, minutes=3).quotes(from_ns), 40)) == list(islice(rest, 40))


def test_rule_6_prices_stay_what_they_are_from_version_to_version() -> None:
    """A database with history goes on at the same prices, also after an upgrade."""
    quotes = takewhile(lambda quote: quote.ts_ns < OPEN_NS + 60 * MINUTE, market_of(7).quotes())
    assert hashlib.sha256(msgspec.json.encode(list(quotes))).hexdigest() == PINNED


def test_rule_6_after_the_session_comes_the_next_trading_day() -> None:
    market = market_of(minutes=10)
    quotes = list(takewhile(lambda quote: quote.ts_ns < OPEN_NS + 3 * DAY, market.quotes()))
    days = {(quote.ts_ns - OPEN_NS) // DAY for quote in quotes}
    into = [(quote.ts_ns - OPEN_NS) % DAY for quote in quotes]
    assert days == {0, 1, 2}
    assert max(into) < 10 * MINUTE
    assert market.rows == len(quotes) + 1  # the one that ended this is a quote too
    for day in days:
        opening = [q for q in quotes if 0 <= q.ts_ns - OPEN_NS - day * DAY < 5 * SECOND]
        assert {quote.symbol for quote in opening} == set(SYMBOLS)


def test_a_window_is_kept_to_the_nanosecond() -> None:
    every = list(islice(market_of().quotes(), 50))
    window = Window(every[10].ts_ns, every[20].ts_ns)
    inside = SimulatedMarket(1, 0, lambda now_ns: window if now_ns < window.closes_ns else None)
    assert list(inside.quotes()) == every[10:20]


def test_it_ends_only_where_no_window_opens_any_more() -> None:
    assert list(SimulatedMarket(1, OPEN_NS, lambda _now_ns: None).quotes()) == []


def test_looking_ahead_shows_what_will_be_quoted() -> None:
    until_ns = OPEN_NS + 3 * MINUTE + 1
    quotes = list(takewhile(lambda quote: quote.ts_ns < until_ns, market_of().quotes()))
    for symbol in SYMBOLS:
        expected = [quote for quote in quotes if quote.symbol == symbol]
        assert market_of().quotes_of(symbol, OPEN_NS, until_ns) == expected


def test_the_seed_makes_the_market() -> None:
    one, two = market_of(1), market_of(2)
    assert one.digest() == market_of(1).digest() != two.digest()
    prices = [[q.bid for q in islice(market.quotes(), 100)] for market in (one, two)]
    assert not set(prices[0]) & set(prices[1])


def test_it_is_a_market_of_several_symbols_in_time_order() -> None:
    market: Market = market_of()
    quotes = list(islice(market.quotes(), 2_000))
    assert {quote.symbol for quote in quotes} == set(SYMBOLS)
    assert all(one.ts_ns <= two.ts_ns for one, two in pairwise(quotes))
    seconds = Decimal(quotes[-1].ts_ns - OPEN_NS) / SECOND
    assert 16 < len(quotes) / seconds < 17
    assert (market.rows, market.bad_rows) == (2_000, 0)


# --- that one could believe -----------------------------------------------------------------------


@given(seed=st.integers(), day=st.integers(0, 40 * 365), symbol=st.sampled_from(SYMBOLS))
def test_every_quote_is_valid_on_the_tick_and_near_its_listing(
    seed: int, day: int, symbol: str
) -> None:
    """For decades: a price moves about, but not away."""
    instrument = default_instrument(symbol)
    listed = next(listing.price for listing in LISTINGS if listing.symbol == symbol)
    from_ns = OPEN_NS + day * DAY
    for quote in market_of(seed).quotes_of(symbol, from_ns, from_ns + MINUTE):
        assert quote.is_valid
        assert quote.bid < quote.ask
        assert min(quote.bid_size, quote.ask_size) > ZERO
        assert is_multiple(quote.bid, instrument.tick)
        assert is_multiple(quote.ask, instrument.tick)
        assert is_multiple(quote.bid_size, instrument.lot)
        assert is_multiple(quote.ask_size, instrument.lot)
        assert listed * Decimal("0.8") < quote.mid < listed * Decimal("1.2")


def test_spreads_are_tight_but_for_a_few_moments(day: Day) -> None:
    spreads = [quote.spread_bps for quote in day.quotes]
    wide = sum(spread > 10 for spread in spreads)
    assert median(spreads) < 5
    if day.symbol == "BTC/USDT":
        assert wide == 0
    else:
        assert len(spreads) // 100 < wide < len(spreads) // 20
    assert max(spreads) < 50


def test_there_are_jumps_and_quiet_spells(day: Day) -> None:
    """From one quote to the next a price may go further than it usually does in half a minute; and
    in five minutes there is half a one in which it hardly moves."""
    mids = [(quote.ts_ns, quote.mid) for quote in day.quotes]
    steps = [abs(two - one) / one for (_, one), (_, two) in pairwise(mids)]
    ranges = dict.fromkeys(range(DAY_MINUTES * 6), (Decimal("Infinity"), ZERO))
    for ts_ns, mid in mids:
        for number in range(2, -1, -1):  # half minutes that begin every ten seconds
            begun = (ts_ns - OPEN_NS) // (10 * SECOND) - number
            low, high = ranges.get(begun, (mid, mid))
            ranges[begun] = min(low, mid), max(high, mid)
    moves = [(high - low) / high for low, high in ranges.values()]
    usual = median(moves)
    assert max(steps) > 2 * usual
    assert sum(move < usual / 2 for move in moves) > DAY_MINUTES // 5


def test_a_signal_at_any_moment_finds_a_fresh_quote(day: Day) -> None:
    """MAX_LATENCY_MS is 500, and an engine on a busy machine needs some of it itself."""
    closes_ns = OPEN_NS + DAY_MINUTES * MINUTE
    stamps = [OPEN_NS, *(quote.ts_ns for quote in day.quotes), closes_ns]
    pauses = [two - one for one, two in pairwise(stamps)]
    assert max(pauses) <= 360 * 10**6
    assert min(pauses[1:-1]) >= 240 * 10**6
