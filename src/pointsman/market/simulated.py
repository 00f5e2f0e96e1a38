"""A simulated market: quotes of a few symbols as a function of (seed, time), and nothing else.

So a run can be stopped and entered again at any moment and sees the same prices (RULES 6), and who
knows the seed can look ahead. Nothing is carried on from quote to quote: each price is a sum of
waves and jumps whose heights are drawn by hashing the seed, the symbol and a number of a stretch of
time. All of it is integer arithmetic, counted in milliseconds, ticks and parts per billion.

The market runs inside trading windows only; after one closes the next thing that happens is the
opening of the next, at prices that went on moving in between. A minute of one symbol is worked out
as a whole and kept for a while, for the stream and for looking ahead.
"""

import hashlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from pointsman.domain.market import Quote
from pointsman.domain.policy import default_instrument
from pointsman.domain.signals import Window
from pointsman.domain.timestamps import MS_NS


class SimulatedSymbol(NamedTuple):
    """One symbol: the price that it moves around, the unit of its displayed sizes, how high its
    finest wave is, in parts per billion, and whether its spread widens now and then."""

    symbol: str
    price: Decimal
    size_unit: Decimal
    wave_ppb: int
    is_sometimes_wide: bool = True


LISTINGS = (
    SimulatedSymbol("AAPL", Decimal(190), Decimal(10), 120_000),
    SimulatedSymbol("MSFT", Decimal(420), Decimal(5), 100_000),
    SimulatedSymbol("NVDA", Decimal(130), Decimal(15), 180_000),
    # An entry of the usual size is accepted at any moment: the symbol of the README's examples.
    SimulatedSymbol("BTC/USDT", Decimal(64_000), Decimal("0.03"), 160_000, is_sometimes_wide=False),
    SimulatedSymbol("ETH/USDT", Decimal(3_100), Decimal("0.6"), 200_000),
)

SYMBOLS = tuple(listing.symbol for listing in LISTINGS)

_MINUTE_MS = 60_000
_MINUTE_NS = _MINUTE_MS * MS_NS
_BILLION = 10**9
_BPS_PPB = 100_000

_SLOT_MS = 300
"""Each symbol is quoted once in each slot, quiet or not. No quote gets older than 1.2 slots, well
within MAX_LATENCY_MS: a signal finds a fresh quote at any moment."""

_WAVE_MS = 2_000
_WAVES = 9
"""Each wave is four times as long and twice as high as the one before, as of a random walk: the
longest takes a day and a half. Their sum is bounded, so a price stays near its listing's."""

_JUMP_EVERY_MS = 90_000
_JUMP_PPB = 40 * _BPS_PPB
"""Once in this time a price jumps to a new height above or below its waves. The height is the fifth
power of an even draw: most jumps are small, few are large."""

_QUIET_EVERY_MS = 300_000
_QUIET_MS = 40_000
_QUIET_MOVES_MS = 2_000
"""Once in this time the waves nearly stand still for a while, as if so little time had passed; in
the rest of it they run faster and catch up."""

_WIDE_EVERY_MS = 90_000
_WIDE_FROM_MS_MAX = 80_000
_WIDE_MS_MIN, _WIDE_MS_MAX = 1_500, 4_000
"""Once in this time the spread is wide for a moment; never twice in a row."""

_TENTH_BPS_TIGHT = (8, 30)
_TENTH_BPS_WIDE = (120, 200)
"""The least spread in tenths of a basis point, and how much more it may be."""

_SIZE_UNITS_MAX = 40

_MASK = 2**64 - 1
_HALF_BITS = 20
_HALF = 1 << _HALF_BITS


# --- drawing by hash ------------------------------------------------------------------------------


