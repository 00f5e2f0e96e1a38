"""The paper venue: a simulated exchange account on recorded, simulated or live quotes.

It exists so that the engine can be run, crashed and audited without a broker, against a venue that
is as strict as a real one and whose books are its own. Invariants:

* time comes in with `send`, `on_quote` and `receive` and from nowhere else; no randomness, no
  threads: the same calls give the same replies;
* a request sent at t reaches the venue at t + latency, in the order of sending, and is answered at
  that instant; what has not arrived when the process dies is lost, like a request on a broken line;
* at one instant quote rows come first, then arrivals (RULES 2);
* nothing is reported before it is committed to the ledger. While a commit fails the venue is
  silent, and reports everything once a commit succeeds.

A second order under a known client id is silently ignored: any report under that id would be taken
for a report of the first. `Query` reports the state of the first.

While the newest row is invalid nothing fills or triggers (RULES 4): an immediate-or-cancel order
that arrives is cancelled unfilled, a market order waits, a stop is checked on the last valid row.
"""

import logging
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from pointsman.domain.commands import Cancel, Compare, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    CashConfirmed,
    OrderAbsent,
    OrderReport,
    ReportWord,
    VenueFill,
)
from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.money import BPS, MONEY, ZERO, exact, floor_to
from pointsman.domain.orders import Order, OrderType
from pointsman.domain.policy import Abilities, PositionMode, ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import Side
from pointsman.domain.venue_reports import JournalHead, OrderFound, Snapshot, VenueOrder
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.venues.catalogue import CATALOGUE
from pointsman.venues.paper import demands
from pointsman.venues.paper.book import Book, QueuePlace
from pointsman.venues.paper.errors import LedgerUnwritable
from pointsman.venues.paper.ledger import PaperLedger

_log = logging.getLogger(__name__)

REQUESTS_UNDER_WAY_MAX = 65_536
"""How many may be on their way at once: far more than an engine ever sends in one latency."""


