"""RULES 25 recomputed from the venue's reports in the journal: how long positions stood without
cover.

Two figures, because the text leaves two readings: without a resting stop *or* an exit that works at
the venue (INVARIANTS I7), and without a resting stop alone. Orders are followed report by report,
so only what the venue confirmed counts as cover.
"""

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

from tests.audit.record import Record, amount

ENDS = {"CANCELED", "EXPIRED", "REJECTED"}


def measure_cover(record: Record) -> tuple[int, int]:
    """(longest time without stop or working exit, longest time without a stop), in nanoseconds. A
    position that is uncovered at the end counts up to the last report."""
    orders = {row["client_order_id"]: row for row in record.tables["orders"]}
    held: dict[int, Decimal] = defaultdict(Decimal)
    working: dict[int, dict[str, Decimal]] = defaultdict(dict)
    watches = (_Watch(), _Watch())
    now_ns = 0
    for event in _reports(record):
        order = orders[event["client_order_id"]]
        number, role, key = order["position_id"], order["role"], order["client_order_id"]
        now_ns = event["ts_ns"]
        if event["fill"] is not None:
            quantity = amount(event["fill"]["quantity"])
            held[number] += quantity if role == "entry" else -quantity
            if role != "entry":
                left = working[number].get(key, amount(order["quantity"])) - quantity
                working[number][key] = left
        elif event["kind"] == "ACCEPTED" and role != "entry":
            working[number].setdefault(key, amount(order["quantity"]))
        elif event["kind"] in ENDS:
            working[number].pop(key, None)
        cover = working[number]
        stops = sum(
            (left for key, left in cover.items() if orders[key]["role"] == "stop"), Decimal(0)
        )
        watches[0].see(number, sum(cover.values(), Decimal(0)) >= held[number], now_ns)
        watches[1].see(number, stops >= held[number], now_ns)
    return watches[0].longest(now_ns), watches[1].longest(now_ns)


def _reports(record: Record) -> list[dict[str, Any]]:
    """The venue's reports in the order in which they were journaled, each fill once."""
    reports, seen = [], set()
    for row in record.tables["journal"]:
        if row["kind"] != "OrderReport":
            continue
        event = {"fill": None, **json.loads(row["payload"])["event"]}
        if event["fill"] is not None:
            trade = event["client_order_id"], event["fill"]["trade_id"]
            if trade in seen:
                continue
            seen.add(trade)
        reports.append(event)
    return reports


class _Watch:
    """The longest time for which any key was not well."""

    def __init__(self) -> None:
        self._since_ns: dict[int, int] = {}
        self._longest_ns = 0

    def see(self, key: int, is_well: bool, now_ns: int) -> None:
        if not is_well:
            self._since_ns.setdefault(key, now_ns)
        elif key in self._since_ns:
            self._longest_ns = max(self._longest_ns, now_ns - self._since_ns.pop(key))

    def longest(self, now_ns: int) -> int:
        return max([self._longest_ns, *(now_ns - since_ns for since_ns in self._since_ns.values())])
