"""Status: may it trade, does it run, what does it hold."""

import os
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.cli.status import draw_status, engine_pid, read_status, status_document
from pointsman.domain.accounts import ExternalHolding, KillState, KillSwitch
from pointsman.domain.commands import Record
from pointsman.domain.sides import PositionSide
from pointsman.storage.entries import Entry
from pointsman.storage.lock import lock_path
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from tests.story_database import OPEN_NS, lived_day
from tests.unit.stored_samples import turn
from tests.unit.test_tables import drawn

LATER_NS = OPEN_NS + 120 * 10**9


def database_with(path: Path, *records: Record) -> Path:
    """The day, and then some records."""
    day = lived_day()
    if records:
        day.entries.append(Entry(LATER_NS, turn(0).event, records))
    return day.store(path)


def shown(path: Path, width: int = 80) -> str:
    with closing(open_reader(path)) as connection:
        return "\n".join(drawn(draw_status(read_status(connection, path)), width))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trading.db"


def test_it_says_what_is_in_words(path: Path) -> None:
    text = shown(database_with(path))
    assert "ACTIVE, entries and exits" in text
    assert "engine       not running" in text
    assert "5 signals (2 refused), 7 orders (1 open), 6 fills" in text
    assert "2018-01-02 14:31:00.000 UTC" in text
    assert "covered" in text


def test_programs_get_the_same(path: Path) -> None:
    with closing(open_reader(database_with(path))) as connection:
        document = status_document(read_status(connection, path))
    assert document["trading_state"] == "ACTIVE"
    assert document["engine"] == {"running": False, "pid": None}
    assert document["journal"]["last_at"] == "2018-01-02T14:31:00.000000Z"
    assert document["counts"]["open_orders"] == 1
    assert [account["va_id"] for account in document["accounts"]] == ["VA001", "VA002"]
    assert [position["position_id"] for position in document["positions"]] == [2]


SWITCHES = [
    (KillSwitch(is_paused=True, changed_at_ns=1, changed_by="anna"), "REDUCING, paused"),
    (KillSwitch(KillState.HALT, False, OPEN_NS, "anna", "lunch"), "halt, by anna: lunch, at 2018"),
    (KillSwitch(KillState.FLATTEN, False, OPEN_NS, "bob"), "not flat yet"),
    (KillSwitch(KillState.FLATTEN, flat_at_ns=OPEN_NS), "flat since 2018-01-02 14:30"),
]


@pytest.mark.parametrize(("switch", "words"), SWITCHES)
def test_rule_19_a_stop_says_who_and_why(path: Path, switch: KillSwitch, words: str) -> None:
    text = shown(database_with(path, switch), 120)
    assert words in text
    if switch.state is not KillState.OFF:
        assert "HALTED, killed: exits only" in text


def test_rule_28_what_is_not_ours_is_named(path: Path) -> None:
    foreign = ExternalHolding("XXX", PositionSide.SHORT, Decimal(-3))
    assert "-3 XXX at the venue is not ours" in shown(database_with(path, foreign))


def test_an_engine_that_holds_the_database_is_named_and_not_disturbed(path: Path) -> None:
    assert engine_pid(path) is None
    manager = SqliteManager(database_with(path))
    manager.open()
    try:
        assert engine_pid(path) == os.getpid()
        assert f"running, process {os.getpid()}" in shown(path)
        lock_path(path).write_text("")
        assert engine_pid(path) == 0
    finally:
        manager.close()
    assert engine_pid(path) is None


def test_a_database_in_which_nothing_happened_has_a_status(path: Path) -> None:
    manager = SqliteManager(path)
    manager.open()
    manager.close()
    text = shown(path)
    assert "not with the venue since the last start" in text
    assert "Accounts: none" in text
