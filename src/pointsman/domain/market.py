"""Market nouns: instruments and quotes.

A quote is stored as received: whether it may be traded on is `Quote.is_valid` (RULES
4), in one place. Prices are per unit, sizes in units of quantity, times in nanoseconds UTC.
"""

import re
from decimal import Decimal, InvalidOperation

import msgspec
from msgspec.structs import replace

from pointsman.domain.money import BPS, ZERO
from pointsman.domain.sides import PositionSide, Side


def base_coin(symbol: str) -> str | None:
    """The coin that is held, of a spot pair `BASE/QUOTE`; None for contracts and shares: there
    a fee cannot come out of the holding."""
    base, slash, quote = symbol.partition("/")
    return base if slash and ":" not in quote else None


_NOT_SPELLED = re.compile(r"[^A-Z0-9]")


def letters_of(symbol: str) -> str:
    """What is the same in all spellings of a symbol: BTCUSDT for BTC/USDT, BTC-USDT,
    BTC/USDT:USDT and BTCUSDT.P, which is how TradingView names a perpetual."""
    pair, colon, rest = symbol.upper().partition(":")
    name = pair if "/" in pair else rest if colon else pair
    return _NOT_SPELLED.sub("", name.removesuffix(".P"))


_INFINITY = Decimal("Infinity")


class Instrument(msgspec.Struct, frozen=True, gc=False):
    """What a venue will trade of one symbol. `fee_bps` None means the venue's general fee. A tick
    or lot that is derived was not given by anybody: it follows from the decimals of the quotes, and
    may become finer (RULES 59). No order that trades at market, an exit or a stop, may be for more
    than `max_market_quantity` (RULES 48). Not `may_short`: the venue lends none of it to sell."""

    symbol: str
    tick: Decimal
    lot: Decimal
    min_qty: Decimal
    min_notional: Decimal
    currency: str
    fee_bps: Decimal | None = None
    is_tick_derived: bool = False
    is_lot_derived: bool = False
    max_market_quantity: Decimal | None = None
    may_short: bool = True

    @property
    def has_steps(self) -> bool:
        """Whether there are prices and quantities that it trades in: a venue may write zero."""
        largest = self.max_market_quantity
        return self.tick > 0 and self.lot > 0 and (largest is None or largest >= self.lot)

    def market_parts(self, quantity: Decimal) -> list[Decimal]:
        """A quantity in whole lots as the venue takes it at market: in as few orders as it can be,
        and as even as lots allow, so that none is too small. Their sum is exact."""
        largest = self.max_market_quantity
        if largest is None or quantity <= largest:
            return [quantity]
        left, most = int(quantity / self.lot), max(1, int(largest / self.lot))
        parts = []
        for remaining in range(-(-left // most), 0, -1):
            lots = left // remaining
            parts.append(lots * self.lot)
            left -= lots
        return parts

    def finer_steps(self, tick: Decimal, lot: Decimal) -> "InstrumentSteps | None":
        """The steps after quotes in steps of `tick` and `lot`: what is derived may become finer and
        never coarser. None where nothing changes."""
        finer = InstrumentSteps(
            self.symbol,
            min(self.tick, tick) if self.is_tick_derived else self.tick,
            min(self.lot, lot) if self.is_lot_derived else self.lot,
        )
        return None if (finer.tick, finer.lot) == (self.tick, self.lot) else finer

    def with_steps(self, steps: "InstrumentSteps") -> "Instrument":
        """The instrument with what was derived before, where it is derived still. By default the
        least quantity is one lot."""
        finer = self.finer_steps(steps.tick, steps.lot)
        if finer is None:
            return self
        min_qty = finer.lot if self.min_qty == self.lot else self.min_qty
        return replace(self, tick=finer.tick, lot=finer.lot, min_qty=min_qty)

    @property
    def price_decimals(self) -> int:
        """How many decimals a price on the tick can have: 5 for a tick of 0.00001, 2 for 0.25."""
        exponent = self.tick.normalize().as_tuple().exponent
        assert isinstance(exponent, int), "a tick is finite"
        return max(0, -exponent)

    def is_tradeable(self, quantity: Decimal, price: Decimal) -> bool:
        """Whether the venue would take an order of `quantity` (already a multiple of the lot) at
        `price`."""
        return (
            quantity > ZERO and quantity >= self.min_qty and quantity * price >= self.min_notional
        )


class InstrumentSteps(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The tick and lot of a symbol as they were derived from its quotes."""

    symbol: str
    tick: Decimal
    lot: Decimal


class Quote(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The best bid and ask of one symbol at one moment. `ts_ns` is the venue's (or the recorder's)
    stamp, `exchange` the one that the symbol was named with. `confirmed_ns` is until when, by the
    clock that stamps, a feed that sends only changes has said that this is still the newest; 0
    where it has not (RULES 12)."""

    symbol: str
    ts_ns: int
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    exchange: str | None = None
    confirmed_ns: int = 0

    @property
    def fresh_ns(self) -> int:
        """The newest stamp at which it was known to be so: its age is counted from there."""
        return max(self.ts_ns, self.confirmed_ns)

    @property
    def is_valid(self) -> bool:
        """RULES 4: both prices finite and > 0, bid <= ask, sizes finite and >= 0."""
        try:
            return (
                ZERO < self.bid <= self.ask < _INFINITY
                and ZERO <= self.bid_size < _INFINITY
                and ZERO <= self.ask_size < _INFINITY
            )
        except InvalidOperation:  # not a number: it cannot be compared
            return False

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    @property
    def spread_bps(self) -> Decimal:
        """(ask - bid) / mid in basis points, unrounded."""
        return (self.ask - self.bid) * 2 * BPS / (self.bid + self.ask)

    def touch(self, side: Side) -> Decimal:
        """The price that an order of `side` trades against: the ask for a buy, the bid for a sell
        (RULES 7)."""
        return self.ask if side is Side.BUY else self.bid

    def closing_touch(self, side: PositionSide) -> Decimal:
        """The price that a holding of `side` would close against."""
        return self.touch(side.closes_with)
