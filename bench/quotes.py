"""Quotes in memory: the newest-quote table and the watch on levels, with positions protected.

Each position has a stop and a take-profit, over 100 symbols, and no quote crosses any. What counts
is that the ten-thousandth position costs nothing more than the first.
"""

import random
import time
from decimal import Decimal

from bench.table import Row, at_least
from pointsman.domain.market import Quote
from pointsman.domain.sides import PositionSide
from pointsman.execution.level_watch import LevelWatch
from pointsman.execution.quotes import QuoteTable

SYMBOLS = 100
QUOTES = 200_000
ROUNDS = 5
CENT = Decimal("0.01")
GOAL_PER_SECOND = 2_000_000


def measure() -> list[Row]:
    """The rows of the table. Rounds are interleaved, and the best of each counts."""
    rng = random.Random(1)
    rows = _quotes(rng)
    watches = {positions: _protected(positions, rng) for positions in (100, 10_000, 100_000)}
    bare, best = float("inf"), dict.fromkeys(watches, float("inf"))
    for _ in range(ROUNDS):
        bare = min(bare, _bare_seconds(rows))
        for positions, watch in watches.items():
            best[positions] = min(best[positions], _cpu_seconds(watch, rows))
    rate = QUOTES / best[10_000]
    return [
        Row(
            "quotes per CPU second, 10,000 protected positions over 100 symbols",
            f"{bare / best[10_000]:.2f}",
            f"{GOAL_PER_SECOND:,}/s",
            f"{rate:,.0f}/s",
            f"kept in a dict and no more: {QUOTES / bare:,.0f}/s",
            rate >= GOAL_PER_SECOND,
        ),
        at_least(
            "the same, 100,000 positions",
            best[100] / best[100_000],
            0.95,
            f"{QUOTES / best[100_000]:,.0f}/s",
            f"100 positions: {QUOTES / best[100]:,.0f}/s",
        ),
    ]


def _protected(positions: int, rng: random.Random) -> LevelWatch:
    """A watch on so many positions whose levels no quote of this run reaches."""
    watch = LevelWatch()
    for position_id in range(positions):
        side = rng.choice(list(PositionSide))
        below, above = CENT * rng.randrange(5_000, 9_000), CENT * rng.randrange(11_000, 15_000)
        stop, target = (below, above) if side is PositionSide.LONG else (above, below)
        watch.set(position_id, f"S{position_id % SYMBOLS}", side, stop, target)
    return watch


def _quotes(rng: random.Random) -> list[Quote]:
    """Quotes about 100, within a tenth of it, over all symbols in turn."""
    made = []
    for number in range(QUOTES):
        bid = CENT * rng.randrange(9_500, 10_500)
        made.append(
            Quote(f"S{number % SYMBOLS}", number, bid, Decimal(100), bid + CENT, Decimal(1))
        )
    return made


def _cpu_seconds(watch: LevelWatch, rows: list[Quote]) -> float:
    """The CPU time of feeding all rows, as the engine does."""
    table = QuoteTable()
    update, on_quote = table.update, watch.on_quote
    started = time.process_time()
    for quote in rows:
        update(quote)
        if on_quote(quote):
            raise AssertionError("a quote of this run reached a level")
    return time.process_time() - started


def _bare_seconds(rows: list[Quote]) -> float:
    newest: dict[str, Quote] = {}
    started = time.process_time()
    for quote in rows:
        newest[quote.symbol] = quote
    return time.process_time() - started
