"""What the integration tests share: the program as a user starts it, and a made-up busy session."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pointsman.storage.tail import hold_moment

ROOT = Path(__file__).resolve().parents[2]
ACCOUNTS = ",".join(f"VA00{number}:100000" for number in range(1, 6))


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """A clean environment: nothing of the developer's own settings reaches the program."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    own = {"VIRTUAL_ACCOUNTS": ACCOUNTS, "HTTP_PORT": "0", "PYTHONPATH": str(ROOT / "src")}
    return {**kept, **own, **settings}


def command(*arguments: str) -> list[str]:
    """The command line of a verb."""
    start = "import sys; from pointsman.cli.app import main; sys.exit(main())"
    return [sys.executable, "-c", start, *arguments]


def pointsman(
    folder: Path,
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    piped: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end in a folder; `piped` comes on its standard input."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(settings or {}),
        input=piped,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def report_of(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The report of a run that went well."""
    assert result.returncode == 0, result.stderr[-2000:]
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query gives, read-only: of a database of ours all that is durable."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)
    try:
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'lease'").fetchone():
            hold_moment(connection)
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def busy_session(folder: Path, seed: int, seconds: int) -> tuple[Path, Path]:
    """Quotes ten times a second of a price that wanders and jumps, thinly displayed, and a signal
    about every half second over five accounts: entries in both directions, tight stops, exits of
    parts and of all."""
    chance = random.Random(seed)
    opening = datetime(2024, 5, 14, 14, 0, tzinfo=UTC)
    quotes, signals = folder / "quotes.csv", folder / "signals.jsonl"
    price = Decimal("100.00")
    with quotes.open("w") as file:
        file.write("ts,symbol,bid,bid_size,ask,ask_size\n")
        for tick in range(seconds * 10):
            jump = chance.choice((-40, 40)) if chance.random() < 0.01 else 0
            price += Decimal(chance.randint(-2, 2) + jump) / 100
            price = min(max(price, Decimal(80)), Decimal(120))
            at = (opening + timedelta(milliseconds=100 * tick)).isoformat()
            size, offered = chance.randint(1, 60), chance.randint(1, 60)
            file.write(f"{at},ABC,{price},{size},{price + Decimal('0.02')},{offered}\n")
    with signals.open("w") as file:
        at_ms, number = 1000, 0
        while at_ms < (seconds - 2) * 1000:
            at_ms += chance.randint(50, 900)
            number += 1
            stamp = opening + timedelta(milliseconds=at_ms)
            file.write(json.dumps(_signal(chance, number, stamp)) + "\n")
    return quotes, signals


def _signal(chance: random.Random, number: int, at: datetime) -> dict[str, Any]:
    side = chance.choice(("buy", "buy", "sell", "close"))
    signal: dict[str, Any] = {
        "signal_id": f"busy-{number}",
        "va_id": f"VA00{chance.randint(1, 5)}",
        "symbol": "ABC",
        "side": side,
        "ts": at.isoformat(),
    }
    if side != "close" or chance.random() < 0.5:
        signal["quantity"] = chance.randint(1, 40)
    if side != "close":
        signal["stop_loss_percentage"] = chance.choice(("0.1", "0.3", "2"))
    return signal
