"""Signals through the live engine: how long one takes to be durable and handed over, how many a
second, and whether quotes still get through meanwhile.

Engine and bare transactions take turns, in one process and on one disk. Quotes come from another
process, as lines on a pipe; their age is that when the loop takes them in.
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.bare import BareDatabase
from bench.scratch import scratch_folder
from bench.shell import ASK, BID, SYMBOLS, Shell, open_shell, signal
from bench.table import Row, at_least, at_most, percentile, us
from pointsman.domain.events import SignalReceived
from pointsman.domain.market import Quote
from pointsman.domain.signals import Outcome

IN_FLIGHT = 64
WARM = 300
SINGLES = 2_000
ROUNDS = 6
BURST = 2_000

FEEDER = """
import sys, time
while True:
    sys.stdout.write(f"{time.perf_counter_ns()}\\n")
    sys.stdout.flush()
    time.sleep(0.001)
"""
"""Says what time it is a thousand times a second, on the clock that all processes share."""


def measure() -> list[Row]:
    """The rows of the table."""
    with scratch_folder() as folder:
        return asyncio.run(_measure(folder))


async def _measure(folder: Path) -> list[Row]:
    va_ids = [f"VA{number:03}" for number in range(IN_FLIGHT)]
    bare = BareDatabase(folder / "bare.db")
    try:
        async with open_shell(folder, va_ids) as shell:
            return [*await _one_at_a_time(shell, bare), *await _in_flight(shell, bare, va_ids)]
    finally:
        bare.close()


async def _one_at_a_time(shell: Shell, bare: BareDatabase) -> list[Row]:
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(WARM + SINGLES):
        signal_id, symbol = f"single-{number}", SYMBOLS[number % len(SYMBOLS)]
        shell.live.feed(shell.quote(symbol))
        await shell.settled()
        began_ns = time.perf_counter_ns()
        await shell.live.submit(signal(signal_id, "VA000", symbol))
        ours.append(shell.venue.handed_ns.pop(signal_id) - began_ns)
        await shell.settled()
        entries = shell.take_entries()
        decided = [entry for entry in entries if isinstance(entry.event, SignalReceived)]
        theirs.append(bare.commit_ns(bare.writes_of(decided)))
    ours, theirs = ours[WARM:], theirs[WARM:]
    rows = []
    for name, part, limit in (("p50", 0.5, 1.5), ("p99", 0.99, 1.5)):
        here, there = percentile(ours, part), percentile(theirs, part)
        what = f"a signal from arrival to durable to handed over, one at a time, {name}"
        rows.append(at_most(what, here / there, limit, us(here), f"bare, same rows: {us(there)}"))
    return rows


async def _in_flight(shell: Shell, bare: BareDatabase, va_ids: list[str]) -> list[Row]:
    rates, bare_rates, one_row, ages = [], [], [], []
    with Feed(shell) as feed:
        for number in range(ROUNDS):
            await asyncio.sleep(0.2)  # every symbol has a fresh quote again
            feed.ages_ns.clear()
            shell.take_entries()
            seconds = await _burst(shell, va_ids, f"burst-{number}")
            ages += feed.ages_ns
            await shell.settled()
            entries = shell.take_entries()
            group = -(-len(entries) * IN_FLIGHT // BURST)
            batches = [entries[first : first + group] for first in range(0, len(entries), group)]
            spent_ns = sum(bare.commit_ns(writes) for writes in map(bare.writes_of, batches))
            one_row += [bare.one_row_ns() for _ in range(200)]
            rates.append(BURST / seconds)
            bare_rates.append(BURST / spent_ns * 1e9)
    rate, bare_rate, commit_ns = median(rates), median(bare_rates), percentile(one_row, 0.5)
    age_ns = percentile(ages, 0.99)
    return [
        at_least(
            "durable decisions a second, 64 in flight",
            median(ours / theirs for ours, theirs in zip(rates, bare_rates, strict=True)),
            0.35,
            f"{rate:,.0f}/s",
            f"bare, same rows, 64 in one: {bare_rate:,.0f}/s",
        ),
        at_least(
            "the same",
            rate * commit_ns / 1e9,
            6,
            f"{rate:,.0f}/s",
            f"bare commits of one row: {1e9 / commit_ns:,.0f}/s",
        ),
        at_most(
            "age of a quote when the loop sees it, p99, meanwhile",
            age_ns / commit_ns,
            3,
            us(age_ns),
            f"bare commit of one row, p50: {us(commit_ns)}",
        ),
    ]


async def _burst(shell: Shell, va_ids: list[str], name: str) -> float:
    """Seconds for BURST signals, as many at once as there are accounts."""
    numbers = iter(range(BURST))

    async def send(va_id: str) -> None:
        for number in numbers:
            symbol = SYMBOLS[number % len(SYMBOLS)]
            decision = await shell.live.submit(signal(f"{name}-{number}", va_id, symbol))
            assert decision.outcome is Outcome.ACCEPTED, decision

    began = time.perf_counter()
    await asyncio.gather(*map(send, va_ids))
    return time.perf_counter() - began


class Feed:
    """Another process that sends a quote a millisecond, over all symbols in turn. `ages_ns` is how
    old each was when the loop took it in."""

    def __init__(self, shell: Shell) -> None:
        self.ages_ns: list[float] = []
        self._shell = shell
        self._rest = b""
        self._count = 0

    def __enter__(self) -> "Feed":
        self._process = subprocess.Popen([sys.executable, "-c", FEEDER], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._pipe = self._process.stdout.fileno()
        asyncio.get_running_loop().add_reader(self._pipe, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._pipe)
        self._process.kill()
        self._process.communicate()

    def _take(self) -> None:
        *stamps, self._rest = (self._rest + os.read(self._pipe, 65_536)).split(b"\n")
        for stamp in stamps:
            self._count += 1
            symbol = SYMBOLS[self._count % len(SYMBOLS)]
            now_ns = time.perf_counter_ns()
            age_ns = now_ns - int(stamp)
            self.ages_ns.append(age_ns)
            ts_ns = self._shell.clock.now_ns() - age_ns
            self._shell.live.feed(Quote(symbol, ts_ns, BID, ASK, ASK, ASK))
