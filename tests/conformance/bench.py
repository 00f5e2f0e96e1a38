"""What tests of venues share: orders, rows and a bench that plays the engine's part of the seam."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from pointsman.domain.commands import Compare, Submit
from pointsman.domain.events import OrderReport, ReportWord
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.sides import PositionSide
from pointsman.domain.venue_reports import Snapshot
from pointsman.execution.ports import QuoteListener, Venue, VenueReply, VenueRequest
from pointsman.venues.paper.venue import PaperVenue

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
LATENCY_NS = 20
FEE_BPS = Decimal("1.5")

INSTRUMENTS = {
    "XXX": Instrument("XXX", Decimal("0.01"), Decimal(1), Decimal(1), Decimal(0), "USD"),
    "BTC/USDT": Instrument(
        "BTC/USDT",
        Decimal("0.1"),
        Decimal("0.001"),
        Decimal("0.002"),
        Decimal(5),
        "USDT",
        Decimal(4),
    ),
}


def open_paper(
    path: Path,
    *,
    latency_ns: int = LATENCY_NS,
    position_mode: PositionMode = PositionMode.HEDGE,
    reduce_only_mode: ReduceOnlyMode = ReduceOnlyMode.CLIP,
    is_rewound: bool = False,
) -> PaperVenue:
    return PaperVenue(
        path,
        latency_ns=latency_ns,
        fee_bps=FEE_BPS,
        position_mode=position_mode,
        reduce_only_mode=reduce_only_mode,
        instrument_of=INSTRUMENTS.__getitem__,
        is_rewound=is_rewound,
    )


def row(
    ts_ns: int,
    bid: str,
    ask: str,
    *,
    bid_size: int | str = 1000,
    ask_size: int | str = 1000,
    symbol: str = "XXX",
) -> Quote:
    return Quote(symbol, ts_ns, Decimal(bid), Decimal(bid_size), Decimal(ask), Decimal(ask_size))


def entry(
    client_order_id: str,
    position_side: PositionSide,
    quantity: int | str,
    limit: str,
    *,
    symbol: str = "XXX",
) -> Order:
    """An immediate-or-cancel limit that opens or adds."""
    return Order(
        client_order_id,
        "VA001",
        symbol,
        1,
        Role.ENTRY,
        OrderType.LIMIT_IOC,
        position_side.opens_with,
        position_side,
        Decimal(quantity),
        0,
        limit_price=Decimal(limit),
    )


def stop(
    client_order_id: str,
    position_side: PositionSide,
    quantity: int | str,
    trigger: str,
    *,
    symbol: str = "XXX",
) -> Order:
    """A stop that protects a holding of `position_side`."""
    return Order(
        client_order_id,
        "VA001",
        symbol,
        1,
        Role.STOP,
        OrderType.STOP,
        position_side.closes_with,
        position_side,
        Decimal(quantity),
        0,
        trigger_price=Decimal(trigger),
    )


def market_exit(
    client_order_id: str, position_side: PositionSide, quantity: int | str, *, symbol: str = "XXX"
) -> Order:
    """A reduce-only market order that closes a holding of `position_side`."""
    return Order(
        client_order_id,
        "VA001",
        symbol,
        1,
        Role.EXIT,
        OrderType.MARKET,
        position_side.closes_with,
        position_side,
        Decimal(quantity),
        0,
    )


class MatchingVenue(Venue, QuoteListener, Protocol):
    """A venue that fills by the quotes that it is given."""


class Bench:
    """Drives a venue as the engine does: hands over rows, and asks when something is due."""

    def __init__(self, venue: MatchingVenue) -> None:
        self.venue = venue
        self.now_ns = venue.known_until_ns()

    def quote(self, *rows: Quote) -> list[VenueReply]:
        """All rows of one instant, and what came of them."""
        for one in rows:
            self.venue.on_quote(one)
        self.now_ns = max(self.now_ns, rows[-1].ts_ns)
        return self.venue.receive(self.now_ns)

    def ask(self, *requests: VenueRequest) -> list[VenueReply]:
        """Send at the present, wait until all has arrived, and return what was answered."""
        for request in requests:
            self.venue.send(request, self.now_ns)
        return self.settle()

    def submit(self, *orders: Order) -> list[VenueReply]:
        return self.ask(*[Submit(order) for order in orders])

    def settle(self) -> list[VenueReply]:
        replies: list[VenueReply] = []
        while (due_ns := self.venue.next_due_ns()) is not None:
            self.now_ns = max(self.now_ns, due_ns)
            replies += self.venue.receive(self.now_ns)
        return replies

    def hold(self, position_side: PositionSide, quantity: int, *, ts_ns: int) -> None:
        """Open a holding of XXX at the touch of the row 100.00 / 100.02, shown large enough."""
        self.quote(row(ts_ns, "100.00", "100.02", bid_size=10**6, ask_size=10**6))
        limit = "200.00" if position_side is LONG else "1.00"
        told = words(
            self.submit(entry(f"HOLD{ts_ns}{position_side}", position_side, quantity, limit))
        )
        assert told == ["ACCEPTED", f"TRADE {quantity}"], told


def words(replies: Sequence[VenueReply], client_order_id: str | None = None) -> list[str]:
    """The reports of one order, or of all, as short texts: `TRADE 40`, `CANCELED NOT_FILLED`."""
    texts = []
    for reply in replies:
        assert isinstance(reply, OrderReport), reply
        if client_order_id in (None, reply.client_order_id):
            detail = reply.reason or (reply.fill.quantity if reply.fill else None)
            texts.append(reply.kind.value if detail is None else f"{reply.kind.value} {detail}")
    return texts


def trades(replies: Sequence[VenueReply]) -> list[OrderReport]:
    """The reports of executions."""
    return [
        reply
        for reply in replies
        if isinstance(reply, OrderReport) and reply.kind is ReportWord.TRADE
    ]


def snapshot(bench: Bench) -> Snapshot:
    """What the venue says of its whole account now."""
    (taken,) = bench.ask(Compare(""))
    assert isinstance(taken, Snapshot)
    return taken
