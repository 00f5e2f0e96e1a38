"""`make bench`: how fast it is here, each figure beside its yardstick.

Figures are for reading, not for judging a change by: only the ratios of one run travel.
`make bench ARGS=quotes` measures one group. `make bench ARGS="--against 802ffe5"` measures the same
figures of an older commit in the same run, and puts them beside these: with programs that are run
whole the two take turns, and else the commit's own measurement follows that of each group.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext

from bench import (
    dashboard,
    decisions,
    http_signals,
    lasting,
    levels,
    looking_back,
    page,
    quotes,
    recorded,
    signals,
    start,
    venue_engine,
    venue_orders,
    venue_quotes,
    verbs,
)
from bench.program import Program, beside_own_figures, older_program
from bench.table import Row, show

IN_ONE_PROCESS: dict[str, dict[str, Callable[[], list[Row]]]] = {
    "quotes": {"quotes": quotes.measure},
    "venue": {"venue_quotes": venue_quotes.measure},
    "orders": {"venue_orders": venue_orders.measure, "venue_engine": venue_engine.measure},
    "signals": {"signals": signals.measure},
    "decisions": {"decisions": decisions.measure},
    "levels": {"levels": levels.measure},
    "http": {"http_signals": http_signals.measure},
    "dashboard": {"dashboard": dashboard.measure},
    "start": {"start": start.measure},
    "page": {"page": page.measure},
    "whatif": {"looking_back": looking_back.measure},
}
"""Groups, and the modules of each. Another commit's module of the same name measures the same."""
WHOLE_PROGRAMS: dict[str, Callable[[Program | None], list[Row]]] = {
    "recorded": recorded.measure,
    "start": verbs.measure,
    "lasting": lasting.measure,
}
GROUPS = [*dict.fromkeys((*IN_ONE_PROCESS, *WHOLE_PROGRAMS))]


def main(arguments: list[str]) -> None:
    """Measure the groups that are named, or all, and print one table."""
    parser = argparse.ArgumentParser(prog="make bench", description="How fast it is here.")
    parser.add_argument("group", nargs="*", help=f"only these: {', '.join(GROUPS)}")
    parser.add_argument("--against", metavar="COMMIT", help="the same figures of an older commit")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.group if name not in GROUPS]
    if unknown:
        sys.exit(f"no group {unknown[0]}; there are {', '.join(GROUPS)}")
    rows: list[Row] = []
    with older_program(given.against) if given.against else nullcontext() as older:
        for name in given.group or GROUPS:
            sys.stderr.write(f"measuring {name}\n")
            rows += _measured(name, older)
    show(rows, given.against)


def _measured(name: str, older: Program | None) -> list[Row]:
    rows: list[Row] = []
    for module, measure in IN_ONE_PROCESS.get(name, {}).items():
        here = measure()
        rows += beside_own_figures(here, older, module) if older else here
    if name in WHOLE_PROGRAMS:
        rows += WHOLE_PROGRAMS[name](older)
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
