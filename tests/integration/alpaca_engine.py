"""The engine's side of the Alpaca adapter, which speaks with the Alpaca server of the tests."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

from pointsman.domain.commands import Submit
from pointsman.domain.events import (
    LinkChanged,
    OrderReport,
    ReportWord,
    VenueLink,
)
from pointsman.domain.orders import Order
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.venues.adapter import Access
from pointsman.venues.alpaca import adapter as alpaca
from pointsman.venues.bridge import RealVenue
from tests.conformance import bench
from tests.venue_servers.alpaca import AlpacaServer

PATIENCE_SECONDS = 20.0
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
BUY_ID, STOP_ID, EXIT_ID = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"
T = TypeVar("T")


def entry(number: int = 1, quantity: int = 10, limit: str = "100.02") -> Order:
    return bench.entry(f"ABCDEF{number}E1", LONG, quantity, limit, symbol="AAPL")


def stop(attempt: int = 1, quantity: int = 10, trigger: str = "95") -> Order:
    return bench.stop(f"ABCDEF1S{attempt}", LONG, quantity, trigger, symbol="AAPL")


def market_exit(attempt: int = 1, quantity: int = 10) -> Order:
    return bench.market_exit(f"ABCDEF1X{attempt}", LONG, quantity, symbol="AAPL")


class Engine:
    """The engine's side of the venue: all replies so far, in their order."""

    def __init__(self, server: AlpacaServer, **access: Any) -> None:
        origin = f"127.0.0.1:{server.port}"
        given: dict[str, Any] = {
            "key": "K",
            "secret": "S",
            "is_sandbox": True,
            "position_mode": PositionMode.NET,
            "symbols": ("AAPL", "MSFT"),
            "url": f"http://{origin}",
            "stream_url": f"ws://{origin}",
            "timeout_ms": 500,
        }
        self.server = server
        self.replies: list[VenueReply] = []
        self._is_woken = threading.Event()
        self.adapter = alpaca.make_adapter(Access(**{**given, **access}))
        self.venue = RealVenue(self.adapter, now_ns=time.time_ns(), requests_per_minute=None)

    def start(self) -> None:
        self.venue.start(self._is_woken.set)
        self.until(lambda: self.links(VenueLink.ACCOUNT_STREAM)[-1:] == [True])

    def send(self, *asked: VenueRequest | Order) -> None:
        for request in asked:
            one = Submit(request) if isinstance(request, Order) else request
            self.venue.send(one, time.time_ns())

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.replies += self.venue.receive(time.time_ns())
            if is_so():
                return
            assert time.monotonic() < end, self.replies
            self._is_woken.wait(0.02)
            self._is_woken.clear()

    def next(self, kind: type[T], after: int = 0) -> T:
        """The first reply of a kind since `after` replies."""
        found: list[T] = []

        def is_there() -> bool:
            found[:] = [reply for reply in self.replies[after:] if isinstance(reply, kind)]
            return bool(found)

        self.until(is_there)
        return found[0]

    def ask(self, request: VenueRequest, kind: type[T]) -> T:
        after = len(self.replies)
        self.send(request)
        return self.next(kind, after)

    def links(self, link: VenueLink) -> list[bool]:
        told = [reply for reply in self.replies if isinstance(reply, LinkChanged)]
        return [reply.is_up for reply in told if reply.link is link]

    def reports(self, order_id: str) -> list[OrderReport]:
        told = [reply for reply in self.replies if isinstance(reply, OrderReport)]
        return [reply for reply in told if reply.client_order_id == order_id]

    def words(self, order_id: str) -> list[ReportWord]:
        return [report.kind for report in self.reports(order_id)]

    def filled(self, order_id: str) -> Decimal:
        """By the executions told, each once."""
        fills = [report.fill for report in self.reports(order_id)]
        return sum({f.trade_id: f.quantity for f in fills if f is not None}.values(), Decimal(0))

    def hold(self, quantity: int = 10) -> None:
        """Buy, and wait for the fill."""
        self.send(entry(quantity=quantity))
        self.until(lambda: self.filled(BUY_ID) == quantity)

    def protect(self, quantity: int = 10) -> None:
        """Let the stop rest."""
        self.send(stop(quantity=quantity))
        self.until(lambda: ReportWord.ACCEPTED in self.words(STOP_ID))

    def settle(self, seconds: float = 0.3) -> None:
        """Take in what comes in this time, where nothing more is to come."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def arrived(self, route: str) -> int:
        return sum(each.route == route for each in self.server.requests)


@contextmanager
def opened(server: AlpacaServer, **access: Any) -> Iterator[Engine]:
    engine = Engine(server, **access)
    try:
        engine.start()
        yield engine
    finally:
        engine.venue.close()
