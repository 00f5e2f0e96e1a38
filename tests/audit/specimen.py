"""A run of three seconds whose every figure was worked out by hand, as inputs and as its record.

The entry fills 10 at 100.00 at 0.120 s and its stop rests from 0.140 s at 98.00. The exit finds 4
at 101.00 at 1.120 s and the other 6 at 101.50 with the next row, at 2.000 s; the stop is cancelled
at 2.020 s. One signal comes twice, one names nobody, one is too large and one too late.
"""

import json
import sqlite3
from pathlib import Path
from typing import Any

from tests.audit.inputs import SECOND_NS, parse_time

Row = dict[str, Any]
Record = dict[str, Any]
"""The three parts of a record that a test may spoil: db, ledger, report."""
Files = dict[str, Path]

START_NS = parse_time("2018-01-02T15:00:00Z")
MARKET = """ts,symbol,bid,bid_size,ask,ask_size
2018-01-02T15:00:00.000Z,ABC,99.99,100,100.00,100
2018-01-02T15:00:01.000Z,ABC,101.00,4,101.01,4
2018-01-02T15:00:02.000Z,ABC,101.50,100,101.51,100
"""
SIGNALS = (
    ("buy-10", "VA001", "buy", "10", "100.00", "00.100"),
    ("buy-10", "VA001", "buy", "10", "100.00", "00.100"),
    ("who", "VA999", "buy", "10", "100.00", "00.150"),
    ("too-big", "VA001", "buy", "100", "100.00", "00.200"),
    ("close", "VA001", "close", None, None, "01.100"),
    ("late", "VA001", "buy", "1", "101.50", "02.600"),
)

ENTRY, STOP, EXIT = "AAAAAA1E1", "AAAAAA1S1", "AAAAAA1X1"
FILLS = (
    (ENTRY, "buy", "10", "100.00", "0.1", 120),
    (EXIT, "sell", "4", "101.00", "0.0404", 1120),
    (EXIT, "sell", "6", "101.50", "0.0609", 2000),
)
PNL = "12.7987"
CASH = "100012.7987"


def at(milliseconds: int) -> int:
    return START_NS + milliseconds * SECOND_NS // 1000


def order(key: str, role: str, side: str, filled: str, signal_id: str | None) -> Row:
    return {
        "client_order_id": key,
        "va_id": "VA001",
        "symbol": "ABC",
        "position_id": 1,
        "role": role,
        "side": side,
        "quantity": "10",
        "filled": filled,
        "signal_id": signal_id,
    }


def decision(signal_id: str, moment: int, va_id: str = "VA001", **parts: object) -> Row:
    blank = dict.fromkeys(("reason", "value", "limit", "action", "quantity", "limit_price"))
    row = {"signal_id": signal_id, "va_id": va_id, "decided_at_ns": at(moment), **blank, **parts}
    row["outcome"] = "refused" if row["reason"] else "accepted"
    return row


def _decisions() -> list[Row]:
    return [
        decision("buy-10", 100, action="entry", quantity="10", limit_price="100.05"),
        decision("who", 150, "VA999", reason="UNKNOWN_ACCOUNT"),
        decision("too-big", 200, reason="MAX_POSITION_SIZE", value="11005.5", limit="10000"),
        decision("close", 1100, action="exit", quantity="10"),
        decision("late", 2600, reason="LATENCY", value="600", limit="500.0"),
    ]


def _fills() -> list[Row]:
    return [
        {
            "key": str(number),
            "client_order_id": key,
            "va_id": "VA001",
            "symbol": "ABC",
            "position_id": 1,
            "side": side,
            "quantity": quantity,
            "price": price,
            "fee": fee,
            "venue_ts_ns": at(moment),
            "booked_at_ns": at(moment),
        }
        for number, (key, side, quantity, price, fee, moment) in enumerate(FILLS)
    ]


def _journal() -> list[Row]:
    reports = [
        (ENTRY, "TRADE", 120, {"trade_id": "1", "quantity": "10"}),
        (STOP, "ACCEPTED", 140, None),
        (EXIT, "TRADE", 1120, {"trade_id": "2", "quantity": "4"}),
        (EXIT, "TRADE", 2000, {"trade_id": "3", "quantity": "6"}),
        (STOP, "CANCELED", 2020, None),
    ]
    events = [
        {"client_order_id": key, "kind": word, "ts_ns": at(moment), "fill": fill}
        for key, word, moment, fill in reports
    ]
    return [{"kind": "OrderReport", "payload": json.dumps({"event": event})} for event in events]


