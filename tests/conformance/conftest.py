"""The venues about which statements are made, each in every position mode that it has."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.policy import PositionMode
from tests.conformance import bench
from tests.conformance.any_venue import AnyVenue, Market, OnPaper, OnServer
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.base import VenueServer
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.bybit import BybitServer

NET, HEDGE = PositionMode.NET, PositionMode.HEDGE


def market(symbol: str, price: str, lot: str, fee_bps: str) -> Market:
    return Market(symbol=symbol, price=Decimal(price), lot=Decimal(lot), fee_bps=Decimal(fee_bps))


PAPER = market("XXX", "1", "1", str(bench.FEE_BPS))
BINANCE = market("BTC/USDT:USDT", "500", "0.001", "5")
BYBIT = market("BTC/USDT:USDT", "600", "0.001", "5.5")
ALPACA = market("AAPL", "1", "1", "0")


def binance(mode: PositionMode) -> VenueServer:
    return BinanceServer(is_hedging=mode is HEDGE)


def bybit(mode: PositionMode) -> VenueServer:
    server = BybitServer()
    server.account.is_hedging = mode is HEDGE
    return server


def alpaca(_: PositionMode) -> VenueServer:
    return AlpacaServer()


REAL: dict[str, tuple[str, Market, PositionMode, Callable[[PositionMode], VenueServer]]] = {
    "binanceusdm, net": ("binance", BINANCE, NET, binance),
    "binanceusdm, hedge": ("binance", BINANCE, HEDGE, binance),
    "bybit, net": ("bybit", BYBIT, NET, bybit),
    "bybit, hedge": ("bybit", BYBIT, HEDGE, bybit),
    "alpaca": ("alpaca", ALPACA, NET, alpaca),
}
ON_PAPER = {"paper, net": NET, "paper, hedge": HEDGE}


@contextmanager
def opened(name: str, folder: Path) -> Iterator[AnyVenue]:
    """The venue of this name, its market at 100.00 / 100.02."""
    if name in ON_PAPER:
        with closing(OnPaper(PAPER, ON_PAPER[name], folder)) as venue:
            venue.quote("100.00", "100.02")
            yield venue
    else:
        with opened_at_server(name) as remote:
            yield remote


@contextmanager
def opened_at_server(
    name: str, *, timeout_ms: int = 4_000, requests_per_minute: int | None = None
) -> Iterator[OnServer]:
    """A venue that is elsewhere, which may take so long to answer, and may be asked so much."""
    module, market, mode, serve = REAL[name]
    if module != "alpaca" and find_spec("ccxt") is None:
        pytest.skip("the extra ccxt is not installed")
    adapter: Any = import_module(f"pointsman.venues.{module}.adapter")
    with (
        serve(mode) as server,
        closing(OnServer(market, mode, server, adapter, timeout_ms, requests_per_minute)) as venue,
    ):
        venue.quote("100.00", "100.02")
        yield venue


@pytest.fixture(params=[*ON_PAPER, *REAL])
def venue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyVenue]:
    """One of all venues."""
    with opened(request.param, tmp_path) as venue:
        yield venue


@pytest.fixture(params=REAL)
def remote(request: pytest.FixtureRequest) -> Iterator[OnServer]:
    """One of the venues that are elsewhere."""
    with opened_at_server(request.param) as venue:
        yield venue
