"""The hostile venue: the wire to a venue that behaves as venues do on their worst days.

Behind it is an honest ledger with a matching of its own; in front of it every request and answer
passes through faults: lost, late, doubled, out of order, answered wrongly. Invariants: it
never tells what did not happen, but for "no such order" of one that has only just left; a request
arrives within `FLIGHT_NS_MAX`, or late, or never; and what a process has asked nobody else hears.
"""

import heapq
from collections import deque
from collections.abc import Callable
from random import Random
from typing import NamedTuple

import msgspec

from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    CashConfirmed,
    OrderAbsent,
    OrderReport,
    ReportWord,
    VenueLink,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Instrument
from pointsman.domain.policy import Policy
from pointsman.domain.reasons import Reason
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.domain.venue_reports import OrderFound, Snapshot
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.simulator.connection import Connection, symbol_of
from pointsman.simulator.crashes import Boundary, CrashTrap
from pointsman.simulator.faults import Fault, Faults
from pointsman.simulator.ledger import FEE_FAULTS, FeeMode, Ledger, places
from pointsman.simulator.matching import Matching
from pointsman.simulator.payments import Payments

FLIGHT_NS_MAX = 5 * SECOND_NS
LATE_NS_MAX = 25 * SECOND_NS
SETTLED_NS = 4 * SECOND_NS
"""An order that left so long ago is found as soon as it has arrived."""
_REPLAYED_MAX = 20

Deed = Callable[[int], None]


class Asked(NamedTuple):
    """When something was asked, by the engine's clock and by the venue's, and in which of the
    engine's lives."""

    at_ns: int
    left_ns: int
    life: int


