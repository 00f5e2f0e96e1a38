"""How many quotes the newest-quote table and the level watch take together, per second of CPU.

Run it directly: `python bench/quotes.py`. It holds protected positions (a stop and a take-profit
each) over 100 symbols and feeds quotes that cross nothing. Only the ratios of one run travel: the
last line compares 100,000 positions with 100. Rounds are interleaved, the best of each is shown.
"""

import random
import sys
import time
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from pointsman.domain.market import Quote
from pointsman.domain.sides import PositionSide
from pointsman.market.quotes import QuoteTable
from pointsman.market.watch import LevelWatch

SYMBOLS = 100
QUOTES = 200_000
ROUNDS = 5
CENT = Decimal("0.01")


def protected(positions: int, rng: random.Random) -> LevelWatch:
    """A watch on so many positions whose levels no quote of this run reaches."""
    watch = LevelWatch()
    for position_id in range(positions):
        side = rng.choice(list(PositionSide))
        below, above = CENT * rng.randrange(5_000, 9_000), CENT * rng.randrange(11_000, 15_000)
        stop, target = (below, above) if side is PositionSide.LONG else (above, below)
        watch.set(position_id, f"S{position_id % SYMBOLS}", side, stop, target)
    return watch


def quotes(rng: random.Random) -> list[Quote]:
    """Quotes about 100, within a tenth of it, over all symbols in turn."""
    made = []
    for number in range(QUOTES):
        bid = CENT * rng.randrange(9_500, 10_500)
        made.append(
            Quote(f"S{number % SYMBOLS}", number, bid, Decimal(100), bid + CENT, Decimal(1))
        )
    return made


def cpu_seconds(watch: LevelWatch, rows: list[Quote]) -> float:
    """The CPU time of feeding all rows, as the engine does."""
    table = QuoteTable()
    update, on_quote = table.update, watch.on_quote
    started = time.process_time()
    for quote in rows:
        update(quote)
        if on_quote(quote):
            raise AssertionError("a quote of this run reached a level")
    return time.process_time() - started


def main() -> None:
    """Measure and print."""
    rng = random.Random(1)
    rows = quotes(rng)
    watches = {positions: protected(positions, rng) for positions in (0, 100, 10_000, 100_000)}
    best = dict.fromkeys(watches, float("inf"))
    for _ in range(ROUNDS):
        for positions, watch in watches.items():
            best[positions] = min(best[positions], cpu_seconds(watch, rows))
    for positions, seconds in best.items():
        print(
            f"{positions:>7} protected positions: {QUOTES / seconds:>12,.0f} quotes per CPU second"
        )
    print(f"100,000 against 100 positions: {best[100] / best[100_000]:.2f} of the rate")


if __name__ == "__main__":
    main()
