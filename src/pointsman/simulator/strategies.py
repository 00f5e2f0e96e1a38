"""The strategies of a simulated run: signals of every kind from one seed, some of them unwise.

Each VA has a favourite symbol that changes now and then; it opens, adds, closes in part or whole,
turns round, sends the same signal twice, and names symbols that it does not hold. Some say what
they hold after it (RULES 55), so that positions are turned round by one signal, also while an exit
is on its way.
"""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import msgspec

from pointsman.domain.market import Quote
from pointsman.domain.sides import MarketPosition, SignalSide
from pointsman.domain.signals import Signal
from pointsman.domain.timestamps import SECOND_NS
from pointsman.simulator.market_walk import LISTINGS

HOUR_NS = 3_600 * SECOND_NS
SIGNALS_AN_HOUR = 60
_SIZES = {"AAA": "1", "BBB": "5", "CCC/USDT": "0.02"}
_REMEMBERED_MAX = 20
_STOPS = ("0.15", "0.3", "0.6", "1")


class Strategies:
    """Signals of these VAs. `times` says when each comes, from the start."""

    def __init__(self, random: Random, va_ids: Sequence[str], lasting_ns: int) -> None:
        self._random = random
        self._va_ids = va_ids
        self._favourites = {va_id: self._symbol() for va_id in va_ids}
        self._va_id = va_ids[0]
        self._sides = dict.fromkeys(va_ids, SignalSide.BUY)
        self._sent: list[Signal] = []
        self._count = 0
        # Some seconds late, so that a new database is compared and quoted first.
        wanted = SIGNALS_AN_HOUR * lasting_ns // HOUR_NS
        self.times = sorted(random.randrange(5 * 10**9, lasting_ns) for _ in range(wanted))
        for number in range(1, wanted):
            if random.randrange(4) == 0:
                # Close upon the one before: several within a second or a few.
                self.times[number] = self.times[number - 1] + random.randrange(3 * 10**9)
        self.times.sort()

    def _symbol(self) -> str:
        return self._random.choice(LISTINGS).instrument.symbol

    def next_signal(self, quotes: dict[str, Quote]) -> Signal:
        """A signal, made while the market is at `quotes`."""
        random = self._random
        if self._sent and random.randrange(15) == 0:
            again = random.choice(self._sent)
            if random.randrange(3) == 0:
                return msgspec.structs.replace(again, reduce_only=not again.reduce_only)
            return again
        signal = self._fresh(quotes)
        self._sent = [*self._sent[1 - _REMEMBERED_MAX :], signal]
        return signal

    def _fresh(self, quotes: dict[str, Quote]) -> Signal:
        random = self._random
        self._count += 1
        if random.randrange(3):
            self._va_id = random.choice(self._va_ids)
        va_id = self._va_id
        if random.randrange(8) == 0:
            self._favourites[va_id] = self._symbol()
        symbol = self._favourites[va_id]
        if random.randrange(2):
            self._sides[va_id] = random.choices(list(SignalSide), (4, 4, 3))[0]
        side = self._sides[va_id]
        unit = Decimal(_SIZES[symbol])
        quantity: Decimal | None = unit * random.randrange(1, 12)
        if side is SignalSide.CLOSE and random.randrange(3):
            quantity = None
        price = None
        if side is not SignalSide.CLOSE and symbol in quotes and random.randrange(2):
            quote = quotes[symbol]
            price = quote.ask if side is SignalSide.BUY else quote.bid
        percentage = None
        if side is not SignalSide.CLOSE and random.randrange(3):
            percentage = Decimal(random.choice(_STOPS))
        target = None
        if side is not SignalSide.CLOSE and random.randrange(4) == 0:
            target = Decimal(random.choice(_STOPS))
        position, size = self._held_after(side, quantity)
        return Signal(
            signal_id=f"S{self._count}",
            va_id=va_id,
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=price,
            stop_loss_percentage=percentage,
            take_profit_percentage=target,
            market_position=position,
            market_position_size=size,
        )

    def _held_after(
        self, side: SignalSide, quantity: Decimal | None
    ) -> tuple[MarketPosition | None, Decimal | None]:
        """What a strategy says that it holds after an order, if it does: what was ordered, or half
        of it where it was short or long of as much before."""
        random = self._random
        if side is SignalSide.CLOSE or quantity is None or random.randrange(2):
            return None, None
        position = MarketPosition.LONG if side is SignalSide.BUY else MarketPosition.SHORT
        return position, quantity / 2 if random.randrange(2) else None
