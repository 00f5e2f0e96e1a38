"""Status: may it trade, does it run, what does it hold."""

import os
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.domain.accounts import (
    AccountReading,
    DeskRecord,
    ExternalHolding,
    KillState,
    KillSwitch,
    VenueAccount,
)
from pointsman.domain.commands import Record
from pointsman.domain.sides import PositionSide
from pointsman.engine.control_client import engine_pid
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path
from pointsman.execution.ports import JournalEntry
from pointsman.storage.lock import lock_path
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.storage.venue_checks import CheckedPromise
from pointsman.terminal import status
from pointsman.terminal.status import draw_status, read_status, status_document
from tests.story_database import OPEN_NS, lived_day
from tests.unit.stored_samples import turn
from tests.unit.test_tables import drawn
from tests.unit.test_venue_checks import ACCOUNT, keep, promise

LATER_NS = OPEN_NS + 120 * 10**9


def database_with(path: Path, *records: Record) -> Path:
    """The day, and then some records."""
    day = lived_day()
    if records:
        day.entries.append(JournalEntry(LATER_NS, turn(0).event, records))
    return day.store(path)


def shown(path: Path, width: int = 80) -> str:
    with closing(open_reader(path)) as connection:
        return "\n".join(drawn(draw_status(read_status(connection, path)), width))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trading.db"


def test_it_says_what_is_in_words(path: Path) -> None:
    text = shown(database_with(path))
    assert "ENGINE NOT RUNNING: no process holds the database." in text
    assert "What follows is as of 2018-01-02 14:31:00.000 UTC" in " ".join(text.split())
    assert "was ACTIVE, entries and exits" in text
    assert "engine       not running: no process holds the database" in text
    assert "5 signals (2 refused), 7 orders (1 open), 6 fills" in text
    assert "2018-01-02 14:31:00.000 UTC" in text
    assert "covered" in text


def test_programs_get_the_same(path: Path) -> None:
    with closing(open_reader(database_with(path))) as connection:
        document = status_document(read_status(connection, path))
    assert document["trading_state"] == "ACTIVE"
    assert document["engine"] == {
        "running": False,
        "pid": None,
        "answering": False,
        "state": "not_running",
        "why": "no process holds the database",
    }
    assert document["as_of"] == document["journal"]["last_at"]
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


def test_rule_19_a_latch_pressed_since_says_that_the_next_start_is_killed(path: Path) -> None:
    database_with(path)
    press(path, LatchState(KillState.HALT, "ann", "night", OPEN_NS))
    text = shown(path, 140)
    assert "HALTED, killed: exits only" in text
    assert "halt, by ann: night" in text
    assert "; pressed since, the next start will be killed" in text
    with closing(open_reader(path)) as connection:
        document = status_document(read_status(connection, path))
    assert document["trading_state"] == "HALTED"
    assert document["kill_latch"] == {
        "state": "halt",
        "by": "ann",
        "note": "night",
        "at": "2018-01-02T14:30:00.000000Z",
        "rearms": False,
        "is_taken_in": False,
    }


def test_rule_19_a_latch_that_the_records_know_adds_nothing(path: Path) -> None:
    database_with(path, KillSwitch(KillState.HALT, False, OPEN_NS, "ann", "night"))
    press(path, LatchState(KillState.HALT, "ann", "night", OPEN_NS))
    assert "since" not in shown(path, 140)


def test_rule_19_a_rearm_that_the_next_start_does_is_told(path: Path) -> None:
    database_with(path, KillSwitch(KillState.HALT, False, OPEN_NS, "ann", "night"))
    press(path, LatchState(KillState.OFF, "bob", "morning", OPEN_NS, rearms=True))
    assert "; rearmed since by bob, the next start applies it" in shown(path, 140)


