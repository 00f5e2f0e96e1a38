"""The report of a day whose figures were worked out by hand."""

import json
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman.domain.accounts import Account, KillState, KillSwitch, Mark
from pointsman.domain.commands import Record
from pointsman.domain.events import ChargePaid, FundingPaid
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.execution.ports import JournalEntry
from pointsman.reading.documents import Document
from pointsman.reading.report import build_report
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from tests.story_database import OPEN_NS, Day, lived_day
from tests.unit.stored_samples import TEN, position, turn

replace = msgspec.structs.replace


def report_of(path: Path) -> Document:
    with closing(open_reader(path)) as connection:
        return build_report(connection)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """The report of the day."""
    return report_of(lived_day().store(tmp_path_factory.mktemp("day") / "trading.db"))


def test_rule_14_an_account_that_is_flat(report: Document) -> None:
    assert report["accounts"]["VA001"] == {
        "cash": "99838.63202",
        "deposits": "0",
        "balance": "99838.63202",
        "realized_pnl": "-161.36798",
        "unrealized_pnl": "0",
        "fees": "1.56798",
        "equity": "99838.63202",
        "max_drawdown": "0.0016136798",
        "trades": 1,
        "wins": 0,
        "losses": 1,
        "consecutive_losses": 1,
        "status": "active",
    }


def test_rule_14_an_open_position_is_marked_at_the_touch_it_would_close_against(
    report: Document,
) -> None:
    account = report["accounts"]["VA002"]
    assert account["cash"] == "45257.39025"
    assert account["unrealized_pnl"] == "18.30"
    assert Decimal(account["equity"]) == Decimal("45257.39025") + 30 * Decimal("159.00")
    (held,) = report["positions"]
    assert (held["mark"], held["unrealized"]) == ("159.00", "18.30")
    assert (held["quantity"], held["stop_price"]) == ("30", "155.23")
    assert held["realized_to_date"] == "9.09025"
    assert (held["naked_since"], held["signal_id"]) == (None, "holder")


def test_rule_14_balance_is_start_plus_deposits_plus_all_results(report: Document) -> None:
    for va_id, start in (("VA001", Decimal(100_000)), ("VA002", Decimal(50_000))):
        account = report["accounts"][va_id]
        parts = [t["pnl"] for t in report["trades"] if t["va_id"] == va_id]
        parts += [p["realized_to_date"] for p in report["positions"] if p["va_id"] == va_id]
        total = start + Decimal(account["deposits"]) + sum(map(Decimal, parts))
        assert Decimal(account["balance"]) == total


def test_funding_stands_in_the_report_of_those_who_had_any(tmp_path: Path) -> None:
    """And it is part of the balance."""
    day = lived_day()
    before = report_of(day.store(tmp_path / "before.db"))
    ts_ns = day.desk.now_ns
    paid = FundingPaid("f1", "XXX", PositionSide.LONG, Decimal("-0.75"), ts_ns)
    day.entries.append(JournalEntry(ts_ns, paid, day.desk.handle(paid, ts_ns).changes))
    after = report_of(day.store(tmp_path / "after.db"))
    assert "funding" not in after["accounts"]["VA001"]
    assert after["accounts"]["VA002"]["funding"] == "-0.75"
    old, new = (Decimal(each["accounts"]["VA002"]["balance"]) for each in (before, after))
    assert new == old - Decimal("0.75")


def test_rule_51_charges_stand_apart_from_funding(tmp_path: Path) -> None:
    day = lived_day()
    ts_ns = day.desk.now_ns
    for event in (
        FundingPaid("f1", "XXX", PositionSide.LONG, Decimal("-0.75"), ts_ns),
        ChargePaid("c1", Decimal("-0.1"), ts_ns, "XXX"),
        ChargePaid("c2", Decimal("-0.2"), ts_ns, "XXX"),
    ):
        day.entries.append(JournalEntry(ts_ns, event, day.desk.handle(event, ts_ns).changes))
    account = report_of(day.store(tmp_path / "after.db"))["accounts"]["VA002"]
    assert (account["funding"], account["charges"]) == ("-0.75", "-0.3")


def test_rule_11_received_is_the_sum_of_its_four_parts(report: Document) -> None:
    signals = report["signals"]
    assert signals["received"] == 8
    parts = ("accepted", "refused", "duplicates", "malformed")
    assert [signals[name] for name in parts] == [3, 2, 2, 1]
    assert signals["by_reason"] == {"UNKNOWN_ACCOUNT": 1, "LATENCY": 1}
    assert signals["id_reused"] == 1


def test_rule_12_the_report_says_how_many_were_late_and_how_old_their_quotes_were(
    report: Document,
) -> None:
    assert report["signals"]["latency_refused"] == {"count": 1, "median_age_ms": "1000"}


