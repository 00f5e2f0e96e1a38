"""`make bench`: how fast it is here, each figure beside its yardstick.

Figures are for reading, not for judging a change by: only the ratios of one run
travel. `make bench ARGS=quotes` measures one group.
"""

import sys
from collections.abc import Callable

from bench import (
    decisions,
    http_signals,
    quotes,
    recorded,
    signals,
    start,
    venue_orders,
    venue_quotes,
)
from bench.table import Row, show

GROUPS: dict[str, Callable[[], list[Row]]] = {
    "quotes": quotes.measure,
    "venue": venue_quotes.measure,
    "orders": venue_orders.measure,
    "signals": signals.measure,
    "decisions": decisions.measure,
    "http": http_signals.measure,
    "recorded": recorded.measure,
    "start": start.measure,
}


def main(names: list[str]) -> None:
    """Measure the groups that are named, or all, and print one table."""
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        sys.exit(f"no group {unknown[0]}; there are {', '.join(GROUPS)}")
    rows: list[Row] = []
    for name in names or GROUPS:
        sys.stderr.write(f"measuring {name}\n")
        rows += GROUPS[name]()
    show(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
