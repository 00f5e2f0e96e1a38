"""Database and paper ledger belong together, or nothing starts: every way to lose or swap a file.

One engine trades; its files are copied while it runs, as a kill -9 would leave them. Each case
damages a copy.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
import typer

from pointsman.cli.engine_endings import known_endings
from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.orders import OrderType
from pointsman.domain.policy import PositionMode
from pointsman.engine.embedded import Engine, open_engine
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.same_account import OtherAccount
from pointsman.venues.paper.ledger import PaperLedger, read_ledger
from tests.unit.test_embedded import BUY, SETTINGS, quote

DATABASE, LEDGER = "t.db", "t.paper.db"


class Sessions:
    """What the engine left: a young database, whose content is all in its -wal file, and later one
    that was checkpointed before its position was closed by two exits."""

    def __init__(self, folder: Path) -> None:
        self.settings: Settings = resolve_settings(SETTINGS, None, {}).settings
        self.young, self.later, self.other = (folder / name for name in ("young", "later", "other"))
        live = folder / "live"
        live.mkdir()
        asyncio.run(self._open_position(live, self.young))
        asyncio.run(self._close_in_two(live, self.later))
        (folder / "foreign").mkdir()
        asyncio.run(self._open_position(folder / "foreign", self.other))

    async def _open_position(self, live: Path, copy: Path) -> None:
        async with open_engine(self.settings, live / DATABASE) as engine:
            engine.feed(quote())
            await engine.submit(BUY)
            await until(lambda: len(stops_at(live / LEDGER)) == 1)
            await settled(engine, 1)
            shutil.copytree(live, copy)

    async def _close_in_two(self, live: Path, copy: Path) -> None:
        async with open_engine(self.settings, live / DATABASE) as engine:
            engine.feed(quote())
            for number, quantity in enumerate((4, 6)):
                exits = {"signal_id": f"out-{number}", "side": "close", "quantity": quantity}
                await engine.submit({**BUY, **exits})
            await until(lambda: read_ledger(live / LEDGER).holdings == ())
            await settled(engine, 2)
            shutil.copytree(live, copy)

    def starts(self, folder: Path) -> None:
        """Start an engine on what is in a folder. Raises OtherAccount."""

        async def start() -> None:
            async with open_engine(self.settings, folder / DATABASE):
                pass

        asyncio.run(start())


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(6000):
        if is_so():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never was so")


async def settled(engine: Engine, number: int) -> None:
    """Until the database holds what the ledger does: a signal is decided after what came before."""
    await engine.submit({**BUY, "signal_id": f"last-{number}", "symbol": "NONE"})


def stops_at(ledger: Path) -> list[str]:
    if not ledger.exists():
        return []
    with closing(sqlite3.connect(ledger)) as db:
        found = db.execute(
            "SELECT client_order_id FROM orders WHERE is_open = 1 AND order_type = ?",
            (OrderType.STOP.value,),
        )
        return [order_id for (order_id,) in found]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    return Sessions(tmp_path_factory.mktemp("sessions"))


def remove(folder: Path, *names: str) -> None:
    for name in names:
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)


def replace(folder: Path, name: str, source: Path) -> None:
    remove(folder, name)
    for file in source.glob(f"{name}*"):
        shutil.copy(file, folder / file.name)


def without_wal(folder: Path, name: str) -> None:
    (folder / f"{name}-wal").unlink()
    (folder / f"{name}-shm").unlink()


def cut_short(folder: Path, name: str) -> None:
    remove(folder, name)
    (folder / name).touch()


Damage = Callable[[Path, Sessions], None]

DAMAGES: dict[str, tuple[str, Damage, str]] = {
    "the ledger deleted": ("young", lambda f, _: remove(f, LEDGER), "is missing"),
    "the ledger cut to nothing": ("young", lambda f, _: cut_short(f, LEDGER), "does not hold exec"),
    "the -wal of the ledger deleted": (
        "young",
        lambda f, _: without_wal(f, LEDGER),
        "does not hold exec",
    ),
    "the ledger of another run": (
        "young",
        lambda f, s: replace(f, LEDGER, s.other),
        "is the account of installation",
    ),
    "an older ledger": (
        "later",
        lambda f, s: replace(f, LEDGER, s.young),
        "does not hold exec",
    ),
    "the -wal of a young database deleted": (
        "young",
        lambda f, _: without_wal(f, DATABASE),
        "and .* is new",
    ),
    "the database deleted": ("young", lambda f, _: remove(f, DATABASE), "and .* is new"),
    "the -wal of a checkpointed database deleted": (
        "later",
        lambda f, _: without_wal(f, DATABASE),
        "has lost turns",
    ),
    "an older database": (
        "later",
        lambda f, s: replace(f, DATABASE, s.young),
        "has lost turns",
    ),
    "the database of another run": (
        "later",
        lambda f, s: replace(f, DATABASE, s.other),
        "is the account of installation",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_rule_26_files_that_do_not_belong_together_are_refused(
    name: str, sessions: Sessions, tmp_path: Path
) -> None:
    """Refused with exit code 5, with what to do, and the same on a second try."""
    left_by, damage, told = DAMAGES[name]
    folder = tmp_path / "damaged"
    shutil.copytree(getattr(sessions, left_by), folder)
    damage(folder, sessions)
    for _ in range(2):
        with pytest.raises(OtherAccount, match=told) as refused:
            sessions.starts(folder)
    assert "put back" in str(refused.value)
    with pytest.raises(typer.Exit) as ended, known_endings():
        raise refused.value
    assert ended.value.exit_code == ExitCode.MISMATCH


@pytest.mark.parametrize("left_by", ["young", "later"])
def test_what_a_kill_leaves_starts_again(left_by: str, sessions: Sessions, tmp_path: Path) -> None:
    folder = tmp_path / "whole"
    shutil.copytree(getattr(sessions, left_by), folder)
    sessions.starts(folder)
    sessions.starts(folder)


def test_files_that_were_put_back_start_again(sessions: Sessions, tmp_path: Path) -> None:
    folder = tmp_path / "mended"
    shutil.copytree(sessions.later, folder)
    replace(folder, LEDGER, sessions.other)
    with pytest.raises(OtherAccount):
        sessions.starts(folder)
    replace(folder, LEDGER, sessions.later)
    sessions.starts(folder)


def test_a_ledger_of_an_older_version_tells_its_installation_by_its_orders(
    sessions: Sessions, tmp_path: Path
) -> None:
    """It is brought up to date in place, and a database of another run is still refused."""
    folder = tmp_path / "old"
    shutil.copytree(sessions.later, folder)
    with closing(sqlite3.connect(folder / LEDGER)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema")]
        for table in {"client", "seen"} & {*tables}:  # Those of later versions.
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 1")
    with closing(PaperLedger(folder / LEDGER, PositionMode.HEDGE)) as ledger:
        assert ledger.client is not None
        assert (ledger.client.sequence, ledger.cash > Decimal(0)) == (0, True)
    replace(folder, DATABASE, sessions.other)
    with pytest.raises(OtherAccount, match="is the account of installation"):
        sessions.starts(folder)
    replace(folder, DATABASE, sessions.later)
    sessions.starts(folder)