def honest_tables() -> dict[str, list[Row]]:
    decisions = _decisions()
    trade = {
        "va_id": "VA001",
        "symbol": "ABC",
        "side": "long",
        "position_id": 1,
        "quantity": "10",
        "entry_price": "100",
        "exit_price": "101.3",
        "pnl": PNL,
        "fees": "0.2013",
        "opened_at_ns": at(120),
        "closed_at_ns": at(2000),
        "exit_reason": "SIGNAL_EXIT",
    }
    account = {
        "va_id": "VA001",
        "start_balance": "100000",
        "deposits": "0",
        "cash": CASH,
        "realized": PNL,
        "fees": "0.2013",
    }
    return {
        "virtual_accounts": [account],
        "signals": [
            {
                "signal_id": row["signal_id"],
                "repeats": int(row["signal_id"] == "buy-10"),
                "reuses": 0,
            }
            for row in decisions
        ],
        "decisions": decisions,
        "orders": [
            order(ENTRY, "entry", "buy", "10", "buy-10"),
            order(STOP, "stop", "sell", "0", None),
            order(EXIT, "exit", "sell", "10", "close"),
        ],
        "fills": _fills(),
        "trades": [trade],
        "positions": [],
        "journal": _journal(),
    }


def honest_ledger() -> dict[str, list[Row]]:
    tables = honest_tables()
    return {
        "totals": [{"cash": PNL, "fees": "0.2013"}],
        "transfers": [],
        "holdings": [{"symbol": "ABC", "position_side": "long", "quantity": "0"}],
        "orders": [
            {"client_order_id": row["client_order_id"], "filled": row["filled"]}
            for row in tables["orders"]
        ],
        "fills": [{**row, "position_side": "long"} for row in tables["fills"]],
    }


def honest_report() -> Row:
    """The lowest equity of the second before the rise is the 100000 less 0.1 of fee and 0.1 of
    spread, of a peak of 100000."""
    account = {
        "cash": CASH,
        "deposits": "0",
        "balance": CASH,
        "realized_pnl": PNL,
        "unrealized_pnl": "0",
        "fees": "0.2013",
        "equity": CASH,
        "max_drawdown": "0.000002",
        "trades": 1,
        "wins": 1,
        "losses": 0,
        "consecutive_losses": 0,
    }
    reasons = {"UNKNOWN_ACCOUNT": 1, "MAX_POSITION_SIZE": 1, "LATENCY": 1}
    counts = {"received": 6, "accepted": 2, "refused": 3, "duplicates": 1, "malformed": 0}
    return {
        "accounts": {"VA001": account},
        "signals": {**counts, "by_reason": reasons},
        "orders": 3,
        "fills": 3,
        "trades": [{}],
        "positions": [],
        "quotes": 3,
        "incidents": [],
        "protection": {"naked_seconds_max": "0.02", "stopless_seconds_max": "0.02"},
    }


def write(record: Record, folder: Path) -> Files:
    """The record and the input files of the run, on disk."""
    files = {name: folder / name for name in ("market.csv", "signals.jsonl", "report.json")}
    files["market.csv"].write_text(MARKET)
    lines = []
    for signal_id, va_id, side, quantity, price, second in SIGNALS:
        row = {"signal_id": signal_id, "va_id": va_id, "symbol": "ABC", "side": side}
        optional = {"quantity": quantity, "price": price}
        row |= {name: text for name, text in optional.items() if text is not None}
        lines.append(json.dumps({**row, "ts": f"2018-01-02T15:00:{second}Z"}))
    files["signals.jsonl"].write_text("\n".join(lines))
    files["report.json"].write_text(json.dumps(record["report"]))
    for name in ("db", "ledger"):
        files[name] = folder / f"{name}.sqlite"
        with sqlite3.connect(files[name]) as connection:
            for table, rows in record[name].items():
                columns = ", ".join(f'"{column}"' for column in (rows[0] if rows else {"va_id": 0}))
                connection.execute(f'CREATE TABLE "{table}" ({columns})')
                for row in rows:
                    marks = ", ".join("?" * len(row))
                    connection.execute(f'INSERT INTO "{table}" VALUES ({marks})', [*row.values()])
        connection.close()
    return files
