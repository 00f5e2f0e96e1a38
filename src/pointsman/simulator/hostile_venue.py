"""The hostile venue: the wire to a venue that behaves as venues do on their worst days.

Behind it is an honest ledger with a matching of its own; in front of it every request and answer
passes through faults: lost, late, doubled, out of order, answered wrongly. What always holds: it
never tells what did not happen, but for "no such order" of one that has only just arrived; and a
request arrives within `FLIGHT_NS_MAX` or never.
"""

import heapq
from collections import deque
from collections.abc import Callable
from random import Random

import msgspec

from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    CashConfirmed,
    OrderAbsent,
    OrderReport,
    VenueWord,
)
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.policy import Policy
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_truth import OrderFound, Snapshot
from pointsman.simulator.crashes import Boundary, CrashTrap
from pointsman.simulator.faults import SECOND_NS, Fault, Faults
from pointsman.simulator.ledger import Ledger
from pointsman.simulator.matching import MS, Matching
from pointsman.venues.base import Reply, Request

FLIGHT_NS_MAX = 5 * SECOND_NS
SETTLED_NS = 4 * SECOND_NS
"""An order that arrived so long ago is always found."""
_REPLAYED_MAX = 20

Deed = Callable[[int], None]


class HostileVenue:
    """A `pointsman.venues.base.Venue`; it goes on while the engine is down. `on_send` is told of
    each request before it leaves."""

    def __init__(
        self,
        random: Random,
        faults: Faults,
        trap: CrashTrap,
        policy: Policy,
        instruments: dict[str, Instrument],
        *,
        has_trade_ids: bool,
    ) -> None:
        self.ledger = Ledger(is_hedged=policy.is_hedged, has_trade_ids=has_trade_ids)
        self.matching = Matching(
            random, faults, self.ledger, instruments, policy.reduce_only_mode, self._tell,
            self._later,
        )  # fmt: skip
        self.on_send: Callable[[Request, int], None] = lambda _request, _now_ns: None
        self.whole_at_ns: set[int] = set()
        """Of which moments it has told everything."""
        self.banned_until_ns = 0
        self.cut_until_ns = 0
        self._random = random
        self._faults = faults
        self._trap = trap
        self._heap: list[tuple[int, int, Deed]] = []
        self._number = 0
        self._arrived: list[Reply] = []
        self._out_ns = random.randrange(1, 40) * MS
        self._back_ns = random.randrange(1, 40) * MS
        self._last_out_ns = 0
        self._last_back_ns = 0
        self._said: deque[OrderReport] = deque(maxlen=_REPLAYED_MAX)
        self._stale: Snapshot | None = None

    # -- the seam ----------------------------------------------------------------------------------

    def send(self, request: Request, now_ns: int) -> None:
        self.on_send(request, now_ns)
        if now_ns < self.banned_until_ns or self._faults.strikes(Fault.REQUEST_LOST, now_ns):
            self._trap.passes(Boundary.AFTER_SEND)
            return
        arrives_ns = max(self._last_out_ns, now_ns + self._out_ns + self._random.randrange(MS))
        self._last_out_ns = arrives_ns
        self._later(arrives_ns, lambda at_ns: self._take(request, now_ns, at_ns))
        self._trap.passes(Boundary.AFTER_SEND)

    def on_quote(self, quote: Quote) -> None:
        """What the engine was told of the market is nothing to a venue: see `matching.on_quote`."""

    def next_due_ns(self) -> int | None:
        return self._heap[0][0] if self._heap else None

    def receive(self, now_ns: int) -> list[Reply]:
        while self._heap and self._heap[0][0] <= now_ns:
            at_ns, _, deed = heapq.heappop(self._heap)
            deed(at_ns)
        arrived, self._arrived = self._arrived, []
        return arrived

    def known_until_ns(self) -> int:
        return self.ledger.trades[-1].fill.ts_ns if self.ledger.trades else 0

    def close(self) -> None:
        """The engine is gone: whatever is on its way to it is lost."""
        self._arrived.clear()

    # -- what goes wrong by itself -----------------------------------------------------------------

    def ban(self, until_ns: int) -> None:
        """Take no request until then."""
        self.banned_until_ns = max(self.banned_until_ns, until_ns)

    def cut(self, until_ns: int) -> None:
        """Let nothing arrive until then; then say the newest reports again."""
        self.cut_until_ns = max(self.cut_until_ns, until_ns)
        self._later(until_ns + MS, self._replay)

    def _replay(self, now_ns: int) -> None:
        if now_ns >= self.cut_until_ns:
            self._arrived += self._said

    # -- requests ----------------------------------------------------------------------------------

    def _later(self, at_ns: int, deed: Deed) -> None:
        self._number += 1
        heapq.heappush(self._heap, (at_ns, self._number, deed))

    def _take(self, request: Request, asked_ns: int, now_ns: int) -> None:
        """A request arrives."""
        if isinstance(request, Submit):
            self.matching.create(request.order, now_ns)
        elif isinstance(request, Cancel):
            if not self.matching.cancel(request.client_order_id, now_ns):
                refused = CancelRefused(request.client_order_id, Reason.NOT_FOUND, now_ns)
                self._answer(refused, now_ns)
        elif isinstance(request, Query):
            self._find(request.client_order_id, asked_ns, now_ns)
        elif isinstance(request, Compare):
            self._compare(request.fills_cursor, asked_ns, now_ns)
        elif isinstance(request, MoveCash):
            self._answer(CashConfirmed(request.ref), now_ns)

    def _find(self, order_id: str, asked_ns: int, now_ns: int) -> None:
        if self._faults.strikes(Fault.QUERY_FAILED, now_ns):
            return
        order = self.ledger.orders.get(order_id)
        is_young = order is not None and now_ns < order.ts_ns + SETTLED_NS
        if order is None or (is_young and self._faults.strikes(Fault.QUERY_EMPTY, now_ns)):
            self._answer(OrderAbsent(order_id, asked_ns), now_ns)
        else:
            self._answer(OrderFound(order.told(), tuple(order.fills), asked_ns), now_ns)

    def _compare(self, cursor: str, asked_ns: int, now_ns: int) -> None:
        if self._faults.strikes(Fault.COMPARE_FAILED, now_ns):
            return
        if self._stale is not None and self._faults.strikes(Fault.COMPARE_STALE, now_ns):
            since = int(cursor or 0)
            known = int(self._stale.fills_cursor)
            if since <= known:
                trades = tuple(self.ledger.trades[since:known])
                stale = msgspec.structs.replace(self._stale, asked_at_ns=asked_ns, trades=trades)
                self.whole_at_ns.add(stale.taken_at_ns)
                self._answer(stale, now_ns)
                return
        fresh = self._stale = self.snapshot(cursor, asked_ns, now_ns)
        if self._faults.strikes(Fault.COMPARE_PARTIAL, now_ns):
            fresh = msgspec.structs.replace(
                fresh,
                open_orders=fresh.open_orders[:1],
                trades=fresh.trades[:1],
                holdings=(),
                is_complete=False,
            )
        else:
            self.whole_at_ns.add(now_ns)
        self._answer(fresh, now_ns)

    def snapshot(self, cursor: str, asked_ns: int, now_ns: int) -> Snapshot:
        """The account as it is."""
        ledger = self.ledger
        return Snapshot(
            asked_ns,
            now_ns,
            tuple(o.told() for opened in ledger.open_by_symbol.values() for o in opened.values()),
            tuple(ledger.trades[int(cursor or 0) :]),
            ledger.shown_holdings(),
            str(len(ledger.trades)),
        )

    # -- answers -----------------------------------------------------------------------------------

    def _tell(self, report: OrderReport, now_ns: int) -> None:
        """Something happened to an order: say so, as well as the wire allows."""
        self._said.append(report)
        faults = self._faults
        is_answer = report.kind in (VenueWord.ACCEPTED, VenueWord.REJECTED, VenueWord.CANCELED)
        if is_answer and faults.strikes(Fault.ANSWER_LOST, now_ns):
            return
        if faults.strikes(Fault.REPORT_LOST, now_ns):
            return
        delay_ns = 0
        if is_answer and faults.strikes(Fault.ANSWER_LATE, now_ns):
            delay_ns = self._delay(Fault.ANSWER_LATE, now_ns, 9)
        elif faults.strikes(Fault.REPORT_DELAYED, now_ns):
            delay_ns = self._delay(Fault.REPORT_DELAYED, now_ns, 20)
        is_fill = report.kind is VenueWord.TRADE
        if is_fill and faults.strikes(Fault.FILL_AFTER_CANCEL, now_ns):
            delay_ns = max(delay_ns, 2 * SLACK_NS)
        if faults.strikes(Fault.REPORT_REORDERED, now_ns):
            delay_ns = max(delay_ns, self._random.randrange(SLACK_NS))
        self._answer(report, now_ns, delay_ns)
        if faults.strikes(Fault.REPORT_DUPLICATED, now_ns):
            self._answer(report, now_ns, self._random.randrange(MS, 60 * SECOND_NS))

    def _delay(self, fault: Fault, now_ns: int, seconds_max: int) -> int:
        delay_ns = self._random.randrange(MS, seconds_max * SECOND_NS)
        self._faults.excuse(fault, now_ns, now_ns + delay_ns)
        return delay_ns

    def _answer(self, reply: Reply, now_ns: int, delay_ns: int = 0) -> None:
        """Put a message on the way back: in order, unless it is delayed by itself."""
        if delay_ns:
            arrives_ns = now_ns + self._back_ns + delay_ns
        else:
            arrives_ns = max(self._last_back_ns, now_ns + self._back_ns)
            self._last_back_ns = arrives_ns
        self._later(arrives_ns, lambda at_ns: self._arrive(reply, at_ns))

    def _arrive(self, reply: Reply, now_ns: int) -> None:
        if now_ns >= self.cut_until_ns:
            self._arrived.append(reply)


SLACK_NS = 300 * MS
"""By so much may one message overtake another."""
