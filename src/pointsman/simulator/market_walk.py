"""The market of a simulated run: three symbols on a random walk, a quote a second.

The venue sees the market as it is. What the engine receives of it is another matter: a feed may
freeze, send nonsense, or carry stamps of a clock that has stepped.
"""

from decimal import Decimal
from random import Random

import msgspec

from pointsman.domain.market import Instrument, Quote

_NAN = Decimal("NaN")


class WalkedSymbol(msgspec.Struct, frozen=True):
    """One symbol: its instrument, the price it starts at in ticks, its usual spread and its step in
    ticks, and the unit of displayed sizes."""

    instrument: Instrument
    price_ticks: int
    spread_ticks: int
    step_ticks: int
    size_unit: Decimal


def _listed(
    symbol: str, tick: str, lot: str, least: str, ticks: int, spread: int, step: int, unit: str,
    largest: str | None = None,
) -> WalkedSymbol:  # fmt: skip
    instrument = Instrument(
        symbol=symbol,
        tick=Decimal(tick),
        lot=Decimal(lot),
        min_qty=Decimal(lot),
        min_notional=Decimal(least),
        currency="USD",
        max_market_quantity=None if largest is None else Decimal(largest),
    )
    return WalkedSymbol(instrument, ticks, spread, step, Decimal(unit))


LISTINGS = (
    _listed("AAA", "0.01", "1", "0", 10_000, 2, 4, "3"),
    _listed("BBB", "0.05", "1", "500", 4_000, 1, 2, "10", "40"),
    _listed("CCC/USDT", "0.1", "0.0001", "5", 30_000, 3, 12, "0.05"),
)


def lot_of(symbol: str) -> Decimal:
    """The lot of a listed symbol."""
    return next(e.instrument.lot for e in LISTINGS if e.instrument.symbol == symbol)


_JUMP_ONE_IN = 1_500
_WIDE_ONE_IN = 200


class MarketWalk:
    """Prices from one seed. They stay within a factor of two of where they began."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._ticks = {listed.instrument.symbol: listed.price_ticks for listed in LISTINGS}

    def quotes(self, ts_ns: int, *, is_still: bool) -> list[Quote]:
        """The next quote of each symbol; at the same prices as before if the market `is_still`."""
        if is_still:
            return [self._quote(listed, ts_ns, listed.spread_ticks) for listed in LISTINGS]
        return [self._next(listed, ts_ns) for listed in LISTINGS]

    def _next(self, listed: WalkedSymbol, ts_ns: int) -> Quote:
        random, symbol = self._random.random, listed.instrument.symbol
        step = listed.step_ticks
        if random() * _JUMP_ONE_IN < 1:
            step *= 25
        moved = self._ticks[symbol] + round((random() + random() - 1) * step)
        moved = min(max(moved, listed.price_ticks // 2), listed.price_ticks * 2)
        self._ticks[symbol] = moved
        is_wide = random() * _WIDE_ONE_IN < 1
        return self._quote(listed, ts_ns, listed.spread_ticks * (12 if is_wide else 1))

    def _quote(self, listed: WalkedSymbol, ts_ns: int, spread: int) -> Quote:
        random, instrument = self._random.random, listed.instrument
        at = self._ticks[instrument.symbol]
        return Quote(
            symbol=instrument.symbol,
            ts_ns=ts_ns,
            bid=at * instrument.tick,
            bid_size=(1 + int(random() * 10)) * listed.size_unit,
            ask=(at + spread) * instrument.tick,
            ask_size=(1 + int(random() * 10)) * listed.size_unit,
        )


def spoiled(random: Random, quote: Quote) -> Quote:
    """A quote as a bad feed gives it: not a number, zero, below zero, crossed, one-sided."""
    replace = msgspec.structs.replace
    match random.randrange(6):
        case 0:
            return replace(quote, bid=_NAN)
        case 1:
            return replace(quote, ask=Decimal(0))
        case 2:
            return replace(quote, bid=-quote.bid)
        case 3:
            return replace(quote, bid=quote.ask, ask=quote.bid)
        case 4:
            return replace(quote, ask=Decimal("Infinity"))
        case _:
            return replace(quote, bid_size=Decimal(-1))
