"""Looking back: how fast recorded events are decided again, and how fast recorded quotes run
again."""

import time
from pathlib import Path

from bench.recorded import many_symbols
from bench.scratch import scratch_folder
from bench.table import Row
from pointsman.config.settings import load_settings
from pointsman.looking_back.again import Again
from pointsman.looking_back.changes import Changes, Period
from pointsman.looking_back.recorded import recorded
from pointsman.looking_back.run_again import Tape, run_again
from pointsman.looking_back.whatif import decide_again
from pointsman.market.layout import Layout
from pointsman.service.clean_stop import Stop
from pointsman.storage.journal import turns
from tests.looked_back import session

ROUNDS = 3
SESSION_SECONDS = 3_600
EVENTS_LEAST, QUOTES_LEAST = 20_000, 300_000


def measure() -> list[Row]:
    """The rows of the table; the best of several rounds counts. CPU seconds."""
    with scratch_folder() as folder:
        decided, whole = _events(folder)
        quotes = _quotes(folder)
    return [
        _row("recorded events decided again, a CPU second", decided, EVENTS_LEAST),
        _row("the same with reading, refusals and reports", whole, None),
        _row("recorded quotes run again, a CPU second", quotes, QUOTES_LEAST),
    ]


def _row(what: str, figure: float, goal: int | None) -> Row:
    ratio, least = (f"{figure / goal:.2f}", f"at least {goal:,}") if goal else ("", "")
    return Row(what, ratio, least, f"{figure:,.0f}", "", figure >= goal if goal else None)


def _events(folder: Path) -> tuple[float, float]:
    told = session(folder, SESSION_SECONDS)
    changes = Changes({"MAX_LOSS_COOLDOWN": "0"}, load_settings({"MAX_LOSS_COOLDOWN": "0"}))
    fee_bps = told.settings.paper_fee_bps
    with recorded(told.database) as then:
        journal = list(turns(then.connection))
    alone = whole = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        again = Again(changes, Period(), fee_bps)
        for turn in journal:
            again.take(turn)
        alone = min(alone, time.process_time() - began)
        began = time.process_time()
        decide_again(told.database, [changes], fee_bps, Period())
        whole = min(whole, time.process_time() - began)
    return len(journal) / alone, len(journal) / whole


def _quotes(folder: Path) -> float:
    market = many_symbols(folder).market
    settings, tape = load_settings({}), Tape((market,), Layout(), None)
    best = 0.0
    for _ in range(ROUNDS):
        began = time.process_time()
        found = run_again(None, [], settings, tape, Period(), Stop())
        best = max(best, found.base["quotes"] / (time.process_time() - began))
    return best
