"""Recorded sessions through the whole program: what an order costs from its signal to its trade.

The program is run as a user would, with and without signals; the difference in CPU time is what the
orders cost, in the engine's database and the paper venue's ledger alike. In the busy session, which
is made up, every signal is an entry or its exit, some eight orders a second. The real day has few,
so that looking after what is held, each second of it, weighs more there than the orders do.
"""

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.bare import copy_seconds
from bench.scratch import scratch_folder
from bench.table import Row
from tests.integration.sessions import ROOT, command, environment

ROUNDS = 3
BATCH = 512
GOAL_US = 300
BUSY_SECONDS = 600
OPENING_MS = 1_715_695_200_000
"""2024-05-14 10:00 in New York."""


class Taken(msgspec.Struct):
    """The CPU seconds of a session, the best of all rounds, and what happened in it."""

    quiet: float = float("inf")
    busy: float = float("inf")
    rewritten: float = float("inf")
    orders: int = 1
    quotes: int = 0

    def us_per_order(self) -> float:
        """What an order adds."""
        return (self.busy - self.quiet) / self.orders * 1e6


def measure() -> list[Row]:
    """The rows of the table; one that says why where there is no recorded data."""
    with scratch_folder() as folder:
        return list(_rows(folder))


def _rows(folder: Path) -> Iterator[Row]:
    what = "CPU of an order's whole life in a recorded run, both ledgers"
    made_up = _taken(folder / "busy", *_busy_session(folder))
    yield _row(f"{what}: busy session", made_up, is_promised=True)
    data = Path(os.environ.get("POINTSMAN_DATA", ROOT.parent / "shared" / "data")) / "canonical"
    market, signals = data / "xxx_2018-01-02.csv.gz", data / "signals_2018-01-02.jsonl"
    if not market.is_file():
        yield Row(what, "", "", "not measured", f"no data at {data}; set POINTSMAN_DATA", None)
        return
    day = _taken(folder / "day", market, signals)
    yield _row(f"{what}: a real day, what is held looked after each second", day, is_promised=False)
    rate = f"{day.quotes / day.quiet:,.0f}/s"
    yield Row("quotes per CPU second, that day without signals", "", "", rate, "", None)


def _busy_session(folder: Path) -> tuple[Path, Path]:
    """Ten quotes and five signals a second: each of five accounts enters and is out a second
    later."""
    quotes, signals = folder / "quotes.csv", folder / "signals.jsonl"
    with quotes.open("w") as file:
        file.write("ts,symbol,bid,bid_size,ask,ask_size\n")
        for tick in range(BUSY_SECONDS * 10):
            bid = f"100.{tick % 3:02}"
            file.write(f"{OPENING_MS + tick * 100},ABC,{bid},900,100.{tick % 3 + 2:02},900\n")
    with signals.open("w") as file:
        for number in range((BUSY_SECONDS - 10) * 5):
            side = "buy" if number // 5 % 2 == 0 else "close"
            size = {"quantity": 10} if side == "buy" else {}
            va_id, at_ms = f"VA00{number % 5 + 1}", OPENING_MS + 2_050 + number * 200
            ids = {"signal_id": f"busy-{number}", "va_id": va_id, "symbol": "ABC"}
            file.write(json.dumps({**ids, "side": side, "ts": at_ms, **size}) + "\n")
    return quotes, signals


def _row(what: str, taken: Taken, *, is_promised: bool) -> Row:
    us = taken.us_per_order()
    return Row(
        what,
        f"{(taken.busy - taken.quiet) / taken.rewritten:.2f}",
        f"{GOAL_US} us" if is_promised else "",
        f"{us:,.0f} us",
        f"bare, same rows, {BATCH} in one: {taken.rewritten / taken.orders * 1e6:,.0f} us",
        us <= GOAL_US if is_promised else None,
    )


def _taken(folder: Path, market: Path, signals: Path) -> Taken:
    folder.mkdir()
    taken = Taken()
    for number in range(ROUNDS):
        quiet, _ = _run(folder / f"quiet{number}.db", market, "none")
        busy, report = _run(folder / f"busy{number}.db", market, str(signals))
        copied = sum(
            copy_seconds(folder / f"busy{number}{end}", folder / f"copy{number}{end}", BATCH)
            for end in (".db", ".paper.db")
        )
        taken.quiet = min(taken.quiet, quiet)
        taken.busy = min(taken.busy, busy)
        taken.rewritten = min(taken.rewritten, copied)
        taken.orders, taken.quotes = report["orders"], report["quotes"]
    return taken


def _run(database: Path, market: Path, signals: str) -> tuple[float, dict[str, Any]]:
    """The CPU seconds of a run, and its report."""
    flags = ["--market", str(market), "--signals", signals, "--speed", "max", "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command("run", *flags, "--db", str(database)),
        env=environment({"MAX_LOSS_COOLDOWN": "0"}),
        cwd=database.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    report: dict[str, Any] = json.loads(done.stdout)
    return spent, report
