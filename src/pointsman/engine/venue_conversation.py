"""A conversation with a venue without an engine: send, wait for what is said, look at the account.

For what a person does by hand at a venue, such as making the certificate (`venue_check`). Nothing
is concluded here but from replies; what is waited for and does not come is `NotKept`.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import msgspec

from pointsman.domain.commands import Compare, Submit
from pointsman.domain.events import NotSent, OrderReport, ReportWord, UnlistedCode, VenueFill
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order
from pointsman.domain.sides import PositionSide
from pointsman.domain.timestamps import SECOND_NS
from pointsman.domain.venue_reports import Snapshot, VenueOrder
from pointsman.execution.fills import fill_key
from pointsman.execution.ports import Venue, VenueReply, VenueRequest

PATIENCE_NS = 15 * SECOND_NS
"""How long a reply is waited for."""

_ENDS = (ReportWord.CANCELED, ReportWord.EXPIRED, ReportWord.REJECTED)

_Found = TypeVar("_Found")
_Said = TypeVar("_Said")


class NotKept(Exception):
    """A promise was not kept; the text says what the venue said or did."""


class Line(msgspec.Struct, kw_only=True):
    """The connection: the venue, the time, what passes time until something may have arrived, and
    the newest quote of the symbol."""

    venue: Venue
    now_ns: Callable[[], int]
    pass_time: Callable[[], None]
    newest_quote: Callable[[], Quote | None]


class Conversation:
    """What was sent about one symbol, and what was heard of it."""

    def __init__(self, line: Line, symbol: str) -> None:
        self.line = line
        self.symbol = symbol
        self.sent: dict[str, Order] = {}
        self.heard: list[VenueReply] = []

    def send(self, request: VenueRequest) -> None:
        """Send one request."""
        self.line.venue.send(request, self.line.now_ns())

    def send_order(self, order: Order) -> None:
        """Send an order, and remember that it is ours."""
        self.sent[order.client_order_id] = order
        self.send(Submit(order))

    def listen(self, for_ns: int) -> None:
        """Hear what is said for so long."""
        until_ns = self.line.now_ns() + for_ns
        while self.line.now_ns() < until_ns:
            self.heard += self.line.venue.receive(self.line.now_ns())
            self.line.pass_time()

    def until(self, look: Callable[[], _Found | None], what: str) -> _Found:
        """Wait until `look` gives something. Raises NotKept where it does not within PATIENCE_NS,
        naming `what` was waited for."""
        until_ns = self.line.now_ns() + PATIENCE_NS
        while True:
            self.heard += self.line.venue.receive(self.line.now_ns())
            found = look()
            if found is not None:
                return found
            if self.line.now_ns() > until_ns:
                raise NotKept(f"not {what} within {PATIENCE_NS // SECOND_NS} s{self._odd()}")
            self.line.pass_time()

    def ask(self, request: VenueRequest, said: type[_Said]) -> _Said:
        """Send a question and wait for its answer."""
        start = len(self.heard)
        self.send(request)

        def answer() -> _Said | None:
            return next((reply for reply in self.heard[start:] if isinstance(reply, said)), None)

        return self.until(answer, "answered")

    def quote(self) -> Quote:
        """The newest quote. Raises NotKept where there is none that is valid."""

        def valid() -> Quote | None:
            quote = self.line.newest_quote()
            return quote if quote is not None and quote.is_valid else None

        return self.until(valid, f"quoted: {self.symbol}")

    # -- one order ---------------------------------------------------------------------------------

    def reports(self, order: Order) -> list[OrderReport]:
        """All that was said of an order."""
        return [
            reply
            for reply in self.heard
            if isinstance(reply, OrderReport) and reply.client_order_id == order.client_order_id
        ]

    def acknowledged(self, order: Order) -> OrderReport:
        """The acknowledgement of an order. Raises NotKept where it was refused, or never left."""

        def look() -> OrderReport | None:
            for reply in self.heard:
                is_its = getattr(reply, "client_order_id", "") == order.client_order_id
                if is_its and isinstance(reply, NotSent):
                    raise NotKept(f"it was not sent: {reply.reason.value} {reply.detail}")
            for report in self.reports(order):
                if report.kind is ReportWord.REJECTED:
                    reason = "no reason given" if report.reason is None else report.reason.value
                    raise NotKept(f"refused: {reason}{self._odd()}")
                if report.kind is ReportWord.ACCEPTED:
                    return report
            return None

        return self.until(look, "acknowledged")

    def end(self, order: Order) -> OrderReport | None:
        """The report of an order's end, where there is one and it was not filled."""
        return next((one for one in self.reports(order) if one.kind in _ENDS), None)

    def fills(self, order: Order) -> dict[str, VenueFill]:
        """The fills of an order, by their keys: each once, however often it was reported."""
        return {
            fill_key(order.client_order_id, order.side, report.fill): report.fill
            for report in self.reports(order)
            if report.fill is not None
        }

    def filled(self, order: Order) -> Decimal:
        """How much of an order was filled."""
        return sum((fill.quantity for fill in self.fills(order).values()), ZERO)

    def bought(self) -> Decimal:
        """What all orders together have left us with."""
        orders = self.sent.values()
        return sum((order.side.sign * self.filled(order) for order in orders), ZERO)

    # -- the account -------------------------------------------------------------------------------

    def compare(self, cursor: str = "") -> Snapshot:
        """The account as the venue tells it. Raises NotKept where it cannot be read whole."""
        for _ in range(3):
            snapshot = self.ask(Compare(cursor), Snapshot)
            if snapshot.is_complete:
                return snapshot
        raise NotKept("open orders, positions and fills could not be read whole, three times")

    def held(self, snapshot: Snapshot) -> Decimal:
        """What the account holds long of the symbol, less what it holds short."""
        return sum(
            (
                holding.quantity
                if holding.position_side is not PositionSide.SHORT
                else -abs(holding.quantity)
                for holding in snapshot.holdings
                if holding.symbol == self.symbol
            ),
            ZERO,
        )

    def resting(self, snapshot: Snapshot) -> dict[str, VenueOrder]:
        """The open orders of the symbol by client order id."""
        orders = (order for order in snapshot.open_orders if order.symbol == self.symbol)
        return {order.client_order_id or order.venue_order_id: order for order in orders}

    def _odd(self) -> str:
        """What the venue said that is in no table, if anything."""
        told = [f"{one.code} {one.text}" for one in self.heard if isinstance(one, UnlistedCode)]
        return f"; the venue said: {told[-1]}" if told else ""
