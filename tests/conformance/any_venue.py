"""One account at a venue, as statements about venues need it: what is sent to it, what it has said
so far, and what the market does there.

A statement speaks of one market, which trades in lots of 1 at about 100.00 / 100.02. `Market` says
what these are at a venue, so that the same statement is made of all of them. The paper venue runs
on virtual time; every other one is its adapter behind the bridge, against the venue's server on
loopback.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from pointsman.domain.commands import Cancel, Compare, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    LinkChanged,
    NotSent,
    OrderAbsent,
    OrderReport,
    VenueFill,
    VenueLink,
)
from pointsman.domain.orders import Order
from pointsman.domain.policy import Abilities, PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.domain.venue_reports import OrderFound, Snapshot
from pointsman.execution.ports import Venue, VenueReply, VenueRequest
from pointsman.venues.adapter import Access
from pointsman.venues.bridge import RealVenue
from tests.conformance import bench
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.alpaca_messages import Listing

PATIENCE_SECONDS = 20.0
STEP_NS = 1000
"""Between two quotes on virtual time."""

Said = OrderReport | NotSent | CancelRefused | OrderFound | OrderAbsent
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Market:
    """A symbol of a venue, what a price of 1 and a lot of 1 are in it, and what a fill costs."""

    symbol: str
    price: Decimal
    lot: Decimal
    fee_bps: Decimal


class AnyVenue(ABC):
    """The engine's side of one account. Prices and quantities are those of the statement."""

    def __init__(self, market: Market, position_mode: PositionMode) -> None:
        self.market = market
        self.position_mode = position_mode
        self.heard: list[VenueReply] = []
        self.cursor = ""
        self.venue = self.open()

    # -- what differs ------------------------------------------------------------------------------

    @abstractmethod
    def open(self) -> Venue:
        """The account as the next engine opens it."""

    @abstractmethod
    def now_ns(self) -> int: ...

    @abstractmethod
    def hear(self) -> bool:
        """Let a little time pass and take in what was said. Whether more may come."""

    @abstractmethod
    def quote(
        self, bid: str, ask: str, *, bid_size: int | str = 1000, ask_size: int | str = 1000
    ) -> None:
        """The market moves."""

    # -- orders ------------------------------------------------------------------------------------

    def entry(self, order_id: str, side: PositionSide, quantity: int, limit: str) -> Order:
        """An immediate-or-cancel limit."""
        size, price = str(self.quantity(quantity)), str(self.price(limit))
        return bench.entry(order_id, side, size, price, symbol=self.market.symbol)

    def stop(self, order_id: str, side: PositionSide, quantity: int, trigger: str) -> Order:
        size, price = str(self.quantity(quantity)), str(self.price(trigger))
        return bench.stop(order_id, side, size, price, symbol=self.market.symbol)

    def market_exit(self, order_id: str, side: PositionSide, quantity: int) -> Order:
        size = str(self.quantity(quantity))
        return bench.market_exit(order_id, side, size, symbol=self.market.symbol)

    def price(self, value: str) -> Decimal:
        """Here."""
        return Decimal(value) * self.market.price

    def quantity(self, value: int | str) -> Decimal:
        """Here."""
        return Decimal(value) * self.market.lot

    # -- conversation ------------------------------------------------------------------------------

    def send(self, *requests: VenueRequest | Order) -> None:
        for request in requests:
            sent = Submit(request) if isinstance(request, Order) else request
            self.venue.send(sent, self.now_ns())

    def until(self, look: Callable[[], T | None]) -> T:
        """Hear what is said until `look` gives something."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (found := look()):
            may_come = self.hear() and time.monotonic() < end
            assert may_come or look(), f"nothing more was said after {self.heard}"
        return found

    def submit(self, order: Order, until: str) -> list[str]:
        """Send an order, wait until this is reported of it, and say all that was."""
        self.send(order)
        return self.wait(order.client_order_id, until)

    def wait(self, order_id: str, until: str) -> list[str]:
        self.until(lambda: until in self.told(order_id))
        return self.told(order_id)

    def ask(self, request: VenueRequest, kind: type[T]) -> T:
        """The answer to a question."""
        before = len(self.heard)
        self.send(request)
        return self.until(lambda: next(self.replies(kind, before), None))

    def query(self, order_id: str) -> OrderFound | OrderAbsent:
        return self.ask(Query(order_id, self.market.symbol), OrderFound | OrderAbsent)  # type: ignore[arg-type]

    def found(self, order_id: str) -> OrderFound:
        answer = self.query(order_id)
        assert isinstance(answer, OrderFound), answer
        return answer

    def cancel(self, order_id: str) -> None:
        self.send(Cancel(order_id, self.market.symbol))

    def refused_cancel(self, order_id: str) -> CancelRefused | NotSent:
        """The answer to the cancel of something that cannot be cancelled."""
        refusal: Any = CancelRefused | NotSent
        answer: CancelRefused | NotSent = self.ask(Cancel(order_id, self.market.symbol), refusal)
        assert answer.client_order_id == order_id
        return answer

    def compare(self, cursor: str | None = None) -> Snapshot:
        """The first comparison that is complete, since a cursor or since this account was opened:
        while messages of its stream arrive none is."""
        asked = Compare(self.cursor if cursor is None else cursor)
        end = time.monotonic() + PATIENCE_SECONDS
        while not (snapshot := self.ask(asked, Snapshot)).is_complete:
            assert time.monotonic() < end, "no comparison is complete"
        return snapshot

    def hold(self, side: PositionSide, quantity: int, order_id: str = "ABCDEF9E1") -> None:
        """Open a holding at 100.00 / 100.02."""
        self.quote("100.00", "100.02")
        limit = "100.50" if side is bench.LONG else "99.50"
        self.submit(self.entry(order_id, side, quantity, limit), f"TRADE {quantity}")

    # -- what was said -----------------------------------------------------------------------------

    def replies(self, kind: type[T], after: int = 0) -> Iterator[T]:
        return (reply for reply in self.heard[after:] if isinstance(reply, kind))

    def reports(self, order_id: str) -> list[OrderReport]:
        """Each once: an answer and the stream say the same, and either may be first."""
        told: dict[object, OrderReport] = {}
        for report in self.replies(OrderReport):
            if report.client_order_id == order_id:
                told.setdefault(report.fill.trade_id if report.fill else report.kind, report)
        return sorted(told.values(), key=lambda report: report.kind.value != "ACCEPTED")

    def told(self, order_id: str) -> list[str]:
        """What was reported of an order: `TRADE 40`, `CANCELED NOT_FILLED`."""
        texts = []
        for report in self.reports(order_id):
            detail: Reason | int | None = report.reason
            if report.fill is not None:
                detail = int(report.fill.quantity / self.market.lot)
            texts.append(" ".join([report.kind.value] + ([] if detail is None else [f"{detail}"])))
        return texts

    def fills(self, order_id: str) -> list[VenueFill]:
        return [report.fill for report in self.reports(order_id) if report.fill is not None]

    def links(self, link: VenueLink) -> list[bool]:
        return [told.is_up for told in self.replies(LinkChanged) if told.link is link]

    @property
    def abilities(self) -> Abilities:
        return self.venue.abilities

    # -- life --------------------------------------------------------------------------------------

    def reopen(self) -> None:
        """The engine ends, and the next one opens the account; it knows what was compared last."""
        self.venue.close()
        self.heard.clear()
        self.venue = self.open()

    def close(self) -> None:
        self.venue.close()


class OnPaper(AnyVenue):
    """The paper venue, on virtual time."""

    def __init__(self, market: Market, position_mode: PositionMode, folder: Path) -> None:
        self._path = folder / "paper.db"
        self._now_ns = STEP_NS
        super().__init__(market, position_mode)

    def open(self) -> Venue:
        self.paper = bench.open_paper(self._path, position_mode=self.position_mode)
        return self.paper

    def now_ns(self) -> int:
        return self._now_ns

    def hear(self) -> bool:
        if (due_ns := self.paper.next_due_ns()) is None:
            return False
        self._now_ns = max(self._now_ns, due_ns)
        self.heard += self.paper.receive(self._now_ns)
        return True

    def quote(
        self, bid: str, ask: str, *, bid_size: int | str = 1000, ask_size: int | str = 1000
    ) -> None:
        self._now_ns += STEP_NS
        row = bench.row(
            self._now_ns,
            str(self.price(bid)),
            str(self.price(ask)),
            bid_size=str(self.quantity(bid_size)),
            ask_size=str(self.quantity(ask_size)),
            symbol=self.market.symbol,
        )
        self.paper.on_quote(row)
        self.heard += self.paper.receive(self._now_ns)


class OnServer(AnyVenue):
    """A real venue's adapter, with the venue's server on loopback behind it."""

    venue: RealVenue

    def __init__(
        self,
        market: Market,
        position_mode: PositionMode,
        server: Any,
        adapter: Any,
        timeout_ms: int,
        requests_per_minute: int | None,
    ) -> None:
        """`adapter` is the module of the venue's adapter, which waits so long for an answer, and
        spends no more than this."""
        self.server = server
        self._adapter = adapter
        self._timeout_ms = timeout_ms
        self._requests_per_minute = requests_per_minute
        self._is_woken = threading.Event()
        super().__init__(market, position_mode)

    def open(self) -> Venue:
        access = Access(
            key=self.server.key,
            secret=self.server.secret,
            is_sandbox=True,
            position_mode=self.position_mode,
            symbols=(self.market.symbol,),
            url=self.server.url,
            stream_url=self.server.stream_url,
            timeout_ms=self._timeout_ms,
        )
        adapter = self._adapter.make_adapter(access)
        venue = RealVenue(
            adapter, now_ns=time.time_ns(), requests_per_minute=self._requests_per_minute
        )
        self.venue = venue
        venue.start(self._is_woken.set)
        self.until(lambda: self.links(VenueLink.ACCOUNT_STREAM))
        self.cursor = self.cursor or self.compare().fills_cursor
        return venue

    def now_ns(self) -> int:
        return time.time_ns()

    def hear(self) -> bool:
        self._is_woken.wait(0.02)
        self._is_woken.clear()
        self.heard += self.venue.receive(time.time_ns())
        return True

    def quote(
        self, bid: str, ask: str, *, bid_size: int | str = 1000, ask_size: int | str = 1000
    ) -> None:
        self.server.quote(
            self.venue_symbol,
            str(self.price(bid)),
            str(self.price(ask)),
            bid_size=str(self.quantity(bid_size)),
            ask_size=str(self.quantity(ask_size)),
        )

    # -- what only others can do -------------------------------------------------------------------

    @property
    def venue_symbol(self) -> str:
        """As the venue writes it."""
        return self.market.symbol.partition(":")[0].replace("/", "")

    def fill_in_pieces(self, pieces: int) -> None:
        """Whatever trades from now on does so in so many executions."""
        self.server.account.pieces = pieces

    def trade_by_hand(self, side: str, quantity: int, holding: PositionSide) -> None:
        """The owner of the account enters a market order elsewhere, for a holding of this side."""
        named = side_of(self, holding)
        terms = {} if named is None else {"holding": named.value}
        self.server.foreign_order(self.venue_symbol, side, str(self.quantity(quantity)), **terms)

    def change_rules(self) -> None:
        """From now on the symbol trades in other steps, or may not be sold short."""
        account, symbol = self.server.account, self.venue_symbol
        if isinstance(self.server, AlpacaServer):
            account.listings[symbol] = Listing(is_shortable=False)
        else:
            rules = account.instruments[symbol]
            account.instruments[symbol] = replace(rules, tick=5 * rules.tick)

    def routes(self) -> list[str]:
        """What the server was asked so far."""
        return [arrived.route for arrived in self.server.requests]


def held(snapshot: Snapshot, venue: AnyVenue) -> dict[PositionSide | None, Decimal]:
    """What is held, in lots; in net mode its side is None."""
    return {each.position_side: each.quantity / venue.market.lot for each in snapshot.holdings}


def side_of(venue: AnyVenue, side: PositionSide) -> PositionSide | None:
    """How a holding of this side is named there."""
    return side if venue.position_mode is PositionMode.HEDGE else None


def is_flat(snapshot: Snapshot) -> bool:
    return (snapshot.open_orders, snapshot.holdings) == ((), ())
