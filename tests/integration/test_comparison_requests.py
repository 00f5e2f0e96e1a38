"""What a comparison with the venue costs, counted at each server with a holding and its stop in
each of twenty symbols. docs/venues.md says it, and calculates from it that they fit the budget."""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from pointsman.config.fields import SettingFields
from pointsman.domain.client_order_ids import client_order_id
from pointsman.domain.events import VenueLink
from pointsman.domain.orders import Role
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide
from pointsman.engine.open_venue import ADAPTERS
from pointsman.venues.adapter import Access
from pointsman.venues.bridge import RealVenue
from tests.conformance import bench
from tests.integration.binance_account import Account
from tests.optional import NEEDS_CCXT
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.base import VenueServer
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.binance_gate import WEIGHT_WITHOUT_SYMBOL
from tests.venue_servers.binance_symbols import instrument
from tests.venue_servers.bybit import BybitServer, perpetual
from tests.venue_servers.calls import Arrived

pytestmark = NEEDS_CCXT

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/venues.md"
BASES = [f"C{letter}" for letter in "ABCDEFGHIJKLMNOPQRST"]
PERPETUALS = [f"{base}/USDT:USDT" for base in BASES]
LONG = PositionSide.LONG
QUIET_SECONDS = 0.3


class Figures(msgspec.Struct, frozen=True):
    """A row of the document: what the venue allows in a minute, what a comparison costs where
    nothing has happened, where something has in each symbol, and once a minute, after a gap in the
    stream; and what that makes in a minute, at rest and at worst."""

    allowed: int
    quiet: int
    busy: int
    once_a_minute: int
    minute_quiet: int
    minute_busy: int


def figures() -> dict[str, Figures]:
    """What the document says, by venue."""
    number = r" ([\d,]+) \|"
    found = re.findall(rf"^\| `(\w+)` \|{number * 6}$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    return {
        name: Figures(*(int(one.replace(",", "")) for one in numbers)) for name, *numbers in found
    }


def binance() -> tuple[VenueServer, list[str]]:
    rules = [instrument(f"{base}USDT", "0.10", "0.001", 1000, 5) for base in BASES]
    return BinanceServer(instruments={one.symbol: one for one in rules}), PERPETUALS


def bybit() -> tuple[VenueServer, list[str]]:
    server = BybitServer()
    rules = [perpetual(base, "0.1", "0.001", "1000", "500") for base in BASES]
    server.account.instruments |= {one.symbol: one for one in rules}
    return server, PERPETUALS


def alpaca() -> tuple[VenueServer, list[str]]:
    return AlpacaServer(symbols=BASES), BASES


SERVERS: dict[str, Callable[[], tuple[VenueServer, list[str]]]] = {
    "binanceusdm": binance,
    "bybit": bybit,
    "alpaca": alpaca,
}


class Counted:
    """An account with something held, and a stop for it, in each symbol."""

    def __init__(self, server: VenueServer, account: Account, symbols: list[str]) -> None:
        self.server = server
        self.account = account
        self._symbols = symbols
        self._stops: dict[str, str] = {}
        self._numbers = itertools.count(1)

    def trade(self) -> None:
        """In each symbol: take the stop away, buy, and let another one rest."""
        for symbol in self._symbols:
            number = next(self._numbers)
            if resting := self._stops.get(symbol):
                self.account.cancel(resting, symbol)
                self._wait_for_cancel(resting)
            entry_id = client_order_id("ABCDEF", number, Role.ENTRY, 1)
            self.account.submit(bench.entry(entry_id, LONG, 1, "101", symbol=symbol), "TRADE 1")
            stop_id = self._stops[symbol] = client_order_id("ABCDEF", number, Role.STOP, 1)
            self.account.submit(bench.stop(stop_id, LONG, 1, "96", symbol=symbol), "ACCEPTED")

    def interrupt(self) -> None:
        """The stream tells of funding, where there is any; then it is lost, and comes back."""
        if isinstance(self.server, BinanceServer):
            self.server.funding("CAUSDT", "-0.1")
        before = len(self._links())
        self.server.streams.close()
        self.account.until(lambda: self._links()[before:] == [False, True])

    def compare(self) -> int:
        """The weight of one comparison, while the stream has nothing to tell."""
        self.account.listen(QUIET_SECONDS)
        before = len(self.server.requests)
        snapshot = self.account.compare()
        assert snapshot.is_complete
        assert len(snapshot.holdings) == len(snapshot.open_orders) == len(self._symbols)
        return sum(self._weight(arrived) for arrived in self.server.requests[before:])

    def _links(self) -> list[bool]:
        return self.account.links(VenueLink.ACCOUNT_STREAM)

    def _wait_for_cancel(self, order_id: str) -> None:
        self.account.until(
            lambda: any(word.startswith("CANCELED") for word in self.account.words(order_id))
        )

    def _weight(self, arrived: Arrived) -> int:
        """By the server's table, which has every weight as the venue documents it."""
        if arrived.route in WEIGHT_WITHOUT_SYMBOL and isinstance(self.server, BinanceServer):
            return 1 if "symbol" in arrived.query else WEIGHT_WITHOUT_SYMBOL[arrived.route]
        return max(each.weight for each in self.server.routes() if each.name == arrived.route)


def admit_all(server: VenueServer) -> None:
    """What is set up here is more than the venue takes at once; nor is it paced by us."""
    if isinstance(server, BybitServer):
        server.orders_per_second = 1_000
    elif isinstance(server, AlpacaServer):
        server.requests_per_minute = 10_000


@contextmanager
def opened(name: str, server: VenueServer, symbols: list[str]) -> Iterator[RealVenue]:
    access = Access(
        key=server.key,
        secret=server.secret,
        is_sandbox=True,
        position_mode=PositionMode.NET,
        symbols=tuple(symbols),
        url=server.url,
        stream_url=server.stream_url,
    )
    venue = RealVenue(ADAPTERS[name](access), now_ns=time.time_ns(), requests_per_minute=None)
    try:
        yield venue
    finally:
        venue.close()


@pytest.mark.parametrize("name", SERVERS)
def test_a_comparison_of_twenty_symbols_costs_what_the_document_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.venues.bybit.adapter.RATES", ())
    said = figures()[name]
    made, symbols = SERVERS[name]()
    with made as server:
        admit_all(server)
        quote = server.controls()["quote"]
        for symbol in symbols:
            quote(symbol.replace("/USDT:", ""), "100", "100.1", bid_size="900", ask_size="900")
        with opened(name, server, symbols) as venue:
            account = Account(venue)
            account.start()
            counted = Counted(server, account, symbols)
            counted.trade()
            counted.interrupt()
            assert counted.compare() == said.once_a_minute
            assert counted.compare() == said.quiet
            counted.trade()
            assert counted.compare() == said.busy


@pytest.mark.parametrize("name", SERVERS)
def test_the_venue_allows_what_the_document_says(name: str) -> None:
    made, symbols = SERVERS[name]()
    with made as server, opened(name, server, symbols) as venue:
        assert venue.opening.requests_per_minute == figures()[name].allowed


@pytest.mark.parametrize("name", SERVERS)
def test_what_the_document_adds_up_is_right_and_fits_the_budget(name: str) -> None:
    said = figures()[name]
    interval = SettingFields.model_fields["reconcile_interval_seconds"].default
    others = 60 // int(interval) - 1
    assert said.minute_quiet == said.once_a_minute + others * said.quiet
    assert said.minute_busy == said.once_a_minute + others * said.busy
    assert said.minute_busy < said.allowed