def draw_key(*names: object) -> int:
    """The key of one series of draws, by what it is of."""
    text = "/".join(map(str, names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def draw(key: int, number: int) -> int:
    """The draw of a series at a number: 64 even bits (splitmix64)."""
    mixed = (key + number * 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)


@lru_cache(maxsize=16_384)
def _height(key: int, number: int) -> int:
    """A draw as an even height in [-_HALF, _HALF)."""
    return (draw(key, number) >> (63 - _HALF_BITS)) - _HALF


# --- the price, the spread ------------------------------------------------------------------------


class _Keys(NamedTuple):
    """The series of one symbol."""

    slots: int
    jumps: int
    jump_times: int
    quiet: int
    wide: int
    waves: tuple[int, ...]


@lru_cache(maxsize=64)
def _keys(seed: int, symbol: str) -> _Keys:
    return _Keys(
        slots=draw_key(seed, symbol, "slots"),
        jumps=draw_key(seed, symbol, "jumps"),
        jump_times=draw_key(seed, symbol, "jump times"),
        quiet=draw_key(seed, symbol, "quiet"),
        wide=draw_key(seed, symbol, "wide"),
        waves=tuple(draw_key(seed, symbol, "wave", number) for number in range(_WAVES)),
    )


def _quiet_from(keys: _Keys, number: int) -> int:
    """Where in its stretch the quiet spell begins, in milliseconds."""
    return draw(keys.quiet, number) % (_QUIET_EVERY_MS - _QUIET_MS)


def _market_time(keys: _Keys, at_ms: int) -> int:
    """The time by which the waves move: slow in a quiet spell, a little fast outside, and on time
    at the end of each stretch."""
    number, into = divmod(at_ms, _QUIET_EVERY_MS)
    quiet = min(max(0, into - _quiet_from(keys, number)), _QUIET_MS)
    awake = (into - quiet) * (_QUIET_EVERY_MS - _QUIET_MOVES_MS) // (_QUIET_EVERY_MS - _QUIET_MS)
    return number * _QUIET_EVERY_MS + awake + quiet * _QUIET_MOVES_MS // _QUIET_MS


def _waves_ppb(keys: _Keys, wave_ppb: int, at_ms: int) -> int:
    total, length = 0, _WAVE_MS
    for key in keys.waves:
        number, into = divmod(at_ms, length)
        before, after = _height(key, number), _height(key, number + 1)
        total += (before + (after - before) * into // length) * wave_ppb >> _HALF_BITS
        wave_ppb *= 2
        length *= 4
    return total


def _jumps_ppb(keys: _Keys, at_ms: int) -> int:
    number, into = divmod(at_ms, _JUMP_EVERY_MS)
    if into < draw(keys.jump_times, number) % _JUMP_EVERY_MS:
        number -= 1
    return _JUMP_PPB * _height(keys.jumps, number) ** 5 >> (5 * _HALF_BITS)


def _is_wide(keys: _Keys, at_ms: int) -> bool:
    number, into = divmod(at_ms, _WIDE_EVERY_MS)
    drawn = draw(keys.wide, number)
    length = _WIDE_MS_MIN + drawn % (_WIDE_MS_MAX - _WIDE_MS_MIN)
    return 0 <= into - (drawn >> 32) % _WIDE_FROM_MS_MAX < length


@lru_cache(maxsize=128)
def _minute(seed: int, listing: SimulatedSymbol, minute: int) -> tuple[Quote, ...]:
    """All quotes of one symbol in one minute since 1970."""
    keys, tick = _keys(seed, listing.symbol), default_instrument(listing.symbol).tick
    listed = int(listing.price / tick)
    slots = _MINUTE_MS // _SLOT_MS
    quotes = []
    for slot in range(minute * slots, (minute + 1) * slots):
        drawn = draw(keys.slots, slot)
        # In the middle fifth of its slot, so that two quotes never come close to each other.
        at_ms = _SLOT_MS * slot + _SLOT_MS * (2**17 + (drawn & 0xFFFF)) // (5 * 2**16)
        moved = _waves_ppb(keys, listing.wave_ppb, _market_time(keys, at_ms))
        moved += _jumps_ppb(keys, at_ms)
        mid = listed * (_BILLION + moved) // _BILLION
        is_wide = listing.is_sometimes_wide and _is_wide(keys, at_ms)
        least, more = _TENTH_BPS_WIDE if is_wide else _TENTH_BPS_TIGHT
        spread = max(1, mid * (least + more * _squared(drawn >> 16) // 2**20) // 100_000)
        bid = mid - spread // 2
        quotes.append(
            Quote(
                symbol=listing.symbol,
                ts_ns=at_ms * MS_NS,
                bid=bid * tick,
                bid_size=(1 + _SIZE_UNITS_MAX * _squared(drawn >> 26) // 2**20) * listing.size_unit,
                ask=(bid + spread) * tick,
                ask_size=(1 + _SIZE_UNITS_MAX * _squared(drawn >> 36) // 2**20) * listing.size_unit,
            )
        )
    return tuple(quotes)


def _squared(drawn: int) -> int:
    """The square of ten bits of a draw: mostly small."""
    return (drawn & 0x3FF) ** 2


# --- the market -----------------------------------------------------------------------------------


class SimulatedMarket:
    """The market of a seed. `window_at` gives the trading window that contains a time, else the
    next one, or None. The first session is that of `begins_ns`, which must be the same on every
    start over one database."""

    def __init__(
        self, seed: int, begins_ns: int, window_at: Callable[[int], Window | None]
    ) -> None:
        first = window_at(begins_ns)
        self.seed = seed
        self.first_open_ns = begins_ns if first is None else first.opens_ns
        self.symbols = SYMBOLS
        self.rows = 0
        self.bad_rows = 0
        self._window_at = window_at

    def session(self, at_ns: int) -> Window | None:
        """The session that contains a time, else the next one; None if none ever comes."""
        return self._window_at(max(at_ns, self.first_open_ns))

    def quotes(self, from_ns: int = 0) -> Iterator[Quote]:
        """The quotes from the first at or after `from_ns` on, in time order, session after session:
        without end, unless no window opens any more. `rows` is counted along, from zero."""
        self.rows = 0
        from_ns = max(from_ns, self.first_open_ns)
        while (session := self.session(from_ns)) is not None:
            from_ns = max(from_ns, session.opens_ns)
            for minute in range(from_ns // _MINUTE_NS, -(-session.closes_ns // _MINUTE_NS)):
                found = [q for listing in LISTINGS for q in _minute(self.seed, listing, minute)]
                found.sort(key=attrgetter("ts_ns"))
                for quote in found:
                    if from_ns <= quote.ts_ns < session.closes_ns:
                        self.rows += 1
                        yield quote
            from_ns = session.closes_ns

    def quotes_of(self, symbol: str, from_ns: int, until_ns: int) -> list[Quote]:
        """The quotes of one symbol at `from_ns` <= time < `until_ns`, a stretch within a session;
        also of a time to come."""
        listing = LISTINGS[SYMBOLS.index(symbol)]
        return [
            quote
            for minute in range(from_ns // _MINUTE_NS, -(-until_ns // _MINUTE_NS))
            for quote in _minute(self.seed, listing, minute)
            if from_ns <= quote.ts_ns < until_ns
        ]

    def digest(self) -> str:
        """SHA-256 over what makes the prices: the seed, the first opening and the listings. The
        windows follow from the settings, which have a digest of their own."""
        facts = repr((self.seed, self.first_open_ns, LISTINGS))
        return hashlib.sha256(facts.encode()).hexdigest()
