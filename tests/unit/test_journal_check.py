"""`journal check`: three questions, and the first row that answers one of them badly."""

from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from sqlite3 import connect

import msgspec
import pytest

from pointsman import __version__
from pointsman.cli.journal_check import Verdict, examine, verdict_document, verdict_lines
from pointsman.domain.accounts import Account
from pointsman.domain.events import (
    ChargePaid,
    LinkChanged,
    NotSent,
    OrderReport,
    OrderSent,
    ReportWord,
    TimerFired,
    UnlistedCode,
    VenueFill,
    VenueLink,
)
from pointsman.domain.orders import Role
from pointsman.domain.positions import Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision
from pointsman.engine.stored_start import loaded_from
from pointsman.execution.desk import Desk
from pointsman.execution.ports import JournalEntry
from pointsman.storage.errors import CorruptDatabase
from pointsman.storage.reader import open_as_stored
from pointsman.storage.schema import PAGE_BYTES
from pointsman.storage.sqlite_manager import SqliteManager
from tests.story_database import Day, lived_day

replace = msgspec.structs.replace
OLDER = "0.0.1"


def verdict_on(path: Path, version: str = __version__) -> Verdict:
    with closing(open_as_stored(path)) as connection:
        return examine(connection, version)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trading.db"


def change(path: Path, statement: str) -> None:
    """Do to the file what somebody might do behind our back."""
    with closing(connect(path)) as connection, connection:
        assert connection.execute(statement).rowcount == 1


def test_rule_33_an_honest_database_passes(path: Path) -> None:
    verdict = verdict_on(lived_day().store(path))
    assert (verdict.rows, verdict.re_decided, verdict.not_re_decided) == (32, 32, 0)
    assert verdict.fault is None
    assert verdict_document(verdict)["ok"] is True
    assert [line.split()[1] for line in verdict_lines(verdict)] == ["ok", "ok", "ok"]


TAMPERINGS = [
    (
        "UPDATE journal SET payload = replace(payload, '158.39', '158.38') WHERE sequence = 7",
        "chain",
        "FAILED: the hash is not that of the row's content first at journal row 7",
    ),
    (
        "UPDATE fills SET price = '158.38' WHERE key = 'ABCDEF1E1:T1:buy'",
        "tables",
        "first at table fills, key 'ABCDEF1E1:T1:buy', column price "
        "expected '158.39', found '158.38'",
    ),
    (
        "DELETE FROM trades",
        "tables",
        "first at table trades, key '1.0' expected 'row', found None",
    ),
]


@pytest.mark.parametrize(("statement", "question", "words"), TAMPERINGS)
def test_rule_33_a_changed_row_is_named(
    path: Path, statement: str, question: str, words: str
) -> None:
    change(lived_day().store(path), statement)
    verdict = verdict_on(path)
    assert verdict.fault is not None
    assert verdict.fault.question == question
    assert words in " ".join(" ".join(verdict_lines(verdict)).split())


def richer(entry: JournalEntry) -> JournalEntry:
    """The same turn, with a cent more for every account that it changed."""
    changes = [
        replace(record, cash=record.cash + Decimal("0.01"))
        if isinstance(record, Account)
        else record
        for record in entry.changes
    ]
    return JournalEntry(entry.time_ns, entry.event, tuple(changes))


def without_trade(entry: JournalEntry) -> JournalEntry:
    """The same turn, as if nothing had been closed in it."""
    kept = tuple(record for record in entry.changes if not isinstance(record, Trade))
    return JournalEntry(entry.time_ns, entry.event, kept)


FORGERIES: list[tuple[Callable[[JournalEntry], JournalEntry], int, str]] = [
    (richer, 14, "table virtual_accounts, key 'VA001', column cash"),
    (without_trade, 14, "table trades, key '1.0'"),
    (lambda e: JournalEntry(e.time_ns, OrderSent("ABCDEF9E9"), e.changes), 14, "journal row 14"),
]


@pytest.mark.parametrize(("forge", "row", "words"), FORGERIES)
def test_rule_33_a_history_forged_with_all_its_hashes_is_found_by_deciding_again(
    path: Path, forge: Callable[[JournalEntry], JournalEntry], row: int, words: str
) -> None:
    day = lived_day()
    day.entries[row - 1] = forge(day.entries[row - 1])
    verdict = verdict_on(day.store(path))
    assert verdict.fault is not None
    assert (verdict.fault.question, verdict.fault.sequence) == ("decisions", row)
    assert verdict.re_decided == row - 1
    assert words in "\n".join(verdict_lines(verdict))


def test_an_event_that_cannot_be_decided_is_a_difference_and_not_a_crash(path: Path) -> None:
    day = lived_day()
    backwards = day.entries[9]
    day.entries[9] = JournalEntry(1, backwards.event, backwards.changes)
    fault = verdict_on(day.store(path)).fault
    assert fault is not None
    assert fault.sequence == 10
    assert "failed: AssertionError" in fault.what