def test_the_trades_have_the_fields_of_the_contract_in_order(report: Document) -> None:
    (trade,) = report["trades"]
    assert list(trade.items())[:11] == [
        ("va_id", "VA001"),
        ("symbol", "XXX"),
        ("side", "long"),
        ("quantity", "50"),
        ("entry_price", "158.3960000000"),
        ("exit_price", "155.2000000000"),
        ("pnl", "-161.36798"),
        ("fees", "1.56798"),
        ("opened_at", "2018-01-02T14:30:01.020000Z"),
        ("closed_at", "2018-01-02T14:30:01.500000Z"),
        ("exit_reason", "STOP_LOSS"),
    ]


def test_rule_25_naked_time_is_told_twice(report: Document) -> None:
    assert report["protection"] == {
        "naked_seconds_max": "0.02",
        "naked_seconds_total": "0.06",
        "venue_naked_seconds_max": "0.02",
        "venue_naked_seconds_total": "0.06",
        "stopless_seconds_max": "0.02",
        "stopless_seconds_total": "0.06",
    }


def test_the_rest_is_counted(report: Document) -> None:
    assert (report["orders"], report["fills"]) == (7, 6)
    assert (report["quotes"], report["bad_quotes"]) == (12_345, 2)
    kinds = [incident["kind"] for incident in report["incidents"]]
    assert kinds == ["MALFORMED_SIGNAL", "ID_REUSED", "BAD_QUOTES"]


def test_rule_5_two_runs_give_the_same_bytes(tmp_path: Path, report: Document) -> None:
    again = report_of(lived_day().store(tmp_path / "trading.db"))
    assert json.dumps(again) == json.dumps(report)


def test_nothing_in_it_is_a_float(report: Document) -> None:
    def floats(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [each for part in value.values() for each in floats(part)]
        if isinstance(value, list):
            return [each for part in value for each in floats(part)]
        return [value] if isinstance(value, float) else []

    assert floats(report) == []


def test_a_database_in_which_nothing_happened_has_a_report(tmp_path: Path) -> None:
    path = tmp_path / "trading.db"
    manager = SqliteManager(path)
    manager.open()
    manager.close()
    report = report_of(path)
    assert report["accounts"] == {}
    assert report["protection"]["naked_seconds_max"] == "0"
    assert report["signals"]["latency_refused"]["median_age_ms"] is None


def stored(path: Path, *records: Record) -> Path:
    """The start of a day, and some records."""
    day = Day()
    day.entries.append(JournalEntry(OPEN_NS + 10**9, turn(0).event, records))
    return day.store(path)


def test_a_short_is_marked_at_the_ask_and_without_a_quote_counts_at_cost(tmp_path: Path) -> None:
    short = replace(position(1), side=PositionSide.SHORT)
    other = replace(position(2), symbol="YYY")
    mark = Mark("XXX", OPEN_NS, Decimal("158.00"), Decimal("158.10"))
    report = report_of(stored(tmp_path / "trading.db", short, other, mark))
    marked, unmarked = report["positions"]
    assert (marked["mark"], marked["unrealized"]) == ("158.10", "2.90")
    assert (unmarked["mark"], unmarked["unrealized"]) == (None, "0")
    cost = TEN * Decimal("158.39")
    account = report["accounts"]["VA001"]
    assert Decimal(account["equity"]) == 100_000 - TEN * Decimal("158.10") + cost


STATUSES: list[tuple[str, KillSwitch, dict[str, Any]]] = [
    ("active", KillSwitch(), {}),
    ("stopped", KillSwitch(), {"stopped_by": Reason.MAX_DAILY_LOSS}),
    ("cooldown", KillSwitch(), {"cooldown_until_ns": OPEN_NS + 60 * 10**9}),
    ("active", KillSwitch(), {"cooldown_until_ns": OPEN_NS}),
    ("frozen", KillSwitch(), {"frozen_for": Reason.OVERFILL, "stopped_by": Reason.MAX_DRAWDOWN}),
    ("paused", KillSwitch(), {"is_paused": True, "frozen_for": Reason.OVERFILL}),
    ("paused", KillSwitch(is_paused=True), {}),
    ("killed", KillSwitch(KillState.HALT), {"is_paused": True}),
    ("killed", KillSwitch(KillState.FLATTEN), {}),
]


@pytest.mark.parametrize(("word", "switch", "fields"), STATUSES)
def test_the_status_is_the_first_reason_that_would_refuse_an_entry(
    tmp_path: Path, word: str, switch: KillSwitch, fields: dict[str, Any]
) -> None:
    account = Account("VA001", Decimal(100_000), OPEN_NS, **fields)
    report = report_of(stored(tmp_path / "trading.db", switch, account))
    assert report["accounts"]["VA001"]["status"] == word
