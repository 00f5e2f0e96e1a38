"""The feed: the quotes that the engine receives.

It may freeze while the connection is alive, send nonsense, or carry the stamps of a clock that has
stepped; the venue goes by the market itself.
"""

from random import Random

import msgspec

from pointsman.domain.market import Quote
from pointsman.simulator.market_walk import spoiled

FOR_EVER_NS = 2**62


class SimulatedFeed:
    """One feed. Each trouble lasts until its time."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._frozen_until_ns: dict[str, int] = {}
        self._spoiled_until_ns = 0
        self._stepped_until_ns = 0
        self._step_ns = 0
        self._drifts_until_ns = self._drifts_since_ns = 0
        self._drift_per_thousand = 0

    def freeze(self, symbol: str, until_ns: int) -> None:
        """Say nothing of a symbol."""
        self._frozen_until_ns[symbol] = max(until_ns, self._frozen_until_ns.get(symbol, 0))

    def spoil(self, until_ns: int) -> None:
        """Now and then say what cannot be."""
        self._spoiled_until_ns = until_ns

    def step_clock(self, step_ns: int, until_ns: int) -> None:
        """Stamp everything by a clock that is wrong by so much."""
        self._step_ns, self._stepped_until_ns = step_ns, until_ns

    def drift(self, per_thousand: int, now_ns: int, until_ns: int) -> None:
        """Stamp everything by a clock that goes too fast, or (< 0) too slow."""
        self._drift_per_thousand = per_thousand
        self._drifts_since_ns, self._drifts_until_ns = now_ns, until_ns

    def mend(self, gone: str | None) -> None:
        """Be a good feed from now on, but for a symbol that is gone for good."""
        self._frozen_until_ns = {symbol: FOR_EVER_NS for symbol in [gone] if symbol is not None}
        self._spoiled_until_ns = self._stepped_until_ns = self._drifts_until_ns = 0

    def told(self, quotes: list[Quote], now_ns: int) -> list[Quote]:
        """What comes of these quotes of the market."""
        told = []
        for quote in quotes:
            if now_ns < self._frozen_until_ns.get(quote.symbol, 0):
                continue
            if now_ns < self._spoiled_until_ns and self._random.randrange(3) == 0:
                quote = spoiled(self._random, quote)
            if now_ns < self._stepped_until_ns:
                quote = msgspec.structs.replace(quote, ts_ns=quote.ts_ns + self._step_ns)
            if now_ns < self._drifts_until_ns:
                off_ns = (now_ns - self._drifts_since_ns) * self._drift_per_thousand // 1_000
                quote = msgspec.structs.replace(quote, ts_ns=quote.ts_ns + off_ns)
            told.append(quote)
        return told