class HostileVenue:
    """A `Venue` of `execution.ports` that keeps running while the engine is down. `on_send` gets
    each request before it leaves; `lag_ns` is how far the engine's clock lags the venue's."""

    def __init__(
        self,
        random: Random,
        faults: Faults,
        trap: CrashTrap,
        policy: Policy,
        instruments: dict[str, Instrument],
        *,
        has_trade_ids: bool,
        fee_mode: FeeMode = FeeMode.MONEY,
    ) -> None:
        self.abilities = policy.abilities
        self.ledger = Ledger(
            is_hedged=policy.is_hedged, has_trade_ids=has_trade_ids, fee_mode=fee_mode
        )
        self.matching = Matching(
            random, faults, self.ledger, instruments, policy, self._tell, self._later,
        )  # fmt: skip
        self.fee_mode = fee_mode
        self.on_send: Callable[[VenueRequest, int], None] = lambda _request, _now_ns: None
        self.denied_ns: dict[str, int] = {}
        """When it last said, truthfully, that it knows no such order."""
        self.whole_at_ns: set[int] = set()
        """The moments up to which it has reported everything."""
        self.lag_ns = 0
        self.banned_until_ns = 0
        self.cut_until_ns = 0
        self._instruments = instruments
        self.connection = Connection()
        self.payments = Payments(
            random,
            faults,
            self.ledger,
            self.connection,
            self._later,
            self._say,
            lambda: {symbol: quote.bid for symbol, quote in self.matching.quotes.items()},
        )
        self._random = random
        self._faults = faults
        self._trap = trap
        self._heap: list[tuple[int, int, Deed]] = []
        self._number = 0
        self._arrived: list[VenueReply] = []
        self._out_ns = random.randrange(1, 40) * MS_NS
        self._back_ns = random.randrange(1, 40) * MS_NS
        self._last_out_ns = 0
        self._last_back_ns = 0
        self._said: deque[OrderReport] = deque(maxlen=_REPLAYED_MAX)
        self._stale: Snapshot | None = None
        self._left: dict[str, Asked] = {}
        self._life = 0

    # -- the seam ----------------------------------------------------------------------------------

    def send(self, request: VenueRequest, now_ns: int) -> None:
        self.on_send(request, now_ns)
        asked, now_ns = Asked(now_ns, now_ns + self.lag_ns, self._life), now_ns + self.lag_ns
        symbol, is_order = symbol_of(request), isinstance(request, Submit)
        if isinstance(request, Compare):
            self.connection.owes_comparison = False
        is_gone = self._is_kept_back(request, asked, now_ns) or now_ns < self.banned_until_ns
        if is_gone or self._faults.strikes(
            Fault.REQUEST_LOST, now_ns, symbol, logged=None if is_order else Fault.ANSWER_LOST
        ):
            self._trap.passes(Boundary.AFTER_SEND)
            return
        arrives_ns = max(self._last_out_ns, now_ns + self._out_ns + self._random.randrange(MS_NS))
        if self._faults.strikes(
            Fault.REQUEST_LATE, now_ns, symbol, logged=None if is_order else Fault.ANSWER_LATE
        ):
            arrives_ns += self._random.randrange(MS_NS, LATE_NS_MAX)
            self._faults.excuse(Fault.ANSWER_LATE, arrives_ns, arrives_ns, symbol)
        else:
            self._last_out_ns = arrives_ns
        self._later(arrives_ns, lambda at_ns: self._take(request, asked, at_ns))
        self._trap.passes(Boundary.AFTER_SEND)

    def _is_kept_back(self, request: VenueRequest, asked: Asked, now_ns: int) -> bool:
        """Whether a request never leaves. The sender of an order or of a cancel hears so; mostly at
        once, at times when it counts as lost already. Others may not leave either for a while."""
        if not isinstance(request, Submit | Cancel):
            return self.connection.stops(now_ns)
        random, symbol = self._random, symbol_of(request)
        if not self.connection.stops(now_ns):
            if not self._faults.strikes(Fault.NOT_SENT, now_ns, symbol):
                return False
            if random.randrange(3) == 0:
                until_ns = now_ns + random.randrange(SECOND_NS, 8 * SECOND_NS)
                self._faults.excuse(Fault.NOT_SENT, now_ns, until_ns)
                self.cut_link(VenueLink.ORDERS, until_ns)
        told = self.connection.give_back(request, now_ns, asked.at_ns)
        delay_ns = random.randrange(MS_NS, 20 * MS_NS if random.randrange(50) else 9 * SECOND_NS)
        self._faults.excuse(Fault.NOT_SENT, now_ns, now_ns + delay_ns, symbol)
        self._later(now_ns + delay_ns, lambda _at_ns: self._hear(told, asked))
        return True

    def _hear(self, reply: VenueReply, asked: Asked) -> None:
        """What the process that asked hears from its own end of the connection."""
        if asked.life == self._life:
            self._arrived.append(reply)

    def next_due_ns(self) -> int | None:
        return self._heap[0][0] - self.lag_ns if self._heap else None

    def receive(self, now_ns: int) -> list[VenueReply]:
        engine_ns, now_ns = now_ns, now_ns + self.lag_ns
        while self._heap and self._heap[0][0] <= now_ns:
            at_ns, _, deed = heapq.heappop(self._heap)
            deed(at_ns)
        arrived, self._arrived = self._arrived, []
        return [*self.connection.news(now_ns, engine_ns), *arrived]

    def open(self) -> "HostileVenue":
        """The engine begins to listen."""
        self.connection.begin()
        return self

    @property
    def instruments(self) -> dict[str, Instrument]:
        """What it trades."""
        return self._instruments

    def known_until_ns(self) -> int:
        return self.ledger.trades[-1].fill.ts_ns if self.ledger.trades else 0

    def is_under_way(self) -> bool:
        return bool(self._heap)

    def finish(self) -> None:
        pass

    def close(self) -> None:
        """The engine is gone: what has arrived is lost, and the answers to what it asked."""
        self._arrived.clear()
        self._life += 1
        self.lag_ns = 0

    # -- what goes wrong by itself -----------------------------------------------------------------

    def ban(self, until_ns: int) -> None:
        """Take no request until then."""
        self.banned_until_ns = max(self.banned_until_ns, until_ns)

    def cut(self, until_ns: int) -> None:
        """Let nothing arrive until then; then say the newest reports again."""
        self.cut_until_ns = max(self.cut_until_ns, until_ns)
        self._later(until_ns + MS_NS, self._replay)

    def cut_link(self, link: VenueLink, until_ns: int) -> None:
        """A part of the connection is down until then."""
        self.connection.cut(link, until_ns)
        self._later(until_ns, lambda _at_ns: None)

    def _replay(self, now_ns: int) -> None:
        if now_ns >= self.cut_until_ns:
            self._arrived += self._said

    # -- requests ----------------------------------------------------------------------------------

    def _later(self, at_ns: int, deed: Deed) -> None:
        self._number += 1
        heapq.heappush(self._heap, (at_ns, self._number, deed))

    def _take(self, request: VenueRequest, asked: Asked, now_ns: int) -> None:
        """A request arrives, unless it was under way when its sender ended and ended with it, or is
        too old by now."""
        if self.abilities.requests_end_with_session and asked.life != self._life:
            return
        expiry_ns = self.abilities.request_expiry_ns
        if expiry_ns is not None and now_ns > asked.left_ns + expiry_ns:
            self._expire(request, asked, now_ns)
        elif isinstance(request, Submit):
            self._left[request.order.client_order_id] = asked
            self.matching.create(request.order, now_ns)
        elif isinstance(request, Cancel):
            self._cancel(request.client_order_id, asked, now_ns)
        elif isinstance(request, Query):
            self._find(request.client_order_id, request.symbol, asked, now_ns)
        elif isinstance(request, Compare):
            self._compare(request.fills_cursor, asked, now_ns)
        elif isinstance(request, MoveCash):
            self._answer(CashConfirmed(request.ref), now_ns, asked)

    def _expire(self, request: VenueRequest, asked: Asked, now_ns: int) -> None:
        """A request is older than the venue takes it. Its sender hears that, unless it has stopped
        listening for an answer."""
        if isinstance(request, Submit | Cancel) and self._random.randrange(2):
            expired = self.connection.give_back(request, now_ns, asked.at_ns)
            self._answer(expired, now_ns, asked)

    def _cancel(self, order_id: str, asked: Asked, now_ns: int) -> None:
        order = self.ledger.orders.get(order_id)
        is_open = order is not None and order.is_open
        if (
            order is None
            or not is_open
            or self._faults.strikes(Fault.CANCEL_REFUSED, now_ns, order.symbol)
        ):
            self._answer(CancelRefused(order_id, Reason.NOT_FOUND, now_ns), now_ns, asked)
        else:
            self.matching.end(order, OrderStatus.CANCELED, None, now_ns)

    def _find(self, order_id: str, symbol: str, asked: Asked, now_ns: int) -> None:
        order = self.ledger.orders.get(order_id)
        if self._faults.strikes(Fault.QUERY_FAILED, now_ns, symbol):
            return
        if order is None:
            self.denied_ns[order_id] = now_ns
        is_young = self._is_young(order_id, now_ns)
        if order is None or (is_young and self._faults.strikes(Fault.QUERY_EMPTY, now_ns, symbol)):
            self._answer(OrderAbsent(order_id, asked.at_ns), now_ns, asked)
            return
        fills = tuple(order.fills)
        if fills and self._faults.strikes(Fault.QUERY_CUT, now_ns, symbol):
            fills = fills[: self._random.randrange(len(fills))]
        self._answer(OrderFound(order.told(), fills, asked.at_ns), now_ns, asked)

    def _is_young(self, order_id: str, now_ns: int) -> bool:
        """Whether an order has only just left, and so may not be found yet. Where requests end with
        a session, what an earlier one has left is found."""
        left = self._left.get(order_id)
        if left is None or now_ns >= left.left_ns + SETTLED_NS:
            return False
        return left.life == self._life or not self.abilities.requests_end_with_session

    def _compare(self, cursor: str, asked: Asked, now_ns: int) -> None:
        if self._faults.strikes(Fault.COMPARE_FAILED, now_ns):
            return
        if self._stale is not None and self._faults.strikes(Fault.COMPARE_STALE, now_ns):
            since, paid_since, charged_since = begins = places(cursor)
            known, paid_known, charged_known = ends = places(self._stale.fills_cursor)
            if all(begin <= end for begin, end in zip(begins, ends, strict=True)):
                stale = msgspec.structs.replace(
                    self._stale,
                    asked_at_ns=asked.at_ns,
                    trades=tuple(self.ledger.trades[since:known]),
                    fundings=tuple(self.ledger.fundings[paid_since:paid_known]),
                    charges=tuple(self.ledger.charges[charged_since:charged_known]),
                )
                self.whole_at_ns.add(stale.taken_at_ns)
                self._answer(stale, now_ns, asked)
                return
        fresh = self._stale = self.snapshot(cursor, asked.at_ns, now_ns)
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
        self._answer(fresh, now_ns, asked)

    def snapshot(self, cursor: str, asked_ns: int, now_ns: int) -> Snapshot:
        """The account as it is."""
        ledger = self.ledger
        since, paid_since, charged_since = places(cursor)
        return Snapshot(
            asked_at_ns=asked_ns,
            taken_at_ns=now_ns,
            open_orders=tuple(
                o.told() for opened in ledger.open_by_symbol.values() for o in opened.values()
            ),
            trades=tuple(ledger.trades[since:]),
            holdings=ledger.shown_holdings(),
            fills_cursor=ledger.cursor,
            fundings=tuple(ledger.fundings[paid_since:]),
            charges=tuple(ledger.charges[charged_since:]),
        )

    # -- answers -----------------------------------------------------------------------------------

    def _tell(self, report: OrderReport, now_ns: int) -> None:
        """Something happened to an order: say so, as well as the wire allows."""
        self._said.append(report)
        faults, symbol = self._faults, self.ledger.orders[report.client_order_id].symbol
        is_answer = report.kind in (ReportWord.ACCEPTED, ReportWord.REJECTED, ReportWord.CANCELED)
        if is_answer and faults.strikes(Fault.ANSWER_LOST, now_ns, symbol):
            return
        is_streamed = report.kind not in (ReportWord.ACCEPTED, ReportWord.REJECTED)
        if is_streamed and self.connection.is_down(VenueLink.ACCOUNT_STREAM, now_ns):
            return
        if faults.strikes(Fault.REPORT_LOST, now_ns, symbol):
            return
        delay_ns = 0
        if is_answer and faults.strikes(Fault.ANSWER_LATE, now_ns, symbol):
            delay_ns = self._delay(Fault.ANSWER_LATE, now_ns, 9, symbol)
        elif faults.strikes(Fault.REPORT_DELAYED, now_ns, symbol):
            delay_ns = self._delay(Fault.REPORT_DELAYED, now_ns, 20, symbol)
        is_fill = report.kind is ReportWord.TRADE
        if report.fill is not None and not report.fill.trade_id:
            faults.note(Fault.NO_TRADE_ID, now_ns, now_ns)
        if report.fill is not None and report.fill.fee_currency is not None:
            faults.note(FEE_FAULTS[self.fee_mode], now_ns, now_ns)
        if is_fill and faults.strikes(Fault.FILL_AFTER_CANCEL, now_ns, symbol):
            delay_ns = max(delay_ns, 2 * SLACK_NS)
        if faults.strikes(Fault.REPORT_REORDERED, now_ns, symbol):
            delay_ns = max(delay_ns, self._random.randrange(SLACK_NS))
        self._say(report, now_ns, delay_ns)
        if faults.strikes(Fault.REPORT_DUPLICATED, now_ns):
            self._say(report, now_ns, self._random.randrange(MS_NS, 60 * SECOND_NS))

    def _delay(self, fault: Fault, now_ns: int, seconds_max: int, symbol: str) -> int:
        delay_ns = self._random.randrange(MS_NS, seconds_max * SECOND_NS)
        self._faults.excuse(fault, now_ns, now_ns + delay_ns, symbol)
        return delay_ns

    def _answer(self, reply: VenueReply, now_ns: int, asked: Asked) -> None:
        """Put an answer on the way back to the process that has asked."""

        def arrive(at_ns: int) -> None:
            if asked.life == self._life:
                self._arrive(reply, at_ns)

        self._back(now_ns, 0, arrive)

    def _say(self, reply: VenueReply, now_ns: int, delay_ns: int = 0) -> None:
        """Put what happened on the way to whichever process listens by then."""
        self._back(now_ns, delay_ns, lambda at_ns: self._arrive(reply, at_ns))

    def _back(self, now_ns: int, delay_ns: int, arrive: Deed) -> None:
        """In order, unless it is delayed by itself."""
        if delay_ns:
            arrives_ns = now_ns + self._back_ns + delay_ns
        else:
            arrives_ns = max(self._last_back_ns, now_ns + self._back_ns)
            self._last_back_ns = arrives_ns
        self._later(arrives_ns, arrive)

    def _arrive(self, reply: VenueReply, now_ns: int) -> None:
        if now_ns >= self.cut_until_ns:
            self._arrived.append(reply)


SLACK_NS = 300 * MS_NS
"""By so much may one message overtake another."""
