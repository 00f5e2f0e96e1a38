"""An account at the loopback Bybit, as the engine has it: a RealVenue with the Bybit adapter."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.commands import Cancel, Compare, Query, Submit
from pointsman.domain.events import OrderReport
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide
from pointsman.domain.venue_reports import Snapshot
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.venues.adapter import Access
from pointsman.venues.bridge import RealVenue
from pointsman.venues.bybit.adapter import make_adapter
from tests.venue_servers.bybit import BybitServer

BTC = "BTC/USDT:USDT"
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
PATIENCE_SECONDS = 15.0
TYPES = {Role.ENTRY: OrderType.LIMIT_IOC, Role.STOP: OrderType.STOP, Role.EXIT: OrderType.MARKET}

T = TypeVar("T")


def order(
    order_id: str,
    side: PositionSide = LONG,
    quantity: str = "0.01",
    *,
    limit: str | None = None,
    trigger: str | None = None,
    symbol: str = BTC,
) -> Order:
    """An order of the role that its id names, for a position of this side."""
    parts = parse_client_order_id(order_id)
    assert parts is not None
    is_entry = parts.role is Role.ENTRY
    return Order(
        client_order_id=order_id,
        va_id="a",
        symbol=symbol,
        position_id=parts.number,
        role=parts.role,
        order_type=TYPES[parts.role],
        side=side.opens_with if is_entry else side.closes_with,
        position_side=side,
        quantity=Decimal(quantity),
        created_at_ns=0,
        limit_price=None if limit is None else Decimal(limit),
        trigger_price=None if trigger is None else Decimal(trigger),
    )


def access_to(server: BybitServer, **changes: Any) -> Access:
    words: dict[str, Any] = {
        "key": server.key,
        "secret": server.secret,
        "is_sandbox": True,
        "position_mode": PositionMode.NET,
        "symbols": (BTC,),
        "url": server.url,
        "stream_url": server.stream_url,
        "timeout_ms": 1000,
    }
    return Access(**(words | changes))


class BybitAccount:
    """What is sent to it, and what has come back so far."""

    def __init__(self, server: BybitServer, **changes: Any) -> None:
        self.server = server
        self.told: list[VenueReply] = []
        self._is_woken = threading.Event()
        self.venue = RealVenue(
            make_adapter(access_to(server, **changes)),
            now_ns=time.time_ns(),
            requests_per_minute=None,
        )

    def listen(self) -> None:
        self.venue.start(self._is_woken.set)
        self.until(lambda: any(s.tags for s in self.server.streams.open) or None)

    def send(self, request: VenueRequest | Order) -> None:
        request = Submit(request) if isinstance(request, Order) else request
        self.venue.send(request, time.time_ns())

    def cancel(self, order_id: str) -> None:
        self.send(Cancel(order_id, BTC))

    def until(self, find: Callable[[], T | None]) -> T:
        """Receive until something is found."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.told += self.venue.receive(time.time_ns())
            found = find()
            if found is not None:
                return found
            assert time.monotonic() < until, self.told
            self._is_woken.wait(0.02)
            self._is_woken.clear()

    def first(self, sort: type[T], /, *, after: int = 0, **fields: Any) -> T:
        """The first reply of a kind with these fields."""
        return self.until(
            lambda: next(
                (
                    reply
                    for reply in self.told[after:]
                    if isinstance(reply, sort)
                    and all(getattr(reply, name) == value for name, value in fields.items())
                ),
                None,
            )
        )

    def ask(self, request: Query | Compare, kind: type[T]) -> T:
        """The answer to a question."""
        before = len(self.told)
        self.send(request)
        return self.first(kind, after=before)

    def compare(self, cursor: str = "") -> Snapshot:
        return self.ask(Compare(cursor), Snapshot)

    def words(self, order_id: str) -> list[str]:
        """What was reported of an order, in short."""
        return [
            f"{reply.kind.value} {reply.fill.quantity}" if reply.fill else reply.kind.value
            for reply in self.told
            if isinstance(reply, OrderReport) and reply.client_order_id == order_id
        ]

    def routes(self) -> list[str]:
        """What the server was asked so far, by its names of routes."""
        return [arrived.route for arrived in self.server.requests]


@contextmanager
def bybit_account(**changes: Any) -> Iterator[BybitAccount]:
    """An account without holdings, with quotes of BTC, that hears its stream."""
    with BybitServer(key="K", secret="S") as server:
        server.quote("BTCUSDT", "59999.9", "60000", bid_size=50, ask_size=50)
        if changes.get("position_mode") is PositionMode.HEDGE:
            server.switch_mode(is_hedging=True)
        account = BybitAccount(server, **changes)
        try:
            account.listen()
            yield account
        finally:
            account.venue.close()
