"""RULES 25 and 63 recomputed from the venue's reports in the journal: how long positions stood
without cover, and without a resting stop.

Only what the venue confirmed counts, judged once an instant after all its reports. An exit covers
for PROTECTION_DEADLINE_SECONDS from its acceptance, a stop that has triggered from its triggering;
a stop that has triggered does not rest any more.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappop, heappush
from typing import Any

from tests.audit.record import Record, amount

ENDS = {"CANCELED", "EXPIRED", "REJECTED"}
ZERO = Decimal(0)


@dataclass
class Working:
    """An order that protects or closes a position: what is left of it, and until when it covers;
    None while it is a stop that rests."""

    left: Decimal
    until_ns: int | None = None


@dataclass
class Watch:
    """Times for which keys were not well. One that is well for no time at all never was."""

    longest_ns: int = 0
    _since_ns: dict[int, int] = field(default_factory=dict)
    _ended: dict[int, tuple[int, int]] = field(default_factory=dict)

    def see(self, key: int, is_well: bool, now_ns: int) -> None:
        if is_well and key in self._since_ns:
            since_ns = self._since_ns.pop(key)
            self._ended[key] = since_ns, now_ns
            self.longest_ns = max(self.longest_ns, now_ns - since_ns)
        elif not is_well and key not in self._since_ns:
            since_ns, until_ns = self._ended.get(key, (now_ns, -1))
            self._since_ns[key] = since_ns if until_ns == now_ns else now_ns

    def longest(self, now_ns: int) -> int:
        """With what is not well still, up to now."""
        return max([self.longest_ns, *(now_ns - since_ns for since_ns in self._since_ns.values())])


class Cover:
    """The cover of every position, order by order. `naked` and `stopless` are in nanoseconds."""

    def __init__(self, deadline_ns: int) -> None:
        self.naked, self.stopless = Watch(), Watch()
        self._deadline_ns = deadline_ns
        self._held: dict[int, Decimal] = defaultdict(Decimal)
        self._working: dict[int, dict[str, Working]] = defaultdict(dict)
        self._ends: list[tuple[int, int]] = []
        self._touched: dict[int, None] = {}
        self._now_ns = 0

    def go_on(self, now_ns: int) -> None:
        """Judge what has changed at the last instant, and all that ceases to cover before now."""
        if now_ns == self._now_ns:
            return
        self._judge()
        while self._ends and self._ends[0][0] < now_ns:
            self._now_ns, number = heappop(self._ends)
            self._touched[number] = None
            self._judge()
        self._now_ns = now_ns

    def take(self, number: int, key: str, role: str, word: str, quantity: Decimal) -> None:
        """One report of the venue: `quantity` is what traded, or what an accepted order is for."""
        self._touched[number] = None
        working = self._working[number]
        if word == "TRADE":
            self._held[number] += quantity if role == "entry" else -quantity
            if key in working:
                working[key].left -= quantity
        elif word == "ACCEPTED" and role != "entry":
            working[key] = Working(quantity)
            if role == "exit":
                self._cover_for_a_while(number, working[key])
        elif word == "TRIGGERED" and key in working:
            self._cover_for_a_while(number, working[key])
        elif word in ENDS:
            working.pop(key, None)

    def _cover_for_a_while(self, number: int, order: Working) -> None:
        order.until_ns = self._now_ns + self._deadline_ns
        heappush(self._ends, (order.until_ns, number))

    def _judge(self) -> None:
        for number in self._touched:
            orders, held = self._working[number].values(), self._held[number]
            stops = sum((order.left for order in orders if order.until_ns is None), ZERO)
            covering = (order for order in orders if (order.until_ns or 0) > self._now_ns)
            cover = stops + sum((order.left for order in covering), ZERO)
            self.naked.see(number, cover >= held, self._now_ns)
            self.stopless.see(number, stops >= held, self._now_ns)
        self._touched.clear()


def measure_cover(record: Record, deadline_ns: int) -> tuple[int, int]:
    """(longest time without cover, longest time without a resting stop), in nanoseconds. What is
    uncovered at the end counts up to the last turn."""
    orders = {row["client_order_id"]: row for row in record.tables["orders"]}
    cover = Cover(deadline_ns)
    last_ns = 0
    for event in _reports(record):
        order = orders[event["client_order_id"]]
        last_ns = event["ts_ns"]
        cover.go_on(last_ns)
        quantity = amount(order["quantity"])
        if event["fill"] is not None:
            quantity = amount(event["fill"]["quantity"])
        number, key, role = order["position_id"], order["client_order_id"], order["role"]
        cover.take(number, key, role, event["kind"], quantity)
    turns = [row["time_ns"] for row in record.tables["journal"] if "time_ns" in row]
    last_ns = max([last_ns, *turns[-1:]])
    cover.go_on(last_ns + 1)
    return cover.naked.longest(last_ns), cover.stopless.longest(last_ns)


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
