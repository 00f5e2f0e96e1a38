"""Recorded sessions through the whole program: what a quote costs, and an order from its signal to
its trade.

The program is run as a user would, with and without signals; the difference in CPU time is what the
orders cost, in the engine's database and the paper venue's ledger alike. A quote's cost is that of
a run without signals, start and end taken off. In the busy session, which is made up, every signal
is an entry or its exit, some eight orders a second. The real day has few, so that looking after
what is held, each second of it, weighs more there than the orders do.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from bench.bare import copy_seconds, read_seconds
from bench.program import DOES_NOT_RUN, HERE, Program, beside, report_of
from bench.scratch import scratch_folder
from bench.table import Row
from tests.integration.sessions import ROOT

ROUNDS, QUIET_ROUNDS = 3, 3
"""A run without signals is short and its start is taken off, so it is made more often."""
BATCH = 512
GOAL_US, GOAL_WALL_RATIO, GOAL_BYTES = 300, 1.2, 5_000
GOAL_MANY_PER_SECOND, GOAL_DAY_PER_SECOND = 250_000, 150_000
BUSY_SECONDS = 600
MANY_QUOTES, MANY_SYMBOLS = 200_000, 100
OPENING_MS = 1_715_695_200_000
"""2024-05-14 10:00 in New York."""


class Session(msgspec.Struct, frozen=True):
    """Recorded quotes, and signals where there are some."""

    name: str
    market: Path
    signals: Path | None = None


class Taken(msgspec.Struct):
    """What a session costs one program, the best of all rounds, and what happened in it. All but
    counts and the ratio are CPU seconds, `start` those of a run of one quote; `stored` is in
    bytes. An older commit `has_failed` where it does not know what it is asked."""

    start: float = float("inf")
    quiet: float = float("inf")
    busy: float = float("inf")
    wall_ratio: float = float("inf")
    read: float = float("inf")
    rewritten: float = float("inf")
    orders: int = 1
    quotes: int = 0
    stored: int = 0
    has_failed: bool = False

    def us_per_order(self) -> float:
        """What an order adds."""
        return (self.busy - self.quiet) / self.orders * 1e6

    def quotes_per_second(self) -> float:
        """Through the whole run, reading included."""
        return self.quotes / (self.quiet - self.start)


def measure(older: Program | None) -> list[Row]:
    """The rows of the table; one that says why where there is no recorded data."""
    with scratch_folder() as folder:
        return list(_rows(folder, (HERE, older) if older else (HERE,)))


def _rows(folder: Path, programs: tuple[Program, ...]) -> Iterator[Row]:
    what = "quotes a CPU second through a whole recorded run"
    many = _taken(folder, programs, many_symbols(folder))
    title = f"{what}, {MANY_QUOTES:,} of {MANY_SYMBOLS} symbols"
    yield _quote_row(title, many, GOAL_MANY_PER_SECOND)
    data = Path(os.environ.get("POINTSMAN_DATA", ROOT.parent / "shared" / "data")) / "canonical"
    market, signals = data / "xxx_2018-01-02.csv.gz", data / "signals_2018-01-02.jsonl"
    day = None
    if market.is_file():
        day = _taken(folder, programs, Session("day", market, signals))
        yield _quote_row(f"{what}, a real day without signals", day, GOAL_DAY_PER_SECOND)
    else:
        why = f"no data at {data}; set POINTSMAN_DATA"
        yield Row(f"{what}, a real day", "", "", "not measured", why, None)
    yield from _order_rows(_taken(folder, programs, _busy_session(folder)))
    if day is not None:
        title = "CPU of an order's whole life: a real day, what is held looked after each second"
        yield _cost_row(title, day, None)


def _order_rows(busy: list[Taken]) -> Iterator[Row]:
    what = "an order's whole life in a recorded run, both ledgers, busy session"
    yield _cost_row(f"CPU of {what}", busy, GOAL_US)
    ratio = busy[0].wall_ratio
    row = Row(
        "wall time of that session / its CPU time",
        f"{ratio:.2f}",
        f"at most {GOAL_WALL_RATIO}",
        f"{ratio:.2f}",
        f"its CPU time: {busy[0].busy:.2f} s",
        ratio <= GOAL_WALL_RATIO,
    )
    yield _with_older(row, busy, lambda taken: f"{taken.wall_ratio:.2f}")
    size = busy[0].stored / busy[0].orders
    row = Row(
        f"bytes of database for {what}",
        "",
        f"{GOAL_BYTES:,} bytes",
        f"{size:,.0f} bytes",
        "",
        size <= GOAL_BYTES,
    )
    yield _with_older(row, busy, lambda taken: f"{taken.stored / taken.orders:,.0f} bytes")


def _quote_row(what: str, all_taken: list[Taken], goal: int) -> Row:
    rate = all_taken[0].quotes_per_second()
    bare = all_taken[0].quotes / all_taken[0].read
    row = Row(
        what,
        f"{rate / bare:.2f}",
        f"{goal:,}/s",
        f"{rate:,.0f}/s",
        f"read as CSV and kept: {bare:,.0f}/s",
        rate >= goal,
    )
    return _with_older(row, all_taken, lambda taken: f"{taken.quotes_per_second():,.0f}/s")


def _cost_row(what: str, all_taken: list[Taken], goal_us: int | None) -> Row:
    taken = all_taken[0]
    cost = taken.us_per_order()
    row = Row(
        what,
        f"{(taken.busy - taken.quiet) / taken.rewritten:.2f}",
        f"{goal_us} us" if goal_us else "",
        f"{cost:,.0f} us",
        f"bare, same rows, {BATCH} in one: {taken.rewritten / taken.orders * 1e6:,.0f} us",
        cost <= goal_us if goal_us else None,
    )
    return _with_older(row, all_taken, lambda taken: f"{taken.us_per_order():,.0f} us")


def _with_older(row: Row, all_taken: list[Taken], figure: Callable[[Taken], str]) -> Row:
    """The row with the figure of the second program, where there is one."""
    if len(all_taken) == 1:
        return row
    older = all_taken[1]
    return beside(row, DOES_NOT_RUN if older.has_failed else figure(older))


def _taken(folder: Path, programs: tuple[Program, ...], session: Session) -> list[Taken]:
    """What a session costs each program; the programs take turns."""
    all_taken = [Taken() for _ in programs]
    for number in range(ROUNDS):
        for program, taken in zip(programs, all_taken, strict=True):
            place = folder / f"{session.name}-{program.name}-{number}"
            place.mkdir()
            try:
                _take(taken, program, place, session)
            except subprocess.CalledProcessError as error:
                sys.stderr.write(f"{program.name}, {session.name}: {error.stderr[-1000:]}\n")
                if program is HERE:
                    raise
                taken.has_failed = True
    return all_taken


def _take(taken: Taken, program: Program, place: Path, session: Session) -> None:
    """One round of one program."""
    quiet, busy = place / "quiet0.db", place / "busy.db"
    for again in range(QUIET_ROUNDS):
        quiet = place / f"quiet{again}.db"
        started = program.run_of_one_quote(place / f"one{again}.db")
        spent = program.recorded_run(quiet, session.market, "none")
        taken.start, taken.quiet = min(taken.start, started.cpu), min(taken.quiet, spent.cpu)
        taken.quotes = report_of(spent)["quotes"]
    taken.read = min(taken.read, read_seconds(session.market))
    if session.signals is None:
        return
    spent = program.recorded_run(busy, session.market, str(session.signals))
    taken.busy = min(taken.busy, spent.cpu)
    taken.wall_ratio = min(taken.wall_ratio, spent.wall / spent.cpu)
    taken.orders = report_of(spent)["orders"]
    taken.stored = _stored_bytes(busy) - _stored_bytes(quiet)
    copied = sum(
        copy_seconds(each, each.with_suffix(".copy"), BATCH)
        for each in (busy, busy.with_suffix(".paper.db"))
    )
    taken.rewritten = min(taken.rewritten, copied)


def _stored_bytes(database: Path) -> int:
    """Of a database and its ledger, with what is still in their WAL files."""
    files = (each for each in database.parent.iterdir() if each.name.startswith(database.stem))
    return sum(each.stat().st_size for each in files if each.suffix in (".db", ".db-wal"))


def many_symbols(folder: Path) -> Session:
    """Quotes of all symbols in turn, two hundred a second, each price wandering."""
    chance, market = random.Random(1), folder / "many.csv"
    cents = [chance.randrange(5_000, 20_000) for _ in range(MANY_SYMBOLS)]
    with market.open("w") as file:
        file.write("ts,symbol,bid,bid_size,ask,ask_size\n")
        for number in range(MANY_QUOTES):
            place = number % MANY_SYMBOLS
            cents[place] += chance.choice((-1, 0, 1))
            bid, ask = (
                f"{each // 100}.{each % 100:02}" for each in (cents[place], cents[place] + 2)
            )
            at_ms, sizes = OPENING_MS + number * 5, (chance.randrange(1, 90) * 10 for _ in "ba")
            bid_size, ask_size = sizes
            file.write(f"{at_ms},S{place:02},{bid},{bid_size},{ask},{ask_size}\n")
    return Session("many", market)


def _busy_session(folder: Path) -> Session:
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
    return Session("busy", quotes, signals)
