"""`pointsman venue check --orders` as a user runs it, against servers that speak each protocol."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pointsman.config.settings import resolve_settings
from pointsman.engine.venue_check import Promise
from pointsman.service.venue_certificate import opened
from tests.integration.sessions import pointsman
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.bybit import BybitServer
from tests.venue_servers.faults import Fault, Kind

KEY, SECRET = "key-of-a-test", "secret-of-a-test"
QUOTE_SECONDS = 0.1


@contextmanager
def quoting(server: BinanceServer, symbol: str, bid: str, ask: str) -> Iterator[None]:
    """Within this block the market is quoted ten times a second."""
    stop = threading.Event()

    def quote() -> None:
        while not stop.wait(QUOTE_SECONDS):
            server.quote(symbol, bid, ask, bid_size="50", ask_size="50")

    server.quote(symbol, bid, ask, bid_size="50", ask_size="50")
    thread = threading.Thread(target=quote)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def settings_of(
    server: BinanceServer | AlpacaServer | BybitServer, venue: str, symbol: str
) -> Mapping[str, str]:
    return {
        "VENUE": venue,
        "VENUE_KEY": KEY,
        "VENUE_SECRET": SECRET,
        "VENUE_URL": server.url,
        "VENUE_STREAM_URL": server.stream_url,
        "VENUE_DATA_URL": server.data_url,
        "SYMBOLS": symbol,
    }


def check(folder: Path, settings: Mapping[str, str], code: int) -> dict[str, Any]:
    ended = pointsman(folder, "venue", "check", "--orders", "--json", settings=settings)
    assert ended.returncode == code, ended.stdout[-3000:] + ended.stderr[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_binance_keeps_every_promise(tmp_path: Path) -> None:
    pytest.importorskip("ccxt", reason="ccxt is not installed")
    with (
        BinanceServer(key=KEY, secret=SECRET) as server,
        quoting(server, "BTCUSDT", "65000.0", "65000.1"),
    ):
        document = check(tmp_path, settings_of(server, "binanceusdm", "BTC/USDT:USDT"), 0)
    assert [one for one in document["promises"] if not one["is_kept"]] == []


def test_a_venue_that_loses_its_stops_is_found_out_and_left_flat(tmp_path: Path) -> None:
    pytest.importorskip("ccxt", reason="ccxt is not installed")
    with (
        BinanceServer(key=KEY, secret=SECRET) as server,
        quoting(server, "BTCUSDT", "65000.0", "65000.1"),
    ):
        server.faults.add(Fault(route="open_stops", kind=Kind.EMPTY_LIST, times=1000))
        document = check(tmp_path, settings_of(server, "binanceusdm", "BTC/USDT:USDT"), 5)
    broken = [one["promise"] for one in document["promises"] if one["is_kept"] is False]
    assert broken[0] == Promise.STOP_RESTS.name.lower()


@pytest.mark.parametrize("symbols", ["AAPL", ""])
def test_a_symbol_that_the_settings_do_not_name_can_be_checked_at_alpaca(symbols: str) -> None:
    """Alpaca tells of the symbols that it is opened with, and of no others."""
    with AlpacaServer(key=KEY, secret=SECRET) as server:
        settings = resolve_settings(settings_of(server, "alpaca", symbols), None, {}).settings
        with opened(settings, "MSFT") as account:
            assert account.instrument.symbol == "MSFT"


def test_the_position_mode_is_checked_of_the_symbol_that_is_looked_at() -> None:
    pytest.importorskip("ccxt", reason="ccxt is not installed")
    with BybitServer(key=KEY, secret=SECRET) as server:
        words = settings_of(server, "bybit", "BTC/USDT:USDT")
        settings = resolve_settings(words, None, {}).settings
        with opened(settings, "ETH/USDT:USDT") as account:
            assert account.instrument.symbol == "ETH/USDT:USDT"
        asked = [one.query.get("symbol") for one in server.requests if one.route == "positions"]
    assert "ETHUSDT" in asked
    assert "BTCUSDT" not in asked
