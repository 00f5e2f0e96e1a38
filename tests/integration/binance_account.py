"""An account at the Binance server on loopback, as the engine sees it through the adapter."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

from pointsman.domain.commands import Cancel, Compare, Query, Submit
from pointsman.domain.events import LinkChanged, OrderAbsent, OrderReport, VenueLink
from pointsman.domain.orders import Order
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide
from pointsman.domain.venue_reports import OrderFound, Snapshot
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.venues.adapter import Access
from pointsman.venues.binance.adapter import make_adapter
from pointsman.venues.bridge import RealVenue
from tests.conformance import bench
from tests.venue_servers.binance import BinanceServer

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
PATIENCE_SECONDS = 20.0

T = TypeVar("T")


def access_to(server: BinanceServer, **changes: Any) -> Access:
    settings: dict[str, Any] = {
        "key": "key",
        "secret": "secret",
        "is_sandbox": True,
        "position_mode": PositionMode.NET,
        "symbols": (BTC, ETH),
        "url": server.url,
        "stream_url": server.stream_url,
        "timeout_ms": 1500,
    }
    return Access(**{**settings, **changes})


class Account:
    """The engine's side: requests out, replies in. Everything that was said is kept in `heard`."""

    def __init__(self, venue: RealVenue) -> None:
        self.venue = venue
        self.heard: list[VenueReply] = []
        self.cursor = ""
        self._is_woken = threading.Event()

    def start(self) -> None:
        """Hear the stream, and compare once: what happens from then on is the account's history."""
        self.venue.start(self._is_woken.set)
        self.until(lambda: self.links(VenueLink.ACCOUNT_STREAM))
        self.compare_whole()

    def send(self, request: VenueRequest) -> None:
        self.venue.send(request, time.time_ns())

    def until(self, look: Callable[[], T | None]) -> T:
        """Hear what is said until `look` gives something."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.heard += self.venue.receive(time.time_ns())
            if found := look():
                return found
            assert time.monotonic() < end, self.heard
            self._is_woken.wait(0.02)
            self._is_woken.clear()

    def listen(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.heard += self.venue.receive(time.time_ns())
            time.sleep(0.02)

    def words(self, client_order_id: str) -> list[str]:
        """What was reported of one order, without what was said twice: an answer and the stream
        say the same."""
        reports = [r for r in self.heard if isinstance(r, OrderReport)]
        return list(dict.fromkeys(bench.words(reports, client_order_id)))

    def fills(self, client_order_id: str) -> list[tuple[str, Decimal]]:
        return [
            (report.fill.trade_id, report.fill.quantity)
            for report in self.heard
            if isinstance(report, OrderReport)
            and report.client_order_id == client_order_id
            and report.fill is not None
        ]

    def links(self, link: VenueLink) -> list[bool]:
        return [r.is_up for r in self.heard if isinstance(r, LinkChanged) and r.link is link]

    def submit(self, order: Order, until: str) -> list[str]:
        """Send an order, and wait until this is reported of it."""
        self.send(Submit(order))
        return self.wait(order.client_order_id, until)

    def cancel(self, client_order_id: str, symbol: str = BTC) -> None:
        self.send(Cancel(client_order_id, symbol))

    def wait(self, client_order_id: str, until: str) -> list[str]:
        self.until(lambda: until in self.words(client_order_id))
        return self.words(client_order_id)

    def query(self, client_order_id: str, symbol: str = BTC) -> OrderFound | OrderAbsent:
        before = len(self.heard)
        self.send(Query(client_order_id, symbol))

        def answers() -> list[OrderFound | OrderAbsent]:
            said = self.heard[before:]
            return [reply for reply in said if isinstance(reply, OrderFound | OrderAbsent)]

        return self.until(answers)[0]

    def compare(self) -> Snapshot:
        """The next comparison; goes on from there the next time where it is complete."""
        before = len(self.heard)
        self.send(Compare(self.cursor))

        def answer() -> Snapshot | None:
            return next((r for r in self.heard[before:] if isinstance(r, Snapshot)), None)

        snapshot = self.until(answer)
        self.cursor = snapshot.fills_cursor
        return snapshot

    def compare_whole(self) -> Snapshot:
        """Compare until it is complete."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (snapshot := self.compare()).is_complete:
            assert time.monotonic() < end
            time.sleep(0.1)
        return snapshot

    def hold(self, order_id: str, quantity: str, side: PositionSide = LONG) -> None:
        """Open a holding of BTC."""
        limit = "51000" if side is LONG else "49000"
        order = bench.entry(order_id, side, quantity, limit, symbol=BTC)
        self.submit(order, f"TRADE {quantity}")


@contextmanager
def opened(server: BinanceServer, **changes: Any) -> Iterator[Account]:
    venue = RealVenue(
        make_adapter(access_to(server, **changes)), now_ns=time.time_ns(), requests_per_minute=None
    )
    try:
        account = Account(venue)
        account.start()
        yield account
    finally:
        venue.close()


def stop(order_id: str, quantity: str, trigger: str = "49000", side: PositionSide = LONG) -> Order:
    return bench.stop(order_id, side, quantity, trigger, symbol=BTC)


def market_exit(order_id: str, quantity: str, side: PositionSide = LONG) -> Order:
    return bench.market_exit(order_id, side, quantity, symbol=BTC)


def entry(order_id: str, quantity: str, limit: str = "51000", side: PositionSide = LONG) -> Order:
    return bench.entry(order_id, side, quantity, limit, symbol=BTC)
