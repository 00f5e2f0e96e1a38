"""A real process, killed with -9 at random moments of a paced run, and started again each time.

No fill is lost, no order doubled, no position is left without its stop, the journal still proves
every decision, and the report is that of a run without interruption.
"""

import random
import sqlite3
import subprocess
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.venues.paper.ledger import read_ledger
from tests.integration.sessions import (
    busy_session,
    command,
    environment,
    pointsman,
    report_of,
    rows,
)

KILLS = 15
SEED = 20240514
SETTINGS = {
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "MAX_LOSS_COOLDOWN": "0",
    "MAX_SLIPPAGE_BPS": "20",
}


def kill_after(folder: Path, arguments: list[str], database: Path, seconds: float) -> bool:
    """Start a run, let it live for so long after its first journaled turn of this life, and kill it
    with -9. Whether it was still alive then."""
    before = turns(database)
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(SETTINGS),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while turns(database) == before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(seconds)
    was_alive = process.poll() is None
    process.kill()
    _, errors = process.communicate(timeout=30)
    assert was_alive or process.returncode == 0, errors.decode()[-2000:]
    return was_alive


def turns(database: Path) -> int:
    """How many turns are journaled; 0 for no database yet."""
    if not database.exists():
        return 0
    try:
        found: int = rows(database, "SELECT count(*) FROM journal")[0][0]
    except sqlite3.Error:  # the schema is being made at this moment
        return 0
    return found


@pytest.mark.timeout(400)
def test_rule_62_kills_lose_double_and_change_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    quotes, signals = busy_session(tmp_path, SEED, seconds=500)
    database = tmp_path / "t.db"
    files = ["--market", str(quotes), "--signals", str(signals), "--db", str(database)]
    paced = ["run", *files, "--speed", "40", "--headless"]
    kills = 0
    while kills < KILLS:
        assert kill_after(tmp_path, paced, database, chance.uniform(0, 0.7)), (
            "the data is too short"
        )
        kills += 1

    report = report_of(pointsman(tmp_path, "run", *files, "--json", settings=SETTINGS))
    files[-1] = str(tmp_path / "whole.db")
    whole = report_of(pointsman(tmp_path, "run", *files, "--json", settings=SETTINGS))
    assert {**report, "wall_seconds": 0} == {**whole, "wall_seconds": 0}
    check = pointsman(tmp_path, "journal", "check", "--db", str(database), settings=SETTINGS)
    assert check.returncode == 0, check.stdout + check.stderr

    assert_books_are_the_venues(database)
    assert_every_position_is_covered(database)
    assert_every_signal_is_decided_once(signals, database)
    assert report["signals"]["accepted"] > 100
    assert len(report["trades"]) > 50
    assert not [
        kind for (kind,) in rows(database, "SELECT kind FROM incidents") if kind == "OVERFILL"
    ]


@pytest.mark.timeout(400)
def test_rule_42_a_killed_run_as_fast_as_it_goes_loses_nothing_and_goes_on_as_the_same_run(
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    quotes, signals = busy_session(tmp_path, SEED, seconds=1500)
    database = tmp_path / "t.db"
    files = ["--market", str(quotes), "--signals", str(signals), "--db", str(database)]
    fast = ["run", *files, "--speed", "max", "--headless"]
    lengths: list[int] = []
    while len(lengths) < 4 and kill_after(tmp_path, fast, database, chance.uniform(0, 0.3)):
        lengths.append(turns(database))
    assert lengths == sorted(set(lengths)), "each life went further"
    assert len(lengths) > 1

    report = report_of(pointsman(tmp_path, "run", *files, "--json", settings=SETTINGS))
    files[-1] = str(tmp_path / "whole.db")
    whole = report_of(pointsman(tmp_path, "run", *files, "--json", settings=SETTINGS))
    assert {**report, "wall_seconds": 0} == {**whole, "wall_seconds": 0}
    check = pointsman(tmp_path, "journal", "check", "--db", str(database), settings=SETTINGS)
    assert check.returncode == 0, check.stdout + check.stderr
    assert_books_are_the_venues(database)
    assert_every_signal_is_decided_once(signals, database)


def assert_books_are_the_venues(database: Path) -> None:
    """Every fill of the venue's ledger is booked, exactly once, and the sums are equal to the last
    digit."""
    ledger_file = database.with_name(f"{database.stem}.paper.db")
    ledger = read_ledger(ledger_file)
    cash = sum(
        (Decimal(cash) for (cash,) in rows(database, "SELECT cash FROM virtual_accounts")),
        Decimal(0),
    )
    fees = sum(
        (Decimal(fees) for (fees,) in rows(database, "SELECT fees FROM virtual_accounts")),
        Decimal(0),
    )
    assert (cash, fees) == (ledger.cash, ledger.fees)
    assert rows(database, "SELECT count(*) FROM fills") == [(ledger.fills,)]
    held: Counter[str] = Counter()
    for side, quantity in rows(database, "SELECT side, quantity FROM positions"):
        held[side] += int(Decimal(quantity)) * (1 if side == "long" else -1)
    theirs = {str(h.position_side): int(h.quantity) for h in ledger.holdings if h.quantity}
    assert {side: quantity for side, quantity in held.items() if quantity} == theirs
    sent = rows(database, "SELECT count(*) FROM orders WHERE status NOT IN ('DENIED', 'REJECTED')")
    assert sent[0][0] <= ledger.orders


def assert_every_position_is_covered(database: Path) -> None:
    """What is open at the end has stops resting at the venue for all of it."""
    for position_id, quantity in rows(database, "SELECT position_id, quantity FROM positions"):
        working = rows(
            database,
            "SELECT quantity, filled FROM orders WHERE status IN ('ACCEPTED', 'PARTIALLY_FILLED')"
            f" AND is_unknown = 0 AND role <> 'entry' AND position_id = {position_id}",
        )
        leaves = sum((Decimal(whole) - Decimal(done) for whole, done in working), Decimal(0))
        assert leaves >= Decimal(quantity), position_id


def assert_every_signal_is_decided_once(signals: Path, database: Path) -> None:
    """No line of the file is forgotten, none decided twice."""
    ids = {f"busy-{number}" for number in range(1, len(signals.read_text().splitlines()) + 1)}
    decided = [signal_id for (signal_id,) in rows(database, "SELECT signal_id FROM decisions")]
    assert len(decided) == len(set(decided))
    assert set(decided) == ids
    assert rows(database, "SELECT count(*) FROM signals WHERE repeats + reuses > 0") == [(0,)]
