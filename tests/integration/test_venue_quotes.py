"""Engines on the live quotes of a venue: a signal is traded on paper, and the day is recorded so
that it runs again."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pointsman.engine.control_client import ask
from pointsman.engine.requests import Show
from pointsman.market.recorded import RecordedMarket
from tests.integration.http_engines import LENIENT, HttpEngine, http_engine
from tests.integration.sessions import pointsman, report_of, rows
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.base import VenueServer
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.bybit import BybitServer
from tests.venue_servers.streams import QUOTES

STOP_THAT_RESTS = "SELECT 1 FROM orders WHERE role = 'stop' AND status = 'ACCEPTED'"
STRICT = {"MAX_LATENCY_MS": "500"}


class AtVenue:
    """What tells the venues of these tests apart."""

    def __init__(
        self,
        market: str,
        server: Callable[..., Any],
        symbol: str,
        theirs: str,
        prices: tuple[str, str],
        quantity: str,
        login: dict[str, str] | None = None,
    ) -> None:
        self.market = market
        self.server = server
        self.symbol = symbol
        self.theirs = theirs
        self.prices = prices
        self.quantity = quantity
        self.login = login or {}


VENUES = [
    AtVenue(
        "binanceusdm", BinanceServer, "BTC/USDT:USDT", "BTCUSDT", ("60000.0", "60000.1"), "0.01"
    ),
    AtVenue("bybit", BybitServer, "BTC/USDT:USDT", "BTCUSDT", ("60000.0", "60000.1"), "0.01"),
    AtVenue(
        "alpaca",
        AlpacaServer,
        "AAPL",
        "AAPL",
        ("193.71", "193.73"),
        "5",
        {"VENUE_KEY": "key", "VENUE_SECRET": "secret"},
    ),
]


def until(wanted: Callable[[], Any], seconds: float = 20) -> Any:
    """What `wanted` gives, once it gives anything."""
    give_up_at = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < give_up_at, "it does not come"
        time.sleep(0.02)
    return found


def is_subscribed(server: VenueServer, name: str) -> bool:
    sockets = [socket for socket in server.streams.open if socket.channel == QUOTES]
    return any(name.lower() in tag.lower() for socket in sockets for tag in socket.tags)


def signal(engine: HttpEngine, number: int, at: AtVenue) -> dict[str, Any]:
    body = {"signal_id": f"s{number}", "va_id": "VA001", "symbol": at.symbol, "side": "buy"}
    answer = engine.post("/api/v1/signals", {**body, "quantity": at.quantity})
    assert answer.status == 200, answer
    return answer.document


@pytest.mark.parametrize("at", VENUES, ids=lambda at: at.market)
def test_rule_50_a_signal_is_traded_on_live_quotes_and_the_day_runs_again(
    tmp_path: Path, at: AtVenue
) -> None:
    flags = ("--market", at.market)
    with at.server() as server:
        settings = {**STRICT, **at.login, "VENUE_DATA_URL": server.data_url}
        with http_engine(tmp_path, settings, flags) as engine:
            assert signal(engine, 1, at)["reason"] == "NO_QUOTE"
            until(lambda: is_subscribed(server, at.theirs))
            server.quote(at.theirs, *map(Decimal, at.prices), bid_size=500, ask_size=500)
            until(lambda: ask(engine.database, Show())["health"]["feed_age_ms"] is not None)
            time.sleep(2)  # No quote changes: heartbeats alone say that it is fresh.
            decided = signal(engine, 2, at)
            assert decided["outcome"] == "accepted", decided
            until(lambda: rows(engine.database, "SELECT 1 FROM fills"))
            time.sleep(0.5)
            assert engine.end() == 143
    ((price, quantity),) = rows(engine.database, "SELECT price, quantity FROM fills")
    assert (Decimal(price), quantity) == (Decimal(at.prices[1]), at.quantity)
    again = run_again(tmp_path, at)
    assert (again["signals"]["accepted"], again["bad_quotes"]) == (1, 0), again
    assert rows(tmp_path / "again.db", "SELECT price, quantity FROM fills") == [(price, quantity)]
    check = pointsman(tmp_path, "journal", "check", "--db", str(engine.database))
    assert check.returncode == 0, check.stdout


def run_again(folder: Path, at: AtVenue) -> dict[str, Any]:
    """The report of a recorded run of what was recorded, with the signal at the time at which it
    was decided."""
    (recorded,) = (folder / "quotes").iterdir()
    ((at_ns,),) = rows(
        folder / "t.db", "SELECT decided_at_ns FROM decisions WHERE outcome = 'accepted'"
    )
    again = {
        "signal_id": "s2",
        "va_id": "VA001",
        "symbol": at.symbol,
        "side": "buy",
        "quantity": at.quantity,
        "ts": at_ns,
    }
    (folder / "signals.jsonl").write_text(json.dumps(again))
    result = pointsman(
        folder,
        *("run", "--market", str(recorded), "--signals", "signals.jsonl", "--db", "again.db"),
        "--json",
        settings={**LENIENT, **STRICT},
    )
    assert "skipped" not in result.stderr, result.stderr
    return report_of(result)


def test_a_killed_engine_leaves_a_file_that_runs_and_the_next_one_continues_it(
    tmp_path: Path,
) -> None:
    with BinanceServer() as server:
        settings = {"VENUE_DATA_URL": server.data_url, "SYMBOLS": "BTC/USDT:USDT"}
        for number in (1, 2):
            with http_engine(tmp_path, settings, ("--market", "binanceusdm")) as engine:
                until(lambda: is_subscribed(server, "BTCUSDT"))
                server.quote("BTCUSDT", 100 * number, 100 * number + 1)
                time.sleep(3.5)
                engine.kill_9()
    (recorded,) = (tmp_path / "quotes").iterdir()
    market = RecordedMarket((recorded,))
    assert {int(quote.bid) for quote in market.quotes()} == {100, 200}
    assert market.bad_rows == 0


def test_rule_46_no_entry_is_taken_while_the_quotes_are_down_and_what_is_held_is_asked_for(
    tmp_path: Path,
) -> None:
    at, flags = VENUES[0], ("--market", "binanceusdm")
    with ExitStack() as running:
        with BinanceServer() as server:
            settings = {**STRICT, "VENUE_DATA_URL": server.data_url, "SYMBOLS": at.symbol}
            engine = running.enter_context(http_engine(tmp_path, settings, flags))
            until(lambda: is_subscribed(server, at.theirs))
            server.quote(at.theirs, *map(Decimal, at.prices))
            until(lambda: signal(engine, time.time_ns(), at)["outcome"] == "accepted")
            until(lambda: rows(engine.database, "SELECT 1 FROM positions WHERE state = 'open'"))
        until(lambda: "venue quotes" in ask(engine.database, Show())["health"]["unready"])
        assert signal(engine, 2, at)["reason"] == "VENUE_DOWN"
    settings["SYMBOLS"] = ""
    with BinanceServer() as back:
        settings["VENUE_DATA_URL"] = back.data_url
        with http_engine(tmp_path, settings, flags):
            until(lambda: is_subscribed(back, at.theirs))


@pytest.mark.parametrize("at", VENUES, ids=lambda at: at.market)
def test_at_a_real_venue_its_own_quotes_are_the_default(tmp_path: Path, at: AtVenue) -> None:
    key, secret = "K" * 20, "S" * 20
    with at.server(key=key, secret=secret) as server:
        server.quote(at.theirs, *map(Decimal, at.prices), bid_size=500, ask_size=500)
        settings = {
            **STRICT,
            "VENUE": at.market,
            "VENUE_KEY": key,
            "VENUE_SECRET": secret,
            "VENUE_URL": server.url,
            "VENUE_STREAM_URL": server.stream_url,
            "VENUE_DATA_URL": server.data_url,
            "SYMBOLS": at.symbol,
        }
        with http_engine(tmp_path, settings, ()) as engine:
            until(lambda: is_subscribed(server, at.theirs))
            server.quote(at.theirs, *map(Decimal, at.prices), bid_size=400, ask_size=500)
            until(lambda: ask(engine.database, Show())["health"]["feed_age_ms"] is not None)
            assert signal(engine, 1, at)["outcome"] == "accepted"
            held = until(lambda: rows(engine.database, "SELECT price, quantity FROM fills"))
            assert [(Decimal(price), quantity) for price, quantity in held] == [
                (Decimal(at.prices[1]), at.quantity)
            ]
            until(lambda: rows(engine.database, STOP_THAT_RESTS))
            assert engine.end() == 143


def test_quotes_that_need_a_key_are_refused_without_one(tmp_path: Path) -> None:
    refused = pointsman(tmp_path, "run", "--headless", "--market", "alpaca")
    assert refused.returncode == 3
    assert "VENUE_KEY" in refused.stdout + refused.stderr
    assert "VENUE_SECRET" in refused.stdout + refused.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is made before the settings fit"
