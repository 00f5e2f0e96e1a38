"""What a run left behind: its report, its database and the paper venue's own ledger, as plain rows.

The files are opened read-only. Columns are read by name; amounts are decimal text and become exact
decimals here.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """One disagreement: which check, about what, what the auditor has and what the record has."""

    check: str
    subject: str
    expected: object
    actual: object

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: expected {self.expected}, recorded {self.actual}"


@dataclass(frozen=True)
class Record:
    """The three files. `tables` and `ledger` map a table's name to its rows in the order they were
    written."""

    report: Row
    tables: dict[str, list[Row]]
    ledger: dict[str, list[Row]]

    @classmethod
    def read(cls, report: Path, database: Path, ledger: Path) -> "Record":
        return cls(
            json.loads(report.read_text(encoding="utf-8")),
            read_tables(database),
            read_tables(ledger),
        )

    def of_va(self, table: str, va_id: str) -> list[Row]:
        return [row for row in self.tables[table] if row["va_id"] == va_id]


def read_tables(path: Path) -> dict[str, list[Row]]:
    """Every table of a database but the journal's internals."""
    if not path.is_file():
        raise FileNotFoundError(f"no database at {path}")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        connection.row_factory = sqlite3.Row
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        )
        return {
            name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]
            for (name,) in names.fetchall()
        }
    finally:
        connection.close()


def amount(value: object) -> Decimal:
    """A stored amount as an exact decimal; nothing stored is nothing."""
    return Decimal(0) if value is None else Decimal(str(value))


def total(rows: Iterable[Row], column: str) -> Decimal:
    return sum((amount(row[column]) for row in rows), Decimal(0))


def signed(row: Row) -> Decimal:
    """The quantity of a fill with the sign of its side."""
    quantity = amount(row["quantity"])
    return quantity if row["side"] == "buy" else -quantity


def flow(row: Row) -> Decimal:
    """What a fill added to cash: RULES 14."""
    return -signed(row) * amount(row["price"]) - amount(row["fee"])
