"""Intake: what comes back from a venue becomes events.

A message is given the mark of its symbol and what storage remembers of an order that has ended
(RULES 32), and goes through `Desk.handle`. Invariants:

* nothing is taken in twice: an execution is recognised by its key, also one that is not ours;
* what cannot be looked up because storage fails is not taken in at all: the next comparison shows
  it again, since this one does not count;
* an id with our code that nobody here knows is adopted if it can be explained, else it stops the
  program (RULES 26, 30).
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice

import msgspec

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.commands import Cancel, Compare, Query, Step
from pointsman.domain.events import (
    CashConfirmed,
    ChargePaid,
    Compared,
    Event,
    FundingPaid,
    LinkChanged,
    OrderAdopted,
    OrderReport,
    UnlistedCode,
    VenueLink,
)
from pointsman.domain.orders import ForeignOrder, KnownOrder, OrderType
from pointsman.domain.venue_reports import (
    AccountRead,
    InstrumentsChanged,
    OrderFound,
    Snapshot,
    VenueExecution,
    VenueOrder,
)
from pointsman.execution import external_holdings, reconcile
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.desk import Desk
from pointsman.execution.fills import fill_key
from pointsman.execution.link_damping import LinkDamping
from pointsman.execution.market_view import MarketView
from pointsman.execution.outbox import StorageHeld
from pointsman.execution.ports import Recorder, Venue, VenueReply

replace = msgspec.structs.replace


Payment = FundingPaid | ChargePaid
"""What is booked without a trade, once by its id."""


PLAIN = CashConfirmed | UnlistedCode | InstrumentsChanged | AccountRead
"""What needs nothing beside it."""


class StrangeOrders(Exception):
    """The venue knows orders with our code that we do not: this database is not the one that traded
    there."""


class VenueIntake:
    """The way in for what a venue says. `turn` takes an event through the door, and to storage."""

    def __init__(
        self,
        desk: Desk,
        venue: Venue,
        view: MarketView,
        recorder: Recorder,
        recall: FinishedRecords,
        turn: Callable[[Event], Step],
    ) -> None:
        self._desk = desk
        self._venue = venue
        self._view = view
        self._recorder = recorder
        self._recall = recall
        self._turn = turn
        self._now_ns = 0
        self._answered_ns = 0
        self._damping = LinkDamping()
        self.missing = ""
        """What the last comparison could not be told; empty where it was complete."""

    def take_in(self, reply: VenueReply, now_ns: int) -> None:
        """Take in one message of the venue at `now_ns`. Raises StrangeOrders."""
        self._now_ns = now_ns
        if isinstance(reply, Snapshot | OrderReport | OrderFound):
            # What storage cannot look up now is not taken in: the next comparison shows it again.
            with suppress(StorageHeld):
                self._take_in_reports(reply)
        elif isinstance(reply, LinkChanged):
            self.change_link(reply, now_ns)
        elif isinstance(reply, PLAIN):
            self._turn(reply)
        elif isinstance(reply, FundingPaid | ChargePaid):
            self._pay(reply)
        else:
            order = self._desk.books.orders.get(reply.client_order_id)
            if order is not None:
                self._turn(replace(reply, mark=self._view.mark(order.symbol)))

    def change_link(self, change: LinkChanged, now_ns: int) -> None:
        """A part of the connection goes down, or is up again. One that flaps stays down for the
        desk; what the account stream may have missed is asked for after each return."""
        if (told := self._damping.heard(change, now_ns)) is not None:
            self._turn(told)
        elif change.is_up and change.link is VenueLink.ACCOUNT_STREAM:
            self._venue.send(Compare(self._desk.books.desk.fills_cursor), now_ns)

    def link_due_ns(self) -> int | None:
        """When a link that flapped will have held for long enough."""
        return self._damping.due_ns

    def take_in_links(self, now_ns: int) -> None:
        """The links that flapped and have held for long enough are up again."""
        for change in self._damping.take_due(now_ns):
            self._turn(change)

    def _take_in_reports(self, reply: Snapshot | OrderReport | OrderFound) -> None:
        if isinstance(reply, Snapshot):
            self._compare(reply)
        elif isinstance(reply, OrderReport):
            self._report(reply)
        elif reply.order.client_order_id in self._desk.books.orders:
            for report in reconcile.reports_from(reply):
                self._report(report)

    def _report(self, report: OrderReport, known: KnownOrder | None = None) -> Step:
        """Take in a report. `known` is what storage remembers of its order, where that has been
        looked up already."""
        order = self._desk.books.orders.get(report.client_order_id)
        if order is None:
            known = known or self._look_up(report.client_order_id)
            order = None if known is None else known.order
        mark = None if order is None else self._view.mark(order.symbol)
        return self._turn(replace(report, mark=mark, known=known))

    def _pay(self, paid: Payment) -> None:
        """A funding payment or a charge, unless it is booked already."""
        payment_id = paid.funding_id if isinstance(paid, FundingPaid) else paid.charge_id
        if not self._recall.is_paid(payment_id):
            self._turn(replace(paid, mark=self._view.mark(paid.symbol)))

    def _look_up(self, order_id: str) -> KnownOrder | None:
        """What storage remembers of an order that is not in the books. Raises StorageHeld where
        that is not known now."""
        if not self._recorder.settle():
            raise StorageHeld(f"what became of {order_id} cannot be looked up")
        return self._recall.known_order(order_id)

    def _compare(self, snapshot: Snapshot) -> None:
        """Feed what a snapshot tells through the door: missing reports, orders to adopt, holdings
        that differ, and the end of the comparison. One that is incomplete, or was overtaken by a
        later one, also by one that a crash cut off, tells nothing."""
        self.missing = snapshot.missing
        if not snapshot.is_complete or snapshot.asked_at_ns < self._answered_ns:
            return
        books = self._desk.books
        found = reconcile.compare(books, snapshot)
        trades = found.other_trades
        foreign = {_foreign_key(t): None for t in trades if not self._has_our_code(t)}
        if len(foreign) < external_holdings.taken_in(books):
            return
        payments: tuple[Payment, ...] = (*snapshot.fundings, *snapshot.charges)
        self._take_in_history(found.reports, sorted(payments, key=_stamp))
        differences = len([report for report in found.reports if report.fill is not None])
        differences += self._take_in_trades(found, foreign)
        self._take_in_orders(found)
        for differs in reconcile.differing_holdings(books, snapshot):
            differences += 1
            self._turn(replace(differs, mark=self._view.mark(differs.symbol)))
        compared = Compared(
            is_complete=True,
            taken_at_ns=snapshot.taken_at_ns,
            differences=differences,
            fills_cursor=snapshot.fills_cursor,
            unseen_orders=found.unseen,
            foreign_orders=self._foreign_orders(found),
        )
        self._answered_ns = snapshot.asked_at_ns
        self._turn(compared)

    def _take_in_history(self, reports: Iterable[OrderReport], payments: Iterable[Payment]) -> None:
        """What was missed of our orders, and payments, each before what traded after it: it is
        charged to the holder at that time."""
        due = list(payments)
        for report in reports:
            while report.fill is not None and due and due[0].ts_ns < report.fill.ts_ns:
                self._pay(due.pop(0))
            self._report(report)
        for paid in due:
            self._pay(paid)

    def _take_in_trades(self, found: reconcile.Comparison, foreign: dict[str, None]) -> int:
        """Executions of ids that do not work by our record; how many of them were news. The first
        of the `foreign` ones may have been charged before a crash."""
        news = 0
        fresh = set(islice(foreign, external_holdings.taken_in(self._desk.books), None))
        resting = {order.client_order_id: order for order in found.other_orders}
        for trade in found.other_trades:
            if self._recall.is_booked(reconcile.trade_key(trade)):
                continue
            if self._has_our_code(trade):
                told = resting.get(trade.client_order_id, trade)
                known = self._known_or_adopted(told, found)
                news += bool(self._report(reconcile.trade_report(trade), known).changes)
                continue
            key = _foreign_key(trade)
            if key in fresh and not self._recall.is_booked(key):
                self._recall.note_fill(key)
                self._turn(reconcile.foreign_fill(trade, self._view.mark(trade.symbol)))
                news += 1
        return news

    def _take_in_orders(self, found: reconcile.Comparison) -> None:
        """Open orders of ids that do not work by our record: one that was adopted is asked about,
        one that has ended for us is not to rest any longer, a foreign one is left alone."""
        for order in found.other_orders:
            order_id, symbol = order.client_order_id, order.symbol
            if self._has_our_code(order):
                self._known_or_adopted(order, found)
                is_adopted = order_id in self._desk.books.orders
                request = Query(order_id, symbol) if is_adopted else Cancel(order_id, symbol)
                self._venue.send(request, self._now_ns)

    def _foreign_orders(self, found: reconcile.Comparison) -> tuple[ForeignOrder, ...]:
        """What others have at work, where that may forbid what we want."""
        if not self._desk.books.policy.abilities.forbids:
            return ()
        foreign = (
            ForeignOrder(
                told.client_order_id or told.venue_order_id,
                told.symbol,
                told.side,
                told.order_type is OrderType.STOP and not told.is_triggered,
            )
            for told in found.other_orders
            if not self._has_our_code(told)
        )
        return tuple(sorted(foreign))

    def _known_or_adopted(
        self, told: VenueOrder | VenueExecution, found: reconcile.Comparison
    ) -> KnownOrder | None:
        """What storage remembers of an order with our code; None where it is in the books. One that
        nobody knows is adopted, or stops the start."""
        order_id = told.client_order_id
        if order_id in self._desk.books.orders:
            return None
        known = self._look_up(order_id)
        if known is None:
            order = reconcile.adopted(self._desk.books, told, found.other_trades)
            if order is None:
                raise StrangeOrders(order_id)
            self._turn(OrderAdopted(order))
        return known

    def _has_our_code(self, told: VenueOrder | VenueExecution) -> bool:
        parts = parse_client_order_id(told.client_order_id)
        return parts is not None and parts.code == self._desk.books.desk.code


def _stamp(paid: Payment) -> int:
    return paid.ts_ns


def _foreign_key(trade: VenueExecution) -> str:
    """What makes an execution one that is not ours."""
    return fill_key(f"@{trade.venue_order_id}", trade.side, trade.fill)
