"""What an engine in shadow would have done, of all that is stored."""

from decimal import Decimal
from pathlib import Path

import msgspec

from pointsman.domain.accounts import AccountReading, VenueAccount
from pointsman.execution.ports import JournalEntry
from pointsman.reading.report import build_report
from pointsman.reading.shadow import read_shadowed, shadowed_document
from pointsman.storage.reader import reading
from tests.story_database import OPEN_NS, lived_day
from tests.unit.stored_samples import turn

FIRST = AccountReading(OPEN_NS, (("AAPL", Decimal(7)),), 1)
LAST = AccountReading(OPEN_NS + 10**9, (("AAPL", Decimal("-2.50")), ("MSFT", Decimal(1))), 0)


def stored(path: Path, *readings: AccountReading, is_shadow: bool = True) -> Path:
    """The lived day, on an account in shadow."""
    day = lived_day()
    account = VenueAccount(venue="alpaca", name="31", is_sandbox=False, is_shadow=is_shadow)
    desk = msgspec.structs.replace(day.desk.books.desk, traded_on=account)
    day.entries.append(JournalEntry(day.desk.now_ns, turn(0).event, (desk, *readings)))
    return day.store(path)


def test_decisions_trades_and_the_account_are_told_together(tmp_path: Path) -> None:
    with reading(stored(tmp_path / "t.db", FIRST, LAST)) as connection:
        shadowed = read_shadowed(connection)
        report = build_report(connection)
    assert shadowed is not None
    document = shadowed_document(shadowed)
    assert report["shadow"] == document
    assert document["entries"] == 2
    assert document["refused"] == report["signals"]["refused"] == 2
    assert document["closed"] == len(report["trades"]) == 1
    assert document["earned_after_fees"] == report["trades"][0]["pnl"]
    assert document["naked_seconds_max"] == "0.02"
    assert document["account_before"]["holdings"] == [{"symbol": "AAPL", "quantity": "7"}]
    assert document["account_now"] == {
        "read_at": "2018-01-02T14:30:01.000000Z",
        "holdings": [
            {"symbol": "AAPL", "quantity": "-2.50"},
            {"symbol": "MSFT", "quantity": "1"},
        ],
        "open_orders": 0,
    }


def test_a_report_that_is_of_no_shadow_says_nothing_of_one(tmp_path: Path) -> None:
    with reading(stored(tmp_path / "t.db", is_shadow=False)) as connection:
        assert read_shadowed(connection) is None
        assert "shadow" not in build_report(connection)


def test_an_account_that_was_never_read_is_unknown(tmp_path: Path) -> None:
    with reading(stored(tmp_path / "t.db")) as connection:
        shadowed = read_shadowed(connection)
    assert shadowed is not None
    assert shadowed_document(shadowed)["account_now"] is None
