"""Equity over time, as it is read (RULES 53)."""

from contextlib import closing
from decimal import Decimal
from pathlib import Path

from pointsman.domain.accounts import CashMove, EquityPoint
from pointsman.domain.commands import Record
from pointsman.domain.events import OrderSent
from pointsman.execution.ports import JournalEntry
from pointsman.reading.equity import Span, equity_document, read_equity
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from tests.desk_stories import MILLISECOND_NS


def stored(path: Path, *changes: Record) -> Path:
    manager = SqliteManager(path)
    manager.open()
    for change in changes:
        at_ns = change.at_ns if isinstance(change, EquityPoint) else 0
        manager.append([JournalEntry(at_ns, OrderSent("X"), (change,))])
        manager.project()
    manager.close()
    return path


def point(at_ns: int, equity: str, va_id: str = "") -> EquityPoint:
    return EquityPoint(va_id, at_ns, Decimal(equity), None if va_id == "" else Decimal(0))


def test_money_moved_is_no_drawdown_and_a_fall_is(tmp_path: Path) -> None:
    move = CashMove("m", "VA1", Decimal(100), 2)
    path = stored(
        tmp_path / "a.db", move, point(1, "100"), point(2, "200"), point(3, "150"), point(4, "240")
    )
    with closing(open_reader(path)) as connection:
        points = read_equity(connection, Span())
    assert [each.drawdown for each in points] == [0, 0, Decimal("0.25"), 0]
    assert equity_document(points[2]) == {
        "va_id": None,
        "at": "1970-01-01T00:00:00.000000003Z",
        "equity": "150",
        "drawdown": "0.2500000000",
    }


def test_of_too_many_points_no_extreme_is_lost(tmp_path: Path) -> None:
    many = [point(at * MILLISECOND_NS, str(1000 + at % 7)) for at in range(1, 400)]
    many[200] = point(201 * MILLISECOND_NS, "1")
    many[300] = point(301 * MILLISECOND_NS, "9000")
    path = tmp_path / "a.db"
    manager = SqliteManager(path)
    manager.open()
    manager.append([JournalEntry(1, OrderSent("X"), tuple(many))])
    manager.close()
    with closing(open_reader(path)) as connection:
        points = read_equity(connection, Span(most=30))
    assert len(points) <= 31
    assert {many[0], many[200], many[300], many[-1]} <= {
        EquityPoint(each.va_id, each.at_ns, each.equity) for each in points
    }