def test_a_running_engine_is_asked_for_the_prices_of_now(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_with(path)
    with closing(open_reader(path)) as connection:
        (before,) = read_status(connection, path).standing.positions
    position = before.position
    row = {"symbol": position.symbol, "side": position.side.value, "mark": "123.45"}
    unmarked = {**row, "side": position.side.opposite.value, "mark": None}
    monkeypatch.setattr(status, "ask", lambda _path, _request: {"positions": [row, unmarked]})
    with closing(open_reader(path)) as connection:
        (now,) = read_status(connection, path).standing.positions
    assert (now.mark, now.position) == (Decimal("123.45"), position)
    assert now.unrealized == position.unrealized(Decimal("123.45"))


def test_a_comparison_that_changed_nothing_is_told_by_the_engine(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not stored; without an engine the records say as of when they are."""
    compared = DeskRecord("ABCDEF", compared_at_ns=OPEN_NS)
    database_with(path, compared)
    assert "with the venue, 2018-01-02 14:30:00.000 UTC, as of the stored" in shown(path, 120)
    health = {"compared_ago_ms": 5_000}
    picture = {"positions": [], "now_ns": LATER_NS, "health": health}
    monkeypatch.setattr(status, "ask", lambda _path, _request: picture)
    now = shown(path, 120)
    assert "with the venue, 2018-01-02 14:31:55.000 UTC" in now
    assert "stored" not in now
    with closing(open_reader(path)) as connection:
        document = status_document(read_status(connection, path))
    assert document["compared_at"] == "2018-01-02T14:31:55.000000Z"


def test_rule_60_what_stops_all_entries_is_named_and_so_is_all_that_is_not_ready(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_with(path)
    lost = "t.paper.db was removed while the engine ran"
    links = [{"link": "orders", "is_up": True, "down_ms": 0, "detail": ""}]
    unready = {"t.paper.db": f"/data/{lost}", "feed": "no quote for 31 s"}
    picture = {
        "positions": [],
        "now_ns": LATER_NS,
        "health": {"unready": unready, "entries_held": lost, "venue_links": links},
    }
    monkeypatch.setattr(status, "ask", lambda _path, _request: picture)
    text = shown(path, 140)
    assert f"ACTIVE, but entries are refused: {lost}" in text
    assert "not ready" in text
    assert f"t.paper.db: /data/{lost}; feed: no quote for 31 s" in text
    assert "entries and exits" not in text
    with closing(open_reader(path)) as connection:
        document = status_document(read_status(connection, path))
    assert (document["unready"], document["entries_held"]) == (unready, lost)
    assert document["venue_links"] == links


def test_an_engine_whose_loop_hangs_says_since_when_and_claims_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_with(path)
    health = {"compared_ago_ms": 5_000, "loop_lag_ms": "7000.0"}
    picture = {
        "source": "engine", "speed": "1", "positions": [], "now_ns": LATER_NS, "health": health,
    }  # fmt: skip
    monkeypatch.setattr(status, "ask", lambda _path, _request: picture)
    text = shown(path, 140)
    assert "ENGINE HUNG: its loop has done nothing for 7 s." in text
    assert "as of 2018-01-02 14:31:53.000 UTC" in text
    assert "was ACTIVE" in text
    with closing(open_reader(path)) as connection:
        document = status_document(read_status(connection, path))
    assert (document["engine"]["state"], document["engine"]["answering"]) == ("hung", True)
    assert document["as_of"] == "2018-01-02T14:31:53.000000Z"
    health["loop_lag_ms"] = "0.2"
    with closing(open_reader(path)) as connection:
        document = status_document(read_status(connection, path))
    assert (document["engine"]["state"], document["as_of"]) == ("running", None)


def press(path: Path, latched: LatchState) -> None:
    with closing(KillLatch(latch_path(path))) as latch:
        if latched.is_set:
            latch.press(latched)
        else:
            latch.release(latched, 0)


@pytest.mark.parametrize(
    ("account", "label", "is_real_money"),
    [
        (VenueAccount(), "paper", False),
        (VenueAccount("alpaca", "PA1"), "alpaca sandbox PA1", False),
        (VenueAccount("alpaca", "77", is_sandbox=False), "alpaca REAL MONEY 77", True),
    ],
)
def test_rule_49_the_account_at_the_venue_is_named_also_without_an_engine(
    path: Path, account: VenueAccount, label: str, is_real_money: bool
) -> None:
    database_with(path, DeskRecord("ABCDEF", traded_on=account))
    assert f"venue        {label}" in shown(path)
    with closing(open_reader(path)) as connection:
        document = status_document(read_status(connection, path))
    assert document["venue"] == {
        "name": account.venue,
        "account": account.name,
        "is_real_money": is_real_money,
        "label": label,
    }


def test_rule_28_what_is_not_ours_is_named(path: Path) -> None:
    foreign = ExternalHolding("XXX", PositionSide.SHORT, Decimal(-3))
    assert "-3 XXX at the venue is not ours" in shown(database_with(path, foreign))


def test_an_engine_that_holds_the_database_is_named_and_not_disturbed(path: Path) -> None:
    assert engine_pid(path) is None
    manager = SqliteManager(database_with(path))
    manager.open()
    try:
        assert engine_pid(path) == os.getpid()
        text = " ".join(shown(path, 140).split())
        assert "ENGINE UNREACHABLE" in text
        assert f"process {os.getpid()} has no control socket, like a Python program" in text
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


def certified(path: Path, *check: CheckedPromise, traded_on: VenueAccount) -> str:
    """The line about the certificate, of a database that trades on an account."""
    database_with(path, DeskRecord("ABCDEF", traded_on=traded_on))
    keep(path, *check)
    lines = [line.strip() for line in shown(path, 200).splitlines()]
    return next((line for line in lines if line.startswith("certificate")), "")


@pytest.mark.parametrize(
    ("check", "traded_on", "words"),
    [
        ((), VenueAccount(), ""),
        ((), ACCOUNT, "none; `pointsman venue check --orders` makes one"),
        ((promise("a"), promise("b")), ACCOUNT, "2 of 2 kept, 2026-12-01, AAPL"),
        ((promise("a"), promise("b", is_kept=None)), ACCOUNT, "1 of 2 kept, 2026-12-01, AAPL"),
        (
            (promise("a", is_kept=False, detail="none\x1b[2J rests"),),
            ACCOUNT,
            r"0 of 1 kept, 2026-12-01, AAPL; NOT KEPT: a is promised: none\x1b[2J rests",
        ),
        (
            (promise("a"),),
            VenueAccount(venue="alpaca", name="31", is_sandbox=False),
            "1 of 1 kept, 2026-12-01, AAPL, but of alpaca sandbox PA7",
        ),
    ],
)
def test_it_says_what_the_newest_check_with_orders_came_to(
    path: Path, check: tuple[CheckedPromise, ...], traded_on: VenueAccount, words: str
) -> None:
    line = certified(path, *check, traded_on=traded_on)
    assert line.removeprefix("certificate").strip().startswith(words)
    assert bool(line) is bool(words)


def test_before_the_first_start_a_certificate_names_its_account(path: Path) -> None:
    words = "certificate 1 of 1 kept, 2026-12-01, AAPL, of alpaca sandbox PA7"
    assert words in " ".join(shown(keep(path, promise("a")), 200).split())


def test_rule_49_what_the_account_of_a_shadow_holds_is_shown(path: Path) -> None:
    shadow = VenueAccount(venue="alpaca", name="31", is_sandbox=False, is_shadow=True)
    desk = DeskRecord("ABCDEF", traded_on=shadow)
    own = " ".join(shown(database_with(path, desk), 200).split())
    assert "venue alpaca shadow of the live account 31" in own
    assert "the account has not been read yet" in own
    read = AccountReading(OPEN_NS, (("AAPL", Decimal(7)), ("MSFT", Decimal(-2))), 1)
    path.unlink()
    own = " ".join(shown(database_with(path, desk, read), 200).split())
    assert "the account holds 7 AAPL, -2 MSFT, with 1 open order, since 2018-01-02 14:30" in own
    with closing(open_reader(path)) as connection:
        document = status_document(read_status(connection, path))
    assert document["account_holds"]["open_orders"] == 1
    assert document["venue"]["is_real_money"] is False
