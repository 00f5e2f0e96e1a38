"""Signals over HTTP: the real program, its own server and paper venue, and senders in another
process.

Round trips to a route that does nothing, and bare transactions of the rows that the signals of the
same round left, take turns with what they are held against.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench.bare import BareDatabase
from bench.http_load import ACCOUNTS, CONNECTIONS
from bench.scratch import scratch_folder
from bench.table import Row, at_least, at_most, percentile, us
from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.events import Killed, OrderSent, Rearmed, SignalReceived
from pointsman.domain.orders import Role
from pointsman.engine.control_client import NoEngine, ask
from pointsman.engine.requests import Show
from pointsman.execution.ports import JournalEntry
from pointsman.storage.journal import turns
from pointsman.storage.reader import open_reader

ROUNDS = 5
SINGLES = 200
BURST = 1_500
KILLS = 100
QUOTES_PER_SECOND = 2_000
SLOW_QUOTES_PER_SECOND = 40
KILL_LIMIT_NS = 50_000_000
ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {
    "HTTP_PORT": "0",
    "VIRTUAL_ACCOUNTS": ",".join(f"VA{number:03}:1000000" for number in range(ACCOUNTS)),
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "MAX_LATENCY_MS": "60000",
    "MAX_OPEN_POSITIONS_PER_VA": "1000",
    "MAX_POSITION_SIZE": "1000000",
    "PAPER_LATENCY_MS": "0",
    "LOG_LEVEL": "error",
}


def measure() -> list[Row]:
    """The rows of the table."""
    with scratch_folder() as folder:
        bare = BareDatabase(folder / "bare.db")
        try:
            with _engine(folder) as engine:
                return [
                    *_singles(engine, bare),
                    *_bursts(engine),
                    _beside_quotes(engine),
                    *_kills(engine),
                ]
        finally:
            bare.close()


class Engine:
    """The running program. `seen` is the last turn whose rows were written bare."""

    def __init__(self, database: Path, port: int) -> None:
        self.database = database
        self.port = port
        self.names = (f"r{number}" for number in range(10**6))
        self.seen = 0

    def load(self, task: str, number: int) -> dict[str, Any]:
        """Have senders do a task; what they saw."""
        done = subprocess.run(
            _sender(self.port, task, number, next(self.names)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @contextmanager
    def fed(self, per_second: int) -> Iterator[None]:
        """Meanwhile quotes come, so many a second."""
        feeder = subprocess.Popen(_sender(self.port, "feed", per_second, "feed"), cwd=ROOT)
        try:
            time.sleep(1.0)
            assert feeder.poll() is None
            yield
        finally:
            feeder.kill()
            feeder.wait()

    def signals(self) -> list[JournalEntry]:
        """The turns of signals since the last time."""
        with closing(open_reader(self.database)) as connection:
            new = list(turns(connection, self.seen))
        self.seen = new[-1].sequence
        return [
            JournalEntry(turn.time_ns, turn.event, turn.changes)
            for turn in new
            if isinstance(turn.event, SignalReceived)
        ]


def _sender(port: int, task: str, number: int, name: str) -> list[str]:
    return [sys.executable, "-m", "bench.http_load", str(port), task, str(number), name]


@contextmanager
def _engine(folder: Path) -> Iterator[Engine]:
    database = folder / "engine.db"
    start = "import sys; from pointsman.cli.app import main; sys.exit(main())"
    arguments = ["run", "--headless", "--market", "http", "--db", str(database)]
    process = subprocess.Popen(
        [sys.executable, "-c", start, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "src"), **SETTINGS},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Engine(database, _port(process, database))
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen[bytes], database: Path) -> int:
    while process.poll() is None:
        try:
            picture = ask(database, Show())
        except NoEngine:
            picture = {}
        if picture.get("is_ready"):
            return int(str(picture["http"]).rpartition(":")[2])
        time.sleep(0.05)
    raise AssertionError("the engine has ended")


def _singles(engine: Engine, bare: BareDatabase) -> list[Row]:
    signals: list[float] = []
    pings: list[float] = []
    commits: list[float] = []
    with engine.fed(SLOW_QUOTES_PER_SECOND):
        engine.load("singles", SINGLES)
        engine.signals()
        for _ in range(ROUNDS):
            found = engine.load("singles", SINGLES)
            signals += found["signals"]
            pings += found["pings"]
            commits += [bare.commit_ns(bare.writes_of([entry])) for entry in engine.signals()]
    rows = []
    for name, part, limit in (("p50", 0.5, 1.6), ("p99", 0.99, 2)):
        here, ping, commit = (percentile(each, part) for each in (signals, pings, commits))
        what = f"POST /signals to its durable answer, one at a time, {name}"
        yardstick = f"no-op route {us(ping)} + bare, same rows {us(commit)}"
        rows.append(at_most(what, here / (ping + commit), limit, us(here), yardstick))
    return rows


def _bursts(engine: Engine) -> list[Row]:
    rows = []
    with engine.fed(SLOW_QUOTES_PER_SECOND):
        for task, what, goal in (
            ("entries", "accepted, then sent to the paper venue", 2_000),
            ("refusals", "refused", 1_000),
        ):
            seconds = sum(engine.load(task, BURST)["seconds"] for _ in range(ROUNDS))
            rate = BURST * ROUNDS / seconds
            text = f"durable decisions a second over HTTP, {CONNECTIONS} connections; {what}"
            rows.append(at_least(text, rate / goal, 1, f"{rate:,.0f}/s", f"{goal:,}/s"))
    return rows


def _beside_quotes(engine: Engine) -> Row:
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        for per_second, spent in ((SLOW_QUOTES_PER_SECOND, alone), (QUOTES_PER_SECOND, beside)):
            with engine.fed(per_second):
                spent += engine.load("singles", SINGLES)["signals"]
    here, there = percentile(beside, 0.99), percentile(alone, 0.99)
    what = f"POST /signals while {QUOTES_PER_SECOND:,} quotes a second come, p99"
    return at_most(what, here / there, 2, us(here), f"without them: {us(there)}")


def _kills(engine: Engine) -> list[Row]:
    with engine.fed(SLOW_QUOTES_PER_SECOND):
        found = engine.load("kills", KILLS)
    here = percentile(found["kills"], 0.99)
    what = "kill by HTTP, durable, while 1,000 signals a second arrive, p99"
    left = _left_while_killed(engine, found["held"])
    what_left = "entries that left after a kill was acknowledged"
    return [
        at_most(what, here / KILL_LIMIT_NS, 1, us(here), us(KILL_LIMIT_NS)),
        Row(what_left, "", "none", str(left), f"{KILLS} kills", left == 0),
    ]


def _left_while_killed(engine: Engine, held: list[tuple[int, int]]) -> int:
    """How many entries were handed to the venue between a kill and its rearm: by the order of the
    journal, or by the clock of whoever pressed."""
    left, is_killed = 0, False
    with closing(open_reader(engine.database)) as connection:
        for turn in turns(connection, engine.seen):
            event = turn.event
            if isinstance(event, Killed | Rearmed):
                is_killed = isinstance(event, Killed)
            elif isinstance(event, OrderSent):
                parts = parse_client_order_id(event.client_order_id)
                is_late = is_killed or any(first <= turn.time_ns < last for first, last in held)
                left += parts is not None and parts.role is Role.ENTRY and is_late
    return left