class PaperVenue:
    """One paper account; a `pointsman.execution.ports.Venue`."""

    def __init__(
        self,
        ledger_path: Path,
        *,
        latency_ns: int,
        fee_bps: Decimal,
        position_mode: PositionMode,
        reduce_only_mode: ReduceOnlyMode,
        instrument_of: Callable[[str], Instrument],
        journal_head: Callable[[], JournalHead | None] = lambda: None,
        is_rewound: bool = False,
        notes_quiet_turns: bool = True,
        is_synced: bool = True,
    ) -> None:
        """Open the account whose ledger is at `ledger_path`, or a new one. `fee_bps` of notional is
        charged where the instrument has no fee of its own. `journal_head` is how far the journal of
        the engine is durable: the ledger keeps it with everything that it commits, and with
        `notes_quiet_turns` also where nothing has happened but a comparison. With `is_rewound` the
        account begins as a new one, until `catch_up`. `is_synced`: each commit waits for the disk.
        Raises LedgerBusy, LedgerUnreadable, LedgerModeDiffers."""
        self._latency_ns = latency_ns
        self._fee_bps = fee_bps
        self._is_hedged = position_mode is PositionMode.HEDGE
        self._clips = reduce_only_mode is ReduceOnlyMode.CLIP
        self._instrument_of = instrument_of
        self._journal_head = journal_head
        self._notes_quiet_turns = notes_quiet_turns
        self._arrivals: deque[tuple[int, int, VenueRequest]] = deque(maxlen=REQUESTS_UNDER_WAY_MAX)
        self._replies: list[VenueReply] = []
        self._is_silent = False
        self._books: dict[str, Book] = {}
        with exact():
            how = {"is_rewound": is_rewound, "is_synced": is_synced}
            self._ledger = PaperLedger(ledger_path, position_mode, **how)
            for order in self._ledger.open_orders.values():
                self._rest(order, self._book(order.symbol))
        self._now_ns = self._ledger.known_until_ns

    @property
    def abilities(self) -> Abilities:
        """Requests under way are in this process alone, and one process at a time holds the ledger:
        none can arrive once the next has opened it."""
        return CATALOGUE["paper"]

    @property
    def instruments(self) -> dict[str, Instrument]:
        """It trades whatever the engine does, by the engine's own instruments."""
        return {}

    def send(self, request: VenueRequest, now_ns: int) -> None:
        """Put a request on its way: it arrives `latency_ns` after `now_ns`, which never falls.

        Raises OverflowError beyond REQUESTS_UNDER_WAY_MAX: ask `receive` for what has arrived.
        """
        if len(self._arrivals) == REQUESTS_UNDER_WAY_MAX:
            raise OverflowError(f"{REQUESTS_UNDER_WAY_MAX} requests are under way; receive first")
        self._arrivals.append((now_ns + self._latency_ns, now_ns, request))

    def on_quote(self, quote: Quote) -> bool:
        """Take in the next row, after what arrived before its stamp, and let resting orders act on
        it. Whether there is something to receive."""
        if self._arrivals and self._arrivals[0][0] < quote.ts_ns:
            self._take_arrivals(quote.ts_ns - 1)
        if quote.ts_ns > self._now_ns:
            self._now_ns = quote.ts_ns
        book = self._books.get(quote.symbol) or self._book(quote.symbol)
        if book.renew(quote):
            with exact():
                self._match(book)
        return bool(self._replies)

    def remember(self, quote: Quote) -> None:
        """Take in the newest row of a symbol from before this start: what rests acts on the size
        that its fills have left of it."""
        self._now_ns = max(self._now_ns, quote.ts_ns)
        book = self._book(quote.symbol)
        with exact():
            is_acted_on = book.renew(quote)
            for side, quantity in self._ledger.taken_since(quote.symbol, quote.ts_ns).items():
                book.take(side, min(quantity, book.available(side)))
            if is_acted_on:
                self._match(book)

    def catch_up(self) -> None:
        """End what `is_rewound` began: the ledger's file holds from now on what has happened since.
        Raises LedgerUnwritable."""
        self._ledger.catch_up()

    def next_due_ns(self) -> int | None:
        """When the next request arrives."""
        return self._arrivals[0][0] if self._arrivals else None

    def receive(self, now_ns: int) -> list[VenueReply]:
        """All that has arrived up to and including `now_ns`, committed. Hand over all rows of an
        instant before asking for it: a request that arrives then acts after them (RULES 2)."""
        if self._arrivals and self._arrivals[0][0] <= now_ns:
            self._take_arrivals(now_ns)
        if not self._replies:
            return []
        self._note_seen()
        head = self._journal_head()
        if head is not None:
            self._ledger.note_client(head, by_itself=self._notes_quiet_turns)
        try:
            self._ledger.commit()
        except LedgerUnwritable as error:
            if not self._is_silent:
                _log.error("the paper ledger cannot be written, its replies wait: %s", error)
            self._is_silent = True
            return []
        self._is_silent = False
        replies, self._replies = self._replies, []
        return replies

    def known_until_ns(self) -> int:
        """The time of the last thing in the ledger; 0 for a new one."""
        return self._ledger.known_until_ns

    def is_under_way(self) -> bool:
        return bool(self._arrivals)

    def finish(self) -> None:
        """What was handed over has left, and arrives only while the engine lives."""

    @property
    def ledger(self) -> PaperLedger:
        """The account's books, to read from."""
        return self._ledger

    def close(self) -> None:
        """Let go of the ledger. Requests under way are lost, as are replies that were not asked
        for."""
        self._note_seen()
        self._ledger.keep_seen()
        self._ledger.close()

    def _note_seen(self) -> None:
        """Have the ledger keep, with its next commit, what the stops have seen by now."""
        symbols = {order.symbol for order in self._ledger.open_orders.values()}
        self._ledger.seen = {symbol: self._book(symbol).seen_ns for symbol in symbols}

    def _take_arrivals(self, until_ns: int) -> None:
        with exact():
            while self._arrivals and self._arrivals[0][0] <= until_ns:
                due_ns, sent_ns, request = self._arrivals.popleft()
                self._now_ns = max(self._now_ns, due_ns)
                self._act_on(request, sent_ns)

    def _act_on(self, request: VenueRequest, sent_ns: int) -> None:
        if isinstance(request, Submit):
            self._submit(request.order)
        elif isinstance(request, Cancel):
            self._cancel(request.client_order_id)
        elif isinstance(request, Query):
            self._replies.append(self._found(request.client_order_id))
        elif isinstance(request, Compare):
            self._replies.append(self._snapshot(request.fills_cursor, sent_ns))
        else:
            self._ledger.move_cash(request.ref, request.amount, self._now_ns)
            self._replies.append(CashConfirmed(request.ref))

    def _submit(self, wanted: Order) -> None:
        if self._ledger.find_order(wanted.client_order_id) is not None:
            return
        book = self._book(wanted.symbol)
        venue_order_id = self._ledger.next_venue_order_id()
        order = demands.as_taken(wanted, venue_order_id, self._now_ns, is_hedged=self._is_hedged)
        reason = self._refusal(order, book)
        if reason is not None:
            self._end(order, ReportWord.REJECTED, reason)
            return
        self._ledger.put_order(order)
        self._report(order, ReportWord.ACCEPTED)
        if order.order_type is OrderType.STOP:
            self._rest(order, book)
            return
        if demands.limit_allows(order, book):
            order = self._trade(order, book)
        if order.status in FINAL:
            return
        if order.order_type is OrderType.LIMIT_IOC:
            self._end(order, ReportWord.CANCELED, Reason.NOT_FILLED)
        else:
            self._rest(order, book)

    def _refusal(self, order: VenueOrder, book: Book) -> Reason | None:
        """Why the venue does not take an order that has just arrived, if it does not."""
        price = demands.own_price(order)
        needs_price = order.order_type is not OrderType.MARKET
        if needs_price and (price is None or not demands.is_step(price, book.instrument.tick)):
            return Reason.BAD_PRICE
        if not demands.is_tradeable(order, book):
            return Reason.BAD_QUANTITY
        if order.reduce_only and self._has_too_little_to_reduce(order, book.instrument.lot):
            return Reason.REDUCE_ONLY
        if order.order_type is OrderType.STOP and demands.would_trigger(order, book.quote):
            return Reason.WOULD_TRIGGER
        return None

    def _has_too_little_to_reduce(self, order: VenueOrder, lot: Decimal) -> bool:
        reducible = floor_to(self._ledger.reducible(order), lot)
        if self._clips:
            return reducible == ZERO
        return order.quantity + self._ledger.reducing(order) > reducible

    def _rest(self, order: VenueOrder, book: Book) -> None:
        place = QueuePlace(int(order.venue_order_id), order.client_order_id)
        trigger = order.trigger_price
        if order.order_type is OrderType.STOP and not order.is_triggered and trigger is not None:
            book.stops(order.side).add(trigger, place)
        else:
            book.wait(order.side, place)

    def _match(self, book: Book) -> None:
        """Let what waits, and the stops that this row has reached, act on it in the order of
        sending."""
        triggered = book.trigger()
        sides = [Side.BUY, Side.SELL]
        while (first := book.first_waiting(sides)) is not None:
            side, place = first
            order = self._ledger.open_orders.get(place.client_order_id)
            if order is None:
                book.drop_first(side)
                continue
            if self._trade(self._trigger(order), book).status in FINAL:
                book.drop_first(side)
            else:
                # It took all that was displayed: later orders get nothing.
                sides.remove(side)
        for place in triggered:
            waiting = self._ledger.open_orders.get(place.client_order_id)
            if waiting is not None:
                self._trigger(waiting)

    def _trigger(self, order: VenueOrder) -> VenueOrder:
        """Turn a stop that has been reached into a market order; any other order stays as it is."""
        if order.order_type is not OrderType.STOP or order.is_triggered:
            return order
        order = replace(order, is_triggered=True, ts_ns=self._now_ns)
        self._ledger.put_order(order)
        self._report(order, ReportWord.TRIGGERED)
        return order

    def _trade(self, order: VenueOrder, book: Book) -> VenueOrder:
        """Fill what the newest row still displays, in whole lots (RULES 61). A reduce-only order
        fills no more than there is to reduce, and ends with that."""
        lot = book.instrument.lot
        wanted = floor_to(order.quantity - order.filled, lot)
        reducible = floor_to(self._ledger.reducible(order), lot) if order.reduce_only else wanted
        quantity = min(wanted, reducible, book.available(order.side))
        if quantity > ZERO and book.quote is not None:
            price = book.quote.touch(order.side)
            book.take(order.side, quantity)
            order, fill = self._ledger.fill(
                order, quantity, price, quantity * price * book.fee_rate, self._now_ns
            )
            self._report(order, ReportWord.TRADE, fill=fill)
        if order.status not in FINAL and quantity == min(wanted, reducible):
            # Nothing is left to reduce, or the rest is below a lot that has grown since.
            reason = Reason.REDUCE_ONLY if quantity == reducible else Reason.BAD_QUANTITY
            order = self._end(order, ReportWord.CANCELED, reason)
        return order

    def _cancel(self, client_order_id: str) -> None:
        order = self._ledger.open_orders.get(client_order_id)
        if order is None:
            self._replies.append(CancelRefused(client_order_id, Reason.NOT_FOUND, self._now_ns))
            return
        self._book(order.symbol).stops(order.side).discard(client_order_id)
        self._end(order, ReportWord.CANCELED, None)

    def _end(self, order: VenueOrder, word: ReportWord, reason: Reason | None) -> VenueOrder:
        order = replace(
            order, status=OrderStatus(word.value), end_reason=reason, ts_ns=self._now_ns
        )
        self._ledger.put_order(order)
        self._report(order, word, reason=reason)
        return order

    def _report(
        self,
        order: VenueOrder,
        word: ReportWord,
        *,
        fill: VenueFill | None = None,
        reason: Reason | None = None,
    ) -> None:
        self._replies.append(
            OrderReport(
                client_order_id=order.client_order_id,
                kind=word,
                ts_ns=self._now_ns,
                venue_order_id=order.venue_order_id,
                fill=fill,
                reason=reason,
            )
        )

    def _found(self, client_order_id: str) -> OrderFound | OrderAbsent:
        order = self._ledger.find_order(client_order_id)
        if order is None:
            return OrderAbsent(client_order_id, self._now_ns)
        return OrderFound(order, self._ledger.fills_of(order), self._now_ns)

    def _snapshot(self, fills_cursor: str, sent_ns: int) -> Snapshot:
        ledger = self._ledger
        by_sending = sorted(
            ledger.open_orders.values(), key=lambda order: int(order.venue_order_id)
        )
        return Snapshot(
            asked_at_ns=sent_ns,
            taken_at_ns=self._now_ns,
            open_orders=tuple(by_sending),
            trades=ledger.trades_after(fills_cursor),
            holdings=ledger.holdings(),
            fills_cursor=ledger.cursor(),
        )

    def _book(self, symbol: str) -> Book:
        book, instrument = self._books.get(symbol), self._instrument_of(symbol)
        if book is None:
            fee_bps = self._fee_bps if instrument.fee_bps is None else instrument.fee_bps
            book = self._books[symbol] = Book(instrument, MONEY.divide(fee_bps, BPS))
            book.seen_ns = self._ledger.seen.get(symbol, 0)
        book.instrument = instrument  # Its steps may have become finer (RULES 59).
        return book
