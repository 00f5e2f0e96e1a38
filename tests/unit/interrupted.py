"""A recorded session that can be stopped at any instant: its files, and copies of its database as a
kill -9 would leave them."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman.config.settings import Settings, resolve_settings
from pointsman.engine.assembly import assemble
from pointsman.engine.playback import Playback
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.market.recorded import RecordedMarket
from pointsman.market.signal_file import SignalFile
from pointsman.market.tape import Tape
from pointsman.storage.entries import RunIdentity
from pointsman.storage.errors import StorageFailed
from tests.desk_stories import SECOND_NS

OPENING = datetime(2024, 5, 14, 14, 0, tzinfo=UTC)
SETTINGS = {
    "VIRTUAL_ACCOUNTS": "VA001:100000,VA002:100000,VA003:100000",
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "ORDER_SETTLE_SECONDS": "1",
    "SUBMIT_TIMEOUT_SECONDS": "1",
    "MAX_LATENCY_MS": "1500",
    "MAX_LOSS_COOLDOWN": "0",
}
BIDS = ["100.00", "100.00", "100.02", "100.00", "99.40", "99.50", "99.60", "100.60"]
SIGNALS: list[tuple[float, str, dict[str, Any]]] = [
    (0.5, "a", {"va_id": "VA001", "side": "buy", "quantity": 30, "take_profit": "100.50"}),
    (1.05, "b", {"va_id": "VA002", "side": "buy", "quantity": 5, "stop_loss_percentage": "0.5"}),
    (1.05, "b", {"va_id": "VA002", "side": "buy", "quantity": 5, "stop_loss_percentage": "0.5"}),
    (1.1, "c", {"va_id": "VA003", "side": "sell", "quantity": 8}),
    (1.6, "d", {"va_id": "VA003", "side": "close", "quantity": 3}),
    (6.9, "e", {"va_id": "VA002", "side": "buy", "quantity": 4}),
    (7.1, "f", {"va_id": "VA002", "side": "close"}),
    (7.2, "g", {"va_id": "VA001", "side": "sell", "quantity": 6}),
]


def at(seconds: float) -> str:
    return (OPENING + timedelta(seconds=seconds)).isoformat()


class Session(msgspec.Struct):
    """A recorded run: its files, its settings, its database."""

    quotes: Path
    signals: Path
    settings: Settings
    database: Path

    def finish(self) -> None:
        """Begin, or go on from where the database stands, to the end of the data."""
        market = RecordedMarket((self.quotes,))
        assembly = assemble(self.settings, self.database, IDENTITY, wait=must_work)
        tape = Tape(market.quotes(), SignalFile(self.signals).lines(assembly.signals_from("file")))
        playback = Playback(assembly.loop, tape, "file", lambda: market.bad_rows)
        playback.skip_quotes_until(assembly.resume_ns)
        first_ns = int((OPENING - timedelta(seconds=1)).timestamp()) * SECOND_NS
        assembly.loop.start(assembly.started, max(first_ns, assembly.resume_ns))
        while (due_ns := playback.next_ns()) is not None:
            playback.step(due_ns)
        playback.end()
        assembly.close()


def must_work(failure: StorageFailed) -> None:
    raise failure


IDENTITY = RunIdentity("quotes", "signals", "instruments", "settings", "0")


def session(folder: Path) -> Session:
    """Eight quotes in four seconds and then one a second, thinly displayed; entries that fill in
    part and wholly, a target, a stop, partial and whole exits."""
    times = [n / 2 for n in range(8)] + [float(n) for n in range(4, 14)]
    prices = [Decimal(bid) for bid in BIDS] + [Decimal("100.20")] * 10
    rows = [
        f"{at(seconds)},XXX,{bid},20,{bid + Decimal('0.02')},20"
        for seconds, bid in zip(times, prices, strict=True)
    ]
    quotes, signals = folder / "quotes.csv", folder / "signals.jsonl"
    quotes.write_text("\n".join(["ts,symbol,bid,bid_size,ask,ask_size", *rows]) + "\n")
    sent = [
        {"signal_id": name, "symbol": "XXX", "ts": at(seconds), **fields}
        for seconds, name, fields in SIGNALS
    ]
    signals.write_text("".join(json.dumps(one) + "\n" for one in sent))
    settings = resolve_settings(SETTINGS, None, {}).settings
    return Session(quotes, signals, settings, folder / "trading.db")


def take_copies(database: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Have the files copied, as a kill -9 would leave them, before and after each `release`."""
    taken: list[Path] = []
    usual = ExecutionLoop.release

    def copy() -> None:
        target = folder / str(len(taken))
        target.mkdir()
        for file in database.parent.glob("*.db*"):
            if not file.name.endswith(("-shm", ".lock")):
                shutil.copy(file, target)
        taken.append(target / database.name)

    def release(loop: ExecutionLoop) -> None:
        copy()
        usual(loop)
        copy()

    monkeypatch.setattr(ExecutionLoop, "release", release)
    return taken