def test_rule_33_what_another_version_decided_is_counted_and_left_alone(path: Path) -> None:
    verdict = verdict_on(lived_day(OLDER).store(path))
    assert (verdict.re_decided, verdict.not_re_decided, verdict.fault) == (0, 32, None)


def test_rule_33_deciding_again_begins_at_the_start_of_the_running_version(path: Path) -> None:
    day = Day(OLDER)
    day.lose(1_000, "before", 1)
    day.signal(2_000, "held", va_id="VA002", quantity=Decimal(50))
    older = len(day.entries)
    day.start(3_000)
    day.lose(4_000, "after", 3)
    day.start(5_000, OLDER)
    day.lose(6_000, "again", 4)
    verdict = verdict_on(day.store(path))
    assert verdict.fault is None
    rows_of_others = older + sum(entry.time_ns >= day.at_ns(5_000) for entry in day.entries)
    assert (verdict.not_re_decided, verdict.rows) == (rows_of_others, len(day.entries))
    assert verdict.re_decided == verdict.rows - rows_of_others


def test_rule_33_a_desk_that_goes_on_decides_as_one_that_was_loaded_at_each_start(
    path: Path,
) -> None:
    day = Day()
    manager = SqliteManager(path)
    manager.open()
    for number in (1, 2, 3):
        day.lose(number * 10_000, f"loss-{number}", number)
        manager.append(day.entries)
        day.entries = []
        day.desk = Desk.load(
            day.policy, loaded_from(manager.load()), day.at_ns(number * 10_000 + 600)
        )
        day.start(number * 10_000 + 700)
    day.signal(31_000, "cooling")
    manager.append(day.entries)
    manager.close()
    verdict = verdict_on(path)
    assert verdict.fault is None
    assert verdict.re_decided == verdict.rows


def test_rule_41_what_a_kill_left_out_of_the_tables_is_checked_and_told(path: Path) -> None:
    day = lived_day()
    manager = SqliteManager(path)
    manager.open()
    manager.append(day.entries[:20])
    manager.project()
    manager.append(day.entries[20:])
    manager.close()
    verdict = verdict_on(path)
    assert (verdict.fault, verdict.re_decided, verdict.behind) == (None, 32, 12)
    lines = verdict_lines(verdict)
    assert lines[1].endswith("what the journal says; the newest 12 rows are not in them yet")
    change(path, "UPDATE virtual_accounts SET cash = '5' WHERE va_id = 'VA001'")
    fault = verdict_on(path).fault
    assert fault is not None
    assert (fault.question, fault.table) == ("tables", "virtual_accounts")


def test_a_quote_that_is_not_a_number_is_decided_again_alike(path: Path) -> None:
    day = Day()
    day.signal(1_000, "nan", bid="NaN")
    assert verdict_on(day.store(path)).fault is None


def test_a_damaged_file_is_called_damaged(path: Path) -> None:
    lived_day().store(path)
    content = bytearray(path.read_bytes())
    for start in range(8 * PAGE_BYTES, len(content), PAGE_BYTES):
        content[start : start + 64] = bytes(64)
    path.write_bytes(content)
    with pytest.raises(CorruptDatabase):
        verdict_on(path)


def test_rules_44_and_46_what_a_connection_did_is_decided_again_alike(path: Path) -> None:
    """Links that go down and come up, across a start, and stops that wait after they did not reach
    the venue: what is known of this run alone follows from the journal."""
    day = Day()
    step = day.signal(1_000, "held", quantity=Decimal(50))
    assert step.decision is not None
    order_id = step.decision.client_order_id
    assert order_id is not None
    sold = VenueFill("T9", Decimal(50), Decimal("158.39"), Decimal(0), day.at_ns(1_010))
    day.tell(1_010, OrderReport(order_id, ReportWord.TRADE, day.at_ns(1_010), "V9", sold))
    for at_ms in (1_020, 1_030, 1_400):
        (stop,) = [o for o in day.desk.books.orders.values() if o.role is Role.STOP]
        told = NotSent(stop.client_order_id, False, Reason.VENUE_DOWN, day.at_ns(at_ms))
        day.tell(at_ms, told)
        while (timer := day.desk.due_timer(day.at_ns(at_ms + 300))) is not None:
            day.tell(at_ms + 300, TimerFired(timer))
    day.tell(2_000, LinkChanged(VenueLink.ORDERS, False, day.at_ns(2_000)))
    day.signal(2_100, "refused", quantity=Decimal(1))
    day.start(3_000)
    day.signal(3_100, "after", quantity=Decimal(1))
    day.tell(3_200, ChargePaid("c1", Decimal("-0.5"), day.at_ns(3_200), "XXX"))
    day.tell(3_300, UnlistedCode("502", "Bad Gateway", day.at_ns(3_300)))
    verdict = verdict_on(day.store(path))
    assert (verdict.fault, verdict.re_decided) == (None, len(day.entries))
    reasons = [r.reason for e in day.entries for r in e.changes if isinstance(r, Decision)]
    assert Reason.VENUE_DOWN in reasons
    assert any(isinstance(entry.event, NotSent) for entry in day.entries)
    assert any(isinstance(entry.event, TimerFired) for entry in day.entries)
