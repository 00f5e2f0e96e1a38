"""Meters: what is counted of a run, for the metrics.

Each turn is noted on the loop's thread, each commit on the writer's; any thread may read.
Invariants:

* noting costs next to nothing and never waits: plain numbers, each with one writer;
* nothing that a sender made up becomes a label: accounts are those that exist, and of symbols only
  the first SYMBOLS_MAX have a name, the rest are OTHER;
* everything counts since this process started; what a start only finds is not counted.
"""

import time
from bisect import bisect_left
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import msgspec

from pointsman.domain.commands import Step
from pointsman.domain.events import (
    Compared,
    Event,
    OrderReport,
    OrderSent,
    SignalMalformed,
    SignalReceived,
    Started,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Fill, Order
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import Side
from pointsman.domain.signals import Action, Decision, Outcome, Signal

SYMBOLS_MAX = 200
OTHER = "other"
FOLLOWED_MAX = 4096
"""How many orders are followed: those that changed last."""

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SLIPPAGE_BPS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 25.0, 50.0, 100.0)

_NS = 1e-9

Counts = defaultdict[tuple[str, ...], int]
"""How often, by the values of the labels."""


class Histogram:
    """How many values were at most each bound, and their sum. One thread observes."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """(bound, how many values were at most that), the last for all of them."""
        told: list[tuple[str, float]] = []
        so_far = 0
        for bound, count in zip((*self._bounds, "+Inf"), self._counts.copy(), strict=True):
            so_far += count
            told.append((str(bound), so_far))
        return told


class _Followed(msgspec.Struct, gc=False):
    """What is remembered of an order. `sent_at_ns` is event time, until the venue has answered;
    `decided_ns` is real time; `reference` the price that its signal expected (RULES 7)."""

    status: OrderStatus | None = None
    sent_at_ns: int | None = None
    decided_ns: int | None = None
    reference: float | None = None


class Meters:
    """The counts of one engine. `wall_seconds` gives the wall clock, for the one stamp among
    them."""

    def __init__(self, venue: str, wall_seconds: Callable[[], float]) -> None:
        self.received: Counts = defaultdict(int)
        self.refused: Counts = defaultdict(int)
        self.submitted: Counts = defaultdict(int)
        self.orders: Counts = defaultdict(int)
        self.fills: Counts = defaultdict(int)
        self.comparisons: Counts = defaultdict(int)
        self.signal_to_order = Histogram(SECONDS)
        self.order_ack = Histogram(SECONDS)
        self.commit = Histogram(SECONDS)
        self.slippage = Histogram(SLIPPAGE_BPS)
        self.compared_at_seconds: float | None = None
        self._venue = venue
        self._wall_seconds = wall_seconds
        self._symbols: set[str] = set()
        self._orders: OrderedDict[str, _Followed] = OrderedDict()
        self._notes: dict[type[Event], Callable[[Any, Step], None]] = {
            SignalReceived: self._signal,
            SignalMalformed: self._malformed,
            OrderSent: self._sent,
            OrderReport: self._reported,
            Compared: self._compared,
        }

    def turn(self, event: Event, step: Step) -> None:
        """Note a turn; on the loop's thread."""
        for record in step.changes:
            if isinstance(record, Order):
                self._order(record, is_found=isinstance(event, Started))
            elif isinstance(record, Fill):
                self._fill(record)
        note = self._notes.get(type(event))
        if note is not None:
            note(event, step)

    def committed(self, took_ns: int) -> None:
        """Note that a transaction became durable; on the thread that made it."""
        self.commit.observe(took_ns * _NS)

    def _order(self, order: Order, *, is_found: bool) -> None:
        followed, status = self._follow(order.client_order_id), order.shown_status
        if status is not followed.status:
            followed.status = status
            if not is_found:
                self.orders[(status.value,)] += 1

    def _follow(self, order_id: str) -> _Followed:
        followed = self._orders.get(order_id)
        if followed is None:
            followed = self._orders[order_id] = _Followed()
            if len(self._orders) > FOLLOWED_MAX:
                self._orders.popitem(last=False)
        else:
            self._orders.move_to_end(order_id)
        return followed

    def _fill(self, fill: Fill) -> None:
        labels = (fill.va_id, self._symbol(fill.symbol), self._venue, fill.side.value)
        self.fills[labels] += 1
        followed = self._orders.get(fill.client_order_id)
        if followed is not None and followed.reference:
            worse = fill.side.sign * (float(fill.price) - followed.reference)
            self.slippage.observe(max(0.0, worse / followed.reference * 1e4))

    def _signal(self, event: SignalReceived, step: Step) -> None:
        decision = step.decision
        assert decision is not None, "a signal always gets its decision"
        is_unknown = decision.reason is Reason.UNKNOWN_ACCOUNT
        va_id = "" if is_unknown else decision.va_id
        self.received[(va_id,)] += 1
        if step.is_repeat or step.is_reused_id:
            return
        if decision.outcome is Outcome.REFUSED and decision.reason is not None:
            self.refused[va_id, decision.reason.value] += 1
        elif decision.action is Action.ENTRY and decision.client_order_id is not None:
            followed = self._follow(decision.client_order_id)
            followed.decided_ns = time.monotonic_ns()
            followed.reference = _reference(event.signal, decision)

    def _malformed(self, _event: SignalMalformed, _step: Step) -> None:
        self.received[("",)] += 1

    def _sent(self, event: OrderSent, step: Step) -> None:
        order = _changed(step, event.client_order_id)
        if order is None:
            return
        symbol = self._symbol(order.symbol)
        self.submitted[order.va_id, symbol, self._venue, order.side.value] += 1
        followed = self._follow(order.client_order_id)
        followed.sent_at_ns = order.sent_at_ns
        if followed.decided_ns is not None:
            took_ns = time.monotonic_ns() - followed.decided_ns
            followed.decided_ns = None
            self.signal_to_order.observe(took_ns * _NS)

    def _reported(self, event: OrderReport, step: Step) -> None:
        followed = self._orders.get(event.client_order_id)
        if followed is None or followed.sent_at_ns is None:
            return
        order = _changed(step, event.client_order_id)
        if order is not None:
            self.order_ack.observe((order.updated_at_ns - followed.sent_at_ns) * _NS)
            followed.sent_at_ns = None

    def _compared(self, event: Compared, _step: Step) -> None:
        if not event.is_complete:
            self.comparisons[("failed",)] += 1
            return
        self.comparisons[("differed" if event.differences else "clean",)] += 1
        self.compared_at_seconds = self._wall_seconds()

    def _symbol(self, symbol: str) -> str:
        if symbol not in self._symbols:
            if len(self._symbols) >= SYMBOLS_MAX:
                return OTHER
            self._symbols.add(symbol)
        return symbol


def _changed(step: Step, order_id: str) -> Order | None:
    """The order of that id, if this turn has changed it."""
    for record in step.changes:
        if isinstance(record, Order) and record.client_order_id == order_id:
            return record
    return None


def _reference(signal: Signal, decision: Decision) -> float | None:
    """The signal's price, else the touch at the decision (RULES 7)."""
    if signal.price is not None:
        return float(signal.price)
    if decision.quote is None:
        return None
    return float(decision.quote.touch(Side(signal.side.value)))
